// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays: one fence that signals when all, or any, of several have.
 *
 * To change here: what completes an array, its error and timestamp, and the count
 * that decides who signals it. The structure is in linux/dma-fence-array.h.
 */

#include <linux/atomic.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "dma-fence-internal.h"

/**
 * DOC: fence arrays
 *
 * An array, &struct dma_fence_array, is a fence made of others, its members. It
 * signals when all of them have signalled or, if created so, when the first of
 * them has. The set is fixed. Members are plain fences: neither arrays nor nodes
 * of a chain (dma_fence_unwrap_merge() makes an array out of those).
 *
 * The array owns the pointers and one reference on each member.
 *
 * An array leaves its members alone until signalling of the array is enabled. Then
 * each member gets a callback. The callback that completes the array queues an
 * &struct irq_work, which signals the array, since the callback itself runs under
 * the lock of a member. So an array signals a moment after its members, with the
 * timestamp of the member that completed it. dma_fence_is_signaled() does not wait
 * for that moment. If dma_fence_is_signaled() or enabling finds the array complete,
 * the array signals there, with the current time.
 *
 * The error of an array is that of the first member seen to have failed. An array
 * that nobody waited for does not look at the errors of its members.
 */

/* In &dma_fence.error of a pending array: no member has failed so far. */
#define DMA_FENCE_ARRAY_NO_ERROR	1

/* In &dma_fence_array.complete_at: the members are missing, so the array stays pending. */
#define DMA_FENCE_ARRAY_NEVER		0

static void dma_fence_array_note_error(struct dma_fence_array *array,
				       int error)
{
	if (error)
		cmpxchg(&array->base.error, DMA_FENCE_ARRAY_NO_ERROR, error);
}

/* Call this before the array signals. */
static void dma_fence_array_settle_error(struct dma_fence_array *array)
{
	cmpxchg(&array->base.error, DMA_FENCE_ARRAY_NO_ERROR, 0);
}

/*
 * Counting. @outstanding begins with a share for each member and one for the
 * work; the array is complete at @complete_at. A share is given back once:
 *
 *	by				when
 *	------				----
 *	callback			its member signals
 *	enabling, for a member		it had signalled, or the array is complete and
 *					the callback is not added, or taken back
 *	work, for a member		the array is complete, the callback taken back
 *	enabling or work		last of all, that of the work
 *
 * So each value is reached by one party only, and that party owns something:
 *
 *	value reached			owner		owes
 *	-------------			-----		----
 *	@complete_at, by a callback	callback	queue the work: signal
 *	below, by enabling from above	enabling	return false: signal
 *	0, by a callback		callback	queue the work again: put
 *	0, by enabling or work		the same	put
 *	any other			nobody		the array may be gone
 *
 * The reference that is put is that of all callbacks and the work together. A
 * callback does not drop it, as it runs under the lock of a member. The work is
 * not queued while it is queued: 0 comes after it has given its share back.
 */

/*
 * The array is complete, so callbacks of pending members must not keep it alive. A
 * callback whose member signals at this moment gives its own share back. Returns the
 * number of callbacks that will not run.
 */
static int dma_fence_array_remove_callbacks(struct dma_fence_array *array,
					    unsigned int num)
{
	struct dma_fence_array_cb *cb = array->callbacks;
	struct dma_fence **member = array->fences;
	int removed = 0;

	for (; num; num--, member++, cb++)
		removed += dma_fence_remove_callback(*member, &cb->cb);

	return removed;
}

static void dma_fence_array_work(struct irq_work *work)
{
	struct dma_fence_array *array = container_of(work,
						     struct dma_fence_array,
						     work);
	int removed = 0;

	if (atomic_read(&array->outstanding)) {
		dma_fence_array_settle_error(array);
		/* Enabling holds the lock, so it has added all callbacks after this. */
		dma_fence_signal_timestamp(&array->base, array->timestamp);
		if (array->complete_at > 1)
			removed = dma_fence_array_remove_callbacks(array,
								   array->num_callbacks);
		if (!atomic_sub_and_test(removed + 1, &array->outstanding))
			return;
	}

	dma_fence_put(&array->base);
}

