// SPDX-License-Identifier: GPL-2.0
/*
 * The names and types of linux/dma-buf.h on which drivers rely. All of it but the
 * presets is checked by the compiler: an object of this file is the result.
 */

/* Alone and first: the header has to include all that it needs. */
#include <linux/dma-buf.h>

static_assert(sizeof(struct iosys_map) && sizeof(struct file) && sizeof(struct sg_table) &&
	      sizeof(struct list_head) && sizeof(struct dma_fence) && sizeof(wait_queue_head_t));
static_assert(__same_type(iosys_map_clear, void (struct iosys_map *)));
static_assert(__same_type(fput, void (struct file *)));
static_assert(__same_type(file_inode, struct inode *(const struct file *)));
static_assert(__same_type(IS_ERR, bool (const void *)));
static_assert(__same_type(sg_next, struct scatterlist *(struct scatterlist *)));
static_assert(__same_type(list_add, void (struct list_head *, struct list_head *)));
static_assert(__same_type(dma_map_sgtable,
			  int (struct device *, struct sg_table *, enum dma_data_direction,
			       unsigned long)));
static_assert(__same_type(dma_fence_put, void (struct dma_fence *)));
static_assert(__same_type(remove_wait_queue,
			  void (struct wait_queue_head *, struct wait_queue_entry *)));

#include <kunit/test.h>
#include <linux/kobject.h>
#include <linux/module.h>

/* The type comes last, as it may contain commas. */
#define MEMBER(structure, member, ...)	\
	static_assert(__same_type(((struct structure *)NULL)->member, __VA_ARGS__))

MEMBER(dma_buf_ops, cache_sgt_mapping, bool);
MEMBER(dma_buf_ops, attach, int (*)(struct dma_buf *, struct dma_buf_attachment *));
MEMBER(dma_buf_ops, detach, void (*)(struct dma_buf *, struct dma_buf_attachment *));
MEMBER(dma_buf_ops, pin, int (*)(struct dma_buf_attachment *));
MEMBER(dma_buf_ops, unpin, void (*)(struct dma_buf_attachment *));
MEMBER(dma_buf_ops, map_dma_buf, typeof(dma_buf_map_attachment) *);
MEMBER(dma_buf_ops, unmap_dma_buf, typeof(dma_buf_unmap_attachment) *);
MEMBER(dma_buf_ops, release, void (*)(struct dma_buf *));
MEMBER(dma_buf_ops, begin_cpu_access, int (*)(struct dma_buf *, enum dma_data_direction));
MEMBER(dma_buf_ops, end_cpu_access, int (*)(struct dma_buf *, enum dma_data_direction));
MEMBER(dma_buf_ops, mmap, int (*)(struct dma_buf *, struct vm_area_struct *));
MEMBER(dma_buf_ops, vmap, int (*)(struct dma_buf *, struct iosys_map *));
MEMBER(dma_buf_ops, vunmap, void (*)(struct dma_buf *, struct iosys_map *));
MEMBER(dma_buf_ops, try_map_dma_buf, typeof(dma_buf_map_attachment) *);

MEMBER(dma_buf, size, size_t);
MEMBER(dma_buf, file, struct file *);
MEMBER(dma_buf, attachments, struct list_head);
MEMBER(dma_buf, ops, const struct dma_buf_ops *);
MEMBER(dma_buf, vmapping_counter, unsigned int);
MEMBER(dma_buf, vmap_ptr, struct iosys_map);
MEMBER(dma_buf, exp_name, const char *);
MEMBER(dma_buf, name, const char __rcu *);
MEMBER(dma_buf, name_lock, spinlock_t);
MEMBER(dma_buf, owner, struct module *);
MEMBER(dma_buf, list_node, struct list_head);
MEMBER(dma_buf, priv, void *);
MEMBER(dma_buf, resv, struct dma_resv *);
MEMBER(dma_buf, poll, wait_queue_head_t);
MEMBER(dma_buf, cb_in, struct dma_buf_poll_cb_t);
MEMBER(dma_buf, cb_out, struct dma_buf_poll_cb_t);

MEMBER(dma_buf_poll_cb_t, cb, struct dma_fence_cb);
MEMBER(dma_buf_poll_cb_t, poll, wait_queue_head_t *);
MEMBER(dma_buf_poll_cb_t, active, __poll_t);

#ifdef CONFIG_DMABUF_SYSFS_STATS
MEMBER(dma_buf, sysfs_entry, struct dma_buf_sysfs_entry *);
#endif
MEMBER(dma_buf_sysfs_entry, kobj, struct kobject);
MEMBER(dma_buf_sysfs_entry, dmabuf, struct dma_buf *);

MEMBER(dma_buf_attach_ops, allow_peer2peer, bool);
MEMBER(dma_buf_attach_ops, move_notify, void (*)(struct dma_buf_attachment *));

