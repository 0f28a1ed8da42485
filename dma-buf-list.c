// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of all live buffers, for debugfs, sysfs and BPF. To change here: how a
 * buffer gets on and off the list, and how a walk finds it.
 *
 * The list must not slow down export and release, so it is divided into shards. A
 * buffer goes into the shard of the CPU that exports it. The buffers of a shard are
 * sorted by inode number, the newest first, since the number is taken under the lock of
 * the shard. So a walk can merge the shards.
 *
 * A walk has a cursor in each shard, which points at the buffer to visit next without a
 * reference. A buffer that leaves its shard moves the cursors that point at it on to
 * the next one. So a walk keeps only the buffer alive that it has returned, and the
 * time of a step does not depend on the number of buffers.
 */

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "dma-buf-list.h"

/**
 * struct dma_buf_shard - some of the live buffers
 * @lock: guards the other members, and the members of &dma_buf_cursor
 * @buffers: all &dma_buf.list_node, from dma_buf_export() until the file is
 *	released
 * @cursors: all &dma_buf_cursor.node of walks that are under way
 * @totals: number and size of @buffers
 */
struct dma_buf_shard {
	spinlock_t lock;	/* guards all members, and the cursors */
	struct list_head buffers;
	struct list_head cursors;
	struct dma_buf_totals totals;
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
		INIT_LIST_HEAD(&dma_buf_shards[i].cursors);
	}
}

static struct dma_buf_shard *dma_buf_shard_of(struct dma_buf *dmabuf)
{
	return &dma_buf_shards[dmabuf->shard];
}

/* 0 is no inode number, and a counter of 32 bits wraps. */
static unsigned long dma_buf_next_ino(void)
{
	return atomic_long_inc_return(&dma_buf_last_ino) ?:
	       atomic_long_inc_return(&dma_buf_last_ino);
}

static unsigned long dma_buf_ino(struct dma_buf *dmabuf)
{
	return file_inode(dmabuf->file)->i_ino;
}

/* Numbers of 32 bits wrap, but no buffer lives for half of a round. */
static bool dma_buf_ino_is_later(unsigned long ino, unsigned long than)
{
	return (long)(ino - than) > 0;
}

static void dma_buf_cursor_set(struct dma_buf_cursor *cursor,
			       struct dma_buf_shard *shard,
			       struct list_head *next)
{
	bool end = next == &shard->buffers;

	lockdep_assert_held(&shard->lock);

	cursor->next = next;
	WRITE_ONCE(cursor->ino,
		   end ? 0 : dma_buf_ino(list_entry(next, struct dma_buf,
						    list_node)));
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
	shard = dma_buf_shard_of(dmabuf);

	spin_lock(&shard->lock);
	inode->i_ino = dma_buf_next_ino();
	list_add(&dmabuf->list_node, &shard->buffers);
	shard->totals.buffers++;
	shard->totals.bytes += dmabuf->size;
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
	struct dma_buf_shard *shard = dma_buf_shard_of(dmabuf);
	struct dma_buf_cursor *cursor;

	spin_lock(&shard->lock);
	list_for_each_entry(cursor, &shard->cursors, node)
		if (cursor->next == &dmabuf->list_node)
			dma_buf_cursor_set(cursor, shard, cursor->next->next);
	list_del_init(&dmabuf->list_node);
	shard->totals.buffers--;
	shard->totals.bytes -= dmabuf->size;
	spin_unlock(&shard->lock);
}

/**
 * dma_buf_list_totals() - number and size of all live buffers
 *
 * Context: Process context.
 * Return: sums that are exact if no buffer comes or goes meanwhile. They include each
 * buffer that lives during the whole call.
 */
struct dma_buf_totals dma_buf_list_totals(void)
{
	struct dma_buf_totals totals = {};
	unsigned int i;

	for (i = 0; i < DMA_BUF_SHARDS; i++) {
		struct dma_buf_shard *shard = &dma_buf_shards[i];

		guard(spinlock)(&shard->lock);
		totals.buffers += shard->totals.buffers;
		totals.bytes += shard->totals.bytes;
	}

