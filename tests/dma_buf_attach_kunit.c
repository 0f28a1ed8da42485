// SPDX-License-Identifier: GPL-2.0
/*
 * Attachments: who is called when a device comes, maps, unmaps and goes, under
 * which lock, and what a failure in the middle leaves behind.
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

#define MAX_MOVED	4

/**
 * struct attach_case - what every case of this suite has
 * @exp: exporter, static and not yet exported
 * @dev: importing device
 * @moved: attachments whose move_notify was called, in order
 * @num_moved: how often it was called
 */
struct attach_case {
	struct mock_exporter *exp;
	struct device *dev;
	struct dma_buf_attachment *moved[MAX_MOVED];
	unsigned int num_moved;
};

static void importer_move_notify(struct dma_buf_attachment *attach)
{
	struct dma_resv *resv = attach->dmabuf->resv;
	struct kunit *test = attach->importer_priv;
	struct attach_case *ac = test->priv;

	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(resv));
	if (mock_lockdep_works())
		KUNIT_EXPECT_TRUE(test, dma_resv_held(resv));
	if (ac->num_moved < MAX_MOVED)
		ac->moved[ac->num_moved] = attach;
	ac->num_moved++;
}

static const struct dma_buf_attach_ops importer_ops = {
	.move_notify = importer_move_notify,
};

static const struct dma_buf_attach_ops importer_p2p_ops = {
	.allow_peer2peer = true,
	.move_notify = importer_move_notify,
};

static const struct dma_buf_attach_ops importer_ops_without_notify = {
	.allow_peer2peer = true,
};

static void export(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(ac->exp));
}

static void export_dynamic(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	mock_exporter_make_dynamic(ac->exp);
	export(test);
}

/* an importer without operations is a static one */
static struct dma_buf_attachment *
try_attach(struct kunit *test, const struct dma_buf_attach_ops *ops)
{
	struct attach_case *ac = test->priv;

	if (!ops)
		return dma_buf_attach(ac->exp->buf, ac->dev);
	return dma_buf_dynamic_attach(ac->exp->buf, ac->dev, ops, test);
}

static void detach_importer(void *data)
{
	struct dma_buf_attachment *attach = data;

	dma_buf_detach(attach->dmabuf, attach);
}

/* detaches at the end of the case */
static struct dma_buf_attachment *
attach_importer(struct kunit *test, const struct dma_buf_attach_ops *ops)
{
	struct dma_buf_attachment *attach = try_attach(test, ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, detach_importer, attach));
	return attach;
}

/* a static importer of a static exporter */
static struct dma_buf_attachment *attach_static(struct kunit *test)
{
	export(test);
	return attach_importer(test, NULL);
}

/* a dynamic importer of a dynamic exporter */
static struct dma_buf_attachment *attach_dynamic(struct kunit *test)
{
	export_dynamic(test);
	return attach_importer(test, &importer_ops);
}

/* before the end of the case */
static void detach(struct kunit *test, struct dma_buf_attachment *attach)
{
	kunit_release_action(test, detach_importer, attach);
}

static struct sg_table *map(struct kunit *test,
			    struct dma_buf_attachment *attach,
			    enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	return sgt;
}

static int attach_error(struct kunit *test, const struct dma_buf_attach_ops *ops)
{
	return PTR_ERR_OR_ZERO(try_attach(test, ops));
}

static struct sg_table *try_map(struct dma_buf_attachment *attach)
{
	return dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
}

static int map_error(struct dma_buf_attachment *attach,
		     enum dma_data_direction dir)
{
	return PTR_ERR_OR_ZERO(dma_buf_map_attachment_unlocked(attach, dir));
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
}

/* Attach and detach: arguments */

static void dma_buf_attach_without_move_notify(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	export(test);
	EXPECT_KERNEL_WARNINGS(test, 1,
			       KUNIT_EXPECT_EQ(test, -EINVAL,
					       attach_error(test, &importer_ops_without_notify)));
	mock_expect_trace(ac->exp, "");
}

static void dma_buf_detach_from_other_buffer(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;
	struct dma_buf *other = mock_buf_create(test);

	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_detach(other, attach));
	mock_expect_trace(ac->exp, "attach");
	KUNIT_EXPECT_FALSE(test, list_empty(&ac->exp->buf->attachments));
}

/* Attach and detach: what they do */

static void dma_buf_attach_members_static(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, attach->dmabuf, ac->exp->buf);
	KUNIT_EXPECT_PTR_EQ(test, attach->dev, ac->dev);
	KUNIT_EXPECT_NULL(test, attach->importer_ops);
	KUNIT_EXPECT_NULL(test, attach->importer_priv);
	KUNIT_EXPECT_NULL(test, attach->priv);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	KUNIT_EXPECT_FALSE(test, dma_buf_attachment_is_dynamic(attach));
}

static void dma_buf_attach_members_dynamic(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_dynamic(test);
	struct attach_case *ac = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, attach->dmabuf, ac->exp->buf);
	KUNIT_EXPECT_PTR_EQ(test, attach->dev, ac->dev);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_ops, &importer_ops);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_priv, (void *)test);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	KUNIT_EXPECT_TRUE(test, dma_buf_attachment_is_dynamic(attach));
}

