// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of what can be asked about a reservation object: snapshots, waits,
 * tests, deadlines, text.
 */

#include <kunit/test.h>

#include <linux/dma-fence-array.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_resv.h"
#include "test_util.h"

/* Long enough for anything that a case is really waiting for. */
#define LONG_WAIT (60 * HZ)

KUNIT_ARRAY_PARAM_DESC(usage, mock_usages, desc);

/*
 * Replaces the list of one object by that of another in the middle of a walk:
 * no list knows to which object it belongs. To be set as on_poll of a fence.
 */
struct list_swap {
	struct dma_resv *obj;
	struct dma_resv *other;
};

static void swap_lists_on_poll(struct mock_fence *mock)
{
	struct list_swap *swap = mock->on_poll_data;
	struct dma_resv_list *list;

	mock->on_poll = NULL;
	list = rcu_dereference_protected(swap->obj->fences, true);
	rcu_assign_pointer(swap->obj->fences, rcu_dereference_protected(swap->other->fences, true));
	rcu_assign_pointer(swap->other->fences, list);
}

/*
 * Two fences in the list that is seen first, one in that which comes on the way:
 * after the walk has met the first fence (0) or the second one (1).
 */
struct restart {
	struct dma_resv *obj;
	struct mock_fence *before[2];
	struct mock_fence *after;
	struct list_swap swap;
};

static struct restart *restart_create(struct kunit *test, unsigned int after)
{
	struct restart *restart = kunit_kzalloc(test, sizeof(*restart), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, restart);
	restart->obj = mock_resv_create(test);
	restart->swap.obj = restart->obj;
	restart->swap.other = mock_resv_create(test);
	restart->before[0] = mock_resv_add_new(test, restart->obj, DMA_RESV_USAGE_READ);
	restart->before[1] = mock_resv_add_new(test, restart->obj, DMA_RESV_USAGE_READ);
	restart->after = mock_resv_add_new(test, restart->swap.other, DMA_RESV_USAGE_WRITE);
	restart->before[after]->on_poll_data = &restart->swap;
	restart->before[after]->on_poll = swap_lists_on_poll;
	return restart;
}

static void expect_restart_balanced(struct kunit *test, struct restart *restart,
				    unsigned int refs_after)
{
	KUNIT_EXPECT_NULL(test, restart->before[0]->on_poll);
	KUNIT_EXPECT_NULL(test, restart->before[1]->on_poll);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->before[0]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->before[1]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->after->base), refs_after);
}

/* Failing allocations, one after the other. */
struct nth_alloc {
	const char *desc;
	unsigned int nth;
};

static const struct nth_alloc nth_allocs[] = {
	{ "first", 1 },
	{ "second", 2 },
	{ "third", 3 },
	{ "fourth", 4 },
	{ "fifth", 5 },
};

KUNIT_ARRAY_PARAM_DESC(nth_alloc, nth_allocs, desc);

/* ---- get_fences ---- */

static void put_fences(struct dma_fence **fences, unsigned int count)
{
	while (count--)
		dma_fence_put(fences[count]);
	kfree(fences);
}

static void get_fences_of_empty_object_gives_none(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence **fences = (void *)~0;
	unsigned int count = 99;

	KUNIT_EXPECT_EQ(test, dma_resv_get_fences(obj, DMA_RESV_USAGE_BOOKKEEP, &count, &fences),
			0);
	KUNIT_EXPECT_EQ(test, count, 0);
	KUNIT_EXPECT_NULL(test, fences);
}

static void get_fences_gives_one_with_a_reference(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, param->usage);
	struct dma_fence **fences;
	unsigned int count;

	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, param->usage, &count, &fences), 0);
	KUNIT_ASSERT_EQ(test, count, 1);
	KUNIT_EXPECT_PTR_EQ(test, fences[0], &mock->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 3);
	put_fences(fences, count);
}

static void get_fences_filters_by_usage(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_fence **fences;
	unsigned int count;

	mock_resv_add_each(test, obj, mocks);
	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, param->usage, &count, &fences), 0);
	KUNIT_ASSERT_EQ(test, count, param->usage + 1);
	KUNIT_EXPECT_PTR_EQ(test, fences[0], &mocks[param->usage]->base);
	KUNIT_EXPECT_PTR_EQ(test, fences[count - 1], &mocks[DMA_RESV_USAGE_KERNEL]->base);
	put_fences(fences, count);
}

