// SPDX-License-Identifier: GPL-2.0
/*
 * CMA heaps: buffers in one piece, an area from which nothing gets lost, and a
 * heap for each area, whether it is the default one or from a device tree.
 */

#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "../heaps/heap-buffer.h"
#include "fail_alloc.h"
#include "test_util.h"

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len,
				u32 fd_flags, u64 heap_flags)
{
	return heap_buffer_allocate(heap, len, fd_flags, &cma_heap_memory);
}

static const struct dma_heap_ops heap_ops = {
	.allocate = allocate,
};

/* Heaps stay for ever, so there is only one, on the default area. */
static struct dma_heap *heap;

static int cma_heap_suite_init(struct kunit_suite *suite)
{
	const struct dma_heap_export_info info = {
		.name = "kunit-cma",
		.ops = &heap_ops,
		.priv = dev_get_cma_area(NULL),
	};

	if (!heap && info.priv)
		heap = dma_heap_add(&info);

	return PTR_ERR_OR_ZERO(heap);
}

static int cma_heap_init(struct kunit *test)
{
	if (!heap)
		kunit_skip(test, "no default CMA area (cma=64M)");

	return 0;
}

static struct dma_buf *export(struct kunit *test, unsigned long len)
{
	struct dma_buf *buf = allocate(heap, len, O_RDWR, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

static void put(struct dma_buf *buf)
{
	dma_buf_put(buf);
	flush_delayed_fput();
}

static const struct limits {
	const char *desc;
	unsigned int max_seg;
	unsigned int segments;
} limits[] = {
	{ "long segments", UINT_MAX, 1 },
	{ "nothing said", 0, 1 },
	{ "segments of 1 MiB", SZ_1M, 5 },
};

KUNIT_ARRAY_PARAM_DESC(limit, limits, desc);

/* It is for devices that take no more than one segment, and say nothing about it. */
static void cma_heap_buffer_is_one_piece(struct kunit *test)
{
	const struct limits *param = test->param_value;
	struct dma_buf_attachment *at;
	struct heap_buffer *buffer;
	struct sg_table *sgt;
	struct dma_buf *buf;
	struct device *dev;

	if (!param->max_seg && IS_ENABLED(CONFIG_DMA_API_DEBUG_SG))
		kunit_skip(test, "the DMA API warns of such a device (CONFIG_DMA_API_DEBUG_SG)");

	dev = test_device(test, "device", param->max_seg);
	buf = export(test, 5 * SZ_1M);
	buffer = buf->priv;
	KUNIT_EXPECT_EQ(test, buffer->runs.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, buffer->runs.sgl->length, 5 * SZ_1M);
	at = dma_buf_attach(buf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	sgt = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->nents, param->segments);
	KUNIT_EXPECT_EQ(test, sg_dma_len(sgt->sgl), 5 * SZ_1M / param->segments);
	dma_buf_unmap_attachment_unlocked(at, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, at);
	put(buf);
}

static void cma_heap_larger_than_area(struct kunit *test)
{
	unsigned long size = cma_get_size(dma_heap_get_drvdata(heap));

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(allocate(heap, size + PAGE_SIZE, O_RDWR, 0)),
			-ENOMEM);
}

static void cma_heap_buffers_are_zero(struct kunit *test)
{
	struct iosys_map map;
	struct dma_buf *buf;

	for (int round = 0; round < 2; round++) {
		buf = export(test, SZ_1M);
		KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf, &map), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, 0, SZ_1M));
		memset(map.vaddr, 0xff, SZ_1M);
		dma_buf_vunmap_unlocked(buf, &map);
		put(buf);
	}
}

/* So much that nothing like it can be had again if it gets lost. */
static unsigned long most_of_area(void)
{
	return PAGE_ALIGN(cma_get_size(dma_heap_get_drvdata(heap)) / 3 * 2);
}

static void cma_heap_refuses_when_killed(struct kunit *test)
{
	struct dma_buf *buf;

	for (int round = 0; round < 4; round++) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		buf = allocate(heap, most_of_area(), O_RDWR, 0);
		flush_signals(current);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(buf), -ENOMEM);
	}
	put(export(test, most_of_area()));
}

static void cma_heap_allocate_fails_clean(struct kunit *test)
{
	struct dma_buf *buf = NULL;
	unsigned int nth, refused = 0;

	fail_alloc_setup(test);
	for (nth = 1; FAIL_NTH_ALLOC(nth, buf = allocate(heap, most_of_area(), O_RDWR, 0)); nth++) {
		if (IS_ERR(buf)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(buf), -ENOMEM);
			refused++;
		} else {
			put(buf);
		}
	}
	KUNIT_EXPECT_GT(test, refused, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	put(buf);
}

