// SPDX-License-Identifier: GPL-2.0
/*
 * Races for KUnit cases.
 */

#include <kunit/test.h>

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mock_fence.h"
#include "race.h"

/* A race takes that long, and longer until there were enough rounds, but not for ever. */
#define RACE_MS		200
#define RACE_MAX_MS	60000
#define RACE_ROUNDS	500

/* No side is late by as many steps of a few instructions. */
#define RACE_JITTER	256

/* Time for what comes soon after all sides are through. */
#define RACE_PATIENCE	(2 * HZ)

/**
 * struct race_state - a race under way
 * @race: what to do
 * @data: for it
 * @outcomes: how often it has ended in one way and in the other, or NULL
 * @round: number of the round that the other side may begin
 * @done: number of the round that it has finished
 */
struct race_state {
	const struct race *race;
	void *data;
	const unsigned int *outcomes;
	unsigned int round;
	unsigned int done;
};

static void race_jitter(void)
{
	unsigned int i = get_random_u32_below(RACE_JITTER);

	while (i--)
		cpu_relax();
}

static int race_other_side(void *arg)
{
	struct race_state *state = arg;
	unsigned int round;

	while (!kthread_should_stop()) {
		/* Pairs with the release in race_round(). */
		round = smp_load_acquire(&state->round);
		if (round == state->done) {
			cond_resched();
			continue;
		}

		race_jitter();
		state->race->there(state->data);
		/* Pairs with the acquire in race_round(). */
		smp_store_release(&state->done, round);
	}

	return 0;
}

static bool race_round(struct kunit *test, struct race_state *state)
{
	const struct race *race = state->race;
	unsigned int round = state->round + 1;

	if (!race->prepare(test, state->data))
		return false;

	/* Pairs with the acquire in race_other_side(). */
	smp_store_release(&state->round, round);
	race_jitter();
	race->here(state->data);

	/* Pairs with the release in race_other_side(). */
	while (smp_load_acquire(&state->done) != round)
		cond_resched();

	return race->check(test, state->data);
}

static struct task_struct *race_start(struct race_state *state, unsigned int cpu)
{
	struct task_struct *task = kthread_create(race_other_side, state, "race");

	if (!IS_ERR(task)) {
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	return task;
}

/* Also if an assertion has ended the case, whose stack is gone then. */
KUNIT_DEFINE_ACTION_WRAPPER(race_stop, kthread_stop, struct task_struct *);

/* Otherwise the sides may never have met, as on a host that is busy elsewhere. */
static bool race_has_met(struct race_state *state)
{
	return !state->outcomes || (state->outcomes[0] && state->outcomes[1]);
}

/* Some time, and enough rounds; the case fails if these take too long. */
static bool race_goes_on(struct race_state *state, unsigned long begin)
{
	bool enough = state->round >= RACE_ROUNDS && race_has_met(state);
	unsigned int ms = enough ? RACE_MS : RACE_MAX_MS;

	return time_before(jiffies, begin + msecs_to_jiffies(ms));
}

/**
 * race_run_both() - let two functions race until both outcomes have been seen
 * @test: running case, which is skipped on a machine with one CPU
 * @race: the race
 * @data: passed to its functions
 * @outcomes: two counters, which the functions of the race count up; or NULL
 *
 * Ends early when a function says so, or an expectation has failed. Fails if the
 * machine is too slow for that many rounds that something is likely to happen, or
 * if the race always ends in the same way.
 */
void race_run_both(struct kunit *test, const struct race *race, void *data,
		   const unsigned int *outcomes)
{
	unsigned long begin = jiffies;
	unsigned int cpu, other;
	struct race_state *state;
	struct task_struct *task;
	bool more;

	/* Of three CPUs, those that share a list of buffers if there are two lists. */
	cpu = cpumask_first(cpu_online_mask);
	other = cpumask_last(cpu_online_mask);
	if (other == cpu)
		kunit_skip(test, "needs two CPUs");

	state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, state);
	state->race = race;
	state->data = data;
	state->outcomes = outcomes;

	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
	task = race_start(state, other);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, race_stop, task));

	do {
		cond_resched();
		more = race_round(test, state);
	} while (more && race_goes_on(state, begin) && test->status == KUNIT_SUCCESS);

	kunit_release_action(test, race_stop, task);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	kunit_info(test, "%u rounds, %u ms\n", state->round, jiffies_to_msecs(jiffies - begin));
	if (outcomes)
		kunit_info(test, "%u one way, %u the other\n", outcomes[0], outcomes[1]);
	if (!more || test->status != KUNIT_SUCCESS)
		return;

	KUNIT_EXPECT_GE(test, state->round, RACE_ROUNDS);
	KUNIT_EXPECT_TRUE(test, race_has_met(state));
}

/**
 * race_linger() - give the other side the time to have a look or two
 */
void race_linger(void)
{
	unsigned int i;

	for (i = 0; i < 2 * RACE_JITTER; i++)
		cpu_relax();
}

/**
 * race_spin() - wait for something that comes soon
 * @done: has it come?
 * @data: passed to @done
 *
 * Return: did it come within some time?
 */
bool race_spin(bool (*done)(void *data), void *data)
{
	unsigned long end = jiffies + RACE_PATIENCE;

	while (!done(data)) {
		if (time_after(jiffies, end))
			return false;
		cond_resched();
	}
	return true;
}

static struct sg_table *race_buf_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void race_buf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
}

/* Two buffers of a counter may go at the same moment. */
static DEFINE_SPINLOCK(race_buf_lock);

static void race_buf_release(struct dma_buf *buf)
{
	unsigned int *released = buf->priv;

	guard(spinlock)(&race_buf_lock);
	WRITE_ONCE(*released, *released + 1);
}

