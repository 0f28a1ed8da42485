// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains: timelines whose points are fences.
 *
 * To change here: how a chain is walked and pruned, how a node waits for its
 * elements, and how it is freed. The structure is in linux/dma-fence-chain.h.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "dma-fence-internal.h"

/**
 * DOC: fence chains
 *
 * A chain is a timeline whose points user space chooses, as Vulkan's timeline
 * semaphores have them. Each node, &struct dma_fence_chain, contains a fence and
 * has a link to the next older element. A node signals when what it contains and
 * all older elements have signalled, so waiting for a point is waiting for its
 * node, even if work finishes out of order.
 *
 * The fence in a node is a plain one or an array. The link leads to a node or, at
 * the end, to a plain fence or an array. The node owns a reference on either.
 *
 * A walk of a chain removes elements whose work is done, so that a timeline that
 * is used for hours stays short. Any number of tasks may walk at the same time: a
 * link changes by cmpxchg() only, and a task whose cmpxchg() fails reads the new
 * link.
 *
 * A node whose signalling is enabled has one callback on one fence at a time. When
 * that fence signals, an &struct irq_work adds the callback to the next pending one,
 * or signals the node.
 * Errors of the fences in a chain stay with them; the owner of a node may set one
 * on it.
 */

static struct dma_fence *dma_fence_chain_get_prev(struct dma_fence_chain *chain)
{
	guard(rcu)();

	return dma_fence_get_rcu_safe(&chain->prev);
}

/* Look at the fence in the element only: the older elements stay in the chain. */
static bool dma_fence_chain_element_done(struct dma_fence *element)
{
	return dma_fence_is_signaled(dma_fence_chain_contained(element));
}

/*
 * Remove an element whose work is done from the chain, and go on to the next older one.
 * Consumes the reference on @prev. Returns that element with a reference, NULL at the
 * end. If another task has changed the link meanwhile, it stays as it is, and is read
 * again.
 */
static struct dma_fence *dma_fence_chain_skip(struct dma_fence_chain *chain,
					      struct dma_fence *prev)
{
	struct dma_fence_chain *prev_chain = to_dma_fence_chain(prev);
	struct dma_fence *older = NULL;

	if (prev_chain)
		older = dma_fence_chain_get_prev(prev_chain);

	/* One reference for the link, one for the caller: the link may change at once. */
	dma_fence_get(older);
	if (unrcu_pointer(cmpxchg(&chain->prev, RCU_INITIALIZER(prev),
				  RCU_INITIALIZER(older))) == prev) {
		dma_fence_put(prev);
		dma_fence_put(prev);
		return older;
	}

	dma_fence_put(older);
	dma_fence_put(older);
	dma_fence_put(prev);
	return dma_fence_chain_get_prev(chain);
}

/**
 * dma_fence_chain_walk() - go to the next older element
 * @fence: element with a reference, which is consumed
 *
 * For dma_fence_chain_for_each(). Elements in between that have signalled are
 * removed from the chain, and may be freed by that.
 *
 * Context: Any, as for dma_fence_is_signaled(). Safe against concurrent walks.
 * Return: next older element that is worth a visit, with a reference; NULL at
 * the end, and for a fence that is not a node.
 */
struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence *prev = NULL;

	if (chain) {
		prev = dma_fence_chain_get_prev(chain);
		while (prev && dma_fence_chain_element_done(prev))
			prev = dma_fence_chain_skip(chain, prev);
	}

	dma_fence_put(fence);
	return prev;
}
EXPORT_SYMBOL(dma_fence_chain_walk);

/**
 * dma_fence_chain_older() - go to the next older element, whatever its state
 * @fence: element with a reference, which is consumed
 *
 * Unlike dma_fence_chain_walk() this asks no driver and changes nothing.
 *
 * Context: Any. Safe against concurrent walks.
 * Return: next older element with a reference, NULL at the end.
 */
struct dma_fence *dma_fence_chain_older(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence *older = NULL;

	if (chain)
		older = dma_fence_chain_get_prev(chain);

	dma_fence_put(fence);
	return older;
}

/* Does the completion of an element tell that a point has been reached? */
static bool dma_fence_chain_stands_for(struct dma_fence *fence, u64 context,
				       u64 seqno)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);

	return !chain || fence->context != context || chain->prev_seqno < seqno;
}

