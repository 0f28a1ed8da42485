// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events of the kernel, in an instance of their own: whatever else is traced goes
 * on. The instance goes with us, also when a signal ends us.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmabuf.h"

static char instance[128];
static int pipe_fd = -1;

/* Calls only functions that a handler of a signal may call. */
static void remove_instance(void)
{
	if (pipe_fd >= 0)
		close(pipe_fd);
	pipe_fd = -1;
	rmdir(instance);
}

static void end_by_signal(int sig)
{
	remove_instance();
	raise(sig);
}

/*
 * Handle the signals that end a program at a terminal, or in a pipe. One that is ignored,
 * as by nohup, stays so.
 */
static void handle_signals(void (*handler)(int sig))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction before, action = { .sa_handler = handler, .sa_flags = SA_RESETHAND };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

static bool set(const char *file, const char *to)
{
	int fd = open(format("%s/%s", instance, file), O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, to, strlen(to)) == (ssize_t)strlen(to);

	if (fd >= 0)
		close(fd);
	return done;
}

static bool make_instance(void)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		snprintf(instance, sizeof(instance), "%s/instances/dmabuf-%d", roots[i],
			 getpid());
		/* One that was left behind by a process with our number. */
		rmdir(instance);
		if (!mkdir(instance, 0700))
			return true;
	}
	return false;
}

/*
 * Times are those of the report, and a line has a fixed form. The kernel takes its time to
 * enable an event; none is recorded before all are, or a buffer would have a beginning
 * but not what follows.
 */
static bool set_up(const char *const *events)
{
	if (!set("trace_clock", "boot") || !set("options/irq-info", "0") ||
	    !set("tracing_on", "0"))
		return false;
	for (; *events; events++)
		if (!set(format("events/dma_buf/%s/enable", *events), "1"))
			return false;
	pipe_fd = open(format("%s/trace_pipe", instance), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return pipe_fd >= 0 && set("tracing_on", "1");
}

/* False if the kernel has no such events, or does not let us have them. */
bool trace_open(const char *const *events)
{
	if (!make_instance())
		return false;
	handle_signals(end_by_signal);
	atexit(trace_close);
	if (set_up(events))
		return true;
	trace_close();
	return false;
}

/* Pass on all lines that there are. */
void trace_read(void (*see)(char *line))
{
	static char bytes[65536];
	struct arena lines = { }, *before = arena;
	char *text, *line;
	ssize_t got;

	arena = &lines;
	/* A line is never split. */
	while ((got = read(pipe_fd, bytes, sizeof(bytes) - 1)) > 0) {
		text = take_text(bytes, got);
		while ((line = next_line(&text)))
			see(line);
	}
	arena_free(&lines);
	arena = before;
}

void trace_close(void)
{
	remove_instance();
	handle_signals(SIG_DFL);
}
