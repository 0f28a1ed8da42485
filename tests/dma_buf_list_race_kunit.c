// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that come and go on two CPUs, while tasks walk over them, count them, or
 * make their statistics. Skipped on machines with one CPU.
 */

#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/path.h>
#include <linux/workqueue.h>

#include "../dma-buf-list.h"
#include "../dma-buf-sysfs.h"
#include "race.h"
#include "test_util.h"

/* A side that looks does so more than once while the other one is at work. */
#define NUM_LOOKS	4

/* So many short walks of each side come and go in a round. KCSAN makes each access slow. */
#define NUM_WALKS	(IS_ENABLED(CONFIG_KCSAN) ? 8 : 64)

/* Longer than any case takes: the worker runs only when a case calls it. */
#define NEVER_MS	1000000

/**
 * struct list_race - what the sides share
 * @older: a buffer that stays, older than those of the round
 * @newer: one that is newer than those that are made before the round begins
 * @bufs: buffers that come or go, a side each
 * @path: keeps the memory of a buffer that may be gone
 * @released: number of buffers that are gone
 * @before: @released at the begin of the round
 * @gone: those that were gone, or had come, when the first side was through
 * @rest: bytes of buffers that are not of one page
 * @found: the side that looks has found what the other one was about
 * @wrong: times that something was seen that must not be
 * @ways: rounds that have gone in one way, and in the other
 * @sysfs: mount of it
 */
struct list_race {
	struct dma_buf *older;
	struct dma_buf *newer;
	struct dma_buf *bufs[2];
	struct path path;
	unsigned int released;
	unsigned int before;
	unsigned int gone;
	u64 rest;
	bool found;
	unsigned int wrong;
	unsigned int ways[2];
	struct vfsmount *sysfs;
};

static void list_race_export(struct list_race *race, struct dma_buf **buf)
{
	struct dma_buf *new = race_buf_export(&race->released);

	/* A walk on the other side compares. */
	WRITE_ONCE(*buf, IS_ERR(new) ? NULL : new);
}

static void list_race_release(struct dma_buf **buf)
{
	if (*buf)
		__fput_sync((*buf)->file);
	WRITE_ONCE(*buf, NULL);
}

static unsigned long list_race_ino(struct dma_buf *buf)
{
	return file_inode(buf->file)->i_ino;
}

/* Of the bytes, what is left when each buffer has a page. */
static u64 list_race_rest(void)
{
	struct dma_buf_totals totals = dma_buf_list_totals();

	return totals.bytes - totals.buffers * PAGE_SIZE;
}

/* A walk finds each buffer that stays once, and newer buffers before older ones. */
static unsigned long list_race_walk(struct list_race *race, unsigned int stay)
{
	unsigned long ino, last = 0, newest = 0;
	struct dma_buf_walk walk;
	struct dma_buf *buf;

	dma_buf_walk_begin(&walk);
	while ((buf = dma_buf_walk_next(&walk))) {
		ino = list_race_ino(buf);
		if (last && ino >= last)
			WRITE_ONCE(race->wrong, 1);
		last = ino;
		newest = newest ?: ino;
		stay -= buf == race->older || buf == race->newer;
		if (buf == READ_ONCE(race->bufs[1]))
			WRITE_ONCE(race->found, true);
	}
	dma_buf_walk_end(&walk);
	if (stay)
		WRITE_ONCE(race->wrong, 2);
	return newest;
}

/* ---- rounds ---- */

static bool list_race_prepare(struct kunit *test, void *data)
{
	struct list_race *race = data;

	list_race_export(race, &race->older);
	race->rest = list_race_rest();
	race->before = race->released;
	race->found = false;
	KUNIT_EXPECT_NOT_NULL(test, race->older);
	return race->older;
}

/* The other side has a buffer, in the list of this CPU and between two others. */
static bool list_race_prepare_one(struct kunit *test, void *data)
{
	struct list_race *race = data;

	if (!list_race_prepare(test, data))
		return false;
	list_race_export(race, &race->bufs[1]);
	list_race_export(race, &race->newer);
	return race->bufs[1] && race->newer;
}

static bool list_race_prepare_both(struct kunit *test, void *data)
{
	struct list_race *race = data;

	if (!list_race_prepare(test, data))
		return false;
	list_race_export(race, &race->bufs[1]);
	list_race_export(race, &race->bufs[0]);
	list_race_export(race, &race->newer);
	return race->bufs[0] && race->bufs[1] && race->newer;
}

/* All of the list is in order, and all of it goes. */
static bool list_race_end(struct kunit *test, struct list_race *race)
{
	list_race_walk(race, 1 + !!race->newer);
	KUNIT_EXPECT_EQ(test, list_race_rest(), race->rest);
	KUNIT_EXPECT_EQ(test, race->wrong, 0);
	list_race_release(&race->bufs[0]);
	list_race_release(&race->bufs[1]);
	list_race_release(&race->newer);
	list_race_release(&race->older);
	return true;
}

