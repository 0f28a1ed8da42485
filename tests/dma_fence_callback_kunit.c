// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the callbacks of a fence and of software signalling.
 */

#include <kunit/test-bug.h>
#include <kunit/test.h>

#include <linux/irq_work.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "expect_warn.h"
#include "mock_fence.h"

#define MAX_CALLS 64

/* The calls of a case, in the order in which they came. */
struct call_log {
	unsigned int count;
	unsigned int ids[MAX_CALLS];
};

struct logged_cb {
	struct dma_fence_cb base;
	struct call_log *log;
	unsigned int id;
	struct dma_fence *fence;
	bool node_was_empty;
	bool was_locked;
	bool had_irqs_off;
	int ret;
	/* what the callback is to do with another fence */
	struct dma_fence *other;
	struct dma_fence_cb *other_cb;
};

static void log_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct logged_cb *logged = container_of(cb, struct logged_cb, base);

	logged->fence = fence;
	logged->node_was_empty = list_empty(&cb->node);
	logged->was_locked = mock_fence_lock_held(fence);
	logged->had_irqs_off = irqs_disabled();
	if (logged->log->count < MAX_CALLS)
		logged->log->ids[logged->log->count] = logged->id;
	logged->log->count++;
}

static void never_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	kunit_fail_current_test("a callback ran that must not");
}

/*
 * Allocate the data of callbacks before any fence, so that it is freed last: fences
 * that are pending when a case ends still run their callbacks.
 */
struct callback_priv {
	struct call_log log;
	unsigned int used;
	struct logged_cb cbs[1000];
};

static int callback_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct callback_priv), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct call_log *call_log(struct kunit *test)
{
	struct callback_priv *priv = test->priv;

	return &priv->log;
}

/* A callback in memory full of garbage: it needs no initialisation. */
static struct logged_cb *logged_cb_create(struct kunit *test, unsigned int id)
{
	struct callback_priv *priv = test->priv;
	struct logged_cb *logged = &priv->cbs[priv->used++];

	KUNIT_ASSERT_LE(test, priv->used, ARRAY_SIZE(priv->cbs));
	memset(&logged->base, 0xff, sizeof(logged->base));
	logged->log = &priv->log;
	logged->id = id;
	return logged;
}

static struct logged_cb *logged_cb_add(struct kunit *test, struct dma_fence *fence,
				       unsigned int id)
{
	struct logged_cb *logged = logged_cb_create(test, id);

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &logged->base, log_call), 0);
	return logged;
}

/* The first step of a driver that signals by hand: flag set, callbacks still queued. */
static void begin_signalling_by_hand(struct dma_fence *fence)
{
	test_and_set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/* ---- add ---- */

static void add_to_pending_fence_queues(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_create(test, 1);

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &cb->base, log_call), 0);
	KUNIT_EXPECT_PTR_EQ(test, cb->base.func, &log_call);
	KUNIT_EXPECT_PTR_EQ(test, fence->cb_list.next, &cb->base.node);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void add_takes_no_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	dma_fence_remove_callback(fence, &cb->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void add_to_null_fence_warns(struct kunit *test)
{
	struct dma_fence_cb *cb = &logged_cb_create(test, 1)->base;
	int ret = 0;

	EXPECT_KERNEL_WARNING(test, ret = dma_fence_add_callback(NULL, cb, never_called));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
}

static void add_of_null_function_warns(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence_cb *cb = &logged_cb_create(test, 1)->base;
	int ret = 0;

	EXPECT_KERNEL_WARNING(test, ret = dma_fence_add_callback(fence, cb, NULL));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
	KUNIT_EXPECT_EQ(test, mock_fence_flags(fence), 0);
}

static void add_after_signal_is_refused(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);
	struct dma_fence_cb *cb = &logged_cb_create(test, 1)->base;

	cb->func = log_call;
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, cb, never_called), -ENOENT);
	KUNIT_EXPECT_TRUE(test, list_empty(&cb->node));
	KUNIT_EXPECT_PTR_EQ_MSG(test, cb->func, &log_call, "func was written");
}

