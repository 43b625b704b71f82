/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that read a configuration share: config.c (its lines and sections), config_key.c
 * (each key and its value), config_check.c (what only the whole file shows), config_auth.c (of that: how the ends prove who
 * they are), config_clients.c (of that: clients and their addresses), config_file.c (files, and
 * keys in files of their own), config_cred.c (public and private keys), config_net.c (addresses and
 * networks), config_ppk.c (post-quantum preshared keys), config_radius.c (RADIUS servers), config_say.c (what is told of a
 * fault, and numbers). Private to these eleven.
 */
#ifndef ESPTUN_IKE_CONFIG_INT_H
#define ESPTUN_IKE_CONFIG_INT_H

#include <stdarg.h>

#include "ike/app/children.h"
#include "ike/app/config/config.h"

enum requirement { REQUIRE_PQ, REQUIRE_PFS, REQUIRE_CERT, REQUIRE_WORDS };

enum { CONFIG_MAX_KEYS = 128 /* rows of config_keys[] */ };
enum { MIN_MTU = 576, MAX_MTU = 65535, IPV6_MIN_MTU = 1280 };

struct parse {
	struct config *c;
	const struct config_report *report;
	unsigned int line;
	const char *section; /* "" before the first; NULL: its keys are not reported */
	const struct key *key; /* the one whose value an indented line continues */
	bool skipping; /* that key is none of ours */
	bool continued; /* the line does */
	unsigned int errors;
	bool seen[CONFIG_MAX_KEYS]; /* of each row of config_keys[] */
	unsigned int line_of[CONFIG_MAX_KEYS];
	char crypto[2][1024]; /* IKE, ESP: items of Crypto, with commas between */
	bool crypto_given[2];
	bool clients_apart; /* ClientToClient = no */
	uint32_t require; /* what Require names, bits by enum requirement */
	struct children_section sections[1 + IKE_MAX_CHILD]; /* [Peer], then each [Child NAME] */
	unsigned int n_sections;
	struct children_section *at; /* that of the section at hand */
	struct client_key *client; /* that of [Client ID], if it is the one at hand */
	struct config_radius *radius; /* that of [Radius], likewise */
	char err[512];
};

/* ---- config_say.c ---------------------------------------------------------------- */

/* Tell of an error, or a warning, in this line; 0: of the whole. Plain ASCII comes out. */
void config_vsay(const struct config_report *rep, bool error, unsigned int line, const char *fmt,
		 va_list ap);
