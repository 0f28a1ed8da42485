// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that user space can do with buffers and fences, at random
 *
 * Processes with threads run operations of the tables in random-*.c on descriptors that
 * they share, for a time or a number of operations. In the end all processes are gone,
 * and every buffer, fence and page must be gone with them. Complaints of the kernel are
 * in its log.
 *
 * The environment may give
 *
 * - RANDOM_SEED: seed of the random numbers; it is printed. The order between threads
 *   differs each time, so a seed repeats the operations, but not their interleaving.
 * - RANDOM_SECONDS: how long, 60 by default
 * - RANDOM_OPS: how many operations, instead of a time
 * - RANDOM_FAIL: per cent of all allocations that fail meanwhile, for instance 0.5. It
 *   needs CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC with their files in debugfs.
 */
#include <sys/wait.h>

#include "random-model.h"

/* The harness defines functions, so all of a program is one unit. */
#include "random-pool.c"
#include "random-buffers.c"
#include "random-fences.c"
#include "random-devices.c"
#include "random-waits.c"
#include "random-memory.c"
#include "random-pass.c"
#include "random-reads.c"
#include "random-model.c"

#define PROCESSES	3
#define THREADS		6
#define TICK_MS		10
#define STACK_SIZE	(64 << 10)

/* More than an operation takes on the slowest machine. */
#define PATIENCE_S	120

/* From so many operations on, each of the tables must have succeeded. */
#define ENOUGH_OPS	20000

#define MAX_OPERATIONS	128

/* Allocations are going to fail, on User Mode Linux. */
bool fragile_fork;

char card_path[2][32];
char syncobj_path[32];

/**
 * struct shared - what all processes see
 * @go: begin
 * @stop: end
 * @limit: number of operations after which to end
 * @done: operations
 * @tried: of each
 * @succeeded: of each
 */
struct shared {
	int go;
	int stop;
	__u64 limit;
	__u64 done;
	__u64 tried[MAX_OPERATIONS];
	__u64 succeeded[MAX_OPERATIONS];
};

static struct shared *shared;

static const struct operation *operations[MAX_OPERATIONS];
static unsigned int num_operations;
static unsigned int total_weight;

/**
 * struct options - settings from the environment
 * @seed: of the random numbers
 * @seconds: how long
 * @ops: how many operations, or 0
 * @fail: per cent of failing allocations
 */
struct options {
	__u64 seed;
	unsigned int seconds;
	__u64 ops;
	double fail;
};

/* -------------------------------------------------------------- operations */

static const struct operation *pick_operation(struct worker *w, unsigned int *index)
{
	unsigned int at = rnd(w, total_weight);

	for (*index = 0; at >= operations[*index]->weight; ++*index)
		at -= operations[*index]->weight;
	return operations[*index];
}

static bool is_over(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&shared->done, __ATOMIC_RELAXED) >= shared->limit;
}

void run_operations(struct worker *w, unsigned int count)
{
	const struct operation *op;
	unsigned int i;

	while (count-- && !is_over()) {
		op = pick_operation(w, &i);
		__atomic_add_fetch(&shared->tried[i], 1, __ATOMIC_RELAXED);
		if (op->run(w))
			__atomic_add_fetch(&shared->succeeded[i], 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&shared->done, 1, __ATOMIC_RELAXED);
	}
}

static void add_table(const struct operation *table, const bool *have)
{
	for (; table->run; table++) {
		if (!have[table->need]) {
			printf("# left out: %s\n", table->name);
			continue;
		}
		operations[num_operations++] = table;
		total_weight += table->weight;
	}
}

/* Only drm_open() knows which card is whose. */
static bool find_card(const char *driver, char *path, size_t size)
{
	int fd = drm_open(driver);

	if (fd < 0 || !fd_link(fd, path, size))
		return false;
	close(fd);
	return true;
}

static bool have_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EFAULT;
}

static void collect_operations(void)
{
	const bool have[NUM_NEEDS] = {
		[NOTHING] = true,
		[HEAP] = !access("/dev/dma_heap/system", R_OK),
		[MEMFD] = !access("/dev/udmabuf", R_OK | W_OK),
		[SW_SYNC] = !access(DEBUGFS "/sync/sw_sync", R_OK | W_OK),
		[DRM_VGEM] = find_card("vgem", card_path[0], sizeof(card_path[0])) &&
			     find_card("vkms", card_path[1], sizeof(card_path[1])),
		[DRM_SYNCOBJ] = find_card("syncobj-test", syncobj_path, sizeof(syncobj_path)),
		[IO_URING] = have_uring(),
	};

	num_operations = 0;
	total_weight = 0;
	add_table(buffer_operations, have);
	add_table(fence_operations, have);
	add_table(device_operations, have);
	add_table(wait_operations, have);
	add_table(memory_operations, have);
	add_table(pass_operations, have);
	add_table(read_operations, have);
}

/* --------------------------------------------------------------- processes */

