// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software timelines: fences that user space signals, for tests.
 *
 * To change here: the file sync/sw_sync and its ioctls. Its texts in debugfs are in
 * sync_debug.c.
 */

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/panic.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "sync_debug.h"

#define CREATE_TRACE_POINTS
#include "sync_trace.h"

/**
 * DOC: software timelines
 *
 * A process that opens sync/sw_sync in debugfs gets a timeline, can make fences on
 * it, and signals them by advancing its counter. A fence whose number the counter has
 * reached has signalled. Closing the file signals the pending ones with -ENOENT.
 *
 * Nothing makes user space advance the counter, so these fences break the rule that a
 * fence signals in finite time. That is why their use taints the kernel.
 */

/**
 * struct sw_sync_create_fence_data - argument of SW_SYNC_IOC_CREATE_FENCE
 * @value: in: value of the counter that signals the fence
 * @name: not used
 * @fence: out: file descriptor of a sync file, close-on-exec
 */
struct sw_sync_create_fence_data {
	__u32	value;
	char	name[32];
	__s32	fence;
};

/**
 * struct sw_sync_get_deadline - argument of SW_SYNC_GET_DEADLINE
 * @deadline_ns: in: 0; out: earliest deadline, CLOCK_MONOTONIC nanoseconds
 * @pad: 0
 * @fence_fd: in: sync file with a fence of any software timeline
 */
struct sw_sync_get_deadline {
	__u64	deadline_ns;
	__u32	pad;
	__s32	fence_fd;
};

#define SW_SYNC_IOC_MAGIC	'W'
#define SW_SYNC_IOC_CREATE_FENCE	\
	_IOWR(SW_SYNC_IOC_MAGIC, 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC			_IOW(SW_SYNC_IOC_MAGIC, 1, __u32)
#define SW_SYNC_GET_DEADLINE		\
	_IOWR(SW_SYNC_IOC_MAGIC, 2, struct sw_sync_get_deadline)

static const struct dma_fence_ops sync_pt_ops;

/**
 * dma_fence_is_sw_sync() - is this a fence of a software timeline?
 * @fence: fence
 *
 * Context: Any.
 * Return: true if it is.
 */
bool dma_fence_is_sw_sync(struct dma_fence *fence)
{
	return fence->ops == &sync_pt_ops;
}

static struct sync_pt *to_sync_pt(struct dma_fence *fence)
{
	if (!dma_fence_is_sw_sync(fence))
		return NULL;

	return container_of(fence, struct sync_pt, base);
}

static struct sync_timeline *sync_timeline_create(const char *name)
{
	struct sync_timeline *timeline = kzalloc(sizeof(*timeline), GFP_KERNEL);

	if (!timeline)
		return NULL;

	kref_init(&timeline->kref);
	timeline->context = dma_fence_context_alloc(1);
	strscpy(timeline->name, name);
	spin_lock_init(&timeline->lock);
	timeline->points = RB_ROOT;
	sync_timeline_debug_add(timeline);

	return timeline;
}

static void sync_timeline_free(struct kref *kref)
{
	struct sync_timeline *timeline = container_of(kref,
						      struct sync_timeline,
						      kref);

	sync_timeline_debug_remove(timeline);
	kfree(timeline);
}

/**
 * sync_timeline_put() - drop a reference
 * @timeline: timeline
 *
 * Context: Any, no lock of debugfs or of @timeline is held.
 */
void sync_timeline_put(struct sync_timeline *timeline)
{
	kref_put(&timeline->kref, sync_timeline_free);
}

static bool sync_timeline_reached(struct sync_timeline *timeline, u32 value)
{
	return !__dma_fence_is_later(value, READ_ONCE(timeline->value),
				     &sync_pt_ops);
}

static const char *sync_pt_driver_name(struct dma_fence *fence)
{
	return "sw_sync";
}

static const char *sync_pt_timeline_name(struct dma_fence *fence)
{
	return to_sync_pt(fence)->timeline->name;
}

/* User space decides when it signals. */
static bool sync_pt_enable_signaling(struct dma_fence *fence)
{
	return true;
}

static bool sync_pt_signaled(struct dma_fence *fence)
{
	return sync_timeline_reached(to_sync_pt(fence)->timeline, fence->seqno);
}

static void sync_pt_unlink(struct sync_pt *pt)
{
	lockdep_assert_held(&pt->timeline->lock);

	rb_erase(&pt->node, &pt->timeline->points);
	RB_CLEAR_NODE(&pt->node);
}

static void sync_pt_release(struct dma_fence *fence)
{
	struct sync_pt *pt = to_sync_pt(fence);
	struct sync_timeline *timeline = pt->timeline;

	scoped_guard(spinlock_irqsave, &timeline->lock) {
		if (!RB_EMPTY_NODE(&pt->node))
			sync_pt_unlink(pt);
	}

	sync_timeline_put(timeline);
	dma_fence_free(fence);
}

static void sync_pt_value_str(struct dma_fence *fence, char *str, int size)
{
	snprintf(str, size, "%lld", fence->seqno);
}

static void sync_pt_timeline_value_str(struct dma_fence *fence, char *str,
				       int size)
{
	snprintf(str, size, "%d", (s32)to_sync_pt(fence)->timeline->value);
}

static void sync_pt_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct sync_pt *pt = to_sync_pt(fence);

	guard(spinlock_irqsave)(fence->lock);

	if (!test_and_set_bit(SYNC_PT_DEADLINE_BIT, &fence->flags) ||
	    ktime_before(deadline, pt->deadline))
		pt->deadline = deadline;
}

