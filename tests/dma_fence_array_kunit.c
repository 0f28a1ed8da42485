// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of arrays of fences: ownership, enabling, completion, errors.
 */

#include <kunit/test.h>

#include <linux/cleanup.h>
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_container.h"
#include "mock_fence.h"

#define NUM_MEMBERS 3

/* An array of three fences under control of the case. */
struct trio {
	struct mock_fence *mocks[NUM_MEMBERS];
	struct dma_fence *members[NUM_MEMBERS];
	struct dma_fence *array;
};

static struct trio *trio_members(struct kunit *test)
{
	struct trio *trio = kunit_kzalloc(test, sizeof(*trio), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, trio);
	for (i = 0; i < NUM_MEMBERS; i++) {
		trio->mocks[i] = mock_fence_new_full(test);
		trio->members[i] = &trio->mocks[i]->base;
	}
	return trio;
}

static struct trio *trio_create(struct kunit *test, bool any)
{
	struct trio *trio = trio_members(test);

	trio->array = mock_array_create(test, any, trio->members, NUM_MEMBERS);
	return trio;
}

/* ---- creation ---- */

static void create_takes_over_references(struct kunit *test)
{
	struct trio *trio = trio_members(test);
	struct dma_fence **list = mock_fence_list(test, trio->members, NUM_MEMBERS);
	struct dma_fence_array *array = dma_fence_array_create(NUM_MEMBERS, list, 7, 1, false);

	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_container_adopt(test, &array->base);
	KUNIT_EXPECT_EQ(test, array->num_fences, NUM_MEMBERS);
	KUNIT_EXPECT_EQ(test, memcmp(array->fences, trio->members, sizeof(trio->members)), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&array->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[0]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[1]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[2]), 2);
}

static void last_put_drops_members(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	mock_container_put(test, trio->array);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[0]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[1]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[2]), 1);
}

static void create_stores_context_and_seqno(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence **list = mock_fence_list(test, &fence, 1);
	struct dma_fence_array *array = dma_fence_array_create(1, list, BIT_ULL(40), ~0u, false);

	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_container_adopt(test, &array->base);
	KUNIT_EXPECT_EQ(test, array->base.context, BIT_ULL(40));
	KUNIT_EXPECT_EQ(test, array->base.seqno, 0xffffffff);
}

static void array_has_names(struct kunit *test)
{
	struct dma_fence *array = mock_array(test, mock_fence_new(test));

	KUNIT_EXPECT_STREQ(test, array->ops->get_driver_name(array), "dma_fence_array");
	KUNIT_EXPECT_STREQ(test, array->ops->get_timeline_name(array), "unbound");
}

static void array_compares_seqnos_in_32_bits(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, __dma_fence_is_later(1, 0xffffffff, &dma_fence_array_ops));
}

static void array_has_no_wait_of_its_own(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, !dma_fence_array_ops.wait);
}

static void array_is_known_as_such(struct kunit *test)
{
	struct dma_fence *array = mock_array(test, mock_fence_new(test));

	KUNIT_EXPECT_TRUE(test, dma_fence_is_array(array));
	KUNIT_EXPECT_PTR_EQ(test, &to_dma_fence_array(array)->base, array);
}

static void others_are_no_arrays(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_NULL(test, to_dma_fence_array(NULL));
	KUNIT_EXPECT_NULL(test, to_dma_fence_array(fence));
	KUNIT_EXPECT_NULL(test, to_dma_fence_array(mock_chain_create(test, NULL, fence, 1)));
}

