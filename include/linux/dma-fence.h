/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fences: one-shot completions that hardware signals and any driver or task can wait
 * for. Interface of dma-fence.c and dma-fence-wait.c: drivers are compiled against it,
 * so names and members stay; an inline may change if its contract does not.
 */

#ifndef __LINUX_DMA_FENCE_H
#define __LINUX_DMA_FENCE_H

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

struct dma_fence;
struct dma_fence_cb;
struct dma_fence_ops;
struct seq_file;

/**
 * struct dma_fence - state of one asynchronous operation
 * @lock: guards the callback list and signalling; supplied by the creator, which
 *	may share it between all fences of a timeline. Constant since init. Valid
 *	until an RCU grace period after the signal.
 * @ops: what the creator implements; constant since init. NULL in zeroed memory
 *	that dma_fence_init() has not seen yet, which some drivers test for. To
 *	be dereferenced before the signal only, see &struct dma_fence_ops.
 * @cb_list: callbacks that wait for the signal, linked by &dma_fence_cb.node.
 *	Guarded by @lock; means nothing once the fence has signalled.
 * @timestamp: CLOCK_MONOTONIC time of the signal. Valid from the moment that
 *	%DMA_FENCE_FLAG_TIMESTAMP_BIT is set until the last reference is dropped.
 * @rcu: for the delayed free; valid from the last put on.
 * @context: timeline, from dma_fence_context_alloc(); 0 for a fence that is
 *	never ordered against another.
 * @seqno: position on the timeline. Constant as soon as the fence is published.
 * @flags: &enum dma_fence_flag_bits, changed by atomic bit operations only.
 * @refcount: number of owners.
 * @error: 0, or the negative errno with which the operation ended. Written by
 *	the creator before the signal, to be read after it.
 *
 * @cb_list, @timestamp and @rcu belong to successive stages of life and share
 * storage, which keeps the fence within one cache line on 64-bit machines.
 *
 * A caller that passes a fence to a function holds a reference on it, or knows by
 * other means that it stays.
 */
struct dma_fence {
	spinlock_t *lock;	/* the creator's */
	const struct dma_fence_ops *ops;
	union {
		struct list_head cb_list;
		ktime_t timestamp;
		struct rcu_head rcu;
	};
	u64 context;
	u64 seqno;
	unsigned long flags;
	struct kref refcount;
	int error;
};

/**
 * enum dma_fence_flag_bits - bit numbers in &dma_fence.flags
 * @DMA_FENCE_FLAG_SIGNALED_BIT: the operation is over. Never cleared.
 * @DMA_FENCE_FLAG_TIMESTAMP_BIT: &dma_fence.timestamp has been stored. Follows
 *	the signalled bit after a short while.
 * @DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT: signalling has been enabled for a waiter,
 *	see &dma_fence_ops.enable_signaling.
 * @DMA_FENCE_FLAG_USER_BITS: first of the bits that belong to the creator of
 *	the fence. The core does not touch them.
 */
enum dma_fence_flag_bits {
	DMA_FENCE_FLAG_SIGNALED_BIT,
	DMA_FENCE_FLAG_TIMESTAMP_BIT,
	DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
	DMA_FENCE_FLAG_USER_BITS,
};

/*
 * Bits that the core needs after the signal, when the driver, &dma_fence.ops and
 * &dma_fence.lock may be gone. All but __DMA_FENCE_DONE_BIT are constant since
 * dma_fence_init(). That one is set when all callbacks have returned, so that the lock
 * is not needed any more. These are the highest bits, since the low ones from
 * %DMA_FENCE_FLAG_USER_BITS on belong to the creator.
 *
 * With __DMA_FENCE_NO_SIGNALED_BIT there is no driver to ask, so that a test of a pending
 * fence takes no RCU read-side critical section.
 */
#define __DMA_FENCE_NO_RELEASE_BIT	(BITS_PER_LONG - 1)
#define __DMA_FENCE_NO_WAIT_BIT		(BITS_PER_LONG - 2)
#define __DMA_FENCE_64BIT_SEQNO_BIT	(BITS_PER_LONG - 3)
#define __DMA_FENCE_DONE_BIT		(BITS_PER_LONG - 4)
#define __DMA_FENCE_NO_SIGNALED_BIT	(BITS_PER_LONG - 5)

/**
 * typedef dma_fence_func_t - what to do when a fence signals
 * @fence: the fence that signalled
 * @cb: as passed to dma_fence_add_callback(), no longer queued
 *
 * Context: Any, down to hard interrupts. &dma_fence.lock is held. May free or
 * requeue @cb, on another fence. Must not sleep, must not use @fence in a way
 * that takes its lock, must not drop what may be the last reference on it.
 */
