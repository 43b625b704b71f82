// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/app/secret.h"
#include "ike/crypto/legacy.h"
#include "ike/eap/eap.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/transform.h"
#include "ike/child/proposal.h"
#include "ike/child/proposal_share.h"
#include "ike/child/ts.h"

/* What Crypto names and modern would not. */
static void warn_of_crypto(struct parse *p)
{
	const struct ike_word *w;

	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		const char *caution = ike_transform_caution(&w->t);

		if (caution && (ike_proposals_allow(p->c->ike, &w->t, 1) ||
				ike_proposals_allow(p->c->esp, &w->t, 1)))
			config_say(p, false, config_line_of(p, "Crypto"), "Crypto: %s %s", w->text,
				   caution);
	}
}

static void refuse_requirement(struct parse *p, unsigned int i)
{
	config_say(p, true, config_line_of(p, "Require"), "Require = %s: %s",
		   config_requirements[i].word, config_requirements[i].sentence);
}

/* What Require asks for, of one list; false, and an error is told, if Crypto has none of it. */
static bool apply_require(struct parse *p, unsigned int protocol, struct ike_proposals *list)
{
	for (unsigned int i = 0; i < REQUIRE_WORDS; i++) {
		const struct requirement_row *r = &config_requirements[i];

		if (!(p->require & 1u << i) || !r->keep || r->list != protocol)
			continue;
		/* No IKE SA comes without a required PPK, so that any key exchange does. */
		if ((i == REQUIRE_PQ && p->c->ppk && p->c->ppk->name.required) || r->keep(list))
			continue;
		refuse_requirement(p, i);
		return false;
	}
	return true;
}

static void finish_crypto(struct parse *p)
{
	static const uint8_t protocol[2] = { IKE_PROTO_IKE, IKE_PROTO_ESP };
	const struct ike_proposals **const out[2] = { &p->c->ike, &p->c->esp };
	struct ike_proposals list = { .n = 0 };

	for (unsigned int i = 0; i < 2; i++) {
		const char *text = p->crypto_given[i] ? p->crypto[i] : "modern";

		snprintf(p->err, sizeof(p->err), "no memory");
		if (!ike_proposals_from_text(text, protocol[i], &list, p->err, sizeof(p->err))) {
			if (!apply_require(p, i, &list))
				return;
			*out[i] = ike_proposals_get(&list);
		}
		if (*out[i])
			continue;
		config_say(p, true, config_line_of(p, "Crypto"), "Crypto = %.100s: %s", text,
			   p->err);
		return;
	}
	warn_of_crypto(p);
}

/* Without an endpoint we cannot begin. */
static void check_start(struct parse *p, struct children_section *s)
{
	bool begins = s->start_given && s->start != IKE_START_LISTEN;

	if (config_given(p, "Endpoint"))
		return;
	if (begins && s != p->sections)
		config_say(p, true, s->line,
			   "[Child %s]: without Endpoint only Start = listen is possible", s->name);
	else if (begins)
		config_say(p, true, config_line_of(p, "Start"),
			   "without Endpoint only Start = listen is possible");
	s->start = IKE_START_LISTEN;
}

/* What [Peer] says of Start, SelectorsPerChild and Mode holds where [Child NAME] does not say it. */
static void finish_section(struct parse *p, struct children_section *s, struct children *out)
{
	char any[] = "any";

	if (!s->start_given)
		s->start = p->sections[0].start;
	if (s->per == CHILDREN_AUTO)
		s->per = p->sections[0].per;
	if (!s->mode_given)
		s->mode = p->sections[0].mode;
	check_start(p, s);
	if ((s->n_pairs || !children_add_pair(s, any, p->err, sizeof(p->err))) &&
	    !children_make(out, s, p->err, sizeof(p->err)))
		*p->err = 0;
	else if (s->line)
		config_say(p, true, s->line, "[Child %s] Selectors: %s", s->name, p->err);
	else
		config_say(p, true, config_line_of(p, "Selectors"), "Selectors: %s", p->err);
	if (s->start < p->c->start)
		p->c->start = s->start;
}

static void finish_children(struct parse *p)
{
	unsigned int first = p->n_sections > 1 ? 1 : 0;
	struct children made = { .n = 0 };

	if (first && p->sections[0].n_pairs)
		config_say(p, true, config_line_of(p, "Selectors"),
			   "Selectors belong into the sections [Child NAME], as there are some");
	if (first)
		check_start(p, &p->sections[0]);
	p->c->start = IKE_START_LISTEN;
	for (unsigned int i = first; i < p->n_sections; i++)
		finish_section(p, &p->sections[i], &made);
	p->c->child = made.list;
	p->c->n_child = made.n;
}

/*
 * MOBIKE moves SAs in tunnel mode (RFC 4555 1.3): those of transport mode have the addresses of the
 * endpoints in their selectors.
 */
static void check_mobike(struct parse *p)
{
	bool transport = false;

	for (unsigned int i = 0; i < p->c->n_child; i++)
		transport |= p->c->child[i].mode == IKE_MODE_TRANSPORT;
	if (!transport)
		return;
	if (config_given(p, "Mobike") && p->c->mobike)
		config_say(
			p, true, config_line_of(p, "Mobike"),
			"Mobike = yes: addresses of SAs in transport mode cannot change: expected no, or Mode = tunnel");
	p->c->mobike = false;
}

