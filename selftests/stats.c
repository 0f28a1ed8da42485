// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics in sysfs: a directory per buffer, named after its inode number
 *
 * It is there as soon as a program can know the number, and gone with the buffer.
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
	unsigned long ino;
	int buf;
};

FIXTURE_SETUP(stats)
{
	if (!have_stats())
		SKIP(return, "no " STATS_DIR " (CONFIG_DMABUF_SYSFS_STATS)");
	self->buf = setup_buffer(_metadata, SYSTEM_HEAP, BUF_SIZE);
	self->ino = buffer_ino(self->buf);
}

FIXTURE_TEARDOWN(stats)
{
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

/* Waits for a moment: there is no promised limit. */
static int wait_for_entries(int count)
{
	int i;

	for (i = 0; i < 500 && entries() != count; i++)
		sleep_ms(10);
	return entries();
}

/* No program asks for the number: only the directory is read. */
TEST_F(stats, directory_appears_without_a_request)
{
	int count = entries(), buf;

	buf = buffer_alloc(SYSTEM_HEAP, page_size());
	ASSERT_LE(0, buf);
	EXPECT_EQ(count + 1, wait_for_entries(count + 1));
	close(buf);
	EXPECT_EQ(count, entries());
}

TEST_F(stats, directory_vanishes_with_the_buffer)
{
	EXPECT_TRUE(stats_entry_exists(self->ino));
	close(self->buf);
	EXPECT_FALSE(stats_entry_exists(self->ino));
}

/* Closed at any moment around the one when the worker makes the entry. */
TEST_F(stats, any_length_of_life)
{
	int buf, ms, count = entries();

	for (ms = 0; ms <= 100; ms++) {
		buf = buffer_alloc(SYSTEM_HEAP, page_size());
		ASSERT_LE(0, buf);
		sleep_ms(ms);
		close(buf);
		EXPECT_EQ(count, entries())
			TH_LOG("lived %d ms", ms);
	}
}

TEST_F(stats, many_buffers_get_directories_at_once)
{
	enum { MANY = 100 };
	unsigned long inos[MANY];
	int bufs[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		bufs[i] = buffer_alloc(SYSTEM_HEAP, page_size());
		ASSERT_LE(0, bufs[i]);
		inos[i] = buffer_ino(bufs[i]);
	}
	for (i = 0; i < MANY; i++)
		EXPECT_TRUE(stats_entry_exists(inos[i]));
	for (i = 0; i < MANY; i += 2)
		close(bufs[i]);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(i % 2, stats_entry_exists(inos[i]));
	for (i = 1; i < MANY; i += 2) {
		close(bufs[i]);
		EXPECT_FALSE(stats_entry_exists(inos[i]));
	}
}

/* ------------------------------------------------ the number, and what it is for */

/* Stays mapped, as the number is that of a mapping. */
static unsigned long number_by_maps(int buf)
{
	unsigned long ino = 0, from;
	char line[512], *map;
	FILE *maps;

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, buf, 0);
	maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %*s %*x %*x:%*x %lu", &from, &ino) == 2 &&
		    from == (unsigned long)map)
			break;
	if (maps)
		fclose(maps);
	return from == (unsigned long)map ? ino : 0;
}

/* A mapping tells the number without a call of the buffer. */
TEST_F(stats, found_by_the_number_in_maps)
{
	unsigned long ino;
	int buf;

	buf = buffer_alloc(SYSTEM_HEAP, page_size());
	ASSERT_LE(0, buf);
	ino = number_by_maps(buf);
	EXPECT_NE(0UL, ino);
	EXPECT_TRUE(stats_entry_exists(ino));
	EXPECT_EQ(buffer_ino(buf), ino);
}

/* The sum that memory accounting makes: the share of processes in the total. */
static size_t sum_of_fdinfo(const int *bufs, size_t count)
{
	size_t i, sum = 0;
	char value[32];

	for (i = 0; i < count; i++)
		if (fdinfo_value(bufs[i], "size", value, sizeof(value)))
			sum += strtoul(value, NULL, 10);
	return sum;
}

