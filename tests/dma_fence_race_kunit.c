// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of fences and containers that are used on two CPUs at once.
 *
 * One side runs in the task of the case, the other one on another CPU. A condition
 * that must hold for each interleaving of the two is checked afterwards. A condition
 * that must hold at once is checked by the side that depends on it.
 */

#include <kunit/test.h>

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "mock_fence.h"
#include "race.h"

#define NUM_FENCES 4

/**
 * struct arena - what the sides of a race share
 * @fences: plain fences, each on a timeline of its own
 * @head: a container of them, or what the case makes of it
 * @cb: callback on some fence
 * @calls: calls of @cb
 * @in_call: in the middle of one
 * @ret: what the call of interest returned, a side each
 * @wrong: what must not be was seen
 * @any: arrays signal with the first member
 * @outcomes: rounds that ended so, and otherwise
 */
struct arena {
	struct dma_fence *fences[NUM_FENCES];
	struct dma_fence *head;
	struct dma_fence_cb cb;
	unsigned int calls;
	bool in_call;
	int ret[2];
	bool wrong;
	bool any;
	unsigned int outcomes[2];
};

/* Both sides may have seen something: neither takes back what the other one says. */
static void arena_expect(struct arena *arena, bool right)
{
	if (!right)
		WRITE_ONCE(arena->wrong, true);
}

/* Each way must be taken sometimes, or the sides never met. */
static void arena_run(struct kunit *test, const struct race *race, struct arena *arena)
{
	race_run_both(test, race, arena, arena->outcomes);
}

static void arena_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct arena *arena = container_of(cb, struct arena, cb);

	unsigned int i;

	WRITE_ONCE(arena->in_call, true);
	arena->calls++;
	/* A task that does not wait for the end of it is found here. */
	for (i = 0; i < 20; i++)
		cpu_relax();
	WRITE_ONCE(arena->in_call, false);
}

static bool arena_fill(struct kunit *test, struct arena *arena)
{
	u64 context = dma_fence_context_alloc(NUM_FENCES);
	unsigned int i;

	arena->calls = 0;
	arena->head = NULL;
	for (i = 0; i < NUM_FENCES; i++) {
		arena->fences[i] = race_fence_create(&mock_fence_bare_ops, context + i, 1);
		KUNIT_ASSERT_NOT_NULL(test, arena->fences[i]);
	}
	return true;
}

/* All that the sides have taken must have been given back. */
static bool arena_clear(struct kunit *test, struct arena *arena)
{
	unsigned int i;

	KUNIT_EXPECT_FALSE(test, arena->wrong);
	for (i = 0; i < NUM_FENCES; i++) {
		KUNIT_EXPECT_TRUE(test, race_fence_refs(arena->fences[i], 1));
		dma_fence_put(arena->fences[i]);
	}
	return true;
}

static void arena_signal_all(void *data)
{
	struct arena *arena = data;
	unsigned int i;

	for (i = 0; i < NUM_FENCES; i++)
		dma_fence_signal(arena->fences[i]);
}

static unsigned int arena_num_done(struct arena *arena)
{
	unsigned int i, num = 0;

	for (i = 0; i < NUM_FENCES; i++)
		num += test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &arena->fences[i]->flags);
	return num;
}

static void arena_wait_for_head(void *data)
{
	struct arena *arena = data;

	arena->ret[0] = dma_fence_add_callback(arena->head, &arena->cb, arena_called);
}

/* The callback came once if it was accepted, and not at all otherwise. */
static void arena_expect_call(struct kunit *test, struct arena *arena)
{
	KUNIT_EXPECT_TRUE(test, race_fence_signaled(arena->head));
	/* It may be signalling still: that ends before the lock is free. */
	dma_fence_remove_callback(arena->head, &arena->cb);
	if (arena->ret[0])
		KUNIT_EXPECT_EQ(test, arena->ret[0], -ENOENT);
	KUNIT_EXPECT_EQ(test, arena->calls, arena->ret[0] ? 0 : 1);
	arena->outcomes[!arena->ret[0]]++;
}

static struct arena *arena_create(struct kunit *test)
{
	struct arena *arena = kunit_kzalloc(test, sizeof(*arena), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, arena);
	return arena;
}

/* ---- single fences ---- */

static bool prepare_fence(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena_fill(test, arena);
	arena->head = arena->fences[0];
	return true;
}

static void signal_head_here(void *data)
{
	struct arena *arena = data;

	arena->ret[0] = dma_fence_signal(arena->head);
}

static void signal_head_there(void *data)
{
	struct arena *arena = data;

	arena->ret[1] = dma_fence_signal(arena->head);
}

static bool check_call(struct kunit *test, void *data)
{
	arena_expect_call(test, data);
	return arena_clear(test, data);
}

