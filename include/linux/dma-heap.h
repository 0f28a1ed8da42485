/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps: kinds of memory from which user space allocates buffers.
 */

#ifndef _LINUX_DMA_HEAP_H
#define _LINUX_DMA_HEAP_H

#include <linux/types.h>

struct dma_buf;
struct dma_heap;

/**
 * struct dma_heap_ops - what a heap implements
 */
struct dma_heap_ops {
	/**
	 * @allocate: make a buffer of zeroed memory. @len is a multiple of the
	 * page size and not 0, @fd_flags are for &dma_buf_export_info.flags,
	 * @heap_flags have been checked.
	 *
	 * Context: Process context, may sleep; several may run at a time.
	 * Return: buffer with one reference, or ERR_PTR.
	 */
	struct dma_buf *(*allocate)(struct dma_heap *heap, unsigned long len,
				    u32 fd_flags, u64 heap_flags);
};

/**
 * struct dma_heap_export_info - description of a heap for dma_heap_add()
 * @name: name of the device node, not copied
 * @ops: operations
 * @priv: for the heap's own use, see dma_heap_get_drvdata()
 */
struct dma_heap_export_info {
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
};

struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info);
void *dma_heap_get_drvdata(struct dma_heap *heap);
const char *dma_heap_get_name(struct dma_heap *heap);

#endif /* _LINUX_DMA_HEAP_H */