/* All threads of the process are there. */
static int complete;

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	stack_t stack = { .ss_sp = w->stack, .ss_size = STACK_SIZE };

	sigaltstack(&stack, NULL);
	w->tid = gettid();
	while (!__atomic_load_n(&complete, __ATOMIC_ACQUIRE) ||
	       !__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	run_operations(w, UINT32_MAX);
	return NULL;
}

static void be_interrupted(int sig)
{
}

/*
 * Interrupts whatever the threads wait in. Returns when the kernel knows none of them any
 * more: with failing allocations the library seemed to take one that waits for ended.
 */
static void interrupt_threads(const struct worker *worker)
{
	unsigned int i, left;

	do {
		sleep_ms(TICK_MS);
		left = 0;
		for (i = 0; i < THREADS; i++) {
			if (!syscall(SYS_tgkill, getpid(), worker[i].tid, SIGUSR1))
				left++;
		}
	} while (left || !is_over());
}

/*
 * Stacks for signals, whose pages are there and stay, since no child shares them. A
 * process to which a signal cannot be delivered for want of a page is killed.
 */
static char *make_stacks(void)
{
	char *stacks = mmap(NULL, THREADS * STACK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (stacks == MAP_FAILED || madvise(stacks, THREADS * STACK_SIZE, MADV_DONTFORK))
		_exit(1);
	return stacks;
}

/* All that it has goes with it, in the state that it is in. */
static void process_main(__u64 seed)
{
	struct sigaction action = { .sa_handler = be_interrupted, .sa_flags = SA_ONSTACK };
	char *stacks = make_stacks();
	struct worker worker[THREADS] = { };
	pthread_t thread[THREADS];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &action, NULL);
	pool_init();
	memory_init();
	wait_init();
	for (i = 0; i < THREADS; i++) {
		worker[i].stack = stacks + i * STACK_SIZE;
		worker[i].rng = (seed + i + 1) * 0x9e3779b97f4a7c15ULL;
		if (pthread_create(&thread[i], NULL, thread_main, &worker[i]))
			_exit(1);
	}
	__atomic_store_n(&complete, 1, __ATOMIC_RELEASE);
	interrupt_threads(worker);
	_exit(0);
}

static pid_t start_process(__u64 seed)
{
	pid_t pid = safe_fork();

	if (!pid)
		process_main(seed);
	return pid;
}

/* ----------------------------------------------------- failing allocations */

static bool write_fault(const char *what, const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", what, name);
	return !write_text(path, value);
}

static unsigned int fail_probability(double per_cent)
{
	return per_cent < 1 ? 1 : per_cent;
}

/* Fail allocations of all tasks independently: some callers fall back to a second way. */
static void prepare_failing(const char *what, double per_cent)
{
	char interval[16];

	snprintf(interval, sizeof(interval), "%u",
		 (unsigned int)(fail_probability(per_cent) / per_cent));
	write_fault(what, "verbose", "0");
	write_fault(what, "task-filter", "N");
	write_fault(what, "ignore-gfp-wait", "N");
	write_fault(what, "ignore-gfp-highmem", "N");
	write_fault(what, "min-order", "0");
	write_fault(what, "times", "-1");
	write_fault(what, "interval", interval);
}

/* It may itself fail for want of memory. */
static void set_failing(double per_cent, bool on)
{
	static const char * const all[] = { "failslab", "fail_page_alloc" };
	char probability[16] = "0";
	int i;

	if (per_cent <= 0)
		return;
	if (on)
		snprintf(probability, sizeof(probability), "%u", fail_probability(per_cent));
	for (i = 0; on && i < 2; i++)
		prepare_failing(all[i], per_cent);
	for (i = 0; i < 2; i++) {
		while (!write_fault(all[i], "probability", probability))
			sleep_ms(1);
	}
}

/* ---------------------------------------------------------------- the test */

static __u64 env_number(const char *name, __u64 otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

static void read_options(struct options *options)
{
	const char *fail = getenv("RANDOM_FAIL");

	options->seed = env_number("RANDOM_SEED", now_ns() % 1000000000);
	options->ops = env_number("RANDOM_OPS", 0);
	options->seconds = env_number("RANDOM_SECONDS", options->ops ? UINT32_MAX : 60);
	options->fail = fail ? atof(fail) : 0;
	printf("# RANDOM_SEED=%llu RANDOM_SECONDS=%u RANDOM_OPS=%llu RANDOM_FAIL=%g\n",
	       (unsigned long long)options->seed, options->seconds,
	       (unsigned long long)options->ops, options->fail);
	fflush(stdout);
}

FIXTURE(random)
{
	struct options options;
	struct model before;
	long long free;
	pid_t pid[PROCESSES];
	unsigned int died;
};

FIXTURE_SETUP(random)
{
	if (access(DEBUGFS "/dma_buf/bufinfo", R_OK))
		SKIP(return, "no bufinfo (CONFIG_DEBUG_FS, mounted debugfs, root)");
	read_options(&self->options);
	fragile_fork = self->options.fail > 0 && !access("/proc/exitcode", F_OK);
	if (self->options.fail > 0 && access(DEBUGFS "/fail_page_alloc", F_OK))
		SKIP(return, "no fail_page_alloc (CONFIG_FAIL_PAGE_ALLOC)");
	collect_operations();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	shared->limit = self->options.ops ?: UINT64_MAX;
	self->free = free_memory();
	model_read(&self->before);
}

FIXTURE_TEARDOWN(random)
{
	set_failing(self->options.fail, false);
}

static void start_processes(struct __test_metadata *_metadata,
			    FIXTURE_DATA(random) *self)
{
	unsigned int i;

	pass_init();
	for (i = 0; i < PROCESSES; i++) {
		self->pid[i] = start_process(self->options.seed + 100 * i);
		ASSERT_LT(0, self->pid[i]);
	}
	pass_end();
	set_failing(self->options.fail, true);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELEASE);
}