/* Is there a pre-shared key, of the tunnel or of some clients? */
static bool has_psk(const struct parse *p)
{
	return config_given(p, "PSK") ||
	       (p->c->clients > 1 && (p->c->keys.n || config_given(p, "Secrets")));
}

/* Where has_psk() found it: the name of that key or section, and its line. */
static const char *find_psk(const struct parse *p, unsigned int *line)
{
	const char *key = config_given(p, "PSK") ? "PSK" : "Secrets";

	if (config_given(p, key)) {
		*line = config_line_of(p, key);
		return key;
	}
	*line = p->c->keys.v[0].line;
	return "PSK of [Client ID]";
}

/* The keys of a configuration that say how an end proves who it is. */
struct side {
	const char *auth; /* says which method it is */
	const char *key, *ca; /* with a signature; ca may be NULL */
	const char *sentence; /* what that is, and where it is given */
};

static const struct side of_us = { "LocalAuth", "Key", NULL, "Key in [Tunnel], our private key" };
static const struct side of_peer = {
	"RemoteAuth", "PublicKey", "CA",
	"PublicKey in [Peer], the peer's public key, or CA, who certifies it"
};

static bool of_peer_given(const struct parse *p)
{
	return config_given(p, of_peer.key) || config_given(p, of_peer.ca);
}

/* Keys of certificates that need others, or exclude them. */
static void check_certs(struct parse *p)
{
	const char *id = p->c->remote_auth.then_user ? "FirstID" : "RemoteID";

	if (config_given(p, "Cert") && !config_given(p, "Key"))
		config_say(p, true, config_line_of(p, "Cert"),
			   "Cert needs Key, the private key that belongs to it");
	if (config_given(p, "KeyPassphrase") && !config_given(p, "Key"))
		config_say(p, true, config_line_of(p, "KeyPassphrase"),
			   "KeyPassphrase needs Key, the private key that it opens");
	if (config_given(p, "OCSP") && !config_given(p, "Cert"))
		config_say(p, true, config_line_of(p, "OCSP"),
			   "OCSP needs Cert, the certificate that the response is about");
	if (config_given(p, "CA") && config_given(p, "PublicKey"))
		config_say(
			p, true, config_line_of(p, "CA"),
			"CA, and PublicKey in line %u: expected one of them, as the peer has a certificate or a raw public key",
			config_line_of(p, "PublicKey"));
	if (config_given(p, "CA") && !config_given(p, id))
		config_say(
			p, true, config_line_of(p, "CA"),
			"CA: each of its certificates could be the peer's: expected %s in [Peer], too, the identity of the right one%s",
			id, config_given(p, "EAP") ? "" : " (or any)");
	if (config_given(p, "FirstID") && !p->c->remote_auth.then_user)
		config_say(
			p, true, config_line_of(p, "FirstID"),
			"FirstID is of the first one of two rounds: expected RemoteAuth = pubkey, eap (or psk, eap), or RemoteID instead");
}

/* A key that is about certificates of the peer, if there is one; NULL: there is none. */
static const char *find_status_key(const struct parse *p)
{
	static const char *const keys[] = { "CRL", "Revocation", "FetchFrom", "Fetch" };

	for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (config_given(p, keys[i]))
			return keys[i];
	}
	return NULL;
}

/* Keys that have no effect beside others, or less than one would think. */
static void check_fetching(struct parse *p)
{
	const struct config *c = p->c;
	const char *key = config_given(p, "FetchFrom") ? "FetchFrom" : "Fetch";

	if (c->revocation == PKI_REVOCATION_OFF && config_given(p, key) && c->fetch)
		config_say(
			p, true, config_line_of(p, key),
			"%s: nothing is fetched with Revocation = off in line %u: expected one of them",
			key, config_line_of(p, "Revocation"));
	else if (!c->fetch && config_given(p, "FetchFrom") && config_given(p, "Fetch"))
		config_say(
			p, true, config_line_of(p, "FetchFrom"),
			"FetchFrom: nothing is fetched with Fetch = no in line %u: expected one of them",
			config_line_of(p, "Fetch"));
	else if (!c->fetch && config_given(p, "FetchFrom"))
		config_say(
			p, true, config_line_of(p, "FetchFrom"),
			"FetchFrom: nothing is fetched with FwMark in line %u without Fetch = yes: expected that, too",
			config_line_of(p, "FwMark"));
	else if (c->fetch && c->fwmark)
		config_say(
			p, false, config_line_of(p, "Fetch"),
			"Fetch = yes: fetching is without FwMark, which is in line %u: a server to which packets without it are routed through a tunnel is not asked, unless FetchFrom names it",
			config_line_of(p, "FwMark"));
}

