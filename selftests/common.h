/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers, fences and measurements shared by the dma-buf selftests
 *
 * Helpers that make a system call return what the call returned, or -errno, so
 * that a test compares with the error it wants. Helpers that take _metadata
 * fail or skip the calling test themselves.
 *
 * The harness gives each test a process of its own, so what a test has open,
 * mapped or allocated goes when the test ends. A test closes only what has to be
 * gone before that.
 */
#ifndef SELFTESTS_DMA_BUF_COMMON_H
#define SELFTESTS_DMA_BUF_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#include "../kselftest_harness.h"

/* The harness forks between setjmp() and longjmp(), in the body of each test. */
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

#define DEBUGFS		"/sys/kernel/debug"
#define STATS_DIR	"/sys/kernel/dmabuf/buffers"

/* Long enough for any call that does not wait, even on a slow emulator. */
#define NOT_WAITING_MS	5000

/* ------------------------------------------------------------------ calls */

static inline int do_ioctl(int fd, unsigned long cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static inline __s64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Reads a whole file and terminates it; returns the length or -errno. */
static inline ssize_t read_file(const char *path, char *text, size_t size)
{
	ssize_t got, len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, text + len, size - 1 - len);
		if (got < 0)
			len = -errno;
		else
			len += got;
	} while (got > 0);
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

/* Writes a file of the kernel in one call; returns 0 or -errno, -EIO if it took less. */
static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		ret = -errno;
	else if ((size_t)written < strlen(text))
		ret = -EIO;
	close(fd);
	return ret;
}

/* The number after a word in a file that has many of them, or -1. */
static inline long long read_field(const char *path, const char *word)
{
	char text[1 << 16], *at;

	if (read_file(path, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, word);
	return at ? strtoll(at + strlen(word), NULL, 10) : -1;
}

static inline int times_said(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* The path of a file next to this program. */
static inline const char *next_to_us(const char *name)
{
	static char path[600];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);

	path[len < 0 ? 0 : len] = '\0';
	snprintf(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, 64, "%s", name);
	return path;
}

/* A page of zeroes that is followed by one that faults on every access. */
static inline char *page_before_hole(struct __test_metadata *_metadata)
{
	char *page;

	page = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + page_size(), page_size(), PROT_NONE));
	return page;
}

/* A page that holds a copy of @data and can only be read: writing back faults. */
static inline void *readonly_copy(struct __test_metadata *_metadata,
				  const void *data, size_t size)
{
	char *page;

	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	memcpy(page, data, size);
	ASSERT_EQ(0, mprotect(page, page_size(), PROT_READ));
	return page;
}

/*
 * Number of file descriptors that are taken, be it by a file or just reserved for
 * one, which shows in that no other can be put there.
 */
static inline int taken_fds(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			count++;
		else if (dup2(STDERR_FILENO, fd) == fd)
			close(fd);
		else if (errno == EBUSY)
			count++;
	}
	return count;
}

/* Until the old limit is back this process cannot get another file descriptor. */
static inline void fill_fd_table(struct __test_metadata *_metadata, struct rlimit *old)
{
	struct rlimit limit;
	int lowest;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, old));
	limit = *old;
	lowest = dup(STDERR_FILENO);
	ASSERT_LE(0, lowest);
	ASSERT_EQ(0, close(lowest));
	limit.rlim_cur = lowest;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

/* Signals that interrupt_after() has sent. */
static int interruptions;

static inline void count_interruption(int sig)
{
	__atomic_add_fetch(&interruptions, 1, __ATOMIC_RELAXED);
}

/*
 * Interrupts whatever the process sleeps in, again and again, so that a call
 * which should not wait at all ends with EINTR instead of hanging the run. With
 * 0 ms it stops.
 */
static inline void interrupt_after(unsigned int ms, int sa_flags)
{
	struct sigaction action = {
		.sa_handler = count_interruption,
		.sa_flags = sa_flags,
	};
	struct itimerval timer = {
		.it_value = {
			.tv_sec = ms / 1000,
			.tv_usec = ms % 1000 * 1000,
		},
		.it_interval.tv_sec = 1,
	};

	if (ms)
		interruptions = 0;
	else
		timer.it_interval.tv_sec = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ------------------------------------------------------------------ users */

#define NOBODY		65534

/* Go on as a user without privileges, in a process that will not need them again. */
static inline int become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
}

/* ---------------------------------------------------------------- modules */

static inline int load_file(const char *path)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