static void get_fences_leaves_signalled_out(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *pending = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence **fences;
	unsigned int count;

	dma_fence_signal(&done->base);
	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, DMA_RESV_USAGE_READ, &count, &fences), 0);
	KUNIT_ASSERT_EQ(test, count, 1);
	KUNIT_EXPECT_PTR_EQ(test, fences[0], &pending->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&done->base), 2);
	put_fences(fences, count);
}

static void get_fences_takes_many(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence **fences;
	unsigned int i, count;

	for (i = 0; i < 300; i++)
		mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, DMA_RESV_USAGE_READ, &count, &fences), 0);
	KUNIT_EXPECT_EQ(test, count, 300);
	put_fences(fences, count);
}

static void get_fences_works_under_the_lock(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence **fences;
	unsigned int count;
	int ret;

	mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	dma_resv_lock(obj, NULL);
	ret = dma_resv_get_fences(obj, DMA_RESV_USAGE_READ, &count, &fences);
	dma_resv_unlock(obj);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, count, 1);
	put_fences(fences, count);
}

static void get_fences_starts_over_on_a_new_list(struct kunit *test)
{
	struct restart *restart = restart_create(test, 1);
	struct dma_fence **fences;
	unsigned int count;

	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(restart->obj, DMA_RESV_USAGE_READ, &count,
						  &fences), 0);
	KUNIT_EXPECT_EQ(test, count, 1);
	KUNIT_EXPECT_PTR_EQ(test, fences[0], &restart->after->base);
	expect_restart_balanced(test, restart, 3);
	put_fences(fences, count);
}

static void get_fences_without_memory_gives_none(struct kunit *test)
{
	const struct nth_alloc *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_fence **fences = (void *)~0;
	unsigned int count = 99;
	bool failed;
	int ret = 0;

	mock_resv_add_each(test, obj, mocks);
	fail_alloc_setup(test);
	failed = FAIL_NTH_ALLOC(param->nth,
				ret = dma_resv_get_fences(obj, DMA_RESV_USAGE_BOOKKEEP, &count,
							  &fences));
	if (!ret) {
		/* Not one of the allocations that the call depends on. */
		KUNIT_EXPECT_GT(test, param->nth, 1);
		KUNIT_EXPECT_EQ(test, count, MOCK_NUM_USAGES);
		put_fences(fences, count);
	} else {
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, count, 0);
		KUNIT_EXPECT_NULL(test, fences);
	}
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[3]->base), 2);
}

static void restarted_get_fences_without_memory_is_balanced(struct kunit *test)
{
	const struct nth_alloc *param = test->param_value;
	struct restart *restart = restart_create(test, 1);
	struct dma_fence **fences = (void *)~0;
	unsigned int count = 99;
	int ret = 0;

	fail_alloc_setup(test);
	FAIL_NTH_ALLOC(param->nth, ret = dma_resv_get_fences(restart->obj, DMA_RESV_USAGE_READ,
							     &count, &fences));
	if (!ret) {
		KUNIT_EXPECT_EQ(test, count, 1);
		put_fences(fences, count);
	} else {
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, count, 0);
		KUNIT_EXPECT_NULL(test, fences);
	}
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->before[0]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->before[1]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&restart->after->base), 2);
}

/* ---- get_singleton ---- */

static void singleton_of_idle_object_is_null(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *fence = (void *)~0;

	dma_fence_signal(&done->base);
	KUNIT_EXPECT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_EXPECT_NULL(test, fence);
}

static void singleton_of_one_is_that_one(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_fence *fence;
	int usage;

	mock_resv_add_each(test, obj, mocks);
	for (usage = 0; usage < MOCK_NUM_USAGES; usage++)
		if (usage != param->usage)
			dma_fence_signal(&mocks[usage]->base);
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, param->usage, &fence), 0);
	KUNIT_EXPECT_PTR_EQ(test, fence, &mocks[param->usage]->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[param->usage]->base), 3);
	dma_fence_put(fence);
}

static void singleton_ignores_weaker_usages(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_fence *fence;

	mock_resv_add_each(test, obj, mocks);
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_KERNEL, &fence), 0);
	KUNIT_EXPECT_PTR_EQ(test, fence, &mocks[DMA_RESV_USAGE_KERNEL]->base);
	dma_fence_put(fence);
}

