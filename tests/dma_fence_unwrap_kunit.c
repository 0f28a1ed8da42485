// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of what takes containers of fences apart and puts them together again.
 */

#include <kunit/test.h>

#include <linux/kernel.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>

#include <linux/dma-fence-unwrap.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_container.h"
#include "mock_fence.h"

#define MAX_FENCES 8

struct leaves {
	unsigned int count;
	struct dma_fence *fences[MAX_FENCES];
};

static struct leaves leaves_of(struct dma_fence *head)
{
	struct dma_fence_unwrap cursor;
	struct leaves leaves = {};
	struct dma_fence *fence;

	dma_fence_unwrap_for_each(fence, &cursor, head)
		if (leaves.count < MAX_FENCES)
			leaves.fences[leaves.count++] = fence;
	return leaves;
}

/* Three plain fences in ascending contexts. */
struct trio {
	struct dma_fence *a, *b, *c;
};

static struct trio trio_create(struct kunit *test)
{
	struct trio trio;

	trio.a = mock_fence_new(test);
	trio.b = mock_fence_new(test);
	trio.c = mock_fence_new(test);
	return trio;
}

/* ---- iteration ---- */

static void nothing_has_no_fences(struct kunit *test)
{
	struct dma_fence_unwrap cursor;

	KUNIT_EXPECT_NULL(test, dma_fence_unwrap_first(NULL, &cursor));
}

static void plain_fence_is_its_only_one(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct leaves leaves = leaves_of(fence);

	KUNIT_EXPECT_EQ(test, leaves.count, 1);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void array_is_expanded_in_order(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *array = mock_array(test, t.b, t.a, t.c);
	struct leaves leaves = leaves_of(array);

	KUNIT_ASSERT_EQ(test, leaves.count, 3);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], t.b);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[1], t.a);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[2], t.c);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(array), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.a), 2);
}

static void chain_is_walked_to_its_end(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *one = mock_chain_create(test, t.a, t.b, 1);
	struct dma_fence *two = mock_chain_create(test, one, t.c, 2);
	struct leaves leaves = leaves_of(two);

	KUNIT_ASSERT_EQ(test, leaves.count, 3);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], t.c);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[1], t.b);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[2], t.a);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(two), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(one), 2);
}

static void arrays_in_a_chain_are_expanded(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *one = mock_chain_create(test, NULL, mock_array(test, t.a, t.b), 1);
	struct dma_fence *two = mock_chain_create(test, one, mock_array(test, t.c, t.a), 2);
	struct leaves leaves = leaves_of(two);

	KUNIT_ASSERT_EQ(test, leaves.count, 4);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], t.c);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[1], t.a);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[2], t.a);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[3], t.b);
}

static void signalled_members_are_seen(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *array = mock_array(test, t.a, t.b);

	dma_fence_signal(t.a);
	KUNIT_EXPECT_EQ(test, leaves_of(array).count, 2);
}

static void collected_nodes_are_not_seen(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *one = mock_chain_create(test, t.a, t.b, 1);
	struct dma_fence *two = mock_chain_create(test, one, t.c, 2);
	struct leaves leaves;

	dma_fence_signal(t.b);
	dma_fence_signal(t.c);
	leaves = leaves_of(two);
	KUNIT_ASSERT_EQ(test, leaves.count, 2);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], t.c);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[1], t.a);
}

/* Drivers that leave early put the element of the chain themselves. */
static void cursor_holds_chain_element_only(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *one = mock_chain_create(test, NULL, t.a, 1);
	struct dma_fence *two = mock_chain_create(test, one, t.b, 2);
	struct dma_fence_unwrap cursor;

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_unwrap_first(two, &cursor), t.b);
	KUNIT_EXPECT_PTR_EQ(test, cursor.chain, two);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(two), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.b), 2);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_unwrap_next(&cursor), t.a);
	KUNIT_EXPECT_PTR_EQ(test, cursor.chain, one);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(two), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(one), 3);
	dma_fence_put(cursor.chain);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(one), 2);
}