static void export_here(void *data)
{
	struct list_race *race = data;

	list_race_export(race, &race->bufs[0]);
	race->gone = READ_ONCE(race->released) - race->before;
}

static void export_there(void *data)
{
	struct list_race *race = data;

	list_race_export(race, &race->bufs[1]);
}

static void release_here(void *data)
{
	struct list_race *race = data;

	list_race_release(&race->bufs[0]);
	race->gone = READ_ONCE(race->released) - race->before;
}

static void release_there(void *data)
{
	struct list_race *race = data;

	list_race_release(&race->bufs[1]);
}

static void export_and_release_there(void *data)
{
	export_there(data);
	release_there(data);
}

/* Which was first? A walk sees them in that order. */
static bool check_exports(struct kunit *test, void *data)
{
	struct list_race *race = data;
	struct dma_buf **bufs = race->bufs;

	KUNIT_ASSERT_NOT_NULL(test, bufs[0]);
	KUNIT_ASSERT_NOT_NULL(test, bufs[1]);
	KUNIT_EXPECT_NE(test, list_race_ino(bufs[0]), list_race_ino(bufs[1]));
	race->ways[list_race_ino(bufs[0]) < list_race_ino(bufs[1])]++;
	list_race_walk(race, 1);
	KUNIT_EXPECT_TRUE(test, race->found);
	return list_race_end(test, race);
}

static const struct race export_against_export = {
	list_race_prepare, export_here, export_there, check_exports,
};

/* Which buffer went first? */
static bool check_releases(struct kunit *test, void *data)
{
	struct list_race *race = data;

	race->ways[race->gone == 1]++;
	KUNIT_EXPECT_EQ(test, race->released, race->before + 2);
	return list_race_end(test, race);
}

static const struct race release_against_release = {
	list_race_prepare_both, release_here, release_there, check_releases,
};

static bool check_export_and_release(struct kunit *test, void *data)
{
	struct list_race *race = data;

	race->ways[race->gone]++;
	KUNIT_EXPECT_EQ(test, race->released, race->before + 1);
	return list_race_end(test, race);
}

static const struct race export_against_release = {
	list_race_prepare_one, export_here, release_there, check_export_and_release,
};

/* A buffer whose number is out is found, as the worker of the statistics relies on. */
static void walk_to_newest_here(void *data)
{
	struct list_race *race = data;
	unsigned int i;

	for (i = 0; i < NUM_LOOKS; i++) {
		unsigned long last = dma_buf_list_last_ino();

		if (list_race_walk(race, 1) < last)
			WRITE_ONCE(race->wrong, 3);
		race->gone = last != list_race_ino(race->older);
	}
}

/* Was the buffer on its list before the last walk? */
static bool check_export_and_walk(struct kunit *test, void *data)
{
	struct list_race *race = data;

	race->ways[race->gone]++;
	return list_race_end(test, race);
}

static const struct race walk_against_export = {
	list_race_prepare, walk_to_newest_here, export_there, check_export_and_walk,
};

static void walk_here(void *data)
{
	list_race_walk(data, 2);
}

static bool check_release_and_walk(struct kunit *test, void *data)
{
	struct list_race *race = data;

	race->ways[race->found]++;
	KUNIT_EXPECT_EQ(test, race->released, race->before + 1);
	return list_race_end(test, race);
}

static const struct race walk_against_release = {
	list_race_prepare_one, walk_here, release_there, check_release_and_walk,
};

/* Cursors of both come to the same lists and leave them, all the time. */
static void walk_briefly(void *data)
{
	struct dma_buf_walk walk;
	unsigned int i;

	for (i = 0; i < NUM_WALKS; i++) {
		dma_buf_walk_begin(&walk);
		dma_buf_walk_end(&walk);
	}
	list_race_walk(data, 2);
}

static bool check_walks(struct kunit *test, void *data)
{
	return list_race_end(test, data);
}

static const struct race walk_against_walk = {
	list_race_prepare_one, walk_briefly, walk_briefly, check_walks,
};

static bool list_race_prepare_path(struct kunit *test, void *data)
{
	struct list_race *race = data;

	if (!list_race_prepare_one(test, data))
		return false;
	race->path = race->bufs[1]->file->f_path;
	path_get(&race->path);
	race->bufs[0] = race->bufs[1];
	return true;
}

/* Called with the lock of the list held. */
static bool take_slowly(struct dma_buf *buf)
{
	struct list_race *race = container_of(buf->priv, struct list_race, released);

	race_linger();
	if (list_empty(&buf->list_node))
		WRITE_ONCE(race->wrong, 5);
	return true;
}

static void take_here(void *data)
{
	struct list_race *race = data;

	race->found = dma_buf_list_take(race->bufs[0], take_slowly);
}

/* Was the buffer taken before it went? */
static bool check_taken(struct kunit *test, void *data)
{
	struct list_race *race = data;

	race->ways[race->found]++;
	KUNIT_EXPECT_EQ(test, race->released, race->before + 1);
	race->bufs[0] = NULL;
	path_put(&race->path);
	return list_race_end(test, race);
}

