// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys that only the keys process can open, and what the agent makes of one that ends, hangs, or says what it
 * may not say: here a function in a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/keys/key_proc.h"
#include "ike/keys/key_serve.h"
#include "ike/keys/key_wire.h"
#include "ike/app/log.h"
#include "ike/auth/psk.h"
#include "ike/auth/sigalg.h"
#include "ike/io/loop.h"

static const struct seal seal = { { 1, 2, 3 }, { 4, 5, 6 } };
static const struct seal another = { { 1, 2, 4 }, { 4, 5, 7 } };

/* ---- keys ----------------------------------------------------------------------------------- */

static void config_of(struct config *c, uint8_t octet, size_t len)
{
	memset(c, 0, sizeof(*c));
	memset(c->psk, octet, c->psk_len = len);
}

static void seals_keys(void **state)
{
	struct config c, d, clear;
	uint8_t key[SECRET_ROOM];
	size_t len;

	(void)state;
	for (size_t n = 1; n <= SECRET_MAX; n++) {
		config_of(&clear, 'k', n);
		c = d = clear;
		assert_int_equal(seal_config(&seal, &c), 0);
		assert_int_equal(seal_config(&another, &d), 0);
		assert_true(c.psk_len > n && c.psk_len <= SECRET_ROOM);
		assert_memory_not_equal(c.psk, d.psk, c.psk_len);
		assert_memory_not_equal(c.psk_digest, d.psk_digest, SECRET_DIGEST);
		if (n >= 4)
			assert_null(memmem(&c, sizeof(c), "kkkk", 4));
		assert_int_equal(seal_open(seal.wrapping, c.psk, c.psk_len, key, SECRET_ROOM, &len),
				 0);
		assert_int_equal(len, n);
		assert_memory_equal(key, clear.psk, n);
		assert_int_equal(seal_open(seal.wrapping, d.psk, d.psk_len, key, SECRET_ROOM, &len),
				 -1);
		assert_int_equal(len, 0);
	}
	/* Equal ones stay equal, so that a reload sees what changed. */
	d = clear;
	assert_int_equal(seal_config(&seal, &d), 0);
	assert_memory_equal(&c, &d, sizeof(c));
	/* So is our own password. */
	c = clear;
	c.password = &(struct config_password){ .key = "ppassword", .len = 9 };
	assert_int_equal(seal_config(&seal, &c), 0);
	assert_int_equal(seal_open(seal.wrapping, c.password->key, c.password->len, key,
				   SECRET_ROOM, &len),
			 0);
	assert_int_equal(len, 9);
	assert_null(memmem(c.password->key, sizeof(c.password->key), "password", 8));
	/* None stays none. */
	config_of(&c, 0, 0);
	memset(&d, 0, sizeof(d));
	assert_int_equal(seal_config(&seal, &c), 0);
	assert_memory_equal(&c, &d, sizeof(c));
}

/* What is not of the seal leaves nothing behind, and the octets after it as they were. */
static void refuses_what_was_changed(void **state)
{
	uint8_t room[2 * SECRET_ROOM], *out;
	struct config c;
	size_t len;

	(void)state;
	config_of(&c, 'k', 100);
	assert_int_equal(seal_config(&seal, &c), 0);
	for (size_t n = 0; n <= SECRET_ROOM + 1; n++) {
		if (n == c.psk_len)
			continue;
		memset(room, 0x55, sizeof(room));
		assert_int_equal(seal_open(seal.wrapping, c.psk, n, room, SECRET_ROOM, &len), -1);
		for (size_t i = n; i < sizeof(room); i++)
			assert_int_equal(room[i], 0x55);
	}
	for (size_t i = 0; i < c.psk_len; i++) {
		out = malloc(c.psk_len); /* the sanitizer watches its end */
		c.psk[i] ^= 1;
		assert_int_equal(ike_key_unwrap(seal.wrapping, SEAL_WRAPPING, c.psk, c.psk_len, out,
						&len),
				 -1);
		for (size_t k = 0; k < c.psk_len; k++)
			assert_int_equal(out[k], 0);
		c.psk[i] ^= 1;
		free(out);
	}
}

