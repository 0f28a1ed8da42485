// SPDX-License-Identifier: GPL-2.0
/*
 * Which descriptors are underway? Only the receiver can tell: borrow its socket and
 * look at the first message. Asked for with --peek, since it takes the right to
 * trace the process, and holds what it sees for a moment.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmabuf.h"

#define MAX_FDS	253	/* of one message */

static int borrow(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), ret;

	if (pidfd < 0)
		return -1;
	ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return ret;
}

static void see_descriptor(struct snapshot *snap, const struct carrier *carrier, int fd)
{
	struct hold hold = { .kind = HOLD_SCM, .space = carrier->space, .fd = carrier->fd,
			     .refs = 1, .socket = carrier->socket };
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatfs(fd, &fs) || fs.f_type != DMA_BUF_MAGIC)
		return;
	hold.dev = st.st_dev;
	hold.ino = st.st_ino;
	if (!find_buffer(snap, st.st_ino))
		add_buffer(snap, st.st_ino)->size = st.st_size;
	add_hold(snap, hold);
}

static void see_message(struct snapshot *snap, struct carrier *carrier, struct msghdr *msg)
{
	struct cmsghdr *c;
	size_t i, count;
	int fds[MAX_FDS];

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		for (i = 0; i < count; i++) {
			see_descriptor(snap, carrier, fds[i]);
			close(fds[i]);
			carrier->files -= carrier->files > 0;
		}
	}
}

/* The owner reads on behind what it has peeked at, and we would move that. */
static bool has_peek_offset(int socket)
{
	socklen_t len = sizeof(int);
	int offset = -1;

	return getsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &offset, &len) || offset >= 0;
}

void peek_socket(struct snapshot *snap, struct carrier *carrier)
{
	static char bytes[65536];
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int socket = borrow(carrier->space->task->pid, carrier->fd);

	if (socket < 0)
		return;
	if (!has_peek_offset(socket) &&
	    recvmsg(socket, &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) >= 0)
		see_message(snap, carrier, &msg);
	close(socket);
}
