// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proposals as text: the words of Crypto=, read, printed and explained.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/distance.h"
#include "ike/proto/names.h"
#include "ike/proto/proposal_text.h"
#include "ike/proto/text.h"

static void transform_add(struct text *out, const struct ike_transform *t)
{
	char word[32];

	text_add(out, "%s", ike_transform_print(word, sizeof(word), t));
}

/* Order of printing: as people write it, encryption, integrity, PRF, group. */
static const uint8_t type_order[] = { IKE_T_ENCR, IKE_T_INTEG, IKE_T_PRF, IKE_T_DH, IKE_T_ESN };

/* Transforms of @type joined with "/"; false if there is none to show. */
static bool type_add(struct text *out, const struct ike_proposal *p, uint8_t type,
		     const char *before)
{
	bool any = false;

	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *t = &p->t[i];

		if (t->type != type || (type == IKE_T_INTEG && t->id == IKE_INTEG_NONE))
			continue;
		text_add(out, "%s", any ? "/" : before);
		transform_add(out, t);
		any = true;
	}
	return any;
}

static void proposal_add(struct text *out, const struct ike_proposal *p)
{
	const char *before = "";

	for (size_t i = 0; i < sizeof(type_order); i++)
		if (type_add(out, p, type_order[i], before))
			before = "-";
	for (unsigned int i = 0; i < p->n; i++) {
		if (p->t[i].type >= IKE_T_ENCR && p->t[i].type <= IKE_T_ESN)
			continue;
		text_add(out, "%s", before);
		transform_add(out, &p->t[i]);
		before = "-";
	}
	if (p->left_out)
		text_add(out, " and %u more", p->left_out);
}

char *ike_proposal_print(char *buf, size_t size, const struct ike_proposal *p)
{
	struct text out = text_init(buf, size);

	proposal_add(&out, p);
	return buf;
}

char *ike_proposals_print(char *buf, size_t size, struct ike_offer o)
{
	struct text out = text_init(buf, size);

	for (unsigned int i = 0; i < o.n; i++) {
		text_add(&out, "%s", i ? ", " : "");
		proposal_add(&out, &o.p[i]);
	}
	return buf;
}

/* Words of other programs and standards, without punctuation, in ours. */
static const struct {
	const char *theirs, *ours;
} aliases[] = {
	{ "default", "modern" },
	{ "aes", "aes256" },
	{ "aescbc", "aes256" },
	{ "aes128cbc", "aes128" },
	{ "aescbc128", "aes128" },
	{ "aes192cbc", "aes192" },
	{ "aescbc192", "aes192" },
	{ "aes256cbc", "aes256" },
	{ "aescbc256", "aes256" },
	{ "gcm", "aes256gcm16" },
	{ "aesgcm", "aes256gcm16" },
	{ "aes128gcm", "aes128gcm16" },
	{ "aesgcm128", "aes128gcm16" },
	{ "aesgcm16128", "aes128gcm16" },
	{ "aes128gcm128", "aes128gcm16" },
	{ "aes192gcm", "aes192gcm16" },
	{ "aesgcm192", "aes192gcm16" },
	{ "aesgcm16192", "aes192gcm16" },
	{ "aes192gcm128", "aes192gcm16" },
	{ "aes256gcm", "aes256gcm16" },
	{ "aesgcm256", "aes256gcm16" },
	{ "aesgcm16256", "aes256gcm16" },
	{ "aes256gcm128", "aes256gcm16" },
	{ "chacha20", "chacha20poly1305" },
	{ "sha2", "sha256" },
	{ "sha2256", "sha256" },
	{ "hmacsha256", "sha256" },
	{ "hmacsha2256", "sha256" },
	{ "sha2384", "sha384" },
	{ "hmacsha384", "sha384" },
	{ "hmacsha2384", "sha384" },
	{ "sha2512", "sha512" },
	{ "hmacsha512", "sha512" },
	{ "hmacsha2512", "sha512" },
	{ "p256", "ecp256" },
	{ "secp256r1", "ecp256" },
	{ "p384", "ecp384" },
	{ "secp384r1", "ecp384" },
	{ "p521", "ecp521" },
	{ "secp521r1", "ecp521" },
};

