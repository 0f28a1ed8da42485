// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics in sysfs: a directory per buffer, named after its inode number
 *
 * They may come and go up to 100 ms after the buffer; see common.h for how that
 * is measured, and for what a slow machine is forgiven.
 */
#include "common.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#define PAGES		4
#define BUF_SIZE	(PAGES * page_size())

FIXTURE(stats)
{
	struct stats_clock clock;
	unsigned long ino;
	int buf;
};

FIXTURE_VARIANT(stats)
{
	enum exporter exporter;
};

FIXTURE_VARIANT_ADD(stats, udmabuf)
{
	.exporter = UDMABUF,
};

FIXTURE_VARIANT_ADD(stats, system_heap)
{
	.exporter = SYSTEM_HEAP,
};

FIXTURE_VARIANT_ADD(stats, vgem)
{
	.exporter = VGEM,
};

FIXTURE_SETUP(stats)
{
	if (!have_stats())
		SKIP(return, "no " STATS_DIR " (CONFIG_DMABUF_SYSFS_STATS)");
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
	stats_clock_start(&self->clock);
	self->ino = buffer_ino(self->buf);
}

FIXTURE_TEARDOWN(stats)
{
	close(self->buf);
}

static void expect_appears(struct __test_metadata *_metadata, struct stats_clock *clock,
			   unsigned long ino)
{
	int late = stats_wait(clock, ino, true);

	EXPECT_GE(STATS_LIMIT_MS, late);
	ASSERT_TRUE(stats_entry_exists(ino));
}

static void expect_vanishes(struct __test_metadata *_metadata, struct stats_clock *clock,
			    unsigned long ino)
{
	int late = stats_wait(clock, ino, false);

	EXPECT_GE(STATS_LIMIT_MS, late);
	EXPECT_FALSE(stats_entry_exists(ino));
}

static char *stats_path(unsigned long ino, const char *file, char *path, size_t size)
{
	snprintf(path, size, STATS_DIR "/%lu/%s", ino, file);
	return path;
}

static ssize_t stats_read(unsigned long ino, const char *file, char *text, size_t size)
{
	char path[128];

	return read_file(stats_path(ino, file, path, sizeof(path)), text, size);
}

/* ------------------------------------------------------------ coming and going */

TEST_F(stats, appears)
{
	expect_appears(_metadata, &self->clock, self->ino);
}

/* Nobody looks, opens or asks for anything until the time is over. */
TEST_F(stats, appears_unasked)
{
	while (stats_clock_ms(&self->clock) < STATS_LIMIT_MS)
		stats_clock_sleep(&self->clock, 10);
	EXPECT_TRUE(stats_entry_exists(self->ino));
}

TEST_F(stats, vanishes)
{
	struct stats_clock clock;

	expect_appears(_metadata, &self->clock, self->ino);
	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
}

TEST_F(stats, vanishes_unasked)
{
	struct stats_clock clock;

	expect_appears(_metadata, &self->clock, self->ino);
	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	while (stats_clock_ms(&clock) < STATS_LIMIT_MS)
		stats_clock_sleep(&clock, 10);
	EXPECT_FALSE(stats_entry_exists(self->ino));
}

/* A buffer that is gone before its turn came must not come up afterwards. */
TEST_F(stats, short_life_leaves_nothing)
{
	struct stats_clock clock;

	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	while (stats_clock_ms(&clock) < STATS_LIMIT_MS)
		stats_clock_sleep(&clock, 10);
	do {
		ASSERT_FALSE(stats_entry_exists(self->ino));
		stats_clock_sleep(&clock, STATS_LOOK_MS);
	} while (stats_clock_ms(&clock) < 4 * STATS_LIMIT_MS);
}

/* Closed at any moment around the one when the entry is made. */
TEST_F(stats, any_length_of_life)
{
	struct stats_clock clock;
	unsigned long ino;
	int buf, ms;

	for (ms = 0; ms <= 2 * STATS_LIMIT_MS; ms += 10) {
		buf = buffer_alloc(variant->exporter, page_size());
		ASSERT_LE(0, buf);
		ino = buffer_ino(buf);
		sleep_ms(ms);
		close(buf);
		stats_clock_start(&clock);
		while (stats_clock_ms(&clock) < STATS_LIMIT_MS)
			stats_clock_sleep(&clock, 10);
		EXPECT_FALSE(stats_entry_exists(ino))
			TH_LOG("lived %d ms", ms);
	}
}

