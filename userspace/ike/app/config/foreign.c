// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <strings.h>

#include "ike/app/config/foreign.h"

#define ENDPOINT_PORT "as HOST:PORT"
#define PAIR "as LOCAL = REMOTE"
#define ROUTES_TOO "as LOCAL = REMOTE; Routes says what is routed into the tunnel"
#define FOR_IKE "with ike: in front of what is for IKE alone"
#define FOR_ESP "with esp: in front of what is for ESP alone"
#define OF_EITHER "LocalID in [Tunnel] and RemoteID in [Peer] name the two ends"
#define BY_AUTH "LocalAuth in [Tunnel] and RemoteAuth in [Peer] say it, if the keys do not"
#define NO_COMMANDS "no commands are run; routes and addresses are keys of their own"
#define REKEY_IKE "the first of its two times, IKE-TIME, CHILD-TIME"
#define REKEY_CHILD "the second of its two times, IKE-TIME, CHILD-TIME"
#define REKEY_BOTH "as IKE-TIME, CHILD-TIME"
#define NO_MARGIN "which says when rekeying begins; that is varied at random"
#define NO_END "which says when rekeying begins; the old SA is deleted after it"
#define NO_REAUTH \
	"Reauth in [Peer] says when to authenticate again; without it only keys are renewed"
#define ALWAYS "this is always done where the peer can"
#define NO_NEED "nothing needs to be set for it"

