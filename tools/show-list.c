// SPDX-License-Identifier: GPL-2.0
/* list: all buffers, one a line. */
#include <stdlib.h>
#include <string.h>

#include "dmabuf.h"

static const char *age_of(const struct snapshot *snap, const struct buffer *buf)
{
	double created = seconds(buf->node, "created");

	return created < 0 ? NULL : human_time(snap->now - created);
}

static const char *refs_of(const struct buffer *buf)
{
	if (buf->count < 0)
		return buf->released ? "0" : "?";
	return format("%ld%s", buf->count, buf->exact || options.from ? "" : "?");
}

/* The first fence, and how many there are more. */
static const char *waits_for(const struct buffer *buf, bool *lost)
{
	const struct node *node, *first = NULL;
	unsigned int more = 0;
	struct text text = { };

	for_each_child(node, buf->node, "fence") {
		*lost |= done_not_signalled(node);
		more += !!first;
		first = first ?: node;
	}
	if (!first)
		return NULL;
	add(&text, "%s %s (%s)", show(first, "usage"), fence_name(first), fence_state(first));
	if (more)
		add(&text, " and %u more", more);
	return text.s;
}

static void list_buffer(struct table *table, const struct snapshot *snap,
			const struct buffer *buf)
{
	bool lost = false;
	const char *const cells[] = {
		format("%llu", buf->ino), human_size(buf->size), exporter_of(buf),
		buf->name ? plain(buf->name) : NULL, age_of(snap, buf), refs_of(buf),
		held_by(snap, buf), waits_for(buf, &lost),
	};
	enum color color = lost ? COLOR_RED : holders_of(buf, NULL, 0) ? COLOR_NONE : COLOR_DIM;

	table_row(table, color, cells);
}

int show_list(struct snapshot *snap)
{
	static const char *const head[] = { "INO", "SIZE", "EXPORTER", "NAME", "AGE", "REFS",
					    "HELD BY", "WAITS FOR" };
	struct table table = { .align = ">><<>><<" };
	const struct buffer *buf;
	const struct node *node;
	bool mapped = false, moving = false;

	table_row(&table, COLOR_BOLD, head);
	for_each(buf, snap->buffers) {
		list_buffer(&table, snap, buf);
		moving |= !buf->exact && buf->count >= 0 && !options.from;
		for_each_child(node, buf->node, "attach")
			mapped |= is_mapped(node);
	}
	if (snap->buffers)
		table_print(&table);
	show_total(snap);
	if (mapped)
		printf("* mapped for the device\n");
	if (moving)
		printf("? the references are not all accounted for, see dmabuf who INO\n");
	return snap->buffers ? EXIT_DONE : EXIT_NOTHING;
}