static void dma_buf_attach_takes_no_reference(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	test_expect_refs(test, ac->exp->buf->file, 1);
	detach(test, attach);
	test_expect_refs(test, ac->exp->buf->file, 1);
}

static void dma_buf_attach_without_exporter_ops(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	ac->exp->ops.attach = NULL;
	ac->exp->ops.detach = NULL;
	export(test);
	detach(test, attach_importer(test, NULL));
	mock_expect_trace(ac->exp, "");
	KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
}

static void expect_empty_list(struct mock_exporter *exp, enum mock_op op,
			      struct dma_buf_attachment *attach)
{
	if (op != MOCK_ATTACH && op != MOCK_DETACH)
		return;

	KUNIT_EXPECT_TRUE(exp->test, list_empty(&exp->buf->attachments));
	KUNIT_EXPECT_TRUE(exp->test, list_empty(&attach->node));
}

static void dma_buf_attach_lists_after_exporter(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	ac->exp->hook = expect_empty_list;
	attach = attach_static(test);
	KUNIT_EXPECT_FALSE(test, list_empty(&ac->exp->buf->attachments));
	detach(test, attach);
	KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
	mock_expect_trace(ac->exp, "attach detach");
}

/* some exporters do */
static void dma_buf_attach_exporter_may_lock(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	ac->exp->hook = mock_take_resv;
	export(test);
	detach(test, attach_importer(test, NULL));
	mock_expect_trace(ac->exp, "attach detach");
}

static void dma_buf_attach_error_of_exporter(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	ac->exp->fail[MOCK_ATTACH] = -EXDEV;
	export(test);
	KUNIT_EXPECT_EQ(test, -EXDEV, attach_error(test, NULL));
	KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
	mock_expect_trace(ac->exp, "attach");
}

static void dma_buf_attach_out_of_memory(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach = NULL;
	unsigned int nth;

	export(test);
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, attach = try_attach(test, NULL)); nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(attach));
		KUNIT_EXPECT_EQ(test, PTR_ERR(attach), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	detach_importer(attach);
}

static void note_peer2peer(struct mock_exporter *exp, enum mock_op op,
			   struct dma_buf_attachment *attach)
{
	if (op == MOCK_ATTACH)
		*(bool *)exp->hook_data = attach->peer2peer;
}

static const struct peer2peer {
	const char *desc;
	const struct dma_buf_attach_ops *ops;
	bool peer2peer;
} peer2peers[] = {
	{ "static importer", NULL, false },
	{ "importer without", &importer_ops, false },
	{ "importer with", &importer_p2p_ops, true },
};

KUNIT_ARRAY_PARAM_DESC(peer2peers, peer2peers, desc);

static void dma_buf_attach_peer2peer_preset(struct kunit *test)
{
	const struct peer2peer *param = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	bool seen = !param->peer2peer;

	ac->exp->hook = note_peer2peer;
	ac->exp->hook_data = &seen;
	export_dynamic(test);
	attach = attach_importer(test, param->ops);
	KUNIT_EXPECT_EQ(test, seen, param->peer2peer);
	KUNIT_EXPECT_EQ(test, attach->peer2peer, param->peer2peer);
}

static void clear_peer2peer(struct mock_exporter *exp, enum mock_op op,
			    struct dma_buf_attachment *attach)
{
	if (op == MOCK_ATTACH)
		attach->peer2peer = false;
}

static void dma_buf_attach_exporter_clears_peer2peer(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	ac->exp->hook = clear_peer2peer;
	export_dynamic(test);
	attach = attach_importer(test, &importer_p2p_ops);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
}

/* The matrix of exporters and importers */

enum exporter_kind { EXP_STATIC, EXP_CACHED, EXP_DYNAMIC };

static const struct matrix_row {
	const char *desc;
	enum exporter_kind kind;
	const struct dma_buf_attach_ops *importer;
	const char *attach, *map, *unmap, *detach;
} matrix[] = {
	{ "static to static", EXP_STATIC, NULL,
	  "attach", "map", "unmap", "detach" },
	{ "cached to static", EXP_CACHED, NULL,
	  "attach", "map", "", "unmap detach" },
	{ "static to dynamic", EXP_STATIC, &importer_ops,
	  "attach map", "", "", "unmap detach" },
	{ "cached to dynamic", EXP_CACHED, &importer_ops,
	  "attach map", "", "", "unmap detach" },
	{ "dynamic to static", EXP_DYNAMIC, NULL,
	  "attach pin map", "", "", "unmap unpin detach" },
	{ "dynamic to dynamic", EXP_DYNAMIC, &importer_ops,
	  "attach", MOVE_NOTIFY ? "map" : "pin map",
	  MOVE_NOTIFY ? "unmap" : "unmap unpin", "detach" },
};

KUNIT_ARRAY_PARAM_DESC(matrix, matrix, desc);

static void export_row(struct kunit *test, const struct matrix_row *row)
{
	struct attach_case *ac = test->priv;

	if (row->kind == EXP_DYNAMIC)
		mock_exporter_make_dynamic(ac->exp);
	ac->exp->ops.cache_sgt_mapping = row->kind == EXP_CACHED;
	export(test);
}

