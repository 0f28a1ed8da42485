// SPDX-License-Identifier: GPL-2.0
/*
 * dma_buf/report in debugfs: what it tells, and that it changes nothing.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <uapi/linux/dma-buf.h>

#include "../dma-buf-report.h"
#include "../dma-resv-internal.h"
#include "mock_container.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#define TEXT_SIZE	SZ_256K

/* Reading the file */

KUNIT_DEFINE_ACTION_WRAPPER(kvfree_wrapper, kvfree, const void *);
KUNIT_DEFINE_ACTION_WRAPPER(fput_wrapper, fput, struct file *);

/**
 * struct reader - an open report that is read in pieces
 * @test: case
 * @file: the file
 * @user: a page of user memory
 * @text: what has been read, with a NUL behind
 * @len: bytes of that
 */
struct reader {
	struct kunit *test;
	struct file *file;
	void __user *user;
	char *text;
	size_t len;
};

static struct reader *reader_create(struct kunit *test)
{
	struct reader *reader = kunit_kzalloc(test, sizeof(*reader), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, reader);
	reader->test = test;
	reader->user = test_user_page(test);
	reader->text = kvzalloc(TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reader->text);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, kvfree_wrapper, reader->text));
	reader->file = test_open(test_mount(test, "debugfs"), "dma_buf/report");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader->file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fput_wrapper, reader->file));
	return reader;
}

/* returns how much there was */
static size_t reader_step(struct reader *reader, size_t step)
{
	loff_t pos = reader->len;
	ssize_t ret;

	KUNIT_ASSERT_LT(reader->test, reader->len + step, TEXT_SIZE);
	ret = vfs_read(reader->file, reader->user, step, &pos);
	KUNIT_ASSERT_GE(reader->test, ret, 0);
	KUNIT_ASSERT_EQ(reader->test, 0,
			copy_from_user(reader->text + reader->len, reader->user, ret));
	reader->len += ret;
	return ret;
}

static const char *report(struct kunit *test)
{
	struct reader *reader = reader_create(test);

	while (reader_step(reader, PAGE_SIZE))
		;
	return reader->text;
}

/* where the lines about a buffer begin, or NULL */
static const char *find_buffer(const char *text, unsigned long ino)
{
	char want[48];

	scnprintf(want, sizeof(want), "\nbuffer ino=%lu ", ino);
	text = strstr(text, want);
	return text ? text + 1 : NULL;
}

/* the lines about a buffer */
static const char *lines_of(struct kunit *test, struct dma_buf *buf)
{
	const char *begin = find_buffer(report(test), mock_ino(buf)), *end;

	KUNIT_ASSERT_NOT_NULL(test, begin);
	end = begin;
	do {
		end = strchr(end, '\n');
		KUNIT_ASSERT_NOT_NULL(test, end);
	} while (*++end == ' ');

	begin = kstrndup(begin, end - begin, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, begin);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, kvfree_wrapper, (void *)begin));
	return begin;
}

static unsigned int count_text(const char *text, const char *what)
{
	unsigned int count = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		count++;
	}
	return count;
}

static void expect_text(struct kunit *test, const char *text, const char *want)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, want), "no \"%s\" in \"%s\"", want, text);
}

static void expect_no_text(struct kunit *test, const char *text, const char *unwanted)
{
	KUNIT_EXPECT_NULL_MSG(test, strstr(text, unwanted), "\"%s\" in \"%s\"", unwanted, text);
}

/* The lines */

static void report_has_a_head_and_an_end(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	unsigned long major, minor, nsec, bufs, fields;
	const char *text = report(test), *end;
	u64 now = ktime_get_boottime_seconds();
	u64 bytes, sec;

	fields = sscanf(text, "dma-buf-report 1 dev=%lu:%lu now=%llu.%9lu\n", &major, &minor,
			&sec, &nsec);
	KUNIT_ASSERT_EQ_MSG(test, fields, 4, "%s", text);
	KUNIT_EXPECT_EQ(test, MKDEV(major, minor), file_inode(buf->file)->i_sb->s_dev);
	KUNIT_EXPECT_LE(test, sec, now);
	KUNIT_EXPECT_GE(test, sec + 5, now);

	end = strstr(text, "\nend ");
	KUNIT_ASSERT_NOT_NULL(test, end);
	fields = sscanf(end, "\nend buffers=%lu bytes=%llu\n", &bufs, &bytes);
	KUNIT_ASSERT_EQ(test, fields, 2);
	KUNIT_EXPECT_EQ(test, bufs, count_text(text, "\nbuffer "));
	KUNIT_EXPECT_GE(test, bytes, MOCK_EXPORTER_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, strchr(end + 1, '\n') + 1, text + strlen(text));
}

