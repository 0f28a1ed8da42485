// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding a leak, finding a hang: the examples of the book. Each makes the situation,
 * runs the commands of a text in finding/, and compares what they print with what the
 * text says. The book includes the same texts.
 *
 * In a text, "# " begins a command, and all other lines are its output; "..." stands for
 * any lines. Numbers may differ, but for those that name a culprit.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <sys/wait.h>

#include "common.h"

#define REPORT		DEBUGFS "/dma_buf/report"
#define BUF_SIZE	(1024 * 1024)
#define OUTPUT_SIZE	65536
#define LINE		512

/* Commands of tests/fence_device.c. */
#define FENCE_TEST_CREATE	_IO('F', 0)
#define FENCE_TEST_LOSE		_IO('F', 3)
#define FENCE_FULL		1

#define TEXT(name)								\
	asm(".pushsection .rodata\n" #name ": .incbin \"finding/" #name ".txt\"\n"	\
	    ".byte 0\n.popsection\n");						\
	extern const char name[] __attribute__((visibility("hidden")))

TEXT(sync_files);
TEXT(driver);
TEXT(nobody);
TEXT(lost);

/* ------------------------------------------------------------------ the texts */

/* The value in the text, in place of one that differs between machines. */
struct known {
	char shown[32];
	char real[32];		/* a pattern of fnmatch(3) */
};

FIXTURE(finding)
{
	struct known known[8];
	int knowns;
	char *output;
	pid_t child[2];
};

/* Functions, too: what a compiler inlines has the name of its caller. */
static void know(FIXTURE_DATA(finding) *self, const char *shown, const char *real)
{
	struct known *known = &self->known[self->knowns++];

	snprintf(known->shown, sizeof(known->shown), "%s", shown);
	snprintf(known->real, sizeof(known->real), "%s", real);
}

static void know_number(FIXTURE_DATA(finding) *self, const char *shown, unsigned long real)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", real);
	know(self, shown, text);
}

/* Words and numbers, be it with a point or a unit. */
static size_t token_length(const char *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s[len]) || s[len] == '_' || s[len] == '.')
		len++;
	return len;
}

static const char *real_of(FIXTURE_DATA(finding) *self, const char *shown, size_t len)
{
	int i;

	for (i = 0; i < self->knowns; i++)
		if (strlen(self->known[i].shown) == len &&
		    !strncmp(self->known[i].shown, shown, len))
			return self->known[i].real;
	return NULL;
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789.");
}

/* A number may be a part of a name, as the context in that of a sync file. */
static bool same_but_numbers(const char *shown, const char *shown_end, const char *got,
			     const char *got_end)
{
	while (shown < shown_end && got < got_end) {
		if (isdigit((unsigned char)*shown) && isdigit((unsigned char)*got)) {
			shown += digits(shown);
			got += digits(got);
		} else if (*shown++ != *got++) {
			return false;
		}
	}
	return shown == shown_end && got == got_end;
}

static bool same_token(FIXTURE_DATA(finding) *self, const char *shown, size_t shown_len,
		       const char *got, size_t got_len)
{
	const char *real = real_of(self, shown, shown_len);
	char token[LINE];

	if (real) {
		snprintf(token, sizeof(token), "%.*s", (int)got_len, got);
		return !fnmatch(real, token, 0);
	}
	return same_but_numbers(shown, shown + shown_len, got, got + got_len);
}

/* Behind the name of a function may be that of its module. */
static size_t module_length(const char *s)
{
	size_t len = strspn(s, " ");

	if (!len || s[len] != '[')
		return 0;
	len += 1 + token_length(s + len + 1);
	return s[len] == ']' ? len + 1 : 0;
}

/* Any blanks are as good as any others. */
static bool same_line(FIXTURE_DATA(finding) *self, const char *shown, const char *got)
{
	size_t shown_len, got_len;

	while (*shown && *got) {
		if (!module_length(shown))
			got += module_length(got);
		shown_len = token_length(shown);
		got_len = token_length(got);
		if (shown_len && got_len) {
			if (!same_token(self, shown, shown_len, got, got_len))
				return false;
		} else if (isblank((unsigned char)*shown) && isblank((unsigned char)*got)) {
			shown_len = strspn(shown, " \t");
			got_len = strspn(got, " \t");
		} else if (*shown == *got) {
			shown_len = 1;
			got_len = 1;
		} else {
			return false;
		}
		shown += shown_len;
		got += got_len;
	}
	return !shown[strspn(shown, " \t")] && !got[strspn(got, " \t")];
}

/* A command with the real numbers. */
static void real_command(FIXTURE_DATA(finding) *self, const char *shown, char *command)
{
	const char *real;
	size_t len;

	*command = '\0';
	for (; *shown; shown += len) {
		len = token_length(shown);
		real = len ? real_of(self, shown, len) : NULL;
		len += !len;
		snprintf(command + strlen(command), LINE - strlen(command), "%.*s",
			 real ? (int)strlen(real) : (int)len, real ?: shown);
	}
}

