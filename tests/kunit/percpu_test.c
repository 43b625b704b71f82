// SPDX-License-Identifier: GPL-2.0
/* Outbound SAs of a CPU (RFC 9611): which one sends in the place of a fallback SA. */
#include <kunit/test.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include "link.h"
#include "sa/peer.h"
#include "sa/percpu.h"
#include "tx/hold.h"

/* A link with one peer, as far as percpu.c looks at them. */
struct world {
	struct esptun_net *en;
	struct esptun_link *link;
	struct esptun_peer *peer;
};

static struct esptun_peer *make_peer(struct kunit *test, struct world *w)
{
	struct esptun_peer *peer =
		kunit_kzalloc(test, sizeof(*peer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, peer);
	INIT_LIST_HEAD(&peer->sas);
	peer->link = w->link;
	return peer;
}

static void open_world(struct kunit *test, struct world *w)
{
	w->en = kunit_kzalloc(test, sizeof(*w->en), GFP_KERNEL);
	w->link = kunit_kzalloc(test, sizeof(*w->link), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->en);
	KUNIT_ASSERT_NOT_NULL(test, w->link);
	w->link->en = w->en;
	w->peer = make_peer(test, w);
	mutex_init(&w->en->lock);
	mutex_lock(&w->en->lock);
}

static void close_world(struct world *w)
{
	mutex_unlock(&w->en->lock);
}

/* Not in the peer's list yet. @plen: of its one remote selector, 0 for none. */
static struct esptun_sa *make_sa(struct kunit *test, struct esptun_peer *peer,
				 unsigned int cpu, u8 plen)
{
	struct esptun_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	struct esptun_ts_set *set =
		kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);
	struct esptun_ts *ts = kunit_kzalloc(test, sizeof(*ts), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sa);
	KUNIT_ASSERT_NOT_NULL(test, set);
	KUNIT_ASSERT_NOT_NULL(test, ts);
	ts->family = AF_INET;
	ts->plen = plen;
	set->ts = ts;
	set->n_remote = !!plen;
	RCU_INIT_POINTER(sa->ts, set);
	sa->dir = ESPTUN_SA_DIR_OUT;
	sa->state = ESPTUN_SA_STATE_MATURE;
	sa->link = peer->link;
	sa->peer = peer;
	sa->cpu = cpu;
	return sa;
}

/* As esptun_sa_new() does. */
static struct esptun_sa *add_sa(struct kunit *test, struct esptun_peer *peer,
				unsigned int cpu, u8 plen)
{
	struct esptun_sa *sa = make_sa(test, peer, cpu, plen);

	KUNIT_EXPECT_EQ(test, 0, esptun_percpu_add(sa, NULL));
	list_add_tail(&sa->peer_node, &peer->sas);
	return sa;
}

static void del_sa(struct esptun_sa *sa)
{
	esptun_percpu_del(sa);
	list_del(&sa->peer_node);
}

/* What sends on this CPU in the place of @sa. */
static struct esptun_sa *sender(const struct esptun_sa *sa)
{
	struct esptun_sa *own;

	local_bh_disable();
	rcu_read_lock();
	own = esptun_percpu_find(sa);
	rcu_read_unlock();
	local_bh_enable();
	return own;
}

static bool is_due(const struct esptun_sa *sa)
{
	bool due;

	local_bh_disable();
	rcu_read_lock();
	due = esptun_percpu_due(sa);
	rcu_read_unlock();
	local_bh_enable();
	return due;
}

static void ask(const struct esptun_sa *sa)
{
	local_bh_disable();
	rcu_read_lock();
	esptun_percpu_asked(sa);
	rcu_read_unlock();
	local_bh_enable();
}

/* User-mode Linux has one CPU, so every test runs on it. */
static unsigned int this_cpu(void)
{
	return raw_smp_processor_id() + 1;
}

