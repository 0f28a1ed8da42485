// SPDX-License-Identifier: GPL-2.0
/*
 * A picture travels from a camera to a display without a copy.
 *
 * vivid captures it into buffers that vkms imports, scans out, and writes back
 * into buffers of a dma-heap, udmabuf and vgem. Fences tell each device when it
 * is its turn. Run as root where these drivers are, see the Kconfig help.
 */
#include <err.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "demo.h"

#define WIDTH		640
#define HEIGHT		480
#define FPS		30
#define TARGETS		3
#define BUFFERS		(CAPTURE_BUFFERS + TARGETS)
#define HELD_FRAME	2	/* by then all kinds of fences are in use */
#define HELD_MS		50
#define NOTHING		(-1)

/**
 * struct demo - everything that takes part
 * @cap: the camera
 * @out: the display
 * @vgem: the device that plays the GPU
 * @target: buffers that vkms writes back to, each of another exporter
 * @capture_fb: the camera's buffers as pictures of the display
 * @target_fb: the same for @target
 * @on_screen: index of the camera's buffer on screen, or NOTHING
 * @way_ms: time from capture to arrival, by frame
 * @timed: number of entries in @way_ms
 * @copied: bytes that the CPU copied on the way, or could have
 * @path: where the picture is left, or NULL
 * @command: command to run while all wait, or NULL
 */
struct demo {
	struct capture cap;
	struct scanout out;
	int vgem;
	struct buffer target[TARGETS];
	__u32 capture_fb[CAPTURE_BUFFERS];
	__u32 target_fb[TARGETS];
	int on_screen;
	double *way_ms;
	unsigned int timed;
	size_t copied;
	const char *path;
	const char *command;
};

static void setup_targets(struct demo *demo)
{
	struct layout *layout = &demo->cap.layout;
	unsigned int i;

	alloc_heap(&demo->target[0], "system", layout->size, "written-heap");
	alloc_udmabuf(&demo->target[1], layout->size, "written-udmabuf");
	vgem_alloc(demo->vgem, &demo->target[2], layout, "written-vgem");
	for (i = 0; i < TARGETS; i++) {
		picture_clear(&demo->target[i]);
		demo->target_fb[i] = scanout_add_fb(&demo->out,
						    &demo->target[i]);
	}
}

static void setup(struct demo *demo)
{
	struct layout *layout = &demo->cap.layout;
	unsigned int i;

	capture_open(&demo->cap, WIDTH, HEIGHT, FPS);
	printf("vivid  captures %ux%u %.4s into %d buffers, exported with VIDIOC_EXPBUF\n",
	       layout->width, layout->height, (char *)&layout->fourcc,
	       CAPTURE_BUFFERS);
	scanout_open(&demo->out, layout);
	for (i = 0; i < CAPTURE_BUFFERS; i++)
		demo->capture_fb[i] = scanout_add_fb(&demo->out,
						     &demo->cap.bufs[i]);
	demo->vgem = drm_open("vgem");
	setup_targets(demo);
	printf("vkms   scans them out at %u Hz and writes back into %d buffers of others\n",
	       demo->out.refresh, TARGETS);
}

/*
 * The picture is written back: the target may be read when that fence has
 * signalled. The picture before this one leaves the screen: its buffer may be
 * overwritten then. From here on a poll() on either buffer tells.
 */
static void add_fences(struct demo *demo, const struct buffer *target,
		       const struct scanout_fences *fences)
{
	buffer_add_fence(target, DMA_BUF_SYNC_WRITE, fences->written);
	if (demo->on_screen != NOTHING)
		buffer_add_fence(&demo->cap.bufs[demo->on_screen],
				 DMA_BUF_SYNC_READ, fences->shown);
	close(fences->written);
	close(fences->shown);
}

/*
 * Is the memory that vkms uses really that of the camera and of the target? If
 * not, somebody must have copied the whole picture. The same holds if this
 * process had the means to.
 */
static size_t copied(struct demo *demo, unsigned int index, unsigned int target)
{
	struct scanout *out = &demo->out;
	size_t size = demo->cap.layout.size, sum = picture_mapped();

	if (scanout_fb_inode(out, scanout_current_fb(out)) !=
	    demo->cap.bufs[index].ino)
		sum += size;
	if (scanout_fb_inode(out, demo->target_fb[target]) !=
	    demo->target[target].ino)
		sum += size;
	return sum;
}

/* All of them have their buffers now: the time to ask who has what. */
static void run_command(const struct demo *demo)
{
	if (!demo->command)
		return;
	printf("\n");
	if (system(demo->command))
		errx(1, "failed: %s", demo->command);
	printf("\n");
}

static void check_alive(const struct demo *demo)
{
	unsigned int i;

	for (i = 0; i < CAPTURE_BUFFERS; i++)
		if (!is_alive(demo->cap.bufs[i].ino))
			errx(1, "%s: not in bufinfo", demo->cap.bufs[i].name);
	for (i = 0; i < TARGETS; i++)
		if (!is_alive(demo->target[i].ino))
			errx(1, "%s: not in bufinfo", demo->target[i].name);
}