static void run_command(struct __test_metadata *_metadata, FIXTURE_DATA(finding) *self,
			const char *shown)
{
	char command[LINE];
	size_t len;
	FILE *pipe;

	real_command(self, shown, command);
	pipe = popen(command, "r");
	ASSERT_NE(NULL, pipe);
	len = fread(self->output, 1, OUTPUT_SIZE - 1, pipe);
	self->output[len] = '\0';
	TH_LOG("%s\n%s", command, self->output);
	/* 1 is for what has found nothing. */
	EXPECT_GT(2, WEXITSTATUS(pclose(pipe)));
}

/* Cuts the first line off and returns it, or NULL. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = strchrnul(line, '\n');
	*text = end + !!*end;
	*end = '\0';
	return line;
}

static void check_rest(struct __test_metadata *_metadata, char *rest, bool any)
{
	EXPECT_TRUE(any || !*rest)
		TH_LOG("more than in the text: %s", rest);
}

static void check_line(struct __test_metadata *_metadata, FIXTURE_DATA(finding) *self,
		       const char *shown, char **rest, bool any)
{
	char *got;

	do {
		got = next_line(rest);
	} while (got && any && !same_line(self, shown, got));
	EXPECT_TRUE(got && same_line(self, shown, got))
		TH_LOG("not there: %s", shown);
}

static void run_text(struct __test_metadata *_metadata, FIXTURE_DATA(finding) *self,
		     const char *text)
{
	char *copy = strdup(text), *lines = copy, *rest = self->output, *line;
	bool any = false;

	ASSERT_NE(NULL, copy);
	*rest = '\0';
	while ((line = next_line(&lines))) {
		if (!strncmp(line, "# ", 2)) {
			check_rest(_metadata, rest, any);
			run_command(_metadata, self, line + 2);
			rest = self->output;
			any = false;
		} else if (!strcmp(line, "...")) {
			any = true;
		} else {
			check_line(_metadata, self, line, &rest, any);
			any = false;
		}
	}
	check_rest(_metadata, rest, any);
	free(copy);
}

/* ----------------------------------------------------------------- processes */

/* The tool stands next to this program, and commands find it there. */
static bool find_tool(void)
{
	const char *tool = next_to_us("dmabuf"), *end = strrchr(tool, '/');
	char paths[1200];

	if (!end || access(tool, X_OK))
		return false;
	snprintf(paths, sizeof(paths), "%.*s:%s", (int)(end - tool), tool,
		 getenv("PATH") ?: "/bin");
	return !setenv("PATH", paths, 1);
}

/*
 * A process of that name that has one descriptor of ours or none, as number 3. It does
 * something, then tells a number, and does something else for ever.
 */
struct part {
	const char *name;
	long (*prepare)(void);
	void (*go_on)(void);
};

#define SHARED_FD	3

static void play(const struct part *part, int shared, int report)
{
	long number;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, part->name);
	report = fcntl(report, F_DUPFD, 250);
	if (shared >= 0)
		dup2(shared, SHARED_FD);
	for (fd = SHARED_FD + (shared >= 0); fd < 250; fd++)
		close(fd);
	number = part->prepare();
	if (write(report, &number, sizeof(number)) != sizeof(number))
		_exit(1);
	close(report);
	for (;;)
		part->go_on();
}

static pid_t start_part(struct __test_metadata *_metadata, const struct part *part,
			int shared, long *number)
{
	int report[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(report, O_CLOEXEC));
	pid = fork();
	if (!pid)
		play(part, shared, report[1]);
	ASSERT_LT(0, pid);
	close(report[1]);
	ASSERT_EQ((ssize_t)sizeof(*number), read(report[0], number, sizeof(*number)));
	close(report[0]);
	ASSERT_LE(0, *number)
		TH_LOG("%s: %s", part->name, strerror(-*number));
	return pid;
}

static void sleep_on(void)
{
	pause();
}

FIXTURE_SETUP(finding)
{
	if (!find_tool())
		SKIP(return, "no dmabuf next to the program (make -C tools/dma-buf)");
	if (access(REPORT, R_OK))
		SKIP(return, "no report (CONFIG_DEBUG_FS, mounted debugfs, root)");
	self->output = malloc(OUTPUT_SIZE);
	ASSERT_NE(NULL, self->output);
	/* We make the buffers, as a service does on some systems. */
	prctl(PR_SET_NAME, "allocator");
	know(self, "heap_buffer_allocate", "*heap*");
	know(self, "dma_buf_ioctl", "dma_buf_*");
	know(self, "drm_gem_prime_import_dev", "drm_gem_*");
}

FIXTURE_TEARDOWN(finding)
{
	int i;

	for (i = 0; i < 2; i++)
		if (self->child[i] > 0) {
			kill(self->child[i], SIGKILL);
			waitpid(self->child[i], NULL, 0);
		}
	free(self->output);
}

static int new_buffer(struct __test_metadata *_metadata, const char *name)
{
	int buf = heap_alloc(BUF_SIZE, O_RDWR | O_CLOEXEC);

	if (buf == -ENODEV)
		SKIP(return -1, "no system heap (CONFIG_DMABUF_HEAPS_SYSTEM)");
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, set_name(buf, name));
	return buf;
}

