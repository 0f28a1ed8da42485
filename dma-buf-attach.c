// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices on a buffer: attach, pin, map, and back, under the reservation lock.
 *
 * To change here: calls of the exporter for a device, and the table below, which says
 * when the core pins and maps. The contract of both sides is in linux/dma-buf.h.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-stamp.h"

#include <trace/events/dma_buf.h>

/*
 * The steps of the core for each kind of exporter and importer. Dynamic means: the
 * exporter may move the memory, or the importer can follow a move.
 *
 *	exporter  importer   at attach            at map     at unmap
 *	--------  --------   ------------------   --------   ----------
 *	static    static     -                    map        unmap
 *	static    dynamic    map, keep            -          -
 *	dynamic   static     pin, map, keep       -          -
 *	dynamic   dynamic    -                    pin, map   unmap, unpin
 *
 * Detaching undoes the kept mapping and its pin. With CONFIG_DMABUF_MOVE_NOTIFY the
 * core does not pin in the last line. In the first line, an exporter may ask the core
 * to keep the first mapping, too (&dma_buf_ops.cache_sgt_mapping).
 */

static bool dma_buf_keeps_mapping(struct dma_buf_attachment *attach)
{
	return dma_buf_is_dynamic(attach->dmabuf) !=
	       dma_buf_attachment_is_dynamic(attach);
}

static bool dma_buf_pins_on_map(struct dma_buf_attachment *attach)
{
	return !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) &&
	       dma_buf_is_dynamic(attach->dmabuf) &&
	       dma_buf_attachment_is_dynamic(attach);
}

static int dma_buf_pin_exporter(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;

	return ops->pin ? ops->pin(attach) : 0;
}

static void dma_buf_unpin_exporter(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;

	if (ops->unpin)
		ops->unpin(attach);
}

/**
 * struct dma_buf_debug_table - table for an importer with CONFIG_DMABUF_DEBUG
 * @table: copy with lengths and DMA addresses, but without pages, so that an
 *	importer that looks at them fails at once, and not just with certain
 *	exporters
 * @entries: number of entries allocated for @table
 * @original: the exporter's table
 */
struct dma_buf_debug_table {
	struct sg_table table;
	unsigned int entries;
	struct sg_table *original;
};

/*
 * The same numbers of entries for the CPU and of segments for DMA, so that the
 * lengths of either add up as they do in the original. An exporter without pages
 * may have no entries for the CPU.
 */
static void dma_buf_copy_table(struct sg_table *copy, struct sg_table *original,
			       unsigned int entries)
{
	struct scatterlist *dst = copy->sgl;
	struct scatterlist *src;
	unsigned int i;

	copy->nents = original->nents;
	copy->orig_nents = original->orig_nents;
	for_each_sg(original->sgl, src, entries, i) {
		dst->offset = src->offset;
		dst->length = src->length;
		sg_dma_address(dst) = sg_dma_address(src);
		sg_dma_len(dst) = sg_dma_len(src);
		if (sg_dma_is_bus_address(src))
			sg_dma_mark_bus_address(dst);
		dst = sg_next(dst);
	}
}

static struct sg_table *dma_buf_wrap_table(struct sg_table *original)
{
	unsigned int entries = max(original->orig_nents, original->nents);
	struct dma_buf_debug_table *debug;

	debug = kzalloc(sizeof(*debug), GFP_KERNEL);
	if (!debug)
		return ERR_PTR(-ENOMEM);

	debug->entries = max(entries, 1U);
	if (sg_alloc_table(&debug->table, debug->entries, GFP_KERNEL)) {
		kfree(debug);
		return ERR_PTR(-ENOMEM);
	}

	debug->original = original;
	dma_buf_copy_table(&debug->table, original, entries);

	return &debug->table;
}

static struct sg_table *dma_buf_unwrap_table(struct sg_table *sgt)
{
	struct dma_buf_debug_table *debug =
		container_of(sgt, struct dma_buf_debug_table, table);
	struct sg_table *original = debug->original;

	debug->table.orig_nents = debug->entries;
	sg_free_table(&debug->table);
	kfree(debug);

	return original;
}

