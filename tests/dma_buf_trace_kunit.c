// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events of buffers: when they come, and what they tell.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/trace_events.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include <uapi/linux/dma-buf.h>

#include "mock_container.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#include <trace/events/dma_buf.h>

/**
 * struct event_log - what has been traced of one buffer
 * @exp: its exporter
 * @text: a line for each event
 */
struct event_log {
	struct mock_exporter *exp;
	char text[1024];
};

/*
 * Note an event of the buffer: how many references there are, how often the
 * exporter has been called for the opposite, and what the event says.
 */
static __printf(4, 5) void note(struct event_log *log, const char *event, struct dma_buf *buf,
				const char *format, ...)
{
	size_t len = strlen(log->text);
	va_list args;

	if (buf->priv != log->exp)
		return;
	len += scnprintf(log->text + len, sizeof(log->text) - len, "%s refs=%ld", event,
			 file_count(buf->file));
	va_start(args, format);
	len += vscnprintf(log->text + len, sizeof(log->text) - len, format, args);
	va_end(args);
	scnprintf(log->text + len, sizeof(log->text) - len, "\n");
}

#define DEFINE_PROBE(event, proto, ...)						\
static void probe_##event(void *data, proto)					\
{										\
	note(data, #event, __VA_ARGS__);					\
}										\
static void stop_##event(void *data)						\
{										\
	unregister_trace_##event(probe_##event, data);				\
	tracepoint_synchronize_unregister();					\
}										\
static void start_##event(struct kunit *test, struct event_log *log)		\
{										\
	if (register_trace_##event(probe_##event, log))				\
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");			\
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_##event, log)); \
}

#define PROTO(...) __VA_ARGS__

static unsigned int exporter_calls(struct dma_buf *buf, enum mock_op op)
{
	struct mock_exporter *exp = buf->priv;

	return exp->calls[op].count;
}

DEFINE_PROBE(dma_buf_export, struct dma_buf *buf, buf, " ino=%d", file_inode(buf->file)->i_ino > 0)
DEFINE_PROBE(dma_buf_put, struct dma_buf *buf, buf, "%s", "")
DEFINE_PROBE(dma_buf_mmap, struct dma_buf *buf, buf, "%s", "")
DEFINE_PROBE(dma_buf_mmap_internal, struct dma_buf *buf, buf, "%s", "")
DEFINE_PROBE(dma_buf_move_notify, struct dma_buf *buf, buf, "%s", "")
DEFINE_PROBE(dma_buf_fd, PROTO(struct dma_buf *buf, int fd), buf, " installed=%d",
	     test_fd_is_installed(fd))
DEFINE_PROBE(dma_buf_get, PROTO(struct dma_buf *buf, int fd), buf, " installed=%d",
	     test_fd_is_installed(fd))
DEFINE_PROBE(dma_buf_release, PROTO(struct dma_buf *buf, u64 lifetime), buf,
	     " young=%d released=%u", lifetime < 60ULL * NSEC_PER_SEC,
	     exporter_calls(buf, MOCK_RELEASE))
DEFINE_PROBE(dma_buf_dynamic_attach, struct dma_buf_attachment *attach, attach->dmabuf,
	     " attached=%d kept=%d", !list_empty(&attach->node), !!attach->sgt)
DEFINE_PROBE(dma_buf_detach, struct dma_buf_attachment *attach, attach->dmabuf,
	     " attached=%d kept=%d", !list_empty(&attach->node), !!attach->sgt)
DEFINE_PROBE(dma_buf_pin, struct dma_buf_attachment *attach, attach->dmabuf, " pins=%u",
	     exporter_calls(attach->dmabuf, MOCK_PIN))
DEFINE_PROBE(dma_buf_unpin, struct dma_buf_attachment *attach, attach->dmabuf, " unpins=%u",
	     exporter_calls(attach->dmabuf, MOCK_UNPIN))
DEFINE_PROBE(dma_buf_map, PROTO(struct dma_buf_attachment *attach, int dir), attach->dmabuf,
	     " dir=%d maps=%u", dir, exporter_calls(attach->dmabuf, MOCK_MAP))
DEFINE_PROBE(dma_buf_unmap, PROTO(struct dma_buf_attachment *attach, int dir), attach->dmabuf,
	     " dir=%d unmaps=%u", dir, exporter_calls(attach->dmabuf, MOCK_UNMAP))
DEFINE_PROBE(dma_buf_begin_cpu_access, PROTO(struct dma_buf *buf, int dir, int ret), buf,
	     " dir=%d ret=%d", dir, ret)
DEFINE_PROBE(dma_buf_end_cpu_access, PROTO(struct dma_buf *buf, int dir, int ret), buf,
	     " dir=%d ret=%d", dir, ret)
DEFINE_PROBE(dma_buf_vmap, PROTO(struct dma_buf *buf, unsigned int counter), buf, " counter=%u",
	     counter)
DEFINE_PROBE(dma_buf_vunmap, PROTO(struct dma_buf *buf, unsigned int counter), buf,
	     " counter=%u vunmaps=%u", counter, exporter_calls(buf, MOCK_VUNMAP))
DEFINE_PROBE(dma_buf_poll, PROTO(struct dma_buf *buf, u32 asked, u32 ready), buf,
	     " asked=%#x ready=%#x", asked, ready)

static void expect_events(struct kunit *test, const char *want)
{
	struct event_log *log = test->priv;

	KUNIT_EXPECT_STREQ(test, log->text, want);
	log->text[0] = '\0';
}

static struct dma_buf *export(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct dma_buf *buf = mock_exporter_export(log->exp);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

static void references_are_traced(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct dma_buf *buf, *other;
	int fd;

	start_dma_buf_export(test, log);
	start_dma_buf_fd(test, log);
	start_dma_buf_get(test, log);
	start_dma_buf_put(test, log);
	start_dma_buf_release(test, log);

	buf = export(test);
	expect_events(test, "dma_buf_export refs=1 ino=1\n");
	get_dma_buf(buf);
	fd = dma_buf_fd(buf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	expect_events(test, "dma_buf_fd refs=2 installed=0\n");
	other = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, other, buf);
	expect_events(test, "dma_buf_get refs=3 installed=1\n");
	dma_buf_put(buf);
	expect_events(test, "dma_buf_put refs=3\n");
	close_fd(fd);
	flush_delayed_fput();
	mock_exporter_put(log->exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(log->exp));
	expect_events(test, "dma_buf_put refs=1\ndma_buf_release refs=0 young=1 released=0\n");
}

static void failures_are_not_traced(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct device *dev = test_device(test, "mock-one", SZ_1M);
	struct dma_buf_attachment *attach;
	struct dma_buf *buf = export(test);

	start_dma_buf_get(test, log);
	start_dma_buf_dynamic_attach(test, log);
	start_dma_buf_detach(test, log);

	KUNIT_EXPECT_TRUE(test, IS_ERR(dma_buf_get(-1)));
	log->exp->fail[MOCK_ATTACH] = -EBUSY;
	attach = dma_buf_attach(buf, dev);
	KUNIT_EXPECT_TRUE(test, IS_ERR(attach));
	log->exp->fail[MOCK_ATTACH] = 0;
	log->exp->fail[MOCK_PIN] = -EBUSY;
	mock_exporter_make_dynamic(log->exp);
	attach = dma_buf_attach(buf, dev);
	KUNIT_EXPECT_TRUE(test, IS_ERR(attach));
	expect_events(test, "");
}

static void no_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops dynamic_ops = {
	.move_notify = no_move,
};

static void devices_are_traced(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct device *dev = test_device(test, "mock-one", SZ_1M);
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;
	int ret;

	start_dma_buf_dynamic_attach(test, log);
	start_dma_buf_detach(test, log);
	start_dma_buf_pin(test, log);
	start_dma_buf_unpin(test, log);
	start_dma_buf_move_notify(test, log);
	mock_exporter_make_dynamic(log->exp);
	buf = export(test);

	attach = dma_buf_attach(buf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	expect_events(test, "dma_buf_dynamic_attach refs=1 attached=1 kept=1\n");
	dma_buf_detach(buf, attach);
	expect_events(test, "dma_buf_detach refs=1 attached=1 kept=1\n");

	attach = dma_buf_dynamic_attach(buf, dev, &dynamic_ops, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	expect_events(test, "dma_buf_dynamic_attach refs=1 attached=1 kept=0\n");
	log->exp->calls[MOCK_PIN].count = 0;
	log->exp->calls[MOCK_UNPIN].count = 0;
	dma_resv_lock(buf->resv, NULL);
	ret = dma_buf_pin(attach);
	log->exp->fail[MOCK_PIN] = -EBUSY;
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), -EBUSY);
	if (!ret)
		dma_buf_unpin(attach);
	dma_buf_move_notify(buf);
	dma_resv_unlock(buf->resv);
	expect_events(test,
		      "dma_buf_pin refs=1 pins=1\ndma_buf_unpin refs=1 unpins=0\ndma_buf_move_notify refs=1\n");
	dma_buf_detach(buf, attach);
}

static void mappings_are_traced(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt, *failed;
	struct dma_buf *buf;

	start_dma_buf_map(test, log);
	start_dma_buf_unmap(test, log);
	buf = export(test);
	attach = dma_buf_attach(buf, test_device(test, "mock-one", SZ_1M));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	expect_events(test, "dma_buf_map refs=1 dir=1 maps=1\n");
	log->exp->fail[MOCK_MAP] = -ENOMEM;
	failed = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, IS_ERR(failed));
	expect_events(test, "");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	expect_events(test, "dma_buf_unmap refs=1 dir=1 unmaps=0\n");
	dma_buf_detach(buf, attach);
}

static void access_by_the_cpu_is_traced(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct dma_buf *buf = export(test);
	struct iosys_map map;

	start_dma_buf_begin_cpu_access(test, log);
	start_dma_buf_end_cpu_access(test, log);
	start_dma_buf_vmap(test, log);
	start_dma_buf_vunmap(test, log);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf, DMA_FROM_DEVICE), 0);
	expect_events(test,
		      "dma_buf_begin_cpu_access refs=1 dir=2 ret=0\ndma_buf_end_cpu_access refs=1 dir=2 ret=0\n");
	log->exp->fail[MOCK_BEGIN] = -5;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE), -5);
	expect_events(test, "dma_buf_begin_cpu_access refs=1 dir=1 ret=-5\n");

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
	expect_events(test, "dma_buf_vmap refs=1 counter=1\ndma_buf_vmap refs=1 counter=2\n");
	dma_buf_vunmap_unlocked(buf, &map);
	dma_buf_vunmap_unlocked(buf, &map);
	expect_events(test,
		      "dma_buf_vunmap refs=1 counter=1 vunmaps=0\ndma_buf_vunmap refs=1 counter=0 vunmaps=0\n");
}

