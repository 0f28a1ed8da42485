// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of sync files: references, names, polling, ioctls.
 */

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/sync_file.h>

#include "fail_alloc.h"
#include "mock_container.h"
#include "mock_fence.h"
#include "test_util.h"

static struct file *file_of(int fd)
{
	struct file *file = fget(fd);

	/* the descriptor keeps it, until the case ends */
	fput(file);
	return file;
}

static int sync_fd(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, sync_file->file);
	test_close_later(test, fd);
	return fd;
}

static long do_ioctl(int fd, unsigned int cmd, void __user *arg)
{
	struct file *file = file_of(fd);

	return file->f_op->unlocked_ioctl(file, cmd, (unsigned long)arg);
}

/* ---- in the kernel ---- */

static void create_takes_a_reference_of_its_own(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct sync_file *sync_file = sync_file_create(fence);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	KUNIT_EXPECT_EQ(test, file_count(sync_file->file), 1);
	fput(sync_file->file);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(fence, 1));
}

static void create_without_memory_holds_nothing(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct sync_file *sync_file = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, sync_file = sync_file_create(fence)); nth++) {
		KUNIT_ASSERT_NULL(test, sync_file);
		flush_delayed_fput();
		KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(fence, 1));
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	fput(sync_file->file);
}

static void create_does_not_ask_the_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	sync_fd(test, &mock->base);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(&mock->base), 0);
}

static void get_fence_gives_a_new_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence *found = sync_file_get_fence(sync_fd(test, fence));

	KUNIT_EXPECT_PTR_EQ(test, found, fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 3);
	dma_fence_put(found);
}

static void get_fence_wants_a_sync_file(struct kunit *test)
{
	struct file *file = shmem_file_setup("other", PAGE_SIZE, 0);
	int fd = get_unused_fd_flags(0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, file);
	test_close_later(test, fd);
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(fd));
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(-1));
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(test_next_fd()));
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
}

static void name_tells_driver_timeline_and_point(struct kunit *test)
{
	struct dma_fence *fence = &mock_fence_create(test, &mock_fence_ops, 7, U64_MAX)->base;
	struct sync_file *sync_file = file_of(sync_fd(test, fence))->private_data;
	char name[64];

	KUNIT_EXPECT_PTR_EQ(test, sync_file_get_name(sync_file, name, sizeof(name)), &name[0]);
	KUNIT_EXPECT_STREQ(test, name, "mock_driver-mock_timeline7--1");
	sync_file_get_name(sync_file, name, 8);
	KUNIT_EXPECT_STREQ(test, name, "mock_dr");
}

/* ---- polling ---- */

static u32 poll_once(struct file *file)
{
	poll_table table = { ._key = EPOLLIN };

	return (__force u32)vfs_poll(file, &table);
}

static void poll_asks_once(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct file *file = file_of(sync_fd(test, &mock->base));

	KUNIT_EXPECT_EQ(test, poll_once(file), 0);
	KUNIT_EXPECT_EQ(test, poll_once(file), 0);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(&mock->base), 1);
	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_EQ(test, poll_once(file), (__force u32)EPOLLIN);
}

static void release_takes_the_callback_back(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct sync_file *sync_file = sync_file_create(fence);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_EQ(test, poll_once(sync_file->file), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(fence), 1);
	fput(sync_file->file);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(fence, 1));
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(fence), 0);
}

static void poll_of_failed_fence_is_just_ready(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	mock_fence_fail(fence, -EIO);
	KUNIT_EXPECT_EQ(test, poll_once(file_of(sync_fd(test, fence))), (__force u32)EPOLLIN);
}

/* ---- ioctls ---- */

static void unknown_commands_are_refused(struct kunit *test)
{
	int fd = sync_fd(test, mock_fence_new(test));

	KUNIT_EXPECT_EQ(test, do_ioctl(fd, _IO('>', 0), NULL), -ENOTTY);
	KUNIT_EXPECT_EQ(test, do_ioctl(fd, _IO('>', 2), NULL), -ENOTTY);
	KUNIT_EXPECT_EQ(test, do_ioctl(fd, _IO('>', 6), NULL), -ENOTTY);
}