/* Returns whether the module is there. MODULES_ROOT may say where it is looked for. */
static inline bool find_module(const char *name)
{
	const char *root = getenv("MODULES_ROOT");
	char command[512];

	snprintf(command, sizeof(command), "modprobe -q -d '%s' %s 2>/dev/null",
		 root ? root : "/", name);
	return !system(command);
}

static inline int unload_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Taints of the kernel since boot: of a bad page, as KASAN sets it, an oops, a warning. */
static inline long taints(struct __test_metadata *_metadata)
{
	char value[32];

	ASSERT_LT(0, read_file("/proc/sys/kernel/tainted", value, sizeof(value)));
	return strtol(value, NULL, 10) & 0x2a0;
}

/*
 * Returns whether the module is there. Its file may be named by a variable of the
 * environment, and has to be good then.
 */
static inline bool load_module(struct __test_metadata *_metadata, const char *variable,
			       const char *name)
{
	const char *path = getenv(variable);

	if (!path)
		return find_module(name);
	ASSERT_EQ(0, load_file(path));
	return true;
}

/* ---------------------------------------------------------------- buffers */

enum exporter {
	UDMABUF,
	SYSTEM_HEAP,
	VGEM,
};

static inline int sealed_memfd(size_t size)
{
	int memfd, ret;

	memfd = syscall(SYS_memfd_create, "dma-buf test", 3 /* CLOEXEC, SEALS */);
	if (memfd < 0)
		return -errno;
	if (ftruncate(memfd, size) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		ret = -errno;
		close(memfd);
		return ret;
	}
	return memfd;
}

static inline int udmabuf_from(int memfd, size_t size, __u32 flags)
{
	struct udmabuf_create create = {
		.memfd = memfd,
		.flags = flags,
		.size = size,
	};
	int dev, ret;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -ENODEV;
	ret = do_ioctl(dev, UDMABUF_CREATE, &create);
	close(dev);
	return ret;
}

static inline int udmabuf_alloc(size_t size)
{
	int memfd, ret;

	memfd = sealed_memfd(size);
	if (memfd < 0)
		return memfd;
	ret = udmabuf_from(memfd, size, UDMABUF_FLAGS_CLOEXEC);
	close(memfd);
	return ret;
}

static inline int heap_alloc_from(const char *path, size_t size, unsigned int fd_flags)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = fd_flags,
	};
	int dev, ret;

	dev = open(path, O_RDONLY | O_CLOEXEC);
	if (dev < 0)
		return -ENODEV;
	ret = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);
	close(dev);
	return ret ? ret : (int)data.fd;
}

static inline int heap_alloc(size_t size, unsigned int fd_flags)
{
	return heap_alloc_from("/dev/dma_heap/system", size, fd_flags);
}

