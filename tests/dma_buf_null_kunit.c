// SPDX-License-Identifier: GPL-2.0
/*
 * Calls with NULL where an object has to be: each warns once, returns an errno if it
 * returns anything, and changes nothing.
 */

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include "mock_exporter.h"
#include "test_util.h"

/**
 * struct null_case - the objects that are not NULL
 * @exp: exporter, static
 * @buf: its buffer
 * @dev: importing device
 * @attach: its attachment
 * @stray: an attachment without a buffer
 * @sgt: table of @attach
 * @map: something that is not "no mapping"
 * @vma: area of one page
 * @ret: what the call has returned, or 0
 */
struct null_case {
	struct mock_exporter *exp;
	struct dma_buf *buf;
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct dma_buf_attachment stray;
	struct sg_table *sgt;
	struct iosys_map map;
	struct vm_area_struct vma;
	int ret;
};

/* A function for the table that makes the call @statement. */
#define NULL_CALL(name, statement)					\
static void name(struct null_case *nc)					\
{									\
	statement;							\
}

NULL_CALL(attach_buffer, nc->ret = PTR_ERR_OR_ZERO(dma_buf_attach(NULL, nc->dev)))
NULL_CALL(attach_device, nc->ret = PTR_ERR_OR_ZERO(dma_buf_attach(nc->buf, NULL)))
NULL_CALL(detach_buffer, dma_buf_detach(NULL, nc->attach))
NULL_CALL(detach_attachment, dma_buf_detach(nc->buf, NULL))
NULL_CALL(map_attachment, nc->ret = PTR_ERR_OR_ZERO(dma_buf_map_attachment(NULL, DMA_TO_DEVICE)))
NULL_CALL(map_buffer, nc->ret = PTR_ERR_OR_ZERO(dma_buf_map_attachment(&nc->stray, DMA_TO_DEVICE)))
NULL_CALL(map_unlocked_attachment,
	  nc->ret = PTR_ERR_OR_ZERO(dma_buf_map_attachment_unlocked(NULL, DMA_TO_DEVICE)))
NULL_CALL(map_unlocked_buffer,
	  nc->ret = PTR_ERR_OR_ZERO(dma_buf_map_attachment_unlocked(&nc->stray, DMA_TO_DEVICE)))
NULL_CALL(try_map_attachment,
	  nc->ret = PTR_ERR_OR_ZERO(dma_buf_try_map_attachment(NULL, DMA_TO_DEVICE)))
NULL_CALL(try_map_buffer,
	  nc->ret = PTR_ERR_OR_ZERO(dma_buf_try_map_attachment(&nc->stray, DMA_TO_DEVICE)))
NULL_CALL(unmap_attachment, dma_buf_unmap_attachment(NULL, nc->sgt, DMA_TO_DEVICE))
NULL_CALL(unmap_table, dma_buf_unmap_attachment(nc->attach, NULL, DMA_TO_DEVICE))
NULL_CALL(unmap_unlocked_attachment,
	  dma_buf_unmap_attachment_unlocked(NULL, nc->sgt, DMA_TO_DEVICE))
NULL_CALL(unmap_unlocked_table,
	  dma_buf_unmap_attachment_unlocked(nc->attach, NULL, DMA_TO_DEVICE))
NULL_CALL(begin_buffer, nc->ret = dma_buf_begin_cpu_access(NULL, DMA_TO_DEVICE))
NULL_CALL(end_buffer, nc->ret = dma_buf_end_cpu_access(NULL, DMA_TO_DEVICE))
NULL_CALL(vmap_buffer, nc->ret = dma_buf_vmap(NULL, &nc->map))
NULL_CALL(vmap_unlocked_buffer, nc->ret = dma_buf_vmap_unlocked(NULL, &nc->map))
NULL_CALL(vunmap_buffer, dma_buf_vunmap(NULL, &nc->map))
NULL_CALL(vunmap_unlocked_buffer, dma_buf_vunmap_unlocked(NULL, &nc->map))
NULL_CALL(mmap_buffer, nc->ret = dma_buf_mmap(NULL, &nc->vma, 0))
NULL_CALL(mmap_area, nc->ret = dma_buf_mmap(nc->buf, NULL, 0))
NULL_CALL(put_buffer, dma_buf_put(NULL))
NULL_CALL(fd_buffer, nc->ret = dma_buf_fd(NULL, 0))

