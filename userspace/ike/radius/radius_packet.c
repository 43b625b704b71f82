// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing and reading packets. Requests are written by the agent, answers are read by it once the keys process
 * found them authentic. Every length is checked against the end of the packet before what it counts is used.
 */
#include <string.h>

#include "ike/radius/radius.h"

enum { ATTR_HEAD = 2 /* type, length */ };

/* ---- writing --------------------------------------------------------------------------------- */

struct writer radius_attributes(uint8_t *buf, size_t cap)
{
	return writer_init(buf, cap);
}

struct writer radius_begin(uint8_t *buf, uint8_t code, uint8_t id,
			   const uint8_t authenticator[RADIUS_AUTHENTICATOR])
{
	static const uint8_t zeros[RADIUS_AUTHENTICATOR];
	uint8_t head[RADIUS_HEAD] = { code, id }; /* the length comes by radius_end() */
	struct writer w = writer_init(buf, RADIUS_MAX);

	memcpy(head + RADIUS_HEAD - RADIUS_AUTHENTICATOR, authenticator, RADIUS_AUTHENTICATOR);
	writer_bytes(&w, head, sizeof(head));
	if (code == RADIUS_ACCESS_REQUEST)
		radius_add(&w, RADIUS_A_MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros));
	return w;
}

void radius_add_all(struct writer *w, const void *attributes, size_t len)
{
	writer_bytes(w, attributes, len);
}

void radius_add(struct writer *w, uint8_t type, const void *value, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	w->bad |= len > RADIUS_VALUE;
	p = writer_reserve(w, ATTR_HEAD + len);
	if (!p)
		return;
	p[0] = type;
	p[1] = (uint8_t)(ATTR_HEAD + len);
	memcpy(p + ATTR_HEAD, value, len);
}

void radius_add_u32(struct writer *w, uint8_t type, uint32_t value)
{
	uint8_t bytes[4];
	struct writer v = writer_init(bytes, sizeof(bytes));

	writer_be32(&v, value);
	radius_add(w, type, bytes, sizeof(bytes));
}

void radius_add_text(struct writer *w, uint8_t type, const char *text)
{
	radius_add(w, type, text, strnlen(text, RADIUS_VALUE));
}

void radius_add_eap(struct writer *w, const void *eap, size_t len)
{
	const uint8_t *at = eap;

	while (len) {
		size_t part = len < RADIUS_VALUE ? len : RADIUS_VALUE;

		radius_add(w, RADIUS_A_EAP_MESSAGE, at, part);
		at += part;
		len -= part;
	}
}

size_t radius_end_attributes(const struct writer *w)
{
	return w->bad ? 0 : w->len;
}

size_t radius_end(struct writer *w)
{
	writer_patch_be16(w, 2, (uint16_t)w->len);
	return radius_end_attributes(w);
}

/* ---- reading --------------------------------------------------------------------------------- */

bool radius_next_attr(const struct radius_packet *p, size_t *at, struct radius_attr *out)
{
	size_t begin = *at ? *at : RADIUS_HEAD, len;

	if (p->len - begin < ATTR_HEAD)
		return false;
	len = p->data[begin + 1];
	if (len < ATTR_HEAD || len > p->len - begin)
		return false;
	*out = (struct radius_attr){ p->data[begin], p->data + begin + ATTR_HEAD, len - ATTR_HEAD };
	*at = begin + len;
	return true;
}

bool radius_parse(const void *data, size_t len, struct radius_packet *out)
{
	const uint8_t *octets = data;
	struct radius_attr attr;
	size_t at = 0;

	if (len < RADIUS_HEAD)
		return false;
	*out = (struct radius_packet){
		.code = octets[0],
		.id = octets[1],
		.len = (size_t)(octets[2] << 8 | octets[3]),
		.authenticator = octets + 4,
		.data = octets,
	};
	if (out->len < RADIUS_HEAD || out->len > RADIUS_MAX || out->len > len)
		return false;
	while (radius_next_attr(out, &at, &attr))
		;
	return (at ? at : RADIUS_HEAD) == out->len;
}