MEMBER(dma_buf_attachment, dmabuf, struct dma_buf *);
MEMBER(dma_buf_attachment, dev, struct device *);
MEMBER(dma_buf_attachment, node, struct list_head);
MEMBER(dma_buf_attachment, sgt, struct sg_table *);
MEMBER(dma_buf_attachment, dir, enum dma_data_direction);
MEMBER(dma_buf_attachment, peer2peer, bool);
MEMBER(dma_buf_attachment, importer_ops, const struct dma_buf_attach_ops *);
MEMBER(dma_buf_attachment, importer_priv, void *);
MEMBER(dma_buf_attachment, priv, void *);

MEMBER(dma_buf_export_info, exp_name, const char *);
MEMBER(dma_buf_export_info, owner, struct module *);
MEMBER(dma_buf_export_info, ops, const struct dma_buf_ops *);
MEMBER(dma_buf_export_info, size, size_t);
MEMBER(dma_buf_export_info, flags, int);
MEMBER(dma_buf_export_info, resv, struct dma_resv *);
MEMBER(dma_buf_export_info, priv, void *);

#define FUNCTION(function, ...)	static_assert(__same_type(function, __VA_ARGS__))

FUNCTION(get_dma_buf, void (struct dma_buf *));
FUNCTION(dma_buf_is_dynamic, bool (struct dma_buf *));
FUNCTION(dma_buf_attachment_is_dynamic, bool (struct dma_buf_attachment *));

FUNCTION(dma_buf_attach, struct dma_buf_attachment *(struct dma_buf *, struct device *));
FUNCTION(dma_buf_dynamic_attach,
	 struct dma_buf_attachment *(struct dma_buf *, struct device *,
				     const struct dma_buf_attach_ops *, void *));
FUNCTION(dma_buf_detach, void (struct dma_buf *, struct dma_buf_attachment *));
FUNCTION(dma_buf_pin, int (struct dma_buf_attachment *));
FUNCTION(dma_buf_unpin, void (struct dma_buf_attachment *));
FUNCTION(dma_buf_export, struct dma_buf *(const struct dma_buf_export_info *));
FUNCTION(dma_buf_fd, int (struct dma_buf *, int));
FUNCTION(dma_buf_get, struct dma_buf *(int));
FUNCTION(dma_buf_put, void (struct dma_buf *));
FUNCTION(dma_buf_map_attachment,
	 struct sg_table *(struct dma_buf_attachment *, enum dma_data_direction));
FUNCTION(dma_buf_try_map_attachment,
	 struct sg_table *(struct dma_buf_attachment *, enum dma_data_direction));
FUNCTION(dma_buf_unmap_attachment,
	 void (struct dma_buf_attachment *, struct sg_table *, enum dma_data_direction));
FUNCTION(dma_buf_move_notify, void (struct dma_buf *));
FUNCTION(dma_buf_begin_cpu_access, int (struct dma_buf *, enum dma_data_direction));
FUNCTION(dma_buf_end_cpu_access, int (struct dma_buf *, enum dma_data_direction));
FUNCTION(dma_buf_map_attachment_unlocked,
	 struct sg_table *(struct dma_buf_attachment *, enum dma_data_direction));
FUNCTION(dma_buf_unmap_attachment_unlocked,
	 void (struct dma_buf_attachment *, struct sg_table *, enum dma_data_direction));
FUNCTION(dma_buf_mmap, int (struct dma_buf *, struct vm_area_struct *, unsigned long));
FUNCTION(dma_buf_vmap, int (struct dma_buf *, struct iosys_map *));
FUNCTION(dma_buf_vunmap, void (struct dma_buf *, struct iosys_map *));
FUNCTION(dma_buf_vmap_unlocked, int (struct dma_buf *, struct iosys_map *));
FUNCTION(dma_buf_vunmap_unlocked, void (struct dma_buf *, struct iosys_map *));

/* The stamps fit into what kmalloc() gives anyway. */
#ifdef CONFIG_64BIT
static_assert(sizeof(struct dma_buf_attachment) <= 96);
#endif

static void dma_buf_header_presets(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_EXPECT_STREQ(test, info.exp_name, KBUILD_MODNAME);
	KUNIT_EXPECT_PTR_EQ(test, info.owner, THIS_MODULE);
	KUNIT_EXPECT_NULL(test, info.ops);
	KUNIT_EXPECT_EQ(test, info.size, 0);
	KUNIT_EXPECT_EQ(test, info.flags, 0);
	KUNIT_EXPECT_NULL(test, info.resv);
	KUNIT_EXPECT_NULL(test, info.priv);
}

static struct kunit_case dma_buf_header_cases[] = {
	KUNIT_CASE(dma_buf_header_presets),
	{}
};

static struct kunit_suite dma_buf_header_suite = {
	.name = "dma_buf_header",
	.test_cases = dma_buf_header_cases,
};

kunit_test_suite(dma_buf_header_suite);

MODULE_DESCRIPTION("Names and types of linux/dma-buf.h");
MODULE_LICENSE("GPL");
