// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservation objects: the list of fences, how it changes, how it is walked.
 *
 * What can be asked about the fences is in dma-resv-query.c.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dma-resv-internal.h"

/**
 * DOC: Reservation Object Overview
 *
 * A reservation object, &struct dma_resv, belongs to a buffer and tells who is
 * at work on it: it holds a fence for each operation that is under way, with
 * its usage, &enum dma_resv_usage. Several buffers may share one.
 *
 * Changes need the lock, dma_resv_lock(). To lock several objects in any order,
 * pass an acquire context of &reservation_ww_class and back off when told so;
 * drm_exec does that for drivers. The class is of the wait-die kind: of two
 * contexts the younger one backs off. A driver that is about to submit work
 *
 * 1. locks all buffers of the job,
 * 2. makes room for its fence in each with dma_resv_reserve_fences(), which can
 *    fail,
 * 3. submits the work, from where there is no way back,
 * 4. adds the fence with dma_resv_add_fence(), which cannot fail, and unlocks.
 *
 * A fence replaces an earlier one of the same context, so that the list stays
 * as short as the number of engines that are at work.
 *
 * Readers may do without the lock. They see each fence that was in the list
 * when they began and still is; whether it also was there a moment ago, nobody
 * can know. dma_resv_for_each_fence_unlocked() is the loop for that, and
 * dma_resv_wait_timeout(), dma_resv_test_signaled(), dma_resv_get_fences() and
 * dma_resv_get_singleton() are built on it.
 */

/* The smallest list that is worth an allocation. */
#define DMA_RESV_LIST_MIN	4

/*
 * An add looks at each fence of a list that is not longer than this. In a longer
 * one it finds those of its context by an index, and those that have signalled
 * stay until a reserve finds the list full. So it costs the same however long the
 * list is.
 */
#define DMA_RESV_SCAN		8

/*
 * The index finds the slots of a context. Slots are chained by hash of the
 * context: a bucket holds the number of a slot, and so does the link of each
 * slot. There are as many buckets and as many links as slots.
 */
#define DMA_RESV_INDEX_END	U32_MAX

static u32 *dma_resv_list_links(struct dma_resv_list *list)
{
	return (u32 *)&list->slots[list->capacity];
}

static u32 *dma_resv_list_bucket(struct dma_resv_list *list, u64 context)
{
	u32 *buckets = dma_resv_list_links(list) + list->capacity;

	return &buckets[reciprocal_scale(hash_64(context, 32),
					 list->capacity)];
}

static u64 dma_resv_list_context(struct dma_resv_list *list, unsigned int index)
{
	return dma_resv_slot_fence(list->slots[index])->context;
}

static void dma_resv_index_insert(struct dma_resv_list *list,
				  unsigned int index)
{
	u64 context = dma_resv_list_context(list, index);
	u32 *bucket = dma_resv_list_bucket(list, context);

	dma_resv_list_links(list)[index] = *bucket;
	*bucket = index;
}

/* All buckets end at once, and the slots will be indexed again. */
static void dma_resv_index_reset(struct dma_resv_list *list)
{
	list->num_indexed = 0;
	/* Faster than to store words. */
	static_assert(DMA_RESV_INDEX_END == 0xffffffff);
	memset(dma_resv_list_links(list) + list->capacity, 0xff,
	       list->capacity * sizeof(u32));
}

static noinline void dma_resv_index_remove(struct dma_resv_list *list,
					   unsigned int index)
{
	u64 context = dma_resv_list_context(list, index);
	u32 *link = dma_resv_list_bucket(list, context);
	u32 *links = dma_resv_list_links(list);

	while (*link != index) {
		/* The driver has changed the context since it was added. */
		if (WARN_ON_ONCE(*link == DMA_RESV_INDEX_END)) {
			dma_resv_index_reset(list);
			return;
		}
		link = &links[*link];
	}
	*link = links[index];
}

/* Lists are often not filled so far that they are searched: index them late. */
static void dma_resv_index_complete(struct dma_resv_list *list)
{
	while (list->num_indexed < list->num_fences)
		dma_resv_index_insert(list, list->num_indexed++);
}

/* Visit, in no special order, the slots that may hold a fence of a context. */
#define dma_resv_index_for_each(index, list, context)			\
	for (index = *dma_resv_list_bucket(list, context);		\
	     index != DMA_RESV_INDEX_END;				\
	     index = dma_resv_list_links(list)[index])

/* Bytes of a slot, with its share of the index if there is one. */
static size_t dma_resv_slot_bytes(size_t num_slots)
{
	size_t index = num_slots > DMA_RESV_SCAN ? 2 * sizeof(u32) : 0;

	return sizeof(unsigned long) + index;
}

