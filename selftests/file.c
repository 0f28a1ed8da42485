// SPDX-License-Identifier: GPL-2.0
/*
 * The character of a buffer's file: llseek, mmap, what it refuses to do, fstat,
 * statfs, fdinfo, and how long it lives
 */
#include "common.h"

#include <sys/inotify.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#define PAGES		4
#define BUF_SIZE	(PAGES * page_size())

FIXTURE(file)
{
	int buf;
};

EACH_EXPORTER(file);

FIXTURE_SETUP(file)
{
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(file)
{
}

/* -------------------------------------------------------------------- llseek */

static off_t seek_to(int fd, off_t offset, int whence)
{
	off_t ret = lseek(fd, offset, whence);

	return ret < 0 ? -errno : ret;
}

TEST_F(file, seek_tells_the_size)
{
	EXPECT_EQ((off_t)BUF_SIZE, seek_to(self->buf, 0, SEEK_END));
	EXPECT_EQ(0, seek_to(self->buf, 0, SEEK_SET));
}

/* ---------------------------------------------------------------------- mmap */

/* Maps a part; returns 0 and the address, or -errno. */
static int map_pages(int fd, size_t first, size_t pages, int flags, char **map)
{
	*map = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, flags, fd,
		    first * page_size());
	return *map == MAP_FAILED ? -errno : 0;
}

TEST_F(file, map_every_part)
{
	size_t first, pages;
	char *map;

	for (first = 0; first < PAGES; first++) {
		for (pages = 1; first + pages <= PAGES; pages++) {
			EXPECT_EQ(0, map_pages(self->buf, first, pages, MAP_SHARED, &map))
				TH_LOG("%zu pages at %zu", pages, first);
			if (map == MAP_FAILED)
				continue;
			map[0] = 1;
			map[pages * page_size() - 1] = 1;
			munmap(map, pages * page_size());
		}
	}
}

TEST_F(file, failed_map_holds_nothing)
{
	long count = buffer_count(self->buf);
	char *map;

	ASSERT_EQ(-EINVAL, map_pages(self->buf, 0, PAGES + 1, MAP_SHARED, &map));
	EXPECT_EQ(count, buffer_count(self->buf));
}

/*
 * Two mappings show the same pages, at the offset asked for. (vgem begins with
 * its first page whatever the offset is.)
 */
TEST_F(file, mappings_share_pages)
{
	size_t first = variant->exporter == VGEM ? 0 : 2;
	char *whole, *part;
	size_t i;

	ASSERT_EQ(0, map_pages(self->buf, 0, PAGES, MAP_SHARED, &whole));
	ASSERT_EQ(0, map_pages(self->buf, first, 1, MAP_SHARED, &part));
	for (i = 0; i < PAGES; i++)
		memset(whole + i * page_size(), 'a' + i, page_size());
	EXPECT_EQ((char)('a' + first), part[0]);
	EXPECT_EQ((char)('a' + first), part[page_size() - 1]);
	part[5] = 'z';
	EXPECT_EQ('z', whole[first * page_size() + 5]);
}

TEST_F(file, processes_share_pages)
{
	int status;
	char *map;
	pid_t pid;

	ASSERT_EQ(0, map_pages(self->buf, 0, 1, MAP_SHARED, &map));
	map[0] = 'p';
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char *own;

		if (map[0] != 'p' || map_pages(self->buf, 0, 1, MAP_SHARED, &own))
			_exit(1);
		own[1] = 'c';
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ('c', map[1]);
}

/* The exporter decides about the other properties of a mapping. */
TEST_F(file, private_mapping_is_up_to_the_exporter)
{
	int ret, want = variant->exporter == SYSTEM_HEAP ? 0 : -EINVAL;
	char *map;

	ret = map_pages(self->buf, 0, 1, MAP_PRIVATE, &map);
	EXPECT_EQ(want, ret);
	if (!ret)
		munmap(map, page_size());
	EXPECT_EQ(-EINVAL, map_pages(self->buf, 0, 2, MAP_PRIVATE, &map));
}

/* Nothing on this pseudo file system may be executed. */
TEST_F(file, executable_mapping_is_refused)
{
	void *map = mmap(NULL, page_size(), PROT_READ | PROT_EXEC, MAP_SHARED,
			 self->buf, 0);

	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EPERM, errno);
}

