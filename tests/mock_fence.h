/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mock fences: they do what a case tells them and note what the core asks of them.
 */
#ifndef _DMABUF_TESTS_MOCK_FENCE_H
#define _DMABUF_TESTS_MOCK_FENCE_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/dma-fence.h>
#include <linux/kconfig.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct kunit;

/*
 * The suites also run on the core of a stock 6.12 tree, for comparison: build
 * that with KCFLAGS=-DDMABUF_STOCK_CORE, and the cases about bugs of drivers
 * which stop the machine there are skipped.
 */
#define MOCK_STOCK_CORE __is_defined(DMABUF_STOCK_CORE)

/* With PREEMPT_RT the lock of a fence sleeps, and leaves interrupts as they are. */
#define MOCK_LOCK_STOPS_IRQS (!IS_ENABLED(CONFIG_PREEMPT_RT))

/**
 * mock_needs_irqs_off() - skip a case that signals with interrupts disabled by hand
 * @test: case
 *
 * PREEMPT_RT does not allow that: signalling takes the fence's lock.
 */
#define mock_needs_irqs_off(test) do {					\
	if (!MOCK_LOCK_STOPS_IRQS)					\
		kunit_skip(test, "PREEMPT_RT: a fence's lock sleeps");	\
} while (0)

/**
 * struct mock_fence_log - what happened to a mock fence
 * @names: calls of get_driver_name and get_timeline_name
 * @enables: calls of enable_signaling
 * @polls: calls of signaled
 * @waits: calls of wait
 * @deadlines: calls of set_deadline
 * @releases: calls of release
 * @enable_locked: the last enable_signaling ran with the fence's lock held
 * @enable_irqs_off: the last enable_signaling ran with interrupts disabled
 * @enable_flag: the enable flag was set during the last enable_signaling
 * @wait_intr: argument of the last wait
 * @wait_timeout: argument of the last wait
 * @deadline: argument of the last set_deadline
 * @enable_turn: place of the last enable_signaling among the calls to all mock fences
 * @deadline_turn: place of the last set_deadline among the calls to all mock fences
 * @poll_turn: place of the last signaled among the calls to all mock fences
 * @late: calls after the signal, which are forbidden: the driver may be gone
 * @test: the case, which fails if there are any
 *
 * It belongs to the case and outlives the fence.
 */
struct mock_fence_log {
	unsigned int names;
	unsigned int enables;
	unsigned int polls;
	unsigned int waits;
	unsigned int deadlines;
	unsigned int releases;
	bool enable_locked;
	bool enable_irqs_off;
	bool enable_flag;
	bool wait_intr;
	signed long wait_timeout;
	ktime_t deadline;
	unsigned int enable_turn;
	unsigned int deadline_turn;
	unsigned int poll_turn;
	unsigned int late;
	struct kunit *test;
};

/**
 * struct mock_fence - a fence under control of a case
 * @base: the fence; first, because dma_fence_free() frees it by its address
 * @lock: the lock of @base, unless the case gave another one
 * @log: what happened; NULL once the case has ended
 * @refuse_enable: let enable_signaling return false
 * @enable_error: error stored by enable_signaling before it returns
 * @complete: what signaled returns
 * @complete_error: error stored by signaled before it returns true
 * @wait_result: what wait returns
 * @on_poll: called by signaled first, or NULL; may run in atomic context
 * @on_poll_data: for the case
 */
struct mock_fence {
	struct dma_fence base;
	spinlock_t lock; /* for @base, see there */
	struct mock_fence_log *log;
	bool refuse_enable;
	int enable_error;
	bool complete;
	int complete_error;
	signed long wait_result;
	void (*on_poll)(struct mock_fence *mock);
	void *on_poll_data;
};

static inline struct mock_fence *to_mock_fence(struct dma_fence *fence)
{
	return container_of(fence, struct mock_fence, base);
}

/* names and release: a driver that signals from its interrupt handler */
extern const struct dma_fence_ops mock_fence_ops;
/* the same without release: freed by the core */
extern const struct dma_fence_ops mock_fence_bare_ops;
/* the same with 64-bit sequence numbers */
extern const struct dma_fence_ops mock_fence_64bit_ops;
/* plus enable_signaling, signaled and set_deadline */
extern const struct dma_fence_ops mock_fence_full_ops;
/* plus enable_signaling and wait */
extern const struct dma_fence_ops mock_fence_wait_ops;
/* names, and a release that leaves the memory to the case */
extern const struct dma_fence_ops mock_fence_embedded_ops;

struct mock_fence *mock_fence_create(struct kunit *test, const struct dma_fence_ops *ops,
				     u64 context, u64 seqno);
struct mock_fence *mock_fence_embed(struct kunit *test);
struct dma_fence *mock_fence_new(struct kunit *test);
struct dma_fence *mock_fence_new_signaled(struct kunit *test);
struct mock_fence *mock_fence_new_full(struct kunit *test);
void mock_fence_put(struct kunit *test, struct dma_fence *fence);
void mock_fence_disown(struct kunit *test, struct dma_fence *fence);
void mock_fence_nest_lock(struct mock_fence *mock);

/**
 * mock_fence_refs() - number of references to a fence
 * @fence: fence to look at
 *
 * Return: the number.
 */
static inline unsigned int mock_fence_refs(struct dma_fence *fence)
{
	return kref_read(&fence->refcount);
}

/**
 * mock_fence_flags() - what has happened to a fence
 * @fence: fence to look at
 *
 * Return: its flags without those that are the core's own.
 */
static inline unsigned long mock_fence_flags(struct dma_fence *fence)
{
	return READ_ONCE(fence->flags) & GENMASK(BITS_PER_LONG - 6, 0);
}

/**
 * mock_fence_lock_held() - does this task hold the lock of a fence?
 * @fence: fence to look at
 *
 * Return: true also when this kernel cannot tell.
 */
static inline bool mock_fence_lock_held(struct dma_fence *fence)
{
	return !IS_ENABLED(CONFIG_LOCKDEP) || lockdep_is_held(fence->lock);
}

#endif /* _DMABUF_TESTS_MOCK_FENCE_H */
