/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proposals as text, for configuration, logs and commands. Pure. */
#ifndef ESPTUN_IKE_PROPOSAL_TEXT_H
#define ESPTUN_IKE_PROPOSAL_TEXT_H

#include "ike/proto/transform.h"

/* "aes256gcm16-prfsha256-x25519", several of a type joined with "/". */
char *ike_proposal_print(char *buf, size_t size, const struct ike_proposal *p);
/* Proposals joined with ", ". */
char *ike_proposals_print(char *buf, size_t size, struct ike_offer o);

/*
 * Parse one proposal of the words above joined with "-" or "/" (order free, several of a
 * type allowed; a bare integrity word in an IKE proposal also gives the PRF of the
 * same hash; an AEAD without PRF word gets those of Crypto=modern). @protocol is IKE or
 * ESP; words that say nothing there are ignored, so that one text serves both. Without encryption
 * or its integrity algorithm among those that are left, @out is empty: the text is for the other one.
 * ESP without esn or noesn gets both, esn first. Its groups are for PFS: with "none" behind
 * them, which makes it wanted, not required; without that if a word is "pfs"; neither
 * groups nor "none" if one is "nopfs".
 * Returns 0, or -1 with what is wrong in @err, and the word that may have been meant.
 */
int ike_proposal_from_text(const char *text, uint8_t protocol, struct ike_proposal *out, char *err,
			   size_t err_size);

#endif