static bool read_u32(const struct radius_attr *a, uint32_t *out)
{
	if (a->len != 4)
		return false;
	*out = (uint32_t)a->value[0] << 24 | (uint32_t)a->value[1] << 16 |
	       (uint32_t)a->value[2] << 8 | a->value[3];
	return true;
}

/* 0.0.0.0 and :: are none, as are the two that ask the client or us to choose (RFC 2865 5.8). */
static bool read_address(const struct radius_attr *a, uint8_t family, struct ike_addr *out)
{
	static const uint8_t none[16],
		choose[2][4] = { { 0xff, 0xff, 0xff, 0xff }, { 0xff, 0xff, 0xff, 0xfe } };

	if (a->len != (family == 4 ? 4 : 16))
		return false;
	if (!memcmp(a->value, none, a->len))
		return true;
	if (family == 4 && (!memcmp(a->value, choose[0], 4) || !memcmp(a->value, choose[1], 4)))
		return true;
	*out = (struct ike_addr){ .family = family };
	memcpy(out->b, a->value, a->len);
	return true;
}

static bool read_string(const struct radius_attr *a, struct radius_value *out)
{
	bool again = out->len;

	*out = (struct radius_value){ a->value, a->len };
	return !again && a->len;
}

static bool read_class(const struct radius_attr *a, struct radius_answer *out)
{
	if (out->n_classes < RADIUS_CLASSES && a->len)
		out->classes[out->n_classes++] = (struct radius_value){ a->value, a->len };
	return true;
}

/* Whoever wrote it, it may go into a log: anything but printable ASCII is "?". */
static bool read_text(const struct radius_attr *a, struct radius_answer *out)
{
	for (size_t i = 0; i < a->len && i < sizeof(out->text) - 1; i++) {
		uint8_t c = a->value[i];

		out->text[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
		out->text[i + 1] = 0;
	}
	return true;
}

/* Parts follow one another (RFC 3579 3.1): @torn if there was something else since the last one. */
static bool read_eap(const struct radius_attr *a, bool torn, struct radius_answer *out)
{
	if ((torn && out->eap_len) || a->len > sizeof(out->eap) - out->eap_len)
		return false;
	memcpy(out->eap + out->eap_len, a->value, a->len);
	out->eap_len += a->len;
	return true;
}

static bool read_attr(const struct radius_attr *a, struct radius_answer *out)
{
	switch (a->type) {
	case RADIUS_A_USER_NAME: return read_string(a, &out->name);
	case RADIUS_A_STATE: return read_string(a, &out->state);
	case RADIUS_A_CLASS: return read_class(a, out);
	case RADIUS_A_REPLY_MESSAGE: return read_text(a, out);
	case RADIUS_A_FRAMED_IP_ADDRESS: return read_address(a, 4, &out->address[0]);
	case RADIUS_A_FRAMED_IPV6_ADDRESS: return read_address(a, 6, &out->address[1]);
	case RADIUS_A_SESSION_TIMEOUT: return read_u32(a, &out->session_timeout);
	case RADIUS_A_ACCT_INTERIM_INTERVAL: return read_u32(a, &out->interim_interval);
	default: return true;
	}
}

/* An EAP packet says itself how long it is (RFC 3748 4). */
static bool is_whole_eap(const uint8_t *eap, size_t len)
{
	return !len || (len >= 4 && (size_t)(eap[2] << 8 | eap[3]) == len);
}

bool radius_read_answer(const struct radius_packet *p, struct radius_answer *out)
{
	struct radius_attr a;
	bool torn = false;
	size_t at = 0;

	*out = (struct radius_answer){ .code = p->code };
	while (radius_next_attr(p, &at, &a)) {
		bool is_eap = a.type == RADIUS_A_EAP_MESSAGE;

		if (!(is_eap ? read_eap(&a, torn, out) : read_attr(&a, out)))
			return false;
		torn = !is_eap;
	}
	return is_whole_eap(out->eap, out->eap_len);
}
