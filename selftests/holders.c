// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way to hold a buffer at once, and whether the program dmabuf finds it: each
 * case asks about one buffer of the same scene. The sum has to be exact, and what
 * remains has to be what the drivers are known to hold.
 */
#include <dirent.h>
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "common.h"

#include <drm/drm_fourcc.h>

#define BUF_SIZE	(4 * page_size())
#define TEXT_SIZE	(1024 * 1024)
#define REPORT		DEBUGFS "/dma_buf/report"
#define BUFINFO		DEBUGFS "/dma_buf/bufinfo"
#define TRACING		"/sys/kernel/tracing"

/* -------------------------------------------------------------------- the tool */

/* It stands next to this program, unless the environment names another. */
static const char *tool_path(void)
{
	return getenv("DMABUF_TOOL") ?: next_to_us("dmabuf");
}

/* Runs in the child: whatever the tool says goes into the pipe. */
static void exec_tool(int out, bool nobody, char **argv)
{
	dup2(out, STDOUT_FILENO);
	if (nobody && become_nobody())
		_exit(126);
	execv(tool_path(), argv);
	_exit(127);
}

/* The tool's output in @text; returns its status. */
static int run_tool(char *text, bool nobody, char **argv)
{
	size_t len = 0;
	ssize_t got;
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		exec_tool(fds[1], nobody, argv);
	close(fds[1]);
	while ((got = read(fds[0], text + len, TEXT_SIZE - 1 - len)) > 0)
		len += got;
	text[len] = '\0';
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

#define TOOL(text, ...)							\
	run_tool(text, false, (char *[]) { "dmabuf", __VA_ARGS__, NULL })

/* Is there such a text? */
#define says(text, ...)							\
({									\
	char _want[256];						\
									\
	snprintf(_want, sizeof(_want), __VA_ARGS__);			\
	!!strstr(text, _want);						\
})

/* ------------------------------------------------------------------- the scene */

enum { CHILD, SHARER, TWIN, CHILDREN };

FIXTURE(holders)
{
	char *text;
	int plain, twice;		/* descriptors */
	unsigned long many, mapped, sent, watched, path, polled, polled_once, imported,
		      exported, fixed;
	int socket[2], epoll, path_fd, drm, ring, timeline, watched_fd, exported_fd, fence;
	char *mapping;
	pid_t child[CHILDREN];
	pthread_t unsharer, poller;
	pid_t unsharer_tid, poller_tid;
	int unsharer_fd, poller_fd;
};

/* A child that has nothing but these two, and ends with its parent. */
static pid_t hold_in_child(int first, int second)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (fd = 3; fd < 256; fd++)
		if (fd != first && fd != second)
			close(fd);
	for (;;)
		pause();
}

/* A process of its own that has the very same table of descriptors. */
static pid_t share_table(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static int twin_main(void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pause();
}

/* One that has the memory, too, and is a process all the same. */
static pid_t share_all(void)
{
	static char stack[65536];

	return clone(twin_main, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
}

/* A thread that leaves the table of its process, and keeps one descriptor. */
static void *unshare_main(void *arg)
{
	FIXTURE_DATA(holders) *self = arg;
	int fd;

	if (unshare(CLONE_FILES))
		return NULL;
	for (fd = 3; fd < 256; fd++)
		if (fd != self->plain)
			close(fd);
	self->unsharer_fd = self->plain;
	__atomic_store_n(&self->unsharer_tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;)
		pause();
}

static void *poll_main(void *arg)
{
	FIXTURE_DATA(holders) *self = arg;

	__atomic_store_n(&self->poller_tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	poll_for(self->poller_fd, POLLIN, -1);
	return NULL;
}

static void wait_for_tid(const pid_t *tid)
{
	while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
}

static void wait_until_asleep(pid_t tid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		sleep_ms(1);
	} while (read_file(path, text, sizeof(text)) > 0 && !strstr(text, ") S "));
}

static int new_buffer(struct __test_metadata *_metadata, unsigned long *ino)
{
	int buf = heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);

	if (buf == -ENODEV)
		SKIP(return -1, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	*ino = buffer_ino(buf);
	return buf;
}

/* Both a descriptor and its twin, also in a child and in a thread. */
static void scene_many(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	self->plain = new_buffer(_metadata, &self->many);
	if (self->plain < 0)
		return;
	self->twice = fcntl(self->plain, F_DUPFD_CLOEXEC, 0);
	ASSERT_LE(0, self->twice);
	self->child[CHILD] = hold_in_child(self->plain, self->twice);
	ASSERT_LT(0, self->child[CHILD]);
	ASSERT_EQ(0, pthread_create(&self->unsharer, NULL, unshare_main, self));
	wait_for_tid(&self->unsharer_tid);
}

/* A mapping of which half may only be read: the kernel has two, without descriptor. */
static void scene_mapped(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	int buf = new_buffer(_metadata, &self->mapped);

	self->mapping = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, self->mapping);
	ASSERT_EQ(0, mprotect(self->mapping, page_size(), PROT_READ));
	close(buf);
}

static void scene_sent(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	int buf = new_buffer(_metadata, &self->sent);

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->socket));
	ASSERT_EQ(0, send_fd(self->socket[0], buf));
	/* The receiver has two descriptors, and the message is there once. */
	ASSERT_LE(0, fcntl(self->socket[1], F_DUPFD_CLOEXEC, 0));
	close(buf);
}