static void report_shows_a_buffer_without_users(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	char want[200];
	const char *lines;

	test_expect_refs(test, buf->file, 1);
	lines = lines_of(test, buf);
	scnprintf(want, sizeof(want),
		  "buffer ino=%lu size=%zu count=1 exporter=\"%s\" module=\"kernel\" name=none flags=02",
		  mock_ino(buf), (size_t)MOCK_EXPORTER_SIZE, MOCK_EXPORTER_NAME);
	KUNIT_EXPECT_TRUE_MSG(test, strstarts(lines, want), "\"%s\", not \"%s\"", lines, want);
	scnprintf(want, sizeof(want),
		  " flags=02 resv=own resvid=%p dynamic=0 cached=0 vmaps=0 pollcb=none", buf->resv);
	expect_text(test, lines, want);
	KUNIT_EXPECT_EQ(test, count_text(lines, "\n"), 1);
	expect_no_text(test, lines, "attachments=");
}

static void report_is_for_root_only(struct kunit *test)
{
	struct reader *reader = reader_create(test);

	KUNIT_EXPECT_EQ(test, file_inode(reader->file)->i_mode & 0777, 0400);
}

static void report_shows_kinds_of_buffers(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf *buf;

	exp->info.flags = O_RDONLY | O_NONBLOCK;
	exp->ops.cache_sgt_mapping = true;
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	expect_text(test, lines_of(test, buf), " flags=04000 ");
	expect_text(test, lines_of(test, buf), " dynamic=0 cached=1 ");

	exp = mock_exporter_create(test);
	mock_exporter_make_dynamic(exp);
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	expect_text(test, lines_of(test, buf), " dynamic=1 cached=0 ");
}

static void report_counts_references(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);

	get_dma_buf(buf);
	expect_text(test, lines_of(test, buf), " count=2 ");
	dma_buf_put(buf);
}

/* Strings */

static void set_name(struct kunit *test, struct dma_buf *buf, const char *name)
{
	char __user *user = test_user_page(test);

	KUNIT_ASSERT_EQ(test, 0, copy_to_user(user, name, strlen(name) + 1));
	KUNIT_ASSERT_EQ(test, 0, buf->file->f_op->unlocked_ioctl(buf->file, DMA_BUF_SET_NAME,
								 (unsigned long)user));
}

static const struct string {
	const char *desc;
	const char *value;
	const char *text;
} strings[] = {
	{ "empty", "", "\"\"" },
	{ "none", "none", "\"none\"" },
	{ "blanks", " a b ", "\" a b \"" },
	{ "quotes", "\" size=1 x=\"", "\"\\042 size=1 x=\\042\"" },
	{ "a backslash", "\\042", "\"\\134042\"" },
	{ "lines", "a\nend buffers=0\n", "\"a\\012end buffers=0\\012\"" },
	{ "control characters", "\x01\t\x1f\x7f!", "\"\\001\\011\\037\\177!\"" },
	{ "other alphabets", "\x80\xc3\xa4\xff", "\"\\200\\303\\244\\377\"" },
};

KUNIT_ARRAY_PARAM_DESC(strings, strings, desc);

static void report_escapes_the_name(struct kunit *test)
{
	const struct string *param = test->param_value;
	struct dma_buf *buf = mock_buf_create(test);
	char want[128];

	set_name(test, buf, param->value);
	scnprintf(want, sizeof(want), " name=%s flags=", param->text);
	expect_text(test, lines_of(test, buf), want);
}

static void report_escapes_the_exporter(struct kunit *test)
{
	const struct string *param = test->param_value;
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf *buf;
	char want[128];

	exp->info.exp_name = param->value;
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	scnprintf(want, sizeof(want), " exporter=%s module=", param->text);
	expect_text(test, lines_of(test, buf), want);
}

/* Attachments */

static void no_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.allow_peer2peer = true,
	.move_notify = no_move,
};

static void report_shows_attachments(struct kunit *test)
{
	struct device *one = test_device(test, "mock-one", SZ_1M);
	struct device *two = test_device(test, "mock\"two", SZ_1M);
	struct dma_buf_attachment *first, *second;
	struct dma_buf *buf = mock_buf_create(test);
	const char *lines;
	char want[192];

	first = dma_buf_attach(buf, one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	second = dma_buf_dynamic_attach(buf, two, &dynamic_ops, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	lines = lines_of(test, buf);
	scnprintf(want, sizeof(want),
		  "\n attach dev=\"%s.mock-one\" driver=\"%s\" dynamic=0 p2p=0 kept=0 dir=none",
		  test->name, dev_driver_string(one));
	expect_text(test, lines, want);
	/* what is kept for it is for both directions */
	scnprintf(want, sizeof(want),
		  "\n attach dev=\"%s.mock\\042two\" driver=\"%s\" dynamic=1 p2p=1 kept=1 dir=both",
		  test->name, dev_driver_string(two));
	expect_text(test, lines, want);
	KUNIT_EXPECT_EQ(test, count_text(lines, "\n attach "), 2);
	dma_buf_detach(buf, second);
	dma_buf_detach(buf, first);
	expect_no_text(test, lines_of(test, buf), "attach");
}

static void report_shows_direction_of_kept_mapping(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;

	exp->ops.cache_sgt_mapping = true;
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	attach = dma_buf_attach(buf, test_device(test, "mock-one", SZ_1M));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE));
	expect_text(test, lines_of(test, buf), " kept=1 dir=to");
	dma_buf_detach(buf, attach);
}

/* Stamps */

