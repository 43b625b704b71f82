/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of RADIUS (RFC 2865, 2866, 3579) as a client sends and receives them: written, read, and what
 * the secret that both ends share proves of them. A server's answer is hostile until radius_check() says that
 * it is authentic. Pure.
 */
#ifndef ESPTUN_IKE_RADIUS_H
#define ESPTUN_IKE_RADIUS_H

#include "ike/crypto/crypto.h"
#include "ike/proto/cursor.h"

enum radius_code {
#define RADIUS_CODE(name, number) RADIUS_##name = number,
#include "ike/radius/radius.def"
};

enum radius_type {
#define RADIUS_ATTR(name, number) RADIUS_A_##name = number,
#include "ike/radius/radius.def"
};

enum radius_limits {
	RADIUS_HEAD = 20, /* bytes, as all that follow: code, identifier, length, authenticator */
	RADIUS_AUTHENTICATOR = 16,
	RADIUS_MAX = 4096, /* of a packet (RFC 2865 3) */
	RADIUS_VALUE = 253, /* of an attribute */
	RADIUS_MSK = 64, /* RFC 3748 7.10 */
	RADIUS_MPPE_KEY = 32, /* half of it */
	RADIUS_EAP = 4000, /* of an EAP packet that fits */
	RADIUS_CLASSES = 4, /* attributes Class of one answer that are kept */
	RADIUS_TEXT = 254, /* Reply-Message with a NUL */
};

/* ---- writing --------------------------------------------------------------------------------- */

/*
 * A packet under construction, or the attributes of one alone, is a writer (cursor.h). What does not fit makes it bad,
 * and radius_end() says so.
 */

/* Attributes alone, which radius_add_all() puts into packets. */
struct writer radius_attributes(uint8_t *buf, size_t cap);
/*
 * A packet; @buf has room for RADIUS_MAX. An Access-Request begins with a Message-Authenticator of zeros, so
 * that nothing an attacker chose stands before it (CVE-2024-3596, draft-ietf-radext-deprecating-radius).
 */
struct writer radius_begin(uint8_t *buf, uint8_t code, uint8_t id,
			   const uint8_t authenticator[RADIUS_AUTHENTICATOR]);
/* @len is 1 to RADIUS_VALUE; nothing is added for 0. */
void radius_add(struct writer *w, uint8_t type, const void *value, size_t len);
void radius_add_u32(struct writer *w, uint8_t type, uint32_t value);
/* Cut to RADIUS_VALUE. */
void radius_add_text(struct writer *w, uint8_t type, const char *text);
/* As many attributes EAP-Message, in order, as it needs (RFC 3579 3.1). */
void radius_add_eap(struct writer *w, const void *eap, size_t len);
/* Attributes that were written before. */
void radius_add_all(struct writer *w, const void *attributes, size_t len);
/* The length; of a packet it is in its head then. 0: it did not fit. */
size_t radius_end(struct writer *w);
size_t radius_end_attributes(const struct writer *w);

/* ---- reading --------------------------------------------------------------------------------- */

struct radius_packet {
	uint8_t code, id;
	const uint8_t *authenticator;
	const uint8_t *data; /* all of it, from the code on */
	size_t len; /* as its head has it; what a datagram has behind that is padding */
};

struct radius_attr {
	uint8_t type;
	const uint8_t *value;
	size_t len; /* 0 to RADIUS_VALUE */
};

/*
 * The packet in a datagram of @len bytes, to which @out points. False unless it is whole and its attributes
 * end where it does.
 */
bool radius_parse(const void *data, size_t len, struct radius_packet *out);
/* The next attribute; *@at is 0 before the first one. False after the last. */
bool radius_next_attr(const struct radius_packet *p, size_t *at, struct radius_attr *out);

/* A string of an answer, which points into it. */
struct radius_value {
	const uint8_t *data;
	size_t len; /* 0: it is not there */
};

/* What an authentic answer says. Values point into the packet; addresses of family 0 are not there. */
struct radius_answer {
	uint8_t code;
	struct radius_value name, state, classes[RADIUS_CLASSES];
	unsigned int n_classes;
	struct ike_addr address[2]; /* IPv4, IPv6 */
	uint32_t session_timeout, interim_interval; /* seconds; 0: not there */
	size_t eap_len; /* 0: there is none */
	uint8_t eap[RADIUS_EAP];
	char text[RADIUS_TEXT]; /* Reply-Message, in printable ASCII */
};

/* False if attributes contradict one another or have wrong lengths: what EAP says is then not usable. */
bool radius_read_answer(const struct radius_packet *p, struct radius_answer *out);

/* ---- what the secret proves ------------------------------------------------------------------ */

enum radius_fault {
	RADIUS_AUTHENTIC,
	RADIUS_MALFORMED,
	RADIUS_WRONG_RESPONSE, /* the Response Authenticator: another secret, or forged */
	RADIUS_UNSIGNED, /* it has no Message-Authenticator */
	RADIUS_WRONG_SIGNATURE, /* its Message-Authenticator */
	RADIUS_WRONG_KEY, /* MS-MPPE keys that cannot be decrypted */
	RADIUS_FAULTS,
};

/*
 * What signs the request of @len bytes in @packet: Message-Authenticator of an Access-Request, which has it
 * first, or the authenticator of an Accounting-Request (RFC 2866 3), which is zero. 0, or -1 if it is neither
 * or the library fails.
 */
int radius_sign(const uint8_t *packet, size_t len, const uint8_t *secret, size_t secret_len,
		uint8_t out[RADIUS_AUTHENTICATOR]);
/* Put it where it belongs. */
void radius_put_signature(uint8_t *packet, const uint8_t signature[RADIUS_AUTHENTICATOR]);

/*
 * Is the datagram in @data, of @len bytes, an answer to a request with this authenticator, by somebody with
 * the secret? Answers to an Access-Request need a Message-Authenticator (RFC 3579 3.2), one and no more.
 * What is compared is compared in constant time. If the answer has them, *@msk_len bytes of @msk are MS-MPPE-Recv-Key,
 * MS-MPPE-Send-Key (RFC 2548 2.4) and zeros, in this order, which is the MSK of EAP; else *@msk_len is 0. The caller wipes it.
 */
enum radius_fault radius_check(const uint8_t authenticator[RADIUS_AUTHENTICATOR], const void *data,
			       size_t len, const uint8_t *secret, size_t secret_len,
			       uint8_t msk[RADIUS_MSK], size_t *msk_len);

#endif
