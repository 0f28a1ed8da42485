// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the list of fences in a reservation object, and how it changes.
 */

#include <kunit/test.h>

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_resv.h"

KUNIT_ARRAY_PARAM_DESC(usage, mock_usages, desc);

static struct mock_fence *fence_of(struct kunit *test, u64 context, u64 seqno)
{
	return mock_fence_create(test, &mock_fence_full_ops, context, seqno);
}

/* The address of the list, without its members. */
static struct dma_resv_list *list_of(struct dma_resv *obj)
{
	return rcu_access_pointer(obj->fences);
}

static void expect_entry(struct kunit *test, const struct mock_resv_snapshot *shot,
			 unsigned int index, struct mock_fence *mock, enum dma_resv_usage usage)
{
	KUNIT_ASSERT_GT(test, shot->count, index);
	KUNIT_EXPECT_PTR_EQ(test, shot->fences[index], &mock->base);
	KUNIT_EXPECT_EQ(test, shot->usages[index], usage);
}

/* ---- usages ---- */

static void usages_are_ordered_by_strength(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, DMA_RESV_USAGE_KERNEL, 0);
	KUNIT_EXPECT_EQ(test, DMA_RESV_USAGE_WRITE, 1);
	KUNIT_EXPECT_EQ(test, DMA_RESV_USAGE_READ, 2);
	KUNIT_EXPECT_EQ(test, DMA_RESV_USAGE_BOOKKEEP, 3);
}

static void writer_waits_for_readers(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dma_resv_usage_rw(true), DMA_RESV_USAGE_READ);
}

static void reader_waits_for_writers(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dma_resv_usage_rw(false), DMA_RESV_USAGE_WRITE);
}

/* ---- init and fini ---- */

static void init_gives_empty_object(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_resv_snapshot shot;

	KUNIT_EXPECT_NULL(test, list_of(obj));
	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, shot.count, 0);
}

static void init_takes_any_memory(struct kunit *test)
{
	struct dma_resv *obj = kunit_kzalloc(test, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	memset(obj, 0xff, sizeof(*obj));
	dma_resv_init(obj);
	KUNIT_EXPECT_NULL(test, list_of(obj));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_BOOKKEEP));
	dma_resv_fini(obj);
}

static void fini_drops_all_references(struct kunit *test)
{
	struct dma_resv obj;
	struct mock_fence *pending = mock_fence_new_full(test);
	struct dma_fence *done = mock_fence_new(test);

	dma_resv_init(&obj);
	mock_resv_add(test, &obj, &pending->base, DMA_RESV_USAGE_READ);
	mock_resv_add(test, &obj, done, DMA_RESV_USAGE_BOOKKEEP);
	dma_fence_signal(done);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&pending->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(done), 2);

	dma_resv_fini(&obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&pending->base), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(done), 1);
}

static void fini_may_drop_the_last_reference(struct kunit *test)
{
	struct dma_resv obj;
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_fence_log *log = mock->log;

	dma_resv_init(&obj);
	mock_resv_add(test, &obj, &mock->base, DMA_RESV_USAGE_READ);
	mock_fence_disown(test, &mock->base);
	dma_fence_signal(&mock->base);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, log->releases, 0);

	dma_resv_fini(&obj);
	KUNIT_EXPECT_EQ(test, log->releases, 1);
}

static void fini_works_in_atomic_context(struct kunit *test)
{
	struct dma_resv obj;
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_resv_init(&obj);
	mock_resv_add(test, &obj, &mock->base, DMA_RESV_USAGE_READ);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		preempt_disable();
		dma_resv_fini(&obj);
		preempt_enable();
	});
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1);
}

/* ---- reserve ---- */

static void reserve_of_nothing_warns(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	int ret = 0;

	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNING(test, ret = dma_resv_reserve_fences(obj, 0));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_NULL(test, list_of(obj));
	dma_resv_unlock(obj);
}

static void reserve_makes_a_list(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	KUNIT_EXPECT_NOT_NULL(test, list_of(obj));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_NOT_NULL(test, list_of(obj));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_BOOKKEEP));
}

