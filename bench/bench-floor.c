// SPDX-License-Identifier: GPL-2.0-only
/*
 * Costs that no core can avoid: functions of the rest of the kernel that the operations
 * call. There is no bar for them.
 */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bench.h"

#define BATCH		1000
#define BATCH_FILES	512

struct floor_object {
	struct rcu_head rcu;
	char bytes[496];
};

static DEFINE_SPINLOCK(floor_lock);
static refcount_t floor_refs[BATCH];
static unsigned long floor_sink;

static void run_clock(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		floor_sink += ktime_get();
}

static void run_lock(const struct bench_case *c)
{
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		spin_lock_irqsave(&floor_lock, flags);
		floor_sink++;
		spin_unlock_irqrestore(&floor_lock, flags);
	}
}

static void prepare_refs(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		refcount_set(&floor_refs[i], 1);
}

/* As it is done without a lock: from an object that may be about to go. */
static void run_refs(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		if (refcount_inc_not_zero(&floor_refs[i]) &&
		    refcount_dec_and_test(&floor_refs[i]))
			floor_sink++;
}

static void run_memory(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		kfree(kmalloc(64, GFP_KERNEL));
}

static void run_memory_rcu(const struct bench_case *c)
{
	struct floor_object *object;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		object = kmalloc(sizeof(*object), GFP_KERNEL);
		if (object)
			kfree_rcu(object, rcu);
	}
}

static const struct file_operations floor_file_ops = {
	.owner = THIS_MODULE,
};

/* A file with an inode of its own, which is what a buffer is to the VFS. */
static void run_file(const struct bench_case *c)
{
	struct file *file;
	unsigned int i;

	for (i = 0; i < c->batch; i++) {
		file = anon_inode_create_getfile("bench", &floor_file_ops,
						 NULL, O_RDWR, NULL);
		if (!IS_ERR(file))
			fput(file);
	}
	flush_delayed_fput();
}

const struct bench_case bench_floor_cases[] = {
	{ .name = "floor/clock", .batch = BATCH, .run = run_clock },
	{ .name = "floor/spin-lock", .batch = BATCH, .run = run_lock },
	{ .name = "floor/reference", .batch = BATCH, .prepare = prepare_refs,
	  .run = run_refs },
	{ .name = "floor/memory-64", .batch = BATCH, .run = run_memory },
	{ .name = "floor/memory-512-rcu", .batch = BATCH,
	  .run = run_memory_rcu },
	{ .name = "floor/anon-inode-file", .batch = BATCH_FILES,
	  .run = run_file },
	{ }
};
