// SPDX-License-Identifier: GPL-2.0-only
/*
 * All live buffers, for those who show them: debugfs, sysfs statistics.
 *
 * Exporting and releasing must not suffer from it, so the list is cut into
 * shards, and a buffer goes into that of the CPU where it was exported. Within
 * a shard buffers are sorted by inode number, the newest first, since the number
 * is taken under the lock of the shard. That is what lets a walk merge them.
 */

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "dma-buf-internal.h"

/**
 * struct dma_buf_shard - some of the live buffers
 * @lock: guards @buffers
 * @buffers: all &dma_buf.list_node, from dma_buf_export() until the file is
 *	released
 */
struct dma_buf_shard {
	spinlock_t lock;	/* guards buffers */
	struct list_head buffers;
} ____cacheline_aligned_in_smp;

static struct dma_buf_shard dma_buf_shards[DMA_BUF_SHARDS];

/* Inode number of the newest buffer; the first one is 1. */
static atomic_long_t dma_buf_last_ino = ATOMIC_LONG_INIT(0);

void __init dma_buf_list_init(void)
{
	unsigned int i;

	for (i = 0; i < DMA_BUF_SHARDS; i++) {
		spin_lock_init(&dma_buf_shards[i].lock);
		INIT_LIST_HEAD(&dma_buf_shards[i].buffers);
	}
}

/**
 * dma_buf_list_add() - make a buffer visible to walks
 * @dmabuf: buffer that is complete otherwise
 * @inode: its inode, which gets its number here
 *
 * Context: Process context.
 */
void dma_buf_list_add(struct dma_buf *dmabuf, struct inode *inode)
{
	struct dma_buf_shard *shard;

	dmabuf->shard = raw_smp_processor_id() % DMA_BUF_SHARDS;
	shard = &dma_buf_shards[dmabuf->shard];

	spin_lock(&shard->lock);
	inode->i_ino = atomic_long_inc_return(&dma_buf_last_ino);
	list_add(&dmabuf->list_node, &shard->buffers);
	spin_unlock(&shard->lock);
}

/**
 * dma_buf_list_del() - hide a buffer from walks
 * @dmabuf: buffer whose last file reference is gone
 *
 * Context: Process context.
 */
void dma_buf_list_del(struct dma_buf *dmabuf)
{
	struct dma_buf_shard *shard = &dma_buf_shards[dmabuf->shard];

	spin_lock(&shard->lock);
	list_del(&dmabuf->list_node);
	spin_unlock(&shard->lock);
}

/**
 * dma_buf_list_last_ino() - inode number of the newest buffer
 *
 * A walk that begins afterwards finds all live buffers up to that number: who
 * has got a number holds the lock of its shard until the buffer is on it.
 *
 * Context: Any.
 * Return: number, 0 if there has been no buffer so far.
 */
unsigned long dma_buf_list_last_ino(void)
{
	return atomic_long_read(&dma_buf_last_ino);
}

static unsigned long dma_buf_ino(struct dma_buf *dmabuf)
{
	return file_inode(dmabuf->file)->i_ino;
}

/* Numbers of 32 bits come round again, but buffers do not live for so long. */
static bool dma_buf_ino_is_later(unsigned long ino, unsigned long than)
{
	return (long)(ino - than) > 0;
}

static bool dma_buf_walk_wants(struct dma_buf_walk *walk,
			       struct dma_buf *dmabuf)
{
	return !walk->only_new ||
	       dma_buf_ino_is_later(dma_buf_ino(dmabuf), walk->last_seen);
}

/*
 * Get the newest buffer of a shard which is older than the given one, or than
 * nothing, if that is NULL. The caller's reference keeps that one on the list.
 */
static struct dma_buf *dma_buf_shard_next(struct dma_buf_walk *walk,
					  struct dma_buf_shard *shard,
					  struct dma_buf *after)
{
	struct dma_buf *dmabuf;

	guard(spinlock)(&shard->lock);

	dmabuf = after ?: list_entry(&shard->buffers, struct dma_buf,
				     list_node);
	list_for_each_entry_continue(dmabuf, &shard->buffers, list_node) {
		if (!dma_buf_walk_wants(walk, dmabuf))
			return NULL;
		/* Those whose count is zero leave as soon as we let them. */
		if (get_file_active(&dmabuf->file))
			return dmabuf;
	}

	return NULL;
}

static void dma_buf_walk_find_first(struct dma_buf_walk *walk)
{
	unsigned int i;

	walk->current_buf = NULL;
	for (i = 0; i < DMA_BUF_SHARDS; i++)
		walk->next[i] = dma_buf_shard_next(walk, &dma_buf_shards[i],
						   NULL);
}

static void dma_buf_walk_put(struct dma_buf *dmabuf)
{
	if (dmabuf)
		dma_buf_put(dmabuf);
}

/**
 * dma_buf_walk_begin() - begin to visit all live buffers
 * @walk: the walk, uninitialised
 *
 * Between the steps of a walk no lock is held. It finds each buffer that is
 * alive all the time, and may find others.
 *
 * Context: Process context. Balanced by dma_buf_walk_end().
 */
void dma_buf_walk_begin(struct dma_buf_walk *walk)
{
	walk->only_new = false;
	dma_buf_walk_find_first(walk);
}

/**
 * dma_buf_walk_begin_new() - begin to visit the live buffers that are new
 * @walk: the walk, uninitialised
 * @last_seen: inode number of the newest buffer that is not
 *
 * Like dma_buf_walk_begin(). The others are left alone, so that whoever drops
 * the last reference on one of them sees it destroyed at once.
 *
 * Context: Process context. Balanced by dma_buf_walk_end().
 */
void dma_buf_walk_begin_new(struct dma_buf_walk *walk, unsigned long last_seen)
{
	walk->only_new = true;
	walk->last_seen = last_seen;
	dma_buf_walk_find_first(walk);
}

/**
 * dma_buf_walk_next() - visit the next buffer
 * @walk: the walk
 *
 * The newest buffer comes first. The reference belongs to @walk and is dropped
 * by the next step.
 *
 * Context: Process context.
 * Return: buffer, NULL at the end.
 */
struct dma_buf *dma_buf_walk_next(struct dma_buf_walk *walk)
{
	struct dma_buf *newest = NULL;
	unsigned int i;

	for (i = 0; i < DMA_BUF_SHARDS; i++)
		if (walk->next[i] &&
		    (!newest || dma_buf_ino_is_later(dma_buf_ino(walk->next[i]),
						     dma_buf_ino(newest))))
			newest = walk->next[i];

	if (newest)
		walk->next[newest->shard] =
			dma_buf_shard_next(walk, &dma_buf_shards[newest->shard],
					   newest);

	dma_buf_walk_put(walk->current_buf);
	walk->current_buf = newest;

	return newest;
}

/**
 * dma_buf_walk_end() - end a walk, at its end or before
 * @walk: the walk
 *
 * Context: Process context.
 */
void dma_buf_walk_end(struct dma_buf_walk *walk)
{
	unsigned int i;

	dma_buf_walk_put(walk->current_buf);
	for (i = 0; i < DMA_BUF_SHARDS; i++)
		dma_buf_walk_put(walk->next[i]);
}