static void reserve_does_nothing_while_there_is_room(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_list *list;

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 4), 0);
	list = list_of(obj);
	/* Four slots still do, because reserving does not add up. */
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 4), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	dma_resv_unlock(obj);
}

static void reserve_lasts_for_as_many_adds(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[20];
	struct dma_resv_list *list;
	struct mock_resv_snapshot shot;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mocks); i++)
		mocks[i] = mock_fence_new_full(test);

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, ARRAY_SIZE(mocks)), 0);
	list = list_of(obj);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		for (i = 0; i < ARRAY_SIZE(mocks); i++)
			dma_resv_add_fence(obj, &mocks[i]->base, DMA_RESV_USAGE_READ);
	});
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, ARRAY_SIZE(mocks));
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
}

struct huge_reserve {
	const char *desc;
	unsigned int num_fences;
};

static const struct huge_reserve huge_reserves[] = {
	{ "a lot", 1U << 30 },
	{ "nearly all", UINT_MAX - 1 },
	{ "all", UINT_MAX },
};

KUNIT_ARRAY_PARAM_DESC(huge_reserve, huge_reserves, desc);

static void huge_reserve_fails(struct kunit *test)
{
	const struct huge_reserve *huge = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *other = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_list *list = list_of(obj);
	int ret = 0;

	if (MOCK_STOCK_CORE && huge->num_fences >= UINT_MAX - 1)
		kunit_skip(test, "overflows there");

	dma_resv_lock(obj, NULL);
	ALLOW_KERNEL_WARNING(ret = dma_resv_reserve_fences(obj, huge->num_fences));
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&other->base), 2);
}

static void reserve_without_memory_changes_nothing(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *pending = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_fence *done = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct dma_resv_list *list = list_of(obj);
	struct mock_resv_snapshot shot;
	int ret = 0;

	fail_alloc_setup(test);
	dma_fence_signal(&done->base);
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_TRUE(test, FAIL_NTH_ALLOC(1, ret = dma_resv_reserve_fences(obj, 50)));
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	KUNIT_EXPECT_EQ(test, shot.count, 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&pending->base), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&done->base), 2);
}

static void first_reserve_without_memory_makes_no_list(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	int ret = 0;

	fail_alloc_setup(test);
	dma_resv_lock(obj, NULL);
	KUNIT_EXPECT_TRUE(test, FAIL_NTH_ALLOC(1, ret = dma_resv_reserve_fences(obj, 1)));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_NULL(test, list_of(obj));
}

/* ---- add ---- */

static void add_keeps_the_usage(struct kunit *test)
{
	const struct mock_usage *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, param->usage);
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, shot.count, 1);
	expect_entry(test, &shot, 0, mock, param->usage);
}

/* One fence is in the list, and one of the same context comes. */
struct replace_row {
	const char *desc;
	enum dma_resv_usage old_usage;
	enum dma_resv_usage new_usage;
	bool replaced;
};

static const struct replace_row replace_rows[] = {
	{ "kernel by kernel", DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_KERNEL, true },
	{ "kernel by write", DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE, false },
	{ "kernel by read", DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_READ, false },
	{ "kernel by bookkeep", DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "write by kernel", DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_KERNEL, true },
	{ "write by write", DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_WRITE, true },
	{ "write by read", DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_READ, false },
	{ "write by bookkeep", DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "read by kernel", DMA_RESV_USAGE_READ, DMA_RESV_USAGE_KERNEL, true },
	{ "read by write", DMA_RESV_USAGE_READ, DMA_RESV_USAGE_WRITE, true },
	{ "read by read", DMA_RESV_USAGE_READ, DMA_RESV_USAGE_READ, true },
	{ "read by bookkeep", DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "bookkeep by kernel", DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_KERNEL, true },
	{ "bookkeep by write", DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_WRITE, true },
	{ "bookkeep by read", DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_READ, true },
	{ "bookkeep by bookkeep", DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_BOOKKEEP, true },
};