/* The same while parsing, where errors are counted. */
void config_say(struct parse *p, bool error, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Copies a string that fits; false if it does not. */
bool config_copy(char *to, size_t size, const char *from);
/* A number from @min to @max, decimal or with 0x. 0 or -1. */
int config_number(const char *s, uint64_t min, uint64_t max, uint32_t *out);
/* "yes" or "no". 0, or -1, and *@yes stays. */
int config_yes_no(const char *s, bool *yes);
/*
 * The host of @s, which is HOST, HOST:PORT, ADDRESS or ADDRESS:PORT, IPv6 in brackets if a port follows, and is cut
 * there; *@port, from 1 to @max, stays where there is none. NULL: that is not what it is.
 */
char *config_split_port(char *s, uint32_t max, uint32_t *port);

/* ---- config_cred.c --------------------------------------------------------------- */

/* Append an item to c->creds. -1: no memory, or too many. */
int config_cred_add(struct config *c, enum ike_cred_kind kind, const void *der, size_t len);
/*
 * Our private key, in the @len bytes of a file, encrypted with the passphrase (NULL: not), and the public key that
 * belongs to it; or the peer's public key. 0, or -1 with the end of a sentence in @why ("is ...").
 */
int config_cred_private(struct config *c, const char *text, size_t len,
			const struct ike_iov *passphrase, char *why, size_t size);
int config_cred_public(struct config *c, const void *data, size_t len, char *why, size_t size);
/*
 * Our certificate and those behind it, or certificates of CAs for the peer's, in the @len bytes of a file. 0, or -1
 * with a sentence in @why.
 */
int config_cred_certs(struct config *c, const void *data, size_t len, char *why, size_t size);
int config_cred_cas(struct config *c, const void *data, size_t len, char *why, size_t size);
/* CRLs, likewise. */
int config_cred_crls(struct config *c, const void *data, size_t len, char *why, size_t size);
/* The OCSP response about our certificate, likewise. */
int config_cred_ocsp(struct config *c, const void *data, size_t len, char *why, size_t size);
/* Sets c->crl_due; a warning in @why about the first CRL that does not count at @now, or "". */
void config_cred_check_crls(struct config *c, int64_t now, char *why, size_t size);
/*
 * All were read: do key, certificates and LocalID belong together? Without LocalID it is the certificate's first
 * identity. 0, or 0 with a warning in @why, or -1 with what is wrong.
 */
int config_cred_check(struct config *c, int64_t now, char *why, size_t size);
/* c->paths, to be written to; NULL without memory. */
struct config_paths *config_need_paths(struct config *c);
/* The peer's public key as a value, which begins with base64: or hex:. */
int config_cred_value(struct config *c, const char *s, char *why, size_t size);

/* ---- config_net.c ---------------------------------------------------------------- */

/* Keys of [Tunnel] and [Peer], then those of [Pool], as config_keys[] has them. */
int config_net_address(struct parse *p, char *s);
int config_net_routes(struct parse *p, char *s);
int config_net_fetch_from(struct parse *p, char *s);
int config_pool_range(struct parse *p, char *s);
int config_pool_dns(struct parse *p, char *s);
int config_pool_domains(struct parse *p, char *s);
int config_pool_static(struct parse *p, char *s);
int config_pool_routes(struct parse *p, char *s);
int config_pool_client_to_client(struct parse *p, char *s);
/* One more fixed address. 0, or -1 without memory. */
int config_add_fixed(struct config *c, const struct pool_fixed *f);

/* ---- config_ppk.c ---------------------------------------------------------------- */

/* Sections [Client ID] without PSK are out of ->keys from now on. */
void config_ppk_sections(struct parse *p);
/* What is there of PPKs together, once the methods are known. */
void config_ppk_check(struct parse *p);

/* ---- config_radius.c ------------------------------------------------------------- */

/* Is it "Radius"? Then the section is dealt with. */
bool config_radius_section(struct parse *p, const char *name);
/* Keys of the section at hand, as config_keys[] has them. */
int config_radius_server(struct parse *p, char *s);
int config_radius_accounting(struct parse *p, char *s);
int config_radius_secret(struct parse *p, char *s);
int config_radius_timeout(struct parse *p, char *s);
int config_radius_retries(struct parse *p, char *s);
int config_radius_dead_time(struct parse *p, char *s);
void config_radius_check(struct parse *p);

/* ---- config_key.c ---------------------------------------------------------------- */

enum key_kind {
	KEY_ONE, /* takes one value */
	KEY_LIST, /* may be given again, and go on in the next line */
	KEY_SECRET, /* one value, which is taken as it stands, and never shown */
};

struct key {
	const char *section, *name;
	int (*set)(struct parse *p, char *value); /* may leave what is wrong in p->err */
	enum key_kind kind;
	const char *expected;
};

extern const struct key config_keys[];
extern const unsigned int config_n_keys;

/* c->ppk, to be written to; NULL without memory. */
struct config_ppk *config_need_ppk(struct config *c);
/* By name, those of [Tunnel] and [Peer] first; NULL if there is none. */
const struct key *config_find_key(const char *name);
const struct key *config_find_key_of(const char *section, const char *name);
/* Does the file have the key of this name (config_find_key()), and in which line? 0: it does not. */
bool config_given(const struct parse *p, const char *name);
unsigned int config_line_of(const struct parse *p, const char *name);
/* The key that @name is, or that it may have been meant to be; NULL if none is like it. */
const struct key *config_nearest_key(const char *section, const char *name);

/* What Require may name. */
extern const struct requirement_row {
	const char *word;
	unsigned int
		list; /* of which proposals of Crypto it leaves those that have it: 0 IKE's, 1 ESP's */
	bool (*keep)(
		struct ike_proposals *list); /* false: none has; NULL: it is about no proposals */
	const char *sentence; /* that is told if it cannot be had */
} config_requirements[REQUIRE_WORDS];

/* An error: what row @i of config_requirements[] asks for cannot be had. */
void config_refuse_requirement(struct parse *p, unsigned int i);

/* ---- config_auth.c --------------------------------------------------------------- */

/* How the ends prove who they are: errors, warnings, and the methods that follow from keys. */
void config_auth_check(struct parse *p);

/* ---- config_clients.c ------------------------------------------------------------ */

/* [Peer] and [Client ID] of a hub; and, once its child SAs are known, [Pool]. */
void config_clients_check(struct parse *p);
void config_pool_check(struct parse *p);

/* ---- config_check.c -------------------------------------------------------------- */

/* All lines were read without an error: judge the whole, and fill in what several keys say together. */
void config_check(struct parse *p);

#endif