static long merge(struct kunit *test, int fd, struct sync_merge_data *arg)
{
	void __user *user = test_user_page(test);
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user(user, arg, sizeof(*arg)), 0);
	ret = do_ioctl(fd, SYNC_IOC_MERGE, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(arg, user, sizeof(*arg)), 0);
	if (!ret)
		test_close_later(test, arg->fence);
	return ret;
}

static void merge_checks_its_arguments(struct kunit *test)
{
	int fd = sync_fd(test, mock_fence_new(test)), before = test_next_fd();
	struct sync_merge_data flags = { .fd2 = fd, .flags = 1 };
	struct sync_merge_data pad = { .fd2 = fd, .pad = 1 };
	struct sync_merge_data bad = { .fd2 = -1 };
	struct sync_merge_data both = { .fd2 = -1, .pad = 1 };

	KUNIT_EXPECT_EQ(test, merge(test, fd, &flags), -EINVAL);
	KUNIT_EXPECT_EQ(test, merge(test, fd, &pad), -EINVAL);
	KUNIT_EXPECT_EQ(test, merge(test, fd, &bad), -ENOENT);
	KUNIT_EXPECT_EQ(test, merge(test, fd, &both), -EINVAL);
	KUNIT_EXPECT_EQ(test, do_ioctl(fd, SYNC_IOC_MERGE, test_user_hole(test)), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_next_fd(), before);
}

static void merge_needs_a_descriptor_first(struct kunit *test)
{
	int fd = sync_fd(test, mock_fence_new(test));
	struct file *file = file_of(fd);
	void __user *hole = test_user_hole(test);

	current->signal->rlim[RLIMIT_NOFILE].rlim_cur = 0;
	KUNIT_EXPECT_EQ(test, file->f_op->unlocked_ioctl(file, SYNC_IOC_MERGE,
							 (unsigned long)hole), -EMFILE);
}

static void merge_that_cannot_be_told_installs_nothing(struct kunit *test)
{
	struct dma_fence *a = mock_fence_new(test), *b = mock_fence_new(test);
	int fd = sync_fd(test, a), before;
	struct sync_merge_data arg = { .fd2 = sync_fd(test, b) };
	void __user *user = test_user_readonly(test, &arg, sizeof(arg));

	before = test_next_fd();
	KUNIT_EXPECT_EQ(test, do_ioctl(fd, SYNC_IOC_MERGE, user), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_next_fd(), before);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(a, 2));
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(b, 2));
}

static void merge_keeps_31_characters_of_the_name(struct kunit *test)
{
	int fd = sync_fd(test, mock_fence_new(test));
	struct sync_merge_data arg = { .fd2 = fd };
	char name[64];

	memset(arg.name, 'x', sizeof(arg.name));
	KUNIT_ASSERT_EQ(test, merge(test, fd, &arg), 0);
	sync_file_get_name(file_of(arg.fence)->private_data, name, sizeof(name));
	KUNIT_EXPECT_EQ(test, strlen(name), 31);
	KUNIT_EXPECT_EQ(test, name[30], 'x');
}

static void merge_with_itself_is_the_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *found;
	int fd = sync_fd(test, fence);
	struct sync_merge_data arg = { .fd2 = fd };

	KUNIT_ASSERT_EQ(test, merge(test, fd, &arg), 0);
	found = sync_file_get_fence(arg.fence);
	KUNIT_EXPECT_PTR_EQ(test, found, fence);
	dma_fence_put(found);
}

static long info(struct kunit *test, struct dma_fence *fence, struct sync_file_info *arg,
		 struct sync_fence_info *fences, unsigned int num)
{
	void __user *user = test_user_page(test);
	void __user *list = user + 512;
	long ret;

	arg->num_fences = num;
	arg->sync_fence_info = num ? (unsigned long)list : 1;
	KUNIT_ASSERT_EQ(test, copy_to_user(user, arg, sizeof(*arg)), 0);
	ret = do_ioctl(sync_fd(test, fence), SYNC_IOC_FILE_INFO, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(arg, user, sizeof(*arg)), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(fences, list, num * sizeof(*fences)), 0);
	return ret;
}

