// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_buf/report in debugfs: all live buffers, their users, and what these wait for.
 * Programs that look for a leak or a hang read it.
 *
 * To change here: the lines of the text. Their grammar is in
 * Documentation/ABI/testing/debugfs-dma-buf, and tools/dma-buf parses it.
 */

#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kallsyms.h>
#include <linux/kdev_t.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string_helpers.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "dma-buf-internal.h"
#include "dma-buf-list.h"
#include "dma-buf-report.h"
#include "dma-resv-internal.h"

/**
 * DOC: report
 *
 * ``/sys/kernel/debug/dma_buf/report`` is made for machines that hang. It never
 * blocks on a reservation lock: if it cannot take the lock of a buffer within a few
 * milliseconds, it prints ``attachments=busy`` in place of the attachments, which is
 * a finding by itself. It reads everything else without that lock. Unlike ``bufinfo``
 * it does not signal fences: a fence is pending as long as its flag is not set. If
 * the driver says that the work is over even so, the line has
 * ``done-not-signalled``, which is another finding.
 *
 * The text may be read in pieces of any size. Between two reads the file holds
 * neither a lock nor a buffer. The next read continues behind the inode number of
 * the last buffer.
 *
 * If a buffer is closed while it is shown, the reader has the last reference and
 * calls the exporter's &dma_buf_ops.release, which may sleep.
 */

/* Bytes of text that one read() makes at most. */
#define DMA_BUF_REPORT_SIZE	SZ_64K

/* Limit for the pending fences of a buffer that are shown. */
#define DMA_BUF_REPORT_FENCES	256

/* Time to try the lock of one buffer, and time to spend on busy locks of all buffers. */
#define DMA_BUF_REPORT_TRY_NS	(4 * NSEC_PER_MSEC)
#define DMA_BUF_REPORT_TRIES_NS	(200 * NSEC_PER_MSEC)

/* Limits for the kinds of pollers that are told apart, and for the pollers counted. */
#define DMA_BUF_REPORT_KINDS	8
#define DMA_BUF_REPORT_POLLERS	1024

/**
 * enum dma_buf_report_pos - positions in the text
 * @DMA_BUF_REPORT_HEAD: the first line
 * @DMA_BUF_REPORT_END: the last line
 * @DMA_BUF_REPORT_DONE: behind it
 * @DMA_BUF_REPORT_BUFFER: plus the inode number of a buffer: the newest one that has
 *	not been shown
 */
enum dma_buf_report_pos {
	DMA_BUF_REPORT_HEAD,
	DMA_BUF_REPORT_END,
	DMA_BUF_REPORT_DONE,
	DMA_BUF_REPORT_BUFFER,
};

/**
 * struct dma_buf_report - state of one open file
 * @walk: position of the current read()
 * @walking: @walk is valid, that is, a read() is under way
 * @patience_ns: time that is left for the locks of all buffers that will be shown
 * @buffers: buffers shown so far
 * @bytes: and their size
 * @slots: pending fences of the current buffer
 *
 * Guarded by the lock of the seq_file.
 */
struct dma_buf_report {
	struct dma_buf_walk walk;
	bool walking;
	s64 patience_ns;
	unsigned int buffers;
	u64 bytes;
	unsigned long slots[DMA_BUF_REPORT_FENCES];
};

/* Stands for the last line, as %SEQ_START_TOKEN does for the first one. */
#define DMA_BUF_REPORT_END_TOKEN	((void *)2)

/**
 * dma_report_string() - print a key and its value, escaped and in quotes
 * @m: file to print to
 * @key: key
 * @value: string, or NULL, which is printed as ``none``
 *
 * Context: Any.
 */
void dma_report_string(struct seq_file *m, const char *key, const char *value)
{
	seq_printf(m, " %s=", key);
	if (!value) {
		seq_puts(m, "none");
		return;
	}

	seq_putc(m, '"');
	seq_escape_str(m, value, ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND,
		       "\"\\");
	seq_putc(m, '"');
}

/**
 * dma_report_symbol() - print a key and the name of a function
 * @m: file to print to
 * @key: key
 * @address: address in the function, which may be in a module that has gone
 *
 * Prints nothing if there is no name, since an address must not be disclosed.
 *
 * Context: Process context.
 */
void dma_report_symbol(struct seq_file *m, const char *key, const void *address)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", address);
	if (IS_ENABLED(CONFIG_KALLSYMS) && name[0] != '0')
		dma_report_string(m, key, name);
}

/**
 * dma_report_time() - print a key and a time, with the resolution of a tick
 * @m: file to print to
 * @key: key
 * @ns: nanoseconds
 *
 * Context: Any.
 */
