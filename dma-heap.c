// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: one device below /dev/dma_heap for each kind of memory from which
 * user space may allocate buffers.
 *
 * To change here: the device and its ioctl. Memory is up to the heaps, in heaps/.
 */

#include <linux/cdev.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <uapi/linux/dma-heap.h>

#include "dma-buf-internal.h"
#include "dma-heap-internal.h"

#define DMA_HEAP_MINORS	128

/**
 * struct dma_heap - a heap, which is never removed
 * @name: name of the device
 * @ops: operations
 * @priv: the heap's own
 * @minor: minor number of the device
 */
struct dma_heap {
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
	u32 minor;
};

static dev_t dma_heap_devt;
static struct cdev dma_heap_cdev;
static struct class *dma_heap_class;

/* All heaps by minor number. Changes and look-ups take dma_heap_lock. */
static DEFINE_XARRAY_ALLOC(dma_heaps);
static DEFINE_MUTEX(dma_heap_lock);

static bool mem_accounting;
module_param(mem_accounting, bool, 0644);
MODULE_PARM_DESC(mem_accounting,
		 "Charge the pages of system heap buffers to the memory cgroup of the task that allocates (default: no)");

/**
 * dma_heap_mem_accounting() - is memory of buffers charged to cgroups?
 *
 * Context: Any.
 * Return: the module parameter mem_accounting, which may change at any time.
 */
bool dma_heap_mem_accounting(void)
{
	return READ_ONCE(mem_accounting);
}

/* User space */

static bool dma_heap_request_valid(const struct dma_heap_allocation_data *data)
{
	return !data->fd && !(data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS) &&
	       !(data->heap_flags & ~(u64)DMA_HEAP_VALID_HEAP_FLAGS);
}

static struct dma_buf *
dma_heap_buffer_alloc(struct dma_heap *heap,
		      const struct dma_heap_allocation_data *data)
{
	u64 len = PAGE_ALIGN(data->len);

	if (!dma_heap_request_valid(data) || !len)
		return ERR_PTR(-EINVAL);
	/* On 32 bits there is no memory of that size. */
	if (len > ULONG_MAX)
		return ERR_PTR(-ENOMEM);

	return heap->ops->allocate(heap, len, data->fd_flags, data->heap_flags);
}

/* Install the file descriptor after its number has been copied to user space. */
static int dma_heap_publish(struct dma_buf *dmabuf, void __user *arg,
			    struct dma_heap_allocation_data *data, size_t size)
{
	CLASS(get_unused_fd, fd)(data->fd_flags & O_CLOEXEC);

	if (fd < 0)
		return fd;

	data->fd = fd;
	if (copy_to_user(arg, data, size))
		return -EFAULT;

	dma_buf_install_fd(dmabuf, take_fd(fd));

	return 0;
}

static int dma_heap_ioctl_alloc(struct dma_heap *heap, void __user *arg,
				size_t size)
{
	struct dma_heap_allocation_data data = { };
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&data, arg, size))
		return -EFAULT;

	dmabuf = dma_heap_buffer_alloc(heap, &data);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	ret = dma_heap_publish(dmabuf, arg, &data, size);
	if (ret)
		dma_buf_put(dmabuf);

	return ret;
}

/*
 * The argument may be that of an older or a newer header. Members that an older one
 * lacks are zero, members that a newer one adds are neither read nor written. But the
 * number of the descriptor has to fit, or user space could not close it.
 *
 * With a single command there is no table that a wrong number could make the
 * CPU look beyond.
 */
static long dma_heap_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	const unsigned int dirs = _IOC_DIR(DMA_HEAP_IOCTL_ALLOC);
	struct dma_heap *heap = file->private_data;
	size_t size = min_t(size_t, _IOC_SIZE(cmd),
			    sizeof(struct dma_heap_allocation_data));

	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC) ||
	    (_IOC_DIR(cmd) & dirs) != dirs ||
	    size < offsetofend(struct dma_heap_allocation_data, fd))
		return -EINVAL;

	return dma_heap_ioctl_alloc(heap, (void __user *)arg, size);
}

static int dma_heap_open(struct inode *inode, struct file *file)
{
	struct dma_heap *heap;

	/* Wait for a heap whose device appears before it has been added completely. */
	scoped_guard(mutex, &dma_heap_lock)
		heap = xa_load(&dma_heaps, iminor(inode));
	if (!heap)
		return -ENODEV;

	file->private_data = heap;

	return nonseekable_open(inode, file);
}

