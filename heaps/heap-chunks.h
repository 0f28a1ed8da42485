/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages on their way from the page allocator into a buffer: interface of heap-chunks.c
 * for heaps whose pages come in many chunks.
 */

#ifndef _DMA_BUF_HEAPS_HEAP_CHUNKS_H
#define _DMA_BUF_HEAPS_HEAP_CHUNKS_H

#include <linux/list.h>

struct page;
struct sg_table;

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

#endif /* _DMA_BUF_HEAPS_HEAP_CHUNKS_H */
