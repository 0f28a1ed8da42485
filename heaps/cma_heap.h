/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files about CMA heaps share.
 */

#ifndef _DMA_BUF_HEAPS_CMA_HEAP_H
#define _DMA_BUF_HEAPS_CMA_HEAP_H

struct attribute_group;

extern const struct attribute_group *cma_heap_groups[];

#endif /* _DMA_BUF_HEAPS_CMA_HEAP_H */
