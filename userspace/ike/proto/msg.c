// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Codec of IKEv2 messages (RFC 7296 section 3).
 */
#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/proto/transform.h"

enum {
	GENERIC_LEN = 4, /* generic payload header, 3.2 */
	PROPOSAL_LEN = 8, /* 3.3.1 */
	TRANSFORM_LEN = 8, /* 3.3.2 */
	MORE_PROPOSALS = 2,
	MORE_TRANSFORMS = 3,
	ATTR_TV = 0x8000, /* the attribute's value stands in its length field, 3.3.5 */
	ATTR_KEY_LENGTH = 14,
	UNUSABLE = 0xffff, /* a transform with an attribute we do not know, 3.3.6 */
	CRITICAL = 0x80,
	TS_HEAD_LEN = 8, /* type, protocol, length, ports */
};

int ike_header_parse(const uint8_t *msg, size_t len, struct ike_header *h)
{
	struct cursor c = cursor_init(msg, len);

	memset(h, 0, sizeof(*h));
	cursor_copy(&c, h->spi_i, sizeof(h->spi_i));
	cursor_copy(&c, h->spi_r, sizeof(h->spi_r));
	h->next = cursor_u8(&c);
	h->version = cursor_u8(&c);
	h->exchange = cursor_u8(&c);
	h->flags = cursor_u8(&c);
	h->id = cursor_be32(&c);
	h->length = cursor_be32(&c);
	if (c.bad || len > IKE_MAX_MSG)
		return -IKE_N_INVALID_SYNTAX;
	if (h->version >> 4 != 2)
		return -IKE_N_INVALID_MAJOR_VERSION;
	if (h->length != len)
		return -IKE_N_INVALID_SYNTAX;
	return 0;
}

void ike_header_write(struct writer *w, const struct ike_header *h)
{
	writer_bytes(w, h->spi_i, sizeof(h->spi_i));
	writer_bytes(w, h->spi_r, sizeof(h->spi_r));
	writer_u8(w, h->next);
	writer_u8(w, h->version);
	writer_u8(w, h->exchange);
	writer_u8(w, h->flags);
	writer_be32(w, h->id);
	writer_be32(w, h->length);
}

/* RFC 7296 3.2: receivers must know all payloads of that document, whatever their critical bit. */
static bool payload_known(uint8_t type)
{
	switch (type) {
#define PAYLOAD(name, number, notation) case number:
#include "ike/proto/payload.def"
#undef PAYLOAD
		return true;
	default: return false;
	}
}

int ike_payloads_parse(uint8_t first, const uint8_t *body, size_t len, struct ike_payloads *out,
		       uint8_t *offender)
{
	struct cursor c = cursor_init(body, len);
	uint8_t type = first;
	bool last = false;

	out->n = 0;
	out->outer_flags = 0;
	*offender = 0;
	while (type != IKE_PL_NONE && !last) {
		struct ike_payload *p = &out->p[out->n];
		uint16_t size;

		if (out->n == IKE_MAX_PAYLOADS)
			return -IKE_N_INVALID_SYNTAX;
		p->type = type;
		p->next = cursor_u8(&c);
		p->flags = cursor_u8(&c);
		p->critical = p->flags & CRITICAL;
		size = cursor_be16(&c);
		if (c.bad || size < GENERIC_LEN)
			return -IKE_N_INVALID_SYNTAX;
		p->len = size - GENERIC_LEN;
		p->body = cursor_bytes(&c, p->len);
		if (c.bad)
			return -IKE_N_INVALID_SYNTAX;
		if (p->critical && !payload_known(type)) {
			*offender = type;
			return -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD;
		}
		out->n++;
		last = type == IKE_PL_SK || type == IKE_PL_SKF;
		type = p->next;
	}
	return c.left ? -IKE_N_INVALID_SYNTAX : 0;
}

const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->p[i].type == type)
			return &p->p[i];
	return NULL;
}

/*
 * Attributes of one transform. We know one, Key Length; a transform with any other, or
 * with a senseless one, is kept but never matches, for the proposal's other transforms
 * may still be used (RFC 7296 3.3.6).
 */
