// SPDX-License-Identifier: GPL-2.0
/*
 * An exporter for tests. It needs no hardware: the memory is plain kernel
 * memory and the DMA addresses of its tables are made up.
 */

#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "mock_exporter.h"

/* where the made-up bus addresses start; three pages that an IOMMU joined to two segments */
#define MOCK_DMA_BASE	0x40000000UL

static const struct mock_op_desc {
	const char *name;
	bool wants_resv;
} mock_op_descs[MOCK_NUM_OPS] = {
	[MOCK_ATTACH]	= { "attach", false },
	[MOCK_DETACH]	= { "detach", false },
	[MOCK_PIN]	= { "pin", true },
	[MOCK_UNPIN]	= { "unpin", true },
	[MOCK_MAP]	= { "map", true },
	[MOCK_TRY_MAP]	= { "try_map", true },
	[MOCK_UNMAP]	= { "unmap", true },
	[MOCK_RELEASE]	= { "release", false },
	[MOCK_BEGIN]	= { "begin", false },
	[MOCK_END]	= { "end", false },
	[MOCK_MMAP]	= { "mmap", false },
	[MOCK_VMAP]	= { "vmap", true },
	[MOCK_VUNMAP]	= { "vunmap", true },
};

/**
 * mock_op_wants_resv() - the locking table
 * @op: callback
 *
 * Return: whether the core calls @op with the reservation locked.
 */
bool mock_op_wants_resv(enum mock_op op)
{
	return mock_op_descs[op].wants_resv;
}

/**
 * mock_op_name() - name of a callback in a trace
 * @op: callback
 *
 * Return: the name.
 */
const char *mock_op_name(enum mock_op op)
{
	return mock_op_descs[op].name;
}

static void mock_check_lock(struct mock_exporter *exp, enum mock_op op)
{
	const struct mock_call *call = &exp->calls[op];
	bool want = mock_op_wants_resv(op);

	if (exp->any_lock)
		return;

	KUNIT_EXPECT_EQ_MSG(exp->test, call->locked, want,
			    "reservation lock in %s", mock_op_name(op));
	if (mock_lockdep_works())
		KUNIT_EXPECT_EQ_MSG(exp->test, call->held, want,
				    "owner of the reservation lock in %s",
				    mock_op_name(op));
}

static int mock_record(struct dma_buf *buf, enum mock_op op,
		       struct dma_buf_attachment *attach,
		       enum dma_data_direction dir)
{
	struct mock_exporter *exp = buf->priv;
	struct mock_call *call = &exp->calls[op];

	might_sleep();

	call->count++;
	call->attach = attach;
	call->dir = dir;
	call->locked = dma_resv_is_locked(buf->resv);
	call->held = mock_lockdep_works() && dma_resv_held(buf->resv);

	if (exp->trace[0])
		strlcat(exp->trace, " ", sizeof(exp->trace));
	strlcat(exp->trace, mock_op_name(op), sizeof(exp->trace));

	mock_check_lock(exp, op);
	if (exp->hook)
		exp->hook(exp, op, attach);

	return exp->fail[op];
}

static int mock_attach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	return mock_record(buf, MOCK_ATTACH, attach, DMA_NONE);
}

static void mock_detach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	mock_record(buf, MOCK_DETACH, attach, DMA_NONE);
}

static int mock_pin(struct dma_buf_attachment *attach)
{
	struct mock_exporter *exp = attach->dmabuf->priv;
	int ret = mock_record(attach->dmabuf, MOCK_PIN, attach, DMA_NONE);

	if (!ret)
		exp->pins++;
	return ret;
}

static void mock_unpin(struct dma_buf_attachment *attach)
{
	struct mock_exporter *exp = attach->dmabuf->priv;

	mock_record(attach->dmabuf, MOCK_UNPIN, attach, DMA_NONE);
	exp->pins--;
}

/* pages of each segment: fewer segments than entries, as behind an IOMMU */
static const unsigned int mock_segments[MOCK_EXPORTER_PAGES] = { 1, 2, 0 };

static void mock_fill_table(struct mock_exporter *exp, struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, virt_to_page(exp->vaddr + i * PAGE_SIZE),
			    PAGE_SIZE, 0);
		sg_dma_address(sg) = MOCK_DMA_BASE + i * SZ_1M;
		sg_dma_len(sg) = mock_segments[i] * PAGE_SIZE;
	}
	sgt->nents = sgt->orig_nents - 1;
	if (exp->no_entries)
		sgt->orig_nents = 0;
}

