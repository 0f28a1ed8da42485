/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of several suites, besides the mocks: devices, interruption of a task, user
 * memory, files of pseudo filesystems.
 */
#ifndef _DMA_BUF_TESTS_TEST_UTIL_H
#define _DMA_BUF_TESTS_TEST_UTIL_H

#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "expect_warn.h"
#include "mock_fence.h"

/**
 * test_skip_stock() - skip a case that the stock core of 6.12 cannot pass
 * @test: case
 * @why: what the stock core does there
 */
#define test_skip_stock(test, why) do {					\
	if (MOCK_STOCK_CORE)						\
		kunit_skip(test, "stock core: " why);			\
} while (0)

struct device *test_device(struct kunit *test, const char *name,
			   unsigned int max_seg);
void test_interrupt_self(void);

/**
 * test_interrupted() - do something while every interruptible sleep fails
 * @statement: what to do; it may not leave the case
 */
#define test_interrupted(statement) do {				\
	test_interrupt_self();						\
	statement;							\
	flush_signals(current);						\
} while (0)

bool test_fd_is_installed(int fd);
int test_next_fd(void);
void test_close_later(struct kunit *test, int fd);
void test_expect_refs(struct kunit *test, struct file *file, long refs);
void test_resv_add(struct kunit *test, struct dma_resv *resv,
		   struct dma_fence *fence, enum dma_resv_usage usage);
void test_signal_later(struct kunit *test, struct dma_fence *fence,
		       unsigned int msecs);
void test_interrupt_later(struct kunit *test, unsigned int msecs);

void __user *test_user_page(struct kunit *test);
void __user *test_user_hole(struct kunit *test);
void __user *test_user_readonly(struct kunit *test, const void *data,
				size_t size);

struct vfsmount *test_mount(struct kunit *test, const char *fstype);
struct file *test_open(struct vfsmount *mnt, const char *path);
ssize_t test_read_file(struct kunit *test, struct file *file, char *buf,
		       size_t size);

#endif /* _DMA_BUF_TESTS_TEST_UTIL_H */
