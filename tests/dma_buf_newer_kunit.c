// SPDX-License-Identifier: GPL-2.0
/*
 * The names that linux/dma-buf-newer.h offers to drivers of newer kernels.
 */

#include <kunit/test.h>
#include <linux/dma-buf-newer.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/rcupdate.h>

#include "expect_warn.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

/* ---- fences ---- */

static void newer_init64_compares_64_bits(struct kunit *test)
{
	struct mock_fence *old = mock_fence_embed(test), *new = mock_fence_embed(test);

	dma_fence_init64(&old->base, &mock_fence_embedded_ops, &old->lock, 9, 1);
	dma_fence_init64(&new->base, &mock_fence_embedded_ops, &new->lock, 9, BIT_ULL(32));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later(&new->base, &old->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(&old->base, &new->base));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SEQNO64_BIT, &new->base.flags));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&new->base), 1);
}

static void newer_was_initialized_tells_zero_memory(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	memset(&mock->base, 0, sizeof(mock->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_was_initialized(NULL));
	KUNIT_EXPECT_FALSE(test, dma_fence_was_initialized(&mock->base));
	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	KUNIT_EXPECT_TRUE(test, dma_fence_was_initialized(&mock->base));
}

static void newer_test_of_flag_asks_nobody(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	KUNIT_EXPECT_FALSE(test, dma_fence_test_signaled_flag(&mock->base));
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_TRUE(test, dma_fence_test_signaled_flag(&mock->base));
}

static void newer_check_and_signal_tells_the_first(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *other = mock_fence_new(test);

	KUNIT_EXPECT_FALSE(test, dma_fence_check_and_signal(fence));
	KUNIT_EXPECT_TRUE(test, dma_fence_check_and_signal(fence));

	scoped_guard(spinlock_irqsave, other->lock) {
		KUNIT_EXPECT_FALSE(test, dma_fence_check_and_signal_locked(other));
		KUNIT_EXPECT_TRUE(test, dma_fence_check_and_signal_locked(other));
	}
	KUNIT_EXPECT_TRUE(test, dma_fence_test_signaled_flag(other));
}

static void newer_check_and_signal_of_null_signals_nothing(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, dma_fence_check_and_signal(NULL));
}

static void newer_enable_signaling_enables_once(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_enable_signaling(&mock->base);
	dma_fence_enable_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
}

/* Read both names in one RCU section, as a driver does. */
static void expect_names(struct kunit *test, struct dma_fence *fence, const char *driver,
			 const char *timeline)
{
	const char __rcu *name;

	guard(rcu)();

	name = dma_fence_driver_name(fence);
	KUNIT_EXPECT_STREQ(test, rcu_dereference(name), driver);
	name = dma_fence_timeline_name(fence);
	KUNIT_EXPECT_STREQ(test, rcu_dereference(name), timeline);
}

static void newer_names_of_signalled_fences_need_no_driver(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *stub = dma_fence_get_stub();

	expect_names(test, fence, "mock_driver", "mock_timeline");
	dma_fence_signal(fence);
	expect_names(test, fence, "detached-driver", "signaled-timeline");
	expect_names(test, stub, "stub", "stub");
	dma_fence_put(stub);
}

#define NUM_FENCES 6

static void newer_dedup_keeps_the_latest(struct kunit *test)
{
	static const struct { u64 context, seqno; } points[NUM_FENCES] = {
		{ 7, 2 }, { 3, 5 }, { 7, 9 }, { 7, 4 }, { 1, 1 }, { 3, 4 },
	};
	struct dma_fence *fences[NUM_FENCES], *list[NUM_FENCES];

	for (unsigned int i = 0; i < NUM_FENCES; i++) {
		struct mock_fence *mock = mock_fence_create(test, &mock_fence_ops,
							    points[i].context, points[i].seqno);

		fences[i] = &mock->base;
		list[i] = dma_fence_get(fences[i]);
	}
	KUNIT_ASSERT_EQ(test, dma_fence_dedup_array(list, NUM_FENCES), 3);
	KUNIT_EXPECT_PTR_EQ(test, list[0], fences[4]);
	KUNIT_EXPECT_PTR_EQ(test, list[1], fences[1]);
	KUNIT_EXPECT_PTR_EQ(test, list[2], fences[2]);
	for (unsigned int i = 0; i < 3; i++)
		dma_fence_put(list[i]);
	for (unsigned int i = 0; i < NUM_FENCES; i++)
		KUNIT_EXPECT_EQ_MSG(test, mock_fence_refs(fences[i]), 1, "fence %u", i);
}

