// SPDX-License-Identifier: GPL-2.0-only
/*
 * CMA heaps: contiguous buffers from areas of the contiguous memory allocator,
 * the default one and those that the device tree reserves.
 *
 * To change here: which areas get a heap, its name, and how pages are allocated. All
 * else is in heap-buffer.c and its neighbours.
 */

#include <linux/cma.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "../dma-heap-internal.h"
#include "cma_heap.h"
#include "heap-buffer.h"

/* Name of the heap of the default area, on any machine. */
#define CMA_HEAP_DEFAULT	"default_cma_region"

static int cma_heap_clear(struct page *page, unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		if (fatal_signal_pending(current))
			return -ENOMEM;
		clear_highpage(nth_page(page, i));
		cond_resched();
	}

	return 0;
}

/* One run, which takes several entries only where it exceeds their width. */
static int cma_heap_make_runs(struct heap_buffer *buffer, struct page *page)
{
	unsigned long left = buffer->len;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(&buffer->runs, (left - 1) / HEAP_RUN_MAX + 1,
			     GFP_KERNEL);
	if (ret)
		return ret;

	for_each_sgtable_sg(&buffer->runs, sg, i) {
		unsigned int len = min_t(unsigned long, left, HEAP_RUN_MAX);

		sg_set_page(sg, page, len, 0);
		page = nth_page(page, len >> PAGE_SHIFT);
		left -= len;
	}

	return 0;
}

static int cma_heap_fill(struct heap_buffer *buffer)
{
	struct cma *cma = dma_heap_get_drvdata(buffer->heap);
	unsigned long pages = buffer->len >> PAGE_SHIFT;
	struct page *page;
	int ret;

	if (buffer->len > cma_get_size(cma))
		return -ENOMEM;

	page = cma_alloc(cma, pages,
			 min_t(unsigned int, get_order(buffer->len),
			       CONFIG_CMA_ALIGNMENT), false);
	if (!page)
		return -ENOMEM;

	ret = cma_heap_clear(page, pages);
	if (!ret)
		ret = cma_heap_make_runs(buffer, page);
	if (ret)
		cma_release(cma, page, pages);

	return ret;
}

static void cma_heap_empty(struct heap_buffer *buffer)
{
	cma_release(dma_heap_get_drvdata(buffer->heap),
		    sg_page(buffer->runs.sgl), buffer->len >> PAGE_SHIFT);
}

const struct heap_memory cma_heap_memory = {
	.fill = cma_heap_fill,
	.empty = cma_heap_empty,
	.shared_only = true,
	.one_piece = true,
};

static struct dma_buf *cma_heap_allocate(struct dma_heap *heap,
					 unsigned long len, u32 fd_flags,
					 u64 heap_flags)
{
	return heap_buffer_allocate(heap, len, fd_flags, &cma_heap_memory);
}

static const struct dma_heap_ops cma_heap_ops = {
	.allocate = cma_heap_allocate,
};

/* If one area gets no heap, add the others even so. */
static void __init cma_heap_add(struct cma *cma, const char *name)
{
	struct dma_heap_export_info exp_info = {
		.name = name,
		.ops = &cma_heap_ops,
		.priv = cma,
	};
	struct dma_heap *heap = dma_heap_add_with_groups(&exp_info, cma_heap_groups);

	if (IS_ERR(heap))
		pr_warn("cma_heap: no heap for area %s: %pe\n", exp_info.name, heap);
}

static int __init cma_heap_is_area(struct cma *cma, void *priv)
{
	return cma == priv;
}

/*
 * The area of a node below /reserved-memory, NULL if it is something else. A node may
 * be compatible with more than this, and then its region belongs to another driver.
 */
static struct cma * __init cma_heap_area_of(struct device_node *node)
{
	struct reserved_mem *region;

	if (!of_device_is_compatible(node, "shared-dma-pool") ||
	    !of_property_read_bool(node, "reusable"))
		return NULL;

	region = of_reserved_mem_lookup(node);

	if (!region || !cma_for_each_area(cma_heap_is_area, region->priv))
		return NULL;

	return region->priv;
}

/* There are no nodes on a machine without device tree. */
static void __init cma_heap_add_reserved(const struct cma *default_area)
{
	struct device_node *parent __free(device_node) =
		of_find_node_by_path("/reserved-memory");

	for_each_available_child_of_node_scoped(parent, node) {
		struct cma *cma = cma_heap_area_of(node);

		if (cma && cma != default_area)
			cma_heap_add(cma, cma_get_name(cma));
	}
}

/* The name of the area depends on its configuration, which programs cannot know. */
static void __init cma_heap_add_default(struct cma *cma)
{
	const char *name = cma_get_name(cma);

	cma_heap_add(cma, CMA_HEAP_DEFAULT);
	if (IS_ENABLED(CONFIG_DMABUF_HEAPS_CMA_LEGACY) &&
	    strcmp(name, CMA_HEAP_DEFAULT))
		cma_heap_add(cma, name);
}

static int __init cma_heap_init(void)
{
	struct cma *default_area = dev_get_cma_area(NULL);

	if (default_area)
		cma_heap_add_default(default_area);
	cma_heap_add_reserved(default_area);

	return 0;
}
device_initcall(cma_heap_init);
