// SPDX-License-Identifier: GPL-2.0
/*
 * Mock fences for the KUnit suites of the dma-buf subsystem.
 */

#include <kunit/test.h>

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/slab.h>

#include "mock_fence.h"

static_assert(offsetof(struct mock_fence, base) == 0);

/* Numbers the calls, so that a case can tell which fence was called first. */
static unsigned int mock_fence_next_turn(void)
{
	static atomic_t turns;

	return atomic_inc_return(&turns);
}

/*
 * A driver may be gone once its fence has signalled, unless somebody holds the
 * lock. On two CPUs the signal may come after the core has looked for it.
 */
static void mock_fence_note_late(struct mock_fence *mock)
{
	if (mock->log && num_online_cpus() == 1 && !mock_fence_lock_held(&mock->base) &&
	    test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags))
		mock->log->late++;
}

static void mock_fence_judge(struct mock_fence *mock)
{
	if (mock->log && mock->log->late && !MOCK_STOCK_CORE)
		KUNIT_FAIL(mock->log->test, "%u calls of the driver after the signal",
			   mock->log->late);
}

static void mock_fence_note_name(struct mock_fence *mock)
{
	mock_fence_note_late(mock);
	if (mock->log)
		mock->log->names++;
}

static const char *mock_fence_get_driver_name(struct dma_fence *fence)
{
	mock_fence_note_name(to_mock_fence(fence));
	return "mock_driver";
}

static const char *mock_fence_get_timeline_name(struct dma_fence *fence)
{
	mock_fence_note_name(to_mock_fence(fence));
	return "mock_timeline";
}

static bool mock_fence_enable_signaling(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	mock_fence_note_late(mock);
	mock->log->enables++;
	mock->log->enable_turn = mock_fence_next_turn();
	mock->log->enable_locked = mock_fence_lock_held(fence);
	mock->log->enable_irqs_off = irqs_disabled();
	mock->log->enable_flag = test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	if (mock->enable_error)
		dma_fence_set_error(fence, mock->enable_error);
	return !mock->refuse_enable;
}

static bool mock_fence_signaled(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	mock_fence_note_late(mock);
	if (mock->on_poll)
		mock->on_poll(mock);
	if (mock->log) {
		mock->log->polls++;
		mock->log->poll_turn = mock_fence_next_turn();
	}
	if (mock->complete && mock->complete_error)
		dma_fence_set_error(fence, mock->complete_error);
	return mock->complete;
}

static signed long mock_fence_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct mock_fence *mock = to_mock_fence(fence);

	mock->log->waits++;
	mock->log->wait_intr = intr;
	mock->log->wait_timeout = timeout;
	return mock->wait_result;
}

static void mock_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct mock_fence *mock = to_mock_fence(fence);

	mock_fence_note_late(mock);
	mock->log->deadlines++;
	mock->log->deadline_turn = mock_fence_next_turn();
	mock->log->deadline = deadline;
}

static void mock_fence_release(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	mock_fence_judge(mock);
	if (mock->log)
		mock->log->releases++;
	dma_fence_free(fence);
}

static void mock_fence_embedded_release(struct dma_fence *fence)
{
	to_mock_fence(fence)->log->releases++;
}

const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = mock_fence_release,
};

const struct dma_fence_ops mock_fence_bare_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
};

const struct dma_fence_ops mock_fence_64bit_ops = {
	.use_64bit_seqno = true,
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = mock_fence_release,
};

const struct dma_fence_ops mock_fence_full_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
	.set_deadline = mock_fence_set_deadline,
	.release = mock_fence_release,
};

const struct dma_fence_ops mock_fence_wait_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.wait = mock_fence_wait,
	.release = mock_fence_release,
};

const struct dma_fence_ops mock_fence_embedded_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = mock_fence_embedded_release,
};

/*
 * The end of a case: no task may wait for ever, and the log is about to be freed.
 */
static void mock_fence_finish(void *data)
{
	struct dma_fence *fence = data;

	dma_fence_signal(fence);
	mock_fence_judge(to_mock_fence(fence));
	to_mock_fence(fence)->log = NULL;
	dma_fence_put(fence);
}

/**
 * mock_fence_create() - create a pending fence
 * @test: running case; signals the fence and drops its reference in the end
 * @ops: one of the tables of mock_fence.h
 * @context: timeline
 * @seqno: position on the timeline
 *
 * Return: the fence, with one reference that belongs to @test.
 */
struct mock_fence *mock_fence_create(struct kunit *test, const struct dma_fence_ops *ops,
				     u64 context, u64 seqno)
{
	struct mock_fence *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	spin_lock_init(&mock->lock);
	mock->log = kunit_kzalloc(test, sizeof(*mock->log), GFP_KERNEL);
	if (mock->log)
		mock->log->test = test;
	dma_fence_init(&mock->base, ops, &mock->lock, context, seqno);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_fence_finish, &mock->base));
	KUNIT_ASSERT_NOT_NULL(test, mock->log);
	return mock;
}

/**
 * mock_fence_embed() - get memory for a fence that goes with the case
 * @test: running case
 *
 * Return: a fence that is not initialised yet, for mock_fence_embedded_ops.
 */
struct mock_fence *mock_fence_embed(struct kunit *test)
{
	struct mock_fence *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	spin_lock_init(&mock->lock);
	mock->log = kunit_kzalloc(test, sizeof(*mock->log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock->log);
	mock->log->test = test;
	return mock;
}

/**
 * mock_fence_new() - create a pending fence on a timeline of its own
 * @test: running case; signals the fence and drops its reference in the end
 *
 * Return: the fence, with one reference that belongs to @test.
 */
struct dma_fence *mock_fence_new(struct kunit *test)
{
	return &mock_fence_create(test, &mock_fence_ops, dma_fence_context_alloc(1), 1)->base;
}

/**
 * mock_fence_new_signaled() - create a completed fence on a timeline of its own
 * @test: running case, which drops its reference in the end
 *
 * Return: the fence, with one reference that belongs to @test.
 */
struct dma_fence *mock_fence_new_signaled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_ASSERT_EQ(test, 0, dma_fence_signal(fence));
	return fence;
}

/**
 * mock_fence_new_full() - create a pending fence with all but a wait operation
 * @test: running case; signals the fence and drops its reference in the end
 *
 * Return: the fence, with one reference that belongs to @test.
 */
struct mock_fence *mock_fence_new_full(struct kunit *test)
{
	return mock_fence_create(test, &mock_fence_full_ops, dma_fence_context_alloc(1), 1);
}

/**
 * mock_fence_put() - signal a fence and drop the reference of a case early
 * @test: running case
 * @fence: one of its mock fences
 *
 * The log of the fence does not note the release. Use mock_fence_disown()
 * and dma_fence_put() to see it.
 */
void mock_fence_put(struct kunit *test, struct dma_fence *fence)
{
	kunit_release_action(test, mock_fence_finish, fence);
}

/**
 * mock_fence_disown() - take over the reference of a case
 * @test: running case
 * @fence: one of its mock fences; the caller has to put it
 */
void mock_fence_disown(struct kunit *test, struct dma_fence *fence)
{
	kunit_remove_action(test, mock_fence_finish, fence);
}

/**
 * mock_fence_nest_lock() - allow to take the lock of a fence inside another one's
 * @mock: the inner fence
 *
 * All mock fences share one lockdep class otherwise.
 */
void mock_fence_nest_lock(struct mock_fence *mock)
{
	static struct lock_class_key inner_key;

	lockdep_set_class(&mock->lock, &inner_key);
}