static size_t sum_of_entries(void)
{
	struct dirent *entry;
	char text[64];
	size_t sum = 0;
	DIR *dir;

	dir = opendir(STATS_DIR);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    stats_read(strtoul(entry->d_name, NULL, 10), "size", text,
			       sizeof(text)) > 0)
			sum += strtoul(text, NULL, 10);
	if (dir)
		closedir(dir);
	return sum;
}

TEST_F(stats, processes_never_have_more_than_all)
{
	int bufs[16], round;
	size_t i, sum;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(bufs); i++) {
			bufs[i] = buffer_alloc(SYSTEM_HEAP, (i + 1) * page_size());
			ASSERT_LE(0, bufs[i]);
		}
		sum = sum_of_fdinfo(bufs, ARRAY_SIZE(bufs));
		EXPECT_EQ(ARRAY_SIZE(bufs) * (ARRAY_SIZE(bufs) + 1) / 2 * page_size(), sum);
		EXPECT_GE(sum_of_entries(), sum);
		for (i = 0; i < ARRAY_SIZE(bufs); i++)
			close(bufs[i]);
	}
}

/* ------------------------------------------------------------------- contents */

TEST_F(stats, directory_tells_the_size)
{
	char text[64], want[64];
	unsigned long inos[8];
	int bufs[8], i;

	for (i = 0; i < 8; i++) {
		bufs[i] = buffer_alloc(SYSTEM_HEAP, (i + 1) * page_size());
		ASSERT_LE(0, bufs[i]);
		inos[i] = buffer_ino(bufs[i]);
	}
	for (i = 0; i < 8; i++) {
		EXPECT_TRUE(stats_entry_exists(inos[i]));
		snprintf(want, sizeof(want), "%zu\n", (i + 1) * page_size());
		ASSERT_LT(0, stats_read(inos[i], "size", text, sizeof(text)));
		EXPECT_STREQ(want, text);
		close(bufs[i]);
	}
}

TEST_F(stats, files_cannot_be_written)
{
	char path[128];

	EXPECT_TRUE(stats_entry_exists(self->ino));
	EXPECT_EQ(-1, open(stats_path(self->ino, "size", path, sizeof(path)), O_WRONLY));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, open(stats_path(self->ino, "exporter_name", path, sizeof(path)),
			   O_WRONLY));
	EXPECT_EQ(EACCES, errno);
}

