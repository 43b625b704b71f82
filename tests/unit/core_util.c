// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_util.h"

/* Fragment Number of an SKF payload; 0 if there is none. */
static unsigned int fragment_number(const struct sent *s)
{
	return s->h.next == IKE_PL_SKF && s->len >= 36 ? s->data[32] << 8 | s->data[33] : 0;
}

static bool record(struct world *w, struct node *from, const struct ike_datagram *d)
{
	struct pair *p = w->filter_ctx;
	struct sent *s = &p->sent[p->n_sent];
	bool response;

	assert_true(p->n_sent < MAX_SENT && d->len <= sizeof(s->data));
	p->n_sent++;
	s->at = w->now;
	s->from = from->index;
	s->local = d->local;
	s->remote = d->remote;
	s->len = d->len;
	memcpy(s->data, d->data, d->len);
	assert_int_equal(ike_header_parse(d->data, d->len, &s->h), 0);
	response = s->h.flags & IKE_FLAG_RESPONSE;
	if (p->drop_all || (p->drop_longer && d->len > p->drop_longer) ||
	    p->drop_fragments >> fragment_number(s) & 1)
		return false;
	return !(p->drop_from & 1u << from->index && p->drop_exchange == s->h.exchange &&
		 (response ? p->drop_responses : p->drop_requests));
}

struct pair *pair_new(void)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	world_init(&p->w, 42);
	p->w.filter = record;
	p->w.filter_ctx = p;
	p->w.delay_min = p->w.delay_max = 10;
	p->a = world_node(&p->w);
	p->b = world_node(&p->w);
	world_link(&p->w, p->a, p->b, false);
	return p;
}

void pair_start(struct pair *p, bool up)
{
	node_start(p->b, false);
	node_start(p->a, false);
	if (!up)
		return;
	pair_run(p, 100);
	pair_is_up(p);
}

void pair_is_up(const struct pair *p)
{
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
}

void pair_survives(struct pair *p, uint64_t seed, unsigned int loss)
{
	p->w.rnd.s = seed;
	p->w.loss = p->w.job_loss = loss;
	p->w.duplicate = 50;
	p->w.job_delay = 300;
	pair_start(p, false);
	pair_run(p, 90000);
	p->w.loss = p->w.job_loss = 0;
	pair_run(p, 90000);
	pair_is_up(p);
	pair_free(p);
}

void pair_free(struct pair *p)
{
	world_free(&p->w);
	free(p);
}

void pair_run(struct pair *p, uint64_t ms)
{
	world_run(&p->w, p->w.now + ms);
	if (p->w.failed[0])
		fail_msg("%s", p->w.failed);
}

const struct sent *pair_sent(const struct pair *p, const struct node *from, uint8_t exchange,
			     bool response, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < p->n_sent; i++) {
		const struct sent *s = &p->sent[i];

		if (s->from == from->index && s->h.exchange == exchange &&
		    !!(s->h.flags & IKE_FLAG_RESPONSE) == response && !n--)
			return s;
	}
	return NULL;
}

unsigned int pair_count(const struct pair *p, const struct node *from, uint8_t exchange,
			bool response)
{
	unsigned int n = 0;

	while (pair_sent(p, from, exchange, response, n))
		n++;
	return n;
}

bool sent_notify(const struct sent *s, uint16_t type, struct ike_notify *n)
{
	struct ike_payloads in;
	uint8_t offender;

	return s &&
	       !ike_payloads_parse(s->h.next, s->data + IKE_HDR_LEN, s->len - IKE_HDR_LEN, &in,
				   &offender) &&
	       ike_notify_find(&in, type, n);
}

void pair_replay(struct pair *p, const struct sent *s)
{
	struct ike_endpoint from = s->local;

	from.addr = p->w.node[s->from].addr;
	world_inject(&p->w, &from, &s->remote, s->data, s->len, 0);
}

void pair_begin_series(struct pair *p, void (*rekey)(struct node *n))
{
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_FOLLOWUP_KE;
	p->drop_requests = true;
	rekey(p->a);
	pair_run(p, 100);
}

