// SPDX-License-Identifier: GPL-2.0
/* who: one buffer, and where each of its references is. */
#include <string.h>

#include "dmabuf.h"

static const char *thread_of(const struct space *space)
{
	if (space->tid == space->task->pid)
		return who_is(space->task);
	return format("%s thread %d", who_is(space->task), space->tid);
}

static void print_refs(unsigned int refs, const char *what, const char *who)
{
	printf("    %-3s %-32s %s\n", refs ? format("%u", refs) : "-", what, who);
}

static void who_made(const struct snapshot *snap, const struct buffer *buf)
{
	const char *maker = maker_of(snap, buf), *by = value(buf->node, "by");
	double created = seconds(buf->node, "created");

	if (created < 0 && !maker)
		return;
	printf("  made");
	if (created >= 0)
		printf(" %s ago", human_time(snap->now - created));
	if (maker)
		printf(" by %s", maker);
	if (by)
		printf(" in %s", plain(by));
	printf("\n");
}

static void who_counts(const struct buffer *buf)
{
	if (buf->released) {
		printf("  references: none, it is closed; a path keeps its memory\n");
		return;
	}
	if (buf->count < 0) {
		printf("  references: not known, the kernel does not tell\n");
		return;
	}
	printf("  references: %ld", buf->count);
	if (options.from)
		printf("\n");
	else if (buf->count_after < 0)
		printf(" before the scan, and it is gone now\n");
	else if (buf->count != buf->count_after)
		printf(" before the scan, %ld after it\n", buf->count_after);
	else
		printf(", the same before and after the scan%s\n",
		       buf->exact ? "" : ", which has not seen everything");
}

static bool is_alike(const struct hold *a, const struct hold *b)
{
	return a->kind == b->kind && a->space == b->space;
}

/* All descriptors in a table stand in one line, where the first of them is. */
static void who_fds(const struct buffer *buf, const struct hold *first)
{
	const char *word = first->kind == HOLD_PATH ? "path" : "fd", *who;
	const struct hold *hold;
	struct text text = { };
	unsigned int refs = 0;

	for (hold = buf->holds; hold != first; hold = hold->next)
		if (is_alike(hold, first))
			return;
	for_each(hold, first)
		if (is_alike(hold, first)) {
			add_item(&text, format("%s %d", word, hold->fd));
			refs += hold->refs;
		}
	who = thread_of(first->space);
	if (first->space->same)
		who = format("%s, same table as %s", who, who_is(first->space->same->task));
	print_refs(refs, text.s, who);
}

static void who_hold(const struct buffer *buf, const struct hold *hold)
{
	const char *what;

	switch (hold->kind) {
	case HOLD_FD:
	case HOLD_PATH:
		who_fds(buf, hold);
		break;
	case HOLD_MAP:
		what = format("mapping %s %s", human_size(hold->size), hold->prot);
		print_refs(hold->refs, what, who_is(hold->space->task));
		break;
	case HOLD_SCM:
		what = format("in socket %llu of %s fd %d", hold->socket,
			      thread_of(hold->space), hold->fd);
		print_refs(hold->refs, "in flight", what);
		break;
	case HOLD_POLL:
		print_refs(hold->refs, "poll() in progress", "");
		break;
	case HOLD_CALLBACK:
		what = format("on its fences (%s)", show(buf->node, "pollcb"));
		print_refs(hold->refs, "poll callback", what);
		break;
	case HOLD_EPOLL:
		break;
	}
}

static void who_drm(const struct snapshot *snap, const char *dev)
{
	const struct drm_client *drm;

	for_each(drm, snap->drm)
		if (dev && !strcmp(drm->device, dev))
			printf("             %s is open in %s fd %d\n", drm->node,
			       thread_of(drm->space), drm->fd);
}

static void who_attached(const struct snapshot *snap, const struct node *node)
{
	const char *by = value(node, "by"), *dev = value(node, "dev");
	double created = seconds(node, "created");
	const struct task *task = find_task(snap, number(node, "pid"));

	printf("         %s", plain(dev ?: "?"));
	if (value(node, "pid"))
		printf(" by %s", task ? who_is(task) : format("[%s]", show(node, "pid")));
	if (created >= 0)
		printf(" %s ago", human_time(snap->now - created));
	if (by)
		printf(" in %s", plain(by));
	if (value(node, "dynamic"))
		printf("; %s", number(node, "dynamic") ? "dynamic" : "static");
	if (value(node, "maps"))
		printf(", mapped %sx", show(node, "maps"));
	if (number(node, "kept"))
		printf(", mapped and kept");
	if (number(node, "pins"))
		printf(", pinned");
	printf("\n");
	who_drm(snap, dev);
}

static void who_kernel(const struct snapshot *snap, const struct buffer *buf)
{
	long rest = remainder_of(buf);
	const struct node *node;
	bool head = false;

	if (rest > 0)
		print_refs(rest, options.from ? "not looked for" : "kernel, not itemised", "");
	else if (rest < 0 && buf->count >= 0)
		printf("    more was found than there is: holders came or went meanwhile\n");
	if (value(buf->node, "attachments"))
		printf("       devices are not known: the reservation lock is taken\n");
	for_each_child(node, buf->node, "attach") {
		if (!head)
			printf("       attached are\n");
		head = true;
		who_attached(snap, node);
	}
	if (number(buf->node, "vmaps"))
		printf("       mapped into the kernel %sx\n", show(buf->node, "vmaps"));
}

/* Objects that may hold references which are not itemised. */
static void who_maybe(const struct snapshot *snap)
{
	const struct carrier *carrier;
	const char *peek = options.peek ? "" : " (--peek to be sure)";

	for_each(carrier, snap->carriers)
		if (carrier->socket)
			printf("       perhaps in flight: %u in socket %llu of %s fd %d%s\n",
			       carrier->files, carrier->socket, thread_of(carrier->space),
			       carrier->fd, peek);
		else
			printf("       perhaps a fixed file: %u in io_uring of %s fd %d\n",
			       carrier->files, thread_of(carrier->space), carrier->fd);
}

static void who_watches(const struct buffer *buf)
{
	const struct hold *hold;

	for_each(hold, buf->holds)
		if (hold->kind == HOLD_EPOLL && !hold->space->same)
			printf("  watched by epoll fd %d of %s\n", hold->fd,
			       thread_of(hold->space));
}

int show_who(struct snapshot *snap, u64 ino)
{
	struct buffer *buf = find_buffer(snap, ino);
	const struct hold *hold;

	if (!buf) {
		fprintf(stderr, "dmabuf: no buffer %llu\n", ino);
		return EXIT_NOTHING;
	}
	printf("%sbuffer %llu%s", paint(COLOR_BOLD), ino, paint(COLOR_NONE));
	if (buf->name)
		printf(" \"%s\"", plain(buf->name));
	printf(", %llu bytes, exporter %s\n", buf->size, exporter_of(buf));
	who_made(snap, buf);
	who_counts(buf);
	for_each(hold, buf->holds)
		who_hold(buf, hold);
	who_kernel(snap, buf);
	if (remainder_of(buf) > 0)
		who_maybe(snap);
	who_watches(buf);
	who_waits(snap, buf);
	if (first_of(buf->node->child, "fences"))
		printf("    and more than the kernel shows\n");
	show_limits(snap);
	return EXIT_DONE;
}
