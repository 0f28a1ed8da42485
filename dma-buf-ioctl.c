// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls on the file of a buffer: argument checks, dispatch, export and import of
 * sync files, name and facts.
 *
 * To change here: the user ABI, which only grows. Structures and errnos are described
 * in uapi/linux/dma-buf.h.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-internal.h"
#include "dma-buf-sysfs.h"

#include <trace/events/dma_buf.h>

static bool dma_buf_access_flags_valid(u64 flags)
{
	return flags && !(flags & ~(u64)DMA_BUF_SYNC_RW);
}

static enum dma_data_direction dma_buf_sync_direction(u64 flags)
{
	switch (flags & DMA_BUF_SYNC_RW) {
	case DMA_BUF_SYNC_READ:
		return DMA_FROM_DEVICE;
	case DMA_BUF_SYNC_WRITE:
		return DMA_TO_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

static long dma_buf_ioctl_sync(struct dma_buf *dmabuf, const void __user *arg)
{
	enum dma_data_direction direction;
	struct dma_buf_sync sync;

	if (copy_from_user(&sync, arg, sizeof(sync)))
		return -EFAULT;

	if (!dma_buf_access_flags_valid(sync.flags & ~(u64)DMA_BUF_SYNC_END))
		return -EINVAL;

	direction = dma_buf_sync_direction(sync.flags);
	if (sync.flags & DMA_BUF_SYNC_END)
		return dma_buf_end_cpu_access(dmabuf, direction);

	return dma_buf_begin_cpu_access(dmabuf, direction);
}

static long dma_buf_ioctl_set_name(struct dma_buf *dmabuf,
				   const char __user *arg)
{
	char *name = strndup_user(arg, DMA_BUF_NAME_LEN);

	if (IS_ERR(name))
		return PTR_ERR(name);

	dma_buf_replace_name(dmabuf, name);

	return 0;
}

/* Get one fence, never NULL, for all fences that a new access waits for. */
static int dma_buf_get_access_fence(struct dma_buf *dmabuf, u32 flags,
				    struct dma_fence **fence)
{
	bool write = flags & DMA_BUF_SYNC_WRITE;
	int ret;

	ret = dma_resv_get_singleton(dmabuf->resv, dma_resv_usage_rw(write),
				     fence);
	if (ret)
		return ret;

	if (!*fence)
		*fence = dma_fence_get_stub();

	return 0;
}

/* Count the stub, which stands for no fence, as one that has signalled. */
static unsigned int dma_buf_count_fences(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);

	return array ? array->num_fences : !dma_fence_signaled_flag(fence);
}

/* The sync file is not published yet. */
static void dma_buf_trace_export(struct dma_buf *dmabuf, u32 flags,
				 struct sync_file *sync_file)
{
	if (trace_dma_buf_export_sync_file_enabled())
		trace_dma_buf_export_sync_file(dmabuf, flags,
					       dma_buf_count_fences(sync_file->fence));
}

static long dma_buf_ioctl_export_sync_file(struct dma_buf *dmabuf,
					   void __user *user_arg)
{
	struct dma_buf_export_sync_file arg;
	struct sync_file *sync_file;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&arg, user_arg, sizeof(arg)))
		return -EFAULT;

	if (!dma_buf_access_flags_valid(arg.flags))
		return -EINVAL;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	ret = dma_buf_get_access_fence(dmabuf, arg.flags, &fence);
	if (ret)
		return ret;

	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file)
		return -ENOMEM;

	arg.fd = fd;
	if (copy_to_user(user_arg, &arg, sizeof(arg))) {
		fput(sync_file->file);
		return -EFAULT;
	}

	dma_buf_trace_export(dmabuf, arg.flags, sync_file);
	fd_install(take_fd(fd), sync_file->file);

	return 0;
}

/*
 * Add each plain fence of a container, since containers are not allowed in a
 * reservation object. There are not more of them in the second pass than in
 * the first. Returns the number of the first pass, or an errno.
 */
static int dma_buf_add_fences(struct dma_buf *dmabuf, struct dma_fence *fence,
			      enum dma_resv_usage usage)
{
	struct dma_fence_unwrap cursor;
	unsigned int num_fences = 0;
	struct dma_fence *member;
	int ret;

	dma_fence_unwrap_for_each(member, &cursor, fence)
		num_fences++;
	if (!num_fences)
		return 0;