static void singleton_of_many_is_an_array(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	u64 before = dma_fence_context_alloc(1);
	struct dma_fence *fence;

	mock_resv_add_each(test, obj, mocks);
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(fence));
	KUNIT_EXPECT_EQ(test, to_dma_fence_array(fence)->num_fences, 3);
	KUNIT_EXPECT_PTR_EQ(test, to_dma_fence_array(fence)->fences[0],
			    &mocks[DMA_RESV_USAGE_READ]->base);
	KUNIT_EXPECT_GT(test, fence->context, before);
	KUNIT_EXPECT_EQ(test, fence->seqno, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 3);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 2);
}

/* More than are collected on the stack. */
static void singleton_of_dozens_is_an_array(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[24];
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mocks); i++)
		mocks[i] = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(fence));
	KUNIT_ASSERT_EQ(test, to_dma_fence_array(fence)->num_fences, ARRAY_SIZE(mocks));
	for (i = 0; i < ARRAY_SIZE(mocks); i++) {
		KUNIT_EXPECT_PTR_EQ(test, to_dma_fence_array(fence)->fences[i], &mocks[i]->base);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[i]->base), 3);
	}
	dma_fence_put(fence);
	for (i = 0; i < ARRAY_SIZE(mocks); i++)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[i]->base), 2);
}

static void singleton_of_many_waits_for_all(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *fence;

	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	dma_fence_enable_sw_signaling(fence);
	dma_fence_signal(&first->base);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	dma_fence_signal(&second->base);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, LONG_WAIT) > 0, true);
	dma_fence_put(fence);
}

struct restart_after {
	const char *desc;
	unsigned int after;
};

static const struct restart_after restart_afters[] = {
	{ "after the first fence", 0 },
	{ "after the second fence", 1 },
};

KUNIT_ARRAY_PARAM_DESC(restart_after, restart_afters, desc);

static void singleton_starts_over_on_a_new_list(struct kunit *test)
{
	const struct restart_after *param = test->param_value;
	struct restart *restart = restart_create(test, param->after);
	struct dma_fence *fence;

	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(restart->obj, DMA_RESV_USAGE_READ, &fence),
			0);
	KUNIT_EXPECT_PTR_EQ(test, fence, &restart->after->base);
	expect_restart_balanced(test, restart, 3);
	dma_fence_put(fence);
}

/*
 * An object of one fence, which has no list any more once a reader has asked that fence.
 */
static struct mock_fence *become_empty_create(struct kunit *test, struct list_swap *swap)
{
	struct mock_fence *mock;

	swap->obj = mock_resv_create(test);
	swap->other = mock_resv_create(test);
	mock = mock_resv_add_new(test, swap->obj, DMA_RESV_USAGE_READ);
	mock->on_poll_data = swap;
	mock->on_poll = swap_lists_on_poll;
	return mock;
}

static void singleton_of_object_that_becomes_empty_is_null(struct kunit *test)
{
	struct list_swap swap;
	struct mock_fence *mock = become_empty_create(test, &swap);
	struct dma_fence *fence = NULL;

	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(swap.obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_EXPECT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void fences_of_object_that_becomes_empty_are_none(struct kunit *test)
{
	struct list_swap swap;
	struct mock_fence *mock = become_empty_create(test, &swap);
	struct dma_fence **fences = (void *)~0;
	unsigned int count = 1;

	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(swap.obj, DMA_RESV_USAGE_READ, &count, &fences),
			0);
	KUNIT_EXPECT_EQ(test, count, 0);
	KUNIT_EXPECT_NULL(test, fences);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

/* Signals another fence when its driver is asked. To be set as on_poll. */
static void signal_other_on_poll(struct mock_fence *mock)
{
	dma_fence_signal(mock->on_poll_data);
}

/* There are two when memory for an array is allocated, and one when it is filled. */
static void singleton_of_two_that_become_one_is_that_one(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *other = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *fence = NULL;

	mock->on_poll_data = &other->base;
	mock->on_poll = signal_other_on_poll;
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_EXPECT_PTR_EQ(test, fence, &mock->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 3);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&other->base), 2);
	dma_fence_put(fence);
	mock->on_poll = NULL;
}