typedef void (*dma_fence_func_t)(struct dma_fence *fence,
				 struct dma_fence_cb *cb);

/**
 * struct dma_fence_cb - one registered callback
 * @node: link in &dma_fence.cb_list; an empty node means "not queued"
 * @func: function to call
 *
 * Need not be initialised; dma_fence_add_callback() does that. May be embedded
 * in a larger object.
 */
struct dma_fence_cb {
	struct list_head node;
	dma_fence_func_t func;
};

/**
 * struct dma_fence_ops - what the creator of a fence implements
 *
 * Names are mandatory, all else may be left out.
 *
 * Once a fence has signalled, only @release is still called, and @wait if a task waits
 * for the signalled fence. All others are called under &dma_fence.lock or in an RCU
 * read-side critical section, by a caller that has seen there that the fence is
 * pending. So a driver may wait for an RCU grace period after its last signal, and then
 * free what the others need: strings, the lock and, if the fence has neither @release
 * nor @wait, the module. See `How Long Names Are Valid` in
 * Documentation/driver-api/sync_file.rst.
 */
struct dma_fence_ops {
	/**
	 * @use_64bit_seqno: &dma_fence.seqno counts in 64 bits. Otherwise the
	 * low 32 bits are compared as a counter that wraps.
	 */
	bool use_64bit_seqno;

	/**
	 * @get_driver_name: name of the driver, for humans to read. Called at
	 * any time, from dma_fence_init() until the signal.
	 *
	 * Context: Any. Must not sleep.
	 * Return: string, never NULL, valid until an RCU grace period after the
	 * signal.
	 */
	const char *(*get_driver_name)(struct dma_fence *fence);

	/**
	 * @get_timeline_name: name of the context, for humans to read. The
	 * rules are those of @get_driver_name.
	 *
	 * Context: Any. Must not sleep.
	 * Return: string, never NULL, valid until an RCU grace period after the
	 * signal.
	 */
	const char *(*get_timeline_name)(struct dma_fence *fence);

	/**
	 * @enable_signaling: make sure that dma_fence_signal() will be called,
	 * for example by unmasking an interrupt. Called once at most, when the
	 * first waiter arrives, never for a fence that has signalled. Must not
	 * signal the fence itself; to tell that the operation is over already,
	 * set the error if there is one and return false. NULL means that the
	 * fence is going to signal anyway.
	 *
	 * Context: &dma_fence.lock held, interrupts off.
	 * Return: true to wait for the signal, false if the operation is over.
	 */
	bool (*enable_signaling)(struct dma_fence *fence);

	/**
	 * @signaled: peek at the hardware. Once it has returned true, it always
	 * does. May set the error before it returns true.
	 *
	 * Context: Any, with &dma_fence.lock or in an RCU read-side critical
	 * section. Must not sleep.
	 * Return: true if the operation is over.
	 */
	bool (*signaled)(struct dma_fence *fence);

	/**
	 * @wait: replaces dma_fence_default_wait() in dma_fence_wait_timeout().
	 * Also called for a fence that has signalled. Not used when waiting for
	 * one out of several fences.
	 *
	 * Context: Process context, may sleep.
	 * Return: jiffies left, 0 after @timeout, -ERESTARTSYS if @intr is set
	 * and a signal arrived, or an errno of its own.
	 */
	signed long (*wait)(struct dma_fence *fence, bool intr,
			    signed long timeout);

	/**
	 * @release: called when the last reference is dropped, in place of
	 * dma_fence_free(). The memory must outlive an RCU grace period, since
	 * lockless readers may still try to take a reference.
	 *
	 * Context: Any, down to hard interrupts.
	 */
	void (*release)(struct dma_fence *fence);

	/**
	 * @fence_value_str: print the point on the timeline into @str of @size
	 * bytes, for the sync debugfs file.
	 *
	 * Context: RCU read-side critical section. Must not sleep.
	 */
	void (*fence_value_str)(struct dma_fence *fence, char *str, int size);

	/**
	 * @timeline_value_str: print the current value of the timeline into
	 * @str of @size bytes, for the sync debugfs file. As @fence_value_str.
	 */
	void (*timeline_value_str)(struct dma_fence *fence, char *str,
				   int size);

	/**
	 * @set_deadline: a waiter would like the fence to have signalled by
	 * @deadline (CLOCK_MONOTONIC; the past means "as soon as possible").
	 * Called any number of times; the earliest deadline counts.
	 *
	 * Context: Any, &dma_fence.lock not held; RCU read-side critical
	 * section. Must not sleep. Calls may overlap.
	 */
	void (*set_deadline)(struct dma_fence *fence, ktime_t deadline);
};