static const struct race add_against_signal = {
	prepare_fence, arena_wait_for_head, signal_head_there, check_call,
};

static void callback_is_called_once_or_refused(struct kunit *test)
{
	arena_run(test, &add_against_signal, arena_create(test));
}

static bool prepare_callback(struct kunit *test, void *data)
{
	struct arena *arena = data;

	prepare_fence(test, arena);
	arena_wait_for_head(arena);
	return true;
}

static bool check_one_winner(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_EQ(test, min(arena->ret[0], arena->ret[1]), -EINVAL);
	KUNIT_EXPECT_EQ(test, max(arena->ret[0], arena->ret[1]), 0);
	KUNIT_EXPECT_EQ(test, arena->calls, 1);
	arena->outcomes[!arena->ret[0]]++;
	return arena_clear(test, arena);
}

static const struct race signal_against_signal = {
	prepare_callback, signal_head_here, signal_head_there, check_one_winner,
};

static void one_of_two_signals_wins(struct kunit *test)
{
	arena_run(test, &signal_against_signal, arena_create(test));
}

static void remove_callback_here(void *data)
{
	struct arena *arena = data;

	arena->ret[0] = dma_fence_remove_callback(arena->head, &arena->cb);
	arena_expect(arena, !READ_ONCE(arena->in_call));
}

static bool check_removed(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_EQ(test, arena->calls, arena->ret[0] ? 0 : 1);
	arena->outcomes[!arena->ret[0]]++;
	return arena_clear(test, arena);
}

static const struct race remove_against_signal = {
	prepare_callback, remove_callback_here, signal_head_there, check_removed,
};

static void callback_is_removed_or_has_run(struct kunit *test)
{
	arena_run(test, &remove_against_signal, arena_create(test));
}

/* &dma_fence_ops.signaled of a driver whose work is done. */
static bool done_fence_signaled(struct dma_fence *fence)
{
	return true;
}

static const char *done_fence_name(struct dma_fence *fence)
{
	return "done";
}

static const struct dma_fence_ops done_fence_ops = {
	.get_driver_name = done_fence_name,
	.get_timeline_name = done_fence_name,
	.signaled = done_fence_signaled,
};

static bool prepare_done(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena_fill(test, arena);
	dma_fence_put(arena->fences[0]);
	arena->fences[0] = race_fence_create(&done_fence_ops, 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, arena->fences[0]);
	arena->head = arena->fences[0];
	arena_wait_for_head(arena);
	return true;
}

static void poll_head_here(void *data)
{
	struct arena *arena = data;

	arena->ret[0] = dma_fence_is_signaled(arena->head);
}

static void poll_head_there(void *data)
{
	struct arena *arena = data;

	arena->ret[1] = dma_fence_is_signaled(arena->head);
}

static bool check_both_know(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_TRUE(test, arena->ret[0]);
	KUNIT_EXPECT_TRUE(test, arena->ret[1]);
	KUNIT_EXPECT_EQ(test, arena->calls, 1);
	return arena_clear(test, arena);
}

static const struct race poll_against_poll = {
	prepare_done, poll_head_here, poll_head_there, check_both_know,
};

static void both_who_poll_are_told(struct kunit *test)
{
	race_run(test, &poll_against_poll, arena_create(test));
}

/*
 * As in xe: the fence and its lock are on the stack, and both are gone when the wait
 * is over. A write after that comes from a signaller that is late.
 */
static noinline void wait_on_the_stack(void *data)
{
	struct arena *arena = data;
	struct mock_fence mock = {};
	u8 *byte = (u8 *)&mock;
	unsigned int i;

	spin_lock_init(&mock.lock);
	dma_fence_init(&mock.base, &mock_fence_bare_ops, &mock.lock, 1, 1);
	/* Pairs with head_is_there(). */
	smp_store_release(&arena->head, &mock.base);
	arena->ret[0] = dma_fence_wait_timeout(&mock.base, false, 10 * HZ);
	memset(&mock, 0x5a, sizeof(mock));
	for (i = 0; i < 1000; i++)
		cpu_relax();
	for (i = 0; i < sizeof(mock); i++)
		arena_expect(arena, READ_ONCE(byte[i]) == 0x5a);
}

static bool head_is_there(void *data)
{
	/* Pairs with the release in wait_on_the_stack(). */
	return smp_load_acquire(&((struct arena *)data)->head);
}

static void signal_on_the_stack(void *data)
{
	struct arena *arena = data;

	if (race_spin(head_is_there, arena))
		arena->ret[1] = dma_fence_signal(arena->head);
}

static bool prepare_no_fence(struct kunit *test, void *data)
{
	((struct arena *)data)->head = NULL;
	return true;
}