static struct kunit_case cma_heap_cases[] = {
	KUNIT_CASE_PARAM(cma_heap_buffer_is_one_piece, limit_gen_params),
	KUNIT_CASE(cma_heap_larger_than_area),
	KUNIT_CASE(cma_heap_buffers_are_zero),
	KUNIT_CASE(cma_heap_refuses_when_killed),
	KUNIT_CASE(cma_heap_allocate_fails_clean),
	{}
};

static struct kunit_suite cma_heap_suite = {
	.name = "cma_heap",
	.suite_init = cma_heap_suite_init,
	.init = cma_heap_init,
	.test_cases = cma_heap_cases,
};

/* Areas and the heaps that the kernel has made of them at boot */

#define MAX_HEAPS	128

/* All heaps, by name. */
struct heaps {
	struct dir_context ctx;
	unsigned int count;
	char name[MAX_HEAPS][CMA_MAX_NAME];
};

static bool take_name(struct dir_context *ctx, const char *name, int len, loff_t pos,
		      u64 ino, unsigned int type)
{
	struct heaps *heaps = container_of(ctx, struct heaps, ctx);

	/* Not what KUnit suites have added. */
	if (type != DT_CHR || !strncmp(name, "kunit", 5))
		return true;
	if (heaps->count == MAX_HEAPS || len >= CMA_MAX_NAME)
		return false;
	strscpy(heaps->name[heaps->count++], name, len + 1);
	return true;
}

static struct heaps *all_heaps(struct kunit *test)
{
	struct heaps *heaps = kunit_kzalloc(test, sizeof(*heaps), GFP_KERNEL);
	struct file *dir = test_open(test_mount(test, "devtmpfs"), "dma_heap");

	KUNIT_ASSERT_NOT_NULL(test, heaps);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dir);
	heaps->ctx.actor = take_name;
	KUNIT_EXPECT_EQ(test, iterate_dir(dir, &heaps->ctx), 0);
	fput(dir);
	return heaps;
}

/* The heap of a device in /dev/dma_heap, or NULL. Heaps are never removed. */
static struct dma_heap *heap_called(struct kunit *test, const char *name)
{
	struct vfsmount *mnt = test_mount(test, "devtmpfs");
	struct dma_heap *heap;
	struct file *file;
	char path[CMA_MAX_NAME + 16];

	snprintf(path, sizeof(path), "dma_heap/%s", name);
	file = test_open(mnt, path);
	if (IS_ERR(file))
		return NULL;
	heap = file->private_data;
	fput(file);
	return heap;
}

#define FOREIGN_REGION "kunit,cma-heap-region"

/*
 * Of a node that is compatible with a pool, too, but whose region is not CMA's. If its
 * data were taken for an area, that would be called "x".
 */
static int foreign_region_setup(struct reserved_mem *region)
{
	static char no_area[SZ_4K];

	for (unsigned int i = 0; i < SZ_4K; i += 2)
		no_area[i] = 'x';
	region->priv = no_area;
	return 0;
}

RESERVEDMEM_OF_DECLARE(cma_heap_kunit, FOREIGN_REGION, foreign_region_setup);

static bool is_pool(struct device_node *node)
{
	return of_device_is_available(node) &&
	       of_device_is_compatible(node, "shared-dma-pool") &&
	       !of_device_is_compatible(node, FOREIGN_REGION) &&
	       of_property_read_bool(node, "reusable") &&
	       !of_property_read_bool(node, "no-map");
}

KUNIT_DEFINE_ACTION_WRAPPER(put_node, of_node_put, struct device_node *);

static struct device_node *reserved_memory(struct kunit *test)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");

	if (!IS_ENABLED(CONFIG_OF_RESERVED_MEM) || !parent)
		kunit_skip(test, "no memory is reserved by a device tree");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_node, parent));
	return parent;
}

static void cma_heap_of_each_pool(struct kunit *test)
{
	struct device_node *parent = reserved_memory(test);
	unsigned int pools = 0;

	for_each_child_of_node_scoped(parent, node) {
		struct reserved_mem *region = of_reserved_mem_lookup(node);
		struct dma_heap *heap;

		if (!is_pool(node))
			continue;
		pools++;
		heap = heap_called(test, node->full_name);
		KUNIT_ASSERT_NOT_NULL_MSG(test, region, "%s", node->full_name);
		KUNIT_ASSERT_NOT_NULL_MSG(test, heap, "%s", node->full_name);
		KUNIT_EXPECT_STREQ(test, dma_heap_get_name(heap), node->full_name);
		KUNIT_EXPECT_EQ(test, cma_get_base(dma_heap_get_drvdata(heap)), region->base);
		KUNIT_EXPECT_EQ(test, cma_get_size(dma_heap_get_drvdata(heap)), region->size);
	}
	if (!pools)
		kunit_skip(test, "no reusable pool in the device tree");
}

