// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the lock of reservation objects.
 *
 * A second task holds the lock where there has to be a contest. It sleeps, and
 * what has to happen while the case sleeps is done by delayed work, so that one
 * CPU without preemption will do.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

#include "expect_warn.h"
#include "mock_resv.h"
#include "test_util.h"

/* A task that holds the lock of an object until it is told to let go. */
struct holder {
	struct dma_resv *obj;
	struct task_struct *task;
	struct completion held;
	struct completion let_go;
	struct delayed_work let_go_later;
	bool with_ctx;
	int ret;
};

static int hold_lock(void *data)
{
	struct holder *holder = data;
	struct ww_acquire_ctx ctx;

	if (holder->with_ctx)
		ww_acquire_init(&ctx, &reservation_ww_class);
	holder->ret = dma_resv_lock(holder->obj, holder->with_ctx ? &ctx : NULL);
	complete(&holder->held);
	wait_for_completion(&holder->let_go);
	if (!holder->ret)
		dma_resv_unlock(holder->obj);
	if (holder->with_ctx)
		ww_acquire_fini(&ctx);
	return 0;
}

static void let_go_work(struct work_struct *work)
{
	struct holder *holder = container_of(to_delayed_work(work), struct holder, let_go_later);

	complete_all(&holder->let_go);
}

static void holder_stop(void *data)
{
	struct holder *holder = data;

	cancel_delayed_work_sync(&holder->let_go_later);
	complete_all(&holder->let_go);
	kthread_stop_put(holder->task);
}

/* Returns when the lock is held, by a context that is younger than all others so far. */
static struct holder *holder_start(struct kunit *test, struct dma_resv *obj, bool with_ctx)
{
	struct holder *holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, holder);
	holder->obj = obj;
	holder->with_ctx = with_ctx;
	init_completion(&holder->held);
	init_completion(&holder->let_go);
	INIT_DELAYED_WORK(&holder->let_go_later, let_go_work);
	holder->task = kthread_create(hold_lock, holder, "resv holder");
	KUNIT_ASSERT_FALSE(test, IS_ERR(holder->task));
	get_task_struct(holder->task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, holder_stop, holder));
	wake_up_process(holder->task);
	wait_for_completion(&holder->held);
	KUNIT_ASSERT_EQ(test, holder->ret, 0);
	return holder;
}

/* Have the lock released while the case sleeps. */
static void holder_let_go_soon(struct holder *holder)
{
	schedule_delayed_work(&holder->let_go_later, 3);
}

static int lock_slow(struct dma_resv *obj, struct ww_acquire_ctx *ctx)
{
	dma_resv_lock_slow(obj, ctx);
	return 0;
}

struct lock_way {
	const char *desc;
	int (*lock)(struct dma_resv *obj, struct ww_acquire_ctx *ctx);
};

static const struct lock_way lock_ways[] = {
	{ "lock", dma_resv_lock },
	{ "lock_interruptible", dma_resv_lock_interruptible },
};

KUNIT_ARRAY_PARAM_DESC(lock_way, lock_ways, desc);

static const struct lock_way slow_ways[] = {
	{ "lock_slow", lock_slow },
	{ "lock_slow_interruptible", dma_resv_lock_slow_interruptible },
};

KUNIT_ARRAY_PARAM_DESC(slow_way, slow_ways, desc);

static void new_object_is_unlocked(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_NULL(test, dma_resv_locking_ctx(obj));
}

static void lock_without_ctx_succeeds(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);

	KUNIT_EXPECT_EQ(test, way->lock(obj, NULL), 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_NULL(test, dma_resv_locking_ctx(obj));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
}

static void lock_with_ctx_records_it(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, way->lock(obj, &ctx), 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj), &ctx);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_NULL(test, dma_resv_locking_ctx(obj));
	ww_acquire_fini(&ctx);
}

static void lock_twice_with_ctx_is_ealready(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, way->lock(obj, &ctx), 0);
	KUNIT_EXPECT_EQ(test, way->lock(obj, &ctx), -EALREADY);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
	ww_acquire_fini(&ctx);
}

static void younger_ctx_backs_off(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *other = mock_resv_create(test);
	struct ww_acquire_ctx ctx;
	int first, second;

	holder_start(test, obj, true);
	/* Younger than the holder's, and dying only while it holds something. */
	ww_acquire_init(&ctx, &reservation_ww_class);
	first = way->lock(other, &ctx);
	second = way->lock(obj, &ctx);
	dma_resv_unlock(other);
	ww_acquire_fini(&ctx);

	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_EQ(test, second, -EDEADLK);
}

static void older_ctx_waits(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	holder_let_go_soon(holder_start(test, obj, true));
	KUNIT_EXPECT_EQ(test, way->lock(obj, &ctx), 0);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj), &ctx);
	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
}

/* The second half of the dance: wait for the contended lock, holding nothing. */
static void slow_lock_waits_after_back_off(struct kunit *test)
{
	const struct lock_way *way = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *other = mock_resv_create(test);
	struct holder *holder = holder_start(test, obj, true);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(other, &ctx), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(obj, &ctx), -EDEADLK);
	dma_resv_unlock(other);

	holder_let_go_soon(holder);
	KUNIT_EXPECT_EQ(test, way->lock(obj, &ctx), 0);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj), &ctx);
	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
}

