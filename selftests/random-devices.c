// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations of importers and exporters: the DRM drivers vgem and vkms
 */
#include <drm/vgem_drm.h>

#include "random.h"

static __u32 random_handle(struct worker *w)
{
	return 1 + rnd(w, HANDLES);
}

static bool card_open(struct worker *w)
{
	return pool_add(w, CARDS, open(card_path[rnd(w, 2)], O_RDWR | O_CLOEXEC));
}

static bool card_close(struct worker *w)
{
	return !close(pool_take(w, CARDS));
}

static bool card_create(struct worker *w)
{
	__u32 handle = 0;

	return pool_add(w, BUFFERS, drm_export(pool_look(w, CARDS),
					       (1 + rnd(w, 8)) * page_size(), &handle));
}

static bool card_import(struct worker *w)
{
	__u32 handle;

	return !drm_import(pool_look(w, CARDS), pool_look(w, BUFFERS), &handle);
}

/* One of its own, or one that it has imported. */
static bool card_export(struct worker *w)
{
	struct drm_prime_handle prime = {
		.handle = random_handle(w),
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	if (do_ioctl(pool_look(w, CARDS), DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
		return false;
	return pool_add(w, BUFFERS, prime.fd);
}

static bool card_close_handle(struct worker *w)
{
	return !drm_close_handle(pool_look(w, CARDS), random_handle(w));
}

/* A fence of a driver, in the reservation object of the buffer. */
static bool card_attach_fence(struct worker *w)
{
	struct drm_vgem_fence_attach attach = {
		.handle = random_handle(w),
		.flags = rnd(w, 2) ? VGEM_FENCE_WRITE : 0,
	};
	struct drm_vgem_fence_signal signal = { };
	int card = pool_look(w, CARDS);

	if (do_ioctl(card, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach))
		return false;
	signal.fence = attach.out_fence;
	return rnd(w, 4) ? !do_ioctl(card, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal) : true;
}

const struct operation device_operations[] = {
	{ "card: open", card_open, 1, DRM_VGEM },
	{ "card: close", card_close, 1, DRM_VGEM },
	{ "card: create", card_create, 6, DRM_VGEM },
	{ "card: import", card_import, 10, DRM_VGEM },
	{ "card: export", card_export, 6, DRM_VGEM },
	{ "card: close handle", card_close_handle, 8, DRM_VGEM },
	{ "card: attach fence", card_attach_fence, 4, DRM_VGEM },
	{ }
};
