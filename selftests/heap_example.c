// SPDX-License-Identifier: GPL-2.0
/*
 * The example of Documentation/userspace-api/dma-buf-heaps.rst: a buffer from
 * the first heap of a list that there is.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>

/* Best first. The device may need contiguous memory, or just do better with it. */
static const char * const heaps[] = {
	"/dev/dma_heap/default_cma_region",
	"/dev/dma_heap/linux,cma",
	"/dev/dma_heap/reserved",
	"/dev/dma_heap/system",
	NULL
};

static int allocate_from(const char *path, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(path, O_RDONLY | O_CLOEXEC);

	if (heap < 0) {
		warn("%s", path);
		return -1;
	}
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data)) {
		warn("%s", path);
		close(heap);
		return -1;
	}
	close(heap);
	printf("%s: %lld bytes\n", path, (long long)lseek(data.fd, 0, SEEK_END));
	return data.fd;
}

/* A heap may be missing, not for us, or full: then the next one may do. */
static int allocate(size_t size)
{
	int i, buf = -1;

	for (i = 0; heaps[i] && buf < 0; i++)
		buf = allocate_from(heaps[i], size);
	return buf;
}

static void bracket(int buf, unsigned long long flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	while (ioctl(buf, DMA_BUF_IOCTL_SYNC, &sync))
		if (errno != EINTR && errno != EAGAIN)
			err(1, "DMA_BUF_IOCTL_SYNC");
}

int main(void)
{
	const size_t width = 640, height = 480, size = width * height * 4;
	unsigned char *frame;
	int buf;

	buf = allocate(size);
	if (buf < 0)
		errx(1, "no heap has %zu bytes for us", size);
	frame = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	if (frame == MAP_FAILED)
		err(1, "mmap");

	bracket(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	if (frame[0] || frame[size - 1])
		errx(1, "it is not zero");
	memset(frame, 0x7f, size);	/* grey */
	bracket(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);

	/* now buf can be given to drivers */

	munmap(frame, size);
	close(buf);
	return 0;
}
