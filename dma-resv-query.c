// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be asked about the fences of a reservation object, all of it with or
 * without the lock.
 */

#include <linux/dma-fence-array.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dma-fence-internal.h"
#include "dma-resv-internal.h"

/**
 * dma_resv_set_deadline() - tell when the buffer should be idle
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @deadline: CLOCK_MONOTONIC time, see dma_fence_set_deadline()
 *
 * Context: Any, with or without the lock of @obj.
 */
void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage,
			   ktime_t deadline)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_iter_begin(&cursor, obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		dma_fence_set_deadline(fence, deadline);
	dma_resv_iter_end(&cursor);
}
EXPORT_SYMBOL_GPL(dma_resv_set_deadline);

/*
 * Is a fence done whose flag does not say so? The driver is asked only if he
 * has something to say, and only with a reference. Returns -EAGAIN if the fence
 * is not in the object any more.
 */
static int dma_resv_ask_driver(struct dma_resv *obj, struct dma_fence *fence,
			       unsigned int generation)
{
	const struct dma_fence_ops *ops = READ_ONCE(fence->ops);
	int ret = -EAGAIN;

	/* The memory may be that of a fence in the making, without ops. */
	if (!dma_resv_unchanged(obj, generation))
		return -EAGAIN;
	if (!ops->signaled)
		return false;

	if (!dma_fence_get_rcu(fence))
		return -EAGAIN;
	/* Look again only after the reference is ours. */
	smp_mb__after_atomic();
	if (dma_resv_unchanged(obj, generation))
		ret = dma_fence_is_signaled(fence);
	dma_fence_put(fence);

	return ret;
}

/* Returns -EAGAIN if the list has changed in a way that matters. */
static int dma_resv_test_list(struct dma_resv *obj, struct dma_resv_list *list,
			      enum dma_resv_usage usage,
			      unsigned int generation)
{
	unsigned int i, num_fences = dma_resv_list_count(list);
	struct dma_fence *fence;
	unsigned long slot;
	int ret;

	if (!num_fences ||
	    dma_resv_list_is_idle(list, generation, num_fences, usage))
		return true;

	for (i = 0; i < num_fences; i++) {
		slot = READ_ONCE(list->slots[i]);
		fence = dma_resv_slot_fence(slot);
		if (dma_resv_slot_usage(slot) > usage ||
		    dma_fence_signaled_flag(fence))
			continue;

		ret = dma_resv_ask_driver(obj, fence, generation);
		if (ret <= 0)
			return ret;
	}

	if (!dma_resv_unchanged(obj, generation))
		return -EAGAIN;

	dma_resv_list_note_idle(list, generation, num_fences, usage);
	return true;
}

/**
 * dma_resv_test_signaled() - is the buffer idle?
 * @obj: reservation object
 * @usage: weakest usage that matters
 *
 * Looks at each fence in its place, so a buffer that is idle is found to be so
 * without a single reference.
 *
 * Context: Any, with or without the lock of @obj.
 * Return: true if no fence of @usage or stronger is pending.
 */
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage)
{
	struct dma_resv_list *list;
	unsigned int generation;
	int ret;

	rcu_read_lock();
	do {
		generation = dma_resv_generation(obj);
		list = rcu_dereference(obj->fences);
		ret = dma_resv_test_list(obj, list, usage, generation);
	} while (ret < 0);
	rcu_read_unlock();

	return ret;
}
EXPORT_SYMBOL_GPL(dma_resv_test_signaled);

static const char *dma_resv_usage_name(enum dma_resv_usage usage)
{
	static const char * const names[] = {
		[DMA_RESV_USAGE_KERNEL] = "kernel",
		[DMA_RESV_USAGE_WRITE] = "write",
		[DMA_RESV_USAGE_READ] = "read",
		[DMA_RESV_USAGE_BOOKKEEP] = "bookkeep",
	};

	return names[usage];
}

/**
 * dma_resv_describe() - print a line for each fence
 * @obj: reservation object
 * @seq: file to print to
 *
 * Usage, and what dma_fence_describe() tells. Bookkeeping is left out.
 *
 * Context: Process context. Caller holds the lock of @obj.
 */
void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence) {
		seq_printf(seq, "\t%s fence:",
			   dma_resv_usage_name(dma_resv_iter_usage(&cursor)));
		dma_fence_describe(fence, seq);
	}
}
EXPORT_SYMBOL_GPL(dma_resv_describe);

