/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which devices get a buffer's bytes, and when: for suites of exporters that use
 * dma_buf_mapping_sync(). To be put in its place as a static stub.
 */
#ifndef _DMABUF_TESTS_MOCK_SYNC_H
#define _DMABUF_TESTS_MOCK_SYNC_H

#include <kunit/test-bug.h>
#include <linux/kernel.h>

#include "../dma-buf-mappings.h"

/**
 * struct mock_syncs - syncs so far; the case has it in its priv meanwhile
 * @dev: device of each
 * @dir: direction of each
 * @for_cpu: whether it was for the CPU
 * @count: number of syncs, also beyond the size of the arrays
 */
struct mock_syncs {
	struct device *dev[4];
	enum dma_data_direction dir[4];
	bool for_cpu[4];
	unsigned int count;
};

static inline void mock_sync_record(struct dma_buf_mapping *mapping, enum dma_data_direction dir,
				    bool for_cpu)
{
	struct mock_syncs *syncs = kunit_get_current_test()->priv;
	unsigned int i = syncs->count++;

	if (i < ARRAY_SIZE(syncs->dev)) {
		syncs->dev[i] = mapping->dev;
		syncs->dir[i] = dir;
		syncs->for_cpu[i] = for_cpu;
	}
}

#endif /* _DMABUF_TESTS_MOCK_SYNC_H */
