// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the trace events of fences: when they come, and what they tell.
 */

#include <kunit/test.h>

#include <linux/slab.h>
#include <linux/trace_events.h>
#include <linux/tracepoint.h>

#include "mock_fence.h"

#include <trace/events/dma_fence.h>

#define MAX_EVENTS 16

enum event_kind {
	EVENT_EMIT,
	EVENT_INIT,
	EVENT_DESTROY,
	EVENT_ENABLE,
	EVENT_SIGNALED,
	EVENT_WAIT_START,
	EVENT_WAIT_END,
};

struct event_seen {
	enum event_kind kind;
	unsigned long flags;
	ktime_t timestamp;
	struct mock_fence_log log;
	bool cb_called;
};

/* Events of one fence, with the state in which it was. */
struct event_log {
	struct dma_fence *fence;
	struct mock_fence_log *fence_log;
	struct dma_fence_cb cb;
	bool cb_called;
	unsigned int count;
	struct event_seen seen[MAX_EVENTS];
};

static void note_event(struct event_log *log, struct dma_fence *fence, enum event_kind kind)
{
	struct event_seen *seen = &log->seen[log->count];

	if (fence != log->fence || log->count == MAX_EVENTS)
		return;

	log->count++;
	seen->kind = kind;
	seen->flags = READ_ONCE(fence->flags);
	seen->timestamp = fence->timestamp;
	seen->cb_called = log->cb_called;
	if (log->fence_log)
		seen->log = *log->fence_log;
}

#define DEFINE_EVENT_PROBE(event, kind)						\
static void probe_##event(void *data, struct dma_fence *fence)			\
{										\
	note_event(data, fence, kind);						\
}										\
static void stop_##event(void *data)						\
{										\
	unregister_trace_dma_fence_##event(probe_##event, data);		\
	tracepoint_synchronize_unregister();					\
}										\
static void start_##event(struct kunit *test, struct event_log *log)		\
{										\
	if (register_trace_dma_fence_##event(probe_##event, log))		\
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");			\
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_##event, log)); \
}

DEFINE_EVENT_PROBE(emit, EVENT_EMIT)
DEFINE_EVENT_PROBE(init, EVENT_INIT)
DEFINE_EVENT_PROBE(destroy, EVENT_DESTROY)
DEFINE_EVENT_PROBE(enable_signal, EVENT_ENABLE)
DEFINE_EVENT_PROBE(signaled, EVENT_SIGNALED)
DEFINE_EVENT_PROBE(wait_start, EVENT_WAIT_START)
DEFINE_EVENT_PROBE(wait_end, EVENT_WAIT_END)

static int event_log_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct event_log), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct event_log *trace_all(struct kunit *test)
{
	struct event_log *log = test->priv;

	start_emit(test, log);
	start_init(test, log);
	start_destroy(test, log);
	start_enable_signal(test, log);
	start_signaled(test, log);
	start_wait_start(test, log);
	start_wait_end(test, log);
	return log;
}

/* Note the events of @mock from now on. */
static struct event_log *trace_fence(struct kunit *test, struct mock_fence *mock)
{
	struct event_log *log = trace_all(test);

	log->fence = &mock->base;
	log->fence_log = mock->log;
	return log;
}

static void note_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	container_of(cb, struct event_log, cb)->cb_called = true;
}

static void init_is_traced(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);
	struct event_log *log = trace_fence(test, mock);

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	KUNIT_ASSERT_EQ(test, log->count, 1);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_INIT);
}

static void last_put_is_traced_before_release(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);
	struct event_log *log;

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	log = trace_fence(test, mock);
	dma_fence_put(dma_fence_get(&mock->base));
	KUNIT_EXPECT_EQ(test, log->count, 0);
	dma_fence_put(&mock->base);

	KUNIT_ASSERT_EQ(test, log->count, 1);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_DESTROY);
	KUNIT_EXPECT_EQ(test, log->seen[0].log.releases, 0);
	KUNIT_EXPECT_EQ(test, mock->log->releases, 1);
}

static void enable_is_traced_before_the_op(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct event_log *log = trace_fence(test, mock);

	dma_fence_enable_sw_signaling(&mock->base);
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_ASSERT_EQ(test, log->count, 1);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_ENABLE);
	KUNIT_EXPECT_EQ(test, log->seen[0].log.enables, 0);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 1);
}

