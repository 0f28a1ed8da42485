// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics in sysfs: /sys/kernel/dmabuf/buffers/<inode number>/.
 *
 * To change here: when a directory is made and removed. Its files are ABI, see
 * Documentation/ABI/testing/sysfs-kernel-dmabuf-buffers.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "dma-buf-list.h"
#include "dma-buf-sysfs.h"

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
 * so exporters do not wait for it. A directory is made as soon as user space can know
 * its name: by stat() on the file, by reading its fdinfo, by DMA_BUF_IOCTL_INFO, by a
 * mapping, which shows in maps, and by bufinfo in debugfs. For programs that list all
 * directories, a worker makes the missing ones a moment after the export. The release of
 * a buffer removes its directory, before the exporter frees the memory; that costs
 * nothing for a buffer without one.
 *
 * So if a program first adds up the sizes in fdinfo and maps, and then those in the
 * directories, the second sum is not smaller, unless buffers go in between.
 */

/*
 * Two parties change the entry of a buffer:
 *
 * - Makers are tasks that get to know the inode number, and the worker. They
 *   exclude each other by dma_buf_stats_lock, and hold it until the entry is
 *   complete. They need not hold the file, since stat() works on a path that is
 *   held without it (O_PATH): under the lock of the buffer's part of the list, a
 *   maker finds the buffer there and sets &dma_buf.sysfs_claimed.
 * - The release takes the buffer off the list, under the same lock, and then
 *   reads sysfs_claimed. Either the maker comes first, and the release sees the
 *   claim and waits for dma_buf_stats_lock before it goes on; or the release
 *   comes first, and the maker does not find the buffer on the list.
 *
 * So exporter and name are valid while an entry is made and while it exists, and
 * an entry that is made is removed. The release of a buffer without a claim takes no
 * lock but that of its part of the list.
 *
 * Lock order: mmap_lock or the lock of a seq_file, if the caller holds one;
 * dma_buf_stats_lock; the locks of sysfs, memory reclaim. &dma_buf.resv is not
 * held.
 */
static DEFINE_MUTEX(dma_buf_stats_lock);

/* Time from an export until the worker runs. */
unsigned int dma_buf_stats_delay_ms = 30;

struct dma_buf_stats_attribute {
	struct attribute attr;
	ssize_t (*show)(struct dma_buf *dmabuf, char *buf);
};

/* All live buffers up to this inode number have an entry. Only the worker uses it. */
static unsigned long dma_buf_stats_seen;

/* Parent of the directories. */
static struct kobject *dma_buf_stats_dir;

static ssize_t exporter_name_show(struct dma_buf *dmabuf, char *buf)
{
	return sysfs_emit(buf, "%s\n", dmabuf->exp_name);
}

