// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the fence object: life, signalling, status, order, text.
 */

#include <kunit/test.h>

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/seq_file.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include "expect_warn.h"
#include "fail_alloc.h"
#include "mock_fence.h"

/* Fence memory that the slab allocator can account for, see cache_is_empty(). */
static struct kmem_cache *fence_cache_create(struct kunit *test)
{
	struct kmem_cache *cache;

	cache = kmem_cache_create("dma_fence_kunit", sizeof(struct mock_fence), 0,
				  SLAB_NO_MERGE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	return cache;
}

static struct mock_fence *fence_cache_alloc(struct kunit *test, struct kmem_cache *cache)
{
	struct mock_fence *mock = kmem_cache_zalloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	spin_lock_init(&mock->lock);
	return mock;
}

/* Destroys @cache and tells whether all its objects had been freed. */
static bool cache_is_empty(struct kmem_cache *cache)
{
	struct kmsg_dump_iter from;

	kvfree_rcu_barrier();
	rcu_barrier();
	expect_warn_begin(&from);
	kmem_cache_destroy(cache);
	return !expect_warn_end(&from);
}

static const char *some_name(struct dma_fence *fence)
{
	return "some";
}

static void note_release(struct dma_fence *fence)
{
	to_mock_fence(fence)->log->releases++;
}

static const struct dma_fence_ops no_driver_name_ops = {
	.get_timeline_name = some_name,
	.release = note_release,
};

static const struct dma_fence_ops no_timeline_name_ops = {
	.get_driver_name = some_name,
	.release = note_release,
};

struct noting_cb {
	struct dma_fence_cb base;
	unsigned int calls;
	int error;
	unsigned long flags;
	ktime_t timestamp;
	bool locked;
	bool irqs_off;
	int lockdep_depth;
};

/* Before any fence, because fences that are still pending call back when a case ends. */
static int notes_init(struct kunit *test)
{
	test->priv = kunit_kcalloc(test, 2, sizeof(struct noting_cb), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static int held_locks(void)
{
#ifdef CONFIG_LOCKDEP
	return current->lockdep_depth;
#else
	return 0;
#endif
}

static void note_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct noting_cb *note = container_of(cb, struct noting_cb, base);

	note->calls++;
	note->error = fence->error;
	note->flags = READ_ONCE(fence->flags);
	note->timestamp = fence->timestamp;
	note->locked = mock_fence_lock_held(fence);
	note->irqs_off = irqs_disabled();
	note->lockdep_depth = held_locks();
}

/* ---- life ---- */

static void init_gives_one_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void init_stores_arguments_verbatim(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);
	spinlock_t elsewhere; /* never taken */

	spin_lock_init(&elsewhere);
	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &elsewhere, 0x123456789abcULL,
		       0xfedcba987654321ULL);

	KUNIT_EXPECT_PTR_EQ(test, mock->base.ops, &mock_fence_embedded_ops);
	KUNIT_EXPECT_PTR_EQ(test, mock->base.lock, &elsewhere);
	KUNIT_EXPECT_EQ(test, mock->base.context, 0x123456789abcULL);
	KUNIT_EXPECT_EQ(test, mock->base.seqno, 0xfedcba987654321ULL);
}

static void init_clears_old_contents(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	memset(&mock->base, 0xff, sizeof(mock->base));
	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);

	KUNIT_EXPECT_EQ(test, mock_fence_flags(&mock->base), 0);
	KUNIT_EXPECT_EQ(test, mock->base.error, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&mock->base.cb_list));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1);
}

static void init_works_under_its_lock(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	spin_unlock_irqrestore(&mock->lock, flags);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
}

struct bad_init {
	const char *desc;
	const struct dma_fence_ops *ops;
	bool without_lock;
	const char *described;
};

static const struct bad_init bad_inits[] = {
	{
		.desc = "no lock", .ops = &mock_fence_embedded_ops, .without_lock = true,
		.described = "mock_driver mock_timeline seq 4 unsignalled\n",
	}, {
		.desc = "no ops",
		.described = "invalid invalid seq 4 unsignalled\n",
	}, {
		.desc = "no driver name", .ops = &no_driver_name_ops,
		.described = "invalid some seq 4 unsignalled\n",
	}, {
		.desc = "no timeline name", .ops = &no_timeline_name_ops,
		.described = "some invalid seq 4 unsignalled\n",
	}, {
		.desc = "neither lock nor ops", .without_lock = true,
		.described = "invalid invalid seq 4 unsignalled\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(bad_init, bad_inits, desc);

static struct mock_fence *bad_fence(struct kunit *test)
{
	const struct bad_init *bad = test->param_value;
	struct mock_fence *mock;

	if (MOCK_STOCK_CORE)
		kunit_skip(test, "stops the machine there");

	mock = mock_fence_embed(test);
	EXPECT_KERNEL_WARNINGS(test, max(1, !bad->ops + bad->without_lock),
			       dma_fence_init(&mock->base, bad->ops,
					      bad->without_lock ? NULL : &mock->lock, 3, 4));
	return mock;
}

/* If such a fence looked signalled, its users would run while the device still writes. */
static void bad_init_gives_pending_fence(struct kunit *test)
{
	struct mock_fence *mock = bad_fence(test);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, true, 1), 0);
}

static void bad_init_can_be_signaled(struct kunit *test)
{
	struct mock_fence *mock = bad_fence(test);
	struct noting_cb *note = test->priv;

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, &note->base, note_call), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(&mock->base), 0);
	KUNIT_EXPECT_EQ(test, note->calls, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), 1);
}

