// SPDX-License-Identifier: GPL-2.0-or-later
/* iked.conf(5) of OpenIKED 7, from whose manual the grammar is. */
#include <string.h>

#include "cli/far/far.h"

/* Its words; some are of one protocol alone. */
static const struct {
	struct far_word word;
	uint8_t only; /* IKE_PROTO_; 0: of either */
} words[] = {
	{ { IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0, "chacha20-poly1305" }, IKE_PROTO_ESP },
	{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "aes-128-gcm" }, 0 },
	{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "aes-192-gcm" }, IKE_PROTO_ESP },
	{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "aes-256-gcm" }, 0 },
	{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_12, 128, "aes-128-gcm-12" }, IKE_PROTO_IKE },
	{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_12, 256, "aes-256-gcm-12" }, IKE_PROTO_IKE },
	{ { IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-128" }, 0 },
	{ { IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-192" }, 0 },
	{ { IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-256" }, 0 },
	{ { IKE_T_ENCR, IKE_ENCR_3DES, 0, "3des" }, 0 },
	{ { IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "hmac-sha1" }, 0 },
	{ { IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "hmac-sha2-256" }, 0 },
	{ { IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "hmac-sha2-384" }, 0 },
	{ { IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "hmac-sha2-512" }, 0 },
	{ { IKE_T_PRF, IKE_PRF_HMAC_SHA1, 0, "hmac-sha1" }, 0 },
	{ { IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "hmac-sha2-256" }, 0 },
	{ { IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "hmac-sha2-384" }, 0 },
	{ { IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "hmac-sha2-512" }, 0 },
	{ { IKE_T_DH, IKE_DH_CURVE25519, 0, "curve25519" }, 0 },
	{ { IKE_T_DH, IKE_DH_ECP256, 0, "ecp256" }, 0 },
	{ { IKE_T_DH, IKE_DH_ECP384, 0, "ecp384" }, 0 },
	{ { IKE_T_DH, IKE_DH_ECP521, 0, "ecp521" }, 0 },
	{ { IKE_T_DH, IKE_DH_MODP2048, 0, "modp2048" }, 0 },
	{ { IKE_T_DH, IKE_DH_MODP3072, 0, "modp3072" }, 0 },
	{ { IKE_T_DH, IKE_DH_MODP4096, 0, "modp4096" }, 0 },
	{ { IKE_T_DH, IKE_DH_MODP1536, 0, "modp1536" }, 0 },
	{ { IKE_T_DH, IKE_DH_MODP1024, 0, "modp1024" }, 0 },
};
enum { N_WORDS = sizeof(words) / sizeof(*words) };

static void put_words(struct far *f, const char *key, const struct far_set *set)
{
	for (unsigned int i = 0; i < set->n; i++)
		far_put(f, " %s %s", key, set->word[i]);
}

/*
 * Does OpenIKED on Linux install whatever it agrees to of the @n proposals @p? It leaves AEAD out, and agrees to
 * HMAC-SHA2-256, of which it has no SA then.
 */
static bool fits_linux(const struct far_proposal *p, unsigned int n)
{
	bool fits = false;

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; !p[i].aead && k < p[i].integ.n; k++) {
			if (!strcmp(p[i].integ.word[k], "hmac-sha2-256"))
				return false;
			fits = true;
		}
	}
	return fits;
}

static void put_proposals(struct far *f, const char *key, uint8_t protocol)
{
	struct far_word its[N_WORDS + 1] = { 0 };
	struct far_proposal p[FAR_PROPOSALS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < N_WORDS; i++) {
		if (!words[i].only || words[i].only == protocol)
			its[n++] = words[i].word;
	}
	n = far_proposals(f, protocol, its, p);
	for (unsigned int i = 0; i < n; i++) {
		far_put(f, "\t%s", key);
		put_words(f, "enc", &p[i].encr);
		put_words(f, "auth", &p[i].integ);
		put_words(f, "prf", &p[i].prf);
		put_words(f, "group", &p[i].dh);
		far_put(f, " \\\n");
	}
	if (protocol == IKE_PROTO_ESP && !fits_linux(p, n))
		far_note(
			f,
			"on Linux OpenIKED's ESP is AES-CBC with HMAC-SHA2-384 or HMAC-SHA2-512: if it runs there, have esp:aes256-sha512 in our Crypto, and no esp: with sha256");
}

/* The first protocol of the selectors: a policy has one for all of them. */
static void put_protocol(struct far *f, const struct ike_child_conf *c)
{
	if (c->local_ts.n && c->local_ts.ts[0].protocol)
		far_put(f, "\tproto %u \\\n", c->local_ts.ts[0].protocol);
}

static void put_flows(struct far *f, const struct ike_child_conf *c)
{
	char from[64], to[64];

	for (unsigned int i = 0; i < c->local_ts.n; i++) {
		for (unsigned int k = 0; k < c->remote_ts.n; k++) {
			const struct ike_ts *a = &c->local_ts.ts[i], *b = &c->remote_ts.ts[k];

			if (a->family == b->family)
				far_put(f, "\tfrom %s to %s \\\n", far_prefix(from, a),
					far_prefix(to, b));
		}
	}
}

/* A distinguished name begins with a slash, "/C=CH/O=Example". */
static void put_id(struct far *f, const char *key, const struct ike_id *id, const char *text)
{
	far_put(f, "\t%s \"", key);
	if (id->type != IKE_ID_DER_DN) {
		far_put(f, "%s\" \\\n", text);
		return;
	}
	far_put(f, "/");
	for (const char *s = text; *s; s++) {
		if (*s == ',' && s[1] == ' ')
			far_put(f, "/"), s++;
		else
			far_put(f, "%c", *s);
	}
	far_put(f, "\" \\\n");
}

/* It looks for our key by our identity. */
static void note_raw_keys(struct far *f)
{
	static const char *const folders[] = {
		[IKE_ID_IPV4] = "ipv4",
		[IKE_ID_FQDN] = "fqdn",
		[IKE_ID_RFC822] = "ufqdn",
		[IKE_ID_IPV6] = "ipv6",
	};
	size_t type = f->our_ike_id.type;

	if (type < sizeof(folders) / sizeof(*folders) && folders[type])
		far_note(
			f,
			"our public key goes to /etc/iked/pubkeys/%s/%s, as openssl pkey -pubout writes it, its own to /etc/iked/private/local.key and /etc/iked/local.pub, of which the latter is our PublicKey",
			folders[type], f->our_id);
	else
		far_refuse(
			f,
			"OpenIKED names raw public keys for host names and addresses: LocalID is neither");
}

static void put_proof(struct far *f)
{
	if (!(f->needs & FAR_PSK)) {
		far_put(f, "\trfc7427");
		if (f->needs & FAR_RAW)
			note_raw_keys(f);
		else
			far_note(
				f,
				"its certificate goes to /etc/iked/certs/, its key to /etc/iked/private/local.key, and the CA to /etc/iked/ca/");
		return;
	}
	if (f->our_method != f->its_method)
		far_note(f, "OpenIKED has one method for both ends: give both of ours a PSK");
	far_put(f, f->secret_hex ? "\tpsk 0x%s" : "\tpsk \"%s\"", f->secret);
}

static void put_times(struct far *f)
{
	/* It knows minutes and hours, and seconds without a unit. */
	far_put(f, "\tikelifetime %u lifetime %u \\\n", f->c->rekey_ike,
		f->c->rekey_child ? f->c->rekey_child : CONFIG_REKEY_CHILD_MAX);
}

void far_write_iked(struct far *f)
{
	const struct ike_child_conf *c = f->child;

	if (!f->c->mobike)
		far_put(f, "set nomobike\n");
	far_put(f, "set fragmentation\nikev2 \"%s\" %s %s esp \\\n", far_name(f),
		f->initiates ? "active" : "passive",
		c->mode == IKE_MODE_TRANSPORT ? "transport" : "tunnel");
	put_protocol(f, c);
	if (f->needs & FAR_CLIENT) {
		char net[64];

		for (unsigned int i = 0; i < c->remote_ts.n; i++) {
			if (c->remote_ts.ts[i].family == 4)
				far_put(f, "\tfrom dynamic to %s \\\n",
					far_prefix(net, &c->remote_ts.ts[i]));
		}
	} else if (c->mode == IKE_MODE_TRANSPORT) {
		far_put(f, "\tfrom %s to %s \\\n", *f->its ? f->its : "ITS-ADDRESS", f->ours);
	} else {
		put_flows(f, c);
	}
	far_put(f, "\tpeer %s \\\n", f->initiates || !*f->its ? f->ours : "any");
	put_proposals(f, "ikesa", IKE_PROTO_IKE);
	put_proposals(f, "childsa", IKE_PROTO_ESP);
	put_id(f, "srcid", &f->its_ike_id, f->its_id);
	put_id(f, "dstid", &f->our_ike_id, f->our_id);
	put_times(f);
	put_proof(f);
	far_put(f, f->needs & FAR_CLIENT ? " \\\n\trequest address any\n" : "\n");
}
