// SPDX-License-Identifier: GPL-2.0
/*
 * The holders of buffers, as /proc shows them: descriptors, of threads with a table of
 * their own as well, mappings, paths, and sockets and io_urings that may carry buffers.
 *
 * A buffer is identified by the file system of all buffers and its inode number, never
 * by its path, which any user can choose. Reading takes no reference.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dmabuf.h"

#define DRM_MAJOR	226

struct scan {
	struct snapshot *snap;
	struct space *space;
	int task;		/* /proc/PID/task/TID */
	int fds;		/* its fd */
};

struct task *find_task(const struct snapshot *snap, pid_t pid)
{
	struct task *task;

	for_each(task, snap->tasks)
		if (task->pid == pid)
			return task;
	return NULL;
}

/* On the clock of the report. */
double task_started(const struct task *task)
{
	return (double)task->start / sysconf(_SC_CLK_TCK);
}

void add_hold(struct snapshot *snap, struct hold hold)
{
	struct hold *new = take(sizeof(*new));

	*new = hold;
	*snap->hold_tail = new;
	snap->hold_tail = &new->next;
	if (hold.space)
		hold.space->used = true;
}

static bool same(pid_t a, pid_t b, int what, struct snapshot *snap)
{
	long ret = syscall(SYS_kcmp, a, b, what, 0, 0);

	if (ret < 0 && errno != ESRCH)
		snap->no_kcmp = true;
	return !ret;
}

static struct space *add_space(struct snapshot *snap, struct task *task, pid_t tid, bool maps)
{
	struct space *space = take(sizeof(*space));

	space->task = task;
	space->tid = tid;
	space->maps = maps;
	space->number = snap->spaces ? snap->spaces->number + 1 : 0;
	space->next = snap->spaces;
	snap->spaces = space;
	return space;
}

/* -------------------------------------------------------------- descriptors */

/* Is it in the file system of the buffers? The first one shows which that is. */
static bool is_buffer(struct scan *scan, const char *name, struct stat *st)
{
	struct snapshot *snap = scan->snap;
	struct statfs fs;

	if (fstatat(scan->fds, name, st, 0))
		return false;
	if (!snap->has_dev) {
		if (statfs(format("/proc/self/fd/%d/%s", scan->fds, name), &fs) ||
		    fs.f_type != DMA_BUF_MAGIC)
			return false;
		snap->dev = st->st_dev;
		snap->has_dev = true;
	}
	return st->st_dev == snap->dev;
}

/*
 * The link of a path can neither be read nor written, as that of a descriptor with
 * the strange access mode of 3; only of these fdinfo is read.
 */
