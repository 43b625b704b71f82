// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VPN gateways of clouds, as commands of their command lines. What is not ours to know, names of their objects, are
 * variables at the beginning. Options and values are those of:
 *
 * aws		docs.aws.amazon.com, CLI ec2 create-customer-gateway, create-vpn-connection
 * azure	learn.microsoft.com, az network local-gateway, vpn-connection, vpn-connection ipsec-policy
 * gcp		cloud.google.com, gcloud compute vpn-tunnels create, routes create
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/far/far.h"

/* In single quotes a shell replaces nothing; a secret has no such quote itself (far.c). */
static void put_networks(struct far *f, const struct ike_ts_list *l, const char *between)
{
	const char *sep = "";
	char net[64];

	for (unsigned int i = 0; i < l->n; i++) {
		if (l->ts[i].family != 4)
			continue;
		far_put(f, "%s%s", sep, far_prefix(net, &l->ts[i]));
		sep = between;
	}
}

static void note_address(struct far *f)
{
	if (strspn(f->ours, "0123456789.") != strlen(f->ours))
		far_note(f,
			 "%s takes an IPv4 address of this machine, not %s: add --address ADDRESS",
			 f->target->title, f->ours);
	if (f->our_ike_id.type != IKE_ID_IPV4 || f->its_ike_id.type != IKE_ID_IPV4)
		far_note(
			f,
			"%s names both ends by their addresses: our LocalID and RemoteID have to be these",
			f->target->title);
}

/* ---- AWS ----------------------------------------------------------------------------------------- */

static const struct far_word aws_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "AES128-GCM-16" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "AES256-GCM-16" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "SHA1" },
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
	{ 0, 0, 0, NULL },
};

/* All words of all proposals, each once, as AWS has one list of each kind. */
static json_t *list_values(const struct far_proposal *p, unsigned int n, size_t offset,
			   bool numbers)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++) {
		const struct far_set *set = (const void *)((const char *)&p[i] + offset);

		for (unsigned int k = 0; k < set->n; k++) {
			json_t *value = numbers ? json_integer(atoi(set->word[k]))
						: json_string(set->word[k]);
			bool there = false;
			json_t *o;
			size_t at;

			json_array_foreach(list, at, o)
				there |= json_equal(json_object_get(o, "Value"), value);
			if (there)
				json_decref(value);
			else
				json_array_append_new(list, json_pack("{s:o}", "Value", value));
		}
	}
	return list;
}

static void set_phase(struct far *f, json_t *o, unsigned int phase, uint8_t protocol,
		      uint32_t seconds)
{
	struct far_proposal p[FAR_PROPOSALS];
	unsigned int n = far_proposals(f, protocol, aws_words, p);
	json_t *integ = list_values(p, n, offsetof(struct far_proposal, integ), false);
	char key[64];

	if (!json_array_size(integ)) {
		json_decref(integ);
		integ = list_values(p, n, offsetof(struct far_proposal, prf), false);
	}
	snprintf(key, sizeof(key), "Phase%uEncryptionAlgorithms", phase);
	json_object_set_new(o, key, list_values(p, n, offsetof(struct far_proposal, encr), false));
	snprintf(key, sizeof(key), "Phase%uIntegrityAlgorithms", phase);
	if (json_array_size(integ))
		json_object_set(o, key, integ);
	json_decref(integ);
	snprintf(key, sizeof(key), "Phase%uDHGroupNumbers", phase);
	json_object_set_new(o, key, list_values(p, n, offsetof(struct far_proposal, dh), true));
	/* 900 to 28,800 for IKE, to 3,600 for ESP */
	snprintf(key, sizeof(key), "Phase%uLifetimeSeconds", phase);
	if (seconds >= 900)
		json_object_set_new(o, key,
				    json_integer(phase == 1 ? seconds > 28800 ? 28800 : seconds
						 : seconds > 3600 ? 3600
								  : seconds));
}