static void bad_init_is_safe_to_put(struct kunit *test)
{
	const struct bad_init *bad = test->param_value;
	struct mock_fence *mock = bad_fence(test);

	dma_fence_put(dma_fence_get(&mock->base));
	dma_fence_put(&mock->base);

	/* Without operations the core cannot know how to free it: KASAN would tell. */
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, mock->log->releases, bad->ops ? 1 : 0);
}

static void bad_init_has_names(struct kunit *test)
{
	const struct bad_init *bad = test->param_value;
	struct mock_fence *mock = bad_fence(test);
	struct seq_file seq = { .size = 128, .buf = kunit_kzalloc(test, 128, GFP_KERNEL) };

	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	dma_fence_describe(&mock->base, &seq);
	KUNIT_EXPECT_STREQ(test, seq.buf, bad->described);
}

static void get_takes_a_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_get(fence), fence);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	dma_fence_put(fence);
}

static void get_of_null_is_null(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, dma_fence_get(NULL));
}

static void put_of_null_does_nothing(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	dma_fence_put(NULL);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void put_drops_a_reference(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_get(&mock->base);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&mock->base), 1);
	KUNIT_EXPECT_EQ(test, mock->log->releases, 0);
}

static void last_put_releases_once(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_fence_log *log = mock->log;

	mock_fence_disown(test, &mock->base);
	dma_fence_signal(&mock->base);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, log->releases, 1);
}

static void last_put_leaves_memory_to_release_op(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	dma_fence_put(&mock->base);

	rcu_barrier();
	KUNIT_EXPECT_EQ(test, mock->log->releases, 1);
	KUNIT_EXPECT_PTR_EQ(test, mock->base.ops, &mock_fence_embedded_ops);
}

static void last_put_without_release_op_frees(struct kunit *test)
{
	struct kmem_cache *cache = fence_cache_create(test);
	struct mock_fence *mock = fence_cache_alloc(test, cache);

	dma_fence_init(&mock->base, &mock_fence_bare_ops, &mock->lock, 1, 1);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_TRUE(test, cache_is_empty(cache));
}

static void free_waits_for_rcu_readers(struct kunit *test)
{
	struct kmem_cache *cache = fence_cache_create(test);
	struct mock_fence *mock = fence_cache_alloc(test, cache);

	dma_fence_init(&mock->base, &mock_fence_bare_ops, &mock->lock, 1, 77);
	rcu_read_lock();
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, READ_ONCE(mock->base.seqno), 77);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, cache_is_empty(cache));
}

static void free_takes_uninitialised_fence(struct kunit *test)
{
	struct kmem_cache *cache = fence_cache_create(test);
	struct mock_fence *mock = fence_cache_alloc(test, cache);

	memset(&mock->base, 0xff, sizeof(mock->base));
	dma_fence_free(&mock->base);
	KUNIT_EXPECT_TRUE(test, cache_is_empty(cache));
}

static void release_callback_runs_the_release_op(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	dma_fence_release(&mock->base.refcount);
	KUNIT_EXPECT_EQ(test, mock->log->releases, 1);
}

static void last_put_of_unused_fence_is_silent(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_fence_log *log = mock->log;

	mock_fence_disown(test, &mock->base);
	EXPECT_KERNEL_WARNINGS(test, 0, dma_fence_put(&mock->base));
	KUNIT_EXPECT_EQ(test, log->releases, 1);
}

static void last_put_with_callbacks_warns_each_time(struct kunit *test)
{
	struct dma_fence *first = mock_fence_new(test);
	struct dma_fence *second = mock_fence_new(test);
	struct noting_cb *notes = test->priv;

	mock_fence_disown(test, first);
	mock_fence_disown(test, second);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(first, &notes[0].base, note_call), 0);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(second, &notes[1].base, note_call), 0);

	EXPECT_KERNEL_WARNINGS(test, 1, dma_fence_put(first));
	EXPECT_KERNEL_WARNINGS(test, 1, dma_fence_put(second));
}

static void last_put_with_callbacks_signals_edeadlk(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct mock_fence_log *log = mock->log;
	struct noting_cb *note = test->priv;

	mock_fence_disown(test, &mock->base);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(&mock->base, &note->base, note_call), 0);
	EXPECT_KERNEL_WARNINGS(test, 1, dma_fence_put(&mock->base));

	KUNIT_EXPECT_EQ(test, note->calls, 1);
	KUNIT_EXPECT_EQ(test, note->error, -EDEADLK);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &note->flags));
	KUNIT_EXPECT_EQ(test, log->releases, 1);
}

static void last_put_with_callbacks_names_the_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_ops, 0xabcd12, 0x98765);
	struct noting_cb *note = test->priv;
	struct kmsg_dump_iter from;

	mock_fence_disown(test, &mock->base);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(&mock->base, &note->base, note_call), 0);

	expect_warn_begin(&from);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_GE(test, expect_warn_count(&from, "mock_driver"), 1);
	KUNIT_EXPECT_GE(test, expect_warn_count(&from, "mock_timeline"), 1);
	/* Either base of the number is right. */
	KUNIT_EXPECT_GE(test, expect_warn_count(&from, "abcd12") +
			      expect_warn_count(&from, "11259154"), 1);
	KUNIT_EXPECT_GE(test, expect_warn_count(&from, "98765") +
			      expect_warn_count(&from, "624485"), 1);
	expect_warn_end(&from);
}

