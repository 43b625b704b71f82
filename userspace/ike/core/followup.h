/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The additional key exchanges behind a CREATE_CHILD_SA exchange (RFC 9370 2.2.4): what both ends keep
 * from it until the last IKE_FOLLOWUP_KE exchange, when the SA can be made. Pure. Of which SA they
 * are, and what else is kept of that, is for the exchanges to know.
 */
#ifndef ESPTUN_IKE_FOLLOWUP_H
#define ESPTUN_IKE_FOLLOWUP_H

#include "ike/core/keys.h"

enum {
	FOLLOWUP_BLOB =
		IKE_SPI_LEN + 1, /* bytes by which a responder finds its state again, at most */
	FOLLOWUP_BLOB_MAX = 255, /* the same of another implementation */
};

struct followup {
	struct ike_addke addke;
	unsigned int done; /* of these */
	struct ike_secret secret[1 + IKE_MAX_ADDKE]; /* that of CREATE_CHILD_SA, then of these */
	struct ike_nonces nonces; /* of CREATE_CHILD_SA; they point to: */
	uint8_t nonce_i[IKE_MAX_NONCE], nonce_r[IKE_MAX_NONCE];
	/* Initiator: */
	struct ike_kex *kex; /* ours of the exchange that is out */
	uint8_t blob[FOLLOWUP_BLOB_MAX]; /* the responder's, which the next request gives back */
	size_t blob_len;
};

/* After a CREATE_CHILD_SA exchange with these nonces and this secret. NULL without memory. */
struct followup *followup_new(const struct ike_addke *a, const struct ike_nonces *n,
			      const struct ike_secret *first);
/* Wipes it. NULL is fine. */
void followup_free(struct followup *f);
/* Are all secrets there? */
bool followup_is_over(const struct followup *f);

/* Initiator: the response @in of CREATE_CHILD_SA. False: it does not name the state that is to follow. */
bool followup_take_blob(struct followup *f, const struct ike_payloads *in);
/* Initiator: append the next request. False: there is no key to be had. */
bool followup_ask(struct followup *f, const struct ike_rng *rng, struct ike_builder *b);
/* Initiator: the response to it. False: that failed, and so do the exchanges that were to follow. */
bool followup_take(struct followup *f, const struct ike_payloads *in);

/*
 * Responder: append what names this state in the next request: @spi (up to 8 bytes, which nobody else
 * has), and which exchange is next. They are not over.
 */
void followup_name(const struct followup *f, const uint8_t *spi, size_t len, struct ike_builder *b);
/* Responder: is @n, of a request, that name? Else the request is for a state that is gone. */
bool followup_is_named(const struct followup *f, const uint8_t *spi, size_t len,
		       const struct ike_notify *n);
/*
 * Responder: do the key exchange of the request @in. 0, with our value for the answer in *@kex, which is
 * the caller's; or the notify to refuse it with.
 */
uint16_t followup_answer(struct followup *f, const struct ike_rng *rng,
			 const struct ike_payloads *in, struct ike_kex **kex);

#endif