/* With CONFIG_DMA_API_DEBUG: many importers rely on whole pages. */
static void dma_buf_debug_alignment(struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_DMA_API_DEBUG))
		return;

	for_each_sgtable_dma_sg(sgt, sg, i)
		if (!PAGE_ALIGNED(sg_dma_address(sg)) ||
		    !PAGE_ALIGNED(sg_dma_len(sg)))
			pr_debug("dma-buf: segment %u at %pad of %u bytes is not page aligned\n",
				 i, &sg_dma_address(sg), sg_dma_len(sg));
}

static struct sg_table *dma_buf_call_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir,
					 bool may_block)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;
	struct sg_table *sgt;

	if (may_block)
		sgt = ops->map_dma_buf(attach, dir);
	else
		sgt = ops->try_map_dma_buf(attach, dir);

	return sgt ?: ERR_PTR(-ENOMEM);
}

/* Wait on behalf of a static importer. A dynamic one waits for the fences itself. */
static int dma_buf_wait_for_memory(struct dma_buf_attachment *attach)
{
	long ret;

	if (dma_buf_attachment_is_dynamic(attach))
		return 0;

	ret = dma_resv_wait_timeout(attach->dmabuf->resv,
				    DMA_RESV_USAGE_KERNEL, true,
				    MAX_SCHEDULE_TIMEOUT);

	return min(ret, 0L);
}

/*
 * May the call of the exporter block? It may without &dma_buf_ops.try_map_dma_buf, and
 * so may any pin.
 *
 * The core checks this before it calls the exporter, so that a refusal leaves nothing
 * to undo. "No" stays true until the caller drops the reservation lock: fences are
 * added under that lock only, and a signalled fence stays signalled. The exporter adds
 * no fence for a static importer either: if the exporter is dynamic, a static importer
 * has a kept mapping, whose memory does not move.
 */
static bool dma_buf_map_might_block(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	if (!dmabuf->ops->try_map_dma_buf || dma_buf_pins_on_map(attach))
		return true;

	return !dma_buf_attachment_is_dynamic(attach) &&
	       !dma_resv_test_signaled(dmabuf->resv, DMA_RESV_USAGE_KERNEL);
}

/* Returns a table for the importer, never NULL. */
static struct sg_table *dma_buf_do_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir,
				       bool may_block)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;
	struct sg_table *sgt, *wrapped;
	int ret;

	sgt = dma_buf_call_map(attach, dir, may_block);
	if (IS_ERR(sgt))
		return sgt;

	ret = may_block ? dma_buf_wait_for_memory(attach) : 0;
	if (ret)
		goto err_unmap;

	dma_buf_debug_alignment(sgt);
	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		return sgt;

	wrapped = dma_buf_wrap_table(sgt);
	if (!IS_ERR(wrapped))
		return wrapped;
	ret = PTR_ERR(wrapped);

err_unmap:
	ops->unmap_dma_buf(attach, sgt, dir);
	return ERR_PTR(ret);
}

static void dma_buf_do_unmap(struct dma_buf_attachment *attach,
			     struct sg_table *sgt,
			     enum dma_data_direction dir)
{
	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		sgt = dma_buf_unwrap_table(sgt);

	attach->dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
}

/* Map until the device is detached, and keep the memory in place. */
static int dma_buf_map_and_keep(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	ret = dma_buf_pin_exporter(attach);
	if (ret)
		return ret;

	sgt = dma_buf_do_map(attach, DMA_BIDIRECTIONAL, true);
	if (IS_ERR(sgt)) {
		dma_buf_unpin_exporter(attach);
		return PTR_ERR(sgt);
	}

	attach->sgt = sgt;
	attach->dir = DMA_BIDIRECTIONAL;

	return 0;
}

static void dma_buf_drop_kept(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	if (!attach->sgt)
		return;

	dma_buf_do_unmap(attach, attach->sgt, attach->dir);
	attach->sgt = NULL;
	dma_buf_unpin_exporter(attach);
}

static void dma_buf_drop_attachment(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	scoped_guard(dma_resv, dmabuf->resv) {
		dma_buf_drop_kept(attach);
		list_del_init(&attach->node);
	}

	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);

	kfree(attach);
}

