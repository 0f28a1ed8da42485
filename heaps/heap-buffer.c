// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of ordinary, cached memory: attachments, coherency, mappings. Heaps
 * add where the pages come from and where they go.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../dma-buf-internal.h"
#include "../dma-buf-mappings.h"
#include "heap-buffer.h"

/* A table can be as long as the buffer has pages. No task dies for it. */
#define HEAP_GFP_TABLE	(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* Chunks and runs */

/**
 * heap_chunks_init() - begin to collect pages
 * @chunks: uninitialised
 */
void heap_chunks_init(struct heap_chunks *chunks)
{
	*chunks = (struct heap_chunks){
		.pages = LIST_HEAD_INIT(chunks->pages),
	};
}

/**
 * heap_chunks_add() - add pages
 * @chunks: what there is so far
 * @page: head of pages that are freed together, by its compound order
 * @order: that order
 *
 * The page allocator tends to hand out neighbours, in either direction. What
 * continues the newest run at one of its ends becomes a part of it. The order
 * does not matter otherwise, since all pages are alike: zero.
 */
void heap_chunks_add(struct heap_chunks *chunks, struct page *page,
		     unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	unsigned long end = pfn + (1UL << order);

	if (chunks->run_head && end == chunks->run_pfn) {
		list_add_tail(&page->lru, &chunks->run_head->lru);
		chunks->run_pfn = pfn;
		chunks->run_head = page;
		return;
	}

	list_add_tail(&page->lru, &chunks->pages);
	if (!chunks->run_head || pfn != chunks->run_end) {
		chunks->run_pfn = pfn;
		chunks->run_head = page;
	}
	chunks->run_end = end;
}

/* A run while it is put together from chunks. */
struct heap_run {
	phys_addr_t end;
	unsigned long size;
};

/* Make a chunk part of a run. False if it had to begin a new one. */
static bool heap_run_continue(struct heap_run *run, struct page *page)
{
	unsigned long size = PAGE_SIZE << compound_order(page);
	phys_addr_t start = page_to_phys(page);
	bool fits = run->size && start == run->end &&
		    size <= HEAP_RUN_MAX - run->size;

	run->size = fits ? run->size + size : size;
	run->end = start + size;

	return fits;
}

static unsigned int heap_chunks_count_runs(const struct heap_chunks *chunks)
{
	struct heap_run run = { };
	unsigned int count = 0;
	struct page *page;

	list_for_each_entry(page, &chunks->pages, lru)
		count += !heap_run_continue(&run, page);

	return count;
}

/**
 * heap_chunks_to_runs() - make a table of the pages
 * @chunks: at least one chunk; empty afterwards
 * @runs: uninitialised table
 *
 * Context: Process context, may sleep.
 * Return: 0 and the pages belong to @runs, or -ENOMEM and nothing has changed.
 */
int heap_chunks_to_runs(struct heap_chunks *chunks, struct sg_table *runs)
{
	struct scatterlist *sg = NULL;
	struct heap_run run = { };
	struct page *page, *next;
	int ret;

	ret = sg_alloc_table(runs, heap_chunks_count_runs(chunks),
			     HEAP_GFP_TABLE);
	if (ret)
		return ret;

	list_for_each_entry_safe(page, next, &chunks->pages, lru) {
		list_del(&page->lru);
		if (heap_run_continue(&run, page)) {
			sg->length = run.size;
			continue;
		}
		sg = sg ? sg_next(sg) : runs->sgl;
		sg_set_page(sg, page, run.size, 0);
	}

	return 0;
}

/**
 * heap_chunks_free() - free all pages
 * @chunks: chunks from the page allocator
 */
void heap_chunks_free(struct heap_chunks *chunks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &chunks->pages, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
	}
}

static unsigned int heap_runs_count_segs(const struct sg_table *runs,
					 unsigned int max_seg)
{
	struct scatterlist *sg;
	unsigned int i, count = 0;

	/* DIV_ROUND_UP() would overflow. */
	for_each_sgtable_sg(runs, sg, i)
		count += (sg->length - 1) / max_seg + 1;

	return count;
}

/**
 * heap_runs_copy() - make a table for a device
 * @runs: pages
 * @max_seg: longest segment that the device can do, in bytes
 * @copy: uninitialised table
 *
 * Segments are whole pages, even for a device that wants shorter ones.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int heap_runs_copy(const struct sg_table *runs, unsigned int max_seg,
		   struct sg_table *copy)
{
	struct scatterlist *from, *to;
	unsigned int i, pos, len;
	int ret;

	max_seg = max_t(unsigned int, round_down(max_seg, PAGE_SIZE), PAGE_SIZE);
	ret = sg_alloc_table(copy, heap_runs_count_segs(runs, max_seg),
			     HEAP_GFP_TABLE);
	if (ret)
		return ret;

	to = copy->sgl;
	for_each_sgtable_sg(runs, from, i) {
		for (pos = 0; pos < from->length; pos += len) {
			len = min(from->length - pos, max_seg);
			sg_set_page(to, nth_page(sg_page(from), pos >> PAGE_SHIFT),
				    len, 0);
			to = sg_next(to);
		}
	}

	return 0;
}

/* Life of a buffer */