static void dma_buf_pins_and_maps_as_the_table_says(struct kunit *test)
{
	const struct matrix_row *row = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	export_row(test, row);
	attach = attach_importer(test, row->importer);
	mock_expect_trace(ac->exp, row->attach);
	sgt = map(test, attach, DMA_BIDIRECTIONAL);
	mock_expect_trace(ac->exp, row->map);
	unmap(attach, sgt, DMA_BIDIRECTIONAL);
	mock_expect_trace(ac->exp, row->unmap);
	detach(test, attach);
	mock_expect_trace(ac->exp, row->detach);
}

static void dma_buf_matrix_is_balanced(struct kunit *test)
{
	const struct matrix_row *row = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	export_row(test, row);
	attach = attach_importer(test, row->importer);
	sgt = map(test, attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 1);
	unmap(attach, sgt, DMA_BIDIRECTIONAL);
	sgt = map(test, attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 1);
	unmap(attach, sgt, DMA_BIDIRECTIONAL);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 0);
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
}

/* a mapping made at attach is for whatever may come */
static void dma_buf_matrix_direction_at_attach(struct kunit *test)
{
	const struct matrix_row *row = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	export_row(test, row);
	attach = attach_importer(test, row->importer);
	if (ac->exp->calls[MOCK_MAP].count)
		KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_MAP].dir,
				DMA_BIDIRECTIONAL);
	sgt = map(test, attach, DMA_FROM_DEVICE);
	unmap(attach, sgt, DMA_FROM_DEVICE);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_UNMAP].dir,
			ac->exp->calls[MOCK_MAP].dir);
}

/* drivers put their own operations into the buffer right after export */
static void dma_buf_attach_follows_changed_ops(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf_ops dynamic;

	ac->exp->ops.cache_sgt_mapping = true;
	export(test);
	mock_exporter_make_dynamic(ac->exp);
	dynamic = ac->exp->ops;
	dynamic.cache_sgt_mapping = false;
	ac->exp->buf->ops = &dynamic;

	attach = attach_importer(test, NULL);
	mock_expect_trace(ac->exp, "attach pin map");
	detach(test, attach);
	mock_expect_trace(ac->exp, "unmap unpin detach");
	ac->exp->buf->ops = &ac->exp->ops;
}

/* Failures at attach and what is undone */

static const struct attach_failure {
	const char *desc;
	bool dynamic;
	const struct dma_buf_attach_ops *importer;
	enum mock_op op;
	int error;
	const char *trace;
} attach_failures[] = {
	{ "pin", true, NULL, MOCK_PIN, -EBUSY, "attach pin detach" },
	{ "map after pin", true, NULL, MOCK_MAP, -EIO,
	  "attach pin map unpin detach" },
	{ "map", false, &importer_ops, MOCK_MAP, -EIO, "attach map detach" },
};

KUNIT_ARRAY_PARAM_DESC(attach_failures, attach_failures, desc);

static void dma_buf_attach_failure(struct kunit *test)
{
	const struct attach_failure *param = test->param_value;
	struct attach_case *ac = test->priv;

	ac->exp->fail[param->op] = param->error;
	if (param->dynamic)
		mock_exporter_make_dynamic(ac->exp);
	export(test);
	KUNIT_EXPECT_EQ(test, param->error,
			attach_error(test, param->importer));
	mock_expect_trace(ac->exp, param->trace);
	KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(ac->exp->buf->resv));
}

static void dma_buf_attach_map_gives_null(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	ac->exp->map_null = true;
	export_dynamic(test);
	KUNIT_EXPECT_EQ(test, -ENOMEM, attach_error(test, NULL));
	mock_expect_trace(ac->exp, "attach pin map unpin detach");
}

static void dma_buf_attach_interrupted(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	export_dynamic(test);
	test_resv_add(test, ac->exp->buf->resv, mock_fence_new(test),
		      DMA_RESV_USAGE_KERNEL);
	test_interrupted(KUNIT_EXPECT_EQ(test, -ERESTARTSYS,
					 attach_error(test, NULL)));
	mock_expect_trace(ac->exp, "attach pin map unmap unpin detach");
	KUNIT_EXPECT_TRUE(test, list_empty(&ac->exp->buf->attachments));
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 0);
}

/* Map and unmap */

KUNIT_ARRAY_PARAM_DESC(directions, mock_directions, desc);

static void dma_buf_map_passes_direction(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	const struct mock_direction *param = test->param_value;
	struct attach_case *ac = test->priv;
	struct sg_table *sgt;

	sgt = map(test, attach, param->dir);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_MAP].dir, param->dir);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->calls[MOCK_MAP].attach, attach);
	unmap(attach, sgt, param->dir);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_UNMAP].dir, param->dir);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->calls[MOCK_UNMAP].attach, attach);
}

