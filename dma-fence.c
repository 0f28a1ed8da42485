// SPDX-License-Identifier: GPL-2.0-only
/*
 * State machine of a fence: from init through the signal to the last put.
 *
 * To change here: states of a fence, order of the steps of a signal, callbacks, names,
 * stubs. Waits are in dma-fence-wait.c, lockdep's rules in dma-buf-lockdep.c.
 */

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "dma-fence-internal.h"
#include "sync_debug.h"

#define CREATE_TRACE_POINTS
#include <trace/events/dma_fence.h>

EXPORT_TRACEPOINT_SYMBOL(dma_fence_emit);
EXPORT_TRACEPOINT_SYMBOL(dma_fence_enable_signal);
EXPORT_TRACEPOINT_SYMBOL(dma_fence_signaled);

/**
 * DOC: DMA fences overview
 *
 * A fence, &struct dma_fence, stands for work that a device has been given and
 * that will be over some day. The driver which gave the work creates the fence
 * with dma_fence_init(), shows it to others, and calls dma_fence_signal() when
 * the device reports completion, for better or worse (dma_fence_set_error()).
 * That happens once; a fence is never re-armed.
 *
 * Other drivers hold references (dma_fence_get(), dma_fence_put()) and may
 *
 * - test: dma_fence_is_signaled(), dma_fence_get_status();
 * - sleep: dma_fence_wait(), dma_fence_wait_timeout(), or for the first of many
 *   dma_fence_wait_any_timeout();
 * - be called back: dma_fence_add_callback(), possibly in interrupt context;
 * - ask for haste: dma_fence_set_deadline().
 *
 * A device may need more power to report each completion. So the driver need not
 * enable reports in advance: &dma_fence_ops.enable_signaling is called for the first
 * callback or sleeper, and never for a test.
 *
 * Fences of one timeline share a context number (dma_fence_context_alloc()) and
 * carry ascending sequence numbers: if a fence has signalled, the work of all fences
 * before it is done. So it is enough to keep the latest fence of each context.
 *
 * Fences reach other drivers through the reservation object of a buffer
 * (&struct dma_resv, implicit synchronisation) and user space as a file
 * (&struct sync_file, explicit synchronisation).
 */

/**
 * DOC: fence cross-driver contract
 *
 * A published fence makes other drivers depend on the driver that created it, so all
 * drivers have to keep the same rules:
 *
 * - Every fence signals in finite time, whatever the hardware does. A driver
 *   whose device can hang needs a watchdog that signals with an error.
 * - Nothing that the signal depends on may depend on a fence in turn. The way
 *   from publishing a fence to signalling it takes no lock under which any task
 *   waits for fences, &dma_resv.lock above all, and allocates no memory except
 *   by %GFP_ATOMIC or %GFP_NOWAIT, since reclaim waits for fences.
 * - A signal does not depend on user space: no fence may wait for a page fault to be
 *   served, or for an ioctl to come.
 * - In return waiting is allowed while holding &dma_resv.lock, in shrinkers and
 *   in MMU notifiers.
 * - A driver may be unloaded an RCU grace period after its last fence has signalled, even
 *   while others hold references on the fence: until then the lock, names and operations
 *   of the fence must stay. Its memory must stay for a grace period after the last put.
 *
 * Lockdep finds offenders, see `fence signalling annotation` below.
 */

/**
 * DOC: deadline hints
 *
 * A compositor knows when the display needs the next frame; the GPU driver
 * knows how to run faster. dma_fence_set_deadline() tells the driver the time, on
 * CLOCK_MONOTONIC, by which the fence should have signalled. Containers pass it to
 * their members. It is a hint: a fence that misses the deadline signals later, and
 * nothing else happens.
 */

/* Next context number. Number 0 is for fences that have no order. */
static atomic64_t dma_fence_context_counter = ATOMIC64_INIT(1);

/* Lock of the stubs, which signal before they are published. */
static DEFINE_SPINLOCK(dma_fence_stub_lock);

/* For a fence that its driver has initialised without a lock. */
static DEFINE_SPINLOCK(dma_fence_invalid_lock);

