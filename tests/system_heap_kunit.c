// SPDX-License-Identifier: GPL-2.0
/*
 * The system heap: in which pieces it asks for memory, when it gives up, and
 * that nothing is left behind then. On its buffers, devices.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "../dma-buf-mappings.h"
#include "../heaps/heap-buffer.h"
#include "fail_alloc.h"
#include "mock_sync.h"
#include "test_util.h"

#define MAX_ASKED	64
#define NEVER		MAX_ASKED

/**
 * struct allocator - between the system heap and the page allocator
 * @max_order: larger orders are not to be had
 * @empty_after: number of requests after which there is nothing at all
 * @killed_after: number of requests after which the task is killed
 * @asked: number of requests
 * @order: what was asked for
 * @gfp: and how
 * @page: what was handed out; a reference tells whether it comes back
 */
struct allocator {
	unsigned int max_order;
	unsigned int empty_after;
	unsigned int killed_after;
	unsigned int asked;
	unsigned int order[MAX_ASKED];
	gfp_t gfp[MAX_ASKED];
	struct page *page[MAX_ASKED];
};

static void kill_self(void)
{
	sigaddset(&current->pending.signal, SIGKILL);
	set_tsk_thread_flag(current, TIF_SIGPENDING);
}

static struct page *allocator_ask(gfp_t gfp, unsigned int order)
{
	struct allocator *allocator = kunit_get_current_test()->priv;
	unsigned int i = allocator->asked++;
	struct page *page;

	if (i >= MAX_ASKED)
		return NULL;
	allocator->order[i] = order;
	allocator->gfp[i] = gfp;
	if (i + 1 == allocator->killed_after)
		kill_self();
	if (order > allocator->max_order || i >= allocator->empty_after)
		return NULL;

	page = alloc_pages(gfp, order);
	if (page)
		get_page(page);
	allocator->page[i] = page;

	return page;
}

static struct allocator *allocator_install(struct kunit *test)
{
	struct allocator *allocator = kunit_kzalloc(test, sizeof(*allocator), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, allocator);
	allocator->max_order = MAX_PAGE_ORDER;
	allocator->empty_after = NEVER;
	allocator->killed_after = NEVER;
	test->priv = allocator;
	kunit_activate_static_stub(test, system_heap_alloc_pages, allocator_ask);

	return allocator;
}

/* Forget the requests; all that was handed out must be back. */
static void allocator_expect_back(struct kunit *test, struct allocator *allocator)
{
	for (unsigned int i = 0; i < min(allocator->asked, MAX_ASKED); i++) {
		if (!allocator->page[i])
			continue;
		KUNIT_EXPECT_EQ(test, page_ref_count(allocator->page[i]), 1);
		put_page(allocator->page[i]);
		allocator->page[i] = NULL;
	}
	allocator->asked = 0;
}

static struct heap_buffer *empty_buffer(struct kunit *test, unsigned long pages)
{
	struct heap_buffer *buffer = heap_buffer_create(NULL, pages * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	return buffer;
}

static const struct fall_back {
	const char *desc;
	unsigned long pages;
	unsigned int max_order;
	unsigned int asked;
	unsigned int order[16];
} fall_backs[] = {
	{ "one page", 1, 10, 1, { 0 } },
	{ "one piece", 32, 10, 1, { 5 } },
	{ "never more than wanted", 43, 10, 4, { 5, 3, 1, 0 } },
	{ "what failed is not tried again", 43, 3, 9, { 5, 4, 3, 3, 3, 3, 3, 1, 0 } },
	{ "single pages", 5, 0, 7, { 2, 1, 0, 0, 0, 0, 0 } },
};

KUNIT_ARRAY_PARAM_DESC(fall_backs, fall_backs, desc);

static void system_heap_orders_fall_back(struct kunit *test)
{
	const struct fall_back *param = test->param_value;
	struct heap_buffer *buffer = empty_buffer(test, param->pages);
	struct allocator *allocator = allocator_install(test);
	struct scatterlist *sg;
	unsigned int i, pages = 0;

	allocator->max_order = param->max_order;
	KUNIT_ASSERT_EQ(test, system_heap_memory.fill(buffer), 0);
	KUNIT_ASSERT_EQ(test, allocator->asked, param->asked);
	for (i = 0; i < param->asked; i++)
		KUNIT_EXPECT_EQ_MSG(test, allocator->order[i], param->order[i],
				    "request %u", i);
	for_each_sgtable_sg(&buffer->runs, sg, i)
		pages += sg->length >> PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, pages, param->pages);
	system_heap_memory.empty(buffer);
	allocator_expect_back(test, allocator);
	heap_buffer_destroy(buffer);
}

