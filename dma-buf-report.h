/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dma_buf/report in debugfs: declarations that its two files share, dma-buf-report.c
 * and dma-fence-report.c. The grammar of the text is in
 * Documentation/ABI/testing/debugfs-dma-buf.
 */

#ifndef _DMA_BUF_REPORT_H
#define _DMA_BUF_REPORT_H

#include <linux/dma-resv.h>
#include <linux/types.h>

struct dentry;
struct dma_fence;
struct seq_file;

/* dma-buf-report.c */

void dma_buf_report_init(struct dentry *dir);
void dma_report_string(struct seq_file *m, const char *key, const char *value);
void dma_report_symbol(struct seq_file *m, const char *key, const void *address);
void dma_report_time(struct seq_file *m, const char *key, u64 ns);

/* dma-fence-report.c */

void dma_report_fence(struct seq_file *m, struct dma_fence *fence,
		      enum dma_resv_usage usage, s64 quiet_ns);

#endif /* _DMA_BUF_REPORT_H */
