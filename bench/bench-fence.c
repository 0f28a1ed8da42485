// SPDX-License-Identifier: GPL-2.0-only
/* A single fence. */

#include <linux/dma-fence.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bench.h"

#define BATCH	10000

struct dma_fence *bench_fences;

static DEFINE_SPINLOCK(bench_lock);
static struct dma_fence_cb bench_cbs[4 * BATCH];

static const char *bench_fence_name(struct dma_fence *fence)
{
	return "bench";
}

static void bench_fence_release(struct dma_fence *fence)
{
}

static const struct dma_fence_ops bench_fence_ops = {
	.get_driver_name = bench_fence_name,
	.get_timeline_name = bench_fence_name,
	.release = bench_fence_release,
};

void bench_fence_init(struct dma_fence *fence, u64 context, u64 seqno)
{
	dma_fence_init(fence, &bench_fence_ops, &bench_lock, context, seqno);
}

/* The first @count fences, pending, of one context or of as many. */
void bench_fences_init(unsigned int count, bool same_context)
{
	u64 context = dma_fence_context_alloc(count);
	unsigned int i;

	for (i = 0; i < count; i++)
		bench_fence_init(&bench_fences[i],
				 context + (same_context ? 0 : i), i + 1);
}

/* Number of the last fence that the device has reached. */
u64 bench_device_seqno;

static bool bench_device_signaled(struct dma_fence *fence)
{
	return fence->seqno <= READ_ONCE(bench_device_seqno);
}

static const struct dma_fence_ops bench_device_fence_ops = {
	.get_driver_name = bench_fence_name,
	.get_timeline_name = bench_fence_name,
	.signaled = bench_device_signaled,
	.release = bench_fence_release,
};

static bool bench_device_enable(struct dma_fence *fence)
{
	return fence->seqno > READ_ONCE(bench_device_seqno);
}

static const struct dma_fence_ops bench_engine_fence_ops = {
	.get_driver_name = bench_fence_name,
	.get_timeline_name = bench_fence_name,
	.enable_signaling = bench_device_enable,
	.signaled = bench_device_signaled,
	.release = bench_fence_release,
};

static void bench_ops_fences_init(unsigned int count, unsigned int contexts,
				  const struct dma_fence_ops *ops)
{
	u64 context = dma_fence_context_alloc(contexts);
	unsigned int i;

	bench_device_seqno = 0;
	for (i = 0; i < count; i++)
		dma_fence_init(&bench_fences[i], ops, &bench_lock,
			       context + i % contexts, i + 1);
}

/*
 * The first @count fences, of @contexts by turns, as drivers have them whose device
 * counts what it has done.
 */
void bench_device_fences_init(unsigned int count, unsigned int contexts)
{
	bench_ops_fences_init(count, contexts, &bench_device_fence_ops);
}

/* The same of a device that has to be told to signal. */
void bench_engine_fences_init(unsigned int count, unsigned int contexts)
{
	bench_ops_fences_init(count, contexts, &bench_engine_fence_ops);
}

void bench_fences_signal(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		dma_fence_signal(&bench_fences[i]);
}

void bench_fences_put(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		dma_fence_put(&bench_fences[i]);
}

static void prepare_pending(const struct bench_case *c)
{
	bench_fences_init(BATCH, true);
}

static void prepare_engine(const struct bench_case *c)
{
	bench_engine_fences_init(BATCH, 1);
}

/* The work is over, and the driver has not been asked yet. */
static void prepare_engine_done(const struct bench_case *c)
{
	prepare_engine(c);
	bench_device_seqno = BATCH;
}

static void prepare_signalled(const struct bench_case *c)
{
	bench_fences_init(BATCH, true);
	bench_fences_signal(BATCH);
}

static void finish_signal_put(const struct bench_case *c)
{
	bench_fences_signal(BATCH);
	bench_fences_put(BATCH);
}

static void finish_put(const struct bench_case *c)
{
	bench_fences_put(BATCH);
}