static const struct foreign_word words[] = {
	/* wg-quick(8) */
	{ "AllowedIPs", "Routes", "Selectors restricts what may pass" },
	{ "PresharedKey", "PSK", NULL },
	{ "PersistentKeepalive", "Keepalive", NULL },
	{ "ListenPort", "Port", NULL },
	{ "PrivateKey", "Key", "the /PATH of its file" },
	{ "PreUp", NULL, NO_COMMANDS },
	{ "PostUp", NULL, NO_COMMANDS },
	{ "PreDown", NULL, NO_COMMANDS },
	{ "PostDown", NULL, NO_COMMANDS },
	{ "SaveConfig", NULL, "esptund never writes its configuration" },
	/* swanctl.conf(5) */
	{ "remote_addrs", "Endpoint", NULL },
	{ "remote_port", "Endpoint", ENDPOINT_PORT },
	{ "local_addrs", "Local", NULL },
	{ "local_port", "Port", NULL },
	{ "proposals", "Crypto", FOR_IKE },
	{ "esp_proposals", "Crypto", FOR_ESP },
	{ "ah_proposals", NULL, "there is no AH" },
	{ "local_ts", "Selectors", ROUTES_TOO },
	{ "remote_ts", "Selectors", ROUTES_TOO },
	{ "id", NULL, OF_EITHER },
	{ "auth", NULL, BY_AUTH },
	{ "eap_id", "EAP", "our user's name; Users has those of the peers" },
	{ "aaa_id", "EAPServerID", NULL },
	{ "secret", "PSK", NULL },
	{ "secrets", "PSK", NULL },
	{ "pubkeys", "PublicKey", NULL },
	{ "ppk_id", "PPKID", NULL },
	{ "ppk_required", "PPKRequired", NULL },
	{ "cert", "Cert", NULL },
	{ "certs", "Cert", NULL },
	{ "certificate", "Cert", NULL },
	{ "cacerts", "CA", NULL },
	{ "dpd_delay", "Liveness", NULL },
	{ "dpd_timeout", NULL, "Liveness in [Peer] says when to ask the peer" },
	{ "dpd_action", "Start", NULL },
	{ "start_action", "Start", "now, traffic (trap) or listen (none)" },
	{ "close_action", "Start", "now, traffic (trap) or listen (none)" },
	{ "trap", "Start", "Start = traffic" },
	{ "replay_window", "ReplayWindow", NULL },
	{ "mark_in", "FwMark", "for outer packets" },
	{ "mark_out", "FwMark", "for outer packets" },
	{ "set_mark_out", "FwMark", "for outer packets" },
	{ "if_id_in", NULL, "each file makes a netdevice of its own" },
	{ "if_id_out", NULL, "each file makes a netdevice of its own" },
	{ "interface", NULL, "the file's name is the netdevice's" },
	{ "vips", "Address", "Address = request" },
	{ "pools", "Range", NULL },
	{ "client-to-client", "ClientToClient", NULL },
	{ "rekey_time", "Rekey", REKEY_BOTH },
	{ "rekey_bytes", "RekeyBytes", NULL },
	{ "rekey_packets", "RekeyPackets", NULL },
	{ "reauth_time", "Reauth", NULL },
	{ "over_time", "Rekey", NO_END },
	{ "life_time", "Rekey", NO_END },
	{ "life_bytes", "RekeyBytes", NO_END },
	{ "life_packets", "RekeyPackets", NO_END },
	{ "rand_time", "Rekey", NO_MARGIN },
	{ "rand_bytes", "RekeyBytes", NO_MARGIN },
	{ "rand_packets", "RekeyPackets", NO_MARGIN },
	{ "keyingtries", NULL, "esptund tries until the tunnel is up" },
	{ "encap", "Encap", "yes is udp, no is auto" },
	{ "fragmentation", NULL, ALWAYS },
	{ "mobike", "Mobike", NULL },
	{ "unique", NULL, NO_NEED },
	{ "version", NULL, "it is IKEv2 always" },
	{ "aggressive", NULL, "it is IKEv2 always" },
	{ "mode", "Mode", NULL },
	{ "updown", NULL, NO_COMMANDS },
	/* ipsec.conf(5) */
	{ "left", "Local", "for this machine's end; the other end is Endpoint" },
	{ "right", "Endpoint", "for the other end; this machine's is Local" },
	{ "leftid", "LocalID", NULL },
	{ "rightid", "RemoteID", NULL },
	{ "leftsubnet", "Selectors", ROUTES_TOO },
	{ "leftsubnets", "Selectors", ROUTES_TOO },
	{ "rightsubnet", "Routes", "for peers that work by policy: Selectors, " PAIR },
	{ "rightsubnets", "Routes", "for peers that work by policy: Selectors, " PAIR },
	{ "leftsourceip", "Address", NULL },
	{ "rightsourceip", "Range", NULL },
	{ "leftikeport", "Port", NULL },
	{ "rightikeport", "Endpoint", ENDPOINT_PORT },
	{ "leftauth", "LocalAuth", NULL },
	{ "rightauth", "RemoteAuth", NULL },
	{ "authby", NULL, BY_AUTH },
	{ "eap_identity", "EAP", "our user's name; Users has those of the peers" },
	{ "aaa_identity", "EAPServerID", NULL },
	{ "leftcert", "Cert", NULL },
	{ "rightca", "CA", NULL },
	{ "rightcert", NULL, "CA and RemoteID in [Peer] say which certificate is the peer's" },
	{ "leftfirewall", NULL, NO_COMMANDS },
	{ "leftupdown", NULL, NO_COMMANDS },
	{ "auto", "Start", "now (start), traffic (route) or listen (add)" },
	{ "ike", "Crypto", FOR_IKE },
	{ "esp", "Crypto", FOR_ESP },
	{ "phase2alg", "Crypto", FOR_ESP },
	{ "ah", NULL, "there is no AH" },
	{ "keyexchange", NULL, "it is IKEv2 always" },
	{ "ikev2", NULL, "it is IKEv2 always" },
	{ "type", "Mode", NULL },
	{ "dpddelay", "Liveness", NULL },
	{ "dpdtimeout", NULL, "Liveness in [Peer] says when to ask the peer" },
	{ "dpdaction", "Start", NULL },
	{ "closeaction", "Start", NULL },
	{ "reauth", NULL, NO_REAUTH },
	{ "ikelifetime", "Rekey", REKEY_IKE },
	{ "ike_lifetime", "Rekey", REKEY_IKE },
	{ "ike-lifetime", "Rekey", REKEY_IKE },
	{ "lifetime", "Rekey", REKEY_CHILD },
	{ "keylife", "Rekey", REKEY_CHILD },
	{ "salifetime", "Rekey", REKEY_CHILD },
	{ "ipsec-lifetime", "Rekey", REKEY_CHILD },
	{ "lifebytes", "RekeyBytes", NO_END },
	{ "lifepackets", "RekeyPackets", NO_END },
	{ "ipsec-max-bytes", "RekeyBytes", NO_END },
	{ "ipsec-max-packets", "RekeyPackets", NO_END },
	{ "margintime", "Rekey", NO_MARGIN },
	{ "marginbytes", "RekeyBytes", NO_MARGIN },
	{ "marginpackets", "RekeyPackets", NO_MARGIN },
	{ "rekeymargin", "Rekey", NO_MARGIN },
	{ "rekeyfuzz", "Rekey", NO_MARGIN },
	{ "pfs", "Crypto", "the word pfs or nopfs in a proposal" },
	{ "pfsgroup", "Crypto", "a group in a proposal, with pfs to require it" },
	{ "forceencaps", "Encap", "yes is udp, no is auto" },
	{ "encapsulation", "Encap", "yes is udp, no is esp" },
	{ "compress", NULL, "there is no compression" },
	{ "mark", "FwMark", "for outer packets" },
	{ "also", NULL, "each file stands alone" },
	/* common sense */
	{ "Passphrase", "PSK", NULL },
	{ "Remote", "Endpoint", NULL },
	{ "Peer", "Endpoint", NULL },
	{ "Host", "Endpoint", NULL },
	{ "Name", NULL, "the file's name is the netdevice's" },
};

const struct foreign_word *foreign_key(const char *word)
{
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(words[i].theirs, word))
			return &words[i];
	}
	return NULL;
}

const char *foreign_line(const char *text)
{
	size_t len = strlen(text);

	if ((len && text[len - 1] == '{') || !strcmp(text, "}"))
		return "braces belong to swanctl.conf; expected [Tunnel], [Peer] or KEY = VALUE";
	if (!strncmp(text, "conn ", 5) || !strcmp(text, "config setup"))
		return "this is ipsec.conf's form; expected [Tunnel], [Peer] or KEY = VALUE";
	return NULL;
}

const char *foreign_section(const char *name)
{
	return strcasecmp(name, "Interface") ? NULL : "Tunnel";
}
