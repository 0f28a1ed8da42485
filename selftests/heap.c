// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA_HEAP_IOCTL_ALLOC, and the buffers of the system heap
 */
#include <assert.h>
#include <stddef.h>
#include <sys/wait.h>

#include "common.h"

#define main example_main
#include "heap_example.c"
#undef main

#define HEAP_DIR	"/dev/dma_heap"
#define SYSTEM_NODE	HEAP_DIR "/system"
#define MIB		(1024UL * 1024)

static_assert(sizeof(struct dma_heap_allocation_data) == 24, "as in all kernels since 5.6");
static_assert(DMA_HEAP_IOCTL_ALLOC == 0xc0184800, "as in all kernels since 5.6");

/* The command as a header with another argument would encode it. */
#define ALLOC_OF_SIZE(size) \
	_IOC(_IOC_READ | _IOC_WRITE, DMA_HEAP_IOC_MAGIC, 0, size)

FIXTURE(heap)
{
	int dev;
	int fds;
};

FIXTURE_SETUP(heap)
{
	self->dev = open(SYSTEM_NODE, O_RDONLY | O_CLOEXEC);
	if (self->dev < 0)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM, root)");
	self->fds = taken_fds();
}

FIXTURE_TEARDOWN(heap)
{
	close(self->dev);
}

static int alloc(int dev, __u64 len)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

static void *map(struct __test_metadata *_metadata, int buf, size_t size)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);

	ASSERT_NE(MAP_FAILED, addr);
	return addr;
}

