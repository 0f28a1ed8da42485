// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer as an object: file and inode, export, references, destruction.
 *
 * To change here: the life of a buffer. Its devices are in dma-buf-attach.c, access by
 * the CPU in dma-buf-cpu.c, requests of user space in dma-buf-ioctl.c and
 * dma-buf-poll.c.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stat.h>

#include "dma-buf-internal.h"
#include "dma-buf-list.h"
#include "dma-buf-stamp.h"
#include "dma-buf-sysfs.h"

#define CREATE_TRACE_POINTS
#include <trace/events/dma_buf.h>

/**
 * DOC: dma buf device access
 *
 * A buffer has one exporter, which owns the memory, and any number of
 * importers, whose devices use it. Neither knows the other.
 *
 * - The exporter fills in a &struct dma_buf_export_info and calls
 *   dma_buf_export(). To pass the buffer on through user space, it makes a file
 *   descriptor of it, dma_buf_fd().
 * - An importer turns the descriptor into a reference with dma_buf_get(), and
 *   attaches its device with dma_buf_attach(), or with
 *   dma_buf_dynamic_attach() if it can follow moves of the memory.
 * - For access by the device it gets DMA addresses with
 *   dma_buf_map_attachment(), and releases them with
 *   dma_buf_unmap_attachment().
 * - In the end dma_buf_detach() and dma_buf_put() undo the first steps.
 *
 * When the last reference is dropped, be it a descriptor, a mapping in user space or
 * one of the kernel, the buffer leaves the list of live buffers and its statistics.
 * Then the core calls &dma_buf_ops.release.
 */

/**
 * DOC: locking convention
 *
 * There is one lock, the reservation lock &dma_buf.resv, here called R. It is
 * the same for all buffers of an exporter that share a reservation object, and
 * it is taken before all locks of drivers.
 *
 * Importers hold R when they call dma_buf_pin(), dma_buf_unpin(),
 * dma_buf_map_attachment(), dma_buf_try_map_attachment(),
 * dma_buf_unmap_attachment(), dma_buf_vmap(), dma_buf_vunmap(); exporters hold
 * it when they call dma_buf_move_notify().
 *
 * No caller holds R that calls dma_buf_export(), dma_buf_fd(), dma_buf_get(),
 * dma_buf_put(), dma_buf_attach(), dma_buf_dynamic_attach(), dma_buf_detach(),
 * dma_buf_mmap(), dma_buf_begin_cpu_access(), dma_buf_end_cpu_access(), or any
 * function that ends in _unlocked.
 *
 * Exporters are called with R held in &dma_buf_ops.pin, &dma_buf_ops.unpin,
 * &dma_buf_ops.map_dma_buf, &dma_buf_ops.try_map_dma_buf,
 * &dma_buf_ops.unmap_dma_buf, &dma_buf_ops.vmap and &dma_buf_ops.vunmap, and
 * importers in &dma_buf_attach_ops.move_notify. In all other callbacks R is
 * free, and may be taken.
 */

/**
 * struct dma_buf_object - all parts of a buffer, in one allocation
 * @buf: the part that drivers see
 * @resv: reservation object, unless the exporter has one
 * @inode: inode; keeps the allocation until it is freed, possibly long after the
 *	end of the buffer
 */
struct dma_buf_object {
	struct dma_buf buf;
	struct dma_resv resv;
	struct inode inode;
};

static struct kmem_cache *dma_buf_cache;
static struct vfsmount *dma_buf_mnt;

static struct dma_buf_object *dma_buf_object(struct dma_buf *dmabuf)
{
	return container_of(dmabuf, struct dma_buf_object, buf);
}

static struct dma_buf *dma_buf_of_inode(struct inode *inode)
{
	return &container_of(inode, struct dma_buf_object, inode)->buf;
}

/**
 * dma_buf_dev() - device number of the filesystem
 *
 * Context: Any, after dma_buf_init().
 * Return: the device number that stat() shows for all buffers.
 */
dev_t dma_buf_dev(void)
{
	return dma_buf_mnt->mnt_sb->s_dev;
}

/**
 * dma_buf_owns_resv() - does the reservation object come with the buffer?
 * @dmabuf: buffer
 *
 * Context: Any.
 * Return: false if it is one of the exporter.
 */
bool dma_buf_owns_resv(struct dma_buf *dmabuf)
{
	return dmabuf->resv == &dma_buf_object(dmabuf)->resv;
}

static void dma_buf_object_init_once(void *memory)
{
	struct dma_buf_object *object = memory;

	inode_init_once(&object->inode);
}

