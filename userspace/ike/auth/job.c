// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job.h"

#include <errno.h>

#include "ike/auth/job_eap.h"
#include "ike/auth/job_radius.h"
#include "ike/auth/psk.h"
#include "ike/auth/sigalg.h"
#include "ike/proto/msg.h"

enum {
	INTAUTH_ID_LEN = 4
}; /* of IntAuth: two outputs of the PRF, and the ID of IKE_AUTH (RFC 9242) */

_Static_assert((int)IKE_MAX_SIGNATURE >= (int)IKE_JOB_PPK_KEYS * (int)IKE_MAX_PRF &&
		       (int)IKE_JOB_PPK_KEYS == (int)IKE_JOB_OCTETS,
	       "a result holds each kind");

/* The AUTH value by the PSK of one tunnel; false if it has none, when @out is not one either. */
static bool sign_by_psk(const struct ike_job *job, unsigned int i, ike_job_find_key find, void *ctx,
			uint8_t *out, int *error)
{
	static const uint8_t no_key[32];
	size_t len = 0;
	const uint8_t *key = find(ctx, job, i, &len);
	bool have = key && len;

	if (ike_psk_sign(job->prf, have ? key : no_key, have ? len : sizeof(no_key), job->octets,
			 IKE_JOB_OCTETS, out))
		*error = -EINVAL;
	return have;
}

static uint8_t verify_psk(const struct ike_job *job, unsigned int i, ike_job_find_key find,
			  void *ctx, int *error)
{
	uint8_t expected[IKE_MAX_PRF] = { 0 };
	bool have = sign_by_psk(job, i, find, ctx, expected, error);
	bool equal = job->auth.len == ike_prf_len(job->prf) &&
		     ike_equal(expected, job->auth.base, job->auth.len);

	ike_wipe(expected, sizeof(expected));
	if (!have)
		return IKE_JOB_NO_KEY;
	return equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
}

static void do_psk_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
			struct ike_job_result *out)
{
	out->auth_len = (uint32_t)ike_prf_len(job->prf);
	if (!sign_by_psk(job, 0, find, ctx, out->auth, &out->error))
		out->error = -ENOENT;
}

static void do_psk_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out)
{
	for (unsigned int i = 0; i < job->n_tunnels; i++)
		out->verdict[i] = verify_psk(job, i, find, ctx, &out->error);
}

/* ---- what a private key signs -------------------------------------------------------------- */

/* Our IKE_SA_INIT message, a request or a response, without the marker of UDP (RFC 7296 3.1). */
static bool is_sa_init(const struct ike_iov *message)
{
	struct ike_header h;

	return message->base && !ike_header_parse(message->base, message->len, &h) &&
	       h.version == 0x20 && h.exchange == IKE_SA_INIT && !h.id;
}

/*
 * Do @len octets, the first ones a header of IKE at @at, read as one SEQUENCE or SET, as certificates and CMS
 * sign them? The header begins with the SPI of who began, so that it can be made to; one that is random
 * does once in 2^31 times. Lengths are taken as BER has them, for who verifies may do so, too. @end: the
 * last two octets.
 */
static bool is_whole_asn1(const uint8_t *at, size_t len, const uint8_t *end)
{
	size_t n = at[1] & 0x7f, value = 0;

	if (at[0] != 0x30 && at[0] != 0x31)
		return false;
	if (!(at[1] & 0x80))
		return len == 2 + n;
	if (!n)
		return !end[0] && !end[1]; /* of indefinite length */
	/* The header's version is not 0, so that this ends within the header. */
	for (size_t i = 0; i < n && value <= len; i++)
		value = value << 8 | at[2 + i];
	return len == 2 + n + value;
}

/* Do they read as a ClientHello of TLS 1.2 or DTLS 1.2, from which on a client signs all (RFC 5246 7.4.8)? */
static bool is_client_hello(const uint8_t *at)
{
	return at[0] == 1 && !at[1] && (at[4] == 3 || (!at[4] && !at[6] && !at[7]));
}

/*
 * Is @job about what IKE signs, and nothing else does: message | nonce | prf(SK_p, ID), and IntAuth or none?
 * Who asks for it may be in an attacker's hand, and certificates' keys are used elsewhere, too.
 */
