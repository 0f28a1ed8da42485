/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The common part of heaps of ordinary, cached memory: how devices and the CPU access
 * the pages of a buffer, from any allocator.
 */

#ifndef _DMA_BUF_HEAPS_HEAP_BUFFER_H
#define _DMA_BUF_HEAPS_HEAP_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

/* Longest run that an entry of a table can hold. */
#define HEAP_RUN_MAX	round_down(UINT_MAX, PAGE_SIZE)

/* A table can have an entry per page. Its allocation must not start the OOM killer. */
#define HEAP_GFP_TABLE	(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

struct dma_heap;
struct heap_buffer;
struct heap_place;
struct page;
struct vm_area_struct;
struct vm_struct;

/**
 * struct heap_memory - allocator of a heap
 * @fill: get pages for &heap_buffer.len into &heap_buffer.runs. Return: 0, or an
 *	errno with nothing left behind.
 * @empty: free the pages
 * @shared_only: refuse private mappings
 * @one_piece: all pages of a buffer were allocated at once
 */
struct heap_memory {
	int (*fill)(struct heap_buffer *buffer);
	void (*empty)(struct heap_buffer *buffer);
	bool shared_only;
	bool one_piece;
};

/**
 * struct heap_buffer - memory of a buffer, &dma_buf.priv
 * @heap: where it comes from; constant
 * @memory: how its pages come and go; constant
 * @len: bytes, whole pages; constant
 * @runs: the pages, an entry for each contiguous run; constant
 * @places: the place of every PMD_SIZE bytes in @runs, NULL if there are no more;
 *	constant
 * @mappings: all &dma_buf_mapping.node
 * @vaddr: address in the kernel while there is a mapping, else NULL
 * @area: the mapping behind @vaddr, NULL if it is the direct one
 *
 * Members that change are guarded by &dma_buf.resv.
 */
struct heap_buffer {
	struct dma_heap *heap;
	const struct heap_memory *memory;
	unsigned long len;
	struct sg_table runs;
	struct heap_place *places;
	struct list_head mappings;
	void *vaddr;
	struct vm_struct *area;
};

int heap_runs_copy(const struct sg_table *runs, unsigned int max_seg,
		   struct sg_table *copy);

struct heap_buffer *heap_buffer_create(struct dma_heap *heap, unsigned long len);
void heap_buffer_destroy(struct heap_buffer *buffer);
struct dma_buf *heap_buffer_allocate(struct dma_heap *heap, unsigned long len,
				     u32 fd_flags,
				     const struct heap_memory *memory);

int heap_buffer_begin_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir);
int heap_buffer_end_cpu_access(struct dma_buf *dmabuf,
			       enum dma_data_direction dir);

int heap_buffer_index(struct heap_buffer *buffer);
int heap_buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
int heap_buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void heap_buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
void heap_buffer_unmap_kernel(struct heap_buffer *buffer);

/* The heaps, for tests */

struct page *system_heap_alloc_pages(gfp_t gfp, unsigned int order);

extern const struct heap_memory system_heap_memory;
extern const struct heap_memory cma_heap_memory;

#endif /* _DMA_BUF_HEAPS_HEAP_BUFFER_H */