KUNIT_ARRAY_PARAM_DESC(replace_row, replace_rows, desc);

static void later_fence_replaces_equal_or_weaker(struct kunit *test)
{
	const struct replace_row *row = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *old = fence_of(test, 7, 1);
	struct mock_fence *new = fence_of(test, 7, 2);
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	mock_resv_reserve_add(test, obj, &old->base, row->old_usage);
	mock_resv_reserve_add(test, obj, &new->base, row->new_usage);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, row->replaced ? 1 : 2);
	expect_entry(test, &shot, shot.count - 1, new, row->new_usage);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&old->base), row->replaced ? 1 : 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&new->base), 2);
}

static void same_fence_replaces_equal_or_weaker(struct kunit *test)
{
	const struct replace_row *row = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = fence_of(test, 7, 1);
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	mock_resv_reserve_add(test, obj, &mock->base, row->old_usage);
	mock_resv_reserve_add(test, obj, &mock->base, row->new_usage);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, row->replaced ? 1 : 2);
	expect_entry(test, &shot, shot.count - 1, mock, row->new_usage);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1 + shot.count);
}

static void add_leaves_the_new_fence_alone(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);

	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(&mock->base), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&mock->base.cb_list));
}

static void add_takes_a_signalled_fence(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = mock_fence_new_signaled(test);
	struct mock_resv_snapshot shot;

	mock_resv_add(test, obj, fence, DMA_RESV_USAGE_READ);
	dma_resv_lock(obj, NULL);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, shot.count, 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
}

static void add_neither_sleeps_nor_allocates(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *old = fence_of(test, 7, 1);
	struct mock_fence *new = fence_of(test, 7, 2);
	struct mock_fence *other = fence_of(test, 8, 1);
	bool failed;

	fail_alloc_setup(test);
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 3), 0);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		fail_alloc_arm(1);
		preempt_disable();
		dma_resv_add_fence(obj, &old->base, DMA_RESV_USAGE_READ);
		dma_resv_add_fence(obj, &new->base, DMA_RESV_USAGE_READ);
		dma_resv_add_fence(obj, &other->base, DMA_RESV_USAGE_READ);
		preempt_enable();
		failed = !fail_alloc_disarm();
	});
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, failed);
}

static void add_of_an_array_warns(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence **fences = kmalloc_array(1, sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;

	KUNIT_ASSERT_NOT_NULL(test, fences);
	fences[0] = dma_fence_get_stub();
	array = dma_fence_array_create(1, fences, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);

	EXPECT_KERNEL_WARNING(test, mock_resv_add(test, obj, &array->base, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&array->base), 2);
	dma_fence_put(&array->base);
}

static void add_of_a_chain_warns(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, NULL, dma_fence_get_stub(), 1);

	EXPECT_KERNEL_WARNING(test, mock_resv_add(test, obj, &chain->base, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&chain->base), 2);
	dma_fence_put(&chain->base);
}

/* ---- add without a slot: a driver's mistake ---- */

static void skip_if_that_stops_the_machine(struct kunit *test)
{
	if (MOCK_STOCK_CORE)
		kunit_skip(test, "stops the machine there");
}

static void unlock_forgets_the_reservation(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);

	skip_if_that_stops_the_machine(test);
	if (!IS_ENABLED(CONFIG_DEBUG_MUTEXES))
		kunit_skip(test, "needs CONFIG_DEBUG_MUTEXES");

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_unlock(obj);

	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNING(test, dma_resv_add_fence(obj, &mock->base, DMA_RESV_USAGE_READ));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void add_without_a_list_warns_and_stores(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_resv_snapshot shot;

	skip_if_that_stops_the_machine(test);
	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNING(test, dma_resv_add_fence(obj, &mock->base, DMA_RESV_USAGE_READ));
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, 1);
	expect_entry(test, &shot, 0, mock, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void add_to_a_full_list_warns_and_stores(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = NULL;
	struct mock_resv_snapshot shot;
	unsigned int i;

	skip_if_that_stops_the_machine(test);
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	EXPECT_KERNEL_WARNING(test, {
		for (i = 0; i < 40; i++) {
			mock = mock_fence_new_full(test);
			dma_resv_add_fence(obj, &mock->base, DMA_RESV_USAGE_READ);
		}
	});
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, 40);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 2);
}

