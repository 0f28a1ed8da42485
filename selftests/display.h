/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A display that is driven by atomic commits, for tests of fences and of pictures
 *
 * Functions return 0, or -errno where nothing else is told.
 */
#ifndef SELFTESTS_DMA_BUF_DISPLAY_H
#define SELFTESTS_DMA_BUF_DISPLAY_H

#include "common.h"

#include <drm/drm_fourcc.h>

#define MAX_OBJECTS	64
#define NO_FENCE	-1

/* The driver whose display is meant: vkms, or what the environment says. */
static inline const char *display_driver(void)
{
	return getenv("DRM_DRIVER") ?: "vkms";
}

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
	__u32 pitch;		/* bytes of a line of each */
	__u32 fb[2];
	unsigned int shown;	/* the picture that was last put up */
};

/* One atomic commit under construction. */
struct request {
	__u64 value[PROP_COUNT];
	bool set[PROP_COUNT];
};

static inline void set(struct request *req, enum prop prop, __u64 value)
{
	req->value[prop] = value;
	req->set[prop] = true;
}

static inline int commit(struct display *display, const struct request *req, __u32 flags)
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

/* The id of a property and its value; 0 if the object has none of that name. */
static inline __u32 find_prop(int drm, __u32 object, __u32 type, const char *name, __u64 *value)
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

static inline __u32 find_primary_plane(int drm)
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
static inline int find_objects(struct display *display)
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

/* A small mode that about all displays have, or else the first, which the display prefers. */
static inline struct drm_mode_modeinfo choose_mode(const struct drm_mode_modeinfo *modes,
						   __u32 count)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		if (modes[i].hdisplay == 640 && modes[i].vdisplay == 480)
			return modes[i];
	}
	return modes[0];
}

/* Asking for no modes at all makes the kernel look for them first. */
static inline int find_mode(struct display *display)
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
	display->mode = choose_mode(modes, probe.count_modes);
	free(modes);
	if (!ret)
		ret = do_ioctl(display->drm, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob);
	display->mode_blob = blob.blob_id;
	return ret;
}

/* Makes a frame buffer of a GEM object. */
static inline int add_frame(const struct display *display, __u32 handle, __u32 pitch,
			    __u32 *fb_id)
{
	struct drm_mode_fb_cmd2 fb = {
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { pitch },
	};
	int ret = do_ioctl(display->drm, DRM_IOCTL_MODE_ADDFB2, &fb);

	*fb_id = fb.fb_id;
	return ret;
}

/* Makes picture @i of the device's own memory, which is exported. */
static inline int add_picture(struct display *display, int i)
{
	struct drm_mode_create_dumb dumb = {
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret;

	ret = do_ioctl(display->drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	prime.handle = dumb.handle;
	ret = add_frame(display, dumb.handle, dumb.pitch, &display->fb[i]);
	if (!ret)
		ret = do_ioctl(display->drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	drm_close_handle(display->drm, dumb.handle);
	display->buf[i] = prime.fd;
	display->pitch = dumb.pitch;
	return ret;
}

/* Opens the display of a driver, and finds out how to drive it. */
static inline int open_display(struct __test_metadata *_metadata, struct display *display,
			       const char *driver)
{
	struct drm_set_client_cap atomic = {
		.capability = DRM_CLIENT_CAP_ATOMIC,
		.value = 1,
	};
	int ret;

	display->drm = setup_drm(_metadata, driver);
	if (display->drm < 0)
		return display->drm;
	ret = do_ioctl(display->drm, DRM_IOCTL_SET_CLIENT_CAP, &atomic);
	if (!ret)
		ret = find_objects(display);
	if (!ret)
		ret = find_mode(display);
	return ret;
}

static inline int turn_on(struct display *display)
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

static inline int turn_off(struct display *display)
{
	struct request req = { };

	set(&req, CRTC_ACTIVE, 0);
	set(&req, CRTC_MODE, 0);
	set(&req, CONNECTOR_CRTC, 0);
	set(&req, PLANE_FB, 0);
	set(&req, PLANE_CRTC, 0);
	return commit(display, &req, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

/*
 * Put up the other picture once a fence has signalled, without waiting for that.
 * Returns the out fence, or -errno.
 */
static inline int flip(struct display *display, int in_fence)
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

#endif
