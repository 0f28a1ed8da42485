// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls as a program of 32 bits makes them
 *
 * There is no need to be one: on x86-64 any program may enter the kernel through
 * the gate of 32-bit programs, with arguments below 4 GiB. Each call is made
 * both ways and has to end alike.
 */
#include "common.h"

/* Exists if the gate does. Without it, or in User Mode Linux, stay away. */
#define GATE_EXISTS	"/proc/sys/abi/vsyscall32"

#define LOW_SIZE	65536
#define UNMAPPED	((void *)0xfffff000UL)

/* As the header of a 32-bit program defines it. */
#define SET_NAME_32	_IOW(DMA_BUF_BASE, 1, __u32)

/* Where arguments are, for both ways. */
static char *low;

static int compat_ioctl(int fd, unsigned int cmd, const void *arg)
{
#ifdef __x86_64__
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (cmd), "d" ((__u32)(uintptr_t)arg)
		     : "memory", "cc", "r8", "r9", "r10", "r11");
	return ret;
#else
	return -EOPNOTSUPP;
#endif
}

FIXTURE(compat)
{
	int buf;
	int sync_file;
};

FIXTURE_VARIANT(compat)
{
	int (*ioctl)(int fd, unsigned int cmd, const void *arg);
};

static int native_ioctl(int fd, unsigned int cmd, const void *arg)
{
	return do_ioctl(fd, cmd, arg);
}

FIXTURE_VARIANT_ADD(compat, native)
{
	.ioctl = native_ioctl,
};

FIXTURE_VARIANT_ADD(compat, of_32_bits)
{
	.ioctl = compat_ioctl,
};

static bool setup_low(void)
{
#ifdef __x86_64__
	low = mmap(NULL, LOW_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return low != MAP_FAILED && !access(GATE_EXISTS, F_OK);
#else
	return false;
#endif
}

FIXTURE_SETUP(compat)
{
	if (!setup_low())
		SKIP(return, "no 32-bit system calls (x86-64 with CONFIG_IA32_EMULATION)");
	self->buf = setup_buffer(_metadata, SYSTEM_HEAP, 2 * page_size());
	if (self->buf < 0)
		return;
	self->sync_file = export_fences(self->buf, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, self->sync_file);
}

FIXTURE_TEARDOWN(compat)
{
}

/* Puts an argument where both ways reach it. */
#define LOW(...) memcpy(low, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* ------------------------------------------------------------------- heaps */

static int open_heap(struct __test_metadata *_metadata)
{
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, heap);
	return heap;
}

TEST_F(compat, heap_refuses_bad_arguments)
{
	static const struct {
		unsigned int cmd;
		struct dma_heap_allocation_data data;
		int ret;
	} bad[] = {
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 0 }, -EINVAL },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = ~0ULL }, -EINVAL },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 1ULL << 62 }, -ENOMEM },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 1ULL << 32 << 12 }, -ENOMEM },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 4096, .fd = 1 }, -EINVAL },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 4096, .fd_flags = O_NONBLOCK }, -EINVAL },
		{ DMA_HEAP_IOCTL_ALLOC, { .len = 4096, .heap_flags = 1ULL << 63 }, -EINVAL },
		{ _IO('H', 0), { .len = 4096 }, -EINVAL },
		{ _IOW('H', 0, struct dma_heap_allocation_data), { .len = 4096 }, -EINVAL },
		{ _IOWR('H', 1, struct dma_heap_allocation_data), { .len = 4096 }, -EINVAL },
	};
	int heap = open_heap(_metadata), fds = taken_fds();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		LOW(bad[i].data);
		EXPECT_EQ(bad[i].ret, variant->ioctl(heap, bad[i].cmd, low))
			TH_LOG("request %zu", i);
		EXPECT_EQ(0, memcmp(low, &bad[i].data, sizeof(bad[i].data)));
	}
	EXPECT_EQ(-EFAULT, variant->ioctl(heap, DMA_HEAP_IOCTL_ALLOC, UNMAPPED));
	EXPECT_EQ(-EFAULT, variant->ioctl(heap, DMA_HEAP_IOCTL_ALLOC, NULL));
	EXPECT_EQ(fds, taken_fds());
}

