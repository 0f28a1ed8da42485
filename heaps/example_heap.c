// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example of a heap in a module: /dev/dma_heap/example, with small contiguous buffers
 * of the page allocator.
 *
 * It shows all that a heap needs. A heap of a vendor differs in the memory:
 * example_alloc() and example_release() are the places for it.
 */

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define EXAMPLE_MAX	SZ_1M

/**
 * struct example_buffer - memory of a buffer, &dma_buf.priv
 * @vaddr: its pages, which are contiguous
 * @size: bytes, whole pages
 */
struct example_buffer {
	void *vaddr;
	size_t size;
};

/**
 * struct example_mapping - a device, &dma_buf_attachment.priv
 * @table: the pages
 * @dir: direction of the mapping, %DMA_NONE if there is none; guarded by &dma_buf.resv
 */
struct example_mapping {
	struct sg_table table;
	enum dma_data_direction dir;
};

static int example_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct example_buffer *buffer = dmabuf->priv;
	struct example_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return -ENOMEM;

	ret = sg_alloc_table(&mapping->table, 1, GFP_KERNEL);
	if (ret) {
		kfree(mapping);
		return ret;
	}

	sg_set_buf(mapping->table.sgl, buffer->vaddr, buffer->size);
	mapping->dir = DMA_NONE;
	attach->priv = mapping;

	return 0;
}

static void example_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct example_mapping *mapping = attach->priv;

	sg_free_table(&mapping->table);
	kfree(mapping);
}

static struct sg_table *example_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct example_mapping *mapping = attach->priv;
	int ret = dma_map_sgtable(attach->dev, &mapping->table, dir, 0);

	if (ret)
		return ERR_PTR(ret);

	mapping->dir = dir;

	return &mapping->table;
}

static void example_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			  enum dma_data_direction dir)
{
	struct example_mapping *mapping = attach->priv;

	mapping->dir = DMA_NONE;
	dma_unmap_sgtable(attach->dev, table, dir, 0);
}

/* The memory is cached: pass it on, in the direction of each mapping that there is. */
static int example_sync(struct dma_buf *dmabuf, bool for_cpu)
{
	struct dma_buf_attachment *attach;
	struct example_mapping *mapping;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	list_for_each_entry(attach, &dmabuf->attachments, node) {
		mapping = attach->priv;
		if (mapping->dir == DMA_NONE)
			continue;
		if (for_cpu)
			dma_sync_sgtable_for_cpu(attach->dev, &mapping->table, mapping->dir);
		else
			dma_sync_sgtable_for_device(attach->dev, &mapping->table,
						    mapping->dir);
	}
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

/* Writes of devices are made visible once their fences have signalled. */
static int example_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(dir != DMA_FROM_DEVICE),
				    true, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : example_sync(dmabuf, true);
}

static int example_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return example_sync(dmabuf, false);
}

static int example_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct example_buffer *buffer = dmabuf->priv;
	unsigned long pfn = PHYS_PFN(virt_to_phys(buffer->vaddr)) + vma->vm_pgoff;

	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	return remap_pfn_range(vma, vma->vm_start, pfn, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot);
}

static int example_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct example_buffer *buffer = dmabuf->priv;

	iosys_map_set_vaddr(map, buffer->vaddr);

	return 0;
}

static void example_release(struct dma_buf *dmabuf)
{
	struct example_buffer *buffer = dmabuf->priv;

	free_pages_exact(buffer->vaddr, buffer->size);
	kfree(buffer);
}

static const struct dma_buf_ops example_buf_ops = {
	.attach = example_attach,
	.detach = example_detach,
	.map_dma_buf = example_map,
	.unmap_dma_buf = example_unmap,
	.begin_cpu_access = example_begin_cpu_access,
	.end_cpu_access = example_end_cpu_access,
	.mmap = example_mmap,
	.vmap = example_vmap,
	.release = example_release,
};

static struct example_buffer *example_alloc(size_t size)
{
	struct example_buffer *buffer;

	if (size > EXAMPLE_MAX)
		return NULL;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return NULL;

	buffer->size = size;
	/* User space will see it, so it is cleared. */
	buffer->vaddr = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!buffer->vaddr) {
		kfree(buffer);
		return NULL;
	}

	return buffer;
}

static struct dma_buf *example_allocate(struct dma_heap *heap, unsigned long len,
					u32 fd_flags, u64 heap_flags)
{
	struct example_buffer *buffer = example_alloc(len);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!buffer)
		return ERR_PTR(-ENOMEM);

	info.exp_name = dma_heap_get_name(heap);
	info.ops = &example_buf_ops;
	info.size = len;
	info.flags = fd_flags;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		free_pages_exact(buffer->vaddr, len);
		kfree(buffer);
	}

	return dmabuf;
}

static const struct dma_heap_ops example_heap_ops = {
	.allocate = example_allocate,
};

/* Heaps stay for ever, so there is no module_exit(). */
static int __init example_heap_init(void)
{
	static const struct dma_heap_export_info info = {
		.name = "example",
		.ops = &example_heap_ops,
	};

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(example_heap_init);

MODULE_IMPORT_NS(DMA_BUF);
MODULE_IMPORT_NS(DMA_BUF_HEAP);
MODULE_DESCRIPTION("Example of a heap in a module");
MODULE_LICENSE("GPL");
