// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics in sysfs: what a directory contains, when it comes and goes.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/seq_file.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../dma-buf-sysfs.h"
#include "fail_alloc.h"
#include "mock_exporter.h"
#include "test_util.h"

#define BUFFERS		"kernel/dmabuf/buffers"
#define PATH_SIZE	80
#define TEXT_SIZE	1024

/* longer than any case takes: the worker runs only when a case calls it */
#define NEVER_MS	1000000

/**
 * struct stats_case - what every case of this suite has
 * @exp: exporter, not yet exported
 * @mnt: sysfs
 * @ino: inode number of the buffer once it is exported
 */
struct stats_case {
	struct mock_exporter *exp;
	struct vfsmount *mnt;
	unsigned long ino;
};

static struct dma_buf *export(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct dma_buf *buf = mock_exporter_export(sc->exp);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	sc->ino = mock_ino(buf);
	return buf;
}

static void put(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	mock_exporter_put(sc->exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(sc->exp));
}

static struct file *open_entry(struct kunit *test, const char *file)
{
	struct stats_case *sc = test->priv;
	char path[PATH_SIZE];

	scnprintf(path, sizeof(path), BUFFERS "/%lu%s%s", sc->ino, file ? "/" : "", file ?: "");
	return test_open(sc->mnt, path);
}

static bool entry_exists(struct kunit *test)
{
	struct file *file = open_entry(test, NULL);

	if (IS_ERR(file))
		return false;
	fput(file);
	return true;
}

static void run_worker(void)
{
	flush_delayed_work(&dma_buf_stats_worker);
}

static void know(struct kunit *test, const struct path *path)
{
	struct kstat stat;

	KUNIT_EXPECT_EQ(test, 0, vfs_getattr(path, &stat, STATX_BASIC_STATS, 0));
}

/* a buffer whose inode number is known to a program */
static struct dma_buf *export_known(struct kunit *test)
{
	struct dma_buf *buf = export(test);

	know(test, &buf->file->f_path);
	return buf;
}

/* For directory readers: the worker */

static void dma_buf_stats_dir_exists(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct file *file = test_open(sc->mnt, BUFFERS);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(file_inode(file)->i_mode));
	fput(file);
}

static void dma_buf_stats_not_during_export(struct kunit *test)
{
	export(test);
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
}

static void dma_buf_stats_appears(struct kunit *test)
{
	WRITE_ONCE(dma_buf_stats_delay_ms, 10);
	export(test);
	for (int i = 0; i < 250 && !entry_exists(test); i++)
		msleep(20);
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
}

static void dma_buf_stats_never_for_short_life(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	export(test);
	put(test);
	run_worker();
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
	KUNIT_EXPECT_EQ(test, sc->exp->calls[MOCK_RELEASE].count, 1);
}

#define MANY	20

static void dma_buf_stats_many(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	unsigned long ino[MANY];

	for (int i = 0; i < MANY; i++)
		ino[i] = mock_ino(mock_buf_create(test));
	run_worker();
	for (int i = 0; i < MANY; i++) {
		sc->ino = ino[i];
		KUNIT_EXPECT_TRUE(test, entry_exists(test));
	}
}

/* exports that come while entries are made are not forgotten */
static void dma_buf_stats_in_a_row(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	unsigned long ino[MANY];

	WRITE_ONCE(dma_buf_stats_delay_ms, 0);
	for (int i = 0; i < MANY; i++)
		ino[i] = mock_ino(mock_buf_create(test));
	run_worker();
	for (int i = 0; i < MANY; i++) {
		sc->ino = ino[i];
		KUNIT_EXPECT_TRUE(test, entry_exists(test));
	}
}

static void dma_buf_stats_worker_holds_no_reference(struct kunit *test)
{
	struct dma_buf *buf = export(test);

	run_worker();
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	KUNIT_EXPECT_EQ(test, file_count(buf->file), 1);
}

/* On demand, for a program that knows the number */

static void know_by_stat(struct kunit *test, struct dma_buf *buf)
{
	know(test, &buf->file->f_path);
}

static void know_by_statx_of_size(struct kunit *test, struct dma_buf *buf)
{
	struct kstat stat;

	KUNIT_EXPECT_EQ(test, 0, vfs_getattr(&buf->file->f_path, &stat, STATX_SIZE, 0));
}

