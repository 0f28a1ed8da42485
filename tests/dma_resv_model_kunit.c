// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite that compares reservation objects with a simple model.
 *
 * The implementation may keep or drop fences that have signalled, and fences that a
 * later one of their context supersedes. So the model does not compare entries, but
 * the fences that a query would wait for: for each context and usage it has the latest
 * pending fence. Contexts signal in order, as real ones do.
 */

#include <kunit/test.h>

#include <linux/prandom.h>
#include <linux/random.h>

#include "mock_resv.h"

#define NUM_CONTEXTS	6
#define NUM_FENCES	24	/* of each context */
#define NUM_STEPS	3000

/* One timeline: fences 1..NUM_FENCES - 1 exist, those up to @signaled are over. */
struct model_context {
	u64 context;
	unsigned int signaled;
	struct dma_fence *fences[NUM_FENCES];
};

struct model {
	struct rnd_state rnd;
	struct dma_resv *obj;
	struct model_context contexts[NUM_CONTEXTS];
	/* latest fence of a context that a query for a usage has to see; 0 is none */
	unsigned int latest[NUM_CONTEXTS][MOCK_NUM_USAGES];
};

static unsigned int model_random(struct model *model, unsigned int below)
{
	return prandom_u32_state(&model->rnd) % below;
}

static void model_fill_context(struct kunit *test, struct model_context *timeline, u64 context)
{
	unsigned int i;

	timeline->context = context;
	for (i = 1; i < NUM_FENCES; i++)
		timeline->fences[i] = &mock_fence_create(test, &mock_fence_full_ops, context,
							 i)->base;
}

static struct model *model_create(struct kunit *test, u32 seed)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	u64 context = dma_fence_context_alloc(NUM_CONTEXTS);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	kunit_info(test, "seed %u", seed);
	prandom_seed_state(&model->rnd, seed);
	model->obj = mock_resv_create(test);
	for (i = 0; i < NUM_CONTEXTS; i++)
		model_fill_context(test, &model->contexts[i], context + i);
	return model;
}

static bool model_pending(struct model *model, unsigned int index, unsigned int seqno)
{
	return seqno > model->contexts[index].signaled;
}

/* Update the model of a context after a fence of it was added. */
static void model_note(struct model *model, unsigned int index, unsigned int seqno,
		       enum dma_resv_usage usage)
{
	for (; usage < MOCK_NUM_USAGES; usage++)
		model->latest[index][usage] = max(model->latest[index][usage], seqno);
}

/* ---- steps: the same to the model and to the object, which is locked ---- */

static void step_add(struct kunit *test, struct model *model)
{
	unsigned int index = model_random(model, NUM_CONTEXTS);
	unsigned int seqno = 1 + model_random(model, NUM_FENCES - 1);
	enum dma_resv_usage usage = model_random(model, MOCK_NUM_USAGES);

	mock_resv_reserve_add(test, model->obj, model->contexts[index].fences[seqno], usage);
	model_note(model, index, seqno, usage);
}

static void step_signal(struct kunit *test, struct model *model)
{
	struct model_context *timeline = &model->contexts[model_random(model, NUM_CONTEXTS)];

	if (timeline->signaled < NUM_FENCES - 1)
		dma_fence_signal(timeline->fences[++timeline->signaled]);
}

/* A driver that has seen the end of a fence, without having told so yet. */
static void step_complete(struct kunit *test, struct model *model)
{
	struct model_context *timeline = &model->contexts[model_random(model, NUM_CONTEXTS)];

	if (timeline->signaled < NUM_FENCES - 1)
		to_mock_fence(timeline->fences[++timeline->signaled])->complete = true;
}

static void step_reserve(struct kunit *test, struct model *model)
{
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(model->obj, 1 + model_random(model, 12)), 0);
}

/* By a fence that is over, as drivers do: the work of the context is cancelled. */
static void step_cancel(struct kunit *test, struct model *model)
{
	unsigned int index = model_random(model, NUM_CONTEXTS);
	struct dma_fence *stub = dma_fence_get_stub();

	dma_resv_replace_fences(model->obj, model->contexts[index].context, stub,
				DMA_RESV_USAGE_BOOKKEEP);
	dma_fence_put(stub);
	memset(model->latest[index], 0, sizeof(model->latest[index]));
}

/* By a fence of another context; only while there is surely something to replace. */
static void step_hand_over(struct kunit *test, struct model *model)
{
	unsigned int from = model_random(model, NUM_CONTEXTS);
	unsigned int to = model_random(model, NUM_CONTEXTS);
	unsigned int seqno = 1 + model_random(model, NUM_FENCES - 1);
	enum dma_resv_usage usage = model_random(model, MOCK_NUM_USAGES);

	if (from == to || !model_pending(model, from, model->latest[from][DMA_RESV_USAGE_BOOKKEEP]))
		return;

	dma_resv_replace_fences(model->obj, model->contexts[from].context,
				model->contexts[to].fences[seqno], usage);
	memset(model->latest[from], 0, sizeof(model->latest[from]));
	model_note(model, to, seqno, usage);
}

