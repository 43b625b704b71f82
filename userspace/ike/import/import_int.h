/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this folder share; only they include it. */
#ifndef ESPTUN_IKE_IMPORT_INT_H
#define ESPTUN_IKE_IMPORT_INT_H

#include <sys/queue.h>

#include "ike/import/import.h"

/* ---- import_tree.c: what a file says, whatever its grammar ------------------------------------------ */

TAILQ_HEAD(import_list, import_node);

/* A line KEY = VALUE, or a section. */
struct import_node {
	TAILQ_ENTRY(import_node) link;
	struct import_list sub; /* of a section */
	char *name;
	char *value; /* NULL: a section */
	char **ref; /* sections whose lines this one has, too, unless it has them itself; the first one counts */
	unsigned int n_ref;
	const char *path; /* of the file */
	unsigned int line;
	bool resolving, resolved;
};

struct import {
	const struct import_options *o;
	const struct import_env *env;
	struct import_result *out;
	struct import_node *root;
	char *home; /* a path in the folder that has those of keys and certificates */
	struct import_node
		*secrets; /* lines of ipsec.secrets, or the section of swanctl.conf; may be NULL */
	const struct import_format *format;
	char *path[IMPORT_MAX_FILES]; /* of files read */
	unsigned int n_paths, n_nodes, depth;
};

