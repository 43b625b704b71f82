# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts under tests/vm share: TAP, network namespaces, tunnels,
# waiting. Source it first: . "$VM_TOP/tests/vm/lib.sh"
#
# Every command that changes or asks something goes through `at NS COMMAND...`
# (or `must`), so a log reads like the session that reproduces it.

set -u -o pipefail

# Commands are echoed here, so that output taken from them holds no echo.
exec 9>&2

VM_LIB=$(dirname "${BASH_SOURCE[0]}")
PYTHON=/usr/bin/python3

# ---- TAP -------------------------------------------------------------------

tap_count=0 tap_failed=0

# result STATUS NAME: one test, passed if STATUS is 0.
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

# check NAME COMMAND...: passes if the command succeeds.
check() {
	local name=$1 status
	shift
	"$@"
	status=$?
	result $status "$name"
	[ $status = 0 ] || echo "# failed: $*"
	return $status
}

# refuse NAME PATTERN COMMAND...: passes if the command fails and says
# something that matches the extended regular expression.
refuse() {
	local name=$1 pattern=$2 status said
	shift 2
	said=$("$@" 2>&1)
	status=$?
	printf '%s\n' "$said"
	if [ $status = 0 ]; then
		result 1 "$name"
		echo "# succeeded, should have been refused: $*"
	elif ! grep -qE -- "$pattern" <<< "$said"; then
		result 1 "$name"
		echo "# said '$(tail -n 1 <<< "$said")', not /$pattern/: $*"
	else
		result 0 "$name"
	fi
}

# is NAME GOT WANTED
is() {
	[ "$2" = "$3" ]
	result $? "$1"
	[ "$2" = "$3" ] || echo "# got '$2', wanted '$3'"
}

# like NAME TEXT PATTERN: passes if TEXT matches the extended regular expression.
like() {
	grep -qE -- "$3" <<< "$2"
	result $? "$1"
	grep -qE -- "$3" <<< "$2" || printf '# got: %s\n' "${2//$'\n'/$'\n# '}"
}

# unlike NAME TEXT PATTERN
unlike() {
	! grep -qE -- "$3" <<< "$2"
	result $? "$1"
	! grep -qE -- "$3" <<< "$2" || printf '# got: %s\n' "${2//$'\n'/$'\n# '}"
}

# include PREFIX COMMAND...: tests of a program that speaks TAP, as ours.
include() {
	local prefix=$1 line count=0 planned=none
	shift
	while IFS= read -r line; do
		case $line in
		'ok '*) result 0 "$prefix: ${line#ok * - }"; count=$((count + 1)) ;;
		'not ok '*) result 1 "$prefix: ${line#not ok * - }"; count=$((count + 1)) ;;
		1..*) planned=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done < <("$@" 2>&1)
	[ "$planned" = $count ] || result 1 "$prefix: $count tests of $planned planned ran"
}

# finish: the plan; the last line of every script.
finish() {
	echo "1..$tap_count"
	[ $tap_failed = 0 ]
	exit
}

bail() {
	echo "Bail out! $*"
	exit 1
}

# ---- commands --------------------------------------------------------------

# Seconds since the script began, with tenths.
clock_zero=${EPOCHREALTIME/./}
clock() {
	local tenths=$(((${EPOCHREALTIME/./} - clock_zero) / 100000))
	echo "$((tenths / 10)).$((tenths % 10))"
}

# at NS COMMAND...: run in a network namespace, echoed. Functions work too.
at() {
	local ns=$1
	shift
	echo "[$ns $(clock)] $*" >&9
	if declare -F "$1" > /dev/null; then
		"$1" "$ns" "${@:2}"
	else
		ip netns exec "$ns" "$@"
	fi
}

# must COMMAND...: a step without which the rest makes no sense.
must() {
	"$@" || bail "failed: $*"
}

