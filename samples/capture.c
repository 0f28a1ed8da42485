// SPDX-License-Identifier: GPL-2.0
/* The camera: a V4L2 device whose buffers are exported as dma-bufs. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "demo.h"

#define DRIVER		"vivid"
#define MAX_VIDEO_NODES	64

static bool is_camera(int fd)
{
	struct v4l2_capability cap;

	return !ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
	       !strcmp((const char *)cap.driver, DRIVER) &&
	       cap.device_caps & V4L2_CAP_VIDEO_CAPTURE;
}

static int find_camera(void)
{
	char path[32];
	int i, fd;

	for (i = 0; i < MAX_VIDEO_NODES; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_camera(fd))
			return fd;
		close(fd);
	}
	errx(1, "no V4L2 capture device of driver " DRIVER);
}

/* V4L2 names the bytes in memory, DRM the bits of a word; same fourcc. */
static void set_format(struct capture *cap, __u32 width, __u32 height)
{
	struct v4l2_format fmt = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = width,
			.height = height,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};

	if (ioctl(cap->fd, VIDIOC_S_FMT, &fmt))
		err(1, DRIVER ": cannot set the format");
	if (fmt.fmt.pix.pixelformat != V4L2_PIX_FMT_XBGR32 ||
	    fmt.fmt.pix.width != width || fmt.fmt.pix.height != height)
		errx(1, DRIVER ": refuses %ux%u pixels of 4 bytes BGRX", width,
		     height);
	cap->layout = (struct layout) {
		.width = width,
		.height = height,
		.pitch = fmt.fmt.pix.bytesperline,
		.size = fmt.fmt.pix.sizeimage,
		.fourcc = fmt.fmt.pix.pixelformat,
	};
}

static void set_rate(struct capture *cap, __u32 fps)
{
	struct v4l2_streamparm parm = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { 1, fps },
	};

	if (ioctl(cap->fd, VIDIOC_S_PARM, &parm))
		err(1, DRIVER ": cannot set %u frames per second", fps);
}

static void request_buffers(struct capture *cap, __u32 count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	if (ioctl(cap->fd, VIDIOC_REQBUFS, &req))
		err(1, DRIVER ": cannot request %u buffers", count);
	if (req.count != count)
		errx(1, DRIVER ": %u buffers instead of %u", req.count, count);
}

static void export_buffer(struct capture *cap, unsigned int index)
{
	struct v4l2_exportbuffer arg = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.index = index,
		.flags = O_RDWR | O_CLOEXEC,
	};
	char name[32];

	if (ioctl(cap->fd, VIDIOC_EXPBUF, &arg))
		err(1, DRIVER ": cannot export buffer %u", index);
	snprintf(name, sizeof(name), "captured-%u", index);
	buffer_init(&cap->bufs[index], arg.fd, cap->layout.size, name);
}

void capture_open(struct capture *cap, __u32 width, __u32 height, __u32 fps)
{
	unsigned int i;

	cap->fd = find_camera();
	set_format(cap, width, height);
	set_rate(cap, fps);
	request_buffers(cap, CAPTURE_BUFFERS);
	for (i = 0; i < CAPTURE_BUFFERS; i++)
		export_buffer(cap, i);
}

void capture_queue(struct capture *cap, unsigned int index)
{
	struct v4l2_buffer buf = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
		.index = index,
	};

	if (ioctl(cap->fd, VIDIOC_QBUF, &buf))
		err(1, DRIVER ": cannot queue buffer %u", index);
}

void capture_start(struct capture *cap)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	unsigned int i;

	for (i = 0; i < CAPTURE_BUFFERS; i++)
		capture_queue(cap, i);
	if (ioctl(cap->fd, VIDIOC_STREAMON, &type))
		err(1, DRIVER ": cannot start");
}

static void wait_for_frame(struct capture *cap)
{
	struct pollfd pfd = { .fd = cap->fd, .events = POLLIN };
	int ret;

	do {
		ret = poll(&pfd, 1, PATIENCE_MS);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		err(1, DRIVER ": poll");
	if (!(pfd.revents & POLLIN))
		errx(1, DRIVER ": no frame within %d ms", PATIENCE_MS);
}

/* Waits for the next frame; the buffer is the caller's until queued again. */
unsigned int capture_dequeue(struct capture *cap)
{
	struct v4l2_buffer buf = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	wait_for_frame(cap);
	if (ioctl(cap->fd, VIDIOC_DQBUF, &buf))
		err(1, DRIVER ": cannot dequeue a frame");
	if (buf.flags & V4L2_BUF_FLAG_ERROR)
		errx(1, DRIVER ": frame %u is damaged", buf.sequence);
	return buf.index;
}

void capture_close(struct capture *cap)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	unsigned int i;

	if (ioctl(cap->fd, VIDIOC_STREAMOFF, &type))
		err(1, DRIVER ": cannot stop");
	for (i = 0; i < CAPTURE_BUFFERS; i++)
		buffer_close(&cap->bufs[i]);
	request_buffers(cap, 0);
	close(cap->fd);
}
