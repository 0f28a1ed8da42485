// SPDX-License-Identifier: GPL-2.0
/*
 * Polling a buffer: which fences make it readable and writable, who is woken,
 * what an armed callback keeps alive.
 */

#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "mock_exporter.h"
#include "mock_fence.h"
#include "test_util.h"

#define POLL_BOTH	(EPOLLIN | EPOLLOUT)

#define expect_events(test, events, want)	\
	KUNIT_EXPECT_EQ(test, (__force u32)(events), (__force u32)(want))

/**
 * struct mock_poller - a poller that records its wake-ups
 * @table: argument of poll
 * @entry: place on the wait queue
 * @queue: the wait queue, NULL if poll did not offer one
 * @wakes: number of wake-ups
 * @events: events of all wake-ups
 * @irqs_off: the last wake-up came with interrupts disabled
 */
struct mock_poller {
	poll_table table;
	struct wait_queue_entry entry;
	wait_queue_head_t *queue;
	unsigned int wakes;
	__poll_t events;
	bool irqs_off;
};

static int mock_poller_wake(struct wait_queue_entry *entry, unsigned int mode,
			    int flags, void *key)
{
	struct mock_poller *poller = container_of(entry, struct mock_poller, entry);

	poller->wakes++;
	poller->events |= key_to_poll(key);
	poller->irqs_off = irqs_disabled();

	return 0;
}

static void mock_poller_queue(struct file *file, wait_queue_head_t *queue,
			      poll_table *table)
{
	struct mock_poller *poller = container_of(table, struct mock_poller, table);

	if (poller->queue)
		return;
	poller->queue = queue;
	add_wait_queue(queue, &poller->entry);
}

static void mock_poller_leave(void *data)
{
	struct mock_poller *poller = data;

	if (poller->queue)
		remove_wait_queue(poller->queue, &poller->entry);
	poller->queue = NULL;
}

static struct mock_poller *mock_poller_create(struct kunit *test, __poll_t events)
{
	struct mock_poller *poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, poller);
	init_poll_funcptr(&poller->table, mock_poller_queue);
	poller->table._key = events;
	init_waitqueue_func_entry(&poller->entry, mock_poller_wake);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, mock_poller_leave, poller));

	return poller;
}

static __poll_t poll_with(struct mock_poller *poller, struct dma_buf *buf)
{
	return vfs_poll(buf->file, &poller->table);
}

static __poll_t poll_once(struct dma_buf *buf, __poll_t events)
{
	poll_table table = { ._key = events };

	return vfs_poll(buf->file, &table);
}

/* Events that are ready for a buffer without fences */