static void complete_both_on_poll(struct mock_fence *mock)
{
	signal_other_on_poll(mock);
	mock->complete = true;
}

static void singleton_of_two_that_signal_meanwhile_is_null(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *other = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *fence = (void *)~0;

	mock->on_poll_data = &other->base;
	mock->on_poll = complete_both_on_poll;
	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, DMA_RESV_USAGE_READ, &fence), 0);
	KUNIT_EXPECT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&other->base), 2);
	mock->on_poll = NULL;
}

static void singleton_without_memory_is_balanced(struct kunit *test)
{
	const struct nth_alloc *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct dma_fence *fence = NULL;
	bool failed;
	int ret = 0;

	mock_resv_add_each(test, obj, mocks);
	fail_alloc_setup(test);
	failed = FAIL_NTH_ALLOC(param->nth,
				ret = dma_resv_get_singleton(obj, DMA_RESV_USAGE_BOOKKEEP,
							     &fence));
	if (!ret) {
		KUNIT_EXPECT_GT(test, param->nth, 1);
		dma_fence_put(fence);
	} else {
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[3]->base), 2);
}

/* ---- copy_fences ---- */

static int copy_fences(struct dma_resv *dst, struct dma_resv *src)
{
	int ret;

	dma_resv_lock(dst, NULL);
	ret = dma_resv_copy_fences(dst, src);
	dma_resv_unlock(dst);
	return ret;
}

static void look(struct dma_resv *obj, struct mock_resv_snapshot *shot)
{
	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, shot);
	dma_resv_unlock(obj);
}

static void copy_keeps_order_and_usages(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct mock_resv_snapshot shot;

	mock_resv_add_each(test, src, mocks);
	KUNIT_EXPECT_EQ(test, copy_fences(dst, src), 0);
	look(dst, &shot);
	KUNIT_ASSERT_EQ(test, shot.count, MOCK_NUM_USAGES);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &mocks[DMA_RESV_USAGE_BOOKKEEP]->base);
	KUNIT_EXPECT_EQ(test, shot.usages[0], DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[3], &mocks[DMA_RESV_USAGE_KERNEL]->base);
	KUNIT_EXPECT_EQ(test, shot.usages[3], DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 3);
}

static void copy_takes_pending_fences_only(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct mock_resv_snapshot shot;

	mock_resv_add_each(test, src, mocks);
	dma_fence_signal(&mocks[DMA_RESV_USAGE_WRITE]->base);
	KUNIT_EXPECT_EQ(test, copy_fences(dst, src), 0);
	look(dst, &shot);
	KUNIT_EXPECT_EQ(test, shot.count, 3);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[DMA_RESV_USAGE_WRITE]->base), 2);
}

static void copy_drops_what_was_there(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *new = mock_resv_add_new(test, src, DMA_RESV_USAGE_READ);
	struct mock_fence *old = mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	struct mock_resv_snapshot shot;

	KUNIT_EXPECT_EQ(test, copy_fences(dst, src), 0);
	look(dst, &shot);
	KUNIT_ASSERT_EQ(test, shot.count, 1);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &new->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), 1);
}

static void copy_of_nothing_empties(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, src, DMA_RESV_USAGE_READ);
	struct mock_fence *old = mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	struct mock_resv_snapshot shot;

	dma_fence_signal(&done->base);
	KUNIT_EXPECT_EQ(test, copy_fences(dst, src), 0);
	look(dst, &shot);
	KUNIT_EXPECT_EQ(test, shot.count, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), 1);
}

static void copied_object_takes_more_fences(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_resv_snapshot shot;

	mock_resv_add_new(test, src, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, copy_fences(dst, src), 0);
	mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	look(dst, &shot);
	KUNIT_EXPECT_EQ(test, shot.count, 3);
	look(src, &shot);
	KUNIT_EXPECT_EQ(test, shot.count, 1);
}

static void copy_starts_over_on_a_new_list(struct kunit *test)
{
	struct restart *restart = restart_create(test, 1);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_resv_snapshot shot;

	KUNIT_EXPECT_EQ(test, copy_fences(dst, restart->obj), 0);
	look(dst, &shot);
	KUNIT_ASSERT_EQ(test, shot.count, 1);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &restart->after->base);
	KUNIT_EXPECT_EQ(test, shot.usages[0], DMA_RESV_USAGE_WRITE);
	expect_restart_balanced(test, restart, 3);
}

