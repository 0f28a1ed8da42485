// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of chains of fences as lists: points, walking, finding, releasing.
 */

#include <kunit/test.h>

#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "expect_warn.h"
#include "mock_container.h"
#include "mock_fence.h"

#define NUM_NODES 4

/* A chain of nodes 1, 2, ... with a fence each; index 0 is the oldest. */
struct line {
	struct mock_fence *mocks[NUM_NODES];
	struct dma_fence *fences[NUM_NODES];
	struct dma_fence *nodes[NUM_NODES];
};

static struct line *line_create(struct kunit *test, struct dma_fence *end, u64 step)
{
	struct line *line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);
	struct dma_fence *prev = end;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, line);
	for (i = 0; i < NUM_NODES; i++) {
		line->mocks[i] = mock_fence_new_full(test);
		line->fences[i] = &line->mocks[i]->base;
	}
	for (i = 0; i < NUM_NODES; i++) {
		line->nodes[i] = mock_chain_create(test, prev, line->fences[i], (i + 1) * step);
		prev = line->nodes[i];
	}
	return line;
}

/* Leave nothing but the reference of the chain on node @index. */
static void line_drop(struct kunit *test, struct line *line, unsigned int index)
{
	mock_container_put(test, line->nodes[index]);
}

/* ---- creation ---- */

static void init_takes_over_references(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test), *fence = mock_fence_new(test);
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, dma_fence_get(end), dma_fence_get(fence), 1);
	mock_container_adopt(test, &chain->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(end), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&chain->base), 1);
	KUNIT_EXPECT_PTR_EQ(test, chain->fence, fence);
}

static void last_put_drops_fences(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test), *fence = mock_fence_new(test);

	mock_container_put(test, mock_chain_create(test, end, fence, 1));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(end), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void node_has_names(struct kunit *test)
{
	struct dma_fence *node = mock_chain_create(test, NULL, mock_fence_new(test), 1);

	KUNIT_EXPECT_STREQ(test, node->ops->get_driver_name(node), "dma_fence_chain");
	KUNIT_EXPECT_STREQ(test, node->ops->get_timeline_name(node), "unbound");
}

static void nodes_compare_seqnos_in_64_bits(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, __dma_fence_is_later(1, 0xffffffff, &dma_fence_chain_ops));
	KUNIT_EXPECT_TRUE(test, __dma_fence_is_later(BIT_ULL(32), 1, &dma_fence_chain_ops));
}

static void node_is_known_as_such(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *array = mock_array(test, fence);
	struct dma_fence *node = mock_chain_create(test, NULL, fence, 1);

	KUNIT_EXPECT_PTR_EQ(test, &to_dma_fence_chain(node)->base, node);
	KUNIT_EXPECT_NULL(test, to_dma_fence_chain(NULL));
	KUNIT_EXPECT_NULL(test, to_dma_fence_chain(fence));
	KUNIT_EXPECT_NULL(test, to_dma_fence_chain(array));
}

static void contained_is_fence_of_node_or_argument(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *array = mock_array(test, fence);
	struct dma_fence *node = mock_chain_create(test, NULL, fence, 1);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(node), fence);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(fence), fence);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(array), array);
	KUNIT_EXPECT_NULL(test, dma_fence_chain_contained(NULL));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 3);
}

static void memory_can_be_freed_before_init(struct kunit *test)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_free(chain);
	dma_fence_chain_free(NULL);
}

static void chain_in_chain_warns(struct kunit *test)
{
	struct dma_fence *inner = mock_chain_create(test, NULL, mock_fence_new(test), 1);
	struct dma_fence *node = NULL;

	EXPECT_KERNEL_WARNING(test, node = mock_chain_create(test, NULL, inner, 2));
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(node), inner);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(inner), 2);
}

/* There is nothing to wait for, and the timeline has to go on. */
static void missing_fence_warns_and_is_pending(struct kunit *test)
{
	struct dma_fence *node = NULL;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "stops the machine there");

	EXPECT_KERNEL_WARNING(test, node = mock_chain_create(test, NULL, NULL, 2));
	KUNIT_ASSERT_NOT_NULL(test, dma_fence_chain_contained(node));
	KUNIT_EXPECT_EQ(test, node->seqno, 2);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(node));
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(node, true, 1), 0);

	/* Only the driver can tell, and then it counts. */
	KUNIT_EXPECT_EQ(test, dma_fence_signal(node), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(node));
}

