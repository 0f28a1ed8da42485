// SPDX-License-Identifier: GPL-2.0
/*
 * poll() on a buffer: readable when no writer is pending, writable when nobody is
 */
#include "common.h"

#include <sys/epoll.h>
#include <sys/select.h>

#include <drm/vgem_drm.h>

#define BUF_SIZE	page_size()

#define READ	DMA_BUF_SYNC_READ
#define WRITE	DMA_BUF_SYNC_WRITE

#define BOTH	(POLLIN | POLLOUT)

/* A poller that is not woken must not stop the run. */
#define FOREVER_MS	5000

FIXTURE(poll)
{
	int buf;
	int timeline;
};

EACH_EXPORTER(poll);

FIXTURE_SETUP(poll)
{
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(poll)
{
}

/* ------------------------------------------------------------ what is ready */

/* Without a poll in between: the state is looked up, not remembered. */
TEST_F(poll, never_polled_while_pending)
{
	add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(BOTH, poll_for(self->buf, BOTH, 0));
}

TEST_F(poll, readers_and_writers_wait_for_their_fences)
{
	int other = setup_timeline(_metadata);

	add_fence(_metadata, self->buf, READ, self->timeline, 1);
	add_fence(_metadata, self->buf, WRITE, other, 1);
	EXPECT_EQ(0, poll_for(self->buf, BOTH, 0));
	ASSERT_EQ(0, timeline_advance(other, 1));
	EXPECT_EQ(POLLIN, poll_for(self->buf, BOTH, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(BOTH, poll_for(self->buf, BOTH, 0));
}

TEST_F(poll, buffer_can_be_busy_again)
{
	int fence, round;

	for (round = 1; round <= 10; round++) {
		fence = add_fence(_metadata, self->buf, WRITE, self->timeline, round);
		EXPECT_EQ(0, poll_for(self->buf, BOTH, 0));
		ASSERT_EQ(0, timeline_advance(self->timeline, 1));
		EXPECT_EQ(BOTH, poll_for(self->buf, BOTH, 0));
		close(fence);
	}
}

TEST_F(poll, failed_fence_is_done)
{
	int other = setup_timeline(_metadata);
	int fence;

	fence = add_fence(_metadata, self->buf, WRITE, other, 1);
	EXPECT_EQ(0, poll_for(self->buf, BOTH, 0));
	close(other);
	ASSERT_EQ(-ENOENT, sync_file_status(fence));
	EXPECT_EQ(BOTH, poll_for(self->buf, BOTH, 0));
}

TEST_F(poll, select_agrees_with_poll)
{
	struct timeval zero = { };
	fd_set in, out;

	add_fence(_metadata, self->buf, READ, self->timeline, 1);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(self->buf, &in);
	FD_SET(self->buf, &out);
	EXPECT_EQ(1, select(self->buf + 1, &in, &out, NULL, &zero));
	EXPECT_TRUE(FD_ISSET(self->buf, &in));
	EXPECT_FALSE(FD_ISSET(self->buf, &out));
}

/* --------------------------------------------------------- sleep and wake-up */

/*
 * When its time is over poll() looks once more, and so would find what it was
 * not woken for.
 */
static int sleep_for(int buf, short events)
{
	__s64 start = now_ns();
	int revents;

	revents = poll_for(buf, events, FOREVER_MS);
	return now_ns() - start < FOREVER_MS * 1000000LL ? revents : -ETIMEDOUT;
}

static void expect_wakeup(struct __test_metadata *_metadata, int buf, int timeline,
			  __u32 fence_flags, short events)
{
	struct signaller signaller;
	int fence;

	fence = add_fence(_metadata, buf, fence_flags, timeline, 1);
	signaller_start(_metadata, &signaller, timeline, 50);
	EXPECT_EQ(events, sleep_for(buf, events));
	EXPECT_EQ(1, sync_file_status(fence));
	signaller_join(&signaller);
	close(fence);
}

TEST_F(poll, reader_sleeps_on_writer)
{
	expect_wakeup(_metadata, self->buf, self->timeline, WRITE, POLLIN);
}

TEST_F(poll, writer_sleeps_on_writer)
{
	expect_wakeup(_metadata, self->buf, self->timeline, WRITE, POLLOUT);
}

TEST_F(poll, writer_sleeps_on_reader)
{
	expect_wakeup(_metadata, self->buf, self->timeline, READ, POLLOUT);
}

TEST_F(poll, reader_does_not_sleep_on_reader)
{
	int fence = add_fence(_metadata, self->buf, READ, self->timeline, 1);

	EXPECT_EQ(POLLIN, sleep_for(self->buf, POLLIN));
	EXPECT_EQ(0, sync_file_status(fence));
}

TEST_F(poll, poll_sleeps_until_the_timeout)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	__s64 start = now_ns();

	EXPECT_EQ(0, poll_for(self->buf, BOTH, 100));
	EXPECT_LE(100, (now_ns() - start) / 1000000);
	EXPECT_EQ(0, sync_file_status(fence));
}

TEST_F(poll, signal_interrupts_poll)
{
	add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	interrupt_after(50, 0);
	EXPECT_EQ(-EINTR, sleep_for(self->buf, BOTH));
	interrupt_after(0, 0);
}

/* The end of the first fence wakes the sleeper, who must go on with the next. */
TEST_F(poll, sleeps_until_the_last_fence)
{
	int other = setup_timeline(_metadata);
	struct signaller first, last;
	int fences[2];

	fences[0] = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	fences[1] = add_fence(_metadata, self->buf, WRITE, other, 1);
	signaller_start(_metadata, &first, self->timeline, 30);
	signaller_start(_metadata, &last, other, 90);
	EXPECT_EQ(POLLIN, sleep_for(self->buf, POLLIN));
	EXPECT_EQ(1, sync_file_status(fences[0]));
	EXPECT_EQ(1, sync_file_status(fences[1]));
	signaller_join(&first);
	signaller_join(&last);
}

/* A thread that sleeps in poll. */
struct poller {
	pthread_t thread;
	int buf;
	short events;
	int fence;
	int revents;
	int status;
};

static void *poller_main(void *arg)
{
	struct poller *poller = arg;

	poller->revents = sleep_for(poller->buf, poller->events);
	poller->status = sync_file_status(poller->fence);
	return NULL;
}

static void poller_start(struct __test_metadata *_metadata, struct poller *poller,
			 int buf, short events, int fence)
{
	poller->buf = buf;
	poller->events = events;
	poller->fence = fence;
	ASSERT_EQ(0, pthread_create(&poller->thread, NULL, poller_main, poller));
}

/* Both directions, and more than one sleeper for each. */
TEST_F(poll, all_sleepers_wake)
{
	const short events[] = { POLLIN, POLLIN, POLLOUT, POLLOUT, BOTH, BOTH };
	struct poller pollers[ARRAY_SIZE(events)];
	int fence;
	size_t i;

	fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		poller_start(_metadata, &pollers[i], self->buf, events[i], fence);
	sleep_ms(50);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		pthread_join(pollers[i].thread, NULL);
		EXPECT_NE(0, pollers[i].revents & events[i]);
		EXPECT_EQ(0, pollers[i].revents & ~events[i]);
		EXPECT_EQ(1, pollers[i].status);
	}
}

/*
 * A second fence is added while a task sleeps on the first one: the task must find the
 * second one when it tests again, and wait for it.
 */
TEST_F(poll, fence_added_behind_a_sleeper)
{
	int other = setup_timeline(_metadata);
	struct poller poller;
	int fences[2];

	fences[0] = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	fences[1] = timeline_fence(other, 1);
	ASSERT_LE(0, fences[1]);
	poller_start(_metadata, &poller, self->buf, POLLIN, fences[1]);
	sleep_ms(50);
	ASSERT_EQ(0, import_fences(self->buf, WRITE, fences[1]));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	sleep_ms(50);
	ASSERT_EQ(0, timeline_advance(other, 1));
	pthread_join(poller.thread, NULL);
	EXPECT_EQ(POLLIN, poller.revents);
	EXPECT_EQ(1, poller.status);
}

/* The fence on which a sleeper waits is replaced by a later one of its timeline. */
TEST_F(poll, fence_replaced_behind_a_sleeper)
{
	struct poller poller;
	int fences[2];

	fences[0] = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	fences[1] = timeline_fence(self->timeline, 2);
	ASSERT_LE(0, fences[1]);
	poller_start(_metadata, &poller, self->buf, POLLIN, fences[1]);
	sleep_ms(50);
	ASSERT_EQ(0, import_fences(self->buf, WRITE, fences[1]));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	sleep_ms(50);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	pthread_join(poller.thread, NULL);
	EXPECT_EQ(POLLIN, poller.revents);
	EXPECT_EQ(1, poller.status);
}

TEST_F(poll, wakes_in_another_process)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(sleep_for(self->buf, POLLOUT) == POLLOUT &&
		      sync_file_status(fence) == 1 ? 0 : 1);
	sleep_ms(50);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(poll, epoll_tells_events_that_are_ready)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	struct epoll_event seen = { };
	int epoll;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, epoll);
	add_fence(_metadata, self->buf, READ, self->timeline, 1);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->buf, &event));
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, 0));
	EXPECT_EQ((__u32)EPOLLIN, seen.events);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, 0));
	EXPECT_EQ((__u32)(EPOLLIN | EPOLLOUT), seen.events);
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, 0));
}

