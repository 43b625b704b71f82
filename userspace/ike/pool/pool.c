// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases are in three search trees (tsearch(3), which is balanced): by identity, by address and by
 * holder; identities are chosen by clients, so that no hash of them could be relied on. A lease that
 * nobody holds is in a queue, too, in the order of release. Addresses are given in ascending order, and
 * what was passed is not looked at again, as what is free behind it is in a queue; but for the few whose
 * leases were forgotten: these are counted, and the search begins anew when there is nothing else.
 */
#include "ike/pool/pool.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ike/proto/addr.h"
#include "ike/proto/id.h"

/* Queues: those that are held; those that nobody holds, by family; and such of fixed addresses. */
enum { HELD, IDLE4, IDLE6, KEPT, QUEUES };

struct lease {
	struct pool_lease is;
	TAILQ_ENTRY(lease) link;
	uint64_t released; /* order of release */
};

TAILQ_HEAD(leases, lease);

struct range {
	struct ike_addr next, last;
	bool used_up; /* each address was given once */
};

struct pool {
	struct range *ranges;
	struct pool_range *bounds; /* the same, as they were given */
	unsigned int n_ranges;
	struct pool_fixed *fixed;
	unsigned int n_fixed;
	void *by_id, *by_addr, *by_holder; /* those with an identity, all, those that are held */
	void *fixed_by_addr, *fixed_by_id; /* of ->fixed */
	struct leases queue[QUEUES];
	unsigned int n;
	unsigned int forgotten[2]; /* addresses of leases that were dropped, IPv4 and IPv6 */
	uint64_t releases;
	uint64_t changes;
	int64_t now; /* see pool_clock() */
};

/* ---- orders ---------------------------------------------------------------------- */

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_addrs(const struct ike_addr *a, const struct ike_addr *b)
{
	if (a->family != b->family)
		return compare_numbers(a->family, b->family);
	return memcmp(a->b, b->b, sizeof(a->b));
}

static int order_by_id(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;

	if (x->is.addr.family != y->is.addr.family)
		return compare_numbers(x->is.addr.family, y->is.addr.family);
	return ike_id_cmp(&x->is.id, &y->is.id);
}

static int order_by_addr(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;

	return compare_addrs(&x->is.addr, &y->is.addr);
}

static int order_by_holder(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;

	if (x->is.holder != y->is.holder)
		return compare_numbers(x->is.holder, y->is.holder);
	return compare_numbers(x->is.addr.family, y->is.addr.family);
}

static int order_fixed_by_addr(const void *a, const void *b)
{
	const struct pool_fixed *x = a, *y = b;

	return compare_addrs(&x->addr, &y->addr);
}

static int order_fixed_by_id(const void *a, const void *b)
{
	const struct pool_fixed *x = a, *y = b;

	if (x->addr.family != y->addr.family)
		return compare_numbers(x->addr.family, y->addr.family);
	return ike_id_cmp(&x->id, &y->id);
}

/* What tfind() returns points to the key; NULL: there is none. */
static void *find(const void *key, void *const *tree, int (*order)(const void *, const void *))
{
	void *const *at = tfind(key, tree, order);

	return at ? *at : NULL;
}

static struct lease *find_by_id(const struct pool *pool, const struct ike_id *id, uint8_t family)
{
	const struct lease key = { .is = { .id = *id, .addr.family = family } };

	return find(&key, &pool->by_id, order_by_id);
}

static struct lease *find_by_addr(const struct pool *pool, const struct ike_addr *addr)
{
	const struct lease key = { .is.addr = *addr };

	return find(&key, &pool->by_addr, order_by_addr);
}

static struct lease *find_by_holder(const struct pool *pool, uint32_t holder, uint8_t family)
{
	const struct lease key = { .is = { .holder = holder, .addr.family = family } };

	return find(&key, &pool->by_holder, order_by_holder);
}

static const struct pool_fixed *fixed_at(const struct pool *pool, const struct ike_addr *addr)
{
	const struct pool_fixed key = { .addr = *addr };

	return find(&key, &pool->fixed_by_addr, order_fixed_by_addr);
}

static const struct pool_fixed *fixed_of(const struct pool *pool, const struct ike_id *id,
					 uint8_t family)
{
	const struct pool_fixed key = { .id = *id, .addr.family = family };

	return id->type ? find(&key, &pool->fixed_by_id, order_fixed_by_id) : NULL;
}

/* ---- one lease ------------------------------------------------------------------- */

