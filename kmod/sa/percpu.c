// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound SAs by CPU (RFC 9611). CPUs that send on one SA share its sequence
 * numbers and wait for one another's packets to leave in their order; with an SA
 * each they share nothing.
 *
 * Selectors choose as ever, among the SAs without a CPU alone. The one they find
 * has a list by CPU, if the peer has SAs of CPUs with these same selectors, and
 * the list is common to all that share them: what replaces a fallback SA (rekey)
 * finds it. So where no SA has a CPU a packet pays one look at a pointer.
 *
 * Changes are made under the configuration lock. Packets look in the RCU read side
 * with bottom halves off, so the CPU stays the same until they are sent.
 */
#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "limits.h"
#include "link.h"
#include "sa/peer.h"
#include "sa/percpu.h"

/* ---- sending ---- */

struct esptun_sa *esptun_percpu_find(const struct esptun_sa *sa)
{
	struct esptun_percpu *percpu = rcu_dereference(sa->percpu);
	struct esptun_sa *own;

	if (!percpu)
		return NULL;
	own = rcu_dereference(percpu->slot[smp_processor_id()].sa);
	return own && esptun_sa_live(own) ? own : NULL;
}

bool esptun_percpu_due(const struct esptun_sa *sa)
{
	struct esptun_percpu *percpu = rcu_dereference(sa->percpu);
	unsigned long gap = msecs_to_jiffies(ESPTUN_ACQUIRE_CPU_MS);
	const struct esptun_percpu_slot *slot;

	if (!percpu)
		return false;
	slot = &percpu->slot[smp_processor_id()];
	return !slot->when || time_after_eq(jiffies, slot->when + gap);
}

void esptun_percpu_asked(const struct esptun_sa *sa)
{
	struct esptun_percpu *percpu = rcu_dereference(sa->percpu);

	if (percpu)
		percpu->slot[smp_processor_id()].when = jiffies ?: 1;
}

/* ---- which SAs belong together ---- */

static bool is_locked(const struct esptun_sa *sa)
{
	return lockdep_is_held(&sa->link->en->lock);
}

static struct esptun_percpu *get_percpu(const struct esptun_sa *sa)
{
	return rcu_dereference_protected(sa->percpu, is_locked(sa));
}

static bool same_selectors(const struct esptun_sa *a, const struct esptun_sa *b)
{
	const struct esptun_ts_set *x = esptun_sa_ts(a);
	const struct esptun_ts_set *y = esptun_sa_ts(b);

	/* A selector has no byte without a value. */
	BUILD_BUG_ON(sizeof(struct esptun_ts) != sizeof(struct in6_addr) + 8);
	return x->n_local == y->n_local && x->n_remote == y->n_remote &&
	       !memcmp(x->ts, y->ts,
		       (x->n_local + x->n_remote) * sizeof(*x->ts));
}

/* The next SA of the peer behind @at, or the first, that sends what @sa does. */
static struct esptun_sa *next_alike(const struct esptun_sa *sa,
				    struct esptun_sa *at)
{
	struct list_head *sas = &sa->peer->sas;

	if (!at)
		at = list_entry(sas, struct esptun_sa, peer_node);
	list_for_each_entry_continue(at, sas, peer_node)
		if (at != sa && at->dir == ESPTUN_SA_DIR_OUT &&
		    at->mode == sa->mode && same_selectors(at, sa))
			return at;
	return NULL;
}

/* All that are like @sa and have no CPU lead to @percpu, or to none. */
static void set_fallbacks(const struct esptun_sa *sa,
			  struct esptun_percpu *percpu)
{
	struct esptun_sa *at = NULL;

	while ((at = next_alike(sa, at)))
		if (!at->cpu)
			rcu_assign_pointer(at->percpu, percpu);
}

/* ---- coming and going ---- */

static struct esptun_percpu *percpu_alloc(void)
{
	struct esptun_percpu *percpu;

	return kvzalloc(struct_size(percpu, slot, nr_cpu_ids),
			GFP_KERNEL_ACCOUNT);
}

static bool has_fallback(const struct esptun_sa *sa)
{
	struct esptun_sa *at = NULL;

	while ((at = next_alike(sa, at)))
		if (!at->cpu)
			return true;
	return false;
}

static struct esptun_percpu *find_percpu(const struct esptun_sa *sa)
{
	struct esptun_sa *at = NULL;

	while ((at = next_alike(sa, at)))
		if (get_percpu(at))
			return get_percpu(at);
	return NULL;
}

static int add_of_cpu(struct esptun_sa *sa, struct netlink_ext_ack *extack)
{
	struct esptun_percpu *percpu;

	if (!has_fallback(sa)) {
		NL_SET_ERR_MSG(
			extack,
			"cpu: the peer needs an outbound SA without cpu and with the same selectors and mode first");
		return -ENOENT;
	}
	percpu = find_percpu(sa) ?: percpu_alloc();
	if (!percpu)
		return -ENOMEM;
	if (!percpu->n_sas++)
		set_fallbacks(sa, percpu);
	sa->peer->n_percpu++;
	rcu_assign_pointer(sa->percpu, percpu);
	rcu_assign_pointer(percpu->slot[sa->cpu - 1].sa, sa);
	return 0;
}

int esptun_percpu_add(struct esptun_sa *sa, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&sa->link->en->lock);
	if (sa->cpu)
		return add_of_cpu(sa, extack);
	if (sa->peer->n_percpu)
		rcu_assign_pointer(sa->percpu, find_percpu(sa));
	return 0;
}

/* The newest one that @sa leaves its CPU to. */
static struct esptun_sa *find_heir(const struct esptun_sa *sa)
{
	struct esptun_sa *at = NULL, *heir = NULL;

	while ((at = next_alike(sa, at)))
		if (at->cpu == sa->cpu)
			heir = at;
	return heir;
}

void esptun_percpu_del(struct esptun_sa *sa)
{
	struct esptun_percpu *percpu = get_percpu(sa);
	struct esptun_percpu_slot *slot;

	if (!percpu || !sa->cpu)
		return;
	slot = &percpu->slot[sa->cpu - 1];
	if (rcu_access_pointer(slot->sa) == sa)
		rcu_assign_pointer(slot->sa, find_heir(sa));
	sa->peer->n_percpu--;
	if (--percpu->n_sas)
		return;
	set_fallbacks(sa, NULL);
	kvfree_rcu(percpu, rcu);
}

void esptun_percpu_flush(struct esptun_peer *peer)
{
	struct esptun_percpu *percpu;
	struct esptun_sa *sa;

	lockdep_assert_held(&peer->link->en->lock);
	if (!peer->n_percpu)
		return;
	/* First those that packets find it by. */
	list_for_each_entry(sa, &peer->sas, peer_node)
		if (!sa->cpu)
			RCU_INIT_POINTER(sa->percpu, NULL);
	list_for_each_entry(sa, &peer->sas, peer_node) {
		percpu = get_percpu(sa);
		if (!percpu)
			continue;
		RCU_INIT_POINTER(sa->percpu, NULL);
		if (!--percpu->n_sas)
			kvfree_rcu(percpu, rcu);
	}
	peer->n_percpu = 0;
}
