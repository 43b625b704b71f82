// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Simulated pairs of agents: sim [--runs N] [--seed S] [--scenario NAME] [--jobs N] [-v [-v]]
 *
 * Each run takes its scenario, network and timing from its seed. A run has a rough phase,
 * in which things happen on a bad network (with an attacker in a third of the runs), and a
 * calm one, after which both ends must agree on what the scenario calls for. What must hold
 * at every moment is checked in world.c.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/core/layer_ikesa.h"
#include "ike/child/proposal.h"
#include "certs.h"
#include "memory.h"
#include "sim.h"

enum {
	CALM_MS = 420000,
	SEED_DEFAULT = 1,
	RUNS_DEFAULT = 4000,
	COLLIDING_RUNS = 400, /* among so many there are collisions */
};

enum kind {
	STEADY = 1, /* no gap, so neither heavy loss nor an attacker */
	BEHIND_NAT = 2, /* always, else sometimes */
};

struct scenario {
	const char *name;
	void (*play)(struct run *r);
	unsigned int kind;
};

/* ---- pieces -------------------------------------------------------------- */

uint64_t between(struct run *r, uint64_t low, uint64_t high)
{
	return low + rnd_below(&r->rnd, high - low + 1);
}

void pass(struct run *r, uint64_t ms)
{
	world_run(&r->w, r->w.now + ms);
}

void start_both(struct run *r)
{
	bool a_first = rnd_chance(&r->rnd, 50);

	node_start(a_first ? r->a : r->b, false);
	pass(r, rnd_below(&r->rnd, 3) * rnd_below(&r->rnd, 1500));
	node_start(a_first ? r->b : r->a, false);
}

bool up(struct run *r)
{
	return direction_works(r->a, r->b, 0) && direction_works(r->b, r->a, 0);
}

bool until_up(struct run *r, uint64_t ms)
{
	uint64_t end = r->w.now + ms;

	while (!up(r) && world_step(&r->w, end))
		;
	return up(r);
}

static void wordy_selectors(struct ike_ts_list *l, const char *text)
{
	char err[128];

	l->n = 0;
	if (ike_ts_from_text(text, l, err, sizeof(err)))
		abort();
}

static void set_proposal(struct ike_proposals *p, uint8_t protocol, const char *text)
{
	char err[128];

	if (ike_proposals_from_text(text, protocol, p, err, sizeof(err)))
		abort();
}

void lose_nothing(struct run *r)
{
	r->w.loss = 0;
	r->w.duplicate = 0;
	r->w.job_loss = r->w.late_jobs = 0;
	r->w.esp_jitter = 0;
	r->w.hostile = false;
	r->w.delay_max = r->w.delay_min + 20;
}

/* Both ends speak another suite than usual in some runs. */
static void vary_suite(struct run *r)
{
	static const char *const ike[] = {
		"aes256gcm16-prfsha256-x25519",	     "aes128gcm16-prfsha384-x25519",
		"chacha20poly1305-prfsha512-x25519", "aes256-sha256-prfsha256-x25519",
		"aes128-sha512-prfsha384-x25519",    "aes256gcm16-prfsha256-x25519-ke1_ecp256",
	};
	static const char *const esp[] = {
		"aes256gcm16-esn",   "aes128gcm16-noesn",    "chacha20poly1305", "aes256-sha256",
		"aes128-sha1-noesn", "aes192ctr-sha512-esn", "aes256ccm8-noesn", "3des-md5-noesn",
		"null-aescmac",	     "aes128gcm16iiv-esn",
	};
	const char *i = ike[rnd_below(&r->rnd, 6)], *e = esp[rnd_below(&r->rnd, 10)];

	set_proposal(&r->a->conf[0].ike, IKE_PROTO_IKE, i);
	set_proposal(&r->b->conf[0].ike, IKE_PROTO_IKE, i);
	set_proposal(&r->a->conf[0].esp, IKE_PROTO_ESP, r->esp[0] ? r->esp[0] : e);
	set_proposal(&r->b->conf[0].esp, IKE_PROTO_ESP, r->esp[1] ? r->esp[1] : e);
}

/* Strangers leave so many half-open IKE SAs at @n that it asks for cookies. */
static void flood(struct run *r, struct node *n, unsigned int count)
{
	struct ike_endpoint to = { n->addr, IKE_PORT }, from = { { .family = 4 }, IKE_PORT };
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	uint8_t buf[1024], nonce[32], pub[32];
	struct ike_builder b;

	while (count--) {
		rnd_fill(&r->rnd, from.addr.b, 4);
		rnd_fill(&r->rnd, h.spi_i, sizeof(h.spi_i));
		rnd_fill(&r->rnd, nonce, sizeof(nonce));
		rnd_fill(&r->rnd, pub, sizeof(pub));
		ike_build_init(&b, buf, sizeof(buf), &h);
		ike_build_sa(&b, IKE_OFFER(&n->conf[0].ike));
		ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
		ike_build_nonce(&b, nonce, sizeof(nonce));
		world_inject(&r->w, &from, &to, buf, ike_build_end(&b), 0);
	}
}

static bool fits_path(struct world *w, struct node *from, const struct ike_datagram *d)
{
	(void)from;
	return d->len <= *(const size_t *)w->filter_ctx;
}

void limit_path(struct run *r, size_t max)
{
	r->path_max = max;
	r->w.filter = fits_path;
	r->w.filter_ctx = &r->path_max;
}

/* 32 selectors, a /24 or a /64 each. */
static void many_selectors(struct ike_ts_list *l, uint8_t family, uint8_t net)
{
	struct ike_ts *ts;

	for (l->n = 0; l->n < IKE_MAX_TS; l->n++) {
		ts = &l->ts[l->n];
		*ts = (struct ike_ts){ .family = family, .port_end = 65535 };
		memcpy(ts->start, (uint8_t[]){ 10, net, (uint8_t)l->n }, 3);
		memcpy(ts->end, ts->start, 3);
		memset(ts->end + (family == 4 ? 3 : 8), 255, family == 4 ? 1 : 8);
	}
}

/* IKE_AUTH has 1,600 to 3,300 bytes. */
static void say_much(struct run *r)
{
	struct ike_tunnel_conf *a = &r->a->conf[0], *b = &r->b->conf[0];
	uint8_t family = rnd_chance(&r->rnd, 50) ? 4 : 6;

	a->local_id = (struct ike_id){ .type = IKE_ID_FQDN, .len = 250 };
	b->local_id = a->local_id;
	memset(a->local_id.data, 'a', a->local_id.len);
	memset(b->local_id.data, 'b', b->local_id.len);
	a->remote_id = b->local_id;
	b->remote_id = a->local_id;
	many_selectors(&a->child[0].local_ts, family, 1);
	many_selectors(&a->child[0].remote_ts, family, 2);
	b->child[0].local_ts = a->child[0].remote_ts;
	b->child[0].remote_ts = a->child[0].local_ts;
}

/* ---- scenarios ----------------------------------------------------------- */

static void play_one_side(struct run *r)
{
	vary_suite(r);
	start_both(r);
	r->w.link[0].watch = true;
}

void both_initiate(struct run *r)
{
	r->b->conf[0].remote =
		(struct ike_endpoint){ r->a->nat.family ? r->a->nat : r->a->addr, IKE_PORT };
	r->b->conf[0].child[0].start = IKE_START_NOW;
}

static void play_both(struct run *r)
{
	both_initiate(r);
	node_start(r->a, false);
	pass(r, rnd_below(&r->rnd, 2) * rnd_below(&r->rnd, 400));
	node_start(r->b, false);
	r->w.link[0].watch = true;
}

static void play_dead_responder(struct run *r)
{
	r->b->reachable = false;
	node_start(r->a, false);
	pass(r, between(r, 1000, 200000));
	if (rnd_chance(&r->rnd, 50)) {
		node_start(r->b, false);
	} else {
		r->want = NOTHING;
		r->say[0] = "no answer from";
		pass(r, 70000);
	}
}

static void play_peer_dies(struct run *r)
{
	start_both(r);
	until_up(r, 100000);
	pass(r, between(r, 0, 60000));
	node_crash(rnd_chance(&r->rnd, 50) ? r->a : r->b);
	r->want = NOTHING;
}

