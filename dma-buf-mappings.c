// SPDX-License-Identifier: GPL-2.0-only
/*
 * For exporters of ordinary, cached memory: the devices that have a buffer mapped,
 * and whether they or the CPU own its bytes. To change here: when memory is synced, in
 * which direction, for the heaps and udmabuf alike.
 *
 * If a device does not snoop the caches, or uses a bounce buffer for memory that it
 * cannot reach, the bytes have to be synced. There are three ways to lose data by that:
 *
 * - A sync in a direction that the mapping does not have: it would copy the old
 *   contents of a bounce buffer over the writes of another device.
 * - A sync for the CPU while the CPU is writing, since it drops dirty cache lines. When
 *   a device unmaps at such a moment, the CPU has its bytes already.
 * - A sync for the CPU while the device is still writing: the CPU does not see the later
 *   writes. So wait for the fences first.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>

#include <kunit/static_stub.h>

#include "dma-buf-mappings.h"

/*
 * Several devices may have the same memory mapped, so mapping does not give it to one of
 * them: a separate sync takes care of caches and bounce buffers.
 */
#define DMA_BUF_MAP_ATTRS	DMA_ATTR_SKIP_CPU_SYNC

/**
 * dma_buf_mapping_add() - map a buffer for a device
 * @buf: buffer
 * @mapping: table and device
 * @mappings: list of the buffer
 * @dir: what the device may do
 *
 * Context: Process context, may sleep. &dma_buf.resv is held.
 * Return: 0, or the errno of dma_map_sgtable().
 */
int dma_buf_mapping_add(struct dma_buf *buf, struct dma_buf_mapping *mapping,
			struct list_head *mappings, enum dma_data_direction dir)
{
	int ret;

	dma_resv_assert_held(buf->resv);

	ret = dma_map_sgtable(mapping->dev, &mapping->table, dir,
			      DMA_BUF_MAP_ATTRS);
	if (ret)
		return ret;

	/* The CPU may have written before there was a mapping to sync. */
	dma_sync_sgtable_for_device(mapping->dev, &mapping->table, dir);
	mapping->dir = dir;
	mapping->taken = 0;
	if (!mapping->count++)
		list_add_tail(&mapping->node, mappings);

	return 0;
}

/**
 * dma_buf_mapping_sync() - pass the memory between a device and the CPU
 * @mapping: mapping of the device
 * @dir: direction that the mapping can do
 * @for_cpu: to the CPU, else to the device
 */
void dma_buf_mapping_sync(struct dma_buf_mapping *mapping,
			  enum dma_data_direction dir, bool for_cpu)
{
	KUNIT_STATIC_STUB_REDIRECT(dma_buf_mapping_sync, mapping, dir, for_cpu);

	if (for_cpu)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->table, dir);
	else
		dma_sync_sgtable_for_device(mapping->dev, &mapping->table, dir);
}

/**
 * dma_buf_mapping_del() - unmap a buffer for a device
 * @buf: buffer
 * @mapping: mapping from dma_buf_mapping_add()
 *
 * Context: Process context, may sleep. &dma_buf.resv is held.
 */
void dma_buf_mapping_del(struct dma_buf *buf, struct dma_buf_mapping *mapping)
{
	dma_resv_assert_held(buf->resv);

	if (!mapping->taken)
		dma_buf_mapping_sync(mapping, mapping->dir, true);
	dma_unmap_sgtable(mapping->dev, &mapping->table, mapping->dir,
			  DMA_BUF_MAP_ATTRS);
	if (!--mapping->count)
		list_del(&mapping->node);
}

/*
 * @dir is the direction of a device that does the same as the CPU. A mapping for one
 * direction can be synced for that only. Sync a mapping for both directions for no more
 * than the CPU needs, so that the sync does not overwrite the writes of the device.
 */
static enum dma_data_direction
dma_buf_mapping_dir(struct dma_buf_mapping *mapping, enum dma_data_direction dir)
{
	return mapping->dir == DMA_BIDIRECTIONAL ? dir : mapping->dir;
}

static bool dma_buf_cpu_writes(enum dma_data_direction dir)
{
	return dir != DMA_FROM_DEVICE;
}

/**
 * dma_buf_lock_interruptible() - lock a buffer on behalf of an ioctl
 * @buf: buffer
 *
 * Context: Process context, may sleep.
 * Return: 0 with &dma_buf.resv held, -ERESTARTSYS if interrupted.
 */
int dma_buf_lock_interruptible(struct dma_buf *buf)
{
	return dma_resv_lock_interruptible(buf->resv, NULL) ? -ERESTARTSYS : 0;
}

/**
 * dma_buf_lock_idle() - lock a buffer when its devices are idle
 * @buf: buffer
 * @dir: what the CPU is going to do
 *
 * Context: Process context, may sleep.
 * Return: 0 with &dma_buf.resv held, -ERESTARTSYS if interrupted, or an errno of
 * &dma_fence_ops.wait.
 */
int dma_buf_lock_idle(struct dma_buf *buf, enum dma_data_direction dir)
{
	long ret;

	ret = dma_resv_wait_timeout(buf->resv,
				    dma_resv_usage_rw(dma_buf_cpu_writes(dir)), true,
				    MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : dma_buf_lock_interruptible(buf);
}

/**
 * dma_buf_mappings_to_cpu() - the CPU takes the bytes from all devices
 * @buf: buffer
 * @mappings: list of its mappings
 * @dir: what the CPU is going to do
 *
 * Context: Process context, may sleep. &dma_buf.resv is held.
 */
void dma_buf_mappings_to_cpu(struct dma_buf *buf, struct list_head *mappings,
			     enum dma_data_direction dir)
{
	struct dma_buf_mapping *mapping;

	dma_resv_assert_held(buf->resv);

	list_for_each_entry(mapping, mappings, node) {
		dma_buf_mapping_sync(mapping, dma_buf_mapping_dir(mapping, dir), true);
		mapping->taken += dma_buf_cpu_writes(dir);
	}
}

/**
 * dma_buf_mappings_to_devices() - the CPU gives the bytes back
 * @buf: buffer
 * @mappings: list of its mappings
 * @dir: what the CPU has done
 *
 * Context: Process context, may sleep. &dma_buf.resv is held.
 */
void dma_buf_mappings_to_devices(struct dma_buf *buf, struct list_head *mappings,
				 enum dma_data_direction dir)
{
	struct dma_buf_mapping *mapping;

	dma_resv_assert_held(buf->resv);

	list_for_each_entry(mapping, mappings, node) {
		dma_buf_mapping_sync(mapping, dma_buf_mapping_dir(mapping, dir), false);
		if (mapping->taken && dma_buf_cpu_writes(dir))
			mapping->taken--;
	}
}
