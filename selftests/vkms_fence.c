// SPDX-License-Identifier: GPL-2.0
/*
 * The fences of a display: IN_FENCE_FD and OUT_FENCE_PTR of atomic commits
 *
 * vkms shows nothing, but waits and signals as any display driver does, through
 * the helpers that all of them share. DRM_DRIVER names another one.
 */
#include "display.h"

/* Several frames: what has not come by then does not come by itself. */
#define SOME_FRAMES_MS	100
/* How long vkms shows a picture. */
#define FRAME_NS	(1000000000LL / 60 + 1)

FIXTURE(vkms)
{
	struct display display;
	int timeline[2];
	int fence[2];
};

FIXTURE_SETUP(vkms)
{
	int ret = open_display(_metadata, &self->display, display_driver());

	if (self->display.drm < 0 || !setup_two_fences(_metadata, self->timeline, self->fence))
		return;
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, add_picture(&self->display, 0));
	ASSERT_EQ(0, add_picture(&self->display, 1));
	ASSERT_EQ(0, turn_on(&self->display));
}

/* Closing the timelines comes first: flips that wait for a fence go on. */
FIXTURE_TEARDOWN(vkms)
{
	int i;

	for (i = 0; i < 2; i++) {
		close(self->timeline[i]);
		close(self->fence[i]);
		close(self->display.buf[i]);
	}
	EXPECT_EQ(0, turn_off(&self->display));
	close(self->display.drm);
}

/* Wait for a flip. */
static int flipped(int out_fence)
{
	return poll_for(out_fence, POLLIN, NOT_WAITING_MS);
}

/* Returns what has happened to a flip after some frames, that is, 0 if nothing. */
static int flipped_early(int out_fence)
{
	return poll_for(out_fence, POLLIN, SOME_FRAMES_MS);
}

/* ------------------------------------------------------------- bad arguments */

TEST_F(vkms, in_fence_is_something_else)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, null);
	EXPECT_EQ(-EINVAL, flip(&self->display, null));
	EXPECT_EQ(-EINVAL, flip(&self->display, self->timeline[0]));
	EXPECT_EQ(-EINVAL, flip(&self->display, self->display.buf[0]));
	close(null);
	EXPECT_EQ(-EINVAL, flip(&self->display, null));
}

