// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of reservation objects that are read without the lock while
 * somebody else, on another CPU, has it and changes them.
 */

#include <kunit/test.h>

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "mock_fence.h"
#include "race.h"

/* Enough to need a longer list several times. */
#define NUM_STEPS	24
/* So many that an add does not look for those that have signalled. */
#define NUM_READERS	9

/* What never signals before the end of a round, on a timeline of its own. */
#define ANCHOR		1
/* Timeline whose fence is replaced by the next one. */
#define RELAY		2
/* Timeline of fences that are never in the object. */
#define STRANGER	3
/* First of those that come and go. */
#define OTHERS		4

/**
 * struct scene - what the sides of a race share
 * @resv: the object
 * @anchor: fence that is always in it, pending
 * @relay: latest fence of %RELAY
 * @others: all fences that were added beside these
 * @num_others: their number
 * @busy: odd while one of these is in it, pending; counts up
 * @failed: no memory for them
 * @wrong: times that something was seen that must not be
 */
struct scene {
	struct dma_resv resv;
	struct dma_fence *anchor;
	struct dma_fence *relay;
	struct dma_fence *others[NUM_STEPS + NUM_READERS];
	unsigned int num_others;
	unsigned int busy;
	bool failed;
	unsigned int wrong;
};

/* Consumes the fence if there is no room for it. */
static struct dma_fence *scene_add_fence(struct scene *scene, struct dma_fence *fence,
					 enum dma_resv_usage usage)
{
	int ret = -ENOMEM;

	if (fence) {
		dma_resv_lock(&scene->resv, NULL);
		ret = dma_resv_reserve_fences(&scene->resv, 1);
		if (!ret)
			dma_resv_add_fence(&scene->resv, fence, usage);
		dma_resv_unlock(&scene->resv);
	}
	if (!ret)
		return fence;

	scene->failed = true;
	dma_fence_put(fence);
	return NULL;
}

static struct dma_fence *scene_add(struct scene *scene, u64 context, u64 seqno,
				   enum dma_resv_usage usage)
{
	return scene_add_fence(scene, race_fence_create(&mock_fence_bare_ops, context, seqno),
			       usage);
}

static void scene_drop(struct dma_fence *fence)
{
	if (fence)
		dma_fence_signal(fence);
	dma_fence_put(fence);
}

static bool scene_end(struct kunit *test, void *data)
{
	struct scene *scene = data;
	unsigned int i;

	KUNIT_EXPECT_FALSE(test, scene->failed);
	KUNIT_EXPECT_EQ(test, scene->wrong, 0);
	scene_drop(scene->anchor);
	scene_drop(scene->relay);
	for (i = 0; i < scene->num_others; i++)
		scene_drop(scene->others[i]);
	dma_resv_fini(&scene->resv);
	return true;
}

/* Without memory there is no race, and nothing may remain of it. */
static bool scene_is_set(struct kunit *test, struct scene *scene)
{
	if (scene->failed)
		scene_end(test, scene);
	return !scene->failed;
}

static bool scene_begin_empty(struct kunit *test, void *data)
{
	struct scene *scene = data;

	memset(scene, 0, sizeof(*scene));
	dma_resv_init(&scene->resv);
	return true;
}

static bool scene_begin(struct kunit *test, void *data)
{
	struct scene *scene = data;

	scene_begin_empty(test, data);
	scene->anchor = scene_add(scene, ANCHOR, 1, DMA_RESV_USAGE_WRITE);
	return scene_is_set(test, scene);
}

/* Readers everywhere, which do not concern who waits for writers. */
static bool scene_begin_crowded(struct kunit *test, void *data)
{
	struct scene *scene = data;
	unsigned int i;

	scene_begin_empty(test, data);
	for (i = 0; i < NUM_READERS && !scene->failed; i++) {
		scene->others[i] = scene_add(scene, OTHERS + NUM_STEPS + i, 1,
					     DMA_RESV_USAGE_READ);
		scene->num_others++;
	}
	return scene_is_set(test, scene);
}

static bool scene_begin_recycled(struct kunit *test, void *data)
{
	struct scene *scene = data;

	scene_begin_empty(test, data);
	scene->relay = scene_add_fence(scene, race_recycled_create(RELAY, 1), DMA_RESV_USAGE_WRITE);
	return scene_is_set(test, scene);
}

static bool scene_begin_relay(struct kunit *test, void *data)
{
	struct scene *scene = data;

	scene_begin_empty(test, data);
	scene->relay = scene_add(scene, RELAY, 1, DMA_RESV_USAGE_WRITE);
	return scene_is_set(test, scene);
}

/* ---- who changes the object ---- */

