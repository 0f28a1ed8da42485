// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sync files: fences as file descriptors.
 *
 * To change here: poll, merge, the facts about a fence, and fdinfo. The ABI is in
 * uapi/linux/sync_file.h. Fences themselves are in dma-fence*.c.
 */

#include <linux/anon_inodes.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/instruction_pointer.h>
#include <linux/kallsyms.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/sync_file.h>

#include "dma-buf-cleanup.h"
#include "dma-fence-internal.h"
#include "sync_debug.h"

#include <trace/events/dma_buf.h>

/**
 * DOC: sync files
 *
 * A sync file gives a fence to user space, as a file descriptor. It can be polled,
 * merged with another, asked about its fences, and passed to any driver that takes
 * one. The fence in it never changes.
 *
 * A driver that hands one out takes an unused descriptor, calls
 * sync_file_create(), and, when nothing can fail any more, fd_install() on
 * &sync_file.file. A driver that takes one gets the fence from
 * sync_file_get_fence().
 *
 * A sync file holds a reference on its fence, but not on the objects behind it: the
 * device, the queue, or the module of the driver may go once the fence has signalled.
 * From then on the driver is not asked any more, and the names are constants. See
 * Documentation/driver-api/sync_file.rst, `How Long Names Are Valid`.
 */

/* Limit for the fences that fdinfo shows one by one. */
#define SYNC_FILE_FDINFO_FENCES	16

static const struct file_operations sync_file_fops;

/* The sync file is not published before sync_file_debug_add(). */
static struct sync_file *sync_file_alloc(struct dma_fence *fence,
					 unsigned long creator)
{
	struct sync_file *sync_file = kzalloc(sizeof(*sync_file), GFP_KERNEL);

	if (!sync_file)
		return NULL;

	sync_file->file = anon_inode_getfile("sync_file", &sync_file_fops,
					     sync_file, 0);
	if (IS_ERR(sync_file->file)) {
		kfree(sync_file);
		return NULL;
	}

	init_waitqueue_head(&sync_file->wq);
	sync_file->fence = dma_fence_get(fence);
	sync_file->creator = creator;
	trace_sync_file_create(sync_file);

	return sync_file;
}

/**
 * sync_file_create() - create a sync file
 * @fence: fence of any kind; the sync file takes a reference of its own
 *
 * The result belongs to the caller, which publishes &sync_file.file by fd_install(), or
 * drops it by fput().
 *
 * Context: Process context, may sleep to allocate.
 * Return: sync file, NULL on any failure.
 */
struct sync_file *sync_file_create(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_alloc(fence, _RET_IP_);

	if (sync_file)
		sync_file_debug_add(sync_file);

	return sync_file;
}
EXPORT_SYMBOL(sync_file_create);

static int sync_file_release(struct inode *inode, struct file *file)
{
	struct sync_file *sync_file = file->private_data;

	trace_sync_file_release(sync_file);
	sync_file_debug_remove(sync_file);
	if (test_bit(POLL_ENABLED, &sync_file->flags))
		dma_fence_remove_callback(sync_file->fence, &sync_file->cb);
	dma_fence_put(sync_file->fence);
	kfree(sync_file);

	return 0;
}

/**
 * sync_file_get_fence() - get the fence of a sync file
 * @fd: file descriptor
 *
 * Context: Process context.
 * Return: fence with a reference, NULL if @fd is not that of a sync file.
 */
struct dma_fence *sync_file_get_fence(int fd)
{
	struct sync_file *sync_file;

	CLASS(fd, f)(fd);

	if (!fd_file(f) || fd_file(f)->f_op != &sync_file_fops)
		return NULL;

	sync_file = fd_file(f)->private_data;
	return dma_fence_get(sync_file->fence);
}
EXPORT_SYMBOL(sync_file_get_fence);

/**
 * sync_file_get_name() - name of a sync file
 * @sync_file: sync file
 * @buf: memory for the name
 * @len: bytes in @buf; a longer name is cut off
 *
 * The name that user space gave, or else driver, timeline, context and number of
 * the fence, as far as the driver can still be asked.
 *
 * Context: Any.
 * Return: @buf.
 */
char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len)
{
	struct dma_fence *fence = sync_file->fence;

	if (sync_file->user_name[0]) {
		strscpy(buf, sync_file->user_name, len);
		return buf;
	}

	guard(rcu)();

	snprintf(buf, len, "%s-%s%llu-%lld", dma_fence_driver_name_rcu(fence),
		 dma_fence_timeline_name_rcu(fence), fence->context,
		 fence->seqno);

	return buf;
}

static void sync_file_fence_signaled(struct dma_fence *fence,
				     struct dma_fence_cb *cb)
{
	wake_up_all(&container_of(cb, struct sync_file, cb)->wq);
}

