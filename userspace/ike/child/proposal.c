// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing among proposals (RFC 7296 2.7, 3.3).
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "ike/proto/names.h"
#include "ike/proto/text.h"
#include "ike/child/profile.h"
#include "ike/child/proposal.h"

static unsigned int count(const struct ike_proposal *p, uint8_t type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += p->t[i].type == type;
	return n;
}

/* What it means that a proposal has no transform of @type; NULL: it must have one. */
static const struct ike_transform *none_of(uint16_t type)
{
	const struct ike_type *t = ike_type_of(type);

	return t && t->optional ? &t->none : NULL;
}

static const struct ike_transform *first_of(const struct ike_proposal *p, uint8_t type)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			return &p->t[i];
	return none_of(type);
}

/* Is @t, number and key length alike, in @p, or absent as its "none"? */
static bool allows(const struct ike_proposal *p, const struct ike_transform *t)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->t[i].type == t->type && p->t[i].id == t->id &&
		    p->t[i].key_bits == t->key_bits)
			return true;
	return none_of(t->type) && !t->id && !t->key_bits && !count(p, t->type);
}

static bool is_addke(const struct ike_transform *t)
{
	return ike_type_is_kex(t->type) && t->type != IKE_T_DH;
}

/* Reading Crypto=. */

/* Is it a key exchange that libcrypto does not have? */
static bool is_missing(const struct ike_transform *t)
{
	return ike_type_is_kex(t->type) && t->id != IKE_DH_NONE && !ike_kex_known(t->id);
}

/* Has @p, that @item stands for, one? Then it is told. */
static bool has_missing(const struct ike_proposal *p, const char *item, char *err, size_t err_size)
{
	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *t = &p->t[i];
		char word[32];

		if (!is_missing(t))
			continue;
		snprintf(
			err, err_size,
			"\"%s\" has %s, which the libcrypto here does not: it takes OpenSSL 3.5 (Debian 13)",
			item, ike_transform_print(word, sizeof(word), t));
		return true;
	}
	return false;
}

/* Of @p, what are no additional key exchanges. */
static struct ike_proposal without_addke(const struct ike_proposal *p)
{
	struct ike_proposal left = *p;

	left.n = 0;
	for (unsigned int i = 0; i < p->n; i++)
		if (!is_addke(&p->t[i]))
			left.t[left.n++] = p->t[i];
	return left;
}

/*
 * The last proposal of @out, of ESP, has additional key exchanges: then it has a first one, and unless that
 * is required a proposal without them follows, for peers that know nothing of them (RFC 7296 3.3.6).
 */
static int finish_esp(struct ike_proposals *out, char *err, size_t err_size)
{
	struct ike_proposal *p = &out->p[out->n - 1], plain = without_addke(p);
	const struct ike_transform none = { IKE_T_DH, IKE_DH_NONE, 0 };
	bool required = !allows(p, &none);
	unsigned int n = 0;

	if (plain.n == p->n)
		return 0;
	for (unsigned int i = 0; i < p->n; i++)
		if (!ike_transform_eq(&p->t[i], &none))
			p->t[n++] = p->t[i];
	p->n = n;
	if (required)
		return 0;
	if (!count(p, IKE_T_DH)) { /* nopfs */
		*p = plain;
		return 0;
	}
	if (out->n == IKE_MAX_PROPOSALS) {
		snprintf(err, err_size, "more than %d proposals", IKE_MAX_PROPOSALS);
		return -1;
	}
	plain.num = (uint8_t)++out->n;
	p[1] = plain;
	return 0;
}

static int append_from_text(const char *item, uint8_t protocol, struct ike_proposals *out,
			    char *err, size_t err_size)
{
	struct ike_proposal *p = &out->p[out->n];

	if (out->n == IKE_MAX_PROPOSALS) {
		snprintf(err, err_size, "more than %d proposals", IKE_MAX_PROPOSALS);
		return -1;
	}
	if (ike_proposal_from_text(item, protocol, p, err, err_size))
		return -1;
	if (has_missing(p, item, err, err_size))
		return -1;
	if (p->n) /* else it is for the other protocol */
		p->num = (uint8_t)++out->n;
	return p->n && protocol == IKE_PROTO_ESP ? finish_esp(out, err, err_size) : 0;
}