static struct inode *dma_buf_alloc_inode(struct super_block *sb)
{
	struct dma_buf_object *object;

	object = alloc_inode_sb(sb, dma_buf_cache, GFP_KERNEL);

	return object ? &object->inode : NULL;
}

/* Runs after a grace period: lookups and readers of the name use the inode under RCU. */
static void dma_buf_free_inode(struct inode *inode)
{
	kmem_cache_free(dma_buf_cache,
			container_of(inode, struct dma_buf_object, inode));
}

static const struct super_operations dma_buf_super_ops = {
	.alloc_inode = dma_buf_alloc_inode,
	.free_inode = dma_buf_free_inode,
	.statfs = simple_statfs,
};

/*
 * /proc shows this as the path: "/dmabuf:" and the name, if there is one. A path may
 * be held without a reference on the file (O_PATH), so the buffer may be gone.
 */
static char *dma_buf_dname(struct dentry *dentry, char *buffer, int buflen)
{
	struct dma_buf *dmabuf = dma_buf_of_inode(d_inode(dentry));
	const char *name;
	char *path;

	rcu_read_lock();
	name = rcu_dereference(dmabuf->name);
	path = dynamic_dname(buffer, buflen, "/%pd:%s", dentry, name ?: "");
	rcu_read_unlock();

	return path;
}

static const struct dentry_operations dma_buf_dentry_ops = {
	.d_dname = dma_buf_dname,
};

static int dma_buf_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, DMA_BUF_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &dma_buf_super_ops;
	ctx->dops = &dma_buf_dentry_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;

	return 0;
}

static struct file_system_type dma_buf_fs_type = {
	.name = "dmabuf",
	.init_fs_context = dma_buf_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * Make the statistics before the caller learns the inode number. It may hold a path
 * without a reference on the file (O_PATH), so the buffer may be gone.
 */
static int dma_buf_getattr(struct mnt_idmap *idmap, const struct path *path,
			   struct kstat *stat, u32 request_mask,
			   unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);

	dma_buf_stats_need(dma_buf_of_inode(inode));
	generic_fillattr(idmap, request_mask, inode, stat);

	return 0;
}

static const struct inode_operations dma_buf_inode_ops = {
	.getattr = dma_buf_getattr,
};

/**
 * dma_buf_replace_name() - set or clear the name of a buffer
 * @dmabuf: buffer
 * @name: new name, which belongs to the buffer from now on, or NULL
 *
 * Context: Process context, may sleep.
 */
void dma_buf_replace_name(struct dma_buf *dmabuf, const char *name)
{
	const char *old;

	scoped_guard(spinlock, &dmabuf->name_lock)
		old = rcu_replace_pointer(dmabuf->name, name,
					  lockdep_is_held(&dmabuf->name_lock));
	if (old)
		kfree_rcu_mightsleep(old);
}

/*
 * The end of the file is the end of the buffer. The dentry (O_PATH) and the inode
 * (inotify) may last longer, but they only give access to the inode and the name.
 */
static int dma_buf_file_release(struct inode *inode, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;

	/* Users of the kernel mapping, and callbacks of poll, hold references. */
	WARN_ON_ONCE(dmabuf->vmapping_counter);
	WARN_ON_ONCE(dmabuf->cb_in.active || dmabuf->cb_out.active);

	if (trace_dma_buf_release_enabled())
		trace_dma_buf_release(dmabuf, dma_buf_lifetime(dmabuf));

	dma_buf_list_del(dmabuf);
	dma_buf_stats_released(dmabuf);
	dmabuf->ops->release(dmabuf);
	dmabuf->file = NULL;

	if (dma_buf_owns_resv(dmabuf))
		dma_resv_fini(dmabuf->resv);

	WARN_ON_ONCE(!list_empty(&dmabuf->attachments));
	/* No task can set a name any more. */
	if (rcu_access_pointer(dmabuf->name))
		dma_buf_replace_name(dmabuf, NULL);
	module_put(dmabuf->owner);

	return 0;
}

/*
 * The file has no position. Programs seek to the end to learn the size, and to the
 * start to undo that, so both work without the other.
 */
