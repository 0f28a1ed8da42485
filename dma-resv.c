// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservation objects: the list of fences, how it changes, and the walk under the
 * lock.
 *
 * To change here: all that runs under the lock. W1 to W5 mark stores that lockless
 * readers rely on: their rules are in dma-resv-read.c. Queries: dma-resv-query.c.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dma-fence-internal.h"
#include "dma-resv-internal.h"

/**
 * DOC: Reservation Object Overview
 *
 * A reservation object, &struct dma_resv, belongs to a buffer and records the work
 * on it: it holds a fence for each operation that is under way, with
 * its usage, &enum dma_resv_usage. Several buffers may share one.
 *
 * Changes need the lock, dma_resv_lock(). To lock several objects in any order,
 * pass an acquire context of &reservation_ww_class and back off on -EDEADLK;
 * drm_exec does that for drivers. The class is of the wait-die kind: of two
 * contexts the younger one backs off. A driver that is about to submit work
 *
 * 1. locks all buffers of the job,
 * 2. makes room for its fence in each with dma_resv_reserve_fences(), which can
 *    fail,
 * 3. submits the work, which cannot be undone,
 * 4. adds the fence with dma_resv_add_fence(), which cannot fail, and unlocks.
 *
 * A fence replaces an earlier one of the same context, so that the list stays
 * as short as the number of engines that are at work.
 *
 * Readers need not take the lock. A reader without the lock sees each fence that stays
 * in the list for the whole walk. It may or may not see a fence that is added or
 * removed meanwhile. dma_resv_for_each_fence_unlocked() is the loop
 * for that, and dma_resv_wait_timeout(), dma_resv_test_signaled(),
 * dma_resv_get_fences() and dma_resv_get_singleton() do the same.
 */

/* Bytes of the first list, which is enough for most buffers. */
#define DMA_RESV_LIST_MIN	64

/*
 * Sizes are powers of two, to match those of the allocator. So each list is at least
 * twice as long as the one that it replaces.
 */
static struct dma_resv_list *dma_resv_list_alloc(size_t num_slots, gfp_t gfp)
{
	struct dma_resv_list *list;
	size_t size;

	if (num_slots > U16_MAX)
		return NULL;

	size = max(struct_size(list, slots, num_slots), DMA_RESV_LIST_MIN);
	size = roundup_pow_of_two(size);
	list = kvmalloc(size, gfp);
	if (!list)
		return NULL;

	list->capacity = min((size - sizeof(*list)) / sizeof(list->slots[0]),
			     U16_MAX);
	list->max_fences = list->capacity;
	list->added = jiffies;
	list->num_fences = 0;
	list->serial = 0;
	list->changes = 0;

	return list;
}

/* Free a list that no new reader can find, and drop the fences in it. */
static void dma_resv_list_free(struct dma_resv_list *list)
{
	unsigned int i;

	if (!list)
		return;

	for (i = 0; i < list->num_fences; i++)
		dma_fence_put(dma_resv_slot_fence(list->slots[i]));
	kvfree_rcu(list, rcu);
}

/* Call before the fence can be found, so that dma_resv_quiet() is a lower bound. */
static inline void dma_resv_list_stamp(struct dma_resv_list *list)
{
	list->added = (u32)jiffies;
}

/* Takes over the reference on the fence. */
static void dma_resv_list_append(struct dma_resv_list *list, unsigned long slot)
{
	WRITE_ONCE(list->slots[list->num_fences], slot);
	/* W5: a slot is counted after it is written. */
	smp_store_release(&list->num_fences, list->num_fences + 1);
}

/* Replace a fence by another one, on which this takes a reference. */
static inline void dma_resv_list_replace(struct dma_resv_list *list,
					 unsigned int index, unsigned long slot)
{
	unsigned long old = list->slots[index];

	/* Nothing changes, so readers need not retry. */
	if (slot == old)
		return;

	dma_resv_list_stamp(list);
	dma_fence_get(dma_resv_slot_fence(slot));
	/* W1: readers find the fence initialised. */
	smp_store_release(&list->slots[index], slot);
	/* W2: a reader that sees a later use of the old fence's memory sees this. */
	smp_store_release(&list->changes, list->changes + 1);
	/* W3 is the put. */
	dma_fence_put(dma_resv_slot_fence(old));
}