/* The words of @type that modern stands for, joined with "-"; of encryption either AEADs or others. */
static void modern_add(struct text *out, uint8_t protocol, uint8_t type, bool aead)
{
	const struct ike_word *w;

	for (unsigned int place = 1; (w = ike_word_at(type, protocol, place)); place++)
		if (!is_missing(&w->t) && (type != IKE_T_ENCR || ike_encr_is_aead(w->t.id) == aead))
			text_add(out, "%s%s", out->len ? "-" : "", w->text);
}

/* One of the proposals that modern stands for, with @rest behind it; @additional: with another key exchange. */
static int append_modern_one(bool aead, bool additional, const char *rest, uint8_t protocol,
			     struct ike_proposals *out, char *err, size_t err_size)
{
	char item[512];
	struct text words = text_init(item, sizeof(item));
	size_t len;

	modern_add(&words, protocol, IKE_T_ENCR, aead);
	if (!words.len)
		return 0;
	if (!aead)
		modern_add(&words, protocol, IKE_T_INTEG, aead);
	modern_add(&words, protocol, IKE_T_DH, aead);
	len = words.len;
	if (additional)
		modern_add(&words, protocol, IKE_T_ADDKE1, aead);
	if (additional && words.len == len)
		return 0; /* there is none */
	text_add(&words, "%s", rest);
	return append_from_text(item, protocol, out, err, err_size);
}

/*
 * The proposals that modern stands for: AEADs, with a post-quantum key exchange and then, for peers that
 * would know nothing of a proposal with one (RFC 7296 3.3.6), without; and what needs an integrity
 * algorithm, too.
 */
static int append_modern(const char *rest, uint8_t protocol, struct ike_proposals *out, char *err,
			 size_t err_size)
{
	if (append_modern_one(true, true, rest, protocol, out, err, err_size) ||
	    append_modern_one(true, false, rest, protocol, out, err, err_size))
		return -1;
	return append_modern_one(false, false, rest, protocol, out, err, err_size);
}

/* The next item of a list with commas between, without blanks around it; *@len: of what was taken of @s. */
static int take_item(const char *s, size_t *len, char *item, size_t size, char *err,
		     size_t err_size)
{
	size_t end;

	*len = end = strcspn(s, ",");
	while (end && isspace((unsigned char)s[end - 1]))
		end--;
	while (end && isspace((unsigned char)*s))
		s++, end--;
	if (end >= size) {
		snprintf(err, err_size, "a proposal of %zu characters is too long", end);
		return -1;
	}
	memcpy(item, s, end);
	item[end] = '\0';
	return 0;
}

/* The proposals that @p stands for, with @rest behind each. */
static int append_profile(const struct profile *p, const char *rest, uint8_t protocol,
			  struct ike_proposals *out, char *err, size_t err_size)
{
	const char *s = protocol == IKE_PROTO_ESP ? p->esp : p->ike;
	char item[256], whole[512];
	size_t len;

	if (!s)
		return append_modern(rest, protocol, out, err, err_size);
	for (;; s += len + 1) {
		if (take_item(s, &len, item, sizeof(item), err, err_size))
			return -1;
		snprintf(whole, sizeof(whole), "%s%s", item, rest);
		if (append_from_text(whole, protocol, out, err, err_size))
			return -1;
		if (!s[len])
			return 0;
	}
}

static int list_from_text(const char *text, uint8_t protocol, struct ike_proposals *out, char *err,
			  size_t err_size)
{
	size_t len;

	for (const char *s = text;; s += len + 1) {
		const struct profile *profile;
		const char *rest;
		char item[256];

		if (take_item(s, &len, item, sizeof(item), err, err_size))
			return -1;
		profile = profile_find(item, &rest);
		if (profile ? append_profile(profile, rest, protocol, out, err, err_size)
			    : append_from_text(item, protocol, out, err, err_size))
			return -1;
		if (!s[len])
			return 0;
	}
}