static void allowed_contents_do_not_warn(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *array = mock_array(test, fence);
	struct dma_fence *node = mock_chain_create(test, NULL, fence, 1);

	EXPECT_KERNEL_WARNINGS(test, 0, mock_chain_create(test, node, array, 2));
	EXPECT_KERNEL_WARNINGS(test, 0, mock_chain_create(test, fence, array, 2));
	EXPECT_KERNEL_WARNINGS(test, 0, mock_chain_create(test, NULL, array, 2));
}

struct point {
	const char *desc;
	u64 prev;
	u64 seqno;
	bool inherits;
	u64 wanted;
};

#define FAR BIT_ULL(32)

static const struct point points[] = {
	{ "next", 1, 2, true, 2 },
	{ "gap", 1, 100, true, 100 },
	{ "equal", 5, 5, false, 5 },
	{ "earlier", 5, 4, false, 5 },
	{ "zero", 5, 0, false, 5 },
	{ "over 32 bits", FAR - 1, FAR, true, FAR },
	{ "high half only", 7, FAR + 1, true, FAR + 1 },
	{ "earlier in the high half", FAR + 1, 7, false, FAR + 1 },
	{ "the last", 1, U64_MAX, true, U64_MAX },
	{ "after the last", U64_MAX, 1, false, U64_MAX },
};

KUNIT_ARRAY_PARAM_DESC(point, points, desc);

static void points_never_go_back(struct kunit *test)
{
	const struct point *param = test->param_value;
	struct dma_fence *prev, *node;

	prev = mock_chain_create(test, NULL, mock_fence_new(test), param->prev);
	node = mock_chain_create(test, prev, mock_fence_new(test), param->seqno);
	KUNIT_EXPECT_EQ(test, node->seqno, param->wanted);
	KUNIT_EXPECT_EQ(test, node->context == prev->context, param->inherits);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(node)->prev_seqno,
			param->inherits ? param->prev : 0);
}

static void first_point_has_a_context_of_its_own(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence *one = mock_chain_create(test, NULL, fence, 7);
	struct dma_fence *two = mock_chain_create(test, fence, fence, 8);

	KUNIT_EXPECT_NE(test, one->context, fence->context);
	KUNIT_EXPECT_NE(test, two->context, fence->context);
	KUNIT_EXPECT_NE(test, two->context, one->context);
	KUNIT_EXPECT_EQ(test, one->seqno, 7);
	KUNIT_EXPECT_EQ(test, two->seqno, 8);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(one)->prev_seqno, 0);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(two)->prev_seqno, 0);
}

/* A plain fence has a seqno of another timeline, which must not be used. */
static void plain_end_does_not_raise_the_point(struct kunit *test)
{
	struct dma_fence *end = &mock_fence_create(test, &mock_fence_ops, 1, 1000)->base;

	KUNIT_EXPECT_EQ(test, mock_chain_create(test, end, mock_fence_new(test), 3)->seqno, 3);
}

/* ---- iteration ---- */

static void iteration_goes_from_new_to_old(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test), *iter;
	struct line *line = line_create(test, end, 1);
	unsigned int count = 0, wrong = 0;

	dma_fence_chain_for_each(iter, line->nodes[NUM_NODES - 1]) {
		if (count < NUM_NODES)
			wrong += iter != line->nodes[NUM_NODES - 1 - count];
		else
			wrong += iter != end;
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, NUM_NODES + 1);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_NULL(test, iter);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[0]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(end), 2);
}

static void iteration_left_early_keeps_a_reference(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);
	struct dma_fence *iter;

	dma_fence_chain_for_each(iter, line->nodes[3])
		if (iter == line->nodes[2])
			break;
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[2]), 3);
	dma_fence_put(iter);
}