/* Large pieces only if they are just there, single pages as for user space. */
static void system_heap_asks_gently(struct kunit *test)
{
	struct heap_buffer *buffer = empty_buffer(test, 3);
	struct allocator *allocator = allocator_install(test);
	const gfp_t all = __GFP_ZERO | __GFP_NOWARN;

	KUNIT_ASSERT_EQ(test, system_heap_memory.fill(buffer), 0);
	KUNIT_ASSERT_EQ(test, allocator->asked, 2);
	KUNIT_EXPECT_TRUE(test, (allocator->gfp[0] & all) == all);
	KUNIT_EXPECT_TRUE(test, (allocator->gfp[1] & all) == all);
	KUNIT_EXPECT_FALSE(test, allocator->gfp[0] & __GFP_RECLAIM);
	KUNIT_EXPECT_TRUE(test, allocator->gfp[1] & __GFP_DIRECT_RECLAIM);
	KUNIT_EXPECT_FALSE(test, allocator->gfp[1] & __GFP_RETRY_MAYFAIL);
	KUNIT_EXPECT_FALSE(test, allocator->gfp[0] & __GFP_ACCOUNT);
	KUNIT_EXPECT_FALSE(test, allocator->gfp[1] & __GFP_ACCOUNT);
	system_heap_memory.empty(buffer);
	allocator_expect_back(test, allocator);
	heap_buffer_destroy(buffer);
}

static void system_heap_out_of_memory(struct kunit *test)
{
	struct heap_buffer *buffer = empty_buffer(test, 20);
	struct allocator *allocator = allocator_install(test);

	allocator->max_order = 2;
	allocator->empty_after = 5;
	KUNIT_EXPECT_EQ(test, system_heap_memory.fill(buffer), -ENOMEM);
	/* orders 4 and 3, three pieces, then 2, 1 and 0 in vain */
	KUNIT_EXPECT_EQ(test, allocator->asked, 8);
	allocator_expect_back(test, allocator);
	heap_buffer_destroy(buffer);
}

static void system_heap_stops_when_killed(struct kunit *test)
{
	struct heap_buffer *buffer = empty_buffer(test, 20);
	struct allocator *allocator = allocator_install(test);

	allocator->max_order = 0;
	allocator->killed_after = 7;
	KUNIT_EXPECT_EQ(test, system_heap_memory.fill(buffer), -EINTR);
	flush_signals(current);
	KUNIT_EXPECT_EQ(test, allocator->asked, 7);
	allocator_expect_back(test, allocator);
	heap_buffer_destroy(buffer);
}

/* The flags with which a buffer's first single page is allocated. */
static gfp_t gfp_of_single_page(struct kunit *test, unsigned long pages)
{
	struct heap_buffer *buffer = empty_buffer(test, pages);
	struct allocator *allocator = allocator_install(test);

	allocator->empty_after = 0;
	KUNIT_EXPECT_EQ(test, system_heap_memory.fill(buffer), -ENOMEM);
	KUNIT_ASSERT_GT(test, allocator->asked, 0);
	KUNIT_EXPECT_EQ(test, allocator->order[allocator->asked - 1], 0);
	heap_buffer_destroy(buffer);

	return allocator->gfp[allocator->asked - 1];
}

