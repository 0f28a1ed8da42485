// SPDX-License-Identifier: GPL-2.0-only
/* The programs of dmabuf_iter.c. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern int bpf_iter_dmabuf_new(struct bpf_iter_dmabuf *it) __weak __ksym;
extern struct dma_buf *bpf_iter_dmabuf_next(struct bpf_iter_dmabuf *it) __weak __ksym;
extern void bpf_iter_dmabuf_destroy(struct bpf_iter_dmabuf *it) __weak __ksym;

char _license[] SEC("license") = "GPL";

/* How often a loop has come by each buffer. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} visits SEC(".maps");

/* How many it has visited, and after how many it is left; dmabuf_iter.c has a copy. */
struct {
	__u64 visited;
	__u64 most;
} loop_state;

static __u64 ino_of(const struct dma_buf *dmabuf)
{
	return dmabuf->file->f_inode->i_ino;
}

SEC("iter/dmabuf")
int print_inodes(struct bpf_iter__dmabuf *ctx)
{
	/* Read once: the verifier does not know that it is the same the next time. */
	const struct dma_buf *dmabuf = ctx->dmabuf;

	if (dmabuf)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", ino_of(dmabuf));
	else
		BPF_SEQ_PRINTF(ctx->meta->seq, "end %llu\n", ctx->meta->seq_num);
	return 0;
}

/* As above, but it may sleep. */
SEC("iter.s/dmabuf")
int print_and_sleep(struct bpf_iter__dmabuf *ctx)
{
	const struct dma_buf *dmabuf = ctx->dmabuf;

	if (dmabuf)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", ino_of(dmabuf));
	return 0;
}

static void note_visit(__u64 ino)
{
	__u64 *found = bpf_map_lookup_elem(&visits, &ino), one = 1;

	if (found)
		++*found;
	else
		bpf_map_update_elem(&visits, &ino, &one, BPF_ANY);
}

SEC("syscall")
int loop(void *ctx)
{
	struct bpf_iter_dmabuf it;
	struct dma_buf *dmabuf;

	bpf_iter_dmabuf_new(&it);
	while ((dmabuf = bpf_iter_dmabuf_next(&it))) {
		note_visit(ino_of(dmabuf));
		if (++loop_state.visited == loop_state.most)
			break;
	}
	bpf_iter_dmabuf_destroy(&it);
	return 0;
}