TEST_F(stats, many_at_once)
{
	enum { MANY = 100 };
	unsigned long inos[MANY];
	struct stats_clock clock;
	int bufs[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		bufs[i] = buffer_alloc(variant->exporter, page_size());
		ASSERT_LE(0, bufs[i]);
		inos[i] = buffer_ino(bufs[i]);
	}
	stats_clock_start(&clock);
	for (i = 0; i < MANY; i++)
		expect_appears(_metadata, &clock, inos[i]);
	for (i = 0; i < MANY; i += 2)
		close(bufs[i]);
	stats_clock_start(&clock);
	for (i = 0; i < MANY; i += 2)
		expect_vanishes(_metadata, &clock, inos[i]);
	for (i = 1; i < MANY; i += 2) {
		EXPECT_TRUE(stats_entry_exists(inos[i]));
		close(bufs[i]);
	}
	stats_clock_start(&clock);
	for (i = 1; i < MANY; i += 2)
		expect_vanishes(_metadata, &clock, inos[i]);
}

/* ------------------------------------------------------------------- contents */

TEST_F(stats, exporter_name)
{
	char text[64], want[64];

	expect_appears(_metadata, &self->clock, self->ino);
	snprintf(want, sizeof(want), "%s\n", exporter_name(variant->exporter));
	ASSERT_LT(0, stats_read(self->ino, "exporter_name", text, sizeof(text)));
	EXPECT_STREQ(want, text);
}

TEST_F(stats, size)
{
	char text[64], want[64];

	expect_appears(_metadata, &self->clock, self->ino);
	snprintf(want, sizeof(want), "%zu\n", BUF_SIZE);
	ASSERT_LT(0, stats_read(self->ino, "size", text, sizeof(text)));
	EXPECT_STREQ(want, text);
}

TEST_F(stats, sizes_of_several)
{
	struct stats_clock clock;
	char text[64], want[64];
	unsigned long inos[8];
	int bufs[8], i;

	for (i = 0; i < 8; i++) {
		bufs[i] = buffer_alloc(variant->exporter, (i + 1) * page_size());
		ASSERT_LE(0, bufs[i]);
		inos[i] = buffer_ino(bufs[i]);
	}
	stats_clock_start(&clock);
	for (i = 0; i < 8; i++) {
		expect_appears(_metadata, &clock, inos[i]);
		snprintf(want, sizeof(want), "%zu\n", (i + 1) * page_size());
		ASSERT_LT(0, stats_read(inos[i], "size", text, sizeof(text)));
		EXPECT_STREQ(want, text);
		close(bufs[i]);
	}
}

TEST_F(stats, files_and_modes)
{
	const char * const names[] = { "exporter_name", "size" };
	char path[128];
	struct dirent *entry;
	struct stat st;
	int others = 0;
	size_t i;
	DIR *dir;

	expect_appears(_metadata, &self->clock, self->ino);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, stat(stats_path(self->ino, names[i], path, sizeof(path)), &st));
		EXPECT_EQ(S_IFREG | 0444U, st.st_mode);
	}
	dir = opendir(stats_path(self->ino, "", path, sizeof(path)));
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, names[0]) &&
		    strcmp(entry->d_name, names[1]))
			others++;
	closedir(dir);
	EXPECT_EQ(0, others);
}

TEST_F(stats, files_cannot_be_written)
{
	char path[128];

	expect_appears(_metadata, &self->clock, self->ino);
	EXPECT_EQ(-1, open(stats_path(self->ino, "size", path, sizeof(path)), O_WRONLY));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, open(stats_path(self->ino, "exporter_name", path, sizeof(path)),
			   O_WRONLY));
	EXPECT_EQ(EACCES, errno);
}

/* Nothing but decimal numbers, and ours among them exactly once. */
TEST_F(stats, directory_names)
{
	struct dirent *entry;
	int seen = 0;
	DIR *dir;

	expect_appears(_metadata, &self->clock, self->ino);
	dir = opendir(STATS_DIR);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		char *end, name[32];
		unsigned long ino;

		if (entry->d_name[0] == '.')
			continue;
		ino = strtoul(entry->d_name, &end, 10);
		snprintf(name, sizeof(name), "%lu", ino);
		EXPECT_STREQ(name, entry->d_name);
		seen += ino == self->ino;
	}
	closedir(dir);
	EXPECT_EQ(1, seen);
}

TEST_F(stats, name_changes_nothing)
{
	char text[64], want[64];

	expect_appears(_metadata, &self->clock, self->ino);
	ASSERT_EQ(0, set_name(self->buf, "named"));
	snprintf(want, sizeof(want), "%s\n", exporter_name(variant->exporter));
	ASSERT_LT(0, stats_read(self->ino, "exporter_name", text, sizeof(text)));
	EXPECT_STREQ(want, text);
}

/* ------------------------------------------- whatever refers to the buffer counts */

