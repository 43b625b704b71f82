/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ICMP errors about what we sent. Everybody can send one, so it is believed only if
 * it quotes the ESP header of a packet that was sent lately: its SPI is not to be
 * guessed.
 */
#ifndef ESPTUN_ICMP_H
#define ESPTUN_ICMP_H

#include <linux/kernel.h>
#include <linux/types.h>
#include "limits.h"

struct esptun_encap_ops;
struct esptun_endpoint;
struct esptun_esp_hdr;
struct esptun_net;
struct esptun_sa;
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
 * esptun_icmp_sender - the SA whose packet an ICMP error quotes
 * @en: netns; RCU read side
 * @encap: what the packet travelled in
 * @to: where it was sent, port 0 if it has none
 * @esp: its ESP header
 *
 * Return: NULL if no SA sent such a packet to its peer lately.
 */
struct esptun_sa *esptun_icmp_sender(struct esptun_net *en,
				     const struct esptun_encap_ops *encap,
				     const struct esptun_endpoint *to,
				     const struct esptun_esp_hdr *esp);

/**
 * esptun_icmp_refuse - an ICMP error about a datagram from one of our sockets
 * @sk: the socket; RCU read side
 * @skb: the error; network and transport header are those of the quoted datagram
 *
 * As udp_tunnel_sock_cfg.encap_err_lookup. Over IPv6 the stack asks before it learns
 * anything; over IPv4 its routes learned already, so what is believed goes to the
 * peer. What is not is counted. Return: 0 if the stack is to learn from it, or
 * -ENOENT.
 */
int esptun_icmp_refuse(struct sock *sk, struct sk_buff *skb);

#endif /* ESPTUN_ICMP_H */
