/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers to words and back, for logs, configuration and commands. Pure; no
 * function allocates. The text of every "print" function is truncated to fit and
 * always terminated; each returns @buf so that it can stand in an argument list.
 */
#ifndef ESPTUN_IKE_NAMES_H
#define ESPTUN_IKE_NAMES_H

#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/ikev2.h"
#include "ike/proto/text.h"
#include "ike/proto/ts_text.h"

const char *ike_exchange_name(uint8_t exchange);
const char *ike_payload_name(uint8_t type);
const char *ike_notify_name(uint16_t type); /* "notify 12345" style names for unknown ones: NULL */
const char *ike_transform_type_name(uint8_t type);

/* One transform as configuration spells it: "aes256gcm16", "aes128", "sha256", "prfsha256", "x25519", "ecp256", "esn". */
/* Words of other people's algorithms print too ("sha1", "modp1024"); without a word: "encr24:256". */
char *ike_transform_print(char *buf, size_t size, const struct ike_transform *t);
bool ike_transform_ours(const struct ike_transform *t); /* implemented by us? */
bool ike_encr_is_aead(uint16_t encr); /* of those with a word, ours or not */
/* "aes256gcm16-prfsha256-x25519", several of a type joined with "/". */
char *ike_proposal_print(char *buf, size_t size, const struct ike_proposal *p);
/* Proposals joined with ", ". */
char *ike_proposals_print(char *buf, size_t size, struct ike_offer o);

/*
 * Parse one proposal of the words above joined with "-" or "/" (order free, several of a
 * type allowed; a bare integrity word in an IKE proposal also gives the PRF of the
 * same hash; an AEAD without PRF word gets prfsha256/384/512; "nopfs" stands for no DH
 * group in ESP). @protocol is IKE or ESP; words that say nothing there are passed over,
 * so that one text serves both. ESP without esn or noesn gets both, esn first.
 * Returns 0, or -1 with what is wrong in @err, and the word that may have been meant.
 */
int ike_proposal_from_text(const char *text, uint8_t protocol, struct ike_proposal *out, char *err,
			   size_t err_size);

/* "a1b2c3d4e5f60718_i 1122334455667788_r", the form of every log line. */
char *ike_spis_print(char *buf, size_t size, const uint8_t spi_i[IKE_SPI_LEN],
		     const uint8_t spi_r[IKE_SPI_LEN]);

#endif