/**
 * dma_buf_detach() - remove a device from a buffer
 * @dmabuf: buffer
 * @attach: attachment, without mappings; it is freed
 *
 * If an argument is NULL, or @attach is not one of @dmabuf, it warns and does nothing.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON_ONCE(!dmabuf || !attach || dmabuf != attach->dmabuf))
		return;

	trace_dma_buf_detach(attach);
	dma_buf_drop_attachment(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_detach, DMA_BUF);

/* The exporter accepts or refuses the device before the attachment is on the list. */
static struct dma_buf_attachment *
dma_buf_new_attachment(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *ops, void *priv)
{
	struct dma_buf_attachment *attach;
	int ret;

	attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->dmabuf = dmabuf;
	attach->dev = dev;
	INIT_LIST_HEAD(&attach->node);
	attach->dir = DMA_NONE;
	attach->peer2peer = ops && ops->allow_peer2peer;
	attach->importer_ops = ops;
	attach->importer_priv = priv;

	if (!dmabuf->ops->attach)
		return attach;

	ret = dmabuf->ops->attach(dmabuf, attach);
	if (!ret)
		return attach;

	kfree(attach);
	return ERR_PTR(ret);
}

static bool dma_buf_can_move(const struct dma_buf_attach_ops *ops)
{
	return ops->__invalidate_mappings || ops->move_notify;
}

static struct dma_buf_attachment *
dma_buf_do_attach(struct dma_buf *dmabuf, struct device *dev,
		  const struct dma_buf_attach_ops *ops, void *priv,
		  unsigned long caller)
{
	struct dma_buf_attachment *attach;
	int ret = 0;

	if (WARN_ON_ONCE(!dmabuf || !dev || (ops && !dma_buf_can_move(ops))))
		return ERR_PTR(-EINVAL);

	attach = dma_buf_new_attachment(dmabuf, dev, ops, priv);
	if (IS_ERR(attach))
		return attach;

	dma_buf_stamp_attachment(attach, caller);
	scoped_guard(dma_resv, dmabuf->resv) {
		list_add(&attach->node, &dmabuf->attachments);
		if (dma_buf_keeps_mapping(attach))
			ret = dma_buf_map_and_keep(attach);
	}

	if (ret) {
		dma_buf_drop_attachment(attach);
		return ERR_PTR(ret);
	}

	trace_dma_buf_dynamic_attach(attach);

	return attach;
}

/**
 * dma_buf_dynamic_attach() - attach a device that can follow moves of the memory
 * @dmabuf: buffer; stays referenced by the caller until dma_buf_detach()
 * @dev: device
 * @ops: operations to call when the memory moves, or NULL for an importer
 *	that needs it to stay
 * @priv: initial &dma_buf_attachment.importer_priv
 *
 * If one side is dynamic and the other is not, the core pins the memory of a dynamic
 * exporter, maps it now, and keeps the mapping until dma_buf_detach().
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: attachment, or
 *
 * * %-EINVAL - @dmabuf or @dev is NULL, or @ops has neither
 *   &dma_buf_attach_ops.move_notify nor &dma_buf_attach_ops.__invalidate_mappings;
 *   comes with a warning
 * * %-ENOMEM - out of memory
 * * %-ERESTARTSYS - interrupted while the memory was being moved
 * * other errno - from the exporter, or from &dma_fence_ops.wait
 */
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *ops, void *priv)
{
	return dma_buf_do_attach(dmabuf, dev, ops, priv, _RET_IP_);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_dynamic_attach, DMA_BUF);

/**
 * dma_buf_attach() - attach a device that needs the memory to stay
 * @dmabuf: buffer; stays referenced by the caller until dma_buf_detach()
 * @dev: device
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: attachment, or an ERR_PTR() as from dma_buf_dynamic_attach().
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev)
{
	return dma_buf_do_attach(dmabuf, dev, NULL, NULL, _RET_IP_);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach, DMA_BUF);

static void dma_buf_check_pin(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	WARN_ON_ONCE(!dma_buf_attachment_is_dynamic(attach));
}

/**
 * dma_buf_pin() - keep the memory where it is
 * @attach: attachment of a dynamic importer; for a static one this warns, as its
 *	memory stays anyway
 *
 * For uses that cannot follow the memory, such as scanout. Counts.
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 * Return: 0, also if the exporter never moves the memory, or its errno.
 */
