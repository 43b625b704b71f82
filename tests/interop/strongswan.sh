# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# strongSwan as the east end of two_hosts, esptund as the west one, a network behind each.
# Source it after lib.sh and agent.sh.
#
#   west: esptund                          east: strongSwan
#   10.1.0.1/24 lan0                       10.2.0.1/24 lan0
#   192.0.2.1/24 w0 --------- veth ------- 192.0.2.2/24 e0

# shellcheck disable=SC2034,SC2154 # shared with the scripts and lib.sh
charon_pid='' answer='' status=0

# lans: the networks behind both ends.
lans() {
	local side
	for side in west:10.1.0.1 east:10.2.0.1; do
		must ip -n "${side%:*}" link add lan0 type dummy
		must ip -n "${side%:*}" addr add "${side#*:}/24" dev lan0
		must ip -n "${side%:*}" link set lan0 up
	done
}

# charon [LINE of strongswan.conf's charon section...]: strongSwan runs in east.
charon() {
	mkdir -p /etc/netns/east/swanctl/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	{
		echo "charon {"
		echo "  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici"
		printf '  %s\n' "$@"
		printf '  filelog {\n    stderr {\n      default = 1\n      ike = 2\n      cfg = 2\n    }\n  }\n}\n'
	} > /etc/netns/east/strongswan.conf
	start east "$VM_OUT/charon.log" /usr/lib/ipsec/charon
	charon_pid=$started
	wait_for 30 in_quiet east swanctl --stats || bail "strongSwan does not start"
}

# swan [KEY=VALUE...]: writes and loads its side. conn, child, children: further lines of the
# connection, of the child "net", further children.
swan() {
	local psk=$AGENT_PSK ike=aes256gcm16-prfsha256-x25519 esp=aes256gcm16
	local lid=east.example rid=west.example lts=10.2.0.0/24 rts=10.1.0.0/24
	local conn='' child='' children=''
	[ $# = 0 ] || local "$@"
	cat > /etc/netns/east/swanctl/swanctl.conf <<-END
	connections {
	  west {
	    version = 2
	    remote_addrs = 192.0.2.1
	    proposals = $ike
	    $conn
	    local {
	      auth = psk
	      id = $lid
	    }
	    remote {
	      auth = psk
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
	quietly in_quiet east swanctl --load-all --clear || bail "strongSwan does not take its configuration"
}

# ours [KEY=VALUE...]: writes esptund's side; endpoint= (empty) leaves Endpoint out.
ours() {
	local psk=$AGENT_PSK crypto=modern selectors=any begin=now liveness=30 endpoint=192.0.2.2 rekey=''
	local lid=west.example rid=east.example
	[ $# = 0 ] || local "$@"
	conf west vpn0 <<-END
	[Tunnel]
	LocalID = $lid
	[Peer]
	${endpoint:+Endpoint = $endpoint}
	RemoteID = $rid
	PSK = $psk
	Routes = 10.2.0.0/24, 10.3.0.0/24
	Crypto = $crypto
	Selectors = $selectors
	${endpoint:+Start = $begin}
	Liveness = $liveness
	${rekey:+Rekey = $rekey}
	END
}

their_sas() {
	in_quiet east swanctl --list-sas
}

no_sas() {
	[ -z "$(their_sas)" ]
}

# ended: strongSwan has no IKE SA left; one that it was about to replace may come once more.
ended() {
	in_quiet east swanctl --terminate --ike west --force > /dev/null 2>&1
	no_sas
}

# begin_anew: nothing is left of the former case at either end.
begin_anew() {
	tell west down vpn0 > /dev/null 2>&1
	wait_for 20 ended || { their_sas; bail "strongSwan keeps its SA"; }
}

# we_begin, they_begin: with the configuration written last; what was said is left in
# $answer, the exit code in $status.
we_begin() {
	tell west reload > /dev/null
	answer=$(tell west up vpn0 timeout 30 2>&1)
	status=$?
	echo "$answer"
}

they_begin() {
	tell west reload > /dev/null
	tell west up vpn0 timeout 0 > /dev/null 2>&1 # so that it listens
	echo "[east] swanctl --initiate --child net" >&9
	answer=$(in_quiet east swanctl --initiate --child net --timeout 20 2>&1)
	status=$?
	tail -n 5 <<< "$answer"
}
