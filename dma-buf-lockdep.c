// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotations for lockdep about fences and reservations: which code signals, which
 * code waits, and in which order locks are taken around them.
 *
 * To change here: the rules that lockdep enforces. A new lock around fences goes into
 * the order at the end. Built with CONFIG_LOCKDEP only.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>

/**
 * DOC: fence signalling annotation
 *
 * The rules for fences (see `fence cross-driver contract`) are about deadlocks
 * across drivers, which no test of one driver will hit. Lockdep finds them if the
 * driver annotates the code that a signal depends on::
 *
 *	bool cookie = dma_fence_begin_signalling();
 *
 *	... the completion path: interrupt threads, workers, schedulers ...
 *	dma_fence_signal(fence);
 *
 *	dma_fence_end_signalling(cookie);
 *
 * Between the two calls the code is treated as the holder of a lock that each
 * dma_fence_wait_timeout() takes. So lockdep complains about all that may wait
 * for a fence there, however indirectly: about taking a lock which is held while
 * waiting, a reservation lock in the first place, and about an allocation that
 * may enter reclaim. It does not complain about a wait itself, which is allowed
 * for a fence that does not depend on the section. tests/lockdep_patterns.c makes
 * each of these mistakes, one a boot.
 *
 * Sections nest, and each end gets the cookie of its own start. With preemption off
 * nothing is recorded, since sleeping is not allowed there anyway.
 */

static struct lockdep_map dma_fence_lockdep_map =
	STATIC_LOCKDEP_MAP_INIT("dma_fence_map", &dma_fence_lockdep_map);

static bool dma_fence_map_held(void)
{
	return lock_is_held_type(&dma_fence_lockdep_map, 1);
}

/*
 * Sections are readers, since any number may run at once, but of the kind that
 * does not nest, so that lockdep checks them against the writers: the waits.
 */
static void dma_fence_map_acquire(unsigned long ip)
{
	lock_acquire(&dma_fence_lockdep_map, 0, 0, 1, 1, NULL, ip);
}

/**
 * dma_fence_begin_signalling() - enter code that a signal depends on
 *
 * Context: Any.
 * Return: cookie for dma_fence_end_signalling().
 */
bool dma_fence_begin_signalling(void)
{
	if (dma_fence_map_held() || preempt_count())
		return true;

	dma_fence_map_acquire(_RET_IP_);
	return false;
}
EXPORT_SYMBOL(dma_fence_begin_signalling);

/**
 * dma_fence_end_signalling() - leave code that a signal depends on
 * @cookie: value that dma_fence_begin_signalling() has returned
 *
 * Context: Any.
 */
void dma_fence_end_signalling(bool cookie)
{
	if (!cookie)
		lock_release(&dma_fence_lockdep_map, _RET_IP_);
}
EXPORT_SYMBOL(dma_fence_end_signalling);

/**
 * __dma_fence_might_wait() - tell lockdep that the caller may wait for a fence
 *
 * Lockdep would report a wait in a signalling section as recursion, whatever the wait
 * is for. So this leaves the section for the moment.
 *
 * Context: Process context.
 */
void __dma_fence_might_wait(void)
{
	bool held = dma_fence_map_held();

	if (held)
		lock_release(&dma_fence_lockdep_map, _THIS_IP_);

	lock_map_acquire(&dma_fence_lockdep_map);
	lock_map_release(&dma_fence_lockdep_map);

	if (held)
		dma_fence_map_acquire(_THIS_IP_);
}

#ifdef CONFIG_MMU_NOTIFIER
static void __init dma_fence_prime_notifier(void)
{
	lock_map_acquire(&__mmu_notifier_invalidate_range_start_map);
	__dma_fence_might_wait();
	lock_map_release(&__mmu_notifier_invalidate_range_start_map);
}
#else
static void __init dma_fence_prime_notifier(void)
{
	__dma_fence_might_wait();
}
#endif

/* Waits happen in reclaim, that is, in shrinkers and in MMU notifiers. */
static void __init dma_resv_prime_reclaim(struct address_space *mapping)
{
	fs_reclaim_acquire(GFP_KERNEL);

	i_mmap_lock_write(mapping);
	i_mmap_unlock_write(mapping);

	dma_fence_prime_notifier();

	fs_reclaim_release(GFP_KERNEL);
}

static void __init dma_resv_prime_lock(struct dma_resv *obj,
				       struct address_space *mapping)
{
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	/* Deadlocks are injected by CONFIG_DEBUG_WW_MUTEX_SLOWPATH. */
	if (dma_resv_lock(obj, &ctx) == -EDEADLK)
		dma_resv_lock_slow(obj, &ctx);

	dma_resv_prime_reclaim(mapping);

	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
}

/*
 * Show lockdep the order of locks once. So it reports a driver with a wrong order the
 * first time, without the other driver of the deadlock. From the outside in:
 *
 *	mmap_lock
 *	  acquire context of reservation_ww_class
 *	    dma_resv.lock
 *	      fs_reclaim
 *	        i_mmap_rwsem
 *	        mmu_notifier_invalidate_range_start
 *	          waiting for a fence
 */
static int __init dma_resv_prime_lockdep(void)
{
	static struct address_space mapping __initdata;
	static struct dma_resv obj __initdata;
	struct mm_struct *mm;

	mm = mm_alloc();
	if (!mm)
		return -ENOMEM;

	dma_resv_init(&obj);
	address_space_init_once(&mapping);

	mmap_read_lock(mm);
	dma_resv_prime_lock(&obj, &mapping);
	mmap_read_unlock(mm);

	dma_resv_fini(&obj);
	mmput(mm);

	return 0;
}
subsys_initcall(dma_resv_prime_lockdep);
