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
TEST_F(merge, unknown_commands)
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

/* The file descriptor comes first, whatever else is wrong. */
TEST_F(merge, no_free_fd)
{
	struct sync_merge_data data = { .fd2 = -1, .flags = 1 };
	struct rlimit limit;
	int bad, good;

	fill_fd_table(_metadata, &limit);
	bad = do_ioctl(self->fence[0], SYNC_IOC_MERGE, NULL);
	good = do_ioctl(self->fence[0], SYNC_IOC_MERGE, &data);
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_EQ(-EMFILE, bad);
	EXPECT_EQ(-EMFILE, good);
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(merge, bad_pointer)
{
	char *page = page_before_hole(_metadata);

	EXPECT_EQ(-EFAULT, do_ioctl(self->fence[0], SYNC_IOC_MERGE, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fence[0], SYNC_IOC_MERGE,
				    page + page_size() - 4));
	EXPECT_EQ(self->before, taken_fds());
}

/* Flags and padding are looked at before the second file. */
TEST_F(merge, reserved_fields)
{
	struct sync_merge_data data = { .fd2 = -1, .flags = 1 };

	EXPECT_EQ(-EINVAL, do_ioctl(self->fence[0], SYNC_IOC_MERGE, &data));
	data.flags = 1U << 31;
	EXPECT_EQ(-EINVAL, do_ioctl(self->fence[0], SYNC_IOC_MERGE, &data));
	data.flags = 0;
	data.pad = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->fence[0], SYNC_IOC_MERGE, &data));
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(merge, second_is_no_sync_file)
{
	int memfd = sealed_memfd(page_size());

	ASSERT_LE(0, memfd);
	EXPECT_EQ(-ENOENT, sync_file_merge(self->fence[0], -1));
	EXPECT_EQ(-ENOENT, sync_file_merge(self->fence[0], 1000));
	EXPECT_EQ(-ENOENT, sync_file_merge(self->fence[0], memfd));
	EXPECT_EQ(-ENOENT, sync_file_merge(self->fence[0], self->timeline[0]));
	close(memfd);
	EXPECT_EQ(-ENOENT, sync_file_merge(self->fence[0], memfd));
	EXPECT_EQ(self->before, taken_fds());
}

/* All has been done when the result cannot be told: nothing stays installed. */
TEST_F(merge, result_cannot_be_written)
{
	struct sync_merge_data data = { .fd2 = self->fence[1] };
	void *page = readonly_copy(_metadata, &data, sizeof(data));

	EXPECT_EQ(-EFAULT, do_ioctl(self->fence[0], SYNC_IOC_MERGE, page));
	EXPECT_EQ(self->before, taken_fds());
}

/* ------------------------------------------------------------- what comes out */

/* The fence itself is in the file, nothing around it: the timeline knows it. */
static bool is_plain(int timeline, int sync_file)
{
	__s64 deadline = fence_deadline(timeline, sync_file);

	return deadline >= 0 || deadline == -ENOENT;
}

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

/* Nobody polls here: asking is enough to learn that it is over. */
TEST_F(merge, status_needs_no_poll)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	struct sync_fence_info infos[2];

	ASSERT_LE(0, merged);
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(1, sync_file_status(merged));
	ASSERT_EQ(2, sync_file_fences(merged, infos, 2));
	EXPECT_EQ(1, infos[0].status);
	EXPECT_EQ(1, infos[1].status);
}

/* Of each timeline the latest is kept, whatever the order. */
TEST_F(merge, one_fence_per_timeline)
{
	int later = timeline_fence(self->timeline[0], 7);
	int merged[2], i;

	ASSERT_LE(0, later);
	ASSERT_EQ(0, set_deadline(later, 123));
	merged[0] = sync_file_merge(self->fence[0], later);
	merged[1] = sync_file_merge(later, self->fence[0]);
	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, merged[i]);
		EXPECT_EQ(1, sync_file_count(merged[i]));
		EXPECT_EQ(123, fence_deadline(self->timeline[0], merged[i]));
	}
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 6));
	EXPECT_EQ(0, sync_file_status(merged[0]));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(1, sync_file_status(merged[0]));
	EXPECT_EQ(1, sync_file_status(merged[1]));
}

/* The counter wraps: 2 comes after 0xfffffffe. */
TEST_F(merge, later_across_the_wrap)
{
	int fences[2], merged;

	ASSERT_EQ(0, timeline_advance(self->timeline[0], 0xfffffff0));
	fences[0] = timeline_fence(self->timeline[0], 2);
	fences[1] = timeline_fence(self->timeline[0], 0xfffffffe);
	ASSERT_EQ(0, set_deadline(fences[0], 456));
	merged = sync_file_merge(fences[0], fences[1]);
	ASSERT_LE(0, merged);
	EXPECT_EQ(456, fence_deadline(self->timeline[0], merged));
}