static void create_without_memory_leaves_all_to_caller(struct kunit *test)
{
	struct dma_fence_array *array = NULL;
	struct dma_fence **list;
	unsigned int nth, i;

	fail_alloc_setup(test);
	list = mock_fence_list(test, trio_members(test)->members, NUM_MEMBERS);
	for (nth = 1; FAIL_NTH_ALLOC(nth, array = dma_fence_array_create(NUM_MEMBERS, list, 1, 1,
									 false)); nth++) {
		KUNIT_EXPECT_NULL(test, array);
		for (i = 0; i < NUM_MEMBERS; i++)
			KUNIT_EXPECT_EQ(test, mock_fence_refs(list[i]), 2);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	mock_container_adopt(test, array ? &array->base : NULL);
}

static void alloc_gives_zeroed_memory(struct kunit *test)
{
	struct dma_fence_array *array = dma_fence_array_alloc(2);

	KUNIT_ASSERT_NOT_NULL(test, array);
	KUNIT_EXPECT_TRUE(test, !array->base.ops);
	KUNIT_EXPECT_TRUE(test, !array->fences);
	KUNIT_EXPECT_EQ(test, array->num_fences, 0);
	kfree(array);
}

/* The second step comes when a job is about to run: no lock and no memory may be waited for. */
static void init_works_while_signalling(struct kunit *test)
{
	struct trio *trio = trio_members(test);
	struct dma_fence **list = mock_fence_list(test, trio->members, NUM_MEMBERS);
	struct dma_fence_array *array = dma_fence_array_alloc(NUM_MEMBERS);
	unsigned long flags;
	bool cookie;

	mock_needs_irqs_off(test);
	KUNIT_ASSERT_NOT_NULL(test, array);
	cookie = dma_fence_begin_signalling();
	local_irq_save(flags);
	EXPECT_KERNEL_WARNINGS(test, 0, dma_fence_array_init(array, NUM_MEMBERS, list, 9, 5, true));
	local_irq_restore(flags);
	dma_fence_end_signalling(cookie);
	mock_container_adopt(test, &array->base);
	KUNIT_EXPECT_EQ(test, array->base.context, 9);
	KUNIT_EXPECT_EQ(test, array->base.seqno, 5);
	KUNIT_EXPECT_EQ(test, array->num_fences, NUM_MEMBERS);
}

static void empty_array_warns(struct kunit *test)
{
	struct dma_fence_array *array = NULL;

	EXPECT_KERNEL_WARNING(test, array = dma_fence_array_create(0, NULL, 1, 1, false));
	mock_container_adopt(test, array ? &array->base : NULL);
	KUNIT_EXPECT_NULL(test, dma_fence_array_first(&array->base));
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(&array->base, false, 1), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&array->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&array->base), 1);
}

/* The work behind it is unknown, so it must not look finished. */
static void array_without_a_list_is_pending(struct kunit *test)
{
	struct dma_fence_array *array = NULL;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "stops the machine there");

	EXPECT_KERNEL_WARNING(test, array = dma_fence_array_create(2, NULL, 1, 1, false));
	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_container_adopt(test, &array->base);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&array->base));
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&array->base, false, 1), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&array->base));
	KUNIT_EXPECT_EQ(test, dma_fence_signal(&array->base), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&array->base), 1);
}

static void negative_count_warns(struct kunit *test)
{
	struct dma_fence_array *array = NULL;

	EXPECT_KERNEL_WARNING(test, array = dma_fence_array_alloc(-1));
	KUNIT_EXPECT_NULL(test, array);
}

static void array_in_array_warns(struct kunit *test)
{
	struct dma_fence *inner = mock_array(test, mock_fence_new(test));
	struct dma_fence *array = NULL;

	EXPECT_KERNEL_WARNING(test, array = mock_array(test, inner));
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_first(array), inner);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(inner), 2);
}

static void chain_in_array_warns(struct kunit *test)
{
	struct dma_fence *inner = mock_chain_create(test, NULL, mock_fence_new(test), 1);
	struct dma_fence *array = NULL;

	EXPECT_KERNEL_WARNING(test, array = mock_array(test, inner));
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_first(array), inner);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(inner), 2);
}

static void plain_members_do_not_warn(struct kunit *test)
{
	EXPECT_KERNEL_WARNINGS(test, 0, trio_create(test, false));
}

/* ---- enabling ---- */

static void create_does_not_ask_members(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->polls, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(trio->members[0]), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(trio->members[0]), 0);
}

static void poll_does_not_enable_members(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(trio->array));
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(trio->members[0]), 0);
}

static void enable_asks_members_once_and_in_order(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->enables, 1);
	KUNIT_EXPECT_EQ(test, trio->mocks[1]->log->enables, 1);
	KUNIT_EXPECT_EQ(test, trio->mocks[2]->log->enables, 1);
	KUNIT_EXPECT_LT(test, trio->mocks[0]->log->enable_turn, trio->mocks[1]->log->enable_turn);
	KUNIT_EXPECT_LT(test, trio->mocks[1]->log->enable_turn, trio->mocks[2]->log->enable_turn);
}

static void callbacks_share_a_reference(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 2);
	dma_fence_signal(trio->members[1]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 2);
	dma_fence_signal(trio->members[0]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 2);
	dma_fence_signal(trio->members[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->array, 1));
}

static void enable_of_all_signalled_completes_at_once(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_signal(trio->members[0]);
	dma_fence_signal(trio->members[1]);
	dma_fence_signal(trio->members[2]);
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(trio->array));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 1);
}