/* Nothing but decimal numbers, and ours among them exactly once. */
TEST_F(stats, directories_are_named_by_inode_numbers)
{
	struct dirent *entry;
	int seen = 0;
	DIR *dir;

	EXPECT_TRUE(stats_entry_exists(self->ino));
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

FIXTURE(entry)
{
	int buf;
};

EACH_EXPORTER(entry);

FIXTURE_SETUP(entry)
{
	if (!have_stats())
		SKIP(return, "no " STATS_DIR " (CONFIG_DMABUF_SYSFS_STATS)");
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(entry)
{
}

/* All that depends on the exporter. */
TEST_F(entry, tells_the_name_of_its_exporter)
{
	unsigned long ino = buffer_ino(self->buf);
	char text[64], want[64];

	EXPECT_TRUE(stats_entry_exists(ino));
	snprintf(want, sizeof(want), "%s\n", exporter_name(variant->exporter));
	ASSERT_LT(0, stats_read(ino, "exporter_name", text, sizeof(text)));
	EXPECT_STREQ(want, text);
	close(self->buf);
	EXPECT_FALSE(stats_entry_exists(ino));
}

TEST_F(stats, name_changes_nothing)
{
	char text[64], want[64];

	EXPECT_TRUE(stats_entry_exists(self->ino));
	ASSERT_EQ(0, set_name(self->buf, "named"));
	snprintf(want, sizeof(want), "%s\n", exporter_name(SYSTEM_HEAP));
	ASSERT_LT(0, stats_read(self->ino, "exporter_name", text, sizeof(text)));
	EXPECT_STREQ(want, text);
}

/* ------------------------------------------- whatever refers to the buffer counts */

TEST_F(stats, stays_with_a_mapping)
{
	void *map;

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->buf, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(stats_entry_exists(self->ino));
	close(self->buf);
	EXPECT_TRUE(stats_entry_exists(self->ino));
	munmap(map, page_size());
	EXPECT_FALSE(stats_entry_exists(self->ino));
}

TEST_F(stats, stays_with_an_attachment)
{
	__u32 handle;
	int drm;

	drm = setup_drm(_metadata, "vkms");
	if (drm < 0)
		return;
	ASSERT_EQ(0, drm_import(drm, self->buf, &handle));
	EXPECT_TRUE(stats_entry_exists(self->ino));
	close(self->buf);
	EXPECT_TRUE(stats_entry_exists(self->ino));
	ASSERT_EQ(0, drm_close_handle(drm, handle));
	EXPECT_FALSE(stats_entry_exists(self->ino));
}

/* The last reference goes with the process that held it. */
TEST_F(stats, vanishes_with_the_process)
{
	unsigned long ino = 0;
	int pipefd[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int buf = buffer_alloc(SYSTEM_HEAP, BUF_SIZE);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ino = buffer_ino(buf);
		if (buf < 0 || write(pipefd[1], &ino, sizeof(ino)) != sizeof(ino))
			_exit(1);
		pause();
		_exit(0);
	}
	ASSERT_EQ((ssize_t)sizeof(ino), read(pipefd[0], &ino, sizeof(ino)));
	EXPECT_TRUE(stats_entry_exists(ino));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_FALSE(stats_entry_exists(ino));
}

/* --------------------------------------------------- readers of what is gone */

/* Open files hold neither the buffer nor the entry. */
TEST_F(stats, open_file_holds_nothing)
{
	long count = buffer_count(self->buf);
	char path[128];
	int size;

	EXPECT_TRUE(stats_entry_exists(self->ino));
	size = open(stats_path(self->ino, "size", path, sizeof(path)), O_RDONLY);
	ASSERT_LE(0, size);
	EXPECT_EQ(count, buffer_count(self->buf));
}

TEST_F(stats, open_directory_of_a_dead_buffer)
{
	char path[128];
	int dir;

	EXPECT_TRUE(stats_entry_exists(self->ino));
	dir = open(stats_path(self->ino, "", path, sizeof(path)), O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, dir);
	close(self->buf);
	EXPECT_FALSE(stats_entry_exists(self->ino));
	EXPECT_EQ(-1, openat(dir, "size", O_RDONLY));
	EXPECT_EQ(ENOENT, errno);
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
TEST(buffers_send_no_uevents)
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
	EXPECT_TRUE(stats_entry_exists(buffer_ino(buf)));
	close(buf);
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
}

/* --------------------------------------------------- races, failing allocations */

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

TEST_F_TIMEOUT(stats, readers_race_with_life, 300)
{
	struct reader reader = { .size = BUF_SIZE };
	int bufs[16], round, before;
	size_t i;

	close(self->buf);
	before = entries();
	if (before)
		SKIP(return, "%d buffers of others live", before);
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, reader_main, &reader));
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = -1;
	for (round = 0; round < 1000; round++) {
		i = (round * 7) % ARRAY_SIZE(bufs);
		close(bufs[i]);
		bufs[i] = buffer_alloc(SYSTEM_HEAP, BUF_SIZE);
		ASSERT_LE(0, bufs[i]);
		if (round % 100 == 0)
			sleep_ms(60);
		else
			sched_yield();
	}
	EXPECT_EQ((int)ARRAY_SIZE(bufs), wait_for_entries(ARRAY_SIZE(bufs)));
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(0, reader.wrong);
	EXPECT_LT(0, reader.reads);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		close(bufs[i]);
	EXPECT_EQ(0, entries());
}

/* Each buffer that came to life has an entry, and no other has one. */
TEST_F(stats, failed_export_leaves_no_directory)
{
	int ret, count, created = 0, refused = 0, bufs[FAIL_NTH_MAX];
	struct fail_nth fail;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	count = entries();
	do {
		fail_nth_arm(_metadata, &fail);
		ret = buffer_alloc(SYSTEM_HEAP, page_size());
		failed = fail_nth_disarm(_metadata, &fail);
		if (ret >= 0)
			bufs[created++] = ret;
		else
			refused++;
	} while (failed);
	EXPECT_LE(0, ret);
	EXPECT_LT(0, refused);
	EXPECT_EQ(count + created, wait_for_entries(count + created));
	while (created)
		close(bufs[--created]);
	EXPECT_EQ(count, entries());
}

TEST_HARNESS_MAIN
