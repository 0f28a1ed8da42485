/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of CMA heaps in sysfs, which cma_heap_sysfs.c has and cma_heap.c adds.
 */

#ifndef _DMA_BUF_HEAPS_CMA_HEAP_H
#define _DMA_BUF_HEAPS_CMA_HEAP_H

struct attribute_group;

extern const struct attribute_group *cma_heap_groups[];

#endif /* _DMA_BUF_HEAPS_CMA_HEAP_H */
