// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences and their waiters in dma_buf/report of debugfs. To change here: the lines
 * "fence" and "waiter"; their grammar is in Documentation/ABI.
 *
 * A report must not change the state that it shows: dma_fence_is_signaled() would
 * signal a fence whose interrupt was lost, and hide the fault. So the flag alone
 * decides whether a fence is pending, and the answer of the driver is only printed.
 */

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "dma-buf-internal.h"
#include "dma-buf-report.h"
#include "dma-fence-internal.h"
#include "dma-resv-internal.h"

/*
 * Does the driver of a fence whose flag is not set say that the work is over? Do not
 * ask a container, since it calls dma_fence_is_signaled() on its members. The RCU
 * read-side critical section keeps the driver, which may go after the signal.
 */
static bool dma_report_is_done(struct dma_fence *fence)
{
	if (dma_fence_signaled_flag(fence) || dma_fence_is_container(fence))
		return false;

	return fence->ops->signaled && fence->ops->signaled(fence);
}

static const char *dma_report_state(struct dma_fence *fence)
{
	return dma_report_is_done(fence) ? "done-not-signalled" : "pending";
}

static bool dma_report_is_asked(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
}

/* Limits for the waiters of a fence that are shown, and for those that are counted. */
#define DMA_REPORT_WAITERS	16
#define DMA_REPORT_COUNTED	256

/* Limits for the depth of nested containers, and for the lines of their waiters. */
#define DMA_REPORT_DEPTH	3
#define DMA_REPORT_LINES	64

/**
 * enum dma_report_kind - what a callback does
 * @DMA_REPORT_TASK: wakes a task that sleeps
 * @DMA_REPORT_POLL: wakes tasks that poll a buffer
 * @DMA_REPORT_SYNC_FILE: wakes tasks that poll a sync file
 * @DMA_REPORT_CONTAINER: signals an array or a node of a chain
 * @DMA_REPORT_OTHER: anything else, shown as the name of its function
 */
enum dma_report_kind {
	DMA_REPORT_TASK,
	DMA_REPORT_POLL,
	DMA_REPORT_SYNC_FILE,
	DMA_REPORT_CONTAINER,
	DMA_REPORT_OTHER,
};

/**
 * struct dma_report_waiter - what is known about a callback
 * @kind: which of the others are set
 * @task: with a reference
 * @fence: container, with a reference
 * @ino: inode number of the buffer
 * @event: what is polled for
 * @func: function
 */
struct dma_report_waiter {
	enum dma_report_kind kind;
	union {
		struct task_struct *task;
		struct dma_fence *fence;
		struct {
			unsigned long ino;
			__poll_t event;
		};
		void *func;
	};
};

/**
 * struct dma_report_waiters - waiters of a fence
 * @count: number of waiters, at most %DMA_REPORT_COUNTED
 * @waiters: the first ones of them
 */
struct dma_report_waiters {
	unsigned int count;
	struct dma_report_waiter waiters[DMA_REPORT_WAITERS];
};

static struct dma_fence *dma_report_container(struct dma_fence_cb *cb)
{
	struct dma_fence *fence = dma_fence_array_of_cb(cb);

	return fence ?: dma_fence_chain_of_cb(cb);
}

/*
 * Called with the lock of the fence held and interrupts off, so it does not print. A
 * queued callback keeps the object that it will wake or signal; take a reference to
 * keep the object for longer.
 */
static void dma_report_decode(struct dma_fence_cb *cb,
			      struct dma_report_waiter *waiter)
{
	struct task_struct *task = dma_fence_sleeper_task(cb);
	struct dma_fence *container = dma_report_container(cb);
	struct dma_buf *dmabuf = dma_buf_of_poll_cb(cb, &waiter->event);

	if (task) {
		waiter->kind = DMA_REPORT_TASK;
		waiter->task = get_task_struct(task);
	} else if (container && dma_fence_get_rcu(container)) {
		waiter->kind = DMA_REPORT_CONTAINER;
		waiter->fence = container;
	} else if (dmabuf) {
		waiter->kind = DMA_REPORT_POLL;
		waiter->ino = file_inode(dmabuf->file)->i_ino;
	} else if (sync_file_is_poll_cb(cb)) {
		waiter->kind = DMA_REPORT_SYNC_FILE;
	} else {
		waiter->kind = DMA_REPORT_OTHER;
		waiter->func = cb->func;
	}
}

/*
 * The lock is valid as long as the fence is pending, and RCU keeps it after that. Once
 * the flag is set, the timestamp has taken the place of the list.
 */
static void dma_report_collect(struct dma_fence *fence,
			       struct dma_report_waiters *found)
{
	struct dma_fence_cb *cb;

	found->count = 0;

	guard(rcu)();