static loff_t dma_buf_llseek(struct file *file, loff_t offset, int whence)
{
	struct dma_buf *dmabuf = file->private_data;

	if (offset)
		return -EINVAL;

	switch (whence) {
	case SEEK_END:
		return dmabuf->size;
	case SEEK_SET:
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * dma_buf_show_name() - print a name that may have any bytes
 * @m: file to print to
 * @name: name of a buffer
 *
 * A control character in a name would begin a new line or column, so that user space
 * could forge entries of the text. They are printed in octal, and so is the backslash,
 * to keep the text unambiguous.
 *
 * Context: Any.
 */
void dma_buf_show_name(struct seq_file *m, const char *name)
{
	seq_escape(m, name, "\\\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017"
		   "\020\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037\177");
}

static void dma_buf_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	const char *name;

	/* The VFS has written the inode number. */
	dma_buf_stats_need(dmabuf);

	seq_printf(m, "size:\t%zu\n", dmabuf->size);
	/* Do not count the reference of the reader. */
	seq_printf(m, "count:\t%ld\n", file_count(dmabuf->file) - 1);
	seq_printf(m, "exp_name:\t%s\n", dmabuf->exp_name);

	rcu_read_lock();
	name = rcu_dereference(dmabuf->name);
	if (name) {
		seq_puts(m, "name:\t");
		dma_buf_show_name(m, name);
		seq_putc(m, '\n');
	}
	rcu_read_unlock();
}

static const struct file_operations dma_buf_fops = {
	.release = dma_buf_file_release,
	.mmap = dma_buf_file_mmap,
	/* An aligned address lets the exporter map large pages. */
	.get_unmapped_area = thp_get_unmapped_area,
	.llseek = dma_buf_llseek,
	.poll = dma_buf_poll,
	.unlocked_ioctl = dma_buf_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = dma_buf_show_fdinfo,
};

static bool dma_buf_is_file(struct file *file)
{
	return file->f_op == &dma_buf_fops;
}

static bool dma_buf_export_info_valid(const struct dma_buf_export_info *info)
{
	const struct dma_buf_ops *ops = info->ops;

	if (WARN_ON_ONCE(!info->priv || !ops || !ops->map_dma_buf ||
			 !ops->unmap_dma_buf || !ops->release))
		return false;

	/* A kept mapping cannot follow a move of the memory. */
	if (WARN_ON_ONCE(ops->cache_sgt_mapping && (ops->pin || ops->unpin)))
		return false;

	return !WARN_ON_ONCE(!ops->pin != !ops->unpin);
}

/* Fill in a buffer that has no file yet. */
static void dma_buf_init_object(struct dma_buf *dmabuf,
				const struct dma_buf_export_info *info)
{
	memset(dmabuf, 0, sizeof(*dmabuf));

	dmabuf->size = info->size;
	dmabuf->ops = info->ops;
	dmabuf->priv = info->priv;
	dmabuf->exp_name = info->exp_name;
	dmabuf->owner = info->owner;
	INIT_LIST_HEAD(&dmabuf->attachments);
	spin_lock_init(&dmabuf->name_lock);
	init_waitqueue_head(&dmabuf->poll);

	dmabuf->resv = info->resv;
	if (!dmabuf->resv) {
		dmabuf->resv = &dma_buf_object(dmabuf)->resv;
		dma_resv_init(dmabuf->resv);
	}
}

static void dma_buf_abort_object(struct dma_buf *dmabuf)
{
	if (dma_buf_owns_resv(dmabuf))
		dma_resv_fini(dmabuf->resv);
}

static struct dma_buf *
dma_buf_create(const struct dma_buf_export_info *info)
{
	struct dma_buf *dmabuf;
	struct inode *inode;
	struct file *file;

	inode = alloc_anon_inode(dma_buf_mnt->mnt_sb);
	if (IS_ERR(inode))
		return ERR_CAST(inode);

	inode->i_op = &dma_buf_inode_ops;
	inode_set_bytes(inode, info->size);
	i_size_write(inode, info->size);

	dmabuf = dma_buf_of_inode(inode);
	dma_buf_init_object(dmabuf, info);

	file = alloc_file_pseudo(inode, dma_buf_mnt, "dmabuf",
				 info->flags & (O_ACCMODE | O_NONBLOCK),
				 &dma_buf_fops);
	if (IS_ERR(file)) {
		dma_buf_abort_object(dmabuf);
		iput(inode);
		return ERR_CAST(file);
	}

	file->private_data = dmabuf;
	dmabuf->file = file;

	return dmabuf;
}

/**
 * dma_buf_export() - make a buffer that can be shared
 * @info: description of the buffer; not used after the return, except for the
 *	objects that it points to
 *
 * The caller owns the one reference. The buffer holds a reference on
 * &dma_buf_export_info.owner. On error nothing is left behind, and
 * &dma_buf_ops.release is not called.
 *
 * Context: Process context, may sleep. &dma_buf_export_info.resv is not held.
 * Return: buffer, or
 *
 * * %-EINVAL - operations or private data are missing, or contradict each other
 *   (both come with a warning); or there is no name, with
 *   CONFIG_DMABUF_SYSFS_STATS
 * * %-ENOENT - the owner is being unloaded
 * * %-ENOMEM - out of memory
 * * %-ENFILE - too many files in the system
 */
struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info)
{
	struct dma_buf *dmabuf;
	int ret;

	if (!dma_buf_export_info_valid(info))
		return ERR_PTR(-EINVAL);

	ret = dma_buf_stats_check(info);
	if (ret)
		return ERR_PTR(ret);

	if (!try_module_get(info->owner))
		return ERR_PTR(-ENOENT);

	dmabuf = dma_buf_create(info);
	if (IS_ERR(dmabuf)) {
		module_put(info->owner);
		return dmabuf;
	}

	dma_buf_stamp(dmabuf, _RET_IP_);
	dma_buf_list_add(dmabuf, file_inode(dmabuf->file));
	trace_dma_buf_export(dmabuf);
	dma_buf_stats_exported();

	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_export, DMA_BUF);