static void percpu_chooses(struct kunit *test)
{
	struct esptun_sa *fallback, *own;
	struct world w;

	open_world(test, &w);
	fallback = add_sa(test, w.peer, 0, 0);
	KUNIT_EXPECT_NULL(test, sender(fallback));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(fallback->percpu));
	KUNIT_EXPECT_FALSE(test, is_due(fallback));

	own = add_sa(test, w.peer, this_cpu(), 0);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(fallback));
	/* It carries nothing any more. */
	own->state = ESPTUN_SA_STATE_DEAD;
	KUNIT_EXPECT_NULL(test, sender(fallback));
	own->state = ESPTUN_SA_STATE_DYING;
	KUNIT_EXPECT_PTR_EQ(test, own, sender(fallback));

	del_sa(own);
	KUNIT_EXPECT_NULL(test, sender(fallback));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(fallback->percpu));
	KUNIT_EXPECT_EQ(test, 0U, w.peer->n_percpu);
	close_world(&w);
}

/* A newer one of the same CPU takes over, and gives back. */
static void percpu_rekey(struct kunit *test)
{
	struct esptun_sa *fallback, *next, *old, *own;
	struct world w;

	open_world(test, &w);
	fallback = add_sa(test, w.peer, 0, 24);
	old = add_sa(test, w.peer, this_cpu(), 24);
	own = add_sa(test, w.peer, this_cpu(), 24);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(fallback));
	del_sa(own);
	KUNIT_EXPECT_PTR_EQ(test, old, sender(fallback));
	own = add_sa(test, w.peer, this_cpu(), 24);
	del_sa(old);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(fallback));

	/* Another fallback SA leads to the same, with or without the first. */
	next = add_sa(test, w.peer, 0, 24);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(next));
	del_sa(fallback);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(next));
	del_sa(next);
	next = add_sa(test, w.peer, 0, 24);
	KUNIT_EXPECT_PTR_EQ(test, own, sender(next));
	del_sa(own);
	KUNIT_EXPECT_NULL(test, sender(next));
	close_world(&w);
}

/* Only those of the same peer with the same selectors belong together. */
static void percpu_apart(struct kunit *test)
{
	struct esptun_sa *fallback, *wide, *others, *lonely;
	struct netlink_ext_ack extack = {};
	struct esptun_peer *other;
	struct world w;

	open_world(test, &w);
	other = make_peer(test, &w);
	fallback = add_sa(test, w.peer, 0, 24);
	wide = add_sa(test, w.peer, 0, 0);
	others = add_sa(test, other, 0, 24);
	add_sa(test, w.peer, this_cpu(), 24);
	KUNIT_EXPECT_NOT_NULL(test, sender(fallback));
	KUNIT_EXPECT_NULL(test, sender(wide));
	KUNIT_EXPECT_NULL(test, sender(others));

	lonely = make_sa(test, w.peer, this_cpu(), 16);
	KUNIT_EXPECT_EQ(test, -ENOENT, esptun_percpu_add(lonely, &extack));
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	/* Nor do two modes: what one of them sends the other one may not. */
	lonely = make_sa(test, w.peer, this_cpu(), 24);
	lonely->mode = ESPTUN_SA_MODE_TRANSPORT;
	KUNIT_EXPECT_EQ(test, -ENOENT, esptun_percpu_add(lonely, &extack));
	KUNIT_EXPECT_EQ(test, 1U, w.peer->n_percpu);
	close_world(&w);
}

/* One that gets selectors of others leads to where they do. */
static void percpu_changed(struct kunit *test)
{
	struct esptun_sa *own, *wide;
	struct world w;

	open_world(test, &w);
	add_sa(test, w.peer, 0, 24);
	own = add_sa(test, w.peer, this_cpu(), 24);
	wide = add_sa(test, w.peer, 0, 16);
	KUNIT_EXPECT_NULL(test, sender(wide));
	rcu_dereference_protected(wide->ts, true)->ts->plen = 24;
	KUNIT_EXPECT_EQ(test, 0, esptun_percpu_add(wide, NULL));
	KUNIT_EXPECT_PTR_EQ(test, own, sender(wide));
	close_world(&w);
}

