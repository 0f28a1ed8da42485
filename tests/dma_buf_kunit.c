// SPDX-License-Identifier: GPL-2.0
/*
 * The buffer as an object: export, references, file descriptors, inode,
 * destruction.
 */

#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "fail_alloc.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

KUNIT_DEFINE_ACTION_WRAPPER(fput_wrapper, fput, struct file *);

/*
 * Modules. Only state and count of a module matter to those who take
 * references, so the cases bring their own.
 */
#ifdef CONFIG_MODULE_UNLOAD
/* the buffer puts its module after the release that the mock waits for */
static void fake_module_free(void *data)
{
	struct module *mod = data;

	for (int i = 0; i < 100 && atomic_read(&mod->refcnt) != 1; i++)
		msleep(20);
	if (atomic_read(&mod->refcnt) == 1)
		kfree(mod);
}

/* before the exporter, so that it goes after it */
static struct module *fake_module(struct kunit *test, bool live)
{
	struct module *mod = kzalloc(sizeof(*mod), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mod);
	mod->state = live ? MODULE_STATE_LIVE : MODULE_STATE_GOING;
	atomic_set(&mod->refcnt, 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, fake_module_free, mod));
	return mod;
}

static int fake_module_count(struct module *mod)
{
	return atomic_read(&mod->refcnt);
}
#else
static struct module *fake_module(struct kunit *test, bool live)
{
	kunit_skip(test, "needs CONFIG_MODULE_UNLOAD");
	return NULL;
}

static int fake_module_count(struct module *mod)
{
	return 0;
}
#endif

/* Export: what is refused */

static int no_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void no_unpin(struct dma_buf_attachment *attach)
{
}

static void drop_priv(struct mock_exporter *exp)
{
	exp->info.priv = NULL;
}

static void drop_ops(struct mock_exporter *exp)
{
	exp->info.ops = NULL;
}

static void drop_map(struct mock_exporter *exp)
{
	exp->ops.map_dma_buf = NULL;
}

static void drop_unmap(struct mock_exporter *exp)
{
	exp->ops.unmap_dma_buf = NULL;
}

static void drop_release(struct mock_exporter *exp)
{
	exp->ops.release = NULL;
}

static void cache_and_pin(struct mock_exporter *exp)
{
	exp->ops.cache_sgt_mapping = true;
	exp->ops.pin = no_pin;
	exp->ops.unpin = no_unpin;
}

static void cache_and_unpin(struct mock_exporter *exp)
{
	exp->ops.cache_sgt_mapping = true;
	exp->ops.unpin = no_unpin;
}

static void pin_alone(struct mock_exporter *exp)
{
	exp->ops.pin = no_pin;
}

static void unpin_alone(struct mock_exporter *exp)
{
	exp->ops.unpin = no_unpin;
}

static const struct bad_export {
	const char *desc;
	void (*spoil)(struct mock_exporter *exp);
} bad_exports[] = {
	{ "no priv", drop_priv },
	{ "no ops", drop_ops },
	{ "no map_dma_buf", drop_map },
	{ "no unmap_dma_buf", drop_unmap },
	{ "no release", drop_release },
	{ "cached and dynamic", cache_and_pin },
	{ "cached and unpin", cache_and_unpin },
	{ "pin without unpin", pin_alone },
	{ "unpin without pin", unpin_alone },
};

KUNIT_ARRAY_PARAM_DESC(bad_exports, bad_exports, desc);

static void dma_buf_export_refuses(struct kunit *test)
{
	const struct bad_export *bad = test->param_value;
	struct mock_exporter *exp = mock_exporter_create(test);

	bad->spoil(exp);
	EXPECT_KERNEL_WARNINGS(test, 1,
			       KUNIT_EXPECT_EQ(test, -EINVAL,
					       PTR_ERR_OR_ZERO(mock_exporter_export(exp))));
	KUNIT_EXPECT_EQ(test, exp->calls[MOCK_RELEASE].count, 0);
}

