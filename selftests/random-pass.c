// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations that pass descriptors through sockets, and leave them in there
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "random.h"

#define MAX_PASSED	4

/* Between the processes. */
static int mail[2];

/**
 * struct parcel - descriptors in a message
 * @count: how many
 * @fd: the descriptors
 * @kind: a byte for the kind of each, the data of the message
 */
struct parcel {
	unsigned int count;
	int fd[MAX_PASSED];
	char kind[MAX_PASSED];
};

void pass_init(void)
{
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail))
		memset(mail, -1, sizeof(mail));
}

/* For who has made the processes. */
void pass_end(void)
{
	close(mail[0]);
	close(mail[1]);
}

static void parcel_add(struct parcel *parcel, int fd, enum pool_kind kind)
{
	if (fd < 0 || parcel->count == MAX_PASSED)
		return;
	parcel->fd[parcel->count] = fd;
	parcel->kind[parcel->count++] = kind;
}

static void parcel_fill(struct worker *w, struct parcel *parcel)
{
	unsigned int i, count = 1 + rnd(w, MAX_PASSED);
	enum pool_kind kind;
	int fd;

	for (i = 0; i < count; i++) {
		fd = pool_look_any(w, &kind);
		parcel_add(parcel, fd, kind);
	}
	parcel_add(parcel, pool_look(w, BUFFERS), BUFFERS);
}

/* Room for the descriptors of a message, aligned as it has to be. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(MAX_PASSED * sizeof(int))];
};

static bool parcel_send(int sock, const struct parcel *parcel)
{
	struct iovec data = { (void *)parcel->kind, parcel->count };
	size_t len = parcel->count * sizeof(int);
	union control control = { };
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(len),
	};

	if (!parcel->count)
		return false;
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&control.head), parcel->fd, len);
	return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static bool parcel_receive(struct worker *w, int sock)
{
	char kind[MAX_PASSED] = "";
	struct iovec data = { kind, sizeof(kind) };
	union control control = { };
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	unsigned int i, count;
	int fd[MAX_PASSED];

	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0 ||
	    msg.msg_controllen < CMSG_LEN(0) || control.head.cmsg_type != SCM_RIGHTS)
		return false;
	count = (control.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fd, CMSG_DATA(&control.head), count * sizeof(int));
	for (i = 0; i < count; i++)
		pool_add(w, (unsigned char)kind[i] < NUM_KINDS ? kind[i] : BUFFERS, fd[i]);
	return count;
}

static int random_type(struct worker *w)
{
	return (rnd(w, 2) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
}

static bool socket_pair(struct worker *w)
{
	int pair[2];

	if (socketpair(AF_UNIX, random_type(w), 0, pair))
		return false;
	pool_add(w, SOCKETS, pair[0]);
	return pool_add(w, SOCKETS, pair[1]);
}

static bool socket_send(struct worker *w)
{
	struct parcel parcel = { };

	parcel_fill(w, &parcel);
	return parcel_send(pool_look(w, SOCKETS), &parcel);
}

static bool socket_receive(struct worker *w)
{
	return parcel_receive(w, pool_look(w, SOCKETS));
}

static bool socket_close(struct worker *w)
{
	return !close(pool_take(w, SOCKETS));
}

/*
 * Two pairs, each with a buffer and the ends of the other in flight, and closed. Only
 * the garbage collection of sockets gets at what is in there.
 */
static bool socket_circle(struct worker *w)
{
	int pair[2][2], i;
	bool sent = true;

	if (socketpair(AF_UNIX, random_type(w), 0, pair[0]))
		return false;
	if (socketpair(AF_UNIX, random_type(w), 0, pair[1])) {
		close(pair[0][0]);
		close(pair[0][1]);
		return false;
	}
	for (i = 0; i < 2; i++) {
		int *other = pair[rnd(w, 4) ? !i : i];
		struct parcel parcel = { };

		parcel_add(&parcel, other[0], SOCKETS);
		parcel_add(&parcel, other[1], SOCKETS);
		parcel_add(&parcel, pool_look(w, BUFFERS), BUFFERS);
		parcel_add(&parcel, pool_look(w, TIMELINES), TIMELINES);
		sent &= parcel_send(pair[i][rnd(w, 2)], &parcel);
	}
	for (i = 0; i < 4; i++)
		close(pair[i / 2][i % 2]);
	return sent;
}

static bool mail_send(struct worker *w)
{
	struct parcel parcel = { };

	parcel_fill(w, &parcel);
	return parcel_send(mail[0], &parcel);
}

static bool mail_receive(struct worker *w)
{
	return parcel_receive(w, mail[1]);
}

const struct operation pass_operations[] = {
	{ "socket: pair", socket_pair, 4, NOTHING },
	{ "socket: send", socket_send, 8, NOTHING },
	{ "socket: receive", socket_receive, 6, NOTHING },
	{ "socket: close", socket_close, 3, NOTHING },
	{ "socket: circle", socket_circle, 2, NOTHING },
	{ "mail: send", mail_send, 3, NOTHING },
	{ "mail: receive", mail_receive, 4, NOTHING },
	{ }
};