void pair_leave_series(struct pair *p)
{
	struct ike_sa *sa = node_sa(p->a);

	exchange_end(p->a->core, sa, ikesa_take_out(sa));
	sa->tx.next--;
}

void pair_disturb(struct pair *p, struct hold *h, bool late)
{
	assert_true(world_await(&p->w, h, 1000));
	if (late) {
		pair_run(p, 3000);
		world_release(&p->w, h);
		pair_run(p, 1000);
		world_release(&p->w, h);
	} else {
		world_drop(h);
	}
	pair_run(p, 20000);
}

struct tunnel_conf *own_conf(const struct node *n)
{
	return (struct tunnel_conf *)TAILQ_FIRST(&n->core->peers)->conf;
}

void own_conf_replace(struct node *n)
{
	struct ike_peer *p = TAILQ_FIRST(&n->core->peers);

	tunnel_free_conf(p->conf);
	p->conf = p->tunnel->conf = tunnel_keep_conf(&n->conf[0]);
	assert_non_null(p->conf);
}

struct ike_core_stats node_stats(const struct node *n)
{
	struct ike_core_stats st;

	ike_core_stats(n->core, &st);
	return st;
}

struct ike_sa *node_sa(const struct node *n)
{
	return query_primary(TAILQ_FIRST(&n->core->peers));
}

/* The request that node_request() sends. */
static const struct ike_builder *asked;
static uint8_t asked_first;

static enum exchange_build build_asked(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				       struct ike_builder *b)
{
	(void)core;
	(void)sa;
	(void)x;
	if (asked->w.len)
		*b->first = asked_first;
	b->first = NULL;
	writer_bytes(&b->w, asked->w.buf, asked->w.len);
	return EXCHANGE_SEND;
}

bool node_request(struct node *n, uint8_t exchange, struct ike_builder *b, uint8_t first)
{
	static struct exchange_ops ops[256];

	ops[exchange] = (struct exchange_ops){
		.name = "test",
		.exchange = exchange,
		.build = build_asked,
	};
	n->w->any_nonces = true;
	asked = b;
	asked_first = first;
	n->core->now = n->w->now;
	exchange_end(n->core, node_sa(n), ikesa_take_out(node_sa(n))); /* whatever is out */
	return request_start(n->core, node_sa(n), exchange_new(&ops[exchange], 0));
}

const char *node_error(const struct node *n)
{
	return node_status(n, 0).last_error;
}

struct ike_payloads sent_open(const struct sent *s, const struct ike_sa *sa)
{
	static uint8_t copy[2048];
	struct ike_payloads in;
	uint8_t offender;

	assert_non_null(s);
	assert_int_equal(
		ike_sk_open(&sa->keys, s->data, s->len, copy, sizeof(copy), &in, &offender), 0);
	return in;
}

void node_answer(struct node *n, uint8_t exchange, struct ike_builder *b, uint8_t first)
{
	struct ike_sa *sa = node_sa(n);
	struct ikesa_message m = { 0 };

	n->w->any_nonces = true;
	assert_true(message_seal(n->core, sa, exchange, IKE_FLAG_RESPONSE, sa->rx.next++, b, first,
				 &m));
	world_inject(n->w, &sa->local, &sa->remote, m.data, m.len, 0);
	ikesa_message_free(&m);
}

void node_says(const struct node *n, const char *words)
{
	if (!strstr(node_error(n), words) && !strstr(n->log, words))
		fail_msg("\"%s\" is not in: %s or %s", words, node_error(n), n->log);
}

void node_rekey_child(struct node *n)
{
	ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false, IKE_EXPIRE_SOFT,
			n->w->now);
}

void node_rekey_ike(struct node *n)
{
	struct ike_sa *sa = node_sa(n);

	sa->rekey_at = n->w->now;
	sa_touch(n->core, sa);
	ike_core_timer(n->core, n->w->now);
}
