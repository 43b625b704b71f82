#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 500
#
# Every algorithm that the kernel's own ESP has, against it: esptun in the west, xfrm in
# the east (tunnel mode, ESP in UDP), 32- and 64-bit sequence numbers, both directions,
# IPv4 and IPv6 inside, packets of all lengths modulo 16, the largest of them fragmented.
# All of them against code that shares nothing with the module. Legacy algorithms only
# with legacy=1. "esptun algo show" tells the truth about all this.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# made OCTETS START: a key.
made() {
	local i
	[ "$1" = 0 ] || printf 0x
	for ((i = 0; i < $1; i++)); do
		printf %02x $((($2 + i * 7) & 255))
	done
}

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
must at west ip link set vpn0 mtu 1350
encap_socket east 192.0.2.2
xfrm_link 192.0.2.1 192.0.2.2 1350

include "modern" "$PYTHON" "$VM_LIB/algos_cases.py" modern

# ---- how they are shown -------------------------------------------------------------

pair() {
	at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 enc 'cbc(aes)' "$(made 16 0x50)" \
		auth-trunc 'hmac(sha256)' "$(made 32 0x51)" 128
}
check "names of ip xfrm" pair
like "both drivers are shown" "$(at west esptun sa show dev vpn0)" 'driver [^ ]*cbc[^ ]*\+hmac'
like "both names are shown" "$(at west esptun sa show dev vpn0)" 'algo aes-cbc-128 auth hmac-sha256'
like "both keys, if asked for" "$(at west esptun -show-keys sa show dev vpn0)" \
	'key 0x[0-9a-f]{32} auth hmac-sha256 auth-key 0x[0-9a-f]{64} '
is "two keys in JSON" "$(at west esptun -j -show-keys sa show dev vpn0 |
	jq -r '[.[] | select(.dir == "in") | .auth, (.key | length), (.integ_key | length)] | join(" ")')" \
	'hmac-sha256 34 66'

# ---- what there is ------------------------------------------------------------------

algo_show() {
	at west esptun -j algo show
}

is "modern algorithms are here" "$(algo_show | jq -r '.[] | select(.class == "modern" and .state != "available") | .name')" ''
is "legacy ones are not" "$(algo_show | jq -r '.[] | select(.class == "legacy" and .state != "refused") | .name')" ''
like "as text" "$(at west esptun algo show)" 'encr ENCR_AES_CBC id 12 class modern state available driver [^ ]*cbc'
like "with lengths" "$(at west esptun -o algo show)" 'ENCR_AES_GCM_8 .* xfrm rfc4106\(gcm\(aes\)\) key 128,192,256 salt 32 iv 64 icv 64'
is "one line each" "$(at west esptun -br algo show | wc -l)" "$(algo_show | jq length)"
refuse "who is not root" 'permitted|root' at west setpriv --reuid 65534 --clear-groups esptun algo show

