// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of drivers on many buffers at once: submit a job, and look for buffers to
 * evict. A reservation object stands for each buffer.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/ww_mutex.h>

#include "bench.h"

#define BUFFERS		1000
#define ENGINES		4
#define BEHIND		8U	/* jobs that the device has not done yet */

static DEFINE_SPINLOCK(bench_lru_lock);
static struct dma_resv bench_objects[BUFFERS];
static struct dma_resv bench_shared;
static unsigned long bench_sink;

static void objects_init(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		dma_resv_init(&bench_objects[i]);
}

static void objects_fini(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		dma_resv_fini(&bench_objects[i]);
}

/* Jobs: the steps, and their order, are those of drm_exec. */

static void job_lock(struct dma_resv *obj, struct ww_acquire_ctx *ticket)
{
	if (!dma_resv_lock(obj, ticket))
		bench_sink += dma_resv_reserve_fences(obj, 1);
}

static void job_unlock(unsigned int first, unsigned int end)
{
	while (end > first)
		dma_resv_unlock(&bench_objects[--end]);
}

/* Another task has locked the last object: drop all, wait for that one, begin anew. */
static void job_back_off(unsigned int last, struct ww_acquire_ctx *ticket)
{
	unsigned int i;

	job_unlock(0, last);
	dma_resv_lock_slow(&bench_objects[last], ticket);
	for (i = 0; i < last; i++)
		job_lock(&bench_objects[i], ticket);
	bench_sink += dma_resv_reserve_fences(&bench_objects[last], 1);
}

static void job_submit(unsigned int count, struct dma_fence *fence,
		       bool back_off)
{
	struct ww_acquire_ctx ticket;
	unsigned int i, last = count - 1;

	ww_acquire_init(&ticket, &reservation_ww_class);
	for (i = 0; i < last; i++)
		job_lock(&bench_objects[i], &ticket);
	if (back_off)
		job_back_off(last, &ticket);
	else
		job_lock(&bench_objects[last], &ticket);
	ww_acquire_done(&ticket);

	for (i = 0; i < count; i++)
		dma_resv_add_fence(&bench_objects[i], fence,
				   i % 4 ? DMA_RESV_USAGE_READ :
					   DMA_RESV_USAGE_WRITE);
	job_unlock(0, count);
	ww_acquire_fini(&ticket);
}

static void jobs_submit(unsigned int first, unsigned int end,
			unsigned int count, bool back_off)
{
	unsigned int i;

	for (i = first; i < end; i++) {
		bench_device_seqno = max(i, BEHIND) - BEHIND;
		job_submit(count, &bench_fences[i], back_off);
	}
}

/* Buffers live longer than jobs: the first ones do not count. */
static void prepare_submit(const struct bench_case *c)
{
	bench_engine_fences_init(BEHIND + c->batch, ENGINES);
	objects_init(c->param);
	jobs_submit(0, BEHIND, c->param, false);
}

static void run_submit(const struct bench_case *c)
{
	jobs_submit(BEHIND, BEHIND + c->batch, c->param, false);
}

static void run_submit_back_off(const struct bench_case *c)
{
	jobs_submit(BEHIND, BEHIND + c->batch, c->param, true);
}

static void finish_submit(const struct bench_case *c)
{
	bench_fences_signal(BEHIND + c->batch);
	objects_fini(c->param);
	bench_fences_put(BEHIND + c->batch);
}

/* Eviction: half of the buffers are idle, in unknown places. */
static void prepare_lru(const struct bench_case *c)
{
	unsigned int i;

	bench_engine_fences_init(ENGINES, ENGINES);
	objects_init(c->param);
	for (i = 0; i < c->param; i++)
		bench_resv_fill(&bench_objects[i], i % 2 ? 0 : 2,
				i % 2 ? 2 : ENGINES);
	bench_device_seqno = 2;
}

/* As TTM does: the lock of the list is held, so one that is locked is left out. */
static void run_lru(const struct bench_case *c)
{
	unsigned int i;

	spin_lock(&bench_lru_lock);
	for (i = 0; i < c->param; i++) {
		if (!dma_resv_trylock(&bench_objects[i]))
			continue;
		bench_sink += dma_resv_test_signaled(&bench_objects[i],
						     DMA_RESV_USAGE_BOOKKEEP);
		dma_resv_unlock(&bench_objects[i]);
	}
	spin_unlock(&bench_lru_lock);
}

static void finish_lru(const struct bench_case *c)
{
	bench_fences_signal(ENGINES);
	objects_fini(c->param);
	bench_fences_put(ENGINES);
}

/* Buffers that share a reservation object get their own one when they are released. */
static int init_shared(const struct bench_case *c)
{
	bench_engine_fences_init(c->param, c->param);
	dma_resv_init(&bench_shared);

	return bench_resv_fill(&bench_shared, 0, c->param);
}

static void run_individualise(const struct bench_case *c)
{
	struct dma_resv *obj;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		obj = &bench_objects[i];
		dma_resv_init(obj);
		if (dma_resv_trylock(obj)) {
			bench_sink += dma_resv_copy_fences(obj, &bench_shared);
			dma_resv_unlock(obj);
		}
		bench_sink += dma_resv_test_signaled(obj,
						     DMA_RESV_USAGE_BOOKKEEP);
		dma_resv_fini(obj);
	}
}

static void exit_shared(const struct bench_case *c)
{
	bench_fences_signal(c->param);
	dma_resv_fini(&bench_shared);
	bench_fences_put(c->param);
}

#define SUBMIT(name_, param_, batch_, run_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .prepare = prepare_submit, .run = run_,			\
	  .finish = finish_submit }

#define SHARED(name_, param_, whole_)					\
	{ .name = name_, .param = param_, .batch = BUFFERS,		\
	  .whole = whole_, .init = init_shared,				\
	  .run = run_individualise, .exit = exit_shared }

const struct bench_case bench_submit_cases[] = {
	SUBMIT("submit/10", 10, 200, run_submit),
	SUBMIT("submit/100", 100, 40, run_submit),
	SUBMIT("submit/1000", 1000, 8, run_submit),
	SUBMIT("submit/10-back-off", 10, 200, run_submit_back_off),
	SUBMIT("submit/100-back-off", 100, 40, run_submit_back_off),
	{ .name = "evict/walk-1000", .param = BUFFERS, .batch = 1,
	  .prepare = prepare_lru, .run = run_lru, .finish = finish_lru },
	SHARED("evict/individualise-1", 1, false),
	SHARED("evict/individualise-4", 4, false),
	SHARED("evict/individualise-4-whole", 4, true),
	{ }
};
