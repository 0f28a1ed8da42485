// SPDX-License-Identifier: GPL-2.0
/*
 * --json: the whole snapshot as one object. The schema is in the manual page; what
 * the kernel says in keys that are not known here is passed on.
 */
#include <ctype.h>
#include <string.h>

#include "dmabuf.h"

/* Length of a well-formed UTF-8 character, or 0. */
static size_t utf8_length(const unsigned char *s)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, len = *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf8 ? 4 : 0;
	unsigned int code = *s & (0x7f >> len);

	if (*s < 0x80)
		return 1;

	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

static void print_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len;

	if (!text) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *s; s += len) {
		len = utf8_length(s);
		if (!len)
			printf("\\ufffd");
		else if (*s < ' ' || *s == 0x7f)
			printf("\\u%04x", *s);
		else
			printf("%s%.*s", strchr("\"\\", *s) ? "\\" : "", (int)len, s);
		len = len ? len : 1;
	}
	putchar('"');
}

void json_pair(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	print_string(text);
}

static const char *bool_name(bool yes)
{
	return yes ? "true" : "false";
}

static bool is_number(const char *s)
{
	size_t whole = strspn(s, "0123456789");

	if (!whole || (whole > 1 && *s == '0') || whole > 20)
		return false;
	if (s[whole] != '.')
		return !s[whole];
	s += whole + 1;
	return *s && !s[strspn(s, "0123456789")];
}

static void print_pairs(const struct node *node)
{
	const struct pair *pair;
	const char *comma = "";

	for_each(pair, node->pairs) {
		printf("%s", comma);
		comma = ",";
		print_string(pair->key);
		putchar(':');
		if (!pair->quoted && !strcmp(pair->value, "none"))
			printf("null");
		else if (!pair->quoted && is_number(pair->value))
			printf("%s", pair->value);
		else
			print_string(pair->value);
	}
}

/* The nodes of one kind below a node, as an array. */
static void print_nodes(const char *key, const struct node *parent, const char *tag)
{
	const struct node *node;
	const char *comma = "";

	printf("\"%s\":[", key);
	for_each_child(node, parent, tag) {
		printf("%s{", comma);
		comma = ",";
		print_pairs(node);
		if (!strcmp(tag, "fence") || !strcmp(tag, "waiter")) {
			printf("%s", node->pairs ? "," : "");
			print_nodes("waiters", node, "waiter");
		}
		printf("}");
	}
	printf("]");
}

/* Where it is: a descriptor of a process, or of one of its threads. */
static void print_place(const struct space *space, int fd)
{
	printf("\"pid\":%d", space->task->pid);
	if (space->tid != space->task->pid)
		printf(",\"tid\":%d", space->tid);
	if (fd >= 0)
		printf(",\"fd\":%d", fd);
	json_pair("comm", space->task->comm);
}

static void print_hold(const struct hold *hold)
{
	static const char *const kinds[] = { "fd", "vma", "path", "epoll", "scm", "poll",
					     "pollcb" };

	printf("{\"kind\":\"%s\",\"refs\":%u,", kinds[hold->kind], hold->refs);
	if (hold->kind == HOLD_MAP)
		printf("\"size\":%llu,\"prot\":\"%s\",", hold->size, hold->prot);
	if (hold->kind == HOLD_SCM)
		printf("\"socket\":%llu,", hold->socket);
	printf("\"certain\":true%s", hold->space ? "," : "");
	if (hold->space)
		print_place(hold->space, hold->fd);
	printf("}");
}

static void print_carrier(const struct carrier *carrier)
{
	printf("{\"kind\":\"%s\",\"refs\":0,\"files\":%u,", carrier->socket ? "scm" : "uring",
	       carrier->files);
	if (carrier->socket)
		printf("\"socket\":%llu,", carrier->socket);
	printf("\"certain\":false,");
	print_place(carrier->space, carrier->fd);
	printf("}");
}

static void print_holders(const struct snapshot *snap, const struct buffer *buf)
{
	const struct carrier *carrier;
	const struct hold *hold;
	const char *comma = "";

	printf(",\"holders\":[");
	for_each(hold, buf->holds) {
		printf("%s", comma);
		print_hold(hold);
		comma = ",";
	}
	for_each(carrier, remainder_of(buf) > 0 ? snap->carriers : NULL) {
		printf("%s", comma);
		print_carrier(carrier);
		comma = ",";
	}
	printf("]");
}

