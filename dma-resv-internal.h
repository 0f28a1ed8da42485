/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of fences, as the files that implement reservation objects see it.
 */

#ifndef _DMA_RESV_INTERNAL_H
#define _DMA_RESV_INTERNAL_H

#include <linux/build_bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/rcupdate.h>

/**
 * struct dma_resv_list - the fences of a reservation object
 * @rcu: for the delayed free; takes the place of what only writers use
 * @max_fences: slots that may be used before the next reserve
 * @capacity: slots that exist; constant
 * @num_indexed: slots that the index knows, always the first ones
 * @num_fences: slots in use. Only grows; a slot is written before it is counted.
 * @generation: &dma_resv.generation when it was published; constant since. Tells
 *	it from an earlier list of the object at the same address.
 * @idle: when all fences were last found to have signalled, see
 *	dma_resv_list_note_idle(). Written by readers.
 * @slots: fence and usage in one word, see dma_resv_slot(). Each holds a
 *	reference.
 *
 * All but @idle is written under &dma_resv.lock; @slots and @num_fences are also
 * read under RCU alone. The slots of a long list are followed by the index, see
 * dma-resv.c, which only writers use.
 */
struct dma_resv_list {
	union {
		struct rcu_head rcu;
		struct {
			unsigned int max_fences;
			unsigned int capacity;
			unsigned int num_indexed;
		};
	};
	unsigned int num_fences;
	unsigned int generation;
	unsigned long idle;
	unsigned long slots[];
};

/* The usage sits in the bits of the pointer that its alignment leaves free. */
#define DMA_RESV_SLOT_USAGE	3UL

static_assert(DMA_RESV_USAGE_BOOKKEEP <= DMA_RESV_SLOT_USAGE);
static_assert(__alignof__(struct dma_fence) > DMA_RESV_SLOT_USAGE);

static inline unsigned long dma_resv_slot(struct dma_fence *fence,
					  enum dma_resv_usage usage)
{
	return (unsigned long)fence | usage;
}

static inline struct dma_fence *dma_resv_slot_fence(unsigned long slot)
{
	return (struct dma_fence *)(slot & ~DMA_RESV_SLOT_USAGE);
}

static inline enum dma_resv_usage dma_resv_slot_usage(unsigned long slot)
{
	return slot & DMA_RESV_SLOT_USAGE;
}

/* How many slots can be read. */
static inline unsigned int dma_resv_list_count(struct dma_resv_list *list)
{
	/* Pairs with dma_resv_list_append(). */
	return list ? smp_load_acquire(&list->num_fences) : 0;
}

/*
 * Looking at a fence without a reference
 * ======================================
 *
 * A fence in a slot is alive, since the slot owns a reference, but without the
 * lock it may leave the slot at any time, and its memory may at once become
 * another fence (SLAB_TYPESAFE_BY_RCU). RCU only makes sure that it remains a
 * fence. What a reader has seen in it is true of the fence in the slot if no
 * fence was taken out of any slot meanwhile:
 *
 *	writer					reader
 *	------					------
 *	slot = other, or list = other		g = generation	(acquire)
 *	generation++	(release)		read slot, fence->flags ...
 *	put fence	(release)		g == generation ?
 *	... fence becomes another ...
 *
 * If the reader has seen anything of what happened to the fence after the put,
 * he sees the new generation, too, and looks again. If he got the old fence
 * from the slot, then his first read of the generation was not the new one.
 * Nobody has to wait for anybody, so interrupt handlers may be readers.
 */
static inline unsigned int dma_resv_generation(struct dma_resv *obj)
{
	/* Pairs with dma_resv_taken_out(). */
	return smp_load_acquire(&obj->generation);
}

static inline bool dma_resv_unchanged(struct dma_resv *obj,
				      unsigned int generation)
{
	/* First what is in the fence. Pairs with dma_resv_taken_out(). */
	smp_rmb();
	return READ_ONCE(obj->generation) == generation;
}

/*
 * Get a reference on the fence in a slot, if it is pending as far as its flag
 * tells, and of interest. Returns 1 with fence and usage in @slot; 0 if there is
 * none, as far as what was read is true of the fence in the slot; -EAGAIN if
 * something else got into the slot.
 */
