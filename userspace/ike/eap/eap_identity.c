// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/eap/eap.h"

#include <ctype.h>
#include <string.h>

#include "ike/proto/id.h"

size_t eap_domain_len(const uint8_t *name, size_t len)
{
	const uint8_t *at = len ? memrchr(name, '\\', len) : NULL;

	return at ? (size_t)(at - name) + 1 : 0;
}

/* As ike_id_from_text() would take it, but for what that takes for something else than a name. */
static uint8_t type_of(const uint8_t *name, size_t len)
{
	const uint8_t *at = memchr(name, '@', len);
	bool host = true;

	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == '"')
			return IKE_ID_KEY_ID;
		host = host && (isalnum(name[i]) || strchr("-._", name[i]));
	}
	if (at)
		return at > name && at < name + len - 1 && name[0] != '*' ? IKE_ID_RFC822
									  : IKE_ID_KEY_ID;
	return host ? IKE_ID_FQDN : IKE_ID_KEY_ID;
}

bool eap_identity(const uint8_t *name, size_t len, struct ike_id *out)
{
	size_t domain = eap_domain_len(name, len);

	*out = (struct ike_id){ 0 };
	name += domain;
	len -= domain;
	if (!len || len > EAP_MAX_NAME)
		return false;
	out->type = type_of(name, len);
	out->len = (uint16_t)len;
	memcpy(out->data, name, len);
	return true;
}

bool eap_peer(const struct eap *e, struct ike_id *out)
{
	if (!e->proven.type)
		return eap_identity(e->name, e->name_len, out);
	*out = e->proven;
	return true;
}

bool eap_take_name(struct eap *e, const uint8_t *name, size_t len)
{
	struct ike_id its, ours;

	if (!eap_identity(name, len, &its) || len > sizeof(e->name))
		return false;
	if (e->name_len)
		return eap_identity(e->name, e->name_len, &ours) && ike_id_eq(&its, &ours);
	memcpy(e->name, name, len);
	e->name_len = len;
	return true;
}