static void explain_nothing_left(char *err, size_t err_size, const char *text, uint8_t protocol)
{
	const struct ike_word *w, *next = ike_word_at(IKE_T_ENCR, protocol, 1);
	struct text out = text_init(err, err_size);

	text_add(&out, "\"%s\" leaves nothing for %s; add a proposal with ", text,
		 protocol == IKE_PROTO_ESP ? "ESP" : "IKE");
	for (unsigned int place = 1; (w = next); place++) {
		next = ike_word_at(IKE_T_ENCR, protocol, place + 1);
		text_add(&out, "%s%s", place == 1 ? "" : next ? ", " : " or ", w->text);
	}
}

int ike_proposals_from_text(const char *text, uint8_t protocol, struct ike_proposals *out,
			    char *err, size_t err_size)
{
	out->n = 0;
	if (list_from_text(text, protocol, out, err, err_size)) {
		out->n = 0;
		return -1;
	}
	if (out->n)
		return 0;
	explain_nothing_left(err, err_size, text, protocol);
	return -1;
}

void ike_proposal_drop_dh(struct ike_proposal *p)
{
	unsigned int n = 0;

	for (unsigned int j = 0; j < p->n; j++)
		if (!ike_type_is_kex(p->t[j].type))
			p->t[n++] = p->t[j];
	p->n = n;
}

/* Do both say the same, in the same order? */
static bool equal(const struct ike_proposal *a, const struct ike_proposal *b)
{
	if (a->n != b->n || a->protocol != b->protocol)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (!ike_transform_eq(&a->t[i], &b->t[i]))
			return false;
	return true;
}

void ike_proposals_drop_dh(struct ike_proposals *ps)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ps->n; i++) {
		struct ike_proposal p = ps->p[i];

		ike_proposal_drop_dh(&p);
		if (n && equal(&ps->p[n - 1], &p))
			continue; /* they differed in that alone */
		p.num = (uint8_t)(n + 1);
		ps->p[n++] = p;
	}
	ps->n = n;
}

void ike_proposal_drop_addke(struct ike_proposal *p)
{
	struct ike_proposal left = *p;

	left.n = 0;
	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform none = { .type = p->t[i].type };

		if (!is_addke(&p->t[i]))
			left.t[left.n++] = p->t[i];
		else if (!allows(p, &none))
			left.protocol = 0;
	}
	*p = left;
}

bool ike_proposals_have_addke(const struct ike_proposals *ps)
{
	for (unsigned int i = 0; i < ps->n; i++)
		for (unsigned int j = 0; j < ps->p[i].n; j++)
			if (is_addke(&ps->p[i].t[j]) && ps->p[i].t[j].id != IKE_DH_NONE)
				return true;
	return false;
}

typedef bool (*stays_fn)(const struct ike_proposal *p, const struct ike_transform *t,
			 const void *ctx);

/* Only transforms that @stays says yes to, and proposals with encryption. False: none; then all is as it was. */
static bool reduce(struct ike_proposals *ps, stays_fn stays, const void *ctx)
{
	struct ike_proposals left = { .n = 0 };

	for (unsigned int i = 0; i < ps->n; i++) {
		struct ike_proposal *to = &left.p[left.n];

		*to = ps->p[i];
		to->n = 0;
		for (unsigned int j = 0; j < ps->p[i].n; j++)
			if (stays(&ps->p[i], &ps->p[i].t[j], ctx))
				to->t[to->n++] = ps->p[i].t[j];
		if (count(to, IKE_T_ENCR))
			to->num = (uint8_t)++left.n;
	}
	if (!left.n)
		return false;
	*ps = left;
	return true;
}

