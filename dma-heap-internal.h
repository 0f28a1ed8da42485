/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the heaps of this directory get from the core of heaps, and others do not.
 */

#ifndef _DMA_HEAP_INTERNAL_H
#define _DMA_HEAP_INTERNAL_H

#include <linux/types.h>

bool dma_heap_mem_accounting(void);

#endif /* _DMA_HEAP_INTERNAL_H */