# quietly COMMAND...: output only on failure.
quietly() {
	local said status
	said=$("$@" 2>&1)
	status=$?
	[ $status = 0 ] || printf '%s\n' "$said"
	return $status
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails at the deadline, three times
# as late as said: SECONDS is what a machine may take that has nothing else to do.
wait_for() {
	within $(($1 * 3)) "${@:2}"
}

# within SECONDS COMMAND...: the same where the time itself is judged.
within() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000 * ${VM_PATIENCE:-1}))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt $deadline ] || return 1
		sleep 0.1
	done
}

# holds FILE PATTERN: for wait_for on logs.
holds() {
	grep -qE -- "$2" "$1" 2> /dev/null
}

# start NS LOG COMMAND...: in the background; its PID is left in $started. The
# script's PID namespace ends it with the script.
started=''
start() {
	local ns=$1 log=$2
	shift 2
	echo "[$ns $(clock)] $* &" >&9
	ip netns exec "$ns" "$@" > "$log" 2>&1 < /dev/null &
	started=$!
}

# stop PID: end a process of `start` and wait for it.
stop() {
	kill -INT "$1" 2> /dev/null
	wait_for 5 gone "$1" || kill -KILL "$1" 2> /dev/null
	wait "$1" 2> /dev/null
	return 0
}

gone() {
	! kill -0 "$1" 2> /dev/null
}

# ---- the module ------------------------------------------------------------

load_esptun() {
	must modprobe esptun
}

# ---- topologies ------------------------------------------------------------

# add_ns NAME...
add_ns() {
	local ns
	for ns; do
		must ip netns add "$ns"
		ip -n "$ns" link set lo up
		# Duplicate address detection only costs time here.
		in_quiet "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0
	done
}

in_quiet() {
	local ns=$1
	shift
	ip netns exec "$ns" "$@"
}

# wire NS1 DEV1 ADDR1 NS2 DEV2 ADDR2: a veth pair, up, with addresses.
wire() {
	must ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	must ip -n "$1" addr add "$3" dev "$2"
	must ip -n "$4" addr add "$6" dev "$5"
	must ip -n "$1" link set "$2" up
	must ip -n "$4" link set "$5" up
}

# The veth pair of two_hosts keeps order: with GRO at one end and no TSO at the other it
# has one queue. Else each CPU has one of its own, and what waits in that of a
# stalled CPU is overtaken by more than a replay window.
one_queue() {
	must at west ethtool -K w0 gro on tso off
	must at east ethtool -K e0 gro on tso off
}

# single_packets NS DEV...: super-packets do not cross it whole, so that captures
# show each packet, as on a cable.
single_packets() {
	local ns=$1 dev
	shift
	for dev in "$@"; do
		must at "$ns" ethtool -K "$dev" tx-udp-segmentation off
	done
}

#   west                                  east
#   vpn0 10.9.0.1, fd00:9::1              vpn0 10.9.0.2, fd00:9::2
#   w0 192.0.2.1/24 -------- veth ------- e0 192.0.2.2/24
two_hosts() {
	add_ns west east
	wire west w0 192.0.2.1/24 east e0 192.0.2.2/24
}

#   lana          gwa                           nat                          gwb            lanb
#   10.1.0.2/24 - 10.1.0.1, 192.168.1.2/24 ---- 192.168.1.1, 198.51.100.1 -- 198.51.100.2,
#                                               (masquerade)                 10.2.0.1 ----- 10.2.0.2/24
two_sites() {
	add_ns lana gwa nat gwb lanb
	wire lana eth0 10.1.0.2/24 gwa lan0 10.1.0.1/24
	wire gwa wan0 192.168.1.2/24 nat in0 192.168.1.1/24
	wire nat out0 198.51.100.1/24 gwb wan0 198.51.100.2/24
	wire gwb lan0 10.2.0.1/24 lanb eth0 10.2.0.2/24
	single_packets gwa wan0
	single_packets nat in0 out0
	single_packets gwb wan0
	must ip -n lana route add default via 10.1.0.1
	must ip -n gwa route add default via 192.168.1.1
	must ip -n lanb route add default via 10.2.0.1
	local ns
	for ns in gwa nat gwb; do
		in_quiet $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	must at nat nft add table ip nat
	must at nat nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
	must at nat nft add rule ip nat post oifname out0 masquerade
}

