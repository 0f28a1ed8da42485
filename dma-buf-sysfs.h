/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers in sysfs: the totals of dma-buf-sysfs.c, and the statistics of each buffer
 * of dma-buf-sysfs-stats.c. Empty inlines stand in for what is configured out.
 */

#ifndef _DMA_BUF_SYSFS_H
#define _DMA_BUF_SYSFS_H

#include <linux/workqueue.h>

struct dma_buf;
struct dma_buf_export_info;
struct kobject;

/* dma-buf-sysfs.c */

#ifdef CONFIG_SYSFS
struct kobject *dma_buf_sysfs_dir(void);
int dma_buf_sysfs_init(void);
void dma_buf_sysfs_exit(void);
#else
static inline struct kobject *dma_buf_sysfs_dir(void)
{
	return NULL;
}

static inline int dma_buf_sysfs_init(void)
{
	return 0;
}

static inline void dma_buf_sysfs_exit(void)
{
}
#endif

/* dma-buf-sysfs-stats.c */

#ifdef CONFIG_DMABUF_SYSFS_STATS
/* For tests, which keep the worker away, or wait for it. */
extern unsigned int dma_buf_stats_delay_ms;
extern struct delayed_work dma_buf_stats_worker;

int dma_buf_stats_init(void);
int dma_buf_stats_check(const struct dma_buf_export_info *exp_info);
void dma_buf_stats_exported(void);
void dma_buf_stats_need(struct dma_buf *dmabuf);
void dma_buf_stats_released(struct dma_buf *dmabuf);
#else
static inline int dma_buf_stats_init(void)
{
	return 0;
}

static inline int
dma_buf_stats_check(const struct dma_buf_export_info *exp_info)
{
	return 0;
}

static inline void dma_buf_stats_exported(void)
{
}

static inline void dma_buf_stats_need(struct dma_buf *dmabuf)
{
}

static inline void dma_buf_stats_released(struct dma_buf *dmabuf)
{
}
#endif

#endif /* _DMA_BUF_SYSFS_H */
