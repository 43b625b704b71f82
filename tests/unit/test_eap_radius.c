// SPDX-License-Identifier: GPL-2.0-or-later
/* EAP that passes through to a RADIUS server, packet by packet; and the jobs of the process that has its secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "ike/eap/eap.h"
#include "ike/radius/radius.h"

static uint8_t random_byte;

static void fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, ++random_byte, len);
}

static const struct ike_rng rng = { .fill = fill };

struct run {
	struct eap eap;
	struct eap_step step;
};

/* The next step begins. */
static struct eap_step *step(struct run *r)
{
	memset(&r->step, 0, sizeof(r->step));
	r->step.rng = &rng;
	return &r->step;
}

static enum eap_verdict take(struct run *r, const void *packet, size_t len)
{
	return eap_take(&r->eap, step(r), packet, len);
}

static enum eap_verdict hear(struct run *r, const struct ike_job_result *result)
{
	return eap_job_done(&r->eap, step(r), result);
}

/* The peer says that it is alice, and the server is asked. */
static void begin(struct run *r)
{
	uint8_t identity[10] = {
		EAP_RESPONSE, 0, 0, 10, EAP_TYPE_IDENTITY, 'a', 'l', 'i', 'c', 'e'
	};

	memset(r, 0, sizeof(*r));
	eap_begin_server(&r->eap, 1 << EAP_RADIUS, step(r));
	identity[1] = r->eap.id;
	assert_int_equal(take(r, identity, sizeof(identity)), EAP_WAIT);
	assert_int_equal(r->step.job.kind, IKE_JOB_RADIUS);
	assert_int_equal(r->step.job.octets[0].len, 5);
	assert_memory_equal(r->step.job.octets[0].base, "alice", 5);
	assert_int_equal(r->step.job.octets[1].len, sizeof(identity));
	assert_memory_equal(r->step.job.octets[1].base, identity, sizeof(identity));
	assert_int_equal(r->step.job.octets[2].len, IKE_JOB_TALK);
}

static struct ike_job_result result_of(const void *eap, size_t len)
{
	struct ike_job_result r = { .eap_len = (uint32_t)len };

	if (len)
		memcpy(r.eap, eap, len);
	return r;
}

static struct ike_job_result proven(const char *name, size_t msk_len)
{
	struct ike_job_result r = result_of(name, strlen(name));

	r.verdict[0] = IKE_JOB_PROVEN;
	r.auth_len = (uint32_t)msk_len;
	memset(r.auth, 7, msk_len);
	return r;
}

static const uint8_t request[] = { EAP_REQUEST, 0x42, 0, 7, 13, 0x20, 9 };
static const uint8_t nak[] = { EAP_RESPONSE, 0x42, 0, 6, EAP_TYPE_NAK, 21 };

static void packets_pass_as_they_are(void **state)
{
	struct ike_job_result r = result_of(request, sizeof(request));
	struct run run;
	uint8_t talk[IKE_JOB_TALK];

	(void)state;
	begin(&run);
	memcpy(talk, run.step.job.octets[2].base, sizeof(talk));
	assert_int_equal(hear(&run, &r), EAP_SEND);
	assert_int_equal(run.step.out_len, sizeof(request));
	assert_memory_equal(run.step.out, request, sizeof(request));
	/* A Nak is for the server, too, and belongs to the same conversation. */
	assert_int_equal(take(&run, nak, sizeof(nak)), EAP_WAIT);
	assert_int_equal(run.step.job.octets[1].len, sizeof(nak));
	assert_memory_equal(run.step.job.octets[1].base, nak, sizeof(nak));
	assert_memory_equal(run.step.job.octets[2].base, talk, sizeof(talk));
	eap_end(&run.eap);
	/* Another conversation is known by something else. */
	begin(&run);
	assert_memory_not_equal(run.step.job.octets[2].base, talk, sizeof(talk));
	eap_end(&run.eap);
}

