// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of waiting: for one fence, and for any of several.
 *
 * Delayed work does what has to happen during a wait, so that one CPU without
 * preemption is enough. Times are lower bounds and never tight.
 */

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_fence.h"

#include <trace/events/lock.h>

/* Long enough for anything that a case is really waiting for. */
#define LONG_WAIT (60 * HZ)

/* Something that happens while the case sleeps. */
struct later {
	struct delayed_work work;
	void (*act)(struct later *later);
	struct task_struct *task;
	struct dma_fence *fence;
	struct dma_fence *second;
	struct dma_fence_cb *cb;
	bool waiter_was_first;
	bool waiter_was_queued;
	unsigned int task_state;
};

static void later_work(struct work_struct *work)
{
	struct later *later = container_of(to_delayed_work(work), struct later, work);
	unsigned int naps = 50;

	/* On a slow machine with two CPUs the sleeper may be the later one. */
	while (task_is_running(later->task) && naps--)
		msleep(20);
	later->act(later);
}

static void later_cancel(void *data)
{
	struct later *later = data;

	cancel_delayed_work_sync(&later->work);
}

/* Have @act called after a few ticks; the case may fill in more before it sleeps. */
static struct later *later_start(struct kunit *test, void (*act)(struct later *later),
				 struct dma_fence *fence)
{
	struct later *later = kunit_kzalloc(test, sizeof(*later), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, later);
	INIT_DELAYED_WORK(&later->work, later_work);
	later->act = act;
	later->task = current;
	later->fence = fence;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, later_cancel, later));
	schedule_delayed_work(&later->work, 3);
	return later;
}

static void act_signal(struct later *later)
{
	dma_fence_signal(later->fence);
}

static void act_signal_both(struct later *later)
{
	dma_fence_signal(later->fence);
	dma_fence_signal(later->second);
}

static void act_interrupt(struct later *later)
{
	send_sig(SIGUSR1, later->task, 1);
}

/* The task looks for an interruption when it wakes up, for the signal under the lock. */
static void act_interrupt_and_signal(struct later *later)
{
	spin_lock_irq(later->fence->lock);
	send_sig(SIGUSR1, later->task, 1);
	dma_fence_signal_locked(later->fence);
	spin_unlock_irq(later->fence->lock);
}

static void act_look_and_signal(struct later *later)
{
	struct list_head *list = &later->fence->cb_list;

	spin_lock_irq(later->fence->lock);
	later->waiter_was_queued = !list_is_singular(list);
	later->waiter_was_first = list->prev == &later->cb->node;
	spin_unlock_irq(later->fence->lock);
	dma_fence_signal(later->fence);
}

static void act_note_state_and_signal(struct later *later)
{
	later->task_state = READ_ONCE(later->task->__state);
	dma_fence_signal(later->fence);
}

/* The task of a case is a kernel thread, which no signal reaches by default. */
static void signals_on(void)
{
	allow_signal(SIGUSR1);
}

