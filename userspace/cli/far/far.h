/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far end of a tunnel: what its configuration has to be, from ours. far.c turns our configuration round into
 * facts; a target is another program or system, whose generator writes the facts in its grammar. What is "ours" is
 * this machine's; "its" is the far end's.
 */
#ifndef CLI_FAR_FAR_H
#define CLI_FAR_FAR_H

#include <stdio.h>

#include "ike/app/config/config.h"

enum far_limits {
	FAR_NOTES = 24,
	FAR_NOTE = 400, /* bytes of a sentence */
	FAR_NETS = 32,
	FAR_PROPOSALS = 8,
	FAR_WORDS = 16, /* of one type in a proposal */
};

/* What a configuration may ask of the far end. */
enum far_need {
	FAR_PSK = 1 << 0,
	FAR_CERT = 1 << 1, /* certificates, at either end */
	FAR_RAW = 1 << 2, /* raw public keys */
	FAR_USER = 1 << 3, /* it proves itself by EAP */
	FAR_SERVER = 1 << 4, /* we prove ourselves by EAP to it */
	FAR_SITE = 1 << 5, /* networks at both ends */
	FAR_CLIENT = 1 << 6, /* it gets an address from our pool */
	FAR_TRANSPORT = 1 << 7,
	FAR_PPK = 1 << 8,
	FAR_PORTS = 1 << 9, /* selectors with a protocol or ports */
	FAR_RANGES = 1 << 10, /* selectors that are no prefixes */
	FAR_CHILDREN = 1 << 11, /* several child SAs */
	FAR_PORT = 1 << 12, /* our port is not 4500 */
	FAR_KEYID = 1 << 13, /* an identity of type ID_KEY_ID */
	FAR_DN = 1 << 14, /* an identity that is a distinguished name */
	FAR_BINARY = 1 << 15, /* a PSK that is no printable text */
	FAR_POOL = 1 << 16, /* it gives us our address */
	FAR_IPV6 = 1 << 17, /* IPv6 inside */
	FAR_PSK_CLIENT = 1 << 18, /* it gets an address, and has a PSK */
	FAR_KEYID_BYTES = 1 << 19, /* a key ID that is no printable text */
	FAR_ROUNDS = 1 << 20, /* two rounds of authentication at one end */
	FAR_TLS = 1 << 21, /* a user by no method of EAP but EAP-TLS */
	FAR_ODD_ID = 1 << 22, /* an identity with characters that mean something in other files */
};

struct far;

/* A target. */
struct far_target {
	const char *word; /* of --for */
	const char *title; /* in sentences */
	const char *
		comment; /* what begins a line of comment; NULL: the generator writes notes itself */
	void (*write)(struct far *f);
	uint32_t can; /* enum far_need */
};

extern const struct far_target far_targets[]; /* ended by a NULL word */

/* The target that @word names; NULL if there is none. */
const struct far_target *far_target_find(const char *word);

/* What the command line adds to our configuration. */
struct far_options {
	const char *address; /* where the far end reaches us: host name or address; NULL: not given */
	struct ike_id id; /* which of our peers it is; type 0: not given */
	struct net_prefix net[FAR_NETS]; /* networks here, for what selectors do not tell */
	unsigned int n_net;
	const uint8_t *p12; /* a PKCS#12 file for the far end */
	size_t p12_len;
	bool secrets; /* they are printed */
};