/* Longer than an entry may stay behind: whoever is there now is there to stay. */
static void expect_stays(struct __test_metadata *_metadata, unsigned long ino)
{
	sleep_ms(3 * STATS_LIMIT_MS);
	EXPECT_TRUE(stats_entry_exists(ino));
}

TEST_F(stats, stays_with_another_fd)
{
	struct stats_clock clock;
	int copy = dup(self->buf);

	expect_appears(_metadata, &self->clock, self->ino);
	close(self->buf);
	self->buf = copy;
	expect_stays(_metadata, self->ino);
	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
}

TEST_F(stats, stays_with_a_mapping)
{
	struct stats_clock clock;
	void *map;

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->buf, 0);
	ASSERT_NE(MAP_FAILED, map);
	expect_appears(_metadata, &self->clock, self->ino);
	close(self->buf);
	self->buf = -1;
	expect_stays(_metadata, self->ino);
	munmap(map, page_size());
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
}

TEST_F(stats, stays_with_an_attachment)
{
	struct stats_clock clock;
	__u32 handle;
	int drm;

	drm = setup_drm(_metadata, "vkms");
	if (drm < 0)
		return;
	ASSERT_EQ(0, drm_import(drm, self->buf, &handle));
	expect_appears(_metadata, &self->clock, self->ino);
	close(self->buf);
	self->buf = -1;
	expect_stays(_metadata, self->ino);
	ASSERT_EQ(0, drm_close_handle(drm, handle));
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
	close(drm);
}

/* The last reference goes with the process that held it. */
TEST_F(stats, vanishes_with_the_process)
{
	struct stats_clock clock;
	unsigned long ino = 0;
	int pipefd[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int buf = buffer_alloc(variant->exporter, BUF_SIZE);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ino = buffer_ino(buf);
		if (buf < 0 || write(pipefd[1], &ino, sizeof(ino)) != sizeof(ino))
			_exit(1);
		pause();
		_exit(0);
	}
	ASSERT_EQ((ssize_t)sizeof(ino), read(pipefd[0], &ino, sizeof(ino)));
	stats_clock_start(&clock);
	expect_appears(_metadata, &clock, ino);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, ino);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* --------------------------------------------------- readers of what is gone */

TEST_F(stats, open_file_of_a_dead_buffer)
{
	struct stats_clock clock;
	char path[128], text[64];
	int size, exporter;

	expect_appears(_metadata, &self->clock, self->ino);
	size = open(stats_path(self->ino, "size", path, sizeof(path)), O_RDONLY);
	ASSERT_LE(0, size);
	exporter = open(stats_path(self->ino, "exporter_name", path, sizeof(path)),
			O_RDONLY);
	ASSERT_LE(0, exporter);
	ASSERT_LT(0, pread(exporter, text, sizeof(text), 0));
	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
	EXPECT_EQ(-1, pread(size, text, sizeof(text), 0));
	EXPECT_TRUE(errno == ENODEV || errno == EIO);
	EXPECT_EQ(-1, pread(exporter, text, sizeof(text), 0));
	EXPECT_TRUE(errno == ENODEV || errno == EIO);
	close(size);
	close(exporter);
}

/* Open files hold neither the buffer nor the entry. */
TEST_F(stats, open_file_holds_nothing)
{
	long count = buffer_count(self->buf);
	char path[128];
	int size;

	expect_appears(_metadata, &self->clock, self->ino);
	size = open(stats_path(self->ino, "size", path, sizeof(path)), O_RDONLY);
	ASSERT_LE(0, size);
	EXPECT_EQ(count, buffer_count(self->buf));
	close(size);
}

TEST_F(stats, open_directory_of_a_dead_buffer)
{
	struct stats_clock clock;
	char path[128];
	int dir;

	expect_appears(_metadata, &self->clock, self->ino);
	dir = open(stats_path(self->ino, "", path, sizeof(path)), O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, dir);
	close(self->buf);
	self->buf = -1;
	stats_clock_start(&clock);
	expect_vanishes(_metadata, &clock, self->ino);
	EXPECT_EQ(-1, openat(dir, "size", O_RDONLY));
	EXPECT_EQ(ENOENT, errno);
	close(dir);
}

/* -------------------------------------------------------------------- uevents */