/* The list gets longer; what signals makes room in it. */
static void grow(void *data)
{
	struct scene *scene = data;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		fence = scene_add(scene, OTHERS + i, 1, DMA_RESV_USAGE_READ);
		if (!fence)
			return;
		scene->others[scene->num_others++] = fence;
		if (i % 3 == 0)
			dma_fence_signal(fence);
	}
}

/* There is always one that is pending, but never the same for long. */
static void pass_on(struct scene *scene, struct dma_fence *next)
{
	dma_fence_put(scene->relay);
	scene->relay = next;
}

static void hand_over(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		next = scene_add(scene, RELAY, 2 + i, DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		pass_on(scene, next);
	}
}

/* As above, but with a signal from who has been replaced. */
static void hand_over_and_signal(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		next = scene_add(scene, RELAY, 2 + i, DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		dma_fence_signal(scene->relay);
		pass_on(scene, next);
	}
}

/* As above, in another list each time, since more room is wanted than there is. */
static void hand_over_in_new_list(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		dma_resv_lock(&scene->resv, NULL);
		if (dma_resv_reserve_fences(&scene->resv, 16 * (i + 1)))
			scene->failed = true;
		dma_resv_unlock(&scene->resv);
		next = scene_add(scene, RELAY, 2 + i, DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		dma_fence_signal(scene->relay);
		pass_on(scene, next);
	}
}

/* The same by other means: another fence is put in the place of the first. */
static void replace(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		next = race_fence_create(&mock_fence_bare_ops, RELAY, 2 + i);
		if (!next) {
			scene->failed = true;
			return;
		}
		dma_resv_lock(&scene->resv, NULL);
		dma_resv_replace_fences(&scene->resv, RELAY, next, DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(&scene->resv);
		pass_on(scene, next);
	}
}

/* There is a writer and no writer by turns. */
static void come_and_go(void *data)
{
	struct scene *scene = data;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		fence = scene_add(scene, OTHERS + i, 1, DMA_RESV_USAGE_WRITE);
		if (!fence)
			return;
		scene->others[scene->num_others++] = fence;
		/* Pairs with look_whether_idle(). */
		smp_store_release(&scene->busy, 2 * i + 1);
		race_linger();
		/* Pairs with look_whether_idle(). */
		smp_store_release(&scene->busy, 2 * i + 2);
		dma_fence_signal(fence);
		race_linger();
	}
}

/* A fence goes, and its memory comes back as one that nobody has added. */
static void recycle(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next, *stranger;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		next = scene_add_fence(scene, race_recycled_create(RELAY, 2 + i),
				       DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		pass_on(scene, next);
		stranger = race_recycled_create(STRANGER, 1);
		race_linger();
		scene_drop(stranger);
	}
}

/* ---- who only looks ---- */

static void look_whether_idle(void *data)
{
	struct scene *scene = data;
	unsigned int i, busy;
	bool idle;

	for (i = 0; i < 4 * NUM_STEPS; i++) {
		/* Pairs with come_and_go(). */
		busy = smp_load_acquire(&scene->busy);
		idle = dma_resv_test_signaled(&scene->resv, DMA_RESV_USAGE_WRITE);
		/* Was it busy all the time? Only then is there a right answer. */
		smp_rmb();
		scene->wrong += idle && busy % 2 && READ_ONCE(scene->busy) == busy;
	}
}

static void iterate_for_strangers(void *data)
{
	struct scene *scene = data;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		dma_resv_iter_begin(&cursor, &scene->resv, DMA_RESV_USAGE_READ);
		dma_resv_for_each_fence_unlocked(&cursor, fence)
			scene->wrong += fence->context != RELAY;
		dma_resv_iter_end(&cursor);
	}
}

static void test_signaled(void *data)
{
	struct scene *scene = data;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++)
		scene->wrong += dma_resv_test_signaled(&scene->resv, DMA_RESV_USAGE_READ);
}

/* Each fence once, unless the iteration says that it starts anew. */
static void iterate(void *data)
{
	struct scene *scene = data;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i, anchors;
	u64 contexts;

	for (i = 0; i < NUM_STEPS; i++) {
		anchors = 0;
		contexts = 0;
		dma_resv_iter_begin(&cursor, &scene->resv, DMA_RESV_USAGE_READ);
		dma_resv_for_each_fence_unlocked(&cursor, fence) {
			if (dma_resv_iter_is_restarted(&cursor)) {
				anchors = 0;
				contexts = 0;
			}
			anchors += fence == scene->anchor;
			scene->wrong += !!(contexts & BIT_ULL(fence->context));
			contexts |= BIT_ULL(fence->context);
		}
		dma_resv_iter_end(&cursor);
		scene->wrong += anchors != 1;
	}
}