static const struct file_operations dma_heap_fops = {
	.owner = THIS_MODULE,
	.open = dma_heap_open,
	.unlocked_ioctl = dma_heap_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Heaps */

/**
 * dma_heap_get_drvdata() - get the heap's own data
 * @heap: heap
 *
 * Context: Any.
 * Return: &dma_heap_export_info.priv.
 */
void *dma_heap_get_drvdata(struct dma_heap *heap)
{
	return heap->priv;
}
EXPORT_SYMBOL_NS_GPL(dma_heap_get_drvdata, DMA_BUF_HEAP);

/**
 * dma_heap_get_name() - get the name of a heap
 * @heap: heap
 *
 * Context: Any.
 * Return: &dma_heap_export_info.name.
 */
const char *dma_heap_get_name(struct dma_heap *heap)
{
	return heap->name;
}
EXPORT_SYMBOL_NS_GPL(dma_heap_get_name, DMA_BUF_HEAP);

static bool dma_heap_name_taken(const char *name)
{
	struct dma_heap *heap;
	unsigned long minor;

	lockdep_assert_held(&dma_heap_lock);

	xa_for_each(&dma_heaps, minor, heap)
		if (!strcmp(heap->name, name))
			return true;

	return false;
}

/* Do all steps that can fail. The minor number has been reserved before. */
static int dma_heap_create_device(struct dma_heap *heap,
				  const struct attribute_group **groups)
{
	struct device *dev;
	int ret;

	ret = xa_alloc(&dma_heaps, &heap->minor, NULL,
		       XA_LIMIT(0, DMA_HEAP_MINORS - 1), GFP_KERNEL);
	if (ret)
		return ret;

	dev = device_create_with_groups(dma_heap_class, NULL,
					MKDEV(MAJOR(dma_heap_devt), heap->minor),
					heap, groups, "%s", heap->name);
	if (IS_ERR(dev))
		xa_release(&dma_heaps, heap->minor);

	return PTR_ERR_OR_ZERO(dev);
}

static int dma_heap_publish_heap(struct dma_heap *heap,
				 const struct attribute_group **groups)
{
	int ret;

	guard(mutex)(&dma_heap_lock);

	if (dma_heap_name_taken(heap->name))
		return -EEXIST;

	ret = dma_heap_create_device(heap, groups);
	if (ret)
		return ret;

	/* The reservation has made room: this cannot fail. */
	xa_store(&dma_heaps, heap->minor, heap, GFP_KERNEL);

	return 0;
}

/**
 * dma_heap_add_with_groups() - dma_heap_add() with attributes in sysfs
 * @exp_info: as for dma_heap_add()
 * @groups: attributes of the device, NULL for none. The driver data of that is the
 *	heap.
 *
 * Context: Process context, may sleep. After subsys_initcall.
 * Return: as dma_heap_add().
 */
struct dma_heap *dma_heap_add_with_groups(const struct dma_heap_export_info *exp_info,
					  const struct attribute_group **groups)
{
	struct dma_heap *heap;
	int ret;

	if (!exp_info->name || !*exp_info->name || !exp_info->ops ||
	    !exp_info->ops->allocate)
		return ERR_PTR(-EINVAL);

	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);

	heap->name = exp_info->name;
	heap->ops = exp_info->ops;
	heap->priv = exp_info->priv;

	ret = dma_heap_publish_heap(heap, groups);
	if (ret) {
		kfree(heap);
		return ERR_PTR(ret);
	}

	return heap;
}

/**
 * dma_heap_add() - add a heap, for ever
 * @exp_info: name, which is not copied, operations, and private data
 *
 * User space may allocate from it as soon as its device shows up, which is
 * before this returns. A module that adds a heap has to stay, so it has no
 * module_exit(). It imports the namespace DMA_BUF_HEAP.
 *
 * Context: Process context, may sleep. After subsys_initcall.
 * Return: the heap, or ERR_PTR:
 *
 * * -EINVAL - no name, no operations, or no &dma_heap_ops.allocate
 * * -EEXIST - there is a heap of that name
 * * -EBUSY - there are 128 heaps
 * * -ENOMEM, or the errno of device_create()
 */
struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info)
{
	return dma_heap_add_with_groups(exp_info, NULL);
}
EXPORT_SYMBOL_NS_GPL(dma_heap_add, DMA_BUF_HEAP);

static char *dma_heap_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "dma_heap/%s", dev_name(dev));
}

static int __init dma_heap_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&dma_heap_devt, 0, DMA_HEAP_MINORS,
				  "dma_heap");
	if (ret)
		return ret;

	dma_heap_class = class_create("dma_heap");
	if (IS_ERR(dma_heap_class)) {
		ret = PTR_ERR(dma_heap_class);
		goto err_unregister;
	}
	dma_heap_class->devnode = dma_heap_devnode;

	cdev_init(&dma_heap_cdev, &dma_heap_fops);
	ret = cdev_add(&dma_heap_cdev, dma_heap_devt, DMA_HEAP_MINORS);
	if (ret)
		goto err_destroy;

	return 0;

err_destroy:
	class_destroy(dma_heap_class);
	/* Refuse heaps from now on. */
	dma_heap_class = NULL;
err_unregister:
	unregister_chrdev_region(dma_heap_devt, DMA_HEAP_MINORS);
	return ret;
}
subsys_initcall(dma_heap_init);