extern const struct dma_fence_ops dma_fence_array_ops;
extern const struct dma_fence_ops dma_fence_chain_ops;

void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops,
		    spinlock_t *lock, u64 context, u64 seqno);
void dma_fence_release(struct kref *kref);
void dma_fence_free(struct dma_fence *fence);
void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq);

int dma_fence_signal(struct dma_fence *fence);
int dma_fence_signal_locked(struct dma_fence *fence);
int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp);
int dma_fence_signal_timestamp_locked(struct dma_fence *fence,
				      ktime_t timestamp);

int dma_fence_add_callback(struct dma_fence *fence, struct dma_fence_cb *cb,
			   dma_fence_func_t func);
bool dma_fence_remove_callback(struct dma_fence *fence,
			       struct dma_fence_cb *cb);
void dma_fence_enable_sw_signaling(struct dma_fence *fence);

signed long dma_fence_default_wait(struct dma_fence *fence, bool intr,
				   signed long timeout);
signed long dma_fence_wait_timeout(struct dma_fence *fence, bool intr,
				   signed long timeout);
signed long dma_fence_wait_any_timeout(struct dma_fence **fences,
				       u32 count, bool intr,
				       signed long timeout, u32 *idx);

int dma_fence_get_status(struct dma_fence *fence);
void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline);

struct dma_fence *dma_fence_get_stub(void);
struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp);
u64 dma_fence_context_alloc(unsigned int num);

void __dma_fence_await_timestamp(struct dma_fence *fence);

#ifdef CONFIG_LOCKDEP
bool dma_fence_begin_signalling(void);
void dma_fence_end_signalling(bool cookie);
void __dma_fence_might_wait(void);
#else
static inline bool dma_fence_begin_signalling(void)
{
	return true;
}

static inline void dma_fence_end_signalling(bool cookie)
{
}

static inline void __dma_fence_might_wait(void)
{
}
#endif

/**
 * dma_fence_put() - drop a reference
 * @fence: fence, or NULL to do nothing
 *
 * Context: Any. With the last reference, &dma_fence_ops.release runs here.
 */
static inline void dma_fence_put(struct dma_fence *fence)
{
	if (fence)
		kref_put(&fence->refcount, dma_fence_release);
}

/**
 * dma_fence_get() - take one more reference
 * @fence: fence on which the caller owns a reference, or NULL
 *
 * Context: Any.
 * Return: @fence.
 */
static inline struct dma_fence *dma_fence_get(struct dma_fence *fence)
{
	if (fence)
		kref_get(&fence->refcount);
	return fence;
}

/**
 * dma_fence_get_rcu() - try to take a reference on a fence found under RCU
 * @fence: fence whose memory is protected by RCU, not NULL
 *
 * If the memory may be recycled for another fence within a grace period, the caller
 * has to read the pointer to @fence again, see dma_fence_get_rcu_safe(). Success is
 * an acquire: that read comes later, and the members of @fence are seen as
 * dma_fence_init() has left them.
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: @fence, or NULL if its last reference is already gone.
 */
static inline struct dma_fence *dma_fence_get_rcu(struct dma_fence *fence)
{
	if (!kref_get_unless_zero(&fence->refcount))
		return NULL;

	/* Pairs with dma_fence_init(), and with the put after the pointer was changed. */
	smp_acquire__after_ctrl_dep();
	return fence;
}

/**
 * dma_fence_get_rcu_safe() - take a reference on the fence that a pointer holds
 * @fencep: RCU pointer to a fence; its owner drops the reference on the fence
 *	only after it has changed the pointer
 *
 * Correct for recycled memory, too (SLAB_TYPESAFE_BY_RCU): if the pointer still
 * has the same value after the reference was taken, the reference belongs to the
 * fence that it points to.
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: referenced fence, NULL if the pointer is NULL.
 */
static inline struct dma_fence *
dma_fence_get_rcu_safe(struct dma_fence __rcu **fencep)
{
	struct dma_fence *fence;

	while ((fence = rcu_dereference(*fencep))) {
		if (!dma_fence_get_rcu(fence))
			continue;

		if (fence == rcu_access_pointer(*fencep))
			return rcu_pointer_handoff(fence);

		dma_fence_put(fence);
	}

	return NULL;
}