static void know_by_path(struct kunit *test, struct dma_buf *buf)
{
	struct file *path = dentry_open(&buf->file->f_path, O_PATH, current_cred());

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	know(test, &path->f_path);
	fput(path);
}

static void know_by_fdinfo(struct kunit *test, struct dma_buf *buf)
{
	struct seq_file *seq = kunit_kzalloc(test, sizeof(*seq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seq);
	seq->buf = kunit_kzalloc(test, TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq->buf);
	seq->size = TEXT_SIZE;
	buf->file->f_op->show_fdinfo(seq, buf->file);
}

static void know_by_maps(struct kunit *test, struct dma_buf *buf)
{
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_MMU))
		kunit_skip(test, "needs an MMU");
	addr = kunit_vm_mmap(test, buf->file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
}

static void know_by_maps_of_importer(struct kunit *test, struct dma_buf *buf)
{
	struct vm_area_struct *vma = kunit_kzalloc(test, sizeof(*vma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vma);
	vma->vm_end = PAGE_SIZE;
	vma->vm_file = get_file(buf->file);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 0), 0);
	fput(vma->vm_file);
}

static void know_by_bufinfo(struct kunit *test, struct dma_buf *buf)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct file *file;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");
	KUNIT_ASSERT_NOT_NULL(test, text);
	file = test_open(test_mount(test, "debugfs"), "dma_buf/bufinfo");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_GT(test, test_read_file(test, file, text, PAGE_SIZE), 0);
	fput(file);
}

static const struct knowledge {
	const char *desc;
	void (*know)(struct kunit *test, struct dma_buf *buf);
} knowledges[] = {
	{ "stat", know_by_stat },
	{ "statx of the size", know_by_statx_of_size },
	{ "stat of a path", know_by_path },
	{ "fdinfo", know_by_fdinfo },
	{ "maps", know_by_maps },
	{ "maps of an importer", know_by_maps_of_importer },
	{ "bufinfo", know_by_bufinfo },
};

KUNIT_ARRAY_PARAM_DESC(knowledges, knowledges, desc);

static void dma_buf_stats_found_by_number(struct kunit *test)
{
	const struct knowledge *param = test->param_value;
	struct dma_buf *buf = export(test);

	KUNIT_EXPECT_FALSE(test, entry_exists(test));
	param->know(test, buf);
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	param->know(test, buf);
	run_worker();
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
}

/* The end */

static void expect_no_entry(struct mock_exporter *exp, enum mock_op op,
			    struct dma_buf_attachment *attach)
{
	if (op == MOCK_RELEASE)
		KUNIT_EXPECT_FALSE(exp->test, entry_exists(exp->test));
}

/* the exporter and its name may go as soon as release has been called */
static void dma_buf_stats_gone_before_release(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	sc->exp->hook = expect_no_entry;
	export_known(test);
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	put(test);
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
}

static void dma_buf_stats_of_worker_gone_before_release(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	sc->exp->hook = expect_no_entry;
	export(test);
	run_worker();
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	put(test);
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
}

static void dma_buf_stats_stays_while_referenced(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct dma_buf *buf = export_known(test);

	get_file(buf->file);
	mock_exporter_put(sc->exp);
	flush_delayed_fput();
	run_worker();
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	fput(buf->file);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(sc->exp));
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
}

/* a path alone (O_PATH) neither keeps nor makes an entry */
static void dma_buf_stats_none_for_released(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct dma_buf *buf = export_known(test);
	struct file *path = dentry_open(&buf->file->f_path, O_PATH, current_cred());

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	mock_exporter_put(sc->exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(sc->exp));
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
	know(test, &path->f_path);
	run_worker();
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
	fput(path);
}

/* No memory */

/* whatever allocation fails: stat does not, and the worker makes up for it */
static void dma_buf_stats_out_of_memory(struct kunit *test)
{
	unsigned int refused = 0;
	bool failed;

	fail_alloc_setup(test);
	for (int nth = 1; nth < 100; nth++) {
		struct stats_case *sc = test->priv;
		struct dma_buf *buf;
		struct kstat stat;
		int ret;

		sc->exp = mock_exporter_create(test);
		buf = export(test);
		failed = FAIL_NTH_ALLOC(nth, ret = vfs_getattr(&buf->file->f_path, &stat,
							       STATX_BASIC_STATS, 0));
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, stat.ino, sc->ino);
		refused += !entry_exists(test);
		run_worker();
		KUNIT_EXPECT_TRUE(test, entry_exists(test));
		put(test);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_GT(test, refused, 0);
}

