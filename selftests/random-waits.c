// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations that wait for buffers and sync files: poll, epoll, io_uring
 */
#include <linux/io_uring.h>
#include <sys/epoll.h>

#include "random.h"

#define RINGS		4
#define RING_ENTRIES	8

/**
 * struct ring - an io_uring, used by one thread at a time
 * @busy: a thread has it
 * @fd: its descriptor, -1 if there is none
 * @queues: a page for both queues
 * @entries: a page for the entries
 * @params: how the queues are laid out
 */
struct ring {
	int busy;
	int fd;
	char *queues;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
};

static struct ring rings[RINGS];

/* A new page at that address, or at any. */
static void *new_page(void *addr)
{
	return mmap(addr, page_size(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED : 0), -1, 0);
}

void wait_init(void)
{
	int i;

	for (i = 0; i < RINGS; i++) {
		rings[i].fd = -1;
		rings[i].queues = new_page(NULL);
		rings[i].entries = new_page(NULL);
	}
}

static int random_waitable(struct worker *w)
{
	return pool_look(w, rnd(w, 2) ? BUFFERS : SYNC_FILES);
}

static short random_events(struct worker *w)
{
	static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT, 0 };

	return events[rnd(w, 4)];
}

static bool poll_some(struct worker *w)
{
	struct pollfd fds[3];
	int i;

	for (i = 0; i < 3; i++) {
		fds[i].fd = random_waitable(w);
		fds[i].events = random_events(w);
	}
	return poll(fds, 3, rnd(w, 8) ? 0 : 1) > 0;
}

static bool epoll_new(struct worker *w)
{
	return pool_add(w, EPOLLS, epoll_create1(EPOLL_CLOEXEC));
}

/* The numbers that the thread has added last. */
static __thread int last_epoll, last_watched;

static bool epoll_add(struct worker *w)
{
	static const __u32 modes[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
	struct epoll_event event = { .events = random_events(w) | modes[rnd(w, 4)] };

	last_epoll = pool_look(w, EPOLLS);
	last_watched = random_waitable(w);
	return !epoll_ctl(last_epoll, EPOLL_CTL_ADD, last_watched, &event);
}

static bool epoll_change(struct worker *w)
{
	struct epoll_event event = { .events = random_events(w) };

	return !epoll_ctl(last_epoll, EPOLL_CTL_MOD, last_watched, &event);
}

static bool epoll_delete(struct worker *w)
{
	return !epoll_ctl(last_epoll, EPOLL_CTL_DEL, last_watched, NULL);
}

static bool epoll_wait_some(struct worker *w)
{
	struct epoll_event events[4];

	return epoll_wait(pool_look(w, EPOLLS), events, 4, rnd(w, 8) ? 0 : 1) > 0;
}

static bool epoll_close(struct worker *w)
{
	return !close(pool_take(w, EPOLLS));
}

static struct ring *ring_get(struct worker *w)
{
	struct ring *ring = &rings[rnd(w, RINGS)];

	return __atomic_exchange_n(&ring->busy, 1, __ATOMIC_ACQUIRE) ? NULL : ring;
}

static void ring_put(struct ring *ring)
{
	__atomic_store_n(&ring->busy, 0, __ATOMIC_RELEASE);
}

/* Closing the ring cancels pending requests. */
static void ring_shut(struct ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}

/* The kernel may still write to the pages of the last one. */
static bool ring_start(struct ring *ring)
{
	ring_shut(ring);
	if (new_page(ring->queues) == MAP_FAILED || new_page(ring->entries) == MAP_FAILED)
		return false;
	ring->params = (struct io_uring_params) {
		.flags = IORING_SETUP_NO_MMAP,
		.cq_off.user_addr = (uintptr_t)ring->queues,
		.sq_off.user_addr = (uintptr_t)ring->entries,
	};
	ring->fd = syscall(SYS_io_uring_setup, RING_ENTRIES, &ring->params);
	return ring->fd >= 0;
}

static bool ring_open(struct worker *w)
{
	struct ring *ring = ring_get(w);
	bool open;

	if (!ring)
		return false;
	open = ring_start(ring);
	ring_put(ring);
	return open;
}

static bool ring_close(struct worker *w)
{
	struct ring *ring = ring_get(w);
	bool was_open;

	if (!ring)
		return false;
	was_open = ring->fd >= 0;
	ring_shut(ring);
	ring_put(ring);
	return was_open;
}

static __u32 *ring_field(struct ring *ring, __u32 offset)
{
	return (__u32 *)(ring->queues + offset);
}

/* The oldest results are dropped to make room. */
static bool ring_submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	struct io_sqring_offsets *sq = &ring->params.sq_off;
	struct io_cqring_offsets *cq = &ring->params.cq_off;
	__u32 tail = *ring_field(ring, sq->tail);
	__u32 at = tail & *ring_field(ring, sq->ring_mask);

	ring->entries[at] = *sqe;
	ring_field(ring, sq->array)[at] = at;
	__atomic_store_n(ring_field(ring, sq->tail), tail + 1, __ATOMIC_RELEASE);
	__atomic_store_n(ring_field(ring, cq->head), *ring_field(ring, cq->tail),
			 __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1;
}

/* A child has pages of its own, of which the ring knows nothing. */
static bool ring_poll(struct worker *w)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_POLL_ADD,
		.fd = random_waitable(w),
		.poll32_events = random_events(w),
		.len = rnd(w, 2) ? IORING_POLL_ADD_MULTI : 0,
	};
	struct ring *ring = w->forked ? NULL : ring_get(w);
	bool done;

	if (!ring)
		return false;
	done = ring->fd >= 0 && ring_submit(ring, &sqe);
	ring_put(ring);
	return done;
}

const struct operation wait_operations[] = {
	{ "poll", poll_some, 6, NOTHING },
	{ "epoll: create", epoll_new, 2, NOTHING },
	{ "epoll: add", epoll_add, 10, NOTHING },
	{ "epoll: modify", epoll_change, 4, NOTHING },
	{ "epoll: delete", epoll_delete, 4, NOTHING },
	{ "epoll: wait", epoll_wait_some, 4, NOTHING },
	{ "epoll: close", epoll_close, 1, NOTHING },
	{ "io_uring: open", ring_open, 1, IO_URING },
	{ "io_uring: poll", ring_poll, 10, IO_URING },
	{ "io_uring: close", ring_close, 1, IO_URING },
	{ }
};