static bool check_waited(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_FALSE(test, arena->wrong);
	KUNIT_EXPECT_GT(test, arena->ret[0], 0);
	KUNIT_EXPECT_EQ(test, arena->ret[1], 0);
	return true;
}

static const struct race wait_against_signal = {
	prepare_no_fence, wait_on_the_stack, signal_on_the_stack, check_waited,
};

static void fence_on_the_stack_may_go_after_a_wait(struct kunit *test)
{
	race_run(test, &wait_against_signal, arena_create(test));
}

/* ---- pointers that change ---- */

#define PUBLISHED	1
#define OF_OTHERS	2

/*
 * Fences whose memory is another fence at once, as some drivers have them. One of
 * them can be found, the others are somebody else's.
 */
struct recycler {
	struct dma_fence __rcu *slot;
	unsigned long published;	/* seqno of what is in the slot, or was */
	unsigned int wrong;
};

static bool prepare_slot(struct kunit *test, void *data)
{
	struct recycler *recycler = data;
	struct dma_fence *fence = race_recycled_create(PUBLISHED, ++recycler->published);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	rcu_assign_pointer(recycler->slot, fence);
	return true;
}

static void look_into_slot(void *data)
{
	struct recycler *recycler = data;
	struct dma_fence *fence;
	unsigned long oldest;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		/* Pairs with the release in replace_slot(). */
		oldest = smp_load_acquire(&recycler->published);
		rcu_read_lock();
		fence = dma_fence_get_rcu_safe(&recycler->slot);
		rcu_read_unlock();
		if (!fence)
			continue;
		recycler->wrong += fence->context != PUBLISHED || fence->seqno < oldest;
		dma_fence_put(fence);
	}
}

static void replace_slot(void *data)
{
	struct recycler *recycler = data;
	struct dma_fence *fence, *old, *other;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		fence = race_recycled_create(PUBLISHED, recycler->published + 1);
		if (!fence)
			return;
		old = unrcu_pointer(xchg(&recycler->slot, RCU_INITIALIZER(fence)));
		/* Pairs with the acquire in look_into_slot(). */
		smp_store_release(&recycler->published, fence->seqno);
		dma_fence_put(old);
		other = race_recycled_create(OF_OTHERS, 0);
		race_linger();
		dma_fence_put(other);
	}
}

static bool check_slot(struct kunit *test, void *data)
{
	struct recycler *recycler = data;

	KUNIT_EXPECT_EQ(test, recycler->wrong, 0);
	dma_fence_put(unrcu_pointer(xchg(&recycler->slot, NULL)));
	return true;
}

static const struct race get_against_replace = {
	prepare_slot, look_into_slot, replace_slot, check_slot,
};

static void found_fence_is_what_was_published(struct kunit *test)
{
	struct recycler *recycler = kunit_kzalloc(test, sizeof(*recycler), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, recycler);
	race_run(test, &get_against_replace, recycler);
}

/* ---- arrays ---- */

static const struct mode {
	const char *desc;
	bool any;
} modes[] = {
	{ "all", false },
	{ "any", true },
};

KUNIT_ARRAY_PARAM_DESC(mode, modes, desc);

static struct arena *arena_create_mode(struct kunit *test)
{
	struct arena *arena = arena_create(test);

	arena->any = ((const struct mode *)test->param_value)->any;
	return arena;
}

/* Of those that wait for all, every other one has a member that has signalled. */
static bool prepare_array(struct kunit *test, void *data)
{
	struct dma_fence **list = kcalloc(NUM_FENCES, sizeof(*list), GFP_KERNEL);
	struct dma_fence_array *array;
	struct arena *arena = data;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	arena_fill(test, arena);
	for (i = 0; i < NUM_FENCES; i++)
		list[i] = dma_fence_get(arena->fences[i]);
	array = dma_fence_array_create(NUM_FENCES, list, 1, 1, arena->any);
	KUNIT_ASSERT_NOT_NULL(test, array);
	arena->head = &array->base;
	if (!arena->any && get_random_u32_below(2))
		dma_fence_signal(arena->fences[get_random_u32_below(NUM_FENCES)]);
	return true;
}

/* Once complete, an array holds on to nothing but its members. */
static bool check_array(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena_expect_call(test, arena);
	KUNIT_EXPECT_EQ(test, arena->head->error, 0);
	KUNIT_EXPECT_TRUE(test, race_fence_refs(arena->head, 1));
	dma_fence_put(arena->head);
	return arena_clear(test, arena);
}

static const struct race enable_array_against_signal = {
	prepare_array, arena_wait_for_head, arena_signal_all, check_array,
};

