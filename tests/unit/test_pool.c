// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases: by name, then thousands of random operations on small and large pools beside a model that is a
 * list and looks at all of it.
 */
#include <errno.h>
#include <search.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "some_pool.h"
#include "ike/pool/pool.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

static const char *take(struct pool *pool, uint32_t holder, const char *id, uint8_t family,
			const char *wanted)
{
	const struct ike_id who = name(id);
	struct ike_addr want = { 0 }, got;
	static char text[64];
	int err;

	if (wanted)
		want = at(wanted);
	err = pool_take(pool, holder, &who, family, wanted ? &want : NULL, &got);
	if (err)
		snprintf(text, sizeof(text), "%s", strerrorname_np(-err));
	else
		ike_addr_print(text, sizeof(text), &got);
	return text;
}

static int restore(struct pool *pool, uint32_t holder, const char *id, const char *addr)
{
	const struct ike_id none = { 0 }, who = id ? name(id) : none;
	const struct ike_addr a = at(addr);

	return pool_restore(pool, holder, &who, &a);
}

static void an_identity_gets_its_old_lease(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.9");

	(void)state;
	assert_string_equal(take(pool, 2, "alice", 4, NULL), "10.9.0.2");
	assert_string_equal(take(pool, 3, "bob", 4, NULL), "10.9.0.3");
	assert_string_equal(take(pool, 2, "alice", 4, "10.9.0.7"), "10.9.0.2");
	pool_release(pool, 2);
	pool_release(pool, 3);
	assert_string_equal(take(pool, 4, "bob", 4, "10.9.0.7"), "10.9.0.3");
	assert_string_equal(take(pool, 5, "ALICE", 4, NULL), "10.9.0.2");
	assert_string_equal(take(pool, 6, "carol", 4, "10.9.0.7"), "10.9.0.7");
	pool_free(pool);
}

static void a_full_pool_takes_from_those_who_left_first(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.4");

	(void)state;
	take(pool, 1, "a", 4, NULL);
	take(pool, 2, "b", 4, NULL);
	take(pool, 3, "c", 4, NULL);
	assert_string_equal(take(pool, 4, "d", 4, NULL), "ENOSPC");
	assert_string_equal(take(pool, 4, "d", 4, "10.9.0.3"), "ENOSPC");
	pool_release(pool, 2);
	pool_release(pool, 1);
	assert_string_equal(take(pool, 4, "d", 4, NULL), "10.9.0.3");
	assert_string_equal(take(pool, 1, "a", 4, NULL), "10.9.0.2");
	assert_string_equal(take(pool, 2, "b", 4, NULL), "ENOSPC");
	pool_free(pool);
}

/* Fixed addresses are nobody else's, whether they are in a range or not. */
static void what_is_free_is_counted(void **state)
{
	const struct pool_range r = { at("10.9.0.1"), at("10.9.0.8") };
	const struct pool_fixed fixed[] = { { .addr = at("10.9.0.1") },
					    { name("alice"), at("10.9.0.5") },
					    { name("bob"), at("10.7.0.1") } };
	struct pool *pool = pool_new(&r, 1, fixed, 3);
	struct pool_count c;

	(void)state;
	take(pool, 2, "alice", 4, NULL);
	take(pool, 3, "bob", 4, NULL);
	take(pool, 4, "carol", 4, NULL);
	pool_release(pool, 4);
	pool_count(pool, 4, &c);
	assert_int_equal(c.size, 8);
	assert_int_equal(c.leased, 3);
	assert_int_equal(c.held, 2);
	assert_int_equal(c.free, 5);
	pool_count(pool, 6, &c);
	assert_int_equal(c.size + c.leased + c.free, 0);
	pool_free(pool);
}

