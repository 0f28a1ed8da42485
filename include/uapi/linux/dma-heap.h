/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Buffers for user space, from the devices below /dev/dma_heap.
 */

#ifndef _UAPI_LINUX_DMA_HEAP_H
#define _UAPI_LINUX_DMA_HEAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Valid bits of fd_flags. */
#define DMA_HEAP_VALID_FD_FLAGS (O_CLOEXEC | O_ACCMODE)

/* There are no flags for heaps so far. */
#define DMA_HEAP_VALID_HEAP_FLAGS (0)

/**
 * struct dma_heap_allocation_data - ask for a buffer
 * @len: wanted size in bytes, not 0; the buffer is as large as the pages are
 *	which this takes
 * @fd: 0 when asking; returned, the file descriptor of the buffer
 * @fd_flags: access mode of the buffer, and O_CLOEXEC for its descriptor
 * @heap_flags: 0
 *
 * The memory reads as zeroes.
 */
struct dma_heap_allocation_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define DMA_HEAP_IOC_MAGIC	'H'

#define DMA_HEAP_IOCTL_ALLOC	\
	_IOWR(DMA_HEAP_IOC_MAGIC, 0, struct dma_heap_allocation_data)

#endif /* _UAPI_LINUX_DMA_HEAP_H */