static void signals_off(void)
{
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

static void send_signal_to_self(struct kunit *test)
{
	signals_on();
	send_sig(SIGUSR1, current, 1);
	KUNIT_ASSERT_TRUE(test, signal_pending(current));
}

/* ---- the table of the default wait, for what can be decided at once ---- */

struct wait_row {
	const char *desc;
	bool signaled;
	bool interrupted;
	bool intr;
	signed long timeout;
	signed long result;
};

static const struct wait_row wait_rows[] = {
	{ "signalled, no time", .signaled = true, .timeout = 0, .result = 1 },
	{ "signalled, some time", .signaled = true, .timeout = 5, .result = 5 },
	{ "signalled, unlimited", .signaled = true, .timeout = MAX_SCHEDULE_TIMEOUT,
	  .result = MAX_SCHEDULE_TIMEOUT },
	{ "signalled before interrupted", .signaled = true, .interrupted = true, .intr = true,
	  .timeout = 5, .result = 5 },
	{ "interrupted, some time", .interrupted = true, .intr = true, .timeout = 5,
	  .result = -ERESTARTSYS },
	{ "interrupted before no time", .interrupted = true, .intr = true, .timeout = 0,
	  .result = -ERESTARTSYS },
	{ "uninterruptible, no time", .interrupted = true, .timeout = 0, .result = 0 },
	{ "uninterruptible, some time", .interrupted = true, .timeout = 2, .result = 0 },
	{ "pending, no time", .intr = true, .timeout = 0, .result = 0 },
	{ "pending, some time", .intr = true, .timeout = 2, .result = 0 },
};

KUNIT_ARRAY_PARAM_DESC(wait_row, wait_rows, desc);

typedef signed long (*wait_func_t)(struct dma_fence *fence, bool intr, signed long timeout);

static void wait_by_row(struct kunit *test, wait_func_t wait)
{
	const struct wait_row *row = test->param_value;
	struct dma_fence *fence = row->signaled ? mock_fence_new_signaled(test) :
						  mock_fence_new(test);
	signed long ret;

	if (row->interrupted)
		send_signal_to_self(test);
	ret = wait(fence, row->intr, row->timeout);
	signals_off();

	KUNIT_EXPECT_EQ(test, ret, row->result);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	KUNIT_EXPECT_EQ(test, get_current_state(), TASK_RUNNING);
	if (!row->signaled)
		KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
}

static void default_wait_returns_the_time_left(struct kunit *test)
{
	wait_by_row(test, dma_fence_default_wait);
}

static void wait_timeout_returns_the_time_left(struct kunit *test)
{
	wait_by_row(test, dma_fence_wait_timeout);
}

/* ---- sleeping ---- */

static void wait_is_woken_by_the_signal(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	signed long left;

	later_start(test, act_signal, fence);
	left = dma_fence_wait_timeout(fence, false, LONG_WAIT);
	KUNIT_EXPECT_GE(test, left, 1);
	KUNIT_EXPECT_LT(test, left, LONG_WAIT);
	KUNIT_EXPECT_EQ(test, get_current_state(), TASK_RUNNING);
}

static void unlimited_wait_has_no_end(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	later_start(test, act_signal, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, true, MAX_SCHEDULE_TIMEOUT),
			MAX_SCHEDULE_TIMEOUT);
}

struct sleep_way {
	const char *desc;
	bool intr;
	unsigned int state;
};

static const struct sleep_way sleep_ways[] = {
	{ "interruptible", true, TASK_INTERRUPTIBLE },
	{ "uninterruptible", false, TASK_UNINTERRUPTIBLE },
};

KUNIT_ARRAY_PARAM_DESC(sleep_way, sleep_ways, desc);

static void wait_sleeps_as_asked(struct kunit *test)
{
	const struct sleep_way *way = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct later *later = later_start(test, act_note_state_and_signal, fence);

	KUNIT_EXPECT_GE(test, dma_fence_wait_timeout(fence, way->intr, LONG_WAIT), 1);
	KUNIT_EXPECT_EQ(test, later->task_state, way->state);
}

static void wait_any_sleeps_as_asked(struct kunit *test)
{
	const struct sleep_way *way = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct later *later = later_start(test, act_note_state_and_signal, fence);

	KUNIT_EXPECT_GE(test, dma_fence_wait_any_timeout(&fence, 1, way->intr, LONG_WAIT, NULL),
			1);
	KUNIT_EXPECT_EQ(test, later->task_state, way->state);
}

static void sleeping_wait_is_interrupted(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	signed long ret;

	signals_on();
	later_start(test, act_interrupt, fence);
	ret = dma_fence_wait_timeout(fence, true, LONG_WAIT);
	signals_off();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
}

static void interruption_wins_over_the_signal(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	signed long ret;

	signals_on();
	later_start(test, act_interrupt_and_signal, fence);
	ret = dma_fence_wait_timeout(fence, true, LONG_WAIT);
	signals_off();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
}

static void uninterruptible_wait_sleeps_on(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	signed long ret;

	send_signal_to_self(test);
	later_start(test, act_signal, fence);
	ret = dma_fence_wait_timeout(fence, false, LONG_WAIT);
	signals_off();
	KUNIT_EXPECT_GE(test, ret, 1);
}

static void act_wake_only(struct later *later)
{
	wake_up_process(later->task);
}

static void stray_wake_up_does_not_end_the_wait(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	unsigned long start = jiffies;

	later_start(test, act_wake_only, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 20), 0);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, start + 20));
}

