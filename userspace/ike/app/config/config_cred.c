// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of public-key authentication, from their files or values into a configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/pki/pki.h"
#include "ike/proto/id.h"
#include "ike/proto/text.h"

enum {
	PEM_LINE = 64, /* characters, RFC 7468 */
	MAX_IDS = 8, /* of a certificate, that a message names */
	MAX_OWN = PKI_MAX_ALL, /* bytes of our certificates: what one IKE_AUTH message carries */
};

int config_cred_add(struct config *c, enum ike_cred_kind kind, const void *der, size_t len)
{
	size_t room = c->n_creds + IKE_CRED_HEAD + len;
	uint8_t *grown = room <= IKE_MAX_CREDS ? realloc(c->creds, room) : NULL;

	if (!grown)
		return -1;
	ike_cred_head(grown + c->n_creds, kind, len);
	memcpy(grown + c->n_creds + IKE_CRED_HEAD, der, len);
	c->creds = grown;
	c->n_creds = (unsigned int)room;
	return 0;
}

int config_cred_private(struct config *c, const char *text, size_t len,
			const struct ike_iov *passphrase, char *why, size_t size)
{
	struct ike_private_key key;
	struct ike_public_key public;
	int err = ike_private_decrypt(text, len, passphrase, &key, &public, why, size);

	if (!err) {
		c->private_key = malloc(key.len);
		err = !c->private_key ||
		      config_cred_add(c, IKE_CRED_OWN_KEY, public.spki, public.len);
		snprintf(why, size, "finds no memory");
	}
	if (!err) {
		memcpy(c->private_key, key.der, key.len);
		c->n_private = (unsigned int)key.len;
	}
	ike_wipe(&key, sizeof(key));
	return err ? -1 : 0;
}

int config_cred_public(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	struct ike_public_key key;

	if (ike_public_read(data, len, &key, why, size))
		return -1;
	snprintf(why, size, "finds no memory");
	return config_cred_add(c, IKE_CRED_PEER_KEY, key.spki, key.len);
}

/* base64: what stands between the lines of PEM. */
static int public_from_base64(struct config *c, const char *s, char *why, size_t size)
{
	char pem[2 * IKE_MAX_SPKI];
	struct text t = text_init(pem, sizeof(pem));

	text_add(&t, "-----BEGIN PUBLIC KEY-----\n");
	for (size_t i = 0, n = strlen(s); i < n; i += PEM_LINE)
		text_add(&t, "%.*s\n", PEM_LINE, s + i);
	text_add(&t, "-----END PUBLIC KEY-----\n");
	return config_cred_public(c, pem, strlen(pem), why, size);
}

int config_cred_value(struct config *c, const char *s, char *why, size_t size)
{
	uint8_t der[IKE_MAX_SPKI];
	size_t len;

	if (!strncmp(s, "base64:", 7))
		return public_from_base64(c, s + 7, why, size);
	if (ike_hex_from_text(s + 4, der, sizeof(der), &len)) {
		snprintf(why, size, "is wrong: expected hex: and pairs of digits");
		return -1;
	}
	return config_cred_public(c, der, len, why, size);
}

/* ---- certificates ---------------------------------------------------------------------------- */

/* Items of the kind from a file, of which @what it has some. */
static int add_items(struct config *c, enum ike_cred_kind kind, enum pki_kind what,
		     const void *data, size_t len, char *why, size_t size)
{
	struct pki_items items;
	int err = pki_read(what, data, len, &items, why, size);

	if (err)
		return -1;
	for (unsigned int i = 0; i < items.n && !err; i++)
		err = config_cred_add(c, kind, items.item[i].base, items.item[i].len);
	pki_items_free(&items);
	if (err)
		snprintf(why, size, "certificates and CRLs have more than %d bytes in all",
			 IKE_MAX_CREDS);
	return err;
}

int config_cred_certs(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	return add_items(c, IKE_CRED_OWN_CERT, PKI_CERTS, data, len, why, size);
}

