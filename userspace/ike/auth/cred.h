/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credentials of a tunnel that are no secret: public keys, certificates, CRLs and OCSP responses, our name as a user. They are one piece of
 * memory, of items one behind the other, so that they compare, travel and are kept as bytes. Pure.
 *
 * An item is a byte of enum ike_cred_kind, three bytes of length (network order), and the DER or what the kind says.
 */
#ifndef ESPTUN_IKE_CRED_H
#define ESPTUN_IKE_CRED_H

#include "ike/crypto/crypto.h"

enum ike_cred_kind {
	IKE_CRED_OWN_KEY, /* SubjectPublicKeyInfo of our private key */
	IKE_CRED_PEER_KEY, /* that of the peer's */
	IKE_CRED_OWN_CERT, /* our certificate, then those of CAs between it and a root, in order */
	IKE_CRED_CA, /* certificate of a CA that the peer's certificate may be of */
	IKE_CRED_CRL, /* of a CA on the way from there to the peer's certificate */
	IKE_CRED_OWN_OCSP, /* an OCSP response about our certificate */
	IKE_CRED_EAP_NAME, /* our user's name for EAP: its bytes */
	IKE_CRED_EAP_SERVER, /* who the server of EAP is within TLS, if not who it is in IKE: the type of its identity, and that */
	IKE_CRED_KINDS,
};

enum {
	IKE_MAX_CREDS = 131072, /* bytes of all items of a tunnel */
	IKE_CRED_HEAD = 4,
};

struct ike_creds {
	const uint8_t *data; /* NULL: there are none */
	uint32_t len;
};

/* The first item of the kind at or behind offset *@at (0: the first of all), which moves on behind it. */
bool ike_cred_next(const struct ike_creds *c, size_t *at, enum ike_cred_kind kind,
		   struct ike_iov *out);
/* The first of the kind; false if there is none. */
bool ike_cred_find(const struct ike_creds *c, enum ike_cred_kind kind, struct ike_iov *out);
/* All of the kind, *@n of them, to be freed by free(); what they point to is in @c. NULL without memory. */
struct ike_iov *ike_cred_collect(const struct ike_creds *c, enum ike_cred_kind kind,
				 unsigned int *n);
/* A copy of the items of the kind, in their order, to be freed by free(); *@len bytes. NULL without memory. */
uint8_t *ike_cred_copy(const struct ike_creds *c, enum ike_cred_kind kind, size_t *len);
/* Has @c all the items of the kind that @of has, in any order? */
bool ike_cred_has_all(const struct ike_creds *c, const struct ike_creds *of,
		      enum ike_cred_kind kind);

/* Does @c consist of whole items of known kinds, at most IKE_MAX_CREDS bytes? */
bool ike_creds_are_sane(const struct ike_creds *c);

/* Write an item's head to @out. */
void ike_cred_head(uint8_t out[IKE_CRED_HEAD], enum ike_cred_kind kind, size_t len);

#endif
