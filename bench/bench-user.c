// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user-space part of the benchmark: loads the module, shows what it has
 * measured, and times what only user space can do.
 *
 *	bench-user MODULE PARAMETERS [GLOB]
 *
 * GLOB chooses the cases that are timed here; without it there are none.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/types.h>
#include <linux/udmabuf.h>

#include "bench-device.h"

#define SAMPLES		11
#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)

/**
 * struct user_case - one kind of operation
 * @name: as in the table
 * @param: number of fences or bytes that it is about
 * @batch: operations in a row
 * @init: build what is used
 * @run: one operation, the only part that is timed
 * @undo: called after each operation, not timed
 * @exit: undo @init
 */
struct user_case {
	const char *name;
	size_t param;
	unsigned int batch;
	void (*init)(const struct user_case *c);
	void (*run)(const struct user_case *c);
	void (*undo)(const struct user_case *c);
	void (*exit)(const struct user_case *c);
};

static int device = -1, heap = -1, udmabuf = -1;
static int buffer = -1, other = -1;
static void *mapping;
static __u64 told;		/* nanoseconds, if the kernel told them */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int check(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int ask(unsigned long command, __u32 count)
{
	return check(ioctl(device, command, &count), "benchmark device");
}

static void init_buffer(const struct user_case *c)
{
	buffer = ask(BENCH_IOC_BUFFER, c->param);
}

static void init_import(const struct user_case *c)
{
	buffer = ask(BENCH_IOC_BUFFER, 0);
	other = ask(BENCH_IOC_SYNC_FILE, c->param);
}

static void init_sync_files(const struct user_case *c)
{
	buffer = ask(BENCH_IOC_SYNC_FILE, c->param);
	other = ask(BENCH_IOC_SYNC_FILE, c->param);
}

static void exit_files(const struct user_case *c)
{
	close(buffer);
	if (other >= 0)
		close(other);
	buffer = -1;
	other = -1;
}

static void run_eventfd(const struct user_case *c)
{
	close(check(eventfd(0, EFD_CLOEXEC), "eventfd"));
}

static void sync_cpu(__u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	check(ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync), "DMA_BUF_IOCTL_SYNC");
}

static void run_sync(const struct user_case *c)
{
	sync_cpu(DMA_BUF_SYNC_START);
	sync_cpu(DMA_BUF_SYNC_END);
}

static void run_poll(const struct user_case *c)
{
	struct pollfd fd = { .fd = buffer, .events = POLLOUT };

	check(poll(&fd, 1, 0), "poll");
}

static void run_export(const struct user_case *c)
{
	struct dma_buf_export_sync_file arg = {
		.flags = DMA_BUF_SYNC_RW,
		.fd = -1,
	};

	check(ioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg),
	      "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	close(arg.fd);
}

static void run_import(const struct user_case *c)
{
	struct dma_buf_import_sync_file arg = {
		.flags = DMA_BUF_SYNC_WRITE,
		.fd = other,
	};

	check(ioctl(buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg),
	      "DMA_BUF_IOCTL_IMPORT_SYNC_FILE");
}

static void run_merge(const struct user_case *c)
{
	struct sync_merge_data arg = { .name = "bench", .fd2 = other };

	check(ioctl(buffer, SYNC_IOC_MERGE, &arg), "SYNC_IOC_MERGE");
	close(arg.fence);
}

static void run_info(const struct user_case *c)
{
	struct sync_fence_info fences[16];
	struct sync_file_info arg = {
		.num_fences = c->param,
		.sync_fence_info = (unsigned long)fences,
	};

	check(ioctl(buffer, SYNC_IOC_FILE_INFO, &arg), "SYNC_IOC_FILE_INFO");
}

/* Memory */

static int allocate(size_t size)
{
	struct dma_heap_allocation_data arg = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	check(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &arg), "DMA_HEAP_IOCTL_ALLOC");
	return arg.fd;
}

static void run_heap(const struct user_case *c)
{
	close(allocate(c->param));
}

static void init_heap(const struct user_case *c)
{
	buffer = allocate(c->param);
}

static void run_touch(const struct user_case *c)
{
	char *bytes;
	size_t i;

	mapping = mmap(NULL, c->param, PROT_READ | PROT_WRITE, MAP_SHARED,
		       buffer, 0);
	if (mapping == MAP_FAILED)
		die("mmap");
	for (bytes = mapping, i = 0; i < c->param; i += 4096)
		__atomic_store_n(&bytes[i], 1, __ATOMIC_RELAXED);
}

static void undo_touch(const struct user_case *c)
{
	munmap(mapping, c->param);
}

static void run_vmap(const struct user_case *c)
{
	__u64 arg = buffer;

	check(ioctl(device, BENCH_IOC_VMAP, &arg), "vmap");
	told = arg;
}