static void get_all(void *data)
{
	struct scene *scene = data;
	struct dma_fence **fences;
	unsigned int i, j, num, pending;

	for (i = 0; i < NUM_STEPS; i++) {
		if (dma_resv_get_fences(&scene->resv, DMA_RESV_USAGE_READ, &num, &fences)) {
			scene->failed = true;
			return;
		}
		pending = 0;
		for (j = 0; j < num; j++) {
			pending += fences[j]->context <= RELAY;
			dma_fence_put(fences[j]);
		}
		kfree(fences);
		scene->wrong += pending != 1;
	}
}

static void get_one(void *data)
{
	struct scene *scene = data;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		if (dma_resv_get_singleton(&scene->resv, DMA_RESV_USAGE_READ, &fence)) {
			scene->failed = true;
			return;
		}
		scene->wrong += !fence;
		dma_fence_put(fence);
	}
}

static void copy(void *data)
{
	struct scene *scene = data;
	struct dma_resv mine;
	unsigned int i;

	for (i = 0; i < NUM_STEPS / 4; i++) {
		dma_resv_init(&mine);
		dma_resv_lock(&mine, NULL);
		if (dma_resv_copy_fences(&mine, &scene->resv))
			scene->failed = true;
		else
			scene->wrong += dma_resv_test_signaled(&mine, DMA_RESV_USAGE_READ);
		dma_resv_unlock(&mine);
		dma_resv_fini(&mine);
	}
}

static void wait_no_time(void *data)
{
	struct scene *scene = data;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++)
		scene->wrong += dma_resv_wait_timeout(&scene->resv, DMA_RESV_USAGE_READ, false,
						      0) != 0;
}

/* ---- pairs of them ---- */

static const struct pair {
	const char *desc;
	struct race race;
} pairs[] = {
	{ "test, grow", { scene_begin, test_signaled, grow, scene_end } },
	{ "iterate, grow", { scene_begin, iterate, grow, scene_end } },
	{ "get fences, grow", { scene_begin, get_all, grow, scene_end } },
	{ "get singleton, grow", { scene_begin, get_one, grow, scene_end } },
	{ "copy, grow", { scene_begin, copy, grow, scene_end } },
	{ "wait, grow", { scene_begin, wait_no_time, grow, scene_end } },
	{ "test, hand over", { scene_begin_relay, test_signaled, hand_over, scene_end } },
	{ "test, hand over and signal",
	  { scene_begin_relay, test_signaled, hand_over_and_signal, scene_end } },
	{ "get fences, hand over", { scene_begin_relay, get_all, hand_over, scene_end } },
	{ "get singleton, hand over", { scene_begin_relay, get_one, hand_over, scene_end } },
	{ "copy, hand over", { scene_begin_relay, copy, hand_over, scene_end } },
	{ "test, hand over in new list",
	  { scene_begin_relay, test_signaled, hand_over_in_new_list, scene_end } },
	{ "get fences, hand over in new list",
	  { scene_begin_relay, get_all, hand_over_in_new_list, scene_end } },
	{ "get singleton, hand over in new list",
	  { scene_begin_relay, get_one, hand_over_in_new_list, scene_end } },
	{ "test, come and go",
	  { scene_begin_empty, look_whether_idle, come_and_go, scene_end } },
	{ "test, come and go in a crowd",
	  { scene_begin_crowded, look_whether_idle, come_and_go, scene_end } },
	{ "iterate, recycle",
	  { scene_begin_recycled, iterate_for_strangers, recycle, scene_end } },
	{ "get fences, recycle", { scene_begin_recycled, get_all, recycle, scene_end } },
	{ "test, replace", { scene_begin_relay, test_signaled, replace, scene_end } },
	{ "get fences, replace", { scene_begin_relay, get_all, replace, scene_end } },
	{ "get singleton, replace", { scene_begin_relay, get_one, replace, scene_end } },
};

KUNIT_ARRAY_PARAM_DESC(pair, pairs, desc);

static void reader_sees_a_pending_fence(struct kunit *test)
{
	const struct pair *param = test->param_value;
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	race_run(test, &param->race, scene);
}

static struct kunit_case dma_resv_race_cases[] = {
	KUNIT_CASE_PARAM(reader_sees_a_pending_fence, pair_gen_params),
	{}
};

static void dma_resv_race_suite_exit(struct kunit_suite *suite)
{
	race_recycled_free();
}

static struct kunit_suite dma_resv_race_suite = {
	.name = "dma_resv_race",
	.suite_exit = dma_resv_race_suite_exit,
	.test_cases = dma_resv_race_cases,
};

kunit_test_suite(dma_resv_race_suite);

MODULE_DESCRIPTION("KUnit tests for reservation objects on two CPUs at once");
MODULE_LICENSE("GPL");
