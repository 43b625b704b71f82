// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP without IKE: vectors of RFC 2759 9.2 and RFC 3079 3.5, jobs of its methods, and the conversation between a server and a client, packet by packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "ike/auth/mschapv2.h"
#include "ike/crypto/legacy.h"
#include "ike/eap/eap.h"
#include "ike/proto/id.h"
#include "ike/proto/text.h"

enum { MSCHAPV2 = 1 << EAP_MSCHAPV2, MD5 = 1 << EAP_MD5 };

/* ---- vectors ------------------------------------------------------------------------------------- */

static void is_hex(const uint8_t *got, size_t len, const char *hex)
{
	uint8_t want[128];
	size_t n;

	assert_int_equal(ike_hex_from_text(hex, want, sizeof(want), &n), 0);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
}

static void md4_md5_and_des_are_those_of_their_documents(void **state)
{
	uint8_t out[IKE_MD_LEN], key[IKE_DES_KEY];
	const struct ike_iov abc = { "abc", 3 };

	(void)state;
	assert_true(ike_legacy_known());
	/* RFC 1320 A.5, RFC 1321 A.5. */
	assert_int_equal(ike_md4("abc", 3, out), 0);
	is_hex(out, sizeof(out), "a448017aaf21d8525fc10ae87aa6729d");
	assert_int_equal(ike_md4("", 0, out), 0);
	is_hex(out, sizeof(out), "31d6cfe0d16ae931b73c59d7e0c089c0");
	assert_int_equal(ike_md5(&abc, 1, out), 0);
	is_hex(out, sizeof(out), "900150983cd24fb0d6963f7d28e17f72");
	/* "Now is t" by 0123456789abcdef (FIPS 81), without its parity bits. */
	memcpy(key, (uint8_t[]){ 0x00, 0x45, 0x13, 0x38, 0x95, 0x73, 0x77 }, sizeof(key));
	assert_int_equal(ike_des(key, (const uint8_t *)"Now is t", out), 0);
	is_hex(out, IKE_DES_BLOCK, "3fa40e8a984d4815");
}

static struct mschapv2_run run_of_rfc(void)
{
	static const uint8_t server[] = { 0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e,
					  0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28 };
	static const uint8_t client[] = { 0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a,
					  0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e };

	return (struct mschapv2_run){ server, client, { "User", 4 } };
}

static void mschapv2_is_that_of_rfc_2759_and_3079(void **state)
{
	const struct mschapv2_run run = run_of_rfc();
	uint8_t hash[MSCHAPV2_HASH], response[MSCHAPV2_RESPONSE], proof[MSCHAPV2_AUTHENTICATOR];
	uint8_t msk[MSCHAPV2_MSK];

	(void)state;
	assert_int_equal(mschapv2_hash((const uint8_t *)"clientPass", 10, hash), 0);
	is_hex(hash, sizeof(hash), "44ebba8d5312b8d611474411f56989ae");
	assert_int_equal(mschapv2_respond(hash, &run, response), 0);
	is_hex(response, sizeof(response), "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
	assert_int_equal(mschapv2_authenticate(hash, &run, response, proof), 0);
	is_hex(proof, sizeof(proof), "407a5589115fd0d6209f510fe9c04566932cda56");
	assert_int_equal(mschapv2_msk(hash, response, msk), 0);
	/* The server's receive key is the client's send key; RFC 3079 3.5.3 has the server's send key. */
	is_hex(msk + 16, 16, "8b7cdc149b993a1ba118cb153f56dccb");
	for (unsigned int i = 32; i < sizeof(msk); i++)
		assert_int_equal(msk[i], 0);
}

static void passwords_are_utf_8(void **state)
{
	static const char *const bad[] = {
		"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x28\xa1"
	};
	uint8_t hash[MSCHAPV2_HASH], by_hand[MSCHAPV2_HASH];

	(void)state;
	/* U+00FC, U+20AC, U+1F511. */
	assert_int_equal(
		mschapv2_hash((const uint8_t *)"\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x91", 9, hash), 0);
	assert_int_equal(ike_md4("\xfc\x00\xac\x20\x3d\xd8\x11\xdd", 8, by_hand), 0);
	assert_memory_equal(hash, by_hand, sizeof(hash));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mschapv2_hash((const uint8_t *)bad[i], strlen(bad[i]), hash), -1);
}

