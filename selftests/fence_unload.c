// SPDX-License-Identifier: GPL-2.0
/*
 * Fences in use after the module of their driver has been unloaded
 *
 * The driver is drivers/dma-buf/tests/fence_device.c. Its module comes from the file
 * that FENCE_DEVICE_MODULE names, or is found by modprobe.
 */
#include "common.h"

#include <sys/epoll.h>

#define DEVICE		"/dev/dmabuf_fence_test"
#define MODULE		"fence_device"
#define SYNC_INFO	DEBUGFS "/sync/info"
#define BUFINFO		DEBUGFS "/dma_buf/bufinfo"

/* The commands of the device. */
#define FENCE_TEST_CREATE	_IO('F', 0)
#define FENCE_TEST_SIGNAL	_IO('F', 1)
#define FENCE_TEST_WAIT		_IO('F', 2)

enum fence_kind {
	FENCE_PLAIN,	/* has names, and a lock in the driver's memory */
	FENCE_FULL,	/* has more operations, and a lock in the module */
};

#define READ	DMA_BUF_SYNC_READ
#define WRITE	DMA_BUF_SYNC_WRITE
#define RW	DMA_BUF_SYNC_RW

static char text[1 << 20];

FIXTURE(unload)
{
	int dev;
	int timeline;	/* of sw_sync, which stays */
	int stays;	/* first fence on it */
	int fence[2];	/* the driver's, from one context */
	long taints;
};

FIXTURE_VARIANT(unload)
{
	enum fence_kind kind;
};

FIXTURE_VARIANT_ADD(unload, plain)
{
	.kind = FENCE_PLAIN,
};

FIXTURE_VARIANT_ADD(unload, full)
{
	.kind = FENCE_FULL,
};

/* Returns the new sync_file. */
static int create_fence(int dev, enum fence_kind kind)
{
	int ret = ioctl(dev, FENCE_TEST_CREATE, kind);

	return ret < 0 ? -errno : ret;
}

/* Returns how many of the oldest pending fences have been signalled. */
static int signal_fences(int dev, unsigned int max)
{
	int ret = ioctl(dev, FENCE_TEST_SIGNAL, max);

	return ret < 0 ? -errno : ret;
}

/* The driver waits for a file of its own or of another. */
static int wait_for_fence(int dev, int sync_file)
{
	return ioctl(dev, FENCE_TEST_WAIT, sync_file) ? -errno : 0;
}

static void arrive(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self,
		   enum fence_kind kind)
{
	int i;

	self->dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	for (i = 0; i < 2; i++) {
		self->fence[i] = create_fence(self->dev, kind);
		ASSERT_LE(0, self->fence[i]);
		EXPECT_EQ(0, sync_file_status(self->fence[i]));
	}
}

/* The driver goes, after it has signalled both fences. */
static void leave(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self)
{
	EXPECT_EQ(2, signal_fences(self->dev, 2));
	close(self->dev);
	self->dev = -1;
	ASSERT_EQ(0, unload_module(MODULE));
	EXPECT_NE(0, access(DEVICE, F_OK));
}

FIXTURE_SETUP(unload)
{
	self->dev = -1;
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->taints = taints(_metadata);
	if (!load_module(_metadata, "FENCE_DEVICE_MODULE", MODULE) || access(DEVICE, F_OK))
		SKIP(return, "no module " MODULE " (CONFIG_DMABUF_FENCE_TEST=m, root)");
	arrive(_metadata, self, variant->kind);
	self->stays = timeline_fence(self->timeline, 1);
	ASSERT_LE(0, self->stays);
}

/* All that is left is closed here, and that must be quiet, too. */
FIXTURE_TEARDOWN(unload)
{
	close(self->fence[0]);
	close(self->fence[1]);
	close(self->stays);
	close(self->timeline);
	close(self->dev);
	unload_module(MODULE);
	EXPECT_EQ(self->taints, taints(_metadata));
}

/* One fence as FILE_INFO describes it. */
static void expect_fence(struct __test_metadata *_metadata, int sync_file, int status,
			 const char *driver, const char *timeline)
{
	struct sync_fence_info info = { };

	ASSERT_EQ(1, sync_file_fences(sync_file, &info, 1));
	EXPECT_EQ(status, info.status);
	EXPECT_EQ(!!status, !!info.timestamp_ns);
	EXPECT_STREQ(driver, info.driver_name);
	EXPECT_STREQ(timeline, info.obj_name);
}

