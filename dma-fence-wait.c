// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping until a fence signals, or the first of several.
 *
 * To change here: how a task sleeps, and what a wait returns. How a fence signals is
 * in dma-fence.c; waits for all fences of a buffer are in dma-resv-query.c.
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <trace/events/dma_fence.h>

#include "dma-fence-internal.h"

/* A task that sleeps until a fence signals. */
struct dma_fence_sleeper {
	struct dma_fence_cb cb;
	struct task_struct *task;
};

static void dma_fence_wake_sleeper(struct dma_fence *fence,
				   struct dma_fence_cb *cb)
{
	struct dma_fence_sleeper *sleeper =
		container_of(cb, struct dma_fence_sleeper, cb);

	wake_up_state(sleeper->task, TASK_NORMAL);
}

/**
 * dma_fence_sleeper_task() - does a callback wake a task that sleeps?
 * @cb: callback of a fence whose lock the caller holds
 *
 * Context: Any.
 * Return: the task, which stays as long as the lock is held; NULL if the callback
 * does something else.
 */
struct task_struct *dma_fence_sleeper_task(struct dma_fence_cb *cb)
{
	if (cb->func != dma_fence_wake_sleeper)
		return NULL;

	return container_of(cb, struct dma_fence_sleeper, cb)->task;
}

static unsigned int dma_fence_task_state(bool intr)
{
	return intr ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE;
}

/*
 * Sleep until the signal. Called with fence->lock held, which it releases. The lock
 * orders the state of the task and the signalled flag: the signaller sets the flag and
 * wakes the task under the lock, and this function sets the state before it releases
 * the lock. Once all callbacks have returned, nothing refers to the sleeper any more.
 */
static signed long dma_fence_sleep(struct dma_fence *fence, bool intr,
				   signed long timeout, unsigned long flags)
	__releases(fence->lock)
{
	struct dma_fence_sleeper sleeper = {
		.cb.func = dma_fence_wake_sleeper,
		.task = current,
	};
	unsigned int state = dma_fence_task_state(intr);
	bool interrupted;

	/* First in the queue, since the wake-up takes longer than other callbacks. */
	list_add(&sleeper.cb.node, &fence->cb_list);
	do {
		__set_current_state(state);
		spin_unlock_irqrestore(fence->lock, flags);
		timeout = schedule_timeout(timeout);

		/* Report the interruption even if the fence has signalled meanwhile. */
		interrupted = timeout && intr && signal_pending(current);
		if (!dma_fence_lock_unless_done(fence, &flags))
			return interrupted ? -ERESTARTSYS : timeout;
	} while (timeout && !interrupted && !dma_fence_signaled_flag(fence));

	list_del_init(&sleeper.cb.node);
	spin_unlock_irqrestore(fence->lock, flags);

	return interrupted ? -ERESTARTSYS : timeout;
}

/* Called with fence->lock held, which it releases. */
static signed long dma_fence_wait_locked(struct dma_fence *fence, bool intr,
					 signed long timeout,
					 unsigned long flags)
	__releases(fence->lock)
{
	bool signaled = dma_fence_signaled_flag(fence);
	bool interrupted = intr && signal_pending(current);

	if (!signaled && !interrupted && timeout)
		return dma_fence_sleep(fence, intr, timeout, flags);

	spin_unlock_irqrestore(fence->lock, flags);
	if (signaled)
		return timeout ?: 1;

	return interrupted ? -ERESTARTSYS : 0;
}

/**
 * dma_fence_default_wait() - sleep until a fence signals
 * @fence: fence, for which signalling has been enabled
 * @intr: whether a signal ends the wait
 * @timeout: jiffies, %MAX_SCHEDULE_TIMEOUT for no limit, 0 not to sleep
 *
 * dma_fence_wait_timeout() uses it for a fence without &dma_fence_ops.wait.
 *
 * The caller may free a @fence on its own stack afterwards. Any other has to outlive a
 * grace period, see dma_fence_lock_unless_done(). All callbacks that were added before
 * the signal have returned.
 *
 * Context: Process context, may sleep. Takes &dma_fence.lock.
 * Return:
 * * > 0 - signalled, with so many jiffies left; 1 if @timeout is 0
 * * 0 - still pending after @timeout
 * * %-ERESTARTSYS - interrupted
 */
signed long dma_fence_default_wait(struct dma_fence *fence, bool intr,
				   signed long timeout)
{
	unsigned long flags;

	if (!dma_fence_lock_unless_done(fence, &flags))
		return timeout ?: 1;

	return dma_fence_wait_locked(fence, intr, timeout, flags);
}
EXPORT_SYMBOL(dma_fence_default_wait);

/*
 * Enable signalling and wait, in one critical section. The trace event is emitted under
 * the lock, since releasing the lock for it would cost more than the event.
 */
static signed long dma_fence_enable_and_wait(struct dma_fence *fence, bool intr,
					     signed long timeout)
{
	unsigned long flags;

	if (!dma_fence_lock_unless_done(fence, &flags)) {
		trace_dma_fence_wait_start(fence);
		return timeout ?: 1;
	}

	dma_fence_enable_locked(fence);
	trace_dma_fence_wait_start(fence);

	return dma_fence_wait_locked(fence, intr, timeout, flags);
}

