// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distinguished names. A Name is a SEQUENCE of levels (RelativeDistinguishedName), each a SET of
 * attributes, each a SEQUENCE of an OID and a value. Names are compared in a canonical form, which is
 * made level by level: strings in UTF-8, ASCII letters small, spaces single, the attributes of a level
 * sorted.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "ike/proto/cursor.h"
#include "ike/proto/dn.h"

enum der_tag {
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_T61 = 0x14, /* as if it were ISO 8859-1, which is what it has in practice */
	DER_IA5 = 0x16,
	DER_VISIBLE = 0x1a,
	DER_UNIVERSAL = 0x1c, /* 4 bytes a letter */
	DER_BMP = 0x1e, /* 2 bytes a letter */
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

enum {
	MAX_OID = 32,
	MAX_ATTRIBUTES = 8, /* of one level */
	MAX_LEVEL = 2048, /* bytes of a level's canonical form */
	MAX_TEXT_VALUE = 256, /* bytes of one value in a text */
};

#define OID(...)                                  \
	sizeof((const uint8_t[]){ __VA_ARGS__ }), \
	{                                         \
		__VA_ARGS__                       \
	}
static const struct attribute {
	const char *name; /* that of the first row with an OID is printed */
	bool ia5; /* an IA5String */
	uint8_t len;
	uint8_t oid[MAX_OID];
} attributes[] = {
	{ "C", false, OID(0x55, 4, 6) },
	{ "ST", false, OID(0x55, 4, 8) },
	{ "L", false, OID(0x55, 4, 7) },
	{ "O", false, OID(0x55, 4, 10) },
	{ "OU", false, OID(0x55, 4, 11) },
	{ "CN", false, OID(0x55, 4, 3) },
	{ "E", true, OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1) },
	{ "emailAddress", true, OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1) },
	{ "DC", true, OID(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25) },
	{ "UID", false, OID(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1) },
	{ "serialNumber", false, OID(0x55, 4, 5) },
	{ "surname", false, OID(0x55, 4, 4) },
	{ "givenName", false, OID(0x55, 4, 42) },
	{ "title", false, OID(0x55, 4, 12) },
	{ "street", false, OID(0x55, 4, 9) },
	{ "dnQualifier", false, OID(0x55, 4, 46) },
	{ "unstructuredName", false, OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2) },
};
#undef OID

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* ---- DER ------------------------------------------------------------------------- */

/* The value of the next element, which has @tag unless that is 0; *@found is its tag. */
static struct cursor take_element(struct cursor *c, uint8_t tag, uint8_t *found)
{
	uint8_t is = cursor_u8(c);
	size_t len = cursor_u8(c);

	if (found)
		*found = is;
	if (len == 0x81) {
		len = cursor_u8(c);
		c->bad |= len < 0x80;
	} else if (len == 0x82) {
		len = cursor_be16(c);
		c->bad |= len < 0x100;
	} else if (len >= 0x80) {
		c->bad = true;
	}
	/* Tags of more than one byte are of no string. */
	c->bad |= (tag && is != tag) || (is & 0x1f) == 0x1f;
	return cursor_sub(c, len);
}

struct ava { /* AttributeTypeAndValue */
	struct cursor oid, value;
	uint8_t type; /* tag of the value */
};

static bool take_ava(struct cursor *level, struct ava *a)
{
	struct cursor c = take_element(level, DER_SEQUENCE, NULL);

	a->oid = take_element(&c, DER_OID, NULL);
	a->value = take_element(&c, 0, &a->type);
	return !level->bad && !c.bad && !c.left && a->oid.left && a->oid.left <= MAX_OID;
}

/* The levels of a whole name; bad if the bytes are none. */
static struct cursor open_name(const uint8_t *der, size_t len)
{
	struct cursor c = cursor_init(der, len);
	struct cursor name = take_element(&c, DER_SEQUENCE, NULL);

	name.bad |= c.bad || c.left;
	return name;
}