static void need_stamps(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DMABUF_STAMP) || !IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "needs CONFIG_DMABUF_STAMP and CONFIG_KALLSYMS");
}

/* the stamp is between the two times, with what is lost by milliseconds and ticks */
static void expect_created(struct kunit *test, const char *line, u64 from, u64 to)
{
	unsigned int fields, msec = 0;
	u64 sec = 0, ns;

	line = strstr(line, " created=");
	KUNIT_ASSERT_NOT_NULL(test, line);
	fields = sscanf(line, " created=%llu.%3u ", &sec, &msec);
	KUNIT_ASSERT_EQ(test, fields, 2);
	ns = sec * NSEC_PER_SEC + msec * NSEC_PER_MSEC;
	KUNIT_EXPECT_GE(test, ns + NSEC_PER_MSEC, from);
	KUNIT_EXPECT_LE(test, ns, to);
}

static noinline struct dma_buf *mock_maker(struct mock_exporter *exp)
{
	struct dma_buf *buf = dma_buf_export(&exp->info);

	/* not a tail call */
	barrier();
	return buf;
}

static void report_shows_the_maker(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	u64 from = ktime_get_coarse_boottime_ns(), to;
	struct dma_buf *buf;
	const char *lines;
	char want[64];

	need_stamps(test);
	buf = mock_maker(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	exp->buf = buf;
	exp->exported = true;
	to = ktime_get_coarse_boottime_ns();

	lines = lines_of(test, buf);
	expect_created(test, lines, from, to);
	scnprintf(want, sizeof(want), " pid=%d comm=\"%s\" by=\"mock_maker\"\n",
		  task_tgid_nr(current), current->group_leader->comm);
	expect_text(test, lines, want);
	dma_buf_put(buf);
}

/**
 * struct thread_export - an export by a thread with a name of its own
 * @exp: exporter
 * @task: the thread
 */
struct thread_export {
	struct mock_exporter *exp;
	struct task_struct *task;
};

static int thread_export_main(void *data)
{
	struct thread_export *thread = data;

	thread->exp->buf = mock_maker(thread->exp);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* The task that made the buffer may have gone. */
static void report_shows_a_maker_that_is_gone(struct kunit *test)
{
	struct thread_export thread = { .exp = mock_exporter_create(test) };
	char want[64];
	pid_t pid;

	need_stamps(test);
	thread.task = kthread_run(thread_export_main, &thread, "mock \"maker\"");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread.task);
	while (!READ_ONCE(thread.exp->buf))
		schedule_timeout_uninterruptible(1);
	pid = task_tgid_nr(thread.task);
	kthread_stop(thread.task);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread.exp->buf);
	thread.exp->exported = true;
	scnprintf(want, sizeof(want), " pid=%d comm=\"mock \\042maker\\042\" by=\"mock_maker\"\n",
		  pid);
	expect_text(test, lines_of(test, thread.exp->buf), want);
	dma_buf_put(thread.exp->buf);
}

static noinline struct dma_buf_attachment *mock_importer(struct dma_buf *buf, struct device *dev,
							 bool dynamic)
{
	struct dma_buf_attachment *attach;

	if (dynamic)
		attach = dma_buf_dynamic_attach(buf, dev, &dynamic_ops, NULL);
	else
		attach = dma_buf_attach(buf, dev);
	barrier();
	return attach;
}

static void report_shows_the_importer(struct kunit *test)
{
	struct device *dev = test_device(test, "mock-one", SZ_1M);
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_buf_attachment *attach;
	const char *lines;
	char want[64];
	u64 from, to;

	need_stamps(test);
	for (int dynamic = 0; dynamic < 2; dynamic++) {
		from = ktime_get_coarse_boottime_ns();
		attach = mock_importer(buf, dev, dynamic);
		to = ktime_get_coarse_boottime_ns();
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
		lines = strstr(lines_of(test, buf), "\n attach ");
		KUNIT_ASSERT_NOT_NULL(test, lines);
		expect_created(test, lines, from, to);
		scnprintf(want, sizeof(want), " pid=%d by=\"mock_importer\" maps=0 pins=0\n",
			  task_tgid_nr(current));
		expect_text(test, lines, want);
		dma_buf_detach(buf, attach);
	}
}

static void expect_counts(struct kunit *test, struct dma_buf *buf, unsigned int maps,
			  unsigned int pins)
{
	char want[32];

	scnprintf(want, sizeof(want), " maps=%u pins=%u\n", maps, pins);
	expect_text(test, lines_of(test, buf), want);
}

static void report_counts_maps(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt[2], *failed;
	struct dma_buf *buf;

	need_stamps(test);
	mock_exporter_make_trying(exp);
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	attach = dma_buf_attach(buf, test_device(test, "mock-one", SZ_1M));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);

	sgt[0] = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt[0]);
	expect_counts(test, buf, 1, 0);
	dma_resv_lock(buf->resv, NULL);
	sgt[1] = dma_buf_try_map_attachment(attach, DMA_TO_DEVICE);
	dma_resv_unlock(buf->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt[1]);
	expect_counts(test, buf, 2, 0);
	exp->fail[MOCK_MAP] = -ENOMEM;
	failed = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, IS_ERR(failed));
	expect_counts(test, buf, 2, 0);
	for (int i = 0; i < 2; i++) {
		dma_buf_unmap_attachment_unlocked(attach, sgt[i], DMA_TO_DEVICE);
		expect_counts(test, buf, 1 - i, 0);
	}
	dma_buf_detach(buf, attach);
}