/* No other task has to die for a sixteenth of all memory at once. */
static void system_heap_large_buffer_kills_nobody(struct kunit *test)
{
	unsigned long share = totalram_pages() / 16;

	KUNIT_EXPECT_FALSE(test, gfp_of_single_page(test, share) & __GFP_RETRY_MAYFAIL);
	KUNIT_EXPECT_TRUE(test, gfp_of_single_page(test, share + 1) & __GFP_RETRY_MAYFAIL);
}

/* More than is available, as all of the machine is: not a page is asked for. */
static void system_heap_larger_than_available(struct kunit *test)
{
	struct heap_buffer *buffer = empty_buffer(test, totalram_pages());
	struct allocator *allocator = allocator_install(test);

	KUNIT_EXPECT_EQ(test, system_heap_memory.fill(buffer), -ENOMEM);
	KUNIT_EXPECT_EQ(test, allocator->asked, 0);
	heap_buffer_destroy(buffer);
}

static struct kunit_case system_heap_cases[] = {
	KUNIT_CASE_PARAM(system_heap_orders_fall_back, fall_backs_gen_params),
	KUNIT_CASE(system_heap_asks_gently),
	KUNIT_CASE(system_heap_out_of_memory),
	KUNIT_CASE(system_heap_stops_when_killed),
	KUNIT_CASE(system_heap_large_buffer_kills_nobody),
	KUNIT_CASE(system_heap_larger_than_available),
	{}
};

static struct kunit_suite system_heap_suite = {
	.name = "system_heap",
	.test_cases = system_heap_cases,
};

/* Exported buffers */

#define PAGES	12

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len,
				u32 fd_flags, u64 heap_flags)
{
	return heap_buffer_allocate(heap, len, fd_flags, &system_heap_memory);
}

static const struct dma_heap_ops heap_ops = {
	.allocate = allocate,
};

/* Heaps stay for ever, so the suite adds one only once. */
static struct dma_heap *heap;

static int heap_export_suite_init(struct kunit_suite *suite)
{
	const struct dma_heap_export_info info = {
		.name = "kunit-system",
		.ops = &heap_ops,
	};

	if (!heap)
		heap = dma_heap_add(&info);

	return PTR_ERR_OR_ZERO(heap);
}

static struct dma_buf *export(struct kunit *test)
{
	struct dma_buf *buf = allocate(heap, PAGES * PAGE_SIZE, O_RDWR, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

static void put(struct dma_buf *buf)
{
	dma_buf_put(buf);
	flush_delayed_fput();
}

static struct dma_buf_attachment *attach(struct kunit *test, struct dma_buf *buf,
					 struct device *dev)
{
	struct dma_buf_attachment *at = dma_buf_attach(buf, dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	return at;
}

static struct sg_table *map(struct kunit *test, struct dma_buf_attachment *at)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	return sgt;
}

static void unmap_detach(struct dma_buf_attachment *at, struct sg_table *sgt)
{
	dma_buf_unmap_attachment_unlocked(at, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(at->dmabuf, at);
}

static void heap_allocate_fails_clean(struct kunit *test)
{
	struct allocator *allocator = allocator_install(test);
	struct dma_buf *buf = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	allocator->max_order = 1;
	for (nth = 1; FAIL_NTH_ALLOC(nth, buf = allocate(heap, PAGES * PAGE_SIZE, O_RDWR, 0));
	     nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(buf));
		KUNIT_EXPECT_EQ(test, PTR_ERR(buf), -ENOMEM);
		allocator_expect_back(test, allocator);
	}
	/* at least the buffer, its table, and its file */
	KUNIT_EXPECT_GT(test, nth, 3);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	put(buf);
	allocator_expect_back(test, allocator);
}

static void heap_attach_fails_clean(struct kunit *test)
{
	struct device *dev = test_device(test, "device", UINT_MAX);
	struct dma_buf *buf = export(test);
	struct heap_buffer *buffer = buf->priv;
	struct dma_buf_attachment *at = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, at = dma_buf_attach(buf, dev)); nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(at));
		KUNIT_EXPECT_EQ(test, PTR_ERR(at), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, list_empty(&buffer->mappings));
	}
	/* the core's attachment, ours, and its table */
	KUNIT_EXPECT_GT(test, nth, 3);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	dma_buf_detach(buf, at);
	KUNIT_EXPECT_TRUE(test, list_empty(&buffer->mappings));
	put(buf);
}