static void empty_array_in_a_chain_is_passed(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *one = mock_chain_create(test, t.a, t.b, 1), *two;
	struct dma_fence_array *empty = NULL;
	struct leaves leaves;

	EXPECT_KERNEL_WARNING(test, empty = dma_fence_array_create(0, NULL, 1, 1, false));
	mock_container_adopt(test, empty ? &empty->base : NULL);
	two = mock_chain_create(test, one, &empty->base, 2);
	leaves = leaves_of(two);
	KUNIT_ASSERT_EQ(test, leaves.count, 2);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[0], t.b);
	KUNIT_EXPECT_PTR_EQ(test, leaves.fences[1], t.a);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(two), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(one), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&empty->base), 2);
}

/* ---- merging ---- */

static struct dma_fence *merge2(struct kunit *test, struct dma_fence *a, struct dma_fence *b)
{
	return mock_container_adopt(test, dma_fence_unwrap_merge(a, b));
}

static void merge_of_nothing_is_a_stub_without_time(struct kunit *test)
{
	struct dma_fence *none = NULL, *merged = merge2(test, none, none);

	KUNIT_EXPECT_TRUE(test, mock_fence_flag(merged));
	KUNIT_EXPECT_EQ(test, merged->context, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(merged), 0);
}

static void merge_of_signalled_has_the_latest_time(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *merged;

	dma_fence_signal_timestamp(t.a, 100);
	dma_fence_signal_timestamp(t.b, 300);
	dma_fence_signal_timestamp(t.c, 200);
	merged = merge2(test, mock_array(test, t.a, t.b), t.c);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(merged));
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(merged), 300);
	KUNIT_EXPECT_PTR_NE(test, merged, t.b);
}

static void merge_of_signalled_loses_errors(struct kunit *test)
{
	struct trio t = trio_create(test);

	mock_fence_fail(t.a, -EIO);
	mock_fence_fail(t.b, -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(merge2(test, t.a, t.b)), 1);
}

static void merge_returns_a_single_fence_as_it_is(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *chain = mock_chain_create(test, NULL, mock_array(test, t.a, t.b), 1);

	dma_fence_signal(t.a);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.b), 2);
	KUNIT_EXPECT_PTR_EQ(test, merge2(test, chain, NULL), t.b);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.b), 3);
}

static void merge_drops_duplicates(struct kunit *test)
{
	struct trio t = trio_create(test);

	KUNIT_EXPECT_PTR_EQ(test, merge2(test, t.a, mock_array(test, t.a, t.a)), t.a);
}

struct seqnos {
	const char *desc;
	const struct dma_fence_ops *ops;
	u64 older;
	u64 newer;
};

static const struct seqnos seqnos[] = {
	{ "next", &mock_fence_ops, 1, 2 },
	{ "wraps at 32 bits", &mock_fence_ops, 0xffffffff, 1 },
	{ "64 bits", &mock_fence_64bit_ops, 0xffffffff, BIT_ULL(32) },
	{ "64 bits do not wrap", &mock_fence_64bit_ops, 1, 0xffffffff },
};

KUNIT_ARRAY_PARAM_DESC(seqno, seqnos, desc);

static void merge_keeps_the_latest_of_a_context(struct kunit *test)
{
	const struct seqnos *param = test->param_value;
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *older, *newer;

	older = &mock_fence_create(test, param->ops, context, param->older)->base;
	newer = &mock_fence_create(test, param->ops, context, param->newer)->base;
	KUNIT_EXPECT_PTR_EQ(test, merge2(test, older, newer), newer);
	KUNIT_EXPECT_PTR_EQ(test, merge2(test, newer, older), newer);
}

