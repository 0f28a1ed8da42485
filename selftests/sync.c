// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_BUF_IOCTL_SYNC: brackets around CPU access, and its wait for fences
 */
#include "common.h"

#define BUF_SIZE	(4 * page_size())

#define READ	DMA_BUF_SYNC_READ
#define WRITE	DMA_BUF_SYNC_WRITE
#define RW	DMA_BUF_SYNC_RW
#define START	DMA_BUF_SYNC_START
#define END	DMA_BUF_SYNC_END

/*
 * udmabuf refuses an END before the first START, however they are paired. So every
 * buffer is bracketed once to begin with.
 */
FIXTURE(sync)
{
	int buf;
};

EACH_EXPORTER(sync);

FIXTURE_SETUP(sync)
{
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
	if (self->buf < 0)
		return;
	ASSERT_EQ(0, sync_buffer(self->buf, RW | START));
	ASSERT_EQ(0, sync_buffer(self->buf, RW | END));
}

FIXTURE_TEARDOWN(sync)
{
}

/* --------------------------------------------------------------- arguments */

TEST_F(sync, refuses_unknown_commands)
{
	struct dma_buf_sync sync = { .flags = READ };
	const unsigned long unknown[] = {
		_IO('b', 0),
		_IOR('b', 0, struct dma_buf_sync),
		_IOWR('b', 0, struct dma_buf_sync),
		_IOW('b', 0, __u32),
		_IOW('c', 0, struct dma_buf_sync),
		_IOW('b', 4, struct dma_buf_sync),
		_IOW('b', 255, struct dma_buf_sync),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->buf, unknown[i], &sync))
			TH_LOG("command %#lx", unknown[i]);
	}
}

TEST_F(sync, argument_runs_into_hole)
{
	char *page = page_before_hole(_metadata);
	char *last = page + page_size() - 4;

	memset(last, READ, 4);
	EXPECT_EQ(-EFAULT, do_ioctl(self->buf, DMA_BUF_IOCTL_SYNC, last));
}

TEST_F(sync, argument_just_before_hole)
{
	char *page = page_before_hole(_metadata);
	struct dma_buf_sync *last;

	last = (void *)(page + page_size() - sizeof(*last));
	last->flags = READ;
	EXPECT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_SYNC, last));
}

/* The argument is only read: a read-only one will do. */
TEST_F(sync, argument_may_be_read_only)
{
	struct dma_buf_sync *sync = (void *)page_before_hole(_metadata);

	sync->flags = READ;
	ASSERT_EQ(0, mprotect(sync, page_size(), PROT_READ));
	EXPECT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_SYNC, sync));
}

TEST_F(sync, refuses_unknown_flags)
{
	unsigned int bit;

	for (bit = 3; bit < 64; bit++) {
		EXPECT_EQ(-EINVAL, sync_buffer(self->buf, RW | 1ULL << bit))
			TH_LOG("bit %u, start", bit);
		EXPECT_EQ(-EINVAL, sync_buffer(self->buf, RW | END | 1ULL << bit))
			TH_LOG("bit %u, end", bit);
	}
}

/* Brackets are hints for caches, not locks: no pairing is enforced. */
TEST_F(sync, begins_and_ends_need_not_pair)
{
	EXPECT_EQ(0, sync_buffer(self->buf, RW | START));
	EXPECT_EQ(0, sync_buffer(self->buf, READ | START));
	EXPECT_EQ(0, sync_buffer(self->buf, READ | END));
	EXPECT_EQ(0, sync_buffer(self->buf, RW | END));
	EXPECT_EQ(0, sync_buffer(self->buf, RW | END));
}

/* ------------------------------------------------------- what START waits for */

FIXTURE(wait)
{
	int buf;
	int timeline;
};

EACH_EXPORTER(wait);

FIXTURE_SETUP(wait)
{
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
	if (self->buf < 0)
		return;
	ASSERT_EQ(0, sync_buffer(self->buf, RW | START));
	ASSERT_EQ(0, sync_buffer(self->buf, RW | END));
}

