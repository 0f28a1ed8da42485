// SPDX-License-Identifier: GPL-2.0
/*
 * Users of one buffer on two CPUs: devices that come and go, memory that moves,
 * mappings in the kernel. Skipped on machines with one CPU.
 */

#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/list.h>

#include "mock_exporter.h"
#include "race.h"
#include "test_util.h"

/**
 * struct users_race - what the sides share
 * @exp: dynamic exporter
 * @buf: its buffer, for all rounds
 * @dev: a device
 * @attach: attachment of each side; one that is detached is NULL
 * @moves: how often each attachment was told that the memory moves
 * @failed: no memory
 * @mapped: the exporter has been asked to map, and not to unmap yet
 * @turns: how often it has been asked to map in this round
 * @wrong: it was asked to map what is mapped, or a side got another mapping
 * @ways: rounds that have gone in one way, and in the other
 */
struct users_race {
	struct mock_exporter *exp;
	struct dma_buf *buf;
	struct device *dev;
	struct dma_buf_attachment *attach[2];
	unsigned int moves[2];
	bool failed;
	bool mapped;
	unsigned int turns;
	bool wrong;
	unsigned int ways[2];
};

/* ---- devices and moves ---- */

/*
 * Called with the reservation lock held, which detaching takes: the attachment is
 * there, and with all that its importer has given. It stays for a while: the other
 * side has the time to take it away, if that were possible.
 */
static void users_race_moved(struct dma_buf_attachment *attach)
{
	unsigned int *moves = attach->importer_priv;

	(*moves)++;
	race_linger();
}

static const struct dma_buf_attach_ops users_race_importer = {
	.move_notify = users_race_moved,
};

static bool attach_prepare(struct kunit *test, void *data)
{
	struct users_race *race = data;

	memset(race->moves, 0, sizeof(race->moves));
	return true;
}

static void attach_side(struct users_race *race, unsigned int side)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_dynamic_attach(race->buf, race->dev, &users_race_importer,
					&race->moves[side]);
	if (IS_ERR(attach))
		WRITE_ONCE(race->failed, true);
	else
		race->attach[side] = attach;
}

static void detach_side(struct users_race *race, unsigned int side)
{
	if (race->attach[side])
		dma_buf_detach(race->buf, race->attach[side]);
	race->attach[side] = NULL;
}

static void attach_and_detach_here(void *data)
{
	attach_side(data, 0);
	detach_side(data, 0);
}

static void attach_and_detach_there(void *data)
{
	attach_side(data, 1);
	detach_side(data, 1);
}

static void move_there(void *data)
{
	struct users_race *race = data;

	dma_resv_lock(race->buf->resv, NULL);
	dma_buf_move_notify(race->buf);
	dma_resv_unlock(race->buf->resv);
}

/* Was the device there when the memory moved? */
static bool check_moved(struct kunit *test, void *data)
{
	struct users_race *race = data;

	race->ways[race->moves[0]]++;
	KUNIT_EXPECT_FALSE(test, race->failed);
	KUNIT_EXPECT_TRUE(test, list_empty(&race->buf->attachments));
	return true;
}

static const struct race attach_against_move = {
	attach_prepare, attach_and_detach_here, move_there, check_moved,
};

/*
 * The one that goes is the newer: the walk over the devices meets it first, and still
 * needs it to get to the other.
 */
static bool detach_prepare(struct kunit *test, void *data)
{
	attach_prepare(test, data);
	attach_side(data, 1);
	attach_side(data, 0);
	return true;
}

static void detach_here(void *data)
{
	detach_side(data, 0);
}

/* An attachment that stays is notified in any case. */
static bool check_detached(struct kunit *test, void *data)
{
	struct users_race *race = data;

	KUNIT_EXPECT_EQ(test, race->moves[1], 1);
	detach_side(race, 1);
	return check_moved(test, data);
}

static const struct race detach_against_move = {
	detach_prepare, detach_here, move_there, check_detached,
};

static void attach_here(void *data)
{
	attach_side(data, 0);
}

static void attach_there(void *data)
{
	attach_side(data, 1);
}

/* Which is newer? The list has the newest first, and no other. */
static bool check_attached(struct kunit *test, void *data)
{
	struct users_race *race = data;
	struct list_head *list = &race->buf->attachments;

	KUNIT_ASSERT_FALSE(test, race->failed);
	KUNIT_EXPECT_EQ(test, list_count_nodes(list), 2);
	race->ways[list->next == &race->attach[0]->node]++;
	move_there(race);
	KUNIT_EXPECT_EQ(test, race->moves[0], 1);
	KUNIT_EXPECT_EQ(test, race->moves[1], 1);
	detach_side(race, 0);
	detach_side(race, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(list));
	return true;
}

