// SPDX-License-Identifier: GPL-2.0-only
/* Reservation objects and the fences in them. */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "bench.h"

#define BATCH		1000
#define BATCH_FILL	512
#define BATCH_FIRST	256

static struct dma_resv bench_resv;
static struct dma_resv bench_resvs[BATCH];

/* Keeps the compiler from removing unused results. */
static unsigned long bench_sink;

int bench_resv_fill(struct dma_resv *obj, unsigned int first, unsigned int end)
{
	unsigned int i;
	int ret = 0;

	dma_resv_lock(obj, NULL);
	for (i = first; i < end && !ret; i++) {
		ret = dma_resv_reserve_fences(obj, 1);
		if (!ret)
			dma_resv_add_fence(obj, &bench_fences[i],
					   DMA_RESV_USAGE_WRITE);
	}
	dma_resv_unlock(obj);

	return ret;
}

static int bench_fill(struct dma_resv *obj, unsigned int count)
{
	return bench_resv_fill(obj, 0, count);
}

static int init_empty(const struct bench_case *c)
{
	dma_resv_init(&bench_resv);
	return 0;
}

static int init_pending(const struct bench_case *c)
{
	bench_fences_init(c->param, false);
	dma_resv_init(&bench_resv);

	return bench_fill(&bench_resv, c->param);
}

/* Fences of a driver that answers questions about them, of as many engines. */
static int init_device(const struct bench_case *c)
{
	bench_device_fences_init(c->param, c->param);
	dma_resv_init(&bench_resv);

	return bench_fill(&bench_resv, c->param);
}

static int init_signalled(const struct bench_case *c)
{
	int ret = init_pending(c);

	bench_fences_signal(c->param);

	return ret;
}

static void exit_signalled(const struct bench_case *c)
{
	dma_resv_fini(&bench_resv);
	bench_fences_put(c->param);
}

static void exit_pending(const struct bench_case *c)
{
	bench_fences_signal(c->param);
	exit_signalled(c);
}

static void exit_empty(const struct bench_case *c)
{
	dma_resv_fini(&bench_resv);
}

static void run_lock(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		dma_resv_lock(&bench_resv, NULL);
		dma_resv_unlock(&bench_resv);
	}
}

static int init_fences(const struct bench_case *c)
{
	bench_fences_init(max(c->param, 1U), false);
	return 0;
}

static void exit_fences(const struct bench_case *c)
{
	bench_fences_signal(max(c->param, 1U));
	bench_fences_put(max(c->param, 1U));
}

static void run_life_cycle(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		struct dma_resv *obj = &bench_resvs[i];

		dma_resv_init(obj);
		bench_fill(obj, c->param);
		dma_resv_fini(obj);
	}
}

/* A stream of jobs on one engine. */
static void run_add_same(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		dma_resv_lock(&bench_resv, NULL);
		if (!dma_resv_reserve_fences(&bench_resv, 1))
			dma_resv_add_fence(&bench_resv, &bench_fences[i],
					   DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(&bench_resv);
	}
}

static void prepare_same(const struct bench_case *c)
{
	bench_fences_init(BATCH, true);
}

static void finish_same(const struct bench_case *c)
{
	bench_fences_signal(BATCH);
	dma_resv_fini(&bench_resv);
	dma_resv_init(&bench_resv);
	bench_fences_put(BATCH);
}

/* Jobs on some engines by turns, and each time the question whether all is done. */
static void prepare_submit(const struct bench_case *c)
{
	bench_device_fences_init(BATCH, c->param);
}

static void submit(unsigned int i)
{
	dma_resv_lock(&bench_resv, NULL);
	if (!dma_resv_reserve_fences(&bench_resv, 1))
		dma_resv_add_fence(&bench_resv, &bench_fences[i],
				   DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(&bench_resv);
}

static void run_submit_busy(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		submit(i);
		bench_sink += dma_resv_test_signaled(&bench_resv,
						     DMA_RESV_USAGE_READ);
	}
}

/* The device has finished a round of jobs when the next one begins. */
static void run_submit_rounds(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		if (i % c->param == 0) {
			bench_device_seqno = i;
			bench_sink += dma_resv_test_signaled(&bench_resv,
							     DMA_RESV_USAGE_READ);
		}
		submit(i);
	}
}

static void prepare_fill(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_resv_init(&bench_resvs[i]);
}

static void finish_fill(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_resv_fini(&bench_resvs[i]);
}

static void run_fill(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		bench_fill(&bench_resvs[i], c->param);
}

static void run_iterate_locked(const struct bench_case *c)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;

	dma_resv_lock(&bench_resv, NULL);
	for (i = 0; i < BATCH; i++)
		dma_resv_for_each_fence(&cursor, &bench_resv,
					DMA_RESV_USAGE_BOOKKEEP, fence)
			bench_sink += fence->seqno;
	dma_resv_unlock(&bench_resv);
}

