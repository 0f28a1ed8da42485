// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of fences whose driver has gone: what can be done with a fence once
 * it has signalled, and a grace period after that has freed its operations, its
 * lock and its names.
 *
 * Here they are memory from kmalloc(), so that KASAN reports any access.
 */

#include <kunit/test.h>

#include <linux/cleanup.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sync_file.h>
#include <linux/trace_events.h>

#include "mock_container.h"
#include "mock_fence.h"

/**
 * struct driver - what goes
 * @ops: operations of the fence, without release and wait
 * @lock: lock of the fence, by which it finds the driver
 * @driver_name: made at run time
 * @timeline_name: made at run time
 * @done: what signaled returns
 */
struct driver {
	struct dma_fence_ops ops;
	spinlock_t lock; /* of the fence */
	char driver_name[8];
	char timeline_name[8];
	bool done;
};

/**
 * struct scene - a driver and what is left of it
 * @driver: the driver, NULL when it has gone
 * @fence: its fence; the reference belongs to the case
 * @resv: reservation object, in which the fence may be
 * @line: buffer to print to
 * @seq: prints to @line
 */
struct scene {
	struct driver *driver;
	struct dma_fence *fence;
	struct dma_resv resv;
	char line[512];
	struct seq_file seq;
};

static struct driver *driver_of(struct dma_fence *fence)
{
	return container_of(fence->lock, struct driver, lock);
}

static const char *driver_name(struct dma_fence *fence)
{
	return driver_of(fence)->driver_name;
}

static const char *timeline_name(struct dma_fence *fence)
{
	return driver_of(fence)->timeline_name;
}

static bool enable_signaling(struct dma_fence *fence)
{
	return true;
}

static bool signaled(struct dma_fence *fence)
{
	return driver_of(fence)->done;
}

static void set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	guard(spinlock_irqsave)(fence->lock);
}

static struct dma_fence *driver_fence(struct kunit *test, struct driver *driver, u64 seqno)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &driver->ops, &driver->lock, 1ULL << 40, seqno);
	return fence;
}

static struct driver *driver_create(struct kunit *test)
{
	struct driver *driver = kzalloc(sizeof(*driver), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, driver);
	driver->ops = (struct dma_fence_ops){
		.get_driver_name = driver_name,
		.get_timeline_name = timeline_name,
		.enable_signaling = enable_signaling,
		.signaled = signaled,
		.set_deadline = set_deadline,
	};
	spin_lock_init(&driver->lock);
	strscpy(driver->driver_name, "alive");
	strscpy(driver->timeline_name, "busy");
	return driver;
}

static int scene_init(struct kunit *test)
{
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	test->priv = scene;
	dma_resv_init(&scene->resv);
	scene->seq = (struct seq_file){ .buf = scene->line, .size = sizeof(scene->line) };
	scene->driver = driver_create(test);
	scene->fence = driver_fence(test, scene->driver, 1);
	return 0;
}

/* The steps of a driver that goes: signal, wait for a grace period, then free. */
static void driver_go(struct scene *scene)
{
	if (!scene->driver)
		return;
	dma_fence_signal(scene->fence);
	synchronize_rcu();
	memset(scene->driver, 0x5a, sizeof(*scene->driver));
	kfree(scene->driver);
	scene->driver = NULL;
}

/* The last put is part of each case: it must not look for a release. */
static void scene_exit(struct kunit *test)
{
	struct scene *scene = test->priv;

	driver_go(scene);
	dma_resv_fini(&scene->resv);
	dma_fence_put(scene->fence);
	rcu_barrier();
}

static void scene_add(struct scene *scene, struct dma_fence *fence)
{
	dma_resv_lock(&scene->resv, NULL);
	if (!dma_resv_reserve_fences(&scene->resv, 1))
		dma_resv_add_fence(&scene->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(&scene->resv);
}

static void fence_can_be_put(struct kunit *test)
{
	struct scene *scene = test->priv;

	driver_go(scene);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(scene->fence), 1);
}

static void fence_can_be_asked(struct kunit *test)
{
	struct scene *scene = test->priv;

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(scene->fence));
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(scene->fence));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(scene->fence), 1);
	KUNIT_EXPECT_GT(test, dma_fence_timestamp(scene->fence), 0);
}

