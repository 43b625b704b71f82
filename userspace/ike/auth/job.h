/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: what the core leaves to whoever has the keys. The core begins one, goes on with other
 * things, and hears of the result as an event, so that the keys may be in another process.
 */
#ifndef ESPTUN_IKE_JOB_H
#define ESPTUN_IKE_JOB_H

#include <stdint.h>

#include "ike/crypto/sign.h"
#include "ike/proto/ikev2.h"

enum ike_job_limits {
	IKE_JOB_TUNNELS = 1024, /* whose keys one job tries */
	IKE_JOB_OCTETS = 3, /* parts of what is signed */
	IKE_JOB_NAME = 16, /* bytes of a tunnel's name, with the NUL */
	IKE_JOBS = 1024, /* that the core has under way at a time */
	IKE_JOB_EAP =
		2048, /* bytes of an EAP packet of a RADIUS server, or what a step of TLS gives */
	IKE_JOB_TALK = 8, /* bytes of what a conversation with one is known by */
};

enum ike_job_kind {
	IKE_JOB_PSK_SIGN, /* compute an AUTH value with the key of the one tunnel */
	IKE_JOB_PSK_VERIFY, /* which of the tunnels have the key that the peer's AUTH value is made with? */
	IKE_JOB_SIGN, /* sign with the private key of the one tunnel */
	IKE_JOB_PPK, /* mix keys of an IKE SA with the PPK of the one tunnel (RFC 8784); auth: with that of its client, by this name */
	/*
	 * EAP-MSCHAPv2 (auth/mschapv2.h). octets: the server's challenge, what the client sent, the user's name
	 * without domain. Nothing comes out that a run of EAP with the other end would not show, or make of the
	 * right password.
	 */
	IKE_JOB_MSCHAPV2_VERIFY, /* server, [1] the client's challenge, auth its response: verdict; proven: the server's proof and the key */
	IKE_JOB_MSCHAPV2_RESPOND, /* client, [1] empty: a challenge, which is made here so that nobody chooses it, and the response */
	IKE_JOB_MSCHAPV2_CONFIRM, /* client, [1] both of them, auth the server's proof: verdict; proven: the key */
	/* EAP-MD5. octets: identifier, challenge. */
	IKE_JOB_MD5_VERIFY, /* server, auth: the client's response: verdict */
	IKE_JOB_MD5_RESPOND, /* client: the response */
	/*
	 * EAP of a RADIUS server, which the agent asks. octets: the user's name, the peer's packet, what the conversation
	 * is known by (IKE_JOB_TALK random bytes). Result: eap; proven: the server accepts the user, auth: the MSK if it gave
	 * one. Refuted: eap is a Request, to go on with, or the server refuses.
	 */
	IKE_JOB_RADIUS,
	/*
	 * octets: an address, the OCSP request that is sent there, or none for a CRL. The agent has it fetched; what
	 * came is told by ike_core_fetched() before the result, which says nothing.
	 */
	IKE_JOB_FETCH,
	/* One step of TLS with our private key, for EAP-TLS: see job_tls.h, which alone does it. */
	IKE_JOB_TLS,
	IKE_JOBS_OF_CORE, /* the others are the agent's own */
	/* alg: which server's secret. [0] a request; result: auth is what radius_sign() says. */
	IKE_JOB_RADIUS_SIGN = IKE_JOBS_OF_CORE,
	/* The same. [0] the request's authenticator, [1] an answer; result: auth, an enum radius_fault, then the MSK if there is one. */
	IKE_JOB_RADIUS_CHECK,
	IKE_JOB_KINDS,
};

enum { IKE_JOB_PPK_KEYS = 3 }; /* SK_d, SK_pi, SK_pr */

/* A user's secret, as a key of these jobs: this byte, then the password in UTF-8 or the hash of it. */
enum ike_job_secret {
	IKE_SECRET_PASSWORD = 'p',
	IKE_SECRET_NT_HASH = 'n', /* for MSCHAPv2 alone */
};

/*
 * What is signed: the parts of message | nonce | prf(SK_p, ID) of RFC 7296 2.15; with the last one comes
 * IntAuth, if there is any (RFC 9242 3.3.1). A private key signs nothing that is not of that form, or else
 * the error is -EPERM.
 *
 * Of IKE_JOB_PPK they are SK_d, SK_pi and SK_pr instead, each of ike_prf_len() bytes, or else the error is
 * -EPERM. Who may ask for that learns prf(PPK, x | 1) for any x of that length, and nothing else of the PPK.
 */
struct ike_job {
	uint64_t id; /* the core never uses one twice */
	enum ike_job_kind kind;
	unsigned int n_tunnels; /* 1 to IKE_JOB_TUNNELS; 1 to sign */
	const char (*tunnels)[IKE_JOB_NAME];
	const struct ike_id *peer; /* each tunnel may have another key for each identity */
	uint16_t prf;
	uint16_t alg; /* of IKE_JOB_SIGN: number of its row, see sigalg.h; of IKE_JOB_TLS: enum job_tls_op */
	struct ike_iov octets[IKE_JOB_OCTETS];
	struct ike_iov auth; /* to verify: the peer's value, of any length */
};

enum ike_job_verdict {
	IKE_JOB_REFUTED,
	IKE_JOB_NO_KEY, /* the tunnel has none for the peer, or is not known */
	IKE_JOB_PROVEN,
};

struct ike_job_result {
	uint64_t id;
	int error; /* a negative errno: what follows is not valid */
	/*
	 * To sign: the value, of ike_prf_len() bytes with a PSK. Of IKE_JOB_PPK: the three mixed keys, one
	 * behind the other. Wipe it.
	 */
	uint32_t auth_len;
	uint8_t auth[IKE_MAX_SIGNATURE]; /* of EAP: see enum ike_job_kind */
	uint8_t verdict[IKE_JOB_TUNNELS]; /* to verify: enum ike_job_verdict of each tunnel */
	uint32_t eap_len; /* of IKE_JOB_RADIUS and IKE_JOB_TLS */
	uint8_t eap[IKE_JOB_EAP];
};

/*
 * The key that tunnel number @i of @job has for the peer, and its octets; NULL: it has none. It
 * stays valid until the next call.
 */
typedef const uint8_t *(*ike_job_find_key)(void *ctx, const struct ike_job *job, unsigned int i,
					   size_t *len);

/*
 * Do @job with the keys that @find has. It takes as long for a tunnel without a key as for one
 * with, and compares in constant time.
 */
void ike_job_do(const struct ike_job *job, ike_job_find_key find, void *ctx,
		struct ike_job_result *out);

#endif
