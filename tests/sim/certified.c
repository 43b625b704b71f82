// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scenarios of the simulation in which ends prove who they are by X.509 certificates, in IKE or in EAP-TLS: chains of a
 * root, a CA and a leaf, which are sent in fragments; signatures and what is fetched about revocation come late, some
 * when what they were for is over; certificates change; and some are worth nothing, so that nothing is to be installed.
 */
#include "certs.h"
#include "sim.h"

#include <stdlib.h>

#include "ike/eap/eap.h"

enum {
	LATE_MS = 15000, /* later than IKESA_JOB_MS */
	SOON_MS = 60000,
	GRACE_MS = 75000, /* longer than what is left for another certificate, see reauth_timer() */
	PATH_LONG = 1280 - 32,
	PATH_SHORT = 576 - 32,
};

/* ---- pieces -------------------------------------------------------------- */

static const struct cert_family *some_family(struct run *r)
{
	return &cert_families[rnd_below(&r->rnd, CERT_FAMILIES)];
}

static struct node *end_of(struct run *r, unsigned int end)
{
	return end ? r->b : r->a;
}

/* The end has a leaf of @own, and trusts the root of @theirs. */
static void certify(struct run *r, unsigned int end, const struct cert_family *own,
		    const struct made *leaf, const struct cert_family *theirs)
{
	struct node *n = end_of(r, end);

	node_certify(n, 0, leaf, leaf, &own->middle);
	node_add_cert(n, 0, IKE_CRED_CA, &theirs->root.der);
	n->conf[0].revocation = PKI_REVOCATION_OFF;
}

/* Both ends have a leaf, which may be of different families, and trust each other's root. */
static void certify_both(struct run *r, const struct cert_family *f[CERT_ENDS])
{
	r->w.utc = MAKER_NOW;
	f[0] = some_family(r);
	f[1] = some_family(r);
	certify(r, 0, f[0], &f[0]->leaf[0], f[1]);
	certify(r, 1, f[1], &f[1]->leaf[1], f[0]);
}

/* Some results come when the peer sends copies already, or when nobody waits for them any more. */
static void make_late(struct run *r)
{
	r->w.late_jobs = (unsigned int)rnd_below(&r->rnd, 3) * 30;
	r->w.later = rnd_chance(&r->rnd, 50) ? LATE_MS : 3000;
	if (rnd_chance(&r->rnd, 50))
		limit_path(r, rnd_chance(&r->rnd, 70) ? PATH_LONG : PATH_SHORT);
}

static void rekey_some(struct run *r)
{
	if (rnd_chance(&r->rnd, 40))
		r->a->conf[0].rekey_ike = (uint32_t)between(r, 10, 40);
	if (rnd_chance(&r->rnd, 40))
		r->b->conf[0].rekey_child = (uint32_t)between(r, 10, 40);
	if (rnd_chance(&r->rnd, 20))
		r->a->conf[0].reauth = (uint32_t)between(r, 60, 90);
}

/* What may happen to an end while it waits for a job. Who cannot begin does not take over SAs. */
static void shake_end(struct run *r, unsigned int end, bool begins)
{
	struct node *n = end_of(r, end);

	switch (rnd_below(&r->rnd, 5)) {
	case 0:
		node_crash(n);
		pass(r, rnd_below(&r->rnd, 5000));
		node_start(n, false);
		break;
	case 1:
		if (!begins)
			break;
		node_kill(n);
		pass(r, rnd_below(&r->rnd, 3000));
		node_start(n, true);
		break;
	case 2:
		ike_core_down(n->core, "t0", r->w.now);
		pass(r, rnd_below(&r->rnd, 3000));
		ike_core_up(n->core, "t0", r->w.now);
		break;
	case 3: ike_core_rekey(n->core, "t0", r->w.now); break;
	default:
		if (n->nat.family)
			node_rebind(n);
	}
}

