#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ESP's algorithms, as far as libcrypto has them, each in a tunnel of its own: half of the tunnels
# begin here, the others at strongSwan. Both ends derive the same keys, or nothing would be answered.
# Some are rekeyed meanwhile. What both ends offer by default meets, too.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

# name; our words for ESP; strongSwan's; how it lists what was chosen; seconds after which it rekeys
# (kernel-libipsec has no ESN); the proposal for IKE.
tunnels='
cbc-sha256	aes256-sha256		aes256-sha256		AES_CBC-256/HMAC_SHA2_256_128	0
cbc-sha1	aes128-sha1		aes128-sha1		AES_CBC-128/HMAC_SHA1_96	5
cbc-sha384	aes192-sha384		aes192-sha384		AES_CBC-192/HMAC_SHA2_384_192	0
cbc-sha512	aes256-sha512		aes256-sha512		AES_CBC-256/HMAC_SHA2_512_256	5
cbc-pfs		aes256-sha256-x25519-pfs aes256-sha256-x25519	AES_CBC-256/HMAC_SHA2_256_128	5
3des		3des-sha1		3des-sha1		3DES_CBC/HMAC_SHA1_96		0	3des-sha1-modp1536
gcm8		aes128gcm8		aes128gcm8		AES_GCM_8-128			0
gcm12		aes256gcm12		aes256gcm12		AES_GCM_12-256			5
further		aes256gcm16-x25519-ke1_ecp384 aes256gcm16-x25519 AES_GCM_16-256		5
chacha		chacha20poly1305	chacha20poly1305	CHACHA20_POLY1305		0
only-cbc	modern			aes256-sha256		AES_CBC-256/HMAC_SHA2_256_128	5
only-sha1	modern			aes128-sha1		AES_CBC-128/HMAC_SHA1_96	0
first-cbc	modern			aes128-sha256,aes128gcm16 AES_				0
their-all	modern			default			AES_				0
old		aes128-sha1		aes128-sha1		AES_CBC-128/HMAC_SHA1_96	0	aes128-sha1-modp1536
oldest		3des-sha1		3des-sha1		3DES_CBC/HMAC_SHA1_96		0	3des-sha1-modp1024'

make_tunnel() {
	local start=listen rekey=''
	[ $(($1 % 2)) = 0 ] || start=now
	[ "$6" = 0 ] || rekey="rekey_time = ${6}s
	        life_time = 30s
	        rand_time = 0"
	local ike=${7:-aes256gcm16-prfsha256-x25519}
	tunnel west "$1" "$2" start=$start ike="$ike" crypto="ike:$ike, esp:$3" esp="$4" \
		child="$rekey"
}

comes_up() {
	[ $(($1 % 2)) = 1 ] || quietly swan --initiate --child "$2" --timeout 10
	check "$2: up" wait_for 20 state_is west "$2" up
}

one_pair() {
	report west
	[ "$(our_pairs west "$1" | wc -l)" = 1 ] && [ "$(our_pairs west "$1")" = "$(their_pairs "$1")" ]
}

crosses() {
	local pairs
	check "$2: both ends have the same pair" wait_for 10 one_pair "$2"
	like "$2: strongSwan has these algorithms" "$(swan --list-sas --ike "$2")" "TUNNEL-in-UDP, ESP:$5"
	check "$2: ESP there and back" pings "$1"
	check "$2: once more" pings "$1"
	[ "$6" = 0 ] || return 0
	pairs=$(lines west "select(.event == \"install\" and .tunnel == \"$2\").spi_in" | sort -u | wc -l)
	is "$2: it was not rekeyed" "$pairs" 1
}

# What was rekeyed has the algorithms that it had (RFC 7296 2.8).
rekeyed() {
	[ "$6" != 0 ] || return 0
	renewed() {
		[ "$(lines west "select(.event == \"install\" and .tunnel == \"$1\").spi_in" | sort -u | wc -l)" -ge 3 ]
	}
	check "$2: rekeyed twice" wait_for 20 renewed "$2"
	crosses "$@"
	is "$2: with the algorithms of before" \
		"$(lines west "select(.event == \"install\" and .tunnel == \"$2\").cipher" | sort -u | wc -l)" 1
}

three_hosts
charon 'delete_rekeyed_delay = 1'
each make_tunnel
load_swan
ike west
each comes_up
each crosses
each rekeyed
is "every ESP packet was known and authentic" \
	"$(lines west 'select(.event == "total") | "\(.unknown) \(.bad)"' | tail -n 1)" '0 0'
check "ends in peace" ike_end west
finish