static int attributes_parse(struct cursor c, struct ike_transform *t)
{
	while (c.left && !c.bad) {
		uint16_t type = cursor_be16(&c);
		uint16_t value = cursor_be16(&c);

		if (!(type & ATTR_TV))
			cursor_bytes(&c, value);
		if (type != (ATTR_TV | ATTR_KEY_LENGTH) || !value || t->key_bits)
			t->id = UNUSABLE;
		else
			t->key_bits = value;
	}
	if (t->id == UNUSABLE)
		t->key_bits = 0;
	return c.bad ? -IKE_N_INVALID_SYNTAX : 0;
}

static int transform_parse(struct cursor *c, bool expect_more, struct ike_transform *t)
{
	uint8_t more = cursor_u8(c);
	uint16_t size;

	cursor_u8(c);
	size = cursor_be16(c);
	t->type = cursor_u8(c);
	cursor_u8(c);
	t->id = cursor_be16(c);
	t->key_bits = 0;
	if (c->bad || size < TRANSFORM_LEN || more != (expect_more ? MORE_TRANSFORMS : 0))
		return -IKE_N_INVALID_SYNTAX;
	return attributes_parse(cursor_sub(c, size - TRANSFORM_LEN), t);
}

/*
 * Keep @t if it may be chosen, or as one of a few examples of what may not; of types that we do not
 * know one is enough, for it spoils the proposal (3.3.6). Bit n of *@ours: number n of those that are
 * kept is ours; so that each transform of a long offer is looked up once.
 */
static void transform_keep(struct ike_proposal *p, const struct ike_transform *t, uint64_t *ours)
{
	const struct ike_type *type = ike_type_of(t->type);
	bool says_none = type && type->optional && !t->id, is_ours = ike_transform_ours(t);
	unsigned int foreign = 0, examples = type ? IKE_MAX_FOREIGN : 1;

	_Static_assert(IKE_MAX_TRANSFORMS <= 64, "each has a bit");

	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *kept = &p->t[i];

		if (kept->type == t->type && kept->id == t->id && kept->key_bits == t->key_bits)
			return;
		foreign += ike_type_of(kept->type) == type && !(*ours >> i & 1);
	}
	if (p->n == IKE_MAX_TRANSFORMS || (foreign >= examples && !is_ours && !says_none)) {
		p->left_out++;
		return;
	}
	*ours |= (uint64_t)is_ours << p->n;
	p->t[p->n++] = *t;
}

