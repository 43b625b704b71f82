// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose traffic is it? The remote selectors of a tunnel's clients, as no two of them get the same
 * (client.c): a search tree for each address family, so that it does not take longer with many.
 *
 * It is a treap: in order by first address, a heap by random priorities, which keeps it flat whatever
 * peers ask for. Each node knows the greatest last address below it, so that a search passes over
 * what ends too early (an interval tree), and whose all below it is, so that a client's own are passed
 * over. Ranges of addresses may overlap, as protocols and ports count, too: how many of those it looks
 * at is bounded.
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

static const uint8_t *later_end(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, sizeof(((struct ike_ts *)0)->end)) < 0 ? b : a;
}

static void update_from(struct claim *c, const struct claim *below)
{
	if (!below)
		return;
	memcpy(c->reach, later_end(c->reach, below->reach), sizeof(c->reach));
	if (below->sole != c->sole)
		c->sole = NULL;
}

/* After a change below @c. */
static void update_claim(struct claim *c)
{
	memcpy(c->reach, c->ts.end, sizeof(c->reach));
	c->sole = c->owner;
	update_from(c, c->left);
	update_from(c, c->right);
}

static bool is_before(const struct claim *a, const struct claim *b)
{
	int order = memcmp(a->ts.start, b->ts.start, sizeof(a->ts.start));

	return order < 0 || (!order && (uintptr_t)a < (uintptr_t)b);
}

/* The tree of @root in two: what comes before @at, and what comes after it. */
static void split_tree(struct claim *root, const struct claim *at, struct claim **before,
		       struct claim **after)
{
	if (!root) {
		*before = *after = NULL;
	} else if (is_before(root, at)) {
		split_tree(root->right, at, &root->right, after);
		*before = root;
		update_claim(root);
	} else {
		split_tree(root->left, at, before, &root->left);
		*after = root;
		update_claim(root);
	}
}

/* The other way round. */
static struct claim *merge_trees(struct claim *before, struct claim *after)
{
	if (!before || !after)
		return before ? before : after;
	if (before->priority > after->priority) {
		before->right = merge_trees(before->right, after);
		update_claim(before);
		return before;
	}
	after->left = merge_trees(before, after->left);
	update_claim(after);
	return after;
}

static struct claim *insert_claim(struct claim *root, struct claim *c)
{
	if (!root || c->priority > root->priority) {
		split_tree(root, c, &c->left, &c->right);
		update_claim(c);
		return c;
	}
	if (is_before(c, root))
		root->left = insert_claim(root->left, c);
	else
		root->right = insert_claim(root->right, c);
	update_claim(root);
	return root;
}

static struct claim *delete_claim(struct claim *root, const struct claim *c)
{
	if (root == c)
		return merge_trees(root->left, root->right);
	if (is_before(c, root))
		root->left = delete_claim(root->left, c);
	else
		root->right = delete_claim(root->right, c);
	update_claim(root);
	return root;
}

/* For claims of others than @p to some of @ts, at so many more that are for its addresses. */
struct search {
	const struct ike_peer *p;
	const struct ike_ts *ts;
	unsigned int left;
};

/* One of them; also the last one looked at, if there are too many, which differ in ports only. */
static const struct claim *find_rival(const struct claim *root, struct search *s)
{
	const struct claim *c;

	if (!root || root->sole == s->p ||
	    memcmp(root->reach, s->ts->start, sizeof(root->reach)) < 0)
		return NULL;
	c = find_rival(root->left, s);
	if (c || memcmp(root->ts.start, s->ts->end, sizeof(s->ts->end)) > 0)
		return c;
	if (root->owner != s->p && (ike_ts_overlap(&root->ts, s->ts) || !--s->left))
		return root;
	return find_rival(root->right, s);
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
		*root = insert_claim(*root, c);
	}
	*out = l;
	return true;
}

void claim_leave(struct claims *l)
{
	unsigned int i;

	for (i = 0; l && i < l->n; i++) {
		struct claim *c = &l->v[i], **root = root_of(c->owner->tunnel, &c->ts);

		*root = delete_claim(*root, c);
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

	for (i = 0; !c && i < l->n; i++) {
		struct search s = { p, &l->ts[i], CLAIM_LOOKS };

		c = find_rival(*root_of(p->tunnel, &l->ts[i]), &s);
	}
	return c ? c->owner : NULL;
}