static void scene_watched(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	struct epoll_event event = { .events = EPOLLIN };

	self->watched_fd = new_buffer(_metadata, &self->watched);
	self->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->watched_fd, &event));
}

/* Closed, but for a path, which keeps the memory and no reference. */
static void scene_path(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	int buf = new_buffer(_metadata, &self->path);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", buf);
	self->path_fd = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, self->path_fd);
	close(buf);
}

/* A poll() that sleeps, and one that is over: its callback is still there. */
static void scene_polled(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	int once;

	self->timeline = named_timeline(_metadata, "hang");
	if (self->timeline < 0)
		return;
	self->poller_fd = new_buffer(_metadata, &self->polled);
	self->fence = add_fence(_metadata, self->poller_fd, DMA_BUF_SYNC_WRITE,
				self->timeline, 1);
	ASSERT_EQ(0, pthread_create(&self->poller, NULL, poll_main, self));
	wait_for_tid(&self->poller_tid);
	wait_until_asleep(self->poller_tid);

	once = new_buffer(_metadata, &self->polled_once);
	ASSERT_EQ(0, import_fences(once, DMA_BUF_SYNC_WRITE, self->fence));
	EXPECT_EQ(0, poll_for(once, POLLIN, 0));
	close(once);
}

static void scene_drm(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	__u32 handle;
	int buf;

	self->drm = drm_open("vgem");
	if (self->drm < 0)
		return;
	buf = new_buffer(_metadata, &self->imported);
	ASSERT_EQ(0, drm_import(self->drm, buf, &handle));
	close(buf);
	self->exported_fd = drm_export(self->drm, BUF_SIZE, &handle);
	ASSERT_LE(0, self->exported_fd);
	self->exported = buffer_ino(self->exported_fd);
}

static void scene_fixed(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self)
{
	struct io_uring_params params = { };
	int buf;

	self->ring = syscall(SYS_io_uring_setup, 4, &params);
	if (self->ring < 0)
		return;
	buf = new_buffer(_metadata, &self->fixed);
	ASSERT_EQ(0, syscall(SYS_io_uring_register, self->ring, IORING_REGISTER_FILES, &buf, 1));
	close(buf);
}

FIXTURE_SETUP(holders)
{
	if (access(tool_path(), X_OK))
		SKIP(return, "no %s (make -C tools/dma-buf)", tool_path());
	if (access(BUFINFO, R_OK))
		SKIP(return, "no bufinfo (CONFIG_DEBUG_FS, mounted debugfs, root)");
	self->text = malloc(TEXT_SIZE);
	ASSERT_NE(NULL, self->text);
	scene_many(_metadata, self);
	if (self->plain < 0)
		return;
	scene_mapped(_metadata, self);
	scene_sent(_metadata, self);
	scene_watched(_metadata, self);
	scene_path(_metadata, self);
	scene_polled(_metadata, self);
	scene_drm(_metadata, self);
	scene_fixed(_metadata, self);
	self->child[SHARER] = share_table();
	ASSERT_LT(0, self->child[SHARER]);
	self->child[TWIN] = share_all();
	ASSERT_LT(0, self->child[TWIN]);
}

FIXTURE_TEARDOWN(holders)
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		if (self->child[i] > 0) {
			kill(self->child[i], SIGKILL);
			waitpid(self->child[i], NULL, 0);
		}
	free(self->text);
	/* The threads end with the process of the test. */
}

static bool have_report(void)
{
	return !access(REPORT, R_OK);
}

/* The line about one buffer, cut out of what the tool says about the machine. */
static char *ask(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self,
		 unsigned long ino, char *option)
{
	char want[64], *line, *end;

	ASSERT_EQ(0, TOOL(self->text, "--json", "list", option));
	ASSERT_EQ('{', self->text[0]);
	snprintf(want, sizeof(want), "\n{\"ino\":%lu,", ino);
	line = strstr(self->text, want);
	ASSERT_NE(NULL, line);
	end = strchr(line + 1, '\n');
	ASSERT_NE(NULL, end);
	*end = '\0';
	return line;
}

/* Is the sum exact, and what remains as predicted? */
static bool adds_up(const char *line, int count, int found)
{
	return says(line, "\"count\":%d,\"found\":%d,\"remainder\":%d,\"exact\":true,", count,
		    found, count - found);
}

/* How the JSON begins that is about a descriptor, or a mapping. */
#define FD	"{\"kind\":\"fd\",\"refs\":1,\"certain\":true,"
#define EPOLL	"{\"kind\":\"epoll\",\"refs\":0,\"certain\":true,"
#define VMA	"{\"kind\":\"vma\",\"refs\":1,"
#define PATH	"{\"kind\":\"path\",\"refs\":0,\"certain\":true,"
#define RING	"{\"kind\":\"uring\",\"refs\":0,\"files\":1,\"certain\":false,"