TEST_F(file, mapping_cannot_become_executable)
{
	char *map;

	ASSERT_EQ(0, map_pages(self->buf, 0, 1, MAP_SHARED, &map));
	EXPECT_EQ(-1, mprotect(map, page_size(), PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
}

TEST(map_respects_the_access_mode)
{
	void *map;
	int buf;

	buf = heap_alloc(BUF_SIZE, O_RDONLY | O_CLOEXEC);
	if (buf == -ENODEV)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	EXPECT_EQ(O_RDONLY, fcntl(buf, F_GETFL) & O_ACCMODE);
	map = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EACCES, errno);
	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, buf, 0);
	EXPECT_NE(MAP_FAILED, map);
}

/* ---------------------------------------------------- what such a file is not */

TEST_F(file, size_cannot_be_changed)
{
	EXPECT_EQ(-1, ftruncate(self->buf, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ftruncate(self->buf, 2 * BUF_SIZE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(self->buf, 0, 0, 2 * BUF_SIZE));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, fallocate(self->buf, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				0, page_size()));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ((off_t)BUF_SIZE, seek_to(self->buf, 0, SEEK_END));
}

TEST_F(file, buffer_cannot_be_opened_by_path)
{
	const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->buf);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-1, open(path, flags[i]));
		EXPECT_EQ(ENXIO, errno);
	}
}

/* ------------------------------------------------------------------ identity */

TEST_F(file, statfs_tells_the_magic_number)
{
	struct statfs fs;

	ASSERT_EQ(0, fstatfs(self->buf, &fs));
	EXPECT_EQ(DMA_BUF_MAGIC, (int)fs.f_type);
}

/* Any size in pages shows everywhere as it is. */
TEST_F(file, size_shows_everywhere)
{
	const size_t pages[] = { 1, 3, 256, 257, 1024 };
	struct stat st;
	char text[32];
	size_t i;
	int buf;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		size_t size = pages[i] * page_size();

		buf = buffer_alloc(variant->exporter, size);
		ASSERT_LE(0, buf);
		ASSERT_EQ(0, fstat(buf, &st));
		EXPECT_EQ((off_t)size, st.st_size);
		EXPECT_EQ((off_t)size, seek_to(buf, 0, SEEK_END));
		ASSERT_NE(NULL, fdinfo_value(buf, "size", text, sizeof(text)));
		EXPECT_EQ(size, strtoul(text, NULL, 10));
		close(buf);
	}
}

/* The file system cannot be mounted, and no mount of it can be seen. */
TEST(file_system_is_hidden)
{
	const char * const files[] = { "/proc/filesystems", "/proc/self/mountinfo" };
	char text[16384];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_LT(0, read_file(files[i], text, sizeof(text)));
		EXPECT_EQ(NULL, strstr(text, "dmabuf"))
			TH_LOG("%s", files[i]);
	}
}

/* First the lines that every file has, then those of a buffer. */
TEST_F(file, fdinfo_begins_like_that_of_any_file)
{
	char text[1024], want[1024];
	unsigned int flags, mnt;
	unsigned long ino;
	int items, len = 0;

	ASSERT_LT(0, read_fdinfo(self->buf, text, sizeof(text)));
	items = sscanf(text, "pos:\t0\nflags:\t%o\nmnt_id:\t%u\nino:\t%lu\n%n",
		       &flags, &mnt, &ino, &len);
	ASSERT_EQ(3, items);
	ASSERT_LT(0, len);
	EXPECT_EQ((unsigned int)(O_RDWR | O_CLOEXEC), flags);
	EXPECT_EQ(buffer_ino(self->buf), ino);
	snprintf(want, sizeof(want), "size:\t%zu\ncount:\t1\nexp_name:\t%s\n",
		 BUF_SIZE, exporter_name(variant->exporter));
	EXPECT_STREQ(want, text + len);

	ASSERT_EQ(0, set_name(self->buf, "a name"));
	ASSERT_LT(0, read_fdinfo(self->buf, text, sizeof(text)));
	strcat(want, "name:\ta name\n");
	EXPECT_STREQ(want, text + len);
}

