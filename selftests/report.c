// SPDX-License-Identifier: GPL-2.0
/*
 * dma_buf/report in debugfs: the creator of a buffer, pending fences, and their waiters
 */
#include <sys/epoll.h>

#include "common.h"

#define REPORT		"/sys/kernel/debug/dma_buf/report"
#define TEXT_SIZE	(256 * 1024)

static char text[TEXT_SIZE];

/* The whole text, in pieces of that size. Returns its length, or an errno. */
static ssize_t read_report(size_t piece)
{
	ssize_t ret, len = 0;
	int fd;

	fd = open(REPORT, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		if (piece > TEXT_SIZE - 1 - (size_t)len)
			piece = TEXT_SIZE - 1 - len;
		ret = read(fd, text + len, piece);
		if (ret > 0)
			len += ret;
	} while (ret > 0);
	close(fd);
	text[len] = '\0';
	return ret < 0 ? -EIO : len;
}

/* The lines about a buffer, or NULL. */
static const char *lines_of(int buf)
{
	char want[64], *begin, *end;

	if (read_report(4096) < 0)
		return NULL;
	snprintf(want, sizeof(want), "\nbuffer ino=%lu ", buffer_ino(buf));
	begin = strstr(text, want);
	if (!begin)
		return NULL;
	begin++;
	for (end = strchr(begin, '\n'); end && end[1] == ' ';)
		end = strchr(end + 1, '\n');
	if (end)
		end[1] = '\0';
	return begin;
}

/* Others need some time until they sleep. */
static bool comes_to_say(int buf, const char *want)
{
	int i;

	for (i = 0; i < 200; i++) {
		const char *lines = lines_of(buf);

		if (lines && strstr(lines, want))
			return true;
		usleep(20000);
	}
	return false;
}

FIXTURE(report)
{
	int buf;
	int timeline;
	int fence;
};

FIXTURE_SETUP(report)
{
	if (access(REPORT, R_OK))
		SKIP(return, "no " REPORT " (CONFIG_DEBUG_FS, root)");
	self->buf = setup_buffer(_metadata, SYSTEM_HEAP, 2 * page_size());
	if (self->buf < 0)
		return;
	self->timeline = setup_timeline(_metadata);
	if (self->timeline < 0)
		return;
	self->fence = timeline_fence(self->timeline, 1);
	ASSERT_LE(0, self->fence);
	ASSERT_EQ(0, import_fences(self->buf, DMA_BUF_SYNC_WRITE, self->fence));
}

FIXTURE_TEARDOWN(report)
{
}

TEST_F(report, is_for_root_only)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (become_nobody())
			_exit(2);
		_exit(read_report(4096) != -EACCES);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Cut out how long a fence has been there, which is longer each time. */
static void forget_times(char *lines)
{
	while ((lines = strstr(lines, " quiet="))) {
		lines += strlen(" quiet=");
		memmove(lines, strchr(lines, '\n'), strlen(strchr(lines, '\n')) + 1);
	}
}

TEST_F(report, is_the_same_in_pieces)
{
	static char whole[TEXT_SIZE];
	size_t pieces[] = { 1, 100, 4096 }, i;
	char *rest;

	ASSERT_LT(0, read_report(TEXT_SIZE));
	memcpy(whole, text, sizeof(whole));
	ASSERT_EQ(0, strncmp(whole, "dma-buf-report 1 dev=", 21));
	rest = strchr(whole, '\n');
	ASSERT_NE(NULL, rest);
	ASSERT_NE(NULL, strstr(rest, "\nend buffers="));
	forget_times(rest);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		ASSERT_LT(0, read_report(pieces[i]));
		forget_times(text);
		/* All but the time. */
		EXPECT_STREQ(rest, strchr(text, '\n'));
	}
}

static bool have_stamps(int buf)
{
	const char *lines = lines_of(buf);

	return lines && strstr(lines, " created=");
}

static void *make_buffer(void *arg)
{
	prctl(PR_SET_NAME, "worker");
	*(int *)arg = heap_alloc(page_size(), O_RDWR | O_CLOEXEC);
	return NULL;
}