#define DMA_RESV_MAX_SLOTS	((INT_MAX / 2) / (sizeof(unsigned long) + \
						  2 * sizeof(u32)))

static struct dma_resv_list *dma_resv_list_init(struct dma_resv_list *list,
						unsigned int capacity)
{
	list->capacity = capacity;
	list->max_fences = capacity;
	list->num_fences = 0;
	list->num_indexed = 0;
	list->idle = 0;
	if (capacity > DMA_RESV_SCAN)
		dma_resv_index_reset(list);

	return list;
}

/* What most buffers get, and never exceed. */
static struct dma_resv_list *dma_resv_list_alloc_first(gfp_t gfp)
{
	struct dma_resv_list *list;

	list = kmalloc(struct_size(list, slots, DMA_RESV_LIST_MIN), gfp);

	return list ? dma_resv_list_init(list, DMA_RESV_LIST_MIN) : NULL;
}

static struct dma_resv_list *dma_resv_list_alloc(size_t num_slots, gfp_t gfp)
{
	struct dma_resv_list *list;
	size_t size, slot_bytes;

	if (num_slots <= DMA_RESV_LIST_MIN)
		return dma_resv_list_alloc_first(gfp);
	if (num_slots > DMA_RESV_MAX_SLOTS)
		return NULL;

	slot_bytes = dma_resv_slot_bytes(num_slots);
	size = kmalloc_size_roundup(sizeof(*list) + num_slots * slot_bytes);
	list = kvmalloc(size, gfp);
	if (!list)
		return NULL;

	/* Without an index there is no use for more slots than are scanned. */
	if (num_slots > DMA_RESV_SCAN)
		num_slots = (size - sizeof(*list)) / slot_bytes;

	return dma_resv_list_init(list, num_slots);
}

/* Free a list which nobody finds any more, and all that is in it. */
static void dma_resv_list_free(struct dma_resv_list *list)
{
	unsigned int i;

	if (!list)
		return;

	for (i = 0; i < list->num_fences; i++)
		dma_fence_put(dma_resv_slot_fence(list->slots[i]));
	kvfree_rcu(list, rcu);
}

/* Takes over the reference on the fence. */
static void dma_resv_list_append(struct dma_resv_list *list, unsigned long slot)
{
	WRITE_ONCE(list->slots[list->num_fences], slot);
	/* First the slot, then the number. Pairs with dma_resv_list_count(). */
	smp_store_release(&list->num_fences, list->num_fences + 1);
}

static struct dma_resv_list *dma_resv_list_held(struct dma_resv *obj)
{
	return rcu_dereference_protected(obj->fences, dma_resv_held(obj));
}

/*
 * Fences have been taken out, whose references are going to be dropped. See
 * dma-resv-internal.h for what readers make of it.
 */
static void dma_resv_taken_out(struct dma_resv *obj)
{
	/* Pairs with dma_resv_generation() and dma_resv_unchanged(). */
	smp_store_release(&obj->generation, obj->generation + 1);
}

static void dma_resv_publish(struct dma_resv *obj, struct dma_resv_list *list)
{
	dma_resv_assert_held(obj);

	if (list)
		list->generation = obj->generation + 1;
	rcu_assign_pointer(obj->fences, list);
	dma_resv_taken_out(obj);
}

/* Takes over the reference on the new fence, and drops that on the old one. */
static inline void dma_resv_replace_slot(struct dma_resv *obj,
					 struct dma_resv_list *list,
					 unsigned int index, unsigned long slot)
{
	struct dma_fence *old = dma_resv_slot_fence(list->slots[index]);
	struct dma_fence *fence = dma_resv_slot_fence(slot);
	bool move = index < list->num_indexed &&
		    fence->context != old->context;

	if (unlikely(move))
		dma_resv_index_remove(list, index);
	/* Pairs with the dependent reads of the fence by readers. */
	smp_store_release(&list->slots[index], slot);
	dma_resv_taken_out(obj);
	if (unlikely(move) && index < list->num_indexed)
		dma_resv_index_insert(list, index);

	dma_fence_put(old);
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
	obj->generation = 0;
}
EXPORT_SYMBOL(dma_resv_init);

