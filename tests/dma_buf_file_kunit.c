// SPDX-License-Identifier: GPL-2.0
/*
 * The file of a buffer: position, names, texts in /proc and debugfs, the two
 * ioctls that are not about fences.
 */

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <uapi/linux/dma-buf.h>

#include "fail_alloc.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "race.h"
#include "test_util.h"

#define TEXT_SIZE	1024

static char *text_buffer(struct kunit *test)
{
	char *text = kunit_kzalloc(test, TEXT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	return text;
}

/* Position */

static const struct seek {
	const char *desc;
	loff_t offset;
	int whence;
	loff_t result;
} seeks[] = {
	{ "start", 0, SEEK_SET, 0 },
	{ "end", 0, SEEK_END, MOCK_EXPORTER_SIZE },
	{ "here", 0, SEEK_CUR, -EINVAL },
	{ "data", 0, SEEK_DATA, -EINVAL },
	{ "hole", 0, SEEK_HOLE, -EINVAL },
	{ "after the start", 1, SEEK_SET, -EINVAL },
	{ "before the end", -1, SEEK_END, -EINVAL },
	{ "behind the end", 1, SEEK_END, -EINVAL },
	{ "before the start", -1, SEEK_SET, -EINVAL },
	{ "forward", 1, SEEK_CUR, -EINVAL },
	{ "unknown", 0, SEEK_MAX + 1, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(seeks, seeks, desc);

static void dma_buf_llseek(struct kunit *test)
{
	const struct seek *param = test->param_value;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, buf->file->f_op->llseek(buf->file, param->offset, param->whence),
			param->result);
	KUNIT_EXPECT_EQ(test, buf->file->f_pos, 0);
}

/* user space gets there, so the file must say that it has a position */
static void dma_buf_llseek_by_vfs(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, vfs_llseek(buf->file, 0, SEEK_END), MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_EQ(test, vfs_llseek(buf->file, 0, SEEK_SET), 0);
}

static void dma_buf_file_has_no_bytes(struct kunit *test)
{
	void __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);
	loff_t pos = 0;

	KUNIT_EXPECT_EQ(test, vfs_read(buf->file, user, 1, &pos), -EINVAL);
	KUNIT_EXPECT_EQ(test, vfs_fsync(buf->file, 0), -EINVAL);
	KUNIT_EXPECT_NULL(test, buf->file->f_op->write);
	KUNIT_EXPECT_NULL(test, buf->file->f_op->write_iter);
}

/* Ioctls: SYNC and what is no ioctl */

static void dma_buf_ioctl_unknown(struct kunit *test)
{
	void __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IO(DMA_BUF_BASE, 0), user), -ENOTTY);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IOW(DMA_BUF_BASE, 0, u32), user), -ENOTTY);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IOW('c', 0, struct dma_buf_sync), user), -ENOTTY);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, 0, user), -ENOTTY);
}

static const struct sync_call {
	const char *desc;
	u64 flags;
	int error;
	const char *trace;
	enum dma_data_direction dir;
} sync_calls[] = {
	{ "start read", DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, 0, "begin", DMA_FROM_DEVICE },
	{ "start write", DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, 0, "begin", DMA_TO_DEVICE },
	{ "start both", DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, 0, "begin", DMA_BIDIRECTIONAL },
	{ "end read", DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ, 0, "end", DMA_FROM_DEVICE },
	{ "end write", DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE, 0, "end", DMA_TO_DEVICE },
	{ "end both", DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW, 0, "end", DMA_BIDIRECTIONAL },
	{ "start nothing", DMA_BUF_SYNC_START, -EINVAL, "", DMA_NONE },
	{ "end nothing", DMA_BUF_SYNC_END, -EINVAL, "", DMA_NONE },
	{ "unknown flag", DMA_BUF_SYNC_READ | 8, -EINVAL, "", DMA_NONE },
	{ "unknown high flag", DMA_BUF_SYNC_READ | BIT_ULL(32), -EINVAL, "", DMA_NONE },
	{ "unknown top flag", DMA_BUF_SYNC_RW | BIT_ULL(63), -EINVAL, "", DMA_NONE },
};

