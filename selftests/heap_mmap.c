// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of the system heap's buffers in user space: each page shows what is in
 * the buffer there, whatever is done to the mapping, before it is touched and after.
 */
#include <sys/wait.h>

#include "common.h"

#define SYSTEM_NODE	"/dev/dma_heap/system"
#define THP_MODE	"/sys/kernel/mm/transparent_hugepage/enabled"
#define MIB		(1024UL * 1024)
/* Bytes that one entry of the upper table maps, for pages of 4 KiB. */
#define LARGE		(2 * MIB)
#define SIZE		(4 * LARGE)

FIXTURE(mapping)
{
	size_t page;
	int buf;
	char *bytes;
};

FIXTURE_VARIANT(mapping)
{
	bool touched;
};

/* Faults fill the mapping in the middle of the test. */
FIXTURE_VARIANT_ADD(mapping, fresh)
{
	.touched = false,
};

FIXTURE_VARIANT_ADD(mapping, touched)
{
	.touched = true,
};

static int alloc(int dev, __u64 len, __u32 flags)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = flags | O_CLOEXEC };
	int ret = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

static char *map(int buf, size_t from, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, MAP_SHARED | flags, buf, from);
}

/* Each page of the buffer has its number. */
static void number_pages(char *bytes, size_t size)
{
	for (size_t pos = 0; pos < size; pos += page_size())
		memcpy(bytes + pos, &pos, sizeof(pos));
}

/* How many pages from @bytes on do not have the numbers from @pos on. */
static int wrong_pages(const char *bytes, size_t pos, size_t size)
{
	size_t seen;
	int wrong = 0;

	for (size_t end = pos + size; pos < end; pos += page_size()) {
		memcpy(&seen, bytes, sizeof(seen));
		wrong += seen != pos;
		bytes += page_size();
	}
	return wrong;
}

/* The signal that kills who reads or writes there, or 0. */
static int signal_of(char *at, bool write)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (write)
			__atomic_store_n(at, 1, __ATOMIC_RELAXED);
		_exit(__atomic_load_n(at, __ATOMIC_RELAXED) & 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static long do_touch(char *bytes, size_t size)
{
	long before = faults();

	for (size_t pos = 0; pos < size; pos += page_size())
		__atomic_store_n(&bytes[pos], 1, __ATOMIC_RELAXED);
	return faults() - before;
}

/* Do it once before, for the faults of the program itself. */
static long faults_of_touch(char *bytes, size_t size)
{
	char byte;

	do_touch(&byte, 1);
	return do_touch(bytes, size);
}

/* KiB of the lowest page tables and those above. */
static long page_tables(struct __test_metadata *_metadata)
{
	long kib = read_field("/proc/self/status", "VmPTE:");

	ASSERT_LE(0, kib);
	return kib;
}

static bool has_large_pages(void)
{
	char text[64];

	return sizeof(long) == 8 && page_size() == 4096 &&
	       read_file(THP_MODE, text, sizeof(text)) > 0 && strstr(text, "[always]");
}

FIXTURE_SETUP(mapping)
{
	int dev = open(SYSTEM_NODE, O_RDONLY | O_CLOEXEC);
	char *all;

	if (dev < 0)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM, root)");
	self->page = page_size();
	self->buf = alloc(dev, SIZE, O_RDWR);
	ASSERT_LE(0, self->buf);
	close(dev);
	all = map(self->buf, 0, SIZE, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(MAP_FAILED, all);
	number_pages(all, SIZE);
	munmap(all, SIZE);
	self->bytes = map(self->buf, 0, SIZE, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(MAP_FAILED, self->bytes);
	if (variant->touched)
		ASSERT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
}

FIXTURE_TEARDOWN(mapping)
{
	munmap(self->bytes, SIZE);
	close(self->buf);
}

TEST_F(mapping, a_part_can_be_unmapped)
{
	size_t hole = LARGE + 7 * self->page;

	ASSERT_EQ(0, munmap(self->bytes + hole, self->page));
	EXPECT_EQ(SIGSEGV, signal_of(self->bytes + hole, false));
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, hole));
	hole += self->page;
	EXPECT_EQ(0, wrong_pages(self->bytes + hole, hole, SIZE - hole));
}