TEST_F(compat, heap_allocates)
{
	const struct dma_heap_allocation_data ask = {
		.len = 3 * page_size() - 1,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	struct dma_heap_allocation_data *got = (void *)low;
	int heap = open_heap(_metadata);

	LOW(ask);
	ASSERT_EQ(0, variant->ioctl(heap, DMA_HEAP_IOCTL_ALLOC, low));
	EXPECT_EQ(ask.len, got->len);
	EXPECT_EQ(ask.fd_flags, got->fd_flags);
	EXPECT_EQ((off_t)(3 * page_size()), lseek(got->fd, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(got->fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(got->fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(0, close(got->fd));
}

/* ----------------------------------------------------------------- udmabuf */

static int open_udmabuf(struct __test_metadata *_metadata)
{
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, dev);
	return dev;
}

/* Each page begins with its number. */
static int numbered_memfd(struct __test_metadata *_metadata, int pages)
{
	int memfd = sealed_memfd(pages * page_size()), i;

	ASSERT_LE(0, memfd);
	for (i = 0; i < pages; i++)
		ASSERT_EQ((ssize_t)sizeof(i), pwrite(memfd, &i, sizeof(i), i * page_size()));
	return memfd;
}

static void expect_pages(struct __test_metadata *_metadata, int buf, const int *want,
			 int count)
{
	char *map = mmap(NULL, count * page_size(), PROT_READ, MAP_SHARED, buf, 0);
	int i;

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ((off_t)(count * page_size()), lseek(buf, 0, SEEK_END));
	for (i = 0; i < count; i++)
		EXPECT_EQ(want[i], *(int *)(map + i * page_size()));
	munmap(map, count * page_size());
}

TEST_F(compat, udmabuf_refuses_bad_arguments)
{
	int dev = open_udmabuf(_metadata), memfd = numbered_memfd(_metadata, 4);
	const __u32 page = page_size();
	const struct {
		struct udmabuf_create create;
		int ret;
	} bad[] = {
		{ { .memfd = memfd, .size = 0 }, -EINVAL },
		{ { .memfd = memfd, .offset = 1, .size = page }, -EINVAL },
		{ { .memfd = memfd, .size = 5 * page }, -EINVAL },
		{ { .memfd = memfd, .size = (1ULL << 32) + page }, -EINVAL },
		{ { .memfd = memfd, .offset = (1ULL << 32), .size = page }, -EINVAL },
		{ { .memfd = -1, .size = page }, -EBADFD },
		{ { .memfd = dev, .size = page }, -EBADFD },
	};
	const struct udmabuf_create_list lists[] = { { .count = 0 }, { .count = 1025 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		LOW(bad[i].create);
		EXPECT_EQ(bad[i].ret, variant->ioctl(dev, UDMABUF_CREATE, low))
			TH_LOG("request %zu", i);
	}
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		LOW(lists[i]);
		EXPECT_EQ(-EINVAL, variant->ioctl(dev, UDMABUF_CREATE_LIST, low));
	}
	EXPECT_EQ(-EFAULT, variant->ioctl(dev, UDMABUF_CREATE, UNMAPPED));
	EXPECT_EQ(-EFAULT, variant->ioctl(dev, UDMABUF_CREATE_LIST, UNMAPPED));
	EXPECT_EQ(-ENOTTY, variant->ioctl(dev, _IOW('u', 0x44, struct udmabuf_create), low));
}

TEST_F(compat, udmabuf_creates)
{
	int dev = open_udmabuf(_metadata), memfd = numbered_memfd(_metadata, 4), buf;
	const struct udmabuf_create create = {
		.memfd = memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = page_size(),
		.size = 2 * page_size(),
	};
	const int want[] = { 1, 2 };

	LOW(create);
	buf = variant->ioctl(dev, UDMABUF_CREATE, low);
	ASSERT_LE(0, buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
	expect_pages(_metadata, buf, want, ARRAY_SIZE(want));
}

TEST_F(compat, udmabuf_creates_from_a_list)
{
	int dev = open_udmabuf(_metadata), memfd = numbered_memfd(_metadata, 4), buf;
	struct udmabuf_create_list *list = (void *)low;
	const int want[] = { 2, 3, 0 };

	list->flags = 0;
	list->count = 2;
	list->list[0] = (struct udmabuf_create_item) {
		.memfd = memfd,
		.offset = 2 * page_size(),
		.size = 2 * page_size(),
	};
	list->list[1] = (struct udmabuf_create_item) { .memfd = memfd, .size = page_size() };
	buf = variant->ioctl(dev, UDMABUF_CREATE_LIST, low);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, fcntl(buf, F_GETFD));
	expect_pages(_metadata, buf, want, ARRAY_SIZE(want));
}

/* ----------------------------------------------------------------- buffers */

TEST_F(compat, buffer_checks_flags_of_sync)
{
	static const struct {
		__u64 flags;
		int ret;
	} calls[] = {
		{ 0, -EINVAL },
		{ 1ULL << 32, -EINVAL },
		{ DMA_BUF_SYNC_READ | 1ULL << 32, -EINVAL },
		{ DMA_BUF_SYNC_END, -EINVAL },
		{ DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START, 0 },
		{ DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		LOW(calls[i].flags);
		EXPECT_EQ(calls[i].ret, variant->ioctl(self->buf, DMA_BUF_IOCTL_SYNC, low))
			TH_LOG("flags %#llx", calls[i].flags);
	}
	EXPECT_EQ(-EFAULT, variant->ioctl(self->buf, DMA_BUF_IOCTL_SYNC, UNMAPPED));
	EXPECT_EQ(-ENOTTY, variant->ioctl(self->buf, _IOW(DMA_BUF_BASE, 9, __u64), low));
}

TEST_F(compat, buffer_takes_each_number_of_set_name)
{
	static const unsigned int cmds[] = { DMA_BUF_SET_NAME_A, DMA_BUF_SET_NAME_B, SET_NAME_32 };
	char name[DMA_BUF_NAME_LEN];
	size_t i;

	EXPECT_EQ(-EFAULT, variant->ioctl(self->buf, SET_NAME_32, UNMAPPED));
	memset(low, 'x', DMA_BUF_NAME_LEN);
	EXPECT_EQ(-EINVAL, variant->ioctl(self->buf, SET_NAME_32, low));
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		snprintf(low, LOW_SIZE, "name %zu", i);
		EXPECT_EQ(0, variant->ioctl(self->buf, cmds[i], low));
		ASSERT_NE(NULL, fdinfo_value(self->buf, "name", name, sizeof(name)));
		EXPECT_STREQ(low, name);
	}
}

TEST_F(compat, buffer_exports_and_imports_fences)
{
	const struct dma_buf_export_sync_file bad_export = { .flags = 0, .fd = -1 };
	const struct dma_buf_export_sync_file ask = { .flags = DMA_BUF_SYNC_READ, .fd = -1 };
	struct dma_buf_export_sync_file *got = (void *)low;
	struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE, .fd = -1 };

	LOW(bad_export);
	EXPECT_EQ(-EINVAL, variant->ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, low));
	EXPECT_EQ(-EFAULT, variant->ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, UNMAPPED));
	LOW(import);
	EXPECT_EQ(-EINVAL, variant->ioctl(self->buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, low));
	EXPECT_EQ(-EFAULT, variant->ioctl(self->buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, UNMAPPED));

	LOW(ask);
	ASSERT_EQ(0, variant->ioctl(self->buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, low));
	import.fd = got->fd;
	EXPECT_EQ(1, sync_file_status(import.fd));
	LOW(import);
	EXPECT_EQ(0, variant->ioctl(self->buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, low));
}

TEST_F(compat, buffer_tells_info)
{
	static const struct {
		struct dma_buf_info info;
		int ret;
	} calls[] = {
		{ { .size = 143 }, -EINVAL },
		{ { .size = 144, .flags = 1 }, -EINVAL },
		{ { .size = 0xffffffff }, -E2BIG },
		{ { .size = 144 }, 0 },
	};
	struct dma_buf_info *got = (void *)low;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		LOW(calls[i].info);
		EXPECT_EQ(calls[i].ret, variant->ioctl(self->buf, DMA_BUF_IOCTL_INFO, low))
			TH_LOG("call %zu", i);
	}
	EXPECT_EQ(144, got->size);
	EXPECT_EQ((__u64)lseek(self->buf, 0, SEEK_END), got->bytes);
	EXPECT_EQ(buffer_ino(self->buf), got->ino);
	EXPECT_STREQ("system", got->exporter);
	EXPECT_EQ(-EFAULT, variant->ioctl(self->buf, DMA_BUF_IOCTL_INFO, UNMAPPED));
}