/* Where memory is short it may be that a stack cannot grow. */
static void replace_process(struct __test_metadata *_metadata,
			    FIXTURE_DATA(random) *self, unsigned int i)
{
	int status;

	if (waitpid(self->pid[i], &status, WNOHANG) != self->pid[i])
		return;
	if (is_over()) {
		self->pid[i] = 0;
		return;
	}
	self->died++;
	printf("# process %u died: status %#x\n", i, status);
	EXPECT_LT(0, self->options.fail);
	do {
		self->pid[i] = start_process(self->options.seed + 100 * i + self->died);
	} while (self->pid[i] < 0 && !is_over());
}

static void watch_processes(struct __test_metadata *_metadata,
			    FIXTURE_DATA(random) *self)
{
	__s64 end = now_ns() + self->options.seconds * 1000000000LL, moved = now_ns();
	__u64 done = 0;
	unsigned int i;

	while (!is_over() && now_ns() < end) {
		sleep_ms(20);
		for (i = 0; i < PROCESSES; i++)
			replace_process(_metadata, self, i);
		if (done != shared->done)
			moved = now_ns();
		done = shared->done;
		if (now_ns() - moved > PATIENCE_S * 1000000000LL)
			break;
	}
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	set_failing(self->options.fail, false);
}

/* One that hangs is killed, and if that does not help, left alone. */
static void end_processes(struct __test_metadata *_metadata,
			  FIXTURE_DATA(random) *self)
{
	unsigned int i, ms;

	for (i = 0; i < PROCESSES; i++) {
		for (ms = 0; self->pid[i] > 0 && ms < PATIENCE_S * 1000; ms += TICK_MS) {
			if (waitpid(self->pid[i], NULL, WNOHANG))
				self->pid[i] = 0;
			else
				sleep_ms(TICK_MS);
		}
		EXPECT_GE(0, self->pid[i])
			explain_hang();
		if (self->pid[i] > 0)
			kill(self->pid[i], SIGKILL);
	}
}

/* An operation that never succeeds tests nothing. */
static void tell_operations(struct __test_metadata *_metadata)
{
	unsigned int i;

	for (i = 0; i < num_operations; i++) {
		printf("# %9llu of %9llu  %s\n", (unsigned long long)shared->succeeded[i],
		       (unsigned long long)shared->tried[i], operations[i]->name);
		if (shared->done >= ENOUGH_OPS)
			EXPECT_LT(0U, shared->succeeded[i])
				TH_LOG("never succeeded: %s", operations[i]->name);
	}
	printf("# %llu operations\n", (unsigned long long)shared->done);
}

static void expect_nothing_left(struct __test_metadata *_metadata,
				FIXTURE_DATA(random) *self)
{
	struct model after;
	long long lost;

	model_wait(&self->before, &after);
	EXPECT_EQ(self->before.buffers, after.buffers);
	EXPECT_EQ(self->before.bytes, after.bytes);
	EXPECT_EQ(self->before.pins, after.pins);
	EXPECT_EQ(self->before.entries, after.entries);
	EXPECT_EQ(self->before.lines[BUFINFO], after.lines[BUFINFO]);
	EXPECT_EQ(self->before.lines[REPORT], after.lines[REPORT]);
	EXPECT_EQ(self->before.lines[SYNC_INFO], after.lines[SYNC_INFO]);
	if (!model_same(&self->before, &after))
		model_explain();

	/* What the kernel keeps for later, as stack traces, takes some. */
	lost = self->free - free_memory();
	printf("# %lld KiB less free than before\n", lost);
	EXPECT_LT(lost, total_memory() / 20);
}

/* How long is told by the environment. */
TEST_F_TIMEOUT(random, random_operations_leave_nothing, 7 * 24 * 3600)
{
	start_processes(_metadata, self);
	watch_processes(_metadata, self);
	end_processes(_metadata, self);
	printf("# %u processes died\n", self->died);
	tell_operations(_metadata);
	expect_nothing_left(_metadata, self);
	fflush(stdout);
}

TEST_HARNESS_MAIN