/* ---- names ------------------------------------------------------------------------------------------ */

static void names_become_identities(void **state)
{
	static const struct {
		const char *name;
		uint8_t type; /* 0: none */
		const char *text;
	} rows[] = {
		{ "alice", IKE_ID_FQDN, "alice" },
		{ "CORP\\alice", IKE_ID_FQDN, "alice" },
		{ "a\\b\\alice", IKE_ID_FQDN, "alice" },
		{ "alice@corp.example", IKE_ID_RFC822, "alice@corp.example" },
		{ "10.0.0.1", IKE_ID_FQDN, "fqdn:10.0.0.1" },
		{ "*.example", IKE_ID_KEY_ID, "keyid:*.example" },
		{ "*@example", IKE_ID_KEY_ID, "keyid:*@example" },
		{ "@example", IKE_ID_KEY_ID, "keyid:@example" },
		{ "CN=alice", IKE_ID_KEY_ID, "keyid:CN=alice" },
		{ "alice smith", IKE_ID_KEY_ID, "keyid:0x616c69636520736d697468" },
		{ "", 0, NULL },
		{ "CORP\\", 0, NULL },
	};
	char text[IKE_MAX_ID];
	struct ike_id id;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = eap_identity((const uint8_t *)rows[i].name, strlen(rows[i].name), &id);

		assert_int_equal(is, rows[i].type != 0);
		if (!is)
			continue;
		assert_int_equal(id.type, rows[i].type);
		assert_string_equal(ike_id_print(text, sizeof(text), &id), rows[i].text);
		assert_false(ike_id_is_wildcard(&id));
	}
}

/* ---- a conversation ----------------------------------------------------------------------------------- */

static void fill(void *ctx, void *buf, size_t len)
{
	uint8_t *v = ctx;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = ++*v;
}

/* One end, with the secret that its jobs find. */
struct end {
	struct eap e;
	struct eap_step s;
	enum eap_verdict verdict;
	const char *secret; /* NULL: none */
	uint8_t kind; /* enum ike_job_secret */
	uint8_t random;
	struct ike_rng rng;
	unsigned int jobs;
};

struct talk {
	struct end server, client;
};

static const uint8_t *find_secret(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	static uint8_t key[256];
	const struct end *end = ctx;

	(void)job;
	(void)i;
	if (!end->secret)
		return NULL;
	key[0] = end->kind ? end->kind : IKE_SECRET_PASSWORD;
	*len = 1 + (end->kind == IKE_SECRET_NT_HASH ? 16 : strlen(end->secret));
	memcpy(key + 1, end->secret, *len - 1);
	return key;
}

/* Jobs are done until the end has something to say, or is over. */
static void do_jobs(struct end *end)
{
	const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	struct ike_job_result r;

	while (end->verdict == EAP_WAIT) {
		struct ike_job job = end->s.job;

		job.n_tunnels = 1;
		job.tunnels = tunnel;
		end->jobs++;
		ike_job_do(&job, find_secret, end, &r);
		end->s = (struct eap_step){ .rng = &end->rng };
		end->verdict = eap_job_done(&end->e, &end->s, &r);
	}
}

static void hear(struct end *to, const uint8_t *data, size_t len)
{
	uint8_t copy[EAP_MAX_PACKET];

	memcpy(copy, data, len);
	to->s = (struct eap_step){ .rng = &to->rng };
	to->verdict = eap_take(&to->e, &to->s, copy, len);
	do_jobs(to);
}

