// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP-TLS without IKE: a server and a client of it, packet by packet, with real handshakes of TLS 1.2 and TLS 1.3; what is said
 * of each packet that is not as it should be, and what jobs of TLS keep. What certificates are worth the test says here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "cert_maker.h"

#include "ike/auth/cred.h"
#include "ike/auth/job_tls.h"
#include "ike/crypto/tls.h"
#include "ike/eap/eap.h"

enum { TLS = 1 << EAP_TLS, MSCHAPV2 = 1 << EAP_MSCHAPV2, HEAD = 5, FLAGS = 5 };

static int newest = TLS1_3_VERSION;
static bool without_cert; /* the next connection shows none */

SSL *__real_SSL_new(SSL_CTX *ctx);
SSL *__wrap_SSL_new(SSL_CTX *ctx);

/* Both ends take TLS 1.3 if they may. */
SSL *__wrap_SSL_new(SSL_CTX *ctx)
{
	SSL *ssl = __real_SSL_new(ctx);

	if (ssl)
		SSL_set_max_proto_version(ssl, newest);
	return ssl;
}

int __real_SSL_use_certificate(SSL *ssl, X509 *cert);
int __wrap_SSL_use_certificate(SSL *ssl, X509 *cert);
int __real_SSL_check_private_key(const SSL *ssl);
int __wrap_SSL_check_private_key(const SSL *ssl);
int __real_SSL_use_PrivateKey(SSL *ssl, EVP_PKEY *key);
int __wrap_SSL_use_PrivateKey(SSL *ssl, EVP_PKEY *key);

int __wrap_SSL_use_certificate(SSL *ssl, X509 *cert)
{
	return without_cert ? 1 : __real_SSL_use_certificate(ssl, cert);
}

int __wrap_SSL_use_PrivateKey(SSL *ssl, EVP_PKEY *key)
{
	return without_cert ? 1 : __real_SSL_use_PrivateKey(ssl, key);
}

int __wrap_SSL_check_private_key(const SSL *ssl)
{
	return without_cert ? 1 : __real_SSL_check_private_key(ssl);
}

/* ---- two ends ------------------------------------------------------------------------------------ */

static struct made root, server_cert, client_cert, long_cert, rsa_cert;

/* More than 4 KiB. */
static struct made make_long(const char *name, const char *key)
{
	char comment[5000];

	snprintf(comment, sizeof(comment), "nsComment=%04400d", 7);
	return maker_cert(&(struct recipe){
		.subject = name, .issuer = &root, .key = key, .ext = { comment } });
}

static int set_up(void **state)
{
	(void)state;
	root = maker_ca("CN=root", NULL);
	server_cert = maker_leaf("CN=server", &root, "DNS:server.example");
	client_cert = maker_leaf("CN=client", &root, "DNS:client.example");
	long_cert = make_long("CN=long", "P-256");
	rsa_cert = make_long("CN=rsa", "RSA-2048");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	maker_free(&root);
	maker_free(&server_cert);
	maker_free(&client_cert);
	maker_free(&long_cert);
	maker_free(&rsa_cert);
	return 0;
}

struct end {
	struct eap e;
	struct eap_step s;
	enum eap_verdict verdict;
	struct job_tls *tls;
	const struct made *cert, *issuer; /* issuer NULL: the leaf alone is shown */
	const char *fault; /* of the other end's certificates; NULL: none */
	unsigned int
		lies_at; /* its jobs say at this step, an enum job_tls_op and 1, that all is over; 0: at none */
	bool loses; /* the result of each job once */
	char told[2 * EAP_WHY];
	uint8_t seen[IKE_TLS_MAX_CERTS]; /* certificates of the other end */
	size_t seen_len;
	unsigned int judged, jobs;
	uint8_t random;
	uint64_t now;
	struct ike_rng rng;
	uint8_t key[4096];
	size_t key_len;
};

struct talk {
	struct end server, client;
	unsigned int packets;
	size_t longest;
};

static void fill(void *ctx, void *buf, size_t len)
{
	uint8_t *v = ctx;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = ++*v;
}

static const uint8_t *find_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	struct end *end = ctx;

	(void)job;
	(void)i;
	*len = end->key_len;
	return end->key_len ? end->key : NULL;
}

