// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that lockdep has learnt at boot about fences and reservations: /proc/lockdep
 * has the order of locks even if no task has taken them yet
 */
#include "common.h"

#define LOCKDEP		"/proc/lockdep"

/* Waiting for a fence, as lockdep sees it. */
#define FENCE		"dma_fence_map"
#define NOTIFIER	"mmu_notifier_invalidate_range_start"
#define RESV		"reservation_ww_class_mutex"
#define CONTEXT		"reservation_ww_class_acquire"

/* The name in "KEY FD: 1 BD: 2 ....: NAME", the first line of a class, or NULL. */
static char *class_name(char *line)
{
	char *number = strstr(line, " BD:");
	char *name = number ? strstr(number + strlen(" BD:"), ": ") : NULL;

	return line[0] != ' ' && name ? name + 2 : NULL;
}

/* The name in " -> [KEY] NAME", a line for each class that is locked inside. */
static char *inner_name(char *line)
{
	char *name = strstr(line, "] ");

	return !strncmp(line, " -> [", 5) && name ? name + 2 : NULL;
}

static bool is_named(char *text, const char *name)
{
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, name);
}

/* Has @inner been locked with @outer held, with nothing in between? */
static bool knows_order(FILE *file, const char *outer, const char *inner)
{
	bool inside = false, found = false;
	char line[512], *name;

	rewind(file);
	while (!found && fgets(line, sizeof(line), file)) {
		name = class_name(line);
		if (name)
			inside = is_named(name, outer);
		name = inner_name(line);
		if (name)
			found = inside && is_named(name, inner);
	}
	return found;
}

static bool knows_class(FILE *file, const char *class)
{
	bool found = false;
	char line[512], *name;

	rewind(file);
	while (!found && fgets(line, sizeof(line), file)) {
		name = class_name(line);
		found = name && is_named(name, class);
	}
	return found;
}

FIXTURE(lockdep)
{
	FILE *file;
};

FIXTURE_SETUP(lockdep)
{
	self->file = fopen(LOCKDEP, "re");
	if (!self->file)
		SKIP(return, "no " LOCKDEP " (CONFIG_PROVE_LOCKING, root)");
}

FIXTURE_TEARDOWN(lockdep)
{
	if (self->file)
		fclose(self->file);
}

/* A page fault may lock a buffer, so user memory is not touched with one locked. */
TEST_F(lockdep, reservation_inside_of_mmap_lock)
{
	EXPECT_TRUE(knows_order(self->file, "&mm->mmap_lock", CONTEXT));
	EXPECT_TRUE(knows_order(self->file, CONTEXT, RESV));
}

/* Memory may be allocated with a buffer locked, so reclaim does not lock one. */
TEST_F(lockdep, reclaim_inside_of_reservation)
{
	EXPECT_TRUE(knows_order(self->file, RESV, "fs_reclaim"));
}

TEST_F(lockdep, mappings_inside_of_reclaim)
{
	EXPECT_TRUE(knows_order(self->file, "fs_reclaim", "&mapping->i_mmap_rwsem"));
}

/* Reclaim may wait for a fence, so nothing is allocated where one is to signal. */
TEST_F(lockdep, fence_inside_of_reclaim)
{
	if (knows_class(self->file, NOTIFIER))
		SKIP(return, "there are notifiers in between");
	EXPECT_TRUE(knows_order(self->file, "fs_reclaim", FENCE));
}

TEST_F(lockdep, fence_inside_of_notifier_inside_of_reclaim)
{
	if (!knows_class(self->file, NOTIFIER))
		SKIP(return, "no notifiers (CONFIG_MMU_NOTIFIER)");
	EXPECT_TRUE(knows_order(self->file, "fs_reclaim", NOTIFIER));
	EXPECT_TRUE(knows_order(self->file, NOTIFIER, FENCE));
}

TEST_HARNESS_MAIN
