// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routers, whose tunnels are interfaces as ours are: Cisco IOS XE (crypto ikev2, tunnel protection), Junos OS (st0), and
 * MikroTik's RouterOS, which has policies. The commands are those of the vendors' documents:
 *
 * cisco	IOS XE, "Configuring Internet Key Exchange Version 2 and FlexVPN Site-to-Site"
 * juniper	Junos OS, "IPsec VPN User Guide for Security Devices", set statements
 * mikrotik	help.mikrotik.com, RouterOS, IPsec
 */
#include <string.h>

#include "cli/far/far.h"

/* A host name cannot stand where the commands want an address. */
static void note_name(struct far *f)
{
	if (strspn(f->ours, "0123456789.") != strlen(f->ours) && !strchr(f->ours, ':'))
		far_note(
			f,
			"%s takes an address of this machine here, not the name %s: add --address ADDRESS",
			f->target->title, f->ours);
}

static const char *its_address(const struct far *f)
{
	return *f->its ? f->its : "ITS-ADDRESS";
}

/* ---- Cisco --------------------------------------------------------------------------------------- */

static const struct far_word cisco_ike[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "aes-gcm-128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "aes-gcm-256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-cbc-128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-cbc-192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-cbc-256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "sha1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "sha256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "sha384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "sha512" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA1, 0, "sha1" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "sha256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "sha384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "sha512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "16" },
	{ 0, 0, 0, NULL },
};

static const struct far_word cisco_esp[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "esp-gcm 128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "esp-gcm 192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "esp-gcm 256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "esp-aes" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "esp-aes 192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "esp-aes 256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "esp-sha-hmac" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "esp-sha256-hmac" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "esp-sha384-hmac" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "esp-sha512-hmac" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "group19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "group20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "group21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "group14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "group15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "group16" },
	{ 0, 0, 0, NULL },
};

static void put_cisco_id(struct far *f, const char *before, const struct ike_id *id,
			 const char *text)
{
	const char *kind = id->type == IKE_ID_KEY_ID		  ? "key-id"
			   : id->type == IKE_ID_RFC822		  ? "email"
			   : id->type == IKE_ID_FQDN || !id->type ? "fqdn"
								  : "address";

	far_put(f, " %s %s %s%s\n", before, kind,
		text + (id->type == IKE_ID_KEY_ID ? strlen("keyid:") : 0),
		/* "match identity remote address" has a mask */
		id->type == IKE_ID_IPV4 && !strncmp(before, "match", 5) ? " 255.255.255.255" : "");
}

/* One proposal each, as AEADs have a PRF and others an integrity algorithm. */
static void put_cisco_proposals(struct far *f)
{
	struct far_proposal p[FAR_PROPOSALS];
	unsigned int n = far_proposals(f, IKE_PROTO_IKE, cisco_ike, p);

	for (unsigned int i = 0; i < n; i++) {
		far_put(f, "crypto ikev2 proposal %s-%u\n encryption ", far_name(f), i + 1);
		far_put_set(f, &p[i].encr, " ");
		far_put(f, p[i].aead ? "\n prf " : "\n integrity ");
		far_put_set(f, p[i].aead ? &p[i].prf : &p[i].integ, " ");
		far_put(f, "\n group ");
		far_put_set(f, &p[i].dh, " ");
		far_put(f, "\n");
	}
	far_put(f, "crypto ikev2 policy %s\n", far_name(f));
	for (unsigned int i = 0; i < n; i++)
		far_put(f, " proposal %s-%u\n", far_name(f), i + 1);
}

static void put_cisco_esp(struct far *f)
{
	struct far_proposal p[FAR_PROPOSALS];
	const char *name = far_name(f);

	if (!far_proposals(f, IKE_PROTO_ESP, cisco_esp, p))
		return;
	far_put(f, "crypto ipsec transform-set %s %s", name, far_first(&p->encr));
	far_put(f, p->integ.n ? " %s\n mode tunnel\n" : "%s\n mode tunnel\n", far_first(&p->integ));
	far_put(f, "crypto ipsec profile %s\n set transform-set %s\n set ikev2-profile %s\n", name,
		name, name);
	if (p->dh.n)
		far_put(f, " set pfs %s\n", far_first(&p->dh));
	if (f->c->rekey_child >= 120)
		far_put(f, " set security-association lifetime seconds %u\n", f->c->rekey_child);
}

