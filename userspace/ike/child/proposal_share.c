// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ike/child/proposal_share.h"
#include "ike/core/timer.h"

/* What is not in use of the list is zero, so that lists compare as bytes. */
struct shared {
	LIST_ENTRY(shared) link;
	unsigned int holders;
	struct ike_proposals list;
};

static LIST_HEAD(, shared) lists = LIST_HEAD_INITIALIZER(lists);

static void copy_used(struct ike_proposals *to, const struct ike_proposals *from)
{
	memset(to, 0, sizeof(*to));
	to->n = from->n;
	for (unsigned int i = 0; i < from->n; i++) {
		const struct ike_proposal *p = &from->p[i];

		to->p[i].num = p->num;
		to->p[i].protocol = p->protocol;
		to->p[i].n = p->n;
		memcpy(to->p[i].t, p->t, p->n * sizeof(p->t[0]));
	}
}

static struct shared *find(const struct ike_proposals *list)
{
	struct shared *s;

	LIST_FOREACH(s, &lists, link)
	{
		if (!memcmp(&s->list, list, sizeof(*list)))
			return s;
	}
	return NULL;
}

const struct ike_proposals *ike_proposals_get(const struct ike_proposals *list)
{
	struct ike_proposals used;
	struct shared *s;

	copy_used(&used, list);
	s = find(&used);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		s->list = used;
		LIST_INSERT_HEAD(&lists, s, link);
	}
	s->holders++;
	return &s->list;
}

void ike_proposals_put(const struct ike_proposals *shared)
{
	struct shared *s;

	if (!shared)
		return;
	s = container_of(shared, struct shared, list);
	if (--s->holders)
		return;
	LIST_REMOVE(s, link);
	free(s);
}

unsigned int ike_proposals_held(void)
{
	unsigned int n = 0;
	struct shared *s;

	LIST_FOREACH(s, &lists, link)
	n++;
	return n;
}