/* arguments are looked at before the module, so a refused export touches nothing */
static void dma_buf_export_refuses_before_taking_owner(struct kunit *test)
{
	const struct bad_export *bad = test->param_value;
	struct module *owner = fake_module(test, false);
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.owner = owner;
	bad->spoil(exp);
	EXPECT_KERNEL_WARNINGS(test, 1,
			       KUNIT_EXPECT_EQ(test, -EINVAL,
					       PTR_ERR_OR_ZERO(mock_exporter_export(exp))));
	KUNIT_EXPECT_EQ(test, fake_module_count(owner), 1);
}

static void dma_buf_export_dying_owner(struct kunit *test)
{
	struct module *owner = fake_module(test, false);
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.owner = owner;
	EXPECT_KERNEL_WARNINGS(test, 0,
			       KUNIT_EXPECT_EQ(test, -ENOENT,
					       PTR_ERR_OR_ZERO(mock_exporter_export(exp))));
}

static void dma_buf_export_failure_does_not_release(struct kunit *test)
{
	struct module *owner = fake_module(test, false);
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.owner = owner;
	KUNIT_ASSERT_TRUE(test, IS_ERR(mock_exporter_export(exp)));
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, exp->calls[MOCK_RELEASE].count, 0);
}

/* Export: what it makes */

static void dma_buf_export_info_presets(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_EXPECT_STREQ(test, info.exp_name, KBUILD_MODNAME);
	KUNIT_EXPECT_PTR_EQ(test, info.owner, THIS_MODULE);
	KUNIT_EXPECT_NULL(test, info.ops);
	KUNIT_EXPECT_NULL(test, info.resv);
	KUNIT_EXPECT_NULL(test, info.priv);
	KUNIT_EXPECT_EQ(test, info.size, 0);
	KUNIT_EXPECT_EQ(test, info.flags, 0);
}

static void dma_buf_export_members(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;

	KUNIT_EXPECT_EQ(test, buf->size, MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, buf->ops, exp->info.ops);
	KUNIT_EXPECT_PTR_EQ(test, buf->priv, (void *)exp);
	KUNIT_EXPECT_TRUE(test, list_empty(&buf->attachments));
	KUNIT_EXPECT_NOT_NULL(test, buf->file);
}

static void dma_buf_export_calls_nobody(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);

	mock_expect_trace(exp, "");
}

static void dma_buf_export_takes_owner(struct kunit *test)
{
	struct module *owner = fake_module(test, true);
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.owner = owner;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	KUNIT_EXPECT_EQ(test, fake_module_count(owner), 2);
}

/* the module is put after release, which lives in it */
static void dma_buf_destroy_puts_owner(struct kunit *test)
{
	struct module *owner = fake_module(test, true);
	struct mock_exporter *exp = mock_exporter_create(test);
	int i;

	exp->info.owner = owner;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	for (i = 0; i < 100 && fake_module_count(owner) != 1; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, fake_module_count(owner), 1);
}

static void note_owner_count(struct mock_exporter *exp, enum mock_op op,
			     struct dma_buf_attachment *attach)
{
	if (op == MOCK_RELEASE)
		*(int *)exp->hook_data = fake_module_count(exp->info.owner);
}

static void dma_buf_destroy_releases_before_putting_owner(struct kunit *test)
{
	struct module *owner = fake_module(test, true);
	struct mock_exporter *exp = mock_exporter_create(test);
	int count = 0;

	exp->info.owner = owner;
	exp->hook = note_owner_count;
	exp->hook_data = &count;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	KUNIT_EXPECT_EQ(test, count, 2);
}

static void dma_buf_export_size_is_not_checked(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.size = 0;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	KUNIT_EXPECT_EQ(test, exp->buf->size, 0);
}

static void dma_buf_export_out_of_memory(struct kunit *test)
{
	struct module *owner = fake_module(test, true);
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf *buf = NULL;
	unsigned int nth;

	exp->info.owner = owner;
	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, buf = dma_buf_export(&exp->info)); nth++) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(buf));
		KUNIT_EXPECT_EQ(test, PTR_ERR(buf), -ENOMEM);
		KUNIT_EXPECT_EQ(test, fake_module_count(owner), 1);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	mock_expect_trace(exp, "");
	dma_buf_put(buf);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

/* Reservation object */