static void begin_talk(struct talk *t, unsigned int server, unsigned int client)
{
	*t = (struct talk){ 0 };
	t->server.secret = t->client.secret = "clue";
	t->server.rng = (struct ike_rng){ fill, &t->server.random };
	t->client.rng = (struct ike_rng){ fill, &t->client.random };
	t->server.s.rng = &t->server.rng;
	assert_true(eap_begin_client(&t->client.e, (uint8_t)client, "alice", 5));
	eap_begin_server(&t->server.e, (uint8_t)server, &t->server.s);
	t->server.verdict = EAP_SEND;
}

static void end_talk(struct talk *t)
{
	eap_end(&t->server.e);
	eap_end(&t->client.e);
}

/* The server's packet goes to the client, and its answer back. */
static void exchange(struct talk *t)
{
	hear(&t->client, t->server.s.out, t->server.s.out_len);
	if (t->client.verdict == EAP_SEND)
		hear(&t->server, t->client.s.out, t->client.s.out_len);
}

static void converse(struct talk *t)
{
	for (unsigned int i = 0; i < EAP_MAX_ROUNDS + 2; i++) {
		exchange(t);
		if (t->client.verdict != EAP_SEND)
			return;
	}
	fail_msg("no end");
}

static void says(const struct end *end, const char *words)
{
	if (!strstr(end->s.why, words))
		fail_msg("\"%s\" is not in \"%s\"", words, end->s.why);
}

static void both_prove_by_mschapv2(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	converse(&t);
	assert_int_equal(t.server.verdict, EAP_DONE);
	assert_int_equal(t.client.verdict, EAP_DONE);
	assert_int_equal(t.server.e.msk_len, EAP_MSK_LEN);
	assert_memory_equal(t.server.e.msk, t.client.e.msk, EAP_MSK_LEN);
	assert_int_equal(t.server.jobs, 1);
	assert_int_equal(t.client.jobs, 2);
	assert_memory_equal(t.server.e.name, "alice", 5);
	end_talk(&t);
}

static void a_hash_will_do_for_mschapv2_alone(void **state)
{
	uint8_t hash[MSCHAPV2_HASH + 1] = { 0 };
	struct talk t;

	(void)state;
	assert_int_equal(mschapv2_hash((const uint8_t *)"clue", 4, hash), 0);
	for (unsigned int methods = MSCHAPV2; methods <= MD5; methods <<= 1) {
		begin_talk(&t, methods, methods);
		t.server.secret = (const char *)hash;
		t.server.kind = IKE_SECRET_NT_HASH;
		converse(&t);
		assert_int_equal(t.server.verdict, methods == MSCHAPV2 ? EAP_DONE : EAP_FAIL);
		end_talk(&t);
	}
}

static void md5_proves_and_makes_no_key(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MD5, MD5 | MSCHAPV2);
	converse(&t);
	assert_int_equal(t.server.verdict, EAP_DONE);
	assert_int_equal(t.client.verdict, EAP_DONE);
	assert_int_equal(t.server.e.msk_len + t.client.e.msk_len, 0);
	end_talk(&t);
}

static void a_nak_leads_to_a_method_that_both_have(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2 | MD5, MD5);
	converse(&t);
	assert_int_equal(t.server.verdict, EAP_DONE);
	assert_int_equal(t.client.verdict, EAP_DONE);
	assert_ptr_equal(t.server.e.method, &eap_method_md5);
	end_talk(&t);
	begin_talk(&t, MSCHAPV2, MD5);
	converse(&t);
	assert_int_equal(t.server.verdict, EAP_FAIL);
	says(&t.server, "it wants type 4 (EAP-MD5), and EAPMethods= has mschapv2");
	assert_int_equal(t.client.verdict, EAP_FAIL);
	says(&t.client, "peer wants type 26 (EAP-MSCHAPv2) of EAP, and EAPMethods= has md5");
	end_talk(&t);
}