KUNIT_ARRAY_PARAM_DESC(sync_calls, sync_calls, desc);

static void dma_buf_ioctl_sync(struct kunit *test)
{
	const struct sync_call *param = test->param_value;
	struct dma_buf_sync sync = { .flags = param->flags };
	void __user *user = test_user_page(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &sync, sizeof(sync)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, user), param->error);
	if (!param->error)
		KUNIT_EXPECT_EQ(test, exp->calls[exp->trace[0] == 'b' ? MOCK_BEGIN : MOCK_END].dir,
				param->dir);
	mock_expect_trace(exp, param->trace);
}

static const struct sync_error {
	const char *desc;
	u64 flags;
	enum mock_op op;
} sync_errors[] = {
	{ "start", DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, MOCK_BEGIN },
	{ "end", DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW, MOCK_END },
};

KUNIT_ARRAY_PARAM_DESC(sync_errors, sync_errors, desc);

static void dma_buf_ioctl_sync_error_of_exporter(struct kunit *test)
{
	const struct sync_error *param = test->param_value;
	struct dma_buf_sync sync = { .flags = param->flags };
	void __user *user = test_user_page(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	exp->fail[param->op] = -EIO;
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &sync, sizeof(sync)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, user), -EIO);
}

static void dma_buf_ioctl_sync_waits(struct kunit *test)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ };
	void __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &sync, sizeof(sync)), 0);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	test_interrupted(KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, user),
					 -ERESTARTSYS));
}

static void dma_buf_ioctl_sync_fault(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, test_user_hole(test)), -EFAULT);
	mock_expect_trace(exp, "");
}

static const struct sync_mode {
	const char *desc;
	int flags;
} sync_modes[] = {
	{ "O_RDONLY", O_RDONLY },
	{ "O_WRONLY", O_WRONLY },
};

KUNIT_ARRAY_PARAM_DESC(sync_modes, sync_modes, desc);

static void dma_buf_ioctl_sync_ignores_access_mode(struct kunit *test)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW };
	const struct sync_mode *param = test->param_value;
	void __user *user = test_user_page(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	exp->info.flags = param->flags;
	buf = mock_export(test);
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &sync, sizeof(sync)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, user), 0);
}

/* Names */

static long set_name(struct kunit *test, struct dma_buf *buf, const char *name)
{
	char __user *user = test_user_page(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, name, strlen(name) + 1), 0);
	return mock_ioctl(buf, DMA_BUF_SET_NAME, user);
}

static const char *path_of(struct kunit *test, struct dma_buf *buf)
{
	return d_path(&buf->file->f_path, text_buffer(test), TEXT_SIZE);
}

#define NAME_31	"0123456789abcdefghijklmnopqrstu"
static_assert(sizeof(NAME_31) == DMA_BUF_NAME_LEN);

static const struct name_call {
	const char *desc;
	const char *name;
	int error;
	const char *path;
} name_calls[] = {
	{ "short", "x", 0, "/dmabuf:x" },
	{ "empty", "", 0, "/dmabuf:" },
	{ "31 characters", NAME_31, 0, "/dmabuf:" NAME_31 },
	{ "32 characters", NAME_31 "v", -EINVAL, "/dmabuf:" },
	{ "far too long", NAME_31 NAME_31 NAME_31, -EINVAL, "/dmabuf:" },
	{ "any bytes", "a\tb\n\x01\xff/..", 0, "/dmabuf:a\tb\n\x01\xff/.." },
};

KUNIT_ARRAY_PARAM_DESC(name_calls, name_calls, desc);

static void dma_buf_name(struct kunit *test)
{
	const struct name_call *param = test->param_value;
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, set_name(test, buf, param->name), param->error);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), param->path);
}

static void dma_buf_name_none(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, path_of(test, mock_export(test)), "/dmabuf:");
}

static void dma_buf_name_replaced(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, set_name(test, buf, "a long first name"), 0);
	KUNIT_EXPECT_EQ(test, set_name(test, buf, "b"), 0);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), "/dmabuf:b");
}

static void dma_buf_name_too_long_keeps_old(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, set_name(test, buf, "old"), 0);
	KUNIT_EXPECT_EQ(test, set_name(test, buf, NAME_31 "v"), -EINVAL);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), "/dmabuf:old");
}