/* An answer is required that only few peers bring themselves. */
static void warn_of_refusals(struct parse *p)
{
	const struct config *c = p->c;
	bool strict = c->revocation == PKI_REVOCATION_STRICT;

	if (c->revocation == PKI_REVOCATION_OFF || config_given(p, "CRL") || c->fetch)
		return;
	config_say(
		p, false, config_line_of(p, "Revocation"),
		"Revocation = %s with Fetch = no%s and without CRL: peers %s are refused, but for those that send an OCSP response with them",
		strict ? "strict" : "ifuri",
		config_given(p, "Fetch") ? "" : ", the default with FwMark,",
		strict ? "with certificates"
		       : "whose certificates name a CRL or an OCSP responder");
}

/*
 * Whether certificates were revoked is asked by default where there are CRLs, or they can be fetched: else all would be
 * locked out whose certificates name one, and who send no OCSP response. Fetching carries no FwMark, which is there so
 * that all else can be routed through the tunnel: with it nothing could be fetched before the tunnel is up, which the
 * tunnel would wait for.
 */
static void finish_revocation(struct parse *p)
{
	const char *key = find_status_key(p);
	struct config *c = p->c;

	if (!config_given(p, "CA") || (c->fwmark && !config_given(p, "Fetch")))
		c->fetch = false;
	if (!config_given(p, "Revocation"))
		c->revocation = config_given(p, "CRL") || c->fetch ? PKI_REVOCATION_IFURI
								   : PKI_REVOCATION_OFF;
	if (key && !config_given(p, "CA")) {
		config_say(p, true, config_line_of(p, key),
			   "%s is about certificates of the peer: expected CA in [Peer], too", key);
	} else if (config_given(p, "CRL") && c->revocation == PKI_REVOCATION_OFF) {
		config_say(
			p, true, config_line_of(p, "CRL"),
			"CRL is not looked at with Revocation = off in line %u: expected one of them",
			config_line_of(p, "Revocation"));
	} else {
		check_fetching(p);
		warn_of_refusals(p);
	}
}

static void refuse_two_keys(struct parse *p, const struct side *s, const char *of_key)
{
	unsigned int line;
	const char *psk = find_psk(p, &line);

	config_say(p, true, line,
		   "%s, and %s in line %u: expected %s = psk or pubkey, which says what %s", psk,
		   of_key, config_line_of(p, of_key), s->auth,
		   s == &of_us ? "we prove who we are by" : "the peer has to prove who it is by");
}

/* What was said, else that for which there is a key. Two of them are not chosen between. */
static void finish_method(struct parse *p, const struct side *s, enum ike_method *method)
{
	const char *of_key = s->ca && config_given(p, s->ca) ? s->ca : s->key;
	bool key = config_given(p, of_key), psk = has_psk(p);

	if (!config_given(p, s->auth)) {
		*method = key ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;
		if (key && psk)
			refuse_two_keys(p, s, of_key);
	}
	if (*method == IKE_METHOD_SIGNATURE && !key)
		config_say(p, true, config_line_of(p, s->auth), "%s = pubkey needs %s", s->auth,
			   s->sentence);
	else if (*method == IKE_METHOD_PSK && !psk && (config_given(p, "Key") || of_peer_given(p)))
		config_say(p, true, 0, "lacks %s; or PSK in [Peer], the key shared with the peer",
			   s->sentence);
	else if (*method == IKE_METHOD_PSK && !psk)
		config_say(p, true, 0, "[Peer] lacks PSK, the key shared with the peer");
}

/* A key that says something only with another one, which is missing. */
static void refuse_alone(struct parse *p, const char *key, const char *of)
{
	if (config_given(p, key))
		config_say(p, true, config_line_of(p, key), "%s is for EAP: expected %s, too", key,
			   of);
}

/* Does a configured method of EAP go by a password, which is ours or those of users here? */
static bool needs_password(const struct config *c)
{
	return eap_needs(c->eap_methods) & EAP_NEEDS_PASSWORD;
}

/* Certificates that a method of EAP shows, and keys of passwords that none asks for. */
static void check_eap_keys(struct parse *p)
{
	const char *unused = config_given(p, "Password") ? "Password" : "Users";
	unsigned int needs = eap_needs(p->c->eap_methods);

	if (needs & EAP_NEEDS_CERTS && !config_given(p, "Cert"))
		config_say(
			p, true, config_line_of(p, "EAPMethods"),
			"EAPMethods: tls shows a certificate of each end: expected Cert and Key in [Tunnel], too, ours");
	if (needs & EAP_NEEDS_CERTS && !config_given(p, "CA"))
		config_say(
			p, true, config_line_of(p, "EAPMethods"),
			"EAPMethods: tls shows a certificate of each end: expected CA in [Peer], too, which certifies the peer's");
	if (config_given(p, "EAPServerID") &&
	    (!(needs & EAP_NEEDS_CERTS) || !ike_auth_is_user(&p->c->local_auth)))
		config_say(
			p, true, config_line_of(p, "EAPServerID"),
			"EAPServerID is who a server of EAP-TLS is, for its users: expected EAP in [Tunnel], and tls among EAPMethods, or none");
	if (!(needs & EAP_NEEDS_PASSWORD) && !p->c->n_radius && config_given(p, unused))
		config_say(
			p, true, config_line_of(p, unused),
			"%s is for passwords, and no method of EAPMethods asks for one: expected none%s",
			unused,
			strcmp(unused, "Users") != 0
				? ""
				: "; RemoteID says whose certificates are let in");
}

