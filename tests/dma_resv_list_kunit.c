// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the list of fences as memory: how large it is, when it is replaced,
 * and what lockless readers are told about it.
 */

#include <kunit/test.h>

#include <linux/jiffies.h>
#include <linux/slab.h>

#include "../dma-resv-internal.h"
#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_resv.h"
#include "race.h"

#define MAX_FENCES	256
#define MAX_CONTEXTS	8
#define MAX_RESERVE	8
#define NUM_FRAMES	200
#define MAX_LISTS	6

static struct dma_resv_list *list_of(struct dma_resv *obj)
{
	return rcu_access_pointer(obj->fences);
}

/* The case holds no reference on it afterwards. */
static void add_own(struct kunit *test, struct dma_resv *obj, struct dma_fence *fence)
{
	KUNIT_ASSERT_NOT_NULL(test, fence);
	mock_resv_add(test, obj, fence, DMA_RESV_USAGE_READ);
	dma_fence_put(fence);
}

static void fill(struct kunit *test, struct dma_resv *obj, unsigned int num_fences)
{
	while (num_fences--)
		add_own(test, obj, race_fence_create(&mock_fence_bare_ops,
						     dma_fence_context_alloc(1), 1));
}

static void signal_all(struct dma_resv *obj)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(obj, NULL);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence)
		dma_fence_signal(fence);
	dma_resv_unlock(obj);
}

/* ---- how large ---- */

/* Bytes of the stock core's list for as many pending fences, added one by one. */
static size_t stock_bytes(unsigned int num_fences)
{
	static const struct {
		unsigned int num_fences;
		size_t bytes;
	} rows[] = {
		{ 5, 64 }, { 13, 128 }, { 29, 256 }, { 61, 512 }, { 125, 1024 }, { 253, 2048 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (num_fences <= rows[i].num_fences)
			return rows[i].bytes;
	return 4096;
}

static void list_is_never_longer_than_in_the_stock_core(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	size_t bytes, last = 0;
	unsigned int n;

	if (!IS_ENABLED(CONFIG_64BIT))
		kunit_skip(test, "the row is that of 64 bits");

	for (n = 1; n <= MAX_FENCES; n++) {
		fill(test, obj, 1);
		bytes = ksize(list_of(obj));
		if (bytes != last)
			kunit_info(test, "from %u fences: %zu bytes\n", n, bytes);
		last = bytes;
		KUNIT_EXPECT_LE_MSG(test, bytes, stock_bytes(n), "%u fences", n);
	}
	signal_all(obj);
}

static void object_is_a_lock_and_a_pointer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(struct dma_resv), sizeof(struct ww_mutex) + sizeof(void *));
	if (IS_ENABLED(CONFIG_64BIT) && !IS_ENABLED(CONFIG_DEBUG_MUTEXES) &&
	    !IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) && !IS_ENABLED(CONFIG_DEBUG_SPINLOCK))
		KUNIT_EXPECT_LE(test, sizeof(struct dma_resv), 48);
}

static void list_has_at_most_65535_slots(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_list *list;

	fill(test, obj, 1);
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, U16_MAX - 1), 0);
	list = list_of(obj);
	KUNIT_EXPECT_EQ(test, list->capacity, U16_MAX);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, U16_MAX), -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	dma_resv_unlock(obj);
	signal_all(obj);
}

/* ---- when it is replaced ---- */

/* One job of each context, which reserves more than it adds, or as much. */
static unsigned int run_frame(struct kunit *test, struct dma_resv *obj, unsigned int frame,
			      unsigned int contexts, unsigned int reserve, bool all)
{
	struct dma_resv_list *list = list_of(obj);
	unsigned int context, i, changes = 0;
	struct dma_fence *fence;

	for (context = 1; context <= contexts; context++) {
		dma_resv_lock(obj, NULL);
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, reserve), 0);
		changes += list_of(obj) != list;
		list = list_of(obj);
		for (i = 0; i < (all ? reserve : 1); i++) {
			fence = race_fence_create(&mock_fence_bare_ops, context * MAX_RESERVE + i,
						  frame + 1);
			KUNIT_ASSERT_NOT_NULL(test, fence);
			dma_resv_add_fence(obj, fence, DMA_RESV_USAGE_READ);
			dma_fence_put(fence);
		}
		dma_resv_unlock(obj);
		changes += list_of(obj) != list;
	}
	signal_all(obj);
	return changes;
}

