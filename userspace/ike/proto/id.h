/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities as text, and comparing them. Pure. */
#ifndef ESPTUN_IKE_ID_H
#define ESPTUN_IKE_ID_H

#include "ike/proto/ikev2.h"

/*
 * "192.0.2.1", "vpn.example.org", "alice@example.org", "C=CH, O=Example, CN=west", "keyid:0xdeadbeef" or
 * "keyid:text".
 */
char *ike_id_print(char *buf, size_t size, const struct ike_id *id);
/*
 * The type follows from the form; "fqdn:", "email:", "keyid:", "ipv4:", "ipv6:", "dn:" force it.
 * 0, or -1 with what is wrong and what was expected in @err.
 */
int ike_id_from_text(const char *text, struct ike_id *id, char *err, size_t err_size);
/* Same type and bytes; FQDN and e-mail domain compare without case, DNs as RFC 5280 7.1 says (see dn.h). */
bool ike_id_eq(const struct ike_id *a, const struct ike_id *b);
/* An order in which those that are equal so, and only those, give 0; else below or above it. */
int ike_id_cmp(const struct ike_id *a, const struct ike_id *b);
/* Identities that are equal so have the same hash. */
uint32_t ike_id_hash(const struct ike_id *id);
/* "*.example.org", "*@example.org" or a DN with a "CN=*": stands for many. */
bool ike_id_is_wildcard(const struct ike_id *id);
/*
 * Is @id the one that @want stands for? Type 0 of @want: any. A wildcard stands for identities of its
 * type that end like it, after the "*", and have one octet before that at least; in a DN, for those
 * with any one value in its place.
 */
bool ike_id_matches(const struct ike_id *id, const struct ike_id *want);

#endif
