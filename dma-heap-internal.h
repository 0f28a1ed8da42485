/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of dma-heap.c for the heaps of this directory alone. The interface of heaps
 * in other modules is in linux/dma-heap.h.
 */

#ifndef _DMA_HEAP_INTERNAL_H
#define _DMA_HEAP_INTERNAL_H

#include <linux/types.h>

struct attribute_group;
struct dma_heap;
struct dma_heap_export_info;

struct dma_heap *dma_heap_add_with_groups(const struct dma_heap_export_info *exp_info,
					  const struct attribute_group **groups);
bool dma_heap_mem_accounting(void);

#endif /* _DMA_HEAP_INTERNAL_H */
