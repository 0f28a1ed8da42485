// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_BUF_IOCTL_EXPORT_SYNC_FILE and DMA_BUF_IOCTL_IMPORT_SYNC_FILE: from
 * implicit fences to explicit ones, and back
 */
#include "common.h"

#include <drm/vgem_drm.h>

#define BUF_SIZE	page_size()

#define READ	DMA_BUF_SYNC_READ
#define WRITE	DMA_BUF_SYNC_WRITE
#define RW	DMA_BUF_SYNC_RW

FIXTURE(sync_file)
{
	int buf;
	int timeline;
};

EACH_EXPORTER(sync_file);

FIXTURE_SETUP(sync_file)
{
	struct dma_buf_export_sync_file arg = { .flags = READ };

	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
	if (self->buf < 0)
		return;
	if (do_ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg) == -ENOTTY)
		SKIP(return, "no sync_file ioctls (CONFIG_SYNC_FILE)");
	close(arg.fd);
}

FIXTURE_TEARDOWN(sync_file)
{
}

/* Exports for one kind of access and tells how many fences that must wait for. */
static int pending_for(struct __test_metadata *_metadata, int buf, __u32 flags)
{
	struct sync_fence_info infos[256];
	int file, count, i, pending = 0;

	file = export_fences(buf, flags);
	ASSERT_LE(0, file);
	memset(infos, 0, sizeof(infos));
	count = sync_file_fences(file, infos, ARRAY_SIZE(infos));
	ASSERT_LE(1, count);
	for (i = 0; i < count; i++)
		pending += infos[i].status == 0;
	close(file);
	return pending;
}

/* -------------------------------------------------------- arguments of export */

TEST_F(sync_file, refuses_unknown_commands)
{
	struct dma_buf_export_sync_file arg = { .flags = READ };
	const unsigned long unknown[] = {
		_IO('b', 2),
		_IO('b', 3),
		_IOW('b', 2, struct dma_buf_export_sync_file),
		_IOR('b', 2, struct dma_buf_export_sync_file),
		_IOWR('b', 2, __u32),
		_IOWR('b', 3, struct dma_buf_import_sync_file),
		_IOR('b', 3, struct dma_buf_import_sync_file),
		_IOW('b', 3, __u64[2]),
		_IOWR('B', 2, struct dma_buf_export_sync_file),
	};
	int before = taken_fds();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->buf, unknown[i], &arg))
			TH_LOG("command %#lx", unknown[i]);
	}
	EXPECT_EQ(before, taken_fds());
}

/* An argument that is not there, or only half of it. */
TEST_F(sync_file, refuses_bad_pointers)
{
	const unsigned long cmds[] = {
		DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
		DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
	};
	char *last = page_before_hole(_metadata) + page_size() - 4;
	int before = taken_fds();
	size_t i;

	last[0] = READ;
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EFAULT, do_ioctl(self->buf, cmds[i], NULL));
		EXPECT_EQ(-EFAULT, do_ioctl(self->buf, cmds[i], last));
	}
	EXPECT_EQ(before, taken_fds());
}

TEST_F(sync_file, export_unknown_flag_bits)
{
	struct dma_buf_export_sync_file arg;
	int before = taken_fds();
	unsigned int bit;

	for (bit = 2; bit < 32; bit++) {
		arg.flags = RW | 1U << bit;
		arg.fd = 1234;
		EXPECT_EQ(-EINVAL, do_ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg))
			TH_LOG("bit %u", bit);
		EXPECT_EQ(1234, arg.fd);
	}
	EXPECT_EQ(before, taken_fds());
}

/* The fd member is only for the answer. */
TEST_F(sync_file, export_ignores_fd_member)
{
	const int inputs[] = { -1, 0, self->buf, INT32_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inputs); i++) {
		struct dma_buf_export_sync_file arg = {
			.flags = RW,
			.fd = inputs[i],
		};
		int lowest = dup(STDERR_FILENO);

		close(lowest);
		ASSERT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg));
		EXPECT_EQ(lowest, arg.fd);
		EXPECT_EQ((__u32)RW, arg.flags);
		close(arg.fd);
	}
}

/* -------------------------------------------------------- arguments of import */

TEST_F(sync_file, import_unknown_flag_bits)
{
	int fence = timeline_fence(self->timeline, 1);
	unsigned int bit;

	ASSERT_LE(0, fence);
	for (bit = 2; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, import_fences(self->buf, RW | 1U << bit, fence))
			TH_LOG("bit %u", bit);
	}
	EXPECT_EQ(0, pending_for(_metadata, self->buf, RW));
}

TEST_F(sync_file, import_of_something_else)
{
	int memfd = sealed_memfd(page_size());
	int closed = dup(memfd);
	const int others[] = {
		-1, INT32_MIN, INT32_MAX, closed, memfd, self->buf, self->timeline,
	};
	size_t i;

	ASSERT_LE(0, memfd);
	close(closed);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-EINVAL, import_fences(self->buf, RW, others[i]))
			TH_LOG("fd %d", others[i]);
	}
}

