// SPDX-License-Identifier: GPL-2.0-only
/*
 * All buffers as BPF programs see them: each is there once, however the text is read;
 * nothing is held in between; and the sample lists what the program dmabuf lists.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/wait.h>

#include "../common.h"

#define BUFFERS		10000
#define BUF_SIZE	4096
#define MAX_TEXT	(16 * 1024 * 1024)
#define PATIENCE	600	/* seconds, for an emulated machine that others use, too */
#define NAMED		7	/* one out of so many has a name */

FIXTURE(dmabuf_iter)
{
	struct bpf_object *object;
	char *text;
	int *bufs;
	unsigned long *inos;		/* ascending */
	int count;
};

static void make_buffers(struct __test_metadata *_metadata, FIXTURE_DATA(dmabuf_iter) *self,
			 int count)
{
	char name[DMA_BUF_NAME_LEN];
	int i;

	for (i = 0; i < count; i++) {
		self->bufs[i] = heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, self->bufs[i]);
		self->inos[i] = buffer_ino(self->bufs[i]);
		if (i % NAMED)
			continue;
		snprintf(name, sizeof(name), "buffer-%d", i);
		ASSERT_EQ(0, set_name(self->bufs[i], name));
	}
	self->count = count;
}

FIXTURE_SETUP(dmabuf_iter)
{
	struct rlimit limit = { BUFFERS + 100, BUFFERS + 100 };

	/* One more than a test makes, and the oldest. */
	if (heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC) < 0)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	self->object = bpf_object__open_file(next_to_us("dmabuf_iter.bpf.o"), NULL);
	ASSERT_NE(NULL, self->object);
	ASSERT_EQ(0, bpf_object__load(self->object))
		TH_LOG("needs CONFIG_BPF_EVENTS, CONFIG_DEBUG_INFO_BTF, root");
	self->text = malloc(MAX_TEXT);
	self->bufs = calloc(BUFFERS, sizeof(*self->bufs));
	self->inos = calloc(BUFFERS, sizeof(*self->inos));
	ASSERT_TRUE(self->text && self->bufs && self->inos);
}

FIXTURE_TEARDOWN(dmabuf_iter)
{
	/* All else ends with the process of the test. */
	bpf_object__close(self->object);
}

static struct bpf_program *program(struct __test_metadata *_metadata,
				   FIXTURE_DATA(dmabuf_iter) *self, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(self->object, name);

	ASSERT_NE(NULL, prog);
	return prog;
}

static int open_iterator(struct __test_metadata *_metadata,
			 FIXTURE_DATA(dmabuf_iter) *self, const char *name)
{
	struct bpf_link *link = bpf_program__attach_iter(program(_metadata, self, name), NULL);
	int fd;

	ASSERT_NE(NULL, link);
	fd = bpf_iter_create(bpf_link__fd(link));
	ASSERT_LE(0, fd);
	return fd;
}

/* Appends the rest to @len bytes, in pieces of that size; returns how many there were. */
static int read_rest(struct __test_metadata *_metadata, FIXTURE_DATA(dmabuf_iter) *self,
		     int fd, size_t piece, size_t len)
{
	int pieces = 0;
	ssize_t got;

	while ((got = read(fd, self->text + len, piece)) > 0) {
		len += got;
		pieces++;
		ASSERT_GT(MAX_TEXT - piece, len);
	}
	ASSERT_EQ(0, got);
	self->text[len] = '\0';
	return pieces;
}

static int read_all(struct __test_metadata *_metadata, FIXTURE_DATA(dmabuf_iter) *self,
		    int fd, size_t piece)
{
	return read_rest(_metadata, self, fd, piece, 0);
}

