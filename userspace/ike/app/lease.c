// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that a tunnel's pool gives to its clients. The pool is here, and not in the core, because
 * that runs in the process that parses what the network sends: whatever it says, no client gets SAs for
 * another one's address (env.c asks lease_allows()), and what is known of leases outlives it.
 *
 * It outlives the agent, too: the process of store.h keeps NAME.leases (lease_text.h), which is read when
 * the hub is opened first and written some seconds after a change, and at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ike/app/agent_int.h"
#include "ike/app/store.h"
#include "ike/child/ts.h"
#include "ike/pool/lease_text.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

enum {
	SAVE_AFTER =
		10000, /* milliseconds after a change: in a burst of them one file is written */
	SAVE_AGAIN = 60000, /* after a failure */
	SAVE_BUSY = 500, /* while a file is written, this hub's or another one's */
};

_Static_assert((int)LEASE_TEXT <= (int)STORE_MAX, "the leases of a full pool make a file");

static int64_t seconds_since_1970(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > 0 ? now.tv_sec : 0;
}

/* ---- the file -------------------------------------------------------------------- */

/* What @text has is restored; the file is put aside if it is damaged. 0 or -ENOMEM: not all is restored. */
static int take_text(struct tunnel *t, const char *text, size_t len)
{
	const struct agent *a = t->agent;
	unsigned int left_out;
	char why[256];
	int err = lease_text_parse(t->pool, text, len, &left_out, why, sizeof(why));

	if (err == -EINVAL) {
		log_say(IKE_LOG_WARN, t->conf.name,
			"the leases in %s/%s.leases are damaged, %s: what stands before is used, and the file is named %s.leases.damaged",
			a->options->state_dir, t->conf.name, why, t->conf.name);
		store_set_aside(a->helpers->store, STORE_LEASES, t->conf.name);
	} else if (!err && !left_out) {
		t->leases_saved = pool_changes(t->pool);
	}
	if (left_out)
		log_say(IKE_LOG_INFO, t->conf.name,
			"%u leases are forgotten: [Pool] has no longer their addresses, or another identity has",
			left_out);
	return err == -ENOMEM ? err : 0;
}

static void read_leases(struct tunnel *t)
{
	struct store *store = t->agent->helpers->store;
	size_t len;
	char *text;
	int err = store ? store_read(store, STORE_LEASES, t->conf.name, &text, &len) : -ENOENT;

	t->leases_read = true;
	if (!err) {
		err = take_text(t, text, len);
		free(text);
	}
	if (err && err != -ENOENT) {
		log_say(IKE_LOG_WARN, t->conf.name,
			"cannot read %s/%s.leases: %s; clients may get other addresses than before",
			t->agent->options->state_dir, t->conf.name,
			err == -EPIPE ? "the process that keeps leases has ended" : strerror(-err));
		if (!store_set_aside(store, STORE_LEASES,
				     t->conf.name)) /* what is in it may be good */
			log_say(IKE_LOG_INFO, t->conf.name, "the file is named %s.leases.damaged",
				t->conf.name);
	}
}

/* How the last one went is said once, until one goes well. */
static void judge_saving(struct agent *a, int err)
{
	if (err && err != a->leases_error)
		log_say(IKE_LOG_WARN, NULL,
			"cannot write leases to %s: %s; clients may get other addresses after a restart",
			a->options->state_dir,
			err == -EPIPE ? "the process that keeps them has ended" : strerror(-err));
	a->leases_error = err;
}

static void save_again(struct tunnel *t)
{
	t->leases_saved = 0;
	t->save_at = loop_now() + SAVE_AGAIN;
	tunnel_dirty(t);
}

/* What came of the write that is under way, if one is; false: it goes on. */
static bool end_saving(struct agent *a, bool wait)
{
	int err = store_result(a->helpers->store, STORE_LEASES, wait);
	struct tunnel *t;

	if (err == -EBUSY)
		return false;
	if (!*a->saving)
		return true;
	judge_saving(a, err);
	t = tunnel_by_name(a, a->saving);
	if (err && t && t->pool)
		save_again(t);
	*a->saving = 0;
	return true;
}

/* None is under way. */
static void begin_saving(struct tunnel *t)
{
	struct agent *a = t->agent;
	size_t len;
	char *text = lease_text_print(t->pool, &len);
	int err = text ? store_write(a->helpers->store, STORE_LEASES, t->conf.name, text, len)
		       : -ENOMEM;

	free(text);
	if (err) {
		judge_saving(a, err);
		save_again(t);
		return;
	}
	snprintf(a->saving, sizeof(a->saving), "%s", t->conf.name);
	t->leases_saved = pool_changes(t->pool);
	t->save_at = loop_now() + SAVE_BUSY; /* to look at what came of it */
}

/* If anything changed, it is written, but not at once. */
static void plan_saving(struct tunnel *t)
{
	if (!t->agent->helpers->store || t->save_at != UINT64_MAX ||
	    t->leases_saved == pool_changes(t->pool))
		return;
	t->save_at = loop_now() + SAVE_AFTER;
	tunnel_dirty(t);
}