static void copy_of_object_that_becomes_empty_empties(struct kunit *test)
{
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *old = mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	struct list_swap swap;
	struct mock_fence *mock = become_empty_create(test, &swap);
	struct mock_resv_snapshot shot;

	KUNIT_EXPECT_EQ(test, copy_fences(dst, swap.obj), 0);
	look(dst, &shot);
	KUNIT_EXPECT_EQ(test, shot.count, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void copy_without_memory_changes_nothing(struct kunit *test)
{
	const struct nth_alloc *param = test->param_value;
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	struct mock_fence *old = mock_resv_add_new(test, dst, DMA_RESV_USAGE_READ);
	struct mock_resv_snapshot shot;
	bool failed;
	int ret = 0;

	mock_resv_add_each(test, src, mocks);
	fail_alloc_setup(test);
	failed = FAIL_NTH_ALLOC(param->nth, ret = copy_fences(dst, src));
	look(dst, &shot);
	if (!ret) {
		KUNIT_EXPECT_GT(test, param->nth, 1);
		KUNIT_EXPECT_EQ(test, shot.count, MOCK_NUM_USAGES);
	} else {
		KUNIT_EXPECT_TRUE(test, failed);
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_ASSERT_EQ(test, shot.count, 1);
		KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &old->base);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), 2);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[0]->base), 2);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[3]->base), 2);
	}
}

/* ---- wait ---- */

struct idle_wait {
	const char *desc;
	unsigned long timeout;
	long result;
};

static const struct idle_wait idle_waits[] = {
	{ "no time", 0, 1 },
	{ "some time", 5, 5 },
	{ "unlimited", MAX_SCHEDULE_TIMEOUT, MAX_SCHEDULE_TIMEOUT },
};

KUNIT_ARRAY_PARAM_DESC(idle_wait, idle_waits, desc);

static void wait_for_idle_object_returns_the_timeout(struct kunit *test)
{
	const struct idle_wait *wait = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done;

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_BOOKKEEP, true,
						    wait->timeout), wait->result);
	done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_KERNEL);
	dma_fence_signal(&done->base);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_BOOKKEEP, true,
						    wait->timeout), wait->result);
}

static void wait_without_time_enables_the_first(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false, 0), 0);
	KUNIT_EXPECT_EQ(test, first->log->enables, 1);
	KUNIT_EXPECT_EQ(test, second->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
}

static void wait_waits_for_all(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_KERNEL);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	long left;

	test_signal_later(test, &first->base, 30);
	test_signal_later(test, &second->base, 30);
	left = dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false, LONG_WAIT);
	KUNIT_EXPECT_GE(test, left, 1);
	KUNIT_EXPECT_LT(test, left, LONG_WAIT);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&first->base));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&second->base));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&second->base), 2);
}

static void wait_ignores_weaker_usages(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];
	int usage;

	mock_resv_add_each(test, obj, mocks);
	for (usage = 0; usage <= param->usage; usage++)
		dma_fence_signal(&mocks[usage]->base);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, param->usage, false, 0), 1);
	if (param->usage < DMA_RESV_USAGE_BOOKKEEP)
		KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, param->usage + 1, false, 0), 0);
}

static void wait_times_out(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, true, 2), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&mock->base.cb_list));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void wait_is_interrupted(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	long ret;

	test_interrupt_later(test, 30);
	ret = dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, true, LONG_WAIT);
	flush_signals(current);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

/* Fences with a wait of their own, which tell what the walk hands on. */
static struct mock_fence *add_waiting(struct kunit *test, struct dma_resv *obj, long result)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_wait_ops,
						    dma_fence_context_alloc(1), 1);

	mock->wait_result = result;
	mock_resv_add(test, obj, &mock->base, DMA_RESV_USAGE_READ);
	return mock;
}

static void wait_carries_the_time_over(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = add_waiting(test, obj, 7);
	struct mock_fence *second = add_waiting(test, obj, 3);

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, true, 9), 3);
	KUNIT_EXPECT_EQ(test, first->log->wait_timeout, 9);
	KUNIT_EXPECT_TRUE(test, first->log->wait_intr);
	KUNIT_EXPECT_EQ(test, second->log->wait_timeout, 7);
	KUNIT_EXPECT_EQ(test, second->log->waits, 1);
}