static void array_completes_while_being_enabled(struct kunit *test)
{
	arena_run(test, &enable_array_against_signal, arena_create_mode(test));
}

static bool prepare_enabled_array(struct kunit *test, void *data)
{
	prepare_array(test, data);
	arena_wait_for_head(data);
	return true;
}

static void signal_backwards(void *data)
{
	struct arena *arena = data;
	unsigned int i;

	for (i = NUM_FENCES; i--;)
		dma_fence_signal(arena->fences[i]);
}

static const struct race members_against_each_other = {
	prepare_enabled_array, arena_signal_all, signal_backwards, check_array,
};

static void members_signal_on_two_sides(struct kunit *test)
{
	race_run(test, &members_against_each_other, arena_create_mode(test));
}

static bool head_polls_done(void *data)
{
	return dma_fence_is_signaled(((struct arena *)data)->head);
}

static void poll_until_done(void *data)
{
	struct arena *arena = data;
	unsigned int wanted = arena->any ? 1 : NUM_FENCES;

	arena_expect(arena, race_spin(head_polls_done, arena));
	arena_expect(arena, arena_num_done(arena) >= wanted);
	arena_expect(arena, dma_fence_is_signaled(arena->head));
}

static const struct race poll_array_against_signal = {
	prepare_enabled_array, poll_until_done, arena_signal_all, check_array,
};

static void polled_array_is_done_when_members_are(struct kunit *test)
{
	race_run(test, &poll_array_against_signal, arena_create_mode(test));
}

static bool check_polled_array(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_TRUE(test, race_fence_signaled(arena->head));
	KUNIT_EXPECT_TRUE(test, race_fence_refs(arena->head, 1));
	dma_fence_put(arena->head);
	return arena_clear(test, arena);
}

static void enable_then_signal(void *data)
{
	struct arena *arena = data;

	dma_fence_enable_sw_signaling(arena->head);
	arena_signal_all(arena);
}

static const struct race poll_array_against_enable = {
	prepare_array, poll_until_done, enable_then_signal, check_polled_array,
};

static void polled_array_may_be_enabled_meanwhile(struct kunit *test)
{
	race_run(test, &poll_array_against_enable, arena_create_mode(test));
}

static void fail_all(void *data)
{
	struct arena *arena = data;
	unsigned int i;

	for (i = 0; i < NUM_FENCES; i++) {
		if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &arena->fences[i]->flags))
			continue;
		dma_fence_set_error(arena->fences[i], -EIO);
		dma_fence_signal(arena->fences[i]);
	}
}

static bool check_failed_array(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena_expect_call(test, arena);
	KUNIT_EXPECT_EQ(test, arena->head->error, -EIO);
	KUNIT_EXPECT_TRUE(test, race_fence_refs(arena->head, 1));
	dma_fence_put(arena->head);
	return arena_clear(test, arena);
}

static const struct race enable_array_against_errors = {
	prepare_array, arena_wait_for_head, fail_all, check_failed_array,
};

/* Whether the callback sees it or enabling does, it must not be lost. */
static void error_is_found_while_being_enabled(struct kunit *test)
{
	arena_run(test, &enable_array_against_errors, arena_create_mode(test));
}

/* ---- chains ---- */

/* Seqnos 1 to NUM_FENCES, the n-th contains fence n - 1. */
static bool prepare_chain(struct kunit *test, void *data)
{
	struct dma_fence_chain *chain;
	struct arena *arena = data;
	unsigned int i;

	arena_fill(test, arena);
	for (i = 0; i < NUM_FENCES; i++) {
		chain = dma_fence_chain_alloc();
		KUNIT_ASSERT_NOT_NULL(test, chain);
		dma_fence_chain_init(chain, arena->head, dma_fence_get(arena->fences[i]), i + 1);
		arena->head = &chain->base;
	}
	return true;
}

static bool check_chain(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena_signal_all(arena);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(arena->head));
	KUNIT_EXPECT_TRUE(test, race_fence_refs(arena->head, 1));
	dma_fence_put(arena->head);
	return arena_clear(test, arena);
}

static bool check_called_chain(struct kunit *test, void *data)
{
	arena_expect_call(test, data);
	return check_chain(test, data);
}

static const struct race enable_chain_against_signal = {
	prepare_chain, arena_wait_for_head, arena_signal_all, check_called_chain,
};

static void node_completes_while_being_enabled(struct kunit *test)
{
	arena_run(test, &enable_chain_against_signal, arena_create(test));
}

static bool prepare_enabled_chain(struct kunit *test, void *data)
{
	prepare_chain(test, data);
	arena_wait_for_head(data);
	return true;
}

static const struct race links_against_each_other = {
	prepare_enabled_chain, arena_signal_all, signal_backwards, check_called_chain,
};

