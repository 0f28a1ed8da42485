// SPDX-License-Identifier: GPL-2.0
/*
 * Fences of a buffer as sync files: the ioctls EXPORT_SYNC_FILE and
 * IMPORT_SYNC_FILE.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/dma-buf.h>

#include "fail_alloc.h"
#include "mock_container.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#define FLAGS_RW	DMA_BUF_SYNC_RW

static long export_sync_file(struct kunit *test, struct dma_buf *buf, u32 flags, int *fd)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	void __user *user = test_user_page(test);
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	ret = mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(&arg, user, sizeof(arg)), 0);
	*fd = arg.fd;

	return ret;
}

static long import_sync_file(struct kunit *test, struct dma_buf *buf, u32 flags, int fd)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = fd };
	void __user *user = test_user_page(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	return mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, user);
}

KUNIT_DEFINE_ACTION_WRAPPER(fence_put_wrapper, dma_fence_put, struct dma_fence *);

/* the fence in the sync file of all that an access has to wait for */
static struct dma_fence *exported_fence(struct kunit *test, struct dma_buf *buf, u32 flags)
{
	struct dma_fence *fence;
	int fd;

	KUNIT_ASSERT_EQ(test, export_sync_file(test, buf, flags, &fd), 0);
	KUNIT_ASSERT_GE(test, fd, 0);
	test_close_later(test, fd);
	fence = sync_file_get_fence(fd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fence_put_wrapper, fence));

	return fence;
}

static int sync_file_fd(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, sync_file->file);
	test_close_later(test, fd);

	return fd;
}

static unsigned int count_fences(struct dma_buf *buf, enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_lock(buf->resv, NULL);
	dma_resv_for_each_fence(&cursor, buf->resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		count += dma_resv_iter_usage(&cursor) == usage;
	dma_resv_unlock(buf->resv);

	return count;
}

static bool has_fence(struct dma_buf *buf, struct dma_fence *wanted, enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool found = false;

	dma_resv_lock(buf->resv, NULL);
	dma_resv_for_each_fence(&cursor, buf->resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		found |= fence == wanted && dma_resv_iter_usage(&cursor) == usage;
	dma_resv_unlock(buf->resv);

	return found;
}

/* Export: arguments */

static const struct bad_flags {
	const char *desc;
	u32 flags;
} bad_flags[] = {
	{ "none", 0 },
	{ "end", DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END },
	{ "unknown", DMA_BUF_SYNC_READ | 8 },
	{ "top", DMA_BUF_SYNC_READ | BIT(31) },
};

KUNIT_ARRAY_PARAM_DESC(bad_flags, bad_flags, desc);

static void dma_buf_export_sync_file_flags(struct kunit *test)
{
	const struct bad_flags *param = test->param_value;
	struct dma_buf *buf = mock_buf_create(test);
	int before = test_next_fd(), fd;

	KUNIT_EXPECT_EQ(test, export_sync_file(test, buf, param->flags, &fd), -EINVAL);
	KUNIT_EXPECT_EQ(test, fd, -1);
	KUNIT_EXPECT_EQ(test, test_next_fd(), before);
}

static void dma_buf_export_sync_file_fault(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mock_ioctl(mock_buf_create(test), DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
					 test_user_hole(test)), -EFAULT);
}

static void dma_buf_export_sync_file_fault_at_end(struct kunit *test)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_READ };
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	void __user *user = test_user_readonly(test, &arg, sizeof(arg));
	int before = test_next_fd();

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, user), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_next_fd(), before);
	flush_delayed_fput();
	for (int i = 0; i < 100 && mock_fence_refs(fence) != 2; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
}

static void dma_buf_export_sync_file_table_full(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	int fd;

	current->signal->rlim[RLIMIT_NOFILE].rlim_cur = 0;
	KUNIT_EXPECT_EQ(test, export_sync_file(test, buf, DMA_BUF_SYNC_READ, &fd), -EMFILE);
	test_expect_refs(test, buf->file, 1);
}