static void newer_dedup_of_few(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *list[1] = { fence };

	KUNIT_EXPECT_EQ(test, dma_fence_dedup_array(NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_dedup_array(list, 0), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_dedup_array(list, -1), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_dedup_array(list, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, list[0], fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

/* ---- buffers ---- */

static void newer_fd_install_takes_the_reference(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test), *found;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_GE(test, fd, 0);
	get_dma_buf(buf);
	dma_buf_fd_install(buf, fd);
	found = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, found, buf);
	if (!IS_ERR(found))
		dma_buf_put(found);
	close_fd(fd);
	flush_delayed_fput();
	test_expect_refs(test, buf->file, 1);
	mock_exporter_put(test->priv);
}

static unsigned int moved, invalidated;

static void count_move(struct dma_buf_attachment *attach)
{
	moved++;
}

static void count_invalidation(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	invalidated++;
}

static const struct importer {
	const char *desc;
	struct dma_buf_attach_ops ops;
	bool revocable;
	unsigned int moved;
	unsigned int invalidated;
} importers[] = {
	{ "of 6.12", { .move_notify = count_move }, false, 1, 0 },
	{ "newer", { .invalidate_mappings = count_invalidation }, true, 0, 1 },
	{ "both", { .move_notify = count_move, .invalidate_mappings = count_invalidation },
	  true, 0, 1 },
};

KUNIT_ARRAY_PARAM_DESC(importer, importers, desc);

static void newer_importer_is_told_in_its_own_way(struct kunit *test)
{
	const struct importer *param = test->param_value;
	struct device *dev = test_device(test, "device", 0);
	struct dma_buf *buf = mock_export(test);
	struct dma_buf_attachment *at = dma_buf_dynamic_attach(buf, dev, &param->ops, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	KUNIT_EXPECT_EQ(test, dma_buf_attach_revocable(at), param->revocable);
	moved = 0;
	invalidated = 0;
	dma_resv_lock(buf->resv, NULL);
	dma_buf_invalidate_mappings(buf);
	dma_resv_unlock(buf->resv);
	KUNIT_EXPECT_EQ(test, moved, param->moved);
	KUNIT_EXPECT_EQ(test, invalidated, param->invalidated);
	dma_buf_detach(buf, at);
	mock_exporter_put(test->priv);
}

static void newer_static_importer_is_not_revocable(struct kunit *test)
{
	struct device *dev = test_device(test, "device", 0);
	struct dma_buf *buf = mock_export(test);
	struct dma_buf_attachment *at = dma_buf_attach(buf, dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(at));
	dma_buf_detach(buf, at);
	mock_exporter_put(test->priv);
}

static struct kunit_case newer_cases[] = {
	KUNIT_CASE(newer_init64_compares_64_bits),
	KUNIT_CASE(newer_was_initialized_tells_zero_memory),
	KUNIT_CASE(newer_test_of_flag_asks_nobody),
	KUNIT_CASE(newer_check_and_signal_tells_the_first),
	KUNIT_CASE(newer_check_and_signal_of_null_signals_nothing),
	KUNIT_CASE(newer_enable_signaling_enables_once),
	KUNIT_CASE(newer_names_of_signalled_fences_need_no_driver),
	KUNIT_CASE(newer_dedup_keeps_the_latest),
	KUNIT_CASE(newer_dedup_of_few),
	KUNIT_CASE(newer_fd_install_takes_the_reference),
	KUNIT_CASE_PARAM(newer_importer_is_told_in_its_own_way, importer_gen_params),
	KUNIT_CASE(newer_static_importer_is_not_revocable),
	{}
};

static struct kunit_suite newer_suite = {
	.name = "dma_buf_newer",
	.init = mock_exporter_init,
	.test_cases = newer_cases,
};

kunit_test_suite(newer_suite);

MODULE_DESCRIPTION("Tests of names of newer kernels");
MODULE_LICENSE("GPL");
