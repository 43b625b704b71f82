// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities (RFC 7296 3.5) as text. The type follows from the form of a word unless a
 * prefix forces it; what is printed can be read again as the same identity.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "ike/proto/addr.h"
#include "ike/proto/dn.h"
#include "ike/proto/id.h"
#include "ike/proto/text.h"

/* @len octets from outside: what is not plain ASCII, or could end a quotation, as \xNN. */
static void bytes_add(struct text *out, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] > ' ' && p[i] < 0x7f && p[i] != '\\' && p[i] != '"')
			text_add(out, "%c", p[i]);
		else
			text_add(out, "\\x%02x", p[i]);
	}
}

static bool plain(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == '\\' || p[i] == '"')
			return false;
	return len > 0;
}

/* The type a prefix forces, 0 without one; *@value is what follows it. */
static uint8_t id_forced(const char *text, const char **value)
{
	static const struct {
		const char *prefix;
		uint8_t type;
	} forms[] = {
		{ "fqdn:", IKE_ID_FQDN }, { "email:", IKE_ID_RFC822 }, { "keyid:", IKE_ID_KEY_ID },
		{ "ipv4:", IKE_ID_IPV4 }, { "ipv6:", IKE_ID_IPV6 },    { "dn:", IKE_ID_DER_DN },
	};

	*value = text;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t n = strlen(forms[i].prefix);

		if (strncasecmp(text, forms[i].prefix, n))
			continue;
		*value = text + n;
		return forms[i].type;
	}
	return 0;
}

/* A host name, and not an address with a slip: its last character is no digit of one. */
static bool name_like(const char *text)
{
	for (const char *s = text; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-._", *s))
			return false;
	return text[strspn(text, "0123456789.")];
}

/* The type a bare word would be taken for; 0 if it is none. */
static uint8_t id_guess(const char *text)
{
	struct ike_addr a;
	const char *value;

	if (id_forced(text, &value))
		return 0;
	if (!ike_addr_from_text(text, &a))
		return a.family == 4 ? IKE_ID_IPV4 : IKE_ID_IPV6;
	if (ike_dn_is_meant(text) || (strchr(text, '=') && !strchr(text, '@')))
		return IKE_ID_DER_DN;
	if (strchr(text, '@'))
		return strchr(text + (text[0] == '*' && text[1] == '@'), '*') ? 0 : IKE_ID_RFC822;
	if (text[0] == '*' && text[1] == '.')
		text += 2;
	return name_like(text) ? IKE_ID_FQDN : 0;
}

/* FQDN and e-mail: bare if the word alone would be read as the same identity. */
static void id_name_add(struct text *out, const struct ike_id *id)
{
	char bare[IKE_MAX_ID + 1];

	memcpy(bare, id->data, id->len);
	bare[id->len] = '\0';
	if (!plain(id->data, id->len) || id_guess(bare) != id->type)
		text_add(out, id->type == IKE_ID_FQDN ? "fqdn:" : "email:");
	bytes_add(out, id->data, id->len);
}

/* A DN is a text if that is read as the same DN. */
static void id_dn_add(struct text *out, const struct ike_id *id)
{
	char text[4 * IKE_MAX_ID];
	struct text dn = text_init(text, sizeof(text));
	uint8_t again[IKE_MAX_ID];
	const char *fault;
	size_t len;

	if (ike_dn_add(&dn, id->data, id->len) &&
	    !ike_dn_from_text(text, again, sizeof(again), &len, &fault) &&
	    !ike_dn_cmp(id->data, id->len, again, len)) {
		text_add(out, "%s", text);
		return;
	}
	text_add(out, "dn:0x");
	text_add_hex(out, id->data, id->len);
}

char *ike_id_print(char *buf, size_t size, const struct ike_id *id)
{
	struct text out = text_init(buf, size);
	char addr[INET6_ADDRSTRLEN];

	switch (id->type) {
	case 0: text_add(&out, "any"); break;
	case IKE_ID_IPV4:
	case IKE_ID_IPV6:
		inet_ntop(id->type == IKE_ID_IPV4 ? AF_INET : AF_INET6, id->data, addr,
			  sizeof(addr));
		text_add(&out, "%s", addr);
		break;
	case IKE_ID_FQDN:
	case IKE_ID_RFC822: id_name_add(&out, id); break;
	case IKE_ID_KEY_ID:
		if (plain(id->data, id->len) &&
		    strncmp((const char *)id->data, "0x", id->len < 2 ? 1 : 2)) {
			text_add(&out, "keyid:");
			bytes_add(&out, id->data, id->len);
			break;
		}
		text_add(&out, "keyid:0x");
		text_add_hex(&out, id->data, id->len);
		break;
	case IKE_ID_DER_DN: id_dn_add(&out, id); break;
	default: text_add(&out, "type%u:0x", id->type); text_add_hex(&out, id->data, id->len);
	}
	return buf;
}

static int id_hex(const char *text, struct ike_id *id)
{
	size_t len;

	if (ike_hex_from_text(text, id->data, sizeof(id->data), &len))
		return -1;
	id->len = (uint16_t)len;
	return 0;
}

static int id_dn(const char *text, struct ike_id *id)
{
	const char *fault;
	size_t len;

	if (ike_dn_from_text(text, id->data, sizeof(id->data), &len, &fault))
		return -1;
	id->len = (uint16_t)len;
	return 0;
}

/* The value of an identity whose type is known. */
static int id_value(const char *text, struct ike_id *id)
{
	struct ike_addr a;
	size_t n = strlen(text);

	if (id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6) {
		if (ike_addr_from_text(text, &a) || a.family != (id->type == IKE_ID_IPV4 ? 4 : 6))
			return -1;
		id->len = a.family == 4 ? 4 : 16;
		memcpy(id->data, a.b, id->len);
		return 0;
	}
	if ((id->type == IKE_ID_KEY_ID || id->type == IKE_ID_DER_DN) && !strncmp(text, "0x", 2))
		return id_hex(text + 2, id);
	if (id->type == IKE_ID_DER_DN)
		return id_dn(text, id);
	if (!plain((const uint8_t *)text, n) || n > sizeof(id->data))
		return -1;
	if (id->type == IKE_ID_RFC822 &&
	    (text[0] == '@' || !strchr(text, '@') || text[n - 1] == '@'))
		return -1;
	memcpy(id->data, text, n);
	id->len = (uint16_t)n;
	return 0;
}

/* What is wrong with an identity, in other programs' notations, too. */
static const char *id_fault(const char *text)
{
	static const struct {
		const char *start, *fault;
	} notations[] = {
		{ "%any", "any peer is written any" },
		{ "%", "words with % belong to ipsec.conf" },
		{ "@#", "a key ID of strongSwan is written keyid:0xHEX" },
		{ "@", "a host name is written without @" },
	};
	const char *value, *fault;
	uint8_t dn[IKE_MAX_ID];
	size_t len;

	for (size_t i = 0; i < sizeof(notations) / sizeof(notations[0]); i++)
		if (!strncmp(text, notations[i].start, strlen(notations[i].start)))
			return notations[i].fault;
	if ((id_forced(text, &value) == IKE_ID_DER_DN && strncmp(value, "0x", 2)) ||
	    id_guess(text) == IKE_ID_DER_DN)
		return ike_dn_from_text(value, dn, sizeof(dn), &len, &fault) ? fault : "";
	if (id_forced(text, &value))
		return "this does not go with its prefix";
	if (strchr(text, '*'))
		return "a wildcard is written *.DOMAIN, *@DOMAIN or CN=*";
	if (*text && !text[strspn(text, "0123456789.")])
		return "this is no IPv4 address";
	return "this is no identity";
}

int ike_id_from_text(const char *text, struct ike_id *id, char *err, size_t err_size)
{
	const char *value;

	memset(id, 0, sizeof(*id));
	id->type = id_forced(text, &value);
	if (!id->type)
		id->type = id_guess(text);
	if (id->type && !id_value(value, id))
		return 0;
	memset(id, 0, sizeof(*id));
	snprintf(err, err_size,
		 "%s; expected an identity: an address, a host name, user@host, C=CH, O=EXAMPLE, "
		 "CN=NAME, keyid:TEXT or keyid:0xHEX",
		 id_fault(text));
	return -1;
}

/* So many octets of it compare with their case. */
static uint16_t id_exact(const struct ike_id *id)
{
	const uint8_t *at;

	if (id->type == IKE_ID_FQDN)
		return 0;
	if (id->type != IKE_ID_RFC822)
		return id->len;
	/* The local part's case matters (RFC 5321 2.4). */
	at = id->len ? memrchr(id->data, '@', id->len) : NULL;
	return at ? (uint16_t)(at - id->data) : id->len;
}

int ike_id_cmp(const struct ike_id *a, const struct ike_id *b)
{
	uint16_t exact = id_exact(a);
	int order;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->type == IKE_ID_DER_DN)
		return ike_dn_cmp(a->data, a->len, b->data, b->len);
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (exact != id_exact(b))
		return exact < id_exact(b) ? -1 : 1;
	order = memcmp(a->data, b->data, exact);
	for (uint16_t i = exact; !order && i < a->len; i++) {
		uint8_t x = a->data[i], y = b->data[i];

		x |= (x >= 'A' && x <= 'Z') ? 0x20 : 0;
		y |= (y >= 'A' && y <= 'Z') ? 0x20 : 0;
		order = x - y;
	}
	return order;
}

