// SPDX-License-Identifier: GPL-2.0
/*
 * The fences of a display: IN_FENCE_FD and OUT_FENCE_PTR of atomic commits
 *
 * vkms shows nothing, but waits and signals as any display driver does, through
 * the helpers that all of them share.
 */
#include "common.h"

#include <drm/drm_fourcc.h>

#define MAX_OBJECTS	64
#define NO_FENCE	-1

/* Several frames: what has not come by then does not come by itself. */
#define SOME_FRAMES_MS	100
/* How long vkms shows a picture. */
#define FRAME_NS	(1000000000LL / 60 + 1)

enum prop {
	CRTC_ACTIVE, CRTC_MODE, CRTC_OUT_FENCE,
	PLANE_FB, PLANE_CRTC, PLANE_IN_FENCE,
	PLANE_SRC_W, PLANE_SRC_H, PLANE_DST_W, PLANE_DST_H,
	CONNECTOR_CRTC,
	PROP_COUNT
};

enum object {
	CRTC, PLANE, CONNECTOR, OBJECT_COUNT
};

/* Grouped by object. */
static const struct {
	enum object object;
	const char *name;
} props[PROP_COUNT] = {
	[CRTC_ACTIVE]		= { CRTC, "ACTIVE" },
	[CRTC_MODE]		= { CRTC, "MODE_ID" },
	[CRTC_OUT_FENCE]	= { CRTC, "OUT_FENCE_PTR" },
	[PLANE_FB]		= { PLANE, "FB_ID" },
	[PLANE_CRTC]		= { PLANE, "CRTC_ID" },
	[PLANE_IN_FENCE]	= { PLANE, "IN_FENCE_FD" },
	[PLANE_SRC_W]		= { PLANE, "SRC_W" },
	[PLANE_SRC_H]		= { PLANE, "SRC_H" },
	[PLANE_DST_W]		= { PLANE, "CRTC_W" },
	[PLANE_DST_H]		= { PLANE, "CRTC_H" },
	[CONNECTOR_CRTC]	= { CONNECTOR, "CRTC_ID" },
};

static const __u32 object_types[OBJECT_COUNT] = {
	[CRTC]		= DRM_MODE_OBJECT_CRTC,
	[PLANE]		= DRM_MODE_OBJECT_PLANE,
	[CONNECTOR]	= DRM_MODE_OBJECT_CONNECTOR,
};

struct display {
	int drm;
	__u32 object[OBJECT_COUNT];
	__u32 prop[PROP_COUNT];
	struct drm_mode_modeinfo mode;
	__u32 mode_blob;
	int buf[2];		/* the dma-bufs behind two pictures */
	__u32 fb[2];
	unsigned int shown;	/* the picture that was last put up */
};

FIXTURE(vkms)
{
	struct display display;
	int timeline[2];
	int fence[2];
};

/* One atomic commit under construction. */
struct request {
	__u64 value[PROP_COUNT];
	bool set[PROP_COUNT];
};

static void set(struct request *req, enum prop prop, __u64 value)
{
	req->value[prop] = value;
	req->set[prop] = true;
}

static int commit(struct display *display, const struct request *req, __u32 flags)
{
	__u32 counts[OBJECT_COUNT] = { }, ids[PROP_COUNT];
	__u64 values[PROP_COUNT];
	struct drm_mode_atomic arg = {
		.flags = flags,
		.count_objs = OBJECT_COUNT,
		.objs_ptr = (uintptr_t)display->object,
		.count_props_ptr = (uintptr_t)counts,
		.props_ptr = (uintptr_t)ids,
		.prop_values_ptr = (uintptr_t)values,
	};
	int i, n = 0;

	for (i = 0; i < PROP_COUNT; i++) {
		if (!req->set[i])
			continue;
		counts[props[i].object]++;
		ids[n] = display->prop[i];
		values[n++] = req->value[i];
	}
	return do_ioctl(display->drm, DRM_IOCTL_MODE_ATOMIC, &arg);
}

/* ------------------------------------------------------------------- display */

/* The id of a property and its value; 0 if the object has none of that name. */
static __u32 find_prop(int drm, __u32 object, __u32 type, const char *name, __u64 *value)
{
	__u32 ids[MAX_OBJECTS];
	__u64 values[MAX_OBJECTS];
	struct drm_mode_obj_get_properties list = {
		.props_ptr = (uintptr_t)ids,
		.prop_values_ptr = (uintptr_t)values,
		.count_props = MAX_OBJECTS,
		.obj_id = object,
		.obj_type = type,
	};
	__u32 i;

	if (do_ioctl(drm, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &list))
		return 0;
	for (i = 0; i < list.count_props && i < MAX_OBJECTS; i++) {
		struct drm_mode_get_property prop = { .prop_id = ids[i] };

		if (do_ioctl(drm, DRM_IOCTL_MODE_GETPROPERTY, &prop) ||
		    strcmp(prop.name, name))
			continue;
		*value = values[i];
		return ids[i];
	}
	return 0;
}

static __u32 find_primary_plane(int drm)
{
	__u32 ids[MAX_OBJECTS];
	struct drm_mode_get_plane_res res = {
		.plane_id_ptr = (uintptr_t)ids,
		.count_planes = MAX_OBJECTS,
	};
	__u64 type;
	__u32 i;

	if (do_ioctl(drm, DRM_IOCTL_MODE_GETPLANERESOURCES, &res))
		return 0;
	for (i = 0; i < res.count_planes && i < MAX_OBJECTS; i++) {
		if (find_prop(drm, ids[i], DRM_MODE_OBJECT_PLANE, "type", &type) &&
		    type == 1 /* DRM_PLANE_TYPE_PRIMARY */)
			return ids[i];
	}
	return 0;
}