struct steady_state {
	const char *desc;
	bool all;
};

static const struct steady_state steady_states[] = {
	{ "one fence of each reserve is added", false },
	{ "all fences of each reserve are added", true },
};

KUNIT_ARRAY_PARAM_DESC(steady_state, steady_states, desc);

static void steady_state_allocates_nothing(struct kunit *test)
{
	const struct steady_state *param = test->param_value;
	unsigned int contexts, reserve, frame, lists, late;
	char row[4 * MAX_RESERVE + 1];

	for (contexts = 1; contexts <= MAX_CONTEXTS; contexts++) {
		for (reserve = 1; reserve <= MAX_RESERVE; reserve++) {
			struct dma_resv obj;

			dma_resv_init(&obj);
			lists = 0;
			late = 0;
			for (frame = 0; frame < NUM_FRAMES; frame++) {
				unsigned int changes = run_frame(test, &obj, frame, contexts,
								 reserve, param->all);

				lists += changes;
				late += frame ? changes : 0;
			}
			dma_resv_fini(&obj);
			snprintf(&row[4 * (reserve - 1)], 5, "%4u", lists);
			KUNIT_EXPECT_LE_MSG(test, lists, MAX_LISTS, "%u contexts reserve %u",
					    contexts, reserve);
			KUNIT_EXPECT_EQ_MSG(test, late, 0, "%u contexts reserve %u", contexts,
					    reserve);
		}
		kunit_info(test, "%u contexts:%s\n", contexts, row);
	}
}

static void reserve_counts_signalled_fences_as_room(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *polled = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_list *list = list_of(obj);

	fill(test, obj, list->capacity - 2);
	dma_fence_signal(&done->base);
	polled->complete = true;

	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 2), 0);
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		dma_resv_add_fence(obj, &mock_fence_new_full(test)->base, DMA_RESV_USAGE_READ);
		dma_resv_add_fence(obj, &mock_fence_new_full(test)->base, DMA_RESV_USAGE_READ);
	});
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	KUNIT_EXPECT_PTR_NE(test, list_of(obj), list);
	dma_resv_unlock(obj);
	signal_all(obj);
}

static void complete_on_second_poll(struct mock_fence *mock)
{
	mock->complete = mock->log->polls > 0;
}

/* A walk tells lists apart by a number, which lasts as long as each list is longer. */
static void list_gets_longer_while_fences_signal(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	unsigned int capacity = list_of(obj)->capacity;

	fill(test, obj, capacity - 1);
	mock->log->polls = 0;
	mock->on_poll = complete_on_second_poll;
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	KUNIT_EXPECT_GE(test, list_of(obj)->capacity, 2 * capacity);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock->log->polls, 1);
	mock->on_poll = NULL;
	signal_all(obj);
}

/* As those drivers do that give up preemption fences between reserve and add. */
static void reserve_outlasts_a_replace_by_the_stub(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *preempt = mock_resv_add_new(test, obj, DMA_RESV_USAGE_BOOKKEEP);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_resv_list *list = list_of(obj);

	fill(test, obj, list->capacity - 2);
	dma_fence_signal(&done->base);

	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_replace_fences(obj, preempt->base.context, stub, DMA_RESV_USAGE_BOOKKEEP);
	EXPECT_KERNEL_WARNINGS(test, 0,
			       dma_resv_add_fence(obj, &mock_fence_new_full(test)->base,
						  DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	dma_resv_unlock(obj);
	dma_fence_put(stub);
	signal_all(obj);
}

static void copy_of_nothing_into_nothing_makes_no_list(struct kunit *test)
{
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);

	dma_resv_lock(dst, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(dst, src), 0);
	dma_resv_unlock(dst);
	KUNIT_EXPECT_NULL(test, list_of(dst));
}

static void each_list_has_the_next_serial(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *empty = mock_resv_create(test);

	fill(test, obj, 1);
	KUNIT_EXPECT_EQ(test, list_of(obj)->serial, 0);
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 30), 0);
	KUNIT_EXPECT_EQ(test, list_of(obj)->serial, 1);
	dma_resv_unlock(obj);
	signal_all(obj);

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_copy_fences(obj, empty), 0);
	KUNIT_ASSERT_NOT_NULL(test, list_of(obj));
	KUNIT_EXPECT_EQ(test, list_of(obj)->serial, 2);
	dma_resv_unlock(obj);
}