void dma_report_time(struct seq_file *m, const char *key, u64 ns)
{
	u64 ms = div_u64(ns, NSEC_PER_MSEC);
	u32 rest;

	ms = div_u64_rem(ms, MSEC_PER_SEC, &rest);
	seq_printf(m, " %s=%llu.%03u", key, ms, rest);
}

#ifdef CONFIG_DMABUF_STAMP
static void dma_buf_report_stamp(struct seq_file *m, struct dma_buf *dmabuf)
{
	dma_report_time(m, "created", dmabuf->since);
	seq_printf(m, " pid=%d", dmabuf->tgid);
	dma_report_string(m, "comm", dmabuf->comm);
	dma_report_symbol(m, "by", (void *)dmabuf->caller);
}

static void dma_buf_report_attach_stamp(struct seq_file *m,
					struct dma_buf_attachment *attach)
{
	dma_report_time(m, "created", attach->since);
	seq_printf(m, " pid=%d", attach->tgid);
	dma_report_symbol(m, "by", (void *)attach->caller);
	seq_printf(m, " maps=%u pins=%u", attach->maps, attach->pins);
}
#else
static void dma_buf_report_stamp(struct seq_file *m, struct dma_buf *dmabuf)
{
}

static void dma_buf_report_attach_stamp(struct seq_file *m,
					struct dma_buf_attachment *attach)
{
}
#endif

static void dma_buf_report_head(struct seq_file *m)
{
	dev_t dev = dma_buf_dev();
	struct timespec64 now;

	ktime_get_boottime_ts64(&now);
	seq_printf(m, "dma-buf-report 1 dev=%u:%u now=%lld.%09ld\n", MAJOR(dev),
		   MINOR(dev), (s64)now.tv_sec, now.tv_nsec);
}

static void dma_buf_report_end(struct seq_file *m, struct dma_buf_report *report)
{
	seq_printf(m, "end buffers=%u bytes=%llu\n", report->buffers,
		   report->bytes);
}

static const char *dma_buf_report_pollcb(struct dma_buf *dmabuf)
{
	bool in = READ_ONCE(dmabuf->cb_in.active);
	bool out = READ_ONCE(dmabuf->cb_out.active);

	if (in && out)
		return "both";

	return in ? "in" : out ? "out" : "none";
}

static unsigned int dma_buf_report_vmaps(struct dma_buf *dmabuf)
{
	/* Guarded by the reservation lock. A stale value does no harm here. */
	return data_race(dmabuf->vmapping_counter);
}

/* Print what can be read without a lock. */
static void dma_buf_report_buffer(struct seq_file *m, struct dma_buf *dmabuf)
{
	struct file *file = dmabuf->file;

	/* The walk holds one of the references. */
	seq_printf(m, "buffer ino=%lu size=%zu count=%ld",
		   file_inode(file)->i_ino, dmabuf->size, file_count(file) - 1);
	dma_report_string(m, "exporter", dmabuf->exp_name);
	dma_report_string(m, "module",
			  dmabuf->owner ? module_name(dmabuf->owner) : "kernel");
	scoped_guard(rcu)
		dma_report_string(m, "name", rcu_dereference(dmabuf->name));

	seq_printf(m, " flags=0%o resv=%s resvid=%p dynamic=%d cached=%d vmaps=%u pollcb=%s",
		   READ_ONCE(file->f_flags),
		   dma_buf_owns_resv(dmabuf) ? "own" : "shared", dmabuf->resv,
		   dma_buf_is_dynamic(dmabuf), dmabuf->ops->cache_sgt_mapping,
		   dma_buf_report_vmaps(dmabuf),
		   dma_buf_report_pollcb(dmabuf));
	dma_buf_report_stamp(m, dmabuf);
}

/* If the walk has the last reference, do not delay the release by retries. */
static bool dma_buf_report_retry(struct dma_buf *dmabuf, s64 patience_ns)
{
	ktime_t end = ktime_add_ns(ktime_get(), patience_ns);

	while (ktime_before(ktime_get(), end) && file_count(dmabuf->file) > 1) {
		usleep_range(100, 200);
		if (dma_resv_trylock(dmabuf->resv))
			return true;
	}

	return false;
}

/*
 * Try to get the reservation lock. The total time for all buffers is limited, since
 * they may share one lock, and its owner may hang.
 */
static bool dma_buf_report_trylock(struct dma_buf_report *report,
				   struct dma_buf *dmabuf)
{
	ktime_t begin;
	bool locked;

	if (dma_resv_trylock(dmabuf->resv))
		return true;