TEST_F(poll, epoll_sleeper_wakes)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct epoll_event seen = { };
	struct signaller signaller;
	int epoll, fence;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, epoll);
	fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->buf, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &seen, 1, 0));
	signaller_start(_metadata, &signaller, self->timeline, 50);
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, FOREVER_MS));
	EXPECT_EQ((__u32)EPOLLIN, seen.events);
	EXPECT_EQ(1, sync_file_status(fence));
	signaller_join(&signaller);
}

/* The end of a fence is an edge; before there is none. */
TEST_F(poll, epoll_has_an_edge_for_the_end_of_a_fence)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct epoll_event seen = { };
	int epoll;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, epoll);
	add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->buf, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &seen, 1, 50));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, FOREVER_MS));
	EXPECT_EQ((__u32)EPOLLIN, seen.events);
}

/* Fences that the exporter puts into its object count like any other. */
TEST(fence_of_the_exporter)
{
	struct drm_vgem_fence_attach attach = { };
	struct drm_vgem_fence_signal signal = { };
	int drm, buf;

	drm = setup_drm(_metadata, "vgem");
	if (drm < 0)
		return;
	buf = drm_export(drm, BUF_SIZE, &attach.handle);
	ASSERT_LE(0, buf);
	EXPECT_EQ(BOTH, poll_for(buf, BOTH, 0));
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
	EXPECT_EQ(POLLIN, poll_for(buf, BOTH, 0));
	signal.fence = attach.out_fence;
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
	EXPECT_EQ(BOTH, poll_for(buf, BOTH, 0));
	attach.flags = VGEM_FENCE_WRITE;
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
	EXPECT_EQ(0, poll_for(buf, BOTH, 0));
	signal.fence = attach.out_fence;
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
	EXPECT_EQ(BOTH, poll_for(buf, BOTH, 0));
}

