// SPDX-License-Identifier: GPL-2.0-or-later
#include "esp.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	HEADER = 8, /* SPI and sequence number */
	TRAILER = 2, /* pad length and next header */
	ALIGN = 4, /* of the text's end */
	NEXT_IPV4 = 4,
	IPV4_MIN = 20,
	PROTO_ICMP = 1,
	ICMP_MIN = 8,
	ICMP_ECHO = 8,
};

int esp_open(const struct esp_sa *sa, uint8_t *packet, size_t len, uint8_t **ip)
{
	size_t iv = ike_cipher_iv_len(&sa->cipher), icv = ike_cipher_icv_len(&sa->cipher), text;
	uint8_t *body = packet + HEADER + iv;

	if (len < HEADER + iv + icv + TRAILER)
		return -1;
	text = len - HEADER - iv - icv;
	if (text % ike_cipher_block(&sa->cipher) ||
	    ike_cipher_open(&sa->cipher, sa->key, sa->integ, packet, HEADER, packet + HEADER, text))
		return -1;
	text -= TRAILER;
	if (body[text] > text)
		return -1;
	*ip = body;
	return (int)(text - body[text]);
}

int esp_seal(struct esp_sa *sa, const uint8_t *ip, size_t len, uint8_t *out)
{
	size_t iv = ike_cipher_iv_len(&sa->cipher), icv = ike_cipher_icv_len(&sa->cipher);
	size_t block = ike_cipher_block(&sa->cipher), align = block > ALIGN ? block : ALIGN;
	size_t text = (len + TRAILER + align - 1) / align * align, pad = text - TRAILER - len;
	uint8_t *p = out + HEADER + iv;
	uint32_t word = htonl(sa->spi);

	if (HEADER + iv + text + icv > ESP_MAX)
		return -1;
	memcpy(out, &word, 4);
	word = htonl(++sa->seq);
	memcpy(out + 4, &word, 4);
	ike_crypto_random(NULL, out + HEADER, iv);
	memcpy(p, ip, len);
	for (size_t i = 0; i < pad; i++)
		p[len + i] = (uint8_t)(i + 1);
	p[text - 2] = (uint8_t)pad;
	p[text - 1] = NEXT_IPV4;
	if (ike_cipher_seal(&sa->cipher, sa->key, sa->integ, out, HEADER, out + HEADER, text))
		return -1;
	sa->packets++;
	sa->bytes += len;
	return (int)(HEADER + iv + text + icv);
}

bool esp_echo(uint8_t *ip, size_t len)
{
	size_t head = len < IPV4_MIN ? 0 : (size_t)(ip[0] & 15) * 4;
	uint8_t *icmp = ip + head, swap[4];
	uint32_t sum;

	if (head < IPV4_MIN || ip[0] >> 4 != 4 || len < head + ICMP_MIN || ip[9] != PROTO_ICMP ||
	    icmp[0] != ICMP_ECHO)
		return false;
	memcpy(swap, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, swap, 4);
	/* Type 8 becomes 0: the checksum, a complement, grows by as much (RFC 1624). */
	icmp[0] = 0;
	sum = (uint32_t)(icmp[2] << 8 | icmp[3]) + (ICMP_ECHO << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	return true;
}