/**
 * dma_fence_signaled_flag() - is the signalled flag of a fence set?
 * @fence: fence
 *
 * Neither asks the driver nor signals the fence, unlike dma_fence_is_signaled().
 * If true, all stores of the signaller before the signal (&dma_fence.error above
 * all) are visible.
 *
 * Context: Any.
 * Return: true if the signalled flag is set.
 */
static inline bool dma_fence_signaled_flag(struct dma_fence *fence)
{
	return test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * dma_fence_is_signaled_locked() - dma_fence_is_signaled() under the lock
 * @fence: fence
 *
 * Context: Any. Caller holds &dma_fence.lock. Runs the callbacks of @fence if
 * the driver says that it is done.
 * Return: true if @fence has signalled.
 */
static inline bool dma_fence_is_signaled_locked(struct dma_fence *fence)
{
	if (dma_fence_signaled_flag(fence))
		return true;

	if (!fence->ops->signaled || !fence->ops->signaled(fence))
		return false;

	dma_fence_signal_locked(fence);
	return true;
}

/* Result of a look at the flags of a fence, without asking its driver. */
enum __dma_fence_look {
	__DMA_FENCE_PENDING,
	__DMA_FENCE_SIGNALED,
	__DMA_FENCE_ASK_DRIVER,	/* pending, as far as we know */
};

static inline enum __dma_fence_look __dma_fence_look(struct dma_fence *fence)
{
	unsigned long flags;

	/* As dma_fence_signaled_flag(), so that stores before the signal are visible. */
	flags = smp_load_acquire(&fence->flags);
	if (flags & BIT(DMA_FENCE_FLAG_SIGNALED_BIT))
		return __DMA_FENCE_SIGNALED;
	if (flags & BIT(__DMA_FENCE_NO_SIGNALED_BIT))
		return __DMA_FENCE_PENDING;

	return __DMA_FENCE_ASK_DRIVER;
}

/* dma_fence_is_signaled() for a caller that is in an RCU section already. */
static inline bool __dma_fence_is_signaled_rcu(struct dma_fence *fence)
{
	enum __dma_fence_look look = __dma_fence_look(fence);

	if (look != __DMA_FENCE_ASK_DRIVER)
		return look == __DMA_FENCE_SIGNALED;

	if (!fence->ops->signaled(fence))
		return false;

	dma_fence_signal(fence);
	return true;
}

/**
 * dma_fence_is_signaled() - is the operation over?
 * @fence: fence
 *
 * If the flag is not set, asks the driver (&dma_fence_ops.signaled), and signals the
 * fence if the driver says that the operation is over.
 *
 * Context: Any. Takes &dma_fence.lock and runs the callbacks of @fence if the
 * driver says that it is done. Leaves the state of the task alone.
 * Return: true if @fence has signalled.
 */
static inline bool dma_fence_is_signaled(struct dma_fence *fence)
{
	enum __dma_fence_look look = __dma_fence_look(fence);

	if (look != __DMA_FENCE_ASK_DRIVER)
		return look == __DMA_FENCE_SIGNALED;

	/* The driver may be unloaded a grace period after the signal: test again. */
	guard(rcu)();

	return __dma_fence_is_signaled_rcu(fence);
}

/**
 * __dma_fence_is_later() - order of two points on one timeline
 * @f1: sequence number
 * @f2: sequence number
 * @ops: operations of the fences, which tell how wide their numbers are
 *
 * Context: Any.
 * Return: true if @f1 comes after @f2.
 */
static inline bool __dma_fence_is_later(u64 f1, u64 f2,
					const struct dma_fence_ops *ops)
{
	if (ops->use_64bit_seqno)
		return f1 > f2;

	/* The difference is correct even if the counter has wrapped in between. */
	return (s32)(lower_32_bits(f1) - lower_32_bits(f2)) > 0;
}

/* The same for a fence, whose operations may be gone. */
static inline bool __dma_fence_seqno_is_later(struct dma_fence *f1,
					      struct dma_fence *f2)
{
	if (test_bit(__DMA_FENCE_64BIT_SEQNO_BIT, &f1->flags))
		return f1->seqno > f2->seqno;

	return (s32)(lower_32_bits(f1->seqno) - lower_32_bits(f2->seqno)) > 0;
}

/**
 * dma_fence_is_later() - order of two fences of one timeline
 * @f1: fence
 * @f2: fence of the same context
 *
 * Context: Any.
 * Return: true if @f1 comes after @f2; false, with a warning, if they have
 * nothing to do with each other.
 */
static inline bool dma_fence_is_later(struct dma_fence *f1,
				      struct dma_fence *f2)
{
	if (WARN_ON_ONCE(f1->context != f2->context))
		return false;

	return __dma_fence_seqno_is_later(f1, f2);
}

/**
 * dma_fence_is_later_or_same() - may one fence replace another?
 * @f1: fence
 * @f2: fence of the same context
 *
 * "Same" is the same object; two fences with one number are not.
 *
 * Context: Any.
 * Return: true if @f1 is @f2 or comes after it.
 */
static inline bool dma_fence_is_later_or_same(struct dma_fence *f1,
					      struct dma_fence *f2)
{
	return f1 == f2 || dma_fence_is_later(f1, f2);
}

/**
 * dma_fence_later() - which of two fences is worth waiting for?
 * @f1: fence
 * @f2: fence of the same context, preferred if neither is later
 *
 * Context: Any, as for dma_fence_is_signaled().
 * Return: the later fence, without a reference; NULL if that has signalled, or,
 * with a warning, if the contexts differ.
 */
static inline struct dma_fence *dma_fence_later(struct dma_fence *f1,
						struct dma_fence *f2)
{
	struct dma_fence *later;

	if (WARN_ON_ONCE(f1->context != f2->context))
		return NULL;

	later = __dma_fence_seqno_is_later(f1, f2) ? f1 : f2;
	return dma_fence_is_signaled(later) ? NULL : later;
}

/**
 * dma_fence_get_status_locked() - dma_fence_get_status() under the lock
 * @fence: fence
 *
 * Context: Any. Caller holds &dma_fence.lock.
 * Return: 0 pending, 1 done, negative errno done with an error.
 */
static inline int dma_fence_get_status_locked(struct dma_fence *fence)
{
	if (!dma_fence_is_signaled_locked(fence))
		return 0;

	return fence->error ?: 1;
}

/**
 * dma_fence_set_error() - store the error of the operation
 * @fence: fence that has not signalled yet
 * @error: negative errno
 *
 * Warns if @fence has signalled or @error is no errno, and stores the value even so.
 *
 * Context: Any. Creator of @fence only, before it signals @fence.
 */
static inline void dma_fence_set_error(struct dma_fence *fence, int error)
{
	WARN_ON_ONCE(dma_fence_signaled_flag(fence));
	WARN_ON_ONCE(error >= 0 || error < -MAX_ERRNO);

	fence->error = error;
}

/**
 * dma_fence_timestamp() - when did the fence signal?
 * @fence: fence that has signalled
 *
 * Waits through the short time between the signalled flag and the timestamp.
 *
 * Context: Any, but the caller does not hold &dma_fence.lock, nor anything else that
 * the signaller may wait for.
 * Return: CLOCK_MONOTONIC time; the current one, with a warning, if @fence is
 * still pending.
 */
static inline ktime_t dma_fence_timestamp(struct dma_fence *fence)
{
	if (WARN_ON_ONCE(!dma_fence_signaled_flag(fence)))
		return ktime_get();

	/* Pairs with the barrier in dma_fence_complete(). */
	if (unlikely(!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT,
				       &fence->flags)))
		__dma_fence_await_timestamp(fence);

	return fence->timestamp;
}

