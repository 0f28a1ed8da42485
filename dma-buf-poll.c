// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll() on a buffer: waiting for the implicit fences without sleeping in a
 * driver.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-internal.h"

/**
 * DOC: implicit fence polling
 *
 * A buffer is readable, EPOLLIN, when no device writes to it any more, and
 * writable, EPOLLOUT, when no device uses it at all: no fence of usage
 * %DMA_RESV_USAGE_WRITE or stronger, and of %DMA_RESV_USAGE_READ or stronger,
 * is pending. Fences of %DMA_RESV_USAGE_BOOKKEEP do not matter.
 *
 * That says nothing about caches, for which there is DMA_BUF_IOCTL_SYNC, and
 * nothing about work that is submitted afterwards.
 *
 * While somebody polls for an event and work is pending, there is one callback
 * on one of the fences, for all who poll. When the fence signals all are woken
 * and look again, and the first of them installs the callback on the next
 * fence. The callback keeps the buffer alive.
 *
 * An exporter has nothing to do for it.
 */

/* Index into dma_buf.poll_cb. */
enum dma_buf_poll_direction {
	DMA_BUF_POLL_IN,
	DMA_BUF_POLL_OUT,
};

static __poll_t dma_buf_poll_events(enum dma_buf_poll_direction direction)
{
	return direction == DMA_BUF_POLL_OUT ? EPOLLOUT : EPOLLIN;
}

/* The event in dma_buf.poll_active. */
static u16 dma_buf_poll_bit(enum dma_buf_poll_direction direction)
{
	static_assert(((__force u32)EPOLLIN | (__force u32)EPOLLOUT) <= U16_MAX);

	return (__force u16)dma_buf_poll_events(direction);
}

/*
 * No wake-up is lost. The poller is on the wait queue before it looks, and to
 * find that fence is pending and go to sleep it has to go past the callback:
 *
 *	poller				whoever signals the fence
 *	------				-------------------------
 *	enter wait queue
 *	fence pending?  yes
 *	event active?  no: set it
 *	lock dma_buf.resv
 *	add callback to fence		set signalled flag
 *	  ok				  callback: clear event, wake
 *	sleep
 *
 * If the callback could not be added the fence has signalled, and the next one
 * is tried. If the event was active, the callback that is going to clear it
 * finds the poller on the queue, who entered it under the lock under which the
 * event is cleared.
 */
static void dma_buf_poll_clear(struct dma_buf *dmabuf,
			       enum dma_buf_poll_direction direction)
{
	guard(spinlock_irqsave)(&dmabuf->poll.lock);

	dmabuf->poll_active &= ~dma_buf_poll_bit(direction);
	wake_up_locked_poll(&dmabuf->poll, dma_buf_poll_events(direction));
}

static void dma_buf_poll_signaled(struct dma_buf *dmabuf,
				  enum dma_buf_poll_direction direction,
				  struct dma_fence *fence)
{
	dma_buf_poll_clear(dmabuf, direction);

	/* Not the last one, that is the signaller's. */
	dma_fence_put(fence);
	fput(dmabuf->file);
}

static void dma_buf_poll_readable(struct dma_fence *fence,
				  struct dma_fence_cb *cb)
{
	dma_buf_poll_signaled(container_of(cb, struct dma_buf,
					   poll_cb[DMA_BUF_POLL_IN]),
			      DMA_BUF_POLL_IN, fence);
}

static void dma_buf_poll_writable(struct dma_fence *fence,
				  struct dma_fence_cb *cb)
{
	dma_buf_poll_signaled(container_of(cb, struct dma_buf,
					   poll_cb[DMA_BUF_POLL_OUT]),
			      DMA_BUF_POLL_OUT, fence);
}

/* Returns false if a callback for the event is out already. */
static bool dma_buf_poll_claim(struct dma_buf *dmabuf,
			       enum dma_buf_poll_direction direction)
{
	u16 bit = dma_buf_poll_bit(direction);

	guard(spinlock_irq)(&dmabuf->poll.lock);

	if (dmabuf->poll_active & bit)
		return false;

	dmabuf->poll_active |= bit;
	return true;
}

/* Returns false if there is no pending fence to put the callback on. */
static bool dma_buf_poll_add_callback(struct dma_buf *dmabuf,
				      enum dma_buf_poll_direction direction)
{
	bool write = direction == DMA_BUF_POLL_OUT;
	dma_fence_func_t func = write ? dma_buf_poll_writable :
					dma_buf_poll_readable;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	/* For the callback, which may run at once. */
	get_dma_buf(dmabuf);

	dma_resv_for_each_fence(&cursor, dmabuf->resv,
				dma_resv_usage_rw(write), fence) {
		dma_fence_get(fence);
		if (!dma_fence_add_callback(fence, &dmabuf->poll_cb[direction],
					    func))
			return true;
		dma_fence_put(fence);
	}

	fput(dmabuf->file);
	return false;
}

/* Returns false if the event is on its way, true if it has come meanwhile. */
static bool dma_buf_poll_install(struct dma_buf *dmabuf,
				 enum dma_buf_poll_direction direction)
{
	if (!dma_buf_poll_claim(dmabuf, direction))
		return false;

	guard(dma_resv)(dmabuf->resv);

	if (dma_buf_poll_add_callback(dmabuf, direction))
		return false;

	dma_buf_poll_clear(dmabuf, direction);
	return true;
}

/* The lock is taken only if there is something to wait for. */
static __poll_t dma_buf_poll_direction(struct dma_buf *dmabuf,
				       enum dma_buf_poll_direction direction)
{
	bool write = direction == DMA_BUF_POLL_OUT;
	bool idle = dma_resv_test_signaled(dmabuf->resv, dma_resv_usage_rw(write));
	bool active = READ_ONCE(dmabuf->poll_active) & dma_buf_poll_bit(direction);
	__poll_t event = dma_buf_poll_events(direction);

	if (!idle) {
		if (active || !dma_buf_poll_install(dmabuf, direction))
			return 0;
	} else if (unlikely(active)) {
		/* Others may still wait for a fence that has left the object. */
		wake_up_poll(&dmabuf->poll, event);
	}

	return event;
}

/**
 * dma_buf_poll() - poll() on the file of a buffer
 * @file: file of a buffer
 * @table: who polls, and for what
 *
 * See `implicit fence polling`.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv if work is pending.
 * Return: EPOLLIN, EPOLLOUT, as far as asked for; EPOLLERR without a buffer.
 */
__poll_t dma_buf_poll(struct file *file, struct poll_table_struct *table)
{
	struct dma_buf *dmabuf = file->private_data;
	__poll_t events, ready = 0;

	if (!dmabuf || !dmabuf->resv)
		return EPOLLERR;

	poll_wait(file, &dmabuf->poll, table);

	events = poll_requested_events(table);
	if (events & EPOLLOUT)
		ready |= dma_buf_poll_direction(dmabuf, DMA_BUF_POLL_OUT);
	if (events & EPOLLIN)
		ready |= dma_buf_poll_direction(dmabuf, DMA_BUF_POLL_IN);

	return ready;
}