/**
 * dma_resv_fini() - end of a reservation object
 * @obj: object, not locked, and out of sight of everybody else
 *
 * Drops all fences, signalled or not. The memory of @obj is not used any more
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

static unsigned int dma_resv_list_count_pending(struct dma_resv_list *list)
{
	unsigned int i, pending = 0;

	for (i = 0; i < list->num_fences; i++)
		if (!dma_fence_is_signaled(dma_resv_slot_fence(list->slots[i])))
			pending++;

	return pending;
}

/* All drivers have been asked a moment ago, so the flags are up to date. */
static void dma_resv_list_copy_pending(struct dma_resv_list *dst,
				       struct dma_resv_list *src)
{
	unsigned int i;

	for (i = 0; i < src->num_fences; i++)
		if (!dma_fence_signaled_flag(dma_resv_slot_fence(src->slots[i])))
			dma_resv_list_append(dst, src->slots[i]);
}

/*
 * Drop the fences that have not been moved to @successor, and the list. What
 * was moved is in the same order there, so the first difference is a fence that
 * was left behind.
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
 * Replace the list by one with room for @num_fences more, without the fences
 * that have signalled. It grows fourfold, since a list that has grown once tends
 * to go on. Only the pending fences count, so a stream of short jobs of many
 * contexts does not make it grow, and yet each list serves for more adds than it
 * took to copy it.
 */
static int dma_resv_grow(struct dma_resv *obj, unsigned int num_fences,
			 gfp_t gfp)
{
	struct dma_resv_list *old = dma_resv_list_held(obj);
	size_t pending = old ? dma_resv_list_count_pending(old) : 0;
	struct dma_resv_list *list;

	list = dma_resv_list_alloc(size_add(pending, max_t(size_t, num_fences,
							   3 * pending)), gfp);
	if (!list)
		return -ENOMEM;

	if (old)
		dma_resv_list_copy_pending(list, old);
	dma_resv_publish(obj, list);
	if (old)
		dma_resv_list_retire(old, list);

	return 0;
}

/**
 * dma_resv_reserve_fences() - make room for fences that will be added
 * @obj: reservation object
 * @num_fences: how many adds must succeed from now on, at least 1
 *
 * Does not add up: after two calls there is room for the larger number. The
 * promise ends with dma_resv_unlock(); with CONFIG_DEBUG_MUTEXES the room goes,
 * too, so that an add without a reserve is found.
 *
 * Fences that have signalled may be dropped.
 *
 * Context: Process context. Caller holds the lock of @obj; may sleep to
 * allocate.
 * Return:
 * * 0 - room for @num_fences
 * * %-EINVAL - @num_fences is 0; comes with a warning
 * * %-ENOMEM - out of memory, @obj is unchanged
 */
int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences)
{
	struct dma_resv_list *list;

	dma_resv_assert_held(obj);

	if (WARN_ON_ONCE(!num_fences))
		return -EINVAL;

	list = dma_resv_list_held(obj);
	if (list && num_fences <= list->capacity - list->num_fences) {
		list->max_fences = list->capacity;
		return 0;
	}

	return dma_resv_grow(obj, num_fences, GFP_KERNEL);
}
EXPORT_SYMBOL(dma_resv_reserve_fences);

#ifdef CONFIG_DEBUG_MUTEXES
/**
 * dma_resv_reset_max_fences() - forget about slots that were reserved
 * @obj: reservation object
 *
 * Called by dma_resv_unlock(), to find those who add without a reserve.
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

/* May the new fence take the place of the old one, which has not signalled? */
static bool dma_resv_supersedes(struct dma_fence *fence,
				enum dma_resv_usage usage, unsigned long slot)
{
	struct dma_fence *old = dma_resv_slot_fence(slot);

	return fence->context == old->context &&
	       usage <= dma_resv_slot_usage(slot) &&
	       dma_fence_is_later_or_same(fence, old);
}

/* The first slot that the new fence may take over. */
static unsigned int dma_resv_scan_slots(struct dma_resv_list *list,
					struct dma_fence *fence,
					enum dma_resv_usage usage)
{
	unsigned int i;

	for (i = 0; i < list->num_fences; i++)
		if (dma_resv_supersedes(fence, usage, list->slots[i]) ||
		    dma_fence_is_signaled(dma_resv_slot_fence(list->slots[i])))
			break;

	return i;
}

/* The first slot of the context that the new fence may take over. */
static unsigned int dma_resv_look_up_slot(struct dma_resv_list *list,
					  struct dma_fence *fence,
					  enum dma_resv_usage usage)
{
	unsigned int found = list->num_fences;
	u32 index;

	dma_resv_index_complete(list);
	dma_resv_index_for_each(index, list, fence->context)
		if (index < found &&
		    dma_resv_supersedes(fence, usage, list->slots[index]))
			found = index;

	return found;
}

/*
 * Find the slot that a new fence takes over. Returns the number of slots in use
 * if there is none.
 */