static const struct idle {
	const char *desc;
	__poll_t events;
	__poll_t ready;
} idles[] = {
	{ "in", EPOLLIN, EPOLLIN },
	{ "out", EPOLLOUT, EPOLLOUT },
	{ "both", POLL_BOTH, POLL_BOTH },
	{ "all", ~(__force __poll_t)0, POLL_BOTH },
	{ "others", EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND, 0 },
	{ "in and others", EPOLLIN | EPOLLPRI, EPOLLIN },
	{ "nothing", 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(idles, idles, desc);

static void dma_buf_poll_idle(struct kunit *test)
{
	const struct idle *param = test->param_value;

	expect_events(test, poll_once(mock_export(test), param->events), param->ready);
}

static const struct pending {
	const char *desc;
	enum dma_resv_usage usage;
	__poll_t events;
	__poll_t ready;
} pendings[] = {
	{ "kernel, in", DMA_RESV_USAGE_KERNEL, EPOLLIN, 0 },
	{ "kernel, out", DMA_RESV_USAGE_KERNEL, EPOLLOUT, 0 },
	{ "kernel, both", DMA_RESV_USAGE_KERNEL, POLL_BOTH, 0 },
	{ "write, in", DMA_RESV_USAGE_WRITE, EPOLLIN, 0 },
	{ "write, out", DMA_RESV_USAGE_WRITE, EPOLLOUT, 0 },
	{ "write, both", DMA_RESV_USAGE_WRITE, POLL_BOTH, 0 },
	{ "read, in", DMA_RESV_USAGE_READ, EPOLLIN, EPOLLIN },
	{ "read, out", DMA_RESV_USAGE_READ, EPOLLOUT, 0 },
	{ "read, both", DMA_RESV_USAGE_READ, POLL_BOTH, EPOLLIN },
	{ "bookkeep, in", DMA_RESV_USAGE_BOOKKEEP, EPOLLIN, EPOLLIN },
	{ "bookkeep, out", DMA_RESV_USAGE_BOOKKEEP, EPOLLOUT, EPOLLOUT },
	{ "bookkeep, both", DMA_RESV_USAGE_BOOKKEEP, POLL_BOTH, POLL_BOTH },
};

KUNIT_ARRAY_PARAM_DESC(pendings, pendings, desc);

static void dma_buf_poll_pending(struct kunit *test)
{
	const struct pending *param = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, param->usage);
	expect_events(test, poll_once(buf, param->events), param->ready);
	dma_fence_signal(fence);
	expect_events(test, poll_once(buf, param->events), param->events);
}

static void dma_buf_poll_signalled(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new_signaled(test), DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, POLL_BOTH), POLL_BOTH);
}

static void dma_buf_poll_needs_no_lock_for_nothing(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	dma_resv_lock(buf->resv, NULL);
	expect_events(test, poll_once(buf, EPOLLPRI), 0);
	dma_resv_unlock(buf->resv);
}

static void dma_buf_poll_without_resv(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	struct dma_resv *resv = buf->resv;

	buf->resv = NULL;
	expect_events(test, poll_once(buf, POLL_BOTH), EPOLLERR);
	buf->resv = resv;
}

/* a fence whose driver finds out only now that it has been through for long */
static void dma_buf_poll_fence_that_refuses(struct kunit *test)
{
	struct mock_fence *refusing = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	refusing->refuse_enable = true;
	test_resv_add(test, buf->resv, &refusing->base, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLIN), EPOLLIN);
}

static void dma_buf_poll_takes_first_that_accepts(struct kunit *test)
{
	struct mock_fence *refusing = mock_fence_new_full(test);
	struct mock_fence *accepting = mock_fence_new_full(test);
	struct mock_fence *last = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	refusing->refuse_enable = true;
	test_resv_add(test, buf->resv, &refusing->base, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, &accepting->base, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, &last->base, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLIN), 0);
	KUNIT_EXPECT_EQ(test, refusing->log->enables, 1);
	KUNIT_EXPECT_EQ(test, accepting->log->enables, 1);
	KUNIT_EXPECT_EQ(test, last->log->enables, 0);
}

/* Waiting */

static void dma_buf_poll_offers_queue(struct kunit *test)
{
	struct mock_poller *poller = mock_poller_create(test, EPOLLIN);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, mock_fence_new(test), DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_with(poller, buf), 0);
	KUNIT_EXPECT_NOT_NULL(test, poller->queue);
}

static const struct wake {
	const char *desc;
	__poll_t event;
	enum dma_resv_usage usage;
} wakes[] = {
	{ "reader", EPOLLIN, DMA_RESV_USAGE_WRITE },
	{ "writer", EPOLLOUT, DMA_RESV_USAGE_READ },
};

KUNIT_ARRAY_PARAM_DESC(wakes, wakes, desc);

static void dma_buf_poll_wakes(struct kunit *test)
{
	const struct wake *param = test->param_value;
	struct mock_poller *poller = mock_poller_create(test, param->event);
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, param->usage);
	expect_events(test, poll_with(poller, buf), 0);
	KUNIT_EXPECT_EQ(test, poller->wakes, 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller->wakes, 1);
	expect_events(test, poller->events, param->event);
	expect_events(test, poll_with(poller, buf), param->event);
}