TEST_F(merge, with_itself)
{
	int merged = sync_file_merge(self->fence[0], self->fence[0]);

	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_file_count(merged));
	EXPECT_TRUE(is_plain(self->timeline[0], merged));
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(1, sync_file_status(merged));
}

/* Timelines are numbered as they are made, and fences sorted by that number. */
TEST_F(merge, sorted_by_timeline)
{
	struct sync_fence_info infos[3];
	int fence, third, tail, merged;

	third = named_timeline(_metadata, "third");
	fence = timeline_fence(third, 1);
	tail = sync_file_merge(fence, self->fence[1]);
	merged = sync_file_merge(tail, self->fence[0]);
	ASSERT_LE(0, merged);
	ASSERT_EQ(3, sync_file_fences(merged, infos, 3));
	EXPECT_STREQ("first", infos[0].obj_name);
	EXPECT_STREQ("second", infos[1].obj_name);
	EXPECT_STREQ("third", infos[2].obj_name);
}

TEST_F(merge, signalled_is_left_out)
{
	int merged;

	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	merged = sync_file_merge(self->fence[0], self->fence[1]);
	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_file_count(merged));
	EXPECT_TRUE(is_plain(self->timeline[1], merged));
	EXPECT_EQ(0, sync_file_status(merged));
}

/* A member that has signalled since is left out when its container is merged. */
TEST_F(merge, signalled_member_is_left_out)
{
	int third = setup_timeline(_metadata);
	struct sync_fence_info infos[2];
	int fence, both, merged;

	both = sync_file_merge(self->fence[0], self->fence[1]);
	fence = timeline_fence(third, 1);
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	merged = sync_file_merge(both, fence);
	ASSERT_LE(0, merged);
	ASSERT_EQ(2, sync_file_fences(merged, infos, 2));
	EXPECT_STREQ("second", infos[0].obj_name);
}

/* Nothing left to wait for: a stub, with the time when the last one signalled. */
TEST_F(merge, all_signalled)
{
	struct sync_fence_info last = { }, stub = { };
	int merged[2], i;

	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	sleep_ms(2);
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	ASSERT_EQ(1, sync_file_fences(self->fence[1], &last, 1));
	merged[0] = sync_file_merge(self->fence[0], self->fence[1]);
	merged[1] = sync_file_merge(self->fence[1], self->fence[0]);
	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, merged[i]);
		EXPECT_EQ(POLLIN, poll_for(merged[i], POLLIN, 0));
		EXPECT_EQ(1, sync_file_status(merged[i]));
		ASSERT_EQ(1, sync_file_fences(merged[i], &stub, 1));
		EXPECT_STREQ("stub", stub.driver_name);
		EXPECT_EQ(last.timestamp_ns, stub.timestamp_ns);
		close(merged[i]);
	}
}

/* An error which is known already is for those who hold that file. */
TEST_F(merge, past_errors_are_left_out)
{
	int merged;

	close(self->timeline[0]);
	ASSERT_EQ(-ENOENT, sync_file_status(self->fence[0]));
	merged = sync_file_merge(self->fence[0], self->fence[0]);
	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_file_status(merged));
	close(merged);
	merged = sync_file_merge(self->fence[0], self->fence[1]);
	ASSERT_LE(0, merged);
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(1, sync_file_status(merged));
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

TEST_F(merge, inputs_are_left_alone)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	int i;

	ASSERT_LE(0, merged);
	close(merged);
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(is_plain(self->timeline[i], self->fence[i]));
		EXPECT_EQ(0, sync_file_status(self->fence[i]));
		ASSERT_EQ(0, timeline_advance(self->timeline[i], 1));
		EXPECT_EQ(1, sync_file_status(self->fence[i]));
	}
}

TEST_F(merge, result_outlives_inputs)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	int i;

	ASSERT_LE(0, merged);
	for (i = 0; i < 2; i++) {
		close(self->fence[i]);
	}
	EXPECT_EQ(2, sync_file_count(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(0, sync_file_status(merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(1, sync_file_status(merged));
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

TEST_F(merge, long_name_is_cut)
{
	struct sync_merge_data data = { .fd2 = self->fence[1] };
	char name[32];

	memset(data.name, 'x', sizeof(data.name));
	ASSERT_EQ(0, do_ioctl(self->fence[0], SYNC_IOC_MERGE, &data));
	ASSERT_NE(NULL, sync_file_name(data.fence, name));
	EXPECT_EQ(31, strnlen(name, sizeof(name)));
	EXPECT_EQ(31, strspn(name, "x"));
}

/* Without a name the file is called after its fence, as ever. */
TEST_F(merge, empty_name)
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
TEST_F_TIMEOUT(many, thousands_of_timelines, 240)
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
TEST_F(merge, signal_races_with_merge)
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

TEST_F(merge, failing_allocations)
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
			EXPECT_EQ(-ENOMEM, merged);
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