static const struct dma_fence_ops sync_pt_ops = {
	.get_driver_name = sync_pt_driver_name,
	.get_timeline_name = sync_pt_timeline_name,
	.enable_signaling = sync_pt_enable_signaling,
	.signaled = sync_pt_signaled,
	.release = sync_pt_release,
	.fence_value_str = sync_pt_value_str,
	.timeline_value_str = sync_pt_timeline_value_str,
	.set_deadline = sync_pt_set_deadline,
};

static int sync_pt_compare(struct rb_node *node, const struct rb_node *other)
{
	u32 seqno = rb_entry(node, struct sync_pt, node)->base.seqno;
	u32 other_seqno = rb_entry(other, struct sync_pt, node)->base.seqno;

	return (s32)(seqno - other_seqno);
}

/*
 * Link a new point, unless the timeline has reached it already. Returns a pending
 * point of the same number, with a reference, if there is a live one.
 */
static struct sync_pt *sync_pt_link(struct sync_pt *pt)
{
	struct sync_timeline *timeline = pt->timeline;
	struct rb_node *found;
	struct sync_pt *other;

	guard(spinlock_irq)(&timeline->lock);

	if (dma_fence_is_signaled_locked(&pt->base))
		return NULL;

	found = rb_find_add(&pt->node, &timeline->points, sync_pt_compare);
	if (!found)
		return NULL;

	other = rb_entry(found, struct sync_pt, node);
	if (dma_fence_get_rcu(&other->base))
		return other;

	/* A point whose count is zero waits for the lock to be released. */
	sync_pt_unlink(other);
	rb_find_add(&pt->node, &timeline->points, sync_pt_compare);

	return NULL;
}

static struct sync_pt *sync_pt_create(struct sync_timeline *timeline, u32 value)
{
	struct sync_pt *pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	struct sync_pt *other;

	if (!pt)
		return NULL;

	kref_get(&timeline->kref);
	pt->timeline = timeline;
	RB_CLEAR_NODE(&pt->node);
	dma_fence_init(&pt->base, &sync_pt_ops, &timeline->lock,
		       timeline->context, value);

	other = sync_pt_link(pt);
	if (!other)
		return pt;

	dma_fence_put(&pt->base);
	return other;
}

/*
 * Signal a point under the lock. A point that is being released is left alone. Of
 * all others a reference is kept until the lock has been released, since the
 * last one must not go before: release takes the lock.
 */
static void sync_pt_signal_locked(struct sync_pt *pt, int error,
				  struct list_head *done)
{
	if (!dma_fence_get_rcu(&pt->base))
		return;

	if (error && !dma_fence_signaled_flag(&pt->base))
		dma_fence_set_error(&pt->base, error);
	dma_fence_signal_locked(&pt->base);
	list_add_tail(&pt->done, done);
}

static void sync_pt_put_all(struct list_head *done)
{
	struct sync_pt *pt, *next;

	list_for_each_entry_safe(pt, next, done, done)
		dma_fence_put(&pt->base);
}

