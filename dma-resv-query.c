// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queries about the fences of a reservation object, with or without the lock.
 *
 * To change here: what waits for all fences, or collects or prints them. These only
 * use the walks of dma-resv.c and dma-resv-read.c, and no slots.
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
 * dma_resv_set_deadline() - tell the drivers when the buffer should be idle
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

/**
 * dma_resv_usage_name() - usage as a word
 * @usage: usage
 *
 * Context: Any.
 * Return: name, a constant.
 */
const char *dma_resv_usage_name(enum dma_resv_usage usage)
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
 * A line has the usage and the output of dma_fence_describe(). Leaves out
 * %DMA_RESV_USAGE_BOOKKEEP.
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
 * Without the lock of @obj, other tasks may add fences meanwhile, and this may wait for
 * some of them as well.
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

/* Drop the usages in place. */
static struct dma_fence **dma_resv_strip_slots(unsigned long *slots,
					       unsigned int num)
{
	struct dma_fence **fences = (struct dma_fence **)slots;
	unsigned int i;

	for (i = 0; i < num; i++)
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
	unsigned int num, room = dma_resv_num_fences(obj);
	unsigned long *slots;

	*count = 0;
	*fences = NULL;

	for (;;) {
		if (!room)
			return 0;
		slots = kmalloc_array(room, sizeof(*slots), GFP_KERNEL);
		if (!slots)
			return -ENOMEM;

		num = dma_resv_collect(obj, usage, slots, room);
		if (num && num <= room)
			break;

		/* None is pending, or the number of fences has grown. */
		kfree(slots);
		room = 2 * num;
	}

	*fences = dma_resv_strip_slots(slots, num);
	*count = num;

	return 0;
}
EXPORT_SYMBOL_GPL(dma_resv_get_fences);

/* Most buffers have no more fences, which are collected on the stack. */
#define DMA_RESV_FEW	16

/* Make one fence of @num, or none of none. Consumes the references in any case. */
static int dma_resv_join(struct dma_fence **fences, unsigned int num,
			 struct dma_fence **joined)
{
	if (num <= 1) {
		*joined = num ? fences[0] : NULL;
		return 0;
	}

	*joined = dma_fence_array_create_copy(num, fences);
	if (*joined)
		return 0;

	while (num)
		dma_fence_put(fences[--num]);
	return -ENOMEM;
}

static int dma_resv_join_many(struct dma_resv *obj, enum dma_resv_usage usage,
			      struct dma_fence **joined)
{
	struct dma_fence **fences;
	unsigned int num;
	int ret;

	ret = dma_resv_get_fences(obj, usage, &num, &fences);
	if (!ret)
		ret = dma_resv_join(fences, num, joined);
	kfree(fences);

	return ret;
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
	unsigned long few[DMA_RESV_FEW] __uninitialized;
	unsigned int num = dma_resv_num_fences(obj);

	*fence = NULL;

	if (num <= DMA_RESV_FEW)
		num = dma_resv_collect(obj, usage, few, DMA_RESV_FEW);
	if (num > DMA_RESV_FEW)
		return dma_resv_join_many(obj, usage, fence);

	return dma_resv_join(dma_resv_strip_slots(few, num), num, fence);
}
EXPORT_SYMBOL_GPL(dma_resv_get_singleton);