/* One proposal; *@more tells whether another follows. */
static int proposal_parse(struct cursor *sa, struct ike_proposal *p, bool *more)
{
	uint8_t last = cursor_u8(sa);
	struct ike_transform t = { 0 };
	uint64_t ours = 0;
	unsigned int n;
	struct cursor c;
	uint16_t size;

	cursor_u8(sa);
	size = cursor_be16(sa);
	if (sa->bad || size < PROPOSAL_LEN || (last != 0 && last != MORE_PROPOSALS))
		return -IKE_N_INVALID_SYNTAX;
	c = cursor_sub(sa, size - 4);
	memset(p, 0, sizeof(*p));
	p->num = cursor_u8(&c);
	p->protocol = cursor_u8(&c);
	p->spi_len = cursor_u8(&c);
	n = cursor_u8(&c);
	if (p->spi_len > sizeof(p->spi)) { /* no protocol we know has such an SPI */
		cursor_bytes(&c, p->spi_len);
		p->protocol = p->spi_len = 0;
	}
	cursor_copy(&c, p->spi, p->spi_len);
	while (n--) {
		if (transform_parse(&c, n, &t))
			return -IKE_N_INVALID_SYNTAX;
		transform_keep(p, &t, &ours);
	}
	*more = last == MORE_PROPOSALS;
	return c.bad || c.left ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_sa_parse(const struct ike_payload *p, struct ike_sa_payload *out)
{
	struct cursor c = cursor_init(p->body, p->len);
	bool more = true;

	for (out->n = 0; more; out->n++) {
		if (out->n == IKE_MAX_OFFER || proposal_parse(&c, &out->p[out->n], &more)) {
			out->n = 0;
			return -IKE_N_INVALID_SYNTAX;
		}
	}
	return c.left ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_ke_parse(const struct ike_payload *p, struct ike_ke *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	out->group = cursor_be16(&c);
	cursor_be16(&c);
	out->data = c.p;
	out->len = c.left;
	return c.bad || !out->len ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_nonce_parse(const struct ike_payload *p, const uint8_t **data, size_t *len)
{
	*data = p->body;
	*len = p->len;
	return p->len < IKE_MIN_NONCE || p->len > IKE_MAX_NONCE ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_id_parse(const struct ike_payload *p, struct ike_id *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	memset(out, 0, sizeof(*out));
	out->type = cursor_u8(&c);
	cursor_bytes(&c, 3);
	if (c.bad || !out->type || c.left > sizeof(out->data) ||
	    (out->type == IKE_ID_IPV4 && c.left != 4) ||
	    (out->type == IKE_ID_IPV6 && c.left != 16)) {
		out->type = 0;
		return -IKE_N_INVALID_SYNTAX;
	}
	out->len = (uint16_t)c.left;
	cursor_copy(&c, out->data, out->len);
	return 0;
}

int ike_auth_parse(const struct ike_payload *p, struct ike_auth *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	out->method = cursor_u8(&c);
	cursor_bytes(&c, 3);
	out->data = c.p;
	out->len = c.left;
	return c.bad || !out->len ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_cert_parse(const struct ike_payload *p, struct ike_cert *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	out->encoding = cursor_u8(&c);
	out->data = c.p;
	out->len = c.left;
	return c.bad ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_notify_parse(const struct ike_payload *p, struct ike_notify *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	out->protocol = cursor_u8(&c);
	out->spi_len = cursor_u8(&c);
	out->type = cursor_be16(&c);
	out->spi = cursor_bytes(&c, out->spi_len);
	out->data = c.p;
	out->len = c.left;
	return c.bad ? -IKE_N_INVALID_SYNTAX : 0;
}

int ike_delete_parse(const struct ike_payload *p, struct ike_delete *out)
{
	struct cursor c = cursor_init(p->body, p->len);

	out->protocol = cursor_u8(&c);
	out->spi_len = cursor_u8(&c);
	out->n = cursor_be16(&c);
	out->spis = c.p;
	if (c.bad)
		return -IKE_N_INVALID_SYNTAX;
	switch (out->protocol) {
	case IKE_PROTO_IKE: /* means the IKE SA it arrives on (3.11) */
		if (out->spi_len || c.left)
			return -IKE_N_INVALID_SYNTAX;
		out->n = 0;
		return 0;
	case IKE_PROTO_AH:
	case IKE_PROTO_ESP:
		if (out->spi_len != 4 || c.left != (size_t)out->n * 4)
			return -IKE_N_INVALID_SYNTAX;
		return 0;
	default: return -IKE_N_INVALID_SYNTAX;
	}
}

/* Ports from high to low mean only one thing, OPAQUE (RFC 7296 3.13.1). */
static bool ts_sound(const struct ike_ts *ts)
{
	bool opaque = ts->port_start == 65535 && ts->port_end == 0;

	return (opaque || ts->port_start <= ts->port_end) &&
	       memcmp(ts->start, ts->end, sizeof(ts->start)) <= 0;
}

/* One selector from @c, appended to @out; one of an unknown type is left out. */
static int ts_parse_one(struct cursor *c, struct ike_ts_payload *out)
{
	struct ike_ts ts = { 0 };
	uint8_t type = cursor_u8(c);
	size_t size, addr;
	struct cursor s;

	ts.protocol = cursor_u8(c);
	size = cursor_be16(c);
	if (c->bad || size < 4)
		return -IKE_N_INVALID_SYNTAX;
	s = cursor_sub(c, size - 4);
	if (s.bad)
		return -IKE_N_INVALID_SYNTAX;
	if (type != IKE_TS_IPV4 && type != IKE_TS_IPV6)
		return 0;
	ts.family = type == IKE_TS_IPV4 ? 4 : 6;
	addr = type == IKE_TS_IPV4 ? 4 : 16;
	ts.port_start = cursor_be16(&s);
	ts.port_end = cursor_be16(&s);
	cursor_copy(&s, ts.start, addr);
	cursor_copy(&s, ts.end, addr);
	if (s.bad || s.left || !ts_sound(&ts))
		return -IKE_N_INVALID_SYNTAX;
	out->ts[out->n++] = ts;
	return 0;
}

int ike_ts_parse(const struct ike_payload *p, struct ike_ts_payload *out)
{
	struct cursor c = cursor_init(p->body, p->len);
	unsigned int n = cursor_u8(&c);

	cursor_bytes(&c, 3);
	out->n = 0;
	for (unsigned int i = 0; i < n && !c.bad; i++) {
		if (ts_parse_one(&c, out)) {
			out->n = 0;
			return -IKE_N_INVALID_SYNTAX;
		}
	}
	return c.bad || c.left ? -IKE_N_INVALID_SYNTAX : 0;
}

bool ike_notify_find(const struct ike_payloads *p, uint16_t type, struct ike_notify *out)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->p[i].type == IKE_PL_NOTIFY && !ike_notify_parse(&p->p[i], out) &&
		    out->type == type)
			return true;
	memset(out, 0, sizeof(*out));
	return false;
}

uint16_t ike_notify_first_error(const struct ike_payloads *in)
{
	struct ike_notify n;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_NOTIFY && !ike_notify_parse(&in->p[i], &n) &&
		    n.type <= IKE_N_ERROR_MAX)
			return n.type;
	}
	return 0;
}

bool ike_offer_accepted(const struct ike_payloads *in)
{
	struct ike_notify n;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_NOTIFY && !ike_notify_parse(&in->p[i], &n) &&
		    n.type <= IKE_N_ERROR_MAX && !ike_notify_name(n.type))
			return false;
	}
	return ike_payload_find(in, IKE_PL_SA);
}