/* they are not given back one by one */
static void report_does_not_count_kept_maps(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;
	struct sg_table *sgt;

	need_stamps(test);
	exp->ops.cache_sgt_mapping = true;
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	attach = dma_buf_attach(buf, test_device(test, "mock-one", SZ_1M));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	expect_counts(test, buf, 0, 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	expect_counts(test, buf, 0, 0);
	dma_buf_detach(buf, attach);
}

static int pin(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return ret;
}

static void unpin(struct dma_buf_attachment *attach)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
}

static void report_counts_pins(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;

	need_stamps(test);
	mock_exporter_make_dynamic(exp);
	buf = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	attach = dma_buf_dynamic_attach(buf, test_device(test, "mock-one", SZ_1M), &dynamic_ops,
					NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_ASSERT_EQ(test, pin(attach), 0);
	KUNIT_ASSERT_EQ(test, pin(attach), 0);
	expect_counts(test, buf, 0, 2);
	exp->fail[MOCK_PIN] = -EBUSY;
	KUNIT_ASSERT_EQ(test, pin(attach), -EBUSY);
	expect_counts(test, buf, 0, 2);
	unpin(attach);
	expect_counts(test, buf, 0, 1);
	unpin(attach);
	dma_buf_detach(buf, attach);
}

/* A task that holds a lock until the end of the case */

struct holder {
	struct dma_resv *resv;
	struct completion locked;
	struct task_struct *task;
};

static int holder_main(void *data)
{
	struct holder *holder = data;

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->locked);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	dma_resv_unlock(holder->resv);
	return 0;
}

static void holder_stop(void *data)
{
	struct holder *holder = data;

	kthread_stop(holder->task);
}

static void hold(struct kunit *test, struct dma_resv *resv)
{
	struct holder *holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, holder);
	holder->resv = resv;
	init_completion(&holder->locked);
	holder->task = kthread_run(holder_main, holder, "mock-holder");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, holder->task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, holder_stop, holder));
	wait_for_completion(&holder->locked);
}

static void report_does_not_wait_for_a_busy_lock(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test), *other = mock_buf_create(test);
	struct dma_fence *fence = mock_fence_new(test);
	unsigned long begin;
	const char *lines;

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	hold(test, buf->resv);
	begin = jiffies;
	lines = lines_of(test, buf);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + HZ));
	expect_text(test, lines, " attachments=busy\n");
	expect_text(test, lines, "\n fence usage=write ");
	expect_no_text(test, lines, " quiet=");
	expect_no_text(test, lines_of(test, other), "attachments=");
}

#define NUM_BUSY	100

/* 100 times the patience for one would be half a second, or more if ticks are long */
static void report_does_not_wait_for_many_busy_locks(struct kunit *test)
{
	struct dma_resv *resv = kunit_kzalloc(test, sizeof(*resv), GFP_KERNEL);
	unsigned long begin;
	const char *text;

	KUNIT_ASSERT_NOT_NULL(test, resv);
	dma_resv_init(resv);
	for (int i = 0; i < NUM_BUSY; i++) {
		struct mock_exporter *exp = mock_exporter_create(test);

		exp->info.resv = resv;
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
	}
	hold(test, resv);
	begin = jiffies;
	text = report(test);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + 2 * HZ / 5));
	KUNIT_EXPECT_EQ(test, count_text(text, " attachments=busy\n"), NUM_BUSY);
}