static unsigned int dma_resv_find_slot(struct dma_resv_list *list,
				       struct dma_fence *fence,
				       enum dma_resv_usage usage)
{
	if (list->num_fences <= DMA_RESV_SCAN)
		return dma_resv_scan_slots(list, fence, usage);

	return dma_resv_look_up_slot(list, fence, usage);
}

/*
 * A driver adds more than it has reserved. The fence has to go somewhere, as
 * others will not wait for it otherwise; try without sleeping.
 */
static struct dma_resv_list *dma_resv_grow_late(struct dma_resv *obj)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);

	WARN_ONCE(1, "fence added without a slot reserved for it\n");

	if (list && list->num_fences < list->capacity)
		return list;
	if (dma_resv_grow(obj, 1, GFP_NOWAIT | __GFP_NOWARN))
		return NULL;

	return dma_resv_list_held(obj);
}

/**
 * dma_resv_add_fence() - add a fence to a reservation object
 * @obj: reservation object in which a slot was reserved by
 *	dma_resv_reserve_fences() since it was locked
 * @fence: plain fence, no container; a reference of its own is taken
 * @usage: what the fence is about
 *
 * An earlier fence of the same context is replaced, if its usage is the same or
 * weaker, and so may be a fence that has signalled.
 *
 * From here on, not just from the unlock, others may wait for @fence.
 *
 * Context: Process context. Caller holds the lock of @obj. Does not sleep, does
 * not allocate, does not fail. Without a slot it warns, and takes the fence if
 * there is memory at hand.
 */
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	struct dma_resv_list *list = dma_resv_list_held(obj);
	unsigned long slot = dma_resv_slot(fence, usage);
	unsigned int index = 0;

	dma_resv_assert_held(obj);

	/* The members have to be added one by one. */
	WARN_ON_ONCE(dma_fence_is_container(fence));

	if (likely(list))
		index = dma_resv_find_slot(list, fence, usage);

	if (unlikely(!list || index >= list->max_fences)) {
		list = dma_resv_grow_late(obj);
		if (!list)
			return;
		index = list->num_fences;
	}

	dma_fence_get(fence);
	if (index < list->num_fences)
		dma_resv_replace_slot(obj, list, index, slot);
	else
		dma_resv_list_append(list, slot);
}
EXPORT_SYMBOL(dma_resv_add_fence);

/**
 * dma_resv_replace_fences() - replace all fences of a context
 * @obj: reservation object
 * @context: context whose fences go
 * @fence: fence that comes in place of each, with a reference per place
 * @usage: its usage
 *
 * For work that turns out to need something else than what was announced, such
 * as a preemption fence that is not going to signal any more. Usage, order and
 * state of the old fences do not matter. Without any of @context nothing
 * happens. Allowed within dma_resv_for_each_fence() over @obj.
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

	if (!list)
		return;

	for (i = 0; i < list->num_fences; i++)
		if (dma_resv_list_context(list, i) == context)
			dma_resv_replace_slot(obj, list, i,
					      dma_resv_slot(dma_fence_get(fence),
							    usage));
}
EXPORT_SYMBOL(dma_resv_replace_fences);

/* Returns how many there are; -EAGAIN, or room + 1, if nothing is held. */
static int dma_resv_collect_list(struct dma_resv *obj,
				 struct dma_resv_list *list,
				 enum dma_resv_usage usage,
				 unsigned long *slots, unsigned int room)
{
	unsigned int i, count = 0, num_fences = dma_resv_list_count(list);
	unsigned long slot;
	int ret;

	for (i = 0; i < num_fences; i++) {
		ret = dma_resv_get_pending(obj, list, i, usage, &slot);
		if (ret < 0)
			goto drop;
		if (ret && count == room) {
			dma_fence_put(dma_resv_slot_fence(slot));
			ret = room + 1;
			goto drop;
		}
		if (ret)
			slots[count++] = slot;
	}
	if (list == rcu_access_pointer(obj->fences))
		return count;
	ret = -EAGAIN;

drop:
	while (count)
		dma_fence_put(dma_resv_slot_fence(slots[--count]));
	return ret;
}

/**
 * dma_resv_collect() - get references on all pending fences at once
 * @obj: reservation object
 * @usage: weakest usage that matters
 * @slots: where to store fences with their usage, in order
 * @room: number of @slots; if it is 0 they may be NULL
 *
 * Context: Any, with or without the lock of @obj.
 * Return: number of fences; or @room + 1 if there are more, and nothing is held.
 */