/* Often in the middle of IKE_AUTH, which takes a second or more where jobs are late. */
static void shake(struct run *r, bool b_begins)
{
	unsigned int i, end;

	for (i = (unsigned int)rnd_below(&r->rnd, 6); i && !r->w.failed[0]; i--) {
		pass(r, rnd_below(&r->rnd, rnd_chance(&r->rnd, 50) ? 3000 : 30000));
		end = (unsigned int)rnd_below(&r->rnd, 2);
		shake_end(r, end, !end || b_begins);
	}
}

/* The end @bad proves nothing, so the other one installs nothing; nor does @bad, if it alone begins. */
static void trust_nothing(struct run *r, unsigned int bad)
{
	end_of(r, !bad)->no_installs = true;
	r->w.no_installs = bad == 0;
	r->want = bad == 0 ? NOTHING : ANY;
	r->calm_ms = SOON_MS; /* there is nothing to come up, and each attempt costs milliseconds */
}

/* ---- what works ---------------------------------------------------------- */

void play_certified(struct run *r)
{
	const struct cert_family *f[CERT_ENDS];

	certify_both(r, f);
	make_late(r);
	rekey_some(r);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	shake(r, true);
}

/* ---- what does not ------------------------------------------------------- */

/* Each makes the certificate of an end worthless, that of @f. */
static void forge(struct run *r, unsigned int end, const struct cert_family *f)
{
	node_certify(end_of(r, end), 0, &f->forged[end], &f->forged[end], NULL);
}

static void pose(struct run *r, unsigned int end, const struct cert_family *f)
{
	node_certify(end_of(r, end), 0, &f->stranger, &f->stranger, &f->middle);
}

static void steal(struct run *r, unsigned int end, const struct cert_family *f)
{
	node_certify(end_of(r, end), 0, &f->leaf[end], &f->renewed[end], &f->middle);
}

static void leave_out(struct run *r, unsigned int end, const struct cert_family *f)
{
	node_certify(end_of(r, end), 0, &f->leaf[end], &f->leaf[end], NULL);
}

static void be_revoked(struct run *r, unsigned int end, const struct cert_family *f)
{
	struct node *judge = end_of(r, !end);

	node_certify(end_of(r, end), 0, &f->leaf[end], &f->leaf[end], &f->middle);
	judge->conf[0].revocation = PKI_REVOCATION_IFURI;
	node_add_cert(judge, 0, IKE_CRED_CRL, &f->revoked[end]);
}

/* Both ends' certificates expired. */
static void expire(struct run *r, unsigned int end, const struct cert_family *f)
{
	leave_out(r, end, f);
	node_add_cert(end_of(r, end), 0, IKE_CRED_OWN_CERT, &f->middle.der);
	r->w.utc = MAKER_NOW + 366LL * MAKER_DAY;
}

static const struct worthless {
	void (*make)(struct run *r, unsigned int end, const struct cert_family *f);
	const char *say; /* what the other end's log says */
} worthless[] = {
	{ forge, "': " },
	{ pose, "stranger.example" },
	{ steal, "does not hold the private key of the certificate that it shows" },
	{ leave_out, "is issued by 'O=Example, CN=middle', which CA= does not name" },
	{ be_revoked, "revoked" },
	{ expire, "expired" },
};

enum { WORTHLESS = sizeof(worthless) / sizeof(worthless[0]) };

void play_wrong_cert(struct run *r)
{
	const struct worthless *how = &worthless[rnd_below(&r->rnd, WORTHLESS)];
	unsigned int bad = (unsigned int)rnd_below(&r->rnd, 2);
	const struct cert_family *f[CERT_ENDS];

	certify_both(r, f);
	make_late(r);
	how->make(r, bad, f[bad]);
	node_add_cert(end_of(r, bad), 0, IKE_CRED_CA, &f[!bad]->root.der);
	trust_nothing(r, how->make == expire ? 0 : bad);
	r->say[how->make == expire ? 1 : !bad] = how->say;
	start_both(r);
	pass(r, 30000);
}

