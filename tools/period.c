// SPDX-License-Identifier: GPL-2.0
/* How often a command looks, and for how long. */
#include "dmabuf.h"

double clock_of(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

double interval(void)
{
	return options.every > 0 ? options.every : 1;
}

/* When --for is over, on CLOCK_MONOTONIC; 0 if it never is. */
double end_of_time(void)
{
	return options.during > 0 ? clock_of(CLOCK_MONOTONIC) + options.during : 0;
}

/* Wait, but not beyond the end. False if that has come already. */
bool wait_until(double end, double period)
{
	double left = end > 0 ? end - clock_of(CLOCK_MONOTONIC) : period;
	struct timespec ts;

	if (left <= 0)
		return false;
	if (period > left)
		period = left;
	ts.tv_sec = period;
	ts.tv_nsec = (period - ts.tv_sec) * 1e9;
	nanosleep(&ts, NULL);
	return true;
}
