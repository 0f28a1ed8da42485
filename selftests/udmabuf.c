// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/udmabuf: buffers from pieces of memfds
 */
#include "common.h"

#define main example_main
#include "udmabuf_example.c"
#undef main

#define PAGE		page_size()
#define PAGES(n)	((n) * page_size())
#define MIB		(1024 * 1024ULL)
#define PARAMETERS	"/sys/module/udmabuf/parameters/"

#define HUGE_PAGE	(2 * MIB)

static int memfd_with(size_t size, unsigned int seals)
{
	int memfd = syscall(SYS_memfd_create, "udmabuf test", 3 /* CLOEXEC, SEALS */);

	if (memfd < 0)
		return -errno;
	if (ftruncate(memfd, size) || fcntl(memfd, F_ADD_SEALS, seals))
		return -errno;
	return memfd;
}

static int create(int dev, int memfd, __u64 offset, __u64 size, __u32 flags)
{
	struct udmabuf_create arg = {
		.memfd = memfd,
		.flags = flags,
		.offset = offset,
		.size = size,
	};

	return do_ioctl(dev, UDMABUF_CREATE, &arg);
}

static struct udmabuf_create_list *list_of(__u32 count)
{
	struct udmabuf_create_list *list;

	list = calloc(1, sizeof(*list) + count * sizeof(list->list[0]));
	list->count = count;
	return list;
}

static void list_set(struct udmabuf_create_list *list, int i, int memfd,
		     __u64 page, __u64 pages)
{
	list->list[i].memfd = memfd;
	list->list[i].offset = PAGES(page);
	list->list[i].size = PAGES(pages);
}

/* Gives every page of a memfd its number, and a salt that tells memfds apart. */
static void number_pages(int memfd, int pages, int salt)
{
	int i;

	for (i = 0; i < pages; i++) {
		int value = salt + i;

		if (pwrite(memfd, &value, sizeof(value), PAGES(i)) < 0)
			abort();
	}
}

static int number_at(const char *map, int page)
{
	return *(const int *)(map + PAGES(page));
}

static void *map_shared(int fd, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static long free_kib(void)
{
	return read_field("/proc/meminfo", "MemFree:");
}

static int set_parameter(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return write_text(path, value);
}

static int set_limit(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return set_parameter(name, text);
}

static long parameter(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return read_file(path, text, sizeof(text)) < 0 ? -1 : strtol(text, NULL, 10);
}

FIXTURE(udmabuf)
{
	int dev;
	int memfd;
};

FIXTURE_SETUP(udmabuf)
{
	self->dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (self->dev < 0)
		SKIP(return, "no /dev/udmabuf (CONFIG_UDMABUF)");
	self->memfd = memfd_with(PAGES(16), F_SEAL_SHRINK);
	ASSERT_LE(0, self->memfd);
	number_pages(self->memfd, 16, 100);
}

FIXTURE_TEARDOWN(udmabuf)
{
}

/* --------------------------------------------------------------- arguments */

TEST_F(udmabuf, refuses_unknown_commands)
{
	struct udmabuf_create arg = { .memfd = self->memfd, .size = PAGE };
	const unsigned long unknown[] = {
		_IOR('u', 0x42, struct udmabuf_create),
		_IOW('u', 0x41, struct udmabuf_create),
		_IOW('u', 0x44, struct udmabuf_create),
		_IOW('u', 0x42, __u32),
		_IOW('b', 0x42, struct udmabuf_create),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->dev, unknown[i], &arg))
			TH_LOG("command %#lx", unknown[i]);
	}
}

TEST_F(udmabuf, refuses_bad_pointers)
{
	char *page = page_before_hole(_metadata);
	struct udmabuf_create_list *list;

	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, UDMABUF_CREATE, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, UDMABUF_CREATE_LIST, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, UDMABUF_CREATE, page + PAGE - 8));
	/* The head is there, and half of the second piece. */
	list = (void *)(page + PAGE - sizeof(*list) - sizeof(list->list[0]) * 3 / 2);
	list->count = 2;
	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
}

TEST_F(udmabuf, list_has_a_limit)
{
	const __u32 limit = parameter("list_limit");
	struct udmabuf_create_list *list = list_of(limit + 1);
	__u32 i;
	int buf;

	EXPECT_EQ(8192, limit);
	for (i = 0; i <= limit; i++)
		list_set(list, i, self->memfd, i % 16, 1);
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list->count = -1U;
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list->count = 0;
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list->count = limit;
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)PAGES(limit), lseek(buf, 0, SEEK_END));
}

