// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the walks over the fences of a reservation object.
 */

#include <kunit/test.h>

#include <linux/sched.h>

#include "expect_warn.h"
#include "mock_resv.h"
#include "race.h"

KUNIT_ARRAY_PARAM_DESC(usage, mock_usages, desc);

/* Have the list of @obj replaced by another one with the same pending fences. */
static void replace_list(struct kunit *test, struct dma_resv *obj, unsigned int room)
{
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, room), 0);
	dma_resv_unlock(obj);
}

/* ---- locked ---- */

static void locked_walk_filters_by_usage(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int expected = param->usage;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_lock(obj, NULL);
	dma_resv_for_each_fence(&cursor, obj, param->usage, fence) {
		KUNIT_ASSERT_GE(test, expected, 0);
		KUNIT_EXPECT_PTR_EQ(test, fence, &mocks[expected]->base);
		KUNIT_EXPECT_EQ(test, dma_resv_iter_usage(&cursor), expected);
		expected--;
	}
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, expected, -1);
}

static void locked_walk_includes_signalled_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *pending = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_resv_snapshot shot;

	dma_fence_signal(&done->base);
	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_ASSERT_EQ(test, shot.count, 2);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &done->base);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[1], &pending->base);
}

static void locked_walk_does_not_ask_drivers(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	unsigned int polls = mock->log->polls;
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock->log->polls, polls);
}

static void locked_walk_takes_no_references(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(obj, NULL);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void locked_walk_may_be_left_early(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(obj, NULL);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence)
		break;
	dma_resv_unlock(obj);
	KUNIT_EXPECT_PTR_EQ(test, fence, &first->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
}

static void locked_walk_is_restarted_on_the_first_only(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int steps = 0;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_lock(obj, NULL);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence)
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), steps++ == 0);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, steps, 3);
}

static void locked_walk_of_empty_object_ends_at_once(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_iter cursor;

	dma_resv_lock(obj, NULL);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first(&cursor));
	dma_resv_iter_end(&cursor);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first(&cursor));
	dma_resv_iter_end(&cursor);
	dma_resv_unlock(obj);
}

/* ---- unlocked ---- */

static void unlocked_walk_filters_by_usage(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int expected = param->usage;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, param->usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KUNIT_EXPECT_GE(test, expected, 0);
		if (expected < 0)
			break;
		KUNIT_EXPECT_PTR_EQ(test, fence, &mocks[expected]->base);
		KUNIT_EXPECT_EQ(test, dma_resv_iter_usage(&cursor), expected);
		expected--;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, expected, -1);
}

static void unlocked_walk_leaves_signalled_fences_out(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *polled = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *pending = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_fence_signal(&done->base);
	polled->complete = true;
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &pending->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);

	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &polled->base.flags));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&done->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&polled->base), 2);
}

static void unlocked_walk_of_empty_object_ends_at_once(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_references_the_current_fence(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	dma_resv_iter_first_unlocked(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 3);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
	dma_resv_iter_next_unlocked(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 3);
	dma_resv_iter_next_unlocked(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
}

static void unlocked_walk_may_end_in_the_middle(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	dma_resv_iter_first_unlocked(&cursor);
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
}

static void unlocked_walk_may_end_before_the_first(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	memset(&cursor, 0xff, sizeof(cursor));
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void unlocked_walk_keeps_the_current_fence_alive(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence_log *log = mock->log;
	struct dma_resv *empty = mock_resv_create(test);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "returns the fence once more there");

	mock_fence_disown(test, &mock->base);
	dma_fence_put(&mock->base);

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	fence = dma_resv_iter_first_unlocked(&cursor);
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(obj, empty), 0);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	KUNIT_EXPECT_EQ(test, log->releases, 0);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	KUNIT_EXPECT_EQ(test, log->releases, 1);
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_is_restarted_on_the_first_only(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int steps = 0;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), steps++ == 0);
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, steps, 4);
}

static void unlocked_walk_restarts_on_a_new_list(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &first->base);
	replace_list(test, obj, 100);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &first->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &second->base);
	KUNIT_EXPECT_FALSE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
}

static void unlocked_walk_restarts_after_the_last_fence(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *only = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &only->base);
	replace_list(test, obj, 100);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &only->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_restarts_when_it_forgot_its_list(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *only = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &only->base);
	/* An address that must not be dereferenced. */
	cursor.fences = (void *)~0;
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &only->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

/* A list that is freed between two steps may be followed by one at the same address. */
static void unlocked_walk_restarts_on_a_list_at_the_same_address(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *src = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct mock_fence *only = mock_resv_add_new(test, src, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "goes on in the new list there");

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NOT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(obj, src), 0);
	dma_resv_unlock(obj);
	cursor.fences = rcu_access_pointer(obj->fences);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &only->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_ends_when_the_list_goes(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *empty = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "returns the fence once more there");

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NOT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(obj, empty), 0);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_does_not_see_appended_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *first = mock_fence_new(test);
	struct dma_fence *late = mock_fence_new(test);
	struct dma_resv_iter cursor;

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 2), 0);
	dma_resv_add_fence(obj, first, DMA_RESV_USAGE_READ);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), first);
	dma_resv_add_fence(obj, late, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
	dma_resv_unlock(obj);
}