struct far {
	const struct config *c; /* ours */
	const struct far_options *o;
	const struct far_target *target;
	FILE *out;
	uint32_t needs; /* enum far_need */
	enum ike_method our_method, its_method; /* how either end proves who it is */
	bool initiates; /* it has to, or may: we do not */
	char ours[256]; /* where it reaches us, or a placeholder */
	char its[256]; /* its own address; "": any */
	char our_id[600],
		its_id[600]; /* as esptun.conf(5) writes them; a placeholder if not known */
	struct ike_id our_ike_id, its_ike_id; /* type 0: not known */
	/* The PSK, or of FAR_USER its password; or a placeholder. No quotation marks, no escapes. */
	char secret[2 * SECRET_MAX + 8];
	bool secret_shown; /* it is the secret itself … */
	bool secret_hex; /* … in hexadecimal, without 0x, as it is no printable text */
	/* The PPK that both have; "" without one. */
	struct {
		char id[IKE_MAX_PPK_ID + 1]; /* or a placeholder */
		const uint8_t *key; /* NULL: not known, or not to be printed */
		size_t len;
		bool required;
	} ppk;
	struct ike_child_conf *child; /* turned round: local is the far end's */
	unsigned int n_child;
	struct ike_iov ca; /* the certificate of the CA that issued ours, DER; base NULL: not known */
	char why_not[FAR_NOTE]; /* why there is no configuration; "": there is one */
	unsigned int n_notes;
	char note[FAR_NOTES][FAR_NOTE];
};

/*
 * The configuration of the far end of @c for @target, to @out; what it cannot express is told on standard error, and in
 * comments. 0, or -1 with a sentence in @err, and nothing useful in @out.
 */
int far_write(const struct config *c, const struct far_target *target, const struct far_options *o,
	      FILE *out, char *err, size_t size);

/* ---- for generators ------------------------------------------------------------------------------ */

void far_put(struct far *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A sentence for people: what the target cannot do, or what is to be done by hand. Said again, it is there once. */
void far_note(struct far *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* There is no configuration: the sentence says why. Of several the first one is told. */
void far_refuse(struct far *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The name of the tunnel, in which only letters, digits, - and _ are left. */
const char *far_name(const struct far *f);

/* A word of a target for a transform. Of one type and id with bits 0, any key length. */
struct far_word {
	uint16_t type, id, bits;
	const char *word;
};

/* Words of one type that a proposal has, in order of preference. */
struct far_set {
	unsigned int n;
	const char *word[FAR_WORDS];
};

struct far_proposal {
	bool aead;
	struct far_set encr, integ, prf, dh;
};

/*
 * Of our proposals for @protocol what the target has words for, at most FAR_PROPOSALS; @words NULL: ours. Their number. 0:
 * there is no configuration, which a note says. Proposals that insist on additional key exchanges are left out, which a note says.
 */
unsigned int far_proposals(struct far *f, uint8_t protocol, const struct far_word *words,
			   struct far_proposal out[FAR_PROPOSALS]);

/* Write the words of @set with @between them. */
void far_put_set(struct far *f, const struct far_set *set, const char *between);
/* Of the first proposal, the first words; "" where there is none. */
const char *far_first(const struct far_set *set);

/* A selector as a prefix, "10.1.0.0/16"; of one that is none, the smallest prefix that holds it. @buf has 64 bytes. */
char *far_prefix(char buf[64], const struct ike_ts *ts);
/* Its network and mask, "10.1.0.0 255.255.0.0". @buf has 64 bytes. */
char *far_mask(char buf[64], const struct ike_ts *ts);
/* Is it a prefix? */
bool far_is_prefix(const struct ike_ts *ts);
/* Is it all addresses of its family? */
bool far_is_any(const struct ike_ts *ts);
/* Is the list what Selectors = any makes? */
bool far_list_is_any(const struct ike_ts_list *l);

/* "4h", "90s": a time that all targets with units take. @buf has 16 bytes. */
char *far_time(char buf[16], uint32_t seconds);

/* The generators, one file each; see far_targets[]. */
void far_write_swanctl(struct far *f);
void far_write_opnsense(struct far *f);
void far_write_ipsec_conf(struct far *f);
void far_write_iked(struct far *f);
void far_write_esptun(struct far *f);
void far_write_windows(struct far *f);
void far_write_apple(struct far *f);
void far_write_android(struct far *f);
void far_write_cisco(struct far *f);
void far_write_juniper(struct far *f);
void far_write_mikrotik(struct far *f);
void far_write_aws(struct far *f);
void far_write_azure(struct far *f);
void far_write_gcp(struct far *f);

#endif
