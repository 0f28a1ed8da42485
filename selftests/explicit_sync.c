// SPDX-License-Identifier: GPL-2.0
/*
 * The worked example of Documentation/driver-api/sync_file.rst, which includes it
 * from here by its markers, with vgem in the role of the driver that is not asked
 */
#include "common.h"

#include <drm/vgem_drm.h>

/* Longer than a test may run: a lost wake-up fails it. */
#define FOREVER_MS	60000

/* example: producer */
/* The fence of a job that writes @buf, which has just been queued by a driver. */
static int producer_fence(int buf)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_READ };

	return ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg) ? -1 : arg.fd;
}

/* example: merge */
/* One file for two fences; both of them are the caller's as before. */
static int both_fences(int first, int second)
{
	struct sync_merge_data arg = { .name = "both", .fd2 = second };

	return ioctl(first, SYNC_IOC_MERGE, &arg) ? -1 : arg.fence;
}

/* example: consumer */
/* The next writer of @buf has to wait for @fence, which stands for a read. */
static int read_until(int buf, int fence)
{
	struct dma_buf_import_sync_file arg = {
		.flags = DMA_BUF_SYNC_READ,
		.fd = fence,
	};

	return ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

/* example: end */

FIXTURE(explicit_sync)
{
	int drm;
	int buf;
	__u32 handle;
	int timeline;
};

FIXTURE_SETUP(explicit_sync)
{
	self->drm = setup_drm(_metadata, "vgem");
	if (self->drm < 0)
		return;
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->buf = drm_export(self->drm, page_size(), &self->handle);
	ASSERT_LE(0, self->buf);
}

FIXTURE_TEARDOWN(explicit_sync)
{
}

static int vgem_write(int drm, __u32 handle, __u32 *job)
{
	struct drm_vgem_fence_attach arg = {
		.handle = handle,
		.flags = VGEM_FENCE_WRITE,
	};
	int ret = do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);

	*job = arg.out_fence;
	return ret;
}

static int vgem_end(int drm, __u32 job)
{
	struct drm_vgem_fence_signal arg = { .fence = job };

	return do_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg);
}

TEST_F(explicit_sync, exported_fence_is_that_of_the_writer)
{
	struct sync_fence_info info = { };
	__u32 job;
	int fence;

	ASSERT_EQ(0, vgem_write(self->drm, self->handle, &job));
	fence = producer_fence(self->buf);
	ASSERT_LE(0, fence);
	ASSERT_EQ(1, sync_file_fences(fence, &info, 1));
	EXPECT_STREQ("vgem", info.driver_name);
	EXPECT_EQ(0, info.status);
	ASSERT_EQ(0, vgem_end(self->drm, job));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, FOREVER_MS));
}

/* Fences of two drivers in one file. */
TEST_F(explicit_sync, merged_fence_waits_for_both_drivers)
{
	int written, other, both;
	__u32 job;

	ASSERT_EQ(0, vgem_write(self->drm, self->handle, &job));
	written = producer_fence(self->buf);
	other = timeline_fence(self->timeline, 1);
	both = both_fences(written, other);
	ASSERT_LE(0, both);
	EXPECT_EQ(2, sync_file_count(both));
	ASSERT_EQ(0, vgem_end(self->drm, job));
	EXPECT_EQ(0, poll_for(both, POLLIN, 0));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(POLLIN, poll_for(both, POLLIN, FOREVER_MS));
}

/* The driver refuses to write as long as user space's reader is not done. */
TEST_F(explicit_sync, writer_waits_for_imported_fence_of_reader)
{
	int fence = timeline_fence(self->timeline, 1);
	__u32 job;

	ASSERT_EQ(0, read_until(self->buf, fence));
	EXPECT_EQ(-EBUSY, vgem_write(self->drm, self->handle, &job));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	ASSERT_EQ(0, vgem_write(self->drm, self->handle, &job));
	EXPECT_EQ(0, vgem_end(self->drm, job));
}

TEST_HARNESS_MAIN