TEST_F(mapping, a_part_can_be_protected)
{
	char *part = self->bytes + LARGE + 7 * self->page;

	ASSERT_EQ(0, mprotect(part, self->page, PROT_READ));
	EXPECT_EQ(SIGSEGV, signal_of(part, true));
	EXPECT_EQ(0, signal_of(part - 1, true));
	EXPECT_EQ(0, signal_of(part + self->page + sizeof(size_t), true));
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
	ASSERT_EQ(0, mprotect(part, self->page, PROT_NONE));
	EXPECT_EQ(SIGSEGV, signal_of(part, false));
	ASSERT_EQ(0, mprotect(part, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, signal_of(part + sizeof(size_t), true));
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
}

TEST_F(mapping, all_can_be_protected)
{
	ASSERT_EQ(0, mprotect(self->bytes, SIZE, PROT_READ));
	EXPECT_EQ(SIGSEGV, signal_of(self->bytes + LARGE, true));
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
	ASSERT_EQ(0, mprotect(self->bytes, SIZE, PROT_READ | PROT_WRITE));
	number_pages(self->bytes, SIZE);
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
}

/* To where large pages are possible, and a part of it to where they are not. */
TEST_F(mapping, mapping_can_be_moved)
{
	char *place, *at, *to;

	place = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, place);
	at = place + LARGE - ((size_t)place & (LARGE - 1));
	to = at + SIZE + self->page;
	ASSERT_EQ(at, mremap(self->bytes, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, at));
	EXPECT_EQ(0, wrong_pages(at, 0, SIZE));
	ASSERT_EQ(to, mremap(at + LARGE, LARGE, LARGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(0, wrong_pages(at, 0, LARGE));
	EXPECT_EQ(SIGSEGV, signal_of(at + LARGE, false));
	EXPECT_EQ(0, wrong_pages(at + 2 * LARGE, 2 * LARGE, 2 * LARGE));
	EXPECT_EQ(0, wrong_pages(to, LARGE, LARGE));
	munmap(place, 2 * SIZE);
}

TEST_F(mapping, mapping_can_shrink_but_not_grow)
{
	size_t size = SIZE - LARGE - self->page;

	ASSERT_EQ(self->bytes, mremap(self->bytes, SIZE, size, 0));
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, size));
	EXPECT_EQ(SIGSEGV, signal_of(self->bytes + size, false));
	EXPECT_EQ(MAP_FAILED, mremap(self->bytes, size, SIZE, MREMAP_MAYMOVE));
}

