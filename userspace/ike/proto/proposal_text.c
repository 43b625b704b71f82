// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proposals as text: printing them, and reading one of Crypto=.
 */
#include <string.h>
#include <strings.h>

#include "ike/proto/crypto_word.h"
#include "ike/proto/proposal_text.h"
#include "ike/proto/text.h"

static void transform_add(struct text *out, const struct ike_transform *t)
{
	char word[32];

	text_add(out, "%s", ike_transform_print(word, sizeof(word), t));
}

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
	const struct ike_type *type;
	const char *before = "";

	for (size_t i = 0; (type = ike_type_get(i)); i++)
		if (type_add(out, p, type->number, before))
			before = "-";
	for (unsigned int i = 0; i < p->n; i++) {
		if (ike_type_of(p->t[i].type))
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
		if (in->t[i].type == IKE_T_INTEG && ike_integ_prf(in->t[i].id) != IKE_PRF_NONE)
			transform_append(out, IKE_T_PRF, ike_integ_prf(in->t[i].id), 0);
	if (count(out, IKE_T_PRF))
		return;
	for (unsigned int place = 1; (w = ike_word_at(IKE_T_PRF, IKE_PROTO_IKE, place)); place++)
		transform_append(out, IKE_T_PRF, w->t.id, 0);
}

static unsigned int count_groups(const struct ike_proposal *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += p->t[i].type == IKE_T_DH && p->t[i].id != IKE_DH_NONE;
	return n;
}

static bool is_exchange(const struct ike_transform *t)
{
	return ike_type_is_kex(t->type) && t->id != IKE_DH_NONE;
}

/* The words of @in that say something for @protocol. */
static struct ike_proposal words_for(const struct ike_proposal *in, uint8_t protocol)
{
	struct ike_proposal out = { 0 };

	for (unsigned int i = 0; i < in->n; i++)
		if (ike_transform_serves(&in->t[i], protocol))
			out.t[out.n++] = in->t[i];
	return out;
}

/* What the words @in, and "pfs", mean for @protocol: in type order, defaults added, useless ones gone. */
static void proposal_complete(const struct ike_proposal *in, bool pfs, uint8_t protocol,
			      struct ike_proposal *out)
{
	bool ike = protocol == IKE_PROTO_IKE, aead = count_aead(in);
	bool nopfs = count(in, IKE_T_DH) > count_groups(in);
	const struct ike_type *t;

	for (size_t o = 0; (t = ike_type_get(o)); o++) {
		uint8_t type = t->number;

		if (!(ike ? t->ike : t->esp))
			continue;
		for (unsigned int i = 0; i < in->n; i++) {
			if (in->t[i].type != type || (type == IKE_T_INTEG && aead) ||
			    (type == IKE_T_DH && (ike ? in->t[i].id == IKE_DH_NONE : nopfs)))
				continue;
			transform_append(out, type, in->t[i].id, in->t[i].key_bits);
		}
		if (type == IKE_T_PRF && !count(out, type))
			prf_defaults(in, out);
		/* Some peers rekey without DH (macOS), so that PFS is wanted, not required. */
		if (type == IKE_T_DH && !ike && !pfs && count(out, type))
			transform_append(out, type, IKE_DH_NONE, 0);
		if (type == IKE_T_ESN && !count(out, type)) {
			transform_append(out, IKE_T_ESN, IKE_ESN_YES, 0);
			transform_append(out, IKE_T_ESN, IKE_ESN_NO, 0);
		}
	}
}

/* What hides nothing among its encryption algorithms. */
static unsigned int count_open(const struct ike_proposal *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += p->t[i].type == IKE_T_ENCR &&
		     (p->t[i].id == IKE_ENCR_NULL || p->t[i].id == IKE_ENCR_NULL_AUTH_AES_GMAC);
	return n;
}

/* Has it encryption, and integrity protection with it? */
static bool protects(const struct ike_proposal *p)
{
	return count(p, IKE_T_ENCR) && (count_aead(p) || count(p, IKE_T_INTEG));
}

/* Is a key exchange method the only one of two types, so that both could have but that one (RFC 9370 2.2.1)? */
static bool repeats_exchange(const struct ike_proposal *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		for (unsigned int j = 0; j < i; j++)
			if (is_exchange(&p->t[i]) && is_exchange(&p->t[j]) &&
			    p->t[i].id == p->t[j].id && count(p, (uint8_t)p->t[i].type) == 1 &&
			    count(p, (uint8_t)p->t[j].type) == 1)
				return true;
	return false;
}

/* What is wrong with the words @p, of which @own are those for @protocol; or NULL. */
static const char *proposal_fault(const struct ike_proposal *p, const struct ike_proposal *own,
				  bool pfs, uint8_t protocol)
{
	unsigned int encr = count(p, IKE_T_ENCR), aead = count_aead(p), groups = count_groups(p);

	if (!encr)
		return "no encryption algorithm; add one, such as aes256gcm16";
	if (aead && aead != encr)
		return "GCM, CCM, GMAC or ChaCha20 together with encryption that needs an integrity algorithm; make two proposals with a comma between (RFC 7296 3.3)";
	if (count_open(p) && count_open(p) != encr)
		return "null or GMAC, which hide nothing, together with encryption, so that the peer would choose; make two proposals with a comma between";
	if (!protects(p))
		return "encryption without integrity algorithm; add one, such as sha256";
	if (pfs && count(p, IKE_T_DH) > groups)
		return "both pfs and nopfs; choose one";
	if (!groups && (pfs || (protocol == IKE_PROTO_IKE && protects(own))))
		return "no key exchange group; add one, such as x25519";
	if (repeats_exchange(p))
		return "the same key exchange twice, of which the second adds nothing; have another one in one of both places (RFC 9370 2.2.1)";
	return NULL;
}

int ike_proposal_from_text(const char *text, uint8_t protocol, struct ike_proposal *out, char *err,
			   size_t err_size)
{
	struct ike_proposal in = { 0 }, own;
	const char *fault;
	bool pfs = false;
	size_t len;

	memset(out, 0, sizeof(*out));
	for (const char *s = text;; s += len + 1) {
		const struct ike_word *w;

		len = strcspn(s, "-/");
		if (len == 3 && !strncasecmp(s, "pfs", len)) {
			pfs = true;
		} else {
			w = ike_word_find(s, len, text, err, err_size);
			if (!w)
				return -1;
			transform_append(&in, w->t.type, w->t.id, w->t.key_bits);
		}
		if (!s[len])
			break;
	}
	own = words_for(&in, protocol);
	fault = proposal_fault(&in, &own, pfs, protocol);
	if (fault) {
		snprintf(err, err_size, "\"%s\" has %s", text, fault);
		return -1;
	}
	if (!protects(&own))
		return 0;
	out->num = 1;
	out->protocol = protocol;
	proposal_complete(&own, pfs, protocol, out);
	return 0;
}
