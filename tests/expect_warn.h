/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deliberate kernel warnings in KUnit cases.
 *
 * A case that provokes a warning brackets it with two lines in the kernel log:
 * the check of the log for splats skips the lines between them. The case reads the
 * log to see that the warning came.
 */
#ifndef _DMABUF_TESTS_EXPECT_WARN_H
#define _DMABUF_TESTS_EXPECT_WARN_H

#include <kunit/test.h>

#include <linux/bug.h>
#include <linux/kmsg_dump.h>
#include <linux/printk.h>
#include <linux/string.h>

#include <asm/sections.h>

/*
 * Let the kernel repeat warnings that it prints once per boot, like a write to
 * clear_warn_once in debugfs: a warning that one case expects must not hide the same
 * warning in another case, where it is unexpected.
 */
static inline void expect_warn_forget(void)
{
	generic_bug_clear_once();
	memset(__start_once, 0, __end_once - __start_once);
}

/**
 * expect_warn_begin() - open a section in which the kernel may warn
 * @from: receives the place in the kernel log at which the section begins
 */
static inline void expect_warn_begin(struct kmsg_dump_iter *from)
{
	pr_info("# dma-buf-kunit: expect warning\n");
	expect_warn_forget();
	kmsg_dump_rewind(from);
	from->cur_seq = from->next_seq;
}

/**
 * expect_warn_count() - count lines of the kernel log that contain a text
 * @from: begin of the section, left unchanged
 * @text: what to look for
 *
 * Return: number of lines written since expect_warn_begin() that contain @text.
 */
static inline unsigned int expect_warn_count(const struct kmsg_dump_iter *from,
					     const char *text)
{
	struct kmsg_dump_iter pos = *from;
	unsigned int count = 0;
	char line[256];
	size_t len;

	while (kmsg_dump_get_line(&pos, false, line, sizeof(line), &len))
		if (strnstr(line, text, len))
			count++;
	return count;
}

/**
 * expect_warn_end() - close a section in which the kernel may warn
 * @from: begin of the section
 *
 * Return: number of warnings printed since expect_warn_begin(), including those
 * about sleeping in atomic context, which call themselves bugs.
 */
static inline unsigned int expect_warn_end(const struct kmsg_dump_iter *from)
{
	unsigned int count = expect_warn_count(from, "WARNING: ") +
			     expect_warn_count(from, "BUG: ");

	expect_warn_forget();
	pr_info("# dma-buf-kunit: end expect\n");
	return count;
}

/*
 * Does this kernel print warnings into a log that can be read back?
 */
#define EXPECT_WARN_VISIBLE (IS_ENABLED(CONFIG_PRINTK) && IS_ENABLED(CONFIG_BUG))

/*
 * Run @statement, which must warn exactly @n times, possibly not at all. It may
 * not leave the case.
 */
#define EXPECT_KERNEL_WARNINGS(test, n, statement)				\
do {										\
	struct kmsg_dump_iter __from;						\
	unsigned int __count;							\
										\
	expect_warn_begin(&__from);						\
	statement;								\
	__count = expect_warn_end(&__from);					\
	if (EXPECT_WARN_VISIBLE)						\
		KUNIT_EXPECT_EQ_MSG(test, __count, n, "warnings from %s",	\
				    #statement);				\
} while (0)

/*
 * Run @statement, which must warn once.
 */
#define EXPECT_KERNEL_WARNING(test, statement)					\
	EXPECT_KERNEL_WARNINGS(test, 1, statement)

/*
 * Run @statement, which may warn, as far as this case is concerned.
 */
#define ALLOW_KERNEL_WARNING(statement)						\
do {										\
	struct kmsg_dump_iter __from;						\
										\
	expect_warn_begin(&__from);						\
	statement;								\
	expect_warn_end(&__from);						\
} while (0)

#endif /* _DMABUF_TESTS_EXPECT_WARN_H */
