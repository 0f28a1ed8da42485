// SPDX-License-Identifier: GPL-2.0
/* A graph as a picture in three columns, which needs no other program. */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

static const char *const shapes[] = { "process", "buffer", "device", "fence" };

#define COLUMNS	3
#define GAP	130		/* between columns, for edges and their labels */
#define HEIGHT	52
#define STEP	80
#define TOP	90
#define MARGIN	20
#define LABELS	3		/* most at one side of a shape */

/* How wide they are, where they begin, and how many characters fit. */
static const struct {
	const char *head;
	int x, width;
	size_t name, detail;
} columns[COLUMNS] = {
	{ "processes", MARGIN, 230, 22, 28 },
	{ "buffers, by inode number", MARGIN + 230 + GAP, 340, 32, 42 },
	{ "devices and fences", MARGIN + 230 + GAP + 340 + GAP, 330, 35, 42 },
};

#define WIDTH	(MARGIN + 230 + GAP + 340 + GAP + 330 + MARGIN)

/* --------------------------------------------------------- where everything is */

static int column_of(const struct vertex *v)
{
	return v->shape < DEVICE ? (int)v->shape : 2;
}

static int width_of(const struct vertex *v)
{
	return columns[column_of(v)].width;
}

static int compare_vertices(const void *a, const void *b)
{
	const struct vertex *const *left = a, *const *right = b;

	if ((*left)->order != (*right)->order)
		return (*left)->order < (*right)->order ? -1 : 1;
	return (*left)->id < (*right)->id ? -1 : 1;
}

/* The mean place of those it is connected with in the column before. */
static void find_order(const struct graph *graph, struct vertex *v)
{
	const struct edge *edge;
	double sum = 0;
	int n = 0;

	v->order = column_of(v) ? 1e6 + v->id : v->id;
	for_each(edge, graph->edges)
		if (edge->to == v) {
			sum += edge->from->y;
			n++;
		}
	if (n)
		v->order = sum / n;
}

static int place_column(struct graph *graph, int column)
{
	struct vertex **all = take((graph->count + 1) * sizeof(*all)), *v;
	int i, n = 0;

	for_each(v, graph->vertices)
		if (column_of(v) == column) {
			find_order(graph, v);
			all[n++] = v;
		}
	qsort(all, n, sizeof(*all), compare_vertices);
	for (i = 0; i < n; i++) {
		all[i]->x = columns[column].x;
		all[i]->y = TOP + i * STEP;
	}
	return n;
}

static void center_column(struct graph *graph, int column, int n, int most)
{
	struct vertex *v;

	for_each(v, graph->vertices)
		if (column_of(v) == column)
			v->y += (most - n) * STEP / 2;
}

static int place_vertices(struct graph *graph)
{
	int column, n[COLUMNS], most = 1;

	for (column = 0; column < COLUMNS; column++) {
		n[column] = place_column(graph, column);
		if (n[column] > most)
			most = n[column];
	}
	for (column = 0; column < COLUMNS; column++)
		center_column(graph, column, n[column], most);
	return TOP + most * STEP;
}

static int compare_ends(const void *a, const void *b)
{
	const struct end *left = a, *right = b;

	return left->other->y != right->other->y ? left->other->y - right->other->y :
						   left->edge->order - right->edge->order;
}

/* Edges at one side of a shape do not meet in a point, and cross as little as can be. */
static void spread_edges(const struct graph *graph, const struct vertex *v, bool left)
{
	struct end *ends = take((graph->edge_count + 1) * sizeof(*ends));
	struct edge *edge;
	int i, n = 0, y;

	for_each(edge, graph->edges)
		if ((left ? edge->to : edge->from) == v)
			ends[n++] = (struct end) { edge, left ? edge->from : edge->to };
	qsort(ends, n, sizeof(*ends), compare_ends);
	for (i = 0; i < n; i++) {
		y = v->y + (v->shape == FENCE ? HEIGHT / 2 : HEIGHT * (i + 1) / (n + 1));
		*(left ? &ends[i].edge->to_y : &ends[i].edge->from_y) = y;
		if (v->shape == BUFFER)
			ends[i].edge->crowded = n > LABELS;
	}
}

static void place_edges(const struct graph *graph)
{
	const struct vertex *v;

	for_each(v, graph->vertices) {
		spread_edges(graph, v, true);
		spread_edges(graph, v, false);
	}
}

/* ---------------------------------------------------------------- how it looks */

/* Cut to what fits, and with nothing in it that XML would take for its own. */
static const char *xml_text(const char *s, size_t max)
{
	size_t i, len = strlen(s), end = len > max ? max - 3 : len;
	struct text text = { };

	add(&text, "%s", "");
	for (i = 0; i < end; i++)
		add(&text, strchr("<>&\"'", s[i]) ? "&#%d;" : "%c", s[i]);
	return format("%s%s", text.s, end < len ? "..." : "");
}

static double square_root(double x)
{
	double root = x > 1 ? x : 1;
	int i;

	for (i = 0; i < 60; i++)
		root = (root + x / root) / 2;
	return root;
}

static void print_box(double x, double y, double width, double height, int round)
{
	printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%d\"/>", x, y,
	       width, height, round);
}