static void print_created(const struct snapshot *snap, const struct buffer *buf)
{
	const char *maker = maker_of(snap, buf);

	if (!value(buf->node, "created")) {
		printf(",\"created\":null");
		return;
	}
	printf(",\"created\":{\"time\":%.9f,\"pid\":%s", seconds(buf->node, "created"),
	       value(buf->node, "pid") ? format("%llu", number(buf->node, "pid")) : "null");
	json_pair("comm", value(buf->node, "comm"));
	json_pair("by", value(buf->node, "by"));
	printf(",\"gone\":%s}", bool_name(maker && !strncmp(maker, "maker gone", 10)));
}

static const char *known(long n)
{
	return n < 0 ? "null" : format("%ld", n);
}

static void print_buffer(const struct snapshot *snap, const struct buffer *buf)
{
	printf("{\"ino\":%llu,\"size\":%llu,", buf->ino, buf->size);
	printf("\"count\":%s,\"found\":%u,\"remainder\":%s,", known(buf->count), buf->found,
	       known(remainder_of(buf)));
	printf("\"exact\":%s,\"released\":%s", bool_name(buf->exact), bool_name(buf->released));
	json_pair("exporter", buf->exporter);
	json_pair("module", buf->module);
	json_pair("name", buf->name);
	print_created(snap, buf);
	print_holders(snap, buf);
	printf(",\"kernel\":{");
	print_pairs(buf->node);
	printf("},\"attachments_busy\":%s,", bool_name(value(buf->node, "attachments")));
	print_nodes("attachments", buf->node, "attach");
	printf(",");
	print_nodes("pollers", buf->node, "poller");
	printf(",");
	print_nodes("fences", buf->node, "fence");
	printf("}");
}

static void print_sync_files(const struct snapshot *snap)
{
	const struct sync_file *sync;

	printf(",\n\"sync_files\":[");
	for_each(sync, snap->sync_files) {
		printf("%s\n{", sync == snap->sync_files ? "" : ",");
		print_place(sync->space, sync->fd);
		json_pair("name", value(sync->node, "name"));
		json_pair("status", value(sync->node, "status"));
		json_pair("by", value(sync->node, "by"));
		printf(",");
		print_nodes("fences", sync->node, "fence");
		printf("}");
	}
	printf("]");
}

static void print_drm(const struct snapshot *snap)
{
	const struct drm_client *drm;

	printf(",\n\"drm_clients\":[");
	for_each(drm, snap->drm) {
		printf("%s{", drm == snap->drm ? "" : ",");
		print_place(drm->space, drm->fd);
		json_pair("node", drm->node);
		json_pair("device", drm->device);
		printf("}");
	}
	printf("]");
}

static void print_accounts(const struct snapshot *snap)
{
	struct account *account;
	size_t i, count;

	printf(",\n\"processes\":[");
	account = accounts_of(snap, &count);
	for (i = 0; i < count; i++, account++) {
		printf("%s{\"pid\":%d", i ? "," : "", account->task ? account->task->pid : 0);
		json_pair("comm", account->task ? account->task->comm : NULL);
		printf(",\"buffers\":%u,\"total\":%llu,\"share\":%llu,\"sync_files\":%u}",
		       account->buffers, account->total, account->share, account->sync_files);
	}
	printf("]");
}

/* Print the head of each output, with how far it can be relied upon. */
void json_head(const struct snapshot *snap)
{
	printf("\"version\":1,\"source\":\"%s\",\"boottime\":%.9f,\"complete\":%s,",
	       snap->source_name, snap->now, bool_name(snapshot_complete(snap)));
	printf("\"unreadable\":%u", snap->unreadable);
}

/* Print the waiters of a fence. */
void json_waiters(const struct node *fence)
{
	print_nodes("waiters", fence, "waiter");
}

void json_sync_file(const struct sync_file *sync)
{
	printf("{");
	print_place(sync->space, sync->fd);
	printf("}");
}

/* All buffers, or that of one inode number. */
int show_json(struct snapshot *snap, u64 ino)
{
	const struct buffer *buf;
	const char *comma = "";

	printf("{");
	json_head(snap);
	printf(",\"buffers\":[");
	for_each(buf, snap->buffers) {
		if (ino && buf->ino != ino)
			continue;
		printf("%s\n", comma);
		print_buffer(snap, buf);
		comma = ",";
	}
	printf("]");
	print_accounts(snap);
	print_sync_files(snap);
	print_drm(snap);
	printf("}\n");
	return *comma ? EXIT_DONE : EXIT_NOTHING;
}
