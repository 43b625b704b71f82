/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of proposals that are kept for long. Most tunnels have the same ones, so that equal lists
 * are kept once, whoever holds them, and do not change: they are equal if they are one pointer.
 */
#ifndef ESPTUN_IKE_PROPOSAL_SHARE_H
#define ESPTUN_IKE_PROPOSAL_SHARE_H

#include "ike/proto/ikev2.h"

/*
 * The list with the proposals of @list, their numbers, protocols and transforms, but without SPIs;
 * to be given back with ike_proposals_put(). @list may be such a one itself. NULL without memory.
 */
const struct ike_proposals *ike_proposals_get(const struct ike_proposals *list);
/* The caller holds it no longer; NULL is fine. */
void ike_proposals_put(const struct ike_proposals *shared);
/* How many lists somebody holds. For tests. */
unsigned int ike_proposals_held(void);

#endif