static void report_does_not_wait_for_a_shared_lock(struct kunit *test)
{
	struct mock_exporter *exp = mock_exporter_create(test);
	struct dma_buf *owner = mock_buf_create(test), *other;
	char want[64];

	exp->info.resv = owner->resv;
	other = mock_exporter_export(exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	scnprintf(want, sizeof(want), " resv=own resvid=%p ", owner->resv);
	expect_text(test, lines_of(test, owner), want);
	scnprintf(want, sizeof(want), " resv=shared resvid=%p ", owner->resv);
	expect_text(test, lines_of(test, other), want);
	mock_exporter_put(exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

/* Users without an attachment */

static int mock_poller_wake(struct wait_queue_entry *entry, unsigned int mode, int flags,
			    void *key)
{
	return 0;
}

static int mock_watcher_wake(struct wait_queue_entry *entry, unsigned int mode, int flags,
			     void *key)
{
	return 0;
}

static void report_counts_pollers(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct wait_queue_entry entries[3];
	const char *lines;

	if (!IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "needs CONFIG_KALLSYMS");
	for (int i = 0; i < 3; i++) {
		init_waitqueue_func_entry(&entries[i], i ? mock_poller_wake : mock_watcher_wake);
		add_wait_queue(&buf->poll, &entries[i]);
	}
	lines = lines_of(test, buf);
	expect_text(test, lines, "\n poller func=\"mock_poller_wake\" n=2\n");
	expect_text(test, lines, "\n poller func=\"mock_watcher_wake\" n=1\n");
	for (int i = 0; i < 3; i++)
		remove_wait_queue(&buf->poll, &entries[i]);
	expect_no_text(test, lines_of(test, buf), "poller");
}

#define NUM_POLLERS	1030

static void report_limits_pollers(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct wait_queue_entry *entries;
	const char *lines;

	entries = kunit_kcalloc(test, NUM_POLLERS, sizeof(*entries), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	for (int i = 0; i < NUM_POLLERS; i++) {
		init_waitqueue_func_entry(&entries[i], mock_poller_wake);
		add_wait_queue(&buf->poll, &entries[i]);
	}
	lines = lines_of(test, buf);
	expect_text(test, lines, " n=1024\n");
	expect_text(test, lines, "\n pollers more=1\n");
	for (int i = 0; i < NUM_POLLERS; i++)
		remove_wait_queue(&buf->poll, &entries[i]);
}

static void report_shows_poll_callbacks(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence = mock_fence_new(test);
	struct poll_table_struct table = { ._key = EPOLLIN };

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_FALSE(test, (__force bool)vfs_poll(buf->file, &table));
	expect_text(test, lines_of(test, buf), " pollcb=in");
	table._key = EPOLLOUT;
	KUNIT_EXPECT_FALSE(test, (__force bool)vfs_poll(buf->file, &table));
	expect_text(test, lines_of(test, buf), " pollcb=both");
	dma_fence_signal(fence);
	expect_text(test, lines_of(test, buf), " pollcb=none");
}

static void report_counts_vmaps(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(buf, &map));
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(buf, &map));
	expect_text(test, lines_of(test, buf), " vmaps=2 ");
	dma_buf_vunmap_unlocked(buf, &map);
	dma_buf_vunmap_unlocked(buf, &map);
}

/* Fences */

static const struct usage {
	enum dma_resv_usage usage;
	const char *desc;
} usages[] = {
	{ DMA_RESV_USAGE_KERNEL, "kernel" },
	{ DMA_RESV_USAGE_WRITE, "write" },
	{ DMA_RESV_USAGE_READ, "read" },
	{ DMA_RESV_USAGE_BOOKKEEP, "bookkeep" },
};

KUNIT_ARRAY_PARAM_DESC(usages, usages, desc);

static void report_shows_a_fence_with_its_usage(struct kunit *test)
{
	const struct usage *param = test->param_value;
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence = mock_fence_new(test);
	char want[200];

	test_resv_add(test, buf->resv, fence, param->usage);
	scnprintf(want, sizeof(want),
		  "\n fence usage=%s driver=\"%s\" timeline=\"%s\" point=%llu:1 state=pending asked=0 quiet=",
		  param->desc, fence->ops->get_driver_name(fence),
		  fence->ops->get_timeline_name(fence), fence->context);
	expect_text(test, lines_of(test, buf), want);
	dma_fence_signal(fence);
	expect_no_text(test, lines_of(test, buf), "fence");
}

/* of all fences of a buffer, since when the last of them has been there */
static void report_tells_for_how_long_no_fence_came(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	unsigned long sec, ms, fields;
	const char *text;

	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_BOOKKEEP);
	rcu_access_pointer(buf->resv->fences)->added = jiffies - 100 * HZ - HZ / 2;
	text = lines_of(test, buf);
	for (int i = 0; i < 2; i++) {
		text = strstr(text, " quiet=");
		KUNIT_ASSERT_NOT_NULL(test, text);
		fields = sscanf(++text, "quiet=%lu.%3lu\n", &sec, &ms);
		KUNIT_ASSERT_EQ(test, fields, 2);
		KUNIT_EXPECT_GE(test, sec * 1000 + ms, 100450);
		KUNIT_EXPECT_LT(test, sec, 160);
	}
	expect_no_text(test, text, " quiet=");
}

static void report_signals_nothing(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_cb *cb = mock_cb_add(test, &mock->base);

	test_resv_add(test, buf->resv, &mock->base, DMA_RESV_USAGE_WRITE);
	expect_text(test, lines_of(test, buf), " state=pending asked=1 quiet=");
	mock->complete = true;
	expect_text(test, lines_of(test, buf), " state=done-not-signalled asked=1 quiet=");
	expect_text(test, lines_of(test, buf), " state=done-not-signalled asked=1 quiet=");
	KUNIT_EXPECT_FALSE(test, mock_fence_flag(&mock->base));
	KUNIT_EXPECT_EQ(test, cb->calls, 0);
	dma_fence_signal(&mock->base);
}

/* a driver that has signalled may be gone */
static void report_asks_no_driver_after_signal(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_fence_log before;

	test_resv_add(test, buf->resv, &mock->base, DMA_RESV_USAGE_BOOKKEEP);
	dma_fence_signal(&mock->base);
	before = *mock->log;
	expect_no_text(test, lines_of(test, buf), "fence");
	KUNIT_EXPECT_EQ(test, mock->log->names, before.names);
	KUNIT_EXPECT_EQ(test, mock->log->polls, before.polls);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
}

static const char *fence_line(struct kunit *test, struct dma_fence *fence)
{
	struct seq_file *seq = kunit_kzalloc(test, sizeof(*seq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seq);
	seq->size = SZ_32K;
	seq->buf = kunit_kzalloc(test, seq->size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq->buf);
	dma_report_fence(seq, fence, DMA_RESV_USAGE_READ, 7 * NSEC_PER_MSEC);
	seq->buf[seq->count] = '\0';
	return seq->buf;
}

static void signal_on_poll(struct mock_fence *mock)
{
	dma_fence_signal(&mock->base);
}

/* the names were those of the driver, and now there may be none */
static void report_omits_a_fence_that_signals_meanwhile(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	expect_text(test, fence_line(test, &mock->base), " fence usage=read ");
	mock->on_poll = signal_on_poll;
	KUNIT_EXPECT_STREQ(test, fence_line(test, &mock->base), "");
	KUNIT_EXPECT_STREQ(test, fence_line(test, &mock->base), "");
}

/* to ask a container is to ask its members, which signals them */
static void report_does_not_ask_containers(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct dma_fence *array = mock_array(test, &mock->base);
	struct dma_fence *chain = mock_chain_create(test, &mock->base, array, 1);

	mock->complete = true;
	expect_text(test, fence_line(test, array), " state=pending asked=0 quiet=0.007\n");
	expect_text(test, fence_line(test, chain), " state=pending asked=0 quiet=0.007\n");
	KUNIT_EXPECT_FALSE(test, mock_fence_flag(&mock->base));
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
}

#define NUM_FENCES	300

static void report_limits_fences(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fences[2];
	const char *lines;

	for (int i = 0; i < NUM_FENCES; i++) {
		fences[i % 2] = mock_fence_new(test);
		test_resv_add(test, buf->resv, fences[i % 2], DMA_RESV_USAGE_BOOKKEEP);
	}
	lines = lines_of(test, buf);
	KUNIT_EXPECT_EQ(test, count_text(lines, "\n fence usage=bookkeep "), 256);
	expect_text(test, lines, "\n fences more=1\n");
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fences[i]), 2);
}

