// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU on a buffer: when it may touch the bytes, and through which mapping.
 *
 * To change here: begin and end of CPU access, mmap, vmap. How memory is made coherent
 * is up to the exporter, for those of this directory in dma-buf-mappings.c.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-internal.h"
#include "dma-buf-sysfs.h"

#include <trace/events/dma_buf.h>

/**
 * DOC: cpu access
 *
 * The CPU accesses the bytes through a mapping, in the kernel (dma_buf_vmap()) or in
 * user space (mmap() on the file, or dma_buf_mmap() on the file of an importer
 * that passes the call on). A mapping alone does not make the writes of a device
 * visible to the CPU, nor those of the CPU visible to a device. For that the access has
 * to be between
 *
 * - dma_buf_begin_cpu_access(), which lets the exporter do its cache
 *   maintenance, and waits for the fences of pending work; and
 * - dma_buf_end_cpu_access(), which lets the exporter write caches back.
 *
 * User space does both by DMA_BUF_IOCTL_SYNC. The exporter decides about mappings in
 * user space: &dma_buf_ops.mmap chooses whether they are cached or write combined,
 * whether they fault, and whether they can be private.
 *
 * There is one mapping in the kernel for all users, made for the first and
 * undone by the last.
 */

/* Like a device, a CPU that writes has to wait for more fences than one that reads. */
static bool dma_buf_cpu_writes(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE;
}

static int dma_buf_wait_for_devices(struct dma_buf *dmabuf,
				    enum dma_data_direction dir)
{
	bool write = dma_buf_cpu_writes(dir);
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);

	return min(ret, 0L);
}

static int dma_buf_do_begin_cpu_access(struct dma_buf *dmabuf,
				       enum dma_data_direction dir)
{
	const struct dma_buf_ops *ops = dmabuf->ops;
	int ret;

	if (ops->begin_cpu_access) {
		ret = ops->begin_cpu_access(dmabuf, dir);
		if (ret)
			return ret;
	}

	return dma_buf_wait_for_devices(dmabuf, dir);
}

/**
 * dma_buf_begin_cpu_access() - prepare the bytes for access by the CPU
 * @dmabuf: buffer
 * @dir: %DMA_FROM_DEVICE to read, %DMA_TO_DEVICE to write,
 *	%DMA_BIDIRECTIONAL for both
 *
 * Balanced by dma_buf_end_cpu_access(). Accesses may overlap.
 *
 * Context: Process context, may sleep. &dma_buf.resv is not held, since the
 * exporter may take it.
 * Return:
 * * 0 - go ahead
 * * %-EINVAL - @dmabuf is NULL; comes with a warning
 * * %-ERESTARTSYS - interrupted while waiting for devices
 * * other errno - from the exporter, or from &dma_fence_ops.wait
 */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction dir)
{
	int ret;

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);

	ret = dma_buf_do_begin_cpu_access(dmabuf, dir);
	trace_dma_buf_begin_cpu_access(dmabuf, dir, ret);

	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_begin_cpu_access, DMA_BUF);

/**
 * dma_buf_end_cpu_access() - end an access by the CPU
 * @dmabuf: buffer
 * @dir: as in dma_buf_begin_cpu_access()
 *
 * Context: Process context, may sleep. &dma_buf.resv is not held.
 * Return: 0, -EINVAL with a warning if @dmabuf is NULL, or the errno of the
 * exporter.
 */
int dma_buf_end_cpu_access(struct dma_buf *dmabuf,
			   enum dma_data_direction dir)
{
	const struct dma_buf_ops *ops;
	int ret;

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);

	ops = dmabuf->ops;
	ret = ops->end_cpu_access ? ops->end_cpu_access(dmabuf, dir) : 0;
	trace_dma_buf_end_cpu_access(dmabuf, dir, ret);

	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_end_cpu_access, DMA_BUF);

/* An incomplete page at the end cannot be mapped. */
static int dma_buf_check_range(struct dma_buf *dmabuf, unsigned long pgoff,
			       unsigned long pages)
{
	unsigned long end;

	if (check_add_overflow(pgoff, pages, &end))
		return -EOVERFLOW;

	return end > dmabuf->size >> PAGE_SHIFT ? -EINVAL : 0;
}

/**
 * dma_buf_file_mmap() - mmap() on the file of a buffer
 * @file: file of a buffer
 * @vma: area to fill
 *
 * Return: 0, -EINVAL if the exporter has no mmap or the range is not within the
 * buffer, or the errno of the exporter.
 */
