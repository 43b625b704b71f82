// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ike/core/followup.h"

struct followup *followup_new(const struct ike_addke *a, const struct ike_nonces *n,
			      const struct ike_secret *first)
{
	struct followup *f = calloc(1, sizeof(*f));

	if (!f || n->i_len > sizeof(f->nonce_i) || n->r_len > sizeof(f->nonce_r)) {
		free(f);
		return NULL;
	}
	f->addke = *a;
	f->secret[0] = *first;
	memcpy(f->nonce_i, n->i, n->i_len);
	memcpy(f->nonce_r, n->r, n->r_len);
	f->nonces = (struct ike_nonces){
		.i = f->nonce_i, .r = f->nonce_r, .i_len = n->i_len, .r_len = n->r_len
	};
	return f;
}

void followup_free(struct followup *f)
{
	if (!f)
		return;
	ike_kex_free(f->kex);
	ike_wipe(f, sizeof(*f));
	free(f);
}

bool followup_is_over(const struct followup *f)
{
	return f->done == f->addke.n;
}

static void build_blob(struct ike_builder *b, const uint8_t *blob, size_t len)
{
	ike_build_notify(b, IKE_N_ADDITIONAL_KEY_EXCHANGE, blob, len);
}

/* ---- initiator ------------------------------------------------------------------ */

bool followup_take_blob(struct followup *f, const struct ike_payloads *in)
{
	struct ike_notify n;

	if (!ike_notify_find(in, IKE_N_ADDITIONAL_KEY_EXCHANGE, &n) || !n.len ||
	    n.len > sizeof(f->blob))
		return false;
	memcpy(f->blob, n.data, n.len);
	f->blob_len = n.len;
	return true;
}

bool followup_ask(struct followup *f, const struct ike_rng *rng, struct ike_builder *b)
{
	f->kex = ike_kex_new(f->addke.method[f->done], rng);
	if (!f->kex)
		return false;
	ike_secret_build(b, f->kex);
	build_blob(b, f->blob, f->blob_len);
	return true;
}

bool followup_take(struct followup *f, const struct ike_payloads *in)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_KE);
	struct ike_ke ke;
	bool ok = !ike_notify_first_error(in) && p && !ike_ke_parse(p, &ke) &&
		  ike_secret_agree(&f->secret[1 + f->done], f->kex, &ke);

	ike_kex_free(f->kex);
	f->kex = NULL;
	if (!ok)
		return false;
	f->done++;
	return followup_is_over(f) || followup_take_blob(f, in);
}

/* ---- responder ------------------------------------------------------------------ */

/* The SPI, and the number of exchanges that are over. */
static size_t make_blob(const struct followup *f, const uint8_t *spi, size_t len,
			uint8_t blob[FOLLOWUP_BLOB])
{
	memcpy(blob, spi, len);
	blob[len] = (uint8_t)f->done;
	return len + 1;
}

void followup_name(const struct followup *f, const uint8_t *spi, size_t len, struct ike_builder *b)
{
	uint8_t blob[FOLLOWUP_BLOB];

	build_blob(b, blob, make_blob(f, spi, len, blob));
}

bool followup_is_named(const struct followup *f, const uint8_t *spi, size_t len,
		       const struct ike_notify *n)
{
	uint8_t blob[FOLLOWUP_BLOB];

	return n->len == make_blob(f, spi, len, blob) && !memcmp(n->data, blob, n->len);
}

uint16_t followup_answer(struct followup *f, const struct ike_rng *rng,
			 const struct ike_payloads *in, struct ike_kex **kex)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_KE);
	struct ike_ke ke;

	if (!p || ike_ke_parse(p, &ke) || ke.group != f->addke.method[f->done] ||
	    !ike_kex_valid(ke.group, ke.data, ke.len))
		return IKE_N_INVALID_SYNTAX;
	*kex = ike_kex_respond(ke.group, rng, ke.data, ke.len, &f->secret[1 + f->done]);
	if (!*kex)
		return IKE_N_TEMPORARY_FAILURE;
	f->done++;
	return 0;
}
