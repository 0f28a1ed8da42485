// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of a buffer in user space. To change here: which pages a call or a fault
 * maps, and by which entries of page tables.
 *
 * A small mapping is complete from the start. A large one is filled by faults, each of
 * which maps the range of one entry of the upper table: by that entry alone where run
 * and address allow, or else page by page.
 */

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "heap-buffer.h"

/* Places in a buffer */

/**
 * struct heap_place - where a page of a buffer is
 * @run: its run; NULL behind the end
 * @skip: bytes of the run before it
 */
struct heap_place {
	struct scatterlist *run;
	unsigned long skip;
};

static void heap_place_advance(struct heap_place *at, unsigned long bytes)
{
	at->skip += bytes;
	while (at->run && at->skip >= at->run->length) {
		at->skip -= at->run->length;
		at->run = sg_next(at->run);
	}
}

/* Bytes in one piece from there on. */
static unsigned long heap_place_rest(const struct heap_place *at)
{
	return at->run->length - at->skip;
}

static phys_addr_t heap_place_phys(const struct heap_place *at)
{
	return sg_phys(at->run) + at->skip;
}

/**
 * heap_buffer_index() - make places of a large buffer quick to find
 * @buffer: buffer that has its pages
 *
 * Memory in small pieces makes a table as long as the buffer has pages, and each
 * fault has to find its place there.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int heap_buffer_index(struct heap_buffer *buffer)
{
	struct heap_place at = { .run = buffer->runs.sgl };
	size_t count = DIV_ROUND_UP(buffer->len, PMD_SIZE);

	if (count < 2)
		return 0;

	buffer->places = kvmalloc_array(count, sizeof(at), HEAP_GFP_TABLE);
	if (!buffer->places)
		return -ENOMEM;

	for (size_t i = 0; i < count; i++) {
		buffer->places[i] = at;
		heap_place_advance(&at, PMD_SIZE);
		cond_resched();
	}

	return 0;
}

static struct heap_place heap_buffer_find(const struct heap_buffer *buffer,
					  pgoff_t page)
{
	struct heap_place at = { .run = buffer->runs.sgl };
	unsigned long pos = page << PAGE_SHIFT;

	if (buffer->places)
		at = buffer->places[pos / PMD_SIZE];
	heap_place_advance(&at, buffer->places ? pos % PMD_SIZE : pos);

	return at;
}

/* Entries of page tables */

/*
 * Nothing reads whether such a page was accessed or written. Without hardware that sets
 * these bits, an entry without them would fault once more.
 */
static pte_t heap_pte(struct vm_area_struct *vma, phys_addr_t phys)
{
	pte_t pte = pfn_pte(PHYS_PFN(phys), vma->vm_page_prot);

	pte = pte_mkyoung(pte_mkspecial(pte));
	if (vma->vm_flags & VM_WRITE)
		pte = pte_mkwrite(pte_mkdirty(pte), vma);

	return pte;
}

/* A part of one run. Entries that are there already may be in use: they stay. */
static void heap_fill_run(struct vm_area_struct *vma, pte_t *ptep,
			  unsigned long addr, unsigned long pages, pte_t pte)
{
	for (unsigned long i = 0; i < pages; i++) {
		if (!pte_present(ptep_get(&ptep[i])))
			set_pte_at(vma->vm_mm, addr + i * PAGE_SIZE, &ptep[i], pte);
		pte = pte_next_pfn(pte);
	}
	update_mmu_cache_range(NULL, vma, addr, ptep, pages);
}

/* A part of one page table, whose lock is held. */
static void heap_fill_table(const struct heap_buffer *buffer,
			    struct vm_area_struct *vma, pte_t *ptep,
			    unsigned long addr, unsigned long end)
{
	struct heap_place at = heap_buffer_find(buffer, linear_page_index(vma, addr));

	arch_enter_lazy_mmu_mode();
	while (addr != end) {
		unsigned long size = min(heap_place_rest(&at), end - addr);

		heap_fill_run(vma, ptep, addr, size >> PAGE_SHIFT,
			      heap_pte(vma, heap_place_phys(&at)));
		heap_place_advance(&at, size);
		ptep += size >> PAGE_SHIFT;
		addr += size;
	}
	arch_leave_lazy_mmu_mode();
}

