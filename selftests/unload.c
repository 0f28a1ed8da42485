// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that are unloaded while their buffers and fences are in use elsewhere
 *
 * A module may stay, which the call tells by an errno, or go; then what it has left must
 * still work. modprobe finds modules below MODULES_ROOT, if that is set. UNLOAD_ROUNDS
 * says how often a driver is loaded; each time it leaves another thing behind, in turn.
 */
#include "common.h"

#include <sys/wait.h>

#include <drm/vgem_drm.h>
#include <linux/videodev2.h>

/* Work items and grace periods hold a module for some time. */
#define PATIENCE_MS	20000

#define RW		DMA_BUF_SYNC_RW

FIXTURE(unload)
{
	long taints;
	unsigned int rounds;
	int timeline;	/* of sw_sync, which stays */
	unsigned int value;	/* of its last fence */
};

FIXTURE_VARIANT(unload)
{
	const char *module;
	int (*alloc)(void);
	bool stays;	/* it cannot be unloaded, used or not */
};

/* ---------------------------------------------------------------- drivers */

static int vgem_buffer(void)
{
	return drm_alloc("vgem", page_size());
}

static int vkms_buffer(void)
{
	return drm_alloc("vkms", page_size());
}

static int heap_buffer(void)
{
	return heap_alloc_from("/dev/dma_heap/example", page_size(), O_RDWR | O_CLOEXEC);
}

/* Opens a camera of vivid. */
static int vivid_open(void)
{
	struct v4l2_capability cap;
	char path[32];
	int i, dev;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		dev = open(path, O_RDWR | O_CLOEXEC);
		if (dev < 0)
			continue;
		if (!ioctl(dev, VIDIOC_QUERYCAP, &cap) &&
		    !strcmp((char *)cap.driver, "vivid") &&
		    cap.device_caps & V4L2_CAP_VIDEO_CAPTURE)
			return dev;
		close(dev);
	}
	return -ENODEV;
}

static int vivid_buffer(void)
{
	struct v4l2_requestbuffers request = {
		.count = 1,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
	};
	int dev = vivid_open();
	int ret;

	if (dev < 0)
		return dev;
	ret = do_ioctl(dev, VIDIOC_REQBUFS, &request) ?:
	      do_ioctl(dev, VIDIOC_EXPBUF, &export);
	close(dev);
	return ret ? ret : export.fd;
}

FIXTURE_VARIANT_ADD(unload, vgem)
{
	.module = "vgem",
	.alloc = vgem_buffer,
};

FIXTURE_VARIANT_ADD(unload, vkms)
{
	.module = "vkms",
	.alloc = vkms_buffer,
};

FIXTURE_VARIANT_ADD(unload, vivid)
{
	.module = "vivid",
	.alloc = vivid_buffer,
};

FIXTURE_VARIANT_ADD(unload, example_heap)
{
	.module = "example_heap",
	.alloc = heap_buffer,
	.stays = true,	/* nothing takes a heap away again */
};

/* ---------------------------------------------------------------- modules */

/* Returns whether it is a module, and not a part of the kernel. */
static bool is_module(const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	return !access(path, F_OK);
}

static int unload_when_free(const char *module)
{
	int ret, ms;

	for (ms = 0; ms < PATIENCE_MS; ms += 10) {
		ret = unload_module(module);
		if (ret != -EWOULDBLOCK)
			return ret;
		sleep_ms(10);
	}
	return ret;
}

/* ------------------------------------------------------ what is left behind */

/**
 * struct left - what a process has of a driver when that is unloaded
 * @buf: buffer, or -1
 * @other: a sync file, a device that has imported the buffer, a socket, or -1
 * @bytes: its memory, or NULL
 */
struct left {
	int buf;
	int other;
	char *bytes;
};

static bool leave_buffer(struct left *left)
{
	return true;
}

static bool leave_mapping(struct left *left)
{
	left->bytes = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
			   left->buf, 0);
	if (left->bytes == MAP_FAILED)
		return false;
	left->bytes[0] = 1;
	close(left->buf);
	left->buf = -1;
	return true;
}

/* The callback of the poller is on a fence that stays pending, and holds the buffer. */
static bool leave_poll(struct left *left)
{
	struct pollfd poller = { .fd = left->buf, .events = POLLIN };

	return poll(&poller, 1, 0) == 0;
}

/* The fences of the buffer, without the buffer. */
static bool leave_sync_file(struct left *left)
{
	left->other = export_fences(left->buf, RW);
	close(left->buf);
	left->buf = -1;
	return left->other >= 0;
}

