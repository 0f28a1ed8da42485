// SPDX-License-Identifier: GPL-2.0
/* leaks: buffers that grow in number, have no holder, or are held twice. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "dmabuf.h"

/* Things that are alike. Groups outlive the snapshots that they come from. */
struct group {
	char *what;
	long first, last, now;
	bool fell;
	struct group *next;
};

static void count_in(struct group **groups, const char *what)
{
	struct group *group;

	for_each(group, *groups)
		if (!strcmp(group->what, what))
			break;
	if (!group) {
		group = calloc(1, sizeof(*group));
		if (group)
			group->what = strdup(what);
		if (!group || !group->what)
			err(EXIT_ERROR, "memory");
		group->next = *groups;
		*groups = group;
	}
	group->now++;
}

static const char *driver_of(const struct sync_file *sync)
{
	const struct node *fence;

	for_each_child(fence, sync->node, "fence")
		return show(fence, "driver");
	return "?";
}

static void count_sync_files(struct group **groups, const struct snapshot *snap)
{
	const struct sync_file *sync;
	const char *status, *by;

	for_each(sync, snap->sync_files) {
		status = show(sync->node, "status");
		by = show(sync->node, "by");
		count_in(groups, format("sync_file  %s, by %s, driver %s  %s", status, by,
					driver_of(sync), who_is(sync->space->task)));
	}
}

static void count_buffers(struct group **groups, const struct snapshot *snap)
{
	const struct buffer *buf;
	const char *maker;

	for_each(buf, snap->buffers) {
		maker = maker_of(snap, buf) ?: "?";
		count_in(groups, format("%s %s, made by %s, held by %s", exporter_of(buf),
					human_size(buf->size), maker, held_by(snap, buf)));
	}
}

static void take_sample(struct group **groups, const struct snapshot *snap, bool first)
{
	struct group *group;

	for_each(group, *groups)
		group->now = 0;
	count_sync_files(groups, snap);
	count_buffers(groups, snap);
	for_each(group, *groups) {
		if (first)
			group->first = group->now;
		else
			group->fell |= group->now < group->last;
		group->last = group->now;
	}
}

static int print_growth(const struct group *groups, double minutes)
{
	const struct group *group;
	int status = EXIT_NOTHING;

	for_each(group, groups) {
		if (group->fell || group->last <= group->first)
			continue;
		printf("growing:  %+.0f/min  %s  (%ld)\n",
		       (group->last - group->first) / minutes, group->what, group->last);
		status = EXIT_DONE;
	}
	return status;
}

static void free_groups(struct group *groups)
{
	struct group *next;

	for (; groups; groups = next) {
		next = groups->next;
		free(groups->what);
		free(groups);
	}
}

/* ------------------------------------------------------------- one snapshot */

static bool print_orphan(const struct snapshot *snap, const struct buffer *buf)
{
	if (buf->released)
		printf("closed:   %llu  %s, its memory is kept by %s\n", buf->ino,
		       human_size(buf->size), held_by(snap, buf));
	else if (!holders_of(buf, NULL, 0) && buf->exact)
		printf("orphan:   %llu  %s %s, %ld kernel reference%s, no process; %s\n",
		       buf->ino, human_size(buf->size), exporter_of(buf), buf->count,
		       buf->count == 1 ? "" : "s", held_by(snap, buf));
	else
		return false;
	return true;
}

static bool has_twice(const struct buffer *buf, const struct task *task)
{
	const struct hold *hold;
	unsigned int n = 0;

	for_each(hold, buf->holds)
		n += hold->kind == HOLD_FD && hold->space->task == task && hold->refs;
	return n > 1;
}

static bool print_twice(const struct snapshot *snap, const struct task *task)
{
	const struct buffer *buf;
	unsigned int n = 0;

	for_each(buf, snap->buffers)
		n += has_twice(buf, task);
	if (n)
		printf("twice:    %s has several fds of %u buffer%s\n", who_is(task), n,
		       n == 1 ? "" : "s");
	return n;
}

static bool print_full(const struct task *task)
{
	const char *text, *limit = NULL;
	unsigned long max;

	if (task->fds < 256)
		return false;
	text = slurp(format("/proc/%d/limits", task->pid));
	limit = text ? strstr(text, "Max open files") : NULL;
	max = limit ? strtoul(limit + 14, NULL, 10) : 0;
	if (!max || task->fds < max / 4 * 3)
		return false;
	printf("full:     %s has %u of %lu fds\n", who_is(task), task->fds, max);
	return true;
}

static int print_state(const struct snapshot *snap)
{
	const struct buffer *buf;
	const struct task *task;
	bool found = false;

	for_each(buf, snap->buffers)
		found |= print_orphan(snap, buf);
	for_each(task, snap->tasks) {
		found |= print_twice(snap, task);
		found |= print_full(task);
	}
	return found ? EXIT_DONE : EXIT_NOTHING;
}

int show_leaks(void)
{
	struct group *groups = NULL;
	struct snapshot *snap = snapshot_take();
	double began = snap->now, spent = 0;
	int status = EXIT_NOTHING;

	take_sample(&groups, snap, true);
	while (options.during > 0 && spent < options.during) {
		wait_until(0, interval());
		snapshot_free(snap);
		snap = snapshot_take();
		take_sample(&groups, snap, false);
		spent = snap->now - began;
	}
	if (spent > 0)
		status = print_growth(groups, spent / 60);
	if (print_state(snap) == EXIT_DONE)
		status = EXIT_DONE;
	if (status == EXIT_NOTHING)
		printf("Nothing that looks like a leak.\n");
	show_limits(snap);
	free_groups(groups);
	snapshot_free(snap);
	return status;
}
