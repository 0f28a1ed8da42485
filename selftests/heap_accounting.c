// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_heap.mem_accounting: buffers are charged to the memory cgroup of the task
 * that allocates them; and so are merged sync files, always
 *
 * Each test moves itself into a cgroup of its own.
 */
#include <sys/mount.h>
#include <sys/wait.h>

#include "common.h"

#define PARAMETER	"/sys/module/dma_heap/parameters/mem_accounting"
#define MIB		(1024LL * 1024)

FIXTURE(accounting)
{
	char root[32];
	char group[64];
	char before[4];
};

static int write_in(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return write_text(path, text);
}

/* The number in a file, or that which follows @key there; -1 if there is none. */
static long long number_in(const char *dir, const char *name, const char *key)
{
	char path[128], text[8192], *at = text;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (read_file(path, text, sizeof(text)) <= 0)
		return -1;
	if (key)
		at = strstr(text, key);
	return at ? strtoll(at + (key ? strlen(key) : 0), NULL, 10) : -1;
}

static long long used(const char *group)
{
	return number_in(group, "memory.current", NULL);
}

static long long killed(const char *group)
{
	return number_in(group, "memory.events", "oom_kill ");
}

static int limit(const char *group, long long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", bytes);
	return write_in(group, "memory.max", text);
}

/* Small things of the kernel come and go on the same account. */
static bool about(long long a, long long b)
{
	return a > b - MIB / 2 && a < b + MIB / 2;
}

/* Moves this process into a cgroup. */
static int enter(const char *group)
{
	return write_in(group, "cgroup.procs", "0");
}

static void leave(const char *root, const char *group)
{
	enter(root);
	rmdir(group);
	umount2(root, MNT_DETACH);
	rmdir(root);
}

FIXTURE_SETUP(accounting)
{
	if (access("/dev/dma_heap/system", R_OK))
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM, root)");
	if (read_file(PARAMETER, self->before, sizeof(self->before)) < 0)
		SKIP(return, "no parameter mem_accounting");
	snprintf(self->root, sizeof(self->root), "/tmp/cgroup-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->root));
	if (mount("none", self->root, "cgroup2", 0, NULL)) {
		rmdir(self->root);
		SKIP(return, "no cgroup v2 (CONFIG_CGROUPS)");
	}
	snprintf(self->group, sizeof(self->group), "%s/dma-heap-%d", self->root, getpid());
	if (write_in(self->root, "cgroup.subtree_control", "+memory") ||
	    mkdir(self->group, 0700) || used(self->group) < 0 || enter(self->group)) {
		leave(self->root, self->group);
		SKIP(return, "no memory controller of cgroup v2 (CONFIG_MEMCG)");
	}
	ASSERT_EQ(0, write_text(PARAMETER, "Y"));
}

FIXTURE_TEARDOWN(accounting)
{
	write_text(PARAMETER, self->before);
	leave(self->root, self->group);
}

TEST_F(accounting, parameter_refuses_nonsense)
{
	char value[4];

	EXPECT_EQ(-EINVAL, write_text(PARAMETER, "maybe"));
	EXPECT_EQ(-EINVAL, write_text(PARAMETER, "2"));
	EXPECT_EQ(2, read_file(PARAMETER, value, sizeof(value)));
	EXPECT_EQ('Y', value[0]);
}

TEST_F(accounting, is_off_by_default)
{
	long long before;
	int buf;

	EXPECT_EQ('N', self->before[0]);
	ASSERT_EQ(0, write_text(PARAMETER, "N"));
	before = used(self->group);
	buf = heap_alloc(16 * MIB, O_RDWR);
	ASSERT_LE(0, buf);
	EXPECT_TRUE(about(used(self->group), before))
		TH_LOG("%lld, %lld before", used(self->group), before);
	close(buf);
}

TEST_F(accounting, charges_buffers_until_they_are_closed)
{
	long long before = used(self->group);
	int one = heap_alloc(16 * MIB, O_RDWR), two = heap_alloc(4096, O_RDWR);

	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	EXPECT_TRUE(about(used(self->group), before + 16 * MIB))
		TH_LOG("%lld, %lld before", used(self->group), before);
	close(two);
	close(one);
	EXPECT_TRUE(about(used(self->group), before))
		TH_LOG("%lld, %lld before", used(self->group), before);
}

