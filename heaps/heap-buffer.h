/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What heaps of ordinary, cached memory have in common: how devices and the
 * CPU get at the pages of a buffer, wherever these come from.
 */

#ifndef _DMA_BUF_HEAPS_HEAP_BUFFER_H
#define _DMA_BUF_HEAPS_HEAP_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>

struct dma_heap;
struct vm_struct;

/**
 * struct heap_buffer - memory of a buffer, &dma_buf.priv
 * @heap: where it comes from; constant
 * @len: bytes, whole pages; constant
 * @runs: the pages, an entry for each contiguous run; constant
 * @lock: guards all below, taken inside &dma_buf.resv
 * @attachments: all &heap_attachment.node
 * @vaddr: address in the kernel while there is a mapping, else NULL
 * @area: the mapping behind @vaddr, NULL if it is the direct one
 */
struct heap_buffer {
	struct dma_heap *heap;
	unsigned long len;
	struct sg_table runs;
	struct mutex lock;	/* guards attachments, vaddr, area */
	struct list_head attachments;
	void *vaddr;
	struct vm_struct *area;
};

/**
 * struct heap_chunks - pages on their way into a buffer
 * @pages: heads of the chunks by &page.lru, those of a run in order
 * @run_head: first chunk of the newest run, NULL if there is none
 * @run_pfn: first page of it
 * @run_end: page behind it
 */
struct heap_chunks {
	struct list_head pages;
	struct page *run_head;
	unsigned long run_pfn;
	unsigned long run_end;
};

void heap_chunks_init(struct heap_chunks *chunks);
void heap_chunks_add(struct heap_chunks *chunks, struct page *page,
		     unsigned int order);
int heap_chunks_to_runs(struct heap_chunks *chunks, struct sg_table *runs);
void heap_chunks_free(struct heap_chunks *chunks);

int heap_runs_copy(const struct sg_table *runs, unsigned int max_seg,
		   struct sg_table *copy);

struct heap_buffer *heap_buffer_create(struct dma_heap *heap, unsigned long len);
void heap_buffer_destroy(struct heap_buffer *buffer);
struct dma_buf *heap_buffer_export(struct heap_buffer *buffer,
				   const struct dma_buf_ops *ops, u32 fd_flags);

int heap_buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
void heap_buffer_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
struct sg_table *heap_buffer_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir);
void heap_buffer_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir);
int heap_buffer_begin_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir);
int heap_buffer_end_cpu_access(struct dma_buf *dmabuf,
			       enum dma_data_direction dir);
int heap_buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
int heap_buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void heap_buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);

#endif /* _DMA_BUF_HEAPS_HEAP_BUFFER_H */
