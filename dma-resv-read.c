// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservation objects without the lock: looking at a slot, testing, walking,
 * collecting.
 *
 * Drivers test and walk under spinlocks, and while another thread holds the lock
 * to submit work. A test of an object touches no reference count: a compositor
 * polls buffers, and fdinfo of a DRM file tests all objects of a client.
 *
 * Rules
 * =====
 *
 * A fence in a slot is alive, since the slot owns a reference. Without the lock the
 * fence may leave its slot at any time, and its memory may become another fence at
 * once (SLAB_TYPESAFE_BY_RCU). RCU only keeps the memory a fence, and the list a
 * list. So a reader decides about one slot at a time, by one of two looks, and
 * repeats a look that failed:
 *
 * - dma_resv_peek() reads the fence without a reference. That belongs to the fence
 *   in the slot if &dma_resv_list.changes has not moved and the list still is the
 *   object's: a writer changes the slot, then the counter, then drops the reference.
 * - dma_resv_get_slot() takes a reference. That belongs to the fence in the slot if
 *   the slot still has the word and the list still is the object's: a list that was
 *   replaced keeps its words, but not the references.
 *
 * A count of zero does not mean that the fence has signalled: one that was superseded
 * may go without a signal while its successor is pending. A decision stays right for
 * the rest of the call: a fence does not become pending again, and what takes its
 * place supersedes it or was added after the call began.
 *
 *	reader				writer
 *	R1 changes, acquire		W1 slot, release
 *	R2 signalled flag, acquire	W2 changes, release
 *	R3 changes and list again	W3 put of the old fence, release
 *	R4 get of the fence, acquire	W4 list, release, before the puts
 *	R5 num_fences, acquire		W5 num_fences, release
 *					I1 count in dma_fence_init(), release
 *
 *	without			a reader may
 *	R1 or W2		see a new counter and yet an old slot
 *	R2, R3, W2, W4 or W3	take the flag of a later fence in the same memory
 *	R4 or W3		overlook that the fence has left the slot or the list
 *	R4, W1 or I1		see a fence that is not initialised yet
 *	R5 or W5		read a slot that is not written yet
 *
 * Bounds
 * ======
 *
 *	function			progress	what is repeated
 *	test_signaled			wait-free	a look, %DMA_RESV_TRIES times
 *	set_deadline, unlocked walk,	lock-free	a look, if this slot got another
 *	get_fences, get_singleton,			fence between its loads
 *	collect_known, copy_fences
 *	(of the source)
 *	wait_timeout			sleeps		the same
 *	locked walk, describe		has the lock	nothing
 *
 * All but the last look at all slots again if the list was replaced. That happens at
 * most 14 times by growth, as sizes double up to 65,535 slots, and by copy_fences into
 * the object. No RCU section but that of test_signaled has a repeat in it. A reader
 * never waits for a writer: while that is between two stores, the old and the new
 * fence are alive, and either answer is true.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/rcupdate.h>

#include "dma-resv-internal.h"

/* Each failed look means one more fence: after that many the object is busy. */
#define DMA_RESV_TRIES	8

enum dma_resv_state {
	DMA_RESV_DONE,		/* signalled, or of no interest */
	DMA_RESV_PENDING,
	DMA_RESV_UNKNOWN,	/* look again, or with a reference */
};

/* Start with a list, to which the cursor keeps its address and its serial. */
static void dma_resv_iter_restart(struct dma_resv_iter *cursor,
				  struct dma_resv_list *list)
{
	cursor->fences = list;
	cursor->serial = list ? list->serial : 0;
	cursor->num_fences = dma_resv_list_count(list);
	cursor->index = 0;
	cursor->is_restarted = true;
}

/* Is the list that the cursor is in, in this RCU section, still the object's? */
static bool dma_resv_iter_is_current(struct dma_resv_iter *cursor)
{
	return cursor->fences == rcu_access_pointer(cursor->obj->fences);
}