static void dma_buf_name_fault(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, set_name(test, buf, "old"), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_SET_NAME, test_user_hole(test)), -EFAULT);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), "/dmabuf:old");
}

static void dma_buf_name_out_of_memory(struct kunit *test)
{
	char __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);
	bool failed;
	long ret;

	KUNIT_EXPECT_EQ(test, set_name(test, buf, "old"), 0);
	KUNIT_ASSERT_EQ(test, copy_to_user(user, "new", 4), 0);
	fail_alloc_setup(test);
	failed = FAIL_NTH_ALLOC(1, ret = mock_ioctl(buf, DMA_BUF_SET_NAME, user));
	KUNIT_EXPECT_TRUE(test, failed);
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), "/dmabuf:old");
}

static const struct name_cmd {
	const char *desc;
	unsigned int cmd;
} name_cmds[] = {
	{ "DMA_BUF_SET_NAME", DMA_BUF_SET_NAME },
	{ "DMA_BUF_SET_NAME_A", DMA_BUF_SET_NAME_A },
	{ "DMA_BUF_SET_NAME_B", DMA_BUF_SET_NAME_B },
};

KUNIT_ARRAY_PARAM_DESC(name_cmds, name_cmds, desc);

static void dma_buf_name_commands(struct kunit *test)
{
	const struct name_cmd *param = test->param_value;
	char __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, "abc", 4), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, param->cmd, user), 0);
	KUNIT_EXPECT_STREQ(test, path_of(test, buf), "/dmabuf:abc");
}

static void dma_buf_name_of_attached(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "mock-importer");
	struct dma_buf *buf = mock_export(test);
	struct dma_buf_attachment *attach;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	attach = dma_buf_attach(buf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, set_name(test, buf, "busy"), 0);
	dma_buf_detach(buf, attach);
}