static void step_unlock(struct kunit *test, struct model *model)
{
	dma_resv_unlock(model->obj);
	dma_resv_lock(model->obj, NULL);
}

/* Throw the list away and take it back from a copy. */
static void step_copy(struct kunit *test, struct model *model)
{
	struct dma_resv copy;

	dma_resv_init(&copy);
	KUNIT_EXPECT_TRUE(test, dma_resv_trylock(&copy));
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(&copy, model->obj), 0);
	dma_resv_unlock(&copy);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(model->obj, &copy), 0);
	dma_resv_fini(&copy);
}

static void (* const steps[])(struct kunit *test, struct model *model) = {
	step_add, step_add, step_add, step_add, step_add, step_add, step_add, step_add,
	step_signal, step_complete, step_reserve, step_cancel, step_hand_over, step_unlock,
	step_copy,
};

/* ---- comparison ---- */

static void note_seen(struct model *model, struct dma_fence *fence, unsigned int *latest)
{
	u64 index = fence->context - model->contexts[0].context;

	if (index < NUM_CONTEXTS)
		latest[index] = max_t(unsigned int, latest[index], fence->seqno);
}

/* Number of contexts of which a query for @usage sees something else than the model. */
static unsigned int count_differences(struct model *model, enum dma_resv_usage usage)
{
	unsigned int latest[NUM_CONTEXTS] = {};
	unsigned int i, expected, wrong = 0;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool pending = false;

	dma_resv_iter_begin(&cursor, model->obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		note_seen(model, fence, latest);
	dma_resv_iter_end(&cursor);

	for (i = 0; i < NUM_CONTEXTS; i++) {
		expected = model->latest[i][usage];
		if (!model_pending(model, i, expected))
			expected = 0;
		wrong += latest[i] != expected;
		pending |= expected;
	}
	wrong += dma_resv_test_signaled(model->obj, usage) == pending;
	return wrong;
}

static unsigned int model_compare(struct model *model)
{
	unsigned int usage, wrong = 0;

	for (usage = 0; usage < MOCK_NUM_USAGES; usage++)
		wrong += count_differences(model, usage);
	return wrong;
}

/* All timelines come to their end, and new ones begin. */
static bool model_used_up(struct model *model)
{
	unsigned int i;

	for (i = 0; i < NUM_CONTEXTS; i++)
		if (model->contexts[i].signaled < NUM_FENCES - 1)
			return false;
	return true;
}

static unsigned int model_count_references(struct model *model)
{
	unsigned int i, j, refs = 0;

	for (i = 0; i < NUM_CONTEXTS; i++)
		for (j = 1; j < NUM_FENCES; j++)
			refs += mock_fence_refs(model->contexts[i].fences[j]) - 1;
	return refs;
}

struct seed {
	const char *desc;
	u32 seed; /* 0: random */
};

static const struct seed seeds[] = {
	{ "one", 1 },
	{ "two", 2 },
	{ "three", 3 },
	{ "four", 4 },
	{ "random", 0 },
};

KUNIT_ARRAY_PARAM_DESC(seed, seeds, desc);

static void object_agrees_with_the_model(struct kunit *test)
{
	const struct seed *param = test->param_value;
	struct model *model = model_create(test, param->seed ?: get_random_u32());
	unsigned int i, step, wrong = 0;

	dma_resv_lock(model->obj, NULL);
	for (i = 0; i < NUM_STEPS && !wrong && !model_used_up(model); i++) {
		step = model_random(model, ARRAY_SIZE(steps));
		steps[step](test, model);
		wrong = model_compare(model);
	}
	dma_resv_unlock(model->obj);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "at step %u, of kind %u", i, step);
	KUNIT_EXPECT_GT(test, i, 100);
}

static void object_balances_references(struct kunit *test)
{
	const struct seed *param = test->param_value;
	struct model *model = model_create(test, param->seed ?: get_random_u32());
	struct mock_resv_snapshot shot;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i, foreign = 0;

	dma_resv_lock(model->obj, NULL);
	for (i = 0; i < 200; i++)
		steps[model_random(model, ARRAY_SIZE(steps))](test, model);
	mock_resv_look(model->obj, &shot);
	dma_resv_for_each_fence(&cursor, model->obj, DMA_RESV_USAGE_BOOKKEEP, fence)
		foreign += fence->context - model->contexts[0].context >= NUM_CONTEXTS;
	dma_resv_unlock(model->obj);
	KUNIT_EXPECT_EQ(test, model_count_references(model), shot.count - foreign);

	dma_resv_fini(model->obj);
	KUNIT_EXPECT_EQ(test, model_count_references(model), 0);
	dma_resv_init(model->obj);
}

static struct kunit_case dma_resv_model_cases[] = {
	KUNIT_CASE_PARAM(object_agrees_with_the_model, seed_gen_params),
	KUNIT_CASE_PARAM(object_balances_references, seed_gen_params),
	{}
};

static struct kunit_suite dma_resv_model_suite = {
	.name = "dma_resv_model",
	.test_cases = dma_resv_model_cases,
};

kunit_test_suite(dma_resv_model_suite);