static void merge_sorts_by_context(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *merged = merge2(test, mock_array(test, t.c, t.a), t.b);
	struct dma_fence_array *array = to_dma_fence_array(merged);

	KUNIT_ASSERT_NOT_NULL(test, array);
	KUNIT_ASSERT_EQ(test, array->num_fences, 3);
	KUNIT_EXPECT_PTR_EQ(test, array->fences[0], t.a);
	KUNIT_EXPECT_PTR_EQ(test, array->fences[1], t.b);
	KUNIT_EXPECT_PTR_EQ(test, array->fences[2], t.c);
	KUNIT_EXPECT_EQ(test, merged->seqno, 1);
	KUNIT_EXPECT_GT(test, merged->context, t.c->context);
}

static void merge_waits_for_all(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *merged = merge2(test, t.a, t.b);

	dma_fence_signal(t.a);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(merged));
	dma_fence_signal(t.b);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(merged));
}

static void merge_balances_references(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *array = mock_array(test, t.a, t.b), *merged = merge2(test, array, t.c);

	KUNIT_EXPECT_EQ(test, mock_fence_refs(array), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.a), 3);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.c), 2);
	mock_container_put(test, merged);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.a), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(t.c), 1);
}

static void merge_asks_but_does_not_enable(struct kunit *test)
{
	struct mock_fence *done = mock_fence_new_full(test), *pending = mock_fence_new_full(test);

	done->complete = true;
	KUNIT_EXPECT_PTR_EQ(test, merge2(test, &done->base, &pending->base), &pending->base);
	KUNIT_EXPECT_EQ(test, pending->log->enables, 0);
}

static void merge_without_memory_gives_nothing(struct kunit *test)
{
	struct trio t = trio_create(test);
	struct dma_fence *merged = NULL;
	unsigned int nth;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, merged = dma_fence_unwrap_merge(t.a, t.b)); nth++) {
		KUNIT_EXPECT_NULL(test, merged);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(t.a), 1);
		KUNIT_EXPECT_EQ(test, mock_fence_refs(t.b), 1);
	}
	KUNIT_EXPECT_GT(test, nth, 1);
	mock_container_adopt(test, merged);
}

/* A fence that signals between the first look and the second. */
static void complete_next_time(struct mock_fence *mock)
{
	if (mock->log->polls)
		mock->complete = true;
}

/* More than a merge has room for at first, so that it has to look twice. */
#define NUM_SHRINKING 40

static struct dma_fence *merge_shrinking(struct kunit *test, unsigned int num_left,
					 struct dma_fence **fences)
{
	struct dma_fence_unwrap cursors[NUM_SHRINKING];
	struct mock_fence *mock;
	unsigned int i;

	for (i = 0; i < NUM_SHRINKING; i++) {
		mock = mock_fence_new_full(test);
		if (i >= num_left)
			mock->on_poll = complete_next_time;
		fences[i] = &mock->base;
	}
	return mock_container_adopt(test, __dma_fence_unwrap_merge(NUM_SHRINKING, fences, cursors));
}

static void set_may_shrink_to_nothing(struct kunit *test)
{
	struct dma_fence *fences[NUM_SHRINKING], *merged = merge_shrinking(test, 0, fences);
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, mock_fence_flag(merged));
	KUNIT_EXPECT_EQ(test, merged->context, 0);
	for (i = 0; i < NUM_SHRINKING; i++)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fences[i]), 1);
}

static void set_may_shrink_to_one(struct kunit *test)
{
	struct dma_fence *fences[NUM_SHRINKING], *merged = merge_shrinking(test, 1, fences);
	unsigned int i;

	KUNIT_EXPECT_PTR_EQ(test, merged, fences[0]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fences[0]), 2);
	for (i = 1; i < NUM_SHRINKING; i++)
		KUNIT_EXPECT_EQ(test, mock_fence_refs(fences[i]), 1);
}

#define NUM_MANY 100000

static DEFINE_SPINLOCK(many_lock);