static bool is_of_suite(const struct ike_proposal *p, const struct ike_transform *t,
			const void *ctx)
{
	const struct esp_suite *suite = ctx;
	const struct ike_transform wanted[] = {
		{ IKE_T_ENCR, suite->cipher.encr, suite->cipher.key_bits },
		{ IKE_T_INTEG, suite->cipher.integ, 0 },
		{ IKE_T_ESN, suite->esn, 0 },
	};
	bool other = false;

	for (unsigned int i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!allows(p, &wanted[i]))
			return false;
		other |= t->type == wanted[i].type && !ike_transform_eq(t, &wanted[i]);
	}
	return !other;
}

void ike_proposals_keep(struct ike_proposals *ps, const struct esp_suite *suite)
{
	reduce(ps, is_of_suite, suite);
}

/* The type of a key exchange of @p that has a post-quantum one: an additional one before the first; 0: none has. */
static uint16_t pq_type(const struct ike_proposal *p)
{
	uint16_t type = 0;

	for (unsigned int i = 0; i < p->n; i++)
		if (ike_type_is_kex(p->t[i].type) && p->t[i].type > type &&
		    ike_kex_is_pq(p->t[i].id))
			type = p->t[i].type;
	return type;
}

static bool is_of_pq(const struct ike_proposal *p, const struct ike_transform *t, const void *ctx)
{
	uint16_t type = pq_type(p);

	(void)ctx;
	return type && (t->type != type || ike_kex_is_pq(t->id));
}

bool ike_proposals_require_pq(struct ike_proposals *ps)
{
	return reduce(ps, is_of_pq, NULL);
}

static bool is_of_pfs(const struct ike_proposal *p, const struct ike_transform *t, const void *ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < p->n; i++)
		if (p->t[i].type == IKE_T_DH && p->t[i].id != IKE_DH_NONE)
			return t->type != IKE_T_DH || t->id != IKE_DH_NONE;
	return false;
}

bool ike_proposals_require_pfs(struct ike_proposals *ps)
{
	return reduce(ps, is_of_pfs, NULL);
}

struct kernel_query {
	bool (*has)(void *ctx, const struct ike_cipher *c);
	void *ctx;
};

/* Is there a combination with @t in @p that the kernel has? */
static bool kernel_has(const struct ike_proposal *p, const struct ike_transform *t, const void *ctx)
{
	const struct kernel_query *q = ctx;

	if (t->type != IKE_T_ENCR && t->type != IKE_T_INTEG)
		return true;
	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *encr = t->type == IKE_T_ENCR ? t : &p->t[i];
		const struct ike_transform *integ = t->type == IKE_T_ENCR ? &p->t[i] : t;
		struct ike_cipher c = { encr->id, encr->key_bits, IKE_INTEG_NONE };

		if (encr->type != IKE_T_ENCR)
			continue;
		if (!ike_encr_is_aead(encr->id)) {
			if (integ->type != IKE_T_INTEG)
				continue;
			c.integ = integ->id;
		}
		if (q->has(q->ctx, &c))
			return true;
	}
	return false;
}

bool ike_proposals_restrict(struct ike_proposals *ps,
			    bool (*has)(void *ctx, const struct ike_cipher *c), void *ctx)
{
	const struct kernel_query q = { has, ctx };

	return reduce(ps, kernel_has, &q);
}

uint16_t ike_proposals_first_dh(const struct ike_proposals *ps)
{
	return ps->n ? first_of(&ps->p[0], IKE_T_DH)->id : IKE_DH_NONE;
}

bool ike_proposals_have_dh(const struct ike_proposals *ps, uint16_t group)
{
	const struct ike_transform t = { .type = IKE_T_DH, .id = group };

	for (unsigned int i = 0; i < ps->n; i++)
		if (group != IKE_DH_NONE && allows(&ps->p[i], &t))
			return true;
	return false;
}

bool ike_proposals_allow(const struct ike_proposals *ps, const struct ike_transform *t,
			 unsigned int n)
{
	for (unsigned int i = 0; i < ps->n; i++) {
		unsigned int same = 0;

		while (same < n && allows(&ps->p[i], &t[same]))
			same++;
		if (same == n)
			return true;
	}
	return false;
}

/* Choosing. */