static void links_signal_on_two_sides(struct kunit *test)
{
	race_run(test, &links_against_each_other, arena_create(test));
}

static void walk(void *data)
{
	struct arena *arena = data;
	u64 last = NUM_FENCES + 1;
	struct dma_fence *fence;

	dma_fence_chain_for_each(fence, arena->head) {
		arena_expect(arena, fence->seqno < last);
		last = fence->seqno;
	}
}

static void walk_and_signal(void *data)
{
	struct arena *arena = data;
	unsigned int i;

	for (i = 0; i < NUM_FENCES; i++) {
		dma_fence_signal(arena->fences[i]);
		walk(arena);
	}
}

static void walk_often(void *data)
{
	unsigned int i;

	for (i = 0; i < NUM_FENCES; i++)
		walk(data);
}

static const struct race walk_against_walk = {
	prepare_chain, walk_often, walk_and_signal, check_chain,
};

static void walkers_collect_the_same_links(struct kunit *test)
{
	race_run(test, &walk_against_walk, arena_create(test));
}

static bool prepare_half_done_chain(struct kunit *test, void *data)
{
	struct arena *arena = data;

	prepare_chain(test, arena);
	dma_fence_signal(arena->fences[1]);
	dma_fence_signal(arena->fences[2]);
	return true;
}

static const struct race collect_against_collect = {
	prepare_half_done_chain, walk, walk, check_chain,
};

static void walkers_meet_at_signalled_links(struct kunit *test)
{
	race_run(test, &collect_against_collect, arena_create(test));
}

/* All points between the result and the requested one must have signalled. */
static void find_points(void *data)
{
	struct arena *arena = data;
	struct dma_fence *fence;
	unsigned int i, point;

	for (point = NUM_FENCES; point; point--) {
		fence = dma_fence_get(arena->head);
		arena_expect(arena, !dma_fence_chain_find_seqno(&fence, point));
		for (i = fence ? fence->seqno : 0; i < point; i++)
			arena_expect(arena, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
						     &arena->fences[i]->flags));
		dma_fence_put(fence);
	}
}

static const struct race find_against_signal = {
	prepare_chain, find_points, walk_and_signal, check_chain,
};

static void found_node_stands_for_the_point(struct kunit *test)
{
	race_run(test, &find_against_signal, arena_create(test));
}

/* Two timelines that were one once: nodes on top of the same older ones. */
struct fork {
	struct arena arena;
	struct dma_fence *tips[2];
};

static bool prepare_fork(struct kunit *test, void *data)
{
	struct dma_fence_chain *chain;
	struct fork *fork = data;
	unsigned int i;

	prepare_chain(test, &fork->arena);
	for (i = 0; i < 2; i++) {
		chain = dma_fence_chain_alloc();
		KUNIT_ASSERT_NOT_NULL(test, chain);
		dma_fence_chain_init(chain, dma_fence_get(fork->arena.head),
				     dma_fence_get(fork->arena.fences[0]), 10 + i);
		fork->tips[i] = &chain->base;
	}
	dma_fence_put(fork->arena.head);
	return true;
}

static void put_tip_here(void *data)
{
	dma_fence_put(((struct fork *)data)->tips[0]);
}

static void put_tip_there(void *data)
{
	dma_fence_put(((struct fork *)data)->tips[1]);
}

static bool check_fork(struct kunit *test, void *data)
{
	return arena_clear(test, &((struct fork *)data)->arena);
}

static const struct race put_against_put = {
	prepare_fork, put_tip_here, put_tip_there, check_fork,
};

static void links_with_two_owners_are_released(struct kunit *test)
{
	struct fork *fork = kunit_kzalloc(test, sizeof(*fork), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fork);
	race_run(test, &put_against_put, fork);
}

/* The tip itself, and the two of the older ones that are pending. */
static void walk_from_tip(void *data)
{
	struct dma_fence *fence;
	struct fork *fork = data;
	unsigned int num = 0;

	dma_fence_chain_for_each(fence, fork->tips[1])
		num++;
	arena_expect(&fork->arena, num == 3);
	dma_fence_put(fork->tips[1]);
}

static bool prepare_half_done_fork(struct kunit *test, void *data)
{
	struct fork *fork = data;

	prepare_fork(test, fork);
	dma_fence_signal(fork->arena.fences[1]);
	dma_fence_signal(fork->arena.fences[3]);
	return true;
}

static const struct race walk_against_put = {
	prepare_half_done_fork, put_tip_here, walk_from_tip, check_fork,
};

static void walker_keeps_what_it_stands_on(struct kunit *test)
{
	struct fork *fork = kunit_kzalloc(test, sizeof(*fork), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fork);
	race_run(test, &walk_against_put, fork);
}

