// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs of EAP's methods: what needs a user's secret. The server's jobs do the same for a user that is not known,
 * with a secret that nobody has.
 */
#include "ike/auth/job_eap.h"

#include <errno.h>
#include <string.h>

#include "ike/auth/mschapv2.h"
#include "ike/crypto/legacy.h"

/* In place of a secret that is not there. */
static const uint8_t no_secret[] = { IKE_SECRET_PASSWORD, 'n', 'o', 'b', 'o', 'd', 'y', '\'', 's' };

/* The secret with its first byte; *@have: it is one. */
static struct ike_iov find_secret(const struct ike_job *job, ike_job_find_key find, void *ctx,
				  bool *have)
{
	size_t len = 0;
	const uint8_t *key = find(ctx, job, 0, &len);

	*have = key && len > 1;
	return *have ? (struct ike_iov){ key, len }
		     : (struct ike_iov){ no_secret, sizeof(no_secret) };
}

/* ---- MSCHAPv2 ------------------------------------------------------------------------------ */

static int hash_of(const struct ike_iov *secret, uint8_t hash[MSCHAPV2_HASH])
{
	const uint8_t *s = secret->base;

	if (s[0] == IKE_SECRET_PASSWORD)
		return mschapv2_hash(s + 1, secret->len - 1, hash);
	if (s[0] != IKE_SECRET_NT_HASH || secret->len != 1 + MSCHAPV2_HASH)
		return -1;
	memcpy(hash, s + 1, MSCHAPV2_HASH);
	return 0;
}

/* @client is in job->octets[1], with the response behind it where that is ours. */
static struct mschapv2_run run_of(const struct ike_job *job, const uint8_t *client)
{
	return (struct mschapv2_run){ job->octets[0].base, client, job->octets[2] };
}

static bool has_lengths(const struct ike_job *job, size_t second, size_t auth)
{
	return job->octets[0].len == MSCHAPV2_CHALLENGE && job->octets[1].len == second &&
	       job->auth.len == auth;
}

void job_mschapv2_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
			 struct ike_job_result *out)
{
	struct mschapv2_run run = run_of(job, job->octets[1].base);
	uint8_t hash[MSCHAPV2_HASH] = { 0 }, expected[MSCHAPV2_RESPONSE];
	bool have, equal = false;
	struct ike_iov secret = find_secret(job, find, ctx, &have);

	if (!has_lengths(job, MSCHAPV2_CHALLENGE, MSCHAPV2_RESPONSE))
		out->error = -EINVAL;
	else if (hash_of(&secret, hash) || mschapv2_respond(hash, &run, expected) ||
		 mschapv2_authenticate(hash, &run, job->auth.base, out->auth) ||
		 mschapv2_msk(hash, job->auth.base, out->auth + MSCHAPV2_AUTHENTICATOR))
		out->error = -ENOTSUP;
	else
		equal = ike_equal(expected, job->auth.base, sizeof(expected));
	out->verdict[0] = !have ? IKE_JOB_NO_KEY : equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
	if (have && equal)
		out->auth_len = MSCHAPV2_AUTHENTICATOR + MSCHAPV2_MSK;
	else
		ike_wipe(out->auth, sizeof(out->auth));
	ike_wipe(hash, sizeof(hash));
	ike_wipe(expected, sizeof(expected));
}

void job_mschapv2_respond(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out)
{
	struct mschapv2_run run = run_of(job, out->auth);
	uint8_t hash[MSCHAPV2_HASH] = { 0 };
	bool have;
	struct ike_iov secret = find_secret(job, find, ctx, &have);

	ike_crypto_random(NULL, out->auth, MSCHAPV2_CHALLENGE);
	if (!have)
		out->error = -ENOENT;
	else if (!has_lengths(job, 0, 0))
		out->error = -EINVAL;
	else if (hash_of(&secret, hash) ||
		 mschapv2_respond(hash, &run, out->auth + MSCHAPV2_CHALLENGE))
		out->error = -ENOTSUP;
	out->auth_len = MSCHAPV2_ANSWER;
	ike_wipe(hash, sizeof(hash));
}

void job_mschapv2_confirm(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out)
{
	const uint8_t *answer = job->octets[1].base;
	struct mschapv2_run run = run_of(job, answer);
	uint8_t hash[MSCHAPV2_HASH] = { 0 }, expected[MSCHAPV2_AUTHENTICATOR];
	bool have, equal = false;
	struct ike_iov secret = find_secret(job, find, ctx, &have);

	if (!have)
		out->error = -ENOENT;
	else if (!has_lengths(job, MSCHAPV2_ANSWER, MSCHAPV2_AUTHENTICATOR))
		out->error = -EINVAL;
	else if (hash_of(&secret, hash) ||
		 mschapv2_authenticate(hash, &run, answer + MSCHAPV2_CHALLENGE, expected))
		out->error = -ENOTSUP;
	else
		equal = ike_equal(expected, job->auth.base, sizeof(expected));
	out->verdict[0] = equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
	if (equal && mschapv2_msk(hash, answer + MSCHAPV2_CHALLENGE, out->auth))
		out->error = -ENOTSUP;
	else if (equal)
		out->auth_len = MSCHAPV2_MSK;
	ike_wipe(hash, sizeof(hash));
	ike_wipe(expected, sizeof(expected));
}

/* ---- MD5 ------------------------------------------------------------------------------------- */

static int digest_of(const struct ike_job *job, const struct ike_iov *secret,
		     uint8_t out[IKE_MD_LEN])
{
	const struct ike_iov in[] = { job->octets[0],
				      { (const uint8_t *)secret->base + 1, secret->len - 1 },
				      job->octets[1] };

	return job->octets[0].len == 1 && job->octets[1].len ? ike_md5(in, 3, out) : -1;
}

/* Nothing but a password will do. */
static bool is_clear(const struct ike_iov *secret)
{
	return *(const uint8_t *)secret->base == IKE_SECRET_PASSWORD;
}

void job_md5_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
		    struct ike_job_result *out)
{
	uint8_t expected[IKE_MD_LEN];
	bool have, equal = false;
	struct ike_iov secret = find_secret(job, find, ctx, &have);

	have &= is_clear(&secret);
	if (job->auth.len != sizeof(expected))
		out->error = -EINVAL;
	else if (digest_of(job, &secret, expected))
		out->error = -ENOTSUP;
	else
		equal = ike_equal(expected, job->auth.base, sizeof(expected));
	out->verdict[0] = !have ? IKE_JOB_NO_KEY : equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
	ike_wipe(expected, sizeof(expected));
}

void job_md5_respond(const struct ike_job *job, ike_job_find_key find, void *ctx,
		     struct ike_job_result *out)
{
	bool have;
	struct ike_iov secret = find_secret(job, find, ctx, &have);

	if (!have || !is_clear(&secret))
		out->error = -ENOENT;
	else if (digest_of(job, &secret, out->auth))
		out->error = -ENOTSUP;
	out->auth_len = IKE_MD_LEN;
}
