// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers, from the best source there is. The report tells everything and waits
 * for nobody; bufinfo has counts, names, devices and fences; the statistics have
 * sizes; and without all of them there is what holders see.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dmabuf.h"

#define REPORT	"/sys/kernel/debug/dma_buf/report"
#define BUFINFO	"/sys/kernel/debug/dma_buf/bufinfo"
#define TOTALS	"/sys/kernel/dmabuf"
#define STATS	TOTALS "/buffers"

#define PATIENCE	5	/* seconds */

static void ignore_alarm(int sig)
{
	(void)sig;
}

/* Reading bufinfo takes locks that may never be free again. */
static char *slurp_within(const char *path, size_t *len)
{
	struct sigaction action = { .sa_handler = ignore_alarm }, old;
	char *text;
	int error;

	sigaction(SIGALRM, &action, &old);
	alarm(PATIENCE);
	text = slurp_at(AT_FDCWD, path, len);
	error = errno;
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	errno = error;
	return text;
}

static bool read_report(struct report *report)
{
	size_t len;
	char *text = slurp_at(AT_FDCWD, options.from ? options.from : REPORT, &len);

	return text && parse_report(text, len, report);
}

static bool read_bufinfo(struct snapshot *snap, struct report *report)
{
	size_t len;
	char *text = slurp_within(options.from ? options.from : BUFINFO, &len);

	if (!text && errno == EINTR)
		snap->note = "bufinfo waits for a reservation lock that somebody keeps";
	return text && parse_bufinfo(text, len, report);
}

static void read_entry(int dir, const char *ino, struct report *report)
{
	const char *size = slurp_at(dir, format("%s/size", ino), NULL);
	const char *exporter = slurp_at(dir, format("%s/exporter_name", ino), NULL);
	struct node *buf;

	if (!size || !exporter)
		return;
	buf = add_node(&report->root, "buffer");
	add_pair(buf, "ino", take_text(ino, strlen(ino)), false);
	add_pair(buf, "size", take_text(size, strcspn(size, "\n")), false);
	add_pair(buf, "exporter", take_text(exporter, strcspn(exporter, "\n")), true);
}

static bool read_stats(struct report *report)
{
	DIR *dir = opendir(STATS);
	struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.')
			read_entry(dirfd(dir), entry->d_name, report);
	closedir(dir);
	/* Entries are made on demand: there may be more buffers. */
	report->whole = false;
	return true;
}

static bool read_source(struct snapshot *snap, enum source source, struct report *report)
{
	switch (source) {
	case SOURCE_REPORT:
		return read_report(report);
	case SOURCE_BUFINFO:
		return read_bufinfo(snap, report);
	case SOURCE_STATS:
		return !options.from && read_stats(report);
	default:
		return !options.from;
	}
}

static long count_of(const struct node *node)
{
	return value(node, "count") ? (long)number(node, "count") : -1;
}

static void describe(struct buffer *buf, struct node *node)
{
	buf->node = node;
	buf->size = number(node, "size");
	buf->exporter = text_of(node, "exporter");
	buf->module = text_of(node, "module");
	buf->name = text_of(node, "name");
}

/* The first of several with one number is taken. */
static void take_buffer(struct snapshot *snap, struct node *node)
{
	u64 ino = number(node, "ino");
	struct buffer *buf;

	if (!ino || find_buffer(snap, ino))
		return;
	buf = add_buffer(snap, ino);
	describe(buf, node);
	buf->count = count_of(node);
}

/* It may be new, or have been seen with a holder before the kernel told about it. */
static void take_again(struct snapshot *snap, struct node *node)
{
	u64 ino = number(node, "ino");
	struct buffer *buf = find_buffer(snap, ino);

	if (!ino)
		return;
	if (!buf)
		buf = add_buffer(snap, ino);
	if (!buf->node->pairs)
		describe(buf, node);
	buf->count_after = count_of(node);
}

/* Read the totals, which need no privilege, from a kernel that has them. */
static void read_totals(struct snapshot *snap)
{
	const char *buffers = slurp(TOTALS "/total_buffers");
	const char *bytes = slurp(TOTALS "/total_bytes");

	if (!buffers || !bytes || options.from)
		return;
	snap->has_total = true;
	snap->total_buffers = strtoull(buffers, NULL, 10);
	snap->total_bytes = strtoull(bytes, NULL, 10);
}

/* False only if a file was named and is none of ours. */
bool kernel_read(struct snapshot *snap)
{
	static const char *const names[] = { "report", "bufinfo", "statistics", "/proc" };
	struct report report = { };
	struct node *node;
	int source;

	for (source = SOURCE_REPORT; source <= SOURCE_PROC; source++) {
		report = (struct report) { };
		if (read_source(snap, source, &report))
			break;
	}
	if (source > SOURCE_PROC)
		return false;
	read_totals(snap);
	snap->source = source;
	snap->source_name = names[source];
	snap->whole = report.whole;
	snap->has_dev = report.has_dev;
	snap->dev = makedev(report.major, report.minor);
	snap->now = report.now > 0 || options.from ? report.now : clock_of(CLOCK_BOOTTIME);
	for_each_child(node, &report.root, "buffer")
		take_buffer(snap, node);
	return true;
}

/* The counts once more: those that have not changed can be relied upon. */
void kernel_read_again(struct snapshot *snap)
{
	struct report report = { };
	struct buffer *buf;
	struct node *node;

	if (snap->source > SOURCE_BUFINFO) {
		for_each(buf, snap->buffers)
			kernel_ask_holder(buf, true);
		return;
	}
	if (!read_source(snap, snap->source, &report) || !report.whole)
		snap->whole = false;
	for_each_child(node, &report.root, "buffer")
		take_again(snap, node);
}

/*
 * Without any of the files a holder's fdinfo is what is left. Reading it takes a
 * reference, which is why it is the last resort. The name is the last line there,
 * and may have lines of its own: parse_key() takes the first.
 */
void kernel_ask_holder(struct buffer *buf, bool again)
{
	const char *path, *text, *count, *size;

	if (!buf->via)
		return;
	path = format("/proc/%d/task/%d/fdinfo/%d", buf->via->task->pid, buf->via->tid,
		      buf->via_fd);
	text = slurp(path);
	count = text ? parse_key(text, "count") : NULL;
	if (again) {
		buf->count_after = count ? atol(count) : -1;
		return;
	}
	size = text ? parse_key(text, "size") : NULL;
	if (!count || !size)
		return;
	buf->count = atol(count);
	buf->size = strtoull(size, NULL, 10);
	if (!buf->exporter)
		buf->exporter = parse_key(text, "exp_name");
	if (!buf->name)
		buf->name = parse_key(text, "name");
}