static void run_iterate_unlocked(const struct bench_case *c)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		dma_resv_iter_begin(&cursor, &bench_resv,
				    DMA_RESV_USAGE_BOOKKEEP);
		dma_resv_for_each_fence_unlocked(&cursor, fence)
			bench_sink += fence->seqno;
		dma_resv_iter_end(&cursor);
	}
}

static void run_test_signaled(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		bench_sink += dma_resv_test_signaled(&bench_resv,
						     DMA_RESV_USAGE_BOOKKEEP);
}

/* A change each time: another object, which was not tested before. */
static void prepare_first(const struct bench_case *c)
{
	unsigned int i;

	bench_device_fences_init(c->param, c->param);
	for (i = 0; i < c->batch; i++) {
		dma_resv_init(&bench_resvs[i]);
		bench_fill(&bench_resvs[i], c->param);
	}
}

static void prepare_first_done(const struct bench_case *c)
{
	prepare_first(c);
	bench_fences_signal(c->param);
}

static void run_test_first(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		bench_sink += dma_resv_test_signaled(&bench_resvs[i],
						     DMA_RESV_USAGE_BOOKKEEP);
}

static void finish_first(const struct bench_case *c)
{
	unsigned int i;

	bench_fences_signal(c->param);
	for (i = 0; i < c->batch; i++)
		dma_resv_fini(&bench_resvs[i]);
	bench_fences_put(c->param);
}

static void run_get_singleton(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		if (!dma_resv_get_singleton(&bench_resv,
					    DMA_RESV_USAGE_BOOKKEEP, &fence))
			dma_fence_put(fence);
}

static void run_get_fences(const struct bench_case *c)
{
	struct dma_fence **fences;
	unsigned int i, count;

	for (i = 0; i < BATCH; i++) {
		if (dma_resv_get_fences(&bench_resv, DMA_RESV_USAGE_BOOKKEEP,
					&count, &fences))
			continue;
		while (count)
			dma_fence_put(fences[--count]);
		kfree(fences);
	}
}

static void run_copy(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		dma_resv_lock(&bench_resvs[i], NULL);
		dma_resv_copy_fences(&bench_resvs[i], &bench_resv);
		dma_resv_unlock(&bench_resvs[i]);
	}
}

#define RESV_LIFE(name_, param_, batch_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .init = init_fences, .run = run_life_cycle, .exit = exit_fences }

#define RESV_WHOLE(name_, param_, batch_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .whole = true,						\
	  .init = init_fences, .run = run_life_cycle, .exit = exit_fences }

#define RESV_FILL(name_, param_, batch_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .init = init_fences, .prepare = prepare_fill, .run = run_fill,\
	  .finish = finish_fill, .exit = exit_fences }

#define RESV_PENDING(name_, param_, run_)				\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_pending, .run = run_, .exit = exit_pending }

#define RESV_DEVICE(name_, param_, run_)				\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_device, .run = run_, .exit = exit_pending }

#define RESV_FIRST(name_, param_, prepare_)				\
	{ .name = name_, .param = param_, .batch = BATCH_FIRST,		\
	  .prepare = prepare_, .run = run_test_first,			\
	  .finish = finish_first }

#define RESV_SIGNALLED(name_, param_, run_)				\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_signalled, .run = run_, .exit = exit_signalled }

#define RESV_COPY(name_, param_)					\
	{ .name = name_, .param = param_, .batch = BATCH_FILL,		\
	  .init = init_pending, .prepare = prepare_fill,		\
	  .run = run_copy, .finish = finish_fill, .exit = exit_pending }

#define RESV_SUBMIT(name_, param_, run_)				\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_empty, .prepare = prepare_submit, .run = run_,	\
	  .finish = finish_same, .exit = exit_empty }