/**
 * heap_buffer_create() - allocate a buffer without pages
 * @heap: where its pages will come from
 * @len: bytes, whole pages
 *
 * Return: buffer, or NULL.
 */
struct heap_buffer *heap_buffer_create(struct dma_heap *heap, unsigned long len)
{
	struct heap_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;

	buffer->heap = heap;
	buffer->len = len;
	INIT_LIST_HEAD(&buffer->mappings);

	return buffer;
}

static void heap_buffer_unmap_kernel(struct heap_buffer *buffer)
{
	if (buffer->area)
		free_vm_area(buffer->area);
	buffer->area = NULL;
	buffer->vaddr = NULL;
}

/**
 * heap_buffer_destroy() - free a buffer whose pages are gone
 * @buffer: buffer that nobody has mapped
 */
void heap_buffer_destroy(struct heap_buffer *buffer)
{
	sg_free_table(&buffer->runs);
	kfree(buffer);
}

/* Devices */

/*
 * Contiguous memory is for devices that can do with one segment only. So it is cut
 * for those that have said how long a segment may be, not by the default of the rest.
 */
static unsigned int heap_buffer_max_segment(struct heap_buffer *buffer,
					    struct device *dev)
{
	bool declared = dev->dma_parms && dev->dma_parms->max_segment_size;

	if (buffer->memory->one_piece && !declared)
		return min_t(size_t, dma_max_mapping_size(dev), UINT_MAX);

	return dma_buf_max_segment(dev);
}

static int heap_buffer_attach(struct dma_buf *dmabuf,
			      struct dma_buf_attachment *attach)
{
	struct heap_buffer *buffer = dmabuf->priv;
	struct dma_buf_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;

	ret = heap_runs_copy(&buffer->runs,
			     heap_buffer_max_segment(buffer, attach->dev),
			     &mapping->table);
	if (ret) {
		kfree(mapping);
		return ret;
	}

	mapping->dev = attach->dev;
	attach->priv = mapping;

	return 0;
}

static void heap_buffer_detach(struct dma_buf *dmabuf,
			       struct dma_buf_attachment *attach)
{
	struct dma_buf_mapping *mapping = attach->priv;

	sg_free_table(&mapping->table);
	kfree(mapping);
}

/* The memory never moves, and there is no lock but the caller's: nothing to wait for. */
static struct sg_table *heap_buffer_map(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct dma_buf_mapping *mapping = attach->priv;
	int ret;

	ret = dma_buf_mapping_add(attach->dmabuf, mapping, &buffer->mappings, dir);

	return ret ? ERR_PTR(ret) : &mapping->table;
}

static void heap_buffer_unmap(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	dma_buf_mapping_del(attach->dmabuf, attach->priv);
}

/* CPU */

