// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes of drivers around fences, each made once, for lockdep to find.
 *
 * lockdep_patterns.pattern=NAME at boot chooses the mistake. Lockdep reports one
 * mistake and then is silent until the next boot, so there is a boot for each. No task
 * blocks and no data is lost: only the order of locks is wrong.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *pattern = "";
module_param(pattern, charp, 0444);
MODULE_PARM_DESC(pattern, "what to do wrong");

static DEFINE_MUTEX(driver_lock);
static struct dma_resv pattern_resv;
static struct mm_struct *pattern_mm;

static void allocate(gfp_t gfp)
{
	kfree(kmalloc(16, gfp));
}

static void wait_for_fence(void)
{
	struct dma_fence *fence = dma_fence_get_stub();

	dma_fence_wait(fence, false);
	dma_fence_put(fence);
}

static void lock_resv(void)
{
	dma_resv_lock(&pattern_resv, NULL);
	dma_resv_unlock(&pattern_resv);
}

static void lock_mm(void)
{
	mmap_read_lock(pattern_mm);
	mmap_read_unlock(pattern_mm);
}

/* Reclaim may wait for the fence, and the section may wait for reclaim. */
static void section_allocates(void)
{
	bool cookie = dma_fence_begin_signalling();

	allocate(GFP_KERNEL);
	dma_fence_end_signalling(cookie);
}

/* A task that holds the lock may wait for the fence. */
static void section_locks_resv(void)
{
	bool cookie = dma_fence_begin_signalling();

	lock_resv();
	dma_fence_end_signalling(cookie);
}

/* So may who holds this one: it is what page faults and user memory need. */
static void section_locks_mm(void)
{
	bool cookie = dma_fence_begin_signalling();

	lock_mm();
	dma_fence_end_signalling(cookie);
}

/* The driver has the lock while it waits, and needs it to signal. */
static void section_needs_lock_of_waiter(void)
{
	bool cookie;

	mutex_lock(&driver_lock);
	wait_for_fence();
	mutex_unlock(&driver_lock);

	cookie = dma_fence_begin_signalling();
	mutex_lock(&driver_lock);
	mutex_unlock(&driver_lock);
	dma_fence_end_signalling(cookie);
}

/* A shrinker may only try to lock a buffer. */
static void reclaim_locks_resv(void)
{
	fs_reclaim_acquire(GFP_KERNEL);
	lock_resv();
	fs_reclaim_release(GFP_KERNEL);
}

/* User memory is touched before the buffer is locked. */
static void resv_locks_mm(void)
{
	dma_resv_lock(&pattern_resv, NULL);
	lock_mm();
	dma_resv_unlock(&pattern_resv);
}

/* All that is allowed. A section may wait, too, for a fence that comes before its own. */
static void nothing_wrong(void)
{
	bool outer = dma_fence_begin_signalling();
	bool inner = dma_fence_begin_signalling();

	allocate(GFP_NOWAIT);
	wait_for_fence();
	if (dma_resv_trylock(&pattern_resv))
		dma_resv_unlock(&pattern_resv);
	dma_fence_end_signalling(inner);
	dma_fence_end_signalling(outer);

	mmap_read_lock(pattern_mm);
	dma_resv_lock(&pattern_resv, NULL);
	allocate(GFP_KERNEL);
	wait_for_fence();
	dma_resv_unlock(&pattern_resv);
	mmap_read_unlock(pattern_mm);
}

static const struct {
	const char *name;
	void (*run)(void);
} patterns[] = {
	{ "nothing_wrong", nothing_wrong },
	{ "section_allocates", section_allocates },
	{ "section_locks_resv", section_locks_resv },
	{ "section_locks_mm", section_locks_mm },
	{ "section_needs_lock_of_waiter", section_needs_lock_of_waiter },
	{ "reclaim_locks_resv", reclaim_locks_resv },
	{ "resv_locks_mm", resv_locks_mm },
};

static void pattern_run(unsigned int i)
{
	pr_info("lockdep pattern: begin %s\n", patterns[i].name);
	patterns[i].run();
	pr_info("lockdep pattern: end %s\n", patterns[i].name);
}

static int __init pattern_init(void)
{
	unsigned int i;

	if (!*pattern)
		return 0;

	pattern_mm = mm_alloc();
	if (!pattern_mm)
		return -ENOMEM;
	dma_resv_init(&pattern_resv);

	for (i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!strcmp(pattern, patterns[i].name))
			pattern_run(i);

	dma_resv_fini(&pattern_resv);
	mmput(pattern_mm);
	return 0;
}
late_initcall(pattern_init);

MODULE_DESCRIPTION("Mistakes with fences, for lockdep to find");
MODULE_LICENSE("GPL");
