// SPDX-License-Identifier: GPL-2.0
/*
 * waits --follow: fences as they become pending, how long they have been, and when they
 * are not any more. The kernel knows no more than a lower bound of the age of a fence;
 * here it is known from when the fence was seen first.
 */
#include <string.h>

#include "waits.h"

/* The last snapshot, which is kept until there is a newer one. */
struct follower {
	struct snapshot *snap;
	struct wait *waits;
	bool found;
};

/* ------------------------------------------------------------------- as lines */

static void print_time(const struct snapshot *snap, char sign, const struct wait *wait)
{
	printf("%.3f %c %s", snap->now, sign, fence_name(wait->fence));
}

static void print_pending(const struct snapshot *snap, const struct wait *wait, char sign)
{
	const char *waiters = waiters_of(wait->fence);

	print_time(snap, sign, wait);
	if (sign == '=')
		printf("  seen for %s", human_time(snap->now - wait->follow.first));
	else if (wait->quiet >= 0)
		printf("  pending for >=%s", human_time(wait->quiet));
	else
		printf("  pending");
	if (wait->lost)
		printf("; %sDONE, BUT NOT SIGNALLED%s", paint(COLOR_RED), paint(COLOR_NONE));
	if (wait->buffers.len)
		printf("; in buffers%s", wait->buffers.s);
	if (waiters)
		printf("; wakes %s", waiters);
	if (wait->syncs.len)
		printf("; sync files: %s", wait->syncs.s);
	printf("\n");
}

static void print_end(const struct snapshot *snap, const struct wait *wait, const char *how,
		      double seen)
{
	print_time(snap, '-', wait);
	printf("  %s, seen for %s\n", how, human_time(seen));
}

static void print_begin(const struct snapshot *snap)
{
	printf("%.3f   looking every %gs, from %s\n", snap->now, interval(),
	       snap->source_name);
	show_limits(snap);
}

static void print_blind(const struct snapshot *snap)
{
	printf("%.3f   the kernel does not tell: %s\n", snap->now,
	       snap->note ? snap->note : "its text was cut off, or cannot be read");
}

/* -------------------------------------------------------------------- as JSON */

static void json_event(const struct snapshot *snap, const char *event, const struct wait *wait)
{
	printf("{\"event\":\"%s\",\"boottime\":%.9f", event, snap->now);
	json_pair("driver", value(wait->fence, "driver"));
	json_pair("timeline", value(wait->fence, "timeline"));
	json_pair("point", value(wait->fence, "point"));
}

static void json_pending(const struct snapshot *snap, const struct wait *wait, char sign)
{
	const struct sync_file *sync;
	const char *s, *comma = "";

	json_event(snap, sign == '+' ? "pending" : "still", wait);
	json_pair("state", wait->lost ? "done-not-signalled" : "pending");
	printf(",\"seen\":%.3f,\"quiet\":%s", snap->now - wait->follow.first,
	       wait->quiet < 0 ? "null" : format("%.3f", wait->quiet));
	printf(",\"buffers\":[");
	for (s = wait->buffers.len ? wait->buffers.s + 1 : ""; *s; s++)
		putchar(*s == ' ' ? ',' : *s);
	printf("],");
	json_waiters(wait->fence);
	printf(",\"sync_files\":[");
	for_each(sync, snap->sync_files) {
		if (!fence_of(sync, wait->fence))
			continue;
		printf("%s", comma);
		json_sync_file(sync);
		comma = ",";
	}
	printf("]}\n");
}

static void json_end(const struct snapshot *snap, const struct wait *wait, const char *how,
		     double seen)
{
	json_event(snap, "end", wait);
	json_pair("how", how);
	printf(",\"seen\":%.3f}\n", seen);
}

static void json_begin(const struct snapshot *snap)
{
	printf("{\"event\":\"begin\",");
	json_head(snap);
	printf(",\"every\":%.3f}\n", interval());
}

