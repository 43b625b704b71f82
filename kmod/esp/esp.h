/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of an ESP packet (RFC 4303 2) and the sizes that follow from
 * them. Pure: no skb, no locks.
 */
#ifndef ESPTUN_ESP_H
#define ESPTUN_ESP_H

#include <linux/types.h>

/* On the wire; the IV, the payload, the trailer and the ICV follow. */
struct esptun_esp_hdr {
	__be32 spi;
	__be32 seq;
};

#define ESPTUN_ESP_HLEN 8u /* SPI and sequence number */
#define ESPTUN_ESP_TLEN 2u /* pad length and next header */
#define ESPTUN_UDP_HLEN 8u

/* Next header, RFC 4303 2.6 */
#define ESPTUN_NEXT_IP4 4
#define ESPTUN_NEXT_IP6 41
#define ESPTUN_NEXT_DUMMY 59

/**
 * struct esptun_esp_sizes - what an algorithm adds to a packet
 * @iv: octets of explicit IV
 * @icv: octets of ICV
 * @align: payload and trailer are a multiple of this, a power of two >= 4
 */
struct esptun_esp_sizes {
	u8 iv;
	u8 icv;
	u8 align;
};

/**
 * esptun_esp_pad - octets of padding for a payload
 * @s: sizes
 * @len: octets of payload
 *
 * Return: 0 to @s->align - 1, pad length and next header not counted.
 */
unsigned int esptun_esp_pad(const struct esptun_esp_sizes *s, unsigned int len);

/**
 * esptun_esp_len - length of the ESP packet for a payload, ESP header to ICV
 * @s: sizes
 * @len: octets of payload
 */
unsigned int esptun_esp_len(const struct esptun_esp_sizes *s, unsigned int len);

/**
 * esptun_esp_inner_mtu - largest payload that fits a path
 * @s: sizes
 * @path: the path's MTU
 * @outer: octets of outer IP and UDP headers
 *
 * Return: octets, 0 if nothing fits.
 */
unsigned int esptun_esp_inner_mtu(const struct esptun_esp_sizes *s,
				  unsigned int path, unsigned int outer);

/**
 * esptun_esp_put_trailer - write padding 1, 2, 3 …, pad length, next header
 * @p: where the payload ends; @pad + ESPTUN_ESP_TLEN octets
 * @pad: octets of padding, up to 255
 * @next: next header
 */
void esptun_esp_put_trailer(u8 *p, unsigned int pad, u8 next);

/**
 * esptun_esp_valid_len - can a packet of this length be one of the SA's
 * @s: sizes
 * @len: octets, ESP header to ICV
 */
bool esptun_esp_valid_len(const struct esptun_esp_sizes *s, unsigned int len);

/**
 * esptun_esp_get_trailer - check the trailer of a decrypted packet
 * @text: decrypted octets, payload to next header
 * @len: how many
 * @payload: result, octets of payload
 * @next: result, next header
 *
 * To be called on authenticated bytes only.
 *
 * Return: false if the padding is longer than the packet or not 1, 2, 3 …
 */
bool esptun_esp_get_trailer(const u8 *text, unsigned int len,
			    unsigned int *payload, u8 *next);

#endif /* ESPTUN_ESP_H */