static void put_cisco_routes(struct far *f)
{
	const struct ike_ts_list *l = &f->child->remote_ts;
	char text[64];

	for (unsigned int i = 0; i < l->n; i++) {
		if (far_is_any(&l->ts[i]))
			continue;
		if (l->ts[i].family == 4)
			far_put(f, "ip route %s Tunnel0\n", far_mask(text, &l->ts[i]));
		else
			far_put(f, "ipv6 route %s Tunnel0\n", far_prefix(text, &l->ts[i]));
	}
}

void far_write_cisco(struct far *f)
{
	const char *name = far_name(f);

	note_name(f);
	far_note(f, "Tunnel0, its source GigabitEthernet1 and its address have to fit the router");
	if (strchr(f->secret, '?'))
		far_note(f, "the PSK has a question mark: type Ctrl-V before it");
	put_cisco_proposals(f);
	far_put(f, "crypto ikev2 keyring %s\n peer %s\n  address %s\n  pre-shared-key %s\n", name,
		name, f->ours, f->secret);
	far_put(f, "crypto ikev2 profile %s\n", name);
	put_cisco_id(f, "match identity remote", &f->our_ike_id, f->our_id);
	put_cisco_id(f, "identity local", &f->its_ike_id, f->its_id);
	far_put(f,
		" authentication remote pre-share\n authentication local pre-share\n keyring local %s\n",
		name);
	if (f->c->rekey_ike >= 120)
		far_put(f, " lifetime %u\n", f->c->rekey_ike);
	if (f->c->liveness >= 10)
		far_put(f, " dpd %u 5 periodic\n", f->c->liveness > 3600 ? 3600 : f->c->liveness);
	put_cisco_esp(f);
	far_put(f,
		"interface Tunnel0\n ip unnumbered GigabitEthernet1\n tunnel source GigabitEthernet1\n"
		" tunnel mode ipsec ipv4\n tunnel destination %s\n tunnel protection ipsec profile %s\n",
		f->ours, name);
	put_cisco_routes(f);
}

/* ---- Juniper ------------------------------------------------------------------------------------- */

static const struct far_word juniper_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "aes-128-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "aes-192-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "aes-256-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-128-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-192-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-256-cbc" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "sha-256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "sha-384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "sha-512" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "sha-256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "sha-384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "sha-512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "group19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "group20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "group21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "group14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "group15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "group16" },
	{ 0, 0, 0, NULL },
};

/* ESP says which HMAC, with its length. */
static const struct far_word juniper_esp[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "aes-128-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "aes-192-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "aes-256-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-128-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-192-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-256-cbc" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "hmac-sha1-96" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "hmac-sha-256-128" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "hmac-sha-384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "hmac-sha-512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "group19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "group20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "group21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "group14" },
	{ 0, 0, 0, NULL },
};

static void put_juniper_id(struct far *f, const char *end, const struct ike_id *id,
			   const char *text)
{
	const char *kind = id->type == IKE_ID_IPV4     ? "inet"
			   : id->type == IKE_ID_IPV6   ? "inet6"
			   : id->type == IKE_ID_RFC822 ? "user-at-hostname"
						       : "hostname";

	far_put(f, "set security ike gateway %s %s-identity %s \"%s\"\n", far_name(f), end, kind,
		text);
}

static void put_juniper_ike(struct far *f)
{
	const char *name = far_name(f);
	struct far_proposal p[FAR_PROPOSALS];

	if (!far_proposals(f, IKE_PROTO_IKE, juniper_words, p))
		return;
	far_put(f, "set security ike proposal %s authentication-method pre-shared-keys\n", name);
	far_put(f, "set security ike proposal %s dh-group %s\n", name, far_first(&p->dh));
	far_put(f, "set security ike proposal %s encryption-algorithm %s\n", name,
		far_first(&p->encr));
	/* Of AEADs it is the PRF. */
	far_put(f, "set security ike proposal %s authentication-algorithm %s\n", name,
		far_first(p->aead ? &p->prf : &p->integ));
	if (f->c->rekey_ike >= 180)
		far_put(f, "set security ike proposal %s lifetime-seconds %u\n", name,
			f->c->rekey_ike > 86400 ? 86400 : f->c->rekey_ike);
	far_put(f, "set security ike policy %s proposals %s\n", name, name);
	far_put(f, "set security ike policy %s pre-shared-key ascii-text \"%s\"\n", name,
		f->secret);
}