/* Each device has a table of its own, in segments that it can do. */
static void heap_tables_obey_devices(struct kunit *test)
{
	static const unsigned int max_seg[] = { 2 * PAGE_SIZE, PAGE_SIZE };
	struct dma_buf_attachment *at[2];
	struct dma_buf *buf = export(test);
	struct sg_table *sgt[2];
	struct scatterlist *sg;
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		at[i] = attach(test, buf,
			       test_device(test, i ? "pages" : "pairs", max_seg[i]));
		sgt[i] = map(test, at[i]);
	}
	KUNIT_EXPECT_PTR_NE(test, sgt[0], sgt[1]);
	for (i = 0; i < 2; i++) {
		unsigned int bytes = 0;

		for_each_sgtable_dma_sg(sgt[i], sg, j) {
			KUNIT_EXPECT_LE(test, sg_dma_len(sg), max_seg[i]);
			bytes += sg_dma_len(sg);
		}
		KUNIT_EXPECT_EQ(test, bytes, PAGES * PAGE_SIZE);
		unmap_detach(at[i], sgt[i]);
	}
	put(buf);
}

static struct sg_table *try_map(struct dma_buf_attachment *at)
{
	struct sg_table *sgt;

	dma_resv_lock(at->dmabuf->resv, NULL);
	sgt = dma_buf_try_map_attachment(at, DMA_BIDIRECTIONAL);
	dma_resv_unlock(at->dmabuf->resv);

	return sgt;
}

static void heap_try_map_need_not_wait(struct kunit *test)
{
	struct device *dev = test_device(test, "device", UINT_MAX);
	struct dma_buf *buf = export(test);
	struct dma_buf_attachment *at = attach(test, buf, dev);
	struct dma_buf_mapping *mapping = at->priv;
	struct sg_table *sgt = try_map(at);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, mapping->count, 1);
	unmap_detach(at, sgt);
	put(buf);
}

/* Three devices, of which the last has not mapped the buffer any more. */
static void heap_sync_reaches_mapped_devices(struct kunit *test)
{
	static const char * const names[] = { "one", "two", "three" };
	struct dma_buf_attachment *at[3];
	struct dma_buf *buf = export(test);
	struct mock_syncs synced = { };
	struct sg_table *sgt[3];
	struct device *dev[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		dev[i] = test_device(test, names[i], UINT_MAX);
		at[i] = attach(test, buf, dev[i]);
		sgt[i] = map(test, at[i]);
	}
	dma_buf_unmap_attachment_unlocked(at[2], sgt[2], DMA_BIDIRECTIONAL);
	test->priv = &synced;
	kunit_activate_static_stub(test, dma_buf_mapping_sync, mock_sync_record);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, synced.count, 4);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_TRUE(test, synced.dev[i] == dev[0] || synced.dev[i] == dev[1]);
		KUNIT_EXPECT_EQ(test, synced.for_cpu[i], i < 2);
		KUNIT_EXPECT_EQ(test, synced.dir[i], i < 2 ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	}
	KUNIT_EXPECT_PTR_NE(test, synced.dev[0], synced.dev[1]);
	KUNIT_EXPECT_PTR_NE(test, synced.dev[2], synced.dev[3]);

	kunit_deactivate_static_stub(test, dma_buf_mapping_sync);
	unmap_detach(at[0], sgt[0]);
	unmap_detach(at[1], sgt[1]);
	dma_buf_detach(buf, at[2]);
	put(buf);
}