static void note_told(struct end *end)
{
	size_t len = strlen(end->told);

	if (*end->s.why)
		snprintf(end->told + len, sizeof(end->told) - len, "%s\n", end->s.why);
}

static size_t own_certs(const struct end *end, uint8_t *out)
{
	size_t len = 0;

	for (const struct made *m = end->cert; m; m = m == end->cert ? end->issuer : NULL) {
		ike_cred_head(out + len, IKE_CRED_OWN_CERT, m->der.len);
		memcpy(out + len + IKE_CRED_HEAD, m->der.base, m->der.len);
		len += IKE_CRED_HEAD + m->der.len;
	}
	return len;
}

static void do_job(struct end *end, struct ike_job_result *r)
{
	const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	struct ike_job job = end->s.job;
	uint8_t certs[IKE_TLS_MAX_CERTS];

	job.n_tunnels = 1;
	job.tunnels = tunnel;
	assert_int_equal(job.kind, IKE_JOB_TLS);
	if (end->s.own_certs)
		job.octets[2] = (struct ike_iov){ certs, own_certs(end, certs) };
	end->jobs++;
	job_do_any(end->tls, &job, find_key, end, end->now, r);
	assert_in_range(r->eap_len, 0, IKE_JOB_EAP);
	if (end->lies_at == job.alg + 1u)
		*r = (struct ike_job_result){ .auth_len = EAP_MSK_LEN,
					      .eap_len = JOB_TLS_HEAD,
					      .eap = { JOB_TLS_DONE } };
}

static void judge(struct end *end)
{
	static const struct ike_id id = { .type = IKE_ID_FQDN, .len = 5, .data = "peer1" };
	struct ike_iov certs = end->e.certs;

	end->judged++;
	assert_in_range(certs.len, 1, sizeof(end->seen));
	memcpy(end->seen, certs.base, certs.len);
	end->seen_len = certs.len;
	end->verdict = eap_judged(&end->e, &end->s, end->fault ? NULL : &id, end->fault);
}

/* Until it has something to say, or is over. */
static void go_on(struct end *end)
{
	struct ike_job_result r;

	note_told(end);
	while (end->verdict == EAP_WAIT || end->verdict == EAP_JUDGE) {
		if (end->verdict == EAP_JUDGE) {
			judge(end);
			note_told(end);
			continue;
		}
		do_job(end, &r);
		end->s = (struct eap_step){ .rng = &end->rng };
		end->verdict = eap_job_done(&end->e, &end->s, &r);
		note_told(end);
	}
}

static void hear(struct end *to, const uint8_t *data, size_t len)
{
	uint8_t copy[EAP_MAX_PACKET];
	struct ike_job_result r;

	memcpy(copy, data, len);
	to->s = (struct eap_step){ .rng = &to->rng };
	to->verdict = eap_take(&to->e, &to->s, copy, len);
	if (to->loses && to->verdict == EAP_WAIT) {
		do_job(to, &r); /* and a copy of the packet comes */
		to->s = (struct eap_step){ .rng = &to->rng };
		to->verdict = eap_take(&to->e, &to->s, copy, len);
	}
	go_on(to);
}

static void set_end(struct end *end, const struct made *cert)
{
	uint8_t *at = end->key;

	end->cert = cert;
	end->key_len = (size_t)i2d_PrivateKey(cert->key, &at);
	end->rng = (struct ike_rng){ fill, &end->random };
	end->tls = job_tls_new();
	assert_non_null(end->tls);
}

static struct talk *begin_talk(const struct made *server, const struct made *client)
{
	struct talk *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	set_end(&t->server, server);
	set_end(&t->client, client);
	t->server.s.rng = &t->server.rng;
	assert_true(eap_begin_client(&t->client.e, TLS, "client.example", 14));
	eap_begin_server(&t->server.e, TLS, &t->server.s);
	t->server.verdict = EAP_SEND;
	return t;
}

static void end_talk(struct talk *t)
{
	eap_end(&t->server.e);
	eap_end(&t->client.e);
	job_tls_free(t->server.tls);
	job_tls_free(t->client.tls);
	free(t);
}

