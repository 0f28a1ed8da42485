// SPDX-License-Identifier: GPL-2.0
/* top: processes by memory. */
#include <stdlib.h>

#include "dmabuf.h"

static int compare_accounts(const void *a, const void *b)
{
	const struct account *left = a, *right = b;

	if (left->share != right->share)
		return left->share < right->share ? 1 : -1;
	return left->sync_files < right->sync_files ? 1 : -1;
}

static void account_holds(const struct buffer *buf)
{
	const struct hold *hold;

	for_each(hold, buf->holds) {
		if (!is_process_hold(hold))
			continue;
		hold->space->task->account->fds += hold->kind == HOLD_FD;
		hold->space->task->account->maps += hold->kind == HOLD_MAP;
	}
}

/* Equal shares whose sum is the size. The size of a buffer without a process: @nobody. */
static void account_buffer(const struct buffer *buf, struct account *nobody)
{
	unsigned int i, n = holders_of(buf, NULL, 0), shares = n ? n : 1;
	struct task **tasks = take(shares * sizeof(struct task *));
	struct account *account;

	holders_of(buf, tasks, n);
	for (i = 0; i < shares; i++) {
		account = n ? tasks[i]->account : nobody;
		account->buffers++;
		account->total += buf->size;
		account->share += buf->size / shares + (i < buf->size % shares);
	}
	account_holds(buf);
}

/* All that have something, the largest share first. */
struct account *accounts_of(const struct snapshot *snap, size_t *count)
{
	const struct sync_file *sync;
	const struct buffer *buf;
	struct account *accounts;
	struct task *task;
	size_t i, n = 1;

	for_each(task, snap->tasks)
		n++;
	accounts = take(n * sizeof(*accounts));
	n = 1;
	for_each(task, snap->tasks) {
		task->account = &accounts[n++];
		task->account->task = task;
	}
	for_each(buf, snap->buffers)
		account_buffer(buf, accounts);
	for_each(sync, snap->sync_files)
		sync->space->task->account->sync_files++;
	*count = 0;
	for (i = 0; i < n; i++)
		if (accounts[i].buffers || accounts[i].sync_files)
			accounts[(*count)++] = accounts[i];
	qsort(accounts, *count, sizeof(*accounts), compare_accounts);
	return accounts;
}

static void top_row(struct table *table, const struct account *account)
{
	const char *const cells[] = {
		human_size(account->share), human_size(account->total),
		format("%u", account->buffers), format("%u", account->fds),
		format("%u", account->maps), format("%u", account->sync_files),
		account->task ? who_is(account->task) : "no process",
	};

	table_row(table, account->task ? COLOR_NONE : COLOR_DIM, cells);
}

int show_top(struct snapshot *snap)
{
	static const char *const head[] = { "SHARE", "TOTAL", "BUFFERS", "FDS", "MAPS",
					    "SYNC FILES", "PROCESS" };
	struct table table = { .align = ">>>>>><" };
	struct account *accounts;
	size_t i, count;

	accounts = accounts_of(snap, &count);
	table_row(&table, COLOR_BOLD, head);
	for (i = 0; i < count; i++)
		top_row(&table, &accounts[i]);
	table_print(&table);
	show_total(snap);
	return count ? EXIT_DONE : EXIT_NOTHING;
}
