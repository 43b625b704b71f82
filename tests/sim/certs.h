/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates of two ends, and CRLs. They are made once, of randomness that is always the same, so that a run follows
 * from its seed.
 */
#ifndef ESPTUN_SIM_CERTS_H
#define ESPTUN_SIM_CERTS_H

#include "world.h"

#include "../unit/cert_maker.h"

enum { CERT_ENDS = 2, CERT_FAMILIES = 4 };

/* What is below one root, all with keys of one kind. The CRLs are of the CA of the leaves. */
struct cert_family {
	struct made root, middle;
	struct made leaf[CERT_ENDS]; /* of node 0, which is alice@example.org, too, and of node 1 */
	struct made renewed[CERT_ENDS]; /* for the same names, with other keys */
	struct made stranger; /* for another name */
	struct made twin; /* a root of the same name that nobody trusts, … */
	struct made forged[CERT_ENDS]; /* … and leaves like ->leaf that it issued */
	struct ike_iov good, revoked[CERT_ENDS]; /* CRLs: of none, of that leaf */
};

extern struct cert_family cert_families[CERT_FAMILIES];

void certs_make(void);
void certs_free(void);

/*
 * The node shows the certificate @own, and that of @middle unless it is NULL, and has the private key of @key. Its former
 * credentials for the tunnel are gone.
 */
void node_certify(struct node *n, unsigned int link, const struct made *own, const struct made *key,
		  const struct made *middle);

/* From now on libcrypto's randomness follows from @seed. */
void randomness_from(uint64_t seed);

#endif
