/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dmabuf - who holds a shared buffer, how, since when, and what does it wait for?
 *
 * kernel.c asks the kernel for the buffers, proc.c and peek.c ask /proc for those
 * who hold them, join.c puts both together into a snapshot, and show-*.c, graph.c
 * and json.c print it. parse.c understands texts, and opens no file.
 */
#ifndef DMABUF_H
#define DMABUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define DMA_BUF_MAGIC		0x444d4142
#define __printf(form, first)	__attribute__((format(printf, form, first)))

typedef unsigned long long u64;

enum { EXIT_DONE, EXIT_NOTHING, EXIT_ERROR };

/* ------------------------------------------------------------------- util.c */

/* All memory of a snapshot. It is only ever given back as a whole. */
struct arena {
	struct chunk *chunks;
};

/* Where take() takes from. */
extern struct arena *arena;

void *take(size_t size);
char *take_text(const char *from, size_t len);
void arena_free(struct arena *arena);

/* A text that grows. */
struct text {
	char *s;
	size_t len;
	size_t room;
};

void add(struct text *text, const char *form, ...) __printf(2, 3);
const char *format(const char *form, ...) __printf(1, 2);

/* A string that is safe on a terminal: bytes that are not printable ASCII become \ooo. */
const char *plain(const char *s);

const char *human_size(u64 bytes);
const char *human_time(double seconds);

/* The whole file, or NULL and errno. */
char *slurp_at(int dir, const char *path, size_t *len);
char *slurp(const char *path);

enum color { COLOR_NONE, COLOR_BOLD, COLOR_DIM, COLOR_RED };

const char *paint(enum color color);

/* Rows of cells that are printed in columns; a '>' in align is for numbers. */
struct table {
	const char *align;
	struct row *rows, **tail;
};

void table_row(struct table *table, enum color color, const char *const *cells);
void table_print(const struct table *table);
void show_now(void);

/* ------------------------------------------------------------------ parse.c */

struct pair {
	const char *key;
	const char *value;
	bool quoted;
	struct pair *next;
};

/* A line " tag key=value..." and the deeper ones below it. */
struct node {
	const char *tag;
	struct pair *pairs;
	struct node *child, **tail;
	struct node *next;
};

/* A text of the kernel about all buffers. */
struct report {
	struct node root;	/* its children are buffers */
	unsigned int major, minor;
	bool has_dev;
	double now;		/* CLOCK_BOOTTIME, 0 if it does not say */
	bool whole;		/* the end is there, and agrees */
};

struct mapping {
	u64 from, to, ino;
	unsigned int major, minor;
	char prot[5];
};

struct stat_line {
	const char *comm;
	char state;
	bool kthread;
	u64 start;		/* clock ticks since boot */
};

/* A line of the kernel's trace. A field that an event lacks is NULL, or -1. */
struct event {
	double time;
	const char *comm;
	pid_t tid;
	const char *name;
	const char *exporter, *device;
	u64 ino, size;
	int fd;
};

const char *value(const struct node *node, const char *key);
const char *text_of(const struct node *node, const char *key);
u64 number(const struct node *node, const char *key);
double seconds(const struct node *node, const char *key);
struct node *add_node(struct node *parent, const char *tag);
void add_pair(struct node *node, const char *key, const char *value, bool quoted);
bool is_tag(const struct node *node, const char *tag);
struct node *first_of(struct node *list, const char *tag);

bool parse_report(const char *text, size_t len, struct report *report);
bool parse_bufinfo(const char *text, size_t len, struct report *report);
bool parse_mapping(const char *line, struct mapping *map);
bool parse_stat(const char *text, struct stat_line *stat);
bool parse_target(const char *line, u64 *ino, unsigned int *major, unsigned int *minor);
const char *parse_key(const char *text, const char *key);
unsigned int parse_ring(const char *text);
struct node *parse_sync_file(const char *text);
bool parse_event(const char *line, struct event *event);
char *next_line(char **text);

/* ------------------------------------------------------------- the snapshot */

enum source { SOURCE_REPORT, SOURCE_BUFINFO, SOURCE_STATS, SOURCE_PROC };

struct task {
	pid_t pid;
	const char *comm;
	u64 start;
	unsigned int fds;	/* of all tables */
	struct account *account;	/* show-top.c */
	struct task *next;
};

/* A table of descriptors or an address space, which tasks may share. */
struct space {
	struct task *task;
	pid_t tid;
	bool maps;
	unsigned int number;	/* in the order in which they are seen */
	bool used;		/* there are holds in it */
	struct space *same;	/* found in another task before */
	struct space *next;
};

enum kind {
	HOLD_FD, HOLD_MAP, HOLD_PATH, HOLD_EPOLL, HOLD_SCM, HOLD_POLL, HOLD_CALLBACK,
};

/* One hold on one buffer. */
struct hold {
	enum kind kind;
	dev_t dev;		/* 0 for those of the kernel */
	u64 ino;		/* 0 if it turned out to be none */
	struct space *space;	/* NULL for those of the kernel */
	int fd;
	unsigned int refs;	/* how many references to the file it is */
	u64 size;		/* of a mapping */
	u64 socket;
	char prot[5];
	struct hold *next;
};