int config_cred_cas(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	return add_items(c, IKE_CRED_CA, PKI_CERTS, data, len, why, size);
}

int config_cred_crls(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	return add_items(c, IKE_CRED_CRL, PKI_CRLS, data, len, why, size);
}

int config_cred_ocsp(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	return add_items(c, IKE_CRED_OWN_OCSP, PKI_RESPONSES, data, len, why, size);
}

void config_cred_check_crls(struct config *c, int64_t now, char *why, size_t size)
{
	const struct ike_creds creds = { c->creds, c->n_creds };
	char fault[PKI_MAX_TEXT];
	struct ike_iov crl;
	size_t at = 0;

	*why = 0;
	c->crl_due = INT64_MAX;
	while (ike_cred_next(&creds, &at, IKE_CRED_CRL, &crl)) {
		int64_t due = pki_crl_check(&crl, now, fault, sizeof(fault));

		if (due < c->crl_due)
			c->crl_due = due;
		if (!*why)
			snprintf(why, size, "%s", fault);
	}
}

/* Where CRLs and OCSP response stand, one behind the other; both 0 if there are none. */
static void find_status(const struct ike_creds *creds, size_t *from, size_t *to)
{
	static const enum ike_cred_kind kinds[] = { IKE_CRED_CRL, IKE_CRED_OWN_OCSP };
	struct ike_iov item;

	*from = *to = 0;
	for (unsigned int i = 0; i < 2; i++) {
		size_t at = *to;

		while (ike_cred_next(creds, &at, kinds[i], &item)) {
			if (!*to)
				*from = at - item.len - IKE_CRED_HEAD;
			*to = at;
		}
	}
}

int config_take_cert_status(struct config *c, const struct config *from)
{
	const struct ike_creds old = { c->creds, c->n_creds };
	size_t first, behind, len;
	uint8_t *made;

	find_status(&old, &first, &behind);
	len = first + from->n_creds + (c->n_creds - behind);
	if (len > IKE_MAX_CREDS)
		return -E2BIG;
	made = malloc(len ? len : 1);
	if (!made)
		return -ENOMEM;
	if (first)
		memcpy(made, c->creds, first);
	if (from->n_creds)
		memcpy(made + first, from->creds, from->n_creds);
	if (c->n_creds > behind)
		memcpy(made + first + from->n_creds, c->creds + behind, c->n_creds - behind);
	free(c->creds);
	c->creds = made;
	c->n_creds = (unsigned int)len;
	c->cert_status_time = from->cert_status_time;
	c->crl_due = from->crl_due;
	return 0;
}

const struct config_paths *config_paths(const struct config *c)
{
	static const struct config_paths none;

	return c->paths ? c->paths : &none;
}

struct config_paths *config_need_paths(struct config *c)
{
	if (!c->paths)
		c->paths = calloc(1, sizeof(*c->paths));
	c->n_paths = c->paths ? 1 : 0;
	return c->paths;
}

bool config_names_same_status(const struct config *a, const struct config *b)
{
	const struct config_paths *x = config_paths(a), *y = config_paths(b);

	return !strcmp(x->crl, y->crl) && !strcmp(x->ocsp, y->ocsp);
}

/* "'a.example', 'CN=a'": the identities of a certificate. */
static void print_ids(const struct ike_iov *cert, char *buf, size_t size)
{
	struct text t = text_init(buf, size);
	char id[IKE_MAX_ID + 16];
	struct ike_id ids[MAX_IDS];
	unsigned int n = pki_cert_ids(cert, ids, MAX_IDS);

	for (unsigned int i = 0; i < n && i < MAX_IDS; i++)
		text_add(&t, "%s'%s'", i ? ", " : "", ike_id_print(id, sizeof(id), &ids[i]));
	if (n > MAX_IDS)
		text_add(&t, " ...");
	else if (!n)
		text_add(&t, "nobody");
}

