/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ioctls of user space on the file descriptor of a dma-buf, besides mmap(), poll(),
 * lseek() and passing it on.
 */

#ifndef _DMA_BUF_UAPI_H_
#define _DMA_BUF_UAPI_H_

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMA_BUF_BASE		'b'

/* Bytes that a name may have, with the terminating NUL. */
#define DMA_BUF_NAME_LEN	32

/**
 * struct dma_buf_sync - argument of DMA_BUF_IOCTL_SYNC: bracket access by the CPU
 * @flags: whether the access begins (%DMA_BUF_SYNC_START) or ends
 *	(%DMA_BUF_SYNC_END), and what it does: %DMA_BUF_SYNC_READ,
 *	%DMA_BUF_SYNC_WRITE, or both (%DMA_BUF_SYNC_RW)
 *
 * Devices need not see what the CPU has in its caches, and the other way round.
 * So reads and writes through a mapping of the buffer stand between a
 * DMA_BUF_IOCTL_SYNC with %DMA_BUF_SYNC_START and one with %DMA_BUF_SYNC_END
 * and otherwise the same flags. The mapping itself may exist all the time.
 *
 * The start also waits for the fences of devices that have work on the buffer
 * under way: a reader waits for those that write, a writer for all that use it.
 * It may be interrupted by a signal, with EINTR, or be restarted. It waits last:
 * what a device writes meanwhile need not be visible where caches have to be
 * maintained, so poll() first if a device may still be writing.
 */
struct dma_buf_sync {
	__u64 flags;
};

#define DMA_BUF_SYNC_READ		(1 << 0)
#define DMA_BUF_SYNC_WRITE		(2 << 0)
#define DMA_BUF_SYNC_RW			(DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE)
#define DMA_BUF_SYNC_START		(0 << 2)
#define DMA_BUF_SYNC_END		(1 << 2)
#define DMA_BUF_SYNC_VALID_FLAGS_MASK \
	(DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END)

/**
 * struct dma_buf_export_sync_file - argument of DMA_BUF_IOCTL_EXPORT_SYNC_FILE: get
 *	the fences of a buffer
 * @flags: what access is intended, %DMA_BUF_SYNC_READ or %DMA_BUF_SYNC_WRITE or
 *	both; nothing else
 * @fd: returned, a sync file of its own
 *
 * The sync file signals when the intended access may begin: for a reader when
 * all present writes are done, and moves of the memory by the kernel; for a writer
 * when all present reads are done, too. Work that is added to the buffer later is not
 * part of it.
 *
 * For APIs with explicit synchronisation that get a buffer from one with
 * implicit synchronisation.
 */
struct dma_buf_export_sync_file {
	__u32 flags;
	__s32 fd;
};

/**
 * struct dma_buf_import_sync_file - argument of DMA_BUF_IOCTL_IMPORT_SYNC_FILE: add
 *	a fence to a buffer
 * @flags: what access the sync file stands for, %DMA_BUF_SYNC_READ or
 *	%DMA_BUF_SYNC_WRITE or both; nothing else
 * @fd: sync file, which stays open
 *
 * Later users of the buffer with implicit synchronisation wait for the sync
 * file as for work of a driver: readers and writers for a write, writers for
 * a read.
 */
struct dma_buf_import_sync_file {
	__u32 flags;
	__s32 fd;
};

/**
 * struct dma_buf_info - argument of DMA_BUF_IOCTL_INFO: what is this buffer?
 * @size: bytes of this structure, as the caller knows it; returned: as the kernel
 *	knows it
 * @flags: 0; returned: %DMA_BUF_INFO_MMAP and the others, as far as they apply
 * @bytes: returned, length of the buffer
 * @ino: returned, inode number of the buffer, as fstat() tells it
 * @exporter: returned, name of the exporter, cut to 31 characters; empty if it has
 *	none
 * @module: returned, module of the exporter, cut to 55 characters; empty if it is
 *	built in
 * @name: returned, as set by DMA_BUF_SET_NAME; any bytes
 *
 * Bytes behind the structure that the kernel knows have to be 0, and stay as they
 * are. All strings end in NUL, and are filled up with it.
 *
 * This is nothing but what fstat(), lseek() and fdinfo tell to any owner of the
 * descriptor, in one call and without a text that has to be taken apart; and the
 * module, since drivers may have a helper name the exporter. A kernel that does not
 * know the command says ENOTTY.
 */
struct dma_buf_info {
	__u32 size;
	__u32 flags;
	__u64 bytes;
	__u64 ino;
	char exporter[32];
	char module[56];
	char name[DMA_BUF_NAME_LEN];
};

/* The buffer can be mapped by mmap(). */
#define DMA_BUF_INFO_MMAP		(1 << 0)
/* The exporter has something to do for DMA_BUF_IOCTL_SYNC. */
#define DMA_BUF_INFO_CPU_SYNC		(1 << 1)
/* The exporter can move the memory. */
#define DMA_BUF_INFO_DYNAMIC		(1 << 2)
/* There is a name, which may be the empty one. */
#define DMA_BUF_INFO_NAMED		(1 << 3)

#define DMA_BUF_IOCTL_SYNC	_IOW(DMA_BUF_BASE, 0, struct dma_buf_sync)

/*
 * Give the buffer a name for people to read; the argument is a string. The
 * first form depends on the size of a pointer, hence the two others.
 */
#define DMA_BUF_SET_NAME	_IOW(DMA_BUF_BASE, 1, const char *)
#define DMA_BUF_SET_NAME_A	_IOW(DMA_BUF_BASE, 1, __u32)
#define DMA_BUF_SET_NAME_B	_IOW(DMA_BUF_BASE, 1, __u64)

#define DMA_BUF_IOCTL_EXPORT_SYNC_FILE	\
	_IOWR(DMA_BUF_BASE, 2, struct dma_buf_export_sync_file)
#define DMA_BUF_IOCTL_IMPORT_SYNC_FILE	\
	_IOW(DMA_BUF_BASE, 3, struct dma_buf_import_sync_file)

/* The size is in the structure, so that the number stays when it grows. */
#define DMA_BUF_IOCTL_INFO	_IO(DMA_BUF_BASE, 0x0f)

#endif /* _DMA_BUF_UAPI_H_ */