	begin = ktime_get();
	locked = dma_buf_report_retry(dmabuf, min(report->patience_ns,
						  DMA_BUF_REPORT_TRY_NS));
	report->patience_ns -= ktime_to_ns(ktime_sub(ktime_get(), begin));

	return locked;
}

static const char *dma_buf_report_direction(enum dma_data_direction dir)
{
	static const char * const names[] = {
		[DMA_BIDIRECTIONAL] = "both",
		[DMA_TO_DEVICE] = "to",
		[DMA_FROM_DEVICE] = "from",
		[DMA_NONE] = "none",
	};

	return names[dir];
}

static void dma_buf_report_attachment(struct seq_file *m,
				      struct dma_buf_attachment *attach)
{
	seq_puts(m, " attach");
	dma_report_string(m, "dev", dev_name(attach->dev));
	dma_report_string(m, "driver", dev_driver_string(attach->dev));
	seq_printf(m, " dynamic=%d p2p=%d kept=%d dir=%s",
		   dma_buf_attachment_is_dynamic(attach), attach->peer2peer,
		   !!attach->sgt,
		   dma_buf_report_direction(attach->sgt ? attach->dir : DMA_NONE));
	dma_buf_report_attach_stamp(m, attach);
	seq_putc(m, '\n');
}

/* Print the end of the buffer's line, and a line for each attachment. */
static void dma_buf_report_attachments(struct seq_file *m, struct dma_buf *dmabuf)
{
	struct dma_buf_report *report = m->private;
	struct dma_buf_attachment *attach;

	if (!dma_buf_report_trylock(report, dmabuf)) {
		seq_puts(m, " attachments=busy\n");
		return;
	}

	seq_putc(m, '\n');
	list_for_each_entry(attach, &dmabuf->attachments, node)
		dma_buf_report_attachment(m, attach);
	dma_resv_unlock(dmabuf->resv);
}

/**
 * struct dma_buf_report_poller - entries of a wait queue with the same wake-up function
 * @func: wake-up function
 * @count: number of entries
 */
struct dma_buf_report_poller {
	wait_queue_func_t func;
	unsigned int count;
};

/* Count pollers of further kinds with the last kind, which loses its name by that. */
static void dma_buf_report_add_poller(struct dma_buf_report_poller *kinds,
				      wait_queue_func_t func)
{
	struct dma_buf_report_poller *last = &kinds[DMA_BUF_REPORT_KINDS - 1];

	while (kinds < last && kinds->count && kinds->func != func)
		kinds++;
	if (kinds == last)
		func = NULL;

	kinds->func = func;
	kinds->count++;
}

/* Returns false if there are more. Does not print, since interrupts are off. */
static bool dma_buf_report_count_pollers(struct wait_queue_head *poll,
					 struct dma_buf_report_poller *kinds)
{
	unsigned int room = DMA_BUF_REPORT_POLLERS;
	struct wait_queue_entry *entry;

	guard(spinlock_irq)(&poll->lock);

	list_for_each_entry(entry, &poll->head, entry) {
		if (!room--)
			return false;
		dma_buf_report_add_poller(kinds, entry->func);
	}

	return true;
}

static void dma_buf_report_pollers(struct seq_file *m, struct dma_buf *dmabuf)
{
	struct dma_buf_report_poller kinds[DMA_BUF_REPORT_KINDS] = {};
	bool all = dma_buf_report_count_pollers(&dmabuf->poll, kinds);
	unsigned int i;

	for (i = 0; i < DMA_BUF_REPORT_KINDS && kinds[i].count; i++) {
		seq_puts(m, " poller");
		if (kinds[i].func)
			dma_report_symbol(m, "func", kinds[i].func);
		seq_printf(m, " n=%u\n", kinds[i].count);
	}
	if (!all)
		seq_puts(m, " pollers more=1\n");
}

/*
 * For how long no fence has come in, in nanoseconds; negative if the lock is busy. To be
 * asked after the fences were collected: each of them has been there for that long.
 */