static void sleeper_is_called_before_callbacks(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct dma_fence_cb *cb = test->priv;
	struct later *later;

	/* Only linked: the position is what counts. */
	spin_lock_irq(mock->base.lock);
	list_add_tail(&cb->node, &mock->base.cb_list);
	spin_unlock_irq(mock->base.lock);

	later = later_start(test, act_look_and_signal, &mock->base);
	later->cb = cb;
	KUNIT_EXPECT_GE(test, dma_fence_wait_timeout(&mock->base, false, LONG_WAIT), 1);
	KUNIT_EXPECT_TRUE(test, later->waiter_was_queued);
	KUNIT_EXPECT_TRUE(test, later->waiter_was_first);
}

static void fence_on_the_stack_may_go_after_the_wait(struct kunit *test)
{
	struct mock_fence_log log = {};
	struct mock_fence mock = { .log = &log };
	signed long left;

	spin_lock_init(&mock.lock);
	dma_fence_init(&mock.base, &mock_fence_ops, &mock.lock, 1, 1);
	later_start(test, act_signal, &mock.base);
	left = dma_fence_wait_timeout(&mock.base, false, LONG_WAIT);
	memset(&mock, 0x6b, sizeof(mock));
	/* Let the signaller come to its end: it must have let go of the fence. */
	schedule_timeout_uninterruptible(5);
	KUNIT_EXPECT_GE(test, left, 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(&mock, 0x6b, sizeof(mock)));
}

/* ---- locking of the wait on a completed fence ---- */

struct lock_probe {
	struct lockdep_map *map;
	unsigned int count;
};

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)
static void count_lock(void *data, struct lockdep_map *lock, unsigned int subclass, int trylock,
		       int read, int check, struct lockdep_map *next_lock, unsigned long ip)
{
	struct lock_probe *probe = data;

	if (lock == probe->map)
		probe->count++;
}

static void lock_probe_stop(void *data)
{
	unregister_trace_lock_acquire(count_lock, data);
	tracepoint_synchronize_unregister();
}

static struct lock_probe *lock_probe_start(struct kunit *test, spinlock_t *lock)
{
	struct lock_probe *probe = kunit_kzalloc(test, sizeof(*probe), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, probe);
	probe->map = &lock->dep_map;
	KUNIT_ASSERT_EQ(test, register_trace_lock_acquire(count_lock, probe), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lock_probe_stop, probe), 0);
	return probe;
}
#else
static void lock_probe_stop(void *data)
{
}

static struct lock_probe *lock_probe_start(struct kunit *test, spinlock_t *lock)
{
	kunit_skip(test, "needs CONFIG_LOCKDEP and CONFIG_TRACEPOINTS");
	return NULL;
}
#endif

/* The fence goes with the stack, so the signaller must have released the lock. */
static void wait_locks_a_signalled_fence_on_the_stack(struct kunit *test)
{
	struct mock_fence mock = {};
	struct lock_probe *probe;

	spin_lock_init(&mock.lock);
	dma_fence_init(&mock.base, &mock_fence_bare_ops, &mock.lock, 1, 1);
	dma_fence_signal(&mock.base);
	probe = lock_probe_start(test, &mock.lock);
	KUNIT_EXPECT_EQ(test, dma_fence_default_wait(&mock.base, false, 3), 3);
	KUNIT_EXPECT_EQ(test, probe->count, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock.base, false, 3), 3);
	KUNIT_EXPECT_EQ(test, probe->count, 2);
	kunit_release_action(test, lock_probe_stop, probe);
}

/* Any other outlives a grace period, but its lock need not. */
static void wait_leaves_the_lock_of_a_signalled_fence_alone(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);
	struct lock_probe *probe = lock_probe_start(test, fence->lock);

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "takes the lock there");
	KUNIT_EXPECT_EQ(test, dma_fence_default_wait(fence, false, 3), 3);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 3), 3);
	KUNIT_EXPECT_EQ(test, probe->count, 0);
}

/* ---- the enable step ---- */

static void default_wait_does_not_enable(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_default_wait(&mock->base, false, 0);
	dma_fence_default_wait(&mock->base, false, 1);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(&mock->base), 0);
}