/* Waiters */

static int sleeper_main(void *data)
{
	struct dma_fence *fence = data;

	while (!kthread_should_stop())
		if (dma_fence_wait_timeout(fence, false, 10 * HZ))
			schedule_timeout_interruptible(1);
	return 0;
}

static void sleeper_stop(void *data)
{
	kthread_stop(data);
}

static struct task_struct *sleep_on(struct kunit *test, struct dma_fence *fence)
{
	struct task_struct *task = kthread_run(sleeper_main, fence, "mock \"sleeper\"");
	unsigned int before = mock_fence_callbacks(fence);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sleeper_stop, task));
	for (int i = 0; i < 100 && mock_fence_callbacks(fence) == before; i++)
		schedule_timeout_uninterruptible(1);
	return task;
}

static const char *waiters_of(struct kunit *test, struct dma_fence *fence)
{
	const char *line = fence_line(test, fence), *waiters = strchr(line, '\n');

	KUNIT_ASSERT_NOT_NULL_MSG(test, waiters, "\"%s\"", line);
	return waiters + 1;
}

static void report_shows_a_fence_without_waiters(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, waiters_of(test, mock_fence_new(test)), "");
}

static void report_shows_a_task_that_sleeps(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct task_struct *task = sleep_on(test, fence);
	unsigned int refs = refcount_read(&task->usage);
	char want[100];

	scnprintf(want, sizeof(want),
		  "  waiter kind=task tid=%d pid=%d comm=\"mock \\042sleeper\\042\"\n",
		  task_pid_nr(task), task_tgid_nr(task));
	KUNIT_EXPECT_STREQ(test, waiters_of(test, fence), want);
	KUNIT_EXPECT_EQ(test, refcount_read(&task->usage), refs);
	expect_text(test, fence_line(test, fence), " asked=1 quiet=");
	dma_fence_signal(fence);
}

static void report_shows_pollers_of_a_buffer(struct kunit *test)
{
	struct dma_buf *buf = mock_buf_create(test);
	struct dma_fence *fence = mock_fence_new(test);
	struct poll_table_struct table = { ._key = EPOLLIN };
	char want[64];

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_ASSERT_FALSE(test, (__force bool)vfs_poll(buf->file, &table));
	scnprintf(want, sizeof(want), "\n  waiter kind=poll ino=%lu event=in\n", mock_ino(buf));
	expect_text(test, lines_of(test, buf), want);
	expect_no_text(test, lines_of(test, buf), "event=out");
	table._key = EPOLLOUT;
	KUNIT_ASSERT_FALSE(test, (__force bool)vfs_poll(buf->file, &table));
	scnprintf(want, sizeof(want), "\n  waiter kind=poll ino=%lu event=out\n", mock_ino(buf));
	expect_text(test, lines_of(test, buf), want);
	dma_fence_signal(fence);
}

