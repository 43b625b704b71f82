#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is standard input, of esptun peer-config, in the grammar that the vendor of target ARGV[1] documents? As far as esptun
writes it: statements, options and values from these documents, and nothing else.

swanctl    swanctl.conf(5) of strongSwan 5.9.8, its keys; words of proposals: docs.strongswan.org, config/proposals
ipsec.conf ipsec.conf(5) of libreswan 4.10 (libreswan's own programs read it as well, see t_peer_config.sh)
iked       iked.conf(5) of OpenIKED 7.2 (likewise)
windows    learn.microsoft.com: Add-VpnConnection, Set-VpnConnectionIPsecConfiguration, Add-VpnS2SInterface, ...
apple      developer.apple.com/documentation/devicemanagement/vpn/ikev2
android    docs.strongswan.org, os/androidVpnClientProfiles; AOSP's fields of a VPN with a PSK
cisco      IOS XE, FlexVPN and Internet Key Exchange Version 2 configuration guide
juniper    Junos OS, IPsec VPN user guide, configuration statements
mikrotik   help.mikrotik.com, RouterOS, IPsec
aws        AWS CLI, ec2 create-vpn-connection (VpnTunnelOptionsSpecification)
azure      az network local-gateway, vpn-connection, vpn-connection ipsec-policy
gcp        gcloud compute vpn-tunnels create, routes create
"""

import base64
import json
import plistlib
import re
import shlex
import sys

NET4 = r"\d+\.\d+\.\d+\.\d+/\d+"
HOST = r"[A-Za-z0-9.:-]+"


class Wrong(Exception):
    pass


def want(ok, what):
    if not ok:
        raise Wrong(what)


def only(d, allowed, where):
    for key in d:
        want(key in allowed, f"{where}: no {key}")


def lines(text, mark):
    return [l for l in text.splitlines() if l.strip() and not l.startswith(mark)]


# ---- strongSwan -------------------------------------------------------------------------------------

SWAN_WORDS = re.compile(
    r"(aes(128|192|256)((gcm|ccm)(8|12|16)|ctr|gmac)?|chacha20poly1305|3des|null|sha(1|256|384|512)|aesxcbc|aescmac|md5"
    r"|prf(sha(1|256|384|512))|x25519|ecp(256|384|521)|modp(1024|1536|2048|3072|4096))$")
SWAN_KEYS = {
    "connections.*": "version local_addrs remote_addrs remote_port proposals vips pools rekey_time dpd_delay mobike "
                     "send_certreq ppk_id ppk_required",
    "connections.*.local": "auth id eap_id certs pubkeys",
    "connections.*.remote": "auth id cacerts pubkeys",
    "connections.*.children.*": "local_ts remote_ts esp_proposals mode rekey_time start_action",
    "pools.*": "addrs",
    "secrets.ike-*": "id-1 id-2 secret", "secrets.eap-*": "id secret", "secrets.ppk-*": "id secret",
}


def swan_path(stack):
    path = list(stack)
    if len(path) > 1:
        path[1] = re.sub(r"-.*", "-*", path[1]) if path[0] == "secrets" else "*"
    if len(path) > 3:
        path[3] = "*"
    return ".".join(path)


def check_swanctl(text):
    stack = []
    for line in lines(text, "#"):
        line = line.strip()
        if line.endswith("{"):
            stack.append(line[:-1].strip())
        elif line == "}":
            want(stack, "one } too many")
            stack.pop()
        else:
            key, value = (s.strip() for s in line.split("=", 1))
            allowed = SWAN_KEYS.get(swan_path(stack))
            want(allowed and key in allowed.split(), f"{swan_path(stack)} has no {key}")
            want(value, f"{key} has no value")
            if key.endswith("proposals"):
                for word in re.split(r"[-,]\s*", value):
                    want(SWAN_WORDS.match(word), f"no algorithm {word}")
            if key == "auth":
                want(value in ("psk", "pubkey", "eap", "eap-mschapv2"), f"auth = {value}")
    want(not stack, "a } is missing")


# ---- libreswan, OpenIKED -----------------------------------------------------------------------------

IPSEC_KEYS = set("""ikev2 left right leftid rightid leftauth rightauth leftcert rightca leftsubnet rightsubnet leftsubnets
    rightsubnets leftprotoport rightprotoport leftmodecfgclient type ike esp ikelifetime salifetime mobike ppk auto""".split())


def check_ipsec_conf(text):
    for line in lines(text, "#"):
        if re.match(r"conn [\w-]+$", line):
            continue
        m = re.match(r"  ([a-z0-9]+)=(\S.*)$", line)
        want(m and m.group(1) in IPSEC_KEYS, f"what is {line}")


def check_iked(text):
    for line in lines(text, "#"):
        want(re.match(r"(set |ikev2 \"|\t(from|proto|peer|ikesa|childsa|srcid|dstid|ikelifetime|request|psk|rfc7427)\b)",
                      line), f"what is {line}")
    want(not text.rstrip().endswith("\\"), "a line goes on at the end")


def check_esptun(text):
    want("[Tunnel]" in text and "[Peer]" in text, "sections are missing")


# ---- Windows ---------------------------------------------------------------------------------------

WINDOWS = {
    "EncryptionMethod": "DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES256",
    "IntegrityCheckMethod": "MD5 SHA1 SHA256 SHA384",
    "DHGroup": "None Group1 Group2 Group14 ECP256 ECP384 Group24",
    "CipherTransformConstants": "DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES192 GCMAES256 None",
    "AuthenticationTransformConstants": "MD596 SHA196 SHA256128 GCMAES128 GCMAES192 GCMAES256 None",
    "PfsGroup": "None PFS1 PFS2 PFS2048 ECP256 ECP384 PFSMM PFS24",
    "TunnelType": "Ikev2 IKEv2", "Protocol": "IKEv2",
}
WINDOWS_COMMANDS = {
    "Add-VpnConnection": "Name ServerAddress TunnelType AuthenticationMethod",
    "Set-VpnConnectionIPsecConfiguration": "ConnectionName EncryptionMethod IntegrityCheckMethod DHGroup "
        "CipherTransformConstants AuthenticationTransformConstants PfsGroup Force",
    "Set-VpnConnection": "Name SplitTunneling",
    "Add-VpnConnectionRoute": "ConnectionName DestinationPrefix",
    "Add-VpnS2SInterface": "Name Destination Protocol AuthenticationMethod SharedSecret IPv4Subnet CustomPolicy Persistent "
        "EncryptionMethod IntegrityCheckMethod DHGroup CipherTransformConstants AuthenticationTransformConstants PfsGroup",
}
AUTHENTICATION = {"Add-VpnConnection": "Eap MachineCertificate", "Add-VpnS2SInterface": "EAP MachineCertificates PSKOnly"}


def check_windows(text):
    for line in lines(text, "#"):
        command, rest = line.split(" ", 1)
        want(command in WINDOWS_COMMANDS, f"no command {command}")
        for m in re.finditer(r"-(\w+)(?: (@\([^)]*\)|'(?:[^']|'')*'|[^-\s]\S*))?(?= |$)", rest):
            name, value = m.groups()
            want(name in WINDOWS_COMMANDS[command].split(), f"{command} has no -{name}")
            allowed = AUTHENTICATION.get(command) if name == "AuthenticationMethod" else WINDOWS.get(name)
            want(not allowed or value in allowed.split(), f"-{name} {value}")
        gcm = re.search(r"-CipherTransformConstants (GCM\w+) -AuthenticationTransformConstants (\w+)", line)
        want(not gcm or gcm.group(1) == gcm.group(2), "AES-GCM has to be both")


# ---- Apple -------------------------------------------------------------------------------------------

APPLE_VPN = set("""RemoteAddress RemoteIdentifier LocalIdentifier AuthenticationMethod SharedSecret ExtendedAuthEnabled AuthName
    AuthPassword PayloadCertificateUUID CertificateType DeadPeerDetectionRate DisableMOBIKE EnablePFS
    IKESecurityAssociationParameters ChildSecurityAssociationParameters""".split())
APPLE_SA = {
    "EncryptionAlgorithm": "DES 3DES AES-128 AES-256 AES-128-GCM AES-256-GCM ChaCha20Poly1305".split(),
    "IntegrityAlgorithm": "SHA1-96 SHA1-160 SHA2-256 SHA2-384 SHA2-512".split(),
    "DiffieHellmanGroup": [1, 2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 31, 32],
    "LifeTimeInMinutes": range(10, 1441),
}


def check_apple(text):
    profile = plistlib.loads(text.encode())
    head = {"PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID", "PayloadDisplayName"}
    only(profile, head | {"PayloadContent"}, "profile")
    want(profile["PayloadType"] == "Configuration" and profile["PayloadVersion"] == 1, "no profile")
    uuids = {p["PayloadUUID"]: p["PayloadType"] for p in profile["PayloadContent"]}
    want(len(uuids) == len(profile["PayloadContent"]), "UUIDs are not unique")
    for payload in profile["PayloadContent"]:
        want(head <= set(payload), "a payload lacks its head")
        want(re.match(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$", payload["PayloadUUID"]), "UUID")
        if payload["PayloadType"] != "com.apple.vpn.managed":
            want(payload["PayloadType"] in ("com.apple.security.root", "com.apple.security.pkcs12"), "type")
            only(payload, head | {"PayloadContent"}, "certificate")
            continue
        only(payload, head | {"UserDefinedName", "VPNType", "IKEv2"}, "payload")
        vpn = payload["IKEv2"]
        only(vpn, APPLE_VPN, "IKEv2")
        want(payload["VPNType"] == "IKEv2" and {"RemoteAddress", "RemoteIdentifier", "LocalIdentifier"} <= set(vpn), "IKEv2")
        want(vpn["AuthenticationMethod"] in ("None", "SharedSecret", "Certificate"), "AuthenticationMethod")
        want(("SharedSecret" in vpn) == (vpn["AuthenticationMethod"] == "SharedSecret"), "SharedSecret")
        want(vpn.get("CertificateType", "RSA") in ("RSA", "ECDSA256", "ECDSA384", "ECDSA521", "Ed25519"), "CertificateType")
        want(vpn["DeadPeerDetectionRate"] in ("None", "Low", "Medium", "High"), "DeadPeerDetectionRate")
        if "PayloadCertificateUUID" in vpn:
            want(uuids.get(vpn["PayloadCertificateUUID"]) == "com.apple.security.pkcs12", "PayloadCertificateUUID")
        for key in ("IKESecurityAssociationParameters", "ChildSecurityAssociationParameters"):
            only(vpn[key], APPLE_SA, key)
            for name, value in vpn[key].items():
                want(value in APPLE_SA[name], f"{name} {value}")


# ---- Android -----------------------------------------------------------------------------------------

def check_android(text):
    if not text.startswith("{"):
        fields = [l.split(": ", 1)[0] for l in lines(text, "#")]
        want(fields == ["Type", "Server address", "IPSec identifier", "IPSec pre-shared key"], f"fields {fields}")
        return
    p = json.loads(text)
    only(p, "uuid name type remote local ike-proposal esp-proposal split-tunneling notes".split(), "profile")
    want(re.match(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$", p["uuid"]), "uuid")
    want(p["type"] in ("ikev2-eap", "ikev2-cert", "ikev2-cert-eap", "ikev2-eap-tls", "ikev2-byod-eap"), "type")
    only(p["remote"], "addr port id cert certreq".split(), "remote")
    only(p["local"], "eap_id id p12".split(), "local")
    want(("eap_id" in p["local"]) == (p["type"] == "ikev2-eap"), "eap_id")
    for blob in (p["remote"].get("cert"), p["local"].get("p12")):
        want(blob is None or base64.b64decode(blob, validate=True)[0] == 0x30, "base64 of DER")
    for key in ("ike-proposal", "esp-proposal"):
        for word in p[key].split("-"):
            want(SWAN_WORDS.match(word), f"no algorithm {word}")
    for net in p.get("split-tunneling", {}).get("subnets", []):
        want(re.match(r"[0-9a-f.:]+/\d+$", net), net)


# ---- routers ------------------------------------------------------------------------------------------

CIPHERS = r"aes-(gcm-(128|256)|cbc-(128|192|256))"
HASH = r"sha(1|256|384|512)"
CISCO = [
    r"crypto ikev2 (proposal|policy|keyring|profile) [\w-]+", rf" encryption {CIPHERS}( {CIPHERS})*",
    rf" (prf|integrity) {HASH}( {HASH})*", r" group \d+( \d+)*", r" proposal [\w-]+", r" peer \S+",
    rf"  address {HOST}", r"  pre-shared-key \S+",
    r" match identity remote (fqdn \S+|email \S+|key-id \S+|address \S+( [\d.]+)?)",
    r" identity local (fqdn|email|key-id|address) \S+", r" authentication (local|remote) pre-share",
    r" keyring local \S+", r" lifetime \d+", r" dpd \d+ \d+ periodic",
    r"crypto ipsec transform-set \S+ (esp-gcm (128|192|256)|esp-aes( 192| 256)? esp-sha(256|384|512)?-hmac)", r" mode tunnel",
    r"crypto ipsec profile \S+", r" set transform-set \S+", r" set ikev2-profile \S+", r" set pfs group\d+",
    r" set security-association lifetime seconds \d+", r"interface Tunnel0", r" ip unnumbered GigabitEthernet1",
    r" tunnel source GigabitEthernet1", r" tunnel mode ipsec ipv4", rf" tunnel destination {HOST}",
    r" tunnel protection ipsec profile \S+", r"ip route [\d.]+ [\d.]+ Tunnel0", r"ipv6 route \S+ Tunnel0",
]
J_HASH = r"sha-(256|384|512)"
JUNIPER = [
    r"set security ike proposal \S+ authentication-method pre-shared-keys", r"set security ike proposal \S+ dh-group group\d+",
    r"set security (ike|ipsec) proposal \S+ encryption-algorithm aes-(128|192|256)-(cbc|gcm)",
    rf"set security ike proposal \S+ authentication-algorithm {J_HASH}",
    r"set security ipsec proposal \S+ authentication-algorithm hmac-(sha1-96|sha-256-128|sha-384|sha-512)",
    r"set security (ike|ipsec) proposal \S+ lifetime-seconds \d+", r"set security (ike|ipsec) policy \S+ proposals \S+",
    r'set security ike policy \S+ pre-shared-key ascii-text "[^"]+"', r"set security ike gateway \S+ ike-policy \S+",
    rf"set security ike gateway \S+ address {HOST}", r"set security ike gateway \S+ external-interface ge-0/0/0",
    r"set security ike gateway \S+ version v2-only",
    r'set security ike gateway \S+ (local|remote)-identity (inet|inet6|hostname|user-at-hostname) "[^"]+"',
    r"set security ike gateway \S+ dead-peer-detection interval ([1-5]\d|60)", r"set security ipsec proposal \S+ protocol esp",
    r"set security ipsec policy \S+ perfect-forward-secrecy keys group\d+", r"set interfaces st0 unit 0 family inet",
    r"set security ipsec vpn \S+ bind-interface st0.0", r"set security ipsec vpn \S+ ike (gateway|ipsec-policy) \S+",
    r"set security ipsec vpn \S+ traffic-selector \S+ local-ip \S+/\d+ remote-ip \S+/\d+",
    r"set security ipsec vpn \S+ establish-tunnels (immediately|on-traffic|responder-only)",
]
M_DH = r"(ecp256|ecp384|ecp521|modp2048|modp3072|modp4096)"
M_ID = r"(fqdn|address|user-fqdn|key-id):\S+"
MIKROTIK = [
    rf"/ip ipsec profile add name=\S+ enc-algorithm=(aes-\d+|3des)(,(aes-\d+|3des))* hash-algorithm={HASH} dh-group={M_DH}(,{M_DH})* "
    r"nat-traversal=yes",
    rf'/ip ipsec proposal add name=\S+ enc-algorithms=aes-\d+-(gcm|cbc)(,aes-\d+-(gcm|cbc))* auth-algorithms=(""|{HASH}(,{HASH})*) '
    rf"pfs-group=({M_DH}|none) lifetime=\d+[hms]",
    rf"/ip ipsec peer add name=\S+ address={HOST} profile=\S+ exchange-mode=ike2( passive=yes)?",
    rf'/ip ipsec identity add peer=\S+ auth-method=pre-shared-key secret="[^"]+" my-id={M_ID} remote-id={M_ID}',
    r"/ip ipsec policy add peer=\S+ proposal=\S+ src-address=\S+/\d+ dst-address=\S+/\d+ tunnel=(yes|no) level=unique",
]


def check_table(text, mark, table, needed):
    for line in lines(text, mark):
        want(any(re.fullmatch(row, line) for row in table), f"what is {line}")
    for row in needed:
        want(row in text, f"{row} is missing")


# ---- clouds -------------------------------------------------------------------------------------------

AWS = {
    "EncryptionAlgorithms": "AES128 AES256 AES128-GCM-16 AES256-GCM-16".split(),
    "IntegrityAlgorithms": "SHA1 SHA2-256 SHA2-384 SHA2-512".split(),
}
AWS_DH = {"1": [2, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24], "2": [2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]}
OPTIONS = {
    "aws ec2 create-customer-gateway": "type public-ip bgp-asn query output",
    "aws ec2 create-vpn-connection": "type customer-gateway-id vpn-gateway-id query output options",
    "aws ec2 create-vpn-connection-route": "vpn-connection-id destination-cidr-block",
    "az network local-gateway create": "gateway-ip-address local-address-prefixes",
    "az network vpn-connection create": "vnet-gateway1 local-gateway2 shared-key",
    "az network vpn-connection ipsec-policy add": "connection-name dh-group ike-encryption ike-integrity ipsec-encryption "
        "ipsec-integrity pfs-group sa-lifetime sa-max-size",
    "az network vpn-connection update": "connection-mode",
    "gcloud compute vpn-tunnels create": "region target-vpn-gateway peer-address ike-version shared-secret "
        "local-traffic-selector remote-traffic-selector",
    "gcloud compute routes create": "network next-hop-vpn-tunnel next-hop-vpn-tunnel-region destination-range",
}
AZURE = {
    "dh-group": "None DHGroup1 DHGroup2 DHGroup14 DHGroup24 DHGroup2048 ECP256 ECP384",
    "ike-encryption": "DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES256", "ike-integrity": "MD5 SHA1 SHA256 SHA384 GCMAES128 GCMAES256",
    "ipsec-encryption": "None DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES192 GCMAES256",
    "ipsec-integrity": "MD5 SHA1 SHA256 GCMAES128 GCMAES192 GCMAES256",
    "pfs-group": "None PFS1 PFS2 PFS14 PFS24 PFS2048 PFSMM ECP256 ECP384", "connection-mode": "Default InitiatorOnly ResponderOnly",
}


def check_tunnel_options(t):
    for key, value in t.items():
        m = re.match(r"Phase([12])(EncryptionAlgorithms|IntegrityAlgorithms|DHGroupNumbers|LifetimeSeconds)$", key)
        want(m or key in ("PreSharedKey", "IKEVersions", "StartupAction"), f"no {key}")
        if not m:
            continue
        phase, kind = m.groups()
        if kind == "LifetimeSeconds":
            want(900 <= value <= (28800 if phase == "1" else 3600), key)
            continue
        allowed = AWS_DH[phase] if kind == "DHGroupNumbers" else AWS[kind]
        want(value and all(list(v) == ["Value"] and v["Value"] in allowed for v in value), f"{key}: {value}")
    want(t["IKEVersions"] == [{"Value": "ikev2"}] and t["StartupAction"] in ("add", "start"), "IKEVersions, StartupAction")


def check_commands(text):
    """A shell would read it: quotes close, and what is a command has the options of its manual."""
    text = "\n".join(lines(text, "#"))
    text = re.sub(r"^[A-Z]+=\$\((.*?)\)$", r"\1", text, flags=re.S | re.M)
    words = shlex.split(text.replace("\n", " ; ") if "'{" not in text else re.sub(r"\n(?=aws|$)", " ; ", text))
    commands, current = [], []
    for word in words + [";"]:
        if word == ";":
            commands.append(current)
            current = []
        else:
            current.append(word)
    for c in commands:
        while c and re.match(r"[A-Z]+=", c[0]):
            c = c[1:]
        if not c:
            continue
        name = max((n for n in OPTIONS if c[: len(n.split())] == n.split()), key=len, default=None)
        want(name, f"no command {' '.join(c[:4])}")
        for i, word in enumerate(c):
            if not word.startswith("--"):
                continue
            option, _, value = word[2:].partition("=")
            value = value or (c[i + 1] if i + 1 < len(c) else "")
            want(option in OPTIONS[name].split(), f"{name} has no --{option}")
            want(value, f"--{option} has no value")
            if name.startswith("az") and option in AZURE:
                want(value in AZURE[option].split(), f"--{option} {value}")
            if option == "options":
                o = json.loads(value)
                only(o, "StaticRoutesOnly LocalIpv4NetworkCidr RemoteIpv4NetworkCidr TunnelOptions".split(), "options")
                check_tunnel_options(o["TunnelOptions"][0])


CHECKS = {
    "swanctl": check_swanctl, "opnsense": check_swanctl, "ipsec.conf": check_ipsec_conf, "iked": check_iked,
    "esptun": check_esptun, "windows": check_windows, "apple": check_apple, "android": check_android,
    "cisco": lambda t: check_table(t, "!", CISCO, ["crypto ikev2 proposal", " encryption ", "tunnel protection"]),
    "juniper": lambda t: check_table(t, "#", JUNIPER, ["encryption-algorithm", "pre-shared-key", "traffic-selector"]),
    "mikrotik": lambda t: check_table(t, "#", MIKROTIK, ["profile add", "proposal add", "peer add", "identity add", "policy add"]),
    "aws": check_commands, "azure": check_commands, "gcp": check_commands,
}

try:
    CHECKS[sys.argv[1]](sys.stdin.read())
except (Wrong, ValueError, KeyError, IndexError) as e:
    print(f"{sys.argv[1]}: {e!r}")
    sys.exit(1)
