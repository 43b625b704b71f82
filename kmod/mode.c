// SPDX-License-Identifier: GPL-2.0
#include <linux/indirect_call_wrapper.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/esptun.h>
#include "esp.h"
#include "mode.h"

/* ---- tunnel mode (RFC 4303 3.1.2): the payload is an IP packet ---- */

static u8 wrap_tunnel(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? ESPTUN_NEXT_IP4 :
						  ESPTUN_NEXT_IP6;
}

/* Octets the inner IP header claims, 0 if it cannot be one. */
static unsigned int inner_len(const u8 *text, unsigned int have, u8 next)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)text;
	const struct iphdr *ip4 = (const struct iphdr *)text;
	unsigned int len;

	if (next == ESPTUN_NEXT_IP4) {
		if (have < sizeof(*ip4) || ip4->version != 4 || ip4->ihl < 5)
			return 0;
		len = ntohs(ip4->tot_len);
		return len < ip4->ihl * 4u ? 0 : len;
	}
	if (have < sizeof(*ip6) || ip6->version != 6)
		return 0;
	return sizeof(*ip6) + ntohs(ip6->payload_len);
}

static unsigned int unwrap_tunnel(u8 *text, unsigned int len, u8 next,
				  struct esptun_inner *inner)
{
	if (next != ESPTUN_NEXT_IP4 && next != ESPTUN_NEXT_IP6)
		return ESPTUN_STATS_A_RX_NEXT_HEADER;
	inner->at = text;
	inner->ip4 = next == ESPTUN_NEXT_IP4;
	/* What follows is traffic flow confidentiality padding, RFC 4303 2.7. */
	inner->len = inner_len(text, len, next);
	return inner->len && inner->len <= len ? 0 : ESPTUN_STATS_A_RX_INNER;
}

/* ---- all modes ---- */

static const struct esptun_mode_ops modes[] = {
	[ESPTUN_SA_MODE_TUNNEL] = {
		.wrap = wrap_tunnel,
		.unwrap = unwrap_tunnel,
	},
};

bool esptun_mode_is_known(u8 mode)
{
	return mode < ARRAY_SIZE(modes);
}

const struct esptun_mode_ops *esptun_mode_of(u8 mode)
{
	return &modes[mode];
}

unsigned int esptun_mode_open(const struct esptun_mode_ops *ops, u8 *text,
			      unsigned int len, struct esptun_inner *inner)
{
	unsigned int payload;
	u8 next;

	if (!esptun_esp_get_trailer(text, len, &payload, &next))
		return ESPTUN_STATS_A_RX_PADDING;
	if (next == ESPTUN_NEXT_DUMMY)
		return ESPTUN_STATS_A_RX_DUMMY;
	return INDIRECT_CALL_1(ops->unwrap, unwrap_tunnel, text, payload, next,
			       inner);
}
