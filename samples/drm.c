// SPDX-License-Identifier: GPL-2.0
/* What all DRM devices have in common: finding one, and PRIME. */
#include <drm/drm.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "demo.h"

#define DRM_MAX_CARDS	64

static int drm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret;
}

void drm_do(int fd, unsigned long request, void *arg, const char *what)
{
	if (drm_ioctl(fd, request, arg) < 0)
		err(1, "%s", what);
}

static bool drm_is(int fd, const char *driver)
{
	char name[32] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !drm_ioctl(fd, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, driver);
}

int drm_open(const char *driver)
{
	char path[32];
	int i, fd;

	for (i = 0; i < DRM_MAX_CARDS; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (drm_is(fd, driver))
			return fd;
		close(fd);
	}
	errx(1, "no DRM device of driver %s", driver);
}

__u32 drm_import(int fd, const struct buffer *buf)
{
	struct drm_prime_handle arg = { .fd = buf->fd };

	if (drm_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg))
		err(1, "%s: cannot import", buf->name);
	return arg.handle;
}

int drm_export(int fd, __u32 handle)
{
	struct drm_prime_handle arg = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	drm_do(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg, "PRIME export");
	return arg.fd;
}

void drm_close_handle(int fd, __u32 handle)
{
	struct drm_gem_close arg = { .handle = handle };

	drm_do(fd, DRM_IOCTL_GEM_CLOSE, &arg, "GEM close");
}
