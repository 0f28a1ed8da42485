// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of chains of fences as fences: enabling, completion, errors, deadlines.
 */

#include <kunit/test.h>

#include <linux/irqflags.h>
#include <linux/slab.h>

#include "mock_container.h"
#include "mock_fence.h"

#define NUM_NODES 3

/* A chain of nodes 1, 2, 3 with a fence each; index 0 is the oldest. */
struct line {
	struct mock_fence *mocks[NUM_NODES];
	struct dma_fence *fences[NUM_NODES];
	struct dma_fence *nodes[NUM_NODES];
	struct dma_fence *head;
};

static struct line *line_create(struct kunit *test)
{
	struct line *line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, line);
	for (i = 0; i < NUM_NODES; i++) {
		line->mocks[i] = mock_fence_new_full(test);
		line->fences[i] = &line->mocks[i]->base;
	}
	for (i = 0; i < NUM_NODES; i++) {
		line->nodes[i] = mock_chain_create(test, line->head, line->fences[i], i + 1);
		line->head = line->nodes[i];
	}
	return line;
}

static void init_does_not_ask_fences(struct kunit *test)
{
	struct line *line = line_create(test);

	KUNIT_EXPECT_EQ(test, line->mocks[2]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, line->mocks[2]->log->polls, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(line->fences[2]), 0);
}

static void poll_does_not_enable_fences(struct kunit *test)
{
	struct line *line = line_create(test);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
	KUNIT_EXPECT_EQ(test, line->mocks[0]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, line->mocks[2]->log->enables, 0);
}

static void poll_holds_nothing(struct kunit *test)
{
	struct line *line = line_create(test);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[2]), 1);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->nodes[1]), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[1]), 2);
}

static void enable_asks_newest_pending_fence_only(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_signal(line->fences[2]);
	dma_fence_enable_sw_signaling(line->head);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(line->fences[1]), 1);
	KUNIT_EXPECT_EQ(test, line->mocks[1]->log->enables, 1);
	KUNIT_EXPECT_EQ(test, line->mocks[0]->log->enables, 0);
	KUNIT_EXPECT_EQ(test, mock_fence_callbacks(line->fences[0]), 0);
}

static void enable_with_nothing_pending_completes_at_once(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	dma_fence_enable_sw_signaling(line->head);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(line->head));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->head), 1);
}

static void callback_holds_node_and_fence(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_enable_sw_signaling(line->head);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->head), 2);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 3);
	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(line->head, 1));
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 2);
}

static void node_looks_again_after_each_fence(struct kunit *test)
{
	struct line *line = line_create(test);
	struct mock_cb *cb = mock_cb_add(test, line->head);

	dma_fence_signal(line->fences[2]);
	mock_irq_work_flush();
	KUNIT_EXPECT_EQ(test, line->mocks[1]->log->enables, 1);
	dma_fence_signal(line->fences[0]);
	mock_irq_work_flush();
	KUNIT_EXPECT_FALSE(test, mock_fence_flag(line->head));
	dma_fence_signal(line->fences[1]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(line->head));
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
}

static void completion_is_asynchronous(struct kunit *test)
{
	struct line *line = line_create(test);
	unsigned long flags;
	bool flag, polled;

	mock_needs_irqs_off(test);
	dma_fence_enable_sw_signaling(line->head);
	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	local_irq_save(flags);
	dma_fence_signal(line->fences[2]);
	flag = mock_fence_flag(line->head);
	polled = dma_fence_is_signaled(line->head);
	local_irq_restore(flags);
	KUNIT_EXPECT_FALSE(test, flag);
	KUNIT_EXPECT_TRUE(test, polled);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(line->head, 1));
}

struct order {
	const char *desc;
	unsigned int index[NUM_NODES];
	/* how many nodes, from the oldest on, are done after each signal */
	unsigned int done[NUM_NODES];
};

static const struct order orders[] = {
	{ "forward", { 0, 1, 2 }, { 1, 2, 3 } },
	{ "backward", { 2, 1, 0 }, { 0, 0, 3 } },
	{ "newest first", { 2, 0, 1 }, { 0, 1, 3 } },
	{ "middle first", { 1, 0, 2 }, { 0, 2, 3 } },
	{ "middle last", { 0, 2, 1 }, { 1, 1, 3 } },
};

KUNIT_ARRAY_PARAM_DESC(order, orders, desc);

static unsigned int count_done(struct line *line)
{
	unsigned int i, done = 0;

	for (i = 0; i < NUM_NODES; i++)
		done += dma_fence_is_signaled(line->nodes[i]);
	return done;
}

static void node_waits_for_all_older_ones(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct line *line = line_create(test);

	dma_fence_signal(line->fences[param->index[0]]);
	KUNIT_EXPECT_EQ(test, count_done(line), param->done[0]);
	dma_fence_signal(line->fences[param->index[1]]);
	KUNIT_EXPECT_EQ(test, count_done(line), param->done[1]);
	dma_fence_signal(line->fences[param->index[2]]);
	KUNIT_EXPECT_EQ(test, count_done(line), param->done[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_flag(line->head));
}

static void enabled_node_waits_for_all_older_ones(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct line *line = line_create(test);
	struct mock_cb *cb = mock_cb_add(test, line->head);

	dma_fence_signal(line->fences[param->index[0]]);
	dma_fence_signal(line->fences[param->index[1]]);
	mock_irq_work_flush();
	KUNIT_EXPECT_EQ(test, cb->calls, 0);
	dma_fence_signal(line->fences[param->index[2]]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(line->head));
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
}

static void poll_asks_drivers(struct kunit *test)
{
	struct line *line = line_create(test);

	line->mocks[0]->complete = true;
	line->mocks[2]->complete = true;
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
	line->mocks[1]->complete = true;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(line->head));
}

