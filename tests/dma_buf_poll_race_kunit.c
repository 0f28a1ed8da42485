// SPDX-License-Identifier: GPL-2.0
/*
 * poll() on a buffer on one CPU, while another one polls it, too, adds or signals
 * fences, or closes it. Skipped on machines with one CPU, but for an interrupt that
 * signals.
 */

#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "mock_fence.h"
#include "race.h"

#define NUM_FENCES	2

/**
 * struct waiter - a side that polls
 * @table: what poll gets
 * @queue: the wait queue, NULL before the first look
 * @entry: place on the wait queue
 * @events: what it waits for
 * @woken: it was woken since the last look
 * @looks: number of looks until the buffer was ready
 * @lost: it was not woken
 */
struct waiter {
	poll_table table;
	wait_queue_head_t *queue;
	struct wait_queue_entry entry;
	__poll_t events;
	bool woken;
	unsigned int looks;
	bool lost;
};

/**
 * struct poll_race - what the sides share
 * @buf: a buffer for each round
 * @released: number of buffers that are gone
 * @rounds: number of buffers
 * @usage: of the fences
 * @event: what they hold up
 * @fences: the fences of the round; those that are not used are NULL
 * @interrupt: signals the first fence
 * @here: a waiter
 * @there: another one
 * @here_task: the task of the first side
 * @at_close: number of buffers that were gone when close had returned
 * @ways: rounds that have gone in one way, and in the other
 */
struct poll_race {
	struct dma_buf *buf;
	unsigned int released;
	unsigned int rounds;
	enum dma_resv_usage usage;
	__poll_t event;
	struct dma_fence *fences[NUM_FENCES];
	struct irq_work interrupt;
	struct waiter here;
	struct waiter there;
	struct task_struct *here_task;
	unsigned int at_close;
	unsigned int ways[2];
};

/*
 * The waiter looks again while the one that wakes it is still in here, with the lock of
 * the queue: all that the look depends on has to be in place before the wake-up.
 */
static int waiter_wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct waiter *waiter = container_of(entry, struct waiter, entry);

	/* Pairs with waiter_woken(). */
	smp_store_release(&waiter->woken, true);
	race_linger();
	return 0;
}

static bool waiter_woken(void *data)
{
	/* Pairs with waiter_wake(). */
	return smp_load_acquire(&((struct waiter *)data)->woken);
}

static void waiter_enter(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct waiter *waiter = container_of(table, struct waiter, table);

	waiter->queue = queue;
	add_wait_queue(queue, &waiter->entry);
}

static void waiter_init(struct waiter *waiter, __poll_t events)
{
	*waiter = (struct waiter) { .events = events };
	init_poll_funcptr(&waiter->table, waiter_enter);
	waiter->table._key = events;
	init_waitqueue_func_entry(&waiter->entry, waiter_wake);
}

static bool waiter_look(struct waiter *waiter, struct dma_buf *buf)
{
	__poll_t events;

	waiter->looks++;
	events = vfs_poll(buf->file, &waiter->table);
	waiter->table._qproc = NULL;
	return events & waiter->events;
}

/* As poll() and epoll do: stay on the queue, and look again whenever woken. */
static void waiter_wait(struct waiter *waiter, struct dma_buf *buf)
{
	while (!waiter_look(waiter, buf)) {
		if (!race_spin(waiter_woken, waiter)) {
			waiter->lost = true;
			return;
		}
		/* A wake-up from here on makes it test once more. */
		smp_store_mb(waiter->woken, false);
	}
}

static void waiter_leave(struct kunit *test, struct waiter *waiter)
{
	KUNIT_EXPECT_FALSE(test, waiter->lost);
	if (waiter->queue)
		remove_wait_queue(waiter->queue, &waiter->entry);
}

/* ---- rounds ---- */

static const char *armed_fence_name(struct dma_fence *fence)
{
	return "armed";
}

/*
 * Which side has put the callback on the fence? There is room for it in the fence,
 * where an interrupt may be that is to come now.
 */
static bool armed_fence_enable(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	if (mock->on_poll_data)
		irq_work_queue(mock->on_poll_data);
	mock->on_poll_data = current;
	return true;
}

static const struct dma_fence_ops armed_fence_ops = {
	.get_driver_name = armed_fence_name,
	.get_timeline_name = armed_fence_name,
	.enable_signaling = armed_fence_enable,
};

static bool poll_race_prepare(struct kunit *test, void *data)
{
	struct poll_race *race = data;

	race->buf = race_buf_export(&race->released);
	if (IS_ERR(race->buf)) {
		KUNIT_FAIL(test, "export: %pe", race->buf);
		return false;
	}
	race->rounds++;
	race->here_task = current;
	memset(race->fences, 0, sizeof(race->fences));
	waiter_init(&race->here, race->event);
	waiter_init(&race->there, race->event);
	return true;
}

