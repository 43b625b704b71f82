#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund itself, without a kernel module (no_module.c): the process with the keys signs and the one that
# speaks IKE verifies, both confined; one key is encrypted; and keys and CRLs change while it runs.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"

# names: the subjects of the certificates of ours that strongSwan was shown.
shown() {
	grep -c "received end entity cert \"C=CH, O=Example, CN=$1\"" "$VM_OUT/charon.log"
}

# up NAME TIMES: strongSwan has had so many IKE SAs of it.
up() {
	[ "$(grep -c "IKE_SA $1\[[0-9]*\] established" "$VM_OUT/charon.log")" -ge "$2" ]
}

# crls [CERTIFICATE...]: those of root and middle are in $dir/ours.crl, which revoke these.
crls() {
	revocations of-root root yesterday tomorrow
	revocations of-middle middle yesterday tomorrow "$@"
	cat "$dir/of-root.crl" "$dir/of-middle.crl" > "$dir/ours.new"
	mv "$dir/ours.new" "$dir/ours.crl"
}

three_hosts
make_folders
charon 'rsa_pss = yes'
authority root rsa:2048 ''
authority middle ec:P-384 root
cp "$dir/root.crt" "$dir/middle.crt" "$VM_OUT/x509ca/"
for name in rsa ed25519; do
	kind=$name
	[ $name = ed25519 ] || kind=rsa:2048
	leaf "$name" $kind middle "DNS:$name.west.example"
	leaf "$name.east" $kind middle "DNS:$name.east.example"
	cat "$dir/$name.crt" "$dir/middle.crt" > "$dir/$name.chain"
	cp "$dir/$name.east.key" "$VM_OUT/private/"
	cp "$dir/$name.east.crt" "$VM_OUT/x509/"
done
crls
response ed25519 middle
n=0
for name in rsa ed25519; do
	n=$((n + 1)) more="OCSP = $dir/$name.ocsp"
	if [ $name = rsa ]; then
		echo 'correct horse' > "$dir/$name.phrase"
		chmod 600 "$dir/$name.phrase"
		openssl pkcs8 -topk8 -in "$dir/$name.key" -passout "file:$dir/$name.phrase" -out "$dir/$name.new"
		mv "$dir/$name.new" "$dir/$name.key"
		more="KeyPassphrase = file:$dir/$name.phrase"
	fi
	tunnel west $n "$name" start=now rid="$name.east.example" key="Key = $dir/$name.key
	Cert = $dir/$name.chain
	$more" proof="CA = $dir/root.crt
	CRL = $dir/ours.crl
	Revocation = strict" sauth="auth = pubkey
	      certs = $name.east.crt" oauth='auth = pubkey
	      cacerts = root.crt'
done
load_swan
# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
start west "$VM_OUT/agent.log" "$esptund" --config /run/conf/west \
	--socket /run/agent.sock --foreground
agent=$started

check "RSA, chain of three: up" wait_for 20 up rsa 1
check "Ed25519, chain of three: up" wait_for 20 up ed25519 1
is "strongSwan saw our certificate" "$(shown ed25519)" 1

# Another key and certificate in the same files.
leaf renewed ec:P-256 middle DNS:ed25519.west.example
cat "$dir/renewed.crt" "$dir/middle.crt" > "$dir/ed25519.chain"
cp "$dir/renewed.key" "$dir/ed25519.key"
kill -HUP "$agent"
check "reload: the OCSP response is about the former certificate" wait_for 10 grep -q "is not about the certificate 'C=CH, O=Example, CN=renewed' of Cert=" "$VM_OUT/agent.log"
response renewed middle
mv "$dir/renewed.ocsp" "$dir/ed25519.ocsp"
kill -HUP "$agent"
check "reload: our new key is taken" wait_for 10 grep -q 'ed25519.*takes its changed configuration' "$VM_OUT/agent.log"
is "and the IKE SA stays" "$(grep -c 'IKE_SA ed25519\[[0-9]*\] established' "$VM_OUT/charon.log")" 1
quietly swan --terminate --ike ed25519 --timeout 10
check "the next IKE SA" wait_for 20 up ed25519 2
is "has the new one" "$(shown renewed)" 1

# Another CRL in the same file is found.
crls rsa.east
check "a new CRL is read" wait_for 100 grep -q 'rsa.*ours.crl was changed, and is read again' "$VM_OUT/agent.log"
check "whom it revokes has to prove itself anew" wait_for 10 grep -q "rsa.east.example' proved itself by was revoked since" "$VM_OUT/agent.log"
check "and is refused" wait_for 20 grep -q "CN=rsa.east' (serial number .*) was revoked on" "$VM_OUT/agent.log"
is "the other IKE SA stays" "$(grep -c 'IKE_SA ed25519\[[0-9]*\] established' "$VM_OUT/charon.log")" 2

# A key that others can read is none.
chmod 644 "$dir/ed25519.key"
kill -HUP "$agent"
check "a key that others can read is refused" wait_for 10 grep -q 'ed25519.key holds a key and can be read by others' "$VM_OUT/agent.log"
kill -TERM "$agent"
check "ends in peace" wait_for 15 gone "$agent"
finish