static int find(FIXTURE_DATA(dmabuf_iter) *self, unsigned long ino)
{
	int low = 0, high = self->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (self->inos[middle] < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low < self->count && self->inos[low] == ino ? low : -1;
}

/* How many of ours are in the text, if each is there once and the newest is first. */
static int count_inodes(struct __test_metadata *_metadata, FIXTURE_DATA(dmabuf_iter) *self)
{
	unsigned long ino, before = -1UL;
	char *line = self->text, *end;
	int found = 0;

	for (ino = strtoul(line, &end, 10); end != line; ino = strtoul(line, &end, 10)) {
		EXPECT_LT(ino, before);
		before = ino;
		found += find(self, ino) >= 0;
		line = end;
	}
	return found;
}

/* ------------------------------------------------------------------- the file */

TEST_F_TIMEOUT(dmabuf_iter, each_buffer_once_in_many_reads, PATIENCE)
{
	char end[64];
	int fd;

	make_buffers(_metadata, self, BUFFERS);
	fd = open_iterator(_metadata, self, "print_inodes");
	EXPECT_LT(50, read_all(_metadata, self, fd, 512));
	EXPECT_EQ(BUFFERS, count_inodes(_metadata, self));
	/* The program has the last word once, with the number of the last buffer. */
	snprintf(end, sizeof(end), "\nend %d\n", BUFFERS);
	ASSERT_LT(strlen(end), strlen(self->text));
	EXPECT_STREQ(end, self->text + strlen(self->text) - strlen(end));
	EXPECT_EQ(0, read(fd, end, sizeof(end)));
}

TEST_F_TIMEOUT(dmabuf_iter, each_buffer_once_in_large_reads, PATIENCE)
{
	int fd;

	make_buffers(_metadata, self, BUFFERS);
	fd = open_iterator(_metadata, self, "print_and_sleep");
	EXPECT_LT(1, read_all(_metadata, self, fd, MAX_TEXT / 2));
	EXPECT_EQ(BUFFERS, count_inodes(_metadata, self));
}

/* A buffer that is closed between two reads is gone, and the older ones are still found. */
TEST_F(dmabuf_iter, nothing_is_held_between_reads)
{
	char piece[16];
	ssize_t len;
	int fd, i;

	make_buffers(_metadata, self, 100);
	fd = open_iterator(_metadata, self, "print_inodes");
	len = read(fd, piece, sizeof(piece));
	ASSERT_LT(0, len);
	/* The newest have been shown, the next is due. */
	for (i = 50; i < 100; i++)
		ASSERT_EQ(0, close(self->bufs[i]));
	read_all(_metadata, self, open_iterator(_metadata, self, "print_inodes"), 4096);
	EXPECT_EQ(50, count_inodes(_metadata, self));
	memcpy(self->text, piece, len);
	read_rest(_metadata, self, fd, sizeof(piece), len);
	self->count = 50;
	EXPECT_EQ(50, count_inodes(_metadata, self));
}

static bool stop;

static void *churn_main(void *arg)
{
	int bufs[16] = { }, i = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (bufs[i])
			close(bufs[i]);
		bufs[i] = heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);
		i = (i + 1) % 16;
	}
	return NULL;
}

TEST_F_TIMEOUT(dmabuf_iter, others_come_and_go, PATIENCE)
{
	pthread_t thread;
	int i, fd;

	make_buffers(_metadata, self, 1000);
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn_main, NULL));
	for (i = 0; i < 5; i++) {
		fd = open_iterator(_metadata, self, "print_inodes");
		read_all(_metadata, self, fd, 100);
		EXPECT_EQ(1000, count_inodes(_metadata, self));
		close(fd);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

TEST_F(dmabuf_iter, what_the_link_is)
{
	struct bpf_link_info info = { };
	__u32 len = sizeof(info);
	char target[32] = "";
	struct bpf_link *link;

	link = bpf_program__attach_iter(program(_metadata, self, "print_inodes"), NULL);
	ASSERT_NE(NULL, link);
	info.iter.target_name = (uintptr_t)target;
	info.iter.target_name_len = sizeof(target);
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len));
	EXPECT_STREQ("dmabuf", target);
	read_fdinfo(bpf_link__fd(link), self->text, 4096);
	EXPECT_NE(NULL, strstr(self->text, "target_name:\tdmabuf\n"));
	EXPECT_NE(NULL, strstr(self->text, "dmabuf iter\n"));
}

/* ------------------------------------------------------------------- the loop */

/* The only variable of the programs. */
struct loop_state {
	__u64 visited;
	__u64 most;
};