/* The fence is made before its descriptor: it goes again, and no flip is lost. */
TEST_F(vkms, no_descriptor_for_the_out_fence)
{
	struct rlimit old;
	int out_fence;

	fill_fd_table(_metadata, &old);
	EXPECT_EQ(-EMFILE, flip(&self->display, NO_FENCE));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	out_fence = flip(&self->display, NO_FENCE);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

/* A commit that fails after the fence was taken gives it back. */
TEST_F(vkms, refused_commit_keeps_no_fence)
{
	static char info[1 << 16];
	struct request req = { };
	int before = taken_fds();
	__s32 out_fence = -ENODATA;

	set(&req, PLANE_FB, self->display.fb[1]);
	set(&req, PLANE_IN_FENCE, self->fence[0]);
	set(&req, PLANE_SRC_W, (__u64)self->display.mode.hdisplay << 17);
	set(&req, CRTC_OUT_FENCE, (uintptr_t)&out_fence);
	EXPECT_EQ(-ENOSPC, commit(&self->display, &req, DRM_MODE_ATOMIC_NONBLOCK));
	EXPECT_EQ(-1, out_fence);
	EXPECT_EQ(before, taken_fds());
	close(self->fence[0]);
	ASSERT_LT(0, read_file(DEBUGFS "/sync/info", info, sizeof(info)));
	EXPECT_NE(NULL, strstr(info, "\nfirst: 0\n\n"));
}

/* ----------------------------------------------------------------- in fences */

TEST_F(vkms, in_fence_is_optional)
{
	int out_fence = flip(&self->display, NO_FENCE);

	ASSERT_LE(0, out_fence);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

TEST_F(vkms, flip_waits_for_the_in_fence)
{
	int out_fence = flip(&self->display, self->fence[0]);

	ASSERT_LE(0, out_fence);
	EXPECT_EQ(0, flipped_early(out_fence));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

/* The descriptor is looked at once: what becomes of it later does not matter. */
TEST_F(vkms, in_fence_may_be_closed)
{
	int out_fence = flip(&self->display, self->fence[0]);

	ASSERT_LE(0, out_fence);
	close(self->fence[0]);
	EXPECT_EQ(0, flipped_early(out_fence));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

TEST_F(vkms, in_fence_that_has_signalled)
{
	int out_fence;

	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	out_fence = flip(&self->display, self->fence[0]);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

TEST_F(vkms, flip_waits_for_all_of_a_merged_fence)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	int out_fence = flip(&self->display, merged);

	ASSERT_LE(0, out_fence);
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(0, flipped_early(out_fence));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
	close(merged);
}

/* It is over all the same, and the display has to go on. */
TEST_F(vkms, in_fence_with_an_error)
{
	int out_fence = flip(&self->display, self->fence[0]);

	ASSERT_LE(0, out_fence);
	close(self->timeline[0]);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	EXPECT_EQ(-ENOENT, sync_file_status(self->fence[0]));
	EXPECT_EQ(1, sync_file_status(out_fence));
	close(out_fence);
}

TEST_F(vkms, blocking_commit_sleeps_until_the_fence_signals)
{
	struct request req = { };
	struct signaller signaller;
	__s64 start = now_ns();

	signaller_start(_metadata, &signaller, self->timeline[0], SOME_FRAMES_MS);
	set(&req, PLANE_FB, self->display.fb[1]);
	set(&req, PLANE_IN_FENCE, self->fence[0]);
	EXPECT_EQ(0, commit(&self->display, &req, 0));
	EXPECT_EQ(1, sync_file_status(self->fence[0]));
	EXPECT_LE(SOME_FRAMES_MS * 1000000LL, now_ns() - start);
	signaller_join(&signaller);
}

/* The next frame is a deadline, for each of the fences in the file. */
TEST_F(vkms, deadline_reaches_all_of_a_merged_fence)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	__s64 start = now_ns();
	int out_fence;

	EXPECT_EQ(-ENOENT, fence_deadline(self->timeline[0], self->fence[0]));
	out_fence = flip(&self->display, merged);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(0, flipped_early(out_fence));
	EXPECT_LE(start, fence_deadline(self->timeline[0], self->fence[0]));
	EXPECT_EQ(fence_deadline(self->timeline[0], self->fence[0]),
		  fence_deadline(self->timeline[0], self->fence[1]));
	close(out_fence);
	close(merged);
}

/* -------------------------------------------------- in fences of the buffers */

TEST_F(vkms, flip_waits_for_writers_of_the_buffer)
{
	int out_fence;

	ASSERT_EQ(0, import_fences(self->display.buf[1], DMA_BUF_SYNC_WRITE, self->fence[0]));
	out_fence = flip(&self->display, NO_FENCE);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(0, flipped_early(out_fence));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

TEST_F(vkms, flip_does_not_wait_for_readers_of_the_buffer)
{
	int out_fence;

	ASSERT_EQ(0, import_fences(self->display.buf[1], DMA_BUF_SYNC_READ, self->fence[0]));
	out_fence = flip(&self->display, NO_FENCE);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

/* With an explicit fence, the implicit fences of the buffer do not count. */
TEST_F(vkms, in_fence_takes_the_place_of_writers)
{
	int out_fence;

	ASSERT_EQ(0, import_fences(self->display.buf[1], DMA_BUF_SYNC_WRITE, self->fence[0]));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	out_fence = flip(&self->display, self->fence[1]);
	ASSERT_LE(0, out_fence);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	EXPECT_EQ(0, sync_file_status(self->fence[0]));
	close(out_fence);
}

/* ---------------------------------------------------------------- out fences */

TEST_F(vkms, out_fence_is_a_sync_file)
{
	int out_fence = flip(&self->display, self->fence[0]);
	char target[64];

	ASSERT_LE(0, out_fence);
	EXPECT_STREQ("anon_inode:sync_file", fd_link(out_fence, target, sizeof(target)));
	EXPECT_EQ(FD_CLOEXEC, fcntl(out_fence, F_GETFD));
	close(out_fence);
}

TEST_F(vkms, out_fence_tells_of_the_flip)
{
	struct sync_fence_info before = { }, after = { };
	int out_fence = flip(&self->display, self->fence[0]);
	char name[32];
	__s64 start;

	ASSERT_LE(0, out_fence);
	EXPECT_EQ(1, sync_file_fences(out_fence, &before, 1));
	EXPECT_STREQ(display_driver(), before.driver_name);
	snprintf(name, sizeof(name), "CRTC:%u-crtc-0", self->display.object[CRTC]);
	EXPECT_STREQ(name, before.obj_name);
	EXPECT_EQ(0, before.status);
	EXPECT_EQ(0, before.timestamp_ns);

	start = now_ns();
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	ASSERT_EQ(POLLIN, flipped(out_fence));
	EXPECT_EQ(1, sync_file_fences(out_fence, &after, 1));
	EXPECT_EQ(1, after.status);
	/* It is the time of the blank, which may have begun a frame ago. */
	EXPECT_LE(start - FRAME_NS, after.timestamp_ns);
	EXPECT_GE(now_ns(), after.timestamp_ns);
	close(out_fence);
}

TEST_F(vkms, sleeper_on_the_out_fence_wakes)
{
	int out_fence = flip(&self->display, self->fence[0]);
	struct signaller signaller;

	ASSERT_LE(0, out_fence);
	signaller_start(_metadata, &signaller, self->timeline[0], SOME_FRAMES_MS);
	EXPECT_EQ(POLLIN, flipped(out_fence));
	signaller_join(&signaller);
	close(out_fence);
}

TEST_F(vkms, out_fence_is_merged)
{
	int out_fence = flip(&self->display, self->fence[0]);
	struct sync_fence_info info[2] = { };
	int merged;

	ASSERT_LE(0, out_fence);
	merged = sync_file_merge(out_fence, self->fence[1]);
	ASSERT_LE(0, merged);
	EXPECT_EQ(2, sync_file_fences(merged, info, 2));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	EXPECT_EQ(0, poll_for(merged, POLLIN, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, NOT_WAITING_MS));
	close(merged);
	close(out_fence);
}

/* One flip waits for the other, on whatever display. */
TEST_F(vkms, out_fence_becomes_an_in_fence)
{
	int first, second, merged;

	first = flip(&self->display, NO_FENCE);
	ASSERT_LE(0, first);
	merged = sync_file_merge(first, self->fence[0]);
	ASSERT_LE(0, merged);
	ASSERT_EQ(POLLIN, flipped(first));
	second = flip(&self->display, merged);
	ASSERT_LE(0, second);
	EXPECT_EQ(0, flipped_early(second));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(second));
	close(second);
	close(merged);
	close(first);
}

/* The picture that is replaced may be drawn to again after the flip. */
TEST_F(vkms, out_fence_guards_a_buffer)
{
	int out_fence = flip(&self->display, self->fence[0]);
	struct sync_fence_info info = { };
	int again;

	ASSERT_LE(0, out_fence);
	ASSERT_EQ(0, import_fences(self->display.buf[0], DMA_BUF_SYNC_READ, out_fence));
	close(out_fence);
	EXPECT_EQ(0, poll_for(self->display.buf[0], POLLOUT, 0));
	again = export_fences(self->display.buf[0], DMA_BUF_SYNC_WRITE);
	ASSERT_LE(0, again);
	EXPECT_EQ(1, sync_file_fences(again, &info, 1));
	EXPECT_STREQ(display_driver(), info.driver_name);
	EXPECT_EQ(0, info.status);

	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(again));
	EXPECT_EQ(POLLOUT, poll_for(self->display.buf[0], POLLOUT, NOT_WAITING_MS));
	close(again);
}

/* Only one flip at a time. A refused flip does not change the pending one. */
TEST_F(vkms, second_flip_has_to_wait_for_its_turn)
{
	int before, out_fence = flip(&self->display, self->fence[0]);

	ASSERT_LE(0, out_fence);
	before = taken_fds();
	EXPECT_EQ(-EBUSY, flip(&self->display, NO_FENCE));
	EXPECT_EQ(before, taken_fds());
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, flipped(out_fence));
	close(out_fence);
}

TEST_HARNESS_MAIN
