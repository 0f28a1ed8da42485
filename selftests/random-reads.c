// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations that read what the kernel tells about buffers and fences
 */
#include <dirent.h>

#include "random.h"

#define MAX_DEPTH	4

/* Pieces of any size, so that the kernel has to begin again in the middle. */
static bool read_through(struct worker *w, const char *path)
{
	char data[512];
	size_t piece = 1 + rnd(w, sizeof(data));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned int left = 1 + rnd(w, 64);
	ssize_t got;

	if (fd < 0)
		return false;
	do {
		got = read(fd, data, piece);
	} while (got > 0 && --left);
	close(fd);
	return got >= 0;
}

struct entry {
	__u64 ino;
	__s64 off;
	unsigned short len;
	unsigned char type;
	char name[];
};

static void read_tree(struct worker *w, const char *path, int depth, unsigned int *files);

static void read_entry(struct worker *w, const char *dir, struct entry *entry, int depth,
		       unsigned int *files)
{
	char path[192];

	if (snprintf(path, sizeof(path), "%s/%s", dir, entry->name) >= (int)sizeof(path))
		return;
	if (entry->type == DT_REG)
		*files += read_through(w, path);
	else if (entry->type == DT_DIR && entry->name[0] != '.')
		read_tree(w, path, depth + 1, files);
}

/* opendir() would allocate, and perhaps map memory. */
static void read_tree(struct worker *w, const char *path, int depth, unsigned int *files)
{
	char data[1024];
	long got, at;
	int dir;

	if (depth > MAX_DEPTH)
		return;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	while ((got = syscall(SYS_getdents64, dir, data, sizeof(data))) > 0) {
		for (at = 0; at < got; at += ((struct entry *)(data + at))->len)
			read_entry(w, path, (void *)(data + at), depth, files);
	}
	close(dir);
}

static bool read_some(struct worker *w, const char *path)
{
	unsigned int files = 0;

	read_tree(w, path, 0, &files);
	return files;
}

static bool read_bufinfo(struct worker *w)
{
	return read_through(w, DEBUGFS "/dma_buf/bufinfo");
}

static bool read_report(struct worker *w)
{
	return read_through(w, DEBUGFS "/dma_buf/report");
}

static bool read_sync_info(struct worker *w)
{
	return read_through(w, DEBUGFS "/sync/info");
}

static bool read_buffers(struct worker *w)
{
	return read_some(w, "/sys/kernel/dmabuf");
}

static bool read_heaps(struct worker *w)
{
	return read_some(w, "/sys/devices/virtual/dma_heap");
}

static bool read_fdinfo_of(struct worker *w)
{
	enum pool_kind kind;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pool_look_any(w, &kind));
	return read_through(w, path);
}

static bool read_all_fdinfo(struct worker *w)
{
	return read_some(w, "/proc/self/fdinfo");
}

static bool read_link(struct worker *w)
{
	char target[64];

	return fd_link(pool_look(w, BUFFERS), target, sizeof(target));
}

static bool read_maps(struct worker *w)
{
	return read_through(w, "/proc/self/maps");
}

static bool read_stat(struct worker *w)
{
	return buffer_ino(pool_look(w, BUFFERS));
}

const struct operation read_operations[] = {
	{ "read: bufinfo", read_bufinfo, 1, NOTHING },
	{ "read: report", read_report, 1, NOTHING },
	{ "read: sync/info", read_sync_info, 1, SW_SYNC },
	{ "read: /sys/kernel/dmabuf", read_buffers, 1, NOTHING },
	{ "read: heaps in sysfs", read_heaps, 1, HEAP },
	{ "read: fdinfo", read_fdinfo_of, 4, NOTHING },
	{ "read: fdinfo of all", read_all_fdinfo, 1, NOTHING },
	{ "read: path", read_link, 2, NOTHING },
	{ "read: maps", read_maps, 1, NOTHING },
	{ "read: stat", read_stat, 2, NOTHING },
	{ }
};
