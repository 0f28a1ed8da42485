// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of CMA heaps in sysfs. A request that fails although enough memory is free
 * is a sign of fragmentation, or of pages that cannot be moved; free memory that only
 * decreases is a sign of a leak.
 */

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-heap.h>
#include <linux/find.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sysfs.h>

/* Only the allocator itself knows which pages are free. */
#include "../../../mm/cma.h"

#include "cma_heap.h"

/**
 * struct cma_heap_room - what is free in an area
 * @free: bytes
 * @largest: bytes of the longest piece
 */
struct cma_heap_room {
	u64 free;
	u64 largest;
};

/*
 * Any user may read it, so it must not delay allocations: it does not take their lock,
 * and its result may be out of date.
 */
static struct cma_heap_room cma_heap_look(struct cma *cma)
{
	unsigned long bits = cma_bitmap_maxno(cma), start, end = 0;
	struct cma_heap_room room = { };

	/* Bits may change while they are read, see above. */
	while ((start = data_race(find_next_zero_bit(cma->bitmap, bits, end))) < bits) {
		u64 size;

		/* Likewise. */
		end = data_race(find_next_bit(cma->bitmap, bits, start));
		size = (u64)(end - start) << cma->order_per_bit << PAGE_SHIFT;
		room.free += size;
		room.largest = max(room.largest, size);
		cond_resched();
	}

	return room;
}

static struct cma *cma_heap_of(struct device *dev)
{
	return dma_heap_get_drvdata(dev_get_drvdata(dev));
}

static ssize_t kind_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "cma\n");
}
static DEVICE_ATTR_RO(kind);

static ssize_t total_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cma_get_size(cma_heap_of(dev)));
}
static DEVICE_ATTR_RO(total);

static ssize_t free_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", cma_heap_look(cma_heap_of(dev)).free);
}
static DEVICE_ATTR_RO(free);

static ssize_t largest_free_show(struct device *dev, struct device_attribute *attr,
				 char *buf)
{
	return sysfs_emit(buf, "%llu\n", cma_heap_look(cma_heap_of(dev)).largest);
}
static DEVICE_ATTR_RO(largest_free);

static struct attribute *cma_heap_attrs[] = {
	&dev_attr_kind.attr,
	&dev_attr_total.attr,
	&dev_attr_free.attr,
	&dev_attr_largest_free.attr,
	NULL
};

static const struct attribute_group cma_heap_group = {
	.attrs = cma_heap_attrs,
};

const struct attribute_group *cma_heap_groups[] = {
	&cma_heap_group,
	NULL
};
