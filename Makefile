# SPDX-License-Identifier: GPL-2.0-only
obj-y := dma-buf.o dma-buf-attach.o dma-buf-cpu.o dma-buf-ioctl.o \
	 dma-buf-list.o dma-buf-poll.o \
	 dma-fence.o dma-fence-wait.o dma-fence-array.o dma-fence-chain.o \
	 dma-fence-unwrap.o dma-resv.o dma-resv-read.o dma-resv-query.o
obj-$(CONFIG_BPF_EVENTS)	+= dma-buf-bpf.o
obj-$(CONFIG_DEBUG_FS)		+= dma-buf-debugfs.o dma-buf-report.o \
				   dma-fence-report.o
obj-$(CONFIG_LOCKDEP)		+= dma-buf-lockdep.o
obj-$(CONFIG_SYSFS)		+= dma-buf-sysfs.o
obj-$(CONFIG_DMABUF_SYSFS_STATS) += dma-buf-sysfs-stats.o
obj-$(CONFIG_DMABUF_HEAPS)	+= dma-heap.o dma-buf-mappings.o heaps/
obj-$(CONFIG_SYNC_FILE)		+= sync_file.o
obj-$(CONFIG_SW_SYNC)		+= sw_sync.o sync_debug.o
# Where define_trace.h looks for sync_trace.h.
CFLAGS_sw_sync.o		:= -I$(src)
obj-$(CONFIG_UDMABUF)		+= udmabuf.o udmabuf-ops.o udmabuf-runs.o \
				   dma-buf-mappings.o
obj-$(CONFIG_DMABUF_KUNIT_TEST)	+= tests/
obj-$(CONFIG_DMABUF_SYNCOBJ_TEST) += tests/
obj-$(CONFIG_DMABUF_FENCE_TEST)	+= tests/

dmabuf_selftests-y := selftest.o st-dma-fence.o st-dma-fence-chain.o \
		      st-dma-fence-unwrap.o st-dma-resv.o
obj-$(CONFIG_DMABUF_SELFTESTS)	+= dmabuf_selftests.o
