# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tunnels with users of EAP, at either end. Source it after certs.sh.

# shellcheck disable=SC2154 # $VM_OUT, $dir: tests/sock/run, certs.sh
EAP_PLUGINS='load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 aes sha1 sha2 md5 hmac kdf gcm curve25519 kernel-libipsec kernel-netlink socket-default vici eap-identity eap-mschapv2 eap-md5'

# secret NAME PASSWORD: strongSwan knows it, as the server and as the user.
secrets=0
secret() {
	secrets=$((secrets + 1))
	cat >> "$VM_OUT/swanctl.conf" <<-END
	secrets {
	  eap-$secrets {
	    id = $1
	    secret = "$2"
	  }
	}
	END
}

# we_log_in N NAME USER PASSWORD METHOD [KEY=VALUE...]: we are a user of strongSwan, which knows it by METHOD.
we_log_in() {
	tunnel west "$1" "$2" lid="$3" key="LocalAuth = eap
	EAP = $3
	Password = $4" proof="CA = $dir/root.crt" rid=east.example sauth='auth = pubkey
	      certs = east.crt' oauth="auth = eap-$5
	      eap_id = %any" "${@:6}"
	# By default our identity is the user's name.
	sed -i '/^LocalID/d' "/run/conf/west/$2.conf"
}

# they_log_in N NAME USER METHOD [KEY=VALUE...]: strongSwan is a user of ours.
they_log_in() {
	tunnel west "$1" "$2" start=listen lid="$2.west.example" rid=client.example key="Key = $dir/west.key
	Cert = $dir/west.crt" proof="RemoteAuth = eap
	Users = $dir/users
	Clients = 2" sauth="auth = eap-$4
	      eap_id = $3" oauth='auth = pubkey
	      cacerts = root.crt' "${@:5}"
	sed -i '/^Endpoint/d; s/^RemoteID = .*/RemoteID = any/' "/run/conf/west/$2.conf"
}

# we_come N NAME FIRST USER PASSWORD [KEY=VALUE...]: we have two rounds, FIRST (pubkey, by $dir/west.crt, or psk), then EAP.
we_come() {
	local first="Key = $dir/west.key
	Cert = $dir/west.crt" psk='' oauth='auth = pubkey
	      cacerts = root.crt'
	[ "$3" = pubkey ] || first='' psk="PSK = $PSK" oauth='auth = psk'
	tunnel west "$1" "$2" key="LocalAuth = $3, eap
	$first
	EAP = $4
	Password = $5" proof="RemoteAuth = pubkey
	CA = $dir/root.crt
	$psk" sauth='auth = pubkey
	      certs = east.crt' oauth="$oauth" conn='remote-2 {
	      round = 2
	      auth = eap-mschapv2
	      eap_id = %any
	    }' "${@:6}"
}

# they_come N NAME FIRST USER [KEY=VALUE...]: strongSwan has two rounds, by laptop.crt, and we are the server, with $dir/hub.crt.
they_come() {
	local first="CA = $dir/root.crt
	FirstID = laptop.example" sauth='auth = pubkey
	      certs = laptop.crt'
	[ "$3" = pubkey ] || first="PSK = $PSK" sauth='auth = psk'
	tunnel west "$1" "$2" start=listen rid=laptop.example key="Key = $dir/hub.key
	Cert = $dir/hub.crt
	LocalAuth = pubkey" proof="RemoteAuth = $3, eap
	$first
	Users = $dir/users
	Clients = 2" sauth="$sauth" oauth='auth = pubkey
	      cacerts = root.crt' conn="local-2 {
	      round = 2
	      auth = eap-mschapv2
	      eap_id = $4
	    }" "${@:5}"
	sed -i '/^Endpoint/d; s/^RemoteID = .*/RemoteID = any/' "/run/conf/west/$2.conf"
}
