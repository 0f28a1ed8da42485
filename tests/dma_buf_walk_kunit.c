// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over all live buffers: order, references, and what may happen to
 * buffers between two steps.
 */

#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../dma-buf-list.h"
#include "mock_exporter.h"
#include "test_util.h"

#define NUM_BUFS	5

/**
 * struct walk_case - what every case of this suite has
 * @exp: exporters, the oldest buffer first
 */
struct walk_case {
	struct mock_exporter *exp[NUM_BUFS];
};

/* other drivers may have buffers as well: go to the first of ours */
static struct dma_buf *walk_to(struct dma_buf_walk *walk, struct dma_buf *wanted)
{
	struct dma_buf *buf;

	do {
		buf = dma_buf_walk_next(walk);
	} while (buf && buf != wanted);

	return buf;
}

static bool walk_finds(struct dma_buf *wanted)
{
	struct dma_buf_walk walk;
	bool found;

	dma_buf_walk_begin(&walk);
	found = walk_to(&walk, wanted);
	dma_buf_walk_end(&walk);

	return found;
}

static void put(struct mock_exporter *exp)
{
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(exp->test, mock_exporter_wait_released(exp));
}

static void dma_buf_walk_finds_each_once(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	unsigned int found[NUM_BUFS] = {};
	struct dma_buf_walk walk;
	struct dma_buf *buf;

	dma_buf_walk_begin(&walk);
	while ((buf = dma_buf_walk_next(&walk)))
		for (int i = 0; i < NUM_BUFS; i++)
			found[i] += buf == wc->exp[i]->buf;
	dma_buf_walk_end(&walk);
	for (int i = 0; i < NUM_BUFS; i++)
		KUNIT_EXPECT_EQ(test, found[i], 1);
}

static void dma_buf_walk_newest_first(struct kunit *test)
{
	unsigned long last = ULONG_MAX;
	unsigned int visited = 0;
	struct dma_buf_walk walk;
	struct dma_buf *buf;

	dma_buf_walk_begin(&walk);
	while ((buf = dma_buf_walk_next(&walk))) {
		KUNIT_EXPECT_LT(test, mock_ino(buf), last);
		last = mock_ino(buf);
		visited++;
	}
	dma_buf_walk_end(&walk);
	KUNIT_EXPECT_GE(test, visited, NUM_BUFS);
}

static void dma_buf_walk_end_is_stable(struct kunit *test)
{
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	while (dma_buf_walk_next(&walk))
		;
	KUNIT_EXPECT_NULL(test, dma_buf_walk_next(&walk));
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_finds_new(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, walk_finds(mock_buf_create(test)));
}

static void dma_buf_walk_skips_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf *gone = wc->exp[2]->buf;

	put(wc->exp[2]);
	KUNIT_EXPECT_FALSE(test, walk_finds(gone));
	KUNIT_EXPECT_TRUE(test, walk_finds(wc->exp[1]->buf));
	KUNIT_EXPECT_TRUE(test, walk_finds(wc->exp[3]->buf));
}

/* the last reference is gone, but the file has not been released yet */
static void dma_buf_walk_skips_dying(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf *buf, *dying = wc->exp[2]->buf;
	unsigned int visited = 0;
	struct dma_buf_walk walk;

	mock_exporter_put(wc->exp[2]);
	dma_buf_walk_begin(&walk);
	while ((buf = dma_buf_walk_next(&walk))) {
		KUNIT_EXPECT_PTR_NE(test, buf, dying);
		visited++;
	}
	dma_buf_walk_end(&walk);
	KUNIT_EXPECT_GE(test, visited, NUM_BUFS - 1);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(wc->exp[2]));
}

static void dma_buf_walk_holds_reference(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf *buf = wc->exp[2]->buf;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_PTR_EQ(test, walk_to(&walk, buf), buf);
	mock_exporter_put(wc->exp[2]);
	flush_delayed_fput();
	msleep(20);
	mock_expect_trace(wc->exp[2], "");
	KUNIT_EXPECT_EQ(test, buf->size, MOCK_EXPORTER_SIZE);
	dma_buf_walk_end(&walk);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(wc->exp[2]));
}