static void get_rcu_takes_a_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_get_rcu(fence), fence);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	dma_fence_put(fence);
}

/* A fence after its last put, still visible to RCU readers. */
static struct dma_fence *dead_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	dma_fence_put(&mock->base);
	return &mock->base;
}

static void get_rcu_of_dead_fence_is_null(struct kunit *test)
{
	struct dma_fence *fence = dead_fence(test);

	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, dma_fence_get_rcu(fence));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 0);
}

static void get_rcu_safe_of_empty_slot_is_null(struct kunit *test)
{
	struct dma_fence __rcu *slot = NULL;

	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, dma_fence_get_rcu_safe(&slot));
	rcu_read_unlock();
}

static void get_rcu_safe_takes_a_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct dma_fence __rcu *slot = RCU_INITIALIZER(fence);

	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_get_rcu_safe(&slot), fence);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 2);
	dma_fence_put(fence);
}

struct slot_timer {
	struct timer_list timer;
	struct dma_fence __rcu *slot;
	struct dma_fence *next;
};

static void replace_slot(struct timer_list *timer)
{
	struct slot_timer *later = container_of(timer, struct slot_timer, timer);

	rcu_assign_pointer(later->slot, later->next);
}

static void get_rcu_safe_looks_again_at_a_dead_fence(struct kunit *test)
{
	struct dma_fence *next = mock_fence_new(test);
	struct slot_timer later = { .slot = RCU_INITIALIZER(dead_fence(test)), .next = next };
	struct dma_fence *found;

	timer_setup_on_stack(&later.timer, replace_slot, 0);
	mod_timer(&later.timer, jiffies + 2);
	rcu_read_lock();
	found = dma_fence_get_rcu_safe(&later.slot);
	rcu_read_unlock();
	timer_delete_sync(&later.timer);
	destroy_timer_on_stack(&later.timer);

	KUNIT_EXPECT_PTR_EQ(test, found, next);
	dma_fence_put(found);
}

/* ---- signalling ---- */

struct signal_way {
	const char *desc;
	bool locked;
	bool stamped;
};

static const struct signal_way signal_ways[] = {
	{ .desc = "plain" },
	{ .desc = "locked", .locked = true },
	{ .desc = "timestamp", .stamped = true },
	{ .desc = "timestamp locked", .stamped = true, .locked = true },
};

KUNIT_ARRAY_PARAM_DESC(signal_way, signal_ways, desc);

/* Signal in the way that the parameter of the case asks for. */
static int signal_by_way(struct kunit *test, struct dma_fence *fence, ktime_t stamp)
{
	const struct signal_way *way = test->param_value;
	unsigned long flags;
	int ret;

	if (!way->locked)
		return way->stamped ? dma_fence_signal_timestamp(fence, stamp) :
				      dma_fence_signal(fence);

	spin_lock_irqsave(fence->lock, flags);
	ret = way->stamped ? dma_fence_signal_timestamp_locked(fence, stamp) :
			     dma_fence_signal_locked(fence);
	spin_unlock_irqrestore(fence->lock, flags);
	return ret;
}

static void signal_succeeds_once(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags));
	KUNIT_EXPECT_EQ(test, signal_by_way(test, fence, 5), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags));
	KUNIT_EXPECT_EQ(test, signal_by_way(test, fence, 5), -EINVAL);
}

static void signal_takes_no_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	signal_by_way(test, fence, 5);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void signal_runs_callbacks_under_the_lock(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	signal_by_way(test, fence, 5);
	KUNIT_EXPECT_EQ(test, note->calls, 1);
	KUNIT_EXPECT_TRUE(test, note->locked);
	KUNIT_EXPECT_EQ(test, note->irqs_off, MOCK_LOCK_STOPS_IRQS);
}

static void signal_stores_time_before_callbacks(struct kunit *test)
{
	const struct signal_way *way = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;
	ktime_t before, after;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	before = way->stamped ? 12345 : ktime_get();
	signal_by_way(test, fence, 12345);
	after = way->stamped ? 12345 : ktime_get();

	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &note->flags));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &note->flags));
	KUNIT_EXPECT_GE(test, note->timestamp, before);
	KUNIT_EXPECT_LE(test, note->timestamp, after);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), note->timestamp);
}

static void second_signal_changes_nothing(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	KUNIT_ASSERT_EQ(test, dma_fence_signal_timestamp(fence, 99), 0);
	KUNIT_EXPECT_EQ(test, signal_by_way(test, fence, 12345), -EINVAL);
	KUNIT_EXPECT_EQ(test, note->calls, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), 99);
}

static void signal_does_not_clear_enable_or_user_flags(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	set_bit(DMA_FENCE_FLAG_USER_BITS, &fence->flags);
	set_bit(DMA_FENCE_FLAG_USER_BITS + 10, &fence->flags);
	dma_fence_enable_sw_signaling(fence);
	signal_by_way(test, fence, 5);

	KUNIT_EXPECT_EQ(test, mock_fence_flags(fence),
			BIT(DMA_FENCE_FLAG_SIGNALED_BIT) | BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT) |
			BIT(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT) | BIT(DMA_FENCE_FLAG_USER_BITS) |
			BIT(DMA_FENCE_FLAG_USER_BITS + 10));
}

static void signal_of_null_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dma_fence_signal(NULL), -EINVAL);
}