static void dma_buf_map_locked(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;
	struct sg_table *sgt;

	dma_resv_lock(ac->exp->buf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(sgt));
	if (!IS_ERR_OR_NULL(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(ac->exp->buf->resv));
	dma_resv_unlock(ac->exp->buf->resv);
	mock_expect_trace(ac->exp, "attach map unmap");
}

static void dma_buf_map_every_time(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;
	struct sg_table *one, *two;

	one = map(test, attach, DMA_TO_DEVICE);
	two = map(test, attach, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 2);
	unmap(attach, one, DMA_TO_DEVICE);
	unmap(attach, two, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 0);
}

static void count_attachments(struct mock_exporter *exp, enum mock_op op,
			      struct dma_buf_attachment *attach)
{
	if (op == MOCK_MAP)
		*(size_t *)exp->hook_data = list_count_nodes(&exp->buf->attachments);
}

/* an exporter may choose the memory late, when it knows who will use it */
static void dma_buf_map_sees_all_attachments(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *one;
	struct sg_table *sgt;
	size_t seen = 0;

	ac->exp->hook = count_attachments;
	ac->exp->hook_data = &seen;
	export(test);
	one = attach_importer(test, NULL);
	attach_importer(test, NULL);
	sgt = map(test, one, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, seen, 2);
	unmap(one, sgt, DMA_TO_DEVICE);
}

static void dma_buf_map_kept_table(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *one, *two;

	ac->exp->ops.cache_sgt_mapping = true;
	attach = attach_static(test);
	one = map(test, attach, DMA_TO_DEVICE);
	two = map(test, attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, one, two);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 1);
	unmap(attach, two, DMA_TO_DEVICE);
	unmap(attach, one, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 1);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 0);
}

static void dma_buf_map_kept_per_attachment(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *one, *two;
	struct sg_table *sgt_one, *sgt_two;

	ac->exp->ops.cache_sgt_mapping = true;
	export(test);
	one = attach_importer(test, NULL);
	two = attach_importer(test, NULL);
	sgt_one = map(test, one, DMA_TO_DEVICE);
	sgt_two = map(test, two, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_NE(test, sgt_one, sgt_two);
	unmap(one, sgt_one, DMA_TO_DEVICE);
	unmap(two, sgt_two, DMA_FROM_DEVICE);
	detach(test, one);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->calls[MOCK_UNMAP].attach, one);
	KUNIT_EXPECT_EQ(test, ac->exp->maps, 1);
}

static const struct kept_direction {
	const char *desc;
	enum dma_data_direction kept, wanted;
	int error;
} kept_directions[] = {
	{ "to, to", DMA_TO_DEVICE, DMA_TO_DEVICE, 0 },
	{ "to, from", DMA_TO_DEVICE, DMA_FROM_DEVICE, -EBUSY },
	{ "to, both", DMA_TO_DEVICE, DMA_BIDIRECTIONAL, -EBUSY },
	{ "from, from", DMA_FROM_DEVICE, DMA_FROM_DEVICE, 0 },
	{ "from, to", DMA_FROM_DEVICE, DMA_TO_DEVICE, -EBUSY },
	{ "from, both", DMA_FROM_DEVICE, DMA_BIDIRECTIONAL, -EBUSY },
	{ "both, to", DMA_BIDIRECTIONAL, DMA_TO_DEVICE, 0 },
	{ "both, from", DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, 0 },
	{ "both, both", DMA_BIDIRECTIONAL, DMA_BIDIRECTIONAL, 0 },
};

KUNIT_ARRAY_PARAM_DESC(kept_directions, kept_directions, desc);

static void dma_buf_map_kept_direction(struct kunit *test)
{
	const struct kept_direction *param = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	ac->exp->ops.cache_sgt_mapping = true;
	attach = attach_static(test);
	sgt = map(test, attach, param->kept);
	KUNIT_EXPECT_EQ(test, map_error(attach, param->wanted), param->error);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_MAP].count, 1);
	unmap(attach, sgt, param->kept);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_UNMAP].dir, param->kept);
}

static void dma_buf_map_error_of_exporter(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	ac->exp->fail[MOCK_MAP] = -EIO;
	KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -EIO);
	mock_expect_trace(ac->exp, "attach map");
}

static void dma_buf_map_gives_null(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	ac->exp->map_null = true;
	KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -ENOMEM);
	mock_expect_trace(ac->exp, "attach map");
}

/* an error is not kept: the next attempt asks the exporter again */
static void dma_buf_map_kept_after_error(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	ac->exp->ops.cache_sgt_mapping = true;
	attach = attach_static(test);
	ac->exp->fail[MOCK_MAP] = -EIO;
	KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -EIO);
	ac->exp->fail[MOCK_MAP] = 0;
	sgt = map(test, attach, DMA_FROM_DEVICE);
	unmap(attach, sgt, DMA_FROM_DEVICE);
	mock_expect_trace(ac->exp, "attach map map");
}

static void dma_buf_map_dynamic_error_unpins(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_dynamic(test);
	struct attach_case *ac = test->priv;

	ac->exp->fail[MOCK_MAP] = -EIO;
	KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -EIO);
	mock_expect_trace(ac->exp, MOVE_NOTIFY ? "attach map"
					       : "attach pin map unpin");
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
}

static void dma_buf_map_dynamic_pin_error(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	if (MOVE_NOTIFY)
		kunit_skip(test, "with CONFIG_DMABUF_MOVE_NOTIFY nothing is pinned");

	attach = attach_dynamic(test);
	ac->exp->fail[MOCK_PIN] = -EBUSY;
	KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -EBUSY);
	mock_expect_trace(ac->exp, "attach pin");
}

static void dma_buf_map_out_of_memory(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	attach = attach_static(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, sgt = try_map(attach)); nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(sgt));
		KUNIT_EXPECT_EQ(test, PTR_ERR(sgt), -ENOMEM);
		KUNIT_EXPECT_EQ(test, ac->exp->maps, 0);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Waiting for the kernel's own fences */

