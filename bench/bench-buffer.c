// SPDX-License-Identifier: GPL-2.0-only
/* Buffers whose exporter does nothing, and the devices at them. */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define BATCH		1000
#define BATCH_EXPORT	512

static struct sg_table bench_table;
static struct platform_device *bench_device;
static struct dma_buf *bench_buf;
static struct dma_resv bench_own_resv;
static struct dma_buf_attachment *bench_attach;
static struct dma_buf_attachment *bench_attachments[256];
static struct dma_buf **bench_live;

static struct sg_table *bench_map(struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	return &bench_table;
}

static void bench_unmap(struct dma_buf_attachment *attach,
			struct sg_table *table, enum dma_data_direction dir)
{
}

static void bench_release(struct dma_buf *dmabuf)
{
}

static int bench_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return 0;
}

static int bench_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, &bench_table);
	return 0;
}

static void bench_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
}

static int bench_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void bench_unpin(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_ops bench_ops = {
	.map_dma_buf = bench_map,
	.unmap_dma_buf = bench_unmap,
	.begin_cpu_access = bench_cpu_access,
	.end_cpu_access = bench_cpu_access,
	.vmap = bench_vmap,
	.vunmap = bench_vunmap,
	.release = bench_release,
};

static const struct dma_buf_ops bench_cached_ops = {
	.cache_sgt_mapping = true,
	.map_dma_buf = bench_map,
	.unmap_dma_buf = bench_unmap,
	.release = bench_release,
};

static const struct dma_buf_ops bench_dynamic_ops = {
	.pin = bench_pin,
	.unpin = bench_unpin,
	.map_dma_buf = bench_map,
	.unmap_dma_buf = bench_unmap,
	.release = bench_release,
};

static void bench_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops bench_importer_ops = {
	.move_notify = bench_notify,
};

static struct dma_buf *bench_export(const struct dma_buf_ops *ops,
				    struct dma_resv *resv)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.resv = resv;
	info.priv = &bench_table;

	return dma_buf_export(&info);
}

struct dma_buf *bench_buffer_export(void)
{
	return bench_export(&bench_ops, NULL);
}

static void bench_buffer_put(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static int init_device(void)
{
	bench_device = platform_device_register_simple("dma-buf-bench",
						       PLATFORM_DEVID_NONE,
						       NULL, 0);
	return PTR_ERR_OR_ZERO(bench_device);
}

static int init_buffer_of(const struct dma_buf_ops *ops)
{
	int ret = init_device();

	if (ret)
		return ret;

	bench_buf = bench_export(ops, NULL);
	if (IS_ERR(bench_buf)) {
		platform_device_unregister(bench_device);
		return PTR_ERR(bench_buf);
	}

	return 0;
}

static int init_buffer(const struct bench_case *c)
{
	return init_buffer_of(&bench_ops);
}

static int init_dynamic(const struct bench_case *c)
{
	return init_buffer_of(&bench_dynamic_ops);
}

static void exit_buffer(const struct bench_case *c)
{
	bench_buffer_put(bench_buf);
	platform_device_unregister(bench_device);
}

static int init_attached_of(const struct dma_buf_ops *ops)
{
	int ret = init_buffer_of(ops);

	if (ret)
		return ret;

	bench_attach = dma_buf_attach(bench_buf, &bench_device->dev);
	return PTR_ERR_OR_ZERO(bench_attach);
}

static int init_attached(const struct bench_case *c)
{
	return init_attached_of(&bench_ops);
}

static int init_attached_cached(const struct bench_case *c)
{
	return init_attached_of(&bench_cached_ops);
}

static void exit_attached(const struct bench_case *c)
{
	dma_buf_detach(bench_buf, bench_attach);
	exit_buffer(c);
}

/* Export, release */

static int init_resv(const struct bench_case *c)
{
	dma_resv_init(&bench_own_resv);
	return 0;
}

static void exit_resv(const struct bench_case *c)
{
	dma_resv_fini(&bench_own_resv);
}

static void bench_export_release(unsigned int count, struct dma_resv *resv)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < count; i++) {
		dmabuf = bench_export(&bench_ops, resv);
		if (!IS_ERR(dmabuf))
			dma_buf_put(dmabuf);
	}
	flush_delayed_fput();
}

static void run_export(const struct bench_case *c)
{
	bench_export_release(c->batch, NULL);
}

static void run_export_resv(const struct bench_case *c)
{
	bench_export_release(c->batch, &bench_own_resv);
}

static void exit_live(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->param; i++)
		if (!IS_ERR(bench_live[i]))
			dma_buf_put(bench_live[i]);
	flush_delayed_fput();
	vfree(bench_live);
}

static int init_live(const struct bench_case *c)
{
	unsigned int i;

	bench_live = vcalloc(c->param, sizeof(*bench_live));
	if (!bench_live)
		return -ENOMEM;

	for (i = 0; i < c->param; i++)
		bench_live[i] = bench_buffer_export();

	return 0;
}

/* The price of buffers that live: with statistics they get entries meanwhile. */
static int init_keep(const struct bench_case *c)
{
	bench_live = vcalloc(c->param, sizeof(*bench_live));
	return bench_live ? 0 : -ENOMEM;
}

static void run_export_live(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < c->param; i++)
		bench_live[i] = bench_buffer_export();
	msleep(BENCH_LIVE_MS);
	for (i = 0; i < c->param; i++)
		if (!IS_ERR(bench_live[i]))
			dma_buf_put(bench_live[i]);
	flush_delayed_fput();
}

static void exit_keep(const struct bench_case *c)
{
	vfree(bench_live);
}

/* Devices */