static void the_server_accepts(void **state)
{
	struct ike_job_result r = proven("alice@corp.example", EAP_MSK_LEN);
	struct run run;

	(void)state;
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_DONE);
	assert_int_equal(run.step.out[0], EAP_SUCCESS);
	assert_int_equal(run.eap.msk_len, EAP_MSK_LEN);
	assert_int_equal(run.eap.msk[63], 7);
	/* As whom, the server says. */
	assert_int_equal(run.eap.name_len, 18);
	assert_memory_equal(run.eap.name, "alice@corp.example", 18);
	eap_end(&run.eap);
	/* By a method that makes no key: RFC 7296 2.16. */
	r = proven("alice", 0);
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_FAIL);
	assert_non_null(strstr(run.step.why, "MS-MPPE"));
	eap_end(&run.eap);
}

static void the_server_refuses(void **state)
{
	struct ike_job_result r = result_of(NULL, 0);
	struct run run;

	(void)state;
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_FAIL);
	assert_int_equal(run.step.out[0], EAP_FAILURE);
	assert_non_null(strstr(run.step.why, "RADIUS server"));
	/* There is no way back. */
	assert_int_equal(take(&run, nak, sizeof(nak)), EAP_FAIL);
	eap_end(&run.eap);
}

/* In PEAP the name outside may be one that all users of a firm share: it is none of theirs that was tried there. */
static void wrong_passwords_are_of_names_that_are_shown(void **state)
{
	static const struct {
		uint8_t type;
		bool counts;
	} all[] = { { EAP_TYPE_MD5, true },  { EAP_TYPE_GTC, true }, { EAP_TYPE_MSCHAPV2, true },
		    { EAP_TYPE_TLS, false }, { 21, false },	     { 25, false },
		    { EAP_TYPE_NAK, false }, { 43, false },	     { 55, false } };
	struct run run;

	(void)state;
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const uint8_t answer[] = { EAP_RESPONSE, 0x42, 0, 6, all[i].type, 1 };
		struct ike_job_result asked = result_of(request, sizeof(request));
		struct ike_job_result refused = result_of(NULL, 0);

		begin(&run);
		assert_false(run.step.tries_password);
		assert_int_equal(hear(&run, &asked), EAP_SEND);
		assert_int_equal(take(&run, answer, sizeof(answer)), EAP_WAIT);
		assert_int_equal(run.step.tries_password, all[i].counts);
		assert_int_equal(hear(&run, &refused), EAP_FAIL);
		assert_int_equal(run.step.wrong_secret, all[i].counts);
		eap_end(&run.eap);
	}
	/* A name that the server does not know at all. */
	begin(&run);
	assert_int_equal(hear(&run, &(struct ike_job_result){ 0 }), EAP_FAIL);
	assert_false(run.step.wrong_secret);
	eap_end(&run.eap);
}

/* What is no request of EAP does not reach the peer, EAP-Success least of all. */
static void what_is_no_request(void **state)
{
	static const uint8_t bad[][8] = { { EAP_SUCCESS, 1, 0, 4 },
					  { EAP_FAILURE, 1, 0, 4 },
					  { EAP_RESPONSE, 1, 0, 6, 13, 0 },
					  { EAP_REQUEST, 1, 0, 7, 13, 0 } };
	static const size_t len[] = { 4, 4, 6, 6 };
	struct run run;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct ike_job_result r = result_of(bad[i], len[i]);

		begin(&run);
		assert_int_equal(hear(&run, &r), EAP_FAIL);
		assert_int_equal(run.step.out[0], EAP_FAILURE);
		assert_int_equal(run.eap.msk_len, 0);
		eap_end(&run.eap);
	}
}

static void an_acceptance_of_nobody(void **state)
{
	struct ike_job_result r = proven("", EAP_MSK_LEN);
	struct run run;

	(void)state;
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_FAIL);
	eap_end(&run.eap);
	r = proven("alice", EAP_MSK_LEN - 1);
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_FAIL);
	eap_end(&run.eap);
	r = proven("alice", 0);
	r.eap_len = EAP_MAX_NAME + 1;
	begin(&run);
	assert_int_equal(hear(&run, &r), EAP_FAIL);
	eap_end(&run.eap);
}