static void signal_timestamp_of_null_is_refused(struct kunit *test)
{
	ALLOW_KERNEL_WARNING(KUNIT_EXPECT_EQ(test, dma_fence_signal_timestamp(NULL, 5), -EINVAL));
}

static void signal_serves_fences_that_share_a_lock(struct kunit *test)
{
	struct mock_fence *first = mock_fence_embed(test);
	struct mock_fence *second = mock_fence_embed(test);
	unsigned long flags;

	dma_fence_init(&first->base, &mock_fence_embedded_ops, &first->lock, 1, 1);
	dma_fence_init(&second->base, &mock_fence_embedded_ops, &first->lock, 1, 2);

	spin_lock_irqsave(&first->lock, flags);
	KUNIT_EXPECT_EQ(test, dma_fence_signal_locked(&first->base), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled_locked(&second->base));
	KUNIT_EXPECT_EQ(test, dma_fence_signal_locked(&second->base), 0);
	spin_unlock_irqrestore(&first->lock, flags);
}

/* A spinlock that sleeps begins an RCU section, too. */
#define DEPTH_OF_LOCK	(IS_ENABLED(CONFIG_PREEMPT_RT) ? 2 : 1)

static void signal_is_a_signalling_section(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;
	int depth = held_locks();

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		kunit_skip(test, "needs CONFIG_LOCKDEP");

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, note->lockdep_depth - depth, DEPTH_OF_LOCK + 1);
	KUNIT_EXPECT_EQ(test, held_locks(), depth);
}

static void signal_timestamp_is_no_signalling_section(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;
	int depth = held_locks();

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		kunit_skip(test, "needs CONFIG_LOCKDEP");

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	dma_fence_signal_timestamp(fence, 5);
	KUNIT_EXPECT_EQ(test, note->lockdep_depth - depth, DEPTH_OF_LOCK);
	KUNIT_EXPECT_EQ(test, held_locks(), depth);
}

/* ---- asking ---- */

static const struct signal_way ask_ways[] = {
	{ .desc = "unlocked" },
	{ .desc = "locked", .locked = true },
};

KUNIT_ARRAY_PARAM_DESC(ask_way, ask_ways, desc);

static bool ask_by_way(struct kunit *test, struct dma_fence *fence)
{
	const struct signal_way *way = test->param_value;
	unsigned long flags;
	bool signaled;

	if (!way->locked)
		return dma_fence_is_signaled(fence);

	spin_lock_irqsave(fence->lock, flags);
	signaled = dma_fence_is_signaled_locked(fence);
	spin_unlock_irqrestore(fence->lock, flags);
	return signaled;
}

static void is_signaled_follows_the_flag(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_FALSE(test, ask_by_way(test, fence));
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, ask_by_way(test, fence));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(fence), 1);
}

static void is_signaled_asks_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	KUNIT_EXPECT_FALSE(test, ask_by_way(test, &mock->base));
	KUNIT_EXPECT_EQ(test, mock->log->polls, 1);
	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags));
}

static void is_signaled_signals_what_the_driver_saw(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);
	struct noting_cb *note = test->priv;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(&mock->base, &note->base, note_call), 0);
	mock->complete = true;
	mock->complete_error = -EIO;

	KUNIT_EXPECT_TRUE(test, ask_by_way(test, &mock->base));
	KUNIT_EXPECT_EQ(test, note->calls, 1);
	KUNIT_EXPECT_EQ(test, note->error, -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(&mock->base), -EINVAL);
}

static void is_signaled_stops_asking_after_signal(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_TRUE(test, ask_by_way(test, &mock->base));
	KUNIT_EXPECT_EQ(test, mock->log->polls, 0);
}

static void is_signaled_does_not_enable_signalling(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	ask_by_way(test, &mock->base);
	KUNIT_EXPECT_EQ(test, mock->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(&mock->base), 0);
}

static int status_by_way(struct kunit *test, struct dma_fence *fence)
{
	const struct signal_way *way = test->param_value;
	unsigned long flags;
	int status;

	if (!way->locked)
		return dma_fence_get_status(fence);

	spin_lock_irqsave(fence->lock, flags);
	status = dma_fence_get_status_locked(fence);
	spin_unlock_irqrestore(fence->lock, flags);
	return status;
}

static void status_of_pending_fence_is_0(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, status_by_way(test, mock_fence_new(test)), 0);
}

static void status_of_completed_fence_is_1(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, status_by_way(test, mock_fence_new_signaled(test)), 1);
}

static void status_shows_error_once_signalled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	dma_fence_set_error(fence, -ENODEV);
	KUNIT_EXPECT_EQ(test, status_by_way(test, fence), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, status_by_way(test, fence), -ENODEV);
}

static void status_asks_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	KUNIT_EXPECT_EQ(test, status_by_way(test, &mock->base), 1);
}

static void error_is_visible_to_callbacks(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	struct noting_cb *note = test->priv;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &note->base, note_call), 0);
	dma_fence_set_error(fence, -ECANCELED);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, note->error, -ECANCELED);
}

struct error_range {
	const char *desc;
	int error;
};

static const struct error_range error_ranges[] = {
	{ "smallest", -1 },
	{ "largest", -MAX_ERRNO },
	{ "beyond the largest", -MAX_ERRNO - 1 },
	{ "zero", 0 },
	{ "positive", 1 },
};

KUNIT_ARRAY_PARAM_DESC(error_range, error_ranges, desc);