/* We are a user: of a peer that has shown before who it is, or anybody could try our password. */
static void check_eap_client(struct parse *p)
{
	struct config *c = p->c;
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct ike_iov name;
	char rounds[32];

	if (!config_given(p, "EAP") || (needs_password(c) && !config_given(p, "Password")))
		config_say(p, true, config_line_of(p, "LocalAuth"),
			   "LocalAuth = %s needs EAP in [Tunnel], our user's name%s",
			   ike_auth_print(rounds, sizeof(rounds), &c->local_auth),
			   needs_password(c) ? ", and Password, which goes with it" : "");
	else if (c->remote_auth.method != IKE_METHOD_SIGNATURE || c->remote_auth.then_user)
		config_say(
			p, true, config_line_of(p, "EAP"),
			"EAP: who answers has to prove who it is before we show that we know our password: expected CA (or PublicKey) in [Peer], and RemoteAuth = pubkey");
	else if (!config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "EAP"),
			"EAP: only the end that begins is a user: expected Endpoint, too; users of this end are in Users");
	if (config_given(p, "CA") && (!c->remote_id.type || ike_id_is_wildcard(&c->remote_id)))
		config_say(
			p, true, config_line_of(p, "RemoteID"),
			"RemoteID: whoever has a certificate of CA could try our password: expected the one identity of the server");
	if (config_given(p, "PSK") && !ike_auth_has(&c->local_auth, IKE_METHOD_PSK))
		config_say(p, true, config_line_of(p, "PSK"),
			   "PSK, and EAP in line %u: expected one of them, or LocalAuth = psk, eap",
			   config_line_of(p, "EAP"));
	if (!c->local_auth.then_user && !c->local_id.type &&
	    ike_cred_find(&creds, IKE_CRED_EAP_NAME, &name))
		eap_identity(name.base, name.len, &c->local_id);
}

/* The peer is a user. */
static void check_eap_server(struct parse *p)
{
	const struct config *c = p->c;
	char rounds[32];

	if (needs_password(c) && !config_given(p, "Users"))
		config_say(
			p, true, config_line_of(p, "RemoteAuth"),
			"RemoteAuth = %s needs Users in [Peer], the file with users and their passwords, or [Radius], a server that has them",
			ike_auth_print(rounds, sizeof(rounds), &c->remote_auth));
	if (c->local_auth.method != IKE_METHOD_SIGNATURE || c->local_auth.then_user)
		config_say(
			p, true, config_line_of(p, "Users"),
			"Users: we have to prove who we are before a user does: expected Key in [Tunnel], with Cert, and LocalAuth = pubkey");
	if (config_given(p, "Secrets") || c->keys.n)
		config_say(
			p, true,
			config_given(p, "Secrets") ? config_line_of(p, "Secrets")
						   : c->keys.v[0].line,
			"%s has pre-shared keys, but RemoteAuth is eap: expected the users' passwords in the file of Users",
			config_given(p, "Secrets") ? "Secrets" : "[Client ID]");
	if (config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "Endpoint"),
			"Endpoint: a user begins, and we cannot begin to one: expected none, as RemoteAuth is eap");
}

/* Users are of this end, or of RADIUS servers, which choose the method. */
static void check_radius_users(struct parse *p)
{
	struct config *c = p->c;
	const char *other = config_given(p, "Users")	    ? "Users"
			    : config_given(p, "EAPMethods") ? "EAPMethods"
							    : NULL;

	if (c->n_radius && !ike_auth_is_user(&c->remote_auth))
		config_say(p, true, c->radius[0].line,
			   "[Radius] is for EAP: expected RemoteAuth = eap in [Peer], or none");
	else if (c->n_radius && other)
		config_say(
			p, true, config_line_of(p, other),
			"%s, and [Radius] in line %u: expected one of them, for a RADIUS server has the users, and chooses the method",
			other, c->radius[0].line);
	else if (!c->n_radius && (c->eap_methods & 1u << EAP_RADIUS))
		config_say(
			p, true, config_line_of(p, "EAPMethods"),
			"EAPMethods = radius: expected a section [Radius] instead, with Server and Secret");
	if (c->n_radius)
		c->eap_methods = 1u << EAP_RADIUS;
	if (c->n_radius && c->n_fixed)
		config_say(
			p, false, config_line_of(p, "Static"),
			"Static and [Radius] in line %u: the RADIUS server has to compare names with what users prove, or one has the address of another (FreeRADIUS: check_cert_cn = %%{User-Name} for EAP-TLS, filter_inner_identity for EAP-TTLS and PEAP)",
			c->radius[0].line);
}