static void add_after_signal_does_not_enable(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct dma_fence_cb *cb = &logged_cb_create(test, 1)->base;

	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, cb, never_called), -ENOENT);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &mock->base.flags));
}

static void add_does_not_ask_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	logged_cb_add(test, &mock->base, 1);
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
}

static void add_works_with_interrupts_off(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_create(test, 1);
	unsigned long flags;
	bool still_off;
	int ret;

	mock_needs_irqs_off(test);
	local_irq_save(flags);
	ret = dma_fence_add_callback(&mock->base, &cb->base, log_call);
	dma_fence_signal(&mock->base);
	still_off = irqs_disabled();
	local_irq_restore(flags);

	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, log->count, 1);
	KUNIT_EXPECT_TRUE(test, still_off);
}

static void add_keeps_the_task_state(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct logged_cb *cb = logged_cb_create(test, 1);
	unsigned int added, asked;

	set_current_state(TASK_INTERRUPTIBLE);
	dma_fence_add_callback(&mock->base, &cb->base, log_call);
	added = get_current_state();
	dma_fence_is_signaled(&mock->base);
	dma_fence_put(dma_fence_get_stub());
	asked = get_current_state();
	__set_current_state(TASK_RUNNING);

	KUNIT_EXPECT_EQ(test, added, TASK_INTERRUPTIBLE);
	KUNIT_EXPECT_EQ(test, asked, TASK_INTERRUPTIBLE);
}

/* ---- order and moment of the calls ---- */

static void callbacks_run_in_order_of_registration(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);

	logged_cb_add(test, fence, 10);
	logged_cb_add(test, fence, 11);
	logged_cb_add(test, fence, 12);
	dma_fence_signal(fence);

	KUNIT_ASSERT_EQ(test, log->count, 3);
	KUNIT_EXPECT_EQ(test, log->ids[0], 10);
	KUNIT_EXPECT_EQ(test, log->ids[1], 11);
	KUNIT_EXPECT_EQ(test, log->ids[2], 12);
}

static void callback_runs_once(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);

	logged_cb_add(test, fence, 1);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, log->count, 1);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, log->count, 1);
}

static void callback_is_told_its_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	dma_fence_signal(fence);
	KUNIT_EXPECT_PTR_EQ(test, cb->fence, fence);
}

static void callback_runs_locked_with_interrupts_off(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, cb->was_locked);
	KUNIT_EXPECT_EQ(test, cb->had_irqs_off, MOCK_LOCK_STOPS_IRQS);
}

static void callback_node_is_empty_before_the_call(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *first = logged_cb_add(test, fence, 1);
	struct logged_cb *last = logged_cb_add(test, fence, 2);

	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, first->node_was_empty);
	KUNIT_EXPECT_TRUE(test, last->node_was_empty);
}

static void signal_calls_a_thousand_callbacks(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	unsigned int i;

	for (i = 0; i < 1000; i++)
		logged_cb_add(test, fence, i);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, log->count, 1000);
}

struct irq_signaller {
	struct irq_work work;
	struct dma_fence *fence;
	int ret;
};

static void signal_from_irq(struct irq_work *work)
{
	struct irq_signaller *signaller = container_of(work, struct irq_signaller, work);

	signaller->ret = dma_fence_signal(signaller->fence);
}

static void callback_runs_in_interrupt_of_the_signaller(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct irq_signaller signaller = { .fence = fence, .ret = -1 };

	logged_cb_add(test, fence, 1);
	init_irq_work(&signaller.work, signal_from_irq);
	irq_work_queue(&signaller.work);
	irq_work_sync(&signaller.work);

	KUNIT_EXPECT_EQ(test, signaller.ret, 0);
	KUNIT_EXPECT_EQ(test, log->count, 1);
}

/* ---- what a callback may do ---- */

struct freed_cb {
	struct dma_fence_cb base;
	struct call_log *log;
};

static void free_own_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct freed_cb *freed = container_of(cb, struct freed_cb, base);

	freed->log->count++;
	memset(freed, 0x6b, sizeof(*freed));
	kfree(freed);
}