/**
 * dma_fence_context_alloc() - get numbers for new timelines
 * @num: how many, at least 1; 0 warns
 *
 * Context: Any.
 * Return: first of @num consecutive numbers. They are never used again.
 */
u64 dma_fence_context_alloc(unsigned int num)
{
	WARN_ON_ONCE(!num);
	return atomic64_fetch_add(num, &dma_fence_context_counter);
}
EXPORT_SYMBOL(dma_fence_context_alloc);

static const char *dma_fence_stub_name(struct dma_fence *fence)
{
	return "stub";
}

static const struct dma_fence_ops dma_fence_stub_ops = {
	.get_driver_name = dma_fence_stub_name,
	.get_timeline_name = dma_fence_stub_name,
};

static const char *dma_fence_invalid_name(struct dma_fence *fence)
{
	return "invalid";
}

/* Without valid operations it is unknown how to free the fence: leak it. */
static void dma_fence_invalid_release(struct dma_fence *fence)
{
}

static const struct dma_fence_ops dma_fence_invalid_ops = {
	.get_driver_name = dma_fence_invalid_name,
	.get_timeline_name = dma_fence_invalid_name,
	.release = dma_fence_invalid_release,
};

/* Remember in the flags what the core needs after the operations may have gone. */
static unsigned long dma_fence_ops_flags(const struct dma_fence_ops *ops)
{
	unsigned long flags = 0;

	if (!ops->release)
		flags |= BIT(__DMA_FENCE_NO_RELEASE_BIT);
	if (!ops->wait)
		flags |= BIT(__DMA_FENCE_NO_WAIT_BIT);
	if (!ops->signaled)
		flags |= BIT(__DMA_FENCE_NO_SIGNALED_BIT);
	if (ops->use_64bit_seqno)
		flags |= BIT(__DMA_FENCE_64BIT_SEQNO_BIT);

	return flags;
}

/**
 * dma_fence_init() - turn memory into a pending fence
 * @fence: memory, which may be anything
 * @ops: operations; both names are mandatory
 * @lock: lock to use; may be shared between fences, and stays until an RCU grace
 *	period after the signal of the last of them
 * @context: timeline, from dma_fence_context_alloc()
 * @seqno: position on the timeline
 *
 * The caller owns the first and only reference. Once somebody waits for @fence,
 * it has to be signalled before it dies.
 *
 * Missing arguments are a mistake of the driver. It gets a warning and a pending
 * fence, since unfinished work must not look finished. A missing lock or name is
 * substituted; without @ops @fence will never be freed.
 *
 * Context: Any. Does not take @lock.
 */
void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops,
		    spinlock_t *lock, u64 context, u64 seqno)
{
	if (WARN_ON_ONCE(!ops))
		ops = &dma_fence_invalid_ops;
	if (WARN_ON_ONCE(!lock))
		lock = &dma_fence_invalid_lock;
	WARN_ON_ONCE(!ops->get_driver_name || !ops->get_timeline_name);

	/* Lockless readers may read recycled memory, see dma-resv-read.c. */
	WRITE_ONCE(fence->ops, ops);
	WRITE_ONCE(fence->flags, dma_fence_ops_flags(ops));
	fence->lock = lock;
	fence->context = context;
	fence->seqno = seqno;
	fence->error = 0;
	INIT_LIST_HEAD(&fence->cb_list);
	/* Pairs with dma_fence_get_rcu(): a reference makes the stores above visible. */
	smp_wmb();
	kref_init(&fence->refcount);

	trace_dma_fence_init(fence);
}
EXPORT_SYMBOL(dma_fence_init);

/*
 * Is it a fence of this directory? The names of these, and the code that returns them,
 * are valid as long as the fence.
 */
static bool dma_fence_is_ours(struct dma_fence *fence)
{
	return dma_fence_is_container(fence) || dma_fence_is_sw_sync(fence) ||
	       fence->ops == &dma_fence_stub_ops;
}

/**
 * dma_fence_driver_name_rcu() - name of the driver, as long as that can be asked
 * @fence: fence
 *
 * A driver may be unloaded a grace period after its last signal. So it is asked only
 * if the fence is still pending in the same RCU read-side critical section.
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: string, valid until the end of that section; never NULL.
 */