static void put_juniper_gateway(struct far *f)
{
	const char *name = far_name(f);

	far_put(f, "set security ike gateway %s ike-policy %s\n", name, name);
	far_put(f, "set security ike gateway %s address %s\n", name, f->ours);
	far_put(f, "set security ike gateway %s external-interface ge-0/0/0\n", name);
	far_put(f, "set security ike gateway %s version v2-only\n", name);
	put_juniper_id(f, "local", &f->its_ike_id, f->its_id);
	put_juniper_id(f, "remote", &f->our_ike_id, f->our_id);
	if (f->c->liveness)
		far_put(f, "set security ike gateway %s dead-peer-detection interval %u\n", name,
			f->c->liveness < 10   ? 10
			: f->c->liveness > 60 ? 60
					      : f->c->liveness);
}

static void put_juniper_esp(struct far *f)
{
	const char *name = far_name(f);
	struct far_proposal p[FAR_PROPOSALS];

	if (!far_proposals(f, IKE_PROTO_ESP, juniper_esp, p))
		return;
	far_put(f, "set security ipsec proposal %s protocol esp\n", name);
	far_put(f, "set security ipsec proposal %s encryption-algorithm %s\n", name,
		far_first(&p->encr));
	if (!p->aead)
		far_put(f, "set security ipsec proposal %s authentication-algorithm %s\n", name,
			far_first(&p->integ));
	if (f->c->rekey_child >= 180)
		far_put(f, "set security ipsec proposal %s lifetime-seconds %u\n", name,
			f->c->rekey_child > 86400 ? 86400 : f->c->rekey_child);
	if (p->dh.n)
		far_put(f, "set security ipsec policy %s perfect-forward-secrecy keys %s\n", name,
			far_first(&p->dh));
	far_put(f, "set security ipsec policy %s proposals %s\n", name, name);
}

/* A traffic selector has one network at each end, and makes the route as well. */
static void put_juniper_selectors(struct far *f)
{
	char local[64], remote[64];
	unsigned int n = 0;

	for (unsigned int c = 0; c < f->n_child; c++) {
		const struct ike_ts_list *l = &f->child[c].local_ts, *r = &f->child[c].remote_ts;

		for (unsigned int i = 0; i < l->n; i++) {
			for (unsigned int k = 0; k < r->n; k++) {
				if (l->ts[i].family != r->ts[k].family)
					continue;
				far_put(f,
					"set security ipsec vpn %s traffic-selector ts%u local-ip %s remote-ip %s\n",
					far_name(f), ++n, far_prefix(local, &l->ts[i]),
					far_prefix(remote, &r->ts[k]));
			}
		}
	}
	if (n > 1)
		far_note(
			f,
			"Junos OS makes a child SA of each traffic selector: set SelectorsPerChild = one in our [Peer], with the same pairs in Selectors");
}

void far_write_juniper(struct far *f)
{
	const char *name = far_name(f);

	note_name(f);
	far_note(
		f,
		"ge-0/0/0 and st0.0 have to fit the device, and both a security zone: host-inbound-traffic system-services ike");
	put_juniper_ike(f);
	put_juniper_gateway(f);
	put_juniper_esp(f);
	far_put(f, "set interfaces st0 unit 0 family inet\n");
	far_put(f, "set security ipsec vpn %s bind-interface st0.0\n", name);
	far_put(f, "set security ipsec vpn %s ike gateway %s\n", name, name);
	far_put(f, "set security ipsec vpn %s ike ipsec-policy %s\n", name, name);
	put_juniper_selectors(f);
	far_put(f, "set security ipsec vpn %s establish-tunnels %s\n", name,
		f->initiates ? "immediately" : "responder-only");
}

/* ---- MikroTik ------------------------------------------------------------------------------------ */

/* A profile of IKE has no AEAD. */
static const struct far_word mikrotik_ike[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-256" },
	{ IKE_T_ENCR, IKE_ENCR_3DES, 0, "3des" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "sha1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "sha256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "sha384" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "sha512" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA1, 0, "sha1" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "sha256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "sha384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "sha512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ecp256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ecp384" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "ecp521" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "modp2048" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "modp3072" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "modp4096" },
	{ 0, 0, 0, NULL },
};

