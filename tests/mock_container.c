// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays and chains of fences for the KUnit suites of the dma-buf subsystem.
 */

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/slab.h>

#include "mock_container.h"
#include "mock_fence.h"

KUNIT_DEFINE_ACTION_WRAPPER(mock_container_finish, dma_fence_put, struct dma_fence *);

/**
 * mock_container_adopt() - let a case own a reference
 * @test: running case, which drops the reference in the end
 * @fence: fence, may be NULL, in which case @test fails
 *
 * Return: @fence.
 */
struct dma_fence *mock_container_adopt(struct kunit *test, struct dma_fence *fence)
{
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_container_finish, fence));
	return fence;
}

/**
 * mock_container_put() - drop the reference of a case early
 * @test: running case
 * @fence: fence of which it has one
 */
void mock_container_put(struct kunit *test, struct dma_fence *fence)
{
	kunit_release_action(test, mock_container_finish, fence);
}

/**
 * mock_container_disown() - take over the reference of a case
 * @test: running case
 * @fence: fence of which it has one; the caller has to put it
 */
void mock_container_disown(struct kunit *test, struct dma_fence *fence)
{
	kunit_remove_action(test, mock_container_finish, fence);
}

/**
 * mock_fence_list() - make what an array is made of
 * @test: running case
 * @fences: fences
 * @num: number of @fences
 *
 * Return: kmalloc'ed list of @fences with a new reference on each; the caller
 * owns all of it.
 */
struct dma_fence **mock_fence_list(struct kunit *test, struct dma_fence **fences,
				   unsigned int num)
{
	struct dma_fence **list = kcalloc(num, sizeof(*list), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < num; i++)
		list[i] = dma_fence_get(fences[i]);
	return list;
}

/**
 * mock_array_create() - create an array of fences in a context of its own
 * @test: running case, which drops its reference in the end
 * @any: signal with the first member rather than with the last
 * @fences: members; the array gets references of its own
 * @num: number of @fences
 *
 * Return: the array.
 */
struct dma_fence *mock_array_create(struct kunit *test, bool any, struct dma_fence **fences,
				    unsigned int num)
{
	struct dma_fence **list = mock_fence_list(test, fences, num);
	struct dma_fence_array *array;

	array = dma_fence_array_create(num, list, dma_fence_context_alloc(1), 1, any);
	KUNIT_ASSERT_NOT_NULL(test, array);
	return mock_container_adopt(test, &array->base);
}

/**
 * mock_chain_create() - create a node of a chain
 * @test: running case, which drops its reference in the end
 * @prev: older node, any other fence, or NULL
 * @fence: what the node contains; it gets references of its own on both
 * @seqno: point on the timeline
 *
 * Return: the node.
 */
struct dma_fence *mock_chain_create(struct kunit *test, struct dma_fence *prev,
				    struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, dma_fence_get(prev), dma_fence_get(fence), seqno);
	return mock_container_adopt(test, &chain->base);
}

static void mock_cb_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct mock_cb *mock = container_of(cb, struct mock_cb, base);

	mock->calls++;
}

static void mock_cb_finish(void *data)
{
	struct mock_cb *mock = data;

	dma_fence_remove_callback(mock->fence, &mock->base);
	dma_fence_put(mock->fence);
}

/**
 * mock_cb_add() - wait for a fence
 * @test: running case, which removes the callback in the end
 * @fence: pending fence, of which the callback holds a reference
 *
 * Return: the callback.
 */
struct mock_cb *mock_cb_add(struct kunit *test, struct dma_fence *fence)
{
	struct mock_cb *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	KUNIT_ASSERT_EQ(test, 0, dma_fence_add_callback(fence, &mock->base, mock_cb_called));
	mock->fence = dma_fence_get(fence);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_cb_finish, mock));
	return mock;
}

/**
 * mock_fence_callbacks() - count who waits for a fence
 * @fence: pending fence
 *
 * Return: number of callbacks.
 */
unsigned int mock_fence_callbacks(struct dma_fence *fence)
{
	unsigned long flags;
	unsigned int count;

	spin_lock_irqsave(fence->lock, flags);
	count = list_count_nodes(&fence->cb_list);
	spin_unlock_irqrestore(fence->lock, flags);
	return count;
}

/**
 * mock_fence_fail() - signal a fence with an error
 * @fence: fence
 * @error: negative errno
 *
 * Return: what dma_fence_signal() returns.
 */
int mock_fence_fail(struct dma_fence *fence, int error)
{
	dma_fence_set_error(fence, error);
	return dma_fence_signal(fence);
}

static void mock_irq_work_nothing(struct irq_work *work)
{
}

/**
 * mock_irq_work_flush() - let everything run that was put off to an irq_work
 *
 * Also what these put off in turn, once. Works of one CPU run in batches, and
 * not in order.
 */
void mock_irq_work_flush(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(mock_irq_work_nothing);
	unsigned int i, cpu;

	for (i = 0; i < 3; i++)
		for_each_online_cpu(cpu) {
			irq_work_queue_on(&work, cpu);
			irq_work_sync(&work);
		}
}

/**
 * mock_fence_wait_flag() - wait for a fence without asking it for anything
 * @fence: fence
 *
 * Return: has it signalled within some time?
 */
bool mock_fence_wait_flag(struct dma_fence *fence)
{
	unsigned int i;

	for (i = 0; i < 200 && !mock_fence_flag(fence); i++)
		msleep(20);
	return mock_fence_flag(fence);
}

/**
 * mock_fence_wait_refs() - wait until a fence has as many references
 * @fence: fence
 * @refs: number of references, the caller's included
 *
 * Return: is it so, within some time?
 */
bool mock_fence_wait_refs(struct dma_fence *fence, unsigned int refs)
{
	unsigned int i;

	for (i = 0; i < 200 && mock_fence_refs(fence) != refs; i++)
		msleep(20);
	return mock_fence_refs(fence) == refs;
}