static void dma_buf_export_sync_file_cloexec(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	bool cloexec;
	int fd;

	KUNIT_ASSERT_EQ(test, export_sync_file(test, buf, DMA_BUF_SYNC_READ, &fd), 0);
	test_close_later(test, fd);
	rcu_read_lock();
	cloexec = close_on_exec(fd, current->files);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, cloexec);
}

static void dma_buf_export_sync_file_out_of_memory(struct kunit *test)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_READ, .fd = -1 };
	struct dma_fence *one = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	void __user *user = test_user_page(test);
	int before = test_next_fd();
	unsigned int nth;
	long ret = 0;

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	test_resv_add(test, buf->resv, one, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
							   user)); nth++) {
		KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, test_next_fd(), before);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&arg, user, sizeof(arg)), 0);
	test_close_later(test, arg.fd);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(one), 3);
}

/* Export: contents */

static void dma_buf_export_sync_file_idle(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);

	for (u32 flags = DMA_BUF_SYNC_READ; flags <= FLAGS_RW; flags++) {
		struct dma_fence *fence = exported_fence(test, buf, flags);

		KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
		KUNIT_EXPECT_EQ(test, fence->context, 0);
		KUNIT_EXPECT_EQ(test, fence->seqno, 0);
	}
}

static void dma_buf_export_sync_file_only_signalled(struct kunit *test)
{
	struct dma_fence *done = mock_fence_new_signaled(test);
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence;

	test_resv_add(test, buf->resv, done, DMA_RESV_USAGE_WRITE);
	fence = exported_fence(test, buf, FLAGS_RW);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_PTR_NE(test, fence, done);
}

static const struct export_usage {
	const char *desc;
	u32 flags;
	enum dma_resv_usage usage;
	bool exported;
} export_usages[] = {
	{ "read, kernel", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_KERNEL, true },
	{ "read, write", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_WRITE, true },
	{ "read, read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ, false },
	{ "read, bookkeep", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "write, kernel", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_KERNEL, true },
	{ "write, write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE, true },
	{ "write, read", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_READ, true },
	{ "write, bookkeep", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "both, read", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_READ, true },
	{ "both, bookkeep", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_BOOKKEEP, false },
};

KUNIT_ARRAY_PARAM_DESC(export_usages, export_usages, desc);

static void dma_buf_export_sync_file_usage(struct kunit *test)
{
	const struct export_usage *param = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);

	test_resv_add(test, buf->resv, fence, param->usage);
	if (param->exported)
		KUNIT_EXPECT_PTR_EQ(test, exported_fence(test, buf, param->flags), fence);
	else
		KUNIT_EXPECT_PTR_NE(test, exported_fence(test, buf, param->flags), fence);
}

static void dma_buf_export_sync_file_several(struct kunit *test)
{
	struct dma_fence *one = mock_fence_new(test);
	struct dma_fence *two = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence;

	test_resv_add(test, buf->resv, one, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, two, DMA_RESV_USAGE_READ);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_BOOKKEEP);
	fence = exported_fence(test, buf, DMA_BUF_SYNC_WRITE);
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(fence));
	KUNIT_EXPECT_EQ(test, to_dma_fence_array(fence)->num_fences, 2);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
}

static void dma_buf_export_sync_file_is_a_snapshot(struct kunit *test)
{
	struct dma_fence *one = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence;

	test_resv_add(test, buf->resv, one, DMA_RESV_USAGE_WRITE);
	fence = exported_fence(test, buf, DMA_BUF_SYNC_READ);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	dma_fence_signal(one);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
}

/* Import: arguments */

static void dma_buf_import_sync_file_flags(struct kunit *test)
{
	const struct bad_flags *param = test->param_value;
	struct dma_buf *buf = mock_buf_create(test);
	int fd = sync_file_fd(test, mock_fence_new(test));

	KUNIT_EXPECT_EQ(test, import_sync_file(test, buf, param->flags, fd), -EINVAL);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(buf->resv, DMA_RESV_USAGE_BOOKKEEP));
}

