// SPDX-License-Identifier: GPL-2.0
/*
 * The totals in sysfs: they follow what is exported and released, to the byte.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "../dma-buf-list.h"
#include "fail_alloc.h"
#include "mock_exporter.h"
#include "test_util.h"

#define TOTAL_BUFFERS	"kernel/dmabuf/total_buffers"
#define TOTAL_BYTES	"kernel/dmabuf/total_bytes"

static u64 read_total(struct kunit *test, const char *path)
{
	struct file *file = test_open(test_mount(test, "sysfs"), path);
	char text[32];
	u64 total;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 0777, 0444);
	KUNIT_EXPECT_GT(test, test_read_file(test, file, text, sizeof(text)), 0);
	fput(file);
	/* one newline, and nothing else, may follow */
	KUNIT_ASSERT_EQ(test, kstrtou64(text, 10, &total), 0);
	return total;
}

static void expect_totals(struct kunit *test, const struct dma_buf_totals *before,
			  long buffers, s64 bytes)
{
	KUNIT_EXPECT_EQ(test, read_total(test, TOTAL_BUFFERS), before->buffers + buffers);
	KUNIT_EXPECT_EQ(test, read_total(test, TOTAL_BYTES), before->bytes + bytes);
}

static struct dma_buf_totals read_totals(struct kunit *test)
{
	return (struct dma_buf_totals) {
		.buffers = read_total(test, TOTAL_BUFFERS),
		.bytes = read_total(test, TOTAL_BYTES),
	};
}

static struct mock_exporter *export_size(struct kunit *test, size_t size)
{
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.size = size;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	return exp;
}

static void put(struct mock_exporter *exp)
{
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(exp->test, mock_exporter_wait_released(exp));
}

static void totals_follow_export_and_release(struct kunit *test)
{
	struct dma_buf_totals before = read_totals(test);
	struct mock_exporter *one, *two;

	one = export_size(test, PAGE_SIZE);
	expect_totals(test, &before, 1, PAGE_SIZE);
	two = export_size(test, 4097);
	expect_totals(test, &before, 2, PAGE_SIZE + 4097);
	put(one);
	expect_totals(test, &before, 1, 4097);
	put(two);
	expect_totals(test, &before, 0, 0);
}

static void totals_of_large_buffers(struct kunit *test)
{
	struct dma_buf_totals before = read_totals(test);
	struct mock_exporter *exp[3];

	for (int i = 0; i < 3; i++)
		exp[i] = export_size(test, SIZE_MAX / 2);
	expect_totals(test, &before, 3, 3 * (u64)(SIZE_MAX / 2));
	for (int i = 0; i < 3; i++)
		put(exp[i]);
	expect_totals(test, &before, 0, 0);
}

/* further references do not make further buffers */
static void totals_count_buffers_not_references(struct kunit *test)
{
	struct dma_buf_totals before = read_totals(test);
	struct mock_exporter *exp = export_size(test, PAGE_SIZE);

	get_dma_buf(exp->buf);
	expect_totals(test, &before, 1, PAGE_SIZE);
	dma_buf_put(exp->buf);
	expect_totals(test, &before, 1, PAGE_SIZE);
	put(exp);
}

/* an exporter that frees its memory finds that it does not count any more */
static void note_totals(struct mock_exporter *exp, enum mock_op op,
			struct dma_buf_attachment *attach)
{
	struct dma_buf_totals *totals = exp->hook_data;

	if (op == MOCK_RELEASE)
		*totals = dma_buf_list_totals();
}

static void totals_before_memory_is_freed(struct kunit *test)
{
	struct dma_buf_totals before = read_totals(test), in_release = {};
	struct mock_exporter *exp = export_size(test, PAGE_SIZE);

	exp->hook = note_totals;
	exp->hook_data = &in_release;
	put(exp);
	KUNIT_EXPECT_EQ(test, in_release.buffers, before.buffers);
	KUNIT_EXPECT_EQ(test, in_release.bytes, before.bytes);
}

static void totals_without_failed_exports(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf_totals before = read_totals(test);
	struct dma_buf *buf = NULL;
	unsigned int nth, failed = 0;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, buf = dma_buf_export(&exp->info)); nth++) {
		/* the failure of a lesser allocation goes unnoticed */
		if (!IS_ERR(buf))
			break;
		failed++;
		expect_totals(test, &before, 0, 0);
	}
	KUNIT_EXPECT_GT(test, failed, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	exp->exported = true;
	expect_totals(test, &before, 1, MOCK_EXPORTER_SIZE);
	dma_buf_put(buf);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	expect_totals(test, &before, 0, 0);
}

#define NUM_TASKS	4
#define NUM_ROUNDS	50

/**
 * struct churn - buffers that come and go by one task
 * @exp: exporters of which each task has two
 * @task: the task
 * @ret: what went wrong
 */
struct churn {
	struct mock_exporter *exp;
	struct task_struct *task;
	int ret;
};

/* A worker would release the buffers of a kthread, and could not be waited for. */
static int churn_main(void *data)
{
	struct churn *churn = data;

	for (int i = 0; i < NUM_ROUNDS; i++) {
		struct dma_buf *buf = dma_buf_export(&churn->exp->info);

		if (IS_ERR(buf)) {
			churn->ret = PTR_ERR(buf);
			break;
		}
		__fput_sync(buf->file);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void release_nothing(struct dma_buf *buf)
{
}

static void totals_after_many_tasks(struct kunit *test)
{
	struct dma_buf_totals before = read_totals(test);
	struct churn churns[NUM_TASKS] = {};

	for (int i = 0; i < NUM_TASKS; i++) {
		churns[i].exp = mock_exporter_create(test);
		churns[i].exp->info.size = PAGE_SIZE + i;
		churns[i].exp->ops.release = release_nothing;
	}
	for (int i = 0; i < NUM_TASKS; i++) {
		churns[i].task = kthread_run(churn_main, &churns[i], "mock-churn");
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, churns[i].task);
	}
	for (int i = 0; i < NUM_TASKS; i++) {
		if (!IS_ERR(churns[i].task))
			kthread_stop(churns[i].task);
		KUNIT_EXPECT_EQ(test, churns[i].ret, 0);
	}
	expect_totals(test, &before, 0, 0);
}

static struct kunit_case dma_buf_totals_cases[] = {
	KUNIT_CASE(totals_follow_export_and_release),
	KUNIT_CASE(totals_of_large_buffers),
	KUNIT_CASE(totals_count_buffers_not_references),
	KUNIT_CASE(totals_before_memory_is_freed),
	KUNIT_CASE(totals_without_failed_exports),
	KUNIT_CASE(totals_after_many_tasks),
	{}
};

static struct kunit_suite dma_buf_totals_suite = {
	.name = "dma_buf_totals",
	.test_cases = dma_buf_totals_cases,
};

kunit_test_suite(dma_buf_totals_suite);

MODULE_DESCRIPTION("KUnit tests for the totals in sysfs");
MODULE_LICENSE("GPL");