static void play_reboot(struct run *r)
{
	bool which = rnd_chance(&r->rnd, 50);

	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	until_up(r, 100000);
	pass(r, between(r, 0, 30000));
	node_crash(which ? r->a : r->b);
	pass(r, between(r, 1, 100000));
	node_start(which ? r->a : r->b, false);
}

static void play_down_up(struct run *r)
{
	unsigned int cycles = 1 + (unsigned int)rnd_below(&r->rnd, 5);
	struct node *n;

	vary_suite(r);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	while (cycles--) {
		n = rnd_chance(&r->rnd, 50) ? r->a : r->b;
		pass(r, between(r, 0, rnd_chance(&r->rnd, 50) ? 300 : 20000));
		ike_core_down(n->core, "t0", r->w.now);
		pass(r, between(r, 0, rnd_chance(&r->rnd, 50) ? 300 : 20000));
		ike_core_up(n->core, "t0", r->w.now);
	}
}

static void play_down(struct run *r)
{
	start_both(r);
	pass(r, between(r, 0, 20000));
	ike_core_down(rnd_chance(&r->rnd, 50) ? r->a->core : r->b->core, "t0", r->w.now);
	r->want = NOTHING;
}

static void play_cookies(struct run *r)
{
	node_start(r->b, false);
	flood(r, r->b, 31);
	pass(r, 1);
	node_start(r->a, false);
	pass(r, rnd_below(&r->rnd, 90000)); /* secrets change meanwhile */
}

static void play_invalid_ke(struct run *r)
{
	set_proposal(&r->a->conf[0].ike, IKE_PROTO_IKE, "aes256gcm16-prfsha256-ecp256-x25519");
	node_start(r->b, false);
	if (rnd_chance(&r->rnd, 50))
		flood(r, r->b, 31);
	pass(r, 1);
	node_start(r->a, false);
}

static void play_wrong_psk(struct run *r)
{
	r->b->psk[0][0] ^= 1;
	r->w.no_installs = true;
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	r->want = NOTHING;
	r->say[0] = r->say[1] = "PSK=";
	pass(r, 30000);
}

/* Both ends sign, or one of them and the other has the PSK; sometimes with the wrong key. */
static void play_signatures(struct run *r)
{
	bool a = rnd_chance(&r->rnd, 75), b = !a || rnd_chance(&r->rnd, 75);

	world_sign(&r->w, 0, a ? world_keys[0] : NULL, b ? world_keys[1] : NULL);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
}

static void play_wrong_public_key(struct run *r)
{
	world_sign(&r->w, 0, world_keys[0], world_keys[1]);
	node_set_key(r->b, 0, world_keys[1], world_keys[1]);
	r->w.no_installs = true;
	start_both(r);
	r->want = NOTHING;
	r->say[0] = "AUTHENTICATION_FAILED";
	r->say[1] = "PublicKey=";
	pass(r, 30000);
}

static void play_wrong_id(struct run *r)
{
	r->b->conf[0].remote_id.data[0] ^= 1;
	r->w.no_installs = true;
	start_both(r);
	r->want = NOTHING;
	r->say[1] = "RemoteID=";
	pass(r, 30000);
}

static void play_selectors_differ(struct run *r)
{
	wordy_selectors(&r->a->conf[0].child[0].local_ts, "10.1.0.0/16");
	wordy_selectors(&r->b->conf[0].child[0].remote_ts, "10.2.0.0/16");
	start_both(r);
	r->want = NOTHING;
	r->say[0] = r->say[1] = "Selectors=";
	pass(r, 30000);
}

static void play_narrowing(struct run *r)
{
	wordy_selectors(&r->a->conf[0].child[0].local_ts, "10.0.0.0/8");
	wordy_selectors(&r->b->conf[0].child[0].remote_ts, "10.2.0.0/16");
	wordy_selectors(&r->b->conf[0].child[0].local_ts, "192.0.2.128-192.0.2.200");
	start_both(r);
}

static void play_ike_proposals_differ(struct run *r)
{
	set_proposal(&r->b->conf[0].ike, IKE_PROTO_IKE, "chacha20poly1305-prfsha256-x25519");
	start_both(r);
	r->want = NOTHING;
	r->say[0] = r->say[1] = "Crypto=";
	pass(r, 30000);
}

static void play_esp_proposals_differ(struct run *r)
{
	set_proposal(&r->b->conf[0].esp, IKE_PROTO_ESP, "chacha20poly1305");
	start_both(r);
	r->want = NOTHING;
	r->say[0] = r->say[1] = "Crypto=";
	pass(r, 30000);
}

static void play_adopt(struct run *r)
{
	unsigned int who = 1 + (unsigned int)rnd_below(&r->rnd, 3);

	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	if (!until_up(r, 100000))
		return;
	pass(r, between(r, 0, 30000));
	r->w.link[0].watch = true;
	if (who & 1)
		node_kill(r->a);
	if (who & 2)
		node_kill(r->b);
	pass(r, rnd_below(&r->rnd, 2) * rnd_below(&r->rnd, 30000));
	if (who & 1)
		node_start(r->a, true);
	if (rnd_chance(&r->rnd, 50))
		pass(r, between(r, 0, 3000));
	if (who & 2)
		node_start(r->b, true);
}

static void play_expire(struct run *r)
{
	bool hard = rnd_chance(&r->rnd, 40);
	struct node *n = rnd_chance(&r->rnd, 50) ? r->a : r->b;

	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	if (!until_up(r, 100000))
		return;
	pass(r, between(r, 20000, 40000));
	if (!up(r))
		return;
	r->w.link[0].watch = !hard;
	ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false, hard, r->w.now);
	if (rnd_chance(&r->rnd, 50)) {
		n = n == r->a ? r->b : r->a;
		pass(r, rnd_below(&r->rnd, 200));
		if (node_out(n, 0))
			ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false,
					hard, r->w.now);
	}
}

/*
 * Whoever has no keys can end nothing: what was up before the attack is up after it, the
 * same pair. (He could lead the peers astray by being first with a message from elsewhere,
 * RFC 7296 2.23, hence no spoofing.)
 */
static void play_attacked(struct run *r)
{
	uint32_t spi;

	vary_suite(r);
	r->a->conf[0].liveness = r->b->conf[0].liveness = 3;
	r->w.loss = 0;
	r->w.traffic = false;
	start_both(r);
	if (!until_up(r, 100000))
		return;
	spi = node_out(r->a, 0)->spi;
	r->w.hostile = true;
	r->w.spoof = false;
	r->w.attack = 100;
	r->w.link[0].watch = true;
	pass(r, 100000);
	if (!r->w.failed[0] && node_out(r->a, 0)->spi != spi)
		world_fail(&r->w, "an attacker without keys made the peers set up a new SA");
}

enum {
	HINTED_MS = 100000,
	HINTED_IKE_SAS = 6,
	HINTED_INSTALLS =
		3 * HINTED_MS / IKESA_HINT_MS, /* a pair, and at the other end its halves */
};

/* Neither end has more IKE SAs than a few that are on their way out. */
static void check_ike_sas(struct run *r)
{
	struct ike_core_stats st;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ike_core_stats(i ? r->b->core : r->a->core, &st);
		if (st.ike_sas > HINTED_IKE_SAS)
			world_fail(&r->w, "node %u has %u IKE SAs for what an attacker says", i,
				   st.ike_sas);
	}
}

/*
 * The attacker answers each message: that IKE SA is not known. Where the peer's own answer was lost that may lead to a new
 * IKE SA beside the old one, but not at once again, and neither traffic nor what was up ends for that.
 */
