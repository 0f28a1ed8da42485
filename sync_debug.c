// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory sync in debugfs: software timelines, and a list of them and of
 * all sync files.
 *
 * To change here: the text of sync/info, and the two lists behind it.
 */

#include <linux/array_size.h>
#include <linux/cache.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/sync_file.h>
#include <linux/time64.h>

#include "dma-fence-internal.h"
#include "sync_debug.h"

/* The last reference on a timeline may be dropped in any context, down to interrupts. */
static LIST_HEAD(sync_timelines);
static DEFINE_SPINLOCK(sync_timelines_lock);

/**
 * struct sync_file_shard - some of the sync files
 * @lock: guards @files
 * @files: &sync_file.sync_file_list, from creation until the file is released
 *
 * Several, so that tasks that make and close sync files do not contend.
 */
struct sync_file_shard {
	spinlock_t lock;	/* guards files */
	struct list_head files;
} ____cacheline_aligned_in_smp;

#define SYNC_FILE_SHARD_BITS	4

static struct sync_file_shard sync_file_shards[1 << SYNC_FILE_SHARD_BITS];

static struct sync_file_shard *sync_file_shard_of(struct sync_file *sync_file)
{
	return &sync_file_shards[hash_ptr(sync_file, SYNC_FILE_SHARD_BITS)];
}

/**
 * sync_timeline_debug_add() - show a timeline in debugfs
 * @timeline: timeline
 *
 * Context: Any.
 */
void sync_timeline_debug_add(struct sync_timeline *timeline)
{
	guard(spinlock_irqsave)(&sync_timelines_lock);

	list_add_tail(&timeline->node, &sync_timelines);
}

/**
 * sync_timeline_debug_remove() - show a timeline no longer
 * @timeline: timeline that is about to be freed
 *
 * Context: Any.
 */
void sync_timeline_debug_remove(struct sync_timeline *timeline)
{
	guard(spinlock_irqsave)(&sync_timelines_lock);

	list_del(&timeline->node);
}

/**
 * sync_file_debug_add() - show a sync file in debugfs
 * @sync_file: sync file
 *
 * Context: Process context.
 */
void sync_file_debug_add(struct sync_file *sync_file)
{
	struct sync_file_shard *shard = sync_file_shard_of(sync_file);

	guard(spinlock)(&shard->lock);

	list_add_tail(&sync_file->sync_file_list, &shard->files);
}

/**
 * sync_file_debug_remove() - show a sync file no longer
 * @sync_file: sync file that is about to be freed
 *
 * Context: Process context.
 */
void sync_file_debug_remove(struct sync_file *sync_file)
{
	struct sync_file_shard *shard = sync_file_shard_of(sync_file);

	guard(spinlock)(&shard->lock);

	list_del(&sync_file->sync_file_list);
}

static const char *sync_status_name(int status)
{
	if (status < 0)
		return "error";

	return status ? "signaled" : "active";
}

static void sync_print_time(struct seq_file *s, struct dma_fence *fence)
{
	struct timespec64 ts;

	if (!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags))
		return;

	ts = ktime_to_timespec64(fence->timestamp);
	seq_printf(s, "@%lld.%09ld", (s64)ts.tv_sec, ts.tv_nsec);
}

static void sync_print_values(struct seq_file *s, struct dma_fence *fence)
{
	char fence_value[64] = "", timeline_value[64] = "";
	const struct dma_fence_ops *ops = fence->ops;

	/* The driver may be gone, and what counts in a signalled fence is the time. */
	if (dma_fence_signaled_flag(fence) && !dma_fence_is_sw_sync(fence))
		return;

	if (!ops->fence_value_str || !ops->timeline_value_str)
		return;

	ops->fence_value_str(fence, fence_value, sizeof(fence_value));
	ops->timeline_value_str(fence, timeline_value, sizeof(timeline_value));
	if (fence_value[0] && timeline_value[0])
		seq_printf(s, ": %s / %s", fence_value, timeline_value);
}

static void sync_print_fence(struct seq_file *s, struct dma_fence *fence,
			     int status)
{
	seq_printf(s, "fence %s", sync_status_name(status));
	sync_print_time(s, fence);
	sync_print_values(s, fence);
	seq_putc(s, '\n');
}

/* Only print the state: the timeline signals its points itself. */
static void sync_print_point(struct seq_file *s, struct dma_fence *fence)
{
	seq_puts(s, "  ");
	sync_print_fence(s, fence, dma_fence_peek_status(fence));
}