static void mmap_is_traced(struct kunit *test)
{
	struct vm_area_struct *vma = kunit_kzalloc(test, sizeof(*vma), GFP_KERNEL);
	struct event_log *log = test->priv;
	struct dma_buf *buf = export(test);
	unsigned long addr;

	KUNIT_ASSERT_NOT_NULL(test, vma);
	start_dma_buf_mmap(test, log);
	start_dma_buf_mmap_internal(test, log);
	addr = kunit_vm_mmap(test, buf->file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	/* the area holds one, too */
	expect_events(test, "dma_buf_mmap_internal refs=2\n");

	/* of the file of another buffer, as a driver has it there */
	vma->vm_start = PAGE_SIZE;
	vma->vm_end = 2 * PAGE_SIZE;
	vma->vm_file = get_file(mock_buf_create(test)->file);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, 0), 0);
	expect_events(test, "dma_buf_mmap refs=3\n");
	fput(vma->vm_file);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(buf, vma, MOCK_EXPORTER_PAGES), -EINVAL);
	expect_events(test, "");
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
}

static void poll_is_traced(struct kunit *test)
{
	struct poll_table_struct table = { ._key = EPOLLIN | EPOLLOUT };
	struct event_log *log = test->priv;
	struct dma_buf *buf = export(test);
	struct dma_fence *fence = mock_fence_new(test);

	start_dma_buf_poll(test, log);
	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_READ);
	vfs_poll(buf->file, &table);
	/* one reference for the callback */
	expect_events(test, "dma_buf_poll refs=2 asked=0x5 ready=0x1\n");
	dma_fence_signal(fence);
	vfs_poll(buf->file, &table);
	expect_events(test, "dma_buf_poll refs=1 asked=0x5 ready=0x5\n");
}

