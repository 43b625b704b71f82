/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of ESP SAs: agreeing on one with the peer, and its way into the kernel. For IKE_AUTH today;
 * what it needs from the exchange is in the IKE SA's setup.
 */
#ifndef ESPTUN_IKE_LAYER_CHILD_H
#define ESPTUN_IKE_LAYER_CHILD_H

#include "ike/sa/layer_ikesa.h"

/* ---- install.c --------------------------------------------------------------- */

/* Reserve an inbound SPI for the tunnel of @sa; 0 if refused, with the tunnel's error set. */
uint32_t install_reserve_spi(struct ike_core *core, struct ike_sa *sa);

/*
 * Derive keys for the chosen suite and install the pair under @sa, inbound only if it
 * replaces a working one whose end the peer has not proven (responder). False: nothing is
 * left (spi_in is released too), the reason is the tunnel's last error.
 */
bool install_pair(struct ike_core *core, struct ike_sa *sa, uint32_t spi_in, uint32_t spi_out,
		  const struct ike_proposal *chosen, const struct ike_ts_list *local,
		  const struct ike_ts_list *remote, bool inbound_first);
/* Install the outbound halves that waited. */
void install_outbound(struct ike_core *core, struct ike_sa *sa);

/* ---- negotiate.c ------------------------------------------------------------- */

/* About a peer whose IKE_SA_INIT message had no NAT_DETECTION_SOURCE_IP (2.23). */
#define NEGOTIATE_NO_NATT                                                                        \
	"peer does not know NAT traversal, so it would send ESP without UDP, which esptun does " \
	"not receive: turn on NAT-T (UDP encapsulation) at its side"
/* Append our offer for the child SA of @t, under the inbound SPI reserved for it. */
void negotiate_offer(struct ike_builder *b, const struct ike_tunnel *t, uint32_t spi);

/*
 * Tell what the peer did not like of our offer for the child SA. False: @error is not about
 * that, and nothing was told.
 */
bool negotiate_explain(struct ike_core *core, struct ike_sa *sa, uint16_t error);
/* Initiator: the response's child part. Whatever happens here, the IKE SA stays. */
void negotiate_take(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);

/*
 * Responder: the request's child part; a failure is answered with a notify and nothing more.
 * @inbound_first: see install_pair().
 */
void negotiate_give(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, bool inbound_first);

#endif
