// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong passwords of users (EAP). A few are looked at, then one a minute, so that a password that is easy to guess is not guessed by
 * whoever can reach us, however slowly the meter of admit.c lets it work. They are counted for a user at one source; for a source; and for a
 * user wherever it comes from. A source from which an identity was proven is bound by the first alone: nobody elsewhere can
 * lock out a user who comes from where it came before, nor can one of many users behind a NAT lock out the others.
 *
 * The source is the address of IKE_SA_INIT, where our answer to it arrived, or there were no keys. Messages after that may have forged ones,
 * by which a wrong password would count for another source, or for one that is known.
 *
 * The table is bounded, and by a keyed hash, so that nobody chooses what falls together. A row is a leaky bucket: one that is empty, or the
 * emptiest of those of its hash, gives its place to another. So many other wrong passwords as it takes to push out a full one are bounded
 * by the meter.
 */
#include "ike/core/layer_ikesa.h"

/* How many wrong ones are taken before they are taken at one in GUESS_MS alone. */
static const struct {
	unsigned int burst;
	bool of_source, of_user,
		known; /* what it is counted for; it binds sources that are known, too */
	const char *where;
} kinds[] = {
	{ 5, true, true, true, "for this user from this address" },
	{ 20, true, false, false, "from this address" },
	{ 50, false, true, false, "for this user from addresses that nobody logged in from" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The row of kind @k for the user @id at @sa's source; the one that it would take the place of, if it has none. */
static struct guess *find_row(struct ike_core *core, const struct ike_sa *sa,
			      const struct ike_id *id, unsigned int k, uint64_t *key)
{
	uint64_t source = kinds[k].of_source ? sa->source : 0;
	struct guess *row, *best;

	*key = digest_guess(core, k, source, kinds[k].of_user ? id : NULL);
	row = best = core->guesses[*key % GUESS_BUCKETS];
	for (unsigned int i = 0; i < GUESS_WAYS; i++) {
		if (row[i].key == *key)
			return &row[i];
		if (row[i].spent < best->spent)
			best = &row[i];
	}
	return best;
}

static bool binds(const struct ike_sa *sa, unsigned int k)
{
	return kinds[k].known || sa->admit_kind == ADMIT_UNKNOWN;
}

const char *guess_bars(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id,
		       unsigned int *seconds)
{
	for (unsigned int k = 0; k < KINDS; k++) {
		uint64_t most = core->now + (uint64_t)(kinds[k].burst - 1) * GUESS_MS, key;
		const struct guess *g = find_row(core, sa, id, k, &key);

		if (!binds(sa, k) || g->key != key || g->spent <= most)
			continue;
		*seconds = (unsigned int)((g->spent - most + 999) / 1000);
		return kinds[k].where;
	}
	return NULL;
}

void guess_wrong(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id)
{
	for (unsigned int k = 0; k < KINDS; k++) {
		uint64_t key;
		struct guess *g = find_row(core, sa, id, k, &key);

		if (!binds(sa, k))
			continue;
		if (g->key != key || g->spent < core->now)
			*g = (struct guess){ .key = key, .spent = core->now };
		g->spent += GUESS_MS;
	}
}

void guess_right(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id)
{
	uint64_t key;
	struct guess *g = find_row(core, sa, id, 0, &key);

	if (g->key == key)
		*g = (struct guess){ 0 };
}