/* Returns how many buffers it has visited, no more than @most. */
static long run_loop(struct __test_metadata *_metadata, FIXTURE_DATA(dmabuf_iter) *self,
		     __u64 most)
{
	int map = bpf_object__find_map_fd_by_name(self->object, ".bss"), key = 0;
	struct bpf_program *loop = program(_metadata, self, "loop");
	struct loop_state state = { .most = most };
	LIBBPF_OPTS(bpf_test_run_opts, options);

	ASSERT_EQ(0, bpf_map_update_elem(map, &key, &state, BPF_ANY));
	ASSERT_EQ(0, bpf_prog_test_run_opts(bpf_program__fd(loop), &options));
	EXPECT_EQ(0U, options.retval);
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, &state));
	return state.visited;
}

TEST_F_TIMEOUT(dmabuf_iter, loop_visits_each_buffer_once, PATIENCE)
{
	int map = bpf_object__find_map_fd_by_name(self->object, "visits"), i;
	__u64 ino, times;

	make_buffers(_metadata, self, BUFFERS);
	EXPECT_EQ(BUFFERS + 1, run_loop(_metadata, self, -1ULL));
	for (i = 0; i < BUFFERS; i++) {
		ino = self->inos[i];
		ASSERT_EQ(0, bpf_map_lookup_elem(map, &ino, &times));
		ASSERT_EQ(1ULL, times);
	}
}

/* A loop that is left holds nothing: what has been visited can be closed. */
TEST_F(dmabuf_iter, loop_that_is_left)
{
	int i;

	make_buffers(_metadata, self, 100);
	EXPECT_EQ(10, run_loop(_metadata, self, 10));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(1, buffer_count(self->bufs[i]));
	for (i = 50; i < 100; i++)
		ASSERT_EQ(0, close(self->bufs[i]));
	EXPECT_EQ(51, run_loop(_metadata, self, -1ULL));
}

/* ------------------------------------------------- the sample and the program */

static char *output_of(struct __test_metadata *_metadata, const char *name,
		       const char *arguments, char *text)
{
	char command[700];
	size_t len;
	FILE *pipe;

	snprintf(command, sizeof(command), "%s %s", next_to_us(name), arguments);
	pipe = popen(command, "r");
	ASSERT_NE(NULL, pipe);
	len = fread(text, 1, MAX_TEXT - 1, pipe);
	text[len] = '\0';
	EXPECT_EQ(0, pclose(pipe));
	return text;
}

/* Of the same buffer in both: what a line of the sample says, from the program's JSON. */
static bool same_as_json(const char *line, const char *json)
{
	unsigned long ino, size, refs;
	char exporter[64], name[64], want[512];
	const char *found;

	if (sscanf(line, "%lu %lu %63s %63s %lu", &ino, &size, exporter, name, &refs) != 5)
		return false;
	snprintf(want, sizeof(want), "\n{\"ino\":%lu,\"size\":%lu,\"count\":%lu,", ino, size, refs);
	found = strstr(json, want);
	if (!found)
		return false;
	snprintf(want, sizeof(want), "\"exporter\":\"%s\"", exporter);
	if (!strstr(found, want) || strstr(found, want) > strchrnul(found + 1, '\n'))
		return false;
	snprintf(want, sizeof(want), strcmp(name, "-") ? "\"name\":\"%s\"" : "\"name\":null",
		 name);
	return strstr(found, want) && strstr(found, want) < strchrnul(found + 1, '\n');
}

TEST_F_TIMEOUT(dmabuf_iter, sample_lists_what_the_program_lists, PATIENCE)
{
	char *json = malloc(MAX_TEXT), *where, *line, *rest;
	int lines = 0;

	ASSERT_NE(NULL, json);
	make_buffers(_metadata, self, BUFFERS);
	output_of(_metadata, "dmabuf", "--json list", json);
	output_of(_metadata, "dmabuf_list", "", self->text);
	EXPECT_EQ(BUFFERS + 1, times_said(json, "\n{\"ino\":"));
	line = strtok_r(self->text, "\n", &rest);
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, "INO"));
	/* Both begin with the newest, so the search goes on where it was. */
	where = strstr(json, "\n{\"ino\":");
	while ((line = strtok_r(NULL, "\n", &rest))) {
		ASSERT_TRUE(same_as_json(line, where))
			TH_LOG("%s", line);
		where = strchrnul(where + 1, '\n');
		lines++;
	}
	EXPECT_EQ(BUFFERS + 1, lines);
}

TEST_HARNESS_MAIN