/* All at once, and of each nothing is left to do. */
static void percpu_flush(struct kunit *test)
{
	struct esptun_sa *fallback, *own, *wide, *narrow;
	struct world w;

	open_world(test, &w);
	esptun_percpu_flush(w.peer);
	fallback = add_sa(test, w.peer, 0, 24);
	own = add_sa(test, w.peer, this_cpu(), 24);
	add_sa(test, w.peer, this_cpu(), 24);
	wide = add_sa(test, w.peer, 0, 16);
	narrow = add_sa(test, w.peer, this_cpu(), 16);
	esptun_percpu_flush(w.peer);
	KUNIT_EXPECT_EQ(test, 0U, w.peer->n_percpu);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(fallback->percpu));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(wide->percpu));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(narrow->percpu));
	del_sa(own);
	del_sa(narrow);
	KUNIT_EXPECT_EQ(test, 0U, w.peer->n_percpu);
	close_world(&w);
}

/* A peer whose SAs are all of CPUs has none that packets find. */
static void percpu_counts(struct kunit *test)
{
	struct esptun_sa *fallback, *own;
	struct world w;

	open_world(test, &w);
	w.peer->idle = true;
	w.link->n_idle = 1;
	fallback = add_sa(test, w.peer, 0, 0);
	own = add_sa(test, w.peer, this_cpu(), 0);
	esptun_sa_count(fallback, true);
	esptun_sa_count(own, true);
	KUNIT_EXPECT_EQ(test, 0U, w.link->n_idle);
	esptun_sa_count(fallback, false);
	KUNIT_EXPECT_EQ(test, 1U, w.link->n_idle);
	esptun_sa_count(own, false);
	KUNIT_EXPECT_EQ(test, 1U, w.link->n_idle);
	close_world(&w);
}

/* A CPU without an SA asks once in a while. */
static void percpu_asks(struct kunit *test)
{
	struct esptun_sa *fallback;
	struct world w;

	open_world(test, &w);
	fallback = add_sa(test, w.peer, 0, 0);
	add_sa(test, w.peer, this_cpu(), 0);
	KUNIT_EXPECT_TRUE(test, is_due(fallback));
	/* The link had no acquire left. */
	KUNIT_EXPECT_TRUE(test, is_due(fallback));
	ask(fallback);
	KUNIT_EXPECT_FALSE(test, is_due(fallback));
	close_world(&w);
}

/* Many CPUs that ask leave the acquires of packets that wait alone. */
static void percpu_budget(struct kunit *test)
{
	struct esptun_hold *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int i, n = 0;

	KUNIT_ASSERT_NOT_NULL(test, h);
	esptun_hold_init(h);
	local_bh_disable();
	for (i = 0; i < 10 * ESPTUN_ACQUIRE_CPU_MAX; i++)
		n += esptun_hold_ask_cpu(h);
	local_bh_enable();
	KUNIT_EXPECT_GE(test, n, (unsigned int)ESPTUN_ACQUIRE_CPU_MAX);
	KUNIT_EXPECT_LT(test, n, 10U * ESPTUN_ACQUIRE_CPU_MAX);
	KUNIT_EXPECT_EQ(test, 0U, h->asked.level);
}

static struct kunit_case percpu_cases[] = { KUNIT_CASE(percpu_chooses),
					    KUNIT_CASE(percpu_rekey),
					    KUNIT_CASE(percpu_apart),
					    KUNIT_CASE(percpu_changed),
					    KUNIT_CASE(percpu_flush),
					    KUNIT_CASE(percpu_counts),
					    KUNIT_CASE(percpu_asks),
					    KUNIT_CASE(percpu_budget),
					    {} };

static struct kunit_suite percpu_suite = {
	.name = "esptun_percpu",
	.test_cases = percpu_cases,
};

kunit_test_suite(percpu_suite);
