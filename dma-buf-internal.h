/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files of the buffer core share.
 */

#ifndef _DMA_BUF_INTERNAL_H
#define _DMA_BUF_INTERNAL_H

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct dentry;
struct inode;
struct kobject;
struct poll_table_struct;
struct seq_file;

/* dma-buf-list.c: all live buffers */

#define DMA_BUF_SHARDS	CONFIG_DMABUF_SHARDS

/**
 * struct dma_buf_cursor - where a walk is in one shard
 * @node: link in the list of all cursors of the shard
 * @next: &dma_buf.list_node of the buffer to visit next, or the head of the list
 *	at the end
 * @ino: inode number of that buffer, 0 at the end
 *
 * All guarded by the lock of the shard; a racy read of @ino is a hint. Holds no
 * reference: a buffer that leaves the shard moves the cursor on.
 */
struct dma_buf_cursor {
	struct list_head node;
	struct list_head *next;
	unsigned long ino;
};

/**
 * struct dma_buf_walk - a walk over all live buffers
 * @current_buf: buffer that dma_buf_walk_next() has returned, on whose file the
 *	walk owns a reference; or NULL
 * @last_seen: inode number of the newest buffer that is left out
 * @only_new: whether there is such a buffer
 * @cursors: position in each shard
 *
 * Owned by one task. Lives on the stack.
 */
struct dma_buf_walk {
	struct dma_buf *current_buf;
	unsigned long last_seen;
	bool only_new;
	struct dma_buf_cursor cursors[DMA_BUF_SHARDS];
};

/**
 * struct dma_buf_totals - all buffers, or those of a shard, taken together
 * @buffers: how many
 * @bytes: sum of their sizes
 */
struct dma_buf_totals {
	unsigned long buffers;
	u64 bytes;
};

typedef bool (*dma_buf_take_t)(struct dma_buf *dmabuf);

void dma_buf_list_init(void);
void dma_buf_list_add(struct dma_buf *dmabuf, struct inode *inode);
void dma_buf_list_del(struct dma_buf *dmabuf);
bool dma_buf_list_take(struct dma_buf *dmabuf, dma_buf_take_t take);
unsigned long dma_buf_list_last_ino(void);
struct dma_buf_totals dma_buf_list_totals(void);

void dma_buf_walk_begin(struct dma_buf_walk *walk);
void dma_buf_walk_begin_new(struct dma_buf_walk *walk, unsigned long last_seen);
void dma_buf_walk_begin_old(struct dma_buf_walk *walk, unsigned long ino);
struct dma_buf *dma_buf_walk_next(struct dma_buf_walk *walk);
struct dma_buf *dma_buf_walk_take(struct dma_buf_walk *walk,
				  dma_buf_take_t take);
void dma_buf_walk_end(struct dma_buf_walk *walk);

/* dma-buf-bpf.c, where it is built: called by BPF programs, and by nobody else */

struct bpf_iter_dmabuf;
int bpf_iter_dmabuf_new(struct bpf_iter_dmabuf *it);
struct dma_buf *bpf_iter_dmabuf_next(struct bpf_iter_dmabuf *it);
void bpf_iter_dmabuf_destroy(struct bpf_iter_dmabuf *it);

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

/* For exporters of this directory */

/**
 * dma_buf_max_segment() - longest segment that can be mapped for a device
 * @dev: device
 *
 * Return: bytes.
 */
static inline unsigned int dma_buf_max_segment(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev),
		     dma_max_mapping_size(dev));
}

/* dma-buf-debugfs.c, dma-buf-report.c */

#ifdef CONFIG_DEBUG_FS
void dma_buf_debugfs_init(void);
void dma_buf_report_init(struct dentry *dir);
#else
static inline void dma_buf_debugfs_init(void)
{
}
#endif

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

#endif /* _DMA_BUF_INTERNAL_H */
