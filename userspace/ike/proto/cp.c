// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Codec of the configuration payload (RFC 7296 3.15). The core reads one from IKE_AUTH and
 * INFORMATIONAL messages, both roles alike; what it does with that is in ext/x_config.c.
 */
#include "ike/proto/cp.h"

#include "ike/proto/addr.h"

enum {
	TYPE_MASK = 0x7fff, /* the bit above is reserved */
	MAX_DOMAIN = 253,
	PREFIX_ANY = 128, /* of an IPv6 address: the whole of it */
};

/* What the value of an attribute is. */
enum cp_kind { NOTHING, ADDRESS, SERVER, SUBNET, DOMAIN, VERSION, SUPPORTED };

static const struct row {
	uint16_t number;
	enum cp_kind kind;
	uint8_t family;
} rows[IKE_CP_ROWS] = {
#define CP_ATTR(name, number, kind, family, rfc) { number, kind, family },
#include "ike/proto/cp.def"
#undef CP_ATTR
};

/* ---- reading --------------------------------------------------------------------- */

static size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static struct ike_addr read_addr(struct cursor *c, uint8_t family)
{
	struct ike_addr a = { .family = family };

	cursor_copy(c, a.b, addr_len(family));
	return a;
}

/* Bits of a netmask; -1 if there are gaps. */
static int mask_len(uint32_t mask)
{
	int len = 0;

	for (; mask & 0x80000000; mask <<= 1)
		len++;
	return mask ? -1 : len;
}

/* An IPv6 address has a prefix length behind it, which says nothing about a tunnel. */
static void take_address(struct ike_cp *cp, struct cursor *c, uint8_t family)
{
	struct ike_addr a = read_addr(c, family), *to = &cp->address[family == 6];

	if (family == 6)
		cursor_u8(c);
	if (!c->bad && !c->left && !to->family)
		*to = a;
}

static void take_server(struct ike_cp *cp, struct cursor *c, uint8_t family)
{
	struct ike_addr a = read_addr(c, family);

	if (!c->bad && !c->left && cp->n_servers < IKE_CP_SERVERS)
		cp->server[cp->n_servers++] = a;
}

static void take_subnet(struct ike_cp *cp, struct cursor *c, uint8_t family)
{
	struct ike_cp_subnet s = { .addr = read_addr(c, family) };
	int len = family == 4 ? mask_len(cursor_be32(c)) : cursor_u8(c);

	if (c->bad || c->left || len < 0 || len > (family == 4 ? 32 : 128) ||
	    cp->n_subnets == IKE_CP_SUBNETS)
		return;
	s.len = (uint8_t)len;
	ike_addr_to_net(&s.addr, s.len);
	cp->subnet[cp->n_subnets++] = s;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* Letters, digits, hyphens and dots, in the middle alone: other programs get it as an argument. */
static bool is_domain(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_name_char(name[i]) || (name[i] == '.' && (!i || name[i - 1] == '.')))
			return false;
	}
	return len && len <= MAX_DOMAIN && name[0] != '-' && name[len - 1] != '.';
}

bool ike_cp_add_domain(char domains[IKE_CP_DOMAINS], const char *name, size_t len)
{
	size_t used = strlen(domains);

	if (len && name[len - 1] == '.') /* as some write what is whole */
		len--;
	if (!is_domain(name, len) || used + len + 2 > IKE_CP_DOMAINS)
		return false;
	if (used)
		domains[used++] = ' ';
	memcpy(domains + used, name, len);
	domains[used + len] = 0;
	return true;
}

bool ike_cp_domains_ok(const char *domains)
{
	char again[IKE_CP_DOMAINS] = "";
	size_t len;

	for (const char *at = domains; *at; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		if (!ike_cp_add_domain(again, at, len))
			return false;
	}
	return !strcmp(again, domains);
}

bool ike_cp_odd_domains(const struct ike_cp *cp)
{
	return (cp->has & IKE_CP_HAS(DNS_DOMAIN)) && !*cp->domains;
}

static void take_version(struct ike_cp *cp, const struct cursor *c)
{
	size_t len = c->left < sizeof(cp->version) ? c->left : sizeof(cp->version) - 1;

	for (size_t i = 0; i < len; i++)
		cp->version[i] = c->p[i] > ' ' && c->p[i] < 0x7f ? (char)c->p[i] : ' ';
	memset(cp->version + len, 0, sizeof(cp->version) - len);
}

