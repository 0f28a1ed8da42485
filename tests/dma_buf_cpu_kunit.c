// SPDX-License-Identifier: GPL-2.0
/*
 * Access by the CPU: begin and end, mappings into the kernel, mappings into
 * user space.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

/* Begin and end */

KUNIT_ARRAY_PARAM_DESC(directions, mock_directions, desc);

static void dma_buf_begin_end_pass_direction(struct kunit *test)
{
	const struct mock_direction *param = test->param_value;
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, param->dir), 0);
	KUNIT_EXPECT_EQ(test, exp->calls[MOCK_BEGIN].dir, param->dir);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, param->dir), 0);
	KUNIT_EXPECT_EQ(test, exp->calls[MOCK_END].dir, param->dir);
	mock_expect_trace(exp, "begin end");
}

static void dma_buf_begin_end_without_exporter_ops(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->ops.begin_cpu_access = NULL;
	exp->ops.end_cpu_access = NULL;
	buf = mock_export(test);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_TO_DEVICE), 0);
}

static void dma_buf_begin_without_exporter_op_waits(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->ops.begin_cpu_access = NULL;
	buf = mock_export(test);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE),
					 -ERESTARTSYS));
}

static void dma_buf_begin_error_of_exporter(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->fail[MOCK_BEGIN] = -EIO;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), -EIO);
}

/* after an error there is nothing to wait for */
static void dma_buf_begin_error_comes_before_wait(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->fail[MOCK_BEGIN] = -EIO;
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_KERNEL);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), -EIO));
}

static void dma_buf_end_error_of_exporter(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->fail[MOCK_END] = -EIO;
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_TO_DEVICE), -EIO);
}

static void dma_buf_end_does_not_wait(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_KERNEL);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_BIDIRECTIONAL), 0));
}

static const struct begin_wait {
	const char *desc;
	enum dma_data_direction dir;
	enum dma_resv_usage usage;
	bool waits;
} begin_waits[] = {
	{ "read, kernel", DMA_FROM_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "read, write", DMA_FROM_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "read, read", DMA_FROM_DEVICE, DMA_RESV_USAGE_READ, false },
	{ "read, bookkeep", DMA_FROM_DEVICE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "none, kernel", DMA_NONE, DMA_RESV_USAGE_KERNEL, true },
	{ "none, write", DMA_NONE, DMA_RESV_USAGE_WRITE, true },
	{ "none, read", DMA_NONE, DMA_RESV_USAGE_READ, false },
	{ "none, bookkeep", DMA_NONE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "write, kernel", DMA_TO_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "write, write", DMA_TO_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "write, read", DMA_TO_DEVICE, DMA_RESV_USAGE_READ, true },
	{ "write, bookkeep", DMA_TO_DEVICE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "both, kernel", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_KERNEL, true },
	{ "both, write", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_WRITE, true },
	{ "both, read", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_READ, true },
	{ "both, bookkeep", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_BOOKKEEP, false },
};

KUNIT_ARRAY_PARAM_DESC(begin_waits, begin_waits, desc);

static void dma_buf_begin_waits_for(struct kunit *test)
{
	const struct begin_wait *param = test->param_value;
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new(test), param->usage);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, param->dir),
					 param->waits ? -ERESTARTSYS : 0));
	/* the exporter was asked first in any case */
	mock_expect_trace(exp, "begin");
}

static void dma_buf_begin_ignores_signalled(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new_signaled(test),
		      DMA_RESV_USAGE_WRITE);
	test_interrupted(KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0));
}

static void dma_buf_begin_waits_until_signalled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_READ);
	test_signal_later(test, fence, 20);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
}

static void dma_buf_begin_waits_for_all(struct kunit *test)
{
	struct dma_fence *one = mock_fence_new(test);
	struct dma_fence *two = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, one, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, two, DMA_RESV_USAGE_WRITE);
	test_signal_later(test, one, 30);
	test_signal_later(test, two, 10);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(one));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(two));
}

/* some exporters do */
static void dma_buf_begin_end_exporter_may_lock(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->hook = mock_take_resv;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_TO_DEVICE), 0);
	mock_expect_trace(exp, "begin end");
}

/* Mappings into the kernel */

/* something that is not "no mapping" */
static struct iosys_map stale_map(struct kunit *test)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(test);

	return map;
}

