// SPDX-License-Identifier: GPL-2.0
/*
 * The parsers, fed what the kernel writes, half of it, what somebody would like it to
 * be taken for, and noise. To be built with sanitizers; -DCHUNK=0 lets them see the end
 * of each piece of memory.
 *
 * Usage: parse-test [LINES] - so many lines of noise
 */
#include <stdlib.h>
#include <string.h>

#include "dmabuf.h"

static unsigned int failures;

#define CHECK(condition)							\
	do {									\
		if (!(condition)) {						\
			printf("%s:%d: %s\n", __func__, __LINE__, #condition);	\
			failures++;						\
		}								\
	} while (0)

static bool equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static const char report[] =
"dma-buf-report 1 dev=0:11 now=5123.456789012\n"
"buffer ino=19 size=1228800 count=8 exporter=\"videobuf2\" name=\"a\\042\\134\\012b\" flags=02\n"
" attach dev=\"vkms\" driver=\"vkms\" dynamic=0 maps=1\n"
" poller func=\"ep_poll_callback\" n=1\n"
" news from=\"a newer kernel\" of=interest\n"
" fence usage=write driver=\"sw_sync\" timeline=\"demo\" point=12:1 state=pending asked=1\n"
"  waiter kind=task tid=815 pid=812 comm=\"demo\"\n"
"   waiter kind=other func=\"f\"\n"
"buffer ino=18 size=8294400 count=3 exporter=\"drm\" name=none attachments=busy\n"
"end buffers=2 bytes=9523200\n";

static const char bufinfo[] =
"\nDma-buf Objects:\n"
"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n"
"00016384\t00000002\t00080007\t00000003\tsystem\t00000007\tcamera\n"
"\twrite fence:sw_sync CRTC:38-crtc-0 seq 5 unsignalled\n"
"\tread fence:vgem unbound seq 4 signalled\n"
"\tAttached Devices:\n"
"\tvkms\n"
"\tvgem\n"
"Total 2 devices attached\n\n"
"00004096\t00000002\t00080007\t00000001\tdrm\t00000006\t<none>\n"
"\tAttached Devices:\n"
"Total 0 devices attached\n\n"
"\nTotal 2 objects, 20480 bytes\n";

static unsigned int count_of(const struct node *parent, const char *tag)
{
	const struct node *node;
	unsigned int n = 0;

	for_each_child(node, parent, tag)
		n++;
	return n;
}

/* ------------------------------------------------------------------- report */

static void test_report(void)
{
	struct report r = { };
	const struct node *buf, *fence;

	CHECK(parse_report(report, strlen(report), &r));
	CHECK(r.whole && r.has_dev && r.major == 0 && r.minor == 11);
	CHECK(r.now > 5123.4 && r.now < 5123.5);
	CHECK(count_of(&r.root, "buffer") == 2);
	buf = r.root.child;
	CHECK(number(buf, "ino") == 19 && number(buf, "size") == 1228800);
	CHECK(equal(text_of(buf, "name"), "a\"\\\nb"));
	CHECK(equal(value(buf, "flags"), "02"));
	CHECK(count_of(buf, "attach") == 1 && count_of(buf, "news") == 1);
	fence = first_of(buf->child, "fence");
	CHECK(equal(value(fence, "point"), "12:1"));
	CHECK(count_of(fence, "waiter") == 1 && count_of(fence->child, "waiter") == 1);
	CHECK(!text_of(buf->next, "name") && equal(value(buf->next, "attachments"), "busy"));
}

static void test_report_versions(void)
{
	static const char *const heads[] = {
		"", "\n", "dma-buf-report", "dma-buf-report 1", "dma-buf-report 2 dev=0:11\n",
		"dma-buf-report x\n", "dma-buf-repor 1\n", "dma-buf-report dev=0:1 now=1\n",
	};
	struct report r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		r = (struct report) { };
		CHECK(parse_report(heads[i], strlen(heads[i]), &r) == (i == 3));
		CHECK(!r.whole);
	}
}

/* Wherever it is cut, what is there is true, and it is known that it was cut. */
static void test_report_cut(void)
{
	const struct node *buf;
	struct report r;
	size_t len;

	for (len = 0; len < strlen(report); len++) {
		r = (struct report) { };
		parse_report(report, len, &r);
		CHECK(!r.whole);
		for_each_child(buf, &r.root, "buffer")
			CHECK(equal(value(buf, "exporter"),
				    number(buf, "ino") == 19 ? "videobuf2" : "drm"));
	}
}