static void dma_buf_import_sync_file_fault(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mock_ioctl(mock_buf_create(test), DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
					 test_user_hole(test)), -EFAULT);
}

static void dma_buf_import_sync_file_bad_fd(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);

	KUNIT_EXPECT_EQ(test, import_sync_file(test, buf, FLAGS_RW, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, import_sync_file(test, buf, FLAGS_RW, test_next_fd()), -EINVAL);
}

static void dma_buf_import_sync_file_other_file(struct kunit *test)
{
	struct file *file = shmem_file_setup("other", PAGE_SIZE, 0);
	struct dma_buf *buf = mock_buf_create(test);
	int fd = get_unused_fd_flags(0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, file);
	test_close_later(test, fd);
	KUNIT_EXPECT_EQ(test, import_sync_file(test, buf, FLAGS_RW, fd), -EINVAL);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
}

static void dma_buf_import_sync_file_out_of_memory(struct kunit *test)
{
	struct dma_buf_import_sync_file arg = { .flags = DMA_BUF_SYNC_WRITE };
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	void __user *user = test_user_page(test);
	unsigned int nth, refs;
	long ret = 0;

	arg.fd = sync_file_fd(test, fence);
	refs = mock_fence_refs(fence);
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
							   user)); nth++) {
		KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), refs);
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->resv));
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), refs + 1);
}

/* Import: contents */

static const struct import_usage {
	const char *desc;
	u32 flags;
	enum dma_resv_usage usage;
} import_usages[] = {
	{ "read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ },
	{ "write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE },
	{ "both", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_WRITE },
};

KUNIT_ARRAY_PARAM_DESC(import_usages, import_usages, desc);

static void dma_buf_import_sync_file_usage(struct kunit *test)
{
	const struct import_usage *param = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);

	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, param->flags,
						  sync_file_fd(test, fence)));
	KUNIT_EXPECT_TRUE(test, has_fence(buf, fence, param->usage));
	KUNIT_EXPECT_EQ(test, count_fences(buf, param->usage), 1);
}

static void dma_buf_import_sync_file_does_not_consume(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *again;
	struct dma_buf *buf = mock_buf_create(test);
	int fd = sync_file_fd(test, fence);
	unsigned int refs = mock_fence_refs(fence);

	KUNIT_EXPECT_EQ(test, import_sync_file(test, buf, FLAGS_RW, fd), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), refs + 1);
	again = sync_file_get_fence(fd);
	KUNIT_EXPECT_PTR_EQ(test, again, fence);
	dma_fence_put(again);
}

static void dma_buf_import_sync_file_signalled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);
	struct dma_buf *buf = mock_buf_create(test);

	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, DMA_BUF_SYNC_WRITE,
						  sync_file_fd(test, fence)));
	KUNIT_EXPECT_TRUE(test, has_fence(buf, fence, DMA_RESV_USAGE_WRITE));
}

/* a reservation object may not contain containers, so they are taken apart */
static void dma_buf_import_sync_file_array(struct kunit *test)
{
	struct dma_fence *one = mock_fence_new(test);
	struct dma_fence *two = mock_fence_new(test);
	struct dma_buf *buf = mock_buf_create(test);
	int fd = sync_file_fd(test, mock_array(test, one, two));

	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW, fd)));
	KUNIT_EXPECT_EQ(test, count_fences(buf, DMA_RESV_USAGE_WRITE), 2);
	KUNIT_EXPECT_TRUE(test, has_fence(buf, one, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, has_fence(buf, two, DMA_RESV_USAGE_WRITE));
}

static void dma_buf_import_sync_file_stub(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_buf *buf = mock_buf_create(test);

	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW, sync_file_fd(test, stub)));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(buf->resv, DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_put(stub);
}