static struct dma_resv_list *dma_resv_list_held(struct dma_resv *obj)
{
	return rcu_dereference_protected(obj->fences, dma_resv_held(obj));
}

/* The caller drops the fences of the old list afterwards, if any. */
static void dma_resv_publish(struct dma_resv *obj, struct dma_resv_list *list)
{
	struct dma_resv_list *old = dma_resv_list_held(obj);

	dma_resv_assert_held(obj);

	if (old)
		list->serial = old->serial + 1;
	/* W4: a reader that sees a later use of the old fences' memory sees the new list. */
	rcu_assign_pointer(obj->fences, list);
}

DEFINE_WD_CLASS(reservation_ww_class);
EXPORT_SYMBOL(reservation_ww_class);

/**
 * dma_resv_init() - initialise a reservation object
 * @obj: memory for it
 *
 * Context: Any.
 */
void dma_resv_init(struct dma_resv *obj)
{
	ww_mutex_init(&obj->lock, &reservation_ww_class);
	RCU_INIT_POINTER(obj->fences, NULL);
}
EXPORT_SYMBOL(dma_resv_init);

/**
 * dma_resv_fini() - end of a reservation object
 * @obj: object, not locked, and out of reach of other tasks
 *
 * Drops all fences, signalled or not. The core does not use the memory of @obj
 * afterwards.
 *
 * Context: Any, as for dma_fence_put().
 */
void dma_resv_fini(struct dma_resv *obj)
{
	dma_resv_list_free(rcu_dereference_protected(obj->fences, true));
	ww_mutex_destroy(&obj->lock);
}
EXPORT_SYMBOL(dma_resv_fini);

/*
 * Count the slots for new fences: the free ones, and those whose fences have signalled,
 * since an add may replace such a fence. Stops counting, and asking drivers, at @wanted.
 */
static unsigned int dma_resv_list_room(struct dma_resv_list *list,
				       unsigned int wanted)
{
	unsigned int room = list->capacity - list->num_fences;
	unsigned int i;

	guard(rcu)();

	for (i = 0; i < list->num_fences && room < wanted; i++)
		if (__dma_fence_is_signaled_rcu(dma_resv_slot_fence(list->slots[i])))
			room++;

	return room;
}

/* The caller has just asked all drivers, so the flags are up to date. */
static void dma_resv_list_copy_pending(struct dma_resv_list *dst,
				       struct dma_resv_list *src)
{
	unsigned int i;

	for (i = 0; i < src->num_fences; i++)
		if (!dma_fence_signaled_flag(dma_resv_slot_fence(src->slots[i])))
			dma_resv_list_append(dst, src->slots[i]);
}

/*
 * Drop the fences that have not been moved to @successor, and the list. The moved
 * ones are in the same order there, so the first difference is a fence that was
 * left behind.
 */
static void dma_resv_list_retire(struct dma_resv_list *list,
				 struct dma_resv_list *successor)
{
	unsigned int i, moved = 0;

	for (i = 0; i < list->num_fences; i++) {
		if (moved < successor->num_fences &&
		    list->slots[i] == successor->slots[moved])
			moved++;
		else
			dma_fence_put(dma_resv_slot_fence(list->slots[i]));
	}
	kvfree_rcu(list, rcu);
}

/*
 * Replace the list by one of at least @num_slots, without the fences that have
 * signalled.
 */
static int dma_resv_grow(struct dma_resv *obj, size_t num_slots, gfp_t gfp)
{
	struct dma_resv_list *old = dma_resv_list_held(obj);
	struct dma_resv_list *list = dma_resv_list_alloc(num_slots, gfp);

	if (!list)
		return -ENOMEM;

	if (old) {
		dma_resv_list_copy_pending(list, old);
		list->added = old->added;
	}
	dma_resv_publish(obj, list);
	if (old)
		dma_resv_list_retire(old, list);

	return 0;
}