/* 8 to 64 letters, digits, "." and "_", not beginning with 0. */
static bool is_aws_psk(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '.' && s[i] != '_')
			return false;
	}
	return len >= 8 && len <= 64 && *s != '0';
}

void far_write_aws(struct far *f)
{
	json_t *tunnel = json_object(), *all;
	char local[64], remote[64], *text;
	const struct ike_child_conf *c = f->child;

	note_address(f);
	if (f->secret_shown && !is_aws_psk(f->secret))
		far_note(
			f,
			"AWS takes a PSK of 8 to 64 letters, digits, . and _ that does not begin with 0: ours is none");
	far_note(
		f,
		"AWS makes two tunnels, each with an address of its own: our Endpoint is one of them, or there is a second file for the other");
	json_object_set_new(tunnel, "PreSharedKey", json_string(f->secret));
	json_object_set_new(tunnel, "IKEVersions", json_pack("[{s:s}]", "Value", "ikev2"));
	set_phase(f, tunnel, 1, IKE_PROTO_IKE, f->c->rekey_ike);
	set_phase(f, tunnel, 2, IKE_PROTO_ESP, f->c->rekey_child);
	json_object_set_new(tunnel, "StartupAction", json_string(f->initiates ? "start" : "add"));
	all = json_pack("{s:b,s:s,s:s,s:[o]}", "StaticRoutesOnly", 1, "LocalIpv4NetworkCidr",
			c->remote_ts.n ? far_prefix(remote, &c->remote_ts.ts[0]) : "0.0.0.0/0",
			"RemoteIpv4NetworkCidr",
			c->local_ts.n ? far_prefix(local, &c->local_ts.ts[0]) : "0.0.0.0/0",
			"TunnelOptions", tunnel);
	text = json_dumps(all, JSON_INDENT(2));
	far_put(f,
		"GATEWAY=vgw-ID-OF-THE-VIRTUAL-PRIVATE-GATEWAY\n"
		"CUSTOMER=$(aws ec2 create-customer-gateway --type ipsec.1 --public-ip '%s' --bgp-asn 65000 --query CustomerGateway.CustomerGatewayId --output text)\n"
		"CONNECTION=$(aws ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id \"$CUSTOMER\" --vpn-gateway-id \"$GATEWAY\" --query VpnConnection.VpnConnectionId --output text --options '%s')\n",
		f->ours, text ? text : "");
	for (unsigned int i = 0; i < c->remote_ts.n; i++) {
		if (c->remote_ts.ts[i].family == 4)
			far_put(f,
				"aws ec2 create-vpn-connection-route --vpn-connection-id \"$CONNECTION\" --destination-cidr-block %s\n",
				far_prefix(remote, &c->remote_ts.ts[i]));
	}
	if (text)
		ike_wipe(text, strlen(text));
	free(text);
	json_decref(all);
}

/* ---- Azure --------------------------------------------------------------------------------------- */

static const struct far_word azure_ike[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "GCMAES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "GCMAES256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "AES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "SHA1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "SHA256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "SHA384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "SHA256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "SHA384" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ECP256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ECP384" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "DHGroup14" },
	{ 0, 0, 0, NULL },
};

static const struct far_word azure_esp[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "GCMAES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "GCMAES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "GCMAES256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "AES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "SHA1" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "SHA256" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ECP256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ECP384" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "PFS2048" },
	{ 0, 0, 0, NULL },
};