static void add_without_slot_and_memory_is_balanced(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_resv_snapshot shot;
	bool failed;

	skip_if_that_stops_the_machine(test);
	fail_alloc_setup(test);
	dma_resv_lock(obj, NULL);
	/* About the missing slot, and about the fence. */
	EXPECT_KERNEL_WARNINGS(test, 2, {
		failed = FAIL_NTH_ALLOC(1, dma_resv_add_fence(obj, &mock->base,
							      DMA_RESV_USAGE_READ));
	});
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_TRUE(test, failed);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1 + shot.count);
}

static void reserve_renews_what_unlock_forgot(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_fence_new_full(test);
	struct dma_resv_list *list;

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 2), 0);
	dma_resv_unlock(obj);
	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 2), 0);
	list = list_of(obj);
	EXPECT_KERNEL_WARNINGS(test, 0, dma_resv_add_fence(obj, &mock->base, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_PTR_EQ(test, list_of(obj), list);
	dma_resv_unlock(obj);
}

static void reset_max_fences_keeps_the_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mock = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 9), 0);
	dma_resv_reset_max_fences(obj);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, shot.count, 1);
	expect_entry(test, &shot, 0, mock, DMA_RESV_USAGE_READ);
}

/* ---- replace ---- */

static void replace_in_empty_object_does_nothing(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = mock_fence_new(test);

	dma_resv_lock(obj, NULL);
	dma_resv_replace_fences(obj, 7, fence, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_NULL(test, list_of(obj));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void replace_within_locked_walk_works(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *a = fence_of(test, 7, 1);
	struct mock_fence *b = fence_of(test, 8, 1);
	struct mock_fence *c = fence_of(test, 9, 1);
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	struct mock_resv_snapshot shot;
	unsigned int steps = 0;

	dma_resv_lock(obj, NULL);
	mock_resv_reserve_add(test, obj, &a->base, DMA_RESV_USAGE_READ);
	mock_resv_reserve_add(test, obj, &b->base, DMA_RESV_USAGE_READ);
	mock_resv_reserve_add(test, obj, &c->base, DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence) {
		dma_resv_replace_fences(obj, fence->context, stub, DMA_RESV_USAGE_READ);
		steps++;
	}
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, steps, 3);
	KUNIT_EXPECT_EQ(test, shot.count, 3);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], stub);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[1], stub);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[2], stub);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&b->base), 1);
	dma_fence_put(stub);
}

/* ---- what becomes of the list ---- */

enum step_op { STEP_END, STEP_ADD, STEP_REPLACE, STEP_SIGNAL, STEP_COMPLETE, STEP_GROW };

/**
 * struct step - one change of a list
 * @op: what is done
 * @context: of the fence that comes
 * @seqno: of the fence that comes
 * @usage: of the fence that comes
 * @which: context that is replaced; or number of the step whose fence it is about
 */
struct step {
	enum step_op op;
	u64 context;
	u64 seqno;
	enum dma_resv_usage usage;
	u64 which;
};