static void set_error_stores_any_value(struct kunit *test)
{
	const struct error_range *range = test->param_value;
	struct dma_fence *fence = mock_fence_new(test);

	fence->error = -EBUSY;
	ALLOW_KERNEL_WARNING(dma_fence_set_error(fence, range->error));
	KUNIT_EXPECT_EQ(test, fence->error, range->error);
}

static void set_error_takes_every_errno_silently(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	EXPECT_KERNEL_WARNINGS(test, 0, dma_fence_set_error(fence, -1));
	EXPECT_KERNEL_WARNINGS(test, 0, dma_fence_set_error(fence, -MAX_ERRNO));
}

static void set_error_warns_about_no_errno(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	EXPECT_KERNEL_WARNING(test, dma_fence_set_error(fence, 0));
	EXPECT_KERNEL_WARNING(test, dma_fence_set_error(fence, 1));
	EXPECT_KERNEL_WARNING(test, dma_fence_set_error(fence, -MAX_ERRNO - 1));
}

static void set_error_warns_after_signal(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);

	EXPECT_KERNEL_WARNING(test, dma_fence_set_error(fence, -EIO));
	KUNIT_EXPECT_EQ(test, fence->error, -EIO);
}

/* ---- timestamp ---- */

static void timestamp_is_the_given_one(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	dma_fence_signal_timestamp(fence, 4711);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), 4711);
}

static void timestamp_of_pending_fence_warns(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);
	ktime_t before = ktime_get();
	ktime_t stamp = 0;

	EXPECT_KERNEL_WARNING(test, stamp = dma_fence_timestamp(fence));
	KUNIT_EXPECT_GE(test, stamp, before);
	KUNIT_EXPECT_LE(test, stamp, ktime_get());
}

struct stamp_timer {
	struct timer_list timer;
	struct dma_fence *fence;
};

static void store_stamp(struct timer_list *timer)
{
	struct stamp_timer *later = container_of(timer, struct stamp_timer, timer);

	later->fence->timestamp = 815;
	smp_wmb(); /* pairs with the acquire in dma_fence_timestamp() */
	set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &later->fence->flags);
}

static void timestamp_waits_for_a_signaller_half_way(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_embed(test);
	struct stamp_timer later = { .fence = &mock->base };

	dma_fence_init(&mock->base, &mock_fence_embedded_ops, &mock->lock, 1, 1);
	set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags);
	timer_setup_on_stack(&later.timer, store_stamp, 0);
	mod_timer(&later.timer, jiffies + 2);

	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(&mock->base), 815);
	timer_delete_sync(&later.timer);
	destroy_timer_on_stack(&later.timer);
}

/* ---- order ---- */

struct seqno_pair {
	const char *desc;
	u64 a;
	u64 b;
	bool later32;
	bool later64;
};

static const struct seqno_pair seqno_pairs[] = {
	{ "equal", 5, 5, false, false },
	{ "next", 6, 5, true, true },
	{ "previous", 5, 6, false, false },
	{ "zero after the last", 0, U32_MAX, true, false },
	{ "last before zero", U32_MAX, 0, false, true },
	{ "just less than half a turn", 0x7fffffff, 0, true, true },
	{ "more than half a turn", 0x80000001, 0, false, true },
	{ "high words differ", 0x100000001ULL, 2, false, true },
	{ "only high words differ", 0x200000001ULL, 1, false, true },
	{ "end of 64 bits", U64_MAX, 0, false, true },
	{ "beyond 63 bits", 1ULL << 63, (1ULL << 63) - 1, true, true },
	{ "whole range", 0, U64_MAX, true, false },
};

KUNIT_ARRAY_PARAM_DESC(seqno_pair, seqno_pairs, desc);

static void seqno_order_in_32_bits(struct kunit *test)
{
	const struct seqno_pair *pair = test->param_value;

	KUNIT_EXPECT_EQ(test, __dma_fence_is_later(pair->a, pair->b, &mock_fence_ops),
			pair->later32);
}

static void seqno_order_in_64_bits(struct kunit *test)
{
	const struct seqno_pair *pair = test->param_value;

	KUNIT_EXPECT_EQ(test, __dma_fence_is_later(pair->a, pair->b, &mock_fence_64bit_ops),
			pair->later64);
}

static void is_later_uses_ops_of_the_first(struct kunit *test)
{
	const struct seqno_pair *pair = test->param_value;
	struct mock_fence *wide = mock_fence_create(test, &mock_fence_64bit_ops, 9, pair->a);
	struct mock_fence *narrow = mock_fence_create(test, &mock_fence_ops, 9, pair->b);

	KUNIT_EXPECT_EQ(test, dma_fence_is_later(&wide->base, &narrow->base), pair->later64);
}

static void is_later_of_other_context_warns(struct kunit *test)
{
	struct mock_fence *old = mock_fence_create(test, &mock_fence_ops, 8, 1);
	struct mock_fence *new = mock_fence_create(test, &mock_fence_ops, 9, 2);
	bool later = true;

	EXPECT_KERNEL_WARNING(test, later = dma_fence_is_later(&new->base, &old->base));
	KUNIT_EXPECT_FALSE(test, later);
}

static void is_later_or_same_knows_the_object(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_ops, 9, 1);
	struct mock_fence *twin = mock_fence_create(test, &mock_fence_ops, 9, 1);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_later_or_same(&mock->base, &mock->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later_or_same(&mock->base, &twin->base));
}