static void enable_without_op_is_not_traced(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new(test));
	struct event_log *log = trace_fence(test, mock);

	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void signal_is_traced_between_time_and_callbacks(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct event_log *log = test->priv;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(&mock->base, &log->cb, note_cb), 0);
	trace_fence(test, mock);
	dma_fence_signal_timestamp(&mock->base, 55);

	KUNIT_ASSERT_EQ(test, log->count, 1);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_SIGNALED);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &log->seen[0].flags));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &log->seen[0].flags));
	KUNIT_EXPECT_EQ(test, log->seen[0].timestamp, 55);
	KUNIT_EXPECT_FALSE(test, log->seen[0].cb_called);
	KUNIT_EXPECT_TRUE(test, log->cb_called);
}

static void second_signal_is_not_traced(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new_signaled(test));
	struct event_log *log = trace_fence(test, mock);

	dma_fence_signal(&mock->base);
	dma_fence_is_signaled(&mock->base);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void wait_is_traced_after_enabling(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_wait_ops, 1, 1);
	struct event_log *log = trace_fence(test, mock);

	dma_fence_wait_timeout(&mock->base, false, 1);
	KUNIT_ASSERT_EQ(test, log->count, 3);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_ENABLE);
	KUNIT_EXPECT_EQ(test, log->seen[1].kind, EVENT_WAIT_START);
	KUNIT_EXPECT_EQ(test, log->seen[1].log.enables, 1);
	KUNIT_EXPECT_EQ(test, log->seen[1].log.waits, 0);
	KUNIT_EXPECT_EQ(test, log->seen[2].kind, EVENT_WAIT_END);
	KUNIT_EXPECT_EQ(test, log->seen[2].log.waits, 1);
}

struct wait_end {
	const char *desc;
	signed long result;
};

static const struct wait_end wait_ends[] = {
	{ "signalled", 5 },
	{ "timed out", 0 },
	{ "interrupted", -ERESTARTSYS },
	{ "other error", -ETIME },
};

KUNIT_ARRAY_PARAM_DESC(wait_end, wait_ends, desc);

static void wait_end_is_traced_whatever_the_result(struct kunit *test)
{
	const struct wait_end *end = test->param_value;
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_wait_ops, 1, 1);
	struct event_log *log;

	dma_fence_enable_sw_signaling(&mock->base);
	mock->wait_result = end->result;
	log = trace_fence(test, mock);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 1), end->result);

	KUNIT_ASSERT_EQ(test, log->count, 2);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_WAIT_START);
	KUNIT_EXPECT_EQ(test, log->seen[1].kind, EVENT_WAIT_END);
}

static void wait_for_signalled_fence_is_traced(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new_signaled(test));
	struct event_log *log = trace_fence(test, mock);

	dma_fence_wait_timeout(&mock->base, false, 1);
	KUNIT_ASSERT_EQ(test, log->count, 2);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_WAIT_START);
	KUNIT_EXPECT_EQ(test, log->seen[1].kind, EVENT_WAIT_END);
}

static void default_wait_alone_is_not_traced(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new(test));
	struct event_log *log = trace_fence(test, mock);

	dma_fence_default_wait(&mock->base, false, 0);
	dma_fence_default_wait(&mock->base, false, 1);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void wait_any_is_not_traced(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new(test));
	struct dma_fence *fence = &mock->base;
	struct event_log *log = trace_fence(test, mock);

	dma_fence_wait_any_timeout(&fence, 1, false, 0, NULL);
	dma_fence_wait_any_timeout(&fence, 1, false, 1, NULL);
	KUNIT_EXPECT_EQ(test, log->count, 0);
}

static void emit_is_for_drivers(struct kunit *test)
{
	struct mock_fence *mock = to_mock_fence(mock_fence_new(test));
	struct event_log *log = trace_fence(test, mock);

	trace_dma_fence_emit(&mock->base);
	KUNIT_ASSERT_EQ(test, log->count, 1);
	KUNIT_EXPECT_EQ(test, log->seen[0].kind, EVENT_EMIT);
}

/* ---- the record, which tools parse ---- */

struct event_name {
	const char *desc;
};

static const struct event_name event_names[] = {
	{ "dma_fence_emit" },
	{ "dma_fence_init" },
	{ "dma_fence_destroy" },
	{ "dma_fence_enable_signal" },
	{ "dma_fence_signaled" },
	{ "dma_fence_wait_start" },
	{ "dma_fence_wait_end" },
};

