/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just enough of ESP (RFC 4303) in tunnel mode to answer a ping, and so to prove keys. */
#ifndef ESPTUN_SOCK_ESP_H
#define ESPTUN_SOCK_ESP_H

#include "ike/crypto/crypto.h"

enum { ESP_MAX = 2048 }; /* octets of a packet */

/* One direction of a pair. */
struct esp_sa {
	bool on;
	uint32_t spi; /* host order */
	struct ike_cipher cipher;
	uint8_t key[IKE_MAX_KEY], integ[IKE_MAX_KEY];
	uint32_t seq; /* the last one sent */
	uint64_t packets, bytes; /* of the IP packets in them */
};

/*
 * The IP packet in @packet, decrypted where it is: its length with *@ip, or -1 if it does not
 * authenticate. Neither sequence numbers nor selectors are looked at, nor are extended ones known.
 */
int esp_open(const struct esp_sa *sa, uint8_t *packet, size_t len, uint8_t **ip);

/* The IPv4 packet in ESP, in @out of ESP_MAX octets: its length, or -1. */
int esp_seal(struct esp_sa *sa, const uint8_t *ip, size_t len, uint8_t *out);

/* Makes the answer of an ICMP echo request in IPv4, in its place; false if it is none. */
bool esp_echo(uint8_t *ip, size_t len);

#endif
