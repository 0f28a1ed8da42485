// SPDX-License-Identifier: GPL-2.0-only
/* Fences made of fences, and sync files. */

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "bench.h"

#define BATCH		1000
#define BATCH_CHAINS	256
#define BATCH_FILES	512

static struct dma_fence *bench_chain;
static unsigned long bench_sink;

/* Wait for the irq_work of arrays and chains. */
static void bench_irq_work(void)
{
	local_irq_disable();
	irq_work_run();
	local_irq_enable();
}

static struct dma_fence_array *bench_array(unsigned int first,
					   unsigned int count)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;
	unsigned int i;

	fences = kmalloc_array(count, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;

	for (i = 0; i < count; i++)
		fences[i] = dma_fence_get(&bench_fences[first + i]);

	array = dma_fence_array_create(count, fences, 1, 1, false);
	if (!array) {
		while (i)
			dma_fence_put(fences[--i]);
		kfree(fences);
	}

	return array;
}

static unsigned int array_batch(const struct bench_case *c)
{
	return c->batch * c->param;
}

static void prepare_members(const struct bench_case *c)
{
	bench_fences_init(array_batch(c), false);
}

static int init_members(const struct bench_case *c)
{
	prepare_members(c);
	return 0;
}

static void finish_members(const struct bench_case *c)
{
	bench_fences_signal(array_batch(c));
	bench_fences_put(array_batch(c));
}

static void run_array_create(const struct bench_case *c)
{
	struct dma_fence_array *array;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		array = bench_array(i * c->param, c->param);
		if (array)
			dma_fence_put(&array->base);
	}
}

/* A task waits for it, and it signals with its last member. */
static void run_array_signal(const struct bench_case *c)
{
	struct dma_fence_array *array;
	unsigned int i, j;

	for (i = 0; i < c->batch; i++) {
		array = bench_array(i * c->param, c->param);
		if (!array)
			continue;
		dma_fence_enable_sw_signaling(&array->base);
		for (j = 0; j < c->param; j++)
			dma_fence_signal(&bench_fences[i * c->param + j]);
		bench_irq_work();
		dma_fence_put(&array->base);
	}
}

static struct dma_fence *bench_link(struct dma_fence *prev,
				    struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *link = dma_fence_chain_alloc();

	if (!link)
		return prev;

	dma_fence_chain_init(link, prev, dma_fence_get(fence), seqno);
	return &link->base;
}

/* A chain of the fences from @first on. */
static struct dma_fence *bench_links(unsigned int first, unsigned int count)
{
	struct dma_fence *chain = NULL;
	unsigned int i;

	for (i = 0; i < count; i++)
		chain = bench_link(chain, &bench_fences[first + i], i + 1);

	return chain;
}

/* A chain of @param links, all of them pending. */
static int init_chain(const struct bench_case *c)
{
	bench_fences_init(c->param, false);
	bench_chain = bench_links(0, c->param);

	return bench_chain ? 0 : -ENOMEM;
}

static void exit_chain(const struct bench_case *c)
{
	bench_fences_signal(c->param);
	bench_irq_work();
	dma_fence_put(bench_chain);
	bench_fences_put(c->param);
}

static void run_chain_walk(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_fence_chain_for_each(fence, bench_chain)
			bench_sink += fence->seqno;
}

static void run_chain_find(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		fence = dma_fence_get(bench_chain);
		dma_fence_chain_find_seqno(&fence, c->param / 2);
		dma_fence_put(fence);
	}
}

static void run_chain_link(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_fence_put(bench_link(NULL, &bench_fences[i], 1));
}

/* Built, walked and released while all is pending. */
static void run_chain_life(const struct bench_case *c)
{
	struct dma_fence *chain, *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		chain = bench_links(0, c->param);
		dma_fence_chain_for_each(fence, chain)
			bench_sink += fence->seqno;
		dma_fence_put(chain);
	}
}

static int init_chain_members(const struct bench_case *c)
{
	bench_fences_init(c->param, false);
	return 0;
}