/* The server's packet goes to the client, and its answer back. */
static void exchange(struct talk *t)
{
	t->packets++;
	if (t->server.s.out_len > t->longest)
		t->longest = t->server.s.out_len;
	hear(&t->client, t->server.s.out, t->server.s.out_len);
	if (t->client.verdict != EAP_SEND)
		return;
	if (t->client.s.out_len > t->longest)
		t->longest = t->client.s.out_len;
	hear(&t->server, t->client.s.out, t->client.s.out_len);
}

static void converse(struct talk *t)
{
	while (t->server.verdict == EAP_SEND && t->client.verdict == EAP_SEND)
		exchange(t);
	if (t->server.s.out_len && t->client.verdict == EAP_SEND)
		hear(&t->client, t->server.s.out, t->server.s.out_len);
}

static void both_prove(struct talk *t)
{
	converse(t);
	assert_int_equal(t->server.verdict, EAP_DONE);
	assert_int_equal(t->client.verdict, EAP_DONE);
	assert_string_equal(t->server.told, "");
	assert_string_equal(t->client.told, "");
	assert_int_equal(t->server.e.msk_len, EAP_MSK_LEN);
	assert_int_equal(t->client.e.msk_len, EAP_MSK_LEN);
	assert_memory_equal(t->server.e.msk, t->client.e.msk, EAP_MSK_LEN);
	assert_int_equal(t->server.judged, 1);
	assert_int_equal(t->client.judged, 1);
	assert_int_equal(t->server.e.proven.type, IKE_ID_FQDN);
}

static void says(const struct end *end, const char *words)
{
	if (!strstr(end->told, words))
		fail_msg("expected '%s' in '%s'", words, end->told);
}

static void nobody_is_proven(const struct talk *t)
{
	assert_int_not_equal(t->server.verdict, EAP_DONE);
	assert_int_not_equal(t->client.verdict, EAP_DONE);
	assert_int_equal(t->server.e.msk_len, 0);
	assert_int_equal(t->client.e.msk_len, 0);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

#define EACH_VERSION(i) (unsigned int i = 0; i < 2 && (newest = versions[i]); i++)

/* ---- what works --------------------------------------------------------------------------------- */

static void both_prove_by_their_certificates(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&server_cert, &client_cert);

			both_prove(t);
			assert_int_equal(t->server.seen_len, 3 + client_cert.der.len);
			assert_memory_equal(t->server.seen + 3, client_cert.der.base,
					    client_cert.der.len);
			assert_memory_equal(t->client.seen + 3, server_cert.der.base,
					    server_cert.der.len);
			end_talk(t);
		}
}

/* The key is another one in each conversation. */
static void keys_are_fresh(void **state)
{
	uint8_t msk[EAP_MSK_LEN];
	struct talk *t;

	(void)state;
	newest = TLS1_3_VERSION;
	t = begin_talk(&server_cert, &client_cert);
	both_prove(t);
	memcpy(msk, t->server.e.msk, sizeof(msk));
	end_talk(t);
	t = begin_talk(&server_cert, &client_cert);
	both_prove(t);
	assert_memory_not_equal(msk, t->server.e.msk, sizeof(msk));
	end_talk(t);
}

static void long_messages_come_in_parts(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&rsa_cert, &long_cert);

			t->server.issuer = t->client.issuer = &root;
			both_prove(t);
			assert_in_range(t->packets, 12, 20);
			assert_in_range(t->longest, 1024, 1040);
			assert_int_equal(t->server.seen_len, 6 + long_cert.der.len + root.der.len);
			end_talk(t);
		}
}

/* Each job of the server is done, and a copy of the client's packet asks for it again. */
static void lost_results_do_no_harm(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&rsa_cert, &long_cert);

			t->server.loses = true;
			both_prove(t);
			end_talk(t);
		}
}

/* ---- who is refused ------------------------------------------------------------------------------- */

static void a_refused_client_is_told_so(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&server_cert, &client_cert);

			t->server.fault = "peer's certificate is of nobody";
			converse(t);
			nobody_is_proven(t);
			assert_int_equal(t->server.verdict, EAP_FAIL);
			assert_int_equal(t->server.s.out[0], EAP_FAILURE);
			assert_string_equal(t->server.told, "peer's certificate is of nobody\n");
			says(&t->client, "EAP-Failure: compare EAP=, Cert= and Key=");
			assert_int_equal(t->server.e.proven.type, 0);
			end_talk(t);
		}
}

