// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pairs of ESP SAs: their keys (RFC 7296 2.17), and their way into the kernel one half at a time.
 *
 * negotiate.c calls install_pair() when both ends agreed. A responder that replaces a working pair
 * installs the inbound half only; the keys of the outbound half stay in the pair until
 * install_outbound() is called, because the peer proved that it has the pair or because nothing
 * else carries traffic. Whatever fails is the error of the tunnel.
 */
#include "ike/sa/layer_child.h"

#include <errno.h>
#include <stdlib.h>

uint32_t install_reserve_spi(struct ike_core *core, struct ike_sa *sa)
{
	uint32_t spi = 0;
	int rc = core->env.spi_alloc(core->env.ctx, sa->tunnel->conf.name, &spi);

	if (!rc && spi)
		return spi;
	report_error(core, sa->tunnel, sa, "the kernel gave no SPI for a new SA%s%s",
		     rc ? ": " : "", rc ? strerror(-rc) : "");
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

/* Hand @part of the pair to the kernel. */
static int install_part(struct ike_core *core, struct ike_sa *sa, struct child_sa *c,
			const struct esp_keys *k, enum ike_child_part part)
{
	struct ike_ts_list local, remote;
	struct ike_child ch = {
		.tunnel = sa->tunnel->conf.name,
		.part = part,
		.spi_in = c->spi_in,
		.spi_out = c->spi_out,
		.local = esp_endpoint(&sa->local, sa->tunnel->conf.local.port),
		.remote = esp_endpoint(&sa->remote, IKE_NATT_PORT),
		.cipher = c->suite.cipher,
		.esn = c->suite.esn,
		/* "i" is what the initiator of the exchange sends with. */
		.key_in = sa->initiator ? k->er : k->ei,
		.key_out = sa->initiator ? k->ei : k->er,
		.integ_in = k->a_len ? (sa->initiator ? k->ar : k->ai) : NULL,
		.integ_out = k->a_len ? (sa->initiator ? k->ai : k->ar) : NULL,
		.key_len = k->e_len,
		.integ_len = k->a_len,
		.local_ts = &local,
		.remote_ts = &remote,
	};
	int rc;

	/* No child SA without an authenticated IKE SA, whatever led here. */
	if (!ikesa_authenticated(sa))
		return -EACCES;
	child_selectors(c, &local, &remote);
	rc = core->env.sa_install(core->env.ctx, &ch);
	if (rc)
		return rc;
	c->in |= part != IKE_CHILD_OUT;
	c->out |= part != IKE_CHILD_IN;
	if (core->env.keylog && part != IKE_CHILD_OUT) {
		const struct ike_keylog log = { .cipher = &ch.cipher, .child = &ch };

		core->env.keylog(core->env.ctx, &log);
	}
	return 0;
}

static bool install_derived(struct ike_core *core, struct ike_sa *sa, struct child_sa *c,
			    bool inbound_first)
{
	const struct ike_nonces n = { .i = sa->setup->ni,
				      .r = sa->setup->nr,
				      .i_len = sa->setup->ni_len,
				      .r_len = sa->setup->nr_len };
	int rc;

	c->keys = calloc(1, sizeof(*c->keys));
	if (!c->keys || esp_keys_derive(c->keys, &c->suite.cipher, &sa->keys, &n, NULL, 0)) {
		report_error(core, sa->tunnel, sa, "deriving the keys of a child SA failed");
		return false;
	}
	rc = install_part(core, sa, c, c->keys, inbound_first ? IKE_CHILD_IN : IKE_CHILD_BOTH);
	if (rc) {
		report_error(
			core, sa->tunnel, sa,
			"the kernel refused the new pair of SAs: %s; see dmesg, and `esptun sa show` for what is there",
			strerror(-rc));
		return false;
	}
	if (!inbound_first)
		child_wipe_keys(c);
	return true;
}

static void log_pair(struct ike_core *core, struct ike_sa *sa, const struct child_sa *c)
{
	struct ike_ts_list local, remote;
	char prop[160], l[200], r[200];

	child_selectors(c, &local, &remote);
	report_line(core, IKE_LOG_INFO, NULL, sa, "child SA in 0x%08x out 0x%08x: %s, %s = %s",
		    c->spi_in, c->spi_out, ike_proposal_print(prop, sizeof(prop), &c->proposal),
		    ike_ts_list_print(l, sizeof(l), IKE_TS_OFFER(&local)),
		    ike_ts_list_print(r, sizeof(r), IKE_TS_OFFER(&remote)));
}

bool install_pair(struct ike_core *core, struct ike_sa *sa, uint32_t spi_in, uint32_t spi_out,
		  const struct ike_proposal *chosen, const struct ike_ts_list *local,
		  const struct ike_ts_list *remote, bool inbound_first)
{
	struct child_sa *c = child_new(local, remote);

	if (!c || esp_suite_from_proposal(chosen, &c->suite)) {
		report_error(core, sa->tunnel, sa,
			     "no memory for a child SA, or its algorithms are unknown");
		child_spi_release(core, sa, spi_in);
		free(c);
		return false;
	}
	c->spi_in = spi_in;
	c->spi_out = spi_out;
	c->proposal = *chosen;
	c->at = core->now;
	if (!install_derived(core, sa, c, inbound_first)) {
		child_spi_release(core, sa, spi_in);
		child_free(c);
		return false;
	}
	TAILQ_INSERT_TAIL(&sa->children, c, link);
	log_pair(core, sa, c);
	sa->tunnel->last_error[0] = '\0';
	event_note(core, sa->tunnel, EVENT_CHILD_UP);
	return true;
}

void install_outbound(struct ike_core *core, struct ike_sa *sa)
{
	struct child_sa *c;
	int rc;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (!c->keys || c->out || c->unwanted || !ikesa_authenticated(sa))
			continue;
		rc = install_part(core, sa, c, c->keys, IKE_CHILD_OUT);
		child_wipe_keys(c);
		if (rc) {
			report_error(core, sa->tunnel, sa, "the kernel refused the outbound SA: %s",
				     strerror(-rc));
			c->unwanted = true;
		}
	}
}