static void interruptible_lock_is_interrupted(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	int ret;

	holder_start(test, obj, false);
	test_interrupted(ret = dma_resv_lock_interruptible(obj, NULL));
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
}

static void interruptible_slow_lock_is_interrupted(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *other = mock_resv_create(test);
	struct ww_acquire_ctx ctx;
	int ret;

	holder_start(test, obj, true);
	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(other, &ctx), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(obj, &ctx), -EDEADLK);
	dma_resv_unlock(other);

	test_interrupted(ret = dma_resv_lock_slow_interruptible(obj, &ctx));
	ww_acquire_fini(&ctx);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
}

static void plain_lock_ignores_signals(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	int ret;

	holder_let_go_soon(holder_start(test, obj, false));
	test_interrupted(ret = dma_resv_lock(obj, NULL));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	dma_resv_unlock(obj);
}

static void trylock_takes_a_free_lock(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(obj));
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_NULL(test, dma_resv_locking_ctx(obj));
	dma_resv_unlock(obj);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
}

static void trylock_leaves_a_taken_lock(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	holder_start(test, obj, false);
	KUNIT_EXPECT_FALSE(test, dma_resv_trylock(obj));
}

static void trylock_works_in_atomic_context(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	static DEFINE_SPINLOCK(lock);
	bool locked = false;

	EXPECT_KERNEL_WARNINGS(test, 0, {
		spin_lock(&lock);
		locked = dma_resv_trylock(obj);
		spin_unlock(&lock);
	});
	KUNIT_ASSERT_TRUE(test, locked);
	dma_resv_unlock(obj);
}

static void lock_taken_as_ww_mutex_is_unlocked(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, ww_mutex_trylock(&obj->lock, &ctx), 1);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj), &ctx);
	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
}

static void locking_ctx_shows_the_holders(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct holder *holder = holder_start(test, obj, true);

	KUNIT_EXPECT_NOT_NULL(test, dma_resv_locking_ctx(obj));
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj)->task, holder->task);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
}

static void held_is_about_this_task(struct kunit *test)
{
	struct dma_resv *mine = mock_resv_create(test);
	struct dma_resv *theirs = mock_resv_create(test);

	if (!IS_ENABLED(CONFIG_LOCKDEP) || !debug_locks)
		kunit_skip(test, "needs a working lockdep");

	holder_start(test, theirs, false);
	KUNIT_EXPECT_FALSE(test, dma_resv_held(mine));
	KUNIT_EXPECT_FALSE(test, dma_resv_held(theirs));
	dma_resv_lock(mine, NULL);
	KUNIT_EXPECT_TRUE(test, dma_resv_held(mine));
	dma_resv_unlock(mine);
}

static void assert_held_warns_without_the_lock(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	if (!IS_ENABLED(CONFIG_LOCKDEP) || !debug_locks)
		kunit_skip(test, "needs a working lockdep");

	EXPECT_KERNEL_WARNINGS(test, 1, dma_resv_assert_held(obj));
	dma_resv_lock(obj, NULL);
	EXPECT_KERNEL_WARNINGS(test, 0, dma_resv_assert_held(obj));
	dma_resv_unlock(obj);
}

static void class_is_wait_die_and_named(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, reservation_ww_class.is_wait_die);
	KUNIT_EXPECT_STREQ(test, reservation_ww_class.mutex_name, "reservation_ww_class_mutex");
}

static struct kunit_case dma_resv_lock_cases[] = {
	KUNIT_CASE(new_object_is_unlocked),
	KUNIT_CASE_PARAM(lock_without_ctx_succeeds, lock_way_gen_params),
	KUNIT_CASE_PARAM(lock_with_ctx_records_it, lock_way_gen_params),
	KUNIT_CASE_PARAM(lock_twice_with_ctx_is_ealready, lock_way_gen_params),
	KUNIT_CASE_PARAM(younger_ctx_backs_off, lock_way_gen_params),
	KUNIT_CASE_PARAM(older_ctx_waits, lock_way_gen_params),
	KUNIT_CASE_PARAM(slow_lock_waits_after_back_off, slow_way_gen_params),
	KUNIT_CASE(interruptible_lock_is_interrupted),
	KUNIT_CASE(interruptible_slow_lock_is_interrupted),
	KUNIT_CASE(plain_lock_ignores_signals),
	KUNIT_CASE(trylock_takes_a_free_lock),
	KUNIT_CASE(trylock_leaves_a_taken_lock),
	KUNIT_CASE(trylock_works_in_atomic_context),
	KUNIT_CASE(lock_taken_as_ww_mutex_is_unlocked),
	KUNIT_CASE(locking_ctx_shows_the_holders),
	KUNIT_CASE(held_is_about_this_task),
	KUNIT_CASE(assert_held_warns_without_the_lock),
	KUNIT_CASE(class_is_wait_die_and_named),
	{}
};

static struct kunit_suite dma_resv_lock_suite = {
	.name = "dma_resv_lock",
	.test_cases = dma_resv_lock_cases,
};

kunit_test_suite(dma_resv_lock_suite);
