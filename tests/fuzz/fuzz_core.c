// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole sequences of events against two cores, or a hub and a client of it: time, commands,
 * kernel events, changes of address and configuration, damaged copies of what was sent, bare
 * garbage, and arbitrary payloads, whole or in fragments, under the right keys, as a hostile peer that
 * knows the PSK could send them. What must hold at every moment is checked in the world's files,
 * except for what such a peer can break for itself. At the end both must come to rest and leave
 * nothing in their kernels.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "../sim/world.h"
#include "ike/core/core.h"
#include "ike/core/layer_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OPS = 48, MAX_BODY = 400 };

/* The first byte: what there is. */
enum {
	BOTH_BEGIN = 1,
	HUB = 2,
	REKEYING = 4,
	WORDY = 8,
	GROUPS = 16,
	SIGNED = 32,
	ADDITIONAL = 64,
	USER = 128, /* a is a user of b, by EAP; with WORDY in a second round */
};

struct fuzz {
	struct world w;
	unsigned int link; /* between both nodes; a hub's tunnel is link 0 */
	const char *tunnel[2]; /* its name at each */
	bool hostile; /* a peer with the keys said something, or addresses were made up */
	uint8_t last[2][1400]; /* the last datagram of each node */
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

/* What a peer with the keys, or a kernel that lies, can break for itself. */
static bool is_provoked(const struct fuzz *f, const char *what)
{
	static const char *const words[] = {
		"belongs to another SPI",    "which cannot be",	  "is in use", "never was",
		"traffic no longer arrives", "numbers a request",
	};
	unsigned int i;

	for (i = 0; f->hostile && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(what, words[i]))
			return true;
	}
	return false;
}

static void judge(struct fuzz *f)
{
	if (f->w.failed[0] && !is_provoked(f, f->w.failed)) {
		fprintf(stderr, "%s\n", f->w.failed);
		abort();
	}
	f->w.failed[0] = '\0';
}

static void run(struct fuzz *f, uint64_t ms)
{
	uint64_t until = f->w.now + ms;

	while (world_next(&f->w) <= until) {
		world_step(&f->w, until);
		judge(f);
	}
	f->w.now = until;
}

/* The number that the other node has as a peer of @n. */
static uint32_t peer_number(const struct fuzz *f, const struct node *n)
{
	uint32_t id = f->link && n->index == 1 ? client_number(&f->w, f->link) : 0;

	return id ? id : IKE_PEER_FIRST;
}

/* An IKE SA of the node with the other one; NULL if there is none. */
static struct ike_sa *sa_of(const struct fuzz *f, unsigned int who)
{
	struct ike_peer *p = TAILQ_FIRST(&f->w.node[who].core->peers);

