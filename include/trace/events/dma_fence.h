/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dma_fence

#if !defined(_TRACE_DMA_FENCE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DMA_FENCE_H

#include <linux/dma-fence.h>
#include <linux/tracepoint.h>

/*
 * All events tell which fence, nothing else; fields and format are ABI. Names are
 * read by functions of the core, in the handler, which is an RCU read-side
 * critical section.
 */
#define DMA_FENCE_EVENT_CLASS(name, driver_name, timeline_name)		\
DECLARE_EVENT_CLASS(name,						\
									\
	TP_PROTO(struct dma_fence *fence),				\
									\
	TP_ARGS(fence),							\
									\
	TP_STRUCT__entry(						\
		__string(driver, driver_name(fence))			\
		__string(timeline, timeline_name(fence))		\
		__field(unsigned int, context)				\
		__field(unsigned int, seqno)				\
	),								\
									\
	TP_fast_assign(							\
		__assign_str(driver);					\
		__assign_str(timeline);					\
		__entry->context = lower_32_bits(fence->context);	\
		__entry->seqno = lower_32_bits(fence->seqno);		\
	),								\
									\
	TP_printk("driver=%s timeline=%s context=%u seqno=%u",		\
		  __get_str(driver), __get_str(timeline),		\
		  __entry->context, __entry->seqno)			\
)

DMA_FENCE_EVENT_CLASS(dma_fence, dma_fence_driver_name_rcu,
		      dma_fence_timeline_name_rcu);

/* Under the lock of the fence the driver that signals it is there. */
DMA_FENCE_EVENT_CLASS(dma_fence_locked, dma_fence_ask_driver_name,
		      dma_fence_ask_timeline_name);

#define DEFINE_DMA_FENCE_EVENT(name)		\
DEFINE_EVENT(dma_fence, name,			\
	     TP_PROTO(struct dma_fence *fence),	\
	     TP_ARGS(fence))

DEFINE_DMA_FENCE_EVENT(dma_fence_init);
DEFINE_DMA_FENCE_EVENT(dma_fence_destroy);
DEFINE_DMA_FENCE_EVENT(dma_fence_enable_signal);
DEFINE_DMA_FENCE_EVENT(dma_fence_wait_start);
DEFINE_DMA_FENCE_EVENT(dma_fence_wait_end);

/* For drivers, when they hand a job to the hardware. */
DEFINE_DMA_FENCE_EVENT(dma_fence_emit);

DEFINE_EVENT(dma_fence_locked, dma_fence_signaled,
	     TP_PROTO(struct dma_fence *fence),
	     TP_ARGS(fence));

#undef DEFINE_DMA_FENCE_EVENT
#undef DMA_FENCE_EVENT_CLASS

#endif /* _TRACE_DMA_FENCE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