static void is_later_or_same_knows_the_order(struct kunit *test)
{
	struct mock_fence *old = mock_fence_create(test, &mock_fence_ops, 9, 1);
	struct mock_fence *new = mock_fence_create(test, &mock_fence_ops, 9, 2);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_later_or_same(&new->base, &old->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later_or_same(&old->base, &new->base));
}

static void later_picks_the_later(struct kunit *test)
{
	struct mock_fence *old = mock_fence_create(test, &mock_fence_ops, 9, 1);
	struct mock_fence *new = mock_fence_create(test, &mock_fence_ops, 9, 2);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(&old->base, &new->base), &new->base);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(&new->base, &old->base), &new->base);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(&new->base), 1);
}

static void later_of_a_tie_is_the_second(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_ops, 9, 1);
	struct mock_fence *twin = mock_fence_create(test, &mock_fence_ops, 9, 1);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(&mock->base, &twin->base), &twin->base);
}

static void later_of_completed_fence_is_null(struct kunit *test)
{
	struct mock_fence *old = mock_fence_create(test, &mock_fence_ops, 9, 1);
	struct mock_fence *new = mock_fence_create(test, &mock_fence_ops, 9, 2);

	dma_fence_signal(&new->base);
	KUNIT_EXPECT_NULL(test, dma_fence_later(&old->base, &new->base));
	KUNIT_EXPECT_NULL(test, dma_fence_later(&new->base, &old->base));
}

static void later_of_other_context_warns(struct kunit *test)
{
	struct mock_fence *old = mock_fence_create(test, &mock_fence_ops, 8, 1);
	struct mock_fence *new = mock_fence_create(test, &mock_fence_ops, 9, 2);
	struct dma_fence *later = &old->base;

	EXPECT_KERNEL_WARNING(test, later = dma_fence_later(&old->base, &new->base));
	KUNIT_EXPECT_NULL(test, later);
}

/* ---- contexts ---- */

static void context_alloc_is_consecutive(struct kunit *test)
{
	u64 first = dma_fence_context_alloc(5);
	u64 next = dma_fence_context_alloc(1);

	KUNIT_EXPECT_GE(test, next, first + 5);
	KUNIT_EXPECT_GT(test, dma_fence_context_alloc(1), next);
}

static void context_alloc_never_gives_0(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, dma_fence_context_alloc(1), 0);
}

static void context_alloc_of_none_warns(struct kunit *test)
{
	u64 before = dma_fence_context_alloc(1);

	EXPECT_KERNEL_WARNING(test, dma_fence_context_alloc(0));
	KUNIT_EXPECT_GT(test, dma_fence_context_alloc(1), before);
}

/* ---- stubs ---- */

static void stub_is_one_completed_fence(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_fence *again = dma_fence_get_stub();

	KUNIT_EXPECT_PTR_EQ(test, stub, again);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(stub), 1);
	KUNIT_EXPECT_EQ(test, stub->context, 0);
	KUNIT_EXPECT_EQ(test, stub->seqno, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(stub),
			BIT(DMA_FENCE_FLAG_SIGNALED_BIT) | BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT) |
			BIT(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
	dma_fence_put(again);
	dma_fence_put(stub);
}

static void stub_is_named_stub(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();

	KUNIT_EXPECT_STREQ(test, stub->ops->get_driver_name(stub), "stub");
	KUNIT_EXPECT_STREQ(test, stub->ops->get_timeline_name(stub), "stub");
	dma_fence_put(stub);
}

static void stub_gives_a_reference_each_time(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();
	unsigned int refs = mock_fence_refs(stub);

	dma_fence_get_stub();
	KUNIT_EXPECT_EQ(test, mock_fence_refs(stub), refs + 1);
	dma_fence_put(stub);
	dma_fence_put(stub);
	KUNIT_EXPECT_GE(test, refs, 2);
}

static void private_stub_is_a_completed_fence_of_its_own(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_fence *mine = dma_fence_allocate_private_stub(1234);

	KUNIT_ASSERT_NOT_NULL(test, mine);
	KUNIT_EXPECT_PTR_NE(test, mine, stub);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(mine), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(mine), 1234);
	KUNIT_EXPECT_EQ(test, mine->context, 0);
	KUNIT_EXPECT_EQ(test, mine->seqno, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(mine), 1);
	KUNIT_EXPECT_STREQ(test, mine->ops->get_driver_name(mine), "stub");
	KUNIT_EXPECT_STREQ(test, mine->ops->get_timeline_name(mine), "stub");
	dma_fence_put(mine);
	dma_fence_put(stub);
}

static void private_stub_without_memory_is_null(struct kunit *test)
{
	struct dma_fence *mine = NULL;

	fail_alloc_setup(test);
	KUNIT_EXPECT_TRUE(test, FAIL_NTH_ALLOC(1, mine = dma_fence_allocate_private_stub(1)));
	KUNIT_EXPECT_NULL(test, mine);
}

/* ---- deadline ---- */

static void deadline_reaches_a_pending_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_set_deadline(&mock->base, 777);
	KUNIT_EXPECT_EQ(test, mock->log->deadlines, 1);
	KUNIT_EXPECT_EQ(test, mock->log->deadline, 777);
}

static void deadline_is_forwarded_every_time(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_set_deadline(&mock->base, 777);
	dma_fence_set_deadline(&mock->base, 888);
	KUNIT_EXPECT_EQ(test, mock->log->deadlines, 2);
	KUNIT_EXPECT_EQ(test, mock->log->deadline, 888);
}

