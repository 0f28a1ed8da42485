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
 * @rcu: for the delayed free
 * @num_fences: slots in use. Only grows; a slot is written before it is counted.
 * @max_fences: slots that may be used before the next reserve
 * @capacity: slots that exist; constant
 * @num_indexed: slots that the index knows, always the first ones
 * @generation: &dma_resv.generation when it was published; constant since. Tells
 *	it from an earlier list of the object at the same address.
 * @slots: fence and usage in one word, see dma_resv_slot(). Each holds a
 *	reference.
 *
 * All is written under &dma_resv.lock; @slots and @num_fences are also read
 * under RCU alone. The slots are followed by the index, see dma-resv.c, which
 * only writers use.
 */
struct dma_resv_list {
	struct rcu_head rcu;
	unsigned int num_fences;
	unsigned int max_fences;
	unsigned int capacity;
	unsigned int num_indexed;
	unsigned int generation;
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

/* Make the reference of the cursor the caller's own. */
static inline struct dma_fence *dma_resv_iter_take(struct dma_resv_iter *cursor)
{
	struct dma_fence *fence = cursor->fence;

	cursor->fence = NULL;
	return fence;
}

#endif /* _DMA_RESV_INTERNAL_H */
