// SPDX-License-Identifier: GPL-2.0
/*
 * SYNC_IOC_MERGE: one file for what several are waiting for
 */
#include "common.h"

/* Longer than a test may run: a lost wake-up fails it. */
#define FOREVER_MS	60000

FIXTURE(merge)
{
	int timeline[2];
	int fence[2];
	int before;	/* file descriptors taken */
};

FIXTURE_SETUP(merge)
{
	if (!setup_two_fences(_metadata, self->timeline, self->fence))
		return;
	self->before = taken_fds();
}

FIXTURE_TEARDOWN(merge)
{
}

/* ---------------------------------------------------------------- arguments */

/* Numbers 0 to 2 had other layouts once, and are never used again. */
TEST_F(merge, refuses_unknown_commands)
{
	struct sync_merge_data data = { .fd2 = self->fence[1] };
	const unsigned long unknown[] = {
		_IOWR('>', 0, struct sync_merge_data),
		_IOW('>', 0, __s32),
		_IOWR('>', 1, struct sync_merge_data),
		_IOWR('>', 2, struct sync_merge_data),
		_IO('>', 3),
		_IOW('>', 3, struct sync_merge_data),
		_IOR('>', 3, struct sync_merge_data),
		_IOWR('>', 3, __u32),
		_IOWR('>', 6, struct sync_merge_data),
		_IOWR('<', 3, struct sync_merge_data),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->fence[0], unknown[i], &data))
			TH_LOG("command %zu", i);
	}
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(merge, refuses_bad_pointer)
{
	char *page = page_before_hole(_metadata);

	EXPECT_EQ(-EFAULT, do_ioctl(self->fence[0], SYNC_IOC_MERGE, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fence[0], SYNC_IOC_MERGE,
				    page + page_size() - 4));
	EXPECT_EQ(self->before, taken_fds());
}

/* ------------------------------------------------------------- what comes out */

TEST_F(merge, result_closes_on_exec)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);

	ASSERT_LE(0, merged);
	EXPECT_EQ(FD_CLOEXEC, fcntl(merged, F_GETFD));
	EXPECT_EQ(self->before + 1, taken_fds());
}

TEST_F(merge, pending_until_all_have_signalled)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);

	ASSERT_LE(0, merged);
	EXPECT_EQ(2, sync_file_count(merged));
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(0, sync_file_status(merged));
	EXPECT_EQ(0, poll_for(merged, POLLIN, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(1, sync_file_status(merged));
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, 0));
}

/* One that comes later is the error of the whole. */
TEST_F(merge, later_error_shows)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);

	ASSERT_LE(0, merged);
	ASSERT_EQ(0, poll_for(merged, POLLIN, 0));
	close(self->timeline[0]);
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, FOREVER_MS));
	EXPECT_EQ(-ENOENT, sync_file_status(merged));
}

/* ---------------------------------------------------------------------- names */

TEST_F(merge, keeps_the_given_name)
{
	int merged = sync_file_merge_as(self->fence[0], self->fence[1], "frame 12");
	char name[32];

	ASSERT_LE(0, merged);
	ASSERT_NE(NULL, sync_file_name(merged, name));
	EXPECT_STREQ("frame 12", name);
}

/* Without a name the file is called after its fence, as ever. */
TEST_F(merge, empty_name_stands_for_that_of_the_fence)
{
	unsigned long long context, plain;
	char name[32];
	int merged;

	ASSERT_NE(NULL, sync_file_name(self->fence[0], name));
	ASSERT_EQ(1, sscanf(name, "sw_sync-first%llu-1", &plain));
	merged = sync_file_merge_as(self->fence[0], self->fence[0], "");
	ASSERT_LE(0, merged);
	ASSERT_NE(NULL, sync_file_name(merged, name));
	EXPECT_EQ(1, sscanf(name, "sw_sync-first%llu-1", &context));
	EXPECT_EQ(plain, context);
	close(merged);
	merged = sync_file_merge_as(self->fence[0], self->fence[1], "");
	ASSERT_LE(0, merged);
	ASSERT_NE(NULL, sync_file_name(merged, name));
	EXPECT_EQ(1, sscanf(name, "dma_fence_array-unbound%llu-1", &context));
	EXPECT_LT(plain, context);
	close(merged);
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	merged = sync_file_merge_as(self->fence[0], self->fence[0], "");
	ASSERT_LE(0, merged);
	ASSERT_NE(NULL, sync_file_name(merged, name));
	EXPECT_STREQ("stub-stub0-0", name);
}

/* ---------------------------------------------------------------- many of them */

#define MANY	4096

/* Merges neighbours until one is left, and closes what went in. */
static int merge_tree(struct __test_metadata *_metadata, int *fences, int count)
{
	int i, merged;

	for (; count > 1; count = (count + 1) / 2) {
		for (i = 0; i + 1 < count; i += 2) {
			merged = sync_file_merge(fences[i], fences[i + 1]);
			ASSERT_LE(0, merged);
			close(fences[i]);
			close(fences[i + 1]);
			fences[i / 2] = merged;
		}
		if (count & 1)
			fences[count / 2] = fences[count - 1];
	}
	return fences[0];
}

