// SPDX-License-Identifier: GPL-2.0-only
/* Do CPUs that have nothing to do with each other get in each other's way? */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "bench.h"

#define SMP_CPUS	2
#define SMP_ROUNDS	21
#define SMP_NSEC	(200 * NSEC_PER_MSEC)

/**
 * struct smp_worker - what one CPU does
 * @operation: 64 operations
 * @resv: reservation object of this CPU
 * @fence: fence of this CPU
 * @start: when to begin
 * @done: set at the end
 * @count: operations that were done
 */
struct smp_worker {
	void (*operation)(struct smp_worker *worker);
	struct dma_resv resv;
	struct dma_fence *fence;
	struct completion *start;
	struct completion done;
	u64 count;
};

static void smp_export(struct smp_worker *worker)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		struct dma_buf *dmabuf = bench_buffer_export();

		if (!IS_ERR(dmabuf))
			__fput_sync(dmabuf->file);
	}
}

static void smp_add_test(struct smp_worker *worker)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		dma_resv_lock(&worker->resv, NULL);
		if (!dma_resv_reserve_fences(&worker->resv, 1))
			dma_resv_add_fence(&worker->resv, worker->fence,
					   DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(&worker->resv);
		dma_resv_test_signaled(&worker->resv, DMA_RESV_USAGE_READ);
	}
}

static int smp_thread(void *data)
{
	struct smp_worker *worker = data;
	u64 end;

	wait_for_completion(worker->start);
	end = ktime_get_ns() + SMP_NSEC;
	while (ktime_get_ns() < end) {
		worker->operation(worker);
		worker->count += 64;
		cond_resched();
	}

	kthread_complete_and_exit(&worker->done, 0);
}

static int smp_start(struct smp_worker *worker, unsigned int cpu)
{
	struct task_struct *task;

	worker->count = 0;
	init_completion(&worker->done);
	task = kthread_create(smp_thread, worker, "bench/%u", cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);

	kthread_bind(task, cpu);
	wake_up_process(task);
	return 0;
}

/* Operations per second of @cpus CPUs together. */
static u64 smp_throughput(struct smp_worker *workers, unsigned int cpus,
			  void (*operation)(struct smp_worker *worker))
{
	DECLARE_COMPLETION_ONSTACK(start);
	unsigned int cpu, started = 0;
	u64 count = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		workers[cpu].operation = operation;
		workers[cpu].start = &start;
		if (smp_start(&workers[cpu], cpu))
			break;
		started++;
	}

	complete_all(&start);
	for (cpu = 0; cpu < started; cpu++) {
		wait_for_completion(&workers[cpu].done);
		count += workers[cpu].count;
	}

	return div_u64(count * NSEC_PER_SEC, SMP_NSEC);
}

static void smp_case(struct seq_file *m, const char *name,
		     struct smp_worker *workers,
		     void (*operation)(struct smp_worker *worker))
{
	unsigned int round;
	u64 one, two;

	for (round = 0; round < SMP_ROUNDS; round++) {
		one = smp_throughput(workers, 1, operation);
		two = smp_throughput(workers, SMP_CPUS, operation);
		seq_printf(m, "smp/%s\t%llu\t%llu\n", name, one, two);
	}
}

void bench_smp(struct seq_file *m)
{
	static struct smp_worker workers[SMP_CPUS];
	unsigned int cpu;

	if (num_online_cpus() < SMP_CPUS)
		return;

	bench_fences_init(SMP_CPUS, false);
	for (cpu = 0; cpu < SMP_CPUS; cpu++) {
		dma_resv_init(&workers[cpu].resv);
		workers[cpu].fence = &bench_fences[cpu];
	}

	smp_case(m, "export-release", workers, smp_export);
	smp_case(m, "add-test", workers, smp_add_test);

	for (cpu = 0; cpu < SMP_CPUS; cpu++)
		dma_resv_fini(&workers[cpu].resv);
	bench_fences_signal(SMP_CPUS);
	bench_fences_put(SMP_CPUS);
}
