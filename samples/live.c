// SPDX-License-Identifier: GPL-2.0
/* Which buffers live, as bufinfo in debugfs tells. */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "demo.h"

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define GONE_MS		1000	/* how late the last reference may go */
#define LINE		256

static FILE *open_bufinfo(void)
{
	FILE *file = fopen(BUFINFO, "r");

	if (!file)
		err(1, "%s (is debugfs mounted?)", BUFINFO);
	return file;
}

/* Size, flags, mode, references and exporter stand before it. */
static bool is_line_of(const char *line, ino_t ino)
{
	unsigned long found;

	return sscanf(line, "%*u %*x %*x %*d %*s %lu", &found) == 1 &&
	       found == ino;
}

bool is_alive(ino_t ino)
{
	FILE *file = open_bufinfo();
	bool found = false;
	char line[LINE];

	while (!found && fgets(line, sizeof(line), file))
		found = is_line_of(line, ino);
	if (ferror(file))
		err(1, BUFINFO);
	fclose(file);
	return found;
}

/* All references have been given up: no buffer may stay behind. */
void wait_gone(const ino_t *inodes, unsigned int count)
{
	unsigned int i, ms = 0;

	for (i = 0; i < count; i++) {
		while (is_alive(inodes[i])) {
			if (ms++ == GONE_MS)
				errx(1, "buffer %lu is still there after %d ms",
				     (unsigned long)inodes[i], GONE_MS);
			usleep(1000);
		}
	}
}
