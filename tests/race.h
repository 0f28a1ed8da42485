/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Races for KUnit cases: two functions that run on two CPUs at the same moment,
 * again and again.
 */
#ifndef _DMABUF_TESTS_RACE_H
#define _DMABUF_TESTS_RACE_H

#include <linux/types.h>

struct dma_buf;
struct dma_fence;
struct dma_fence_ops;
struct kunit;

/**
 * struct race - what a case lets race
 * @prepare: run before each round; returns false to end the race
 * @here: one side, runs in the task of the case
 * @there: other side, runs on another CPU at the same time
 * @check: run after each round; returns false to end the race
 *
 * All get the data of the case, which is memory of KUnit: the other side is stopped
 * before that goes. @here and @there report by means of it, @prepare and @check may
 * have expectations and assertions.
 */
struct race {
	bool (*prepare)(struct kunit *test, void *data);
	void (*here)(void *data);
	void (*there)(void *data);
	bool (*check)(struct kunit *test, void *data);
};

void race_run_both(struct kunit *test, const struct race *race, void *data,
		   const unsigned int *outcomes);

/**
 * race_run() - let two functions race for a while
 * @test: running case, which is skipped on a machine with one CPU
 * @race: the race
 * @data: passed to its functions
 *
 * As race_run_both(), for a race that has one outcome.
 */
static inline void race_run(struct kunit *test, const struct race *race, void *data)
{
	race_run_both(test, race, data, NULL);
}

void race_linger(void);
bool race_spin(bool (*done)(void *data), void *data);

#define RACE_EXPORTER	"race-exporter"

struct dma_buf *race_buf_export(unsigned int *released);
struct dma_fence *race_fence_create(const struct dma_fence_ops *ops, u64 context, u64 seqno);
struct dma_fence *race_recycled_create(u64 context, u64 seqno);
void race_recycled_free(void);
int race_cached_init(void);
void race_cached_exit(void);
struct dma_fence *race_cached_create(u64 context, u64 seqno);
bool race_fence_signaled(struct dma_fence *fence);
bool race_fence_refs(struct dma_fence *fence, unsigned int refs);

#endif /* _DMABUF_TESTS_RACE_H */