static void test_report_forged(void)
{
	static const char *const lines[] = {
		"buffer ino=7 name=\"open\n", "buffer ino=7 name=\"a\"b\"\n",
		"buffer ino=7 name=\"\\9\"\n", "buffer ino=7 name=\"\\000\"\n",
		"buffer ino=7  size=1\n", "buffer =7\n", "\n", "  attach dev=\"x\"\n",
		"          deep ino=7\n",
	};
	const char *text;
	struct report r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		text = format("dma-buf-report 1 dev=0:11 now=1.0\n%send buffers=0 bytes=0\n",
			      lines[i]);
		r = (struct report) { };
		CHECK(parse_report(text, strlen(text), &r));
		CHECK(r.whole && !r.root.child);
	}
	/* The first of two values stays, and an end that does not agree is none. */
	text = "dma-buf-report 1\nbuffer ino=7 ino=8\nend buffers=2\n";
	r = (struct report) { };
	CHECK(parse_report(text, strlen(text), &r) && !r.whole);
	CHECK(number(r.root.child, "ino") == 7 && !r.root.child->pairs->next);
}

/* ------------------------------------------------------------------ bufinfo */

static void test_bufinfo(void)
{
	struct report r = { };
	const struct node *buf, *fence;

	CHECK(parse_bufinfo(bufinfo, strlen(bufinfo), &r));
	CHECK(r.whole && count_of(&r.root, "buffer") == 2);
	buf = r.root.child;
	CHECK(number(buf, "ino") == 7 && number(buf, "size") == 16384 && number(buf, "count") == 3);
	CHECK(equal(text_of(buf, "name"), "camera") && !text_of(buf->next, "name"));
	CHECK(count_of(buf, "attach") == 2 && count_of(buf->next, "attach") == 0);
	/* A signalled fence has no waiters. */
	CHECK(count_of(buf, "fence") == 1);
	fence = first_of(buf->child, "fence");
	CHECK(equal(value(fence, "timeline"), "CRTC:38-crtc-0"));
	CHECK(equal(value(fence, "point"), "?:5") && equal(value(fence, "usage"), "write"));
}

static void test_bufinfo_cut(void)
{
	struct report r;
	size_t len;

	for (len = 0; len < strlen(bufinfo); len++) {
		r = (struct report) { };
		parse_bufinfo(take_text(bufinfo, len), len, &r);
		CHECK(!r.whole);
	}
}

/* Names of 31 characters, as older kernels print them. */
static void test_bufinfo_forged(void)
{
	static const char *const names[] = {
		"x\n1\t2\t3\t4\tdrm\t9\tname",
		"x\n00000001\t00000002\t00000003\t9",
		"x\n\tAttached Devices:\n\tevil",
		"x\nTotal 1 objects, 1 bytes\n",
		"x\nTotal 0 devices attached\n\n",
	};
	char *text, *name = strstr(bufinfo, "camera");
	const struct node *buf;
	struct report r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK(strlen(names[i]) <= 31);
		text = (char *)format("%.*s%s%s", (int)(name - bufinfo), bufinfo, names[i],
				      name + strlen("camera"));
		r = (struct report) { };
		CHECK(parse_bufinfo(text, strlen(text), &r));
		CHECK(r.whole && count_of(&r.root, "buffer") == 2);
		buf = r.root.child;
		CHECK(number(buf, "ino") == 7 && number(buf->next, "ino") == 6);
		CHECK(count_of(buf, "attach") == 2 && count_of(buf, "fence") == 1);
	}
}

/* -------------------------------------------------------------------- /proc */

static void test_stat(void)
{
	static const char line[] =
		"12 (a) R 1 (b\n) D 1 12 12 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n";
	struct stat_line stat;
	size_t len;

	CHECK(parse_stat(line, &stat));
	CHECK(equal(stat.comm, "a) R 1 (b\n") && stat.state == 'D');
	CHECK(stat.kthread && stat.start == 4242);
	for (len = 0; len < strlen(line) - 9; len++)
		CHECK(!parse_stat(take_text(line, len), &stat));
	CHECK(!parse_stat(") (", &stat));
}