static void run_attach(const struct bench_case *c)
{
	struct dma_buf_attachment *attach;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		attach = dma_buf_attach(bench_buf, &bench_device->dev);
		if (!IS_ERR(attach))
			dma_buf_detach(bench_buf, attach);
	}
}

static struct dma_buf_attachment *bench_attach_dynamic(void)
{
	return dma_buf_dynamic_attach(bench_buf, &bench_device->dev,
				      &bench_importer_ops, &bench_table);
}

static void run_attach_dynamic(const struct bench_case *c)
{
	struct dma_buf_attachment *attach;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		attach = bench_attach_dynamic();
		if (!IS_ERR(attach))
			dma_buf_detach(bench_buf, attach);
	}
}

static void run_map(const struct bench_case *c)
{
	struct sg_table *table;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		table = dma_buf_map_attachment_unlocked(bench_attach,
							DMA_BIDIRECTIONAL);
		if (!IS_ERR(table))
			dma_buf_unmap_attachment_unlocked(bench_attach, table,
							  DMA_BIDIRECTIONAL);
	}
}

static void detach_all(unsigned int count)
{
	while (count)
		dma_buf_detach(bench_buf, bench_attachments[--count]);
}

static int init_notified(const struct bench_case *c)
{
	int ret = init_dynamic(c);
	unsigned int i;

	if (ret)
		return ret;

	for (i = 0; i < c->param; i++) {
		bench_attachments[i] = bench_attach_dynamic();
		if (IS_ERR(bench_attachments[i])) {
			detach_all(i);
			return -ENOMEM;
		}
	}

	return 0;
}

static void exit_notified(const struct bench_case *c)
{
	detach_all(c->param);
	exit_buffer(c);
}

static void run_notify(const struct bench_case *c)
{
	unsigned int i;

	dma_resv_lock(bench_buf->resv, NULL);
	for (i = 0; i < c->batch; i++)
		dma_buf_move_notify(bench_buf);
	dma_resv_unlock(bench_buf->resv);
}

/* The CPU */

static void run_cpu_access(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		if (!dma_buf_begin_cpu_access(bench_buf, DMA_BIDIRECTIONAL))
			dma_buf_end_cpu_access(bench_buf, DMA_BIDIRECTIONAL);
}

static void run_vmap(const struct bench_case *c)
{
	struct iosys_map map;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		if (!dma_buf_vmap_unlocked(bench_buf, &map))
			dma_buf_vunmap_unlocked(bench_buf, &map);
}

static void run_get_put(const struct bench_case *c)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		get_dma_buf(bench_buf);
		dma_buf_put(bench_buf);
	}
}

#define LIVE(name_, param_)						\
	{ .name = name_, .param = param_, .batch = BATCH_EXPORT,	\
	  .init = init_live, .run = run_export, .exit = exit_live }

#define BUFFER(name_, run_)						\
	{ .name = name_, .batch = BATCH, .init = init_buffer,		\
	  .run = run_, .exit = exit_buffer }

#define NOTIFY(name_, param_)						\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_notified, .run = run_notify, .exit = exit_notified }

#define ATTACHED(name_, param_)						\
	{ .name = name_, .param = param_, .batch = BATCH,		\
	  .init = init_notified, .run = run_attach_dynamic,		\
	  .exit = exit_notified }

const struct bench_case bench_buffer_cases[] = {
	{ .name = "buffer/export-release", .batch = BATCH_EXPORT,
	  .run = run_export },
	{ .name = "buffer/export-release-own-resv", .batch = BATCH_EXPORT,
	  .init = init_resv, .run = run_export_resv, .exit = exit_resv },
	{ .name = "buffer/export-release-whole", .batch = BATCH,
	  .whole = true, .run = run_export },
	{ .name = "buffer/export-live-release", .param = BATCH, .batch = BATCH,
	  .whole = true, .init = init_keep, .run = run_export_live,
	  .exit = exit_keep },
	LIVE("buffer/export-release-10000-live", 10000),
	BUFFER("buffer/attach-detach", run_attach),
	{ .name = "buffer/attach-detach-dynamic", .batch = BATCH,
	  .init = init_dynamic, .run = run_attach_dynamic,
	  .exit = exit_buffer },
	{ .name = "buffer/map-unmap", .batch = BATCH, .init = init_attached,
	  .run = run_map, .exit = exit_attached },
	{ .name = "buffer/map-unmap-cached", .batch = BATCH,
	  .init = init_attached_cached, .run = run_map,
	  .exit = exit_attached },
	BUFFER("buffer/cpu-access", run_cpu_access),
	BUFFER("buffer/vmap-vunmap", run_vmap),
	BUFFER("buffer/get-put", run_get_put),
	NOTIFY("buffer/move-notify-64", 64),

	LIVE("growth/export-release/1", 1),
	LIVE("growth/export-release/10", 10),
	LIVE("growth/export-release/100", 100),
	LIVE("growth/export-release/1000", 1000),
	LIVE("growth/export-release/10000", 10000),
	LIVE("growth/export-release/100000", 100000),
	NOTIFY("growth/move-notify/1", 1),
	NOTIFY("growth/move-notify/4", 4),
	NOTIFY("growth/move-notify/16", 16),
	NOTIFY("growth/move-notify/64", 64),
	NOTIFY("growth/move-notify/256", 256),
	ATTACHED("growth/attach-detach/1", 1),
	ATTACHED("growth/attach-detach/4", 4),
	ATTACHED("growth/attach-detach/16", 16),
	ATTACHED("growth/attach-detach/64", 64),
	ATTACHED("growth/attach-detach/256", 256),
	{ }
};
