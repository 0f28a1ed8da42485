/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dma_buf

#if !defined(_TRACE_DMA_BUF_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DMA_BUF_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/fs.h>
#include <linux/sync_file.h>
#include <linux/tracepoint.h>

/*
 * Each event is emitted while a reference on its object is held: before another task
 * can close the descriptor, before the reference is dropped, before the attachment is
 * freed. Names of buffers are left out, since they change.
 */

TRACE_DEFINE_ENUM(DMA_BIDIRECTIONAL);
TRACE_DEFINE_ENUM(DMA_TO_DEVICE);
TRACE_DEFINE_ENUM(DMA_FROM_DEVICE);
TRACE_DEFINE_ENUM(DMA_NONE);

#define dma_buf_show_direction(dir)					\
	__print_symbolic(dir,						\
			 { DMA_BIDIRECTIONAL, "both" },			\
			 { DMA_TO_DEVICE, "to" },			\
			 { DMA_FROM_DEVICE, "from" },			\
			 { DMA_NONE, "none" })

/* Events of a buffer. */
DECLARE_EVENT_CLASS(dma_buf,

	TP_PROTO(struct dma_buf *dmabuf),

	TP_ARGS(dmabuf),

	TP_STRUCT__entry(
		__string(exp_name, dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
	),

	TP_fast_assign(
		__assign_str(exp_name);
		__entry->size = dmabuf->size;
		__entry->ino = file_inode(dmabuf->file)->i_ino;
	),

	TP_printk("exp_name=%s size=%zu ino=%lu", __get_str(exp_name),
		  __entry->size, __entry->ino)
);

#define DEFINE_DMA_BUF_EVENT(name)			\
DEFINE_EVENT(dma_buf, name,				\
	     TP_PROTO(struct dma_buf *dmabuf),		\
	     TP_ARGS(dmabuf))

DEFINE_DMA_BUF_EVENT(dma_buf_export);
DEFINE_DMA_BUF_EVENT(dma_buf_mmap_internal);
DEFINE_DMA_BUF_EVENT(dma_buf_mmap);
DEFINE_DMA_BUF_EVENT(dma_buf_put);
DEFINE_DMA_BUF_EVENT(dma_buf_move_notify);

#undef DEFINE_DMA_BUF_EVENT

/* The same, and a number that goes with it. */
#define DMA_BUF_EVENT_CLASS(name, type, member, format)		\
DECLARE_EVENT_CLASS(name,						\
									\
	TP_PROTO(struct dma_buf *dmabuf, type member),			\
									\
	TP_ARGS(dmabuf, member),					\
									\
	TP_STRUCT__entry(						\
		__string(exp_name, dmabuf->exp_name)			\
		__field(size_t, size)					\
		__field(ino_t, ino)					\
		__field(type, member)					\
	),								\
									\
	TP_fast_assign(							\
		__assign_str(exp_name);					\
		__entry->size = dmabuf->size;				\
		__entry->ino = file_inode(dmabuf->file)->i_ino;		\
		__entry->member = member;				\
	),								\
									\
	TP_printk("exp_name=%s size=%zu ino=%lu " #member "=" format,	\
		  __get_str(exp_name), __entry->size, __entry->ino,	\
		  __entry->member)					\
)

DMA_BUF_EVENT_CLASS(dma_buf_fd, int, fd, "%d");
DMA_BUF_EVENT_CLASS(dma_buf_kernel_map, unsigned int, counter, "%u");
DMA_BUF_EVENT_CLASS(dma_buf_life, u64, lifetime, "%llu");

#undef DMA_BUF_EVENT_CLASS

/* The descriptor is not installed yet. */
DEFINE_EVENT(dma_buf_fd, dma_buf_fd,
	     TP_PROTO(struct dma_buf *dmabuf, int fd),
	     TP_ARGS(dmabuf, fd));

DEFINE_EVENT(dma_buf_fd, dma_buf_get,
	     TP_PROTO(struct dma_buf *dmabuf, int fd),
	     TP_ARGS(dmabuf, fd));

/* Users of the mapping, with this one and without it. */
DEFINE_EVENT(dma_buf_kernel_map, dma_buf_vmap,
	     TP_PROTO(struct dma_buf *dmabuf, unsigned int counter),
	     TP_ARGS(dmabuf, counter));

DEFINE_EVENT(dma_buf_kernel_map, dma_buf_vunmap,
	     TP_PROTO(struct dma_buf *dmabuf, unsigned int counter),
	     TP_ARGS(dmabuf, counter));

/* Nanoseconds, to the tick; 0 without CONFIG_DMABUF_STAMP. */
DEFINE_EVENT(dma_buf_life, dma_buf_release,
	     TP_PROTO(struct dma_buf *dmabuf, u64 lifetime),
	     TP_ARGS(dmabuf, lifetime));

/* A device. */
DECLARE_EVENT_CLASS(dma_buf_attach,

	TP_PROTO(struct dma_buf_attachment *attach),

	TP_ARGS(attach),

	TP_STRUCT__entry(
		__string(dev_name, dev_name(attach->dev))
		__string(exp_name, attach->dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
		__field(void *, attach)
		__field(bool, is_dynamic)
	),

	TP_fast_assign(
		__assign_str(dev_name);
		__assign_str(exp_name);
		__entry->size = attach->dmabuf->size;
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__entry->attach = attach;
		__entry->is_dynamic = dma_buf_attachment_is_dynamic(attach);
	),

	TP_printk("dev_name=%s exp_name=%s size=%zu ino=%lu attach=%p is_dynamic=%d",
		  __get_str(dev_name), __get_str(exp_name), __entry->size,
		  __entry->ino, __entry->attach, __entry->is_dynamic)
);

#define DEFINE_DMA_BUF_ATTACH_EVENT(name)			\
DEFINE_EVENT(dma_buf_attach, name,				\
	     TP_PROTO(struct dma_buf_attachment *attach),	\
	     TP_ARGS(attach))

DEFINE_DMA_BUF_ATTACH_EVENT(dma_buf_dynamic_attach);
DEFINE_DMA_BUF_ATTACH_EVENT(dma_buf_detach);
DEFINE_DMA_BUF_ATTACH_EVENT(dma_buf_pin);
DEFINE_DMA_BUF_ATTACH_EVENT(dma_buf_unpin);

#undef DEFINE_DMA_BUF_ATTACH_EVENT

/* A mapping for a device. */
DECLARE_EVENT_CLASS(dma_buf_map,

	TP_PROTO(struct dma_buf_attachment *attach, int direction),

	TP_ARGS(attach, direction),

	TP_STRUCT__entry(
		__string(dev_name, dev_name(attach->dev))
		__string(exp_name, attach->dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
		__field(void *, attach)
		__field(int, direction)
	),

	TP_fast_assign(
		__assign_str(dev_name);
		__assign_str(exp_name);
		__entry->size = attach->dmabuf->size;
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__entry->attach = attach;
		__entry->direction = direction;
	),

	TP_printk("dev_name=%s exp_name=%s size=%zu ino=%lu attach=%p direction=%s",
		  __get_str(dev_name), __get_str(exp_name), __entry->size,
		  __entry->ino, __entry->attach,
		  dma_buf_show_direction(__entry->direction))
);

DEFINE_EVENT(dma_buf_map, dma_buf_map,
	     TP_PROTO(struct dma_buf_attachment *attach, int direction),
	     TP_ARGS(attach, direction));

DEFINE_EVENT(dma_buf_map, dma_buf_unmap,
	     TP_PROTO(struct dma_buf_attachment *attach, int direction),
	     TP_ARGS(attach, direction));

/* Access by the CPU has begun, or failed to; or the same for its end. */
DECLARE_EVENT_CLASS(dma_buf_cpu_access,

	TP_PROTO(struct dma_buf *dmabuf, int direction, int ret),

	TP_ARGS(dmabuf, direction, ret),

	TP_STRUCT__entry(
		__string(exp_name, dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
		__field(int, direction)
		__field(int, ret)
	),

	TP_fast_assign(
		__assign_str(exp_name);
		__entry->size = dmabuf->size;
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->direction = direction;
		__entry->ret = ret;
	),

	TP_printk("exp_name=%s size=%zu ino=%lu direction=%s ret=%d",
		  __get_str(exp_name), __entry->size, __entry->ino,
		  dma_buf_show_direction(__entry->direction), __entry->ret)
);

DEFINE_EVENT(dma_buf_cpu_access, dma_buf_begin_cpu_access,
	     TP_PROTO(struct dma_buf *dmabuf, int direction, int ret),
	     TP_ARGS(dmabuf, direction, ret));

DEFINE_EVENT(dma_buf_cpu_access, dma_buf_end_cpu_access,
	     TP_PROTO(struct dma_buf *dmabuf, int direction, int ret),
	     TP_ARGS(dmabuf, direction, ret));

/* Events that poll() was asked for, and those that have come. */
TRACE_EVENT(dma_buf_poll,

	TP_PROTO(struct dma_buf *dmabuf, u32 asked, u32 ready),

	TP_ARGS(dmabuf, asked, ready),

	TP_STRUCT__entry(
		__string(exp_name, dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
		__field(u32, asked)
		__field(u32, ready)
	),

	TP_fast_assign(
		__assign_str(exp_name);
		__entry->size = dmabuf->size;
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->asked = asked;
		__entry->ready = ready;
	),

	TP_printk("exp_name=%s size=%zu ino=%lu asked=%#x ready=%#x",
		  __get_str(exp_name), __entry->size, __entry->ino,
		  __entry->asked, __entry->ready)
);

/* The access that it is for, and how many fences have gone over. */
DECLARE_EVENT_CLASS(dma_buf_sync_file,

	TP_PROTO(struct dma_buf *dmabuf, u32 flags, unsigned int fences),

	TP_ARGS(dmabuf, flags, fences),

	TP_STRUCT__entry(
		__string(exp_name, dmabuf->exp_name)
		__field(size_t, size)
		__field(ino_t, ino)
		__field(u32, flags)
		__field(unsigned int, fences)
	),

	TP_fast_assign(
		__assign_str(exp_name);
		__entry->size = dmabuf->size;
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->flags = flags;
		__entry->fences = fences;
	),

	TP_printk("exp_name=%s size=%zu ino=%lu flags=%#x fences=%u",
		  __get_str(exp_name), __entry->size, __entry->ino,
		  __entry->flags, __entry->fences)
);

DEFINE_EVENT(dma_buf_sync_file, dma_buf_export_sync_file,
	     TP_PROTO(struct dma_buf *dmabuf, u32 flags, unsigned int fences),
	     TP_ARGS(dmabuf, flags, fences));

DEFINE_EVENT(dma_buf_sync_file, dma_buf_import_sync_file,
	     TP_PROTO(struct dma_buf *dmabuf, u32 flags, unsigned int fences),
	     TP_ARGS(dmabuf, flags, fences));

/* All sync files have one inode, so the pointer tells them apart. */
DECLARE_EVENT_CLASS(sync_file,

	TP_PROTO(struct sync_file *sync_file),

	TP_ARGS(sync_file),

	TP_STRUCT__entry(
		__field(void *, sync_file)
		__field(u64, context)
		__field(u64, seqno)
	),

	TP_fast_assign(
		__entry->sync_file = sync_file;
		__entry->context = sync_file->fence->context;
		__entry->seqno = sync_file->fence->seqno;
	),

	TP_printk("sync_file=%p context=%llu seqno=%llu", __entry->sync_file,
		  __entry->context, __entry->seqno)
);

DEFINE_EVENT(sync_file, sync_file_create,
	     TP_PROTO(struct sync_file *sync_file),
	     TP_ARGS(sync_file));

DEFINE_EVENT(sync_file, sync_file_release,
	     TP_PROTO(struct sync_file *sync_file),
	     TP_ARGS(sync_file));

#endif /* _TRACE_DMA_BUF_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