static int pending_in(const struct sync_fence_info *infos, int count)
{
	int i, pending = 0;

	for (i = 0; i < count; i++)
		pending += infos[i].status == 0;
	return pending;
}

FIXTURE(many)
{
	int fences[MANY];
};

FIXTURE_SETUP(many)
{
	struct rlimit limit = { 3 * MANY, 3 * MANY };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		SKIP(return, "cannot have %d files open", 3 * MANY);
}

FIXTURE_TEARDOWN(many)
{
}

/* Long enough for an emulated CPU with KCSAN. */
TEST_F_TIMEOUT(many, thousands_of_timelines, 600)
{
	static struct sync_fence_info infos[MANY];
	static int timelines[MANY];
	int *fences = self->fences;
	int i, merged, again;

	for (i = 0; i < MANY; i++) {
		timelines[i] = setup_timeline(_metadata);
		if (timelines[i] < 0)
			return;
		fences[i] = timeline_fence(timelines[i], 1);
		ASSERT_LE(0, fences[i]);
	}
	merged = merge_tree(_metadata, fences, MANY);
	ASSERT_EQ(MANY, sync_file_fences(merged, infos, MANY));
	EXPECT_EQ(MANY, pending_in(infos, MANY));

	/* All of its members come twice now. */
	again = sync_file_merge(merged, merged);
	ASSERT_LE(0, again);
	EXPECT_EQ(MANY, sync_file_count(again));

	ASSERT_EQ(0, poll_for(merged, POLLIN, 0));
	for (i = 0; i < MANY; i++) {
		if (i == MANY / 2) {
			close(again);
			again = sync_file_merge(merged, merged);
			EXPECT_EQ(MANY / 2, sync_file_count(again));
		}
		ASSERT_EQ(0, sync_file_status(merged));
		ASSERT_EQ(0, timeline_advance(timelines[i * 1021 % MANY], 1));
	}
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, FOREVER_MS));
	EXPECT_EQ(POLLIN, poll_for(again, POLLIN, FOREVER_MS));
	ASSERT_EQ(MANY, sync_file_fences(merged, infos, MANY));
	EXPECT_EQ(0, pending_in(infos, MANY));
}

/* However many points of one timeline there are, the last is what counts. */
TEST_F(many, thousands_of_points)
{
	int *fences = self->fences;
	int i, timeline, merged;

	timeline = setup_timeline(_metadata);
	if (timeline < 0)
		return;
	for (i = 0; i < MANY; i++) {
		fences[i] = timeline_fence(timeline, 1 + i * 1021 % MANY);
		ASSERT_LE(0, fences[i]);
	}
	merged = merge_tree(_metadata, fences, MANY);
	EXPECT_EQ(1, sync_file_count(merged));
	ASSERT_EQ(0, timeline_advance(timeline, MANY - 1));
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(timeline, 1));
	EXPECT_EQ(1, sync_file_status(merged));
}

/* ---------------------------------------------- races, failing allocations */

/*
 * Somebody signals while others merge: the result may hold both, one or none of
 * the fences, but it is over when they are.
 */
TEST_F_TIMEOUT(merge, signal_races_with_merge, 300)
{
	int round, merged, count;

	for (round = 1; round <= 200; round++) {
		struct signaller signallers[2];
		int fences[2], i;

		for (i = 0; i < 2; i++) {
			fences[i] = timeline_fence(self->timeline[i], round);
			ASSERT_LE(0, fences[i]);
			signaller_start(_metadata, &signallers[i],
					self->timeline[i], 0);
		}
		if (round & 1)
			sched_yield();
		merged = sync_file_merge(fences[0], fences[1]);
		ASSERT_LE(0, merged);
		count = sync_file_count(merged);
		EXPECT_TRUE(count == 1 || count == 2);
		ASSERT_EQ(POLLIN, poll_for(merged, POLLIN, FOREVER_MS));
		for (i = 0; i < 2; i++) {
			if (count == 2)
				EXPECT_EQ(1, sync_file_status(fences[i]));
			signaller_join(&signallers[i]);
			close(fences[i]);
		}
		close(merged);
	}
}

TEST_F(merge, failed_merge_leaves_no_descriptor)
{
	struct fail_nth fail;
	int both, merged, third, fence, refused = 0;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	third = setup_timeline(_metadata);
	fence = timeline_fence(third, 1);
	both = sync_file_merge(self->fence[0], self->fence[1]);
	ASSERT_LE(0, both);
	self->before = taken_fds();
	do {
		fail_nth_arm(_metadata, &fail);
		merged = sync_file_merge(both, fence);
		failed = fail_nth_disarm(_metadata, &fail);
		if (merged < 0) {
			EXPECT_TRUE(fail_nth_refused(merged));
			EXPECT_EQ(self->before, taken_fds());
			refused++;
		} else {
			EXPECT_EQ(3, sync_file_count(merged));
			close(merged);
		}
	} while (failed);
	EXPECT_LE(0, merged);
	/* At least the file and what holds three fences can fail. */
	EXPECT_LE(2, refused);
	EXPECT_EQ(2, sync_file_count(both));
	EXPECT_EQ(0, sync_file_status(both));
}

TEST_HARNESS_MAIN
