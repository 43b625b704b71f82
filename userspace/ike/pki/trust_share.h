/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trust stores that are kept for long. Many tunnels trust the same CAs and have the same CRLs, which take several times
 * the room of their bytes once they are parsed: equal ones are kept once, whoever holds them.
 */
#ifndef ESPTUN_IKE_TRUST_SHARE_H
#define ESPTUN_IKE_TRUST_SHARE_H

#include "ike/pki/pki.h"

/* As pki_trust_new(), which it calls if nobody holds one of the same bytes; to be given back with pki_trust_put(). */
struct pki_trust *pki_trust_get(const struct ike_iov *cas, unsigned int n_cas,
				const struct ike_iov *crls, unsigned int n_crls, char *err,
				size_t err_size);
/* The caller holds it no longer; NULL is fine. */
void pki_trust_put(struct pki_trust *trust);
/* How many somebody holds. For tests. */
unsigned int pki_trusts_held(void);

#endif
