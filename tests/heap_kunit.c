// SPDX-License-Identifier: GPL-2.0
/*
 * The common part of heaps: chunks that become runs, tables for devices, and the
 * buffers of the system heap, seen from the kernel.
 */

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/dma-heap.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <uapi/linux/dma-heap.h>

#include "../dma-heap-internal.h"
#include "../heaps/heap-buffer.h"
#include "../heaps/heap-chunks.h"
#include "fail_alloc.h"
#include "test_util.h"

#include <trace/events/dma_buf.h>

#define BLOCK_ORDER	4
#define BLOCK_PAGES	BIT(BLOCK_ORDER)

/* Single pages that lie side by side. */
static struct page *block_alloc(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, BLOCK_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, BLOCK_ORDER);

	return page;
}

static void block_free(struct page *page)
{
	for (unsigned long i = 0; i < BLOCK_PAGES; i++)
		__free_page(nth_page(page, i));
}

static const struct chunk_order {
	const char *desc;
	unsigned int count;
	unsigned int pages[8];
	unsigned int runs;
} chunk_orders[] = {
	{ "one page", 1, { 3 }, 1 },
	{ "ascending", 4, { 0, 1, 2, 3 }, 1 },
	{ "descending", 4, { 3, 2, 1, 0 }, 1 },
	{ "from the middle", 5, { 4, 5, 3, 6, 2 }, 1 },
	{ "gap", 4, { 0, 1, 3, 4 }, 2 },
	{ "gaps everywhere", 4, { 0, 2, 4, 6 }, 4 },
	{ "gap that gets closed", 4, { 0, 1, 3, 2 }, 1 },
	{ "second run before the first", 4, { 8, 9, 4, 5 }, 2 },
};

KUNIT_ARRAY_PARAM_DESC(chunk_orders, chunk_orders, desc);

static void heap_chunks_become_runs(struct kunit *test)
{
	const struct chunk_order *param = test->param_value;
	struct page *block = block_alloc(test);
	struct heap_chunks chunks;
	struct sg_table runs;
	struct scatterlist *sg;
	unsigned int i, pages = 0;
	unsigned long seen = 0;

	heap_chunks_init(&chunks);
	for (i = 0; i < param->count; i++)
		heap_chunks_add(&chunks, nth_page(block, param->pages[i]), 0);
	KUNIT_ASSERT_EQ(test, heap_chunks_to_runs(&chunks, &runs), 0);

	KUNIT_EXPECT_TRUE(test, list_empty(&chunks.pages));
	KUNIT_EXPECT_EQ(test, runs.orig_nents, param->runs);
	KUNIT_EXPECT_EQ(test, sg_nents(runs.sgl), param->runs);
	for_each_sgtable_sg(&runs, sg, i) {
		unsigned long first = page_to_pfn(sg_page(sg)) - page_to_pfn(block);
		unsigned int n = sg->length >> PAGE_SHIFT;

		pages += n;
		KUNIT_ASSERT_LE(test, first + n, BLOCK_PAGES);
		seen |= GENMASK(first + n - 1, first);
	}
	KUNIT_EXPECT_EQ(test, pages, param->count);
	for (i = 0; i < param->count; i++)
		KUNIT_EXPECT_TRUE(test, seen & BIT(param->pages[i]));

	sg_free_table(&runs);
	block_free(block);
}

static const struct seg_limit {
	const char *desc;
	unsigned int max_seg;
	unsigned int segs;
} seg_limits[] = {
	{ "no limit", UINT_MAX, 1 },
	{ "exactly", 12 * PAGE_SIZE, 1 },
	{ "a page less", 11 * PAGE_SIZE, 2 },
	{ "not a whole number of pages", 5 * PAGE_SIZE + 100, 3 },
	{ "one page", PAGE_SIZE, 12 },
	{ "less than a page", 512, 12 },
};

KUNIT_ARRAY_PARAM_DESC(seg_limits, seg_limits, desc);

static void heap_runs_copy_obeys_device(struct kunit *test)
{
	const struct seg_limit *param = test->param_value;
	struct page *block = block_alloc(test);
	struct sg_table runs, copy;
	struct scatterlist *sg;
	unsigned long pfn = page_to_pfn(block);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, sg_alloc_table(&runs, 1, GFP_KERNEL), 0);
	sg_set_page(runs.sgl, block, 12 * PAGE_SIZE, 0);

	KUNIT_ASSERT_EQ(test, heap_runs_copy(&runs, param->max_seg, &copy), 0);
	KUNIT_EXPECT_EQ(test, copy.orig_nents, param->segs);
	for_each_sgtable_sg(&copy, sg, i) {
		KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(sg)), pfn);
		KUNIT_EXPECT_LE(test, sg->length,
				max_t(unsigned int, param->max_seg, PAGE_SIZE));
		pfn += sg->length >> PAGE_SHIFT;
	}
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(block) + 12);

	sg_free_table(&copy);
	sg_free_table(&runs);
	block_free(block);
}