/* The letters and digits of @text, @len characters; cut to fit. */
static void squeeze(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++)
		if (isalnum((unsigned char)text[i]))
			out[n++] = (char)tolower((unsigned char)text[i]);
	out[n] = '\0';
}

/* "dh14", "group14": a group by its number. */
static const char *group_word(const char *text)
{
	const char *digits = text + strcspn(text, "0123456789");
	size_t letters = (size_t)(digits - text);
	const struct ike_word *w;

	if (!(letters == 2 && !strncmp(text, "dh", 2)) &&
	    !(letters == 5 && !strncmp(text, "group", 5)) &&
	    !(letters == 7 && !strncmp(text, "dhgroup", 7)))
		return NULL;
	for (size_t i = 0; (w = ike_word_get(i)); i++)
		if (w->ours && w->t.type == IKE_T_DH && w->t.id &&
		    w->t.id == strtoul(digits, NULL, 10))
			return w->text;
	return NULL;
}

/* What @text, @len characters, is called here; NULL if that is not known. */
static const char *translate(const char *text, size_t len)
{
	char word[DISTANCE_MAX_WORD + 1];
	const struct ike_word *w;

	squeeze(text, len, word, sizeof(word));
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].theirs, word))
			return aliases[i].ours;
	for (size_t i = 0; (w = ike_word_get(i)); i++)
		if (w->ours && *word && !strcmp(w->text, word))
			return w->text;
	return group_word(word);
}

/* The word of ours that @text, @len characters, differs least from; NULL if none is like it. */
static const char *nearest_word(const char *text, size_t len)
{
	char word[DISTANCE_MAX_WORD + 1];
	const char *nearest = NULL;
	const struct ike_word *w;
	unsigned int best = 4;

	squeeze(text, len, word, sizeof(word));
	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		unsigned int d = edit_distance(word, w->text);

		if (w->ours && d < best && 2 * d < strlen(word)) {
			best = d;
			nearest = w->text;
		}
	}
	return nearest;
}

/* "aes256-gcm": the unknown word may be a part of one that was cut by its dashes. */
static void explain_unknown(struct text *out, const char *text, size_t len, const char *whole)
{
	const char *ours = translate(whole, strlen(whole));

	if (!ours)
		ours = translate(text, len);
	if (!ours)
		ours = nearest_word(text, len);
	text_add(out, "unknown word \"%.*s\"", (int)len, text);
	if (strlen(whole) != len)
		text_add(out, " in \"%s\"", whole);
	if (ours)
		text_add(out, "; did you mean %s?", ours);
	else
		text_add(out, "; expected words like aes256gcm16-prfsha384-x25519, which "
			      "esptun.conf(5) lists");
}

static void explain_missing(struct text *out, const struct ike_word *missing)
{
	const char *before = ": ";
	const struct ike_word *w;

	text_add(out, "%s is not implemented; choose another %s", missing->text,
		 ike_transform_type_name(missing->t.type));
	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		if (!w->ours || w->t.type != missing->t.type)
			continue;
		text_add(out, "%s%s", before, w->text);
		before = ", ";
	}
}

/* A word of the proposal @whole, @len characters, or NULL with the reason in @err. */
static const struct ike_word *word_find(const char *text, size_t len, const char *whole, char *err,
					size_t err_size)
{
	struct text out = text_init(err, err_size);
	const struct ike_word *w;

	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		if (strlen(w->text) != len || strncasecmp(w->text, text, len) != 0)
			continue;
		if (w->ours)
			return w;
		explain_missing(&out, w);
		return NULL;
	}
	explain_unknown(&out, text, len, whole);
	return NULL;
}

static void transform_append(struct ike_proposal *p, uint8_t type, uint16_t id, uint16_t key_bits)
{
	struct ike_transform t = { .type = type, .id = id, .key_bits = key_bits };

	for (unsigned int i = 0; i < p->n; i++)
		if (ike_transform_eq(&p->t[i], &t))
			return;
	if (p->n < IKE_MAX_TRANSFORMS)
		p->t[p->n++] = t;
}