static void info_checks_its_arguments(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct sync_file_info flags = { .flags = 1 }, pad = { .pad = 1 };
	struct sync_fence_info none[1];

	KUNIT_EXPECT_EQ(test, info(test, fence, &flags, none, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, info(test, fence, &pad, none, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, do_ioctl(sync_fd(test, fence), SYNC_IOC_FILE_INFO,
				       test_user_hole(test)), -EFAULT);
}

static void info_counts_without_a_list(struct kunit *test)
{
	struct dma_fence *array = mock_array(test, mock_fence_new(test), mock_fence_new(test));
	struct dma_fence *chain = mock_chain_create(test, mock_fence_new(test), array, 1);
	struct sync_file_info arg = {};
	struct sync_fence_info none[1];

	KUNIT_EXPECT_EQ(test, info(test, chain, &arg, none, 0), 0);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 3);
	KUNIT_EXPECT_EQ(test, arg.status, 0);
	KUNIT_EXPECT_EQ(test, arg.sync_fence_info, 1);
}

static void info_wants_room_for_all(struct kunit *test)
{
	struct dma_fence *array = mock_array(test, mock_fence_new(test), mock_fence_new(test));
	struct sync_file_info arg = {};
	struct sync_fence_info fences[1];

	KUNIT_EXPECT_EQ(test, info(test, array, &arg, fences, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 1);
	KUNIT_EXPECT_EQ(test, fences[0].driver_name[0], 0);
}

static void info_tells_of_each_fence(struct kunit *test)
{
	struct dma_fence *done = mock_fence_new(test), *failed = mock_fence_new(test);
	struct dma_fence *array = mock_array(test, done, failed, mock_fence_new(test));
	struct sync_fence_info fences[4] = {};
	struct sync_file_info arg = {};

	dma_fence_signal_timestamp(done, 1234);
	mock_fence_fail(failed, -EIO);
	KUNIT_EXPECT_EQ(test, info(test, array, &arg, fences, 4), 0);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 3);
	KUNIT_EXPECT_EQ(test, arg.status, -EIO);
	KUNIT_EXPECT_STREQ(test, fences[0].driver_name, "detached-driver");
	KUNIT_EXPECT_STREQ(test, fences[0].obj_name, "signaled-timeline");
	KUNIT_EXPECT_STREQ(test, fences[2].driver_name, "mock_driver");
	KUNIT_EXPECT_STREQ(test, fences[2].obj_name, "mock_timeline");
	KUNIT_EXPECT_EQ(test, fences[0].status, 1);
	KUNIT_EXPECT_EQ(test, fences[0].timestamp_ns, 1234);
	KUNIT_EXPECT_EQ(test, fences[0].flags, 0);
	KUNIT_EXPECT_EQ(test, fences[1].status, -EIO);
	KUNIT_EXPECT_EQ(test, fences[2].status, 0);
	KUNIT_EXPECT_EQ(test, fences[2].timestamp_ns, 0);
}

static void info_asks_a_fence_that_nobody_waits_for(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct sync_file_info arg = {};
	struct sync_fence_info none[1];

	mock->complete = true;
	KUNIT_EXPECT_EQ(test, info(test, &mock->base, &arg, none, 0), 0);
	KUNIT_EXPECT_EQ(test, arg.status, 1);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
}

static void info_with_a_list_asks_but_does_not_enable(struct kunit *test)
{
	struct mock_fence *done = mock_fence_new_full(test), *pending = mock_fence_new_full(test);
	struct dma_fence *array = mock_array(test, &done->base, &pending->base);
	struct sync_fence_info fences[2] = {};
	struct sync_file_info arg = {};

	done->complete = true;
	KUNIT_EXPECT_EQ(test, info(test, array, &arg, fences, 2), 0);
	KUNIT_EXPECT_EQ(test, fences[0].status, 1);
	KUNIT_EXPECT_EQ(test, fences[1].status, 0);
	KUNIT_EXPECT_EQ(test, done->log->enables, 0);
	KUNIT_EXPECT_EQ(test, pending->log->enables, 0);
}

static void info_that_cannot_be_told_keeps_no_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	void __user *user = test_user_page(test);
	struct sync_file_info arg = {
		.num_fences = 1,
		.sync_fence_info = (unsigned long)test_user_hole(test),
	};

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, do_ioctl(sync_fd(test, fence), SYNC_IOC_FILE_INFO, user), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
}

