/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer that is a script: it says what a test has it say, as any IKE daemon might, and shares
 * with the core it talks to no more than codec, key schedule and ciphers.
 */
#ifndef ESPTUN_TEST_SCRIPTED_H
#define ESPTUN_TEST_SCRIPTED_H

#include "core_util.h"

enum { SCRIPTED_MAX = 2048 };

struct scripted {
	struct pair *p;
	struct node *to; /* the core it talks to, by its first tunnel */
	struct ike_endpoint here;
	bool initiator;
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	uint8_t nonce[2][IKE_MAX_NONCE]; /* the initiator's, the responder's */
	size_t nonce_len[2];
	uint8_t init[2][SCRIPTED_MAX]; /* both messages of IKE_SA_INIT */
	size_t init_len[2];
	struct ike_kex *kex; /* NULL: it guessed a group that we have not */
	struct ike_keys keys;
	uint32_t id; /* of the next message */
	uint8_t buf[SCRIPTED_MAX], inner[SCRIPTED_MAX], first;
	struct ike_builder b; /* of the message that is being made */
};

/* It is at 203.0.113.@host and, if @initiator, begins. */
void scripted_init(struct scripted *s, struct pair *p, struct node *to, uint8_t host,
		   bool initiator);
void scripted_free(struct scripted *s);

/*
 * Proposals from words as Crypto= has them, and in addition any that has a word in transform.def,
 * or "TYPE:NUMBER:BITS"; proposals are apart by spaces. ESP's have @spi.
 */
void scripted_offer(struct ike_sa_payload *o, const char *words, uint8_t protocol, uint32_t spi);

/* Begin an IKE_SA_INIT message in ->b. */
void scripted_begin_init(struct scripted *s);
/* Append KE and nonce payloads; the key is a new one, or of no use if we have not that group. */
void scripted_key_exchange(struct scripted *s, uint16_t group);
/* Begin the inside of a protected message in ->b. */
void scripted_begin(struct scripted *s);
/* Append both NAT_DETECTION notifies, with true addresses or those of a host behind a NAT. */
void scripted_natd(struct scripted *s, bool behind_nat);
/* Append ID and AUTH payloads for the core's pre-shared key; @id is its remote_id. */
void scripted_prove(struct scripted *s, const struct ike_id *id);
/* Send ->b, of IKE_SA_INIT or protected, and run until it is answered or nothing happens. */
void scripted_send_init(struct scripted *s);
void scripted_send(struct scripted *s, uint8_t exchange);

/* The payloads of the last message the core sent, which must be of @exchange. */
struct ike_payloads scripted_heard(struct scripted *s, uint8_t exchange);
/* Take nonce, SPI and KE payload from the core's IKE_SA_INIT message; keys with @chosen. */
void scripted_derive(struct scripted *s, const struct ike_payloads *in,
		     const struct ike_proposal *chosen);
/* Fails unless the AUTH payload proves the ID payload beside it. */
void scripted_verify(struct scripted *s, const struct ike_payloads *in);

#endif
