/* SPDX-License-Identifier: GPL-2.0 */
/* Fences that are pending, wherever they are found. */
#ifndef WAITS_H
#define WAITS_H

#include "dmabuf.h"

struct wait {
	const struct node *fence;
	double quiet;		/* at least so long, or -1 */
	bool lost;		/* done, not signalled */
	struct text buffers, syncs;
	struct follow {		/* show-follow.c */
		double first;	/* when it was seen first */
		double next;	/* how old it has to be for the next line */
		bool shown;
		bool shown_lost;
	} follow;
	struct wait *next;
};

struct wait *waits_of(const struct snapshot *snap);
struct wait *find_wait(struct wait *waits, const struct node *fence);
const struct node *fence_of(const struct sync_file *sync, const struct node *fence);

#endif /* WAITS_H */