/* what goes in comes out */
static void dma_buf_sync_file_round_trip(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *from = mock_buf_create(test), *to = mock_buf_create(test);
	int fd;

	test_resv_add(test, from->resv, fence, DMA_RESV_USAGE_READ);
	KUNIT_ASSERT_EQ(test, export_sync_file(test, from, DMA_BUF_SYNC_WRITE, &fd), 0);
	test_close_later(test, fd);
	KUNIT_EXPECT_EQ(test, import_sync_file(test, to, DMA_BUF_SYNC_WRITE, fd), 0);
	KUNIT_EXPECT_TRUE(test, has_fence(to, fence, DMA_RESV_USAGE_WRITE));
}

/* Import and export: containers of all kinds */

#define NUM_LEAVES 4

struct nest {
	struct dma_fence *leaves[NUM_LEAVES];
	struct dma_fence *container;
};

static struct dma_fence *nest_array(struct kunit *test, struct dma_fence **leaves)
{
	return mock_array_create(test, false, leaves, NUM_LEAVES);
}

static struct dma_fence *nest_chain(struct kunit *test, struct dma_fence **leaves)
{
	struct dma_fence *node = mock_chain_create(test, NULL, leaves[0], 1);

	node = mock_chain_create(test, node, leaves[1], 2);
	node = mock_chain_create(test, node, leaves[2], 3);
	return mock_chain_create(test, node, leaves[3], 4);
}

static struct dma_fence *nest_chain_of_arrays(struct kunit *test, struct dma_fence **leaves)
{
	struct dma_fence *node;

	node = mock_chain_create(test, NULL, mock_array(test, leaves[0], leaves[1]), 1);
	return mock_chain_create(test, node, mock_array(test, leaves[2], leaves[3]), 2);
}

static struct dma_fence *nest_chain_with_plain_end(struct kunit *test, struct dma_fence **leaves)
{
	return mock_chain_create(test, leaves[0],
				 mock_array(test, leaves[1], leaves[2], leaves[3]), 1);
}

static const struct nesting {
	const char *desc;
	struct dma_fence *(*create)(struct kunit *test, struct dma_fence **leaves);
} nestings[] = {
	{ "array", nest_array },
	{ "chain", nest_chain },
	{ "chain of arrays", nest_chain_of_arrays },
	{ "chain with plain end", nest_chain_with_plain_end },
};

KUNIT_ARRAY_PARAM_DESC(nesting, nestings, desc);

static struct nest *nest_create(struct kunit *test)
{
	struct nest *nest = kunit_kzalloc(test, sizeof(*nest), GFP_KERNEL);
	const struct nesting *param = test->param_value;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, nest);
	for (i = 0; i < NUM_LEAVES; i++)
		nest->leaves[i] = mock_fence_new(test);
	nest->container = param->create(test, nest->leaves);
	return nest;
}

static void nest_expect_refs(struct kunit *test, struct nest *nest, unsigned int refs)
{
	unsigned int i;

	for (i = 0; i < NUM_LEAVES; i++)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(nest->leaves[i]), refs);
}

static void expect_no_containers(struct kunit *test, struct dma_buf *buf)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(buf->resv, NULL);
	dma_resv_for_each_fence(&cursor, buf->resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		KUNIT_EXPECT_FALSE(test, dma_fence_is_container(fence));
	dma_resv_unlock(buf->resv);
}

static void dma_buf_import_sync_file_nested(struct kunit *test)
{
	struct nest *nest = nest_create(test);
	unsigned int i, refs = mock_fence_refs(nest->leaves[0]);
	struct dma_buf *buf = mock_buf_create(test);
	int fd = sync_file_fd(test, nest->container);

	nest_expect_refs(test, nest, refs);
	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW, fd)));
	KUNIT_EXPECT_EQ(test, count_fences(buf, DMA_RESV_USAGE_WRITE), NUM_LEAVES);
	for (i = 0; i < NUM_LEAVES; i++)
		KUNIT_EXPECT_TRUE(test, has_fence(buf, nest->leaves[i], DMA_RESV_USAGE_WRITE));
	expect_no_containers(test, buf);
	nest_expect_refs(test, nest, refs + 1);
	/* the case's own and that of the file */
	KUNIT_EXPECT_EQ(test, mock_fence_refs(nest->container), 2);
}