static void fence_tells_its_names_until_the_signal(struct kunit *test)
{
	struct scene *scene = test->priv;

	dma_fence_describe(scene->fence, &scene->seq);
	driver_go(scene);
	dma_fence_describe(scene->fence, &scene->seq);
	KUNIT_EXPECT_STREQ(test, scene->line,
			   "alive busy seq 1 unsignalled\n"
			   "detached-driver signaled-timeline seq 1 signalled\n");
}

/* They cannot lose what they are made of, so they need not hide it. */
static void own_fences_keep_their_names(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_fence *array = mock_array(test, stub);
	struct dma_fence *node = mock_chain_create(test, NULL, stub, 1);

	dma_fence_describe(stub, &scene->seq);
	dma_fence_describe(array, &scene->seq);
	dma_fence_describe(node, &scene->seq);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->line, "stub stub seq 0 signalled\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->line, "dma_fence_array unbound seq 1 sig"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->line, "dma_fence_chain unbound seq 1 sig"));
	dma_fence_put(stub);
}

static void never_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static void fence_refuses_callbacks(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence_cb cb;

	driver_go(scene);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(scene->fence, &cb, never_called), -ENOENT);
	dma_fence_enable_sw_signaling(scene->fence);
	dma_fence_set_deadline(scene->fence, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&scene->fence, 1, false, 0, NULL), 1);
}

/* A display driver waits for whatever user space passes to it. */
static void fence_can_be_waited_for(struct kunit *test)
{
	struct scene *scene = test->priv;

	driver_go(scene);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(scene->fence, true), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(scene->fence, true, 0), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(scene->fence, false, 7), 7);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&scene->fence, 1, false, 7, NULL), 7);
}

static void note_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static void callback_can_be_taken_back(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence_cb cb;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(scene->fence, &cb, note_called), 0);
	driver_go(scene);
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(scene->fence, &cb));
}

static void fence_has_its_place_on_the_timeline(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *later = driver_fence(test, scene->driver, 2);

	dma_fence_signal(later);
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later(later, scene->fence));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(scene->fence, later));
	KUNIT_EXPECT_NULL(test, dma_fence_later(scene->fence, later));
	dma_fence_put(later);
}

static void wide_numbers_are_remembered(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *first, *second;

	scene->driver->ops.use_64bit_seqno = true;
	first = driver_fence(test, scene->driver, 1);
	second = driver_fence(test, scene->driver, 1ULL << 31 | 1ULL << 40);
	dma_fence_signal(first);
	dma_fence_signal(second);
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later(second, first));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(first, second));
	dma_fence_put(first);
	dma_fence_put(second);
}

static void fence_can_be_merged(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *other = mock_fence_new(test), *merged;

	driver_go(scene);
	merged = mock_container_adopt(test, dma_fence_unwrap_merge(scene->fence, other));
	KUNIT_EXPECT_PTR_EQ(test, merged, other);
	merged = mock_container_adopt(test, dma_fence_unwrap_merge(scene->fence));
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(merged), dma_fence_timestamp(scene->fence));
}

static void member_may_lose_its_driver(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *other = mock_fence_new(test);
	struct dma_fence *array = mock_array(test, scene->fence, other);
	struct dma_fence *late = mock_array(test, scene->fence, other);

	mock_cb_add(test, array);
	driver_go(scene);
	mock_cb_add(test, late);
	dma_fence_set_deadline(array, 1);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(array));
	dma_fence_signal(other);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(array));
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(late));
}

/* One that completes may be the last thing that a driver does. */
static void any_member_may_lose_its_driver(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *fences[] = { mock_fence_new(test), scene->fence };
	struct dma_fence *array = mock_array_create(test, true, fences, 2);

	mock_cb_add(test, array);
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(array));
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(array, 2));
}

static void link_may_lose_its_driver(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *other = mock_fence_new(test);
	struct dma_fence *older = mock_chain_create(test, NULL, scene->fence, 1);
	struct dma_fence *head = mock_chain_create(test, older, other, 2);

	mock_cb_add(test, head);
	driver_go(scene);
	dma_fence_set_deadline(head, 1);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(head));
	dma_fence_signal(other);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(head));
}

