/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files about fences share. No driver may use them: the interface
 * of drivers is in linux/dma-fence*.h.
 */

#ifndef __DMA_FENCE_INTERNAL_H
#define __DMA_FENCE_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct task_struct;

bool dma_fence_enable_locked(struct dma_fence *fence);

/**
 * __dma_fence_lock_unless_done() - take the lock of a fence, if there is need to
 * @fence: fence
 * @flags: where to keep the state of interrupts
 *
 * Once the signaller has called all callbacks, the lock guards nothing any more, and
 * its memory may be gone. Until then the driver has not waited for a grace period yet,
 * so RCU keeps the lock while it is held here.
 *
 * A fence on the stack of the caller goes with the stack, without a grace period. The
 * signaller must have finished with it by then: take its lock in any case.
 *
 * Context: Any.
 * Return: true with &dma_fence.lock held, false if all callbacks have returned.
 */
static inline bool __dma_fence_lock_unless_done(struct dma_fence *fence,
						unsigned long *flags)
{
	guard(rcu)();

	if (test_bit_acquire(__DMA_FENCE_DONE_BIT, &fence->flags) &&
	    !object_is_on_stack(fence))
		return false;

	spin_lock_irqsave(fence->lock, *flags);
	return true;
}

/* Tells sparse about the lock. */
#define dma_fence_lock_unless_done(fence, flags)			\
	__cond_lock((fence)->lock, __dma_fence_lock_unless_done(fence, flags))

struct dma_fence *dma_fence_get_never(void);

const char *dma_fence_driver_name_rcu(struct dma_fence *fence);
const char *dma_fence_timeline_name_rcu(struct dma_fence *fence);
unsigned int dma_fence_keep_latest(struct dma_fence **fences,
				   unsigned int num_fences);

/* dma_fence_get_status() as far as it is known, without asking the driver. */
static inline int dma_fence_peek_status(struct dma_fence *fence)
{
	if (!dma_fence_signaled_flag(fence))
		return 0;

	return fence->error ?: 1;
}

/* For a caller that knows that the driver is still there. The name may be missing. */
static inline const char *dma_fence_ask_driver_name(struct dma_fence *fence)
{
	const struct dma_fence_ops *ops = fence->ops;

	return ops->get_driver_name ? ops->get_driver_name(fence) : "invalid";
}

static inline const char *dma_fence_ask_timeline_name(struct dma_fence *fence)
{
	const struct dma_fence_ops *ops = fence->ops;

	return ops->get_timeline_name ? ops->get_timeline_name(fence) : "invalid";
}

/* The task or container that a callback wakes or signals. For dma-fence-report.c. */

struct task_struct *dma_fence_sleeper_task(struct dma_fence_cb *cb);
struct dma_fence *dma_fence_array_of_cb(struct dma_fence_cb *cb);
struct dma_fence *dma_fence_chain_of_cb(struct dma_fence_cb *cb);

#ifdef CONFIG_SYNC_FILE
bool sync_file_is_poll_cb(struct dma_fence_cb *cb);
#else
static inline bool sync_file_is_poll_cb(struct dma_fence_cb *cb)
{
	return false;
}
#endif

struct dma_fence *dma_fence_chain_older(struct dma_fence *fence);

struct dma_fence *dma_fence_array_create_copy(unsigned int num_fences,
					      struct dma_fence **fences);

#endif /* __DMA_FENCE_INTERNAL_H */
