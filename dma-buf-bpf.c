// SPDX-License-Identifier: GPL-2.0-only
/*
 * All live buffers for BPF programs: as a file that a program writes, and as a loop
 * in a program.
 *
 * To change here: the kfuncs and the target "dmabuf", which programs rely on by name.
 * The walk itself is in dma-buf-list.c.
 */

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/build_bug.h>
#include <linux/dma-buf.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include "dma-buf-list.h"

/**
 * DOC: bpf
 *
 * The iterator ``dmabuf`` runs a BPF program for each live buffer, the newest first,
 * and once more with NULL when all have been visited. Its output may be read in
 * pieces of any size. Between two reads the file holds neither a lock nor a buffer. The
 * next read continues with the inode number that would have been next.
 *
 * A program that may sleep can do the same in a loop of its own, with
 * bpf_iter_dmabuf_new(), bpf_iter_dmabuf_next() and bpf_iter_dmabuf_destroy().
 *
 * Both hold a reference on the current buffer, and nothing else, so the count that a
 * program sees includes this one. If the buffer is closed meanwhile, the next step
 * calls the exporter's &dma_buf_ops.release.
 */

/* ----------------------------------------------------------- read as a file */

struct bpf_iter__dmabuf {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct dma_buf *, dmabuf);
};

DEFINE_BPF_ITER_FUNC(dmabuf, struct bpf_iter_meta *meta, struct dma_buf *dmabuf)

/**
 * enum dma_buf_bpf_pos - positions in the file
 * @DMA_BUF_BPF_BEGIN: nothing has been shown
 * @DMA_BUF_BPF_END: all buffers have been shown
 * @DMA_BUF_BPF_BUFFER: plus the inode number of a buffer: the newest one that has not
 *	been shown
 */
enum dma_buf_bpf_pos {
	DMA_BUF_BPF_BEGIN,
	DMA_BUF_BPF_END,
	DMA_BUF_BPF_BUFFER,
};

/**
 * struct dma_buf_bpf_file - state of one open file
 * @walk: position of the current read()
 * @walking: @walk is valid, that is, a read() is under way
 *
 * Guarded by the lock of the seq_file.
 */
struct dma_buf_bpf_file {
	struct dma_buf_walk walk;
	bool walking;
};

static void *dma_buf_bpf_visit(struct dma_buf_bpf_file *priv, loff_t *pos)
{
	struct dma_buf *dmabuf = dma_buf_walk_next(&priv->walk);

	*pos = dmabuf ? (loff_t)file_inode(dmabuf->file)->i_ino + DMA_BUF_BPF_BUFFER :
			DMA_BUF_BPF_END;

	return dmabuf;
}

static void *dma_buf_bpf_start(struct seq_file *seq, loff_t *pos)
{
	struct dma_buf_bpf_file *priv = seq->private;

	if (*pos == DMA_BUF_BPF_END)
		return NULL;

	if (*pos == DMA_BUF_BPF_BEGIN)
		dma_buf_walk_begin(&priv->walk);
	else
		dma_buf_walk_begin_old(&priv->walk, *pos - DMA_BUF_BPF_BUFFER);
	priv->walking = true;

	return dma_buf_bpf_visit(priv, pos);
}

static void *dma_buf_bpf_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return dma_buf_bpf_visit(seq->private, pos);
}

static int dma_buf_bpf_run(struct seq_file *seq, struct dma_buf *dmabuf,
			   bool in_stop)
{
	struct bpf_iter_meta meta = { .seq = seq };
	struct bpf_iter__dmabuf ctx = { .meta = &meta, .dmabuf = dmabuf };
	struct bpf_prog *prog = bpf_iter_get_info(&meta, in_stop);

	return prog ? bpf_iter_run_prog(prog, &ctx) : 0;
}

static int dma_buf_bpf_show(struct seq_file *seq, void *v)
{
	return dma_buf_bpf_run(seq, v, false);
}

/* Run the program once more, with NULL, when all buffers have been visited. */
static void dma_buf_bpf_stop(struct seq_file *seq, void *v)
{
	struct dma_buf_bpf_file *priv = seq->private;

	if (!v)
		dma_buf_bpf_run(seq, NULL, true);
	if (priv->walking)
		dma_buf_walk_end(&priv->walk);
	priv->walking = false;
}

static const struct seq_operations dma_buf_bpf_seq_ops = {
	.start = dma_buf_bpf_start,
	.next = dma_buf_bpf_next,
	.stop = dma_buf_bpf_stop,
	.show = dma_buf_bpf_show,
};

