// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot: the kernel's buffers, then their holders, then the counts again. A
 * descriptor counts as one reference, however many tasks share its table. A sum is exact
 * only if no count has changed meanwhile and all processes could be read.
 */
#include <errno.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/kcmp.h>
#include <unistd.h>

#include "dmabuf.h"

static struct buffer **bucket(const struct snapshot *snap, u64 ino)
{
	return (struct buffer **)&snap->by_ino[ino % ARRAY_SIZE(snap->by_ino)];
}

struct buffer *find_buffer(const struct snapshot *snap, u64 ino)
{
	struct buffer *buf = *bucket(snap, ino);

	while (buf && buf->ino != ino)
		buf = buf->same_hash;
	return buf;
}

struct buffer *add_buffer(struct snapshot *snap, u64 ino)
{
	struct buffer *buf = take(sizeof(*buf));

	buf->ino = ino;
	buf->node = add_node(NULL, "buffer");
	buf->count = -1;
	buf->count_after = -1;
	buf->tail = &buf->holds;
	buf->same_hash = *bucket(snap, ino);
	*bucket(snap, ino) = buf;
	*snap->buffer_tail = buf;
	snap->buffer_tail = &buf->next;
	return buf;
}

/* The kernel has an order of tables, and of memories: 1 is less, 2 is greater. */
static int compare_spaces(const void *a, const void *b)
{
	const struct space *const *left = a, *const *right = b;
	long ret;

	if ((*left)->maps != (*right)->maps)
		return (*left)->maps ? 1 : -1;
	ret = syscall(SYS_kcmp, (*left)->tid, (*right)->tid,
		      (*left)->maps ? KCMP_VM : KCMP_FILES, 0, 0);
	if (ret == 1 || ret == 2)
		return ret == 1 ? -1 : 1;
	/* Of those that are the same the first that was seen comes first. */
	return (*left)->number < (*right)->number ? -1 : 1;
}

static bool is_same(const struct space *a, const struct space *b)
{
	return a->maps == b->maps &&
	       !syscall(SYS_kcmp, a->tid, b->tid, a->maps ? KCMP_VM : KCMP_FILES, 0, 0);
}

/*
 * Processes that share a table of descriptors, or memory, have the same holds. Only
 * the kernel knows: what was seen in it may differ, if it has changed meanwhile.
 */
static void find_shared(struct snapshot *snap)
{
	struct space *space, **all;
	size_t i, first = 0, count = 0;

	for_each(space, snap->spaces)
		count += space->used;
	all = take((count + 1) * sizeof(*all));
	count = 0;
	for_each(space, snap->spaces)
		if (space->used)
			all[count++] = space;
	if (!snap->no_kcmp)
		qsort(all, count, sizeof(*all), compare_spaces);
	for (i = 1; i < count && !snap->no_kcmp; i++)
		if (is_same(all[first], all[i]))
			all[i]->same = all[first];
		else
			first = i;
}

static void give(struct snapshot *snap, struct hold *hold)
{
	struct buffer *buf = find_buffer(snap, hold->ino);
	bool ours = !hold->dev || (snap->has_dev ? hold->dev == snap->dev : !!buf);

	if (!hold->ino || !ours)
		return;
	if (!buf)
		buf = add_buffer(snap, hold->ino);
	if (!buf->size && hold->kind == HOLD_MAP)
		buf->size = hold->size;
	if (hold->space && hold->space->same)
		hold->refs = 0;
	hold->next = NULL;
	*buf->tail = hold;
	buf->tail = &hold->next;
	buf->found += hold->refs;
}

static void give_all(struct snapshot *snap)
{
	struct hold *hold, *next;

	*snap->hold_tail = NULL;
	for (hold = snap->holds; hold; hold = next) {
		next = hold->next;
		give(snap, hold);
	}
}

/* Keep one of the holders that were found several times, in one shared table. */
static void drop_twins(struct snapshot *snap)
{
	struct carrier **carrier = &snap->carriers;
	struct sync_file **sync = &snap->sync_files;
	struct drm_client **drm = &snap->drm;

	while (*carrier)
		if ((*carrier)->space->same || !(*carrier)->files)
			*carrier = (*carrier)->next;
		else
			carrier = &(*carrier)->next;
	while (*sync)
		if ((*sync)->space->same)
			*sync = (*sync)->next;
		else
			sync = &(*sync)->next;
	while (*drm)
		if ((*drm)->space->same)
			*drm = (*drm)->next;
		else
			drm = &(*drm)->next;
}

