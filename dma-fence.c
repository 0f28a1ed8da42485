// SPDX-License-Identifier: GPL-2.0-only
/*
 * State machine of a fence: from init through the signal to the last put.
 *
 * Waiting is in dma-fence-wait.c, what lockdep knows in dma-buf-lockdep.c.
 */

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/sched/task_stack.h>
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
 * Others hold references (dma_fence_get(), dma_fence_put()) and may
 *
 * - look: dma_fence_is_signaled(), dma_fence_get_status();
 * - sleep: dma_fence_wait(), dma_fence_wait_timeout(), or for the first of many
 *   dma_fence_wait_any_timeout();
 * - be called back: dma_fence_add_callback(), possibly in interrupt context;
 * - ask for haste: dma_fence_set_deadline().
 *
 * A device that could tell about each piece of work, but costs more power when
 * it does, tells only if somebody listens: &dma_fence_ops.enable_signaling is
 * called for the first callback or sleeper, and never for those who just look.
 *
 * Fences of one timeline share a context number (dma_fence_context_alloc()) and
 * carry ascending sequence numbers: if a fence has signalled, so has the work
 * of all before it. This lets others keep only the latest of each context.
 *
 * Fences reach other drivers through the reservation object of a buffer
 * (&struct dma_resv, implicit synchronisation) and user space as a file
 * (&struct sync_file, explicit synchronisation).
 */

/**
 * DOC: fence cross-driver contract
 *
 * A fence that others can see ties them to the driver which made it, so all
 * drivers have to keep the same rules:
 *
 * - Every fence signals in finite time, whatever the hardware does. A driver
 *   whose device can hang needs a watchdog that signals with an error.
 * - Nothing that the signal depends on may depend on a fence in turn. The way
 *   from publishing a fence to signalling it takes no lock under which anybody
 *   waits for fences, &dma_resv.lock above all, and allocates no memory except
 *   by %GFP_ATOMIC or %GFP_NOWAIT, since reclaim waits for fences.
 * - User space has no part in it: no fence may wait for a page fault to be
 *   served, or for an ioctl to come.
 * - In return waiting is allowed while holding &dma_resv.lock, in shrinkers and
 *   in MMU notifiers.
 * - A driver may go when its last fence has signalled, though others still hold it.
 *   All that the fence refers to stays for an RCU grace period after the signal: its
 *   lock, names, and operations. Memory of the fence itself stays for a grace period
 *   after the last put.
 *
 * Lockdep finds offenders, see `fence signalling annotation` below.
 */

/**
 * DOC: deadline hints
 *
 * A compositor knows when the display needs the next frame; the GPU driver
 * knows how to run faster. dma_fence_set_deadline() carries the first piece of
 * knowledge to the second party: the time, on CLOCK_MONOTONIC, by which the
 * fence had better be signalled. Containers hand it to their members. It is a
 * hint; a fence that misses the deadline signals later, and nothing else
 * happens.
 */

/* Next context number. Number 0 stays free for fences without any order. */
static atomic64_t dma_fence_context_counter = ATOMIC64_INIT(1);

/* Lock of the stubs. They signal before anybody else can see them. */
static DEFINE_SPINLOCK(dma_fence_stub_lock);

/* For drivers that have forgotten theirs. */
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

/* A driver that could not even set up a fence is not asked how to free it: leak it. */
static void dma_fence_invalid_release(struct dma_fence *fence)
{
}

static const struct dma_fence_ops dma_fence_invalid_ops = {
	.get_driver_name = dma_fence_invalid_name,
	.get_timeline_name = dma_fence_invalid_name,
	.release = dma_fence_invalid_release,
};

/* Facts about operations that may be gone some day. */
static unsigned long dma_fence_ops_flags(const struct dma_fence_ops *ops)
{
	unsigned long flags = 0;

	if (!ops->release)
		flags |= BIT(__DMA_FENCE_NO_RELEASE_BIT);
	if (!ops->wait)
		flags |= BIT(__DMA_FENCE_NO_WAIT_BIT);
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
 * Arguments that are missing are a driver's mistake. It gets a warning and a
 * pending fence, since work that is not known to be over must not look as if it
 * were. A lock is substituted, and so are the names; without @ops @fence will
 * never be freed.
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

	/* Lockless readers look at recycled memory, see dma-resv-read.c. */
	WRITE_ONCE(fence->ops, ops);
	WRITE_ONCE(fence->flags, dma_fence_ops_flags(ops));
	fence->lock = lock;
	fence->context = context;
	fence->seqno = seqno;
	fence->error = 0;
	INIT_LIST_HEAD(&fence->cb_list);
	/* Pairs with dma_fence_get_rcu(): who gets a reference finds the rest. */
	smp_wmb();
	kref_init(&fence->refcount);

	trace_dma_fence_init(fence);
}
EXPORT_SYMBOL(dma_fence_init);

/*
 * Fences of this directory: their names last as long as they do, and so does the
 * code that tells them.
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
 * A driver may go after its last signal, when a grace period has passed. So it is
 * asked only if the fence is still pending in the same RCU read-side critical
 * section.
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
 * Driver, timeline, sequence number, and whether it has signalled. Of a signalled
 * fence only those of this directory tell their names.
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
 * dma_fence_get_status() - is it over, and how did it end?
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
 * dma_fence_set_deadline() - tell when the result will be needed
 * @fence: fence
 * @deadline: CLOCK_MONOTONIC time; the past means "as soon as possible"
 *
 * See `deadline hints`. Without effect on fences that have signalled, or whose
 * driver does not care.
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

/*
 * The order matters to lockless observers: the signalled flag comes first, and
 * a reader that sees the timestamp flag finds the timestamp. Callbacks come last.
 */