static void dma_buf_walk_drops_reference_by_step(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[2]->buf));
	dma_buf_walk_next(&walk);
	test_expect_refs(test, wc->exp[2]->buf->file, 1);
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_leaves_no_reference(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	while (dma_buf_walk_next(&walk))
		;
	dma_buf_walk_end(&walk);
	for (int i = 0; i < NUM_BUFS; i++)
		test_expect_refs(test, wc->exp[i]->buf->file, 1);
}

static void dma_buf_walk_ended_early_leaves_no_reference(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	dma_buf_walk_end(&walk);
	dma_buf_walk_begin(&walk);
	dma_buf_walk_next(&walk);
	dma_buf_walk_end(&walk);
	for (int i = 0; i < NUM_BUFS; i++)
		test_expect_refs(test, wc->exp[i]->buf->file, 1);
}

/* A walk never holds more than one buffer, so not even the next one. */
static void dma_buf_walk_holds_current_only(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	for (int i = 0; i < NUM_BUFS; i++)
		KUNIT_EXPECT_EQ(test, file_count(wc->exp[i]->buf->file), 1);
	for (int i = NUM_BUFS - 1; i >= 0; i--) {
		KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[i]->buf));
		for (int j = 0; j < NUM_BUFS; j++)
			KUNIT_EXPECT_EQ(test, file_count(wc->exp[j]->buf->file), 1 + (i == j));
	}
	dma_buf_walk_end(&walk);
}

/* the memory is back at once, although a walk is at another buffer */
static void dma_buf_walk_lets_others_go(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[2]->buf));
	for (int i = 0; i < NUM_BUFS; i++)
		if (i != 2)
			put(wc->exp[i]);
	mock_expect_trace(wc->exp[2], "");
	dma_buf_walk_end(&walk);
}

/* not when the task returns to user space, nor in a worker */
static void dma_buf_walk_releases_by_step(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[3]->buf));
	mock_exporter_put(wc->exp[3]);
	flush_delayed_fput();
	mock_expect_trace(wc->exp[3], "");
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[2]->buf);
	mock_expect_trace(wc->exp[3], "release");
	mock_exporter_put(wc->exp[2]);
	flush_delayed_fput();
	dma_buf_walk_end(&walk);
	mock_expect_trace(wc->exp[2], "release");
}

/* the body of a walk may sleep, lock the buffer, export and release */
static void dma_buf_walk_holds_no_lock(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;
	struct dma_buf *buf;

	dma_buf_walk_begin(&walk);
	buf = walk_to(&walk, wc->exp[2]->buf);
	KUNIT_EXPECT_PTR_EQ(test, buf, wc->exp[2]->buf);
	if (buf) {
		might_sleep();
		KUNIT_EXPECT_FALSE(test, rcu_preempt_depth());
		KUNIT_EXPECT_EQ(test, lockdep_depth(current), 0);
		dma_resv_lock(buf->resv, NULL);
		dma_resv_unlock(buf->resv);
	}
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_current_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[3]->buf));
	mock_exporter_put(wc->exp[3]);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[2]->buf);
	dma_buf_walk_end(&walk);
}

/* one that is still to come goes: it may be seen or not, the others are */
static void dma_buf_walk_next_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[3]->buf));
	mock_exporter_put(wc->exp[2]);
	flush_delayed_fput();
	KUNIT_EXPECT_PTR_EQ(test, walk_to(&walk, wc->exp[1]->buf), wc->exp[1]->buf);
	dma_buf_walk_end(&walk);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(wc->exp[2]));
}

/* the place is found again although all that was near it has gone */
static void dma_buf_walk_neighbours_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[3]->buf));
	put(wc->exp[4]);
	put(wc->exp[2]);
	put(wc->exp[1]);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[0]->buf);
	dma_buf_walk_end(&walk);
}

/* two walks at the same place move on together */
static void dma_buf_walk_next_of_two_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk one, two;

	dma_buf_walk_begin(&one);
	dma_buf_walk_begin(&two);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&one, wc->exp[3]->buf));
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&two, wc->exp[3]->buf));
	put(wc->exp[2]);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&one), wc->exp[1]->buf);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&two), wc->exp[1]->buf);
	dma_buf_walk_end(&one);
	dma_buf_walk_end(&two);
}