static void play_hinted(struct run *r)
{
	unsigned int installs;
	uint64_t end;

	vary_suite(r);
	r->a->conf[0].liveness = r->b->conf[0].liveness = 3;
	r->w.loss = 5 + (unsigned int)rnd_below(&r->rnd, 16);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	if (!until_up(r, 100000))
		return;
	pass(r, 20000); /* what both began at once is settled */
	installs = r->a->installs + r->b->installs;
	r->w.hostile = true;
	r->w.spoof = false;
	r->w.attack = 100;
	r->w.forges = IKE_N_INVALID_IKE_SPI;
	r->w.link[0].watch = up(r);
	r->w.link[0].may_lose_peer = true;
	for (end = r->w.now + HINTED_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, 1000);
		check_ike_sas(r);
	}
	installs = r->a->installs + r->b->installs - installs;
	if (installs > HINTED_INSTALLS)
		world_fail(&r->w, "%u halves of pairs were installed for what an attacker says",
			   installs);
}

static void play_kernel_refuses(struct run *r)
{
	(rnd_chance(&r->rnd, 50) ? r->a : r->b)->fail_installs =
		1 + (unsigned int)rnd_below(&r->rnd, 2);
	start_both(r);
	pass(r, 60000);
}

/*
 * Each packet is good for one attempt. The last packet comes when nothing is under way any more that
 * began while something could get lost, so what it asks for is to come up.
 */
static void play_traffic_start(struct run *r)
{
	r->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	start_both(r);
	pass(r, between(r, 0, 20000));
	if (r->a->installs)
		world_fail(&r->w, "initiated before there was traffic");
	ike_core_acquire(r->a->core, "t0", NULL, r->w.now);
	/* Only traffic makes it try again, so keep it coming. */
	while (r->w.now < 200000 && !r->w.failed[0]) {
		pass(r, 5000);
		if (!up(r))
			ike_core_acquire(r->a->core, "t0", NULL, r->w.now);
	}
	lose_nothing(r);
	until_up(r, 100000);
	ike_core_acquire(r->a->core, "t0", NULL, r->w.now);
}

static void play_rebind(struct run *r)
{
	unsigned int times = 1 + (unsigned int)rnd_below(&r->rnd, 4);

	r->a->conf[0].mobike &= rnd_chance(&r->rnd, 50);
	start_both(r);
	while (times--) {
		pass(r, between(r, 0, 40000));
		if (r->a->nat.family)
			node_rebind(r->a);
	}
}

/* The path carries packets of 1,280 bytes, of 576, or of any size. */
static void play_long_messages(struct run *r)
{
	static const size_t max[] = { 1280 - 32, 576 - 32, IKE_MAX_MSG };

	vary_suite(r);
	say_much(r);
	limit_path(r, max[rnd_below(&r->rnd, 3)]);
	if (rnd_chance(&r->rnd, 30))
		both_initiate(r);
	start_both(r);
	until_up(r, 100000);
	pass(r, between(r, 0, 60000));
}

static void play_hub(struct run *r)
{
	struct node *n;
	unsigned int i;

	for (i = 1; i < 4; i++) {
		n = rnd_chance(&r->rnd, 50) ? world_node(&r->w) : world_node_nat(&r->w);
		world_link(&r->w, n, r->b, false);
		node_start(n, false);
		pass(r, rnd_below(&r->rnd, 300));
	}
	node_start(r->b, false);
	node_start(r->a, false);
	pass(r, 20000);
	i = (unsigned int)rnd_below(&r->rnd, 4);
	n = &r->w.node[r->w.link[i].a];
	ike_core_down(n->core, n->conf[i].name, r->w.now);
	pass(r, rnd_below(&r->rnd, 10000));
	ike_core_up(n->core, n->conf[i].name, r->w.now);
}

/* What may happen to a client. */
static void shake_client(struct run *r, unsigned int link, unsigned int hub)
{
	struct node *n = &r->w.node[r->w.link[link].a];

	switch (rnd_below(&r->rnd, 4)) {
	case 0:
		ike_core_down(n->core, n->conf[link].name, r->w.now);
		pass(r, rnd_below(&r->rnd, 20000));
		ike_core_up(n->core, n->conf[link].name, r->w.now);
		break;
	case 1:
		node_crash(n);
		pass(r, rnd_below(&r->rnd, 60000));
		node_start(n, false);
		break;
	case 2:
		if (n->nat.family)
			node_rebind(n);
		break;
	default:
		ike_core_client_down(r->b->core, r->b->conf[hub].name, client_number(&r->w, link),
				     r->w.now);
	}
}

/* Another agent of the hub finds what the former one left in the kernel. */
static void restart_hub(struct run *r)
{
	node_kill(r->b);
	pass(r, rnd_below(&r->rnd, 5000));
	node_start(r->b, true);
}

/* Three clients of a hub whose pool may be too small for all of them; kernel.c looks at what they get. */
static void play_pool(struct run *r)
{
	unsigned int hub = world_hub(&r->w, r->b, 4), size, i, works = 0;

	r->want = ANY;
	size = 2 + (unsigned int)rnd_below(&r->rnd, 3);
	world_hub_pool(&r->w, hub, size);
	r->b->conf[hub].rekey_child = rnd_chance(&r->rnd, 50) ? between(r, 5, 40) : 0;
	for (i = 0; i < 3; i++) {
		struct node *n = rnd_chance(&r->rnd, 50) ? world_node(&r->w)
							 : world_node_nat(&r->w);
		unsigned int link = world_client_asking(&r->w, n, hub);

		n->conf[link].rekey_ike = rnd_chance(&r->rnd, 50) ? between(r, 5, 40) : 0;
		n->conf[link].reauth = rnd_chance(&r->rnd, 30) ? between(r, 60, 90) : 0;
	}
	start_both(r);
	for (i = 0; i < 3; i++)
		node_start(&r->w.node[r->w.link[hub + 1 + i].a], false);
	for (i = (unsigned int)rnd_below(&r->rnd, 8); i; i--) {
		pass(r, rnd_below(&r->rnd, 30000));
		if (rnd_chance(&r->rnd, 20))
			restart_hub(r);
		else
			shake_client(r, hub + 1 + (unsigned int)rnd_below(&r->rnd, 3), hub);
	}
	lose_nothing(r);
	pass(r, 600000);
	for (i = hub + 1; i < hub + 4; i++)
		works += direction_works(&r->w.node[r->w.link[i].a], r->b, i) &&
			 direction_works(r->b, &r->w.node[r->w.link[i].a], i);
	if (works < (size < 3 ? size : 3))
		world_fail(&r->w, "%u clients have addresses, of %u that there are", works, size);
}

/* ---- EAP ----------------------------------------------------------------- */

/* a is a user of b; at first it may have another password, or b no such user. */
static void play_user(struct run *r)
{
	static const char *const passwords[] = { "clue", "no clue" };
	unsigned int i;

	node_set_password(r->a, 0, passwords[rnd_chance(&r->rnd, 30)]);
	start_both(r);
	for (i = (unsigned int)rnd_below(&r->rnd, 6); i; i--) {
		pass(r, rnd_below(&r->rnd, 40000));
		if (rnd_chance(&r->rnd, 30))
			node_kill(r->a);
		else if (rnd_chance(&r->rnd, 30))
			node_crash(
				r->b); /* it cannot begin: what it took over would wait for the user */
		if (!r->a->core)
			node_start(r->a, true);
		if (!r->b->core)
			node_start(r->b, false);
	}
	node_set_password(r->a, 0, passwords[0]);
	r->b->n_users = 0;
	node_add_user(r->b, "alice", "clue");
	ike_core_up(r->a->core, "t0", r->w.now); /* or it waits for long, as the server may count */
}

/* b serves a by EAP, whose jobs are late; a may have another method than b. */
static void play_eap(struct run *r)
{
	unsigned int md5 = rnd_chance(&r->rnd, 30) ? 1 << EAP_MD5 : 0;

	world_eap(&r->w, 0, world_keys[0], "alice", "clue", md5 | 1 << EAP_MSCHAPV2);
	node_add_user(r->b, rnd_chance(&r->rnd, 80) ? "alice" : "bob", "clue");
	if (md5)
		r->a->conf[0].eap_methods = md5;
	play_user(r);
}

/* EAP is the second one of two rounds. */
static void play_rounds(struct run *r)
{
	world_rounds(&r->w, 0, rnd_chance(&r->rnd, 50) ? world_keys[1] : NULL, world_keys[0],
		     "alice", "clue");
	node_add_user(r->b, rnd_chance(&r->rnd, 80) ? "alice" : "bob", "clue");
	play_user(r);
}

