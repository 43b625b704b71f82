// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration profile for iOS, iPadOS and macOS. The keys of its payload and their values are those of
 * developer.apple.com/documentation/devicemanagement, VPN.IKEv2.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/far/far.h"
#include "cli/plist.h"
#include "ike/crypto/sign.h"

static const struct far_word ike_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "AES-128-GCM" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "AES-256-GCM" },
	{ IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0, "ChaCha20Poly1305" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES-128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES-256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "SHA1-96" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "SHA2-256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "SHA2-384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "SHA2-512" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "SHA2-256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "SHA2-384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "SHA2-512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "16" },
	{ IKE_T_DH, IKE_DH_CURVE25519, 0, "31" },
	{ 0, 0, 0, NULL },
};

/* LifeTimeInMinutes is 10 to 1440. */
static long minutes(uint32_t seconds)
{
	long m = seconds / 60;

	return m < 10 ? 10 : m > 1440 ? 1440 : m;
}

/* The first group but 31, x25519, which older systems do not take in a profile. */
static long group_of(const struct far_set *dh)
{
	for (unsigned int i = 0; i < dh->n; i++) {
		if (strcmp(dh->word[i], "31") != 0)
			return strtol(dh->word[i], NULL, 10);
	}
	return 31;
}

/* IKESecurityAssociationParameters, or those of the child SA. */
static void put_parameters(struct far *f, struct plist *p, const char *key, uint8_t protocol,
			   uint32_t seconds)
{
	struct far_proposal out[FAR_PROPOSALS];

	if (!far_proposals(f, protocol, ike_words, out))
		return;
	plist_open(p, key, "dict");
	plist_string(p, "EncryptionAlgorithm", far_first(&out->encr));
	/* Of AEADs it is the PRF's hash; a child SA has none then, and the key is ignored. */
	plist_string(p, "IntegrityAlgorithm",
		     !out->aead	  ? far_first(&out->integ)
		     : out->prf.n ? far_first(&out->prf)
				  : "SHA2-256");
	if (out->dh.n)
		plist_integer(p, "DiffieHellmanGroup", group_of(&out->dh));
	if (seconds)
		plist_integer(p, "LifeTimeInMinutes", minutes(seconds));
	plist_close(p, "dict");
}

static bool has_pfs(const struct far *f)
{
	const struct ike_proposal *p = f->c->esp->n ? &f->c->esp->p[0] : NULL;

	for (unsigned int i = 0; p && i < p->n; i++) {
		if (p->t[i].type == IKE_T_DH && p->t[i].id)
			return true;
	}
	return false;
}

/* The word of CertificateType for our key; NULL: it is not known. */
static const char *type_of_our_key(const struct far *f)
{
	static const char *const words[IKE_KEY_KINDS] = {
		[IKE_KEY_RSA] = "RSA",	       [IKE_KEY_P256] = "ECDSA256",
		[IKE_KEY_P384] = "ECDSA384",   [IKE_KEY_P521] = "ECDSA521",
		[IKE_KEY_ED25519] = "Ed25519",
	};
	const struct ike_creds creds = { f->c->creds, f->c->n_creds };
	struct ike_iov spki;
	char why[256];

	if (!ike_cred_find(&creds, IKE_CRED_OWN_KEY, &spki))
		return NULL;
	return words[ike_key_kind(spki.base, spki.len, why, sizeof(why))];
}

static void put_proof(struct far *f, struct plist *p, const char *identity)
{
	bool psk = f->needs & FAR_PSK && !(f->needs & (FAR_USER | FAR_CERT));

	plist_string(p, "AuthenticationMethod",
		     psk		   ? "SharedSecret"
		     : f->needs & FAR_USER ? "None"
					   : "Certificate");
	if (psk)
		plist_string(p, "SharedSecret", f->secret);
	if (f->needs & FAR_USER) {
		plist_integer(p, "ExtendedAuthEnabled", 1);
		plist_string(p, "AuthName", f->its_id);
		if (f->secret_shown)
			plist_string(p, "AuthPassword", f->secret);
	} else if (!psk && f->o->p12) {
		plist_string(p, "PayloadCertificateUUID", identity);
	}
	/* Which kind of key the server has: without it the system expects RSA. */
	if (!psk && type_of_our_key(f))
		plist_string(p, "CertificateType", type_of_our_key(f));
}

static void put_vpn(struct far *f, struct plist *p, const char *id, const char *identity)
{
	char uuid[PLIST_UUID];

	plist_begin_payload(p, "com.apple.vpn.managed", id, "vpn", f->c->name, uuid);
	plist_string(p, "UserDefinedName", f->c->name);
	plist_string(p, "VPNType", "IKEv2");
	plist_open(p, "IKEv2", "dict");
	plist_string(p, "RemoteAddress", f->ours);
	plist_string(p, "RemoteIdentifier", f->our_id);
	plist_string(p, "LocalIdentifier", f->needs & FAR_USER ? "" : f->its_id);
	put_proof(f, p, identity);
	plist_string(p, "DeadPeerDetectionRate", f->c->liveness ? "Medium" : "None");
	plist_integer(p, "DisableMOBIKE", !f->c->mobike);
	plist_integer(p, "EnablePFS", has_pfs(f));
	put_parameters(f, p, "IKESecurityAssociationParameters", IKE_PROTO_IKE, f->c->rekey_ike);
	put_parameters(f, p, "ChildSecurityAssociationParameters", IKE_PROTO_ESP,
		       f->c->rekey_child);
	plist_close(p, "dict");
	plist_close(p, "dict");
}

void far_write_apple(struct far *f)
{
	char id[128], uuid[PLIST_UUID], identity[PLIST_UUID] = "";
	struct plist p;

	snprintf(id, sizeof(id), "org.esptun.peer.%s", far_name(f));
	plist_begin_profile(&p, f->out, f->c->name, id);
	if (f->ca.base)
		plist_cert_payload(&p, false, id, "CA", f->ca.base, f->ca.len, uuid);
	else if (f->needs & FAR_CERT)
		far_note(
			f,
			"the CA that issued our certificate is not known here (CA in [Peer] names another one): install its certificate on the device");
	if (f->o->p12)
		plist_cert_payload(&p, true, id, f->its_id, f->o->p12, f->o->p12_len, identity);
	else if (f->needs & FAR_CERT && !(f->needs & FAR_USER))
		far_note(
			f,
			"its certificate and key are missing: make them with esptun ca issue --client --p12 FILE, and add --p12 FILE here");
	put_vpn(f, &p, id, identity);
	for (unsigned int i = 0; i < f->n_notes; i++)
		plist_comment(&p, f->note[i]);
	plist_end_profile(&p);
}