static void wait_without_time_hands_none_on(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = add_waiting(test, obj, 0);

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false, 0), 0);
	KUNIT_EXPECT_EQ(test, mock->log->waits, 1);
	KUNIT_EXPECT_EQ(test, mock->log->wait_timeout, 0);
}

static void wait_ends_at_the_first_time_out(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = add_waiting(test, obj, 0);
	struct mock_fence *second = add_waiting(test, obj, 3);

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false, 9), 0);
	KUNIT_EXPECT_EQ(test, first->log->waits, 1);
	KUNIT_EXPECT_FALSE(test, first->log->wait_intr);
	KUNIT_EXPECT_EQ(test, second->log->waits, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&first->base), 2);
}

static void wait_hands_on_a_drivers_error(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	add_waiting(test, obj, -EIO);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false, 9), -EIO);
}

static void wait_goes_on_with_a_new_list(struct kunit *test)
{
	struct restart *restart = restart_create(test, 1);
	long left;

	/* The fence of the new list is still pending when those before are done. */
	test_signal_later(test, &restart->before[1]->base, 30);
	test_signal_later(test, &restart->after->base, 30);
	dma_fence_signal(&restart->before[0]->base);
	left = dma_resv_wait_timeout(restart->obj, DMA_RESV_USAGE_READ, false, LONG_WAIT);
	KUNIT_EXPECT_GE(test, left, 1);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&restart->after->base));
	expect_restart_balanced(test, restart, 2);
}

/* The fences that the walk has passed have signalled by then, the new ones have not. */
static void wait_starts_over_if_the_list_goes_at_its_end(struct kunit *test)
{
	struct restart *restart = restart_create(test, 0);

	restart->before[0]->complete = true;
	dma_fence_signal(&restart->before[1]->base);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(restart->obj, DMA_RESV_USAGE_READ, false, 0),
			0);
	expect_restart_balanced(test, restart, 2);
}

/* ---- test ---- */

static void empty_object_is_signalled(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);

	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, param->usage));
}

static void test_signaled_filters_by_usage(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	int usage;

	mock_resv_add_new(test, obj, param->usage);
	for (usage = 0; usage < MOCK_NUM_USAGES; usage++)
		KUNIT_EXPECT_EQ(test, dma_resv_test_signaled(obj, usage), usage < param->usage);
}

static void test_signaled_looks_at_all(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	dma_fence_signal(&first->base);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	dma_fence_signal(&second->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
}

static void test_signaled_stops_at_the_first_pending(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	unsigned int first_polls = first->log->polls;
	unsigned int second_polls = second->log->polls;

	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_GT(test, first->log->polls, first_polls);
	KUNIT_EXPECT_EQ(test, second->log->polls, second_polls);
}

static void test_signaled_asks_the_drivers(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	mock->complete = true;
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void test_signaled_knows_fences_without_ops(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = mock_fence_new(test);

	mock_resv_add(test, obj, fence, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
}

/* An object that a query for READ has found idle. */
static struct dma_resv *create_idle(struct kunit *test, struct mock_fence **last)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	dma_fence_signal(&mock->base);
	KUNIT_ASSERT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_ASSERT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	*last = mock;
	return obj;
}

static void idle_object_is_busy_after_an_add(struct kunit *test)
{
	struct mock_fence *last;
	struct dma_resv *obj = create_idle(test, &last);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
}

/* More fences than before, in place of none. */
static void idle_object_is_busy_after_an_append(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *pending = mock_resv_add_new(test, obj, DMA_RESV_USAGE_BOOKKEEP);

	KUNIT_ASSERT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&pending->base), 2);
}

static void idle_object_is_busy_after_a_replace(struct kunit *test)
{
	struct mock_fence *last, *mock = mock_fence_new_full(test);
	struct dma_resv *obj = create_idle(test, &last);

	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, last->base.context, &mock->base, DMA_RESV_USAGE_READ);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
}

static void idle_object_is_busy_after_a_copy(struct kunit *test)
{
	struct mock_fence *last;
	struct dma_resv *obj = create_idle(test, &last);
	struct dma_resv *other = mock_resv_create(test);

	mock_resv_add_new(test, other, DMA_RESV_USAGE_READ);
	KUNIT_ASSERT_EQ(test, copy_fences(obj, other), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
}

static void idle_for_one_usage_says_nothing_of_weaker_ones(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	int usage;

	mock_resv_add_new(test, obj, param->usage);
	for (usage = 0; usage < param->usage; usage++)
		KUNIT_ASSERT_TRUE(test, dma_resv_test_signaled(obj, usage));
	for (; usage < MOCK_NUM_USAGES; usage++)
		KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, usage));
}