int dma_buf_pin(struct dma_buf_attachment *attach)
{
	int ret;

	dma_buf_check_pin(attach);

	ret = dma_buf_pin_exporter(attach);
	if (ret)
		return ret;

	dma_buf_count_pin(attach, 1);
	trace_dma_buf_pin(attach);

	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_pin, DMA_BUF);

/**
 * dma_buf_unpin() - let the memory move again
 * @attach: attachment, after dma_buf_pin()
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 */
void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	dma_buf_check_pin(attach);

	trace_dma_buf_unpin(attach);
	dma_buf_unpin_exporter(attach);
	dma_buf_count_pin(attach, -1);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unpin, DMA_BUF);

static struct sg_table *dma_buf_get_kept(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	if (attach->dir != dir && attach->dir != DMA_BIDIRECTIONAL)
		return ERR_PTR(-EBUSY);

	return attach->sgt;
}

/* Map, and pin before that if nothing else keeps the memory in place. */
static struct sg_table *dma_buf_pin_and_map(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir,
					    bool may_block)
{
	struct sg_table *sgt;
	int ret;

	if (!dma_buf_pins_on_map(attach))
		return dma_buf_do_map(attach, dir, may_block);

	ret = dma_buf_pin_exporter(attach);
	if (ret)
		return ERR_PTR(ret);

	sgt = dma_buf_do_map(attach, dir, may_block);
	if (IS_ERR(sgt))
		dma_buf_unpin_exporter(attach);

	return sgt;
}

static struct sg_table *dma_buf_map_locked(struct dma_buf_attachment *attach,
					   enum dma_data_direction dir,
					   bool may_block)
{
	struct sg_table *sgt;

	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf))
		return ERR_PTR(-EINVAL);

	dma_resv_assert_held(attach->dmabuf->resv);

	if (attach->sgt)
		return dma_buf_get_kept(attach, dir);

	if (!may_block && dma_buf_map_might_block(attach))
		return ERR_PTR(-EBUSY);

	sgt = dma_buf_pin_and_map(attach, dir, may_block);
	if (IS_ERR(sgt))
		return sgt;

	if (attach->dmabuf->ops->cache_sgt_mapping) {
		attach->sgt = sgt;
		attach->dir = dir;
	} else {
		dma_buf_count_map(attach, 1);
	}

	return sgt;
}

static struct sg_table *dma_buf_map_traced(struct dma_buf_attachment *attach,
					   enum dma_data_direction dir,
					   bool may_block)
{
	struct sg_table *sgt = dma_buf_map_locked(attach, dir, may_block);

	if (!IS_ERR(sgt))
		trace_dma_buf_map(attach, dir);

	return sgt;
}