/* ---- merging, sync files ---- */

static void merge_some(void *data)
{
	struct arena *arena = data;
	struct dma_fence *merged;
	unsigned int i;

	for (i = 0; i < NUM_FENCES; i++) {
		merged = dma_fence_unwrap_merge(arena->head, arena->fences[i]);
		arena_expect(arena, merged);
		if (!merged)
			return;
		if (dma_fence_is_signaled(merged))
			arena_expect(arena, arena_num_done(arena) == NUM_FENCES);
		dma_fence_put(merged);
	}
}

static const struct race merge_against_signal = {
	prepare_chain, merge_some, walk_and_signal, check_chain,
};

static void merged_fence_waits_for_what_is_pending(struct kunit *test)
{
	race_run(test, &merge_against_signal, arena_create(test));
}

struct poller {
	struct arena arena;
	struct sync_file *file;
	struct poll_wqueues table;
	bool at_once;
	bool ready;
};

static bool prepare_poller(struct kunit *test, void *data)
{
	struct poller *poller = data;

	prepare_fence(test, &poller->arena);
	poller->file = sync_file_create(poller->arena.head);
	KUNIT_ASSERT_NOT_NULL(test, poller->file);
	return true;
}

static bool poller_woken(void *data)
{
	struct poll_wqueues *table = data;

	/* pollwake() stores plainly, but only ever the one value. */
	return data_race(READ_ONCE(table->triggered));
}

/* As poll() does, but without going to sleep: was it woken, if it would have slept? */
static void poll_file(void *data)
{
	struct poller *poller = data;

	poll_initwait(&poller->table);
	poller->at_once = vfs_poll(poller->file->file, &poller->table.pt) & EPOLLIN;
	poller->ready = poller->at_once || race_spin(poller_woken, &poller->table);
	poll_freewait(&poller->table);
}

static void signal_file(void *data)
{
	dma_fence_signal(((struct poller *)data)->arena.head);
}

static bool check_poller(struct kunit *test, void *data)
{
	struct poller *poller = data;

	KUNIT_EXPECT_TRUE(test, poller->ready);
	poller->arena.outcomes[poller->at_once]++;
	KUNIT_EXPECT_TRUE(test, vfs_poll(poller->file->file, NULL) == EPOLLIN);
	__fput_sync(poller->file->file);
	return arena_clear(test, &poller->arena);
}

static const struct race poll_file_against_signal = {
	prepare_poller, poll_file, signal_file, check_poller,
};

static void poller_of_a_sync_file_is_woken(struct kunit *test)
{
	struct poller *poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, poller);
	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		kunit_skip(test, "needs CONFIG_SYNC_FILE");
	race_run_both(test, &poll_file_against_signal, poller, poller->arena.outcomes);
}

static void close_file(void *data)
{
	struct poller *poller = data;

	vfs_poll(poller->file->file, NULL);
	__fput_sync(poller->file->file);
}

static bool check_closed(struct kunit *test, void *data)
{
	return arena_clear(test, &((struct poller *)data)->arena);
}

static const struct race close_file_against_signal = {
	prepare_poller, close_file, signal_file, check_closed,
};

static void sync_file_may_be_closed_meanwhile(struct kunit *test)
{
	struct poller *poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, poller);
	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		kunit_skip(test, "needs CONFIG_SYNC_FILE");
	race_run(test, &close_file_against_signal, poller);
}

/* ---- drivers that go ---- */

/* The lock of a fence, and the other data that are freed with the driver. */
struct lost_driver {
	spinlock_t lock; /* of the fence */
	char name[8];
	struct rcu_head rcu;
};

static const char *lost_driver_name(struct dma_fence *fence)
{
	return container_of(fence->lock, struct lost_driver, lock)->name;
}

static bool lost_driver_enable(struct dma_fence *fence)
{
	return lost_driver_name(fence)[0];
}

static bool lost_driver_signaled(struct dma_fence *fence)
{
	return !lost_driver_name(fence)[0];
}

static void lost_driver_deadline(struct dma_fence *fence, ktime_t deadline)
{
	guard(spinlock_irqsave)(fence->lock);
}

static const struct dma_fence_ops lost_driver_ops = {
	.get_driver_name = lost_driver_name,
	.get_timeline_name = lost_driver_name,
	.enable_signaling = lost_driver_enable,
	.signaled = lost_driver_signaled,
	.set_deadline = lost_driver_deadline,
};

static struct dma_fence *lost_driver_fence(struct kunit *test)
{
	struct lost_driver *lost = kzalloc(sizeof(*lost), GFP_KERNEL);
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lost);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&lost->lock);
	strscpy(lost->name, "alive");
	dma_fence_init(fence, &lost_driver_ops, &lost->lock, 1, 1);
	return fence;
}