/* Sync files of a buffer */

#ifdef CONFIG_SYNC_FILE
DEFINE_PROBE(dma_buf_export_sync_file, PROTO(struct dma_buf *buf, u32 flags, unsigned int fences),
	     buf, " flags=%u fences=%u", flags, fences)
DEFINE_PROBE(dma_buf_import_sync_file, PROTO(struct dma_buf *buf, u32 flags, unsigned int fences),
	     buf, " flags=%u fences=%u", flags, fences)

static int export_sync_file(struct kunit *test, struct dma_buf *buf, void __user *user)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_WRITE, .fd = -1 };

	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	KUNIT_ASSERT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&arg, user, sizeof(arg)), 0);
	return arg.fd;
}

static void sync_files_are_traced(struct kunit *test)
{
	struct dma_buf_import_sync_file arg = { .flags = DMA_BUF_SYNC_READ };
	void __user *user = test_user_page(test);
	struct event_log *log = test->priv;
	struct dma_buf *buf = export(test);
	struct dma_fence *fences[2];
	int fds[3];

	start_dma_buf_export_sync_file(test, log);
	start_dma_buf_import_sync_file(test, log);
	fds[0] = export_sync_file(test, buf, user);
	expect_events(test, "dma_buf_export_sync_file refs=1 flags=2 fences=0\n");
	for (int i = 0; i < 2; i++) {
		fences[i] = mock_fence_new(test);
		test_resv_add(test, buf->resv, fences[i], DMA_RESV_USAGE_READ);
		fds[i + 1] = export_sync_file(test, buf, user);
	}
	expect_events(test,
		      "dma_buf_export_sync_file refs=1 flags=2 fences=1\ndma_buf_export_sync_file refs=1 flags=2 fences=2\n");

	arg.fd = fds[2];
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, user), 0);
	expect_events(test, "dma_buf_import_sync_file refs=1 flags=1 fences=2\n");
	arg.fd = -1;
	KUNIT_ASSERT_EQ(test, copy_to_user(user, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, user), -EINVAL);
	expect_events(test, "");
	for (int i = 0; i < 3; i++)
		close_fd(fds[i]);
	flush_delayed_fput();
}

