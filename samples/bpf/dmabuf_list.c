// SPDX-License-Identifier: GPL-2.0
/* Loads dmabuf_list.bpf.o, which is next to it, and prints its output. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *object_path(void)
{
	static char path[512];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 16);

	if (len < 0)
		err(1, "/proc/self/exe");
	path[len] = '\0';
	return strcat(path, ".bpf.o");
}

/* A file that runs the program for each buffer when it is read. */
static int open_iterator(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__next_program(object, NULL);
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd;

	if (!link)
		err(1, "cannot attach (root, and CONFIG_BPF_EVENTS?)");
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err(1, "cannot make an iterator");
	return fd;
}

int main(void)
{
	struct bpf_object *object = bpf_object__open_file(object_path(), NULL);
	char text[4096];
	ssize_t len;
	int fd;

	if (!object)
		err(1, "%s", object_path());
	if (bpf_object__load(object))
		err(1, "cannot load");
	fd = open_iterator(object);
	while ((len = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, len, stdout);
	if (len < 0)
		err(1, "cannot read");
	return fflush(stdout) ? 1 : 0;
}
