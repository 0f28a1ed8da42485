/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of fences: for the files that implement reservation objects, and for the
 * report in debugfs. A change of a member has to keep the rules in dma-resv-read.c.
 */

#ifndef _DMA_RESV_INTERNAL_H
#define _DMA_RESV_INTERNAL_H

#include <linux/build_bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

/**
 * struct dma_resv_list - the fences of a reservation object
 * @rcu: for the delayed free; takes the place of members that only writers use
 * @max_fences: slots that may be used before the next reserve
 * @capacity: slots that exist; constant
 * @added: low half of jiffies when a fence was last added, see dma_resv_quiet()
 * @num_fences: slots in use. Only grows; a slot is written before it is counted.
 * @serial: number of the list, one more than that of its predecessor; constant.
 *	An unlocked walk keeps the address of a list between its steps, and the
 *	next list may be allocated at the same address. The serial tells them
 *	apart. It does not wrap: a list is replaced by one of at least twice its
 *	size, or by dma_resv_copy_fences(), which a buffer sees once or twice.
 * @changes: counts the fences that were replaced within @slots
 * @slots: fence and usage in one word, see dma_resv_slot(). Each slot in use owns
 *	a reference.
 *
 * Written under &dma_resv.lock. Lockless readers use all members outside of the
 * union, see dma-resv-read.c for the rules.
 */
struct dma_resv_list {
	union {
		struct rcu_head rcu;
		struct {
			u16 max_fences;
			u16 capacity;
			u32 added;
		};
	};
	u16 num_fences;
	u16 serial;
	u32 changes;
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

/* Number of slots that can be read. */
static inline unsigned int dma_resv_list_count(struct dma_resv_list *list)
{
	/* Pairs with dma_resv_list_append(): a counted slot has been written. */
	return list ? smp_load_acquire(&list->num_fences) : 0;
}

unsigned int dma_resv_num_fences(struct dma_resv *obj);
unsigned int dma_resv_collect(struct dma_resv *obj, enum dma_resv_usage usage,
			      unsigned long *slots, unsigned int room);
unsigned int dma_resv_collect_known(struct dma_resv *obj, unsigned long *slots,
				    unsigned int room);
u32 dma_resv_quiet(struct dma_resv *obj);
const char *dma_resv_usage_name(enum dma_resv_usage usage);

#endif /* _DMA_RESV_INTERNAL_H */