static struct leases *queue_of(struct pool *pool, const struct lease *l)
{
	if (l->is.holder)
		return &pool->queue[HELD];
	if (fixed_at(pool, &l->is.addr))
		return &pool->queue[KEPT];
	return &pool->queue[l->is.addr.family == 4 ? IDLE4 : IDLE6];
}

/* It has begun to be held, or to be idle. */
static void note_change(struct pool *pool, struct lease *l)
{
	l->is.since = pool->now;
	pool->changes++;
}

static void leave_holder(struct pool *pool, struct lease *l)
{
	if (!l->is.holder)
		return;
	TAILQ_REMOVE(queue_of(pool, l), l, link);
	tdelete(l, &pool->by_holder, order_by_holder);
	l->is.holder = 0;
	l->released = ++pool->releases;
	TAILQ_INSERT_TAIL(queue_of(pool, l), l, link);
	note_change(pool, l);
}

/* It is idle, or its holder and its identity have another one already. */
static void drop_lease(struct pool *pool, struct lease *l)
{
	if (l->is.id.type)
		tdelete(l, &pool->by_id, order_by_id);
	tdelete(l, &pool->by_addr, order_by_addr);
	TAILQ_REMOVE(queue_of(pool, l), l, link);
	pool->forgotten[l->is.addr.family == 6]++;
	pool->changes++;
	pool->n--;
	free(l);
}

static void release_lease(struct pool *pool, struct lease *l)
{
	leave_holder(pool, l);
	if (!l->is.id.type) /* nobody could ask for it */
		drop_lease(pool, l);
}

static int give_to_holder(struct pool *pool, struct lease *l, uint32_t holder)
{
	struct leases *from = queue_of(pool, l);

	if (!holder || l->is.holder == holder)
		return 0;
	l->is.holder = holder;
	if (!tsearch(l, &pool->by_holder, order_by_holder)) {
		l->is.holder = 0;
		return -ENOMEM;
	}
	TAILQ_REMOVE(from, l, link);
	TAILQ_INSERT_TAIL(queue_of(pool, l), l, link);
	note_change(pool, l);
	return 0;
}

/* It had none. */
static int name_lease(struct pool *pool, struct lease *l, const struct ike_id *id)
{
	l->is.id = *id;
	if (!tsearch(l, &pool->by_id, order_by_id)) {
		l->is.id.type = 0;
		return -ENOMEM;
	}
	pool->changes++;
	return 0;
}

/* A new one, idle, and of no identity. NULL: out of memory. */
static struct lease *make_lease(struct pool *pool, const struct ike_addr *addr)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->is.addr = *addr;
	if (!tsearch(l, &pool->by_addr, order_by_addr)) {
		free(l);
		return NULL;
	}
	l->released = ++pool->releases;
	TAILQ_INSERT_TAIL(queue_of(pool, l), l, link);
	note_change(pool, l);
	pool->n++;
	return l;
}

/* The node of the tree that has the place of @key leads to @l, which is to have it. */
static void point_to(struct lease *l, const struct lease *key, void *const *tree,
		     int (*order)(const void *, const void *))
{
	*(struct lease **)tfind(key, tree, order) = l;
}

/* Places for identity and holder of @key, if it has them, where there are none yet. False without memory. */
static bool reserve_places(struct pool *pool, const struct lease *key)
{
	bool has_id = key->is.id.type && tfind(key, &pool->by_id, order_by_id);

	if (key->is.id.type && !has_id && !tsearch(key, &pool->by_id, order_by_id))
		return false;
	if (!key->is.holder || tsearch(key, &pool->by_holder, order_by_holder))
		return true;
	if (key->is.id.type && !has_id)
		tdelete(key, &pool->by_id, order_by_id);
	return false;
}

/* Its own identity and holder are those of @key from now on, whose places are reserved. */
static void move_lease(struct pool *pool, struct lease *l, const struct lease *key)
{
	struct lease *former = key->is.id.type ? find(key, &pool->by_id, order_by_id) : NULL;

	if (former == key || former == l)
		former = NULL;
	if (l->is.id.type && order_by_id(l, key) != 0)
		tdelete(l, &pool->by_id, order_by_id);
	TAILQ_REMOVE(queue_of(pool, l), l, link);
	l->is.id = key->is.id;
	l->is.holder = key->is.holder;
	TAILQ_INSERT_TAIL(queue_of(pool, l), l, link);
	if (l->is.id.type)
		point_to(l, key, &pool->by_id, order_by_id);
	if (l->is.holder)
		point_to(l, key, &pool->by_holder, order_by_holder);
	note_change(pool, l);
	if (!former)
		return;
	former->is.id.type = 0; /* whose place is another lease's now */
	drop_lease(pool, former);
}