/* ---- messages that make no sense -------------------------------------------------------------- */

/* A job of two keys, of 40 and 0 octets, octets to sign of 3, 0 and 1, and an AUTH value of 32. */
static uint8_t message[sizeof(struct key_call) + 4 + 32 + 2 + 40 + 2 + 1];
enum { MESSAGE = sizeof(message) - 1 };
static const size_t first_key = sizeof(struct key_call) + 4 + 32;

static struct key_call *good_message(void)
{
	struct key_call *call = (struct key_call *)message;
	const uint16_t len = 40;

	memset(message, 0, sizeof(message));
	*call = (struct key_call){ .number = 1,
				   .kind = IKE_JOB_PSK_VERIFY,
				   .prf = 5,
				   .n_keys = 2,
				   .octets_len = { 3, 0, 1 },
				   .auth_len = 32 };
	memcpy(message + first_key, &len, sizeof(len));
	return call;
}

static bool is_taken(size_t len)
{
	static struct key_sealed keys[IKE_JOB_TUNNELS];
	uint8_t *copy = malloc(len ? len : 1);
	struct ike_job job;
	bool taken;

	memcpy(copy, message, len);
	taken = key_call_parse(copy, len, &job, keys);
	free(copy);
	return taken;
}

static void jobs_are_checked(void **state)
{
	static const uint16_t wrong[] = { 39, 41, SECRET_ROOM + 1, UINT16_MAX };
	struct key_call *call = good_message();

	(void)state;
	assert_true(is_taken(MESSAGE));
	for (size_t len = 0; len < MESSAGE; len++)
		assert_false(is_taken(len));
	assert_false(is_taken(MESSAGE + 1));
#define BAD(member, bad)                                             \
	do {                                                         \
		call = good_message();                               \
		call->member = (bad);                                \
		if (is_taken(MESSAGE))                               \
			fail_msg("%s = %s is taken", #member, #bad); \
	} while (0)
	BAD(kind, IKE_JOB_PSK_SIGN); /* by two keys */
	BAD(kind, IKE_JOB_SIGN);
	BAD(kind, IKE_JOB_KINDS);
	BAD(alg, UINT16_MAX + 1);
	BAD(kind, UINT32_MAX);
	BAD(prf, UINT16_MAX + 1);
	BAD(n_keys, 0);
	BAD(n_keys, 1);
	BAD(n_keys, 3);
	BAD(n_keys, IKE_JOB_TUNNELS + 1);
	BAD(n_keys, UINT32_MAX);
	BAD(octets_len[0], 2);
	BAD(octets_len[1], UINT32_MAX);
	BAD(octets_len[2], WIRE_OCTETS + 1);
	BAD(auth_len, 31);
	BAD(auth_len, WIRE_AUTH + 1);
	BAD(auth_len, UINT32_MAX);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		good_message();
		memcpy(message + first_key, &wrong[i], sizeof(wrong[i]));
		assert_false(is_taken(MESSAGE));
	}
}

static void results_are_checked(void **state)
{
	struct ike_job_result r = { .id = 1 };

	(void)state;
	assert_true(key_result_is_good(&r, sizeof(r)));
	for (size_t len = 0; len <= sizeof(r) + 1; len++)
		assert_int_equal(key_result_is_good(&r, len), len == sizeof(r));
	r.error = 1;
	assert_false(key_result_is_good(&r, sizeof(r)));
	r.error = INT32_MIN;
	assert_false(key_result_is_good(&r, sizeof(r)));
	r.error = -EIO;
	r.auth_len = IKE_MAX_SIGNATURE;
	assert_true(key_result_is_good(&r, sizeof(r)));
	r.auth_len++;
	assert_false(key_result_is_good(&r, sizeof(r)));
	r.auth_len = 0;
	r.eap_len = IKE_JOB_EAP;
	assert_true(key_result_is_good(&r, sizeof(r)));
	r.eap_len++;
	assert_false(key_result_is_good(&r, sizeof(r)));
	r.eap_len = 0;
	r.verdict[IKE_JOB_TUNNELS - 1] = IKE_JOB_PROVEN + 1;
	assert_false(key_result_is_good(&r, sizeof(r)));
}