static void iteration_of_plain_fence_sees_it_alone(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *iter;
	unsigned int count = 0;

	dma_fence_chain_for_each(iter, fence)
		count += iter == fence;
	KUNIT_EXPECT_EQ(test, count, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	dma_fence_chain_for_each(iter, NULL)
		count++;
	KUNIT_EXPECT_EQ(test, count, 1);
}

/* ---- walking and what it collects ---- */

static struct dma_fence *walk_from(struct kunit *test, struct dma_fence *node)
{
	struct dma_fence *next = dma_fence_chain_walk(dma_fence_get(node));

	return next ? mock_container_adopt(test, next) : NULL;
}

static void walk_of_plain_fence_ends(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_NULL(test, dma_fence_chain_walk(dma_fence_get(fence)));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void walk_skips_signalled_nodes(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[3]), line->nodes[0]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
	/* of the case, of node 1 (which is out of the list), of node 3, and of the walk */
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[0]), 4);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[2]), 1);
}

static void walk_asks_drivers(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	line->mocks[2]->complete = true;
	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[3]), line->nodes[1]);
}

static void walk_frees_what_it_collects(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	line_drop(test, line, 2);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 2);
	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[3]), line->nodes[1]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 1);
	/* of the case, of node 3, and of the walk */
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[1]), 3);
}

static void walk_ends_where_all_have_signalled(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_NULL(test, walk_from(test, line->nodes[3]));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[2]), 1);
}

static void walk_drops_signalled_end(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test);
	struct line *line = line_create(test, end, 1);

	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[0]), end);
	dma_fence_signal(end);
	KUNIT_EXPECT_NULL(test, walk_from(test, line->nodes[0]));
	/* of the case, and of the first walk */
	KUNIT_EXPECT_EQ(test, mock_fence_refs(end), 2);
}

/* The node at which a walk begins is the caller's, signalled or not. */
static void walk_does_not_look_at_its_start(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	dma_fence_signal(line->fences[3]);
	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[3]), line->nodes[2]);
	KUNIT_EXPECT_EQ(test, line->mocks[3]->log->polls, 0);
}

struct rival {
	struct dma_fence *from;
	struct dma_fence *found;
};

/* Another walker is faster: it collects the node while this one still looks at it. */
static void walk_while_polled(struct mock_fence *mock)
{
	struct rival *rival = mock->on_poll_data;

	mock->on_poll = NULL;
	mock->complete = true;
	rival->found = dma_fence_chain_walk(dma_fence_get(rival->from));
}

static void walk_that_loses_a_race_keeps_the_balance(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);
	struct rival *rival = kunit_kzalloc(test, sizeof(*rival), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rival);
	rival->from = line->nodes[3];
	line_drop(test, line, 2);
	line->mocks[2]->on_poll_data = rival;
	line->mocks[2]->on_poll = walk_while_polled;
	KUNIT_EXPECT_PTR_EQ(test, walk_from(test, line->nodes[3]), line->nodes[1]);
	KUNIT_EXPECT_PTR_EQ(test, rival->found, line->nodes[1]);
	dma_fence_put(rival->found);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
	/* of the case, of node 3, and of the walk */
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[1]), 3);
}

/* ---- finding ---- */

struct lookup {
	const char *desc;
	u64 step;
	u64 seqno;
	unsigned int found; /* number of the node, from 1 */
};

static const struct lookup lookups[] = {
	{ "first", 1, 1, 1 },
	{ "middle", 1, 3, 3 },
	{ "last", 1, 4, 4 },
	{ "before the first", 10, 1, 1 },
	{ "first after a gap", 10, 10, 1 },
	{ "in a gap", 10, 11, 2 },
	{ "end of a gap", 10, 20, 2 },
	{ "last gap", 10, 31, 4 },
	{ "beyond 32 bits", BIT_ULL(32), 2 * BIT_ULL(32), 2 },
	{ "in a gap beyond 32 bits", BIT_ULL(32), 2 * BIT_ULL(32) + 1, 3 },
	{ "low half of a later one", BIT_ULL(32) + 1, 2, 1 },
};

KUNIT_ARRAY_PARAM_DESC(lookup, lookups, desc);

static void find_gives_the_node_that_implies_the_point(struct kunit *test)
{
	const struct lookup *param = test->param_value;
	struct line *line = line_create(test, NULL, param->step);
	struct dma_fence *found = dma_fence_get(line->nodes[3]);
	struct dma_fence *wanted = line->nodes[param->found - 1];
	unsigned int before = mock_fence_refs(wanted);

	KUNIT_ASSERT_EQ(test, dma_fence_chain_find_seqno(&found, param->seqno), 0);
	KUNIT_EXPECT_PTR_EQ(test, found, wanted);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(wanted), before + (wanted != line->nodes[3]));
	dma_fence_put(found);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
}

