/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reservation objects: a lock and the fences of a buffer. Interface of dma-resv*.c:
 * drivers are compiled against it, so names and members stay; an inline may change if
 * its contract does not.
 */

#ifndef __LINUX_DMA_RESV_H
#define __LINUX_DMA_RESV_H

#include <linux/dma-fence.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/ww_mutex.h>

extern struct ww_class reservation_ww_class;

struct dma_resv_list;
struct seq_file;

/**
 * enum dma_resv_usage - what a fence in a reservation object is about
 * @DMA_RESV_USAGE_KERNEL: the kernel moves or clears the memory. Every user waits
 *	for it before touching the bytes.
 * @DMA_RESV_USAGE_WRITE: a device or CPU writes, with implicit synchronisation.
 * @DMA_RESV_USAGE_READ: a device or CPU reads, with implicit synchronisation.
 * @DMA_RESV_USAGE_BOOKKEEP: the memory is in use, which concerns memory
 *	management only: user space does the synchronisation.
 *
 * The strongest usage comes first: a query for one usage finds the fences of all
 * stronger ones as well. Adding a fence again can make it stronger, never weaker.
 */
enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_WRITE,
	DMA_RESV_USAGE_READ,
	DMA_RESV_USAGE_BOOKKEEP,
};

/**
 * dma_resv_usage_rw() - what a new access has to wait for
 * @write: whether the new access writes
 *
 * A writer waits for readers (and for writers, which are stronger), a reader
 * for writers.
 *
 * Context: Any.
 * Return: usage to query for.
 */
static inline enum dma_resv_usage dma_resv_usage_rw(bool write)
{
	return write ? DMA_RESV_USAGE_READ : DMA_RESV_USAGE_WRITE;
}

/**
 * struct dma_resv - the fences of a buffer, and the lock to change them
 * @lock: update side lock, of class &reservation_ww_class
 * @fences: list of fences, NULL if none has been needed so far. Read under
 *	@lock or RCU, written under @lock.
 *
 * Embedded in the buffer object of the driver, or else allocated with &struct dma_buf.
 */
struct dma_resv {
	struct ww_mutex lock;
	struct dma_resv_list __rcu *fences;
};

/**
 * struct dma_resv_iter - position in the fences of a reservation object
 * @obj: object whose fences are visited
 * @usage: weakest usage that is visited
 * @fence: current fence; a reference in unlocked iteration, else NULL
 * @fence_usage: usage of the current fence
 * @index: number of the slot to look at next
 * @fences: list that is being walked, compared with &dma_resv.fences to notice
 *	that it was replaced
 * @serial: number of that list, as it may be replaced by one at the same address
 * @num_fences: number of slots used when the walk (re)started
 * @is_restarted: the current fence is the first one since a (re)start
 *
 * All members are private. Lives on the stack, needs no initialisation before
 * dma_resv_iter_begin().
 */
struct dma_resv_iter {
	struct dma_resv *obj;
	enum dma_resv_usage usage;
	struct dma_fence *fence;
	enum dma_resv_usage fence_usage;
	unsigned int index;
	struct dma_resv_list *fences;
	u16 serial;
	unsigned int num_fences;
	bool is_restarted;
};

void dma_resv_init(struct dma_resv *obj);
void dma_resv_fini(struct dma_resv *obj);

int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences);
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence,
			enum dma_resv_usage usage);
void dma_resv_replace_fences(struct dma_resv *obj, u64 context,
			     struct dma_fence *fence,
			     enum dma_resv_usage usage);

#ifdef CONFIG_DEBUG_MUTEXES
void dma_resv_reset_max_fences(struct dma_resv *obj);
#else
static inline void dma_resv_reset_max_fences(struct dma_resv *obj)
{
}
#endif

struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor);

int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src);
int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage,
			unsigned int *count, struct dma_fence ***fences);
int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence);

long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout);
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage);
void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage,
			   ktime_t deadline);
void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq);

/**
 * dma_resv_iter_begin() - set up a walk over fences
 * @cursor: position, uninitialised
 * @obj: object whose fences to visit
 * @usage: weakest usage to visit
 *
 * Context: Any.
 */
static inline void dma_resv_iter_begin(struct dma_resv_iter *cursor,
				       struct dma_resv *obj,
				       enum dma_resv_usage usage)
{
	cursor->obj = obj;
	cursor->usage = usage;
	cursor->fence = NULL;
}

/**
 * dma_resv_iter_end() - give up what a walk holds
 * @cursor: position, after dma_resv_iter_begin() and any number of steps
 *
 * Each unlocked walk has to call it, whether it came to an end or not. Does nothing
 * for a locked one.
 *
 * Context: Any, as for dma_fence_put().
 */
static inline void dma_resv_iter_end(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->fence);
}

/**
 * dma_resv_iter_usage() - usage of the fence that was just returned
 * @cursor: position
 *
 * Context: Any.
 * Return: usage with which the current fence was added.
 */
static inline enum dma_resv_usage
dma_resv_iter_usage(struct dma_resv_iter *cursor)
{
	return cursor->fence_usage;
}

/**
 * dma_resv_iter_is_restarted() - have all fences so far to be forgotten?
 * @cursor: position
 *
 * A caller that accumulates something in an unlocked walk starts over when this is
 * true, as it is for the very first fence.
 *
 * Context: Any.
 * Return: true if the current fence is the first since a (re)start.
 */
static inline bool dma_resv_iter_is_restarted(struct dma_resv_iter *cursor)
{
	return cursor->is_restarted;
}