/* ---- what readers are told ---- */

static void change_in_place_is_counted(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *old = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *new = mock_fence_new_full(test);
	u32 changes = list_of(obj)->changes;

	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, old->base.context, &new->base, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, list_of(obj)->changes, changes + 1);
	/* The same fence with another usage is a change. */
	dma_resv_replace_fences(obj, new->base.context, &new->base, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, list_of(obj)->changes, changes + 2);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&new->base), 2);
}

static void fence_replaced_by_itself_disturbs_nobody(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	u32 changes = list_of(obj)->changes;

	mock_resv_add(test, obj, &mock->base, DMA_RESV_USAGE_READ);
	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, mock->base.context, &mock->base, DMA_RESV_USAGE_READ);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, list_of(obj)->changes, changes);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

/* Fences that hand their slot to the next one when they are asked. */
struct relay {
	struct dma_resv *obj;
	struct mock_fence *fences[32];
	unsigned int polls;
};

static void relay_to_next(struct mock_fence *mock)
{
	struct relay *relay = mock->on_poll_data;
	struct mock_fence *next = relay->fences[++relay->polls];

	mock->on_poll = NULL;
	if (!next || !dma_resv_trylock(relay->obj))
		return;
	dma_resv_replace_fences(relay->obj, mock->base.context, &next->base, DMA_RESV_USAGE_READ);
	dma_resv_unlock(relay->obj);
	mock->complete = true;
}

static void test_gives_up_on_a_slot_that_keeps_changing(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct relay relay = { obj };
	unsigned int i;

	/* The last one keeps the slot. */
	for (i = 0; i < ARRAY_SIZE(relay.fences) - 1; i++) {
		relay.fences[i] = mock_fence_new_full(test);
		relay.fences[i]->on_poll_data = &relay;
		relay.fences[i]->on_poll = relay_to_next;
	}
	mock_resv_add(test, obj, &relay.fences[0]->base, DMA_RESV_USAGE_READ);

	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, relay.polls, 8);
	for (i = 0; i < ARRAY_SIZE(relay.fences) - 1; i++)
		relay.fences[i]->on_poll = NULL;
}

/* ---- a fence that finds no slot ---- */

static void add_to_a_full_list_takes_what_is_over(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *done = mock_fence_new_full(test), *last;
	unsigned int i, capacity;

	dma_resv_lock(obj, NULL);
	mock_resv_reserve_add(test, obj, &done->base, DMA_RESV_USAGE_READ);
	capacity = list_of(obj)->capacity;
	for (i = 1; i < capacity; i++)
		mock_resv_reserve_add(test, obj, mock_fence_new(test), DMA_RESV_USAGE_READ);
	/* Pending when a slot is looked for, over when room is. */
	done->log->polls = 0;
	done->on_poll = complete_on_second_poll;
	last = mock_fence_new_full(test);
	EXPECT_KERNEL_WARNING(test, dma_resv_add_fence(obj, &last->base, DMA_RESV_USAGE_READ));
	dma_resv_unlock(obj);

	done->on_poll = NULL;
	KUNIT_EXPECT_EQ(test, list_of(obj)->capacity, capacity);
	KUNIT_EXPECT_EQ(test, list_of(obj)->num_fences, capacity);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&done->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&last->base), 2);
}

/* ---- since when nothing has come in ---- */

/* Let the last add have been so long ago. */
static void make_old(struct dma_resv *obj)
{
	list_of(obj)->added = jiffies - 100 * HZ;
}

/* The caller may have the lock. */
static u32 quiet_of(struct dma_resv *obj)
{
	bool locked = dma_resv_trylock(obj);
	u32 quiet = dma_resv_quiet(obj);

	if (locked)
		dma_resv_unlock(obj);
	return quiet;
}

static void expect_old(struct kunit *test, struct dma_resv *obj)
{
	KUNIT_EXPECT_GE(test, quiet_of(obj), 100 * HZ - 1);
	KUNIT_EXPECT_LT(test, quiet_of(obj), 150 * HZ);
}

static void expect_new(struct kunit *test, struct dma_resv *obj)
{
	KUNIT_EXPECT_LT(test, quiet_of(obj), 50 * HZ);
	make_old(obj);
}