/* None of it is in the buffer afterwards, not even what there was room for. */
static void dma_buf_import_sync_file_nested_out_of_memory(struct kunit *test)
{
	struct dma_buf_import_sync_file arg = { .flags = DMA_BUF_SYNC_WRITE };
	struct nest *nest = nest_create(test);
	unsigned int nth, refs = mock_fence_refs(nest->leaves[0]);
	struct dma_buf *buf = mock_buf_create(test);
	void __user *user = test_user_page(test);
	long ret = 0;

	arg.fd = sync_file_fd(test, nest->container);
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, ret = mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
							   user)); nth++) {
		KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, count_fences(buf, DMA_RESV_USAGE_WRITE), 0);
		nest_expect_refs(test, nest, refs);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	nest_expect_refs(test, nest, refs + 1);
}

static void dma_buf_import_sync_file_nested_signalled(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct nest *nest = nest_create(test);
	unsigned int i;

	for (i = 0; i < NUM_LEAVES; i++)
		dma_fence_signal(nest->leaves[i]);
	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW,
						  sync_file_fd(test, nest->container)));
	expect_no_containers(test, buf);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(buf->resv, DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(exported_fence(test, buf, FLAGS_RW)));
}

/* The import adds the pending fences, whether the others are left out or not. */
static void dma_buf_import_sync_file_nested_partly_signalled(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct nest *nest = nest_create(test);
	struct dma_fence *fence;

	dma_fence_signal(nest->leaves[0]);
	dma_fence_signal(nest->leaves[2]);
	dma_fence_signal(nest->leaves[3]);
	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW,
						  sync_file_fd(test, nest->container)));
	expect_no_containers(test, buf);
	KUNIT_EXPECT_TRUE(test, has_fence(buf, nest->leaves[1], DMA_RESV_USAGE_WRITE));
	fence = exported_fence(test, buf, FLAGS_RW);
	KUNIT_EXPECT_PTR_EQ(test, fence, nest->leaves[1]);
}

/* The export is an array of the imported fences, which the next buffer takes in turn. */
static void dma_buf_sync_file_round_trip_of_nested(struct kunit *test)
{
	struct dma_buf *from = mock_buf_create(test), *to = mock_buf_create(test);
	struct nest *nest = nest_create(test);
	unsigned int refs = mock_fence_refs(nest->leaves[0]);
	struct dma_fence *fence;
	int fd;

	KUNIT_ASSERT_EQ(test, 0, import_sync_file(test, from, DMA_BUF_SYNC_READ,
						  sync_file_fd(test, nest->container)));
	KUNIT_ASSERT_EQ(test, export_sync_file(test, from, DMA_BUF_SYNC_WRITE, &fd), 0);
	nest_expect_refs(test, nest, refs + 2);
	KUNIT_ASSERT_EQ(test, import_sync_file(test, to, DMA_BUF_SYNC_WRITE, fd), 0);
	nest_expect_refs(test, nest, refs + 3);
	expect_no_containers(test, to);
	KUNIT_EXPECT_EQ(test, count_fences(to, DMA_RESV_USAGE_WRITE), NUM_LEAVES);

	fence = sync_file_get_fence(fd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(fence));
	KUNIT_EXPECT_EQ(test, to_dma_fence_array(fence)->num_fences, NUM_LEAVES);
	dma_fence_put(fence);
	close_fd(fd);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(nest->leaves[0], refs + 2));
	nest_expect_refs(test, nest, refs + 2);
}

/* An error that comes later shows in what was exported before. */
static void dma_buf_sync_file_error_of_nested(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct nest *nest = nest_create(test);
	struct dma_fence *fence;

	KUNIT_ASSERT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW,
						  sync_file_fd(test, nest->container)));
	fence = exported_fence(test, buf, FLAGS_RW);
	dma_fence_enable_sw_signaling(fence);
	dma_fence_signal(nest->leaves[0]);
	dma_fence_signal(nest->leaves[1]);
	mock_fence_fail(nest->leaves[2], -EIO);
	dma_fence_signal(nest->leaves[3]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(fence));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -EIO);
}

