// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking the plain fences in a container, and merging many fences into one.
 *
 * To change here: the order of the walk, and which fences a merge keeps. Containers
 * themselves are in dma-fence-array.c and dma-fence-chain.c.
 */

#include <linux/array_size.h>
#include <linux/cleanup.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "dma-fence-internal.h"

/**
 * DOC: unwrapping and merging
 *
 * dma_fence_unwrap_for_each() visits the plain fences in a fence of any kind: in
 * an array, in a chain, or in the arrays of a chain.
 *
 * dma_fence_unwrap_merge() turns any number of fences into one that signals when
 * all of them have. It leaves out fences that have signalled, and keeps only the
 * latest fence of each timeline. A single remaining fence is returned as it is,
 * several are returned as an array in order of contexts. So the result of repeated
 * merges does not grow.
 */

/* Go to the first fence of the current element, or of the next one that has any. */
static struct dma_fence *dma_fence_unwrap_enter(struct dma_fence_unwrap *cursor)
{
	for (; cursor->chain;
	     cursor->chain = dma_fence_chain_walk(cursor->chain)) {
		struct dma_fence *fence;

		cursor->index = 0;
		cursor->array = dma_fence_chain_contained(cursor->chain);
		if (likely(!dma_fence_is_array(cursor->array)))
			return cursor->array;

		fence = dma_fence_array_first(cursor->array);
		if (fence)
			return fence;
	}

	return NULL;
}

/**
 * dma_fence_unwrap_first() - start of dma_fence_unwrap_for_each()
 * @head: fence of any kind, or NULL
 * @cursor: iteration, gets a reference on @head
 *
 * Context: Any, as for dma_fence_is_signaled().
 * Return: first fence, NULL if there is none.
 */
struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head,
					 struct dma_fence_unwrap *cursor)
{
	cursor->chain = dma_fence_get(head);
	return dma_fence_unwrap_enter(cursor);
}
EXPORT_SYMBOL_GPL(dma_fence_unwrap_first);

/**
 * dma_fence_unwrap_next() - step of dma_fence_unwrap_for_each()
 * @cursor: iteration
 *
 * Context: Any, as for dma_fence_is_signaled().
 * Return: next fence; NULL at the end, where @cursor owns nothing any more.
 */
struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor)
{
	struct dma_fence_array *array = to_dma_fence_array(cursor->array);

	if (array && ++cursor->index < array->num_fences)
		return array->fences[cursor->index];

	cursor->chain = dma_fence_chain_walk(cursor->chain);
	return dma_fence_unwrap_enter(cursor);
}
EXPORT_SYMBOL_GPL(dma_fence_unwrap_next);

/*
 * User space decides how many fences are merged. At this limit the pointers to them
 * take 4 MiB until the merge is done.
 */
#define DMA_FENCE_MERGE_MAX	(SZ_4M / sizeof(u64))

/* So many are collected on the stack, and sorted without calls. */
#define DMA_FENCE_MERGE_FEW	32

/*
 * State of a merge: the pending fences, with references as far as there is room, and
 * the time at which the last of the others has signalled.
 */
struct dma_fence_merge {
	struct dma_fence **pending;
	unsigned int room;
	unsigned int num_pending;
	bool in_order;		/* ascending contexts, each of them once */
	ktime_t timestamp;	/* latest one */
};

static void dma_fence_merge_add(struct dma_fence_merge *merge,
				struct dma_fence *fence)
{
	unsigned int i = merge->num_pending;

	if (dma_fence_is_signaled(fence)) {
		ktime_t timestamp = dma_fence_timestamp(fence);

		if (ktime_after(timestamp, merge->timestamp))
			merge->timestamp = timestamp;
		return;
	}

	merge->num_pending++;
	if (i >= merge->room)
		return;

	if (i && merge->pending[i - 1]->context >= fence->context)
		merge->in_order = false;
	merge->pending[i] = dma_fence_get(fence);
}

static void dma_fence_merge_collect(struct dma_fence_merge *merge,
				    unsigned int num_fences,
				    struct dma_fence **fences)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int i;

	merge->num_pending = 0;
	merge->in_order = true;
	for (i = 0; i < num_fences; i++)
		dma_fence_unwrap_for_each(fence, &cursor, fences[i])
			dma_fence_merge_add(merge, fence);
}

static void dma_fence_merge_drop(struct dma_fence_merge *merge)
{
	unsigned int i;

	for (i = 0; i < merge->num_pending && i < merge->room; i++)
		dma_fence_put(merge->pending[i]);
}

static int dma_fence_merge_compare(const void *a, const void *b)
{
	const struct dma_fence *const *f1 = a, *const *f2 = b;

	if ((*f1)->context == (*f2)->context)
		return 0;

	return (*f1)->context < (*f2)->context ? -1 : 1;
}