TEST_F(file, count_follows_references)
{
	int copy;
	char *map;

	EXPECT_EQ(1, buffer_count(self->buf));
	copy = dup(self->buf);
	ASSERT_LE(0, copy);
	EXPECT_EQ(2, buffer_count(self->buf));
	ASSERT_EQ(0, map_pages(self->buf, 0, 1, MAP_SHARED, &map));
	EXPECT_EQ(3, buffer_count(copy));
	close(copy);
	EXPECT_EQ(2, buffer_count(self->buf));
	munmap(map, page_size());
	EXPECT_EQ(1, buffer_count(self->buf));
}

TEST_F(file, count_follows_attachments)
{
	__u32 handle;
	int drm;

	drm = setup_drm(_metadata, "vkms");
	if (drm < 0)
		return;
	ASSERT_EQ(0, drm_import(drm, self->buf, &handle));
	EXPECT_LT(1, buffer_count(self->buf));
	ASSERT_EQ(0, drm_close_handle(drm, handle));
	EXPECT_EQ(1, buffer_count(self->buf));
}

/* ------------------------------------------------------------------- flags */

TEST_F(file, flags_can_be_read_and_nonblock_be_set)
{
	EXPECT_EQ(O_RDWR, fcntl(self->buf, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->buf, F_GETFD));
	EXPECT_EQ(0, fcntl(self->buf, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(O_RDWR | O_NONBLOCK,
		  fcntl(self->buf, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND));
}

TEST(close_on_exec_only_if_asked)
{
	int memfd, buf;

	buf = setup_buffer(_metadata, UDMABUF, BUF_SIZE);
	if (buf < 0)
		return;
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
	close(buf);

	memfd = sealed_memfd(BUF_SIZE);
	ASSERT_LE(0, memfd);
	buf = udmabuf_from(memfd, BUF_SIZE, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, fcntl(buf, F_GETFD));
}

/* ----------------------------------------------------------------- life time */

TEST_F(file, mapping_outlives_fd)
{
	char *map;

	ASSERT_EQ(0, map_pages(self->buf, 0, PAGES, MAP_SHARED, &map));
	memset(map, 0x5a, BUF_SIZE);
	close(self->buf);
	EXPECT_EQ(0x5a, map[0]);
	EXPECT_EQ(0x5a, map[BUF_SIZE - 1]);
	map[1] = 1;
}

/* An importer alone keeps the buffer, and gives the same one back. */
TEST_F(file, attachment_outlives_fd)
{
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	unsigned long ino = buffer_ino(self->buf);
	char *map;
	int drm;

	drm = setup_drm(_metadata, "vkms");
	if (drm < 0)
		return;
	ASSERT_EQ(0, map_pages(self->buf, 0, 1, MAP_SHARED, &map));
	map[0] = 77;
	munmap(map, page_size());
	ASSERT_EQ(0, drm_import(drm, self->buf, &prime.handle));
	close(self->buf);
	ASSERT_EQ(0, do_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	EXPECT_EQ(ino, buffer_ino(prime.fd));
	ASSERT_EQ(0, map_pages(prime.fd, 0, 1, MAP_SHARED, &map));
	EXPECT_EQ(77, map[0]);
}

/* As long as a udmabuf has the pages of a memfd, that cannot be sealed. */
static int seal(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) ? -errno : 0;
}

/* For the next two: a buffer and the memfd behind it, or false. */
static bool setup_sealable(struct __test_metadata *_metadata, int *memfd, int *buf)
{
	*memfd = sealed_memfd(BUF_SIZE);
	ASSERT_LE(0, *memfd);
	*buf = udmabuf_from(*memfd, BUF_SIZE, UDMABUF_FLAGS_CLOEXEC);
	if (*buf == -ENODEV)
		SKIP(return false, "no /dev/udmabuf (CONFIG_UDMABUF)");
	ASSERT_LE(0, *buf);
	EXPECT_EQ(-EBUSY, seal(*memfd));
	return true;
}

/* A descriptor that is a mere path keeps neither the memory nor the name. */
TEST(path_holds_nothing)
{
	char name[64], target[64];
	int memfd, buf, path;

	if (!setup_sealable(_metadata, &memfd, &buf))
		return;
	ASSERT_EQ(0, set_name(buf, "gone"));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", buf);
	path = open(name, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, path);
	EXPECT_STREQ("/dmabuf:gone", fd_link(path, target, sizeof(target)));
	close(buf);
	EXPECT_EQ(0, seal(memfd));
	EXPECT_STREQ("/dmabuf:", fd_link(path, target, sizeof(target)));
	EXPECT_EQ(-EBADF, sync_buffer(path, DMA_BUF_SYNC_READ));
}

TEST(watch_holds_nothing)
{
	int memfd, buf, notify;
	char name[64];

	notify = inotify_init1(IN_CLOEXEC);
	if (notify < 0)
		SKIP(return, "no inotify (CONFIG_INOTIFY_USER)");
	if (!setup_sealable(_metadata, &memfd, &buf))
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", buf);
	ASSERT_LE(0, inotify_add_watch(notify, name, IN_ALL_EVENTS));
	close(buf);
	EXPECT_EQ(0, seal(memfd));
}

static int receive_fd(int socket)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fd;

	if (recvmsg(socket, &msg, 0) < 0 || !CMSG_FIRSTHDR(&msg))
		return -errno;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* On its way through a socket a buffer has no fd at all, yet it lives. */
TEST_F(file, travels_through_a_socket)
{
	unsigned long ino = buffer_ino(self->buf);
	int pair[2], received;
	char *map;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, map_pages(self->buf, 0, 1, MAP_SHARED, &map));
	map[0] = 42;
	munmap(map, page_size());
	ASSERT_EQ(0, send_fd(pair[0], self->buf));
	close(self->buf);
	received = receive_fd(pair[1]);
	ASSERT_LE(0, received);
	EXPECT_EQ(ino, buffer_ino(received));
	EXPECT_EQ(1, buffer_count(received));
	ASSERT_EQ(0, map_pages(received, 0, 1, MAP_SHARED, &map));
	EXPECT_EQ(42, map[0]);
}

static long count_buffers(void)
{
	char text[32];

	return read_file("/sys/kernel/dmabuf/total_buffers", text, sizeof(text)) < 0 ?
	       -1 : strtol(text, NULL, 10);
}

/* The garbage collector of sockets runs, some time, when one is closed for good. */
static void collect_sockets(struct __test_metadata *_metadata)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[0]);
	close(pair[1]);
}

