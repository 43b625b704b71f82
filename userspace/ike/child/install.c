// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pairs of ESP SAs: their keys (RFC 7296 2.17), and their way into the kernel one half at a time.
 *
 * negotiate.c calls install_pair() when both ends agreed. A responder that replaces a working pair
 * installs the inbound half only; the keys of the outbound half stay in the pair until
 * install_outbound() is called (collide.c), because the peer proved that it has the pair or because
 * nothing else carries traffic. Whatever fails is the error of the tunnel.
 */
#include "ike/child/layer_child.h"

#include <errno.h>
#include <stdlib.h>

uint32_t install_reserve_spi(struct ike_core *core, struct ike_sa *sa)
{
	uint32_t spi = 0;
	int rc = core->env.spi_alloc(core->env.ctx, sa->peer->conf->name, sa->peer->id, &spi);

	if (!rc && spi)
		return spi;
	report_error(core, sa->peer, sa, "the kernel gave no SPI for a new SA%s%s", rc ? ": " : "",
		     rc ? strerror(-rc) : "");
	return 0;
}

/* Where the peer's ESP goes: an IKE SA still on port 500 has its ESP on 4500 (2.23). */
static struct ike_endpoint esp_endpoint(const struct ike_endpoint *e, uint16_t natt_port)
{
	struct ike_endpoint out = *e;

	if (out.port == IKE_PORT)
		out.port = natt_port;
	return out;
}

/*
 * The sooner of what is configured and what a cipher bears: two equal blocks of ciphertext tell of
 * their plain texts, and blocks of 64 bits come to that. Of the 2^27 in 1 GiB two are equal in one of
 * 2,000 SAs (Sweet32). An SA without a limit the kernel ends after 8 MiB already: its key was given
 * by hand, and who knows when it is changed. The agent rekeys, which bounds the damage per key.
 */
static uint64_t soft_bytes(const struct tunnel_conf *conf, const struct ike_cipher *cipher)
{
	uint64_t bytes = conf->rekey_bytes;

	if (ike_cipher_block(cipher) == 8 && (!bytes || bytes > CHILD_BLOCK64_BYTES))
		return CHILD_BLOCK64_BYTES;
	return bytes;
}

/* Should rekeying fail, the SA ends while two equal blocks are still unlikely. */
static uint64_t hard_bytes(const struct ike_cipher *cipher)
{
	return ike_cipher_block(cipher) == 8 ? 4ULL * CHILD_BLOCK64_BYTES : 0;
}

/* If a NAT changed addresses that checksums of the peer's packets cover (RFC 3948 3.1.2), @ch gets these. */
static void set_nat_oa(struct ike_child *ch, const struct negotiation *n)
{
	const struct ike_addr *local = &n->nat_oa_local, *remote = &n->nat_oa_remote;

	if (ch->mode != IKE_MODE_TRANSPORT || ch->plain || !local->family || !remote->family ||
	    (ike_addr_eq(local, &ch->local.addr) && ike_addr_eq(remote, &ch->remote.addr)))
		return;
	ch->nat_oa_local = *local;
	ch->nat_oa_remote = *remote;
}

/* Hand @part of the pair to the kernel. @n: what it was agreed on by; NULL for the outbound half alone. */
static int install_part(struct ike_core *core, struct ike_sa *sa, struct child_sa *c,
			enum ike_child_part part, const struct negotiation *n)
{
	const struct tunnel_conf *conf = sa->peer->conf;
	const struct esp_keys *k = c->keys;
	struct ike_ts_list local, remote;
	struct ike_child ch = {
		.tunnel = conf->name,
		.peer = sa->peer->id,
		.part = part,
		.mode = c->mode,
		.spi_in = c->spi_in,
		.spi_out = c->spi_out,
		.local = esp_endpoint(&sa->local, conf->local.port),
		.remote = esp_endpoint(address_of_esp(sa), IKE_NATT_PORT),
		.plain = natd_is_plain(&sa->natd),
		.cipher = c->suite.cipher,
		.esn = c->suite.esn,
		/* "i" is what the initiator of the exchange sends with. */
		.key_in = c->ours ? k->er : k->ei,
		.key_out = c->ours ? k->ei : k->er,
		.integ_in = k->a_len ? (c->ours ? k->ar : k->ai) : NULL,
		.integ_out = k->a_len ? (c->ours ? k->ai : k->ar) : NULL,
		.key_len = k->e_len,
		.integ_len = k->a_len,
		.soft_bytes = sa_jitter(core, soft_bytes(conf, &c->suite.cipher)),
		.hard_bytes = hard_bytes(&c->suite.cipher),
		.soft_packets = sa_jitter(core, conf->rekey_packets),
		.local_ts = &local,
		.remote_ts = &remote,
	};
	int rc;

	/* No child SA without an authenticated IKE SA, whatever led here. */
	if (!ikesa_authenticated(sa))
		return -EACCES;
	child_selectors(c, &local, &remote);
	if (n)
		set_nat_oa(&ch, n);
	rc = core->env.sa_install(core->env.ctx, &ch);
	if (rc)
		return rc;
	if (core->env.keylog && part != IKE_CHILD_OUT) {
		const struct ike_keylog log = { .cipher = &ch.cipher, .child = &ch };

		core->env.keylog(core->env.ctx, &log);
	}
	if (part != IKE_CHILD_IN) {
		c->out = true;
		child_wipe_keys(c);
	}
	return 0;
}

