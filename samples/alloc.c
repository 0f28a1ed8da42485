// SPDX-License-Identifier: GPL-2.0
/* Buffers from exporters that only have memory: a dma-heap, and udmabuf. */
#define _GNU_SOURCE		/* memfd_create() and seals */
#include <err.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "demo.h"

static size_t whole_pages(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

void alloc_heap(struct buffer *buf, const char *heap, size_t size,
		const char *name)
{
	struct dma_heap_allocation_data arg = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/dma_heap/%s", heap);
	fd = open_device(path);
	if (ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &arg))
		err(1, "%s: cannot allocate %zu bytes", path, size);
	close(fd);
	buffer_init(buf, arg.fd, size, name);
}

/* The seal promises that the pages stay; udmabuf insists on it. */
static int sealed_memfd(size_t size)
{
	int fd = memfd_create("dma-buf-demo", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0)
		err(1, "memfd_create");
	if (ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "memfd: cannot set up %zu bytes", size);
	return fd;
}

void alloc_udmabuf(struct buffer *buf, size_t size, const char *name)
{
	struct udmabuf_create arg = {
		.memfd = sealed_memfd(whole_pages(size)),
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = whole_pages(size),
	};
	int device = open_device("/dev/udmabuf");
	int fd = ioctl(device, UDMABUF_CREATE, &arg);

	if (fd < 0)
		err(1, "/dev/udmabuf: cannot create a buffer");
	close(device);
	close(arg.memfd);
	buffer_init(buf, fd, size, name);
}