static void expect_detached(struct __test_metadata *_metadata, int sync_file, int status)
{
	expect_fence(_metadata, sync_file, status, "detached-driver",
		     "signaled-timeline");
}

/* All that a file can be asked whose fences have signalled. */
static void use(struct __test_metadata *_metadata, int sync_file)
{
	char name[32];
	int merged;

	EXPECT_EQ(1, sync_file_status(sync_file));
	EXPECT_NE(NULL, sync_file_name(sync_file, name));
	EXPECT_EQ(POLLIN, poll_for(sync_file, POLLIN, 0));
	EXPECT_EQ(0, set_deadline(sync_file, now_ns()));
	EXPECT_LT(0, read_fdinfo(sync_file, text, sizeof(text)));
	merged = sync_file_merge(sync_file, sync_file);
	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_file_status(merged));
	close(merged);
}

/* ------------------------------------------------------------------ sync files */

TEST_F(unload, info_has_constant_names_after_the_signal)
{
	char name[32];

	expect_fence(_metadata, self->fence[0], 0, "fence-test", "timeline-test");
	leave(_metadata, self);
	expect_detached(_metadata, self->fence[0], 1);
	ASSERT_NE(NULL, sync_file_name(self->fence[0], name));
	EXPECT_EQ(0, strncmp(name, "detached-driver-", 16));
}

/* As long as the device is open, its driver stays. */
TEST_F(unload, driver_stays_while_its_device_is_open)
{
	EXPECT_EQ(-EWOULDBLOCK, unload_module(MODULE));
	close(self->dev);
	ASSERT_EQ(0, unload_module(MODULE));
	expect_detached(_metadata, self->fence[0], -ECANCELED);
	EXPECT_EQ(-ECANCELED, sync_file_status(self->fence[1]));
}

TEST_F(unload, fence_can_be_closed_without_its_driver)
{
	leave(_metadata, self);
}

TEST_F(unload, merged_fence_can_be_closed_without_their_driver)
{
	int merged = sync_file_merge(self->fence[0], self->stays);

	ASSERT_LE(0, merged);
	leave(_metadata, self);
	close(self->fence[0]);
	close(merged);
}

/* A callback was queued. */
TEST_F(unload, callback_of_poll_runs_before_the_driver_goes)
{
	EXPECT_EQ(0, poll_for(self->fence[0], POLLIN, 0));
	leave(_metadata, self);
	EXPECT_EQ(POLLIN, poll_for(self->fence[0], POLLIN, 0));
}

/* Adding the callback was refused. */
TEST_F(unload, poll_works_after_signal_and_unload)
{
	ASSERT_EQ(1, signal_fences(self->dev, 1));
	EXPECT_EQ(POLLIN, poll_for(self->fence[0], POLLIN, 0));
	close(self->dev);
	ASSERT_EQ(0, unload_module(MODULE));
	EXPECT_EQ(POLLIN, poll_for(self->fence[0], POLLIN, 0));
}

TEST_F(unload, poll_works_without_the_driver)
{
	leave(_metadata, self);
	EXPECT_EQ(POLLIN, poll_for(self->fence[0], POLLIN, NOT_WAITING_MS));
}

TEST_F(unload, in_an_epoll_set)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, seen;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->fence[0], &event));
	EXPECT_EQ(0, epoll_wait(epoll, &seen, 1, 0));
	leave(_metadata, self);
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, NOT_WAITING_MS));
	EXPECT_EQ(0, epoll_wait(epoll, &seen, 1, 0));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_MOD, self->fence[0], &event));
	EXPECT_EQ(1, epoll_wait(epoll, &seen, 1, NOT_WAITING_MS));
	close(self->fence[0]);
	EXPECT_EQ(0, epoll_wait(epoll, &seen, 1, 0));
	close(epoll);
}

TEST_F(unload, deadline_of_fence_without_driver_is_ignored)
{
	EXPECT_EQ(0, set_deadline(self->fence[0], now_ns()));
	leave(_metadata, self);
	EXPECT_EQ(0, set_deadline(self->fence[0], now_ns()));
	EXPECT_EQ(0, set_deadline(self->fence[1], now_ns()));
}