static const struct far_word mikrotik_esp[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "aes-128-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "aes-192-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "aes-256-gcm" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "aes-128-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "aes-192-cbc" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "aes-256-cbc" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "sha1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "sha256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "sha512" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ecp256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ecp384" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "ecp521" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "modp2048" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "modp3072" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "modp4096" },
	{ 0, 0, 0, NULL },
};

static const char *mikrotik_id(char buf[640], const struct ike_id *id, const char *text)
{
	const char *kind = id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6 ? "address:"
			   : id->type == IKE_ID_RFC822			      ? "user-fqdn:"
			   : id->type == IKE_ID_KEY_ID			      ? "key-id:"
									      : "fqdn:";

	snprintf(buf, 640, "%s%s", kind, text + (id->type == IKE_ID_KEY_ID ? strlen("keyid:") : 0));
	return buf;
}

/* Behind a dollar sign a string of RouterOS has a variable, or in brackets a command. */
static void put_mikrotik_string(struct far *f, const char *s)
{
	for (; *s; s++)
		far_put(f, *s == '$' || *s == '?' ? "\\%c" : "%c", *s);
}

static void put_mikrotik_algorithms(struct far *f)
{
	struct far_proposal ike[FAR_PROPOSALS], esp[FAR_PROPOSALS];
	const char *name = far_name(f);
	char time[16];

	if (!far_proposals(f, IKE_PROTO_IKE, mikrotik_ike, ike) ||
	    !far_proposals(f, IKE_PROTO_ESP, mikrotik_esp, esp))
		return;
	far_put(f, "/ip ipsec profile add name=%s enc-algorithm=", name);
	far_put_set(f, &ike->encr, ",");
	far_put(f, " hash-algorithm=%s dh-group=", far_first(&ike->integ));
	far_put_set(f, &ike->dh, ",");
	far_put(f, " nat-traversal=yes\n");
	far_put(f, "/ip ipsec proposal add name=%s enc-algorithms=", name);
	far_put_set(f, &esp->encr, ",");
	far_put(f, " auth-algorithms=");
	far_put_set(f, &esp->integ, ",");
	far_put(f, "%s pfs-group=%s lifetime=%s\n", esp->integ.n ? "" : "\"\"",
		esp->dh.n ? far_first(&esp->dh) : "none",
		far_time(time, f->c->rekey_child ? f->c->rekey_child : 86400));
}

static void put_mikrotik_policies(struct far *f)
{
	const char *name = far_name(f);
	char local[64], remote[64];

	for (unsigned int c = 0; c < f->n_child; c++) {
		const struct ike_ts_list *l = &f->child[c].local_ts, *r = &f->child[c].remote_ts;

		for (unsigned int i = 0; i < l->n; i++) {
			for (unsigned int k = 0; k < r->n; k++) {
				if (l->ts[i].family != r->ts[k].family)
					continue;
				far_put(f,
					"/ip ipsec policy add peer=%s proposal=%s src-address=%s dst-address=%s tunnel=%s level=unique\n",
					name, name, far_prefix(local, &l->ts[i]),
					far_prefix(remote, &r->ts[k]),
					f->child[c].mode == IKE_MODE_TRANSPORT ? "no" : "yes");
			}
		}
	}
}

void far_write_mikrotik(struct far *f)
{
	const char *name = far_name(f);
	char id[640];

	far_note(
		f,
		"RouterOS translates addresses before it looks at policies: put an accept rule for these networks before masquerade in /ip firewall nat");
	put_mikrotik_algorithms(f);
	far_put(f, "/ip ipsec peer add name=%s address=%s profile=%s exchange-mode=ike2%s\n", name,
		f->ours, name, f->initiates ? "" : " passive=yes");
	far_put(f, "/ip ipsec identity add peer=%s auth-method=pre-shared-key secret=\"", name);
	put_mikrotik_string(f, f->secret);
	far_put(f, "\" my-id=%s", mikrotik_id(id, &f->its_ike_id, f->its_id));
	far_put(f, " remote-id=%s\n", mikrotik_id(id, &f->our_ike_id, f->our_id));
	put_mikrotik_policies(f);
	if (f->needs & FAR_TRANSPORT)
		far_note(f, "the policy in transport mode has src-address %s and dst-address %s",
			 its_address(f), f->ours);
}
