// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of a CMA heap, whose memory comes from an area of a fixed size
 */
#include <dirent.h>

#include "common.h"

#define HEAP_DIR	"/dev/dma_heap"
#define MIB		(1024LL * 1024)
#define MAX_BUFFERS	900

FIXTURE(cma_heap)
{
	int dev;
	int fds;
};

/* All heaps but the system heap and those of KUnit cases are of that kind. */
static int open_cma_heap(void)
{
	DIR *dir = opendir(HEAP_DIR);
	struct dirent *entry;
	int dev = -1;

	while (dir && dev < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "system") ||
		    !strncmp(entry->d_name, "kunit", 5))
			continue;
		dev = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return dev;
}

FIXTURE_SETUP(cma_heap)
{
	self->dev = open_cma_heap();
	if (self->dev < 0)
		SKIP(return, "no CMA heap (CONFIG_DMABUF_HEAPS_CMA, cma=64M, root)");
	self->fds = taken_fds();
}

FIXTURE_TEARDOWN(cma_heap)
{
}

static int alloc(int dev, __u64 len)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

static unsigned char *map(struct __test_metadata *_metadata, int buf, size_t size)
{
	unsigned char *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);

	ASSERT_NE(MAP_FAILED, addr);
	return addr;
}

/* A line of /proc/meminfo, in bytes. */
static long long memory(struct __test_metadata *_metadata, const char *key)
{
	long long kib = read_field("/proc/meminfo", key);

	ASSERT_LE(0, kib);
	return kib * 1024;
}

static bool is_filled(const unsigned char *bytes, unsigned char value, size_t size)
{
	return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

/* --------------------------------------------------------------- arguments */

TEST_F(cma_heap, refuses_sizes_without_memory)
{
	EXPECT_EQ(-EINVAL, alloc(self->dev, 0));
	EXPECT_EQ(-EINVAL, alloc(self->dev, ~0ULL));
	EXPECT_EQ(-ENOMEM, alloc(self->dev, 1ULL << 63));
	EXPECT_EQ(-ENOMEM, alloc(self->dev, 1ULL << 44));
	EXPECT_EQ(-ENOMEM, alloc(self->dev, (1ULL << 44) + page_size()));
	EXPECT_EQ(self->fds, taken_fds());
}

TEST_F(cma_heap, larger_than_the_area)
{
	long long before = memory(_metadata, "CmaFree:");

	EXPECT_EQ(-ENOMEM, alloc(self->dev, memory(_metadata, "CmaTotal:") + page_size()));
	EXPECT_GE(memory(_metadata, "CmaFree:"), before - MIB);
	EXPECT_EQ(self->fds, taken_fds());
}

TEST_F(cma_heap, rounds_up_to_pages)
{
	static const size_t lens[] = { 1, 4095, 4096, 4097, 3 * MIB + 1 };
	size_t i, want;
	int buf;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		want = (lens[i] + page_size() - 1) & ~(page_size() - 1);
		buf = alloc(self->dev, lens[i]);
		ASSERT_LE(0, buf);
		EXPECT_EQ((off_t)want, lseek(buf, 0, SEEK_END));
		close(buf);
	}
}

/* ------------------------------------------------------------------- facts */

#define FACTS		"/sys/class/dma_heap/default_cma_region"

static long long fact(struct __test_metadata *_metadata, const char *name)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), FACTS "/%s", name);
	ASSERT_LT(0, read_file(path, text, sizeof(text)));
	return strtoll(text, NULL, 10);
}

TEST_F(cma_heap, kind_is_cma)
{
	char text[64];

	ASSERT_LT(0, read_file(FACTS "/kind", text, sizeof(text)));
	EXPECT_STREQ("cma\n", text);
}

/* The default area has a name that is the same everywhere, and one of its own. */
TEST_F(cma_heap, both_names_are_one_area)
{
	long long free = fact(_metadata, "free");
	int own = open(HEAP_DIR "/reserved", O_RDONLY | O_CLOEXEC), buf;

	if (own < 0)
		SKIP(return, "no heap \"reserved\" (cma=64M, CONFIG_DMABUF_HEAPS_CMA_LEGACY)");
	buf = alloc(own, 2 * MIB);
	ASSERT_LE(0, buf);
	EXPECT_EQ(free - 2 * MIB, fact(_metadata, "free"));
	close(buf);
	EXPECT_EQ(free, fact(_metadata, "free"));
}

TEST_F(cma_heap, attributes_add_up)
{
	long long total = fact(_metadata, "total"), free = fact(_metadata, "free");
	int buf[16], i;

	EXPECT_LE(free, total);
	EXPECT_LE(fact(_metadata, "largest_free"), free);
	for (i = 0; i < 16; i++) {
		buf[i] = alloc(self->dev, MIB);
		ASSERT_LE(0, buf[i]);
	}
	EXPECT_EQ(free - 16 * MIB, fact(_metadata, "free"));
	EXPECT_EQ(total, fact(_metadata, "total"));
	for (i = 0; i < 16; i++)
		close(buf[i]);
	EXPECT_EQ(free, fact(_metadata, "free"));
}

