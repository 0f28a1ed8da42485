// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservation objects without the lock: looking at a slot, testing, walking,
 * collecting.
 *
 * To change here: with an argument. A change of a load or a store, here or of W1 to W5
 * in dma-resv.c, needs the tables below and tests/dma_resv_race_kunit.c to agree.
 *
 * Drivers test and walk under spinlocks, and while another thread holds the lock
 * to submit work. A test of an object touches no reference count: a compositor
 * polls buffers, and fdinfo of a DRM file tests all objects of a client.
 *
 * Rules
 * =====
 *
 * A fence in a slot is alive, since the slot owns a reference. Without the lock the
 * fence may leave its slot at any time, and its memory may be reused for another fence
 * at once (SLAB_TYPESAFE_BY_RCU). RCU only guarantees that the list is not freed, and
 * that the memory of a fence stays that of a fence, if perhaps of another one. So a
 * reader decides about one slot at a time, by one of two kinds of look, and repeats a
 * look that failed:
 *
 * - dma_resv_peek() reads the fence without a reference. The result is that of the
 *   fence in the slot if &dma_resv_list.changes has not changed and the list is still
 *   that of the object: a writer changes the slot, then the counter, then drops the
 *   reference.
 * - dma_resv_get_slot() takes a reference. It is one on the fence in the slot if the
 *   slot still has the same word and the list is still that of the object: a replaced
 *   list keeps its words, but not the references.
 *
 * A reference count of zero does not mean that the fence has signalled: a superseded
 * fence may be freed without a signal while its successor is pending. A decision stays
 * valid for the rest of the call: a fence does not become pending again, and a fence
 * that takes its place supersedes it or was added after the call began.
 *
 *	reader				writer
 *	R1 changes, acquire		W1 slot, release
 *	R2 signalled flag, acquire	W2 changes, release
 *	R3 changes and list again	W3 put of the old fence, release
 *	R4 get of the fence, acquire	W4 list, release, before the puts
 *	R5 num_fences, acquire		W5 num_fences, release
 *	creator of a fence in the same memory
 *	I1 reference count in dma_fence_init(), release
 *
 *	without			a reader may
 *	R1 or W2		see a new counter and yet an old slot
 *	R2, R3, W2, W4 or W3	use the flag of a later fence in the same memory
 *	R4 or W3		miss that the fence has left the slot or the list
 *	R4, W1 or I1		see a fence that is not initialised yet
 *	R5 or W5		read a slot that is not written yet
 *
 * Bounds
 * ======
 *
 *	function			progress	what is repeated
 *	test_signaled			wait-free	a look, %DMA_RESV_TRIES times
 *	set_deadline, unlocked walk,	lock-free	a look, if this slot got another
 *	get_fences, get_singleton,			fence between its loads, or
 *	collect_known, copy_fences			if the fence has just signalled
 *	(of the source)
 *	wait_timeout			sleeps		the same
 *	locked walk, describe		has the lock	nothing
 *
 * All but the last look at all slots again if the list was replaced. That happens at
 * most 14 times by growth, as sizes double up to 65,535 slots, and by copy_fences into
 * the object. Only test_signaled repeats a look within one RCU section; the others leave
 * it in between. A reader never waits for a writer: while the writer is between two
 * stores, both the old and the new fence are alive, and either answer is correct.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/rcupdate.h>

#include "dma-resv-internal.h"

/*
 * Each failed look means that the slot has got another fence, or that its fence has just
 * signalled: after that many the object is busy.
 */
#define DMA_RESV_TRIES	8

enum dma_resv_state {
	DMA_RESV_DONE,		/* signalled, or of no interest */
	DMA_RESV_PENDING,
	DMA_RESV_UNKNOWN,	/* look again, or with a reference */
};

/* Start with the first slot of a list. The cursor keeps its address and serial. */
static void dma_resv_iter_restart(struct dma_resv_iter *cursor,
				  struct dma_resv_list *list)
{
	cursor->fences = list;
	cursor->serial = list ? list->serial : 0;
	cursor->num_fences = dma_resv_list_count(list);
	cursor->index = 0;
	cursor->is_restarted = true;
}

/* Is the list of the cursor, read in this RCU section, still that of the object? */
static bool dma_resv_iter_is_current(struct dma_resv_iter *cursor)
{
	return cursor->fences == rcu_access_pointer(cursor->obj->fences);
}

/* Does the slot of the cursor still have this word, in the current list? */
static bool dma_resv_iter_holds(struct dma_resv_iter *cursor, unsigned long slot)
{
	return slot == READ_ONCE(cursor->fences->slots[cursor->index]) &&
	       dma_resv_iter_is_current(cursor);
}

/* The content of a slot, and what its fence tells, read without a reference. */
struct dma_resv_look {
	unsigned long slot;
	u32 changes;
	enum __dma_fence_look fence;
};

/* Was the fence in the slot, and the list that of the object, during the look? */
static bool dma_resv_look_is_sure(struct dma_resv_iter *cursor,
				  const struct dma_resv_look *look)
{
	return look->changes == READ_ONCE(cursor->fences->changes) &&	/* R3 */
	       dma_resv_iter_is_current(cursor);
}