/* All fences are new, each on a timeline of its own. */
static bool poll_race_add(struct poll_race *race, unsigned int i)
{
	struct dma_fence *fence = race_fence_create(&armed_fence_ops, 1 + i, 1);
	int ret;

	race->fences[i] = fence;
	if (!fence)
		return false;

	dma_resv_lock(race->buf->resv, NULL);
	ret = dma_resv_reserve_fences(race->buf->resv, 1);
	if (!ret)
		dma_resv_add_fence(race->buf->resv, fence, race->usage);
	dma_resv_unlock(race->buf->resv);
	return !ret;
}

static bool poll_race_prepare_fences(struct kunit *test, struct poll_race *race, unsigned int num)
{
	bool added = poll_race_prepare(test, race);
	unsigned int i;

	for (i = 0; added && i < num; i++)
		added = poll_race_add(race, i);
	KUNIT_EXPECT_TRUE(test, added);
	return added;
}

static bool poll_race_prepare_one(struct kunit *test, void *data)
{
	return poll_race_prepare_fences(test, data, 1);
}

static bool poll_race_prepare_two(struct kunit *test, void *data)
{
	return poll_race_prepare_fences(test, data, NUM_FENCES);
}

/* The callback is out before the sides begin. */
static bool poll_race_prepare_armed(struct kunit *test, void *data)
{
	struct poll_race *race = data;
	poll_table table = { ._key = race->event };

	if (!poll_race_prepare_one(test, data))
		return false;
	KUNIT_EXPECT_EQ(test, (__force u32)vfs_poll(race->buf->file, &table), 0);
	return true;
}

static void poll_race_put_fences(struct kunit *test, struct poll_race *race)
{
	unsigned int i;

	for (i = 0; i < NUM_FENCES && race->fences[i]; i++) {
		KUNIT_EXPECT_TRUE(test, race_fence_refs(race->fences[i], 1));
		dma_fence_put(race->fences[i]);
	}
}

/* Nothing is left of the round: no callback, no reference on the buffer or a fence. */
static bool poll_race_end(struct kunit *test, struct poll_race *race)
{
	waiter_leave(test, &race->here);
	waiter_leave(test, &race->there);
	KUNIT_EXPECT_EQ(test, file_count(race->buf->file), 1);
	KUNIT_EXPECT_EQ(test, race->released + 1, race->rounds);
	__fput_sync(race->buf->file);
	KUNIT_EXPECT_EQ(test, race->released, race->rounds);
	poll_race_put_fences(test, race);
	return true;
}

static void wait_here(void *data)
{
	struct poll_race *race = data;

	waiter_wait(&race->here, race->buf);
}

static void signal_there(void *data)
{
	struct poll_race *race = data;

	dma_fence_signal(race->fences[0]);
}

/* Was it ready at the first look? */
static bool check_woken(struct kunit *test, void *data)
{
	struct poll_race *race = data;

	race->ways[race->here.looks == 1]++;
	return poll_race_end(test, race);
}

static const struct race poll_against_signal = {
	poll_race_prepare_one, wait_here, signal_there, check_woken,
};

static const struct race poll_against_callback = {
	poll_race_prepare_armed, wait_here, signal_there, check_woken,
};

static void add_and_signal_there(void *data)
{
	struct poll_race *race = data;

	if (poll_race_add(race, 0)) {
		race_linger();
		dma_fence_signal(race->fences[0]);
	}
}

static const struct race poll_against_add = {
	poll_race_prepare, wait_here, add_and_signal_there, check_woken,
};

static void signal_all_there(void *data)
{
	struct poll_race *race = data;

	dma_fence_signal(race->fences[0]);
	dma_fence_signal(race->fences[1]);
}

/* Was it woken for the first fence, and again for the second? */
static bool check_woken_twice(struct kunit *test, void *data)
{
	struct poll_race *race = data;

	race->ways[race->here.looks > 2]++;
	return poll_race_end(test, race);
}

static const struct race poll_against_two_signals = {
	poll_race_prepare_two, wait_here, signal_all_there, check_woken_twice,
};

static void look_here(void *data)
{
	struct poll_race *race = data;

	waiter_look(&race->here, race->buf);
}

static void look_there(void *data)
{
	struct poll_race *race = data;

	waiter_look(&race->there, race->buf);
}

/* There is one callback, from either side, and it wakes both. */
static bool check_shared(struct kunit *test, void *data)
{
	struct poll_race *race = data;

	KUNIT_EXPECT_EQ(test, file_count(race->buf->file), 2);
	race->ways[to_mock_fence(race->fences[0])->on_poll_data == race->here_task]++;
	KUNIT_EXPECT_FALSE(test, race->here.woken);
	KUNIT_EXPECT_FALSE(test, race->there.woken);
	dma_fence_signal(race->fences[0]);
	KUNIT_EXPECT_TRUE(test, race->here.woken);
	KUNIT_EXPECT_TRUE(test, race->there.woken);
	return poll_race_end(test, race);
}

