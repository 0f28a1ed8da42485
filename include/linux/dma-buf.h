/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers that devices share: the interface of exporters and importers, implemented in
 * dma-buf*.c. Drivers are compiled against it, so names and members stay; a new member
 * is optional for drivers.
 */

#ifndef __DMA_BUF_H__
#define __DMA_BUF_H__

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct dma_resv;
struct module;
struct vm_area_struct;

/**
 * struct dma_buf_ops - what an exporter implements
 *
 * The text of each callback says whether &dma_buf.resv is held. If it is not, the
 * exporter may take it.
 *
 * An exporter with @pin and @unpin is dynamic: it may move memory that is not pinned.
 */
struct dma_buf_ops {
	/**
	 * @cache_sgt_mapping: keep the first mapping of each attachment until
	 * it is detached, and return it for each map. This is for exporters
	 * whose mappings are expensive and can have any number of users: they
	 * need no cache of their own. Not together with @pin and @unpin.
	 */
	bool cache_sgt_mapping;

	/**
	 * @attach: a device wants to use the buffer. The exporter checks that
	 * the device can reach the memory, or that the memory can be moved to
	 * where it can; the constraints are in the DMA parameters of
	 * &dma_buf_attachment.dev. It may store &dma_buf_attachment.priv, and
	 * clear &dma_buf_attachment.peer2peer. Optional; without it any device
	 * may attach.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is not held, the
	 * attachment is not on the list yet.
	 * Return: 0, or the errno for the importer: -EBUSY if the memory has
	 * been allocated already, in a place that does not suit the device.
	 */
	int (*attach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);

	/**
	 * @detach: the opposite of @attach. Optional.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is not held, the
	 * attachment is not on the list any more.
	 */
	void (*detach)(struct dma_buf *dmabuf,
		       struct dma_buf_attachment *attach);

	/**
	 * @pin: move the memory to a place that the importer can reach, and do
	 * not move it until @unpin. When this returns, the memory can be used:
	 * it holds no data of a former owner, and no move is in flight. Pins
	 * are counted. Only together with @unpin, and not with
	 * @cache_sgt_mapping.
	 *
	 * Dynamic importers ask for it by dma_buf_pin(). For static ones the
	 * core calls it at attach. Without %CONFIG_DMABUF_MOVE_NOTIFY it also
	 * does so before it maps for dynamic ones.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 * Return: 0 or the errno for the importer.
	 */
	int (*pin)(struct dma_buf_attachment *attach);

	/**
	 * @unpin: the opposite of @pin. After the last one the memory may move.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 */
	void (*unpin)(struct dma_buf_attachment *attach);

