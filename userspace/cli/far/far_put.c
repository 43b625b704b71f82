// SPDX-License-Identifier: GPL-2.0-or-later
/* What generators write with: text and notes, selectors as networks, and proposals in the words of a target. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "cli/far/far.h"
#include "ike/proto/names.h"

/* ---- writing ------------------------------------------------------------------------------------- */

void far_put(struct far *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f->out, fmt, ap);
	va_end(ap);
}

void far_note(struct far *f, const char *fmt, ...)
{
	char *note = f->note[f->n_notes];
	va_list ap;

	if (f->n_notes == FAR_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(note, FAR_NOTE, fmt, ap);
	va_end(ap);
	for (unsigned int i = 0; i < f->n_notes; i++) {
		if (!strcmp(f->note[i], note))
			return;
	}
	f->n_notes++;
}

void far_refuse(struct far *f, const char *fmt, ...)
{
	va_list ap;

	if (*f->why_not)
		return;
	va_start(ap, fmt);
	vsnprintf(f->why_not, sizeof(f->why_not), fmt, ap);
	va_end(ap);
}

const char *far_name(const struct far *f)
{
	static char name[sizeof(f->c->name)];

	snprintf(name, sizeof(name), "%s", f->c->name);
	for (char *s = name; *s; s++) {
		if (!isalnum((unsigned char)*s) && *s != '-')
			*s = '_';
	}
	return name;
}

char *far_time(char buf[16], uint32_t seconds)
{
	if (seconds && seconds % 3600 == 0)
		snprintf(buf, 16, "%uh", seconds / 3600);
	else if (seconds && seconds % 60 == 0)
		snprintf(buf, 16, "%um", seconds / 60);
	else
		snprintf(buf, 16, "%us", seconds);
	return buf;
}

bool far_is_any(const struct ike_ts *ts)
{
	for (int i = 0; i < (ts->family == 4 ? 4 : 16); i++) {
		if (ts->start[i] || ts->end[i] != 0xff)
			return false;
	}
	return true;
}

bool far_list_is_any(const struct ike_ts_list *l)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (!far_is_any(&l->ts[i]) || l->ts[i].protocol)
			return false;
	}
	return true;
}

/* Bits that the first and the last address have in common. */
static unsigned int common_bits(const struct ike_ts *ts)
{
	unsigned int bits = ts->family == 4 ? 32 : 128, n = 0;

	while (n < bits && !((ts->start[n / 8] ^ ts->end[n / 8]) & 0x80 >> n % 8))
		n++;
	return n;
}

static void network_of(const struct ike_ts *ts, struct ike_addr *net, unsigned int *len)
{
	*len = common_bits(ts);
	net->family = ts->family;
	memcpy(net->b, ts->start, sizeof(net->b));
	ike_addr_to_net(net, *len);
}

bool far_is_prefix(const struct ike_ts *ts)
{
	unsigned int bits = ts->family == 4 ? 32 : 128;

	for (unsigned int i = common_bits(ts); i < bits; i++) {
		if (ts->start[i / 8] & 0x80 >> i % 8 || !(ts->end[i / 8] & 0x80 >> i % 8))
			return false;
	}
	return true;
}

char *far_prefix(char buf[64], const struct ike_ts *ts)
{
	struct ike_addr net;
	unsigned int len;
	char text[48];

	network_of(ts, &net, &len);
	snprintf(buf, 64, "%s/%u", ike_addr_print(text, sizeof(text), &net), len);
	return buf;
}

char *far_mask(char buf[64], const struct ike_ts *ts)
{
	struct ike_addr net, mask = { .family = 4 };
	char text[48], bits[48];
	unsigned int len;

	network_of(ts, &net, &len);
	for (unsigned int i = 0; i < len && i < 32; i++)
		mask.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	snprintf(buf, 64, "%s %s", ike_addr_print(text, sizeof(text), &net),
		 ike_addr_print(bits, sizeof(bits), &mask));
	return buf;
}