static void dma_buf_walk_all_older_released(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;
	struct dma_buf *buf;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[4]->buf));
	for (int i = 0; i < 4; i++)
		mock_exporter_put(wc->exp[i]);
	flush_delayed_fput();
	while ((buf = dma_buf_walk_next(&walk)))
		KUNIT_EXPECT_EQ(test, buf->size, MOCK_EXPORTER_SIZE);
	dma_buf_walk_end(&walk);
	for (int i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(wc->exp[i]));
}

static void dma_buf_walk_new_one_meanwhile(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin(&walk);
	KUNIT_ASSERT_NOT_NULL(test, walk_to(&walk, wc->exp[3]->buf));
	mock_buf_create(test);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[2]->buf);
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_two_at_once(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk one, two;

	dma_buf_walk_begin(&one);
	dma_buf_walk_begin(&two);
	KUNIT_EXPECT_PTR_EQ(test, walk_to(&one, wc->exp[3]->buf), wc->exp[3]->buf);
	KUNIT_EXPECT_PTR_EQ(test, walk_to(&two, wc->exp[1]->buf), wc->exp[1]->buf);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&one), wc->exp[2]->buf);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&two), wc->exp[0]->buf);
	dma_buf_walk_end(&two);
	dma_buf_walk_end(&one);
}

/* those that have been seen before are not visited */
static void dma_buf_walk_new_leaves_others_alone(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	dma_buf_walk_begin_new(&walk, mock_ino(wc->exp[2]->buf));
	KUNIT_EXPECT_PTR_EQ(test, walk_to(&walk, wc->exp[4]->buf), wc->exp[4]->buf);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[3]->buf);
	for (int i = 0; i <= 2; i++)
		KUNIT_EXPECT_EQ(test, file_count(wc->exp[i]->buf->file), 1);
	KUNIT_EXPECT_NULL(test, dma_buf_walk_next(&walk));
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_old_begins_there(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	struct dma_buf_walk walk;

	for (int i = 0; i < NUM_BUFS; i++) {
		dma_buf_walk_begin_old(&walk, mock_ino(wc->exp[i]->buf));
		KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[i]->buf);
		for (int j = i + 1; j < NUM_BUFS; j++)
			KUNIT_EXPECT_EQ(test, file_count(wc->exp[j]->buf->file), 1);
		dma_buf_walk_end(&walk);
	}
}

/* not with the next newer one, which has been visited */
static void dma_buf_walk_old_that_is_gone(struct kunit *test)
{
	struct walk_case *wc = test->priv;
	unsigned long ino = mock_ino(wc->exp[3]->buf);
	struct dma_buf_walk walk;

	put(wc->exp[3]);
	dma_buf_walk_begin_old(&walk, ino);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_walk_next(&walk), wc->exp[2]->buf);
	dma_buf_walk_end(&walk);
}

static void dma_buf_walk_old_of_none(struct kunit *test)
{
	struct dma_buf_walk walk;

	dma_buf_walk_begin_old(&walk, 0);
	KUNIT_EXPECT_NULL(test, dma_buf_walk_next(&walk));
	dma_buf_walk_end(&walk);
}

/* Many buffers */

#define FEW	1000
#define MANY	10000

static struct sg_table *no_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void no_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction dir)
{
}

static void no_memory(struct dma_buf *buf)
{
}

static const struct dma_buf_ops small_ops = {
	.map_dma_buf = no_map,
	.unmap_dma_buf = no_unmap,
	.release = no_memory,
};

/**
 * struct crowd - many buffers
 * @count: number of buffers
 * @bufs: the buffers
 */
struct crowd {
	unsigned int count;
	struct dma_buf *bufs[MANY];
};

static void crowd_put(void *data)
{
	struct crowd *crowd = data;

	while (crowd->count)
		dma_buf_put(crowd->bufs[--crowd->count]);
	flush_delayed_fput();
	kvfree(crowd);
}

static struct crowd *crowd_create(struct kunit *test)
{
	struct crowd *crowd = kvzalloc(sizeof(*crowd), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, crowd_put, crowd));
	return crowd;
}

static void crowd_grow(struct kunit *test, struct crowd *crowd, unsigned int count)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &small_ops;
	info.priv = crowd;
	info.size = PAGE_SIZE;
	while (crowd->count < count) {
		struct dma_buf *buf = dma_buf_export(&info);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
		crowd->bufs[crowd->count++] = buf;
	}
}