static void default_wait_does_not_ask_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	KUNIT_EXPECT_EQ(test, dma_fence_default_wait(&mock->base, false, 0), 0);
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
}

static void wait_enables_even_without_time(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 0), 0);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
	KUNIT_EXPECT_TRUE(test, mock->log->enable_locked);
}

static void wait_ends_when_the_driver_refuses_to_enable(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->refuse_enable = true;
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 11), 11);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), 1);
}

static void wait_for_less_than_nothing_warns(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	signed long ret = 0;

	EXPECT_KERNEL_WARNING(test, ret = dma_fence_wait_timeout(&mock->base, false, -1));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
}

/* ---- a wait of the driver's own ---- */

static struct mock_fence *fence_with_wait(struct kunit *test, signed long result)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_wait_ops, 1, 1);

	mock->wait_result = result;
	return mock;
}

static void drivers_wait_gets_the_arguments(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 4);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, true, 9), 4);
	KUNIT_EXPECT_EQ(test, mock->log->waits, 1);
	KUNIT_EXPECT_TRUE(test, mock->log->wait_intr);
	KUNIT_EXPECT_EQ(test, mock->log->wait_timeout, 9);
}

static void drivers_wait_comes_after_enabling(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 4);

	dma_fence_wait_timeout(&mock->base, false, 9);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
	KUNIT_EXPECT_FALSE(test, mock->log->wait_intr);
}

static void drivers_wait_may_return_any_error(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, -ETIME);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 0), -ETIME);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(&mock->base, false), -ETIME);
}

static void drivers_wait_is_called_for_signalled_fence(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 0);

	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 5), 0);
	KUNIT_EXPECT_EQ(test, mock->log->waits, 1);
}

static void drivers_wait_is_not_used_by_default_wait(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 4);

	KUNIT_EXPECT_EQ(test, dma_fence_default_wait(&mock->base, false, 0), 0);
	KUNIT_EXPECT_EQ(test, mock->log->waits, 0);
}

/* ---- wait without a limit ---- */

static void wait_returns_0_when_signalled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	later_start(test, act_signal, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, true), 0);
}

static void wait_is_unlimited(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 1);

	KUNIT_EXPECT_EQ(test, dma_fence_wait(&mock->base, true), 0);
	KUNIT_EXPECT_EQ(test, mock->log->wait_timeout, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_TRUE(test, mock->log->wait_intr);
}

static void wait_is_interrupted(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	signed long ret;

	send_signal_to_self(test);
	ret = dma_fence_wait(fence, true);
	signals_off();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
}

/* ---- any of several ---- */

#define NUM_ANY 3

static void any_fences(struct kunit *test, struct dma_fence **fences)
{
	unsigned int i;

	for (i = 0; i < NUM_ANY; i++)
		fences[i] = &mock_fence_new_full(test)->base;
}

/* After a wait nothing may be left behind on fences that are still pending. */
static void expect_no_sleeper_left(struct kunit *test, struct dma_fence **fences)
{
	unsigned int i;

	for (i = 0; i < NUM_ANY; i++) {
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fences[i]), 1);
		if (!dma_fence_is_signaled(fences[i]))
			KUNIT_EXPECT_TRUE(test, list_empty(&fences[i]->cb_list));
	}
}

static void wait_any_of_no_array_warns(struct kunit *test)
{
	signed long ret = 0;
	u32 idx = 99;

	EXPECT_KERNEL_WARNING(test, ret = dma_fence_wait_any_timeout(NULL, 1, false, 1, &idx));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, idx, 99);
}

static void wait_any_of_none_warns(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long ret = 0;

	any_fences(test, fences);
	EXPECT_KERNEL_WARNING(test, ret = dma_fence_wait_any_timeout(fences, 0, false, 1, NULL));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
}

static void wait_any_for_less_than_nothing_warns(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long ret = 0;

	any_fences(test, fences);
	EXPECT_KERNEL_WARNING(test, ret = dma_fence_wait_any_timeout(fences, NUM_ANY, false, -1,
								     NULL));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[0])->log->enables, 0);
}

static void wait_any_without_time_only_looks(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	u32 idx = 99;

	any_fences(test, fences);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 0, &idx), 0);
	KUNIT_EXPECT_EQ(test, idx, 99);
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[0])->log->enables, 0);
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[2])->log->polls, 1);
}