static bool is_path(struct scan *scan, const char *name)
{
	const char *text, *flags;
	struct stat st;

	if (fstatat(scan->fds, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_mode & 0600)
		return false;
	text = slurp_at(scan->task, format("fdinfo/%s", name), NULL);
	flags = text ? parse_key(text, "flags") : NULL;
	return flags && strtoul(flags, NULL, 8) & O_PATH;
}

static void see_buffer(struct scan *scan, const char *name)
{
	struct snapshot *snap = scan->snap;
	struct hold hold = { .kind = HOLD_FD, .space = scan->space, .fd = atoi(name) };
	struct buffer *buf;
	struct stat st;

	if (!is_buffer(scan, name, &st))
		return;
	hold.dev = st.st_dev;
	hold.ino = st.st_ino;
	hold.refs = 1;
	if (is_path(scan, name)) {
		hold.kind = HOLD_PATH;
		hold.refs = 0;
	}
	buf = find_buffer(snap, st.st_ino);
	if (!buf) {
		buf = add_buffer(snap, st.st_ino);
		buf->size = st.st_size;
	}
	if (!buf->via && hold.refs) {
		buf->via = scan->space;
		buf->via_fd = hold.fd;
		if (snap->source > SOURCE_BUFINFO)
			kernel_ask_holder(buf, false);
	}
	add_hold(snap, hold);
}

static char *read_fdinfo(struct scan *scan, const char *name)
{
	return slurp_at(scan->task, format("fdinfo/%s", name), NULL);
}

static void see_sync_file(struct scan *scan, const char *name)
{
	const char *text = read_fdinfo(scan, name);
	struct sync_file *sync;

	if (!text)
		return;
	sync = take(sizeof(*sync));
	sync->space = scan->space;
	sync->fd = atoi(name);
	sync->node = parse_sync_file(text);
	scan->space->used = true;
	*scan->snap->sync_tail = sync;
	scan->snap->sync_tail = &sync->next;
}

static struct carrier *add_carrier(struct scan *scan, const char *name, unsigned int files)
{
	struct carrier *carrier = take(sizeof(*carrier));

	carrier->space = scan->space;
	carrier->fd = atoi(name);
	carrier->files = files;
	scan->space->used = true;
	*scan->snap->carrier_tail = carrier;
	scan->snap->carrier_tail = &carrier->next;
	return carrier;
}

static bool is_known_socket(const struct snapshot *snap, u64 socket)
{
	struct carrier *carrier;

	for_each(carrier, snap->carriers)
		if (carrier->socket == socket)
			return true;
	return false;
}

static void see_socket(struct scan *scan, const char *name)
{
	const char *text = read_fdinfo(scan, name);
	const char *fds = text ? parse_key(text, "scm_fds") : NULL;
	struct carrier *carrier;
	struct stat st;

	if (!fds || !atoi(fds) || fstatat(scan->fds, name, &st, 0))
		return;
	if (is_known_socket(scan->snap, st.st_ino))
		return;
	carrier = add_carrier(scan, name, atoi(fds));
	carrier->socket = st.st_ino;
	if (options.peek)
		peek_socket(scan->snap, carrier);
}

static void see_ring(struct scan *scan, const char *name)
{
	const char *text = read_fdinfo(scan, name);
	unsigned int files = text ? parse_ring(text) : 0;

	if (files)
		add_carrier(scan, name, files);
}

static void see_epoll(struct scan *scan, const char *name)
{
	struct hold hold = { .kind = HOLD_EPOLL, .space = scan->space, .fd = atoi(name) };
	char *text = read_fdinfo(scan, name), *line;
	unsigned int major, minor;

	while ((line = next_line(&text)))
		if (parse_target(line, &hold.ino, &major, &minor)) {
			hold.dev = makedev(major, minor);
			add_hold(scan->snap, hold);
		}
}

static void see_drm(struct scan *scan, const char *name)
{
	struct drm_client *drm;
	char target[PATH_MAX];
	const char *link;
	struct stat st;
	ssize_t len;

	if (fstatat(scan->fds, name, &st, 0) || !S_ISCHR(st.st_mode) ||
	    major(st.st_rdev) != DRM_MAJOR)
		return;
	scan->space->used = true;
	drm = take(sizeof(*drm));
	drm->space = scan->space;
	drm->fd = atoi(name);
	drm->minor = minor(st.st_rdev);
	drm->node = format(drm->minor < 128 ? "card%u" : "renderD%u", drm->minor);
	link = format("/sys/dev/char/%u:%u/device", DRM_MAJOR, drm->minor);
	len = readlink(link, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	drm->device = len > 0 && strrchr(target, '/') ? format("%s", strrchr(target, '/') + 1)
						      : drm->node;
	drm->next = scan->snap->drm;
	scan->snap->drm = drm;
}

static const struct {
	const char *link;
	void (*see)(struct scan *scan, const char *name);
} files[] = {
	{ "/dmabuf:", see_buffer },
	{ "anon_inode:sync_file", see_sync_file },
	{ "socket:[", see_socket },
	{ "anon_inode:[io_uring]", see_ring },
	{ "anon_inode:[eventpoll]", see_epoll },
	{ "/dev/dri/", see_drm },
};

static void see_file(struct scan *scan, const char *name)
{
	char link[64] = "";
	size_t i;

	if (readlinkat(scan->fds, name, link, sizeof(link) - 1) < 0)
		return;
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!strncmp(link, files[i].link, strlen(files[i].link)))
			files[i].see(scan, name);
}

/* False if it cannot be read, although the task is there. */
static bool scan_fds(struct scan *scan)
{
	DIR *dir = NULL;
	struct dirent *entry;

	scan->fds = openat(scan->task, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan->fds >= 0)
		dir = fdopendir(scan->fds);
	if (!dir)
		return errno == ENOENT || errno == ESRCH;
	errno = 0;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name)) {
			scan->space->task->fds++;
			see_file(scan, entry->d_name);
			errno = 0;
		}
	closedir(dir);
	return !errno || errno == ENOENT || errno == ESRCH;
}