/* ---- choosing an address ----------------------------------------------------------- */

bool pool_range_has(const struct pool_range *r, const struct ike_addr *addr)
{
	return compare_addrs(&r->first, addr) <= 0 && compare_addrs(addr, &r->last) <= 0;
}

static bool in_range(const struct pool *pool, const struct ike_addr *addr)
{
	for (unsigned int i = 0; i < pool->n_ranges; i++) {
		if (pool_range_has(&pool->bounds[i], addr))
			return true;
	}
	return false;
}

/* May @id have it, whoever has it now? */
static bool can_have(const struct pool *pool, const struct ike_id *id, const struct ike_addr *addr)
{
	const struct pool_fixed *own = fixed_of(pool, id, addr->family);

	if (own)
		return !compare_addrs(&own->addr, addr);
	return in_range(pool, addr) && !fixed_at(pool, addr);
}

static void advance(struct range *r)
{
	r->used_up = !compare_addrs(&r->next, &r->last);
	if (!r->used_up)
		ike_addr_step(&r->next, 1);
}

/* One that was never given; false if there is none. */
static bool find_fresh(struct pool *pool, uint8_t family, struct ike_addr *out)
{
	for (unsigned int i = 0; i < pool->n_ranges; i++) {
		struct range *r = &pool->ranges[i];

		while (r->last.family == family && !r->used_up) {
			*out = r->next;
			advance(r);
			if (!find_by_addr(pool, out) && !fixed_at(pool, out))
				return true;
		}
	}
	return false;
}

/* The same once more from the start, if something was forgotten. */
static bool find_forgotten(struct pool *pool, uint8_t family, struct ike_addr *out)
{
	if (!pool->forgotten[family == 6])
		return false;
	pool->forgotten[family == 6] = 0;
	for (unsigned int i = 0; i < pool->n_ranges; i++) {
		if (pool->bounds[i].first.family == family)
			pool->ranges[i] = (struct range){ pool->bounds[i].first,
							  pool->bounds[i].last, false };
	}
	return find_fresh(pool, family, out);
}

static bool has_family(const struct pool *pool, uint8_t family)
{
	for (unsigned int i = 0; i < pool->n_ranges; i++) {
		if (pool->bounds[i].first.family == family)
			return true;
	}
	return false;
}

/* An address for an identity that has none. */
static int choose(struct pool *pool, const struct ike_id *id, uint8_t family,
		  const struct ike_addr *wanted, struct ike_addr *out)
{
	const struct pool_fixed *own = fixed_of(pool, id, family);
	struct lease *idle = TAILQ_FIRST(&pool->queue[family == 4 ? IDLE4 : IDLE6]);

	if (own) {
		*out = own->addr;
		return find_by_addr(pool, out) ? -EBUSY : 0;
	}
	if (!has_family(pool, family))
		return -EAFNOSUPPORT;
	if (wanted && wanted->family == family && can_have(pool, id, wanted) &&
	    !find_by_addr(pool, wanted)) {
		*out = *wanted;
		return 0;
	}
	if (find_fresh(pool, family, out) || find_forgotten(pool, family, out))
		return 0;
	if (!idle)
		return -ENOSPC;
	*out = idle->is.addr;
	return 0;
}

/* No more of them than are to be remembered; @made, the last one, is. */
static void make_room(struct pool *pool, const struct lease *made)
{
	struct lease *four = TAILQ_FIRST(&pool->queue[IDLE4]);
	struct lease *six = TAILQ_FIRST(&pool->queue[IDLE6]);
	struct lease *first = !six || (four && four->released < six->released) ? four : six;

	if (first && first != made && pool->n > POOL_LEASES)
		drop_lease(pool, first);
}

/*
 * The address, which nobody else holds, is a lease of @id, and of @holder unless that is 0. What @id had of the
 * family it has no longer; @holder had none but that. 0, or -ENOMEM with nothing changed: all that can fail is done first.
 */