static struct sg_table *mock_map_as(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir, enum mock_op op)
{
	struct mock_exporter *exp = attach->dmabuf->priv;
	int ret = mock_record(attach->dmabuf, op, attach, dir);
	struct sg_table *sgt;

	if (ret)
		return ERR_PTR(ret);
	if (exp->map_null)
		return NULL;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, MOCK_EXPORTER_PAGES, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	mock_fill_table(exp, sgt);

	exp->sgt = sgt;
	exp->maps++;
	return sgt;
}

static struct sg_table *mock_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	return mock_map_as(attach, dir, MOCK_MAP);
}

static struct sg_table *mock_try_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	return mock_map_as(attach, dir, MOCK_TRY_MAP);
}

/**
 * mock_exporter_check_table() - see that a table is as it was when handed out
 * @exp: exporter
 * @sgt: one of its tables
 */
void mock_exporter_check_table(struct mock_exporter *exp, struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	KUNIT_ASSERT_EQ(exp->test, sgt->orig_nents, MOCK_EXPORTER_PAGES);
	KUNIT_EXPECT_EQ(exp->test, sgt->nents, MOCK_EXPORTER_PAGES - 1);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_PTR_EQ(exp->test, sg_page(sg),
				    virt_to_page(exp->vaddr + i * PAGE_SIZE));
		KUNIT_EXPECT_EQ(exp->test, sg_dma_address(sg),
				MOCK_DMA_BASE + i * SZ_1M);
	}
}

static void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct mock_exporter *exp = attach->dmabuf->priv;

	mock_record(attach->dmabuf, MOCK_UNMAP, attach, dir);
	if (exp->no_entries)
		sgt->orig_nents = MOCK_EXPORTER_PAGES;
	mock_exporter_check_table(exp, sgt);
	exp->unmapped_sgt = sgt;
	exp->maps--;
	sg_free_table(sgt);
	kfree(sgt);
}

static void mock_release(struct dma_buf *buf)
{
	struct mock_exporter *exp = buf->priv;

	mock_record(buf, MOCK_RELEASE, NULL, DMA_NONE);
	exp->buf = NULL;
	complete(&exp->released);
}

static int mock_begin(struct dma_buf *buf, enum dma_data_direction dir)
{
	return mock_record(buf, MOCK_BEGIN, NULL, dir);
}

static int mock_end(struct dma_buf *buf, enum dma_data_direction dir)
{
	return mock_record(buf, MOCK_END, NULL, dir);
}

static int mock_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	struct mock_exporter *exp = buf->priv;
	int ret = mock_record(buf, MOCK_MMAP, NULL, DMA_NONE);

	/* the cases that only look at arguments bring an area without an address space */
	if (ret || !vma->vm_mm)
		return ret;

	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(exp->vaddr)) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int mock_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct mock_exporter *exp = buf->priv;
	int ret = mock_record(buf, MOCK_VMAP, NULL, DMA_NONE);

	if (exp->iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)exp->vaddr);
	else
		iosys_map_set_vaddr(map, exp->vaddr);
	return ret;
}

static void mock_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	mock_record(buf, MOCK_VUNMAP, NULL, DMA_NONE);
}

static const struct dma_buf_ops mock_exporter_ops = {
	.attach = mock_attach,
	.detach = mock_detach,
	.map_dma_buf = mock_map,
	.unmap_dma_buf = mock_unmap,
	.release = mock_release,
	.begin_cpu_access = mock_begin,
	.end_cpu_access = mock_end,
	.mmap = mock_mmap,
	.vmap = mock_vmap,
	.vunmap = mock_vunmap,
};

/* end of a case: the exporter must not be called any more */
static void mock_exporter_destroy(void *data)
{
	struct mock_exporter *exp = data;

	if (exp->exported && !mock_exporter_wait_released(exp)) {
		/* better a leak than a buffer whose exporter has gone */
		KUNIT_FAIL(exp->test, "the buffer was not released");
		return;
	}
	KUNIT_EXPECT_LE(exp->test, exp->calls[MOCK_RELEASE].count, 1);
	free_pages_exact(exp->vaddr, MOCK_EXPORTER_SIZE);
	kfree(exp);
}

/**
 * mock_exporter_create() - new static exporter
 * @test: case
 *
 * Return: the exporter; it goes with the case.
 */