static void a_wrong_password_is_told_to_both(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	t.client.secret = "no clue";
	exchange(&t);
	exchange(&t);
	assert_int_equal(t.server.verdict, EAP_SEND);
	assert_true(t.server.s.wrong_secret);
	says(&t.server, "does not have the password that we have for it");
	/* The client tells why, and acknowledges it: EAP-Failure is all that follows. */
	exchange(&t);
	assert_int_equal(t.client.verdict, EAP_SEND);
	says(&t.client, "error 691");
	assert_int_equal(t.server.verdict, EAP_FAIL);
	assert_string_equal(t.server.s.why, "");
	exchange(&t);
	assert_int_equal(t.client.verdict, EAP_FAIL);
	assert_string_equal(t.client.s.why, "");
	assert_true(t.client.e.rejected);
	end_talk(&t);
}

/* Both take as long, and get the same packets. */
static void an_unknown_user_is_answered_as_one_with_a_wrong_password(void **state)
{
	struct talk t[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		begin_talk(&t[i], MSCHAPV2, MSCHAPV2);
		t[i].client.secret = "no clue";
		t[i].server.secret = i ? NULL : "clue";
		exchange(&t[i]);
		exchange(&t[i]);
		assert_int_equal(t[i].server.jobs, 1);
	}
	says(&t[1].server, "is no user here");
	assert_int_equal(t[0].server.s.out_len, t[1].server.s.out_len);
	assert_memory_equal(t[0].server.s.out, t[1].server.s.out, t[0].server.s.out_len);
	end_talk(&t[0]);
	end_talk(&t[1]);
}

static void a_server_without_the_password_proves_nothing(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	exchange(&t);
	exchange(&t);
	t.server.s.out[12] ^= 1; /* a digit of its proof, or what is none */
	exchange(&t);
	assert_int_equal(t.client.verdict, EAP_FAIL);
	assert_int_equal(t.client.e.msk_len, 0);
	end_talk(&t);
}

static void success_before_the_method_is_nothing(void **state)
{
	static const uint8_t success[] = { EAP_SUCCESS, 7, 0, 4 };
	struct talk t;

	(void)state;
	for (unsigned int rounds = 0; rounds < 3; rounds++) {
		begin_talk(&t, MSCHAPV2, MSCHAPV2);
		for (unsigned int i = 0; i < rounds; i++)
			exchange(&t);
		hear(&t.client, success, sizeof(success));
		assert_int_equal(t.client.verdict, EAP_FAIL);
		says(&t.client, "before any method of EAP was completed");
		assert_int_equal(t.client.e.msk_len, 0);
		end_talk(&t);
	}
}

/* What a hostile or confused client says in place of its answer to the challenge. */
static void wrong_answers_end_it(void **state)
{
	static const struct {
		const char *packet;
		size_t len;
		const char *words;
	} rows[] = {
		{ "\x02\x00\x00\x04", 4, "malformed packet" },
		{ "\x02\x00\x00\x06\x1a", 5, "malformed packet" },
		{ "\x02\x00\x00\x05\x1a", 5, "malformed, or out of place" },
		{ "\x01\x00\x00\x05\x1a", 5, "code 1 where an answer was due" },
		{ "\x03\x00\x00\x04", 4, "code 3 where an answer was due" },
		{ "\x02\x00\x00\x05\x04", 5, "answered EAP-MSCHAPv2 with type 4 (EAP-MD5)" },
		{ "\x02\x00\x00\x06\x1a\x03", 6, "malformed, or out of place" },
		{ "\x02\x00\x00\x06\x1a\x04", 6, "malformed, or out of place" },
		{ "\x02\x00\x00\x09\x1a\x02\x00\x00\x05", 9, "malformed, or out of place" },
		{ "\x02\x00\x00\x06\x03\x00", 6, "takes no method of EAP that is configured" },
	};
	uint8_t packet[32];
	struct talk t;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_talk(&t, MSCHAPV2, MSCHAPV2);
		exchange(&t);
		memcpy(packet, rows[i].packet, rows[i].len);
		packet[1] = t.server.e.id;
		hear(&t.server, packet, rows[i].len);
		assert_int_equal(t.server.verdict, EAP_FAIL);
		says(&t.server, rows[i].words);
		assert_int_equal(t.server.s.out[0], EAP_FAILURE);
		/* Nothing brings it back. */
		hear(&t.server, packet, rows[i].len);
		assert_int_equal(t.server.verdict, EAP_FAIL);
		end_talk(&t);
	}
}