/* Some memory like that of a machine that has been up for a while. */
static const unsigned int scattered[] = { 8, 9, 4, 5, 2 };

static struct page *hand_out_scattered(gfp_t gfp, unsigned int order)
{
	struct allocator *allocator = kunit_get_current_test()->priv;

	if (order || allocator->asked == ARRAY_SIZE(scattered))
		return NULL;
	return nth_page(allocator->page[0], scattered[allocator->asked++]);
}

/* Whichever part is mapped, it shows the pages in the order of the buffer. */
static void heap_mmap_shows_runs_in_order(struct kunit *test)
{
	const unsigned int count = ARRAY_SIZE(scattered);
	struct allocator allocator = { };
	struct page *block = alloc_pages(GFP_KERNEL, 4);
	struct dma_buf *buf;

	KUNIT_ASSERT_NOT_NULL(test, block);
	split_page(block, 4);
	allocator.page[0] = block;
	test->priv = &allocator;
	kunit_activate_static_stub(test, system_heap_alloc_pages, hand_out_scattered);
	buf = allocate(heap, count * PAGE_SIZE, O_RDWR, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	for (unsigned int i = 0; i < count; i++)
		*(int *)page_address(nth_page(block, scattered[i])) = 100 + i;

	for (unsigned int first = 0; first < count; first++) {
		size_t size = (count - first) * PAGE_SIZE;
		unsigned long addr = kunit_vm_mmap(test, buf->file, 0, size, PROT_READ,
						   MAP_SHARED, first * PAGE_SIZE);

		KUNIT_ASSERT_NE(test, addr, 0);
		KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
		for (unsigned int i = first; i < count; i++) {
			int seen = 0;
			void __user *at = (void __user *)(addr + (i - first) * PAGE_SIZE);

			KUNIT_ASSERT_EQ(test, copy_from_user(&seen, at, sizeof(seen)), 0);
			KUNIT_EXPECT_EQ(test, seen, 100 + i);
		}
		KUNIT_ASSERT_EQ(test, vm_munmap(addr, size), 0);
	}

	put(buf);
	for (unsigned int i = 0; i < 16; i++)
		if (i != 8 && i != 9 && i != 4 && i != 5 && i != 2)
			__free_page(nth_page(block, i));
}

/* More single pages than an entry of the upper table reaches, none beside the last. */
#define FAR_PAGES	1024
#define FAR_STEP	333

static struct page *hand_out_far(gfp_t gfp, unsigned int order)
{
	struct allocator *allocator = kunit_get_current_test()->priv;

	if (order || allocator->asked == FAR_PAGES)
		return NULL;
	return nth_page(allocator->page[0], allocator->asked++ * FAR_STEP % FAR_PAGES);
}

/* Faults find their pages in a long table of runs, wherever they begin. */
static void heap_mmap_finds_far_runs(struct kunit *test)
{
	struct allocator allocator = { };
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, ilog2(FAR_PAGES));
	struct dma_buf *buf;

	if (!block)
		kunit_skip(test, "no memory in one piece");
	split_page(block, ilog2(FAR_PAGES));
	allocator.page[0] = block;
	test->priv = &allocator;
	kunit_activate_static_stub(test, system_heap_alloc_pages, hand_out_far);
	buf = allocate(heap, FAR_PAGES * PAGE_SIZE, O_RDWR, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	for (int i = 0; i < FAR_PAGES; i++)
		*(int *)page_address(nth_page(block, i * FAR_STEP % FAR_PAGES)) = i;

	for (int first = 0; first < FAR_PAGES; first += 191) {
		size_t size = (FAR_PAGES - first) * PAGE_SIZE;
		unsigned long addr = kunit_vm_mmap(test, buf->file, 0, size, PROT_READ,
						   MAP_SHARED, first * PAGE_SIZE);
		int wrong = 0;

		KUNIT_ASSERT_NE(test, addr, 0);
		KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
		for (int i = first; i < FAR_PAGES; i++) {
			void __user *at = (void __user *)(addr + (i - first) * PAGE_SIZE);
			int seen;

			wrong += copy_from_user(&seen, at, sizeof(seen)) || seen != i;
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
		KUNIT_ASSERT_EQ(test, vm_munmap(addr, size), 0);
	}

	put(buf);
}

/* Zeroes, although the pages had something else in them before. */
static void heap_buffers_are_zero(struct kunit *test)
{
	struct iosys_map map;
	struct dma_buf *buf;

	for (int round = 0; round < 2; round++) {
		buf = export(test);
		KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, 0, PAGES * PAGE_SIZE));
		memset(map.vaddr, 0xff, PAGES * PAGE_SIZE);
		dma_buf_vunmap_unlocked(buf, &map);
		put(buf);
	}
}

