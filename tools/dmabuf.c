// SPDX-License-Identifier: GPL-2.0
/* The command line. */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "dmabuf.h"

struct options options = { .min_age = -1 };

static const char usage[] =
"usage: dmabuf [OPTIONS] list | tree | top | waits | leaks | watch\n"
"       dmabuf [OPTIONS] who INO|PID:FD|/proc/PID/fd/FD\n"
"       dmabuf [OPTIONS] graph [-T dot|svg] [INO]\n"
"\n"
"  list    all buffers: who holds them, what they wait for\n"
"  who     one buffer, and where each of its references is\n"
"  waits   fences that are pending, and what sleeps on them   [--min SECONDS]\n"
"          --follow: as they come and go             [--every S --for S]\n"
"  leaks   what grows, what nobody has                [--every S --for S]\n"
"  tree    buffers by process and by device\n"
"  top     processes by memory\n"
"  watch   buffers as they come and go                [--every S --for S]\n"
"  graph   a picture\n"
"\n"
"  --json          the same as one JSON object, or as one for each change with\n"
"                  --follow (not of leaks, watch, graph)\n"
"  --peek          look into sockets for descriptors that nobody has received\n"
"  --from FILE     a report or bufinfo that was saved, instead of this machine\n";

static double read_seconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*end || end == text || !(s > 0 && s < 1e9))
		errx(EXIT_ERROR, "not a time in seconds: %s", text);
	return s;
}

enum { OPT_JSON = 256, OPT_PEEK, OPT_FROM, OPT_EVERY, OPT_FOR, OPT_MIN, OPT_FOLLOW };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "peek", no_argument, NULL, OPT_PEEK },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "min", required_argument, NULL, OPT_MIN },
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void read_option(int option)
{
	switch (option) {
	case OPT_JSON:
		options.json = true;
		break;
	case OPT_PEEK:
		options.peek = true;
		break;
	case OPT_FROM:
		options.from = optarg;
		break;
	case OPT_EVERY:
		options.every = read_seconds(optarg);
		break;
	case OPT_FOR:
		options.during = read_seconds(optarg);
		break;
	case OPT_MIN:
		options.min_age = read_seconds(optarg);
		break;
	case OPT_FOLLOW:
		options.follow = true;
		break;
	case 'T':
		options.graph = optarg;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_DONE);
	default:
		fputs(usage, stderr);
		exit(EXIT_ERROR);
	}
}

/* A number, all of the text. */
static bool is_ino(const char *text)
{
	return *text && !text[strspn(text, "0123456789")] && strlen(text) < 20;
}

static u64 ino_of_path(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) || statfs(path, &fs))
		err(EXIT_ERROR, "%s", path);
	if (fs.f_type != DMA_BUF_MAGIC)
		errx(EXIT_NOTHING, "%s is no dma-buf", path);
	return st.st_ino;
}

static u64 read_buffer(const char *text)
{
	char path[64], end;
	unsigned int pid, fd;

	if (is_ino(text))
		return strtoull(text, NULL, 10);
	if (sscanf(text, "%u:%u%c", &pid, &fd, &end) == 2) {
		snprintf(path, sizeof(path), "/proc/%u/fd/%u", pid, fd);
		return ino_of_path(path);
	}
	return ino_of_path(text);
}

static int graph_all(struct snapshot *snap)
{
	return show_graph(snap, 0);
}

static const struct {
	const char *name;
	int (*show)(struct snapshot *snap);
	int (*show_one)(struct snapshot *snap, u64 ino);
	int (*run)(void);
	int (*follow)(void);
	bool json;
} commands[] = {
	{ "list", show_list, NULL, NULL, NULL, true },
	{ "who", NULL, show_who, NULL, NULL, true },
	{ "waits", show_waits, NULL, NULL, show_follow, true },
	{ "tree", show_tree, NULL, NULL, NULL, true },
	{ "top", show_top, NULL, NULL, NULL, true },
	{ "graph", graph_all, show_graph, NULL, NULL, false },
	{ "leaks", NULL, NULL, show_leaks, NULL, false },
	{ "watch", NULL, NULL, show_watch, NULL, false },
};

static int run_command(size_t i, const char *which)
{
	u64 ino = which ? read_buffer(which) : 0;
	struct snapshot *snap;
	int ret;

	if (options.follow)
		return commands[i].follow();
	if (commands[i].run)
		return commands[i].run();
	snap = snapshot_take();
	if (options.json)
		ret = show_json(snap, ino);
	else
		ret = which ? commands[i].show_one(snap, ino) : commands[i].show(snap);
	snapshot_free(snap);
	return ret;
}

static int find_command(const char *name, const char *which)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		if (which ? !commands[i].show_one : !commands[i].show && !commands[i].run)
			break;
		if (options.json && !commands[i].json)
			break;
		if (options.follow && !commands[i].follow)
			break;
		return run_command(i, which);
	}
	fputs(usage, stderr);
	return EXIT_ERROR;
}

int main(int argc, char **argv)
{
	int option, ret;

	while ((option = getopt_long(argc, argv, "T:h", long_options, NULL)) != -1)
		read_option(option);
	if (optind == argc || argc - optind > 2)
		read_option('?');
	ret = find_command(argv[optind], argv[optind + 1]);
	show_now();
	return ret;
}