/* ---- rekeying ------------------------------------------------------------ */

enum { REKEY_MIN_S = 5, REKEY_MAX_S = 20, REKEY_PLAY_MS = 60000, ESP_JITTER_MAX_MS = 3000 };

/* One end or both rekey by age; often both with the same limits, so that they collide. */
static void set_rekeying(struct run *r, bool child, bool ike)
{
	unsigned int who = 1 + (unsigned int)rnd_below(&r->rnd, 3);
	struct ike_tunnel_conf *a = &r->a->conf[0], *b = &r->b->conf[0];

	if (rnd_chance(&r->rnd, 50))
		who = 3;
	if (who & 1) {
		a->rekey_child = child ? between(r, REKEY_MIN_S, REKEY_MAX_S) : 0;
		a->rekey_ike = ike ? between(r, REKEY_MIN_S, REKEY_MAX_S) : 0;
	}
	if (who & 2) {
		b->rekey_child = child ? between(r, REKEY_MIN_S, REKEY_MAX_S) : 0;
		b->rekey_ike = ike ? between(r, REKEY_MIN_S, REKEY_MAX_S) : 0;
	}
	if (who == 3 && rnd_chance(&r->rnd, 50)) {
		b->rekey_child = a->rekey_child;
		b->rekey_ike = a->rekey_ike;
	}
}

/*
 * Up, with limits set, on a network that is bad in one of several ways. ESP is owed from now
 * on, unless the network loses so much that an IKE SA ends for want of an answer.
 */
static bool rekeying_begun(struct run *r, bool child, bool ike)
{
	vary_suite(r);
	set_rekeying(r, child, ike);
	r->w.traffic = true;
	r->w.reuse = 0; /* exchanges know their pair by its SPI, see request_delete_child() */
	r->w.loss = rnd_chance(&r->rnd, 30) ? 0 : (unsigned int)rnd_below(&r->rnd, 41);
	r->w.esp_jitter =
		rnd_chance(&r->rnd, 30) ? 0 : (unsigned int)rnd_below(&r->rnd, ESP_JITTER_MAX_MS);
	if (rnd_chance(&r->rnd, 30))
		r->slower = rnd_below(&r->rnd, 3000);
	r->w.delay_max += (unsigned int)r->slower;
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	if (!until_up(r, 300000))
		return false;
	pass(r, between(r, 10000, 20000)); /* what both began at once is settled */
	r->w.link[0].watch = up(r);
	r->w.link[0].may_lose_peer = true;
	r->w.judge_rivals = true;
	return true;
}

static void play_rekey_child(struct run *r)
{
	if (rekeying_begun(r, true, false))
		pass(r, REKEY_PLAY_MS);
}

static void play_rekey_ike(struct run *r)
{
	if (rekeying_begun(r, false, true))
		pass(r, REKEY_PLAY_MS);
}

static void play_rekey_all(struct run *r)
{
	if (rekeying_begun(r, true, true))
		pass(r, REKEY_PLAY_MS);
}

/*
 * Groups of both ends for the key exchanges of pairs, which each end may offer, demand or do without
 * (1.3.1, 1.3.3): the same one, none, or one that the other asks for by INVALID_KE_PAYLOAD.
 */
static const struct groups {
	const char *a, *b; /* words of ESP */
	bool agree; /* else each rekeying of a pair is refused, and a new IKE SA brings the next */
	uint16_t group; /* that successors have; IKE_DH_NONE: none */
} groups[] = {
	{ "aes256gcm16-x25519", "aes256gcm16-x25519", true, IKE_DH_CURVE25519 },
	{ "aes256gcm16-x25519-pfs", "aes256gcm16-x25519-pfs", true, IKE_DH_CURVE25519 },
	{ "aes256gcm16-x25519", "aes256gcm16-x25519-pfs", true, IKE_DH_CURVE25519 },
	{ "aes256gcm16-ecp256-x25519-pfs", "aes256gcm16-x25519-pfs", true, IKE_DH_CURVE25519 },
	{ "aes256gcm16-ecp256-x25519", "aes256gcm16-x25519-ecp384-pfs", true, IKE_DH_CURVE25519 },
	{ "aes256gcm16-x25519", "aes256gcm16", true, IKE_DH_NONE },
	{ "aes256gcm16-x25519-pfs", "aes256gcm16", false, IKE_DH_NONE },
	{ "aes256gcm16-ecp256-pfs", "aes256gcm16-x25519-pfs", false, IKE_DH_NONE },
};

/* Successors have the group that both ends want. How many there are. */
static unsigned int check_groups(struct run *r, const struct groups *g)
{
	const struct node *end[2] = { r->a, r->b };
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++) {
		const struct ike_peer *p = TAILQ_FIRST(&end[i]->core->peers);
		const struct child_sa *c;
		const struct ike_sa *sa;

		TAILQ_FOREACH(sa, &p->sas, of_peer)
		TAILQ_FOREACH(c, &sa->children, link)
		{
			n += c->replaces != 0;
			if (c->replaces && c->suite.dh != g->group)
				world_fail(&r->w, "node %u has a successor of group %u, not %u", i,
					   c->suite.dh, g->group);
		}
	}
	return n;
}

static void play_rekey_groups(struct run *r)
{
	const struct groups *g = &groups[rnd_below(&r->rnd, sizeof(groups) / sizeof(groups[0]))];
	unsigned int n = 0;
	uint64_t end;

	r->esp[0] = g->a;
	r->esp[1] = g->b;
	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = g->agree;
	r->w.link[0].watch &= g->agree;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, 1000);
		n += check_groups(r, g);
	}
	if (g->agree != (n > 0) && !r->w.loss && !r->w.failed[0])
		world_fail(&r->w, "%s pair was rekeyed", n ? "a" : "no");
}

/* Is @c as the pair that it replaces? *@n counts what was compared. */
static void check_successor(struct run *r, const struct ike_sa *sa, const struct child_sa *c,
			    unsigned int *n)
{
	const struct child_sa *old = c->replaces ? child_find(sa, c->replaces, 0) : NULL;

	if (!old)
		return;
	++*n;
	if (memcmp(&c->suite.cipher, &old->suite.cipher, sizeof(c->suite.cipher)) ||
	    c->suite.esn != old->suite.esn)
		world_fail(&r->w, "a pair has other algorithms than the one that it replaces");
}

/*
 * Both ends have several suites, and each prefers another one: a pair that is rekeyed, by either end or
 * both at once, keeps what it has (2.8).
 */
static void play_rekey_algorithms(struct run *r)
{
	static const char *const esp[] = {
		"aes256gcm16, aes256-aes128-sha256-sha1",
		"aes128-sha1-noesn, aes128gcm16, aes256-sha256, aes256gcm16",
		"aes128-aes256-sha1-sha256, aes128gcm16-aes256gcm16",
		"3des-aes256-sha1-sha256, aes256ctr-sha256, aes256gcm16-noesn",
	};
	const struct child_sa *c;
	const struct ike_sa *sa;
	unsigned int i, n = 0;
	uint64_t end;

	r->esp[0] = esp[rnd_below(&r->rnd, 4)];
	r->esp[1] = esp[rnd_below(&r->rnd, 4)];
	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, 200);
		for (i = 0; i < 2; i++) {
			const struct ike_core *core = i ? r->b->core : r->a->core;

			TAILQ_FOREACH(sa, &TAILQ_FIRST(&core->peers)->sas, of_peer)
			TAILQ_FOREACH(c, &sa->children, link)
			check_successor(r, sa, c, &n);
		}
	}
	if (!n && !r->w.loss && !r->w.failed[0])
		world_fail(&r->w, "no pair was rekeyed");
}

static void play_rekey_rebind(struct run *r)
{
	uint64_t end;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, between(r, 0, 15000));
		node_rebind(r->a);
	}
}

/* Limits in bytes or packets come from the kernel, whenever they like and again and again. */
static void play_rekey_expire(struct run *r)
{
	struct node *n;
	uint64_t end;

	if (!rekeying_begun(r, rnd_chance(&r->rnd, 50), rnd_chance(&r->rnd, 50)))
		return;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, between(r, 0, rnd_chance(&r->rnd, 50) ? 100 : 8000));
		n = rnd_chance(&r->rnd, 50) ? r->a : r->b;
		if (node_out(n, 0))
			ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false,
					IKE_EXPIRE_SOFT, r->w.now);
	}
}