static void dma_fence_array_member_signaled(struct dma_fence *fence,
					    struct dma_fence_cb *cb)
{
	struct dma_fence_array *array = container_of(cb,
						     struct dma_fence_array_cb,
						     cb)->array;
	int complete_at = array->complete_at;
	int left;

	dma_fence_array_note_error(array, fence->error);

	left = atomic_dec_return(&array->outstanding);
	if (left == complete_at)
		array->timestamp = fence->timestamp;
	else if (left)
		return;

	irq_work_queue(&array->work);
}

/**
 * dma_fence_array_of_cb() - does a callback belong to an array?
 * @cb: callback of a fence whose lock the caller holds
 *
 * Context: Any.
 * Return: the array, without a reference; NULL if the callback does something else.
 */
struct dma_fence *dma_fence_array_of_cb(struct dma_fence_cb *cb)
{
	if (cb->func != dma_fence_array_member_signaled)
		return NULL;

	return &container_of(cb, struct dma_fence_array_cb, cb)->array->base;
}

static const char *dma_fence_array_driver_name(struct dma_fence *fence)
{
	return "dma_fence_array";
}

static const char *dma_fence_array_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

/*
 * Add a callback to each member, in order, until the array is complete. Returns the
 * number of callbacks that will not run.
 */
static int dma_fence_array_add_callbacks(struct dma_fence_array *array)
{
	struct dma_fence_array_cb *cb = array->callbacks;
	int missing = array->num_fences + 1 - array->complete_at;
	unsigned int i;
	int done = 0;

	for (i = 0; i < array->num_fences && done < missing; i++, cb++) {
		struct dma_fence *fence = array->fences[i];

		cb->array = array;
		if (dma_fence_add_callback(fence, &cb->cb,
					   dma_fence_array_member_signaled)) {
			dma_fence_array_note_error(array, fence->error);
			done++;
		}
	}

	array->num_callbacks = i;
	if (done < missing || array->complete_at == 1)
		return done;

	return done + array->num_fences - i +
	       dma_fence_array_remove_callbacks(array, i);
}

static bool dma_fence_array_enable_signaling(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	int done, left;

	/* Driver mistakes: without @fences never complete, without members at once. */
	if (unlikely(array->complete_at == DMA_FENCE_ARRAY_NEVER))
		return true;
	if (unlikely(!array->num_fences)) {
		dma_fence_array_settle_error(array);
		return false;
	}

	dma_fence_get(fence);
	done = dma_fence_array_add_callbacks(array);
	left = atomic_sub_return(done, &array->outstanding);
	if (left > array->complete_at)
		return true;

	/* A callback has completed the array before, and has queued the work. */
	if (left + done <= array->complete_at)
		return true;

	dma_fence_array_settle_error(array);
	if (atomic_dec_and_test(&array->outstanding))
		dma_fence_put(fence);

	return false;
}

/* Without callbacks, ask members until the answer is known. */
static bool dma_fence_array_poll_members(struct dma_fence_array *array)
{
	unsigned int missing = array->num_fences + 1 - array->complete_at;
	unsigned int i;

	for (i = 0; missing && missing <= array->num_fences - i; i++) {
		if (dma_fence_is_signaled(array->fences[i]))
			missing--;
	}

	return !missing;
}

static bool dma_fence_array_complete(struct dma_fence_array *array)
{
	if (!test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &array->base.flags))
		return dma_fence_array_poll_members(array);

	/* Pairs with the count in the callbacks, which follows the error. */
	return atomic_read_acquire(&array->outstanding) <= array->complete_at;
}

static bool dma_fence_array_signaled(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);

	if (!dma_fence_array_complete(array))
		return false;

	dma_fence_array_settle_error(array);
	return true;
}

static void dma_fence_array_set_deadline(struct dma_fence *fence,
					 ktime_t deadline)
{
	struct dma_fence *member;
	unsigned int i;

	dma_fence_array_for_each(member, i, fence)
		dma_fence_set_deadline(member, deadline);
}