/* Opens the primary node of the DRM device of that driver. */
static inline int drm_open(const char *driver)
{
	char name[32], path[32];
	int i, fd;

	for (i = 0; i < 16; i++) {
		struct drm_version version = {
			.name = name,
			.name_len = sizeof(name) - 1,
		};

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

/* Imports a buffer: one more attachment, of that device. */
static inline int drm_import(int drm, int buf, __u32 *handle)
{
	struct drm_prime_handle prime = { .fd = buf };
	int ret = do_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = prime.handle;
	return ret;
}

static inline int drm_close_handle(int drm, __u32 handle)
{
	struct drm_gem_close gem = { .handle = handle };

	return do_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &gem);
}

/* A GEM object of a driver with dumb buffers, exported; keeps its handle. */
static inline int drm_export(int drm, size_t size, __u32 *handle)
{
	struct drm_mode_create_dumb dumb = {
		.width = size,
		.height = 1,
		.bpp = 8,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret;

	ret = do_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	*handle = dumb.handle;
	prime.handle = dumb.handle;
	ret = do_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	return ret ? ret : prime.fd;
}

/* A buffer of a driver with dumb buffers, and nothing else of it. */
static inline int drm_alloc(const char *driver, size_t size)
{
	__u32 handle = 0;
	int drm, ret;

	drm = drm_open(driver);
	if (drm < 0)
		return drm;
	ret = drm_export(drm, size, &handle);
	if (handle)
		drm_close_handle(drm, handle);
	close(drm);
	return ret;
}

/* A writable buffer; -ENODEV if the kernel has no such exporter. */
static inline int buffer_alloc(enum exporter exporter, size_t size)
{
	switch (exporter) {
	case UDMABUF:
		return udmabuf_alloc(size);
	case SYSTEM_HEAP:
		return heap_alloc(size, O_RDWR | O_CLOEXEC);
	default:
		return drm_alloc("vgem", size);
	}
}

static inline const char *exporter_name(enum exporter exporter)
{
	switch (exporter) {
	case UDMABUF:
		return "udmabuf";
	case SYSTEM_HEAP:
		return "system";
	default:
		return "drm";
	}
}

/* The tests of that fixture run once for each exporter, which is in the variant. */
#define EACH_EXPORTER(fixture)							\
	FIXTURE_VARIANT(fixture) { enum exporter exporter; };			\
	FIXTURE_VARIANT_ADD(fixture, udmabuf) { .exporter = UDMABUF };		\
	FIXTURE_VARIANT_ADD(fixture, system_heap) { .exporter = SYSTEM_HEAP };	\
	FIXTURE_VARIANT_ADD(fixture, vgem) { .exporter = VGEM }

/* For FIXTURE_SETUP(): a buffer, or less than 0 and the test is skipped. */
static inline int setup_buffer(struct __test_metadata *_metadata,
			       enum exporter exporter, size_t size)
{
	static const char * const missing[] = {
		[UDMABUF] = "no /dev/udmabuf (CONFIG_UDMABUF)",
		[SYSTEM_HEAP] = "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)",
		[VGEM] = "no vgem device (CONFIG_DRM_VGEM)",
	};
	int buf = buffer_alloc(exporter, size);

	if (buf == -ENODEV)
		SKIP(return buf, "%s", missing[exporter]);
	ASSERT_LE(0, buf);
	return buf;
}

static inline int setup_drm(struct __test_metadata *_metadata, const char *driver)
{
	int drm = drm_open(driver);

	if (drm < 0)
		SKIP(return drm, "no DRM device of driver %s", driver);
	return drm;
}

/* ---------------------------------------------------- ioctls of the buffer */

static inline int sync_buffer(int buf, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return do_ioctl(buf, DMA_BUF_IOCTL_SYNC, &sync);
}

static inline int set_name(int buf, const char *name)
{
	return do_ioctl(buf, DMA_BUF_SET_NAME, name);
}

/* Returns the new sync_file. */
static inline int export_fences(int buf, __u32 flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	int ret = do_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret ? ret : arg.fd;
}

static inline int import_fences(int buf, __u32 flags, int sync_file)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = sync_file };

	return do_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

/* ----------------------------------------------------------------- fences */

struct sw_sync_create_fence_data {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_IOC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC _IOW('W', 1, __u32)

struct sw_sync_get_deadline {
	__u64 deadline_ns;
	__u32 pad;
	__s32 fence_fd;
};

#define SW_SYNC_GET_DEADLINE _IOWR('W', 2, struct sw_sync_get_deadline)

/* For FIXTURE_SETUP(): a software timeline, or the test is skipped. */
static inline int setup_timeline(struct __test_metadata *_metadata)
{
	int timeline = open(DEBUGFS "/sync/sw_sync", O_RDWR | O_CLOEXEC);

	if (timeline < 0)
		SKIP(return timeline, "no sw_sync (CONFIG_SW_SYNC, mounted debugfs, root)");
	return timeline;
}

/* A sync_file whose fence signals when the timeline has reached that value. */
static inline int timeline_fence(int timeline, __u32 value)
{
	struct sw_sync_create_fence_data data = { .value = value };
	int ret = do_ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, &data);

	return ret ? ret : data.fence;
}

static inline int timeline_advance(int timeline, __u32 steps)
{
	return do_ioctl(timeline, SW_SYNC_IOC_INC, &steps);
}

/* A timeline of that name: timelines are named after the task that opens them. */
static inline int named_timeline(struct __test_metadata *_metadata, const char *name)
{
	char old[16] = "";
	int timeline;

	prctl(PR_GET_NAME, old);
	prctl(PR_SET_NAME, name);
	timeline = setup_timeline(_metadata);
	prctl(PR_SET_NAME, old);
	return timeline;
}

/* For FIXTURE_SETUP(): two timelines with a fence each, or false. */
static inline bool setup_two_fences(struct __test_metadata *_metadata,
				    int timeline[2], int fence[2])
{
	static const char * const names[] = { "first", "second" };
	int i;

	for (i = 0; i < 2; i++) {
		timeline[i] = named_timeline(_metadata, names[i]);
		if (timeline[i] < 0)
			return false;
		fence[i] = timeline_fence(timeline[i], 1);
		ASSERT_LE(0, fence[i]);
	}
	return true;
}

/* The earliest deadline of a fence of some timeline, or -errno. */
static inline __s64 fence_deadline(int timeline, int sync_file)
{
	struct sw_sync_get_deadline data = { .fence_fd = sync_file };
	int ret = do_ioctl(timeline, SW_SYNC_GET_DEADLINE, &data);

	return ret ? ret : (__s64)data.deadline_ns;
}

static inline int set_deadline(int sync_file, __u64 deadline_ns)
{
	struct sync_set_deadline data = { .deadline_ns = deadline_ns };

	return do_ioctl(sync_file, SYNC_IOC_SET_DEADLINE, &data);
}

static inline int sync_file_merge_as(int first, int second, const char *name)
{
	struct sync_merge_data data = { .fd2 = second };
	int ret;

	snprintf(data.name, sizeof(data.name), "%s", name);
	ret = do_ioctl(first, SYNC_IOC_MERGE, &data);
	return ret ? ret : data.fence;
}

static inline int sync_file_merge(int first, int second)
{
	return sync_file_merge_as(first, second, "merged");
}

/* The name of the file itself, or NULL. */
static inline char *sync_file_name(int sync_file, char *name)
{
	struct sync_file_info info = { };

	if (do_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info))
		return NULL;
	return memcpy(name, info.name, sizeof(info.name));
}