/**
 * dma_buf_get() - get the buffer behind a file descriptor
 * @fd: descriptor of the current task
 *
 * Context: Process context.
 * Return: buffer with a reference of its own, or
 *
 * * %-EBADF - no such descriptor
 * * %-EINVAL - it is something else
 */
struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);

	if (!dma_buf_is_file(file)) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}

	trace_dma_buf_get(file->private_data, fd);

	return file->private_data;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_get, DMA_BUF);

/**
 * dma_buf_put() - drop a reference
 * @dmabuf: buffer; NULL warns
 *
 * With the last one the buffer is destroyed: before the task returns to user
 * space, or a moment later if the caller is a kernel thread or an interrupt.
 *
 * Context: Any. &dma_buf.resv is not held.
 */
void dma_buf_put(struct dma_buf *dmabuf)
{
	if (WARN_ON_ONCE(!dmabuf || !dmabuf->file))
		return;

	trace_dma_buf_put(dmabuf);
	fput(dmabuf->file);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_put, DMA_BUF);

/**
 * dma_buf_install_fd() - let a descriptor refer to a buffer
 * @dmabuf: buffer; the caller's reference belongs to the descriptor
 * @fd: what get_unused_fd_flags() has returned
 *
 * Context: Process context of the task that gets the descriptor.
 */
void dma_buf_install_fd(struct dma_buf *dmabuf, int fd)
{
	/* Another task may close @fd as soon as it refers to the buffer. */
	trace_dma_buf_fd(dmabuf, fd);
	fd_install(fd, dmabuf->file);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_install_fd, DMA_BUF);

/**
 * dma_buf_fd() - make a file descriptor of a buffer
 * @dmabuf: buffer; on success the caller's reference belongs to the descriptor
 * @flags: O_CLOEXEC or 0
 *
 * Context: Process context of the task that gets the descriptor.
 * Return: descriptor, or
 *
 * * %-EINVAL - @dmabuf is NULL or has no file
 * * %-EMFILE - the task has too many, and what else comes from
 *   get_unused_fd_flags(); the caller keeps the reference
 */
int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	if (!dmabuf || !dmabuf->file)
		return -EINVAL;

	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		return fd;

	dma_buf_install_fd(dmabuf, fd);

	return fd;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_fd, DMA_BUF);

static int __init dma_buf_init(void)
{
	int ret;

	dma_buf_list_init();

	dma_buf_cache = kmem_cache_create("dma_buf",
					  sizeof(struct dma_buf_object), 0,
					  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					  dma_buf_object_init_once);
	if (!dma_buf_cache)
		return -ENOMEM;

	dma_buf_mnt = kern_mount(&dma_buf_fs_type);
	if (IS_ERR(dma_buf_mnt)) {
		ret = PTR_ERR(dma_buf_mnt);
		goto err_destroy_cache;
	}

	ret = dma_buf_sysfs_init();
	if (ret)
		goto err_unmount;

	ret = dma_buf_stats_init();
	if (ret)
		goto err_remove_sysfs;

	dma_buf_debugfs_init();

	return 0;

err_remove_sysfs:
	dma_buf_sysfs_exit();
err_unmount:
	kern_unmount(dma_buf_mnt);
err_destroy_cache:
	dma_buf_mnt = NULL;
	kmem_cache_destroy(dma_buf_cache);
	return ret;
}
subsys_initcall(dma_buf_init);
