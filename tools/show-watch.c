// SPDX-License-Identifier: GPL-2.0
/*
 * watch: buffers as they come and go, and change hands. Trace events show each change,
 * but not that a descriptor was duplicated, sent or closed; to compare what is there
 * every now and then shows all holders, but not what lives for less than that.
 */
#include <string.h>

#include "dmabuf.h"

static void print_change(const struct snapshot *snap, const struct buffer *buf, char sign)
{
	printf("%.3f %c %llu %s %s %s  %s\n", snap->now, sign, buf->ino,
	       human_size(buf->size), exporter_of(buf), buf->name ? plain(buf->name) : "-",
	       held_by(snap, buf));
}

static void print_all(const struct snapshot *snap, const char *how)
{
	const struct buffer *buf;

	printf("%.3f   %s\n", snap->now, how);
	for_each(buf, snap->buffers)
		print_change(snap, buf, ' ');
	show_limits(snap);
	show_now();
}

/* -------------------------------------------------------------------- by looking */

static void print_changes(const struct snapshot *old, const struct snapshot *new)
{
	const struct buffer *buf, *before;

	for_each(buf, old->buffers)
		if (!find_buffer(new, buf->ino))
			print_change(old, buf, '-');
	for_each(buf, new->buffers) {
		before = find_buffer(old, buf->ino);
		if (!before)
			print_change(new, buf, '+');
		else if (strcmp(held_by(old, before), held_by(new, buf)))
			print_change(new, buf, '=');
	}
	show_now();
}

static void watch_by_looking(void)
{
	struct snapshot *old = snapshot_take(), *new;
	double end = end_of_time();

	print_all(old, format("looking every %gs", interval()));
	while (wait_until(end, interval())) {
		new = snapshot_take();
		print_changes(old, new);
		snapshot_free(old);
		old = new;
	}
	snapshot_free(old);
}

/* -------------------------------------------------------------------- by events */

static const struct {
	const char *name;
	char sign;
	const char *what;
} events[] = {
	{ "dma_buf_export", '+', "made by" },
	{ "dma_buf_release", '-', "closed by" },
	{ "dma_buf_fd", '=', "descriptor of" },
	{ "dma_buf_mmap_internal", '=', "mapped by" },
	{ "dma_buf_mmap", '=', "mapped through a driver by" },
	{ "dma_buf_dynamic_attach", '=', "attached by" },
	{ "dma_buf_detach", '=', "detached by" },
};

static void see_event(char *line)
{
	struct event event = { };
	size_t i;

	if (strstr(line, " EVENTS]"))
		printf("Not complete: events were lost, %s\n", plain(line));
	if (!parse_event(line, &event))
		return;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (strcmp(events[i].name, event.name))
			continue;
		printf("%.3f %c %llu %s %s  ", event.time, events[i].sign, event.ino,
		       human_size(event.size), plain(event.exporter));
		if (event.device)
			printf("%s ", plain(event.device));
		if (event.fd >= 0)
			printf("fd %d, ", event.fd);
		printf("%s %s[%d]\n", events[i].what, plain(event.comm), event.tid);
	}
}

/* From the first line on no change is missed: the list comes after the events begin. */
static bool watch_by_events(void)
{
	const char *names[ARRAY_SIZE(events) + 1] = { };
	struct snapshot *snap;
	double end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		names[i] = events[i].name;
	if (!trace_open(names))
		return false;
	snap = snapshot_take();
	print_all(snap, "each change comes as an event");
	snapshot_free(snap);
	end = end_of_time();
	do {
		trace_read(see_event);
		show_now();
	} while (wait_until(end, 0.1));
	trace_read(see_event);
	trace_close();
	return true;
}

int show_watch(void)
{
	/* An interval asks for the holders, which events do not have. */
	if (options.from || options.every > 0 || !watch_by_events())
		watch_by_looking();
	return EXIT_DONE;
}
