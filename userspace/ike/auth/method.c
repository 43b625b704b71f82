// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/method.h"

#include <stdio.h>

static const struct ike_method_row rows[IKE_METHODS] = {
	[IKE_METHOD_PSK] = { .word = "psk" },
	[IKE_METHOD_SIGNATURE] = { .word = "pubkey" },
	[IKE_METHOD_EAP] = { .word = "eap", .is_user = true },
};

const char ike_auth_eap_only[] = "eap-only";

const struct ike_method_row *ike_method_row(enum ike_method method)
{
	return &rows[method];
}

bool ike_auth_is_user(const struct ike_auth_conf *a)
{
	return rows[a->method].is_user || a->then_user;
}

bool ike_auth_is_sane(const struct ike_auth_conf *a)
{
	if (a->eap_only && (a->method != IKE_METHOD_SIGNATURE || a->then_user))
		return false;
	return a->method < IKE_METHODS && !(a->then_user && rows[a->method].is_user);
}

bool ike_auth_eq(const struct ike_auth_conf *a, const struct ike_auth_conf *b)
{
	return a->method == b->method && a->then_user == b->then_user && a->eap_only == b->eap_only;
}

bool ike_auth_has(const struct ike_auth_conf *a, enum ike_method method)
{
	return a->method == method || (a->then_user && method == IKE_METHOD_EAP);
}

char *ike_auth_print(char *buf, size_t size, const struct ike_auth_conf *a)
{
	snprintf(buf, size, "%s%s", a->eap_only ? ike_auth_eap_only : rows[a->method].word,
		 a->then_user ? ", eap" : "");
	return buf;
}