/* 0 while pending, 1 when signalled, or the error of the fence. */
static inline int sync_file_status(int sync_file)
{
	struct sync_file_info info = { };
	int ret = do_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : info.status;
}

/* Number of plain fences, at most @max of which are described in @fences. */
static inline int sync_file_fences(int sync_file, struct sync_fence_info *fences,
				   unsigned int max)
{
	struct sync_file_info info = {
		.num_fences = max,
		.sync_fence_info = (uintptr_t)fences,
	};
	int ret = do_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : (int)info.num_fences;
}

static inline int sync_file_count(int sync_file)
{
	return sync_file_fences(sync_file, NULL, 0);
}

/* Puts a new fence into the buffer and returns its sync_file. */
static inline int add_fence(struct __test_metadata *_metadata, int buf,
			    __u32 flags, int timeline, __u32 value)
{
	int fence = timeline_fence(timeline, value);

	ASSERT_LE(0, fence);
	ASSERT_EQ(0, import_fences(buf, flags, fence));
	return fence;
}

/* A thread that advances a timeline by one after a while. */
struct signaller {
	pthread_t thread;
	int timeline;
	unsigned int delay_ms;
};

static inline void *signaller_main(void *arg)
{
	struct signaller *signaller = arg;

	sleep_ms(signaller->delay_ms);
	timeline_advance(signaller->timeline, 1);
	return NULL;
}

/* Signals to the process are not taken by this thread, so callers can use both. */
static inline void signaller_start(struct __test_metadata *_metadata,
				   struct signaller *signaller,
				   int timeline, unsigned int delay_ms)
{
	sigset_t all, old;

	signaller->timeline = timeline;
	signaller->delay_ms = delay_ms;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ASSERT_EQ(0, pthread_create(&signaller->thread, NULL, signaller_main,
				    signaller));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static inline void signaller_join(struct signaller *signaller)
{
	pthread_join(signaller->thread, NULL);
}

/* Another process gets it, too, or the same one again. */
static inline int send_fd(int socket, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { };
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) < 0 ? -errno : 0;
}

/* Asks for some events; returns those that came, or -errno. */
static inline int poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret = poll(&pfd, 1, timeout_ms);

	if (ret < 0)
		return -errno;
	return pfd.revents;
}

/* ------------------------------------------------ what the kernel tells us */

static inline unsigned long buffer_ino(int buf)
{
	struct stat st;

	return fstat(buf, &st) ? 0 : st.st_ino;
}

static inline ssize_t read_fdinfo(int fd, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return read_file(path, text, size);
}

/* The value of "key:\t" in the fdinfo of a file, or NULL if there is no such line. */
static inline char *fdinfo_value(int fd, const char *key, char *value, size_t size)
{
	char text[1024], *line, *end;
	size_t len = strlen(key);

	if (read_fdinfo(fd, text, sizeof(text)) < 0)
		return NULL;
	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		if (strncmp(line, key, len) || line[len] != ':' || line[len + 1] != '\t')
			continue;
		*end = '\0';
		snprintf(value, size, "%s", line + len + 2);
		return value;
	}
	return NULL;
}