/* kvfree() may sleep, and the last reference may be dropped in atomic context. */
static void dma_fence_array_free_members(struct dma_fence **fences)
{
	if (is_vmalloc_addr(fences))
		vfree_atomic(fences);
	else
		kfree(fences);
}

static void dma_fence_array_release(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		dma_fence_put(array->fences[i]);

	if (!array->members_inside)
		dma_fence_array_free_members(array->fences);

	kvfree_rcu(array, base.rcu);
}

const struct dma_fence_ops dma_fence_array_ops = {
	.get_driver_name = dma_fence_array_driver_name,
	.get_timeline_name = dma_fence_array_timeline_name,
	.set_deadline = dma_fence_array_set_deadline,
	.enable_signaling = dma_fence_array_enable_signaling,
	.signaled = dma_fence_array_signaled,
	.release = dma_fence_array_release,
};
EXPORT_SYMBOL(dma_fence_array_ops);

/**
 * dma_fence_array_alloc() - get the memory for an array
 * @num_fences: number of members, at least 1
 *
 * For a caller that builds the array where it must not allocate: it allocates
 * earlier by this function, and calls dma_fence_array_init() there. Free unused
 * memory by kvfree(). For arrays of up to a page (123 members for 4 KiB) kfree()
 * works as well; larger ones may come from vmalloc().
 *
 * Context: Process context, may sleep to allocate.
 * Return: zeroed memory, NULL without memory or, with a warning, if @num_fences
 * is negative.
 */
struct dma_fence_array *dma_fence_array_alloc(int num_fences)
{
	struct dma_fence_array *array;

	if (WARN_ON_ONCE(num_fences < 0))
		return NULL;

	return kvzalloc(struct_size(array, callbacks, num_fences), GFP_KERNEL);
}
EXPORT_SYMBOL(dma_fence_array_alloc);

/* Get memory for an array and its pointers: one allocation instead of two. */
static struct dma_fence_array *dma_fence_array_alloc_inside(unsigned int num_fences)
{
	struct dma_fence_array *array;
	size_t pointers, size;

	pointers = struct_size(array, callbacks, num_fences);
	size = size_add(pointers, array_size(num_fences, sizeof(*array->fences)));
	array = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!array)
		return NULL;

	array->fences = (void *)array + pointers;
	array->members_inside = true;

	return array;
}

/* Members must be plain fences: a container in a container would cause recursion. */
static void dma_fence_array_check_members(struct dma_fence_array *array)
{
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		WARN_ON_ONCE(dma_fence_is_container(array->fences[i]));
}

/**
 * dma_fence_array_init() - make an array of the memory for one
 * @array: from dma_fence_array_alloc(), for at least @num_fences members
 * @num_fences: number of members, at least 1; an array without any warns, and
 *	is complete at once
 * @fences: the members, in memory from kmalloc() or kvmalloc(). NULL warns, as a
 *	negative @num_fences does, and the array stays pending, since the work that
 *	it stands for is unknown.
 * @context: timeline of the array, from dma_fence_context_alloc()
 * @seqno: position on it
 * @signal_on_any: signal with the first member, not with the last
 *
 * @fences and the caller's reference on each member belong to the array from now
 * on. A member that is an array or a node of a chain warns.
 *
 * Context: Any. Allocates nothing, so that it may be used on the way to
 * signalling a fence.
 */
void dma_fence_array_init(struct dma_fence_array *array, int num_fences,
			  struct dma_fence **fences, u64 context,
			  unsigned int seqno, bool signal_on_any)
{
	bool nonsense = num_fences < 0 || (num_fences && !fences);

	WARN_ON_ONCE(nonsense || !num_fences);
	if (nonsense)
		num_fences = 0;

	array->num_fences = num_fences;
	array->fences = fences;
	array->complete_at = signal_on_any && num_fences ? num_fences : 1;
	if (nonsense)
		array->complete_at = DMA_FENCE_ARRAY_NEVER;
	atomic_set(&array->outstanding, num_fences + 1);
	array->num_callbacks = 0;
	init_irq_work(&array->work, dma_fence_array_work);

	spin_lock_init(&array->lock);
	dma_fence_init(&array->base, &dma_fence_array_ops, &array->lock,
		       context, seqno);
	array->base.error = DMA_FENCE_ARRAY_NO_ERROR;

	dma_fence_array_check_members(array);
}
EXPORT_SYMBOL(dma_fence_array_init);

