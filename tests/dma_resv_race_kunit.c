// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of reservation objects that are read without the lock while
 * somebody else, on another CPU, has it and changes them.
 */

#include <kunit/test.h>

#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "mock_fence.h"
#include "race.h"

/* Enough to need a longer list several times. */
#define NUM_STEPS	24
/* More than the first list has room for. */
#define NUM_READERS	9

/* A fence that does not signal before the end of a round, on a timeline of its own. */
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
 * @empty: object that never has a fence
 * @create: makes fences of %RELAY and of %STRANGER
 * @anchor: fence that is always in it, pending
 * @relay: latest fence of %RELAY
 * @others: all fences that were added beside these
 * @num_others: their number
 * @busy: odd while one of these is in it, pending; counts up
 * @failed: no memory for them
 * @wrong: times that something was seen that must not be
 * @seen: times that a reader found nothing and something pending, in all rounds
 */
struct scene {
	struct dma_resv resv;
	struct dma_resv empty;
	struct dma_fence *(*create)(u64 context, u64 seqno);
	struct dma_fence *anchor;
	struct dma_fence *relay;
	struct dma_fence *others[NUM_STEPS + NUM_READERS];
	unsigned int num_others;
	unsigned int busy;
	bool failed;
	unsigned int wrong;
	unsigned int seen[2];
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
	dma_resv_fini(&scene->empty);
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

	memset(scene, 0, offsetof(struct scene, seen));
	dma_resv_init(&scene->resv);
	dma_resv_init(&scene->empty);
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
	scene->create = race_recycled_create;
	scene->relay = scene_add_fence(scene, scene->create(RELAY, 1), DMA_RESV_USAGE_WRITE);
	return scene_is_set(test, scene);
}

/* As drivers have them whose fences come out of a cache of their own. */
static bool scene_begin_cached(struct kunit *test, void *data)
{
	struct scene *scene = data;

	scene_begin_empty(test, data);
	scene->create = race_cached_create;
	scene->relay = scene_add_fence(scene, scene->create(RELAY, 1), DMA_RESV_USAGE_WRITE);
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

/* As above, but the replaced fence signals. */
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

/* The memory of the last fence is reused for a fence that was never added. */
static void meet_stranger(struct scene *scene)
{
	struct dma_fence *stranger = scene->create(STRANGER, 1);

	race_linger();
	scene_drop(stranger);
}

/* A fence is replaced before it has signalled, and goes without a signal. */
static void recycle(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		next = scene_add_fence(scene, scene->create(RELAY, 2 + i), DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		pass_on(scene, next);
		meet_stranger(scene);
	}
}

/* The list goes, and what was in it, while others may still be in it. */
static void retire(struct scene *scene)
{
	dma_resv_lock(&scene->resv, NULL);
	if (dma_resv_copy_fences(&scene->resv, &scene->empty))
		scene->failed = true;
	dma_resv_unlock(&scene->resv);
}

/* There is a fence and no fence by turns, each time in another list. */
static void become_empty(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		retire(scene);
		dma_fence_signal(scene->relay);
		pass_on(scene, NULL);
		meet_stranger(scene);
		next = scene_add_fence(scene, scene->create(RELAY, 2 + i), DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		pass_on(scene, next);
		race_linger();
	}
}

/* A reserve finds the list full, and then what is pending signals. */
static void grow_and_become_empty(void *data)
{
	struct scene *scene = data;
	unsigned int i, room = 8;

	for (i = 0; i < 4; i++, room *= 2) {
		dma_resv_lock(&scene->resv, NULL);
		if (dma_resv_reserve_fences(&scene->resv, room))
			scene->failed = true;
		dma_resv_unlock(&scene->resv);
		if (i == 1) {
			dma_fence_signal(scene->relay);
			race_linger();
		}
	}
}

/* Each list is replaced by one with the same fence, at an address that was used before. */
static void move_in_circles(void *data)
{
	struct scene *scene = data;
	struct dma_fence *next;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		dma_resv_lock(&scene->empty, NULL);
		if (dma_resv_copy_fences(&scene->empty, &scene->resv))
			scene->failed = true;
		dma_resv_unlock(&scene->empty);
		dma_resv_lock(&scene->resv, NULL);
		if (dma_resv_copy_fences(&scene->resv, &scene->empty))
			scene->failed = true;
		dma_resv_unlock(&scene->resv);
		next = scene_add_fence(scene, scene->create(RELAY, 2 + i), DMA_RESV_USAGE_WRITE);
		if (!next)
			return;
		pass_on(scene, next);
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

/* A reader owns a reference on the fence it gets, so that must be one of the scene. */
static void see(struct scene *scene, struct dma_fence *fence)
{
	scene->seen[!!fence]++;
	if (fence && fence->context != RELAY)
		scene->wrong++;
}

static void iterate_for_strangers(void *data)
{
	struct scene *scene = data;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		dma_resv_iter_begin(&cursor, &scene->resv, DMA_RESV_USAGE_READ);
		see(scene, dma_resv_iter_first_unlocked(&cursor));
		while ((fence = dma_resv_iter_next_unlocked(&cursor)))
			see(scene, fence);
		dma_resv_iter_end(&cursor);
	}
}

static void get_one_for_strangers(void *data)
{
	struct scene *scene = data;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++) {
		if (dma_resv_get_singleton(&scene->resv, DMA_RESV_USAGE_READ, &fence))
			scene->failed = true;
		else
			see(scene, fence);
		dma_fence_put(fence);
	}
}