/* Printable ASCII is said, whatever is in it. */
void import_say(struct import *im, const char *path, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same of the line @n. */
void import_say_of(struct import *im, const struct import_node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A node more of @parent (NULL: the root), a copy of @name and @value. NULL, which was said: too many, or no memory. */
struct import_node *import_add(struct import *im, struct import_node *parent, const char *name,
			       const char *value, const char *path, unsigned int line);
/* The section of exactly that name in @parent, which is made if it is not there. NULL, which was said: as of import_add(). */
struct import_node *import_section(struct import *im, struct import_node *parent, const char *name,
				   const char *path, unsigned int line);
int import_add_ref(struct import *im, struct import_node *n, const char *ref);
/* The last one that has the name (a later line counts); case matters not. NULL: none. */
struct import_node *import_find(const struct import_node *section, const char *name);
/* Does the line @n of @section count, as no later one has its name? */
bool import_counts(const struct import_node *section, const struct import_node *n);
/* The value of @name in @section, or @otherwise. */
const char *import_value(const struct import_node *section, const char *name,
			 const char *otherwise);
/* Gives every section the lines of those that it refers to. -1, which was said: one is not there, or a circle. */
int import_resolve(struct import *im, struct import_node *section);
void import_free(struct import_node *n);

/*
 * Reads the files that @pattern stands for, seen from the file of the line @at, by @parse into @into. None is said, and fine. -1,
 * which was said: one cannot be read or understood, or a limit is reached.
 */
typedef int import_parse_fn(struct import *im, struct import_node *into, const char *text,
			    const char *path);
int import_include(struct import *im, struct import_node *into, const char *pattern,
		   const struct import_node *at, import_parse_fn *parse);
/* "/etc/swanctl/x509/a.pem" of @name "a.pem", @below "x509" in the folder of @path "/etc/swanctl/swanctl.conf". To free. */
char *import_beside(const char *path, const char *below, const char *name);

/* ---- import_conn.c: a connection on its way to a file of ours ------------------------------------------ */

enum import_key {
	OUT_ADDRESS,
	OUT_MTU,
	OUT_LOCAL_ID,
	OUT_LOCAL_AUTH,
	OUT_EAP,
	OUT_PASSWORD,
	OUT_KEY,
	OUT_KEY_PASSPHRASE,
	OUT_CERT,
	OUT_LOCAL,
	OUT_PORT,
	OUT_FWMARK,
	OUT_TABLE,
	OUT_ENDPOINT,
	OUT_REMOTE_ID,
	OUT_REMOTE_AUTH,
	OUT_USERS,
	OUT_PUBLIC_KEY,
	OUT_CA,
	OUT_REVOCATION,
	OUT_PSK,
	OUT_PPK,
	OUT_PPK_ID,
	OUT_PPK_REQUIRED,
	OUT_ROUTES,
	OUT_SELECTORS,
	OUT_CRYPTO,
	OUT_ENCAP,
	OUT_MOBIKE,
	OUT_KEEPALIVE,
	OUT_LIVENESS,
	OUT_REKEY,
	OUT_REAUTH,
	OUT_REKEY_BYTES,
	OUT_REKEY_PACKETS,
	OUT_REPLAY_WINDOW,
	OUT_START,
	OUT_MODE,
	OUT_CLIENTS,
	OUT_UNIQUE,
	OUT_RANGE,
	OUT_POOL_DNS,
	OUT_POOL_ROUTES,
	OUT_KEYS,
};

/* Where in esptun.conf(5) it stands. */
struct import_key_name {
	const char *section, *key;
};

extern const struct import_key_name import_key_names[OUT_KEYS];

enum import_auth { AUTH_UNSAID, AUTH_PSK, AUTH_PUBKEY, AUTH_EAP, AUTH_NONE };

/* One of the two ends. */
struct import_end {
	enum import_auth auth;
	bool seen; /* a first round of authentication is there */
	char *id, *eap_id;
	char *ts_suffix; /* what narrows its selectors: ":udp:1701" */
	const struct import_node *cert, *pubkey; /* lines whose value is the name of a file */
	struct import_list_of_files {
		char *path[8];
		unsigned int n;
	} ca;
};

/* Selectors of a child SA, as texts of esptun.conf(5). */
struct import_child {
	char name[16];
	char ts[2][IMPORT_MAX_TS][IMPORT_TS_TEXT]; /* of this end, of the other */
	unsigned int n_ts[2];
	const char *start, *mode; /* words of ours; NULL: unsaid */
	const struct import_node *at;
};

enum { LOCAL, REMOTE }; /* ends */

struct import_conn {
	struct import *im;
	char name[16];
	const struct import_node *at;
	char *value[OUT_KEYS];
	struct import_end end[2];
	char *remote_ca; /* the name of the peer's CA; NULL: any that there is */
	struct import_child child[IMPORT_MAX_CHILDREN];
	unsigned int n_child;
	struct import_child *in; /* the child SA whose lines are read */
	char *crypto[2]; /* proposals for IKE, for ESP */
	int64_t rekey[2]; /* seconds, of the IKE SA and of child SAs; -1: unsaid */
	uint32_t margin; /* seconds that come off them */
	unsigned int remote_port;
	bool clients; /* the peer may be many */
	bool refused; /* it can be nothing here, which was said */
	struct import_file file[10]; /* that NAME.conf names */
	unsigned int n_files;
};

/* Takes what the line @n says, of one of the ends if that matters. What cannot be taken is said. */
typedef void import_take_fn(struct import_conn *c, const struct import_node *n, int end);

/* A key of another program. Keys that have no row are left out with what foreign.h says of them. */
struct import_row {
	char where; /* the kind of section, a letter that each program's file has for it */
	const char *key; /* NULL ends the table */
	import_take_fn *take; /* NULL: left out */
	const char *why; /* of what is left out; of what is taken NULL */
	bool limits; /* without it more peers would be let in, so the connection is left out, too */
};

#define ROW_TAKEN(where, key, take)           \
	{                                     \
		where, key, take, NULL, false \
	}
#define ROW_LEFT(where, key, why)            \
	{                                    \
		where, key, NULL, why, false \
	}
#define ROW_LIMIT(where, key, why)          \
	{                                   \
		where, key, NULL, why, true \
	}

/* A secret of either program. */
struct import_secret {
	enum { SECRET_PSK, SECRET_EAP, SECRET_PPK, SECRET_KEY } kind;
	const struct import_node *at;
	const char *id[16]; /* whose it is; none: everybody's */
	unsigned int n_id;
	const char *value; /* as the other program writes it; NULL: none */
	const char *file; /* of a private key; NULL: none */
};

struct import_format {
	const char *word; /* of --from */
	const struct import_row *rows;
	import_parse_fn *parse;
	/* Makes connections of the tree by import_begin(), import_take(), import_finish(). -1: that was said. */
	int (*convert)(struct import *im);
	/* The secret behind that of *@at, which moves on; the first one behind NULL, false behind the last. NULL: there are none. */
	bool (*secret)(struct import *im, const struct import_node **at, struct import_secret *out);
};

extern const struct import_format import_swanctl, import_ipsec_conf, import_wg_quick;

/* A connection called @name; NULL without memory. */
struct import_conn *import_begin(struct import *im, const char *name, const struct import_node *at);
/* What the row of @where for @key, the name of the line @n or a part of it, says. */
void import_take(struct import_conn *c, char where, const char *key, const struct import_node *n,
		 int end);
/* KEY = what is printed. If that cannot be written it is said of the line @n, and the connection is left out. */
void import_set(struct import_conn *c, enum import_key key, const struct import_node *n,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same, behind a comma if the key has a value. */
void import_append(struct import_conn *c, enum import_key key, const struct import_node *n,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A child SA more, which c->in is then. False: too many, which was said. */
bool import_begin_child(struct import_conn *c, const char *name, const struct import_node *at);
/* The file NAME.@suffix with a copy of @text; its path. NULL without memory, or with too many. */
char *import_add_file(struct import_conn *c, const char *suffix, const char *text, size_t len);

/* ---- import_finish.c ------------------------------------------------------------------------------- */

/* Its files, if config_parse() takes them, are results; else it is said why not. Frees @c. */
void import_finish(struct import_conn *c);

/* ---- import_value.c: values ------------------------------------------------------------------------ */

/* The next item of a list, which @at moves behind; NULL at its end. Lists have commas, and with @blanks these, too. */
char *import_item(char **at, bool blanks);
bool import_is_yes(const char *s);
/* Seconds, alone or with s, m, h or d behind them. */
bool import_seconds(const char *s, uint32_t *out);
/*
 * The identity as esptun.conf(5) has it, "" for any, to free. NULL: it is none, which was said of the line @n unless that is
 * NULL.
 */
char *import_identity(struct import_conn *c, const struct import_node *n, const char *text);

/* Functions for rows, of values that several programs have. */
import_take_fn import_take_selectors, import_take_ike_proposals, import_take_esp_proposals,
	import_take_mobike, import_take_encap, import_take_liveness, import_take_replay,
	import_take_ike_time, import_take_child_time, import_take_remote_host,
	import_take_local_host, import_take_version, import_take_nothing, import_take_range,
	import_take_auth, import_take_second_round, import_take_id, import_take_eap_id,
	import_take_certs, import_take_pubkeys;

/* ---- import_auth.c: who proves what by what --------------------------------------------------------- */

/* Keys, certificates and secrets of both ends, when all lines were taken. */
void import_finish_auth(struct import_conn *c);

#endif
