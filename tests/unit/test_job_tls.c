// SPDX-License-Identifier: GPL-2.0-or-later
/* Jobs of TLS: a handshake step by step, and what is kept between steps. What EAP makes of them test_eap_tls.c has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cert_maker.h"

#include "ike/auth/cred.h"
#include "ike/auth/job_tls.h"
#include "ike/keys/key_serve.h"
#include "ike/crypto/tls.h"

static struct made root, server_cert, client_cert;

static int set_up(void **state)
{
	(void)state;
	root = maker_ca("CN=root", NULL);
	server_cert = maker_leaf("CN=server", &root, "DNS:server.example");
	client_cert = maker_leaf("CN=client", &root, "DNS:client.example");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	maker_free(&root);
	maker_free(&server_cert);
	maker_free(&client_cert);
	return 0;
}

struct end {
	struct job_tls *tls;
	const struct made *cert;
	uint32_t step;
	uint8_t key[4096];
	size_t key_len;
};

static void set_end(struct end *end, const struct made *cert)
{
	uint8_t *at = end->key;

	end->cert = cert;
	end->key_len = (size_t)i2d_PrivateKey(cert->key, &at);
	end->tls = job_tls_new();
	assert_non_null(end->tls);
}

static const uint8_t *find_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	struct end *end = ctx;

	(void)job;
	(void)i;
	*len = end->key_len;
	return end->key;
}

static void do_bytes(struct job_tls *all, struct end *end, uint64_t id, uint32_t step,
		     enum job_tls_op op, struct ike_iov bytes, uint64_t now,
		     struct ike_job_result *r)
{
	const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	uint8_t ref[JOB_TLS_REF], certs[IKE_TLS_MAX_CERTS];
	struct ike_job job = { .kind = IKE_JOB_TLS,
			       .n_tunnels = 1,
			       .tunnels = tunnel,
			       .alg = (uint16_t)op,
			       .octets = { { ref, sizeof(ref) }, bytes } };
	const struct ike_iov *der = &end->cert->der;

	memcpy(ref, &id, sizeof(id));
	for (unsigned int i = 0; i < 4; i++)
		ref[8 + i] = (uint8_t)(step >> (24 - 8 * i));
	ike_cred_head(certs, IKE_CRED_OWN_CERT, der->len);
	memcpy(certs + IKE_CRED_HEAD, der->base, der->len);
	job.octets[2] = (struct ike_iov){ certs, IKE_CRED_HEAD + der->len };
	job_do_any(all, &job, find_key, end, now, r);
}

static void do_step(struct job_tls *all, struct end *end, uint64_t id, uint32_t step,
		    enum job_tls_op op, uint64_t now, struct ike_job_result *r)
{
	do_bytes(all, end, id, step, op, (struct ike_iov){ NULL, 0 }, now, r);
}

static void next(struct end *end, enum job_tls_op op, const struct ike_job_result *from,
		 struct ike_job_result *r)
{
	const struct ike_iov none = { NULL, 0 };

	do_bytes(end->tls, end, 7, ++end->step, op,
		 from ? (struct ike_iov){ from->eap + JOB_TLS_HEAD, from->eap_len - JOB_TLS_HEAD }
		      : none,
		 0, r);
	assert_int_equal(r->error, 0);
}

/* Both certificates are P-256, so that each flight is one part. */
static void a_handshake_makes_one_key(void **state)
{
	static struct end server, client;
	static struct ike_job_result s, c;

	(void)state;
	server = client = (struct end){ 0 };
	set_end(&server, &server_cert);
	set_end(&client, &client_cert);
	next(&client, JOB_TLS_CONNECT, NULL, &c);
	next(&server, JOB_TLS_SERVE, &c, &s);
	assert_int_equal(s.eap[0], JOB_TLS_SEND);
	next(&client, JOB_TLS_TAKE, &s, &c);
	assert_int_equal(c.eap[0], JOB_TLS_JUDGE);
	assert_int_equal(c.eap[1] << 8 | c.eap[2], 3 + server_cert.der.len);
	next(&client, JOB_TLS_CERTS, NULL, &c);
	assert_int_equal(c.eap[0], JOB_TLS_SHOW);
	assert_memory_equal(c.eap + JOB_TLS_HEAD + 3, server_cert.der.base, server_cert.der.len);
	next(&client, JOB_TLS_ACCEPT, NULL, &c);
	assert_int_equal(c.eap[0], JOB_TLS_SEND);
	next(&server, JOB_TLS_TAKE, &c, &s);
	assert_int_equal(s.eap[0], JOB_TLS_JUDGE);
	assert_int_equal(s.auth_len, 0);
	/* What it would send is held back. */
	next(&server, JOB_TLS_NEXT, NULL, &s);
	assert_int_equal(s.eap_len, JOB_TLS_HEAD);
	next(&server, JOB_TLS_ACCEPT, NULL, &s);
	assert_int_equal(s.eap[0], JOB_TLS_DONE);
	next(&client, JOB_TLS_TAKE, &s, &c);
	assert_int_equal(c.eap[0], JOB_TLS_DONE);
	assert_int_equal(s.auth_len, IKE_TLS_MSK);
	assert_memory_equal(s.auth, c.auth, IKE_TLS_MSK);
	/* Its private key is gone, but its last answer can be had again. */
	do_step(server.tls, &server, 7, server.step + 1, JOB_TLS_NEXT, 0, &c);
	assert_int_equal(c.error, -ESTALE);
	do_step(server.tls, &server, 7, server.step, JOB_TLS_ACCEPT, 0, &c);
	assert_memory_equal(s.auth, c.auth, IKE_TLS_MSK);
	job_tls_free(server.tls);
	job_tls_free(client.tls);
}