static void get_all_for_strangers(void *data)
{
	struct scene *scene = data;
	struct dma_fence **fences;
	unsigned int i, num;

	for (i = 0; i < NUM_STEPS; i++) {
		if (dma_resv_get_fences(&scene->resv, DMA_RESV_USAGE_READ, &num, &fences))
			scene->failed = true;
		if (!num)
			see(scene, NULL);
		while (num) {
			see(scene, fences[--num]);
			dma_fence_put(fences[num]);
		}
		kfree(fences);
	}
}

static void copy_for_strangers(void *data)
{
	struct scene *scene = data;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	struct dma_resv mine;
	unsigned int i;

	for (i = 0; i < NUM_STEPS / 2; i++) {
		dma_resv_init(&mine);
		dma_resv_lock(&mine, NULL);
		if (dma_resv_copy_fences(&mine, &scene->resv))
			scene->failed = true;
		if (dma_resv_test_signaled(&mine, DMA_RESV_USAGE_READ))
			see(scene, NULL);
		dma_resv_for_each_fence(&cursor, &mine, DMA_RESV_USAGE_READ, fence)
			see(scene, fence);
		dma_resv_unlock(&mine);
		dma_resv_fini(&mine);
	}
}

static void test_either(void *data)
{
	struct scene *scene = data;
	unsigned int i;

	for (i = 0; i < 4 * NUM_STEPS; i++)
		scene->seen[!dma_resv_test_signaled(&scene->resv, DMA_RESV_USAGE_READ)]++;
}