static void add_element(struct writer *w, uint8_t tag, const void *value, size_t len)
{
	writer_u8(w, tag);
	if (len >= 0x100) {
		writer_u8(w, 0x82);
		writer_be16(w, (uint16_t)len);
	} else {
		if (len >= 0x80)
			writer_u8(w, 0x81);
		writer_u8(w, (uint8_t)len);
	}
	writer_bytes(w, value, len);
}

/* ---- strings --------------------------------------------------------------------- */

static bool is_string(uint8_t type)
{
	switch (type) {
	case DER_UTF8:
	case DER_NUMERIC:
	case DER_PRINTABLE:
	case DER_T61:
	case DER_IA5:
	case DER_VISIBLE:
	case DER_UNIVERSAL:
	case DER_BMP: return true;
	default: return false;
	}
}

static size_t letter_width(uint8_t type)
{
	return type == DER_UNIVERSAL ? 4 : type == DER_BMP ? 2 : 1;
}

static void add_utf8(struct writer *w, uint32_t letter)
{
	if (letter < 0x80) {
		writer_u8(w, (uint8_t)letter);
	} else if (letter < 0x800) {
		writer_u8(w, (uint8_t)(0xc0 | letter >> 6));
		writer_u8(w, (uint8_t)(0x80 | (letter & 0x3f)));
	} else if (letter < 0x10000) {
		writer_u8(w, (uint8_t)(0xe0 | letter >> 12));
		writer_u8(w, (uint8_t)(0x80 | (letter >> 6 & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | (letter & 0x3f)));
	} else {
		writer_u8(w, (uint8_t)(0xf0 | (letter >> 18 & 7)));
		writer_u8(w, (uint8_t)(0x80 | (letter >> 12 & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | (letter >> 6 & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | (letter & 0x3f)));
	}
}

/* The string in UTF-8. What claims to be UTF-8 and is not stays as it is. */
static void add_string(struct writer *w, uint8_t type, struct cursor value)
{
	size_t width = letter_width(type);

	if (type != DER_T61 && width == 1) {
		writer_bytes(w, value.p, value.left);
		return;
	}
	while (value.left) {
		uint32_t letter = width == 4   ? cursor_be32(&value)
				  : width == 2 ? cursor_be16(&value)
					       : cursor_u8(&value);

		if (value.bad || letter > 0x10ffff) {
			w->bad = true;
			return;
		}
		add_utf8(w, letter);
	}
}

/* Fold @len bytes at @p in place; the new length. */
static size_t fold_string(uint8_t *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == ' ' && (!n || p[n - 1] == ' '))
			continue;
		p[n++] = p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i];
	}
	return n && p[n - 1] == ' ' ? n - 1 : n;
}

/* ---- the canonical form ---------------------------------------------------------- */

/*
 * A level: the number of its attributes, then of each the OID's length, the OID, 0 for a string or
 * else the tag, the value's length in two bytes, the value.
 */
struct level {
	uint8_t b[MAX_LEVEL];
	size_t len;
};

static void add_canonical(struct writer *w, const struct ava *a)
{
	size_t at;

	writer_u8(w, (uint8_t)a->oid.left);
	writer_bytes(w, a->oid.p, a->oid.left);
	writer_u8(w, is_string(a->type) ? 0 : a->type);
	at = w->len;
	writer_be16(w, 0);
	if (!is_string(a->type)) {
		writer_bytes(w, a->value.p, a->value.left);
	} else {
		add_string(w, a->type, a->value);
		if (!w->bad)
			w->len = at + 2 + fold_string(w->buf + at + 2, w->len - at - 2);
	}
	writer_patch_be16(w, at, (uint16_t)(w->len - at - 2));
}

struct span {
	size_t at, len;
};