static void each_new_fence_ends_the_quiet(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *old, *new = mock_fence_new_full(test);

	KUNIT_EXPECT_EQ(test, quiet_of(obj), 0);
	old = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	expect_new(test, obj);
	expect_old(test, obj);
	/* In a slot of its own, in that of another, and by copying. */
	mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	expect_new(test, obj);
	dma_fence_signal(&old->base);
	mock_resv_add(test, obj, &new->base, DMA_RESV_USAGE_READ);
	expect_new(test, obj);
	mock_resv_add(test, obj, &new->base, DMA_RESV_USAGE_WRITE);
	expect_new(test, obj);
	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, new->base.context, &new->base, DMA_RESV_USAGE_READ);
	expect_new(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_copy_fences(obj, obj), 0);
	expect_new(test, obj);
	dma_resv_unlock(obj);
	signal_all(obj);
}

static void room_does_not_end_the_quiet(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	make_old(obj);
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 100), 0);
	KUNIT_EXPECT_EQ(test, list_of(obj)->serial, 1);
	expect_old(test, obj);
	/* It has been in there all the time. */
	dma_resv_add_fence(obj, &mock->base, DMA_RESV_USAGE_READ);
	expect_old(test, obj);
	dma_resv_unlock(obj);
}

/* After 2^32 jiffies the count begins again, which is a lower bound still. */
static void quiet_begins_again_after_all_jiffies(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	list_of(obj)->added = jiffies + 100 * HZ;
	KUNIT_EXPECT_GE(test, quiet_of(obj), 0U - 100 * HZ - 1);
	list_of(obj)->added = jiffies;
	KUNIT_EXPECT_LT(test, quiet_of(obj), 50 * HZ);
}

/* ---- a fence that finds neither slot nor memory ---- */

static void add_without_memory(struct dma_resv *obj, struct dma_fence *fence)
{
	fail_alloc_arm(1);
	dma_resv_add_fence(obj, fence, DMA_RESV_USAGE_READ);
	fail_alloc_disarm();
}

static void lost_fence_warns_each_time(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "stops the machine there");
	fail_alloc_setup(test);

	dma_resv_lock(obj, NULL);
	/* About the slot, which comes once per boot unless that is forgotten, and the fence. */
	EXPECT_KERNEL_WARNINGS(test, 2 * 2, {
		add_without_memory(obj, &mock->base);
		add_without_memory(obj, &mock->base);
	});
	dma_resv_unlock(obj);
	KUNIT_EXPECT_NULL(test, list_of(obj));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1);
	KUNIT_EXPECT_GT(test, mock->log->names, 0);
}

static struct kunit_case dma_resv_list_cases[] = {
	KUNIT_CASE(list_is_never_longer_than_in_the_stock_core),
	KUNIT_CASE(object_is_a_lock_and_a_pointer),
	KUNIT_CASE(list_has_at_most_65535_slots),
	KUNIT_CASE_PARAM(steady_state_allocates_nothing, steady_state_gen_params),
	KUNIT_CASE(reserve_counts_signalled_fences_as_room),
	KUNIT_CASE(list_gets_longer_while_fences_signal),
	KUNIT_CASE(reserve_outlasts_a_replace_by_the_stub),
	KUNIT_CASE(copy_of_nothing_into_nothing_makes_no_list),
	KUNIT_CASE(each_list_has_the_next_serial),
	KUNIT_CASE(change_in_place_is_counted),
	KUNIT_CASE(fence_replaced_by_itself_disturbs_nobody),
	KUNIT_CASE(test_gives_up_on_a_slot_that_keeps_changing),
	KUNIT_CASE(add_to_a_full_list_takes_what_is_over),
	KUNIT_CASE(each_new_fence_ends_the_quiet),
	KUNIT_CASE(room_does_not_end_the_quiet),
	KUNIT_CASE(quiet_begins_again_after_all_jiffies),
	KUNIT_CASE(lost_fence_warns_each_time),
	{}
};

static struct kunit_suite dma_resv_list_suite = {
	.name = "dma_resv_list",
	.test_cases = dma_resv_list_cases,
};

kunit_test_suite(dma_resv_list_suite);

MODULE_DESCRIPTION("KUnit tests for the list of fences as memory");
MODULE_LICENSE("GPL");