void ike_build_init(struct ike_builder *b, void *buf, size_t cap, const struct ike_header *h)
{
	struct ike_header head = *h;

	head.next = IKE_PL_NONE;
	head.length = 0;
	*b = (struct ike_builder){ .w = writer_init(buf, cap), .message = true };
	b->next_at = 2 * IKE_SPI_LEN;
	ike_header_write(&b->w, &head);
}

void ike_build_inner(struct ike_builder *b, void *buf, size_t cap, uint8_t *first)
{
	*first = IKE_PL_NONE;
	*b = (struct ike_builder){ .w = writer_init(buf, cap), .first = first };
}

/* Every payload is opened, written and closed; closing patches its length. */
static void payload_open(struct ike_builder *b, uint8_t type)
{
	if (b->w.bad)
		return;
	if (b->first)
		*b->first = type;
	else
		b->w.buf[b->next_at] = type;
	b->first = NULL;
	b->payload_at = b->next_at = b->w.len;
	writer_u8(&b->w, IKE_PL_NONE);
	writer_u8(&b->w, 0);
	writer_be16(&b->w, 0);
}

/* Write the distance from @from to here into the length field at @at. */
static void length_close(struct writer *w, size_t from, size_t at)
{
	if (w->bad)
		return;
	if (w->len - from > UINT16_MAX)
		w->bad = true;
	else
		writer_patch_be16(w, at, (uint16_t)(w->len - from));
}

static void payload_close(struct ike_builder *b)
{
	length_close(&b->w, b->payload_at, b->payload_at + 2);
}

void ike_build_payload(struct ike_builder *b, uint8_t type, const void *body, size_t len)
{
	payload_open(b, type);
	writer_bytes(&b->w, body, len);
	payload_close(b);
}

static void transform_write(struct writer *w, const struct ike_transform *t, bool more)
{
	writer_u8(w, more ? MORE_TRANSFORMS : 0);
	writer_u8(w, 0);
	writer_be16(w, TRANSFORM_LEN + (t->key_bits ? 4 : 0));
	writer_u8(w, t->type);
	writer_u8(w, 0);
	writer_be16(w, t->id);
	if (t->key_bits) {
		writer_be16(w, ATTR_TV | ATTR_KEY_LENGTH);
		writer_be16(w, t->key_bits);
	}
}

static void proposal_write(struct writer *w, const struct ike_proposal *p, bool more)
{
	size_t at = w->len;

	writer_u8(w, more ? MORE_PROPOSALS : 0);
	writer_u8(w, 0);
	writer_be16(w, 0);
	writer_u8(w, p->num);
	writer_u8(w, p->protocol);
	writer_u8(w, p->spi_len);
	writer_u8(w, (uint8_t)p->n);
	writer_bytes(w, p->spi, p->spi_len);
	for (unsigned int i = 0; i < p->n; i++)
		transform_write(w, &p->t[i], i + 1 < p->n);
	length_close(w, at, at + 2);
}

void ike_build_sa(struct ike_builder *b, struct ike_offer o)
{
	payload_open(b, IKE_PL_SA);
	for (unsigned int i = 0; i < o.n; i++)
		proposal_write(&b->w, &o.p[i], i + 1 < o.n);
	payload_close(b);
}

void ike_build_ke(struct ike_builder *b, uint16_t group, const uint8_t *data, size_t len)
{
	payload_open(b, IKE_PL_KE);
	writer_be16(&b->w, group);
	writer_be16(&b->w, 0);
	writer_bytes(&b->w, data, len);
	payload_close(b);
}

