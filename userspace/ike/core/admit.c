// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a peer that proved nothing may make us spend (RFC 7296 2.6). Nothing is kept and no key is
 * made for a request until its sender showed, once there are many half-open IKE SAs or much
 * was spent on the like, that it gets what is sent to its address.
 *
 * Half-open IKE SAs have places. One source (an IPv4 address, a /64 of IPv6) gets few of them, so
 * that a handful of real addresses cannot take all; when all are taken the one goes that was silent longest, which an
 * honest peer's never is, for it needs its place for a round trip; a user of EAP, which needs five and more of them, gets it anew with
 * each, and loses it if it is silent for long or takes a minute. Unknown peers have three quarters, and a known one gets the place of an
 * unknown one.
 *
 * Time has one meter: microseconds of work, halved every second. From a tenth of a processor on
 * a cookie is asked for; from half of one on no key is made for unknown peers, in IKE_SA_INIT or
 * IKE_INTERMEDIATE, so that established IKE SAs and known peers are served whatever the others do.
 * Who proves an identity in the end was no stranger: what its key exchanges, its certificates and its
 * signature cost is taken off again.
 */
#include "ike/core/layer_ikesa.h"

void admit_init(struct ike_core *core)
{
	unsigned int i;

	for (i = 0; i < ADMIT_KINDS; i++)
		TAILQ_INIT(&core->admit.half_open[i]);
}

/* ---- sources ------------------------------------------------------------- */

void admit_proven(struct ike_core *core, const struct ike_addr *from)
{
	uint64_t source = digest_source(core, from);

	core->admit.proven[source % IKESA_MAX] = source;
}

enum admit_kind admit_kind(struct ike_core *core, const struct ike_addr *from)
{
	uint64_t source = digest_source(core, from);

	return core->admit.proven[source % IKESA_MAX] == source || lookup_remote(core, from)
		       ? ADMIT_KNOWN
		       : ADMIT_UNKNOWN;
}

/* ---- cookies ------------------------------------------------------------- */

static void renew_secret(struct ike_core *core)
{
	if (core->admit.have && core->now - core->admit.made_at < ADMIT_SECRET_MS)
		return;
	core->admit.have_former = core->admit.have &&
				  core->now - core->admit.made_at < 2 * ADMIT_SECRET_MS;
	memcpy(core->admit.secret[1], core->admit.secret[0], sizeof(core->admit.secret[0]));
	core->env.rng.fill(core->env.rng.ctx, core->admit.secret[0], sizeof(core->admit.secret[0]));
	core->admit.version++;
	core->admit.made_at = core->now;
	core->admit.have = true;
}

/* Cookie = version | HMAC(secret, Ni | IPi | SPIi). */
static bool compute_cookie(const uint8_t secret[32], uint8_t version, const struct ike_datagram *d,
			   const struct ike_header *h, const struct ike_payload *ni,
			   uint8_t out[ADMIT_COOKIE_LEN])
{
	const struct ike_iov in[] = {
		{ ni->body, ni->len },
		{ &d->remote.addr.family, sizeof(d->remote.addr.family) },
		{ d->remote.addr.b, d->remote.addr.family == 4 ? 4 : 16 },
		{ h->spi_i, sizeof(h->spi_i) },
	};

	out[0] = version;
	return !ike_hmac_sha256(secret, 32, in, 4, out + 1);
}

bool admit_cookie(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		  const struct ike_payload *ni, uint8_t out[ADMIT_COOKIE_LEN])
{
	renew_secret(core);
	return compute_cookie(core->admit.secret[0], core->admit.version, d, h, ni, out);
}

