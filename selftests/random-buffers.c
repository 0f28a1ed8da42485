// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on buffers, and on the memfds that some are made of
 */
#include "random.h"

#define MAX_PAGES	64

static size_t random_size(struct worker *w)
{
	return (1 + rnd(w, rnd(w, 4) ? 4 : MAX_PAGES)) * page_size();
}

static bool heap_allocate(struct worker *w)
{
	__u32 flags = rnd(w, 8) ? O_RDWR : O_RDONLY;

	return pool_add(w, BUFFERS, heap_alloc(random_size(w), flags | O_CLOEXEC));
}

/* More than there is, and to a place that cannot be written. */
static bool heap_refuse(struct worker *w)
{
	static const struct dma_heap_allocation_data readonly = { .len = 1 };
	int dev = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);
	struct dma_heap_allocation_data huge = { .len = 1ULL << 50 };
	bool refused;

	if (dev < 0)
		return false;
	refused = do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &huge) == -ENOMEM;
	refused &= do_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &readonly) == -EFAULT;
	close(dev);
	return refused;
}

static bool memfd_create_sealed(struct worker *w)
{
	return pool_add(w, MEMFDS, sealed_memfd(random_size(w)));
}

static bool memfd_write(struct worker *w)
{
	char data[100] = "written";

	return pwrite(pool_look(w, MEMFDS), data, sizeof(data),
		      rnd(w, 4) * page_size()) > 0;
}

static bool memfd_punch(struct worker *w)
{
	return !fallocate(pool_look(w, MEMFDS),
			  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  rnd(w, 4) * page_size(), (1 + rnd(w, 4)) * page_size());
}

static bool memfd_grow(struct worker *w)
{
	return !fallocate(pool_look(w, MEMFDS), 0, 0, random_size(w));
}

static bool memfd_close(struct worker *w)
{
	return !close(pool_take(w, MEMFDS));
}

static bool udmabuf_of_memfd(struct worker *w)
{
	return pool_add(w, BUFFERS, udmabuf_from(pool_look(w, MEMFDS),
						 (1 + rnd(w, 4)) * page_size(),
						 UDMABUF_FLAGS_CLOEXEC));
}

static bool udmabuf_of_list(struct worker *w)
{
	struct {
		struct udmabuf_create_list head;
		struct udmabuf_create_item item[4];
	} list = {
		.head.flags = UDMABUF_FLAGS_CLOEXEC,
		.head.count = 1 + rnd(w, 4),
	};
	unsigned int i;
	int dev, buf;

	for (i = 0; i < list.head.count; i++) {
		list.item[i].memfd = pool_look(w, MEMFDS);
		list.item[i].offset = rnd(w, 3) * page_size();
		list.item[i].size = (1 + rnd(w, 2)) * page_size();
	}
	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	buf = do_ioctl(dev, UDMABUF_CREATE_LIST, &list);
	close(dev);
	return pool_add(w, BUFFERS, buf);
}

static bool buffer_dup(struct worker *w)
{
	return pool_add(w, BUFFERS, fcntl(pool_look(w, BUFFERS), F_DUPFD_CLOEXEC, 0));
}

static bool buffer_close(struct worker *w)
{
	return !close(pool_take(w, BUFFERS));
}

/* May wait for fences, until a signal interrupts it. */
static bool buffer_sync(struct worker *w)
{
	__u64 access = 1 + rnd(w, 3);
	int buf = pool_look(w, BUFFERS);
	bool began;

	allow_signals();
	began = !sync_buffer(buf, DMA_BUF_SYNC_START | access);
	/* Without a begin, too. */
	sync_buffer(buf, DMA_BUF_SYNC_END | access);
	return began;
}

static bool buffer_set_name(struct worker *w)
{
	static const char * const names[] = {
		"", "name", "name\n\t\\x", "one of 31 letters, the longest",
	};

	return !set_name(pool_look(w, BUFFERS), names[rnd(w, 4)]);
}

static bool buffer_info(struct worker *w)
{
	struct dma_buf_info info = { .size = sizeof(info) };

	return !do_ioctl(pool_look(w, BUFFERS), DMA_BUF_IOCTL_INFO, &info);
}

static bool buffer_export_fences(struct worker *w)
{
	return pool_add(w, SYNC_FILES, export_fences(pool_look(w, BUFFERS), 1 + rnd(w, 3)));
}

static bool buffer_import_fences(struct worker *w)
{
	return !import_fences(pool_look(w, BUFFERS), 1 + rnd(w, 3),
			      pool_look(w, SYNC_FILES));
}

/* An argument that is not there, after whatever the call did before it looked. */
static bool buffer_fault(struct worker *w)
{
	static const unsigned long commands[] = {
		DMA_BUF_IOCTL_SYNC, DMA_BUF_SET_NAME, DMA_BUF_IOCTL_INFO,
		DMA_BUF_IOCTL_EXPORT_SYNC_FILE, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
	};
	static const struct dma_buf_export_sync_file readonly = { .flags = DMA_BUF_SYNC_RW };
	int buf = pool_look(w, BUFFERS);

	if (!rnd(w, 2))
		return do_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &readonly) == -EFAULT;
	return do_ioctl(buf, commands[rnd(w, 5)], (void *)1) == -EFAULT;
}

const struct operation buffer_operations[] = {
	{ "heap: allocate", heap_allocate, 12, HEAP },
	{ "heap: refused", heap_refuse, 1, HEAP },
	{ "memfd: create", memfd_create_sealed, 6, MEMFD },
	{ "memfd: write", memfd_write, 2, MEMFD },
	{ "memfd: punch", memfd_punch, 2, MEMFD },
	{ "memfd: grow", memfd_grow, 1, MEMFD },
	{ "memfd: close", memfd_close, 1, MEMFD },
	{ "udmabuf: create", udmabuf_of_memfd, 10, MEMFD },
	{ "udmabuf: create from list", udmabuf_of_list, 10, MEMFD },
	{ "buffer: dup", buffer_dup, 6, NOTHING },
	{ "buffer: close", buffer_close, 6, NOTHING },
	{ "buffer: sync", buffer_sync, 4, NOTHING },
	{ "buffer: set name", buffer_set_name, 6, NOTHING },
	{ "buffer: info", buffer_info, 3, NOTHING },
	{ "buffer: export fences", buffer_export_fences, 10, NOTHING },
	{ "buffer: import fences", buffer_import_fences, 12, NOTHING },
	{ "buffer: fault", buffer_fault, 3, NOTHING },
	{ }
};