/* -------------------------------------------------------------------- races */

/* A thread signals while this one goes to sleep: no wake-up may be lost. */
TEST_F_TIMEOUT(poll, signal_races_with_poll, 300)
{
	struct signaller signaller;
	int fence, round;

	for (round = 1; round <= 200; round++) {
		fence = add_fence(_metadata, self->buf, WRITE, self->timeline, round);
		signaller_start(_metadata, &signaller, self->timeline, 0);
		if (round & 1)
			sched_yield();
		ASSERT_EQ(POLLIN, sleep_for(self->buf, POLLIN));
		ASSERT_EQ(1, sync_file_status(fence));
		signaller_join(&signaller);
		close(fence);
	}
}

struct adder {
	pthread_t thread;
	int buf;
	int timeline;
	int ret;
};

static void *adder_main(void *arg)
{
	struct adder *adder = arg;
	int round, fence;

	for (round = 1; round <= 300 && !adder->ret; round++) {
		fence = timeline_fence(adder->timeline, round);
		adder->ret = import_fences(adder->buf, round & 1 ? READ : WRITE, fence);
		sched_yield();
		timeline_advance(adder->timeline, 1);
		close(fence);
	}
	return NULL;
}

/* Polls without end while fences come and go; nothing may remain of it. */
TEST_F(poll, fences_come_and_go)
{
	long count = buffer_count(self->buf);
	struct adder adders[2];
	int round;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(adders); i++) {
		adders[i].buf = self->buf;
		adders[i].timeline = setup_timeline(_metadata);
		adders[i].ret = 0;
		ASSERT_EQ(0, pthread_create(&adders[i].thread, NULL, adder_main,
					    &adders[i]));
	}
	for (round = 0; round < 300; round++) {
		ASSERT_EQ(0, poll_for(self->buf, BOTH, 0) & ~BOTH);
		sched_yield();
		ASSERT_LT(0, sleep_for(self->buf, round & 1 ? POLLIN : POLLOUT));
	}
	for (i = 0; i < ARRAY_SIZE(adders); i++) {
		pthread_join(adders[i].thread, NULL);
		EXPECT_EQ(0, adders[i].ret);
		close(adders[i].timeline);
	}
	EXPECT_EQ(BOTH, poll_for(self->buf, BOTH, 0));
	EXPECT_EQ(count, buffer_count(self->buf));
}

TEST_HARNESS_MAIN
