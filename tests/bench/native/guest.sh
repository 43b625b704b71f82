#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest's part of tests/bench/native/run. Every implementation has four hosts of its own, all
# are up at once, and by turns each of them carries what kgen sends: a line of JSON for each run
# in $VM_OUT/runs. From the environment: WIRES, PATHS, TESTS, IMPLS, AEADS, ROUNDS; PROFILE=yes has
# it send for seconds and say when.
#
#   a             w                          e             b
#   10.1.0.2/24 - 10.1.0.1, 192.0.2.1/24 --- 192.0.2.2, - 10.2.0.2/24
#                 vpn0 10.9.0.1              10.2.0.1, vpn0 10.9.0.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# All tunnels carry packets of the same length, esptun's, have the same keys and the same window.
MTU=1434 WINDOW=1024 ENCAP_GRO=gro
impls=(
	"plain none"
	"esptun aes-gcm-256" "xfrm aes-gcm-256"
	"esptun chacha20-poly1305" "xfrm chacha20-poly1305" "wireguard chacha20-poly1305"
)
declare -A tests=([host]="tcp1 udp64 rr" [gateway]="tcp1 imix")
declare -A streams=([imix]=16)
declare -A milliseconds=([tcp]=40)
cipher_octets="32 96 256 576 1024 1434"
port=6000

# has WORD LIST
has() {
	[[ " $2 " == *" $1 "* ]]
}

# What was not asked for is not measured.
choose() {
	local all=("${impls[@]}") words part test
	impls=()
	for words in "${all[@]}"; do
		if has "${words% *}" "$IMPLS" && has "${words#* }" "none $AEADS"; then impls+=("$words"); fi
	done
	for part in "${!tests[@]}"; do
		for test in ${tests[$part]}; do
			has "$test" "$TESTS" || tests[$part]=${tests[$part]/$test/}
		done
	done
	[ "$PROFILE" = no ] || milliseconds=([tcp]=4000 [udp]=4000 [rr]=4000 [imix]=4000)
}

# say WHAT: the host waits for it if it profiles.
say() {
	: > "$VM_OUT/$1"
}

# ---- wires ------------------------------------------------------------------------

# connect NS1 DEV1 ADDR1 NS2 DEV2 ADDR2: as lib.sh's wire; of the kind $wire.
connect() {
	local offloads="tso on tx-udp-segmentation on"
	case $wire in
	nic)
		must ip link add "$2" netns "$1" type benchnic
		must ip link add "$5" netns "$4" type benchnic
		must ip -n "$1" addr add "$3" dev "$2"
		must ip -n "$4" addr add "$6" dev "$5"
		must ip -n "$1" link set "$2" up
		must ip -n "$4" link set "$5" up ;;
	*) wire "$@" ;;
	esac
	[ "$wire" != cable ] || offloads="tso off tx-udp-segmentation off"
	# shellcheck disable=SC2086 # words
	must at "$1" ethtool -K "$2" gro on $offloads
	# shellcheck disable=SC2086
	must at "$4" ethtool -K "$5" gro on $offloads
}

# hosts I: those of implementation I.
hosts() {
	local i=$1 ns
	add_ns a"$i" w"$i" e"$i" b"$i"
	connect a"$i" a0 10.1.0.2/24 w"$i" l0 10.1.0.1/24
	connect w"$i" w0 192.0.2.1/24 e"$i" e0 192.0.2.2/24
	connect e"$i" l0 10.2.0.1/24 b"$i" b0 10.2.0.2/24
	must ip -n a"$i" link set a0 mtu $MTU
	must ip -n w"$i" link set l0 mtu $MTU
	must ip -n e"$i" link set l0 mtu $MTU
	must ip -n b"$i" link set b0 mtu $MTU
	must ip -n a"$i" route add default via 10.1.0.1
	must ip -n b"$i" route add default via 10.2.0.1
	for ns in a w e b; do
		in_quiet $ns"$i" sysctl -qw net.ipv4.ip_forward=1 \
			net.ipv4.tcp_rmem="4096 1048576 16777216" net.ipv4.tcp_wmem="4096 1048576 16777216"
	done
}

# ---- tunnels: up_IMPL NS THIS OTHER IN OUT AEAD -----------------------------------
# THIS and OTHER are the last octets of the addresses, IN and OUT are "SPI KEY" of the SAs.

up_plain() {
	local dev=${1:0:1}0
	must ip -n "$1" link set "$dev" mtu $MTU
	must ip -n "$1" route add "10.$3.0.0/24" via "192.0.2.$3"
}

up_esptun() {
	local ns=$1 this=$2 other=$3 in=$4 out=$5 aead=$6
	esptun_up "$ns" "10.9.0.$this/24" "fd00:9::$this/64" local "192.0.2.$this"
	must at "$ns" esptun peer add dev vpn0 id 1 remote "192.0.2.$other" port 4500
	# shellcheck disable=SC2086 # two words each
	esptun_sas "$ns" 1 "$aead" on $in $out
}

up_xfrm() {
	local ns=$1 this=192.0.2.$2 other=192.0.2.$3 aead=$6 direction spi key
	read -r spi key <<< "$4"
	xfrm_sa "$ns" "$other" "$this" "$spi" "$aead" "$key" $WINDOW "flag esn"
	read -r spi key <<< "$5"
	xfrm_sa "$ns" "$this" "$other" "$spi" "$aead" "$key" $WINDOW "flag esn"
	encap_socket "$ns" "$this"
	sockets+=("$started")
	must at "$ns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out if_id 9 \
		tmpl src "$this" dst "$other" proto esp mode tunnel
	for direction in in fwd; do
		must at "$ns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir $direction if_id 9 \
			tmpl src "$other" dst "$this" proto esp mode tunnel
	done
	must at "$ns" ip link add vpn0 type xfrm dev "${ns:0:1}0" if_id 9
	must at "$ns" ip addr add "10.9.0.$2/24" dev vpn0
}