	/**
	 * @map_dma_buf: map the memory for DMA by &dma_buf_attachment.dev, whose
	 * constraints are in its DMA parameters. Mandatory. Called only for
	 * devices that @attach has agreed to.
	 *
	 * An exporter need not have memory before the first map. Then it can
	 * look at all of &dma_buf.attachments, and choose memory for all of
	 * these devices. It decides whether a buffer can be mapped several times
	 * at once.
	 *
	 * If the exporter is static, the memory is ready when this returns: it
	 * has been moved, and holds no data of a former owner. A dynamic one may
	 * leave fences of %DMA_RESV_USAGE_KERNEL that stand for the rest of the
	 * work. Dynamic importers obey them, and the core waits for them on
	 * behalf of static ones.
	 *
	 * DMA addresses and lengths are whole pages. From here to
	 * @unmap_dma_buf the table belongs to the caller: the exporter neither
	 * changes it nor returns it to another caller. It does not keep the
	 * table for the next map either: the core (@cache_sgt_mapping) or the
	 * importer may do so.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 * Return: table with DMA addresses; ERR_PTR(), such as -EINTR if a
	 * signal came while it waited; NULL stands for -ENOMEM.
	 */
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction direction);

	/**
	 * @unmap_dma_buf: the opposite of @map_dma_buf; gets the table that it
	 * has returned, and the same direction. After the last one, an exporter
	 * that keeps the memory in place for mappings may move it.
	 * Mandatory.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 */
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction direction);

	/**
	 * @release: the last reference has been dropped; free the memory. Mandatory.
	 * The members of the buffer are still valid.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is not held.
	 */
	void (*release)(struct dma_buf *dmabuf);

	/**
	 * @begin_cpu_access: make memory coherent for the CPU: writes of devices
	 * become visible to it. Only for access in @direction; in any other, the
	 * CPU may see stale data. Called for DMA_BUF_IOCTL_SYNC of user space,
	 * and for users of @vmap alike. Optional. The core waits for implicit
	 * fences afterwards.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is not held.
	 * Return: 0 or the errno for the caller, such as -ENOMEM, or -EINTR if
	 * a signal came.
	 */
	int (*begin_cpu_access)(struct dma_buf *dmabuf,
				enum dma_data_direction direction);

	/**
	 * @end_cpu_access: make writes of the CPU visible to devices, after an
	 * access in @direction. Optional.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is not held.
	 * Return: 0 or the errno for the caller, as for @begin_cpu_access.
	 */
	int (*end_cpu_access)(struct dma_buf *dmabuf,
			      enum dma_data_direction direction);

	/**
	 * @mmap: map the memory into user space. Optional; without it there is
	 * no mmap(). The core has checked that offset and length are within the
	 * buffer, whose size never changes, and nothing else.
	 *
	 * The mapping need not be coherent: user space brackets its access by
	 * DMA_BUF_IOCTL_SYNC. An exporter that takes pages out of page tables
	 * again, say to move them, has to find its mappings for that: it puts a
	 * file and an offset of its own into @vma.
	 *
	 * Context: Process context with mmap_lock held, may sleep.
	 * &dma_buf.resv is not held.
	 * Return: 0 or the errno for mmap().
	 */
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);

	/**
	 * @vmap: map the whole buffer into the kernel, for the first user; the
	 * others get the same mapping. Optional. The limits of vmap() hold here:
	 * address space for it is scarce on 32 bits, it may sleep, and caches
	 * may alias.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 * Return: 0 with @map set, or the errno for the caller.
	 */
	int (*vmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @vunmap: the opposite of @vmap, for the last user. Optional.
	 *
	 * Context: Process context, may sleep. &dma_buf.resv is held.
	 */
	void (*vunmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @try_map_dma_buf: @map_dma_buf for dma_buf_try_map_attachment(), whose
	 * caller does not want to wait. It must not sleep until memory has been
	 * moved or a fence has signalled, nor take a lock under which other
	 * tasks do so; it may sleep to allocate memory. Optional; without it,
	 * the core returns -EBUSY unless there is a kept mapping. If
	 * @map_dma_buf never waits, it can serve as both.
	 *
	 * @unmap_dma_buf undoes the mapping that it returns. An error leaves
	 * nothing behind. The core has checked before that no fence of
	 * %DMA_RESV_USAGE_KERNEL is pending, if the importer is static.
	 *
	 * Context: Process context, may sleep to allocate. &dma_buf.resv is held.
	 * Return: as @map_dma_buf; -EBUSY if it would have to wait.
	 */
	struct sg_table *(*try_map_dma_buf)(struct dma_buf_attachment *attach,
					    enum dma_data_direction direction);
};

/**
 * struct dma_buf_poll_cb_t - a callback on a fence, for all pollers of a buffer
 * @cb: the callback. Owned by the task that has set @active.
 * @poll: &dma_buf.poll of the buffer; set together with @active
 * @active: the event, EPOLLIN or EPOLLOUT, that the callback is going to
 *	report; 0 if no callback is installed. Guarded by the lock of
 *	&dma_buf.poll; a racy read is a hint.
 */
struct dma_buf_poll_cb_t {
	struct dma_fence_cb cb;
	wait_queue_head_t *poll;
	__poll_t active;
};

/**
 * struct dma_buf_sysfs_entry - the directory of a buffer in sysfs
 * @kobj: the directory
 * @dmabuf: the buffer, which lives longer; constant
 */
struct dma_buf_sysfs_entry {
	struct kobject kobj;
	struct dma_buf *dmabuf;
};

/**
 * struct dma_buf - a buffer that devices share
 * @size: bytes; constant
 * @file: the file that counts references and that user space gets; constant
 *	until &dma_buf_ops.release has returned
 * @attachments: all &dma_buf_attachment.node, newest first. Guarded by @resv.
 * @ops: the exporter's operations. Not to be cached: some exporters set their
 *	own after the generic export.
 * @resv: reservation object, the exporter's or one that comes with the buffer;
 *	never NULL, constant. All users of the buffer obey its rules, see
 *	"Implicit Synchronisation" and "Dynamic Importers" in
 *	Documentation/driver-api/dma-buf.rst.
 * @priv: the exporter's data
 * @exp_name: name of the exporter, not a copy; constant
 * @owner: the exporter's module, on which the buffer holds a reference; constant
 * @name: name given by user space, or NULL. Read under RCU or @name_lock,
 *	replaced under @name_lock, freed after a grace period.
 * @name_lock: guards @name
 * @vmapping_counter: users of @vmap_ptr. Guarded by @resv.
 * @vmap_ptr: kernel mapping, if there are users. Guarded by @resv.
 * @list_node: link in the list of live buffers, empty once the file is
 *	released; see dma-buf-list.c
 * @poll: wait queue of poll()
 * @cb_in: callback on a fence that a reader has to wait for
 * @cb_out: callback on a fence that a writer has to wait for
 * @sysfs_entry: complete directory in sysfs, or NULL; see
 *	dma-buf-sysfs-stats.c
 * @sysfs_claimed: there has been an attempt to make @sysfs_entry. Set under the
 *	lock of the list that @list_node is on.
 * @shard: the list of live buffers that @list_node is on; constant
 * @since: time of export, in nanoseconds of CLOCK_BOOTTIME, to the tick; constant
 * @caller: address of the call of dma_buf_export(); constant
 * @tgid: process for which it was made, in the initial pid namespace; constant
 * @comm: name that the process had; constant
 *
 * Made by dma_buf_export(). Drivers use the first six members.
 */
struct dma_buf {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct dma_buf_ops *ops;
	struct dma_resv *resv;
	void *priv;

	const char *exp_name;
	struct module *owner;
	const char __rcu *name;
	spinlock_t name_lock;	/* guards name */
	unsigned int vmapping_counter;
	struct iosys_map vmap_ptr;
	struct list_head list_node;
	wait_queue_head_t poll;
	struct dma_buf_poll_cb_t cb_in;
	struct dma_buf_poll_cb_t cb_out;
#ifdef CONFIG_DMABUF_SYSFS_STATS
	struct dma_buf_sysfs_entry *sysfs_entry;
	bool sysfs_claimed;
#endif
	u16 shard;
#ifdef CONFIG_DMABUF_STAMP
	pid_t tgid;
	u64 since;
	unsigned long caller;
	char comm[TASK_COMM_LEN];
#endif
};

/**
 * struct dma_buf_attach_ops - what a dynamic importer implements
 *
 * "Dynamic Importers" in Documentation/driver-api/dma-buf.rst describes the duties of
 * such an importer.
 */
struct dma_buf_attach_ops {
	/**
	 * @allow_peer2peer: the importer can handle memory that has no struct
	 * page, such as that of another device. Initial value of
	 * &dma_buf_attachment.peer2peer.
	 */
	bool allow_peer2peer;

	/**
	 * @move_notify: the exporter is going to move the memory, and need not
	 * have it pinned for this importer. Mandatory, unless there is
	 * @__invalidate_mappings.
	 *
	 * Mappings that exist stay valid until the importer unmaps them. It does
	 * so, and maps again, as soon as it can; a new mapping leads to the new
	 * place. All mappings of dynamic importers are made with &dma_buf.resv
	 * held, so none is made while the exporter moves the memory.
	 *
	 * Do not wait for the device here: accesses that cannot be stopped at
	 * once have fences in &dma_buf.resv. Unmapping here, with
	 * dma_buf_unmap_attachment(), is allowed if the device does not access the
	 * memory any more.
	 *
	 * Context: Process context. &dma_buf.resv is held, so functions that take
	 * it, attach and detach among them, would deadlock.
	 */
	void (*move_notify)(struct dma_buf_attachment *attach);

	/**
	 * @__invalidate_mappings: called in place of @move_notify, and also when
	 * the exporter takes memory away that is pinned. By the name that newer
	 * kernels have for it: see linux/dma-buf-newer.h.
	 *
	 * Context: Process context. &dma_buf.resv is held.
	 */
	void (*__invalidate_mappings)(struct dma_buf_attachment *attach);
};

/**
 * struct dma_buf_attachment - a device that uses a buffer
 * @dmabuf: the buffer; constant
 * @dev: the device; constant
 * @node: link in &dma_buf.attachments. Guarded by &dma_buf.resv.
 * @sgt: mapping that is kept until detach, or NULL. Guarded by &dma_buf.resv.
 * @dir: direction of @sgt. Guarded by &dma_buf.resv.
 * @peer2peer: the importer takes memory without struct page. Set before, and
 *	possibly cleared in, &dma_buf_ops.attach; constant afterwards.
 * @importer_ops: the importer's operations, NULL for a static one; constant
 * @importer_priv: the importer's data
 * @priv: the exporter's data
 * @caller: address of the call of dma_buf_attach() or dma_buf_dynamic_attach(); constant
 * @since: time of that, in nanoseconds of CLOCK_BOOTTIME, to the tick; constant
 * @tgid: process of that, in the initial pid namespace; constant
 * @maps: mappings that are not kept. Guarded by &dma_buf.resv.
 * @pins: number of pins by the importer. Guarded by &dma_buf.resv.
 *
 * Made by dma_buf_attach() and dma_buf_dynamic_attach().
 */
struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	bool peer2peer;
	const struct dma_buf_attach_ops *importer_ops;
	void *importer_priv;
	void *priv;
#ifdef CONFIG_DMABUF_STAMP
	unsigned long caller;
	u64 since;
	pid_t tgid;
	u16 maps;
	u16 pins;
#endif
};