static void changes_are_counted_and_dated(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.4");
	uint64_t before;

	(void)state;
	assert_int_equal(pool_changes(pool), 0);
	pool_clock(pool, 1000);
	take(pool, 2, "alice", 4, NULL);
	before = pool_changes(pool);
	assert_true(before > 0);
	take(pool, 2, "alice", 4, NULL);
	take(pool, 3, "alice", 4, NULL); /* is refused */
	assert_int_equal(pool_changes(pool), before);
	pool_clock(pool, 2000);
	pool_release(pool, 2);
	assert_true(pool_changes(pool) > before);
	pool_free(pool);
}

static void an_identity_has_one_lease(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.9");

	(void)state;
	take(pool, 1, "a", 4, NULL);
	assert_string_equal(take(pool, 2, "a", 4, NULL), "EBUSY");
	/* and a holder, too: while its SAs are there, nobody else gets the address */
	assert_string_equal(take(pool, 1, "b", 4, NULL), "EBUSY");
	assert_string_equal(take(pool, 2, "a", 4, NULL), "EBUSY");
	assert_string_equal(take(pool, 3, "c", 4, "10.9.0.2"), "10.9.0.3");
	pool_release(pool, 1);
	assert_string_equal(take(pool, 1, "b", 4, NULL), "10.9.0.4");
	assert_string_equal(take(pool, 2, "a", 4, NULL), "10.9.0.2");
	/* one of whom it is not known whose it is, and who says to be somebody with a lease */
	assert_int_equal(restore(pool, 9, NULL, "10.9.0.7"), 0);
	assert_string_equal(take(pool, 9, "c", 4, NULL), "EBUSY");
	assert_string_equal(take(pool, 5, "d", 4, "10.9.0.7"), "10.9.0.5");
	pool_free(pool);
}

static void families_are_apart(void **state)
{
	const struct pool_range r[] = { { at("fd00::1"), at("fd00::ffff:ffff:ffff") },
					{ at("10.9.0.254"), at("10.9.1.1") } };
	struct pool *pool = pool_new(r, 2, NULL, 0);
	struct pool_count count;

	(void)state;
	assert_string_equal(take(pool, 1, "a", 4, NULL), "10.9.0.254");
	assert_string_equal(take(pool, 1, "a", 6, NULL), "fd00::1");
	assert_string_equal(take(pool, 2, "b", 6, "10.9.0.255"), "fd00::2");
	assert_string_equal(take(pool, 2, "b", 4, NULL), "10.9.0.255");
	assert_string_equal(take(pool, 3, "c", 4, NULL), "10.9.1.0");
	pool_count(pool, 4, &count);
	assert_int_equal(count.size, 4);
	assert_int_equal(count.held, 3);
	pool_count(pool, 6, &count);
	assert_int_equal(count.size, UINT32_MAX);
	assert_int_equal(count.leased, 2);
	pool_free(pool);
	pool = pool_of("10.9.0.2", "10.9.0.9");
	assert_string_equal(take(pool, 1, "a", 6, NULL), "EAFNOSUPPORT");
	pool_free(pool);
}

static void fixed_addresses_are_kept(void **state)
{
	const struct pool_range r = { at("10.9.0.1"), at("10.9.0.4") };
	const struct pool_fixed fixed[] = { { .addr = at("10.9.0.1") },
					    { name("alice"), at("10.9.0.2") },
					    { name("bob"), at("192.0.2.1") },
					    { name("bob"), at("fd00::b") } };
	struct pool *pool = pool_new(&r, 1, fixed, 4);

	(void)state;
	assert_string_equal(take(pool, 1, "x", 4, "10.9.0.1"), "10.9.0.3");
	assert_string_equal(take(pool, 2, "y", 4, "10.9.0.2"), "10.9.0.4");
	assert_string_equal(take(pool, 3, "z", 4, NULL), "ENOSPC");
	assert_string_equal(take(pool, 4, "alice", 4, "10.9.0.3"), "10.9.0.2");
	pool_release(pool, 4);
	assert_string_equal(take(pool, 3, "z", 4, NULL), "ENOSPC");
	assert_string_equal(take(pool, 4, "alice", 4, NULL), "10.9.0.2");
	assert_string_equal(take(pool, 5, "bob", 4, NULL), "192.0.2.1");
	assert_string_equal(take(pool, 5, "bob", 6, NULL), "fd00::b");
	assert_string_equal(take(pool, 4, "alice", 6, NULL), "EAFNOSUPPORT");
	pool_free(pool);
}

