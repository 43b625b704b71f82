// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PowerShell for Windows: Add-VpnConnection and Set-VpnConnectionIPsecConfiguration for a client (Windows 10 and 11), and
 * Add-VpnS2SInterface for networks (Windows Server with the Remote Access role). The parameters and their values are
 * those of learn.microsoft.com, modules VpnClient and RemoteAccess.
 */
#include <string.h>

#include "cli/far/far.h"

/* EncryptionMethod, IntegrityCheckMethod, DHGroup. */
static const struct far_word ike_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "GCMAES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "GCMAES256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "AES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "SHA256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0, "SHA384" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0, "SHA256" },
	{ IKE_T_PRF, IKE_PRF_HMAC_SHA2_384, 0, "SHA384" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ECP256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ECP384" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "Group14" },
	{ 0, 0, 0, NULL },
};

/* CipherTransformConstants, AuthenticationTransformConstants, PfsGroup. */
static const struct far_word esp_words[] = {
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128, "GCMAES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192, "GCMAES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256, "GCMAES256" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128, "AES128" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192, "AES192" },
	{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256, "AES256" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA1_96, 0, "SHA196" },
	{ IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0, "SHA256128" },
	{ IKE_T_DH, IKE_DH_ECP256, 0, "ECP256" },
	{ IKE_T_DH, IKE_DH_ECP384, 0, "ECP384" },
	{ IKE_T_DH, IKE_DH_MODP2048, 0, "PFS2048" },
	{ 0, 0, 0, NULL },
};

/* In single quotes PowerShell replaces nothing; a quote is doubled. */
static void put_quoted(struct far *f, const char *s)
{
	far_put(f, "'");
	for (; *s; s++)
		far_put(f, *s == '\'' ? "''" : "%c", *s);
	far_put(f, "'");
}

static void put_algorithms(struct far *f)
{
	struct far_proposal ike[FAR_PROPOSALS], esp[FAR_PROPOSALS];

	if (!far_proposals(f, IKE_PROTO_IKE, ike_words, ike) ||
	    !far_proposals(f, IKE_PROTO_ESP, esp_words, esp))
		return;
	far_put(f,
		" -EncryptionMethod %s -IntegrityCheckMethod %s -DHGroup %s -CipherTransformConstants %s "
		"-AuthenticationTransformConstants %s -PfsGroup %s",
		far_first(&ike->encr), far_first(ike->aead ? &ike->prf : &ike->integ),
		far_first(&ike->dh), far_first(&esp->encr),
		far_first(esp->aead ? &esp->encr : &esp->integ),
		esp->dh.n ? far_first(&esp->dh) : "None");
}

static void put_client(struct far *f)
{
	bool user = f->needs & FAR_USER;
	char net[64];

	far_put(f,
		"Add-VpnConnection -Name %s -ServerAddress %s -TunnelType IKEv2 -AuthenticationMethod %s\n",
		far_name(f), f->ours, user ? "Eap" : "MachineCertificate");
	far_put(f, "Set-VpnConnectionIPsecConfiguration -ConnectionName %s", far_name(f));
	put_algorithms(f);
	far_put(f, " -Force\n");
	if (far_list_is_any(&f->child->remote_ts))
		return;
	far_put(f, "Set-VpnConnection -Name %s -SplitTunneling $true\n", far_name(f));
	for (unsigned int i = 0; i < f->child->remote_ts.n; i++)
		far_put(f, "Add-VpnConnectionRoute -ConnectionName %s -DestinationPrefix %s\n",
			far_name(f), far_prefix(net, &f->child->remote_ts.ts[i]));
}

static void note_client(struct far *f)
{
	if (!(f->needs & FAR_USER) && !(f->c->signatures & IKE_SIG_SHA1))
		far_note(
			f,
			"Windows signs by SHA-1 with its RSA key: add Signatures = sha1 to our [Peer]");
	far_note(
		f,
		"the certificate of the CA goes into Trusted Root Certification Authorities of the local computer: certutil -f -addstore Root ca.crt");
	if (!(f->needs & FAR_USER))
		far_note(
			f,
			"its own with its key goes into Personal there: Import-PfxCertificate -CertStoreLocation Cert:\\LocalMachine\\My FILE.p12, of esptun ca issue --client --p12");
	if (!(f->needs & FAR_USER) && f->c->remote_id.type != IKE_ID_DER_DN)
		far_note(
			f,
			"Windows names itself by the subject of its certificate: our RemoteID has to be a distinguished name, as CN=*");
	if (f->needs & FAR_USER)
		far_note(f, "Windows asks for the user's name and password when it connects");
	if (f->our_ike_id.type == IKE_ID_FQDN && strcmp(f->our_id, f->ours) != 0)
		far_note(
			f,
			"Windows takes no certificate that is not for the name it connects to: %s, but our LocalID is %s",
			f->ours, f->our_id);
}

static void put_networks(struct far *f)
{
	const struct ike_ts_list *l = &f->child->remote_ts;
	const char *between = " -IPv4Subnet @(";
	char net[64];

	far_put(f, "Add-VpnS2SInterface -Name %s -Destination ", far_name(f));
	put_quoted(f, f->ours);
	far_put(f, " -Protocol IKEv2 -AuthenticationMethod %s",
		f->needs & FAR_PSK ? "PSKOnly -SharedSecret " : "MachineCertificates");
	if (f->needs & FAR_PSK)
		put_quoted(f, f->secret);
	for (unsigned int i = 0; i < l->n; i++) {
		if (l->ts[i].family != 4)
			continue;
		far_put(f, "%s'%s:100'", between, far_prefix(net, &l->ts[i]));
		between = ", ";
	}
	far_put(f, "%s%s -CustomPolicy", *between == ',' ? ")" : "",
		f->initiates ? " -Persistent" : "");
	put_algorithms(f);
	far_put(f, "\n");
}

void far_write_windows(struct far *f)
{
	far_note(f, "run this in PowerShell as administrator");
	if (!(f->needs & FAR_CLIENT)) {
		far_note(
			f,
			"this is for Windows Server with the Remote Access role and routing: Install-RemoteAccess -VpnType VpnS2S");
		put_networks(f);
		return;
	}
	note_client(f);
	put_client(f);
}
