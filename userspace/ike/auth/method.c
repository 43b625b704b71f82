// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/method.h"

static const struct ike_method_row rows[IKE_METHODS] = {
	[IKE_METHOD_PSK] = { .word = "psk" },
	[IKE_METHOD_SIGNATURE] = { .word = "pubkey" },
	[IKE_METHOD_EAP] = { .word = "eap", .is_user = true },
};

const struct ike_method_row *ike_method_row(enum ike_method method)
{
	return &rows[method];
}

bool ike_auth_is_user(const struct ike_auth_conf *a)
{
	return rows[a->method].is_user;
}