/* ----------------------------------------------------------------- what is found */

TEST_F(holders, finds_descriptors_of_processes_and_threads)
{
	char *line = ask(_metadata, self, self->many, NULL);

	/* Two here, two in the child, one in the thread; a shared table is no more. */
	EXPECT_TRUE(adds_up(line, 5, 5));
	EXPECT_TRUE(says(line, FD "\"pid\":%d,\"fd\":%d,", self->child[CHILD], self->plain));
	EXPECT_TRUE(says(line, FD "\"pid\":%d,\"fd\":%d,", self->child[CHILD], self->twice));
	EXPECT_TRUE(says(line, FD "\"pid\":%d,\"tid\":%d,\"fd\":%d,", getpid(), self->unsharer_tid,
			 self->unsharer_fd));
	EXPECT_EQ(9, times_said(line, "\"kind\":\"fd\""));
	EXPECT_EQ(4, times_said(line, "\"kind\":\"fd\",\"refs\":0"));
	EXPECT_TRUE(says(self->text, "\"complete\":true"));
	/* A kernel that knows who made it, is asked. */
	if (!says(line, "\"created\":null,"))
		EXPECT_TRUE(says(line, "\"pid\":%d,\"comm\":\"holders\",\"by\":", getpid()));
}

TEST_F(holders, mappings_after_close)
{
	char *line = ask(_metadata, self, self->mapped, NULL);

	/* Two here, and two in the process with memory of its own. The twin has ours. */
	EXPECT_EQ(2, times_said(line, "\"kind\":\"vma\",\"refs\":0"));
	EXPECT_TRUE(adds_up(line, 4, 4));
	EXPECT_TRUE(says(line, VMA "\"size\":%zu,\"prot\":\"r--s\",\"certain\":true,\"pid\":%d,",
			 page_size(), getpid()));
	EXPECT_TRUE(says(line, VMA "\"size\":%zu,\"prot\":\"rw-s\",\"certain\":true,\"pid\":%d,",
			 3 * page_size(), self->child[SHARER]));
}

TEST_F(holders, finds_descriptors_in_flight)
{
	char *line = ask(_metadata, self, self->sent, NULL);

	EXPECT_TRUE(adds_up(line, 1, 0));
	EXPECT_TRUE(says(line, "{\"kind\":\"scm\",\"refs\":0,\"files\":1,"));
	EXPECT_TRUE(says(line, "\"certain\":false,\"pid\":%d,\"fd\":%d,", getpid(),
			 self->socket[1]));
	EXPECT_EQ(1, times_said(line, "\"kind\":\"scm\""));
}

TEST_F(holders, in_flight_by_peeking)
{
	char *line = ask(_metadata, self, self->sent, "--peek");

	EXPECT_TRUE(adds_up(line, 1, 1));
	EXPECT_TRUE(says(line, "{\"kind\":\"scm\",\"refs\":1,"));
	EXPECT_TRUE(says(line, "\"certain\":true,\"pid\":"));
	/* Nothing is taken out of the socket. */
	line = ask(_metadata, self, self->sent, "--peek");
	EXPECT_TRUE(adds_up(line, 1, 1));
	ASSERT_EQ(0, TOOL(self->text, "--peek", "list"));
	EXPECT_TRUE(says(self->text, "  socket of holders[%d]", getpid()));
}

