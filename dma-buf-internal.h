/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that the files of the buffer itself offer to each other and to the reports.
 * The list of buffers is in dma-buf-list.h, sysfs in dma-buf-sysfs.h, the common part
 * of exporters here in dma-buf-mappings.h, and the interface in linux/dma-buf.h.
 */

#ifndef _DMA_BUF_INTERNAL_H
#define _DMA_BUF_INTERNAL_H

#include <linux/types.h>

struct dma_buf;
struct dma_fence_cb;
struct file;
struct poll_table_struct;
struct seq_file;
struct vm_area_struct;

/* dma-buf.c */

dev_t dma_buf_dev(void);
void dma_buf_install_fd(struct dma_buf *dmabuf, int fd);
bool dma_buf_owns_resv(struct dma_buf *dmabuf);
void dma_buf_replace_name(struct dma_buf *dmabuf, const char *name);
void dma_buf_show_name(struct seq_file *m, const char *name);

/* dma-buf-cpu.c, dma-buf-ioctl.c, dma-buf-poll.c: file operations */

int dma_buf_file_mmap(struct file *file, struct vm_area_struct *vma);
long dma_buf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
__poll_t dma_buf_poll(struct file *file, struct poll_table_struct *table);
struct dma_buf *dma_buf_of_poll_cb(struct dma_fence_cb *cb, __poll_t *event);

/* dma-buf-debugfs.c */

#ifdef CONFIG_DEBUG_FS
void dma_buf_debugfs_init(void);
#else
static inline void dma_buf_debugfs_init(void)
{
}
#endif

#endif /* _DMA_BUF_INTERNAL_H */
