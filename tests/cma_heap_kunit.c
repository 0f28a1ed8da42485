// SPDX-License-Identifier: GPL-2.0
/*
 * CMA heaps: buffers in one piece, and an area from which nothing gets lost.
 */

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "../heaps/heap-buffer.h"
#include "fail_alloc.h"
#include "test_util.h"

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len,
				u32 fd_flags, u64 heap_flags)
{
	return heap_buffer_allocate(heap, len, fd_flags, &cma_heap_memory);
}

static const struct dma_heap_ops heap_ops = {
	.allocate = allocate,
};

/* Heaps stay for ever, so there is only one, on the default area. */
static struct dma_heap *heap;

static int cma_heap_suite_init(struct kunit_suite *suite)
{
	const struct dma_heap_export_info info = {
		.name = "kunit-cma",
		.ops = &heap_ops,
		.priv = dev_get_cma_area(NULL),
	};

	if (!heap && info.priv)
		heap = dma_heap_add(&info);

	return PTR_ERR_OR_ZERO(heap);
}

static int cma_heap_init(struct kunit *test)
{
	if (!heap)
		kunit_skip(test, "no default CMA area (cma=64M)");

	return 0;
}

static struct dma_buf *export(struct kunit *test, unsigned long len)
{
	struct dma_buf *buf = allocate(heap, len, O_RDWR, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

static void put(struct dma_buf *buf)
{
	dma_buf_put(buf);
	flush_delayed_fput();
}

static void cma_heap_buffer_is_one_piece(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "device");
	struct dma_buf *buf = export(test, 5 * SZ_1M);
	struct heap_buffer *buffer = buf->priv;
	struct dma_buf_attachment *at;
	struct sg_table *sgt;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	dma_set_max_seg_size(dev, UINT_MAX);

	KUNIT_EXPECT_EQ(test, buffer->runs.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, buffer->runs.sgl->length, 5 * SZ_1M);
	at = dma_buf_attach(buf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	sgt = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->nents, 1);
	KUNIT_EXPECT_EQ(test, sg_dma_len(sgt->sgl), 5 * SZ_1M);
	dma_buf_unmap_attachment_unlocked(at, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, at);
	put(buf);
}

static void cma_heap_larger_than_area(struct kunit *test)
{
	unsigned long size = cma_get_size(dma_heap_get_drvdata(heap));

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(allocate(heap, size + PAGE_SIZE, O_RDWR, 0)),
			-ENOMEM);
}

static void cma_heap_buffers_are_zero(struct kunit *test)
{
	struct iosys_map map;
	struct dma_buf *buf;

	for (int round = 0; round < 2; round++) {
		buf = export(test, SZ_1M);
		KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, 0, SZ_1M));
		memset(map.vaddr, 0xff, SZ_1M);
		dma_buf_vunmap_unlocked(buf, &map);
		put(buf);
	}
}

/* So much that nothing like it can be had again if it gets lost. */
static unsigned long most_of_area(void)
{
	return PAGE_ALIGN(cma_get_size(dma_heap_get_drvdata(heap)) / 3 * 2);
}

static void cma_heap_refuses_when_killed(struct kunit *test)
{
	struct dma_buf *buf;

	for (int round = 0; round < 4; round++) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		buf = allocate(heap, most_of_area(), O_RDWR, 0);
		flush_signals(current);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(buf), -ENOMEM);
	}
	put(export(test, most_of_area()));
}

static void cma_heap_allocate_fails_clean(struct kunit *test)
{
	struct dma_buf *buf = NULL;
	unsigned int nth, refused = 0;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, buf = allocate(heap, most_of_area(), O_RDWR, 0)); nth++) {
		if (IS_ERR(buf)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(buf), -ENOMEM);
			refused++;
		} else {
			put(buf);
		}
	}
	KUNIT_EXPECT_GT(test, refused, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	put(buf);
}

static struct kunit_case cma_heap_cases[] = {
	KUNIT_CASE(cma_heap_buffer_is_one_piece),
	KUNIT_CASE(cma_heap_larger_than_area),
	KUNIT_CASE(cma_heap_buffers_are_zero),
	KUNIT_CASE(cma_heap_refuses_when_killed),
	KUNIT_CASE(cma_heap_allocate_fails_clean),
	{}
};

static struct kunit_suite cma_heap_suite = {
	.name = "cma_heap",
	.suite_init = cma_heap_suite_init,
	.init = cma_heap_init,
	.test_cases = cma_heap_cases,
};

kunit_test_suite(cma_heap_suite);

MODULE_DESCRIPTION("Tests of CMA heaps");
MODULE_LICENSE("GPL");