KUNIT_ARRAY_PARAM_DESC(event_name, event_names, desc);

#ifdef CONFIG_EVENT_TRACING
static void put_event_file(void *file)
{
	trace_put_event_file(file);
}

static struct trace_event_call *event_call(struct kunit *test)
{
	const struct event_name *name = test->param_value;
	struct trace_event_file *file;

	file = trace_get_event_file(NULL, "dma_fence", name->desc);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_event_file, file));
	return file->event_call;
}
#else
static struct trace_event_call *event_call(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_EVENT_TRACING");
	return NULL;
}
#endif

static void record_has_names_context_and_seqno(struct kunit *test)
{
	struct trace_event_fields *fields = event_call(test)->class->fields_array;

	KUNIT_EXPECT_STREQ(test, fields[0].name, "driver");
	KUNIT_EXPECT_STREQ(test, fields[0].type, "__data_loc char[]");
	KUNIT_EXPECT_STREQ(test, fields[1].name, "timeline");
	KUNIT_EXPECT_STREQ(test, fields[1].type, "__data_loc char[]");
	KUNIT_EXPECT_STREQ(test, fields[2].name, "context");
	KUNIT_EXPECT_STREQ(test, fields[2].type, "unsigned int");
	KUNIT_EXPECT_STREQ(test, fields[3].name, "seqno");
	KUNIT_EXPECT_STREQ(test, fields[3].type, "unsigned int");
	KUNIT_EXPECT_NULL(test, fields[4].type);
}

static void record_prints_as_tools_expect(struct kunit *test)
{
	const char *format = event_call(test)->print_fmt;
	const char *expected = "\"driver=%s timeline=%s context=%u seqno=%u\"";

	KUNIT_EXPECT_EQ_MSG(test, strncmp(format, expected, strlen(expected)), 0,
			    "format is %s", format);
}

/* A life with all that is traced in it. */
static void live_through_all_events(struct mock_fence *mock)
{
	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	trace_dma_fence_emit(&mock->base);
	dma_fence_wait_timeout(&mock->base, false, 0);
	dma_fence_signal(&mock->base);
	dma_fence_put(&mock->base);
}

static void names_are_not_asked_for_in_vain(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	live_through_all_events(mock);
	KUNIT_EXPECT_EQ(test, mock->log->names, 0);
}

#ifdef CONFIG_EVENT_TRACING
static void disable_events(void *unused)
{
	trace_set_clr_event("dma_fence", NULL, 0);
}

static void enable_events(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, trace_set_clr_event("dma_fence", NULL, 1), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, disable_events, NULL));
}
#else
static void enable_events(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_EVENT_TRACING");
}
#endif

static void names_are_asked_for_by_each_event(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	enable_events(test);
	live_through_all_events(mock);
	/* Both names by init, emit, wait_start, wait_end, signaled and destroy. */
	KUNIT_EXPECT_GE(test, mock->log->names, 12);
}

static struct kunit_case dma_fence_trace_cases[] = {
	KUNIT_CASE(init_is_traced),
	KUNIT_CASE(last_put_is_traced_before_release),
	KUNIT_CASE(enable_is_traced_before_the_op),
	KUNIT_CASE(enable_without_op_is_not_traced),
	KUNIT_CASE(signal_is_traced_between_time_and_callbacks),
	KUNIT_CASE(second_signal_is_not_traced),
	KUNIT_CASE(wait_is_traced_after_enabling),
	KUNIT_CASE_PARAM(wait_end_is_traced_whatever_the_result, wait_end_gen_params),
	KUNIT_CASE(wait_for_signalled_fence_is_traced),
	KUNIT_CASE(default_wait_alone_is_not_traced),
	KUNIT_CASE(wait_any_is_not_traced),
	KUNIT_CASE(emit_is_for_drivers),
	KUNIT_CASE_PARAM(record_has_names_context_and_seqno, event_name_gen_params),
	KUNIT_CASE_PARAM(record_prints_as_tools_expect, event_name_gen_params),
	KUNIT_CASE(names_are_not_asked_for_in_vain),
	KUNIT_CASE(names_are_asked_for_by_each_event),
	{}
};

static struct kunit_suite dma_fence_trace_suite = {
	.name = "dma_fence_trace",
	.init = event_log_init,
	.test_cases = dma_fence_trace_cases,
};

kunit_test_suite(dma_fence_trace_suite);
