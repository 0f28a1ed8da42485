/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stamps: which process made a buffer, and which one attached a device. Nothing
 * without CONFIG_DMABUF_STAMP. dma-buf-report.c shows them.
 *
 * They cost a few stores. So there is no reference on a task and no exact clock,
 * and the name of a task that is just being renamed may be half of each name.
 */

#ifndef _DMA_BUF_STAMP_H
#define _DMA_BUF_STAMP_H

#include <linux/compiler.h>
#include <linux/dma-buf.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#ifdef CONFIG_DMABUF_STAMP
/* @caller is where the exporter called the core. */
static inline void dma_buf_stamp(struct dma_buf *dmabuf, unsigned long caller)
{
	dmabuf->caller = caller;
	dmabuf->since = ktime_get_coarse_boottime_ns();
	dmabuf->tgid = current->tgid;
	/* See above. The last byte is always NUL. */
	data_race(memcpy(dmabuf->comm, current->group_leader->comm,
			 sizeof(dmabuf->comm)));
}

/* In nanoseconds. */
static inline u64 dma_buf_lifetime(struct dma_buf *dmabuf)
{
	return ktime_get_coarse_boottime_ns() - dmabuf->since;
}

static inline void dma_buf_stamp_attachment(struct dma_buf_attachment *attach,
					    unsigned long caller)
{
	attach->caller = caller;
	attach->since = ktime_get_coarse_boottime_ns();
	attach->tgid = current->tgid;
}

/* With the reservation lock held. */
static inline void dma_buf_count_map(struct dma_buf_attachment *attach, int more)
{
	attach->maps += more;
}

static inline void dma_buf_count_pin(struct dma_buf_attachment *attach, int more)
{
	attach->pins += more;
}
#else
static inline void dma_buf_stamp(struct dma_buf *dmabuf, unsigned long caller)
{
}

static inline u64 dma_buf_lifetime(struct dma_buf *dmabuf)
{
	return 0;
}

static inline void dma_buf_stamp_attachment(struct dma_buf_attachment *attach,
					    unsigned long caller)
{
}

static inline void dma_buf_count_map(struct dma_buf_attachment *attach, int more)
{
}

static inline void dma_buf_count_pin(struct dma_buf_attachment *attach, int more)
{
}
#endif

#endif /* _DMA_BUF_STAMP_H */