/**
 * dma_fence_chain_find_seqno() - find what to wait for to reach a point
 * @pfence: newest node of the timeline, with a reference; the result
 * @seqno: the point; 0 is reached by definition
 *
 * A point that was never added is reached with the next later one. If the node of
 * the point has been removed since its work is done, the result is an older
 * element, or NULL if there is none: the point has been reached.
 *
 * Context: Any, as for dma_fence_is_signaled().
 * Return:
 * * 0 - @pfence is the element, with a reference that replaces the former one,
 *   or unchanged if @seqno is 0; it may be NULL
 * * %-EINVAL - not a node, or @seqno is not on the timeline yet; @pfence is
 *   unchanged
 */
int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno)
{
	struct dma_fence *head = *pfence;
	struct dma_fence *fence;

	if (!seqno)
		return 0;

	if (!to_dma_fence_chain(head) || head->seqno < seqno)
		return -EINVAL;

	dma_fence_chain_for_each(fence, head) {
		if (dma_fence_chain_stands_for(fence, head->context, seqno))
			break;
	}

	*pfence = fence;
	dma_fence_put(head);

	return 0;
}
EXPORT_SYMBOL(dma_fence_chain_find_seqno);

static const char *dma_fence_chain_driver_name(struct dma_fence *fence)
{
	return "dma_fence_chain";
}

static const char *dma_fence_chain_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

static void dma_fence_chain_contained_signaled(struct dma_fence *fence,
					       struct dma_fence_cb *cb);

/*
 * Add the callback to the first fence that is pending. The callback owns a reference
 * on the node, and one on the fence, since the element around that may be removed
 * from the chain. Returns false if nothing is pending any more.
 */
static bool dma_fence_chain_add_callback(struct dma_fence_chain *chain)
{
	struct dma_fence *iter;

	dma_fence_get(&chain->base);
	dma_fence_chain_for_each(iter, &chain->base) {
		struct dma_fence *fence = dma_fence_chain_contained(iter);

		dma_fence_get(fence);
		if (!dma_fence_add_callback(fence, &chain->cb,
					    dma_fence_chain_contained_signaled)) {
			dma_fence_put(iter);
			return true;
		}
		dma_fence_put(fence);
	}
	dma_fence_put(&chain->base);

	return false;
}

/*
 * The callback that is added here may run at once, on another CPU, and turn the same
 * memory into a new work, before irq_work_single(), the caller of this function, has
 * finished with the old one. irq_work_single() clears a busy flag by cmpxchg(). That
 * is harmless: no task waits for this flag of a new work, and in a callback the flag
 * overlaps the lower half of an aligned pointer, which never has the value that
 * cmpxchg() expects (see &struct dma_fence_chain for machines where it is the upper
 * half). irq_work_single() then wakes the list of tasks in the old work, which lies
 * behind the callback in memory, so the callback does not overwrite it.
 */
static void dma_fence_chain_work(struct irq_work *work)
{
	static_assert(offsetof(struct irq_work, irqwait) >=
		      sizeof(struct dma_fence_cb));
	struct dma_fence_chain *chain = container_of(work,
						     struct dma_fence_chain,
						     work);

	if (!dma_fence_chain_add_callback(chain))
		dma_fence_signal(&chain->base);

	dma_fence_put(&chain->base);
}

/* Runs under the lock of the fence, where the chain must not be walked. */
static void dma_fence_chain_contained_signaled(struct dma_fence *fence,
					       struct dma_fence_cb *cb)
{
	struct dma_fence_chain *chain = container_of(cb, struct dma_fence_chain,
						     cb);

	init_irq_work(&chain->work, dma_fence_chain_work);
	irq_work_queue(&chain->work);

	/* Not the last reference: the signaller holds one. */
	dma_fence_put(fence);
}

/**
 * dma_fence_chain_of_cb() - does a callback belong to a node of a chain?
 * @cb: callback of a fence whose lock the caller holds
 *
 * Context: Any.
 * Return: the node, without a reference; NULL if the callback does something else.
 */
struct dma_fence *dma_fence_chain_of_cb(struct dma_fence_cb *cb)
{
	if (cb->func != dma_fence_chain_contained_signaled)
		return NULL;

	return &container_of(cb, struct dma_fence_chain, cb)->base;
}

