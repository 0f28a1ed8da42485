/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that kernels after 6.12 have, for drivers written for those.
 *
 * No other header includes this one, since many drivers bring these names themselves
 * where the kernel is old. A driver that wants them includes it, or is built with
 * ccflags-y += -include linux/dma-buf-newer.h. Other names cannot be had on 6.12:
 * see "Names of Newer Kernels" in Documentation/driver-api/dma-buf.rst.
 */

#ifndef __DMA_BUF_NEWER_H__
#define __DMA_BUF_NEWER_H__

#include <linux/bitops.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

const char *dma_fence_driver_name_rcu(struct dma_fence *fence);
const char *dma_fence_timeline_name_rcu(struct dma_fence *fence);
unsigned int dma_fence_keep_latest(struct dma_fence **fences,
				   unsigned int num_fences);
void dma_buf_install_fd(struct dma_buf *dmabuf, int fd);

/* Longest time until a driver should signal a fence, in jiffies. */
#define DMA_FENCE_MAX_REASONABLE_TIMEOUT	(2 * HZ)

/* In &dma_fence.flags: the sequence number counts in 64 bits. */
#define DMA_FENCE_FLAG_SEQNO64_BIT		__DMA_FENCE_64BIT_SEQNO_BIT

/**
 * dma_fence_init64() - dma_fence_init() for sequence numbers of 64 bits
 * @fence: memory, which may be anything
 * @ops: operations; &dma_fence_ops.use_64bit_seqno need not be set
 * @lock: lock to use
 * @context: timeline
 * @seqno: position on the timeline
 *
 * All functions that take such fences compare them in 64 bits. __dma_fence_is_later()
 * takes operations instead of fences, and does not.
 *
 * Context: Any. Does not take @lock.
 */
static inline void dma_fence_init64(struct dma_fence *fence,
				    const struct dma_fence_ops *ops,
				    spinlock_t *lock, u64 context, u64 seqno)
{
	dma_fence_init(fence, ops, lock, context, seqno);
	set_bit(DMA_FENCE_FLAG_SEQNO64_BIT, &fence->flags);
}

/**
 * dma_fence_was_initialized() - has the memory become a fence?
 * @fence: memory that was zero before dma_fence_init(), or NULL
 *
 * Context: Any.
 * Return: true after dma_fence_init() or dma_fence_init64().
 */
static inline bool dma_fence_was_initialized(struct dma_fence *fence)
{
	return fence && fence->ops;
}

/**
 * dma_fence_test_signaled_flag() - is the signalled flag set?
 * @fence: fence
 *
 * Asks no driver and signals nothing, unlike dma_fence_is_signaled().
 *
 * Context: Any.
 * Return: true once @fence has signalled.
 */
static inline bool dma_fence_test_signaled_flag(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * dma_fence_check_and_signal_locked() - signal, and return the state before
 * @fence: fence
 *
 * Context: Any. Caller holds &dma_fence.lock.
 * Return: false if this call has signalled @fence; true if it had signalled
 * before.
 */
static inline bool dma_fence_check_and_signal_locked(struct dma_fence *fence)
{
	return dma_fence_signal_locked(fence) != 0;
}

/**
 * dma_fence_check_and_signal() - signal, and return the state before
 * @fence: fence, or NULL
 *
 * Context: Any. Takes &dma_fence.lock.
 * Return: as dma_fence_check_and_signal_locked(); true for NULL.
 */
static inline bool dma_fence_check_and_signal(struct dma_fence *fence)
{
	return dma_fence_signal(fence) != 0;
}

/**
 * dma_fence_enable_signaling() - dma_fence_enable_sw_signaling() by its newer name
 * @fence: fence
 *
 * Context: Any. Takes &dma_fence.lock.
 */
static inline void dma_fence_enable_signaling(struct dma_fence *fence)
{
	dma_fence_enable_sw_signaling(fence);
}

/**
 * dma_fence_driver_name() - name of the driver, as long as that can be asked
 * @fence: fence
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: string, valid until the end of that section: "detached-driver" if
 * @fence has signalled, unless its operations are a part of the core.
 */
static inline const char __rcu *dma_fence_driver_name(struct dma_fence *fence)
{
	return (const char __force __rcu *)dma_fence_driver_name_rcu(fence);
}

/**
 * dma_fence_timeline_name() - name of the timeline, as long as that can be asked
 * @fence: fence
 *
 * Context: Any, in an RCU read-side critical section.
 * Return: string, valid until the end of that section: "signaled-timeline" if
 * @fence has signalled, unless its operations are a part of the core.
 */
static inline const char __rcu *dma_fence_timeline_name(struct dma_fence *fence)
{
	return (const char __force __rcu *)dma_fence_timeline_name_rcu(fence);
}

/**
 * dma_fence_dedup_array() - keep the latest fence of each context
 * @fences: fences, each with a reference that belongs to the array
 * @num_fences: number of @fences; 0 or less is none
 *
 * The others lose their references. The fences that are left stand at the beginning of
 * @fences, sorted by context.
 *
 * Context: Any, as for dma_fence_put().
 * Return: number of fences that are left, 0 of none.
 */
static inline int dma_fence_dedup_array(struct dma_fence **fences,
					int num_fences)
{
	return num_fences > 0 ? dma_fence_keep_latest(fences, num_fences) : 0;
}

/**
 * dma_buf_fd_install() - let a descriptor refer to a buffer
 * @dmabuf: buffer; the caller's reference belongs to the descriptor
 * @fd: what get_unused_fd_flags() has returned
 *
 * For the end of an ioctl that has told @fd to user space already. Cannot fail.
 *
 * Context: Process context of the task that gets the descriptor.
 */
static inline void dma_buf_fd_install(struct dma_buf *dmabuf, int fd)
{
	dma_buf_install_fd(dmabuf, fd);
}

/*
 * Newer kernels have one callback for moves and for revocation. A function that an
 * importer gives under this name also ends its accesses when an exporter revokes a buffer that is
 * pinned; &dma_buf_attach_ops.move_notify of importers for 6.12 need not do so.
 */
#define invalidate_mappings	__invalidate_mappings

/**
 * dma_buf_invalidate_mappings() - dma_buf_move_notify() by its newer name
 * @dmabuf: buffer
 *
 * To take the memory away, an exporter calls it, waits for all fences of
 * &dma_buf.resv, unlocks that, and waits until all importers have unmapped.
 *
 * Context: Process context. Caller holds &dma_buf.resv.
 */
static inline void dma_buf_invalidate_mappings(struct dma_buf *dmabuf)
{
	dma_buf_move_notify(dmabuf);
}

/**
 * dma_buf_attach_revocable() - does the importer release memory that it has pinned?
 * @attach: attachment
 *
 * Importers that are written for 6.12 do not, whatever they have as
 * &dma_buf_attach_ops.move_notify: some of them have one that does nothing.
 *
 * Context: Any.
 * Return: true if the importer has given invalidate_mappings.
 */
static inline bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return attach->importer_ops &&
	       attach->importer_ops->__invalidate_mappings;
}

#endif /* __DMA_BUF_NEWER_H__ */