/* No server answered; the peer repeats itself, and they are asked again. Behind a NUL is nothing that they are told. */
static void a_job_that_got_lost(void **state)
{
	uint8_t identity[10] = {
		EAP_RESPONSE, 0, 0, 10, EAP_TYPE_IDENTITY, 'a', 'l', 'i', 'c', 'e'
	};
	uint8_t more[14] = "\2?\0\16\1alice\0a=b", talk[IKE_JOB_TALK];
	struct run run;

	(void)state;
	begin(&run);
	memcpy(talk, run.step.job.octets[2].base, sizeof(talk));
	identity[1] = more[1] = run.eap.id;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(i ? take(&run, more, sizeof(more))
				   : take(&run, identity, sizeof(identity)),
				 EAP_WAIT);
		assert_int_equal(run.step.job.octets[1].len, sizeof(identity));
		assert_memory_equal(run.step.job.octets[1].base, identity, sizeof(identity));
		assert_memory_equal(run.step.job.octets[2].base, talk, sizeof(talk));
	}
	eap_end(&run.eap);
}

/* ---- jobs ---------------------------------------------------------------------------------------- */

static const uint8_t secret[] = "5dtRc2sPqYb8Wm1xVn7uKz4L";
static bool has_secret;

static const uint8_t *find_secret(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	(void)ctx;
	(void)job;
	(void)i;
	*len = sizeof(secret) - 1;
	return has_secret ? secret : NULL;
}

static struct ike_job_result do_job(enum ike_job_kind kind, struct ike_iov first,
				    struct ike_iov second)
{
	const struct ike_job job = {
		.id = 3, .kind = kind, .n_tunnels = 1, .octets = { first, second }
	};
	struct ike_job_result r;

	ike_job_do(&job, find_secret, NULL, &r);
	assert_int_equal(r.id, 3);
	return r;
}

static void jobs_with_the_secret(void **state)
{
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR] = { 1 };
	uint8_t packet[RADIUS_MAX], expected[RADIUS_AUTHENTICATOR];
	struct writer b = radius_begin(packet, RADIUS_ACCESS_REQUEST, 1, authenticator);
	const struct ike_iov whole = { packet, radius_end(&b) }, none = { NULL, 0 };
	const struct ike_iov auth = { authenticator, sizeof(authenticator) };
	struct ike_job_result r;

	(void)state;
	has_secret = true;
	r = do_job(IKE_JOB_RADIUS_SIGN, whole, none);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.auth_len, RADIUS_AUTHENTICATOR);
	assert_int_equal(radius_sign(packet, whole.len, secret, sizeof(secret) - 1, expected), 0);
	assert_memory_equal(r.auth, expected, sizeof(expected));
	assert_int_equal(do_job(IKE_JOB_RADIUS_SIGN, auth, none).error, -EINVAL);
	r = do_job(IKE_JOB_RADIUS_CHECK, auth, whole);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.auth_len, 1);
	assert_int_equal(r.auth[0], RADIUS_WRONG_RESPONSE);
	assert_int_equal(do_job(IKE_JOB_RADIUS_CHECK, whole, whole).error, -EINVAL);
	has_secret = false;
	assert_int_equal(do_job(IKE_JOB_RADIUS_SIGN, whole, none).error, -ENOENT);
	assert_int_equal(do_job(IKE_JOB_RADIUS_CHECK, auth, whole).error, -ENOENT);
	/* That is the agent's to do. */
	assert_int_equal(do_job(IKE_JOB_RADIUS, whole, whole).error, -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_pass_as_they_are),
		cmocka_unit_test(the_server_accepts),
		cmocka_unit_test(the_server_refuses),
		cmocka_unit_test(wrong_passwords_are_of_names_that_are_shown),
		cmocka_unit_test(what_is_no_request),
		cmocka_unit_test(an_acceptance_of_nobody),
		cmocka_unit_test(a_job_that_got_lost),
		cmocka_unit_test(jobs_with_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