static void cma_heap_for_no_other_node(struct kunit *test)
{
	struct device_node *parent = reserved_memory(test);

	for_each_child_of_node_scoped(parent, node)
		if (!is_pool(node))
			KUNIT_EXPECT_NULL_MSG(test, heap_called(test, node->full_name), "%s",
					      node->full_name);
}

/* Taken for an area, its driver's data would be a heap of any memory. */
static void cma_heap_not_of_a_foreign_region(struct kunit *test)
{
	struct device_node *parent = reserved_memory(test);
	struct heaps *heaps = all_heaps(test);
	bool foreign = false;

	for_each_child_of_node_scoped(parent, node) {
		struct reserved_mem *region = of_reserved_mem_lookup(node);

		if (!of_device_is_compatible(node, FOREIGN_REGION))
			continue;
		KUNIT_ASSERT_NOT_NULL(test, region);
		KUNIT_ASSERT_NOT_NULL(test, region->priv);
		foreign = true;
		for (unsigned int i = 0; i < heaps->count; i++) {
			struct dma_heap *heap = heap_called(test, heaps->name[i]);

			KUNIT_ASSERT_NOT_NULL(test, heap);
			KUNIT_EXPECT_PTR_NE_MSG(test, dma_heap_get_drvdata(heap), region->priv,
						"%s", heaps->name[i]);
		}
	}
	if (!foreign)
		kunit_skip(test, "no such region in the device tree");
}

/* However many ways lead to it: one of the common name, and one of its own. */
static void cma_heap_for_default_area_has_two_names(struct kunit *test)
{
	const unsigned int names = 1 + IS_ENABLED(CONFIG_DMABUF_HEAPS_CMA_LEGACY);
	struct cma *area = dev_get_cma_area(NULL);
	struct heaps *heaps = all_heaps(test);
	unsigned int count = 0;

	if (!area)
		kunit_skip(test, "no default CMA area (cma=64M)");
	for (unsigned int i = 0; i < heaps->count; i++) {
		struct dma_heap *heap = heap_called(test, heaps->name[i]);

		KUNIT_ASSERT_NOT_NULL(test, heap);
		if (dma_heap_get_drvdata(heap) != area)
			continue;
		if (strcmp(heaps->name[i], "default_cma_region"))
			KUNIT_EXPECT_STREQ(test, heaps->name[i], cma_get_name(area));
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, names);
}

static void cma_heap_buffers_lie_in_own_area(struct kunit *test)
{
	struct device_node *parent = reserved_memory(test);

	for_each_child_of_node_scoped(parent, node) {
		struct reserved_mem *region = of_reserved_mem_lookup(node);
		struct dma_heap *heap;
		struct heap_buffer *buffer;
		struct dma_buf *buf;
		phys_addr_t start;

		if (!is_pool(node))
			continue;
		heap = heap_called(test, node->full_name);
		KUNIT_ASSERT_NOT_NULL(test, heap);
		buf = allocate(heap, SZ_1M, O_RDWR, 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
		buffer = buf->priv;
		start = sg_phys(buffer->runs.sgl);
		KUNIT_EXPECT_EQ(test, buffer->runs.sgl->length, SZ_1M);
		KUNIT_EXPECT_GE_MSG(test, start, region->base, "%s", node->full_name);
		KUNIT_EXPECT_LE_MSG(test, start + SZ_1M, region->base + region->size, "%s",
				    node->full_name);
		put(buf);
	}
}

static int cma_heap_areas_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEVTMPFS))
		kunit_skip(test, "heaps cannot be looked up (CONFIG_DEVTMPFS)");

	return 0;
}

static struct kunit_case cma_heap_areas_cases[] = {
	KUNIT_CASE(cma_heap_of_each_pool),
	KUNIT_CASE(cma_heap_for_no_other_node),
	KUNIT_CASE(cma_heap_not_of_a_foreign_region),
	KUNIT_CASE(cma_heap_for_default_area_has_two_names),
	KUNIT_CASE(cma_heap_buffers_lie_in_own_area),
	{}
};

static struct kunit_suite cma_heap_areas_suite = {
	.name = "cma_heap_areas",
	.init = cma_heap_areas_init,
	.test_cases = cma_heap_areas_cases,
};

kunit_test_suites(&cma_heap_suite, &cma_heap_areas_suite);

MODULE_DESCRIPTION("Tests of CMA heaps");
MODULE_LICENSE("GPL");
