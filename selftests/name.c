// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_BUF_SET_NAME, and the places where the name shows: fdinfo, the link in
 * /proc/self/fd, /proc/self/maps
 */
#include "common.h"

#define BUF_SIZE	(2 * page_size())

FIXTURE(name)
{
	int buf;
};

EACH_EXPORTER(name);

FIXTURE_SETUP(name)
{
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(name)
{
}

/* The name as fdinfo tells it, and as it is in the link. */
static void expect_name(struct __test_metadata *_metadata, int buf, const char *name)
{
	char value[256], target[256], want[256];

	ASSERT_NE(NULL, fdinfo_value(buf, "name", value, sizeof(value)));
	EXPECT_STREQ(name, value);
	ASSERT_NE(NULL, fd_link(buf, target, sizeof(target)));
	snprintf(want, sizeof(want), "/dmabuf:%s", name);
	EXPECT_STREQ(want, target);
}

static void expect_no_name(struct __test_metadata *_metadata, int buf)
{
	char text[256];

	EXPECT_EQ(NULL, fdinfo_value(buf, "name", text, sizeof(text)));
	ASSERT_NE(NULL, fd_link(buf, text, sizeof(text)));
	EXPECT_STREQ("/dmabuf:", text);
}

/* --------------------------------------------------------------- arguments */

TEST_F(name, refuses_unknown_commands)
{
	const unsigned long unknown[] = {
		_IO('b', 1),
		_IOR('b', 1, __u32),
		_IOWR('b', 1, __u64),
		_IOW('b', 1, __u16),
		_IOW('b', 1, char[DMA_BUF_NAME_LEN]),
		_IOW('a', 1, __u64),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->buf, unknown[i], "name"))
			TH_LOG("command %#lx", unknown[i]);
	}
	expect_no_name(_metadata, self->buf);
}

TEST_F(name, name_that_runs_into_a_hole_is_refused)
{
	char *page = page_before_hole(_metadata);
	char *last = page + page_size() - 4;

	memset(last, 'x', 4);
	EXPECT_EQ(-EFAULT, set_name(self->buf, last));
	expect_no_name(_metadata, self->buf);
}

/* Only what the name occupies is looked at. */
TEST_F(name, name_may_end_before_a_hole)
{
	char *page = page_before_hole(_metadata);
	char *last = page + page_size() - 4;

	memcpy(last, "end", 4);
	EXPECT_EQ(0, set_name(self->buf, last));
	expect_name(_metadata, self->buf, "end");
}

/* --------------------------------------------------------------- behaviour */

/* The kernel keeps a copy of its own. */
TEST_F(name, name_is_copied)
{
	char name[] = "mine";

	ASSERT_EQ(0, set_name(self->buf, name));
	memset(name, 'x', sizeof(name) - 1);
	expect_name(_metadata, self->buf, "mine");
}

TEST_F(name, belongs_to_the_buffer)
{
	int copy = dup(self->buf);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, set_name(copy, "shared"));
	expect_name(_metadata, self->buf, "shared");
	close(copy);
	expect_name(_metadata, self->buf, "shared");
}

TEST_F(name, survives_the_process_that_gave_it)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(set_name(self->buf, "child") ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	expect_name(_metadata, self->buf, "child");
}

TEST_F(name, other_buffers_keep_theirs)
{
	int other = buffer_alloc(variant->exporter, BUF_SIZE);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, set_name(self->buf, "one"));
	expect_no_name(_metadata, other);
	ASSERT_EQ(0, set_name(other, "two"));
	expect_name(_metadata, self->buf, "one");
	expect_name(_metadata, other, "two");
}

/* The line of the mapping in /proc/self/maps, from the path on. */
static char *maps_path(struct __test_metadata *_metadata, const void *start,
		       char *path, size_t size)
{
	char *line = NULL;
	size_t len = 0;
	bool found = false;
	FILE *maps;

	maps = fopen("/proc/self/maps", "re");
	ASSERT_NE(NULL, maps);
	while (!found && getline(&line, &len, maps) > 0) {
		char *slash = strchr(line, '/');

		if (strtoul(line, NULL, 16) != (unsigned long)start || !slash)
			continue;
		slash[strcspn(slash, "\n")] = '\0';
		snprintf(path, size, "%s", slash);
		found = true;
	}
	free(line);
	fclose(maps);
	return found ? path : NULL;
}

TEST_F(name, name_shows_in_maps)
{
	char path[128];
	void *map;

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->buf, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(NULL, maps_path(_metadata, map, path, sizeof(path)));
	EXPECT_STREQ("/dmabuf:", path);

	ASSERT_EQ(0, set_name(self->buf, "map ped"));
	ASSERT_NE(NULL, maps_path(_metadata, map, path, sizeof(path)));
	EXPECT_STREQ("/dmabuf:map ped", path);

	/* That file has a line per mapping, so the line break is escaped there. */
	ASSERT_EQ(0, set_name(self->buf, "a\nb"));
	ASSERT_NE(NULL, maps_path(_metadata, map, path, sizeof(path)));
	EXPECT_STREQ("/dmabuf:a\\012b", path);
}

TEST(access_mode_does_not_matter)
{
	int buf = heap_alloc(BUF_SIZE, O_RDONLY | O_CLOEXEC);

	if (buf == -ENODEV)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, set_name(buf, "read only"));
	expect_name(_metadata, buf, "read only");
}

/* --------------------------------------------------- races, failing allocations */

struct namer {
	pthread_t thread;
	int buf;
	const char *name;
	bool stop;
	int ret;
};

static void *namer_main(void *arg)
{
	struct namer *namer = arg;

	while (!__atomic_load_n(&namer->stop, __ATOMIC_RELAXED) && !namer->ret) {
		namer->ret = set_name(namer->buf, namer->name);
		sched_yield();
	}
	return NULL;
}

/* Readers see one name or the other, never a mixture and never none. */
TEST_F(name, name_can_be_replaced_while_it_is_read)
{
	struct namer namers[] = {
		{ .buf = self->buf, .name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
		{ .buf = self->buf, .name = "b" },
	};
	char value[256], target[256];
	int round, seen[2] = { };
	size_t i;

	ASSERT_EQ(0, set_name(self->buf, namers[0].name));
	for (i = 0; i < ARRAY_SIZE(namers); i++)
		ASSERT_EQ(0, pthread_create(&namers[i].thread, NULL, namer_main,
					    &namers[i]));
	for (round = 0; round < 500; round++) {
		ASSERT_NE(NULL, fdinfo_value(self->buf, "name", value, sizeof(value)));
		ASSERT_TRUE(!strcmp(value, namers[0].name) ||
			    !strcmp(value, namers[1].name))
			TH_LOG("name '%s'", value);
		seen[!strcmp(value, namers[1].name)]++;
		ASSERT_NE(NULL, fd_link(self->buf, target, sizeof(target)));
		ASSERT_TRUE(!strcmp(target + strlen("/dmabuf:"), namers[0].name) ||
			    !strcmp(target + strlen("/dmabuf:"), namers[1].name))
			TH_LOG("link '%s'", target);
		sched_yield();
	}
	for (i = 0; i < ARRAY_SIZE(namers); i++) {
		__atomic_store_n(&namers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(namers[i].thread, NULL);
		EXPECT_EQ(0, namers[i].ret);
	}
	/* Otherwise nothing was tested. */
	EXPECT_LT(0, seen[0]);
	EXPECT_LT(0, seen[1]);
}

TEST_HARNESS_MAIN