static void report_shows_pollers_of_a_sync_file(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct poll_table_struct table = {};
	struct sync_file *sync_file;

	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		kunit_skip(test, "needs CONFIG_SYNC_FILE");
	sync_file = sync_file_create(fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_FALSE(test, (__force bool)vfs_poll(sync_file->file, &table));
	KUNIT_EXPECT_STREQ(test, waiters_of(test, fence), "  waiter kind=sync_file\n");
	fput(sync_file->file);
	flush_delayed_fput();
}

static void report_names_the_function_of_other_waiters(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	if (!IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "needs CONFIG_KALLSYMS");
	mock_cb_add(test, fence);
	KUNIT_EXPECT_STREQ(test, waiters_of(test, fence),
			   "  waiter kind=other func=\"mock_cb_called\"\n");
}

/* each container waits for what is in it, and the next one for that */
static void report_follows_containers(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence *array = mock_array(test, fence);
	struct dma_fence *chain = mock_chain_create(test, NULL, array, 7);
	struct task_struct *task = sleep_on(test, chain);
	unsigned int refs = mock_fence_refs(array), chain_refs = mock_fence_refs(chain);
	char want[250];

	scnprintf(want, sizeof(want),
		  "  waiter kind=container driver=\"dma_fence_array\" point=%llu:1\n   waiter kind=container driver=\"dma_fence_chain\" point=%llu:7\n    waiter kind=task tid=%d ",
		  array->context, chain->context, task_pid_nr(task));
	expect_text(test, waiters_of(test, fence), want);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(array), refs);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(chain), chain_refs);
	dma_fence_signal(fence);
}

static void report_limits_depth(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *member = fence, *array;
	static struct lock_class_key keys[4];
	const char *waiters;

	/* an array is not meant to be in another one */
	for (int i = 0; i < 4; i++) {
		EXPECT_KERNEL_WARNINGS(test, !!i, array = mock_array(test, member));
		lockdep_set_class(array->lock, &keys[i]);
		member = array;
	}
	mock_cb_add(test, member);
	waiters = waiters_of(test, fence);
	KUNIT_EXPECT_EQ_MSG(test, count_text(waiters, " waiter "), 3, "%s", waiters);
	dma_fence_signal(fence);
	mock_irq_work_flush();
}

#define NUM_WAITERS	300

static void report_limits_waiters(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	const char *waiters;

	for (int i = 0; i < 17; i++)
		mock_cb_add(test, fence);
	waiters = waiters_of(test, fence);
	KUNIT_EXPECT_EQ(test, count_text(waiters, "  waiter kind=other"), 16);
	expect_text(test, waiters, "\n  waiters more=1\n");
	for (int i = 17; i < NUM_WAITERS; i++)
		mock_cb_add(test, fence);
	waiters = waiters_of(test, fence);
	KUNIT_EXPECT_EQ(test, count_text(waiters, "  waiter kind=other"), 16);
	expect_text(test, waiters, "\n  waiters more=240\n");
}

/* 16 arrays with 16 waiters each would be 272 lines */
static void report_limits_waiters_of_containers(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	unsigned int refs, lines;

	for (int i = 0; i < 16; i++) {
		struct dma_fence *array = mock_array(test, fence);

		for (int j = 0; j < 16; j++)
			mock_cb_add(test, array);
	}
	refs = mock_fence_refs(fence);
	lines = count_text(waiters_of(test, fence), " waiter kind=");
	KUNIT_EXPECT_GT(test, lines, 16);
	KUNIT_EXPECT_LE(test, lines, 64 + 16);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), refs);
	dma_fence_signal(fence);
	mock_irq_work_flush();
}

/* Reading in pieces */

#define NUM_BUFS	300
#define STEP		100

static void report_can_be_read_in_pieces(struct kunit *test)
{
	struct reader *reader = reader_create(test);
	struct dma_buf **bufs = kunit_kcalloc(test, NUM_BUFS, sizeof(*bufs), GFP_KERNEL);
	unsigned int i, reads = 0;
	struct mock_exporter *exp;
	struct dma_buf *last;

	KUNIT_ASSERT_NOT_NULL(test, bufs);

	for (i = 0; i < NUM_BUFS; i++) {
		bufs[i] = mock_buf_create(test);
		if (i % 2)
			continue;
		exp = mock_exporter_create(test);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp));
		exp->hook_data = test->priv;
		test->priv = exp;
	}
	last = bufs[NUM_BUFS - 1];

	while (reader_step(reader, STEP)) {
		/* now and then one goes, from the oldest on, and one comes */
		exp = test->priv;
		if (++reads % 4 || !exp)
			continue;
		test->priv = exp->hook_data;
		mock_exporter_put(exp);
		KUNIT_ASSERT_TRUE(test, mock_exporter_wait_released(exp));
		last = mock_buf_create(test);
	}
	KUNIT_EXPECT_GT(test, reads, NUM_BUFS);

	for (i = 0; i < NUM_BUFS; i++) {
		char want[48];

		scnprintf(want, sizeof(want), "\nbuffer ino=%lu ", mock_ino(bufs[i]));
		KUNIT_EXPECT_EQ_MSG(test, count_text(reader->text, want), 1, "%s", want);
	}
	KUNIT_EXPECT_PTR_NE(test, last, bufs[NUM_BUFS - 1]);
	KUNIT_EXPECT_NULL(test, find_buffer(reader->text, mock_ino(last)));
	KUNIT_EXPECT_EQ(test, count_text(reader->text, "\nend buffers="), 1);
}