/* It hears an alert, and never sees our certificate. */
static void a_refused_server_is_told_so(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&server_cert, &client_cert);

			t->client.fault = "peer's certificate is of nobody";
			converse(t);
			nobody_is_proven(t);
			assert_int_equal(t->server.judged, 0);
			assert_string_equal(t->client.told, "peer's certificate is of nobody\n");
			says(&t->server, "peer ended TLS with the alert 'bad certificate'");
			assert_false(t->client.e.rejected);
			assert_int_equal(t->client.verdict, EAP_FAIL);
			assert_int_equal(t->server.s.out[0], EAP_FAILURE);
			end_talk(t);
		}
}

static struct ike_tls *new_tls(struct ike_tls_setup *setup, bool server, const struct made *cert)
{
	uint8_t key[4096], *at = key;
	size_t len = (size_t)i2d_PrivateKey(cert->key, &at);
	const struct ike_tls_conf conf = { .server = server,
					   .type = EAP_TYPE_TLS,
					   .key = { key, len },
					   .certs = &cert->der,
					   .n_certs = 1 };
	struct ike_tls *t;

	assert_int_equal(ike_tls_new(setup, &conf, &t), 0);
	return t;
}

/* What @from has to send goes to @to; how many bytes. */
static size_t pass(struct ike_tls *from, struct ike_tls *to)
{
	uint8_t bytes[8192];
	size_t left, n = ike_tls_get(from, bytes, sizeof(bytes), &left);

	assert_int_equal(left, 0);
	assert_true(ike_tls_put(to, bytes, n));
	return n;
}

/* In TLS 1.2 it is the server that has the last word, and it has it ready. */
static void a_server_waits_for_the_judgement(void **state)
{
	struct ike_tls_setup *setup = ike_tls_setup_new();
	struct ike_tls *s, *c;

	(void)state;
	newest = TLS1_2_VERSION;
	s = new_tls(setup, true, &server_cert);
	c = new_tls(setup, false, &client_cert);
	ike_tls_run(c);
	pass(c, s);
	ike_tls_run(s);
	pass(s, c);
	assert_int_equal(ike_tls_run(c), IKE_TLS_JUDGE);
	assert_int_equal(pass(c, s), 0);
	ike_tls_judge(c, true);
	ike_tls_run(c);
	pass(c, s);
	assert_int_equal(ike_tls_run(s), IKE_TLS_JUDGE);
	assert_int_equal(pass(s, c), 0);
	ike_tls_judge(s, true);
	assert_int_equal(ike_tls_run(s), IKE_TLS_DONE);
	assert_true(pass(s, c) > 0);
	assert_int_equal(ike_tls_run(c), IKE_TLS_DONE);
	ike_tls_free(s);
	ike_tls_free(c);
	ike_tls_setup_free(setup);
}

/* Whatever the keys process says: who shows nothing, or is refused, is not proven. */
static void a_key_without_judgement_is_none(void **state)
{
	static const enum job_tls_op steps[] = { JOB_TLS_CONNECT, JOB_TLS_TAKE, JOB_TLS_REFUSE };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct talk *t = begin_talk(&server_cert, &client_cert);

		t->client.fault = "peer's certificate is of nobody";
		t->client.lies_at = steps[i] + 1u;
		converse(t);
		nobody_is_proven(t);
		says(&t->client, "EAP-TLS made no key");
		end_talk(t);
		t = begin_talk(&server_cert, &client_cert);
		t->server.lies_at = (i ? JOB_TLS_TAKE : JOB_TLS_SERVE) + 1u;
		converse(t);
		nobody_is_proven(t);
		says(&t->server, "EAP-TLS made no key");
		end_talk(t);
	}
}

static void a_client_without_certificate_is_refused(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&server_cert, &client_cert);

			exchange(t); /* identity */
			without_cert = true;
			hear(&t->client, t->server.s.out, t->server.s.out_len);
			without_cert = false;
			hear(&t->server, t->client.s.out, t->client.s.out_len);
			converse(t);
			nobody_is_proven(t);
			assert_int_equal(t->server.judged, 0);
			says(&t->server, "peer did not return a certificate");
			end_talk(t);
		}
}