/* ---- revocation ---------------------------------------------------------- */

/* What is at the address that certificates of a node's peer name; of base NULL: no server answers. */
static struct ike_iov at_point[WORLD_NODES];

static void fetch_crl(struct node *n, struct ike_fetched *f)
{
	f->data = at_point[n->index];
	if (!f->data.base)
		f->fault = "connection refused";
}

/* The CRL is taken for that of the peer's certificate, by a reload. */
static void reload_crl(struct run *r, unsigned int judge, const struct ike_iov *crl)
{
	struct node *n = end_of(r, judge);

	node_add_cert(n, 0, IKE_CRED_CRL, crl);
	if (ike_core_tunnel_change(n->core, &n->conf[0], false, r->w.now))
		world_fail(&r->w, "node %u: another CRL is refused", n->index);
}

enum story { KNOWN_GOOD, GOOD_LATER, KNOWN_REVOKED, NEVER_KNOWN, REVOKED_LATER, STORIES };

/* One end asks whether the other's certificate was revoked, and waits for the answer in IKE_AUTH. */
void play_revocation(struct run *r)
{
	enum story story = (enum story)rnd_below(&r->rnd, STORIES);
	unsigned int judge = rnd_chance(&r->rnd, 70);
	struct node *n = end_of(r, judge);
	const struct cert_family *f[CERT_ENDS];
	const struct cert_family *theirs;
	struct ike_iov *at = &at_point[n->index];

	certify_both(r, f);
	theirs = f[!judge];
	make_late(r);
	n->conf[0].revocation = PKI_REVOCATION_IFURI;
	n->conf[0].fetch = true;
	n->fetch = fetch_crl;
	n->busy_fetches = (unsigned int)rnd_below(&r->rnd, 3);
	*at = (struct ike_iov){ 0 };
	if (story == KNOWN_GOOD || story == REVOKED_LATER)
		*at = theirs->good;
	else if (story == KNOWN_REVOKED)
		*at = theirs->revoked[!judge];
	if (story == KNOWN_REVOKED || story == NEVER_KNOWN)
		trust_nothing(r, !judge);
	start_both(r);
	shake(r, false);
	if (story == GOOD_LATER)
		*at = theirs->good;
	if (story != REVOKED_LATER || r->w.failed[0])
		return;
	*at = theirs->revoked[!judge];
	reload_crl(r, judge, at);
	r->want = ANY;
	r->calm_ms = SOON_MS;
	pass(r, GRACE_MS);
	n->no_installs = true;
	/* Of pairs of a former agent it is not known by which certificate the peer has them. */
	if (!r->w.failed[0] && node_out(n, 0) && !node_status(n, 0).adopted)
		world_fail(&r->w, "node %u keeps a pair with a peer that was revoked", n->index);
}

/* ---- other certificates -------------------------------------------------- */

/* By a reload the end has this leaf, and trusts whatever the other one may have, or nothing of it. */
static void reload_cert(struct run *r, unsigned int end, const struct cert_family *f,
			const struct made *leaf, bool trusts)
{
	struct node *n = end_of(r, end);

	node_certify(n, 0, leaf, leaf, &f->middle);
	for (unsigned int i = 0; i < CERT_FAMILIES; i++)
		node_add_cert(n, 0, IKE_CRED_CA,
			      trusts ? &cert_families[i].root.der : &cert_families[i].twin.der);
	if (n->core && ike_core_tunnel_change(n->core, &n->conf[0], true, r->w.now))
		world_fail(&r->w, "node %u: another certificate is refused", n->index);
}

