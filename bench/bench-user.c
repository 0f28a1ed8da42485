// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user-space part of the benchmark: loads the module, prints its results, and
 * times operations that only user space can do.
 *
 *	bench-user MODULE PARAMETERS [GLOB [huge]]
 *
 * GLOB chooses the cases that are timed here; without it there are none. Cases of a
 * heap or of udmabuf are left out on a kernel without them. Cases of huge pages change
 * settings of the kernel, and run only if "huge" is given.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
#define FRAME_BUFFERS	16
#define PAGE		4096
#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)

/**
 * struct user_case - one kind of operation
 * @name: as in the table
 * @param: number of fences or bytes that it is about
 * @batch: operations in a row
 * @needs: a device that it needs, or NULL
 * @init: build what is used
 * @run: one operation, the only part that is timed
 * @undo: called after each operation, not timed
 * @exit: undo @init
 */
struct user_case {
	const char *name;
	size_t param;
	unsigned int batch;
	int *needs;
	void (*init)(const struct user_case *c);
	void (*run)(const struct user_case *c);
	void (*undo)(const struct user_case *c);
	void (*exit)(const struct user_case *c);
};

static int device = -1, heap = -1, udmabuf = -1, huge = -1;
static int buffer = -1, other = -1;
static int frame[FRAME_BUFFERS], frame_epoll = -1;
static int sockets[2];
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

/* The fences of a buffer, as a sync file. */
static int export_sync_file(int fd)
{
	struct dma_buf_export_sync_file arg = {
		.flags = DMA_BUF_SYNC_RW,
		.fd = -1,
	};

	check(ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg),
	      "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	return arg.fd;
}

static void import_sync_file(int fd, int sync_file)
{
	struct dma_buf_import_sync_file arg = {
		.flags = DMA_BUF_SYNC_WRITE,
		.fd = sync_file,
	};

	check(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg),
	      "DMA_BUF_IOCTL_IMPORT_SYNC_FILE");
}

static int merge_sync_files(int fd, int fd2)
{
	struct sync_merge_data arg = { .name = "bench", .fd2 = fd2 };

	check(ioctl(fd, SYNC_IOC_MERGE, &arg), "SYNC_IOC_MERGE");
	return arg.fence;
}

static void run_export(const struct user_case *c)
{
	close(export_sync_file(buffer));
}

static void run_import(const struct user_case *c)
{
	import_sync_file(buffer, other);
}

static void run_merge(const struct user_case *c)
{
	close(merge_sync_files(buffer, other));
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

/* A compositor's frame: the buffers of its clients, and its own work on them. */
static void init_frame(const struct user_case *c)
{
	struct epoll_event event = { .events = EPOLLIN };
	unsigned int i;

	frame_epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	for (i = 0; i < FRAME_BUFFERS; i++) {
		frame[i] = ask(BENCH_IOC_BUFFER, c->param);
		check(epoll_ctl(frame_epoll, EPOLL_CTL_ADD, frame[i], &event),
		      "epoll_ctl");
	}
	other = ask(BENCH_IOC_SYNC_FILE, c->param);
}

/* See which ones are ready, wait for all of them at once, hold them until it is done. */
static void run_frame(const struct user_case *c)
{
	struct epoll_event events[FRAME_BUFFERS];
	int all, one, merged;
	unsigned int i;

	check(epoll_wait(frame_epoll, events, FRAME_BUFFERS, 0), "epoll_wait");
	all = export_sync_file(frame[0]);
	for (i = 1; i < FRAME_BUFFERS; i++) {
		one = export_sync_file(frame[i]);
		merged = merge_sync_files(all, one);
		close(one);
		close(all);
		all = merged;
	}
	for (i = 0; i < FRAME_BUFFERS; i++)
		import_sync_file(frame[i], other);
	close(all);
}

static void exit_frame(const struct user_case *c)
{
	unsigned int i;

	close(frame_epoll);
	for (i = 0; i < FRAME_BUFFERS; i++)
		close(frame[i]);
	close(other);
	other = -1;
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
	for (bytes = mapping, i = 0; i < c->param; i += PAGE)
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

/* A client's buffer comes to a compositor: through a socket, to a device, into memory. */
static void init_client(const struct user_case *c)
{
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets),
	      "socketpair");
	buffer = allocate(c->param);
}