/* The longest run that there can be. No page of it is touched. */
static void heap_runs_copy_splits_longest(struct kunit *test)
{
	struct page *block = block_alloc(test);
	struct scatterlist *last;
	struct sg_table runs, copy;

	KUNIT_ASSERT_EQ(test, sg_alloc_table(&runs, 1, GFP_KERNEL), 0);
	sg_set_page(runs.sgl, block, HEAP_RUN_MAX, 0);

	KUNIT_ASSERT_EQ(test, heap_runs_copy(&runs, SZ_1G, &copy), 0);
	KUNIT_EXPECT_EQ(test, copy.orig_nents, 4);
	last = sg_last(copy.sgl, copy.orig_nents);
	KUNIT_EXPECT_EQ(test, last->length, SZ_1G - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(last)) - page_to_pfn(block),
			3UL * SZ_1G >> PAGE_SHIFT);

	sg_free_table(&copy);
	sg_free_table(&runs);
	block_free(block);
}

/* of all buffers here, which have no file */
static struct dma_resv resv;

static int vmap_locked(struct dma_buf *buf, struct iosys_map *map)
{
	int ret;

	dma_resv_lock(buf->resv, NULL);
	ret = heap_buffer_vmap(buf, map);
	dma_resv_unlock(buf->resv);

	return ret;
}

static void vunmap_locked(struct dma_buf *buf, struct iosys_map *map)
{
	dma_resv_lock(buf->resv, NULL);
	heap_buffer_vunmap(buf, map);
	dma_resv_unlock(buf->resv);
}

static const struct heap_memory in_pieces;
static const struct heap_memory in_one_piece = { .one_piece = true };

static struct heap_buffer *buffer_create(struct kunit *test, unsigned int pages,
					 const struct heap_memory *memory)
{
	struct heap_buffer *buffer = heap_buffer_create(NULL, pages * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	buffer->memory = memory;
	return buffer;
}

/* Two runs: the kernel needs a mapping, which shows the pages in order. */
static void heap_vmap_shows_runs_in_order(struct kunit *test)
{
	struct page *block = block_alloc(test);
	struct heap_buffer *buffer = buffer_create(test, 4, &in_pieces);
	static const unsigned int order[] = { 8, 9, 4, 5 };
	struct dma_buf buf = { .priv = buffer, .resv = &resv };
	struct heap_chunks chunks;
	struct iosys_map map;
	unsigned int i;

	heap_chunks_init(&chunks);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		memset(page_address(nth_page(block, order[i])), i + 1, PAGE_SIZE);
		heap_chunks_add(&chunks, nth_page(block, order[i]), 0);
	}
	KUNIT_ASSERT_EQ(test, heap_chunks_to_runs(&chunks, &buffer->runs), 0);

	KUNIT_ASSERT_EQ(test, vmap_locked(&buf, &map), 0);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(map.vaddr));
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		u8 *page = map.vaddr + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, page[0], i + 1);
		KUNIT_EXPECT_EQ(test, page[PAGE_SIZE - 1], i + 1);
		page[1] = 100 + i;
	}
	KUNIT_EXPECT_EQ(test, heap_buffer_begin_cpu_access(&buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, heap_buffer_end_cpu_access(&buf, DMA_FROM_DEVICE), 0);
	vunmap_locked(&buf, &map);
	KUNIT_EXPECT_NULL(test, buffer->vaddr);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		u8 *page = page_address(nth_page(block, order[i]));

		KUNIT_EXPECT_EQ(test, page[1], 100 + i);
	}

	heap_buffer_destroy(buffer);
	block_free(block);
}

