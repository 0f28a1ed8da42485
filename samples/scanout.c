// SPDX-License-Identifier: GPL-2.0
/*
 * The display: atomic modesetting with one primary plane, and a writeback
 * connector that puts into a second buffer what a screen would show. The
 * connector with the screen has to let go of the CRTC meanwhile, vkms drives
 * one of the two.
 */
#include <assert.h>
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "demo.h"

#define DRIVER		"vkms"
#define MAX_OBJECTS	64

enum prop {
	CRTC_ACTIVE, CRTC_MODE, CRTC_FENCE,
	PLANE_FB, PLANE_CRTC,
	PLANE_SRC_X, PLANE_SRC_Y, PLANE_SRC_W, PLANE_SRC_H,
	PLANE_DST_X, PLANE_DST_Y, PLANE_DST_W, PLANE_DST_H,
	CONNECTOR_CRTC,
	WRITEBACK_CRTC, WRITEBACK_FB, WRITEBACK_FENCE, WRITEBACK_FORMATS,
	PROP_COUNT
};

static_assert(PROP_COUNT == SCANOUT_PROPS, "struct scanout holds them all");

/* Grouped by object, in the order of enum scanout_object. */
static const struct {
	enum scanout_object object;
	const char *name;
} props[PROP_COUNT] = {
	[CRTC_ACTIVE]		= { OBJ_CRTC, "ACTIVE" },
	[CRTC_MODE]		= { OBJ_CRTC, "MODE_ID" },
	[CRTC_FENCE]		= { OBJ_CRTC, "OUT_FENCE_PTR" },
	[PLANE_FB]		= { OBJ_PLANE, "FB_ID" },
	[PLANE_CRTC]		= { OBJ_PLANE, "CRTC_ID" },
	[PLANE_SRC_X]		= { OBJ_PLANE, "SRC_X" },
	[PLANE_SRC_Y]		= { OBJ_PLANE, "SRC_Y" },
	[PLANE_SRC_W]		= { OBJ_PLANE, "SRC_W" },
	[PLANE_SRC_H]		= { OBJ_PLANE, "SRC_H" },
	[PLANE_DST_X]		= { OBJ_PLANE, "CRTC_X" },
	[PLANE_DST_Y]		= { OBJ_PLANE, "CRTC_Y" },
	[PLANE_DST_W]		= { OBJ_PLANE, "CRTC_W" },
	[PLANE_DST_H]		= { OBJ_PLANE, "CRTC_H" },
	[CONNECTOR_CRTC]	= { OBJ_CONNECTOR, "CRTC_ID" },
	[WRITEBACK_CRTC]	= { OBJ_WRITEBACK, "CRTC_ID" },
	[WRITEBACK_FB]		= { OBJ_WRITEBACK, "WRITEBACK_FB_ID" },
	[WRITEBACK_FENCE]	= { OBJ_WRITEBACK, "WRITEBACK_OUT_FENCE_PTR" },
	[WRITEBACK_FORMATS]	= { OBJ_WRITEBACK, "WRITEBACK_PIXEL_FORMATS" },
};

static const __u32 object_types[OBJ_COUNT] = {
	[OBJ_CRTC]	= DRM_MODE_OBJECT_CRTC,
	[OBJ_PLANE]	= DRM_MODE_OBJECT_PLANE,
	[OBJ_CONNECTOR]	= DRM_MODE_OBJECT_CONNECTOR,
	[OBJ_WRITEBACK]	= DRM_MODE_OBJECT_CONNECTOR,
};

/* One atomic commit under construction. */
struct request {
	__u64 value[PROP_COUNT];
	bool set[PROP_COUNT];
};

static __u64 user_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

static void set_cap(int fd, __u64 cap, const char *what)
{
	struct drm_set_client_cap arg = { .capability = cap, .value = 1 };

	drm_do(fd, DRM_IOCTL_SET_CLIENT_CAP, &arg, what);
}

/* The id of a property and its present value; 0 if the object has none. */
static __u32 find_prop(int fd, __u32 object, __u32 type, const char *name,
		       __u64 *value)
{
	__u32 ids[MAX_OBJECTS];
	__u64 values[MAX_OBJECTS];
	struct drm_mode_obj_get_properties list = {
		.props_ptr = user_ptr(ids),
		.prop_values_ptr = user_ptr(values),
		.count_props = MAX_OBJECTS,
		.obj_id = object,
		.obj_type = type,
	};
	__u32 i;

	drm_do(fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &list,
	       DRIVER ": cannot list properties");
	for (i = 0; i < list.count_props && i < MAX_OBJECTS; i++) {
		struct drm_mode_get_property prop = { .prop_id = ids[i] };

		drm_do(fd, DRM_IOCTL_MODE_GETPROPERTY, &prop,
		       DRIVER ": cannot look up a property");
		if (strcmp(prop.name, name))
			continue;
		if (value)
			*value = values[i];
		return ids[i];
	}
	return 0;
}