static void find_of_zero_changes_nothing(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *none = NULL;
	struct line *line = line_create(test, NULL, 1);
	struct dma_fence *node = line->nodes[3];

	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&fence, 0), 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&node, 0), 0);
	KUNIT_EXPECT_PTR_EQ(test, node, line->nodes[3]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(node), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&none, 0), 0);
	KUNIT_EXPECT_NULL(test, none);
}

static void find_in_plain_fence_fails(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *found = fence, *none = NULL;

	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 1), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, found, fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&none, 1), -EINVAL);
}

static void find_of_future_point_fails(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);
	struct dma_fence *found = line->nodes[3];

	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 5), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, BIT_ULL(32) + 1), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, found, line->nodes[3]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(found), 1);
}

static void find_of_collected_point_gives_older(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);
	struct dma_fence *found = dma_fence_get(line->nodes[3]);

	dma_fence_signal(line->fences[2]);
	dma_fence_signal(line->fences[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 3), 0);
	KUNIT_EXPECT_PTR_EQ(test, found, line->nodes[0]);
	dma_fence_put(found);
}

static void find_where_all_is_collected_gives_nothing(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);
	struct dma_fence *found = dma_fence_get(line->nodes[3]);

	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 2), 0);
	KUNIT_EXPECT_NULL(test, found);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[3]), 1);
}

/* Nodes 1 and 2 share a timeline; the third begins another; the fourth goes on with that. */
static void find_stops_at_another_timeline(struct kunit *test)
{
	struct dma_fence *one, *two, *three, *four, *fence, *found;

	fence = mock_fence_new(test);
	one = mock_chain_create(test, NULL, mock_fence_new(test), 5);
	two = mock_chain_create(test, one, mock_fence_new(test), 6);
	three = mock_chain_create(test, two, fence, 2);
	four = mock_chain_create(test, three, mock_fence_new(test), 9);
	dma_fence_signal(fence);
	found = dma_fence_get(four);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, found, two);
	dma_fence_put(found);
}

static void find_of_out_of_order_point_gives_its_node(struct kunit *test)
{
	struct dma_fence *one, *two, *found;

	one = mock_chain_create(test, NULL, mock_fence_new(test), 5);
	two = mock_chain_create(test, one, mock_fence_new(test), 3);
	found = dma_fence_get(two);
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&found, 3), 0);
	KUNIT_EXPECT_PTR_EQ(test, found, two);
	dma_fence_put(found);
}

/* ---- walkers that take turns ---- */

#define NUM_WALKERS	3
#define NUM_LONG	256

struct walker {
	struct task_struct *task;
	struct dma_fence *head;
	struct rnd_state rnd;
	unsigned int rounds;
	unsigned int wrong;
};

static int walker_run(void *data)
{
	struct walker *walker = data;
	struct dma_fence *found, *iter;
	u64 seqno;

	while (!kthread_should_stop()) {
		seqno = 1 + prandom_u32_state(&walker->rnd) % NUM_LONG;
		found = dma_fence_get(walker->head);
		walker->wrong += dma_fence_chain_find_seqno(&found, seqno) != 0;
		walker->wrong += found && found->seqno > walker->head->seqno;
		schedule();
		dma_fence_chain_for_each(iter, found)
			schedule();
		dma_fence_put(found);
		walker->rounds++;
	}
	return 0;
}

static void walker_stop(void *data)
{
	struct walker *walker = data;

	kthread_stop_put(walker->task);
}

static struct walker *walker_start(struct kunit *test, struct dma_fence *head, u32 seed)
{
	struct walker *walker = kunit_kzalloc(test, sizeof(*walker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, walker);
	prandom_seed_state(&walker->rnd, seed);
	walker->head = head;
	walker->task = kthread_create(walker_run, walker, "chain walker");
	KUNIT_ASSERT_FALSE(test, IS_ERR(walker->task));
	get_task_struct(walker->task);
	wake_up_process(walker->task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, walker_stop, walker));
	return walker;
}