/**
 * dma_resv_for_each_fence_unlocked() - visit pending fences without the lock
 * @cursor: &struct dma_resv_iter, set up by dma_resv_iter_begin()
 * @fence: &struct dma_fence pointer, the current fence; referenced by @cursor
 *	until the next step
 *
 * Fences that have signalled are left out. The body may sleep. If the list is
 * replaced meanwhile, the walk starts again and returns fences once more, see
 * dma_resv_iter_is_restarted(). The caller calls dma_resv_iter_end() at the end.
 *
 * Context: Any, with or without &dma_resv.lock.
 */
#define dma_resv_for_each_fence_unlocked(cursor, fence)			\
	for (fence = dma_resv_iter_first_unlocked(cursor); fence;	\
	     fence = dma_resv_iter_next_unlocked(cursor))

/**
 * dma_resv_for_each_fence() - visit fences under the lock
 * @cursor: &struct dma_resv_iter, uninitialised
 * @obj: object whose fences to visit
 * @usage: weakest usage to visit
 * @fence: &struct dma_fence pointer, the current fence, without a reference
 *
 * Includes fences that have signalled. No dma_resv_iter_end() is needed, and the body
 * may leave the loop. dma_resv_replace_fences() is allowed in the body.
 *
 * Context: Process context. Caller holds the lock of @obj.
 */
#define dma_resv_for_each_fence(cursor, obj, usage, fence)		\
	for (dma_resv_iter_begin(cursor, obj, usage),			\
	     fence = dma_resv_iter_first(cursor); fence;		\
	     fence = dma_resv_iter_next(cursor))

/**
 * dma_resv_held() - does lockdep see the lock of a reservation object held?
 * @obj: reservation object
 *
 * For conditions which only lockdep evaluates, as those of RCU accessors.
 */
#define dma_resv_held(obj)		lockdep_is_held(&(obj)->lock.base)

/**
 * dma_resv_assert_held() - have lockdep check that the lock is held
 * @obj: reservation object
 */
#define dma_resv_assert_held(obj)	lockdep_assert_held(&(obj)->lock.base)

/**
 * dma_resv_lock() - lock a reservation object
 * @obj: reservation object
 * @ctx: acquire context if more than one object is to be locked, or NULL
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0 - locked; always so if @ctx is NULL
 * * %-EALREADY - @ctx has locked @obj before; still one unlock only
 * * %-EDEADLK - release all locks of @ctx and begin with
 *   dma_resv_lock_slow() on @obj
 */
static inline int dma_resv_lock(struct dma_resv *obj,
				struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock(&obj->lock, ctx);
}

/**
 * dma_resv_lock_interruptible() - dma_resv_lock() that a signal may end
 * @obj: reservation object
 * @ctx: acquire context if more than one object is to be locked, or NULL
 *
 * Context: Process context, may sleep.
 * Return: as dma_resv_lock(), or -EINTR.
 */
static inline int dma_resv_lock_interruptible(struct dma_resv *obj,
					      struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock_interruptible(&obj->lock, ctx);
}

/**
 * dma_resv_lock_slow() - wait for the object on which a deadlock was found
 * @obj: object for which dma_resv_lock() returned -EDEADLK
 * @ctx: acquire context, which holds no locks now
 *
 * Context: Process context, may sleep.
 */
static inline void dma_resv_lock_slow(struct dma_resv *obj,
				      struct ww_acquire_ctx *ctx)
{
	ww_mutex_lock_slow(&obj->lock, ctx);
}

/**
 * dma_resv_lock_slow_interruptible() - dma_resv_lock_slow() that may be ended
 * @obj: object for which dma_resv_lock_interruptible() returned -EDEADLK
 * @ctx: acquire context, which holds no locks now
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINTR on a signal.
 */
static inline int
dma_resv_lock_slow_interruptible(struct dma_resv *obj,
				 struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock_slow_interruptible(&obj->lock, ctx);
}

/**
 * dma_resv_trylock() - lock a reservation object if it is free
 * @obj: reservation object
 *
 * A lock taken this way belongs to no acquire context.
 *
 * Context: Process context. Does not sleep, may be called under spinlocks.
 * Return: true if locked.
 */
static inline bool __must_check dma_resv_trylock(struct dma_resv *obj)
{
	return ww_mutex_trylock(&obj->lock, NULL);
}

/**
 * dma_resv_is_locked() - is the lock taken, by any task?
 * @obj: reservation object
 *
 * Context: Any.
 * Return: true if locked at this moment.
 */
static inline bool dma_resv_is_locked(struct dma_resv *obj)
{
	return ww_mutex_is_locked(&obj->lock);
}

/**
 * dma_resv_locking_ctx() - which context has locked the object?
 * @obj: reservation object
 *
 * A single read of a value that may change at any time unless the caller holds the lock.
 *
 * Context: Any.
 * Return: acquire context, NULL if there is none.
 */
static inline struct ww_acquire_ctx *
dma_resv_locking_ctx(struct dma_resv *obj)
{
	return READ_ONCE(obj->lock.ctx);
}

/**
 * dma_resv_unlock() - unlock a reservation object
 * @obj: reservation object, locked by the caller
 *
 * Gives up slots that were reserved and not used.
 *
 * Context: Process context.
 */
static inline void dma_resv_unlock(struct dma_resv *obj)
{
	dma_resv_reset_max_fences(obj);
	ww_mutex_unlock(&obj->lock);
}

#endif /* __LINUX_DMA_RESV_H */