/* As it has to be: the driver frees a grace period after the signal. */
static void signal_and_go(struct dma_fence *fence)
{
	struct lost_driver *lost = container_of(fence->lock, struct lost_driver, lock);

	dma_fence_signal(fence);
	kfree_rcu(lost, rcu);
}

static bool prepare_lost_driver(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena->head = lost_driver_fence(test);
	return true;
}

static void describe_there(struct arena *arena)
{
	char line[64] = "";
	struct seq_file seq = { .buf = line, .size = sizeof(line) };

	dma_fence_describe(arena->head, &seq);
	arena->ret[0] = strstr(line, "alive") ? 0 : 1;
	arena_expect(arena, arena->ret[0] ? !!strstr(line, "detached-driver") : true);
}

static void ask_there(struct arena *arena)
{
	arena->ret[0] = dma_fence_is_signaled(arena->head);
}

static void add_callback_there(struct arena *arena)
{
	arena->ret[0] = dma_fence_add_callback(arena->head, &arena->cb, arena_called) ? 1 : 0;
}

static void enable_there(struct arena *arena)
{
	arena->ret[0] = dma_fence_signaled_flag(arena->head);
	dma_fence_enable_sw_signaling(arena->head);
}

static void deadline_there(struct arena *arena)
{
	arena->ret[0] = dma_fence_signaled_flag(arena->head);
	dma_fence_set_deadline(arena->head, 1);
}

static void wait_there(struct arena *arena)
{
	arena->ret[0] = dma_fence_signaled_flag(arena->head);
	arena_expect(arena, dma_fence_wait_timeout(arena->head, false, 10 * HZ) > 0);
}

static void take_back_there(struct arena *arena)
{
	arena->calls = 0;
	arena->ret[0] = 1;
	if (dma_fence_add_callback(arena->head, &arena->cb, arena_called))
		return;
	if (!dma_fence_remove_callback(arena->head, &arena->cb)) {
		arena_expect(arena, arena->calls == 1 && !arena->in_call);
		return;
	}
	arena->ret[0] = 0;
}

struct lost_use {
	const char *desc;
	void (*use)(struct arena *arena);
};

static const struct lost_use lost_uses[] = {
	{ "describe", describe_there },
	{ "ask", ask_there },
	{ "add callback", add_callback_there },
	{ "enable", enable_there },
	{ "set deadline", deadline_there },
	{ "wait", wait_there },
	{ "take back", take_back_there },
};

KUNIT_ARRAY_PARAM_DESC(lost_use, lost_uses, desc);

struct lost_arena {
	struct arena arena;
	const struct lost_use *use;
};

static void use_lost_fence(void *data)
{
	struct lost_arena *lost = data;

	lost->use->use(&lost->arena);
}

static void signal_lost_fence(void *data)
{
	signal_and_go(((struct arena *)data)->head);
}

static bool check_lost_fence(struct kunit *test, void *data)
{
	struct arena *arena = data;

	KUNIT_EXPECT_FALSE(test, arena->wrong);
	arena->outcomes[arena->ret[0]]++;
	dma_fence_put(arena->head);
	return true;
}

static const struct race use_against_driver = {
	prepare_lost_driver, use_lost_fence, signal_lost_fence, check_lost_fence,
};

static void fence_may_be_used_when_the_driver_goes(struct kunit *test)
{
	struct lost_arena *lost = kunit_kzalloc(test, sizeof(*lost), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lost);
	lost->use = test->param_value;
	race_run_both(test, &use_against_driver, lost, lost->arena.outcomes);
	rcu_barrier();
}

static bool prepare_lost_file(struct kunit *test, void *data)
{
	struct poller *poller = data;

	prepare_lost_driver(test, &poller->arena);
	poller->file = sync_file_create(poller->arena.head);
	KUNIT_ASSERT_NOT_NULL(test, poller->file);
	vfs_poll(poller->file->file, NULL);
	return true;
}

static void close_polled_file(void *data)
{
	struct poller *poller = data;

	poller->at_once = dma_fence_signaled_flag(poller->arena.head);
	__fput_sync(poller->file->file);
}

static bool check_lost_file(struct kunit *test, void *data)
{
	struct poller *poller = data;

	poller->arena.outcomes[poller->at_once]++;
	KUNIT_EXPECT_TRUE(test, race_fence_refs(poller->arena.head, 1));
	dma_fence_put(poller->arena.head);
	return true;
}

static const struct race close_file_against_driver = {
	prepare_lost_file, close_polled_file, signal_lost_fence, check_lost_file,
};

