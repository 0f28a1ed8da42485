// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs dma_buf/bufinfo: all buffers with their fences and attached devices
 */
#include "common.h"

#define BUFINFO		DEBUGFS "/dma_buf/bufinfo"
#define BUF_SIZE	(4 * page_size())
#define TEXT_SIZE	(1024 * 1024)

#define READ	DMA_BUF_SYNC_READ
#define WRITE	DMA_BUF_SYNC_WRITE

#define HEAD	"\nDma-buf Objects:\n" \
		"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n"

FIXTURE(bufinfo)
{
	char *text;
	int buf;
};

EACH_EXPORTER(bufinfo);

FIXTURE_SETUP(bufinfo)
{
	if (access(BUFINFO, F_OK))
		SKIP(return, "no " BUFINFO " (CONFIG_DEBUG_FS, mounted debugfs, root)");
	self->text = malloc(TEXT_SIZE);
	ASSERT_NE(NULL, self->text);
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(bufinfo)
{
}

/* The whole text anew. */
static void read_bufinfo(struct __test_metadata *_metadata, char *text)
{
	ASSERT_LT(0, read_file(BUFINFO, text, TEXT_SIZE));
}

struct row {
	size_t size;
	unsigned int flags;
	unsigned int mode;
	long count;
	char exp_name[64];
	unsigned long ino;
	const char *name;	/* up to the end of the text */
};

static bool parse_row(const char *line, struct row *row)
{
	int len = 0;

	/* White space in a format stands for any, and for none: look closely. */
	if (!isdigit(*line) ||
	    sscanf(line, "%zu\t%x\t%x\t%ld\t%63[^\t]\t%lu%n", &row->size, &row->flags,
		   &row->mode, &row->count, row->exp_name, &row->ino, &len) != 6)
		return false;
	row->name = line + len + 1;
	return line[len] == '\t';
}

/* Where the line of a buffer begins, or NULL. */
static const char *find_row(const char *text, unsigned long ino, struct row *row)
{
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (parse_row(line, row) && row->ino == ino)
			return line;
	}
	return NULL;
}

/* The text that belongs to one buffer: its line and what is below, cut out. */
static char *read_block(struct __test_metadata *_metadata, char *text, unsigned long ino)
{
	const char *row, *end;
	struct row values;

	read_bufinfo(_metadata, text);
	row = find_row(text, ino, &values);
	ASSERT_NE(NULL, row);
	end = strstr(row, " devices attached\n\n");
	ASSERT_NE(NULL, end);
	end += strlen(" devices attached\n\n");
	memmove(text, row, end - row);
	text[end - row] = '\0';
	return text;
}

/* ---------------------------------------------------------------------- format */

TEST_F(bufinfo, is_readable_by_all)
{
	struct stat st;

	ASSERT_EQ(0, stat(BUFINFO, &st));
	EXPECT_EQ(S_IFREG | 0444U, st.st_mode);
}

TEST_F(bufinfo, shows_size_mode_count_exporter_and_number)
{
	unsigned long ino = buffer_ino(self->buf);
	char want[256];
	struct row row;

	read_bufinfo(_metadata, self->text);
	ASSERT_NE(NULL, find_row(self->text, ino, &row));
	/* Readable, writable, seekable; the rest is the kernel's own. */
	EXPECT_EQ(7U, row.mode & 7);
	snprintf(want, sizeof(want),
		 "%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t<none>\n"
		 "\tAttached Devices:\nTotal 0 devices attached\n\n",
		 BUF_SIZE, (unsigned int)fcntl(self->buf, F_GETFL), row.mode,
		 buffer_count(self->buf), exporter_name(variant->exporter), ino);
	EXPECT_STREQ(want, read_block(_metadata, self->text, ino));
}

TEST(row_of_a_read_only_buffer)
{
	char *text = malloc(TEXT_SIZE);
	struct row row;
	int buf;

	ASSERT_NE(NULL, text);
	if (access(BUFINFO, F_OK))
		SKIP(return, "no " BUFINFO " (CONFIG_DEBUG_FS, mounted debugfs, root)");
	buf = heap_alloc(BUF_SIZE, O_RDONLY | O_CLOEXEC);
	if (buf == -ENODEV)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	read_bufinfo(_metadata, text);
	ASSERT_NE(NULL, find_row(text, buffer_ino(buf), &row));
	EXPECT_EQ(5U, row.mode & 7);
	EXPECT_EQ((unsigned int)O_RDONLY, row.flags & O_ACCMODE);
	/* Nothing but access mode and non-blocking comes from the exporter. */
	EXPECT_EQ(0U, row.flags & O_CLOEXEC);
}

