// SPDX-License-Identifier: GPL-2.0-only
/* What objects take of the slab allocator, on average over many. */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "bench.h"

#define OBJECTS		4096
#define MEMBERS		64

static struct platform_device *memory_device;
static struct dma_buf *memory_buf;

/**
 * struct memory_kind - a kind of object
 * @name: as in the table
 * @param: fences per object
 * @create: make an object. Return: NULL if that failed.
 * @destroy: free it
 */
struct memory_kind {
	const char *name;
	unsigned int param;
	void *(*create)(const struct memory_kind *kind);
	void (*destroy)(void *object);
};

/* Statistics in sysfs are made by a worker, and fds die in one. */
static void memory_settle(void)
{
	flush_delayed_fput();
	rcu_barrier();
	msleep(300);
	flush_delayed_fput();
	rcu_barrier();
}

static u64 memory_slab_bytes(void)
{
	u64 pages;

	memory_settle();
	pages = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);

	return pages << PAGE_SHIFT;
}

static void *create_buffer(const struct memory_kind *kind)
{
	struct dma_buf *dmabuf = bench_buffer_export();

	return IS_ERR(dmabuf) ? NULL : dmabuf;
}

static void destroy_buffer(void *object)
{
	dma_buf_put(object);
}

static void *create_attachment(const struct memory_kind *kind)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(memory_buf, &memory_device->dev);
	return IS_ERR(attach) ? NULL : attach;
}

static void destroy_attachment(void *object)
{
	dma_buf_detach(memory_buf, object);
}

/* The object itself is embedded in others, so it counts with its own size. */
static void *create_resv(const struct memory_kind *kind)
{
	struct dma_resv *obj = kmalloc(sizeof(*obj), GFP_KERNEL);
	unsigned int i;

	if (!obj)
		return NULL;

	dma_resv_init(obj);
	dma_resv_lock(obj, NULL);
	for (i = 0; i < kind->param; i++)
		if (!dma_resv_reserve_fences(obj, 1))
			dma_resv_add_fence(obj, &bench_fences[i],
					   DMA_RESV_USAGE_READ);
	dma_resv_unlock(obj);

	return obj;
}

static void destroy_resv(void *object)
{
	dma_resv_fini(object);
	kfree(object);
}

static void *create_array(const struct memory_kind *kind)
{
	struct dma_fence **fences;
	unsigned int i;

	fences = kmalloc_array(kind->param, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	for (i = 0; i < kind->param; i++)
		fences[i] = dma_fence_get(&bench_fences[i]);

	return dma_fence_array_create(kind->param, fences, 1, 1, false);
}

static void destroy_array(void *object)
{
	struct dma_fence_array *array = object;

	dma_fence_put(&array->base);
}

static void *create_link(const struct memory_kind *kind)
{
	struct dma_fence_chain *link = dma_fence_chain_alloc();

	if (link)
		dma_fence_chain_init(link, NULL,
				     dma_fence_get(&bench_fences[0]), 1);
	return link;
}

static void destroy_link(void *object)
{
	struct dma_fence_chain *link = object;

	dma_fence_put(&link->base);
}

static void *create_sync_file(const struct memory_kind *kind)
{
	return sync_file_create(&bench_fences[0]);
}

static void destroy_sync_file(void *object)
{
	struct sync_file *sync_file = object;

	fput(sync_file->file);
}

static const struct memory_kind memory_kinds[] = {
	{ "memory/buffer", 0, create_buffer, destroy_buffer },
	{ "memory/attachment", 0, create_attachment, destroy_attachment },
	{ "memory/resv-0", 0, create_resv, destroy_resv },
	{ "memory/resv-1", 1, create_resv, destroy_resv },
	{ "memory/resv-4", 4, create_resv, destroy_resv },
	{ "memory/resv-64", 64, create_resv, destroy_resv },
	{ "memory/array-8", 8, create_array, destroy_array },
	{ "memory/chain-link", 1, create_link, destroy_link },
	{ "memory/sync-file", 1, create_sync_file, destroy_sync_file },
};

static void memory_measure(struct seq_file *m, const struct memory_kind *kind,
			   void **objects)
{
	unsigned int i, count = 0;
	u64 before, after;

	before = memory_slab_bytes();
	for (i = 0; i < OBJECTS; i++) {
		objects[i] = kind->create(kind);
		count += !!objects[i];
	}
	after = memory_slab_bytes();

	for (i = 0; i < OBJECTS; i++)
		if (objects[i])
			kind->destroy(objects[i]);
	memory_settle();

	if (count == OBJECTS)
		seq_printf(m, "%s\t%llu\n", kind->name,
			   (after - before) / OBJECTS);
	else
		seq_printf(m, "%s\tfailed\n", kind->name);
}

static int memory_init(void)
{
	memory_device = platform_device_register_simple("dma-buf-bench",
							PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(memory_device))
		return PTR_ERR(memory_device);

	memory_buf = bench_buffer_export();
	if (IS_ERR(memory_buf)) {
		platform_device_unregister(memory_device);
		return PTR_ERR(memory_buf);
	}

	return 0;
}

void bench_memory(struct seq_file *m)
{
	void **objects = vcalloc(OBJECTS, sizeof(*objects));
	unsigned int i;

	if (!objects)
		return;
	if (memory_init())
		goto out_free;

	bench_fences_init(MEMBERS, false);
	for (i = 0; i < ARRAY_SIZE(memory_kinds); i++)
		memory_measure(m, &memory_kinds[i], objects);
	bench_fences_signal(MEMBERS);
	bench_fences_put(MEMBERS);

	dma_buf_put(memory_buf);
	flush_delayed_fput();
	platform_device_unregister(memory_device);
out_free:
	vfree(objects);
}