static void test_mapping(void)
{
	struct mapping map;

	CHECK(parse_mapping("7f00-8f00 rw-s 00000000 00:0b 19                  /dmabuf:x", &map));
	CHECK(map.from == 0x7f00 && map.to == 0x8f00 && map.ino == 19);
	CHECK(map.major == 0 && map.minor == 11 && equal(map.prot, "rw-s"));
	CHECK(!parse_mapping("7f00-8f00 rw-s 00000000 00:0b", &map));
	CHECK(!parse_mapping("/dmabuf:", &map));
}

static void test_target(void)
{
	unsigned int major, minor;
	u64 ino;

	CHECK(parse_target("tfd:        8 events:       19 data: 8  pos:0 ino:2c sdev:b", &ino,
			   &major, &minor));
	CHECK(ino == 0x2c && major == 0 && minor == 11);
	CHECK(parse_target("tfd: 8 events: 19 data: 8  pos:0 ino:1 sdev:800001", &ino, &major,
			   &minor));
	CHECK(major == 8 && minor == 1);
	CHECK(!parse_target("tfd: 8 events: 19 data: 8  pos:0", &ino, &major, &minor));
	CHECK(!parse_target("pos:	0 ino:1 sdev:1", &ino, &major, &minor));
}

/* The name is the last line of a buffer's fdinfo, and anything may be in it. */
static void test_key(void)
{
	static const char text[] = "pos:\t0\nino:\t7\nsize:\t4096\ncount:\t2\nexp_name:\tdrm\n"
				   "name:\tx\nino:\t9\nsize:\t1\ncount:\t0\n";

	CHECK(equal(parse_key(text, "ino"), "7") && equal(parse_key(text, "size"), "4096"));
	CHECK(equal(parse_key(text, "count"), "2") && equal(parse_key(text, "name"), "x"));
	CHECK(!parse_key(text, "xp_name") && !parse_key(text, "nam") && !parse_key("", "ino"));
	CHECK(equal(parse_key("scm_fds: 3", "scm_fds"), "3"));
}

static void test_ring(void)
{
	CHECK(parse_ring("CQEs:\t0\nUserFiles:\t4\n    0: dmabuf\n    1: <none>\n    2: dmabufx\n"
			 "    3: dmabuf\nUserBufs:\t1\n    0: 0x0/1\n    1: dmabuf\n") == 2);
	CHECK(parse_ring("UserFiles:\t1\n    0: dmabuf\n") == 0);
	CHECK(parse_ring("x\nUserFiles:\t1\n    0: dmab") == 0);
	CHECK(parse_ring("") == 0);
}

static void test_sync_file(void)
{
	const struct node *sync, *fence;

	sync = parse_sync_file("pos:\t0\nsync_name:\ta\\040b\nsync_status:\tactive\nsync_by:\tf\n"
			       "sync_fences:\t2\nsync_fence:\tactive drv time\\040line 3:4\n"
			       "sync_fence:\terror=-5 drv t 3:5 12.5\n");
	CHECK(equal(value(sync, "name"), "a b") && equal(value(sync, "by"), "f"));
	CHECK(number(sync, "fences") == 2 && count_of(sync, "fence") == 2);
	fence = sync->child;
	CHECK(equal(value(fence, "timeline"), "time line") && equal(value(fence, "point"), "3:4"));
	CHECK(!value(fence, "signalled") && equal(value(fence->next, "signalled"), "12.5"));
	CHECK(!parse_sync_file("pos:\t0\nflags:\t02\n")->pairs);
}

/* -------------------------------------------------------------------- noise */

static u64 seed = 20240607;

static unsigned int random_below(unsigned int limit)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % limit;
}

/* A text with a few bytes changed, lost, or doubled. */
static char *spoil(const char *text)
{
	static const char bytes[] = "\n\n\t  \"\\=:()0179afdmbuf<>\377\001";
	size_t len = strlen(text), at, from, some;
	char *copy = take_text(text, len);
	int i;

	for (i = random_below(8); i >= 0; i--) {
		some = random_below(len / 2) + 1;
		at = random_below(len - some + 1);
		from = random_below(len - some + 1);
		if (random_below(4))
			copy[at] = bytes[random_below(sizeof(bytes) - 1)];
		else
			memmove(copy + at, copy + from, some);
	}
	copy[random_below(4) ? len : random_below(len)] = '\0';
	return copy;
}

