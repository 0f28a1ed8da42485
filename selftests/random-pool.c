// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers, and the descriptors that the threads of a process have in common
 */
#include "random.h"

#define MAX_SLOTS	12

/* Few where something else has to be guessed, too, as a handle. */
static const int num_slots[NUM_KINDS] = {
	[BUFFERS] = MAX_SLOTS,
	[SYNC_FILES] = MAX_SLOTS,
	[TIMELINES] = 6,
	[MEMFDS] = 4,
	[SOCKETS] = 6,
	[EPOLLS] = 3,
	[CARDS] = 3,
	[SYNCOBJ_CARDS] = 2,
};

static int pool[NUM_KINDS][MAX_SLOTS];

void pool_init(void)
{
	memset(pool, -1, sizeof(pool));
}

/* xorshift64* */
__u64 rnd(struct worker *w, __u64 below)
{
	w->rng ^= w->rng >> 12;
	w->rng ^= w->rng << 25;
	w->rng ^= w->rng >> 27;
	return (w->rng * 2685821657736338717ULL >> 33) % below;
}

static int *pool_slot(struct worker *w, enum pool_kind kind)
{
	return &pool[kind][rnd(w, num_slots[kind])];
}

/* Closes what was in the place of the new one. Returns whether @fd is one at all. */
bool pool_add(struct worker *w, enum pool_kind kind, int fd)
{
	int old;

	if (fd < 0)
		return false;
	old = __atomic_exchange_n(pool_slot(w, kind), fd, __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
	return true;
}

/* A descriptor, which others may close at any time; or -1. */
int pool_look(struct worker *w, enum pool_kind kind)
{
	return __atomic_load_n(pool_slot(w, kind), __ATOMIC_RELAXED);
}

int pool_look_any(struct worker *w, enum pool_kind *kind)
{
	*kind = rnd(w, NUM_KINDS);
	return pool_look(w, *kind);
}

/* A descriptor that belongs to the caller from now on; or -1. */
int pool_take(struct worker *w, enum pool_kind kind)
{
	return __atomic_exchange_n(pool_slot(w, kind), -1, __ATOMIC_RELAXED);
}