static const struct race attach_against_attach = {
	attach_prepare, attach_here, attach_there, check_attached,
};

static bool check_none_attached(struct kunit *test, void *data)
{
	struct users_race *race = data;

	KUNIT_EXPECT_FALSE(test, race->failed);
	KUNIT_EXPECT_TRUE(test, list_empty(&race->buf->attachments));
	return true;
}

static const struct race detach_against_attach = {
	attach_prepare, attach_and_detach_here, attach_and_detach_there, check_none_attached,
};

/* ---- mappings in the kernel ---- */

static int users_race_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct mock_exporter *exp = buf->priv;
	struct users_race *race = exp->hook_data;

	if (race->mapped)
		WRITE_ONCE(race->wrong, true);
	race->mapped = true;
	race->turns++;
	iosys_map_set_vaddr(map, exp->vaddr);
	return 0;
}

static void users_race_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct mock_exporter *exp = buf->priv;
	struct users_race *race = exp->hook_data;

	if (!race->mapped)
		WRITE_ONCE(race->wrong, true);
	race->mapped = false;
}

static bool map_prepare(struct kunit *test, void *data)
{
	((struct users_race *)data)->turns = 0;
	return true;
}

/* As long as it has a mapping, the exporter has not been asked to undo it. */
static void map_and_unmap(void *data)
{
	struct users_race *race = data;
	struct iosys_map map;

	if (dma_buf_vmap_unlocked(race->buf, &map) ||
	    map.vaddr != race->exp->vaddr || !READ_ONCE(race->mapped)) {
		WRITE_ONCE(race->wrong, true);
		return;
	}
	dma_buf_vunmap_unlocked(race->buf, &map);
}

/* Have both shared a mapping, or was there one after the other? */
static bool check_mapped(struct kunit *test, void *data)
{
	struct users_race *race = data;

	race->ways[race->turns == 1]++;
	KUNIT_EXPECT_FALSE(test, race->wrong);
	KUNIT_EXPECT_FALSE(test, race->mapped);
	KUNIT_EXPECT_EQ(test, race->buf->vmapping_counter, 0);
	return true;
}

static const struct race map_against_map = {
	map_prepare, map_and_unmap, map_and_unmap, check_mapped,
};

/* ---- cases ---- */

static int users_race_attach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	return 0;
}

static void users_race_detach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
}

/* The callbacks of the mock write down more than two sides can at once. */
static struct users_race *users_race_create(struct kunit *test)
{
	struct users_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->dev = test_device(test, "race", PAGE_SIZE);
	race->exp = mock_exporter_create(test);
	race->exp->hook_data = race;
	mock_exporter_make_dynamic(race->exp);
	race->exp->ops.attach = users_race_attach;
	race->exp->ops.detach = users_race_detach;
	race->exp->ops.vmap = users_race_vmap;
	race->exp->ops.vunmap = users_race_vunmap;
	race->buf = mock_exporter_export(race->exp);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race->buf);
	return race;
}

static void users_race_run(struct kunit *test, const struct race *what)
{
	struct users_race *race = users_race_create(test);

	race_run_both(test, what, race, race->ways);
}

static void device_comes_and_goes_while_memory_moves(struct kunit *test)
{
	users_race_run(test, &attach_against_move);
}

static void device_goes_while_memory_moves(struct kunit *test)
{
	users_race_run(test, &detach_against_move);
}

static void two_devices_can_attach_at_once(struct kunit *test)
{
	users_race_run(test, &attach_against_attach);
}

static void two_devices_come_and_go(struct kunit *test)
{
	race_run(test, &detach_against_attach, users_race_create(test));
}

static void mapping_is_shared(struct kunit *test)
{
	users_race_run(test, &map_against_map);
}

static struct kunit_case dma_buf_users_race_cases[] = {
	KUNIT_CASE(device_comes_and_goes_while_memory_moves),
	KUNIT_CASE(device_goes_while_memory_moves),
	KUNIT_CASE(two_devices_can_attach_at_once),
	KUNIT_CASE(two_devices_come_and_go),
	KUNIT_CASE(mapping_is_shared),
	{}
};

static struct kunit_suite dma_buf_users_race_suite = {
	.name = "dma_buf_users_race",
	.test_cases = dma_buf_users_race_cases,
};

kunit_test_suite(dma_buf_users_race_suite);

MODULE_DESCRIPTION("KUnit tests for users of one buffer on two CPUs");
MODULE_LICENSE("GPL");
