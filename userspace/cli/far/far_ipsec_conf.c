// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipsec.conf(5) and ipsec.secrets(5) of libreswan 4, from whose manuals the keys are. strongSwan's former file of that
 * name has other words for algorithms.
 */
#include <string.h>

#include "cli/far/far.h"

static const struct far_word words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 0, "aes_gcm" },
	{ IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0, "chacha20_poly1305" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 0, "aes" },
	{ IKE_T_ENCR, IKE_ENCR_3DES, 0, "3des" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "sha1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "sha2_256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "sha2_384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "sha2_512" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA1, 0, "sha1" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "sha2_256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "sha2_384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "sha2_512" },
	{ IKE_T_DH, IKE_DH_CURVE25519, 0, "dh31" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "dh19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "dh20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "dh21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "dh14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "dh15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "dh16" },
	{ IKE_T_DH, IKE_DH_MODP1536, 0, "dh5" },
	{ 0, 0, 0, NULL },
};

/* IKE: encryption-prf-group; libreswan takes the integrity algorithm of the PRF's hash. */
static void put_proposals(struct far *f, const char *key, uint8_t protocol)
{
	struct far_proposal p[FAR_PROPOSALS];
	unsigned int n = far_proposals(f, protocol, words, p);
	bool ike = protocol == IKE_PROTO_IKE;

	far_put(f, "  %s=", key);
	for (unsigned int i = 0; i < n; i++) {
		const struct far_set *hash = ike && p[i].aead ? &p[i].prf : &p[i].integ;

		far_put(f, "%s", i ? "," : "");
		far_put_set(f, &p[i].encr, "+");
		far_put(f, "%s", hash->n ? "-" : "");
		far_put_set(f, hash, "+");
		far_put(f, "%s", ike ? "-" : "");
		if (ike)
			far_put_set(f, &p[i].dh, "+");
	}
	far_put(f, "\n");
}

/* @NAME is a host name, and @[TEXT] a key ID. */
static void put_id(struct far *f, const struct ike_id *id, const char *text)
{
	if (id->type == IKE_ID_KEY_ID)
		far_put(f, "@[%s]", text + strlen("keyid:"));
	else if (id->type == IKE_ID_DER_DN)
		far_put(f, "\"%s\"", text);
	else
		far_put(f, "%s%s", id->type == IKE_ID_FQDN || !id->type ? "@" : "", text);
}

static void put_nets(struct far *f, const char *side, const struct ike_ts_list *l)
{
	char text[64];
	const char *between = "";

	far_put(f, "  %s%s=", side, l->n > 1 ? "subnets" : "subnet");
	for (unsigned int i = 0; i < l->n; i++, between = ",")
		far_put(f, "%s%s", between, far_prefix(text, &l->ts[i]));
	far_put(f, "\n");
	if (l->n && l->ts[0].protocol)
		far_put(f, "  %sprotoport=%u/%s\n", side, l->ts[0].protocol, "%any");
}

static void put_side(struct far *f, const char *side, enum ike_method method)
{
	bool far_end = !strcmp(side, "left");
	const char *text = far_end ? f->its_id : f->our_id;

	far_put(f, "  %sid=", side);
	put_id(f, far_end ? &f->its_ike_id : &f->our_ike_id, text);
	far_put(f, "\n  %sauth=%s\n", side,
		method == IKE_METHOD_PSK ? "secret"
		: f->needs & FAR_RAW	 ? "rsasig"
					 : "ecdsa");
	if (far_end && method == IKE_METHOD_SIGNATURE)
		far_put(f, "  leftcert=%s\n", far_name(f));
	else if (method == IKE_METHOD_SIGNATURE)
		far_put(f, "  rightca=%%same\n");
}

static void put_conn(struct far *f, const struct ike_child_conf *c, unsigned int number)
{
	char time[16];

	far_put(f, "conn %s", far_name(f));
	far_put(f, f->n_child > 1 ? "-%u\n" : "\n", number + 1);
	far_put(f, "  ikev2=insist\n  left=%%defaultroute\n  right=%s\n",
		f->initiates ? f->ours
		: *f->its    ? "%any"
			     : f->ours);
	put_side(f, "left", f->its_method);
	put_side(f, "right", f->our_method);
	if (f->needs & FAR_CLIENT)
		far_put(f, "  leftmodecfgclient=yes\n  leftsubnet=0.0.0.0/0\n");
	else if (c->mode == IKE_MODE_TUNNEL)
		put_nets(f, "left", &c->local_ts);
	if (c->mode == IKE_MODE_TRANSPORT)
		far_put(f, "  type=transport\n");
	else
		put_nets(f, "right", &c->remote_ts);
	put_proposals(f, "ike", IKE_PROTO_IKE);
	put_proposals(f, "esp", IKE_PROTO_ESP);
	far_put(f, "  ikelifetime=%s\n", far_time(time, f->c->rekey_ike));
	far_put(f, "  salifetime=%s\n", far_time(time, f->c->rekey_child));
	far_put(f, "  mobike=%s\n", f->c->mobike && f->initiates ? "yes" : "no");
	if (*f->ppk.id)
		far_put(f, "  ppk=%s\n", f->ppk.required ? "insist" : "yes");
	far_put(f, "  auto=%s\n", f->initiates ? "start" : "add");
}

void far_write_ipsec_conf(struct far *f)
{
	for (unsigned int i = 0; i < f->n_child; i++)
		put_conn(f, &f->child[i], i);
	if (f->needs & FAR_CERT)
		far_note(
			f,
			"its certificate %s, with key and CA, goes into the NSS database: ipsec import FILE.p12, of esptun ca issue --p12; leftauth and rightauth are rsasig with RSA keys",
			far_name(f));
	if (f->needs & FAR_RAW)
		far_note(
			f,
			"raw public keys are leftrsasigkey and rightrsasigkey of ipsec showhostkey: RSA alone");
	if (!(f->needs & FAR_PSK))
		return;
	far_note(f, "the line with PSK is for /etc/ipsec.secrets, mode 0600");
	far_put(f, "#ipsec.secrets: ");
	put_id(f, &f->its_ike_id, f->its_id);
	far_put(f, " ");
	put_id(f, &f->our_ike_id, f->our_id);
	far_put(f, f->secret_hex ? " : PSK 0x%s\n" : " : PSK \"%s\"\n", f->secret);
}