const char *dma_fence_driver_name_rcu(struct dma_fence *fence)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "name without RCU");

	if (dma_fence_signaled_flag(fence) && !dma_fence_is_ours(fence))
		return "detached-driver";

	return dma_fence_ask_driver_name(fence);
}
EXPORT_SYMBOL(dma_fence_driver_name_rcu);

/**
 * dma_fence_timeline_name_rcu() - name of the timeline, as long as the driver can
 * be asked
 * @fence: fence
 *
 * As dma_fence_driver_name_rcu().
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: string, valid until the end of that section; never NULL.
 */
const char *dma_fence_timeline_name_rcu(struct dma_fence *fence)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "name without RCU");

	if (dma_fence_signaled_flag(fence) && !dma_fence_is_ours(fence))
		return "signaled-timeline";

	return dma_fence_ask_timeline_name(fence);
}
EXPORT_SYMBOL(dma_fence_timeline_name_rcu);

/**
 * dma_fence_describe() - print a line about a fence
 * @fence: fence
 * @seq: file to print to
 *
 * Prints driver, timeline, sequence number, and whether it has signalled. A signalled
 * fence has names only if it is one of this directory.
 *
 * Context: Any, as for dma_fence_is_signaled().
 */
void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq)
{
	const char *state = dma_fence_is_signaled(fence) ? "" : "un";

	guard(rcu)();

	seq_printf(seq, "%s %s seq %llu %ssignalled\n",
		   dma_fence_driver_name_rcu(fence),
		   dma_fence_timeline_name_rcu(fence), fence->seqno, state);
}
EXPORT_SYMBOL(dma_fence_describe);

/**
 * dma_fence_get_status() - is the operation over, and with which error?
 * @fence: fence
 *
 * Context: Any, as for dma_fence_is_signaled().
 * Return: 0 pending, 1 done, negative errno done with an error.
 */
int dma_fence_get_status(struct dma_fence *fence)
{
	if (!dma_fence_is_signaled(fence))
		return 0;

	return fence->error ?: 1;
}
EXPORT_SYMBOL(dma_fence_get_status);

/**
 * dma_fence_set_deadline() - tell the driver when the result will be needed
 * @fence: fence
 * @deadline: CLOCK_MONOTONIC time; the past means "as soon as possible"
 *
 * See `deadline hints`. Without effect on fences that have signalled, or have no
 * &dma_fence_ops.set_deadline.
 *
 * Context: Any. &dma_fence.lock is not held.
 */
void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	guard(rcu)();

	if (dma_fence_signaled_flag(fence))
		return;

	if (fence->ops->set_deadline && !dma_fence_is_signaled(fence))
		fence->ops->set_deadline(fence, deadline);
}
EXPORT_SYMBOL(dma_fence_set_deadline);

/* Call what was queued, beginning with @node. The last one has no successor. */
static void dma_fence_call_back(struct dma_fence *fence, struct list_head *node)
{
	struct dma_fence_cb *cb;

	while (node) {
		cb = list_entry(node, struct dma_fence_cb, node);
		node = node->next;
		/* The function may free or requeue its cb. */
		INIT_LIST_HEAD(&cb->node);
		cb->func(fence, cb);
	}

	/* Pairs with dma_fence_lock_unless_done(). */
	smp_mb__before_atomic();
	set_bit(__DMA_FENCE_DONE_BIT, &fence->flags);
}

/*
 * The order matters to lockless observers: the signalled flag comes first, and
 * a reader that sees the timestamp flag finds the timestamp. Callbacks come last.
 */
static void dma_fence_complete(struct dma_fence *fence, ktime_t timestamp)
{
	unsigned long flags = BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT);
	struct list_head *first = fence->cb_list.next;
	bool empty = list_empty(&fence->cb_list);

	if (empty)
		flags |= BIT(__DMA_FENCE_DONE_BIT);
	else
		fence->cb_list.prev->next = NULL;

	/* The timestamp is stored where the list head has been. */
	fence->timestamp = timestamp;
	/* Pairs with test_bit_acquire() in dma_fence_timestamp(). */
	smp_wmb();
	set_mask_bits(&fence->flags, 0, flags);
	trace_dma_fence_signaled(fence);

	if (!empty)
		dma_fence_call_back(fence, first);
}