static void find_props(struct scanout *out)
{
	int i;

	for (i = 0; i < PROP_COUNT; i++) {
		enum scanout_object object = props[i].object;

		out->prop[i] = find_prop(out->fd, out->object[object],
					 object_types[object], props[i].name,
					 NULL);
		if (!out->prop[i])
			errx(1, DRIVER ": no property %s", props[i].name);
	}
}

static bool has_format(const __u32 *formats, __u32 count, __u32 fourcc)
{
	__u32 i;

	for (i = 0; i < count && i < MAX_OBJECTS; i++)
		if (formats[i] == fourcc)
			return true;
	return false;
}

static bool is_primary_plane(struct scanout *out, __u32 id)
{
	__u64 type;

	return find_prop(out->fd, id, DRM_MODE_OBJECT_PLANE, "type", &type) &&
	       type == 1;	/* DRM_PLANE_TYPE_PRIMARY */
}

static void check_plane_format(struct scanout *out)
{
	__u32 formats[MAX_OBJECTS];
	struct drm_mode_get_plane plane = {
		.plane_id = out->object[OBJ_PLANE],
		.count_format_types = MAX_OBJECTS,
		.format_type_ptr = user_ptr(formats),
	};

	drm_do(out->fd, DRM_IOCTL_MODE_GETPLANE, &plane,
	       DRIVER ": cannot ask the plane");
	if (!has_format(formats, plane.count_format_types, out->layout.fourcc))
		errx(1, DRIVER ": does not scan out format %.4s",
		     (const char *)&out->layout.fourcc);
}

static void find_plane(struct scanout *out)
{
	__u32 ids[MAX_OBJECTS];
	struct drm_mode_get_plane_res res = {
		.plane_id_ptr = user_ptr(ids),
		.count_planes = MAX_OBJECTS,
	};
	__u32 i;

	drm_do(out->fd, DRM_IOCTL_MODE_GETPLANERESOURCES, &res,
	       DRIVER ": cannot list planes");
	for (i = 0; i < res.count_planes && i < MAX_OBJECTS; i++) {
		if (!is_primary_plane(out, ids[i]))
			continue;
		out->object[OBJ_PLANE] = ids[i];
		check_plane_format(out);
		return;
	}
	errx(1, DRIVER ": no primary plane");
}

static void create_mode_blob(struct scanout *out,
			     const struct drm_mode_modeinfo *mode)
{
	struct drm_mode_create_blob blob = {
		.data = user_ptr(mode),
		.length = sizeof(*mode),
	};

	drm_do(out->fd, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob,
	       DRIVER ": cannot make a blob of the mode");
	out->mode_blob = blob.blob_id;
	out->refresh = mode->vrefresh;
}

/* Asking for no modes at all makes the kernel look for them first. */
static struct drm_mode_modeinfo *get_modes(int fd, __u32 connector,
					   struct drm_mode_get_connector *arg)
{
	struct drm_mode_modeinfo *modes;

	*arg = (struct drm_mode_get_connector){ .connector_id = connector };
	drm_do(fd, DRM_IOCTL_MODE_GETCONNECTOR, arg,
	       DRIVER ": cannot probe a connector");
	modes = calloc(arg->count_modes + 1, sizeof(*modes));
	if (!modes)
		err(1, "list of modes");
	arg->modes_ptr = user_ptr(modes);
	arg->count_props = 0;
	arg->count_encoders = 0;
	drm_do(fd, DRM_IOCTL_MODE_GETCONNECTOR, arg,
	       DRIVER ": cannot list modes");
	return modes;
}

static void find_mode(struct scanout *out)
{
	struct drm_mode_get_connector conn;
	struct drm_mode_modeinfo *modes;
	__u32 i;

	modes = get_modes(out->fd, out->object[OBJ_WRITEBACK], &conn);
	for (i = 0; i < conn.count_modes; i++) {
		if (modes[i].hdisplay != out->layout.width ||
		    modes[i].vdisplay != out->layout.height)
			continue;
		create_mode_blob(out, &modes[i]);
		free(modes);
		return;
	}
	errx(1, DRIVER ": no mode of %ux%u", out->layout.width,
	     out->layout.height);
}

static bool is_writeback(int fd, __u32 connector)
{
	struct drm_mode_get_connector arg = { .connector_id = connector };

	drm_do(fd, DRM_IOCTL_MODE_GETCONNECTOR, &arg,
	       DRIVER ": cannot probe a connector");
	return arg.connector_type == DRM_MODE_CONNECTOR_WRITEBACK;
}

