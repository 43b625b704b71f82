// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/keyfile.h"
#include "ike/app/terms.h"
#include "ike/crypto/crypto.h"
#include "ike/eap/eap.h"

/* Each part is digested with what came before it. */
struct digest {
	const uint8_t *secret;
	uint8_t v[32];
	bool failed;
};

/* The length is told, too, so that no octet can be of another part. */
static void add(struct digest *d, const void *data, size_t len)
{
	const uint8_t length[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	const struct ike_iov in[] = { { d->v, sizeof(d->v) }, { length, 2 }, { data, len } };
	uint8_t out[32];

	d->failed |= ike_hmac_sha256(d->secret, TERMS_SECRET, in, len ? 3 : 2, out);
	memcpy(d->v, out, sizeof(d->v));
}

/* In an order of octets that is the same everywhere. */
static void add_numbers(struct digest *d, const uint16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(d, (const uint8_t[]){ (uint8_t)(v[i] >> 8), (uint8_t)v[i] }, 2);
}

static void add_id(struct digest *d, const struct ike_id *id)
{
	add(d, &id->type, 1);
	add(d, id->data, id->len);
}

static void add_address(struct digest *d, const struct ike_addr *a)
{
	add(d, &a->family, 1);
	add(d, a->b, sizeof(a->b));
}

static void add_proposals(struct digest *d, const struct ike_proposals *l)
{
	for (unsigned int i = 0; i < l->n; i++) {
		for (unsigned int j = 0; j < l->p[i].n; j++) {
			const struct ike_transform *t = &l->p[i].t[j];

			add_numbers(d, (const uint16_t[]){ t->type, t->id, t->key_bits }, 3);
		}
		add(d, NULL, 0);
	}
	add(d, NULL, 0);
}

/* What the peer @id, or its client @own, has to prove that it has; NULL: it is the tunnel's. */
static void add_key(struct digest *d, const struct config *c, const struct ike_id *id,
		    const struct client_key *own)
{
	const struct client_key *ppk = client_ppks_own(&c->ppks, id);
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct ike_iov key;
	size_t at = 0;

	if (c->ppk)
		add(d, ppk ? ppk->digest : c->ppk->digest, SECRET_DIGEST);
	if (c->remote_auth.then_user) { /* the client's own key is the user's password */
		add(d, own ? own->digest : NULL, own ? SECRET_DIGEST : 0);
		own = NULL;
	}
	if (c->remote_auth.method != IKE_METHOD_SIGNATURE)
		add(d, own ? own->digest : c->psk_digest, SECRET_DIGEST);
	if (c->remote_auth.method != IKE_METHOD_SIGNATURE &&
	    !(eap_needs(c->eap_methods) & EAP_NEEDS_CERTS))
		return;
	while (ike_cred_next(&creds, &at, IKE_CRED_PEER_KEY, &key))
		add(d, key.base, key.len);
	for (at = 0; ike_cred_next(&creds, &at, IKE_CRED_CA, &key);)
		add(d, key.base, key.len);
}

/* Who we are as a user of EAP, and who its server is. */
static void add_names_of_eap(struct digest *d, const struct config *c)
{
	static const enum ike_cred_kind kinds[] = { IKE_CRED_EAP_NAME, IKE_CRED_EAP_SERVER };
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct ike_iov name;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!ike_cred_find(&creds, kinds[i], &name))
			continue;
		add_numbers(d, (const uint16_t[]){ (uint16_t)kinds[i] }, 1);
		add(d, name.base, name.len);
	}
}