static void print_text(const char *class, int x, int y, const char *text)
{
	printf("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, x, y, text);
}

static void print_diamond(int x, int middle)
{
	printf("<path d=\"M%d %d l18 -18 l18 18 l-18 18 z\"/>", x, middle);
}

/* Its area is to those of others as the sizes are. */
static void print_size(const struct vertex *v, u64 largest)
{
	double side = largest ? square_root((double)v->size / largest) * 36 : 0;

	if (side < 0.5)
		return;
	printf("<g class=\"size\">");
	print_box(v->x + 27 - side / 2, v->y + HEIGHT / 2 - side / 2, side, side, 0);
	printf("</g>\n");
}

static void print_shape(const struct vertex *v, u64 largest)
{
	printf("<g class=\"%s%s\">", shapes[v->shape], v->alarm ? " alarm" : "");
	if (v->shape == FENCE)
		print_diamond(v->x, v->y + HEIGHT / 2);
	else
		print_box(v->x, v->y, width_of(v), HEIGHT,
			  v->shape == PROCESS ? 14 : 4);
	printf("</g>\n");
	if (v->shape == BUFFER)
		print_size(v, largest);
}

static void print_vertex(const struct vertex *v, u64 largest)
{
	static const int indent[] = { 24, 54, 14, 46 };
	int x = v->x + indent[v->shape], y = v->y + (v->more ? 14 : 22);
	size_t name = columns[column_of(v)].name, detail = columns[column_of(v)].detail;

	printf("<g><title>%s, %s%s%s</title>\n", xml_text(v->name, 200),
	       xml_text(v->detail, 200), v->more ? ", " : "", xml_text(v->more ?: "", 500));
	print_shape(v, largest);
	print_text("name", x, y, xml_text(v->name, name));
	print_text("detail", x, y + 18, xml_text(v->detail, detail));
	if (v->more)
		print_text("detail", x, y + 35, xml_text(v->more, detail));
	printf("</g>\n");
}

/* A fence is waited for; a device may be attached and not have the buffer mapped. */
static const char *edge_class(const struct edge *edge)
{
	if (edge->to->shape == FENCE)
		return "edge dashed";
	return edge->to->shape == DEVICE && !*edge->label ? "edge thin" : "edge";
}

static void print_edge(const struct edge *edge)
{
	int x1 = edge->from->x + width_of(edge->from), x2 = edge->to->x, mid = (x1 + x2) / 2;

	printf("<g><title>%s</title><path class=\"%s\" d=\"M%d %d C%d %d %d %d %d %d\"/></g>\n",
	       xml_text(edge->label, 200), edge_class(edge), x1, edge->from_y, mid,
	       edge->from_y, mid, edge->to_y, x2, edge->to_y);
}

/* Next to the buffer, where each edge is on its own. The lines of devices tell enough. */
static void print_label(const struct edge *edge)
{
	const char *label = xml_text(edge->label, 9);

	if (edge->crowded || edge->to->shape == DEVICE)
		return;
	if (edge->to->shape == BUFFER)
		print_text("label", edge->to->x - 26, edge->to_y + 4, label);
	else
		print_text("label", edge->from->x + width_of(edge->from) + 26,
			   edge->from_y + 4, label);
}

static const char style[] =
"<style>text{font:12px sans-serif;fill:#333}.name{font-weight:bold;font-size:13px}\n"
".head{font-size:15px;font-weight:bold}.label{font-size:11px;text-anchor:middle;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:4}\n"
"g{stroke:#555;stroke-width:1.5}.name,.detail,.head,.note{stroke:none}.process{fill:#dbe9f9}.buffer{fill:#fff4d6}\n"
".device{fill:#dff3e0}.fence{fill:#eadcf5}.size{fill:#e0a526;stroke:none}\n"
".paper{fill:#fff;stroke:none}.alarm{stroke:#c00;stroke-width:3}.edge{fill:none;stroke:#666;stroke-width:2}\n"
".thin{stroke:#aaa;stroke-width:1}.dashed{stroke:#86b;stroke-dasharray:6 4}</style>\n";

static void print_sample(int x, int y, const char *class, const char *words)
{
	printf("<path class=\"edge%s\" d=\"M%d %d h36\"/>\n", class, x, y - 4);
	print_text("note", x + 44, y, words);
}

static void print_legend(int y)
{
	printf("<g class=\"size\">");
	print_box(MARGIN, y - 12, 16, 16, 0);
	printf("</g>\n");
	print_text("note", MARGIN + 24, y, "bytes, as area");
	print_sample(150, y, "", "has, or is mapped for");
	print_sample(340, y, " thin", "is attached");
	print_sample(480, y, " dashed", "waits for");
	printf("<g class=\"buffer alarm\">");
	print_box(608, y - 12, 24, 16, 4);
	printf("</g>\n");
	print_text("note", 640, y, "no process has it");
	printf("<g class=\"fence alarm\"><path d=\"M776 %d l10 -10 l10 10 l-10 10 z\"/></g>\n",
	       y - 4);
	print_text("note", 804, y, "done, and not signalled");
	print_text("note", MARGIN, y + 24,
		   "fd: descriptor, map: mapping, path: neither, but the memory is kept; "
		   "refs: references, and those of them that only the kernel knows");
}

void print_svg(struct graph *graph)
{
	int bottom = place_vertices(graph), height = bottom + 64, i;
	const struct vertex *v;
	const struct edge *edge;
	u64 largest = 0;

	place_edges(graph);
	for_each(v, graph->vertices)
		if (v->shape == BUFFER && v->size > largest)
			largest = v->size;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"", WIDTH, height);
	printf(" width=\"%d\" height=\"%d\">\n%s", WIDTH, height, style);
	printf("<g class=\"paper\"><rect width=\"%d\" height=\"%d\"/></g>\n", WIDTH, height);
	for (i = 0; i < COLUMNS; i++)
		print_text("head", columns[i].x, 40, columns[i].head);
	for_each(edge, graph->edges)
		print_edge(edge);
	for_each(edge, graph->edges)
		print_label(edge);
	for_each(v, graph->vertices)
		print_vertex(v, largest);
	print_legend(bottom + 20);
	printf("</svg>\n");
}
