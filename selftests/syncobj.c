// SPDX-License-Identifier: GPL-2.0
/*
 * DRM synchronisation objects: fences and chains of fences behind handles
 */
#include "common.h"

#include <sys/eventfd.h>

#define WAIT_ALL	DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL
#define FOR_SUBMIT	DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT
#define AVAILABLE	DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE
#define DEADLINE	DRM_SYNCOBJ_WAIT_FLAGS_WAIT_DEADLINE

/* Longer than a test may run: a lost wake-up fails it. */
#define FOREVER_MS	60000

FIXTURE(syncobj)
{
	int drm;
	int timeline[3];
	int fence[3];
	__u32 obj;	/* a timeline of points */
	__u32 binary;
};

static __u32 create(struct __test_metadata *_metadata, int drm, __u32 flags)
{
	struct drm_syncobj_create arg = { .flags = flags };

	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_SYNCOBJ_CREATE, &arg));
	return arg.handle;
}

FIXTURE_SETUP(syncobj)
{
	int i;

	self->drm = drm_open("syncobj-test");
	if (self->drm < 0)
		SKIP(return, "no device syncobj-test (CONFIG_DMABUF_SYNCOBJ_TEST)");
	for (i = 0; i < 3; i++) {
		self->timeline[i] = setup_timeline(_metadata);
		if (self->timeline[i] < 0)
			return;
		self->fence[i] = timeline_fence(self->timeline[i], 1);
	}
	self->obj = create(_metadata, self->drm, 0);
	self->binary = create(_metadata, self->drm, 0);
}

FIXTURE_TEARDOWN(syncobj)
{
}

static int import(int drm, __u32 handle, int sync_file)
{
	struct drm_syncobj_handle arg = {
		.handle = handle,
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = sync_file,
	};

	return do_ioctl(drm, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &arg);
}

/* A sync_file of what the object holds, or -errno. */
static int export(int drm, __u32 handle)
{
	struct drm_syncobj_handle arg = {
		.handle = handle,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};
	int ret = do_ioctl(drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &arg);

	return ret ? ret : arg.fd;
}

/* Point 0 stands for whatever the object holds. */
static int transfer(int drm, __u32 src, __u64 src_point, __u32 dst, __u64 dst_point)
{
	struct drm_syncobj_transfer arg = {
		.src_handle = src,
		.dst_handle = dst,
		.src_point = src_point,
		.dst_point = dst_point,
	};

	return do_ioctl(drm, DRM_IOCTL_SYNCOBJ_TRANSFER, &arg);
}

static int signal_point(int drm, __u32 handle, __u64 point)
{
	struct drm_syncobj_timeline_array arg = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.count_handles = 1,
	};

	return do_ioctl(drm, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &arg);
}

/* The last point that has been reached, or -errno. */
static __s64 query(int drm, __u32 handle, __u32 flags)
{
	__u64 point = -1;
	struct drm_syncobj_timeline_array arg = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.count_handles = 1,
		.flags = flags,
	};
	int ret = do_ioctl(drm, DRM_IOCTL_SYNCOBJ_QUERY, &arg);

	return ret ? ret : (__s64)point;
}

static __s64 in_ms(unsigned int ms)
{
	return ms ? now_ns() + ms * 1000000LL : 0;
}

static int wait_for(int drm, const __u32 *handles, __u32 count, __u32 flags,
		    unsigned int ms, __u32 *first)
{
	struct drm_syncobj_wait arg = {
		.handles = (uintptr_t)handles,
		.timeout_nsec = in_ms(ms),
		.count_handles = count,
		.flags = flags,
		.deadline_nsec = 4321,
	};
	int ret = do_ioctl(drm, DRM_IOCTL_SYNCOBJ_WAIT, &arg);

	if (first)
		*first = arg.first_signaled;
	return ret;
}

