// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel tells about live buffers. Three places have to agree:
 * bufinfo in debugfs, fdinfo in /proc, and the statistics in sysfs.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo.h"

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define STATISTICS	"/sys/kernel/dmabuf/buffers"
#define GRACE_MS	100	/* how late the statistics may be */
#define GONE_MS		1000	/* how late the last reference may go */
#define MAX_FENCES	4
#define LINE		256

/**
 * struct entry - one buffer in the list of all buffers
 * @ino: its inode number
 * @size: in bytes
 * @exporter: who made it
 * @name: given by user space
 * @devices: names of those attached to it
 * @fence: fences that it waits for, or waited for
 * @fences: how many of them
 */
struct entry {
	unsigned long ino;
	size_t size;
	char exporter[64];
	char name[64];
	char devices[LINE];
	char fence[MAX_FENCES][LINE];
	unsigned int fences;
};

static void chomp(char *text)
{
	text[strcspn(text, "\n")] = '\0';
}

static FILE *open_bufinfo(void)
{
	FILE *file = fopen(BUFINFO, "r");

	if (!file)
		err(1, "%s (is debugfs mounted?)", BUFINFO);
	return file;
}

static bool parse_head(const char *line, struct entry *entry)
{
	*entry = (struct entry){ 0 };
	return sscanf(line, "%zu %*x %*x %*d %63s %lu %63[^\n]", &entry->size,
		      entry->exporter, &entry->ino, entry->name) == 4;
}

static void add_device(struct entry *entry, const char *device)
{
	size_t len = strlen(entry->devices);

	snprintf(entry->devices + len, sizeof(entry->devices) - len, "%s%s",
		 len ? ", " : "", device);
}

static void add_fence(struct entry *entry, const char *fence)
{
	if (entry->fences < MAX_FENCES)
		snprintf(entry->fence[entry->fences++],
			 sizeof(entry->fence[0]), "%s", fence);
}

/* The indented lines below a head: fences, a title, devices, their number. */
static void parse_details(FILE *file, struct entry *entry)
{
	bool devices = false;
	char line[LINE];

	while (fgets(line, sizeof(line), file) && line[0] == '\t') {
		chomp(line);
		if (!strcmp(line, "\tAttached Devices:"))
			devices = true;
		else if (devices)
			add_device(entry, line + 1);
		else
			add_fence(entry, line + 1);
	}
}

static bool find_entry(ino_t ino, struct entry *entry)
{
	FILE *file = open_bufinfo();
	bool found = false;
	char line[LINE];

	while (!found && fgets(line, sizeof(line), file))
		found = parse_head(line, entry) && entry->ino == ino;
	if (found)
		parse_details(file, entry);
	if (ferror(file))
		err(1, BUFINFO);
	fclose(file);
	return found;
}

/* The rest of the line of /proc/self/fdinfo/@fd that begins with @key. */
static void read_fdinfo(int fd, const char *key, char *value, size_t size)
{
	char path[64], line[LINE];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		chomp(line);
		snprintf(value, size, "%s", line + strlen(key));
	}
	fclose(file);
}

static bool read_statistic(ino_t ino, const char *name, char *value, int size)
{
	char path[128];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), STATISTICS "/%lu/%s", (unsigned long)ino,
		 name);
	file = fopen(path, "r");
	if (!file)
		return false;
	ok = fgets(value, size, file);
	fclose(file);
	if (ok)
		chomp(value);
	return ok;
}

/* The entry of a live buffer may come a little later than the buffer. */
static bool wait_statistic(ino_t ino, const char *name, char *value, int size)
{
	int ms;

	for (ms = 0; ms <= GRACE_MS; ms++) {
		if (read_statistic(ino, name, value, size))
			return true;
		usleep(1000);
	}
	return false;
}

static void must_agree(const struct buffer *buf, const char *where,
		       const char *what, const char *said, const char *expected)
{
	if (strcmp(said, expected))
		errx(1, "%s: %s is '%s' in %s and '%s' in bufinfo", buf->name,
		     what, said, where, expected);
}

