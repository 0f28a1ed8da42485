// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory dma_buf in debugfs, and its bufinfo: all live buffers, their fences
 * and devices.
 *
 * Programs parse bufinfo, so its columns stay as they are. New facts go into the
 * report, dma-buf-report.c.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "dma-buf-internal.h"
#include "dma-buf-list.h"
#include "dma-buf-report.h"
#include "dma-buf-sysfs.h"

static void dma_buf_show_line(struct seq_file *s, struct dma_buf *dmabuf)
{
	struct file *file = dmabuf->file;
	const char *name;

	rcu_read_lock();
	name = rcu_dereference(dmabuf->name);
	/* Do not count the reference of the walk. */
	seq_printf(s, "%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t",
		   dmabuf->size, file->f_flags, (__force u32)file->f_mode,
		   file_count(file) - 1, dmabuf->exp_name,
		   file_inode(file)->i_ino);
	dma_buf_show_name(s, name ?: "<none>");
	rcu_read_unlock();
	seq_putc(s, '\n');
}

static void dma_buf_show_devices(struct seq_file *s, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	int count = 0;

	dma_resv_assert_held(dmabuf->resv);

	seq_puts(s, "\tAttached Devices:\n");
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		seq_printf(s, "\t%s\n", dev_name(attach->dev));
		count++;
	}
	seq_printf(s, "Total %d devices attached\n\n", count);
}

static int dma_buf_show(struct seq_file *s, struct dma_buf *dmabuf)
{
	int ret;

	/* The text shows the inode number, so the directory in sysfs must be there. */
	dma_buf_stats_need(dmabuf);

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	dma_buf_show_line(s, dmabuf);
	dma_resv_describe(dmabuf->resv, s);
	dma_buf_show_devices(s, dmabuf);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

static int dma_buf_bufinfo_show(struct seq_file *s, void *unused)
{
	struct dma_buf_walk walk;
	struct dma_buf *dmabuf;
	size_t size = 0;
	int count = 0;
	int ret = 0;

	seq_puts(s, "\nDma-buf Objects:\n");
	seq_printf(s, "%-8s\t%-8s\t%-8s\t%-8s\texp_name\t%-8s\tname\n",
		   "size", "flags", "mode", "count", "ino");

	dma_buf_walk_begin(&walk);
	while ((dmabuf = dma_buf_walk_next(&walk))) {
		ret = dma_buf_show(s, dmabuf);
		if (ret)
			break;
		size += dmabuf->size;
		count++;
	}
	dma_buf_walk_end(&walk);

	seq_printf(s, "\nTotal %d objects, %zu bytes\n", count, size);

	return ret;
}
DEFINE_SHOW_ATTRIBUTE(dma_buf_bufinfo);

/**
 * dma_buf_debugfs_init() - create the files
 *
 * Debugging only, so a failure is ignored.
 */
void __init dma_buf_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("dma_buf", NULL);

	debugfs_create_file("bufinfo", 0444, dir, NULL, &dma_buf_bufinfo_fops);
	dma_buf_report_init(dir);
}