/* a path alone (O_PATH) holds neither the buffer nor its name */
static void dma_buf_name_of_released(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	char *text = text_buffer(test);
	struct file *path;

	test_skip_stock(test, "O_PATH keeps the buffer");
	KUNIT_ASSERT_EQ(test, set_name(test, buf, "gone"), 0);
	path = dentry_open(&buf->file->f_path, O_PATH, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	KUNIT_EXPECT_STREQ(test, d_path(&path->f_path, text, TEXT_SIZE), "/dmabuf:gone");
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	/* the name goes a few instructions after the exporter's release */
	for (int i = 0; i < 50 && strcmp(d_path(&path->f_path, text, TEXT_SIZE), "/dmabuf:"); i++)
		msleep(20);
	KUNIT_EXPECT_STREQ(test, d_path(&path->f_path, text, TEXT_SIZE), "/dmabuf:");
	fput(path);
}

static void dma_buf_stat_of_released(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);
	unsigned long ino = mock_ino(buf);
	struct file *path;
	struct kstat stat;

	test_skip_stock(test, "O_PATH keeps the buffer");
	path = dentry_open(&buf->file->f_path, O_PATH, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	KUNIT_EXPECT_EQ(test, 0, vfs_getattr(&path->f_path, &stat, STATX_BASIC_STATS, 0));
	KUNIT_EXPECT_EQ(test, stat.ino, ino);
	KUNIT_EXPECT_EQ(test, stat.size, MOCK_EXPORTER_SIZE);
	fput(path);
}

static void dma_buf_stat(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	struct kstat stat;

	KUNIT_EXPECT_EQ(test, 0, vfs_getattr(&buf->file->f_path, &stat, STATX_BASIC_STATS, 0));
	KUNIT_EXPECT_EQ(test, stat.ino, mock_ino(buf));
	KUNIT_EXPECT_EQ(test, stat.mode, 0600);
	KUNIT_EXPECT_EQ(test, stat.nlink, 1);
	KUNIT_EXPECT_EQ(test, stat.size, MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_EQ(test, stat.blocks, MOCK_EXPORTER_SIZE / 512);
}

/* DMA_BUF_IOCTL_INFO */

#define INFO_SIZE	sizeof(struct dma_buf_info)

/* the argument, and as much behind it */
struct long_info {
	struct dma_buf_info info;
	u8 tail[INFO_SIZE];
};

static const struct info_call {
	const char *desc;
	u32 size;
	u32 flags;
	unsigned int tail;
	int error;
} info_calls[] = {
	{ "known size", 144, 0, 0, 0 },
	{ "known size with something behind it", 144, 0, 1, 0 },
	{ "later size", 152, 0, 0, 0 },
	{ "later size with something behind it", 152, 0, 9, 0 },
	{ "later size that matters", 152, 0, 8, -E2BIG },
	{ "later size that matters, and flags", 152, 1, 1, -E2BIG },
	{ "a page", PAGE_SIZE, 0, 0, 0 },
	{ "more than a page", PAGE_SIZE + 1, 0, 0, -E2BIG },
	{ "largest size", U32_MAX, 0, 0, -E2BIG },
	{ "no size", 0, 0, 0, -EINVAL },
	{ "one byte less", 143, 0, 0, -EINVAL },
	{ "flag", 144, DMA_BUF_INFO_MMAP, 0, -EINVAL },
	{ "top flag", 144, BIT(31), 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(info_calls, info_calls, desc);

static void dma_buf_ioctl_info(struct kunit *test)
{
	const struct info_call *param = test->param_value;
	struct long_info arg = { { .size = param->size, .flags = param->flags } }, got;
	struct long_info __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);

	/* all but size and flags is for the kernel to write */
	arg.info.bytes = U64_MAX;
	memset(arg.info.name, 'x', sizeof(arg.info.name));
	if (param->tail)
		arg.tail[param->tail - 1] = 1;
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_INFO, user), param->error);
	KUNIT_ASSERT_EQ(test, copy_from_user(&got, user, sizeof(got)), 0);
	KUNIT_EXPECT_MEMEQ(test, got.tail, arg.tail, sizeof(arg.tail));
	if (param->error)
		KUNIT_EXPECT_MEMEQ(test, &got.info, &arg.info, INFO_SIZE);
	else
		KUNIT_EXPECT_EQ(test, got.info.size, 144);
}

static struct dma_buf_info info_of(struct kunit *test, struct dma_buf *buf)
{
	struct dma_buf_info info = { .size = sizeof(info) };
	void __user *user = test_user_page(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &info, sizeof(info)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_INFO, user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&info, user, sizeof(info)), 0);
	return info;
}

static void dma_buf_info_plain(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	struct dma_buf_info want = {
		.size = 144,
		.flags = DMA_BUF_INFO_MMAP | DMA_BUF_INFO_CPU_SYNC,
		.bytes = MOCK_EXPORTER_SIZE,
		.ino = mock_ino(buf),
		.exporter = MOCK_EXPORTER_NAME,
	};
	struct dma_buf_info info = info_of(test, buf);

	KUNIT_EXPECT_MEMEQ(test, &info, &want, sizeof(info));
}

static void dma_buf_info_flags(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf;

	mock_exporter_make_dynamic(exp);
	buf = mock_export(test);
	KUNIT_EXPECT_EQ(test, info_of(test, buf).flags,
			DMA_BUF_INFO_MMAP | DMA_BUF_INFO_CPU_SYNC | DMA_BUF_INFO_DYNAMIC);
	exp->ops.mmap = NULL;
	KUNIT_EXPECT_EQ(test, info_of(test, buf).flags,
			DMA_BUF_INFO_CPU_SYNC | DMA_BUF_INFO_DYNAMIC);
	exp->ops.begin_cpu_access = NULL;
	KUNIT_EXPECT_EQ(test, info_of(test, buf).flags,
			DMA_BUF_INFO_CPU_SYNC | DMA_BUF_INFO_DYNAMIC);
	exp->ops.end_cpu_access = NULL;
	KUNIT_EXPECT_EQ(test, info_of(test, buf).flags, DMA_BUF_INFO_DYNAMIC);
}