static int span_cmp(const uint8_t *b, struct span x, struct span y)
{
	int order = memcmp(b + x.at, b + y.at, x.len < y.len ? x.len : y.len);

	return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* The next level of @name; false if there is none, or, with @name bad, if it is none. */
static bool take_level(struct cursor *name, struct level *out)
{
	struct span sorted[MAX_ATTRIBUTES];
	struct cursor set;
	uint8_t raw[MAX_LEVEL];
	struct writer w = writer_init(raw, sizeof(raw) - 1);
	unsigned int n = 0, i;
	struct ava a;

	if (name->bad || !name->left)
		return false;
	set = take_element(name, DER_SET, NULL);
	while (set.left && n < MAX_ATTRIBUTES && take_ava(&set, &a)) {
		struct span s = { .at = w.len };

		add_canonical(&w, &a);
		s.len = w.len - s.at;
		for (i = n++; i && span_cmp(raw, s, sorted[i - 1]) < 0; i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = s;
	}
	if (name->bad || set.bad || set.left || !n || w.bad) {
		name->bad = true;
		return false;
	}
	out->b[0] = (uint8_t)n;
	out->len = 1;
	for (i = 0; i < n; i++) {
		memcpy(out->b + out->len, raw + sorted[i].at, sorted[i].len);
		out->len += sorted[i].len;
	}
	return true;
}

static bool is_name(const uint8_t *der, size_t len)
{
	struct cursor name = open_name(der, len);
	struct level level;

	while (take_level(&name, &level))
		;
	return !name.bad;
}

static int bytes_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : a_len < b_len ? -1 : a_len > b_len;
}

int ike_dn_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	struct cursor x = open_name(a, a_len), y = open_name(b, b_len);
	bool a_is = is_name(a, a_len), b_is = is_name(b, b_len), more, less;
	struct level p, q;
	int order = 0;

	if (!a_is || !b_is)
		return a_is != b_is ? (a_is ? 1 : -1) : bytes_cmp(a, a_len, b, b_len);
	do {
		more = take_level(&x, &p);
		less = take_level(&y, &q);
		if (more && less)
			order = bytes_cmp(p.b, p.len, q.b, q.len);
	} while (!order && more && less);
	return order ? order : more - less;
}

uint32_t ike_dn_hash(const uint8_t *der, size_t len)
{
	struct cursor name = open_name(der, len);
	struct level level;
	uint32_t hash = 0;

	while (take_level(&name, &level))
		hash = hash * 31 + hash_lower(level.b, level.len);
	return name.bad ? hash_lower(der, len) : hash;
}

/* Is the value of the level's one attribute "*"? */
static bool is_wildcard(const struct level *l)
{
	static const uint8_t any[] = { 0, 0, 1, '*' };

	return l->b[0] == 1 && l->len == 2u + l->b[1] + sizeof(any) &&
	       !memcmp(l->b + 2 + l->b[1], any, sizeof(any));
}

bool ike_dn_has_wildcard(const uint8_t *der, size_t len)
{
	struct cursor name = open_name(der, len);
	struct level l;
	bool found = false;

	while (take_level(&name, &l))
		found |= is_wildcard(&l);
	return found && !name.bad;
}

static bool level_matches(const struct level *l, const struct level *want)
{
	size_t before = 2u + want->b[1]; /* number and OID */

	if (is_wildcard(want))
		/* Behind the OID: string or not, and the value with its length. */
		return l->len > before + 3 && !memcmp(l->b, want->b, before);
	return l->len == want->len && !memcmp(l->b, want->b, l->len);
}

bool ike_dn_matches(const uint8_t *der, size_t len, const uint8_t *want, size_t want_len)
{
	struct cursor x = open_name(der, len), y = open_name(want, want_len);
	struct level p, q;
	bool more, less;

	if (!is_name(der, len) || !is_name(want, want_len))
		return false;
	do {
		more = take_level(&x, &p);
		less = take_level(&y, &q);
		if (more && less && !level_matches(&p, &q))
			return false;
	} while (more && less);
	return more == less;
}

/* ---- printing -------------------------------------------------------------------- */