/* To peek moves the offset that the owner has asked for. */
TEST_F(holders, leaves_sockets_with_a_peek_offset_alone)
{
	int offset = 0;
	socklen_t len = sizeof(offset);
	char *line;

	ASSERT_EQ(0, setsockopt(self->socket[1], SOL_SOCKET, SO_PEEK_OFF, &offset, len));
	line = ask(_metadata, self, self->sent, "--peek");
	EXPECT_TRUE(adds_up(line, 1, 0));
	EXPECT_TRUE(says(line, "\"certain\":false,\"pid\":%d,\"fd\":%d,", getpid(),
			 self->socket[1]));
	ASSERT_EQ(0, getsockopt(self->socket[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &len));
	EXPECT_EQ(0, offset);
}

TEST_F(holders, finds_descriptors_watched_by_epoll)
{
	char *line = ask(_metadata, self, self->watched, NULL);

	EXPECT_TRUE(adds_up(line, 1, 1));
	EXPECT_TRUE(says(line, EPOLL "\"pid\":%d,\"fd\":%d,", getpid(), self->epoll));
}

TEST_F(holders, path_of_closed_buffer)
{
	char *line = ask(_metadata, self, self->path, NULL);

	EXPECT_TRUE(says(line, "\"size\":%zu,\"count\":null,\"found\":0,", BUF_SIZE));
	EXPECT_TRUE(says(line, "\"released\":true"));
	EXPECT_TRUE(says(line, PATH "\"pid\":%d,\"fd\":%d,", getpid(), self->path_fd));
}

TEST_F(holders, finds_reference_of_a_sleeping_poll)
{
	char *line;

	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	line = ask(_metadata, self, self->polled, NULL);
	EXPECT_TRUE(says(line, "\"driver\":\"sw_sync\",\"timeline\":\"hang\""));
	EXPECT_TRUE(says(self->text, "\"complete\":true"));
	if (!have_report()) {
		/* The file while poll() sleeps, and its callback. */
		EXPECT_TRUE(adds_up(line, 3, 1));
		return;
	}
	EXPECT_TRUE(adds_up(line, 3, 3));
	EXPECT_TRUE(says(line, "{\"kind\":\"poll\",\"refs\":1,"));
	EXPECT_TRUE(says(line, "{\"kind\":\"pollcb\",\"refs\":1,"));
}

TEST_F(holders, poll_that_is_over)
{
	char *line;

	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	line = ask(_metadata, self, self->polled_once, NULL);
	EXPECT_TRUE(says(line, "\"driver\":\"sw_sync\",\"timeline\":\"hang\""));
	if (!have_report()) {
		EXPECT_TRUE(adds_up(line, 1, 0));
		return;
	}
	EXPECT_TRUE(adds_up(line, 1, 1));
	EXPECT_TRUE(says(line, "{\"kind\":\"pollcb\",\"refs\":1,"));
}

TEST_F(holders, import_of_drm)
{
	char *line;

	if (self->drm < 0)
		SKIP(return, "no DRM device of driver vgem (CONFIG_DRM_VGEM)");
	line = ask(_metadata, self, self->imported, NULL);
	/* The attachment, the object, and the handles of the file. */
	EXPECT_TRUE(adds_up(line, 3, 0));
	EXPECT_TRUE(says(line, "\"attachments\":[{\"dev\":\"vgem\""));
	ASSERT_EQ(0, TOOL(self->text, "--json", "list"));
	EXPECT_TRUE(says(self->text, "\"pid\":%d,\"fd\":%d,", getpid(), self->drm));
	EXPECT_TRUE(says(self->text, "\"device\":\"vgem\""));
}

TEST_F(holders, export_of_drm)
{
	char *line;

	if (self->drm < 0)
		SKIP(return, "no DRM device of driver vgem (CONFIG_DRM_VGEM)");
	line = ask(_metadata, self, self->exported, NULL);
	/* The object, and the handles of the file, besides the descriptor. */
	EXPECT_TRUE(adds_up(line, 3, 1));
	EXPECT_TRUE(says(line, "\"attachments\":[]"));
}

TEST_F(holders, finds_fixed_files_of_io_uring)
{
	char *line;

	if (self->ring < 0)
		SKIP(return, "no io_uring (CONFIG_IO_URING)");
	line = ask(_metadata, self, self->fixed, NULL);
	EXPECT_TRUE(adds_up(line, 1, 0));
	EXPECT_TRUE(says(line, RING "\"pid\":%d,\"fd\":%d,", getpid(), self->ring));
}

/* Show a buffer on a display that needs a mapping to read it; returns 0 or -errno. */
static int show_buffer(int drm, __u32 handle, const struct drm_mode_modeinfo *mode,
		       __u32 connector, __u32 crtc)
{
	struct drm_mode_fb_cmd2 fb = {
		.width = mode->hdisplay,
		.height = mode->vdisplay,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { 4 * mode->hdisplay },
	};
	struct drm_mode_crtc set = {
		.crtc_id = crtc,
		.set_connectors_ptr = (unsigned long)&connector,
		.count_connectors = 1,
		.mode = *mode,
		.mode_valid = 1,
	};
	int ret = do_ioctl(drm, DRM_IOCTL_MODE_ADDFB2, &fb);

	set.fb_id = fb.fb_id;
	return ret ?: do_ioctl(drm, DRM_IOCTL_MODE_SETCRTC, &set);
}

/* The first connector, and the first of its modes. */
static int find_mode(int drm, struct drm_mode_modeinfo *mode, __u32 *connector, __u32 *crtc)
{
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (unsigned long)crtc,
		.connector_id_ptr = (unsigned long)connector,
		.count_crtcs = 1,
		.count_connectors = 1,
	};
	struct drm_mode_modeinfo modes[64];
	struct drm_mode_get_connector get = { };
	int ret = do_ioctl(drm, DRM_IOCTL_MODE_GETRESOURCES, &res);

	get.connector_id = *connector;
	ret = ret ?: do_ioctl(drm, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (ret || !get.count_modes || get.count_modes > ARRAY_SIZE(modes))
		return ret ?: -ENOSPC;
	get.modes_ptr = (unsigned long)modes;
	get.count_props = 0;
	get.count_encoders = 0;
	ret = do_ioctl(drm, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	*mode = modes[0];
	return ret;
}

/* A display driver without hardware reads the buffer itself, by a mapping. */
TEST_F(holders, mapping_of_the_kernel)
{
	int drm = setup_drm(_metadata, "vkms"), buf;
	__u32 connector, crtc, handle;
	struct drm_mode_modeinfo mode;
	char which[32], *line;
	unsigned long ino;

	if (drm < 0)
		return;
	ASSERT_EQ(0, find_mode(drm, &mode, &connector, &crtc));
	buf = heap_alloc(4 * mode.hdisplay * mode.vdisplay, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, buf);
	ino = buffer_ino(buf);
	ASSERT_EQ(0, drm_import(drm, buf, &handle));
	close(buf);
	ASSERT_EQ(0, show_buffer(drm, handle, &mode, connector, crtc));
	line = ask(_metadata, self, ino, NULL);
	EXPECT_TRUE(adds_up(line, 3, 0));
	EXPECT_TRUE(says(line, "\"attachments\":[{\"dev\":\"vkms\""));
	snprintf(which, sizeof(which), "%lu", ino);
	ASSERT_EQ(0, TOOL(self->text, "who", which));
	EXPECT_TRUE(says(self->text, "3   kernel, not itemised"));
	if (have_report())
		EXPECT_TRUE(says(self->text, "mapped into the kernel 1x\n"));
}

/* ------------------------------------------------------------------ other commands */

TEST_F(holders, who_prints_all_holders)
{
	char which[64], want[64];

	snprintf(which, sizeof(which), "%d:%d", getpid(), self->plain);
	ASSERT_EQ(0, TOOL(self->text, "who", which));
	snprintf(want, sizeof(want), "buffer %lu", self->many);
	EXPECT_EQ(0, strncmp(want, self->text, strlen(want)));
	EXPECT_TRUE(says(self->text, "references: 5, the same before and after the scan\n"));
	EXPECT_TRUE(says(self->text, "thread %d", self->unsharer_tid));
	EXPECT_TRUE(says(self->text, "same table as"));
	EXPECT_FALSE(says(self->text, "not itemised"));

	snprintf(which, sizeof(which), "/proc/%d/fd/%d", getpid(), self->watched_fd);
	ASSERT_EQ(0, TOOL(self->text, "who", which));
	EXPECT_TRUE(says(self->text, "watched by epoll fd %d", self->epoll));

	snprintf(which, sizeof(which), "%lu", self->sent);
	ASSERT_EQ(0, TOOL(self->text, "who", which));
	EXPECT_TRUE(says(self->text, "1   kernel, not itemised"));
	EXPECT_TRUE(says(self->text, "perhaps in flight: 1 in socket "));
}

TEST_F(holders, waits_prints_fences_and_their_waiters)
{
	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	sleep_ms(1100);
	ASSERT_EQ(0, TOOL(self->text, "waits"));
	EXPECT_TRUE(says(self->text, "fence sw_sync hang "));
	EXPECT_TRUE(says(self->text, " %lu", self->polled));
	EXPECT_TRUE(says(self->text, "sync files: "));
	EXPECT_TRUE(says(self->text, "fd %d", self->fence));
	if (have_report())
		EXPECT_TRUE(says(self->text, "poll of buffer %lu for in", self->polled));
}

static void *signal_main(void *arg)
{
	FIXTURE_DATA(holders) *self = arg;

	sleep_ms(1500);
	timeline_advance(self->timeline, 1);
	return NULL;
}

#define SEEN	"  signalled, seen for "

/* The fence is seen, gets older, and signals: a sync file tells when. */
TEST_F(holders, waits_follows_a_fence_to_its_end)
{
	char want[128], *line;
	pthread_t thread;

	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_main, self));
	ASSERT_EQ(0, TOOL(self->text, "waits", "--follow", "--every", "0.2", "--for", "4"));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, times_said(self->text, " + sw_sync hang "));
	snprintf(want, sizeof(want), "sync files: holders[%d] fd %d", getpid(), self->fence);
	line = strstr(self->text, " + sw_sync hang ");
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, want));
	if (have_report())
		EXPECT_TRUE(says(line, "pending for >="));
	line = strstr(self->text, " - sw_sync hang ");
	ASSERT_NE(NULL, line) TH_LOG("%s", self->text);
	line = strstr(line, SEEN);
	ASSERT_NE(NULL, line) TH_LOG("%s", self->text);
	/* The tool has begun some time after the thread. */
	EXPECT_GT(1.6, strtod(line + strlen(SEEN), NULL));
	EXPECT_EQ(1, TOOL(self->text, "waits", "--follow", "--every", "0.1", "--for", "0.1"));
}