struct buffer {
	struct node *node;
	u64 ino;
	u64 size;
	long count, count_after;	/* -1: not known */
	bool released;		/* nothing but paths is left */
	const char *exporter, *module, *name;
	struct hold *holds, **tail;
	unsigned int found;	/* references that are explained */
	bool exact;
	struct space *via;	/* a descriptor through which it can be seen */
	int via_fd;
	struct buffer *next, *same_hash;
};

struct sync_file {
	struct space *space;
	int fd;
	struct node *node;
	struct sync_file *next;
};

/* An object that holds some buffers without showing which ones. */
struct carrier {
	struct space *space;
	int fd;
	u64 socket;	/* 0 for an io_uring */
	unsigned int files;
	struct carrier *next;
};

struct drm_client {
	struct space *space;
	int fd;
	unsigned int minor;
	const char *node, *device;
	struct drm_client *next;
};

struct snapshot {
	struct arena arena;
	enum source source;
	const char *source_name;
	dev_t dev;
	bool has_dev;
	double now;
	bool whole;		/* the kernel has told about all buffers */
	bool has_total;
	u64 total_buffers, total_bytes;
	unsigned int unreadable;	/* processes */
	bool no_kcmp;
	bool inside;		/* of a PID namespace that does not see all */
	const char *note;
	struct task *tasks;
	struct space *spaces;	/* the last that was seen first */
	struct hold *holds, **hold_tail;	/* until join.c hands them out */
	struct buffer *buffers, **buffer_tail;
	struct buffer *by_ino[1024];
	struct sync_file *sync_files, **sync_tail;
	struct carrier *carriers, **carrier_tail;
	struct drm_client *drm;
};

/* Sums of a process, or with task NULL those of buffers without one. */
struct account {
	const struct task *task;
	u64 total;		/* size of all of its buffers */
	u64 share;		/* its part of them */
	unsigned int buffers, fds, maps, sync_files;
};

struct options {
	const char *from;
	const char *graph;
	bool json;
	bool peek;
	bool follow;
	double min_age;		/* -1: not given */
	double every, during;	/* 0: not given */
};

extern struct options options;

/* period.c: how often a command looks, and for how long; all in seconds */
double clock_of(clockid_t id);
double interval(void);
double end_of_time(void);
bool wait_until(double end, double period);

/* kernel.c */
bool kernel_read(struct snapshot *snap);
void kernel_read_again(struct snapshot *snap);
void kernel_ask_holder(struct buffer *buf, bool again);

/* proc.c */
void proc_scan(struct snapshot *snap);
struct task *find_task(const struct snapshot *snap, pid_t pid);
double task_started(const struct task *task);
void add_hold(struct snapshot *snap, struct hold hold);

/* peek.c */
void peek_socket(struct snapshot *snap, struct carrier *carrier);

/* trace.c */
bool trace_open(const char *const *events);
void trace_read(void (*see)(char *line));
void trace_close(void);

/* join.c */
struct snapshot *snapshot_take(void);
void snapshot_free(struct snapshot *snap);
struct buffer *find_buffer(const struct snapshot *snap, u64 ino);
struct buffer *add_buffer(struct snapshot *snap, u64 ino);
bool snapshot_complete(const struct snapshot *snap);
long remainder_of(const struct buffer *buf);
bool is_process_hold(const struct hold *hold);
unsigned int holders_of(const struct buffer *buf, struct task **tasks, unsigned int max);

/* show-*.c, graph.c, json.c: each returns an exit status */
int show_list(struct snapshot *snap);
int show_who(struct snapshot *snap, u64 ino);
int show_waits(struct snapshot *snap);
int show_follow(void);
const char *waiters_of(const struct node *fence);
void who_waits(const struct snapshot *snap, const struct buffer *buf);
int show_tree(struct snapshot *snap);
int show_top(struct snapshot *snap);
struct account *accounts_of(const struct snapshot *snap, size_t *count);
int show_leaks(void);
int show_watch(void);
int show_graph(struct snapshot *snap, u64 ino);
int show_json(struct snapshot *snap, u64 ino);
void json_head(const struct snapshot *snap);
void json_pair(const char *key, const char *text);
void json_waiters(const struct node *fence);
void json_sync_file(const struct sync_file *sync);

/* words.c: how things are called in all of them */
void show_limits(const struct snapshot *snap);
void show_total(const struct snapshot *snap);
const char *show(const struct node *node, const char *key);
void add_item(struct text *text, const char *item);
bool is_mapped(const struct node *attach);
const char *who_is(const struct task *task);
const char *maker_of(const struct snapshot *snap, const struct buffer *buf);
const char *exporter_of(const struct buffer *buf);
const char *holds_of(const struct buffer *buf, const struct task *task);
const char *held_by(const struct snapshot *snap, const struct buffer *buf);
const char *fence_name(const struct node *fence);
const char *fence_state(const struct node *fence);
bool done_not_signalled(const struct node *fence);

/* Is that fence the one with that point? Some sources do not tell the context. */
bool same_fence(const struct node *a, const struct node *b);

#define for_each(item, list)	for ((item) = (list); (item); (item) = (item)->next)
#define for_each_child(item, parent, name)				\
	for ((item) = first_of((parent)->child, name); (item);		\
	     (item) = first_of((item)->next, name))

#endif /* DMABUF_H */