static void walkers_do_not_disturb_each_other(struct kunit *test)
{
	struct dma_fence *head = NULL, *node, **fences;
	struct walker *walkers[NUM_WALKERS];
	unsigned int i, wrong = 0;

	fences = kunit_kcalloc(test, NUM_LONG, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	for (i = 0; i < NUM_LONG; i++) {
		fences[i] = mock_fence_new(test);
		node = mock_chain_create(test, head, fences[i], i + 1);
		if (head)
			mock_container_put(test, head);
		head = node;
	}
	for (i = 0; i < NUM_WALKERS; i++)
		walkers[i] = walker_start(test, head, i);
	for (i = 0; i < NUM_LONG; i++) {
		dma_fence_signal(fences[(i * 37) % NUM_LONG]);
		schedule();
		schedule();
	}
	for (i = 0; i < NUM_WALKERS; i++) {
		kunit_release_action(test, walker_stop, walkers[i]);
		KUNIT_EXPECT_GT(test, walkers[i]->rounds, 0);
		KUNIT_EXPECT_EQ(test, walkers[i]->wrong, 0);
	}
	KUNIT_EXPECT_EQ(test, mock_fence_refs(head), 1);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(head));
	mock_container_put(test, head);
	for (i = 0; i < NUM_LONG; i++)
		wrong += mock_fence_refs(fences[i]) != 1;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* ---- releasing ---- */

static void release_stops_at_a_node_in_use(struct kunit *test)
{
	struct line *line = line_create(test, NULL, 1);

	line_drop(test, line, 0);
	line_drop(test, line, 2);
	line_drop(test, line, 3);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[3]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[1]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[0]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[1]), 1);
}

static void put_with_interrupts_off(struct dma_fence *fence)
{
	unsigned long flags;

	local_irq_save(flags);
	dma_fence_put(fence);
	local_irq_restore(flags);
}

static void release_works_with_interrupts_off(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test);
	struct line *line = line_create(test, end, 1);

	line_drop(test, line, 0);
	line_drop(test, line, 1);
	line_drop(test, line, 2);
	mock_container_disown(test, line->nodes[3]);
	EXPECT_KERNEL_WARNINGS(test, 0, put_with_interrupts_off(line->nodes[3]));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[0]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(end), 1);
}

#define NUM_STACKED 8

static const char *stack_fence_name(struct dma_fence *fence)
{
	return "stack";
}

/* It records the deepest stack address of a release. */
struct stack_fence {
	struct dma_fence base;
	spinlock_t lock; /* for @base, see there */
	unsigned long *deepest;
};

static void stack_fence_release(struct dma_fence *fence)
{
	unsigned long *deepest = container_of(fence, struct stack_fence, base)->deepest;

	*deepest = min_t(unsigned long, *deepest, (uintptr_t)__builtin_frame_address(0));
	dma_fence_free(fence);
}

static const struct dma_fence_ops stack_fence_ops = {
	.get_driver_name = stack_fence_name,
	.get_timeline_name = stack_fence_name,
	.release = stack_fence_release,
};

static struct dma_fence *stack_fence_create(struct kunit *test, unsigned long *deepest)
{
	struct stack_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	fence->deepest = deepest;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &stack_fence_ops, &fence->lock, 1, 1);
	return &fence->base;
}

/* Returns how far down the stack the release of a chain has gone. */
static noinline __noclone unsigned long stack_of_release(struct kunit *test,
							 unsigned int num_links)
{
	unsigned long deepest = ULONG_MAX;
	struct dma_fence *head = NULL;
	unsigned int i;

	for (i = 0; i < num_links; i++) {
		struct dma_fence_chain *chain = dma_fence_chain_alloc();

		KUNIT_ASSERT_NOT_NULL(test, chain);
		dma_fence_chain_init(chain, head, stack_fence_create(test, &deepest), i + 1);
		head = &chain->base;
	}
	dma_fence_put(head);
	return (unsigned long)__builtin_frame_address(0) - deepest;
}

static void release_needs_no_stack_for_more_links(struct kunit *test)
{
	unsigned long some = stack_of_release(test, 2);

	KUNIT_EXPECT_GT(test, some, 0);
	KUNIT_EXPECT_EQ(test, stack_of_release(test, NUM_STACKED), some);
}

