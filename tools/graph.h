/* SPDX-License-Identifier: GPL-2.0 */
/* What is connected with what, however it is printed. */
#ifndef DMABUF_GRAPH_H
#define DMABUF_GRAPH_H

#include "dmabuf.h"

enum shape { PROCESS, BUFFER, DEVICE, FENCE };

struct vertex {
	enum shape shape;
	const void *key;	/* task, buffer, or fence */
	const char *name, *detail;
	const char *more;	/* a third line, or NULL */
	u64 size;
	bool alarm;		/* held by no process; done and not signalled */
	unsigned int id;
	double order;		/* where its neighbours are */
	int x, y;
	struct vertex *next;
};

/* From a process to a buffer, from a buffer to a device or a fence. */
struct edge {
	struct vertex *from, *to;
	const char *label;
	int order;		/* in which they were made */
	int from_y, to_y;
	bool crowded;		/* with others at its buffer */
	struct edge *next;
};

/* An edge as one of its ends sees it. */
struct end {
	struct edge *edge;
	const struct vertex *other;
};

struct graph {
	struct vertex *vertices, **vertex_tail;
	struct edge *edges, **tail;
	unsigned int count, edge_count;
};

void print_svg(struct graph *graph);

#endif /* DMABUF_GRAPH_H */