static bool is_filled(const unsigned char *bytes, unsigned char value, size_t size)
{
	return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

/* In KiB. */
static long free_memory(struct __test_metadata *_metadata)
{
	long kib = read_field("/proc/meminfo", "MemFree:");

	ASSERT_LE(0, kib);
	return kib;
}

/* Pages that were allocated since the boot, freed or not. */
static long allocated_pages(struct __test_metadata *_metadata)
{
	char text[16384], *at = text;
	long pages = 0;

	ASSERT_LT(0, read_file("/proc/vmstat", text, sizeof(text)));
	while ((at = strstr(at, "\npgalloc_"))) {
		at = strchr(at, ' ');
		pages += strtol(at, NULL, 10);
	}
	return pages;
}

/* --------------------------------------------------------------- arguments */

TEST_F(heap, device_can_only_be_opened_by_root_and_not_read)
{
	char byte = 0;
	struct stat st;

	ASSERT_EQ(0, stat(SYSTEM_NODE, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(-1, lseek(self->dev, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, read(self->dev, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(heap, device_number_without_heap_cannot_be_opened)
{
	char path[] = "/tmp/heap-XXXXXX";
	struct stat st;

	ASSERT_EQ(0, fstat(self->dev, &st));
	ASSERT_NE(NULL, mkdtemp(path));
	ASSERT_EQ(0, rmdir(path));
	ASSERT_EQ(0, mknod(path, S_IFCHR | 0600, st.st_rdev + 127));
	EXPECT_EQ(-1, open(path, O_RDONLY));
	EXPECT_EQ(ENODEV, errno);
	unlink(path);
}

TEST_F(heap, refuses_sizes_without_memory)
{
	static const struct {
		__u64 len;
		int ret;
	} sizes[] = {
		{ 0, -EINVAL },
		{ ~0ULL, -EINVAL },
		{ ~0ULL - 4094, -EINVAL },
		{ 1ULL << 63, -ENOMEM },
		{ 1ULL << 62, -ENOMEM },
		{ 1ULL << 44, -ENOMEM },
		{ (1ULL << 32) * 4096, -ENOMEM },
		{ (1ULL << 32) * 4096 + 4096, -ENOMEM },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(sizes[i].ret, alloc(self->dev, sizes[i].len))
			TH_LOG("len %#llx", sizes[i].len);
	}
	EXPECT_EQ(self->fds, taken_fds());
}

/* Refused at once, not when nothing is left. */
TEST_F(heap, larger_than_the_machine)
{
	__u64 all = (__u64)sysconf(_SC_PHYS_PAGES) * page_size();
	long before = allocated_pages(_metadata);

	EXPECT_EQ(-ENOMEM, alloc(self->dev, all + 64 * MIB));
	EXPECT_GT(8 * MIB / page_size(), allocated_pages(_metadata) - before);
}

static long oom_kills(struct __test_metadata *_metadata)
{
	long kills = read_field("/proc/vmstat", "oom_kill ");

	ASSERT_LE(0, kills);
	return kills;
}

/* As much as there is, but not all of that is free: no task is killed for it. */
TEST_F(heap, all_of_the_machine)
{
	__u64 all = (__u64)sysconf(_SC_PHYS_PAGES) * page_size();
	long before = oom_kills(_metadata), free = free_memory(_metadata);

	if (all > 4ULL << 30)
		SKIP(return, "takes too long with that much memory");
	EXPECT_EQ(-ENOMEM, alloc(self->dev, all));
	EXPECT_EQ(before, oom_kills(_metadata));
	EXPECT_GT(16 * 1024, free - free_memory(_metadata));
	EXPECT_EQ(self->fds, taken_fds());
}

TEST_F(heap, rounds_up_to_pages)
{
	static const size_t lens[] = { 1, 4095, 4096, 4097, 65537, 3 * MIB + 1 };
	size_t i, want;
	int buf;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		want = (lens[i] + page_size() - 1) & ~(page_size() - 1);
		buf = alloc(self->dev, lens[i]);
		ASSERT_LE(0, buf);
		EXPECT_EQ((off_t)want, lseek(buf, 0, SEEK_END));
		map(_metadata, buf, want);
		EXPECT_EQ(MAP_FAILED, mmap(NULL, want + page_size(), PROT_READ,
					   MAP_SHARED, buf, 0));
		close(buf);
	}
}

TEST_F(heap, kind_is_told)
{
	char text[64];

	ASSERT_LT(0, read_file("/sys/class/dma_heap/system/kind", text, sizeof(text)));
	EXPECT_STREQ("system\n", text);
	/* Its memory is that of the machine, which /proc/meminfo tells of. */
	EXPECT_NE(0, access("/sys/class/dma_heap/system/total", F_OK));
}

TEST_F(heap, refuses_unknown_flags_and_a_descriptor)
{
	const struct dma_heap_allocation_data bad[] = {
		{ .len = 4096, .fd = 1 },
		{ .len = 4096, .fd = -1 },
		{ .len = 4096, .heap_flags = 1 },
		{ .len = 4096, .heap_flags = 1ULL << 63 },
		{ .len = 4096, .fd_flags = O_NONBLOCK },
		{ .len = 4096, .fd_flags = ~(O_RDWR | O_CLOEXEC) },
	};
	struct dma_heap_allocation_data data;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		data = bad[i];
		EXPECT_EQ(-EINVAL, do_ioctl(self->dev, DMA_HEAP_IOCTL_ALLOC, &data))
			TH_LOG("request %zu", i);
		EXPECT_EQ(0, memcmp(&data, &bad[i], sizeof(data)));
	}
	EXPECT_EQ(self->fds, taken_fds());
}

TEST_F(heap, descriptor_has_the_flags_asked_for)
{
	static const unsigned int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CLOEXEC,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = flags[i] };

		ASSERT_EQ(0, do_ioctl(self->dev, DMA_HEAP_IOCTL_ALLOC, &data));
		EXPECT_EQ(flags[i] & O_ACCMODE, fcntl(data.fd, F_GETFL) & O_ACCMODE);
		EXPECT_EQ(flags[i] & O_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(data.fd, F_GETFD));
		close(data.fd);
	}
}

/* A descriptor that cannot be reported must not come to be. */
TEST_F(heap, refuses_other_commands_without_leaving_a_descriptor)
{
	const unsigned long bad[] = {
		_IO('H', 0),
		_IOW('H', 0, struct dma_heap_allocation_data),
		_IOR('H', 0, struct dma_heap_allocation_data),
		ALLOC_OF_SIZE(0),
		ALLOC_OF_SIZE(8),
		ALLOC_OF_SIZE(11),
		_IOWR('H', 1, struct dma_heap_allocation_data),
		_IOWR('H', 255, struct dma_heap_allocation_data),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dma_heap_allocation_data data = { .len = 4096 };

		EXPECT_EQ(-EINVAL, do_ioctl(self->dev, bad[i], &data))
			TH_LOG("command %#lx", bad[i]);
	}
	EXPECT_EQ(self->fds, taken_fds());
}

TEST_F(heap, takes_arguments_of_older_headers)
{
	static const size_t sizes[] = {
		offsetof(struct dma_heap_allocation_data, fd_flags),
		offsetof(struct dma_heap_allocation_data, heap_flags),
	};
	char *hole = page_before_hole(_metadata) + page_size();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct dma_heap_allocation_data data = { .len = 4096 };
		char *arg = hole - sizes[i];

		memcpy(arg, &data, sizes[i]);
		ASSERT_EQ(0, do_ioctl(self->dev, ALLOC_OF_SIZE(sizes[i]), arg));
		memcpy(&data, arg, sizes[i]);
		EXPECT_EQ(4096, lseek(data.fd, 0, SEEK_END));
		EXPECT_EQ(0, close(data.fd));
	}
}

TEST_F(heap, takes_arguments_of_newer_headers)
{
	struct {
		struct dma_heap_allocation_data data;
		unsigned char more[1000];
	} arg = { .data.len = 4096 };

	memset(arg.more, 0xa5, sizeof(arg.more));
	ASSERT_EQ(0, do_ioctl(self->dev, ALLOC_OF_SIZE(sizeof(arg)), &arg));
	EXPECT_TRUE(is_filled(arg.more, 0xa5, sizeof(arg.more)));
	EXPECT_EQ(0, close(arg.data.fd));
}

/* The kernel does not read the bytes beyond its structure, so they need not exist. */
TEST_F(heap, does_not_read_beyond_its_own_argument)
{
	struct dma_heap_allocation_data data = { .len = 4096 };
	char *arg = page_before_hole(_metadata) + page_size() - sizeof(data);

	memcpy(arg, &data, sizeof(data));
	ASSERT_EQ(0, do_ioctl(self->dev, ALLOC_OF_SIZE(sizeof(data) + 8), arg));
	memcpy(&data, arg, sizeof(data));
	EXPECT_EQ(4096, lseek(data.fd, 0, SEEK_END));
	EXPECT_EQ(0, close(data.fd));
}

TEST_F(heap, refuses_bad_pointers_without_leaving_a_descriptor)
{
	char *hole = page_before_hole(_metadata) + page_size();

	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, DMA_HEAP_IOCTL_ALLOC, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->dev, DMA_HEAP_IOCTL_ALLOC, hole - 8));
	EXPECT_EQ(self->fds, taken_fds());
}