static bool cookie_valid(struct ike_core *core, const struct ike_datagram *d,
			 const struct ike_header *h, const struct ike_payload *ni,
			 const struct ike_notify *cookie)
{
	uint8_t want[ADMIT_COOKIE_LEN];
	const uint8_t *secret;

	if (cookie->len != sizeof(want))
		return false;
	renew_secret(core);
	if (cookie->data[0] == core->admit.version)
		secret = core->admit.secret[0];
	else if (core->admit.have_former && cookie->data[0] == (uint8_t)(core->admit.version - 1))
		secret = core->admit.secret[1];
	else
		return false;
	return compute_cookie(secret, cookie->data[0], d, h, ni, want) &&
	       ike_equal(want, cookie->data, sizeof(want));
}

/* ---- time ---------------------------------------------------------------- */

/* What is left of @work when @passed: halved for every whole ADMIT_WORK_HALF_MS, in a straight line between. */
static uint64_t decay(uint64_t work, uint64_t passed)
{
	uint64_t halvings = passed / ADMIT_WORK_HALF_MS, rest = passed % ADMIT_WORK_HALF_MS;

	work = halvings < 64 ? work >> halvings : 0;
	return work - work * rest / (2 * ADMIT_WORK_HALF_MS);
}

static uint64_t work_now(const struct ike_core *core)
{
	return decay(core->admit.work, core->now - core->admit.work_at);
}

void admit_work(struct ike_core *core, unsigned int us)
{
	core->admit.work = work_now(core) + us;
	core->admit.work_at = core->now;
}

bool admit_has_time(const struct ike_core *core, enum admit_kind kind)
{
	return kind == ADMIT_KNOWN || work_now(core) < ADMIT_WORK_MAX;
}

void admit_pay_back(struct ike_core *core, const struct ike_sa *sa)
{
	uint64_t work = work_now(core);
	const struct ike_suite *suite = &sa->keys.suite;
	uint64_t spent = ike_kex_cost(suite->dh) + ADMIT_WORK_REQUEST + sa->setup->work;
	unsigned int i;

	for (i = 0; i < suite->addke.n; i++)
		spent += ike_kex_cost(suite->addke.method[i]) + ADMIT_WORK_REQUEST;

	/* Decayed in one step it is no more than what is left of it on the meter. */
	spent = decay(spent, core->now - sa->created_at);
	core->admit.work = work > spent ? work - spent : 0;
	core->admit.work_at = core->now;
}

/* ---- places -------------------------------------------------------------- */

/* How many half-open IKE SAs @source has, and the oldest of them. */
static unsigned int half_open_of(const struct ike_core *core, uint64_t source,
				 struct ike_sa **oldest)
{
	struct ike_sa *sa;
	unsigned int n = 0;

	*oldest = NULL;
	LIST_FOREACH(sa, &core->admit.by_source[source % ADMIT_SOURCES], by_source)
	{
		if (sa->source != source)
			continue;
		n++;
		*oldest = sa; /* newer ones come in front */
	}
	return n;
}

bool admit_has_room(struct ike_core *core, const struct ike_addr *from, struct ike_sa **oldest)
{
	const unsigned int *n = core->admit.n_half_open;
	enum admit_kind kind = admit_kind(core, from);

	if (half_open_of(core, digest_source(core, from), oldest) >= ADMIT_PLACES_PER_SOURCE) {
		/* Many peers behind one NAT take turns; one that floods cannot stop the rest for long. */
		if (core->now - (*oldest)->last_rx < ADMIT_YIELD_MS)
			*oldest = NULL;
		return false;
	}
	*oldest = NULL;
	if (n[ADMIT_UNKNOWN] + n[ADMIT_KNOWN] < ADMIT_PLACES &&
	    (kind == ADMIT_KNOWN || n[ADMIT_UNKNOWN] < ADMIT_PLACES_UNKNOWN))
		return true;
	*oldest = TAILQ_FIRST(&core->admit.half_open[ADMIT_UNKNOWN]);
	if (!*oldest && kind == ADMIT_KNOWN)
		*oldest = TAILQ_FIRST(&core->admit.half_open[ADMIT_KNOWN]);
	return false;
}

