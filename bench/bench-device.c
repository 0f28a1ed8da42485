// SPDX-License-Identifier: GPL-2.0-only
/* Buffers and sync files with fences that stay pending, for user space. */

#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "bench.h"
#include "bench-device.h"

/* The fences of the pool up to here are in use for good. */
static unsigned int device_used;

static struct dma_fence *device_fence(void)
{
	struct dma_fence *fence = &bench_fences[device_used++ % BENCH_FENCES];

	bench_fence_init(fence, dma_fence_context_alloc(1), 1);
	return fence;
}

static int device_add_fences(struct dma_buf *dmabuf, u32 count)
{
	int ret = 0;

	dma_resv_lock(dmabuf->resv, NULL);
	while (count-- && !ret) {
		ret = dma_resv_reserve_fences(dmabuf->resv, 1);
		if (!ret)
			dma_resv_add_fence(dmabuf->resv, device_fence(),
					   DMA_RESV_USAGE_WRITE);
	}
	dma_resv_unlock(dmabuf->resv);

	return ret;
}

static long device_buffer(u32 count)
{
	struct dma_buf *dmabuf = bench_buffer_export();
	long ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	ret = device_add_fences(dmabuf, count);
	if (!ret)
		ret = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);

	return ret;
}

static struct dma_fence *device_array(u32 count)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;
	unsigned int i;

	if (!count)
		return dma_fence_get_stub();
	if (count == 1)
		return device_fence();

	fences = kmalloc_array(count, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	for (i = 0; i < count; i++)
		fences[i] = device_fence();

	array = dma_fence_array_create(count, fences,
				       dma_fence_context_alloc(1), 1, false);
	return array ? &array->base : NULL;
}

static long device_sync_file(u32 count)
{
	struct dma_fence *fence = device_array(count);
	struct sync_file *sync_file;
	int fd;

	if (!fence)
		return -ENOMEM;

	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file)
		return -ENOMEM;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		fput(sync_file->file);
	else
		fd_install(fd, sync_file->file);

	return fd;
}

static long device_vmap(u64 __user *arg)
{
	struct dma_buf *dmabuf;
	struct iosys_map map;
	u64 value, time;
	int ret;

	if (get_user(value, arg))
		return -EFAULT;

	dmabuf = dma_buf_get(value);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	time = ktime_get_ns();
	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (!ret)
		dma_buf_vunmap_unlocked(dmabuf, &map);
	time = ktime_get_ns() - time;

	dma_buf_put(dmabuf);
	return ret ?: put_user(time, arg);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	u32 count;

	switch (cmd) {
	case BENCH_IOC_BUFFER:
	case BENCH_IOC_SYNC_FILE:
		if (get_user(count, (u32 __user *)user))
			return -EFAULT;
		return cmd == BENCH_IOC_BUFFER ? device_buffer(count) :
						 device_sync_file(count);
	case BENCH_IOC_VMAP:
		return device_vmap(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
};

static struct miscdevice device_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dma_buf_bench",
	.fops = &device_fops,
};

int bench_device_init(void)
{
	return misc_register(&device_misc);
}

void bench_device_exit(void)
{
	misc_deregister(&device_misc);
}
