// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of transforms and their words, all made of transform.def.
 */
#include "ike/proto/text.h"
#include "ike/proto/transform.h"

static const struct ike_type types[] = {
#define TYPE(name, number, optional, ike, esp, title, prefix) \
	{ title, prefix, number, optional, ike, esp, { .type = (number) } },
#include "ike/proto/transform.def"
};

static const struct ike_word words[] = {
#define ENCR_KEY(name, bits, len, word, library, ike, esp, shark) \
	{ word, { IKE_T_ENCR, IKE_ENCR_##name, bits }, true, ike, esp },
#define INTEG(name, number, word, library, key, icv, prf, place, shark) \
	{ word, { IKE_T_INTEG, IKE_INTEG_##name, 0 }, true, place, 0 },
#define PRF(name, number, word, library, len, place) \
	{ word, { IKE_T_PRF, IKE_PRF_##name, 0 }, true, place, 0 },
#define DH(name, number, word, kind, library, public_i, public_r, shared, cost, place) \
	{ word, { IKE_T_DH, IKE_DH_##name, 0 }, true, place, place },
#define DH_WORD(name, word) { word, { IKE_T_DH, IKE_DH_##name, 0 }, true, 0, 0 },
#define ESN(name, number, word) { word, { IKE_T_ESN, IKE_ESN_##name, 0 }, true, 0, 0 },
#define KNOWN(type, number, bits, aead, word) { word, { IKE_T_##type, number, bits }, false, 0, 0 },
#include "ike/proto/transform.def"
};

static const struct encr {
	uint8_t type; /* not only encryption among those that we do not implement */
	uint16_t id;
	bool aead, esp;
} encrs[] = {
#define ENCR(name, number, aead, esp, ...) { IKE_T_ENCR, number, aead, esp },
#define KNOWN(type, number, bits, aead, word) { IKE_T_##type, number, aead, false },
#include "ike/proto/transform.def"
};

#define NTYPES (sizeof(types) / sizeof(types[0]))
#define NWORDS (sizeof(words) / sizeof(words[0]))
#define NENCRS (sizeof(encrs) / sizeof(encrs[0]))

const struct ike_type *ike_type_get(size_t i)
{
	return i < NTYPES ? &types[i] : NULL;
}

const struct ike_type *ike_type_of(uint16_t number)
{
	for (size_t i = 0; i < NTYPES; i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

const struct ike_word *ike_word_get(size_t i)
{
	return i < NWORDS ? &words[i] : NULL;
}

const struct ike_word *ike_word_of(const struct ike_transform *t)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (ike_transform_eq(&words[i].t, t))
			return &words[i];
	return NULL;
}

const struct ike_word *ike_word_at(uint8_t type, uint8_t protocol, unsigned int place)
{
	for (size_t i = 0; i < NWORDS; i++) {
		const struct ike_word *w = &words[i];

		if (w->t.type == type &&
		    place == (protocol == IKE_PROTO_ESP ? w->esp_place : w->ike_place))
			return w;
	}
	return NULL;
}

bool ike_transform_eq(const struct ike_transform *a, const struct ike_transform *b)
{
	return a->type == b->type && a->id == b->id && a->key_bits == b->key_bits;
}

bool ike_transform_ours(const struct ike_transform *t)
{
	const struct ike_word *w = ike_word_of(t);

	return w && w->ours;
}

static const struct encr *encr_find(uint16_t encr)
{
	for (size_t i = 0; i < NENCRS; i++)
		if (encrs[i].type == IKE_T_ENCR && encrs[i].id == encr)
			return &encrs[i];
	return NULL;
}

bool ike_encr_is_aead(uint16_t encr)
{
	const struct encr *e = encr_find(encr);

	return e && e->aead;
}

bool ike_encr_in_esp(uint16_t encr)
{
	const struct encr *e = encr_find(encr);

	return e && e->esp;
}

uint16_t ike_integ_prf(uint16_t integ)
{
	static const struct {
		uint16_t integ, prf;
	} hashes[] = {
#define INTEG(name, number, word, library, key, icv, prf, place, shark) { number, IKE_PRF_##prf },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (hashes[i].integ == integ)
			return hashes[i].prf;
	return 0;
}

char *ike_transform_print(char *buf, size_t size, const struct ike_transform *t)
{
	const struct ike_type *type = ike_type_of(t->type);
	const struct ike_word *w = ike_word_of(t);
	struct text out = text_init(buf, size);

	if (w) {
		text_add(&out, "%s", w->text);
		return buf;
	}
	if (type)
		text_add(&out, "%s%u", type->prefix, t->id);
	else
		text_add(&out, "type%u-%u", t->type, t->id);
	if (t->key_bits)
		text_add(&out, ":%u", t->key_bits);
	return buf;
}
