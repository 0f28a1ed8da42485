// SPDX-License-Identifier: GPL-2.0
/*
 * sync/sw_sync in debugfs: timelines that user space advances
 */
#include "common.h"

/* Longer than a test may run: a lost wake-up fails it. */
#define FOREVER_MS	60000

FIXTURE(sw_sync)
{
	int timeline;
	int before;	/* file descriptors taken */
};

FIXTURE_SETUP(sw_sync)
{
	self->timeline = named_timeline(_metadata, "sw_sync test");
	if (self->timeline < 0)
		return;
	self->before = taken_fds();
}

FIXTURE_TEARDOWN(sw_sync)
{
}

static int fence_status(int timeline, __u32 value)
{
	int status, fence = timeline_fence(timeline, value);

	if (fence < 0)
		return fence;
	status = sync_file_status(fence);
	close(fence);
	return status;
}

/* ---------------------------------------------------------------- arguments */

TEST_F(sw_sync, refuses_unknown_commands)
{
	struct sw_sync_create_fence_data data = { .value = 1 };
	const unsigned long unknown[] = {
		_IO('W', 0),
		_IOW('W', 0, struct sw_sync_create_fence_data),
		_IOWR('W', 0, __u32),
		_IO('W', 1),
		_IOWR('W', 1, __u32),
		_IOW('W', 1, __u64),
		_IOW('W', 2, struct sw_sync_get_deadline),
		_IOWR('W', 3, struct sw_sync_get_deadline),
		_IOWR('w', 0, struct sw_sync_create_fence_data),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->timeline, unknown[i], &data))
			TH_LOG("command %zu", i);
	}
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(sw_sync, create_without_free_fd)
{
	struct rlimit limit;
	int ret;

	fill_fd_table(_metadata, &limit);
	ret = do_ioctl(self->timeline, SW_SYNC_IOC_CREATE_FENCE, NULL);
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_EQ(-EMFILE, ret);
}

TEST_F(sw_sync, create_refuses_bad_pointer)
{
	struct sw_sync_create_fence_data data = { .value = 1 };
	void *page = readonly_copy(_metadata, &data, sizeof(data));

	EXPECT_EQ(-EFAULT, do_ioctl(self->timeline, SW_SYNC_IOC_CREATE_FENCE, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->timeline, SW_SYNC_IOC_CREATE_FENCE, page));
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(sw_sync, advance_refuses_bad_pointer)
{
	EXPECT_EQ(-EFAULT, do_ioctl(self->timeline, SW_SYNC_IOC_INC, NULL));
	EXPECT_EQ(0, fence_status(self->timeline, 1));
}

TEST_F(sw_sync, deadline_refuses_bad_arguments)
{
	int fence = timeline_fence(self->timeline, 1);
	struct sw_sync_get_deadline data = { .fence_fd = fence, .pad = 1 };

	ASSERT_EQ(0, set_deadline(fence, 1000));
	EXPECT_EQ(-EFAULT, do_ioctl(self->timeline, SW_SYNC_GET_DEADLINE, NULL));
	EXPECT_EQ(-EINVAL, do_ioctl(self->timeline, SW_SYNC_GET_DEADLINE, &data));
	data.pad = 0;
	data.deadline_ns = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->timeline, SW_SYNC_GET_DEADLINE, &data));
	data.deadline_ns = 0;
	EXPECT_EQ(-EFAULT, do_ioctl(self->timeline, SW_SYNC_GET_DEADLINE,
				    readonly_copy(_metadata, &data, sizeof(data))));
	EXPECT_EQ(0, do_ioctl(self->timeline, SW_SYNC_GET_DEADLINE, &data));
}

