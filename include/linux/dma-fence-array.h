/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays: one fence that stands for several. Interface of dma-fence-array.c, and the
 * structure, some of whose members drivers read.
 */

#ifndef __LINUX_DMA_FENCE_ARRAY_H
#define __LINUX_DMA_FENCE_ARRAY_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/irq_work.h>
#include <linux/spinlock.h>

struct dma_fence_array;

/**
 * struct dma_fence_array_cb - callback by which an array waits for a member
 * @cb: registration with the member
 * @array: back to the array
 */
struct dma_fence_array_cb {
	struct dma_fence_cb cb;
	struct dma_fence_array *array;
};

/**
 * struct dma_fence_array - a fence that signals when its members have
 * @base: the fence that others see
 * @lock: lock of @base
 * @num_fences: number of members
 * @fences: the members, with a reference on each
 * @outstanding: members whose callback is still to come, plus one for @work,
 *	which outlasts the count that completes the array
 * @complete_at: the array is complete once @outstanding is down to this
 * @num_callbacks: number of @callbacks that have been used
 * @members_inside: @fences is part of the memory of the array itself
 * @timestamp: signal time of the member that completed the array, for @work
 * @work: signals @base outside of the locks of the members
 * @callbacks: one for each member, in use from enabling on
 *
 * All but @outstanding, @num_callbacks, @timestamp, @work and @callbacks are constant
 * since init. These are written by enabling (once, under @lock) and, after that, by
 * callbacks and work without a lock, see the table in dma-fence-array.c.
 */
struct dma_fence_array {
	struct dma_fence base;

	spinlock_t lock;	/* of base */
	unsigned int num_fences;
	struct dma_fence **fences;

	atomic_t outstanding;
	int complete_at;
	unsigned int num_callbacks;
	bool members_inside;

	ktime_t timestamp;
	struct irq_work work;
	struct dma_fence_array_cb callbacks[] __counted_by(num_fences);
};

struct dma_fence_array *dma_fence_array_alloc(int num_fences);
void dma_fence_array_init(struct dma_fence_array *array, int num_fences,
			  struct dma_fence **fences, u64 context,
			  unsigned int seqno, bool signal_on_any);
struct dma_fence_array *dma_fence_array_create(int num_fences,
					       struct dma_fence **fences,
					       u64 context, unsigned int seqno,
					       bool signal_on_any);

bool dma_fence_match_context(struct dma_fence *fence, u64 context);

struct dma_fence *dma_fence_array_first(struct dma_fence *head);
struct dma_fence *dma_fence_array_next(struct dma_fence *head,
				       unsigned int index);

/**
 * to_dma_fence_array() - the array behind a fence
 * @fence: fence, or NULL
 *
 * Context: Any.
 * Return: array, NULL if @fence is NULL or something else.
 */
static inline struct dma_fence_array *
to_dma_fence_array(struct dma_fence *fence)
{
	if (!fence || !dma_fence_is_array(fence))
		return NULL;

	return container_of(fence, struct dma_fence_array, base);
}

/**
 * dma_fence_array_for_each() - go through the members of an array
 * @fence: &struct dma_fence pointer, the current member; no reference is taken
 * @index: unsigned int, its position
 * @head: array; a fence of any other kind is its own only member, and NULL has
 *	none
 *
 * The caller's reference on @head keeps the members.
 */
#define dma_fence_array_for_each(fence, index, head)			\
	for ((index) = 0, (fence) = dma_fence_array_first(head);	\
	     (fence);							\
	     (fence) = dma_fence_array_next((head), ++(index)))

#endif /* __LINUX_DMA_FENCE_ARRAY_H */