static void answers_have_the_number_of_their_request(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	hear(&t.client, t.server.s.out, t.server.s.out_len);
	t.client.s.out[1]++;
	hear(&t.server, t.client.s.out, t.client.s.out_len);
	says(&t.server, "is out");
	end_talk(&t);
}

static void a_name_is_that_of_its_user(void **state)
{
	struct talk t;
	uint8_t *out;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	exchange(&t);
	hear(&t.client, t.server.s.out, t.server.s.out_len);
	out = t.client.s.out + t.client.s.out_len - 5;
	assert_memory_equal(out, "alice", 5);
	memcpy(out, "bobby", 5);
	hear(&t.server, t.client.s.out, t.client.s.out_len);
	says(&t.server, "gave 'bobby' as its name in EAP-MSCHAPv2");
	end_talk(&t);
}

/* As Android's own client says it: who it is stands in the response alone. */
static void an_empty_identity_is_that_of_the_response(void **state)
{
	uint8_t empty[] = { EAP_RESPONSE, 0, 0, 5, EAP_TYPE_IDENTITY };
	struct talk t;

	(void)state;
	for (unsigned int methods = MSCHAPV2; methods <= MD5; methods <<= 1) {
		begin_talk(&t, methods, methods);
		hear(&t.client, t.server.s.out, t.server.s.out_len);
		empty[1] = t.server.e.id;
		hear(&t.server, empty, sizeof(empty));
		assert_int_equal(t.server.verdict, EAP_SEND);
		converse(&t);
		assert_int_equal(t.server.verdict, EAP_DONE);
		assert_int_equal(t.client.verdict, EAP_DONE);
		assert_int_equal(t.server.e.name_len, 5);
		assert_memory_equal(t.server.e.name, "alice", 5);
		end_talk(&t);
	}
}

/* Whoever gives no name at all is nobody, before any key is tried. */
static void without_any_name_it_ends(void **state)
{
	static const size_t lens[] = { 0, EAP_MAX_NAME + 1 };
	uint8_t packet[400] = { EAP_RESPONSE, 0, 0, 5, EAP_TYPE_IDENTITY };
	struct talk t;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		bool md5 = i & 1;
		size_t head = md5 ? 5 + 1 + 16 : 5 + 4 + 1 + 49, len = head + lens[i / 2];

		begin_talk(&t, md5 ? MD5 : MSCHAPV2, MSCHAPV2);
		packet[1] = t.server.e.id;
		packet[2] = 0;
		packet[3] = 5;
		packet[4] = EAP_TYPE_IDENTITY;
		hear(&t.server, packet, 5);
		memset(packet, 'x', sizeof(packet));
		packet[0] = EAP_RESPONSE;
		packet[1] = t.server.e.id;
		packet[2] = (uint8_t)(len >> 8);
		packet[3] = (uint8_t)len;
		packet[4] = md5 ? EAP_TYPE_MD5 : EAP_TYPE_MSCHAPV2;
		packet[5] = md5 ? 16 : 2;
		if (!md5)
			memcpy(packet + 6,
			       (uint8_t[]){ t.server.e.id, (uint8_t)((len - 5) >> 8),
					    (uint8_t)(len - 5), 49 },
			       4);
		hear(&t.server, packet, len);
		assert_int_equal(t.server.verdict, EAP_FAIL);
		assert_int_equal(t.server.jobs, 0);
		says(&t.server, "peer gave no name");
		end_talk(&t);
	}
}

static void a_nak_comes_before_the_answer(void **state)
{
	uint8_t nak[] = { EAP_RESPONSE, 0, 0, 6, EAP_TYPE_NAK, EAP_TYPE_MD5 };
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2 | MD5, MSCHAPV2);
	exchange(&t);
	exchange(&t);
	nak[1] = t.server.e.id;
	hear(&t.server, nak, sizeof(nak));
	says(&t.server, "left EAP-MSCHAPv2 in the middle of it");
	end_talk(&t);
}