static int settle_lease(struct pool *pool, uint32_t holder, const struct ike_id *id,
			const struct ike_addr *addr)
{
	const struct lease key = { .is = { .id = *id, .addr = *addr, .holder = holder } };
	struct lease *l = find_by_addr(pool, addr), *made = NULL;

	if (!l)
		l = made = make_lease(pool, addr);
	if (!l)
		return -ENOMEM;
	if (!reserve_places(pool, &key)) {
		if (made)
			drop_lease(pool, made);
		return -ENOMEM;
	}
	move_lease(pool, l, &key);
	make_room(pool, made);
	return 0;
}

/* ---- interface ------------------------------------------------------------------------ */

/* It is @id's from now on: it was, or was nobody's so far, and @id has none. Else -EBUSY; or -ENOMEM. */
static int become_own(struct pool *pool, struct lease *l, const struct ike_id *id)
{
	if (l->is.id.type)
		return ike_id_eq(&l->is.id, id) ? 0 : -EBUSY;
	if (find_by_id(pool, id, l->is.addr.family) || !can_have(pool, id, &l->is.addr))
		return -EBUSY;
	return name_lease(pool, l, id);
}

/* That of the identity, if nobody holds it; *@busy: another one does. */
static struct lease *find_own(struct pool *pool, const struct ike_id *id, uint8_t family,
			      bool *busy)
{
	struct lease *l = find_by_id(pool, id, family);

	*busy = l && l->is.holder;
	if (!l || *busy || can_have(pool, id, &l->is.addr))
		return l;
	drop_lease(pool, l);
	return NULL;
}

int pool_take(struct pool *pool, uint32_t holder, const struct ike_id *id, uint8_t family,
	      const struct ike_addr *wanted, struct ike_addr *out)
{
	struct lease *l = find_by_holder(pool, holder, family);
	bool busy;
	int err;

	if (l) {
		*out = l->is.addr;
		return become_own(pool, l, id);
	}
	l = find_own(pool, id, family, &busy);
	if (busy)
		return -EBUSY;
	if (l) {
		*out = l->is.addr;
		return give_to_holder(pool, l, holder);
	}
	err = choose(pool, id, family, wanted, out);
	return err ? err : settle_lease(pool, holder, id, out);
}

static bool is_held(const struct lease *l)
{
	return l && l->is.holder;
}

int pool_assign(struct pool *pool, uint32_t holder, const struct ike_id *id,
		const struct ike_addr *addr)
{
	struct lease *of_id = find_by_id(pool, id, addr->family);
	struct lease *of_addr = find_by_addr(pool, addr);
	struct lease *of_holder = find_by_holder(pool, holder, addr->family);

	if (!can_have(pool, id, addr))
		return -ENOENT;
	if (of_holder && of_holder == of_addr)
		return become_own(pool, of_addr, id);
	if (is_held(of_addr) || (of_holder && of_holder != of_id) ||
	    (is_held(of_id) && of_id != of_holder))
		return -EBUSY;
	return settle_lease(pool, holder, id, addr);
}

int pool_restore(struct pool *pool, uint32_t holder, const struct ike_id *id,
		 const struct ike_addr *addr)
{
	struct lease *of_id = id->type ? find_by_id(pool, id, addr->family) : NULL;
	struct lease *of_addr = find_by_addr(pool, addr);
	struct lease *of_holder = holder ? find_by_holder(pool, holder, addr->family) : NULL;

	if (!can_have(pool, id, addr))
		return -ENOENT;
	if ((of_holder && of_holder != of_addr) ||
	    (holder && is_held(of_addr) && of_addr->is.holder != holder))
		return -EEXIST;
	if (of_addr != of_id && (!holder || is_held(of_addr) || is_held(of_id)))
		return -EEXIST;
	if (of_addr && of_addr == of_id)
		return give_to_holder(pool, of_addr, holder);
	return settle_lease(pool, holder, id, addr);
}

void pool_release(struct pool *pool, uint32_t holder)
{
	static const uint8_t families[] = { 4, 6 };

	for (unsigned int i = 0; i < 2; i++) {
		struct lease *l = find_by_holder(pool, holder, families[i]);

		if (l)
			release_lease(pool, l);
	}
}

bool pool_held(const struct pool *pool, uint32_t holder, uint8_t family, struct ike_addr *out)
{
	const struct lease *l = find_by_holder(pool, holder, family);

	if (l)
		*out = l->is.addr;
	return l;
}

void pool_each(const struct pool *pool, void (*fn)(void *ctx, const struct pool_lease *lease),
	       void *ctx)
{
	static const int order[QUEUES] = { IDLE4, IDLE6, KEPT, HELD };
	const struct lease *l;

	for (unsigned int i = 0; i < QUEUES; i++) {
		TAILQ_FOREACH(l, &pool->queue[order[i]], link)
		{
			fn(ctx, &l->is);
		}
	}
}

