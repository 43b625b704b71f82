/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/esptun/NAME.conf: one file makes the netdevice NAME. An INI file with the
 * sections [Tunnel] and [Peer], [Child NAME] for each child SA if there are several,
 * [Client ID] for each client with a key of its own, [Pool] for addresses of clients, and [Radius] for each RADIUS server; keys and sections compare without case.
 * Lists are separated by commas or blanks, go on in indented lines, or repeat the key; an
 * indented line that begins with the name of a key is one. A comment starts with # or ; at the
 * start of a line or after a blank.
 */
#ifndef ESPTUN_IKE_CONFIG_H
#define ESPTUN_IKE_CONFIG_H

#include <time.h>

#include "ike/auth/sigalg.h"
#include "ike/keys/client_keys.h"
#include "ike/io/net.h"
#include "ike/core/core.h"
#include "ike/pool/pool.h"
#include "ike/radius/radius_client.h"

#define CONFIG_DIR "/etc/esptun"

enum config_limits {
	CONFIG_MAX_FILE = 65536, /* bytes */
	CONFIG_MAX_SECRETS = 1 << 20, /* bytes of the file that Secrets= names */
	CONFIG_MAX_PREFIXES = 256, /* Address or Routes */
	CONFIG_MAX_RANGES = 64,
	CONFIG_MAX_FIXED = 1024,
	CONFIG_MAX_APART = 256, /* networks that make up the addresses of clients */
};

/* What Rekey is without a word in the file. */
enum config_rekey {
	CONFIG_REKEY_IKE = 4 * 3600, /* seconds */
	CONFIG_REKEY_CHILD = 3600, /* seconds */
	CONFIG_REKEY_CHILD_MAX = 7 * 86400,
};

/* A post-quantum preshared key, and its name. */
struct config_ppk {
	uint8_t key[SECRET_ROOM];
	size_t len;
	uint8_t digest[SECRET_DIGEST]; /* once it is sealed */
	char file[256]; /* "": it is in key */
	char clients_file[256]; /* with those of clients, see ->ppks; "": none */
	struct ike_ppk_conf name;
};

/* Our password as a user, for EAP. */
struct config_password {
	uint8_t key[SECRET_ROOM]; /* as enum ike_job_secret says */
	size_t len;
	uint8_t digest[SECRET_DIGEST]; /* once it is sealed */
	char file[256]; /* "": it is in key */
};

/* Paths that few tunnels have; "": none. */
struct config_paths {
	char crl[256]; /* of CRLs: a file, or a folder of some */
	char ocsp[256]; /* of the file with an OCSP response about our certificate */
	char passphrase[256]; /* where that of our private key is: /PATH or cred:NAME */
};

/* A section [Radius]. */
struct config_radius {
	struct radius_server server;
	uint8_t secret[SECRET_ROOM];
	size_t secret_len;
	uint8_t digest[SECRET_DIGEST]; /* once it is sealed (seal.h) */
	char secret_file[256]; /* "": it is in secret */
	/* While files are read: */
	unsigned int line; /* where it stands; 0 afterwards, so that lists compare as bytes */
	bool accounting_given;
};

struct config {
	char name[16]; /* netdevice */
	/* When the file was changed last, and when it or the key's file was; not for config_equal(). */
	struct timespec file_time, changed;

	/* [Tunnel] */
	struct net_prefix *address;
	unsigned int n_address;
	bool asks_address; /* the peer gives us more of them */
	bool asks_routes; /* the peer says what it routes for us */
	bool leaves_dns; /* name servers that it tells are not used */
	uint32_t mtu; /* 0: auto */
	struct ike_id local_id; /* type 0: the local address */
	struct ike_addr local; /* outer; family 0: routing chooses */
	uint16_t port; /* ESP-in-UDP, ours */
	uint32_t fwmark; /* outer packets, 0 none */
	uint32_t table; /* of Routes; 0: main */
	uint32_t metric; /* of Routes; 0: the kernel's default */
	struct ike_auth_conf local_auth;
	struct config_password *password; /* NULL: we have none */
	unsigned int n_password; /* 0 or 1 */
	char key_file[256]; /* of our private key; "": none */
	char cert_file[256]; /* of our certificate and those of its CAs; "": none */
	uint8_t *private_key; /* in DER, or sealed */
	unsigned int n_private;