/**
 * dma_buf_map_attachment() - get DMA addresses of a buffer
 * @attach: attachment of the device
 * @dir: what the device does with the memory
 *
 * The entries have DMA addresses and lengths, and nothing else: there need be no
 * pages behind them. Use for_each_sgtable_dma_sg(). Addresses and lengths are
 * whole pages. The table belongs to the caller until dma_buf_unmap_attachment(); a
 * kept one (see &dma_buf_ops.cache_sgt_mapping) is shared by all callers that map the
 * same attachment.
 *
 * For a static importer the core waits until a move of the memory is done; a dynamic
 * one waits for the fences of %DMA_RESV_USAGE_KERNEL itself.
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 * Return: table, or
 *
 * * %-EINVAL - @attach is NULL; comes with a warning
 * * %-EBUSY - mapped for another direction already, and that mapping is kept
 * * %-ENOMEM - out of memory
 * * %-ERESTARTSYS - interrupted while the memory was being moved
 * * other errno - from the exporter, or from &dma_fence_ops.wait
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	return dma_buf_map_traced(attach, dir, true);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment, DMA_BUF);

/**
 * dma_buf_try_map_attachment() - get DMA addresses without waiting
 * @attach: attachment of the device
 * @dir: what the device does with the memory
 *
 * For importers that have other work to do instead of waiting. Like
 * dma_buf_map_attachment(), and undone by dma_buf_unmap_attachment() as well, except
 * that it waits neither for a move of the memory nor for a fence. Returns a kept
 * mapping at once.
 *
 * It may sleep to allocate memory, and reclaim may wait for fences. So do not call it
 * between dma_fence_begin_signalling() and dma_fence_end_signalling().
 *
 * Without %CONFIG_DMABUF_MOVE_NOTIFY, mapping memory of a dynamic exporter for a
 * dynamic importer includes a pin, which may move the memory. So it always returns
 * -EBUSY there.
 *
 * Context: Process context, may sleep to allocate. Caller holds &dma_buf.resv.
 * Return: table, or an ERR_PTR(), with nothing changed
 *
 * * %-EINVAL - @attach is NULL; comes with a warning
 * * %-EBUSY - it might have to wait: the exporter does not implement
 *   &dma_buf_ops.try_map_dma_buf, or says so there; the importer is static and a
 *   fence of %DMA_RESV_USAGE_KERNEL is pending; the memory would have to be
 *   pinned
 * * %-EBUSY - mapped for another direction already, and that mapping is kept
 * * %-ENOMEM - out of memory
 * * other errno - from the exporter
 */
struct sg_table *dma_buf_try_map_attachment(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir)
{
	return dma_buf_map_traced(attach, dir, false);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_try_map_attachment, DMA_BUF);

/**
 * dma_buf_map_attachment_unlocked() - dma_buf_map_attachment() that locks
 * @attach: attachment of the device
 * @dir: what the device does with the memory
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: as dma_buf_map_attachment().
 */
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	if (WARN_ON_ONCE(!attach || !attach->dmabuf))
		return ERR_PTR(-EINVAL);

	guard(dma_resv)(attach->dmabuf->resv);

	return dma_buf_map_attachment(attach, dir);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment_unlocked, DMA_BUF);

/**
 * dma_buf_unmap_attachment() - undo dma_buf_map_attachment()
 * @attach: attachment of the device
 * @sgt: what dma_buf_map_attachment() has returned
 * @dir: direction that it was mapped for
 *
 * Does nothing for a kept mapping. Warns if an argument is NULL.
 *
 * Context: Process context, may sleep. Caller holds &dma_buf.resv.
 */
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !sgt))
		return;

	dma_resv_assert_held(attach->dmabuf->resv);
	trace_dma_buf_unmap(attach, dir);

	if (attach->sgt == sgt)
		return;

	dma_buf_do_unmap(attach, sgt, dir);
	dma_buf_count_map(attach, -1);
	if (dma_buf_pins_on_map(attach))
		dma_buf_unpin_exporter(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment, DMA_BUF);

/**
 * dma_buf_unmap_attachment_unlocked() - dma_buf_unmap_attachment() that locks
 * @attach: attachment of the device
 * @sgt: what dma_buf_map_attachment_unlocked() has returned
 * @dir: direction that it was mapped for
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 */
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !sgt))
		return;

	guard(dma_resv)(attach->dmabuf->resv);

	dma_buf_unmap_attachment(attach, sgt, dir);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment_unlocked, DMA_BUF);

/* Prefer the member that only importers for newer kernels set. */
static void dma_buf_notify_move(struct dma_buf_attachment *attach)
{
	const struct dma_buf_attach_ops *ops = attach->importer_ops;

	if (ops->__invalidate_mappings)
		ops->__invalidate_mappings(attach);
	else
		ops->move_notify(attach);
}

/**
 * dma_buf_move_notify() - tell importers that the memory is going to move
 * @dmabuf: buffer, not pinned
 *
 * For dynamic exporters. Importers unmap later, on their own; the old place is unused
 * when their fences in &dma_buf.resv have signalled.
 *
 * Context: Process context. Caller holds &dma_buf.resv.
 */
void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dmabuf->resv);
	trace_dma_buf_move_notify(dmabuf);

	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (dma_buf_attachment_is_dynamic(attach))
			dma_buf_notify_move(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_move_notify, DMA_BUF);
