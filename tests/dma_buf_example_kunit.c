// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worked examples of Documentation/driver-api/dma-buf.rst, which includes
 * them from here by their markers, and the tests that keep them from rotting.
 */

#include <kunit/device.h>
#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/* example: exporter callbacks */
static struct sg_table *toy_map(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	struct sg_table *sgt __free(kfree) = kmalloc(sizeof(*sgt), GFP_KERNEL);
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret;

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);

	sg_set_buf(sgt->sgl, dmabuf->priv, dmabuf->size);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret) {
		sg_free_table(sgt);
		return ERR_PTR(ret);
	}

	return no_free_ptr(sgt);
}

static void toy_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

/* example: exporter */
static void toy_release(struct dma_buf *dmabuf)
{
	free_pages_exact(dmabuf->priv, dmabuf->size);
}

static const struct dma_buf_ops toy_ops = {
	.map_dma_buf = toy_map,
	.try_map_dma_buf = toy_map,	/* never waits */
	.unmap_dma_buf = toy_unmap,
	.release = toy_release,
};

static struct dma_buf *toy_export(size_t size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &toy_ops;
	info.size = PAGE_ALIGN(size);
	info.flags = O_RDWR;
	info.priv = alloc_pages_exact(info.size, GFP_KERNEL | __GFP_ZERO);
	if (!info.priv)
		return ERR_PTR(-ENOMEM);

	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		free_pages_exact(info.priv, info.size);

	return dmabuf;
}

/* example: importer */
struct toy_import {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static int toy_import(struct toy_import *imp, struct device *dev, int fd)
{
	int ret;

	imp->dmabuf = dma_buf_get(fd);
	if (IS_ERR(imp->dmabuf))
		return PTR_ERR(imp->dmabuf);

	imp->attach = dma_buf_attach(imp->dmabuf, dev);
	if (IS_ERR(imp->attach)) {
		ret = PTR_ERR(imp->attach);
		goto err_put;
	}

	imp->sgt = dma_buf_map_attachment_unlocked(imp->attach, DMA_TO_DEVICE);
	if (IS_ERR(imp->sgt)) {
		ret = PTR_ERR(imp->sgt);
		goto err_detach;
	}

	return 0;

err_detach:
	dma_buf_detach(imp->dmabuf, imp->attach);
err_put:
	dma_buf_put(imp->dmabuf);
	return ret;
}

static void toy_forget(struct toy_import *imp)
{
	dma_buf_unmap_attachment_unlocked(imp->attach, imp->sgt, DMA_TO_DEVICE);
	dma_buf_detach(imp->dmabuf, imp->attach);
	dma_buf_put(imp->dmabuf);
}

/* example: job */
struct toy_job {
	struct dma_fence done;		/* first: dma_fence_free() frees all */
	spinlock_t lock;
};

static const char *toy_name(struct dma_fence *fence)
{
	return "toy";
}

static const struct dma_fence_ops toy_fence_ops = {
	.get_driver_name = toy_name,
	.get_timeline_name = toy_name,
};

static struct toy_job *toy_job_create(u64 context, u64 seqno)
{
	struct toy_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;

	spin_lock_init(&job->lock);
	dma_fence_init(&job->done, &toy_fence_ops, &job->lock, context, seqno);
	return job;
}

/* example: submission */
/* Wait for the fences of a usage, and of all stronger ones. */
static int toy_wait(struct dma_resv *resv, enum dma_resv_usage usage,
		    bool may_block)
{
	long left;

	if (!may_block)
		return dma_resv_test_signaled(resv, usage) ? 0 : -EBUSY;

	left = dma_resv_wait_timeout(resv, usage, true, MAX_SCHEDULE_TIMEOUT);

	return left < 0 ? left : 0;
}

static int toy_submit_locked(struct dma_resv *resv, struct toy_job *job,
			     bool write, bool may_block)
{
	int ret;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;

	/* A reader comes after all writers, a writer after all readers, too. */
	ret = toy_wait(resv, dma_resv_usage_rw(write), may_block);
	if (ret)
		return ret;

	/* No way back: from here on the job has to run, and to signal. */
	dma_resv_add_fence(resv, &job->done,
			   write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);

	return 0;
}

static int toy_submit(struct dma_resv *resv, struct toy_job *job, bool write)
{
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;

	ret = toy_submit_locked(resv, job, write, true);
	dma_resv_unlock(resv);

	return ret;
}

/* example: dynamic importer */
struct toy_dynamic {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;	/* Both are guarded by dmabuf->resv. */
	bool moved;		/* The table leads to where the memory was. */
};

/* Jobs in flight go on with the old table: their fences tell for how long. */
static void toy_move_notify(struct dma_buf_attachment *attach)
{
	struct toy_dynamic *imp = attach->importer_priv;

	imp->moved = true;
}

static const struct dma_buf_attach_ops toy_attach_ops = {
	.allow_peer2peer = true,
	.move_notify = toy_move_notify,
};

static int toy_dynamic_import(struct toy_dynamic *imp, struct device *dev,
			      struct dma_buf *dmabuf)
{
	imp->dmabuf = dmabuf;
	imp->sgt = NULL;
	imp->moved = false;
	imp->attach = dma_buf_dynamic_attach(dmabuf, dev, &toy_attach_ops, imp);