	return totals;
}

/**
 * dma_buf_list_take() - take a buffer, unless it has left the list
 * @dmabuf: buffer that may be gone, but not its inode
 * @take: takes the buffer, in a way that dma_buf_file_release() respects; called
 *	with the lock of the buffer's shard held, so it must not sleep
 *
 * Context: Process context.
 * Return: true if @take has been called and has returned true.
 */
bool dma_buf_list_take(struct dma_buf *dmabuf, dma_buf_take_t take)
{
	struct dma_buf_shard *shard = dma_buf_shard_of(dmabuf);
	bool taken;

	spin_lock(&shard->lock);
	taken = !list_empty(&dmabuf->list_node) && take(dmabuf);
	spin_unlock(&shard->lock);

	return taken;
}

/**
 * dma_buf_list_last_ino() - inode number of the newest buffer
 *
 * A walk that begins afterwards finds all live buffers up to that number:
 * dma_buf_export() holds the lock of the shard from the moment when it takes the
 * number until the buffer is on the list.
 *
 * Context: Any.
 * Return: number, 0 if there has been no buffer so far.
 */
unsigned long dma_buf_list_last_ino(void)
{
	return atomic_long_read(&dma_buf_last_ino);
}

static void dma_buf_walk_add_cursors(struct dma_buf_walk *walk)
{
	unsigned int i;

	for (i = 0; i < DMA_BUF_SHARDS; i++) {
		struct dma_buf_cursor *cursor = &walk->cursors[i];
		struct dma_buf_shard *shard = &dma_buf_shards[i];

		guard(spinlock)(&shard->lock);
		dma_buf_cursor_set(cursor, shard, shard->buffers.next);
		list_add(&cursor->node, &shard->cursors);
	}
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
	walk->current_buf = NULL;
	walk->only_new = false;
	dma_buf_walk_add_cursors(walk);
}

/**
 * dma_buf_walk_begin_new() - begin to visit the live buffers that are new
 * @walk: the walk, uninitialised
 * @last_seen: inode number of the newest buffer that is not
 *
 * Like dma_buf_walk_begin(), but does not visit older buffers.
 *
 * Context: Process context. Balanced by dma_buf_walk_end().
 */
void dma_buf_walk_begin_new(struct dma_buf_walk *walk, unsigned long last_seen)
{
	walk->current_buf = NULL;
	walk->only_new = true;
	walk->last_seen = last_seen;
	dma_buf_walk_add_cursors(walk);
}

/*
 * Returns the shard whose cursor is at the newest buffer, and the number of that
 * buffer, or DMA_BUF_SHARDS if there is nothing left to visit. That is a hint:
 * the buffer may go meanwhile, which moves the cursor on to an older one.
 */
static unsigned int dma_buf_walk_newest(struct dma_buf_walk *walk,
					unsigned long *newest)
{
	unsigned int i, shard = DMA_BUF_SHARDS;

	for (i = 0; i < DMA_BUF_SHARDS; i++) {
		unsigned long ino = READ_ONCE(walk->cursors[i].ino);

		if (ino && (shard == DMA_BUF_SHARDS ||
			    dma_buf_ino_is_later(ino, *newest))) {
			shard = i;
			*newest = ino;
		}
	}

	if (shard < DMA_BUF_SHARDS && walk->only_new &&
	    !dma_buf_ino_is_later(*newest, walk->last_seen))
		return DMA_BUF_SHARDS;

	return shard;
}

/*
 * Go past the buffer with that number. Returns it, or NULL if @take refuses it, or it
 * has gone.
 */
static struct dma_buf *dma_buf_walk_pass(struct dma_buf_walk *walk,
					 unsigned int index, unsigned long ino,
					 dma_buf_take_t take)
{
	struct dma_buf_cursor *cursor = &walk->cursors[index];
	struct dma_buf_shard *shard = &dma_buf_shards[index];
	struct dma_buf *dmabuf;

	guard(spinlock)(&shard->lock);

	if (cursor->ino != ino)
		return NULL;

	dmabuf = list_entry(cursor->next, struct dma_buf, list_node);
	dma_buf_cursor_set(cursor, shard, cursor->next->next);

	return take(dmabuf) ? dmabuf : NULL;
}

