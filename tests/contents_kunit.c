// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of a buffer: all users see the same, whichever of them writes. Users are
 * the kernel, user space, the memfd if there is one, and a device, which only knows
 * the DMA addresses of its table.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-heap.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>
#include <linux/uaccess.h>

#include "../heaps/heap-buffer.h"
#include "../udmabuf-internal.h"
#include "test_util.h"

#define PAGES		12
#define SIZE		(PAGES * PAGE_SIZE)
#define BLOCK_ORDER	4

/* A device, and what it has of the buffer. */
struct importer {
	struct device *dev;
	struct dma_buf_attachment *at;
	struct sg_table *sgt;
};

/**
 * struct contents - a buffer and all ways to its bytes
 * @test: case
 * @buf: buffer
 * @pages: pages of it
 * @map: its mapping in the kernel
 * @user: its mapping in user space
 * @memfd: what it is made of, or NULL
 * @memfd_user: mapping of @memfd in user space
 * @memfd_size: size of that
 * @memfd_page: page of @memfd, by page of the buffer
 * @any: device that takes segments of any length
 * @brief: device that wants them short
 * @stay: devices keep the buffer mapped; otherwise each maps it for an access only
 * @want: a page that is written, or expected
 * @seen: a page that was read
 * @block: pages that the system heap is given, if it is not left alone
 * @handed_out: number of them
 */
struct contents {
	struct kunit *test;
	struct dma_buf *buf;
	unsigned int pages;
	struct iosys_map map;
	unsigned long user;
	struct file *memfd;
	unsigned long memfd_user;
	size_t memfd_size;
	unsigned int memfd_page[PAGES];
	struct importer any;
	struct importer brief;
	bool stay;
	u32 *want;
	u32 *seen;
	struct page *block;
	unsigned int handed_out;
};

/* Buffers */

/* Heaps stay for ever, so the suite adds one only once. It is just a name here. */
static struct dma_heap *heap;

static struct dma_buf *refuse(struct dma_heap *heap, unsigned long len,
			      u32 fd_flags, u64 heap_flags)
{
	return ERR_PTR(-ENOMEM);
}

static const struct dma_heap_ops heap_ops = {
	.allocate = refuse,
};

static int contents_suite_init(struct kunit_suite *suite)
{
	const struct dma_heap_export_info info = {
		.name = "kunit-contents",
		.ops = &heap_ops,
		.priv = dev_get_cma_area(NULL),
	};

	if (!heap)
		heap = dma_heap_add(&info);

	return PTR_ERR_OR_ZERO(heap);
}

static void create_in_heap(struct contents *c, const struct heap_memory *memory)
{
	c->buf = heap_buffer_allocate(heap, c->pages * PAGE_SIZE, O_RDWR, memory);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, c->buf);
}

static void create_in_system_heap(struct contents *c)
{
	create_in_heap(c, &system_heap_memory);
}

/* Some memory like that of a machine that has been up for a while. */
static const unsigned int scattered[PAGES] = { 8, 9, 4, 5, 2, 15, 0, 1, 12, 11, 7, 6 };

static struct page *hand_out_scattered(gfp_t gfp, unsigned int order)
{
	struct contents *c = kunit_get_current_test()->priv;

	if (order || c->handed_out == PAGES)
		return NULL;
	return nth_page(c->block, scattered[c->handed_out++]);
}

static void create_scattered(struct contents *c)
{
	unsigned long left = GENMASK((1 << BLOCK_ORDER) - 1, 0);

	c->block = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
	KUNIT_ASSERT_NOT_NULL(c->test, c->block);
	split_page(c->block, BLOCK_ORDER);
	c->test->priv = c;
	kunit_activate_static_stub(c->test, system_heap_alloc_pages, hand_out_scattered);
	create_in_heap(c, &system_heap_memory);
	kunit_deactivate_static_stub(c->test, system_heap_alloc_pages);

	/* The heap frees the pages that it was given. */
	for (unsigned int i = 0; i < PAGES; i++)
		left &= ~BIT(scattered[i]);
	for (unsigned int i = 0; i < 1 << BLOCK_ORDER; i++)
		if (left & BIT(i))
			__free_page(nth_page(c->block, i));
}