/**
 * __dma_fence_await_timestamp() - wait for a signaller to store the time
 * @fence: fence that has signalled
 *
 * The slow path of dma_fence_timestamp(). Where spinlocks sleep (PREEMPT_RT), taking
 * the lock lends the priority of the caller to the signaller. If the caller has
 * preempted the signaller, spinning would never end. The lock is valid as long as
 * there is no timestamp, and RCU keeps it while it is used here. For a driver that
 * sets the flag without the lock (i915) the function spins.
 *
 * Context: Any, &dma_fence.lock is not held.
 */
void __dma_fence_await_timestamp(struct dma_fence *fence)
{
	unsigned long flags;

	rcu_read_lock();
	if (!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags)) {
		spin_lock_irqsave(fence->lock, flags);
		spin_unlock_irqrestore(fence->lock, flags);
	}
	rcu_read_unlock();

	while (!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags))
		cpu_relax();
}
EXPORT_SYMBOL(__dma_fence_await_timestamp);

/* One caller wins, and a reader that sees the flag sees everything before it. */
static bool dma_fence_claim_signal(struct dma_fence *fence)
{
	lockdep_assert_held(fence->lock);
	return !test_and_set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * dma_fence_signal_timestamp_locked() - signal under the lock, at a given time
 * @fence: fence
 * @timestamp: CLOCK_MONOTONIC time of completion, e.g. told by the hardware
 *
 * Context: Any. Caller holds &dma_fence.lock. Runs the callbacks.
 * Return: 0, -EINVAL if @fence had signalled before; nothing happens then.
 */
int dma_fence_signal_timestamp_locked(struct dma_fence *fence,
				      ktime_t timestamp)
{
	if (!dma_fence_claim_signal(fence))
		return -EINVAL;

	dma_fence_complete(fence, timestamp);
	return 0;
}
EXPORT_SYMBOL(dma_fence_signal_timestamp_locked);

/**
 * dma_fence_signal_timestamp() - signal, at a given time
 * @fence: fence; NULL is an error
 * @timestamp: CLOCK_MONOTONIC time of completion, e.g. told by the hardware
 *
 * Context: Any. Takes &dma_fence.lock and runs the callbacks under it.
 * Return: 0, -EINVAL for NULL or if @fence had signalled before; nothing
 * happens then.
 */
int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp)
{
	if (!fence)
		return -EINVAL;

	guard(spinlock_irqsave)(fence->lock);

	return dma_fence_signal_timestamp_locked(fence, timestamp);
}
EXPORT_SYMBOL(dma_fence_signal_timestamp);

/**
 * dma_fence_signal_locked() - signal under the lock
 * @fence: fence
 *
 * Context: Any. Caller holds &dma_fence.lock. Runs the callbacks.
 * Return: 0, -EINVAL if @fence had signalled before; nothing happens then.
 */
int dma_fence_signal_locked(struct dma_fence *fence)
{
	if (!dma_fence_claim_signal(fence))
		return -EINVAL;

	dma_fence_complete(fence, ktime_get());
	return 0;
}
EXPORT_SYMBOL(dma_fence_signal_locked);

/**
 * dma_fence_signal() - report that the work is over, and run the callbacks
 * @fence: fence; NULL is an error
 *
 * A task that this wakes may release the memory of @fence as soon as the lock is free
 * (a fence can be on the stack). So a caller without a reference must not use @fence
 * afterwards.
 *
 * Context: Any. Takes &dma_fence.lock and runs the callbacks under it. The caller may
 * hold &dma_resv.lock and locks of its own under which no task waits for @fence.
 * Return: 0, -EINVAL for NULL or if @fence had signalled before; nothing
 * happens then.
 */