/* vgem pretends to be still drawing: vkms has to wait, and so has poll(). */
static void show_held(struct demo *demo, const struct buffer *target,
		      __u32 fence)
{
	printf("vgem   holds frame %d back with a write fence; everybody waits\n",
	       HELD_FRAME);
	check_alive(demo);
	run_command(demo);
	if (buffer_ready(target, POLLIN, HELD_MS))
		errx(1, "%s: written although vgem held the picture back",
		     target->name);
	vgem_end_write(demo->vgem, fence);
}

static void check_picture(struct demo *demo, const struct buffer *source,
			  const struct buffer *target, unsigned int frame)
{
	__u32 wrong = picture_differences(&demo->cap.layout, source, target);

	if (!wrong)
		return;
	if (demo->path)
		picture_save(&demo->cap.layout, source, target, demo->path);
	errx(1, "frame %u: %u pixels of %s differ from %s", frame, wrong,
	     target->name, source->name);
}

/* The buffer that was on screen goes back to the camera. */
static void recycle(struct demo *demo, unsigned int index)
{
	if (demo->on_screen != NOTHING) {
		buffer_wait(&demo->cap.bufs[demo->on_screen], POLLOUT);
		capture_queue(&demo->cap, demo->on_screen);
	}
	demo->on_screen = index;
}

static void run_frame(struct demo *demo, unsigned int frame)
{
	unsigned int index = capture_dequeue(&demo->cap);
	unsigned int t = frame % TARGETS;
	const struct buffer *source = &demo->cap.bufs[index];
	const struct buffer *target = &demo->target[t];
	bool held = frame == HELD_FRAME;
	struct scanout_fences fences;
	double start = now_ms();
	__u32 fence = 0;

	if (held)
		fence = vgem_begin_write(demo->vgem, source);
	scanout_commit(&demo->out, demo->capture_fb[index], demo->target_fb[t],
		       &fences);
	add_fences(demo, target, &fences);
	demo->copied += copied(demo, index, t);
	if (held)
		show_held(demo, target, fence);
	buffer_wait(target, POLLIN);
	if (!held)
		demo->way_ms[demo->timed++] = now_ms() - start;
	demo->copied += picture_mapped();
	scanout_wait_retired(&demo->out, demo->target_fb[t]);
	check_picture(demo, source, target, frame);
	recycle(demo, index);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_summary(struct demo *demo, unsigned int frames, double ms)
{
	double *way = demo->way_ms;
	unsigned int n = demo->timed;

	qsort(way, n, sizeof(*way), compare);
	printf("%u frames, every pixel of each as captured\n", frames);
	printf("copied by the CPU on the way: %zu bytes\n", demo->copied);
	printf("time per frame, from captured to written back: median %.1f ms, %.1f to %.1f ms\n",
	       way[n / 2], way[0], way[n - 1]);
	printf("rate, with the check of every pixel: %.1f frames per second of %d captured\n",
	       frames * 1e3 / ms, FPS);
}

static void run(struct demo *demo, unsigned int frames)
{
	double start = now_ms();
	unsigned int i, last = (frames - 1) % TARGETS;

	demo->way_ms = calloc(frames, sizeof(*demo->way_ms));
	if (!demo->way_ms)
		err(1, "times of %u frames", frames);
	demo->on_screen = NOTHING;
	capture_start(&demo->cap);
	for (i = 0; i < frames; i++)
		run_frame(demo, i);
	print_summary(demo, frames, now_ms() - start);
	free(demo->way_ms);
	if (!demo->path)
		return;
	picture_save(&demo->cap.layout, &demo->cap.bufs[demo->on_screen],
		     &demo->target[last], demo->path);
}

static void teardown(struct demo *demo)
{
	ino_t inodes[BUFFERS];
	unsigned int i, n = 0;

	scanout_stop(&demo->out);
	for (i = 0; i < CAPTURE_BUFFERS; i++) {
		inodes[n++] = demo->cap.bufs[i].ino;
		scanout_remove_fb(&demo->out, demo->capture_fb[i]);
	}
	for (i = 0; i < TARGETS; i++) {
		inodes[n++] = demo->target[i].ino;
		scanout_remove_fb(&demo->out, demo->target_fb[i]);
		buffer_close(&demo->target[i]);
	}
	capture_close(&demo->cap);
	scanout_close(&demo->out);
	close(demo->vgem);
	wait_gone(inodes, n);
	printf("all %u buffers are gone again\n", n);
}

static void bad_arguments(void)
{
	errx(2, "usage: [-n FRAMES] [-o FILE.ppm] [-r COMMAND]   (FRAMES at least %d)",
	     HELD_FRAME + 2);
}

int main(int argc, char **argv)
{
	unsigned int frames = 60;
	struct demo demo = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "n:o:r:")) != -1) {
		if (opt == 'n')
			frames = strtoul(optarg, NULL, 10);
		else if (opt == 'o')
			demo.path = optarg;
		else if (opt == 'r')
			demo.command = optarg;
		else
			bad_arguments();
	}
	if (optind != argc || frames < HELD_FRAME + 2)
		bad_arguments();
	setvbuf(stdout, NULL, _IOLBF, 0);
	setup(&demo);
	run(&demo, frames);
	teardown(&demo);
	if (demo.copied)
		errx(1, "the CPU copied, or could have copied, %zu bytes",
		     demo.copied);
	return 0;
}
