# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund in the network namespaces of lib.sh: one agent per namespace, with its own
# configuration folder, control socket and log. Source it after lib.sh.

# Copies: the host may build anew while the guest runs, and a program that loses its file
# over 9p is killed.
# shellcheck disable=SC2154 # $started is of lib.sh
mkdir -p /run/bin
cp "${ESPTUND:-$VM_TOP/build/esptund}" "$VM_TOP/build/esptun" /run/bin/
PATH=/run/bin:$PATH

# The agent's users, as make install makes them.
for user in esptund esptund-ike esptund-keys esptund-fetch; do
	getent passwd $user > /dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin $user
done

# shellcheck disable=SC2034 # for the scripts
AGENT_PSK=5dtRc2sPqYb8Wm1xVn7uKz4L

declare -A agent_pid=()

# conf NS NAME: standard input becomes NAME.conf there.
conf() {
	mkdir -p "/run/conf/$1"
	cat > "/run/conf/$1/$2.conf"
	chmod 600 "/run/conf/$1/$2.conf"
}

# pair_conf NS PEER ADDRESS ROUTE [LINE of Peer...]: vpn0.conf of a tunnel between two
# addresses; the namespaces' names are the identities.
pair_conf() {
	local ns=$1 peer=$2 address=$3 route=$4
	shift 4
	{
		printf '[Tunnel]\nLocalID = %s.example\nAddress = %s/32\n' "$ns" "$address"
		printf '[Peer]\nRemoteID = %s.example\nPSK = %s\nRoutes = %s/32\n' "$peer" "$AGENT_PSK" "$route"
		[ $# = 0 ] || printf '%s\n' "$@"
	} | conf "$ns" vpn0
}

# agent NS [OPTION...]: starts esptund, its log in $VM_OUT/esptund-NS.log; the keys of
# all of them go to /run/keys. $ESPTUND names another build of it (with sanitizers:
# AGENT_OPTION=--no-seccomp).
agent() {
	local ns=$1
	shift
	mkdir -p "/run/conf/$ns"
	start "$ns" "$VM_OUT/esptund-$ns.part" esptund -c "/run/conf/$ns" -s "/run/$ns.control" --state "/run/state-$ns" \
		--debug-keys /run/keys ${AGENT_OPTION:+"$AGENT_OPTION"} "$@"
	agent_pid[$ns]=$started
	wait_for 20 holds "$VM_OUT/esptund-$ns.part" 'version .* ready' ||
		bail "esptund in $ns: $(cat "$VM_OUT/esptund-$ns.part")"
}

# agent_stop NS [SIGNAL]: ends it; its log is added to $VM_OUT/esptund-NS.log.
agent_stop() {
	local ns=$1
	kill "-${2:-TERM}" "${agent_pid[$ns]}"
	wait_for 10 gone "${agent_pid[$ns]}" || kill -KILL "${agent_pid[$ns]}"
	wait "${agent_pid[$ns]}" 2> /dev/null
	local status=$?
	cat "$VM_OUT/esptund-$ns.part" >> "$VM_OUT/esptund-$ns.log"
	return $status
}

# tell NS COMMAND...: esptun to the agent of that namespace.
tell() {
	local ns=$1
	shift
	echo "[$ns] esptun $*" >&9
	ip netns exec "$ns" esptun -control "/run/$ns.control" "$@"
}

# of NS JQ: the answer of a jq filter on the status' first tunnel.
of() {
	ip netns exec "$1" esptun -j -control "/run/$1.control" status | jq -r ".tunnels[0] | $2"
}

# state_is NS STATE: for wait_for.
state_is() {
	[ "$(of "$1" .state)" = "$2" ]
}

# in_memory TEXT < PIDS: the names of the processes that have it.
in_memory() {
	"$PYTHON" "$VM_TOP/tests/vm/in_memory.py" "$1" || bail "in_memory.py failed"
}

no_link() {
	! ip -n "$1" link show "$2" > /dev/null 2>&1
}

# said NS PATTERN: has the agent logged it?
said() {
	grep -E -- "$2" "$VM_OUT/esptund-$1.part"
}

# notifies FILE [FILTER]: the IKE notify types in a capture, decrypted with the agents'
# keys, a line per message: exchange, notify types.
notifies() {
	WIRESHARK_CONFIG_DIR=/run/keys tshark -n -r "$VM_OUT/$1" \
		-Y "isakmp.notify.msgtype${2:+ && $2}" -T fields \
		-e isakmp.exchangetype -e isakmp.notify.msgtype 2> /dev/null
}

# ---- how long a tunnel carries nothing --------------------------------------------

# answered NS ADDRESS [OPTION...]: one ping, for wait_for.
answered() {
	local ns=$1 address=$2
	shift 2
	ip netns exec "$ns" ping -n -c 1 -W 1 "$@" "$address"
}

# meter NS NAME ADDRESS [OPTION...]: five pings a second from now on.
declare -A meter_pid=()
gap=0
meter() {
	local ns=$1 name=$2 address=$3
	shift 3
	start "$ns" "/run/$name.ping" ping -n -D -i 0.2 -W 1 "$@" "$address"
	meter_pid[$name]=$started
}

# meter_end NAME: the longest time without an answer, in tenths of a second, is left in
# $gap; what is open at the end counts, too.
meter_end() {
	kill -INT "${meter_pid[$1]}" 2> /dev/null
	wait "${meter_pid[$1]}" 2> /dev/null
	gap=$(awk -v to="$EPOCHREALTIME" '
		function see(t) { if (last && t - last > gap) gap = t - last; last = t }
		/bytes from/ { see(substr($1, 2) + 0) }
		END { see(to + 0); printf "%d", last && gap ? gap * 10 : 99999 }' "/run/$1.ping")
	echo "# $1: longest time without an answer $((gap / 10)).$((gap % 10)) s"
}