/* Only a fence of some software timeline has a deadline to be asked for. */
TEST_F(sw_sync, deadline_is_told_of_software_timelines_only)
{
	int other = setup_timeline(_metadata);
	int fences[2], merged, stub;

	fences[0] = timeline_fence(self->timeline, 1);
	fences[1] = timeline_fence(other, 1);
	merged = sync_file_merge(fences[0], fences[1]);
	EXPECT_EQ(-EINVAL, fence_deadline(self->timeline, -1));
	EXPECT_EQ(-EINVAL, fence_deadline(self->timeline, other));
	EXPECT_EQ(-EINVAL, fence_deadline(self->timeline, merged));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	stub = sync_file_merge(fences[0], fences[0]);
	EXPECT_EQ(-EINVAL, fence_deadline(self->timeline, stub));
	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline, fences[1]));
	ASSERT_EQ(0, set_deadline(fences[1], 77));
	EXPECT_EQ(77, fence_deadline(self->timeline, fences[1]));
}

TEST_F(sw_sync, modes_of_the_files)
{
	struct stat st;

	ASSERT_EQ(0, stat(DEBUGFS "/sync/info", &st));
	EXPECT_EQ((mode_t)(S_IFREG | 0444), st.st_mode);
	ASSERT_EQ(0, stat(DEBUGFS "/sync/sw_sync", &st));
	EXPECT_EQ((mode_t)(S_IFREG | 0644), st.st_mode);
}

/* -------------------------------------------------------------- the counter */

TEST_F(sw_sync, fence_closes_on_exec)
{
	int fence = timeline_fence(self->timeline, 1);

	EXPECT_EQ(FD_CLOEXEC, fcntl(fence, F_GETFD));
}

TEST_F(sw_sync, each_open_is_a_timeline)
{
	int other = setup_timeline(_metadata);

	ASSERT_EQ(0, timeline_advance(other, 5));
	EXPECT_EQ(1, fence_status(other, 5));
	EXPECT_EQ(0, fence_status(self->timeline, 1));
}

/* Half of all numbers are over, the other half is still to come. */
TEST_F(sw_sync, half_of_all_values_has_been_reached)
{
	EXPECT_EQ(1, fence_status(self->timeline, 0));
	EXPECT_EQ(0, fence_status(self->timeline, 1));
	EXPECT_EQ(0, fence_status(self->timeline, 0x7fffffff));
	EXPECT_EQ(1, fence_status(self->timeline, 0x80000000));
	EXPECT_EQ(1, fence_status(self->timeline, 0xffffffff));
}

TEST_F(sw_sync, advances_by_steps)
{
	int fence = timeline_fence(self->timeline, 5);
	int later = timeline_fence(self->timeline, 6);

	ASSERT_EQ(0, timeline_advance(self->timeline, 0));
	EXPECT_EQ(0, sync_file_status(fence));
	ASSERT_EQ(0, timeline_advance(self->timeline, 4));
	EXPECT_EQ(0, sync_file_status(fence));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, sync_file_status(fence));
	EXPECT_EQ(0, sync_file_status(later));
	ASSERT_EQ(0, timeline_advance(self->timeline, 100));
	EXPECT_EQ(1, sync_file_status(later));
}

/* A step which is longer than what can be compared passes everything. */
TEST_F(sw_sync, long_step_signals_all_fences)
{
	int fences[3], i;

	fences[0] = timeline_fence(self->timeline, 1);
	fences[1] = timeline_fence(self->timeline, 0x40000000);
	fences[2] = timeline_fence(self->timeline, 0x7fffffff);
	ASSERT_EQ(0, timeline_advance(self->timeline, 0xffffffff));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, sync_file_status(fences[i]));
		close(fences[i]);
	}
	EXPECT_EQ(1, fence_status(self->timeline, 0xffffffff));
	EXPECT_EQ(0, fence_status(self->timeline, 0));
}

TEST_F(sw_sync, counter_wraps_in_order)
{
	int before, after;

	ASSERT_EQ(0, timeline_advance(self->timeline, 0xfffffffe));
	before = timeline_fence(self->timeline, 0xffffffff);
	after = timeline_fence(self->timeline, 1);
	EXPECT_EQ(0, sync_file_status(before));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, sync_file_status(before));
	EXPECT_EQ(0, sync_file_status(after));
	ASSERT_EQ(0, timeline_advance(self->timeline, 2));
	EXPECT_EQ(1, sync_file_status(after));
}