static void wait_any_without_time_finds_the_first(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	u32 idx = 99;

	any_fences(test, fences);
	dma_fence_signal(fences[2]);
	dma_fence_signal(fences[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 0, &idx), 1);
	KUNIT_EXPECT_EQ(test, idx, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 0, NULL), 1);
}

static void wait_any_without_time_asks_the_driver(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	u32 idx = 99;

	any_fences(test, fences);
	to_mock_fence(fences[1])->complete = true;
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 0, &idx), 1);
	KUNIT_EXPECT_EQ(test, idx, 1);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fences[1]->flags));
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[2])->log->polls, 0);
}

static void wait_any_ends_at_once_for_a_signalled_fence(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	u32 idx = 99;

	any_fences(test, fences);
	dma_fence_signal(fences[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 17, &idx), 17);
	KUNIT_EXPECT_EQ(test, idx, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 17, NULL), 17);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_ends_when_a_driver_refuses_to_enable(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	u32 idx = 99;

	any_fences(test, fences);
	to_mock_fence(fences[2])->refuse_enable = true;
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 17, &idx), 17);
	KUNIT_EXPECT_EQ(test, idx, 2);
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[0])->log->enables, 1);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_is_woken_by_one(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long left;
	u32 idx = 99;

	any_fences(test, fences);
	later_start(test, act_signal, fences[2]);
	left = dma_fence_wait_any_timeout(fences, NUM_ANY, true, LONG_WAIT, &idx);
	KUNIT_EXPECT_GE(test, left, 1);
	KUNIT_EXPECT_LT(test, left, LONG_WAIT);
	KUNIT_EXPECT_EQ(test, idx, 2);
	KUNIT_EXPECT_EQ(test, get_current_state(), TASK_RUNNING);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_reports_the_lowest_index(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	struct later *later;
	u32 idx = 99;

	any_fences(test, fences);
	later = later_start(test, act_signal_both, fences[2]);
	later->second = fences[1];
	KUNIT_EXPECT_GE(test, dma_fence_wait_any_timeout(fences, NUM_ANY, false, LONG_WAIT, &idx),
			1);
	KUNIT_EXPECT_EQ(test, idx, 1);
}

static void wait_any_needs_no_index(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];

	any_fences(test, fences);
	later_start(test, act_signal, fences[0]);
	KUNIT_EXPECT_GE(test, dma_fence_wait_any_timeout(fences, NUM_ANY, false, LONG_WAIT, NULL),
			1);
}

static void wait_any_of_one_is_a_wait(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	u32 idx = 99;

	later_start(test, act_signal, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&fence, 1, false, MAX_SCHEDULE_TIMEOUT,
							 &idx), MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, idx, 0);
}

static void wait_any_times_out(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];

	any_fences(test, fences);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, NUM_ANY, true, 2, NULL), 0);
	KUNIT_EXPECT_EQ(test, get_current_state(), TASK_RUNNING);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_is_interrupted(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long ret;

	any_fences(test, fences);
	signals_on();
	later_start(test, act_interrupt, fences[0]);
	ret = dma_fence_wait_any_timeout(fences, NUM_ANY, true, LONG_WAIT, NULL);
	signals_off();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_without_intr_sleeps_on(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long ret;

	any_fences(test, fences);
	send_signal_to_self(test);
	later_start(test, act_signal, fences[0]);
	ret = dma_fence_wait_any_timeout(fences, NUM_ANY, false, LONG_WAIT, NULL);
	signals_off();
	KUNIT_EXPECT_GE(test, ret, 1);
}

static void wait_any_without_memory_queues_nothing(struct kunit *test)
{
	struct dma_fence *fences[NUM_ANY];
	signed long ret = 0;

	any_fences(test, fences);
	fail_alloc_setup(test);
	KUNIT_EXPECT_TRUE(test, FAIL_NTH_ALLOC(1, ret = dma_fence_wait_any_timeout(fences, NUM_ANY,
										   true, 2, NULL)));
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, to_mock_fence(fences[0])->log->enables, 0);
	expect_no_sleeper_left(test, fences);
}