/* Two fences of one context, as a merge of the two would keep only the later. */
TEST_F(unload, fences_of_one_context_merge)
{
	int merged = sync_file_merge(self->fence[0], self->fence[1]);

	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_file_count(merged));
	EXPECT_EQ(0, poll_for(merged, POLLIN, 0));
	leave(_metadata, self);
	expect_detached(_metadata, merged, 1);
	use(_metadata, merged);
	close(merged);
}

/* The fence of one module stays in the array that waits for another. */
TEST_F(unload, fences_merge_with_those_of_others)
{
	struct sync_fence_info info[2] = { };
	int merged = sync_file_merge(self->fence[0], self->stays);
	int again;

	ASSERT_LE(0, merged);
	EXPECT_EQ(0, poll_for(merged, POLLIN, 0));
	leave(_metadata, self);
	EXPECT_EQ(0, poll_for(merged, POLLIN, 0));
	EXPECT_EQ(0, set_deadline(merged, now_ns()));
	ASSERT_EQ(2, sync_file_fences(merged, info, 2));
	EXPECT_EQ(1, info[0].status + info[1].status);
	EXPECT_STREQ("detached-driver", info[info[1].status].driver_name);
	again = sync_file_merge(merged, self->fence[1]);
	ASSERT_LE(0, again);
	EXPECT_EQ(1, sync_file_count(again));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, NOT_WAITING_MS));
	use(_metadata, merged);
	use(_metadata, again);
	close(again);
	close(merged);
}

TEST_F(unload, fences_merge_without_their_driver)
{
	int both, with_pending;

	leave(_metadata, self);
	both = sync_file_merge(self->fence[0], self->fence[1]);
	ASSERT_LE(0, both);
	use(_metadata, both);
	with_pending = sync_file_merge(self->stays, self->fence[0]);
	ASSERT_LE(0, with_pending);
	EXPECT_EQ(0, sync_file_status(with_pending));
	EXPECT_EQ(1, sync_file_count(with_pending));
	close(with_pending);
	close(both);
}

TEST_F(unload, all_uses_at_once_work_without_the_driver)
{
	leave(_metadata, self);
	use(_metadata, self->fence[0]);
	use(_metadata, self->fence[1]);
}

TEST_F(unload, lists_show_constant_names_after_the_signal)
{
	EXPECT_LT(0, read_file(SYNC_INFO, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "timeline-test_fence active"));
	leave(_metadata, self);
	EXPECT_LT(0, read_file(SYNC_INFO, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "signaled-timeline_fence signaled@"));
	EXPECT_EQ(NULL, strstr(text, "timeline-test"));
	EXPECT_LT(0, read_fdinfo(self->fence[0], text, sizeof(text)));
	EXPECT_EQ(NULL, strstr(text, "timeline-test"));
}

/* --------------------------------------------------------------------- buffers */

/* A signalled fence stays in a buffer until its slot is needed. */
static int buffer_with(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self,
		       __u32 flags)
{
	int buf = setup_buffer(_metadata, SYSTEM_HEAP, page_size());

	if (buf < 0)
		return buf;
	ASSERT_EQ(0, import_fences(buf, flags, self->fence[0]));
	EXPECT_EQ(0, poll_for(buf, POLLOUT, 0));
	return buf;
}

static void use_buffer(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self,
		       __u32 flags)
{
	int buf = buffer_with(_metadata, self, flags);
	int fences;

	if (buf < 0)
		return;
	leave(_metadata, self);
	EXPECT_EQ(POLLOUT, poll_for(buf, POLLOUT, 0));
	fences = export_fences(buf, RW);
	ASSERT_LE(0, fences);
	use(_metadata, fences);
	close(fences);
	EXPECT_EQ(0, import_fences(buf, flags, self->fence[0]));
	EXPECT_EQ(0, import_fences(buf, flags, self->fence[1]));
	EXPECT_EQ(0, import_fences(buf, flags, self->stays));
	EXPECT_EQ(0, import_fences(buf, flags, self->fence[1]));
	EXPECT_EQ(0, poll_for(buf, POLLOUT, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(POLLOUT, poll_for(buf, POLLOUT, NOT_WAITING_MS));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_START | RW));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_END | RW));
	close(buf);
}

TEST_F(unload, buffer_can_be_read_after_its_fences_lost_their_driver)
{
	use_buffer(_metadata, self, READ);
}