void install_plan_rekey(struct ike_core *core, const struct ike_sa *sa, struct child_sa *c)
{
	uint64_t period = 1000ULL * sa->peer->conf->rekey_child;

	c->next_at = period ? core->now + sa_jitter(core, period) : TIMER_NEVER;
}

static void begin_up(struct ike_core *core, const struct ike_sa *sa, struct child_sa *c)
{
	c->state = CHILD_UP;
	install_plan_rekey(core, sa, c);
}

/* The pair as an object, with its keys. */
static struct child_sa *make_pair(struct ike_core *core, const struct ike_sa *sa,
				  const struct negotiation *n)
{
	struct child_sa *c = child_new(&n->local, &n->remote);
	const struct followup *f = n->further;

	if (!c)
		return NULL;
	c->conf = n->conf;
	c->mode = n->mode;
	c->spi_in = n->spi_in;
	c->spi_out = n->spi_out;
	c->proposal = n->chosen;
	c->suite = n->suite;
	c->ours = n->ours;
	c->replaces = n->replaces;
	c->at = core->now;
	c->state = CHILD_IN;
	c->next_at = core->now + (c->ours ? CHILD_IN_MS : CHILD_PROOF_MS);
	ike_nonces_lower(&n->nonces, c->low_nonce);
	c->keys = calloc(1, sizeof(*c->keys));
	if (c->keys && claim_enter(core, sa->peer, n->remote.ts, n->remote.n, &c->claims) &&
	    !esp_keys_derive(c->keys, &c->suite.cipher, &sa->keys, &n->nonces,
			     n->secret.len ? n->secret.data : NULL, n->secret.len,
			     f ? f->secret + 1 : NULL, f ? f->done : 0))
		return c;
	child_free(c);
	return NULL;
}

static void log_pair(struct ike_core *core, struct ike_sa *sa, const struct child_sa *c)
{
	struct ike_ts_list local, remote;
	char prop[160], l[200], r[200];

	child_selectors(c, &local, &remote);
	report_line(core, IKE_LOG_INFO, NULL, sa, "child SA in 0x%08x out 0x%08x: %s%s, %s = %s",
		    c->spi_in, c->spi_out, ike_proposal_print(prop, sizeof(prop), &c->proposal),
		    c->mode == IKE_MODE_TRANSPORT ? ", transport mode" : "",
		    ike_ts_list_print(l, sizeof(l), IKE_TS_OFFER(&local)),
		    ike_ts_list_print(r, sizeof(r), IKE_TS_OFFER(&remote)));
}

/* Is another child SA refused? Then the last error tells why. */
static bool has_refused(const struct ike_peer *p, unsigned int conf)
{
	unsigned int i;

	for (i = 0; i < p->conf->n_child; i++) {
		if (i != conf && p->want[i].refused)
			return true;
	}
	return false;
}

struct child_sa *install_pair(struct ike_core *core, struct ike_sa *sa, const struct negotiation *n)
{
	struct child_sa *c = make_pair(core, sa, n);
	int rc = -ENOMEM;

	if (c)
		rc = install_part(core, sa, c, n->inbound_first ? IKE_CHILD_IN : IKE_CHILD_BOTH, n);
	else
		report_error(core, sa->peer, sa, "deriving the keys of a child SA failed");
	if (c && rc)
		report_error(
			core, sa->peer, sa,
			"the kernel refused the new pair of SAs: %s; see dmesg, and `esptun sa show` for what is there",
			strerror(-rc));
	if (rc) {
		if (c)
			child_free(c);
		return NULL;
	}
	if (c->out)
		begin_up(core, sa, c);
	TAILQ_INSERT_TAIL(&sa->children, c, link);
	log_pair(core, sa, c);
	if (!has_refused(sa->peer, c->conf)) {
		report_forget_error(sa->peer);
		report_forget_error(sa->peer->tunnel->first);
	}
	event_note_child(core, sa->peer, c->conf, EVENT_CHILD_UP);
	sa_touch(core, sa);
	return c;
}

/* In transport mode the selectors are the addresses that the IKE SA had when the pair was agreed on. */
static bool is_of_endpoints(const struct ike_sa *sa, const struct child_sa *c)
{
	struct ike_ts_list local, remote;

	child_selectors(c, &local, &remote);
	return c->mode == IKE_MODE_TUNNEL || (ike_ts_of_address(&local, &sa->local.addr) &&
					      ike_ts_of_address(&remote, &sa->remote.addr));
}

bool install_outbound(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	int rc;

	if (c->state != CHILD_IN || !ikesa_authenticated(sa))
		return false;
	if (!is_of_endpoints(sa, c)) { /* it carries nothing any more; another IKE SA comes */
		request_delete_child(core, sa, c);
		return false;
	}
	rc = install_part(core, sa, c, IKE_CHILD_OUT, NULL);
	if (!rc) {
		begin_up(core, sa, c);
		sa_touch(core, sa);
		return true;
	}
	report_error(core, sa->peer, sa, "the kernel refused the outbound SA: %s", strerror(-rc));
	request_delete_child(core, sa, c);
	return false;
}
