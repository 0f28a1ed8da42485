// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers from memfds: limits, runs of pages, tables for devices, and the devices that
 * are synced for a CPU access.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "../dma-buf-mappings.h"
#include "../udmabuf-internal.h"
#include "fail_alloc.h"
#include "mock_sync.h"
#include "test_util.h"

#define FOLIO_ORDER	3
#define FOLIO_PAGES	(1 << FOLIO_ORDER)

/* Limits */

#define P	PAGE_SIZE

static const struct items {
	const char *desc;
	struct udmabuf_create_item item[3];
	u32 count;
	unsigned int limit_mb;
	int error;
} items[] = {
	{ "no piece", {}, 0, 1, -EINVAL },
	{ "one page", { { .size = P } }, 1, 1, 0 },
	{ "no size", { { .size = 0 } }, 1, 1, -EINVAL },
	{ "no sizes", {}, 3, 1, -EINVAL },
	{ "some without size", { { .size = P }, {}, { .size = P } }, 3, 1, 0 },
	{ "offset of a byte", { { .offset = 1, .size = P } }, 1, 1, -EINVAL },
	{ "size and a byte", { { .size = P + 1 } }, 1, 1, -EINVAL },
	{ "later offset", { { .size = P }, { .offset = P / 2, .size = P } }, 2, 1, -EINVAL },
	{ "at the limit", { { .size = SZ_1M } }, 1, 1, 0 },
	{ "over the limit", { { .size = SZ_1M + P } }, 1, 1, -EINVAL },
	{ "sum at the limit", { { .size = SZ_1M - P }, { .size = P } }, 2, 1, 0 },
	{ "sum over the limit", { { .size = SZ_1M }, { .size = P } }, 2, 1, -EINVAL },
	{ "wraps to one page", { { .size = P }, { .size = -(u64)P }, { .size = P } }, 3,
	  UINT_MAX, -EINVAL },
	{ "wraps to nothing", { { .size = BIT_ULL(63) }, { .size = BIT_ULL(63) } }, 2,
	  UINT_MAX, -EINVAL },
	{ "over 32 bits of bytes", { { .size = SZ_4G + P } }, 1, 4096, -EINVAL },
	{ "over the limit of limits", { { .size = BIT_ULL(50) } }, 1, UINT_MAX, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(items, items, desc);

static void udmabuf_checks_items(struct kunit *test)
{
	const struct items *param = test->param_value;

	KUNIT_EXPECT_EQ(test, udmabuf_check_items(param->item, param->count, param->limit_mb),
			param->error);
}

/* Runs of pages that are pinned nowhere, so they are not freed by their owner */

static void free_folio(void *folio)
{
	folio_put(folio);
}

static struct folio *large_folio(struct kunit *test)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, FOLIO_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_folio, folio));
	return folio;
}

static void free_run(void *run)
{
	kvfree(*(void **)run);
}

static struct udmabuf_runs *new_runs(struct kunit *test)
{
	struct udmabuf_runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, runs);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_run, &runs->run));
	return runs;
}

static void udmabuf_runs_keep_offset(struct kunit *test)
{
	struct udmabuf_runs *runs = new_runs(test);
	struct folio *folio = large_folio(test);

	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 3, 2), 0);
	KUNIT_EXPECT_EQ(test, runs->count, 1);
	KUNIT_EXPECT_EQ(test, runs->run[0].pfn, folio_pfn(folio) + 3);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_pages(runs), 2);
}

/* two pins of one folio are two runs, or one pin would be lost */
static void udmabuf_runs_of_one_folio_stay_apart(struct kunit *test)
{
	struct udmabuf_runs *runs = new_runs(test);
	struct folio *folio = large_folio(test);

	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 1, 2), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 3, 2), 0);
	KUNIT_EXPECT_EQ(test, runs->count, 2);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_pages(runs), 4);
}

/* one block of pages, as folios of one page each */
static struct page *split_block(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, FOLIO_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, FOLIO_ORDER);
	for (int i = 0; i < FOLIO_PAGES; i++)
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_folio,
								   page_folio(page + i)));
	return page;
}