/* Certificates and CAs change under running agents, for better and worse; in the end all is well. */
void play_renewed_cert(struct run *r)
{
	const struct cert_family *f[CERT_ENDS];
	unsigned int i, end;

	certify_both(r, f);
	make_late(r);
	for (end = 0; end < CERT_ENDS; end++)
		reload_cert(r, end, f[end], &f[end]->leaf[end], true);
	if (rnd_chance(&r->rnd, 50))
		both_initiate(r);
	start_both(r);
	for (i = 1 + (unsigned int)rnd_below(&r->rnd, 5); i && !r->w.failed[0]; i--) {
		const struct cert_family *next = some_family(r);

		pass(r, rnd_below(&r->rnd, rnd_chance(&r->rnd, 50) ? 2000 : 30000));
		end = (unsigned int)rnd_below(&r->rnd, 2);
		if (rnd_chance(&r->rnd, 30))
			reload_cert(r, end, next, &next->forged[end], true);
		else
			reload_cert(r, end, next, &next->renewed[end], rnd_chance(&r->rnd, 70));
	}
	for (end = 0; end < CERT_ENDS && !r->w.failed[0]; end++) {
		pass(r, rnd_below(&r->rnd, 3000));
		reload_cert(r, end, f[end], &f[end]->renewed[end], true);
	}
}

/* ---- EAP ----------------------------------------------------------------- */

/* b serves a, which is the user alice, by these methods. */
static void serve_alice(struct run *r, const struct ike_auth_conf *proves, unsigned int methods)
{
	static const char name[] = "alice@example.org";
	const struct ike_iov user = { name, sizeof(name) - 1 };
	struct ike_tunnel_conf *c = &r->a->conf[0], *s = &r->b->conf[0];

	node_add_cert(r->a, 0, IKE_CRED_EAP_NAME, &user);
	node_set_password(r->a, 0, "clue");
	node_add_user(r->b, name, "clue");
	c->local_auth = s->remote_auth = *proves;
	c->eap_methods = s->eap_methods = methods;
	if (proves->then_user)
		s->first_id = s->remote_id;
	s->remote_id.type = 0;
}

/* a's certificate is within TLS, b's may be there alone (RFC 5998). */
void play_eap_tls(struct run *r)
{
	const struct ike_auth_conf user = { .method = IKE_METHOD_EAP };
	bool bad = rnd_chance(&r->rnd, 30);
	const struct cert_family *f[CERT_ENDS];

	certify_both(r, f);
	make_late(r);
	if (bad) {
		worthless[rnd_below(&r->rnd, 2)].make(r, 0, f[0]);
		node_add_cert(r->a, 0, IKE_CRED_CA, &f[1]->root.der);
		trust_nothing(r, 0);
	}
	serve_alice(r, &user, 1u << EAP_TLS);
	if (rnd_chance(&r->rnd, 30))
		r->a->conf[0].remote_auth.eap_only = r->b->conf[0].local_auth.eap_only = true;
	rekey_some(r);
	start_both(r);
	shake(r, false);
}

/* a's certificate is the first one of two rounds, then it is a user; either may be worth nothing. */
void play_cert_then_eap(struct run *r)
{
	const struct ike_auth_conf both = { .method = IKE_METHOD_SIGNATURE, .then_user = true };
	unsigned int method = rnd_chance(&r->rnd, 50) ? EAP_TLS : EAP_MSCHAPV2;
	bool bad = rnd_chance(&r->rnd, 30), wrong_user = bad && rnd_chance(&r->rnd, 50);
	const struct cert_family *f[CERT_ENDS];

	certify_both(r, f);
	make_late(r);
	if (bad && !wrong_user) {
		worthless[rnd_below(&r->rnd, WORTHLESS)].make(r, 0, f[0]);
		node_add_cert(r->a, 0, IKE_CRED_CA, &f[1]->root.der);
	}
	serve_alice(r, &both, 1u << (wrong_user ? EAP_MSCHAPV2 : method));
	if (wrong_user)
		node_set_password(r->a, 0, "no clue");
	if (bad)
		trust_nothing(r, 0);
	rekey_some(r);
	start_both(r);
	shake(r, false);
}