static int wait_point(int drm, __u32 handle, __u64 point, __u32 flags, unsigned int ms)
{
	struct drm_syncobj_timeline_wait arg = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.timeout_nsec = in_ms(ms),
		.count_handles = 1,
		.flags = flags,
		.deadline_nsec = 4321,
	};

	return do_ioctl(drm, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &arg);
}

/* The fence of a file becomes that point of the timeline. */
static int add_point(int drm, __u32 handle, __u64 point, int sync_file)
{
	struct drm_syncobj_create tmp = { };
	struct drm_syncobj_destroy destroy = { };
	int ret;

	ret = do_ioctl(drm, DRM_IOCTL_SYNCOBJ_CREATE, &tmp);
	if (ret)
		return ret;
	ret = import(drm, tmp.handle, sync_file);
	if (!ret)
		ret = transfer(drm, tmp.handle, 0, handle, point);
	destroy.handle = tmp.handle;
	do_ioctl(drm, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
	return ret;
}

static void add_points(struct __test_metadata *_metadata,
		       FIXTURE_DATA(syncobj) *self)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, add_point(self->drm, self->obj, 1 + i, self->fence[i]));
}

/* --------------------------------------------------------------------- binary */

TEST_F(syncobj, export_and_import_refuse_missing_fences)
{
	int before = taken_fds();

	EXPECT_EQ(-EINVAL, export(self->drm, self->binary));
	EXPECT_EQ(-EINVAL, import(self->drm, self->binary, -1));
	EXPECT_EQ(-EINVAL, import(self->drm, self->binary, self->timeline[0]));
	EXPECT_EQ(-ENOENT, import(self->drm, 1000, self->fence[0]));
	EXPECT_EQ(-EINVAL, wait_for(self->drm, &self->binary, 1, 0, 0, NULL));
	EXPECT_EQ(before, taken_fds());
}

TEST_F(syncobj, exports_what_was_imported)
{
	int file;

	ASSERT_EQ(0, set_deadline(self->fence[0], 99));
	ASSERT_EQ(0, import(self->drm, self->binary, self->fence[0]));
	file = export(self->drm, self->binary);
	ASSERT_LE(0, file);
	EXPECT_EQ(99, fence_deadline(self->timeline[0], file));
	EXPECT_EQ(0, sync_file_status(file));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(1, sync_file_status(file));
}

TEST_F(syncobj, can_be_created_signalled)
{
	__u32 handle = create(_metadata, self->drm, DRM_SYNCOBJ_CREATE_SIGNALED);
	struct sync_fence_info info = { };
	int file = export(self->drm, handle);

	EXPECT_EQ(0, wait_for(self->drm, &handle, 1, 0, 0, NULL));
	ASSERT_EQ(1, sync_file_fences(file, &info, 1));
	EXPECT_EQ(1, info.status);
	EXPECT_STREQ("stub", info.driver_name);
}

TEST_F(syncobj, wait_any_and_all)
{
	__u32 handles[2] = { self->binary, self->obj }, first = 99;

	ASSERT_EQ(0, import(self->drm, handles[0], self->fence[0]));
	ASSERT_EQ(0, import(self->drm, handles[1], self->fence[1]));
	EXPECT_EQ(-ETIME, wait_for(self->drm, handles, 2, 0, 0, NULL));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(0, wait_for(self->drm, handles, 2, 0, 0, &first));
	EXPECT_EQ(1U, first);
	EXPECT_EQ(-ETIME, wait_for(self->drm, handles, 2, WAIT_ALL, 10, NULL));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(0, wait_for(self->drm, handles, 2, WAIT_ALL, 0, NULL));
}

/* A container behind a handle: what was merged is waited for as a whole. */
TEST_F(syncobj, wait_works_for_merged_fence)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);
	struct signaller signaller;

	ASSERT_EQ(0, import(self->drm, self->binary, merged));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(-ETIME, wait_for(self->drm, &self->binary, 1, 0, 10, NULL));
	signaller_start(_metadata, &signaller, self->timeline[1], 20);
	EXPECT_EQ(0, wait_for(self->drm, &self->binary, 1, 0, FOREVER_MS, NULL));
	signaller_join(&signaller);
}