static void dma_buf_poll_wakes_while_signalling(struct kunit *test)
{
	struct mock_poller *poller = mock_poller_create(test, EPOLLIN);
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_with(poller, buf), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller->irqs_off, MOCK_LOCK_STOPS_IRQS);
}

static void dma_buf_poll_wakes_everybody(struct kunit *test)
{
	const struct wake *param = test->param_value;
	struct mock_poller *one = mock_poller_create(test, param->event);
	struct mock_poller *two = mock_poller_create(test, param->event);
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, param->usage);
	expect_events(test, poll_with(one, buf), 0);
	expect_events(test, poll_with(two, buf), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, one->wakes, 1);
	KUNIT_EXPECT_EQ(test, two->wakes, 1);
}

static void dma_buf_poll_wakes_both_directions(struct kunit *test)
{
	struct mock_poller *poller = mock_poller_create(test, POLL_BOTH);
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_with(poller, buf), 0);
	dma_fence_signal(fence);
	expect_events(test, poller->events, POLL_BOTH);
}

/* the second fence gets the callback with the next poll */
static void dma_buf_poll_next_fence(struct kunit *test)
{
	struct mock_poller *poller = mock_poller_create(test, EPOLLIN);
	struct mock_fence *one = mock_fence_new_full(test);
	struct mock_fence *two = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, &one->base, DMA_RESV_USAGE_WRITE);
	test_resv_add(test, buf->resv, &two->base, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_with(poller, buf), 0);
	KUNIT_EXPECT_EQ(test, two->log->enables, 0);
	dma_fence_signal(&one->base);
	KUNIT_EXPECT_EQ(test, poller->wakes, 1);
	expect_events(test, poll_with(poller, buf), 0);
	KUNIT_EXPECT_EQ(test, two->log->enables, 1);
	dma_fence_signal(&two->base);
	KUNIT_EXPECT_EQ(test, poller->wakes, 2);
	expect_events(test, poll_with(poller, buf), EPOLLIN);
}

static void dma_buf_poll_shares_callback(struct kunit *test)
{
	struct mock_fence *one = mock_fence_new_full(test);
	struct mock_fence *two = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, &one->base, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLIN), 0);
	test_resv_add(test, buf->resv, &two->base, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLIN), 0);
	KUNIT_EXPECT_EQ(test, one->log->enables, 1);
	KUNIT_EXPECT_EQ(test, two->log->enables, 0);
}

/* A poller that finds no pending fence for its callback wakes those that rely on it. */
static void dma_buf_poll_ready_wakes_others(struct kunit *test)
{
	const struct wake *param = test->param_value;
	struct mock_poller *waiting = mock_poller_create(test, param->event);
	struct mock_fence *refusing = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	refusing->refuse_enable = true;
	expect_events(test, poll_with(waiting, buf), param->event);
	waiting->wakes = 0;
	waiting->events = 0;
	test_resv_add(test, buf->resv, &refusing->base, param->usage);
	expect_events(test, poll_once(buf, param->event), param->event);
	expect_events(test, waiting->events, param->event);
}

/* what the members of a buffer say about the callback */
static void dma_buf_poll_callback_members(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	expect_events(test, poll_once(buf, POLL_BOTH), POLL_BOTH);
	expect_events(test, buf->cb_in.active, 0);
	expect_events(test, buf->cb_out.active, 0);
	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLOUT), 0);
	expect_events(test, buf->cb_in.active, 0);
	expect_events(test, buf->cb_out.active, EPOLLOUT);
	KUNIT_EXPECT_PTR_EQ(test, buf->cb_out.poll, &buf->poll);
	expect_events(test, poll_once(buf, EPOLLIN), 0);
	expect_events(test, buf->cb_in.active, EPOLLIN);
	KUNIT_EXPECT_PTR_EQ(test, buf->cb_in.poll, &buf->poll);
	dma_fence_signal(fence);
	expect_events(test, buf->cb_in.active, 0);
	expect_events(test, buf->cb_out.active, 0);
}

