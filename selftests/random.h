/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the test "random" share: threads, the descriptors that
 * they have in common, and tables of operations.
 *
 * A thread may use a descriptor that another one closes; it closes only descriptors that
 * it has taken out of the pool, so none is closed twice.
 */
#ifndef SELFTESTS_DMA_BUF_RANDOM_H
#define SELFTESTS_DMA_BUF_RANDOM_H

#include "common.h"

/* Handles of DRM that are worth a guess, as they are given from 1 on. */
#define HANDLES		6

/* Features that an operation needs, and that a kernel may lack. */
enum need {
	NOTHING,
	HEAP,
	MEMFD,
	SW_SYNC,
	DRM_VGEM,
	DRM_SYNCOBJ,
	IO_URING,
	NUM_NEEDS,
};

/* Kinds of descriptors in the pool. */
enum pool_kind {
	BUFFERS,
	SYNC_FILES,
	TIMELINES,
	MEMFDS,
	SOCKETS,
	EPOLLS,
	CARDS,		/* of vgem and vkms */
	SYNCOBJ_CARDS,
	NUM_KINDS,
};

/**
 * struct worker - a thread, or the child of one, that does operations
 * @rng: state of its random numbers
 * @stack: where a thread takes signals
 * @tid: number of the thread
 * @forked: it is such a child, which makes no others
 */
struct worker {
	__u64 rng;
	char *stack;
	pid_t tid;
	bool forked;
};

/**
 * struct operation - something user space can do
 * @name: what it is called in the list of results
 * @run: do it; returns whether it has succeeded
 * @weight: how often, beside the others
 * @need: without that it is left out
 */
struct operation {
	const char *name;
	bool (*run)(struct worker *w);
	unsigned int weight;
	enum need need;
};

/* random-pool.c */
__u64 rnd(struct worker *w, __u64 below);
bool pool_add(struct worker *w, enum pool_kind kind, int fd);
int pool_look(struct worker *w, enum pool_kind kind);
int pool_look_any(struct worker *w, enum pool_kind *kind);
int pool_take(struct worker *w, enum pool_kind kind);
void pool_init(void);

/* random.c */
void run_operations(struct worker *w, unsigned int count);
extern bool fragile_fork;
extern char card_path[2][32];
extern char syncobj_path[32];

/* Tables that end with a NULL function. */
extern const struct operation buffer_operations[];
extern const struct operation fence_operations[];
extern const struct operation device_operations[];
extern const struct operation wait_operations[];
extern const struct operation memory_operations[];
extern const struct operation pass_operations[];
extern const struct operation read_operations[];

void memory_init(void);
pid_t safe_fork(void);
void allow_signals(void);
void wait_init(void);
void pass_init(void);
void pass_end(void);

#endif /* SELFTESTS_DMA_BUF_RANDOM_H */