static void connections_are_forgotten(void **state)
{
	static struct end end;
	struct ike_job_result r;

	(void)state;
	end = (struct end){ 0 };
	set_end(&end, &client_cert);
	do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 5, &r);
	job_tls_expire(end.tls, 5 + JOB_TLS_IDLE_MS - 1);
	assert_int_equal(job_tls_count(end.tls), 1);
	job_tls_expire(end.tls, 5 + JOB_TLS_IDLE_MS);
	assert_int_equal(job_tls_count(end.tls), 0);
	job_tls_free(end.tls);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

enum { ENOUGH = 1000 };

static unsigned int callocs = ENOUGH; /* that succeed yet */

void *__wrap_calloc(size_t n, size_t size)
{
	if (callocs == ENOUGH)
		return __real_calloc(n, size);
	return callocs && callocs-- ? __real_calloc(n, size) : NULL;
}

/* That is no fault of the certificates. */
static void memory_may_be_out(void **state)
{
	static struct end end;
	struct ike_job_result r;

	(void)state;
	end = (struct end){ 0 };
	set_end(&end, &client_cert);
	/* The connection, what all have in common, the connection of TLS. */
	for (unsigned int i = 0; i < 3; i++) {
		callocs = i;
		do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 0, &r);
		callocs = ENOUGH;
		assert_int_equal(r.error, -ENOMEM);
		assert_int_equal(job_tls_count(end.tls), 0);
		/* Else it would be made before the last turn. */
		job_tls_free(end.tls);
		end.tls = job_tls_new();
	}
	do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 0, &r);
	assert_int_equal(r.error, 0);
	end.key_len -= 4; /* that is one, whatever memory there is */
	do_step(end.tls, &end, 2, 1, JOB_TLS_CONNECT, 0, &r);
	assert_int_equal(r.error, -EINVAL);
	job_tls_free(end.tls);
}

static void connections_end(void **state)
{
	static struct end end;
	struct ike_job_result r;

	(void)state;
	end = (struct end){ 0 };
	set_end(&end, &client_cert);
	do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 0, &r);
	do_step(end.tls, &end, 2, 1, JOB_TLS_CONNECT, 0, &r);
	assert_int_equal(job_tls_count(end.tls), 2);
	for (unsigned int i = 0; i < 2; i++) { /* once more is no fault */
		do_step(end.tls, &end, 1, 1, JOB_TLS_END, 0, &r);
		assert_int_equal(r.error, 0);
		assert_int_equal(r.eap_len, 0);
		assert_int_equal(r.auth_len, 0);
		assert_int_equal(job_tls_count(end.tls), 1);
	}
	do_step(end.tls, &end, 1, 2, JOB_TLS_NEXT, 0, &r);
	assert_int_equal(r.error, -ESTALE);
	do_step(end.tls, &end, 2, 2, JOB_TLS_NEXT, 0, &r);
	assert_int_equal(r.error, 0);
	job_tls_free(end.tls);
}

