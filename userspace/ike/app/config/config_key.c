// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys of a configuration: what each may say, and how it is read. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/distance.h"
#include "ike/app/config/config_int.h"
#include "ike/app/config/ini.h"
#include "ike/app/secret.h"
#include "ike/eap/eap.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/child/proposal.h"

/* ---- values ------------------------------------------------------------------ */

/* The index of the word, or -1; what has none is NULL. */
static int find_word(const char *s, const char *const *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (words[i] && !strcasecmp(s, words[i]))
			return (int)i;
	}
	return -1;
}

static int set_mtu(struct parse *p, char *s)
{
	if (!strcasecmp(s, "auto")) {
		p->c->mtu = 0;
		return 0;
	}
	return config_number(s, MIN_MTU, MAX_MTU, &p->c->mtu);
}

static int set_port(struct parse *p, char *s)
{
	uint32_t v;

	/* 500 carries IKE without the marker that tells it from ESP (RFC 3948). */
	if (config_number(s, 1, 65535, &v) || v == IKE_PORT)
		return -1;
	p->c->port = (uint16_t)v;
	return 0;
}

static int set_fwmark(struct parse *p, char *s)
{
	return config_number(s, 0, UINT32_MAX, &p->c->fwmark);
}

static int set_table(struct parse *p, char *s)
{
	if (!strcasecmp(s, "main")) {
		p->c->table = 0;
		return 0;
	}
	return config_number(s, 1, UINT32_MAX, &p->c->table);
}

static int set_metric(struct parse *p, char *s)
{
	return config_number(s, 0, UINT32_MAX, &p->c->metric);
}

static int set_keepalive(struct parse *p, char *s)
{
	return config_number(s, 0, 3600, &p->c->keepalive);
}

static int set_liveness(struct parse *p, char *s)
{
	return config_number(s, 0, 86400, &p->c->liveness);
}

static int set_replay(struct parse *p, char *s)
{
	return config_number(s, 0, 65536, &p->c->replay_window);
}

struct unit {
	char letter; /* small; 0 ends a list */
	uint64_t factor;
};

static const struct unit seconds[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 0 },
};
/* As with esptun sa ... limit. */
static const struct unit sizes[] = {
	{ 'k', 1ULL << 10 }, { 'm', 1ULL << 20 }, { 'g', 1ULL << 30 }, { 't', 1ULL << 40 }, { 0 },
};

/*
 * A decimal number, alone or with the letter of one of @units behind it: from @min to @max, or
 * 0, which is also "off".
 */
static int amount(const char *s, const struct unit *units, uint64_t min, uint64_t max,
		  uint64_t *out)
{
	uint64_t factor = 1;
	char *end;

	*out = 0;
	if (!strcasecmp(s, "off"))
		return 0;
	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	*out = strtoull(s, &end, 10);
	for (; *end && units->letter; units++) {
		if (tolower((unsigned char)*end) != units->letter)
			continue;
		factor = units->factor;
		end++;
		break;
	}
	if (*end || errno || *out > max / factor)
		return -1;
	*out *= factor;
	return *out && *out < min ? -1 : 0;
}