/* A certificate of another key than ours is none of ours. */
static void a_foreign_certificate_begins_nothing(void **state)
{
	struct talk *t = begin_talk(&server_cert, &client_cert);

	(void)state;
	t->client.cert = &server_cert;
	converse(t);
	nobody_is_proven(t);
	says(&t->client, "EAP-TLS could not be done here");
	end_talk(t);
	t = begin_talk(&server_cert, &client_cert);
	t->server.key_len = 0;
	converse(t);
	nobody_is_proven(t);
	says(&t->server, "EAP-TLS could not be done here");
	end_talk(t);
}

/* Whatever byte of whatever message is another one. */
static void what_is_changed_on_the_way_is_no_proof(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			for (unsigned int n = 2; n < 8; n++) {
				struct talk *t = begin_talk(&server_cert, &client_cert);

				for (unsigned int at = 0; at < n && t->server.verdict == EAP_SEND &&
							  t->client.verdict == EAP_SEND;
				     at++) {
					uint8_t *out = t->server.s.out;

					if (at == n - 1 && t->server.s.out_len > 40)
						out[t->server.s.out_len - 7] ^= 1;
					exchange(t);
				}
				converse(t);
				if (t->server.verdict == EAP_DONE)
					assert_int_equal(t->client.verdict, EAP_DONE);
				else
					nobody_is_proven(t);
				end_talk(t);
			}
		}
}

static void success_before_the_end_is_nothing(void **state)
{
	(void)state;
	for
		EACH_VERSION(i)
		{
			for (unsigned int n = 1; n < 4; n++) {
				struct talk *t = begin_talk(&server_cert, &client_cert);
				uint8_t success[4] = { EAP_SUCCESS, 1, 0, 4 };

				for (unsigned int at = 0; at < n; at++)
					exchange(t);
				hear(&t->client, success, sizeof(success));
				assert_int_equal(t->client.verdict, EAP_FAIL);
				says(&t->client, "EAP-Success before any method");
				end_talk(t);
			}
		}
}

/* ---- packets that are not as they should be ------------------------------------------------------------ */

/* A packet with the identifier that is due, of TLS with these bytes behind the type. */
static void put(struct end *to, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t p[EAP_MAX_PACKET] = { code, id, (uint8_t)((HEAD + len) >> 8), (uint8_t)(HEAD + len),
				      EAP_TYPE_TLS };

	if (len)
		memcpy(p + HEAD, data, len);
	hear(to, p, HEAD + len);
}

static void server_packets_are_looked_at(void **state)
{
	static const struct {
		const char *words;
		uint8_t data[12];
		size_t len;
	} rows[] = {
		{ "malformed", { 0 }, 0 },
		{ "malformed", { 0x80, 0, 0, 1 }, 4 },
		{ "says nothing", { 0 }, 1 },
		{ "says nothing", { 0x40 }, 1 },
		{ "says nothing", { 0x80, 0, 0, 0, 0 }, 5 },
		{ "begins EAP-TLS in the middle", { 0x20 }, 1 },
		{ "does not say how long", { 0x40, 22, 3 }, 3 },
		{ "too long", { 0xc0, 0, 0, 0x80, 1, 22 }, 6 },
		{ "too long", { 0xc0, 0xff, 0xff, 0xff, 0xff, 22 }, 6 },
		{ "more of a message", { 0xc0, 0, 0, 0, 1, 22, 3 }, 7 },
		{ "says that more of it comes", { 0xc0, 0, 0, 0, 2, 22, 3 }, 7 },
		{ "less of a message", { 0x80, 0, 0, 0, 9, 22, 3 }, 7 },
		{ "not whole", { 0, 22, 3, 1, 0, 9, 1 }, 7 },
		{ "TLS ends here with the alert", { 0, 22, 3, 1, 0, 4, 9, 9, 9, 9 }, 10 },
	};

	(void)state;
	newest = TLS1_3_VERSION;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk *t = begin_talk(&server_cert, &client_cert);

		exchange(t);
		assert_int_equal(t->server.s.out[HEAD], 0x20);
		put(&t->server, EAP_RESPONSE, t->server.e.id, rows[i].data, rows[i].len);
		says(&t->server, rows[i].words);
		while (t->server.verdict == EAP_SEND) /* an alert first */
			put(&t->server, EAP_RESPONSE, t->server.e.id, (const uint8_t *)"", 1);
		assert_int_equal(t->server.verdict, EAP_FAIL);
		end_talk(t);
	}
}

