/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing allocations in KUnit cases, by the kernel's own fault injection.
 */
#ifndef _DMABUF_TESTS_FAIL_ALLOC_H
#define _DMABUF_TESTS_FAIL_ALLOC_H

struct kunit;

void fail_alloc_setup(struct kunit *test);
void fail_alloc_arm(unsigned int nth);
unsigned int fail_alloc_disarm(void);

/*
 * Run @statement with its @nth allocation failing. Yields true if one failed.
 *
 * A warning is a fault here as elsewhere: error paths do not warn. Where one does
 * on purpose, EXPECT_KERNEL_WARNING() stands around this.
 */
#define FAIL_NTH_ALLOC(nth, statement)						\
({										\
	fail_alloc_arm(nth);							\
	statement;								\
	!fail_alloc_disarm();							\
})

#endif /* _DMABUF_TESTS_FAIL_ALLOC_H */
