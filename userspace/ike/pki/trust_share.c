// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/pki/trust_share.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { BUCKETS = 256, DIGEST = 32 };

struct shared {
	LIST_ENTRY(shared) link;
	struct pki_trust *trust;
	unsigned int holders;
	uint8_t digest[DIGEST]; /* SHA2-256 of all bytes it was made of */
};

static LIST_HEAD(, shared) buckets[BUCKETS]; /* by the first byte of the digest */

static bool add_items(EVP_MD_CTX *c, const struct ike_iov *items, unsigned int n)
{
	bool ok = EVP_DigestUpdate(c, &n, sizeof(n)) == 1;

	for (unsigned int i = 0; i < n && ok; i++)
		ok = EVP_DigestUpdate(c, &items[i].len, sizeof(items[i].len)) == 1 &&
		     EVP_DigestUpdate(c, items[i].base, items[i].len) == 1;
	return ok;
}

static bool make_digest(uint8_t out[DIGEST], const struct ike_iov *cas, unsigned int n_cas,
			const struct ike_iov *crls, unsigned int n_crls)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 && add_items(c, cas, n_cas) &&
		  add_items(c, crls, n_crls) && EVP_DigestFinal_ex(c, out, NULL) == 1;

	EVP_MD_CTX_free(c);
	return ok;
}

static struct shared *find_digest(const uint8_t digest[DIGEST])
{
	struct shared *s;

	LIST_FOREACH(s, &buckets[digest[0]], link)
	{
		if (!memcmp(s->digest, digest, DIGEST))
			return s;
	}
	return NULL;
}

struct pki_trust *pki_trust_get(const struct ike_iov *cas, unsigned int n_cas,
				const struct ike_iov *crls, unsigned int n_crls, char *err,
				size_t err_size)
{
	uint8_t digest[DIGEST];
	struct shared *s;

	snprintf(err, err_size, "not enough memory");
	if (!make_digest(digest, cas, n_cas, crls, n_crls))
		return NULL;
	s = find_digest(digest);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		memcpy(s->digest, digest, DIGEST);
		s->trust = pki_trust_new(cas, n_cas, crls, n_crls, err, err_size);
		if (!s->trust) {
			free(s);
			return NULL;
		}
		LIST_INSERT_HEAD(&buckets[digest[0]], s, link);
	}
	s->holders++;
	return s->trust;
}

static struct shared *find_trust(const struct pki_trust *trust)
{
	struct shared *s;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		LIST_FOREACH(s, &buckets[i], link)
		{
			if (s->trust == trust)
				return s;
		}
	}
	abort(); /* it was given back before */
}

void pki_trust_put(struct pki_trust *trust)
{
	struct shared *s;

	if (!trust)
		return;
	s = find_trust(trust);
	if (--s->holders)
		return;
	LIST_REMOVE(s, link);
	pki_trust_free(s->trust);
	free(s);
}

unsigned int pki_trusts_held(void)
{
	unsigned int n = 0;
	struct shared *s;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		LIST_FOREACH(s, &buckets[i], link)
		n++;
	}
	return n;
}
