# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# strongSwan in east, and up to two ikehosts, each in a network namespace of its own. Source it
# after lib.sh.
#
#   west:  ikehost, 192.0.2.10 and up         --- veth --- east: strongSwan, 192.0.2.1
#   lossy: ikehost that loses, 198.51.100.10… --- veth --- east: 198.51.100.1
#
# Tunnel number N of a side is from .1N to .1, and from 10.1.N.1 (10.3.N.1 of lossy), which
# ikehost plays, to 10.2.N.1 (10.4.N.1), an address of east.

# shellcheck disable=SC2154 # $VM_OUT, $IKEHOST: tests/sock/run
PSK=5dtRc2sPqYb8Wm1xVn7uKz4L
declare -A net=([west]=192.0.2 [lossy]=198.51.100) ours=([west]=10.1 [lossy]=10.3)
IKEHOST_BY=() # the command that runs ikehost, if it is not itself
declare -A theirs=([west]=10.2 [lossy]=10.4) ike_pid=()
charon_pid=''
# Its files as strongSwan sees them, which is that of the Debian in $PEER_ROOT, if there is one.
swan_dir=${PEER_ROOT:+/mnt}
swan_dir=${swan_dir:-$VM_OUT}

three_hosts() {
	add_ns east west lossy
	wire west w0 192.0.2.10/24 east e0 192.0.2.1/24
	wire lossy l0 198.51.100.10/24 east e1 198.51.100.1/24
	mkdir -p "$VM_OUT/swanctl"
	: > "$VM_OUT/swanctl.conf"
	[ -n "${PEER_ROOT:-}" ] || return 0
	must mount --rbind /dev "$PEER_ROOT/dev"
	must mount --rbind /proc "$PEER_ROOT/proc"
	must mount --bind /run "$PEER_ROOT/run"
	must mount --bind "$VM_OUT" "$PEER_ROOT/mnt"
}