static void test_signaled_works_under_lock_and_in_atomic_context(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	unsigned long flags;
	bool signaled = true;

	mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		local_irq_save(flags);
		signaled = dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ);
		local_irq_restore(flags);
	});
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, signaled);
}

/* Hand over to another fence, and be done only then. To be set as on_poll. */
struct hand_over {
	struct dma_resv *obj;
	struct dma_fence *next;
};

static void hand_over_on_poll(struct mock_fence *mock)
{
	struct hand_over *hand = mock->on_poll_data;

	mock->on_poll = NULL;
	if (!dma_resv_trylock(hand->obj))
		return;
	dma_resv_replace_fences(hand->obj, mock->base.context, hand->next, DMA_RESV_USAGE_READ);
	dma_resv_unlock(hand->obj);
	mock->complete = true;
}

static void test_signaled_does_not_miss_what_was_replaced(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *next = mock_fence_new_full(test);
	struct hand_over hand = { .obj = obj, .next = &next->base };
	bool signaled;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "finds the object idle there, which it never was");

	mock->on_poll_data = &hand;
	mock->on_poll = hand_over_on_poll;
	signaled = dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ);
	mock->on_poll = NULL;

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_FALSE(test, signaled);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&next->base), 2);
}

/* ---- deadline ---- */

static void deadline_reaches_pending_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];

	mock_resv_add_each(test, obj, mocks);
	dma_fence_signal(&mocks[DMA_RESV_USAGE_WRITE]->base);
	dma_resv_set_deadline(obj, DMA_RESV_USAGE_READ, 4242);

	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_KERNEL]->log->deadlines, 1);
	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_KERNEL]->log->deadline, 4242);
	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_WRITE]->log->deadlines, 0);
	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_READ]->log->deadlines, 1);
	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_READ]->log->deadline, 4242);
	KUNIT_EXPECT_EQ(test, mocks[DMA_RESV_USAGE_BOOKKEEP]->log->deadlines, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[DMA_RESV_USAGE_READ]->base), 2);
}

static void deadline_of_empty_object_is_lost(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	dma_resv_set_deadline(obj, DMA_RESV_USAGE_BOOKKEEP, 4242);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(obj->fences));
}

/* ---- text ---- */

static const char *describe(struct kunit *test, struct dma_resv *obj)
{
	struct seq_file seq = { .size = 1024, .buf = kunit_kzalloc(test, 1024, GFP_KERNEL) };

	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	dma_resv_lock(obj, NULL);
	dma_resv_describe(obj, &seq);
	dma_resv_unlock(obj);
	return seq.buf;
}

static void describe_shows_a_line_per_fence(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MOCK_NUM_USAGES];

	mock_resv_add_each(test, obj, mocks);
	dma_fence_signal(&mocks[DMA_RESV_USAGE_KERNEL]->base);
	KUNIT_EXPECT_STREQ(test, describe(test, obj),
			   "\tread fence:mock_driver mock_timeline seq 1 unsignalled\n"
			   "\twrite fence:mock_driver mock_timeline seq 1 unsignalled\n"
			   "\tkernel fence:detached-driver signaled-timeline seq 1 signalled\n");
}

static void describe_never_shows_bookkeeping(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	mock_resv_add_new(test, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_STREQ(test, describe(test, obj), "");
}

static void describe_of_empty_object_is_empty(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, describe(test, mock_resv_create(test)), "");
}