static ssize_t size_show(struct dma_buf *dmabuf, char *buf)
{
	return sysfs_emit(buf, "%zu\n", dmabuf->size);
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

static struct dma_buf_sysfs_entry *to_sysfs_entry(struct kobject *kobj)
{
	return container_of(kobj, struct dma_buf_sysfs_entry, kobj);
}

/* The buffer is alive: its release removes the entry, and waits for readers. */
static ssize_t dma_buf_stats_show(struct kobject *kobj, struct attribute *attr,
				  char *buf)
{
	struct dma_buf_stats_attribute *attribute =
		container_of(attr, struct dma_buf_stats_attribute, attr);

	return attribute->show(to_sysfs_entry(kobj)->dmabuf, buf);
}

static void dma_buf_stats_free(struct kobject *kobj)
{
	kfree(to_sysfs_entry(kobj));
}

static const struct sysfs_ops dma_buf_stats_sysfs_ops = {
	.show = dma_buf_stats_show,
};

static const struct kobj_type dma_buf_stats_type = {
	.release = dma_buf_stats_free,
	.sysfs_ops = &dma_buf_stats_sysfs_ops,
	.default_groups = dma_buf_stats_groups,
};

/* The buffer is not released while this runs, see above. */
static int dma_buf_stats_create(struct dma_buf *dmabuf)
{
	struct dma_buf_sysfs_entry *entry;
	int ret;

	lockdep_assert_held(&dma_buf_stats_lock);

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;

	entry->dmabuf = dmabuf;
	ret = kobject_init_and_add(&entry->kobj, &dma_buf_stats_type,
				   dma_buf_stats_dir, "%lu",
				   file_inode(dmabuf->file)->i_ino);
	if (ret) {
		kobject_put(&entry->kobj);
		return ret;
	}

	/* Complete. Pairs with dma_buf_stats_need(). */
	smp_store_release(&dmabuf->sysfs_entry, entry);

	return 0;
}

/* Called with the lock of the list held. */
static bool dma_buf_stats_claim(struct dma_buf *dmabuf)
{
	lockdep_assert_held(&dma_buf_stats_lock);

	if (dmabuf->sysfs_entry)
		return false;

	dmabuf->sysfs_claimed = true;
	return true;
}

/* Returns -ENOENT at the end of the walk. */
static int dma_buf_stats_create_next(struct dma_buf_walk *walk)
{
	struct dma_buf *dmabuf;

	guard(mutex)(&dma_buf_stats_lock);

	dmabuf = dma_buf_walk_take(walk, dma_buf_stats_claim);

	return dmabuf ? dma_buf_stats_create(dmabuf) : -ENOENT;
}

/* Returns false without memory. A buffer with another error gets no entry. */
static bool dma_buf_stats_create_new(void)
{
	unsigned long last = dma_buf_list_last_ino();
	struct dma_buf_walk walk;
	int ret;

	dma_buf_walk_begin_new(&walk, dma_buf_stats_seen);
	do {
		ret = dma_buf_stats_create_next(&walk);
	} while (ret != -ENOENT && ret != -ENOMEM);
	dma_buf_walk_end(&walk);

	if (ret == -ENOMEM)
		return false;

	dma_buf_stats_seen = last;
	return true;
}

static void dma_buf_stats_queue(struct delayed_work *work)
{
	unsigned int ms = READ_ONCE(dma_buf_stats_delay_ms);

	queue_delayed_work(system_unbound_wq, work, msecs_to_jiffies(ms));
}

static void dma_buf_stats_work(struct work_struct *work)
{
	/* Try again later, without making other tasks wait for it. */
	if (!dma_buf_stats_create_new())
		dma_buf_stats_queue(to_delayed_work(work));
}

DECLARE_DELAYED_WORK(dma_buf_stats_worker, dma_buf_stats_work);

static void dma_buf_stats_kick(void)
{
	/*
	 * The buffer is on its list before the worker is queued. Pairs with the
	 * barrier after the worker has cleared the pending bit.
	 */
	smp_mb();
	if (!delayed_work_pending(&dma_buf_stats_worker))
		dma_buf_stats_queue(&dma_buf_stats_worker);
}

/**
 * dma_buf_stats_check() - can there be statistics for a buffer?
 * @exp_info: argument of dma_buf_export()
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
 * dma_buf_stats_need() - make the directory before user space learns the inode number
 * @dmabuf: buffer that may be gone, but not its inode
 *
 * Afterwards a live buffer has its directory, unless there is no memory for it: then
 * the worker tries again until all buffers have one.
 *
 * Context: Process context, may sleep; mmap_lock may be held.
 */
void dma_buf_stats_need(struct dma_buf *dmabuf)
{
	might_lock(&dma_buf_stats_lock);

	/*
	 * The usual case. Pairs with dma_buf_stats_create(): a look-up after this
	 * load finds the directory.
	 */
	if (smp_load_acquire(&dmabuf->sysfs_entry))
		return;

	guard(mutex)(&dma_buf_stats_lock);

	if (dma_buf_list_take(dmabuf, dma_buf_stats_claim))
		dma_buf_stats_create(dmabuf);
}

/**
 * dma_buf_stats_released() - a buffer has left the list
 * @dmabuf: buffer without references
 *
 * Waits for a task that is making the directory, and for its readers.
 *
 * Context: Process context, may sleep.
 */
void dma_buf_stats_released(struct dma_buf *dmabuf)
{
	struct dma_buf_sysfs_entry *entry;

	if (!dmabuf->sysfs_claimed)
		return;

	scoped_guard(mutex, &dma_buf_stats_lock) {
		entry = dmabuf->sysfs_entry;
		WRITE_ONCE(dmabuf->sysfs_entry, NULL);
	}
	if (!entry)
		return;

	kobject_del(&entry->kobj);
	kobject_put(&entry->kobj);
}

/**
 * dma_buf_stats_init() - create the directory above all entries
 *
 * Return: 0, -ENOMEM.
 */
int __init dma_buf_stats_init(void)
{
	dma_buf_stats_dir = kobject_create_and_add("buffers",
						   dma_buf_sysfs_dir());

	return dma_buf_stats_dir ? 0 : -ENOMEM;
}
