// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping without waiting: when it says that it would have to wait, that nothing
 * has changed then, and that it is a map like any other if it need not.
 */

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>

#include "fail_alloc.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#define MOVE_NOTIFY	IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)

/**
 * struct try_case - what every case of this suite has
 * @exp: exporter, static and not yet exported
 * @dev: importing device
 */
struct try_case {
	struct mock_exporter *exp;
	struct device *dev;
};

static void importer_move_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops importer_ops = {
	.move_notify = importer_move_notify,
};

static void detach_importer(void *data)
{
	struct dma_buf_attachment *attach = data;

	dma_buf_detach(attach->dmabuf, attach);
}

/*
 * An importer without operations is a static one. Forgets the calls so far, and
 * detaches at the end of the case.
 */
static struct dma_buf_attachment *
attach_importer(struct kunit *test, const struct dma_buf_attach_ops *ops)
{
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;

	attach = dma_buf_dynamic_attach(tc->exp->buf, tc->dev, ops, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, detach_importer, attach));
	tc->exp->trace[0] = '\0';
	return attach;
}

/* static importer of a static exporter that can map without waiting */
static struct dma_buf_attachment *attach_trying(struct kunit *test)
{
	struct try_case *tc = test->priv;

	mock_exporter_make_trying(tc->exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(tc->exp));
	return attach_importer(test, NULL);
}

static void detach(struct kunit *test, struct dma_buf_attachment *attach)
{
	kunit_release_action(test, detach_importer, attach);
}

static struct sg_table *try_map(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_try_map_attachment(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);
	return sgt;
}

static int try_map_error(struct dma_buf_attachment *attach,
			 enum dma_data_direction dir)
{
	return PTR_ERR_OR_ZERO(try_map(attach, dir));
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
}

/* Arguments */

static void dma_buf_try_map_passes_arguments(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_trying(test);
	struct try_case *tc = test->priv;
	struct mock_call *call = &tc->exp->calls[MOCK_TRY_MAP];
	struct sg_table *sgt = try_map(attach, DMA_FROM_DEVICE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, call->dir, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, call->attach, attach);
	unmap(attach, sgt, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, tc->exp->calls[MOCK_UNMAP].dir, DMA_FROM_DEVICE);
}

/* Combinations that can be mapped without blocking */

enum exporter_kind { EXP_STATIC, EXP_CACHED, EXP_DYNAMIC };

static const struct try_row {
	const char *desc;
	enum exporter_kind kind;
	bool trying;
	const struct dma_buf_attach_ops *importer;
	int error;
	const char *map, *unmap, *detach;
} rows[] = {
	{ "static to static", EXP_STATIC, false, NULL,
	  -EBUSY, "", "", "detach" },
	{ "static, trying, to static", EXP_STATIC, true, NULL,
	  0, "try_map", "unmap", "detach" },
	{ "cached to static", EXP_CACHED, false, NULL,
	  -EBUSY, "", "", "detach" },
	{ "cached, trying, to static", EXP_CACHED, true, NULL,
	  0, "try_map", "", "unmap detach" },
	{ "dynamic to static", EXP_DYNAMIC, false, NULL,
	  0, "", "", "unmap unpin detach" },
	{ "dynamic, trying, to static", EXP_DYNAMIC, true, NULL,
	  0, "", "", "unmap unpin detach" },
	{ "static to dynamic", EXP_STATIC, false, &importer_ops,
	  0, "", "", "unmap detach" },
	{ "static, trying, to dynamic", EXP_STATIC, true, &importer_ops,
	  0, "", "", "unmap detach" },
	{ "cached to dynamic", EXP_CACHED, false, &importer_ops,
	  0, "", "", "unmap detach" },
	{ "cached, trying, to dynamic", EXP_CACHED, true, &importer_ops,
	  0, "", "", "unmap detach" },
	{ "dynamic to dynamic", EXP_DYNAMIC, false, &importer_ops,
	  -EBUSY, "", "", "detach" },
	{ "dynamic, trying, to dynamic", EXP_DYNAMIC, true, &importer_ops,
	  MOVE_NOTIFY ? 0 : -EBUSY, MOVE_NOTIFY ? "try_map" : "",
	  MOVE_NOTIFY ? "unmap" : "", "detach" },
};

KUNIT_ARRAY_PARAM_DESC(rows, rows, desc);

static struct dma_buf_attachment *attach_row(struct kunit *test,
					     const struct try_row *row)
{
	struct try_case *tc = test->priv;

	if (row->kind == EXP_DYNAMIC)
		mock_exporter_make_dynamic(tc->exp);
	if (row->trying)
		mock_exporter_make_trying(tc->exp);
	tc->exp->ops.cache_sgt_mapping = row->kind == EXP_CACHED;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(tc->exp));
	return attach_importer(test, row->importer);
}