void pool_clock(struct pool *pool, int64_t now)
{
	pool->now = now;
}

uint64_t pool_changes(const struct pool *pool)
{
	return pool->changes;
}

/* Addresses of a range, as far as they can be counted. */
static uint32_t range_size(const struct pool_range *r)
{
	unsigned int len = r->first.family == 4 ? 4 : 16;
	uint64_t first = 0, last = 0;

	if (len == 16 && memcmp(r->first.b, r->last.b, 12) != 0)
		return UINT32_MAX;
	for (unsigned int i = len - 4; i < len; i++) {
		first = first << 8 | r->first.b[i];
		last = last << 8 | r->last.b[i];
	}
	return last - first >= UINT32_MAX ? UINT32_MAX : (uint32_t)(last - first + 1);
}

struct counting {
	const struct pool *pool;
	uint8_t family;
	struct pool_count *out;
	uint32_t taken; /* of the ranges: leased, or fixed */
};

static void count_lease(void *ctx, const struct pool_lease *lease)
{
	struct counting *c = ctx;

	if (lease->addr.family != c->family)
		return;
	c->out->leased++;
	c->out->held += lease->holder != 0;
	c->taken += in_range(c->pool, &lease->addr) && !fixed_at(c->pool, &lease->addr);
}

void pool_count(const struct pool *pool, uint8_t family, struct pool_count *out)
{
	struct counting c = { pool, family, out, 0 };
	uint64_t size = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < pool->n_ranges; i++) {
		if (pool->bounds[i].first.family == family)
			size += range_size(&pool->bounds[i]);
	}
	out->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	pool_each(pool, count_lease, &c);
	for (unsigned int i = 0; i < pool->n_fixed; i++)
		c.taken += pool->fixed[i].addr.family == family &&
			   in_range(pool, &pool->fixed[i].addr);
	out->free = out->size < UINT32_MAX ? out->size - c.taken : out->size;
}

static bool index_fixed(struct pool *pool, const struct pool_fixed *f)
{
	if (!tsearch(f, &pool->fixed_by_addr, order_fixed_by_addr))
		return false;
	return !f->id.type || tsearch(f, &pool->fixed_by_id, order_fixed_by_id);
}

static void *copy_list(const void *from, unsigned int n, size_t size)
{
	void *to = calloc(n + 1, size);

	if (to && n)
		memcpy(to, from, n * size);
	return to;
}

struct pool *pool_new(const struct pool_range *ranges, unsigned int n_ranges,
		      const struct pool_fixed *fixed, unsigned int n_fixed)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	for (unsigned int i = 0; i < QUEUES; i++)
		TAILQ_INIT(&pool->queue[i]);
	pool->ranges = calloc(n_ranges + 1, sizeof(*pool->ranges));
	pool->bounds = copy_list(ranges, n_ranges, sizeof(*ranges));
	pool->fixed = copy_list(fixed, n_fixed, sizeof(*fixed));
	if (!pool->ranges || !pool->bounds || !pool->fixed)
		goto fail;
	pool->n_ranges = n_ranges;
	pool->n_fixed = n_fixed;
	for (unsigned int i = 0; i < n_ranges; i++)
		pool->ranges[i] = (struct range){ ranges[i].first, ranges[i].last, false };
	for (unsigned int i = 0; i < n_fixed; i++) {
		if (!index_fixed(pool, &pool->fixed[i]))
			goto fail;
	}
	return pool;
fail:
	pool_free(pool);
	return NULL;
}

static void keep_key(void *key)
{
	(void)key;
}

void pool_free(struct pool *pool)
{
	struct lease *l;

	if (!pool)
		return;
	tdestroy(pool->by_id, keep_key);
	tdestroy(pool->by_addr, keep_key);
	tdestroy(pool->by_holder, keep_key);
	tdestroy(pool->fixed_by_addr, keep_key);
	tdestroy(pool->fixed_by_id, keep_key);
	for (unsigned int i = 0; i < QUEUES; i++) {
		while ((l = TAILQ_FIRST(&pool->queue[i]))) {
			TAILQ_REMOVE(&pool->queue[i], l, link);
			free(l);
		}
	}
	free(pool->ranges);
	free(pool->bounds);
	free(pool->fixed);
	free(pool);
}
