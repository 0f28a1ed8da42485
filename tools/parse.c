// SPDX-License-Identifier: GPL-2.0
/*
 * The texts of the kernel, turned into nodes with keys and values. The processes that
 * are shown choose some names in them. So the parser trusts nothing: it leaves out lines
 * that do not have the form that the kernel gives them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dmabuf.h"

#define MAX_DEPTH	8

/* -------------------------------------------------------------------- nodes */

static const struct pair *find_pair(const struct node *node, const char *key)
{
	const struct pair *pair;

	for_each(pair, node->pairs)
		if (!strcmp(pair->key, key))
			return pair;
	return NULL;
}

/* NULL if there is no such key. */
const char *value(const struct node *node, const char *key)
{
	const struct pair *pair = find_pair(node, key);

	return pair ? pair->value : NULL;
}

/* The same for a string, for which none stands without quotes. */
const char *text_of(const struct node *node, const char *key)
{
	const struct pair *pair = find_pair(node, key);

	if (!pair || (!pair->quoted && !strcmp(pair->value, "none")))
		return NULL;
	return pair->value;
}

u64 number(const struct node *node, const char *key)
{
	const char *text = value(node, key);

	return text && isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : 0;
}

/* Less than 0 if it is not known. */
double seconds(const struct node *node, const char *key)
{
	const char *text = value(node, key);

	return text && isdigit((unsigned char)*text) ? strtod(text, NULL) : -1;
}

bool is_tag(const struct node *node, const char *tag)
{
	return !strcmp(node->tag, tag);
}

/* The first node of a kind in a list. */
struct node *first_of(struct node *list, const char *tag)
{
	while (list && !is_tag(list, tag))
		list = list->next;
	return list;
}

struct node *add_node(struct node *parent, const char *tag)
{
	struct node *node = take(sizeof(*node));

	node->tag = tag;
	if (!parent)
		return node;
	if (!parent->tail)
		parent->tail = &parent->child;
	*parent->tail = node;
	parent->tail = &node->next;
	return node;
}

/* The first of several values stays. */
void add_pair(struct node *node, const char *key, const char *val, bool quoted)
{
	struct pair **end = &node->pairs, *pair;

	for (; *end; end = &(*end)->next)
		if (!strcmp((*end)->key, key))
			return;
	pair = take(sizeof(*pair));
	pair->key = key;
	pair->value = val;
	pair->quoted = quoted;
	*end = pair;
}

/* Cut the next line off a text and terminate it, or NULL at the end. */
char *next_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	*text = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return line;
}

/* ------------------------------------------------------------------- report */

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	       s[2] >= '0' && s[2] <= '7';
}

/* One character of the text, which may stand there as \ooo; 0 if it is broken. */
static char unescape(const char **s)
{
	const char *from = *s;

	if (*from != '\\') {
		*s = from + 1;
		return *from;
	}
	if (!is_octal(from + 1))
		return '\0';
	*s = from + 4;
	return (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
}

/* A value up to one of the stops, *s is left there. NULL if it is broken. */
static char *read_value(const char **s, const char *stops)
{
	char *start = take(strcspn(*s, stops) + 1), *to = start;

	while (**s && !strchr(stops, **s)) {
		*to = unescape(s);
		if (!*to++)
			return NULL;
	}
	return start;
}

static bool read_pair(const char **s, struct node *node)
{
	size_t len = strcspn(*s, " =\"");
	char *key = take_text(*s, len), *val;
	bool quoted;

	*s += len;
	if (**s != '=') {
		add_pair(node, "", key, false);
		return len;
	}
	quoted = *++*s == '"';
	*s += quoted;
	val = read_value(s, quoted ? "\"" : " ");
	if (!len || !val || (quoted && *(*s)++ != '"'))
		return false;
	add_pair(node, key, val, quoted);
	return true;
}

/* A line without its blanks in front. Half of one is as good as none. */
static bool read_line(const char *line, struct node *node)
{
	size_t len = strcspn(line, " ");

	node->tag = take_text(line, len);
	for (line += len; *line; )
		if (*line++ != ' ' || !read_pair(&line, node))
			return false;
	return len;
}

static bool check_head(struct report *report, const struct node *head)
{
	const char *dev = value(head, "dev"), *version = value(head, "");
	char end;

	if (!is_tag(head, "dma-buf-report") || !version || strcmp(version, "1"))
		return false;
	report->has_dev = dev && sscanf(dev, "%u:%u%c", &report->major, &report->minor,
					&end) == 2;
	report->now = seconds(head, "now");
	if (report->now < 0)
		report->now = 0;
	return true;
}

static bool check_end(const struct report *report, const struct node *end)
{
	const struct node *buf;
	u64 count = 0;

	for_each_child(buf, &report->root, "buffer")
		count++;
	return value(end, "buffers") && number(end, "buffers") == count;
}

/* Hang a node below the last one that is less deep; the rest is skipped. */
static void hang_in(struct report *report, const struct node *node, size_t depth,
		    struct node **path)
{
	size_t i;

	if (depth >= MAX_DEPTH || (depth && !path[depth - 1]))
		return;
	if (!depth && is_tag(node, "end")) {
		report->whole = check_end(report, node);
		return;
	}
	path[depth] = add_node(depth ? path[depth - 1] : &report->root, node->tag);
	path[depth]->pairs = node->pairs;
	for (i = depth + 1; i < MAX_DEPTH; i++)
		path[i] = NULL;
}

/* False if it is not a report, or one of a version that is not ours. */
bool parse_report(const char *text, size_t len, struct report *report)
{
	char *copy = take_text(text, len), *line = next_line(&copy);
	struct node *path[MAX_DEPTH] = { }, node = { };

	if (!line || !read_line(line, &node) || !check_head(report, &node))
		return false;
	while ((line = next_line(&copy))) {
		size_t depth = strspn(line, " ");

		report->whole = false;
		node = (struct node) { };
		if (copy && read_line(line + depth, &node))
			hang_in(report, &node, depth, path);
	}
	if (memchr(text, '\0', len))
		report->whole = false;
	return true;
}

/* ------------------------------------------------------------------ bufinfo */

static bool all(const char *s, size_t len, int (*is)(int))
{
	while (len && is((unsigned char)*s)) {
		s++;
		len--;
	}
	return !len;
}

/*
 * "size flags mode count exporter ino name" with tabs between. The first four have
 * eight digits at least, so that no name, which has 31 characters at most, can
 * look like a line.
 */
static bool read_row(char *line, struct node *buf)
{
	static const char *const keys[] = { "size", "flags", "mode", "count", "exporter", "ino" };
	char *name = line, *end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		end = strchr(name, '\t');
		if (!end || (i < 4 && !all(name, 8, isxdigit)) ||
		    (i == 5 && !all(name, end - name, isdigit)))
			return false;
		*end = '\0';
		add_pair(buf, keys[i], name, i == 4);
		name = end + 1;
	}
	add_pair(buf, "name", strcmp(name, "<none>") ? name : "none", strcmp(name, "<none>"));
	return true;
}