/* The identity that we show is one of our certificate's, in its bytes. */
static int check_local_id(struct config *c, const struct ike_iov *cert, char *why, size_t size)
{
	char id[IKE_MAX_ID + 16], ids[1024];

	if (pki_cert_choose_id(cert, &c->local_id))
		return 0;
	print_ids(cert, ids, sizeof(ids));
	if (c->local_id.type)
		snprintf(
			why, size,
			"LocalID is '%s', but the certificate is for %s: set LocalID to one of them",
			ike_id_print(id, sizeof(id), &c->local_id), ids);
	else
		snprintf(
			why, size,
			"the certificate is for %s, and for no one name: expected a certificate with a name of this end, which is no wildcard",
			ids);
	return -1;
}

static int check_own(struct config *c, const struct ike_iov *certs, unsigned int n, int64_t now,
		     char *why, size_t size)
{
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct ike_iov key;
	size_t len = 0;

	for (unsigned int i = 0; i < n; i++)
		len += certs[i].len;
	if (n > PKI_MAX_CERTS || len > MAX_OWN) {
		snprintf(why, size, "expected at most %d certificates, of %d bytes in all",
			 PKI_MAX_CERTS, MAX_OWN);
		return -1;
	}
	if (!ike_cred_find(&creds, IKE_CRED_OWN_KEY, &key) ||
	    pki_own_check(certs, n, &key, now, why, size))
		return -1;
	return check_local_id(c, &certs[0], why, size);
}

static int check_cas(const struct ike_iov *cas, unsigned int n, char *why, size_t size)
{
	char fault[PKI_MAX_TEXT];
	struct pki_trust *trust = pki_trust_new(cas, n, NULL, 0, fault, sizeof(fault));

	if (!trust) /* else @why keeps its warning */
		snprintf(why, size, "%s", fault);
	pki_trust_free(trust);
	return trust ? 0 : -1;
}

static int item_cmp(const void *a, const void *b)
{
	const struct ike_iov *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->base, y->base, x->len);
}

/* In one order, so that it does not matter which file of CA= has which. They are behind all other items. */
static int sort_cas(struct config *c, struct ike_iov *cas, unsigned int n)
{
	size_t at = (size_t)((const uint8_t *)cas[0].base - c->creds) - IKE_CRED_HEAD;
	uint8_t *sorted = malloc(c->n_creds);

	if (!sorted)
		return -1;
	memcpy(sorted, c->creds, at);
	qsort(cas, n, sizeof(*cas), item_cmp);
	for (unsigned int i = 0; i < n; i++) {
		ike_cred_head(sorted + at, IKE_CRED_CA, cas[i].len);
		memcpy(sorted + at + IKE_CRED_HEAD, cas[i].base, cas[i].len);
		at += IKE_CRED_HEAD + cas[i].len;
	}
	free(c->creds);
	c->creds = sorted;
	return 0;
}

int config_cred_check(struct config *c, int64_t now, char *why, size_t size)
{
	const struct ike_creds creds = { c->creds, c->n_creds };
	unsigned int n_own, n_cas;
	struct ike_iov *own = ike_cred_collect(&creds, IKE_CRED_OWN_CERT, &n_own);
	struct ike_iov *cas = ike_cred_collect(&creds, IKE_CRED_CA, &n_cas);
	struct ike_iov response;
	int err = own && cas ? 0 : -1;

	snprintf(why, size, "%s", err ? "not enough memory" : "");
	if (!err && n_own)
		err = check_own(c, own, n_own, now, why, size);
	if (!err && !*why && n_own && ike_cred_find(&creds, IKE_CRED_OWN_OCSP, &response))
		err = pki_own_response_check(&response, own, now, why, size);
	if (!err && n_cas)
		err = check_cas(cas, n_cas, why, size);
	if (!err && n_cas && sort_cas(c, cas, n_cas)) {
		snprintf(why, size, "not enough memory");
		err = -1;
	}
	free(own);
	free(cas);
	return err;
}