	return PTR_ERR_OR_ZERO(imp->attach);
}

static int toy_drop_table(struct toy_dynamic *imp, bool may_block)
{
	int ret;

	ret = toy_wait(imp->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, may_block);
	if (ret)
		return ret;

	dma_buf_unmap_attachment(imp->attach, imp->sgt, DMA_TO_DEVICE);
	imp->sgt = NULL;

	return 0;
}

/* Have a table that leads to where the memory is now. */
static int toy_follow(struct toy_dynamic *imp, bool may_block)
{
	struct sg_table *sgt;
	int ret;

	if (imp->sgt && !imp->moved)
		return 0;

	ret = imp->sgt ? toy_drop_table(imp, may_block) : 0;
	if (ret)
		return ret;

	if (may_block)
		sgt = dma_buf_map_attachment(imp->attach, DMA_TO_DEVICE);
	else
		sgt = dma_buf_try_map_attachment(imp->attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	imp->sgt = sgt;
	imp->moved = false;

	return 0;
}

/* The device reads the buffer. -EBUSY says: not without waiting. */
static int toy_dynamic_submit(struct toy_dynamic *imp, struct toy_job *job,
			      bool may_block)
{
	struct dma_resv *resv = imp->dmabuf->resv;
	int ret;

	if (may_block)
		ret = dma_resv_lock_interruptible(resv, NULL);
	else
		ret = dma_resv_trylock(resv) ? 0 : -EBUSY;
	if (ret)
		return ret;

	ret = toy_follow(imp, may_block);
	if (!ret)
		ret = toy_submit_locked(resv, job, false, may_block);
	dma_resv_unlock(resv);

	return ret;
}

/* After the last job. */
static void toy_dynamic_forget(struct toy_dynamic *imp)
{
	if (imp->sgt)
		dma_buf_unmap_attachment_unlocked(imp->attach, imp->sgt,
						  DMA_TO_DEVICE);
	dma_buf_detach(imp->dmabuf, imp->attach);
}

/* example: end */

static void toy_put(void *dmabuf)
{
	dma_buf_put(dmabuf);
}

static void toy_close(void *fd)
{
	close_fd((long)fd);
}

/* How the tests see that the memory of a buffer was freed. */
static void *toy_watched;
static DECLARE_COMPLETION(toy_freed);

static void toy_release_watched(struct dma_buf *dmabuf)
{
	bool watched = dmabuf->priv == toy_watched;

	toy_release(dmabuf);
	if (watched)
		complete(&toy_freed);
}

static const struct dma_buf_ops toy_ops_watched = {
	.map_dma_buf = toy_map,
	.unmap_dma_buf = toy_unmap,
	.release = toy_release_watched,
};

/* An fd for a buffer of one and a half pages, which rounds up to two. */
static int toy_fd(struct kunit *test)
{
	struct dma_buf *dmabuf = toy_export(PAGE_SIZE + PAGE_SIZE / 2);
	long fd;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	dmabuf->ops = &toy_ops_watched;

	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	KUNIT_ASSERT_GE(test, fd, 0L);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, toy_close,
							   (void *)fd));
	return fd;
}

static struct device *toy_device(struct kunit *test)
{
	struct device *dev;

	if (!IS_ENABLED(CONFIG_HAS_DMA))
		kunit_skip(test, "no DMA on this machine");

	dev = kunit_device_register(test, "dma-buf-example");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	return dev;
}

static void example_has_the_size_of_its_export(struct kunit *test)
{
	struct dma_buf *dmabuf = toy_export(1);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, toy_put,
							   dmabuf));
	KUNIT_EXPECT_EQ(test, dmabuf->size, (size_t)PAGE_SIZE);
	KUNIT_EXPECT_STREQ(test, dmabuf->exp_name, KBUILD_MODNAME);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->ops, &toy_ops);
}

static void example_import_maps_everything(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct toy_import imp;

	KUNIT_ASSERT_EQ(test, 0, toy_import(&imp, dev, toy_fd(test)));
	KUNIT_EXPECT_EQ(test, imp.sgt->nents, 1U);
	KUNIT_EXPECT_EQ(test, sg_dma_len(imp.sgt->sgl),
			(unsigned int)imp.dmabuf->size);
	KUNIT_EXPECT_FALSE(test, list_empty(&imp.dmabuf->attachments));
	toy_forget(&imp);
}

