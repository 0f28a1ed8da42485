// SPDX-License-Identifier: GPL-2.0
/*
 * The file of a fence: what kind of file it is, and poll()
 */
#include "common.h"

#include <sys/epoll.h>
#include <sys/wait.h>

/* Longer than a test may run: a lost wake-up fails it. */
#define FOREVER_MS	60000

FIXTURE(wait)
{
	int timeline;
	int fence;
};

FIXTURE_SETUP(wait)
{
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->fence = timeline_fence(self->timeline, 1);
	ASSERT_LE(0, self->fence);
}

FIXTURE_TEARDOWN(wait)
{
}

/* ------------------------------------------------------------- kind of file */

TEST_F(wait, link_in_proc_tells_a_sync_file)
{
	char target[64];

	ASSERT_NE(NULL, fd_link(self->fence, target, sizeof(target)));
	EXPECT_STREQ("anon_inode:sync_file", target);
}

TEST_F(wait, seeking_is_refused)
{
	EXPECT_EQ(-1, lseek(self->fence, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->fence, 0, SEEK_END));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_F(wait, mapping_is_refused)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE,
				   self->fence, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(wait, no_read_or_write)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->fence, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fence, &byte, 1));
	EXPECT_EQ(EBADF, errno);
}

TEST_F(wait, no_open_through_proc)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fence);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(ENXIO, errno);
}

/* ----------------------------------------------------------------- readiness */

TEST_F(wait, is_never_writable)
{
	EXPECT_EQ(0, poll_for(self->fence, POLLOUT, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(0, poll_for(self->fence, POLLOUT, 0));
}

TEST_F(wait, signalled_from_the_start)
{
	int fence = timeline_fence(self->timeline, 0);

	ASSERT_LE(0, fence);
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, 0));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, FOREVER_MS));
}

TEST_F(wait, signal_wakes_a_task_in_poll)
{
	struct signaller signaller;

	signaller_start(_metadata, &signaller, self->timeline, 20);
	EXPECT_EQ(POLLIN, poll_for(self->fence, POLLIN, FOREVER_MS));
	EXPECT_EQ(1, sync_file_status(self->fence));
	signaller_join(&signaller);
}

/* The only callback was installed long before a task goes to sleep. */
TEST_F(wait, sleeper_after_a_look)
{
	struct signaller signaller;

	ASSERT_EQ(0, poll_for(self->fence, POLLIN, 0));
	signaller_start(_metadata, &signaller, self->timeline, 20);
	EXPECT_EQ(POLLIN, poll_for(self->fence, POLLIN, FOREVER_MS));
	signaller_join(&signaller);
}

TEST_F(wait, two_files_of_one_fence)
{
	int other = timeline_fence(self->timeline, 1);
	struct signaller signaller;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, poll_for(self->fence, POLLIN, 0));
	signaller_start(_metadata, &signaller, self->timeline, 20);
	EXPECT_EQ(POLLIN, poll_for(other, POLLIN, FOREVER_MS));
	EXPECT_EQ(POLLIN, poll_for(self->fence, POLLIN, 0));
	signaller_join(&signaller);
}

TEST_F(wait, closing_the_timeline_wakes)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->timeline);
		_exit(poll_for(self->fence, POLLIN, FOREVER_MS) == POLLIN &&
		      sync_file_status(self->fence) == -ENOENT ? 0 : 1);
	}
	sleep_ms(50);
	close(self->timeline);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A merged fence signals a moment after its last member. */
TEST_F(wait, sleeper_on_merged_wakes)
{
	int other = setup_timeline(_metadata);
	struct signaller signallers[2];
	int fence = timeline_fence(other, 1);
	int merged;

	merged = sync_file_merge(self->fence, fence);
	ASSERT_LE(0, merged);
	signaller_start(_metadata, &signallers[0], self->timeline, 20);
	signaller_start(_metadata, &signallers[1], other, 40);
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, FOREVER_MS));
	EXPECT_EQ(1, sync_file_status(self->fence));
	EXPECT_EQ(1, sync_file_status(fence));
	signaller_join(&signallers[0]);
	signaller_join(&signallers[1]);
}

/* One wake-up is for all tasks that sleep, one edge for each epoll. */
TEST_F(wait, signal_is_an_edge_for_each_epoll)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, seen;
	int epolls[4], i;

	for (i = 0; i < 4; i++) {
		epolls[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_ctl(epolls[i], EPOLL_CTL_ADD, self->fence,
				       &event));
		EXPECT_EQ(0, epoll_wait(epolls[i], &seen, 1, 0));
	}
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, epoll_wait(epolls[i], &seen, 1, FOREVER_MS));
		EXPECT_EQ(0, epoll_wait(epolls[i], &seen, 1, 0));
		close(epolls[i]);
	}
}

/* ------------------------------------------------------------ life time, races */

/* The callback points into the file: it must not be left behind. */
TEST_F(wait, can_be_closed_after_poll)
{
	int others[64], i;

	for (i = 0; i < 64; i++) {
		others[i] = timeline_fence(self->timeline, 1);
		ASSERT_EQ(0, poll_for(others[i], POLLIN, 0));
	}
	for (i = 0; i < 64; i += 2)
		close(others[i]);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	for (i = 1; i < 64; i += 2) {
		EXPECT_EQ(POLLIN, poll_for(others[i], POLLIN, 0));
		close(others[i]);
	}
}

TEST_F_TIMEOUT(wait, signal_races_with_poll, 300)
{
	struct signaller signaller;
	int fence, round;

	for (round = 1; round <= 200; round++) {
		fence = timeline_fence(self->timeline, round);
		signaller_start(_metadata, &signaller, self->timeline, 0);
		if (round & 1)
			sched_yield();
		ASSERT_EQ(POLLIN, poll_for(fence, POLLIN, FOREVER_MS));
		ASSERT_EQ(1, sync_file_status(fence));
		signaller_join(&signaller);
		close(fence);
	}
}

struct sleeper {
	pthread_t thread;
	int fence;
	int revents;
};

static void *sleeper_main(void *arg)
{
	struct sleeper *sleeper = arg;

	sleeper->revents = poll_for(sleeper->fence, POLLIN, FOREVER_MS);
	return NULL;
}

/* A task in poll() holds the file: it wakes after the descriptor has been closed. */
TEST_F(wait, can_be_closed_under_sleepers)
{
	struct sleeper sleepers[8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sleepers); i++) {
		sleepers[i].fence = self->fence;
		ASSERT_EQ(0, pthread_create(&sleepers[i].thread, NULL, sleeper_main,
					    &sleepers[i]));
	}
	sleep_ms(50);
	close(self->fence);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	for (i = 0; i < ARRAY_SIZE(sleepers); i++) {
		pthread_join(sleepers[i].thread, NULL);
		EXPECT_EQ(POLLNVAL, sleepers[i].revents);
	}
}

TEST_F_TIMEOUT(wait, signal_races_with_close, 300)
{
	struct signaller signaller;
	int fence, round;

	for (round = 1; round <= 200; round++) {
		fence = timeline_fence(self->timeline, round);
		ASSERT_EQ(0, poll_for(fence, POLLIN, 0));
		signaller_start(_metadata, &signaller, self->timeline, 0);
		if (round & 1)
			sched_yield();
		close(fence);
		signaller_join(&signaller);
	}
	EXPECT_EQ(1, sync_file_status(self->fence));
}

TEST_HARNESS_MAIN
