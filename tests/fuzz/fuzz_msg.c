// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message codec: header, chain and every payload parser; what parses is written again
 * and must read back the same. Then what is done with the results: choosing, narrowing,
 * printing. Input that has no valid header still reaches the payload parsers.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/proto/cp.h"
#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/child/proposal.h"
#include "ike/core/sk.h"
#include "ike/child/ts.h"

#define CHECK(what)              \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static char text[65536];
static uint8_t again[2 * IKE_MAX_MSG];

/* What the builder wrote last, as one payload. */
static struct ike_payload written(struct ike_builder *b)
{
	size_t len = ike_build_end(b);

	CHECK(len >= 4);
	return (struct ike_payload){ .body = again + 4, .len = len - 4 };
}

static void fuzz_sa(const struct ike_payload *p)
{
	static struct ike_sa_payload in, out;
	static struct ike_proposals own[2];
	static struct ike_proposal answer, chosen;
	struct ike_builder b;
	struct ike_payload w;
	uint8_t first;

	if (ike_sa_parse(p, &in))
		return;
	CHECK(in.n >= 1 && in.n <= IKE_MAX_OFFER);
	ike_build_inner(&b, again, sizeof(again), &first);
	ike_build_sa(&b, IKE_OFFER(&in));
	w = written(&b);
	CHECK(!ike_sa_parse(&w, &out) && out.n == in.n);
	for (unsigned int i = 0; i < in.n; i++)
		in.p[i].left_out = 0;
	CHECK(!memcmp(in.p, out.p, in.n * sizeof(in.p[0])));
	ike_proposals_print(text, sizeof(text), IKE_OFFER(&in));
	for (int i = 0; i < 2; i++) {
		if (!own[i].n)
			CHECK(!ike_proposals_from_text("modern", i ? IKE_PROTO_ESP : IKE_PROTO_IKE,
						       &own[i], text, sizeof(text)));
		if (!ike_proposal_choose(&own[i], IKE_OFFER(&in), IKE_DH_CURVE25519, &chosen)) {
			ike_proposal_explain(text, sizeof(text), &own[i], IKE_OFFER(&in));
			CHECK(!strstr(text, "in common"));
			continue;
		}
		/* What the responder chooses, the initiator must find in its offer. */
		for (unsigned int j = 0; j < in.n; j++)
			in.p[j].num = (uint8_t)(j + 1);
		CHECK(ike_proposal_choose(&own[i], IKE_OFFER(&in), IKE_DH_CURVE25519, &answer));
		CHECK(ike_proposal_verify(IKE_OFFER(&in), ((struct ike_offer){ 1, &answer }),
					  &chosen, text, sizeof(text)));
	}
	ike_proposal_verify(IKE_OFFER(&own[0]), IKE_OFFER(&in), &chosen, text, sizeof(text));
}

static void fuzz_ts(const struct ike_payload *p)
{
	static struct ike_prefix prefixes[1024];
	static struct ike_ts_payload in, out;
	static struct ike_ts_list some, narrow;
	struct ike_builder b;
	struct ike_payload w;
	uint8_t first;

	if (ike_ts_parse(p, &in))
		return;
	ike_build_inner(&b, again, sizeof(again), &first);
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&in));
	w = written(&b);
	CHECK(!ike_ts_parse(&w, &out) && out.n == in.n);
	CHECK(!memcmp(in.ts, out.ts, in.n * sizeof(in.ts[0])));
	ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&in));
	if (!ike_ts_take(IKE_TS_OFFER(&in), &some))
		return;
	ike_ts_prefixes(&some, prefixes, 1024);
	if (ike_ts_narrow(IKE_TS_OFFER(&in), &some, &narrow))
		CHECK(ike_ts_within(IKE_TS_OFFER(&narrow), &some));
	for (unsigned int i = 0; i < in.n; i++) {
		struct ike_ts_list l = { 0 };

		/* What prints can be read, and is the same. */
		ike_ts_print(text, sizeof(text), &in.ts[i]);
		CHECK(!ike_ts_from_text(text, &l, text + 1024, 512));
		CHECK(!memcmp(&l.ts[0], &in.ts[i], sizeof(l.ts[0])));
	}
}