static void dma_buf_try_map_matrix(struct kunit *test)
{
	const struct try_row *row = test->param_value;
	struct dma_buf_attachment *attach = attach_row(test, row);
	struct try_case *tc = test->priv;
	struct sg_table *sgt = try_map(attach, DMA_BIDIRECTIONAL);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), row->error);
	mock_expect_trace(tc->exp, row->map);
	if (!IS_ERR(sgt))
		unmap(attach, sgt, DMA_BIDIRECTIONAL);
	mock_expect_trace(tc->exp, row->unmap);
	detach(test, attach);
	mock_expect_trace(tc->exp, row->detach);
	KUNIT_EXPECT_EQ(test, tc->exp->maps, 0);
	KUNIT_EXPECT_EQ(test, tc->exp->pins, 0);
}

/* A map that may wait succeeds where the other one was refused. */
static void dma_buf_try_map_then_map(struct kunit *test)
{
	const struct try_row *row = test->param_value;
	struct dma_buf_attachment *attach = attach_row(test, row);
	struct sg_table *tried = try_map(attach, DMA_TO_DEVICE);
	struct try_case *tc = test->priv;
	struct sg_table *sgt;

	if (!IS_ERR(tried))
		unmap(attach, tried, DMA_TO_DEVICE);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, tc->exp->maps, 1);
	unmap(attach, sgt, DMA_TO_DEVICE);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, tc->exp->maps, 0);
	KUNIT_EXPECT_EQ(test, tc->exp->pins, 0);
}

/* Mappings that are kept */

static void dma_buf_try_map_keeps_first(struct kunit *test)
{
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *one, *two;

	tc->exp->ops.cache_sgt_mapping = true;
	attach = attach_trying(test);
	one = try_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = try_map(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, one, two);
	KUNIT_EXPECT_PTR_EQ(test, one,
			    dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE));
	mock_expect_trace(tc->exp, "try_map");
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, tc->exp->calls[MOCK_UNMAP].dir, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, tc->exp->maps, 0);
}

/* even if the exporter cannot try, and while the memory is being moved */
static void dma_buf_try_map_returns_kept(struct kunit *test)
{
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	tc->exp->ops.cache_sgt_mapping = true;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(tc->exp));
	attach = attach_importer(test, NULL);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	test_resv_add(test, tc->exp->buf->resv, mock_fence_new(test),
		      DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, try_map(attach, DMA_TO_DEVICE), sgt);
	mock_expect_trace(tc->exp, "map");
}

static const struct kept_direction {
	const char *desc;
	enum dma_data_direction kept, wanted;
	int error;
} kept_directions[] = {
	{ "to, to", DMA_TO_DEVICE, DMA_TO_DEVICE, 0 },
	{ "to, from", DMA_TO_DEVICE, DMA_FROM_DEVICE, -EBUSY },
	{ "from, both", DMA_FROM_DEVICE, DMA_BIDIRECTIONAL, -EBUSY },
	{ "both, to", DMA_BIDIRECTIONAL, DMA_TO_DEVICE, 0 },
	{ "both, both", DMA_BIDIRECTIONAL, DMA_BIDIRECTIONAL, 0 },
};

KUNIT_ARRAY_PARAM_DESC(kept_directions, kept_directions, desc);

static void dma_buf_try_map_kept_direction(struct kunit *test)
{
	const struct kept_direction *param = test->param_value;
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;

	tc->exp->ops.cache_sgt_mapping = true;
	attach = attach_trying(test);
	KUNIT_EXPECT_EQ(test, try_map_error(attach, param->kept), 0);
	KUNIT_EXPECT_EQ(test, try_map_error(attach, param->wanted), param->error);
	mock_expect_trace(tc->exp, "try_map");
}

/* Fences */

static const struct try_fence {
	const char *desc;
	enum dma_resv_usage usage;
	const struct dma_buf_attach_ops *importer;
	bool refuses;
} try_fences[] = {
	{ "static, kernel", DMA_RESV_USAGE_KERNEL, NULL, true },
	{ "static, write", DMA_RESV_USAGE_WRITE, NULL, false },
	{ "static, read", DMA_RESV_USAGE_READ, NULL, false },
	{ "static, bookkeep", DMA_RESV_USAGE_BOOKKEEP, NULL, false },
	{ "dynamic, kernel", DMA_RESV_USAGE_KERNEL, &importer_ops, false },
};

KUNIT_ARRAY_PARAM_DESC(try_fences, try_fences, desc);

