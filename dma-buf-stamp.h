/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stamps: the process that made a buffer, and the one that attached a device. Empty
 * without CONFIG_DMABUF_STAMP. dma-buf-report.c shows them.
 *
 * A new member has to stay as cheap as the others, which cost a store each: no
 * reference on a task, no exact clock. If a task is being renamed meanwhile, the
 * stamp may have a part of either name.
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
	/* May race with a rename, see above. The last byte is always NUL. */
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