static void enable_counts_members_that_refuse(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	trio->mocks[0]->refuse_enable = true;
	trio->mocks[1]->refuse_enable = true;
	trio->mocks[2]->refuse_enable = true;
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(trio->array));
}

/* ---- completion ---- */

struct order {
	const char *desc;
	unsigned int index[NUM_MEMBERS];
};

static const struct order orders[] = {
	{ "forward", { 0, 1, 2 } },
	{ "backward", { 2, 1, 0 } },
	{ "inside out", { 1, 2, 0 } },
};

KUNIT_ARRAY_PARAM_DESC(order, orders, desc);

static void array_signals_with_the_last(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct trio *trio = trio_create(test, false);
	struct mock_cb *cb = mock_cb_add(test, trio->array);

	dma_fence_signal(trio->members[param->index[0]]);
	dma_fence_signal(trio->members[param->index[1]]);
	mock_irq_work_flush();
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(trio->array));
	dma_fence_signal(trio->members[param->index[2]]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(trio->array));
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
}

static void array_signals_with_any(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct trio *trio = trio_create(test, true);
	struct mock_cb *cb = mock_cb_add(test, trio->array);

	mock_irq_work_flush();
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(trio->array));
	dma_fence_signal(trio->members[param->index[0]]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(trio->array));
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
	mock_irq_work_flush();
	dma_fence_signal(trio->members[param->index[1]]);
	dma_fence_signal(trio->members[param->index[2]]);
	mock_irq_work_flush();
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
}

/* It signals later than the member, but that is when it was done. */
static void array_has_the_time_of_the_member_that_completes_it(struct kunit *test)
{
	struct trio *all = trio_create(test, false);
	struct trio *any = trio_create(test, true);

	mock_cb_add(test, all->array);
	mock_cb_add(test, any->array);
	dma_fence_signal_timestamp(all->members[0], 3000);
	dma_fence_signal_timestamp(all->members[2], 1000);
	dma_fence_signal_timestamp(all->members[1], 2000);
	dma_fence_signal_timestamp(any->members[1], 2000);
	dma_fence_signal_timestamp(any->members[0], 1000);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(all->array));
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(any->array));
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(all->array), 2000);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(any->array), 2000);
}

static void last_callback_drops_the_reference(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[2]);
	dma_fence_signal(trio->members[0]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 2);
	dma_fence_signal(trio->members[1]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->array, 1));
}

/* The remaining members may stay pending for ever. */
static void complete_array_is_not_kept_by_the_rest(struct kunit *test)
{
	struct trio *trio = trio_create(test, true);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[1]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->array, 1));
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(trio->array));
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(trio->members[0]), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(trio->members[2]), 0);
	mock_container_put(test, trio->array);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[0]), 1);
}

/* Otherwise interrupts would be armed without a waiter. */
static void complete_array_does_not_ask_the_rest(struct kunit *test)
{
	struct trio *trio = trio_create(test, true);

	dma_fence_signal(trio->members[0]);
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(trio->array));
	KUNIT_EXPECT_EQ(test, trio->mocks[1]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, trio->mocks[2]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 1);
}

/* Members that got a callback before the array was complete lose it again. */
static void array_completed_while_enabled_is_not_kept(struct kunit *test)
{
	struct trio *trio = trio_create(test, true);

	dma_fence_signal(trio->members[1]);
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(trio->array));
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->enables, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(trio->members[0]), 0);
	KUNIT_EXPECT_EQ(test, trio->mocks[2]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 1);
}

static void completion_is_asynchronous(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);
	bool flag, polled;
	unsigned long flags;

	mock_needs_irqs_off(test);
	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[0]);
	dma_fence_signal(trio->members[1]);
	local_irq_save(flags);
	dma_fence_signal(trio->members[2]);
	flag = mock_fence_flag(trio->array);
	polled = dma_fence_is_signaled(trio->array);
	local_irq_restore(flags);
	KUNIT_EXPECT_FALSE(test, flag);
	KUNIT_EXPECT_TRUE(test, polled);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->array, 1));
}

static void enabled_array_outlives_its_owner(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	mock_container_put(test, trio->array);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->members[0]), 2);
	dma_fence_signal(trio->members[0]);
	dma_fence_signal(trio->members[1]);
	dma_fence_signal(trio->members[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->members[0], 1));
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(trio->members[2], 1));
}

struct polled {
	const char *desc;
	bool any;
	unsigned int num_done;
	bool done;
};