/**
 * dma_resv_wait_timeout() - wait until the buffer is idle
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @intr: whether a signal ends the wait
 * @timeout: jiffies for all fences together, %MAX_SCHEDULE_TIMEOUT for no
 *	limit, 0 not to sleep
 *
 * Without the lock of @obj others may go on adding fences, and some of them may
 * be waited for as well.
 *
 * Context: Process context, may sleep; with or without the lock of @obj.
 * Return:
 * * > 0 - idle, with so many jiffies left; 1 if @timeout is 0
 * * 0 - still busy after @timeout
 * * %-ERESTARTSYS - interrupted
 * * other errno - from &dma_fence_ops.wait
 */
long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	long ret = timeout ?: 1;

	/* A buffer that no device has used so far: the common case by far. */
	if (!rcu_access_pointer(obj->fences))
		return ret;

	dma_resv_iter_begin(&cursor, obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		ret = dma_fence_wait_timeout(fence, intr, timeout ? ret : 0);
		if (ret <= 0)
			break;
	}
	dma_resv_iter_end(&cursor);

	return ret;
}
EXPORT_SYMBOL_GPL(dma_resv_wait_timeout);

static_assert(sizeof(unsigned long) == sizeof(struct dma_fence *));

/* Takes the usages out, in place. */
static struct dma_fence **dma_resv_slots_to_fences(unsigned long *slots,
						   unsigned int count)
{
	struct dma_fence **fences = (struct dma_fence **)slots;
	unsigned int i;

	for (i = 0; i < count; i++)
		fences[i] = dma_resv_slot_fence(slots[i]);

	return fences;
}

/**
 * dma_resv_get_fences() - get all pending fences
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @count: where to store the number
 * @fences: where to store the array; NULL if there is no fence
 *
 * The caller owns the array, to be freed by kfree(), and a reference on each
 * fence in it. They stand in the order of @obj.
 *
 * Context: Process context, may sleep to allocate; with or without the lock of
 * @obj.
 * Return: 0, -ENOMEM; on error the results are 0 and NULL.
 */
int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage,
			unsigned int *count, struct dma_fence ***fences)
{
	unsigned int num, room;
	unsigned long *slots;

	*count = 0;
	*fences = NULL;

	for (;;) {
		room = dma_resv_num_fences(obj);
		if (!room)
			return 0;
		slots = kmalloc_array(room, sizeof(*slots), GFP_KERNEL);
		if (!slots)
			return -ENOMEM;

		num = dma_resv_collect(obj, usage, slots, room);
		if (num <= room)
			break;
		/* There are more than a moment ago. */
		kfree(slots);
	}

	if (!num) {
		kfree(slots);
		return 0;
	}

	*count = num;
	*fences = dma_resv_slots_to_fences(slots, num);

	return 0;
}
EXPORT_SYMBOL_GPL(dma_resv_get_fences);

/* Make one fence out of those of an object, of which there were several. */
static int dma_resv_get_array(struct dma_resv *obj, enum dma_resv_usage usage,
			      struct dma_fence **fence)
{
	struct dma_fence_array *array;
	unsigned int num, room;

	for (;;) {
		room = dma_resv_num_fences(obj);
		array = dma_fence_array_alloc_inside(room);
		if (!array)
			return -ENOMEM;

		num = dma_resv_collect(obj, usage, (unsigned long *)array->fences,
				       room);
		if (num <= room)
			break;
		/* There are more than a moment ago. */
		kvfree(array);
	}

	dma_resv_slots_to_fences((unsigned long *)array->fences, num);
	if (num <= 1) {
		*fence = num ? array->fences[0] : NULL;
		kvfree(array);
		return 0;
	}

	*fence = dma_fence_array_init_inside(array, num);
	return 0;
}

/**
 * dma_resv_get_singleton() - get one fence that stands for all pending ones
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @fence: where to store the fence; NULL if nothing is pending
 *
 * The caller owns a reference. If there are several fences the result is an
 * array that waits for all of them, which cannot be added to a &struct dma_resv
 * again.
 *
 * Context: Process context, may sleep to allocate; with or without the lock of
 * @obj.
 * Return: 0, -ENOMEM; on error the result is NULL.
 */
int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence)
{
	unsigned long slot = 0;

	*fence = NULL;

	if (dma_resv_collect(obj, usage, &slot, 1) > 1)
		return dma_resv_get_array(obj, usage, fence);

	*fence = dma_resv_slot_fence(slot);
	return 0;
}
EXPORT_SYMBOL_GPL(dma_resv_get_singleton);
