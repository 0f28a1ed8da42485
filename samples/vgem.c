// SPDX-License-Identifier: GPL-2.0
/*
 * vgem has memory and fences but no screen: it plays the GPU that is still
 * drawing into a buffer when somebody else is asked to show it.
 */
#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <err.h>

#include "demo.h"

/* A buffer for a picture of the given width and height; pitch is vgem's. */
void vgem_alloc(int fd, struct buffer *buf, struct layout *layout,
		const char *name)
{
	struct drm_mode_create_dumb arg = {
		.width = layout->width,
		.height = layout->height,
		.bpp = 32,
	};

	drm_do(fd, DRM_IOCTL_MODE_CREATE_DUMB, &arg, "vgem: cannot allocate");
	if (arg.pitch != layout->pitch)
		errx(1, "vgem: lines of %u bytes, %u needed", arg.pitch,
		     layout->pitch);
	buffer_init(buf, drm_export(fd, arg.handle), layout->size, name);
	drm_close_handle(fd, arg.handle);
}

/* Adds a write fence to @buf that stays pending until vgem_end_write(). */
__u32 vgem_begin_write(int fd, const struct buffer *buf)
{
	struct drm_vgem_fence_attach arg = {
		.handle = drm_import(fd, buf),
		.flags = VGEM_FENCE_WRITE,
	};

	drm_do(fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg,
	       "vgem: cannot attach a fence");
	return arg.out_fence;
}

void vgem_end_write(int fd, __u32 fence)
{
	struct drm_vgem_fence_signal arg = { .fence = fence };

	drm_do(fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg,
	       "vgem: cannot signal the fence");
}