static const struct polled polls[] = {
	{ "all, none done", false, 0, false },
	{ "all, one done", false, 1, false },
	{ "all, two done", false, 2, false },
	{ "all, three done", false, 3, true },
	{ "any, none done", true, 0, false },
	{ "any, one done", true, 1, true },
	{ "any, three done", true, 3, true },
};

KUNIT_ARRAY_PARAM_DESC(poll, polls, desc);

/* Signalling of the members is not enabled, so the array has to test them. */
static void poll_looks_at_members(struct kunit *test)
{
	const struct polled *param = test->param_value;
	struct trio *trio = trio_create(test, param->any);
	unsigned int i;

	for (i = 0; i < param->num_done; i++)
		trio->mocks[NUM_MEMBERS - 1 - i]->complete = true;
	KUNIT_EXPECT_EQ(test, dma_fence_is_signaled(trio->array), param->done);
	KUNIT_EXPECT_EQ(test, mock_fence_flag(trio->array), param->done);
}

struct answer {
	const char *desc;
	bool any;
	unsigned int num_done;
	unsigned int asked;
};

static const struct answer answers[] = {
	{ "all, first pending", false, 0, 1 },
	{ "all, second pending", false, 1, 2 },
	{ "all, none pending", false, 3, 3 },
	{ "any, first done", true, 1, 1 },
	{ "any, none done", true, 0, 3 },
};

KUNIT_ARRAY_PARAM_DESC(answer, answers, desc);

static void poll_asks_members_until_the_answer_is_known(struct kunit *test)
{
	const struct answer *param = test->param_value;
	struct trio *trio = trio_create(test, param->any);
	unsigned int i;

	for (i = 0; i < param->num_done; i++)
		trio->mocks[i]->complete = true;
	dma_fence_is_signaled(trio->array);
	for (i = 0; i < NUM_MEMBERS; i++)
		KUNIT_EXPECT_EQ(test, trio->mocks[i]->log->polls, i < param->asked);
}

static void poll_of_enabled_array_counts(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	trio->mocks[0]->complete = true;
	trio->mocks[1]->complete = true;
	trio->mocks[2]->complete = true;
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(trio->array));
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->polls, 0);
}

/* ---- errors ---- */

static void pending_array_holds_marker(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_EXPECT_EQ(test, trio->array->error, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(trio->array), 0);
}

static void first_error_wins(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[param->index[0]]);
	mock_fence_fail(trio->members[param->index[1]], -EIO);
	mock_fence_fail(trio->members[param->index[2]], -ENOSPC);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(trio->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(trio->array), -EIO);
}

static void enable_collects_errors_in_order(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	mock_fence_fail(trio->members[2], -ENOSPC);
	mock_fence_fail(trio->members[1], -EIO);
	dma_fence_signal(trio->members[0]);
	dma_fence_enable_sw_signaling(trio->array);
	KUNIT_ASSERT_TRUE(test, mock_fence_flag(trio->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(trio->array), -EIO);
}

static void no_error_becomes_zero(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[0]);
	dma_fence_signal(trio->members[1]);
	dma_fence_signal(trio->members[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(trio->array));
	KUNIT_EXPECT_EQ(test, trio->array->error, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(trio->array), 1);
}

static void poll_without_enable_gives_no_error(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	mock_fence_fail(trio->members[0], -EIO);
	mock_fence_fail(trio->members[1], -EIO);
	mock_fence_fail(trio->members[2], -EIO);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(trio->array));
	KUNIT_EXPECT_EQ(test, trio->array->error, 0);
}

static void poll_of_enabled_array_gives_error(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);
	unsigned long flags;
	int status;

	mock_needs_irqs_off(test);
	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[0]);
	dma_fence_signal(trio->members[1]);
	local_irq_save(flags);
	mock_fence_fail(trio->members[2], -EIO);
	status = dma_fence_get_status(trio->array);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, status, -EIO);
}

static void error_after_completion_is_ignored(struct kunit *test)
{
	struct trio *trio = trio_create(test, true);

	dma_fence_enable_sw_signaling(trio->array);
	dma_fence_signal(trio->members[0]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(trio->array));
	mock_fence_fail(trio->members[1], -EIO);
	mock_irq_work_flush();
	KUNIT_EXPECT_EQ(test, trio->array->error, 0);
}

/* ---- deadlines, iteration, contexts ---- */