/* A number of an OID in base 128; 0 and bad if it is none, or too large for anybody. */
static uint32_t take_arc(struct cursor *c)
{
	uint32_t arc = 0;
	uint8_t b;

	do {
		b = cursor_u8(c);
		c->bad |= arc >> 25 != 0;
		arc = arc << 7 | (b & 0x7f);
	} while (b & 0x80 && !c->bad);
	return arc;
}

static void add_oid(struct text *out, struct cursor oid)
{
	uint32_t first = take_arc(&oid);
	uint32_t root = first < 80 ? first / 40 : 2;

	text_add(out, "%u.%u", root, first - 40 * root);
	while (oid.left && !oid.bad)
		text_add(out, ".%u", take_arc(&oid));
}

static void add_attribute(struct text *out, struct cursor oid)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		if (oid.left == attributes[i].len &&
		    !memcmp(oid.p, attributes[i].oid, attributes[i].len)) {
			text_add(out, "%s", attributes[i].name);
			return;
		}
	}
	add_oid(out, oid);
}

static void add_value(struct text *out, const struct ava *a)
{
	uint8_t b[2 * MAX_LEVEL];
	struct writer w = writer_init(b, sizeof(b));

	if (is_string(a->type))
		add_string(&w, a->type, a->value);
	if (!is_string(a->type) || w.bad) {
		text_add(out, "#");
		text_add_hex(out, a->value.p, a->value.left);
		return;
	}
	for (size_t i = 0; i < w.len; i++) {
		bool edge = !i || i + 1 == w.len;

		if (strchr(",+;<>", b[i]) && b[i])
			text_add(out, "\\%c", b[i]);
		else if (b[i] < ' ' || b[i] > '~' || b[i] == '\\' || b[i] == '"' ||
			 (edge && (b[i] == ' ' || b[i] == '#')))
			text_add(out, "\\%02x", b[i]);
		else
			text_add(out, "%c", b[i]);
	}
}

bool ike_dn_add(struct text *out, const uint8_t *der, size_t len)
{
	struct cursor name = open_name(der, len);
	const char *before = "";
	struct ava a;

	while (!name.bad && name.left) {
		struct cursor set = take_element(&name, DER_SET, NULL);

		if (name.bad || !set.left)
			return false;
		while (set.left) {
			if (!take_ava(&set, &a))
				return false;
			text_add(out, "%s", before);
			add_attribute(out, a.oid);
			text_add(out, "=");
			add_value(out, &a);
			before = "+";
		}
		before = ", ";
	}
	return !name.bad;
}

/* ---- reading --------------------------------------------------------------------- */

struct parse {
	const char *s; /* what is left */
	const char *fault;
};

static void skip_spaces(struct parse *p)
{
	p->s += strspn(p->s, " \t");
}

static const struct attribute *find_attribute(const char *name, size_t len)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++)
		if (strlen(attributes[i].name) == len &&
		    !strncasecmp(attributes[i].name, name, len))
			return &attributes[i];
	return NULL;
}

bool ike_dn_is_meant(const char *text)
{
	size_t n = strcspn(text, " \t=");

	return find_attribute(text, n) && text[n + strspn(text + n, " \t")] == '=';
}

static const struct attribute *read_attribute(struct parse *p)
{
	size_t n = strcspn(p->s, " \t=,+");
	const struct attribute *a = find_attribute(p->s, n);

	if (!a && n == 2 && !strncasecmp(p->s, "SN", 2))
		p->fault =
			"SN is serialNumber to some programs and surname to others, so write one "
			"of these";
	else if (!a && n == 1 && toupper((unsigned char)*p->s) == 'S')
		p->fault =
			"S is ST (state) to some programs and surname to others, so write one of "
			"these";
	else if (!a)
		p->fault = "a distinguished name has attributes C, ST, L, O, OU, CN, E, DC, UID, "
			   "serialNumber and a few others";
	p->s += n;
	skip_spaces(p);
	if (a && *p->s != '=')
		p->fault = "an attribute of a distinguished name is followed by = and its value";
	if (p->fault)
		return NULL;
	p->s++;
	skip_spaces(p);
	return a;
}