static void file_may_be_closed_when_the_driver_goes(struct kunit *test)
{
	struct poller *poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, poller);
	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		kunit_skip(test, "needs CONFIG_SYNC_FILE");
	race_run_both(test, &close_file_against_driver, poller, poller->arena.outcomes);
	rcu_barrier();
}

/*
 * A signaller between flag and timestamp: who wants the time has to stand in line for
 * the lock, since on PREEMPT_RT that is what lets the signaller go on.
 */
struct stopped {
	struct arena arena;
	bool contended;
	ktime_t told;
};

static bool prepare_lone_fence(struct kunit *test, void *data)
{
	struct arena *arena = data;

	arena->head = race_fence_create(&mock_fence_bare_ops, 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, arena->head);
	return true;
}

static void stop_between_flag_and_time(void *data)
{
	struct stopped *stopped = data;
	struct dma_fence *fence = stopped->arena.head;
	unsigned int patience;
	unsigned long flags;

	spin_lock_irqsave(fence->lock, flags);
	set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	for (patience = 10000000; patience && !spin_is_contended(fence->lock); patience--)
		cpu_relax();
	stopped->contended = patience;
	fence->timestamp = 1234;
	smp_wmb(); /* as a signaller has it */
	set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags);
	spin_unlock_irqrestore(fence->lock, flags);
}

static bool stopped_after_flag(void *data)
{
	return dma_fence_signaled_flag(((struct stopped *)data)->arena.head);
}

static void ask_for_the_time(void *data)
{
	struct stopped *stopped = data;

	if (race_spin(stopped_after_flag, stopped))
		stopped->told = dma_fence_timestamp(stopped->arena.head);
}

static bool check_stopped(struct kunit *test, void *data)
{
	struct stopped *stopped = data;

	KUNIT_EXPECT_TRUE(test, stopped->contended);
	KUNIT_EXPECT_EQ(test, stopped->told, 1234);
	dma_fence_put(stopped->arena.head);
	return stopped->contended;
}

static const struct race time_against_signal = {
	prepare_lone_fence, ask_for_the_time, stop_between_flag_and_time, check_stopped,
};

static void timestamp_is_waited_for_at_the_lock(struct kunit *test)
{
	struct stopped *stopped = kunit_kzalloc(test, sizeof(*stopped), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stopped);
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "cannot see who waits for a lock that sleeps");
	race_run(test, &time_against_signal, stopped);
}

static struct kunit_case dma_fence_race_cases[] = {
	KUNIT_CASE(callback_is_called_once_or_refused),
	KUNIT_CASE(one_of_two_signals_wins),
	KUNIT_CASE(callback_is_removed_or_has_run),
	KUNIT_CASE(both_who_poll_are_told),
	KUNIT_CASE(fence_on_the_stack_may_go_after_a_wait),
	KUNIT_CASE(found_fence_is_what_was_published),
	KUNIT_CASE_PARAM(array_completes_while_being_enabled, mode_gen_params),
	KUNIT_CASE_PARAM(members_signal_on_two_sides, mode_gen_params),
	KUNIT_CASE_PARAM(polled_array_is_done_when_members_are, mode_gen_params),
	KUNIT_CASE_PARAM(polled_array_may_be_enabled_meanwhile, mode_gen_params),
	KUNIT_CASE_PARAM(error_is_found_while_being_enabled, mode_gen_params),
	KUNIT_CASE(node_completes_while_being_enabled),
	KUNIT_CASE(links_signal_on_two_sides),
	KUNIT_CASE(walkers_collect_the_same_links),
	KUNIT_CASE(walkers_meet_at_signalled_links),
	KUNIT_CASE(found_node_stands_for_the_point),
	KUNIT_CASE(links_with_two_owners_are_released),
	KUNIT_CASE(walker_keeps_what_it_stands_on),
	KUNIT_CASE(merged_fence_waits_for_what_is_pending),
	KUNIT_CASE(poller_of_a_sync_file_is_woken),
	KUNIT_CASE(sync_file_may_be_closed_meanwhile),
	KUNIT_CASE_PARAM(fence_may_be_used_when_the_driver_goes, lost_use_gen_params),
	KUNIT_CASE(file_may_be_closed_when_the_driver_goes),
	KUNIT_CASE(timestamp_is_waited_for_at_the_lock),
	{}
};

static void dma_fence_race_suite_exit(struct kunit_suite *suite)
{
	race_recycled_free();
}

static struct kunit_suite dma_fence_race_suite = {
	.name = "dma_fence_race",
	.suite_exit = dma_fence_race_suite_exit,
	.test_cases = dma_fence_race_cases,
};

kunit_test_suite(dma_fence_race_suite);

MODULE_DESCRIPTION("KUnit tests for fences on two CPUs at once");
MODULE_LICENSE("GPL");