/* A process that maps the buffer, or receives it, is not charged. */
TEST_F(accounting, charges_who_allocates)
{
	long long before = used(self->group), with;
	int buf = heap_alloc(16 * MIB, O_RDWR), status;
	pid_t child;

	ASSERT_LE(0, buf);
	with = used(self->group);
	EXPECT_TRUE(about(with, before + 16 * MIB));
	child = fork();
	if (!child) {
		if (enter(self->root))
			_exit(1);
		memset(mmap(NULL, 16 * MIB, PROT_WRITE, MAP_SHARED, buf, 0), 1, 16 * MIB);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(about(used(self->group), with));
	close(buf);
}

/* A later change of the parameter does not change the charge of a buffer. */
TEST_F(accounting, follows_the_parameter_at_allocation)
{
	long long before = used(self->group);
	int buf = heap_alloc(16 * MIB, O_RDWR);

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, write_text(PARAMETER, "N"));
	EXPECT_TRUE(about(used(self->group), before + 16 * MIB));
	close(buf);
	EXPECT_TRUE(about(used(self->group), before));
	buf = heap_alloc(16 * MIB, O_RDWR);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, write_text(PARAMETER, "Y"));
	close(buf);
	EXPECT_TRUE(about(used(self->group), before))
		TH_LOG("%lld, %lld before", used(self->group), before);
}

/* No task is killed, not even the one that allocates, and nothing is left behind. */
TEST_F(accounting, allocation_beyond_the_limit_fails)
{
	long long before;
	int fds = taken_fds(), i;

	ASSERT_EQ(0, limit(self->group, used(self->group) + 16 * MIB));
	before = used(self->group);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ENOMEM, heap_alloc(64 * MIB, O_RDWR));
	EXPECT_EQ(fds, taken_fds());
	EXPECT_TRUE(about(used(self->group), before))
		TH_LOG("%lld, %lld before", used(self->group), before);
	EXPECT_EQ(0, killed(self->group));
	i = heap_alloc(8 * MIB, O_RDWR);
	EXPECT_LE(0, i);
	close(i);
}

/* Just about what is left: wherever the limit hits, it is an error at most. */
TEST_F_TIMEOUT(accounting, close_to_the_limit, 300)
{
	long long room = 8 * MIB, size;
	int refused = 0, buf, fds = taken_fds();

	/* Each processor keeps up to 64 pages that are charged, until the limit hits. */
	ASSERT_EQ(0, limit(self->group, used(self->group) + room));
	EXPECT_EQ(-ENOMEM, heap_alloc(64 * MIB, O_RDWR));
	ASSERT_EQ(0, limit(self->group, used(self->group) + room));
	for (size = room + 512 * 1024; size > room - 256 * 1024; size -= 4096) {
		buf = heap_alloc(size, O_RDWR);
		if (buf >= 0)
			close(buf);
		else
			ASSERT_EQ(-ENOMEM, buf);
		refused += buf < 0;
	}
	EXPECT_LT(0, refused);
	EXPECT_EQ(fds, taken_fds());
	EXPECT_EQ(0, killed(self->group));
}

/*
 * Not of a heap, but memory that user space makes the kernel keep all the same: each
 * merge of many fences has an array of them.
 */
#define NUM_MEMBERS	200
#define NUM_MERGES	500
#define MEMBER_SIZE	40

TEST_F_TIMEOUT(accounting, merged_sync_files_are_charged, 300)
{
	int timelines[NUM_MEMBERS], merges[NUM_MERGES], all = -1, i;
	long long before;

	if (setup_timeline(_metadata) < 0)
		return;
	for (i = 0; i < NUM_MEMBERS; i++) {
		int fence, more;

		timelines[i] = setup_timeline(_metadata);
		fence = timeline_fence(timelines[i], 1);
		ASSERT_LE(0, fence);
		more = sync_file_merge(i ? all : fence, fence);
		ASSERT_LE(0, more);
		close(fence);
		close(all);
		all = more;
	}
	ASSERT_EQ(NUM_MEMBERS, sync_file_count(all));

	before = used(self->group);
	for (i = 0; i < NUM_MERGES; i++) {
		merges[i] = sync_file_merge(all, all);
		ASSERT_LE(0, merges[i]);
	}
	EXPECT_LE(before + NUM_MERGES * NUM_MEMBERS * MEMBER_SIZE, used(self->group));

	for (i = 0; i < NUM_MERGES; i++)
		close(merges[i]);
	for (i = 0; i < NUM_MEMBERS; i++)
		close(timelines[i]);
	close(all);
}

TEST_HARNESS_MAIN