static void exit_chain_members(const struct bench_case *c)
{
	bench_fences_signal(c->param);
	bench_irq_work();
	bench_fences_put(c->param);
}

/* Chains of which all but the last link have signalled: a walk takes them out. */
static struct dma_fence *bench_chains[BATCH_CHAINS];

static void prepare_collect(const struct bench_case *c)
{
	unsigned int i, j;

	bench_fences_init(array_batch(c), false);
	for (i = 0; i < c->batch; i++) {
		bench_chains[i] = bench_links(i * c->param, c->param);
		for (j = 0; j < c->param - 1; j++)
			dma_fence_signal(&bench_fences[i * c->param + j]);
	}
}

static void run_collect(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_fence_chain_for_each(fence, bench_chains[i])
			bench_sink += fence->seqno;
}

static void finish_collect(const struct bench_case *c)
{
	unsigned int i;

	bench_fences_signal(array_batch(c));
	bench_irq_work();
	for (i = 0; i < c->batch; i++)
		dma_fence_put(bench_chains[i]);
	bench_fences_put(array_batch(c));
}

/* A timeline, as a syncobj has it: the walk after each new point collects. */
static void prepare_points(const struct bench_case *c)
{
	bench_fences_init(c->batch, true);
	bench_chain = NULL;
}

static void run_points(const struct bench_case *c)
{
	struct dma_fence *prev, *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		if (i >= c->param)
			dma_fence_signal(&bench_fences[i - c->param]);
		prev = dma_fence_get(bench_chain);
		bench_chain = bench_link(bench_chain, &bench_fences[i], i + 1);
		dma_fence_chain_for_each(fence, prev)
			;
		dma_fence_put(prev);
	}
}

static void finish_points(const struct bench_case *c)
{
	bench_fences_signal(c->batch);
	bench_irq_work();
	dma_fence_put(bench_chain);
	bench_fences_put(c->batch);
}

/* Wait for points that have been reached, of a timeline that goes on. */
static int init_points(const struct bench_case *c)
{
	unsigned int i;

	bench_fences_init(2 * c->param, true);
	bench_chain = bench_links(0, 2 * c->param);
	for (i = 0; i < c->param; i++)
		dma_fence_signal(&bench_fences[i]);

	return bench_chain ? 0 : -ENOMEM;
}

static void run_wait_point(const struct bench_case *c)
{
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		fence = dma_fence_get(bench_chain);
		dma_fence_chain_find_seqno(&fence, c->param);
		if (fence)
			dma_fence_wait(fence, false);
		dma_fence_put(fence);
	}
}

static void exit_points(const struct bench_case *c)
{
	bench_fences_signal(2 * c->param);
	bench_irq_work();
	dma_fence_put(bench_chain);
	bench_fences_put(2 * c->param);
}

static void run_unwrap(const struct bench_case *c)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_fence_unwrap_for_each(fence, &cursor, bench_chain)
			bench_sink += fence->seqno;
}

static void run_merge_contexts(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->batch; i++)
		dma_fence_put(dma_fence_unwrap_merge(&bench_fences[2 * i],
						     &bench_fences[2 * i + 1]));
}

static void prepare_timeline(const struct bench_case *c)
{
	bench_fences_init(array_batch(c), true);
}

static void prepare_signalled(const struct bench_case *c)
{
	prepare_members(c);
	bench_fences_signal(array_batch(c));
}

static void finish_signalled(const struct bench_case *c)
{
	bench_fences_put(array_batch(c));
}

static void run_sync_file(const struct bench_case *c)
{
	struct sync_file *sync_file;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		sync_file = sync_file_create(&bench_fences[i]);
		if (sync_file)
			fput(sync_file->file);
	}
	flush_delayed_fput();
}

#define ARRAY(name_, param_, batch_, run_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .prepare = prepare_members, .run = run_,			\
	  .finish = finish_members }

/* A case that leaves its members pending, so that all batches share them. */
#define PENDING(name_, param_, batch_, run_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .init = init_members, .run = run_, .exit = finish_members }