/* Send @fd, or receive one into it if it is negative. Return: the descriptor. */
static int pass_descriptor(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec vec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (fd < 0) {
		check(recvmsg(socket, &msg, MSG_CMSG_CLOEXEC), "recvmsg");
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		return fd;
	}

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	check(sendmsg(socket, &msg, 0), "sendmsg");
	return fd;
}

static void run_client(const struct user_case *c)
{
	char *bytes;
	int fd;

	pass_descriptor(sockets[0], buffer);
	fd = pass_descriptor(sockets[1], -1);
	ask(BENCH_IOC_IMPORT, fd);
	bytes = mmap(NULL, c->param, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		die("mmap");
	__atomic_load_n(bytes, __ATOMIC_RELAXED);
	munmap(bytes, c->param);
	close(fd);
}

static void exit_client(const struct user_case *c)
{
	close(sockets[0]);
	close(sockets[1]);
	close(buffer);
	buffer = -1;
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

#define MEMFD(name_, needs_, init_)					\
	{ .name = name_, .param = MIB(32), .batch = 1,			\
	  .needs = &needs_, .init = init_, .run = run_udmabuf,		\
	  .exit = exit_memfd }

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
	{ .name = "user/frame-16-idle", .param = 0, .batch = 5,
	  .init = init_frame, .run = run_frame, .exit = exit_frame },
	{ .name = "user/frame-16-pending", .param = 1, .batch = 5,
	  .init = init_frame, .run = run_frame, .exit = exit_frame },
	{ .name = "user/client-buffer-4k", .param = KIB(4), .batch = 20,
	  .needs = &heap, .init = init_client, .run = run_client,
	  .exit = exit_client },
	{ .name = "user/client-buffer-8m", .param = MIB(8), .batch = 5,
	  .needs = &heap, .init = init_client, .run = run_client,
	  .exit = exit_client },
	{ .name = "user/heap-4k", .param = KIB(4), .batch = 20,
	  .needs = &heap, .run = run_heap },
	{ .name = "user/heap-1m", .param = MIB(1), .batch = 10,
	  .needs = &heap, .run = run_heap },
	{ .name = "user/heap-64m", .param = MIB(64), .batch = 1,
	  .needs = &heap, .run = run_heap },
	{ .name = "user/heap-mmap-touch-512m", .param = MIB(512), .batch = 1,
	  .needs = &heap, .init = init_heap, .run = run_touch,
	  .undo = undo_touch, .exit = exit_files },
	{ .name = "user/heap-vmap-256m", .param = MIB(256), .batch = 1,
	  .needs = &heap, .init = init_heap, .run = run_vmap,
	  .exit = exit_files },
	MEMFD("user/udmabuf-32m", udmabuf, init_memfd),
	MEMFD("user/udmabuf-32m-thp", huge, init_memfd_thp),
	MEMFD("user/udmabuf-32m-hugetlb", huge, init_memfd_hugetlb),
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

/* The mean of the middle half of samples that are sorted. */
static double middle_half(const double *samples)
{
	double sum = 0;
	unsigned int i, first = SAMPLES / 4, end = SAMPLES - first;

	for (i = first; i < end; i++)
		sum += samples[i];

	return sum / (end - first);
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
	printf("%s\t%.3f\t%.3f\t%.3f\n", c->name, middle_half(samples),
	       samples[SAMPLES / 4], samples[SAMPLES - 1 - SAMPLES / 4]);
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
		fprintf(stderr, "usage: %s MODULE PARAMETERS [GLOB [huge]]\n",
			*argv);
		return 1;
	}

	load_module(argv[1], argv[2]);
	show("/sys/kernel/debug/dma_buf_bench");
	if (argc < 4)
		return 0;

	device = check(open(BENCH_DEVICE, O_RDWR), BENCH_DEVICE);
	heap = open("/dev/dma_heap/system", O_RDWR);
	udmabuf = open("/dev/udmabuf", O_RDWR);
	if (argc > 4)
		huge = udmabuf;
	for (c = cases; c->name; c++)
		if (!fnmatch(argv[3], c->name, 0) &&
		    (!c->needs || *c->needs >= 0))
			run_case(c);

	return 0;
}