/* -------------------------------------------------------------- sync files */

TEST_F(compat, sync_file_tells_info)
{
	struct sync_fence_info want[2] = { }, *fences = (void *)(low + 4096);
	const struct sync_file_info bad = { .flags = 1 };
	struct sync_file_info ask = {
		.num_fences = ARRAY_SIZE(want),
		.sync_fence_info = (uintptr_t)fences,
	};
	struct sync_file_info *got = (void *)low;

	LOW(bad);
	EXPECT_EQ(-EINVAL, variant->ioctl(self->sync_file, SYNC_IOC_FILE_INFO, low));
	EXPECT_EQ(-EFAULT, variant->ioctl(self->sync_file, SYNC_IOC_FILE_INFO, UNMAPPED));
	EXPECT_EQ(-ENOTTY, variant->ioctl(self->sync_file, _IO(SYNC_IOC_MAGIC, 9), low));

	ASSERT_EQ(1, sync_file_fences(self->sync_file, want, ARRAY_SIZE(want)));
	LOW(ask);
	ASSERT_EQ(0, variant->ioctl(self->sync_file, SYNC_IOC_FILE_INFO, low));
	EXPECT_EQ(1, got->status);
	EXPECT_EQ(1, got->num_fences);
	EXPECT_EQ(0, memcmp(&want[0], &fences[0], sizeof(want[0])));
}