static void what_an_earlier_agent_knew(void **state)
{
	const struct pool_range r = { at("10.9.0.1"), at("10.9.0.4") };
	const struct pool_fixed fixed[] = { { .addr = at("10.9.0.1") },
					    { name("alice"), at("10.9.0.2") } };
	struct pool *pool = pool_new(&r, 1, fixed, 2);
	struct ike_addr a;

	(void)state;
	assert_int_equal(restore(pool, 0, "x", "10.9.0.4"), 0);
	assert_int_equal(restore(pool, 0, "x", "10.9.0.4"), 0);
	assert_int_equal(restore(pool, 0, "x", "10.9.0.3"), -EEXIST);
	assert_int_equal(restore(pool, 0, "y", "10.9.0.4"), -EEXIST);
	assert_int_equal(restore(pool, 0, "y", "10.9.0.1"), -ENOENT);
	assert_int_equal(restore(pool, 0, "y", "10.9.0.2"), -ENOENT);
	assert_int_equal(restore(pool, 0, "y", "10.9.0.5"), -ENOENT);
	assert_int_equal(restore(pool, 0, "y", "fd00::1"), -ENOENT);
	assert_int_equal(restore(pool, 0, "alice", "10.9.0.3"), -ENOENT);
	assert_int_equal(restore(pool, 7, "x", "10.9.0.4"), 0);
	assert_int_equal(restore(pool, 8, "x", "10.9.0.4"), -EEXIST);
	assert_true(pool_held(pool, 7, 4, &a));
	assert_false(pool_held(pool, 8, 4, &a));
	/* an adopted client that did not say yet who it is */
	assert_int_equal(restore(pool, 9, NULL, "10.9.0.3"), 0);
	assert_string_equal(take(pool, 10, "z", 4, NULL), "ENOSPC");
	assert_string_equal(take(pool, 9, "z", 4, NULL), "10.9.0.3");
	pool_release(pool, 9);
	assert_string_equal(take(pool, 10, "z", 4, NULL), "10.9.0.3");
	/* one that goes without having said it */
	pool_release(pool, 10);
	assert_string_equal(take(pool, 11, "w", 4, NULL), "10.9.0.3");
	pool_release(pool, 7);
	pool_free(pool);
	pool = pool_of("10.9.0.2", "10.9.0.2");
	assert_int_equal(restore(pool, 9, NULL, "10.9.0.2"), 0);
	assert_string_equal(take(pool, 1, "a", 4, NULL), "ENOSPC");
	pool_release(pool, 9);
	assert_string_equal(take(pool, 1, "a", 4, NULL), "10.9.0.2");
	pool_free(pool);
}

/* ---- a model ---------------------------------------------------------------------------- */

enum { MODEL = 40, HOLDERS = 12, NAMES = 20 };

struct model {
	unsigned int size; /* addresses 10.9.0.1 and so on */
	struct known {
		bool used;
		unsigned int name;
		uint32_t holder;
		uint64_t released;
	} e[MODEL];
	uint64_t clock;
};

static struct known *model_find(struct model *m, unsigned int who, uint32_t holder)
{
	for (unsigned int i = 0; i < m->size; i++) {
		if (m->e[i].used && (holder ? m->e[i].holder == holder : m->e[i].name == who))
			return &m->e[i];
	}
	return NULL;
}

static void model_release(struct model *m, uint32_t holder)
{
	struct known *e = model_find(m, 0, holder);

	if (!e)
		return;
	e->holder = 0;
	e->released = ++m->clock;
}