up_wireguard() {
	local ns=$1 other=$3
	must ip -n "$ns" link add vpn0 type wireguard
	must at "$ns" wg set vpn0 listen-port 51820 private-key "/run/$2.key" peer "$(cat "/run/$other.pub")" \
		endpoint "192.0.2.$other:51820" allowed-ips 0.0.0.0/0
	must at "$ns" ip addr add "10.9.0.$2/24" dev vpn0
}

# implementation I IMPL AEAD: all of it, up and tried.
implementation() {
	local ns this
	hosts "$1"
	"up_$2" w"$1" 1 2 "$SPI_WEST 0x50" "$SPI_EAST 0xa0" "$3"
	"up_$2" e"$1" 2 1 "$SPI_EAST 0xa0" "$SPI_WEST 0x50" "$3"
	for this in 1 2; do
		ns=w$1
		[ $this = 1 ] || ns=e$1
		[ "$2" != plain ] || continue
		must ip -n "$ns" link set vpn0 mtu $MTU up
		must ip -n "$ns" route add "10.$((3 - this)).0.0/24" dev vpn0
	done
	wait_for 20 pings w"$1" "$(address_of "$2" host)" || bail "$2 $3 carries nothing"
	wait_for 20 pings a"$1" "$(address_of "$2" gateway)" || bail "$2 $3 carries nothing from LAN to LAN"
}

# address_of IMPL PATH: where to send.
address_of() {
	case $2:$1 in
	gateway:*) echo 10.2.0.2 ;;
	host:plain) echo 192.0.2.2 ;;
	*) echo 10.9.0.2 ;;
	esac
}

# ---- one run ----------------------------------------------------------------------

# kgen NS LINE: there is one more line for what it says.
kgen() {
	nsenter --net="/run/netns/$1" sh -c 'echo "$0" > /proc/kgen' "$2" || bail "kgen in $1: $2"
}

# transfer I IMPL PATH TEST: the result is in /proc/kgen.
transfer() {
	local from=w$1 to=e$1 kind=${4%%[0-9]*} number=${4##*[a-z]} size=64 n=${streams[$4]:-1} line
	[ "$3" = host ] || { from=a$1; to=b$1; }
	[ "$kind" != udp ] || size=$number
	port=$((port + 64))
	[ $port -lt 60000 ] || port=6000
	line="$kind $(address_of "$2" "$3") $port $n"
	kgen "$to" "serve $line"
	kgen "$from" "send $line ${milliseconds[$kind]:-25} $size"
}

run() {
	local result
	transfer "$@"
	read -r result < /proc/kgen
	printf '{"wire":"%s","path":"%s","impl":"%s","aead":"%s","test":"%s",%s\n' \
		"$wire" "$path" "$2" "$5" "$4" "${result#\{}" >> "$VM_OUT/runs"
}

# once COMMAND: for each implementation, COMMAND I IMPL PATH TEST AEAD.
once() {
	local i impl aead
	for i in "${!impls[@]}"; do
		read -r impl aead <<< "${impls[i]}"
		"$1" "$i" "$impl" "$path" "$2" "$aead"
	done
}

ciphers() {
	local aead octets
	for aead in aes-gcm-256 chacha20-poly1305; do
		for octets in $cipher_octets; do
			kgen w0 "cipher $aead $octets"
			cat /proc/kgen >> "$VM_OUT/ciphers"
		done
	done
}

# ---- all --------------------------------------------------------------------------

# What the links dropped, and the windows that are in effect.
look_back() {
	local i impl aead ns dev
	for i in "${!impls[@]}"; do
		read -r impl aead <<< "${impls[i]}"
		for ns in w e; do
			for dev in l0 ${ns}0; do
				echo "$wire $impl $aead $ns $dev $(ip -n $ns"$i" -s -j link show dev $dev |
					jq -c '.[0].stats64 | [.tx.dropped, .rx.dropped]')"
			done
		done
		case $impl in
		esptun) in_quiet e"$i" esptun -d sa show | grep -o 'replay-window [0-9]*' ;;
		xfrm) in_quiet e"$i" ip xfrm state | grep -o 'replay_window [0-9]*' ;;
		esac
	done > "$VM_OUT/looked-$wire"
}

measure_wire() {
	local i round test
	sockets=()
	for i in "${!impls[@]}"; do
		# shellcheck disable=SC2086 # two words
		implementation "$i" ${impls[i]}
	done
	for ((round = 0; round <= ROUNDS; round++)); do
		ciphers
		[ $round = 0 ] || say measuring
		for path in $PATHS; do
			for test in ${tests[$path]}; do
				# The first round only warms up.
				if [ $round = 0 ]; then once transfer "$test"; else once run "$test"; fi
			done
		done
	done
	say measured
	look_back
	[ ${#sockets[@]} = 0 ] || kill "${sockets[@]}"
	for i in "${!impls[@]}"; do
		must ip netns del a"$i"
		must ip netns del w"$i"
		must ip netns del e"$i"
		must ip netns del b"$i"
	done
}

choose
[ -e /proc/kgen ] || bail "this kernel has no kgen"
uname -r > "$VM_OUT/kernel"
sysctl -qw net.core.netdev_max_backlog=8192
for i in 1 2; do
	(umask 077 && wg genkey > /run/$i.key)
	wg pubkey < /run/$i.key > /run/$i.pub
done
for wire in $WIRES; do
	measure_wire
done