static bool dma_fence_chain_enable_signaling(struct dma_fence *fence)
{
	return dma_fence_chain_add_callback(to_dma_fence_chain(fence));
}

static bool dma_fence_chain_signaled(struct dma_fence *fence)
{
	struct dma_fence *iter;

	dma_fence_chain_for_each(iter, fence) {
		if (!dma_fence_chain_element_done(iter)) {
			dma_fence_put(iter);
			return false;
		}
	}

	return true;
}

static void dma_fence_chain_set_deadline(struct dma_fence *fence,
					 ktime_t deadline)
{
	struct dma_fence *iter;

	dma_fence_chain_for_each(iter, fence)
		dma_fence_set_deadline(dma_fence_chain_contained(iter),
				       deadline);
}

/* Clear and return the link of a node that no other task can reach. */
static struct dma_fence *dma_fence_chain_detach(struct dma_fence_chain *chain)
{
	return unrcu_pointer(xchg(&chain->prev, NULL));
}

/*
 * Drop a chain without recursion: if we hold the last reference on a node, clear its
 * link before the put. An RCU reader with an old pointer to the node may still take a
 * reference, see that the pointer has changed, and drop it again, see
 * dma_fence_get_rcu_safe(). If that put is the last one, it finds a node without a
 * link.
 */
static void dma_fence_chain_put_all(struct dma_fence *fence)
{
	struct dma_fence_chain *chain;

	while ((chain = to_dma_fence_chain(fence))) {
		struct dma_fence *older;

		/* kref has no such function. */
		if (refcount_dec_not_one(&fence->refcount.refcount))
			return;

		older = dma_fence_chain_detach(chain);
		dma_fence_put(fence);
		fence = older;
	}

	dma_fence_put(fence);
}

static void dma_fence_chain_release(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);

	/* A task that reads the link has a reference on the chain. */
	dma_fence_chain_put_all(rcu_dereference_protected(chain->prev, true));
	dma_fence_put(chain->fence);
	dma_fence_free(fence);
}

const struct dma_fence_ops dma_fence_chain_ops = {
	.use_64bit_seqno = true,
	.get_driver_name = dma_fence_chain_driver_name,
	.get_timeline_name = dma_fence_chain_timeline_name,
	.set_deadline = dma_fence_chain_set_deadline,
	.enable_signaling = dma_fence_chain_enable_signaling,
	.signaled = dma_fence_chain_signaled,
	.release = dma_fence_chain_release,
};
EXPORT_SYMBOL(dma_fence_chain_ops);

/**
 * dma_fence_chain_init() - make a node of the memory for one
 * @chain: from dma_fence_chain_alloc()
 * @prev: next older element: a node, a plain fence, an array, or NULL
 * @fence: what has to be done for the new point: a plain fence or an array. A
 *	node warns; so does NULL, and the point is not reached before the driver
 *	signals the node itself.
 * @seqno: number of the point
 *
 * The caller's references on @prev and @fence belong to the node from now on.
 *
 * If @seqno is later than that of the node @prev, the new node continues its
 * timeline. Otherwise it begins another, with a context of its own, and gets the
 * number of @prev if that is a node, so that numbers never decrease along a
 * chain.
 *
 * Context: Any. Allocates nothing.
 */
void dma_fence_chain_init(struct dma_fence_chain *chain,
			  struct dma_fence *prev, struct dma_fence *fence,
			  uint64_t seqno)
{
	struct dma_fence_chain *prev_chain = to_dma_fence_chain(prev);
	u64 context;

	if (WARN_ON_ONCE(!fence))
		fence = dma_fence_get_never();
	WARN_ON_ONCE(dma_fence_is_chain(fence));

	chain->prev_seqno = 0;
	if (prev_chain && seqno > prev->seqno) {
		context = prev->context;
		chain->prev_seqno = prev->seqno;
	} else {
		context = dma_fence_context_alloc(1);
		if (prev_chain)
			seqno = prev->seqno;
	}

	RCU_INIT_POINTER(chain->prev, prev);
	chain->fence = fence;
	spin_lock_init(&chain->lock);
	dma_fence_init(&chain->base, &dma_fence_chain_ops, &chain->lock,
		       context, seqno);
}
EXPORT_SYMBOL(dma_fence_chain_init);
