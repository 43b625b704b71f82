/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of ESP SAs: agreeing on one with the peer, and its way into the kernel. IKE_AUTH and
 * CREATE_CHILD_SA do both alike; what differs is in struct negotiation.
 */
#ifndef ESPTUN_IKE_LAYER_CHILD_H
#define ESPTUN_IKE_LAYER_CHILD_H

#include "ike/core/layer_ikesa.h"

/* What one exchange agrees on about a pair. */
struct negotiation {
	/* Set by the exchange. */
	bool own_exchange; /* CREATE_CHILD_SA: it has nonces, and maybe a key exchange, of its own */
	bool ours; /* we began the exchange */
	bool inbound_first; /* the outbound half waits, see enum child_state */
	struct ike_nonces nonces;
	struct ike_kex *kex; /* our part of the key exchange; NULL: none (yet) */
	uint32_t spi_in; /* initiator: reserved for it */
	uint32_t deleted; /* initiator: the peer has deleted the pair if this is its outbound SPI */
	const struct esp_suite
		*same; /* responder: of the pair that is renewed, to be kept; or NULL */

	/* Set by negotiate_begin(): what we want. */
	unsigned int conf; /* as in child_sa; responder: CHILD_ANY until one is chosen */
	uint32_t replaces; /* inbound SPI of the pair it replaces; 0: of none */
	enum ike_mode mode; /* responder: of the configured child SA that is chosen */
	struct ike_proposals esp;
	struct ike_ts_list local, remote; /* in the end: what both agreed on */

	/* What both agreed on. */
	struct ike_proposal chosen;
	struct esp_suite suite;
	struct ike_secret secret;
	/*
	 * Additional key exchanges come first: what they need. Then there is no pair yet, and it is the caller's
	 * until negotiate_finish(). NULL: there are none.
	 */
	struct followup *further;
	uint32_t spi_out;
	/*
	 * Transport mode: the addresses that both ends have for the peer, which it named in its
	 * selectors; a NAT may have us see others. Family 0: it named none that a host can have.
	 */
	struct ike_addr nat_oa_local, nat_oa_remote;
	bool more_possible; /* responder: another configured child SA fits what the peer asks for, too */
	uint16_t refused; /* responder: the notify that it was refused with */
};

/* ---- install.c --------------------------------------------------------------- */

/* Reserve an inbound SPI for the tunnel of @sa; 0 if refused, with the tunnel's error set. */
uint32_t install_reserve_spi(struct ike_core *core, struct ike_sa *sa);

/*
 * Derive keys for what was agreed and install the pair under @sa. NULL: that failed, the reason is the
 * tunnel's last error, the SPI is still reserved.
 */
struct child_sa *install_pair(struct ike_core *core, struct ike_sa *sa,
			      const struct negotiation *n);
/* We rekey the pair, which is up, when it is so old as configured. */
void install_plan_rekey(struct ike_core *core, const struct ike_sa *sa, struct child_sa *c);
/* Install the outbound half of @c, which waited. False: the peer is asked to delete the pair. */
bool install_outbound(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);

/* ---- collide.c --------------------------------------------------------------- */

/* Is there another successor of the pair with @replaces, made by an exchange that wins? */
bool collide_loses(const struct ike_sa *sa, uint32_t replaces, const uint8_t *low_nonce);
/*
 * Is one of the pairs left that @c replaced, won or lost against, or that replaces it? Rekeying @c
 * before both ends gave that up could go on with a line of pairs that lost.
 */
bool collide_is_open(const struct ike_sa *sa, const struct child_sa *c);
/*
 * Is @c being closed? We are deleting it, or it is to be deleted soon and has no successor that another
 * one could collide with: it lost, and whatever renewed it would be a second line beside what we use.
 */
bool collide_is_leaving(const struct ike_sa *sa, const struct child_sa *c);
/* @c may carry our traffic: its outbound half is installed, what it replaces goes. */
void collide_up(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/*
 * The peer is known to have the pairs it asked for (CHILD_ANY), or nothing else carries traffic of
 * configuration @conf.
 */
void collide_proven(struct ike_core *core, struct ike_sa *sa, unsigned int conf);
/* The peer deletes @old, so the pair that it made to replace that has won. */
void collide_replaced(struct ike_core *core, struct ike_sa *sa, const struct child_sa *old);
/* The peer deletes @c: if it had won against one of the peer's, nobody else deletes that one now. */
void collide_undone(struct ike_core *core, struct ike_sa *sa, const struct child_sa *c);

/* ---- negotiate.c ------------------------------------------------------------- */

/*
 * What we want under @sa: algorithms and selectors of @old, or without one those of the tunnel, and
 * those that are configured as @conf. With CHILD_ANY the offer of the peer decides which.
 */
void negotiate_begin(struct negotiation *n, const struct ike_sa *sa, unsigned int conf,
		     const struct child_sa *old);
/* Initiator: append our offer, under the inbound SPI reserved for it. */
void negotiate_offer(struct ike_builder *b, struct negotiation *n);

/*
 * Tell what the peer did not like of our offer. False: @error is not about that, and nothing was
 * told.
 */
bool negotiate_explain(struct ike_core *core, struct ike_sa *sa, const struct negotiation *n,
		       uint16_t error);

/*
 * Initiator: the response, which has an SA payload. NULL: it cannot be used; then the peer, which
 * believes in the pair, is asked to delete it. The SPI reserved is no longer the exchange's.
 */
struct child_sa *negotiate_take(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
				const struct ike_payloads *in);

/*
 * The additional key exchanges of @n, which is of our exchange or of the peer's, are over. NULL: there is no
 * pair; then our peer is asked to delete it, and the peer's SPI is still reserved.
 */
struct child_sa *negotiate_finish(struct ike_core *core, struct ike_sa *sa, struct negotiation *n);

/* Initiator: the response cannot be used at all. */
void negotiate_reject(struct ike_core *core, struct ike_sa *sa, struct negotiation *n);

/*
 * Responder: the request, which has payloads SA, TSi and TSr. NULL: it is refused, and the notify
 * that says so is the answer.
 */
struct child_sa *negotiate_give(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
				struct x_msg *m);

#endif