void admit_enter(struct ike_core *core, struct ike_sa *sa)
{
	sa->admit_kind = admit_kind(core, &sa->remote.addr);
	sa->source = digest_source(core, &sa->remote.addr);
	TAILQ_INSERT_TAIL(&core->admit.half_open[sa->admit_kind], sa, half_open);
	LIST_INSERT_HEAD(&core->admit.by_source[sa->source % ADMIT_SOURCES], sa, by_source);
	core->admit.n_half_open[sa->admit_kind]++;
	core->stats.half_open++;
	sa->counted_half_open = true;
}

void admit_progress(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->counted_half_open)
		return;
	TAILQ_REMOVE(&core->admit.half_open[sa->admit_kind], sa, half_open);
	LIST_REMOVE(sa, by_source);
	TAILQ_INSERT_TAIL(&core->admit.half_open[sa->admit_kind], sa, half_open);
	LIST_INSERT_HEAD(&core->admit.by_source[sa->source % ADMIT_SOURCES], sa, by_source);
}

void admit_leave(struct ike_core *core, struct ike_sa *sa)
{
	TAILQ_REMOVE(&core->admit.half_open[sa->admit_kind], sa, half_open);
	LIST_REMOVE(sa, by_source);
	core->admit.n_half_open[sa->admit_kind]--;
	core->stats.half_open--;
	sa->counted_half_open = false;
}

/* ---- verdicts ------------------------------------------------------------ */

enum admit_verdict admit_check(struct ike_core *core, const struct ike_datagram *d,
			       const struct ike_header *h, const struct ike_payload *ni,
			       const struct ike_notify *cookie)
{
	uint64_t work = work_now(core);
	struct ike_sa *oldest;

	admit_work(core, ADMIT_WORK_REQUEST + (unsigned int)d->len / 64);
	if (core->stats.half_open >= ADMIT_COOKIE_TOTAL || work >= ADMIT_WORK_COOKIE ||
	    half_open_of(core, digest_source(core, &d->remote.addr), &oldest) >=
		    ADMIT_COOKIE_PER_SOURCE) {
		if (!cookie)
			return ADMIT_COOKIE;
		if (!cookie_valid(core, d, h, ni, cookie)) {
			core->stats.cookies_bad++;
			return ADMIT_COOKIE;
		}
	}
	/* A source address means something now: beyond the first threshold only with a cookie. */
	return core->sas.n < IKESA_MAX && admit_has_time(core, admit_kind(core, &d->remote.addr))
		       ? ADMIT_YES
		       : ADMIT_NO;
}

/* A leaky bucket: @spent is when all answers given so far would have been one per interval. */
static bool reply_left(const struct ike_core *core, uint64_t spent)
{
	return spent < core->now + (uint64_t)ADMIT_REPLY_BURST * ADMIT_REPLY_MS;
}

bool admit_reply_left(struct ike_core *core, const struct ike_addr *to)
{
	return reply_left(core, core->admit.reply_spent[admit_kind(core, to)]);
}

static bool take_reply(struct ike_core *core, enum admit_kind kind)
{
	uint64_t *spent = &core->admit.reply_spent[kind];

	if (!reply_left(core, *spent))
		return false;
	*spent = (*spent > core->now ? *spent : core->now) + ADMIT_REPLY_MS;
	return true;
}

bool admit_reply(struct ike_core *core, const struct ike_addr *to)
{
	return take_reply(core, admit_kind(core, to));
}

/*
 * The peer made its IKE_AUTH request with keys of our IKE_SA_INIT answer, so it is where that went: at the address that ->admit_kind is
 * of. Where the request seems to come from anybody can write, and would speak for a known peer by writing that one's address. The place is
 * the same: it is of the source of the IKE_SA_INIT request (admit_enter()), which can be invented ADMIT_COOKIE_PER_SOURCE times and not
 * more, as from then on a cookie is asked for; so the peer that is really there has most of its places yet.
 */
bool admit_reply_to(struct ike_core *core, const struct ike_sa *sa)
{
	return take_reply(core, sa->initiator ? ADMIT_KNOWN : sa->admit_kind);
}
