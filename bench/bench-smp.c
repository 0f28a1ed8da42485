// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations per second of one CPU and of two: on objects of their own, where they
 * should not get in each other's way, and on the same one, where they must.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/ptr_ring.h>
#include <linux/seq_file.h>

#include "bench.h"

#define SMP_CPUS	2
#define SMP_BATCH	64
#define SMP_ROUNDS	5
#define SMP_NSEC	(200 * NSEC_PER_MSEC)

/**
 * struct smp_worker - what one CPU does
 * @operation: about 64 operations, the number of which is added to @count
 * @cpu: which one it is
 * @resv: reservation object of this CPU
 * @fence: fence of this CPU
 * @start: when to begin
 * @done: set at the end
 * @count: operations that were done
 */
struct smp_worker {
	void (*operation)(struct smp_worker *worker);
	unsigned int cpu;
	struct dma_resv resv;
	struct dma_fence *fence;
	struct completion *start;
	struct completion done;
	u64 count;
};

static struct smp_worker smp_workers[SMP_CPUS];
static struct ptr_ring smp_ring;

static void smp_export(struct smp_worker *worker)
{
	unsigned int i;

	for (i = 0; i < SMP_BATCH; i++) {
		struct dma_buf *dmabuf = bench_buffer_export();

		if (!IS_ERR(dmabuf))
			__fput_sync(dmabuf->file);
	}
	worker->count += SMP_BATCH;
}

static void smp_add_test_of(struct smp_worker *worker, struct dma_resv *resv)
{
	unsigned int i;

	for (i = 0; i < SMP_BATCH; i++) {
		dma_resv_lock(resv, NULL);
		if (!dma_resv_reserve_fences(resv, 1))
			dma_resv_add_fence(resv, worker->fence,
					   DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(resv);
		dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ);
	}
	worker->count += SMP_BATCH;
}

static void smp_add_test(struct smp_worker *worker)
{
	smp_add_test_of(worker, &worker->resv);
}

static void smp_one_resv(struct smp_worker *worker)
{
	smp_add_test_of(worker, &smp_workers[0].resv);
}

static void smp_nothing(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static void smp_one_fence(struct smp_worker *worker)
{
	struct dma_fence *fence = smp_workers[0].fence;
	struct dma_fence_cb cb;
	unsigned int i;

	for (i = 0; i < SMP_BATCH; i++) {
		dma_fence_get(fence);
		dma_fence_add_callback(fence, &cb, smp_nothing);
		dma_fence_is_signaled(fence);
		dma_fence_remove_callback(fence, &cb);
		dma_fence_put(fence);
	}
	worker->count += SMP_BATCH;
}

/* CPU 0 exports all buffers, and releases those that no other CPU takes. */
static void smp_produce(struct smp_worker *worker)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < SMP_BATCH; i++) {
		dmabuf = bench_buffer_export();
		if (IS_ERR(dmabuf))
			continue;
		if (ptr_ring_produce(&smp_ring, dmabuf)) {
			__fput_sync(dmabuf->file);
			worker->count++;
		}
	}
}

static void smp_consume(struct smp_worker *worker)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < SMP_BATCH; i++) {
		dmabuf = ptr_ring_consume(&smp_ring);
		if (!dmabuf)
			break;
		__fput_sync(dmabuf->file);
		worker->count++;
	}
}

/* A buffer is released where it was not exported: both CPUs are in one list of them. */
static void smp_one_list(struct smp_worker *worker)
{
	if (worker->cpu)
		smp_consume(worker);
	else
		smp_produce(worker);
}

static int smp_thread(void *data)
{
	struct smp_worker *worker = data;
	u64 end;

	wait_for_completion(worker->start);
	end = ktime_get_ns() + SMP_NSEC;
	while (ktime_get_ns() < end) {
		worker->operation(worker);
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

/* Operations per second of @cpus CPUs together, 0 if not all of them could start. */
static u64 smp_throughput(unsigned int cpus,
			  void (*operation)(struct smp_worker *worker))
{
	DECLARE_COMPLETION_ONSTACK(start);
	struct smp_worker *worker = smp_workers;
	unsigned int cpu, started = 0;
	u64 count = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		worker[cpu].operation = operation;
		worker[cpu].start = &start;
		if (smp_start(&worker[cpu], cpu))
			break;
		started++;
	}

	complete_all(&start);
	for (cpu = 0; cpu < started; cpu++) {
		wait_for_completion(&worker[cpu].done);
		count += worker[cpu].count;
	}

	return started == cpus ? div_u64(count * NSEC_PER_SEC, SMP_NSEC) : 0;
}

static void smp_case(struct seq_file *m, const char *name,
		     void (*operation)(struct smp_worker *worker))
{
	unsigned int round;
	u64 one, two;

	for (round = 0; round < SMP_ROUNDS; round++) {
		one = smp_throughput(1, operation);
		two = smp_throughput(SMP_CPUS, operation);
		if (one && two)
			seq_printf(m, "smp/%s\t%llu\t%llu\n", name, one, two);
		else
			seq_printf(m, "smp/%s\tfailed\n", name);
	}
}

static void smp_release(void *dmabuf)
{
	dma_buf_put(dmabuf);
}

static void smp_cases(struct seq_file *m)
{
	smp_case(m, "export-release", smp_export);
	smp_case(m, "add-test", smp_add_test);
	smp_case(m, "one-resv", smp_one_resv);
	smp_case(m, "one-fence", smp_one_fence);
	smp_case(m, "one-list", smp_one_list);
}

void bench_smp(struct seq_file *m)
{
	unsigned int cpu;

	if (num_online_cpus() < SMP_CPUS)
		return;
	if (ptr_ring_init(&smp_ring, 4 * SMP_BATCH, GFP_KERNEL))
		return;

	bench_fences_init(SMP_CPUS, false);
	for (cpu = 0; cpu < SMP_CPUS; cpu++) {
		smp_workers[cpu].cpu = cpu;
		dma_resv_init(&smp_workers[cpu].resv);
		smp_workers[cpu].fence = &bench_fences[cpu];
	}

	smp_cases(m);

	ptr_ring_cleanup(&smp_ring, smp_release);
	flush_delayed_fput();
	for (cpu = 0; cpu < SMP_CPUS; cpu++)
		dma_resv_fini(&smp_workers[cpu].resv);
	bench_fences_signal(SMP_CPUS);
	bench_fences_put(SMP_CPUS);
}