TEST_F(udmabuf, refuses_pieces_that_are_not_aligned)
{
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 1, PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, PAGE / 2, PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, PAGE - 1, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, PAGE + 1, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, -1ULL, PAGE, 0));
}

TEST_F(udmabuf, refuses_pieces_without_size)
{
	struct udmabuf_create_list *list = list_of(2);

	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, 0, 0));
	list_set(list, 0, self->memfd, 0, 0);
	list_set(list, 1, self->memfd, 0, 0);
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list_set(list, 0, self->memfd, 0, 1);
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
}

TEST_F(udmabuf, refuses_sizes_that_overflow)
{
	struct udmabuf_create_list *list = list_of(2);

	list->list[0].memfd = self->memfd;
	list->list[0].size = 1ULL << 63;
	list->list[1] = list->list[0];
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list->list[0].size = PAGE;
	list->list[1].size = -(__u64)PAGE;
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	/* what 32 bits of pages or bytes do not tell from one page */
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, (1ULL << 32) + PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, (1ULL << 44) + PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, -(__u64)PAGE, PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 1ULL << 63, PAGE, 0));
}

TEST_F(udmabuf, size_has_a_limit)
{
	long limit = parameter("size_limit_mb");
	int memfd = memfd_with((limit + 1) * MIB, F_SEAL_SHRINK);

	ASSERT_LE(0, memfd);
	EXPECT_EQ(256, limit);
	ASSERT_EQ(0, set_limit("size_limit_mb", 1));
	EXPECT_EQ(-EINVAL, create(self->dev, memfd, 0, MIB + PAGE, 0));
	EXPECT_LE(0, create(self->dev, memfd, 0, MIB, 0));
	ASSERT_EQ(0, set_limit("size_limit_mb", limit));
	EXPECT_LE(0, create(self->dev, memfd, 0, MIB + PAGE, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, memfd, 0, limit * MIB + PAGE, 0));
}

/* Arguments are checked before the file descriptors are looked at. */
TEST_F(udmabuf, arguments_are_checked_before_descriptors)
{
	struct udmabuf_create_list *list = list_of(2);

	list_set(list, 0, -1, 0, 1);
	list_set(list, 1, self->memfd, 0, 1);
	list->list[1].size = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list->list[1].size = PAGE;
	EXPECT_EQ(-EBADFD, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	list_set(list, 0, self->memfd, 16, 1);
	list_set(list, 1, -1, 0, 1);
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
}

TEST_F(udmabuf, refuses_files_other_than_memfds)
{
	int pipes[2], other;

	EXPECT_EQ(-EBADFD, create(self->dev, -1, 0, PAGE, 0));
	EXPECT_EQ(-EBADFD, create(self->dev, 1000, 0, PAGE, 0));
	EXPECT_EQ(-EBADFD, create(self->dev, self->dev, 0, PAGE, 0));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADFD, create(self->dev, pipes[0], 0, PAGE, 0));
	other = open("/proc/self/status", O_RDONLY);
	EXPECT_EQ(-EBADFD, create(self->dev, other, 0, PAGE, 0));
	close(other);
	other = create(self->dev, self->memfd, 0, PAGE, 0);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EBADFD, create(self->dev, other, 0, PAGE, 0));
}