	guard(dma_resv)(dmabuf->resv);

	ret = dma_resv_reserve_fences(dmabuf->resv, num_fences);
	if (ret)
		return ret;

	dma_fence_unwrap_for_each(member, &cursor, fence)
		dma_resv_add_fence(dmabuf->resv, member, usage);

	return num_fences;
}

static long dma_buf_ioctl_import_sync_file(struct dma_buf *dmabuf,
					   const void __user *user_arg)
{
	struct dma_buf_import_sync_file arg;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&arg, user_arg, sizeof(arg)))
		return -EFAULT;

	if (!dma_buf_access_flags_valid(arg.flags))
		return -EINVAL;

	fence = sync_file_get_fence(arg.fd);
	if (!fence)
		return -EINVAL;

	ret = dma_buf_add_fences(dmabuf, fence,
				 arg.flags & DMA_BUF_SYNC_WRITE ?
				 DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	dma_fence_put(fence);
	if (ret < 0)
		return ret;

	trace_dma_buf_import_sync_file(dmabuf, arg.flags, ret);

	return 0;
}

static long dma_buf_ioctl_sync_file(struct dma_buf *dmabuf, unsigned int cmd,
				    void __user *arg)
{
	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		return -ENOTTY;

	if (cmd == DMA_BUF_IOCTL_EXPORT_SYNC_FILE)
		return dma_buf_ioctl_export_sync_file(dmabuf, arg);

	return dma_buf_ioctl_import_sync_file(dmabuf, arg);
}

static u32 dma_buf_info_flags(struct dma_buf *dmabuf)
{
	const struct dma_buf_ops *ops = dmabuf->ops;
	u32 flags = 0;

	if (ops->mmap)
		flags |= DMA_BUF_INFO_MMAP;
	if (ops->begin_cpu_access || ops->end_cpu_access)
		flags |= DMA_BUF_INFO_CPU_SYNC;
	if (dma_buf_is_dynamic(dmabuf))
		flags |= DMA_BUF_INFO_DYNAMIC;

	return flags;
}

static void dma_buf_fill_info(struct dma_buf *dmabuf, struct dma_buf_info *info)
{
	const char *name;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = dma_buf_info_flags(dmabuf);
	info->bytes = dmabuf->size;
	info->ino = file_inode(dmabuf->file)->i_ino;
	strscpy(info->exporter, dmabuf->exp_name ?: "");
	if (dmabuf->owner)
		strscpy(info->module, module_name(dmabuf->owner));

	guard(rcu)();

	name = rcu_dereference(dmabuf->name);
	if (!name)
		return;

	strscpy(info->name, name);
	info->flags |= DMA_BUF_INFO_NAMED;
}

static long dma_buf_ioctl_info(struct dma_buf *dmabuf,
			       struct dma_buf_info __user *arg)
{
	/* Size of the first version. Members that were added later may be missing. */
	const size_t least = offsetofend(struct dma_buf_info, name);
	struct dma_buf_info info;
	u32 size;
	int ret;

	static_assert(sizeof(info) == 144);

	if (get_user(size, &arg->size))
		return -EFAULT;

	if (size < least)
		return -EINVAL;

	if (size > PAGE_SIZE)
		return -E2BIG;

	ret = copy_struct_from_user(&info, sizeof(info), arg, size);
	if (ret)
		return ret;

	if (info.flags)
		return -EINVAL;

	/* The answer has the inode number. */
	dma_buf_stats_need(dmabuf);
	dma_buf_fill_info(dmabuf, &info);

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/**
 * dma_buf_ioctl() - ioctl() on the file of a buffer
 * @file: file of a buffer
 * @cmd: command
 * @arg: its argument, a pointer into user space
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOTTY for an unknown command, or what the command says.
 */
long dma_buf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_buf *dmabuf = file->private_data;
	void __user *user_arg = (void __user *)arg;

	switch (cmd) {
	case DMA_BUF_IOCTL_SYNC:
		return dma_buf_ioctl_sync(dmabuf, user_arg);
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return dma_buf_ioctl_set_name(dmabuf, user_arg);
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return dma_buf_ioctl_sync_file(dmabuf, cmd, user_arg);
	case DMA_BUF_IOCTL_INFO:
		return dma_buf_ioctl_info(dmabuf, user_arg);
	default:
		return -ENOTTY;
	}
}