/* "USAGE fence:DRIVER TIMELINE seq N [un]signalled"; a name may have blanks. */
static bool read_fence(char *line, struct node *buf)
{
	char *driver = strstr(line, " fence:"), *seq = NULL, *next, *timeline;
	struct node *fence;

	if (!driver)
		return false;
	for (next = driver; (next = strstr(next + 1, " seq ")); )
		seq = next;
	timeline = strchr(driver + 7, ' ');
	if (!seq || !timeline || timeline >= seq)
		return false;
	if (!strstr(seq, " unsignalled"))
		return true;
	*driver = '\0';
	*timeline = '\0';
	*seq = '\0';
	fence = add_node(buf, "fence");
	add_pair(fence, "usage", line, false);
	add_pair(fence, "driver", driver + 7, true);
	add_pair(fence, "timeline", timeline + 1, true);
	seq += strlen(" seq ");
	seq[strspn(seq, "0123456789")] = '\0';
	add_pair(fence, "point", format("?:%s", seq), false);
	add_pair(fence, "state", "pending", false);
	return true;
}

static void drop_devices(struct node *buf)
{
	struct node **link = &buf->child;

	while (*link)
		if (is_tag(*link, "attach"))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	buf->tail = link;
}

/* Lines below a row. If a name looks like a list of devices, the true list comes later. */
static void read_detail(char *line, struct node *buf)
{
	if (!strcmp(line, "Attached Devices:"))
		drop_devices(buf);
	else if (!read_fence(line, buf))
		add_pair(add_node(buf, "attach"), "dev", line, true);
}

bool parse_bufinfo(const char *text, size_t len, struct report *report)
{
	char *copy = take_text(text, len), *line;
	struct node *buf = NULL, row;
	u64 count = 0, total;

	if (strncmp(text, "\nDma-buf Objects:\n", 18))
		return false;
	for (copy += 18; (line = next_line(&copy)); ) {
		row = (struct node) { };
		if (read_row(take_text(line, strlen(line)), &row)) {
			buf = add_node(&report->root, "buffer");
			buf->pairs = row.pairs;
			report->whole = false;
			count++;
		} else if (*line == '\t' && buf) {
			read_detail(line + 1, buf);
		} else if (sscanf(line, "Total %llu objects", &total) == 1) {
			report->whole = copy && total == count;
		}
	}
	return true;
}

/* -------------------------------------------------------------------- /proc */

bool parse_mapping(const char *line, struct mapping *map)
{
	return sscanf(line, "%llx-%llx %4s %*x %x:%x %llu", &map->from,
		      &map->to, map->prot, &map->major, &map->minor, &map->ino) == 6;
}

/* The text behind a number of blanks, "" if there are fewer. */
static const char *skip_blanks(const char *s, int blanks)
{
	for (; *s && blanks; s++)
		blanks -= *s == ' ';
	return s;
}

