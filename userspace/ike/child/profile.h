/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of Crypto= that stand for whole proposals: what is good today, and what systems of others
 * agree to.
 */
#ifndef ESPTUN_IKE_PROFILE_H
#define ESPTUN_IKE_PROFILE_H

struct profile {
	const char *word;
	/*
	 * Proposals as ike_proposal_from_text() reads them, with commas between, the preferred one first. NULL:
	 * of all that has a place in transform.def.
	 */
	const char *ike, *esp;
};

/*
 * The profile that @item is, with what is said of PFS behind its word in *@rest: "", "-pfs" or
 * "-nopfs". NULL if it is none.
 */
const struct profile *profile_find(const char *item, const char **rest);

#endif