void lease_save(struct tunnel *t)
{
	bool is_begun = !strcmp(t->agent->saving, t->conf.name);

	t->save_at = UINT64_MAX;
	if (!t->pool)
		return;
	if (!end_saving(t->agent, false))
		t->save_at = loop_now() + SAVE_BUSY;
	else if (is_begun)
		plan_saving(t);
	else if (t->leases_saved != pool_changes(t->pool))
		begin_saving(t);
}

void lease_save_now(struct tunnel *t)
{
	struct agent *a = t->agent;

	if (!a->helpers->store || !t->pool)
		return;
	end_saving(a, true);
	if (t->leases_saved != pool_changes(t->pool))
		begin_saving(t);
	end_saving(a, true);
}

void lease_save_all(struct agent *a)
{
	for (struct tunnel *t = a->tunnels; t; t = t->next)
		lease_save_now(t);
}

/* ---- the pool -------------------------------------------------------------------- */

static void keep_lease(void *ctx, const struct pool_lease *l)
{
	/* What the configuration no longer allows is forgotten. */
	pool_clock(ctx, l->since);
	if (l->id.type)
		pool_restore(ctx, 0, &l->id, &l->addr);
}

int lease_open(struct tunnel *t)
{
	const struct config *c = &t->conf;
	struct pool *former = t->pool;

	t->pool = c->n_ranges ? pool_new(c->ranges, c->n_ranges, c->fixed, c->n_fixed) : NULL;
	t->leases_saved = 0;
	t->leases_read &= t->pool != NULL;
	if (t->pool && former)
		pool_each(former, keep_lease, t->pool);
	else if (t->pool && !t->leases_read)
		read_leases(t);
	pool_free(former);
	if (t->pool)
		plan_saving(t);
	return c->n_ranges && !t->pool ? -ENOMEM : 0;
}

/* The one that a RADIUS server gives it, and no other. */
static int take_from_server(struct tunnel *t, uint32_t peer, const struct ike_id *id,
			    const struct ike_addr *addr)
{
	int err = pool_assign(t->pool, peer, id, addr);
	char name[IKE_MAX_ID + 16], text[64];

	if (err)
		log_say(IKE_LOG_ERROR, t->conf.name,
			"the RADIUS server gives '%s' the address %s (Framed-IP-Address), %s",
			ike_id_print(name, sizeof(name), id),
			ike_addr_print(text, sizeof(text), addr),
			err == -ENOENT
				? "which Range= in [Pool] does not have, or Static= gives to another: add it to Range="
			: err == -EBUSY
				? "which another client has, or the same user has another one, connected since before the agent began"
				: "but memory is out");
	return err == -ENOENT ? -EADDRNOTAVAIL : err;
}

/* With [Radius], it was let in for @id, or has been there since a former agent. */
static bool may_take(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family)
{
	struct ike_addr held;

	return !t->conf.n_radius || session_has(t, peer, id) ||
	       pool_held(t->pool, peer, family, &held);
}

int lease_take(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
	       const struct ike_addr *wanted, struct ike_addr *out)
{
	int err;

	if (!t->pool || (family != 4 && family != 6))
		return -EAFNOSUPPORT;
	if (peer == IKE_PEER_FIRST || !id->type || !may_take(t, peer, id, family))
		return -EPERM;
	pool_clock(t->pool, seconds_since_1970());
	if (session_address(t, peer, id, family, out))
		err = take_from_server(t, peer, id, out);
	else
		err = pool_take(t->pool, peer, id, family, wanted, out);
	plan_saving(t);
	return err;
}

void lease_release(struct tunnel *t, uint32_t peer)
{
	if (!t->pool)
		return;
	pool_clock(t->pool, seconds_since_1970());
	pool_release(t->pool, peer);
	plan_saving(t);
}

bool lease_allows(const struct tunnel *t, uint32_t peer, struct ike_ts_offer remote)
{
	if (!t->pool)
		return !t->conf.n_ranges;
	for (unsigned int i = 0; i < remote.n; i++) {
		const struct ike_ts_list one = { .n = 1, .ts = { remote.ts[i] } };
		struct ike_addr held;

		if (!pool_held(t->pool, peer, remote.ts[i].family, &held) ||
		    !ike_ts_of_address(&one, &held))
			return false;
	}
	return true;
}

bool lease_adopt(struct tunnel *t, const struct ike_adopted *pair)
{
	if (t->pool)
		pool_clock(t->pool, seconds_since_1970());
	for (unsigned int i = 0; t->pool && i < pair->remote_ts.n; i++) {
		struct ike_addr addr = { .family = pair->remote_ts.ts[i].family };

		memcpy(addr.b, pair->remote_ts.ts[i].start, sizeof(addr.b));
		/* If it cannot have that, lease_allows() says so. */
		pool_restore(t->pool, pair->peer, &pair->id, &addr);
		plan_saving(t);
	}
	return lease_allows(t, pair->peer, pair->remote_ts);
}