/* Writeback connectors are hidden from clients that do not ask for them. */
static int find_objects(struct display *display)
{
	__u32 crtcs[MAX_OBJECTS], connectors[MAX_OBJECTS];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_crtcs = MAX_OBJECTS,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_connectors = MAX_OBJECTS,
	};
	__u64 value;
	int i, ret;

	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_GETRESOURCES, &res);
	if (ret || !res.count_crtcs || !res.count_connectors)
		return ret ?: -ENOENT;
	display->object[CRTC] = crtcs[0];
	display->object[CONNECTOR] = connectors[0];
	display->object[PLANE] = find_primary_plane(display->drm);
	for (i = 0; i < PROP_COUNT; i++) {
		enum object object = props[i].object;

		display->prop[i] = find_prop(display->drm, display->object[object],
					     object_types[object], props[i].name, &value);
		if (!display->prop[i])
			return -ENOENT;
	}
	return 0;
}

/* Asking for no modes at all makes the kernel look for them first. */
static int find_mode(struct display *display)
{
	struct drm_mode_get_connector probe = { .connector_id = display->object[CONNECTOR] };
	struct drm_mode_create_blob blob = {
		.data = (uintptr_t)&display->mode,
		.length = sizeof(display->mode),
	};
	struct drm_mode_get_connector get = probe;
	struct drm_mode_modeinfo *modes;
	int ret;

	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_GETCONNECTOR, &probe);
	if (ret || !probe.count_modes)
		return ret ?: -ENOENT;
	modes = calloc(probe.count_modes, sizeof(*modes));
	if (!modes)
		return -ENOMEM;
	get.count_modes = probe.count_modes;
	get.modes_ptr = (uintptr_t)modes;
	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	display->mode = modes[0];
	free(modes);
	if (!ret)
		ret = do_ioctl(display->drm, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob);
	display->mode_blob = blob.blob_id;
	return ret;
}

static int add_picture(struct display *display, int i)
{
	struct drm_mode_create_dumb dumb = {
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_mode_fb_cmd2 fb = {
		.width = dumb.width,
		.height = dumb.height,
		.pixel_format = DRM_FORMAT_XRGB8888,
	};
	int ret;

	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	fb.handles[0] = dumb.handle;
	fb.pitches[0] = dumb.pitch;
	prime.handle = dumb.handle;
	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_ADDFB2, &fb);
	if (!ret)
		ret = do_ioctl(display->drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	drm_close_handle(display->drm, dumb.handle);
	display->fb[i] = fb.fb_id;
	display->buf[i] = prime.fd;
	return ret;
}

static int turn_on(struct display *display)
{
	struct request req = { };

	set(&req, CRTC_ACTIVE, 1);
	set(&req, CRTC_MODE, display->mode_blob);
	set(&req, CONNECTOR_CRTC, display->object[CRTC]);
	set(&req, PLANE_FB, display->fb[0]);
	set(&req, PLANE_CRTC, display->object[CRTC]);
	set(&req, PLANE_SRC_W, (__u64)display->mode.hdisplay << 16);
	set(&req, PLANE_SRC_H, (__u64)display->mode.vdisplay << 16);
	set(&req, PLANE_DST_W, display->mode.hdisplay);
	set(&req, PLANE_DST_H, display->mode.vdisplay);
	return commit(display, &req, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

static int turn_off(struct display *display)
{
	struct request req = { };

	set(&req, CRTC_ACTIVE, 0);
	set(&req, CRTC_MODE, 0);
	set(&req, CONNECTOR_CRTC, 0);
	set(&req, PLANE_FB, 0);
	set(&req, PLANE_CRTC, 0);
	return commit(display, &req, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

FIXTURE_SETUP(vkms)
{
	struct drm_set_client_cap atomic = {
		.capability = DRM_CLIENT_CAP_ATOMIC,
		.value = 1,
	};

	self->display.drm = setup_drm(_metadata, "vkms");
	if (self->display.drm < 0 || !setup_two_fences(_metadata, self->timeline, self->fence))
		return;
	ASSERT_EQ(0, do_ioctl(self->display.drm, DRM_IOCTL_SET_CLIENT_CAP, &atomic));
	ASSERT_EQ(0, find_objects(&self->display));
	ASSERT_EQ(0, find_mode(&self->display));
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

/*
 * Put up the other picture once a fence has signalled, without waiting for that.
 * Returns the out fence, or -errno.
 */
static int flip(struct display *display, int in_fence)
{
	struct request req = { };
	__s32 out_fence = -ENODATA;
	int ret;

	set(&req, PLANE_FB, display->fb[!display->shown]);
	set(&req, PLANE_IN_FENCE, in_fence);
	set(&req, CRTC_OUT_FENCE, (uintptr_t)&out_fence);
	ret = commit(display, &req, DRM_MODE_ATOMIC_NONBLOCK);
	if (ret)
		return ret;
	display->shown = !display->shown;
	return out_fence;
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
	EXPECT_STREQ("vkms", before.driver_name);
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
	EXPECT_STREQ("vkms", info.driver_name);
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