static const struct bpf_iter_seq_info dma_buf_bpf_seq_info = {
	.seq_ops = &dma_buf_bpf_seq_ops,
	.seq_priv_size = sizeof(struct dma_buf_bpf_file),
};

static void dma_buf_bpf_show_fdinfo(const struct bpf_iter_aux_info *aux,
				    struct seq_file *seq)
{
	seq_puts(seq, "dmabuf iter\n");
}

static struct bpf_iter_reg dma_buf_bpf_target = {
	.target = "dmabuf",
	.feature = BPF_ITER_RESCHED,
	.show_fdinfo = dma_buf_bpf_show_fdinfo,
	.ctx_arg_info_size = 1,
	.ctx_arg_info = {
		{ offsetof(struct bpf_iter__dmabuf, dmabuf), PTR_TO_BTF_ID_OR_NULL },
	},
	.seq_info = &dma_buf_bpf_seq_info,
};

BTF_ID_LIST_SINGLE(dma_buf_bpf_type, struct, dma_buf)

/* ------------------------------------------------------ a loop of a program */

/**
 * struct bpf_iter_dmabuf - the loop on the stack of a program, opaque to it
 * @__opaque: address of a &struct dma_buf_walk, or 0
 */
struct bpf_iter_dmabuf {
	__u64 __opaque[1];
} __aligned(8);

/**
 * struct bpf_iter_dmabuf_kern - the same, for the kernel
 * @walk: allocated, since it is too large for the stack of a program; or NULL
 */
struct bpf_iter_dmabuf_kern {
	struct dma_buf_walk *walk;
} __aligned(8);

__bpf_kfunc_start_defs();

/**
 * bpf_iter_dmabuf_new() - begin to visit all live buffers
 * @it: the loop, uninitialised
 *
 * Context: A BPF program that may sleep. Balanced by bpf_iter_dmabuf_destroy(), as the
 * verifier ensures, also after an error.
 * Return: 0, -ENOMEM; after an error the loop visits no buffer.
 */
__bpf_kfunc int bpf_iter_dmabuf_new(struct bpf_iter_dmabuf *it)
{
	struct bpf_iter_dmabuf_kern *loop = (void *)it;

	BUILD_BUG_ON(sizeof(*loop) > sizeof(*it));
	BUILD_BUG_ON(__alignof__(*loop) != __alignof__(*it));

	loop->walk = kmalloc(sizeof(*loop->walk), GFP_KERNEL);
	if (!loop->walk)
		return -ENOMEM;

	dma_buf_walk_begin(loop->walk);

	return 0;
}

/**
 * bpf_iter_dmabuf_next() - visit the next buffer
 * @it: the loop
 *
 * Context: A BPF program that may sleep. May destroy the buffer returned before.
 * Return: buffer, which is valid until the next call, or NULL at the end.
 */
__bpf_kfunc struct dma_buf *bpf_iter_dmabuf_next(struct bpf_iter_dmabuf *it)
{
	struct bpf_iter_dmabuf_kern *loop = (void *)it;

	return loop->walk ? dma_buf_walk_next(loop->walk) : NULL;
}

/**
 * bpf_iter_dmabuf_destroy() - end a loop, at its end or before
 * @it: the loop
 *
 * Context: As for bpf_iter_dmabuf_next().
 */
__bpf_kfunc void bpf_iter_dmabuf_destroy(struct bpf_iter_dmabuf *it)
{
	struct bpf_iter_dmabuf_kern *loop = (void *)it;

	if (!loop->walk)
		return;

	dma_buf_walk_end(loop->walk);
	kfree(loop->walk);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(dma_buf_bpf_kfuncs)
BTF_ID_FLAGS(func, bpf_iter_dmabuf_new, KF_ITER_NEW | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_dmabuf_next, KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_dmabuf_destroy, KF_ITER_DESTROY | KF_SLEEPABLE)
BTF_KFUNCS_END(dma_buf_bpf_kfuncs)

static const struct btf_kfunc_id_set dma_buf_bpf_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &dma_buf_bpf_kfuncs,
};

static int __init dma_buf_bpf_init(void)
{
	int ret;

	dma_buf_bpf_target.ctx_arg_info[0].btf_id = *dma_buf_bpf_type;
	ret = bpf_iter_reg_target(&dma_buf_bpf_target);

	/* Programs of any type, as long as they may sleep. */
	return ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC,
						&dma_buf_bpf_kfunc_set);
}
late_initcall(dma_buf_bpf_init);