/* A callback on a fence, for which poll() has left a reference. */
static void add_callbacks(struct snapshot *snap, const struct buffer *buf)
{
	const char *dir = text_of(buf->node, "pollcb");
	unsigned int n = 0;

	if (dir && !strcmp(dir, "both"))
		n = 2;
	else if (dir)
		n = !!strstr(dir, "in") + !!strstr(dir, "out");
	if (n)
		add_hold(snap, (struct hold) {
			.kind = HOLD_CALLBACK, .ino = buf->ino, .fd = -1, .refs = n });
}

/* poll(), select() and aio keep the file while they sleep, epoll does not. */
static void add_pollers(struct snapshot *snap, const struct buffer *buf)
{
	const struct node *node;
	const char *func;

	for_each_child(node, buf->node, "poller") {
		func = value(node, "func");
		if (func && (!strcmp(func, "pollwake") || !strcmp(func, "aio_poll_wake")))
			add_hold(snap, (struct hold) {
				.kind = HOLD_POLL, .ino = buf->ino, .fd = -1,
				.refs = number(node, "n") });
	}
}

bool snapshot_complete(const struct snapshot *snap)
{
	return snap->whole && !snap->unreadable && !snap->no_kcmp && !snap->inside &&
	       !options.from;
}

/* References that the kernel does not itemise, or -1 if the sum is not known. */
long remainder_of(const struct buffer *buf)
{
	if (buf->count < (long)buf->found)
		return -1;
	return buf->count - buf->found;
}

static void judge(struct snapshot *snap, struct buffer *buf)
{
	buf->released = snap->whole && buf->count < 0 && buf->count_after < 0 && !buf->found;
	buf->exact = snapshot_complete(snap) && buf->count >= 0 &&
		     buf->count == buf->count_after && remainder_of(buf) >= 0;
}

bool is_process_hold(const struct hold *hold)
{
	return hold->space && hold->kind != HOLD_EPOLL && hold->kind != HOLD_SCM;
}

/* Processes that hold it, each once; at most @max of them are stored. */
unsigned int holders_of(const struct buffer *buf, struct task **tasks, unsigned int max)
{
	const struct hold *hold, *before;
	unsigned int count = 0;

	for_each(hold, buf->holds) {
		if (!is_process_hold(hold))
			continue;
		for (before = buf->holds; before != hold; before = before->next)
			if (is_process_hold(before) && before->space->task == hold->space->task)
				break;
		if (before != hold)
			continue;
		if (count < max)
			tasks[count] = hold->space->task;
		count++;
	}
	return count;
}

static int compare_pids(const void *a, const void *b)
{
	const struct task *const *left = a, *const *right = b;

	return (*left)->pid < (*right)->pid ? -1 : 1;
}

/* Output is by number of the process, whatever the order of /proc. */
static void sort_tasks(struct snapshot *snap)
{
	struct task *task, **all, **link = &snap->tasks;
	size_t i = 0, count = 0;

	for_each(task, snap->tasks)
		count++;
	all = take((count + 1) * sizeof(*all));
	for_each(task, snap->tasks)
		all[i++] = task;
	qsort(all, count, sizeof(*all), compare_pids);
	for (i = 0; i < count; i++) {
		*link = all[i];
		link = &all[i]->next;
	}
	*link = NULL;
}

/* The kernel's numbers of tasks are those of the first PID namespace. */
static void drop_pids(struct node *node)
{
	struct pair **link = &node->pairs;
	struct node *child;

	while (*link)
		if (!strcmp((*link)->key, "pid") || !strcmp((*link)->key, "tid"))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	for_each(child, node->child)
		drop_pids(child);
}

struct snapshot *snapshot_take(void)
{
	struct snapshot *snap = calloc(1, sizeof(*snap));
	struct buffer *buf;

	if (!snap)
		err(EXIT_ERROR, "memory");
	arena = &snap->arena;
	snap->buffer_tail = &snap->buffers;
	snap->hold_tail = &snap->holds;
	snap->sync_tail = &snap->sync_files;
	snap->carrier_tail = &snap->carriers;
	if (!kernel_read(snap))
		errx(EXIT_ERROR, "%s: not a report and not bufinfo", options.from);
	if (!options.from)
		proc_scan(snap);
	kernel_read_again(snap);
	sort_tasks(snap);
	find_shared(snap);
	drop_twins(snap);
	for_each(buf, snap->buffers) {
		if (snap->inside)
			drop_pids(buf->node);
		add_callbacks(snap, buf);
		add_pollers(snap, buf);
	}
	give_all(snap);
	for_each(buf, snap->buffers)
		judge(snap, buf);
	return snap;
}

void snapshot_free(struct snapshot *snap)
{
	arena_free(&snap->arena);
	free(snap);
}