/*
 * Make room for @num_fences adds. Slots of signalled fences count as room, so a steady
 * stream of jobs does not allocate once the list holds all jobs that are pending at a
 * time. Count only once: a second count could find more room, and then the new list
 * would not be longer than the old one.
 *
 * Not inlined: most reserves find free slots, and would have to save registers that
 * only this function uses.
 */
static noinline int dma_resv_make_room(struct dma_resv *obj,
				       unsigned int num_fences, gfp_t gfp)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);
	unsigned int room;

	if (!list)
		return dma_resv_grow(obj, num_fences, gfp);

	room = dma_resv_list_room(list, num_fences);
	if (room < num_fences)
		return dma_resv_grow(obj, size_add(list->capacity - room, num_fences),
				     gfp);

	list->max_fences = list->capacity;
	return 0;
}

/**
 * dma_resv_reserve_fences() - make room for fences that will be added
 * @obj: reservation object
 * @num_fences: how many adds must succeed from now on, at least 1
 *
 * Does not add up: after two calls there is room for the larger number. The
 * reservation ends with dma_resv_unlock(); with CONFIG_DEBUG_MUTEXES unlocking also
 * takes the room away, so that an add without a reserve warns. The reservation also
 * ends if dma_resv_replace_fences() puts a pending fence in the place of a signalled one.
 *
 * Fences that have signalled may be dropped.
 *
 * Context: Process context. Caller holds the lock of @obj; may sleep to
 * allocate.
 * Return:
 * * 0 - room for @num_fences
 * * %-EINVAL - @num_fences is 0; comes with a warning
 * * %-ENOMEM - out of memory, or more than 65,535 pending and new fences; @obj is
 *   unchanged
 */
int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);

	dma_resv_assert_held(obj);

	if (WARN_ON_ONCE(!num_fences))
		return -EINVAL;

	if (!list || num_fences > list->capacity - list->num_fences)
		return dma_resv_make_room(obj, num_fences, GFP_KERNEL);

	list->max_fences = list->capacity;
	return 0;
}
EXPORT_SYMBOL(dma_resv_reserve_fences);

#ifdef CONFIG_DEBUG_MUTEXES
/**
 * dma_resv_reset_max_fences() - forget about slots that were reserved
 * @obj: reservation object
 *
 * dma_resv_unlock() calls it, so that an add without a reserve warns.
 *
 * Context: Any. Caller holds the lock of @obj.
 */
void dma_resv_reset_max_fences(struct dma_resv *obj)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);

	dma_resv_assert_held(obj);

	if (list)
		list->max_fences = list->num_fences;
}
EXPORT_SYMBOL(dma_resv_reset_max_fences);
#endif

/* May the new fence take the place of the old one, even if that is pending? */
static bool dma_resv_supersedes(struct dma_fence *fence,
				enum dma_resv_usage usage, unsigned long slot)
{
	struct dma_fence *old = dma_resv_slot_fence(slot);

	return fence->context == old->context &&
	       usage <= dma_resv_slot_usage(slot) &&
	       dma_fence_is_later_or_same(fence, old);
}

/* Go on with the search at slot @i, whose driver has to be asked about its fence. */
static noinline unsigned int
dma_resv_find_slot_asking(struct dma_resv_list *list, struct dma_fence *fence,
			  enum dma_resv_usage usage, unsigned int i)
{
	/* One section for all: a driver may be unloaded a grace period after its signal. */
	guard(rcu)();

	while (!__dma_fence_is_signaled_rcu(dma_resv_slot_fence(list->slots[i])) &&
	       ++i < list->num_fences &&
	       !dma_resv_supersedes(fence, usage, list->slots[i]))
		;

	return i;
}

/*
 * Find the first slot that a new fence may take over. Returns the number of slots
 * in use if there is none.
 */
static unsigned int dma_resv_find_slot(struct dma_resv_list *list,
				       struct dma_fence *fence,
				       enum dma_resv_usage usage)
{
	unsigned int i, num_fences = list->num_fences;
	enum __dma_fence_look look;