static void bench_nothing(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static void prepare_callbacks(const struct bench_case *c)
{
	unsigned int i, j;

	prepare_pending(c);
	for (i = 0; i < BATCH; i++)
		for (j = 0; j < c->param; j++)
			dma_fence_add_callback(&bench_fences[i],
					       &bench_cbs[i * c->param + j],
					       bench_nothing);
}

static void run_init_put(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		bench_fence_init(&bench_fences[i], 1, i);
		dma_fence_put(&bench_fences[i]);
	}
}

static void run_init_signal_put(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		bench_fence_init(&bench_fences[i], 1, i);
		dma_fence_signal(&bench_fences[i]);
		dma_fence_put(&bench_fences[i]);
	}
}

static void run_signal(const struct bench_case *c)
{
	bench_fences_signal(BATCH);
}

static void run_add_remove(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		dma_fence_add_callback(&bench_fences[i], &bench_cbs[i],
				       bench_nothing);
		dma_fence_remove_callback(&bench_fences[i], &bench_cbs[i]);
	}
}

/* A few that stay in the cache: where the others are is a matter of luck. */
static void run_is_signaled(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_is_signaled(&bench_fences[i % 128]);
}

static void run_is_signaled_each(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_is_signaled(&bench_fences[i]);
}

static void run_add(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_add_callback(&bench_fences[i], &bench_cbs[i],
				       bench_nothing);
}

static const struct dma_fence_ops bench_slab_fence_ops = {
	.get_driver_name = bench_fence_name,
	.get_timeline_name = bench_fence_name,
};

/* Fences as drivers have them most: memory that RCU frees. */
static void run_slab(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		fence = kmalloc(sizeof(*fence), GFP_KERNEL);
		if (!fence)
			continue;
		dma_fence_init(fence, &bench_slab_fence_ops, &bench_lock, 1, i);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

static void run_wait(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_wait(&bench_fences[i], false);
}

static void run_get_put(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_put(dma_fence_get(&bench_fences[i]));
}

static void run_stub(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		dma_fence_put(dma_fence_get_stub());
}

const struct bench_case bench_fence_cases[] = {
	{ .name = "fence/init-put", .batch = BATCH, .run = run_init_put },
	{ .name = "fence/init-signal-put", .batch = BATCH,
	  .run = run_init_signal_put },
	{ .name = "fence/signal", .batch = BATCH, .prepare = prepare_pending,
	  .run = run_signal, .finish = finish_put },
	{ .name = "fence/signal-callbacks-1", .param = 1, .batch = BATCH,
	  .prepare = prepare_callbacks, .run = run_signal,
	  .finish = finish_put },
	{ .name = "fence/signal-callbacks-4", .param = 4, .batch = BATCH,
	  .prepare = prepare_callbacks, .run = run_signal,
	  .finish = finish_put },
	{ .name = "fence/add-remove-callback", .batch = BATCH,
	  .prepare = prepare_pending, .run = run_add_remove,
	  .finish = finish_signal_put },
	{ .name = "fence/is-signaled-pending", .batch = BATCH,
	  .prepare = prepare_pending, .run = run_is_signaled,
	  .finish = finish_signal_put },
	{ .name = "fence/is-signaled-done", .batch = BATCH,
	  .prepare = prepare_signalled, .run = run_is_signaled,
	  .finish = finish_put },
	{ .name = "fence/driver-is-signaled-pending", .batch = BATCH,
	  .prepare = prepare_engine, .run = run_is_signaled,
	  .finish = finish_signal_put },
	{ .name = "fence/driver-is-signaled-first", .batch = BATCH,
	  .prepare = prepare_engine_done, .run = run_is_signaled_each,
	  .finish = finish_signal_put },
	{ .name = "fence/driver-add-callback", .batch = BATCH,
	  .prepare = prepare_engine, .run = run_add,
	  .finish = finish_signal_put },
	{ .name = "fence/life", .batch = BATCH, .run = run_slab },
	{ .name = "fence/life-whole", .batch = BATCH, .whole = true,
	  .run = run_slab },
	{ .name = "fence/wait-done", .batch = BATCH,
	  .prepare = prepare_signalled, .run = run_wait,
	  .finish = finish_put },
	{ .name = "fence/get-put", .batch = BATCH, .prepare = prepare_pending,
	  .run = run_get_put, .finish = finish_signal_put },
	{ .name = "fence/stub", .batch = BATCH, .run = run_stub },
	{ }
};