/**
 * dma_buf_walk_take() - take the next buffer without a reference on its file
 * @walk: the walk
 * @take: takes the buffer, see dma_buf_list_take()
 *
 * Each round moves a cursor towards the end of its shard, or finds that a
 * release has done so. As a cursor never goes back, that bounds the rounds.
 *
 * Context: Process context.
 * Return: the newest buffer that has not been visited and that @take takes, NULL
 * at the end.
 */
struct dma_buf *dma_buf_walk_take(struct dma_buf_walk *walk, dma_buf_take_t take)
{
	struct dma_buf *dmabuf = NULL;
	unsigned long ino;
	unsigned int i;

	while (!dmabuf) {
		i = dma_buf_walk_newest(walk, &ino);
		if (i == DMA_BUF_SHARDS)
			break;
		dmabuf = dma_buf_walk_pass(walk, i, ino, take);
	}

	return dmabuf;
}

static bool dma_buf_take_none(struct dma_buf *dmabuf)
{
	return false;
}

/**
 * dma_buf_walk_begin_old() - begin to visit the live buffers that are not new
 * @walk: the walk, uninitialised
 * @ino: inode number of the newest buffer to visit, which may be gone
 *
 * For a caller that cannot keep a walk: it continues with the number of the buffer
 * that would have been next. This passes newer buffers one by one, since it holds the
 * lock of a shard for one step only.
 *
 * Context: Process context. Balanced by dma_buf_walk_end().
 */
void dma_buf_walk_begin_old(struct dma_buf_walk *walk, unsigned long ino)
{
	unsigned long newest;
	unsigned int i;

	dma_buf_walk_begin(walk);
	for (;;) {
		i = dma_buf_walk_newest(walk, &newest);
		if (i == DMA_BUF_SHARDS || !dma_buf_ino_is_later(newest, ino))
			break;
		dma_buf_walk_pass(walk, i, newest, dma_buf_take_none);
	}
}

/* A buffer whose count is zero is about to take our lock to leave the list. */
static bool dma_buf_take_reference(struct dma_buf *dmabuf)
{
	return get_file_active(&dmabuf->file);
}

/*
 * If that was the last reference, destroy the buffer here and now. fput() would
 * do so when the task returns to user space, which may be many buffers later,
 * and after a sleep on the lock of any of them.
 */
static void dma_buf_walk_put(struct dma_buf_walk *walk)
{
	if (walk->current_buf)
		__fput_sync(walk->current_buf->file);
	walk->current_buf = NULL;
}

/**
 * dma_buf_walk_next() - visit the next buffer
 * @walk: the walk
 *
 * The newest buffer comes first. The reference belongs to @walk and is dropped
 * by the next step, before anything else.
 *
 * Context: Process context, may sleep. May destroy the buffer returned before,
 * so no lock is held that an exporter takes in &dma_buf_ops.release.
 * Return: buffer, NULL at the end.
 */
struct dma_buf *dma_buf_walk_next(struct dma_buf_walk *walk)
{
	dma_buf_walk_put(walk);
	walk->current_buf = dma_buf_walk_take(walk, dma_buf_take_reference);

	return walk->current_buf;
}

/**
 * dma_buf_walk_end() - end a walk, at its end or before
 * @walk: the walk
 *
 * Context: Process context, may sleep. As for dma_buf_walk_next().
 */
void dma_buf_walk_end(struct dma_buf_walk *walk)
{
	unsigned int i;

	dma_buf_walk_put(walk);
	for (i = 0; i < DMA_BUF_SHARDS; i++) {
		guard(spinlock)(&dma_buf_shards[i].lock);
		list_del(&walk->cursors[i].node);
	}
}