static void dma_buf_vmap_without_exporter_op(struct kunit *test)
{
	struct iosys_map map = stale_map(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->ops.vmap = NULL;
	buf = mock_export(test);
	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf, &map), -EINVAL));
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
}

static void dma_buf_vmap_gives_address(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	KUNIT_EXPECT_FALSE(test, map.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, exp->vaddr);
	dma_buf_vunmap_unlocked(buf, &map);
}

static void dma_buf_vmap_gives_io_address(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map one, two;

	exp->iomem = true;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &one), 0);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &two), 0);
	KUNIT_EXPECT_TRUE(test, one.is_iomem);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));
	dma_buf_vunmap_unlocked(buf, &one);
	dma_buf_vunmap_unlocked(buf, &two);
}

static void dma_buf_vmap_locked(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	dma_resv_lock(buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap(buf, &map), 0);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, exp->vaddr);
	dma_buf_vunmap(buf, &map);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(buf->resv));
	dma_resv_unlock(buf->resv);
	mock_expect_trace(exp, "vmap vunmap");
}

static void dma_buf_vmap_is_shared(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map one, two = stale_map(test);

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &one), 0);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &two), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));
	mock_expect_trace(exp, "vmap");
	dma_buf_vunmap_unlocked(buf, &two);
	dma_buf_vunmap_unlocked(buf, &one);
}

static void dma_buf_vunmap_last_calls_exporter(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vmap");
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vunmap");
}

static void dma_buf_vmap_again(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vmap vunmap vmap vunmap");
}

static void dma_buf_vunmap_without_exporter_op(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;
	struct iosys_map map;

	exp->ops.vunmap = NULL;
	buf = mock_export(test);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vmap vmap");
}

static void dma_buf_vunmap_leaves_callers_map(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, exp->vaddr);
}

/* an exporter may have good reasons, and the mock leaves its own value behind */
static void dma_buf_vmap_failure_clears_map(struct kunit *test)
{
	struct iosys_map map = stale_map(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	test_skip_stock(test, "warns");
	exp->fail[MOCK_VMAP] = -ENOMEM;
	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf, &map), -ENOMEM));
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
}

static void dma_buf_vmap_failure_is_not_counted(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map map;

	test_skip_stock(test, "warns");
	exp->fail[MOCK_VMAP] = -EIO;
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf, &map), -EIO);
	exp->fail[MOCK_VMAP] = 0;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vmap vmap vunmap");
}

static void dma_buf_vunmap_of_nothing(struct kunit *test)
{
	struct iosys_map map = stale_map(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	test_skip_stock(test, "stops the machine");
	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_vunmap_unlocked(buf, &map));
	mock_expect_trace(exp, "");
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vmap vunmap");
}

static void dma_buf_vunmap_of_no_map(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	struct iosys_map none;

	test_skip_stock(test, "stops the machine");
	iosys_map_clear(&none);
	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_vunmap_unlocked(buf, &none));
	mock_expect_trace(exp, "");
}

static void dma_buf_vunmap_of_other_map(struct kunit *test)
{
	struct iosys_map map, other = stale_map(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	test_skip_stock(test, "stops the machine");
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	EXPECT_KERNEL_WARNINGS(test, 1, dma_buf_vunmap_unlocked(buf, &other));
	mock_expect_trace(exp, "vmap");
	dma_buf_vunmap_unlocked(buf, &map);
	mock_expect_trace(exp, "vunmap");
}

/* Mappings into user space, by dma_buf_mmap() of another driver */

static const struct mmap_bounds {
	const char *desc;
	unsigned long pgoff;
	unsigned long pages;
	int error;
} mmap_bounds[] = {
	{ "everything", 0, MOCK_EXPORTER_PAGES, 0 },
	{ "first page", 0, 1, 0 },
	{ "last page", MOCK_EXPORTER_PAGES - 1, 1, 0 },
	{ "one page too much", 0, MOCK_EXPORTER_PAGES + 1, -EINVAL },
	{ "over the end", MOCK_EXPORTER_PAGES - 1, 2, -EINVAL },
	{ "behind the end", MOCK_EXPORTER_PAGES, 1, -EINVAL },
	{ "far away", ULONG_MAX - 1, 1, -EINVAL },
}, mmap_wraps[] = {
	{ "wraps to 0", ULONG_MAX, 1, -EOVERFLOW },
	{ "wraps to 1", ULONG_MAX, 2, -EOVERFLOW },
};

KUNIT_ARRAY_PARAM_DESC(mmap_bounds, mmap_bounds, desc);
KUNIT_ARRAY_PARAM_DESC(mmap_wraps, mmap_wraps, desc);

/* an area of the file of another buffer, which is never touched */
static struct vm_area_struct *create_vma(struct kunit *test, unsigned long pages)
{
	struct vm_area_struct *vma = kunit_kzalloc(test, sizeof(*vma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vma);
	vma->vm_start = PAGE_SIZE;
	vma->vm_end = vma->vm_start + pages * PAGE_SIZE;
	vma->vm_pgoff = 5;
	vma->vm_file = get_file(mock_buf_create(test)->file);

	return vma;
}

static void dma_buf_mmap_bounds(struct kunit *test)
{
	const struct mmap_bounds *param = test->param_value;
	struct vm_area_struct *vma = create_vma(test, param->pages);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, param->pgoff), param->error);
	mock_expect_trace(exp, param->error ? "" : "mmap");
	fput(vma->vm_file);
}