	for (i = 0; i < num_fences; i++) {
		if (dma_resv_supersedes(fence, usage, list->slots[i]))
			break;
		look = __dma_fence_look(dma_resv_slot_fence(list->slots[i]));
		if (look == __DMA_FENCE_SIGNALED)
			break;
		if (look == __DMA_FENCE_ASK_DRIVER)
			return dma_resv_find_slot_asking(list, fence, usage, i);
	}

	return i;
}

/*
 * Put a fence into its slot, with a reference of its own. Returns false if there is
 * none for it.
 */
static bool dma_resv_list_add(struct dma_resv_list *list,
			      struct dma_fence *fence,
			      enum dma_resv_usage usage)
{
	unsigned int index = dma_resv_find_slot(list, fence, usage);
	unsigned long slot = dma_resv_slot(fence, usage);

	if (index < list->num_fences) {
		dma_resv_list_replace(list, index, slot);
		return true;
	}
	if (index >= list->max_fences)
		return false;

	dma_resv_list_stamp(list);
	dma_fence_get(fence);
	dma_resv_list_append(list, slot);
	return true;
}

/*
 * A driver adds more fences than it has reserved slots. Try to allocate, since the
 * fence must not be lost: without it the next access does not wait. Returns a list with
 * room for it, or NULL without memory.
 */
static noinline struct dma_resv_list *
dma_resv_find_room(struct dma_resv *obj, struct dma_fence *fence)
{
	WARN_ONCE(1, "fence added without a slot reserved for it\n");

	if (dma_resv_make_room(obj, 1, GFP_NOWAIT | __GFP_NOWARN)) {
		guard(rcu)();
		WARN(1, "fence %s:%s %llu:%llu is lost, nobody will wait for it\n",
		     dma_fence_driver_name_rcu(fence),
		     dma_fence_timeline_name_rcu(fence),
		     fence->context, fence->seqno);
		return NULL;
	}

	return dma_resv_list_held(obj);
}

/**
 * dma_resv_add_fence() - add a fence to a reservation object
 * @obj: reservation object in which a slot was reserved by
 *	dma_resv_reserve_fences() since it was locked
 * @fence: plain fence, no container; a reference of its own is taken
 * @usage: what the fence is about
 *
 * Replaces an earlier fence of the same context, if its usage is the same or weaker,
 * or else a fence that has signalled, whichever comes first in the list.
 *
 * Other tasks may wait for @fence from this call on, not just from the unlock.
 *
 * Context: Process context. Caller holds the lock of @obj. Does not sleep, does
 * not allocate, does not fail. Without a reserved slot it warns, and adds the fence
 * if an atomic allocation succeeds; otherwise it warns, each time, that the fence is
 * lost.
 */
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);

	dma_resv_assert_held(obj);

	/* A driver has to add the members one by one. */
	WARN_ON_ONCE(dma_fence_is_container(fence));

	while (!list || !dma_resv_list_add(list, fence, usage)) {
		list = dma_resv_find_room(obj, fence);
		if (!list)
			return;
	}
}
EXPORT_SYMBOL(dma_resv_add_fence);

/**
 * dma_resv_quiet() - for how long has no fence been added?
 * @obj: reservation object
 *
 * A fence that the caller saw in @obj before this call has been there at least that long.
 *
 * Context: Any. Caller holds the lock of @obj.
 * Return: jiffies, rounded down by up to two of them. The number wraps after 2^32
 * jiffies, which take 49 days with a HZ of 1000. 0 without a list.
 */
u32 dma_resv_quiet(struct dma_resv *obj)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);
	u32 quiet;

	dma_resv_assert_held(obj);

	quiet = list ? (u32)jiffies - list->added : 0;

	/* The fence may have been added late in its tick: round down. */
	return quiet ? quiet - 1 : 0;
}