/* What both ends agreed on, but keys and selectors. */
static void add_agreement(struct digest *d, const struct config *c)
{
	add_id(d, &c->local_id);
	add_id(d, &c->remote_id);
	add_address(d, &c->local);
	add(d, c->endpoint, strlen(c->endpoint));
	add_numbers(d, (const uint16_t[]){ c->port, c->endpoint_port, c->clients > 1 }, 3);
	add_proposals(d, c->ike);
	add_proposals(d, c->esp);
	if (c->encap != IKE_ENCAP_UDP) /* the terms of former builds are those of UDP */
		add_numbers(d, (const uint16_t[]){ (uint16_t)c->encap }, 1);
	if (c->ppk) {
		add(d, c->ppk->name.id, c->ppk->name.id_len);
		add_numbers(d,
			    (const uint16_t[]){ (uint16_t)(c->ppk->name.required |
							   c->ppk->name.of_clients << 1) },
			    1);
	}
	if (c->revocation != PKI_REVOCATION_OFF)
		add_numbers(d, (const uint16_t[]){ (uint16_t)c->revocation }, 1);
	if (c->local_auth.method != IKE_METHOD_PSK || c->remote_auth.method != IKE_METHOD_PSK)
		add_numbers(d,
			    (const uint16_t[]){ (uint16_t)c->local_auth.method,
						(uint16_t)c->remote_auth.method,
						(uint16_t)c->signatures },
			    3);
	if (c->local_auth.then_user || c->remote_auth.then_user)
		add_numbers(d,
			    (const uint16_t[]){ c->local_auth.then_user, c->remote_auth.then_user },
			    2);
	if (c->local_auth.eap_only || c->remote_auth.eap_only)
		add_numbers(d,
			    (const uint16_t[]){ c->local_auth.eap_only, c->remote_auth.eap_only,
						IKE_N_EAP_ONLY_AUTHENTICATION },
			    3);
	if (c->first_id)
		add_id(d, c->first_id);
	if (c->eap_methods)
		add_numbers(d, (const uint16_t[]){ (uint16_t)c->eap_methods }, 1);
	add_names_of_eap(d, c);
}

/* One of the digests: empty, of the salt alone, until something is added. */
static struct digest begin(const uint8_t *secret, const uint8_t *salt)
{
	struct digest d = { .secret = secret };

	add(&d, salt, TERMS_SALT);
	return d;
}

/* Where the key of a client stands; NULL: it is the tunnel's. */
static struct digest of_place(const uint8_t *secret, const uint8_t *salt,
			      const struct client_key *own)
{
	struct digest d = begin(secret, salt);

	if (own)
		add_id(&d, &own->id);
	return d;
}

/* Where the digests are. */
enum {
	AT_MARK = TERMS_SALT,
	AT_AGREEMENT = AT_MARK + TERMS_DIGEST,
	AT_KEY = AT_AGREEMENT + TERMS_DIGEST,
	AT_PLACE = AT_KEY + TERMS_DIGEST
};

static bool put(uint8_t *out, const struct digest *d)
{
	memcpy(out, d->v, TERMS_DIGEST);
	return !d->failed;
}

static int compute_terms(const struct config *c, const uint8_t *secret, const struct ike_id *id,
			 const uint8_t *salt, uint8_t out[TERMS_LEN])
{
	const struct client_key *own = client_keys_find(c->keys.v, c->keys.n, id);
	struct digest mark = begin(secret, salt), agreement = mark, key = mark;
	struct digest place = of_place(secret, salt, own);

	/*
	 * Terms of former builds are not known: their digests were made of other things, or Crypto=modern
	 * meant something else. Who changes what a configuration is expanded to raises this number, or
	 * an update would end all SAs. With ML-KEM in libcrypto modern means more.
	 */
	add(&mark, "5", 1);
	if (ike_kex_known(IKE_DH_MLKEM768))
		add(&mark, "mlkem", 5);
	add_agreement(&agreement, c);
	add_key(&key, c, id, own);
	memcpy(out, salt, TERMS_SALT);
	return put(out + AT_MARK, &mark) && put(out + AT_AGREEMENT, &agreement) &&
			       put(out + AT_KEY, &key) && put(out + AT_PLACE, &place)
		       ? 0
		       : -1;
}

