// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of what exporters of cached memory share: which way bytes go between
 * devices and the CPU, when, and when not.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/scatterlist.h>

#include "../dma-buf-mappings.h"
#include "mock_container.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#define MAX_SYNCS 16

/**
 * struct scene - a buffer, and a device that has it mapped at times
 * @buf: buffer whose exporter is not used
 * @mappings: its list
 * @mapping: the device's
 * @fence: fence of the buffer, or NULL
 * @count: number of syncs
 * @dir: direction of each
 * @for_cpu: whether it was for the CPU
 * @done: whether @fence had signalled then
 */
struct scene {
	struct dma_buf *buf;
	struct list_head mappings;
	struct dma_buf_mapping mapping;
	struct dma_fence *fence;
	unsigned int count;
	enum dma_data_direction dir[MAX_SYNCS];
	bool for_cpu[MAX_SYNCS];
	bool done[MAX_SYNCS];
};

static void note_sync(struct dma_buf_mapping *mapping, enum dma_data_direction dir,
		      bool for_cpu)
{
	struct scene *scene = container_of(mapping, struct scene, mapping);
	unsigned int i = scene->count++ % MAX_SYNCS;

	scene->dir[i] = dir;
	scene->for_cpu[i] = for_cpu;
	scene->done[i] = scene->fence && mock_fence_flag(scene->fence);
}

static void scene_free(void *data)
{
	struct scene *scene = data;

	__free_page(sg_page(scene->mapping.table.sgl));
	sg_free_table(&scene->mapping.table);
}

static int scene_init(struct kunit *test)
{
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	KUNIT_ASSERT_NOT_NULL(test, page);
	test->priv = scene;
	scene->buf = mock_buf_create(test);
	INIT_LIST_HEAD(&scene->mappings);
	scene->mapping.dev = test_device(test, "device", UINT_MAX);
	KUNIT_ASSERT_EQ(test, sg_alloc_table(&scene->mapping.table, 1, GFP_KERNEL), 0);
	sg_set_page(scene->mapping.table.sgl, page, PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, scene_free, scene), 0);
	kunit_activate_static_stub(test, dma_buf_mapping_sync, note_sync);
	return 0;
}

static void scene_map(struct kunit *test, enum dma_data_direction dir)
{
	struct scene *scene = test->priv;

	dma_resv_lock(scene->buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_mapping_add(scene->buf, &scene->mapping, &scene->mappings,
						  dir), 0);
	dma_resv_unlock(scene->buf->resv);
}

/* Returns whether that has passed the bytes to the CPU. */
static bool scene_unmap(struct kunit *test)
{
	struct scene *scene = test->priv;
	unsigned int count = scene->count;

	dma_resv_lock(scene->buf->resv, NULL);
	dma_buf_mapping_del(scene->buf, &scene->mapping);
	dma_resv_unlock(scene->buf->resv);
	return scene->count == count + 1 && scene->for_cpu[count % MAX_SYNCS];
}

static void scene_begin(struct kunit *test, enum dma_data_direction dir)
{
	struct scene *scene = test->priv;

	KUNIT_ASSERT_EQ(test, dma_buf_lock_idle(scene->buf, dir), 0);
	dma_buf_mappings_to_cpu(scene->buf, &scene->mappings, dir);
	dma_resv_unlock(scene->buf->resv);
}

static void scene_end(struct kunit *test, enum dma_data_direction dir)
{
	struct scene *scene = test->priv;

	KUNIT_ASSERT_EQ(test, dma_buf_lock_interruptible(scene->buf), 0);
	dma_buf_mappings_to_devices(scene->buf, &scene->mappings, dir);
	dma_resv_unlock(scene->buf->resv);
}

static const struct directions {
	const char *desc;
	enum dma_data_direction device;
	enum dma_data_direction cpu;
	enum dma_data_direction synced;
} directions[] = {
	{ "device reads, CPU writes", DMA_TO_DEVICE, DMA_TO_DEVICE, DMA_TO_DEVICE },
	{ "device reads, CPU reads", DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_TO_DEVICE },
	{ "device writes, CPU writes", DMA_FROM_DEVICE, DMA_TO_DEVICE, DMA_FROM_DEVICE },
	{ "device writes, CPU reads", DMA_FROM_DEVICE, DMA_FROM_DEVICE, DMA_FROM_DEVICE },
	{ "device writes, CPU does both", DMA_FROM_DEVICE, DMA_BIDIRECTIONAL, DMA_FROM_DEVICE },
	{ "device does both, CPU writes", DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_TO_DEVICE },
	{ "device does both, CPU reads", DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_FROM_DEVICE },
};

KUNIT_ARRAY_PARAM_DESC(direction, directions, desc);

/*
 * A device that only reads has nothing to give: to copy from it what it was given
 * long ago would overwrite what another one has written.
 */
