#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# esptund (west) and libreswan 4.10 with the kernel's ESP (east), each beginning: certificates of RSA, by RSASSA-PSS
# and by RSASSA-PKCS1-v1_5, and of ECDSA; a chain of three; raw public keys; one end by a PSK, the other by a
# certificate. And what is refused, with what esptund says of it, EAP-TLS among that. (Its PSK: t_rekey_libreswan.sh.)

# shellcheck disable=SC2154 # $dir is of certs.sh, $PEER_ROOT and $status of west.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
PEER_ROOT=$ROOT_LIBRESWAN
. "$VM_TOP/tests/interop/libreswan.sh"
. "$VM_TOP/tests/interop/auth.sh"

# by NAME AUTHBY [KEY=VALUE of peer_conf...]: libreswan shows the certificate NAME.east, and wants one of its CA.
by() {
	peer_conf auth="authby = $2
	  leftcert = $1
	  leftsendcert = always
	  sendca = all" "${@:3}"
}

# public_key KEY: as libreswan has RSA's, RFC 3110 in base64.
public_key() {
	local modulus
	modulus=$(openssl rsa -in "$1" -noout -modulus 2> /dev/null)
	echo "03010001${modulus#*=}" | xxd -r -p | base64 -w 0
}

load_esptun
two_hosts
lans
peer_start
authority root ec:P-256 ''
authority middle ec:P-384 root
authority other ec:P-256 ''
both_ends rsa rsa:2048 root
both_ends ecdsa ec:P-256 root
both_ends chain ec:P-384 middle root
both_ends stranger ec:P-256 other
leaf carol ec:P-256 root email:carol@example.org
nss_authority root "$dir/root.crt"
for name in rsa ecdsa chain stranger; do
	nss_own "$name" "$dir/$name.east.key" "$dir/$name.east.chain"
done
peer_conf
ours
agent west

by rsa rsa-sha2
both_roles "RSASSA-PSS" 'pubkey, pubkey' 'RSASSA-PSS with SHA2_256' ours_by rsa trust="CA = $dir/root.crt
	Signatures = pss"
# libreswan's own proof is RSASSA-PSS, as always where both know RFC 7427.
by rsa rsasig
both_roles "RSASSA-PKCS1-v1_5" 'pubkey, pubkey' 'PKCS' ours_by rsa
by ecdsa ecdsa
both_roles "ECDSA P-256" 'pubkey, pubkey' 'ECDSA with SHA2' ours_by ecdsa
by chain ecdsa
both_roles "ECDSA P-384, a chain of three" 'pubkey, pubkey' 'ECDSA with SHA2' ours_by chain

# Raw keys: what RFC 3110 has of ours, and the one in libreswan's certificate.
openssl pkey -in "$dir/rsa.east.key" -pubout -out "$dir/east.pub"
peer_conf auth="authby = rsa-sha2
	  leftrsasigkey = 0s$(public_key "$dir/rsa.east.key")
	  rightrsasigkey = 0s$(public_key "$dir/rsa.west.key")"
both_roles "raw keys" 'pubkey, pubkey' 'RSASSA-PSS with SHA2_256' ours "$FITS" key="Key = $dir/rsa.west.key" \
	proof="PublicKey = $dir/east.pub
	Signatures = pss"

peer_conf auth="leftauth = ecdsa
	  rightauth = secret
	  leftcert = ecdsa
	  leftsendcert = always"
both_roles "their certificate, our PSK" 'psk, pubkey' 'secret' ours "$FITS" proof="PSK = $AGENT_PSK
	CA = $dir/root.crt
	RemoteAuth = pubkey"

# ---- what is refused ----------------------------------------------------------------------------

by ecdsa ecdsa
ours_by ecdsa begin=traffic trust="CA = $dir/other.crt"
refused "an unknown CA" we_begin "is issued by 'C=CH, O=Example, CN=root', which CA= does not name"
ours_by ecdsa begin=listen trust="CA = $dir/other.crt"
refused "an unknown CA, libreswan begins" they_begin "is issued by 'C=CH, O=Example, CN=root', which CA= does not name"
ours_by ecdsa begin=traffic rid=other.example
refused "another identity" we_begin "peer identifies as 'east.example', but RemoteID= expects 'other.example'"
ours_by stranger begin=traffic
refused "a certificate that libreswan does not trust" we_begin 'AUTHENTICATION_FAILED.*compare Key='
by ecdsa ecdsa lid=@liar.example
ours_by ecdsa begin=traffic rid=liar.example
refused "a certificate of another name" we_begin "its certificate 'C=CH, O=Example, CN=ecdsa.east' is for 'east.example'"
by ecdsa ecdsa lid=@liar.example
ours_by ecdsa begin=listen rid=liar.example
refused "a certificate of another name, libreswan begins" they_begin "its certificate 'C=CH, O=Example, CN=ecdsa.east' is for 'east.example'"
# By TLS 1.3 libreswan's server ends without the message of RFC 9190 2.5, and esptund takes no EAP-Success without that.
peer_conf rid=carol@example.org auth="leftauth = eaponly
	  leftautheap = tls
	  rightauth = eaponly
	  rightautheap = tls
	  leftcert = ecdsa"
ours "$FITS" begin=traffic lid=carol@example.org key="LocalAuth = eap
	EAP = carol@example.org
	Key = $dir/carol.key
	Cert = $dir/carol.crt" proof="EAPMethods = tls
	RemoteAuth = eap-only
	CA = $dir/root.crt"
refused "EAP-TLS" we_begin 'peer says nothing in EAP-TLS where a message is due'
check "esptund ends" agent_stop west
peer_stop
finish