/* Points are fences only under the lock of the timeline. */
static void sync_print_timeline(struct seq_file *s,
				struct sync_timeline *timeline)
{
	struct rb_node *node;

	spin_lock_irq(&timeline->lock);

	seq_printf(s, "%s: %d\n", timeline->name, (s32)timeline->value);
	for (node = rb_first(&timeline->points); node; node = rb_next(node))
		sync_print_point(s, &rb_entry(node, struct sync_pt,
					      node)->base);
	seq_putc(s, '\n');

	spin_unlock_irq(&timeline->lock);
}

/*
 * Returns the timeline after @prev, or the first one, with a reference, and drops
 * that on @prev: it keeps @prev on the list.
 */
static struct sync_timeline *sync_timeline_next(struct sync_timeline *prev)
{
	struct sync_timeline *next = NULL;
	struct list_head *pos;

	scoped_guard(spinlock_irq, &sync_timelines_lock) {
		pos = prev ? &prev->node : &sync_timelines;
		while (!next && (pos = pos->next) != &sync_timelines) {
			struct sync_timeline *timeline =
				list_entry(pos, struct sync_timeline, node);

			/* A timeline whose count is zero waits for the lock. */
			if (kref_get_unless_zero(&timeline->kref))
				next = timeline;
		}
	}

	if (prev)
		sync_timeline_put(prev);

	return next;
}

static void sync_print_file(struct seq_file *s, struct sync_file *sync_file)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	char name[128];
	int status;

	status = dma_fence_get_status(sync_file->fence);
	seq_printf(s, "[%p] %s: %s\n", sync_file,
		   sync_file_get_name(sync_file, name, sizeof(name)),
		   sync_status_name(status));

	dma_fence_unwrap_for_each(fence, &cursor, sync_file->fence) {
		status = dma_fence_get_status(fence);

		guard(rcu)();

		seq_printf(s, "  %s_", dma_fence_timeline_name_rcu(fence));
		sync_print_fence(s, fence, status);
	}
	seq_putc(s, '\n');
}

/*
 * Returns the sync file after @prev, or the first one, with a reference, and drops
 * that on @prev: it keeps @prev on the list. If that is the last reference, the put
 * destroys the file at once, not when the task returns to user space, which may be
 * thousands of files later.
 */
static struct sync_file *sync_file_shard_next(struct sync_file_shard *shard,
					      struct sync_file *prev)
{
	struct sync_file *next = NULL;
	struct list_head *pos;

	scoped_guard(spinlock, &shard->lock) {
		pos = prev ? &prev->sync_file_list : &shard->files;
		while (!next && (pos = pos->next) != &shard->files) {
			struct sync_file *sync_file =
				list_entry(pos, struct sync_file, sync_file_list);

			/* A file whose count is zero waits for the lock. */
			if (get_file_active(&sync_file->file))
				next = sync_file;
		}
	}

	if (prev)
		__fput_sync(prev->file);

	return next;
}

/* No task waits for the reader: it holds a lock only while it goes to the next file. */
static void sync_print_shard(struct seq_file *s, struct sync_file_shard *shard)
{
	struct sync_file *sync_file = NULL;

	while ((sync_file = sync_file_shard_next(shard, sync_file))) {
		/* A file that does not fit is printed again, to a larger buffer. */
		if (!seq_has_overflowed(s))
			sync_print_file(s, sync_file);
		cond_resched();
	}
}

static int sync_info_show(struct seq_file *s, void *unused)
{
	struct sync_timeline *timeline = NULL;
	unsigned int i;

	seq_puts(s, "objs:\n--------------\n");
	while ((timeline = sync_timeline_next(timeline)))
		sync_print_timeline(s, timeline);

	seq_puts(s, "fences:\n--------------\n");
	for (i = 0; i < ARRAY_SIZE(sync_file_shards); i++)
		sync_print_shard(s, &sync_file_shards[i]);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sync_info);

/* Before drivers make sync files. */
static int __init sync_file_shards_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sync_file_shards); i++) {
		spin_lock_init(&sync_file_shards[i].lock);
		INIT_LIST_HEAD(&sync_file_shards[i].files);
	}

	return 0;
}
pure_initcall(sync_file_shards_init);

static int __init sync_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("sync", NULL);

	debugfs_create_file("info", 0444, dir, NULL, &sync_info_fops);

	/* The files are never removed. A failure is ignored. */
	debugfs_create_file_unsafe("sw_sync", 0644, dir, NULL,
				   &sw_sync_debugfs_fops);
	return 0;
}
late_initcall(sync_debugfs_init);