/* One of the two of Rekey. */
static int lifetime(char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (amount(ini_trim(s), seconds, min, max, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int set_rekey(struct parse *p, char *s)
{
	char *child = strchr(s, ',');

	if (!child) {
		snprintf(p->err, sizeof(p->err),
			 "expected two times, the IKE SA's and the child SA's, such as 4h, 1h");
		return -1;
	}
	*child++ = 0;
	if (lifetime(s, 10, 30 * 86400, &p->c->rekey_ike)) {
		snprintf(p->err, sizeof(p->err),
			 "expected for the IKE SA a time from 10s to 30d, or off");
		return -1;
	}
	if (lifetime(child, 5, CONFIG_REKEY_CHILD_MAX, &p->c->rekey_child)) {
		snprintf(p->err, sizeof(p->err),
			 "expected for the child SA a time from 5s to 7d, or off");
		return -1;
	}
	return 0;
}

static int set_reauth(struct parse *p, char *s)
{
	return lifetime(s, 60, 30 * 86400, &p->c->reauth);
}

static int set_encap(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_ENCAP_UDP] = "udp",
		[IKE_ENCAP_ESP] = "esp",
		[IKE_ENCAP_AUTO] = "auto",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	p->c->encap = i < 0 ? IKE_ENCAP_UDP : (enum ike_encap)i;
	return i < 0 ? -1 : 0;
}

static int set_mobike(struct parse *p, char *s)
{
	return config_yes_no(s, &p->c->mobike);
}

static int set_rekey_bytes(struct parse *p, char *s)
{
	return amount(s, sizes, 1 << 20, UINT64_MAX, &p->c->rekey_bytes);
}

static int set_rekey_packets(struct parse *p, char *s)
{
	return amount(s, sizes, 1000, UINT64_MAX, &p->c->rekey_packets);
}

static int set_local(struct parse *p, char *s)
{
	if (!strcasecmp(s, "any") || !strcasecmp(s, "auto")) {
		p->c->local.family = 0;
		return 0;
	}
	return ike_addr_from_text(s, &p->c->local) || !ike_addr_is_host(&p->c->local) ? -1 : 0;
}

static int set_local_id(struct parse *p, char *s)
{
	if (ike_id_from_text(s, &p->c->local_id, p->err, sizeof(p->err)))
		return -1;
	return ike_id_is_wildcard(&p->c->local_id) ? -1 : 0;
}

static int set_remote_id(struct parse *p, char *s)
{
	if (!strcasecmp(s, "any")) {
		p->c->remote_id.type = 0;
		return 0;
	}
	return ike_id_from_text(s, &p->c->remote_id, p->err, sizeof(p->err));
}

static int set_first_id(struct parse *p, char *s)
{
	p->c->first_id = calloc(1, sizeof(*p->c->first_id));
	p->c->n_first_id = p->c->first_id ? 1 : 0;
	if (!p->c->first_id)
		return -1;
	return strcasecmp(s, "any") ? ike_id_from_text(s, p->c->first_id, p->err, sizeof(p->err))
				    : 0;
}

static int set_clients(struct parse *p, char *s)
{
	return config_number(s, 1, IKE_MAX_CLIENTS, &p->c->clients);
}

static int set_unique(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_UNIQUE_REPLACE] = "replace",
		[IKE_UNIQUE_KEEP] = "keep",
		[IKE_UNIQUE_REFUSE] = "refuse",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	p->c->unique = i < 0 ? IKE_UNIQUE_REPLACE : (enum ike_unique)i;
	return i < 0 ? -1 : 0;
}

static int set_start(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_START_NOW] = "now",
		[IKE_START_TRAFFIC] = "traffic",
		[IKE_START_LISTEN] = "listen",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	if (i < 0)
		return -1;
	p->at->start = (enum ike_start)i;
	p->at->start_given = true;
	return 0;
}

/* A DNS name: letters, digits, hyphens and dots (underscores are seen in the wild). */
static bool host_ok(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > 253 || s[0] == '.' || s[0] == '-')
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("-._", *s))
			return false;
	}
	return true;
}

static int set_endpoint(struct parse *p, char *s)
{
	struct config *c = p->c;
	uint32_t port = IKE_PORT;

	s = config_split_port(s, 65535, &port);
	if (!s)
		return -1;
	c->endpoint_port = (uint16_t)port;
	if (!strcasecmp(s, "any") || !strcasecmp(s, "%any")) {
		snprintf(
			p->err, sizeof(p->err),
			"expected a host name or address; a tunnel that waits for its peer goes without Endpoint");
		return -1;
	}
	if (!ike_addr_from_text(s, &c->endpoint_addr)) {
		if (ike_addr_is_host(&c->endpoint_addr))
			return config_copy(c->endpoint, sizeof(c->endpoint), s) ? 0 : -1;
		snprintf(
			p->err, sizeof(p->err),
			"expected an address of one other machine; link-local IPv6 and ::ffff:ADDRESS do not do");
		return -1;
	}
	/* Digits and dots alone are a mistyped address, not a name. */
	c->endpoint_addr.family = 0;
	if (!host_ok(s) || strspn(s, "0123456789.") == strlen(s))
		return -1;
	return config_copy(c->endpoint, sizeof(c->endpoint), s) ? 0 : -1;
}