static void find_crtc_and_connectors(struct scanout *out)
{
	__u32 crtcs[MAX_OBJECTS], connectors[MAX_OBJECTS];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = user_ptr(crtcs),
		.count_crtcs = MAX_OBJECTS,
		.connector_id_ptr = user_ptr(connectors),
		.count_connectors = MAX_OBJECTS,
	};
	__u32 i;

	drm_do(out->fd, DRM_IOCTL_MODE_GETRESOURCES, &res,
	       DRIVER ": cannot list resources");
	if (!res.count_crtcs)
		errx(1, DRIVER ": no CRTC");
	out->object[OBJ_CRTC] = crtcs[0];
	for (i = 0; i < res.count_connectors && i < MAX_OBJECTS; i++)
		out->object[is_writeback(out->fd, connectors[i]) ?
			    OBJ_WRITEBACK : OBJ_CONNECTOR] = connectors[i];
	if (!out->object[OBJ_CONNECTOR])
		errx(1, DRIVER ": no connector");
	if (!out->object[OBJ_WRITEBACK])
		errx(1, DRIVER ": no writeback connector (vkms.enable_writeback=1 wanted)");
}

static void check_writeback_format(struct scanout *out)
{
	__u32 formats[MAX_OBJECTS];
	struct drm_mode_get_blob blob = {
		.length = sizeof(formats),
		.data = user_ptr(formats),
	};
	__u64 id = 0;

	find_prop(out->fd, out->object[OBJ_WRITEBACK],
		  DRM_MODE_OBJECT_CONNECTOR, props[WRITEBACK_FORMATS].name, &id);
	/* The data come only if the length is exact: ask for it first. */
	blob.blob_id = id;
	blob.length = 0;
	drm_do(out->fd, DRM_IOCTL_MODE_GETPROPBLOB, &blob,
	       DRIVER ": cannot ask for the writeback formats");
	if (blob.length > sizeof(formats))
		blob.length = 0;
	drm_do(out->fd, DRM_IOCTL_MODE_GETPROPBLOB, &blob,
	       DRIVER ": cannot get the writeback formats");
	if (!has_format(formats, blob.length / sizeof(formats[0]),
			out->layout.fourcc))
		errx(1, DRIVER ": does not write back format %.4s",
		     (const char *)&out->layout.fourcc);
}

void scanout_open(struct scanout *out, const struct layout *layout)
{
	*out = (struct scanout){ .fd = drm_open(DRIVER), .layout = *layout };
	set_cap(out->fd, DRM_CLIENT_CAP_ATOMIC,
		DRIVER ": no atomic modesetting");
	set_cap(out->fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
		DRIVER ": no writeback connectors");
	find_crtc_and_connectors(out);
	find_plane(out);
	find_props(out);
	check_writeback_format(out);
	find_mode(out);
}

/* Import @buf and describe it as a picture; from now on vkms is attached. */
__u32 scanout_add_fb(struct scanout *out, const struct buffer *buf)
{
	struct drm_mode_fb_cmd2 fb = {
		.width = out->layout.width,
		.height = out->layout.height,
		.pixel_format = out->layout.fourcc,
		.handles = { drm_import(out->fd, buf) },
		.pitches = { out->layout.pitch },
	};

	drm_do(out->fd, DRM_IOCTL_MODE_ADDFB2, &fb,
	       DRIVER ": refuses the buffer as a picture");
	/* The picture holds its memory by itself. */
	drm_close_handle(out->fd, fb.handles[0]);
	return fb.fb_id;
}

void scanout_remove_fb(struct scanout *out, __u32 fb)
{
	drm_do(out->fd, DRM_IOCTL_MODE_RMFB, &fb,
	       DRIVER ": cannot remove a picture");
}

static void request_add(struct request *req, enum prop prop, __u64 value)
{
	req->value[prop] = value;
	req->set[prop] = true;
}

static void request_submit(struct scanout *out, const struct request *req,
			   __u32 flags)
{
	__u32 counts[OBJ_COUNT] = { 0 }, ids[PROP_COUNT];
	__u64 values[PROP_COUNT];
	struct drm_mode_atomic arg = {
		.flags = flags,
		.count_objs = OBJ_COUNT,
		.objs_ptr = user_ptr(out->object),
		.count_props_ptr = user_ptr(counts),
		.props_ptr = user_ptr(ids),
		.prop_values_ptr = user_ptr(values),
	};
	int i, n = 0;

	for (i = 0; i < PROP_COUNT; i++) {
		if (!req->set[i])
			continue;
		counts[props[i].object]++;
		ids[n] = out->prop[i];
		values[n++] = req->value[i];
	}
	drm_do(out->fd, DRM_IOCTL_MODE_ATOMIC, &arg,
	       DRIVER ": refuses an atomic commit");
}

