// SPDX-License-Identifier: GPL-2.0
/*
 * SYNC_IOC_FILE_INFO and SYNC_IOC_SET_DEADLINE: what a sync_file tells, and is told
 */
#include "common.h"

FIXTURE(info)
{
	int timeline[2];
	int fence[2];
	int both;
};

FIXTURE_SETUP(info)
{
	if (!setup_two_fences(_metadata, self->timeline, self->fence))
		return;
	self->both = sync_file_merge_as(self->fence[0], self->fence[1], "both");
	ASSERT_LE(0, self->both);
}

FIXTURE_TEARDOWN(info)
{
}

static int file_info(int sync_file, struct sync_file_info *info)
{
	return do_ioctl(sync_file, SYNC_IOC_FILE_INFO, info);
}

/* The status of the whole as it follows from that of its members. */
static int members_status(int sync_file, __u32 max)
{
	struct sync_fence_info infos[8];
	struct sync_file_info info = {
		.num_fences = max,
		.sync_fence_info = (uintptr_t)infos,
	};
	int ret = file_info(sync_file, &info);

	return ret ? ret : info.status;
}

/* ---------------------------------------------------------------- arguments */

TEST_F(info, refuses_bad_pointer)
{
	char *page = page_before_hole(_metadata);

	EXPECT_EQ(-EFAULT, file_info(self->both, NULL));
	EXPECT_EQ(-EFAULT, file_info(self->both, (void *)(page + page_size() - 4)));
}

TEST_F(info, refuses_reserved_fields)
{
	struct sync_fence_info infos[2];
	struct sync_file_info info = { .flags = 1 };
	int i;

	for (i = 0; i < 2; i++) {
		info.flags = 1;
		info.pad = 0;
		EXPECT_EQ(-EINVAL, file_info(self->both, &info));
		info.flags = 0;
		info.pad = 1;
		EXPECT_EQ(-EINVAL, file_info(self->both, &info));
		info.num_fences = 2;
		info.sync_fence_info = (uintptr_t)infos;
	}
}

/* Less room than fences is an error that writes nothing at all. */
TEST_F(info, refuses_too_little_room)
{
	struct sync_fence_info infos[2];
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)infos,
	};
	struct sync_file_info before = info;
	struct sync_fence_info untouched[2];

	memset(infos, 0x5a, sizeof(infos));
	memset(untouched, 0x5a, sizeof(untouched));
	EXPECT_EQ(-EINVAL, file_info(self->both, &info));
	EXPECT_EQ(0, memcmp(&info, &before, sizeof(info)));
	EXPECT_EQ(0, memcmp(infos, untouched, sizeof(infos)));
}

TEST_F(info, refuses_bad_array)
{
	char *page = page_before_hole(_metadata);
	struct sync_file_info info = { .num_fences = 2 };

	EXPECT_EQ(-EFAULT, file_info(self->both, &info));
	info.sync_fence_info = (uintptr_t)(page + page_size() -
					   sizeof(struct sync_fence_info));
	EXPECT_EQ(-EFAULT, file_info(self->both, &info));
}

TEST_F(info, result_cannot_be_written)
{
	struct sync_file_info info = { };
	void *page = readonly_copy(_metadata, &info, sizeof(info));

	EXPECT_EQ(-EFAULT, file_info(self->both, page));
}

/* --------------------------------------------------- counting, then filling */

/* More room than needed: only what is needed gets written. */
TEST_F(info, more_room_than_fences)
{
	char *page = page_before_hole(_metadata);
	struct sync_file_info info = {
		.num_fences = 100,
		.sync_fence_info = (uintptr_t)(page + page_size() -
					       2 * sizeof(struct sync_fence_info)),
	};

	ASSERT_EQ(0, file_info(self->both, &info));
	EXPECT_EQ(2, info.num_fences);
}

/* -------------------------------------------------------------- status, time */

TEST_F(info, status_of_the_parts)
{
	struct sync_fence_info infos[2];

	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	ASSERT_EQ(2, sync_file_fences(self->both, infos, 2));
	EXPECT_EQ(0, infos[0].status);
	EXPECT_EQ(1, infos[1].status);
	EXPECT_EQ(0, members_status(self->both, 2));
	EXPECT_EQ(0, sync_file_status(self->both));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(1, members_status(self->both, 2));
	EXPECT_EQ(1, sync_file_status(self->both));
}

/* The first member that is pending or has failed tells the status. */
TEST_F(info, members_tell_an_error_before_a_pending_one)
{
	close(self->timeline[0]);
	EXPECT_EQ(-ENOENT, members_status(self->both, 2));
	EXPECT_EQ(0, sync_file_status(self->both));
}

TEST_F(info, members_tell_a_pending_one_before_an_error)
{
	close(self->timeline[1]);
	EXPECT_EQ(0, members_status(self->both, 2));
	EXPECT_EQ(0, sync_file_status(self->both));
}

TEST_F(info, time_of_the_signal)
{
	struct sync_fence_info info = { };
	__s64 before, after;

	ASSERT_EQ(1, sync_file_fences(self->fence[0], &info, 1));
	EXPECT_EQ(0, info.timestamp_ns);
	before = now_ns();
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	after = now_ns();
	sleep_ms(2);
	ASSERT_EQ(1, sync_file_fences(self->fence[0], &info, 1));
	EXPECT_LE(before, (__s64)info.timestamp_ns);
	EXPECT_GE(after, (__s64)info.timestamp_ns);
}

