// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a udmabuf: the pages of memfds that it has, in as few runs as possible.
 * To change here: how pages are pinned, found and put into scatterlists.
 */

#include <linux/cacheflush.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "udmabuf-internal.h"

/* Folios that are pinned in one go; a page has room for their addresses. */
#define UDMABUF_BATCH	(PAGE_SIZE / sizeof(struct folio *))

/* User space chooses the number of runs: charge it, and do not log a failure. */
#define UDMABUF_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

static int udmabuf_runs_grow(struct udmabuf_runs *runs)
{
	size_t room = max(2 * runs->room, 8UL);
	struct udmabuf_run *run;

	run = kvrealloc(runs->run, array_size(room, sizeof(*run)), UDMABUF_GFP);
	if (!run)
		return -ENOMEM;

	runs->run = run;
	runs->room = room;

	return 0;
}

/**
 * udmabuf_runs_add() - add pages of a folio at the end
 * @runs: runs
 * @folio: folio on which the caller owns a pin; it goes to @runs on success
 * @first: first page, counted from the start of the folio
 * @pages: number of pages, at least 1
 *
 * Return: 0 or -ENOMEM.
 */
int udmabuf_runs_add(struct udmabuf_runs *runs, struct folio *folio,
		     unsigned long first, unsigned long pages)
{
	pgoff_t start = udmabuf_runs_pages(runs);
	unsigned long pfn = folio_pfn(folio) + first;
	size_t last = runs->count - 1;

	if (!first && start &&
	    runs->run[last].pfn + (start - udmabuf_run_start(runs, last)) == pfn) {
		runs->run[last].end += pages;
		return 0;
	}

	if (runs->count == runs->room && udmabuf_runs_grow(runs))
		return -ENOMEM;

	runs->run[runs->count++] = (struct udmabuf_run) {
		.end = start + pages,
		.pfn = pfn,
	};

	return 0;
}

/**
 * udmabuf_runs_find() - look up the run of a page
 * @runs: runs
 * @page: page of the buffer
 *
 * Return: index of the run, or the number of runs if there is no such page.
 */
size_t udmabuf_runs_find(const struct udmabuf_runs *runs, pgoff_t page)
{
	size_t low = 0, high = runs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (page < runs->run[middle].end)
			high = middle;
		else
			low = middle + 1;
	}

	return low;
}

/*
 * Memory that fallocate() has added to a memfd is not cleared, and counts as empty,
 * until it is used through the memfd. A buffer uses the memory directly: clear it, so
 * that no data of a former owner shows, and mark it uptodate, so that the memfd does not
 * clear it later. Mark it dirty from the start, since the kernel does not see the writes
 * of a device; a pinned folio stays dirty.
 *
 * A task that clears such a folio, or writes to it, holds its lock or, exclusively,
 * that of the inode, which the caller holds, too.
 */
