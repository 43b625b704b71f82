/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of IKEv2 (RFC 7296 section 3, IANA "IKEv2 Parameters") and the plain
 * types that the protocol's parts share. Depends on libc only.
 */
#ifndef ESPTUN_IKE_IKEV2_H
#define ESPTUN_IKE_IKEV2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IKE_PORT = 500, IKE_NATT_PORT = 4500 };

enum ike_limits {
	IKE_HDR_LEN = 28,
	IKE_SPI_LEN = 8,
	IKE_MAX_MSG = 65000, /* what we accept; what we send is far shorter */
	IKE_MAX_PAYLOADS = 64,
	IKE_MAX_PROPOSALS = 16, /* of ours … */
	IKE_MAX_OFFER = 255, /* … and of a peer's: they are numbered in one byte */
	/*
	 * Per proposal, as kept: all of ours that make sense in one, AEADs or the rest, with some additional
	 * key exchanges, and examples of others.
	 */
	IKE_MAX_TRANSFORMS = 64,
	IKE_MAX_FOREIGN = 4, /* such examples for each type */
	IKE_MAX_TS = 32, /* of ours, and of a child SA … */
	IKE_MAX_TS_OFFER = 255, /* … and of a payload: they are counted in one byte */
	IKE_MIN_NONCE = 16, /* RFC 7296 3.9 */
	IKE_MAX_NONCE = 256,
	IKE_OUR_NONCE = 32,
	IKE_MAX_ID = 256,
	IKE_MAX_COOKIE = 64,
	IKE_MAX_KE = 1600, /* key exchange data; ML-KEM-1024 has 1,568 */
	IKE_MAX_SHARED = 512, /* MODP-4096 */
	IKE_MAX_ADDKE = 7, /* additional key exchanges of an SA (RFC 9370) */
	IKE_MAX_PRF = 64, /* HMAC-SHA2-512 */
	IKE_MAX_KEY = 64,
};

enum ike_exchange {
#define EXCHANGE(enumerator, number, name) enumerator = (number),
#include "ike/proto/exchange.def"
#undef EXCHANGE
};

enum ike_flag { IKE_FLAG_INITIATOR = 0x08, IKE_FLAG_VERSION = 0x10, IKE_FLAG_RESPONSE = 0x20 };

enum ike_payload_type {
#define PAYLOAD(name, number, notation) IKE_PL_##name = (number),
#include "ike/proto/payload.def"
#undef PAYLOAD
};

enum ike_protocol { IKE_PROTO_IKE = 1, IKE_PROTO_AH = 2, IKE_PROTO_ESP = 3 };

enum ike_transform_type {
#define TYPE(name, number, ...) IKE_T_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_encr {
#define ENCR(name, number, ...) IKE_ENCR_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_prf_id {
	IKE_PRF_NONE = 0,
#define PRF(name, number, ...) IKE_PRF_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_integ {
	IKE_INTEG_NONE = 0,
#define INTEG(name, number, ...) IKE_INTEG_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_dh_group {
	IKE_DH_NONE = 0,
#define DH(name, number, ...) IKE_DH_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_esn {
#define ESN(name, number, word) IKE_ESN_##name = (number),
#include "ike/proto/transform.def"
};

enum ike_id_type {
	IKE_ID_IPV4 = 1,
	IKE_ID_FQDN = 2,
	IKE_ID_RFC822 = 3,
	IKE_ID_IPV6 = 5,
	IKE_ID_DER_DN = 9,
	IKE_ID_KEY_ID = 11,
};

enum ike_auth_method {
	IKE_AUTH_RSA = 1,
	IKE_AUTH_PSK = 2,
	IKE_AUTH_ECDSA_256 = 9, /* RFC 4754 */
	IKE_AUTH_ECDSA_384 = 10,
	IKE_AUTH_ECDSA_521 = 11,
	IKE_AUTH_SIGNATURE = 14, /* RFC 7427 */
};

/* Of CERT and CERTREQ payloads (RFC 7296 3.6). */
enum ike_cert_encoding {
	IKE_CERT_PKCS7 = 1,
	IKE_CERT_X509 = 4, /* a certificate, in DER */
	IKE_CERT_HASH_URL = 12, /* where a certificate is … */
	IKE_CERT_HASH_URLS = 13, /* … or some */
	IKE_CERT_OCSP = 14, /* an OCSP response, in DER (RFC 4806) */
	IKE_CERT_RAW_KEY = 15, /* a SubjectPublicKeyInfo (RFC 7670) */
};

enum ike_ts_type { IKE_TS_IPV4 = 7, IKE_TS_IPV6 = 8 };

enum ike_notify_type {
	IKE_N_ERROR_MAX = 16383, /* types up to here report errors */
#define NOTIFY(name, number, rfc) IKE_N_##name = (number),
#include "ike/proto/notify.def"
#undef NOTIFY
};

struct ike_addr {
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t b[16]; /* network order; an IPv4 address uses the first 4 */
};

struct ike_endpoint {
	struct ike_addr addr;
	uint16_t port; /* host order */
};

struct ike_id {
	uint8_t type; /* enum ike_id_type; 0 means "not set": any identity */
	uint16_t len;
	uint8_t data[IKE_MAX_ID];
};

/* Without padding, for config_equal() compares bytes. */
struct ike_transform {
	uint16_t type; /* enum ike_transform_type */
	uint16_t id;
	uint16_t key_bits; /* Key Length attribute, 0 if absent */
};

struct ike_proposal {
	uint8_t num;
	uint8_t protocol; /* 0: unusable, whatever it was */
	uint8_t spi_len; /* 0, 4 (ESP) or 8 (IKE) */
	uint8_t spi[IKE_SPI_LEN];
	uint8_t left_out; /* transforms that are not ours, beyond the examples */
	unsigned int n;
	struct ike_transform t[IKE_MAX_TRANSFORMS];
};

struct ike_proposals {
	unsigned int n;
	struct ike_proposal p[IKE_MAX_PROPOSALS];
};

/* An SA payload as received. */
struct ike_sa_payload {
	unsigned int n;
	struct ike_proposal p[IKE_MAX_OFFER];
};

/* Proposals of either, where they are. */
struct ike_offer {
	unsigned int n;
	const struct ike_proposal *p;
};

#define IKE_OFFER(from) ((struct ike_offer){ (from)->n, (from)->p })

/* One traffic selector (RFC 7296 3.13.1): inclusive ranges. */
struct ike_ts {
	uint8_t family; /* 4 or 6 */
	uint8_t protocol; /* 0: any */
	uint16_t port_start, port_end; /* host order; 0-65535: any; 65535-0: OPAQUE */
	uint8_t start[16], end[16];
};

struct ike_ts_list {
	unsigned int n;
	struct ike_ts ts[IKE_MAX_TS];
};

/* A TS payload as received. */
struct ike_ts_payload {
	unsigned int n;
	struct ike_ts ts[IKE_MAX_TS_OFFER];
};

/* Selectors of either, where they are. */
struct ike_ts_offer {
	unsigned int n;
	const struct ike_ts *ts;
};

#define IKE_TS_OFFER(from) ((struct ike_ts_offer){ (from)->n, (from)->ts })

#endif