/* Is this still the word in the slot of the cursor, and one of the object's? */
static bool dma_resv_iter_holds(struct dma_resv_iter *cursor, unsigned long slot)
{
	return slot == READ_ONCE(cursor->fences->slots[cursor->index]) &&
	       dma_resv_iter_is_current(cursor);
}

/* The content of a slot, read without a reference. */
struct dma_resv_look {
	unsigned long slot;
	u32 changes;
};

/* Does that belong to the fence which was in the slot, and in the object? */
static bool dma_resv_look_is_sure(struct dma_resv_iter *cursor,
				  const struct dma_resv_look *look)
{
	return look->changes == READ_ONCE(cursor->fences->changes) &&	/* R3 */
	       dma_resv_iter_is_current(cursor);
}

/*
 * Look without a reference, so the driver cannot be asked. %DMA_RESV_PENDING is not
 * sure: it is for the caller to check, or to take a reference.
 */
static enum dma_resv_state dma_resv_peek(struct dma_resv_iter *cursor,
					 struct dma_resv_look *look)
{
	struct dma_resv_list *list = cursor->fences;

	look->changes = smp_load_acquire(&list->changes);	/* R1 */
	look->slot = READ_ONCE(list->slots[cursor->index]);
	if (dma_resv_slot_usage(look->slot) > cursor->usage)
		return DMA_RESV_DONE;
	if (!dma_fence_signaled_flag(dma_resv_slot_fence(look->slot)))	/* R2 */
		return DMA_RESV_PENDING;

	return dma_resv_look_is_sure(cursor, look) ? DMA_RESV_DONE :
						     DMA_RESV_UNKNOWN;
}

/* Is a fence whose flag is not set pending, or does its driver know more? */
static bool dma_resv_flag_is_all(unsigned long slot)
{
	/* A fence in the making may lack ops. */
	const struct dma_fence_ops *ops = READ_ONCE(dma_resv_slot_fence(slot)->ops);

	return ops && !ops->signaled;
}

/* Take a reference on the fence in @slot; false if it is not in there any more. */
static bool dma_resv_get_slot(struct dma_resv_iter *cursor, unsigned long slot)
{
	struct dma_fence *fence = dma_resv_slot_fence(slot);

	if (!dma_fence_get_rcu(fence))				/* R4 */
		return false;
	if (dma_resv_iter_holds(cursor, slot))
		return true;

	dma_fence_put(fence);
	return false;
}

/*
 * Decide about a fence by a reference, which the caller owns if it is pending; that is
 * what the driver says if it may be asked.
 */
static enum dma_resv_state dma_resv_hold(struct dma_resv_iter *cursor,
					 unsigned long slot, bool ask)
{
	struct dma_fence *fence = dma_resv_slot_fence(slot);
	bool member;

	if (!dma_resv_get_slot(cursor, slot))
		return DMA_RESV_UNKNOWN;
	if (!ask || !__dma_fence_is_signaled_rcu(fence))
		return DMA_RESV_PENDING;

	/* While the driver was asked, a pending fence may have come instead. */
	member = dma_resv_iter_holds(cursor, slot);
	dma_fence_put(fence);

	return member ? DMA_RESV_DONE : DMA_RESV_UNKNOWN;
}

/* One look at a slot without a reference, and if need be one with it. */
static enum dma_resv_state dma_resv_test_once(struct dma_resv_iter *cursor)
{
	struct dma_resv_look look;
	enum dma_resv_state state = dma_resv_peek(cursor, &look);

	if (state != DMA_RESV_PENDING)
		return state;
	if (dma_resv_flag_is_all(look.slot))
		return dma_resv_look_is_sure(cursor, &look) ? DMA_RESV_PENDING :
							      DMA_RESV_UNKNOWN;