static void check_fdinfo(const struct buffer *buf, const struct entry *entry)
{
	char value[64], size[32];

	snprintf(size, sizeof(size), "%zu", entry->size);
	read_fdinfo(buf->fd, "size:\t", value, sizeof(value));
	must_agree(buf, "fdinfo", "size", value, size);
	read_fdinfo(buf->fd, "exp_name:\t", value, sizeof(value));
	must_agree(buf, "fdinfo", "exporter", value, entry->exporter);
	read_fdinfo(buf->fd, "name:\t", value, sizeof(value));
	must_agree(buf, "fdinfo", "name", value, entry->name);
}

static void check_statistics(const struct buffer *buf,
			     const struct entry *entry)
{
	char value[64], size[32];

	snprintf(size, sizeof(size), "%zu", entry->size);
	if (!wait_statistic(buf->ino, "size", value, sizeof(value)))
		errx(1, "%s: no statistics in sysfs after %d ms", buf->name,
		     GRACE_MS);
	must_agree(buf, "sysfs", "size", value, size);
	if (!wait_statistic(buf->ino, "exporter_name", value, sizeof(value)))
		errx(1, "%s: no exporter in sysfs", buf->name);
	must_agree(buf, "sysfs", "exporter", value, entry->exporter);
}

static void check_entry(const struct buffer *buf, const struct entry *entry,
			const char *device)
{
	if (strcmp(buf->name, entry->name) || buf->size != entry->size)
		errx(1, "%s: bufinfo knows it as '%s' of %zu bytes", buf->name,
		     entry->name, entry->size);
	if (!strstr(entry->devices, device))
		errx(1, "%s: bufinfo does not know that %s is attached",
		     buf->name, device);
	check_fdinfo(buf, entry);
	if (!access(STATISTICS, F_OK))
		check_statistics(buf, entry);
}

#define ROW	"  %5s  %-17s %8s  %-16s %-12s %s\n"

static void print_row(const struct entry *entry)
{
	char ino[24], size[24];
	unsigned int i;

	snprintf(ino, sizeof(ino), "%lu", entry->ino);
	snprintf(size, sizeof(size), "%zu", entry->size);
	printf(ROW, ino, entry->exporter, size, entry->name, entry->devices,
	       entry->fences ? entry->fence[0] : "-");
	for (i = 1; i < entry->fences; i++)
		printf(ROW, "", "", "", "", "", entry->fence[i]);
}

static unsigned int count_pending(const struct entry *entry)
{
	unsigned int i, pending = 0;

	for (i = 0; i < entry->fences; i++)
		pending += !!strstr(entry->fence[i], " unsignalled");
	return pending;
}

/*
 * All of @bufs are attached to @device. The kernel is asked first and for all
 * buffers, then comes the slow part: things are in flight. Returns how many
 * pending fences there are.
 */
unsigned int table_print(const struct buffer *const *bufs, unsigned int count,
			 const char *device)
{
	struct entry *entries = calloc(count, sizeof(*entries));
	unsigned int i, pending = 0;

	if (!entries)
		err(1, "table");
	for (i = 0; i < count; i++)
		if (!find_entry(bufs[i]->ino, &entries[i]))
			errx(1, "%s: not in bufinfo", bufs[i]->name);
	printf(ROW, "inode", "exporter", "bytes", "name", "attached to",
	       "fences");
	for (i = 0; i < count; i++) {
		check_entry(bufs[i], &entries[i], device);
		print_row(&entries[i]);
		pending += count_pending(&entries[i]);
	}
	free(entries);
	return pending;
}

static bool is_gone(ino_t ino)
{
	struct entry entry;
	char value[64];

	return !find_entry(ino, &entry) &&
	       !read_statistic(ino, "size", value, sizeof(value));
}

/* All references have been given up: no buffer may stay behind. */
void table_wait_gone(const ino_t *inodes, unsigned int count)
{
	unsigned int i, ms = 0;

	for (i = 0; i < count; i++) {
		while (!is_gone(inodes[i])) {
			if (ms++ == GONE_MS)
				errx(1, "buffer %lu is still there after %d ms",
				     (unsigned long)inodes[i], GONE_MS);
			usleep(1000);
		}
	}
}
