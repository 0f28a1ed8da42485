/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Buffers from memfds: ioctls of /dev/udmabuf
 */
#ifndef _UAPI_LINUX_UDMABUF_H
#define _UAPI_LINUX_UDMABUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Close the file descriptor of the buffer on exec. Other flags are ignored. */
#define UDMABUF_FLAGS_CLOEXEC	0x01

/**
 * struct udmabuf_create - one piece of a memfd
 * @memfd: file descriptor of the memfd, which has the seal F_SEAL_SHRINK and
 *	neither F_SEAL_WRITE nor F_SEAL_FUTURE_WRITE. It may be closed afterwards.
 * @flags: %UDMABUF_FLAGS_CLOEXEC or 0
 * @offset: where in the memfd the piece begins, in bytes, multiple of a page
 * @size: length of the piece in bytes, multiple of a page, not 0
 */
struct udmabuf_create {
	__u32 memfd;
	__u32 flags;
	__u64 offset;
	__u64 size;
};

/**
 * struct udmabuf_create_item - a piece of a memfd in a list of pieces
 * @memfd: as in &struct udmabuf_create
 * @__pad: ignored
 * @offset: as in &struct udmabuf_create
 * @size: as in &struct udmabuf_create
 */
struct udmabuf_create_item {
	__u32 memfd;
	__u32 __pad;
	__u64 offset;
	__u64 size;
};

/**
 * struct udmabuf_create_list - pieces that become one buffer, in this order
 * @flags: %UDMABUF_FLAGS_CLOEXEC or 0
 * @count: number of pieces
 * @list: the pieces, which may be of several memfds, and may overlap
 */
struct udmabuf_create_list {
	__u32 flags;
	__u32 count;
	__extension__ struct udmabuf_create_item list[];
};

/* Both return the file descriptor of the buffer. */
#define UDMABUF_CREATE		_IOW('u', 0x42, struct udmabuf_create)
#define UDMABUF_CREATE_LIST	_IOW('u', 0x43, struct udmabuf_create_list)

#endif /* _UAPI_LINUX_UDMABUF_H */