static void play_rekey_refused(struct run *r)
{
	uint64_t end;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = false;
	r->w.link[0].watch = false;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, between(r, 0, 15000));
		(rnd_chance(&r->rnd, 50) ? r->a : r->b)->fail_installs =
			(unsigned int)rnd_below(&r->rnd, 3);
	}
	r->a->fail_installs = r->b->fail_installs = 0;
}

static void play_rekey_adopt(struct run *r)
{
	struct node *n = rnd_chance(&r->rnd, 50) ? r->a : r->b;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = false;
	pass(r, between(r, 0, REKEY_PLAY_MS / 3));
	/* Lingering pairs go at once with the agent: what was sent on them has come. */
	r->w.esp_jitter = 0;
	pass(r, r->w.delay_min + ESP_JITTER_MAX_MS);
	node_kill(n);
	pass(r, rnd_below(&r->rnd, 3000));
	node_start(n, true);
	pass(r, REKEY_PLAY_MS);
}

static void play_rekey_down_up(struct run *r)
{
	struct node *n;
	uint64_t end;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = false;
	r->w.link[0].watch = false;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, between(r, 0, 20000));
		n = rnd_chance(&r->rnd, 50) ? r->a : r->b;
		ike_core_down(n->core, "t0", r->w.now);
		pass(r, between(r, 0, rnd_chance(&r->rnd, 50) ? 300 : 10000));
		ike_core_up(n->core, "t0", r->w.now);
	}
}

static void play_rekey_reboot(struct run *r)
{
	struct node *n = rnd_chance(&r->rnd, 50) ? r->a : r->b;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = false;
	r->w.link[0].watch = false;
	pass(r, between(r, 0, REKEY_PLAY_MS / 3));
	node_crash(n);
	pass(r, between(r, 1, 100000));
	node_start(n, false);
	pass(r, REKEY_PLAY_MS);
}

/* Memory is short for some time, while much happens: what could not be done is done later. */
static void play_no_memory(struct run *r)
{
	uint64_t seed = rnd_next(&r->rnd), end;
	struct node *n;

	if (rnd_chance(&r->rnd, 30))
		say_much(r);
	if (rnd_chance(&r->rnd, 50)) {
		both_initiate(r);
		start_both(r);
		memory_fail((unsigned int)between(r, 1, 30), seed);
		pass(r, between(r, 0, 60000));
	} else if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50))) {
		return;
	}
	r->w.link[0].watch = r->w.judge_rivals = false;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		memory_fail((unsigned int)between(r, 0, 30), ++seed);
		pass(r, between(r, 0, 15000));
		n = rnd_chance(&r->rnd, 50) ? r->a : r->b;
		if (rnd_chance(&r->rnd, 20)) {
			ike_core_down(n->core, "t0", r->w.now);
			pass(r, between(r, 0, 1000));
			ike_core_up(n->core, "t0", r->w.now);
		}
	}
	memory_fail(0, 0);
}

/* One machine or both are suspended, for a moment or for days. */
static void play_suspend(struct run *r)
{
	unsigned int times = 1 + (unsigned int)rnd_below(&r->rnd, 3);
	unsigned int who = 1 + (unsigned int)rnd_below(&r->rnd, 3);

	if (!rekeying_begun(r, rnd_chance(&r->rnd, 50), rnd_chance(&r->rnd, 50)))
		return;
	r->w.link[0].watch = r->w.judge_rivals = false;
	while (times-- && !r->w.failed[0]) {
		pass(r, between(r, 0, 20000));
		if (who & 1)
			node_sleep(r->a);
		if (who & 2)
			node_sleep(r->b);
		if (who == 3 && rnd_chance(&r->rnd, 50))
			r->w.now += between(r, 1, 3 * 86400) * 1000;
		else
			pass(r, between(r, 0, rnd_chance(&r->rnd, 50) ? 3000 : 200000));
		node_wake(r->a);
		if (rnd_chance(&r->rnd, 50))
			pass(r, rnd_below(&r->rnd, 30000));
		node_wake(r->b);
	}
}

/* ---- changes of address ------------------------------------------------------ */

enum {
	FLOWS_WITHIN_MS = 15000, /* after a change of address … */
	NOTED_WITHIN_MS =
		40000, /* … after one that an end notices only when it hears nothing for 20 s … */
	NAMED_WITHIN_MS =
		60000, /* … where only the name tells, but before the IKE SA is given up … */
	ANEW_WITHIN_MS = 120000, /* … and where the IKE SA has to be given up, or is gone already */
	/*
	 * Messages that may have to travel one after the other: what waited for its answer at the end that
	 * moved (2), with an additional key exchange (2); its update or list (1); what waited at the other end
	 * (2); the question there whether the peer is at that place (2), again as copies of it went on several
	 * paths (2), and under an IKE SA that took the place of the former one meanwhile, once the peer has the
	 * answer that made it (3); ESP (1).
	 */
	MOVE_TRIPS = 15,
};

static unsigned int lost_peers(const struct run *r)
{
	return r->a->lost_peers + r->b->lost_peers;
}

/*
 * ESP that leaves from now on comes through both ways, at the latest after @ms. That is longer if only
 * the NAT gave another address and the other end does not follow ESP: then silence alone tells; or if ESP
 * of neither leads to where the other is, as both moved before they heard of each other; or if one end
 * knows of a NAT that the other does not know of yet, so that they differ about UDP around ESP. It is
 * longer still if whoever decides knows no name that leads there, and if an IKE SA is no more, for want
 * of answers. Where messages are slower than in most runs, each of MOVE_TRIPS may come so much later.
 * The time for which an end waits because the network took a message is not the agents' (taken.c).
 */
static void must_flow(struct run *r, uint64_t ms)
{
	uint64_t at = r->w.now + 1000, begin = r->w.now - r->w.taken_ms;
	uint64_t slow = MOVE_TRIPS * r->slower;
	bool astray = !esp_leads(r->a, r->b, 0) && !esp_leads(r->b, r->a, 0);
	/* Of both it is a that knows the other's name, and tries that if it decides. */
	bool anew = !up(r) || (astray && !node_status(r->a, 0).mobike_decides);
	unsigned int lost = lost_peers(r);

	if (!r->w.traffic)
		return;
	r->w.answers = 0;
	do {
		if (r->a->last_rx[0] >= at && r->b->last_rx[0] >= at) {
			r->unnoticed = false;
			return;
		}
		anew |= lost_peers(r) != lost;
		astray |= !encap_leads(r->a, r->b, 0) || !encap_leads(r->b, r->a, 0);
		if (anew)
			ms = ANEW_WITHIN_MS;
		else if (astray)
			ms = NAMED_WITHIN_MS;
		else if (r->unnoticed && r->b->stays[0] && ms < NOTED_WITHIN_MS)
			ms = NOTED_WITHIN_MS;
	} while (r->w.now - r->w.taken_ms <= begin + ms + slow &&
		 world_step(&r->w, UINT64_MAX - 1));
	world_fail(&r->w, "no ESP for %llu ms after an address changed",
		   (unsigned long long)(ms + slow));
}

/* One end is somewhere else, maybe behind a NAT; names lead there soon. */
static void move_somewhere(struct run *r)
{
	struct node *n = rnd_chance(&r->rnd, 65) ? r->a : r->b;
	struct ike_addr addr = { 4, { 192, 0, 2, (uint8_t)between(r, 100, 103) } };
	struct ike_addr behind = { 4, { 10, 77, (uint8_t)n->index, (uint8_t)between(r, 2, 5) } };
	struct ike_addr nat = { 4, { 198, 51, 100, (uint8_t)between(r, 100, 103) } };
	struct ike_endpoint there;

	addr.b[3] = (uint8_t)(addr.b[3] + 10 * n->index);
	if (n == r->a && rnd_chance(&r->rnd, 30)) {
		r->unnoticed = ike_addr_eq(&n->addr, &behind);
		node_move(n, &behind, &nat);
	} else {
		r->unnoticed &= n != r->a;
		node_move(n, &addr, NULL);
	}
	if (n != r->b)
		return;
	there = (struct ike_endpoint){ n->addr, r->a->conf[0].remote.port };
	ike_core_tunnel_remote(r->a->core, "t0", &there);
}