static void unlocked_walk_sees_fences_replaced_ahead(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *ahead = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *new = mock_fence_new(test);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &first->base);
	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, ahead->base.context, new, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), new);
	KUNIT_EXPECT_FALSE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_EQ(test, dma_resv_iter_usage(&cursor), DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_does_not_go_back_for_replaced_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *new = mock_fence_new(test);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &first->base);
	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, first->base.context, new, DMA_RESV_USAGE_READ);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), &second->base);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 1);
}

static void unlocked_walk_leaves_out_what_signals_on_the_way(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &first->base);
	dma_fence_signal(&second->base);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
}

static void unlocked_walk_works_under_the_lock(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_iter cursor;

	dma_resv_lock(obj, NULL);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), &mock->base);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
	dma_resv_unlock(obj);
}

static void unlocked_walk_lets_its_body_sleep(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int steps = 0;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (IS_ENABLED(CONFIG_PROVE_RCU))
			KUNIT_EXPECT_FALSE(test, rcu_read_lock_held());
		schedule_timeout_uninterruptible(1);
		steps++;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, steps, 4);
}

static void unlocked_walk_works_in_atomic_context(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int steps = 0;
	unsigned long flags;

	mock_resv_add_each(test, obj, mocks);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		local_irq_save(flags);
		dma_resv_for_each_fence_unlocked(&cursor, fence)
			steps++;
		local_irq_restore(flags);
	});
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, steps, 4);
}

/*
 * The list goes while a reader asks its first fence, and the memory of its second one
 * becomes a fence that nobody has added. The old list still points there.
 */
struct retire {
	struct dma_resv *obj;
	struct dma_resv other;
	struct dma_fence *stranger;
};

static void retire_on_poll(struct mock_fence *mock)
{
	struct retire *retire = mock->on_poll_data;

	mock->on_poll = NULL;
	retire->other.fences = retire->obj->fences;
	rcu_assign_pointer(retire->obj->fences, NULL);
	dma_resv_fini(&retire->other);
	retire->stranger = race_recycled_create(2, 1);
	mock->complete = true;
}

static void unlocked_walk_does_not_believe_a_list_that_was_replaced(struct kunit *test)
{
	struct retire retire = { .obj = mock_resv_create(test) };
	struct mock_fence *mock = mock_resv_add_new(test, retire.obj, DMA_RESV_USAGE_READ);
	struct dma_fence *second = race_recycled_create(1, 1);
	struct dma_resv_iter cursor;

	KUNIT_ASSERT_NOT_NULL(test, second);
	mock_resv_add(test, retire.obj, second, DMA_RESV_USAGE_READ);
	dma_fence_put(second);
	mock->on_poll_data = &retire;
	mock->on_poll = retire_on_poll;
	dma_resv_init(&retire.other);

	dma_resv_iter_begin(&cursor, retire.obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	dma_resv_iter_end(&cursor);

	KUNIT_EXPECT_PTR_EQ(test, retire.stranger, second);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(retire.stranger), 1);
	dma_fence_signal(retire.stranger);
	dma_fence_put(retire.stranger);
	race_recycled_free();
}

static struct kunit_case dma_resv_iter_cases[] = {
	KUNIT_CASE_PARAM(locked_walk_filters_by_usage, usage_gen_params),
	KUNIT_CASE(locked_walk_includes_signalled_fences),
	KUNIT_CASE(locked_walk_does_not_ask_drivers),
	KUNIT_CASE(locked_walk_takes_no_references),
	KUNIT_CASE(locked_walk_may_be_left_early),
	KUNIT_CASE(locked_walk_is_restarted_on_the_first_only),
	KUNIT_CASE(locked_walk_of_empty_object_ends_at_once),
	KUNIT_CASE_PARAM(unlocked_walk_filters_by_usage, usage_gen_params),
	KUNIT_CASE(unlocked_walk_leaves_signalled_fences_out),
	KUNIT_CASE(unlocked_walk_of_empty_object_ends_at_once),
	KUNIT_CASE(unlocked_walk_references_the_current_fence),
	KUNIT_CASE(unlocked_walk_may_end_in_the_middle),
	KUNIT_CASE(unlocked_walk_may_end_before_the_first),
	KUNIT_CASE(unlocked_walk_keeps_the_current_fence_alive),
	KUNIT_CASE(unlocked_walk_is_restarted_on_the_first_only),
	KUNIT_CASE(unlocked_walk_restarts_on_a_new_list),
	KUNIT_CASE(unlocked_walk_restarts_after_the_last_fence),
	KUNIT_CASE(unlocked_walk_restarts_when_it_forgot_its_list),
	KUNIT_CASE(unlocked_walk_restarts_on_a_list_at_the_same_address),
	KUNIT_CASE(unlocked_walk_ends_when_the_list_goes),
	KUNIT_CASE(unlocked_walk_does_not_believe_a_list_that_was_replaced),
	KUNIT_CASE(unlocked_walk_does_not_see_appended_fences),
	KUNIT_CASE(unlocked_walk_sees_fences_replaced_ahead),
	KUNIT_CASE(unlocked_walk_does_not_go_back_for_replaced_fences),
	KUNIT_CASE(unlocked_walk_leaves_out_what_signals_on_the_way),
	KUNIT_CASE(unlocked_walk_works_under_the_lock),
	KUNIT_CASE(unlocked_walk_lets_its_body_sleep),
	KUNIT_CASE(unlocked_walk_works_in_atomic_context),
	{}
};

static struct kunit_suite dma_resv_iter_suite = {
	.name = "dma_resv_iter",
	.test_cases = dma_resv_iter_cases,
};

kunit_test_suite(dma_resv_iter_suite);
