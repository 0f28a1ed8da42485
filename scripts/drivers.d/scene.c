// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers on a screen: those of the display itself, and those that it imports
 *
 * The screen is looked at from outside: the monitor of the emulator, at the third serial
 * port, writes what the device of the driver's name shows to the directory BOOT_DIR.
 */
#include "display.h"

#define MONITOR		"/dev/ttyS2"
#define SCREENSHOT	"screen.ppm"

/* An emulated device draws when it comes to it. A line to the monitor may be lost. */
#define PATIENCE_S	180
#define ANSWER_S	30
#define TIMEOUT_S	900

/* More than the device of bochs has memory for. */
#define ROOM		(5UL << 20)
#define MAX_PICTURES	8U

struct picture {
	int buf;
	__u32 fb;
	__u32 pitch;
	unsigned int number;	/* tells it from others */
};

FIXTURE(scene)
{
	struct display display;
	struct picture picture[MAX_PICTURES];
};

FIXTURE_VARIANT(scene)
{
	bool own;
	enum exporter exporter;
};

FIXTURE_VARIANT_ADD(scene, own) { .own = true };
FIXTURE_VARIANT_ADD(scene, udmabuf) { .exporter = UDMABUF };
FIXTURE_VARIANT_ADD(scene, system_heap) { .exporter = SYSTEM_HEAP };

/* ------------------------------------------------------------------ pictures */

/* No two pixels beside each other are alike, nor two pictures. */
static __u32 pixel(unsigned int number, unsigned int x, unsigned int y)
{
	__u32 red = (x + 40 * number) & 0xff;
	__u32 green = (3 * y + 80 * number) & 0xff;
	__u32 blue = ((x ^ y) + number) & 0xff;

	return red << 16 | green << 8 | blue;
}

/* The pixels of a picture for @access by the CPU, or NULL. */
static __u32 *begin(const struct display *display, const struct picture *picture, __u64 access)
{
	size_t size = picture->pitch * display->mode.vdisplay;
	__u32 *pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, picture->buf, 0);

	if (pixels == MAP_FAILED)
		return NULL;
	if (!sync_buffer(picture->buf, DMA_BUF_SYNC_START | access))
		return pixels;
	munmap(pixels, size);
	return NULL;
}

static int end(const struct display *display, const struct picture *picture, __u64 access,
	       __u32 *pixels)
{
	int ret = sync_buffer(picture->buf, DMA_BUF_SYNC_END | access);

	munmap(pixels, picture->pitch * display->mode.vdisplay);
	return ret;
}

static int paint(const struct display *display, const struct picture *picture)
{
	__u32 *pixels = begin(display, picture, DMA_BUF_SYNC_WRITE);
	unsigned int x, y;

	if (!pixels)
		return -EIO;
	for (y = 0; y < display->mode.vdisplay; y++)
		for (x = 0; x < display->mode.hdisplay; x++)
			pixels[y * picture->pitch / 4 + x] = pixel(picture->number, x, y);
	return end(display, picture, DMA_BUF_SYNC_WRITE, pixels);
}

/* Returns how many pixels are not what paint() has made them, or -errno. */
static int damaged(const struct display *display, const struct picture *picture)
{
	__u32 *pixels = begin(display, picture, DMA_BUF_SYNC_READ);
	unsigned int x, y;
	int wrong = 0;

	if (!pixels)
		return -EIO;
	for (y = 0; y < display->mode.vdisplay; y++)
		for (x = 0; x < display->mode.hdisplay; x++)
			wrong += (pixels[y * picture->pitch / 4 + x] & 0xffffff) !=
				 pixel(picture->number, x, y);
	return end(display, picture, DMA_BUF_SYNC_READ, pixels) ?: wrong;
}

static int make_own(struct display *display, struct picture *picture)
{
	int ret = add_picture(display, 0);

	picture->buf = display->buf[0];
	picture->fb = display->fb[0];
	picture->pitch = display->pitch;
	return ret;
}

/* Returns what the driver says to the import if it refuses that. */
static int import(struct display *display, struct picture *picture, enum exporter exporter)
{
	size_t page = page_size(), size;
	__u32 handle;
	int ret;

	picture->pitch = 4 * display->mode.hdisplay;
	size = (picture->pitch * display->mode.vdisplay + page - 1) / page * page;
	picture->buf = buffer_alloc(exporter, size);
	if (picture->buf < 0)
		return picture->buf;
	ret = drm_import(display->drm, picture->buf, &handle);
	if (ret)
		return ret;
	ret = add_frame(display, handle, picture->pitch, &picture->fb);
	drm_close_handle(display->drm, handle);
	return ret;
}

static int make(struct display *display, struct picture *picture,
		bool own, enum exporter exporter, unsigned int number)
{
	int ret;

	if (own)
		ret = make_own(display, picture);
	else
		ret = import(display, picture, exporter);
	picture->number = number;
	return ret ?: paint(display, picture);
}

/* Puts a picture up, and waits for that. */
static int show(struct display *display, const struct picture *picture)
{
	struct request req = { };

	set(&req, PLANE_FB, picture->fb);
	return commit(display, &req, 0);
}

/* -------------------------------------------------------------------- screen */