static void callback_may_free_itself(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct freed_cb *freed = kzalloc(sizeof(*freed), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, freed);
	freed->log = log;
	logged_cb_add(test, fence, 1);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &freed->base, free_own_cb), 0);
	logged_cb_add(test, fence, 2);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, log->count, 3);
}

static void move_to_other_fence(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct logged_cb *logged = container_of(cb, struct logged_cb, base);

	logged->ret = dma_fence_add_callback(logged->other, cb, log_call);
}

static void callback_may_move_to_another_fence(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct mock_fence *second = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_create(test, 1);

	mock_fence_nest_lock(second);
	cb->other = &second->base;
	cb->ret = -1;
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(first, &cb->base, move_to_other_fence), 0);
	logged_cb_add(test, first, 2);

	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, cb->ret, 0);
	KUNIT_EXPECT_EQ(test, log->count, 1);
	dma_fence_signal(&second->base);
	KUNIT_EXPECT_EQ(test, log->count, 2);
	KUNIT_EXPECT_PTR_EQ(test, cb->fence, &second->base);
}

static void add_to_own_fence(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct logged_cb *logged = container_of(cb, struct logged_cb, base);

	logged->ret = dma_fence_add_callback(fence, logged->other_cb, never_called);
}

static void callback_may_try_to_add_to_its_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_create(test, 1);
	struct dma_fence_cb *late = &logged_cb_create(test, 2)->base;

	cb->other_cb = late;
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &cb->base, add_to_own_fence), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, cb->ret, -ENOENT);
	KUNIT_EXPECT_TRUE(test, list_empty(&late->node));
}

static void remove_from_other_fence(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct logged_cb *logged = container_of(cb, struct logged_cb, base);

	logged->ret = dma_fence_remove_callback(logged->other, logged->other_cb);
}

static void callback_may_remove_another_fences_callback(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct mock_fence *second = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_create(test, 1);

	mock_fence_nest_lock(second);
	cb->other = &second->base;
	cb->other_cb = &logged_cb_add(test, &second->base, 2)->base;
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(first, &cb->base, remove_from_other_fence),
			0);

	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, cb->ret, true);
	dma_fence_signal(&second->base);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void signal_other_fence(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct logged_cb *logged = container_of(cb, struct logged_cb, base);

	logged->ret = dma_fence_signal(logged->other);
}

static void callback_may_signal_another_fence(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct mock_fence *second = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_create(test, 1);

	mock_fence_nest_lock(second);
	cb->other = &second->base;
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(first, &cb->base, signal_other_fence), 0);
	logged_cb_add(test, first, 2);
	logged_cb_add(test, &second->base, 3);

	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, cb->ret, 0);
	KUNIT_ASSERT_EQ(test, log->count, 2);
	KUNIT_EXPECT_EQ(test, log->ids[0], 3);
	KUNIT_EXPECT_EQ(test, log->ids[1], 2);
}

/* ---- remove ---- */

static void remove_of_queued_callback_is_true(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &cb->base));
	KUNIT_EXPECT_TRUE(test, list_empty(&cb->base.node));
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void remove_twice_is_false(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	dma_fence_remove_callback(fence, &cb->base);
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &cb->base));
}

static void remove_after_the_call_is_false(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	dma_fence_signal(fence);
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &cb->base));
}

static void remove_after_refused_add_is_false(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);
	struct logged_cb *cb = logged_cb_create(test, 1);

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &cb->base, never_called), -ENOENT);
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &cb->base));
}

static void remove_keeps_the_order_of_the_others(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *middle;

	logged_cb_add(test, fence, 1);
	middle = logged_cb_add(test, fence, 2);
	logged_cb_add(test, fence, 3);
	dma_fence_remove_callback(fence, &middle->base);
	dma_fence_signal(fence);

	KUNIT_ASSERT_EQ(test, log->count, 2);
	KUNIT_EXPECT_EQ(test, log->ids[0], 1);
	KUNIT_EXPECT_EQ(test, log->ids[1], 3);
}