int dma_fence_signal(struct dma_fence *fence)
{
	bool cookie;
	int ret;

	if (!fence)
		return -EINVAL;

	cookie = dma_fence_begin_signalling();
	scoped_guard(spinlock_irqsave, fence->lock)
		ret = dma_fence_signal_locked(fence);
	dma_fence_end_signalling(cookie);

	return ret;
}
EXPORT_SYMBOL(dma_fence_signal);

/**
 * dma_fence_enable_locked() - enable signalling under the lock
 * @fence: fence
 *
 * Asks the driver the first time, and signals @fence if the driver says that the
 * work is over.
 *
 * Context: Any. Caller holds &dma_fence.lock.
 * Return: false if there is nothing to wait for.
 */
bool dma_fence_enable_locked(struct dma_fence *fence)
{
	bool first;

	lockdep_assert_held(fence->lock);

	first = !test_and_set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
				  &fence->flags);
	if (dma_fence_signaled_flag(fence))
		return false;

	if (!first || !fence->ops->enable_signaling)
		return true;

	trace_dma_fence_enable_signal(fence);
	if (fence->ops->enable_signaling(fence))
		return true;

	dma_fence_signal_locked(fence);
	return false;
}

/**
 * dma_fence_enable_sw_signaling() - have the fence signal by itself
 * @fence: fence
 *
 * For a caller that tests the fence later, without a callback and without sleeping.
 *
 * Context: Any. Takes &dma_fence.lock; signals @fence if it turns out that the
 * work is over.
 */
void dma_fence_enable_sw_signaling(struct dma_fence *fence)
{
	/* Keeps the lock, of a fence that is pending here. */
	guard(rcu)();

	if (dma_fence_signaled_flag(fence)) {
		set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
		return;
	}

	guard(spinlock_irqsave)(fence->lock);

	dma_fence_enable_locked(fence);
}
EXPORT_SYMBOL(dma_fence_enable_sw_signaling);

/**
 * dma_fence_add_callback() - be called when a fence signals
 * @fence: fence; the caller keeps a reference until @func has run or
 *	dma_fence_remove_callback() has returned
 * @cb: memory for the registration, needs no initialisation
 * @func: function to call once
 *
 * On error @func is not called, and &dma_fence_cb.func keeps its value. The caller may
 * pass @cb to dma_fence_remove_callback() in this case, too.
 *
 * Context: Any. Takes &dma_fence.lock, leaves the state of the task alone.
 * Return:
 * * 0 - @func will be called, after all functions that were added before
 * * %-ENOENT - @fence has signalled
 * * %-EINVAL - @fence or @func is NULL; comes with a warning
 */
int dma_fence_add_callback(struct dma_fence *fence, struct dma_fence_cb *cb,
			   dma_fence_func_t func)
{
	if (WARN_ON_ONCE(!fence || !func))
		return -EINVAL;

	INIT_LIST_HEAD(&cb->node);

	/* Keeps the lock, of a fence that is pending here. */
	guard(rcu)();

	if (dma_fence_signaled_flag(fence))
		return -ENOENT;

	guard(spinlock_irqsave)(fence->lock);

	if (!dma_fence_enable_locked(fence))
		return -ENOENT;

	cb->func = func;
	list_add_tail(&cb->node, &fence->cb_list);

	return 0;
}
EXPORT_SYMBOL(dma_fence_add_callback);

/**
 * dma_fence_remove_callback() - remove a callback
 * @fence: fence to which @cb was added
 * @cb: registration that dma_fence_add_callback() has seen
 *
 * Context: Any. A function which is running on another CPU has returned when this
 * returns. Not to be called by the function itself.
 * Return: true if the function will not be called any more, false if it has
 * been called or was never queued.
 */
bool dma_fence_remove_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	unsigned long flags;
	bool queued;

	if (!dma_fence_lock_unless_done(fence, &flags))
		return false;

	queued = !list_empty(&cb->node);
	list_del_init(&cb->node);
	spin_unlock_irqrestore(fence->lock, flags);

	return queued;
}
EXPORT_SYMBOL(dma_fence_remove_callback);

/**
 * dma_fence_free() - free the memory of a fence
 * @fence: start of an object from kmalloc(), initialised or not
 *
 * The last step of &dma_fence_ops.release for such an object.
 *
 * Context: Any. The memory goes after an RCU grace period.
 */