static void move_about(struct run *r, bool in_peace)
{
	unsigned int times = 1 + (unsigned int)rnd_below(&r->rnd, 6);

	while (times-- && !r->w.failed[0]) {
		pass(r, between(r, 0, 20000));
		move_somewhere(r);
		if (in_peace && rnd_chance(&r->rnd, 70))
			must_flow(r, FLOWS_WITHIN_MS);
		else if (rnd_chance(&r->rnd, 30))
			pass(r, between(r, 0, 300));
		else
			pass(r, FLOWS_WITHIN_MS);
	}
}

static void play_move(struct run *r)
{
	r->w.traffic = rnd_chance(&r->rnd, 80);
	start_both(r);
	until_up(r, 100000);
	move_about(r, true);
}

/* Of the ends one takes no MOBIKE, and there is more loss. */
static void play_move_without(struct run *r)
{
	(rnd_chance(&r->rnd, 50) ? r->a : r->b)->conf[0].mobike = false;
	start_both(r);
	until_up(r, 100000);
	move_about(r, false);
}

static void play_move_attacked(struct run *r)
{
	start_both(r);
	until_up(r, 100000);
	move_about(r, false);
}

static void play_rekey_move(struct run *r)
{
	uint64_t end;

	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	r->w.judge_rivals = false;
	r->w.link[0].watch = false;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, between(r, 0, 15000));
		move_somewhere(r);
		if (rnd_chance(&r->rnd, 50))
			must_flow(r, FLOWS_WITHIN_MS);
	}
}

/* An end has two addresses, and one path after the other fails. */
static void play_path_fails(struct run *r)
{
	struct node *n = r->a->nat.family || rnd_chance(&r->rnd, 50) ? r->b : r->a;
	struct ike_addr more = { 4, { 192, 0, 2, 200 } }, both[2] = { n->addr, more };
	unsigned int times = 1 + (unsigned int)rnd_below(&r->rnd, 4);

	r->w.traffic = rnd_chance(&r->rnd, 80);
	n->more = more;
	start_both(r);
	ike_core_addresses(n->core, "t0", both, 2, r->w.now);
	if (!until_up(r, 100000))
		return;
	pass(r, 1000);
	while (times-- && !r->w.failed[0]) {
		n->dark[0] = !n->dark[0];
		n->dark[1] = !n->dark[0];
		must_flow(r, NOTED_WITHIN_MS);
		pass(r, between(r, 0, 20000));
	}
	n->dark[0] = n->dark[1] = false;
}

/* Both ends want transport mode, of all protocols or of GRE. */
static void want_transport(struct run *r)
{
	const char *text = rnd_chance(&r->rnd, 50) ? "any" : "any:gre";
	struct ike_tunnel_conf *end[2] = { &r->a->conf[0], &r->b->conf[0] };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		end[i]->mobike = false;
		end[i]->child[0].mode = IKE_MODE_TRANSPORT;
		wordy_selectors(&end[i]->child[0].local_ts, text);
		wordy_selectors(&end[i]->child[0].remote_ts, text);
	}
}

static void play_transport(struct run *r)
{
	static void (*const play[])(struct run *) = {
		play_reboot, play_down_up, play_dead_responder, play_kernel_refuses, play_rebind,
	};

	want_transport(r);
	play[rnd_below(&r->rnd, sizeof(play) / sizeof(play[0]))](r);
}

static void play_transport_steady(struct run *r)
{
	static void (*const play[])(struct run *) = {
		play_one_side,	play_both,	  play_adopt,	     play_rekey_child,
		play_rekey_all, play_rekey_adopt, play_rekey_expire,
	};

	want_transport(r);
	play[rnd_below(&r->rnd, sizeof(play) / sizeof(play[0]))](r);
}

static void play_transport_move(struct run *r)
{
	want_transport(r);
	play_move_without(r);
}

/* Neither end is for UDP alone: what ESP travels in is what the path takes. */
static void play_encap(struct run *r)
{
	static void (*const play[])(struct run *) = {
		play_one_side, play_both, play_move, play_rekey_all, play_rekey_move,
	};

	r->a->conf[0].encap = r->b->conf[0].encap = IKE_ENCAP_AUTO;
	play[rnd_below(&r->rnd, sizeof(play) / sizeof(play[0]))](r);
}

/* One end, or both, has plain ESP alone, and neither ever is behind a NAT. */
static void play_encap_esp(struct run *r)
{
	static void (*const play[])(struct run *) = {
		play_one_side, play_both, play_rekey_all, play_path_fails, play_path_fails,
	};
	static const enum ike_encap encap[] = { IKE_ENCAP_ESP, IKE_ENCAP_AUTO };

	r->a->nat.family = 0;
	r->b->conf[0].encap = encap[rnd_below(&r->rnd, 2)];
	r->a->conf[0].encap =
		encap[r->b->conf[0].encap == IKE_ENCAP_AUTO ? 0 : rnd_below(&r->rnd, 2)];
	play[rnd_below(&r->rnd, sizeof(play) / sizeof(play[0]))](r);
}

/* Both ends have the PPK, or one of them, or they have different ones; each requires it or not. False: that ends in nothing. */
static bool give_ppks(struct run *r)
{
	static const char *const key[2] = { "a PPK of this link", "another one" };
	unsigned int has[2] = { (unsigned int)rnd_below(&r->rnd, 3),
				(unsigned int)rnd_below(&r->rnd, 3) };
	struct node *end[2] = { r->a, r->b };
	bool needs[2], same = has[0] && has[0] == has[1];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		needs[i] = has[i] && rnd_chance(&r->rnd, 50);
		if (has[i])
			node_set_ppk(end[i], 0, has[i] == 1 ? "one" : "two", key[has[i] - 1],
				     needs[i]);
	}
	return same || !(needs[0] || needs[1]);
}

static void play_ppk(struct run *r)
{
	bool works = give_ppks(r);

	if (rnd_chance(&r->rnd, 30))
		world_sign(&r->w, 0, world_keys[0], world_keys[1]);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	if (!works) {
		r->want = NOTHING;
		r->w.no_installs = true;
	}
	start_both(r);
	if (rnd_chance(&r->rnd, 50)) {
		r->a->conf[0].rekey_ike = 30;
		r->b->conf[0].rekey_child = 20;
	}
	pass(r, 30000 + rnd_below(&r->rnd, 60000));
}

/* The same with a as a user of b: it is in the last messages of IKE_AUTH, beside jobs of EAP that are late. */
static void play_ppk_eap(struct run *r)
{
	unsigned int methods = 1u << (rnd_chance(&r->rnd, 30) ? EAP_MD5 : EAP_MSCHAPV2);

	if (!give_ppks(r)) {
		r->want = NOTHING;
		r->w.no_installs = true;
	}
	world_eap(&r->w, 0, world_keys[0], "alice", "clue", methods);
	node_add_user(r->b, "alice", "clue");
	if (rnd_chance(&r->rnd, 50)) {
		r->a->conf[0].rekey_ike = 30;
		r->b->conf[0].rekey_child = 20;
	}
	play_user(r);
}

/* The same with two rounds, of which it is in the first one. */
static void play_ppk_rounds(struct run *r)
{
	if (!give_ppks(r)) {
		r->want = NOTHING;
		r->w.no_installs = true;
	}
	world_rounds(&r->w, 0, rnd_chance(&r->rnd, 50) ? world_keys[1] : NULL, world_keys[0],
		     "alice", "clue");
	node_add_user(r->b, "alice", "clue");
	r->a->conf[0].rekey_ike = rnd_chance(&r->rnd, 50) ? 30 : 0;
	play_user(r);
}