#define ADD(context, seqno, usage) \
	{ STEP_ADD, context, seqno, DMA_RESV_USAGE_##usage }
#define REPLACE(old, context, seqno, usage) \
	{ STEP_REPLACE, context, seqno, DMA_RESV_USAGE_##usage, old }
/* the fence of that step signals, or its driver says so once it is asked */
#define SIGNAL(step)	{ .op = STEP_SIGNAL, .which = step }
#define COMPLETE(step)	{ .op = STEP_COMPLETE, .which = step }
/* makes a larger list of the pending fences */
#define GROW		{ .op = STEP_GROW }

#define MAX_STEPS	6
#define MAX_ENTRIES	4

/**
 * struct list_change - steps, and the list in the end
 * @desc: name
 * @room: slots to begin with; adding takes those, or reserves its own if 0
 * @steps: what is done
 * @count: number of entries in the end
 * @entries: for each of them, the step whose fence it is, and its usage
 */
struct list_change {
	const char *desc;
	unsigned int room;
	struct step steps[MAX_STEPS];
	unsigned int count;
	struct {
		unsigned int step;
		enum dma_resv_usage usage;
	} entries[MAX_ENTRIES];
};

#define ENTRY(step, usage)	{ step, DMA_RESV_USAGE_##usage }

static const struct list_change list_changes[] = {
	{ "other contexts are appended", 0, { ADD(7, 1, READ), ADD(8, 1, WRITE) },
	  2, { ENTRY(0, READ), ENTRY(1, WRITE) } },
	{ "older is appended", 0, { ADD(7, 2, READ), ADD(7, 1, READ) },
	  2, { ENTRY(0, READ), ENTRY(1, READ) } },
	{ "of the same number is appended", 0, { ADD(7, 2, READ), ADD(7, 2, READ) },
	  2, { ENTRY(0, READ), ENTRY(1, READ) } },
	{ "of another context is appended", 0, { ADD(7, 1, READ), ADD(8, 2, READ) },
	  2, { ENTRY(0, READ), ENTRY(1, READ) } },
	{ "half a turn away is appended", 0, { ADD(7, 0, READ), ADD(7, 0x80000001, READ) },
	  2, { ENTRY(0, READ), ENTRY(1, READ) } },
	{ "wrapped number is later", 0, { ADD(7, U32_MAX, READ), ADD(7, 0, READ) },
	  1, { ENTRY(1, READ) } },
	{ "replaced fence keeps its place", 0,
	  { ADD(1, 1, READ), ADD(7, 1, READ), ADD(2, 1, READ), ADD(7, 2, WRITE) },
	  3, { ENTRY(0, READ), ENTRY(3, WRITE), ENTRY(2, READ) } },
	{ "only the first match is replaced", 0,
	  { ADD(7, 1, WRITE), ADD(7, 2, READ), ADD(7, 3, KERNEL) },
	  2, { ENTRY(2, KERNEL), ENTRY(1, READ) } },
	{ "first match counts after a replace", 0,
	  { ADD(6, 1, READ), ADD(7, 1, READ), REPLACE(6, 7, 2, READ), ADD(7, 3, READ) },
	  2, { ENTRY(3, READ), ENTRY(1, READ) } },
	{ "match behind a mismatch is replaced", 0,
	  { ADD(7, 1, WRITE), ADD(7, 2, READ), ADD(7, 3, READ) },
	  2, { ENTRY(0, WRITE), ENTRY(2, READ) } },
	{ "slot of a signalled fence is used again", 3,
	  { ADD(1, 1, KERNEL), ADD(2, 1, READ), SIGNAL(0), ADD(3, 1, BOOKKEEP) },
	  2, { ENTRY(3, BOOKKEEP), ENTRY(1, READ) } },
	{ "add asks the driver of old fences", 2,
	  { ADD(1, 1, KERNEL), COMPLETE(0), ADD(2, 1, READ) },
	  1, { ENTRY(2, READ) } },
	{ "growing keeps pending fences in order", 0,
	  { ADD(1, 1, READ), ADD(2, 1, KERNEL), ADD(3, 1, BOOKKEEP), GROW },
	  3, { ENTRY(0, READ), ENTRY(1, KERNEL), ENTRY(2, BOOKKEEP) } },
	{ "growing drops signalled fences", 0,
	  { ADD(1, 1, READ), ADD(2, 1, READ), ADD(3, 1, READ), SIGNAL(0), COMPLETE(2), GROW },
	  1, { ENTRY(1, READ) } },
	{ "growing may find all signalled", 0,
	  { ADD(1, 1, READ), SIGNAL(0), GROW, ADD(2, 1, WRITE) },
	  1, { ENTRY(3, WRITE) } },
	{ "growing knows contexts afterwards", 0,
	  { ADD(1, 1, READ), ADD(2, 1, READ), SIGNAL(0), GROW, ADD(2, 2, READ) },
	  1, { ENTRY(4, READ) } },
	/* A signalled one may have been dropped before, but not left as it was. */
	{ "replace takes every fence of the context", 4,
	  { ADD(7, 5, KERNEL), ADD(8, 1, READ), ADD(7, 3, READ), ADD(7, 9, BOOKKEEP), SIGNAL(3),
	    REPLACE(7, 9, 1, BOOKKEEP) },
	  4, { ENTRY(5, BOOKKEEP), ENTRY(1, READ), ENTRY(5, BOOKKEEP), ENTRY(5, BOOKKEEP) } },
	{ "replace without match does nothing", 0,
	  { ADD(7, 1, READ), REPLACE(8, 9, 1, KERNEL) }, 1, { ENTRY(0, READ) } },
	{ "replace by the same context works", 0,
	  { ADD(7, 5, KERNEL), REPLACE(7, 7, 2, READ) }, 1, { ENTRY(1, READ) } },
	{ "replaced context is known to add", 0,
	  { ADD(7, 1, READ), REPLACE(7, 9, 1, READ), ADD(9, 2, READ), ADD(7, 2, READ) },
	  2, { ENTRY(2, READ), ENTRY(3, READ) } },
};

KUNIT_ARRAY_PARAM_DESC(list_change, list_changes, desc);

static void take_step(struct kunit *test, struct dma_resv *obj, const struct list_change *row,
		      unsigned int index, struct mock_fence **mocks)
{
	const struct step *step = &row->steps[index];
	struct dma_resv_list *list = list_of(obj);

	if (step->op == STEP_ADD || step->op == STEP_REPLACE)
		mocks[index] = fence_of(test, step->context, step->seqno);
	switch (step->op) {
	case STEP_ADD:
		if (!row->room)
			KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
		dma_resv_add_fence(obj, &mocks[index]->base, step->usage);
		break;
	case STEP_REPLACE:
		dma_resv_replace_fences(obj, step->which, &mocks[index]->base, step->usage);
		break;
	case STEP_SIGNAL:
		dma_fence_signal(&mocks[step->which]->base);
		break;
	case STEP_COMPLETE:
		mocks[step->which]->complete = true;
		break;
	case STEP_GROW:
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 100), 0);
		KUNIT_EXPECT_PTR_NE(test, list_of(obj), list);
		break;
	case STEP_END:
		break;
	}
}