static void a_server_changes_no_method(void **state)
{
	uint8_t md5[] = { EAP_REQUEST, 200, 0, 8, EAP_TYPE_MD5, 2, 1, 2 };
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2 | MD5);
	exchange(&t);
	hear(&t.client, t.server.s.out, t.server.s.out_len);
	hear(&t.client, md5, sizeof(md5));
	assert_int_equal(t.client.verdict, EAP_FAIL);
	says(&t.client, "left EAP-MSCHAPv2 in the middle of it for type 4 (EAP-MD5)");
	end_talk(&t);
}

static void rounds_are_counted(void **state)
{
	uint8_t notification[] = { EAP_REQUEST, 0, 0, 5, EAP_TYPE_NOTIFICATION };
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	for (unsigned int i = 0; i < EAP_MAX_ROUNDS; i++) {
		notification[1] = (uint8_t)i;
		hear(&t.client, notification, sizeof(notification));
		assert_int_equal(t.client.verdict, EAP_SEND);
	}
	notification[1]++;
	hear(&t.client, notification, sizeof(notification));
	says(&t.client, "more than 80 packets");
	end_talk(&t);
}

/* A packet comes again while the job that it was for is lost again and again, as when the keys process ends. */
static void copies_are_no_rounds(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	exchange(&t);
	hear(&t.client, t.server.s.out, t.server.s.out_len);
	for (unsigned int i = 0; i < 2 * EAP_MAX_ROUNDS; i++) {
		struct end *s = &t.server;

		s->s = (struct eap_step){ .rng = &s->rng };
		assert_int_equal(eap_take(&s->e, &s->s, t.client.s.out, t.client.s.out_len),
				 EAP_WAIT);
	}
	hear(&t.server, t.client.s.out, t.client.s.out_len);
	converse(&t);
	assert_int_equal(t.server.verdict, EAP_DONE);
	end_talk(&t);
}