/**
 * sync_file_is_poll_cb() - does a callback wake tasks that poll a sync file?
 * @cb: callback of a fence whose lock the caller holds
 *
 * Context: Any.
 * Return: true if it does.
 */
bool sync_file_is_poll_cb(struct dma_fence_cb *cb)
{
	return cb->func == sync_file_fence_signaled;
}

/*
 * There is one callback, added by the first poller that has to wait. No wake-up is lost:
 *
 *	poller				signaller of the fence
 *	------				----------------------
 *	enter wait queue		set signalled flag
 *	callback asked for?		call callbacks
 *	  no: add it			  wake the queue
 *	fence signalled?  no
 *	sleep
 *
 * If the poller does not see the flag at the end, the callback will run later, and
 * finds the poller in the queue. That also holds for a second poller, which may find
 * the callback asked for but not added yet: if adding fails because the fence has
 * signalled, the first poller wakes the queue in place of the callback.
 */
static __poll_t sync_file_poll(struct file *file, poll_table *wait)
{
	struct sync_file *sync_file = file->private_data;
	struct dma_fence *fence = sync_file->fence;

	poll_wait(file, &sync_file->wq, wait);

	if (!test_bit(POLL_ENABLED, &sync_file->flags) &&
	    !test_and_set_bit(POLL_ENABLED, &sync_file->flags) &&
	    dma_fence_add_callback(fence, &sync_file->cb,
				   sync_file_fence_signaled))
		wake_up_all(&sync_file->wq);

	return dma_fence_is_signaled(fence) ? EPOLLIN : 0;
}

static struct sync_file *sync_file_merge(struct sync_file *sync_file,
					 const struct sync_merge_data *data)
{
	struct dma_fence *other __free(dma_fence_put) =
		sync_file_get_fence(data->fd2);
	if (!other)
		return ERR_PTR(-ENOENT);

	struct dma_fence *fence __free(dma_fence_put) =
		dma_fence_unwrap_merge(sync_file->fence, other);
	if (!fence)
		return ERR_PTR(-ENOMEM);

	struct sync_file *merged = sync_file_alloc(fence, (unsigned long)sync_file_merge);

	if (!merged)
		return ERR_PTR(-ENOMEM);

	strscpy(merged->user_name, data->name);
	sync_file_debug_add(merged);
	return merged;
}

static long sync_file_ioctl_merge(struct sync_file *sync_file,
				  void __user *arg)
{
	struct sync_merge_data data;
	struct sync_file *merged;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;

	if (data.flags || data.pad)
		return -EINVAL;

	merged = sync_file_merge(sync_file, &data);
	if (IS_ERR(merged))
		return PTR_ERR(merged);

	data.fence = fd;
	if (copy_to_user(arg, &data, sizeof(data))) {
		fput(merged->file);
		return -EFAULT;
	}

	fd_install(take_fd(fd), merged->file);
	return 0;
}

static unsigned int sync_file_count_fences(struct sync_file *sync_file)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int num_fences = 0;

	dma_fence_unwrap_for_each(fence, &cursor, sync_file->fence)
		num_fences++;

	return num_fences;
}

static void sync_file_describe_fence(struct dma_fence *fence,
				     struct sync_fence_info *info)
{
	memset(info, 0, sizeof(*info));

	info->status = dma_fence_get_status(fence);
	if (info->status)
		info->timestamp_ns = ktime_to_ns(dma_fence_timestamp(fence));

	guard(rcu)();

	strscpy(info->obj_name, dma_fence_timeline_name_rcu(fence));
	strscpy(info->driver_name, dma_fence_driver_name_rcu(fence));
}

/*
 * Copy the facts about one fence at a time, which takes no memory for their number.
 * Links of a chain may go meanwhile, but none are added.
 */
static int sync_file_fill_info(struct sync_file *sync_file,
			       struct sync_file_info *info)
{
	struct sync_fence_info __user *to =
		u64_to_user_ptr(info->sync_fence_info);
	unsigned int room = info->num_fences;
	struct sync_fence_info fence_info;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;

	info->status = 1;
	info->num_fences = 0;
	dma_fence_unwrap_for_each(fence, &cursor, sync_file->fence) {
		if (WARN_ON_ONCE(info->num_fences == room)) {
			dma_fence_put(cursor.chain);
			break;
		}

		sync_file_describe_fence(fence, &fence_info);
		if (info->status > 0 && fence_info.status <= 0)
			info->status = fence_info.status;

		if (copy_to_user(to + info->num_fences, &fence_info,
				 sizeof(fence_info))) {
			dma_fence_put(cursor.chain);
			return -EFAULT;
		}
		info->num_fences++;
	}

	return 0;
}

