/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ICMP errors about what we sent. Everybody can send one, so it is believed only if
 * it quotes the ESP header of a packet that was sent lately: its SPI is not to be
 * guessed. One over IPv4 that quotes no more than the UDP header is believed down to
 * ESPTUN_PMTU_UNPROVEN, for else nothing of full size would pass its router.
 */
#ifndef ESPTUN_ICMP_H
#define ESPTUN_ICMP_H

#include <linux/kernel.h>
#include <linux/types.h>
#include "limits.h"

struct sk_buff;
struct sock;

/**
 * esptun_icmp_is_recent - was a sequence number sent lately
 * @sent: the last one that was taken, 0 for none
 * @seq: low half of the one in question
 *
 * Return: true for the last ESPTUN_ICMP_LATELY ones. The first number is 1.
 */
static inline bool esptun_icmp_is_recent(u64 sent, u32 seq)
{
	u32 age = lower_32_bits(sent) - seq;

	return age < ESPTUN_ICMP_LATELY && age < sent;
}

/**
 * esptun_icmp_fits - what would have fit, as an ICMP error says
 * @skb: the error; begins with the IP header of what it quotes, the ICMP header is
 *	in front of it
 *
 * The stack's own reading is 0 with ip_no_pmtu_disc=1. Return: octets, which nobody
 * has checked; UINT_MAX if the error is about something else.
 */
unsigned int esptun_icmp_fits(const struct sk_buff *skb);

/**
 * esptun_icmp_refuse - an ICMP error about a datagram from one of our sockets
 * @sk: the socket; RCU read side
 * @skb: the error, as esptun_icmp_fits() wants it; network and transport header are
 *	those of the quoted datagram
 *
 * As udp_tunnel_sock_cfg.encap_err_lookup. Over IPv6 the stack asks before it learns
 * anything; over IPv4 its routes learned already, so what is believed goes to the
 * peer. One that says what fits, and whose ESP header nobody sent lately, is
 * counted. Return: 0 if the stack is to learn from it, or
 * -ENOENT.
 */
int esptun_icmp_refuse(struct sock *sk, struct sk_buff *skb);

#endif /* ESPTUN_ICMP_H */
