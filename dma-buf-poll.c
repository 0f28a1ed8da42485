// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll() on a buffer: user space waits for implicit fences as for any other event.
 *
 * To change here: which fences make a buffer readable or writable, and the order of the
 * steps that keeps a wake-up from being lost, shown below.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/lockdep.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-internal.h"

#include <trace/events/dma_buf.h>

/**
 * DOC: implicit fence polling
 *
 * A buffer is readable, EPOLLIN, when no device writes to it any more: no fence of usage
 * %DMA_RESV_USAGE_WRITE or stronger is pending. It is writable, EPOLLOUT, when no device
 * uses it at all: no fence of usage %DMA_RESV_USAGE_READ or stronger is pending. Fences
 * of %DMA_RESV_USAGE_BOOKKEEP do not matter.
 *
 * That says nothing about caches, for which there is DMA_BUF_IOCTL_SYNC, and
 * nothing about work that is submitted afterwards.
 *
 * While a task polls for an event and work is pending, there is one callback on one of
 * the fences, for all pollers. When the fence signals, all of them wake up and test
 * again, and the first one that still finds work pending adds the callback to another
 * fence. The callback is a part of the buffer, and holds a reference on it. Closing the
 * descriptor removes no callback: the buffer stays until the fence signals.
 *
 * The exporter is not involved.
 */

static __poll_t dma_buf_poll_event(bool write)
{
	return write ? EPOLLOUT : EPOLLIN;
}

static struct dma_buf_poll_cb_t *dma_buf_poll_cb(struct dma_buf *dmabuf,
						 bool write)
{
	return write ? &dmabuf->cb_out : &dmabuf->cb_in;
}

/*
 * No wake-up is lost. The poller is on the wait queue before it tests, and it adds the
 * callback between finding a pending fence and sleeping:
 *
 *	poller				signaller of the fence
 *	------				----------------------
 *	enter wait queue
 *	fence pending?  yes
 *	event active?  no: set it
 *	lock dma_buf.resv
 *	add callback to fence		set signalled flag
 *	  ok				  callback: clear event, wake
 *	sleep
 *
 * If the callback cannot be added, the fence has signalled, and the poller tries the
 * next one. If the event was active already, the callback that clears the event wakes
 * this poller, too: the poller entered the queue earlier, under the same lock.
 */
static void dma_buf_poll_clear(struct dma_buf_poll_cb_t *dcb)
{
	__poll_t event;

	guard(spinlock_irqsave)(&dcb->poll->lock);

	/*
	 * Clear first: a task that is woken tests again without the lock, and must
	 * not mistake this callback for one that is still queued.
	 */
	event = dcb->active;
	WRITE_ONCE(dcb->active, 0);
	wake_up_locked_poll(dcb->poll, event);
}

static void dma_buf_poll_signaled(struct dma_fence *fence,
				  struct dma_fence_cb *cb)
{
	struct dma_buf_poll_cb_t *dcb =
		container_of(cb, struct dma_buf_poll_cb_t, cb);
	struct dma_buf *dmabuf = container_of(dcb->poll, struct dma_buf, poll);

	dma_buf_poll_clear(dcb);

	/* The signaller keeps the fence alive, so this does not free it. */
	dma_fence_put(fence);
	fput(dmabuf->file);
}

/**
 * dma_buf_of_poll_cb() - does a callback wake tasks that poll a buffer?
 * @cb: callback of a fence whose lock the caller holds
 * @event: where to store the event, EPOLLIN or EPOLLOUT
 *
 * Context: Any.
 * Return: the buffer, which stays as long as the lock is held; NULL if the callback
 * does something else.
 */
struct dma_buf *dma_buf_of_poll_cb(struct dma_fence_cb *cb, __poll_t *event)
{
	struct dma_buf_poll_cb_t *dcb;

	if (cb->func != dma_buf_poll_signaled)
		return NULL;

	dcb = container_of(cb, struct dma_buf_poll_cb_t, cb);
	*event = READ_ONCE(dcb->active);

	return container_of(dcb->poll, struct dma_buf, poll);
}

/* Returns false if a callback for the event is installed already. */
static bool dma_buf_poll_claim(struct dma_buf *dmabuf,
			       struct dma_buf_poll_cb_t *dcb, __poll_t event)
{
	guard(spinlock_irq)(&dmabuf->poll.lock);

	if (dcb->active)
		return false;

	dcb->poll = &dmabuf->poll;
	WRITE_ONCE(dcb->active, event);
	return true;
}

/* Returns false if there is no pending fence to put the callback on. */
static bool dma_buf_poll_add_callback(struct dma_buf *dmabuf,
				      struct dma_buf_poll_cb_t *dcb, bool write)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	/* The reference of the callback, which may run at once. */
	get_dma_buf(dmabuf);

	dma_resv_for_each_fence(&cursor, dmabuf->resv,
				dma_resv_usage_rw(write), fence) {
		dma_fence_get(fence);
		if (!dma_fence_add_callback(fence, &dcb->cb,
					    dma_buf_poll_signaled))
			return true;
		dma_fence_put(fence);
	}

	fput(dmabuf->file);
	return false;
}

/* Returns true if the event is ready now, false if a callback will report it later. */
static bool dma_buf_poll_install(struct dma_buf *dmabuf, bool write)
{
	struct dma_buf_poll_cb_t *dcb = dma_buf_poll_cb(dmabuf, write);

	if (!dma_buf_poll_claim(dmabuf, dcb, dma_buf_poll_event(write)))
		return false;

	guard(dma_resv)(dmabuf->resv);

	if (dma_buf_poll_add_callback(dmabuf, dcb, write))
		return false;

	dma_buf_poll_clear(dcb);
	return true;
}

/* Takes the lock only if a fence is pending. */
static __poll_t dma_buf_poll_direction(struct dma_buf *dmabuf, bool write)
{
	__poll_t event = dma_buf_poll_event(write);
	bool idle, active;

	might_lock(&dmabuf->resv->lock.base);

	idle = dma_resv_test_signaled(dmabuf->resv, dma_resv_usage_rw(write));
	active = READ_ONCE(dma_buf_poll_cb(dmabuf, write)->active);

	if (!idle) {
		if (active || !dma_buf_poll_install(dmabuf, write))
			return 0;
	} else if (unlikely(active)) {
		/* Other tasks may still wait for a fence that has left the object. */
		wake_up_poll(&dmabuf->poll, event);
	}

	return event;
}

/**
 * dma_buf_poll() - poll() on the file of a buffer
 * @file: file of a buffer
 * @table: the poller, and the events that it asks for
 *
 * See `implicit fence polling`.
 *
 * Context: Process context, may sleep. The caller does not hold &dma_buf.resv, which
 * this takes if work is pending.
 * Return: the requested ones of EPOLLIN and EPOLLOUT that are ready; EPOLLERR if the
 * file has no buffer.
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
		ready |= dma_buf_poll_direction(dmabuf, true);
	if (events & EPOLLIN)
		ready |= dma_buf_poll_direction(dmabuf, false);
	trace_dma_buf_poll(dmabuf, (__force u32)events, (__force u32)ready);

	return ready;
}