static long sync_file_ioctl_info(struct sync_file *sync_file, void __user *arg)
{
	struct sync_file_info info;
	unsigned int num_fences;
	int ret;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;

	if (info.flags || info.pad)
		return -EINVAL;

	num_fences = sync_file_count_fences(sync_file);
	if (info.num_fences && info.num_fences < num_fences)
		return -EINVAL;

	if (info.num_fences) {
		ret = sync_file_fill_info(sync_file, &info);
		if (ret)
			return ret;
	} else {
		info.status = dma_fence_get_status(sync_file->fence);
		info.num_fences = num_fences;
	}

	memset(info.name, 0, sizeof(info.name));
	sync_file_get_name(sync_file, info.name, sizeof(info.name));

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long sync_file_ioctl_set_deadline(struct sync_file *sync_file,
					 const void __user *arg)
{
	struct sync_set_deadline deadline;

	if (copy_from_user(&deadline, arg, sizeof(deadline)))
		return -EFAULT;

	if (deadline.pad)
		return -EINVAL;

	/* A time beyond the range of ktime_t means never. */
	dma_fence_set_deadline(sync_file->fence,
			       ns_to_ktime(min_t(u64, deadline.deadline_ns,
						 KTIME_MAX)));
	return 0;
}

static long sync_file_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct sync_file *sync_file = file->private_data;
	void __user *user_arg = (void __user *)arg;

	switch (cmd) {
	case SYNC_IOC_MERGE:
		return sync_file_ioctl_merge(sync_file, user_arg);
	case SYNC_IOC_FILE_INFO:
		return sync_file_ioctl_info(sync_file, user_arg);
	case SYNC_IOC_SET_DEADLINE:
		return sync_file_ioctl_set_deadline(sync_file, user_arg);
	default:
		return -ENOTTY;
	}
}

static void sync_file_show_status(struct seq_file *m, struct dma_fence *fence)
{
	int status = dma_fence_peek_status(fence);

	if (status < 0)
		seq_printf(m, "error=%d", status);
	else
		seq_puts(m, status ? "signaled" : "active");
}

/* Blanks separate the items of a line of fdinfo. */
static void sync_file_show_name(struct seq_file *m, const char *name)
{
	seq_escape(m, name, " \t\n\\");
}

static void sync_file_show_fence(struct seq_file *m, struct dma_fence *fence)
{
	struct timespec64 ts;

	seq_puts(m, "sync_fence:\t");
	sync_file_show_status(m, fence);

	scoped_guard(rcu) {
		seq_putc(m, ' ');
		sync_file_show_name(m, dma_fence_driver_name_rcu(fence));
		seq_putc(m, ' ');
		sync_file_show_name(m, dma_fence_timeline_name_rcu(fence));
	}
	seq_printf(m, " %llu:%llu", fence->context, fence->seqno);

	if (dma_fence_signaled_flag(fence)) {
		ts = ktime_to_timespec64(dma_fence_timestamp(fence));
		seq_printf(m, " %lld.%09ld", (s64)ts.tv_sec, ts.tv_nsec);
	}
	seq_putc(m, '\n');
}

/*
 * Show the first fences, or only count them all if @m is NULL. This is not
 * dma_fence_unwrap_for_each(), which asks the drivers.
 */
static unsigned int sync_file_visit_fences(struct seq_file *m,
					   struct dma_fence *head)
{
	struct dma_fence *element, *fence;
	unsigned int i, num_fences = 0;

	for (element = dma_fence_get(head); element;
	     element = dma_fence_chain_older(element)) {
		dma_fence_array_for_each(fence, i,
					 dma_fence_chain_contained(element)) {
			if (m && num_fences < SYNC_FILE_FDINFO_FENCES)
				sync_file_show_fence(m, fence);
			num_fences++;
		}
		cond_resched();
	}

	return num_fences;
}

/* The function may be in a module that has gone, which leaves a bare address. */
static void sync_file_show_creator(struct seq_file *m, unsigned long creator)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", (void *)creator);
	seq_printf(m, "sync_by:\t%s\n", name[0] == '0' ? "unknown" : name);
}

/*
 * Shows the flag of a fence, without asking its driver. So the work of a fence without
 * waiters may be over although its status is "active".
 */
static void sync_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sync_file *sync_file = file->private_data;
	struct dma_fence *fence = sync_file->fence;
	char name[128];

	seq_puts(m, "sync_name:\t");
	sync_file_show_name(m, sync_file_get_name(sync_file, name, sizeof(name)));
	seq_puts(m, "\nsync_status:\t");
	sync_file_show_status(m, fence);
	seq_putc(m, '\n');
	sync_file_show_creator(m, sync_file->creator);
	seq_printf(m, "sync_fences:\t%u\n", sync_file_visit_fences(NULL, fence));
	sync_file_visit_fences(m, fence);
}

static const struct file_operations sync_file_fops = {
	.release = sync_file_release,
	.show_fdinfo = sync_file_show_fdinfo,
	.poll = sync_file_poll,
	.unlocked_ioctl = sync_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
