// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include "esp/esp.h"

unsigned int esptun_esp_pad(const struct esptun_esp_sizes *s, unsigned int len)
{
	return -(len + ESPTUN_ESP_TLEN) & (s->align - 1u);
}

unsigned int esptun_esp_len(const struct esptun_esp_sizes *s, unsigned int len)
{
	return ESPTUN_ESP_HLEN + s->iv + len + esptun_esp_pad(s, len) +
	       ESPTUN_ESP_TLEN + s->icv;
}

unsigned int esptun_esp_inner_mtu(const struct esptun_esp_sizes *s,
				  unsigned int path, unsigned int outer)
{
	unsigned int fixed = outer + ESPTUN_ESP_HLEN + s->iv + s->icv;
	unsigned int room;

	if (path <= fixed)
		return 0;
	room = (path - fixed) & ~(s->align - 1u);
	return room > ESPTUN_ESP_TLEN ? room - ESPTUN_ESP_TLEN : 0;
}

/* RFC 4303 2.4: padding octets are 1, 2, 3 … */
void esptun_esp_put_trailer(u8 *p, unsigned int pad, u8 next)
{
	unsigned int i;

	for (i = 0; i < pad; i++)
		p[i] = i + 1;
	p[pad] = pad;
	p[pad + 1] = next;
}

bool esptun_esp_valid_len(const struct esptun_esp_sizes *s, unsigned int len)
{
	unsigned int fixed = ESPTUN_ESP_HLEN + s->iv + s->icv;

	if (len < fixed + ESPTUN_ESP_TLEN)
		return false;
	return !((len - fixed) & (s->align - 1u));
}

bool esptun_esp_get_trailer(const u8 *text, unsigned int len,
			    unsigned int *payload, u8 *next)
{
	unsigned int pad;
	unsigned int i;

	if (len < ESPTUN_ESP_TLEN)
		return false;
	pad = text[len - 2];
	if (pad > len - ESPTUN_ESP_TLEN)
		return false;
	len -= ESPTUN_ESP_TLEN + pad;
	for (i = 0; i < pad; i++)
		if (text[len + i] != i + 1)
			return false;
	*next = text[len + pad + 1];
	*payload = len;
	return true;
}
