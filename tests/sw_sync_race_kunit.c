// SPDX-License-Identifier: GPL-2.0
/*
 * Software timelines that are advanced and closed on one CPU, while fences of them
 * come and go on another one. Skipped on machines with one CPU.
 */

#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "mock_fence.h"
#include "race.h"
#include "test_util.h"

/* As sw_sync.c has it. */
struct create_fence {
	__u32 value;
	char name[32];
	__s32 fd;
};

#define CREATE_FENCE	_IOWR('W', 0, struct create_fence)
#define ADVANCE		_IOW('W', 1, __u32)

/* With that many to signal first, a side has the lock while the other one puts. */
#define NUM_BEFORE	7

/**
 * struct timeline_race - what the sides share
 * @debugfs: mount of it
 * @mm: where user memory is
 * @user: user memory, half a page a side
 * @file: a timeline
 * @value: how far it has come
 * @next: how far it comes in this round
 * @fence: a fence of it, for @next
 * @before: fences that are due before that one; those that are not used are NULL
 * @other: one that a side has made
 * @status: status of a fence when a side was through with it
 * @failed: a call has failed
 * @ways: rounds that have gone in one way, and in the other
 */
struct timeline_race {
	struct vfsmount *debugfs;
	struct mm_struct *mm;
	void __user *user;
	struct file *file;
	u32 value;
	u32 next;
	struct dma_fence *fence;
	struct dma_fence *before[NUM_BEFORE];
	struct dma_fence *other;
	int status;
	bool failed;
	unsigned int ways[2];
};

static long timeline_ioctl(struct timeline_race *race, unsigned int cmd, void __user *arg)
{
	return race->file->f_op->unlocked_ioctl(race->file, cmd, (unsigned long)arg);
}

/* The descriptor and the sync file go, the fence stays. */
static struct dma_fence *timeline_fence(struct timeline_race *race, u32 value, void __user *user)
{
	struct create_fence create = { .value = value };
	struct dma_fence *fence;

	if (copy_to_user(user, &create, sizeof(create)) ||
	    timeline_ioctl(race, CREATE_FENCE, user) ||
	    copy_from_user(&create, user, sizeof(create))) {
		WRITE_ONCE(race->failed, true);
		return NULL;
	}
	fence = sync_file_get_fence(create.fd);
	__fput_sync(file_close_fd(create.fd));
	return fence;
}

static bool timeline_prepare(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	race->next = race->value + 1;
	race->fence = timeline_fence(race, race->next, race->user);
	race->other = NULL;
	KUNIT_EXPECT_FALSE(test, race->failed);
	return race->fence;
}

static bool timeline_prepare_many(struct kunit *test, void *data)
{
	struct timeline_race *race = data;
	unsigned int i;

	for (i = 0; i < NUM_BEFORE; i++)
		race->before[i] = timeline_fence(race, race->value + 1 + i, race->user);
	race->next = race->value + 1 + NUM_BEFORE;
	race->fence = timeline_fence(race, race->next, race->user);
	KUNIT_EXPECT_FALSE(test, race->failed);
	return !race->failed;
}

static bool timeline_prepare_new(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	race->value = 0;
	race->file = test_open(race->debugfs, "sync/sw_sync");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race->file);
	return timeline_prepare_many(test, data);
}

static void advance_here(void *data)
{
	struct timeline_race *race = data;
	const u32 step = race->next - race->value;

	if (copy_to_user(race->user, &step, sizeof(step)) ||
	    timeline_ioctl(race, ADVANCE, race->user))
		WRITE_ONCE(race->failed, true);
	race->value = race->next;
}

static void create_here(void *data)
{
	struct timeline_race *race = data;

	race->other = timeline_fence(race, race->next, race->user);
}

static void close_here(void *data)
{
	struct timeline_race *race = data;

	__fput_sync(race->file);
}

/* Without asking the timeline, which would signal. */
static int timeline_fence_status(struct dma_fence *fence)
{
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return 0;
	return fence->error ?: 1;
}