/* the memory manager lets no such offset through to the file */
static void dma_buf_mmap_beyond_all_numbers(struct kunit *test)
{
	dma_buf_mmap_bounds(test);
}

static void dma_buf_mmap_refused_leaves_area(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, MOCK_EXPORTER_PAGES + 1);
	struct file *before = vma->vm_file;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 0), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_file, before);
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, 5);
	test_expect_refs(test, buf->file, 1);
	fput(vma->vm_file);
}

static void dma_buf_mmap_replaces_file(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, 1);
	struct file *before = get_file(vma->vm_file);
	struct dma_buf *buf = mock_export(test);

	KUNIT_ASSERT_EQ(test, dma_buf_mmap(buf, vma, 2), 0);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_file, buf->file);
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, 2);
	test_expect_refs(test, buf->file, 2);
	test_expect_refs(test, before, 2);
	fput(before);
	fput(vma->vm_file);
}

static void dma_buf_mmap_error_of_exporter(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, 1);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->fail[MOCK_MMAP] = -ENXIO;
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 1), -ENXIO);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_file, buf->file);
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, 1);
	fput(vma->vm_file);
}

static void dma_buf_mmap_without_exporter_op(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, 1);
	struct mock_exporter *exp = test->priv;
	struct file *before = vma->vm_file;
	struct dma_buf *buf;

	exp->ops.mmap = NULL;
	buf = mock_export(test);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 0), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_file, before);
	fput(vma->vm_file);
}

static void dma_buf_mmap_incomplete_last_page(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->info.size = PAGE_SIZE + PAGE_SIZE / 2;
	buf = mock_export(test);
	for (int pages = 1; pages <= 2; pages++) {
		struct vm_area_struct *vma = create_vma(test, pages);

		KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 0),
				pages == 1 ? 0 : -EINVAL);
		fput(vma->vm_file);
	}
}

/* Mappings into user space, by the file */

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return file->f_op->mmap(file, vma);
}

static void dma_buf_file_mmap_bounds(struct kunit *test)
{
	const struct mmap_bounds *param = test->param_value;
	struct vm_area_struct *vma = create_vma(test, param->pages);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	vma->vm_pgoff = param->pgoff;
	KUNIT_EXPECT_EQ(test, file_mmap(buf->file, vma), param->error);
	mock_expect_trace(exp, param->error ? "" : "mmap");
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, param->pgoff);
	fput(vma->vm_file);
}

static void dma_buf_file_mmap_without_exporter_op(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, 1);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->ops.mmap = NULL;
	buf = mock_export(test);
	vma->vm_pgoff = 0;
	KUNIT_EXPECT_EQ(test, file_mmap(buf->file, vma), -EINVAL);
	fput(vma->vm_file);
}

static void dma_buf_file_mmap_error_of_exporter(struct kunit *test)
{
	struct vm_area_struct *vma = create_vma(test, 1);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	vma->vm_pgoff = 0;
	exp->fail[MOCK_MMAP] = -EACCES;
	KUNIT_EXPECT_EQ(test, file_mmap(buf->file, vma), -EACCES);
	fput(vma->vm_file);
}