/* Where large pages map it, too, and what is behind them. */
static void heap_vmap_shows_large_buffers(struct kunit *test)
{
	struct dma_buf *buf = allocate(heap, SZ_8M + SZ_1M + PAGE_SIZE, O_RDWR, 0);
	struct heap_buffer *buffer;
	unsigned long page = 0;
	struct scatterlist *sg;
	struct iosys_map map;
	unsigned int i, pos;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	buffer = buf->priv;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	for (pos = 0; pos < buf->size; pos += PAGE_SIZE)
		*(u32 *)(map.vaddr + pos) = pos;
	for_each_sgtable_sg(&buffer->runs, sg, i)
		for (pos = 0; pos < sg->length; pos += PAGE_SIZE, page++) {
			u32 *seen = kmap_local_page(nth_page(sg_page(sg), pos >> PAGE_SHIFT));

			KUNIT_EXPECT_EQ(test, page << PAGE_SHIFT, *seen);
			kunmap_local(seen);
		}
	KUNIT_EXPECT_EQ(test, page << PAGE_SHIFT, buf->size);
	dma_buf_vunmap_unlocked(buf, &map);
	put(buf);
}

static int fill(struct heap_buffer *buffer)
{
	return system_heap_memory.fill(buffer);
}

static DECLARE_COMPLETION(emptied);
static void *vaddr_when_emptied;

static void empty(struct heap_buffer *buffer)
{
	vaddr_when_emptied = buffer->vaddr;
	system_heap_memory.empty(buffer);
	complete(&emptied);
}

/* The pages are not freed below an importer that has forgotten its mapping. */
static void heap_undoes_forgotten_vmap(struct kunit *test)
{
	static const struct heap_memory memory = { .fill = fill, .empty = empty };
	struct dma_buf *buf = heap_buffer_allocate(heap, PAGES * PAGE_SIZE, O_RDWR, &memory);
	struct iosys_map map;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	vaddr_when_emptied = &map;
	EXPECT_KERNEL_WARNINGS(test, 1, {
		put(buf);
		KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&emptied, HZ), 0);
	});
	KUNIT_EXPECT_NULL(test, vaddr_when_emptied);
}

static struct kunit_case heap_export_cases[] = {
	KUNIT_CASE(heap_allocate_fails_clean),
	KUNIT_CASE(heap_attach_fails_clean),
	KUNIT_CASE(heap_tables_obey_devices),
	KUNIT_CASE(heap_try_map_need_not_wait),
	KUNIT_CASE(heap_sync_reaches_mapped_devices),
	KUNIT_CASE(heap_mmap_shows_runs_in_order),
	KUNIT_CASE(heap_mmap_finds_far_runs),
	KUNIT_CASE(heap_buffers_are_zero),
	KUNIT_CASE(heap_vmap_shows_large_buffers),
	KUNIT_CASE(heap_undoes_forgotten_vmap),
	{}
};

static struct kunit_suite heap_export_suite = {
	.name = "heap_export",
	.suite_init = heap_export_suite_init,
	.test_cases = heap_export_cases,
};

kunit_test_suites(&system_heap_suite, &heap_export_suite);

MODULE_DESCRIPTION("Tests of the system heap");
MODULE_LICENSE("GPL");
