/* SPDX-License-Identifier: GPL-2.0 */
/* Batches of ESP packets that the stack brings to the socket in one piece. */
#ifndef ESPTUN_GRO_H
#define ESPTUN_GRO_H

struct esptun_sock;

/**
 * esptun_gro_attach - let whole super-packets through to a socket
 * @us: the socket, open; esptun_net.lock held
 *
 * May sleep. Return: 0 or a negative errno; then nothing is left behind.
 */
int esptun_gro_attach(struct esptun_sock *us);

/* No more; may sleep. Before the socket is closed. esptun_net.lock held. */
void esptun_gro_detach(struct esptun_sock *us);

#endif /* ESPTUN_GRO_H */
