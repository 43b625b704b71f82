/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy of a tunnel: when to try, which of several IKE SAs stays. It acts on what the layers
 * below noted, when an event is over.
 */
#ifndef ESPTUN_IKE_LAYER_PEER_H
#define ESPTUN_IKE_LAYER_PEER_H

#include "ike/exch/layer_exchange.h"

/* ---- peer.c ---------------------------------------------------------------- */

/* The tunnel may be used, or no longer. */
void peer_enable(struct ike_core *core, struct ike_peer *p, bool enabled);
/* The next attempt, or the end of what was taken over, is due. */
void peer_timer(struct ike_core *core, struct ike_peer *p);

/*
 * Settle all tunnels that something was noted about, until none is left: what is redundant is
 * retired, the next attempt planned, and env told if the state is another one.
 */
void peer_settle_all(struct ike_core *core);

/*
 * The pair of configuration @conf is gone or about to be, and the peer needs another, whatever its
 * start mode. Nothing happens while it has one that stays. The caller notes the change.
 */
void peer_want_pair(struct ike_peer *p, unsigned int conf);
/* The next attempt counts as the first one. */
void peer_forget_failures(struct ike_peer *p);

/* There is a way to the peer again, or another one: what waited for time to pass goes on now. */
void peer_path_opened(struct ike_core *core, struct ike_peer *p, const struct ike_addr *local);
/*
 * An address of @sa is another one, which this IKE SA does not show to be the peer's, or which its pairs
 * do not work with: a new one takes its place. If we cannot begin one, it ends, so that the peer does.
 */
void peer_begin_anew(struct ike_core *core, struct ike_sa *sa);
/* close_at of @sa is due. */
void peer_retire(struct ike_core *core, struct ike_sa *sa);
/* Close all its IKE SAs, and begin no other. */
void peer_down(struct ike_core *core, struct ike_peer *p);

/* ---- change.c -------------------------------------------------------------- */

/*
 * The tunnel of @first and all its peers are as @conf has them, which is sane, from now on. With
 * @renew new IKE SAs take the place of those there are, even if the terms are the same. -ENOMEM:
 * nothing changed.
 */
int peer_change(struct ike_core *core, struct ike_peer *first, const struct ike_tunnel_conf *conf,
		bool renew);

#endif
