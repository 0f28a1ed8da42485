// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of a buffer in the kernel, made of whole runs where that can be. To change
 * here: where such a mapping lives, and how large its pages are.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "heap-buffer.h"

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

/*
 * KMSAN keeps track of a mapping of runs as if it were one of a device, for which
 * nothing but iounmap() gives the memory back. It knows pages.
 */
static int heap_buffer_map_pages(struct heap_buffer *buffer)
{
	unsigned int num_pages = buffer->len >> PAGE_SHIFT, i = 0;
	struct sg_page_iter iter;
	struct page **pages;
	void *vaddr;

	pages = kvmalloc_array(num_pages, sizeof(*pages), HEAP_GFP_TABLE);
	if (!pages)
		return -ENOMEM;

	for_each_sgtable_page(&buffer->runs, &iter, 0)
		pages[i++] = sg_page_iter_page(&iter);
	vaddr = vmap(pages, num_pages, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;

	buffer->area = find_vm_area(vaddr);
	buffer->vaddr = vaddr;

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
	if (IS_ENABLED(CONFIG_KMSAN))
		return heap_buffer_map_pages(buffer);

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

/**
 * heap_buffer_unmap_kernel() - undo heap_buffer_vmap()
 * @buffer: buffer that the kernel has mapped
 *
 * Context: Process context, may sleep.
 */
void heap_buffer_unmap_kernel(struct heap_buffer *buffer)
{
	if (buffer->area)
		free_vm_area(buffer->area);
	buffer->area = NULL;
	buffer->vaddr = NULL;
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
