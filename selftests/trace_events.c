// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events of buffers, as programs find them: their names, their fields, and that they
 * come. A KUnit suite tests from inside what they tell in each case.
 */
#include <sys/mount.h>

#include "common.h"

#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/trace_events"
#define EVENTS		INSTANCE "/events/dma_buf"
#define BUFFER		"exp_name", "size", "ino"

FIXTURE(trace_events)
{
	char text[65536];
};

FIXTURE_SETUP(trace_events)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (access(TRACING "/events/dma_buf", F_OK))
		SKIP(return, "no trace events (CONFIG_FTRACE)");
	rmdir(INSTANCE);
	ASSERT_EQ(0, mkdir(INSTANCE, 0700));
}

FIXTURE_TEARDOWN(trace_events)
{
	rmdir(INSTANCE);
}

static const struct {
	const char *name;
	const char *fields[8];
} events[] = {
	/* These are in other kernels, too. */
	{ "dma_buf_export", { BUFFER } },
	{ "dma_buf_mmap_internal", { BUFFER } },
	{ "dma_buf_mmap", { BUFFER } },
	{ "dma_buf_put", { BUFFER } },
	{ "dma_buf_fd", { BUFFER, "fd" } },
	{ "dma_buf_get", { BUFFER, "fd" } },
	{ "dma_buf_dynamic_attach", { "dev_name", BUFFER, "attach", "is_dynamic" } },
	{ "dma_buf_detach", { "dev_name", BUFFER, "attach", "is_dynamic" } },
	/* And these are ours. */
	{ "dma_buf_map", { "dev_name", BUFFER, "attach", "direction" } },
	{ "dma_buf_unmap", { "dev_name", BUFFER, "attach", "direction" } },
	{ "dma_buf_pin", { "dev_name", BUFFER, "attach" } },
	{ "dma_buf_unpin", { "dev_name", BUFFER, "attach" } },
	{ "dma_buf_move_notify", { BUFFER } },
	{ "dma_buf_begin_cpu_access", { BUFFER, "direction", "ret" } },
	{ "dma_buf_end_cpu_access", { BUFFER, "direction", "ret" } },
	{ "dma_buf_vmap", { BUFFER, "counter" } },
	{ "dma_buf_vunmap", { BUFFER, "counter" } },
	{ "dma_buf_poll", { BUFFER, "asked", "ready" } },
	{ "dma_buf_import_sync_file", { BUFFER, "flags", "fences" } },
	{ "dma_buf_export_sync_file", { BUFFER, "flags", "fences" } },
	{ "dma_buf_release", { BUFFER, "lifetime" } },
	{ "sync_file_create", { "sync_file", "context", "seqno" } },
	{ "sync_file_release", { "sync_file", "context", "seqno" } },
};

/* "	field:__data_loc char[] exp_name;	offset:..." */
TEST_F(trace_events, have_their_fields)
{
	const char *const *field;
	char path[128], want[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), EVENTS "/%s/format", events[i].name);
		ASSERT_LT(0, read_file(path, self->text, sizeof(self->text)))
			TH_LOG("%s", path);
		for (field = events[i].fields; *field; field++) {
			snprintf(want, sizeof(want), " %s;\toffset:", *field);
			EXPECT_NE(NULL, strstr(self->text, want))
				TH_LOG("%s has no field %s", events[i].name, *field);
		}
	}
}

/* In this order, and none of them between. */
TEST_F(trace_events, tell_the_life_of_a_buffer)
{
	static const char *const life[] = {
		"dma_buf_export", "dma_buf_fd", "dma_buf_mmap_internal",
		"dma_buf_begin_cpu_access", "dma_buf_end_cpu_access", "dma_buf_poll",
		"dma_buf_release",
	};
	char want[128], *at;
	unsigned long ino;
	void *mapping;
	size_t i;
	int buf;

	ASSERT_EQ(0, write_text(EVENTS "/enable", "1"));
	buf = heap_alloc(page_size(), O_RDWR | O_CLOEXEC);
	if (buf == -ENODEV)
		SKIP(return, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	ino = buffer_ino(buf);
	mapping = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, mapping);
	munmap(mapping, page_size());
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, sync_buffer(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	EXPECT_EQ(POLLIN, poll_for(buf, POLLIN, 0));
	close(buf);
	ASSERT_EQ(0, write_text(EVENTS "/enable", "0"));

	ASSERT_LT(0, read_file(INSTANCE "/trace", self->text, sizeof(self->text)));
	at = self->text;
	for (i = 0; i < ARRAY_SIZE(life); i++) {
		snprintf(want, sizeof(want), ": %s: exp_name=system size=%zu ino=%lu", life[i],
			 page_size(), ino);
		at = strstr(at, want);
		ASSERT_NE(NULL, at) TH_LOG("no %s in %s", want, self->text);
		at += strlen(want);
	}
}

TEST_HARNESS_MAIN
