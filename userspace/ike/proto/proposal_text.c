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
		if (in->t[i].type == IKE_T_INTEG)
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

/* What is wrong with a proposal of these words, or NULL. */
static const char *proposal_fault(const struct ike_proposal *p, bool pfs, uint8_t protocol)
{
	unsigned int encr = count(p, IKE_T_ENCR), aead = count_aead(p), groups = count_groups(p);

	if (!encr)
		return "no encryption algorithm; add one, such as aes256gcm16";
	if (aead && aead != encr)
		return "GCM or ChaCha20 together with CBC (aes128, aes192, aes256); make two proposals with a comma between (RFC 7296 3.3)";
	if (!aead && !count(p, IKE_T_INTEG))
		return "CBC encryption without integrity algorithm; add one, such as sha256";
	if (pfs && count(p, IKE_T_DH) > groups)
		return "both pfs and nopfs; choose one";
	if ((protocol == IKE_PROTO_IKE || pfs) && !groups)
		return "no key exchange group; add one, such as x25519";
	return NULL;
}

int ike_proposal_from_text(const char *text, uint8_t protocol, struct ike_proposal *out, char *err,
			   size_t err_size)
{
	struct ike_proposal in = { 0 };
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
	fault = proposal_fault(&in, pfs, protocol);
	if (fault) {
		snprintf(err, err_size, "\"%s\" has %s", text, fault);
		return -1;
	}
	out->num = 1;
	out->protocol = protocol;
	proposal_complete(&in, pfs, protocol, out);
	return 0;
}