/**
 * dma_fence_array_create_copy() - make a fence that waits for all of several
 * @num_fences: number of members, at least 1
 * @fences: the members, of which the array has a copy
 *
 * The array gets a timeline of its own. On success the caller's reference on each
 * member belongs to it. Otherwise the caller keeps these.
 *
 * Context: Process context, may sleep to allocate.
 * Return: the array as a fence, with one reference; NULL without memory.
 */
struct dma_fence *dma_fence_array_create_copy(unsigned int num_fences,
					      struct dma_fence **fences)
{
	struct dma_fence_array *array = dma_fence_array_alloc_inside(num_fences);

	if (!array)
		return NULL;

	memcpy(array->fences, fences, array_size(num_fences, sizeof(*fences)));
	dma_fence_array_init(array, num_fences, array->fences,
			     dma_fence_context_alloc(1), 1, false);

	return &array->base;
}

/**
 * dma_fence_array_create() - create an array
 * @num_fences: number of members, at least 1
 * @fences: the members, in memory from kmalloc() or kvmalloc()
 * @context: timeline of the array, from dma_fence_context_alloc()
 * @seqno: position on it
 * @signal_on_any: signal with the first member, not with the last
 *
 * On success @fences and the caller's reference on each member belong to the
 * array, see dma_fence_array_init(). Otherwise the caller keeps both.
 *
 * Context: Process context, may sleep to allocate.
 * Return: array with one reference, NULL as dma_fence_array_alloc().
 */
struct dma_fence_array *dma_fence_array_create(int num_fences,
					       struct dma_fence **fences,
					       u64 context, unsigned int seqno,
					       bool signal_on_any)
{
	struct dma_fence_array *array;

	if (WARN_ON_ONCE(num_fences < 0))
		return NULL;

	/* dma_fence_array_init() sets each member before it reads it: no need for zeroes. */
	array = kvmalloc(struct_size(array, callbacks, num_fences), GFP_KERNEL);
	if (!array)
		return NULL;

	array->members_inside = false;
	dma_fence_array_init(array, num_fences, fences, context, seqno,
			     signal_on_any);

	return array;
}
EXPORT_SYMBOL(dma_fence_array_create);

/**
 * dma_fence_match_context() - does a fence belong to one timeline as a whole?
 * @fence: fence
 * @context: timeline
 *
 * Context: Any.
 * Return: true if @context is that of @fence or, for an array, of each member.
 */
bool dma_fence_match_context(struct dma_fence *fence, u64 context)
{
	struct dma_fence *member;
	unsigned int i;

	dma_fence_array_for_each(member, i, fence) {
		if (member->context != context)
			return false;
	}

	return true;
}
EXPORT_SYMBOL(dma_fence_match_context);

/**
 * dma_fence_array_first() - first member, see dma_fence_array_for_each()
 * @head: array, or any other fence, or NULL
 *
 * Context: Any.
 * Return: first member of an array, NULL if it has none; else @head. Without a
 * reference.
 */
struct dma_fence *dma_fence_array_first(struct dma_fence *head)
{
	if (!to_dma_fence_array(head))
		return head;

	return dma_fence_array_next(head, 0);
}
EXPORT_SYMBOL(dma_fence_array_first);

/**
 * dma_fence_array_next() - member by number, see dma_fence_array_for_each()
 * @head: array, or any other fence, or NULL
 * @index: number of the member
 *
 * Context: Any.
 * Return: member without a reference, NULL beyond the last one and for a fence
 * that is not an array.
 */
struct dma_fence *dma_fence_array_next(struct dma_fence *head,
				       unsigned int index)
{
	struct dma_fence_array *array = to_dma_fence_array(head);

	if (!array || index >= array->num_fences)
		return NULL;

	return array->fences[index];
}
EXPORT_SYMBOL(dma_fence_array_next);