static void udmabuf_folio_fill(struct folio *folio)
{
	if (folio_test_uptodate(folio) && folio_test_dirty(folio))
		return;

	folio_lock(folio);
	if (!folio_test_uptodate(folio)) {
		for (long i = 0; i < folio_nr_pages(folio); i++) {
			clear_highpage(folio_page(folio, i));
			cond_resched();
		}
		flush_dcache_folio(folio);
		folio_mark_uptodate(folio);
	}
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/*
 * Each pin of a small folio adds a thousand to its reference count, and a list may name
 * a page as often as it likes. Stop long before the count is negative, which the
 * kernel warns of.
 */
static bool udmabuf_folio_is_worn(struct folio *folio)
{
	return !folio_test_large(folio) && folio_ref_count(folio) > INT_MAX / 2;
}

/* Takes over the pins of all folios; on error it unpins the folios that do not fit. */
static int udmabuf_runs_add_folios(struct udmabuf_runs *runs,
				   struct folio **folios, long count,
				   pgoff_t offset, u64 *left)
{
	unsigned long first = offset >> PAGE_SHIFT;
	int ret = 0;
	long i;

	for (i = 0; i < count && *left && !ret; i++) {
		u64 pages = min_t(u64, folio_nr_pages(folios[i]) - first, *left);

		udmabuf_folio_fill(folios[i]);
		if (udmabuf_folio_is_worn(folios[i]))
			ret = -ENOMEM;
		else
			ret = udmabuf_runs_add(runs, folios[i], first, pages);
		if (ret)
			break;
		*left -= pages;
		first = 0;
	}
	unpin_folios(folios + i, count - i);

	return ret;
}

/**
 * udmabuf_runs_pin() - pin a piece of a memfd and add it at the end
 * @runs: runs; what has been added stays there on error
 * @memfd: memfd, whose size and seals do not change meanwhile
 * @offset: first byte, multiple of a page
 * @size: number of bytes, multiple of a page
 *
 * Context: Process context, may sleep. Allocates the pages that are missing.
 * Return:
 * * 0 - all pages are there
 * * %-EINVAL - no bytes, or not within the file
 * * %-ENOMEM - out of memory
 * * %-EINTR - killed
 * * other errno - from memfd_pin_folios()
 */
int udmabuf_runs_pin(struct udmabuf_runs *runs, struct file *memfd, u64 offset,
		     u64 size)
{
	u64 left = size >> PAGE_SHIFT;
	struct folio **folios;
	unsigned int batch;
	int ret = 0;
	u64 end;

	if (!size || check_add_overflow(offset, size, &end) ||
	    end > i_size_read(file_inode(memfd)))
		return -EINVAL;

	batch = min_t(u64, left, UDMABUF_BATCH);
	folios = kmalloc_array(batch, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;

	while (left && !ret) {
		pgoff_t skip = 0;
		long count;

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		count = memfd_pin_folios(memfd, end - (left << PAGE_SHIFT), end - 1,
					 folios, batch, &skip);
		if (count <= 0)
			ret = count ?: -EINVAL;
		else
			ret = udmabuf_runs_add_folios(runs, folios, count, skip, &left);
	}
	kfree(folios);

	return ret;
}

static void udmabuf_run_unpin(unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages;

	while (pfn < end) {
		struct folio *folio = pfn_folio(pfn);

		pfn = folio_pfn(folio) + folio_nr_pages(folio);
		unpin_folio(folio);
	}
}

/**
 * udmabuf_runs_free() - unpin all pages and forget them
 * @runs: runs, empty afterwards
 *
 * Context: Process context, may sleep.
 */
void udmabuf_runs_free(struct udmabuf_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++) {
		pgoff_t start = udmabuf_run_start(runs, i);

		udmabuf_run_unpin(runs->run[i].pfn, runs->run[i].end - start);
		cond_resched();
	}
	kvfree(runs->run);
	*runs = (struct udmabuf_runs) {};
}

/*
 * Pages of two runs that lie side by side: what one list names as two pieces of
 * a folio is one segment for a device.
 */
static size_t udmabuf_next_stretch(const struct udmabuf_runs *runs, size_t *i,
				   unsigned long *pfn)
{
	pgoff_t start = udmabuf_run_start(runs, *i);
	size_t pages;

	*pfn = runs->run[*i].pfn;
	do {
		pages = runs->run[*i].end - start;
	} while (++*i < runs->count && runs->run[*i].pfn == *pfn + pages);

	return pages;
}

static size_t udmabuf_count_segments(const struct udmabuf_runs *runs,
				     size_t max_pages)
{
	size_t i = 0, segments = 0;
	unsigned long pfn;

	while (i < runs->count)
		segments += DIV_ROUND_UP(udmabuf_next_stretch(runs, &i, &pfn),
					 max_pages);

	return segments;
}

/**
 * udmabuf_runs_to_table() - make a table with as few segments as possible
 * @runs: runs, at least one
 * @table: table to set up
 * @max_segment: bytes that a segment may have
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int udmabuf_runs_to_table(const struct udmabuf_runs *runs, struct sg_table *table,
			  size_t max_segment)
{
	size_t max_pages = clamp(max_segment, PAGE_SIZE, UINT_MAX) >> PAGE_SHIFT;
	struct scatterlist *sg;
	size_t i = 0;
	int ret;

	ret = sg_alloc_table(table, udmabuf_count_segments(runs, max_pages),
			     GFP_KERNEL | __GFP_NOWARN);
	if (ret)
		return ret;

	sg = table->sgl;
	while (i < runs->count) {
		unsigned long pfn;
		size_t left = udmabuf_next_stretch(runs, &i, &pfn);

		while (left) {
			size_t pages = min(left, max_pages);

			sg_set_page(sg, pfn_to_page(pfn), pages << PAGE_SHIFT, 0);
			sg = sg_next(sg);
			pfn += pages;
			left -= pages;
		}
	}

	return 0;
}