TEST_F(bufinfo, shows_flags_of_the_file)
{
	struct row row;

	ASSERT_EQ(0, fcntl(self->buf, F_SETFL, O_NONBLOCK));
	read_bufinfo(_metadata, self->text);
	ASSERT_NE(NULL, find_row(self->text, buffer_ino(self->buf), &row));
	EXPECT_EQ((unsigned int)(O_RDWR | O_NONBLOCK),
		  row.flags & (O_ACCMODE | O_NONBLOCK));
}

TEST_F(bufinfo, shows_number_of_references)
{
	int copy = dup(self->buf);
	struct row row;

	ASSERT_LE(0, copy);
	read_bufinfo(_metadata, self->text);
	ASSERT_NE(NULL, find_row(self->text, buffer_ino(self->buf), &row));
	EXPECT_EQ(2, row.count);
	close(copy);
	read_bufinfo(_metadata, self->text);
	ASSERT_NE(NULL, find_row(self->text, buffer_ino(self->buf), &row));
	EXPECT_EQ(1, row.count);
}

/* The last line adds up what is above. */
TEST_F(bufinfo, ends_with_the_sum_of_the_rows)
{
	char *line, want[128];
	size_t bytes = 0;
	struct row row;
	int rows = 0;

	read_bufinfo(_metadata, self->text);
	for (line = self->text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (parse_row(line, &row)) {
			rows++;
			bytes += row.size;
		}
	}
	snprintf(want, sizeof(want), "\n\nTotal %d objects, %zu bytes\n", rows, bytes);
	ASSERT_LT(strlen(want), strlen(self->text));
	EXPECT_STREQ(want, self->text + strlen(self->text) - strlen(want));
}

/* -------------------------------------------------------------------- life time */

/* No delay here, unlike in sysfs. */
TEST_F(bufinfo, there_at_once_and_gone_at_once)
{
	unsigned long ino;
	struct row row;
	int buf, i;

	for (i = 0; i < 20; i++) {
		buf = buffer_alloc(variant->exporter, page_size());
		ASSERT_LE(0, buf);
		ino = buffer_ino(buf);
		read_bufinfo(_metadata, self->text);
		EXPECT_NE(NULL, find_row(self->text, ino, &row));
		close(buf);
		read_bufinfo(_metadata, self->text);
		EXPECT_EQ(NULL, find_row(self->text, ino, &row));
	}
}

TEST_F(bufinfo, stays_with_a_mapping)
{
	unsigned long ino = buffer_ino(self->buf);
	struct row row;
	void *map;

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->buf, 0);
	ASSERT_NE(MAP_FAILED, map);
	close(self->buf);
	read_bufinfo(_metadata, self->text);
	ASSERT_NE(NULL, find_row(self->text, ino, &row));
	EXPECT_EQ(1, row.count);
	munmap(map, page_size());
	read_bufinfo(_metadata, self->text);
	EXPECT_EQ(NULL, find_row(self->text, ino, &row));
}

/* ---------------------------------------------------------------------- fences */

static int timeline_name(int fence, char *name)
{
	struct sync_fence_info info = { };
	int ret = sync_file_fences(fence, &info, 1);

	memcpy(name, info.obj_name, sizeof(info.obj_name));
	return ret;
}

TEST_F(bufinfo, shows_pending_fences_with_usage)
{
	int timeline = setup_timeline(_metadata);
	unsigned long ino = buffer_ino(self->buf);
	char name[32], want[256];
	int fences[2], other;

	if (timeline < 0)
		return;
	other = setup_timeline(_metadata);
	fences[0] = add_fence(_metadata, self->buf, WRITE, timeline, 3);
	fences[1] = add_fence(_metadata, self->buf, READ, other, 5);
	ASSERT_EQ(1, timeline_name(fences[0], name));
	snprintf(want, sizeof(want),
		 "\t<none>\n\twrite fence:sw_sync %s seq 3 unsignalled\n"
		 "\tread fence:sw_sync %s seq 5 unsignalled\n"
		 "\tAttached Devices:\n", name, name);
	EXPECT_NE(NULL, strstr(read_block(_metadata, self->text, ino), want))
		TH_LOG("%s", self->text);
}

/* A fence shows until it is replaced, signalled or not. */
TEST_F(bufinfo, shows_signalled_fence_until_it_is_replaced)
{
	int timeline = setup_timeline(_metadata);
	unsigned long ino = buffer_ino(self->buf);
	char name[32], want[256];
	int fence;

	if (timeline < 0)
		return;
	fence = add_fence(_metadata, self->buf, READ, timeline, 1);
	ASSERT_EQ(0, timeline_advance(timeline, 1));
	ASSERT_EQ(1, timeline_name(fence, name));
	snprintf(want, sizeof(want), "\tread fence:sw_sync %s seq 1 signalled\n", name);
	EXPECT_NE(NULL, strstr(read_block(_metadata, self->text, ino), want))
		TH_LOG("%s", self->text);
}