static void list_changes_in_steps(struct kunit *test)
{
	const struct list_change *row = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_fence *mocks[MAX_STEPS] = {};
	unsigned int refs[MAX_STEPS] = {}, i;
	struct mock_resv_snapshot shot;

	dma_resv_lock(obj, NULL);
	if (row->room)
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, row->room), 0);
	for (i = 0; i < MAX_STEPS; i++)
		take_step(test, obj, row, i, mocks);
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, row->count);
	for (i = 0; i < row->count; i++) {
		expect_entry(test, &shot, i, mocks[row->entries[i].step], row->entries[i].usage);
		refs[row->entries[i].step]++;
	}
	for (i = 0; i < MAX_STEPS; i++) {
		if (mocks[i])
			KUNIT_EXPECT_EQ(test, mock_fence_refs(&mocks[i]->base), 1 + refs[i]);
		if (row->steps[i].op == STEP_COMPLETE)
			KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
							 &mocks[row->steps[i].which]->base.flags));
	}
}

/* ---- many ---- */

#define MANY 1000

static void thousand_contexts_fit(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	u64 context = dma_fence_context_alloc(MANY);
	struct mock_fence **old = kunit_kcalloc(test, MANY, sizeof(*old), GFP_KERNEL);
	struct mock_fence **new = kunit_kcalloc(test, MANY, sizeof(*new), GFP_KERNEL);
	struct mock_resv_snapshot shot;
	unsigned int i, wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, old);
	KUNIT_ASSERT_NOT_NULL(test, new);
	for (i = 0; i < MANY; i++) {
		old[i] = fence_of(test, context + i, 1);
		new[i] = fence_of(test, context + i, 2);
	}

	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNINGS(test, 0, {
		for (i = 0; i < MANY; i++)
			mock_resv_reserve_add(test, obj, &old[i]->base, DMA_RESV_USAGE_READ);
		for (i = MANY; i-- > 0;)
			mock_resv_reserve_add(test, obj, &new[i]->base, DMA_RESV_USAGE_READ);
	});
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, shot.count, MANY);
	KUNIT_EXPECT_PTR_EQ(test, shot.fences[0], &new[0]->base);
	for (i = 0; i < MANY; i++)
		wrong += mock_fence_refs(&old[i]->base) != 1 || mock_fence_refs(&new[i]->base) != 2;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void stream_of_short_jobs_does_not_pile_up(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct mock_resv_snapshot shot;
	unsigned int i;

	dma_resv_lock(obj, NULL);
	for (i = 0; i < MANY; i++) {
		struct dma_fence *fence = mock_fence_new(test);

		mock_resv_reserve_add(test, obj, fence, DMA_RESV_USAGE_READ);
		mock_fence_put(test, fence);
	}
	mock_resv_look(obj, &shot);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_LE(test, shot.count, 16);
}