struct mock_exporter *mock_exporter_create(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct mock_exporter *exp;

	exp = kzalloc(sizeof(*exp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, exp);
	exp->test = test;
	exp->ops = mock_exporter_ops;
	exp->info = info;
	exp->info.exp_name = MOCK_EXPORTER_NAME;
	exp->info.ops = &exp->ops;
	exp->info.size = MOCK_EXPORTER_SIZE;
	exp->info.flags = O_RDWR;
	exp->info.priv = exp;
	init_completion(&exp->released);
	exp->vaddr = alloc_pages_exact(MOCK_EXPORTER_SIZE,
				       GFP_KERNEL | __GFP_ZERO);
	if (!exp->vaddr)
		kfree(exp);
	KUNIT_ASSERT_NOT_NULL(test, exp->vaddr);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   mock_exporter_destroy,
							   exp));
	return exp;
}

/**
 * mock_exporter_make_dynamic() - add pin and unpin
 * @exp: exporter
 */
void mock_exporter_make_dynamic(struct mock_exporter *exp)
{
	exp->ops.pin = mock_pin;
	exp->ops.unpin = mock_unpin;
}

/**
 * mock_exporter_make_trying() - add try_map_dma_buf
 * @exp: exporter
 */
void mock_exporter_make_trying(struct mock_exporter *exp)
{
	exp->ops.try_map_dma_buf = mock_try_map;
}

KUNIT_DEFINE_ACTION_WRAPPER(mock_buf_put, dma_buf_put, struct dma_buf *);

/**
 * mock_exporter_export() - export the buffer as @info says
 * @exp: exporter
 *
 * Return: the buffer, or the error of dma_buf_export(). The reference is
 * dropped by mock_exporter_put() or at the end of the case.
 */
struct dma_buf *mock_exporter_export(struct mock_exporter *exp)
{
	struct dma_buf *buf = dma_buf_export(&exp->info);

	if (IS_ERR(buf))
		return buf;

	exp->buf = buf;
	exp->exported = true;
	KUNIT_ASSERT_EQ(exp->test, 0,
			kunit_add_action_or_reset(exp->test, mock_buf_put, buf));
	return buf;
}

/**
 * mock_exporter_disown() - forget the exporter's reference without dropping it
 * @exp: exporter; another owner took the reference over
 */
void mock_exporter_disown(struct mock_exporter *exp)
{
	kunit_remove_action(exp->test, mock_buf_put, exp->buf);
}

/**
 * mock_exporter_put() - drop the exporter's reference before the case ends
 * @exp: exporter
 */
void mock_exporter_put(struct mock_exporter *exp)
{
	kunit_release_action(exp->test, mock_buf_put, exp->buf);
}

/**
 * mock_exporter_wait_released() - let delayed destruction happen
 * @exp: exporter whose buffer has lost its last reference
 *
 * Return: true if the buffer was released within a second.
 */
bool mock_exporter_wait_released(struct mock_exporter *exp)
{
	flush_delayed_fput();
	if (!wait_for_completion_timeout(&exp->released, HZ))
		return false;
	complete(&exp->released);
	return true;
}

/**
 * mock_take_resv() - a hook that locks the reservation where an exporter may
 * @exp: exporter
 * @op: callback
 * @attach: attachment, not looked at
 */
void mock_take_resv(struct mock_exporter *exp, enum mock_op op,
		    struct dma_buf_attachment *attach)
{
	if (mock_op_wants_resv(op))
		return;

	dma_resv_lock(exp->buf->resv, NULL);
	dma_resv_unlock(exp->buf->resv);
}

/**
 * mock_exporter_exported() - new static exporter that has exported its buffer
 * @test: case
 *
 * Return: the exporter.
 */
struct mock_exporter *mock_exporter_exported(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	return exp;
}

/**
 * mock_exporter_init() - begin of each case of a suite
 * @test: case, which gets a static exporter in its priv
 *
 * Return: 0.
 */
int mock_exporter_init(struct kunit *test)
{
	test->priv = mock_exporter_create(test);
	return 0;
}

/**
 * mock_export() - have the exporter of mock_exporter_init() export its buffer
 * @test: case
 *
 * Return: the buffer.
 */
struct dma_buf *mock_export(struct kunit *test)
{
	struct dma_buf *buf = mock_exporter_export(test->priv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

/**
 * mock_buf_create() - a buffer for cases that do not look at the exporter
 * @test: case
 *
 * Return: the buffer, with one reference that the case's end drops.
 */
struct dma_buf *mock_buf_create(struct kunit *test)
{
	return mock_exporter_exported(test)->buf;
}