static long set_deadline(struct kunit *test, struct dma_fence *fence, u64 deadline, u64 pad)
{
	struct sync_set_deadline arg = { .deadline_ns = deadline, .pad = pad };
	void __user *user = test_user_page(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	return do_ioctl(sync_fd(test, fence), SYNC_IOC_SET_DEADLINE, user);
}

static void deadline_checks_its_arguments(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	KUNIT_EXPECT_EQ(test, set_deadline(test, &mock->base, 5, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, do_ioctl(sync_fd(test, &mock->base), SYNC_IOC_SET_DEADLINE,
				       test_user_hole(test)), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock->log->deadlines, 0);
}

static void deadline_reaches_members(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	KUNIT_EXPECT_EQ(test, set_deadline(test, mock_array(test, &mock->base), 1234, 0), 0);
	KUNIT_EXPECT_EQ(test, mock->log->deadline, 1234);
}

/* ---- fdinfo ---- */

#define FDINFO_SIZE 4096

static const char *fdinfo(struct kunit *test, int fd)
{
	struct file *file = file_of(fd);
	struct seq_file seq = { .size = FDINFO_SIZE };

	seq.buf = kunit_kzalloc(test, FDINFO_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	KUNIT_ASSERT_NOT_NULL(test, file->f_op->show_fdinfo);
	file->f_op->show_fdinfo(&seq, file);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&seq));
	return seq.buf;
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int count = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		count++;
	}
	return count;
}

static void fdinfo_tells_of_a_pending_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_full_ops, 7, 9);
	const char *text = fdinfo(test, sync_fd(test, &mock->base));

	KUNIT_EXPECT_TRUE(test, strstarts(text, "sync_name:\tmock_driver-mock_timeline7-9\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "-9\nsync_status:\tactive\nsync_by:\t"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_fences:\t1\nsync_fence:\tactive "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ":\tactive mock_driver mock_timeline 7:9\n"));
}

static void fdinfo_tells_when_it_was_over(struct kunit *test)
{
	struct dma_fence *fence = &mock_fence_create(test, &mock_fence_ops, 7, 9)->base;
	const char *text;

	dma_fence_signal_timestamp(fence, 12ULL * NSEC_PER_SEC + 5);
	text = fdinfo(test, sync_fd(test, fence));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_status:\tsignaled\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_fence:\tsignaled detached-driver "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " signaled-timeline 7:9 12.000000005\n"));
}

static void fdinfo_tells_the_error(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	const char *text;

	mock_fence_fail(fence, -EIO);
	text = fdinfo(test, sync_fd(test, fence));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_status:\terror=-5\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_fence:\terror=-5 "));
}

/* A look must not change anything, nor call a driver that may hang. */
static void fdinfo_asks_nobody(struct kunit *test)
{
	struct mock_fence *done = mock_fence_new_full(test), *old = mock_fence_new_full(test);
	struct dma_fence *array = mock_array(test, &done->base, mock_fence_new(test));
	struct dma_fence *link = mock_chain_create(test, NULL, &old->base, 1);
	struct dma_fence *head = mock_chain_create(test, link, array, 2);
	const char *text;

	done->complete = true;
	old->complete = true;
	text = fdinfo(test, sync_fd(test, head));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_fences:\t3\n"));
	KUNIT_EXPECT_EQ(test, count_of(text, "sync_fence:\tactive"), 3);
	KUNIT_EXPECT_EQ(test, done->log->polls + old->log->polls, 0);
	KUNIT_EXPECT_EQ(test, done->log->enables + old->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(link), 2);
}

static void fdinfo_shows_sixteen_members(struct kunit *test)
{
	struct dma_fence *fences[20], *array;
	const char *text;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fences); i++)
		fences[i] = mock_fence_new(test);
	array = mock_array_create(test, false, fences, ARRAY_SIZE(fences));
	text = fdinfo(test, sync_fd(test, array));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_fences:\t20\n"));
	KUNIT_EXPECT_EQ(test, count_of(text, "\nsync_fence:"), 16);
}