static void object_may_keep_the_fence(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct dma_fence *found = NULL;

	scene_add(scene, scene->fence);
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(&scene->resv, DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_GT(test, dma_resv_wait_timeout(&scene->resv, DMA_RESV_USAGE_BOOKKEEP, false,
						    10), 0);
	dma_resv_lock(&scene->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_get_singleton(&scene->resv, DMA_RESV_USAGE_BOOKKEEP,
						     &found), 0);
	KUNIT_EXPECT_NULL(test, found);
	dma_resv_describe(&scene->resv, &scene->seq);
	dma_resv_unlock(&scene->resv);
	KUNIT_EXPECT_NULL(test, strstr(scene->line, "alive"));
}

static void fence_in_an_object_can_be_replaced(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct mock_fence *later = mock_fence_create(test, &mock_fence_ops, 1ULL << 40, 2);

	scene_add(scene, scene->fence);
	driver_go(scene);
	scene_add(scene, &later->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(scene->fence), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&later->base), 2);
}

/* The events themselves, not only the probes: they are what asks for names. */
static void fence_can_be_traced(struct kunit *test)
{
	struct scene *scene = test->priv;

	if (!IS_ENABLED(CONFIG_EVENT_TRACING))
		kunit_skip(test, "needs CONFIG_EVENT_TRACING");
	KUNIT_ASSERT_EQ(test, trace_set_clr_event("dma_fence", NULL, 1), 0);
	driver_go(scene);
	dma_fence_put(scene->fence);
	trace_set_clr_event("dma_fence", NULL, 0);

	/* For the end of the scene. */
	scene->fence = dma_fence_get_stub();
}

static struct sync_file *file_create(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file;

	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		kunit_skip(test, "needs CONFIG_SYNC_FILE");
	sync_file = sync_file_create(fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	return sync_file;
}

static void polled_file_can_be_closed(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct sync_file *sync_file = file_create(test, scene->fence);

	KUNIT_EXPECT_FALSE(test, vfs_poll(sync_file->file, NULL));
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(scene->fence), 1);
	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, vfs_poll(sync_file->file, NULL) == EPOLLIN);
	__fput_sync(sync_file->file);
}

static void file_can_be_polled_and_closed(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct sync_file *sync_file = file_create(test, scene->fence);

	driver_go(scene);
	KUNIT_EXPECT_TRUE(test, vfs_poll(sync_file->file, NULL) == EPOLLIN);
	__fput_sync(sync_file->file);
}

static void file_can_be_named_and_shown(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct sync_file *sync_file = file_create(test, scene->fence);
	struct file *file = sync_file->file;
	char name[64];

	driver_go(scene);
	sync_file_get_name(sync_file, name, sizeof(name));
	KUNIT_EXPECT_STREQ(test, name, "detached-driver-signaled-timeline1099511627776-1");
	file->f_op->show_fdinfo(&scene->seq, file);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->line, "signaled detached-driver"));
	__fput_sync(file);
}

static struct kunit_case dma_fence_detach_cases[] = {
	KUNIT_CASE(fence_can_be_put),
	KUNIT_CASE(fence_can_be_asked),
	KUNIT_CASE(fence_tells_its_names_until_the_signal),
	KUNIT_CASE(own_fences_keep_their_names),
	KUNIT_CASE(fence_refuses_callbacks),
	KUNIT_CASE(fence_can_be_waited_for),
	KUNIT_CASE(callback_can_be_taken_back),
	KUNIT_CASE(fence_has_its_place_on_the_timeline),
	KUNIT_CASE(wide_numbers_are_remembered),
	KUNIT_CASE(fence_can_be_merged),
	KUNIT_CASE(member_may_lose_its_driver),
	KUNIT_CASE(any_member_may_lose_its_driver),
	KUNIT_CASE(link_may_lose_its_driver),
	KUNIT_CASE(object_may_keep_the_fence),
	KUNIT_CASE(fence_in_an_object_can_be_replaced),
	KUNIT_CASE(fence_can_be_traced),
	KUNIT_CASE(polled_file_can_be_closed),
	KUNIT_CASE(file_can_be_polled_and_closed),
	KUNIT_CASE(file_can_be_named_and_shown),
	{}
};

static struct kunit_suite dma_fence_detach_suite = {
	.name = "dma_fence_detach",
	.init = scene_init,
	.exit = scene_exit,
	.test_cases = dma_fence_detach_cases,
};

kunit_test_suite(dma_fence_detach_suite);

MODULE_DESCRIPTION("KUnit tests of fences whose driver has gone");
MODULE_LICENSE("GPL");