static void dma_buf_resv_embedded(struct kunit *test)
{
	struct dma_buf *one = mock_buf_create(test);
	struct dma_buf *two = mock_buf_create(test);

	KUNIT_ASSERT_NOT_NULL(test, one->resv);
	KUNIT_EXPECT_PTR_NE(test, one->resv, two->resv);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(one->resv));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(one->resv,
						       DMA_RESV_USAGE_BOOKKEEP));
}

static void dma_buf_resv_of_exporter(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_resv resv;

	dma_resv_init(&resv);
	exp->info.resv = &resv;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	KUNIT_EXPECT_PTR_EQ(test, exp->buf->resv, &resv);

	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	dma_resv_fini(&resv);
}

static void dma_buf_resv_of_exporter_outlives(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_resv resv;

	dma_resv_init(&resv);
	exp->info.resv = &resv;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	test_resv_add(test, &resv, fence, DMA_RESV_USAGE_WRITE);

	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	msleep(20);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(&resv,
							DMA_RESV_USAGE_WRITE));
	dma_resv_fini(&resv);
}

static void dma_buf_resv_embedded_goes_with_buffer(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct mock_exporter *exp = mock_exporter_exported(test);
	int i;

	test_resv_add(test, exp->buf->resv, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_ASSERT_EQ(test, mock_fence_refs(fence), 2);

	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	for (i = 0; i < 100 && mock_fence_refs(fence) != 1; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

/* File and inode */

static const struct file_flags {
	const char *desc;
	int flags;
	int f_flags;
	fmode_t f_mode;
} file_flags[] = {
	{ "O_RDONLY", O_RDONLY, O_RDONLY, FMODE_READ },
	{ "O_WRONLY", O_WRONLY, O_WRONLY, FMODE_WRITE },
	{ "O_RDWR", O_RDWR, O_RDWR, FMODE_READ | FMODE_WRITE },
	{ "O_NONBLOCK", O_RDWR | O_NONBLOCK, O_RDWR | O_NONBLOCK,
	  FMODE_READ | FMODE_WRITE },
	{ "O_CLOEXEC", O_RDWR | O_CLOEXEC, O_RDWR, FMODE_READ | FMODE_WRITE },
	{ "O_APPEND and O_SYNC", O_RDWR | O_APPEND | O_SYNC, O_RDWR,
	  FMODE_READ | FMODE_WRITE },
	{ "O_CREAT and O_DIRECT", O_CREAT | O_DIRECT, O_RDONLY, FMODE_READ },
};

KUNIT_ARRAY_PARAM_DESC(file_flags, file_flags, desc);

static void dma_buf_file_flags(struct kunit *test)
{
	const struct file_flags *param = test->param_value;
	struct mock_exporter *exp = mock_exporter_create(test);

	exp->info.flags = param->flags;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	KUNIT_EXPECT_EQ(test, exp->buf->file->f_flags, param->f_flags);
	KUNIT_EXPECT_TRUE(test, (exp->buf->file->f_mode & (FMODE_READ | FMODE_WRITE)) ==
				param->f_mode);
}

static void dma_buf_inode_size(struct kunit *test)
{
	struct inode *inode = file_inode(mock_buf_create(test)->file);

	KUNIT_EXPECT_EQ(test, i_size_read(inode), MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_EQ(test, inode->i_blocks, MOCK_EXPORTER_SIZE / 512);
	KUNIT_EXPECT_EQ(test, inode_get_bytes(inode), MOCK_EXPORTER_SIZE);
}

static void dma_buf_inode_number_is_private(struct kunit *test)
{
	unsigned long first = mock_ino(mock_buf_create(test));
	struct file *other = shmem_file_setup("other", PAGE_SIZE, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	fput(other);
	KUNIT_EXPECT_GT(test, first, 0);
	KUNIT_EXPECT_EQ(test, mock_ino(mock_buf_create(test)), first + 1);
}

static void dma_buf_inode_number_is_not_reused(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	unsigned long first;

	first = mock_ino(exp->buf);
	mock_exporter_put(exp);
	KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
	msleep(20);

	KUNIT_EXPECT_GT(test, mock_ino(mock_buf_create(test)), first);
}

/* Pseudo filesystem */

static void dma_buf_fs_identity(struct kunit *test)
{
	struct super_block *sb = file_inode(mock_buf_create(test)->file)->i_sb;

	KUNIT_EXPECT_EQ(test, sb->s_magic, DMA_BUF_MAGIC);
	KUNIT_EXPECT_STREQ(test, sb->s_type->name, "dmabuf");
}

static void dma_buf_fs_is_shared(struct kunit *test)
{
	struct dma_buf *one = mock_buf_create(test);
	struct dma_buf *two = mock_buf_create(test);

	KUNIT_EXPECT_PTR_EQ(test, one->file->f_path.mnt, two->file->f_path.mnt);
	KUNIT_EXPECT_PTR_NE(test, file_inode(one->file), file_inode(two->file));
}

static void dma_buf_fs_no_exec(struct kunit *test)
{
	test_skip_stock(test, "allows it");
	KUNIT_EXPECT_TRUE(test, path_noexec(&mock_buf_create(test)->file->f_path));
}

static void dma_buf_fs_no_dev(struct kunit *test)
{
	test_skip_stock(test, "allows it");
	KUNIT_EXPECT_FALSE(test, may_open_dev(&mock_buf_create(test)->file->f_path));
}

static void dma_buf_fs_dentry_name(struct kunit *test)
{
	struct dentry *dentry = mock_buf_create(test)->file->f_path.dentry;

	KUNIT_EXPECT_STREQ(test, (const char *)dentry->d_name.name, "dmabuf");
}

/* References */

static void dma_buf_get_dma_buf_counts(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);

	test_expect_refs(test, buf->file, 1);
	get_dma_buf(buf);
	test_expect_refs(test, buf->file, 2);
	dma_buf_put(buf);
	test_expect_refs(test, buf->file, 1);
}

static void dma_buf_put_keeps_while_referenced(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;

	get_dma_buf(buf);
	dma_buf_put(buf);
	flush_delayed_fput();
	mock_expect_trace(exp, "");
}

static void dma_buf_put_releases_once(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);

	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	msleep(20);
	mock_expect_trace(exp, "release");
}

static void dma_buf_put_with_plain_file_reference(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;

	get_file(buf->file);
	mock_exporter_put(exp);
	flush_delayed_fput();
	mock_expect_trace(exp, "");

	fput(buf->file);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

/* as inotify holds one */
static void dma_buf_put_releases_despite_watched_inode(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;
	struct inode *inode;

	inode = file_inode(buf->file);
	ihold(inode);
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	iput(inode);
}

/* as open("/proc/self/fd/N", O_PATH) makes it */
static struct file *open_path(struct kunit *test, struct dma_buf *buf)
{
	struct file *path = dentry_open(&buf->file->f_path, O_PATH, current_cred());

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	return path;
}

static void dma_buf_put_releases_despite_path(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;
	struct file *path;

	test_skip_stock(test, "O_PATH keeps the memory");
	path = open_path(test, buf);
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
	fput(path);
}

static void dma_buf_path_does_not_release(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;

	fput(open_path(test, buf));
	flush_delayed_fput();
	mock_expect_trace(exp, "");
}

static void look_at_file(struct mock_exporter *exp, enum mock_op op,
			 struct dma_buf_attachment *attach)
{
	if (op != MOCK_RELEASE)
		return;

	KUNIT_EXPECT_NOT_NULL(exp->test, exp->buf->file);
	if (!exp->buf->file)
		return;
	KUNIT_EXPECT_EQ(exp->test, file_count(exp->buf->file), 0);
	KUNIT_EXPECT_NULL(exp->test, get_file_active(&exp->buf->file));
	KUNIT_EXPECT_NE(exp->test, file_inode(exp->buf->file)->i_ino, 0);
}

/* vmwgfx looks whether it can still get a reference, until its release is called */
static void dma_buf_release_sees_file(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct dma_buf *buf = exp->buf;
	struct file *path;

	test_skip_stock(test, "the file may be freed before");
	exp->hook = look_at_file;
	path = open_path(test, buf);
	mock_exporter_put(exp);
	flush_delayed_fput();
	fput(path);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

static void check_members(struct mock_exporter *exp, enum mock_op op,
			  struct dma_buf_attachment *attach)
{
	if (op != MOCK_RELEASE)
		return;

	KUNIT_EXPECT_EQ(exp->test, exp->buf->size, MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_PTR_EQ(exp->test, exp->buf->ops, exp->info.ops);
	KUNIT_EXPECT_NOT_NULL(exp->test, exp->buf->file);
	KUNIT_EXPECT_TRUE(exp->test, list_empty(&exp->buf->attachments));
	KUNIT_EXPECT_FALSE(exp->test,
			   dma_resv_test_signaled(exp->buf->resv,
						  DMA_RESV_USAGE_BOOKKEEP));
}

/* release may still look at everything, the embedded reservation included */
static void dma_buf_release_sees_members(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct mock_exporter *exp = mock_exporter_exported(test);

	exp->hook = check_members;
	test_resv_add(test, exp->buf->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

static void put_and_wait(struct mock_exporter *exp)
{
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(exp->test, mock_exporter_wait_released(exp));
	msleep(20);
}

static void dma_buf_destroy_warns_about_attachments(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	LIST_HEAD(left_behind);

	list_add(&left_behind, &exp->buf->attachments);
	EXPECT_KERNEL_WARNINGS(test, 1, put_and_wait(exp));
}

static void dma_buf_destroy_warns_about_vmap(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_exported(test);
	struct iosys_map map;

	test_skip_stock(test, "stops the machine");
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exp->buf, &map), 0);
	EXPECT_KERNEL_WARNINGS(test, 1, put_and_wait(exp));
}

/* File descriptors */

static void dma_buf_fd_without_file(struct kunit *test)
{
	struct dma_buf *buf = kunit_kzalloc(test, sizeof(*buf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, dma_buf_fd(buf, 0), -EINVAL);
}

static void dma_buf_fd_table_full(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);

	/* threads of the kernel share their files but not their limits */
	current->signal->rlim[RLIMIT_NOFILE].rlim_cur = 0;
	KUNIT_EXPECT_EQ(test, dma_buf_fd(buf, 0), -EMFILE);
	test_expect_refs(test, buf->file, 1);
}

static int fd_of(struct kunit *test, struct mock_exporter *exp, int flags)
{
	int fd;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	fd = dma_buf_fd(exp->buf, flags);
	KUNIT_ASSERT_GE(test, fd, 0);
	mock_exporter_disown(exp);

	return fd;
}

static void dma_buf_fd_consumes_reference(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	int fd = fd_of(test, exp, 0);

	test_expect_refs(test, exp->buf->file, 1);
	close_fd(fd);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

static void dma_buf_fd_is_the_file(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	int fd = fd_of(test, exp, 0);
	struct file *file = fget(fd);

	KUNIT_EXPECT_PTR_EQ(test, file, exp->buf->file);
	if (file)
		fput(file);
	close_fd(fd);
}

static const struct fd_flags {
	const char *desc;
	int flags;
	bool cloexec;
} fd_flags[] = {
	{ "none", 0, false },
	{ "O_CLOEXEC", O_CLOEXEC, true },
	{ "O_RDWR", O_RDWR, false },
};

KUNIT_ARRAY_PARAM_DESC(fd_flags, fd_flags, desc);

static void dma_buf_fd_cloexec(struct kunit *test)
{
	const struct fd_flags *param = test->param_value;
	int fd = fd_of(test, mock_exporter_create(test), param->flags);
	bool cloexec;

	rcu_read_lock();
	cloexec = close_on_exec(fd, current->files);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, cloexec, param->cloexec);
	close_fd(fd);
}

static void dma_buf_get_takes_reference(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	int fd = fd_of(test, exp, 0);
	struct dma_buf *buf = dma_buf_get(fd);

	KUNIT_EXPECT_PTR_EQ(test, buf, exp->buf);
	test_expect_refs(test, exp->buf->file, 2);
	if (!IS_ERR(buf))
		dma_buf_put(buf);
	close_fd(fd);
}

static void dma_buf_get_closed_fd(struct kunit *test)
{
	int fd = get_unused_fd_flags(0);

	KUNIT_ASSERT_GE(test, fd, 0);
	put_unused_fd(fd);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(fd)), -EBADF);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(-1)), -EBADF);
}

static void dma_buf_get_other_file(struct kunit *test)
{
	struct file *file = shmem_file_setup("other", PAGE_SIZE, 0);
	int fd = get_unused_fd_flags(0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, fput_wrapper, file));
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, get_file(file));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(fd)), -EINVAL);
	test_expect_refs(test, file, 2);
	close_fd(fd);
}

