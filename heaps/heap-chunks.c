// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages on their way from the page allocator into a buffer: chunks of any order are
 * collected, and become a table of runs. To change here: how chunks join.
 */

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include "heap-buffer.h"
#include "heap-chunks.h"

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
 * The page allocator tends to hand out neighbours, in either direction. A chunk that
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

	list_for_each_entry(page, &chunks->pages, lru) {
		count += !heap_run_continue(&run, page);
		cond_resched();
	}

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
		cond_resched();
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
 *
 * Context: Process context, may sleep.
 */
void heap_chunks_free(struct heap_chunks *chunks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &chunks->pages, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
		cond_resched();
	}
}