static bool is_of_ike(const struct ike_job *job)
{
	const struct ike_iov *message = &job->octets[0], *nonce = &job->octets[1];
	const struct ike_iov *last = &job->octets[2];
	size_t prf = ike_prf_len(job->prf);

	return is_sa_init(message) && nonce->len >= IKE_MIN_NONCE && nonce->len <= IKE_MAX_NONCE &&
	       prf && (last->len == prf || last->len == 3 * prf + INTAUTH_ID_LEN) &&
	       !is_client_hello(message->base) &&
	       !is_whole_asn1(message->base, message->len + nonce->len + last->len,
			      (const uint8_t *)last->base + last->len - 2);
}

static void do_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
		    struct ike_job_result *out)
{
	const struct sigalg *alg = sigalg_get(job->alg);
	size_t key_len = 0, len = 0;
	const uint8_t *key = find(ctx, job, 0, &key_len);

	if (!key || !key_len)
		out->error = -ENOENT;
	else if (!is_of_ike(job))
		out->error = -EPERM;
	else if (!alg ||
		 ike_sign(&alg->scheme, key, key_len, job->octets, IKE_JOB_OCTETS, out->auth, &len))
		out->error = -EINVAL;
	out->auth_len = (uint32_t)len;
}

/*
 * SK_d, SK_pi, SK_pr = prf+(PPK, the same without PPK) (RFC 8784 3). They have the PRF's length, so that no more
 * than prf(PPK, x | 1) is computed: should the PPK be a PSK, too, that is never prf(PSK, "Key Pad for IKEv2").
 */
static void do_ppk(const struct ike_job *job, ike_job_find_key find, void *ctx,
		   struct ike_job_result *out)
{
	size_t key_len = 0, len = ike_prf_len(job->prf);
	const uint8_t *key = find(ctx, job, 0, &key_len);

	if (!key || !key_len)
		out->error = -ENOENT;
	for (unsigned int i = 0; i < IKE_JOB_PPK_KEYS && !out->error; i++) {
		if (!len || job->octets[i].len != len)
			out->error = -EPERM;
		else if (ike_prf_plus(job->prf, key, key_len, &job->octets[i], 1,
				      out->auth + i * len, len))
			out->error = -EINVAL;
	}
	out->auth_len = (uint32_t)(IKE_JOB_PPK_KEYS * len);
}

void ike_job_do(const struct ike_job *job, ike_job_find_key find, void *ctx,
		struct ike_job_result *out)
{
	static void (*const kinds[IKE_JOB_KINDS])(const struct ike_job *, ike_job_find_key, void *,
						  struct ike_job_result *) = {
		[IKE_JOB_PSK_SIGN] = do_psk_sign,
		[IKE_JOB_PSK_VERIFY] = do_psk_verify,
		[IKE_JOB_SIGN] = do_sign,
		[IKE_JOB_PPK] = do_ppk,
		[IKE_JOB_MSCHAPV2_VERIFY] = job_mschapv2_verify,
		[IKE_JOB_MSCHAPV2_RESPOND] = job_mschapv2_respond,
		[IKE_JOB_MSCHAPV2_CONFIRM] = job_mschapv2_confirm,
		[IKE_JOB_MD5_VERIFY] = job_md5_verify,
		[IKE_JOB_MD5_RESPOND] = job_md5_respond,
		[IKE_JOB_RADIUS_SIGN] = job_radius_sign,
		[IKE_JOB_RADIUS_CHECK] = job_radius_check,
	};

	*out = (struct ike_job_result){ .id = job->id };
	if (!job->n_tunnels || job->n_tunnels > IKE_JOB_TUNNELS)
		out->error = -EINVAL;
	else if (!kinds[job->kind]) /* IKE_JOB_RADIUS and IKE_JOB_FETCH take no key; IKE_JOB_TLS is more than one job */
		out->error = -ENOTSUP;
	else
		kinds[job->kind](job, find, ctx, out);
	if (!out->error)
		return;
	out->auth_len = 0;
	ike_wipe(out->auth, sizeof(out->auth));
}