/* The buffer is there when it turns out that it cannot be reported. */
TEST_F(heap, result_cannot_be_written)
{
	char *page = page_before_hole(_metadata);
	struct dma_heap_allocation_data data = { .len = 64 * MIB };
	long before;
	int i;

	memcpy(page, &data, sizeof(data));
	ASSERT_EQ(0, mprotect(page, page_size(), PROT_READ));
	before = free_memory(_metadata);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EFAULT, do_ioctl(self->dev, DMA_HEAP_IOCTL_ALLOC, page));
	EXPECT_EQ(self->fds, taken_fds());
	EXPECT_GT(32 * 1024, before - free_memory(_metadata));
}

TEST_F(heap, full_descriptor_table_is_reported)
{
	struct rlimit old;
	int ret;

	fill_fd_table(_metadata, &old);
	ret = alloc(self->dev, 4096);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(self->fds, taken_fds());
}

/* --------------------------------------------------------------- behaviour */

TEST_F(heap, recycled_pages_are_zero)
{
	static const size_t sizes[] = { 4096, 65536 + 4096, 8 * MIB };
	size_t i, round;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (round = 0; round < 8; round++) {
			int buf = alloc(self->dev, sizes[i]);
			unsigned char *bytes;

			ASSERT_LE(0, buf);
			bytes = map(_metadata, buf, sizes[i]);
			EXPECT_TRUE(is_filled(bytes, 0, sizes[i]));
			memset(bytes, 0xff, sizes[i]);
			munmap(bytes, sizes[i]);
			close(buf);
		}
	}
}

/* Each page has its number, whichever part of the buffer is mapped. */
TEST_F(heap, parts_can_be_mapped)
{
	const size_t pages = 1000;
	size_t size = pages * page_size(), first, i;
	int buf = alloc(self->dev, size);
	size_t *part;
	char *all;

	ASSERT_LE(0, buf);
	all = map(_metadata, buf, size);
	for (i = 0; i < pages; i++)
		memcpy(all + i * page_size(), &i, sizeof(i));
	for (first = 0; first < pages; first += 111) {
		size_t count = pages - first < 200 ? pages - first : 200;

		part = mmap(NULL, count * page_size(), PROT_READ, MAP_SHARED,
			    buf, first * page_size());
		ASSERT_NE(MAP_FAILED, part);
		for (i = 0; i < count; i++)
			EXPECT_EQ(first + i, part[i * page_size() / sizeof(*part)]);
		munmap(part, count * page_size());
	}
	close(buf);
}

