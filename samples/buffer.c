// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on a dma-buf that do not depend on its exporter: set its name, wait for
 * it, add a fence, read its bytes.
 */
#include <err.h>
#include <errno.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

ino_t buffer_inode(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		err(1, "fstat of a dma-buf");
	return st.st_ino;
}

/* Takes over @fd, a new dma-buf that has to hold at least @size bytes. */
void buffer_init(struct buffer *buf, int fd, size_t size, const char *name)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		err(1, "%s: cannot ask for the size", name);
	if ((size_t)end < size)
		errx(1, "%s: %jd bytes, %zu needed", name, (intmax_t)end, size);

	snprintf(buf->name, sizeof(buf->name), "%s", name);
	buf->fd = fd;
	buf->ino = buffer_inode(fd);
	buf->size = end;
	if (ioctl(fd, DMA_BUF_SET_NAME, buf->name))
		err(1, "%s: cannot name the buffer", name);
}

void buffer_close(struct buffer *buf)
{
	close(buf->fd);
	buf->fd = -1;
}

double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/*
 * POLLIN: nobody writes any more, the buffer may be read. POLLOUT: nobody
 * reads either, it may be written.
 */
bool buffer_ready(const struct buffer *buf, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = buf->fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		err(1, "%s: poll", buf->name);
	if (ret && !(pfd.revents & events))
		errx(1, "%s: poll reports %#x", buf->name, pfd.revents);
	return ret;
}

/* A poll() without a wake-up tests once more when its time is up. */
void buffer_wait(const struct buffer *buf, short events)
{
	double start = now_ms();

	if (!buffer_ready(buf, events, PATIENCE_MS))
		errx(1, "%s: still busy after %d ms", buf->name, PATIENCE_MS);
	if (now_ms() - start >= PATIENCE_MS)
		errx(1, "%s: ready, but nobody has told within %d ms",
		     buf->name, PATIENCE_MS);
}

/* All users with implicit synchronisation now wait for @fence, too. */
void buffer_add_fence(const struct buffer *buf, __u32 access, int fence)
{
	struct dma_buf_import_sync_file arg = { .flags = access, .fd = fence };

	if (ioctl(buf->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg))
		err(1, "%s: cannot add a fence", buf->name);
}

static void buffer_sync(const struct buffer *buf, __u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };
	int ret;

	do {
		ret = ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &arg);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	if (ret)
		err(1, "%s: cannot synchronise with the CPU", buf->name);
}

/* Map for the CPU; between this and buffer_unmap() the bytes are coherent. */
void *buffer_map(const struct buffer *buf, __u32 access)
{
	int prot = access & DMA_BUF_SYNC_WRITE ? PROT_WRITE : PROT_READ;
	void *addr = mmap(NULL, buf->size, prot, MAP_SHARED, buf->fd, 0);

	if (addr == MAP_FAILED)
		err(1, "%s: cannot map", buf->name);
	buffer_sync(buf, DMA_BUF_SYNC_START | access);
	return addr;
}

void buffer_unmap(const struct buffer *buf, __u32 access, void *addr)
{
	buffer_sync(buf, DMA_BUF_SYNC_END | access);
	munmap(addr, buf->size);
}