# ---- keys ------------------------------------------------------------------

# Transforms by the name esptun uses; octets of key and salt; the kernel's name.
declare -A key_octets=(
	[aes-gcm-128]=20 [aes-gcm-192]=28 [aes-gcm-256]=36 [chacha20-poly1305]=36)
declare -A kernel_name=(
	[aes-gcm-128]='rfc4106(gcm(aes))' [aes-gcm-192]='rfc4106(gcm(aes))'
	[aes-gcm-256]='rfc4106(gcm(aes))' [chacha20-poly1305]='rfc7539esp(chacha20,poly1305)')
# shellcheck disable=SC2034 # for scripts
algorithms=(aes-gcm-128 aes-gcm-192 aes-gcm-256 chacha20-poly1305)

# key ALG START: a key, salt last, of octets counting up from START.
key() {
	local i
	printf 0x
	for ((i = 0; i < key_octets[$1]; i++)); do
		printf %02x $((($2 + i * 7) & 255))
	done
}

# SPIs: of packets to the west, chosen by the west; and to the east.
SPI_WEST=0x2001
SPI_EAST=0x3001

# ---- tunnels ---------------------------------------------------------------

# esptun_up NS INNER4 INNER6 [LINK OPTION...]: a link vpn0, up, with addresses.
esptun_up() {
	local ns=$1 inner4=$2 inner6=$3
	shift 3
	must at "$ns" ip link add vpn0 type esptun "$@"
	must at "$ns" ip addr add "$inner4" dev vpn0
	must at "$ns" ip addr add "$inner6" dev vpn0 nodad
	must at "$ns" ip link set vpn0 up
}

# esptun_sas NS PEER ALG ESN SPI_IN KEY_IN SPI_OUT KEY_OUT [OPTION...]: a pair
# of SAs, e.g. esptun_sas west 1 aes-gcm-256 on $SPI_WEST 0x50 $SPI_EAST 0xa0
# With $WINDOW the replay window is of so many packets. A veth pair has a queue for each CPU, and
# what waits in that of a CPU which the host keeps waiting is overtaken by more than the usual one.
esptun_sas() {
	local ns=$1 peer=$2 alg=$3 esn=$4 spi_in=$5 key_in=$6 spi_out=$7 key_out=$8
	shift 8
	must at "$ns" esptun sa add dev vpn0 dir in spi "$spi_in" peer "$peer" \
		algo "$alg" key "$(key "$alg" "$key_in")" esn "$esn" ${WINDOW:+replay-window "$WINDOW"} "$@"
	must at "$ns" esptun sa add dev vpn0 dir out spi "$spi_out" peer "$peer" \
		algo "$alg" key "$(key "$alg" "$key_out")" esn "$esn" "$@"
}

# Two hosts whose tunnel lacks nothing but SAs; nobody sends keepalives.
two_peers() {
	two_hosts
	load_esptun
	esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
	esptun_up east 10.9.0.2/24 fd00:9::2/64 local 192.0.2.2
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
	must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
}

# static_west ALG ESN, static_east ALG ESN: the two ends of a static tunnel
# between two_hosts.
static_west() {
	esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
	esptun_sas west 1 "$1" "$2" $SPI_WEST 0x50 $SPI_EAST 0xa0
}

static_east() {
	esptun_up east 10.9.0.2/24 fd00:9::2/64 local 192.0.2.2
	must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500
	esptun_sas east 1 "$1" "$2" $SPI_EAST 0xa0 $SPI_WEST 0x50
}