/**
 * struct sync_file_log - events of sync files with one fence
 * @fence: the fence
 * @created: how many were created
 * @released: how many were released
 */
struct sync_file_log {
	struct dma_fence *fence;
	unsigned int created;
	unsigned int released;
};

static void probe_create(void *data, struct sync_file *sync_file)
{
	struct sync_file_log *log = data;

	log->created += sync_file->fence == log->fence && file_count(sync_file->file) == 1;
}

static void probe_release(void *data, struct sync_file *sync_file)
{
	struct sync_file_log *log = data;

	log->released += sync_file->fence == log->fence;
}

static void sync_file_is_traced(struct kunit *test)
{
	struct sync_file_log log = { .fence = mock_fence_new(test) };
	struct sync_file *sync_file;

	if (register_trace_sync_file_create(probe_create, &log))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	KUNIT_EXPECT_EQ(test, register_trace_sync_file_release(probe_release, &log), 0);
	sync_file = sync_file_create(log.fence);
	KUNIT_EXPECT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_EQ(test, log.created, 1);
	KUNIT_EXPECT_EQ(test, log.released, 0);
	if (sync_file)
		fput(sync_file->file);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, log.created, 1);
	KUNIT_EXPECT_EQ(test, log.released, 1);
	unregister_trace_sync_file_create(probe_create, &log);
	unregister_trace_sync_file_release(probe_release, &log);
	tracepoint_synchronize_unregister();
}
#else
static void sync_files_are_traced(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_SYNC_FILE");
}