static void run_worker_here(void)
{
	dma_buf_stats_worker.work.func(&dma_buf_stats_worker.work);
}

/* whatever allocation fails: the worker is to run again, and makes all that is missing */
static void dma_buf_stats_worker_out_of_memory(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	unsigned int refused = 0;
	bool failed, made;

	fail_alloc_setup(test);
	for (int nth = 1; nth < 100; nth++) {
		sc->exp = mock_exporter_create(test);
		export(test);
		mock_buf_create(test);
		/* an export asks for it, too */
		cancel_delayed_work_sync(&dma_buf_stats_worker);
		failed = FAIL_NTH_ALLOC(nth, run_worker_here());
		made = entry_exists(test);
		refused += !made;
		/* A check of the kernel may be the one that fails, and goes on without. */
		KUNIT_EXPECT_EQ(test, delayed_work_pending(&dma_buf_stats_worker), !made);
		run_worker();
		KUNIT_EXPECT_TRUE(test, entry_exists(test));
		KUNIT_EXPECT_FALSE(test, delayed_work_pending(&dma_buf_stats_worker));
		if (!failed)
			break;
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_TRUE(test, made);
	KUNIT_EXPECT_GT(test, refused, 0);
}

/* Tasks that come to know the number at the same moment */

#define NUM_TASKS	8

/**
 * struct knower - a task that calls stat
 * @test: case
 * @path: buffer
 * @start: wait for this, to have all of them start together
 * @done: completed at the end
 * @found: there was an entry when stat had returned
 */
struct knower {
	struct kunit *test;
	struct path path;
	struct completion *start;
	struct completion done;
	bool found;
};

static int knower_main(void *data)
{
	struct knower *knower = data;
	struct kstat stat;

	wait_for_completion(knower->start);
	if (!vfs_getattr(&knower->path, &stat, STATX_BASIC_STATS, 0))
		knower->found = entry_exists(knower->test);
	complete(&knower->done);

	return 0;
}

static void dma_buf_stats_known_by_many_at_once(struct kunit *test)
{
	struct knower *knowers = kunit_kcalloc(test, NUM_TASKS, sizeof(*knowers), GFP_KERNEL);
	DECLARE_COMPLETION_ONSTACK(start);
	struct dma_buf *buf = export(test);
	int started;

	KUNIT_ASSERT_NOT_NULL(test, knowers);
	for (started = 0; started < NUM_TASKS; started++) {
		struct knower *knower = &knowers[started];

		knower->test = test;
		knower->path = buf->file->f_path;
		knower->start = &start;
		init_completion(&knower->done);
		if (IS_ERR(kthread_run(knower_main, knower, "dma-buf-knower")))
			break;
	}
	complete_all(&start);
	for (int i = 0; i < started; i++) {
		wait_for_completion(&knowers[i].done);
		KUNIT_EXPECT_TRUE(test, knowers[i].found);
	}
	KUNIT_EXPECT_EQ(test, started, NUM_TASKS);
}

/* Contents */

static ssize_t read_entry(struct kunit *test, const char *name, char *text, size_t size)
{
	struct file *file = open_entry(test, name);
	loff_t pos = 0;
	ssize_t ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	ret = kernel_read(file, text, size - 1, &pos);
	fput(file);
	KUNIT_ASSERT_GE(test, ret, 0);
	text[ret] = '\0';

	return ret;
}

static void dma_buf_stats_exporter_name(struct kunit *test)
{
	char text[64];

	export_known(test);
	read_entry(test, "exporter_name", text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, MOCK_EXPORTER_NAME "\n");
}

static void dma_buf_stats_size(struct kunit *test)
{
	char text[64], want[64];

	scnprintf(want, sizeof(want), "%zu\n", (size_t)MOCK_EXPORTER_SIZE);
	export_known(test);
	read_entry(test, "size", text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, want);
}

static const struct stats_file {
	const char *desc;
} stats_files[] = {
	{ "exporter_name" },
	{ "size" },
};

KUNIT_ARRAY_PARAM_DESC(stats_files, stats_files, desc);

static void dma_buf_stats_mode(struct kunit *test)
{
	const struct stats_file *param = test->param_value;
	struct file *file;

	export_known(test);
	file = open_entry(test, param->desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 07777, 0444);
	fput(file);
}

struct name_counter {
	struct dir_context ctx;
	unsigned int count;
};

static bool count_name(struct dir_context *ctx, const char *name, int len, loff_t offset,
		       u64 ino, unsigned int type)
{
	struct name_counter *counter = container_of(ctx, struct name_counter, ctx);

	if (name[0] != '.')
		counter->count++;
	return true;
}

static void dma_buf_stats_nothing_else(struct kunit *test)
{
	struct name_counter counter = { .ctx.actor = count_name };
	struct file *file;

	export_known(test);
	file = open_entry(test, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, iterate_dir(file, &counter.ctx), 0);
	fput(file);
	KUNIT_EXPECT_EQ(test, counter.count, ARRAY_SIZE(stats_files));
}

static void dma_buf_stats_read_after_release(struct kunit *test)
{
	const struct stats_file *param = test->param_value;
	struct file *file;
	loff_t pos = 0;
	char text[64];

	export_known(test);
	file = open_entry(test, param->desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	put(test);
	KUNIT_EXPECT_EQ(test, kernel_read(file, text, sizeof(text), &pos), -ENODEV);
	fput(file);
}

/* Export */

static void dma_buf_stats_need_exporter_name(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	sc->exp->info.exp_name = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(mock_exporter_export(sc->exp)));
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, sc->exp->calls[MOCK_RELEASE].count, 0);
}