/* How many successors of the node have keys of additional key exchanges. */
static unsigned int count_further(const struct node *n)
{
	const struct ike_peer *p = n->core ? TAILQ_FIRST(&n->core->peers) : NULL;
	const struct child_sa *c;
	const struct ike_sa *sa;
	unsigned int found = 0;

	if (!p)
		return 0;
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		TAILQ_FOREACH(c, &sa->children, link)
		found += c->suite.addke.n > 0;
	}
	return found;
}

/* Pairs are rekeyed with additional key exchanges, which one end may do without. */
static void play_rekey_further(struct run *r)
{
	static const char *const esp[] = {
		"aes256gcm16-x25519-ke1_ecp256",
		"aes256gcm16-x25519-ke1_ecp256-pfs",
		"aes256gcm16-ecp256/x25519-ke1_x25519/ke1_ecp384-ke2_ecp256/ke2_none",
	};
	unsigned int n = 0, i = (unsigned int)rnd_below(&r->rnd, 4);
	uint64_t end;

	r->esp[0] = esp[i % 3];
	r->esp[1] = i == 3 ? "aes256gcm16-x25519" : esp[i];
	if (!rekeying_begun(r, true, rnd_chance(&r->rnd, 50)))
		return;
	for (end = r->w.now + REKEY_PLAY_MS; r->w.now < end && !r->w.failed[0];) {
		pass(r, 1000);
		n += count_further(r->a);
	}
	if ((i < 3) != (n > 0) && !r->w.loss && !r->w.failed[0])
		world_fail(&r->w, "%s pair had additional key exchanges", n ? "a" : "no");
}

static const struct scenario scenarios[] = {
	{ "one-side", play_one_side, STEADY },
	{ "both-at-once", play_both, STEADY },
	{ "dead-responder", play_dead_responder, 0 },
	{ "peer-dies", play_peer_dies, 0 },
	{ "reboot", play_reboot, 0 },
	{ "down-up", play_down_up, 0 },
	{ "down", play_down, 0 },
	{ "cookies", play_cookies, 0 },
	{ "invalid-ke", play_invalid_ke, 0 },
	{ "wrong-psk", play_wrong_psk, 0 },
	{ "signatures", play_signatures, STEADY },
	{ "wrong-public-key", play_wrong_public_key, 0 },
	{ "wrong-id", play_wrong_id, 0 },
	{ "selectors-differ", play_selectors_differ, 0 },
	{ "narrowing", play_narrowing, 0 },
	{ "ike-proposals-differ", play_ike_proposals_differ, 0 },
	{ "esp-proposals-differ", play_esp_proposals_differ, 0 },
	{ "adopt", play_adopt, STEADY },
	{ "adopt", play_adopt, STEADY },
	{ "expire", play_expire, STEADY },
	{ "attacked", play_attacked, STEADY },
	{ "kernel-refuses", play_kernel_refuses, 0 },
	{ "traffic-start", play_traffic_start, 0 },
	{ "rebind", play_rebind, BEHIND_NAT },
	{ "move", play_move, STEADY },
	{ "move-without", play_move_without, STEADY },
	{ "move-attacked", play_move_attacked, 0 },
	{ "path-fails", play_path_fails, STEADY },
	{ "transport", play_transport, 0 },
	{ "transport-steady", play_transport_steady, STEADY },
	{ "transport-move", play_transport_move, STEADY },
	{ "encap", play_encap, STEADY },
	{ "encap-esp", play_encap_esp, STEADY },
	{ "hub", play_hub, 0 },
	{ "pool", play_pool, 0 },
	{ "long-messages", play_long_messages, 0 },
	{ "rekey-child", play_rekey_child, STEADY },
	{ "rekey-ike", play_rekey_ike, STEADY },
	{ "rekey-all", play_rekey_all, STEADY },
	{ "rekey-groups", play_rekey_groups, STEADY },
	{ "rekey-algorithms", play_rekey_algorithms, STEADY },
	{ "rekey-rebind", play_rekey_rebind, STEADY | BEHIND_NAT },
	{ "rekey-move", play_rekey_move, STEADY },
	{ "rekey-expire", play_rekey_expire, STEADY },
	{ "rekey-refused", play_rekey_refused, STEADY },
	{ "rekey-adopt", play_rekey_adopt, STEADY },
	{ "rekey-down-up", play_rekey_down_up, 0 },
	{ "rekey-reboot", play_rekey_reboot, 0 },
	{ "no-memory", play_no_memory, STEADY },
	{ "suspend", play_suspend, STEADY },
	{ "ppk", play_ppk, 0 },
	{ "rekey-further", play_rekey_further, STEADY },
	{ "eap", play_eap, 0 },
	{ "rounds", play_rounds, 0 },
	{ "ppk-eap", play_ppk_eap, 0 },
	{ "certified", play_certified, 0 },
	{ "wrong-cert", play_wrong_cert, 0 },
	{ "revocation", play_revocation, 0 },
	{ "renewed-cert", play_renewed_cert, 0 },
	{ "eap-tls", play_eap_tls, 0 },
	{ "cert-then-eap", play_cert_then_eap, 0 },
	{ "hinted", play_hinted, STEADY },
	{ "ppk-rounds", play_ppk_rounds, 0 },
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* ---- one run ------------------------------------------------------------- */

static void set_network(struct run *r, const struct scenario *s)
{
	struct world *w = &r->w;

	w->hostile = !(s->kind & STEADY) && rnd_chance(&r->rnd, 33);
	w->attack = w->hostile ? 5 + (unsigned int)rnd_below(&r->rnd, 60) : 0;
	w->spoof = true;
	w->loss = (unsigned int)rnd_below(&r->rnd, (s->kind & STEADY) ? 9 : 31);
	if (rnd_chance(&r->rnd, 25))
		w->loss = 0;
	w->duplicate = (unsigned int)rnd_below(&r->rnd, 25);
	w->delay_min = (unsigned int)rnd_below(&r->rnd, 50);
	w->delay_max = w->delay_min + (unsigned int)rnd_below(&r->rnd, 400);
	w->job_delay = rnd_chance(&r->rnd, 50) ? 0 : (unsigned int)rnd_below(&r->rnd, 501);
	w->job_loss = (s->kind & STEADY) || rnd_chance(&r->rnd, 75)
			      ? 0
			      : (unsigned int)rnd_below(&r->rnd, 31);
	w->traffic = rnd_chance(&r->rnd, 50);
	w->reuse = 50;
}

static void calm_down(struct run *r)
{
	unsigned int i;

	for (i = 0; i < r->w.n_nodes; i++)
		node_stop_rekeying(&r->w.node[i]);
	lose_nothing(r);
	world_run(&r->w, r->w.now + r->calm_ms);
}

static void check_log(struct run *r, const struct node *n, const char *words)
{
	if (words && !strstr(n->log, words))
		world_fail(&r->w, "node %u's log does not say \"%s\" but: %.200s", n->index, words,
			   n->log);
}

/* Does ESP come through, with the outer addresses as they are now? */
static void check_flow(struct run *r, unsigned int link)
{
	const struct sim_link *l = &r->w.link[link];
	const struct node *end[2] = { &r->w.node[l->a], &r->w.node[l->b] };
	unsigned int i;

	for (i = 0; i < 2 && r->w.traffic; i++) {
		if (end[i]->last_rx[link] + 2000 < r->w.now)
			world_fail(&r->w, "link %u: node %u receives no ESP", link, end[i]->index);
	}
}

static void check_outcome(struct run *r)
{
	struct world *w = &r->w;
	struct ike_core_stats st;
	unsigned int i;
	char why[200];

	for (i = 0; i < w->n_links; i++) {
		if (r->want != ANY && !link_at_rest(w, i, r->want == PAIR, why, sizeof(why)))
			world_fail(w, "not at rest: %s", why);
		if (r->want == PAIR && (w->node[w->link[i].a].state[i] != IKE_TUNNEL_UP ||
					w->node[w->link[i].b].state[i] != IKE_TUNNEL_UP))
			world_fail(w, "link %u works but its state is not up at both ends", i);
		if (r->want == PAIR)
			check_flow(r, i);
	}
	for (i = 0; i < w->n_nodes; i++) {
		if (!w->node[i].core)
			continue;
		ike_core_stats(w->node[i].core, &st);
		if (r->want == PAIR && st.ike_sas != node_count(&w->node[i], 0, true) +
							     node_count(&w->node[i], 1, true) +
							     node_count(&w->node[i], 2, true) +
							     node_count(&w->node[i], 3, true))
			world_fail(w, "node %u has %u IKE SAs at rest", i, st.ike_sas);
		if (r->want == PAIR && st.children != st.ike_sas)
			world_fail(w, "node %u has %u pairs for %u IKE SAs at rest", i, st.children,
				   st.ike_sas);
		if (r->want == PAIR && st.half_open)
			world_fail(w, "node %u has %u half-open IKE SAs at rest", i, st.half_open);
	}
	if (!w->hostile && !w->attack) {
		check_log(r, r->a, r->say[0]);
		check_log(r, r->b, r->say[1]);
	}
}

static void shut_down(struct run *r)
{
	struct world *w = &r->w;
	unsigned int i;

	for (i = 0; i < w->n_links; i++)
		w->link[i].watch = false;
	w->judge_rivals = false;
	for (i = 0; i < w->n_nodes; i++) {
		if (w->node[i].core)
			ike_core_shutdown(w->node[i].core, w->now);
	}
	world_run(w, w->now + 12000);
	for (i = 0; i < w->n_nodes; i++) {
		if (!w->node[i].core)
			continue;
		if (!ike_core_idle(w->node[i].core))
			world_fail(w, "node %u is not idle after shutdown", i);
		if (w->node[i].n_sa)
			world_fail(w, "node %u leaves %u SAs in the kernel after shutdown", i,
				   w->node[i].n_sa);
	}
}

/* What was half open at the shutdown is forgotten, and then no job is left. */
static void check_jobs(struct run *r)
{
	struct world *w = &r->w;

	world_run(w, w->now + IKESA_HALF_OPEN_MS);
	for (unsigned int i = 0; i < w->n_nodes && !w->failed[0]; i++) {
		unsigned int left = w->node[i].core ? node_jobs_left(&w->node[i]) : 0;

		if (left)
			world_fail(w, "node %u leaves %u jobs after shutdown", i, left);
	}
}

/* @r must be zeroed. */
static void run_one(struct run *r, uint64_t seed, const struct scenario *s, unsigned int verbose)
{
	memory_fail(0, 0);
	randomness_from(seed);
	world_init(&r->w, seed);
	r->w.judge_proofs = true;
	r->rnd.s = rnd_next(&r->w.rnd);
	r->w.verbose = verbose;
	r->want = PAIR;
	r->calm_ms = CALM_MS;
	set_network(r, s);
	r->a = rnd_chance(&r->rnd, 40) || (s->kind & BEHIND_NAT) ? world_node_nat(&r->w)
								 : world_node(&r->w);
	r->b = world_node(&r->w);
	world_link(&r->w, r->a, r->b, false);
	if (rnd_chance(&r->rnd, 20)) /* straight to port 4500 */
		r->a->conf[0].remote.port = IKE_NATT_PORT;
	if (verbose)
		printf("# seed %llu: %s%s%s, loss %u %%, duplicates %u %%, delay %u-%u ms%s\n",
		       (unsigned long long)seed, s->name, r->a->nat.family ? ", NAT" : "",
		       r->w.hostile ? ", attacker" : "", r->w.loss, r->w.duplicate, r->w.delay_min,
		       r->w.delay_max, r->w.traffic ? ", traffic" : "");
	s->play(r);
	if (!r->w.failed[0])
		pass(r, rnd_below(&r->rnd, 40000));
	if (!r->w.failed[0])
		calm_down(r);
	if (!r->w.failed[0])
		check_outcome(r);
	if (!r->w.failed[0])
		shut_down(r);
	if (!r->w.failed[0])
		check_jobs(r);
	world_free(&r->w);
}

/* ---- command line -------------------------------------------------------- */

struct options {
	unsigned long long seed, runs;
	const char *scenario;
	unsigned int verbose, jobs;
};

static int usage(const char *self)
{
	fprintf(stderr, "usage: %s [--runs N] [--seed S] [--scenario NAME] [--jobs N] [-v]...\n",
		self);
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	bool one = false, many = false;
	int i;

	*o = (struct options){ .seed = SEED_DEFAULT, .runs = RUNS_DEFAULT };
	o->jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v")) {
			o->verbose++;
		} else if (i + 1 < argc && !strcmp(argv[i], "--runs")) {
			o->runs = strtoull(argv[++i], NULL, 0);
			many = true;
		} else if (i + 1 < argc && !strcmp(argv[i], "--seed")) {
			o->seed = strtoull(argv[++i], NULL, 0);
			one = true;
		} else if (i + 1 < argc && !strcmp(argv[i], "--jobs")) {
			o->jobs = (unsigned int)strtoul(argv[++i], NULL, 0);
		} else if (i + 1 < argc && !strcmp(argv[i], "--scenario")) {
			o->scenario = argv[++i];
		} else {
			return -1;
		}
	}
	/* --seed alone replays one run; with --runs it is where to begin. */
	if (one && !many)
		o->runs = 1;
	if (o->jobs > o->runs)
		o->jobs = (unsigned int)o->runs;
	return o->runs && o->jobs ? 0 : -1;
}