/* Which end is a user, as it was said, or else as its keys say. */
static void check_eap(struct parse *p)
{
	struct config *c = p->c;
	bool ours = ike_auth_is_user(&c->local_auth), theirs = ike_auth_is_user(&c->remote_auth);

	if (!ours) {
		refuse_alone(p, "EAP", "LocalAuth = eap in [Tunnel]");
		refuse_alone(p, "Password", "EAP in [Tunnel], our user's name");
	}
	if (!theirs)
		refuse_alone(p, "Users", "RemoteAuth = eap in [Peer]");
	check_radius_users(p);
	if (!ours && !theirs) {
		refuse_alone(p, "EAPMethods", "RemoteAuth = eap in [Peer], or LocalAuth = eap");
		refuse_alone(p, "EAPServerID", "EAP in [Tunnel]");
		return;
	}
	if (!c->eap_methods)
		c->eap_methods = 1u << EAP_MSCHAPV2;
	if (config_given(p, "PPK"))
		config_say(
			p, true, config_line_of(p, "PPK"),
			"PPK: keys are not mixed with one where an end is a user by EAP: expected none");
	check_eap_keys(p);
	if (ours)
		check_eap_client(p);
	if (theirs)
		check_eap_server(p);
	for (unsigned int i = 0; eap_method(i); i++) {
		if (c->eap_methods & 1u << i && eap_method(i)->caution)
			config_say(p, false, config_line_of(p, "EAPMethods"), "EAPMethods: %s %s",
				   eap_method(i)->word, eap_method(i)->caution);
	}
	if (eap_needs(c->eap_methods) & EAP_NEEDS_LEGACY && !ike_legacy_known())
		config_say(
			p, true, 0,
			"EAP needs MD4, MD5 and DES, which this OpenSSL does not have, or is set up to refuse: take certificates");
}

/*
 * With a user at one end, what the other one needs is check_eap()'s to say. Two rounds are never taken because of the keys
 * that there are.
 */
static void find_methods(struct parse *p)
{
	struct config *c = p->c;
	bool user = c->local_auth.method == IKE_METHOD_EAP ||
		    (config_given(p, "EAP") && !config_given(p, "LocalAuth"));
	bool users = c->remote_auth.method == IKE_METHOD_EAP ||
		     ((config_given(p, "Users") || c->n_radius) && !config_given(p, "RemoteAuth"));

	if (user)
		c->local_auth.method = IKE_METHOD_EAP;
	else if (users && !config_given(p, "LocalAuth"))
		c->local_auth.method = config_given(p, "Key") ? IKE_METHOD_SIGNATURE
							      : IKE_METHOD_PSK;
	else
		finish_method(p, &of_us, &c->local_auth.method);
	if (users)
		c->remote_auth.method = IKE_METHOD_EAP;
	else if (!p->errors && (!user || of_peer_given(p)))
		finish_method(p, &of_peer, &c->remote_auth.method);
}

/* Does the peer prove who it is by nothing but a certificate, in IKE or in EAP? */
static bool shows_certificate(const struct parse *p)
{
	const struct config *c = p->c;

	if (c->remote_auth.method == IKE_METHOD_SIGNATURE)
		return config_given(p, "CA");
	return ike_auth_is_user(&c->remote_auth) && eap_all_need(c->eap_methods, EAP_NEEDS_CERTS);
}

static void check_auth(struct parse *p)
{
	struct config *c = p->c;

	check_certs(p);
	finish_revocation(p);
	find_methods(p);
	if (!p->errors)
		check_eap(p);
	if (config_given(p, "PSK") && c->local_auth.method != IKE_METHOD_PSK &&
	    c->remote_auth.method != IKE_METHOD_PSK)
		config_say(p, false, config_line_of(p, "PSK"), "PSK is used by neither end");
	if (!p->errors && p->require & 1u << REQUIRE_CERT && !shows_certificate(p))
		refuse_requirement(p, REQUIRE_CERT);
	if (c->clients > 1 && config_given(p, "PublicKey"))
		config_say(
			p, true, config_line_of(p, "PublicKey"),
			"PublicKey is of one peer, but Clients = %u: expected CA, PSK, or Secrets, for clients",
			c->clients);
	if (c->signatures && c->local_auth.method != IKE_METHOD_SIGNATURE &&
	    c->remote_auth.method != IKE_METHOD_SIGNATURE)
		config_say(
			p, true, config_line_of(p, "Signatures"),
			"Signatures is for public keys: expected Key in [Tunnel], or PublicKey or CA in [Peer], too");
	if (c->signatures & IKE_SIG_SHA1)
		config_say(
			p, false, config_line_of(p, "Signatures"),
			"Signatures: sha1 is broken: who finds two messages with one digest can use a signature of one for the other");
}

static void warn_psk(struct parse *p)
{
	char why[128];

	if (!secret_strong(p->c->psk, p->c->psk_len, why, sizeof(why)))
		config_say(p, false, config_line_of(p, "PSK"), "the key %s", why);
}

static void warn_ppk(struct parse *p, const struct config_ppk *ppk)
{
	char why[160];

	if (ppk->len && !secret_strong_ppk(ppk->key, ppk->len, why, sizeof(why)))
		config_say(p, false, config_line_of(p, "PPK"), "PPK: the key %s", why);
	if (p->c->clients > 1)
		config_say(
			p, false, config_line_of(p, "PPK"),
			"PPK is one key for all clients: each of them could read what others sent once it has a quantum computer");
}

