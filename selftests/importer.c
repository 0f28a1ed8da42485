// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of a buffer as a device sees them: vkms scans the buffer out, and
 * reports a checksum of the picture. The reference is a buffer of vkms with the same
 * picture.
 */
#include <sys/sysmacros.h>

#include "common.h"

#define XRGB8888	0x34325258	/* XR24 */

struct screen {
	int drm;
	__u32 crtc;
	__u32 connector;
	struct drm_mode_modeinfo mode;
	size_t size;
};

FIXTURE(importer)
{
	struct screen screen;
	__u32 want;
};

FIXTURE_VARIANT(importer)
{
	enum exporter exporter;
	bool through_memfd;
};

FIXTURE_VARIANT_ADD(importer, system_heap)
{
	.exporter = SYSTEM_HEAP,
};

FIXTURE_VARIANT_ADD(importer, udmabuf)
{
	.exporter = UDMABUF,
};

FIXTURE_VARIANT_ADD(importer, udmabuf_through_memfd)
{
	.exporter = UDMABUF,
	.through_memfd = true,
};

/* ----------------------------------------------------------------- picture */

/* No two pages, and no two neighbours, have the same. */
static void draw(__u32 *pixels, size_t size)
{
	size_t i;

	for (i = 0; i < size / 4; i++)
		pixels[i] = i * 2654435761U;
}

static void bracket(struct __test_metadata *_metadata, int buf, __u64 flags)
{
	ASSERT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | flags));
}

/* ------------------------------------------------------------------ screen */

/* The smallest mode: the kernel adds up pixel by pixel. */
static bool find_screen(struct screen *screen)
{
	struct drm_mode_modeinfo modes[256];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)&screen->crtc,
		.count_crtcs = 1,
		.connector_id_ptr = (uintptr_t)&screen->connector,
		.count_connectors = 1,
	};
	struct drm_mode_get_connector connector = {
		.modes_ptr = (uintptr_t)modes,
	};
	__u32 i;

	if (do_ioctl(screen->drm, DRM_IOCTL_MODE_GETRESOURCES, &res))
		return false;
	connector.connector_id = screen->connector;
	/* Modes are looked for when none are asked for. */
	if (do_ioctl(screen->drm, DRM_IOCTL_MODE_GETCONNECTOR, &connector))
		return false;
	connector.count_modes = ARRAY_SIZE(modes);
	connector.count_props = 0;
	connector.count_encoders = 0;
	if (do_ioctl(screen->drm, DRM_IOCTL_MODE_GETCONNECTOR, &connector) ||
	    !connector.count_modes || connector.count_modes > ARRAY_SIZE(modes))
		return false;
	screen->mode = modes[0];
	for (i = 1; i < connector.count_modes; i++)
		if (modes[i].hdisplay * modes[i].vdisplay <
		    screen->mode.hdisplay * screen->mode.vdisplay)
			screen->mode = modes[i];
	return true;
}

static void show(struct __test_metadata *_metadata, struct screen *screen, __u32 fb)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = screen->crtc,
		.fb_id = fb,
		.set_connectors_ptr = (uintptr_t)&screen->connector,
		.count_connectors = fb ? 1 : 0,
		.mode_valid = fb ? 1 : 0,
		.mode = screen->mode,
	};

	ASSERT_EQ(0, do_ioctl(screen->drm, DRM_IOCTL_MODE_SETCRTC, &crtc));
}

static int open_crc(int drm, const char *name, int flags)
{
	char path[96];
	struct stat st;

	if (fstat(drm, &st))
		return -1;
	snprintf(path, sizeof(path), DEBUGFS "/dri/%u/crtc-0/crc/%s", minor(st.st_rdev), name);
	return open(path, flags | O_CLOEXEC);
}

/* A frame may be on its way when counting begins; the third one is new. */
static __u32 read_crc(struct __test_metadata *_metadata, int drm)
{
	int data = open_crc(drm, "data", O_RDONLY);
	char line[64] = "";
	char *crc;
	int i;

	ASSERT_LE(0, data);
	for (i = 0; i < 3; i++)
		ASSERT_LT(0, read(data, line, sizeof(line) - 1));
	close(data);
	crc = strchr(line, ' ');
	ASSERT_NE(NULL, crc);
	return strtoul(crc, NULL, 16);
}