/* nothing comes between what a case does, but what it asks for */
static void restore_worker(void *data)
{
	cancel_delayed_work_sync(&dma_buf_stats_worker);
	WRITE_ONCE(dma_buf_stats_delay_ms, (unsigned long)data);
}

static int dma_buf_stats_test_init(struct kunit *test)
{
	struct stats_case *sc = kunit_kzalloc(test, sizeof(*sc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sc);
	test->priv = sc;
	sc->mnt = test_mount(test, "sysfs");
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, restore_worker,
						  (void *)(unsigned long)dma_buf_stats_delay_ms));
	WRITE_ONCE(dma_buf_stats_delay_ms, NEVER_MS);
	cancel_delayed_work_sync(&dma_buf_stats_worker);
	sc->exp = mock_exporter_create(test);

	return 0;
}

static struct kunit_case dma_buf_stats_cases[] = {
	KUNIT_CASE(dma_buf_stats_dir_exists),
	KUNIT_CASE(dma_buf_stats_not_during_export),
	KUNIT_CASE(dma_buf_stats_appears),
	KUNIT_CASE(dma_buf_stats_never_for_short_life),
	KUNIT_CASE(dma_buf_stats_many),
	KUNIT_CASE(dma_buf_stats_in_a_row),
	KUNIT_CASE(dma_buf_stats_worker_holds_no_reference),
	KUNIT_CASE_PARAM(dma_buf_stats_found_by_number, knowledges_gen_params),
	KUNIT_CASE(dma_buf_stats_gone_before_release),
	KUNIT_CASE(dma_buf_stats_of_worker_gone_before_release),
	KUNIT_CASE(dma_buf_stats_stays_while_referenced),
	KUNIT_CASE(dma_buf_stats_none_for_released),
	KUNIT_CASE(dma_buf_stats_out_of_memory),
	KUNIT_CASE(dma_buf_stats_worker_out_of_memory),
	KUNIT_CASE(dma_buf_stats_known_by_many_at_once),
	KUNIT_CASE(dma_buf_stats_exporter_name),
	KUNIT_CASE(dma_buf_stats_size),
	KUNIT_CASE_PARAM(dma_buf_stats_mode, stats_files_gen_params),
	KUNIT_CASE(dma_buf_stats_nothing_else),
	KUNIT_CASE_PARAM(dma_buf_stats_read_after_release, stats_files_gen_params),
	KUNIT_CASE(dma_buf_stats_need_exporter_name),
	{}
};

static struct kunit_suite dma_buf_stats_suite = {
	.name = "dma_buf_stats",
	.init = dma_buf_stats_test_init,
	.test_cases = dma_buf_stats_cases,
};

kunit_test_suite(dma_buf_stats_suite);

MODULE_DESCRIPTION("KUnit tests for the statistics of buffers in sysfs");
MODULE_LICENSE("GPL");