/* A PPK and its name come together; who gives one means it to be used. */
static void check_ppk(struct parse *p)
{
	struct config_ppk *ppk = p->c->ppk;

	if (!ppk)
		return;
	if (!config_given(p, "PPK"))
		config_say(p, true,
			   config_line_of(p, config_given(p, "PPKID") ? "PPKID" : "PPKRequired"),
			   "[Peer] lacks PPK, the post-quantum preshared key");
	else if (!config_given(p, "PPKID"))
		config_say(
			p, true, config_line_of(p, "PPK"),
			"PPK: expected PPKID in [Peer], too, the name that both ends know it by");
	if (!config_given(p, "PPKRequired"))
		ppk->name.required = true;
	if (ppk->len && ppk->len == p->c->psk_len && ike_equal(ppk->key, p->c->psk, ppk->len))
		config_say(p, true, config_line_of(p, "PPK"),
			   "PPK and PSK are the same key: expected a key of its own for each");
	warn_ppk(p, ppk);
}

static bool has_ipv6(const struct net_prefix *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].addr.family == 6)
			return true;
	}
	return false;
}

static void check_mtu(struct parse *p)
{
	struct config *c = p->c;

	if (!c->mtu || c->mtu >= IPV6_MIN_MTU)
		return;
	if (has_ipv6(c->address, c->n_address) || has_ipv6(c->routes, c->n_routes))
		config_say(p, true, config_line_of(p, "MTU"),
			   "MTU = %u: IPv6, of which Address or Routes has prefixes, needs %d",
			   c->mtu, IPV6_MIN_MTU);
}

static void check_families(struct parse *p)
{
	const struct config *c = p->c;
	char local[64];

	if (c->local.family && c->endpoint_addr.family &&
	    c->local.family != c->endpoint_addr.family)
		config_say(p, true, config_line_of(p, "Local"),
			   "Local = %s and Endpoint = %s: expected two addresses of one family",
			   ike_addr_print(local, sizeof(local), &c->local), c->endpoint);
}

/* A prefix that stands in @key again does no harm, but was meant to be another one. */
static void warn_of_twice(struct parse *p, const char *key, const struct net_prefix *v,
			  unsigned int n)
{
	char addr[64];

	for (unsigned int i = 1; i < n; i++) {
		for (unsigned int k = 0; k < i; k++) {
			if (memcmp(&v[i], &v[k], sizeof(v[i])))
				continue;
			config_say(p, false, config_line_of(p, key), "%s: %s/%u is given twice",
				   key, ike_addr_print(addr, sizeof(addr), &v[i].addr), v[i].len);
			break;
		}
	}
}

static void check_client_key(struct parse *p, const struct client_key *k)
{
	const struct ike_id *of_all = &p->c->remote_id;
	char id[IKE_MAX_ID + 16], all[IKE_MAX_ID + 16], why[128];

	ike_id_print(id, sizeof(id), &k->id);
	if (!ike_id_matches(&k->id, of_all) && !ike_id_matches(of_all, &k->id))
		config_say(p, true, k->line, "[Client %s] can never come: RemoteID is %s", id,
			   ike_id_print(all, sizeof(all), of_all));
	else if (!k->len && !k->named)
		config_say(p, true, k->line, "[Client %s] lacks PSK, the key shared with it", id);
	else if (k->len && !secret_strong(k->key, k->len, why, sizeof(why)))
		config_say(p, false, k->line, "[Client %s]: the key %s", id, why);
}

/* The sections [Client ID]; what comes from the file of Secrets= is not there yet. */
static void check_client_keys(struct parse *p)
{
	struct client_keys *l = &p->c->keys;
	const struct client_key *twice = client_keys_sort(l);
	char id[IKE_MAX_ID + 16];

	if (twice)
		config_say(p, true, twice->line > twice[-1].line ? twice->line : twice[-1].line,
			   "[Client %s] is there already, in line %u",
			   ike_id_print(id, sizeof(id), &twice->id),
			   twice->line > twice[-1].line ? twice[-1].line : twice->line);
	for (unsigned int i = 0; i < l->n; i++)
		check_client_key(p, &l->v[i]);
}

static void refuse_client_keys(struct parse *p)
{
	if (p->c->keys.n)
		config_say(
			p, true, p->c->keys.v[0].line,
			"[Client ID] is for clients: expected Clients of 2 or more in [Peer], too");
	if (config_given(p, "Secrets"))
		config_say(p, true, config_line_of(p, "Secrets"),
			   "Secrets is for clients: expected Clients of 2 or more in [Peer], too");
	if (config_given(p, "Users"))
		config_say(p, true, config_line_of(p, "Users"),
			   "Users is for clients: expected Clients of 2 or more in [Peer], too");
	if (p->c->n_radius)
		config_say(p, true, p->c->radius[0].line,
			   "[Radius] is for clients: expected Clients of 2 or more in [Peer], too");
	if (ike_auth_is_user(&p->c->remote_auth) && !config_given(p, "Users") && !p->c->n_radius)
		config_say(
			p, true, config_line_of(p, "RemoteAuth"),
			"RemoteAuth: users are clients: expected Clients of 2 or more in [Peer], too");
}