static bool leave_import(struct left *left)
{
	__u32 handle;

	left->other = drm_open("vkms");
	if (left->other < 0)
		return false;
	if (drm_import(left->other, left->buf, &handle))
		return false;
	close(left->buf);
	left->buf = -1;
	return true;
}

/* A descriptor in a socket that no process can receive from any more. */
static bool leave_in_flight(struct left *left)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || send_fd(pair[0], left->buf))
		return false;
	close(pair[0]);
	close(left->buf);
	left->buf = -1;
	left->other = pair[1];
	return true;
}

static bool (* const leave[])(struct left *left) = {
	leave_buffer, leave_mapping, leave_poll, leave_sync_file, leave_import,
	leave_in_flight,
};

/* Use once more what was left. */
static bool still_works(const struct left *left)
{
	struct pollfd poller = { .fd = left->buf >= 0 ? left->buf : left->other };

	if (left->bytes && left->bytes[0] != 1)
		return false;
	if (left->buf >= 0 && lseek(left->buf, 0, SEEK_END) <= 0)
		return false;
	poller.events = POLLIN | POLLOUT;
	return left->bytes || poll(&poller, 1, 0) >= 0;
}

/* A fence of the driver itself, if it makes any for a buffer that it is told of. */
static void add_fence_of_vgem(int buf)
{
	struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	int drm = drm_open("vgem");

	if (drm < 0)
		return;
	if (!drm_import(drm, buf, &attach.handle))
		ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);
	close(drm);
}

/*
 * A process that has something of the driver: tells when it has, uses it when it is told
 * to, and dies with it.
 */
static pid_t start_user(int (*alloc)(void), bool (*leave_it)(struct left *left), int fence,
			int told, int tell)
{
	struct left left = { .buf = -1, .other = -1 };
	pid_t pid = fork();
	char byte = 0;

	if (pid)
		return pid;
	left.buf = alloc();
	if (left.buf < 0)
		_exit(2);
	add_fence_of_vgem(left.buf);
	if (import_fences(left.buf, DMA_BUF_SYNC_WRITE, fence) || !leave_it(&left))
		_exit(3);
	if (write(tell, &byte, 1) != 1 || read(told, &byte, 1) != 1)
		_exit(4);
	_exit(still_works(&left) ? 0 : 5);
}

/* ------------------------------------------------------------------- tests */

FIXTURE_SETUP(unload)
{
	const char *rounds = getenv("UNLOAD_ROUNDS");

	if (!find_module(variant->module) || !is_module(variant->module))
		SKIP(return, "%s is no module that can be loaded (root)", variant->module);
	if (!find_module("vgem") || !find_module("vkms"))
		SKIP(return, "no vgem and vkms to import buffers (CONFIG_DRM_VGEM, _VKMS)");
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->rounds = rounds ? atoi(rounds) : 2 * ARRAY_SIZE(leave);
	self->taints = taints(_metadata);
}

FIXTURE_TEARDOWN(unload)
{
	close(self->timeline);
}

static void one_round(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self,
		      const FIXTURE_VARIANT(unload) *variant, unsigned int what)
{
	int told[2], tell[2], fence, ret, status;
	char byte = 0;
	pid_t pid;

	ASSERT_TRUE(find_module(variant->module));
	ASSERT_EQ(0, pipe(told));
	ASSERT_EQ(0, pipe(tell));
	fence = timeline_fence(self->timeline, ++self->value);
	ASSERT_LE(0, fence);
	pid = start_user(variant->alloc, leave[what], fence, told[0], tell[1]);
	ASSERT_LT(0, pid);
	close(tell[1]);
	EXPECT_EQ(1, read(tell[0], &byte, 1));

	ret = unload_module(variant->module);
	EXPECT_TRUE(variant->stays ? ret == -EBUSY : !ret || ret == -EWOULDBLOCK)
		TH_LOG("%s: %s", variant->module, strerror(-ret));
	EXPECT_EQ(1, write(told[1], &byte, 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status)
		TH_LOG("%s, thing %u", variant->module, what);
	close(fence);
	EXPECT_EQ(0, timeline_advance(self->timeline, 1));
	if (ret)
		EXPECT_EQ(variant->stays ? -EBUSY : 0, unload_when_free(variant->module));
	close(told[0]);
	close(told[1]);
	close(tell[0]);
}

TEST_F_TIMEOUT(unload, module_stays_or_leaves_what_works, 3600)
{
	unsigned int round;

	for (round = 0; round < self->rounds && _metadata->exit_code == KSFT_PASS; round++)
		one_round(_metadata, self, variant, round % ARRAY_SIZE(leave));
	EXPECT_EQ(self->taints, taints(_metadata));
}

TEST_HARNESS_MAIN