static void dma_buf_file_mmap_shows_bytes(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	unsigned long addr;
	char seen = 0;

	if (!IS_ENABLED(CONFIG_MMU))
		kunit_skip(test, "needs an MMU");

	addr = kunit_vm_mmap(test, buf->file, 0, PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	((char *)exp->vaddr)[PAGE_SIZE] = 'x';
	KUNIT_ASSERT_EQ(test, copy_from_user(&seen, (void __user *)addr, 1), 0);
	KUNIT_EXPECT_EQ(test, seen, 'x');
}

static void dma_buf_file_mmap_holds_reference(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_MMU))
		kunit_skip(test, "needs an MMU");

	addr = kunit_vm_mmap(test, buf->file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	mock_exporter_put(exp);
	flush_delayed_fput();
	mock_expect_trace(exp, "mmap");
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

static struct kunit_case dma_buf_cpu_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_begin_end_pass_direction, directions_gen_params),
	KUNIT_CASE(dma_buf_begin_end_without_exporter_ops),
	KUNIT_CASE(dma_buf_begin_without_exporter_op_waits),
	KUNIT_CASE(dma_buf_begin_error_of_exporter),
	KUNIT_CASE(dma_buf_begin_error_comes_before_wait),
	KUNIT_CASE(dma_buf_end_error_of_exporter),
	KUNIT_CASE(dma_buf_end_does_not_wait),
	KUNIT_CASE_PARAM(dma_buf_begin_waits_for, begin_waits_gen_params),
	KUNIT_CASE(dma_buf_begin_ignores_signalled),
	KUNIT_CASE(dma_buf_begin_waits_until_signalled),
	KUNIT_CASE(dma_buf_begin_waits_for_all),
	KUNIT_CASE(dma_buf_begin_end_exporter_may_lock),
	KUNIT_CASE(dma_buf_vmap_without_exporter_op),
	KUNIT_CASE(dma_buf_vmap_gives_address),
	KUNIT_CASE(dma_buf_vmap_gives_io_address),
	KUNIT_CASE(dma_buf_vmap_locked),
	KUNIT_CASE(dma_buf_vmap_is_shared),
	KUNIT_CASE(dma_buf_vunmap_last_calls_exporter),
	KUNIT_CASE(dma_buf_vmap_again),
	KUNIT_CASE(dma_buf_vunmap_without_exporter_op),
	KUNIT_CASE(dma_buf_vunmap_leaves_callers_map),
	KUNIT_CASE(dma_buf_vmap_failure_clears_map),
	KUNIT_CASE(dma_buf_vmap_failure_is_not_counted),
	KUNIT_CASE(dma_buf_vunmap_of_nothing),
	KUNIT_CASE(dma_buf_vunmap_of_no_map),
	KUNIT_CASE(dma_buf_vunmap_of_other_map),
	KUNIT_CASE_PARAM(dma_buf_mmap_bounds, mmap_bounds_gen_params),
	KUNIT_CASE_PARAM(dma_buf_mmap_beyond_all_numbers, mmap_wraps_gen_params),
	KUNIT_CASE(dma_buf_mmap_refused_leaves_area),
	KUNIT_CASE(dma_buf_mmap_replaces_file),
	KUNIT_CASE(dma_buf_mmap_error_of_exporter),
	KUNIT_CASE(dma_buf_mmap_without_exporter_op),
	KUNIT_CASE(dma_buf_mmap_incomplete_last_page),
	KUNIT_CASE_PARAM(dma_buf_file_mmap_bounds, mmap_bounds_gen_params),
	KUNIT_CASE(dma_buf_file_mmap_without_exporter_op),
	KUNIT_CASE(dma_buf_file_mmap_error_of_exporter),
	KUNIT_CASE(dma_buf_file_mmap_shows_bytes),
	KUNIT_CASE(dma_buf_file_mmap_holds_reference),
	{}
};

static struct kunit_suite dma_buf_cpu_suite = {
	.name = "dma_buf_cpu",
	.init = mock_exporter_init,
	.test_cases = dma_buf_cpu_cases,
};

kunit_test_suite(dma_buf_cpu_suite);

MODULE_DESCRIPTION("KUnit tests for access to a buffer by the CPU");
MODULE_LICENSE("GPL");