bool ike_id_eq(const struct ike_id *a, const struct ike_id *b)
{
	return !ike_id_cmp(a, b);
}

uint32_t ike_id_hash(const struct ike_id *id)
{
	return id->type == IKE_ID_DER_DN ? ike_dn_hash(id->data, id->len)
					 : hash_lower(id->data, id->len);
}

bool ike_id_is_wildcard(const struct ike_id *id)
{
	char after = id->type == IKE_ID_FQDN ? '.' : '@';

	if (id->type == IKE_ID_DER_DN)
		return ike_dn_has_wildcard(id->data, id->len);
	return (id->type == IKE_ID_FQDN || id->type == IKE_ID_RFC822) && id->len > 2 &&
	       id->data[0] == '*' && id->data[1] == after;
}

/* The last @len octets of @id. */
static struct ike_id id_end(const struct ike_id *id, uint16_t len)
{
	struct ike_id end = { .type = id->type, .len = len };

	memcpy(end.data, id->data + id->len - len, len);
	return end;
}

bool ike_id_matches(const struct ike_id *id, const struct ike_id *want)
{
	struct ike_id end, want_end;

	if (!want->type || !ike_id_is_wildcard(want))
		return !want->type || ike_id_eq(id, want);
	if (id->type == IKE_ID_DER_DN && want->type == IKE_ID_DER_DN)
		return ike_dn_matches(id->data, id->len, want->data, want->len);
	/* The "*" stands for one octet at least. */
	if (id->type != want->type || id->len < want->len)
		return false;
	end = id_end(id, (uint16_t)(want->len - 1));
	want_end = id_end(want, (uint16_t)(want->len - 1));
	return ike_id_eq(&end, &want_end);
}
