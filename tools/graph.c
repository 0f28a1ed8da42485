// SPDX-License-Identifier: GPL-2.0
/*
 * tree and graph: processes, buffers, and devices with the fences, as text, for Graphviz,
 * or as a picture.
 */
#include <string.h>

#include "graph.h"

/* ---------------------------------------------------------------- its parts */

static struct vertex *add_vertex(struct graph *graph, enum shape shape, const void *key,
				 const char *name, const char *detail)
{
	struct vertex *v = take(sizeof(*v));

	v->shape = shape;
	v->key = key;
	v->name = name;
	v->detail = detail;
	v->id = graph->count++;
	*graph->vertex_tail = v;
	graph->vertex_tail = &v->next;
	return v;
}

static void connect(struct graph *graph, struct vertex *from, struct vertex *to,
		    const char *label)
{
	struct edge *edge = take(sizeof(*edge));

	edge->from = from;
	edge->to = to;
	edge->label = label;
	edge->order = graph->edge_count++;
	*graph->tail = edge;
	graph->tail = &edge->next;
}

static struct vertex *process_vertex(struct graph *graph, const struct task *task)
{
	struct vertex *v;

	for_each(v, graph->vertices)
		if (v->key == task)
			return v;
	return add_vertex(graph, PROCESS, task, who_is(task), "");
}

static struct vertex *device_vertex(struct graph *graph, const char *dev)
{
	struct vertex *v;

	for_each(v, graph->vertices)
		if (v->shape == DEVICE && !strcmp(v->name, dev))
			return v;
	return add_vertex(graph, DEVICE, NULL, dev, "device");
}

static struct vertex *fence_vertex(struct graph *graph, const struct node *fence)
{
	const char *name, *detail, *waiters;
	struct vertex *v;

	for_each(v, graph->vertices)
		if (v->shape == FENCE && same_fence(v->key, fence))
			return v;
	name = format("%s %s", show(fence, "driver"), show(fence, "point"));
	detail = format("%s, %s", show(fence, "timeline"), fence_state(fence));
	v = add_vertex(graph, FENCE, fence, name, detail);
	waiters = waiters_of(fence);
	v->more = waiters ? format("wakes %s", waiters) : NULL;
	v->alarm = done_not_signalled(fence);
	return v;
}

static const char *buffer_detail(const struct buffer *buf)
{
	long rest = remainder_of(buf);

	if (buf->count < 0)
		return format("%s %s", human_size(buf->size), exporter_of(buf));
	return format("%s %s, %ld ref%s%s", human_size(buf->size), exporter_of(buf), buf->count,
		      buf->count == 1 ? "" : "s",
		      rest > 0 && buf->exact ? format(", %ld kernel", rest) : "");
}

static void graph_buffer(struct graph *graph, const struct buffer *buf)
{
	unsigned int i, n = holders_of(buf, NULL, 0);
	struct task **tasks = take((n + 1) * sizeof(struct task *));
	const struct node *node;
	const char *name;
	struct vertex *v, *process;

	name = format(buf->name ? "%llu %s" : "%llu", buf->ino, plain(buf->name ?: ""));
	v = add_vertex(graph, BUFFER, buf, name, buffer_detail(buf));
	v->size = buf->size;
	v->alarm = !n && !options.from;
	holders_of(buf, tasks, n);
	for (i = 0; i < n; i++) {
		process = process_vertex(graph, tasks[i]);
		process->size += buf->size;
		process->detail = format("%s altogether", human_size(process->size));
		connect(graph, process, v, holds_of(buf, tasks[i]));
	}
	for_each_child(node, buf->node, "attach")
		connect(graph, v, device_vertex(graph, show(node, "dev")),
			is_mapped(node) ? "mapped" : "");
	for_each_child(node, buf->node, "fence")
		connect(graph, v, fence_vertex(graph, node), show(node, "usage"));
}

static void make_graph(struct graph *graph, const struct snapshot *snap, u64 ino)
{
	const struct buffer *buf;

	graph->tail = &graph->edges;
	graph->vertex_tail = &graph->vertices;
	for_each(buf, snap->buffers)
		if (!ino || buf->ino == ino)
			graph_buffer(graph, buf);
}

/* ---------------------------------------------------------------------- dot */

/* Where plain() has left a quote or a backslash, a string of dot would end. */
static const char *dot_text(const char *s)
{
	struct text text = { };

	add(&text, "%s", "");
	for (; *s; s++)
		add(&text, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	return text.s;
}

static void print_dot(struct graph *graph)
{
	static const char *const forms[] = { "ellipse", "box", "component", "diamond" };
	const struct vertex *v;
	const struct edge *edge;

	printf("digraph dmabuf {\n\trankdir=LR;\n\tnode [fontname=sans];\n");
	for_each(v, graph->vertices)
		printf("\tn%u [shape=%s, label=\"%s\\n%s\"%s];\n", v->id, forms[v->shape],
		       dot_text(v->name), dot_text(v->detail), v->alarm ? ", color=red" : "");
	for_each(edge, graph->edges)
		printf("\tn%u -> n%u [label=\"%s\"%s];\n", edge->from->id, edge->to->id,
		       dot_text(edge->label), edge->to->shape == FENCE ? ", style=dashed" : "");
	printf("}\n");
}

int show_graph(struct snapshot *snap, u64 ino)
{
	struct graph graph = { };

	make_graph(&graph, snap, ino);
	if (!options.graph || !strcmp(options.graph, "dot")) {
		print_dot(&graph);
	} else if (!strcmp(options.graph, "svg")) {
		print_svg(&graph);
	} else {
		fprintf(stderr, "dmabuf: no such format: %s\n", options.graph);
		return EXIT_ERROR;
	}
	return graph.vertices ? EXIT_DONE : EXIT_NOTHING;
}

/* --------------------------------------------------------------------- tree */

static void tree_head(const char *what, const char *name)
{
	printf("%s%s%s%s\n", paint(COLOR_BOLD), what, name, paint(COLOR_NONE));
}

static void tree_line(const struct vertex *buffer, const char *how)
{
	printf("  %s: %s%s%s\n", buffer->name, buffer->detail, *how ? ": " : "", how);
}

static void tree_branch(const struct graph *graph, const struct vertex *v)
{
	const struct edge *edge;

	tree_head(v->shape == DEVICE ? "device " : "", v->name);
	for_each(edge, graph->edges)
		if (edge->from == v)
			tree_line(edge->to, edge->label);
		else if (edge->to == v)
			tree_line(edge->from, edge->label);
}

int show_tree(struct snapshot *snap)
{
	const struct vertex *v;
	struct graph graph = { };

	make_graph(&graph, snap, 0);
	for_each(v, graph.vertices)
		if (v->shape == PROCESS)
			tree_branch(&graph, v);
	for_each(v, graph.vertices)
		if (v->shape == DEVICE)
			tree_branch(&graph, v);
	tree_head("no process", snapshot_complete(snap) ? "" : " that can be seen");
	for_each(v, graph.vertices)
		if (v->shape == BUFFER && !holders_of(v->key, NULL, 0))
			tree_line(v, held_by(snap, v->key));
	show_total(snap);
	return graph.vertices ? EXIT_DONE : EXIT_NOTHING;
}
