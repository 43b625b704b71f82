/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codec of IKEv2 messages (RFC 7296 section 3): pure functions over buffers.
 *
 * Parsing never allocates and never copies payload bodies: the results point
 * into the caller's buffer and live as long as it does. Every parser returns 0,
 * or -IKE_N_INVALID_SYNTAX / -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD /
 * -IKE_N_INVALID_MAJOR_VERSION: the negative of the notify that RFC 7296 2.21
 * asks for (whether it may be sent is the caller's to judge).
 */
#ifndef ESPTUN_IKE_MSG_H
#define ESPTUN_IKE_MSG_H

#include "ike/proto/cursor.h"
#include "ike/proto/ikev2.h"

struct ike_header {
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	uint8_t next; /* type of the first payload */
	uint8_t version; /* major << 4 | minor */
	uint8_t exchange;
	uint8_t flags;
	uint32_t id; /* message ID */
	uint32_t length;
};

struct ike_payload {
	uint8_t type;
	uint8_t next; /* type named by the generic header; for SK: first inner payload */
	bool critical;
	uint8_t flags; /* of the generic header: the critical bit, and reserved ones */
	const uint8_t *body; /* behind the generic header */
	size_t len;
};

struct ike_payloads {
	uint8_t outer_flags; /* of the SK payload, or the first SKF payload, that they were in; else 0 */
	unsigned int n;
	struct ike_payload p[IKE_MAX_PAYLOADS];
};

struct ike_notify {
	uint16_t type;
	uint8_t protocol;
	uint8_t spi_len;
	const uint8_t *spi;
	const uint8_t *data;
	size_t len;
};

struct ike_ke {
	uint16_t group;
	const uint8_t *data;
	size_t len;
};

struct ike_auth {
	uint8_t method;
	const uint8_t *data;
	size_t len;
};

struct ike_cert {
	uint8_t encoding; /* enum ike_cert_encoding, or another one */
	const uint8_t *data;
	size_t len;
};

struct ike_delete {
	uint8_t protocol;
	uint8_t spi_len; /* 0 for IKE, 4 for ESP */
	uint16_t n;
	const uint8_t *spis; /* n * spi_len octets */
};

/* The header; refuses lengths below 28 or other than @len, and major versions other than 2. */
int ike_header_parse(const uint8_t *msg, size_t len, struct ike_header *h);
void ike_header_write(struct writer *w, const struct ike_header *h);

/*
 * Split a chain of payloads whose first has type @first. An SK or SKF payload ends
 * the chain (RFC 7296 3.14). Unknown payloads are kept (type > 48 with the critical
 * bit gives -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD and its type in *@offender).
 */
int ike_payloads_parse(uint8_t first, const uint8_t *body, size_t len, struct ike_payloads *out,
		       uint8_t *offender);

/* First payload of @type, or NULL. */
const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type);

/*
 * However many transforms a proposal has, all that we implement are kept, once each, and as many
 * of the others as show what the peer offers and that there is something of each type.
 */
int ike_sa_parse(const struct ike_payload *p, struct ike_sa_payload *out);
int ike_ke_parse(const struct ike_payload *p, struct ike_ke *out);
/* Refuses lengths out of RFC 7296 3.9's bounds, 16 to 256 octets. */
int ike_nonce_parse(const struct ike_payload *p, const uint8_t **data, size_t *len);
int ike_id_parse(const struct ike_payload *p, struct ike_id *out);
int ike_auth_parse(const struct ike_payload *p, struct ike_auth *out);
/* CERT and CERTREQ. */
int ike_cert_parse(const struct ike_payload *p, struct ike_cert *out);
int ike_notify_parse(const struct ike_payload *p, struct ike_notify *out);
int ike_delete_parse(const struct ike_payload *p, struct ike_delete *out);
/* Unknown TS types are skipped (RFC 7296 3.13.1); a list left empty is not an error. */
int ike_ts_parse(const struct ike_payload *p, struct ike_ts_payload *out);

/* First notify of @type among @p that parses; false if none. */
bool ike_notify_find(const struct ike_payloads *p, uint16_t type, struct ike_notify *out);
/* The type of the first error notify; 0 if there is none. */
uint16_t ike_notify_first_error(const struct ike_payloads *in);
/*
 * Does a response accept our offer? It has an SA payload then, and no error that we do not know,
 * for such a one means that the whole request failed (RFC 7296 3.10.1).
 */
bool ike_offer_accepted(const struct ike_payloads *in);

/*
 * Building. A message is header, payloads, end: each payload writer patches the
 * "next payload" field of the one before it.
 */
struct ike_builder {
	struct writer w;
	size_t next_at; /* offset of the next-payload octet to patch */
	size_t payload_at; /* offset of the open payload */
	bool message; /* begins with a header */
	uint8_t *first; /* where the first type goes until it is known; NULL afterwards */
};

/* A whole message in @buf; @h->next and @h->length are patched later. */
void ike_build_init(struct ike_builder *b, void *buf, size_t cap, const struct ike_header *h);
/* A bare chain of payloads (the inside of SK); *@first gets the first type at the end. */
void ike_build_inner(struct ike_builder *b, void *buf, size_t cap, uint8_t *first);
void ike_build_payload(struct ike_builder *b, uint8_t type, const void *body, size_t len);
void ike_build_sa(struct ike_builder *b, struct ike_offer o);
void ike_build_ke(struct ike_builder *b, uint16_t group, const uint8_t *data, size_t len);
void ike_build_nonce(struct ike_builder *b, const uint8_t *data, size_t len);
void ike_build_id(struct ike_builder *b, uint8_t type, const struct ike_id *id);
void ike_build_auth(struct ike_builder *b, uint8_t method, const uint8_t *data, size_t len);
void ike_build_cert(struct ike_builder *b, uint8_t encoding, const void *data, size_t len);
void ike_build_certreq(struct ike_builder *b, uint8_t encoding, const void *data, size_t len);
void ike_build_notify(struct ike_builder *b, uint16_t type, const void *data, size_t len);
/* INVALID_KE_PAYLOAD: the request is welcome with a value of @group (RFC 7296 1.3). */
void ike_build_invalid_ke(struct ike_builder *b, uint16_t group);
/* With protocol and SPI (REKEY_SA, INVALID_SELECTORS …). */
void ike_build_notify_spi(struct ike_builder *b, uint16_t type, uint8_t protocol, const void *spi,
			  uint8_t spi_len, const void *data, size_t len);
void ike_build_delete(struct ike_builder *b, uint8_t protocol,
		      const uint32_t *spis /* host order */, uint16_t n);
void ike_build_ts(struct ike_builder *b, uint8_t type, struct ike_ts_offer o);
/*
 * Patch the header's length; the size of the message or chain, or 0 if it did not fit.
 * An empty chain has size 0 too: w.bad tells which.
 */
size_t ike_build_end(struct ike_builder *b);

#endif
