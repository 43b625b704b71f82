/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Batches of ESP packets: made of single ones by GRO, and brought to the socket
 * in one piece.
 */
#ifndef ESPTUN_GRO_H
#define ESPTUN_GRO_H

struct esptun_family;
struct esptun_sock;
struct list_head;
struct sk_buff;
struct sock;

/*
 * As udp_tunnel_sock_cfg.gro_receive and .gro_complete: @held, what GRO holds;
 * @at, offset of the ESP header.
 */
struct sk_buff *esptun_gro_receive(struct sock *sk, struct list_head *held,
				   struct sk_buff *skb);
int esptun_gro_complete(struct sock *sk, struct sk_buff *skb, int at);

/**
 * esptun_gro_attach - let whole super-packets of a family through to a socket
 * @us: the socket; esptun_net.lock held
 * @family: the family
 *
 * May sleep. Return: 0 or a negative errno; then nothing is left behind.
 */
int esptun_gro_attach(struct esptun_sock *us,
		      const struct esptun_family *family);

/* No more; may sleep. Before the socket is closed. esptun_net.lock held. */
void esptun_gro_detach(struct esptun_sock *us,
		       const struct esptun_family *family);

#endif /* ESPTUN_GRO_H */
