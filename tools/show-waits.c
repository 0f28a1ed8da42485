// SPDX-License-Identifier: GPL-2.0
/* waits: fences that are pending, for how long, and what sleeps on them. */
#include <stdlib.h>
#include <string.h>

#include "waits.h"

/* State of a thread, as a letter; '?' if it has gone. */
static char state_of(u64 pid, u64 tid)
{
	const char *path = format("/proc/%llu/task/%llu/stat", pid, tid);
	const char *text = options.from ? NULL : slurp(path);
	struct stat_line stat;

	return text && parse_stat(text, &stat) ? stat.state : '?';
}

static const char *waiter_name(const struct node *node)
{
	const char *kind = value(node, "kind") ?: "?", *comm = value(node, "comm");
	u64 pid = number(node, "pid"), tid = number(node, "tid");
	char state;

	if (!strcmp(kind, "task") && !tid)
		return format("%s", plain(comm ?: "?"));
	if (!strcmp(kind, "task")) {
		state = state_of(pid, tid);
		return format("%s[%llu] thread %llu%s", plain(comm ?: "?"), pid, tid,
			      state == 'D' ? " (D)" : "");
	}
	if (!strcmp(kind, "poll"))
		return format("poll of buffer %llu for %s", number(node, "ino"),
			      show(node, "event"));
	if (!strcmp(kind, "container"))
		return format("%s %s", show(node, "driver"), show(node, "point"));
	return format(value(node, "func") ? "%s %s" : "%s", plain(kind), show(node, "func"));
}

/* Also those of a container that the fence is part of. */
static void add_waiters(struct text *text, const struct node *node)
{
	const struct node *waiter;

	for_each_child(waiter, node, "waiter") {
		add_item(text, waiter_name(waiter));
		add_waiters(text, waiter);
	}
	for_each_child(waiter, node, "waiters")
		add_item(text, format("%s more", show(waiter, "more")));
}

/* The waiters that the signal wakes, or NULL. */
const char *waiters_of(const struct node *fence)
{
	struct text text = { };

	add_waiters(&text, fence);
	return text.s;
}

static void add_sync(struct text *text, const struct sync_file *sync)
{
	add_item(text, format("%s fd %d", who_is(sync->space->task), sync->fd));
}

struct wait *find_wait(struct wait *waits, const struct node *fence)
{
	while (waits && !same_fence(waits->fence, fence))
		waits = waits->next;
	return waits;
}

/* The same fence as the sync file knows it, or NULL. */
const struct node *fence_of(const struct sync_file *sync, const struct node *fence)
{
	const struct node *node;

	for_each_child(node, sync->node, "fence")
		if (same_fence(node, fence))
			return node;
	return NULL;
}

static struct wait *get_wait(struct wait **waits, const struct node *fence)
{
	struct wait *wait = find_wait(*waits, fence);

	if (wait)
		return wait;
	wait = take(sizeof(*wait));
	wait->fence = fence;
	wait->quiet = -1;
	wait->next = *waits;
	*waits = wait;
	return wait;
}

static void collect_buffer(struct wait **waits, const struct buffer *buf)
{
	const struct node *fence;
	struct wait *wait;

	for_each_child(fence, buf->node, "fence") {
		wait = get_wait(waits, fence);
		add(&wait->buffers, " %llu", buf->ino);
		wait->lost |= done_not_signalled(fence);
		/* Each buffer knows a lower bound. */
		if (seconds(fence, "quiet") > wait->quiet)
			wait->quiet = seconds(fence, "quiet");
	}
}

static void collect_sync_file(struct wait **waits, const struct sync_file *sync)
{
	const struct node *fence;

	for_each_child(fence, sync->node, "fence")
		if (!strcmp(value(fence, "state") ?: "", "active"))
			add_sync(&get_wait(waits, fence)->syncs, sync);
}

struct wait *waits_of(const struct snapshot *snap)
{
	const struct sync_file *sync;
	const struct buffer *buf;
	struct wait *waits = NULL;

	for_each(buf, snap->buffers)
		collect_buffer(&waits, buf);
	for_each(sync, snap->sync_files)
		collect_sync_file(&waits, sync);
	return waits;
}

static int compare_waits(const void *a, const void *b)
{
	const struct wait *const *left = a, *const *right = b;

	if ((*left)->quiet != (*right)->quiet)
		return (*left)->quiet < (*right)->quiet ? 1 : -1;
	return strcmp(fence_name((*left)->fence), fence_name((*right)->fence));
}

static struct wait **sort_waits(struct wait *waits, size_t *count)
{
	struct wait *wait, **all;
	size_t i = 0;

	for_each(wait, waits)
		i++;
	*count = i;
	all = take((i + 1) * sizeof(*all));
	for_each(wait, waits)
		all[--i] = wait;
	qsort(all, *count, sizeof(*all), compare_waits);
	return all;
}

static void print_wait(const struct wait *wait)
{
	const char *waiters = waiters_of(wait->fence);

	printf("%sfence %s%s  pending", paint(COLOR_BOLD), fence_name(wait->fence),
	       paint(COLOR_NONE));
	if (wait->quiet >= 0)
		printf(" for >=%s", human_time(wait->quiet));
	printf("%s%s\n", wait->buffers.len ? ", in buffers" : "",
	       wait->buffers.len ? wait->buffers.s : "");
	if (wait->lost)
		printf("      %sthe driver says: DONE, BUT NOT SIGNALLED%s (lost interrupt?)\n",
		       paint(COLOR_RED), paint(COLOR_NONE));
	if (waiters)
		printf("      wakes %s\n", waiters);
	if (wait->syncs.len)
		printf("      sync files: %s\n", wait->syncs.s);
}

int show_waits(struct snapshot *snap)
{
	double min_age = options.min_age < 0 ? 1 : options.min_age;
	struct wait **all;
	size_t i, count;
	int status = EXIT_NOTHING;

	all = sort_waits(waits_of(snap), &count);
	for (i = 0; i < count; i++) {
		if (all[i]->quiet >= 0 && all[i]->quiet < min_age && !all[i]->lost)
			continue;
		print_wait(all[i]);
		status = EXIT_DONE;
	}
	if (status == EXIT_NOTHING)
		printf("No fence is pending%s.\n", count ? " for long enough" : "");
	show_limits(snap);
	return status;
}

/* ------------------------------------------------------------ of one buffer */

static void who_syncs(const struct snapshot *snap, const struct node *fence)
{
	const struct sync_file *sync;
	struct text text = { };

	for_each(sync, snap->sync_files)
		if (fence_of(sync, fence))
			add_sync(&text, sync);
	if (text.len)
		printf("           also in sync files: %s\n", text.s);
}

void who_waits(const struct snapshot *snap, const struct buffer *buf)
{
	const struct node *fence;
	const char *asked, *waiters;
	bool head = false;

	for_each_child(fence, buf->node, "fence") {
		if (!head)
			printf("  waits for\n");
		head = true;
		asked = number(fence, "asked") ? "has been asked" : "has not been asked";
		printf("    %-6s %s   %s%s%s\n", show(fence, "usage"), fence_name(fence),
		       fence_state(fence), value(fence, "asked") ? "; the driver " : "",
		       value(fence, "asked") ? asked : "");
		waiters = waiters_of(fence);
		if (waiters)
			printf("           wakes %s\n", waiters);
		who_syncs(snap, fence);
	}
}