static int set_secret(struct parse *p, const char *s, uint8_t *key, size_t *len)
{
	char why[512];

	if (secret_from_value(s, key, len, why, sizeof(why))) {
		snprintf(p->err, sizeof(p->err), "%s", why);
		return -1;
	}
	if (*why)
		config_say(p, false, p->line, "the key %s", why);
	return 0;
}

static int set_psk(struct parse *p, char *s)
{
	struct config *c = p->c;
	struct client_key *k = p->client;

	if (!strncmp(s, "file:/", 6) && k) {
		k->named = true;
		return config_copy((char *)k->key, SECRET_MAX, s + 5) ? 0 : -1;
	}
	if (!strncmp(s, "file:/", 6))
		return config_copy(c->psk_file, sizeof(c->psk_file), s + 5) ? 0 : -1;
	return set_secret(p, s, k ? k->key : c->psk, k ? &k->len : &c->psk_len);
}

/* /PATH or file:/PATH, which the file of a key is named by. */
static int set_file(char *to, size_t size, const char *s)
{
	if (!strncmp(s, "file:/", 6))
		s += 5;
	return *s == '/' && config_copy(to, size, s) ? 0 : -1;
}

/* Few tunnels have one, so that it takes no room in the others. NULL without memory. */
struct config_ppk *config_need_ppk(struct config *c)
{
	if (!c->ppk)
		c->ppk = calloc(1, sizeof(*c->ppk));
	c->n_ppk = c->ppk ? 1 : 0;
	return c->ppk;
}

static int set_ppk(struct parse *p, char *s)
{
	struct config_ppk *ppk = config_need_ppk(p->c);

	if (!ppk)
		return -1;
	if (!strncmp(s, "file:/", 6))
		return config_copy(ppk->file, sizeof(ppk->file), s + 5) ? 0 : -1;
	return set_secret(p, s, ppk->key, &ppk->len);
}

/* A name that may stand in a file: its length; 0: it is none. */
static size_t ppk_name_len(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (!isgraph((unsigned char)s[i]))
			return 0;
	}
	return len <= IKE_MAX_PPK_ID ? len : 0;
}

static int set_ppk_id(struct parse *p, char *s)
{
	struct config_ppk *ppk = config_need_ppk(p->c);
	size_t len = ppk_name_len(s);

	if (!ppk || !len)
		return -1;
	memcpy(ppk->name.id, s, len);
	ppk->name.id_len = (uint8_t)len;
	return 0;
}

static int set_ppk_required(struct parse *p, char *s)
{
	struct config_ppk *ppk = config_need_ppk(p->c);

	return ppk ? config_yes_no(s, &ppk->name.required) : -1;
}

static int set_client_ppks(struct parse *p, char *s)
{
	struct config_ppk *ppk = config_need_ppk(p->c);

	return ppk ? set_file(ppk->clients_file, sizeof(ppk->clients_file), s) : -1;
}

/* One more for the section [Client ID] at hand; its line tells which of both lists belong together. */
static struct client_key *add_ppk(struct parse *p, struct client_keys *l)
{
	struct client_key *k = client_keys_add(l);

	if (!k)
		return NULL;
	k->line = p->client->line;
	return k;
}

static int set_ppk_of_client(struct parse *p, char *s)
{
	struct client_key *k = add_ppk(p, &p->c->ppks.keys);

	if (!k)
		return -1;
	k->named = !strncmp(s, "file:/", 6);
	if (k->named)
		return config_copy((char *)k->key, SECRET_MAX, s + 5) ? 0 : -1;
	return set_secret(p, s, k->key, &k->len);
}

static int set_ppk_id_of_client(struct parse *p, char *s)
{
	size_t len = ppk_name_len(s);
	struct client_key *k = len ? add_ppk(p, &p->c->ppks.of) : NULL;

	if (!k)
		return -1;
	k->id = p->client->id;
	memcpy(k->key, s, len);
	k->len = len;
	return 0;
}

/* It is never shown, for somebody may take it for PSK. */
static int set_private_key(struct parse *p, char *s)
{
	if (!strncasecmp(s, "pkcs11:", 7)) {
		snprintf(
			p->err, sizeof(p->err),
			"keys in tokens (PKCS#11) are not used, for the process that signs has neither files nor sockets: expected the /PATH of a file");
		return -1;
	}
	if (strpbrk(s, " \t\"")) {
		snprintf(
			p->err, sizeof(p->err),
			"expected the /PATH of a private key alone, without blanks, quotes and comment");
		return -1;
	}
	return set_file(p->c->key_file, sizeof(p->c->key_file), s);
}