TEST_F(compat, sync_files_merge)
{
	const struct sync_merge_data bad[] = {
		{ .fd2 = -1 },
		{ .fd2 = self->sync_file, .flags = 1 },
		{ .fd2 = self->sync_file, .pad = 1 },
	};
	static const int errors[] = { -ENOENT, -EINVAL, -EINVAL };
	const struct sync_merge_data ask = { .name = "both", .fd2 = self->sync_file };
	struct sync_merge_data *got = (void *)low;
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		LOW(bad[i]);
		EXPECT_EQ(errors[i], variant->ioctl(self->sync_file, SYNC_IOC_MERGE, low));
	}
	EXPECT_EQ(-EFAULT, variant->ioctl(self->sync_file, SYNC_IOC_MERGE, UNMAPPED));
	LOW(ask);
	ASSERT_EQ(0, variant->ioctl(self->sync_file, SYNC_IOC_MERGE, low));
	ASSERT_NE(NULL, sync_file_name(got->fence, name));
	EXPECT_STREQ("both", name);
}

TEST_F(compat, sync_file_takes_a_deadline)
{
	const struct sync_set_deadline bad = { .pad = 1 };
	const struct sync_set_deadline ask = { .deadline_ns = 1ULL << 40 };

	LOW(bad);
	EXPECT_EQ(-EINVAL, variant->ioctl(self->sync_file, SYNC_IOC_SET_DEADLINE, low));
	EXPECT_EQ(-EFAULT, variant->ioctl(self->sync_file, SYNC_IOC_SET_DEADLINE, UNMAPPED));
	LOW(ask);
	EXPECT_EQ(0, variant->ioctl(self->sync_file, SYNC_IOC_SET_DEADLINE, low));
}

/* --------------------------------------------------------------- timelines */

TEST_F(compat, timeline_makes_fences_and_advances)
{
	const struct sw_sync_create_fence_data create = { .value = 2, .name = "second" };
	struct sw_sync_create_fence_data *made = (void *)low;
	struct sw_sync_get_deadline *deadline = (void *)low;
	struct sw_sync_get_deadline ask = { };
	const __u32 step = 1;
	int timeline = setup_timeline(_metadata), fence;

	if (timeline < 0)
		return;
	EXPECT_EQ(-EFAULT, variant->ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, UNMAPPED));
	EXPECT_EQ(-EFAULT, variant->ioctl(timeline, SW_SYNC_IOC_INC, UNMAPPED));
	EXPECT_EQ(-ENOTTY, variant->ioctl(timeline, _IO('W', 9), low));

	LOW(create);
	ASSERT_EQ(0, variant->ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, low));
	fence = made->fence;
	ASSERT_EQ(0, set_deadline(fence, 1ULL << 40));
	ask.fence_fd = fence;
	LOW(ask);
	EXPECT_EQ(0, variant->ioctl(timeline, SW_SYNC_GET_DEADLINE, low));
	EXPECT_EQ(1ULL << 40, deadline->deadline_ns);
	LOW(step);
	EXPECT_EQ(0, variant->ioctl(timeline, SW_SYNC_IOC_INC, low));
	EXPECT_EQ(0, sync_file_status(fence));
	EXPECT_EQ(0, variant->ioctl(timeline, SW_SYNC_IOC_INC, low));
	EXPECT_EQ(1, sync_file_status(fence));
}

TEST_HARNESS_MAIN
