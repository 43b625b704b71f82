// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose traffic is it? The remote selectors of a tunnel's clients, as no two of them get the same
 * (client.c): a search tree for each address family, so that it does not take longer with many.
 *
 * It is a treap: in order by first address, a heap by random priorities, which keeps it flat whatever
 * peers ask for. Each node knows the greatest last address below it, so that a search passes over
 * what ends too early (an interval tree). Ranges of addresses may overlap, as protocols and ports
 * count, too.
 */
#include "ike/sa/layer_ikesa.h"

#include <stdlib.h>

static const uint8_t *higher(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, sizeof(((struct ike_ts *)0)->end)) < 0 ? b : a;
}

/* After a change below @c. */
static void update(struct claim *c)
{
	const uint8_t *reach = c->ts.end;

	if (c->left)
		reach = higher(reach, c->left->reach);
	if (c->right)
		reach = higher(reach, c->right->reach);
	memcpy(c->reach, reach, sizeof(c->reach));
}

static bool is_before(const struct claim *a, const struct claim *b)
{
	int order = memcmp(a->ts.start, b->ts.start, sizeof(a->ts.start));

	return order < 0 || (!order && (uintptr_t)a < (uintptr_t)b);
}

/* The tree of @root in two: what comes before @at, and what comes after it. */
static void split(struct claim *root, const struct claim *at, struct claim **before,
		  struct claim **after)
{
	if (!root) {
		*before = *after = NULL;
	} else if (is_before(root, at)) {
		split(root->right, at, &root->right, after);
		*before = root;
		update(root);
	} else {
		split(root->left, at, before, &root->left);
		*after = root;
		update(root);
	}
}

/* The other way round. */
static struct claim *merge(struct claim *before, struct claim *after)
{
	if (!before || !after)
		return before ? before : after;
	if (before->priority > after->priority) {
		before->right = merge(before->right, after);
		update(before);
		return before;
	}
	after->left = merge(before, after->left);
	update(after);
	return after;
}

static struct claim *insert(struct claim *root, struct claim *c)
{
	if (!root || c->priority > root->priority) {
		split(root, c, &c->left, &c->right);
		update(c);
		return c;
	}
	if (is_before(c, root))
		root->left = insert(root->left, c);
	else
		root->right = insert(root->right, c);
	update(root);
	return root;
}

static struct claim *delete (struct claim *root, const struct claim *c)
{
	if (root == c)
		return merge(root->left, root->right);
	if (is_before(c, root))
		root->left = delete (root->left, c);
	else
		root->right = delete (root->right, c);
	update(root);
	return root;
}

/* A claim of another one than @p to some of @ts. */
static const struct claim *find(const struct claim *root, const struct ike_peer *p,
				const struct ike_ts *ts)
{
	const struct claim *c;

	if (!root || memcmp(root->reach, ts->start, sizeof(root->reach)) < 0)
		return NULL;
	c = find(root->left, p, ts);
	if (c || memcmp(root->ts.start, ts->end, sizeof(ts->end)) > 0)
		return c;
	if (root->owner != p && ike_ts_overlap(&root->ts, ts))
		return root;
	return find(root->right, p, ts);
}

static struct claim **root_of(struct ike_tunnel *t, const struct ike_ts *ts)
{
	return &t->claims[ts->family == 6];
}

bool claim_enter(struct ike_core *core, struct ike_peer *p, const struct ike_ts *ts, unsigned int n,
		 struct claims **out)
{
	struct claims *l;
	unsigned int i;

	*out = NULL;
	if (!p->is_client)
		return true;
	l = calloc(1, sizeof(*l) + n * sizeof(l->v[0]));
	if (!l)
		return false;
	l->n = n;
	for (i = 0; i < n; i++) {
		struct claim *c = &l->v[i], **root = root_of(p->tunnel, &ts[i]);

		c->ts = ts[i];
		c->owner = p;
		core->env.rng.fill(core->env.rng.ctx, &c->priority, sizeof(c->priority));
		*root = insert(*root, c);
	}
	*out = l;
	return true;
}

void claim_leave(struct claims *l)
{
	unsigned int i;

	for (i = 0; l && i < l->n; i++) {
		struct claim *c = &l->v[i], **root = root_of(c->owner->tunnel, &c->ts);

		*root = delete (*root, c);
	}
	free(l);
}

void claim_adopt(struct ike_core *core, struct ike_peer *p, struct ike_ts_offer remote)
{
	struct claims *l;

	if (!claim_enter(core, p, remote.ts, remote.n, &l))
		report_line(core, IKE_LOG_WARN, p, NULL,
			    "out of memory: what a former agent's client has is not kept for it");
	else if (l)
		LIST_INSERT_HEAD(&p->adopted_claims, l, link);
}

void claim_disown(struct ike_peer *p)
{
	struct claims *l;

	while ((l = LIST_FIRST(&p->adopted_claims))) {
		LIST_REMOVE(l, link);
		claim_leave(l);
	}
}

const struct ike_peer *claim_rival(const struct ike_peer *p, const struct ike_ts_list *l)
{
	const struct claim *c = NULL;
	unsigned int i;

	for (i = 0; !c && i < l->n; i++)
		c = find(*root_of(p->tunnel, &l->ts[i]), p, &l->ts[i]);
	return c ? c->owner : NULL;
}