TEST_F(bufinfo, omits_replaced_fence)
{
	int timeline = setup_timeline(_metadata);
	unsigned long ino = buffer_ino(self->buf);

	if (timeline < 0)
		return;
	add_fence(_metadata, self->buf, WRITE, timeline, 1);
	add_fence(_metadata, self->buf, WRITE, timeline, 2);
	read_block(_metadata, self->text, ino);
	EXPECT_EQ(NULL, strstr(self->text, " seq 1 "));
	EXPECT_NE(NULL, strstr(self->text, " seq 2 unsignalled\n"));
}

/* ----------------------------------------------------------- attached devices */

TEST_F(bufinfo, shows_attached_devices)
{
	unsigned long ino = buffer_ino(self->buf);
	__u32 handle;
	int drm;

	drm = setup_drm(_metadata, "vkms");
	if (drm < 0)
		return;
	ASSERT_EQ(0, drm_import(drm, self->buf, &handle));
	EXPECT_NE(NULL, strstr(read_block(_metadata, self->text, ino),
			       "\tAttached Devices:\n\tvkms\nTotal 1 devices attached\n\n"))
		TH_LOG("%s", self->text);
	ASSERT_EQ(0, drm_close_handle(drm, handle));
	EXPECT_NE(NULL, strstr(read_block(_metadata, self->text, ino),
			       "\tAttached Devices:\nTotal 0 devices attached\n\n"))
		TH_LOG("%s", self->text);
}

TEST_F(bufinfo, own_buffer_is_not_attached)
{
	__u32 handle, again = 0;
	int drm, buf;

	drm = setup_drm(_metadata, "vgem");
	if (drm < 0)
		return;
	buf = drm_export(drm, BUF_SIZE, &handle);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drm_import(drm, buf, &again));
	EXPECT_EQ(handle, again);
	EXPECT_NE(NULL, strstr(read_block(_metadata, self->text, buffer_ino(buf)),
			       "Total 0 devices attached\n\n"));
}

/* ------------------------------------------------------------ reading it at all */

/* Much more than a page, and none is missing or told twice. */
TEST_F(bufinfo, shows_each_of_many_buffers_once)
{
	enum { MANY = 200 };
	const char *line;
	struct row row;
	int bufs[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		bufs[i] = buffer_alloc(variant->exporter, page_size());
		ASSERT_LE(0, bufs[i]);
	}
	read_bufinfo(_metadata, self->text);
	for (i = 0; i < MANY; i++) {
		line = find_row(self->text, buffer_ino(bufs[i]), &row);
		ASSERT_NE(NULL, line);
		EXPECT_EQ(NULL, find_row(strchr(line, '\n'), row.ino, &row));
		close(bufs[i]);
	}
}

TEST_F(bufinfo, can_be_read_in_small_pieces)
{
	char *again = malloc(TEXT_SIZE);
	size_t len = 0;
	ssize_t got;
	int fd;

	ASSERT_NE(NULL, again);
	read_bufinfo(_metadata, self->text);
	fd = open(BUFINFO, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	do {
		got = read(fd, again + len, 7);
		ASSERT_LE(0, got);
		len += got;
	} while (got);
	again[len] = '\0';
	close(fd);
	EXPECT_STREQ(self->text, again);
}

struct reader {
	pthread_t thread;
	char *text;
	bool stop;
	int reads;
	int wrong;
};

static void *reader_main(void *arg)
{
	struct reader *reader = arg;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
		if (read_file(BUFINFO, reader->text, TEXT_SIZE) < 0 ||
		    strncmp(HEAD, reader->text, strlen(HEAD)) ||
		    !strstr(reader->text, " objects, "))
			reader->wrong++;
		reader->reads++;
		sched_yield();
	}
	return NULL;
}

/* Buffers, names and fences change while the list is printed. */
TEST_F_TIMEOUT(bufinfo, reader_races_with_life, 300)
{
	int timeline = setup_timeline(_metadata);
	struct reader reader = { .text = self->text };
	int bufs[8], round, fence;
	size_t i;

	if (timeline < 0)
		return;
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = -1;
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, reader_main, &reader));
	for (round = 1; round <= 500; round++) {
		i = (round * 5) % ARRAY_SIZE(bufs);
		close(bufs[i]);
		bufs[i] = buffer_alloc(variant->exporter, BUF_SIZE);
		ASSERT_LE(0, bufs[i]);
		ASSERT_EQ(0, set_name(bufs[i], round & 1 ? "odd" : "even"));
		fence = add_fence(_metadata, bufs[i], WRITE, timeline, round);
		sched_yield();
		ASSERT_EQ(0, timeline_advance(timeline, 1));
		close(fence);
	}
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader.thread, NULL);
	EXPECT_LT(0, reader.reads);
	EXPECT_EQ(0, reader.wrong);
}

TEST_HARNESS_MAIN