/* ---------------------------------------------------------------------- names */

TEST_F(info, name_tells_driver_timeline_point)
{
	unsigned long long context[2];
	char name[32];
	int later;

	ASSERT_NE(NULL, sync_file_name(self->fence[0], name));
	EXPECT_EQ(1, sscanf(name, "sw_sync-first%llu-1", &context[0]));
	ASSERT_NE(NULL, sync_file_name(self->fence[1], name));
	EXPECT_EQ(1, sscanf(name, "sw_sync-second%llu-1", &context[1]));
	EXPECT_LT(context[0], context[1]);
	later = timeline_fence(self->timeline[0], 1000000);
	ASSERT_LE(0, later);
	ASSERT_NE(NULL, sync_file_name(later, name));
	EXPECT_EQ(1, sscanf(name, "sw_sync-first%llu-1000000", &context[1]));
	EXPECT_EQ(context[0], context[1]);
}

TEST_F(info, long_names_are_cut)
{
	int timeline = named_timeline(_metadata, "fifteen-letters");
	struct sync_fence_info info = { };
	char name[32];
	int fence;

	fence = timeline_fence(timeline, 2147483647);
	ASSERT_LE(0, fence);
	ASSERT_EQ(1, sync_file_fences(fence, &info, 1));
	EXPECT_STREQ("fifteen-letters", info.obj_name);
	ASSERT_NE(NULL, sync_file_name(fence, name));
	EXPECT_EQ(31, strnlen(name, sizeof(name)));
	EXPECT_EQ(0, strncmp("sw_sync-fifteen-letters", name, 23));
}

/* The timeline is closed, its fence still knows what it was called. */
TEST_F(info, names_outlive_the_timeline)
{
	struct sync_fence_info info = { };

	close(self->timeline[0]);
	ASSERT_EQ(1, sync_file_fences(self->fence[0], &info, 1));
	EXPECT_STREQ("first", info.obj_name);
	EXPECT_STREQ("sw_sync", info.driver_name);
	EXPECT_EQ(-ENOENT, info.status);
}

/* --------------------------------------------------------------------- fdinfo */

/* /proc shows other programs which fence is behind a descriptor. */
TEST_F(info, fdinfo_of_a_fence)
{
	char value[128], wanted[128], name[32];
	unsigned long long context;

	ASSERT_NE(NULL, sync_file_name(self->fence[0], name));
	ASSERT_EQ(1, sscanf(name, "sw_sync-first%llu-1", &context));
	ASSERT_NE(NULL, fdinfo_value(self->fence[0], "sync_name", value, sizeof(value)));
	EXPECT_STREQ(name, value);
	ASSERT_NE(NULL, fdinfo_value(self->fence[0], "sync_status", value, sizeof(value)));
	EXPECT_STREQ("active", value);
	ASSERT_NE(NULL, fdinfo_value(self->fence[0], "sync_by", value, sizeof(value)));
	EXPECT_EQ(0, strncmp("sw_sync_ioctl", value, 13));
	ASSERT_NE(NULL, fdinfo_value(self->fence[0], "sync_fences", value, sizeof(value)));
	EXPECT_STREQ("1", value);
	snprintf(wanted, sizeof(wanted), "active sw_sync first %llu:1", context);
	ASSERT_NE(NULL, fdinfo_value(self->fence[0], "sync_fence", value, sizeof(value)));
	EXPECT_STREQ(wanted, value);
}

/* ------------------------------------------------------------------ deadlines */

TEST_F(info, deadline_reaches_the_fence)
{
	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline[0], self->fence[0]));
	EXPECT_EQ(0, set_deadline(self->fence[0], 1000));
	EXPECT_EQ(1000, fence_deadline(self->timeline[0], self->fence[0]));
}

TEST_F(info, earliest_deadline_counts)
{
	EXPECT_EQ(0, set_deadline(self->fence[0], 1000));
	EXPECT_EQ(0, set_deadline(self->fence[0], 2000));
	EXPECT_EQ(1000, fence_deadline(self->timeline[0], self->fence[0]));
	EXPECT_EQ(0, set_deadline(self->fence[0], 500));
	EXPECT_EQ(500, fence_deadline(self->timeline[0], self->fence[0]));
}

/* A time that the kernel's clocks cannot hold is far away, not long past. */
TEST_F(info, deadline_beyond_all_time)
{
	EXPECT_EQ(0, set_deadline(self->fence[0], -1));
	EXPECT_EQ(INT64_MAX, fence_deadline(self->timeline[0], self->fence[0]));
	EXPECT_EQ(0, set_deadline(self->fence[0], 1000));
	EXPECT_EQ(1000, fence_deadline(self->timeline[0], self->fence[0]));
}

/* A late deadline is no error, but is not passed to the driver either. */
TEST_F(info, deadline_after_the_signal)
{
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(0, set_deadline(self->fence[0], 1000));
	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline[0], self->fence[0]));
}

/* -------------------------------------------------------- failing allocations */

/* An ioctl that describes many fences must not allocate memory for them. */
TEST_F(info, needs_no_memory)
{
	struct sync_fence_info infos[2];
	struct fail_nth fail;

	if (!fail_nth_setup_memory(_metadata, &fail))
		return;
	fail_nth_arm(_metadata, &fail);
	EXPECT_EQ(2, sync_file_fences(self->both, infos, 2));
	EXPECT_FALSE(fail_nth_disarm(_metadata, &fail));
}

TEST_HARNESS_MAIN
