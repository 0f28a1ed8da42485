// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the cases one after the other and prints their times.
 *
 * Loading the module runs them, all of them in several passes, and reading
 * dma_buf_bench in debugfs gives a line each: name, nanoseconds per operation, and
 * the quartiles of the samples. The result is the mean of the middle half of all
 * samples. A sample has so many batches that a step of the clock does not matter. RCU
 * callbacks run between batches, see &bench_case.whole.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
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
#include <linux/tick.h>
#include <linux/version.h>
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

static unsigned int sample_us = 150;
module_param(sample_us, uint, 0444);
MODULE_PARM_DESC(sample_us, "timed microseconds per sample, at least");

static unsigned int budget_us = 2000;
module_param(budget_us, uint, 0444);
MODULE_PARM_DESC(budget_us, "timed microseconds per case and pass");

static unsigned int passes = 10;
module_param(passes, uint, 0444);
MODULE_PARM_DESC(passes, "number of passes over all cases");

#define BENCH_SAMPLES_MIN	3	/* in each pass */
#define BENCH_SAMPLES_MAX	400	/* in all passes */

#define BENCH_TEXT_SIZE		65536

/**
 * struct bench_samples - what was measured of a case
 * @count: number of samples
 * @failed: the case could not be built
 * @values: picoseconds per operation
 */
struct bench_samples {
	unsigned int count;
	bool failed;
	u64 values[BENCH_SAMPLES_MAX];
};

static struct bench_samples *bench_samples;
static char *bench_text;
static struct seq_file bench_out;
static struct dentry *bench_dentry;

static const struct bench_case * const bench_groups[] = {
	bench_floor_cases,
	bench_fence_cases,
	bench_resv_cases,
	bench_container_cases,
	bench_buffer_cases,
	bench_submit_cases,
	bench_wake_cases,
};

static int bench_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Wait until RCU has freed all that it was given. */
void bench_rcu_settle(void)
{
	rcu_barrier();
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	kvfree_rcu_barrier();
#endif
}

/*
 * Nanoseconds that CPUs were not idle, all of them together. The clock itself, if
 * the kernel does not know when it is idle.
 */
static u64 bench_busy_ns(void)
{
	u64 busy = 0, idle;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		idle = get_cpu_idle_time_us(cpu, NULL);
		if (idle == (u64)-1)
			return ktime_get_ns();
		busy += ktime_get_ns() - idle * NSEC_PER_USEC;
	}

	return busy;
}

static u64 bench_time_part(const struct bench_case *c)
{
	u64 time = ktime_get_ns();

	c->run(c);
	return ktime_get_ns() - time;
}

static u64 bench_time_whole(const struct bench_case *c)
{
	u64 time = bench_busy_ns();

	c->run(c);
	bench_rcu_settle();
	return bench_busy_ns() - time;
}

/* Time of one batch in nanoseconds. */
static u64 bench_batch(const struct bench_case *c)
{
	u64 time;

	if (c->prepare)
		c->prepare(c);

	time = c->whole ? bench_time_whole(c) : bench_time_part(c);

	if (c->finish)
		c->finish(c);
	bench_rcu_settle();
	cond_resched();

	return time;
}

/* Take a sample. Return: its time in nanoseconds. */
static u64 bench_sample(const struct bench_case *c,
			struct bench_samples *samples)
{
	u64 time = 0, operations = 0;

	do {
		time += bench_batch(c);
		operations += c->batch;
	} while (time < (u64)sample_us * NSEC_PER_USEC);

	samples->values[samples->count++] = div64_u64(time * 1000, operations);
	return time;
}

static void bench_case(const struct bench_case *c,
		       struct bench_samples *samples)
{
	u64 budget = (u64)budget_us * NSEC_PER_USEC, spent = 0;
	unsigned int count;

	if (c->init && c->init(c)) {
		samples->failed = true;
		return;
	}

	/* The first ones fill caches and slabs. */
	bench_batch(c);
	bench_batch(c);

	for (count = 0; samples->count < BENCH_SAMPLES_MAX &&
	     (count < BENCH_SAMPLES_MIN || spent < budget); count++)
		spent += bench_sample(c, samples);

	if (c->exit)
		c->exit(c);
	bench_rcu_settle();
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
				bench_case(c, &bench_samples[n]);
}

/* The mean of those from @first up to @end, which are sorted. */
static u64 bench_mean(const u64 *values, unsigned int first, unsigned int end)
{
	u64 sum = 0;
	unsigned int i;

	for (i = first; i < end; i++)
		sum += values[i];

	return div_u64(sum, end - first);
}

static void bench_print_ps(u64 ps)
{
	u32 rest;
	u64 ns = div_u64_rem(ps, 1000, &rest);

	seq_printf(&bench_out, "\t%llu.%03u", ns, rest);
}

static void bench_print_case(const struct bench_case *c,
			     struct bench_samples *samples)
{
	unsigned int count = samples->count, quarter = count / 4;

	seq_puts(&bench_out, c->name);
	if (samples->failed || !count) {
		seq_puts(&bench_out, "\tfailed\n");
		return;
	}

	sort(samples->values, count, sizeof(*samples->values), bench_compare,
	     NULL);
	bench_print_ps(bench_mean(samples->values, quarter, count - quarter));
	bench_print_ps(samples->values[quarter]);
	bench_print_ps(samples->values[count - 1 - quarter]);
	seq_putc(&bench_out, '\n');
}

static void bench_print(void)
{
	const struct bench_case *c;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(bench_groups); i++)
		for (c = bench_groups[i]; c->name; c++, n++)
			if (bench_wanted(c->name))
				bench_print_case(c, &bench_samples[n]);
}

static unsigned int bench_count(void)
{
	const struct bench_case *c;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(bench_groups); i++)
		for (c = bench_groups[i]; c->name; c++)
			n++;

	return n;
}

static int bench_thread(void *done)
{
	unsigned int pass;

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
	bench_samples = vcalloc(bench_count(), sizeof(*bench_samples));
	bench_text = vzalloc(BENCH_TEXT_SIZE);
	if (!bench_fences || !bench_samples || !bench_text)
		goto err_free;

	/* A seq_file that is written before it is read. */
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