/* file:/PATH or cred:NAME. A passphrase itself is never shown, should one stand there. */
static int set_passphrase(struct parse *p, char *s)
{
	struct config_paths *paths = config_need_paths(p->c);
	bool cred = !strncmp(s, "cred:", 5) && s[5] && s[5] != '.' && !strpbrk(s + 5, "/ \t");

	if (cred && paths && config_copy(paths->passphrase, sizeof(paths->passphrase), s))
		return 0;
	if (paths && !strncmp(s, "file:/", 6) && !strpbrk(s, " \t"))
		return set_file(paths->passphrase, sizeof(paths->passphrase), s);
	snprintf(
		p->err, sizeof(p->err),
		"expected file:/PATH or cred:NAME, where the passphrase of Key is, alone, without blanks, quotes and comment");
	return -1;
}

static int set_cert(struct parse *p, char *s)
{
	return set_file(p->c->cert_file, sizeof(p->c->cert_file), s);
}

static int set_ca(struct parse *p, char *s)
{
	return set_file(p->c->ca_path, sizeof(p->c->ca_path), s);
}

static int set_ocsp(struct parse *p, char *s)
{
	struct config_paths *paths = config_need_paths(p->c);

	return paths ? set_file(paths->ocsp, sizeof(paths->ocsp), s) : -1;
}

static int set_crl(struct parse *p, char *s)
{
	struct config_paths *paths = config_need_paths(p->c);

	return paths ? set_file(paths->crl, sizeof(paths->crl), s) : -1;
}

static int set_fetch(struct parse *p, char *s)
{
	return config_yes_no(s, &p->c->fetch);
}

static int set_revocation(struct parse *p, char *s)
{
	static const char *const words[] = {
		[PKI_REVOCATION_IFURI] = "ifuri",
		[PKI_REVOCATION_STRICT] = "strict",
		[PKI_REVOCATION_OFF] = "off",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	p->c->revocation = i < 0 ? PKI_REVOCATION_STRICT : (enum pki_revocation)i;
	return i < 0 ? -1 : 0;
}

static int set_public_key(struct parse *p, char *s)
{
	char why[256];

	if (strncmp(s, "base64:", 7) && strncmp(s, "hex:", 4))
		return set_file(p->c->public_file, sizeof(p->c->public_file), s);
	if (!config_cred_value(p->c, s, why, sizeof(why)))
		return 0;
	snprintf(p->err, sizeof(p->err), "the key %s", why);
	return -1;
}

static bool find_method(enum ike_method *method, const char *s)
{
	unsigned int i = 0;

	while (i < IKE_METHODS && strcasecmp(ike_method_row(i)->word, s) != 0)
		i++;
	if (i < IKE_METHODS)
		*method = (enum ike_method)i;
	return i < IKE_METHODS;
}

/* One round, or two, of which the last one is by EAP; or who it is to a user that is proven by EAP alone. */
static int set_auth(struct ike_auth_conf *auth, char *s)
{
	char *save, *first = strtok_r(s, ", \t", &save), *then = strtok_r(NULL, ", \t", &save);
	enum ike_method last = IKE_METHOD_EAP;

	if (first && !then && !strcasecmp(first, ike_auth_eap_only)) {
		*auth = (struct ike_auth_conf){ IKE_METHOD_SIGNATURE, .eap_only = true };
		return 0;
	}
	if (!first || !find_method(&auth->method, first) || (then && !find_method(&last, then)) ||
	    strtok_r(NULL, ", \t", &save))
		return -1;
	auth->then_user = then;
	return last == IKE_METHOD_EAP && ike_auth_is_sane(auth) ? 0 : -1;
}

static int set_local_auth(struct parse *p, char *s)
{
	return set_auth(&p->c->local_auth, s);
}

static int set_remote_auth(struct parse *p, char *s)
{
	return set_auth(&p->c->remote_auth, s);
}

static int set_signatures(struct parse *p, char *s)
{
	static const char *const words[] = { "sha1", "pss" };
	static const uint32_t bits[] = { IKE_SIG_SHA1, IKE_SIG_PSS };
	char *save;

	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		int i = find_word(item, words, 2);

		if (i < 0)
			return -1;
		p->c->signatures |= bits[i];
	}
	return p->c->signatures == (IKE_SIG_SHA1 | IKE_SIG_PSS) ? -1 : 0;
}