/* ------------------------------------------- a process that leaks sync files */

static int panel_timeline;

/* One frame: a program draws, and never closes the sync file of that. */
static long panel_draw(void)
{
	static int frame;
	int fence = timeline_fence(panel_timeline, ++frame), done;

	if (fence < 0)
		return fence;
	if (import_fences(SHARED_FD, DMA_BUF_SYNC_WRITE, fence))
		return -errno;
	close(fence);
	done = export_fences(SHARED_FD, DMA_BUF_SYNC_READ);
	timeline_advance(panel_timeline, 1);
	return done;
}

static long panel_prepare(void)
{
	panel_timeline = open(DEBUGFS "/sync/sw_sync", O_RDWR | O_CLOEXEC);
	return panel_draw();
}

static void panel_go_on(void)
{
	sleep_ms(50);
	panel_draw();
}

static const struct part panel = { "panel", panel_prepare, panel_go_on };

TEST_F(finding, process_that_leaks_sync_files)
{
	int timeline = setup_timeline(_metadata), buf;
	long fd;

	if (timeline < 0)
		return;
	buf = new_buffer(_metadata, "window");
	if (buf < 0)
		return;
	self->child[0] = start_part(_metadata, &panel, buf, &fd);
	close(buf);
	know_number(self, "2101", self->child[0]);
	know_number(self, "5", fd);
	run_text(_metadata, self, sync_files);
}

/* ------------------------------------------- a buffer that only a driver holds */

/* The descriptor is closed, the handle that it has been imported as is not. */
static long camera_prepare(void)
{
	int drm = drm_open("vgem");
	__u32 handle;
	int ret;

	if (drm < 0)
		return drm;
	ret = drm_import(drm, SHARED_FD, &handle);
	if (ret)
		return ret;
	close(SHARED_FD);
	return drm;
}

static const struct part camera = { "camera", camera_prepare, sleep_on };

TEST_F(finding, buffer_that_only_a_driver_holds)
{
	int drm = setup_drm(_metadata, "vgem"), buf;
	long fd;

	if (drm < 0)
		return;
	close(drm);
	buf = new_buffer(_metadata, "preview");
	if (buf < 0)
		return;
	know_number(self, "19", buffer_ino(buf));
	self->child[0] = start_part(_metadata, &camera, buf, &fd);
	close(buf);
	know_number(self, "611", getpid());
	know_number(self, "812", self->child[0]);
	know_number(self, "4", fd);
	know(self, "card0", "card*");
	run_text(_metadata, self, driver);
}

/* ------------------------------------------------ a fence that never signals */

/* It says that it will draw, and does not. */
static long game_prepare(void)
{
	int timeline = open(DEBUGFS "/sync/sw_sync", O_RDWR | O_CLOEXEC);
	int fence = timeline_fence(timeline, 1);

	if (fence < 0 || import_fences(SHARED_FD, DMA_BUF_SYNC_WRITE, fence))
		return -EIO;
	return fence;
}

static const struct part game = { "game", game_prepare, sleep_on };

static long shell_prepare(void)
{
	return 0;
}

static void shell_go_on(void)
{
	sync_buffer(SHARED_FD, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	sleep_ms(10000);
}

static const struct part shell = { "shell", shell_prepare, shell_go_on };

TEST_F(finding, fence_that_nobody_signals)
{
	int timeline = setup_timeline(_metadata), buf;
	long fd, ready;

	if (timeline < 0)
		return;
	buf = new_buffer(_metadata, "window");
	if (buf < 0)
		return;
	know_number(self, "19", buffer_ino(buf));
	self->child[0] = start_part(_metadata, &game, buf, &fd);
	self->child[1] = start_part(_metadata, &shell, buf, &ready);
	close(buf);
	know_number(self, "9021", self->child[0]);
	know_number(self, "611", self->child[1]);
	know_number(self, "702", getpid());
	know_number(self, "5", fd);
	sleep_ms(1500);
	run_text(_metadata, self, nobody);
}

/* ------------------------------------------------------------ a lost interrupt */

TEST_F(finding, text_about_a_lost_interrupt_is_true)
{
	int device, fence, buf;
	long ready;

	if (!load_module(_metadata, "FENCE_DEVICE_MODULE", "fence_device"))
		SKIP(return, "no module fence_device (CONFIG_DMABUF_FENCE_TEST)");
	buf = new_buffer(_metadata, "window");
	if (buf < 0)
		return;
	device = open("/dev/dmabuf_fence_test", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, device);
	fence = ioctl(device, FENCE_TEST_CREATE, FENCE_FULL);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, import_fences(buf, DMA_BUF_SYNC_WRITE, fence));
	close(fence);
	know_number(self, "19", buffer_ino(buf));
	self->child[0] = start_part(_metadata, &shell, buf, &ready);
	close(buf);
	know_number(self, "611", self->child[0]);
	sleep_ms(1500);
	/* The device is done, and the driver is not told. */
	ASSERT_EQ(0, ioctl(device, FENCE_TEST_LOSE));
	run_text(_metadata, self, lost);
}

TEST_HARNESS_MAIN
