# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# strongSwan as the east end; see west.sh. Of Debian 12, or of the Debian in $PEER_ROOT.
# Source it after lib.sh and agent.sh.

# shellcheck disable=SC2034,SC2154 # shared with the scripts and lib.sh
. "$VM_TOP/tests/interop/west.sh"
charon_pid='' peer_log=$VM_OUT/charon.log their_etc=${PEER_ROOT:+$PEER_ROOT/etc}
their_etc=${their_etc:-/etc/netns/east}

# charon [LINE of strongswan.conf's charon section...]: strongSwan runs in east.
charon() {
	peer_root
	warm_up
	mkdir -p "$their_etc"/swanctl/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	{
		echo "charon {"
		echo "  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici"
		printf '  %s\n' "$@"
		printf '  filelog {\n    stderr {\n      default = 1\n      ike = 2\n      cfg = 2\n    }\n  }\n}\n'
	} > "$their_etc/strongswan.conf"
	start east "$VM_OUT/charon.log" ${PEER_ROOT:+chroot "$PEER_ROOT"} /usr/lib/ipsec/charon
	charon_pid=$started
	wait_for 30 peer_run swanctl --stats || bail "strongSwan does not start"
}

# swan [KEY=VALUE...]: writes and loads its side. conn, child, children: further lines of the
# connection, of the child "net", further children; sauth, oauth: how it proves itself, and esptund does.
swan() {
	local psk=$AGENT_PSK ike=aes256gcm16-prfsha256-x25519 esp=aes256gcm16
	local lid=east.example rid=west.example lts=10.2.0.0/24 rts=10.1.0.0/24
	local remote=192.0.2.1 conn='' child='' children='' sauth='auth = psk' oauth='auth = psk'
	[ $# = 0 ] || local "$@"
	cat > "$their_etc/swanctl/swanctl.conf" <<-END
	connections {
	  west {
	    version = 2
	    remote_addrs = $remote
	    proposals = $ike
	    $conn
	    local {
	      $sauth
	      id = $lid
	    }
	    remote {
	      $oauth
	      id = $rid
	    }
	    children {
	      net {
	        local_ts = $lts
	        remote_ts = $rts
	        esp_proposals = $esp
	        $child
	      }
	      $children
	    }
	  }
	}
	secrets {
	  ike {
	    secret = "$psk"
	  }
	}
	END
	quietly peer_run swanctl --load-all --clear || bail "strongSwan does not take its configuration"
}

their_sas() {
	peer_run swanctl --list-sas
}

# ---- as any peer ---------------------------------------------------------------------------

peer_start() {
	charon
}

peer_stop() {
	stop "$charon_pid"
}

# Packets that cryptd lets others overtake are no loss of rekeying: the usual window is 32.
peer_conf() {
	local child='' ike='' pfs='' lines='replay_window = 1024'
	[ $# = 0 ] || local "$@"
	swan ${pfs:+esp=aes256gcm16-x25519} child="$lines${child:+
	rekey_time = ${child}s
	life_time = $((4 * child))s
	rand_time = 0}" conn="${ike:+rekey_time = ${ike}s
	over_time = 8s
	rand_time = 0}"
}

peer_initiate() {
	peer_run swanctl --initiate --child net --timeout 20
}

peer_terminate() {
	peer_run swanctl --terminate --ike west --force
}

peer_idle() {
	[ -z "$(their_sas)" ]
}

# peer_read: what it says last of esptund's proof, since begin_anew.
peer_read() {
	peer_said "authentication of '[^']*' with .* successful"
}