/* The latest context comes first. Takes over @list. */
static struct dma_fence *many_array(struct mock_fence *mocks, struct mock_fence_log *log,
				    struct dma_fence **list)
{
	u64 context = dma_fence_context_alloc(NUM_MANY);
	struct dma_fence_array *array;
	unsigned int i;

	for (i = 0; i < NUM_MANY; i++) {
		mocks[i].log = log;
		dma_fence_init(&mocks[i].base, &mock_fence_embedded_ops, &many_lock,
			       context + NUM_MANY - 1 - i, 1);
		list[i] = &mocks[i].base;
	}
	array = dma_fence_array_create(NUM_MANY, list, dma_fence_context_alloc(1), 1, false);
	return array ? &array->base : NULL;
}

static unsigned int count_in_reverse(struct dma_fence *merged, struct mock_fence *mocks)
{
	struct dma_fence *member;
	unsigned int i, count = 0;

	dma_fence_array_for_each(member, i, merged)
		count += i < NUM_MANY && member == &mocks[NUM_MANY - 1 - i].base;
	return count;
}

static void merge_takes_many_fences(struct kunit *test)
{
	struct mock_fence *mocks = kvcalloc(NUM_MANY, sizeof(*mocks), GFP_KERNEL);
	struct dma_fence **list = kmalloc_array(NUM_MANY, sizeof(*list), GFP_KERNEL);
	struct dma_fence *array, *none = NULL, *merged = NULL;
	struct mock_fence_log log = {};

	KUNIT_ASSERT_NOT_NULL(test, mocks);
	KUNIT_ASSERT_NOT_NULL(test, list);
	array = many_array(mocks, &log, list);
	KUNIT_ASSERT_NOT_NULL(test, array);
	EXPECT_KERNEL_WARNINGS(test, 0, merged = dma_fence_unwrap_merge(array, none));
	KUNIT_EXPECT_EQ(test, count_in_reverse(merged, mocks), NUM_MANY);
	dma_fence_put(array);
	KUNIT_EXPECT_EQ(test, log.releases, 0);
	dma_fence_put(merged);
	KUNIT_EXPECT_EQ(test, log.releases, NUM_MANY);
	kvfree(mocks);
}

#define NUM_POINTS_OF_TWO 1000

/* Points of two contexts in turns: what is left of them all is a fence of each. */
static void merge_keeps_what_it_needs(struct kunit *test)
{
	struct dma_fence *fences[2] = { mock_fence_new(test), mock_fence_new(test) };
	struct dma_fence *points[NUM_POINTS_OF_TWO / 10], *array, *merged;
	struct dma_fence *inputs[10];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		points[i] = fences[i % 2];
	array = mock_array_create(test, false, points, ARRAY_SIZE(points));
	for (i = 0; i < ARRAY_SIZE(inputs); i++)
		inputs[i] = array;
	merged = mock_container_adopt(test, __dma_fence_unwrap_merge(ARRAY_SIZE(inputs), inputs,
								     NULL));
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(merged));
	KUNIT_EXPECT_EQ(test, to_dma_fence_array(merged)->num_fences, 2);
	KUNIT_EXPECT_LE(test, ksize(merged),
			kmalloc_size_roundup(sizeof(struct dma_fence_array) +
					     2 * (sizeof(struct dma_fence_array_cb) +
						  sizeof(struct dma_fence *))));
}

#define MERGE_LIMIT 524288

static struct dma_fence *merge_one_many_times(struct kunit *test, struct dma_fence *fence,
					      unsigned int num)
{
	struct dma_fence **list = kvmalloc_array(num, sizeof(*list), GFP_KERNEL);
	struct dma_fence *merged, *other = NULL;
	struct dma_fence_array *array;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < num; i++)
		list[i] = dma_fence_get(fence);
	array = dma_fence_array_create(num, list, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	merged = dma_fence_unwrap_merge(&array->base, other);
	dma_fence_put(&array->base);
	return merged;
}