static const struct map_wait {
	const char *desc;
	enum dma_resv_usage usage;
	const struct dma_buf_attach_ops *importer;
	bool waits;
} map_waits[] = {
	{ "static, kernel", DMA_RESV_USAGE_KERNEL, NULL, true },
	{ "static, write", DMA_RESV_USAGE_WRITE, NULL, false },
	{ "static, read", DMA_RESV_USAGE_READ, NULL, false },
	{ "static, bookkeep", DMA_RESV_USAGE_BOOKKEEP, NULL, false },
	{ "dynamic, kernel", DMA_RESV_USAGE_KERNEL, &importer_ops, false },
};

KUNIT_ARRAY_PARAM_DESC(map_waits, map_waits, desc);

static void dma_buf_map_waits_for(struct kunit *test)
{
	const struct map_wait *param = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (param->importer)
		mock_exporter_make_dynamic(ac->exp);
	export(test);
	attach = attach_importer(test, param->importer);
	test_resv_add(test, ac->exp->buf->resv, mock_fence_new(test),
		      param->usage);
	test_interrupted(sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt),
			param->waits ? -ERESTARTSYS : 0);
	if (!IS_ERR(sgt))
		unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dma_buf_map_interrupted_is_undone(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	test_resv_add(test, ac->exp->buf->resv, mock_fence_new(test),
		      DMA_RESV_USAGE_KERNEL);
	test_interrupted(KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -ERESTARTSYS));
	mock_expect_trace(ac->exp, "attach map unmap");
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_UNMAP].dir, DMA_TO_DEVICE);
}

static void dma_buf_map_interrupted_is_not_kept(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	ac->exp->ops.cache_sgt_mapping = true;
	attach = attach_static(test);
	test_resv_add(test, ac->exp->buf->resv, fence, DMA_RESV_USAGE_KERNEL);
	test_interrupted(KUNIT_EXPECT_EQ(test, map_error(attach, DMA_TO_DEVICE), -ERESTARTSYS));
	dma_fence_signal(fence);
	sgt = map(test, attach, DMA_FROM_DEVICE);
	unmap(attach, sgt, DMA_FROM_DEVICE);
	mock_expect_trace(ac->exp, "attach map unmap map");
}

static void dma_buf_map_waits_until_signalled(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;
	struct dma_fence *fence = mock_fence_new(test);
	struct sg_table *sgt;

	test_resv_add(test, ac->exp->buf->resv, fence, DMA_RESV_USAGE_KERNEL);
	test_signal_later(test, fence, 20);
	sgt = map(test, attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Pin and unpin */

static void dma_buf_pin_calls_exporter(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_dynamic(test);
	struct attach_case *ac = test->priv;

	dma_resv_lock(ac->exp->buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 1);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->calls[MOCK_PIN].attach, attach);
	dma_buf_unpin(attach);
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
	dma_resv_unlock(ac->exp->buf->resv);
	mock_expect_trace(ac->exp, "attach pin unpin");
}

static void dma_buf_pin_every_time(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_dynamic(test);
	struct attach_case *ac = test->priv;

	dma_resv_lock(ac->exp->buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 2);
	dma_buf_unpin(attach);
	dma_buf_unpin(attach);
	dma_resv_unlock(ac->exp->buf->resv);
	KUNIT_EXPECT_EQ(test, ac->exp->pins, 0);
}

static void dma_buf_pin_error_of_exporter(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	ac->exp->fail[MOCK_PIN] = -EBUSY;
	attach = attach_dynamic(test);
	dma_resv_lock(ac->exp->buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), -EBUSY);
	dma_resv_unlock(ac->exp->buf->resv);
}

static void dma_buf_pin_of_static_exporter(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	export(test);
	attach = attach_importer(test, &importer_ops);
	dma_resv_lock(ac->exp->buf->resv, NULL);
	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0));
	EXPECT_KERNEL_WARNINGS(test, 0, dma_buf_unpin(attach));
	dma_resv_unlock(ac->exp->buf->resv);
	mock_expect_trace(ac->exp, "attach map");
}

static void dma_buf_pin_by_static_importer_warns(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;

	dma_resv_lock(ac->exp->buf->resv, NULL);
	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_pin(attach));
	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_unpin(attach));
	dma_resv_unlock(ac->exp->buf->resv);
	mock_expect_trace(ac->exp, "attach");
}

/* Moving */

static void move(struct mock_exporter *exp)
{
	dma_resv_lock(exp->buf->resv, NULL);
	dma_buf_move_notify(exp->buf);
	dma_resv_unlock(exp->buf->resv);
}

static void dma_buf_move_notify_nobody(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	export_dynamic(test);
	move(ac->exp);
	KUNIT_EXPECT_EQ(test, ac->num_moved, 0);
}

static void dma_buf_move_notify_skips_static(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *dynamic;

	export_dynamic(test);
	attach_importer(test, NULL);
	dynamic = attach_importer(test, &importer_ops);
	move(ac->exp);
	KUNIT_ASSERT_EQ(test, ac->num_moved, 1);
	KUNIT_EXPECT_PTR_EQ(test, ac->moved[0], dynamic);
}

