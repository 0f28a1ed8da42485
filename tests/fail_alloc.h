/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing allocations in KUnit cases, by the kernel's own fault injection.
 */
#ifndef _DMABUF_TESTS_FAIL_ALLOC_H
#define _DMABUF_TESTS_FAIL_ALLOC_H

#include <kunit/test.h>

#include <linux/debugfs.h>
#include <linux/sched.h>

#include "expect_warn.h"

/* With kmemleak, it may be one of its own allocations that fails. */
#if IS_ENABLED(CONFIG_FAILSLAB) && IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS) && \
	!IS_ENABLED(CONFIG_DEBUG_KMEMLEAK)

static inline void fail_alloc_restore(void *ignore_waiting)
{
	*(bool *)ignore_waiting = true;
}

/**
 * fail_alloc_setup() - let fault injection reach GFP_KERNEL allocations
 * @test: running case, which is skipped when that is not possible
 *
 * The switch has no interface inside the kernel, only a file in debugfs.
 */
static inline void fail_alloc_setup(struct kunit *test)
{
	struct dentry *dir = debugfs_lookup("failslab", NULL);
	struct dentry *file = dir ? debugfs_lookup("ignore-gfp-wait", dir) : NULL;
	bool *ignore_waiting = file ? d_inode(file)->i_private : NULL;

	dput(file);
	dput(dir);
	if (!ignore_waiting)
		kunit_skip(test, "failslab has no debugfs files");

	*ignore_waiting = false;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fail_alloc_restore,
							   ignore_waiting));
}

/**
 * fail_alloc_arm() - make one allocation of this task fail
 * @nth: which one, counted from 1
 */
static inline void fail_alloc_arm(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/**
 * fail_alloc_disarm() - stop making allocations fail
 *
 * Return: how many more allocations it would have taken; 0 if one has failed.
 */
static inline unsigned int fail_alloc_disarm(void)
{
	unsigned int left = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return left;
}

#else

static inline void fail_alloc_setup(struct kunit *test)
{
	kunit_skip(test, "needs FAILSLAB and FAULT_INJECTION_DEBUG_FS, and no kmemleak");
}

static inline void fail_alloc_arm(unsigned int nth)
{
}

static inline unsigned int fail_alloc_disarm(void)
{
	return 0;
}

#endif

/*
 * Run @statement with its @nth allocation failing. The report that fault
 * injection prints is bracketed like a warning. Yields true if one failed.
 */
#define FAIL_NTH_ALLOC(nth, statement)						\
({										\
	struct kmsg_dump_iter __from;						\
	unsigned int __left;							\
										\
	expect_warn_begin(&__from);						\
	fail_alloc_arm(nth);							\
	statement;								\
	__left = fail_alloc_disarm();						\
	expect_warn_end(&__from);						\
	!__left;								\
})

#endif /* _DMABUF_TESTS_FAIL_ALLOC_H */
