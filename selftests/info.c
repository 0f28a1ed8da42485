// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_BUF_IOCTL_INFO: what a descriptor tells about its buffer
 */
#include "common.h"

#define BUF_SIZE	(3 * page_size())
#define INFO_SIZE	sizeof(struct dma_buf_info)
#define LONGEST		"0123456789abcdefghijklmnopqrstu"

FIXTURE(info)
{
	int buf;
};

EACH_EXPORTER(info);

FIXTURE_SETUP(info)
{
	self->buf = setup_buffer(_metadata, variant->exporter, BUF_SIZE);
}

FIXTURE_TEARDOWN(info)
{
}

static int get_info(int buf, struct dma_buf_info *info)
{
	memset(info, 0, INFO_SIZE);
	info->size = INFO_SIZE;
	return do_ioctl(buf, DMA_BUF_IOCTL_INFO, info);
}

/* --------------------------------------------------------------- arguments */

TEST_F(info, refuses_unknown_commands)
{
	const unsigned long unknown[] = {
		_IO('b', 0x0e),
		_IO('b', 0x10),
		_IOWR('b', 0x0f, struct dma_buf_info),
		_IO('a', 0x0f),
	};
	struct dma_buf_info info = { .size = INFO_SIZE };
	size_t i;

	EXPECT_EQ(144, INFO_SIZE);
	EXPECT_EQ('b' << 8 | 0x0f, DMA_BUF_IOCTL_INFO);
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(-ENOTTY, do_ioctl(self->buf, unknown[i], &info));
}

TEST_F(info, refuses_bad_sizes_and_flags)
{
	static const struct {
		__u32 size;
		__u32 flags;
		int ret;
	} bad[] = {
		{ 0, 0, -EINVAL },
		{ 143, 0, -EINVAL },
		{ 144, 1, -EINVAL },
		{ 144, 1U << 31, -EINVAL },
		{ 0xffffffff, 0, -E2BIG },
	};
	struct dma_buf_info info, before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&info, 'x', INFO_SIZE);
		info.size = bad[i].size;
		info.flags = bad[i].flags;
		before = info;
		EXPECT_EQ(bad[i].ret, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, &info))
			TH_LOG("argument %zu", i);
		EXPECT_EQ(0, memcmp(&before, &info, INFO_SIZE));
	}
}

TEST_F(info, of_a_later_version)
{
	struct {
		struct dma_buf_info info;
		__u64 more[2];
	} arg = { .info.size = INFO_SIZE + 8, .more = { 0, 7 } };

	EXPECT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, &arg));
	EXPECT_EQ(INFO_SIZE, arg.info.size);
	EXPECT_EQ(0, arg.more[0]);
	EXPECT_EQ(7, arg.more[1]);

	memset(&arg, 0, sizeof(arg));
	arg.info.size = INFO_SIZE + 16;
	arg.more[1] = 7;
	EXPECT_EQ(-E2BIG, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, &arg));
	EXPECT_EQ(INFO_SIZE + 16, arg.info.size);
}

TEST_F(info, refuses_bad_pointers)
{
	char *page = page_before_hole(_metadata), *end = page + page_size();
	struct dma_buf_info info = { .size = INFO_SIZE };
	size_t cut;

	EXPECT_EQ(-EFAULT, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, end));
	for (cut = 1; cut < INFO_SIZE; cut++) {
		memcpy(end - cut, &info, cut);
		EXPECT_EQ(-EFAULT, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, end - cut))
			TH_LOG("%zu bytes", cut);
	}
	memcpy(end - INFO_SIZE, &info, INFO_SIZE);
	EXPECT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, end - INFO_SIZE));
	EXPECT_EQ(-EFAULT, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO,
				    readonly_copy(_metadata, &info, INFO_SIZE)));
}

/* --------------------------------------------------------------- behaviour */

TEST_F(info, agrees_with_other_calls)
{
	struct dma_buf_info info;
	char name[32];
	bool mapped;
	void *map;

	ASSERT_EQ(0, get_info(self->buf, &info));
	EXPECT_EQ(INFO_SIZE, info.size);
	EXPECT_EQ((__u64)lseek(self->buf, 0, SEEK_END), info.bytes);
	EXPECT_EQ(buffer_ino(self->buf), info.ino);
	ASSERT_NE(NULL, fdinfo_value(self->buf, "exp_name", name, sizeof(name)));
	EXPECT_STREQ(name, info.exporter);
	EXPECT_EQ(0, info.flags & DMA_BUF_INFO_NAMED);
	EXPECT_STREQ("", info.name);

	map = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->buf, 0);
	mapped = map != MAP_FAILED;
	EXPECT_EQ(mapped, !!(info.flags & DMA_BUF_INFO_MMAP));
	if (mapped)
		munmap(map, page_size());
}

TEST_F(info, tells_the_whole_name)
{
	static const char * const names[] = { "a name", "", LONGEST, "two\nlines\xff" };
	struct dma_buf_info info;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, set_name(self->buf, names[i]));
		ASSERT_EQ(0, get_info(self->buf, &info));
		EXPECT_STREQ(names[i], info.name);
		EXPECT_NE(0, info.flags & DMA_BUF_INFO_NAMED);
	}
}

static void expect_filled(struct __test_metadata *_metadata, const char *string, size_t size)
{
	size_t i;

	for (i = strnlen(string, size); i < size; i++)
		EXPECT_EQ(0, string[i]);
	EXPECT_EQ(0, string[size - 1]);
}

/* Nothing of the memory of the kernel shows behind a string. */
TEST_F(info, answer_is_filled_up_with_zeroes)
{
	struct dma_buf_info info = { .size = INFO_SIZE };

	memset(info.exporter, 'x', sizeof(info.exporter));
	memset(info.module, 'x', sizeof(info.module));
	memset(info.name, 'x', sizeof(info.name));
	ASSERT_EQ(0, do_ioctl(self->buf, DMA_BUF_IOCTL_INFO, &info));
	expect_filled(_metadata, info.exporter, sizeof(info.exporter));
	expect_filled(_metadata, info.module, sizeof(info.module));
	expect_filled(_metadata, info.name, sizeof(info.name));
}

/* The answer to one program does not depend on operations of others on the buffer. */
TEST_F(info, tells_nothing_of_others)
{
	struct dma_buf_info before, after;
	int copy;

	ASSERT_EQ(0, get_info(self->buf, &before));
	copy = dup(self->buf);
	ASSERT_LE(0, copy);
	ASSERT_EQ(0, get_info(self->buf, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	ASSERT_EQ(0, get_info(copy, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_HARNESS_MAIN