/* what a task sees that is woken on another CPU, and looks again at once */
struct early_bird {
	struct wait_queue_entry entry;
	struct dma_buf *buf;
	unsigned int wakes;
	unsigned int active;
};

static int early_bird_wake(struct wait_queue_entry *entry, unsigned int mode,
			   int flags, void *key)
{
	struct early_bird *bird = container_of(entry, struct early_bird, entry);

	bird->wakes++;
	bird->active += key_to_poll(key) & EPOLLOUT ? !!bird->buf->cb_out.active :
						      !!bird->buf->cb_in.active;

	return 0;
}

static void dma_buf_poll_clears_before_wake(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct early_bird bird = { .buf = mock_export(test) };

	init_waitqueue_func_entry(&bird.entry, early_bird_wake);
	test_resv_add(test, bird.buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(bird.buf, POLL_BOTH), 0);
	add_wait_queue(&bird.buf->poll, &bird.entry);
	dma_fence_signal(fence);
	remove_wait_queue(&bird.buf->poll, &bird.entry);

	KUNIT_EXPECT_EQ(test, bird.wakes, 2);
	KUNIT_EXPECT_EQ(test, bird.active, 0);
}

/* Locks */

#define LOCKDEP_SIZE	SZ_4M

/* the whole of /proc/lockdep, which may be more than one read gives */
static const char *lockdep_text(struct kunit *test)
{
	struct file *file = test_open(test_mount(test, "proc"), "lockdep");
	char *text = kunit_kzalloc(test, LOCKDEP_SIZE, GFP_KERNEL);
	char __user *user = test_user_page(test);
	loff_t pos = 0;
	ssize_t len = 0, got;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_NOT_NULL(test, text);
	do {
		got = vfs_read(file, user, PAGE_SIZE, &pos);
		if (got <= 0 || len + got >= LOCKDEP_SIZE || copy_from_user(text + len, user, got))
			break;
		len += got;
	} while (true);
	fput(file);

	return text;
}

static DEFINE_MUTEX(poll_outer_lock);

/* the lock is taken for a pending fence only, but lockdep learns of it each time */
static void dma_buf_poll_idle_might_lock(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);
	const char *text, *end, *inner;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !IS_ENABLED(CONFIG_PROC_FS) || !debug_locks)
		kunit_skip(test, "needs PROVE_LOCKING and PROC_FS");
	mutex_lock(&poll_outer_lock);
	expect_events(test, poll_once(buf, POLL_BOTH), POLL_BOTH);
	mutex_unlock(&poll_outer_lock);

	text = strstr(lockdep_text(test), ": poll_outer_lock\n");
	KUNIT_ASSERT_NOT_NULL(test, text);
	end = strstr(text, "\n\n");
	inner = strstr(text, "] reservation_ww_class_mutex");
	KUNIT_EXPECT_TRUE(test, inner && inner < end);
}

/* References */

static void dma_buf_poll_ready_holds_nothing(struct kunit *test)
{
	struct dma_buf *buf = mock_export(test);

	expect_events(test, poll_once(buf, POLL_BOTH), POLL_BOTH);
	test_expect_refs(test, buf->file, 1);
}

static void dma_buf_poll_holds_file(struct kunit *test)
{
	const struct wake *param = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, param->usage);
	expect_events(test, poll_once(buf, param->event), 0);
	test_expect_refs(test, buf->file, 2);
	expect_events(test, poll_once(buf, param->event), 0);
	test_expect_refs(test, buf->file, 2);
	dma_fence_signal(fence);
	test_expect_refs(test, buf->file, 1);
}

static void dma_buf_poll_holds_file_by_direction(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, POLL_BOTH), 0);
	test_expect_refs(test, buf->file, 3);
	dma_fence_signal(fence);
	test_expect_refs(test, buf->file, 1);
}

