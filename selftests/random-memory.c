// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on mappings, and on the processes that have them
 *
 * Each mapping is made within an area of its own, which one thread uses at a time.
 * Nothing else is mapped at an address that the kernel chooses, so a hole in an area
 * stays one.
 *
 * User Mode Linux has faults of its own there, which are kept out:
 *
 * - When a table of pages is freed and another one takes its place within one call, it
 *   forgets to unmap what the new one has not, and the task goes on to use pages that
 *   have been freed. So what a table covers is never empty: see memory_init().
 * - When a fork fails in the middle, it falls over the mark in the tree of areas: see
 *   safe_fork().
 * - It warns of a lock when a hole is punched into a memfd that is mapped. So memfds
 *   themselves are not.
 */
#include <setjmp.h>
#include <sys/wait.h>

#include "random.h"

#define AREAS		6
#define AREA_PAGES	16

/* Bytes that a page table maps. */
#define TABLE_SIZE	(2UL << 20)

/**
 * struct area - addresses for mappings
 * @busy: a thread has it
 * @start: first address
 */
struct area {
	int busy;
	char *start;
};

static struct area areas[AREAS];

/* Where a thread goes on that has touched what is not mapped. */
static __thread sigjmp_buf *on_fault;

static void handle_fault(int sig)
{
	if (on_fault)
		siglongjmp(*on_fault, 1);
	signal(sig, SIG_DFL);
}