FIXTURE_TEARDOWN(wait)
{
}

/*
 * START returned: what it waited for must have happened. No clock is needed for
 * that, the fence itself tells.
 */
static void expect_wait(struct __test_metadata *_metadata, int buf, int timeline,
			__u32 fence_flags, __u64 sync_flags)
{
	struct signaller signaller;
	int fence;

	fence = add_fence(_metadata, buf, fence_flags, timeline, 1);
	signaller_start(_metadata, &signaller, timeline, 50);
	EXPECT_EQ(0, sync_buffer(buf, sync_flags));
	EXPECT_EQ(1, sync_file_status(fence));
	signaller_join(&signaller);
	EXPECT_EQ(0, sync_buffer(buf, sync_flags | END));
	close(fence);
}

TEST_F(wait, read_waits_for_write_fence)
{
	expect_wait(_metadata, self->buf, self->timeline, WRITE, READ | START);
}

TEST_F(wait, write_waits_for_read_fence)
{
	expect_wait(_metadata, self->buf, self->timeline, READ, WRITE | START);
}

/* A fence that ended with an error has ended; the access is not refused. */
TEST_F(wait, failed_fence_does_not_count)
{
	int other = setup_timeline(_metadata);
	int fence = add_fence(_metadata, self->buf, WRITE, other, 1);

	close(other);
	ASSERT_EQ(-ENOENT, sync_file_status(fence));
	interrupt_after(NOT_WAITING_MS, 0);
	EXPECT_EQ(0, sync_buffer(self->buf, RW | START));
	interrupt_after(0, 0);
}

TEST_F(wait, signal_interrupts_the_wait)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);

	interrupt_after(50, 0);
	EXPECT_EQ(-EINTR, sync_buffer(self->buf, READ | START));
	interrupt_after(0, 0);
	EXPECT_EQ(0, sync_file_status(fence));
}

TEST_F(wait, signal_restarts_the_wait)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	struct signaller signaller;

	signaller_start(_metadata, &signaller, self->timeline, 150);
	interrupt_after(50, SA_RESTART);
	EXPECT_EQ(0, sync_buffer(self->buf, READ | START));
	EXPECT_EQ(1, sync_file_status(fence));
	EXPECT_LT(0, interruptions);
	interrupt_after(0, 0);
	signaller_join(&signaller);
}

/* -------------------------------------------------------------------- races */

struct starter {
	pthread_t thread;
	int buf;
	int ret;
	int fence;
	int status;
};

static void *starter_main(void *arg)
{
	struct starter *starter = arg;

	starter->ret = sync_buffer(starter->buf, RW | START);
	starter->status = sync_file_status(starter->fence);
	return NULL;
}

TEST_F(wait, many_waiters_all_wake)
{
	struct starter starters[8];
	int fence;
	size_t i;

	fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	for (i = 0; i < ARRAY_SIZE(starters); i++) {
		starters[i].buf = self->buf;
		starters[i].fence = fence;
		ASSERT_EQ(0, pthread_create(&starters[i].thread, NULL, starter_main,
					    &starters[i]));
	}
	sleep_ms(50);
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	for (i = 0; i < ARRAY_SIZE(starters); i++) {
		ASSERT_EQ(0, pthread_join(starters[i].thread, NULL));
		EXPECT_EQ(0, starters[i].ret);
		EXPECT_EQ(1, starters[i].status);
	}
}

/* A thread signals while this one starts: neither order may lose the wake-up. */
TEST_F_TIMEOUT(wait, signal_races_with_start, 300)
{
	struct signaller signaller;
	int fence, round;

	for (round = 1; round <= 200; round++) {
		fence = add_fence(_metadata, self->buf, WRITE, self->timeline, round);
		signaller_start(_metadata, &signaller, self->timeline, 0);
		if (round & 1)
			sched_yield();
		ASSERT_EQ(0, sync_buffer(self->buf, READ | START));
		ASSERT_EQ(1, sync_file_status(fence));
		signaller_join(&signaller);
		close(fence);
	}
}

TEST_HARNESS_MAIN