const struct bench_case bench_resv_cases[] = {
	{ .name = "resv/lock-unlock", .batch = BATCH, .init = init_empty,
	  .run = run_lock, .exit = exit_empty },
	RESV_LIFE("resv/life-cycle-0", 0, BATCH),
	RESV_LIFE("resv/life-cycle-1", 1, BATCH_FILL),
	RESV_LIFE("resv/life-cycle-4", 4, BATCH),
	RESV_WHOLE("resv/life-cycle-4-whole", 4, BATCH),
	RESV_LIFE("resv/life-cycle-16", 16, BATCH),
	RESV_WHOLE("resv/life-cycle-16-whole", 16, BATCH),
	{ .name = "resv/add-same-context", .batch = BATCH, .init = init_empty,
	  .prepare = prepare_same, .run = run_add_same, .finish = finish_same,
	  .exit = exit_empty },
	RESV_SUBMIT("resv/submit-busy-1", 1, run_submit_busy),
	RESV_SUBMIT("resv/submit-busy-4", 4, run_submit_busy),
	RESV_SUBMIT("resv/submit-busy-16", 16, run_submit_busy),
	RESV_SUBMIT("resv/submit-rounds-1", 1, run_submit_rounds),
	RESV_SUBMIT("resv/submit-rounds-4", 4, run_submit_rounds),
	RESV_SUBMIT("resv/submit-rounds-16", 16, run_submit_rounds),
	RESV_FILL("resv/fill-2", 2, BATCH_FILL),
	RESV_FILL("resv/fill-4", 4, BATCH_FILL),
	RESV_FILL("resv/fill-5", 5, BATCH_FILL),
	RESV_FILL("resv/fill-8", 8, BATCH_FILL),
	RESV_FILL("resv/fill-16", 16, BATCH_FILL),
	RESV_FILL("resv/fill-32", 32, BATCH_FILL),
	RESV_FILL("resv/fill-64", 64, BATCH_FILL),
	RESV_PENDING("resv/iterate-locked-64", 64, run_iterate_locked),
	RESV_PENDING("resv/iterate-unlocked-1", 1, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-2", 2, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-5", 5, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-8", 8, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-16", 16, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-32", 32, run_iterate_unlocked),
	RESV_PENDING("resv/iterate-unlocked-64", 64, run_iterate_unlocked),
	RESV_PENDING("resv/test-signaled-pending", 1, run_test_signaled),
	RESV_PENDING("resv/test-signaled-pending-64", 64, run_test_signaled),
	RESV_SIGNALLED("resv/test-signaled-done-64", 64, run_test_signaled),
	RESV_DEVICE("resv/test-driver-pending-1", 1, run_test_signaled),
	RESV_DEVICE("resv/test-driver-pending-64", 64, run_test_signaled),
	RESV_FIRST("resv/test-first-pending-1", 1, prepare_first),
	RESV_FIRST("resv/test-first-done-1", 1, prepare_first_done),
	RESV_FIRST("resv/test-first-done-2", 2, prepare_first_done),
	RESV_FIRST("resv/test-first-done-5", 5, prepare_first_done),
	RESV_FIRST("resv/test-first-done-8", 8, prepare_first_done),
	RESV_FIRST("resv/test-first-done-16", 16, prepare_first_done),
	RESV_FIRST("resv/test-first-done-32", 32, prepare_first_done),
	RESV_FIRST("resv/test-first-done-64", 64, prepare_first_done),
	RESV_PENDING("resv/get-singleton-1", 1, run_get_singleton),
	RESV_PENDING("resv/get-singleton-4", 4, run_get_singleton),
	RESV_SIGNALLED("resv/test-signaled-done-1", 1, run_test_signaled),
	RESV_SIGNALLED("resv/test-signaled-done-4", 4, run_test_signaled),
	RESV_PENDING("resv/get-fences-1", 1, run_get_fences),
	RESV_PENDING("resv/get-fences-5", 5, run_get_fences),
	RESV_PENDING("resv/get-fences-16", 16, run_get_fences),
	RESV_PENDING("resv/get-fences-64", 64, run_get_fences),
	RESV_COPY("resv/copy-1", 1),
	RESV_COPY("resv/copy-64", 64),

	RESV_FILL("growth/fill/1", 1, BATCH_FILL),
	RESV_FILL("growth/fill/4", 4, BATCH_FILL),
	RESV_FILL("growth/fill/16", 16, BATCH_FILL),
	RESV_FILL("growth/fill/64", 64, BATCH_FILL),
	RESV_FILL("growth/fill/256", 256, 16),
	RESV_FILL("growth/fill/1024", 1024, 4),
	RESV_PENDING("growth/iterate-unlocked/1", 1, run_iterate_unlocked),
	RESV_PENDING("growth/iterate-unlocked/4", 4, run_iterate_unlocked),
	RESV_PENDING("growth/iterate-unlocked/16", 16, run_iterate_unlocked),
	RESV_PENDING("growth/iterate-unlocked/64", 64, run_iterate_unlocked),
	RESV_PENDING("growth/iterate-unlocked/256", 256, run_iterate_unlocked),
	RESV_PENDING("growth/iterate-unlocked/1024", 1024,
		     run_iterate_unlocked),
	RESV_SIGNALLED("growth/test-signaled/1", 1, run_test_signaled),
	RESV_SIGNALLED("growth/test-signaled/4", 4, run_test_signaled),
	RESV_SIGNALLED("growth/test-signaled/16", 16, run_test_signaled),
	RESV_SIGNALLED("growth/test-signaled/64", 64, run_test_signaled),
	RESV_SIGNALLED("growth/test-signaled/256", 256, run_test_signaled),
	RESV_SIGNALLED("growth/test-signaled/1024", 1024, run_test_signaled),
	{ }
};
