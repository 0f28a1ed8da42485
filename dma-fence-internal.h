/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files about fences share.
 */

#ifndef __DMA_FENCE_INTERNAL_H
#define __DMA_FENCE_INTERNAL_H

#include <linux/types.h>

struct dma_fence;
struct dma_fence_array;

bool dma_fence_enable_locked(struct dma_fence *fence);

struct dma_fence_array *dma_fence_array_alloc_inside(unsigned int num_fences);
struct dma_fence *dma_fence_array_init_inside(struct dma_fence_array *array,
					      unsigned int num_fences);

#endif /* __DMA_FENCE_INTERNAL_H */
