// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heap that comes with a module
 *
 * It is drivers/dma-buf/heaps/example_heap.c. Its module comes from the file that
 * EXAMPLE_HEAP_MODULE names, or is found by modprobe.
 */
#include "common.h"

#define HEAP		"/dev/dma_heap/example"
#define FACTS		"/sys/class/dma_heap/example"
#define MODULE		"example_heap"
#define MIB		(1024 * 1024)

FIXTURE(module)
{
	int dev;
};

FIXTURE_SETUP(module)
{
	self->dev = -1;
	if (!load_module(_metadata, "EXAMPLE_HEAP_MODULE", MODULE) || access(HEAP, F_OK))
		SKIP(return, "no module " MODULE " (CONFIG_DMABUF_HEAPS_EXAMPLE=m, root)");
	self->dev = open(HEAP, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(module)
{
	close(self->dev);
}

static int alloc(int dev, __u64 len)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

TEST_F(module, allocates_clear_memory)
{
	size_t size = 3 * page_size();
	unsigned char *bytes;
	int round, buf;

	for (round = 0; round < 4; round++) {
		buf = alloc(self->dev, size - 1);
		ASSERT_LE(0, buf);
		EXPECT_EQ((off_t)size, lseek(buf, 0, SEEK_END));
		bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
		ASSERT_NE(MAP_FAILED, bytes);
		EXPECT_EQ(0, bytes[0]);
		EXPECT_EQ(0, memcmp(bytes, bytes + 1, size - 1));
		memset(bytes, 0xff, size);
		munmap(bytes, size);
		close(buf);
	}
	EXPECT_EQ(-ENOMEM, alloc(self->dev, MIB + 1));
	EXPECT_EQ(-EINVAL, alloc(self->dev, 0));
}

TEST_F(module, has_no_facts_but_the_name)
{
	EXPECT_EQ(0, access(FACTS "/uevent", F_OK));
	EXPECT_NE(0, access(FACTS "/kind", F_OK));
}

/* An importer maps it, and the CPU gets it in between. */
TEST_F(module, buffer_can_be_imported)
{
	int buf = alloc(self->dev, page_size());
	int drm = setup_drm(_metadata, "vgem");
	__u32 handle;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drm_import(drm, buf, &handle));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	close(buf);
	close(drm);
}

/* Heaps never vanish, so neither does the code. */
TEST_F(module, module_cannot_be_unloaded)
{
	EXPECT_NE(0, syscall(SYS_delete_module, MODULE, O_NONBLOCK));
	EXPECT_EQ(EBUSY, errno);
}

TEST_HARNESS_MAIN
