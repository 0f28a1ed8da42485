// SPDX-License-Identifier: GPL-2.0
/*
 * Conditions that must hold when all processes are gone: no buffer, fence or page is left
 */
#include <dirent.h>
#include <glob.h>
#include <sys/socket.h>

#include "random-model.h"

#define POLL_MS		100
/* The garbage collector of sockets runs when one is closed, some time. */
#define SOCKET_MS	3000
#define PATIENCE_MS	60000

static const char * const texts[] = {
	[BUFINFO] = DEBUGFS "/dma_buf/bufinfo",
	[REPORT] = DEBUGFS "/dma_buf/report",
	[SYNC_INFO] = DEBUGFS "/sync/info",
};

static long long read_number(const char *path)
{
	char text[64];

	return read_file(path, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10) : -1;
}

static long count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	long lines = 0;
	int c;

	if (!file)
		return -1;
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static long count_entries(const char *path)
{
	DIR *dir = opendir(path);
	long entries = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries;
}

/* Pages that are pinned for long, as those of a udmabuf. */
static long long count_pins(void)
{
	return read_field("/proc/vmstat", "nr_foll_pin_acquired ") -
	       read_field("/proc/vmstat", "nr_foll_pin_released ");
}

void model_read(struct model *model)
{
	int i;

	model->buffers = read_number("/sys/kernel/dmabuf/total_buffers");
	model->bytes = read_number("/sys/kernel/dmabuf/total_bytes");
	model->pins = count_pins();
	model->entries = count_entries(STATS_DIR);
	for (i = 0; i < NUM_TEXTS; i++)
		model->lines[i] = count_lines(texts[i]);
}

bool model_same(const struct model *a, const struct model *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void touch_gc(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return;
	close(pair[0]);
	close(pair[1]);
}

void model_wait(const struct model *want, struct model *got)
{
	unsigned int ms;

	for (ms = 0; ; ms += POLL_MS) {
		model_read(got);
		if (model_same(want, got) || ms >= PATIENCE_MS)
			break;
		if (ms == SOCKET_MS)
			printf("# %lld buffers are left after %u ms, closing sockets from now on\n",
			       got->buffers - want->buffers, ms);
		if (ms >= SOCKET_MS)
			touch_gc();
		sleep_ms(POLL_MS);
	}
	printf("# settled after %u ms\n", ms);
}

/* Print the texts of the kernel that show the holders. */
void model_explain(void)
{
	char line[256];
	FILE *file;
	int i;

	for (i = 0; i < NUM_TEXTS; i++) {
		file = fopen(texts[i], "re");
		if (!file)
			continue;
		printf("# %s:\n", texts[i]);
		while (fgets(line, sizeof(line), file))
			printf("#   %s", line);
		fclose(file);
	}
}

static void print_file(const char *dir, const char *name, const char *what)
{
	char path[320], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, what);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		printf("# %s: %s", path, line);
	if (file)
		fclose(file);
}

static void print_threads(const char *pid)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		print_file(path, entry->d_name, "stat");
		print_file(path, entry->d_name, "stack");
	}
	if (dir)
		closedir(dir);
}

/* Print the function in which each thread waits, without threads of the kernel. */
void explain_hang(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[300], line[8];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		if (atoi(entry->d_name) > 1 && read_file(path, line, sizeof(line)) > 0)
			print_threads(entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/* KASAN holds freed objects back until their cache is shrunk. */
static void shrink_caches(void)
{
	glob_t caches;
	size_t i;

	if (glob("/sys/kernel/slab/*/shrink", GLOB_NOSORT, NULL, &caches))
		return;
	for (i = 0; i < caches.gl_pathc; i++)
		write_text(caches.gl_pathv[i], "1");
	globfree(&caches);
}

/* In KiB, without memory that the kernel gives back on demand. */
long long free_memory(void)
{
	write_text("/proc/sys/vm/drop_caches", "3");
	shrink_caches();
	return read_field("/proc/meminfo", "MemFree:");
}

long long total_memory(void)
{
	return read_field("/proc/meminfo", "MemTotal:");
}