TEST_F(holders, leaks_prints_suspicious_holders)
{
	ASSERT_EQ(0, TOOL(self->text, "leaks"));
	EXPECT_TRUE(says(self->text, "closed:   %lu ", self->path));
	EXPECT_TRUE(says(self->text, "orphan:   %lu ", self->sent));
	EXPECT_FALSE(says(self->text, "orphan:   %lu ", self->many));
	EXPECT_TRUE(says(self->text, "[%d] has several fds of 1 buffer\n", getpid()));
}

/* While the tool looks, however long that takes, buffers and sync files become more. */
static void *leak_main(void *arg)
{
	FIXTURE_DATA(holders) *self = arg;
	int i;

	for (i = 0; i < 100; i++) {
		heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);
		timeline_fence(self->timeline, 100 + i);
		sleep_ms(100);
	}
	return NULL;
}

/* A shared table is counted once, even while descriptors in it come and go. */
TEST_F(holders, shared_table_counts_once_while_it_changes)
{
	pthread_t leaker;
	char *line;
	int i;

	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	ASSERT_EQ(0, pthread_create(&leaker, NULL, leak_main, self));
	for (i = 0; i < 10; i++) {
		line = ask(_metadata, self, self->watched, NULL);
		EXPECT_TRUE(adds_up(line, 1, 1));
	}
}