/* The SPI that RFC 7296 3.3.1 wants: none or the new SA's for IKE, four octets for ESP. */
static bool spi_fits(const struct ike_proposal *p)
{
	if (p->protocol == IKE_PROTO_ESP)
		return p->spi_len == 4;
	return p->protocol == IKE_PROTO_IKE && (p->spi_len == 0 || p->spi_len == IKE_SPI_LEN);
}

/* A proposal with a transform type we do not know must not be accepted (3.3.6). */
static bool types_known(const struct ike_proposal *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (!ike_type_of(p->t[i].type))
			return false;
	return true;
}

/* Is @t a key exchange, and @chosen, which may be NULL, has that method already (RFC 9370 2.2.1)? */
static bool is_second(const struct ike_transform *t, const struct ike_proposal *chosen)
{
	if (!chosen || !is_addke(t) || t->id == IKE_DH_NONE)
		return false;
	for (unsigned int i = 0; i < chosen->n; i++)
		if (ike_type_is_kex(chosen->t[i].type) && chosen->t[i].id == t->id)
			return true;
	return false;
}

/*
 * The first transform of @type in @own that @offer has too, or NULL. With @encr not NULL,
 * INTEG must go with it: "none" with an AEAD, anything else without (3.3.3). @chosen: those of other
 * types, or NULL.
 */
static const struct ike_transform *common(const struct ike_proposal *own,
					  const struct ike_proposal *offer, uint8_t type,
					  const struct ike_transform *encr,
					  const struct ike_proposal *chosen)
{
	const struct ike_transform *t = first_of(own, type);

	if (type == IKE_T_INTEG && encr && ike_encr_is_aead(encr->id))
		return allows(offer, none_of(type)) ? none_of(type) : NULL;
	if (t && !count(own, type))
		return allows(offer, t) ? t : NULL;
	for (unsigned int i = 0; i < own->n; i++) {
		t = &own->t[i];
		if (t->type == type && allows(offer, t) && !is_second(t, chosen) &&
		    !(type == IKE_T_INTEG && encr && t->id == IKE_INTEG_NONE))
			return t;
	}
	return NULL;
}

/* Does the type have a say in this proposal? A PRF in ESP has not, nor ESN in IKE. */
static bool type_used(const struct ike_proposal *own, const struct ike_proposal *offer,
		      uint8_t type)
{
	return none_of(type) || count(own, type) || count(offer, type);
}

/* Fill @out with @encr and what goes with it; false if some type has nothing in common. */
static bool choose_rest(const struct ike_proposal *own, const struct ike_proposal *offer,
			const struct ike_transform *encr, uint16_t ke_group,
			struct ike_proposal *out)
{
	const struct ike_transform ke = { .type = IKE_T_DH, .id = ke_group };
	const struct ike_type *row;

	*out = *offer;
	out->n = out->left_out = 0;
	out->t[out->n++] = *encr;
	for (size_t i = 0; (row = ike_type_get(i)); i++) {
		const struct ike_transform *t;
		uint8_t type = row->number;

		if (type == IKE_T_ENCR || !type_used(own, offer, type))
			continue;
		t = common(own, offer, type, encr, out);
		if (!t)
			return false;
		if (type == IKE_T_DH && allows(own, &ke) && allows(offer, &ke))
			t = &ke;
		if (count(offer, type)) /* what the offer left out stays out of the answer */
			out->t[out->n++] = *t;
	}
	return true;
}

/*
 * The best of all offers for one of our encryption algorithms: the first with the group of
 * the KE payload, else the first.
 */
static bool choose_encr(const struct ike_proposal *own, const struct ike_transform *encr,
			struct ike_offer offer, uint16_t ke_group, struct ike_proposal *out)
{
	struct ike_proposal found;
	bool any = false;

	for (unsigned int i = 0; i < offer.n; i++) {
		const struct ike_proposal *o = &offer.p[i];

		if (o->protocol != own->protocol || !spi_fits(o) || !types_known(o) ||
		    !allows(o, encr) || !choose_rest(own, o, encr, ke_group, &found))
			continue;
		if (!any || first_of(&found, IKE_T_DH)->id == ke_group)
			*out = found;
		if (first_of(out, IKE_T_DH)->id == ke_group)
			return true;
		any = true;
	}
	return any;
}