static const struct race take_against_release = {
	list_race_prepare_path, take_here, release_there, check_taken,
};

static bool count_until_released(void *data)
{
	struct list_race *race = data;

	if (list_race_rest() != race->rest)
		WRITE_ONCE(race->wrong, 4);
	return READ_ONCE(race->released) != race->before;
}

/* The other side changes the totals for moments only, so look all the time. */
static void count_here(void *data)
{
	race_spin(count_until_released, data);
}

static bool check_count(struct kunit *test, void *data)
{
	struct list_race *race = data;

	KUNIT_EXPECT_EQ(test, race->released, race->before + 1);
	return list_race_end(test, race);
}

static const struct race count_against_change = {
	list_race_prepare, count_here, export_and_release_there, check_count,
};

/* ---- cases ---- */

static struct list_race *list_race_create(struct kunit *test)
{
	struct list_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	return race;
}

static void list_race_run(struct kunit *test, const struct race *what)
{
	struct list_race *race = list_race_create(test);

	race_run_both(test, what, race, race->ways);
}

static void exports_are_in_order(struct kunit *test)
{
	list_race_run(test, &export_against_export);
}

static void neighbours_can_be_released_at_once(struct kunit *test)
{
	list_race_run(test, &release_against_release);
}

static void export_and_release_in_one_list(struct kunit *test)
{
	list_race_run(test, &export_against_release);
}

static void walk_finds_what_has_a_number(struct kunit *test)
{
	list_race_run(test, &walk_against_export);
}

static void walk_finds_what_stays(struct kunit *test)
{
	list_race_run(test, &walk_against_release);
}

static void walks_do_not_see_each_other(struct kunit *test)
{
	race_run(test, &walk_against_walk, list_race_create(test));
}

static void buffer_that_is_taken_is_in_the_list(struct kunit *test)
{
	list_race_run(test, &take_against_release);
}

static void totals_fit_each_other(struct kunit *test)
{
	race_run(test, &count_against_change, list_race_create(test));
}

#ifdef CONFIG_DMABUF_SYSFS_STATS
static bool list_race_has_entry(struct list_race *race, struct dma_buf *buf)
{
	struct file *file;
	char path[64];

	scnprintf(path, sizeof(path), "kernel/dmabuf/buffers/%lu", list_race_ino(buf));
	file = test_open(race->sysfs, path);
	if (IS_ERR(file))
		return false;
	__fput_sync(file);
	return true;
}

static void work_there(void *data)
{
	flush_delayed_work(&dma_buf_stats_worker);
}

/* Either the worker has found the buffer, or it has been told to run again. */
static bool check_worked(struct kunit *test, void *data)
{
	struct list_race *race = data;

	KUNIT_ASSERT_NOT_NULL(test, race->bufs[0]);
	race->ways[list_race_has_entry(race, race->bufs[0])]++;
	flush_delayed_work(&dma_buf_stats_worker);
	KUNIT_EXPECT_TRUE(test, list_race_has_entry(race, race->bufs[0]));
	return list_race_end(test, race);
}

static const struct race export_against_worker = {
	list_race_prepare, export_here, work_there, check_worked,
};

static void restore_delay(void *delay)
{
	WRITE_ONCE(dma_buf_stats_delay_ms, (unsigned long)delay);
	flush_delayed_work(&dma_buf_stats_worker);
}

static void worker_runs_after_each_export(struct kunit *test)
{
	struct list_race *race = list_race_create(test);
	unsigned long delay = dma_buf_stats_delay_ms;

	race->sysfs = test_mount(test, "sysfs");
	WRITE_ONCE(dma_buf_stats_delay_ms, NEVER_MS);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, restore_delay, (void *)delay));
	flush_delayed_work(&dma_buf_stats_worker);
	race_run_both(test, &export_against_worker, race, race->ways);
}
#endif

static struct kunit_case dma_buf_list_race_cases[] = {
	KUNIT_CASE(exports_are_in_order),
	KUNIT_CASE(neighbours_can_be_released_at_once),
	KUNIT_CASE(export_and_release_in_one_list),
	KUNIT_CASE(walk_finds_what_has_a_number),
	KUNIT_CASE(walk_finds_what_stays),
	KUNIT_CASE(walks_do_not_see_each_other),
	KUNIT_CASE(buffer_that_is_taken_is_in_the_list),
	KUNIT_CASE(totals_fit_each_other),
#ifdef CONFIG_DMABUF_SYSFS_STATS
	KUNIT_CASE(worker_runs_after_each_export),
#endif
	{}
};

static struct kunit_suite dma_buf_list_race_suite = {
	.name = "dma_buf_list_race",
	.test_cases = dma_buf_list_race_cases,
};

kunit_test_suite(dma_buf_list_race_suite);

MODULE_DESCRIPTION("KUnit tests for the list of buffers on two CPUs");
MODULE_LICENSE("GPL");