static void node_waits_for_plain_end(struct kunit *test)
{
	struct dma_fence *end = mock_fence_new(test), *fence = mock_fence_new_signaled(test);
	struct dma_fence *node = mock_chain_create(test, end, fence, 1);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(node));
	dma_fence_signal(end);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(node));
}

static void node_waits_for_array(struct kunit *test)
{
	struct dma_fence *one = mock_fence_new(test), *two = mock_fence_new(test);
	struct dma_fence *node = mock_chain_create(test, NULL, mock_array(test, one, two), 1);
	struct mock_cb *cb = mock_cb_add(test, node);

	dma_fence_signal(one);
	mock_irq_work_flush();
	KUNIT_EXPECT_EQ(test, cb->calls, 0);
	dma_fence_signal(two);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_flag(node));
	KUNIT_EXPECT_EQ(test, cb->calls, 1);
}

static void enabled_node_outlives_its_owner(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_enable_sw_signaling(line->head);
	mock_container_put(test, line->nodes[2]);
	KUNIT_EXPECT_EQ(test, mock_fence_refs(line->fences[2]), 3);
	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_TRUE(test, mock_fence_wait_refs(line->fences[2], 1));
}

struct way {
	const char *desc;
	bool enable;
};

static const struct way ways[] = {
	{ "polled", false },
	{ "enabled", true },
};

KUNIT_ARRAY_PARAM_DESC(way, ways, desc);

static void line_complete(struct line *line, bool enable)
{
	if (enable)
		dma_fence_enable_sw_signaling(line->head);
	mock_fence_fail(line->fences[0], -EIO);
	mock_fence_fail(line->fences[1], -EIO);
	mock_fence_fail(line->fences[2], -EIO);
	if (enable)
		mock_fence_wait_flag(line->head);
}

static void errors_stay_where_they_are(struct kunit *test)
{
	const struct way *param = test->param_value;
	struct line *line = line_create(test);

	line_complete(line, param->enable);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(line->head), 1);
	KUNIT_EXPECT_EQ(test, line->head->error, 0);
}

static void error_of_the_owner_survives(struct kunit *test)
{
	const struct way *param = test->param_value;
	struct line *line = line_create(test);

	dma_fence_set_error(line->head, -ECANCELED);
	line_complete(line, param->enable);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(line->head), -ECANCELED);
}

static void bits_of_the_owner_survive(struct kunit *test)
{
	const struct way *param = test->param_value;
	struct line *line = line_create(test);

	set_bit(DMA_FENCE_FLAG_USER_BITS, &line->head->flags);
	line_complete(line, param->enable);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(line->head));
	KUNIT_EXPECT_EQ(test, mock_fence_flags(line->head) >> DMA_FENCE_FLAG_USER_BITS, 1);
}

static void deadline_reaches_older_fences(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_set_deadline(line->nodes[1], 1234);
	KUNIT_EXPECT_EQ(test, line->mocks[0]->log->deadline, 1234);
	KUNIT_EXPECT_EQ(test, line->mocks[1]->log->deadline, 1234);
	KUNIT_EXPECT_EQ(test, line->mocks[2]->log->deadlines, 0);
}

static void deadline_reaches_plain_end_and_arrays(struct kunit *test)
{
	struct mock_fence *end = mock_fence_new_full(test), *member = mock_fence_new_full(test);
	struct dma_fence *array = mock_array(test, &member->base);

	dma_fence_set_deadline(mock_chain_create(test, &end->base, array, 1), 1234);
	KUNIT_EXPECT_EQ(test, end->log->deadline, 1234);
	KUNIT_EXPECT_EQ(test, member->log->deadline, 1234);
}

static void wait_ends_when_all_have_signalled(struct kunit *test)
{
	struct line *line = line_create(test);

	dma_fence_signal(line->fences[0]);
	dma_fence_signal(line->fences[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(line->head, false, 1), 0);
	dma_fence_signal(line->fences[2]);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(line->head, false, HZ), 0);
}

static struct kunit_case dma_fence_chain_signal_cases[] = {
	KUNIT_CASE(init_does_not_ask_fences),
	KUNIT_CASE(poll_does_not_enable_fences),
	KUNIT_CASE(poll_holds_nothing),
	KUNIT_CASE(enable_asks_newest_pending_fence_only),
	KUNIT_CASE(enable_with_nothing_pending_completes_at_once),
	KUNIT_CASE(callback_holds_node_and_fence),
	KUNIT_CASE(node_looks_again_after_each_fence),
	KUNIT_CASE(completion_is_asynchronous),
	KUNIT_CASE_PARAM(node_waits_for_all_older_ones, order_gen_params),
	KUNIT_CASE_PARAM(enabled_node_waits_for_all_older_ones, order_gen_params),
	KUNIT_CASE(poll_asks_drivers),
	KUNIT_CASE(node_waits_for_plain_end),
	KUNIT_CASE(node_waits_for_array),
	KUNIT_CASE(enabled_node_outlives_its_owner),
	KUNIT_CASE_PARAM(errors_stay_where_they_are, way_gen_params),
	KUNIT_CASE_PARAM(error_of_the_owner_survives, way_gen_params),
	KUNIT_CASE_PARAM(bits_of_the_owner_survive, way_gen_params),
	KUNIT_CASE(deadline_reaches_older_fences),
	KUNIT_CASE(deadline_reaches_plain_end_and_arrays),
	KUNIT_CASE(wait_ends_when_all_have_signalled),
	{}
};

static struct kunit_suite dma_fence_chain_signal_suite = {
	.name = "dma_fence_chain_signal",
	.test_cases = dma_fence_chain_signal_cases,
};

kunit_test_suite(dma_fence_chain_signal_suite);
