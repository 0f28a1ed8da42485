/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scope-based clean-up of fences and reservation locks, for the files
 * of this directory.
 *
 * Not in the public headers: drivers that bring such classes of their own would
 * not compile any more.
 */

#ifndef _DMA_BUF_CLEANUP_H
#define _DMA_BUF_CLEANUP_H

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>

DEFINE_FREE(dma_fence_put, struct dma_fence *,
	    dma_fence_put(IS_ERR(_T) ? NULL : _T))

/* For locking without an acquire context; with one, locking can fail. */
DEFINE_GUARD(dma_resv, struct dma_resv *, dma_resv_lock(_T, NULL),
	     dma_resv_unlock(_T))

#endif /* _DMA_BUF_CLEANUP_H */