/**
 * dma_fence_wait() - wait without limit
 * @fence: fence
 * @intr: whether a signal ends the wait
 *
 * Context: Process context, may sleep. See dma_fence_wait_timeout().
 * Return: 0, -ERESTARTSYS if interrupted, or an errno of a driver's own wait.
 */
static inline signed long dma_fence_wait(struct dma_fence *fence, bool intr)
{
	signed long left;

	left = dma_fence_wait_timeout(fence, intr, MAX_SCHEDULE_TIMEOUT);
	return min(left, 0L);
}

/**
 * dma_fence_is_array() - is this an array of fences?
 * @fence: fence
 *
 * Context: Any.
 * Return: true for a &struct dma_fence_array.
 */
static inline bool dma_fence_is_array(struct dma_fence *fence)
{
	return fence->ops == &dma_fence_array_ops;
}

/**
 * dma_fence_is_chain() - is this a node of a chain?
 * @fence: fence
 *
 * Context: Any.
 * Return: true for a &struct dma_fence_chain.
 */
static inline bool dma_fence_is_chain(struct dma_fence *fence)
{
	return fence->ops == &dma_fence_chain_ops;
}

/**
 * dma_fence_is_container() - does this fence stand for others?
 * @fence: fence
 *
 * Context: Any.
 * Return: true for an array and for a chain.
 */
static inline bool dma_fence_is_container(struct dma_fence *fence)
{
	return dma_fence_is_array(fence) || dma_fence_is_chain(fence);
}

#endif /* __LINUX_DMA_FENCE_H */