void memory_init(void)
{
	struct sigaction action = {
		.sa_handler = handle_fault,
		.sa_flags = SA_NODEFER | SA_ONSTACK,
	};
	char *start;
	int i;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	start = mmap(NULL, 2 * TABLE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		_exit(1);
	start = (char *)(((uintptr_t)start + TABLE_SIZE - 1) & -TABLE_SIZE);
	/* The rest stays as it is, and with it the table. */
	for (i = 0; i < AREAS; i++)
		areas[i].start = start + (1 + i * AREA_PAGES) * page_size();
}

static struct area *area_get(struct worker *w)
{
	struct area *area = &areas[rnd(w, AREAS)];

	return __atomic_exchange_n(&area->busy, 1, __ATOMIC_ACQUIRE) ? NULL : area;
}

static void area_put(struct area *area)
{
	__atomic_store_n(&area->busy, 0, __ATOMIC_RELEASE);
}

/* Some pages of an area. */
static char *area_pages(struct worker *w, struct area *area, size_t *len)
{
	size_t first = rnd(w, AREA_PAGES / 2), pages = 1 + rnd(w, rnd(w, 4) ? 4 : 8);

	*len = pages * page_size();
	return area->start + first * page_size();
}

/* Runs what takes an area, if that is free. */
static bool with_area(struct worker *w, bool (*run)(struct worker *w, struct area *area))
{
	struct area *area = area_get(w);
	bool done;

	if (!area)
		return false;
	done = run(w, area);
	area_put(area);
	return done;
}

static bool map_pages(struct worker *w, struct area *area, int fd, off_t offset)
{
	int flags = rnd(w, 6) ? MAP_SHARED : MAP_PRIVATE;
	int prot = rnd(w, 4) ? PROT_READ | PROT_WRITE : PROT_READ;
	size_t len;
	char *addr = area_pages(w, area, &len);

	if (!rnd(w, 4))
		flags |= MAP_POPULATE;
	return mmap(addr, len, prot, flags | MAP_FIXED, fd, offset) != MAP_FAILED;
}

static bool map_buffer_in(struct worker *w, struct area *area)
{
	return map_pages(w, area, pool_look(w, BUFFERS), rnd(w, 3) * page_size());
}

static bool map_buffer(struct worker *w)
{
	return with_area(w, map_buffer_in);
}

static bool map_device_in(struct worker *w, struct area *area)
{
	struct drm_mode_map_dumb map = { .handle = 1 + rnd(w, HANDLES) };
	int card = pool_look(w, CARDS);

	if (do_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return false;
	return map_pages(w, area, card, map.offset);
}

static bool map_device(struct worker *w)
{
	return with_area(w, map_device_in);
}

static bool touch_page(struct worker *w, struct area *area)
{
	volatile char *byte = area->start + rnd(w, AREA_PAGES) * page_size() + rnd(w, page_size());
	bool write = rnd(w, 2);
	sigjmp_buf jump;

	if (sigsetjmp(jump, 0)) {
		on_fault = NULL;
		return false;
	}
	on_fault = &jump;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (write)
		*byte = 1;
	else
		(void)*byte;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	on_fault = NULL;
	return true;
}

static bool touch(struct worker *w)
{
	return with_area(w, touch_page);
}

/* The kernel reads a mapping, and pins the pages of those that have any. */
static bool copy_page(struct worker *w, struct area *area)
{
	char *addr = area->start + rnd(w, AREA_PAGES) * page_size();
	int memfd = pool_look(w, MEMFDS);

	if (rnd(w, 2))
		return pwrite(memfd, addr, 64, 0) == 64;
	return pread(memfd, addr, 64, 0) == 64;
}

static bool copy(struct worker *w)
{
	return with_area(w, copy_page);
}

static bool unmap_pages(struct worker *w, struct area *area)
{
	size_t len;
	char *addr = area_pages(w, area, &len);

	return !munmap(addr, len);
}

static bool unmap(struct worker *w)
{
	return with_area(w, unmap_pages);
}

static bool protect_pages(struct worker *w, struct area *area)
{
	static const int prot[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	size_t len;
	char *addr = area_pages(w, area, &len);

	return !mprotect(addr, len, prot[rnd(w, 3)]);
}

static bool protect(struct worker *w)
{
	return with_area(w, protect_pages);
}

static bool advise_pages(struct worker *w, struct area *area)
{
	static const int advice[] = { MADV_DONTNEED, MADV_DONTFORK, MADV_WILLNEED, MADV_DODUMP };
	size_t len;
	char *addr = area_pages(w, area, &len);

	return !madvise(addr, len, advice[rnd(w, 4)]);
}

static bool advise(struct worker *w)
{
	return with_area(w, advise_pages);
}

/* Away from its place, longer, or shorter. */
static bool remap_within(struct worker *w, struct area *area)
{
	size_t old_len, new_len;
	char *from = area_pages(w, area, &old_len);
	char *to = area_pages(w, area, &new_len);

	if (!rnd(w, 4))
		return mremap(from, old_len, new_len, 0) != MAP_FAILED;
	return mremap(from, old_len, rnd(w, 4) ? old_len : new_len,
		      MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

static bool remap(struct worker *w)
{
	return with_area(w, remap_within);
}

static void ignore_tick(int sig)
{
}

/* Interrupts what waits, without end: it has no parent that does that. */
static void start_ticks(void)
{
	struct sigaction action = { .sa_handler = ignore_tick };
	stack_t none = { .ss_flags = SS_DISABLE };
	struct itimerval timer = {
		.it_value.tv_usec = 10000,
		.it_interval.tv_usec = 10000,
	};

	/* That of its parent was not copied. */
	sigaltstack(&none, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The n-th allocation of this thread fails, and no other one. 0: as for all tasks. */
static bool fail_later(const char *n)
{
	return !write_text("/proc/thread-self/fail-nth", n);
}

/*
 * The library blocks signals to fork, and the kernel those that it delivers. Where pages
 * are missing, neither may know afterwards which ones were not.
 */
void allow_signals(void)
{
	static const sigset_t none;

	while (pthread_sigmask(SIG_SETMASK, &none, NULL))
		;
}

/*
 * flush_tlb_mm() of User Mode Linux takes the mark that a failed fork leaves in the tree of
 * areas, XA_ZERO_ENTRY, for an area. So allocations do not fail during a fork.
 */
pid_t safe_fork(void)
{
	pid_t pid;

	if (fragile_fork && !fail_later("1000000000"))
		return -1;
	pid = fork();
	while (fragile_fork && pid && !fail_later("0"))
		;
	allow_signals();
	return pid;
}

static pid_t fork_worker(struct worker *w)
{
	struct worker child = { .rng = w->rng ^ 0x5555, .forked = true };
	pid_t pid = safe_fork();

	if (!pid) {
		start_ticks();
		run_operations(&child, 1 + rnd(&child, 20));
		_exit(0);
	}
	return pid;
}

static bool wait_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static bool fork_and_wait(struct worker *w)
{
	pid_t pid = w->forked ? -1 : fork_worker(w);

	return pid > 0 && wait_child(pid);
}

/* Amid whatever it does. */
static bool fork_and_kill(struct worker *w)
{
	pid_t pid = w->forked ? -1 : fork_worker(w);

	if (pid <= 0)
		return false;
	usleep(rnd(w, 3000));
	kill(pid, SIGKILL);
	return wait_child(pid);
}

const struct operation memory_operations[] = {
	{ "map: buffer", map_buffer, 24, NOTHING },
	{ "map: device", map_device, 2, DRM_VGEM },
	{ "map: touch", touch, 24, NOTHING },
	{ "map: copy by the kernel", copy, 6, MEMFD },
	{ "map: unmap", unmap, 3, NOTHING },
	{ "map: protect", protect, 3, NOTHING },
	{ "map: advise", advise, 4, NOTHING },
	{ "map: remap", remap, 6, NOTHING },
	{ "process: fork", fork_and_wait, 1, NOTHING },
	{ "process: kill", fork_and_kill, 1, NOTHING },
	{ }
};
