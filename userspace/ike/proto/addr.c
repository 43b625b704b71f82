// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and endpoints as text. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ike/proto/addr.h"
#include "ike/proto/text.h"

char *ike_addr_print(char *buf, size_t size, const struct ike_addr *a)
{
	struct text out = text_init(buf, size);
	char s[INET6_ADDRSTRLEN];

	if (a->family == 4 || a->family == 6)
		inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->b, s, sizeof(s));
	else
		strcpy(s, "any");
	text_add(&out, "%s", s);
	return buf;
}

int ike_addr_from_text(const char *text, struct ike_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, a->b) == 1)
		a->family = 4;
	else if (inet_pton(AF_INET6, text, a->b) == 1)
		a->family = 6;
	return a->family ? 0 : -1;
}

char *ike_endpoint_print(char *buf, size_t size, const struct ike_endpoint *e)
{
	struct text out = text_init(buf, size);
	char addr[INET6_ADDRSTRLEN];

	ike_addr_print(addr, sizeof(addr), &e->addr);
	text_add(&out, e->addr.family == 6 ? "[%s]:%u" : "%s:%u", addr, e->port);
	return buf;
}

bool ike_addr_eq(const struct ike_addr *a, const struct ike_addr *b)
{
	size_t len = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

	return a->family == b->family && !memcmp(a->b, b->b, len);
}

static bool is_host6(const uint8_t b[16])
{
	static const uint8_t zero[10], mapped[2] = { 0xff, 0xff };

	if (b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
		return false;
	if (memcmp(b, zero, 10))
		return true;
	/* ::/96 has "unspecified" and ::1, and is deprecated otherwise (RFC 4291 2.5.5.1). */
	return memcmp(b + 10, zero, 2) && memcmp(b + 10, mapped, 2);
}

bool ike_addr_is_host(const struct ike_addr *a)
{
	if (a->family == 6)
		return is_host6(a->b);
	return a->family == 4 && a->b[0] && a->b[0] != 127 && a->b[0] < 224;
}

bool ike_addr_to_net(struct ike_addr *a, unsigned int len)
{
	const struct ike_addr was = *a;

	for (unsigned int i = len; i < (a->family == 4 ? 32 : 128); i++)
		a->b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return !ike_addr_eq(a, &was);
}

bool ike_addr_in_net(const struct ike_addr *a, const struct ike_addr *net, unsigned int len)
{
	struct ike_addr one = *a, other = *net;

	ike_addr_to_net(&one, len);
	ike_addr_to_net(&other, len);
	return ike_addr_eq(&one, &other);
}

void ike_addr_step(struct ike_addr *a, int by)
{
	unsigned int i = a->family == 4 ? 4 : 16;

	while (i--) {
		a->b[i] = (uint8_t)(a->b[i] + by);
		if (a->b[i] != (by > 0 ? 0 : 255))
			return;
	}
}

bool ike_endpoint_eq(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ike_addr_eq(&a->addr, &b->addr);
}