/* The argument is only read: a read-only one will do. */
TEST_F(sync_file, import_from_read_only_memory)
{
	struct dma_buf_import_sync_file *arg = (void *)page_before_hole(_metadata);
	int fence = timeline_fence(self->timeline, 1);

	ASSERT_LE(0, fence);
	arg->flags = WRITE;
	arg->fd = fence;
	ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ));
	EXPECT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, arg));
	EXPECT_EQ(1, pending_for(_metadata, self->buf, READ));
}

/* ----------------------------------------------------------------- behaviour */

/* It is the very fence that comes out again, and it signals when it should. */
TEST_F(sync_file, exported_fence_is_the_imported)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	struct sync_fence_info in = { }, out = { };
	int file;

	file = export_fences(self->buf, READ);
	ASSERT_LE(0, file);
	EXPECT_EQ(1, sync_file_fences(fence, &in, 1));
	EXPECT_EQ(1, sync_file_fences(file, &out, 1));
	EXPECT_STREQ("sw_sync", out.driver_name);
	EXPECT_STREQ(in.obj_name, out.obj_name);
	EXPECT_EQ(0, sync_file_status(file));
	EXPECT_EQ(0, poll_for(file, POLLIN, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, sync_file_status(file));
	EXPECT_EQ(POLLIN, poll_for(file, POLLIN, 0));
	EXPECT_EQ(1, sync_file_fences(fence, &in, 1));
	EXPECT_EQ(1, sync_file_fences(file, &out, 1));
	EXPECT_EQ(in.timestamp_ns, out.timestamp_ns);
}

TEST_F(sync_file, error_of_a_fence_shows)
{
	int other = setup_timeline(_metadata);
	int file;

	add_fence(_metadata, self->buf, WRITE, other, 1);
	file = export_fences(self->buf, READ);
	ASSERT_LE(0, file);
	close(other);
	EXPECT_EQ(-ENOENT, sync_file_status(file));
	EXPECT_EQ(POLLIN, poll_for(file, POLLIN, 0));
	EXPECT_EQ(0, pending_for(_metadata, self->buf, READ));
}

TEST_F(sync_file, one_fence_in_two_buffers)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	int other = buffer_alloc(variant->exporter, BUF_SIZE);

	ASSERT_LE(0, other);
	EXPECT_EQ(0, pending_for(_metadata, other, RW));
	ASSERT_EQ(0, import_fences(other, READ, fence));
	EXPECT_EQ(1, pending_for(_metadata, self->buf, READ));
	EXPECT_EQ(0, pending_for(_metadata, other, READ));
	EXPECT_EQ(1, pending_for(_metadata, other, WRITE));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(0, pending_for(_metadata, self->buf, RW));
	EXPECT_EQ(0, pending_for(_metadata, other, RW));
}

TEST_F(sync_file, exported_fence_outlives_buffer)
{
	int fence = add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	int file;

	file = export_fences(self->buf, READ);
	ASSERT_LE(0, file);
	close(self->buf);
	close(fence);
	EXPECT_EQ(0, sync_file_status(file));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(1, sync_file_status(file));
}

/* The file holds the fence, not the buffer. */
TEST_F(sync_file, export_does_not_hold_the_buffer)
{
	long count = buffer_count(self->buf);
	int file;

	add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	file = export_fences(self->buf, READ);
	ASSERT_LE(0, file);
	EXPECT_EQ(count, buffer_count(self->buf));
}

TEST_F(sync_file, export_waits_for_each_of_a_hundred_fences)
{
	int timelines[100];
	int i;

	for (i = 0; i < 100; i++) {
		timelines[i] = setup_timeline(_metadata);
		add_fence(_metadata, self->buf, WRITE, timelines[i], 1);
	}
	EXPECT_EQ(100, pending_for(_metadata, self->buf, READ));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, timeline_advance(timelines[(i * 37) % 100], 1));
		EXPECT_EQ(99 - i, pending_for(_metadata, self->buf, READ));
	}
}

TEST(access_mode_does_not_matter)
{
	int timeline, buf;

	timeline = setup_timeline(_metadata);
	if (timeline < 0)
		return;
	buf = heap_alloc(BUF_SIZE, O_RDONLY | O_CLOEXEC);
	if (buf == -ENODEV)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	add_fence(_metadata, buf, WRITE, timeline, 1);
	EXPECT_EQ(1, pending_for(_metadata, buf, READ));
}

