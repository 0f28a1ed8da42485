/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that sw_sync.c, sync_file.c and sync_debug.c share: timelines, their
 * points, and the lists behind debugfs. Empty inlines stand in without CONFIG_SW_SYNC.
 */

#ifndef _LINUX_SYNC_H
#define _LINUX_SYNC_H

#include <linux/dma-fence.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct sync_file;

/**
 * struct sync_timeline - a timeline that user space advances
 * @kref: one for the open file, one for each fence
 * @name: name of the task that made it; constant
 * @context: context of its fences; constant
 * @lock: guards @value and @points; the lock of all fences of the timeline.
 *	Taken with interrupts off.
 * @value: how far it has come, a counter that wraps
 * @points: &struct sync_pt.node of those that are pending, ascending; of a
 *	timeline whose file is closed also those that closing has signalled
 * @node: link in the list for debugfs, guarded by a lock of that
 */
struct sync_timeline {
	struct kref kref;
	char name[32];
	u64 context;
	spinlock_t lock;	/* of all its fences */
	u32 value;
	struct rb_root points;
	struct list_head node;
};

/**
 * struct sync_pt - a fence on such a timeline
 * @base: the fence
 * @timeline: its timeline, with a reference; constant
 * @node: link in &sync_timeline.points, or empty
 * @done: link in the list of those whose reference is to be dropped; belongs to
 *	the task that signals the fence
 * @deadline: earliest deadline, if %SYNC_PT_DEADLINE_BIT is set; guarded by
 *	&sync_timeline.lock
 */
struct sync_pt {
	struct dma_fence base;
	struct sync_timeline *timeline;
	struct rb_node node;
	struct list_head done;
	ktime_t deadline;
};

/* Bit of dma_fence.flags: a deadline has been set. */
#define SYNC_PT_DEADLINE_BIT	DMA_FENCE_FLAG_USER_BITS

#ifdef CONFIG_SW_SYNC
extern const struct file_operations sw_sync_debugfs_fops;

bool dma_fence_is_sw_sync(struct dma_fence *fence);

void sync_timeline_put(struct sync_timeline *timeline);
void sync_timeline_debug_add(struct sync_timeline *timeline);
void sync_timeline_debug_remove(struct sync_timeline *timeline);
void sync_file_debug_add(struct sync_file *sync_file);
void sync_file_debug_remove(struct sync_file *sync_file);
#else
static inline bool dma_fence_is_sw_sync(struct dma_fence *fence)
{
	return false;
}

static inline void sync_file_debug_add(struct sync_file *sync_file)
{
}

static inline void sync_file_debug_remove(struct sync_file *sync_file)
{
}
#endif

#endif /* _LINUX_SYNC_H */