/* the sum is that of what has been shown, whatever was shown in pieces */
static void report_ends_with_the_sum(struct kunit *test)
{
	struct reader *whole = reader_create(test), *pieces = reader_create(test);
	char *line;

	for (int i = 0; i < 20; i++)
		mock_buf_create(test);
	while (reader_step(whole, PAGE_SIZE))
		;
	while (reader_step(pieces, 7))
		;
	line = strstr(whole->text, "\nend buffers=");
	KUNIT_ASSERT_NOT_NULL(test, line);
	expect_text(test, pieces->text, line);

	/* once more from the start */
	whole->len = 0;
	KUNIT_ASSERT_EQ(test, vfs_llseek(whole->file, 0, SEEK_SET), 0);
	while (reader_step(whole, PAGE_SIZE))
		;
	KUNIT_EXPECT_EQ(test, whole->len, pieces->len);
	expect_text(test, pieces->text, strstr(whole->text, "\nend buffers="));
}

/* what the reader makes of it does not keep the memory */
static void report_holds_nothing_between_reads(struct kunit *test)
{
	struct reader *reader = reader_create(test);
	struct mock_exporter *exp[5];

	for (int i = 0; i < 5; i++) {
		exp[i] = mock_exporter_create(test);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mock_exporter_export(exp[i]));
	}
	while (!find_buffer(reader->text, mock_ino(exp[2]->buf)))
		KUNIT_ASSERT_GT(test, reader_step(reader, STEP), 0);
	for (int i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, file_count(exp[i]->buf->file), 1);
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(exp[i]->buf->resv));
	}
	for (int i = 0; i < 5; i++) {
		mock_exporter_put(exp[i]);
		KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp[i]));
	}
	while (reader_step(reader, STEP))
		;
	expect_text(test, reader->text, "\nend buffers=");
}

static struct kunit_case dma_buf_report_cases[] = {
	KUNIT_CASE(report_has_a_head_and_an_end),
	KUNIT_CASE(report_shows_a_buffer_without_users),
	KUNIT_CASE(report_is_for_root_only),
	KUNIT_CASE(report_shows_kinds_of_buffers),
	KUNIT_CASE(report_counts_references),
	KUNIT_CASE_PARAM(report_escapes_the_name, strings_gen_params),
	KUNIT_CASE_PARAM(report_escapes_the_exporter, strings_gen_params),
	KUNIT_CASE(report_shows_attachments),
	KUNIT_CASE(report_shows_direction_of_kept_mapping),
	KUNIT_CASE(report_shows_the_maker),
	KUNIT_CASE(report_shows_a_maker_that_is_gone),
	KUNIT_CASE(report_shows_the_importer),
	KUNIT_CASE(report_counts_maps),
	KUNIT_CASE(report_does_not_count_kept_maps),
	KUNIT_CASE(report_counts_pins),
	KUNIT_CASE(report_does_not_wait_for_a_busy_lock),
	KUNIT_CASE(report_does_not_wait_for_many_busy_locks),
	KUNIT_CASE(report_does_not_wait_for_a_shared_lock),
	KUNIT_CASE(report_counts_pollers),
	KUNIT_CASE(report_limits_pollers),
	KUNIT_CASE(report_shows_poll_callbacks),
	KUNIT_CASE(report_counts_vmaps),
	KUNIT_CASE_PARAM(report_shows_a_fence_with_its_usage, usages_gen_params),
	KUNIT_CASE(report_tells_for_how_long_no_fence_came),
	KUNIT_CASE(report_signals_nothing),
	KUNIT_CASE(report_asks_no_driver_after_signal),
	KUNIT_CASE(report_omits_a_fence_that_signals_meanwhile),
	KUNIT_CASE(report_does_not_ask_containers),
	KUNIT_CASE(report_limits_fences),
	KUNIT_CASE(report_shows_a_fence_without_waiters),
	KUNIT_CASE(report_shows_a_task_that_sleeps),
	KUNIT_CASE(report_shows_pollers_of_a_buffer),
	KUNIT_CASE(report_shows_pollers_of_a_sync_file),
	KUNIT_CASE(report_names_the_function_of_other_waiters),
	KUNIT_CASE(report_follows_containers),
	KUNIT_CASE(report_limits_depth),
	KUNIT_CASE(report_limits_waiters),
	KUNIT_CASE(report_limits_waiters_of_containers),
	KUNIT_CASE(report_can_be_read_in_pieces),
	KUNIT_CASE(report_ends_with_the_sum),
	KUNIT_CASE(report_holds_nothing_between_reads),
	{}
};

static struct kunit_suite dma_buf_report_suite = {
	.name = "dma_buf_report",
	.test_cases = dma_buf_report_cases,
};

kunit_test_suite(dma_buf_report_suite);

MODULE_DESCRIPTION("KUnit tests for the report in debugfs");
MODULE_LICENSE("GPL");