# charon [LINE of strongswan.conf's charon section...]: starts strongSwan, which makes ipsec0.
charon() {
	local lines=''
	[ $# = 0 ] || printf -v lines '%s\n  ' "$@"
	cat > "$VM_OUT/strongswan.conf" <<-END
	charon {
	  load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 aes sha1 sha2 hmac kdf gcm curve25519 kernel-libipsec kernel-netlink socket-default vici
	  $lines
	  filelog {
	    stderr {
	      default = 1
	      time_format = %T
	    }
	  }
	}
	END
	STRONGSWAN_CONF=$swan_dir/strongswan.conf start east "$VM_OUT/charon.log" \
		${PEER_ROOT:+chroot "$PEER_ROOT"} /usr/lib/ipsec/charon
	charon_pid=$started
	wait_for 10 swan --stats || bail "strongSwan does not start: $(cat "$VM_OUT/charon.log")"
}

swan() {
	SWANCTL_DIR=$swan_dir/swanctl STRONGSWAN_CONF=$swan_dir/strongswan.conf in_quiet east \
		${PEER_ROOT:+chroot "$PEER_ROOT"} swanctl "$@"
}

# tunnel SIDE N NAME [KEY=VALUE...]: writes both ends' configuration of a tunnel; west and lossy
# call it NAME, strongSwan calls connection and child so. KEYs: start (of ours: now, listen), ike
# and esp (strongSwan's proposals), crypto (ours; those for ike unless given), lid and rid (our
# identity, and strongSwan's), peer (more lines of ours), conn and child (of strongSwan's); proof
# and key (lines of ours for [Peer] and [Tunnel], instead of the PSK), sauth and oauth
# (strongSwan's, how it proves itself and we do).
tunnel() {
	local side=$1 n=$2 name=$3 start=now ike=aes256gcm16-prfsha256-x25519 esp=aes256gcm16
	local proof="PSK = $PSK" key='' sauth='auth = psk' oauth='auth = psk'
	local child='' conn='' peer='' crypto='' lid=$name.$side.example rid=east.example
	local "${@:4}"
	local here=${net[$side]}.1$n there=${net[$side]}.1
	ip -n "$side" addr add "$here/24" dev "${side:0:1}0" 2> /dev/null
	ip -n east addr add "${theirs[$side]}.$n.1/32" dev lo 2> /dev/null
	mkdir -p "/run/conf/$side"
	cat > "/run/conf/$side/$name.conf" <<-END
	[Tunnel]
	LocalID = $lid
	Local = $here
	$key
	[Peer]
	Endpoint = $there
	RemoteID = $rid
	$proof
	Routes = ${theirs[$side]}.$n.0/24
	Crypto = ${crypto:-$ike}
	Start = $start
	$peer
	END
	chmod 600 "/run/conf/$side/$name.conf"
	cat >> "$VM_OUT/swanctl.conf" <<-END
	connections {
	  $name {
	    version = 2
	    local_addrs = $there
	    remote_addrs = $here
	    proposals = $ike
	    $conn
	    local {
	      $sauth
	      id = $rid
	    }
	    remote {
	      $oauth
	      id = $lid
	    }
	    children {
	      $name {
	        local_ts = ${theirs[$side]}.$n.0/24
	        remote_ts = ${ours[$side]}.$n.0/24
	        esp_proposals = $esp
	        $child
	      }
	    }
	  }
	}
	secrets {
	  ike-$name {
	    id = $lid
	    secret = "$PSK"
	  }
	}
	END
}

# hub: /run/conf/west/hub.conf of a hub, which lets clients with PSK in; what is read goes on with its [Peer].
hub() {
	mkdir -p /run/conf/west
	{
		cat <<-END
		[Tunnel]
		LocalID = hub.west.example
		Address = 10.9.0.1/24
		[Peer]
		RemoteID = *.client.example
		PSK = $PSK
		Clients = 5
		END
		cat
	} > /run/conf/west/hub.conf
	chmod 600 /run/conf/west/hub.conf
}

# client NAME [VIPS]: strongSwan's connection and child NAME, a client of that hub.
client() {
	cat >> "$VM_OUT/swanctl.conf" <<-END
	connections {
	  $1 {
	    version = 2
	    local_addrs = 192.0.2.1
	    remote_addrs = 192.0.2.10
	    proposals = aes256gcm16-prfsha256-x25519
	    ${2-}
	    local {
	      auth = psk
	      id = $1.client.example
	    }
	    remote {
	      auth = psk
	      id = hub.west.example
	    }
	    children {
	      $1 {
	        remote_ts = 10.1.1.0/24
	        esp_proposals = aes256gcm16
	      }
	    }
	  }
	}
	secrets {
	  ike-$1 {
	    id = $1.client.example
	    secret = "$PSK"
	  }
	}
	END
}

# ppk_of NAME PPKID KEY: strongSwan's.
ppk_of() {
	cat >> "$VM_OUT/swanctl.conf" <<-END
	secrets {
	  ppk-$1 {
	    id = $2
	    secret = $3
	  }
	}
	END
}

# each FUNCTION: for every line of $tunnels, a table of the script, its number and its columns.
each() {
	local n=0 line columns
	while read -r line; do
		[ -n "$line" ] || continue
		read -ra columns <<< "$line"
		n=$((n + 1))
		"$1" "$n" "${columns[@]}"
	done <<< "$tunnels"
}

load_swan() {
	quietly swan --load-all --clear --file "$swan_dir/swanctl.conf" ||
		bail "strongSwan does not take its configuration"
}

# ike SIDE [OPTION...]: starts ikehost with all tunnels of the side; its lines go to SIDE.json.
ike() {
	local side=$1
	shift
	start "$side" "$VM_OUT/$side.json" "${IKEHOST_BY[@]}" "$IKEHOST" "$@" "/run/conf/$side"/*.conf
	ike_pid[$side]=$started
	wait_for 10 holds "$VM_OUT/$side.json" '"ready"' ||
		bail "ikehost in $side: $(cat "$VM_OUT/$side.json")"
}

# ike_end SIDE: it ends its tunnels, then itself; false if it failed.
ike_end() {
	kill -TERM "${ike_pid[$1]}"
	wait_for 10 gone "${ike_pid[$1]}"
	wait "${ike_pid[$1]}"
}

# lines SIDE FILTER: of what ikehost printed, with jq; but for warnings about files.
lines() {
	grep '^{' "$VM_OUT/$1.json" | jq -rc "$2"
}

# report SIDE: what ikehost has now goes to SIDE.now.json.
report() {
	local before
	before=$(wc -l < "$VM_OUT/$1.json")
	kill -USR1 "${ike_pid[$1]}"
	wait_for 5 reported "$1" "$before" || bail "ikehost in $1 does not report"
	tail -n "+$((before + 1))" "$VM_OUT/$1.json" > "$VM_OUT/$1.now.json"
}

reported() {
	tail -n "+$(($2 + 1))" "$VM_OUT/$1.json" | grep -q '"total"'
}

# state_is SIDE NAME STATE
state_is() {
	[ "$(lines "$1" "select(.event == \"state\" and .tunnel == \"$2\").state" | tail -n 1)" = "$3" ]
}

their_sas() {
	swan --list-sas
}

# our_pairs SIDE NAME, their_pairs NAME: SPIs of the pairs at either end that can send, as ikehost
# sees them, "IN OUT" a line, sorted. Ours are of the last report. What only receives is left out:
# of a rekeyed pair both ends hold the inbound SA for some time, for packets on their way.
our_pairs() {
	jq -r "select(.event == \"pair\" and .tunnel == \"$2\" and .spi_out != \"0\") | .spi_in + \" \" + .spi_out" \
		"$VM_OUT/$1.now.json" | sort
}

their_pairs() {
	swan --list-sas --ike "$1" | tr -d , | awk '
		/ reqid / { sends = !/ DELET/ }
		sends && $1 == "in" { out = $2 }
		sends && $1 == "out" { print $2, out }' | sort
}

# our_ike_sas SIDE NAME, their_ike_sas NAME: likewise "SPIi SPIr".
our_ike_sas() {
	jq -r "select(.event == \"ike\" and .tunnel == \"$2\") | .spi_i + \" \" + .spi_r" \
		"$VM_OUT/$1.now.json" | sort
}

their_ike_sas() {
	swan --list-sas --ike "$1" | sed -nE 's/.*IKEv2, ([0-9a-f]{16})_i\*? ([0-9a-f]{16})_r.*/\1 \2/p' | sort
}

# pings N [SIDE]: one through tunnel N.
pings() {
	in_quiet east ping -q -c 1 -W 2 -I "${theirs[${2:-west}]}.$1.1" "${ours[${2:-west}]}.$1.1" > /dev/null
}

no_sas() {
	[ -z "$(their_sas)" ]
}
