// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the cases one after the other and tells their times.
 *
 * Loading the module runs them, all of them in several passes, and reading
 * dma_buf_bench in debugfs gives a line each: name and nanoseconds per operation.
 * That is the median of the batches of a pass, in the pass where it was lowest,
 * since whatever else a machine does only ever adds. What RCU frees later is not
 * part of an operation; it happens between batches.
 */

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "bench.h"

static char *cases = "*";
module_param(cases, charp, 0444);
MODULE_PARM_DESC(cases, "cases to run, a name or the begin of names and an asterisk");

static bool growth;
module_param(growth, bool, 0444);
MODULE_PARM_DESC(growth, "run the cases named growth/..., too");

static bool memory;
module_param(memory, bool, 0444);
MODULE_PARM_DESC(memory, "measure slab bytes per object");

static bool smp;
module_param(smp, bool, 0444);
MODULE_PARM_DESC(smp, "measure throughput of one CPU and of several");

static unsigned int budget_us = 2000;
module_param(budget_us, uint, 0444);
MODULE_PARM_DESC(budget_us, "timed microseconds per case and pass");

static unsigned int passes = 10;
module_param(passes, uint, 0444);
MODULE_PARM_DESC(passes, "number of passes over all cases");

#define BENCH_SAMPLES_MIN	5
#define BENCH_SAMPLES_MAX	1001

#define BENCH_TEXT_SIZE		65536

#define BENCH_CASES_MAX		256

static u64 *bench_samples;	/* picoseconds per operation */
static u64 bench_results[BENCH_CASES_MAX];
static char *bench_text;
static struct seq_file bench_out;
static struct dentry *bench_dentry;

static const struct bench_case * const bench_groups[] = {
	bench_floor_cases,
	bench_fence_cases,
	bench_resv_cases,
	bench_container_cases,
	bench_buffer_cases,
};

static int bench_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Time of one batch in nanoseconds. */
static u64 bench_batch(const struct bench_case *c)
{
	u64 time;

	if (c->prepare)
		c->prepare(c);

	time = ktime_get_ns();
	c->run(c);
	time = ktime_get_ns() - time;

	if (c->finish)
		c->finish(c);
	rcu_barrier();
	cond_resched();

	return time;
}

/* Picoseconds per operation, 0 if there is not even one. */
static u64 bench_case(const struct bench_case *c)
{
	u64 budget = (u64)budget_us * NSEC_PER_USEC, spent = 0;
	unsigned int count = 0;

	if (c->init && c->init(c))
		return 0;

	/* The first ones fill caches and slabs. */
	bench_batch(c);
	bench_batch(c);

	while (count < BENCH_SAMPLES_MIN ||
	       (spent < budget && count < BENCH_SAMPLES_MAX)) {
		u64 time = bench_batch(c);

		spent += time;
		bench_samples[count++] = div_u64(time * 1000, c->batch);
	}

	if (c->exit)
		c->exit(c);
	rcu_barrier();

	sort(bench_samples, count, sizeof(*bench_samples), bench_compare, NULL);
	return bench_samples[count / 2];
}

static bool bench_wanted(const char *name)
{
	size_t prefix = strcspn(cases, "*");

	if (!growth && str_has_prefix(name, "growth/"))
		return false;

	if (!cases[prefix])
		return !strcmp(name, cases);

	return !strncmp(name, cases, prefix);
}

static void bench_pass(void)
{
	const struct bench_case *c;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(bench_groups); i++)
		for (c = bench_groups[i]; c->name; c++, n++)
			if (bench_wanted(c->name))
				bench_results[n] = min(bench_results[n],
						       bench_case(c));
}

static void bench_print(void)
{
	const struct bench_case *c;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(bench_groups); i++) {
		for (c = bench_groups[i]; c->name; c++, n++) {
			u64 result = bench_results[n];

			if (!bench_wanted(c->name))
				continue;
			if (result)
				seq_printf(&bench_out, "%s\t%llu.%03llu\n",
					   c->name, result / 1000,
					   result % 1000);
			else
				seq_printf(&bench_out, "%s\tfailed\n",
					   c->name);
		}
	}
}

static int bench_thread(void *done)
{
	unsigned int pass;

	memset(bench_results, 0xff, sizeof(bench_results));
	for (pass = 0; pass < max(passes, 1U); pass++)
		bench_pass();
	bench_print();

	if (memory)
		bench_memory(&bench_out);
	if (smp)
		bench_smp(&bench_out);

	kthread_complete_and_exit(done, 0);
}

/* Files that a kernel thread drops are released when it says so. */
static int bench_run(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	task = kthread_run(bench_thread, &done, "dma_buf_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);

	wait_for_completion(&done);
	return 0;
}

static int bench_show(struct seq_file *m, void *unused)
{
	seq_write(m, bench_text, bench_out.count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bench);

static void bench_free(void)
{
	vfree(bench_text);
	vfree(bench_samples);
	vfree(bench_fences);
}

static int __init bench_init(void)
{
	int ret = -ENOMEM;

	bench_fences = vcalloc(BENCH_FENCES, sizeof(*bench_fences));
	bench_samples = vcalloc(BENCH_SAMPLES_MAX, sizeof(*bench_samples));
	bench_text = vzalloc(BENCH_TEXT_SIZE);
	if (!bench_fences || !bench_samples || !bench_text)
		goto err_free;

	/* A seq_file that is written before anybody reads. */
	bench_out.buf = bench_text;
	bench_out.size = BENCH_TEXT_SIZE;

	ret = bench_run();
	if (ret)
		goto err_free;

	ret = bench_device_init();
	if (ret)
		goto err_free;

	bench_dentry = debugfs_create_file("dma_buf_bench", 0444, NULL, NULL,
					   &bench_fops);
	return 0;

err_free:
	bench_free();
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dentry);
	bench_device_exit();
	bench_free();
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmark of dma-buf, dma-fence and dma-resv");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