void far_write_azure(struct far *f)
{
	const char *name = far_name(f);
	struct far_proposal ike[FAR_PROPOSALS], esp[FAR_PROPOSALS];

	note_address(f);
	far_put(f,
		"GROUP=NAME-OF-THE-RESOURCE-GROUP\nGATEWAY=NAME-OF-THE-VIRTUAL-NETWORK-GATEWAY\n"
		"az network local-gateway create -g \"$GROUP\" -n %s --gateway-ip-address '%s' --local-address-prefixes ",
		name, f->ours);
	put_networks(f, &f->child->remote_ts, " ");
	far_put(f,
		"\naz network vpn-connection create -g \"$GROUP\" -n %s --vnet-gateway1 \"$GATEWAY\" --local-gateway2 %s --shared-key '%s'\n",
		name, name, f->secret);
	if (!far_proposals(f, IKE_PROTO_IKE, azure_ike, ike) ||
	    !far_proposals(f, IKE_PROTO_ESP, azure_esp, esp))
		return;
	far_put(f,
		"az network vpn-connection ipsec-policy add -g \"$GROUP\" --connection-name %s --dh-group %s --ike-encryption %s --ike-integrity %s --ipsec-encryption %s --ipsec-integrity %s --pfs-group %s --sa-lifetime %u --sa-max-size 102400000\n",
		name, far_first(&ike->dh), far_first(&ike->encr),
		far_first(ike->aead ? &ike->prf : &ike->integ), far_first(&esp->encr),
		far_first(esp->aead ? &esp->encr : &esp->integ),
		esp->dh.n ? far_first(&esp->dh) : "None",
		f->c->rekey_child < 300 ? 3600 : f->c->rekey_child);
	far_put(f, "az network vpn-connection update -g \"$GROUP\" -n %s --connection-mode %s\n",
		name, f->initiates ? "InitiatorOnly" : "Default");
}

/* ---- Google Cloud -------------------------------------------------------------------------------- */

/* Its gateways have fixed lists of algorithms; these are what they agree to first. */
static const struct far_word gcp_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 0, "AES-GCM" },
	{ IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0, "ChaCha20-Poly1305" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 0, "AES-CBC" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "HMAC-SHA1-96" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "HMAC-SHA2-256-128" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "HMAC-SHA2-384-192" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_512_256, 0, "HMAC-SHA2-512-256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA1, 0, "PRF-HMAC-SHA1" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "PRF-HMAC-SHA2-256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "PRF-HMAC-SHA2-384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_512, 0, "PRF-HMAC-SHA2-512" },
	{ IKE_T_DH, IKE_DH_CURVE25519, 0, "31" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "19" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "20" },
	{ IKE_T_DH, IKE_DH_ECP521, 0, "21" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "14" },
	{ IKE_T_DH, IKE_DH_MODP3072, 0, "15" },
	{ IKE_T_DH, IKE_DH_MODP4096, 0, "16" },
	{ 0, 0, 0, NULL },
};

void far_write_gcp(struct far *f)
{
	const char *name = far_name(f);
	struct far_proposal p[FAR_PROPOSALS];
	char net[64];

	note_address(f);
	/* Their gateways choose: it is asked whether there is anything in common. */
	far_proposals(f, IKE_PROTO_IKE, gcp_words, p);
	far_proposals(f, IKE_PROTO_ESP, gcp_words, p);
	if (f->child->local_ts.n * f->child->remote_ts.n > 1)
		far_note(
			f,
			"Google Cloud VPN makes one child SA of several networks: set SelectorsPerChild = all in our [Peer]");
	far_put(f,
		"REGION=NAME-OF-THE-REGION\nGATEWAY=NAME-OF-THE-TARGET-VPN-GATEWAY\nNETWORK=NAME-OF-THE-NETWORK\n"
		"gcloud compute vpn-tunnels create %s --region=\"$REGION\" --target-vpn-gateway=\"$GATEWAY\" --peer-address='%s' --ike-version=2 --shared-secret='%s' --local-traffic-selector=",
		name, f->ours, f->secret);
	put_networks(f, &f->child->local_ts, ",");
	far_put(f, " --remote-traffic-selector=");
	put_networks(f, &f->child->remote_ts, ",");
	far_put(f, "\n");
	for (unsigned int i = 0; i < f->child->remote_ts.n; i++) {
		if (f->child->remote_ts.ts[i].family == 4)
			far_put(f,
				"gcloud compute routes create %s-%u --network=\"$NETWORK\" --next-hop-vpn-tunnel=%s --next-hop-vpn-tunnel-region=\"$REGION\" --destination-range=%s\n",
				name, i + 1, name, far_prefix(net, &f->child->remote_ts.ts[i]));
	}
}