static const struct null_call {
	const char *desc;
	void (*call)(struct null_case *nc);
	int error;
	bool locked;		/* the caller holds the reservation lock */
	bool clears_map;	/* the mapping says "none" afterwards */
	bool quiet;		/* user space gets there */
	bool stops_stock;	/* the stock core of 6.12 does not survive it */
} null_calls[] = {
	{ "attach, buffer", attach_buffer, -EINVAL },
	{ "attach, device", attach_device, -EINVAL },
	{ "detach, buffer", detach_buffer },
	{ "detach, attachment", detach_attachment },
	{ "map, attachment", map_attachment, -EINVAL },
	{ "map, buffer of the attachment", map_buffer, -EINVAL },
	{ "map unlocked, attachment", map_unlocked_attachment, -EINVAL },
	{ "map unlocked, buffer of the attachment", map_unlocked_buffer, -EINVAL },
	{ "try_map, attachment", try_map_attachment, -EINVAL },
	{ "try_map, buffer of the attachment", try_map_buffer, -EINVAL },
	{ "unmap, attachment", unmap_attachment, .locked = true },
	{ "unmap, table", unmap_table, .locked = true },
	{ "unmap unlocked, attachment", unmap_unlocked_attachment },
	{ "unmap unlocked, table", unmap_unlocked_table },
	{ "begin, buffer", begin_buffer, -EINVAL },
	{ "end, buffer", end_buffer, -EINVAL, .stops_stock = true },
	{ "vmap, buffer", vmap_buffer, -EINVAL, .clears_map = true },
	{ "vmap unlocked, buffer", vmap_unlocked_buffer, -EINVAL, .clears_map = true },
	{ "vunmap, buffer", vunmap_buffer },
	{ "vunmap unlocked, buffer", vunmap_unlocked_buffer },
	{ "mmap, buffer", mmap_buffer, -EINVAL },
	{ "mmap, area", mmap_area, -EINVAL },
	{ "put, buffer", put_buffer },
	{ "fd, buffer", fd_buffer, -EINVAL, .quiet = true },
};

KUNIT_ARRAY_PARAM_DESC(null_calls, null_calls, desc);

static void dma_buf_null_is_refused(struct kunit *test)
{
	const struct null_call *param = test->param_value;
	struct null_case *nc = test->priv;

	if (param->stops_stock)
		test_skip_stock(test, "stops the machine");

	if (param->locked)
		dma_resv_lock(nc->buf->resv, NULL);
	EXPECT_KERNEL_WARNINGS(test, !param->quiet, param->call(nc));
	if (param->locked)
		dma_resv_unlock(nc->buf->resv);

	KUNIT_EXPECT_EQ(test, nc->ret, param->error);
	KUNIT_EXPECT_EQ(test, iosys_map_is_null(&nc->map), param->clears_map);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&nc->buf->attachments));
	KUNIT_EXPECT_NULL(test, nc->vma.vm_file);
	mock_expect_trace(nc->exp, "attach map");
	test_expect_refs(test, nc->buf->file, 1);
}

static void null_case_end(void *data)
{
	struct null_case *nc = data;

	dma_buf_unmap_attachment_unlocked(nc->attach, nc->sgt, DMA_TO_DEVICE);
	dma_buf_detach(nc->buf, nc->attach);
}

static int dma_buf_null_init(struct kunit *test)
{
	struct null_case *nc = kunit_kzalloc(test, sizeof(*nc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, nc);
	nc->exp = mock_exporter_exported(test);
	nc->buf = nc->exp->buf;
	nc->dev = kunit_device_register(test, "mock-importer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, nc->dev);
	nc->attach = dma_buf_attach(nc->buf, nc->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, nc->attach);
	nc->sgt = dma_buf_map_attachment_unlocked(nc->attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, nc->sgt);
	iosys_map_set_vaddr(&nc->map, test);
	nc->vma.vm_end = PAGE_SIZE;
	test->priv = nc;

	return kunit_add_action_or_reset(test, null_case_end, nc);
}

static struct kunit_case dma_buf_null_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_null_is_refused, null_calls_gen_params),
	{}
};

static struct kunit_suite dma_buf_null_suite = {
	.name = "dma_buf_null",
	.init = dma_buf_null_init,
	.test_cases = dma_buf_null_cases,
};

kunit_test_suite(dma_buf_null_suite);

MODULE_DESCRIPTION("KUnit tests for calls with NULL in place of a buffer");
MODULE_LICENSE("GPL");
