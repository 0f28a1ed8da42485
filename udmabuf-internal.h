/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files of udmabuf share: runs of pages (udmabuf-runs.c), the
 * limits of a request (udmabuf.c), and the buffer itself (udmabuf-ops.c).
 */
#ifndef _DMA_BUF_UDMABUF_INTERNAL_H
#define _DMA_BUF_UDMABUF_INTERNAL_H

#include <linux/dma-buf.h>
#include <linux/list.h>
#include <linux/types.h>

#include <uapi/linux/udmabuf.h>

struct folio;

/**
 * struct udmabuf_run - pages that are neighbours in memory and in the buffer
 * @end: page of the buffer at which the next run begins
 * @pfn: first page frame
 */
struct udmabuf_run {
	pgoff_t end;
	unsigned long pfn;
};

/**
 * struct udmabuf_runs - all pages of a buffer, in order
 * @run: the runs
 * @count: number of runs
 * @room: number of runs that there is memory for
 *
 * Owns one pin for each folio that a run touches. A run goes on over the end of
 * a folio only to the start of the next one, so no run touches one twice.
 */
struct udmabuf_runs {
	struct udmabuf_run *run;
	size_t count;
	size_t room;
};

/**
 * struct udmabuf - a buffer made from pieces of memfds
 * @runs: the memory; constant
 * @read_only: a memfd was open for reading only; constant
 * @mappings: all &dma_buf_mapping.node. Guarded by &dma_buf.resv.
 * @cpu_began: CPU access has begun at least once. Guarded by &dma_buf.resv.
 */
struct udmabuf {
	struct udmabuf_runs runs;
	bool read_only;
	struct list_head mappings;
	bool cpu_began;
};

/* Sums of bytes and numbers of pages fit wherever the kernel counts them. */
#define UDMABUF_MAX_SIZE_MB \
	min_t(u64, INT_MAX >> (20 - PAGE_SHIFT), (SIZE_MAX >> 20))
#define UDMABUF_MAX_LIST \
	((unsigned int)(INT_MAX / sizeof(struct udmabuf_create_item)))

static inline pgoff_t udmabuf_runs_pages(const struct udmabuf_runs *runs)
{
	return runs->count ? runs->run[runs->count - 1].end : 0;
}

static inline pgoff_t udmabuf_run_start(const struct udmabuf_runs *runs, size_t i)
{
	return i ? runs->run[i - 1].end : 0;
}

int udmabuf_runs_add(struct udmabuf_runs *runs, struct folio *folio,
		     unsigned long first, unsigned long pages);
size_t udmabuf_runs_find(const struct udmabuf_runs *runs, pgoff_t page);
int udmabuf_runs_pin(struct udmabuf_runs *runs, struct file *memfd, u64 offset,
		     u64 size);
void udmabuf_runs_free(struct udmabuf_runs *runs);
int udmabuf_runs_to_table(const struct udmabuf_runs *runs, struct sg_table *table,
			  size_t max_segment);

int udmabuf_check_items(const struct udmabuf_create_item *items, u32 count,
			unsigned int limit_mb);

extern const struct dma_buf_ops udmabuf_ops;

#endif /* _DMA_BUF_UDMABUF_INTERNAL_H */
