// SPDX-License-Identifier: GPL-2.0
/* Memory, texts, files, and columns on a terminal. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dmabuf.h"

/* With 0, which is for tests, each piece stands alone, and its end can be checked. */
#ifndef CHUNK
#define CHUNK	(64 * 1024)
#endif

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

static struct arena nowhere;
struct arena *arena = &nowhere;

static struct chunk *new_chunk(size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		err(EXIT_ERROR, "memory");
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

/* Zeroed memory. Without any the program ends. */
void *take(size_t size)
{
	struct chunk *chunk = arena->chunks;
	size_t start = 0;

	if (chunk)
		start = (chunk->used + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!chunk || start > chunk->size || chunk->size - start < size) {
		chunk = new_chunk(size > CHUNK ? size : CHUNK);
		start = 0;
	}
	chunk->used = start + size;
	return (char *)chunk->data + start;
}

char *take_text(const char *from, size_t len)
{
	return memcpy(take(len + 1), from, len);
}

void arena_free(struct arena *which)
{
	struct chunk *chunk;

	while ((chunk = which->chunks)) {
		which->chunks = chunk->next;
		free(chunk);
	}
	if (arena == which)
		arena = &nowhere;
}

static void make_room(struct text *text, size_t more)
{
	char *bigger;

	if (text->len + more < text->room)
		return;
	text->room = 2 * (text->len + more) + 32;
	bigger = take(text->room);
	if (text->s)
		memcpy(bigger, text->s, text->len + 1);
	text->s = bigger;
}

static void add_args(struct text *text, const char *form, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, form, args);
	if (len >= 0) {
		make_room(text, len);
		vsnprintf(text->s + text->len, text->room - text->len, form, again);
		text->len += len;
	}
	va_end(again);
}

void add(struct text *text, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	add_args(text, form, args);
	va_end(args);
}

const char *format(const char *form, ...)
{
	struct text text = { };
	va_list args;

	va_start(args, form);
	add_args(&text, form, args);
	va_end(args);
	return text.s;
}

const char *plain(const char *s)
{
	struct text text = { };

	add(&text, "%s", "");
	for (; *s; s++)
		if (*s >= ' ' && *s <= '~' && *s != '\\')
			add(&text, "%c", *s);
		else
			add(&text, "\\%03o", (unsigned char)*s);
	return text.s;
}

/* Three digits, or four below 1024: 512, 1.2M, 17M, 1023M. */
const char *human_size(u64 bytes)
{
	static const char units[] = "BKMGTPE";
	double size = bytes;
	int unit = 0;

	while (size >= 1023.5) {
		size /= 1024;
		unit++;
	}
	if (!unit)
		return format("%u", (unsigned int)bytes);
	return format("%.*f%c", size < 9.95 ? 1 : 0, size, units[unit]);
}

const char *human_time(double s)
{
	u64 whole = s > 0 ? s : 0;

	if (whole < 10)
		return format("%.1fs", s > 0 ? s : 0);
	if (whole < 60)
		return format("%us", (unsigned int)whole);
	if (whole < 3600)
		return format("%um%02u", (unsigned int)whole / 60, (unsigned int)whole % 60);
	if (whole < 86400)
		return format("%uh%02u", (unsigned int)whole / 3600,
			      (unsigned int)whole / 60 % 60);
	return format("%ud%02uh", (unsigned int)(whole / 86400),
		      (unsigned int)(whole / 3600 % 24));
}

/* Files of /proc and debugfs do not tell their size. A NUL follows the text. */
char *slurp_at(int dir, const char *path, size_t *length)
{
	size_t room = 4096, len = 0;
	ssize_t got = -1;
	char *text;
	int fd, saved;

	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = malloc(room);
	while (text && (got = read(fd, text + len, room - len - 1)) > 0) {
		len += got;
		if (len + 1 < room)
			continue;
		room *= 2;
		text = realloc(text, room);
	}
	if (!text)
		err(EXIT_ERROR, "memory");
	saved = errno;
	close(fd);
	if (length)
		*length = len;
	if (got >= 0)
		path = take_text(text, len);
	free(text);
	errno = saved;
	return got < 0 ? NULL : (char *)path;
}

char *slurp(const char *path)
{
	return slurp_at(AT_FDCWD, path, NULL);
}

const char *paint(enum color color)
{
	static const char *const codes[] = { "\033[0m", "\033[1m", "\033[2m", "\033[1;31m" };
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || getenv("NO_COLOR") || (term && !strcmp(term, "dumb")))
		return "";
	return codes[color];
}

/* ------------------------------------------------------------------ columns */

#define CELLS	10

struct row {
	enum color color;
	const char *cells[CELLS];
	struct row *next;
};

void table_row(struct table *table, enum color color, const char *const *cells)
{
	struct row *row = take(sizeof(*row));
	size_t i, n = strlen(table->align);

	row->color = color;
	for (i = 0; i < n && i < CELLS; i++)
		row->cells[i] = cells[i] ? cells[i] : "-";
	if (!table->tail)
		table->tail = &table->rows;
	*table->tail = row;
	table->tail = &row->next;
}

/* Columns of the terminal, or none where nothing has to be cut. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static void find_widths(const struct table *table, size_t n, size_t *widths)
{
	const struct row *row;
	size_t i, len;

	for_each(row, table->rows)
		for (i = 0; i < n; i++) {
			len = strlen(row->cells[i]);
			if (len > widths[i])
				widths[i] = len;
		}
}

/* Take from the widest column until all fit, down to 8 characters each. */
static void fit_widths(size_t n, size_t *widths, size_t room)
{
	size_t i, sum, widest;

	if (!room)
		return;
	for (;;) {
		for (i = sum = widest = 0; i < n; i++) {
			sum += widths[i] + (i ? 2 : 0);
			if (widths[i] > widths[widest])
				widest = i;
		}
		if (sum <= room || widths[widest] <= 8)
			return;
		widths[widest]--;
	}
}

static void print_cell(const char *cell, size_t width, bool right, bool last)
{
	size_t len = strlen(cell);

	if (len > width)
		printf("%.*s...", (int)width - 3, cell);
	else if (last && !right)
		printf("%s", cell);
	else
		printf("%*s", right ? (int)width : -(int)width, cell);
}

void table_print(const struct table *table)
{
	size_t i, n = strlen(table->align), widths[CELLS] = { };
	const struct row *row;

	find_widths(table, n, widths);
	fit_widths(n, widths, terminal_width());
	for_each(row, table->rows) {
		printf("%s", row->color ? paint(row->color) : "");
		for (i = 0; i < n; i++) {
			printf("%s", i ? "  " : "");
			print_cell(row->cells[i], widths[i], table->align[i] == '>',
				   i + 1 == n);
		}
		printf("%s\n", row->color ? paint(COLOR_NONE) : "");
	}
}

/*
 * Show what has been printed so far. If nobody can see it the program ends: where SIGPIPE
 * is ignored, as in a service of systemd, nothing else ends it.
 */
void show_now(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_ERROR, "output");
}