static unsigned int count(const struct ike_proposal *p, uint8_t type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += p->t[i].type == type;
	return n;
}

static unsigned int count_aead(const struct ike_proposal *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += p->t[i].type == IKE_T_ENCR && ike_encr_is_aead(p->t[i].id);
	return n;
}

/* PRFs that were not named: those of the same hashes, or with an AEAD alone all that modern has. */
static void prf_defaults(const struct ike_proposal *in, struct ike_proposal *out)
{
	const struct ike_word *w;

	for (unsigned int i = 0; i < in->n; i++)
		if (in->t[i].type == IKE_T_INTEG)
			transform_append(out, IKE_T_PRF, ike_integ_prf(in->t[i].id), 0);
	if (count(out, IKE_T_PRF))
		return;
	for (unsigned int place = 1; (w = ike_word_at(IKE_T_PRF, IKE_PROTO_IKE, place)); place++)
		transform_append(out, IKE_T_PRF, w->t.id, 0);
}

/* What the words @in mean for @protocol: in type order, defaults added, useless ones gone. */
static void proposal_complete(const struct ike_proposal *in, uint8_t protocol,
			      struct ike_proposal *out)
{
	bool ike = protocol == IKE_PROTO_IKE, aead = count_aead(in);

	for (size_t o = 0; o < sizeof(type_order); o++) {
		uint8_t type = type_order[o];

		for (unsigned int i = 0; i < in->n; i++) {
			if (in->t[i].type != type || (type == IKE_T_INTEG && aead) ||
			    (type == IKE_T_PRF && !ike) || (type == IKE_T_ESN && ike) ||
			    (type == IKE_T_DH && ike && in->t[i].id == IKE_DH_NONE))
				continue;
			transform_append(out, type, in->t[i].id, in->t[i].key_bits);
		}
		if (type == IKE_T_PRF && ike && !count(out, IKE_T_PRF))
			prf_defaults(in, out);
		if (type == IKE_T_ESN && !ike && !count(out, IKE_T_ESN)) {
			transform_append(out, IKE_T_ESN, IKE_ESN_YES, 0);
			transform_append(out, IKE_T_ESN, IKE_ESN_NO, 0);
		}
	}
}

/* What is wrong with a proposal of these words, or NULL. */
static const char *proposal_fault(const struct ike_proposal *p, uint8_t protocol)
{
	unsigned int encr = count(p, IKE_T_ENCR), aead = count_aead(p), groups = 0;

	for (unsigned int i = 0; i < p->n; i++)
		groups += p->t[i].type == IKE_T_DH && p->t[i].id != IKE_DH_NONE;
	if (!encr)
		return "no encryption algorithm; add one, such as aes256gcm16";
	if (aead && aead != encr)
		return "GCM or ChaCha20 together with CBC (aes128, aes192, aes256); make two proposals with a comma between (RFC 7296 3.3)";
	if (!aead && !count(p, IKE_T_INTEG))
		return "CBC encryption without integrity algorithm; add one, such as sha256";
	if (protocol == IKE_PROTO_IKE && !groups)
		return "no key exchange group; add one, such as x25519";
	return NULL;
}

int ike_proposal_from_text(const char *text, uint8_t protocol, struct ike_proposal *out, char *err,
			   size_t err_size)
{
	struct ike_proposal in = { 0 };
	const char *fault;
	size_t len;

	memset(out, 0, sizeof(*out));
	for (const char *s = text;; s += len + 1) {
		const struct ike_word *w;

		len = strcspn(s, "-/");
		w = word_find(s, len, text, err, err_size);
		if (!w)
			return -1;
		transform_append(&in, w->t.type, w->t.id, w->t.key_bits);
		if (!s[len])
			break;
	}
	fault = proposal_fault(&in, protocol);
	if (fault) {
		snprintf(err, err_size, "\"%s\" has %s", text, fault);
		return -1;
	}
	out->num = 1;
	out->protocol = protocol;
	proposal_complete(&in, protocol, out);
	return 0;
}