/* Keys that say something about one peer whose place is known, and what to do with many. */
static void check_clients(struct parse *p)
{
	const struct config *c = p->c;

	if (c->clients <= 1) {
		refuse_client_keys(p);
		if (config_given(p, "Unique"))
			config_say(
				p, true, config_line_of(p, "Unique"),
				"Unique is for clients: expected Clients of 2 or more in [Peer], too");
		if (ike_id_is_wildcard(&c->remote_id))
			config_say(
				p, true, config_line_of(p, "RemoteID"),
				"RemoteID with * is for clients: expected Clients of 2 or more in [Peer], or one identity");
		return;
	}
	if (config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "Clients"),
			"Clients = %u: clients come from anywhere, but Endpoint in line %u names one: expected one or the other",
			c->clients, config_line_of(p, "Endpoint"));
	if (c->reauth)
		config_say(
			p, true, config_line_of(p, "Reauth"),
			"Reauth: only clients can authenticate again: expected off, and a time at their ends");
	check_client_keys(p);
}

/* Does a route of the link lead to the address? */
static bool is_routed(const struct config *c, const struct ike_addr *a)
{
	const struct net_prefix *lists[] = { c->address, c->routes };
	const unsigned int n[] = { c->n_address, c->n_routes };

	for (unsigned int k = 0; k < 2; k++) {
		for (unsigned int i = 0; i < n[k]; i++) {
			if (ike_addr_in_net(a, &lists[k][i].addr, lists[k][i].len))
				return true;
		}
	}
	return false;
}

static void check_routes(struct parse *p)
{
	char first[64], last[64];

	for (unsigned int i = 0; i < p->c->n_ranges; i++) {
		const struct pool_range *r = &p->c->ranges[i];

		if (is_routed(p->c, &r->first) && is_routed(p->c, &r->last))
			continue;
		config_say(
			p, false, config_line_of(p, "Range"),
			"Range: no route leads to %s-%s: add its network to Routes, or an Address with the network's length",
			ike_addr_print(first, sizeof(first), &r->first),
			ike_addr_print(last, sizeof(last), &r->last));
	}
}

static bool is_static(const struct config *c, const struct ike_addr *addr)
{
	for (unsigned int i = 0; i < c->n_fixed; i++) {
		if (ike_addr_eq(&c->fixed[i].addr, addr))
			return true;
	}
	return false;
}

/* Our own addresses are nobody's. */
static void keep_own(struct parse *p)
{
	char text[64];

	for (unsigned int i = 0; i < p->c->n_address; i++) {
		struct pool_fixed own;

		memset(&own, 0, sizeof(own));
		own.addr = p->c->address[i].addr;
		if (is_static(p->c, &own.addr))
			config_say(p, true, config_line_of(p, "Static"),
				   "Static: %s is our own, by Address: give the client another one",
				   ike_addr_print(text, sizeof(text), &own.addr));
		else if (config_add_fixed(p->c, &own))
			config_say(p, true, 0, "out of memory");
	}
}

static unsigned int line_of_pool_routes(const struct parse *p)
{
	return p->line_of[config_find_key_of("Pool", "Routes") - config_keys];
}

/* Does a child SA of the first kind, which clients begin, carry all that goes to @net? */
static bool is_selected(const struct config *c, const struct net_prefix *net)
{
	const struct ike_ts_list one = { .n = 1, .ts = { ike_ts_of_net(&net->addr, net->len) } };

	for (unsigned int i = 0; i < c->n_child; i++) {
		if (ike_ts_within(IKE_TS_OFFER(&one), &c->child[i].local_ts))
			return true;
	}
	return false;
}

/* Clients are told of networks that they can reach. */
static void check_told(struct parse *p)
{
	const struct config *c = p->c;
	char text[64];

	for (unsigned int i = 0; i < c->n_told; i++) {
		if (is_selected(c, &c->told[i]))
			continue;
		config_say(
			p, true, line_of_pool_routes(p),
			"Routes: clients are told of %s/%u, but Selectors have no child SA for it: add it to Selectors, at the side of this end, or take it out",
			ike_addr_print(text, sizeof(text), &c->told[i].addr), c->told[i].len);
	}
}

/* Those of @r alone; -1 if they are too many. */
static int add_apart(struct config *c, const struct pool_range *r)
{
	struct ike_ts_list exact = { .n = 1,
				     .ts = { { .family = r->first.family, .port_end = 65535 } } };
	struct ike_prefix found[CONFIG_MAX_APART];
	struct ike_ts *ts = &exact.ts[0];
	struct ike_addr first = r->first;
	struct net_prefix *grown;
	int n;

	memcpy(ts->end, r->last.b, sizeof(ts->end));
	/* A network of IPv6 but for its first address, which is no host's (RFC 4291 2.6.1), is one. */
	ike_addr_step(&first, -1);
	memcpy(ts->start, first.b, sizeof(ts->start));
	if (first.family == 4 || ike_ts_prefixes(&exact, found, 1) != 1)
		memcpy(ts->start, r->first.b, sizeof(ts->start));
	n = ike_ts_prefixes(&exact, found, CONFIG_MAX_APART - c->n_apart);
	if (n < 0)
		return -1;
	grown = realloc(c->apart, (c->n_apart + (unsigned int)n) * sizeof(*grown));
	if (!grown)
		return -1;
	c->apart = grown;
	for (int i = 0; i < n; i++) {
		struct net_prefix *to = &c->apart[c->n_apart++];

		memset(to, 0, sizeof(*to));
		to->addr.family = found[i].family;
		memcpy(to->addr.b, found[i].addr, sizeof(to->addr.b));
		to->len = found[i].len;
	}
	return 0;
}