static void create_in_cma_heap(struct contents *c)
{
	if (!IS_ENABLED(CONFIG_DMABUF_HEAPS_CMA))
		kunit_skip(c->test, "no CMA heaps (CONFIG_DMABUF_HEAPS_CMA)");
	else if (!dma_heap_get_drvdata(heap))
		kunit_skip(c->test, "no default CMA area (cma=64M)");
	else
		create_in_heap(c, &cma_heap_memory);
}

KUNIT_DEFINE_ACTION_WRAPPER(put_memfd, fput, struct file *);

static void own_memfd(struct contents *c, struct file *memfd)
{
	KUNIT_ASSERT_EQ(c->test, 0, kunit_add_action_or_reset(c->test, put_memfd, memfd));
	c->memfd = memfd;
	c->memfd_size = i_size_read(file_inode(memfd));
}

static void pin_piece(struct contents *c, struct udmabuf *ubuf,
		      unsigned int first, unsigned int pages)
{
	pgoff_t page = udmabuf_runs_pages(&ubuf->runs);

	for (unsigned int i = 0; i < pages; i++)
		c->memfd_page[page + i] = first + i;
	KUNIT_ASSERT_EQ(c->test, udmabuf_runs_pin(&ubuf->runs, c->memfd, first * PAGE_SIZE,
						  pages * PAGE_SIZE), 0);
}

static void create_udmabuf(struct contents *c, const unsigned int (*pieces)[2],
			   unsigned int count)
{
	struct udmabuf *ubuf = kzalloc(sizeof(*ubuf), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_ASSERT_NOT_NULL(c->test, ubuf);
	INIT_LIST_HEAD(&ubuf->mappings);
	for (unsigned int i = 0; i < count; i++)
		pin_piece(c, ubuf, pieces[i][0], pieces[i][1]);
	KUNIT_ASSERT_EQ(c->test, udmabuf_runs_pages(&ubuf->runs), PAGES);

	info.ops = &udmabuf_ops;
	info.size = SIZE;
	info.flags = O_RDWR;
	info.priv = ubuf;
	c->buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, c->buf);
}

static void create_on_memfd(struct contents *c, const unsigned int (*pieces)[2],
			    unsigned int count)
{
	struct file *memfd = shmem_file_setup("contents", 16 * PAGE_SIZE, VM_NORESERVE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, memfd);
	own_memfd(c, memfd);
	create_udmabuf(c, pieces, count);
}

static void create_on_part_of_memfd(struct contents *c)
{
	const unsigned int piece[][2] = { { 3, PAGES } };

	create_on_memfd(c, piece, ARRAY_SIZE(piece));
}

static void create_on_pieces_of_memfd(struct contents *c)
{
	const unsigned int pieces[][2] = { { 11, 5 }, { 0, 1 }, { 4, 2 }, { 6, 4 } };

	create_on_memfd(c, pieces, ARRAY_SIZE(pieces));
}

/* Pages that the memfd has not cleared yet, since they have not been accessed. */
static void create_on_fallocated_memfd(struct contents *c)
{
	const unsigned int piece[][2] = { { 3, PAGES } };
	struct file *memfd = shmem_file_setup("contents", 16 * PAGE_SIZE, VM_NORESERVE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, memfd);
	own_memfd(c, memfd);
	KUNIT_ASSERT_EQ(c->test, vfs_fallocate(memfd, 0, 0, 16 * PAGE_SIZE), 0);
	create_udmabuf(c, piece, ARRAY_SIZE(piece));
}

/* From within a huge page to within the next one. */
static void create_on_huge_pages(struct contents *c)
{
	unsigned int piece[][2] = { { 0, PAGES } };
	struct file *memfd;
	size_t huge;

	memfd = hugetlb_file_setup("contents", 0, VM_NORESERVE, HUGETLB_ANONHUGE_INODE, 0);
	if (IS_ERR(memfd))
		kunit_skip(c->test, "no huge pages (CONFIG_HUGETLBFS)");
	huge = huge_page_size(hstate_file(memfd));
	fput(memfd);

	memfd = hugetlb_file_setup("contents", 2 * huge, 0, HUGETLB_ANONHUGE_INODE, 0);
	if (IS_ERR(memfd))
		kunit_skip(c->test, "no two huge pages (hugepages=2)");
	own_memfd(c, memfd);
	piece[0][0] = huge / PAGE_SIZE - 5;
	create_udmabuf(c, piece, ARRAY_SIZE(piece));
}