void ike_build_nonce(struct ike_builder *b, const uint8_t *data, size_t len)
{
	ike_build_payload(b, IKE_PL_NONCE, data, len);
}

/* The common shape of ID and AUTH: one octet, three reserved ones, data. */
static void octet_and_data(struct ike_builder *b, uint8_t type, uint8_t octet, const void *data,
			   size_t len)
{
	payload_open(b, type);
	writer_be32(&b->w, (uint32_t)octet << 24);
	writer_bytes(&b->w, data, len);
	payload_close(b);
}

void ike_build_id(struct ike_builder *b, uint8_t type, const struct ike_id *id)
{
	octet_and_data(b, type, id->type, id->data, id->len);
}

void ike_build_auth(struct ike_builder *b, uint8_t method, const uint8_t *data, size_t len)
{
	octet_and_data(b, IKE_PL_AUTH, method, data, len);
}

/* The common shape of CERT and CERTREQ. */
static void encoded_data(struct ike_builder *b, uint8_t type, uint8_t encoding, const void *data,
			 size_t len)
{
	payload_open(b, type);
	writer_u8(&b->w, encoding);
	writer_bytes(&b->w, data, len);
	payload_close(b);
}

void ike_build_cert(struct ike_builder *b, uint8_t encoding, const void *data, size_t len)
{
	encoded_data(b, IKE_PL_CERT, encoding, data, len);
}

void ike_build_certreq(struct ike_builder *b, uint8_t encoding, const void *data, size_t len)
{
	encoded_data(b, IKE_PL_CERTREQ, encoding, data, len);
}

void ike_build_notify_spi(struct ike_builder *b, uint16_t type, uint8_t protocol, const void *spi,
			  uint8_t spi_len, const void *data, size_t len)
{
	payload_open(b, IKE_PL_NOTIFY);
	writer_u8(&b->w, protocol);
	writer_u8(&b->w, spi_len);
	writer_be16(&b->w, type);
	writer_bytes(&b->w, spi, spi_len);
	writer_bytes(&b->w, data, len);
	payload_close(b);
}

void ike_build_notify(struct ike_builder *b, uint16_t type, const void *data, size_t len)
{
	ike_build_notify_spi(b, type, 0, NULL, 0, data, len);
}

void ike_build_invalid_ke(struct ike_builder *b, uint16_t group)
{
	const uint8_t wanted[] = { (uint8_t)(group >> 8), (uint8_t)group };

	ike_build_notify(b, IKE_N_INVALID_KE_PAYLOAD, wanted, sizeof(wanted));
}

void ike_build_delete(struct ike_builder *b, uint8_t protocol, const uint32_t *spis, uint16_t n)
{
	payload_open(b, IKE_PL_DELETE);
	writer_u8(&b->w, protocol);
	writer_u8(&b->w, protocol == IKE_PROTO_IKE ? 0 : 4);
	writer_be16(&b->w, protocol == IKE_PROTO_IKE ? 0 : n);
	for (uint16_t i = 0; i < n && protocol != IKE_PROTO_IKE; i++)
		writer_be32(&b->w, spis[i]);
	payload_close(b);
}

void ike_build_ts(struct ike_builder *b, uint8_t type, struct ike_ts_offer o)
{
	payload_open(b, type);
	writer_be32(&b->w, (uint32_t)o.n << 24);
	for (unsigned int i = 0; i < o.n; i++) {
		const struct ike_ts *t = &o.ts[i];
		size_t addr = t->family == 4 ? 4 : 16;

		writer_u8(&b->w, t->family == 4 ? IKE_TS_IPV4 : IKE_TS_IPV6);
		writer_u8(&b->w, t->protocol);
		writer_be16(&b->w, (uint16_t)(TS_HEAD_LEN + 2 * addr));
		writer_be16(&b->w, t->port_start);
		writer_be16(&b->w, t->port_end);
		writer_bytes(&b->w, t->start, addr);
		writer_bytes(&b->w, t->end, addr);
	}
	payload_close(b);
}

size_t ike_build_end(struct ike_builder *b)
{
	if (b->w.bad)
		return 0;
	if (b->message)
		writer_patch_be32(&b->w, IKE_HDR_LEN - 4, (uint32_t)b->w.len);
	return b->w.len;
}
