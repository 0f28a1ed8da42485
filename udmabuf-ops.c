// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be done with a udmabuf: mappings for devices, for user space and for
 * the kernel, and who has to be told when the CPU comes in between.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <kunit/static_stub.h>

#include "dma-buf-cleanup.h"
#include "dma-buf-internal.h"
#include "udmabuf-internal.h"

/* Pages that are mapped together with the one that is asked for. */
#define UDMABUF_FAULT_AROUND	16

/*
 * Many devices may have the same memory mapped, and the CPU need not have known
 * of them when it wrote. So mapping does not claim the memory for one of them,
 * and caches and bounce buffers are dealt with by a sync of its own. A device that
 * only writes may be told to read as well: what the CPU has written between its
 * frames has to get past the cache and the bounce buffer, too.
 */
#define UDMABUF_MAP_ATTRS	DMA_ATTR_SKIP_CPU_SYNC

/* Pinned memory, and no lock but the caller's: there is nothing to wait for. */
static struct sg_table *udmabuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct udmabuf *ubuf = attach->dmabuf->priv;
	struct udmabuf_mapping *mapping;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	ret = udmabuf_runs_to_table(&ubuf->runs, &mapping->table,
				    dma_buf_max_segment(attach->dev));
	if (ret)
		goto err_free;

	mapping->dev = attach->dev;
	mapping->dir = dir == DMA_FROM_DEVICE ? DMA_BIDIRECTIONAL : dir;
	ret = dma_map_sgtable(mapping->dev, &mapping->table, mapping->dir,
			      UDMABUF_MAP_ATTRS);
	if (ret)
		goto err_free_table;

	/* The CPU may have written before there was anything to sync. */
	dma_sync_sgtable_for_device(mapping->dev, &mapping->table, mapping->dir);
	list_add_tail(&mapping->node, &ubuf->mappings);

	return &mapping->table;

err_free_table:
	sg_free_table(&mapping->table);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void udmabuf_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *table, enum dma_data_direction dir)
{
	struct udmabuf_mapping *mapping =
		container_of(table, struct udmabuf_mapping, table);

	dma_resv_assert_held(attach->dmabuf->resv);

	list_del(&mapping->node);
	dma_sync_sgtable_for_cpu(mapping->dev, table, mapping->dir);
	dma_unmap_sgtable(mapping->dev, table, mapping->dir, UDMABUF_MAP_ATTRS);
	sg_free_table(table);
	kfree(mapping);
}

/**
 * udmabuf_sync_mapping() - pass the memory between a device and the CPU
 * @mapping: mapping of the device
 * @dir: direction that the mapping can do
 * @for_cpu: to the CPU, else to the device
 */
void udmabuf_sync_mapping(struct udmabuf_mapping *mapping,
			  enum dma_data_direction dir, bool for_cpu)
{
	KUNIT_STATIC_STUB_REDIRECT(udmabuf_sync_mapping, mapping, dir, for_cpu);

	if (for_cpu)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->table, dir);
	else
		dma_sync_sgtable_for_device(mapping->dev, &mapping->table, dir);
}

/*
 * What the CPU does is told as what a device would have to do. A mapping to read
 * from can do that only. With one for both, doing no more than the CPU needs
 * keeps it from overwriting what the device has written.
 */
static void udmabuf_sync(struct udmabuf *ubuf, enum dma_data_direction dir,
			 bool for_cpu)
{
	struct udmabuf_mapping *mapping;

	list_for_each_entry(mapping, &ubuf->mappings, node)
		udmabuf_sync_mapping(mapping, mapping->dir == DMA_TO_DEVICE ?
					      DMA_TO_DEVICE : dir, for_cpu);
}

static int udmabuf_begin_cpu_access(struct dma_buf *buf,
				    enum dma_data_direction dir)
{
	struct udmabuf *ubuf = buf->priv;

	guard(dma_resv)(buf->resv);

	ubuf->cpu_began = true;
	udmabuf_sync(ubuf, dir, true);

	return 0;
}

static int udmabuf_end_cpu_access(struct dma_buf *buf,
				  enum dma_data_direction dir)
{
	struct udmabuf *ubuf = buf->priv;

	guard(dma_resv)(buf->resv);

	if (!ubuf->cpu_began)
		return -EINVAL;

	udmabuf_sync(ubuf, dir, false);

	return 0;
}

/* The part of the run within the area, and not far from the fault. */
static vm_fault_t udmabuf_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct udmabuf *ubuf = vma->vm_private_data;
	const struct udmabuf_runs *runs = &ubuf->runs;
	size_t i = udmabuf_runs_find(runs, vmf->pgoff);
	pgoff_t page, start, end;
	vm_fault_t ret;

	if (i == runs->count)
		return VM_FAULT_SIGBUS;

	start = udmabuf_run_start(runs, i);
	ret = vmf_insert_pfn(vma, vmf->address,
			     runs->run[i].pfn + (vmf->pgoff - start));
	if (ret != VM_FAULT_NOPAGE)
		return ret;

	end = min3(runs->run[i].end, vma->vm_pgoff + vma_pages(vma),
		   round_down(vmf->pgoff, UDMABUF_FAULT_AROUND) + UDMABUF_FAULT_AROUND);
	for (page = vmf->pgoff + 1; page < end; page++)
		if (vmf_insert_pfn(vma, vmf->address + ((page - vmf->pgoff) << PAGE_SHIFT),
				   runs->run[i].pfn + (page - start)) != VM_FAULT_NOPAGE)
			break;

	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct udmabuf_vm_ops = {
	.fault = udmabuf_fault,
};

static int udmabuf_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	vma->vm_ops = &udmabuf_vm_ops;
	vma->vm_private_data = buf->priv;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);

	return 0;
}

static struct page **udmabuf_page_array(const struct udmabuf_runs *runs)
{
	struct page **pages;
	pgoff_t page = 0;

	pages = kvmalloc_array(udmabuf_runs_pages(runs), sizeof(*pages),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return NULL;

	for (size_t i = 0; i < runs->count; i++) {
		unsigned long pfn = runs->run[i].pfn;

		while (page < runs->run[i].end)
			pages[page++] = pfn_to_page(pfn++);
	}

	return pages;
}

static int udmabuf_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct udmabuf *ubuf = buf->priv;
	struct page **pages;
	void *vaddr;

	dma_resv_assert_held(buf->resv);

	pages = udmabuf_page_array(&ubuf->runs);
	if (!pages)
		return -ENOMEM;

	vaddr = vmap(pages, udmabuf_runs_pages(&ubuf->runs), VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;

	iosys_map_set_vaddr(map, vaddr);

	return 0;
}

static void udmabuf_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	dma_resv_assert_held(buf->resv);

	vunmap(map->vaddr);
}

static void udmabuf_release(struct dma_buf *buf)
{
	struct udmabuf *ubuf = buf->priv;

	/* An importer forgot it, of which the core has warned. */
	if (unlikely(buf->vmapping_counter))
		vunmap(buf->vmap_ptr.vaddr);

	udmabuf_runs_free(&ubuf->runs);
	kfree(ubuf);
}

const struct dma_buf_ops udmabuf_ops = {
	.cache_sgt_mapping = true,
	.map_dma_buf = udmabuf_map,
	.try_map_dma_buf = udmabuf_map,
	.unmap_dma_buf = udmabuf_unmap,
	.begin_cpu_access = udmabuf_begin_cpu_access,
	.end_cpu_access = udmabuf_end_cpu_access,
	.mmap = udmabuf_mmap,
	.vmap = udmabuf_vmap,
	.vunmap = udmabuf_vunmap,
	.release = udmabuf_release,
};