static void add_mode(struct scanout *out, struct request *req)
{
	request_add(req, CRTC_ACTIVE, 1);
	request_add(req, CRTC_MODE, out->mode_blob);
	request_add(req, CONNECTOR_CRTC, 0);
	request_add(req, WRITEBACK_CRTC, out->object[OBJ_CRTC]);
	request_add(req, PLANE_CRTC, out->object[OBJ_CRTC]);
	request_add(req, PLANE_SRC_X, 0);
	request_add(req, PLANE_SRC_Y, 0);
	request_add(req, PLANE_SRC_W, (__u64)out->layout.width << 16);
	request_add(req, PLANE_SRC_H, (__u64)out->layout.height << 16);
	request_add(req, PLANE_DST_X, 0);
	request_add(req, PLANE_DST_Y, 0);
	request_add(req, PLANE_DST_W, out->layout.width);
	request_add(req, PLANE_DST_H, out->layout.height);
}

/*
 * Show picture @show and write what the screen shows to picture @write. Comes
 * back at once; the kernel first waits for the implicit fences of @show.
 */
void scanout_commit(struct scanout *out, __u32 show, __u32 write,
		    struct scanout_fences *fences)
{
	__u32 flags = DRM_MODE_ATOMIC_NONBLOCK;
	struct request req = { 0 };

	*fences = (struct scanout_fences){ -1, -1 };
	if (!out->running) {
		add_mode(out, &req);
		flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
		out->running = true;
	}
	request_add(&req, PLANE_FB, show);
	request_add(&req, CRTC_FENCE, user_ptr(&fences->shown));
	request_add(&req, WRITEBACK_FB, write);
	request_add(&req, WRITEBACK_FENCE, user_ptr(&fences->written));
	request_submit(out, &req, flags);
}

/* The framebuffer that the kernel reports on the plane, not the one that was requested. */
__u32 scanout_current_fb(struct scanout *out)
{
	struct drm_mode_get_plane plane = {
		.plane_id = out->object[OBJ_PLANE],
	};

	drm_do(out->fd, DRM_IOCTL_MODE_GETPLANE, &plane,
	       DRIVER ": cannot ask the plane");
	return plane.fb_id;
}

/* The dma-buf behind a picture, as the kernel tells. */
ino_t scanout_fb_inode(struct scanout *out, __u32 fb)
{
	struct drm_mode_fb_cmd2 arg = { .fb_id = fb };
	ino_t ino;
	int fd;

	drm_do(out->fd, DRM_IOCTL_MODE_GETFB2, &arg,
	       DRIVER ": cannot ask for a picture");
	fd = drm_export(out->fd, arg.handles[0]);
	ino = buffer_inode(fd);
	close(fd);
	drm_close_handle(out->fd, arg.handles[0]);
	return ino;
}

/* How many users a picture has, from the kernel's list of all of them. */
static unsigned int fb_users(struct scanout *out, __u32 fb)
{
	unsigned int id = 0, users = 0;
	char path[64], line[128];
	struct stat st;
	FILE *file;

	if (fstat(out->fd, &st))
		err(1, DRIVER ": fstat");
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/framebuffer",
		 minor(st.st_rdev));
	file = fopen(path, "r");
	if (!file)
		err(1, "%s (is debugfs mounted?)", path);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "framebuffer[%u]", &id) == 1)
			continue;
		if (id == fb && sscanf(line, " refcount=%u", &users) == 1)
			break;
	}
	fclose(file);
	return users;
}

/*
 * Wait until vkms has retired the writeback into @fb. That comes some time
 * after the fence, and ends by turning the composer off: if the next commit
 * has turned it on for its own writeback by then, it waits forever. The job
 * gives up its reference as the last thing, only the id remains.
 */
void scanout_wait_retired(struct scanout *out, __u32 fb)
{
	int ms;

	for (ms = 0; fb_users(out, fb) > 1; ms++) {
		if (ms == PATIENCE_MS)
			errx(1, DRIVER ": holds a picture after writing it");
		usleep(1000);
	}
}

void scanout_stop(struct scanout *out)
{
	struct request req = { 0 };

	request_add(&req, CRTC_ACTIVE, 0);
	request_add(&req, CRTC_MODE, 0);
	request_add(&req, WRITEBACK_CRTC, 0);
	request_add(&req, PLANE_FB, 0);
	request_add(&req, PLANE_CRTC, 0);
	request_submit(out, &req, DRM_MODE_ATOMIC_ALLOW_MODESET);
	out->running = false;
}

void scanout_close(struct scanout *out)
{
	close(out->fd);
}