/* ---- EAP ----------------------------------------------------------------------- */

static int set_eap(struct parse *p, char *s)
{
	size_t len = strlen(s);
	struct ike_id id;

	if (!eap_identity((const uint8_t *)s, len, &id) || len > EAP_MAX_NAME)
		return -1;
	return config_cred_add(p->c, IKE_CRED_EAP_NAME, s, len);
}

/* Never shown, as PSK. */
static int set_password(struct parse *p, char *s)
{
	struct config_password *own = calloc(1, sizeof(*own));

	if (!own)
		return -1;
	p->c->password = own;
	p->c->n_password = 1;
	if (!strncmp(s, "file:/", 6))
		return config_copy(own->file, sizeof(own->file), s + 5) ? 0 : -1;
	return secret_from_value(s, own->key, &own->len, p->err, sizeof(p->err));
}

static int set_users(struct parse *p, char *s)
{
	return set_file(p->c->secrets_file, sizeof(p->c->secrets_file), s);
}

/* Another end of TLS than that of IKE: a RADIUS server that has the users, mostly. */
static int set_eap_server(struct parse *p, char *s)
{
	uint8_t item[1 + IKE_MAX_ID];
	struct ike_id id;

	if (ike_id_from_text(s, &id, p->err, sizeof(p->err)) || !id.type || ike_id_is_wildcard(&id))
		return -1;
	item[0] = id.type;
	memcpy(item + 1, id.data, id.len);
	return config_cred_add(p->c, IKE_CRED_EAP_SERVER, item, 1u + id.len);
}

static int set_eap_methods(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		unsigned int i = 0;

		while (eap_method(i) && strcasecmp(eap_method(i)->word, item) != 0)
			i++;
		if (!eap_method(i))
			return -1;
		p->c->eap_methods |= 1u << i;
	}
	return p->c->eap_methods ? 0 : -1;
}

static int set_secrets(struct parse *p, char *s)
{
	return set_file(p->c->secrets_file, sizeof(p->c->secrets_file), s);
}

static int set_selectors(struct parse *p, char *s)
{
	bool any = false;
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		item = ini_trim(item);
		if (*item && children_add_pair(p->at, item, p->err, sizeof(p->err)))
			return -1;
		any |= *item;
	}
	return any ? 0 : -1;
}

static int set_per_child(struct parse *p, char *s)
{
	static const char *const words[] = {
		[CHILDREN_ONE] = "one",
		[CHILDREN_ALL] = "all",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	if (i < 0)
		return -1;
	p->at->per = (enum children_per)i;
	return 0;
}

static int set_mode(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_MODE_TUNNEL] = "tunnel",
		[IKE_MODE_TRANSPORT] = "transport",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	if (i < 0)
		return -1;
	p->at->mode_given = true;
	p->at->mode = (enum ike_mode)i;
	return 0;
}

/* Those that the peer tells us. */
static int set_use_dns(struct parse *p, char *s)
{
	bool yes = true;
	int err = config_yes_no(s, &yes);

	p->c->leaves_dns = !yes;
	return err;
}

static int add_crypto(struct parse *p, unsigned int which, const char *item)
{
	char *to = p->crypto[which];
	size_t len = strlen(to), size = sizeof(p->crypto[which]);

	p->crypto_given[which] = true;
	if (len + strlen(item) + 3 > size) {
		snprintf(p->err, sizeof(p->err), "expected a shorter list of proposals");
		return -1;
	}
	snprintf(to + len, size - len, "%s%s", len ? ", " : "", item);
	return 0;
}

/* Items for both IKE and ESP, or for the one that "ike:" or "esp:" in front names. */
static int set_crypto(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		bool ike, esp;

		item = ini_trim(item);
		ike = !strncasecmp(item, "ike:", 4);
		esp = !strncasecmp(item, "esp:", 4);
		if (ike || esp)
			item = ini_trim(item + 4);
		if (!*item)
			continue;
		if (strpbrk(item, "=:")) {
			snprintf(p->err, sizeof(p->err),
				 "a proposal holds no = and no :; put commas between proposals");
			return -1;
		}
		if ((!esp && add_crypto(p, 0, item)) || (!ike && add_crypto(p, 1, item)))
			return -1;
	}
	return 0;
}

