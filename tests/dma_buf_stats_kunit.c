// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics in sysfs: what a directory contains, when it comes and goes.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "mock_exporter.h"
#include "test_util.h"

#define BUFFERS		"kernel/dmabuf/buffers"
#define PROMISED_MS	100
#define LOOK_MS		5
#define PAUSE_MS	30
#define PATH_SIZE	80

/**
 * struct stats_case - what every case of this suite has
 * @exp: exporter, not yet exported
 * @mnt: sysfs
 * @ino: inode number of the buffer once it is exported
 * @ms: time since it was exported or put, without pauses of the machine
 */
struct stats_case {
	struct mock_exporter *exp;
	struct vfsmount *mnt;
	unsigned long ino;
	unsigned int ms;
};

static void export(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(sc->exp));
	sc->ino = file_inode(sc->exp->buf->file)->i_ino;
	sc->ms = 0;
}

static void put(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	mock_exporter_put(sc->exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(sc->exp));
	sc->ms = 0;
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

/* A sleep that takes longer than the clock explains is a pause of the machine. */
static void nap(struct stats_case *sc)
{
	ktime_t before = ktime_get();

	msleep(LOOK_MS);
	sc->ms += min(ktime_ms_delta(ktime_get(), before), LOOK_MS + PAUSE_MS);
}

/* The change came later than the last look that found the entry as it was. */
static void expect_entry(struct kunit *test, bool there)
{
	struct stats_case *sc = test->priv;
	unsigned int late = 0;

	while (entry_exists(test) != there && late < 10 * PROMISED_MS) {
		late = sc->ms;
		nap(sc);
	}
	KUNIT_EXPECT_LE(test, late, PROMISED_MS);
	KUNIT_ASSERT_EQ(test, entry_exists(test), there);
}

/* A directory comes before its files, and who makes them holds a reference. */
static void wait_for_files(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	expect_entry(test, true);
	test_expect_refs(test, sc->exp->buf->file, 1);
}

/* Coming and going */

static void dma_buf_stats_dir_exists(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct file *file = test_open(sc->mnt, BUFFERS);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(file_inode(file)->i_mode));
	fput(file);
}

static void dma_buf_stats_appears(struct kunit *test)
{
	export(test);
	expect_entry(test, true);
}

static void dma_buf_stats_not_during_export(struct kunit *test)
{
	test_skip_stock(test, "makes the entry at once");
	export(test);
	KUNIT_EXPECT_FALSE(test, entry_exists(test));
}

static void dma_buf_stats_disappears(struct kunit *test)
{
	export(test);
	expect_entry(test, true);
	put(test);
	expect_entry(test, false);
}

static void dma_buf_stats_stays_while_referenced(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	export(test);
	expect_entry(test, true);
	get_file(sc->exp->buf->file);
	mock_exporter_put(sc->exp);
	msleep(2 * PROMISED_MS);
	KUNIT_EXPECT_TRUE(test, entry_exists(test));
	fput(sc->exp->buf->file);
}

static void dma_buf_stats_never_for_short_life(struct kunit *test)
{
	export(test);
	put(test);
	for (int i = 0; i < 5; i++) {
		KUNIT_EXPECT_FALSE(test, entry_exists(test));
		msleep(PROMISED_MS / 4);
	}
}

#define MANY	20

static void dma_buf_stats_many(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	unsigned long ino[MANY];

	for (int i = 0; i < MANY; i++)
		ino[i] = file_inode(mock_buf_create(test)->file)->i_ino;
	sc->ms = 0;
	for (int i = 0; i < MANY; i++) {
		sc->ino = ino[i];
		expect_entry(test, true);
	}
}

/* exports that come while entries are made are not forgotten */
static void dma_buf_stats_in_a_row(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	unsigned long ino[MANY];

	for (int i = 0; i < MANY; i++) {
		ino[i] = file_inode(mock_buf_create(test)->file)->i_ino;
		sc->ms = 0;
		msleep(20);
	}
	for (int i = 0; i < MANY; i++) {
		sc->ino = ino[i];
		expect_entry(test, true);
	}
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

	export(test);
	wait_for_files(test);
	read_entry(test, "exporter_name", text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, MOCK_EXPORTER_NAME "\n");
}

static void dma_buf_stats_size(struct kunit *test)
{
	char text[64], want[64];

	scnprintf(want, sizeof(want), "%zu\n", (size_t)MOCK_EXPORTER_SIZE);
	export(test);
	wait_for_files(test);
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

	export(test);
	wait_for_files(test);
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

	export(test);
	wait_for_files(test);
	file = open_entry(test, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, iterate_dir(file, &counter.ctx), 0);
	fput(file);
	KUNIT_EXPECT_EQ(test, counter.count, ARRAY_SIZE(stats_files));
}

static void dma_buf_stats_read_after_release(struct kunit *test)
{
	struct file *file;
	loff_t pos = 0;
	char text[64];

	export(test);
	wait_for_files(test);
	file = open_entry(test, "size");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	put(test);
	expect_entry(test, false);
	KUNIT_EXPECT_LT(test, kernel_read(file, text, sizeof(text), &pos), 0);
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

/* the statistics may hold references, but none of them for long */
static void dma_buf_stats_hold_no_reference(struct kunit *test)
{
	struct stats_case *sc = test->priv;

	export(test);
	expect_entry(test, true);
	test_expect_refs(test, sc->exp->buf->file, 1);
}

/*
 * What the case before has put has woken the worker, which must not come in between
 * an export and a look. It is through with that when it has found a buffer that is
 * new. It may have been at work when that was exported, and so have been woken once
 * more: hence the pause. The buffer stays until the end of the case, as putting it
 * would wake the worker again.
 */
static void settle(struct kunit *test)
{
	struct stats_case *sc = test->priv;
	struct dma_buf *buf = mock_buf_create(test);

	sc->ino = file_inode(buf->file)->i_ino;
	expect_entry(test, true);
	msleep(PROMISED_MS);
	test_expect_refs(test, buf->file, 1);
}

static int dma_buf_stats_test_init(struct kunit *test)
{
	struct stats_case *sc = kunit_kzalloc(test, sizeof(*sc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sc);
	test->priv = sc;
	sc->mnt = test_mount(test, "sysfs");
	sc->exp = mock_exporter_create(test);
	settle(test);

	return 0;
}

static struct kunit_case dma_buf_stats_cases[] = {
	KUNIT_CASE(dma_buf_stats_dir_exists),
	KUNIT_CASE(dma_buf_stats_appears),
	KUNIT_CASE(dma_buf_stats_not_during_export),
	KUNIT_CASE(dma_buf_stats_disappears),
	KUNIT_CASE(dma_buf_stats_stays_while_referenced),
	KUNIT_CASE(dma_buf_stats_never_for_short_life),
	KUNIT_CASE(dma_buf_stats_many),
	KUNIT_CASE(dma_buf_stats_in_a_row),
	KUNIT_CASE(dma_buf_stats_exporter_name),
	KUNIT_CASE(dma_buf_stats_size),
	KUNIT_CASE_PARAM(dma_buf_stats_mode, stats_files_gen_params),
	KUNIT_CASE(dma_buf_stats_nothing_else),
	KUNIT_CASE(dma_buf_stats_read_after_release),
	KUNIT_CASE(dma_buf_stats_need_exporter_name),
	KUNIT_CASE(dma_buf_stats_hold_no_reference),
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
