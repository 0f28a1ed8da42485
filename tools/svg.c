// SPDX-License-Identifier: GPL-2.0
/* A graph as a picture in three columns, which needs no other program. */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

static const char *const shapes[] = { "process", "buffer", "device", "fence" };

#define COLUMN	350
#define WIDTH	250
#define HEIGHT	52
#define STEP	72
#define TOP	90

static int column_of(const struct vertex *v)
{
	return v->shape < DEVICE ? (int)v->shape : 2;
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
		all[i]->x = 20 + column * COLUMN;
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

static int place_all(struct graph *graph)
{
	int column, n[3], most = 1;

	for (column = 0; column < 3; column++) {
		n[column] = place_column(graph, column);
		if (n[column] > most)
			most = n[column];
	}
	for (column = 0; column < 3; column++)
		center_column(graph, column, n[column], most);
	return TOP + most * STEP + 40;
}

/* Cut to what fits, and with nothing in it that XML would take for its own. */
static const char *xml_text(const char *s, size_t max)
{
	struct text text = { };
	size_t i;

	add(&text, "%s", "");
	for (i = 0; s[i] && i < max; i++)
		add(&text, strchr("<>&\"'", s[i]) ? "&#%d;" : "%c", s[i]);
	return format("%s%s", text.s, s[i] ? "..." : "");
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

static void print_shape(const struct vertex *v, u64 largest)
{
	double side = largest ? square_root((double)v->size / largest) * 36 : 0;
	int middle = v->y + HEIGHT / 2;

	printf("<g class=\"%s%s\">", shapes[v->shape], v->alarm ? " alarm" : "");
	if (v->shape == FENCE)
		printf("<path d=\"M%d %d l18 -18 l18 18 l-18 18 z\"/>", v->x, middle);
	else
		print_box(v->x, v->y, WIDTH, HEIGHT, v->shape == PROCESS ? HEIGHT / 2 : 4);
	printf("</g>\n");
	if (v->shape != BUFFER || side < 0.5)
		return;
	printf("<g class=\"size\">");
	print_box(v->x + 27 - side / 2, middle - side / 2, side, side, 0);
	printf("</g>\n");
}

static void print_vertex(const struct vertex *v, u64 largest)
{
	int x = v->x + (v->shape == PROCESS ? 24 : v->shape == DEVICE ? 14 :
			v->shape == FENCE ? 46 : 54);
	size_t max = v->shape == BUFFER ? 30 : 33;

	printf("<g><title>%s, %s</title>\n", xml_text(v->name, 200), xml_text(v->detail, 200));
	print_shape(v, largest);
	printf("<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>\n", x, v->y + 22,
	       xml_text(v->name, max - 4));
	printf("<text x=\"%d\" y=\"%d\">%s</text></g>\n", x, v->y + 40, xml_text(v->detail, max));
}

static void print_edge(const struct edge *edge)
{
	int x1 = edge->from->x + WIDTH, y1 = edge->from->y + HEIGHT / 2;
	int x2 = edge->to->x, y2 = edge->to->y + HEIGHT / 2, mid = (x1 + x2) / 2;

	printf("<path class=\"edge%s\" d=\"M%d %d C%d %d %d %d %d %d\"/>\n",
	       edge->to->shape == FENCE ? " dashed" : "", x1, y1, mid, y1, mid, y2, x2, y2);
	/* Where 0.7 of the curve lies behind, so that each edge has a place of its own. */
	printf("<text class=\"label\" x=\"%.0f\" y=\"%.0f\">%s</text>\n",
	       x1 * 0.027 + mid * 0.63 + x2 * 0.343, y1 * 0.216 + y2 * 0.784 + 4,
	       xml_text(edge->label, 18));
}

static const char style[] =
"<style>text{font:12px sans-serif;fill:#333}.name{font-weight:bold;font-size:13px}\n"
".head{font-size:15px;font-weight:bold}.label{font-size:11px;text-anchor:middle;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3}\n"
"g{stroke:#555;stroke-width:1.5}text{stroke:none}.process{fill:#dbe9f9}.buffer{fill:#fff4d6}\n"
".device{fill:#dff3e0}.fence{fill:#eadcf5}.size{fill:#e0a526;stroke:none}\n"
".paper{fill:#fff;stroke:none}.alarm{stroke:#c00;stroke-width:3}.edge{fill:none;stroke:#888;stroke-width:1.5}\n"
".dashed{stroke-dasharray:6 4}</style>\n";

static const char legend[] =
"Squares: size of a buffer. Dashed: waits for. Red: held by no process; done, but not signalled.";

void print_svg(struct graph *graph)
{
	static const char *const heads[] = { "processes", "buffers", "devices and fences" };
	int height = place_all(graph), width = 2 * COLUMN + WIDTH + 90, i;
	const struct vertex *v;
	const struct edge *edge;
	u64 largest = 0;

	for_each(v, graph->vertices)
		if (v->shape == BUFFER && v->size > largest)
			largest = v->size;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"", width, height);
	printf(" width=\"%d\" height=\"%d\">\n%s", width, height, style);
	printf("<g class=\"paper\"><rect width=\"%d\" height=\"%d\"/></g>\n", width, height);
	for (i = 0; i < 3; i++)
		printf("<text class=\"head\" x=\"%d\" y=\"40\">%s</text>\n", 20 + i * COLUMN,
		       heads[i]);
	for_each(edge, graph->edges)
		print_edge(edge);
	for_each(v, graph->vertices)
		print_vertex(v, largest);
	printf("<text x=\"20\" y=\"%d\">%s</text>\n</svg>\n", height - 20, legend);
}