/**
 * dma_resv_replace_fences() - replace all fences of a context
 * @obj: reservation object
 * @context: context whose fences go
 * @fence: replacement; the object takes a reference for each slot
 * @usage: its usage
 *
 * For work that is replaced by other work, as with a preemption fence that is not
 * going to signal any more. Usage, order and state of the old fences do not matter.
 * Without a fence of @context nothing happens. Allowed within
 * dma_resv_for_each_fence() over @obj.
 *
 * Context: Process context. Caller holds the lock of @obj.
 */
void dma_resv_replace_fences(struct dma_resv *obj, u64 context,
			     struct dma_fence *fence,
			     enum dma_resv_usage usage)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);
	unsigned int i;

	dma_resv_assert_held(obj);

	for (i = 0; list && i < list->num_fences; i++)
		if (dma_resv_slot_fence(list->slots[i])->context == context)
			dma_resv_list_replace(list, i,
					      dma_resv_slot(fence, usage));
}
EXPORT_SYMBOL(dma_resv_replace_fences);

/*
 * Get a list of the pending fences of an object. @room is their expected number. Return
 * NULL if there is no memory.
 */
static struct dma_resv_list *dma_resv_list_snapshot(struct dma_resv *obj,
						    unsigned int room)
{
	struct dma_resv_list *list;
	unsigned int count;

	while ((list = dma_resv_list_alloc(room, GFP_KERNEL))) {
		count = dma_resv_collect(obj, DMA_RESV_USAGE_BOOKKEEP,
					 list->slots, list->capacity);
		if (count <= list->capacity) {
			list->num_fences = count;
			return list;
		}

		/* The number of fences has grown. No reference is held here. */
		room = list->capacity + 1;
		kvfree(list);
	}

	return NULL;
}

/**
 * dma_resv_copy_fences() - copy the pending fences of another object
 * @dst: object whose fences are replaced
 * @src: object to copy from, locked or not
 *
 * Usages are kept. No slots are reserved afterwards.
 *
 * Context: Process context. Caller holds the lock of @dst; may sleep to
 * allocate.
 * Return: 0, -ENOMEM; on error @dst is unchanged.
 */
int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src)
{
	struct dma_resv_list *old = dma_resv_list_held(dst);
	unsigned int room = dma_resv_num_fences(src);
	struct dma_resv_list *list;

	dma_resv_assert_held(dst);

	/* If @dst has a list, it must keep one: the serial must not start again. */
	if (!old && !room)
		return 0;

	list = dma_resv_list_snapshot(src, room);
	if (!list)
		return -ENOMEM;

	dma_resv_publish(dst, list);
	dma_resv_list_free(old);

	return 0;
}
EXPORT_SYMBOL(dma_resv_copy_fences);

/**
 * dma_resv_iter_first() - begin a walk under the lock
 * @cursor: position, after dma_resv_iter_begin()
 *
 * Use dma_resv_for_each_fence().
 *
 * Context: Process context. Caller holds the lock of the object.
 * Return: first fence, without a reference, or NULL.
 */
struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor)
{
	struct dma_fence *fence;

	cursor->fences = dma_resv_list_held(cursor->obj);
	cursor->num_fences = dma_resv_list_count(cursor->fences);
	cursor->index = 0;
	fence = dma_resv_iter_next(cursor);
	cursor->is_restarted = true;

	return fence;
}
EXPORT_SYMBOL_GPL(dma_resv_iter_first);

/**
 * dma_resv_iter_next() - go on with a walk under the lock
 * @cursor: position
 *
 * Context: Process context. Caller holds the lock of the object.
 * Return: next fence, without a reference, or NULL.
 */
struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor)
{
	unsigned long slot;

	dma_resv_assert_held(cursor->obj);

	cursor->is_restarted = false;
	while (cursor->index < cursor->num_fences) {
		slot = cursor->fences->slots[cursor->index++];
		if (dma_resv_slot_usage(slot) > cursor->usage)
			continue;

		cursor->fence_usage = dma_resv_slot_usage(slot);
		return dma_resv_slot_fence(slot);
	}

	return NULL;
}
EXPORT_SYMBOL_GPL(dma_resv_iter_next);