static void dma_buf_import_sync_file_empty_array(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence_array *array = NULL;

	EXPECT_KERNEL_WARNINGS(test, 1, array = dma_fence_array_create(0, NULL, 1, 1, false));
	mock_container_adopt(test, array ? &array->base : NULL);
	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW,
						  sync_file_fd(test, &array->base)));
	KUNIT_EXPECT_EQ(test, count_fences(buf, DMA_RESV_USAGE_WRITE), 0);
}

/* Links whose work is done are gone by the time that they are counted. */
static void dma_buf_import_sync_file_collected_chain(struct kunit *test)
{
	struct dma_fence *done = mock_fence_new(test), *fence = mock_fence_new(test);
	struct dma_fence *older = mock_chain_create(test, NULL, done, 1);
	struct dma_fence *node = mock_chain_create(test, older, fence, 2);
	struct dma_buf *buf = mock_buf_create(test);

	dma_fence_signal(done);
	KUNIT_EXPECT_EQ(test, 0, import_sync_file(test, buf, FLAGS_RW, sync_file_fd(test, node)));
	KUNIT_EXPECT_EQ(test, count_fences(buf, DMA_RESV_USAGE_WRITE), 1);
	KUNIT_EXPECT_TRUE(test, has_fence(buf, fence, DMA_RESV_USAGE_WRITE));
}

static struct kunit_case dma_buf_sync_file_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_export_sync_file_flags, bad_flags_gen_params),
	KUNIT_CASE(dma_buf_export_sync_file_fault),
	KUNIT_CASE(dma_buf_export_sync_file_fault_at_end),
	KUNIT_CASE(dma_buf_export_sync_file_table_full),
	KUNIT_CASE(dma_buf_export_sync_file_cloexec),
	KUNIT_CASE(dma_buf_export_sync_file_out_of_memory),
	KUNIT_CASE(dma_buf_export_sync_file_idle),
	KUNIT_CASE(dma_buf_export_sync_file_only_signalled),
	KUNIT_CASE_PARAM(dma_buf_export_sync_file_usage, export_usages_gen_params),
	KUNIT_CASE(dma_buf_export_sync_file_several),
	KUNIT_CASE(dma_buf_export_sync_file_is_a_snapshot),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_flags, bad_flags_gen_params),
	KUNIT_CASE(dma_buf_import_sync_file_fault),
	KUNIT_CASE(dma_buf_import_sync_file_bad_fd),
	KUNIT_CASE(dma_buf_import_sync_file_other_file),
	KUNIT_CASE(dma_buf_import_sync_file_out_of_memory),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_usage, import_usages_gen_params),
	KUNIT_CASE(dma_buf_import_sync_file_does_not_consume),
	KUNIT_CASE(dma_buf_import_sync_file_signalled),
	KUNIT_CASE(dma_buf_import_sync_file_array),
	KUNIT_CASE(dma_buf_import_sync_file_stub),
	KUNIT_CASE(dma_buf_sync_file_round_trip),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_nested, nesting_gen_params),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_nested_out_of_memory, nesting_gen_params),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_nested_signalled, nesting_gen_params),
	KUNIT_CASE_PARAM(dma_buf_import_sync_file_nested_partly_signalled, nesting_gen_params),
	KUNIT_CASE_PARAM(dma_buf_sync_file_round_trip_of_nested, nesting_gen_params),
	KUNIT_CASE_PARAM(dma_buf_sync_file_error_of_nested, nesting_gen_params),
	KUNIT_CASE(dma_buf_import_sync_file_empty_array),
	KUNIT_CASE(dma_buf_import_sync_file_collected_chain),
	{}
};

static struct kunit_suite dma_buf_sync_file_suite = {
	.name = "dma_buf_sync_file",
	.test_cases = dma_buf_sync_file_cases,
};

kunit_test_suite(dma_buf_sync_file_suite);

MODULE_DESCRIPTION("KUnit tests for fences of a buffer as sync files");
MODULE_LICENSE("GPL");
