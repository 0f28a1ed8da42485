// SPDX-License-Identifier: GPL-2.0-only
/* Buffers and sync files with fences that stay pending, for user space. */

#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "bench.h"
#include "bench-device.h"

static struct platform_device *device_importer;

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

/* The steps of a driver that imports a buffer for the first time. */
static long device_import(u32 fd)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *table;
	long ret = 0;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	attach = dma_buf_attach(dmabuf, &device_importer->dev);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto out_put;
	}

	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(table))
		ret = PTR_ERR(table);
	else
		dma_buf_unmap_attachment_unlocked(attach, table,
						  DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
out_put:
	dma_buf_put(dmabuf);
	return ret;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	u32 number;

	if (cmd == BENCH_IOC_VMAP)
		return device_vmap(user);
	if (get_user(number, (u32 __user *)user))
		return -EFAULT;

	switch (cmd) {
	case BENCH_IOC_BUFFER:
		return device_buffer(number);
	case BENCH_IOC_SYNC_FILE:
		return device_sync_file(number);
	case BENCH_IOC_IMPORT:
		return device_import(number);
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
	int ret;

	device_importer = platform_device_register_simple("dma-buf-importer",
							  PLATFORM_DEVID_NONE,
							  NULL, 0);
	if (IS_ERR(device_importer))
		return PTR_ERR(device_importer);

	/* It reaches all memory, so that nothing is copied. */
	ret = dma_coerce_mask_and_coherent(&device_importer->dev,
					   DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&device_misc);
	if (ret)
		platform_device_unregister(device_importer);

	return ret;
}

void bench_device_exit(void)
{
	misc_deregister(&device_misc);
	platform_device_unregister(device_importer);
}
