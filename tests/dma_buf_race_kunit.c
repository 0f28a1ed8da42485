// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a buffer, or of the work on it, on one CPU, while another one walks,
 * calls stat, reads the statistics, or reports. Skipped on machines with one CPU.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/path.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../dma-buf-list.h"
#include "../dma-buf-sysfs.h"
#include "../dma-buf-report.h"
#include "race.h"
#include "test_util.h"

/**
 * struct buf_race - a buffer for each round
 * @sysfs: mount of it
 * @buf: the buffer
 * @path: held without the file, as O_PATH does
 * @ino: inode number
 * @rounds: number of rounds so far
 * @released: calls of the exporter's release
 * @found: each side has found an entry
 * @text: what one side has read from the entry
 * @len: length of @text, or errno
 */
struct buf_race {
	struct vfsmount *sysfs;
	struct dma_buf *buf;
	struct path path;
	unsigned long ino;
	unsigned int rounds;
	unsigned int released;
	bool found[2];
	char text[32];
	ssize_t len;
};

static bool buf_race_prepare(struct kunit *test, void *data)
{
	struct buf_race *br = data;

	br->buf = race_buf_export(&br->released);
	if (IS_ERR(br->buf)) {
		KUNIT_FAIL(test, "export: %pe", br->buf);
		return false;
	}
	br->path = br->buf->file->f_path;
	path_get(&br->path);
	br->ino = file_inode(br->buf->file)->i_ino;
	br->rounds++;

	return true;
}

/* as close() does */
static void buf_race_release(void *data)
{
	struct buf_race *br = data;

	__fput_sync(br->buf->file);
}

static struct file *buf_race_open(struct buf_race *br, const char *file)
{
	char path[64];

	scnprintf(path, sizeof(path), "kernel/dmabuf/buffers/%lu%s", br->ino, file);
	return test_open(br->sysfs, path);
}