static void deadline_reaches_members_in_order(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	dma_fence_set_deadline(trio->array, 1234);
	KUNIT_EXPECT_EQ(test, trio->mocks[0]->log->deadline, 1234);
	KUNIT_EXPECT_EQ(test, trio->mocks[1]->log->deadline, 1234);
	KUNIT_EXPECT_EQ(test, trio->mocks[2]->log->deadline, 1234);
	KUNIT_EXPECT_LT(test, trio->mocks[0]->log->deadline_turn,
			trio->mocks[1]->log->deadline_turn);
	KUNIT_EXPECT_LT(test, trio->mocks[1]->log->deadline_turn,
			trio->mocks[2]->log->deadline_turn);
}

static void first_is_member_or_fence_itself(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);
	struct dma_fence *chain = mock_chain_create(test, NULL, trio->members[0], 1);

	KUNIT_EXPECT_NULL(test, dma_fence_array_first(NULL));
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_first(trio->members[1]), trio->members[1]);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_first(chain), chain);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_first(trio->array), trio->members[0]);
}

static void next_ends_with_the_last(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_array_next(trio->array, 2), trio->members[2]);
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(trio->array, 3));
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(trio->array, UINT_MAX));
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(trio->members[0], 0));
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(trio->members[0], 1));
}

static void iteration_sees_members_and_holds_nothing(struct kunit *test)
{
	struct trio *trio = trio_create(test, false);
	unsigned int index, count = 0, wrong = 0;
	struct dma_fence *fence;

	dma_fence_array_for_each(fence, index, trio->array) {
		wrong += fence != trio->members[index];
		wrong += mock_fence_refs(fence) != 2;
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, NUM_MEMBERS);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(trio->array), 1);
}

struct match {
	const char *desc;
	u64 first;
	u64 second;
	bool matches;
};

static const struct match matches[] = {
	{ "both", 5, 5, true },
	{ "first only", 5, 6, false },
	{ "second only", 6, 5, false },
	{ "none", 6, 6, false },
	{ "low half only", 5, 5 + BIT_ULL(32), false },
};

KUNIT_ARRAY_PARAM_DESC(match, matches, desc);

static void array_matches_context_of_all_members(struct kunit *test)
{
	const struct match *param = test->param_value;
	struct dma_fence *array;

	array = mock_array(test, &mock_fence_create(test, &mock_fence_ops, param->first, 1)->base,
			   &mock_fence_create(test, &mock_fence_ops, param->second, 2)->base);
	KUNIT_EXPECT_EQ(test, dma_fence_match_context(array, 5), param->matches);
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(array, array->context));
}