static void client_packets_are_looked_at(void **state)
{
	static const struct {
		const char *words;
		uint8_t data[12];
		size_t len;
		bool first;
	} rows[] = {
		{ "does not begin", { 0 }, 0, true },
		{ "does not begin", { 0 }, 1, true },
		{ "does not begin", { 0x60 }, 1, true },
		{ "does not begin", { 0x20, 1 }, 2, true },
		{ "begins EAP-TLS in the middle", { 0x20 }, 1, false },
		{ "too long", { 0xc0, 0, 2, 0, 0, 22 }, 6, false },
		{ "says nothing", { 0 }, 1, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk *t = begin_talk(&server_cert, &client_cert);

		exchange(t);
		if (!rows[i].first)
			hear(&t->client, t->server.s.out, t->server.s.out_len);
		put(&t->client, EAP_REQUEST, 77, rows[i].data, rows[i].len);
		assert_int_equal(t->client.verdict, EAP_FAIL);
		says(&t->client, rows[i].words);
		end_talk(t);
	}
}

/* Two lengths of one message, and one that goes on behind its end. */
static void parts_agree(void **state)
{
	static const uint8_t first[] = { 0xc0, 0, 0, 0, 9, 22, 3, 1 };
	static const uint8_t other[] = { 0xc0, 0, 0, 0, 8, 22 },
			     more[] = { 0x40, 1, 2, 3, 4, 5, 6 };
	struct talk *t = begin_talk(&server_cert, &client_cert);

	(void)state;
	exchange(t);
	put(&t->server, EAP_RESPONSE, t->server.e.id, first, sizeof(first));
	assert_int_equal(t->server.verdict, EAP_SEND);
	assert_int_equal(t->server.s.out_len, HEAD + 1);
	assert_int_equal(t->server.s.out[HEAD], 0);
	put(&t->server, EAP_RESPONSE, t->server.e.id, other, sizeof(other));
	says(&t->server, "two lengths");
	end_talk(t);
	t = begin_talk(&server_cert, &client_cert);
	exchange(t);
	put(&t->server, EAP_RESPONSE, t->server.e.id, first, sizeof(first));
	put(&t->server, EAP_RESPONSE, t->server.e.id, more, sizeof(more));
	says(&t->server, "says that more of it comes");
	end_talk(t);
}

/* Who speaks while it should hear the rest. */
static void parts_are_acknowledged(void **state)
{
	static const uint8_t bytes[] = { 0, 22, 3, 1, 0, 1, 1 };
	struct talk *t = begin_talk(&rsa_cert, &client_cert);

	(void)state;
	exchange(t);
	exchange(t);
	assert_int_equal(t->server.s.out[HEAD] & 0xc0, 0xc0);
	put(&t->server, EAP_RESPONSE, t->server.e.id, bytes, sizeof(bytes));
	assert_int_equal(t->server.verdict, EAP_FAIL);
	says(&t->server, "does not wait for all");
	end_talk(t);
}

/* What comes after the handshake is an acknowledgement. */
static void nothing_follows_the_handshake(void **state)
{
	static const uint8_t bytes[] = { 0, 23, 3, 3, 0, 1, 1 };

	(void)state;
	for
		EACH_VERSION(i)
		{
			struct talk *t = begin_talk(&server_cert, &client_cert);

			while (!t->server.judged)
				exchange(t);
			put(&t->server, EAP_RESPONSE, t->server.e.id, bytes, sizeof(bytes));
			assert_int_equal(t->server.verdict, EAP_FAIL);
			assert_int_equal(t->server.e.msk_len, 0);
			end_talk(t);
		}
}

/* A message of a byte in each packet is over before it is whole. */
static void rounds_are_counted(void **state)
{
	struct talk *t = begin_talk(&server_cert, &client_cert);
	unsigned int n = 0;

	(void)state;
	exchange(t);
	put(&t->server, EAP_RESPONSE, t->server.e.id, (const uint8_t[]){ 0xc0, 0, 0, 1, 0, 22 }, 6);
	for (; t->server.verdict == EAP_SEND && n < 200; n++)
		put(&t->server, EAP_RESPONSE, t->server.e.id, (const uint8_t[]){ 0x40, 3 }, 2);
	assert_int_equal(t->server.verdict, EAP_FAIL);
	says(&t->server, "more than 80 packets");
	end_talk(t);
}

/* As many bytes as TLS takes, in parts as long as ours; that they make no sense is found out at the end. */
static void put_longest(struct end *to, uint8_t code)
{
	static const uint8_t head[] = { 0xc0, 0, 0, (IKE_TLS_MAX >> 8) & 255, IKE_TLS_MAX & 255 };
	uint8_t part[sizeof(head) + JOB_TLS_PART] = { 0 };
	unsigned int n = IKE_TLS_MAX / JOB_TLS_PART;

	assert_int_equal(IKE_TLS_MAX % JOB_TLS_PART, 0);
	memcpy(part, head, sizeof(head));
	put(to, code, to->e.id, part, sizeof(part));
	part[0] = 0x40;
	for (unsigned int i = 1; i < n - 1; i++) {
		assert_int_equal(to->verdict, EAP_SEND);
		put(to, code, to->e.id, part, 1 + JOB_TLS_PART);
	}
	part[0] = 0;
	put(to, code, to->e.id, part, 1 + JOB_TLS_PART);
	while (to->verdict == EAP_SEND) /* an alert first */
		put(to, code, to->e.id, (const uint8_t *)"", 1);
}

static void the_longest_message_passes(void **state)
{
	struct talk *t = begin_talk(&server_cert, &client_cert);

	(void)state;
	exchange(t);
	put_longest(&t->server, EAP_RESPONSE);
	says(&t->server, "TLS fails here");
	end_talk(t);
	t = begin_talk(&server_cert, &client_cert);
	exchange(t);
	hear(&t->client, t->server.s.out, t->server.s.out_len);
	put_longest(&t->client, EAP_REQUEST);
	says(&t->client, "TLS fails here");
	end_talk(t);
	/* A byte more is too long. */
	t = begin_talk(&server_cert, &client_cert);
	exchange(t);
	hear(&t->client, t->server.s.out, t->server.s.out_len);
	put(&t->client, EAP_REQUEST, 77,
	    (const uint8_t[]){ 0xc0, 0, 0, IKE_TLS_MAX >> 8, (IKE_TLS_MAX & 255) + 1, 22 }, 6);
	says(&t->client, "too long");
	end_talk(t);
}

/* ---- what jobs keep --------------------------------------------------------------------------------- */

static void connections_are_forgotten(void **state)
{
	struct talk *t = begin_talk(&server_cert, &client_cert);

	(void)state;
	newest = TLS1_3_VERSION;
	exchange(t);
	exchange(t);
	assert_int_equal(job_tls_count(t->server.tls), 1);
	t->server.now = JOB_TLS_IDLE_MS;
	hear(&t->client, t->server.s.out, t->server.s.out_len);
	hear(&t->server, t->client.s.out, t->client.s.out_len);
	says(&t->server,
	     "EAP-TLS could not be done here: esptund-keys has forgotten what was said before");
	assert_int_equal(job_tls_count(t->server.tls), 0);
	end_talk(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_prove_by_their_certificates),
		cmocka_unit_test(keys_are_fresh),
		cmocka_unit_test(long_messages_come_in_parts),
		cmocka_unit_test(lost_results_do_no_harm),
		cmocka_unit_test(a_refused_client_is_told_so),
		cmocka_unit_test(a_refused_server_is_told_so),
		cmocka_unit_test(a_server_waits_for_the_judgement),
		cmocka_unit_test(a_key_without_judgement_is_none),
		cmocka_unit_test(a_client_without_certificate_is_refused),
		cmocka_unit_test(a_foreign_certificate_begins_nothing),
		cmocka_unit_test(what_is_changed_on_the_way_is_no_proof),
		cmocka_unit_test(success_before_the_end_is_nothing),
		cmocka_unit_test(server_packets_are_looked_at),
		cmocka_unit_test(client_packets_are_looked_at),
		cmocka_unit_test(parts_agree),
		cmocka_unit_test(parts_are_acknowledged),
		cmocka_unit_test(nothing_follows_the_handshake),
		cmocka_unit_test(rounds_are_counted),
		cmocka_unit_test(the_longest_message_passes),
		cmocka_unit_test(connections_are_forgotten),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
