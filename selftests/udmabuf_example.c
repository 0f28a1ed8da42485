// SPDX-License-Identifier: GPL-2.0
/*
 * The example of Documentation/userspace-api/dma-buf-udmabuf.rst: a buffer of two
 * pieces of a memfd.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/udmabuf.h>

/* A memfd that cannot shrink: udmabuf insists on it. */
static int create_memfd(size_t size)
{
	int memfd = memfd_create("frames", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (memfd < 0 || ftruncate(memfd, size) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "memfd");
	return memfd;
}

/* The second half first. */
static int create_buffer(int dev, int memfd, size_t half)
{
	struct udmabuf_create_list *arg;
	int i, buf;

	arg = calloc(1, sizeof(*arg) + 2 * sizeof(arg->list[0]));
	if (!arg)
		err(1, "calloc");
	arg->flags = UDMABUF_FLAGS_CLOEXEC;
	arg->count = 2;
	for (i = 0; i < 2; i++) {
		arg->list[i].memfd = memfd;
		arg->list[i].offset = i ? 0 : half;
		arg->list[i].size = half;
	}

	buf = ioctl(dev, UDMABUF_CREATE_LIST, arg);
	if (buf < 0)
		err(1, "UDMABUF_CREATE_LIST");
	free(arg);
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
	size_t half = sysconf(_SC_PAGESIZE);
	char *frame, seen[6] = "";
	int dev, memfd, buf;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		err(1, "/dev/udmabuf");
	memfd = create_memfd(2 * half);
	buf = create_buffer(dev, memfd, half);

	frame = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	if (frame == MAP_FAILED)
		err(1, "mmap");
	bracket(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	strcpy(frame, "first");
	bracket(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	/* now buf can be given to drivers; here, the memfd tells */
	if (pread(memfd, seen, sizeof(seen), half) != sizeof(seen) ||
	    strcmp(seen, "first"))
		errx(1, "the memfd has something else");
	printf("%lld bytes, shared\n", (long long)lseek(buf, 0, SEEK_END));

	munmap(frame, 2 * half);
	close(buf);
	close(memfd);
	close(dev);
	return 0;
}