TEST_F(syncobj, deadline_of_a_wait)
{
	ASSERT_EQ(0, import(self->drm, self->binary, self->fence[0]));
	EXPECT_EQ(-ETIME, wait_for(self->drm, &self->binary, 1, DEADLINE, 1, NULL));
	EXPECT_EQ(4321, fence_deadline(self->timeline[0], self->fence[0]));
}

/* ------------------------------------------------------------------- timeline */

TEST_F(syncobj, points_are_reached_in_order)
{
	int i;

	add_points(_metadata, self);
	EXPECT_EQ(3, query(self->drm, self->obj,
			   DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i, query(self->drm, self->obj, 0));
		EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, i + 1, 0, 0));
		ASSERT_EQ(0, timeline_advance(self->timeline[i], 1));
		EXPECT_EQ(0, wait_point(self->drm, self->obj, i + 1, 0, FOREVER_MS));
	}
	EXPECT_EQ(3, query(self->drm, self->obj, 0));
}

/* A point is reached when all points before it are. */
TEST_F(syncobj, points_out_of_order)
{
	add_points(_metadata, self);
	ASSERT_EQ(0, timeline_advance(self->timeline[2], 1));
	EXPECT_EQ(0, query(self->drm, self->obj, 0));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 3, 0, 10));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 2, 0, 10));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 3, 0, FOREVER_MS));
	EXPECT_EQ(3, query(self->drm, self->obj, 0));
}

/* A request for a point in a gap returns the next later point. */
TEST_F(syncobj, point_in_a_gap_is_reached_with_the_next_one)
{
	ASSERT_EQ(0, add_point(self->drm, self->obj, 5, self->fence[0]));
	ASSERT_EQ(0, add_point(self->drm, self->obj, 1ULL << 40, self->fence[1]));
	EXPECT_EQ(-EINVAL, wait_point(self->drm, self->obj, (1ULL << 40) + 1, 0, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 3, 0, FOREVER_MS));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 6, 0, 10));
	EXPECT_EQ(5, query(self->drm, self->obj, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 6, 0, FOREVER_MS));
}

TEST_F(syncobj, user_space_can_signal_and_reset)
{
	ASSERT_EQ(0, signal_point(self->drm, self->obj, 10));
	EXPECT_EQ(10, query(self->drm, self->obj, 0));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 10, 0, 0));
	ASSERT_EQ(0, add_point(self->drm, self->obj, 11, self->fence[0]));
	ASSERT_EQ(0, signal_point(self->drm, self->obj, 12));
	EXPECT_EQ(10, query(self->drm, self->obj, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(12, query(self->drm, self->obj, 0));
}

TEST_F(syncobj, waits_for_a_point_to_come)
{
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 1, FOR_SUBMIT, 10));
	ASSERT_EQ(0, add_point(self->drm, self->obj, 1, self->fence[0]));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 1, AVAILABLE, 0));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 1, FOR_SUBMIT, 10));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 2, AVAILABLE, 10));
}

TEST_F(syncobj, sleeper_on_a_point_wakes)
{
	struct signaller signallers[3];
	int i;

	add_points(_metadata, self);
	for (i = 0; i < 3; i++)
		signaller_start(_metadata, &signallers[i], self->timeline[i],
				20 * (3 - i));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 3, 0, FOREVER_MS));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, sync_file_status(self->fence[i]));
		signaller_join(&signallers[i]);
	}
}

TEST_F(syncobj, deadline_reaches_all_points)
{
	int i;

	add_points(_metadata, self);
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 3, DEADLINE, 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(4321, fence_deadline(self->timeline[i], self->fence[i]));
}

TEST_F(syncobj, eventfd_tells_that_a_point_is_reached)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct drm_syncobj_eventfd arg = {
		.handle = self->obj,
		.point = 2,
		.fd = event,
	};

	add_points(_metadata, self);
	ASSERT_EQ(0, do_ioctl(self->drm, DRM_IOCTL_SYNCOBJ_EVENTFD, &arg));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(0, poll_for(event, POLLIN, 10));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	EXPECT_EQ(POLLIN, poll_for(event, POLLIN, FOREVER_MS));
}

