#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Certificates of esptun ca at both ends, for each kind of key: esptund itself, without a kernel module (no_module.c), and
# strongSwan. One that is revoked is refused, by a new CRL of esptun ca revoke, too.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

ca=$VM_OUT/ca
program=$(cd "$VM_TOP" && realpath "${B:-build}/esptun")

esptun_ca() {
	"$program" ca "$1" "${@:2}" --dir "$ca" >> "$VM_OUT/ca.log" 2>&1
}

up() {
	[ "$(grep -c "IKE_SA $1\[[0-9]*\] established" "$VM_OUT/charon.log")" -ge "$2" ]
}

three_hosts
make_folders
charon
check "a CA" esptun_ca init --name "Tests of esptun"
cp "$ca/ca.crt" "$VM_OUT/x509ca/"
n=0
for kind in ecdsa-p256 ecdsa-p384 rsa-3072 ed25519; do
	n=$((n + 1))
	must esptun_ca issue "$kind.west.example" --key "$kind"
	must esptun_ca issue "$kind.east.example" --key "$kind"
	cp "$ca/issued/$kind.east.example.key" "$VM_OUT/private/"
	cp "$ca/issued/$kind.east.example.crt" "$VM_OUT/x509/"
	tunnel west $n "$kind" start=now rid="$kind.east.example" key="Key = $ca/issued/$kind.west.example.key
	Cert = $ca/issued/$kind.west.example.crt" proof="CA = $ca/ca.crt
	CRL = $ca/ca.crl
	Revocation = strict" sauth="auth = pubkey
	      certs = $kind.east.example.crt" oauth='auth = pubkey
	      cacerts = ca.crt'
done
check "ed25519 is revoked" esptun_ca revoke ed25519.east.example
load_swan
# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
start west "$VM_OUT/agent.log" "$esptund" --config /run/conf/west --socket /run/agent.sock --foreground
agent=$started
for kind in ecdsa-p256 ecdsa-p384 rsa-3072; do
	check "$kind: up" wait_for 20 up "$kind" 1
done
check "ed25519: refused, as it is revoked" wait_for 20 grep -q "ed25519.*CN=ed25519.east.example' (serial number .*) was revoked on" "$VM_OUT/agent.log"

# One that is connected, and is revoked then.
check "ecdsa-p384 is revoked" esptun_ca revoke ecdsa-p384.east.example
check "its CRL is read again" wait_for 100 grep -q 'ecdsa-p384.*ca.crl was changed, and is read again' "$VM_OUT/agent.log"
check "and who is revoked has to prove itself anew" wait_for 10 grep -q "'ecdsa-p384.east.example' proved itself by was revoked since" "$VM_OUT/agent.log"
check "and is refused" wait_for 20 grep -q "CN=ecdsa-p384.east.example' (serial number .*) was revoked on" "$VM_OUT/agent.log"
is "the others stay" "$(grep -c 'IKE_SA rsa-3072\[[0-9]*\] established' "$VM_OUT/charon.log")" 1
kill -TERM "$agent"
check "ends in peace" wait_for 15 gone "$agent"
finish