static const struct origin {
	const char *desc;
	void (*create)(struct contents *c);
	bool has_memfd;
	unsigned int pages;
} origins[] = {
	{ "system heap", create_in_system_heap },
	{ "system heap, scattered", create_scattered },
	{ "CMA heap", create_in_cma_heap },
	{ "part of a memfd", create_on_part_of_memfd, true },
	{ "pieces of a memfd", create_on_pieces_of_memfd, true },
	{ "fallocated memfd", create_on_fallocated_memfd, true },
	{ "part of huge pages", create_on_huge_pages, true },
};

KUNIT_ARRAY_PARAM_DESC(origins, origins, desc);

/* One and several times what a bounce buffer can hold in one piece. */
static const struct origin large[] = {
	{ "256 KiB", create_in_system_heap, .pages = SZ_256K / PAGE_SIZE },
	{ "8 MiB", create_in_system_heap, .pages = SZ_8M / PAGE_SIZE },
};

KUNIT_ARRAY_PARAM_DESC(large, large, desc);

static const void *memfds_gen_params(const void *prev, char *desc)
{
	const struct origin *origin = prev;

	do {
		origin = origins_gen_params(origin, desc);
	} while (origin && !origin->has_memfd);

	return origin;
}

/* Ways to the bytes */

static void cpu_begin(struct contents *c, struct importer *unused)
{
	KUNIT_ASSERT_EQ(c->test, dma_buf_begin_cpu_access(c->buf, DMA_BIDIRECTIONAL), 0);
}

static void cpu_end(struct contents *c, struct importer *unused)
{
	KUNIT_ASSERT_EQ(c->test, dma_buf_end_cpu_access(c->buf, DMA_BIDIRECTIONAL), 0);
}

static void copy_vmap(struct contents *c, struct importer *unused, unsigned int page,
		      void *bytes, bool write)
{
	void *at = c->map.vaddr + page * PAGE_SIZE;

	if (write)
		memcpy(at, bytes, PAGE_SIZE);
	else
		memcpy(bytes, at, PAGE_SIZE);
}

static void copy_user(struct contents *c, unsigned long addr, void *bytes, bool write)
{
	void __user *at = (void __user *)addr;
	unsigned long left;

	if (write)
		left = copy_to_user(at, bytes, PAGE_SIZE);
	else
		left = copy_from_user(bytes, at, PAGE_SIZE);
	KUNIT_ASSERT_EQ(c->test, left, 0);
}

static void copy_mmap(struct contents *c, struct importer *unused, unsigned int page,
		      void *bytes, bool write)
{
	copy_user(c, c->user + page * PAGE_SIZE, bytes, write);
}

static void copy_memfd(struct contents *c, struct importer *unused, unsigned int page,
		       void *bytes, bool write)
{
	copy_user(c, c->memfd_user + c->memfd_page[page] * PAGE_SIZE, bytes, write);
}

static void import(struct contents *c, struct importer *importer)
{
	importer->at = dma_buf_attach(c->buf, importer->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, importer->at);
	importer->sgt = dma_buf_map_attachment_unlocked(importer->at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, importer->sgt);
}