/* ---------------------------------------------------------- chains in files */

/* The exported fence is a chain; the file describes the plain fences in it. */
TEST_F(syncobj, chain_in_a_file)
{
	struct sync_fence_info infos[3];
	int file, i;

	add_points(_metadata, self);
	file = export(self->drm, self->obj);
	ASSERT_LE(0, file);
	ASSERT_EQ(3, sync_file_fences(file, infos, 3));
	for (i = 0; i < 3; i++) {
		EXPECT_STREQ("sw_sync", infos[i].driver_name);
		EXPECT_EQ(0, poll_for(file, POLLIN, 0));
		EXPECT_EQ(0, sync_file_status(file));
		ASSERT_EQ(0, timeline_advance(self->timeline[2 - i], 1));
	}
	EXPECT_EQ(POLLIN, poll_for(file, POLLIN, FOREVER_MS));
	EXPECT_EQ(1, sync_file_status(file));
}

/* Arrays as links of a chain, merged with a plain fence: three of them are left. */
TEST_F(syncobj, chain_of_arrays_merged)
{
	int merged, file, all;

	merged = sync_file_merge(self->fence[0], self->fence[1]);
	ASSERT_EQ(0, add_point(self->drm, self->obj, 1, merged));
	ASSERT_EQ(0, add_point(self->drm, self->obj, 2, merged));
	file = export(self->drm, self->obj);
	EXPECT_EQ(4, sync_file_count(file));
	all = sync_file_merge(file, self->fence[2]);
	ASSERT_LE(0, all);
	EXPECT_EQ(3, sync_file_count(all));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(1, sync_file_status(file));
	EXPECT_EQ(0, sync_file_status(all));
	EXPECT_EQ(0, wait_point(self->drm, self->obj, 2, 0, FOREVER_MS));
}

/* A chain goes into a buffer as its plain fences, and comes out as one file. */
TEST_F(syncobj, chain_in_a_buffer)
{
	int buf, file, out;

	buf = udmabuf_alloc(page_size());
	if (buf == -ENODEV)
		SKIP(return, "no /dev/udmabuf (CONFIG_UDMABUF)");
	add_points(_metadata, self);
	file = export(self->drm, self->obj);
	ASSERT_EQ(0, import_fences(buf, DMA_BUF_SYNC_WRITE, file));
	out = export_fences(buf, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, out);
	EXPECT_EQ(3, sync_file_count(out));
	ASSERT_EQ(0, import(self->drm, self->binary, out));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1));
	ASSERT_EQ(0, timeline_advance(self->timeline[1], 1));
	EXPECT_EQ(-ETIME, wait_for(self->drm, &self->binary, 1, 0, 10, NULL));
	ASSERT_EQ(0, timeline_advance(self->timeline[2], 1));
	EXPECT_EQ(0, wait_for(self->drm, &self->binary, 1, 0, FOREVER_MS, NULL));
}

/* Long, all pending, and gone at once. A slow machine takes a minute for it. */
TEST_F_TIMEOUT(syncobj, long_chain_of_pending_points_works_and_goes, 300)
{
	int point, fence;

	for (point = 1; point <= 3000; point++) {
		fence = timeline_fence(self->timeline[0], point);
		ASSERT_EQ(0, import(self->drm, self->binary, fence));
		ASSERT_EQ(0, transfer(self->drm, self->binary, 0, self->obj, point));
		close(fence);
	}
	EXPECT_EQ(0, query(self->drm, self->obj, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline[0], 1500));
	EXPECT_EQ(1500, query(self->drm, self->obj, 0));
	EXPECT_EQ(-ETIME, wait_point(self->drm, self->obj, 1501, 0, 0));
}

TEST_HARNESS_MAIN