# Every row of the module has the library's names and lengths: "sa add" reads it, and the
# kernel agrees about its keys.
names_agree() {
	local type name bits icv spi=0x5000 auth=()
	while read -r type name bits icv; do
		must at west esptun sa flush dev vpn0
		spi=$((spi + 1))
		auth=(auth AUTH_HMAC_SHA1_96 "$(made 20 1)")
		if [ "$type" = auth ]; then
			at west esptun sa add dev vpn0 dir in spi $spi peer 1 enc null '' \
				auth-trunc "$name" "$(made "$bits" 1)" "$icv" || return 1
		elif [ "$icv" = 0 ]; then
			at west esptun sa add dev vpn0 dir in spi $spi peer 1 enc "$name" "$(made "$bits" 1)" \
				"${auth[@]}" || return 1
		else
			at west esptun sa add dev vpn0 dir in spi $spi peer 1 aead "$name" "$(made "$bits" 1)" \
				"$icv" || return 1
		fi
	done < <(algo_show | jq -r '.[] | select(.state == "available") | . as $a | (.key_bits + [])
		| (if length == 0 then [-($a.salt_bits)] else . end)[]
		| [$a.type, $a.name, (. + $a.salt_bits) / 8, $a.icv_bits] | join(" ")')
}
check "library and module have the same names, lengths and ICVs" names_agree

# ---- refusals -----------------------------------------------------------------------

add_in() {
	at west esptun sa add dev vpn0 dir in spi 0x6000 peer 1 "$@"
}

refuse "3DES" 'legacy=1' add_in enc 'cbc(des3_ede)' "$(made 24 1)" auth 'hmac(sha1)' "$(made 20 1)"
refuse "HMAC-MD5" 'integ: a legacy algorithm' add_in enc 'cbc(aes)' "$(made 16 1)" auth 'hmac(md5)' "$(made 16 1)"
is "and nothing about it in the log" "$(dmesg | grep -c 'legacy')" 0

in_quiet west ip link del vpn0
must rmmod esptun
dmesg -C
must modprobe esptun legacy=1
like "a warning, with legacy=1" "$(dmesg)" 'esptun: legacy=1'
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
must at west ip link set vpn0 mtu 1350
include "legacy" "$PYTHON" "$VM_LIB/algos_cases.py" legacy
is "legacy algorithms are here, now" "$(algo_show | jq -r '.[] | select(.name == "ENCR_3DES" or .name == "AUTH_HMAC_MD5_96") | .class + " " + .state' | sort -u)" 'legacy available'
check "library and module agree about them, too" names_agree

# ---- ciphers with blocks of 64 bits end (Sweet32) ------------------------------------

hard_bytes() {
	in_quiet west esptun -j sa show dir in spi 0x6000 | jq -r '.[0].hard_bytes // 0'
}
must at west esptun sa flush dev vpn0
weak() { # OPTION...
	add_in enc 'cbc(des3_ede)' "$(made 24 1)" auth 'hmac(sha1)' "$(made 20 1)" "$@"
}
must weak
is "3DES: an SA ends after 8 MiB, unless told otherwise" "$(hard_bytes)" 8388608
must at west esptun sa del dev vpn0 dir in spi 0x6000
must weak limit hard-bytes 1g limit soft-bytes 512m
is "as here" "$(hard_bytes)" 1073741824
must at west esptun sa del dev vpn0 dir in spi 0x6000
must weak limit hard-bytes 0
is "or here, for ever" "$(hard_bytes)" 0
must at west esptun sa del dev vpn0 dir in spi 0x6000
refuse "a soft limit beyond that asks for a hard one" 'give hard-bytes, too' weak limit soft-bytes 9m
must add_in enc 'cbc(aes)' "$(made 16 1)" auth 'hmac(sha1)' "$(made 20 1)"
is "AES has no such limit" "$(hard_bytes)" 0

# ---- a kernel that lacks some -------------------------------------------------------

in_quiet west ip link del vpn0
must rmmod esptun
for module in ccm cmac xcbc; do
	rmmod $module 2> /dev/null
	printf 'install %s false\n' $module >> /etc/modprobe.d/esptun-lack.conf
done
must modprobe esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
is "an algorithm without a driver is told of" \
	"$(algo_show | jq -r '.[] | select(.name == "ENCR_AES_CCM_16") | .state, has("driver")' | xargs)" 'missing false'
refuse "and refused" 'encr: this kernel has no driver' add_in aead 'rfc4309(ccm(aes))' "$(made 19 1)" 128
# From 7.0 on xcbc(aes) cannot be taken away: it is a part of AES. What the list says holds.
xcbc() { add_in enc 'cbc(aes)' "$(made 16 1)" auth 'xcbc(aes)' "$(made 16 1)"; }
if [ "$(algo_show | jq -r '.[] | select(.name == "AUTH_AES_XCBC_96") | .state')" = missing ]; then
	refuse "the same of integrity" 'integ: this kernel has no driver' xcbc
else
	check "an integrity algorithm that is there is taken" xcbc
	must at west esptun sa del dev vpn0 dir in spi 0x6000
fi
check "others are as they were" add_in algo aes-gcm-256 key "$(made 36 1)"
# A request starts no modprobe: it would make the module.
rm /etc/modprobe.d/esptun-lack.conf
refuse "no request looks for it again" 'no driver' add_in aead 'rfc4309(ccm(aes))' "$(made 19 1)" 128
unlike "nor loads a module" "$(lsmod)" '^ccm '
finish