/* User space decides how many there are, so there is a limit to what a merge takes. */
static void merge_has_a_limit(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test), *merged = NULL;

	EXPECT_KERNEL_WARNINGS(test, 0,
			       merged = merge_one_many_times(test, fence, MERGE_LIMIT + 1));
	KUNIT_EXPECT_NULL(test, merged);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
	merged = merge_one_many_times(test, fence, MERGE_LIMIT);
	KUNIT_EXPECT_PTR_EQ(test, merged, fence);
	dma_fence_put(merged);
}

/* ---- random sets, and a model that compares every fence with every other ---- */

#define NUM_CONTEXTS	6
#define NUM_POINTS	6
#define NUM_INPUTS	5
#define MAX_MEMBERS	4
#define NUM_ROUNDS	200

struct model {
	struct rnd_state rnd;
	struct dma_fence *pool[NUM_CONTEXTS][NUM_POINTS];
	bool used[NUM_CONTEXTS][NUM_POINTS];
	struct dma_fence *inputs[NUM_INPUTS];
};

static unsigned int model_random(struct model *model, unsigned int below)
{
	return prandom_u32_state(&model->rnd) % below;
}

static struct model *model_create(struct kunit *test, u32 seed)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	u64 context = dma_fence_context_alloc(NUM_CONTEXTS);
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, model);
	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&model->rnd, seed);
	for (i = 0; i < NUM_CONTEXTS; i++)
		for (j = 0; j < NUM_POINTS; j++)
			model->pool[i][j] = &mock_fence_create(test, &mock_fence_full_ops,
							       context + i, j)->base;
	return model;
}

static struct dma_fence *random_fence(struct model *model)
{
	unsigned int i = model_random(model, NUM_CONTEXTS), j = model_random(model, NUM_POINTS);

	model->used[i][j] = true;
	return model->pool[i][j];
}

static struct dma_fence *random_array(struct kunit *test, struct model *model)
{
	unsigned int i, num = 1 + model_random(model, MAX_MEMBERS);
	struct dma_fence *members[MAX_MEMBERS];

	for (i = 0; i < num; i++)
		members[i] = random_fence(model);
	return mock_array_create(test, false, members, num);
}

static struct dma_fence *random_chain(struct kunit *test, struct model *model)
{
	unsigned int i, num = 1 + model_random(model, 3);
	struct dma_fence *node = model_random(model, 2) ? random_fence(model) : NULL;
	struct dma_fence *fence;

	for (i = 0; i < num; i++) {
		fence = model_random(model, 2) ? random_fence(model) : random_array(test, model);
		node = mock_chain_create(test, node, fence, i + 1);
	}
	return node;
}

static struct dma_fence *random_input(struct kunit *test, struct model *model)
{
	switch (model_random(model, 4)) {
	case 0:
		return NULL;
	case 1:
		return random_fence(model);
	case 2:
		return random_array(test, model);
	default:
		return random_chain(test, model);
	}
}

/* The expected result, in order, with at most one fence of each context. */
static struct leaves model_expect(struct model *model)
{
	struct leaves wanted = {};
	unsigned int i, j;

	for (i = 0; i < NUM_CONTEXTS; i++)
		for (j = NUM_POINTS; j-- > 0;)
			if (model->used[i][j] && !mock_fence_flag(model->pool[i][j])) {
				wanted.fences[wanted.count++] = model->pool[i][j];
				break;
			}
	return wanted;
}

static bool same_leaves(struct dma_fence *merged, const struct leaves *wanted)
{
	struct leaves found = leaves_of(merged);

	if (!wanted->count)
		return mock_fence_flag(merged) && !merged->context;
	if (wanted->count == 1 && merged != wanted->fences[0])
		return false;
	return found.count == wanted->count &&
	       !memcmp(found.fences, wanted->fences, sizeof(found.fences));
}

static unsigned int model_refs(struct model *model)
{
	unsigned int i, j, refs = 0;

	for (i = 0; i < NUM_CONTEXTS; i++)
		for (j = 0; j < NUM_POINTS; j++)
			refs += mock_fence_refs(model->pool[i][j]);
	return refs;
}