static void example_import_outlives_fd(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct toy_import imp;
	int fd = toy_fd(test);

	KUNIT_ASSERT_EQ(test, 0, toy_import(&imp, dev, fd));
	toy_watched = imp.dmabuf->priv;
	KUNIT_EXPECT_EQ(test, imp.dmabuf->size, (size_t)2 * PAGE_SIZE);
	reinit_completion(&toy_freed);
	kunit_release_action(test, toy_close, (void *)(long)fd);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&toy_freed, HZ / 50));

	toy_forget(&imp);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&toy_freed, HZ));
	toy_watched = NULL;
}

static void example_import_no_buffer(struct kunit *test)
{
	struct toy_import imp;

	KUNIT_EXPECT_EQ(test, -EBADF, toy_import(&imp, NULL, -1));
}

static void example_submit_adds_reader(struct kunit *test)
{
	struct dma_buf *dmabuf = toy_export(PAGE_SIZE);
	struct toy_job *job;
	struct dma_resv *resv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, toy_put,
							   dmabuf));
	resv = dmabuf->resv;
	job = toy_job_create(dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_NOT_NULL(test, job);

	KUNIT_EXPECT_EQ(test, 0, toy_submit(resv, job, false));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));

	dma_fence_signal(&job->done);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
	dma_fence_put(&job->done);
}

static void example_submit_next_to_reader(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(2);
	struct toy_job *first, *second;
	struct dma_resv resv;

	first = toy_job_create(context, 1);
	KUNIT_ASSERT_NOT_NULL(test, first);
	second = toy_job_create(context + 1, 1);
	if (!second)
		dma_fence_put(&first->done);
	KUNIT_ASSERT_NOT_NULL(test, second);

	/* Readers do not wait for each other: this returns. */
	dma_resv_init(&resv);
	KUNIT_EXPECT_EQ(test, 0, toy_submit(&resv, first, false));
	KUNIT_EXPECT_EQ(test, 0, toy_submit(&resv, second, false));

	dma_fence_signal(&first->done);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(&resv, DMA_RESV_USAGE_READ));
	dma_fence_signal(&second->done);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(&resv, DMA_RESV_USAGE_READ));

	dma_resv_fini(&resv);
	dma_fence_put(&first->done);
	dma_fence_put(&second->done);
}

static int submit_without_waiting(struct dma_resv *resv, struct toy_job *job,
				  bool write)
{
	int ret;

	dma_resv_lock(resv, NULL);
	ret = toy_submit_locked(resv, job, write, false);
	dma_resv_unlock(resv);

	return ret;
}

static void toy_end_job(void *job)
{
	dma_fence_signal(&((struct toy_job *)job)->done);
	dma_fence_put(&((struct toy_job *)job)->done);
}

/* A job of a timeline of its own, over at the end of the case at the latest. */
static struct toy_job *toy_job(struct kunit *test)
{
	struct toy_job *job = toy_job_create(dma_fence_context_alloc(1), 1);

	KUNIT_ASSERT_NOT_NULL(test, job);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, toy_end_job, job));
	return job;
}

static struct dma_buf *toy_buf(struct kunit *test)
{
	struct dma_buf *dmabuf = toy_export(PAGE_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, toy_put, dmabuf));
	return dmabuf;
}