static void udmabuf_runs_merge_neighbours(struct kunit *test)
{
	struct udmabuf_runs *runs = new_runs(test);
	struct page *page = split_block(test);

	for (int i = 0; i < FOLIO_PAGES; i++)
		KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, page_folio(page + i), 0, 1), 0);
	KUNIT_EXPECT_EQ(test, runs->count, 1);
	KUNIT_EXPECT_EQ(test, runs->run[0].pfn, page_to_pfn(page));
	KUNIT_EXPECT_EQ(test, runs->run[0].end, FOLIO_PAGES);
}

static void udmabuf_runs_do_not_join_backwards(struct kunit *test)
{
	struct udmabuf_runs *runs = new_runs(test);
	struct page *page = split_block(test);

	for (int i = FOLIO_PAGES; i--;)
		KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, page_folio(page + i), 0, 1), 0);
	KUNIT_EXPECT_EQ(test, runs->count, FOLIO_PAGES);
}

static void udmabuf_runs_find_each_page(struct kunit *test)
{
	struct udmabuf_runs *runs = new_runs(test);
	struct folio *folio = large_folio(test);
	const size_t want[] = { 0, 0, 1, 2, 2, 2, 3 };

	KUNIT_EXPECT_EQ(test, udmabuf_runs_find(runs, 0), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 5, 2), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 1, 1), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 3, 3), 0);
	for (int page = 0; page < ARRAY_SIZE(want); page++)
		KUNIT_EXPECT_EQ(test, udmabuf_runs_find(runs, page), want[page]);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_find(runs, ULONG_MAX), 3);
}

/* Tables */

static const struct segments {
	const char *desc;
	size_t max;
	unsigned int segments;
} segments[] = {
	{ "no limit", SIZE_MAX, 2 },
	{ "all fit", FOLIO_PAGES * PAGE_SIZE, 2 },
	{ "halves", FOLIO_PAGES / 2 * PAGE_SIZE, 3 },
	{ "odd", 3 * PAGE_SIZE, 4 },
	{ "no multiple of a page", 3 * PAGE_SIZE + 17, 4 },
	{ "pages", PAGE_SIZE, FOLIO_PAGES + 1 },
	{ "less than a page", 512, FOLIO_PAGES + 1 },
};

KUNIT_ARRAY_PARAM_DESC(segments, segments, desc);

/* a whole folio in two pieces, and its second page again */
static void udmabuf_table_joins_neighbours(struct kunit *test)
{
	const struct segments *param = test->param_value;
	struct udmabuf_runs *runs = new_runs(test);
	struct folio *folio = large_folio(test);
	struct scatterlist *sg;
	struct sg_table table;
	size_t bytes = 0;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 0, 3), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 3, FOLIO_PAGES - 3), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(runs, folio, 1, 1), 0);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_to_table(runs, &table, param->max), 0);
	KUNIT_EXPECT_EQ(test, table.orig_nents, param->segments);
	for_each_sgtable_sg(&table, sg, i) {
		unsigned long page = bytes == FOLIO_PAGES * PAGE_SIZE ? 1 : bytes >> PAGE_SHIFT;

		KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(sg)), folio_pfn(folio) + page);
		KUNIT_EXPECT_LE(test, sg->length, max(param->max, PAGE_SIZE));
		bytes += sg->length;
	}
	KUNIT_EXPECT_EQ(test, bytes, (FOLIO_PAGES + 1) * PAGE_SIZE);
	sg_free_table(&table);
}

/* Buffers, on the operations */