static int uevent_socket(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1,
	};
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Creates and destroys, then asks another device for an event of its own. */
TEST(no_uevents)
{
	const char *other = "/sys/devices/virtual/mem/null/uevent";
	char text[4096];
	bool end = false;
	int fd, buf, ask;
	ssize_t len;

	if (!have_stats())
		SKIP(return, "no " STATS_DIR " (CONFIG_DMABUF_SYSFS_STATS)");
	fd = uevent_socket();
	if (fd < 0)
		SKIP(return, "no netlink socket for uevents (CONFIG_NET)");
	ask = open(other, O_WRONLY);
	if (ask < 0)
		SKIP(return, "%s cannot be opened", other);
	buf = setup_buffer(_metadata, SYSTEM_HEAP, page_size());
	if (buf < 0)
		return;
	sleep_ms(2 * STATS_LIMIT_MS);
	close(buf);
	sleep_ms(2 * STATS_LIMIT_MS);
	ASSERT_EQ(6, write(ask, "change", 6));
	while (!end && poll_for(fd, POLLIN, 10000) == POLLIN) {
		len = recv(fd, text, sizeof(text) - 1, 0);
		ASSERT_LT(0, len);
		text[len] = '\0';
		EXPECT_EQ(NULL, strstr(text, "dmabuf"))
			TH_LOG("%s", text);
		end = strstr(text, "/mem/null");
	}
	EXPECT_TRUE(end);
	close(ask);
	close(fd);
}

/* --------------------------------------------------- races, failing allocations */

static int entries(void)
{
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	dir = opendir(STATS_DIR);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Lets everything settle that happened before. */
static int settled_entries(void)
{
	sleep_ms(3 * STATS_LIMIT_MS);
	return entries();
}

struct reader {
	pthread_t thread;
	size_t size;
	bool stop;
	int reads;
	int wrong;
};

/* Reads all entries there are; those that can be read must be right. */
static void *reader_main(void *arg)
{
	struct reader *reader = arg;
	struct dirent *entry;
	char text[64];
	DIR *dir;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
		dir = opendir(STATS_DIR);
		while (dir && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			if (stats_read(strtoul(entry->d_name, NULL, 10), "size", text,
				       sizeof(text)) > 0) {
				reader->reads++;
				reader->wrong += strtoul(text, NULL, 10) != reader->size;
			}
		}
		if (dir)
			closedir(dir);
		sched_yield();
	}
	return NULL;
}

TEST_F(stats, readers_race_with_life)
{
	struct reader reader = { .size = BUF_SIZE };
	int bufs[16], round, before;
	size_t i;

	close(self->buf);
	self->buf = -1;
	before = settled_entries();
	if (before)
		SKIP(return, "%d buffers of others live", before);
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, reader_main, &reader));
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = -1;
	for (round = 0; round < 1000; round++) {
		i = (round * 7) % ARRAY_SIZE(bufs);
		close(bufs[i]);
		bufs[i] = buffer_alloc(variant->exporter, BUF_SIZE);
		ASSERT_LE(0, bufs[i]);
		if (round % 100 == 0)
			sleep_ms(60);
		else
			sched_yield();
	}
	sleep_ms(2 * STATS_LIMIT_MS);
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(0, reader.wrong);
	EXPECT_LT(0, reader.reads);
	EXPECT_EQ((int)ARRAY_SIZE(bufs), entries());
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		close(bufs[i]);
	EXPECT_EQ(0, settled_entries());
}

/* The way to a vgem buffer has too many allocations that are not its own. */
FIXTURE(creation)
{
};

FIXTURE_VARIANT(creation)
{
	enum exporter exporter;
};

FIXTURE_VARIANT_ADD(creation, udmabuf)
{
	.exporter = UDMABUF,
};

FIXTURE_VARIANT_ADD(creation, system_heap)
{
	.exporter = SYSTEM_HEAP,
};

FIXTURE_SETUP(creation)
{
	int buf;

	if (!have_stats())
		SKIP(return, "no " STATS_DIR " (CONFIG_DMABUF_SYSFS_STATS)");
	buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
	if (buf >= 0)
		close(buf);
}

FIXTURE_TEARDOWN(creation)
{
}

/* Each buffer that came to life has an entry, and no other has one. */
TEST_F(creation, failing_allocations)
{
	int ret, count, created = 0, refused = 0, bufs[FAIL_NTH_MAX];
	struct fail_nth fail;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	count = settled_entries();
	do {
		fail_nth_arm(_metadata, &fail);
		ret = buffer_alloc(variant->exporter, page_size());
		failed = fail_nth_disarm(_metadata, &fail);
		if (ret >= 0)
			bufs[created++] = ret;
		else
			refused++;
	} while (failed);
	EXPECT_LE(0, ret);
	EXPECT_LT(0, refused);
	EXPECT_EQ(count + created, settled_entries());
	while (created)
		close(bufs[--created]);
	EXPECT_EQ(count, settled_entries());
	close(fail.fd);
}

TEST_HARNESS_MAIN