static void others_match_their_own_context(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence *chain = mock_chain_create(test, NULL, fence, 1);

	KUNIT_EXPECT_TRUE(test, dma_fence_match_context(fence, fence->context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(fence, fence->context + 1));
	KUNIT_EXPECT_TRUE(test, dma_fence_match_context(chain, chain->context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(chain, fence->context));
}

/* ---- size ---- */

/* More than fit into the largest allocation of contiguous memory. */
#define NUM_MANY 150000

/* User space can merge that many. */
static void array_can_have_many_members(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence_array *array = NULL;
	struct dma_fence **list;
	unsigned int i;

	list = vmalloc(array_size(NUM_MANY, sizeof(*list)));
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < NUM_MANY; i++)
		list[i] = dma_fence_get(fence);
	EXPECT_KERNEL_WARNINGS(test, 0, array = dma_fence_array_create(NUM_MANY, list, 1, 1,
								       false));
	mock_container_adopt(test, array ? &array->base : NULL);
	EXPECT_KERNEL_WARNINGS(test, 0, dma_fence_enable_sw_signaling(&array->base));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&array->base), 2);
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(&array->base, 1));
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(&array->base));
	mock_container_put(test, &array->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

/* ---- where the last reference may go ---- */

static void put_under_a_lock(struct dma_fence *fence)
{
	static DEFINE_SPINLOCK(lock);

	guard(spinlock_irqsave)(&lock);

	dma_fence_put(fence);
}

static void list_from_vmalloc_is_freed_under_a_lock(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence_array *array;
	struct dma_fence **list;

	list = vmalloc(sizeof(*list));
	KUNIT_ASSERT_NOT_NULL(test, list);
	list[0] = dma_fence_get(fence);
	array = dma_fence_array_create(1, list, 1, 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	EXPECT_KERNEL_WARNINGS(test, 0, put_under_a_lock(&array->base));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void large_array_is_freed_under_a_lock(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence_array *array;
	struct dma_fence **list;
	unsigned int i;

	list = vmalloc(array_size(NUM_MANY, sizeof(*list)));
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < NUM_MANY; i++)
		list[i] = dma_fence_get(fence);
	array = dma_fence_array_create(NUM_MANY, list, 1, 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	EXPECT_KERNEL_WARNINGS(test, 0, put_under_a_lock(&array->base));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

/* RCU readers that find a fence read its reference count, even if that is zero. */
static void array_can_be_looked_at_for_a_grace_period(struct kunit *test)
{
	struct dma_fence *array = mock_array(test, mock_fence_new(test));
	unsigned int refs = 1;

	mock_container_disown(test, array);
	rcu_read_lock();
	dma_fence_put(array);
	EXPECT_KERNEL_WARNINGS(test, 0, refs = mock_fence_refs(array));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, refs, 0);
}

static struct kunit_case dma_fence_array_cases[] = {
	KUNIT_CASE(create_takes_over_references),
	KUNIT_CASE(last_put_drops_members),
	KUNIT_CASE(create_stores_context_and_seqno),
	KUNIT_CASE(array_has_names),
	KUNIT_CASE(array_compares_seqnos_in_32_bits),
	KUNIT_CASE(array_has_no_wait_of_its_own),
	KUNIT_CASE(array_is_known_as_such),
	KUNIT_CASE(others_are_no_arrays),
	KUNIT_CASE(create_without_memory_leaves_all_to_caller),
	KUNIT_CASE(alloc_gives_zeroed_memory),
	KUNIT_CASE(init_works_while_signalling),
	KUNIT_CASE(empty_array_warns),
	KUNIT_CASE(array_without_a_list_is_pending),
	KUNIT_CASE(negative_count_warns),
	KUNIT_CASE(array_in_array_warns),
	KUNIT_CASE(chain_in_array_warns),
	KUNIT_CASE(plain_members_do_not_warn),
	KUNIT_CASE(create_does_not_ask_members),
	KUNIT_CASE(poll_does_not_enable_members),
	KUNIT_CASE(enable_asks_members_once_and_in_order),
	KUNIT_CASE(callbacks_share_a_reference),
	KUNIT_CASE(enable_of_all_signalled_completes_at_once),
	KUNIT_CASE(enable_counts_members_that_refuse),
	KUNIT_CASE_PARAM(array_signals_with_the_last, order_gen_params),
	KUNIT_CASE_PARAM(array_signals_with_any, order_gen_params),
	KUNIT_CASE(array_has_the_time_of_the_member_that_completes_it),
	KUNIT_CASE(last_callback_drops_the_reference),
	KUNIT_CASE(complete_array_is_not_kept_by_the_rest),
	KUNIT_CASE(complete_array_does_not_ask_the_rest),
	KUNIT_CASE(array_completed_while_enabled_is_not_kept),
	KUNIT_CASE(completion_is_asynchronous),
	KUNIT_CASE(enabled_array_outlives_its_owner),
	KUNIT_CASE_PARAM(poll_looks_at_members, poll_gen_params),
	KUNIT_CASE_PARAM(poll_asks_members_until_the_answer_is_known, answer_gen_params),
	KUNIT_CASE(poll_of_enabled_array_counts),
	KUNIT_CASE(pending_array_holds_marker),
	KUNIT_CASE_PARAM(first_error_wins, order_gen_params),
	KUNIT_CASE(enable_collects_errors_in_order),
	KUNIT_CASE(no_error_becomes_zero),
	KUNIT_CASE(poll_without_enable_gives_no_error),
	KUNIT_CASE(poll_of_enabled_array_gives_error),
	KUNIT_CASE(error_after_completion_is_ignored),
	KUNIT_CASE(deadline_reaches_members_in_order),
	KUNIT_CASE(first_is_member_or_fence_itself),
	KUNIT_CASE(next_ends_with_the_last),
	KUNIT_CASE(iteration_sees_members_and_holds_nothing),
	KUNIT_CASE_PARAM(array_matches_context_of_all_members, match_gen_params),
	KUNIT_CASE(others_match_their_own_context),
	KUNIT_CASE(array_can_have_many_members),
	KUNIT_CASE(list_from_vmalloc_is_freed_under_a_lock),
	KUNIT_CASE(large_array_is_freed_under_a_lock),
	KUNIT_CASE(array_can_be_looked_at_for_a_grace_period),
	{}
};

static struct kunit_suite dma_fence_array_suite = {
	.name = "dma_fence_array",
	.test_cases = dma_fence_array_cases,
};

kunit_test_suite(dma_fence_array_suite);