static struct kunit_case dma_resv_query_cases[] = {
	KUNIT_CASE(get_fences_of_empty_object_gives_none),
	KUNIT_CASE_PARAM(get_fences_gives_one_with_a_reference, usage_gen_params),
	KUNIT_CASE_PARAM(get_fences_filters_by_usage, usage_gen_params),
	KUNIT_CASE(get_fences_leaves_signalled_out),
	KUNIT_CASE(get_fences_takes_many),
	KUNIT_CASE(get_fences_works_under_the_lock),
	KUNIT_CASE(get_fences_starts_over_on_a_new_list),
	KUNIT_CASE_PARAM(get_fences_without_memory_gives_none, nth_alloc_gen_params),
	KUNIT_CASE_PARAM(restarted_get_fences_without_memory_is_balanced, nth_alloc_gen_params),
	KUNIT_CASE(singleton_of_idle_object_is_null),
	KUNIT_CASE_PARAM(singleton_of_one_is_that_one, usage_gen_params),
	KUNIT_CASE(singleton_ignores_weaker_usages),
	KUNIT_CASE(singleton_of_many_is_an_array),
	KUNIT_CASE(singleton_of_dozens_is_an_array),
	KUNIT_CASE(singleton_of_many_waits_for_all),
	KUNIT_CASE_PARAM(singleton_starts_over_on_a_new_list, restart_after_gen_params),
	KUNIT_CASE(singleton_of_object_that_becomes_empty_is_null),
	KUNIT_CASE(fences_of_object_that_becomes_empty_are_none),
	KUNIT_CASE(singleton_of_two_that_become_one_is_that_one),
	KUNIT_CASE(singleton_of_two_that_signal_meanwhile_is_null),
	KUNIT_CASE_PARAM(singleton_without_memory_is_balanced, nth_alloc_gen_params),
	KUNIT_CASE(copy_keeps_order_and_usages),
	KUNIT_CASE(copy_takes_pending_fences_only),
	KUNIT_CASE(copy_drops_what_was_there),
	KUNIT_CASE(copy_of_nothing_empties),
	KUNIT_CASE(copied_object_takes_more_fences),
	KUNIT_CASE(copy_starts_over_on_a_new_list),
	KUNIT_CASE(copy_of_object_that_becomes_empty_empties),
	KUNIT_CASE_PARAM(copy_without_memory_changes_nothing, nth_alloc_gen_params),
	KUNIT_CASE_PARAM(wait_for_idle_object_returns_the_timeout, idle_wait_gen_params),
	KUNIT_CASE(wait_without_time_enables_the_first),
	KUNIT_CASE(wait_waits_for_all),
	KUNIT_CASE_PARAM(wait_ignores_weaker_usages, usage_gen_params),
	KUNIT_CASE(wait_times_out),
	KUNIT_CASE(wait_is_interrupted),
	KUNIT_CASE(wait_carries_the_time_over),
	KUNIT_CASE(wait_without_time_hands_none_on),
	KUNIT_CASE(wait_ends_at_the_first_time_out),
	KUNIT_CASE(wait_hands_on_a_drivers_error),
	KUNIT_CASE(wait_goes_on_with_a_new_list),
	KUNIT_CASE(wait_starts_over_if_the_list_goes_at_its_end),
	KUNIT_CASE_PARAM(empty_object_is_signalled, usage_gen_params),
	KUNIT_CASE_PARAM(test_signaled_filters_by_usage, usage_gen_params),
	KUNIT_CASE(test_signaled_looks_at_all),
	KUNIT_CASE(test_signaled_stops_at_the_first_pending),
	KUNIT_CASE(test_signaled_asks_the_drivers),
	KUNIT_CASE(test_signaled_knows_fences_without_ops),
	KUNIT_CASE(idle_object_is_busy_after_an_add),
	KUNIT_CASE(idle_object_is_busy_after_an_append),
	KUNIT_CASE(idle_object_is_busy_after_a_replace),
	KUNIT_CASE(idle_object_is_busy_after_a_copy),
	KUNIT_CASE_PARAM(idle_for_one_usage_says_nothing_of_weaker_ones, usage_gen_params),
	KUNIT_CASE(test_signaled_works_under_lock_and_in_atomic_context),
	KUNIT_CASE(test_signaled_does_not_miss_what_was_replaced),
	KUNIT_CASE(deadline_reaches_pending_fences),
	KUNIT_CASE(deadline_of_empty_object_is_lost),
	KUNIT_CASE(describe_shows_a_line_per_fence),
	KUNIT_CASE(describe_never_shows_bookkeeping),
	KUNIT_CASE(describe_of_empty_object_is_empty),
	{}
};

static struct kunit_suite dma_resv_query_suite = {
	.name = "dma_resv_query",
	.test_cases = dma_resv_query_cases,
};

kunit_test_suite(dma_resv_query_suite);
