// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of a udmabuf: mappings for devices, for user space and for the kernel. Its
 * pages are in udmabuf-runs.c, syncs for CPU access in dma-buf-mappings.c.
 */

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma-buf-mappings.h"
#include "udmabuf-internal.h"

/* Number of pages that one fault maps. */
#define UDMABUF_FAULT_AROUND	16

/* The memory is pinned, and this takes no lock, so a map never waits. */
static struct sg_table *udmabuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct udmabuf *ubuf = attach->dmabuf->priv;
	struct dma_buf_mapping *mapping;
	int ret;

	if (ubuf->read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	ret = udmabuf_runs_to_table(&ubuf->runs, &mapping->table,
				    dma_buf_max_segment(attach->dev));
	if (ret)
		goto err_free;

	/*
	 * A mapping is kept until the device detaches. Map for both directions even if
	 * the device only writes: writes of the CPU between two frames have to reach
	 * the memory and the bounce buffer, too.
	 */
	if (dir == DMA_FROM_DEVICE)
		dir = DMA_BIDIRECTIONAL;

	mapping->dev = attach->dev;
	ret = dma_buf_mapping_add(attach->dmabuf, mapping, &ubuf->mappings, dir);
	if (ret)
		goto err_free_table;

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
	struct dma_buf_mapping *mapping =
		container_of(table, struct dma_buf_mapping, table);

	dma_buf_mapping_del(attach->dmabuf, mapping);
	sg_free_table(table);
	kfree(mapping);
}

static int udmabuf_begin_cpu_access(struct dma_buf *buf,
				    enum dma_data_direction dir)
{
	struct udmabuf *ubuf = buf->priv;
	int ret;

	ret = dma_buf_lock_idle(buf, dir);
	if (ret)
		return ret;

	ubuf->cpu_began = true;
	dma_buf_mappings_to_cpu(buf, &ubuf->mappings, dir);
	dma_resv_unlock(buf->resv);

	return 0;
}

static int udmabuf_end_cpu_access(struct dma_buf *buf,
				  enum dma_data_direction dir)
{
	struct udmabuf *ubuf = buf->priv;
	int ret;

	ret = dma_buf_lock_interruptible(buf);
	if (ret)
		return ret;

	if (ubuf->cpu_began)
		dma_buf_mappings_to_devices(buf, &ubuf->mappings, dir);
	else
		ret = -EINVAL;
	dma_resv_unlock(buf->resv);

	return ret;
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
	struct udmabuf *ubuf = buf->priv;

	/* Of a file that is open for reading only a shared mapping has no VM_SHARED. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	/* The file may be that of an importer, which is open for writing. */
	if (ubuf->read_only) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}

	vma->vm_ops = &udmabuf_vm_ops;
	vma->vm_private_data = ubuf;
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

	/* A kernel mapping can be written to, even if its user only reads. */
	if (ubuf->read_only)
		return -EACCES;

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

	/* An importer has not unmapped; the core has warned. */
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