static s64 dma_buf_report_quiet(struct dma_buf *dmabuf)
{
	s64 quiet;

	if (!dma_resv_trylock(dmabuf->resv))
		return -1;

	quiet = jiffies64_to_nsecs(dma_resv_quiet(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);

	return quiet;
}

static void dma_buf_report_fences(struct seq_file *m, struct dma_buf *dmabuf)
{
	struct dma_buf_report *report = m->private;
	unsigned int i, num_fences;
	s64 quiet = -1;

	num_fences = dma_resv_collect_known(dmabuf->resv, report->slots,
					    DMA_BUF_REPORT_FENCES);
	if (num_fences)
		quiet = dma_buf_report_quiet(dmabuf);
	for (i = 0; i < min(num_fences, DMA_BUF_REPORT_FENCES); i++) {
		struct dma_fence *fence = dma_resv_slot_fence(report->slots[i]);

		dma_report_fence(m, fence, dma_resv_slot_usage(report->slots[i]),
				 quiet);
		dma_fence_put(fence);
	}
	if (num_fences > DMA_BUF_REPORT_FENCES)
		seq_puts(m, " fences more=1\n");
}

static int dma_buf_report_show(struct seq_file *m, void *v)
{
	if (v == SEQ_START_TOKEN) {
		dma_buf_report_head(m);
	} else if (v == DMA_BUF_REPORT_END_TOKEN) {
		dma_buf_report_end(m, m->private);
	} else {
		dma_buf_report_buffer(m, v);
		dma_buf_report_attachments(m, v);
		dma_buf_report_pollers(m, v);
		dma_buf_report_fences(m, v);
	}

	return 0;
}

/* Continue with the newest buffer whose number is not later than @ino. */
static void dma_buf_report_walk(struct dma_buf_report *report, unsigned long ino)
{
	dma_buf_walk_begin_old(&report->walk, ino);
	report->walking = true;
}

static void *dma_buf_report_visit(struct dma_buf_report *report, loff_t *pos)
{
	struct dma_buf *dmabuf = dma_buf_walk_next(&report->walk);

	if (!dmabuf) {
		*pos = DMA_BUF_REPORT_END;
		return DMA_BUF_REPORT_END_TOKEN;
	}

	*pos = (loff_t)file_inode(dmabuf->file)->i_ino + DMA_BUF_REPORT_BUFFER;

	return dmabuf;
}

static void *dma_buf_report_start(struct seq_file *m, loff_t *pos)
{
	struct dma_buf_report *report = m->private;

	switch (*pos) {
	case DMA_BUF_REPORT_HEAD:
		report->patience_ns = DMA_BUF_REPORT_TRIES_NS;
		report->buffers = 0;
		report->bytes = 0;
		return SEQ_START_TOKEN;
	case DMA_BUF_REPORT_END:
		return DMA_BUF_REPORT_END_TOKEN;
	case DMA_BUF_REPORT_DONE:
		return NULL;
	default:
		dma_buf_report_walk(report, *pos - DMA_BUF_REPORT_BUFFER);
		return dma_buf_report_visit(report, pos);
	}
}

/* The buffer at @v has been shown, once and completely. */
static void *dma_buf_report_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct dma_buf_report *report = m->private;
	struct dma_buf *dmabuf = v;

	if (v == DMA_BUF_REPORT_END_TOKEN) {
		*pos = DMA_BUF_REPORT_DONE;
		return NULL;
	}

	if (v == SEQ_START_TOKEN) {
		dma_buf_report_walk(report, dma_buf_list_last_ino());
	} else {
		report->buffers++;
		report->bytes += dmabuf->size;
	}

	return dma_buf_report_visit(report, pos);
}

static void dma_buf_report_stop(struct seq_file *m, void *v)
{
	struct dma_buf_report *report = m->private;

	if (report->walking)
		dma_buf_walk_end(&report->walk);
	report->walking = false;
}

static const struct seq_operations dma_buf_report_seq_ops = {
	.start = dma_buf_report_start,
	.next = dma_buf_report_next,
	.stop = dma_buf_report_stop,
	.show = dma_buf_report_show,
};

static int dma_buf_report_open(struct inode *inode, struct file *file)
{
	struct seq_file *m;
	int ret;

	ret = seq_open_private(file, &dma_buf_report_seq_ops,
			       sizeof(struct dma_buf_report));
	if (ret)
		return ret;

	/* Without this buffer, seq_file allocates a smaller one. */
	m = file->private_data;
	m->buf = kvmalloc(DMA_BUF_REPORT_SIZE, GFP_KERNEL_ACCOUNT);
	if (m->buf)
		m->size = DMA_BUF_REPORT_SIZE;

	return 0;
}

static const struct file_operations dma_buf_report_fops = {
	.owner = THIS_MODULE,
	.open = dma_buf_report_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/**
 * dma_buf_report_init() - create the file
 * @dir: directory in debugfs, possibly an ERR_PTR()
 *
 * The text has details of all tasks and drivers, so only root may read it.
 */
void __init dma_buf_report_init(struct dentry *dir)
{
	debugfs_create_file("report", 0400, dir, NULL, &dma_buf_report_fops);
}
