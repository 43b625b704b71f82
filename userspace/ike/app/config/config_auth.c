// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the ends prove who they are: which keys of a configuration go together for a pre-shared key, a signature, certificates, EAP,
 * and two rounds of them; which method follows from them. Called by config_check.c when all lines were read.
 */
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/app/secret.h"
#include "ike/crypto/legacy.h"
#include "ike/eap/eap.h"
#include "ike/proto/id.h"

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
static void finish_method(struct parse *p, const struct side *s, struct ike_auth_conf *auth)
{
	enum ike_method *method = &auth->method;
	const char *of_key = s->ca && config_given(p, s->ca) ? s->ca : s->key;
	bool key = config_given(p, of_key), psk = has_psk(p);

	if (!config_given(p, s->auth)) {
		*method = key ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;
		if (key && psk)
			refuse_two_keys(p, s, of_key);
	}
	if (*method == IKE_METHOD_SIGNATURE && !key)
		config_say(p, true, config_line_of(p, s->auth), "%s = %s needs %s", s->auth,
			   auth->eap_only ? ike_auth_eap_only : "pubkey", s->sentence);
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

/* A server proves who it is by EAP alone: to users, by a method that lets nobody guess, and as who it is in IKE. */
static void check_eap_only(struct parse *p)
{
	const struct config *c = p->c;
	bool ours = c->local_auth.eap_only;
	const char *key = ours ? "LocalAuth" : "RemoteAuth";

	if (!ours && !c->remote_auth.eap_only)
		return;
	if ((ours ? c->remote_auth.method : c->local_auth.method) != IKE_METHOD_EAP)
		config_say(
			p, true, config_line_of(p, key),
			"%s = eap-only is how a server proves who it is to users: expected %s, too, or pubkey",
			key, ours ? "RemoteAuth = eap in [Peer]" : "LocalAuth = eap in [Tunnel]");
	else if (!eap_proving_both(c->eap_methods))
		config_say(
			p, true, config_line_of(p, key),
			"%s = eap-only: by none of the methods here does a server prove who it is without letting passwords be guessed: expected EAPMethods = tls, or %s = pubkey",
			key, key);
	else if (!ours && config_given(p, "EAPServerID"))
		config_say(
			p, true, config_line_of(p, "EAPServerID"),
			"EAPServerID: with RemoteAuth = eap-only nothing but EAP says who the peer is: expected none, as its certificate there is that of RemoteID");
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
		check_eap_only(p);
		return;
	}
	if (!c->eap_methods)
		c->eap_methods = 1u << EAP_MSCHAPV2;
	check_eap_keys(p);
	check_eap_only(p);
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
		finish_method(p, &of_us, &c->local_auth);
	if (users)
		c->remote_auth.method = IKE_METHOD_EAP;
	else if (!p->errors && (!user || of_peer_given(p)))
		finish_method(p, &of_peer, &c->remote_auth);
}

/* Does the peer prove who it is by nothing but a certificate, in IKE or in EAP? */
static bool shows_certificate(const struct parse *p)
{
	const struct config *c = p->c;

	if (c->remote_auth.method == IKE_METHOD_SIGNATURE)
		return config_given(p, "CA");
	return ike_auth_is_user(&c->remote_auth) && eap_all_need(c->eap_methods, EAP_NEEDS_CERTS);
}

static void check_methods(struct parse *p)
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
		config_refuse_requirement(p, REQUIRE_CERT);
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

void config_auth_check(struct parse *p)
{
	config_ppk_sections(p);
	check_methods(p);
	if (p->c->psk_len)
		warn_psk(p);
	config_ppk_check(p);
}