static struct dma_buf *buf_of(struct kunit *test, struct folio *folio,
			      unsigned long first, unsigned long pages)
{
	struct udmabuf *ubuf = kzalloc(sizeof(*ubuf), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *buf;

	KUNIT_ASSERT_NOT_NULL(test, ubuf);
	INIT_LIST_HEAD(&ubuf->mappings);
	KUNIT_ASSERT_EQ(test, udmabuf_runs_add(&ubuf->runs, folio, first, pages), 0);
	info.ops = &udmabuf_ops;
	info.size = pages * PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = ubuf;
	buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

/* the buffer does not own the folio, so it must not unpin it */
static void put_buf(struct dma_buf *buf)
{
	struct udmabuf *ubuf = buf->priv;

	ubuf->runs.count = 0;
	dma_buf_put(buf);
	flush_delayed_fput();
}

static void udmabuf_vmap_begins_within_folio(struct kunit *test)
{
	struct folio *folio = large_folio(test);
	struct dma_buf *buf = buf_of(test, folio, 2, 3);
	struct iosys_map map;

	for (int i = 0; i < FOLIO_PAGES; i++)
		*(int *)page_address(folio_page(folio, i)) = i;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, *(int *)(map.vaddr + i * PAGE_SIZE), 2 + i);
	dma_buf_vunmap_unlocked(buf, &map);
	put_buf(buf);
}

static void udmabuf_end_needs_begin(struct kunit *test)
{
	struct dma_buf *buf = buf_of(test, large_folio(test), 0, 1);

	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_FROM_DEVICE), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_FROM_DEVICE), 0);
	put_buf(buf);
}

static struct dma_buf_attachment *attach(struct kunit *test, struct dma_buf *buf,
					 const char *name, struct device **dev)
{
	struct dma_buf_attachment *at;

	*dev = test_device(test, name, SZ_64K);
	at = dma_buf_attach(buf, *dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	return at;
}

static void udmabuf_sync_reaches_all_devices(struct kunit *test)
{
	struct dma_buf *buf = buf_of(test, large_folio(test), 1, 4);
	struct dma_buf_attachment *at[2];
	struct mock_syncs synced = {};
	struct sg_table *sgt[2];
	struct device *dev[2];

	test->priv = &synced;
	kunit_activate_static_stub(test, dma_buf_mapping_sync, mock_sync_record);
	for (int i = 0; i < 2; i++) {
		at[i] = attach(test, buf, i ? "second" : "first", &dev[i]);
		KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, synced.count, i);
		synced.count = 0;
		sgt[i] = dma_buf_map_attachment_unlocked(at[i], DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt[i]);
	}
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, synced.count, 2);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_PTR_EQ(test, synced.dev[i], dev[i]);
		KUNIT_EXPECT_FALSE(test, synced.for_cpu[i]);
		dma_buf_unmap_attachment_unlocked(at[i], sgt[i], DMA_BIDIRECTIONAL);
		dma_buf_detach(buf, at[i]);
	}
	synced.count = 0;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, synced.count, 0);
	kunit_deactivate_static_stub(test, dma_buf_mapping_sync);
	put_buf(buf);
}

static const struct directions {
	const char *desc;
	enum dma_data_direction device;
	enum dma_data_direction cpu;
	enum dma_data_direction synced;
} directions[] = {
	{ "device reads, CPU writes", DMA_TO_DEVICE, DMA_TO_DEVICE, DMA_TO_DEVICE },
	{ "device reads, CPU reads", DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_TO_DEVICE },
	{ "device writes, CPU writes", DMA_FROM_DEVICE, DMA_TO_DEVICE, DMA_TO_DEVICE },
	{ "device writes, CPU reads", DMA_FROM_DEVICE, DMA_FROM_DEVICE, DMA_FROM_DEVICE },
	{ "device writes, CPU does both", DMA_FROM_DEVICE, DMA_BIDIRECTIONAL, DMA_BIDIRECTIONAL },
	{ "device does both, CPU writes", DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_TO_DEVICE },
};

KUNIT_ARRAY_PARAM_DESC(direction, directions, desc);

/* what the CPU has written gets to a device that may pass it on with its own */
static void udmabuf_sync_does_what_the_cpu_did(struct kunit *test)
{
	const struct directions *param = test->param_value;
	struct dma_buf *buf = buf_of(test, large_folio(test), 1, 4);
	struct udmabuf *ubuf = buf->priv;
	struct dma_buf_mapping *mapping;
	struct dma_buf_attachment *at;
	struct mock_syncs synced = {};
	struct sg_table *sgt;
	struct device *dev;

	at = attach(test, buf, "device", &dev);
	sgt = dma_buf_map_attachment_unlocked(at, param->device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mapping = list_first_entry(&ubuf->mappings, struct dma_buf_mapping, node);
	KUNIT_EXPECT_EQ(test, mapping->dir,
			param->device == DMA_TO_DEVICE ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, param->cpu), 0);
	test->priv = &synced;
	kunit_activate_static_stub(test, dma_buf_mapping_sync, mock_sync_record);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, param->cpu), 0);
	kunit_deactivate_static_stub(test, dma_buf_mapping_sync);
	KUNIT_EXPECT_EQ(test, synced.count, 1);
	KUNIT_EXPECT_EQ(test, synced.dir[0], param->synced);
	dma_buf_unmap_attachment_unlocked(at, sgt, param->device);
	dma_buf_detach(buf, at);
	put_buf(buf);
}

