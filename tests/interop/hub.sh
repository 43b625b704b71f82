# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hub, esptund in the namespace hub, and strongSwans as its clients, each with an identity and a
# network of its own. To be sourced after lib.sh and agent.sh; the script sets key[N] for each client.
#
#   hub: esptund, 10.1.0.1/24 lan0        c1 ... cN: strongSwan, 10.2.N.1/24 lan0
#   192.0.N.1/24 wN ------- veth -------- 192.0.N.2/24 e0

# shellcheck disable=SC2034,SC2154 # shared with the scripts and lib.sh
declare -A key=()

# client_conf N [KEY=VALUE...]: writes and loads what strongSwan of client N is to do. id is the identity
# that it shows, remote the address of the other end, whose identity is peer.example.
client_conf() {
	local id=c$1.example remote=192.0.$1.1 peer=hub mode='' local_ts=10.2.$1.0/24 remote_ts=10.1.0.0/24
	[ $# = 1 ] || local "${@:2}"
	cat > "/etc/netns/c$1/swanctl/swanctl.conf" <<-END
	connections {
	  hub {
	    version = 2
	    ${remote:+remote_addrs = $remote}
	    proposals = aes256gcm16-prfsha256-x25519
	    local {
	      auth = psk
	      id = $id
	    }
	    remote {
	      auth = psk
	      id = $peer.example
	    }
	    children {
	      net {
	        ${mode:+mode = $mode}
	        local_ts = $local_ts
	        remote_ts = $remote_ts
	        esp_proposals = aes256gcm16
	      }
	    }
	  }
	}
	secrets {
	  ike {
	    secret = "${key[$1]}"
	  }
	}
	END
	quietly in_quiet "c$1" swanctl --load-all --clear ||
		bail "strongSwan of c$1 does not take its configuration"
}

# charon N: strongSwan of client N starts; its files in /run are its own.
declare -A charon_pid=()
charon() {
	local ns=c$1
	start "$ns" "$VM_OUT/charon-$ns.log" sh -c "mount -t tmpfs run /run && exec /usr/lib/ipsec/charon"
	charon_pid[$1]=$started
}

# charon_up N [KEY=VALUE...]: it runs, and has its configuration, as client_conf.
charon_up() {
	wait_for 60 in_quiet "c$1" swanctl --stats || bail "strongSwan of c$1 does not start"
	client_conf "$@"
}

# client N [NS]: its namespace, its network and its strongSwan, which is not up yet; NS, or the hub, is beside it.
client() {
	local ns=c$1 etc=/etc/netns/c$1
	add_ns "$ns"
	wire "${2:-hub}" "w$1" "192.0.$1.1/24" "$ns" e0 "192.0.$1.2/24"
	must ip -n "$ns" link add lan0 type dummy
	must ip -n "$ns" addr add "10.2.$1.1/24" dev lan0
	must ip -n "$ns" link set lan0 up
	mkdir -p "$etc/swanctl"/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	cat > "$etc/strongswan.conf" <<-END
	charon {
	  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici
	  filelog {
	    stderr {
	      default = 1
	    }
	  }
	  plugins {
	    vici {
	      socket = unix:///tmp/$ns.vici
	    }
	  }
	}
	swanctl {
	  socket = unix:///tmp/$ns.vici
	}
	END
	charon "$1"
}

# begin N: that client initiates.
begin() {
	in_quiet "c$1" swanctl --initiate --child net --timeout 300 > "/run/begin-$1.log" 2>&1
}

# clients FILTER: what the hub's status tells of them, in the order of their names.
clients() {
	ip netns exec hub esptun -j -control /run/hub.control status vpn0 |
		jq -r "[.tunnels[0].clients | sort_by(.id)[] | $1] | join(\" \")"
}

# shellcheck disable=SC2317 # for wait_for
n_clients_are() {
	[ "$(of hub .n_clients)" = "$1" ]
}

crossed() {
	check "$1: ping to c$2" pings hub "10.2.$2.1" -I 10.1.0.1
	check "$1: ping from c$2" pings "c$2" 10.1.0.1 -I "10.2.$2.1"
}

# hub: its namespace and network.
hub() {
	add_ns hub
	must ip -n hub link add lan0 type dummy
	must ip -n hub addr add 10.1.0.1/24 dev lan0
	must ip -n hub link set lan0 up
}
