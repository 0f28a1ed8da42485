/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Sync files: fences as file descriptors.
 */

#ifndef _UAPI_LINUX_SYNC_H
#define _UAPI_LINUX_SYNC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct sync_merge_data - argument of SYNC_IOC_MERGE
 * @name: in: name of the new sync file, up to 31 characters; empty for one that
 *	is made of its fence
 * @fd2: in: the other sync file
 * @fence: out: file descriptor of the new sync file, close-on-exec
 * @flags: 0
 * @pad: 0
 */
struct sync_merge_data {
	char	name[32];
	__s32	fd2;
	__s32	fence;
	__u32	flags;
	__u32	pad;
};

/**
 * struct sync_fence_info - about one fence of a sync file
 * @obj_name: timeline of the fence; "signaled-timeline" once it has signalled, as
 *	the driver may have gone then
 * @driver_name: driver that made it; "detached-driver" once it has signalled
 * @status: 0 pending, 1 signalled, negative errno signalled with an error
 * @flags: 0
 * @timestamp_ns: CLOCK_MONOTONIC time of the signal in nanoseconds, 0 while
 *	pending
 */
struct sync_fence_info {
	char	obj_name[32];
	char	driver_name[32];
	__s32	status;
	__u32	flags;
	__u64	timestamp_ns;
};

/**
 * struct sync_file_info - argument of SYNC_IOC_FILE_INFO
 * @name: out: name of the sync file
 * @status: out: 0 pending, 1 signalled, negative errno signalled with an error
 * @flags: 0
 * @num_fences: in: room in @sync_fence_info, 0 to ask for the number only; out:
 *	number of fences
 * @pad: 0
 * @sync_fence_info: in: address of an array of &struct sync_fence_info
 *
 * The driver of a pending fence is asked, but not made to listen to its device. If it
 * does so only for tasks that wait, the fence is pending for as long as none does. poll()
 * with a timeout of 0 counts as waiting.
 */
struct sync_file_info {
	char	name[32];
	__s32	status;
	__u32	flags;
	__u32	num_fences;
	__u32	pad;
	__u64	sync_fence_info;
};

/**
 * struct sync_set_deadline - argument of SYNC_IOC_SET_DEADLINE
 * @deadline_ns: CLOCK_MONOTONIC time in nanoseconds by which the fence is wanted
 * @pad: 0
 */
struct sync_set_deadline {
	__u64	deadline_ns;
	__u64	pad;
};

#define SYNC_IOC_MAGIC		'>'

/* 0 to 2 had other meanings once. */

/* Make a sync file of two: it signals when both have. */
#define SYNC_IOC_MERGE		_IOWR(SYNC_IOC_MAGIC, 3, struct sync_merge_data)

/* Ask about the fences of a sync file. */
#define SYNC_IOC_FILE_INFO	_IOWR(SYNC_IOC_MAGIC, 4, struct sync_file_info)

/* Tell when the fence is wanted. A hint. */
#define SYNC_IOC_SET_DEADLINE	_IOW(SYNC_IOC_MAGIC, 5, struct sync_set_deadline)

#endif /* _UAPI_LINUX_SYNC_H */