static void dma_buf_move_notify_in_list_order(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *pos;
	int i;

	export_dynamic(test);
	for (i = 0; i < 3; i++)
		attach_importer(test, &importer_ops);
	move(ac->exp);
	KUNIT_ASSERT_EQ(test, ac->num_moved, 3);

	i = 0;
	dma_resv_lock(ac->exp->buf->resv, NULL);
	list_for_each_entry(pos, &ac->exp->buf->attachments, node)
		KUNIT_EXPECT_PTR_EQ(test, ac->moved[i++], pos);
	dma_resv_unlock(ac->exp->buf->resv);
}

static void dma_buf_move_notify_not_after_detach(struct kunit *test)
{
	struct attach_case *ac = test->priv;

	export_dynamic(test);
	detach(test, attach_importer(test, &importer_ops));
	move(ac->exp);
	KUNIT_EXPECT_EQ(test, ac->num_moved, 0);
}

static void dma_buf_move_notify_leaves_mappings(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_dynamic(test);
	struct attach_case *ac = test->priv;
	struct sg_table *sgt;

	sgt = map(test, attach, DMA_TO_DEVICE);
	ac->exp->trace[0] = '\0';
	move(ac->exp);
	mock_expect_trace(ac->exp, "");
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* The table of an importer with CONFIG_DMABUF_DEBUG: addresses, but no pages */

static void dma_buf_map_plain_table(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		kunit_skip(test, "CONFIG_DMABUF_DEBUG puts another table in between");

	attach = attach_static(test);
	sgt = map(test, attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sgt, ac->exp->sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

static const struct debug_row {
	const char *desc;
	bool cached;
} debug_rows[] = {
	{ "every time", false },
	{ "kept", true },
};

KUNIT_ARRAY_PARAM_DESC(debug_rows, debug_rows, desc);

static struct dma_buf_attachment *attach_debug(struct kunit *test)
{
	const struct debug_row *row = test->param_value;
	struct attach_case *ac = test->priv;

	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		kunit_skip(test, "needs CONFIG_DMABUF_DEBUG");

	ac->exp->ops.cache_sgt_mapping = row->cached;
	export(test);
	return attach_importer(test, NULL);
}

static void dma_buf_debug_same_addresses(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_debug(test);
	struct attach_case *ac = test->priv;
	struct sg_table *sgt = map(test, attach, DMA_TO_DEVICE);
	struct scatterlist *sg, *want = ac->exp->sgt->sgl;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, sgt->nents, ac->exp->sgt->nents);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), sg_dma_address(want));
		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), sg_dma_len(want));
		want = sg_next(want);
	}
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* an IOMMU merges entries to segments; both kinds of lengths add up still */
static void dma_buf_debug_lengths_add_up(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_debug(test);
	struct sg_table *sgt = map(test, attach, DMA_TO_DEVICE);
	size_t cpu = 0, dma = 0;
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, sgt->orig_nents, MOCK_EXPORTER_PAGES);
	KUNIT_EXPECT_EQ(test, sgt->nents, MOCK_EXPORTER_PAGES - 1);
	for_each_sgtable_sg(sgt, sg, i)
		cpu += sg->length;
	for_each_sgtable_dma_sg(sgt, sg, i)
		dma += sg_dma_len(sg);
	KUNIT_EXPECT_EQ(test, cpu, attach->dmabuf->size);
	KUNIT_EXPECT_EQ(test, dma, attach->dmabuf->size);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