	if (dma_fence_signaled_flag(fence))
		return;

	guard(spinlock_irqsave)(fence->lock);

	if (dma_fence_signaled_flag(fence))
		return;

	list_for_each_entry(cb, &fence->cb_list, node) {
		if (found->count < DMA_REPORT_WAITERS)
			dma_report_decode(cb, &found->waiters[found->count]);
		if (++found->count == DMA_REPORT_COUNTED)
			break;
	}
}

static void dma_report_task(struct seq_file *m, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];

	seq_printf(m, "task tid=%d pid=%d", task_pid_nr(task),
		   task_tgid_nr(task));
	dma_report_string(m, "comm", get_task_comm(comm, task));
	put_task_struct(task);
}

static void dma_report_point(struct seq_file *m, struct dma_fence *fence)
{
	seq_printf(m, "container driver=\"%s\" point=%llu:%llu",
		   dma_fence_is_array(fence) ? "dma_fence_array" :
					       "dma_fence_chain",
		   fence->context, fence->seqno);
}

static void dma_report_waiter(struct seq_file *m, struct dma_report_waiter *waiter)
{
	switch (waiter->kind) {
	case DMA_REPORT_TASK:
		dma_report_task(m, waiter->task);
		break;
	case DMA_REPORT_POLL:
		seq_printf(m, "poll ino=%lu event=%s", waiter->ino,
			   waiter->event & EPOLLOUT ? "out" : "in");
		break;
	case DMA_REPORT_SYNC_FILE:
		seq_puts(m, "sync_file");
		break;
	case DMA_REPORT_CONTAINER:
		dma_report_point(m, waiter->fence);
		break;
	case DMA_REPORT_OTHER:
		seq_puts(m, "other");
		dma_report_symbol(m, "func", waiter->func);
		break;
	}
}

/*
 * Recursion ends at %DMA_REPORT_DEPTH, and when @room lines have been printed. Lines for
 * the waiters of one fence are not cut short by @room.
 */
static void dma_report_waiters(struct seq_file *m, struct dma_fence *fence,
			       unsigned int depth, int *room)
{
	struct dma_report_waiters found;
	unsigned int i, shown;

	dma_report_collect(fence, &found);
	shown = min(found.count, DMA_REPORT_WAITERS);
	*room -= shown;
	for (i = 0; i < shown; i++) {
		struct dma_report_waiter *waiter = &found.waiters[i];

		seq_printf(m, "%*s waiter kind=", depth, "");
		dma_report_waiter(m, waiter);
		seq_putc(m, '\n');
		if (waiter->kind != DMA_REPORT_CONTAINER)
			continue;
		if (depth < DMA_REPORT_DEPTH && *room > 0)
			dma_report_waiters(m, waiter->fence, depth + 1, room);
		dma_fence_put(waiter->fence);
	}
	if (found.count > shown)
		seq_printf(m, "%*s waiters more=%u\n", depth, "",
			   found.count - shown);
}

/*
 * Drop the line of a fence that signals meanwhile: the names in it may be substitutes
 * for those of a driver that could not be asked any more. Returns true for a line.
 */
static bool dma_report_fence_line(struct seq_file *m, struct dma_fence *fence,
				  enum dma_resv_usage usage, s64 quiet_ns)
{
	size_t begin = m->count;

	guard(rcu)();

	seq_printf(m, " fence usage=%s", dma_resv_usage_name(usage));
	dma_report_string(m, "driver", dma_fence_driver_name_rcu(fence));
	dma_report_string(m, "timeline", dma_fence_timeline_name_rcu(fence));
	seq_printf(m, " point=%llu:%llu state=%s asked=%d", fence->context,
		   fence->seqno, dma_report_state(fence),
		   dma_report_is_asked(fence));
	if (quiet_ns >= 0)
		dma_report_time(m, "quiet", quiet_ns);
	seq_putc(m, '\n');

	if (!dma_fence_signaled_flag(fence))
		return true;

	m->count = begin;
	return false;
}

/**
 * dma_report_fence() - print the lines of a fence, if it is pending
 * @m: file to print to
 * @fence: fence, with a reference
 * @usage: what it is used for
 * @quiet_ns: how long it has been used for that, at least, in nanoseconds; negative if
 *	that is not known
 *
 * Context: Process context. Takes &dma_fence.lock, not while it prints. Calls
 * &dma_fence_ops.signaled, signals nothing.
 */
void dma_report_fence(struct seq_file *m, struct dma_fence *fence,
		      enum dma_resv_usage usage, s64 quiet_ns)
{
	int room = DMA_REPORT_LINES;

	if (dma_report_fence_line(m, fence, usage, quiet_ns))
		dma_report_waiters(m, fence, 1, &room);
}