# into_vpn NS THEIRS OURS PROTOCOL...: what NS sends there of these protocols enters vpn0.
into_vpn() {
	local ns=$1 theirs=$2 ours=$3 family=-4 protocol
	shift 3
	[[ $theirs != *:* ]] || family=-6
	must at "$ns" ip $family route replace "$theirs" dev vpn0 table 100 src "$ours"
	for protocol in "$@"; do
		must at "$ns" ip $family rule add pref 200 to "$theirs" ipproto "$protocol" lookup 100
	done
}

# encap_socket NS ADDR: the UDP socket of the kernel's ESP-in-UDP; with $ENCAP_GRO=gro its
# packets are joined.
encap_socket() {
	local log
	log=$(mktemp)
	start "$1" "$log" "$PYTHON" "$VM_LIB/encap-socket" "$2" ${ENCAP_GRO:+"$ENCAP_GRO"}
	wait_for 10 holds "$log" ready || bail "encap-socket: $(cat "$log")"
}

# xfrm_link WEST EAST MTU: vpn0 in the east, an xfrm interface of if_id 9 whose tunnel mode has these outer
# addresses; the SAs are still missing.
xfrm_link() {
	local any
	must at east ip link add vpn0 type xfrm dev e0 if_id 9
	must at east ip addr add 10.9.0.2/24 dev vpn0
	must at east ip addr add fd00:9::2/64 dev vpn0 nodad
	must at east ip link set vpn0 mtu "$3" up
	for any in 0.0.0.0/0 ::/0; do
		must at east ip xfrm policy add src $any dst $any dir out if_id 9 \
			tmpl src "$2" dst "$1" proto esp mode tunnel
		must at east ip xfrm policy add src $any dst $any dir in if_id 9 \
			tmpl src "$1" dst "$2" proto esp mode tunnel
	done
}

# xfrm_east ALG ESN: the kernel's own ESP as the east end of two_hosts.
xfrm_east() {
	local alg=$1 flags=''
	[ "$2" != on ] || flags='flag esn'
	xfrm_sa east 192.0.2.1 192.0.2.2 $SPI_EAST "$alg" 0xa0 1024 "$flags"
	xfrm_sa east 192.0.2.2 192.0.2.1 $SPI_WEST "$alg" 0x50 1024 "$flags"
	[ -e "/run/xfrm-east" ] && return
	touch /run/xfrm-east
	encap_socket east 192.0.2.2
	xfrm_link 192.0.2.1 192.0.2.2 1400
}

# xfrm_sa NS SRC DST SPI ALG KEY WINDOW [FLAG...]
xfrm_sa() {
	local ns=$1 src=$2 dst=$3 spi=$4 alg=$5 start=$6 window=$7 flags=$8
	# shellcheck disable=SC2086 # flags are words
	must at "$ns" ip xfrm state add src "$src" dst "$dst" proto esp spi "$spi" \
		mode tunnel if_id 9 replay-window "$window" $flags flag af-unspec \
		encap espinudp 4500 4500 0.0.0.0 \
		aead "${kernel_name[$alg]}" "$(key "$alg" "$start")" 128
}

# ---- looking ---------------------------------------------------------------

# running NS DEV: the link is up and in operational state up (RFC 2863).
running() {
	[ "$(ip -n "$1" -j link show "$2" | jq -r '.[0].operstate')" != DORMANT ] &&
		ip -n "$1" link show "$2" | grep -q LOWER_UP
}

# counter NS NAME [DEV]: of a link, vpn0 if none is named, and of what belongs to no link.
counter() {
	in_quiet "$1" esptun -br stats | awk -v dev="${3:-vpn0}" -v name="$2" '
		$2 == name && ($1 == dev || $1 == "-") { sum += $3 }
		END { print sum + 0 }'
}