/**
 * struct dma_buf_export_info - description of a buffer for dma_buf_export()
 * @exp_name: name of the exporter, for humans to read. Not copied.
 * @owner: module that @ops and @exp_name belong to
 * @ops: the exporter's operations; mandatory
 * @size: bytes
 * @flags: access mode of the file, and O_NONBLOCK; the rest is ignored
 * @resv: reservation object, which must outlive the buffer, or NULL for one that
 *	comes with the buffer
 * @priv: the exporter's data; mandatory
 *
 * Declare with DEFINE_DMA_BUF_EXPORT_INFO().
 */
struct dma_buf_export_info {
	const char *exp_name;
	struct module *owner;
	const struct dma_buf_ops *ops;
	size_t size;
	int flags;
	struct dma_resv *resv;
	void *priv;
};

/**
 * DEFINE_DMA_BUF_EXPORT_INFO() - declare a &struct dma_buf_export_info
 * @name: name of the variable
 *
 * Sets exporter and owner to the module that uses the macro, the rest to 0.
 */
#define DEFINE_DMA_BUF_EXPORT_INFO(name)		\
	struct dma_buf_export_info name = {		\
		.exp_name = KBUILD_MODNAME,		\
		.owner = THIS_MODULE,			\
	}

/**
 * get_dma_buf() - take one more reference
 * @dmabuf: buffer on which the caller owns a reference
 *
 * Context: Any.
 */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