int dma_buf_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = file->private_data;

	if (!dmabuf->ops->mmap)
		return -EINVAL;

	if (dma_buf_check_range(dmabuf, vma->vm_pgoff, vma_pages(vma)))
		return -EINVAL;

	/* /proc/<pid>/maps will show the inode number. */
	dma_buf_stats_need(dmabuf);
	trace_dma_buf_mmap_internal(dmabuf);

	return dmabuf->ops->mmap(dmabuf, vma);
}

/**
 * dma_buf_mmap() - map a buffer in the mmap() of another file
 * @dmabuf: buffer
 * @vma: area to fill, which becomes an area of the buffer's file
 * @pgoff: page of the buffer at which the area begins
 *
 * For importers whose own files can be mapped. If the exporter fails, @vma has
 * been changed all the same.
 *
 * Context: Process context with mmap_lock held, may sleep. &dma_buf.resv is not
 * held.
 * Return: 0, or
 *
 * * %-EINVAL - an argument is NULL (comes with a warning), the exporter has no
 *   mmap, or the range is not within the buffer
 * * %-EOVERFLOW - the end of the range is not a number
 * * other errno - from the exporter
 */
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff)
{
	int ret;

	if (WARN_ON_ONCE(!dmabuf || !vma))
		return -EINVAL;

	if (!dmabuf->ops->mmap)
		return -EINVAL;

	ret = dma_buf_check_range(dmabuf, pgoff, vma_pages(vma));
	if (ret)
		return ret;

	vma_set_file(vma, dmabuf->file);
	vma->vm_pgoff = pgoff;
	dma_buf_stats_need(dmabuf);
	trace_dma_buf_mmap(dmabuf);

	return dmabuf->ops->mmap(dmabuf, vma);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_mmap, DMA_BUF);

static int dma_buf_first_vmap(struct dma_buf *dmabuf)
{
	struct iosys_map map = {};
	int ret;

	if (!dmabuf->ops->vmap)
		return -EINVAL;

	ret = dmabuf->ops->vmap(dmabuf, &map);
	if (!ret)
		dmabuf->vmap_ptr = map;

	return ret;
}

/**
 * dma_buf_vmap() - map a buffer into the kernel
 * @dmabuf: buffer
 * @map: where to store the mapping; cleared on error
 *
 * Mapping does not replace dma_buf_begin_cpu_access(). The memory may move
 * unless the caller keeps the lock, or has pinned it.
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 * Return: 0, -EINVAL if @dmabuf is NULL (comes with a warning) or the exporter
 * has no vmap, or the errno of the exporter.
 */
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret = 0;

	iosys_map_clear(map);

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	dma_resv_assert_held(dmabuf->resv);

	if (!dmabuf->vmapping_counter)
		ret = dma_buf_first_vmap(dmabuf);
	if (ret)
		return ret;

	dmabuf->vmapping_counter++;
	*map = dmabuf->vmap_ptr;
	trace_dma_buf_vmap(dmabuf, dmabuf->vmapping_counter);

	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap, DMA_BUF);

/**
 * dma_buf_vunmap() - undo dma_buf_vmap()
 * @dmabuf: buffer
 * @map: mapping that dma_buf_vmap() has stored; not changed
 *
 * If @map is not the mapping of the buffer, it warns and does nothing.
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 */
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf))
		return;

	dma_resv_assert_held(dmabuf->resv);

	if (WARN_ON_ONCE(!dmabuf->vmapping_counter ||
			 !iosys_map_is_equal(&dmabuf->vmap_ptr, map)))
		return;

	dmabuf->vmapping_counter--;
	trace_dma_buf_vunmap(dmabuf, dmabuf->vmapping_counter);
	if (dmabuf->vmapping_counter)
		return;

	if (dmabuf->ops->vunmap)
		dmabuf->ops->vunmap(dmabuf, map);
	iosys_map_clear(&dmabuf->vmap_ptr);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap, DMA_BUF);

/**
 * dma_buf_vunmap_unlocked() - dma_buf_vunmap() that locks
 * @dmabuf: buffer
 * @map: mapping that dma_buf_vmap_unlocked() has stored
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 */
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf))
		return;

	guard(dma_resv)(dmabuf->resv);

	dma_buf_vunmap(dmabuf, map);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap_unlocked, DMA_BUF);

/**
 * dma_buf_vmap_unlocked() - dma_buf_vmap() that locks
 * @dmabuf: buffer
 * @map: where to store the mapping; cleared on error
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: as dma_buf_vmap().
 */
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf)) {
		iosys_map_clear(map);
		return -EINVAL;
	}

	guard(dma_resv)(dmabuf->resv);

	return dma_buf_vmap(dmabuf, map);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap_unlocked, DMA_BUF);