/*
 * Look without a reference, so the driver cannot be asked. %DMA_RESV_PENDING may be
 * out of date: the caller checks it, or takes a reference.
 */
static enum dma_resv_state dma_resv_peek(struct dma_resv_iter *cursor,
					 struct dma_resv_look *look)
{
	struct dma_resv_list *list = cursor->fences;

	look->changes = smp_load_acquire(&list->changes);	/* R1 */
	look->slot = READ_ONCE(list->slots[cursor->index]);
	if (dma_resv_slot_usage(look->slot) > cursor->usage)
		return DMA_RESV_DONE;
	look->fence = __dma_fence_look(dma_resv_slot_fence(look->slot)); /* R2 */
	if (look->fence != __DMA_FENCE_SIGNALED)
		return DMA_RESV_PENDING;

	return dma_resv_look_is_sure(cursor, look) ? DMA_RESV_DONE :
						     DMA_RESV_UNKNOWN;
}

/* Take a reference on the fence in @slot; false if it is not in there any more. */
static inline bool dma_resv_get_slot(struct dma_resv_iter *cursor,
				     unsigned long slot)
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
 * Ask the driver about a fence, with a reference. If the fence has signalled by that,
 * another look decides: a pending fence may have come instead meanwhile.
 */
static enum dma_resv_state dma_resv_ask(struct dma_resv_iter *cursor,
					unsigned long slot)
{
	struct dma_fence *fence = dma_resv_slot_fence(slot);
	bool signaled;

	if (!dma_resv_get_slot(cursor, slot))
		return DMA_RESV_UNKNOWN;

	signaled = __dma_fence_is_signaled_rcu(fence);
	dma_fence_put(fence);

	return signaled ? DMA_RESV_UNKNOWN : DMA_RESV_PENDING;
}

/* Look at a slot without a reference and, if that does not decide, with one. */
static enum dma_resv_state dma_resv_test_once(struct dma_resv_iter *cursor)
{
	struct dma_resv_look look;
	enum dma_resv_state state = dma_resv_peek(cursor, &look);

	if (state != DMA_RESV_PENDING)
		return state;
	if (look.fence == __DMA_FENCE_ASK_DRIVER)
		return dma_resv_ask(cursor, look.slot);

	return dma_resv_look_is_sure(cursor, &look) ? DMA_RESV_PENDING :
						      DMA_RESV_UNKNOWN;
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
 * takes a reference only for that. If fences are being replaced during the call, the
 * object may count as busy although the last of them has signalled.
 *
 * Context: Any, with or without the lock of @obj. Does not wait for writers.
 * Return: true if no fence of @usage or stronger is pending.
 */
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage)
{
	/* Clearing it, as INIT_STACK_ALL_ZERO does, takes longer than the test. */
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
 * for repeats. Returns false if nothing came of it but to look again. Otherwise the
 * cursor has a fence that is pending as far as its flag tells, with a reference, or
 * no fence at the end.
 */
static bool dma_resv_iter_look(struct dma_resv_iter *cursor)
{
	enum dma_resv_state state;
	struct dma_resv_list *list;
	struct dma_resv_look look;

	guard(rcu)();

	/* The list of the last look may be freed, and another one be at its address. */
	list = rcu_dereference(cursor->obj->fences);
	if (list != cursor->fences || (list && list->serial != cursor->serial))
		dma_resv_iter_restart(cursor, list);
	if (cursor->index >= cursor->num_fences)
		return true;

	state = dma_resv_peek(cursor, &look);
	if (state == DMA_RESV_DONE)
		cursor->index++;
	if (state != DMA_RESV_PENDING || !dma_resv_get_slot(cursor, look.slot))
		return false;

	cursor->fence = dma_resv_slot_fence(look.slot);
	cursor->fence_usage = dma_resv_slot_usage(look.slot);
	return true;
}

/*
 * Go on to a fence that is pending, or to the end. Without @ask no driver is asked and
 * no fence signals by it. If a driver says that its fence is over, another look decides
 * about the slot: a pending fence may have come instead meanwhile.
 */
static struct dma_fence *dma_resv_iter_step(struct dma_resv_iter *cursor, bool ask)
{
	struct dma_fence *fence = cursor->fence;

	cursor->is_restarted = false;
	do {
		dma_fence_put(fence);
		cursor->fence = NULL;
		while (!dma_resv_iter_look(cursor))
			;
		fence = cursor->fence;
	} while (ask && fence && dma_fence_is_signaled(fence));

	cursor->index++;
	return fence;
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

	/* Many buffers have never seen a fence. */
	if (!rcu_access_pointer(cursor->obj->fences))
		return NULL;

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
 * Beyond the returned number @slots may have stale words.
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
 * dma_resv_collect_known() - get references on fences whose flag is not set
 * @obj: reservation object
 * @slots: where to store fences of any usage, in order
 * @room: number of @slots
 *
 * For reports, which must not change the state of a fence: only the flag of a fence
 * decides. No driver is asked, and no fence signals.
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