unsigned int dma_resv_collect(struct dma_resv *obj, enum dma_resv_usage usage,
			      unsigned long *slots, unsigned int room)
{
	int ret;

	guard(rcu)();

	do {
		ret = dma_resv_collect_list(obj, rcu_dereference(obj->fences),
					    usage, slots, room);
	} while (ret < 0);

	return ret;
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

/**
 * dma_resv_copy_fences() - copy the pending fences of another object
 * @dst: object that loses its fences, and gets those
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
	struct dma_resv_list *old = dma_resv_list_held(dst), *list = NULL;
	unsigned int room, count;

	dma_resv_assert_held(dst);

	while ((room = dma_resv_num_fences(src))) {
		list = dma_resv_list_alloc(room, GFP_KERNEL);
		if (!list)
			return -ENOMEM;

		count = dma_resv_collect(src, DMA_RESV_USAGE_BOOKKEEP,
					 list->slots, list->capacity);
		list->num_fences = count;
		if (count <= list->capacity)
			break;

		/* There are more than a moment ago, and nothing is held. */
		kvfree(list);
		list = NULL;
	}

	dma_resv_publish(dst, list);
	dma_resv_list_free(old);

	return 0;
}
EXPORT_SYMBOL(dma_resv_copy_fences);

static void dma_resv_iter_restart(struct dma_resv_iter *cursor,
				  struct dma_resv_list *list)
{
	cursor->fences = list;
	cursor->generation = list ? list->generation : 0;
	cursor->num_fences = dma_resv_list_count(list);
	cursor->index = 0;
	cursor->is_restarted = true;
}

static bool dma_resv_iter_is_current(struct dma_resv_iter *cursor,
				     struct dma_resv_list *list)
{
	return list == cursor->fences &&
	       (!list || list->generation == cursor->generation);
}

static void dma_resv_iter_visit(struct dma_resv_iter *cursor, unsigned long slot)
{
	cursor->fence = dma_resv_slot_fence(slot);
	cursor->fence_usage = dma_resv_slot_usage(slot);
}

/* Returns false if the list was replaced, and the walk has to start again. */
static bool dma_resv_iter_find_unlocked(struct dma_resv_iter *cursor,
					struct dma_resv_list *list)
{
	unsigned long slot;
	int ret = 0;

	cursor->fence = NULL;
	while (!ret && cursor->index < cursor->num_fences) {
		ret = dma_resv_get_pending(cursor->obj, list, cursor->index,
					   cursor->usage, &slot);
		if (ret < 0)
			return false;
		cursor->index++;
	}
	if (ret) {
		dma_resv_iter_visit(cursor, slot);
		return true;
	}

	/* What is pending may have gone to another list before it was looked at. */
	return list == rcu_access_pointer(cursor->obj->fences);
}

/* Look for the next pending fence, from the beginning if need be. */
static noinline void dma_resv_iter_search(struct dma_resv_iter *cursor,
					  bool restart)
{
	struct dma_resv_list *list;

	do {
		list = rcu_dereference(cursor->obj->fences);
		if (restart || !dma_resv_iter_is_current(cursor, list))
			dma_resv_iter_restart(cursor, list);
		restart = true;
	} while (!dma_resv_iter_find_unlocked(cursor, list));
}

/*
 * What nearly each step is: the end of the list, or a slot whose fence is pending
 * as far as its flag tells. False leaves it to the search.
 */
static bool dma_resv_iter_try_next(struct dma_resv_iter *cursor)
{
	struct dma_resv_list *list = rcu_dereference(cursor->obj->fences);
	struct dma_fence *fence;
	unsigned long slot;

	if (!dma_resv_iter_is_current(cursor, list))
		return false;
	if (cursor->index >= cursor->num_fences) {
		cursor->fence = NULL;
		return true;
	}
	if (dma_resv_try_slot(list, cursor->index, cursor->usage, &slot) <= 0)
		return false;

	fence = dma_resv_slot_fence(slot);
	if (fence->ops->signaled) {
		dma_fence_put(fence);
		return false;
	}

	cursor->index++;
	dma_resv_iter_visit(cursor, slot);
	return true;
}

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
	dma_resv_iter_end(cursor);
	cursor->is_restarted = false;

	guard(rcu)();
	dma_resv_iter_search(cursor, true);

	return cursor->fence;
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
	dma_resv_iter_end(cursor);
	cursor->is_restarted = false;

	guard(rcu)();
	if (!dma_resv_iter_try_next(cursor))
		dma_resv_iter_search(cursor, false);

	return cursor->fence;
}
EXPORT_SYMBOL(dma_resv_iter_next_unlocked);

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

	dma_resv_iter_restart(cursor, dma_resv_list_held(cursor->obj));
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