static void sync_timeline_advance(struct sync_timeline *timeline, u32 step)
{
	struct rb_node *node;
	LIST_HEAD(done);

	trace_sync_timeline(timeline);

	scoped_guard(spinlock_irq, &timeline->lock) {
		WRITE_ONCE(timeline->value, timeline->value + step);

		while ((node = rb_first(&timeline->points))) {
			struct sync_pt *pt = rb_entry(node, struct sync_pt,
						      node);

			if (!sync_timeline_reached(timeline, pt->base.seqno))
				break;

			sync_pt_unlink(pt);
			sync_pt_signal_locked(pt, 0, &done);
		}
	}

	sync_pt_put_all(&done);
}

/*
 * The file is closed: no task can advance the timeline any more. The points stay
 * linked until they are released, for debugfs.
 */
static void sync_timeline_abandon(struct sync_timeline *timeline)
{
	struct rb_node *node;
	LIST_HEAD(done);

	scoped_guard(spinlock_irq, &timeline->lock) {
		for (node = rb_first(&timeline->points); node;
		     node = rb_next(node))
			sync_pt_signal_locked(rb_entry(node, struct sync_pt,
						       node),
					      -ENOENT, &done);
	}

	sync_pt_put_all(&done);
}

static int sw_sync_debugfs_open(struct inode *inode, struct file *file)
{
	char name[TASK_COMM_LEN];

	get_task_comm(name, current);
	file->private_data = sync_timeline_create(name);

	return file->private_data ? 0 : -ENOMEM;
}

static int sw_sync_debugfs_release(struct inode *inode, struct file *file)
{
	struct sync_timeline *timeline = file->private_data;

	sync_timeline_abandon(timeline);
	sync_timeline_put(timeline);

	return 0;
}

static long sw_sync_ioctl_create_fence(struct sync_timeline *timeline,
				       void __user *arg)
{
	struct sw_sync_create_fence_data data;
	struct sync_file *sync_file;
	struct sync_pt *pt;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;

	pt = sync_pt_create(timeline, data.value);
	if (!pt)
		return -ENOMEM;

	sync_file = sync_file_create(&pt->base);
	dma_fence_put(&pt->base);
	if (!sync_file)
		return -ENOMEM;

	data.fence = fd;
	if (copy_to_user(arg, &data, sizeof(data))) {
		fput(sync_file->file);
		return -EFAULT;
	}

	fd_install(take_fd(fd), sync_file->file);
	return 0;
}

static long sw_sync_ioctl_inc(struct sync_timeline *timeline,
			      const u32 __user *arg)
{
	u32 left;

	if (get_user(left, arg))
		return -EFAULT;

	/* Larger steps would look like steps back. */
	do {
		u32 step = min_t(u32, left, INT_MAX);

		sync_timeline_advance(timeline, step);
		left -= step;
	} while (left);

	return 0;
}

static int sync_pt_get_deadline(struct dma_fence *fence, u64 *deadline_ns)
{
	struct sync_pt *pt = to_sync_pt(fence);

	if (!pt)
		return -EINVAL;

	guard(spinlock_irq)(fence->lock);

	if (!test_bit(SYNC_PT_DEADLINE_BIT, &fence->flags))
		return -ENOENT;

	*deadline_ns = ktime_to_ns(pt->deadline);
	return 0;
}

static long sw_sync_ioctl_get_deadline(void __user *arg)
{
	struct sw_sync_get_deadline data;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;

	if (data.deadline_ns || data.pad)
		return -EINVAL;

	fence = sync_file_get_fence(data.fence_fd);
	if (!fence)
		return -EINVAL;

	ret = sync_pt_get_deadline(fence, &data.deadline_ns);
	dma_fence_put(fence);
	if (ret)
		return ret;

	return copy_to_user(arg, &data, sizeof(data)) ? -EFAULT : 0;
}

static long sw_sync_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct sync_timeline *timeline = file->private_data;
	void __user *user_arg = (void __user *)arg;

	/* From here on fences may stay pending for ever. */
	add_taint(TAINT_SOFTLOCKUP, LOCKDEP_STILL_OK);

	switch (cmd) {
	case SW_SYNC_IOC_CREATE_FENCE:
		return sw_sync_ioctl_create_fence(timeline, user_arg);
	case SW_SYNC_IOC_INC:
		return sw_sync_ioctl_inc(timeline, user_arg);
	case SW_SYNC_GET_DEADLINE:
		return sw_sync_ioctl_get_deadline(user_arg);
	default:
		return -ENOTTY;
	}
}

const struct file_operations sw_sync_debugfs_fops = {
	.open = sw_sync_debugfs_open,
	.release = sw_sync_debugfs_release,
	.unlocked_ioctl = sw_sync_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