const struct requirement_row config_requirements[REQUIRE_WORDS] = {
	[REQUIRE_PQ] = { "pq", 0, ike_proposals_require_pq,
			 "no proposal of Crypto for IKE has a post-quantum key exchange: add one, such as aes256gcm16-x25519-ke1_mlkem768 (it takes OpenSSL 3.5), or a PPK that is required" },
	[REQUIRE_PFS] = { "pfs", 1, ike_proposals_require_pfs,
			  "no proposal of Crypto for ESP has a key exchange: add one, such as x25519, and take nopfs out" },
	[REQUIRE_CERT] = { "cert", 0, NULL,
			   "the peer may do without a certificate: expected CA in [Peer], who certifies it, and RemoteAuth = pubkey" },
};

static int require_one(struct parse *p, const char *word)
{
	for (unsigned int i = 0; i < REQUIRE_WORDS; i++) {
		if (strcasecmp(config_requirements[i].word, word) != 0)
			continue;
		p->require |= 1u << i;
		return 0;
	}
	return -1;
}

static int set_require(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		if (require_one(p, item))
			return -1;
	}
	return 0;
}

/* ---- keys ---------------------------------------------------------------------- */

const struct key config_keys[] = {
	{ "Tunnel", "Address", config_net_address, KEY_LIST,
	  "one or more prefixes, such as 169.254.10.2/30, or request: from the peer" },
	{ "Tunnel", "DNS", set_use_dns, KEY_ONE,
	  "yes or no, whether the peer's name servers are used; those for clients belong into [Pool]" },
	{ "Tunnel", "MTU", set_mtu, KEY_ONE, "auto, or bytes from 576 to 65535" },
	{ "Tunnel", "LocalID", set_local_id, KEY_ONE,
	  "an identity: a name, address, e-mail address, C=CH, CN=NAME or keyid:TEXT" },
	{ "Tunnel", "LocalAuth", set_local_auth, KEY_ONE,
	  "psk, pubkey, eap or eap-only; or two rounds: pubkey, eap or psk, eap" },
	{ "Tunnel", "EAP", set_eap, KEY_ONE, "our user's name, of at most 253 bytes" },
	{ "Tunnel", "Password", set_password, KEY_SECRET,
	  "our password as text (at most 255 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Tunnel", "Key", set_private_key, KEY_SECRET,
	  "the /PATH of the file with our private key" },
	{ "Tunnel", "KeyPassphrase", set_passphrase, KEY_SECRET, "file:/PATH or cred:NAME" },
	{ "Tunnel", "Cert", set_cert, KEY_ONE,
	  "the /PATH of the file with our certificate, and those of CAs behind it" },
	{ "Tunnel", "OCSP", set_ocsp, KEY_ONE,
	  "the /PATH of the file with an OCSP response about our certificate" },
	{ "Tunnel", "Local", set_local, KEY_ONE,
	  "an IPv4 or IPv6 address of this machine, or any" },
	{ "Tunnel", "Port", set_port, KEY_ONE, "a UDP port from 1 to 65535, but not 500" },
	{ "Tunnel", "FwMark", set_fwmark, KEY_ONE, "a number from 0 (off) to 0xffffffff" },
	{ "Tunnel", "Table", set_table, KEY_ONE, "main, or a routing table number from 1" },
	{ "Tunnel", "Metric", set_metric, KEY_ONE, "a number from 0" },
	{ "Peer", "Endpoint", set_endpoint, KEY_ONE,
	  "a host name or address, with :PORT if it is not 500" },
	{ "Peer", "RemoteID", set_remote_id, KEY_ONE,
	  "an identity: a name, address, e-mail address, C=CH, CN=NAME or keyid:TEXT; or any" },
	{ "Peer", "RemoteAuth", set_remote_auth, KEY_ONE,
	  "psk, pubkey, eap or eap-only; or two rounds: pubkey, eap or psk, eap" },
	{ "Peer", "FirstID", set_first_id, KEY_ONE,
	  "an identity: a name, address, e-mail address, C=CH, CN=NAME or keyid:TEXT; or any" },
	{ "Peer", "Users", set_users, KEY_ONE,
	  "the /PATH of a file with a line NAME = PASSWORD for each user" },
	{ "Peer", "EAPServerID", set_eap_server, KEY_ONE, "one identity" },
	{ "Peer", "EAPMethods", set_eap_methods, KEY_ONE, "some of tls, mschapv2 and md5" },
	{ "Peer", "PublicKey", set_public_key, KEY_ONE,
	  "the peer's public key: the /PATH of its file, base64:TEXT or hex:DIGITS" },
	{ "Peer", "CA", set_ca, KEY_ONE,
	  "the /PATH of a file, or of a folder, with certificates of CAs" },
	{ "Peer", "CRL", set_crl, KEY_ONE, "the /PATH of a file, or of a folder, with CRLs" },
	{ "Peer", "Revocation", set_revocation, KEY_ONE, "strict, ifuri or off" },
	{ "Peer", "Fetch", set_fetch, KEY_ONE, "yes or no" },
	{ "Peer", "FetchFrom", config_net_fetch_from, KEY_LIST,
	  "addresses or networks of servers: NETWORK/LENGTH, ..." },
	{ "Peer", "Signatures", set_signatures, KEY_ONE,
	  "sha1 (with RSA, for old peers) or pss (RSA signatures are RSASSA-PSS)" },
	{ "Peer", "PSK", set_psk, KEY_SECRET,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Peer", "PPK", set_ppk, KEY_SECRET,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Peer", "PPKID", set_ppk_id, KEY_ONE,
	  "the PPK's name: up to 64 characters without blanks" },
	{ "Peer", "PPKRequired", set_ppk_required, KEY_ONE, "yes or no" },
	{ "Peer", "Routes", config_net_routes, KEY_LIST,
	  "one or more networks, such as 10.0.0.0/8, fd00::/8, or request: from the peer" },
	{ "Peer", "Selectors", set_selectors, KEY_LIST,
	  "any, or LOCAL = REMOTE, such as 10.1.0.0/16 = 10.2.0.0/16" },
	{ "Peer", "Crypto", set_crypto, KEY_LIST,
	  "modern, cloud, windows, apple, android, cnsa2 or legacy, or proposals such as aes256gcm16-prfsha384-ecp384" },
	{ "Peer", "Require", set_require, KEY_LIST, "one or more of pq, pfs and cert" },
	{ "Peer", "Encap", set_encap, KEY_ONE, "udp, esp or auto" },
	{ "Peer", "Mobike", set_mobike, KEY_ONE, "yes or no" },
	{ "Peer", "Keepalive", set_keepalive, KEY_ONE, "seconds from 0 (off) to 3600" },
	{ "Peer", "Liveness", set_liveness, KEY_ONE, "seconds from 0 (off) to 86400" },
	{ "Peer", "Rekey", set_rekey, KEY_ONE,
	  "the times of the IKE SA and of the child SA, such as 4h, 1h (s, m, h or d; off: never)" },
	{ "Peer", "Reauth", set_reauth, KEY_ONE, "off, or a time from 60s to 30d (s, m, h or d)" },
	{ "Peer", "RekeyBytes", set_rekey_bytes, KEY_ONE,
	  "off, or bytes from 1M on, such as 64G (K, M, G or T)" },
	{ "Peer", "RekeyPackets", set_rekey_packets, KEY_ONE,
	  "off, or packets from 1000 on, such as 2G (K, M, G or T)" },
	{ "Peer", "ReplayWindow", set_replay, KEY_ONE, "packets from 0 (off) to 65536" },
	{ "Peer", "Start", set_start, KEY_ONE, "now, traffic or listen" },
	{ "Peer", "SelectorsPerChild", set_per_child, KEY_ONE, "one or all" },
	{ "Peer", "Mode", set_mode, KEY_ONE, "tunnel or transport" },
	{ "Peer", "Clients", set_clients, KEY_ONE,
	  "how many peers may be connected, from 1 to 1000" },
	{ "Peer", "Unique", set_unique, KEY_ONE, "replace, keep or refuse" },
	{ "Peer", "Secrets", set_secrets, KEY_ONE,
	  "the /PATH of a file with a line IDENTITY = KEY for each client" },
	{ "Peer", "ClientPPKs", set_client_ppks, KEY_ONE,
	  "the /PATH of a file with a line NAME = KEY for each client's PPK" },
	{ "Pool", "Range", config_pool_range, KEY_LIST,
	  "one or more ranges, such as 10.9.0.0/24, fd09::/64 or 10.9.0.10-10.9.0.99" },
	{ "Pool", "DNS", config_pool_dns, KEY_LIST, "up to 4 addresses of name servers" },
	{ "Pool", "Domains", config_pool_domains, KEY_LIST,
	  "domains that these name servers know, such as corp.example" },
	{ "Pool", "Static", config_pool_static, KEY_LIST,
	  "up to 1024 of IDENTITY = ADDRESS, such as alice.example = 10.9.0.5" },
	{ "Pool", "Routes", config_pool_routes, KEY_LIST,
	  "any, or networks that clients send here, such as 10.1.0.0/16, fd01::/48" },
	{ "Pool", "ClientToClient", config_pool_client_to_client, KEY_ONE, "yes or no" },
	{ "Radius", "Server", config_radius_server, KEY_ONE,
	  "the address of a RADIUS server, with :PORT if it is not 1812" },
	{ "Radius", "Secret", config_radius_secret, KEY_SECRET,
	  "the server's secret for us as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Radius", "Accounting", config_radius_accounting, KEY_ONE, "a UDP port, or off" },
	{ "Radius", "Timeout", config_radius_timeout, KEY_ONE, "seconds from 1 to 5" },
	{ "Radius", "Retries", config_radius_retries, KEY_ONE, "a number from 0 to 3" },
	{ "Radius", "DeadTime", config_radius_dead_time, KEY_ONE, "seconds from 1 to 3600" },
	/* Those of [Child NAME] and [Client ID] stand last: by name alone, the key of [Peer] is found. */
	{ "Child", "Selectors", set_selectors, KEY_LIST,
	  "any, or LOCAL = REMOTE, such as 10.1.0.0/16 = 10.2.0.0/16" },
	{ "Child", "SelectorsPerChild", set_per_child, KEY_ONE, "one or all" },
	{ "Child", "Start", set_start, KEY_ONE, "now, traffic or listen" },
	{ "Child", "Mode", set_mode, KEY_ONE, "tunnel or transport" },
	{ "Client", "PSK", set_psk, KEY_SECRET,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Client", "PPK", set_ppk_of_client, KEY_SECRET,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Client", "PPKID", set_ppk_id_of_client, KEY_ONE,
	  "the PPK's name: up to 64 characters without blanks" },
};