static void udmabuf_try_map_need_not_wait(struct kunit *test)
{
	struct dma_buf *buf = buf_of(test, large_folio(test), 1, 4);
	struct udmabuf *ubuf = buf->priv;
	struct dma_buf_attachment *at;
	struct sg_table *sgt;
	struct device *dev;

	at = attach(test, buf, "device", &dev);
	dma_resv_lock(buf->resv, NULL);
	sgt = dma_buf_try_map_attachment(at, DMA_TO_DEVICE);
	dma_resv_unlock(buf->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&ubuf->mappings));
	dma_buf_unmap_attachment_unlocked(at, sgt, DMA_TO_DEVICE);
	dma_buf_detach(buf, at);
	KUNIT_EXPECT_TRUE(test, list_empty(&ubuf->mappings));
	put_buf(buf);
}

/* a mapping is kept for the next time, so there is one after the last round */
static void udmabuf_map_fails_clean(struct kunit *test)
{
	struct dma_buf *buf = buf_of(test, large_folio(test), 1, 4);
	struct udmabuf *ubuf = buf->priv;
	struct dma_buf_attachment *at;
	struct sg_table *sgt = NULL;
	struct device *dev;
	unsigned int nth;

	at = attach(test, buf, "device", &dev);
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, sgt = dma_buf_map_attachment_unlocked(at, DMA_TO_DEVICE));
	     nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(sgt));
		KUNIT_EXPECT_EQ(test, PTR_ERR(sgt), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, list_empty(&ubuf->mappings));
	}
	KUNIT_EXPECT_GT(test, nth, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&ubuf->mappings));
	dma_buf_unmap_attachment_unlocked(at, sgt, DMA_TO_DEVICE);
	dma_buf_detach(buf, at);
	KUNIT_EXPECT_TRUE(test, list_empty(&ubuf->mappings));
	put_buf(buf);
}

static void udmabuf_vmap_fails_clean(struct kunit *test)
{
	struct dma_buf *buf = buf_of(test, large_folio(test), 1, 4);
	struct iosys_map map;
	unsigned int nth, refused = 0;
	int ret = 0;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = dma_buf_vmap_unlocked(buf, &map)); nth++) {
		/* a list of pages that small memory has no place for is had elsewhere */
		if (!ret) {
			dma_buf_vunmap_unlocked(buf, &map);
			continue;
		}
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, buf->vmapping_counter, 0);
		refused++;
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	dma_buf_vunmap_unlocked(buf, &map);
	put_buf(buf);
}

/* Pins */

KUNIT_DEFINE_ACTION_WRAPPER(put_memfd, fput, struct file *);

static struct file *memfd(struct kunit *test, unsigned long pages)
{
	struct file *file = shmem_file_setup("udmabuf", pages * PAGE_SIZE, VM_NORESERVE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_memfd, file));
	return file;
}

/* more than one batch; what a device has written is not forgotten */
static void udmabuf_pin_and_free(struct kunit *test)
{
	unsigned long pages = PAGE_SIZE / sizeof(void *) + 10;
	struct file *file = memfd(test, pages + 1);
	struct udmabuf_runs *runs = new_runs(test);
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, udmabuf_runs_pin(runs, file, PAGE_SIZE, pages * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_pages(runs), pages);
	folio = pfn_folio(runs->run[0].pfn);
	KUNIT_EXPECT_EQ(test, folio->index, 1);
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(folio));
	udmabuf_runs_free(runs);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folio));
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	KUNIT_EXPECT_EQ(test, runs->count, 0);
}