/*
 * Nobody has a descriptor of the buffer or of the sockets any more, but for the message
 * that all are in. It stays with them until the collector finds out.
 */
TEST_F(file, goes_with_a_circle_of_sockets)
{
	long before = count_buffers();
	int pair[2], i;

	ASSERT_LT(0, before);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, send_fd(pair[0], self->buf));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, send_fd(pair[i], pair[!i]));
	for (i = 0; i < 2; i++)
		close(pair[i]);
	close(self->buf);
	self->buf = -1;
	collect_sockets(_metadata);
	for (i = 0; i < NOT_WAITING_MS / 10 && count_buffers() >= before; i++)
		sleep_ms(10);
	EXPECT_EQ(before - 1, count_buffers());
}

/* -------------------------------------------------------- failing allocations */

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
	int buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);

	if (buf >= 0)
		close(buf);
}

FIXTURE_TEARDOWN(creation)
{
}

/* A failed creation leaves no fd; the statistics are looked at in stats.c. */
TEST_F(creation, failed_export_leaves_no_descriptor)
{
	int before, ret, refused = 0;
	struct fail_nth fail;
	bool failed;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	before = taken_fds();
	do {
		fail_nth_arm(_metadata, &fail);
		ret = buffer_alloc(variant->exporter, page_size());
		failed = fail_nth_disarm(_metadata, &fail);
		if (ret >= 0) {
			EXPECT_EQ(page_size(), (size_t)seek_to(ret, 0, SEEK_END));
			close(ret);
		} else {
			refused++;
		}
		EXPECT_EQ(before, taken_fds());
	} while (failed);
	EXPECT_LE(0, ret);
	EXPECT_LT(0, refused);
}

TEST_HARNESS_MAIN
