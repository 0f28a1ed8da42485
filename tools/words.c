// SPDX-License-Identifier: GPL-2.0
/* How tasks, buffers, holders and fences are called, wherever they are shown. */
#include <string.h>

#include "dmabuf.h"

/* A value in a form that is safe on a terminal. */
const char *show(const struct node *node, const char *key)
{
	return plain(value(node, key) ?: "?");
}

void add_item(struct text *text, const char *item)
{
	add(text, "%s%s", text->len ? ", " : "", item);
}

bool is_mapped(const struct node *attach)
{
	return number(attach, "maps") || number(attach, "kept");
}

const char *who_is(const struct task *task)
{
	return format("%s[%d]", plain(task->comm), task->pid);
}

/* NULL if it is unknown. Numbers of processes are used again. */
const char *maker_of(const struct snapshot *snap, const struct buffer *buf)
{
	const char *comm = value(buf->node, "comm");
	pid_t pid = number(buf->node, "pid");
	const struct task *task = find_task(snap, pid);
	double created = seconds(buf->node, "created");

	if (!pid)
		return comm ? plain(comm) : NULL;
	if (!task && !snap->tasks)
		return format("%s[%d]", plain(comm ? comm : "?"), pid);
	if (!task || (created >= 0 && task_started(task) > created + 0.02))
		return format("maker gone: %s[%d]", plain(comm ? comm : "?"), pid);
	return format("%s[%d]", plain(comm ? comm : task->comm), pid);
}

const char *exporter_of(const struct buffer *buf)
{
	const char *exporter = buf->exporter ? buf->exporter : "?";

	if (!buf->module || !*buf->module || !strcmp(buf->module, "kernel") ||
	    !strcmp(buf->module, exporter))
		return plain(exporter);
	return format("%s/%s", plain(exporter), plain(buf->module));
}

/* "2fd 1map" */
const char *holds_of(const struct buffer *buf, const struct task *task)
{
	static const char *const words[] = { "fd", "map", "path" };
	unsigned int n[ARRAY_SIZE(words)] = { };
	const struct hold *hold;
	struct text text = { };
	size_t i;

	for_each(hold, buf->holds)
		if (is_process_hold(hold) && hold->space->task == task)
			n[hold->kind]++;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (n[i])
			add(&text, "%s%u%s", text.len ? " " : "", n[i], words[i]);
	return text.s;
}

static void add_tasks(struct text *text, const struct buffer *buf)
{
	struct task *tasks[32];
	unsigned int i, n = holders_of(buf, tasks, ARRAY_SIZE(tasks));

	for (i = 0; i < n && i < ARRAY_SIZE(tasks); i++)
		add_item(text, format("%s %s", who_is(tasks[i]), holds_of(buf, tasks[i])));
	if (i < n)
		add_item(text, format("%u more", n - i));
}

static void add_others(struct text *text, const struct buffer *buf)
{
	const struct hold *hold;
	const struct node *node;

	for_each(hold, buf->holds)
		if (hold->kind == HOLD_SCM)
			add_item(text, format("socket of %s", who_is(hold->space->task)));
		else if (hold->kind == HOLD_POLL)
			add_item(text, "poll()");
		else if (hold->kind == HOLD_CALLBACK)
			add_item(text, "poll callback");
	for_each_child(node, buf->node, "attach")
		add_item(text, format("%s%s", show(node, "dev"), is_mapped(node) ? "*" : ""));
	if (value(buf->node, "attachments"))
		add_item(text, "devices busy");
}

/* Processes, then devices, which are marked if the buffer is mapped for them. */
const char *held_by(const struct snapshot *snap, const struct buffer *buf)
{
	const char *maker = maker_of(snap, buf);
	struct text text = { };

	add_tasks(&text, buf);
	add_others(&text, buf);
	if (!text.len && !snapshot_complete(snap))
		return "nobody seen";
	if (!text.len)
		add(&text, "kernel only%s%s%s", maker ? " (" : "", maker ? maker : "",
		    maker ? ")" : "");
	else if (buf->released)
		add(&text, " (closed, its memory is not free)");
	return text.s;
}

const char *fence_name(const struct node *fence)
{
	return format("%s %s %s", show(fence, "driver"), show(fence, "timeline"),
		      show(fence, "point"));
}

bool done_not_signalled(const struct node *fence)
{
	const char *state = value(fence, "state");

	return state && !strcmp(state, "done-not-signalled");
}

/* The kernel knows a lower bound of the time, or nothing. */
const char *fence_state(const struct node *fence)
{
	double quiet = seconds(fence, "quiet");
	const char *state = done_not_signalled(fence) ? "DONE, BUT NOT SIGNALLED" : "pending";

	return quiet < 0 ? state : format("%s for >=%s", state, human_time(quiet));
}

bool same_fence(const struct node *a, const struct node *b)
{
	static const char *const keys[] = { "driver", "timeline" };
	const char *left = value(a, "point"), *right = value(b, "point");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(value(a, keys[i]) ?: "", value(b, keys[i]) ?: ""))
			return false;
	if (!left || !right)
		return false;
	if (*left == '?' || *right == '?') {
		left = strchr(left, ':') ?: left;
		right = strchr(right, ':') ?: right;
	}
	return !strcmp(left, right);
}

/* List the sources that could not be read. */
void show_limits(const struct snapshot *snap)
{
	if (snap->unreadable)
		printf("Not complete: %u process%s may not be looked into.\n", snap->unreadable,
		       snap->unreadable == 1 ? "" : "es");
	if (snap->inside)
		printf("Not complete: processes outside of this PID namespace are not seen.\n");
	if (snap->no_kcmp)
		printf("Not complete: without kcmp(), shared tables cannot be told.\n");
	if (options.from)
		printf("From a file: processes are not looked at.\n");
	else if (snap->source != SOURCE_REPORT)
		printf("The kernel's report cannot be read, this is from %s.\n",
		       snap->source_name);
	if (snap->source <= SOURCE_BUFINFO && !snap->whole)
		printf("Not complete: the kernel's text was cut off, or changed.\n");
	if (snap->note)
		printf("%s.\n", snap->note);
}

void show_total(const struct snapshot *snap)
{
	u64 bytes = 0, kernel = 0;
	const struct buffer *buf;
	unsigned int count = 0;

	for_each(buf, snap->buffers) {
		count++;
		bytes += buf->size;
		if (!holders_of(buf, NULL, 0))
			kernel += buf->size;
	}
	printf("%u buffer%s, %s", count, count == 1 ? "" : "s", human_size(bytes));
	if (kernel && !options.from)
		printf("; %s held by no process%s", human_size(kernel),
		       snapshot_complete(snap) ? "" : " that can be seen");
	printf("\n");
	if (snap->has_total && snap->source > SOURCE_BUFINFO)
		printf("There are %llu, %s, in the whole system.\n", snap->total_buffers,
		       human_size(snap->total_bytes));
	show_limits(snap);
}