static void wait_either(void *data)
{
	struct scene *scene = data;
	unsigned int i;

	for (i = 0; i < NUM_STEPS; i++)
		scene->seen[!dma_resv_wait_timeout(&scene->resv, DMA_RESV_USAGE_READ, false, 0)]++;
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

struct pair {
	const char *desc;
	struct race race;
};

static const struct pair pairs[] = {
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
	{ "get singleton, recycle", { scene_begin_recycled, get_one, recycle, scene_end } },
	{ "test, recycle", { scene_begin_recycled, test_signaled, recycle, scene_end } },
	{ "wait, recycle", { scene_begin_recycled, wait_no_time, recycle, scene_end } },
	{ "copy, recycle", { scene_begin_recycled, copy, recycle, scene_end } },
	{ "iterate, recycle by cache",
	  { scene_begin_cached, iterate_for_strangers, recycle, scene_end } },
	{ "get fences, recycle by cache", { scene_begin_cached, get_all, recycle, scene_end } },
	{ "test, recycle by cache", { scene_begin_cached, test_signaled, recycle, scene_end } },
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

/* Here the object is empty now and then, and its lists go under the readers. */
static const struct pair empty_pairs[] = {
	{ "test", { scene_begin_recycled, test_either, become_empty, scene_end } },
	{ "wait", { scene_begin_recycled, wait_either, become_empty, scene_end } },
	{ "iterate", { scene_begin_recycled, iterate_for_strangers, become_empty, scene_end } },
	{ "get singleton",
	  { scene_begin_recycled, get_one_for_strangers, become_empty, scene_end } },
	{ "get fences", { scene_begin_recycled, get_all_for_strangers, become_empty, scene_end } },
	{ "copy", { scene_begin_recycled, copy_for_strangers, become_empty, scene_end } },
	{ "iterate, cache",
	  { scene_begin_cached, iterate_for_strangers, become_empty, scene_end } },
	{ "get singleton, cache",
	  { scene_begin_cached, get_one_for_strangers, become_empty, scene_end } },
	{ "get fences, cache",
	  { scene_begin_cached, get_all_for_strangers, become_empty, scene_end } },
	{ "test, grow", { scene_begin_recycled, test_either, grow_and_become_empty, scene_end } },
	{ "iterate, grow",
	  { scene_begin_recycled, iterate_for_strangers, grow_and_become_empty, scene_end } },
	{ "get singleton, grow",
	  { scene_begin_recycled, get_one_for_strangers, grow_and_become_empty, scene_end } },
	{ "get fences, grow",
	  { scene_begin_recycled, get_all_for_strangers, grow_and_become_empty, scene_end } },
};

KUNIT_ARRAY_PARAM_DESC(empty_pair, empty_pairs, desc);

static void reader_gets_what_was_in_the_object(struct kunit *test)
{
	const struct pair *param = test->param_value;
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	race_run_both(test, &param->race, scene, scene->seen);
}

/* There is always the same fence, so that a list is often where another one has been. */
static const struct pair circle_pairs[] = {
	{ "test", { scene_begin_recycled, test_signaled, move_in_circles, scene_end } },
	{ "iterate", { scene_begin_recycled, iterate_for_strangers, move_in_circles, scene_end } },
	{ "get fences", { scene_begin_recycled, get_all, move_in_circles, scene_end } },
	{ "get singleton", { scene_begin_recycled, get_one, move_in_circles, scene_end } },
};

KUNIT_ARRAY_PARAM_DESC(circle_pair, circle_pairs, desc);

static void reader_follows_the_list(struct kunit *test)
{
	const struct pair *param = test->param_value;
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	race_run(test, &param->race, scene);
}

/*
 * Many fences that have signalled, and a writer that replaces one of them all the time
 * while it is asked whether the object is idle.
 */
#define NUM_SIGNALLED	2048
#define NUM_QUESTIONS	16
/* Limits for the time of a call: on an idle machine, and on any machine. */
#define FAST_CALL_NS	NSEC_PER_MSEC
#define LONG_CALL_NS	(500 * NSEC_PER_MSEC)

/**
 * struct crowd - an object with fences that have signalled
 * @resv: the object
 * @spare: two fences of the first one's timeline, which replace each other
 * @asking: a question is being asked
 * @worst: nanoseconds of the longest call
 * @calls: number of calls
 * @slow: those that took more than %FAST_CALL_NS
 * @changes: how often the writer has replaced a fence
 */
struct crowd {
	struct dma_resv resv;
	struct dma_fence *spare[2];
	bool asking;
	u64 worst;
	unsigned long calls;
	unsigned long slow;
	unsigned long changes;
};

static void crowd_fini(void *data)
{
	struct crowd *crowd = data;

	dma_resv_fini(&crowd->resv);
	dma_fence_put(crowd->spare[0]);
	dma_fence_put(crowd->spare[1]);
}

static struct dma_fence *signalled_create(struct kunit *test, u64 context, u64 seqno)
{
	struct dma_fence *fence = race_fence_create(&mock_fence_bare_ops, context, seqno);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	return fence;
}

static void crowd_fill(struct kunit *test, struct crowd *crowd)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;

	crowd->spare[0] = signalled_create(test, OTHERS, 1);
	crowd->spare[1] = signalled_create(test, OTHERS, 2);

	dma_resv_lock(&crowd->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(&crowd->resv, NUM_SIGNALLED), 0);
	dma_resv_add_fence(&crowd->resv, crowd->spare[0], DMA_RESV_USAGE_READ);
	for (i = 1; i < NUM_SIGNALLED; i++) {
		fence = signalled_create(test, OTHERS + i, 1);
		dma_resv_add_fence(&crowd->resv, fence, DMA_RESV_USAGE_READ);
		dma_fence_put(fence);
	}
	dma_resv_for_each_fence(&cursor, &crowd->resv, DMA_RESV_USAGE_READ, fence)
		dma_fence_signal(fence);
	dma_resv_unlock(&crowd->resv);
	dma_fence_signal(crowd->spare[1]);
}

static bool crowd_begin(struct kunit *test, void *data)
{
	struct crowd *crowd = data;

	WRITE_ONCE(crowd->asking, true);
	return true;
}

static void crowd_ask(void *data)
{
	struct crowd *crowd = data;
	unsigned int i;
	u64 time;

	for (i = 0; i < NUM_QUESTIONS; i++) {
		time = ktime_get_ns();
		dma_resv_test_signaled(&crowd->resv, DMA_RESV_USAGE_READ);
		time = ktime_get_ns() - time;
		crowd->worst = max(crowd->worst, time);
		crowd->slow += time > FAST_CALL_NS;
		crowd->calls++;
	}
	WRITE_ONCE(crowd->asking, false);
}

static void crowd_replace(void *data)
{
	struct crowd *crowd = data;
	unsigned long end = jiffies + 4 * HZ;

	while (READ_ONCE(crowd->asking) && time_before(jiffies, end)) {
		dma_resv_lock(&crowd->resv, NULL);
		dma_resv_replace_fences(&crowd->resv, OTHERS, crowd->spare[++crowd->changes % 2],
					DMA_RESV_USAGE_READ);
		dma_resv_unlock(&crowd->resv);
	}
}

static bool crowd_end(struct kunit *test, void *data)
{
	struct crowd *crowd = data;

	KUNIT_EXPECT_LT(test, crowd->worst, LONG_CALL_NS);
	return true;
}

static void test_does_not_wait_for_a_writer_to_stop(struct kunit *test)
{
	static const struct race race = { crowd_begin, crowd_ask, crowd_replace, crowd_end };
	struct crowd *crowd;

	if (IS_ENABLED(CONFIG_KCSAN))
		kunit_skip(test, "KCSAN stops a CPU now and then: no time to measure");

	crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, crowd);
	dma_resv_init(&crowd->resv);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, crowd_fini, crowd));
	crowd_fill(test, crowd);
	race_run(test, &race, crowd);
	kunit_info(test, "%lu of %lu calls took more than 1 ms, the longest %llu ns; %lu changes\n",
		   crowd->slow, crowd->calls, crowd->worst, crowd->changes);
}

static struct kunit_case dma_resv_race_cases[] = {
	KUNIT_CASE_PARAM(reader_sees_a_pending_fence, pair_gen_params),
	KUNIT_CASE_PARAM(reader_gets_what_was_in_the_object, empty_pair_gen_params),
	KUNIT_CASE_PARAM(reader_follows_the_list, circle_pair_gen_params),
	KUNIT_CASE(test_does_not_wait_for_a_writer_to_stop),
	{}
};

static int dma_resv_race_suite_init(struct kunit_suite *suite)
{
	return race_cached_init();
}

static void dma_resv_race_suite_exit(struct kunit_suite *suite)
{
	race_recycled_free();
	race_cached_exit();
}

static struct kunit_suite dma_resv_race_suite = {
	.name = "dma_resv_race",
	.suite_init = dma_resv_race_suite_init,
	.suite_exit = dma_resv_race_suite_exit,
	.test_cases = dma_resv_race_cases,
};

kunit_test_suite(dma_resv_race_suite);

MODULE_DESCRIPTION("KUnit tests for reservation objects on two CPUs at once");
MODULE_LICENSE("GPL");