/* The checksum of a buffer of vkms, own or imported. */
static __u32 crc_of(struct __test_metadata *_metadata, struct screen *screen, __u32 handle)
{
	struct drm_mode_fb_cmd2 fb = {
		.width = screen->mode.hdisplay,
		.height = screen->mode.vdisplay,
		.pixel_format = XRGB8888,
		.handles = { handle },
		.pitches = { screen->mode.hdisplay * 4 },
	};
	__u32 crc;

	ASSERT_EQ(0, do_ioctl(screen->drm, DRM_IOCTL_MODE_ADDFB2, &fb));
	show(_metadata, screen, fb.fb_id);
	crc = read_crc(_metadata, screen->drm);
	show(_metadata, screen, 0);
	ASSERT_EQ(0, do_ioctl(screen->drm, DRM_IOCTL_MODE_RMFB, &fb.fb_id));
	return crc;
}

static __u32 crc_of_own_buffer(struct __test_metadata *_metadata, struct screen *screen)
{
	struct drm_mode_create_dumb dumb = {
		.width = screen->mode.hdisplay,
		.height = screen->mode.vdisplay,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = { };
	__u32 *pixels, crc;

	ASSERT_EQ(0, do_ioctl(screen->drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	ASSERT_EQ(screen->mode.hdisplay * 4U, dumb.pitch);
	map.handle = dumb.handle;
	ASSERT_EQ(0, do_ioctl(screen->drm, DRM_IOCTL_MODE_MAP_DUMB, &map));
	pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, screen->drm,
		      map.offset);
	ASSERT_NE(MAP_FAILED, pixels);
	draw(pixels, screen->size);
	munmap(pixels, dumb.size);
	crc = crc_of(_metadata, screen, dumb.handle);
	drm_close_handle(screen->drm, dumb.handle);
	return crc;
}

FIXTURE_SETUP(importer)
{
	int control;

	self->screen.drm = setup_drm(_metadata, "vkms");
	if (self->screen.drm < 0)
		return;
	if (!find_screen(&self->screen))
		SKIP(return, "vkms has no screen");
	control = open_crc(self->screen.drm, "control", O_WRONLY);
	if (control < 0)
		SKIP(return, "no checksums (mounted debugfs, root)");
	ASSERT_EQ(4, write(control, "auto", 4));
	close(control);
	self->screen.size = self->screen.mode.hdisplay * self->screen.mode.vdisplay * 4;
	self->screen.size = (self->screen.size + page_size() - 1) & ~(page_size() - 1);
	self->want = crc_of_own_buffer(_metadata, &self->screen);
}

FIXTURE_TEARDOWN(importer)
{
}

/* ------------------------------------------------------------------- tests */

/* The CPU writes into the buffer, or into what it is made of; the device reads. */
TEST_F(importer, sees_what_is_written)
{
	int memfd = -1, buf;
	__u32 *pixels, handle;

	if (variant->through_memfd) {
		memfd = sealed_memfd(self->screen.size);
		ASSERT_LE(0, memfd);
		buf = udmabuf_from(memfd, self->screen.size, 0);
		if (buf == -ENODEV)
			SKIP(return, "no /dev/udmabuf (CONFIG_UDMABUF)");
		ASSERT_LE(0, buf);
	} else {
		buf = setup_buffer(_metadata, variant->exporter, self->screen.size);
		if (buf < 0)
			return;
	}
	ASSERT_EQ(0, drm_import(self->screen.drm, buf, &handle));
	pixels = mmap(NULL, self->screen.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      variant->through_memfd ? memfd : buf, 0);
	ASSERT_NE(MAP_FAILED, pixels);

	bracket(_metadata, buf, DMA_BUF_SYNC_START);
	draw(pixels, self->screen.size);
	bracket(_metadata, buf, DMA_BUF_SYNC_END);
	EXPECT_EQ(self->want, crc_of(_metadata, &self->screen, handle));

	/* one bit of the last pixel */
	bracket(_metadata, buf, DMA_BUF_SYNC_START);
	pixels[self->screen.mode.hdisplay * self->screen.mode.vdisplay - 1] ^= 0x80;
	bracket(_metadata, buf, DMA_BUF_SYNC_END);
	EXPECT_NE(self->want, crc_of(_metadata, &self->screen, handle));

	bracket(_metadata, buf, DMA_BUF_SYNC_START);
	pixels[self->screen.mode.hdisplay * self->screen.mode.vdisplay - 1] ^= 0x80;
	bracket(_metadata, buf, DMA_BUF_SYNC_END);
	EXPECT_EQ(self->want, crc_of(_metadata, &self->screen, handle));

	munmap(pixels, self->screen.size);
	drm_close_handle(self->screen.drm, handle);
}

TEST_HARNESS_MAIN