/* A sleeping task does not test its fence: the timeline must find and signal it. */
TEST_F(sw_sync, sleeper_before_the_wrap)
{
	struct signaller signaller;
	int before, after;

	ASSERT_EQ(0, timeline_advance(self->timeline, 0xfffffffe));
	before = timeline_fence(self->timeline, 0xffffffff);
	after = timeline_fence(self->timeline, 1);
	signaller_start(_metadata, &signaller, self->timeline, 20);
	EXPECT_EQ(POLLIN, poll_for(before, POLLIN, FOREVER_MS));
	signaller_join(&signaller);
	EXPECT_EQ(0, sync_file_status(after));
}

TEST_F(sw_sync, signals_in_order)
{
	static const __u32 values[] = { 3, 1, 4, 2 };
	struct sync_fence_info info[5] = { };
	int fences[4], i;

	for (i = 0; i < 4; i++)
		fences[i] = timeline_fence(self->timeline, values[i]);
	ASSERT_EQ(0, timeline_advance(self->timeline, 4));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, sync_file_fences(fences[i], &info[values[i]], 1));
		close(fences[i]);
	}
	for (i = 1; i < 4; i++)
		EXPECT_LE(info[i].timestamp_ns, info[i + 1].timestamp_ns);
	EXPECT_LT(info[1].timestamp_ns, info[4].timestamp_ns);
}

/* ------------------------------------------------------------- shared fences */

TEST_F(sw_sync, same_value_same_fence)
{
	int fences[3];

	fences[0] = timeline_fence(self->timeline, 1);
	fences[1] = timeline_fence(self->timeline, 1);
	fences[2] = timeline_fence(self->timeline, 2);
	ASSERT_EQ(0, set_deadline(fences[0], 33));
	EXPECT_EQ(33, fence_deadline(self->timeline, fences[1]));
	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline, fences[2]));
	close(fences[0]);
	EXPECT_EQ(33, fence_deadline(self->timeline, fences[1]));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, sync_file_status(fences[1]));
}

TEST_F(sw_sync, no_fence_returns)
{
	int fence = timeline_fence(self->timeline, 1);

	ASSERT_EQ(0, set_deadline(fence, 33));
	close(fence);
	fence = timeline_fence(self->timeline, 1);
	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline, fence));
	EXPECT_EQ(0, sync_file_status(fence));
}

/* ----------------------------------------------------------------- its end */

TEST_F(sw_sync, close_fails_what_is_pending)
{
	struct sync_fence_info info = { };
	int fences[3];

	fences[0] = timeline_fence(self->timeline, 1);
	fences[1] = timeline_fence(self->timeline, 2);
	fences[2] = timeline_fence(self->timeline, 3);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	close(self->timeline);
	EXPECT_EQ(1, sync_file_status(fences[0]));
	EXPECT_EQ(-ENOENT, sync_file_status(fences[1]));
	EXPECT_EQ(-ENOENT, sync_file_status(fences[2]));
	ASSERT_EQ(1, sync_file_fences(fences[2], &info, 1));
	EXPECT_LT(0U, info.timestamp_ns);
	EXPECT_STREQ("sw_sync test", info.obj_name);
}

TEST_F(sw_sync, last_close_counts)
{
	int copy = dup(self->timeline);
	int fence = timeline_fence(self->timeline, 1);

	close(self->timeline);
	EXPECT_EQ(0, sync_file_status(fence));
	ASSERT_EQ(0, timeline_advance(copy, 1));
	EXPECT_EQ(1, sync_file_status(fence));
}

/* -------------------------------------------------------------- sync/info */

static char text[1 << 20];

/* The part of the text that begins with a timeline, or NULL if it has none. */
static char *timeline_text(const char *name)
{
	char key[40], *begin, *end;

	if (read_file(DEBUGFS "/sync/info", text, sizeof(text)) < 0)
		return NULL;
	snprintf(key, sizeof(key), "\n%s: ", name);
	begin = strstr(text, key);
	if (!begin)
		return NULL;
	end = strstr(++begin, "\n\n");
	if (end)
		end[1] = '\0';
	return begin;
}