static int create_memfd(const struct user_case *c, unsigned int flags)
{
	int fd = memfd_create("bench", MFD_ALLOW_SEALING | flags);
	char *bytes;

	if (fd < 0 || ftruncate(fd, c->param) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		die("cannot make a memfd");

	bytes = mmap(NULL, c->param, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		die("mmap of a memfd");
	memset(bytes, 1, c->param);
	munmap(bytes, c->param);

	return fd;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void init_memfd(const struct user_case *c)
{
	other = create_memfd(c, 0);
}

static void init_memfd_thp(const struct user_case *c)
{
	const char *path = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

	write_file(path, "force");
	other = create_memfd(c, 0);
	write_file(path, "never");
}

static void init_memfd_hugetlb(const struct user_case *c)
{
	write_file("/proc/sys/vm/nr_hugepages", "16");
	other = create_memfd(c, MFD_HUGETLB);
}

static void exit_memfd(const struct user_case *c)
{
	close(other);
	other = -1;
}

static void run_udmabuf(const struct user_case *c)
{
	struct udmabuf_create arg = {
		.memfd = other,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = c->param,
	};

	close(check(ioctl(udmabuf, UDMABUF_CREATE, &arg), "UDMABUF_CREATE"));
}

#define FILES(name_, param_, init_, run_)				\
	{ .name = name_, .param = param_, .batch = 100, .init = init_,	\
	  .run = run_, .exit = exit_files }

#define MEMFD(name_, init_)						\
	{ .name = name_, .param = MIB(32), .batch = 1, .init = init_,	\
	  .run = run_udmabuf, .exit = exit_memfd }

static const struct user_case cases[] = {
	{ .name = "floor/eventfd", .batch = 100, .run = run_eventfd },
	FILES("user/sync", 0, init_buffer, run_sync),
	FILES("user/poll-ready", 0, init_buffer, run_poll),
	FILES("user/poll-pending", 1, init_buffer, run_poll),
	FILES("user/export-sync-file-0", 0, init_buffer, run_export),
	FILES("user/export-sync-file-1", 1, init_buffer, run_export),
	FILES("user/export-sync-file-16", 16, init_buffer, run_export),
	FILES("user/import-sync-file-0", 0, init_import, run_import),
	FILES("user/import-sync-file-1", 1, init_import, run_import),
	FILES("user/import-sync-file-16", 16, init_import, run_import),
	FILES("user/sync-file-merge", 1, init_sync_files, run_merge),
	FILES("user/sync-file-merge-16", 16, init_sync_files, run_merge),
	FILES("user/sync-file-info-1", 1, init_sync_files, run_info),
	FILES("user/sync-file-info-16", 16, init_sync_files, run_info),
	FILES("user/sync-file-poll", 1, init_sync_files, run_poll),
	{ .name = "user/heap-4k", .param = KIB(4), .batch = 20,
	  .run = run_heap },
	{ .name = "user/heap-1m", .param = MIB(1), .batch = 10,
	  .run = run_heap },
	{ .name = "user/heap-64m", .param = MIB(64), .batch = 1,
	  .run = run_heap },
	{ .name = "user/heap-mmap-touch-512m", .param = MIB(512), .batch = 1,
	  .init = init_heap, .run = run_touch, .undo = undo_touch,
	  .exit = exit_files },
	{ .name = "user/heap-vmap-256m", .param = MIB(256), .batch = 1,
	  .init = init_heap, .run = run_vmap, .exit = exit_files },
	MEMFD("user/udmabuf-32m", init_memfd),
	MEMFD("user/udmabuf-32m-thp", init_memfd_thp),
	MEMFD("user/udmabuf-32m-hugetlb", init_memfd_hugetlb),
	{ }
};

/* Nanoseconds that a batch takes. */
static __u64 run_batch(const struct user_case *c)
{
	__u64 start, time = 0;
	unsigned int i;

	if (c->undo || c->batch == 1) {
		for (i = 0; i < c->batch; i++) {
			told = 0;
			start = now();
			c->run(c);
			time += told ?: now() - start;
			if (c->undo)
				c->undo(c);
		}
		return time;
	}

	start = now();
	for (i = 0; i < c->batch; i++)
		c->run(c);

	return now() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void run_case(const struct user_case *c)
{
	double samples[SAMPLES];
	unsigned int i;

	if (c->init)
		c->init(c);
	run_batch(c);
	for (i = 0; i < SAMPLES; i++)
		samples[i] = (double)run_batch(c) / c->batch;
	if (c->exit)
		c->exit(c);

	qsort(samples, SAMPLES, sizeof(*samples), compare);
	printf("%s\t%.3f\n", c->name, samples[SAMPLES / 2]);
}

static void load_module(const char *path, const char *parameters)
{
	int fd = check(open(path, O_RDONLY | O_CLOEXEC), path);

	check(syscall(SYS_finit_module, fd, parameters, 0), path);
	close(fd);
}

static void show(const char *path)
{
	FILE *file = fopen(path, "r");
	int c;

	if (!file)
		die(path);
	while ((c = getc(file)) != EOF)
		putchar(c);
	fclose(file);
}

int main(int argc, char **argv)
{
	const struct user_case *c;

	if (argc < 3) {
		fprintf(stderr, "usage: %s MODULE PARAMETERS [GLOB]\n", *argv);
		return 1;
	}

	load_module(argv[1], argv[2]);
	show("/sys/kernel/debug/dma_buf_bench");
	if (argc < 4)
		return 0;

	device = check(open(BENCH_DEVICE, O_RDWR), BENCH_DEVICE);
	heap = check(open("/dev/dma_heap/system", O_RDWR), "heap");
	udmabuf = check(open("/dev/udmabuf", O_RDWR), "udmabuf");
	for (c = cases; c->name; c++)
		if (!fnmatch(argv[3], c->name, 0))
			run_case(c);

	return 0;
}