static const struct race poll_against_poll = {
	poll_race_prepare_one, look_here, look_there, check_shared,
};

static void look_and_signal_there(void *data)
{
	look_there(data);
	signal_there(data);
}

/* The one that comes in between relies on the callback of the other. */
static const struct race poll_against_poll_and_signal = {
	poll_race_prepare_one, wait_here, look_and_signal_there, check_woken,
};

static void close_here(void *data)
{
	struct poll_race *race = data;

	__fput_sync(race->buf->file);
	race->at_close = READ_ONCE(race->released);
}

static bool all_released(void *data)
{
	struct poll_race *race = data;

	return READ_ONCE(race->released) == race->rounds;
}

/* The callback may have been the last to hold the buffer, which a worker ends then. */
static bool check_released(struct kunit *test, void *data)
{
	struct poll_race *race = data;

	race->ways[race->at_close == race->rounds]++;
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, race_spin(all_released, race));
	poll_race_put_fences(test, race);
	return true;
}

static const struct race close_against_signal = {
	poll_race_prepare_armed, close_here, signal_there, check_released,
};

static void signal_in_interrupt(struct irq_work *interrupt)
{
	dma_fence_signal(container_of(interrupt, struct poll_race, interrupt)->fences[0]);
}

/* ---- cases ---- */

static const struct direction {
	const char *desc;
	enum dma_resv_usage usage;
	__poll_t event;
} directions[] = {
	{ "a reader for a writer", DMA_RESV_USAGE_WRITE, EPOLLIN },
	{ "a writer for a reader", DMA_RESV_USAGE_READ, EPOLLOUT },
};

KUNIT_ARRAY_PARAM_DESC(directions, directions, desc);

static struct poll_race *poll_race_create(struct kunit *test)
{
	const struct direction *direction = test->param_value;
	struct poll_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->usage = direction->usage;
	race->event = direction->event;
	return race;
}

static void poll_race_run(struct kunit *test, const struct race *what)
{
	struct poll_race *race = poll_race_create(test);

	race_run_both(test, what, race, race->ways);
}

static void poller_is_woken(struct kunit *test)
{
	poll_race_run(test, &poll_against_signal);
}

static void poller_is_woken_by_callback_of_before(struct kunit *test)
{
	poll_race_run(test, &poll_against_callback);
}

static void poller_waits_for_what_is_added(struct kunit *test)
{
	poll_race_run(test, &poll_against_add);
}

static void poller_waits_for_the_last_of_two(struct kunit *test)
{
	poll_race_run(test, &poll_against_two_signals);
}

static void pollers_share_a_callback(struct kunit *test)
{
	poll_race_run(test, &poll_against_poll);
}

static void poller_is_woken_by_callback_of_other(struct kunit *test)
{
	poll_race_run(test, &poll_against_poll_and_signal);
}

static void buffer_stays_for_the_callback(struct kunit *test)
{
	poll_race_run(test, &close_against_signal);
}

/* The callback drops its reference before the poller has finished installing it. */
static void buffer_stays_for_a_callback_at_once(struct kunit *test)
{
	struct poll_race *race = poll_race_create(test);

	init_irq_work(&race->interrupt, signal_in_interrupt);
	KUNIT_ASSERT_TRUE(test, poll_race_prepare_one(test, race));
	to_mock_fence(race->fences[0])->on_poll_data = &race->interrupt;
	wait_here(race);
	irq_work_sync(&race->interrupt);
	poll_race_end(test, race);
}

static struct kunit_case dma_buf_poll_race_cases[] = {
	KUNIT_CASE_PARAM(poller_is_woken, directions_gen_params),
	KUNIT_CASE_PARAM(poller_is_woken_by_callback_of_before, directions_gen_params),
	KUNIT_CASE_PARAM(poller_waits_for_what_is_added, directions_gen_params),
	KUNIT_CASE_PARAM(poller_waits_for_the_last_of_two, directions_gen_params),
	KUNIT_CASE_PARAM(pollers_share_a_callback, directions_gen_params),
	KUNIT_CASE_PARAM(poller_is_woken_by_callback_of_other, directions_gen_params),
	KUNIT_CASE_PARAM(buffer_stays_for_the_callback, directions_gen_params),
	KUNIT_CASE_PARAM(buffer_stays_for_a_callback_at_once, directions_gen_params),
	{}
};

static struct kunit_suite dma_buf_poll_race_suite = {
	.name = "dma_buf_poll_race",
	.test_cases = dma_buf_poll_race_cases,
};

kunit_test_suite(dma_buf_poll_race_suite);

MODULE_DESCRIPTION("KUnit tests for poll() on a buffer on two CPUs");
MODULE_LICENSE("GPL");