static unsigned int feed_all(const char *text)
{
	struct stat_line stat;
	struct mapping map;
	struct event event;
	struct report r = { };
	unsigned int major, minor, lines = 1;
	char *copy, *line;
	u64 ino;

	parse_report(text, strlen(text), &r);
	r = (struct report) { };
	parse_bufinfo(text, strlen(text), &r);
	parse_stat(text, &stat);
	parse_key(text, "ino");
	parse_ring(text);
	parse_sync_file(text);
	for (copy = take_text(text, strlen(text)); (line = next_line(&copy)); lines++) {
		parse_mapping(line, &map);
		parse_target(line, &ino, &major, &minor);
		parse_stat(line, &stat);
		parse_event(line, &event);
	}
	return lines;
}

#define EVENT	"            demo-812     [001]  5123.456789: "

static void test_event(void)
{
	struct event e;

	CHECK(parse_event(EVENT "dma_buf_fd: exp_name=vb2 x size=4096 ino=19 fd=5", &e));
	CHECK(e.time > 5123.4 && e.time < 5123.5 && e.tid == 812 && equal(e.comm, "demo"));
	CHECK(equal(e.name, "dma_buf_fd") && equal(e.exporter, "vb2 x") && !e.device);
	CHECK(e.size == 4096 && e.ino == 19 && e.fd == 5);
	CHECK(parse_event(EVENT "dma_buf_pin: dev_name=a b exp_name=c size=1 ino=2 attach=f", &e));
	CHECK(equal(e.device, "a b") && equal(e.exporter, "c") && e.ino == 2 && e.fd == -1);
	CHECK(!parse_event("CPU:1 [LOST 12 EVENTS]", &e));
	CHECK(!parse_event(EVENT "dma_buf_fd: exp_name=vb2", &e));
	CHECK(!parse_event(EVENT "dma_buf_fd:  size=1 ino=2", &e));
	CHECK(!parse_event(EVENT "dma_buf_detach: dev_name=a size=1 ino=2 exp_name=b", &e));
}

/* A task may be called like an event, and an exporter like a number. */
static void test_event_forged(void)
{
	static const char event[] =
		" -9 [0] 1.0: a: -812 [000] 12.0: a_b: exp_name= size=7 ino=8 size=4096 ino=19";
	struct event e;
	size_t i;

	CHECK(parse_event(event, &e));
	CHECK(equal(e.comm, "-9 [0] 1.0: a: ") && e.tid == 812);
	CHECK(equal(e.name, "a_b") && e.size == 4096 && e.ino == 19);
	CHECK(equal(e.exporter, " size=7 ino=8"));
	for (i = 0; i < strlen(event) - 1; i++)
		CHECK(!parse_event(take_text(event, i), &e) || e.size == 7);
}

static void test_noise(unsigned long lines)
{
	static const char *const texts[] = {
		report, bufinfo, "\nUserFiles:\t2\n    0: dmabuf\n    1: <none>\n",
		"1 (x) S 1 12 12 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n",
		"7f00-8f00 rw-s 00000000 00:0b 19 /dmabuf:x\n",
		"tfd: 8 events: 19 data: 8  pos:0 ino:1 sdev:b\n",
		"sync_name:\ta\nsync_fence:\tactive drv line 3:4\n",
		EVENT "dma_buf_fd: exp_name=vb2 size=4096 ino=19 fd=5\n"
		EVENT "dma_buf_detach: dev_name=a exp_name=b size=1 ino=2 attach=f0\n",
	};
	struct arena here = { };
	unsigned long done = 0;

	while (done < lines) {
		arena = &here;
		done += feed_all(spoil(texts[random_below(ARRAY_SIZE(texts))]));
		arena_free(&here);
	}
}

int main(int argc, char **argv)
{
	struct arena here = { };

	arena = &here;
	test_report();
	test_report_versions();
	test_report_cut();
	test_report_forged();
	test_bufinfo();
	test_bufinfo_cut();
	test_bufinfo_forged();
	test_stat();
	test_mapping();
	test_target();
	test_key();
	test_ring();
	test_sync_file();
	test_event();
	test_event_forged();
	arena_free(&here);
	test_noise(argc > 1 ? strtoul(argv[1], NULL, 10) : 10000);
	printf("%u failed\n", failures);
	return failures > 0;
}
