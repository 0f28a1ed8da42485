/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservation objects for KUnit cases.
 */
#ifndef _DMABUF_TESTS_MOCK_RESV_H
#define _DMABUF_TESTS_MOCK_RESV_H

#include <kunit/test.h>

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "mock_fence.h"

/*
 * Cases may end early, with the lock held.
 */
static inline void mock_resv_finish(void *data)
{
	struct dma_resv *obj = data;

	if (dma_resv_is_locked(obj))
		dma_resv_unlock(obj);
	dma_resv_fini(obj);
}

/**
 * mock_resv_create() - create a reservation object
 * @test: running case, which gets rid of the object in the end
 *
 * Create objects before fences: they are cleaned up in reverse.
 *
 * Return: the object, never NULL.
 */
static inline struct dma_resv *mock_resv_create(struct kunit *test)
{
	struct dma_resv *obj = kunit_kzalloc(test, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	dma_resv_init(obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_resv_finish, obj));
	return obj;
}

/**
 * mock_resv_reserve_add() - reserve a slot and use it
 * @test: running case
 * @obj: locked object
 * @fence: fence to add
 * @usage: its usage
 */
static inline void mock_resv_reserve_add(struct kunit *test, struct dma_resv *obj,
					 struct dma_fence *fence, enum dma_resv_usage usage)
{
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_add_fence(obj, fence, usage);
}

/**
 * mock_resv_add() - lock, reserve, add, unlock
 * @test: running case
 * @obj: object, not locked
 * @fence: fence to add
 * @usage: its usage
 */
static inline void mock_resv_add(struct kunit *test, struct dma_resv *obj,
				 struct dma_fence *fence, enum dma_resv_usage usage)
{
	dma_resv_lock(obj, NULL);
	mock_resv_reserve_add(test, obj, fence, usage);
	dma_resv_unlock(obj);
}

/**
 * mock_resv_add_new() - add a new fence on a timeline of its own
 * @test: running case
 * @obj: object, not locked
 * @usage: usage of the fence
 *
 * Return: the fence; @test has a reference, and so has @obj.
 */
static inline struct mock_fence *mock_resv_add_new(struct kunit *test, struct dma_resv *obj,
						   enum dma_resv_usage usage)
{
	struct mock_fence *mock = mock_fence_new_full(test);

	mock_resv_add(test, obj, &mock->base, usage);
	return mock;
}

#define MOCK_RESV_MAX 16

/**
 * struct mock_resv_snapshot - what a reservation object held
 * @count: number of entries, also beyond the size of the arrays
 * @fences: fences in the order of the list; no references
 * @usages: their usages
 */
struct mock_resv_snapshot {
	unsigned int count;
	struct dma_fence *fences[MOCK_RESV_MAX];
	enum dma_resv_usage usages[MOCK_RESV_MAX];
};

/**
 * mock_resv_look() - note all entries of a reservation object
 * @obj: locked object
 * @shot: filled in
 */
static inline void mock_resv_look(struct dma_resv *obj, struct mock_resv_snapshot *shot)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	shot->count = 0;
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (shot->count < MOCK_RESV_MAX) {
			shot->fences[shot->count] = fence;
			shot->usages[shot->count] = dma_resv_iter_usage(&cursor);
		}
		shot->count++;
	}
}

/**
 * struct mock_usage - parameter of cases that run for each usage
 * @desc: name
 * @usage: usage
 */
struct mock_usage {
	const char *desc;
	enum dma_resv_usage usage;
};

static const struct mock_usage mock_usages[] __maybe_unused = {
	{ "kernel", DMA_RESV_USAGE_KERNEL },
	{ "write", DMA_RESV_USAGE_WRITE },
	{ "read", DMA_RESV_USAGE_READ },
	{ "bookkeep", DMA_RESV_USAGE_BOOKKEEP },
};

#define MOCK_NUM_USAGES ARRAY_SIZE(mock_usages)

/**
 * mock_resv_add_each() - add a new fence of each usage, the weakest first
 * @test: running case
 * @obj: object, not locked
 * @mocks: receives the fences, by usage
 */
static inline void mock_resv_add_each(struct kunit *test, struct dma_resv *obj,
				      struct mock_fence **mocks)
{
	int usage;

	for (usage = DMA_RESV_USAGE_BOOKKEEP; usage >= DMA_RESV_USAGE_KERNEL; usage--)
		mocks[usage] = mock_resv_add_new(test, obj, usage);
}

#endif /* _DMABUF_TESTS_MOCK_RESV_H */