static bool is_in_range(const struct config *c, const struct ike_addr *a)
{
	for (unsigned int i = 0; i < c->n_ranges; i++) {
		if (pool_range_has(&c->ranges[i], a))
			return true;
	}
	return false;
}

/* All addresses that clients can have become networks, as rules of the kernel have these. */
static void keep_clients_apart(struct parse *p)
{
	struct config *c = p->c;
	int rc = 0;

	for (unsigned int i = 0; i < c->n_ranges && !rc; i++)
		rc = add_apart(c, &c->ranges[i]);
	for (unsigned int i = 0; i < c->n_fixed && !rc; i++) {
		const struct pool_range one = { c->fixed[i].addr, c->fixed[i].addr };

		if (c->fixed[i].id.type && !is_in_range(c, &one.first))
			rc = add_apart(c, &one);
	}
	if (rc)
		config_say(
			p, true, config_line_of(p, "ClientToClient"),
			"ClientToClient = no: Range and Static are made up of more than %d networks: let ranges begin and end with networks, and have the addresses of Static",
			CONFIG_MAX_APART);
}

/* Of one family: those that anybody can get, and those of Static. */
static uint32_t count_addresses(const struct config *c, const struct pool *pool, uint8_t family)
{
	struct pool_count count;
	uint32_t fixed = 0;

	pool_count(pool, family, &count);
	for (unsigned int i = 0; i < c->n_fixed; i++)
		fixed += c->fixed[i].id.type && c->fixed[i].addr.family == family;
	return count.size && count.free < UINT32_MAX - fixed ? count.free + fixed : UINT32_MAX;
}

/* Clients may be more than the addresses, but their last ones get none then. */
static void compare_with_clients(struct parse *p)
{
	const struct config *c = p->c;
	struct pool *pool = pool_new(c->ranges, c->n_ranges, c->fixed, c->n_fixed);

	for (uint8_t family = 4; pool && family <= 6; family += 2) {
		uint32_t n = count_addresses(c, pool, family);

		if (n < c->clients)
			config_say(
				p, false, config_line_of(p, "Range"),
				"Range: %u IPv%u addresses, but Clients = %u: those who come when all are in use get none",
				n, family, c->clients);
	}
	pool_free(pool);
}

static void check_pool(struct parse *p)
{
	struct config *c = p->c;

	if (!c->n_ranges) {
		if (c->n_servers || config_given(p, "Domains") || config_given(p, "Static") ||
		    config_given(p, "ClientToClient") || c->tells_routes)
			config_say(p, true, 0, "[Pool] lacks Range, the addresses of clients");
		return;
	}
	if (c->clients <= 1)
		config_say(p, true, config_line_of(p, "Range"),
			   "[Pool] is for clients: expected Clients of 2 or more in [Peer], too");
	if (c->n_domains && !c->n_servers)
		config_say(p, true, config_line_of(p, "Domains"),
			   "Domains: expected DNS, too, the name servers that know them");
	for (unsigned int i = 0; i < c->n_child; i++) {
		if (c->child[i].mode != IKE_MODE_TRANSPORT)
			continue;
		config_say(
			p, true, config_line_of(p, "Range"),
			"[Pool]: in transport mode clients have addresses of their own: expected Mode = tunnel, or no [Pool]");
		break;
	}
	check_routes(p);
	check_told(p);
	if (p->clients_apart)
		keep_clients_apart(p);
	keep_own(p);
	compare_with_clients(p);
}

static void check_request(struct parse *p)
{
	if (!p->c->asks_address && config_given(p, "DNS"))
		config_say(
			p, true, config_line_of(p, "DNS"),
			"DNS: a peer tells name servers with the address that it gives: expected Address = request, too");
	if (!p->c->asks_address && p->c->asks_routes)
		config_say(
			p, true, config_line_of(p, "Routes"),
			"Routes = request: a peer tells routes with the address that it gives: expected Address = request, too");
	if (!p->c->asks_address)
		return;
	if (p->c->clients > 1)
		config_say(p, true, config_line_of(p, "Address"),
			   "Address = request: a hub gives addresses, and asks nobody for one");
	if (!config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "Address"),
			"Address = request: only the end that begins asks: expected Endpoint, too");
}

void config_check(struct parse *p)
{
	struct config *c = p->c;

	check_mtu(p);
	check_families(p);
	warn_of_twice(p, "Address", c->address, c->n_address);
	warn_of_twice(p, "Routes", c->routes, c->n_routes);
	check_auth(p);
	if (c->psk_len)
		warn_psk(p);
	check_ppk(p);
	check_clients(p);
	finish_children(p);
	check_pool(p);
	config_radius_check(p);
	check_request(p);
	check_mobike(p);
	finish_crypto(p);
}