	state = dma_resv_hold(cursor, look.slot, true);
	if (state == DMA_RESV_PENDING)
		dma_fence_put(dma_resv_slot_fence(look.slot));

	return state;
}

static enum dma_resv_state dma_resv_test_slot(struct dma_resv_iter *cursor)
{
	enum dma_resv_state state;
	unsigned int tries;

	for (tries = 0; tries < DMA_RESV_TRIES; tries++) {
		state = dma_resv_test_once(cursor);
		if (state != DMA_RESV_UNKNOWN ||
		    !dma_resv_iter_is_current(cursor))
			return state;
	}

	return DMA_RESV_PENDING;
}

/* Returns %DMA_RESV_UNKNOWN only if the list was replaced. */
static enum dma_resv_state dma_resv_test_list(struct dma_resv_iter *cursor)
{
	enum dma_resv_state state = DMA_RESV_DONE;

	for (; cursor->index < cursor->num_fences && state == DMA_RESV_DONE;
	     cursor->index++)
		state = dma_resv_test_slot(cursor);

	return state;
}

/**
 * dma_resv_test_signaled() - is the buffer idle?
 * @obj: reservation object
 * @usage: weakest usage that matters
 *
 * Asks a driver (&dma_fence_ops.signaled) about a fence whose flag is not set, and
 * takes a reference only for that. May find an object busy whose fences are being
 * replaced at this very moment, without looking at the last of them.
 *
 * Context: Any, with or without the lock of @obj. Does not wait for writers.
 * Return: true if no fence of @usage or stronger is pending.
 */
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage)
{
	/* To zero it first, as INIT_STACK_ALL_ZERO does, takes longer than the test. */
	struct dma_resv_iter cursor __uninitialized;
	enum dma_resv_state state;

	dma_resv_iter_begin(&cursor, obj, usage);

	guard(rcu)();

	do {
		dma_resv_iter_restart(&cursor, rcu_dereference(obj->fences));
		state = dma_resv_test_list(&cursor);
	} while (state == DMA_RESV_UNKNOWN);

	return state == DMA_RESV_DONE;
}
EXPORT_SYMBOL_GPL(dma_resv_test_signaled);

/*
 * One look at one slot, in an RCU section of its own, so that no grace period waits
 * for repeats. Without @ask no driver is asked and no fence signals by it. Returns
 * true if that gave a pending fence, or the end.
 */
static bool dma_resv_iter_look(struct dma_resv_iter *cursor, bool ask)
{
	enum dma_resv_state state;
	struct dma_resv_list *list;
	struct dma_resv_look look;

	guard(rcu)();

	/* The list of the last look may be gone, and its address that of another. */
	list = rcu_dereference(cursor->obj->fences);
	if (list != cursor->fences || (list && list->serial != cursor->serial))
		dma_resv_iter_restart(cursor, list);
	if (cursor->index >= cursor->num_fences)
		return true;

	state = dma_resv_peek(cursor, &look);
	if (state == DMA_RESV_PENDING)
		state = dma_resv_hold(cursor, look.slot, ask);
	if (state == DMA_RESV_UNKNOWN)
		return false;

	cursor->index++;
	if (state == DMA_RESV_DONE)
		return false;

	cursor->fence = dma_resv_slot_fence(look.slot);
	cursor->fence_usage = dma_resv_slot_usage(look.slot);
	return true;
}

static struct dma_fence *dma_resv_iter_step(struct dma_resv_iter *cursor, bool ask)
{
	dma_resv_iter_end(cursor);
	cursor->fence = NULL;
	cursor->is_restarted = false;

	while (!dma_resv_iter_look(cursor, ask))
		;

	return cursor->fence;
}

/* No list has this address, so the first look restarts. */
#define DMA_RESV_NO_LIST	ERR_PTR(-ENOENT)

