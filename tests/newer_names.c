// SPDX-License-Identifier: GPL-2.0
/*
 * Names that kernels after 6.12 have, and that the headers of 6.12 must not have.
 *
 * A driver that is built for many kernels brings what an older one lacks, under
 * the name of the newer one. This file does the same with all such names. There
 * is nothing to run: it is a test that it compiles.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-heap.h>
#include <linux/dma-resv.h>
#include <linux/sync_file.h>
#include <trace/events/dma_fence.h>

#include <uapi/linux/dma-buf.h>
#include <uapi/linux/dma-heap.h>
#include <uapi/linux/sync_file.h>
#include <uapi/linux/udmabuf.h>

#include <linux/cleanup.h>

/* Any other declaration of the name is in conflict with this one, a macro as well. */
#define NEWER(name) static inline void __maybe_unused name(void) { }

NEWER(dma_fence_driver_name)
NEWER(dma_fence_timeline_name)
NEWER(dma_fence_init64)
NEWER(dma_fence_check_and_signal)
NEWER(dma_fence_check_and_signal_locked)
NEWER(dma_fence_test_signaled_flag)
NEWER(dma_fence_was_initialized)
NEWER(dma_fence_spinlock)
NEWER(dma_fence_lock_irqsave)
NEWER(dma_fence_unlock_irqrestore)
NEWER(dma_fence_assert_held)
NEWER(DMA_FENCE_MAX_REASONABLE_TIMEOUT)
NEWER(dma_fence_dedup_array)
NEWER(dma_fence_enable_signaling)
NEWER(dma_buf_iter_begin)
NEWER(dma_buf_iter_next)
NEWER(dma_buf_invalidate_mappings)
NEWER(dma_buf_attach_revocable)
NEWER(dma_buf_phys_vec_to_sgt)
NEWER(dma_buf_free_sgt)
NEWER(dma_buf_fd_install)
NEWER(mem_accounting)

/* A driver that uses these guards may also define functions of these names. */
DEFINE_GUARD(dma_resv, struct dma_resv *, dma_resv_lock(_T, NULL), dma_resv_unlock(_T))
DEFINE_FREE(dma_fence_put, struct dma_fence *, dma_fence_put(_T))
DEFINE_FREE(dma_buf_put, struct dma_buf *, if (!IS_ERR_OR_NULL(_T)) dma_buf_put(_T))
