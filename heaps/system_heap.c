// SPDX-License-Identifier: GPL-2.0-only
/*
 * System heap: buffers of ordinary pages, in the largest pieces that are free.
 *
 * To change here: which pages the heap asks for, and when it refuses. All else is in
 * heap-buffer.c and its neighbours.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include <kunit/static_stub.h>

#include "../dma-heap-internal.h"
#include "heap-buffer.h"
#include "heap-chunks.h"

/* For a single page try as hard as for any page of user space. */
#define SYSTEM_HEAP_GFP		(GFP_HIGHUSER | __GFP_ZERO | __GFP_NOWARN)
/* A larger piece is only taken if it is free already. */
#define SYSTEM_HEAP_GFP_LARGE	(((GFP_HIGHUSER | __GFP_ZERO | __GFP_NOWARN | \
				   __GFP_NORETRY) & ~__GFP_RECLAIM) | __GFP_COMP)

/* Pages that must be left for the other objects of a buffer, mainly its file. */
#define SYSTEM_HEAP_ROOM	8

/*
 * A buffer of up to 1/16 of all memory is treated like any other allocation: the OOM
 * killer may make room for it. A larger one is likely to be the cause of the shortage,
 * and fails. To kill a task would not help, since heaps are not accounted to tasks.
 */
#define SYSTEM_HEAP_SHARE	16

static unsigned int system_heap_max_order(void)
{
	return min_t(unsigned int, MAX_PAGE_ORDER, get_order(SZ_4M));
}

/**
 * system_heap_alloc_pages() - ask for pages
 * @gfp: how hard to try
 * @order: order of their number
 *
 * Return: the first of them, or NULL.
 */
struct page *system_heap_alloc_pages(gfp_t gfp, unsigned int order)
{
	KUNIT_STATIC_STUB_REDIRECT(system_heap_alloc_pages, gfp, order);

	return alloc_pages(gfp, order);
}

static bool system_heap_is_large(unsigned long pages)
{
	return pages > totalram_pages() / SYSTEM_HEAP_SHARE;
}

/* A charged buffer beyond the limit of its cgroup fails, and no task there is killed. */
static gfp_t system_heap_gfp(unsigned long pages)
{
	if (dma_heap_mem_accounting())
		return __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL;

	return system_heap_is_large(pages) ? __GFP_RETRY_MAYFAIL : 0;
}

/*
 * Take pages of the largest order that is free and not larger than what is wanted. An
 * order that has failed is not tried again: @max_order is lowered below it. @gfp is
 * added to the flags for a single page.
 */
static struct page *system_heap_alloc_chunk(unsigned long wanted, gfp_t gfp,
					    unsigned int *max_order)
{
	gfp_t account = gfp & __GFP_ACCOUNT;
	struct page *page;
	unsigned int order;

	for (order = min_t(unsigned int, *max_order, ilog2(wanted)); order; order--) {
		page = system_heap_alloc_pages(SYSTEM_HEAP_GFP_LARGE | account, order);
		if (page)
			return page;
		*max_order = order - 1;
	}

	return system_heap_alloc_pages(SYSTEM_HEAP_GFP | gfp, 0);
}

static int system_heap_alloc_chunks(struct heap_chunks *chunks,
				    unsigned long wanted)
{
	unsigned int max_order = system_heap_max_order();
	gfp_t gfp = system_heap_gfp(wanted);

	while (wanted) {
		struct page *page;
		unsigned int order;

		/* This may run for long without a sleep: free pages only have to be cleared. */
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;

		page = system_heap_alloc_chunk(wanted, gfp, &max_order);
		if (!page)
			return -ENOMEM;

		order = compound_order(page);
		heap_chunks_add(chunks, page, order);
		wanted -= 1UL << order;
	}

	return 0;
}

/*
 * The file is charged, too, and where it has no room the OOM killer takes a task of the
 * cgroup. So a buffer that leaves no room for its file is refused.
 */
static int system_heap_check_room(void)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_NOWARN | __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL;
	struct heap_chunks room;
	struct page *page;
	unsigned int i;
	int ret = 0;

	if (!dma_heap_mem_accounting())
		return 0;

	heap_chunks_init(&room);
	for (i = 0; i < SYSTEM_HEAP_ROOM && !ret; i++) {
		page = alloc_page(gfp);
		if (page)
			heap_chunks_add(&room, page, 0);
		else
			ret = -ENOMEM;
	}
	heap_chunks_free(&room);

	return ret;
}

static int system_heap_fill(struct heap_buffer *buffer)
{
	unsigned long wanted = buffer->len >> PAGE_SHIFT;
	struct heap_chunks chunks;
	int ret;

	/* Do not take memory from other tasks for a request that is sure to fail. */
	if (system_heap_is_large(wanted) && wanted > si_mem_available())
		return -ENOMEM;

	heap_chunks_init(&chunks);
	ret = system_heap_alloc_chunks(&chunks, wanted);
	if (!ret)
		ret = system_heap_check_room();
	if (!ret)
		ret = heap_chunks_to_runs(&chunks, &buffer->runs);
	if (ret)
		heap_chunks_free(&chunks);

	return ret;
}

/* A run consists of the chunks that it was made of. */
static void system_heap_free_run(struct page *page, unsigned long pages)
{
	while (pages) {
		unsigned int order = compound_order(page);
		struct page *next = nth_page(page, 1UL << order);

		__free_pages(page, order);
		pages -= 1UL << order;
		page = next;
	}
}

static void system_heap_empty(struct heap_buffer *buffer)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&buffer->runs, sg, i) {
		system_heap_free_run(sg_page(sg), sg->length >> PAGE_SHIFT);
		cond_resched();
	}
}

const struct heap_memory system_heap_memory = {
	.fill = system_heap_fill,
	.empty = system_heap_empty,
};

static struct dma_buf *system_heap_allocate(struct dma_heap *heap,
					    unsigned long len, u32 fd_flags,
					    u64 heap_flags)
{
	return heap_buffer_allocate(heap, len, fd_flags, &system_heap_memory);
}

static const struct dma_heap_ops system_heap_ops = {
	.allocate = system_heap_allocate,
};

static ssize_t kind_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "system\n");
}
static DEVICE_ATTR_RO(kind);

static struct attribute *system_heap_attrs[] = {
	&dev_attr_kind.attr,
	NULL
};
ATTRIBUTE_GROUPS(system_heap);

static int __init system_heap_init(void)
{
	struct dma_heap_export_info exp_info = {
		.name = "system",
		.ops = &system_heap_ops,
	};

	return PTR_ERR_OR_ZERO(dma_heap_add_with_groups(&exp_info, system_heap_groups));
}
device_initcall(system_heap_init);
