// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who may make us spend memory and Diffie-Hellman (RFC 7296 2.6): nothing is kept for a
 * request until its sender showed, once there are many half-open IKE SAs, that it gets
 * what is sent to its address. Cookies come first, limits last, so that many peers coming
 * back at once after an outage all get in.
 */
#include "ike/sa/core_int.h"

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
static bool compute(const uint8_t secret[32], uint8_t version, const struct ike_datagram *d,
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
	return compute(core->admit.secret[0], core->admit.version, d, h, ni, out);
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
	return compute(secret, cookie->data[0], d, h, ni, want) &&
	       ike_equal(want, cookie->data, sizeof(want));
}

static unsigned int half_open_from(const struct ike_core *core, const struct ike_addr *addr)
{
	const struct ike_sa *sa;
	unsigned int n = 0;

	TAILQ_FOREACH(sa, &core->half_open, half_open)
	n += ike_addr_eq(&sa->remote.addr, addr);
	return n;
}

enum admit_verdict admit_check(struct ike_core *core, const struct ike_datagram *d,
			       const struct ike_header *h, const struct ike_payload *ni,
			       const struct ike_notify *cookie)
{
	unsigned int here;

	/* Below the threshold the list is short; above it only holders of a cookie pay for it. */
	if (core->stats.half_open >= ADMIT_COOKIE_TOTAL ||
	    half_open_from(core, &d->remote.addr) >= ADMIT_COOKIE_PER_ADDR) {
		if (!cookie)
			return ADMIT_COOKIE;
		if (!cookie_valid(core, d, h, ni, cookie)) {
			core->stats.cookies_bad++;
			return ADMIT_COOKIE;
		}
	}
	if (core->stats.half_open >= ADMIT_MAX_TOTAL || core->sas.n >= IKESA_MAX)
		return ADMIT_NO;
	here = core->stats.half_open >= ADMIT_MAX_PER_ADDR ? half_open_from(core, &d->remote.addr)
							   : 0;
	return here >= ADMIT_MAX_PER_ADDR ? ADMIT_NO : ADMIT_YES;
}

/* A leaky bucket: reply_spent is when all answers given so far would have been one per interval. */
bool admit_reply_left(const struct ike_core *core)
{
	return core->admit.reply_spent < core->now + (uint64_t)ADMIT_REPLY_BURST * ADMIT_REPLY_MS;
}

bool admit_reply(struct ike_core *core)
{
	uint64_t spent = core->admit.reply_spent > core->now ? core->admit.reply_spent : core->now;

	if (!admit_reply_left(core))
		return false;
	core->admit.reply_spent = spent + ADMIT_REPLY_MS;
	return true;
}