const unsigned int config_n_keys = sizeof(config_keys) / sizeof(config_keys[0]);
_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_MAX_KEYS,
	       "line_of and seen are too short");

const struct key *config_find_key(const char *name)
{
	for (unsigned int i = 0; i < config_n_keys; i++) {
		if (!strcasecmp(config_keys[i].name, name))
			return &config_keys[i];
	}
	return NULL;
}

const struct key *config_find_key_of(const char *section, const char *name)
{
	for (unsigned int i = 0; i < config_n_keys; i++) {
		if (!strcmp(config_keys[i].section, section) &&
		    !strcasecmp(config_keys[i].name, name))
			return &config_keys[i];
	}
	return NULL;
}

bool config_given(const struct parse *p, const char *name)
{
	return p->seen[config_find_key(name) - config_keys];
}

unsigned int config_line_of(const struct parse *p, const char *name)
{
	return p->line_of[config_find_key(name) - config_keys];
}

void config_refuse_requirement(struct parse *p, unsigned int i)
{
	config_say(p, true, config_line_of(p, "Require"), "Require = %s: %s",
		   config_requirements[i].word, config_requirements[i].sentence);
}

const struct key *config_nearest_key(const char *section, const char *name)
{
	const struct key *near = NULL;
	unsigned int best = 4;

	for (unsigned int i = 0; i < config_n_keys; i++) {
		unsigned int d;

		if (!strcasecmp(config_keys[i].name, name))
			return &config_keys[i];
		d = edit_distance(name, config_keys[i].name) +
		    (strcasecmp(section, config_keys[i].section) != 0);
		if (d < best && d < strlen(config_keys[i].name)) {
			best = d;
			near = &config_keys[i];
		}
	}
	return near;
}