/* The name may have any character, a bracket and a newline among them. */
bool parse_stat(const char *text, struct stat_line *stat)
{
	const char *from = strchr(text, '('), *to = strrchr(text, ')'), *start;

	if (!from || !to || to < from)
		return false;
	stat->comm = take_text(from + 1, to - from - 1);
	/* Fields 3, 9 and 22. */
	start = skip_blanks(to, 20);
	stat->state = *skip_blanks(to, 1);
	stat->kthread = strtoul(skip_blanks(to, 7), NULL, 10) & 0x00200000;
	stat->start = strtoull(start, NULL, 10);
	return isdigit((unsigned char)*start);
}

/* A line of the fdinfo of an epoll. */
bool parse_target(const char *line, u64 *ino, unsigned int *major, unsigned int *minor)
{
	const char *text = strstr(line, " ino:");
	unsigned int dev;

	if (strncmp(line, "tfd:", 4) || !text ||
	    sscanf(text, " ino:%llx sdev:%x", ino, &dev) != 2)
		return false;
	/* As the kernel has them inside. */
	*major = dev >> 20;
	*minor = dev & 0xfffff;
	return true;
}

/* The text behind "key:" and white space in the first line that begins like that. */
const char *parse_key(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " \t");
			return take_text(line, strcspn(line, "\n"));
		}
	}
	return NULL;
}

/* How many buffers are fixed files of an io_uring? */
unsigned int parse_ring(const char *text)
{
	const char *line = strstr(text, "\nUserFiles:");
	unsigned int files = 0, index;
	char name[16], end;

	while (line && (line = strchr(line + 1, '\n')) && line[1] == ' ')
		if (sscanf(line, " %u: %15[^\n]%c", &index, name, &end) >= 2 &&
		    !strcmp(name, "dmabuf"))
			files++;
	return files;
}

static void read_sync_fence(char *line, struct node *sync)
{
	static const char *const keys[] = { "state", "driver", "timeline", "point", "signalled" };
	struct node *fence = add_node(sync, "fence");
	const char *s = line, *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys) && *s; i++) {
		text = read_value(&s, " ");
		if (!text)
			return;
		add_pair(fence, keys[i], text, i < 3);
		s += *s == ' ';
	}
}

/* Without any of our lines it is a node that has no values. */
struct node *parse_sync_file(const char *text)
{
	static const char *const keys[] = { "name", "status", "by", "fences" };
	struct node *sync = add_node(NULL, "sync_file");
	char *copy = take_text(text, strlen(text)), *line;
	const char *val;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		val = parse_key(text, format("sync_%s", keys[i]));
		if (val)
			val = read_value(&val, "\n");
		if (val)
			add_pair(sync, keys[i], val, i < 3);
	}
	while ((line = next_line(&copy)))
		if (!strncmp(line, "sync_fence:\t", 12))
			read_sync_fence(line + 12, sync);
	return sync;
}

/* -------------------------------------------------------------------- events */

/* The last one: names stand before numbers, and may have anything in them. */
static const char *find_last(const char *text, const char *what)
{
	const char *found = NULL;

	while ((text = strstr(text, what)))
		found = text++;
	return found;
}

/* "[dev_name=DEVICE ]exp_name=EXPORTER size=N ino=N[ fd=N]..." */
static bool read_args(const char *args, struct event *event)
{
	static const char dev_name[] = "dev_name=", exp_name[] = "exp_name=";
	const char *size = find_last(args, " size="), *exporter = args;

	if (!size || sscanf(size, " size=%llu ino=%llu fd=%d", &event->size, &event->ino,
			    &event->fd) < 2)
		return false;
	if (!strncmp(args, dev_name, strlen(dev_name))) {
		args += strlen(dev_name);
		exporter = strstr(args, " exp_name=");
		if (!exporter || exporter > size)
			return false;
		event->device = take_text(args, exporter - args);
		exporter++;
	}
	if (strncmp(exporter, exp_name, strlen(exp_name)))
		return false;
	exporter += strlen(exp_name);
	event->exporter = take_text(exporter, exporter > size ? 0 : size - exporter);
	return exporter <= size;
}

/*
 * A line of the trace: "COMM-TID [CPU] SECONDS: EVENT: ARGUMENTS". The name of a task can
 * be chosen, but always takes 16 columns.
 */
bool parse_event(const char *line, struct event *event)
{
	char name[32];
	size_t blanks;
	int args = 0;

	*event = (struct event) { .fd = -1 };
	if (strlen(line) < 17 || line[16] != '-' ||
	    sscanf(line + 17, "%d [%*u] %lf: %31[a-z_]: %n", &event->tid, &event->time, name,
		   &args) != 3 || !args || !read_args(line + 17 + args, event))
		return false;
	event->name = take_text(name, strlen(name));
	blanks = strspn(line, " ");
	event->comm = take_text(line + blanks, blanks < 16 ? 16 - blanks : 0);
	return true;
}
