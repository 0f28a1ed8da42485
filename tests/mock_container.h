/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arrays and chains of fences for KUnit cases, and what it takes to watch them.
 */
#ifndef _DMABUF_TESTS_MOCK_CONTAINER_H
#define _DMABUF_TESTS_MOCK_CONTAINER_H

#include <linux/args.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence.h>
#include <linux/types.h>

struct kunit;

/**
 * struct mock_cb - a callback that writes down its calls
 * @base: what the fence gets
 * @fence: the fence, with a reference
 * @calls: number of calls
 */
struct mock_cb {
	struct dma_fence_cb base;
	struct dma_fence *fence;
	unsigned int calls;
};

struct dma_fence **mock_fence_list(struct kunit *test, struct dma_fence **fences,
				   unsigned int num);
struct dma_fence *mock_array_create(struct kunit *test, bool any, struct dma_fence **fences,
				    unsigned int num);
struct dma_fence *mock_chain_create(struct kunit *test, struct dma_fence *prev,
				    struct dma_fence *fence, u64 seqno);
struct dma_fence *mock_container_adopt(struct kunit *test, struct dma_fence *fence);
void mock_container_put(struct kunit *test, struct dma_fence *fence);
void mock_container_disown(struct kunit *test, struct dma_fence *fence);

/*
 * An array of the fences listed, which signals when all of them have.
 */
#define mock_array(test, ...)							\
	mock_array_create(test, false, (struct dma_fence *[]){ __VA_ARGS__ },	\
			  COUNT_ARGS(__VA_ARGS__))

struct mock_cb *mock_cb_add(struct kunit *test, struct dma_fence *fence);
unsigned int mock_fence_callbacks(struct dma_fence *fence);
int mock_fence_fail(struct dma_fence *fence, int error);
void mock_irq_work_flush(void);
bool mock_fence_wait_flag(struct dma_fence *fence);
bool mock_fence_wait_refs(struct dma_fence *fence, unsigned int refs);

/**
 * mock_fence_flag() - has a fence signalled already?
 * @fence: fence to look at
 *
 * Return: what is known without asking the driver.
 */
static inline bool mock_fence_flag(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * mock_fence_enabled() - has signalling of a fence been enabled?
 * @fence: fence to look at
 *
 * Return: the answer.
 */
static inline bool mock_fence_enabled(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
}

#endif /* _DMABUF_TESTS_MOCK_CONTAINER_H */