/* The file that the monitor writes, in the directory that boot has for us. */
static const char *screenshot_path(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("BOOT_DIR") ?: ".", SCREENSHOT);
	return path;
}

/* Has the monitor write the file. */
static int ask_for_screenshot(void)
{
	int monitor = open(MONITOR, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	int ret;

	if (monitor < 0)
		return -errno;
	unlink(screenshot_path());
	ret = dprintf(monitor, "screendump %s %s\n", SCREENSHOT, display_driver());
	close(monitor);
	return ret < 0 ? -EIO : 0;
}

/* Reads a file once it has all that its head promises. NULL if it does not come to that. */
static unsigned char *read_screenshot(unsigned int *width, unsigned int *height)
{
	__s64 end = now_ns() + ANSWER_S * 1000000000LL;

	for (; now_ns() < end; sleep_ms(100)) {
		FILE *file = fopen(screenshot_path(), "r");
		unsigned char *pixels = NULL;
		size_t size = 0;

		if (!file)
			continue;
		if (fscanf(file, "P6 %u %u 255", width, height) == 2 && fgetc(file) == '\n') {
			size = 3UL * *width * *height;
			pixels = malloc(size);
		}
		if (pixels && fread(pixels, 1, size, file) == size) {
			fclose(file);
			return pixels;
		}
		free(pixels);
		fclose(file);
	}
	return NULL;
}

/* Returns how many pixels of the screen are not those of the picture, or -errno. */
static int compare_screen(const struct display *display, unsigned int number)
{
	unsigned int width, height, x, y;
	unsigned char *pixels, *p;
	int wrong = 0, ret;

	ret = ask_for_screenshot();
	if (ret)
		return ret;
	pixels = read_screenshot(&width, &height);
	if (!pixels)
		return -ETIMEDOUT;
	if (width != display->mode.hdisplay || height != display->mode.vdisplay) {
		free(pixels);
		return -ERANGE;
	}
	for (p = pixels, y = 0; y < height; y++) {
		for (x = 0; x < width; x++, p += 3) {
			__u32 seen = p[0] << 16 | p[1] << 8 | p[2];

			wrong += seen != pixel(number, x, y);
		}
	}
	free(pixels);
	return wrong;
}

/* The same once the device has drawn, or what was wrong with the last look. */
static int on_screen(const struct display *display, const struct picture *picture)
{
	__s64 end = now_ns() + PATIENCE_S * 1000000000LL;
	int ret;

	do {
		ret = compare_screen(display, picture->number);
	} while (ret && now_ns() < end);
	return ret;
}

/* --------------------------------------------------------------------- tests */

FIXTURE_SETUP(scene)
{
	struct display *display = &self->display;
	int ret = open_display(_metadata, display, display_driver());

	if (display->drm < 0)
		return;
	ASSERT_EQ(0, ret);
	ret = make(display, &self->picture[0], variant->own, variant->exporter, 0);
	if (ret && !variant->own)
		SKIP(return, "%s imports nothing: %d", display_driver(), ret);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, make(display, &self->picture[1], variant->own, variant->exporter, 1));
	/* Not looked at: qxl draws what comes with the mode only once there is another. */
	display->fb[0] = self->picture[1].fb;
	ASSERT_EQ(0, turn_on(display));
}

FIXTURE_TEARDOWN(scene)
{
	EXPECT_EQ(0, turn_off(&self->display));
	close(self->display.drm);
}

TEST_F_TIMEOUT(scene, picture_is_shown, TIMEOUT_S)
{
	EXPECT_EQ(0, show(&self->display, &self->picture[0]));
	EXPECT_EQ(0, on_screen(&self->display, &self->picture[0]));
	EXPECT_EQ(0, show(&self->display, &self->picture[1]));
	EXPECT_EQ(0, on_screen(&self->display, &self->picture[1]));
}

/* The frame buffer keeps the object, which keeps the buffer. */
TEST_F_TIMEOUT(scene, picture_outlives_its_descriptor, TIMEOUT_S)
{
	close(self->picture[0].buf);
	close(self->picture[1].buf);
	EXPECT_EQ(0, show(&self->display, &self->picture[0]));
	EXPECT_EQ(0, on_screen(&self->display, &self->picture[0]));
	EXPECT_EQ(0, show(&self->display, &self->picture[1]));
	EXPECT_EQ(0, on_screen(&self->display, &self->picture[1]));
}

/* A picture has to be in the memory of the device while it is shown, others make room. */
TEST_F_TIMEOUT(scene, pictures_make_room_for_others, TIMEOUT_S)
{
	struct display *display = &self->display;
	unsigned int count = ROOM / (self->picture[0].pitch * display->mode.vdisplay) + 1;
	unsigned int i;

	ASSERT_GE(MAX_PICTURES, count);
	for (i = 2; i < count; i++) {
		ASSERT_EQ(0, make(display, &self->picture[i], variant->own,
				  variant->exporter, i));
	}
	for (i = 0; i < 2 * count; i++) {
		EXPECT_EQ(0, show(display, &self->picture[i % count]));
		EXPECT_EQ(0, on_screen(display, &self->picture[i % count]));
	}
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, damaged(display, &self->picture[i]));
}

TEST_HARNESS_MAIN
