// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the columns of "dmabuf list" that the kernel knows. It works without
 * dmabuf_list.c, too:
 *
 *	bpftool iter pin dmabuf_list.bpf.o /sys/fs/bpf/dmabufs
 *	cat /sys/fs/bpf/dmabufs
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* One less than there are, since the iterator has one itself. */
static long references(const struct dma_buf *dmabuf)
{
	return dmabuf->file->f_count.counter - 1;
}

/* Names change; this one is freed after a grace period, and the program is over then. */
SEC("iter/dmabuf")
int list_dmabufs(struct bpf_iter__dmabuf *ctx)
{
	const struct dma_buf *dmabuf = ctx->dmabuf;
	struct seq_file *seq = ctx->meta->seq;
	const char *name;

	if (!dmabuf)
		return 0;
	if (!ctx->meta->seq_num)
		BPF_SEQ_PRINTF(seq, "%8s  %10s  %-20s  %-31s  %5s\n", "INO", "SIZE",
			       "EXPORTER", "NAME", "REFS");
	BPF_SEQ_PRINTF(seq, "%8lu  %10lu  %-20s  ", dmabuf->file->f_inode->i_ino,
		       dmabuf->size, dmabuf->exp_name);
	name = dmabuf->name;
	if (name)
		BPF_SEQ_PRINTF(seq, "%-31s  ", name);
	else
		BPF_SEQ_PRINTF(seq, "%-31s  ", "-");
	BPF_SEQ_PRINTF(seq, "%5ld\n", references(dmabuf));
	return 0;
}