/* Faults */

static vm_fault_t heap_buffer_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = max(vmf->address & PMD_MASK, vma->vm_start);
	spinlock_t *ptl;	/* of the page table */
	pte_t *ptep;

	if (pte_alloc(vma->vm_mm, vmf->pmd))
		return VM_FAULT_OOM;

	/* Another fault may have mapped a large page there: then this one is done. */
	ptep = pte_offset_map_lock(vma->vm_mm, vmf->pmd, start, &ptl);
	if (!ptep)
		return VM_FAULT_NOPAGE;

	heap_fill_table(vma->vm_private_data, vma, ptep, start,
			pmd_addr_end(start, vma->vm_end));
	pte_unmap_unlock(ptep, ptl);

	return VM_FAULT_NOPAGE;
}

/*
 * A large page that is there but cannot be written, which no architecture of today
 * makes of an area that can, falls back, too. Its entry is split up then.
 */
static vm_fault_t heap_buffer_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vmf->address & PMD_MASK;
	struct heap_place at;
	phys_addr_t phys;

	if (!IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) || order != PMD_ORDER ||
	    !pmd_none(pmdp_get_lockless(vmf->pmd)))
		return VM_FAULT_FALLBACK;
	if (start < vma->vm_start || vma->vm_end - start < PMD_SIZE)
		return VM_FAULT_FALLBACK;

	at = heap_buffer_find(vma->vm_private_data, linear_page_index(vma, start));
	phys = heap_place_phys(&at);
	if (!IS_ALIGNED(phys, PMD_SIZE) || heap_place_rest(&at) < PMD_SIZE)
		return VM_FAULT_FALLBACK;

	return vmf_insert_pfn_pmd(vmf, phys_to_pfn_t(phys, PFN_DEV), false);
}

static const struct vm_operations_struct heap_vm_ops = {
	.fault = heap_buffer_fault,
	.huge_fault = heap_buffer_huge_fault,
};

/* The call */

static int heap_buffer_map_all(const struct heap_buffer *buffer,
			       struct vm_area_struct *vma)
{
	unsigned long addr, next;

	for (addr = vma->vm_start; addr != vma->vm_end; addr = next) {
		spinlock_t *ptl;
		pte_t *ptep = get_locked_pte(vma->vm_mm, addr, &ptl);

		if (!ptep)
			return -ENOMEM;

		next = pmd_addr_end(addr, vma->vm_end);
		heap_fill_table(buffer, vma, ptep, addr, next);
		pte_unmap_unlock(ptep, ptl);
		cond_resched();
	}

	return 0;
}

/*
 * Private mappings of pages without struct page must have them in one piece.
 * User space cannot know about pieces, so only a single page is allowed.
 *
 * remap_pfn_range() would look up the memory type, on x86. Here it is that of all
 * memory, so there is nothing to track.
 */
static int heap_buffer_map_private(const struct heap_buffer *buffer,
				   struct vm_area_struct *vma)
{
	struct heap_place at;

	if (buffer->memory->shared_only || vma_pages(vma) > 1)
		return -EINVAL;

	at = heap_buffer_find(buffer, vma->vm_pgoff);

	return remap_pfn_range_notrack(vma, vma->vm_start,
				       PHYS_PFN(heap_place_phys(&at)), PAGE_SIZE,
				       vma->vm_page_prot);
}

/*
 * A fault costs more than to map the few pages of a small area at once. A locked
 * area must not fault. And an importer that counts the mappings of its own object
 * by the operations of the area must not lose them.
 */
static bool heap_buffer_may_fault(const struct vm_area_struct *vma)
{
	return vma->vm_end - vma->vm_start >= PMD_SIZE &&
	       !(vma->vm_flags & VM_LOCKED) &&
	       !(vma->vm_ops && vma->vm_ops->close);
}

int heap_buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct heap_buffer *buffer = dmabuf->priv;

	if (is_cow_mapping(vma->vm_flags))
		return heap_buffer_map_private(buffer, vma);

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	if (!heap_buffer_may_fault(vma))
		return heap_buffer_map_all(buffer, vma);

	vma->vm_private_data = buffer;
	vma->vm_ops = &heap_vm_ops;

	return 0;
}
