/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An exporter for tests: it writes down every call of the buffer core, fails
 * where it is told to and checks the lock state of each callback.
 */
#ifndef _DMA_BUF_TESTS_MOCK_EXPORTER_H
#define _DMA_BUF_TESTS_MOCK_EXPORTER_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/debug_locks.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>

#define MOCK_EXPORTER_NAME	"mock-exporter"
#define MOCK_EXPORTER_PAGES	3
#define MOCK_EXPORTER_SIZE	(MOCK_EXPORTER_PAGES * PAGE_SIZE)

/**
 * enum mock_op - callbacks of an exporter
 * @MOCK_ATTACH: attach
 * @MOCK_DETACH: detach
 * @MOCK_PIN: pin
 * @MOCK_UNPIN: unpin
 * @MOCK_MAP: map_dma_buf
 * @MOCK_TRY_MAP: try_map_dma_buf
 * @MOCK_UNMAP: unmap_dma_buf
 * @MOCK_RELEASE: release
 * @MOCK_BEGIN: begin_cpu_access
 * @MOCK_END: end_cpu_access
 * @MOCK_MMAP: mmap
 * @MOCK_VMAP: vmap
 * @MOCK_VUNMAP: vunmap
 * @MOCK_NUM_OPS: number of callbacks
 */
enum mock_op {
	MOCK_ATTACH,
	MOCK_DETACH,
	MOCK_PIN,
	MOCK_UNPIN,
	MOCK_MAP,
	MOCK_TRY_MAP,
	MOCK_UNMAP,
	MOCK_RELEASE,
	MOCK_BEGIN,
	MOCK_END,
	MOCK_MMAP,
	MOCK_VMAP,
	MOCK_VUNMAP,
	MOCK_NUM_OPS,
};

struct mock_exporter;

/**
 * struct mock_call - what is known about the calls of one callback
 * @count: how often it was called
 * @locked: the reservation was locked in the last call
 * @held: in the last call lockdep knew the caller as the owner of that lock
 * @dir: direction of the last call, where there is one
 * @attach: attachment of the last call, where there is one
 */
struct mock_call {
	unsigned int count;
	bool locked;
	bool held;
	enum dma_data_direction dir;
	struct dma_buf_attachment *attach;
};

/**
 * struct mock_exporter - one exporter of at most one buffer
 * @test: case that owns it
 * @info: how mock_exporter_export() exports
 * @ops: operations named by @info, all but pin, unpin and try_map_dma_buf set;
 *	change them at will
 * @buf: the exported buffer until it is released
 * @exported: there is or was a buffer
 * @vaddr: the bytes behind the buffer, %MOCK_EXPORTER_SIZE of them
 * @fail: errno to return, by callback; 0 for success
 * @map_null: map_dma_buf and try_map_dma_buf return NULL
 * @no_entries: tables have segments for DMA, but no entries for the CPU
 * @iomem: vmap hands out an I/O mapping
 * @any_lock: do not check lock states, the case breaks the rules on purpose
 * @hook: called in every callback after it was written down, may be NULL
 * @hook_data: for @hook
 * @trace: names of the callbacks so far, in order, separated by blanks
 * @calls: details by callback
 * @sgt: table handed out last
 * @unmapped_sgt: table that came back last; freed, for comparison only
 * @pins: pin minus unpin
 * @maps: map_dma_buf and try_map_dma_buf minus unmap_dma_buf
 * @released: completed by release
 */
struct mock_exporter {
	struct kunit *test;
	struct dma_buf_export_info info;
	struct dma_buf_ops ops;
	struct dma_buf *buf;
	bool exported;
	void *vaddr;
	int fail[MOCK_NUM_OPS];
	bool map_null;
	bool no_entries;
	bool iomem;
	bool any_lock;
	void (*hook)(struct mock_exporter *exp, enum mock_op op,
		     struct dma_buf_attachment *attach);
	void *hook_data;
	char trace[256];
	struct mock_call calls[MOCK_NUM_OPS];
	struct sg_table *sgt;
	struct sg_table *unmapped_sgt;
	int pins;
	int maps;
	struct completion released;
};

struct mock_exporter *mock_exporter_create(struct kunit *test);
void mock_exporter_make_dynamic(struct mock_exporter *exp);
void mock_exporter_make_trying(struct mock_exporter *exp);
struct dma_buf *mock_exporter_export(struct mock_exporter *exp);
void mock_exporter_put(struct mock_exporter *exp);
void mock_exporter_disown(struct mock_exporter *exp);
bool mock_exporter_wait_released(struct mock_exporter *exp);
/**
 * mock_lockdep_works() - may lockdep be asked who holds a lock?
 *
 * Return: false without lockdep and after its first complaint, which turns it off.
 */
static inline bool mock_lockdep_works(void)
{
	return IS_ENABLED(CONFIG_LOCKDEP) && debug_locks;
}

void mock_exporter_check_table(struct mock_exporter *exp, struct sg_table *sgt);
bool mock_op_wants_resv(enum mock_op op);
const char *mock_op_name(enum mock_op op);

void mock_take_resv(struct mock_exporter *exp, enum mock_op op,
		    struct dma_buf_attachment *attach);

struct dma_buf *mock_buf_create(struct kunit *test);
struct mock_exporter *mock_exporter_exported(struct kunit *test);

/* for suites whose cases begin with an exporter in test->priv, and nothing else */
int mock_exporter_init(struct kunit *test);
struct dma_buf *mock_export(struct kunit *test);

/**
 * mock_ino() - inode number of a buffer
 * @buf: buffer
 *
 * Return: the number.
 */
static inline unsigned long mock_ino(struct dma_buf *buf)
{
	return file_inode(buf->file)->i_ino;
}

/**
 * mock_ioctl() - call the buffer as user space does
 * @buf: buffer
 * @cmd: command
 * @arg: address in user memory
 *
 * Return: what the call returns.
 */
static inline long mock_ioctl(struct dma_buf *buf, unsigned int cmd, const void __user *arg)
{
	return buf->file->f_op->unlocked_ioctl(buf->file, cmd, (unsigned long)arg);
}

/**
 * struct mock_direction - parameter of cases that run for each direction
 * @desc: name
 * @dir: direction
 */
struct mock_direction {
	const char *desc;
	enum dma_data_direction dir;
};

static const struct mock_direction mock_directions[] __maybe_unused = {
	{ "to device", DMA_TO_DEVICE },
	{ "from device", DMA_FROM_DEVICE },
	{ "bidirectional", DMA_BIDIRECTIONAL },
};

/**
 * mock_expect_trace() - compare the calls since the last time with a list
 * @exp: exporter
 * @want: expected names in order, separated by blanks
 */
#define mock_expect_trace(exp, want) do {				\
	struct mock_exporter *__exp = (exp);				\
									\
	KUNIT_EXPECT_STREQ(__exp->test, __exp->trace, want);		\
	__exp->trace[0] = '\0';						\
} while (0)

#endif /* _DMA_BUF_TESTS_MOCK_EXPORTER_H */