#define WHOLE(name_, param_, run_)					\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .whole = true, .prepare = prepare_members, .run = run_,	\
	  .finish = finish_members }

#define LIFE(name_, param_, whole_)					\
	{ .name = name_, .param = param_, .batch = BATCH_CHAINS,	\
	  .whole = whole_, .init = init_chain_members,			\
	  .run = run_chain_life, .exit = exit_chain_members }

#define POINTS(name_, param_, whole_)					\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .whole = whole_, .prepare = prepare_points,			\
	  .run = run_points, .finish = finish_points }

#define CHAIN(name_, param_, batch_, run_)				\
	{ .name = name_, .param = param_, .batch = batch_,		\
	  .init = init_chain, .run = run_, .exit = exit_chain }

const struct bench_case bench_container_cases[] = {
	PENDING("array/create-2", 2, BATCH, run_array_create),
	PENDING("array/create-8", 8, BATCH, run_array_create),
	WHOLE("array/create-8-whole", 8, run_array_create),
	ARRAY("array/create-signal-8", 8, BATCH, run_array_signal),
	CHAIN("chain/walk-32", 32, BATCH, run_chain_walk),
	CHAIN("chain/find-32", 32, BATCH, run_chain_find),
	CHAIN("chain/unwrap-32", 32, BATCH, run_unwrap),
	ARRAY("chain/link-create", 1, BATCH, run_chain_link),
	LIFE("chain/life-32", 32, false),
	LIFE("chain/life-32-whole", 32, true),
	{ .name = "chain/collect-32", .param = 32, .batch = BATCH_CHAINS,
	  .prepare = prepare_collect, .run = run_collect,
	  .finish = finish_collect },
	POINTS("timeline/add-1", 1, false),
	POINTS("timeline/add-8", 8, false),
	POINTS("timeline/add-8-whole", 8, true),
	{ .name = "timeline/wait-done-8", .param = 8, .batch = BATCH,
	  .init = init_points, .run = run_wait_point, .exit = exit_points },
	ARRAY("merge/2-contexts", 2, BATCH, run_merge_contexts),
	WHOLE("merge/2-contexts-whole", 2, run_merge_contexts),
	{ .name = "merge/2-of-one-context", .param = 2, .batch = BATCH,
	  .prepare = prepare_timeline, .run = run_merge_contexts,
	  .finish = finish_members },
	{ .name = "merge/2-signalled", .param = 2, .batch = BATCH,
	  .prepare = prepare_signalled, .run = run_merge_contexts,
	  .finish = finish_signalled },
	ARRAY("sync-file/create", 1, BATCH_FILES, run_sync_file),
	WHOLE("sync-file/create-whole", 1, run_sync_file),

	PENDING("growth/array-create/1", 1, 64, run_array_create),
	PENDING("growth/array-create/10", 10, 64, run_array_create),
	PENDING("growth/array-create/100", 100, 64, run_array_create),
	PENDING("growth/array-create/1000", 1000, 10, run_array_create),
	PENDING("growth/array-create/10000", 10000, 1, run_array_create),
	ARRAY("growth/array-signal/1", 1, 64, run_array_signal),
	ARRAY("growth/array-signal/10", 10, 64, run_array_signal),
	ARRAY("growth/array-signal/100", 100, 64, run_array_signal),
	ARRAY("growth/array-signal/1000", 1000, 10, run_array_signal),
	ARRAY("growth/array-signal/10000", 10000, 1, run_array_signal),
	CHAIN("growth/chain-walk/1", 1, BATCH, run_chain_walk),
	CHAIN("growth/chain-walk/10", 10, BATCH, run_chain_walk),
	CHAIN("growth/chain-walk/100", 100, 64, run_chain_walk),
	CHAIN("growth/chain-walk/1000", 1000, 10, run_chain_walk),
	CHAIN("growth/chain-walk/10000", 10000, 1, run_chain_walk),
	{ }
};
