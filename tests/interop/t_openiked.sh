#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 1500
#
# esptund (west) and OpenIKED 7.2 with the kernel's ESP (east), each beginning: a pre-shared key, certificates of
# RSA and ECDSA, raw public keys; ESP in UDP, plain, and behind a NAT; either end rekeys the child SA and the
# IKE SA; either end starts anew. esptund as a user of OpenIKED's, with an address of its. And what is refused.

# shellcheck disable=SC2154 # $dir is of certs.sh, $PEER_ROOT and $status of west.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
PEER_ROOT=$ROOT_OPENIKED
. "$VM_TOP/tests/interop/openiked.sh"
. "$VM_TOP/tests/interop/auth.sh"

IKE=aes256-sha256-x25519
KNOWN='FQDN/west.example.* ESTABLISHED'

# The sort of SAs that OpenIKED has on Linux.
ours_cbc() {
	ours "$FITS" crypto="ike:$IKE, esp:aes256-sha512" "$@"
}
ours_signs() {
	ours_by "$@" crypto="ike:$IKE, esp:aes256-sha512"
}

load_esptun
two_hosts
lans
peer_start
authority root ec:P-256 ''
authority other ec:P-256 ''
both_ends rsa rsa:2048 root
both_ends ecdsa ec:P-256 root
both_ends ed25519 ed25519 root
both_ends stranger ec:P-256 other
cp "$dir/root.crt" "$iked_etc/ca/"
iked_own "$dir/ecdsa.east.key" "$dir/ecdsa.east.crt"
peer_conf
ours
agent west

# ---- authentication -----------------------------------------------------------------------------

both_roles "PSK" 'psk, psk' "$KNOWN" ours_cbc
for kind in rsa ecdsa; do
	begin_anew
	iked_own "$dir/$kind.east.key" "$dir/$kind.east.crt"
	peer_conf proof=rfc7427
	both_roles "a certificate, $kind" 'pubkey, pubkey' "$KNOWN" ours_signs $kind
done
# Methods 1 and 9 of RFC 7296 and RFC 4754, of peers that do not know RFC 7427.
begin_anew
peer_conf proof=ecdsa256
both_roles "ECDSA as RFC 4754 has it" 'pubkey, pubkey' "$KNOWN" ours_signs ecdsa

# The file is named for the identity whose key it has.
for kind in rsa ecdsa; do
	begin_anew
	iked_own "$dir/$kind.east.key"
	openssl pkey -in "$dir/$kind.west.key" -pubout -out "$iked_etc/pubkeys/fqdn/west.example"
	peer_conf proof=rfc7427
	both_roles "raw keys, $kind" 'pubkey, pubkey' "$KNOWN" ours_cbc key="Key = $dir/$kind.west.key" \
		proof="PublicKey = $iked_etc/local.pub"
	rm "$iked_etc/pubkeys/fqdn/west.example"
done

# ---- HMAC-SHA2-256, which OpenIKED agrees to, and does not install ----------------------------------------------------

begin_anew
peer_conf esp='enc aes-256 auth hmac-sha2-256'
ours "$FITS" crypto="ike:$IKE, esp:aes256-sha256" begin=traffic
we_begin
is "HMAC-SHA2-256: up" "$status" 0
unlike "HMAC-SHA2-256: the peer's kernel has no SA of it" "$(in_quiet east ip xfrm state)" 'auth-trunc'
refuse "HMAC-SHA2-256: so nothing crosses" ' 0 received' at west ping -n -c 1 -W 5 -I 10.1.0.1 10.2.0.1

# ---- ESP in UDP, plain, behind a NAT --------------------------------------------------------------

# their_encap: how the peer's kernel has its SAs.
their_encap() {
	in_quiet east ip xfrm state | grep -o 'encap type [a-z]*' | sort -u
}
encap() {
	ours_cbc "${@:2}"
	sed -i "\$a Encap = $1" /run/conf/west/vpn0.conf
}
begin_anew
peer_conf
encap auto begin=traffic
we_begin
is_up "plain ESP" initiator 'psk, psk' "$KNOWN"
is "plain ESP: status tells it" "$(of west .ike.encap)" esp
is "plain ESP: the peer's kernel has it so" "$(their_encap)" ''
begin_anew
encap auto begin=listen
they_begin
is_up "plain ESP, the peer begins" responder 'psk, psk' "$KNOWN"
is "plain ESP, the peer begins: its kernel has it so" "$(their_encap)" ''
begin_anew
peer_conf flags=-t
encap auto begin=traffic endpoint=192.0.2.2:4500
we_begin
is_up "OpenIKED wants UDP (-t)" initiator 'psk, psk' "$KNOWN"
is "OpenIKED wants UDP (-t): its kernel has it so" "$(their_encap)" 'encap type espinudp'

begin_anew
must at west nft add table ip nat
must at west nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at west nft add rule ip nat post oifname w0 meta l4proto udp masquerade to :20000-30000
peer_conf peer=any
encap auto begin=traffic
we_begin
is_up "behind a NAT" initiator 'psk, psk' "$KNOWN"
is "behind a NAT: we are behind it" "$(of west .ike.nat_local)" true
like "behind a NAT: OpenIKED has the port outside" "$(peer_read)" '192.0.2.1:2[0-9]{4}'
begin_anew
must at west nft delete table ip nat

# ---- rekeying -----------------------------------------------------------------------------------

# had TABLE: SAs that esptund exported keys of; one line for an IKE SA, two for a pair.
had() {
	wc -l < "/run/keys/$1"
}

