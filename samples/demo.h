/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the dma-buf sample share.
 *
 * The way of a frame; each arrow is a dma-buf file descriptor and no copy:
 *
 *	vivid (capture.c) --> vkms scan-out (scanout.c) --> vkms writeback
 *	   exported with         imported with PRIME,        into buffers of other
 *	   VIDIOC_EXPBUF         shown atomically            exporters (alloc.c)
 *
 * All functions exit with one line and a non-zero status if the kernel refuses an
 * operation that the sample needs. They do not clean up: the kernel does that when the
 * process exits.
 */
#ifndef _SAMPLES_DMA_BUF_DEMO_H
#define _SAMPLES_DMA_BUF_DEMO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* No frame takes that long, not even on a kernel full of checks. */
#define PATIENCE_MS	5000

/**
 * struct layout - how pixels lie in memory, agreed upon by all devices
 * @width: pixels in a line
 * @height: lines
 * @pitch: bytes from one line to the next
 * @size: bytes of the whole picture
 * @fourcc: format; V4L2 and DRM use the same code for the one used here
 */
struct layout {
	__u32 width;
	__u32 height;
	__u32 pitch;
	__u32 size;
	__u32 fourcc;
};

/**
 * struct buffer - one dma-buf
 * @name: the name given to it with DMA_BUF_SET_NAME
 * @fd: its file descriptor
 * @ino: inode number, which identifies a buffer in the whole system
 * @size: bytes, as the buffer's own llseek() tells
 */
struct buffer {
	char name[32];
	int fd;
	ino_t ino;
	size_t size;
};

/* buffer.c - what can be done with any dma-buf */

void buffer_init(struct buffer *buf, int fd, size_t size, const char *name);
void buffer_close(struct buffer *buf);
ino_t buffer_inode(int fd);
double now_ms(void);
bool buffer_ready(const struct buffer *buf, short events, int timeout_ms);
void buffer_wait(const struct buffer *buf, short events);
void buffer_add_fence(const struct buffer *buf, __u32 access, int fence);
void *buffer_map(const struct buffer *buf, __u32 access);
void buffer_unmap(const struct buffer *buf, __u32 access, void *addr);

/* alloc.c - buffers that belong to no camera and no display */

void alloc_heap(struct buffer *buf, const char *heap, size_t size,
		const char *name);
void alloc_udmabuf(struct buffer *buf, size_t size, const char *name);

/* drm.c - what vkms and vgem have in common */

int drm_open(const char *driver);
void drm_do(int fd, unsigned long request, void *arg, const char *what);
__u32 drm_import(int fd, const struct buffer *buf);
int drm_export(int fd, __u32 handle);
void drm_close_handle(int fd, __u32 handle);

/* vgem.c - a stand-in for a GPU: memory and fences, no screen */

void vgem_alloc(int fd, struct buffer *buf, struct layout *layout,
		const char *name);
__u32 vgem_begin_write(int fd, const struct buffer *buf);
void vgem_end_write(int fd, __u32 fence);

/* capture.c - the camera */

#define CAPTURE_BUFFERS	4

/**
 * struct capture - a streaming V4L2 device
 * @fd: the device
 * @layout: what it delivers
 * @bufs: its buffers, by V4L2 index
 */
struct capture {
	int fd;
	struct layout layout;
	struct buffer bufs[CAPTURE_BUFFERS];
};

void capture_open(struct capture *cap, __u32 width, __u32 height, __u32 fps);
void capture_start(struct capture *cap);
unsigned int capture_dequeue(struct capture *cap);
void capture_queue(struct capture *cap, unsigned int index);
void capture_close(struct capture *cap);

/* scanout.c - the display and its writeback connector */

enum scanout_object {
	OBJ_CRTC, OBJ_PLANE, OBJ_CONNECTOR, OBJ_WRITEBACK, OBJ_COUNT
};

#define SCANOUT_PROPS	18

/**
 * struct scanout - a display of its own
 * @fd: the device
 * @layout: what it scans out
 * @refresh: frames per second of the mode
 * @mode_blob: the mode, as a property blob
 * @object: object ids
 * @prop: property ids, in the order of the table in scanout.c
 * @running: the mode has been set
 */
struct scanout {
	int fd;
	struct layout layout;
	__u32 refresh;
	__u32 mode_blob;
	__u32 object[OBJ_COUNT];
	__u32 prop[SCANOUT_PROPS];
	bool running;
};

/**
 * struct scanout_fences - what a commit promises, both are sync_files
 * @shown: signals when the new picture is on screen and the old one is not
 * @written: signals when the writeback buffer holds the picture
 */
struct scanout_fences {
	__s32 shown;
	__s32 written;
};

void scanout_open(struct scanout *out, const struct layout *layout);
__u32 scanout_add_fb(struct scanout *out, const struct buffer *buf);
void scanout_remove_fb(struct scanout *out, __u32 fb);
void scanout_commit(struct scanout *out, __u32 show, __u32 write,
		    struct scanout_fences *fences);
__u32 scanout_current_fb(struct scanout *out);
ino_t scanout_fb_inode(struct scanout *out, __u32 fb);
void scanout_wait_retired(struct scanout *out, __u32 fb);
void scanout_stop(struct scanout *out);
void scanout_close(struct scanout *out);

/* live.c - which buffers live */

bool is_alive(ino_t ino);
void wait_gone(const ino_t *inodes, unsigned int count);

/* picture.c - the pixels, once they have arrived */

size_t picture_mapped(void);
void picture_clear(const struct buffer *buf);
__u32 picture_differences(const struct layout *layout,
			  const struct buffer *left, const struct buffer *right);
void picture_save(const struct layout *layout, const struct buffer *left,
		  const struct buffer *right, const char *path);

#endif