static void removed_callback_may_be_added_again(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct dma_fence *second = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_add(test, first, 1);

	dma_fence_remove_callback(first, &cb->base);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(second, &cb->base, log_call), 0);
	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, log->count, 0);
	dma_fence_signal(second);
	KUNIT_EXPECT_EQ(test, log->count, 1);
}

static void called_callback_may_be_added_again(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct dma_fence *second = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_add(test, first, 1);

	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(second, &cb->base, log_call), 0);
	dma_fence_signal(second);
	KUNIT_EXPECT_EQ(test, log->count, 2);
}

/* ---- drivers that use the list by hand ---- */

static void half_signalled_fence_refuses_callbacks(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *early = logged_cb_add(test, fence, 1);
	struct logged_cb *late = logged_cb_create(test, 2);

	begin_signalling_by_hand(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &late->base, log_call), -ENOENT);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &early->base));
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void half_signalled_fence_lets_callbacks_go(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *cb = logged_cb_add(test, fence, 1);

	begin_signalling_by_hand(fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &cb->base));
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
}

static void half_signalled_fence_is_signalled(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *cb = logged_cb_add(test, &mock->base, 1);

	begin_signalling_by_hand(&mock->base);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, true, 9), 9);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(&mock->base), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
	KUNIT_EXPECT_EQ(test, log->count, 0);
	dma_fence_remove_callback(&mock->base, &cb->base);
}

static void callback_list_may_be_taken_away(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct logged_cb *first = logged_cb_add(test, fence, 1);
	struct logged_cb *last = logged_cb_add(test, fence, 2);
	struct list_head taken;

	begin_signalling_by_hand(fence);
	list_replace(&fence->cb_list, &taken);
	fence->timestamp = 33;
	set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags);

	KUNIT_EXPECT_PTR_EQ(test, taken.next, &first->base.node);
	KUNIT_EXPECT_PTR_EQ(test, taken.prev, &last->base.node);
	KUNIT_EXPECT_PTR_EQ(test, first->base.func, &log_call);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), 33);
}

static void callback_linked_by_hand_at_the_head_runs_first(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct call_log *log = call_log(test);
	struct logged_cb *byhand = logged_cb_create(test, 2);

	logged_cb_add(test, fence, 1);
	spin_lock_irq(fence->lock);
	byhand->base.func = log_call;
	list_add(&byhand->base.node, &fence->cb_list);
	spin_unlock_irq(fence->lock);
	dma_fence_signal(fence);

	KUNIT_ASSERT_EQ(test, log->count, 2);
	KUNIT_EXPECT_EQ(test, log->ids[0], 2);
	KUNIT_EXPECT_TRUE(test, byhand->node_was_empty);
}

/* ---- software signalling ---- */

static void enable_is_asked_for_once(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	logged_cb_add(test, &mock->base, 1);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
	logged_cb_add(test, &mock->base, 2);
	dma_fence_enable_sw_signaling(&mock->base);
	dma_fence_wait_timeout(&mock->base, false, 0);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
}

static void enable_runs_locked_with_interrupts_off(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	logged_cb_add(test, &mock->base, 1);
	KUNIT_EXPECT_TRUE(test, mock->log->enable_locked);
	KUNIT_EXPECT_EQ(test, mock->log->enable_irqs_off, MOCK_LOCK_STOPS_IRQS);
	KUNIT_EXPECT_TRUE(test, mock->log->enable_flag);
}

static void enable_by_itself_asks_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
	KUNIT_EXPECT_TRUE(test, mock->log->enable_locked);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(&mock->base), BIT(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
}

static void enable_without_op_sets_the_flag(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	dma_fence_enable_sw_signaling(fence);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(fence), BIT(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
}

static void enable_after_signal_only_sets_the_flag(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_signal(&mock->base);
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &mock->base.flags));
}

static void refused_enable_signals_the_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->refuse_enable = true;
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), 1);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &mock->base.flags));
}

