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

/* Those that IKE has of both kinds that ESP has all of. */
enum {
#define ENCR(name, number, aead, ike, ...) ENCR_##name##_IN_IKE = (ike),
#define INTEG(name, number, word, library, key, icv, prf, ...) \
	INTEG_##name##_IN_IKE = IKE_PRF_##prf != IKE_PRF_NONE,
#include "ike/proto/transform.def"
};

#define OURS(word, type, id, bits, ike, esp, ike_place, esp_place)                     \
	{                                                                              \
		word, { IKE_T_##type, id, bits }, true, ike, esp, ike_place, esp_place \
	}

/* A method of key exchange as one of the additional ones (RFC 9370 2.2.1); @place: as the first of them. */
#define ADDKE(n, word, number, place) \
	OURS("ke" #n "_" word, ADDKE##n, number, 0, true, true, place, 0)
#define ADDKES(word, number, place)                                                              \
	ADDKE(1, word, number, place), ADDKE(2, word, number, 0), ADDKE(3, word, number, 0),     \
		ADDKE(4, word, number, 0), ADDKE(5, word, number, 0), ADDKE(6, word, number, 0), \
		ADDKE(7, word, number, 0)

static const struct ike_word words[] = {
#define ENCR_KEY(name, bits, len, word, library, ike, esp, shark) \
	OURS(word, ENCR, IKE_ENCR_##name, bits, ENCR_##name##_IN_IKE, true, ike, esp),
#define INTEG(name, number, word, library, key, icv, prf, ike, esp, ...) \
	OURS(word, INTEG, number, 0, INTEG_##name##_IN_IKE, true, ike, esp),
#define PRF(name, number, word, library, len, place) \
	OURS(word, PRF, number, 0, true, false, place, 0),
#define DH(name, number, word, kind, library, public_i, public_r, shared, cost, place, more) \
	OURS(word, DH, number, 0, true, true, place, place),
#define DH_WORD(name, word) OURS(word, DH, IKE_DH_##name, 0, true, true, 0, 0),
#define ESN(name, number, word) OURS(word, ESN, number, 0, false, true, 0, 0),
#define KNOWN(type, number, bits, aead, word) \
	{ .text = (word), .t = { IKE_T_##type, number, bits } },
#include "ike/proto/transform.def"
#define DH(name, number, word, kind, library, public_i, public_r, shared, cost, place, more) \
	ADDKES(word, number, more),
#include "ike/proto/transform.def"
	ADDKES("none", IKE_DH_NONE, 0),
};

/* Encryption algorithms are told apart from the other types among those that we do not implement. */
static const struct encr {
	uint8_t type;
	uint16_t id;
	bool aead;
} encrs[] = {
#define ENCR(name, number, aead, ...) { IKE_T_ENCR, number, aead },
#define KNOWN(type, number, bits, aead, word) { IKE_T_##type, number, aead },
#include "ike/proto/transform.def"
};

static const struct caution {
	uint8_t type;
	uint16_t id;
	const char *text;
} cautions[] = {
#define CAUTION(type, number, text) { IKE_T_##type, number, text },
#include "ike/proto/transform.def"
};

#define NTYPES (sizeof(types) / sizeof(types[0]))
#define NWORDS (sizeof(words) / sizeof(words[0]))
#define NENCRS (sizeof(encrs) / sizeof(encrs[0]))
#define NCAUTIONS (sizeof(cautions) / sizeof(cautions[0]))

const struct ike_type *ike_type_get(size_t i)
{
	return i < NTYPES ? &types[i] : NULL;
}

bool ike_type_is_kex(uint16_t number)
{
	return number == IKE_T_DH || (number >= IKE_T_ADDKE1 && number <= IKE_T_ADDKE7);
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

bool ike_transform_serves(const struct ike_transform *t, uint8_t protocol)
{
	const struct ike_word *w = ike_word_of(t);

	return w && (protocol == IKE_PROTO_ESP ? w->esp : w->ike);
}

const char *ike_transform_caution(const struct ike_transform *t)
{
	for (size_t i = 0; i < NCAUTIONS; i++)
		if (cautions[i].type == t->type && cautions[i].id == t->id)
			return cautions[i].text;
	return NULL;
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

uint16_t ike_integ_prf(uint16_t integ)
{
	static const struct {
		uint16_t integ, prf;
	} hashes[] = {
#define INTEG(name, number, word, library, key, icv, prf, ...) { number, IKE_PRF_##prf },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (hashes[i].integ == integ)
			return hashes[i].prf;
	return IKE_PRF_NONE;
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
