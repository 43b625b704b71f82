/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguished names (DN): the Name of X.501 in DER, as certificates and ID_DER_ASN1_DN have it
 * (RFC 5280 4.1.2.4, RFC 7296 3.5), and as text. Pure; any bytes are taken.
 */
#ifndef ESPTUN_IKE_DN_H
#define ESPTUN_IKE_DN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/proto/text.h"

/*
 * "C=DE, O=Example, CN=west", in the order of the encoding; a value that is no string is #HEX. Letters
 * beyond ASCII and what could end a quotation are \XX, their UTF-8 in hexadecimal digits (RFC 4514).
 * False, with nothing or a part added, if the bytes are no DN.
 */
bool ike_dn_add(struct text *out, const uint8_t *der, size_t len);
/*
 * DER of such a text: PrintableString where that can have it, IA5String for E and DC, else UTF8String.
 * Each level has one attribute, by a name that we know. 0 with *len; or -1, and *fault is what is wrong.
 */
int ike_dn_from_text(const char *text, uint8_t *der, size_t cap, size_t *len, const char **fault);
/* Does @text begin with an attribute of a DN and a "="? */
bool ike_dn_is_meant(const char *text);
/*
 * An order in which equal DNs, and only those, give 0. Equal is what RFC 5280 7.1 calls so: the same
 * levels, in one order, whose strings are the same whatever their type, without regard to the case of
 * ASCII letters and to the number of spaces. What is no DN equals its own bytes only.
 */
int ike_dn_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
/* DNs that are equal so have the same hash. */
uint32_t ike_dn_hash(const uint8_t *der, size_t len);
/* Is the value of one level "*"? */
bool ike_dn_has_wildcard(const uint8_t *der, size_t len);
/* Is @der what @want stands for: equal, but any one value that is not empty where @want has "*"? */
bool ike_dn_matches(const uint8_t *der, size_t len, const uint8_t *want, size_t want_len);

#endif