/* Parent and child see each other's writes. */
TEST_F(mapping, child_shares_the_memory)
{
	char *own = self->bytes + LARGE + self->page / 2;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bool right = !wrong_pages(self->bytes, 0, SIZE);

		*own = 5;
		munmap(self->bytes + LARGE + self->page, self->page);
		_exit(right && !wrong_pages(self->bytes, 0, LARGE + self->page) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(5, *own);
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
}

TEST_F(mapping, advice_keeps_the_contents)
{
	static const int keeps[] = { MADV_NOHUGEPAGE, MADV_HUGEPAGE, MADV_WILLNEED, MADV_COLD };
	unsigned int i;

	for (i = 0; i < sizeof(keeps) / sizeof(*keeps); i++) {
		madvise(self->bytes + LARGE, self->page, keeps[i]);
		EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
	}
	EXPECT_EQ(-1, madvise(self->bytes, SIZE, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
	ASSERT_EQ(0, madvise(self->bytes, SIZE, MADV_DONTFORK));
	EXPECT_EQ(SIGSEGV, signal_of(self->bytes, false));
}

/* A large page of one mapping begins at an unaligned address in another one. */
TEST_F(mapping, mapping_may_begin_at_any_page)
{
	size_t from[] = { self->page, LARGE - self->page, LARGE, LARGE + 3 * self->page };
	char *place, *at;
	unsigned int i;

	place = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, place);
	at = place + LARGE - ((size_t)place & (LARGE - 1));
	for (i = 0; i < sizeof(from) / sizeof(*from); i++) {
		size_t size = SIZE - from[i];

		ASSERT_EQ(at, mmap(at, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, self->buf, from[i]));
		EXPECT_EQ(0, wrong_pages(at, from[i], size));
		at[self->page / 2] = 40 + i;
		EXPECT_EQ(40 + (int)i, self->bytes[from[i] + self->page / 2]);
	}
	EXPECT_EQ(0, wrong_pages(self->bytes, 0, SIZE));
	munmap(place, 2 * SIZE);
}

TEST_F(mapping, read_only_mapping_cannot_be_written)
{
	char *bytes = map(self->buf, 0, SIZE, PROT_READ, 0);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ASSERT_NE(MAP_FAILED, bytes);
	ASSERT_LE(0, zero);
	if (variant->touched)
		EXPECT_EQ(0, wrong_pages(bytes, 0, SIZE));
	EXPECT_EQ(SIGSEGV, signal_of(bytes + LARGE, true));
	EXPECT_EQ(0, wrong_pages(bytes, 0, SIZE));
	EXPECT_EQ(-1, read(zero, bytes + LARGE, 1));
	EXPECT_EQ(EFAULT, errno);
	close(zero);
	munmap(bytes, SIZE);
}

FIXTURE(heap_mmap)
{
	int dev;
};

FIXTURE_SETUP(heap_mmap)
{
	self->dev = open(SYSTEM_NODE, O_RDONLY | O_CLOEXEC);
	if (self->dev < 0)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM, root)");
}

FIXTURE_TEARDOWN(heap_mmap)
{
	close(self->dev);
}

TEST_F(heap_mmap, file_for_reading_only)
{
	int buf = alloc(self->dev, SIZE, O_RDONLY);
	char *bytes;

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, map(buf, 0, SIZE, PROT_READ | PROT_WRITE, 0));
	EXPECT_EQ(EACCES, errno);
	bytes = map(buf, 0, SIZE, PROT_READ, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	EXPECT_EQ(-1, mprotect(bytes, SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, bytes[LARGE]);
	EXPECT_EQ(SIGSEGV, signal_of(bytes + LARGE, true));
	close(buf);
}

/* Also where writes have to be tracked: buffers do not need that. */
TEST_F(heap_mmap, small_mapping_is_complete)
{
	int buf = alloc(self->dev, LARGE / 2, O_RDWR);
	char *bytes;

	ASSERT_LE(0, buf);
	bytes = map(buf, 0, LARGE / 2, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	EXPECT_EQ(0, faults_of_touch(bytes, LARGE / 2));
	close(buf);
}

TEST_F(heap_mmap, locked_mapping_is_complete)
{
	int buf = alloc(self->dev, SIZE, O_RDWR);
	char *bytes;

	ASSERT_LE(0, buf);
	bytes = map(buf, 0, SIZE, PROT_READ | PROT_WRITE, MAP_LOCKED);
	ASSERT_NE(MAP_FAILED, bytes);
	EXPECT_EQ(0, faults_of_touch(bytes, SIZE));
	close(buf);
}

/* One for what an entry of the upper table reaches, and for a part at either end. */
TEST_F(heap_mmap, large_buffer_takes_few_faults)
{
	int buf = alloc(self->dev, SIZE, O_RDWR);
	char *bytes;

	ASSERT_LE(0, buf);
	bytes = map(buf, 0, SIZE, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	EXPECT_GE((long)(SIZE / LARGE + 1), faults_of_touch(bytes, SIZE));
	close(buf);
}

/* Memory may be fragmented, but not all of it. */
TEST_F(heap_mmap, large_pages_take_few_page_tables)
{
	const size_t size = 16 * LARGE;
	long before;
	char *bytes;
	int buf;

	if (!has_large_pages())
		SKIP(return, "no large pages (CONFIG_TRANSPARENT_HUGEPAGE, enabled=always)");
	buf = alloc(self->dev, size, O_RDWR);
	ASSERT_LE(0, buf);
	bytes = map(buf, 0, size, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	EXPECT_EQ(0UL, (size_t)bytes % LARGE);
	before = page_tables(_metadata);
	faults_of_touch(bytes, size);
	EXPECT_GT(4 * (long)(size / LARGE), page_tables(_metadata) - before);

	ASSERT_EQ(0, munmap(bytes + LARGE + 4096, 4096));
	EXPECT_EQ(1, bytes[LARGE]);
	close(buf);
}

TEST_HARNESS_MAIN
