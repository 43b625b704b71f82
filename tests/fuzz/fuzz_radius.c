// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any octets as a RADIUS server's answer: as they are, signed as by a server with the secret, and at the client's
 * socket while a request waits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/crypto/legacy.h"
#include "ike/radius/radius_client.h"

static const uint8_t secret[] = "testing123",
		     authenticator[RADIUS_AUTHENTICATOR] = "authenticator!";
enum { SECRET_LEN = sizeof(secret) - 1 };

static void look(const struct radius_value *v)
{
	volatile uint8_t seen = 0;

	for (size_t i = 0; i < v->len; i++)
		seen ^= v->data[i];
	(void)seen;
}

static void read_packet(const uint8_t *data, size_t len)
{
	static struct radius_answer a;
	struct radius_packet p;

	if (!radius_parse(data, len, &p))
		return;
	if (!radius_read_answer(&p, &a))
		return;
	look(&a.state);
	for (unsigned int i = 0; i < a.n_classes; i++)
		look(&a.classes[i]);
	if (strlen(a.text) >= sizeof(a.text) || a.eap_len > sizeof(a.eap))
		abort();
}

static void check(const uint8_t *data, size_t len)
{
	uint8_t msk[RADIUS_MSK];
	size_t msk_len = 77;
	enum radius_fault fault =
		radius_check(authenticator, data, len, secret, SECRET_LEN, msk, &msk_len);

	if (msk_len != 0 && (msk_len != RADIUS_MSK || fault))
		abort();
}

/* As a server does that has the secret: all but what it says is in order. */
static void sign_as_server(uint8_t *data, size_t len)
{
	const struct ike_iov whole = { data, len };
	const struct ike_iov all[] = { { data, len }, { secret, SECRET_LEN } };
	struct radius_packet p;
	struct radius_attr a;
	uint8_t *signature = NULL;
	size_t at = 0;

	data[2] = (uint8_t)(len >> 8);
	data[3] = (uint8_t)len;
	memcpy(data + 4, authenticator, sizeof(authenticator));
	if (!radius_parse(data, len, &p))
		return;
	while (radius_next_attr(&p, &at, &a)) {
		if (a.type == RADIUS_A_MESSAGE_AUTHENTICATOR && a.len == RADIUS_AUTHENTICATOR)
			signature = data + (a.value - data);
	}
	if (signature) {
		memset(signature, 0, RADIUS_AUTHENTICATOR);
		ike_hmac_md5(secret, SECRET_LEN, &whole, 1, signature);
	}
	ike_md5(all, 2, data + 4);
}

/* ---- the client ------------------------------------------------------------------------------ */

static int env_sign(void *ctx, uint64_t request, unsigned int server, const uint8_t *packet,
		    size_t len)
{
	(void)server, (void)packet, (void)len;
	*(uint64_t *)ctx = request;
	return 0;
}

static int env_check(void *ctx, uint64_t request, unsigned int server,
		     const uint8_t of_request[RADIUS_AUTHENTICATOR], const uint8_t *data,
		     size_t len)
{
	(void)ctx, (void)request, (void)server, (void)of_request;
	read_packet(data, len);
	return 0;
}

static int env_open(void *ctx, uint64_t request, const struct ike_endpoint *server)
{
	(void)ctx, (void)request, (void)server;
	return 0;
}

static void env_close(void *ctx, uint64_t request)
{
	(void)ctx, (void)request;
}

static void env_send(void *ctx, uint64_t request, const uint8_t *packet, size_t len)
{
	(void)ctx, (void)request, (void)packet, (void)len;
}

static void env_done(void *ctx, const struct radius_result *r)
{
	(void)ctx;
	if (r->end == RADIUS_ANSWERED)
		read_packet(r->packet.data, r->packet.len);
}

static void env_say(void *ctx, bool wrong, const char *text)
{
	(void)ctx, (void)wrong, (void)text;
}

static void fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 1, len);
}

static void feed_client(const uint8_t *data, size_t len)
{
	static const struct radius_servers servers = {
		.n = 1,
		.v = { { .access.port = 1812, .timeout = 1000, .retries = 1, .dead_time = 1000 } }
	};
	uint64_t request = 0;
	const struct radius_env env = { &request,  { fill, NULL }, env_sign,  env_check, env_open,
					env_close, env_send,	   env_close, env_done,	 env_say };
	const struct radius_question q = { 1, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER, NULL, 0 };
	struct radius_client *c = radius_client_new(&env, &servers);

	if (!c)
		abort();
	if (!radius_client_ask(c, &q, 1)) {
		radius_client_signed(c, request, 0, authenticator, 1);
		radius_client_datagram(c, request, 0, data, len, 2);
		radius_client_checked(c, request, 0, len & 1, NULL, 0, 3);
	}
	radius_client_timer(c, 100000);
	radius_client_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	read_packet(copy, size);
	check(copy, size);
	feed_client(copy, size);
	if (size >= RADIUS_HEAD && size <= RADIUS_MAX) {
		sign_as_server(copy, size);
		check(copy, size);
	}
	free(copy);
	return 0;
}