# rekeyed NAME ESP OURS [KEY=VALUE of peer_conf...]: the child SA twice at least, the IKE SA once, and packets cross
# all the time, and then.
rekeyed() {
	local name=$1 esp=$2 our=$3 children ikes pid
	shift 3
	begin_anew
	peer_conf "$@"
	ours "$FITS" crypto="ike:$IKE, esp:$esp" begin=traffic rekey="$our"
	we_begin
	is "$name: up" "$status" 0
	children=$(had esp_sa) ikes=$(had ikev2_decryption_table)
	start west "/run/rekeyed.ping" ping -n -i 0.2 -W 20 -I 10.1.0.1 10.2.0.1
	pid=$started
	enough() {
		[ "$(had esp_sa)" -ge $((children + 4)) ] && [ "$(had ikev2_decryption_table)" -gt "$ikes" ]
	}
	check "$name: the child SA twice, and the IKE SA" wait_for 120 enough
	stop "$pid"
	like "$name: no packet is lost" "$(grep received /run/rekeyed.ping)" ' 0% packet loss'
	crosses "$name"
	echo "# $name: $((($(had esp_sa) - children) / 2)) child SAs, $(($(had ikev2_decryption_table) - ikes)) IKE SAs;" \
		"$(grep received /run/rekeyed.ping)"
}
rekeyed "esptund rekeys" aes256-sha512 20s,8s
# The kernel asks OpenIKED for a new SA after 85 to 95 % of its time, and takes the old one away at its end.
rekeyed "OpenIKED rekeys" aes256-sha512 off,off child=60 ike=80
rekeyed "OpenIKED rekeys, with key exchanges" aes256-sha512-x25519 off,off child=60 ike=80 pfs=yes

# ---- either end starts anew -----------------------------------------------------------------------

begin_anew
peer_conf
ours_cbc begin=traffic liveness=5
we_begin
is "esptund starts anew: up" "$status" 0
check "esptund ends" agent_stop west
agent west
crosses "esptund starts anew"
iked_dies
peer_conf
check "OpenIKED starts anew: esptund finds it" wait_for 60 pings west 10.2.0.1 -I 10.1.0.1
crosses "OpenIKED starts anew"
peer_stop
iked_begin
check "OpenIKED ends and comes back" wait_for 60 pings west 10.2.0.1 -I 10.1.0.1
crosses "OpenIKED ends and comes back"

# ---- a user of OpenIKED's -------------------------------------------------------------------------

# eap [USER PASSWORD]: esptund logs in.
eap() {
	ours crypto="ike:$IKE, esp:aes256-sha512" begin=traffic key="Address = request
	LocalAuth = eap
	EAP = ${1:-carol}
	Password = ${2:-correct-horse-battery}" proof="CA = $dir/root.crt"
	sed -i '/^LocalID/d' /run/conf/west/vpn0.conf
}
begin_anew
must ip -n east route add 10.8.0.0/24 via 192.0.2.1
peer_conf more='user "carol" "correct-horse-battery"' rid='' peer=any flow='from 10.2.0.0/24 to dynamic' \
	proof='eap "mschap-v2" config address 10.8.0.0/24 config name-server 10.2.0.53'
for kind in rsa ecdsa; do
	begin_anew
	iked_own "$dir/$kind.east.key" "$dir/$kind.east.crt"
	iked_reload
	eap
	we_begin
	check "a user, $kind: up" wait_for 20 state_is west up || tail -n 15 "$peer_log"
	is "a user, $kind: who proves itself how" "$(ike_of '.local_auth + ", " + .remote_auth')" 'eap, pubkey'
	lease=$(of west '.lease[0]')
	like "a user, $kind: has an address" "$lease" '^10\.8\.0\.[0-9]+$'
	like "a user, $kind: which is on the netdevice" "$(ip -n west -4 addr show dev vpn0)" "inet $lease/32"
	check "a user, $kind: ping there" pings west 10.2.0.1 -I "$lease"
	check "a user, $kind: ping back" pings east "$lease" -I 10.2.0.1
	check "a user, $kind: the peer's kernel counts both directions" test "$(counted)" -ge 2
done
begin_anew
eap carol wrong-password-here
# It says nothing then.
refused "a wrong password" we_begin 'no answer from .* in the middle of EAP'

# ---- what is refused ----------------------------------------------------------------------------

begin_anew
iked_own "$dir/stranger.east.key" "$dir/stranger.east.crt"
peer_conf proof=rfc7427
ours_signs ecdsa begin=traffic
refused "an unknown CA" we_begin "is issued by 'C=CH, O=Example, CN=other', which CA= does not name"
begin_anew
iked_own "$dir/ecdsa.east.key" "$dir/ecdsa.east.crt"
peer_conf proof=rfc7427
ours_signs ecdsa begin=traffic rid=other.example
refused "another identity" we_begin "AUTHENTICATION_FAILED.*or is not 'other.example'"
ours_signs stranger begin=traffic
refused "a certificate that OpenIKED does not trust" we_begin 'AUTHENTICATION_FAILED'
ours_signs ed25519 begin=traffic
refused "Ed25519, which OpenIKED does not have" we_begin 'none of the hashes that our key \(Ed25519\) signs with'
peer_conf
ours_cbc begin=traffic psk=not-the-key-that-it-has-1234
refused "another PSK" we_begin 'AUTHENTICATION_FAILED'
check "esptund ends" agent_stop west
peer_stop
finish