/* who waits all the same is interrupted, so the case does not hang */
static void dma_buf_try_map_pending_fence(struct kunit *test)
{
	const struct try_fence *param = test->param_value;
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (param->importer && !MOVE_NOTIFY)
		kunit_skip(test, "without CONFIG_DMABUF_MOVE_NOTIFY a map pins");
	if (param->importer)
		mock_exporter_make_dynamic(tc->exp);
	mock_exporter_make_trying(tc->exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(tc->exp));
	attach = attach_importer(test, param->importer);
	test_resv_add(test, tc->exp->buf->resv, mock_fence_new(test), param->usage);

	test_interrupted(sgt = try_map(attach, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), param->refuses ? -EBUSY : 0);
	mock_expect_trace(tc->exp, param->refuses ? "" : "try_map");
	if (!IS_ERR(sgt))
		unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dma_buf_try_map_after_signal(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_trying(test);
	struct dma_fence *fence = mock_fence_new(test);
	struct try_case *tc = test->priv;
	struct sg_table *sgt;

	test_resv_add(test, tc->exp->buf->resv, fence, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, try_map_error(attach, DMA_TO_DEVICE), -EBUSY);
	dma_fence_signal(fence);
	sgt = try_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* the move is over, but the driver has not been asked so far */
static void dma_buf_try_map_asks_driver(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_trying(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct try_case *tc = test->priv;
	struct sg_table *sgt;

	test_resv_add(test, tc->exp->buf->resv, &mock->base, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, try_map_error(attach, DMA_TO_DEVICE), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0U);
	mock->complete = true;
	sgt = try_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Failures */

static const struct try_failure {
	const char *desc;
	int error;
} try_failures[] = {
	{ "would wait", -EBUSY },
	{ "interrupted", -EINTR },
	{ "input or output", -EIO },
};

KUNIT_ARRAY_PARAM_DESC(try_failures, try_failures, desc);

/* an error is not kept: the next attempt asks the exporter again */
static void dma_buf_try_map_error_of_exporter(struct kunit *test)
{
	const struct try_failure *param = test->param_value;
	struct try_case *tc = test->priv;
	struct dma_buf_attachment *attach;

	tc->exp->ops.cache_sgt_mapping = true;
	attach = attach_trying(test);
	tc->exp->fail[MOCK_TRY_MAP] = param->error;
	KUNIT_EXPECT_EQ(test, try_map_error(attach, DMA_TO_DEVICE), param->error);
	tc->exp->fail[MOCK_TRY_MAP] = 0;
	KUNIT_EXPECT_EQ(test, try_map_error(attach, DMA_FROM_DEVICE), 0);
	mock_expect_trace(tc->exp, "try_map try_map");
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, tc->exp->maps, 0);
}

static void dma_buf_try_map_gives_null(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_trying(test);
	struct try_case *tc = test->priv;

	tc->exp->map_null = true;
	KUNIT_EXPECT_EQ(test, try_map_error(attach, DMA_TO_DEVICE), -ENOMEM);
	mock_expect_trace(tc->exp, "try_map");
}

static void dma_buf_try_map_out_of_memory(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct try_case *tc = test->priv;
	struct sg_table *sgt = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	attach = attach_trying(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, sgt = try_map(attach, DMA_TO_DEVICE)); nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(sgt));
		KUNIT_EXPECT_EQ(test, PTR_ERR(sgt), -ENOMEM);
		KUNIT_EXPECT_EQ(test, tc->exp->maps, 0);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* the same table as from map, with CONFIG_DMABUF_DEBUG and without */
static void dma_buf_try_map_table(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_trying(test);
	struct sg_table *sgt = try_map(attach, DMA_TO_DEVICE);
	struct try_case *tc = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt == tc->exp->sgt,
			!IS_ENABLED(CONFIG_DMABUF_DEBUG));
	KUNIT_EXPECT_EQ(test, !sg_page(sgt->sgl), IS_ENABLED(CONFIG_DMABUF_DEBUG));
	unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, tc->exp->unmapped_sgt, tc->exp->sgt);
}

static int dma_buf_try_map_init(struct kunit *test)
{
	struct try_case *tc = kunit_kzalloc(test, sizeof(*tc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tc);
	test->priv = tc;
	tc->exp = mock_exporter_create(test);
	tc->dev = kunit_device_register(test, "mock-importer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tc->dev);

	return 0;
}

static struct kunit_case dma_buf_try_map_cases[] = {
	KUNIT_CASE(dma_buf_try_map_passes_arguments),
	KUNIT_CASE_PARAM(dma_buf_try_map_matrix, rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_try_map_then_map, rows_gen_params),
	KUNIT_CASE(dma_buf_try_map_keeps_first),
	KUNIT_CASE(dma_buf_try_map_returns_kept),
	KUNIT_CASE_PARAM(dma_buf_try_map_kept_direction, kept_directions_gen_params),
	KUNIT_CASE_PARAM(dma_buf_try_map_pending_fence, try_fences_gen_params),
	KUNIT_CASE(dma_buf_try_map_after_signal),
	KUNIT_CASE(dma_buf_try_map_asks_driver),
	KUNIT_CASE_PARAM(dma_buf_try_map_error_of_exporter, try_failures_gen_params),
	KUNIT_CASE(dma_buf_try_map_gives_null),
	KUNIT_CASE(dma_buf_try_map_out_of_memory),
	KUNIT_CASE(dma_buf_try_map_table),
	{}
};

static struct kunit_suite dma_buf_try_map_suite = {
	.name = "dma_buf_try_map",
	.init = dma_buf_try_map_init,
	.test_cases = dma_buf_try_map_cases,
};

kunit_test_suite(dma_buf_try_map_suite);

MODULE_DESCRIPTION("KUnit tests for mapping without waiting");
MODULE_LICENSE("GPL");
