// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers from memfds: the device /dev/udmabuf, its ioctls and limits, and how a buffer
 * is created. Operations on a buffer are in udmabuf-ops.c, its pages in udmabuf-runs.c.
 */

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/memfd.h>
#include <linux/miscdevice.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "udmabuf-internal.h"

/* A frame of 3840 x 2160 has 8,100 pages, which may be scattered in a guest's memory. */
static unsigned int list_limit = 8192;
static unsigned int size_limit_mb = 256;

/*
 * -1 means no limit but @max, which the types of numbers impose. Errors of parsing are
 * not worth telling apart.
 */
static int udmabuf_set_limit(const char *val, const struct kernel_param *param,
			     unsigned int max)
{
	if (sysfs_streq(val, "-1")) {
		*(unsigned int *)param->arg = max;
		return 0;
	}

	return param_set_uint_minmax(val, param, 1, max) ? -EINVAL : 0;
}

static int udmabuf_set_list_limit(const char *val, const struct kernel_param *param)
{
	return udmabuf_set_limit(val, param, UDMABUF_MAX_LIST);
}

static int udmabuf_set_size_limit(const char *val, const struct kernel_param *param)
{
	return udmabuf_set_limit(val, param, UDMABUF_MAX_SIZE_MB);
}

static const struct kernel_param_ops udmabuf_list_limit_ops = {
	.set = udmabuf_set_list_limit,
	.get = param_get_uint,
};

static const struct kernel_param_ops udmabuf_size_limit_ops = {
	.set = udmabuf_set_size_limit,
	.get = param_get_uint,
};

module_param_cb(list_limit, &udmabuf_list_limit_ops, &list_limit, 0644);
__MODULE_PARM_TYPE(list_limit, "int");
MODULE_PARM_DESC(list_limit, "pieces that a buffer may be made of, default 8192");

module_param_cb(size_limit_mb, &udmabuf_size_limit_ops, &size_limit_mb, 0644);
__MODULE_PARM_TYPE(size_limit_mb, "int");
MODULE_PARM_DESC(size_limit_mb, "size that a buffer may have in MiB, default 256");

/**
 * udmabuf_check_items() - check what can be checked without the memfds
 * @items: pieces of memfds
 * @count: number of pieces
 * @limit_mb: size that all together may have, in MiB
 *
 * Return: 0, -EINVAL if one is not aligned, or the total size is 0 or above the limit.
 */
int udmabuf_check_items(const struct udmabuf_create_item *items, u32 count,
			unsigned int limit_mb)
{
	u64 limit = min_t(u64, limit_mb, UDMABUF_MAX_SIZE_MB) << 20;
	u64 total = 0;

	for (u32 i = 0; i < count; i++) {
		if (!PAGE_ALIGNED(items[i].offset) || !PAGE_ALIGNED(items[i].size))
			return -EINVAL;
		if (check_add_overflow(total, items[i].size, &total) ||
		    total > limit)
			return -EINVAL;
	}

	return total ? 0 : -EINVAL;
}

/*
 * Require the seal against shrinking, and refuse seals against writing: the buffer does
 * not look at seals again.
 */
static int udmabuf_check_seals(struct file *memfd)
{
	long seals = memfd_fcntl(memfd, F_GET_SEALS, 0);

	if (seals < 0)
		return -EBADFD;

	return (seals & (F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) ==
	       F_SEAL_SHRINK ? 0 : -EINVAL;
}

/*
 * A task that adds a seal against writing looks for pins under the lock of the inode. So
 * check the seals and pin under that lock.
 */
static int udmabuf_add_item(struct udmabuf *ubuf,
			    const struct udmabuf_create_item *item)
{
	struct file *memfd __free(fput) = fget(item->memfd);
	int ret;

	if (!memfd || !(shmem_file(memfd) || is_file_hugepages(memfd)))
		return -EBADFD;

	/* The buffer must not give more access than the caller's memfd. */
	if (!(memfd->f_mode & FMODE_WRITE))
		ubuf->read_only = true;

	inode_lock_shared(file_inode(memfd));
	ret = udmabuf_check_seals(memfd);
	if (!ret)
		ret = udmabuf_runs_pin(&ubuf->runs, memfd, item->offset, item->size);
	inode_unlock_shared(file_inode(memfd));

	return ret;
}

static struct udmabuf *udmabuf_alloc(const struct udmabuf_create_item *items,
				     u32 count)
{
	struct udmabuf *ubuf;
	int ret = 0;

	ubuf = kzalloc(sizeof(*ubuf), GFP_KERNEL);
	if (!ubuf)
		return ERR_PTR(-ENOMEM);

	INIT_LIST_HEAD(&ubuf->mappings);
	for (u32 i = 0; i < count && !ret; i++)
		ret = udmabuf_add_item(ubuf, &items[i]);
	if (!ret)
		return ubuf;

	udmabuf_runs_free(&ubuf->runs);
	kfree(ubuf);
	return ERR_PTR(ret);
}

/* Once dma_buf_export() has succeeded, the release of the buffer frees the memory. */
static int udmabuf_publish(struct udmabuf *ubuf, u32 flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *buf;
	int fd;

	info.ops = &udmabuf_ops;
	info.size = (size_t)udmabuf_runs_pages(&ubuf->runs) << PAGE_SHIFT;
	info.flags = ubuf->read_only ? O_RDONLY : O_RDWR;
	info.priv = ubuf;

	buf = dma_buf_export(&info);
	if (IS_ERR(buf)) {
		udmabuf_runs_free(&ubuf->runs);
		kfree(ubuf);
		return PTR_ERR(buf);
	}

	fd = dma_buf_fd(buf, flags & UDMABUF_FLAGS_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		dma_buf_put(buf);

	return fd;
}

static int udmabuf_create(const struct udmabuf_create_item *items, u32 count,
			  u32 flags)
{
	struct udmabuf *ubuf;
	int ret;

	ret = udmabuf_check_items(items, count, READ_ONCE(size_limit_mb));
	if (ret)
		return ret;

	ubuf = udmabuf_alloc(items, count);
	if (IS_ERR(ubuf))
		return PTR_ERR(ubuf);

	return udmabuf_publish(ubuf, flags);
}

static long udmabuf_ioctl_create(const struct udmabuf_create __user *arg)
{
	struct udmabuf_create_item item = {};
	struct udmabuf_create create;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;

	item.memfd = create.memfd;
	item.offset = create.offset;
	item.size = create.size;

	return udmabuf_create(&item, 1, create.flags);
}

static long udmabuf_ioctl_create_list(const struct udmabuf_create_list __user *arg)
{
	struct udmabuf_create_item *items __free(kvfree) = NULL;
	struct udmabuf_create_list head;
	size_t size;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;

	if (!head.count ||
	    head.count > min(READ_ONCE(list_limit), UDMABUF_MAX_LIST))
		return -EINVAL;

	size = array_size(head.count, sizeof(*items));
	items = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!items)
		return -ENOMEM;

	if (copy_from_user(items, arg->list, size))
		return -EFAULT;

	return udmabuf_create(items, head.count, head.flags);
}

static long udmabuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case UDMABUF_CREATE:
		return udmabuf_ioctl_create(user);
	case UDMABUF_CREATE_LIST:
		return udmabuf_ioctl_create_list(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations udmabuf_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = udmabuf_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice udmabuf_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "udmabuf",
	.fops = &udmabuf_fops,
};

static int __init udmabuf_init(void)
{
	return misc_register(&udmabuf_device);
}
device_initcall(udmabuf_init);