static __always_inline int dma_resv_try_slot(struct dma_resv_list *list,
					     unsigned int index,
					     enum dma_resv_usage usage,
					     unsigned long *slot)
{
	struct dma_fence *fence;

	*slot = READ_ONCE(list->slots[index]);
	fence = dma_resv_slot_fence(*slot);
	if (dma_resv_slot_usage(*slot) > usage ||
	    dma_fence_signaled_flag(fence))
		return 0;

	if (!dma_fence_get_rcu(fence))
		return -EAGAIN;

	/* Ours. But is it still the one in the slot? */
	smp_mb__after_atomic();
	if (*slot == READ_ONCE(list->slots[index]))
		return 1;

	dma_fence_put(fence);
	return -EAGAIN;
}

/* The same until it is sure; -EAGAIN if the list is not the object's any more. */
static __always_inline int dma_resv_get_slot(struct dma_resv *obj,
					     struct dma_resv_list *list,
					     unsigned int index,
					     enum dma_resv_usage usage,
					     unsigned long *slot)
{
	unsigned int generation;
	int ret;

	do {
		generation = dma_resv_generation(obj);
		ret = dma_resv_try_slot(list, index, usage, slot);
		if (ret > 0 || (!ret && dma_resv_unchanged(obj, generation)))
			return ret;
	} while (list == rcu_access_pointer(obj->fences));

	return -EAGAIN;
}

/* The same, for a fence that is pending even if its driver is asked. */
static __always_inline int dma_resv_get_pending(struct dma_resv *obj,
						struct dma_resv_list *list,
						unsigned int index,
						enum dma_resv_usage usage,
						unsigned long *slot)
{
	int ret = dma_resv_get_slot(obj, list, index, usage, slot);
	struct dma_fence *fence = dma_resv_slot_fence(*slot);

	if (ret <= 0 || !fence->ops->signaled || !dma_fence_is_signaled(fence))
		return ret;

	dma_fence_put(fence);
	return 0;
}

/*
 * Fences do not become pending again, so a buffer that was found idle is idle
 * as long as nothing is added. Generation and number of fences tell: one of
 * them changes with each add, before it returns. They fit into one word
 * together with the usage that was asked for, on 64 bits; elsewhere each fence
 * is looked at each time.
 *
 * Readers write it when they like. Whatever they write was true of the state
 * that it names, so it does no harm to write it late. Who believes it sees what
 * the signallers wrote before, as if he had seen the flags of the fences: the
 * release hands on what the writer has acquired from them.
 */
static inline unsigned long dma_resv_idle_word(unsigned int generation,
					       unsigned int num_fences,
					       enum dma_resv_usage usage)
{
	return (u64)generation << 32 | num_fences << 2 | usage;
}

static inline bool dma_resv_list_is_idle(struct dma_resv_list *list,
					 unsigned int generation,
					 unsigned int num_fences,
					 enum dma_resv_usage usage)
{
	/* Pairs with dma_resv_list_note_idle(). */
	unsigned long idle = smp_load_acquire(&list->idle);

	return IS_ENABLED(CONFIG_64BIT) && (idle & DMA_RESV_SLOT_USAGE) >= usage &&
	       (idle | DMA_RESV_SLOT_USAGE) ==
	       dma_resv_idle_word(generation, num_fences, DMA_RESV_SLOT_USAGE);
}

static inline void dma_resv_list_note_idle(struct dma_resv_list *list,
					   unsigned int generation,
					   unsigned int num_fences,
					   enum dma_resv_usage usage)
{
	if (!IS_ENABLED(CONFIG_64BIT))
		return;

	/* Pairs with dma_resv_list_is_idle(). */
	smp_store_release(&list->idle,
			  dma_resv_idle_word(generation, num_fences, usage));
}

unsigned int dma_resv_collect(struct dma_resv *obj, enum dma_resv_usage usage,
			      unsigned long *slots, unsigned int room);
unsigned int dma_resv_num_fences(struct dma_resv *obj);

#endif /* _DMA_RESV_INTERNAL_H */