/* By recursion these would take a stack of at least 1.6 MB. */
#define NUM_LINKS 100000

static unsigned int make_links(struct dma_fence **head, struct dma_fence *fence)
{
	struct dma_fence_chain *chain;
	unsigned int i;

	for (i = 0; i < NUM_LINKS; i++) {
		chain = dma_fence_chain_alloc();
		if (!chain)
			break;
		dma_fence_chain_init(chain, *head, dma_fence_get(fence), i + 1);
		*head = &chain->base;
		cond_resched();
	}
	return i;
}

static void chain_of_any_length_is_released(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *head = NULL;
	unsigned int made = make_links(&head, fence);

	KUNIT_EXPECT_EQ(test, made, NUM_LINKS);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), made + 1);
	dma_fence_put(head);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

/* RCU readers that find a fence read its reference count, even if that is zero. */
static void node_can_be_looked_at_for_a_grace_period(struct kunit *test)
{
	struct dma_fence *node = mock_chain_create(test, NULL, mock_fence_new(test), 1);
	unsigned int refs = 1;

	mock_container_disown(test, node);
	rcu_read_lock();
	dma_fence_put(node);
	EXPECT_KERNEL_WARNINGS(test, 0, refs = mock_fence_refs(node));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, refs, 0);
}

static struct kunit_case dma_fence_chain_cases[] = {
	KUNIT_CASE(init_takes_over_references),
	KUNIT_CASE(last_put_drops_fences),
	KUNIT_CASE(node_has_names),
	KUNIT_CASE(nodes_compare_seqnos_in_64_bits),
	KUNIT_CASE(node_is_known_as_such),
	KUNIT_CASE(contained_is_fence_of_node_or_argument),
	KUNIT_CASE(memory_can_be_freed_before_init),
	KUNIT_CASE(chain_in_chain_warns),
	KUNIT_CASE(missing_fence_warns_and_is_pending),
	KUNIT_CASE(allowed_contents_do_not_warn),
	KUNIT_CASE_PARAM(points_never_go_back, point_gen_params),
	KUNIT_CASE(first_point_has_a_context_of_its_own),
	KUNIT_CASE(plain_end_does_not_raise_the_point),
	KUNIT_CASE(iteration_goes_from_new_to_old),
	KUNIT_CASE(iteration_left_early_keeps_a_reference),
	KUNIT_CASE(iteration_of_plain_fence_sees_it_alone),
	KUNIT_CASE(walk_of_plain_fence_ends),
	KUNIT_CASE(walk_skips_signalled_nodes),
	KUNIT_CASE(walk_asks_drivers),
	KUNIT_CASE(walk_frees_what_it_collects),
	KUNIT_CASE(walk_ends_where_all_have_signalled),
	KUNIT_CASE(walk_drops_signalled_end),
	KUNIT_CASE(walk_does_not_look_at_its_start),
	KUNIT_CASE(walk_that_loses_a_race_keeps_the_balance),
	KUNIT_CASE_PARAM(find_gives_the_node_that_implies_the_point, lookup_gen_params),
	KUNIT_CASE(find_of_zero_changes_nothing),
	KUNIT_CASE(find_in_plain_fence_fails),
	KUNIT_CASE(find_of_future_point_fails),
	KUNIT_CASE(find_of_collected_point_gives_older),
	KUNIT_CASE(find_where_all_is_collected_gives_nothing),
	KUNIT_CASE(find_stops_at_another_timeline),
	KUNIT_CASE(find_of_out_of_order_point_gives_its_node),
	KUNIT_CASE(walkers_do_not_disturb_each_other),
	KUNIT_CASE(release_stops_at_a_node_in_use),
	KUNIT_CASE(release_works_with_interrupts_off),
	KUNIT_CASE(release_needs_no_stack_for_more_links),
	KUNIT_CASE(node_can_be_looked_at_for_a_grace_period),
	KUNIT_CASE_SLOW(chain_of_any_length_is_released),
	{}
};

static struct kunit_suite dma_fence_chain_suite = {
	.name = "dma_fence_chain",
	.test_cases = dma_fence_chain_cases,
};

kunit_test_suite(dma_fence_chain_suite);
