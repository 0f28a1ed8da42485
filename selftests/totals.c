// SPDX-License-Identifier: GPL-2.0
/*
 * The totals in sysfs: number and bytes of all buffers, for everybody
 */
#include "common.h"

#define TOTAL_BUFFERS	"/sys/kernel/dmabuf/total_buffers"
#define TOTAL_BYTES	"/sys/kernel/dmabuf/total_bytes"

static long long read_total(const char *path)
{
	char text[64];
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0 || text[len - 1] != '\n')
		return -EIO;
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

FIXTURE(totals)
{
	long long buffers;
	long long bytes;
};

FIXTURE_SETUP(totals)
{
	self->buffers = read_total(TOTAL_BUFFERS);
	self->bytes = read_total(TOTAL_BYTES);
	ASSERT_LE(0, self->buffers);
	ASSERT_LE(0, self->bytes);
}

FIXTURE_TEARDOWN(totals)
{
}

static void expect_totals(struct __test_metadata *_metadata, long long buffers,
			  long long bytes)
{
	EXPECT_EQ(buffers, read_total(TOTAL_BUFFERS));
	EXPECT_EQ(bytes, read_total(TOTAL_BYTES));
}

TEST_F(totals, cannot_be_written)
{
	EXPECT_EQ(-1, open(TOTAL_BUFFERS, O_WRONLY));
	EXPECT_EQ(-1, open(TOTAL_BYTES, O_WRONLY));
}

TEST_F(totals, totals_are_exact_when_close_returns)
{
	const size_t size = 3 * page_size();
	int buf = setup_buffer(_metadata, SYSTEM_HEAP, size), copy;

	if (buf < 0)
		return;
	expect_totals(_metadata, self->buffers + 1, self->bytes + size);
	copy = dup(buf);
	ASSERT_LE(0, copy);
	close(buf);
	expect_totals(_metadata, self->buffers + 1, self->bytes + size);
	close(copy);
	expect_totals(_metadata, self->buffers, self->bytes);
}

TEST_F(totals, of_a_process_that_died)
{
	int buf, status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		buf = heap_alloc(page_size(), O_RDWR);
		_exit(buf < 0 ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (status)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	expect_totals(_metadata, self->buffers, self->bytes);
}

/* Unlike what there is in debugfs. */
TEST_F(totals, any_user_can_read_them)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (become_nobody())
			_exit(2);
		_exit(read_total(TOTAL_BUFFERS) != self->buffers ||
		      read_total(TOTAL_BYTES) != self->bytes);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