/* Where a new identity may get an address; -1: nowhere. */
static int model_choose(struct model *m, int wanted)
{
	int first = -1;

	if (wanted >= 0 && (unsigned int)wanted < m->size && !m->e[wanted].used)
		return wanted;
	for (unsigned int i = 0; i < m->size; i++) {
		if (!m->e[i].used)
			return (int)i;
		if (!m->e[i].holder && (first < 0 || m->e[i].released < m->e[first].released))
			first = (int)i;
	}
	return first;
}

static int model_take(struct model *m, uint32_t holder, unsigned int who, int wanted)
{
	struct known *own = model_find(m, who, 0), *held = model_find(m, 0, holder);
	int i;

	if (held && held != own)
		return -EBUSY;
	if (own && own->holder && own->holder != holder)
		return -EBUSY;
	i = own ? (int)(own - m->e) : model_choose(m, wanted);
	if (i < 0)
		return -ENOSPC;
	m->e[i] = (struct known){ true, who, holder, 0 };
	return i;
}

static unsigned int below(uint64_t *seed, unsigned int n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(*seed >> 33) % n;
}

struct watch {
	const struct model *m;
	unsigned int n;
};

static void is_as_in_model(void *ctx, const struct pool_lease *l)
{
	struct watch *w = ctx;
	const struct known *e = &w->m->e[l->addr.b[3] - 1];
	char text[64], want[16];

	assert_true(e->used);
	assert_int_equal(e->holder, l->holder);
	snprintf(want, sizeof(want), "n%u", e->name);
	assert_string_equal(ike_id_print(text, sizeof(text), &l->id), want);
	w->n++;
}

static void compare(const struct pool *pool, const struct model *m)
{
	struct watch w = { m, 0 };
	unsigned int n = 0;

	pool_each(pool, is_as_in_model, &w);
	for (unsigned int i = 0; i < m->size; i++)
		n += m->e[i].used;
	assert_int_equal(w.n, n);
}

static void step(struct pool *pool, struct model *m, uint64_t *seed)
{
	uint32_t holder = 1 + below(seed, HOLDERS);
	unsigned int who = below(seed, NAMES);
	int wanted = (int)below(seed, 3 * m->size) - 1, got;
	char id[16], text[64], addr[32];

	if (!below(seed, 3)) {
		pool_release(pool, holder);
		model_release(m, holder);
		return;
	}
	snprintf(id, sizeof(id), "n%u", who);
	snprintf(addr, sizeof(addr), "10.9.0.%d", wanted + 1);
	snprintf(text, sizeof(text), "%s", take(pool, holder, id, 4, wanted >= 0 ? addr : NULL));
	got = model_take(m, holder, who, wanted);
	if (got >= 0)
		snprintf(addr, sizeof(addr), "10.9.0.%d", got + 1);
	else
		snprintf(addr, sizeof(addr), "%s", strerrorname_np(-got));
	assert_string_equal(text, addr);
}

static void random_operations_are_those_of_the_model(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned int run = 0; run < 60; run++) {
		struct model m = { .size = 1 + below(&seed, MODEL - 1) };
		char last[32];
		struct pool *pool;

		snprintf(last, sizeof(last), "10.9.0.%u", m.size);
		pool = pool_of("10.9.0.1", last);
		for (unsigned int i = 0; i < 1000; i++)
			step(pool, &m, &seed);
		compare(pool, &m);
		pool_free(pool);
	}
}

static void no_more_is_remembered_than_there_is_room_for(void **state)
{
	struct pool *pool = pool_of("10.9.0.1", "10.9.255.254");
	struct pool_count count;
	char id[32];

	(void)state;
	take(pool, 1, "stays", 4, NULL);
	for (unsigned int i = 0; i < 3 * POOL_LEASES; i++) {
		snprintf(id, sizeof(id), "n%u", i);
		take(pool, 2, id, 4, NULL);
		pool_release(pool, 2);
	}
	pool_count(pool, 4, &count);
	assert_int_equal(count.leased, POOL_LEASES);
	assert_string_equal(take(pool, 1, "stays", 4, NULL), "10.9.0.1");
	pool_free(pool);
}