bool ike_proposal_choose(const struct ike_proposals *own, struct ike_offer offer, uint16_t ke_group,
			 struct ike_proposal *out)
{
	for (unsigned int i = 0; i < own->n; i++) {
		const struct ike_proposal *p = &own->p[i];

		for (unsigned int j = 0; j < p->n; j++)
			if (p->t[j].type == IKE_T_ENCR &&
			    choose_encr(p, &p->t[j], offer, ke_group, out))
				return true;
	}
	memset(out, 0, sizeof(*out));
	return false;
}

/* Judging the answer. */

static struct ike_cipher cipher_of(const struct ike_proposal *p)
{
	const struct ike_transform *encr = first_of(p, IKE_T_ENCR);

	return (struct ike_cipher){
		.encr = encr ? encr->id : 0,
		.key_bits = encr ? encr->key_bits : 0,
		.integ = first_of(p, IKE_T_INTEG)->id,
	};
}

/* What is wrong with @a as an answer to @o as far as @type goes; NULL if nothing. */
static const char *answer_fault(const struct ike_proposal *o, const struct ike_proposal *a,
				uint8_t type)
{
	const struct ike_transform *t = first_of(a, type);

	if (count(a, type) > 1)
		return "more than one";
	if (!t)
		return count(o, type) ? "no" : NULL;
	if (!allows(o, t))
		return count(a, type) ? "a different" : "no";
	return NULL;
}

static const struct ike_proposal *by_number(struct ike_offer offer, uint8_t num)
{
	for (unsigned int i = 0; i < offer.n; i++)
		if (offer.p[i].num == num)
			return &offer.p[i];
	return NULL;
}

bool ike_proposal_verify(struct ike_offer offer, struct ike_offer answer, struct ike_proposal *out,
			 char *err, size_t err_size)
{
	struct text e = text_init(err, err_size);
	const struct ike_proposal *a = answer.p, *o;
	const struct ike_type *type;
	char theirs[256], ours[512];
	struct ike_cipher cipher;

	memset(out, 0, sizeof(*out));
	if (answer.n != 1) {
		text_add(&e, "the peer answered with %u proposals, not one", answer.n);
		return false;
	}
	o = by_number(offer, a->num);
	if (!o || o->protocol != a->protocol || !spi_fits(a) || !types_known(a)) {
		text_add(&e, "the peer chose proposal %u, which is none of ours", a->num);
		return false;
	}
	ike_proposal_print(theirs, sizeof(theirs), a);
	ike_proposal_print(ours, sizeof(ours), o);
	for (size_t i = 0; (type = ike_type_get(i)); i++) {
		const char *fault = answer_fault(o, a, type->number);

		if (fault) {
			text_add(&e, "the peer's choice has %s %s: it chose %s, we offered %s",
				 fault, type->title, theirs, ours);
			return false;
		}
	}
	cipher = cipher_of(a);
	if (!ike_cipher_known(&cipher)) {
		text_add(&e, "the peer chose %s, whose encryption and integrity do not go together",
			 theirs);
		return false;
	}
	*out = *a;
	return true;
}

/* ESP has ciphers that IKE does not have, and must not: without encryption, or with implicit IVs. */
static bool suite_serves(const struct ike_cipher *c, uint8_t protocol)
{
	const struct ike_transform encr = { IKE_T_ENCR, c->encr, c->key_bits },
				   integ = { IKE_T_INTEG, c->integ, 0 };

	return ike_cipher_known(c) && ike_transform_serves(&encr, protocol) &&
	       (c->integ == IKE_INTEG_NONE || ike_transform_serves(&integ, protocol));
}

