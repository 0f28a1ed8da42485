/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of all live buffers: export and release change it, reports walk over it.
 * Its rules are in dma-buf-list.c, the interface of BPF programs is in dma-buf-bpf.c.
 */

#ifndef _DMA_BUF_LIST_H
#define _DMA_BUF_LIST_H

#include <linux/list.h>
#include <linux/types.h>

struct dma_buf;
struct inode;

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

/* dma-buf-bpf.c, where it is built: called by BPF programs only */

struct bpf_iter_dmabuf;
int bpf_iter_dmabuf_new(struct bpf_iter_dmabuf *it);
struct dma_buf *bpf_iter_dmabuf_next(struct bpf_iter_dmabuf *it);
void bpf_iter_dmabuf_destroy(struct bpf_iter_dmabuf *it);

#endif /* _DMA_BUF_LIST_H */
