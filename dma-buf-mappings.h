/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For exporters of ordinary, cached memory, the heaps and udmabuf: the devices that
 * have a buffer mapped. Which bytes they see is decided in dma-buf-mappings.c.
 */

#ifndef _DMA_BUF_MAPPINGS_H
#define _DMA_BUF_MAPPINGS_H

#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>

struct dma_buf;

/**
 * struct dma_buf_mapping - the memory of a buffer as one device sees it
 * @node: link in the list of the buffer while @count is not 0
 * @dev: the device; constant
 * @table: the pages; constant but for the addresses, which are valid while @count is
 *	not 0
 * @dir: what the device may do with the memory while it has it mapped
 * @count: number of maps by the device
 * @taken: number of writing CPU accesses that have begun while the device had the
 *	buffer mapped, and have not ended
 *
 * Members that are not constant are guarded by &dma_buf.resv.
 */
struct dma_buf_mapping {
	struct list_head node;
	struct device *dev;
	struct sg_table table;
	enum dma_data_direction dir;
	unsigned int count;
	unsigned int taken;
};

int dma_buf_mapping_add(struct dma_buf *buf, struct dma_buf_mapping *mapping,
			struct list_head *mappings, enum dma_data_direction dir);
void dma_buf_mapping_del(struct dma_buf *buf, struct dma_buf_mapping *mapping);
void dma_buf_mapping_sync(struct dma_buf_mapping *mapping,
			  enum dma_data_direction dir, bool for_cpu);

int dma_buf_lock_idle(struct dma_buf *buf, enum dma_data_direction dir);
int dma_buf_lock_interruptible(struct dma_buf *buf);
void dma_buf_mappings_to_cpu(struct dma_buf *buf, struct list_head *mappings,
			     enum dma_data_direction dir);
void dma_buf_mappings_to_devices(struct dma_buf *buf, struct list_head *mappings,
				 enum dma_data_direction dir);

/**
 * dma_buf_max_segment() - longest segment that can be mapped for a device
 * @dev: device
 *
 * Return: bytes.
 */
static inline unsigned int dma_buf_max_segment(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev),
		     dma_max_mapping_size(dev));
}

#endif /* _DMA_BUF_MAPPINGS_H */
