// SPDX-License-Identifier: GPL-2.0
/*
 * The pixels: the only file that looks at them, after they have arrived. Each
 * pixel is a 32-bit word, from the top: unused, red, green, blue.
 */
#include <err.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define COLOURS		0x00ffffffu
#define GAP		16	/* pixels between the two pictures */
#define WHITE		0xffffffffu

/*
 * How many bytes of device memory this process has mapped at the moment. A
 * dma-buf cannot be read or written in another way: nothing mapped, nothing
 * copied.
 */
size_t picture_mapped(void)
{
	unsigned long start, end;
	char line[512];
	size_t sum = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps)
		err(1, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "/dmabuf:") && !strstr(line, "/dev/"))
			continue;
		if (sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += end - start;
	}
	fclose(maps);
	return sum;
}

/* So that what is found later cannot have been there before. */
void picture_clear(const struct buffer *buf)
{
	void *addr = buffer_map(buf, DMA_BUF_SYNC_WRITE);

	memset(addr, 0, buf->size);
	buffer_unmap(buf, DMA_BUF_SYNC_WRITE, addr);
}

static const __u32 *line_of(const void *picture, const struct layout *layout,
			    __u32 y)
{
	return (const void *)((const char *)picture + (size_t)y * layout->pitch);
}

static __u32 line_differences(const __u32 *left, const __u32 *right, __u32 width)
{
	__u32 x, found = 0;

	for (x = 0; x < width; x++)
		found += !!((left[x] ^ right[x]) & COLOURS);
	return found;
}

static bool is_plain(const struct layout *layout, const void *picture)
{
	__u32 first = *line_of(picture, layout, 0) & COLOURS;
	__u32 x, y;

	for (y = 0; y < layout->height; y++)
		for (x = 0; x < layout->width; x++)
			if ((line_of(picture, layout, y)[x] & COLOURS) != first)
				return false;
	return true;
}

/*
 * How many pixels differ in a colour. Both pictures have eight bits for each,
 * so none may. The unused byte is not part of the picture.
 */
__u32 picture_differences(const struct layout *layout,
			  const struct buffer *left, const struct buffer *right)
{
	const void *a = buffer_map(left, DMA_BUF_SYNC_READ);
	const void *b = buffer_map(right, DMA_BUF_SYNC_READ);
	__u32 y, found = 0;

	if (is_plain(layout, a))
		errx(1, "%s: all of one colour, that is no test picture",
		     left->name);
	for (y = 0; y < layout->height; y++)
		found += line_differences(line_of(a, layout, y),
					  line_of(b, layout, y), layout->width);
	buffer_unmap(right, DMA_BUF_SYNC_READ, (void *)b);
	buffer_unmap(left, DMA_BUF_SYNC_READ, (void *)a);
	return found;
}

/* Copy a picture into a larger image, @x pixels from its left edge. */
static void paste(__u32 *image, __u32 image_width, __u32 x,
		  const struct layout *layout, const struct buffer *buf)
{
	void *addr = buffer_map(buf, DMA_BUF_SYNC_READ);
	__u32 y;

	for (y = 0; y < layout->height; y++)
		memcpy(image + (size_t)y * image_width + x,
		       line_of(addr, layout, y),
		       layout->width * sizeof(*image));
	buffer_unmap(buf, DMA_BUF_SYNC_READ, addr);
}

/* As a portable pixmap, which needs no library. */
static void write_image(const char *path, const __u32 *image, __u32 width, __u32 height)
{
	FILE *file = fopen(path, "wb");
	size_t i;

	if (!file)
		err(1, "%s", path);
	fprintf(file, "P6\n%u %u\n255\n", width, height);
	for (i = 0; i < (size_t)width * height; i++) {
		putc(image[i] >> 16 & 0xff, file);
		putc(image[i] >> 8 & 0xff, file);
		putc(image[i] & 0xff, file);
	}
	if (ferror(file) | fclose(file))
		errx(1, "%s: not written", path);
}

void picture_save(const struct layout *layout, const struct buffer *left,
		  const struct buffer *right, const char *path)
{
	__u32 width = 2 * layout->width + GAP;
	size_t pixels = (size_t)width * layout->height, i;
	__u32 *image = malloc(pixels * sizeof(*image));

	if (!image)
		err(1, "%s", path);
	for (i = 0; i < pixels; i++)
		image[i] = WHITE;
	paste(image, width, 0, layout, left);
	paste(image, width, layout->width + GAP, layout, right);
	write_image(path, image, width, layout->height);
	free(image);
}
