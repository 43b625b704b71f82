#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# esptund (west) and strongSwan 6.0.1 with the kernel's ESP (east), each beginning: certificates of ECDSA and
# Ed25519; EAP-TLS by TLS 1.3, which this strongSwan has if told so, with esptund as the user and as the server. And what
# is refused, with what esptund says of it. (Its PSK: t_rekey_strongswan6.sh.)

# shellcheck disable=SC2154 # $dir is of certs.sh, $their_etc and $status of strongswan.sh and west.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
PEER_ROOT=$ROOT_STRONGSWAN6
. "$VM_TOP/tests/interop/strongswan.sh"
. "$VM_TOP/tests/interop/auth.sh"

TLS13='negotiated TLS 1.3 using suite'

# theirs NAME: strongSwan shows that certificate; ROOT: what it wants of esptund.
theirs() {
	echo "auth = pubkey
	      certs = $1.east.crt"
}
ROOT='auth = pubkey
	      cacerts = root.crt'

load_esptun
two_hosts
lans
charon 'load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici eap-identity eap-tls' \
	'tls {' '  version_max = 1.3' '}'
authority root ec:P-256 ''
authority middle ec:P-384 root
authority other ec:P-256 ''
both_ends ecdsa ec:P-256 root
both_ends ed25519 ed25519 middle root
both_ends stranger ec:P-256 other
leaf carol ec:P-256 root email:carol@example.org
leaf dave ec:P-256 root email:dave@example.org
leaf mallory ec:P-256 other email:carol@example.org
cp "$dir/"{ecdsa.east,ed25519.east,stranger.east,dave}.key "$their_etc/swanctl/private/"
cp "$dir/"{ecdsa.east,ed25519.east,stranger.east,dave}.crt "$their_etc/swanctl/x509/"
cp "$dir/"{root,middle}.crt "$their_etc/swanctl/x509ca/"
swan
ours
agent west

swan sauth="$(theirs ecdsa)" oauth="$ROOT"
both_roles ECDSA 'pubkey, pubkey' "'west.example' with ECDSA_WITH_SHA256_DER" ours_by ecdsa
swan sauth="$(theirs ed25519)" oauth="$ROOT"
both_roles "Ed25519, a chain of three" 'pubkey, pubkey' "'west.example' with ED25519" ours_by ed25519

# ---- EAP-TLS ------------------------------------------------------------------------------------

# user CERT [KEY=VALUE...]: esptund is a user of strongSwan, with that certificate.
user() {
	ours "$FITS" lid=carol@example.org key="LocalAuth = eap
	EAP = carol@example.org
	Key = $dir/$1.key
	Cert = $dir/$1.crt" proof="EAPMethods = tls
	CA = $dir/root.crt" "${@:2}"
}

# server [CA]: esptund has users.
server() {
	ours "$FITS" endpoint= rid=dave@example.org key="Key = $dir/ecdsa.west.key
	Cert = $dir/ecdsa.west.crt" proof="RemoteAuth = eap
	EAPMethods = tls
	CA = ${1:-$dir/root.crt}
	Clients = 2"
}

begin_anew
swan rid=carol@example.org sauth="$(theirs ecdsa)" oauth='auth = eap-tls
	      eap_id = %any
	      cacerts = root.crt'
user carol begin=traffic
we_begin
is_up "EAP-TLS, esptund is the user" initiator 'eap, pubkey' "'carol@example.org' with EAP successful"
like "EAP-TLS, esptund is the user: by TLS 1.3" "$(peer_said 'negotiated TLS')" "$TLS13"
user mallory begin=traffic
refused "EAP-TLS, a user of another CA" we_begin 'peer ended TLS with the alert'

begin_anew
swan lid=dave@example.org sauth='auth = eap-tls
	      certs = dave.crt
	      eap_id = dave@example.org' oauth="$ROOT"
server
they_begin
is_up "EAP-TLS, esptund is the server" responder 'pubkey, eap' "'west.example' with EAP successful"
like "EAP-TLS, esptund is the server: by TLS 1.3" "$(peer_said 'negotiated TLS')" "$TLS13"
server "$dir/other.crt"
refused "EAP-TLS, a user whose CA esptund does not know" they_begin \
	"is issued by 'C=CH, O=Example, CN=root', which CA= does not name"

# ---- what is refused ----------------------------------------------------------------------------

swan sauth="$(theirs stranger)" oauth="$ROOT"
ours_by ecdsa begin=traffic
refused "an unknown CA" we_begin "is issued by 'C=CH, O=Example, CN=other', which CA= does not name"
ours_by ecdsa begin=listen
refused "an unknown CA, strongSwan begins" they_begin "is issued by 'C=CH, O=Example, CN=other', which CA= does not name"
swan sauth="$(theirs ecdsa)" oauth="$ROOT"
ours_by ecdsa begin=traffic rid=other.example
refused "another identity" we_begin "AUTHENTICATION_FAILED: .* or is not 'other.example'"
ours_by stranger begin=traffic
refused "a certificate that strongSwan does not trust" we_begin 'AUTHENTICATION_FAILED.*compare Key='
check "esptund ends" agent_stop west
peer_stop
finish
