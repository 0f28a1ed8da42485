// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/dmabuf: totals that any user may read, the number of buffers and their
 * size. Files that user space knows stay, see Documentation/ABI.
 */

#include <linux/dma-buf.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "dma-buf-list.h"
#include "dma-buf-sysfs.h"

/**
 * DOC: totals
 *
 * ``/sys/kernel/dmabuf/total_buffers`` and ``total_bytes`` have the number of buffers
 * and the sum of their sizes. The time to read them does not depend on the number of
 * buffers, and they need no privilege, so a monitor can read them every second. A
 * buffer counts from dma_buf_export() until its file is released, as long as it is on
 * the list of live buffers. They depend on no option but sysfs itself.
 */

static struct kobject *dma_buf_sysfs_kobj;

static ssize_t total_buffers_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", dma_buf_list_totals().buffers);
}

static ssize_t total_bytes_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", dma_buf_list_totals().bytes);
}

static struct kobj_attribute dma_buf_total_buffers = __ATTR_RO(total_buffers);
static struct kobj_attribute dma_buf_total_bytes = __ATTR_RO(total_bytes);

static const struct attribute *dma_buf_sysfs_attrs[] = {
	&dma_buf_total_buffers.attr,
	&dma_buf_total_bytes.attr,
	NULL,
};

/**
 * dma_buf_sysfs_dir() - the directory, for other files that add to it
 *
 * Return: the directory, after dma_buf_sysfs_init().
 */
struct kobject *dma_buf_sysfs_dir(void)
{
	return dma_buf_sysfs_kobj;
}

/**
 * dma_buf_sysfs_init() - create the directory
 *
 * Context: Process context, at boot.
 * Return: 0, -ENOMEM.
 */
int __init dma_buf_sysfs_init(void)
{
	dma_buf_sysfs_kobj = kobject_create_and_add("dmabuf", kernel_kobj);
	if (!dma_buf_sysfs_kobj)
		return -ENOMEM;

	if (!sysfs_create_files(dma_buf_sysfs_kobj, dma_buf_sysfs_attrs))
		return 0;

	dma_buf_sysfs_exit();
	return -ENOMEM;
}

/**
 * dma_buf_sysfs_exit() - remove the directory, if there will be no buffers
 *
 * Context: Process context, at boot.
 */
void __init dma_buf_sysfs_exit(void)
{
	kobject_put(dma_buf_sysfs_kobj);
	dma_buf_sysfs_kobj = NULL;
}
