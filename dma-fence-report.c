// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dma_buf/report in debugfs says about a fence.
 *
 * To look must not change anything: a fence whose interrupt was lost is signalled
 * by whoever asks with dma_fence_is_signaled(), and then there is nothing to be
 * found any more. So what counts is the flag, and if the driver is asked, nobody
 * acts upon what it says.
 */

#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "dma-buf-report.h"
#include "dma-fence-internal.h"
#include "dma-resv-internal.h"

/*
 * Does the driver of a fence whose flag is not set say that the work is over? A
 * container is not asked, since it would pass the question on to its members by
 * dma_fence_is_signaled(). In an RCU read-side critical section, as the driver may
 * go after the signal.
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

/**
 * dma_report_fence() - print the line of a fence, if it is pending
 * @m: file to print to
 * @fence: fence, with a reference
 * @usage: what it is used for
 *
 * A fence that signals meanwhile has no line: what was printed so far may be in
 * place of a driver that could not be asked any more.
 *
 * Context: Any. Calls &dma_fence_ops.signaled, signals nothing.
 */
void dma_report_fence(struct seq_file *m, struct dma_fence *fence,
		      enum dma_resv_usage usage)
{
	size_t begin = m->count;

	guard(rcu)();

	seq_printf(m, " fence usage=%s", dma_resv_usage_name(usage));
	dma_report_string(m, "driver", dma_fence_driver_name_rcu(fence));
	dma_report_string(m, "timeline", dma_fence_timeline_name_rcu(fence));
	seq_printf(m, " point=%llu:%llu state=%s asked=%d\n", fence->context,
		   fence->seqno, dma_report_state(fence),
		   dma_report_is_asked(fence));

	if (dma_fence_signaled_flag(fence))
		m->count = begin;
}