static void drop(struct importer *importer)
{
	dma_buf_unmap_attachment_unlocked(importer->at, importer->sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(importer->at->dmabuf, importer->at);
}

/* The CPU stands in for the device: it has the memory while it does so. */
static void device_begin(struct contents *c, struct importer *importer)
{
	if (!c->stay) {
		import(c, importer);
		return;
	}
	dma_sync_sgtable_for_cpu(importer->dev, importer->sgt, DMA_BIDIRECTIONAL);
}

static void device_end(struct contents *c, struct importer *importer)
{
	if (!c->stay) {
		drop(importer);
		return;
	}
	dma_sync_sgtable_for_device(importer->dev, importer->sgt, DMA_BIDIRECTIONAL);
}

/* Where the device finds a page of the buffer. */
static phys_addr_t device_page(struct contents *c, struct importer *importer,
			       unsigned int page)
{
	unsigned long skip = page * PAGE_SIZE;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(importer->sgt, sg, i) {
		if (skip < sg_dma_len(sg))
			return dma_to_phys(importer->dev, sg_dma_address(sg) + skip);
		skip -= sg_dma_len(sg);
	}
	KUNIT_FAIL_AND_ABORT(c->test, "page %u is not in the table", page);
	return 0;
}

static void copy_device(struct contents *c, struct importer *importer, unsigned int page,
			void *bytes, bool write)
{
	void *at = kmap_local_pfn(PHYS_PFN(device_page(c, importer, page)));

	if (write)
		memcpy(at, bytes, PAGE_SIZE);
	else
		memcpy(bytes, at, PAGE_SIZE);
	kunmap_local(at);
}

enum way {
	BY_KERNEL,
	BY_USER,
	BY_MEMFD,
	BY_DEVICE,
	BY_SHORT_DEVICE,
};

static const struct {
	const char *name;
	void (*begin)(struct contents *c, struct importer *importer);
	void (*end)(struct contents *c, struct importer *importer);
	void (*copy)(struct contents *c, struct importer *importer, unsigned int page,
		     void *bytes, bool write);
} ways[] = {
	[BY_KERNEL] = { "vmap", cpu_begin, cpu_end, copy_vmap },
	[BY_USER] = { "mmap", cpu_begin, cpu_end, copy_mmap },
	[BY_MEMFD] = { "memfd", cpu_begin, cpu_end, copy_memfd },
	[BY_DEVICE] = { "device", device_begin, device_end, copy_device },
	[BY_SHORT_DEVICE] = { "device of short segments", device_begin, device_end,
			       copy_device },
};

static struct importer *importer_of(struct contents *c, enum way how)
{
	return how == BY_SHORT_DEVICE ? &c->brief : &c->any;
}

/* No two pages, and no two neighbours, have the same. */
static void draw_page(struct contents *c, unsigned int page, u32 salt)
{
	const unsigned int words = PAGE_SIZE / sizeof(u32);

	for (unsigned int i = 0; i < words; i++)
		c->want[i] = (salt + page * words + i) * 2654435761U;
}

static void write_all(struct contents *c, enum way how, u32 salt)
{
	struct importer *importer = importer_of(c, how);

	ways[how].begin(c, importer);
	for (unsigned int page = 0; page < c->pages; page++) {
		draw_page(c, page, salt);
		ways[how].copy(c, importer, page, c->want, true);
	}
	ways[how].end(c, importer);
}

static void expect_all(struct contents *c, enum way how, u32 salt)
{
	struct importer *importer = importer_of(c, how);

	ways[how].begin(c, importer);
	for (unsigned int page = 0; page < c->pages; page++) {
		draw_page(c, page, salt);
		ways[how].copy(c, importer, page, c->seen, false);
		KUNIT_EXPECT_EQ_MSG(c->test, memcmp(c->seen, c->want, PAGE_SIZE), 0,
				    "page %u through %s", page, ways[how].name);
	}
	ways[how].end(c, importer);
}

/* Scenes */

static unsigned long map_user(struct contents *c, struct file *file, size_t size)
{
	unsigned long addr = kunit_vm_mmap(c->test, file, 0, size, PROT_READ | PROT_WRITE,
					   MAP_SHARED, 0);

	KUNIT_ASSERT_NE(c->test, addr, 0);
	KUNIT_ASSERT_FALSE(c->test, IS_ERR_VALUE(addr));

	return addr;
}

static struct contents *open_all(struct kunit *test, bool stay)
{
	const struct origin *origin = test->param_value;
	struct contents *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->want = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	c->seen = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->want);
	KUNIT_ASSERT_NOT_NULL(test, c->seen);

	c->pages = origin->pages ?: PAGES;
	origin->create(c);
	c->any.dev = test_device(test, "any", UINT_MAX);
	c->brief.dev = test_device(test, "brief", 2 * PAGE_SIZE);
	c->stay = stay;
	if (stay) {
		import(c, &c->any);
		import(c, &c->brief);
	}
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(c->buf, &c->map), 0);
	c->user = map_user(c, c->buf->file, c->buf->size);
	if (c->memfd)
		c->memfd_user = map_user(c, c->memfd, c->memfd_size);

	return c;
}