TEST_F(holders, leaks_prints_growing_holders)
{
	pthread_t leaker;

	if (self->timeline < 0)
		SKIP(return, "no sw_sync (CONFIG_SW_SYNC)");
	ASSERT_EQ(0, pthread_create(&leaker, NULL, leak_main, self));
	ASSERT_EQ(0, TOOL(self->text, "leaks", "--every", "0.5", "--for", "1.5"));
	EXPECT_TRUE(says(self->text, "growing:"));
	EXPECT_TRUE(says(self->text, "sync_file  active, by sw_sync_"));
	EXPECT_TRUE(says(self->text, "/min  system 16K, made by"));
	ASSERT_EQ(0, TOOL(self->text, "watch", "--every", "0.3", "--for", "0.6"));
	EXPECT_TRUE(says(self->text, "   %lu 16K system -  holders", self->many));
	EXPECT_TRUE(says(self->text, " + "));
}

/* ----------------------------------------------------------------- trace events */

static bool have_tracing(void)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	return !access(TRACING "/events/dma_buf/dma_buf_fd", F_OK);
}

/* Instances of the tool that are there. */
static int count_traces(void)
{
	DIR *dir = opendir(TRACING "/instances");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += !strncmp(entry->d_name, "dmabuf-", 7);
	if (dir)
		closedir(dir);
	return count;
}

/* Buffers come, are used, and go, until we do. */
static void *use_main(void *arg)
{
	FIXTURE_DATA(holders) *self = arg;
	void *mapping;
	__u32 handle;
	int buf;

	for (;;) {
		buf = heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);
		mapping = mmap(NULL, BUF_SIZE, PROT_READ, MAP_SHARED, buf, 0);
		munmap(mapping, BUF_SIZE);
		if (self->drm >= 0 && !drm_import(self->drm, buf, &handle))
			drm_close_handle(self->drm, handle);
		close(buf);
		sleep_ms(50);
	}
	return NULL;
}

/* The life of the first buffer that is made meanwhile, which no interval would show. */
TEST_F(holders, watch_by_events)
{
	unsigned long ino;
	pthread_t user;
	char *line;

	if (!have_tracing())
		SKIP(return, "no trace events (CONFIG_FTRACE)");
	ASSERT_EQ(0, pthread_create(&user, NULL, use_main, self));
	ASSERT_EQ(0, TOOL(self->text, "watch", "--for", "2"));
	EXPECT_TRUE(says(self->text, "each change comes as an event\n"));
	EXPECT_TRUE(says(self->text, "   %lu 16K system -  holders", self->many));
	line = strstr(self->text, " + ");
	ASSERT_NE(NULL, line) TH_LOG("%s", self->text);
	ino = strtoul(line + 3, NULL, 10);
	EXPECT_TRUE(says(self->text, " + %lu 16K system  made by holders[", ino));
	EXPECT_TRUE(says(self->text, " = %lu 16K system  fd ", ino));
	EXPECT_TRUE(says(self->text, ", descriptor of holders["));
	EXPECT_TRUE(says(self->text, " = %lu 16K system  mapped by holders[", ino));
	if (self->drm >= 0) {
		EXPECT_TRUE(says(self->text, " = %lu 16K system  vgem attached by holders[", ino));
		EXPECT_TRUE(says(self->text, " = %lu 16K system  vgem detached by holders[", ino));
	}
	EXPECT_TRUE(says(self->text, " - %lu 16K system  closed by ", ino));
	if (_metadata->exit_code != KSFT_PASS)
		TH_LOG("%s", self->text);
	EXPECT_EQ(0, count_traces());
}

/* Returns how a watch ends that gets a signal, or whose output nobody reads any more. */
static int end_watch(struct __test_metadata *_metadata, FIXTURE_DATA(holders) *self, int sig,
		     void (*handler)(int sig))
{
	int out[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	signal(SIGPIPE, handler);
	pid = fork();
	if (!pid)
		exec_tool(out[1], false, (char *[]) { "dmabuf", "watch", NULL });
	close(out[1]);
	ASSERT_EQ(1, read(out[0], self->text, 1));
	EXPECT_EQ(1, count_traces());
	if (sig == SIGPIPE)
		close(out[0]);
	else
		kill(pid, sig);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, count_traces());
	if (sig != SIGPIPE)
		close(out[0]);
	return status;
}

/* Nothing is traced after the end, in whatever way it comes. */
TEST_F(holders, watch_that_is_ended)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGPIPE };
	pthread_t user;
	unsigned int i;
	int status;

	if (!have_tracing())
		SKIP(return, "no trace events (CONFIG_FTRACE)");
	ASSERT_EQ(0, pthread_create(&user, NULL, use_main, self));
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		status = end_watch(_metadata, self, signals[i], SIG_DFL);
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(signals[i], WTERMSIG(status));
	}
	/* A service of systemd ignores SIGPIPE. */
	status = end_watch(_metadata, self, SIGPIPE, SIG_IGN);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status));
}