/* References to the file of the buffer, without the one that reading takes. */
static inline long buffer_count(int buf)
{
	char value[32];

	return fdinfo_value(buf, "count", value, sizeof(value)) ? strtol(value, NULL, 10) : -1;
}

/* Where /proc/self/fd/N points to. */
static inline char *fd_link(int fd, char *target, size_t size)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, size - 1);
	if (len < 0)
		return NULL;
	target[len] = '\0';
	return target;
}

static inline bool have_stats(void)
{
	return !access(STATS_DIR, X_OK);
}

static inline bool stats_entry_exists(unsigned long ino)
{
	char path[96];

	snprintf(path, sizeof(path), STATS_DIR "/%lu", ino);
	return !access(path, F_OK);
}

/* ------------------------------------------- failing allocations and copies */

/*
 * Makes the n-th of all that can fail from now on do so, for this thread: slab
 * objects, pages, and copies from and to user memory. The caller runs the call under
 * test for n = 1, 2, ... until a run meets no failure any more. A call may succeed
 * although something failed: kmemleak, for one, allocates and has a reserve, and a
 * large page that is not there is made up for by small ones. So a test counts
 * refusals and wants to have seen some.
 */
#define FAIL_NTH_MAX	1000U	/* a limit, not an expectation */

struct fail_nth {
	int fd;
	unsigned int n;
};

/* Returns false if there is no such file. */
static inline bool write_debugfs(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/%s", name);
	return !write_text(path, value);
}

/* Lets copies from and to user memory fail or not; returns false if it cannot. */
static inline bool fail_usercopy_set(bool fail)
{
	if (access(DEBUGFS "/fail_usercopy", F_OK))
		return true;
	write_debugfs("fail_usercopy/verbose", "0");
	return write_debugfs("fail_usercopy/reject-end", fail ? "0" : "0xffffffffffffffff");
}

static inline bool fail_nth_open(struct __test_metadata *_metadata, struct fail_nth *fail)
{
	if (access(DEBUGFS "/failslab", F_OK))
		SKIP(return false, "no failslab (CONFIG_FAILSLAB, its debugfs files)");
	write_debugfs("failslab/ignore-gfp-wait", "N");
	write_debugfs("failslab/verbose", "0");
	write_debugfs("fail_page_alloc/ignore-gfp-wait", "N");
	write_debugfs("fail_page_alloc/ignore-gfp-highmem", "N");
	write_debugfs("fail_page_alloc/min-order", "0");
	write_debugfs("fail_page_alloc/verbose", "0");
	fail->n = 0;
	fail->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail->fd < 0)
		SKIP(return false, "no /proc/thread-self/fail-nth (CONFIG_FAULT_INJECTION)");
	return true;
}

/* Returns false, and skips the test, if the kernel cannot do it. */
static inline bool fail_nth_setup(struct __test_metadata *_metadata,
				  struct fail_nth *fail)
{
	fail_usercopy_set(true);
	return fail_nth_open(_metadata, fail);
}

/* The same for allocations alone. */
static inline bool fail_nth_setup_memory(struct __test_metadata *_metadata,
					 struct fail_nth *fail)
{
	if (!fail_usercopy_set(false))
		SKIP(return false, "no filter (CONFIG_FAULT_INJECTION_STACKTRACE_FILTER)");
	return fail_nth_open(_metadata, fail);
}

/* Is that what becomes of a call if something of it fails? */
static inline bool fail_nth_refused(int ret)
{
	return ret == -ENOMEM || ret == -EFAULT;
}

static inline void fail_nth_arm(struct __test_metadata *_metadata, struct fail_nth *fail)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", ++fail->n);

	ASSERT_GT(FAIL_NTH_MAX, fail->n);
	ASSERT_EQ(len, pwrite(fail->fd, text, len, 0));
}

/* Returns whether something failed since fail_nth_arm(). */
static inline bool fail_nth_disarm(struct __test_metadata *_metadata, struct fail_nth *fail)
{
	char text[16] = "";
	bool failed = false;
	ssize_t ret;

	/* Reading and writing allocate, too, and may take the failure. */
	ret = pread(fail->fd, text, sizeof(text) - 1, 0);
	if (ret > 0)
		failed = atoi(text) == 0;
	ret = pwrite(fail->fd, "0", 1, 0);
	if (ret != 1)
		ret = pwrite(fail->fd, "0", 1, 0);
	ASSERT_EQ(1, ret);
	return failed;
}

#endif /* SELFTESTS_DMA_BUF_COMMON_H */
