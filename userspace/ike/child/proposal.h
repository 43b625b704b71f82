/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing among proposals (RFC 7296 2.7, 3.3), judging the other side's choice,
 * and explaining to a human why there was none. Pure.
 *
 * A transform type that a proposal does not list counts as its "none": no integrity
 * transform with an AEAD, no DH group in a child proposal, no ESN.
 */
#ifndef ESPTUN_IKE_PROPOSAL_H
#define ESPTUN_IKE_PROPOSAL_H

#include "ike/core/keys.h"

/*
 * The proposals of Crypto=@text for @protocol (IKE or ESP): words of profile.h, each alone or with "-pfs" or
 * "-nopfs", or proposals as ike_proposal_from_text() reads them, with commas between.
 * One text serves both protocols: for ESP, PRF words say nothing, DH words are for PFS
 * (wanted; required with pfs; not there with nopfs), both kinds of sequence numbers are
 * offered unless esn/noesn says which. Words that the protocol does not have are ignored, and
 * proposals that are nothing without them are left out (an error if none remains).
 * 0, or -1 with what is wrong in @err.
 */
int ike_proposals_from_text(const char *text, uint8_t protocol, struct ike_proposals *out,
			    char *err, size_t err_size);

/* Take all key exchanges away: child proposals within IKE_AUTH have none (RFC 7296 1.2, RFC 9370 2.2.4). */
void ike_proposal_drop_dh(struct ike_proposal *p);
/*
 * A peer's proposal, where there can be no additional key exchanges: it is as if it had none, but for
 * one that insists on them, which cannot be chosen any more.
 */
void ike_proposal_drop_addke(struct ike_proposal *p);
/* Has any of the proposals additional key exchanges (RFC 9370)? */
bool ike_proposals_have_addke(const struct ike_proposals *p);
void ike_proposals_drop_dh(struct ike_proposals *p);

/* The first DH group of the most preferred proposal, for the first KE payload; IKE_DH_NONE if none. */
uint16_t ike_proposals_first_dh(const struct ike_proposals *p);

/*
 * Leave of each proposal only the encryption, integrity and sequence numbers of @suite, and its
 * groups: an SA that renews one has the same algorithms (RFC 7296 2.8). Proposals without these go,
 * and the others are numbered anew; nothing changes if none is left.
 */
void ike_proposals_keep(struct ike_proposals *p, const struct esp_suite *suite);

/*
 * ESP: leave only what @has says that the kernel has, with each encryption algorithm one of its
 * integrity algorithms at least. Proposals that are nothing then go. False if none is left; then
 * nothing changes.
 */
bool ike_proposals_restrict(struct ike_proposals *p,
			    bool (*has)(void *ctx, const struct ike_cipher *c), void *ctx);

/*
 * IKE: leave only what makes an IKE SA with a post-quantum key exchange, alone or as an additional one.
 * ESP: what makes a child SA that is rekeyed with a key exchange of its own. False if no proposal is
 * left; then nothing changes.
 */
bool ike_proposals_require_pq(struct ike_proposals *p);
bool ike_proposals_require_pfs(struct ike_proposals *p);

/* Is @group in any of the proposals? An INVALID_KE_PAYLOAD may ask for nothing else. */
bool ike_proposals_have_dh(const struct ike_proposals *p, uint16_t group);

/* Has any of the proposals all these @n transforms, of different types? */
bool ike_proposals_allow(const struct ike_proposals *p, const struct ike_transform *t,
			 unsigned int n);

/*
 * Responder: the first combination of @own, in order of preference, that @offer
 * contains. Among the groups of one encryption algorithm that of the KE payload received,
 * @ke_group, comes first (IKE_DH_NONE: there was none). If the result's group differs from
 * @ke_group, the answer is INVALID_KE_PAYLOAD; but the KE payload counts for nothing if the
 * result's is IKE_DH_NONE (RFC 7296 1.3), and the answer then has none. No method of key exchange is
 * chosen twice (RFC 9370 2.2.1). @out has one transform per type, in the offer's words,
 * and the number, protocol and SPI of the offered proposal. False: NO_PROPOSAL_CHOSEN.
 */
bool ike_proposal_choose(const struct ike_proposals *own, struct ike_offer offer, uint16_t ke_group,
			 struct ike_proposal *out);

/*
 * Initiator: @answer must be one proposal with a number we offered, the same protocol,
 * exactly one transform of each type we offered (none where we offered "none"), each
 * of them ours. False with a sentence in @err otherwise. Whether its DH group is the one
 * whose KE payload was sent is the caller's to check.
 */
bool ike_proposal_verify(struct ike_offer offer, struct ike_offer answer, struct ike_proposal *out,
			 char *err, size_t err_size);

/* The algorithms of a chosen proposal; -1 unless complete and all implemented. */
int ike_suite_from_proposal(const struct ike_proposal *p, struct ike_suite *out);
int esp_suite_from_proposal(const struct ike_proposal *p, struct esp_suite *out);

/*
 * One sentence on why @own and @offer of a peer have nothing in common: the transform
 * type that differs in the closest pair, both lists, and the word to add to Crypto=.
 * With no proposal in @offer: the peer turned down @own and, as the protocol has it, did not say why.
 */
char *ike_proposal_explain(char *buf, size_t size, const struct ike_proposals *own,
			   struct ike_offer offer);

#endif
