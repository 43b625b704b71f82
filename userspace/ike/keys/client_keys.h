/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of single clients: for an identity, or with a wildcard for those it stands for, in place of
 * the tunnel's PSK. They come from the sections [Client ID] of its configuration and from the file
 * that Secrets= names; or they are the users of the file that Users= names, or PPKs by their names. Pure.
 */
#ifndef ESPTUN_IKE_CLIENT_KEYS_H
#define ESPTUN_IKE_CLIENT_KEYS_H

#include "ike/app/secret.h"
#include "ike/proto/id.h"

enum { CLIENT_KEYS_MAX = 10000 };

struct client_key {
	struct ike_id id;
	uint8_t key[SECRET_ROOM];
	size_t len;
	uint8_t digest[SECRET_DIGEST]; /* once it is sealed (seal.h) */
	bool reserved; /* a PPK that a section [Client ID] names: it is for the clients of such sections alone */
	/* While files are read: */
	unsigned int line; /* where it stands; 0 afterwards, so that lists compare as bytes */
	bool of_secrets; /* in the file of Secrets= */
	bool named; /* key is the name of the file that holds it, with a NUL */
};

/* A list that grows. Wiped with every copy of it by client_keys_clear(). */
struct client_keys {
	struct client_key *v;
	unsigned int n;
};

/* PPKs of clients (RFC 8784). */
struct client_ppks {
	struct client_keys keys; /* by their names, see client_ppk_name(); sorted */
	struct client_keys
		of; /* which a client has to have: key is its name; sorted; others may have any that is not reserved */
};

/* A new one, all zero, at the end; NULL without memory, or at CLIENT_KEYS_MAX. */
struct client_key *client_keys_add(struct client_keys *l);
void client_keys_clear(struct client_keys *l);

/*
 * The text of Secrets=, @len bytes in @text: lines IDENTITY = KEY, and comments. Adds to @l. Calls @fn
 * with each error and warning: one sentence that holds no part of a key. 0, or -1 after an error.
 */
int client_keys_parse(struct client_keys *l, const char *text, size_t len,
		      void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
		      void *ctx);

/*
 * The same for the text of Users=: lines NAME = PASSWORD, or NAME = nt:HASH, the hash of it in 32 digits. A key
 * is what enum ike_job_secret says, its identity what the name stands for (eap_identity()).
 */
int client_keys_parse_users(struct client_keys *l, const char *text, size_t len,
			    void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
			    void *ctx);

/*
 * The same for the text of ClientPPKs=: lines NAME = KEY, of which the identity is the name, as a key ID (client_ppk_name()).
 * One with = in it has a blank behind it.
 */
int client_keys_parse_ppks(struct client_keys *l, const char *text, size_t len,
			   void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
			   void *ctx);
/* The name of a PPK, of @len bytes, as an identity of that list. */
void client_ppk_name(struct ike_id *id, const void *name, size_t len);

/* The password in @key becomes a key of jobs (enum ike_job_secret). -1: it is no text in UTF-8, or longer than SECRET_MAX - 1 bytes. */
int client_keys_password(uint8_t key[static SECRET_ROOM], size_t *len);

/*
 * Put them in the order that client_keys_find() needs. NULL, or one whose identity the one before
 * it in the list has, too.
 */
const struct client_key *client_keys_sort(struct client_keys *l);

/*
 * The key for @id in the @n of a sorted list: its own, else that of the longest wildcard that stands
 * for it; NULL if there is none. What it costs depends on @id and @n alone.
 */
const struct client_key *client_keys_find(const struct client_key *list, unsigned int n,
					  const struct ike_id *id);

/*
 * The key in a sorted list whose identity is that of @id from octet @at on: with 0 all of it, else a
 * wildcard's that stands for what comes before. NULL: there is none.
 */
const struct client_key *client_keys_at(const struct client_key *list, unsigned int n,
					const struct ike_id *id, uint16_t at);

/*
 * The PPKs that clients have to have are reserved for them. NULL; or the first such client whose PPK is missing: key is the
 * name of that.
 */
const struct client_key *client_ppks_reserve(struct client_ppks *l);
/* The PPK of this name for the client; NULL: there is none, it has to have another one, or that is reserved for others. */
const struct client_key *client_ppks_find(const struct client_ppks *l, const struct ike_id *client,
					  const void *name, size_t len);
/* The one that it has to have; NULL: that is not said. */
const struct client_key *client_ppks_own(const struct client_ppks *l, const struct ike_id *client);

#endif