static void dma_fence_complete(struct dma_fence *fence, ktime_t timestamp)
{
	struct dma_fence_cb *cb, *next;
	struct list_head callbacks;
	unsigned long flags = BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT);
	bool empty = list_empty(&fence->cb_list);

	if (empty)
		flags |= BIT(__DMA_FENCE_DONE_BIT);

	/* The timestamp is stored where the list head has been. */
	list_replace(&fence->cb_list, &callbacks);
	fence->timestamp = timestamp;
	/* Pairs with test_bit_acquire() in dma_fence_timestamp(). */
	smp_wmb();
	set_mask_bits(&fence->flags, 0, flags);
	trace_dma_fence_signaled(fence);
	if (empty)
		return;

	list_for_each_entry_safe(cb, next, &callbacks, node) {
		/* The function may free or requeue its cb. */
		INIT_LIST_HEAD(&cb->node);
		cb->func(fence, cb);
	}

	/* Pairs with dma_fence_lock_unless_done(). */
	smp_mb__before_atomic();
	set_bit(__DMA_FENCE_DONE_BIT, &fence->flags);
}

/**
 * __dma_fence_lock_unless_done() - take the lock of a fence, if there is need to
 * @fence: fence
 * @flags: where to keep the state of interrupts
 *
 * When the signaller has called all callbacks there is nothing that the lock would be
 * good for, and it may be gone. Until then the driver has not waited for a grace
 * period yet, and RCU keeps the lock while it is taken.
 *
 * A fence on the stack of the caller is no business of anybody else, and neither is
 * its lock. It goes with the stack, without a grace period, so the signaller has to
 * be through with it: take the lock in any case.
 *
 * Context: Any.
 * Return: true with &dma_fence.lock held, false if all is over.
 */
bool __dma_fence_lock_unless_done(struct dma_fence *fence, unsigned long *flags)
{
	guard(rcu)();

	if (test_bit_acquire(__DMA_FENCE_DONE_BIT, &fence->flags) &&
	    !object_is_on_stack(fence))
		return false;

	spin_lock_irqsave(fence->lock, *flags);
	return true;
}

/**
 * __dma_fence_await_timestamp() - wait for a signaller to store the time
 * @fence: fence that has signalled
 *
 * The slow path of dma_fence_timestamp(). To take the lock lends our priority to
 * the signaller where locks sleep: if we have preempted it, spinning would keep
 * it from going on for ever. As long as there is no timestamp the lock is there,
 * and RCU keeps it while we use it. A driver that sets the flag without the lock
 * (i915) is waited for by spinning.
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
 * dma_fence_signal() - the work is over: tell everybody
 * @fence: fence; NULL is an error
 *
 * A sleeper that this wakes may take the storage of @fence away as soon as the
 * lock is free (fences can live on the stack), so only the owner of a reference
 * may look at @fence afterwards.
 *
 * Context: Any. Takes &dma_fence.lock and runs the callbacks under it.
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
 * dma_fence_enable_locked() - somebody wants to know: enable signalling
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
 * For those who look later, without a callback and without sleeping.
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
 * On error @func is not called, and &dma_fence_cb.func keeps its value. It is
 * all right to pass @cb to dma_fence_remove_callback() then, too.
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
 * dma_fence_remove_callback() - take a callback back
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
 * @fence: start of an object from kmalloc(); it may also be one that never was
 *	initialised
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

/* A driver has dropped a fence on which others wait. Let them go on. */
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

	/* Once signalled there is no list any more, so look at the flag first. */
	if (unlikely(!dma_fence_signaled_flag(fence) &&
		     !list_empty(&fence->cb_list)))
		dma_fence_abandon(fence);

	/* Without release the driver may be gone, and its operations with it. */
	if (test_bit(__DMA_FENCE_NO_RELEASE_BIT, &fence->flags))
		dma_fence_free(fence);
	else
		fence->ops->release(fence);
}
EXPORT_SYMBOL(dma_fence_release);

/* For those who are done before they began. Its own reference is never put. */
static struct dma_fence dma_fence_stub;

static void dma_fence_stub_init(struct dma_fence *fence, ktime_t timestamp)
{
	dma_fence_init(fence, &dma_fence_stub_ops, &dma_fence_stub_lock, 0, 0);

	/* Nobody else can see it so far, so the lock of all stubs stays free. */
	__set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	__set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	dma_fence_complete(fence, timestamp);
}

/**
 * dma_fence_get_stub() - get a fence that has always been signalled
 *
 * It is one and the same for everybody, of context 0 and with number 0. Its
 * timestamp is from the boot of the machine.
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
 * Otherwise like the one of dma_fence_get_stub(), but an object of its own.
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

/* Its own reference is never put, and it never signals. */
static struct dma_fence dma_fence_never;

/**
 * dma_fence_get_never() - get a fence for work that nobody knows
 *
 * In place of a fence that a driver has forgotten: what is not known to be over
 * must not look as if it were.
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