TEST_F(heap, mapping_ends_with_the_buffer)
{
	int buf = alloc(self->dev, 4 * page_size());
	char *addr;

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_SHARED, buf,
				   4 * page_size()));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page_size(), PROT_READ, MAP_SHARED,
				   buf, 3 * page_size()));
	addr = map(_metadata, buf, 4 * page_size());
	EXPECT_EQ(MAP_FAILED, mremap(addr, 4 * page_size(), 8 * page_size(),
				     MREMAP_MAYMOVE));
	close(buf);
}

TEST_F(heap, private_mapping_is_one_page_only)
{
	int buf = alloc(self->dev, 4 * page_size());
	char *shared, *private;

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page_size(), PROT_READ, MAP_PRIVATE,
				   buf, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4 * page_size(), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, buf, 0));
	private = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       buf, page_size());
	ASSERT_NE(MAP_FAILED, private);
	*private = 1;
	shared = map(_metadata, buf, 4 * page_size());
	EXPECT_EQ(0, shared[page_size()]);
	close(buf);
}

TEST_F(heap, sync_works_while_imported)
{
	int drm = setup_drm(_metadata, "vgem"), buf;
	__u32 handle;

	if (drm < 0)
		return;
	buf = alloc(self->dev, 3 * MIB);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	ASSERT_EQ(0, drm_import(drm, buf, &handle));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, drm_close_handle(drm, handle));
	close(buf);
	close(drm);
}

/* Every allocation that the call makes fails in turn. */
TEST_F(heap, failed_allocation_leaves_nothing)
{
	unsigned int refused = 0;
	struct fail_nth fail;
	bool failed;
	int buf;

	if (!fail_nth_setup(_metadata, &fail))
		return;
	do {
		fail_nth_arm(_metadata, &fail);
		buf = alloc(self->dev, MIB);
		failed = fail_nth_disarm(_metadata, &fail);
		if (buf >= 0)
			close(buf);
		else
			EXPECT_TRUE(fail_nth_refused(buf));
		refused += buf < 0;
	} while (failed);
	EXPECT_LE(3, refused);
	close(fail.fd);
	EXPECT_EQ(self->fds, taken_fds());
}

/*
 * The pages that a child still gets when it has been killed in a large allocation,
 * or -1 if more than half of it was through by then.
 */
static long kill_while_allocating(struct __test_metadata *_metadata, int dev, long pages)
{
	long before = allocated_pages(_metadata), got;
	pid_t child;

	child = fork();
	if (!child) {
		if (alloc(dev, pages * page_size()) >= 0)
			pause();
		_exit(1);
	}
	ASSERT_LT(0, child);
	do {
		sleep_ms(1);
		/* It lives, or it has been refused the memory. */
		ASSERT_EQ(0, waitpid(child, NULL, WNOHANG));
		got = allocated_pages(_metadata) - before;
	} while (got < pages / 16);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	return got > pages / 2 ? -1 : allocated_pages(_metadata) - before - got;
}

/*
 * It takes some time to zero half of the free memory. A task that is killed meanwhile
 * does not zero the rest. How soon the child stops depends on when it gets a CPU, so
 * there are several tries; and on one CPU it may finish before it can be killed.
 */
TEST_F(heap, killed_task_stops_allocating)
{
	long before = free_memory(_metadata), left, least, pages;
	int i;

	pages = before * 1024 / 2 / page_size();
	if (pages > (2L << 30) / page_size())
		pages = (2L << 30) / page_size();
	least = pages;
	for (i = 0; i < 20 && least > pages / 8; i++) {
		left = kill_while_allocating(_metadata, self->dev, pages);
		if (left >= 0 && left < least)
			least = left;
	}
	EXPECT_GT(16 * 1024, before - free_memory(_metadata));
	if (least == pages)
		SKIP(return, "nobody was killed in time");
	EXPECT_GT(pages / 4, least);
}

TEST_F(heap, example_of_the_book)
{
	EXPECT_EQ(0, example_main());
}

TEST_F_TIMEOUT(heap, rounds_lose_no_memory, 900)
{
	long before = 0;
	int i;

	for (i = 0; i < 10000; i++) {
		int buf = alloc(self->dev, (1 + i % 32) * 4096UL);

		ASSERT_LE(0, buf);
		ASSERT_EQ(0, close(buf));
		/* By then the caches of the kernel are warm. */
		if (i == 1000)
			before = free_memory(_metadata);
	}
	/* One page lost in each round were 35 MiB. */
	EXPECT_GT(16 * 1024, before - free_memory(_metadata));
}

TEST_HARNESS_MAIN
