// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics in sysfs: /sys/kernel/dmabuf/buffers/<inode number>/.
 */

#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/llist.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "dma-buf-internal.h"

/**
 * DOC: overview
 *
 * With CONFIG_DMABUF_SYSFS_STATS, each live buffer has a directory below
 * /sys/kernel/dmabuf/buffers, named by the inode number of its file, with a file
 * each for its size and for the name of its exporter. So the memory in buffers
 * can be accounted for on systems without debugfs. To find out who uses a buffer
 * look for its inode number in /proc/<pid>/fdinfo and /proc/<pid>/maps.
 *
 * Making a directory in sysfs takes several times as long as making a buffer,
 * so exporters do not wait for it. A worker creates and removes directories,
 * and both have happened within 100 milliseconds. A buffer that lives less than
 * that may never be seen.
 */

/*
 * From an export or a release until the worker runs. It takes some time itself,
 * and 100 ms is what is promised.
 */
#define DMA_BUF_STATS_DELAY	msecs_to_jiffies(30)

/**
 * struct dma_buf_stats_entry - the directory of a buffer
 * @kobj: the directory
 * @dead: link in &dma_buf_stats_dead when the buffer has gone
 * @size: bytes of the buffer
 * @exp_name: name of the exporter; a copy, as the exporter may be gone before
 *	the entry
 *
 * Constant after creation, but for @dead.
 */
struct dma_buf_stats_entry {
	struct kobject kobj;
	struct llist_node dead;
	size_t size;
	char exp_name[];
};

struct dma_buf_stats_attribute {
	struct attribute attr;
	ssize_t (*show)(struct dma_buf_stats_entry *entry, char *buf);
};

/* Entries whose buffers have gone, for the worker. */
static LLIST_HEAD(dma_buf_stats_dead);

/* All live buffers up to this inode number have an entry. The worker's own. */
static unsigned long dma_buf_stats_seen;

/* Where the directories are. */
static struct kobject *dma_buf_stats_dir;

static ssize_t exporter_name_show(struct dma_buf_stats_entry *entry, char *buf)
{
	return sysfs_emit(buf, "%s\n", entry->exp_name);
}

static ssize_t size_show(struct dma_buf_stats_entry *entry, char *buf)
{
	return sysfs_emit(buf, "%zu\n", entry->size);
}

static struct dma_buf_stats_attribute dma_buf_stats_exporter_name =
	__ATTR_RO(exporter_name);
static struct dma_buf_stats_attribute dma_buf_stats_size = __ATTR_RO(size);

static struct attribute *dma_buf_stats_attrs[] = {
	&dma_buf_stats_exporter_name.attr,
	&dma_buf_stats_size.attr,
	NULL,
};
ATTRIBUTE_GROUPS(dma_buf_stats);

static struct dma_buf_stats_entry *to_stats_entry(struct kobject *kobj)
{
	return container_of(kobj, struct dma_buf_stats_entry, kobj);
}

static ssize_t dma_buf_stats_show(struct kobject *kobj, struct attribute *attr,
				  char *buf)
{
	struct dma_buf_stats_attribute *attribute =
		container_of(attr, struct dma_buf_stats_attribute, attr);

	return attribute->show(to_stats_entry(kobj), buf);
}

static void dma_buf_stats_free(struct kobject *kobj)
{
	kfree(to_stats_entry(kobj));
}

static const struct sysfs_ops dma_buf_stats_sysfs_ops = {
	.show = dma_buf_stats_show,
};

static const struct kobj_type dma_buf_stats_type = {
	.release = dma_buf_stats_free,
	.sysfs_ops = &dma_buf_stats_sysfs_ops,
	.default_groups = dma_buf_stats_groups,
};