static void dma_buf_info_name(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	KUNIT_ASSERT_EQ(test, set_name(test, buf, ""), 0);
	KUNIT_EXPECT_TRUE(test, info_of(test, buf).flags & DMA_BUF_INFO_NAMED);
	KUNIT_EXPECT_STREQ(test, info_of(test, buf).name, "");
	KUNIT_ASSERT_EQ(test, set_name(test, buf, NAME_31), 0);
	KUNIT_EXPECT_STREQ(test, info_of(test, buf).name, NAME_31);
	KUNIT_ASSERT_EQ(test, set_name(test, buf, "a\n\xff"), 0);
	KUNIT_EXPECT_STREQ(test, info_of(test, buf).name, "a\n\xff");
}

static void dma_buf_info_long_exporter(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;

	exp->info.exp_name = NAME_31 "v and more";
	KUNIT_EXPECT_STREQ(test, info_of(test, mock_export(test)).exporter, NAME_31);
}

static void dma_buf_info_fault(struct kunit *test)
{
	void __user *hole = test_user_hole(test);
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_INFO, NULL), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_INFO, hole), -EFAULT);
}

static void dma_buf_info_read_only(struct kunit *test)
{
	struct dma_buf_info info = { .size = sizeof(info) };
	void __user *user = test_user_readonly(test, &info, sizeof(info));

	KUNIT_EXPECT_EQ(test, mock_ioctl(mock_export(test), DMA_BUF_IOCTL_INFO, user), -EFAULT);
}

/* the number does not tell the size of the argument */
static void dma_buf_info_number(struct kunit *test)
{
	void __user *user = test_user_page(test);
	struct dma_buf *buf = mock_export(test);

	KUNIT_EXPECT_EQ(test, DMA_BUF_IOCTL_INFO, _IOC(_IOC_NONE, 'b', 0x0f, 0));
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IO(DMA_BUF_BASE, 0x0e), user), -ENOTTY);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IO(DMA_BUF_BASE, 0x10), user), -ENOTTY);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IOWR(DMA_BUF_BASE, 0x0f, struct dma_buf_info), user),
			-ENOTTY);
}

/* Names change while another task reads them */

#define RACE_NAME_A	"a"
#define RACE_NAME_B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define RACE_STEPS	8

/**
 * struct name_race - a buffer whose name is set on one side and read on the other
 * @buf: buffer, called A at the begin of each round
 * @user: both names in user memory, A at 0 and B at 64
 * @ret: last error of setting a name
 * @seen: how often the reader has seen A, and B
 * @torn: how often something else
 */
struct name_race {
	struct dma_buf *buf;
	char __user *user;
	long ret;
	unsigned int seen[2];
	unsigned int torn;
};

static void name_race_set(struct name_race *race, bool b)
{
	long ret = mock_ioctl(race->buf, DMA_BUF_SET_NAME, race->user + b * 64);

	if (ret)
		race->ret = ret;
}

static bool name_race_prepare(struct kunit *test, void *data)
{
	name_race_set(data, false);
	return true;
}

static void name_race_write(void *data)
{
	for (int i = 1; i <= RACE_STEPS; i++)
		name_race_set(data, i % 2);
}

static void name_race_read(void *data)
{
	struct name_race *race = data;
	char text[64];

	for (int i = 0; i < RACE_STEPS; i++) {
		const char *path = d_path(&race->buf->file->f_path, text, sizeof(text));

		if (!strcmp(path, "/dmabuf:" RACE_NAME_A))
			race->seen[0]++;
		else if (!strcmp(path, "/dmabuf:" RACE_NAME_B))
			race->seen[1]++;
		else
			race->torn++;
	}
}

static bool name_race_check(struct kunit *test, void *data)
{
	struct name_race *race = data;

	KUNIT_EXPECT_EQ(test, race->ret, 0);
	KUNIT_EXPECT_EQ(test, race->torn, 0);
	return true;
}

static const struct race set_name_against_read = {
	name_race_prepare, name_race_write, name_race_read, name_race_check,
};

/* whatever the interleaving: a reader sees one name or the other */
static void dma_buf_name_race(struct kunit *test)
{
	struct name_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->buf = mock_export(test);
	race->user = test_user_page(test);
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(race->user, RACE_NAME_A, sizeof(RACE_NAME_A)));
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(race->user + 64, RACE_NAME_B, sizeof(RACE_NAME_B)));
	race_run_both(test, &set_name_against_read, race, race->seen);
}