/* some exporters of memory without pages leave the list for the CPU empty */
static void dma_buf_debug_without_entries(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	ac->exp->no_entries = true;
	attach = attach_debug(test);
	sgt = map(test, attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 0U);
	KUNIT_EXPECT_EQ(test, sgt->nents, MOCK_EXPORTER_PAGES - 1U);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dma_buf_debug_no_pages(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_debug(test);
	struct sg_table *sgt;
	struct scatterlist *sg;
	unsigned int i;

	test_skip_stock(test, "garbles the pages");
	sgt = map(test, attach, DMA_TO_DEVICE);
	for_each_sgtable_sg(sgt, sg, i)
		KUNIT_EXPECT_NULL(test, sg_page(sg));
	unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dma_buf_debug_leaves_exporters_table(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_debug(test);
	struct attach_case *ac = test->priv;
	struct sg_table *sgt;

	test_skip_stock(test, "garbles the pages");
	sgt = map(test, attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_NE(test, sgt, ac->exp->sgt);
	mock_exporter_check_table(ac->exp, ac->exp->sgt);
	unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dma_buf_debug_returns_exporters_table(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_debug(test);
	struct attach_case *ac = test->priv;
	struct sg_table *sgt = map(test, attach, DMA_TO_DEVICE);

	unmap(attach, sgt, DMA_TO_DEVICE);
	detach(test, attach);
	KUNIT_EXPECT_EQ(test, ac->exp->calls[MOCK_UNMAP].count, 1);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->unmapped_sgt, ac->exp->sgt);
}

/* with an exporter that maps every time, tables may come back in any order */
static void dma_buf_debug_tables_in_any_order(struct kunit *test)
{
	struct dma_buf_attachment *attach = attach_static(test);
	struct attach_case *ac = test->priv;
	struct sg_table *one, *two, *own_one;

	one = map(test, attach, DMA_TO_DEVICE);
	own_one = ac->exp->sgt;
	two = map(test, attach, DMA_TO_DEVICE);
	unmap(attach, one, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->unmapped_sgt, own_one);
	unmap(attach, two, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, ac->exp->unmapped_sgt, ac->exp->sgt);
}

/* Callers who must hold the reservation lock but do not */

static void unlocked_pin(struct dma_buf_attachment *attach)
{
	dma_buf_pin(attach);
}

static void unlocked_map(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

	if (!IS_ERR_OR_NULL(sgt))
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
}

static void unlocked_try_map(struct dma_buf_attachment *attach)
{
	dma_buf_try_map_attachment(attach, DMA_TO_DEVICE);
}

static void unlocked_unmap(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (!IS_ERR_OR_NULL(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
}

static void unlocked_move_notify(struct dma_buf_attachment *attach)
{
	dma_buf_move_notify(attach->dmabuf);
}

static void unlocked_vmap(struct dma_buf_attachment *attach)
{
	struct iosys_map map;

	if (!dma_buf_vmap(attach->dmabuf, &map))
		dma_buf_vunmap_unlocked(attach->dmabuf, &map);
}

static void unlocked_vunmap(struct dma_buf_attachment *attach)
{
	struct iosys_map map;

	if (!dma_buf_vmap_unlocked(attach->dmabuf, &map))
		dma_buf_vunmap(attach->dmabuf, &map);
}

static const struct unlocked_caller {
	const char *desc;
	void (*call)(struct dma_buf_attachment *attach);
	bool dynamic;
} unlocked_callers[] = {
	{ "dma_buf_pin", unlocked_pin, true },
	{ "dma_buf_unpin", dma_buf_unpin, true },
	{ "dma_buf_map_attachment", unlocked_map, false },
	{ "dma_buf_try_map_attachment", unlocked_try_map, false },
	{ "dma_buf_unmap_attachment", unlocked_unmap, false },
	{ "dma_buf_move_notify", unlocked_move_notify, false },
	{ "dma_buf_vmap", unlocked_vmap, false },
	{ "dma_buf_vunmap", unlocked_vunmap, false },
};

KUNIT_ARRAY_PARAM_DESC(unlocked_callers, unlocked_callers, desc);

static void dma_buf_unlocked_caller_warns(struct kunit *test)
{
	const struct unlocked_caller *param = test->param_value;
	struct attach_case *ac = test->priv;
	struct dma_buf_attachment *attach;

	if (!mock_lockdep_works())
		kunit_skip(test, "needs lockdep");

	ac->exp->any_lock = true;
	if (param->dynamic)
		export_dynamic(test);
	else
		export(test);
	attach = attach_importer(test, param->dynamic ? &importer_ops : NULL);
	EXPECT_KERNEL_WARNINGS(test, 1, param->call(attach));
}

/* The locking table: the mock checks each call, here every callback is reached */

static void try_map_unmap(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_try_map_attachment(attach, DMA_TO_DEVICE);
	if (!IS_ERR_OR_NULL(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	dma_resv_unlock(attach->dmabuf->resv);
}

static void call_everything(struct kunit *test)
{
	struct attach_case *ac = test->priv;
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	struct dma_buf_attachment *attach;
	struct iosys_map map_all;
	struct sg_table *sgt;

	mock_exporter_make_trying(ac->exp);
	attach = attach_dynamic(test);
	dma_resv_lock(ac->exp->buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0);
	dma_buf_unpin(attach);
	dma_resv_unlock(ac->exp->buf->resv);
	sgt = map(test, attach, DMA_TO_DEVICE);
	unmap(attach, sgt, DMA_TO_DEVICE);
	try_map_unmap(attach);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(ac->exp->buf, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(ac->exp->buf, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, 0, ac->exp->buf->file->f_op->mmap(ac->exp->buf->file, &vma));
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(ac->exp->buf, &map_all));
	dma_buf_vunmap_unlocked(ac->exp->buf, &map_all);
	detach(test, attach);
	mock_exporter_put(ac->exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(ac->exp));
}

static void op_desc(const enum mock_op *op, char *desc)
{
	strscpy(desc, mock_op_name(*op), KUNIT_PARAM_DESC_SIZE);
}

static const enum mock_op all_ops[] = {
	MOCK_ATTACH, MOCK_DETACH, MOCK_PIN, MOCK_UNPIN, MOCK_MAP, MOCK_TRY_MAP,
	MOCK_UNMAP, MOCK_RELEASE, MOCK_BEGIN, MOCK_END, MOCK_MMAP, MOCK_VMAP, MOCK_VUNMAP,
};

static_assert(ARRAY_SIZE(all_ops) == MOCK_NUM_OPS);

KUNIT_ARRAY_PARAM(all_ops, all_ops, op_desc);

static void dma_buf_locking_table(struct kunit *test)
{
	enum mock_op op = *(const enum mock_op *)test->param_value;
	struct attach_case *ac = test->priv;
	struct mock_call *call = &ac->exp->calls[op];

	if (op == MOCK_TRY_MAP && !MOVE_NOTIFY)
		kunit_skip(test, "without CONFIG_DMABUF_MOVE_NOTIFY a map pins");

	ac->exp->any_lock = true;
	call_everything(test);
	KUNIT_ASSERT_GT(test, call->count, 0);
	KUNIT_EXPECT_EQ(test, call->locked, mock_op_wants_resv(op));
	if (mock_lockdep_works())
		KUNIT_EXPECT_EQ(test, call->held, mock_op_wants_resv(op));
}

static int dma_buf_attach_init(struct kunit *test)
{
	struct attach_case *ac = kunit_kzalloc(test, sizeof(*ac), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ac);
	test->priv = ac;
	ac->exp = mock_exporter_create(test);
	ac->dev = kunit_device_register(test, "mock-importer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ac->dev);

	return 0;
}

static struct kunit_case dma_buf_attach_cases[] = {
	KUNIT_CASE(dma_buf_attach_without_move_notify),
	KUNIT_CASE(dma_buf_detach_from_other_buffer),
	KUNIT_CASE(dma_buf_attach_members_static),
	KUNIT_CASE(dma_buf_attach_members_dynamic),
	KUNIT_CASE(dma_buf_attach_takes_no_reference),
	KUNIT_CASE(dma_buf_attach_without_exporter_ops),
	KUNIT_CASE(dma_buf_attach_lists_after_exporter),
	KUNIT_CASE(dma_buf_attach_exporter_may_lock),
	KUNIT_CASE(dma_buf_attach_error_of_exporter),
	KUNIT_CASE(dma_buf_attach_out_of_memory),
	KUNIT_CASE_PARAM(dma_buf_attach_peer2peer_preset, peer2peers_gen_params),
	KUNIT_CASE(dma_buf_attach_exporter_clears_peer2peer),
	KUNIT_CASE_PARAM(dma_buf_pins_and_maps_as_the_table_says, matrix_gen_params),
	KUNIT_CASE_PARAM(dma_buf_matrix_is_balanced, matrix_gen_params),
	KUNIT_CASE_PARAM(dma_buf_matrix_direction_at_attach, matrix_gen_params),
	KUNIT_CASE(dma_buf_attach_follows_changed_ops),
	KUNIT_CASE_PARAM(dma_buf_attach_failure, attach_failures_gen_params),
	KUNIT_CASE(dma_buf_attach_map_gives_null),
	KUNIT_CASE(dma_buf_attach_interrupted),
	KUNIT_CASE_PARAM(dma_buf_map_passes_direction, directions_gen_params),
	KUNIT_CASE(dma_buf_map_locked),
	KUNIT_CASE(dma_buf_map_every_time),
	KUNIT_CASE(dma_buf_map_sees_all_attachments),
	KUNIT_CASE(dma_buf_map_kept_table),
	KUNIT_CASE(dma_buf_map_kept_per_attachment),
	KUNIT_CASE_PARAM(dma_buf_map_kept_direction, kept_directions_gen_params),
	KUNIT_CASE(dma_buf_map_error_of_exporter),
	KUNIT_CASE(dma_buf_map_gives_null),
	KUNIT_CASE(dma_buf_map_kept_after_error),
	KUNIT_CASE(dma_buf_map_dynamic_error_unpins),
	KUNIT_CASE(dma_buf_map_dynamic_pin_error),
	KUNIT_CASE(dma_buf_map_out_of_memory),
	KUNIT_CASE_PARAM(dma_buf_map_waits_for, map_waits_gen_params),
	KUNIT_CASE(dma_buf_map_interrupted_is_undone),
	KUNIT_CASE(dma_buf_map_interrupted_is_not_kept),
	KUNIT_CASE(dma_buf_map_waits_until_signalled),
	KUNIT_CASE(dma_buf_pin_calls_exporter),
	KUNIT_CASE(dma_buf_pin_every_time),
	KUNIT_CASE(dma_buf_pin_error_of_exporter),
	KUNIT_CASE(dma_buf_pin_of_static_exporter),
	KUNIT_CASE(dma_buf_pin_by_static_importer_warns),
	KUNIT_CASE(dma_buf_move_notify_nobody),
	KUNIT_CASE(dma_buf_move_notify_skips_static),
	KUNIT_CASE(dma_buf_move_notify_in_list_order),
	KUNIT_CASE(dma_buf_move_notify_not_after_detach),
	KUNIT_CASE(dma_buf_move_notify_leaves_mappings),
	KUNIT_CASE(dma_buf_map_plain_table),
	KUNIT_CASE_PARAM(dma_buf_debug_same_addresses, debug_rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_debug_lengths_add_up, debug_rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_debug_without_entries, debug_rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_debug_no_pages, debug_rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_debug_leaves_exporters_table, debug_rows_gen_params),
	KUNIT_CASE_PARAM(dma_buf_debug_returns_exporters_table, debug_rows_gen_params),
	KUNIT_CASE(dma_buf_debug_tables_in_any_order),
	KUNIT_CASE_PARAM(dma_buf_unlocked_caller_warns, unlocked_callers_gen_params),
	KUNIT_CASE_PARAM(dma_buf_locking_table, all_ops_gen_params),
	{}
};

static struct kunit_suite dma_buf_attach_suite = {
	.name = "dma_buf_attach",
	.init = dma_buf_attach_init,
	.test_cases = dma_buf_attach_cases,
};

kunit_test_suite(dma_buf_attach_suite);

MODULE_DESCRIPTION("KUnit tests for attachments of a buffer");
MODULE_LICENSE("GPL");