/* Enough is free, but not in one piece: the facts tell which. */
TEST_F(cma_heap, attributes_tell_fragmentation_from_lack_of_memory)
{
	int buf[MAX_BUFFERS], count = 0, i;
	long long free, largest;

	while (count < MAX_BUFFERS) {
		buf[count] = alloc(self->dev, MIB);
		if (buf[count] < 0)
			break;
		count++;
	}
	ASSERT_LT(4, count);
	for (i = 0; i < count; i += 2)
		close(buf[i]);
	free = fact(_metadata, "free");
	largest = fact(_metadata, "largest_free");
	EXPECT_GE(free, (count / 2) * MIB);
	EXPECT_LT(largest, free);
	EXPECT_EQ(-ENOMEM, alloc(self->dev, largest + page_size()));
}

/* --------------------------------------------------------------- behaviour */

TEST_F(cma_heap, recycled_pages_are_zero)
{
	int round;

	for (round = 0; round < 8; round++) {
		int buf = alloc(self->dev, 4 * MIB);
		unsigned char *bytes;

		ASSERT_LE(0, buf);
		bytes = map(_metadata, buf, 4 * MIB);
		EXPECT_TRUE(is_filled(bytes, 0, 4 * MIB));
		memset(bytes, 0xff, 4 * MIB);
		munmap(bytes, 4 * MIB);
		close(buf);
	}
}

TEST_F(cma_heap, mappings_share_the_memory)
{
	int buf = alloc(self->dev, 4 * page_size());
	unsigned char *all, *part;

	ASSERT_LE(0, buf);
	all = map(_metadata, buf, 4 * page_size());
	part = mmap(NULL, 2 * page_size(), PROT_READ, MAP_SHARED, buf, 2 * page_size());
	ASSERT_NE(MAP_FAILED, part);
	all[2 * page_size()] = 2;
	all[4 * page_size() - 1] = 3;
	EXPECT_EQ(2, part[0]);
	EXPECT_EQ(3, part[2 * page_size() - 1]);
	close(buf);
	EXPECT_EQ(2, part[0]);
}

TEST_F(cma_heap, private_mapping_is_refused)
{
	int buf = alloc(self->dev, 2 * page_size());

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE, buf, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, buf, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(cma_heap, mapping_ends_with_the_buffer)
{
	int buf = alloc(self->dev, 4 * page_size());
	void *addr;

	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_SHARED, buf,
				   4 * page_size()));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page_size(), PROT_READ, MAP_SHARED,
				   buf, 3 * page_size()));
	addr = map(_metadata, buf, 4 * page_size());
	EXPECT_EQ(MAP_FAILED, mremap(addr, 4 * page_size(), 8 * page_size(),
				     MREMAP_MAYMOVE));
}

/* Number of buffers of 1 MiB until there is nothing left. */
static int exhaust(struct __test_metadata *_metadata, int dev, int *bufs)
{
	int count = 0;

	do
		bufs[count] = alloc(dev, MIB);
	while (bufs[count] >= 0 && ++count < MAX_BUFFERS);
	if (count < MAX_BUFFERS)
		EXPECT_EQ(-ENOMEM, bufs[count]);
	return count;
}

/* Most of the area can be had, and what is released comes back. */
TEST_F_TIMEOUT(cma_heap, exhausted_area_comes_back, 300)
{
	long long total = memory(_metadata, "CmaTotal:");
	int bufs[MAX_BUFFERS], first, second, i;

	if (total > MAX_BUFFERS * MIB / 2)
		SKIP(return, "the area is too large for this test");
	first = exhaust(_metadata, self->dev, bufs);
	EXPECT_LT(total / MIB / 2, first);
	for (i = 0; i < first; i++)
		close(bufs[i]);
	EXPECT_EQ(self->fds, taken_fds());
	second = exhaust(_metadata, self->dev, bufs);
	EXPECT_LE(first - 2, second);
}

TEST_F(cma_heap, sync_works_while_imported)
{
	int drm = setup_drm(_metadata, "vgem"), buf;
	__u32 handle;

	if (drm < 0)
		return;
	buf = alloc(self->dev, 3 * MIB);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drm_import(drm, buf, &handle));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, drm_close_handle(drm, handle));
}

/* Each page is cleared and, with a kernel that checks itself, slowly. */
TEST_F_TIMEOUT(cma_heap, rounds_lose_no_memory, 600)
{
	long long before = 0;
	int i;

	for (i = 0; i < 10000; i++) {
		int buf = alloc(self->dev, (1 + i % 32) * 4096UL);

		ASSERT_LE(0, buf);
		ASSERT_EQ(0, close(buf));
		if (i == 1000)
			before = memory(_metadata, "CmaFree:");
	}
	/* One page lost in each round were 35 MiB. */
	EXPECT_GT(4 * MIB, before - memory(_metadata, "CmaFree:"));
}

TEST_HARNESS_MAIN