/* fdinfo */

static const char *fdinfo_of(struct kunit *test, struct dma_buf *buf)
{
	struct seq_file *seq = kunit_kzalloc(test, sizeof(*seq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seq);
	seq->buf = text_buffer(test);
	seq->size = TEXT_SIZE;
	mutex_init(&seq->lock);
	buf->file->f_op->show_fdinfo(seq, buf->file);

	return seq->buf;
}

static void dma_buf_fdinfo_without_name(struct kunit *test)
{
	char *want = text_buffer(test);

	scnprintf(want, TEXT_SIZE, "size:\t%zu\ncount:\t0\nexp_name:\t%s\n",
		  (size_t)MOCK_EXPORTER_SIZE, MOCK_EXPORTER_NAME);
	KUNIT_EXPECT_STREQ(test, fdinfo_of(test, mock_export(test)), want);
}

static const struct fdinfo_name {
	const char *desc;
	const char *name;
	const char *line;
} fdinfo_names[] = {
	{ "a name", "x y", "\nname:\tx y\n" },
	{ "empty name", "", "\nname:\t\n" },
	{ "a forged line", "x\nsize:\t1", "\nname:\tx\\012size:\\0111\n" },
	{ "a backslash", "a\\012b", "\nname:\ta\\134012b\n" },
	{ "control characters", "\001\b\r\033\037\177!",
	  "\nname:\t\\001\\010\\015\\033\\037\\177!\n" },
	{ "characters of other alphabets", "\xc3\xa4\xff\x80 \"'",
	  "\nname:\t\xc3\xa4\xff\x80 \"'\n" },
};

KUNIT_ARRAY_PARAM_DESC(fdinfo_names, fdinfo_names, desc);

static void dma_buf_fdinfo_with_name(struct kunit *test)
{
	const struct fdinfo_name *param = test->param_value;
	struct dma_buf *buf = mock_export(test);
	const char *text;

	KUNIT_ASSERT_EQ(test, set_name(test, buf, param->name), 0);
	text = fdinfo_of(test, buf);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, param->line), "%s", text);
	/* and nothing behind it */
	KUNIT_EXPECT_STREQ(test, text + strlen(text) - strlen(param->line), param->line);
}

/* what is printed for each control character can be told from all others */
static void dma_buf_fdinfo_name_has_no_control(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	char name[2] = "", want[8];
	const char *text;
	bool escaped;

	for (int c = 1; c < 256; c++) {
		name[0] = c;
		KUNIT_ASSERT_EQ(test, set_name(test, buf, name), 0);
		escaped = c < ' ' || c == 127 || c == '\\';
		scnprintf(want, sizeof(want), escaped ? "\t\\%03o\n" : "\t%c\n", c);
		text = strstr(fdinfo_of(test, buf), "\nname:");
		KUNIT_ASSERT_NOT_NULL(test, text);
		KUNIT_EXPECT_STREQ(test, text + strlen("\nname:"), want);
	}
}

/* the reader through /proc holds one reference, which does not count */
static void dma_buf_fdinfo_count(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	const char *text;

	get_dma_buf(buf);
	get_dma_buf(buf);
	text = fdinfo_of(test, buf);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "\ncount:\t2\n"), "%s", text);
	dma_buf_put(buf);
	dma_buf_put(buf);
}

/* debugfs */

static const char *bufinfo(struct kunit *test)
{
	struct file *file;
	char *text;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");

	text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	file = test_open(test_mount(test, "debugfs"), "dma_buf/bufinfo");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_GT(test, test_read_file(test, file, text, PAGE_SIZE), 0);
	fput(file);

	return text;
}

static void dma_buf_bufinfo_head(struct kunit *test)
{
	static const char head[] = "\nDma-buf Objects:\n"
		"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n";
	const char *text = bufinfo(test);

	KUNIT_EXPECT_TRUE_MSG(test, strstarts(text, head), "%s", text);
}

static void expect_text(struct kunit *test, const char *text, const char *want)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, want), "no \"%s\" in \"%s\"",
				  want, text);
}