/* The additional key exchanges of @p beside @dh; false: one is not known, or is there twice. */
static bool addke_from_proposal(const struct ike_proposal *p, uint16_t dh, struct ike_addke *out)
{
	struct ike_proposal before = { .t = { { IKE_T_DH, dh, 0 } }, .n = 1 };

	for (uint8_t type = IKE_T_ADDKE1; type <= IKE_T_ADDKE7; type++) {
		const struct ike_transform *t = first_of(p, type);

		if (t->id == IKE_DH_NONE)
			continue;
		if (!ike_kex_known(t->id) || is_second(t, &before))
			return false;
		before.t[before.n++] = *t;
		out->method[out->n++] = t->id;
	}
	return true;
}

int ike_suite_from_proposal(const struct ike_proposal *p, struct ike_suite *out)
{
	const struct ike_transform *prf = first_of(p, IKE_T_PRF);

	*out = (struct ike_suite){
		.cipher = cipher_of(p),
		.prf = prf ? prf->id : 0,
		.dh = first_of(p, IKE_T_DH)->id,
	};
	return suite_serves(&out->cipher, IKE_PROTO_IKE) && ike_prf_len(out->prf) &&
			       ike_kex_known(out->dh) &&
			       addke_from_proposal(p, out->dh, &out->addke)
		       ? 0
		       : -1;
}

int esp_suite_from_proposal(const struct ike_proposal *p, struct esp_suite *out)
{
	*out = (struct esp_suite){
		.cipher = cipher_of(p),
		.dh = first_of(p, IKE_T_DH)->id,
		.esn = first_of(p, IKE_T_ESN)->id == IKE_ESN_YES,
	};
	/* What is additional comes behind a first key exchange (RFC 9370 2.2.4). */
	return suite_serves(&out->cipher, IKE_PROTO_ESP) && (!out->dh || ike_kex_known(out->dh)) &&
			       addke_from_proposal(p, out->dh, &out->addke) &&
			       (out->dh || !out->addke.n)
		       ? 0
		       : -1;
}

/* Explaining. */

/* Is there something in common of @type, whatever encryption that goes with? */
static bool type_agrees(const struct ike_proposal *own, const struct ike_proposal *offer,
			uint8_t type)
{
	if (!type_used(own, offer, type))
		return true;
	if (type != IKE_T_INTEG)
		return common(own, offer, type, NULL, NULL) != NULL;
	for (unsigned int i = 0; i < own->n; i++)
		if (own->t[i].type == IKE_T_ENCR && allows(offer, &own->t[i]) &&
		    common(own, offer, type, &own->t[i], NULL))
			return true;
	/* No encryption algorithm in common: an AEAD is closer to AEADs, CBC to CBC. */
	return !common(own, offer, IKE_T_ENCR, NULL, NULL) && common(own, offer, type, NULL, NULL);
}

/* How many types agree; *@differs becomes the first that does not, 0 if none. */
static unsigned int closeness(const struct ike_proposal *own, const struct ike_proposal *offer,
			      uint8_t *differs)
{
	const struct ike_type *type;
	unsigned int n = 0;

	*differs = 0;
	for (size_t i = 0; (type = ike_type_get(i)); i++) {
		if (type_agrees(own, offer, type->number))
			n += type->number == IKE_T_ENCR ? 2 : 1;
		else if (!*differs)
			*differs = type->number;
	}
	return n;
}