static struct end waiting;
static uint64_t clock_ms;
static int called[2]; /* the pipe by which the next job comes */

/* Some time goes by each time that somebody looks. The next job comes when nothing is kept any more, or after a day. */
static uint64_t look_at_clock(void)
{
	clock_ms += 5;
	if (clock_ms > JOB_TLS_IDLE_MS + 1000 || !job_tls_count(waiting.tls))
		assert_int_equal(write(called[1], "x", 1), 1);
	return clock_ms;
}

/* No job has to come for that. */
static void connections_are_forgotten_in_time(void **state)
{
	struct ike_job_result r;

	(void)state;
	waiting = (struct end){ 0 };
	set_end(&waiting, &client_cert);
	assert_int_equal(pipe(called), 0);
	assert_int_equal(job_tls_left(waiting.tls, 5), -1);
	do_step(waiting.tls, &waiting, 1, 1, JOB_TLS_CONNECT, 5, &r);
	assert_int_equal(job_tls_left(waiting.tls, 5), JOB_TLS_IDLE_MS);
	alarm(5); /* rather than wait for ever */
	clock_ms = JOB_TLS_IDLE_MS - 20;
	key_wait(called[0], waiting.tls, look_at_clock);
	assert_int_equal(job_tls_count(waiting.tls), 0);
	assert_true(clock_ms < JOB_TLS_IDLE_MS + 50);
	alarm(0);
	job_tls_free(waiting.tls);
	close(called[0]);
	close(called[1]);
}

/* The one that was not used for the longest time makes room. */
static void connections_are_counted(void **state)
{
	static struct end end;
	struct ike_job_result r;

	(void)state;
	end = (struct end){ 0 };
	set_end(&end, &client_cert);
	for (unsigned int i = 0; i <= JOB_TLS_MAX; i++) {
		do_step(end.tls, &end, i, 1, JOB_TLS_CONNECT, i, &r);
		assert_int_equal(r.error, 0);
		do_step(end.tls, &end, 1, 2, JOB_TLS_NEXT, i, &r);
	}
	assert_int_equal(job_tls_count(end.tls), JOB_TLS_MAX);
	do_step(end.tls, &end, 0, 2, JOB_TLS_NEXT, 9, &r);
	assert_int_equal(r.error, -ESTALE);
	do_step(end.tls, &end, 1, 3, JOB_TLS_NEXT, 9, &r);
	assert_int_equal(r.error, 0);
	job_tls_free(end.tls);
}

static void steps_are_in_their_order(void **state)
{
	static struct end end;
	struct ike_job_result a, b;

	(void)state;
	end = (struct end){ 0 };
	set_end(&end, &client_cert);
	do_step(end.tls, &end, 1, 2, JOB_TLS_CONNECT, 0, &a);
	assert_int_equal(a.error, -ESTALE);
	do_step(end.tls, &end, 1, 1, JOB_TLS_TAKE, 0, &a);
	assert_int_equal(a.error, -ESTALE);
	do_step(end.tls, &end, 1, 1, JOB_TLS_OPS, 0, &a);
	assert_int_equal(a.error, -EINVAL);
	do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 0, &a);
	assert_int_equal(a.error, 0);
	assert_int_equal(a.eap[0], JOB_TLS_SEND);
	do_step(end.tls, &end, 1, 1, JOB_TLS_CONNECT, 0, &b);
	assert_memory_equal(a.eap, b.eap, a.eap_len);
	do_step(end.tls, &end, 1, 3, JOB_TLS_NEXT, 0, &b);
	assert_int_equal(b.error, -ESTALE);
	do_step(end.tls, &end, 1, 2, JOB_TLS_CONNECT, 0, &b);
	assert_int_equal(b.error, -ESTALE);
	/* Nothing is accepted that was not shown. */
	do_step(end.tls, &end, 1, 2, JOB_TLS_ACCEPT, 0, &b);
	assert_int_equal(b.eap[0], JOB_TLS_SEND);
	assert_int_equal(b.auth_len, 0);
	job_tls_free(end.tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_makes_one_key),
		cmocka_unit_test(connections_are_forgotten),
		cmocka_unit_test(connections_are_forgotten_in_time),
		cmocka_unit_test(memory_may_be_out),
		cmocka_unit_test(connections_end),
		cmocka_unit_test(connections_are_counted),
		cmocka_unit_test(steps_are_in_their_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