int heap_buffer_begin_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	ret = dma_buf_lock_idle(dmabuf, dir);
	if (ret)
		return ret;

	if (buffer->area)
		invalidate_kernel_vmap_range(buffer->vaddr, buffer->len);
	dma_buf_mappings_to_cpu(dmabuf, &buffer->mappings, dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

int heap_buffer_end_cpu_access(struct dma_buf *dmabuf,
			       enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	ret = dma_buf_lock_interruptible(dmabuf);
	if (ret)
		return ret;

	if (buffer->area)
		flush_kernel_vmap_range(buffer->vaddr, buffer->len);
	dma_buf_mappings_to_devices(dmabuf, &buffer->mappings, dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

/*
 * All of a mapping is made at once, a run at a time. So there are no faults,
 * and none that could go beyond the end.
 *
 * remap_pfn_range() would look up the memory type of each page, on x86. Here it
 * is that of all memory, so there is nothing to track.
 *
 * Private mappings of pages without struct page must have them in one piece.
 * User space cannot know about pieces, so only a single page is allowed.
 */
static int heap_buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct heap_buffer *buffer = dmabuf->priv;
	unsigned long skip = vma->vm_pgoff << PAGE_SHIFT;
	unsigned long addr = vma->vm_start;
	struct scatterlist *sg;
	unsigned int i;

	if (is_cow_mapping(vma->vm_flags) &&
	    (buffer->memory->shared_only || vma_pages(vma) > 1))
		return -EINVAL;

	for_each_sgtable_sg(&buffer->runs, sg, i) {
		unsigned long size;
		int ret;

		if (addr == vma->vm_end)
			break;
		if (skip >= sg->length) {
			skip -= sg->length;
			continue;
		}
		size = min(sg->length - skip, vma->vm_end - addr);
		ret = remap_pfn_range_notrack(vma, addr,
					      PHYS_PFN(sg_phys(sg) + skip),
					      size, vma->vm_page_prot);
		if (ret)
			return ret;
		addr += size;
		skip = 0;
	}

	return 0;
}

/*
 * The kernel has all of its lowmem mapped already. But pages that are neighbours
 * by chance may have different KASAN tags, and hardened user copies do not go
 * from one allocation to the next.
 */
static bool heap_buffer_map_direct(struct heap_buffer *buffer)
{
	struct page *page = sg_page(buffer->runs.sgl);
	unsigned long last = (buffer->len >> PAGE_SHIFT) - 1;

	if (buffer->len > page_size(page) && !buffer->memory->one_piece)
		return false;
	if (buffer->runs.orig_nents != 1 || PageHighMem(page) ||
	    PageHighMem(nth_page(page, last)))
		return false;

	buffer->vaddr = page_address(page);

	return true;
}

/* The mapping begins where large pages may be used, if it is as large as one. */
static unsigned long heap_buffer_alignment(struct heap_buffer *buffer)
{
	return IS_ENABLED(CONFIG_HAVE_ARCH_HUGE_VMAP) &&
	       buffer->len >= PMD_SIZE ? PMD_SIZE : PAGE_SIZE;
}

static int heap_buffer_map_runs(struct heap_buffer *buffer, void *vaddr)
{
	unsigned long addr = (unsigned long)vaddr;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sgtable_sg(&buffer->runs, sg, i) {
		ret = vmap_page_range(addr, addr + sg->length, sg_phys(sg),
				      PAGE_KERNEL);
		if (ret)
			return ret;
		addr += sg->length;
	}

	return 0;
}

static int heap_buffer_map_kernel(struct heap_buffer *buffer)
{
	unsigned long align = heap_buffer_alignment(buffer);
	struct vm_struct *area;
	void *vaddr;
	int ret;

	if (heap_buffer_map_direct(buffer))
		return 0;

	area = get_vm_area(buffer->len + align - PAGE_SIZE, VM_MAP);
	if (!area)
		return -ENOMEM;

	vaddr = PTR_ALIGN(area->addr, align);
	ret = heap_buffer_map_runs(buffer, vaddr);
	if (ret) {
		free_vm_area(area);
		return ret;
	}
	buffer->area = area;
	buffer->vaddr = vaddr;

	return 0;
}

int heap_buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	ret = heap_buffer_map_kernel(buffer);
	if (!ret)
		iosys_map_set_vaddr(map, buffer->vaddr);

	return ret;
}

void heap_buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct heap_buffer *buffer = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);

	heap_buffer_unmap_kernel(buffer);
}

static void heap_buffer_release(struct dma_buf *dmabuf)
{
	struct heap_buffer *buffer = dmabuf->priv;

	/* An importer forgot it, of which the core has warned. */
	if (unlikely(buffer->vaddr))
		heap_buffer_unmap_kernel(buffer);

	buffer->memory->empty(buffer);
	heap_buffer_destroy(buffer);
}

static const struct dma_buf_ops heap_buffer_ops = {
	.attach = heap_buffer_attach,
	.detach = heap_buffer_detach,
	.map_dma_buf = heap_buffer_map,
	.try_map_dma_buf = heap_buffer_map,
	.unmap_dma_buf = heap_buffer_unmap,
	.begin_cpu_access = heap_buffer_begin_cpu_access,
	.end_cpu_access = heap_buffer_end_cpu_access,
	.mmap = heap_buffer_mmap,
	.vmap = heap_buffer_vmap,
	.vunmap = heap_buffer_vunmap,
	.release = heap_buffer_release,
};

static struct dma_buf *heap_buffer_export(struct heap_buffer *buffer,
					  u32 fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);

	exp_info.exp_name = dma_heap_get_name(buffer->heap);
	exp_info.ops = &heap_buffer_ops;
	exp_info.size = buffer->len;
	exp_info.flags = fd_flags;
	exp_info.priv = buffer;

	return dma_buf_export(&exp_info);
}

/**
 * heap_buffer_allocate() - what &dma_heap_ops.allocate has to do
 * @heap: heap
 * @len: bytes, whole pages
 * @fd_flags: access mode of the file
 * @memory: how pages come and go
 *
 * Context: Process context, may sleep.
 * Return: buffer with one reference, or ERR_PTR: -ENOMEM, or the errno of
 * &heap_memory.fill or dma_buf_export().
 */
struct dma_buf *heap_buffer_allocate(struct dma_heap *heap, unsigned long len,
				     u32 fd_flags,
				     const struct heap_memory *memory)
{
	struct heap_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	buffer = heap_buffer_create(heap, len);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->memory = memory;

	ret = memory->fill(buffer);
	if (ret)
		goto err_destroy;

	dmabuf = heap_buffer_export(buffer, fd_flags);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto err_empty;
	}

	return dmabuf;

err_empty:
	memory->empty(buffer);
err_destroy:
	heap_buffer_destroy(buffer);
	return ERR_PTR(ret);
}
