// SPDX-License-Identifier: GPL-2.0
/*
 * Failing allocations in KUnit cases, by the kernel's own fault injection.
 */

#include <kunit/test.h>

#include <linux/debugfs.h>
#include <linux/kallsyms.h>
#include <linux/kmemleak.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "expect_warn.h"
#include "fail_alloc.h"

#if IS_ENABLED(CONFIG_FAILSLAB) && IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS)

/* A setting has no interface inside the kernel, only a file in debugfs. */
static void *fail_alloc_setting(const char *name)
{
	struct dentry *dir = debugfs_lookup("failslab", NULL);
	struct dentry *file = dir ? debugfs_lookup(name, dir) : NULL;
	void *setting = file ? d_inode(file)->i_private : NULL;

	dput(file);
	dput(dir);
	return setting;
}

static void fail_alloc_restore(void *ignore_waiting)
{
	unsigned long *start = fail_alloc_setting("reject-start");
	unsigned long *end = fail_alloc_setting("reject-end");

	*(bool *)ignore_waiting = true;
	if (start && end)
		*start = *end = 0;
}

#ifdef CONFIG_DEBUG_KMEMLEAK

/*
 * kmemleak notes each allocation in one of its own, and has a pool for when that
 * fails: the caller would not see the failure. So none is made to fail below the
 * functions that the allocators call.
 */
static void fail_alloc_spare_kmemleak(struct kunit *test)
{
	const unsigned long called[] = {
		(unsigned long)kmemleak_alloc,
		(unsigned long)kmemleak_alloc_percpu,
		(unsigned long)kmemleak_vmalloc,
	};
	unsigned long *start = fail_alloc_setting("reject-start");
	unsigned long *end = fail_alloc_setting("reject-end");
	unsigned long size, offset, low = ULONG_MAX, high = 0;
	unsigned int i;

	if (!start || !end)
		kunit_skip(test, "needs FAULT_INJECTION_STACKTRACE_FILTER beside kmemleak");

	for (i = 0; i < ARRAY_SIZE(called); i++) {
		KUNIT_ASSERT_TRUE(test, kallsyms_lookup_size_offset(called[i], &size, &offset));
		low = min(low, called[i]);
		high = max(high, called[i] + size);
	}
	*start = low;
	*end = high;
}

#else

static void fail_alloc_spare_kmemleak(struct kunit *test)
{
}

#endif

/**
 * fail_alloc_setup() - let fault injection reach GFP_KERNEL allocations
 * @test: running case, which is skipped when that is not possible
 */
void fail_alloc_setup(struct kunit *test)
{
	bool *ignore_waiting = fail_alloc_setting("ignore-gfp-wait");

	if (!ignore_waiting)
		kunit_skip(test, "failslab has no debugfs files");

	fail_alloc_spare_kmemleak(test);
	*ignore_waiting = false;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fail_alloc_restore,
							   ignore_waiting));
}

/**
 * fail_alloc_arm() - make one allocation of this task fail
 * @nth: which one, counted from 1
 *
 * Warnings on the way count, also those that the kernel has given before.
 */
void fail_alloc_arm(unsigned int nth)
{
	expect_warn_forget();
	WRITE_ONCE(current->fail_nth, nth);
}

/**
 * fail_alloc_disarm() - stop making allocations fail
 *
 * Return: how many more allocations it would have taken; 0 if one has failed.
 */
unsigned int fail_alloc_disarm(void)
{
	unsigned int left = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return left;
}

#else

void fail_alloc_setup(struct kunit *test)
{
	kunit_skip(test, "needs FAILSLAB and FAULT_INJECTION_DEBUG_FS");
}

void fail_alloc_arm(unsigned int nth)
{
}

unsigned int fail_alloc_disarm(void)
{
	return 0;
}

#endif
