// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any datagram through every parser of the codec and every printer of its results.
 * What parses must survive being built and parsed again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto/msg.h"
#include "ike/proto/names.h"

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static void sa(const struct ike_payload *p)
{
	static struct ike_proposals in, out;
	static uint8_t buf[65536];
	struct ike_payloads again;
	struct ike_builder b;
	uint8_t first, offender;
	char text[512];
	size_t n;

	if (ike_sa_parse(p, &in))
		return;
	ike_proposals_print(text, sizeof(text), &in);
	MUST(strlen(text) < sizeof(text));
	ike_build_inner(&b, buf, sizeof(buf), &first);
	ike_build_sa(&b, &in);
	n = ike_build_end(&b);
	if (!n)
		return;
	MUST(!ike_payloads_parse(first, buf, n, &again, &offender));
	MUST(again.n == 1 && !ike_sa_parse(&again.p[0], &out));
	MUST(in.n == out.n);
}

static void ts(const struct ike_payload *p)
{
	static struct ike_ts_list in, out;
	static uint8_t buf[65536];
	struct ike_payloads again;
	struct ike_builder b;
	uint8_t first, offender;
	char text[256];
	size_t n;

	if (ike_ts_parse(p, &in))
		return;
	MUST(in.n <= IKE_MAX_TS);
	ike_ts_list_print(text, sizeof(text), &in);
	if (!in.n)
		return;
	ike_build_inner(&b, buf, sizeof(buf), &first);
	ike_build_ts(&b, p->type, &in);
	n = ike_build_end(&b);
	MUST(n);
	MUST(!ike_payloads_parse(first, buf, n, &again, &offender));
	MUST(!ike_ts_parse(&again.p[0], &out) && in.n == out.n);
	MUST(!memcmp(in.ts, out.ts, in.n * sizeof(in.ts[0])));
}

static void others(const struct ike_payload *p)
{
	struct ike_notify notify;
	struct ike_delete del;
	struct ike_auth auth;
	struct ike_id id;
	struct ike_ke ke;
	const uint8_t *nonce;
	char text[600];
	size_t len;

	ike_payload_name(p->type);
	if (!ike_ke_parse(p, &ke))
		MUST(ke.data >= p->body && ke.data + ke.len == p->body + p->len);
	if (!ike_nonce_parse(p, &nonce, &len))
		MUST(len >= IKE_MIN_NONCE && len <= IKE_MAX_NONCE);
	if (!ike_id_parse(p, &id)) {
		ike_id_print(text, sizeof(text), &id);
		MUST(ike_id_eq(&id, &id));
	}
	if (!ike_auth_parse(p, &auth))
		MUST(auth.len <= p->len);
	if (!ike_notify_parse(p, &notify)) {
		MUST(notify.len <= p->len && notify.spi_len <= p->len);
		ike_notify_name(notify.type);
	}
	if (!ike_delete_parse(p, &del))
		MUST((size_t)del.n * del.spi_len <= p->len);
}

/* Inner payloads are what an encrypted body would be after decryption. */
static void chain(uint8_t first, const uint8_t *body, size_t len, int depth)
{
	struct ike_payloads all;
	uint8_t offender;

	if (ike_payloads_parse(first, body, len, &all, &offender))
		return;
	MUST(all.n <= IKE_MAX_PAYLOADS);
	for (unsigned int i = 0; i < all.n; i++) {
		const struct ike_payload *p = &all.p[i];

		MUST(p->body >= body && p->body + p->len <= body + len);
		sa(p);
		ts(p);
		others(p);
		if (p->type == IKE_PL_SK && depth < 2)
			chain(p->next, p->body, p->len, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_header h;

	if (!ike_header_parse(data, size, &h)) {
		MUST(h.length == size);
		ike_exchange_name(h.exchange);
		chain(h.next, data + 28, size - 28, 0);
	}
	/* And without the need to guess a length. */
	if (size)
		chain(data[0], data + 1, size - 1, 0);
	return 0;
}