/* ----------------------------------------------------------------- mappings */

static bool scan_maps(struct scan *scan)
{
	char *text = slurp_at(scan->task, "maps", NULL), *line;
	struct hold hold = { .kind = HOLD_MAP, .fd = -1, .refs = 1 };
	struct mapping map;

	if (!text)
		return errno != EACCES;
	while ((line = next_line(&text))) {
		if (!strstr(line, " /dmabuf:") || !parse_mapping(line, &map))
			continue;
		hold.space = scan->space;
		hold.dev = makedev(map.major, map.minor);
		hold.ino = map.ino;
		hold.size = map.to - map.from;
		memcpy(hold.prot, map.prot, sizeof(hold.prot));
		add_hold(scan->snap, hold);
	}
	return true;
}

/* -------------------------------------------------------------------- tasks */

static bool read_stat(int dir, struct stat_line *stat)
{
	const char *text = slurp_at(dir, "stat", NULL);

	return text && parse_stat(text, stat);
}

/* Has another thread of the process the table? Most have that of the first. */
static bool is_known_table(struct snapshot *snap, const struct task *task, pid_t tid)
{
	struct space *space;

	for (space = snap->spaces; space && space->task == task; space = space->next)
		if (!space->maps && same(space->tid, tid, KCMP_FILES, snap))
			return true;
	return snap->no_kcmp && snap->spaces && snap->spaces->task == task;
}

static bool scan_thread(struct snapshot *snap, struct task *task, int dir, const char *name,
			bool *has_maps)
{
	struct scan scan = { .snap = snap };
	pid_t tid = atoi(name);
	bool ret = true;

	scan.task = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan.task < 0)
		return true;
	if (!is_known_table(snap, task, tid)) {
		scan.space = add_space(snap, task, tid, false);
		ret = scan_fds(&scan);
	}
	/* A leader that has ended has neither, but its threads do. */
	if (ret && !*has_maps) {
		scan.space = add_space(snap, task, tid, true);
		ret = scan_maps(&scan);
		*has_maps = true;
	}
	close(scan.task);
	return ret;
}

static bool is_dead(int dir, const char *name)
{
	struct stat_line stat;
	int task = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool dead = task < 0 || !read_stat(task, &stat) || stat.state == 'Z' ||
		    stat.state == 'X';

	if (task >= 0)
		close(task);
	return dead;
}

static bool scan_threads(struct snapshot *snap, struct task *task, int process)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool has_maps = false, ret = true;

	while (dir && ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name) && !is_dead(fd, entry->d_name))
			/* A thread that has ended meanwhile hides nothing. */
			ret = scan_thread(snap, task, fd, entry->d_name, &has_maps) ||
			      is_dead(fd, entry->d_name);
	if (dir)
		closedir(dir);
	return ret;
}

/* Drop the holders that were found in a process whose number has been reused. */
static void forget(struct snapshot *snap, const struct task *task)
{
	struct hold *hold;

	for_each(hold, snap->holds)
		if (hold->space && hold->space->task == task)
			hold->ino = 0;
}

static void scan_process(struct snapshot *snap, int proc, const char *name)
{
	int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat_line stat, after;
	struct task *task;

	if (dir < 0)
		return;
	if (read_stat(dir, &stat)) {
		task = take(sizeof(*task));
		task->pid = atoi(name);
		task->comm = stat.comm;
		task->start = stat.start;
		task->next = snap->tasks;
		snap->tasks = task;
		if (!stat.kthread && !scan_threads(snap, task, dir))
			snap->unreadable++;
		if (!read_stat(dir, &after) || after.start != stat.start)
			forget(snap, task);
	}
	close(dir);
}

/* The first namespace has a number that is part of the ABI by now. */
static bool is_inside(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino != 0xeffffffcU;
}

void proc_scan(struct snapshot *snap)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	snap->inside = is_inside();
	if (!proc) {
		snap->unreadable++;
		return;
	}
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name))
			scan_process(snap, dirfd(proc), entry->d_name);
	closedir(proc);
}