/*
 * Sort a few fences, which mostly are two parts in order: few of them move, and not
 * far. A call for each comparison would take longer.
 */
static void dma_fence_merge_sort_few(struct dma_fence **fences,
				     unsigned int num_fences)
{
	struct dma_fence *fence;
	unsigned int i, to;

	for (i = 1; i < num_fences; i++) {
		fence = fences[i];
		for (to = i; to && fences[to - 1]->context > fence->context; to--)
			fences[to] = fences[to - 1];
		fences[to] = fence;
	}
}

/**
 * dma_fence_keep_latest() - sort fences by context, and keep the latest of each
 * @fences: fences, each with a reference; that of a removed fence is dropped
 * @num_fences: number of @fences
 *
 * Context: Any, as for dma_fence_put().
 * Return: number of fences that are left at the beginning of @fences.
 */
unsigned int dma_fence_keep_latest(struct dma_fence **fences,
				   unsigned int num_fences)
{
	unsigned int i, left = 0;

	if (num_fences <= DMA_FENCE_MERGE_FEW)
		dma_fence_merge_sort_few(fences, num_fences);
	else
		sort(fences, num_fences, sizeof(*fences),
		     dma_fence_merge_compare, NULL);

	for (i = 0; i < num_fences; i++) {
		if (!left || fences[i]->context != fences[left - 1]->context) {
			fences[left++] = fences[i];
			continue;
		}

		if (dma_fence_is_later(fences[i], fences[left - 1]))
			swap(fences[i], fences[left - 1]);
		dma_fence_put(fences[i]);
	}

	return left;
}
EXPORT_SYMBOL_GPL(dma_fence_keep_latest);

/* The result, if less than two fences were found. */
static struct dma_fence *dma_fence_merge_single(struct dma_fence_merge *merge)
{
	if (merge->num_pending)
		return merge->pending[0];

	return dma_fence_allocate_private_stub(merge->timestamp);
}

/* All pending fences are in the array: keep the latest ones, and allocate for these. */
static struct dma_fence *dma_fence_merge_finish(struct dma_fence_merge *merge)
{
	struct dma_fence *merged;

	if (!merge->in_order)
		merge->num_pending = dma_fence_keep_latest(merge->pending,
							   merge->num_pending);
	if (merge->num_pending < 2)
		return dma_fence_merge_single(merge);

	merged = dma_fence_array_create_copy(merge->num_pending, merge->pending);
	if (!merged)
		dma_fence_merge_drop(merge);

	return merged;
}

/*
 * Collect once more, with room. There may be fewer fences now, but not more: a link
 * of a chain only changes to an older element, and a signalled fence stays so.
 */
static struct dma_fence *dma_fence_merge_many(struct dma_fence_merge *merge,
					      unsigned int num_fences,
					      struct dma_fence **fences)
{
	struct dma_fence **pending __free(kvfree) = NULL;

	dma_fence_merge_drop(merge);
	if (merge->num_pending > DMA_FENCE_MERGE_MAX)
		return NULL;

	pending = kvmalloc_array(merge->num_pending, sizeof(*pending),
				 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pending)
		return NULL;

	merge->pending = pending;
	merge->room = merge->num_pending;
	dma_fence_merge_collect(merge, num_fences, fences);
	if (WARN_ON_ONCE(merge->num_pending > merge->room)) {
		dma_fence_merge_drop(merge);
		return NULL;
	}

	return dma_fence_merge_finish(merge);
}

/**
 * __dma_fence_unwrap_merge() - make one fence of several
 * @num_fences: number of @fences
 * @fences: fences of any kind, or NULL; the caller keeps the references
 * @cursors: not used, may be NULL
 *
 * See `unwrapping and merging`. Takes O(n log n) for n plain fences, and O(n) if
 * they come in order of their contexts, as from a former merge.
 *
 * Context: Process context, may sleep to allocate.
 * Return: fence with a reference, NULL without memory or if more than 524,288
 * fences are pending. It is
 *
 * * a private stub if nothing is pending, with the time of the last signal among
 *   @fences, or 0 if there is none at all;
 * * the pending fence itself if there is one only;
 * * an array in order of contexts otherwise.
 */
struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences,
					   struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors)
{
	struct dma_fence *few[DMA_FENCE_MERGE_FEW] __uninitialized;
	struct dma_fence_merge merge = {
		.pending = few,
		.room = ARRAY_SIZE(few),
	};

	dma_fence_merge_collect(&merge, num_fences, fences);
	if (merge.num_pending > merge.room)
		return dma_fence_merge_many(&merge, num_fences, fences);

	return dma_fence_merge_finish(&merge);
}
EXPORT_SYMBOL_GPL(__dma_fence_unwrap_merge);
