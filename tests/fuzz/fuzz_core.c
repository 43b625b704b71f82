// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole sequences of events against two cores: time, commands, kernel events, damaged
 * copies of what was sent, bare garbage, and arbitrary payloads under the right keys, as
 * a hostile peer that knows the PSK could send them. At the end both must come to rest
 * and leave nothing in their kernels.
 */
#include <stdlib.h>

#include "../sim/inside.c"
#include "../sim/kernel.c"
#include "../sim/message.c"
#include "../sim/world.c"
#include "ike/sa/core.h"
#include "ike/sa/layer_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OPS = 48, MAX_BODY = 400 };

struct fuzz {
	struct world w;
	uint8_t last[2][1024]; /* the last datagram of each node */
	size_t last_len[2];
	struct ike_endpoint last_from[2], last_to[2];
};

static bool remember_last(struct world *w, struct node *from, const struct ike_datagram *d)
{
	struct fuzz *f = w->filter_ctx;
	unsigned int i = from->index;

	if (d->len <= sizeof(f->last[i])) {
		memcpy(f->last[i], d->data, d->len);
		f->last_len[i] = d->len;
		f->last_from[i] = (struct ike_endpoint){ from->addr, d->local.port };
		f->last_to[i] = d->remote;
	}
	return true;
}

static void run(struct fuzz *f, uint64_t ms)
{
	uint64_t until = f->w.now + ms;

	/* A peer with the keys may break rules that hold among ourselves. */
	while (world_next(&f->w) <= until) {
		f->w.failed[0] = '\0';
		world_step(&f->w, until);
		if (strstr(f->w.failed, "timer does not move on") ||
		    strstr(f->w.failed, "more events"))
			abort();
	}
	f->w.failed[0] = '\0';
	f->w.now = until;
}

static void damaged_copy(struct fuzz *f, unsigned int who, struct cursor *c)
{
	unsigned int n = cursor_u8(c) % 4;
	uint8_t copy[1024];
	size_t len = f->last_len[who];

	if (!len)
		return;
	memcpy(copy, f->last[who], len);
	while (n--)
		copy[cursor_be16(c) % len] ^= cursor_u8(c);
	world_inject(&f->w, &f->last_from[who], &f->last_to[who], copy, len, 0);
}

/* A message with any header and body, keyed or not, to the other node. */
static void crafted(struct fuzz *f, unsigned int who, struct cursor *c, bool sealed)
{
	struct ike_peer *t = TAILQ_FIRST(&f->w.node[who].core->peers);
	const struct ike_sa *sa = query_primary(t);
	struct ike_rng rng = { rnd_fill, &f->w.rnd };
	struct ike_endpoint from = { f->w.node[who].addr, IKE_NATT_PORT };
	struct ike_endpoint to = { f->w.node[!who].addr, IKE_NATT_PORT };
	uint8_t flags = cursor_u8(c), first = cursor_u8(c), out[2048];
	struct ike_header h = { .version = 0x20, .exchange = IKE_SA_INIT + flags % 5 };
	size_t len = cursor_be16(c) % MAX_BODY;
	struct ike_keys keys;
	const uint8_t *body;
	struct writer w;

	len = len < c->left ? len : c->left;
	body = cursor_bytes(c, len);
	if (!sa || !body)
		return;
	memcpy(h.spi_i, sa->spi_i, 8);
	memcpy(h.spi_r, sa->spi_r, 8);
	h.flags = (sa->initiator ? IKE_FLAG_INITIATOR : 0) | (flags & 0x80 ? IKE_FLAG_RESPONSE : 0);
	h.id = flags & 0x80 ? sa->rx.next - 1 : sa->tx.next;
	h.id += flags & 0x40 ? 1 : 0;
	if (sealed && sa->have_keys) {
		keys = sa->keys;
		len = ike_sk_seal(&keys, &rng, &h, first, body, len, out, sizeof(out));
	} else {
		h.next = first;
		h.length = (uint32_t)(IKE_HDR_LEN + len);
		w = writer_init(out, sizeof(out));
		ike_header_write(&w, &h);
		writer_bytes(&w, body, len);
		len = w.bad ? 0 : w.len;
	}
	if (len)
		world_inject(&f->w, &from, &to, out, len, 0);
}

static void command(struct fuzz *f, struct node *n, uint8_t what)
{
	const struct ksa *out = node_out(n, 0);
	struct ike_endpoint elsewhere = { { 4, { 203, 0, 113, what } }, what * 100 };

	switch (what % 8) {
	case 0: ike_core_down(n->core, "t0", f->w.now); break;
	case 1: ike_core_up(n->core, "t0", f->w.now); break;
	case 2: ike_core_acquire(n->core, "t0", NULL, f->w.now); break;
	case 3:
		ike_core_expire(n->core, "t0", IKE_PEER_FIRST, out ? out->spi : 1, false, what & 8,
				f->w.now);
		break;
	case 4: ike_core_peer_moved(n->core, "t0", IKE_PEER_FIRST, &elsewhere, f->w.now); break;
	case 5: n->fail_installs = 1; break;
	case 6:
		if (what & 8)
			node_kill(n);
		else
			node_crash(n);
		node_start(n, what & 8);
		break;
	default: n->conf[0].child[0].start = what & 8 ? IKE_START_NOW : IKE_START_TRAFFIC; break;
	}
}

static void operation(struct fuzz *f, struct cursor *c)
{
	uint8_t op = cursor_u8(c);
	unsigned int who = op & 1;

	switch (op >> 1 & 7) {
	case 0: run(f, 8 * cursor_u8(c)); break;
	case 1: run(f, 500 * cursor_u8(c)); break;
	case 2: damaged_copy(f, who, c); break;
	case 3: command(f, &f->w.node[who], cursor_u8(c)); break;
	case 4: crafted(f, who, c, false); break;
	default: crafted(f, who, c, true); break;
	}
}

static void check_rest(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		ike_core_shutdown(f->w.node[i].core, f->w.now);
	run(f, 2 * IKESA_HALF_OPEN_MS);
	for (i = 0; i < 2; i++) {
		if (!ike_core_idle(f->w.node[i].core) || f->w.node[i].n_sa)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	struct cursor c = cursor_init(data, size);
	struct node *a, *b;
	unsigned int ops;

	memset(&f, 0, sizeof(f));
	world_init(&f.w, 1);
	f.w.filter = remember_last;
	f.w.filter_ctx = &f;
	f.w.delay_min = f.w.delay_max = 5;
	a = world_node(&f.w);
	b = world_node(&f.w);
	world_link(&f.w, a, b, false);
	if (cursor_u8(&c) & 1) {
		b->conf[0].remote = (struct ike_endpoint){ a->addr, IKE_PORT };
		b->conf[0].child[0].start = IKE_START_NOW;
	}
	node_start(b, false);
	node_start(a, false);
	run(&f, 4 * cursor_u8(&c)); /* from nothing at all to established */
	for (ops = 0; c.left && ops < MAX_OPS; ops++)
		operation(&f, &c);
	check_rest(&f);
	world_free(&f.w);
	return 0;
}