/* ---- the keys process ---------------------------------------------------------------------------- */

typedef void (*serve_fn)(int fd);

/* What each process that is started does; the last one is for all that follow. */
static serve_fn serves[4];
static unsigned int n_started, n_killed;
static pid_t process;
static int no_more; /* a negative errno: none can be started */

/* These two take the place of the real ones. */
int spawn_begin(struct spawn *s)
{
	unsigned int at = n_started < 3 ? n_started : 3;
	int fds[2];

	(void)s;
	if (no_more)
		return no_more;
	n_started++;
	while (at && !serves[at])
		at--;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(wire_make_room(fds[0], KEY_CALL_MAX), 0);
	process = fork();
	if (!process) {
		close(fds[0]);
		serves[at](fds[1]);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

void spawn_kill(struct spawn *s)
{
	(void)s;
	n_killed++;
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

static void is_honest(int fd)
{
	key_serve(fd, seal.wrapping);
}

static void of_another_seal(int fd)
{
	key_serve(fd, another.wrapping);
}

static void is_silent(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

static uint8_t heard[KEY_CALL_MAX];

/* The number of the next job. */
static uint64_t hear(int fd)
{
	struct key_call call;
	size_t len;

	if (key_get(fd, heard, sizeof(heard), &len, true) != WIRE_OK || len < sizeof(call))
		_exit(0);
	memcpy(&call, heard, sizeof(call));
	return call.number;
}

static void say(int fd, const void *data, size_t len)
{
	const struct iovec part = { (void *)data, len };

	key_put(fd, &part, 1, true);
}

static void answer(int fd, uint64_t number)
{
	const struct ike_job_result r = { .id = number, .auth = { 0xaa } };

	say(fd, &r, sizeof(r));
}

/* It ends with jobs that it has not read; the kernel tells of that before it tells what it said. */
static void has_last_words(int fd)
{
	answer(fd, hear(fd));
	answer(fd, hear(fd));
}

static void ends(int fd)
{
	hear(fd);
}

static void ends_unasked(int fd)
{
	(void)fd;
}

static void says_too_little(int fd)
{
	hear(fd);
	say(fd, "hello", 5);
}

static void says_too_much(int fd)
{
	static const uint8_t much[sizeof(struct ike_job_result) + 1] = { 1 };

	hear(fd);
	say(fd, much, sizeof(much));
	pause();
}

static void answers_another_job(int fd)
{
	answer(fd, hear(fd) + 1);
	pause();
}

static void answers_unasked(int fd)
{
	answer(fd, 1);
	pause();
}

static void answers_twice(int fd)
{
	uint64_t number = hear(fd);

	answer(fd, number);
	answer(fd, number);
	pause();
}

static void invents_a_verdict(int fd)
{
	struct ike_job_result r = { .id = hear(fd), .verdict = { IKE_JOB_PROVEN + 1 } };

	say(fd, &r, sizeof(r));
	pause();
}

/* ---- the agent ---------------------------------------------------------------------------------------- */

static const struct ike_iov octets[IKE_JOB_OCTETS] = { { "message", 7 }, { "nonce", 5 } };

struct world {
	struct event_base *base;
	struct key_proc *k;
	struct config conf[3]; /* t0 and t1 have different keys, t2 has none */
	uint64_t done, failed; /* results so far */
	uint64_t last; /* id of the result */
	bool in_order;
};

static const uint8_t *find(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	struct world *w = ctx;
	struct config *c = &w->conf[job->tunnels[i][1] - '0'];

	*len = job->kind == IKE_JOB_SIGN ? c->n_private : c->psk_len;
	return job->kind == IKE_JOB_SIGN ? c->private_key : c->psk;
}

static void on_changed(void *ctx)
{
	(void)ctx;
}

static struct world *begin(serve_fn first, serve_fn then)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct key_proc_events events = { find, on_changed, w };

	log_open(IKE_LOG_ERROR, false);
	n_started = n_killed = 0;
	no_more = 0;
	memset(serves, 0, sizeof(serves));
	serves[0] = first;
	serves[1] = then;
	config_of(&w->conf[0], 'a', 32);
	config_of(&w->conf[1], 'b', SECRET_MAX);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(seal_config(&seal, &w->conf[i]), 0);
	w->base = event_base_new();
	w->in_order = true;
	w->k = key_proc_new(w->base, NULL, &events);
	assert_non_null(w->k);
	return w;
}

static void end(struct world *w)
{
	key_proc_free(w->k);
	event_base_free(w->base);
	free(w);
	kill(process, SIGKILL);
	while (wait(NULL) > 0)
		;
}

static int sign(struct world *w, uint64_t id, const char tunnel[IKE_JOB_NAME])
{
	static const struct ike_id peer = { .type = IKE_ID_FQDN };
	const struct ike_job job = {
		.id = id,
		.kind = IKE_JOB_PSK_SIGN,
		.n_tunnels = 1,
		.tunnels = (const char(*)[IKE_JOB_NAME])tunnel,
		.peer = &peer,
		.prf = IKE_PRF_HMAC_SHA2_256,
		.octets = { octets[0], octets[1] },
	};

	return key_proc_begin(w->k, &job);
}

static const char t0[IKE_JOB_NAME] = "t0", t1[IKE_JOB_NAME] = "t1", t2[IKE_JOB_NAME] = "t2";

/* Wait for the next result. */
static struct ike_job_result next(struct world *w)
{
	struct ike_job_result r;

	while (!key_proc_take(w->k, &r))
		assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
	w->done++;
	w->failed += r.error != 0;
	w->in_order &= r.id > w->last;
	w->last = r.id;
	return r;
}

static void is_signed_by(const struct ike_job_result *r, uint8_t octet, size_t len)
{
	uint8_t key[SECRET_MAX], auth[IKE_MAX_PRF];

	memset(key, octet, len);
	assert_int_equal(
		ike_psk_sign(IKE_PRF_HMAC_SHA2_256, key, len, octets, IKE_JOB_OCTETS, auth), 0);
	assert_int_equal(r->error, 0);
	assert_memory_equal(r->auth, auth, 32);
}

static void signs(void **state)
{
	struct world *w = begin(is_honest, NULL);
	struct ike_job_result r;

	(void)state;
	assert_int_equal(sign(w, 70, t0), 0);
	r = next(w);
	assert_int_equal(r.id, 70);
	is_signed_by(&r, 'a', 32);
	assert_int_equal(sign(w, 71, t1), 0);
	r = next(w);
	is_signed_by(&r, 'b', SECRET_MAX);
	assert_int_equal(sign(w, 72, t2), 0);
	r = next(w);
	assert_int_equal(r.error, -ENOENT);
	end(w);
}

/* What IKE signs: an IKE_SA_INIT message of that length, a nonce and the output of a PRF. */
struct signed_octets {
	uint8_t message[400], nonce[IKE_MAX_NONCE + 1], last[4 * IKE_MAX_PRF];
};

static void set_octets(struct ike_job *job, struct signed_octets *o, size_t len)
{
	memset(o, 0, sizeof(*o));
	o->message[0] = 0xa1; /* a SPI, … */
	o->message[17] = 0x20; /* … version and exchange … */
	o->message[18] = 34;
	o->message[26] = (uint8_t)(len >> 8); /* … and length */
	o->message[27] = (uint8_t)len;
	job->prf = IKE_PRF_HMAC_SHA2_256;
	job->octets[0] = (struct ike_iov){ o->message, len };
	job->octets[1] = (struct ike_iov){ o->nonce, 32 };
	job->octets[2] = (struct ike_iov){ o->last, 32 };
}

static const uint8_t ed25519_seed[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };

static const uint8_t *ed25519_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	static uint8_t key[sizeof(ed25519_seed) + 32];

	(void)ctx;
	(void)job;
	(void)i;
	memcpy(key, ed25519_seed, sizeof(ed25519_seed));
	*len = sizeof(key);
	return key;
}

/* 0, or a negative errno. */
static int sign_result(const struct ike_job *job)
{
	static struct ike_job_result r;

	ike_job_do(job, ed25519_key, NULL, &r);
	if (r.error)
		assert_int_equal(r.auth_len, 0);
	return r.error;
}

static struct ike_job private_job(void)
{
	static const struct ike_id peer = { .type = IKE_ID_FQDN };
	struct ike_job job = { .id = 1,
			       .kind = IKE_JOB_SIGN,
			       .n_tunnels = 1,
			       .tunnels = (const char(*)[IKE_JOB_NAME])t0,
			       .peer = &peer };
	const struct sigalg *alg;

	while ((alg = sigalg_get(job.alg)) && alg->scheme.key != IKE_KEY_ED25519)
		job.alg++;
	return job;
}

/*
 * Whoever got into the process that speaks IKE has nothing signed but what IKE signs: no part of it is
 * missing, longer or shorter, or else.
 */
static void a_private_key_signs_for_ike_alone(void **state)
{
	struct ike_job job = private_job();
	struct signed_octets o;

	(void)state;
	for (size_t len = 28; len <= sizeof(o.message); len++) {
		set_octets(&job, &o, len);
		assert_int_equal(sign_result(&job), 0);
	}
#define WRONG(what)                                  \
	do {                                         \
		set_octets(&job, &o, 300);           \
		what;                                \
		if (sign_result(&job) != -EPERM)     \
			fail_msg("%s signs", #what); \
	} while (0)
	WRONG(o.message[17] = 0x10);
	WRONG(o.message[17] = 0x21);
	WRONG(o.message[18] = 35);
	WRONG(o.message[23] = 1);
	WRONG(o.message[27]++);
	WRONG(o.message[24] = 1);
	WRONG(job.octets[0].len = 27);
	WRONG(job.octets[0].len = 0);
	WRONG((job.octets[0] = (struct ike_iov){ NULL, 0 }));
	WRONG(job.octets[1].len = 15);
	WRONG(job.octets[1].len = IKE_MAX_NONCE + 1);
	WRONG(job.octets[2].len = 0);
	WRONG(job.octets[2].len = 31);
	WRONG(job.octets[2].len = 33);
	WRONG(job.octets[2].len = 96);
	WRONG(job.octets[2].len = 104);
	WRONG(job.prf = IKE_PRF_HMAC_SHA2_512);
	WRONG(job.prf = 0);
	/* The marker of UDP is no part of it. */
	WRONG(memmove(o.message + 4, o.message, 300); memset(o.message, 0, 4));
	set_octets(&job, &o, 300);
	job.octets[1].len = IKE_MIN_NONCE;
	assert_int_equal(sign_result(&job), 0);
	job.octets[1].len = IKE_MAX_NONCE;
	assert_int_equal(sign_result(&job), 0);
	job.octets[2].len = 100; /* with IntAuth */
	assert_int_equal(sign_result(&job), 0);
}

/* The SPI of who began is the attacker's to choose: what is signed is whole in another protocol, too. */
static void nothing_of_two_meanings_is_signed(void **state)
{
	static const struct {
		uint8_t spi[17];
		int error;
		uint8_t end;
	} t[] = {
		/* 364 octets: a SEQUENCE of that length, one less or more, and a SET */
		{ { 0x30, 0x82, 0x01, 0x68, 0xa0, 3, 2, 1 }, -EPERM, 1 },
		{ { 0x30, 0x82, 0x01, 0x67, 0xa0, 3, 2, 1 }, 0, 1 },
		{ { 0x30, 0x82, 0x01, 0x69, 0xa0, 3, 2, 1 }, 0, 1 },
		{ { 0x31, 0x82, 0x01, 0x68, 0xa0, 3, 2, 1 }, -EPERM, 1 },
		{ { 0x32, 0x82, 0x01, 0x68, 0xa0, 3, 2, 1 }, 0, 1 },
		/* longer lengths than needed, and the indefinite one, as BER has them */
		{ { 0x30, 0x84, 0, 0, 0x01, 0x66 }, -EPERM, 1 },
		{ { 0x30, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x60 }, -EPERM, 1 },
		{ { 0x30, 0x80 }, -EPERM, 0 },
		{ { 0x30, 0x80 }, 0, 1 },
		{ { 0x30, 0xff }, 0, 1 },
		{ { 0x30, 0x03 }, 0, 1 },
		/* ClientHello of TLS and DTLS */
		{ { 1, 0, 1, 0x68, 3, 3 }, -EPERM, 1 },
		{ { 1, 0, 1, 0x60, 0, 1, 0, 0, 0 }, -EPERM, 1 },
		{ { 1, 1, 1, 0x68, 3, 3 }, 0, 1 },
		{ { 1, 0, 1, 0x68, 9, 3, 7 }, 0, 1 },
	};
	struct ike_job job = private_job();
	struct signed_octets o;

	(void)state;
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		set_octets(&job, &o, 300);
		memcpy(o.message, t[i].spi, sizeof(t[i].spi));
		o.last[31] = t[i].end;
		if (sign_result(&job) != t[i].error)
			fail_msg("row %u", i);
	}
}

/* The longest private key that is taken; and what is sealed is not the key. */
static void signs_with_a_private_key(void **state)
{
	const struct ike_scheme scheme = { IKE_KEY_ED25519, NULL, false, false };
	struct world *w = begin(is_honest, NULL);
	struct ike_job job = private_job();
	struct signed_octets o;
	struct config *c = &w->conf[0];
	uint8_t want[IKE_MAX_SIGNATURE];
	struct ike_job_result r;
	size_t len;

	(void)state;
	set_octets(&job, &o, 300);
	c->n_private = sizeof(ed25519_seed) + 32;
	c->private_key = calloc(1, c->n_private);
	memcpy(c->private_key, ed25519_seed, sizeof(ed25519_seed));
	assert_int_equal(ike_sign(&scheme, c->private_key, c->n_private, job.octets, IKE_JOB_OCTETS,
				  want, &len),
			 0);
	c->psk_len = 0;
	assert_int_equal(seal_config(&seal, c), 0);
	assert_null(memmem(c->private_key, c->n_private, ed25519_seed, 8));
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	r = next(w);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.auth_len, len);
	assert_memory_equal(r.auth, want, len);
	/* Another key kind's algorithm, none at all, and no key. */
	job.id = 2;
	job.alg = 0;
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	assert_int_equal(next(w).error, -EINVAL);
	job.id = 3;
	job.alg = UINT16_MAX;
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	assert_int_equal(next(w).error, -EINVAL);
	job.id = 4;
	job.tunnels = (const char(*)[IKE_JOB_NAME])t2;
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	assert_int_equal(next(w).error, -ENOENT);
	free(c->private_key);
	c->private_key = NULL;
	end(w);
}

static void signs_many(void **state)
{
	struct world *w = begin(is_honest, NULL);

	(void)state;
	for (uint64_t id = 1; id <= IKE_JOBS; id++)
		assert_int_equal(sign(w, id, id % 2 ? t0 : t1), 0);
	assert_int_equal(sign(w, 5000, t0), -EBUSY);
	while (w->done < IKE_JOBS) {
		struct ike_job_result r = next(w);

		if (r.id % 2)
			is_signed_by(&r, 'a', 32);
		else
			is_signed_by(&r, 'b', SECRET_MAX);
	}
	assert_true(w->in_order);
	assert_int_equal(sign(w, 5000, t0), 0);
	next(w);
	end(w);
}

/* As long as a job can be: the longest keys of as many tunnels, and the longest octets. */
static void verifies_the_longest(void **state)
{
	static char names[IKE_JOB_TUNNELS][IKE_JOB_NAME];
	static const struct ike_id peer = { .type = IKE_ID_FQDN };
	static uint8_t much[WIRE_OCTETS], auth[WIRE_AUTH];
	const struct ike_iov long_ones[] = { { much, WIRE_OCTETS },
					     { much, WIRE_OCTETS },
					     { much, WIRE_OCTETS } };
	struct world *w = begin(is_honest, NULL);
	struct ike_job job = {
		.id = 1,
		.kind = IKE_JOB_PSK_VERIFY,
		.n_tunnels = IKE_JOB_TUNNELS,
		.tunnels = (const char(*)[IKE_JOB_NAME])names,
		.peer = &peer,
		.prf = IKE_PRF_HMAC_SHA2_256,
		.octets = { long_ones[0], long_ones[1], long_ones[2] },
		.auth = { auth, 32 },
	};
	struct ike_job_result r;
	uint8_t key[SECRET_MAX];

	(void)state;
	memset(key, 'b', sizeof(key));
	memset(much, 'x', sizeof(much));
	assert_int_equal(ike_psk_sign(job.prf, key, sizeof(key), long_ones, IKE_JOB_OCTETS, auth),
			 0);
	for (unsigned int i = 0; i < IKE_JOB_TUNNELS; i++)
		memcpy(names[i], t1, sizeof(names[i]));
	memcpy(names[500], t0, sizeof(t0));
	memcpy(names[501], t2, sizeof(t2));
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	r = next(w);
	assert_int_equal(r.error, 0);
	for (unsigned int i = 0; i < IKE_JOB_TUNNELS; i++)
		assert_int_equal(r.verdict[i], i == 500	  ? IKE_JOB_REFUTED
					       : i == 501 ? IKE_JOB_NO_KEY
							  : IKE_JOB_PROVEN);
	job.auth.len = WIRE_AUTH;
	assert_int_equal(key_proc_begin(w->k, &job), 0);
	r = next(w);
	assert_int_equal(r.verdict[0], IKE_JOB_REFUTED);
	assert_int_equal(r.verdict[501], IKE_JOB_NO_KEY);
	end(w);
}

static void knows_its_seal(void **state)
{
	struct world *w = begin(of_another_seal, NULL);
	struct ike_job_result r;

	(void)state;
	sign(w, 1, t0);
	r = next(w);
	assert_int_equal(r.error, -EKEYREJECTED);
	assert_int_equal(n_started, 1);
	end(w);
}

/* It ended after two results, and both count; the other jobs are done by the next one. */
static void last_words_count(void **state)
{
	for (unsigned int round = 0; round < 20; round++) {
		struct world *w = begin(has_last_words, is_honest);
		unsigned int of_first = 0;

		(void)state;
		for (uint64_t id = 1; id <= 20; id++)
			assert_int_equal(sign(w, id, t0), 0);
		while (w->done < 20) {
			struct ike_job_result r = next(w);

			of_first += r.auth[0] == 0xaa;
			if (r.auth[0] != 0xaa)
				is_signed_by(&r, 'a', 32);
		}
		assert_int_equal(of_first, 2);
		assert_true(w->in_order);
		assert_int_equal(n_started, 2);
		end(w);
	}
}

/* What makes no sense is no result, and its process is killed. */
static void nonsense_ends_it(void **state)
{
	static const serve_fn fns[] = { says_too_little,
					says_too_much,
					answers_another_job,
					answers_twice,
					answers_unasked,
					invents_a_verdict,
					ends,
					ends_unasked };

	(void)state;
	for (unsigned int i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		struct world *w = begin(fns[i], is_honest);
		bool unasked = fns[i] == answers_unasked || fns[i] == ends_unasked;
		struct ike_job_result r;

		while (unasked && n_started < 2)
			event_base_loop(w->base, EVLOOP_ONCE);
		for (uint64_t id = 1; id <= 3; id++)
			sign(w, id, t0);
		while (w->done < 3) {
			r = next(w);
			if (fns[i] != answers_twice || r.id > 1)
				is_signed_by(&r, 'a', 32);
		}
		assert_int_equal(n_started, 2);
		assert_int_equal(n_killed, 1);
		end(w);
	}
}

static void silent_one_is_replaced(void **state)
{
	struct world *w = begin(is_silent, is_honest);
	uint64_t began = loop_awake();
	struct ike_job_result r;

	(void)state;
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	sign(w, 1, t0);
	sign(w, 2, t1);
	r = next(w);
	is_signed_by(&r, 'a', 32);
	r = next(w);
	is_signed_by(&r, 'b', SECRET_MAX);
	/* Before the core gives a job up, after 10 s. */
	assert_in_range(loop_awake() - began, 2900, 5000);
	assert_int_equal(n_killed, 1);
	end(w);
}

/* Who has nothing to do is not silent, and nobody wakes for it. */
static void idle_one_stays(void **state)
{
	struct world *w = begin(is_honest, is_silent);
	const struct timeval wait = { .tv_sec = 4 };

	(void)state;
	sign(w, 1, t0);
	next(w);
	event_base_loopexit(w->base, &wait);
	event_base_dispatch(w->base);
	sign(w, 2, t0);
	next(w);
	assert_int_equal(n_started, 1);
	end(w);
}

/* The job over which one after another ends is given up; the waits between them grow. */
static void one_job_is_to_blame(void **state)
{
	struct world *w = begin(ends, ends);
	uint64_t began = loop_now();
	struct ike_job_result r;

	(void)state;
	serves[2] = ends;
	serves[3] = is_honest;
	sign(w, 1, t0);
	sign(w, 2, t0);
	r = next(w);
	assert_int_equal(r.id, 1);
	assert_int_equal(r.error, -EIO);
	assert_in_range(loop_now() - began, 900, 2500);
	r = next(w);
	assert_int_equal(r.id, 2);
	is_signed_by(&r, 'a', 32);
	assert_in_range(loop_now() - began, 2900, 6000);
	assert_int_equal(n_started, 4);
	end(w);
}

static void other_keys_count(void **state)
{
	struct world *w = begin(is_honest, NULL);
	struct ike_job_result r;

	(void)state;
	for (uint64_t id = 1; id <= 200; id++) /* more than are sent at once */
		sign(w, id, t0);
	while (!key_proc_has_result(w->k))
		event_base_loop(w->base, EVLOOP_ONCE);
	w->conf[0] = w->conf[1];
	key_proc_again(w->k);
	while (w->done < 200) {
		r = next(w);
		is_signed_by(&r, 'b', SECRET_MAX);
	}
	assert_true(w->in_order);
	/* And nobody hears of those that were dropped, whenever they are done. */
	for (uint64_t id = 201; id <= 400; id++)
		sign(w, id, t0);
	key_proc_drop(w->k);
	sign(w, 1000, t0);
	r = next(w);
	assert_int_equal(r.id, 1000);
	assert_int_equal(n_started, 1);
	end(w);
}

static void without_its_parent(void **state)
{
	struct world *w = begin(ends_unasked, NULL);

	(void)state;
	no_more = -EPIPE;
	assert_false(key_proc_failed(w->k));
	while (!key_proc_failed(w->k))
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(sign(w, 1, t0), 0); /* for nobody */
	key_proc_again(w->k);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_keys),
		cmocka_unit_test(refuses_what_was_changed),
		cmocka_unit_test(jobs_are_checked),
		cmocka_unit_test(results_are_checked),
		cmocka_unit_test(signs),
		cmocka_unit_test(a_private_key_signs_for_ike_alone),
		cmocka_unit_test(nothing_of_two_meanings_is_signed),
		cmocka_unit_test(signs_with_a_private_key),
		cmocka_unit_test(signs_many),
		cmocka_unit_test(verifies_the_longest),
		cmocka_unit_test(knows_its_seal),
		cmocka_unit_test(last_words_count),
		cmocka_unit_test(nonsense_ends_it),
		cmocka_unit_test(silent_one_is_replaced),
		cmocka_unit_test(idle_one_stays),
		cmocka_unit_test(one_job_is_to_blame),
		cmocka_unit_test(other_keys_count),
		cmocka_unit_test(without_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