static void dma_buf_bufinfo_plain(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	char *want = text_buffer(test);

	test_expect_refs(test, buf->file, 1);
	scnprintf(want, TEXT_SIZE,
		  "\n%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t<none>\n\tAttached Devices:\n"
		  "Total 0 devices attached\n\n", (size_t)MOCK_EXPORTER_SIZE,
		  buf->file->f_flags, buf->file->f_mode, 1L, MOCK_EXPORTER_NAME, mock_ino(buf));
	expect_text(test, bufinfo(test), want);
}

static void dma_buf_bufinfo_name(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	char *want = text_buffer(test);

	KUNIT_ASSERT_EQ(test, set_name(test, buf, "n n"), 0);
	scnprintf(want, TEXT_SIZE, "\t%s\t%08lu\tn n\n", MOCK_EXPORTER_NAME, mock_ino(buf));
	expect_text(test, bufinfo(test), want);
	KUNIT_ASSERT_EQ(test, set_name(test, buf, ""), 0);
	scnprintf(want, TEXT_SIZE, "\t%s\t%08lu\t\n", MOCK_EXPORTER_NAME, mock_ino(buf));
	expect_text(test, bufinfo(test), want);
	KUNIT_ASSERT_EQ(test, set_name(test, buf, "a\n\\1\t"), 0);
	scnprintf(want, TEXT_SIZE, "\t%s\t%08lu\ta\\012\\1341\\011\n", MOCK_EXPORTER_NAME,
		  mock_ino(buf));
	expect_text(test, bufinfo(test), want);
}

