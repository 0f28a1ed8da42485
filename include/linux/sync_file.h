/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sync files: fences as file descriptors. Interface of sync_file.c for drivers.
 */

#ifndef _LINUX_SYNC_FILE_H
#define _LINUX_SYNC_FILE_H

#include <linux/dma-fence-array.h>
#include <linux/dma-fence.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct file;

/**
 * struct sync_file - a fence with a file around it
 * @file: the file, which owns this structure
 * @fence: the fence, with a reference
 * @user_name: name given by user space, or empty
 * @flags: bit %POLL_ENABLED
 * @wq: wait queue of poll()
 * @cb: wakes @wq; added by the first poller that has to wait
 * @sync_file_list: link in the list for debugfs
 * @creator: an address in the function that made it
 *
 * All but @flags, @wq and @cb are constant from the moment that the file is published.
 */
struct sync_file {
	struct file *file;
	struct dma_fence *fence;
	char user_name[32];
	unsigned long flags;
	wait_queue_head_t wq;
	struct dma_fence_cb cb;
#ifdef CONFIG_DEBUG_FS
	struct list_head sync_file_list;
#endif
	unsigned long creator;
};

/* Bit of sync_file.flags: a callback has been asked for. */
#define POLL_ENABLED	0

struct sync_file *sync_file_create(struct dma_fence *fence);
struct dma_fence *sync_file_get_fence(int fd);
char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len);

#endif /* _LINUX_SYNC_FILE_H */
