// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on fences: software timelines, sync files, DRM objects
 */
#include "random.h"

static bool timeline_open(struct worker *w)
{
	return pool_add(w, TIMELINES, open(DEBUGFS "/sync/sw_sync", O_RDWR | O_CLOEXEC));
}

static bool timeline_close(struct worker *w)
{
	return !close(pool_take(w, TIMELINES));
}

static bool timeline_increment(struct worker *w)
{
	return !timeline_advance(pool_look(w, TIMELINES), 1 + rnd(w, 4));
}

/* Numbers that several fences ask for. */
static bool timeline_create_fence(struct worker *w)
{
	return pool_add(w, SYNC_FILES, timeline_fence(pool_look(w, TIMELINES), 1 + rnd(w, 64)));
}

static bool timeline_fault(struct worker *w)
{
	static const struct sw_sync_create_fence_data readonly = { .value = 1000 };

	return do_ioctl(pool_look(w, TIMELINES), SW_SYNC_IOC_CREATE_FENCE,
			&readonly) == -EFAULT;
}

static bool sync_file_close(struct worker *w)
{
	return !close(pool_take(w, SYNC_FILES));
}

static bool sync_file_merge_two(struct worker *w)
{
	return pool_add(w, SYNC_FILES, sync_file_merge(pool_look(w, SYNC_FILES),
						       pool_look(w, SYNC_FILES)));
}

static bool sync_file_tell(struct worker *w)
{
	struct sync_fence_info fences[32];

	return sync_file_fences(pool_look(w, SYNC_FILES), fences, 32) >= 0;
}

static bool sync_file_set_deadline(struct worker *w)
{
	return !set_deadline(pool_look(w, SYNC_FILES), now_ns() + rnd(w, 1000000));
}

static bool timeline_get_deadline(struct worker *w)
{
	int fence = pool_look(w, SYNC_FILES);

	set_deadline(fence, now_ns());
	return fence_deadline(pool_look(w, TIMELINES), fence) >= 0;
}

static bool syncobj_open(struct worker *w)
{
	return pool_add(w, SYNCOBJ_CARDS, open(syncobj_path, O_RDWR | O_CLOEXEC));
}

static bool syncobj_create(struct worker *w)
{
	struct drm_syncobj_create arg = { };

	return !do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_CREATE, &arg);
}

static bool syncobj_destroy(struct worker *w)
{
	struct drm_syncobj_destroy arg = { .handle = 1 + rnd(w, HANDLES) };

	return !do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_DESTROY, &arg);
}

static bool syncobj_import(struct worker *w)
{
	struct drm_syncobj_handle arg = {
		.handle = 1 + rnd(w, HANDLES),
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = pool_look(w, SYNC_FILES),
	};

	return !do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &arg);
}

static bool syncobj_export(struct worker *w)
{
	struct drm_syncobj_handle arg = {
		.handle = 1 + rnd(w, HANDLES),
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};

	if (do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &arg))
		return false;
	return pool_add(w, SYNC_FILES, arg.fd);
}

/* A point of one becomes a link of the chain of another. */
static bool syncobj_transfer(struct worker *w)
{
	struct drm_syncobj_transfer arg = {
		.src_handle = 1 + rnd(w, HANDLES),
		.dst_handle = 1 + rnd(w, HANDLES),
		.dst_point = 1 + rnd(w, 100),
	};

	return !do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_TRANSFER, &arg);
}

static bool syncobj_wait(struct worker *w)
{
	__u32 handle[2] = { 1 + rnd(w, HANDLES), 1 + rnd(w, HANDLES) };
	struct drm_syncobj_wait arg = {
		.handles = (uintptr_t)handle,
		.count_handles = 1 + rnd(w, 2),
		.timeout_nsec = now_ns() + 1000000,
		.flags = rnd(w, 4),
	};
	int ret = do_ioctl(pool_look(w, SYNCOBJ_CARDS), DRM_IOCTL_SYNCOBJ_WAIT, &arg);

	return !ret || ret == -ETIME;
}

const struct operation fence_operations[] = {
	{ "timeline: open", timeline_open, 6, SW_SYNC },
	{ "timeline: close", timeline_close, 2, SW_SYNC },
	{ "timeline: advance", timeline_increment, 12, SW_SYNC },
	{ "timeline: create fence", timeline_create_fence, 20, SW_SYNC },
	{ "timeline: fault", timeline_fault, 2, SW_SYNC },
	{ "timeline: get deadline", timeline_get_deadline, 2, SW_SYNC },
	{ "sync file: close", sync_file_close, 4, NOTHING },
	{ "sync file: merge", sync_file_merge_two, 10, NOTHING },
	{ "sync file: info", sync_file_tell, 6, NOTHING },
	{ "sync file: set deadline", sync_file_set_deadline, 4, NOTHING },
	{ "syncobj: open", syncobj_open, 1, DRM_SYNCOBJ },
	{ "syncobj: create", syncobj_create, 3, DRM_SYNCOBJ },
	{ "syncobj: destroy", syncobj_destroy, 2, DRM_SYNCOBJ },
	{ "syncobj: import", syncobj_import, 6, DRM_SYNCOBJ },
	{ "syncobj: export", syncobj_export, 4, DRM_SYNCOBJ },
	{ "syncobj: transfer", syncobj_transfer, 4, DRM_SYNCOBJ },
	{ "syncobj: wait", syncobj_wait, 2, DRM_SYNCOBJ },
	{ }
};