static const struct dma_buf_ops race_buf_ops = {
	.map_dma_buf = race_buf_map,
	.unmap_dma_buf = race_buf_unmap,
	.release = race_buf_release,
};

/**
 * race_buf_export() - export a buffer without memory
 * @released: counter that goes up when the buffer is released
 *
 * Its exporter is called %RACE_EXPORTER.
 *
 * Return: the buffer, or an errno of dma_buf_export().
 */
struct dma_buf *race_buf_export(unsigned int *released)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = RACE_EXPORTER;
	info.ops = &race_buf_ops;
	info.size = PAGE_SIZE;
	info.priv = released;
	return dma_buf_export(&info);
}

/**
 * race_fence_create() - create a fence that no case cleans up after
 * @ops: one of those for mock fences that need no log, or others
 * @context: timeline
 * @seqno: position on it
 *
 * Return: the fence, NULL without memory.
 */
struct dma_fence *race_fence_create(const struct dma_fence_ops *ops, u64 context, u64 seqno)
{
	struct mock_fence *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	if (!mock)
		return NULL;

	spin_lock_init(&mock->lock);
	dma_fence_init(&mock->base, ops, &mock->lock, context, seqno);
	return &mock->base;
}

/*
 * A fence whose memory becomes another one as soon as it goes. The lock is not
 * part of it, since somebody may be about to look.
 */
struct race_recycled {
	struct dma_fence base;
	struct llist_node node;
};

static LLIST_HEAD(race_recycled_pool);
static DEFINE_SPINLOCK(race_recycled_lock);

static const char *race_recycled_name(struct dma_fence *fence)
{
	return "recycled";
}

static void race_recycled_release(struct dma_fence *fence)
{
	llist_add(&container_of(fence, struct race_recycled, base)->node, &race_recycled_pool);
}

static const struct dma_fence_ops race_recycled_ops = {
	.get_driver_name = race_recycled_name,
	.get_timeline_name = race_recycled_name,
	.release = race_recycled_release,
};

/**
 * race_recycled_create() - create a fence out of the one that went last
 * @context: timeline
 * @seqno: position on it
 *
 * As from a cache of SLAB_TYPESAFE_BY_RCU, but of such a cache KASAN makes one
 * that waits for a grace period. By one side of a race only.
 *
 * Return: the fence, NULL without memory.
 */
struct dma_fence *race_recycled_create(u64 context, u64 seqno)
{
	struct llist_node *node = llist_del_first(&race_recycled_pool);
	struct race_recycled *recycled;

	if (node)
		recycled = llist_entry(node, struct race_recycled, node);
	else
		recycled = kzalloc(sizeof(*recycled), GFP_KERNEL);
	if (!recycled)
		return NULL;

	dma_fence_init(&recycled->base, &race_recycled_ops, &race_recycled_lock, context, seqno);
	return &recycled->base;
}

/**
 * race_recycled_free() - free the memory of such fences, of which none is left
 */
void race_recycled_free(void)
{
	struct race_recycled *recycled, *next;

	llist_for_each_entry_safe(recycled, next, llist_del_all(&race_recycled_pool), node)
		kfree_rcu(&recycled->base, rcu);
}

static struct kmem_cache *race_cache;

static void race_cached_release(struct dma_fence *fence)
{
	kmem_cache_free(race_cache, container_of(fence, struct race_recycled, base));
}

static const struct dma_fence_ops race_cached_ops = {
	.get_driver_name = race_recycled_name,
	.get_timeline_name = race_recycled_name,
	.release = race_cached_release,
};

/**
 * race_cached_init() - make a cache of fences
 *
 * Its memory may be reused at once (SLAB_TYPESAFE_BY_RCU), which KASAN prevents if
 * CONFIG_SLUB_RCU_DEBUG is set.
 *
 * Return: 0, -ENOMEM.
 */
int race_cached_init(void)
{
	race_cache = kmem_cache_create("race_fence", sizeof(struct race_recycled), 0,
				       SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE, NULL);

	return race_cache ? 0 : -ENOMEM;
}

/**
 * race_cached_exit() - get rid of the cache, when no fence is left
 */
void race_cached_exit(void)
{
	kmem_cache_destroy(race_cache);
	race_cache = NULL;
}

/**
 * race_cached_create() - create a fence in the cache
 * @context: timeline
 * @seqno: position on it
 *
 * Return: the fence, NULL without memory.
 */
struct dma_fence *race_cached_create(u64 context, u64 seqno)
{
	struct race_recycled *cached = kmem_cache_alloc(race_cache, GFP_KERNEL);

	if (!cached)
		return NULL;

	dma_fence_init(&cached->base, &race_cached_ops, &race_recycled_lock, context, seqno);
	return &cached->base;
}

static bool race_fence_flag(void *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &((struct dma_fence *)fence)->flags);
}

/**
 * race_fence_signaled() - wait for a fence without asking it for anything
 * @fence: fence
 *
 * Return: did it signal within some time?
 */
bool race_fence_signaled(struct dma_fence *fence)
{
	return race_spin(race_fence_flag, fence);
}

struct race_refs {
	struct dma_fence *fence;
	unsigned int refs;
};

static bool race_refs_reached(void *data)
{
	struct race_refs *wanted = data;

	return mock_fence_refs(wanted->fence) == wanted->refs;
}

/**
 * race_fence_refs() - wait until a fence has as many references
 * @fence: fence
 * @refs: number of references, the caller's included
 *
 * Return: is it so, within some time?
 */
bool race_fence_refs(struct dma_fence *fence, unsigned int refs)
{
	struct race_refs wanted = { fence, refs };

	return race_spin(race_refs_reached, &wanted);
}