static void dma_buf_poll_refused_holds_nothing(struct kunit *test)
{
	struct mock_fence *refusing = mock_fence_new_full(test);
	struct dma_buf *buf = mock_export(test);

	refusing->refuse_enable = true;
	test_resv_add(test, buf->resv, &refusing->base, DMA_RESV_USAGE_WRITE);
	poll_once(buf, EPOLLIN);
	test_expect_refs(test, buf->file, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&refusing->base), 2);
}

static void dma_buf_poll_buffer_outlives_fds(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct mock_exporter *exp = test->priv;
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_once(buf, EPOLLIN), 0);
	mock_exporter_put(exp);
	flush_delayed_fput();
	mock_expect_trace(exp, "");
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, mock_exporter_wait_released(exp));
}

/* the callback may be all that is left of the fence's users */
static void dma_buf_poll_fence_outlives_resv(struct kunit *test)
{
	struct mock_poller *poller = mock_poller_create(test, EPOLLIN);
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_buf *buf = mock_export(test);

	test_resv_add(test, buf->resv, fence, DMA_RESV_USAGE_WRITE);
	expect_events(test, poll_with(poller, buf), 0);
	dma_resv_lock(buf->resv, NULL);
	dma_resv_replace_fences(buf->resv, fence->context, mock_fence_new_signaled(test),
				DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(buf->resv);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller->wakes, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	expect_events(test, poll_with(poller, buf), EPOLLIN);
}

static struct kunit_case dma_buf_poll_cases[] = {
	KUNIT_CASE_PARAM(dma_buf_poll_idle, idles_gen_params),
	KUNIT_CASE_PARAM(dma_buf_poll_pending, pendings_gen_params),
	KUNIT_CASE(dma_buf_poll_signalled),
	KUNIT_CASE(dma_buf_poll_needs_no_lock_for_nothing),
	KUNIT_CASE(dma_buf_poll_without_resv),
	KUNIT_CASE(dma_buf_poll_fence_that_refuses),
	KUNIT_CASE(dma_buf_poll_takes_first_that_accepts),
	KUNIT_CASE(dma_buf_poll_offers_queue),
	KUNIT_CASE_PARAM(dma_buf_poll_wakes, wakes_gen_params),
	KUNIT_CASE(dma_buf_poll_wakes_while_signalling),
	KUNIT_CASE_PARAM(dma_buf_poll_wakes_everybody, wakes_gen_params),
	KUNIT_CASE(dma_buf_poll_wakes_both_directions),
	KUNIT_CASE(dma_buf_poll_next_fence),
	KUNIT_CASE(dma_buf_poll_shares_callback),
	KUNIT_CASE_PARAM(dma_buf_poll_ready_wakes_others, wakes_gen_params),
	KUNIT_CASE(dma_buf_poll_callback_members),
	KUNIT_CASE(dma_buf_poll_clears_before_wake),
	KUNIT_CASE(dma_buf_poll_idle_might_lock),
	KUNIT_CASE(dma_buf_poll_ready_holds_nothing),
	KUNIT_CASE_PARAM(dma_buf_poll_holds_file, wakes_gen_params),
	KUNIT_CASE(dma_buf_poll_holds_file_by_direction),
	KUNIT_CASE(dma_buf_poll_refused_holds_nothing),
	KUNIT_CASE(dma_buf_poll_buffer_outlives_fds),
	KUNIT_CASE(dma_buf_poll_fence_outlives_resv),
	{}
};

static struct kunit_suite dma_buf_poll_suite = {
	.name = "dma_buf_poll",
	.init = mock_exporter_init,
	.test_cases = dma_buf_poll_cases,
};

kunit_test_suite(dma_buf_poll_suite);

MODULE_DESCRIPTION("KUnit tests for polling a buffer");
MODULE_LICENSE("GPL");
