// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fragments of one message until all of them are there; see frag.h.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/core/frag.h"

struct frags {
	unsigned int total, n; /* Total Fragments; how many are there */
	size_t len; /* octets of those */
	uint8_t first, flags; /* of fragment 1 */
	struct {
		uint8_t *data; /* NULL: not there yet */
		size_t len;
	} f[FRAGS_MAX]; /* by Fragment Number, less 1 */
};

static void forget_all(struct frags *s)
{
	for (unsigned int i = 0; i < FRAGS_MAX; i++) {
		if (!s->f[i].data)
			continue;
		ike_wipe(s->f[i].data, s->f[i].len);
		free(s->f[i].data);
	}
	*s = (struct frags){ 0 };
}

/* It is new, and there is room for it, or it begins a new set. */
static bool is_wanted(const struct frags *s, const struct ike_skf *f)
{
	if (f->total != s->total)
		return f->total > s->total;
	return !s->f[f->number - 1].data && f->len <= FRAGS_MAX_LEN - s->len;
}

enum frags_verdict frags_add(struct frags **all, const struct ike_skf *f)
{
	struct frags *s = *all;
	uint8_t *data;

	if (!f->number || f->number > f->total || f->total > FRAGS_MAX || f->len > FRAGS_MAX_LEN)
		return FRAGS_DROPPED;
	if (s && !is_wanted(s, f))
		return FRAGS_DROPPED;
	data = malloc(f->len ? f->len : 1);
	if (!s)
		s = calloc(1, sizeof(*s));
	if (!data || !s) {
		free(data);
		if (!*all)
			free(s);
		return FRAGS_DROPPED;
	}
	*all = s;
	if (f->total > s->total)
		forget_all(s);
	if (f->len)
		memcpy(data, f->data, f->len);
	s->f[f->number - 1].data = data;
	s->f[f->number - 1].len = f->len;
	s->total = f->total;
	s->len += f->len;
	if (f->number == 1) {
		s->first = f->first;
		s->flags = f->flags;
	}
	return ++s->n == s->total ? FRAGS_COMPLETE : FRAGS_KEPT;
}

size_t frags_join(struct frags **all, uint8_t *out, uint8_t *first, uint8_t *flags)
{
	const struct frags *s = *all;
	size_t len = 0;

	for (unsigned int i = 0; i < s->total; i++) {
		memcpy(out + len, s->f[i].data, s->f[i].len);
		len += s->f[i].len;
	}
	*first = s->first;
	*flags = s->flags;
	frags_free(all);
	return len;
}

void frags_free(struct frags **all)
{
	if (!*all)
		return;
	forget_all(*all);
	free(*all);
	*all = NULL;
}

size_t frags_len(const struct frags *all)
{
	return all ? all->len : 0;
}