static int dma_buf_stats_create(struct dma_buf *dmabuf)
{
	size_t name_size = strlen(dmabuf->exp_name) + 1;
	struct dma_buf_stats_entry *entry;
	int ret;

	entry = kzalloc(struct_size(entry, exp_name, name_size), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;

	entry->size = dmabuf->size;
	memcpy(entry->exp_name, dmabuf->exp_name, name_size);

	ret = kobject_init_and_add(&entry->kobj, &dma_buf_stats_type,
				   dma_buf_stats_dir, "%lu",
				   file_inode(dmabuf->file)->i_ino);
	if (ret) {
		kobject_put(&entry->kobj);
		return ret;
	}

	dmabuf->sysfs_entry = entry;
	return 0;
}

/* Nobody else finds them any more. Waits for those who read. */
static void dma_buf_stats_remove_dead(void)
{
	struct llist_node *dead = llist_del_all(&dma_buf_stats_dead);
	struct dma_buf_stats_entry *entry, *next;

	llist_for_each_entry_safe(entry, next, dead, dead) {
		kobject_del(&entry->kobj);
		kobject_put(&entry->kobj);
	}
}

/* Returns false if there was no memory. A buffer with another error has none. */
static bool dma_buf_stats_create_new(void)
{
	unsigned long last = dma_buf_list_last_ino();
	struct dma_buf_walk walk;
	struct dma_buf *dmabuf;
	int ret = 0;

	dma_buf_walk_begin_new(&walk, dma_buf_stats_seen);
	while (ret != -ENOMEM && (dmabuf = dma_buf_walk_next(&walk)))
		if (!dmabuf->sysfs_entry)
			ret = dma_buf_stats_create(dmabuf);
	dma_buf_walk_end(&walk);

	if (ret == -ENOMEM)
		return false;

	dma_buf_stats_seen = last;
	return true;
}

static void dma_buf_stats_work(struct work_struct *work)
{
	dma_buf_stats_remove_dead();
	/* Try again later, but let nobody else wait for it. */
	if (!dma_buf_stats_create_new())
		queue_delayed_work(system_unbound_wq, to_delayed_work(work),
				   DMA_BUF_STATS_DELAY);
}

static DECLARE_DELAYED_WORK(dma_buf_stats_worker, dma_buf_stats_work);

static void dma_buf_stats_kick(void)
{
	/*
	 * What the worker shall find comes first. Pairs with the barrier after
	 * it has cleared the pending bit.
	 */
	smp_mb();
	if (!delayed_work_pending(&dma_buf_stats_worker))
		queue_delayed_work(system_unbound_wq, &dma_buf_stats_worker,
				   DMA_BUF_STATS_DELAY);
}

/**
 * dma_buf_stats_check() - can there be statistics for a buffer?
 * @exp_info: what dma_buf_export() got
 *
 * Return: 0, -EINVAL if the exporter has no name.
 */
int dma_buf_stats_check(const struct dma_buf_export_info *exp_info)
{
	if (exp_info->exp_name)
		return 0;

	pr_err("dma-buf: exporter without a name\n");
	return -EINVAL;
}

/**
 * dma_buf_stats_exported() - there is a new buffer on the list
 *
 * Context: Process context.
 */
void dma_buf_stats_exported(void)
{
	dma_buf_stats_kick();
}

/**
 * dma_buf_stats_released() - a buffer is destroyed
 * @dmabuf: buffer without references
 *
 * Context: Process context.
 */
void dma_buf_stats_released(struct dma_buf *dmabuf)
{
	struct dma_buf_stats_entry *entry = dmabuf->sysfs_entry;

	if (!entry)
		return;

	llist_add(&entry->dead, &dma_buf_stats_dead);
	dma_buf_stats_kick();
}

/**
 * dma_buf_stats_init() - create the directories above all entries
 *
 * Return: 0, -ENOMEM.
 */
int __init dma_buf_stats_init(void)
{
	struct kobject *top = kobject_create_and_add("dmabuf", kernel_kobj);

	if (!top)
		return -ENOMEM;

	dma_buf_stats_dir = kobject_create_and_add("buffers", top);
	if (!dma_buf_stats_dir) {
		kobject_put(top);
		return -ENOMEM;
	}

	return 0;
}