/* A user gets no events, but the same command. */
TEST_F(holders, watch_without_root)
{
	int ret = run_tool(self->text, true,
			   (char *[]) { "dmabuf", "watch", "--for", "0.1", NULL });

	if (ret == 127)
		SKIP(return, "%s cannot be run by a user", tool_path());
	ASSERT_EQ(0, ret);
	EXPECT_TRUE(says(self->text, "looking every 1s\n"));
}

/* The sum of all numbers that follow a key. */
static unsigned long long sum_of(const char *text, const char *key)
{
	unsigned long long sum = 0;

	while ((text = strstr(text, key))) {
		text += strlen(key);
		sum += strtoull(text, NULL, 10);
	}
	return sum;
}

/* Shares add up to all there is, though three have a part of the first buffer. */
TEST_F(holders, shares_add_up)
{
	int buffers;

	ASSERT_EQ(0, TOOL(self->text, "--json", "list"));
	buffers = times_said(self->text, "\n{\"ino\":");
	EXPECT_LE(5, buffers);
	EXPECT_EQ(buffers * BUF_SIZE, sum_of(self->text, "\"share\":"));
	ASSERT_EQ(0, TOOL(self->text, "top"));
	EXPECT_TRUE(says(self->text, "[%d]\n", self->child[CHILD]));
	EXPECT_TRUE(says(self->text, "no process\n"));
}

/* Is there such a text in a file? */
static bool file_says(FIXTURE_DATA(holders) *self, const char *path, const char *want)
{
	return read_file(path, self->text, TEXT_SIZE) > 0 && strstr(self->text, want);
}

static int count_fdinfo(FIXTURE_DATA(holders) *self, const char *pid, const char *want)
{
	char path[600];
	struct dirent *file;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	dir = opendir(path);
	while (dir && (file = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, file->d_name);
		count += file_says(self, path, want) && strstr(self->text, "exp_name:");
	}
	if (dir)
		closedir(dir);
	return count;
}