static signed long dma_fence_driver_wait(struct dma_fence *fence, bool intr,
					 signed long timeout)
{
	dma_fence_enable_sw_signaling(fence);
	trace_dma_fence_wait_start(fence);

	return fence->ops->wait(fence, intr, timeout);
}

/**
 * dma_fence_wait_timeout() - sleep until a fence signals, or for a time
 * @fence: fence
 * @intr: whether a signal ends the wait
 * @timeout: jiffies, %MAX_SCHEDULE_TIMEOUT for no limit, 0 not to sleep
 *
 * Enables signalling first, so the driver reports completion even after a call that
 * does not sleep.
 *
 * Context: Process context, may sleep. Allowed under &dma_resv.lock. Between
 * dma_fence_begin_signalling() and dma_fence_end_signalling() only allowed for a fence
 * that does not depend on that section, see `fence signalling annotation`.
 * Return:
 * * > 0 - signalled, with so many jiffies left; 1 if @timeout is 0
 * * 0 - still pending after @timeout
 * * %-ERESTARTSYS - interrupted
 * * %-EINVAL - @timeout is negative; comes with a warning
 * * other errno - from &dma_fence_ops.wait
 */
signed long dma_fence_wait_timeout(struct dma_fence *fence, bool intr,
				   signed long timeout)
{
	signed long ret;

	might_sleep();
	__dma_fence_might_wait();

	if (WARN_ON_ONCE(timeout < 0))
		return -EINVAL;

	if (test_bit(__DMA_FENCE_NO_WAIT_BIT, &fence->flags))
		ret = dma_fence_enable_and_wait(fence, intr, timeout);
	else
		ret = dma_fence_driver_wait(fence, intr, timeout);
	trace_dma_fence_wait_end(fence);

	return ret;
}
EXPORT_SYMBOL(dma_fence_wait_timeout);

static bool dma_fence_find(struct dma_fence **fences, u32 count,
			   bool (*match)(struct dma_fence *fence),
			   u32 *idx)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!match(fences[i]))
			continue;
		if (idx)
			*idx = i;
		return true;
	}

	return false;
}

/*
 * Queue a sleeper on each fence, in order. Stops at one that has signalled and
 * returns its index, or count.
 */
static u32 dma_fence_queue_sleepers(struct dma_fence **fences,
				    struct dma_fence_sleeper *sleepers,
				    u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		sleepers[i].task = current;
		if (dma_fence_add_callback(fences[i], &sleepers[i].cb,
					   dma_fence_wake_sleeper))
			break;
	}

	return i;
}

/* Test each fence again after setting the state of the task, so no wake-up is lost. */
static signed long dma_fence_sleep_any(struct dma_fence **fences,
				       u32 count, bool intr,
				       signed long timeout, u32 *idx)
{
	while (timeout > 0) {
		set_current_state(dma_fence_task_state(intr));

		if (dma_fence_find(fences, count, dma_fence_signaled_flag,
				   idx))
			break;

		timeout = schedule_timeout(timeout);
		if (timeout > 0 && intr && signal_pending(current))
			timeout = -ERESTARTSYS;
	}

	__set_current_state(TASK_RUNNING);

	return timeout;
}

/**
 * dma_fence_wait_any_timeout() - sleep until the first of several fences
 * @fences: fences, which the caller keeps referenced
 * @count: number of @fences, at least 1
 * @intr: whether a signal ends the wait
 * @timeout: jiffies, %MAX_SCHEDULE_TIMEOUT for no limit, 0 not to sleep
 * @idx: where to store the lowest index of a fence that has signalled; may be
 *	NULL. Set only if the result is positive.
 *
 * &dma_fence_ops.wait is not used.
 *
 * Context: Process context, may sleep.
 * Return:
 * * > 0 - one has signalled, with so many jiffies left; 1 if @timeout is 0
 * * 0 - all still pending after @timeout
 * * %-ERESTARTSYS - interrupted
 * * %-EINVAL - no fences, or negative @timeout; comes with a warning
 * * %-ENOMEM - out of memory
 */
signed long dma_fence_wait_any_timeout(struct dma_fence **fences,
				       u32 count, bool intr,
				       signed long timeout, u32 *idx)
{
	struct dma_fence_sleeper *sleepers;
	u32 queued;

	if (WARN_ON_ONCE(!fences || !count || timeout < 0))
		return -EINVAL;

	if (!timeout)
		return dma_fence_find(fences, count, dma_fence_is_signaled,
				      idx);

	sleepers = kvcalloc(count, sizeof(*sleepers), GFP_KERNEL);
	if (!sleepers)
		return -ENOMEM;

	queued = dma_fence_queue_sleepers(fences, sleepers, count);
	if (queued == count)
		timeout = dma_fence_sleep_any(fences, count, intr, timeout,
					      idx);
	else if (idx)
		*idx = queued;

	while (queued--)
		dma_fence_remove_callback(fences[queued], &sleepers[queued].cb);
	kvfree(sleepers);

	return timeout;
}
EXPORT_SYMBOL(dma_fence_wait_any_timeout);