TEST_F(unload, buffer_can_be_written_after_its_fences_lost_their_driver)
{
	use_buffer(_metadata, self, WRITE);
}

/* The last references are those of the buffer. */
TEST_F(unload, buffer_can_drop_the_last_references_without_the_driver)
{
	int buf = buffer_with(_metadata, self, WRITE);

	if (buf < 0)
		return;
	ASSERT_EQ(0, import_fences(buf, READ, self->fence[1]));
	close(self->fence[0]);
	close(self->fence[1]);
	leave(_metadata, self);
	close(buf);
}

TEST_F(unload, bufinfo_shows_constant_names_after_the_signal)
{
	int buf = buffer_with(_metadata, self, WRITE);

	if (buf < 0)
		return;
	EXPECT_LT(0, read_file(BUFINFO, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "fence:fence-test timeline-test seq 1 unsignalled"));
	leave(_metadata, self);
	EXPECT_LT(0, read_file(BUFINFO, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "fence:detached-driver signaled-timeline seq 1 signalled"));
	close(buf);
}

/* ---------------------------------------------------------------------- chains */

static __u32 create_syncobj(struct __test_metadata *_metadata, int drm)
{
	struct drm_syncobj_create arg = { };

	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_SYNCOBJ_CREATE, &arg));
	return arg.handle;
}

/* The fence of a file becomes that point of the timeline. */
static void add_point(struct __test_metadata *_metadata, int drm, __u32 timeline,
		      __u64 point, int sync_file)
{
	struct drm_syncobj_handle import = {
		.handle = create_syncobj(_metadata, drm),
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = sync_file,
	};
	struct drm_syncobj_transfer transfer = {
		.src_handle = import.handle,
		.dst_handle = timeline,
		.dst_point = point,
	};

	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import));
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer));
}

/* A sync_file of all points up to the last. */
static int export_points(struct __test_metadata *_metadata, int drm, __u32 timeline)
{
	struct drm_syncobj_handle export = {
		.handle = timeline,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};

	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &export));
	return export.fd;
}

/* As a point of a timeline, before and behind one that is pending. */
TEST_F(unload, chain_may_hold_fences_without_their_driver)
{
	int drm = setup_drm(_metadata, "syncobj-test");
	int before, after;
	__u32 timeline;

	if (drm < 0)
		return;
	timeline = create_syncobj(_metadata, drm);
	add_point(_metadata, drm, timeline, 1, self->fence[0]);
	add_point(_metadata, drm, timeline, 2, self->stays);
	add_point(_metadata, drm, timeline, 3, self->fence[1]);
	before = export_points(_metadata, drm, timeline);
	EXPECT_EQ(0, poll_for(before, POLLIN, 0));
	leave(_metadata, self);
	after = export_points(_metadata, drm, timeline);
	EXPECT_EQ(0, sync_file_status(after));
	EXPECT_EQ(0, set_deadline(after, now_ns()));
	EXPECT_EQ(0, poll_for(before, POLLIN, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(POLLIN, poll_for(before, POLLIN, NOT_WAITING_MS));
	use(_metadata, before);
	use(_metadata, after);
	close(after);
	close(before);
	close(drm);
}

/* ----------------------------------------------------------------- once again */

/*
 * Fences of two lives of one module. The driver that waits for the old ones stands
 * for any other that is handed their files.
 */
TEST_F(unload, fences_of_both_loads_of_a_module_work)
{
	int old[2] = { self->fence[0], self->fence[1] }, merged;

	EXPECT_EQ(0, poll_for(old[0], POLLIN, 0));
	leave(_metadata, self);
	ASSERT_TRUE(load_module(_metadata, "FENCE_DEVICE_MODULE", MODULE));
	arrive(_metadata, self, variant->kind);
	expect_detached(_metadata, old[0], 1);
	EXPECT_EQ(0, wait_for_fence(self->dev, old[0]));
	EXPECT_EQ(0, wait_for_fence(self->dev, old[1]));
	merged = sync_file_merge(old[0], self->fence[0]);
	ASSERT_LE(0, merged);
	expect_fence(_metadata, merged, 0, "fence-test", "timeline-test");
	close(old[0]);
	leave(_metadata, self);
	use(_metadata, merged);
	use(_metadata, old[1]);
	close(merged);
	close(old[1]);
}

TEST_HARNESS_MAIN
