/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measures what operations of the dma-buf core cost. Uses nothing but the
 * interface for drivers, so that it compiles against any core that has it.
 */

#ifndef _DMA_BUF_BENCH_H
#define _DMA_BUF_BENCH_H

#include <linux/dma-fence.h>
#include <linux/types.h>

struct dma_buf;
struct dma_resv;
struct seq_file;

/**
 * struct bench_case - one kind of operation
 * @name: as in the table
 * @param: number of objects that the operation is about, where it matters
 * @batch: operations in each @run
 * @whole: what RCU frees and what other tasks do because of it counts, too: the time
 *	of all CPUs that are not idle, up to when RCU has nothing left
 * @init: build what all batches use. Return: 0 or a negative errno.
 * @prepare: build what one batch uses; its time does not count
 * @run: @batch operations, the only part that is timed
 * @finish: undo what @run has done; its time does not count
 * @exit: undo @init
 *
 * All but @name, @batch and @run may be missing.
 */
struct bench_case {
	const char *name;
	unsigned int param;
	unsigned int batch;
	bool whole;
	int (*init)(const struct bench_case *c);
	void (*prepare)(const struct bench_case *c);
	void (*run)(const struct bench_case *c);
	void (*finish)(const struct bench_case *c);
	void (*exit)(const struct bench_case *c);
};

extern const struct bench_case bench_floor_cases[];
extern const struct bench_case bench_fence_cases[];
extern const struct bench_case bench_resv_cases[];
extern const struct bench_case bench_container_cases[];
extern const struct bench_case bench_buffer_cases[];
extern const struct bench_case bench_submit_cases[];
extern const struct bench_case bench_wake_cases[];

/* Fences which are memory of the benchmark: freeing one costs nothing. */
#define BENCH_FENCES	10240

extern struct dma_fence *bench_fences;

void bench_fence_init(struct dma_fence *fence, u64 context, u64 seqno);
void bench_fences_init(unsigned int count, bool same_context);
void bench_device_fences_init(unsigned int count, unsigned int contexts);
void bench_engine_fences_init(unsigned int count, unsigned int contexts);
extern u64 bench_device_seqno;
void bench_fences_signal(unsigned int count);
void bench_fences_put(unsigned int count);

/* Add the fences from @first up to @end to a reservation object, one by one. */
int bench_resv_fill(struct dma_resv *obj, unsigned int first, unsigned int end);

/* Milliseconds after which a buffer has its entries of statistics. */
#define BENCH_LIVE_MS	100

/* Buffers which are no memory at all. */
struct dma_buf *bench_buffer_export(void);

void bench_rcu_settle(void);

/* bench-memory.c: slab bytes per object */
void bench_memory(struct seq_file *m);

/* bench-smp.c: operations per second on one CPU and on several */
void bench_smp(struct seq_file *m);

/* bench-device.c: what the user-space part asks for */
int bench_device_init(void);
void bench_device_exit(void);

#endif /* _DMA_BUF_BENCH_H */