static void heap_vmap_fails_clean(struct kunit *test)
{
	struct dma_buf buf = { .resv = &resv };
	struct heap_buffer *buffer;
	struct heap_chunks chunks;
	struct iosys_map map;
	struct page *block;
	unsigned int nth, refused = 0;
	int ret = 0;

	fail_alloc_setup(test);
	block = block_alloc(test);
	buffer = buffer_create(test, 2, &in_pieces);
	buf.priv = buffer;
	heap_chunks_init(&chunks);
	heap_chunks_add(&chunks, block, 0);
	heap_chunks_add(&chunks, nth_page(block, 2), 0);
	KUNIT_ASSERT_EQ(test, heap_chunks_to_runs(&chunks, &buffer->runs), 0);

	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = vmap_locked(&buf, &map)); nth++) {
		/* the allocator of addresses tries again where it can */
		if (!ret) {
			vunmap_locked(&buf, &map);
			continue;
		}
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_NULL(test, buffer->vaddr);
		KUNIT_EXPECT_NULL(test, buffer->area);
		refused++;
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	vunmap_locked(&buf, &map);

	heap_buffer_destroy(buffer);
	block_free(block);
}

/* If no table can be allocated, the caller still owns the chunks. */
static void heap_chunks_survive_failure(struct kunit *test)
{
	struct heap_chunks chunks;
	struct sg_table runs;
	bool failed;
	int ret = 0;

	fail_alloc_setup(test);
	heap_chunks_init(&chunks);
	for (int i = 0; i < 4; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, page);
		heap_chunks_add(&chunks, page, 0);
	}
	failed = FAIL_NTH_ALLOC(1, ret = heap_chunks_to_runs(&chunks, &runs));
	KUNIT_ASSERT_TRUE(test, failed);
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&chunks.pages), 4);
	heap_chunks_free(&chunks);
	KUNIT_EXPECT_TRUE(test, list_empty(&chunks.pages));
}

static const struct piece {
	const char *desc;
	const struct heap_memory *memory;
	unsigned int order;
	bool direct;
} pieces[] = {
	{ "one chunk", &in_pieces, 1, true },
	{ "neighbours", &in_pieces, 0, false },
	{ "allocated at once", &in_one_piece, 0, true },
};

KUNIT_ARRAY_PARAM_DESC(piece, pieces, desc);

/* A buffer of one piece has an address already. Neighbours need not have the same tag. */
static void heap_vmap_of_one_piece_is_direct(struct kunit *test)
{
	const struct piece *param = test->param_value;
	struct heap_buffer *buffer = buffer_create(test, 2, param->memory);
	struct page *block = alloc_pages(GFP_KERNEL | (param->order ? __GFP_COMP : 0), 1);
	struct dma_buf buf = { .priv = buffer, .resv = &resv };
	struct heap_chunks chunks;
	struct iosys_map map;

	KUNIT_ASSERT_NOT_NULL(test, block);
	heap_chunks_init(&chunks);
	for (unsigned int i = 0; i < 2; i += 1 << param->order)
		heap_chunks_add(&chunks, nth_page(block, i), param->order);
	KUNIT_ASSERT_EQ(test, heap_chunks_to_runs(&chunks, &buffer->runs), 0);
	KUNIT_EXPECT_EQ(test, buffer->runs.orig_nents, 1);

	KUNIT_ASSERT_EQ(test, vmap_locked(&buf, &map), 0);
	KUNIT_EXPECT_EQ(test, map.vaddr == page_address(block), param->direct);
	vunmap_locked(&buf, &map);

	heap_buffer_destroy(buffer);
	__free_pages(block, 1);
}

static struct kunit_case heap_buffer_cases[] = {
	KUNIT_CASE_PARAM(heap_chunks_become_runs, chunk_orders_gen_params),
	KUNIT_CASE_PARAM(heap_runs_copy_obeys_device, seg_limits_gen_params),
	KUNIT_CASE(heap_runs_copy_splits_longest),
	KUNIT_CASE(heap_vmap_shows_runs_in_order),
	KUNIT_CASE(heap_vmap_fails_clean),
	KUNIT_CASE(heap_chunks_survive_failure),
	KUNIT_CASE_PARAM(heap_vmap_of_one_piece_is_direct, piece_gen_params),
	{}
};

static int heap_suite_init(struct kunit_suite *suite)
{
	dma_resv_init(&resv);
	return 0;
}

static void heap_suite_exit(struct kunit_suite *suite)
{
	dma_resv_fini(&resv);
}

static struct kunit_suite heap_buffer_suite = {
	.suite_init = heap_suite_init,
	.suite_exit = heap_suite_exit,
	.name = "heap_buffer",
	.test_cases = heap_buffer_cases,
};

/* The core of heaps */

static struct dma_buf *refuse(struct dma_heap *heap, unsigned long len,
			      u32 fd_flags, u64 heap_flags)
{
	return ERR_PTR(-ENOMEM);
}