static void refused_enable_refuses_the_callback(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct dma_fence_cb *cb = &logged_cb_create(test, 1)->base;

	cb->func = log_call;
	mock->refuse_enable = true;
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, cb, never_called), -ENOENT);
	KUNIT_EXPECT_TRUE(test, list_empty(&cb->node));
	KUNIT_EXPECT_PTR_EQ_MSG(test, cb->func, &log_call, "func was written");
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(&mock->base, cb));
}

static void refused_enable_keeps_the_drivers_error(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->refuse_enable = true;
	mock->enable_error = -EIO;
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), -EIO);
}

static void refused_enable_runs_queued_callbacks(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct call_log *log = call_log(test);
	struct logged_cb *queued = logged_cb_create(test, 1);

	spin_lock_irq(mock->base.lock);
	queued->base.func = log_call;
	list_add(&queued->base.node, &mock->base.cb_list);
	spin_unlock_irq(mock->base.lock);

	mock->refuse_enable = true;
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, log->count, 1);
}

static struct kunit_case dma_fence_callback_cases[] = {
	KUNIT_CASE(add_to_pending_fence_queues),
	KUNIT_CASE(add_takes_no_reference),
	KUNIT_CASE(add_to_null_fence_warns),
	KUNIT_CASE(add_of_null_function_warns),
	KUNIT_CASE(add_after_signal_is_refused),
	KUNIT_CASE(add_after_signal_does_not_enable),
	KUNIT_CASE(add_does_not_ask_the_driver),
	KUNIT_CASE(add_works_with_interrupts_off),
	KUNIT_CASE(add_keeps_the_task_state),
	KUNIT_CASE(callbacks_run_in_order_of_registration),
	KUNIT_CASE(callback_runs_once),
	KUNIT_CASE(callback_is_told_its_fence),
	KUNIT_CASE(callback_runs_locked_with_interrupts_off),
	KUNIT_CASE(callback_node_is_empty_before_the_call),
	KUNIT_CASE(signal_calls_a_thousand_callbacks),
	KUNIT_CASE(callback_runs_in_interrupt_of_the_signaller),
	KUNIT_CASE(callback_may_free_itself),
	KUNIT_CASE(callback_may_move_to_another_fence),
	KUNIT_CASE(callback_may_try_to_add_to_its_fence),
	KUNIT_CASE(callback_may_remove_another_fences_callback),
	KUNIT_CASE(callback_may_signal_another_fence),
	KUNIT_CASE(remove_of_queued_callback_is_true),
	KUNIT_CASE(remove_twice_is_false),
	KUNIT_CASE(remove_after_the_call_is_false),
	KUNIT_CASE(remove_after_refused_add_is_false),
	KUNIT_CASE(remove_keeps_the_order_of_the_others),
	KUNIT_CASE(removed_callback_may_be_added_again),
	KUNIT_CASE(called_callback_may_be_added_again),
	KUNIT_CASE(half_signalled_fence_refuses_callbacks),
	KUNIT_CASE(half_signalled_fence_lets_callbacks_go),
	KUNIT_CASE(half_signalled_fence_is_signalled),
	KUNIT_CASE(callback_list_may_be_taken_away),
	KUNIT_CASE(callback_linked_by_hand_at_the_head_runs_first),
	KUNIT_CASE(enable_is_asked_for_once),
	KUNIT_CASE(enable_runs_locked_with_interrupts_off),
	KUNIT_CASE(enable_by_itself_asks_the_driver),
	KUNIT_CASE(enable_without_op_sets_the_flag),
	KUNIT_CASE(enable_after_signal_only_sets_the_flag),
	KUNIT_CASE(refused_enable_signals_the_fence),
	KUNIT_CASE(refused_enable_refuses_the_callback),
	KUNIT_CASE(refused_enable_keeps_the_drivers_error),
	KUNIT_CASE(refused_enable_runs_queued_callbacks),
	{}
};

static struct kunit_suite dma_fence_callback_suite = {
	.name = "dma_fence_callback",
	.init = callback_init,
	.test_cases = dma_fence_callback_cases,
};

kunit_test_suite(dma_fence_callback_suite);