/* An attribute that is in cp.def. */
static void take_attribute(struct ike_cp *cp, const struct row *r, struct cursor *c)
{
	cp->has |= 1u << (r - rows);
	if (!c->left)
		return;
	switch (r->kind) {
	case ADDRESS: take_address(cp, c, r->family); break;
	case SERVER: take_server(cp, c, r->family); break;
	case SUBNET: take_subnet(cp, c, r->family); break;
	case DOMAIN: ike_cp_add_domain(cp->domains, (const char *)c->p, c->left); break;
	case VERSION: take_version(cp, c); break;
	case SUPPORTED:
	case NOTHING: break;
	}
}

int ike_cp_parse(const struct ike_payload *p, struct ike_cp *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	memset(out, 0, sizeof(*out));
	out->type = cursor_u8(&c);
	cursor_bytes(&c, 3);
	while (c.left && !c.bad) {
		uint16_t number = cursor_be16(&c) & TYPE_MASK;
		struct cursor value = cursor_sub(&c, cursor_be16(&c));

		for (unsigned int i = 0; i < IKE_CP_ROWS && !c.bad; i++) {
			if (rows[i].number == number)
				take_attribute(out, &rows[i], &value);
		}
	}
	return c.bad ? -IKE_N_INVALID_SYNTAX : 0;
}

/* ---- writing --------------------------------------------------------------------- */

/* The head of an attribute whose value has @len bytes. */
static void put_head(struct writer *w, uint16_t number, size_t len)
{
	writer_be16(w, number);
	writer_be16(w, (uint16_t)len);
}

static unsigned int put_address(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	const struct ike_addr *a = &cp->address[r->family == 6];

	if (!a->family)
		return 0;
	put_head(w, r->number, r->family == 4 ? 4 : 17);
	writer_bytes(w, a->b, addr_len(r->family));
	if (r->family == 6)
		writer_u8(w, PREFIX_ANY);
	return 1;
}

static unsigned int put_servers(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < cp->n_servers; i++) {
		if (cp->server[i].family != r->family)
			continue;
		put_head(w, r->number, addr_len(r->family));
		writer_bytes(w, cp->server[i].b, addr_len(r->family));
		n++;
	}
	return n;
}

static unsigned int put_subnets(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < cp->n_subnets; i++) {
		const struct ike_cp_subnet *s = &cp->subnet[i];

		if (s->addr.family != r->family)
			continue;
		put_head(w, r->number, r->family == 4 ? 8 : 17);
		writer_bytes(w, s->addr.b, addr_len(r->family));
		if (r->family == 4)
			writer_be32(w, s->len ? UINT32_MAX << (32 - s->len) : 0);
		else
			writer_u8(w, s->len);
		n++;
	}
	return n;
}

static unsigned int put_domains(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	const char *at = cp->domains;
	unsigned int n = 0;

	while (*at) {
		size_t len = strcspn(at, " ");

		put_head(w, r->number, len);
		writer_bytes(w, at, len);
		at += len + (at[len] == ' ');
		n++;
	}
	return n;
}

static unsigned int put_text(struct writer *w, const struct row *r, const char *text)
{
	size_t len = strlen(text);

	if (!len)
		return 0;
	put_head(w, r->number, len);
	writer_bytes(w, text, len);
	return 1;
}

/* Those that are answered. */
static unsigned int put_supported(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	unsigned int n = 0;

	if (cp->type != IKE_CP_REPLY)
		return 0;
	for (unsigned int i = 0; i < IKE_CP_ROWS; i++)
		n += rows[i].kind != NOTHING;
	put_head(w, r->number, 2 * n);
	for (unsigned int i = 0; i < IKE_CP_ROWS; i++) {
		if (rows[i].kind != NOTHING)
			writer_be16(w, rows[i].number);
	}
	return 1;
}

/* All values of its kind that @cp has; how many. */
static unsigned int put_values(struct writer *w, const struct row *r, const struct ike_cp *cp)
{
	switch (r->kind) {
	case ADDRESS: return put_address(w, r, cp);
	case SERVER: return put_servers(w, r, cp);
	case SUBNET: return put_subnets(w, r, cp);
	case DOMAIN: return put_domains(w, r, cp);
	case VERSION: return put_text(w, r, cp->version);
	case SUPPORTED: return put_supported(w, r, cp);
	case NOTHING: break;
	}
	return 0;
}

void ike_build_cp(struct ike_builder *b, const struct ike_cp *cp)
{
	uint8_t body[IKE_CP_BODY];
	struct writer w = writer_init(body, sizeof(body));

	writer_be32(&w, (uint32_t)cp->type << 24);
	for (unsigned int i = 0; i < IKE_CP_ROWS; i++) {
		if ((cp->has >> i & 1) && !put_values(&w, &rows[i], cp))
			put_head(&w, rows[i].number, 0);
	}
	b->w.bad |= w.bad;
	ike_build_payload(b, IKE_PL_CP, body, w.len);
}
