// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of public-key authentication, from their files or values into a configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/proto/text.h"

enum { PEM_LINE = 64 /* characters, RFC 7468 */ };

int config_cred_add(struct config *c, enum ike_cred_kind kind, const void *der, size_t len)
{
	size_t room = c->n_creds + IKE_CRED_HEAD + len;
	uint8_t *grown = room <= IKE_MAX_CREDS ? realloc(c->creds, room) : NULL;

	if (!grown)
		return -1;
	ike_cred_head(grown + c->n_creds, kind, len);
	memcpy(grown + c->n_creds + IKE_CRED_HEAD, der, len);
	c->creds = grown;
	c->n_creds = (unsigned int)room;
	return 0;
}

int config_cred_private(struct config *c, const char *text, size_t len, char *why, size_t size)
{
	struct ike_private_key key;
	struct ike_public_key public;
	int err = ike_private_read(text, len, &key, &public, why, size);

	if (!err) {
		c->private_key = malloc(key.len);
		err = !c->private_key ||
		      config_cred_add(c, IKE_CRED_OWN_KEY, public.spki, public.len);
		snprintf(why, size, "finds no memory");
	}
	if (!err) {
		memcpy(c->private_key, key.der, key.len);
		c->n_private = (unsigned int)key.len;
	}
	ike_wipe(&key, sizeof(key));
	return err ? -1 : 0;
}

int config_cred_public(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	struct ike_public_key key;

	if (ike_public_read(data, len, &key, why, size))
		return -1;
	snprintf(why, size, "finds no memory");
	return config_cred_add(c, IKE_CRED_PEER_KEY, key.spki, key.len);
}

/* base64: what stands between the lines of PEM. */
static int public_from_base64(struct config *c, const char *s, char *why, size_t size)
{
	char pem[2 * IKE_MAX_SPKI];
	struct text t = text_init(pem, sizeof(pem));

	text_add(&t, "-----BEGIN PUBLIC KEY-----\n");
	for (size_t i = 0, n = strlen(s); i < n; i += PEM_LINE)
		text_add(&t, "%.*s\n", PEM_LINE, s + i);
	text_add(&t, "-----END PUBLIC KEY-----\n");
	return config_cred_public(c, pem, strlen(pem), why, size);
}

int config_cred_value(struct config *c, const char *s, char *why, size_t size)
{
	uint8_t der[IKE_MAX_SPKI];
	size_t len;

	if (!strncmp(s, "base64:", 7))
		return public_from_base64(c, s + 7, why, size);
	if (ike_hex_from_text(s + 4, der, sizeof(der), &len)) {
		snprintf(why, size, "is wrong: expected hex: and pairs of digits");
		return -1;
	}
	return config_cred_public(c, der, len, why, size);
}