static void close_all(struct contents *c)
{
	if (c->memfd)
		vm_munmap(c->memfd_user, c->memfd_size);
	vm_munmap(c->user, c->buf->size);
	dma_buf_vunmap_unlocked(c->buf, &c->map);
	if (c->stay) {
		drop(&c->brief);
		drop(&c->any);
	}
	dma_buf_put(c->buf);
	flush_delayed_fput();
}

/* Twice, because bytes that were never read cannot be out of date. */
static void expect_seen_by_all(struct contents *c, enum way writer)
{
	for (u32 salt = 1; salt < 3; salt++) {
		write_all(c, writer, salt * 1000003);
		for (enum way reader = 0; reader < ARRAY_SIZE(ways); reader++)
			if (reader != BY_MEMFD || c->memfd)
				expect_all(c, reader, salt * 1000003);
	}
}

/*
 * Two devices with bounce buffers cannot both write while both have the buffer mapped:
 * nobody can tell which of the copies is the newer one.
 */
static void skip_if_bounced(struct kunit *test)
{
	if (is_swiotlb_force_bounce(test_device(test, "probe", UINT_MAX)))
		kunit_skip(test, "devices have bounce buffers (swiotlb=force)");
}

static void seen_by_all(struct kunit *test, enum way writer, bool stay)
{
	struct contents *c = open_all(test, stay);

	expect_seen_by_all(c, writer);
	close_all(c);
}

static void contents_written_by_kernel(struct kunit *test)
{
	seen_by_all(test, BY_KERNEL, true);
}

static void contents_written_by_user(struct kunit *test)
{
	seen_by_all(test, BY_USER, true);
}

static void contents_written_to_memfd(struct kunit *test)
{
	seen_by_all(test, BY_MEMFD, true);
}

static void contents_written_by_device(struct kunit *test)
{
	skip_if_bounced(test);
	seen_by_all(test, BY_DEVICE, true);
}

static void contents_written_by_device_of_short_segments(struct kunit *test)
{
	skip_if_bounced(test);
	seen_by_all(test, BY_SHORT_DEVICE, true);
}

/* Bytes that a device has written are in the memory when it unmaps. */
static void contents_written_by_device_that_unmaps(struct kunit *test)
{
	seen_by_all(test, BY_DEVICE, false);
}

static void contents_written_by_short_device_that_unmaps(struct kunit *test)
{
	seen_by_all(test, BY_SHORT_DEVICE, false);
}

static void contents_seen_by_devices_that_map_later(struct kunit *test)
{
	seen_by_all(test, BY_USER, false);
}

static void contents_of_large_buffer(struct kunit *test)
{
	seen_by_all(test, BY_DEVICE, false);
}

static struct kunit_case contents_cases[] = {
	KUNIT_CASE_PARAM(contents_written_by_kernel, origins_gen_params),
	KUNIT_CASE_PARAM(contents_written_by_user, origins_gen_params),
	KUNIT_CASE_PARAM(contents_written_to_memfd, memfds_gen_params),
	KUNIT_CASE_PARAM(contents_written_by_device, origins_gen_params),
	KUNIT_CASE_PARAM(contents_written_by_device_of_short_segments, origins_gen_params),
	KUNIT_CASE_PARAM(contents_written_by_device_that_unmaps, origins_gen_params),
	KUNIT_CASE_PARAM(contents_written_by_short_device_that_unmaps, origins_gen_params),
	KUNIT_CASE_PARAM(contents_seen_by_devices_that_map_later, origins_gen_params),
	KUNIT_CASE_PARAM(contents_of_large_buffer, large_gen_params),
	{}
};

static struct kunit_suite contents_suite = {
	.name = "dma_buf_contents",
	.suite_init = contents_suite_init,
	.test_cases = contents_cases,
};

kunit_test_suite(contents_suite);

MODULE_DESCRIPTION("Tests of what is in buffers");
MODULE_LICENSE("GPL");
