// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the suites that are not mocks.
 */

#include <kunit/device.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "test_util.h"

/**
 * test_device() - a device that reaches all memory
 * @test: case, with which it goes
 * @name: its name
 * @max_seg: longest segment that it takes, in bytes
 *
 * Return: the device.
 */
struct device *test_device(struct kunit *test, const char *name,
			   unsigned int max_seg)
{
	struct device *dev = kunit_device_register(test, name);
	const u64 mask = DMA_BIT_MASK(64);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, mask), 0);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	dma_set_max_seg_size(dev, max_seg);

	return dev;
}

/**
 * test_interrupt_self() - make every interruptible sleep of this thread fail
 *
 * A call that would have to wait returns its error now, a call that need not
 * wait does not notice: so a case learns which of the two it is without a
 * second thread. Lasts until flush_signals(), see test_interrupted().
 */
void test_interrupt_self(void)
{
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
}

/**
 * test_fd_is_installed() - could user space use or close a descriptor by now
 * @fd: descriptor
 *
 * Return: whether it refers to a file.
 */
bool test_fd_is_installed(int fd)
{
	struct file *file = fget(fd);

	if (file)
		fput(file);
	return file;
}

/**
 * test_next_fd() - which descriptor is the next one
 *
 * Return: the number, if no other task opens a file meanwhile.
 */
int test_next_fd(void)
{
	int fd = get_unused_fd_flags(0);

	put_unused_fd(fd);
	return fd;
}

static void fd_close(void *data)
{
	close_fd((long)data);
}

/**
 * test_close_later() - close a descriptor when the case ends
 * @test: case
 * @fd: descriptor
 */
void test_close_later(struct kunit *test, int fd)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fd_close, (void *)(long)fd));
}

/**
 * test_expect_refs() - compare the number of references to a file
 * @test: case
 * @file: file
 * @refs: expected number
 *
 * Walks over all buffers hold references for moments, so this gives them time.
 */
void test_expect_refs(struct kunit *test, struct file *file, long refs)
{
	for (int i = 0; i < 10 && file_count(file) != refs; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, file_count(file), refs);
}

/**
 * test_resv_add() - add one fence to a reservation object that is not locked
 * @test: case
 * @resv: reservation object
 * @fence: fence
 * @usage: what it is used for
 */
void test_resv_add(struct kunit *test, struct dma_resv *resv,
		   struct dma_fence *fence, enum dma_resv_usage usage)
{
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* a thread that after a while signals a fence, or sends a signal to a task */
struct later_signal {
	struct delayed_work work;
	struct dma_fence *fence;
	struct task_struct *task;
};

static void later_signal_work(struct work_struct *work)
{
	struct later_signal *later = container_of(to_delayed_work(work),
						  struct later_signal, work);

	if (later->task)
		send_sig(SIGUSR1, later->task, 1);
	else
		dma_fence_signal(later->fence);
}

static void later_signal_cancel(void *data)
{
	struct later_signal *later = data;

	cancel_delayed_work_sync(&later->work);
}

static void later_start(struct kunit *test, struct dma_fence *fence,
			struct task_struct *task, unsigned int msecs)
{
	struct later_signal *later = kunit_kzalloc(test, sizeof(*later),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, later);
	later->fence = fence;
	later->task = task;
	INIT_DELAYED_WORK(&later->work, later_signal_work);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, later_signal_cancel,
						  later));
	schedule_delayed_work(&later->work, msecs_to_jiffies(msecs));
}

/**
 * test_signal_later() - signal a fence from a worker
 * @test: case
 * @fence: fence, owned by the case
 * @msecs: when
 */
void test_signal_later(struct kunit *test, struct dma_fence *fence,
		       unsigned int msecs)
{
	later_start(test, fence, NULL, msecs);
}

/**
 * test_interrupt_later() - interrupt this thread while it sleeps
 * @test: case
 * @msecs: when; lasts until flush_signals()
 */
void test_interrupt_later(struct kunit *test, unsigned int msecs)
{
	allow_signal(SIGUSR1);
	later_start(test, NULL, current, msecs);
}

static unsigned long user_map(struct kunit *test, struct file *file,
			      unsigned long prot, unsigned long flags)
{
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_MMU))
		kunit_skip(test, "needs an MMU");

	addr = kunit_vm_mmap(test, file, 0, PAGE_SIZE, prot, flags, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/**
 * test_user_page() - a page of user memory
 * @test: case
 *
 * Return: address of the zeroed page.
 */
void __user *test_user_page(struct kunit *test)
{
	return (void __user *)user_map(test, NULL, PROT_READ | PROT_WRITE,
				       MAP_ANONYMOUS | MAP_PRIVATE);
}

/**
 * test_user_hole() - a user address with nothing behind it
 * @test: case
 *
 * Return: the address.
 */
void __user *test_user_hole(struct kunit *test)
{
	unsigned long addr = user_map(test, NULL, PROT_READ | PROT_WRITE,
				      MAP_ANONYMOUS | MAP_PRIVATE);

	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	return (void __user *)addr;
}

KUNIT_DEFINE_ACTION_WRAPPER(fput_wrapper, fput, struct file *);

/**
 * test_user_readonly() - a page of user memory that can only be read
 * @test: case
 * @data: what it begins with
 * @size: bytes of @data
 *
 * Return: address of the page.
 */
void __user *test_user_readonly(struct kunit *test, const void *data,
				size_t size)
{
	struct file *file = shmem_file_setup("dma-buf-kunit", PAGE_SIZE, 0);
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, fput_wrapper, file));
	KUNIT_ASSERT_EQ(test, kernel_write(file, data, size, &pos), size);

	return (void __user *)user_map(test, file, PROT_READ, MAP_PRIVATE);
}

KUNIT_DEFINE_ACTION_WRAPPER(mntput_wrapper, mntput, struct vfsmount *);

/**
 * test_mount() - an internal mount of a pseudo filesystem
 * @test: case
 * @fstype: name of the filesystem type
 *
 * Return: the mount; it goes with the case.
 */
struct vfsmount *test_mount(struct kunit *test, const char *fstype)
{
	struct file_system_type *type = get_fs_type(fstype);
	struct vfsmount *mnt;

	KUNIT_ASSERT_NOT_NULL(test, type);
	mnt = vfs_kern_mount(type, 0, fstype, NULL);
	put_filesystem(type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, mntput_wrapper, mnt));
	return mnt;
}

/**
 * test_open() - open for reading
 * @mnt: mount
 * @path: path below it
 *
 * Return: file or ERR_PTR; the caller puts it.
 */
struct file *test_open(struct vfsmount *mnt, const char *path)
{
	return file_open_root_mnt(mnt, path, O_RDONLY, 0);
}

/**
 * test_read_file() - read from the start
 * @test: case
 * @file: file
 * @buf: where to put it, with a NUL behind
 * @size: bytes of @buf, at most %PAGE_SIZE
 *
 * Return: number of bytes without the NUL, or errno.
 */
ssize_t test_read_file(struct kunit *test, struct file *file, char *buf,
		       size_t size)
{
	char __user *user = test_user_page(test);
	loff_t pos = 0;
	ssize_t ret;

	ret = vfs_read(file, user, size - 1, &pos);
	if (ret < 0)
		return ret;
	KUNIT_ASSERT_EQ(test, copy_from_user(buf, user, ret), 0);
	buf[ret] = '\0';

	return ret;
}