/* Fences that a driver puts into its own object are the buffer's fences, too. */
TEST(fences_of_the_exporter)
{
	struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	struct drm_vgem_fence_signal signal = { };
	struct sync_fence_info info = { };
	int drm, buf, file;

	drm = setup_drm(_metadata, "vgem");
	if (drm < 0)
		return;
	buf = drm_export(drm, BUF_SIZE, &attach.handle);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, pending_for(_metadata, buf, RW));
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
	file = export_fences(buf, READ);
	ASSERT_LE(0, file);
	EXPECT_EQ(0, sync_file_status(file));
	EXPECT_EQ(1, sync_file_fences(file, &info, 1));
	EXPECT_STREQ("vgem", info.driver_name);
	signal.fence = attach.out_fence;
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
	EXPECT_EQ(1, sync_file_status(file));
	EXPECT_EQ(0, pending_for(_metadata, buf, RW));
}

/* And the other way round: the driver sees what user space put in. */
TEST(fences_for_the_exporter)
{
	struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	int drm, buf, timeline;

	timeline = setup_timeline(_metadata);
	if (timeline < 0)
		return;
	drm = setup_drm(_metadata, "vgem");
	if (drm < 0)
		return;
	buf = drm_export(drm, BUF_SIZE, &attach.handle);
	ASSERT_LE(0, buf);
	add_fence(_metadata, buf, READ, timeline, 1);
	EXPECT_EQ(-EBUSY, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
	ASSERT_EQ(0, timeline_advance(timeline, 1));
	EXPECT_EQ(0, do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
}

/* --------------------------------------------------- races, failing allocations */

struct user {
	pthread_t thread;
	int buf;
	int timeline;
	int ret;
};

/* Waits for what is there, adds a fence, signals it: what every driver does. */
static void *user_main(void *arg)
{
	struct user *user = arg;
	int round, fence, file;

	for (round = 1; round <= 200 && !user->ret; round++) {
		fence = timeline_fence(user->timeline, round);
		file = export_fences(user->buf, round & 1 ? READ : WRITE);
		user->ret = import_fences(user->buf, round & 2 ? READ : WRITE, fence);
		if (fence < 0 || file < 0)
			user->ret = -1;
		sched_yield();
		timeline_advance(user->timeline, 1);
		if (poll_for(file, POLLIN, 10000) != POLLIN)
			user->ret = -2;
		close(fence);
		close(file);
	}
	return NULL;
}

TEST_F_TIMEOUT(sync_file, import_races_with_export, 300)
{
	int before = taken_fds();
	struct user users[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(users); i++) {
		users[i].buf = self->buf;
		users[i].timeline = setup_timeline(_metadata);
		users[i].ret = 0;
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, user_main,
					    &users[i]));
	}
	for (i = 0; i < ARRAY_SIZE(users); i++) {
		pthread_join(users[i].thread, NULL);
		EXPECT_EQ(0, users[i].ret);
		close(users[i].timeline);
	}
	EXPECT_EQ(0, pending_for(_metadata, self->buf, RW));
	EXPECT_EQ(before, taken_fds());
}

TEST_F(sync_file, failed_export_leaves_nothing)
{
	int other = setup_timeline(_metadata);
	int ret, before, refused = 0;
	struct fail_nth fail;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	add_fence(_metadata, self->buf, WRITE, self->timeline, 1);
	add_fence(_metadata, self->buf, WRITE, other, 1);
	before = taken_fds();
	do {
		fail_nth_arm(_metadata, &fail);
		ret = export_fences(self->buf, READ);
		failed = fail_nth_disarm(_metadata, &fail);
		if (ret < 0) {
			EXPECT_TRUE(fail_nth_refused(ret));
			EXPECT_EQ(before, taken_fds());
			refused++;
		} else {
			EXPECT_EQ(2, sync_file_count(ret));
			close(ret);
		}
	} while (failed);
	EXPECT_LE(0, ret);
	EXPECT_LT(0, refused);
}

/* A failed import has added nothing, not even some of several fences. */
TEST_F(sync_file, failed_import_leaves_nothing)
{
	int timelines[8], merged, next, buf, ret, refused = 0;
	struct fail_nth fail;
	bool failed;
	size_t i;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	merged = timeline_fence(self->timeline, 1);
	for (i = 0; i < ARRAY_SIZE(timelines); i++) {
		int fence;

		timelines[i] = setup_timeline(_metadata);
		fence = timeline_fence(timelines[i], 1);
		next = sync_file_merge(merged, fence);
		ASSERT_LE(0, next);
		close(merged);
		close(fence);
		merged = next;
	}
	do {
		buf = buffer_alloc(variant->exporter, BUF_SIZE);
		ASSERT_LE(0, buf);
		fail_nth_arm(_metadata, &fail);
		ret = import_fences(buf, WRITE, merged);
		failed = fail_nth_disarm(_metadata, &fail);
		if (ret) {
			EXPECT_TRUE(fail_nth_refused(ret));
			refused++;
		}
		EXPECT_EQ(ret ? 0 : 9, pending_for(_metadata, buf, RW));
		close(buf);
	} while (failed);
	EXPECT_EQ(0, ret);
	EXPECT_LT(0, refused);
}

TEST_HARNESS_MAIN