static void sync_goes_where_the_device_can(struct kunit *test)
{
	const struct directions *param = test->param_value;
	struct scene *scene = test->priv;

	scene_map(test, param->device);
	scene_begin(test, param->cpu);
	scene_end(test, param->cpu);
	KUNIT_EXPECT_EQ(test, scene->count, 2);
	KUNIT_EXPECT_EQ(test, scene->dir[0], param->synced);
	KUNIT_EXPECT_TRUE(test, scene->for_cpu[0]);
	KUNIT_EXPECT_EQ(test, scene->dir[1], param->synced);
	KUNIT_EXPECT_FALSE(test, scene->for_cpu[1]);
	scene_unmap(test);
}

static void unmapped_device_is_left_alone(struct kunit *test)
{
	struct scene *scene = test->priv;

	scene_begin(test, DMA_BIDIRECTIONAL);
	scene_map(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, scene->count, 0);
	KUNIT_EXPECT_TRUE(test, scene_unmap(test));
	scene_end(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, scene->count, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&scene->mappings));
}

/* Some importers map an attachment twice. */
static void twice_mapped_is_mapped_until_the_last(struct kunit *test)
{
	struct scene *scene = test->priv;

	scene_map(test, DMA_BIDIRECTIONAL);
	scene_map(test, DMA_BIDIRECTIONAL);
	scene_unmap(test);
	scene_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, scene->count, 2);
	scene_unmap(test);
	scene_end(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, scene->count, 3);
	KUNIT_EXPECT_TRUE(test, list_empty(&scene->mappings));
}

/* The CPU has its bytes already, and what it has written since would be lost. */
static void unmap_while_the_cpu_writes_takes_nothing(struct kunit *test)
{
	scene_map(test, DMA_BIDIRECTIONAL);
	scene_begin(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, scene_unmap(test));
	scene_end(test, DMA_TO_DEVICE);
}

static void unmap_passes_the_bytes_to_the_cpu(struct kunit *test)
{
	scene_map(test, DMA_BIDIRECTIONAL);
	scene_begin(test, DMA_TO_DEVICE);
	scene_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, scene_unmap(test));

	/* A device that only reads loses no data. */
	scene_map(test, DMA_BIDIRECTIONAL);
	scene_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, scene_unmap(test));
	scene_end(test, DMA_FROM_DEVICE);

	/* A device that comes later has been given the bytes when it mapped them. */
	scene_begin(test, DMA_TO_DEVICE);
	scene_map(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, scene_unmap(test));
	scene_end(test, DMA_TO_DEVICE);
}

static void last_of_two_writers_gives_back(struct kunit *test)
{
	scene_map(test, DMA_BIDIRECTIONAL);
	scene_begin(test, DMA_TO_DEVICE);
	scene_begin(test, DMA_BIDIRECTIONAL);
	scene_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, scene_unmap(test));
}

/* The CPU does not see later writes of a device, so that has to finish before the sync. */
static void begin_waits_before_it_syncs(struct kunit *test)
{
	struct scene *scene = test->priv;

	scene->fence = mock_fence_new(test);
	test_resv_add(test, scene->buf->resv, scene->fence, DMA_RESV_USAGE_WRITE);
	scene_map(test, DMA_FROM_DEVICE);
	test_signal_later(test, scene->fence, 20);
	scene_begin(test, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, scene->count, 1);
	KUNIT_EXPECT_TRUE(test, scene->done[0]);
	scene_end(test, DMA_FROM_DEVICE);
	scene_unmap(test);
}

/* Fences of readers only delay a CPU access that writes. */
static void begin_waits_for_what_is_in_the_way(struct kunit *test)
{
	struct scene *scene = test->priv;

	scene->fence = mock_fence_new(test);
	test_resv_add(test, scene->buf->resv, scene->fence, DMA_RESV_USAGE_READ);
	scene_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_FALSE(test, mock_fence_flag(scene->fence));
	test_signal_later(test, scene->fence, 20);
	scene_begin(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(scene->fence));
}

static void begin_can_be_interrupted(struct kunit *test)
{
	struct scene *scene = test->priv;

	scene->fence = mock_fence_new(test);
	test_resv_add(test, scene->buf->resv, scene->fence, DMA_RESV_USAGE_WRITE);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_lock_idle(scene->buf, DMA_FROM_DEVICE),
					 -ERESTARTSYS));
	KUNIT_EXPECT_TRUE(test, dma_resv_trylock(scene->buf->resv));
	dma_resv_unlock(scene->buf->resv);
}

static struct kunit_case dma_buf_mappings_cases[] = {
	KUNIT_CASE_PARAM(sync_goes_where_the_device_can, direction_gen_params),
	KUNIT_CASE(unmapped_device_is_left_alone),
	KUNIT_CASE(twice_mapped_is_mapped_until_the_last),
	KUNIT_CASE(unmap_while_the_cpu_writes_takes_nothing),
	KUNIT_CASE(unmap_passes_the_bytes_to_the_cpu),
	KUNIT_CASE(last_of_two_writers_gives_back),
	KUNIT_CASE(begin_waits_before_it_syncs),
	KUNIT_CASE(begin_waits_for_what_is_in_the_way),
	KUNIT_CASE(begin_can_be_interrupted),
	{}
};

static struct kunit_suite dma_buf_mappings_suite = {
	.name = "dma_buf_mappings",
	.init = scene_init,
	.test_cases = dma_buf_mappings_cases,
};

kunit_test_suite(dma_buf_mappings_suite);
