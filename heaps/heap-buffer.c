// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of ordinary, cached memory: life, devices, coherency. To change here: the
 * common part of all heaps. A heap allocates and frees the pages; heap-map.c maps them
 * for the kernel, heap-mmap.c for user space.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "../dma-buf-mappings.h"
#include "heap-buffer.h"

/* Tables */

static unsigned int heap_runs_count_segs(const struct sg_table *runs,
					 unsigned int max_seg)
{
	struct scatterlist *sg;
	unsigned int i, count = 0;

	/* Not DIV_ROUND_UP(), which would overflow. */
	for_each_sgtable_sg(runs, sg, i)
		count += (sg->length - 1) / max_seg + 1;

	return count;
}

/**
 * heap_runs_copy() - make a table for a device
 * @runs: pages
 * @max_seg: longest segment that the device can do, in bytes
 * @copy: uninitialised table
 *
 * Segments are whole pages, even for a device that wants shorter ones.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int heap_runs_copy(const struct sg_table *runs, unsigned int max_seg,
		   struct sg_table *copy)
{
	struct scatterlist *from, *to;
	unsigned int i, pos, len;
	int ret;

	max_seg = max_t(unsigned int, round_down(max_seg, PAGE_SIZE), PAGE_SIZE);
	ret = sg_alloc_table(copy, heap_runs_count_segs(runs, max_seg),
			     HEAP_GFP_TABLE);
	if (ret)
		return ret;

	to = copy->sgl;
	for_each_sgtable_sg(runs, from, i) {
		for (pos = 0; pos < from->length; pos += len) {
			len = min(from->length - pos, max_seg);
			sg_set_page(to, nth_page(sg_page(from), pos >> PAGE_SHIFT),
				    len, 0);
			to = sg_next(to);
		}
	}

	return 0;
}

/* Life of a buffer */

/**
 * heap_buffer_create() - allocate a buffer without pages
 * @heap: where its pages will come from
 * @len: bytes, whole pages
 *
 * Return: buffer, or NULL.
 */
struct heap_buffer *heap_buffer_create(struct dma_heap *heap, unsigned long len)
{
	struct heap_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;

	buffer->heap = heap;
	buffer->len = len;
	INIT_LIST_HEAD(&buffer->mappings);

	return buffer;
}

/**
 * heap_buffer_destroy() - free a buffer whose pages are gone
 * @buffer: buffer without mappings
 */
void heap_buffer_destroy(struct heap_buffer *buffer)
{
	kvfree(buffer->places);
	sg_free_table(&buffer->runs);
	kfree(buffer);
}

/* Devices */

/*
 * Contiguous memory is for devices that need one segment. So limit the length of a
 * segment only for devices that have set a limit, not by the default of the others.
 */
static unsigned int heap_buffer_max_segment(struct heap_buffer *buffer,
					    struct device *dev)
{
	bool declared = dev->dma_parms && dev->dma_parms->max_segment_size;

	if (buffer->memory->one_piece && !declared)
		return min_t(size_t, dma_max_mapping_size(dev), UINT_MAX);

	return dma_buf_max_segment(dev);
}

static int heap_buffer_attach(struct dma_buf *dmabuf,
			      struct dma_buf_attachment *attach)
{
	struct heap_buffer *buffer = dmabuf->priv;
	struct dma_buf_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;

	ret = heap_runs_copy(&buffer->runs,
			     heap_buffer_max_segment(buffer, attach->dev),
			     &mapping->table);
	if (ret) {
		kfree(mapping);
		return ret;
	}

	mapping->dev = attach->dev;
	attach->priv = mapping;

	return 0;
}

static void heap_buffer_detach(struct dma_buf *dmabuf,
			       struct dma_buf_attachment *attach)
{
	struct dma_buf_mapping *mapping = attach->priv;

	sg_free_table(&mapping->table);
	kfree(mapping);
}

/* The memory never moves, and this takes no lock, so a map never waits. */
static struct sg_table *heap_buffer_map(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct dma_buf_mapping *mapping = attach->priv;
	int ret;

	ret = dma_buf_mapping_add(attach->dmabuf, mapping, &buffer->mappings, dir);

	return ret ? ERR_PTR(ret) : &mapping->table;
}

static void heap_buffer_unmap(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	dma_buf_mapping_del(attach->dmabuf, attach->priv);
}

/* CPU */

int heap_buffer_begin_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	ret = dma_buf_lock_idle(dmabuf, dir);
	if (ret)
		return ret;

	if (buffer->area)
		invalidate_kernel_vmap_range(buffer->vaddr, buffer->len);
	dma_buf_mappings_to_cpu(dmabuf, &buffer->mappings, dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

int heap_buffer_end_cpu_access(struct dma_buf *dmabuf,
			       enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;
	int ret;

	ret = dma_buf_lock_interruptible(dmabuf);
	if (ret)
		return ret;

	if (buffer->area)
		flush_kernel_vmap_range(buffer->vaddr, buffer->len);
	dma_buf_mappings_to_devices(dmabuf, &buffer->mappings, dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

static void heap_buffer_release(struct dma_buf *dmabuf)
{
	struct heap_buffer *buffer = dmabuf->priv;

	/* An importer has not unmapped; the core has warned. */
	if (unlikely(buffer->vaddr))
		heap_buffer_unmap_kernel(buffer);
	buffer->memory->empty(buffer);
	heap_buffer_destroy(buffer);
}

static const struct dma_buf_ops heap_buffer_ops = {
	.attach = heap_buffer_attach,
	.detach = heap_buffer_detach,
	.map_dma_buf = heap_buffer_map,
	.try_map_dma_buf = heap_buffer_map,
	.unmap_dma_buf = heap_buffer_unmap,
	.begin_cpu_access = heap_buffer_begin_cpu_access,
	.end_cpu_access = heap_buffer_end_cpu_access,
	.mmap = heap_buffer_mmap,
	.vmap = heap_buffer_vmap,
	.vunmap = heap_buffer_vunmap,
	.release = heap_buffer_release,
};

static struct dma_buf *heap_buffer_export(struct heap_buffer *buffer,
					  u32 fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);

	exp_info.exp_name = dma_heap_get_name(buffer->heap);
	exp_info.ops = &heap_buffer_ops;
	exp_info.size = buffer->len;
	exp_info.flags = fd_flags;
	exp_info.priv = buffer;

	return dma_buf_export(&exp_info);
}

/**
 * heap_buffer_allocate() - the work of &dma_heap_ops.allocate
 * @heap: heap
 * @len: bytes, whole pages
 * @fd_flags: access mode of the file
 * @memory: how pages come and go
 *
 * Context: Process context, may sleep.
 * Return: buffer with one reference, or ERR_PTR: -ENOMEM, or the errno of
 * &heap_memory.fill or dma_buf_export().
 */
struct dma_buf *heap_buffer_allocate(struct dma_heap *heap, unsigned long len,
				     u32 fd_flags,
				     const struct heap_memory *memory)
{
	struct heap_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	buffer = heap_buffer_create(heap, len);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->memory = memory;

	ret = memory->fill(buffer);
	if (ret)
		goto err_destroy;

	ret = heap_buffer_index(buffer);
	if (ret)
		goto err_empty;

	dmabuf = heap_buffer_export(buffer, fd_flags);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto err_empty;
	}

	return dmabuf;

err_empty:
	memory->empty(buffer);
err_destroy:
	heap_buffer_destroy(buffer);
	return ERR_PTR(ret);
}