static int assign(struct pool *pool, uint32_t holder, const char *id, const char *addr)
{
	const struct ike_id who = name(id);
	const struct ike_addr a = at(addr);

	return pool_assign(pool, holder, &who, &a);
}

static void an_address_that_a_server_chose(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.9");

	(void)state;
	assert_int_equal(assign(pool, 2, "alice", "10.9.0.7"), 0);
	assert_string_equal(take(pool, 2, "alice", 4, NULL), "10.9.0.7");
	assert_int_equal(assign(pool, 2, "alice", "10.9.0.7"), 0);
	/* Another one, when she logs in anew; what was hers is free. */
	assert_int_equal(assign(pool, 2, "alice", "10.9.0.8"), 0);
	assert_string_equal(take(pool, 2, "alice", 4, NULL), "10.9.0.8");
	assert_int_equal(assign(pool, 3, "bob", "10.9.0.7"), 0);
	/* One that somebody has changes nothing. */
	assert_int_equal(assign(pool, 2, "alice", "10.9.0.7"), -EBUSY);
	assert_string_equal(take(pool, 2, "alice", 4, NULL), "10.9.0.8");
	/* The holder of another identity's; the identity as another holder. */
	assert_int_equal(assign(pool, 2, "bob", "10.9.0.6"), -EBUSY);
	assert_int_equal(assign(pool, 2, "carol", "10.9.0.6"), -EBUSY);
	assert_int_equal(assign(pool, 4, "alice", "10.9.0.6"), -EBUSY);
	pool_release(pool, 3);
	assert_int_equal(assign(pool, 2, "alice", "10.9.0.7"), 0);
	/* One that is hers; one that there is none of. */
	assert_int_equal(assign(pool, 3, "bob", "10.9.0.7"), -EBUSY);
	/* What he had before, he has after that. */
	assert_int_equal(assign(pool, 3, "bob", "10.9.0.5"), 0);
	pool_release(pool, 3);
	assert_int_equal(assign(pool, 3, "bob", "10.9.0.7"), -EBUSY);
	assert_string_equal(take(pool, 3, "bob", 4, NULL), "10.9.0.5");
	pool_release(pool, 3);
	assert_int_equal(assign(pool, 3, "bob", "10.8.0.7"), -ENOENT);
	/* She is gone: the server may give her address to him, and her another one. */
	pool_release(pool, 2);
	assert_int_equal(assign(pool, 3, "bob", "10.9.0.7"), 0);
	assert_int_equal(assign(pool, 4, "alice", "10.9.0.3"), 0);
	pool_release(pool, 4);
	assert_int_equal(assign(pool, 4, "alice", "10.9.0.4"), 0);
	/* What was hers before is free again. */
	assert_int_equal(assign(pool, 5, "carol", "10.9.0.3"), 0);
	pool_free(pool);
}

/* ---- what fails changes nothing ---------------------------------------------------------- */

static unsigned int fails_in; /* the so many'th allocation does; 0: none */

static bool fails_now(void)
{
	return fails_in && !--fails_in;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__real_tsearch(const void *key, void **root, int (*order)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *));

/* It allocates only where the key is not there yet. */
void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *))
{
	return !tfind(key, root, order) && fails_now() ? NULL : __real_tsearch(key, root, order);
}

static void add_lease(void *ctx, const struct pool_lease *l)
{
	char *text = ctx, id[100], addr[64];
	size_t len = strlen(text);

	snprintf(text + len, 1000 - len, "%s of %s by %u, ",
		 ike_addr_print(addr, sizeof(addr), &l->addr),
		 l->id.type ? ike_id_print(id, sizeof(id), &l->id) : "somebody", l->holder);
}

/* alice is connected as 2; bob was, and the client 3 did not say who it is. */
static struct pool *some_leases(void)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.4");

	assert_string_equal(take(pool, 2, "alice", 4, NULL), "10.9.0.2");
	assert_string_equal(take(pool, 5, "bob", 4, NULL), "10.9.0.3");
	pool_release(pool, 5);
	assert_int_equal(restore(pool, 3, NULL, "10.9.0.4"), 0);
	return pool;
}