/* What came of the runs of one process. */
struct tally {
	unsigned long long done[SCENARIOS], bad[SCENARIOS];
	unsigned long long judged; /* successors that went because of a collision */
};

/* Every @o->jobs-th run, from number @first on. */
static void run_share(const struct options *o, const char *self, unsigned int first,
		      struct tally *t)
{
	unsigned long long i, seed;
	unsigned int k;
	struct run *r;

	for (i = first; i < o->runs; i += o->jobs) {
		seed = o->seed + i;
		k = (unsigned int)(seed % SCENARIOS);
		if (o->scenario && strcmp(scenarios[k].name, o->scenario))
			continue;
		r = zero_pages(sizeof(*r));
		run_one(r, seed, &scenarios[k], o->verbose);
		t->done[k]++;
		t->judged += r->w.judged;
		if (r->w.failed[0]) {
			t->bad[k]++;
			printf("# seed %llu, %s: %s\n# replay: %s --seed %llu -v -v\n", seed,
			       scenarios[k].name, r->w.failed, self, seed);
		}
		munmap(r, sizeof(*r));
	}
}

/* The shares are run by a process each; false if one of them does not end well. */
static bool run_all(const struct options *o, const char *self, struct tally *t)
{
	unsigned int i;
	bool well = true;
	int status;

	for (i = 1; i < o->jobs; i++) {
		switch (fork()) {
		case -1: return false;
		case 0: run_share(o, self, i, &t[i]); exit(0);
		}
	}
	run_share(o, self, 0, &t[0]);
	while (wait(&status) > 0)
		well &= status == 0;
	return well;
}

int main(int argc, char **argv)
{
	unsigned long long failures = 0, done, bad, judged = 0;
	unsigned int i, k, rows = 0;
	struct options o;
	struct tally *t;
	bool well;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse(&o, argc, argv))
		return usage(argv[0]);
	certs_make();
	t = mmap(NULL, o.jobs * sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		 0);
	if (t == MAP_FAILED)
		return 1;
	well = run_all(&o, argv[0], t);
	for (k = 0; k < SCENARIOS; k++) {
		for (i = 0, done = 0, bad = 0; i < o.jobs; i++) {
			done += t[i].done[k];
			bad += t[i].bad[k];
		}
		failures += bad;
		if (done)
			printf("%sok %u - %s: %llu runs, %llu failed\n", bad ? "not " : "", ++rows,
			       scenarios[k].name, done, bad);
	}
	for (i = 0; i < o.jobs; i++)
		judged += t[i].judged;
	if (!o.scenario && o.runs >= COLLIDING_RUNS) {
		printf("%sok %u - collisions: of %llu the successor with the lowest nonce went\n",
		       judged ? "" : "not ", ++rows, judged);
		well &= judged > 0;
	}
	if (!well)
		printf("not ok %u - a process did not end well\n", ++rows);
	printf("1..%u\n", rows);
	munmap(t, o.jobs * sizeof(*t));
	certs_free();
	return failures || !well;
}