/* The process, whichever thread it was. */
TEST_F(report, tells_the_maker)
{
	char want[128], comm[16] = "";
	pthread_t thread;
	int buf = -1;

	if (!have_stamps(self->buf))
		SKIP(return, "no stamps (CONFIG_DMABUF_STAMP)");
	prctl(PR_SET_NAME, "the maker");
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_buffer, &buf));
	pthread_join(thread, NULL);
	ASSERT_LE(0, buf);
	prctl(PR_GET_NAME, comm);
	snprintf(want, sizeof(want), " pid=%d comm=\"the maker\" by=\"", getpid());
	EXPECT_NE(NULL, strstr(lines_of(buf), want)) TH_LOG("%s", lines_of(buf));
}

TEST_F(report, tells_a_maker_that_has_gone)
{
	char want[128];
	int buf, status;
	pid_t pid;

	if (!have_stamps(self->buf))
		SKIP(return, "no stamps (CONFIG_DMABUF_STAMP)");
	/* A process whose descriptors are ours, too. */
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_NAME, "a \"quote\"");
		_exit(heap_alloc(page_size(), O_RDWR));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	buf = WEXITSTATUS(status);
	snprintf(want, sizeof(want), " pid=%d comm=\"a \\042quote\\042\" ", pid);
	EXPECT_NE(NULL, strstr(lines_of(buf), want)) TH_LOG("%s", lines_of(buf));
}

TEST_F(report, tells_the_fence)
{
	const char *lines = lines_of(self->buf);

	ASSERT_NE(NULL, lines);
	EXPECT_NE(NULL, strstr(lines, "\n fence usage=write driver=\"sw_sync\" timeline=\""));
	EXPECT_NE(NULL, strstr(lines, ":1 state=pending asked=0 quiet=0."));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	EXPECT_EQ(NULL, strstr(lines_of(self->buf), " fence "));
}

struct sleeper {
	pthread_t thread;
	pid_t tid;
	int buf;
	int ret;
};

static void *sleep_in_sync(void *arg)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct sleeper *sleeper = arg;

	prctl(PR_SET_NAME, "sleeper");
	sleeper->tid = syscall(SYS_gettid);
	sleeper->ret = do_ioctl(sleeper->buf, DMA_BUF_IOCTL_SYNC, &sync);
	return NULL;
}

TEST_F(report, tells_who_sleeps)
{
	struct sleeper sleeper = { .buf = self->buf };
	char want[128];

	ASSERT_EQ(0, pthread_create(&sleeper.thread, NULL, sleep_in_sync, &sleeper));
	EXPECT_TRUE(comes_to_say(self->buf, "\n  waiter kind=task "));
	snprintf(want, sizeof(want), "\n  waiter kind=task tid=%d pid=%d comm=\"sleeper\"\n",
		 sleeper.tid, getpid());
	EXPECT_TRUE(comes_to_say(self->buf, want)) TH_LOG("%s", lines_of(self->buf));
	EXPECT_TRUE(comes_to_say(self->buf, " asked=1 quiet="));
	ASSERT_EQ(0, timeline_advance(self->timeline, 1));
	pthread_join(sleeper.thread, NULL);
	EXPECT_EQ(0, sleeper.ret);
}

TEST_F(report, tells_who_polls)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	const char *lines;
	char want[128];

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->buf, &event));
	ASSERT_EQ(0, poll_for(self->fence, POLLIN, 0));
	lines = lines_of(self->buf);
	ASSERT_NE(NULL, lines);
	EXPECT_NE(NULL, strstr(lines, " pollcb=in"));
	EXPECT_NE(NULL, strstr(lines, "\n poller func=\"ep_poll_callback\" n=1\n"));
	EXPECT_NE(NULL, strstr(lines, "\n  waiter kind=sync_file\n"));
	snprintf(want, sizeof(want), "\n  waiter kind=poll ino=%lu event=in\n",
		 buffer_ino(self->buf));
	EXPECT_NE(NULL, strstr(lines, want)) TH_LOG("%s", lines);
}

TEST_HARNESS_MAIN