TEST_F(sw_sync, info_has_sections_of_timelines_and_fences)
{
	ssize_t len = read_file(DEBUGFS "/sync/info", text, sizeof(text));
	char *fences;

	ASSERT_LT(0, len);
	EXPECT_EQ(0, strncmp(text, "objs:\n--------------\n", 21));
	fences = strstr(text, "\nfences:\n--------------\n");
	ASSERT_NE(NULL, fences);
	EXPECT_NE(NULL, strstr(text, "\nsw_sync test: 0\n"));
	EXPECT_LT(strstr(text, "\nsw_sync test: 0\n"), fences);
}

TEST_F(sw_sync, info_shows_counter_and_fences_of_a_timeline)
{
	int fences[2];

	EXPECT_STREQ("sw_sync test: 0\n", timeline_text("sw_sync test"));
	fences[0] = timeline_fence(self->timeline, 10);
	fences[1] = timeline_fence(self->timeline, 3);
	ASSERT_EQ(0, timeline_advance(self->timeline, 2));
	EXPECT_STREQ("sw_sync test: 2\n"
		     "  fence active: 3 / 2\n"
		     "  fence active: 10 / 2\n", timeline_text("sw_sync test"));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_STREQ("sw_sync test: 3\n"
		     "  fence active: 10 / 3\n", timeline_text("sw_sync test"));
	close(fences[0]);
	close(fences[1]);
	EXPECT_STREQ("sw_sync test: 3\n", timeline_text("sw_sync test"));
}

/* A timeline that is closed stays in the list as long as it has fences. */
TEST_F(sw_sync, info_shows_closed_timeline_with_its_fences)
{
	int fence = timeline_fence(self->timeline, 7);
	unsigned int s, ns;
	int digits = 0, end = 0;
	char *block;

	ASSERT_EQ(0, timeline_advance(self->timeline, 5));
	close(self->timeline);
	block = timeline_text("sw_sync test");
	ASSERT_NE(NULL, block);
	EXPECT_EQ(2, sscanf(block, "sw_sync test: 5\n  fence error@%u.%n%u: 7 / 5%n",
			    &s, &digits, &ns, &end));
	EXPECT_NE(0, end);
	EXPECT_EQ(digits + 9 + (int)strlen(": 7 / 5"), end);
	EXPECT_STREQ("\n", block + end);
	close(fence);
	EXPECT_EQ(NULL, timeline_text("sw_sync test"));
}

/* More than fits into a page, and all of it. */
TEST_F(sw_sync, info_shows_many_fences)
{
	int i, lines = 0;
	char *line;

	for (i = 0; i < 400; i++)
		timeline_fence(self->timeline, 1 + i * 7 % 400);
	line = timeline_text("sw_sync test");
	ASSERT_NE(NULL, line);
	for (; (line = strstr(line, "  fence active: ")); line++)
		EXPECT_EQ(++lines, atoi(line + strlen("  fence active: ")));
	EXPECT_EQ(400, lines);
}

/* The entry of a sync file, from behind its address on, or NULL. */
static char *file_text(const char *name)
{
	char key[64], *begin, *end;

	if (read_file(DEBUGFS "/sync/info", text, sizeof(text)) < 0)
		return NULL;
	snprintf(key, sizeof(key), "] %s: ", name);
	begin = strstr(text, "\nfences:\n");
	begin = begin ? strstr(begin, key) : NULL;
	end = begin ? strstr(begin, "\n\n") : NULL;
	if (end)
		end[1] = '\0';
	return begin;
}

TEST_F(sw_sync, info_lists_sync_files)
{
	int other = named_timeline(_metadata, "sw_sync test");
	int fences[2], merged;

	ASSERT_LE(0, other);
	EXPECT_EQ(NULL, file_text("a merged file"));
	fences[0] = timeline_fence(self->timeline, 3);
	fences[1] = timeline_fence(other, 9);
	merged = sync_file_merge_as(fences[0], fences[1], "a merged file");
	ASSERT_LE(0, merged);
	EXPECT_STREQ("] a merged file: active\n"
		     "  sw_sync test_fence active: 3 / 0\n"
		     "  sw_sync test_fence active: 9 / 0\n",
		     file_text("a merged file"));
	ASSERT_EQ(0, timeline_advance(self->timeline, 3));
	EXPECT_NE(NULL, strstr(file_text("a merged file") ?: "",
			       "_fence signaled@"));
	close(merged);
	EXPECT_EQ(NULL, file_text("a merged file"));
}

