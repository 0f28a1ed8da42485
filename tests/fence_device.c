// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that goes while others hold its fences.
 *
 * User space opens /dev/dmabuf_fence_test, gets fences as sync files, has them
 * signalled, closes the device and unloads the module. The driver does what any
 * driver owes before it goes: all fences have signalled, and a grace period has
 * passed since. It holds no reference on its module for fences in the hands of
 * others. So what remains of a fence points to operations, names and a lock that
 * are gone.
 */

#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sync_file.h>

/*
 * Commands. selftests/fence_unload.c and finding.c have their own copies.
 *
 * CREATE makes a fence of the kind that the argument names and returns a sync file.
 * SIGNAL signals as many of the oldest pending fences as the argument says, and
 * returns how many there were. WAIT waits for a sync file, of whatever driver. LOSE
 * makes all work be over, and signals nothing, as when an interrupt is lost.
 */
#define FENCE_TEST_CREATE	_IO('F', 0)
#define FENCE_TEST_SIGNAL	_IO('F', 1)
#define FENCE_TEST_WAIT		_IO('F', 2)
#define FENCE_TEST_LOSE		_IO('F', 3)

enum fence_kind {
	FENCE_PLAIN,	/* has names, and a lock in the timeline */
	FENCE_FULL,	/* has all operations but two, and a lock in the module */
	FENCE_KINDS
};

/* An open file, and its fences. */
struct fence_timeline {
	spinlock_t lock;	/* of plain fences */
	struct mutex mutex;	/* guards the list and the number of the newest */
	struct list_head pending; /* oldest first, each with a reference */
	u64 context;		/* of plain fences; that of the others is the next */
	u64 seqno;		/* of the newest fence */
	u64 done;		/* the work is over up to here; read without the mutex */
	ktime_t deadline;	/* the latest wish; stored without the mutex */
	char name[16];
	struct rcu_head rcu;	/* others read until a grace period after the signal */
};

struct timeline_fence {
	struct dma_fence base;	/* comes first, as dma_fence_free() is to free it */
	struct fence_timeline *timeline;
	struct list_head node;
};

static DEFINE_SPINLOCK(full_fence_lock);

static struct timeline_fence *to_timeline_fence(struct dma_fence *fence)
{
	return container_of(fence, struct timeline_fence, base);
}

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "fence-test";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	return to_timeline_fence(fence)->timeline->name;
}

static bool fence_done(struct dma_fence *fence)
{
	return fence->seqno <= READ_ONCE(to_timeline_fence(fence)->timeline->done);
}

static bool fence_enable_signaling(struct dma_fence *fence)
{
	return !fence_done(fence);
}

static void fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	WRITE_ONCE(to_timeline_fence(fence)->timeline->deadline, deadline);
}

static void fence_value_str(struct dma_fence *fence, char *str, int size)
{
	snprintf(str, size, "%llu", fence->seqno);
}

static void fence_timeline_value_str(struct dma_fence *fence, char *str, int size)
{
	snprintf(str, size, "%llu",
		 READ_ONCE(to_timeline_fence(fence)->timeline->done));
}

/* Neither has release or wait: with these, a fence needs its module to the end. */
static const struct dma_fence_ops fence_ops[FENCE_KINDS] = {
	[FENCE_PLAIN] = {
		.get_driver_name = fence_driver_name,
		.get_timeline_name = fence_timeline_name,
	},
	[FENCE_FULL] = {
		.use_64bit_seqno = true,
		.get_driver_name = fence_driver_name,
		.get_timeline_name = fence_timeline_name,
		.enable_signaling = fence_enable_signaling,
		.signaled = fence_done,
		.set_deadline = fence_set_deadline,
		.fence_value_str = fence_value_str,
		.timeline_value_str = fence_timeline_value_str,
	},
};

/* The caller owns the one reference. The fence is not published yet. */
static struct timeline_fence *
fence_timeline_alloc(struct fence_timeline *timeline, enum fence_kind kind)
{
	struct timeline_fence *fence = kmalloc(sizeof(*fence), GFP_KERNEL);
	spinlock_t *lock = &timeline->lock;

	lockdep_assert_held(&timeline->mutex);

	if (!fence)
		return NULL;

	if (kind == FENCE_FULL)
		lock = &full_fence_lock;
	fence->timeline = timeline;
	dma_fence_init(&fence->base, &fence_ops[kind], lock,
		       timeline->context + kind, timeline->seqno + 1);

	return fence;
}