	if (f->link && who == 1)
		p = TAILQ_FIRST(&p->tunnel->clients);
	return p ? query_primary(p) : NULL;
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

enum form { PLAIN, SEALED, FRAGMENT };

/* One fragment of a message, or what passes for one. */
static size_t seal_fragment(struct ike_keys *keys, const struct ike_rng *rng,
			    const struct ike_header *h, uint8_t first, struct cursor *c,
			    const uint8_t *body, size_t len, uint8_t *out, size_t cap)
{
	uint8_t numbers = cursor_u8(c);
	struct ike_skf skf = { .number = numbers & 15,
			       .total = numbers >> 4,
			       .first = first,
			       .data = body,
			       .len = len };

	if (numbers == 0xff)
		skf.number = skf.total = UINT16_MAX;
	return ike_skf_seal(keys, rng, h, &skf, out, cap);
}

/* A message with any header and body, keyed or not, to the other node. */
static void crafted(struct fuzz *f, unsigned int who, struct cursor *c, enum form form)
{
	const struct ike_sa *sa = sa_of(f, who);
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
	keys = sa->keys;
	f->hostile |= form != PLAIN && sa->have_keys;
	if (form == SEALED && sa->have_keys) {
		len = ike_sk_seal(&keys, &rng, &h, first, body, len, out, sizeof(out));
	} else if (form == FRAGMENT && sa->have_keys) {
		len = seal_fragment(&keys, &rng, &h, first, c, body, len, out, sizeof(out));
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

static void rekey_ike(struct fuzz *f, unsigned int who)
{
	struct ike_sa *sa = sa_of(f, who);

	if (!sa || sa->state != IKESA_ESTABLISHED)
		return;
	sa->rekey_at = f->w.now;
	sa_touch(f->w.node[who].core, sa);
	ike_core_timer(f->w.node[who].core, f->w.now);
}

/* The tunnel's configuration becomes another one: @how tells in what. */
static void change(struct fuzz *f, struct node *n, uint8_t how)
{
	struct ike_tunnel_conf *conf = &n->conf[link_of(f->tunnel[n->index])];

	switch (how & 7) {
	case 0: n->psk[link_of(f->tunnel[n->index])][0] ^= 1; break;
	case 1: conf->mobike = !conf->mobike; break;
	case 2: conf->rekey_child = how; break;
	case 3:
		conf->esp.p[0].t[0].key_bits = conf->esp.p[0].t[0].key_bits == 256 ? 128 : 256;
		break;
	case 4: conf->liveness = how; break;
	case 5:
		conf->n_child = 1 + (how >> 3 & 1);
		conf->child[1] = conf->child[0];
		snprintf(conf->child[1].name, sizeof(conf->child[1].name), "%u", how >> 4);
		break;
	case 6: conf->child[0].local_ts.ts[0].end[0] = how; break;
	default: conf->reauth = how; break;
	}
	ike_core_tunnel_change(n->core, conf, how & 0x80 || !(how & 7), f->w.now);
}

static void move(struct node *n, uint8_t where)
{
	const struct ike_addr addr = { 4, { 192, 0, 2, (uint8_t)(100 + where % 8) } };
	const struct ike_addr behind = { 4, { 10, 77, (uint8_t)n->index, 2 } };
	const struct ike_addr nat = { 4, { 198, 51, 100, (uint8_t)(100 + where % 8) } };

	/* Both may be at one address then, which is nobody's. */
	if (where & 0x80)
		node_move(n, &behind, &nat);
	else
		node_move(n, &addr, NULL);
}

static void restart(struct fuzz *f, struct node *n, bool kernel_stays)
{
	if (kernel_stays)
		node_kill(n);
	else
		node_crash(n);
	node_start(n, kernel_stays);
	judge(f);
}

static void command(struct fuzz *f, unsigned int who, struct cursor *c)
{
	struct node *n = &f->w.node[who];
	const char *tunnel = f->tunnel[who];
	const struct ksa *out = node_out(n, f->link);
	uint8_t what = cursor_u8(c), how = what >> 4;
	struct ike_endpoint elsewhere = { { 4, { 203, 0, 113, what } }, what * 100 };
	struct ike_addr ours[2] = { n->addr, { 4, { 192, 0, 2, (uint8_t)(200 + how) } } };

	switch (what & 15) {
	case 0: ike_core_down(n->core, tunnel, f->w.now); break;
	case 1: ike_core_up(n->core, tunnel, f->w.now); break;
	case 2: ike_core_acquire(n->core, tunnel, NULL, f->w.now); break;
	case 3:
		ike_core_expire(n->core, tunnel, peer_number(f, n), out ? out->spi : 1, false,
				(enum ike_expire)(how % 3), f->w.now);
		break;
	case 4:
		f->hostile = true;
		ike_core_peer_moved(n->core, tunnel, peer_number(f, n), &elsewhere, f->w.now);
		break;
	case 5: n->fail_installs = 1; break;
	case 6: restart(f, n, how & 1); break;
	case 7: n->fail_peers = how & 1; break;
	case 8: rekey_ike(f, who); break;
	case 9: move(n, cursor_u8(c)); break;
	case 10:
		n->more = ours[1];
		ike_core_addresses(n->core, tunnel, ours, 1 + (how & 1), f->w.now);
		break;
	case 11: change(f, n, cursor_u8(c)); break;
	case 12: n->dark[how & 1] = how & 2; break;
	default:
		n->conf[link_of(tunnel)].child[0].start = how & 1 ? IKE_START_NOW
								  : IKE_START_TRAFFIC;
		break;
	}
	judge(f);
}

static void operation(struct fuzz *f, struct cursor *c)
{
	uint8_t op = cursor_u8(c);
	unsigned int who = op & 1;

	switch (op >> 1 & 7) {
	case 0: run(f, 8 * cursor_u8(c)); break;
	case 1: run(f, 200 * cursor_u8(c)); break;
	case 2: damaged_copy(f, who, c); break;
	case 3:
	case 4: command(f, who, c); break;
	case 5: crafted(f, who, c, PLAIN); break;
	case 6: crafted(f, who, c, SEALED); break;
	default: crafted(f, who, c, FRAGMENT); break;
	}
}

static void check_rest(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		ike_core_shutdown(f->w.node[i].core, f->w.now);
	run(f, 2 * IKESA_HALF_OPEN_MS);
	for (i = 0; i < 2; i++) {
		if (!ike_core_idle(f->w.node[i].core) || f->w.node[i].n_sa || f->w.node[i].n_peers)
			abort();
	}
}

/* Long identities, so that IKE_AUTH goes in fragments. */
static void be_wordy(struct ike_tunnel_conf *c, unsigned int who, bool hub)
{
	c->local_id.len = IKE_MAX_ID - 8;
	memset(c->local_id.data, 'a' + (int)who, c->local_id.len - 8u);
	memcpy(c->local_id.data + c->local_id.len - 8, ".example", 8);
	if (hub)
		return;
	c->remote_id.len = IKE_MAX_ID - 8;
	memset(c->remote_id.data, 'b' - (int)who, c->remote_id.len - 8u);
	memcpy(c->remote_id.data + c->remote_id.len - 8, ".example", 8);
}

static void set_groups(struct ike_tunnel_conf *c)
{
	struct ike_proposal *p = &c->esp.p[0];

	p->t[p->n++] = (struct ike_transform){ .type = IKE_T_DH, .id = IKE_DH_CURVE25519 };
	p->t[p->n++] = (struct ike_transform){ .type = IKE_T_DH, .id = IKE_DH_NONE };
}

/* Two key exchanges more for the IKE SA. */
static void set_additional(struct ike_tunnel_conf *c)
{
	struct ike_proposal *p = &c->ike.p[0];

	p->t[p->n++] = (struct ike_transform){ .type = IKE_T_ADDKE1, .id = IKE_DH_ECP256 };
	p->t[p->n++] = (struct ike_transform){ .type = IKE_T_ADDKE2, .id = IKE_DH_ECP521 };
}

static void set_up(struct fuzz *f, uint8_t what)
{
	struct node *a = world_node(&f->w), *b = world_node(&f->w), *n[2] = { a, b };
	unsigned int i, at[2];

	if (what & HUB) {
		at[1] = world_hub(&f->w, b, 2);
		at[0] = f->link = world_client(&f->w, a, at[1]);
	} else {
		at[0] = at[1] = f->link = world_link(&f->w, a, b, false);
	}
	if ((what & BOTH_BEGIN) && !(what & HUB)) {
		b->conf[0].remote = (struct ike_endpoint){ a->addr, IKE_PORT };
		b->conf[0].child[0].start = IKE_START_NOW;
	}
	for (i = 0; i < 2; i++) {
		struct ike_tunnel_conf *c = &n[i]->conf[at[i]];

		f->tunnel[i] = c->name;
		if (what & REKEYING) {
			c->rekey_child = 7;
			c->rekey_ike = 11;
		}
		if (what & WORDY)
			be_wordy(c, i, i && (what & HUB));
		if (what & GROUPS)
			set_groups(c);
		if (what & SIGNED)
			node_set_key(n[i], at[i], world_keys[i], world_keys[!i]);
		if (what & ADDITIONAL)
			set_additional(c);
	}
	if (what & USER && !(what & (HUB | BOTH_BEGIN))) {
		if (what & WORDY)
			world_rounds(&f->w, f->link, what & SIGNED ? world_keys[1] : NULL,
				     world_keys[0], "alice", "clue");
		else
			world_eap(&f->w, f->link, world_keys[0], "alice", "clue",
				  1 << EAP_MSCHAPV2 | (what & SIGNED ? 1 << EAP_MD5 : 0));
		node_add_user(b, "alice", "clue");
	}
	node_start(b, false);
	node_start(a, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = zero_pages(sizeof(*f));
	struct cursor c = cursor_init(data, size);
	unsigned int ops;

	world_init(&f->w, 1);
	f->w.filter = remember_last;
	f->w.filter_ctx = f;
	f->w.delay_min = f->w.delay_max = 5;
	set_up(f, cursor_u8(&c));
	run(f, 4 * cursor_u8(&c)); /* from nothing at all to established */
	for (ops = 0; c.left && ops < MAX_OPS; ops++)
		operation(f, &c);
	check_rest(f);
	world_free(&f->w);
	munmap(f, sizeof(*f));
	return 0;
}