static void dma_buf_bufinfo_fences(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	char *want = text_buffer(test);
	struct dma_fence *fence = mock_fence_new(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	scnprintf(want, TEXT_SIZE,
		  "%08lu\t<none>\n\twrite fence:%s %s seq 1 unsignalled\n\tAttached Devices:\n",
		  mock_ino(buf), fence->ops->get_driver_name(fence),
		  fence->ops->get_timeline_name(fence));
	expect_text(test, bufinfo(test), want);
}

static void dma_buf_bufinfo_attachments(struct kunit *test)
{
	struct device *one = kunit_device_register(test, "mock-one");
	struct device *two = kunit_device_register(test, "mock-two");
	struct dma_buf_attachment *first, *second;
	struct dma_buf *buf = mock_export(test);
	char *want = text_buffer(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	first = dma_buf_attach(buf, one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	second = dma_buf_attach(buf, two);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	scnprintf(want, TEXT_SIZE,
		  "%08lu\t<none>\n\tAttached Devices:\n\t%s\n\t%s\n"
		  "Total 2 devices attached\n\n", mock_ino(buf), dev_name(two), dev_name(one));
	expect_text(test, bufinfo(test), want);
	dma_buf_detach(buf, second);
	dma_buf_detach(buf, first);
}

static void dma_buf_bufinfo_newest_first(struct kunit *test)
{
	struct dma_buf *older = mock_export(test), *newer = mock_buf_create(test);
	const char *text = bufinfo(test), *pos_older, *pos_newer;
	char want[32];

	scnprintf(want, sizeof(want), "\t%08lu\t<none>", mock_ino(older));
	pos_older = strstr(text, want);
	scnprintf(want, sizeof(want), "\t%08lu\t<none>", mock_ino(newer));
	pos_newer = strstr(text, want);
	KUNIT_ASSERT_NOT_NULL(test, pos_older);
	KUNIT_ASSERT_NOT_NULL(test, pos_newer);
	KUNIT_EXPECT_TRUE(test, pos_newer < pos_older);
}

static void bufinfo_total(struct kunit *test, unsigned int *count, size_t *bytes)
{
	const char *text = bufinfo(test), *next, *last = NULL;
	int fields;

	/* the lines about attachments begin like the last one */
	for (next = text; (next = strstr(next, "\nTotal ")); next++)
		last = next;
	KUNIT_ASSERT_NOT_NULL(test, last);
	fields = sscanf(last, "\nTotal %u objects, %zu bytes\n", count, bytes);
	KUNIT_ASSERT_EQ(test, fields, 2);
}

static void dma_buf_bufinfo_total(struct kunit *test)
{
	unsigned int before, after;
	size_t before_bytes, after_bytes;

	bufinfo_total(test, &before, &before_bytes);
	mock_export(test);
	bufinfo_total(test, &after, &after_bytes);
	KUNIT_EXPECT_EQ(test, after, before + 1);
	KUNIT_EXPECT_EQ(test, after_bytes, before_bytes + MOCK_EXPORTER_SIZE);
}

static void dma_buf_bufinfo_gone(struct kunit *test)
{
	struct mock_exporter *exp = test->priv;
	unsigned long ino = mock_ino(mock_export(test));
	const char *text;
	char entry[32];

	scnprintf(entry, sizeof(entry), "\t%08lu\t<none>", ino);
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	text = bufinfo(test);
	KUNIT_EXPECT_NULL_MSG(test, strstr(text, entry), "%s", text);
}

static struct kunit_case dma_buf_file_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_llseek, seeks_gen_params),
	KUNIT_CASE(dma_buf_llseek_by_vfs),
	KUNIT_CASE(dma_buf_file_has_no_bytes),
	KUNIT_CASE(dma_buf_ioctl_unknown),
	KUNIT_CASE_PARAM(dma_buf_ioctl_sync, sync_calls_gen_params),
	KUNIT_CASE_PARAM(dma_buf_ioctl_sync_error_of_exporter, sync_errors_gen_params),
	KUNIT_CASE(dma_buf_ioctl_sync_waits),
	KUNIT_CASE(dma_buf_ioctl_sync_fault),
	KUNIT_CASE_PARAM(dma_buf_ioctl_sync_ignores_access_mode, sync_modes_gen_params),
	KUNIT_CASE_PARAM(dma_buf_ioctl_info, info_calls_gen_params),
	KUNIT_CASE(dma_buf_info_plain),
	KUNIT_CASE(dma_buf_info_flags),
	KUNIT_CASE(dma_buf_info_name),
	KUNIT_CASE(dma_buf_info_long_exporter),
	KUNIT_CASE(dma_buf_info_fault),
	KUNIT_CASE(dma_buf_info_read_only),
	KUNIT_CASE(dma_buf_info_number),
	KUNIT_CASE_PARAM(dma_buf_name, name_calls_gen_params),
	KUNIT_CASE(dma_buf_name_none),
	KUNIT_CASE(dma_buf_name_replaced),
	KUNIT_CASE(dma_buf_name_too_long_keeps_old),
	KUNIT_CASE(dma_buf_name_fault),
	KUNIT_CASE(dma_buf_name_out_of_memory),
	KUNIT_CASE_PARAM(dma_buf_name_commands, name_cmds_gen_params),
	KUNIT_CASE(dma_buf_name_of_attached),
	KUNIT_CASE(dma_buf_name_of_released),
	KUNIT_CASE(dma_buf_name_race),
	KUNIT_CASE(dma_buf_stat),
	KUNIT_CASE(dma_buf_stat_of_released),
	KUNIT_CASE(dma_buf_fdinfo_without_name),
	KUNIT_CASE_PARAM(dma_buf_fdinfo_with_name, fdinfo_names_gen_params),
	KUNIT_CASE(dma_buf_fdinfo_name_has_no_control),
	KUNIT_CASE(dma_buf_fdinfo_count),
	KUNIT_CASE(dma_buf_bufinfo_head),
	KUNIT_CASE(dma_buf_bufinfo_plain),
	KUNIT_CASE(dma_buf_bufinfo_name),
	KUNIT_CASE(dma_buf_bufinfo_fences),
	KUNIT_CASE(dma_buf_bufinfo_attachments),
	KUNIT_CASE(dma_buf_bufinfo_newest_first),
	KUNIT_CASE(dma_buf_bufinfo_total),
	KUNIT_CASE(dma_buf_bufinfo_gone),
	{}
};

static struct kunit_suite dma_buf_file_suite = {
	.name = "dma_buf_file",
	.init = mock_exporter_init,
	.test_cases = dma_buf_file_cases,
};

kunit_test_suite(dma_buf_file_suite);

MODULE_DESCRIPTION("KUnit tests for the file of a buffer");
MODULE_LICENSE("GPL");
