// SPDX-License-Identifier: GPL-2.0-only
/* What objects take of the slab allocator, on average over many. */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/path.h>
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
 * @name: as in the table, with the number of fences behind it if that goes up to
 *	@last
 * @param: fences per object
 * @last: measure each number of fences from @param up to this one
 * @slow: files and workers take part in it
 * @create: make an object. Return: NULL if that failed.
 * @destroy: free it
 */
struct memory_kind {
	const char *name;
	unsigned int param;
	unsigned int last;
	bool slow;
	void *(*create)(unsigned int param);
	void (*destroy)(void *object);
};

/* Statistics in sysfs are made by a worker, and fds die in one. */
static void memory_settle(const struct memory_kind *kind)
{
	if (kind->slow) {
		flush_delayed_fput();
		bench_rcu_settle();
		msleep(300);
		flush_delayed_fput();
	}
	bench_rcu_settle();
}

static u64 memory_slab_bytes(const struct memory_kind *kind)
{
	u64 pages;

	memory_settle(kind);
	pages = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);

	return pages << PAGE_SHIFT;
}

static void *create_buffer(unsigned int param)
{
	struct dma_buf *dmabuf = bench_buffer_export();

	return IS_ERR(dmabuf) ? NULL : dmabuf;
}

static void destroy_buffer(void *object)
{
	dma_buf_put(object);
}

static void *create_attachment(unsigned int param)
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
static void *create_resv(unsigned int param)
{
	struct dma_resv *obj = kmalloc(sizeof(*obj), GFP_KERNEL);
	unsigned int i;

	if (!obj)
		return NULL;

	dma_resv_init(obj);
	dma_resv_lock(obj, NULL);
	for (i = 0; i < param; i++)
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

static void *create_array(unsigned int param)
{
	struct dma_fence **fences;
	unsigned int i;

	fences = kmalloc_array(param, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	for (i = 0; i < param; i++)
		fences[i] = dma_fence_get(&bench_fences[i]);

	return dma_fence_array_create(param, fences, 1, 1, false);
}

static void destroy_array(void *object)
{
	struct dma_fence_array *array = object;

	dma_fence_put(&array->base);
}

static void *create_link(unsigned int param)
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

static void *create_sync_file(unsigned int param)
{
	return sync_file_create(&bench_fences[0]);
}

static void destroy_sync_file(void *object)
{
	struct sync_file *sync_file = object;

	fput(sync_file->file);
}

static void *create_merged_2(unsigned int param)
{
	return dma_fence_unwrap_merge(&bench_fences[0], &bench_fences[1]);
}

static void *create_merged_8(unsigned int param)
{
	struct dma_fence *f = bench_fences;

	return dma_fence_unwrap_merge(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5],
				      &f[6], &f[7]);
}

static void destroy_fence(void *object)
{
	dma_fence_put(object);
}

static const struct memory_kind memory_kinds[] = {
	{ "memory/buffer", 0, 0, true, create_buffer, destroy_buffer },
	{ "memory/attachment", 0, 0, true, create_attachment,
	  destroy_attachment },
	{ "memory/resv", 0, MEMBERS, false, create_resv, destroy_resv },
	{ "memory/array-8", 8, 0, false, create_array, destroy_array },
	{ "memory/chain-link", 1, 0, false, create_link, destroy_link },
	{ "memory/merge-2", 2, 0, false, create_merged_2, destroy_fence },
	{ "memory/merge-8", 8, 0, false, create_merged_8, destroy_fence },
	{ "memory/sync-file", 1, 0, true, create_sync_file,
	  destroy_sync_file },
};

/* Make all objects. Return: their number, less if that failed. */
static unsigned int memory_create(const struct memory_kind *kind,
				  unsigned int param, void **objects)
{
	unsigned int i, count = 0;

	for (i = 0; i < OBJECTS; i++) {
		objects[i] = kind->create(param);
		count += !!objects[i];
	}

	return count;
}

static void memory_destroy(const struct memory_kind *kind, void **objects)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		if (objects[i])
			kind->destroy(objects[i]);
	memory_settle(kind);
}

static void memory_measure(struct seq_file *m, const struct memory_kind *kind,
			   unsigned int param, void **objects)
{
	unsigned int count;
	u64 before, after;

	before = memory_slab_bytes(kind);
	count = memory_create(kind, param, objects);
	after = memory_slab_bytes(kind);
	memory_destroy(kind, objects);

	seq_puts(m, kind->name);
	if (kind->last)
		seq_printf(m, "-%u", param);
	if (count == OBJECTS)
		seq_printf(m, "\t%llu\n", (after - before) / OBJECTS);
	else
		seq_puts(m, "\tfailed\n");
}

static bool memory_has_entry(struct dma_buf *dmabuf)
{
	struct path path;
	char name[64];

	snprintf(name, sizeof(name), "/sys/kernel/dmabuf/buffers/%lu",
		 file_inode(dmabuf->file)->i_ino);
	if (kern_path(name, 0, &path))
		return false;

	path_put(&path);
	return true;
}

/* How many of the buffers that live get their entry of statistics? */
static void memory_entries(struct seq_file *m, void **objects)
{
	const struct memory_kind *kind = &memory_kinds[0];
	unsigned int i, count, entries = 0;
	struct path path;

	if (kern_path("/sys/kernel/dmabuf/buffers", 0, &path))
		return;
	path_put(&path);

	count = memory_create(kind, 0, objects);
	msleep(BENCH_LIVE_MS);
	for (i = 0; i < OBJECTS; i++)
		if (objects[i])
			entries += memory_has_entry(objects[i]);
	memory_destroy(kind, objects);

	seq_printf(m, "memory/entries-of-%u\t%u\n", count, entries);
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
	const struct memory_kind *kind;
	unsigned int i, param;

	if (!objects)
		return;
	if (memory_init())
		goto out_free;

	bench_fences_init(MEMBERS, false);
	for (i = 0; i < ARRAY_SIZE(memory_kinds); i++) {
		kind = &memory_kinds[i];
		for (param = kind->param; param <= max(kind->param, kind->last);
		     param++)
			memory_measure(m, kind, param, objects);
	}
	memory_entries(m, objects);
	bench_fences_signal(MEMBERS);
	bench_fences_put(MEMBERS);

	dma_buf_put(memory_buf);
	flush_delayed_fput();
	platform_device_unregister(memory_device);
out_free:
	vfree(objects);
}