void dma_fence_free(struct dma_fence *fence)
{
	kfree_rcu(fence, rcu);
}
EXPORT_SYMBOL(dma_fence_free);

/* The driver has dropped a pending fence with waiters: signal it with an error. */
static void dma_fence_abandon(struct dma_fence *fence)
{
	scoped_guard(rcu)
		WARN(1, "fence %s:%s %llu:%llu dropped before its signal, waiters get -EDEADLK\n",
		     dma_fence_driver_name_rcu(fence),
		     dma_fence_timeline_name_rcu(fence),
		     fence->context, fence->seqno);

	fence->error = -EDEADLK;
	dma_fence_signal_timestamp(fence, ktime_get());
}

/**
 * dma_fence_release() - end of a fence, for dma_fence_put() only
 * @kref: &dma_fence.refcount, which has dropped to zero
 *
 * Context: Any. Calls &dma_fence_ops.release, or dma_fence_free().
 */
void dma_fence_release(struct kref *kref)
{
	struct dma_fence *fence = container_of(kref, struct dma_fence,
					       refcount);

	trace_dma_fence_destroy(fence);

	/* A signalled fence has a timestamp in place of the list: test the flag first. */
	if (unlikely(!dma_fence_signaled_flag(fence) &&
		     !list_empty(&fence->cb_list)))
		dma_fence_abandon(fence);

	/* The driver of a fence without release, and its operations, may be gone. */
	if (test_bit(__DMA_FENCE_NO_RELEASE_BIT, &fence->flags))
		dma_fence_free(fence);
	else
		fence->ops->release(fence);
}
EXPORT_SYMBOL(dma_fence_release);

/* Stands for work that needs no wait. Its own reference is never dropped. */
static struct dma_fence dma_fence_stub;

static void dma_fence_stub_init(struct dma_fence *fence, ktime_t timestamp)
{
	dma_fence_init(fence, &dma_fence_stub_ops, &dma_fence_stub_lock, 0, 0);

	/* The stub is not published yet, so there is no need for the lock of all stubs. */
	__set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	__set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	dma_fence_complete(fence, timestamp);
}

/**
 * dma_fence_get_stub() - get a fence that has always been signalled
 *
 * All callers get the same fence, with context 0 and sequence number 0. Its timestamp
 * is that of the boot.
 *
 * Context: Any. Takes no lock.
 * Return: new reference, never NULL.
 */
struct dma_fence *dma_fence_get_stub(void)
{
	return dma_fence_get(&dma_fence_stub);
}
EXPORT_SYMBOL(dma_fence_get_stub);

/**
 * dma_fence_allocate_private_stub() - get a signalled fence with a time
 * @timestamp: CLOCK_MONOTONIC time at which it is to have signalled
 *
 * Like the fence of dma_fence_get_stub(), but a new object.
 *
 * Context: Process context, may sleep to allocate.
 * Return: new reference, NULL without memory.
 */
struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp)
{
	struct dma_fence *stub = kmalloc(sizeof(*stub), GFP_KERNEL);

	if (stub)
		dma_fence_stub_init(stub, timestamp);

	return stub;
}
EXPORT_SYMBOL(dma_fence_allocate_private_stub);

/* Never signals. Its own reference is never dropped. */
static struct dma_fence dma_fence_never;

/**
 * dma_fence_get_never() - get a fence for unknown work, which never signals
 *
 * In place of a fence that a driver has failed to pass: unfinished work must not look
 * finished.
 *
 * Context: Any. Takes no lock.
 * Return: new reference, never NULL.
 */
struct dma_fence *dma_fence_get_never(void)
{
	return dma_fence_get(&dma_fence_never);
}

static int __init dma_fence_setup(void)
{
	dma_fence_stub_init(&dma_fence_stub, ktime_get());
	dma_fence_init(&dma_fence_never, &dma_fence_invalid_ops,
		       &dma_fence_invalid_lock, 0, 0);
	return 0;
}
pure_initcall(dma_fence_setup);