static void deadline_skips_a_completed_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	dma_fence_signal(&mock->base);
	dma_fence_set_deadline(&mock->base, 777);
	KUNIT_EXPECT_EQ(test, mock->log->deadlines, 0);
}

static void deadline_asks_the_driver_first(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	dma_fence_set_deadline(&mock->base, 777);
	KUNIT_EXPECT_EQ(test, mock->log->deadlines, 0);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags));
}

static void deadline_without_op_does_nothing(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	dma_fence_set_deadline(fence, 777);
	KUNIT_EXPECT_EQ(test, mock_fence_flags(fence), 0);
}

/* ---- text ---- */

static const char *describe(struct kunit *test, struct dma_fence *fence)
{
	struct seq_file seq = { .size = 256, .buf = kunit_kzalloc(test, 256, GFP_KERNEL) };

	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	dma_fence_describe(fence, &seq);
	return seq.buf;
}

static void describe_shows_a_pending_fence(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_create(test, &mock_fence_ops, 9, 0x100000002ULL);

	KUNIT_EXPECT_STREQ(test, describe(test, &mock->base),
			   "mock_driver mock_timeline seq 4294967298 unsignalled\n");
}

static void describe_shows_a_completed_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new_signaled(test);

	KUNIT_EXPECT_STREQ(test, describe(test, fence),
			   "detached-driver signaled-timeline seq 1 signalled\n");
}

static void describe_asks_the_driver(struct kunit *test)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock->complete = true;
	KUNIT_EXPECT_STREQ(test, describe(test, &mock->base),
			   "detached-driver signaled-timeline seq 1 signalled\n");
}

/* ---- kinds ---- */

static void plain_fence_is_no_container(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_new(test);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_array(fence));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_chain(fence));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_container(fence));
}

static void array_is_a_container(struct kunit *test)
{
	struct dma_fence **fences = kmalloc_array(1, sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;

	KUNIT_ASSERT_NOT_NULL(test, fences);
	fences[0] = dma_fence_get_stub();
	array = dma_fence_array_create(1, fences, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_array(&array->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_chain(&array->base));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_container(&array->base));
	dma_fence_put(&array->base);
}

static void chain_is_a_container(struct kunit *test)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, NULL, dma_fence_get_stub(), 1);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_array(&chain->base));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_chain(&chain->base));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_container(&chain->base));
	dma_fence_put(&chain->base);
}

/* ---- annotation ---- */

static void signalling_sections_nest(struct kunit *test)
{
	int depth = held_locks();
	bool outer, inner;

	outer = dma_fence_begin_signalling();
	inner = dma_fence_begin_signalling();
	KUNIT_EXPECT_EQ(test, outer, !IS_ENABLED(CONFIG_LOCKDEP));
	KUNIT_EXPECT_TRUE(test, inner);
	dma_fence_end_signalling(inner);
	KUNIT_EXPECT_EQ(test, held_locks(), depth + IS_ENABLED(CONFIG_LOCKDEP));
	dma_fence_end_signalling(outer);
	KUNIT_EXPECT_EQ(test, held_locks(), depth);
}

static void signalling_section_is_not_noted_in_atomic_context(struct kunit *test)
{
	int depth = held_locks();
	bool cookie;

	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		kunit_skip(test, "needs CONFIG_PREEMPT_COUNT");

	preempt_disable();
	cookie = dma_fence_begin_signalling();
	KUNIT_EXPECT_TRUE(test, cookie);
	KUNIT_EXPECT_EQ(test, held_locks(), depth);
	dma_fence_end_signalling(cookie);
	preempt_enable();
}

static void might_wait_restores_the_section(struct kunit *test)
{
	int depth = held_locks();
	bool cookie;

	__dma_fence_might_wait();
	KUNIT_EXPECT_EQ(test, held_locks(), depth);

	cookie = dma_fence_begin_signalling();
	__dma_fence_might_wait();
	KUNIT_EXPECT_EQ(test, held_locks(), depth + IS_ENABLED(CONFIG_LOCKDEP));
	dma_fence_end_signalling(cookie);
}