int terms_make(const struct config *c, const uint8_t secret[TERMS_SECRET], const struct ike_id *id,
	       uint8_t out[TERMS_LEN])
{
	uint8_t salt[TERMS_SALT];

	ike_crypto_random(NULL, salt, sizeof(salt));
	return compute_terms(c, secret, id, salt, out);
}

static bool is_place(const uint8_t *secret, const uint8_t *terms, const struct client_key *own)
{
	struct digest d = of_place(secret, terms, own);

	return !d.failed && ike_equal(d.v, terms + AT_PLACE, TERMS_DIGEST);
}

/*
 * Does the tunnel itself have what a client without a key of its own can prove? A user of Users= always has its
 * own; what those of RADIUS have, their server knows.
 */
static bool has_common_key(const struct config *c)
{
	if (ike_auth_is_user(&c->remote_auth))
		return !eap_all_need(c->eap_methods, EAP_NEEDS_PASSWORD);
	return c->remote_auth.method != IKE_METHOD_PSK || c->psk_len > 0;
}

static bool has_key(const struct config *c, const struct ike_id *id)
{
	return has_common_key(c) || client_keys_find(c->keys.v, c->keys.n, id);
}

/* Is there still a key where the one of @terms stood? */
static bool has_place(const struct config *c, const uint8_t *secret, const struct ike_id *id,
		      const uint8_t *terms)
{
	for (uint16_t i = 0; i < id->len; i++) {
		const struct client_key *own = client_keys_at(c->keys.v, c->keys.n, id, i);

		if (own && is_place(secret, terms, own))
			return true;
	}
	return has_common_key(c) && is_place(secret, terms, NULL);
}

enum terms_verdict terms_judge(const struct config *c, const uint8_t secret[TERMS_SECRET],
			       const struct ike_id *id, const uint8_t *terms)
{
	uint8_t now[TERMS_LEN];

	if (!terms || compute_terms(c, secret, id, terms, now) ||
	    !ike_equal(now + AT_MARK, terms + AT_MARK, TERMS_DIGEST))
		return TERMS_UNKNOWN;
	if (!ike_equal(now + AT_AGREEMENT, terms + AT_AGREEMENT, TERMS_DIGEST))
		return TERMS_OTHER;
	if (ike_equal(now + AT_KEY, terms + AT_KEY, TERMS_DIGEST))
		return has_key(c, id) ? TERMS_SAME : TERMS_NO_KEY;
	return has_place(c, secret, id, terms) ? TERMS_OTHER_KEY : TERMS_NO_KEY;
}

/* ---- the secret ------------------------------------------------------------------- */

/* 0, or -1 with a sentence: no other user can have made or read it. */
static int read_secret(int fd, const char *path, uint8_t *secret, char *err, size_t err_size)
{
	struct stat st;

	snprintf(err, err_size, "cannot read %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !key_file_ok(path, &st, err, err_size))
		return -1;
	return read(fd, secret, TERMS_SECRET) == TERMS_SECRET ? 0 : -1;
}

static int write_secret(const char *path, const uint8_t *secret, char *err, size_t err_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, secret, TERMS_SECRET) == TERMS_SECRET;

	if (!written)
		snprintf(err, err_size, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written ? 0 : -1;
}

int terms_secret_read(const char *socket, uint8_t secret[TERMS_SECRET], char *err, size_t err_size)
{
	char path[4096];
	int fd, rc;

	snprintf(path, sizeof(path), "%s.secret", socket);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		rc = read_secret(fd, path, secret, err, err_size);
		close(fd);
		if (!rc)
			return 0;
		unlink(path);
	}
	/* The kernel's, for processes forked before have the state of the library's generator. */
	if (getrandom(secret, TERMS_SECRET, 0) != TERMS_SECRET)
		abort();
	return write_secret(path, secret, err, err_size);
}