/* What a backslash stands for. */
static void read_escaped(struct parse *p, struct writer *w)
{
	char pair[3] = "";
	uint8_t byte;
	size_t n;

	if (*p->s && strchr(",+;<>\\\"=# ", *p->s)) {
		writer_u8(w, (uint8_t)*p->s++);
		return;
	}
	strncpy(pair, p->s, 2);
	if (ike_hex_from_text(pair, &byte, 1, &n)) {
		p->fault = "a \\ in a distinguished name is followed by one of , + ; < > \\ or two "
			   "hexadecimal digits";
		return;
	}
	writer_u8(w, byte);
	p->s += 2;
}

/* A value up to the "," that ends it, without spaces around it. */
static size_t read_value(struct parse *p, uint8_t *value)
{
	struct writer w = writer_init(value, MAX_TEXT_VALUE);
	size_t end = 0; /* of what is no space, or was escaped */
	bool hex = *p->s == '#';

	while (*p->s && *p->s != ',' && !p->fault) {
		bool escaped = *p->s == '\\';

		if (strchr("\";+<>", *p->s) || (unsigned char)*p->s < ' ')
			p->fault =
				"in a value of a distinguished name \", ; + < and > are written with "
				"a \\ before them";
		else if (escaped && p->s++)
			read_escaped(p, &w);
		else
			writer_u8(&w, (uint8_t)*p->s++);
		if (escaped || p->s[-1] != ' ')
			end = w.len;
	}
	if (!p->fault && w.bad)
		p->fault = "this distinguished name is too long";
	else if (!p->fault && !end)
		p->fault = "an attribute of a distinguished name has no value";
	else if (!p->fault && hex)
		p->fault = "a distinguished name with a value #HEX is written dn:0xHEX";
	return end;
}

static bool is_printable(const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (value[i] >= 0x80 || !value[i] ||
		    (!isalnum(value[i]) && !strchr(" '()+,-./:=?", value[i])))
			return false;
	return true;
}

static bool is_ascii(const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (value[i] >= 0x80)
			return false;
	return true;
}

static uint8_t choose_type(const struct attribute *a, const uint8_t *value, size_t len)
{
	if (a->ia5 && is_ascii(value, len))
		return DER_IA5;
	return is_printable(value, len) ? DER_PRINTABLE : DER_UTF8;
}

/* A level of one attribute. */
static void read_level(struct parse *p, struct writer *name)
{
	uint8_t value[MAX_TEXT_VALUE], ava[MAX_TEXT_VALUE + 64], set[MAX_TEXT_VALUE + 64];
	struct writer w = writer_init(ava, sizeof(ava)), v = writer_init(set, sizeof(set));
	const struct attribute *a;
	size_t len;

	skip_spaces(p);
	a = read_attribute(p);
	len = a ? read_value(p, value) : 0;
	if (p->fault)
		return;
	add_element(&w, DER_OID, a->oid, a->len);
	add_element(&w, choose_type(a, value, len), value, len);
	add_element(&v, DER_SEQUENCE, ava, w.len);
	add_element(name, DER_SET, set, v.len);
}

int ike_dn_from_text(const char *text, uint8_t *der, size_t cap, size_t *len, const char **fault)
{
	struct parse p = { .s = text };
	uint8_t b[512];
	struct writer name = writer_init(b, sizeof(b)), whole = writer_init(der, cap);

	read_level(&p, &name);
	while (!p.fault && *p.s == ',') {
		p.s++;
		read_level(&p, &name);
	}
	add_element(&whole, DER_SEQUENCE, b, name.len);
	if (!p.fault && (name.bad || whole.bad))
		p.fault = "this distinguished name is too long";
	*fault = p.fault;
	*len = whole.len;
	return p.fault ? -1 : 0;
}