static const struct follow_up {
	const char *desc;
	bool first, second;
	int error;
} follow_ups[] = {
	{ "reader after reader", false, false, 0 },
	{ "writer after reader", false, true, -EBUSY },
	{ "reader after writer", true, false, -EBUSY },
	{ "writer after writer", true, true, -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(follow_ups, follow_ups, desc);

static void example_submit_in_order(struct kunit *test)
{
	const struct follow_up *param = test->param_value;
	struct dma_resv *resv = toy_buf(test)->resv;
	struct toy_job *first = toy_job(test), *second = toy_job(test);

	KUNIT_EXPECT_EQ(test, 0, toy_submit(resv, first, param->first));
	KUNIT_EXPECT_EQ(test, param->error,
			submit_without_waiting(resv, second, param->second));
	dma_fence_signal(&first->done);
	if (param->error)
		KUNIT_EXPECT_EQ(test, 0,
				submit_without_waiting(resv, second, param->second));
	KUNIT_EXPECT_EQ(test, !param->second,
			dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
}

/* An exporter with this operation is dynamic. This one never moves its memory. */
static int toy_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void toy_unpin(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_ops toy_ops_dynamic = {
	.pin = toy_pin,
	.unpin = toy_unpin,
	.map_dma_buf = toy_map,
	.try_map_dma_buf = toy_map,
	.unmap_dma_buf = toy_unmap,
	.release = toy_release,
};

static void toy_move(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

/* Pinning might wait, so without the option only who may wait gets on. */
static void example_dynamic_first_job(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct dma_buf *dmabuf = toy_buf(test);
	struct toy_job *job = toy_job(test);
	struct toy_dynamic imp;

	dmabuf->ops = &toy_ops_dynamic;
	KUNIT_ASSERT_EQ(test, 0, toy_dynamic_import(&imp, dev, dmabuf));
	if (IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)) {
		KUNIT_EXPECT_EQ(test, 0, toy_dynamic_submit(&imp, job, false));
	} else {
		KUNIT_EXPECT_EQ(test, -EBUSY, toy_dynamic_submit(&imp, job, false));
		KUNIT_EXPECT_EQ(test, 0, toy_dynamic_submit(&imp, job, true));
	}
	KUNIT_EXPECT_NOT_NULL(test, imp.sgt);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(dmabuf->resv,
							DMA_RESV_USAGE_READ));
	toy_dynamic_forget(&imp);
}

static void example_dynamic_follows(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct dma_buf *dmabuf = toy_buf(test);
	struct toy_job *first = toy_job(test), *second = toy_job(test);
	struct toy_dynamic imp;
	struct sg_table *old;

	dmabuf->ops = &toy_ops_dynamic;
	KUNIT_ASSERT_EQ(test, 0, toy_dynamic_import(&imp, dev, dmabuf));
	KUNIT_EXPECT_EQ(test, 0, toy_dynamic_submit(&imp, first, true));
	old = imp.sgt;
	toy_move(dmabuf);
	KUNIT_EXPECT_TRUE(test, imp.moved);
	KUNIT_EXPECT_PTR_EQ(test, imp.sgt, old);

	/* The first job still uses the old table. */
	KUNIT_EXPECT_EQ(test, -EBUSY, toy_dynamic_submit(&imp, second, false));
	KUNIT_EXPECT_PTR_EQ(test, imp.sgt, old);
	dma_fence_signal(&first->done);
	KUNIT_EXPECT_EQ(test, 0, toy_dynamic_submit(&imp, second, true));
	KUNIT_EXPECT_FALSE(test, imp.moved);
	KUNIT_EXPECT_NOT_NULL(test, imp.sgt);
	toy_dynamic_forget(&imp);
}

static void example_dynamic_waits_for_writers(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct dma_buf *dmabuf = toy_buf(test);
	struct toy_job *writer = toy_job(test), *reader = toy_job(test);
	struct toy_dynamic imp;

	/* Of a static exporter, whose mapping is kept. */
	KUNIT_ASSERT_EQ(test, 0, toy_dynamic_import(&imp, dev, dmabuf));
	KUNIT_EXPECT_EQ(test, 0, toy_submit(dmabuf->resv, writer, true));
	KUNIT_EXPECT_EQ(test, -EBUSY, toy_dynamic_submit(&imp, reader, false));
	KUNIT_EXPECT_PTR_EQ(test, imp.sgt, imp.attach->sgt);
	dma_fence_signal(&writer->done);
	KUNIT_EXPECT_EQ(test, 0, toy_dynamic_submit(&imp, reader, false));
	toy_dynamic_forget(&imp);
}

static void example_dynamic_does_not_wait_for_lock(struct kunit *test)
{
	struct device *dev = toy_device(test);
	struct dma_buf *dmabuf = toy_buf(test);
	struct toy_job *job = toy_job(test);
	struct toy_dynamic imp;

	KUNIT_ASSERT_EQ(test, 0, toy_dynamic_import(&imp, dev, dmabuf));
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, -EBUSY, toy_dynamic_submit(&imp, job, false));
	dma_resv_unlock(dmabuf->resv);
	toy_dynamic_forget(&imp);
}

static struct kunit_case dma_buf_example_cases[] = {
	KUNIT_CASE(example_has_the_size_of_its_export),
	KUNIT_CASE(example_import_maps_everything),
	KUNIT_CASE(example_import_outlives_fd),
	KUNIT_CASE(example_import_no_buffer),
	KUNIT_CASE(example_submit_adds_reader),
	KUNIT_CASE(example_submit_next_to_reader),
	KUNIT_CASE_PARAM(example_submit_in_order, follow_ups_gen_params),
	KUNIT_CASE(example_dynamic_first_job),
	KUNIT_CASE(example_dynamic_follows),
	KUNIT_CASE(example_dynamic_waits_for_writers),
	KUNIT_CASE(example_dynamic_does_not_wait_for_lock),
	{}
};

static struct kunit_suite dma_buf_example_suite = {
	.name = "dma_buf_example",
	.test_cases = dma_buf_example_cases,
};

kunit_test_suite(dma_buf_example_suite);

MODULE_DESCRIPTION("KUnit test of the worked examples in the dma-buf book");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