static void fuzz_id(const struct ike_payload *p)
{
	struct ike_id in, out;
	struct ike_builder b;
	struct ike_payload w;
	uint8_t first;

	if (ike_id_parse(p, &in))
		return;
	ike_build_inner(&b, again, sizeof(again), &first);
	ike_build_id(&b, IKE_PL_IDI, &in);
	w = written(&b);
	CHECK(!ike_id_parse(&w, &out) && !memcmp(&in, &out, sizeof(in)) && ike_id_eq(&in, &out));
	ike_id_print(text, sizeof(text), &in);
	for (const char *c = text; *c; c++)
		CHECK(*c > ' ' && *c < 0x7f);
	if (!ike_id_from_text(text, &out, text + 4096, 512))
		CHECK(strchr(text, '\\') || ike_id_eq(&in, &out));
}

static void fuzz_cp(const struct ike_payload *p)
{
	static struct ike_cp in, out;
	struct ike_builder b;
	struct ike_payload w;
	uint8_t first;

	if (ike_cp_parse(p, &in))
		return;
	CHECK(ike_cp_domains_ok(in.domains));
	ike_build_inner(&b, again, sizeof(again), &first);
	ike_build_cp(&b, &in);
	w = written(&b);
	CHECK(!ike_cp_parse(&w, &out) && !memcmp(&in, &out, sizeof(in)));
	CHECK(in.n_servers <= IKE_CP_SERVERS && in.n_subnets <= IKE_CP_SUBNETS);
	for (const char *c = in.domains; *c; c++)
		CHECK(*c >= ' ' && *c < 0x7f && !strchr("'\"`$;&|<>()", *c));
}

/* Read every octet, so that the sanitizer sees each. */
static void touch(const uint8_t *p, size_t len)
{
	volatile uint8_t octet;

	for (size_t i = 0; i < len; i++)
		octet = p[i];
	(void)octet;
}

static void fuzz_rest(const struct ike_payload *p)
{
	struct ike_notify n;
	struct ike_delete d;
	struct ike_auth a;
	struct ike_cert cert;
	struct ike_ke ke;
	const uint8_t *nonce;
	size_t len;

	if (!ike_ke_parse(p, &ke))
		touch(ke.data, ke.len);
	if (!ike_auth_parse(p, &a))
		touch(a.data, a.len);
	if (!ike_cert_parse(p, &cert))
		touch(cert.data, cert.len);
	if (!ike_nonce_parse(p, &nonce, &len))
		touch(nonce, len);
	if (!ike_notify_parse(p, &n)) {
		touch(n.spi, n.spi_len);
		touch(n.data, n.len);
	}
	if (!ike_delete_parse(p, &d))
		touch(d.spis, (size_t)d.n * d.spi_len);
}

static void fuzz_chain(uint8_t first, const uint8_t *data, size_t size)
{
	static struct ike_payloads p;
	struct ike_notify n;
	uint8_t offender;

	if (ike_payloads_parse(first, data, size, &p, &offender))
		return;
	for (unsigned int i = 0; i < p.n; i++) {
		touch(p.p[i].body, p.p[i].len);
		fuzz_sa(&p.p[i]);
		fuzz_ts(&p.p[i]);
		fuzz_id(&p.p[i]);
		fuzz_cp(&p.p[i]);
		fuzz_rest(&p.p[i]);
	}
	ike_notify_find(&p, IKE_N_COOKIE, &n);
}

/* Nobody without the keys gets past the ICV. */
static void fuzz_sk(const uint8_t *data, size_t size)
{
	static const struct ike_cipher ciphers[] = {
		{ IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
		{ IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128 },
	};
	static uint8_t copy[IKE_MAX_MSG];
	static struct ike_payloads p;
	uint8_t offender;

	for (int i = 0; i < 2; i++) {
		struct ike_keys k = { .suite.cipher = ciphers[i] };

		CHECK(ike_sk_open(&k, data, size, copy, sizeof(copy), &p, &offender) ==
		      IKE_SK_FORGED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_header h;
	struct ike_payload whole = { .body = data, .len = size };

	if (!size || size > IKE_MAX_MSG)
		return 0;
	if (!ike_header_parse(data, size, &h))
		CHECK(h.length == size);
	if (size > IKE_HDR_LEN)
		fuzz_chain(data[2 * IKE_SPI_LEN], data + IKE_HDR_LEN, size - IKE_HDR_LEN);
	fuzz_sk(data, size);
	fuzz_sa(&whole);
	fuzz_ts(&whole);
	fuzz_id(&whole);
	fuzz_cp(&whole);
	fuzz_rest(&whole);
	return 0;
}