/**
 * dma_resv_iter_first_unlocked() - begin a walk without the lock
 * @cursor: position, after dma_resv_iter_begin()
 *
 * Use dma_resv_for_each_fence_unlocked().
 *
 * Context: Any, with or without the lock of the object.
 * Return: first fence that is pending, referenced by @cursor, or NULL.
 */
struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor)
{
	cursor->fences = DMA_RESV_NO_LIST;

	return dma_resv_iter_next_unlocked(cursor);
}
EXPORT_SYMBOL(dma_resv_iter_first_unlocked);

/**
 * dma_resv_iter_next_unlocked() - go on with a walk without the lock
 * @cursor: position
 *
 * Drops the reference on the current fence. Starts from the beginning again if
 * the list was replaced meanwhile.
 *
 * Context: Any, with or without the lock of the object.
 * Return: next fence that is pending, referenced by @cursor, or NULL.
 */
struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor)
{
	return dma_resv_iter_step(cursor, true);
}
EXPORT_SYMBOL(dma_resv_iter_next_unlocked);

static void dma_resv_drop_slots(unsigned long *slots, unsigned int *count)
{
	while (*count)
		dma_fence_put(dma_resv_slot_fence(slots[--*count]));
}

/**
 * dma_resv_collect() - get references on all pending fences at once
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @slots: where to store fences with their usage, in order
 * @room: number of @slots
 *
 * Beyond the returned number @slots may have words of fences that are gone.
 *
 * Context: Any, with or without the lock of @obj.
 * Return: number of fences; or @room + 1 if there are more, and nothing is held.
 */
unsigned int dma_resv_collect(struct dma_resv *obj, enum dma_resv_usage usage,
			      unsigned long *slots, unsigned int room)
{
	struct dma_resv_iter cursor __uninitialized;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_iter_begin(&cursor, obj, usage);
	fence = dma_resv_iter_first_unlocked(&cursor);
	while (fence && count < room) {
		/* The reference of the cursor becomes that of the slot. */
		slots[count++] = dma_resv_slot(fence, cursor.fence_usage);
		cursor.fence = NULL;

		fence = dma_resv_iter_next_unlocked(&cursor);
		if (dma_resv_iter_is_restarted(&cursor))
			dma_resv_drop_slots(slots, &count);
	}
	if (!fence)
		return count;

	dma_resv_iter_end(&cursor);
	dma_resv_drop_slots(slots, &count);
	return room + 1;
}

/**
 * dma_resv_collect_known() - get references on what is pending as far as is known
 * @obj: reservation object
 * @slots: where to store fences of any usage, in order
 * @room: number of @slots
 *
 * For those who only look: what counts is the flag of a fence. No driver is asked,
 * and no fence signals.
 *
 * Context: Any, with or without the lock of @obj.
 * Return: number of fences; or @room + 1 if there are more, of which the first
 * @room are in @slots.
 */
unsigned int dma_resv_collect_known(struct dma_resv *obj, unsigned long *slots,
				    unsigned int room)
{
	struct dma_resv_iter cursor;
	unsigned int count = 0;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	cursor.fences = DMA_RESV_NO_LIST;
	for (;;) {
		dma_resv_iter_step(&cursor, false);
		if (dma_resv_iter_is_restarted(&cursor))
			dma_resv_drop_slots(slots, &count);
		if (!cursor.fence)
			return count;
		if (count == room)
			break;

		/* The reference of the cursor becomes that of the slot. */
		slots[count++] = dma_resv_slot(cursor.fence, cursor.fence_usage);
		cursor.fence = NULL;
	}

	dma_resv_iter_end(&cursor);
	return room + 1;
}

/**
 * dma_resv_num_fences() - how many fences, pending or not, are there?
 * @obj: reservation object
 *
 * Context: Any, with or without the lock of @obj.
 * Return: number, which may change at once without the lock.
 */
unsigned int dma_resv_num_fences(struct dma_resv *obj)
{
	guard(rcu)();

	return dma_resv_list_count(rcu_dereference(obj->fences));
}
