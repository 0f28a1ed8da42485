/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chains: timelines whose points are fences. Interface of dma-fence-chain.c, and the
 * structure, which is embedded by no driver but allocated by some.
 */

#ifndef __LINUX_DMA_FENCE_CHAIN_H
#define __LINUX_DMA_FENCE_CHAIN_H

#include <linux/dma-fence.h>
#include <linux/irq_work.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct dma_fence_chain - a point on a timeline
 * @base: the fence that others see: this point and all before it
 * @prev: next older element, with a reference: a node; a plain fence or an array
 *	as the end of the chain; or NULL. Changed by cmpxchg() only, to skip
 *	elements that have signalled.
 * @prev_seqno: sequence number of the next older node when this one was added,
 *	0 if it begins a new timeline. Constant since init.
 * @fence: what has to be done for this point, with a reference. Constant since
 *	init.
 * @cb: waits for a contained fence that is pending
 * @work: runs when that has signalled; never in use together with @cb, but
 *	irq_work_single() looks at the flags of a work that has become a @cb. On
 *	machines where the flags overlap the upper half of a pointer in @cb, the two
 *	do not share memory.
 * @lock: lock of @base
 */
struct dma_fence_chain {
	struct dma_fence base;
	struct dma_fence __rcu *prev;
	u64 prev_seqno;
	struct dma_fence *fence;
#if defined(CONFIG_64BIT) && defined(__BIG_ENDIAN)
	struct dma_fence_cb cb;
	struct irq_work work;
#else
	union {
		struct dma_fence_cb cb;
		struct irq_work work;
	};
#endif
	spinlock_t lock;	/* of base */
};

void dma_fence_chain_init(struct dma_fence_chain *chain,
			  struct dma_fence *prev, struct dma_fence *fence,
			  uint64_t seqno);
struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence);
int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno);

/**
 * to_dma_fence_chain() - the node behind a fence
 * @fence: fence, or NULL
 *
 * Context: Any.
 * Return: node, NULL if @fence is NULL or something else.
 */
static inline struct dma_fence_chain *
to_dma_fence_chain(struct dma_fence *fence)
{
	if (!fence || !dma_fence_is_chain(fence))
		return NULL;

	return container_of(fence, struct dma_fence_chain, base);
}

/**
 * dma_fence_chain_contained() - the fence that an element of a chain contains
 * @fence: node, or any other fence, or NULL
 *
 * Context: Any.
 * Return: the fence that a node contains, else @fence. Without a reference.
 */
static inline struct dma_fence *
dma_fence_chain_contained(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);

	return chain ? chain->fence : fence;
}

/**
 * dma_fence_chain_alloc() - get the memory for a node
 *
 * For dma_fence_chain_init(). A macro, so that profiles of allocations name the
 * caller.
 *
 * Context: Process context, may sleep to allocate.
 * Return: &struct dma_fence_chain pointer, not initialised; NULL without memory.
 */
#define dma_fence_chain_alloc()						\
	((struct dma_fence_chain *)kmalloc(sizeof(struct dma_fence_chain), \
					   GFP_KERNEL))

/**
 * dma_fence_chain_free() - free memory that did not become a node
 * @chain: from dma_fence_chain_alloc(), not initialised yet; or NULL
 *
 * Context: Any.
 */
static inline void dma_fence_chain_free(struct dma_fence_chain *chain)
{
	kfree(chain);
}

/**
 * dma_fence_chain_for_each() - go from an element of a chain to the oldest one
 * @iter: &struct dma_fence pointer, the current element; the loop owns a
 *	reference on it
 * @head: element to begin with, or NULL; @iter itself only if its reference
 *	belongs to another owner, which keeps it during the loop
 *
 * Skips elements that have signalled, see dma_fence_chain_walk(). At the end
 * @iter is NULL. A caller that leaves the loop early has to put @iter.
 */
#define dma_fence_chain_for_each(iter, head)				\
	for ((iter) = dma_fence_get(head); (iter);			\
	     (iter) = dma_fence_chain_walk(iter))

#endif /* __LINUX_DMA_FENCE_CHAIN_H */