TEST_F(udmabuf, needs_a_sealed_memfd)
{
	const struct {
		unsigned int seals;
		int error;
	} cases[] = {
		{ 0, -EINVAL },
		{ F_SEAL_GROW, -EINVAL },
		{ F_SEAL_WRITE, -EINVAL },
		{ F_SEAL_SHRINK | F_SEAL_WRITE, -EINVAL },
		{ F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, -EINVAL },
		{ F_SEAL_SHRINK, 0 },
		{ F_SEAL_SHRINK | F_SEAL_GROW, 0 },
		{ F_SEAL_SHRINK | F_SEAL_SEAL, 0 },
		{ F_SEAL_SEAL, -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int memfd = memfd_with(PAGE, cases[i].seals);
		int buf = create(self->dev, memfd, 0, PAGE, 0);

		ASSERT_LE(0, memfd);
		EXPECT_EQ(cases[i].error, buf < 0 ? buf : 0)
			TH_LOG("seals %#x", cases[i].seals);
		if (buf >= 0)
			close(buf);
		close(memfd);
	}
}

/* The memory may be written as long as there is the buffer. */
TEST_F(udmabuf, write_seal_comes_too_late)
{
	int buf = create(self->dev, self->memfd, 0, PAGE, 0);

	ASSERT_LE(0, buf);
	EXPECT_EQ(-1, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	close(buf);
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST_F(udmabuf, outside_of_the_file)
{
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, 0, PAGES(17), 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, PAGES(15), PAGES(2), 0));
	EXPECT_EQ(-EINVAL, create(self->dev, self->memfd, PAGES(16), PAGE, 0));
	EXPECT_LE(0, create(self->dev, self->memfd, PAGES(15), PAGE, 0));
}

static int reopened_for_reading(int memfd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A descriptor of a memfd that is open for reading does not give write access. */
TEST_F(udmabuf, memfd_open_for_reading)
{
	int memfd = reopened_for_reading(self->memfd), buf;
	char *map;

	ASSERT_LE(0, memfd);
	buf = create(self->dev, memfd, PAGES(3), PAGES(2), 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(O_RDONLY, fcntl(buf, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(MAP_FAILED, map_shared(buf, PAGES(2)));
	EXPECT_EQ(EACCES, errno);
	map = mmap(NULL, PAGES(2), PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(103, number_at(map, 0));
	EXPECT_EQ(104, number_at(map, 1));
	EXPECT_EQ(-1, mprotect(map, PAGES(2), PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

/* One piece is enough: the buffer has one mode. */
TEST_F(udmabuf, one_piece_open_for_reading)
{
	struct udmabuf_create_list *list = list_of(2);
	int memfd = reopened_for_reading(self->memfd), buf;

	ASSERT_LE(0, memfd);
	list_set(list, 0, self->memfd, 0, 1);
	list_set(list, 1, memfd, 1, 1);
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	ASSERT_LE(0, buf);
	EXPECT_EQ(O_RDONLY, fcntl(buf, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(MAP_FAILED, map_shared(buf, PAGES(2)));
}

/* A device that may write is a writer, too. */
TEST_F(udmabuf, device_and_memfd_open_for_reading)
{
	int memfd = reopened_for_reading(self->memfd), buf, drm;
	__u32 handle;

	drm = setup_drm(_metadata, "vgem");
	if (drm < 0)
		return;
	ASSERT_LE(0, memfd);
	buf = create(self->dev, memfd, 0, PAGES(2), 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-EACCES, drm_import(drm, buf, &handle));
}

TEST_F(udmabuf, ignores_unknown_flags_and_padding)
{
	struct udmabuf_create_list *list = list_of(1);
	int buf;

	buf = create(self->dev, self->memfd, 0, PAGE, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, fcntl(buf, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(buf, F_GETFL) & O_ACCMODE);
	close(buf);
	buf = create(self->dev, self->memfd, 0, PAGE, UDMABUF_FLAGS_CLOEXEC);
	ASSERT_LE(0, buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
	close(buf);
	buf = create(self->dev, self->memfd, 0, PAGE, ~UDMABUF_FLAGS_CLOEXEC);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, fcntl(buf, F_GETFD));
	close(buf);
	list_set(list, 0, self->memfd, 0, 1);
	list->flags = ~0U;
	list->list[0].__pad = ~0U;
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	ASSERT_LE(0, buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
}

TEST_F(udmabuf, parameters_refuse_nonsense)
{
	static const char * const nonsense[] = {
		"-2", "0", "2147483648", "4294967296", "9223372036854775807", "many",
	};
	static const char * const names[] = { "list_limit", "size_limit_mb" };
	const long before[] = { 8192, 256 };
	size_t i, name;

	if (access(PARAMETERS "list_limit", W_OK))
		SKIP(return, "parameters cannot be written");
	for (name = 0; name < 2; name++) {
		for (i = 0; i < ARRAY_SIZE(nonsense); i++) {
			EXPECT_EQ(-EINVAL, set_parameter(names[name], nonsense[i]))
				TH_LOG("%s=%s", names[name], nonsense[i]);
		}
		EXPECT_EQ(-EINVAL, set_parameter(names[name], "2147483647"));
		EXPECT_EQ(before[name], parameter(names[name]));
	}
}

/* A frame of 3840 x 2160 pixels, which a guest has anywhere in its memory. */
TEST_F_TIMEOUT(udmabuf, pieces_of_a_large_frame, 300)
{
	const int pieces = 8100;
	struct udmabuf_create_list *list = list_of(pieces);
	int memfd = memfd_with(2 * PAGES((__u64)pieces), F_SEAL_SHRINK), buf, i;

	ASSERT_LE(0, memfd);
	for (i = 0; i < pieces; i++)
		list_set(list, i, memfd, 2 * i, 1);
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	EXPECT_LE(0, buf);
}

TEST_F(udmabuf, minus_one_is_no_limit)
{
	const long before = parameter("list_limit");

	if (set_parameter("list_limit", "-1"))
		SKIP(return, "parameters cannot be written");
	EXPECT_LT(1000000, parameter("list_limit"));
	EXPECT_EQ(0, set_limit("list_limit", before));
}

/* The largest list there can be: refused for lack of memory, and quietly. */
TEST_F(udmabuf, huge_list_is_refused_quietly)
{
	struct udmabuf_create_list head = { .count = 89000000 };
	long limit = parameter("list_limit");

	if (set_limit("list_limit", head.count))
		SKIP(return, "parameters cannot be written");
	EXPECT_GT(0, do_ioctl(self->dev, UDMABUF_CREATE_LIST, &head));
	EXPECT_EQ(0, set_limit("list_limit", limit));
	EXPECT_EQ(limit, parameter("list_limit"));
}

TEST_F(udmabuf, full_descriptor_table_leaves_nothing)
{
	struct rlimit old;

	fill_fd_table(_metadata, &old);
	EXPECT_EQ(-EMFILE, create(self->dev, self->memfd, 0, PAGE, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	/* No pin is left, or this would be refused. */
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST_F(udmabuf, failed_piece_unpins_the_others)
{
	struct udmabuf_create_list *list = list_of(3);

	list_set(list, 0, self->memfd, 0, 4);
	list_set(list, 1, self->memfd, 2, 4);
	list_set(list, 2, self->memfd, 15, 2);
	EXPECT_EQ(-EINVAL, do_ioctl(self->dev, UDMABUF_CREATE_LIST, list));
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

/* ---------------------------------------------------------------- contents */

TEST_F(udmabuf, shows_the_memfd)
{
	int buf = create(self->dev, self->memfd, PAGES(3), PAGES(4), 0);
	char *map, *mem;
	int i;

	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)PAGES(4), lseek(buf, 0, SEEK_END));
	map = map_shared(buf, PAGES(4));
	mem = map_shared(self->memfd, PAGES(16));
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, mem);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(103 + i, number_at(map, i));
	*(int *)map = 1;
	EXPECT_EQ(1, number_at(mem, 3));
	*(int *)(mem + PAGES(6)) = 2;
	EXPECT_EQ(2, number_at(map, 3));
	close(self->memfd);
	munmap(mem, PAGES(16));
	EXPECT_EQ(1, number_at(map, 0));
}

TEST_F(udmabuf, list_shows_pieces_in_order)
{
	struct udmabuf_create_list *list = list_of(5);
	const int want[] = { 105, 106, 100, 505, 506, 507, 105, 115 };
	int other = memfd_with(PAGES(8), F_SEAL_SHRINK);
	char *map;
	int buf, i;

	ASSERT_LE(0, other);
	number_pages(other, 8, 500);
	list_set(list, 0, self->memfd, 5, 2);
	list_set(list, 1, self->memfd, 0, 1);
	list_set(list, 2, other, 5, 3);
	list_set(list, 3, self->memfd, 5, 1);
	list_set(list, 4, self->memfd, 15, 1);
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	ASSERT_LE(0, buf);
	map = map_shared(buf, PAGES(8));
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(want[i], number_at(map, i));
	*(int *)map = 7;
	EXPECT_EQ(7, number_at(map, 6));
	munmap(map, PAGES(8));
	close(buf);
	close(other);
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST_F(udmabuf, any_part_can_be_mapped)
{
	int buf = create(self->dev, self->memfd, 0, PAGES(16), 0);
	int first, i;

	ASSERT_LE(0, buf);
	for (first = 15; first >= 0; first--) {
		char *map = mmap(NULL, PAGES(16 - first), PROT_READ, MAP_SHARED, buf,
				 PAGES(first));

		ASSERT_NE(MAP_FAILED, map);
		for (i = 15 - first; i >= 0; i--)
			EXPECT_EQ(100 + first + i, number_at(map, i));
		munmap(map, PAGES(16 - first));
	}
}

TEST_F(udmabuf, private_mapping_is_refused)
{
	int buf = create(self->dev, self->memfd, 0, PAGE, 0);

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, buf, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, buf, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(udmabuf, no_mapping_beyond_the_end)
{
	int buf = create(self->dev, self->memfd, 0, PAGES(2), 0);
	char *map;

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, map_shared(buf, PAGES(3)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, PAGES(2)));
	map = map_shared(buf, PAGES(2));
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MAP_FAILED, mremap(map, PAGES(2), PAGES(3), MREMAP_MAYMOVE));
	map = mremap(map, PAGES(2), PAGE, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(100, number_at(map, 0));
}

TEST_F(udmabuf, mapping_can_be_moved)
{
	int buf = create(self->dev, self->memfd, 0, PAGES(16), 0);
	char *map, *place, *moved;

	ASSERT_LE(0, buf);
	map = map_shared(buf, PAGES(16));
	place = mmap(NULL, PAGES(16), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	moved = mremap(map + PAGES(8), PAGES(8), PAGES(8),
		       MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_EQ(place, moved);
	EXPECT_EQ(115, number_at(moved, 7));
	EXPECT_EQ(108, number_at(moved, 0));
	EXPECT_EQ(107, number_at(map, 7));
}

/* -------------------------------------------------------------- CPU access */

TEST_F(udmabuf, end_needs_a_begin)
{
	int buf = create(self->dev, self->memfd, 0, PAGE, 0);

	ASSERT_LE(0, buf);
	EXPECT_EQ(-EINVAL, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
}

/* While attached, in all directions; the DMA API checks itself what it can. */
TEST_F(udmabuf, cpu_access_works_while_attached)
{
	int drm = setup_drm(_metadata, "vgem");
	const __u64 flags[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW };
	__u32 handle;
	size_t i;
	int buf;

	if (drm < 0)
		return;
	buf = create(self->dev, self->memfd, 0, PAGES(16), 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drm_import(drm, buf, &handle));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(0, sync_buffer(buf, flags[i] | DMA_BUF_SYNC_START));
		EXPECT_EQ(0, sync_buffer(buf, flags[i] | DMA_BUF_SYNC_END));
	}
	EXPECT_EQ(0, drm_close_handle(drm, handle));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
}

/* One of two who have half of a buffer each. */
struct half {
	int buf;
	unsigned char *bytes;
	unsigned char value;
	unsigned int errors;
};

static void *access_often(void *arg)
{
	struct half *half = arg;
	int i, j;

	for (i = 0; i < 50; i++) {
		half->errors += sync_buffer(half->buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START) != 0;
		memset(half->bytes, half->value + i, PAGES(8));
		sched_yield();
		for (j = 0; j < 8; j++)
			half->errors += half->bytes[PAGES(j)] !=
					(unsigned char)(half->value + i);
		half->errors += sync_buffer(half->buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END) != 0;
	}
	return NULL;
}

/* A leak by two concurrent first accesses is found by kmemleak after the run. */
TEST_F(udmabuf, first_access_by_two_threads)
{
	int round;

	for (round = 0; round < 50; round++) {
		int buf = create(self->dev, self->memfd, 0, PAGES(16), 0);
		struct half first = { .buf = buf, .value = round };
		struct half second = { .buf = buf, .value = round + 100 };
		unsigned char seen[2];
		pthread_t thread;

		ASSERT_LE(0, buf);
		first.bytes = map_shared(buf, PAGES(16));
		ASSERT_NE(MAP_FAILED, (void *)first.bytes);
		second.bytes = first.bytes + PAGES(8);
		ASSERT_EQ(0, pthread_create(&thread, NULL, access_often, &second));
		access_often(&first);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, first.errors);
		EXPECT_EQ(0, second.errors);
		ASSERT_EQ(1, pread(self->memfd, &seen[0], 1, PAGES(8) - 1));
		ASSERT_EQ(1, pread(self->memfd, &seen[1], 1, PAGES(8)));
		EXPECT_EQ((unsigned char)(first.value + 49), seen[0]);
		EXPECT_EQ((unsigned char)(second.value + 49), seen[1]);
		munmap(first.bytes, PAGES(16));
		close(buf);
	}
}

TEST_F(udmabuf, example_of_the_book)
{
	EXPECT_EQ(0, example_main());
}

/* ------------------------------------------------------------ nothing lost */

TEST_F_TIMEOUT(udmabuf, closing_frees_the_memory, 900)
{
	long before = 0, lost;
	int i;

	for (i = 0; i < 10100; i++) {
		int buf = create(self->dev, self->memfd, 0, PAGES(16), 0);

		ASSERT_LE(0, buf);
		ASSERT_EQ(0, close(buf));
		if (i == 99)
			before = free_kib();
	}
	lost = before - free_kib();
	/* A page lost per round would be 40 MiB. */
	EXPECT_GT(16 * 1024, lost);
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST_F(udmabuf, failed_creation_leaves_nothing)
{
	struct udmabuf_create_list *list = list_of(64);
	unsigned int refused = 0;
	struct fail_nth fail;
	bool failed;
	int i, buf, fds;

	for (i = 0; i < 64; i++)
		list_set(list, i, self->memfd, 15 - i % 16, 1);
	if (!fail_nth_setup(_metadata, &fail))
		return;
	fds = taken_fds();
	do {
		fail_nth_arm(_metadata, &fail);
		buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
		failed = fail_nth_disarm(_metadata, &fail);
		if (buf >= 0) {
			close(buf);
		} else {
			EXPECT_TRUE(fail_nth_refused(buf));
			refused++;
		}
	} while (failed);
	EXPECT_LT(3U, refused);
	EXPECT_EQ(fds, taken_fds());
	EXPECT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE));
}

/* ------------------------------------------------- pages that were never written */

/* Memory that a memfd got by fallocate(), and that was never written. */
static int fallocated_memfd(struct __test_metadata *_metadata, size_t size)
{
	int memfd = memfd_with(size, 0);

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, fallocate(memfd, 0, 0, size));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	return memfd;
}

/* The memfd takes such pages for empty until they are used through it. */
TEST_F(udmabuf, fallocated_pages_keep_what_is_written)
{
	int memfd = fallocated_memfd(_metadata, PAGES(4)), number = 0, i;
	int buf = create(self->dev, memfd, 0, PAGES(4), 0);
	char *map, *mem;

	ASSERT_LE(0, buf);
	map = map_shared(buf, PAGES(4));
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 4; i++)
		*(int *)(map + PAGES(i)) = 1000 + i;
	ASSERT_EQ((ssize_t)sizeof(number), pread(memfd, &number, sizeof(number), PAGES(1)));
	EXPECT_EQ(1001, number);
	mem = map_shared(memfd, PAGES(4));
	ASSERT_NE(MAP_FAILED, mem);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1000 + i, number_at(mem, i));
		EXPECT_EQ(1000 + i, number_at(map, i));
	}
	number = 7;
	ASSERT_EQ((ssize_t)sizeof(number), pwrite(memfd, &number, sizeof(number),
						  PAGES(3) + sizeof(number)));
	EXPECT_EQ(1003, number_at(map, 3));
	munmap(mem, PAGES(4));
	munmap(map, PAGES(4));
	close(buf);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ((ssize_t)sizeof(number),
			  pread(memfd, &number, sizeof(number), PAGES(i)));
		EXPECT_EQ(1000 + i, number);
	}
}

/* A process that fills memory with its secret, and ends. */
static void leave_secret_behind(struct __test_metadata *_metadata, size_t size)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid) {
		char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (mem == MAP_FAILED)
			_exit(1);
		memset(mem, 0x5c, size);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST_F_TIMEOUT(udmabuf, fallocated_pages_are_zero, 300)
{
	const size_t size = 32 * MIB;
	long available = free_kib();
	size_t i, dirty = 0;
	int memfd, buf;
	long *map;

	if (available < 128 * 1024)
		SKIP(return, "not enough memory");
	/* More takes an emulated machine minutes. */
	if (available > 512 * 1024)
		available = 512 * 1024;
	leave_secret_behind(_metadata, available / 2 * 1024);
	memfd = fallocated_memfd(_metadata, size);
	buf = create(self->dev, memfd, 0, size, 0);
	ASSERT_LE(0, buf);
	map = map_shared(buf, size);
	ASSERT_NE((long *)MAP_FAILED, map);
	for (i = 0; i < size / sizeof(*map); i++)
		dirty += !!map[i];
	EXPECT_EQ(0, dirty);
}

/*
 * A hole in part of a large folio is zeroed in place: the rest must stay, though only
 * the buffer has written it.
 */
TEST_F(udmabuf, hole_leaves_the_rest)
{
	int memfd = fallocated_memfd(_metadata, 2 * HUGE_PAGE), number, i;
	int buf = create(self->dev, memfd, 0, 2 * HUGE_PAGE, 0);
	char *map;

	ASSERT_LE(0, buf);
	map = map_shared(buf, 2 * HUGE_PAGE);
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 1024; i++)
		*(int *)(map + PAGES(i)) = 1 + i;
	munmap(map, 2 * HUGE_PAGE);
	ASSERT_EQ(0, fallocate(memfd, 3 /* PUNCH_HOLE, KEEP_SIZE */, PAGES(700), PAGES(1)));
	for (i = 0; i < 1024; i += i == 699 ? 2 : 1) {
		ASSERT_EQ((ssize_t)sizeof(number),
			  pread(memfd, &number, sizeof(number), PAGES(i)));
		ASSERT_EQ(1 + i, number);
	}
}

/* -------------------------------------------------------------- huge pages */

/* More huge pages than fit into the first; the buffer begins within one. */
static void check_huge(struct __test_metadata *_metadata, int dev, int memfd)
{
	const int first = 509, pages = 800;
	char *mem = map_shared(memfd, 4 * HUGE_PAGE), *map;
	int buf, i;

	if (mem == MAP_FAILED)
		SKIP(return, "no huge pages are reserved (vm.nr_hugepages)");
	madvise(mem, 4 * HUGE_PAGE, MADV_HUGEPAGE);
	for (i = 0; i < 2048; i++)
		*(int *)(mem + PAGES(i)) = i;
	buf = create(dev, memfd, PAGES(first), PAGES(pages), 0);
	ASSERT_LE(0, buf);
	map = map_shared(buf, PAGES(pages));
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < pages; i++)
		ASSERT_EQ(first + i, number_at(map, i));
	munmap(map, PAGES(pages));
	munmap(mem, 4 * HUGE_PAGE);
	close(buf);
	EXPECT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	close(memfd);
}

TEST_F(udmabuf, begins_within_hugetlb_page)
{
	int memfd = syscall(SYS_memfd_create, "huge", 2 | 4 /* SEALS, HUGETLB */);

	if (memfd < 0)
		SKIP(return, "no memfds of huge pages (CONFIG_HUGETLBFS)");
	ASSERT_EQ(0, ftruncate(memfd, 4 * HUGE_PAGE));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	check_huge(_metadata, self->dev, memfd);
}

/* Folios are as large as the kernel makes them, small ones without THP. */
TEST_F(udmabuf, begins_within_large_folio)
{
	int memfd = memfd_with(4 * HUGE_PAGE, F_SEAL_SHRINK);

	ASSERT_LE(0, memfd);
	check_huge(_metadata, self->dev, memfd);
}

/* A piece of a huge page that begins within it, then another of the next one. */
TEST_F(udmabuf, pieces_of_huge_pages)
{
	struct udmabuf_create_list *list = list_of(2);
	int memfd = syscall(SYS_memfd_create, "huge", 2 | 4 /* SEALS, HUGETLB */);
	char *mem, *map;
	int buf, i;

	if (memfd < 0)
		SKIP(return, "no memfds of huge pages (CONFIG_HUGETLBFS)");
	ASSERT_EQ(0, ftruncate(memfd, 2 * HUGE_PAGE));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	mem = map_shared(memfd, 2 * HUGE_PAGE);
	if (mem == MAP_FAILED)
		SKIP(return, "no huge pages are reserved (vm.nr_hugepages)");
	for (i = 0; i < 1024; i++)
		*(int *)(mem + PAGES(i)) = i;
	list_set(list, 0, memfd, 500, 20);
	list_set(list, 1, memfd, 520, 3);
	buf = do_ioctl(self->dev, UDMABUF_CREATE_LIST, list);
	ASSERT_LE(0, buf);
	map = map_shared(buf, PAGES(23));
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 23; i++)
		EXPECT_EQ(500 + i, number_at(map, i));
}

TEST_HARNESS_MAIN