static struct kunit_case dma_fence_cases[] = {
	KUNIT_CASE(init_gives_one_reference),
	KUNIT_CASE(init_stores_arguments_verbatim),
	KUNIT_CASE(init_clears_old_contents),
	KUNIT_CASE(init_works_under_its_lock),
	KUNIT_CASE_PARAM(bad_init_gives_pending_fence, bad_init_gen_params),
	KUNIT_CASE_PARAM(bad_init_can_be_signaled, bad_init_gen_params),
	KUNIT_CASE_PARAM(bad_init_is_safe_to_put, bad_init_gen_params),
	KUNIT_CASE_PARAM(bad_init_has_names, bad_init_gen_params),
	KUNIT_CASE(get_takes_a_reference),
	KUNIT_CASE(get_of_null_is_null),
	KUNIT_CASE(put_of_null_does_nothing),
	KUNIT_CASE(put_drops_a_reference),
	KUNIT_CASE(last_put_releases_once),
	KUNIT_CASE(last_put_leaves_memory_to_release_op),
	KUNIT_CASE(last_put_without_release_op_frees),
	KUNIT_CASE(free_waits_for_rcu_readers),
	KUNIT_CASE(free_takes_uninitialised_fence),
	KUNIT_CASE(release_callback_runs_the_release_op),
	KUNIT_CASE(last_put_of_unused_fence_is_silent),
	KUNIT_CASE(last_put_with_callbacks_warns_each_time),
	KUNIT_CASE(last_put_with_callbacks_signals_edeadlk),
	KUNIT_CASE(last_put_with_callbacks_names_the_fence),
	KUNIT_CASE(get_rcu_takes_a_reference),
	KUNIT_CASE(get_rcu_of_dead_fence_is_null),
	KUNIT_CASE(get_rcu_safe_of_empty_slot_is_null),
	KUNIT_CASE(get_rcu_safe_takes_a_reference),
	KUNIT_CASE(get_rcu_safe_looks_again_at_a_dead_fence),
	KUNIT_CASE_PARAM(signal_succeeds_once, signal_way_gen_params),
	KUNIT_CASE_PARAM(signal_takes_no_reference, signal_way_gen_params),
	KUNIT_CASE_PARAM(signal_runs_callbacks_under_the_lock, signal_way_gen_params),
	KUNIT_CASE_PARAM(signal_stores_time_before_callbacks, signal_way_gen_params),
	KUNIT_CASE_PARAM(second_signal_changes_nothing, signal_way_gen_params),
	KUNIT_CASE_PARAM(signal_does_not_clear_enable_or_user_flags, signal_way_gen_params),
	KUNIT_CASE(signal_of_null_is_refused),
	KUNIT_CASE(signal_timestamp_of_null_is_refused),
	KUNIT_CASE(signal_serves_fences_that_share_a_lock),
	KUNIT_CASE(signal_is_a_signalling_section),
	KUNIT_CASE(signal_timestamp_is_no_signalling_section),
	KUNIT_CASE_PARAM(is_signaled_follows_the_flag, ask_way_gen_params),
	KUNIT_CASE_PARAM(is_signaled_asks_the_driver, ask_way_gen_params),
	KUNIT_CASE_PARAM(is_signaled_signals_what_the_driver_saw, ask_way_gen_params),
	KUNIT_CASE_PARAM(is_signaled_stops_asking_after_signal, ask_way_gen_params),
	KUNIT_CASE_PARAM(is_signaled_does_not_enable_signalling, ask_way_gen_params),
	KUNIT_CASE_PARAM(status_of_pending_fence_is_0, ask_way_gen_params),
	KUNIT_CASE_PARAM(status_of_completed_fence_is_1, ask_way_gen_params),
	KUNIT_CASE_PARAM(status_shows_error_once_signalled, ask_way_gen_params),
	KUNIT_CASE_PARAM(status_asks_the_driver, ask_way_gen_params),
	KUNIT_CASE(error_is_visible_to_callbacks),
	KUNIT_CASE(set_error_takes_every_errno_silently),
	KUNIT_CASE(set_error_warns_about_no_errno),
	KUNIT_CASE(set_error_warns_after_signal),
	KUNIT_CASE_PARAM(set_error_stores_any_value, error_range_gen_params),
	KUNIT_CASE(timestamp_is_the_given_one),
	KUNIT_CASE(timestamp_of_pending_fence_warns),
	KUNIT_CASE(timestamp_waits_for_a_signaller_half_way),
	KUNIT_CASE_PARAM(seqno_order_in_32_bits, seqno_pair_gen_params),
	KUNIT_CASE_PARAM(seqno_order_in_64_bits, seqno_pair_gen_params),
	KUNIT_CASE_PARAM(is_later_uses_ops_of_the_first, seqno_pair_gen_params),
	KUNIT_CASE(is_later_of_other_context_warns),
	KUNIT_CASE(is_later_or_same_knows_the_object),
	KUNIT_CASE(is_later_or_same_knows_the_order),
	KUNIT_CASE(later_picks_the_later),
	KUNIT_CASE(later_of_a_tie_is_the_second),
	KUNIT_CASE(later_of_completed_fence_is_null),
	KUNIT_CASE(later_of_other_context_warns),
	KUNIT_CASE(context_alloc_is_consecutive),
	KUNIT_CASE(context_alloc_never_gives_0),
	KUNIT_CASE(context_alloc_of_none_warns),
	KUNIT_CASE(stub_is_one_completed_fence),
	KUNIT_CASE(stub_is_named_stub),
	KUNIT_CASE(stub_gives_a_reference_each_time),
	KUNIT_CASE(private_stub_is_a_completed_fence_of_its_own),
	KUNIT_CASE(private_stub_without_memory_is_null),
	KUNIT_CASE(deadline_reaches_a_pending_fence),
	KUNIT_CASE(deadline_is_forwarded_every_time),
	KUNIT_CASE(deadline_skips_a_completed_fence),
	KUNIT_CASE(deadline_asks_the_driver_first),
	KUNIT_CASE(deadline_without_op_does_nothing),
	KUNIT_CASE(describe_shows_a_pending_fence),
	KUNIT_CASE(describe_shows_a_completed_fence),
	KUNIT_CASE(describe_asks_the_driver),
	KUNIT_CASE(plain_fence_is_no_container),
	KUNIT_CASE(array_is_a_container),
	KUNIT_CASE(chain_is_a_container),
	KUNIT_CASE(signalling_sections_nest),
	KUNIT_CASE(signalling_section_is_not_noted_in_atomic_context),
	KUNIT_CASE(might_wait_restores_the_section),
	{}
};

static struct kunit_suite dma_fence_suite = {
	.name = "dma_fence",
	.init = notes_init,
	.test_cases = dma_fence_cases,
};

kunit_test_suite(dma_fence_suite);
