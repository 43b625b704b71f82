// SPDX-License-Identifier: GPL-2.0
/*
 * What packets count on an SA, in softirq: its sequence numbers, its counters.
 * And which SAs are usable, of each peer and link: under the configuration lock,
 * when one comes or goes, or when the link's work sees that limits ended some.
 */
#include "link.h"
#include "sa/peer.h"
#include "sa/sa.h"

atomic_t *esptun_sa_counter(struct esptun_sa *sa, unsigned int id)
{
	const struct esptun_counter *c = &esptun_counters[id];

	return c->slot && c->way == sa->dir ? &sa->counters[c->slot - 1] : NULL;
}

static void count_on_sa(struct esptun_sa *sa, unsigned int id, unsigned int n)
{
	atomic_t *counter = esptun_sa_counter(sa, id);

	if (counter)
		atomic_add(n, counter);
}

void esptun_sa_drop(struct esptun_sa *sa, unsigned int id, unsigned int n)
{
	esptun_stats_drop(sa->link->stats, sa->link->dev, sa->spi, id, n);
	count_on_sa(sa, id, n);
}

void esptun_sa_note(struct esptun_sa *sa, unsigned int id, unsigned int n)
{
	esptun_stats_add(sa->link->stats, id, n);
	count_on_sa(sa, id, n);
}

int esptun_sa_take(struct esptun_sa *sa, unsigned int n, u64 *first)
{
	u64 last = atomic64_add_return(n, &sa->seq);

	*first = last - n + 1;
	if (sa->esn)
		return 0;
	/* RFC 4303 3.3.3: without ESN the number must not cycle. */
	if (unlikely(last > U32_MAX)) {
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DEAD,
				 ESPTUN_EXPIRE_REASON_SEQUENCE);
		return -EOVERFLOW;
	}
	if (unlikely(last > U32_MAX - ESPTUN_SEQ_WARN &&
		     READ_ONCE(sa->state) == ESPTUN_SA_STATE_MATURE))
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DYING,
				 ESPTUN_EXPIRE_REASON_SOFT);
	return 0;
}

unsigned int esptun_sa_tx_cpu(struct esptun_sa *sa)
{
	lockdep_assert_held(&sa->sending.lock);
	if (!sa->tx_cpu || time_after(jiffies, sa->tx_when + HZ))
		sa->tx_cpu = smp_processor_id() + 1;
	sa->tx_when = jiffies;
	return sa->tx_cpu;
}

u64 esptun_sa_seq(struct esptun_sa *sa)
{
	u64 seq;

	if (sa->dir == ESPTUN_SA_DIR_IN) {
		spin_lock_bh(&sa->lock);
		seq = sa->replay.top;
		spin_unlock_bh(&sa->lock);
		return seq;
	}
	seq = atomic64_read(&sa->seq);
	return sa->esn ? seq : min_t(u64, seq, U32_MAX);
}

void esptun_sa_count(struct esptun_sa *sa, bool live)
{
	struct esptun_peer *peer = sa->peer;
	struct esptun_link *link = peer->link;
	bool in, out;

	/* Without a fallback SA nothing finds it. */
	live = live && !sa->cpu;
	peer->n_live[sa->dir] += live - sa->counted;
	sa->counted = live;
	in = peer->n_live[ESPTUN_SA_DIR_IN];
	out = peer->n_live[ESPTUN_SA_DIR_OUT];
	link->n_pairs += (in && out) - peer->pair;
	peer->pair = in && out;
	WRITE_ONCE(link->n_idle, link->n_idle + !out - peer->idle);
	peer->idle = !out;
}

void esptun_sa_operstate(struct esptun_link *link)
{
	if (link->dead)
		return;
	if (link->n_pairs)
		netif_dormant_off(link->dev);
	else
		netif_dormant_on(link->dev);
}

void esptun_sa_recount(struct esptun_link *link)
{
	struct esptun_peer *peer;
	struct esptun_sa *sa;
	unsigned long id;

	lockdep_assert_held(&link->en->lock);
	xa_for_each(&link->peers, id, peer)
		list_for_each_entry(sa, &peer->sas, peer_node)
			esptun_sa_count(sa, esptun_sa_live(sa));
	esptun_sa_operstate(link);
}