/* Small predicates */

static void dma_buf_is_dynamic_by_pin(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);

	KUNIT_EXPECT_FALSE(test, dma_buf_is_dynamic(mock_buf_create(test)));
	mock_exporter_make_dynamic(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	KUNIT_EXPECT_TRUE(test, dma_buf_is_dynamic(exp->buf));
}

static struct kunit_case dma_buf_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_export_refuses, bad_exports_gen_params),
	KUNIT_CASE_PARAM(dma_buf_export_refuses_before_taking_owner,
			 bad_exports_gen_params),
	KUNIT_CASE(dma_buf_export_dying_owner),
	KUNIT_CASE(dma_buf_export_failure_does_not_release),
	KUNIT_CASE(dma_buf_export_info_presets),
	KUNIT_CASE(dma_buf_export_members),
	KUNIT_CASE(dma_buf_export_calls_nobody),
	KUNIT_CASE(dma_buf_export_takes_owner),
	KUNIT_CASE(dma_buf_destroy_puts_owner),
	KUNIT_CASE(dma_buf_destroy_releases_before_putting_owner),
	KUNIT_CASE(dma_buf_export_size_is_not_checked),
	KUNIT_CASE(dma_buf_export_out_of_memory),
	KUNIT_CASE(dma_buf_resv_embedded),
	KUNIT_CASE(dma_buf_resv_of_exporter),
	KUNIT_CASE(dma_buf_resv_of_exporter_outlives),
	KUNIT_CASE(dma_buf_resv_embedded_goes_with_buffer),
	KUNIT_CASE_PARAM(dma_buf_file_flags, file_flags_gen_params),
	KUNIT_CASE(dma_buf_inode_size),
	KUNIT_CASE(dma_buf_inode_number_is_private),
	KUNIT_CASE(dma_buf_inode_number_is_not_reused),
	KUNIT_CASE(dma_buf_fs_identity),
	KUNIT_CASE(dma_buf_fs_is_shared),
	KUNIT_CASE(dma_buf_fs_no_exec),
	KUNIT_CASE(dma_buf_fs_no_dev),
	KUNIT_CASE(dma_buf_fs_dentry_name),
	KUNIT_CASE(dma_buf_get_dma_buf_counts),
	KUNIT_CASE(dma_buf_put_keeps_while_referenced),
	KUNIT_CASE(dma_buf_put_releases_once),
	KUNIT_CASE(dma_buf_put_with_plain_file_reference),
	KUNIT_CASE(dma_buf_put_releases_despite_watched_inode),
	KUNIT_CASE(dma_buf_put_releases_despite_path),
	KUNIT_CASE(dma_buf_path_does_not_release),
	KUNIT_CASE(dma_buf_release_sees_file),
	KUNIT_CASE(dma_buf_release_sees_members),
	KUNIT_CASE(dma_buf_destroy_warns_about_attachments),
	KUNIT_CASE(dma_buf_destroy_warns_about_vmap),
	KUNIT_CASE(dma_buf_fd_without_file),
	KUNIT_CASE(dma_buf_fd_table_full),
	KUNIT_CASE(dma_buf_fd_consumes_reference),
	KUNIT_CASE(dma_buf_fd_is_the_file),
	KUNIT_CASE_PARAM(dma_buf_fd_cloexec, fd_flags_gen_params),
	KUNIT_CASE(dma_buf_get_takes_reference),
	KUNIT_CASE(dma_buf_get_closed_fd),
	KUNIT_CASE(dma_buf_get_other_file),
	KUNIT_CASE(dma_buf_is_dynamic_by_pin),
	{}
};

static struct kunit_suite dma_buf_suite = {
	.name = "dma_buf",
	.test_cases = dma_buf_cases,
};

kunit_test_suite(dma_buf_suite);

MODULE_DESCRIPTION("KUnit tests for the life of a buffer");
MODULE_LICENSE("GPL");