static struct kunit_case dma_resv_cases[] = {
	KUNIT_CASE(usages_are_ordered_by_strength),
	KUNIT_CASE(writer_waits_for_readers),
	KUNIT_CASE(reader_waits_for_writers),
	KUNIT_CASE(init_gives_empty_object),
	KUNIT_CASE(init_takes_any_memory),
	KUNIT_CASE(fini_drops_all_references),
	KUNIT_CASE(fini_may_drop_the_last_reference),
	KUNIT_CASE(fini_works_in_atomic_context),
	KUNIT_CASE(reserve_of_nothing_warns),
	KUNIT_CASE(reserve_makes_a_list),
	KUNIT_CASE(reserve_does_nothing_while_there_is_room),
	KUNIT_CASE(reserve_lasts_for_as_many_adds),
	KUNIT_CASE_PARAM(huge_reserve_fails, huge_reserve_gen_params),
	KUNIT_CASE(reserve_without_memory_changes_nothing),
	KUNIT_CASE(first_reserve_without_memory_makes_no_list),
	KUNIT_CASE_PARAM(add_keeps_the_usage, usage_gen_params),
	KUNIT_CASE_PARAM(later_fence_replaces_equal_or_weaker, replace_row_gen_params),
	KUNIT_CASE_PARAM(same_fence_replaces_equal_or_weaker, replace_row_gen_params),
	KUNIT_CASE(add_leaves_the_new_fence_alone),
	KUNIT_CASE(add_takes_a_signalled_fence),
	KUNIT_CASE(add_neither_sleeps_nor_allocates),
	KUNIT_CASE(add_of_an_array_warns),
	KUNIT_CASE(add_of_a_chain_warns),
	KUNIT_CASE(unlock_forgets_the_reservation),
	KUNIT_CASE(add_without_a_list_warns_and_stores),
	KUNIT_CASE(add_to_a_full_list_warns_and_stores),
	KUNIT_CASE(add_without_slot_and_memory_is_balanced),
	KUNIT_CASE(reserve_renews_what_unlock_forgot),
	KUNIT_CASE(reset_max_fences_keeps_the_fences),
	KUNIT_CASE(replace_in_empty_object_does_nothing),
	KUNIT_CASE(replace_within_locked_walk_works),
	KUNIT_CASE_PARAM(list_changes_in_steps, list_change_gen_params),
	KUNIT_CASE(thousand_contexts_fit),
	KUNIT_CASE(stream_of_short_jobs_does_not_pile_up),
	{}
};

static struct kunit_suite dma_resv_suite = {
	.name = "dma_resv",
	.test_cases = dma_resv_cases,
};

kunit_test_suite(dma_resv_suite);