/* ---- proposals ----------------------------------------------------------------------------------- */

static const char *find_word(const struct far_word *words, const struct ike_transform *t)
{
	const struct ike_word *w = words ? NULL : ike_word_of(t);

	if (w) /* implicit IV is known here alone */
		return strlen(w->text) > 3 && !strcmp(w->text + strlen(w->text) - 3, "iiv")
			       ? NULL
			       : w->text;
	for (; words && words->word; words++) {
		if (words->type == t->type && words->id == t->id &&
		    (!words->bits || words->bits == t->key_bits))
			return words->word;
	}
	return NULL;
}

static void add_word(struct far_set *set, const char *word)
{
	for (unsigned int i = 0; i < set->n; i++) {
		if (!strcmp(set->word[i], word))
			return;
	}
	if (set->n < FAR_WORDS)
		set->word[set->n++] = word;
}

/* Additional key exchanges that are offered without "none" beside them. */
static bool insists_on_more(const struct ike_proposal *p)
{
	bool has[IKE_MAX_ADDKE] = { 0 }, none[IKE_MAX_ADDKE] = { 0 };

	for (unsigned int i = 0; i < p->n; i++) {
		unsigned int k = (unsigned int)p->t[i].type - IKE_T_ADDKE1;

		if (k < IKE_MAX_ADDKE) {
			has[k] = true;
			none[k] |= !p->t[i].id;
		}
	}
	for (unsigned int k = 0; k < IKE_MAX_ADDKE; k++) {
		if (has[k] && !none[k])
			return true;
	}
	return false;
}

/* False: it is nothing in the target's words. */
static bool translate(const struct ike_proposal *p, const struct far_word *words,
		      struct far_proposal *out)
{
	*out = (struct far_proposal){ 0 };
	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *t = &p->t[i];
		const char *word = t->type == IKE_T_DH && !t->id ? NULL : find_word(words, t);
		struct far_set *set = t->type == IKE_T_ENCR    ? &out->encr
				      : t->type == IKE_T_INTEG ? &out->integ
				      : t->type == IKE_T_PRF   ? &out->prf
				      : t->type == IKE_T_DH    ? &out->dh
							       : NULL;

		if (t->type == IKE_T_ENCR)
			out->aead = ike_encr_is_aead(t->id);
		if (set && word)
			add_word(set, word);
	}
	if (!out->encr.n || (!out->aead && !out->integ.n))
		return false;
	return p->protocol == IKE_PROTO_ESP || (out->prf.n && out->dh.n);
}

unsigned int far_proposals(struct far *f, uint8_t protocol, const struct far_word *words,
			   struct far_proposal out[FAR_PROPOSALS])
{
	const struct ike_proposals *own = protocol == IKE_PROTO_IKE ? f->c->ike : f->c->esp;
	const char *title = f->target->title, *what = protocol == IKE_PROTO_IKE ? "IKE" : "ESP";
	char text[FAR_NOTE / 2];
	unsigned int n = 0, more = 0;

	for (unsigned int i = 0; i < own->n && n < FAR_PROPOSALS; i++) {
		if (insists_on_more(&own->p[i]))
			more++;
		else if (translate(&own->p[i], words, &out[n]))
			n++;
	}
	if (more)
		far_note(
			f,
			"%s is not offered additional key exchanges for %s here (ke1_ in Crypto): the proposals with them are left out",
			title, what);
	if (!n)
		far_refuse(f, "%s has no algorithms in common with our Crypto for %s: %s", title,
			   what, ike_proposals_print(text, sizeof(text), IKE_OFFER(own)));
	return n;
}

void far_put_set(struct far *f, const struct far_set *set, const char *between)
{
	for (unsigned int i = 0; i < set->n; i++)
		far_put(f, "%s%s", i ? between : "", set->word[i]);
}

const char *far_first(const struct far_set *set)
{
	return set->n ? set->word[0] : "";
}
