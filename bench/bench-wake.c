// SPDX-License-Identifier: GPL-2.0-only
/*
 * From sleep to wake: two tasks take turns. Each operation is one signal that wakes
 * the other task and one sleep of this one, on both sides. The floor is that of two
 * completions.
 *
 * Both tasks wait by the same function. Where the calls of one were nested deeper, a row
 * took half as much again, with as many instructions: in the one core or the other, as two
 * frames more in a task decided. It may be that returns after a switch are mispredicted.
 */

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "bench.h"

#define BATCH		400
#define ANY		8

/* Two turns in each operation: the other task waits for the first, this one for the second. */
#define TURNS		(2 * BATCH)

static struct dma_resv bench_objects[TURNS];
static struct completion bench_completions[TURNS];
static void (*bench_wait)(const struct bench_case *c, unsigned int turn);
static struct task_struct *bench_waiter;

static unsigned int all_fences(const struct bench_case *c)
{
	return 2 * c->batch * c->param;
}

static struct dma_fence *fences_of(const struct bench_case *c, unsigned int turn)
{
	return &bench_fences[turn * c->param];
}

static void wait_fence(const struct bench_case *c, unsigned int turn)
{
	dma_fence_wait(fences_of(c, turn), false);
}

static void wait_any(const struct bench_case *c, unsigned int turn)
{
	struct dma_fence *any[ANY];
	unsigned int i;

	for (i = 0; i < ANY; i++)
		any[i] = fences_of(c, turn) + i;
	dma_fence_wait_any_timeout(any, ANY, false, MAX_SCHEDULE_TIMEOUT, NULL);
}

static void wait_resv(const struct bench_case *c, unsigned int turn)
{
	dma_resv_wait_timeout(&bench_objects[turn], DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
}

static void wait_completion(const struct bench_case *c, unsigned int turn)
{
	wait_for_completion(&bench_completions[turn]);
}

static void wake(const struct bench_case *c, unsigned int turn)
{
	if (c->param)
		dma_fence_signal(fences_of(c, turn));
	else
		complete(&bench_completions[turn]);
}

static int waiter(void *data)
{
	const struct bench_case *c = data;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		bench_wait(c, 2 * i);
		wake(c, 2 * i + 1);
	}

	return 0;
}

static void run_wake(const struct bench_case *c)
{
	unsigned int i;

	if (IS_ERR(bench_waiter))
		return;
	for (i = 0; i < c->batch; i++) {
		wake(c, 2 * i);
		bench_wait(c, 2 * i + 1);
	}
}

/* The other task sleeps before the first operation begins. */
static void start_waiter(const struct bench_case *c,
			 void (*wait)(const struct bench_case *c, unsigned int turn))
{
	bench_wait = wait;
	bench_waiter = kthread_run(waiter, (void *)c, "bench-waiter");
	if (IS_ERR(bench_waiter))
		return;
	get_task_struct(bench_waiter);
	while (READ_ONCE(bench_waiter->__state) == TASK_RUNNING)
		schedule_timeout_uninterruptible(1);
}

static void prepare_fence(const struct bench_case *c)
{
	bench_fences_init(all_fences(c), false);
	start_waiter(c, wait_fence);
}

static void prepare_any(const struct bench_case *c)
{
	bench_fences_init(all_fences(c), false);
	start_waiter(c, wait_any);
}

static void prepare_resv(const struct bench_case *c)
{
	unsigned int turn;

	bench_fences_init(all_fences(c), false);
	for (turn = 0; turn < 2 * c->batch; turn++) {
		dma_resv_init(&bench_objects[turn]);
		bench_resv_fill(&bench_objects[turn], turn, turn + 1);
	}
	start_waiter(c, wait_resv);
}

static void prepare_completion(const struct bench_case *c)
{
	unsigned int turn;

	for (turn = 0; turn < 2 * c->batch; turn++)
		init_completion(&bench_completions[turn]);
	start_waiter(c, wait_completion);
}

static void finish_completion(const struct bench_case *c)
{
	if (IS_ERR(bench_waiter))
		return;
	kthread_stop(bench_waiter);
	put_task_struct(bench_waiter);
}

static void finish_fence(const struct bench_case *c)
{
	finish_completion(c);
	bench_fences_signal(all_fences(c));
	bench_fences_put(all_fences(c));
}

static void finish_resv(const struct bench_case *c)
{
	unsigned int turn;

	for (turn = 0; turn < 2 * c->batch; turn++)
		dma_resv_fini(&bench_objects[turn]);
	finish_fence(c);
}

const struct bench_case bench_wake_cases[] = {
	{ .name = "floor/sleep-wake", .batch = BATCH,
	  .prepare = prepare_completion, .run = run_wake, .finish = finish_completion },
	{ .name = "fence/sleep-wake", .param = 1, .batch = BATCH,
	  .prepare = prepare_fence, .run = run_wake, .finish = finish_fence },
	{ .name = "fence/sleep-wake-any-8", .param = ANY, .batch = BATCH,
	  .prepare = prepare_any, .run = run_wake, .finish = finish_fence },
	{ .name = "resv/sleep-wake", .param = 1, .batch = BATCH,
	  .prepare = prepare_resv, .run = run_wake, .finish = finish_resv },
	{ }
};