static void json_blind(const struct snapshot *snap)
{
	printf("{\"event\":\"blind\",\"boottime\":%.9f", snap->now);
	json_pair("why", snap->note);
	printf("}\n");
}

/* ------------------------------------------------------------------ following */

/* The first line comes with the first look, the others when the age has doubled. */
static bool is_due(const struct wait *wait, double seen)
{
	const struct follow *follow = &wait->follow;

	if (!follow->shown)
		return seen >= options.min_age || wait->quiet >= options.min_age;
	return seen >= follow->next || (wait->lost && !follow->shown_lost);
}

static void follow_pending(struct follower *follower, struct wait *wait)
{
	struct follow *follow = &wait->follow;
	double seen = follower->snap->now - follow->first;

	if (!is_due(wait, seen))
		return;
	(options.json ? json_pending : print_pending)(follower->snap, wait,
						      follow->shown ? '=' : '+');
	follow->shown = true;
	follow->shown_lost |= wait->lost;
	if (seen >= follow->next)
		follow->next = seen < 0.5 ? 1 : 2 * seen;
	follower->found = true;
}

/* A sync file keeps its fence, and says what has become of it. */
static const struct node *what_became(const struct snapshot *snap, const struct node *fence)
{
	const struct sync_file *sync;
	const struct node *node;

	for_each(sync, snap->sync_files) {
		node = fence_of(sync, fence);
		if (node)
			return node;
	}
	return NULL;
}

/* The kernel's clock of signals stands still while the machine sleeps, ours does not. */
static double end_of(const struct snapshot *snap, const struct node *fence)
{
	double at = fence ? seconds(fence, "signalled") : -1;

	if (at < 0 || options.from)
		return snap->now;
	return at + clock_of(CLOCK_BOOTTIME) - clock_of(CLOCK_MONOTONIC);
}

static const char *how_it_ended(const struct node *fence)
{
	const char *state = fence ? value(fence, "state") : NULL;

	if (!state)
		return "gone";
	return strcmp(state, "signaled") ? plain(state) : "signalled";
}

static void follow_end(const struct snapshot *snap, const struct wait *wait)
{
	const struct node *fence = what_became(snap, wait->fence);
	double seen = end_of(snap, fence) - wait->follow.first;

	(options.json ? json_end : print_end)(snap, wait, how_it_ended(fence),
					      seen > 0 ? seen : 0);
}

/* Does it show all fences that the last one would have shown? */
static bool can_tell(const struct snapshot *snap, const struct snapshot *last)
{
	if (snap->source <= SOURCE_BUFINFO && !snap->whole)
		return false;
	return snap->source == last->source;
}

static void compare(struct follower *now, const struct follower *last)
{
	struct wait *wait, *before;

	for_each(wait, now->waits) {
		before = find_wait(last->waits, wait->fence);
		wait->follow = before ? before->follow
				      : (struct follow) { .first = now->snap->now };
		follow_pending(now, wait);
	}
	for_each(wait, last->waits)
		if (wait->follow.shown && !find_wait(now->waits, wait->fence))
			follow_end(now->snap, wait);
}

static void look(struct follower *last)
{
	struct follower now = { .snap = snapshot_take(), .found = last->found };

	if (!last->snap)
		(options.json ? json_begin : print_begin)(now.snap);
	if (last->snap && !can_tell(now.snap, last->snap)) {
		(options.json ? json_blind : print_blind)(now.snap);
		show_now();
		snapshot_free(now.snap);
		return;
	}
	now.waits = waits_of(now.snap);
	compare(&now, last);
	show_now();
	if (last->snap)
		snapshot_free(last->snap);
	*last = now;
}

int show_follow(void)
{
	struct follower follower = { };
	double end;

	look(&follower);
	end = end_of_time();
	while (wait_until(end, interval()))
		look(&follower);
	snapshot_free(follower.snap);
	return follower.found ? EXIT_DONE : EXIT_NOTHING;
}