	/* [Peer] */
	char endpoint[256]; /* host name or address; "": listen only */
	struct ike_addr endpoint_addr; /* if it is numeric */
	uint16_t endpoint_port;
	struct ike_id remote_id; /* type 0: any that proves the key */
	struct ike_id *first_id; /* likewise, of the first one of two rounds; NULL: any */
	unsigned int n_first_id; /* 0 or 1 */
	uint8_t psk[SECRET_ROOM];
	size_t psk_len; /* 0: clients alone have keys */
	uint8_t psk_digest[SECRET_DIGEST]; /* once it is sealed (seal.h) */
	char psk_file[256]; /* "": the key is in psk */
	struct config_ppk *ppk;
	unsigned int n_ppk; /* 0 or 1 */
	struct client_ppks ppks;
	struct ike_auth_conf remote_auth;
	uint32_t signatures; /* enum ike_sig_policy */
	uint32_t eap_methods; /* set of enum eap_number; 0: no end has EAP */
	char public_file[256]; /* of the peer's public key; "": none */
	char ca_path[256]; /* of CAs for the peer's certificate: a file, or a folder of some; "": none */
	struct config_paths *paths; /* see config_paths() */
	unsigned int n_paths; /* 1, or 0: all are "" */
	struct timespec
		cert_status_time; /* of CRLs and OCSP response; another one after each change of them; not for config_equal() */
	int64_t crl_due; /* when the first of them is to be replaced; seconds since 1970, UTC */
	enum pki_revocation revocation;
	bool fetch; /* CRLs and OCSP responses are fetched … */
	struct net_prefix *fetch_from; /* … from these, too, whatever they are; host bits are zero */
	unsigned int n_fetch_from;
	uint8_t *creds; /* as struct ike_creds has them */
	unsigned int n_creds;
	struct client_keys keys; /* sorted */
	char secrets_file[256]; /* with some of them; of Users=, with all; "": none */
	struct net_prefix *routes; /* host bits are zero */
	unsigned int n_routes;
	struct ike_child_conf *child;
	unsigned int n_child;
	const struct ike_proposals *ike, *esp; /* shared, see proposal_share.h */
	uint32_t keepalive, liveness; /* seconds, 0 off */
	bool mobike;
	enum ike_encap encap;
	uint32_t reauth; /* seconds, 0 off */
	uint32_t rekey_ike, rekey_child; /* seconds, 0 off */
	uint64_t rekey_bytes, rekey_packets; /* of one direction of a child SA, 0 off */
	uint32_t replay_window; /* packets, 0 off */
	enum ike_start start; /* of the child SA that starts first */
	unsigned int clients; /* how many peers it may serve */
	enum ike_unique unique; /* for clients */

	/* [Pool] */
	struct ike_addr server[IKE_CP_SERVERS]; /* of names */
	unsigned int n_servers;
	char *domains; /* as in struct ike_cp; NULL: none */
	unsigned int n_domains; /* bytes: IKE_CP_DOMAINS, or 0 */
	bool tells_routes; /* networks that clients are told: these, not those of Selectors */
	struct net_prefix *told;
	unsigned int n_told;
	struct pool_range *ranges;
	unsigned int n_ranges; /* 0: there is no pool */
	struct pool_fixed *fixed; /* with our own addresses, which nobody gets */
	unsigned int n_fixed;
	struct net_prefix *apart; /* clients' addresses, if they may not reach each other */
	unsigned int n_apart;

	/* [Radius] */
	struct config_radius *radius; /* in the order in which they are asked */
	unsigned int n_radius;
};

/*
 * Takes what is wrong: one sentence of printable ASCII, which holds no part of the
 * pre-shared key; @line 0 if none is to blame.
 */
struct config_report {
	void (*fn)(void *ctx, bool error, unsigned int line, const char *text);
	void *ctx;
};

/*
 * Parse the text of NAME.conf. Pure but for shared proposals and @report, which hears of every error and
 * warning in order of lines. 0, or -1 if there was an error; then @out is cleared.
 * Files with keys are not read here. Give @out back with config_clear().
 */
int config_parse(const char *name, const char *text, size_t len, struct config *out,
		 const struct config_report *report);

/*
 * Read and parse @path, whose name without folder and ".conf" is the netdevice's, and
 * the files that PSK=, Secrets=, Users= and the like name. Those that hold keys must belong to root or to us, and be
 * closed to group and others.
 */
int config_load(const char *path, struct config *out, const struct config_report *report);

/* A list that a configuration holds by pointer. */
struct config_list {
	void **items;
	unsigned int n;
	size_t size; /* bytes of an item */
};

enum { CONFIG_LISTS = 19 };

/* Those of @c, never NULL. */
const struct config_paths *config_paths(const struct config *c);

/* All lists of @c, in a fixed order. */
void config_lists(struct config *c, struct config_list out[CONFIG_LISTS]);

/*
 * The CRLs and the OCSP response that @path, as of config_load(), names now, if their time is not @known.
 * 1: *@out has nothing but them, their times and the paths; 0: they are as they were; -1, and @report heard why:
 * they cannot be had, and *@out has the time only. Give @out back with config_clear().
 */
int config_load_cert_status(const char *path, const struct timespec *known, struct config *out,
			    const struct config_report *report);

/* CRLs and OCSP response of @from take the place of those of @c. 0, -ENOMEM, or -E2BIG: there are too many. */
int config_take_cert_status(struct config *c, const struct config *from);
/* Do both name the same files of them? */
bool config_names_same_status(const struct config *a, const struct config *b);

/* Free lists, give proposals back, wipe the keys. */
void config_clear(struct config *c);

/* Do clients get the same addresses? */
bool config_equal_pool(const struct config *a, const struct config *b);

/* The same RADIUS servers? */
bool config_equal_radius(const struct config *a, const struct config *b);

/* Same tunnel in every respect (endpoint names compare as text)? */
bool config_equal(const struct config *a, const struct config *b);
/* The same but for the keys of clients? */
bool config_equal_but_keys(const struct config *a, const struct config *b);

/* The part that the protocol core needs, without any key. remote is left to name resolution. */
void config_tunnel(const struct config *c, struct ike_tunnel_conf *out);

/* Does traffic begin a child SA beside others? */
bool config_adds_by_traffic(const struct config *c);

/* May a netdevice have this name? */
bool config_name_ok(const char *name);

#endif
