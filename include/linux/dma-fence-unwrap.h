/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walking the plain fences in a container, and merging many fences into one.
 * Interface of dma-fence-unwrap.c.
 */

#ifndef __LINUX_DMA_FENCE_UNWRAP_H
#define __LINUX_DMA_FENCE_UNWRAP_H

struct dma_fence;

/**
 * struct dma_fence_unwrap - position of an iteration
 * @chain: current element of the chain, with a reference, which a caller that
 *	leaves the loop early has to put
 * @array: what that contains
 * @index: number of the current member of @array
 *
 * Lives on the stack and needs no initialisation.
 */
struct dma_fence_unwrap {
	struct dma_fence *chain;
	struct dma_fence *array;
	unsigned int index;
};

struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head,
					 struct dma_fence_unwrap *cursor);
struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor);

struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences,
					   struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors);

/**
 * dma_fence_unwrap_for_each() - go through all plain fences in a fence
 * @fence: &struct dma_fence pointer, the current fence; without a reference,
 *	valid until the next step
 * @cursor: &struct dma_fence_unwrap pointer
 * @head: a fence, array, chain, or chain with arrays in it; or NULL
 *
 * Signalled fences may or may not be left out.
 */
#define dma_fence_unwrap_for_each(fence, cursor, head)			\
	for ((fence) = dma_fence_unwrap_first((head), (cursor)); (fence); \
	     (fence) = dma_fence_unwrap_next(cursor))

/**
 * dma_fence_unwrap_merge() - make one fence of several
 * @...: fences of any kind, or NULL; the caller keeps the references
 *
 * See __dma_fence_unwrap_merge().
 */
#define dma_fence_unwrap_merge(...)					\
	({								\
		struct dma_fence *__merge_fences[] = { __VA_ARGS__ };	\
									\
		__dma_fence_unwrap_merge(ARRAY_SIZE(__merge_fences),	\
					 __merge_fences, NULL);		\
	})

#endif /* __LINUX_DMA_FENCE_UNWRAP_H */