static const struct dma_heap_ops refusing_ops = {
	.allocate = refuse,
};

static const struct bad_heap {
	const char *desc;
	struct dma_heap_export_info info;
	int ret;
} bad_heaps[] = {
	{ "no name", { .ops = &refusing_ops }, -EINVAL },
	{ "empty name", { .name = "", .ops = &refusing_ops }, -EINVAL },
	{ "no operations", { .name = "kunit" }, -EINVAL },
	{ "no allocate", { .name = "kunit", .ops = &(struct dma_heap_ops){} }, -EINVAL },
	{ "name is taken", { .name = "system", .ops = &refusing_ops }, -EEXIST },
};

KUNIT_ARRAY_PARAM_DESC(bad_heaps, bad_heaps, desc);

/* Quietly: sysfs, for one, has much to say about a name that is taken. */
static void dma_heap_add_refuses(struct kunit *test)
{
	const struct bad_heap *param = test->param_value;
	struct kmsg_dump_iter from;

	expect_warn_begin(&from);
	KUNIT_EXPECT_EQ(test, param->ret, PTR_ERR_OR_ZERO(dma_heap_add(&param->info)));
	KUNIT_EXPECT_EQ(test, expect_warn_count(&from, "duplicate"), 0);
	KUNIT_EXPECT_EQ(test, expect_warn_end(&from), 0);
}

/* Heaps stay for ever, so this one is found there when the suite runs again. */
static void dma_heap_add_keeps_name_and_data(struct kunit *test)
{
	static int data;
	struct dma_heap_export_info info = {
		.name = "kunit-heap",
		.ops = &refusing_ops,
		.priv = &data,
	};
	struct dma_heap *heap = dma_heap_add(&info);

	if (heap == ERR_PTR(-EEXIST))
		kunit_skip(test, "has run before");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_STREQ(test, dma_heap_get_name(heap), "kunit-heap");
	KUNIT_EXPECT_PTR_EQ(test, dma_heap_get_drvdata(heap), &data);
}

static void dma_heap_accounting_is_off(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, dma_heap_mem_accounting());
}

/* A descriptor from a heap is traced as any other descriptor of a buffer. */
struct traced_fd {
	struct dma_buf *buf;
	int fd;
	bool installed;
};

static void note_fd(void *data, struct dma_buf *buf, int fd)
{
	struct traced_fd *traced = data;

	traced->buf = buf;
	traced->fd = fd;
	traced->installed = test_fd_is_installed(fd);
}

static void stop_tracing_fd(void *data)
{
	unregister_trace_dma_buf_fd(note_fd, data);
	tracepoint_synchronize_unregister();
}

static void dma_heap_allocation_is_traced(struct kunit *test)
{
	struct dma_heap_allocation_data data = { .len = PAGE_SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	struct traced_fd traced = { };
	void __user *user = test_user_page(test);
	struct dma_buf *buf;
	struct file *heap;

	if (!IS_ENABLED(CONFIG_DEVTMPFS) || register_trace_dma_buf_fd(note_fd, &traced))
		kunit_skip(test, "needs CONFIG_DEVTMPFS and CONFIG_TRACEPOINTS");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_tracing_fd, &traced));
	heap = test_open(test_mount(test, "devtmpfs"), "dma_heap/system");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(user, &data, sizeof(data)));
	KUNIT_EXPECT_EQ(test, 0, vfs_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)user));
	fput(heap);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&data, user, sizeof(data)));
	buf = dma_buf_get(data.fd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_EXPECT_PTR_EQ(test, traced.buf, buf);
	KUNIT_EXPECT_EQ(test, traced.fd, data.fd);
	KUNIT_EXPECT_FALSE(test, traced.installed);
	dma_buf_put(buf);
	close_fd(data.fd);
	flush_delayed_fput();
}

static struct kunit_case dma_heap_cases[] = {
	KUNIT_CASE_PARAM(dma_heap_add_refuses, bad_heaps_gen_params),
	KUNIT_CASE(dma_heap_add_keeps_name_and_data),
	KUNIT_CASE(dma_heap_accounting_is_off),
	KUNIT_CASE(dma_heap_allocation_is_traced),
	{}
};

static struct kunit_suite dma_heap_suite = {
	.name = "dma_heap",
	.test_cases = dma_heap_cases,
};

kunit_test_suites(&heap_buffer_suite, &dma_heap_suite);

MODULE_DESCRIPTION("Tests of heaps");
MODULE_LICENSE("GPL");