static int take_any(struct pool *pool, uint32_t holder, const char *id, const char *wanted)
{
	const struct ike_id who = name(id);
	struct ike_addr got;

	(void)wanted;
	return pool_take(pool, holder, &who, 4, NULL, &got);
}

static void what_fails_changes_nothing(void **state)
{
	static const struct {
		int (*fn)(struct pool *pool, uint32_t holder, const char *id, const char *addr);
		uint32_t holder;
		const char *id, *addr;
		int err; /* with memory */
		const char *after; /* NULL: as before */
	} rows[] = {
		{ assign, 2, "alice", "10.9.0.3", 0,
		  "10.9.0.4 of somebody by 3, 10.9.0.3 of alice by 2, " },
		{ assign, 6, "carol", "10.9.0.3", 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of carol by 6, " },
		{ assign, 6, "bob", "10.9.0.3", 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of bob by 6, " },
		{ assign, 3, "carol", "10.9.0.4", 0,
		  "10.9.0.3 of bob by 0, 10.9.0.2 of alice by 2, 10.9.0.4 of carol by 3, " },
		{ assign, 3, "bob", "10.9.0.4", -EBUSY, NULL },
		{ assign, 6, "bob", "10.9.0.2", -EBUSY, NULL },
		{ restore, 6, "carol", "10.9.0.3", 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of carol by 6, " },
		{ restore, 6, NULL, "10.9.0.3", 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of somebody by 6, " },
		{ restore, 6, "alice", "10.9.0.3", -EEXIST,
		  NULL }, /* whose lease gives way? hers is held */
		{ restore, 6, "bob", "10.9.0.3", 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of bob by 6, " },
		{ restore, 0, "carol", "10.9.0.3", -EEXIST, NULL },
		{ take_any, 6, "carol", NULL, 0,
		  "10.9.0.2 of alice by 2, 10.9.0.4 of somebody by 3, 10.9.0.3 of carol by 6, " },
		{ take_any, 3, "carol", NULL, 0,
		  "10.9.0.3 of bob by 0, 10.9.0.2 of alice by 2, 10.9.0.4 of carol by 3, " },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char before[1000], after[1000];
		int err = -ENOMEM;

		for (unsigned int nth = 1; err == -ENOMEM; nth++) {
			struct pool *pool = some_leases();
			struct pool_count count[2];

			*before = *after = 0;
			pool_each(pool, add_lease, before);
			pool_count(pool, 4, &count[0]);
			fails_in = nth;
			err = rows[i].fn(pool, rows[i].holder, rows[i].id, rows[i].addr);
			fails_in = 0;
			pool_each(pool, add_lease, after);
			pool_count(pool, 4, &count[1]);
			if (strcmp(after, err || !rows[i].after ? before : rows[i].after) != 0)
				fail_msg("row %u, %d: %s, before: %s", i, err, after, before);
			if (err)
				assert_memory_equal(&count[1], &count[0], sizeof(count[0]));
			pool_free(pool);
		}
		assert_int_equal(err, rows[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_gets_its_old_lease),
		cmocka_unit_test(an_address_that_a_server_chose),
		cmocka_unit_test(a_full_pool_takes_from_those_who_left_first),
		cmocka_unit_test(an_identity_has_one_lease),
		cmocka_unit_test(what_is_free_is_counted),
		cmocka_unit_test(changes_are_counted_and_dated),
		cmocka_unit_test(families_are_apart),
		cmocka_unit_test(fixed_addresses_are_kept),
		cmocka_unit_test(what_an_earlier_agent_knew),
		cmocka_unit_test(random_operations_are_those_of_the_model),
		cmocka_unit_test(what_fails_changes_nothing),
		cmocka_unit_test(no_more_is_remembered_than_there_is_room_for),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
