// SPDX-License-Identifier: GPL-2.0-only
/*
 * From sleep to wake: two tasks take turns. Each operation is one signal that wakes
 * the other task and one sleep of this one, on both sides. The floor is that of two
 * completions.
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

static struct dma_resv bench_objects[BATCH];
static struct completion bench_questions[BATCH], bench_answers[BATCH];
static struct task_struct *bench_waiter;

/* Fences of each operation: those that the other task waits for, then the answer. */
static struct dma_fence *question(const struct bench_case *c, unsigned int i)
{
	return &bench_fences[i * (c->param + 1)];
}

static struct dma_fence *answer(const struct bench_case *c, unsigned int i)
{
	return question(c, i) + c->param;
}

static unsigned int fences(const struct bench_case *c)
{
	return c->batch * (c->param + 1);
}

static void wait_fence(const struct bench_case *c, unsigned int i)
{
	dma_fence_wait(question(c, i), false);
}

static void wait_any(const struct bench_case *c, unsigned int i)
{
	struct dma_fence *any[ANY];
	unsigned int j;

	for (j = 0; j < ANY; j++)
		any[j] = question(c, i) + j;
	dma_fence_wait_any_timeout(any, ANY, false, MAX_SCHEDULE_TIMEOUT, NULL);
}

static void wait_resv(const struct bench_case *c, unsigned int i)
{
	dma_resv_wait_timeout(&bench_objects[i], DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
}

static void waiter_all(const struct bench_case *c,
		       void (*wait)(const struct bench_case *c, unsigned int i))
{
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		wait(c, i);
		dma_fence_signal(answer(c, i));
	}
}

static int waiter_fence(void *data)
{
	waiter_all(data, wait_fence);
	return 0;
}

static int waiter_any(void *data)
{
	waiter_all(data, wait_any);
	return 0;
}

static int waiter_resv(void *data)
{
	waiter_all(data, wait_resv);
	return 0;
}

static int waiter_completion(void *data)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		wait_for_completion(&bench_questions[i]);
		complete(&bench_answers[i]);
	}

	return 0;
}

/* It sleeps before the first operation begins. */
static void start_waiter(const struct bench_case *c, int (*thread)(void *data))
{
	bench_waiter = kthread_run(thread, (void *)c, "bench-waiter");
	if (IS_ERR(bench_waiter))
		return;
	get_task_struct(bench_waiter);
	while (READ_ONCE(bench_waiter->__state) == TASK_RUNNING)
		schedule_timeout_uninterruptible(1);
}

static void prepare_fence(const struct bench_case *c)
{
	bench_fences_init(fences(c), false);
	start_waiter(c, waiter_fence);
}

static void prepare_any(const struct bench_case *c)
{
	bench_fences_init(fences(c), false);
	start_waiter(c, waiter_any);
}

static void prepare_resv(const struct bench_case *c)
{
	unsigned int i;

	bench_fences_init(fences(c), false);
	for (i = 0; i < c->batch; i++) {
		dma_resv_init(&bench_objects[i]);
		bench_resv_fill(&bench_objects[i], 2 * i, 2 * i + 1);
	}
	start_waiter(c, waiter_resv);
}

static void prepare_completion(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		init_completion(&bench_questions[i]);
		init_completion(&bench_answers[i]);
	}
	start_waiter(c, waiter_completion);
}

static void run_completion(const struct bench_case *c)
{
	unsigned int i;

	if (IS_ERR(bench_waiter))
		return;
	for (i = 0; i < BATCH; i++) {
		complete(&bench_questions[i]);
		wait_for_completion(&bench_answers[i]);
	}
}

static void stop_waiter(const struct bench_case *c)
{
	if (IS_ERR(bench_waiter))
		return;
	kthread_stop(bench_waiter);
	put_task_struct(bench_waiter);
}

static void run_wake(const struct bench_case *c)
{
	unsigned int i;

	if (IS_ERR(bench_waiter))
		return;
	for (i = 0; i < c->batch; i++) {
		dma_fence_signal(question(c, i));
		dma_fence_wait(answer(c, i), false);
	}
}

static void finish_wake(const struct bench_case *c)
{
	stop_waiter(c);
	bench_fences_signal(fences(c));
	bench_fences_put(fences(c));
}

static void finish_resv(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_resv_fini(&bench_objects[i]);
	finish_wake(c);
}

const struct bench_case bench_wake_cases[] = {
	{ .name = "floor/sleep-wake", .batch = BATCH,
	  .prepare = prepare_completion, .run = run_completion,
	  .finish = stop_waiter },
	{ .name = "fence/sleep-wake", .param = 1, .batch = BATCH,
	  .prepare = prepare_fence, .run = run_wake, .finish = finish_wake },
	{ .name = "fence/sleep-wake-any-8", .param = ANY, .batch = BATCH,
	  .prepare = prepare_any, .run = run_wake, .finish = finish_wake },
	{ .name = "resv/sleep-wake", .param = 1, .batch = BATCH,
	  .prepare = prepare_resv, .run = run_wake, .finish = finish_resv },
	{ }
};
