/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How an end proves who it is in IKE_AUTH, as it is configured: what follows from a method for the rest of the agent. How a
 * method works is a struct x_method (exch/layer_exchange.h), with EAP a struct eap_method, too (eap/eap.h). Pure.
 */
#ifndef ESPTUN_IKE_METHOD_H
#define ESPTUN_IKE_METHOD_H

#include <stdbool.h>
#include <stddef.h>

enum ike_method {
	IKE_METHOD_PSK, /* by a pre-shared key */
	IKE_METHOD_SIGNATURE, /* by a signature */
	IKE_METHOD_EAP, /* by EAP, to an end that proves itself by a signature first */
	IKE_METHODS,
};

struct ike_method_row {
	const char *word; /* of LocalAuth= and RemoteAuth= */
	bool is_user; /* see ike_auth_is_user() */
};

/* The row of @method, which is below IKE_METHODS. */
const struct ike_method_row *ike_method_row(enum ike_method method);

/* How one end proves who it is: in one round, or in two (RFC 4739), of which the last one says who it is. */
struct ike_auth_conf {
	enum ike_method method; /* of the one round, or of the first one, which is not by EAP then */
	bool then_user; /* the second round is by EAP */
	/*
	 * By a signature, and without one where the other end, a user, agrees (RFC 5998): then nothing but EAP proves who this end
	 * is. IKE_METHOD_SIGNATURE, in one round.
	 */
	bool eap_only;
};

/* The word for that, of LocalAuth= and RemoteAuth=. */
extern const char ike_auth_eap_only[];

/* Is it one of these, and of known methods? */
bool ike_auth_is_sane(const struct ike_auth_conf *a);
bool ike_auth_eq(const struct ike_auth_conf *a, const struct ike_auth_conf *b);
/* Is a round by @method? */
bool ike_auth_has(const struct ike_auth_conf *a, enum ike_method method);
/*
 * Does an end that proves itself so do it as a user? Then it is the one that begins, as the initiator alone can be asked for EAP
 * (RFC 7296 2.16): nothing can begin to it, and who it is follows from EAP.
 */
bool ike_auth_is_user(const struct ike_auth_conf *a);
/* "pubkey, eap": the words of its rounds. */
char *ike_auth_print(char *buf, size_t size, const struct ike_auth_conf *a);

#endif
