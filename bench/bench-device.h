/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user-space part of the benchmark may ask its kernel part for. */

#ifndef _DMA_BUF_BENCH_DEVICE_H
#define _DMA_BUF_BENCH_DEVICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BENCH_DEVICE	"/dev/dma_buf_bench"

/* A buffer with so many pending fences; the descriptor is returned. */
#define BENCH_IOC_BUFFER	_IOW('b', 0, __u32)
/* A sync file of so many pending fences; the descriptor is returned. */
#define BENCH_IOC_SYNC_FILE	_IOW('b', 1, __u32)
/* Nanoseconds that vmap and vunmap of the buffer behind a descriptor take. */
#define BENCH_IOC_VMAP		_IOWR('b', 2, __u64)
/* Attach a device to the buffer behind a descriptor, map and unmap it, detach it. */
#define BENCH_IOC_IMPORT	_IOW('b', 3, __u32)

#endif /* _DMA_BUF_BENCH_DEVICE_H */