/* Bit of /proc/sys/kernel/tainted: something may hang, letter L. */
#define TAINT_SOFTLOCKUP	14

TEST_F(sw_sync, use_taints_the_kernel)
{
	close(timeline_fence(self->timeline, 1));
	ASSERT_LT(0, read_file("/proc/sys/kernel/tainted", text, sizeof(text)));
	EXPECT_EQ(1, strtoul(text, NULL, 10) >> TAINT_SOFTLOCKUP & 1);
}

/* ---------------------------------------------- races, failing allocations */

struct user {
	pthread_t thread;
	int timeline;
	int bad;
};

static void *user_main(void *arg)
{
	struct user *user = arg;
	int round, fences[2];

	for (round = 1; round <= 500; round++) {
		fences[0] = timeline_fence(user->timeline, round);
		fences[1] = timeline_fence(user->timeline, round);
		sched_yield();
		close(fences[0]);
		timeline_advance(user->timeline, round & 1);
		sched_yield();
		user->bad += sync_file_status(fences[1]) < 0;
		close(fences[1]);
	}
	return NULL;
}

/* Fences of one timeline are made, shared, signalled, closed, and looked at. */
TEST_F(sw_sync, users_of_one_timeline)
{
	struct user users[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(users); i++) {
		users[i].timeline = self->timeline;
		users[i].bad = 0;
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, user_main,
					    &users[i]));
	}
	for (i = 0; i < 50; i++) {
		EXPECT_NE(NULL, timeline_text("sw_sync test"));
		sched_yield();
	}
	for (i = 0; i < ARRAY_SIZE(users); i++) {
		pthread_join(users[i].thread, NULL);
		EXPECT_EQ(0, users[i].bad);
	}
	EXPECT_EQ(self->before, taken_fds());
	EXPECT_STREQ("sw_sync test: 1000\n", timeline_text("sw_sync test"));
}

static void *closer_main(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

TEST_F_TIMEOUT(sw_sync, close_races_with_fences, 300)
{
	int round;

	for (round = 0; round < 100; round++) {
		int timeline = setup_timeline(_metadata);
		int fences[4], i;
		pthread_t thread;

		for (i = 0; i < 4; i++) {
			fences[i] = timeline_fence(timeline, 1 + i / 2);
			ASSERT_EQ(0, poll_for(fences[i], POLLIN, 0));
		}
		ASSERT_EQ(0, pthread_create(&thread, NULL, closer_main, &timeline));
		close(fences[0]);
		if (round & 1)
			sched_yield();
		close(fences[2]);
		EXPECT_EQ(POLLIN, poll_for(fences[1], POLLIN, FOREVER_MS));
		EXPECT_EQ(POLLIN, poll_for(fences[3], POLLIN, FOREVER_MS));
		EXPECT_EQ(-ENOENT, sync_file_status(fences[1]));
		pthread_join(thread, NULL);
		close(fences[1]);
		close(fences[3]);
	}
	EXPECT_EQ(self->before, taken_fds());
}

TEST_F(sw_sync, failed_creation_leaves_nothing)
{
	struct fail_nth fail;
	int fence, refused = 0;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	self->before = taken_fds();
	do {
		fail_nth_arm(_metadata, &fail);
		fence = timeline_fence(self->timeline, 1);
		failed = fail_nth_disarm(_metadata, &fail);
		if (fence < 0) {
			EXPECT_TRUE(fail_nth_refused(fence));
			EXPECT_EQ(self->before, taken_fds());
			EXPECT_STREQ("sw_sync test: 0\n", timeline_text("sw_sync test"));
			refused++;
		} else {
			close(fence);
		}
	} while (failed);
	EXPECT_LE(0, fence);
	/* At least the fence and its file can fail. */
	EXPECT_LE(2, refused);
}

TEST_HARNESS_MAIN