static void wait_any_does_not_use_the_drivers_wait(struct kunit *test)
{
	struct mock_fence *mock = fence_with_wait(test, 4);
	struct dma_fence *fence = &mock->base;

	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&fence, 1, false, 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, mock->log->waits, 0);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
}

static struct kunit_case dma_fence_wait_cases[] = {
	KUNIT_CASE_PARAM(default_wait_returns_the_time_left, wait_row_gen_params),
	KUNIT_CASE_PARAM(wait_timeout_returns_the_time_left, wait_row_gen_params),
	KUNIT_CASE(wait_is_woken_by_the_signal),
	KUNIT_CASE(unlimited_wait_has_no_end),
	KUNIT_CASE_PARAM(wait_sleeps_as_asked, sleep_way_gen_params),
	KUNIT_CASE_PARAM(wait_any_sleeps_as_asked, sleep_way_gen_params),
	KUNIT_CASE(sleeping_wait_is_interrupted),
	KUNIT_CASE(interruption_wins_over_the_signal),
	KUNIT_CASE(uninterruptible_wait_sleeps_on),
	KUNIT_CASE(stray_wake_up_does_not_end_the_wait),
	KUNIT_CASE(sleeper_is_called_before_callbacks),
	KUNIT_CASE(fence_on_the_stack_may_go_after_the_wait),
	KUNIT_CASE(wait_locks_a_signalled_fence_on_the_stack),
	KUNIT_CASE(wait_leaves_the_lock_of_a_signalled_fence_alone),
	KUNIT_CASE(default_wait_does_not_enable),
	KUNIT_CASE(default_wait_does_not_ask_the_driver),
	KUNIT_CASE(wait_enables_even_without_time),
	KUNIT_CASE(wait_ends_when_the_driver_refuses_to_enable),
	KUNIT_CASE(wait_for_less_than_nothing_warns),
	KUNIT_CASE(drivers_wait_gets_the_arguments),
	KUNIT_CASE(drivers_wait_comes_after_enabling),
	KUNIT_CASE(drivers_wait_may_return_any_error),
	KUNIT_CASE(drivers_wait_is_called_for_signalled_fence),
	KUNIT_CASE(drivers_wait_is_not_used_by_default_wait),
	KUNIT_CASE(wait_returns_0_when_signalled),
	KUNIT_CASE(wait_is_unlimited),
	KUNIT_CASE(wait_is_interrupted),
	KUNIT_CASE(wait_any_of_no_array_warns),
	KUNIT_CASE(wait_any_of_none_warns),
	KUNIT_CASE(wait_any_for_less_than_nothing_warns),
	KUNIT_CASE(wait_any_without_time_only_looks),
	KUNIT_CASE(wait_any_without_time_finds_the_first),
	KUNIT_CASE(wait_any_without_time_asks_the_driver),
	KUNIT_CASE(wait_any_ends_at_once_for_a_signalled_fence),
	KUNIT_CASE(wait_any_ends_when_a_driver_refuses_to_enable),
	KUNIT_CASE(wait_any_is_woken_by_one),
	KUNIT_CASE(wait_any_reports_the_lowest_index),
	KUNIT_CASE(wait_any_needs_no_index),
	KUNIT_CASE(wait_any_of_one_is_a_wait),
	KUNIT_CASE(wait_any_times_out),
	KUNIT_CASE(wait_any_is_interrupted),
	KUNIT_CASE(wait_any_without_intr_sleeps_on),
	KUNIT_CASE(wait_any_without_memory_queues_nothing),
	KUNIT_CASE(wait_any_does_not_use_the_drivers_wait),
	{}
};

/* A callback of the case, which has to be there before any fence. */
static void ignore_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static int dma_fence_wait_init(struct kunit *test)
{
	struct dma_fence_cb *cb = kunit_kzalloc(test, sizeof(*cb), GFP_KERNEL);

	if (!cb)
		return -ENOMEM;
	cb->func = ignore_call;
	INIT_LIST_HEAD(&cb->node);
	test->priv = cb;
	return 0;
}

static struct kunit_suite dma_fence_wait_suite = {
	.name = "dma_fence_wait",
	.init = dma_fence_wait_init,
	.test_cases = dma_fence_wait_cases,
};

kunit_test_suite(dma_fence_wait_suite);
