/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model of the test "random": the state of the kernel once all buffers are gone
 */
#ifndef SELFTESTS_DMA_BUF_RANDOM_MODEL_H
#define SELFTESTS_DMA_BUF_RANDOM_MODEL_H

#include "random.h"

enum text {
	BUFINFO,
	REPORT,
	SYNC_INFO,
	NUM_TEXTS,
};

/**
 * struct model - what must be as it was before
 * @buffers: number of buffers, from sysfs
 * @bytes: their bytes
 * @pins: pages that are pinned
 * @entries: entries of the directory of statistics
 * @lines: lines of each file of debugfs
 */
struct model {
	long long buffers;
	long long bytes;
	long long pins;
	long entries;
	long lines[NUM_TEXTS];
};

void model_read(struct model *model);
bool model_same(const struct model *a, const struct model *b);
void model_wait(const struct model *want, struct model *got);
void model_explain(void);
void explain_hang(void);
long long free_memory(void);
long long total_memory(void);

#endif /* SELFTESTS_DMA_BUF_RANDOM_MODEL_H */