static bool model_round(struct kunit *test, struct model *model)
{
	struct dma_fence_unwrap cursors[NUM_INPUTS];
	struct dma_fence *merged;
	struct leaves wanted;
	unsigned int i, refs;
	bool same;

	memset(model->used, 0, sizeof(model->used));
	for (i = 0; i < NUM_INPUTS; i++)
		model->inputs[i] = random_input(test, model);
	wanted = model_expect(model);
	/* twice: the first time chains may lose what has signalled */
	dma_fence_put(__dma_fence_unwrap_merge(NUM_INPUTS, model->inputs, cursors));
	refs = model_refs(model);
	merged = __dma_fence_unwrap_merge(NUM_INPUTS, model->inputs, cursors);
	same = merged && same_leaves(merged, &wanted);
	dma_fence_put(merged);
	return same && model_refs(model) == refs;
}

struct seed {
	const char *desc;
	u32 seed; /* 0: random */
};

static const struct seed seeds[] = {
	{ "one", 1 },
	{ "two", 2 },
	{ "three", 3 },
	{ "random", 0 },
};

KUNIT_ARRAY_PARAM_DESC(seed, seeds, desc);

static void merge_agrees_with_the_model(struct kunit *test)
{
	const struct seed *param = test->param_value;
	struct model *model = model_create(test, param->seed ?: get_random_u32());
	unsigned int round;

	for (round = 0; round < NUM_ROUNDS; round++) {
		if (!model_round(test, model))
			break;
		if (round % 5 == 0)
			dma_fence_signal(model->pool[model_random(model, NUM_CONTEXTS)]
						    [model_random(model, NUM_POINTS)]);
	}
	KUNIT_EXPECT_EQ(test, round, NUM_ROUNDS);
}

static struct kunit_case dma_fence_unwrap_cases[] = {
	KUNIT_CASE(nothing_has_no_fences),
	KUNIT_CASE(plain_fence_is_its_only_one),
	KUNIT_CASE(array_is_expanded_in_order),
	KUNIT_CASE(chain_is_walked_to_its_end),
	KUNIT_CASE(arrays_in_a_chain_are_expanded),
	KUNIT_CASE(signalled_members_are_seen),
	KUNIT_CASE(collected_nodes_are_not_seen),
	KUNIT_CASE(cursor_holds_chain_element_only),
	KUNIT_CASE(empty_array_in_a_chain_is_passed),
	KUNIT_CASE(merge_of_nothing_is_a_stub_without_time),
	KUNIT_CASE(merge_of_signalled_has_the_latest_time),
	KUNIT_CASE(merge_of_signalled_loses_errors),
	KUNIT_CASE(merge_returns_a_single_fence_as_it_is),
	KUNIT_CASE(merge_drops_duplicates),
	KUNIT_CASE_PARAM(merge_keeps_the_latest_of_a_context, seqno_gen_params),
	KUNIT_CASE(merge_sorts_by_context),
	KUNIT_CASE(merge_waits_for_all),
	KUNIT_CASE(merge_balances_references),
	KUNIT_CASE(merge_asks_but_does_not_enable),
	KUNIT_CASE(merge_without_memory_gives_nothing),
	KUNIT_CASE(set_may_shrink_to_nothing),
	KUNIT_CASE(set_may_shrink_to_one),
	KUNIT_CASE(merge_takes_many_fences),
	KUNIT_CASE(merge_keeps_what_it_needs),
	KUNIT_CASE(merge_has_a_limit),
	KUNIT_CASE_PARAM(merge_agrees_with_the_model, seed_gen_params),
	{}
};

static struct kunit_suite dma_fence_unwrap_suite = {
	.name = "dma_fence_unwrap",
	.test_cases = dma_fence_unwrap_cases,
};

kunit_test_suite(dma_fence_unwrap_suite);
