// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/app/seal.h"

#include <stdlib.h>
#include <string.h>

#include "ike/crypto/crypto.h"

_Static_assert(SEAL_PRIVATE >= IKE_MAX_PRIVATE + IKE_WRAP_OVERHEAD, "so does a private one");
_Static_assert(SECRET_ROOM >= SECRET_MAX + IKE_WRAP_OVERHEAD, "a key fits when wrapped");

/* One key in its place, and its digest. Without a key nothing is done. */
static int seal_key(const struct seal *s, uint8_t key[SECRET_ROOM], size_t *len,
		    uint8_t digest[SECRET_DIGEST])
{
	const struct ike_iov in[] = { { "key", 3 }, { key, *len } };
	uint8_t wrapped[SECRET_ROOM] = { 0 };
	size_t wrapped_len;

	if (!*len)
		return 0;
	if (ike_hmac_sha256(s->secret, sizeof(s->secret), in, 2, digest) ||
	    ike_key_wrap(s->wrapping, sizeof(s->wrapping), key, *len, wrapped, sizeof(wrapped),
			 &wrapped_len))
		return -1;
	memcpy(key, wrapped, sizeof(wrapped));
	*len = wrapped_len;
	return 0;
}

/* The private key, in a place of its own that is as long as it is then. */
static int seal_private(const struct seal *s, struct config *c)
{
	uint8_t *wrapped = c->n_private ? calloc(1, SEAL_PRIVATE) : NULL;
	size_t len = 0;

	if (!c->n_private)
		return 0;
	if (!wrapped || ike_key_wrap(s->wrapping, sizeof(s->wrapping), c->private_key, c->n_private,
				     wrapped, SEAL_PRIVATE, &len)) {
		free(wrapped);
		return -1;
	}
	ike_wipe(c->private_key, c->n_private);
	free(c->private_key);
	c->private_key = wrapped;
	c->n_private = (unsigned int)len;
	return 0;
}

static int seal_clients(const struct seal *s, struct client_keys *l)
{
	int rc = 0;

	for (unsigned int i = 0; i < l->n && !rc; i++)
		rc = seal_key(s, l->v[i].key, &l->v[i].len, l->v[i].digest);
	return rc;
}

int seal_config(const struct seal *s, struct config *c)
{
	int rc = seal_key(s, c->psk, &c->psk_len, c->psk_digest);

	if (!rc && c->ppk)
		rc = seal_key(s, c->ppk->key, &c->ppk->len, c->ppk->digest);
	if (!rc && c->password)
		rc = seal_key(s, c->password->key, &c->password->len, c->password->digest);
	if (!rc)
		rc = seal_private(s, c);

	if (!rc)
		rc = seal_clients(s, &c->keys);
	if (!rc)
		rc = seal_clients(s, &c->ppks.keys);
	for (unsigned int i = 0; i < c->n_radius && !rc; i++) {
		struct config_radius *r = &c->radius[i];

		rc = seal_key(s, r->secret, &r->secret_len, r->digest);
	}
	return rc;
}

int seal_open(const uint8_t wrapping[SEAL_WRAPPING], const uint8_t *sealed, size_t len,
	      uint8_t *key, size_t cap, size_t *key_len)
{
	*key_len = 0;
	if (!len || len > cap)
		return -1;
	return ike_key_unwrap(wrapping, SEAL_WRAPPING, sealed, len, key, key_len);
}

size_t seal_room(enum ike_job_kind kind)
{
	return kind == IKE_JOB_SIGN || kind == IKE_JOB_TLS ? SEAL_PRIVATE : SECRET_ROOM;
}
