// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/core/timer.h"

#include <errno.h>
#include <stdlib.h>

int timers_reserve(struct timers *h)
{
	size_t cap = h->cap ? 2 * h->cap : 64;
	struct timer **v;

	if (h->owners + 1 >= h->cap) {
		v = realloc(h->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		h->v = v;
		h->cap = cap;
	}
	h->owners++;
	return 0;
}

void timers_unreserve(struct timers *h, struct timer *t)
{
	timer_set(h, t, TIMER_NEVER);
	h->owners--;
}

static void place(struct timers *h, struct timer *t, size_t pos)
{
	h->v[pos] = t;
	t->pos = pos;
}

static void sift_up(struct timers *h, struct timer *t, size_t pos)
{
	while (pos > 1 && h->v[pos / 2]->at > t->at) {
		place(h, h->v[pos / 2], pos);
		pos /= 2;
	}
	place(h, t, pos);
}

static void sift_down(struct timers *h, struct timer *t, size_t pos)
{
	size_t child;

	while ((child = 2 * pos) <= h->n) {
		if (child < h->n && h->v[child + 1]->at < h->v[child]->at)
			child++;
		if (h->v[child]->at >= t->at)
			break;
		place(h, h->v[child], pos);
		pos = child;
	}
	place(h, t, pos);
}

static void take_out(struct timers *h, struct timer *t)
{
	struct timer *last = h->v[h->n--];
	size_t pos = t->pos;

	t->pos = 0;
	if (last == t)
		return;
	sift_up(h, last, pos);
	sift_down(h, last, last->pos);
}

void timer_set(struct timers *h, struct timer *t, uint64_t at)
{
	if (t->pos && t->at == at)
		return;
	if (t->pos)
		take_out(h, t);
	t->at = at;
	if (at == TIMER_NEVER)
		return;
	h->n++;
	sift_up(h, t, h->n);
}

struct timer *timers_first(const struct timers *h)
{
	return h->n ? h->v[1] : NULL;
}

void timers_free(struct timers *h)
{
	free(h->v);
	*h = (struct timers){ 0 };
}