# dropped_on_receipt NS [BUT]: counters of vpn0 and of what belongs to no link, as "NAME
# VALUE ...", that tell of received packets that were dropped; not those that match BUT.
dropped_on_receipt() {
	in_quiet "$1" esptun -br stats | awk -v but="^rx-(keepalive${2:+|$2})\$" '
		($1 == "vpn0" || $1 == "-") && /rx-/ && $2 !~ but && $3 > 0 { print $2, $3 }' | xargs
}

# pings NS ADDRESS [OPTION...]: three quick pings, none lost. An answer may take its time.
pings() {
	local ns=$1 address=$2
	shift 2
	at "$ns" ping -n -c 3 -i 0.2 -W 20 "$@" "$address" | tee /run/ping.log | tail -n 3
	grep -q ' 3 received' /run/ping.log
}

# iperf NS_CLIENT NS_SERVER ADDRESS [OPTION...]: passes if bytes arrive, for each receiver 100 KB
# in a second; or else, on a machine with other things to do, in ten.
iperf() {
	iperf_once "$1" "$2" "$3" -t 1 "${@:4}" && return
	jq -e .error /run/iperf.json > /dev/null || iperf_once "$@" -t 10
}

iperf_once() {
	local client=$1 server=$2 address=$3 pid
	shift 3
	start "$server" /run/iperf-server.log iperf3 -s -1 -p 5201
	pid=$started
	wait_for 10 listens "$server" 5201 || { cat /run/iperf-server.log; return 1; }
	at "$client" timeout 120 iperf3 -J -c "$address" -p 5201 "$@" > /run/iperf.json
	jq -r '.error // (.end | with_entries(select(.key | startswith("sum_received"))) |
		to_entries[] | "\(.key): \(.value.bytes) octets")' /run/iperf.json
	wait "$pid" 2> /dev/null
	jq -e '.error == null and ([.end | to_entries[] | select(.key | startswith("sum_received")) |
		.value.bytes] | length > 0 and min > 100000)' /run/iperf.json > /dev/null
}

# echo_server NS ADDRESS: answers TCP and UDP on port 7000 with what came.
echo_server() {
	local log
	log=$(mktemp)
	start "$1" "$log" "$PYTHON" "$VM_LIB/echo" serve "$2"
	wait_for 10 holds "$log" ready || bail "echo: $(cat "$log")"
}

# echoes NS tcp|udp|udp-zero ADDRESS [SOURCE-PORT]: what is sent there comes back.
echoes() {
	at "$1" "$PYTHON" "$VM_LIB/echo" ask "${@:2}"
}

listens() {
	ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .
}

# capture NS DEV FILE [OPTION|FILTER...]: tcpdump into $VM_OUT/FILE, ready when this
# returns; `capture_end $started` ends it.
declare -A capture_log=()
capture() {
	start "$1" "/run/$3.log" tcpdump -n -U --immediate-mode -B 32768 -i "$2" -w "$VM_OUT/$3" "${@:4}"
	wait_for 10 holds "/run/$3.log" 'listening on' || bail "tcpdump: $(cat "/run/$3.log")"
	capture_log[$started]=/run/$3.log
}

# capture_end PID: ends a capture when tcpdump has written all that passed until now. Told to
# end, it leaves what it has not read.
capture_end() {
	wait_for 10 caught_up "$1" || echo "# tcpdump does not catch up: $(tail -n 1 "${capture_log[$1]}")" >&2
	stop "$1"
}

# caught_up PID: its count of packets stands still.
caught_up() {
	local was
	was=$(captured "$1")
	sleep 0.3
	[ -n "$was" ] && [ "$(captured "$1")" = "$was" ]
}

# captured PID: packets that tcpdump has written, which it tells when it runs again.
captured() {
	local lines log=${capture_log[$1]}
	lines=$(wc -l < "$log")
	kill -USR1 "$1" && wait_for 5 longer "$log" "$lines" && sed -n '$s/.*: \([0-9]*\) packets\? captured.*/\1/p' "$log"
}

# longer FILE LINES: it has more lines than that.
longer() {
	[ "$(wc -l < "$1")" -gt "$2" ]
}