static const char *name_with_blanks(struct dma_fence *fence)
{
	return "a b\tc\nd\\";
}

static const struct dma_fence_ops name_with_blanks_ops = {
	.get_driver_name = name_with_blanks,
	.get_timeline_name = name_with_blanks,
};

static void fdinfo_escapes_names(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &name_with_blanks_ops, 7, 9);
	const char *text = fdinfo(test, sync_fd(test, &mock->base));

	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "sync_fence:\tactive a\\040b\\011c\\012d\\134 a"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "d\\134 a\\040b\\011c\\012d\\134 7:9\n"));
	KUNIT_EXPECT_TRUE(test, strstarts(text, "sync_name:\ta\\040b\\011c\\012d\\134-a"));
}

/* The name of the creator helps to find a leak of sync files. */
static void fdinfo_tells_who_made_it(struct kunit *test)
{
	void __user *user = test_user_page(test);
	struct sync_merge_data data = { .name = "x" };
	int fd = sync_fd(test, mock_fence_new(test));
	const char *text = fdinfo(test, fd);

	if (!IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "needs CONFIG_KALLSYMS");
	KUNIT_EXPECT_EQ(test, count_of(text, "sync_by:\tunknown\n"), 0);

	data.fd2 = fd;
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &data, sizeof(data)), 0);
	KUNIT_ASSERT_EQ(test, do_ioctl(fd, SYNC_IOC_MERGE, user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&data, user, sizeof(data)), 0);
	text = fdinfo(test, data.fence);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nsync_by:\tsync_file_merge\n"));
	close_fd(data.fence);
}

static struct kunit_case sync_file_cases[] = {
	KUNIT_CASE(create_takes_a_reference_of_its_own),
	KUNIT_CASE(create_without_memory_holds_nothing),
	KUNIT_CASE(create_does_not_ask_the_fence),
	KUNIT_CASE(get_fence_gives_a_new_reference),
	KUNIT_CASE(get_fence_wants_a_sync_file),
	KUNIT_CASE(name_tells_driver_timeline_and_point),
	KUNIT_CASE(poll_asks_once),
	KUNIT_CASE(release_takes_the_callback_back),
	KUNIT_CASE(poll_of_failed_fence_is_just_ready),
	KUNIT_CASE(unknown_commands_are_refused),
	KUNIT_CASE(merge_checks_its_arguments),
	KUNIT_CASE(merge_needs_a_descriptor_first),
	KUNIT_CASE(merge_that_cannot_be_told_installs_nothing),
	KUNIT_CASE(merge_keeps_31_characters_of_the_name),
	KUNIT_CASE(merge_with_itself_is_the_fence),
	KUNIT_CASE(info_checks_its_arguments),
	KUNIT_CASE(info_counts_without_a_list),
	KUNIT_CASE(info_wants_room_for_all),
	KUNIT_CASE(info_tells_of_each_fence),
	KUNIT_CASE(info_asks_a_fence_that_nobody_waits_for),
	KUNIT_CASE(info_with_a_list_asks_but_does_not_enable),
	KUNIT_CASE(info_that_cannot_be_told_keeps_no_reference),
	KUNIT_CASE(deadline_checks_its_arguments),
	KUNIT_CASE(deadline_reaches_members),
	KUNIT_CASE(fdinfo_tells_of_a_pending_fence),
	KUNIT_CASE(fdinfo_tells_when_it_was_over),
	KUNIT_CASE(fdinfo_tells_the_error),
	KUNIT_CASE(fdinfo_asks_nobody),
	KUNIT_CASE(fdinfo_shows_sixteen_members),
	KUNIT_CASE(fdinfo_escapes_names),
	KUNIT_CASE(fdinfo_tells_who_made_it),
	{}
};

static struct kunit_suite sync_file_suite = {
	.name = "sync_file",
	.test_cases = sync_file_cases,
};

kunit_test_suite(sync_file_suite);