/**
 * dma_buf_is_dynamic() - may the exporter move the memory?
 * @dmabuf: buffer
 *
 * Context: Any.
 * Return: true if the exporter has &dma_buf_ops.pin.
 */
static inline bool dma_buf_is_dynamic(struct dma_buf *dmabuf)
{
	return dmabuf->ops->pin;
}

/**
 * dma_buf_attachment_is_dynamic() - can the importer follow moves of the memory?
 * @attach: attachment
 *
 * Context: Any.
 * Return: true if the importer has a &struct dma_buf_attach_ops.
 */
static inline bool
dma_buf_attachment_is_dynamic(struct dma_buf_attachment *attach)
{
	return attach->importer_ops;
}

struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info);
int dma_buf_fd(struct dma_buf *dmabuf, int flags);
struct dma_buf *dma_buf_get(int fd);
void dma_buf_put(struct dma_buf *dmabuf);

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev);
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *ops, void *priv);
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
int dma_buf_pin(struct dma_buf_attachment *attach);
void dma_buf_unpin(struct dma_buf_attachment *attach);

struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
struct sg_table *dma_buf_try_map_attachment(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir);
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir);
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction dir);
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sgt,
				       enum dma_data_direction dir);
void dma_buf_move_notify(struct dma_buf *dmabuf);

int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction dir);
int dma_buf_end_cpu_access(struct dma_buf *dmabuf,
			   enum dma_data_direction dir);
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff);
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);

#endif /* __DMA_BUF_H__ */