/* Transforms of @type alone, as words; "none" if there are none. */
static const char *type_print(char *buf, size_t size, const struct ike_proposal *p, uint8_t type)
{
	struct ike_proposal only = { 0 };

	for (unsigned int i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			only.t[only.n++] = p->t[i];
	ike_proposal_print(buf, size, &only);
	return *buf ? buf : "none";
}

/*
 * The first offered transform of @type that Crypto= could take: without a warning, or with one. NULL:
 * there is none.
 */
static const struct ike_transform *remedy(const struct ike_proposal *offer, uint8_t type,
					  bool warned_of)
{
	for (unsigned int i = 0; i < offer->n; i++) {
		const struct ike_transform *t = &offer->t[i];

		if (t->type == type && ike_transform_serves(t, offer->protocol) &&
		    !ike_transform_caution(t) == !warned_of)
			return t;
	}
	return NULL;
}

/* One side wants PFS and the other one has it not. False if both want it. */
static bool explain_pfs(struct text *out, const struct ike_proposal *own,
			const struct ike_proposal *offer, const struct ike_transform *add)
{
	char word[32];

	if (allows(offer, none_of(IKE_T_DH)))
		text_add(out, "; take pfs out of Crypto= or let the peer use PFS");
	else if (!count(own, IKE_T_DH) && add)
		text_add(out, "; have %s and no nopfs in Crypto=, or let the peer do without PFS",
			 ike_transform_print(word, sizeof(word), add));
	else
		return false;
	return true;
}

/* What to change in Crypto=. */
static void explain_remedy(struct text *out, const struct ike_proposal *own,
			   const struct ike_proposal *offer, uint8_t type)
{
	const struct ike_transform *add = remedy(offer, type, false);
	const struct ike_transform *weak = remedy(offer, type, true);
	char word[32];

	if (type == IKE_T_DH && own->protocol == IKE_PROTO_ESP && explain_pfs(out, own, offer, add))
		return;
	if (add)
		text_add(out, "; add %s to Crypto= or let the peer offer one of ours",
			 ike_transform_print(word, sizeof(word), add));
	else if (weak)
		text_add(out,
			 "; Crypto= could take %s, which %s; better let the peer offer one of ours",
			 ike_transform_print(word, sizeof(word), weak),
			 ike_transform_caution(weak));
	else
		text_add(out, "; we have none of the peer's, so let it offer one of ours");
}

static void explain_pair(struct text *out, const struct ike_proposal *own,
			 const struct ike_proposal *offer, uint8_t type)
{
	const char *protocol = own->protocol == IKE_PROTO_ESP ? "ESP" : "IKE";
	char theirs[256], ours[256];

	text_add(out, "no common %s for %s: the peer offers %s, we allow %s",
		 ike_transform_type_name(type), protocol,
		 type_print(theirs, sizeof(theirs), offer, type),
		 type_print(ours, sizeof(ours), own, type));
	explain_remedy(out, own, offer, type);
}

/* Reasons that are not about one type: AH, unknown types, senseless SPIs. */
static bool explain_odd(struct text *out, const struct ike_proposal *own, struct ike_offer offer)
{
	char theirs[512];

	for (unsigned int i = 0; i < offer.n; i++)
		if (offer.p[i].protocol == own->protocol && spi_fits(&offer.p[i]) &&
		    types_known(&offer.p[i]))
			return false;
	text_add(out, "the peer offers nothing we could judge for %s: %s",
		 own->protocol == IKE_PROTO_ESP ? "ESP" : "IKE",
		 ike_proposals_print(theirs, sizeof(theirs), offer));
	return true;
}

char *ike_proposal_explain(char *buf, size_t size, const struct ike_proposals *own,
			   struct ike_offer offer)
{
	const struct ike_proposal *best_own = NULL, *best_offer = NULL;
	struct text out = text_init(buf, size);
	unsigned int best = 0;
	uint8_t type = 0;
	char ours[1024];

	if (!offer.n || !own->n) {
		text_add(&out,
			 "the peer accepts none of our proposals: %s; let it accept one, "
			 "or add one of its to Crypto=",
			 ike_proposals_print(ours, sizeof(ours), IKE_OFFER(own)));
		return buf;
	}
	if (explain_odd(&out, &own->p[0], offer))
		return buf;
	for (unsigned int i = 0; i < own->n; i++) {
		for (unsigned int j = 0; j < offer.n; j++) {
			const struct ike_proposal *o = &offer.p[j];
			uint8_t differs;
			unsigned int n;

			if (o->protocol != own->p[i].protocol || !spi_fits(o) || !types_known(o))
				continue;
			n = closeness(&own->p[i], o, &differs);
			if (!best_own || n > best) {
				best = n;
				best_own = &own->p[i];
				best_offer = o;
				type = differs;
			}
		}
	}
	if (type)
		explain_pair(&out, best_own, best_offer, type);
	else
		text_add(&out, "our proposals and the peer's have a combination in common");
	return buf;
}