/* The last one first: it may be waiting to go when its turn to signal comes. */
static void put_there(void *data)
{
	struct timeline_race *race = data;
	unsigned int i;

	race->status = timeline_fence_status(race->fence);
	dma_fence_put(race->fence);
	for (i = NUM_BEFORE; i--;)
		dma_fence_put(race->before[i]);
}

/* A thread of the kernel needs the memory of the other side. */
static void create_there(void *data)
{
	struct timeline_race *race = data;

	kthread_use_mm(race->mm);
	race->other = timeline_fence(race, race->next, race->user + PAGE_SIZE / 2);
	kthread_unuse_mm(race->mm);
}

static bool timeline_check(struct kunit *test, struct timeline_race *race, int way)
{
	KUNIT_EXPECT_FALSE(test, race->failed);
	race->ways[way]++;
	return !race->failed;
}

/* Had it signalled when it went? */
static bool check_advanced(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	return timeline_check(test, race, race->status);
}

static const struct race advance_against_put = {
	timeline_prepare_many, advance_here, put_there, check_advanced,
};

/* Was the old fence still there to be used again? The new one is pending in any case. */
static bool check_created(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	KUNIT_ASSERT_NOT_NULL(test, race->other);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(race->other), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(race->other), 1);
	advance_here(race);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(race->other), 1);
	dma_fence_put(race->other);
	return timeline_check(test, race, race->other == race->fence);
}

static const struct race create_against_put = {
	timeline_prepare, create_here, put_there, check_created,
};

static bool timeline_prepare_value(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	race->next = race->value + 1;
	race->other = NULL;
	return true;
}

/* Whichever is first: the fence has signalled. */
static bool check_signalled(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	KUNIT_ASSERT_NOT_NULL(test, race->other);
	KUNIT_EXPECT_EQ(test, timeline_fence_status(race->other), 1);
	dma_fence_put(race->other);
	return timeline_check(test, race, 0);
}

static const struct race advance_against_create = {
	timeline_prepare_value, advance_here, create_there, check_signalled,
};

/* Had it failed when it went? */
static bool check_closed(struct kunit *test, void *data)
{
	struct timeline_race *race = data;

	KUNIT_EXPECT_TRUE(test, !race->status || race->status == -ENOENT);
	return timeline_check(test, race, !race->status);
}

static const struct race close_against_put = {
	timeline_prepare_new, close_here, put_there, check_closed,
};

static struct timeline_race *timeline_race_create(struct kunit *test)
{
	struct timeline_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->debugfs = test_mount(test, "debugfs");
	race->user = test_user_page(test);
	race->mm = current->mm;
	return race;
}

KUNIT_DEFINE_ACTION_WRAPPER(close_timeline, __fput_sync, struct file *);

static struct timeline_race *timeline_race_open(struct kunit *test)
{
	struct timeline_race *race = timeline_race_create(test);

	race->file = test_open(race->debugfs, "sync/sw_sync");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race->file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_timeline, race->file));
	return race;
}

static void fence_goes_while_it_signals(struct kunit *test)
{
	struct timeline_race *race = timeline_race_open(test);

	race_run_both(test, &advance_against_put, race, race->ways);
}

static void fence_goes_while_it_is_found(struct kunit *test)
{
	struct timeline_race *race = timeline_race_open(test);

	race_run_both(test, &create_against_put, race, race->ways);
}

static void fence_comes_while_it_signals(struct kunit *test)
{
	race_run(test, &advance_against_create, timeline_race_open(test));
}

static void fence_goes_with_the_timeline(struct kunit *test)
{
	struct timeline_race *race = timeline_race_create(test);

	race_run_both(test, &close_against_put, race, race->ways);
}

static struct kunit_case sw_sync_race_cases[] = {
	KUNIT_CASE(fence_goes_while_it_signals),
	KUNIT_CASE(fence_goes_while_it_is_found),
	KUNIT_CASE(fence_comes_while_it_signals),
	KUNIT_CASE(fence_goes_with_the_timeline),
	{}
};

static struct kunit_suite sw_sync_race_suite = {
	.name = "sw_sync_race",
	.test_cases = sw_sync_race_cases,
};

kunit_test_suite(sw_sync_race_suite);

MODULE_DESCRIPTION("KUnit tests for software timelines on two CPUs");
MODULE_LICENSE("GPL");