/* Processes with a mapping, and descriptors, as is found without the tool. */
static int count_by_hand(FIXTURE_DATA(holders) *self, unsigned long ino)
{
	char path[300], fdinfo[64], map[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	snprintf(fdinfo, sizeof(fdinfo), "ino:\t%lu\n", ino);
	snprintf(map, sizeof(map), " %lu  ", ino);
	while (proc && (entry = readdir(proc))) {
		if (entry->d_name[strspn(entry->d_name, "0123456789")])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/maps", entry->d_name);
		count += file_says(self, path, map) && strstr(self->text, "/dmabuf:");
		count += count_fdinfo(self, entry->d_name, fdinfo);
	}
	if (proc)
		closedir(proc);
	return count;
}

/*
 * Nobody has a descriptor or a mapping of these three, but each is found: what waits
 * in a socket, what a device has, what a poll() has left behind.
 */
TEST_F(holders, who_prints_holders_without_descriptor)
{
	char which[32];

	EXPECT_LT(0, count_by_hand(self, self->many));
	EXPECT_EQ(0, count_by_hand(self, self->sent));
	EXPECT_EQ(0, self->drm < 0 ? 0 : count_by_hand(self, self->imported));
	EXPECT_EQ(0, self->timeline < 0 ? 0 : count_by_hand(self, self->polled_once));
	snprintf(which, sizeof(which), "%lu", self->sent);
	ASSERT_EQ(0, TOOL(self->text, "--peek", "who", which));
	EXPECT_TRUE(says(self->text, "  in flight "));
	EXPECT_TRUE(says(self->text, "of holders[%d] fd %d\n", getpid(), self->socket[1]));
	EXPECT_FALSE(says(self->text, "not itemised"));
	if (self->drm >= 0) {
		snprintf(which, sizeof(which), "%lu", self->imported);
		ASSERT_EQ(0, TOOL(self->text, "who", which));
		EXPECT_TRUE(says(self->text, "3   kernel, not itemised"));
		EXPECT_TRUE(says(self->text, "attached are\n         vgem"));
		EXPECT_TRUE(says(self->text, "is open in holders[%d] fd %d\n", getpid(),
				 self->drm));
	}
	if (self->timeline >= 0) {
		snprintf(which, sizeof(which), "%lu", self->polled_once);
		ASSERT_EQ(0, TOOL(self->text, "who", which));
		EXPECT_TRUE(says(self->text, have_report() ? "1   poll callback" :
				 "1   kernel, not itemised"));
		EXPECT_TRUE(says(self->text, "write  sw_sync hang "));
		EXPECT_TRUE(says(self->text, "also in sync files: "));
	}
}

TEST_F(holders, graph_and_tree_are_well_formed)
{
	ASSERT_EQ(0, TOOL(self->text, "graph", "-Tdot"));
	EXPECT_EQ(0, strncmp("digraph ", self->text, 8));
	ASSERT_EQ(0, TOOL(self->text, "graph", "-Tsvg"));
	EXPECT_EQ(0, strncmp("<svg ", self->text, 5));
	EXPECT_TRUE(says(self->text, "</svg>\n"));
	ASSERT_EQ(0, TOOL(self->text, "tree"));
	EXPECT_TRUE(says(self->text, "[%d]\n", getpid()));
}

TEST_F(holders, errors_have_a_status)
{
	EXPECT_EQ(1, TOOL(self->text, "who", "999999999"));
	EXPECT_EQ(1, TOOL(self->text, "who", "/proc/self/fd/0"));
	EXPECT_EQ(2, TOOL(self->text, "who", "/nonexistent"));
	EXPECT_EQ(2, TOOL(self->text, "who"));
	EXPECT_EQ(2, TOOL(self->text, "list", "7"));
	EXPECT_EQ(2, TOOL(self->text, "--json", "leaks"));
	EXPECT_EQ(2, TOOL(self->text, "nonsense"));
	EXPECT_EQ(2, TOOL(self->text, "graph", "-Tpdf"));
	EXPECT_EQ(2, TOOL(self->text, "list", "--follow"));
}

/* Without access to all processes, the kernel's share is unknown. */
TEST_F(holders, in_a_pid_namespace)
{
	ASSERT_EQ(0, TOOL(self->text, "--json", "list"));
	EXPECT_TRUE(says(self->text, "\"complete\":true"));
	if (unshare(CLONE_NEWPID))
		SKIP(return, "no PID namespaces (CONFIG_PID_NS)");
	ASSERT_EQ(0, TOOL(self->text, "--json", "list"));
	EXPECT_TRUE(says(self->text, "\"complete\":false"));
	EXPECT_FALSE(says(self->text, "\"exact\":true"));
	/* A number of the kernel would be that of somebody else there. */
	EXPECT_FALSE(says(self->text, "\"pid\":%d,\"comm\":\"holders\",\"by\"", getpid()));
	EXPECT_TRUE(says(self->text, "\"created\":null") ||
		    says(self->text, "\"pid\":null,\"comm\":\"holders\",\"by\""));
	EXPECT_FALSE(says(self->text, "\"tid\":%d,\"comm\"", self->poller_tid));
}

/* A pipe stands for a bufinfo that waits for ever: the tool does not. */
TEST_F(holders, bufinfo_that_hangs)
{
	char pipe[] = "/tmp/holders.XXXXXX";
	__s64 began = now_ns();

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_NE(NULL, mkdtemp(pipe));
	ASSERT_EQ(0, rmdir(pipe));
	ASSERT_EQ(0, mkfifo(pipe, 0600));
	ASSERT_EQ(0, mount(pipe, BUFINFO, NULL, MS_BIND, NULL));
	unlink(pipe);
	if (have_report())
		ASSERT_EQ(0, mount("/dev/null", REPORT, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, TOOL(self->text, "list"));
	EXPECT_LT(4000000000LL, now_ns() - began);
	EXPECT_TRUE(says(self->text, "bufinfo waits for a reservation lock"));
	EXPECT_TRUE(says(self->text, "%lu ", self->many));
}

/* A user sees own processes, and a note that these are not all. */
TEST_F(holders, user_sees_own_processes_and_a_note)
{
	char want[64], *line;
	int ret;

	/* A descriptor that the tool inherits counts as one of the tool. */
	ASSERT_EQ(0, fcntl(self->plain, F_SETFD, 0));
	ret = run_tool(self->text, true, (char *[]) { "dmabuf", "--json", "list", NULL });
	if (ret == 127)
		SKIP(return, "%s cannot be run by a user", tool_path());
	ASSERT_EQ(0, ret);
	EXPECT_TRUE(says(self->text, "\"complete\":false"));
	EXPECT_FALSE(says(self->text, "\"unreadable\":0,"));
	EXPECT_FALSE(says(self->text, "\"exact\":true"));
	EXPECT_FALSE(says(self->text, "\"pid\":%d,", getpid()));
	snprintf(want, sizeof(want), "\n{\"ino\":%lu,", self->many);
	line = strstr(self->text, want);
	ASSERT_NE(NULL, line);
	EXPECT_TRUE(says(line, "\"count\":6,\"found\":1,\"remainder\":5,"));

	/* Fences of others do not show either. */
	ret = run_tool(self->text, true,
		       (char *[]) { "dmabuf", "waits", "--follow", "--for", "0.1", NULL });
	EXPECT_EQ(1, ret);
	EXPECT_TRUE(says(self->text, "looking every 1s, from "));
	EXPECT_TRUE(says(self->text, "Not complete: "));

	/* The kernel's text alone does not make it complete. */
	ASSERT_EQ(0, chmod(DEBUGFS, 0755));
	ret = run_tool(self->text, true, (char *[]) { "dmabuf", "--json", "list", NULL });
	EXPECT_EQ(0, chmod(DEBUGFS, 0700));
	ASSERT_EQ(0, ret);
	EXPECT_TRUE(says(self->text, "\"source\":\"bufinfo\""));
	EXPECT_TRUE(says(self->text, "\"complete\":false"));
	EXPECT_FALSE(says(self->text, "\"exact\":true"));
}

TEST_HARNESS_MAIN