static void sync_file_is_traced(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_SYNC_FILE");
}
#endif

/* The records, which tools parse */

static const struct record {
	const char *desc;
	const char *fields;
} records[] = {
	{ "dma_buf_export", "exp_name size ino" },
	{ "dma_buf_mmap_internal", "exp_name size ino" },
	{ "dma_buf_mmap", "exp_name size ino" },
	{ "dma_buf_put", "exp_name size ino" },
	{ "dma_buf_fd", "exp_name size ino fd" },
	{ "dma_buf_get", "exp_name size ino fd" },
	{ "dma_buf_dynamic_attach", "dev_name exp_name size ino attach is_dynamic" },
	{ "dma_buf_detach", "dev_name exp_name size ino attach is_dynamic" },
	{ "dma_buf_map", "dev_name exp_name size ino attach direction" },
	{ "dma_buf_unmap", "dev_name exp_name size ino attach direction" },
	{ "dma_buf_release", "exp_name size ino lifetime" },
	{ "dma_buf_poll", "exp_name size ino asked ready" },
	{ "sync_file_create", "sync_file context seqno" },
};

KUNIT_ARRAY_PARAM_DESC(records, records, desc);

#ifdef CONFIG_EVENT_TRACING
static void put_event_file(void *file)
{
	trace_put_event_file(file);
}

static void record_has_fields(struct kunit *test)
{
	const struct record *param = test->param_value;
	struct trace_event_fields *fields;
	struct trace_event_file *file;
	char names[128] = "";

	file = trace_get_event_file(NULL, "dma_buf", param->desc);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_event_file, file));
	for (fields = file->event_call->class->fields_array; fields->type; fields++) {
		if (names[0])
			strlcat(names, " ", sizeof(names));
		strlcat(names, fields->name, sizeof(names));
	}
	KUNIT_EXPECT_STREQ(test, names, param->fields);
}

static void disable_events(void *unused)
{
	trace_set_clr_event("dma_buf", NULL, 0);
}

/* an exporter without a name is possible */
static void events_can_be_recorded(struct kunit *test)
{
	struct event_log *log = test->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf *buf;

	if (!IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		log->exp->info.exp_name = NULL;
	KUNIT_ASSERT_EQ(test, trace_set_clr_event("dma_buf", NULL, 1), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, disable_events, NULL));
	buf = export(test);
	attach = dma_buf_attach(buf, test_device(test, "mock-one", SZ_1M));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dma_buf_detach(buf, attach);
	mock_exporter_put(log->exp);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(log->exp));
}
#else
static void record_has_fields(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_EVENT_TRACING");
}

static void events_can_be_recorded(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_EVENT_TRACING");
}
#endif

static int dma_buf_trace_init(struct kunit *test)
{
	struct event_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);

	if (!log)
		return -ENOMEM;
	log->exp = mock_exporter_create(test);
	test->priv = log;
	return 0;
}

static struct kunit_case dma_buf_trace_cases[] = {
	KUNIT_CASE(references_are_traced),
	KUNIT_CASE(failures_are_not_traced),
	KUNIT_CASE(devices_are_traced),
	KUNIT_CASE(mappings_are_traced),
	KUNIT_CASE(access_by_the_cpu_is_traced),
	KUNIT_CASE(mmap_is_traced),
	KUNIT_CASE(poll_is_traced),
	KUNIT_CASE(sync_files_are_traced),
	KUNIT_CASE(sync_file_is_traced),
	KUNIT_CASE_PARAM(record_has_fields, records_gen_params),
	KUNIT_CASE(events_can_be_recorded),
	{}
};

static struct kunit_suite dma_buf_trace_suite = {
	.name = "dma_buf_trace",
	.init = dma_buf_trace_init,
	.test_cases = dma_buf_trace_cases,
};

kunit_test_suite(dma_buf_trace_suite);

MODULE_DESCRIPTION("KUnit tests for the trace events of buffers");
MODULE_LICENSE("GPL");