static bool buf_race_has_entry(struct buf_race *br)
{
	struct file *file;

	if (!IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		return false;
	file = buf_race_open(br, "");
	if (IS_ERR(file))
		return false;
	__fput_sync(file);
	return true;
}

/* the buffer is gone with all that belongs to it, whatever the other side did */
static bool buf_race_check(struct kunit *test, void *data)
{
	struct buf_race *br = data;

	KUNIT_EXPECT_EQ(test, br->released, br->rounds);
	KUNIT_EXPECT_FALSE(test, buf_race_has_entry(br));
	path_put(&br->path);

	return br->released == br->rounds;
}

static void buf_race_walk(void *data)
{
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	while (dma_buf_walk_next(&walk))
		;
	dma_buf_walk_end(&walk);
}

static const struct race walk_race = {
	.prepare = buf_race_prepare,
	.here = buf_race_release,
	.there = buf_race_walk,
	.check = buf_race_check,
};

static struct buf_race *buf_race_create(struct kunit *test)
{
	struct buf_race *br = kunit_kzalloc(test, sizeof(*br), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, br);
	if (IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		br->sysfs = test_mount(test, "sysfs");

	return br;
}

static void dma_buf_race_walk_and_release(struct kunit *test)
{
	race_run(test, &walk_race, buf_race_create(test));
}

#ifdef CONFIG_DMABUF_SYSFS_STATS
static void buf_race_stat(void *data)
{
	struct buf_race *br = data;
	struct kstat stat;

	vfs_getattr(&br->path, &stat, STATX_BASIC_STATS, 0);
}

static const struct race stat_race = {
	.prepare = buf_race_prepare,
	.here = buf_race_release,
	.there = buf_race_stat,
	.check = buf_race_check,
};

static void dma_buf_race_stat_and_release(struct kunit *test)
{
	race_run(test, &stat_race, buf_race_create(test));
}

static void buf_race_work(void *data)
{
	flush_delayed_work(&dma_buf_stats_worker);
}

static const struct race work_race = {
	.prepare = buf_race_prepare,
	.here = buf_race_release,
	.there = buf_race_work,
	.check = buf_race_check,
};

static void dma_buf_race_worker_and_release(struct kunit *test)
{
	race_run(test, &work_race, buf_race_create(test));
}

static bool buf_race_prepare_known(struct kunit *test, void *data)
{
	if (!buf_race_prepare(test, data))
		return false;
	buf_race_stat(data);
	return true;
}

static void buf_race_read(void *data)
{
	struct buf_race *br = data;
	struct file *file = buf_race_open(br, "/exporter_name");
	loff_t pos = 0;

	memset(br->text, 0, sizeof(br->text));
	if (IS_ERR(file)) {
		br->len = PTR_ERR(file);
		return;
	}
	br->len = kernel_read(file, br->text, sizeof(br->text) - 1, &pos);
	__fput_sync(file);
}

static bool buf_race_check_text(struct kunit *test, void *data)
{
	struct buf_race *br = data;

	if (br->len >= 0)
		KUNIT_EXPECT_STREQ(test, br->text, RACE_EXPORTER "\n");

	return buf_race_check(test, data);
}

static const struct race read_race = {
	.prepare = buf_race_prepare_known,
	.here = buf_race_release,
	.there = buf_race_read,
	.check = buf_race_check_text,
};

static void dma_buf_race_read_and_release(struct kunit *test)
{
	race_run(test, &read_race, buf_race_create(test));
}

static void buf_race_find(struct buf_race *br, unsigned int side)
{
	buf_race_stat(br);
	br->found[side] = buf_race_has_entry(br);
}

static void buf_race_find_here(void *data)
{
	buf_race_find(data, 0);
}

static void buf_race_find_there(void *data)
{
	buf_race_find(data, 1);
}

static bool buf_race_check_found(struct kunit *test, void *data)
{
	struct buf_race *br = data;

	KUNIT_EXPECT_TRUE(test, br->found[0]);
	KUNIT_EXPECT_TRUE(test, br->found[1]);
	buf_race_release(br);

	return buf_race_check(test, data) && br->found[0] && br->found[1];
}

static const struct race find_race = {
	.prepare = buf_race_prepare,
	.here = buf_race_find_here,
	.there = buf_race_find_there,
	.check = buf_race_check_found,
};

/* stat on two CPUs: the one that does not make the entry waits for the other */
static void dma_buf_race_two_stats(struct kunit *test)
{
	race_run(test, &find_race, buf_race_create(test));
}
#endif

#ifdef CONFIG_DEBUG_FS
/* One looks while the other one signals */

/**
 * struct report_race - a fence with waiters, of which one side makes lines
 * @seq: for the lines
 * @fence: fence, a new one in each round
 * @cb: a waiter
 * @seen: how often there was a line with the waiter, and how often there was none
 */
struct report_race {
	struct seq_file seq;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
	unsigned int seen[2];
};

static void report_race_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static bool report_race_prepare(struct kunit *test, void *data)
{
	struct report_race *race = data;

	race->fence = race_fence_create(&mock_fence_bare_ops, 1, 1);
	if (!race->fence)
		return false;
	dma_fence_add_callback(race->fence, &race->cb, report_race_called);
	race->seq.count = 0;
	return true;
}

static void report_race_look(void *data)
{
	struct report_race *race = data;

	dma_report_fence(&race->seq, race->fence, DMA_RESV_USAGE_READ, 0);
}

static void report_race_signal(void *data)
{
	struct report_race *race = data;

	dma_fence_signal(race->fence);
}

static bool report_race_check(struct kunit *test, void *data)
{
	struct report_race *race = data;

	race->seq.buf[race->seq.count] = '\0';
	race->seen[!race->seq.count]++;
	if (race->seq.count)
		KUNIT_EXPECT_TRUE(test, strstarts(race->seq.buf, " fence usage=read driver="));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(race->fence), 1);
	dma_fence_put(race->fence);
	return true;
}

static const struct race report_against_signal = {
	report_race_prepare, report_race_look, report_race_signal, report_race_check,
};

static void dma_buf_race_report_and_signal(struct kunit *test)
{
	struct report_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->seq.size = PAGE_SIZE;
	race->seq.buf = kunit_kzalloc(test, PAGE_SIZE + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race->seq.buf);
	race_run_both(test, &report_against_signal, race, race->seen);
}
#endif

static struct kunit_case dma_buf_race_cases[] = {
	KUNIT_CASE(dma_buf_race_walk_and_release),
#ifdef CONFIG_DMABUF_SYSFS_STATS
	KUNIT_CASE(dma_buf_race_stat_and_release),
	KUNIT_CASE(dma_buf_race_worker_and_release),
	KUNIT_CASE(dma_buf_race_read_and_release),
	KUNIT_CASE(dma_buf_race_two_stats),
#endif
#ifdef CONFIG_DEBUG_FS
	KUNIT_CASE(dma_buf_race_report_and_signal),
#endif
	{}
};

static struct kunit_suite dma_buf_race_suite = {
	.name = "dma_buf_race",
	.test_cases = dma_buf_race_cases,
};

kunit_test_suite(dma_buf_race_suite);

MODULE_DESCRIPTION("KUnit tests for the end of a buffer that somebody looks at");
MODULE_LICENSE("GPL");