static void a_job_that_fails_ends_it(void **state)
{
	struct talk t;

	(void)state;
	begin_talk(&t, MSCHAPV2, MSCHAPV2);
	exchange(&t);
	t.client.secret = NULL;
	hear(&t.client, t.server.s.out, t.server.s.out_len);
	assert_int_equal(t.client.verdict, EAP_FAIL);
	says(&t.client, "could not be done here");
	end_talk(&t);
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

/* Who asks for a job may be in an attacker's hand: lengths are exact, and a wrong proof gives no key. */
static void jobs_give_nothing_away(void **state)
{
	static const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	struct end end = { .secret = "clue" };
	uint8_t bytes[64] = { 1 };
	const uint8_t zero[IKE_MAX_SIGNATURE] = { 0 };
	struct ike_job_result r;

	(void)state;
	for (unsigned int kind = IKE_JOB_MSCHAPV2_VERIFY; kind <= IKE_JOB_MD5_RESPOND; kind++) {
		for (size_t len = 0; len < sizeof(bytes); len++) {
			struct ike_job job = {
				.kind = (enum ike_job_kind)kind,
				.n_tunnels = 1,
				.tunnels = tunnel,
				.octets = { { bytes, len }, { bytes, len }, { bytes, len } },
				.auth = { bytes, len },
			};

			ike_job_do(&job, find_secret, &end, &r);
			assert_true(r.error || kind == IKE_JOB_MD5_VERIFY ||
				    kind == IKE_JOB_MD5_RESPOND);
			assert_int_not_equal(r.verdict[0], IKE_JOB_PROVEN);
			if (r.error || kind != IKE_JOB_MD5_RESPOND)
				assert_memory_equal(r.auth, zero, sizeof(zero));
		}
	}
}

static void a_wrong_response_gets_no_key_and_no_proof(void **state)
{
	static const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	const struct mschapv2_run run = run_of_rfc();
	const uint8_t zero[IKE_MAX_SIGNATURE] = { 0 };
	struct end end = { .secret = "clientPass" };
	uint8_t hash[MSCHAPV2_HASH], response[MSCHAPV2_RESPONSE];
	struct ike_job job = {
		.kind = IKE_JOB_MSCHAPV2_VERIFY,
		.n_tunnels = 1,
		.tunnels = tunnel,
		.octets = { { run.server, 16 }, { run.client, 16 }, { "User", 4 } },
		.auth = { response, sizeof(response) },
	};
	struct ike_job_result r;

	(void)state;
	assert_int_equal(mschapv2_hash((const uint8_t *)"clientPass", 10, hash), 0);
	assert_int_equal(mschapv2_respond(hash, &run, response), 0);
	ike_job_do(&job, find_secret, &end, &r);
	assert_int_equal(r.verdict[0], IKE_JOB_PROVEN);
	assert_int_equal(r.auth_len, MSCHAPV2_AUTHENTICATOR + MSCHAPV2_MSK);
	for (unsigned int i = 0; i < sizeof(response); i++) {
		response[i] ^= 1;
		ike_job_do(&job, find_secret, &end, &r);
		assert_int_equal(r.verdict[0], IKE_JOB_REFUTED);
		assert_int_equal(r.auth_len, 0);
		assert_memory_equal(r.auth, zero, sizeof(zero));
		response[i] ^= 1;
	}
	end.secret = NULL;
	ike_job_do(&job, find_secret, &end, &r);
	assert_int_equal(r.verdict[0], IKE_JOB_NO_KEY);
	assert_memory_equal(r.auth, zero, sizeof(zero));
}

/* The challenge of a user is made with its secret, so that nobody has it answer one of his own choice. */
static void no_response_is_made_twice(void **state)
{
	static const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	struct end end = { .secret = "clue" };
	uint8_t challenge[MSCHAPV2_CHALLENGE] = { 0 };
	struct ike_job job = {
		.kind = IKE_JOB_MSCHAPV2_RESPOND,
		.n_tunnels = 1,
		.tunnels = tunnel,
		.octets = { { challenge, sizeof(challenge) }, { NULL, 0 }, { "alice", 5 } },
	};
	struct ike_job_result a, b;

	(void)state;
	ike_job_do(&job, find_secret, &end, &a);
	ike_job_do(&job, find_secret, &end, &b);
	assert_int_equal(a.error, 0);
	assert_int_equal(a.auth_len, MSCHAPV2_ANSWER);
	assert_memory_not_equal(a.auth, b.auth, MSCHAPV2_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md4_md5_and_des_are_those_of_their_documents),
		cmocka_unit_test(mschapv2_is_that_of_rfc_2759_and_3079),
		cmocka_unit_test(passwords_are_utf_8),
		cmocka_unit_test(names_become_identities),
		cmocka_unit_test(both_prove_by_mschapv2),
		cmocka_unit_test(a_hash_will_do_for_mschapv2_alone),
		cmocka_unit_test(md5_proves_and_makes_no_key),
		cmocka_unit_test(a_nak_leads_to_a_method_that_both_have),
		cmocka_unit_test(a_wrong_password_is_told_to_both),
		cmocka_unit_test(an_unknown_user_is_answered_as_one_with_a_wrong_password),
		cmocka_unit_test(a_server_without_the_password_proves_nothing),
		cmocka_unit_test(success_before_the_method_is_nothing),
		cmocka_unit_test(wrong_answers_end_it),
		cmocka_unit_test(answers_have_the_number_of_their_request),
		cmocka_unit_test(a_name_is_that_of_its_user),
		cmocka_unit_test(an_empty_identity_is_that_of_the_response),
		cmocka_unit_test(without_any_name_it_ends),
		cmocka_unit_test(a_nak_comes_before_the_answer),
		cmocka_unit_test(a_server_changes_no_method),
		cmocka_unit_test(rounds_are_counted),
		cmocka_unit_test(copies_are_no_rounds),
		cmocka_unit_test(a_job_that_fails_ends_it),
		cmocka_unit_test(jobs_give_nothing_away),
		cmocka_unit_test(a_wrong_response_gets_no_key_and_no_proof),
		cmocka_unit_test(no_response_is_made_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