/* whatever fails on the way, no pin is left behind */
static void udmabuf_pin_fails_clean(struct kunit *test)
{
	struct file *file = memfd(test, 20);
	struct udmabuf_runs *runs = new_runs(test);
	unsigned int nth, refused = 0;
	struct folio *folio;
	int ret = 0;

	/* the pages are there already */
	KUNIT_ASSERT_EQ(test, udmabuf_runs_pin(runs, file, 0, 20 * PAGE_SIZE), 0);
	folio = pfn_folio(runs->run[0].pfn);
	udmabuf_runs_free(runs);

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = udmabuf_runs_pin(runs, file, 0, 20 * PAGE_SIZE));
	     nth++) {
		if (ret) {
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			refused++;
		}
		udmabuf_runs_free(runs);
		KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folio));
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	udmabuf_runs_free(runs);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folio));
}

static const struct pin_range {
	const char *desc;
	u64 offset;
	u64 size;
} pin_ranges[] = {
	{ "no size", 0, 0 },
	{ "over the end", P, 2 * P },
	{ "behind the end", 2 * P, P },
	{ "wraps", -(u64)P, P },
	{ "negative", BIT_ULL(63), P },
};

KUNIT_ARRAY_PARAM_DESC(pin_ranges, pin_ranges, desc);

static void udmabuf_refuses_ranges_outside_the_memfd(struct kunit *test)
{
	const struct pin_range *param = test->param_value;
	struct udmabuf_runs *runs = new_runs(test);

	KUNIT_EXPECT_EQ(test, udmabuf_runs_pin(runs, memfd(test, 2), param->offset, param->size),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, runs->count, 0);
}

/* Pins count a thousand each, and the kernel warns when their sum is negative. */
static void udmabuf_page_pinned_too_often(struct kunit *test)
{
	struct file *file = memfd(test, 1);
	struct udmabuf_runs runs = {};
	struct page *page;
	int ret = 0;

	KUNIT_ASSERT_EQ(test, udmabuf_runs_pin(&runs, file, 0, PAGE_SIZE), 0);
	page = pfn_to_page(runs.run[0].pfn);
	page_ref_add(page, INT_MAX / 2);
	EXPECT_KERNEL_WARNINGS(test, 0, ret = udmabuf_runs_pin(&runs, file, 0, PAGE_SIZE));
	page_ref_sub(page, INT_MAX / 2);
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_pin(&runs, file, 0, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, udmabuf_runs_pages(&runs), 2);
	udmabuf_runs_free(&runs);
}

static struct kunit_case udmabuf_cases[] = {
	KUNIT_CASE_PARAM(udmabuf_checks_items, items_gen_params),
	KUNIT_CASE(udmabuf_runs_keep_offset),
	KUNIT_CASE(udmabuf_runs_of_one_folio_stay_apart),
	KUNIT_CASE(udmabuf_runs_merge_neighbours),
	KUNIT_CASE(udmabuf_runs_do_not_join_backwards),
	KUNIT_CASE(udmabuf_runs_find_each_page),
	KUNIT_CASE(udmabuf_page_pinned_too_often),
	KUNIT_CASE_PARAM(udmabuf_table_joins_neighbours, segments_gen_params),
	KUNIT_CASE(udmabuf_vmap_begins_within_folio),
	KUNIT_CASE(udmabuf_end_needs_begin),
	KUNIT_CASE(udmabuf_sync_reaches_all_devices),
	KUNIT_CASE_PARAM(udmabuf_sync_does_what_the_cpu_did, direction_gen_params),
	KUNIT_CASE(udmabuf_try_map_need_not_wait),
	KUNIT_CASE(udmabuf_map_fails_clean),
	KUNIT_CASE(udmabuf_vmap_fails_clean),
	KUNIT_CASE(udmabuf_pin_and_free),
	KUNIT_CASE(udmabuf_pin_fails_clean),
	KUNIT_CASE_PARAM(udmabuf_refuses_ranges_outside_the_memfd, pin_ranges_gen_params),
	{}
};

static struct kunit_suite udmabuf_suite = {
	.name = "udmabuf",
	.test_cases = udmabuf_cases,
};

kunit_test_suite(udmabuf_suite);

MODULE_DESCRIPTION("KUnit tests for buffers from memfds");
MODULE_LICENSE("GPL");