/* the best of several, as others want the CPU as well */
static u64 walk_ns(struct kunit *test, unsigned int at_least)
{
	u64 best = U64_MAX;

	for (int i = 0; i < 5; i++) {
		u64 start = ktime_get_ns();
		struct dma_buf_walk walk;
		unsigned int count = 0;

		dma_buf_walk_begin(&walk);
		while (dma_buf_walk_next(&walk))
			count++;
		dma_buf_walk_end(&walk);
		best = min(best, ktime_get_ns() - start);
		KUNIT_EXPECT_GE(test, count, at_least);
		cond_resched();
	}

	return best;
}

/*
 * Ten times the buffers take ten times the time, and more as they do not fit into the
 * caches any more. A square would be more than a hundred, for the same reason.
 */
static void dma_buf_walk_is_linear(struct kunit *test)
{
	struct crowd *crowd = crowd_create(test);
	u64 few, many;

	crowd_grow(test, crowd, FEW);
	few = walk_ns(test, FEW);
	crowd_grow(test, crowd, MANY);
	many = walk_ns(test, MANY);
	kunit_info(test, "%u buffers: %llu us, %u buffers: %llu us", FEW,
		   div_u64(few, 1000), MANY, div_u64(many, 1000));
	KUNIT_EXPECT_LT(test, many, 60 * few);
}

static int dma_buf_walk_init(struct kunit *test)
{
	struct walk_case *wc = kunit_kzalloc(test, sizeof(*wc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, wc);
	test->priv = wc;
	for (int i = 0; i < NUM_BUFS; i++) {
		/* the CPU may decide where a buffer is kept */
		unsigned int cpu = cpumask_nth(i % num_online_cpus(), cpu_online_mask);

		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		wc->exp[i] = mock_exporter_create(test);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(wc->exp[i]));
	}

	return 0;
}

static struct kunit_case dma_buf_walk_cases[] = {
	KUNIT_CASE(dma_buf_walk_finds_each_once),
	KUNIT_CASE(dma_buf_walk_newest_first),
	KUNIT_CASE(dma_buf_walk_end_is_stable),
	KUNIT_CASE(dma_buf_walk_finds_new),
	KUNIT_CASE(dma_buf_walk_skips_released),
	KUNIT_CASE(dma_buf_walk_skips_dying),
	KUNIT_CASE(dma_buf_walk_holds_reference),
	KUNIT_CASE(dma_buf_walk_holds_current_only),
	KUNIT_CASE(dma_buf_walk_lets_others_go),
	KUNIT_CASE(dma_buf_walk_releases_by_step),
	KUNIT_CASE(dma_buf_walk_drops_reference_by_step),
	KUNIT_CASE(dma_buf_walk_leaves_no_reference),
	KUNIT_CASE(dma_buf_walk_ended_early_leaves_no_reference),
	KUNIT_CASE(dma_buf_walk_holds_no_lock),
	KUNIT_CASE(dma_buf_walk_current_released),
	KUNIT_CASE(dma_buf_walk_next_released),
	KUNIT_CASE(dma_buf_walk_neighbours_released),
	KUNIT_CASE(dma_buf_walk_next_of_two_released),
	KUNIT_CASE(dma_buf_walk_all_older_released),
	KUNIT_CASE(dma_buf_walk_new_one_meanwhile),
	KUNIT_CASE(dma_buf_walk_two_at_once),
	KUNIT_CASE(dma_buf_walk_new_leaves_others_alone),
	KUNIT_CASE(dma_buf_walk_old_begins_there),
	KUNIT_CASE(dma_buf_walk_old_that_is_gone),
	KUNIT_CASE(dma_buf_walk_old_of_none),
	KUNIT_CASE(dma_buf_walk_is_linear),
	{}
};

static struct kunit_suite dma_buf_walk_suite = {
	.name = "dma_buf_walk",
	.init = dma_buf_walk_init,
	.test_cases = dma_buf_walk_cases,
};

kunit_test_suite(dma_buf_walk_suite);

MODULE_DESCRIPTION("KUnit tests for the walk over all live buffers");
MODULE_LICENSE("GPL");