static int fence_timeline_create(struct fence_timeline *timeline,
				 unsigned long kind)
{
	struct timeline_fence *fence;
	struct sync_file *sync_file;

	if (kind >= FENCE_KINDS)
		return -EINVAL;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	guard(mutex)(&timeline->mutex);

	fence = fence_timeline_alloc(timeline, kind);
	if (!fence)
		return -ENOMEM;

	sync_file = sync_file_create(&fence->base);
	if (!sync_file) {
		dma_fence_put(&fence->base);
		return -ENOMEM;
	}

	timeline->seqno++;
	list_add_tail(&fence->node, &timeline->pending);
	fd_install(fd, sync_file->file);
	return take_fd(fd);
}

static int fence_timeline_signal(struct fence_timeline *timeline,
				 unsigned long count, int error)
{
	struct timeline_fence *fence, *next;
	int signalled = 0;

	guard(mutex)(&timeline->mutex);

	list_for_each_entry_safe(fence, next, &timeline->pending, node) {
		if (signalled == count)
			break;

		list_del(&fence->node);
		/* If the work is over, a test may have signalled the fence. */
		if (error && !dma_fence_is_signaled(&fence->base))
			dma_fence_set_error(&fence->base, error);
		WRITE_ONCE(timeline->done, fence->base.seqno);
		dma_fence_signal(&fence->base);
		dma_fence_put(&fence->base);
		signalled++;
	}

	return signalled;
}

static int fence_timeline_lose(struct fence_timeline *timeline)
{
	guard(mutex)(&timeline->mutex);
	WRITE_ONCE(timeline->done, timeline->seqno);

	return 0;
}

/* The way in which a display driver waits before it shows a picture. */
static long fence_device_wait(int fd)
{
	struct dma_fence *fence = sync_file_get_fence(fd);
	long ret;

	if (!fence)
		return -EINVAL;

	ret = dma_fence_wait(fence, true);
	dma_fence_put(fence);

	return ret;
}

static long fence_device_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct fence_timeline *timeline = file->private_data;

	switch (cmd) {
	case FENCE_TEST_CREATE:
		return fence_timeline_create(timeline, arg);
	case FENCE_TEST_SIGNAL:
		return fence_timeline_signal(timeline, arg, 0);
	case FENCE_TEST_WAIT:
		return fence_device_wait(arg);
	case FENCE_TEST_LOSE:
		return fence_timeline_lose(timeline);
	default:
		return -ENOTTY;
	}
}

static int fence_device_open(struct inode *inode, struct file *file)
{
	struct fence_timeline *timeline = kzalloc(sizeof(*timeline), GFP_KERNEL);

	if (!timeline)
		return -ENOMEM;

	spin_lock_init(&timeline->lock);
	mutex_init(&timeline->mutex);
	INIT_LIST_HEAD(&timeline->pending);
	timeline->context = dma_fence_context_alloc(FENCE_KINDS);
	strscpy(timeline->name, "timeline-test");

	file->private_data = timeline;
	return 0;
}

/* Work that is left over is given up, as by the reset of a device. */
static int fence_device_release(struct inode *inode, struct file *file)
{
	struct fence_timeline *timeline = file->private_data;

	fence_timeline_signal(timeline, ULONG_MAX, -ECANCELED);
	mutex_destroy(&timeline->mutex);
	kfree_rcu(timeline, rcu);

	return 0;
}

static const struct file_operations fence_device_fops = {
	.owner = THIS_MODULE,
	.open = fence_device_open,
	.release = fence_device_release,
	.unlocked_ioctl = fence_device_ioctl,
};

static struct miscdevice fence_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_fence_test",
	.fops = &fence_device_fops,
};

static int __init fence_device_init(void)
{
	return misc_register(&fence_device);
}

/* No file is open, so all fences have signalled. */
static void __exit fence_device_exit(void)
{
	misc_deregister(&fence_device);
	/* A task that found a fence pending may still be in its operations, or hold its lock. */
	synchronize_rcu();
}

module_init(fence_device_init);
module_exit(fence_device_exit);

MODULE_DESCRIPTION("Driver for tests of fences that outlive it");
MODULE_LICENSE("GPL");
