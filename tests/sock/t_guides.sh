#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guides, followed word by word: each block that names a host is executed there, in the order of the page. Files are
# written as an editor would (0644); commands are those of a host where esptun is installed, but without a kernel module
# (no_module.c), so that all is tested but packets in the tunnel. tests/guide-blocks says how a block is marked.
# PAGE=hub-and-spoke follows that page alone.
#
#   hq 198.51.100.2 (or behind router, if the page has one: 192.168.2.2) ---+--- nat 198.51.100.1 --- branch 192.168.1.2, laptop .20
#                                  oslo 198.51.100.11, rome 198.51.100.12 --+

. "$VM_TOP/tests/vm/lib.sh"

built=$(cd "$VM_TOP" && realpath "${B:-build}/tests")
declare -A holder=() # of a host's namespaces: a process that sleeps there

# commands: what a host with esptun has in its PATH, besides this machine's own.
commands() {
	mkdir -p /run/bin
	ln -s "$built/esptun-no-module" /run/bin/esptun
	ln -s "$built/esptund-no-module" /run/bin/esptund
	cat > /run/bin/systemctl <<-'END'
	#!/bin/bash
	# systemd as far as esptund.service goes.
	stop() {
		[ ! -e /run/esptun/pid ] || kill -TERM "$(< /run/esptun/pid)"
		while [ -e /run/esptun/pid ] && kill -0 "$(< /run/esptun/pid)" 2> /dev/null; do sleep 0.1; done
		rm -f /run/esptun/pid
	}
	start() {
		[ -e /run/esptun/pid ] && kill -0 "$(< /run/esptun/pid)" 2> /dev/null && return
		setsid esptund --no-seccomp >> /run/esptun/log 2>&1 < /dev/null &
		echo $! > /run/esptun/pid
		for _ in {1..300}; do
			grep -q 'version .* ready' /run/esptun/log && return
			sleep 0.1
		done
		cat /run/esptun/log >&2
		exit 1
	}
	case $* in
	"enable --now esptund" | "start esptund") start ;;
	"restart esptund") stop; : > /run/esptun/log; start ;;
	"stop esptund") stop ;;
	"is-active esptund") kill -0 "$(< /run/esptun/pid)" && echo active ;;
	*) echo "systemctl of t_guides.sh: $*?" >&2; exit 1 ;;
	esac
	END
	cat > /run/bin/scp <<-'END'
	#!/bin/bash
	# scp root@NAME.example.org:/etc/FILE... TO, between the hosts here.
	for from in "${@:1:$#-1}"; do
		name=${from%%.example.org:*} path=${from#*:}
		name=${name#root@}
		cp "/run/hosts/${name/vpn/hq}$path" "${!#}" || exit
	done
	END
	chmod +x /run/bin/systemctl /run/bin/scp
	PATH=/run/bin:$PATH
}

# host NAME: a network namespace, with /etc, /run/esptun and /var/lib/esptun of its own.
host() {
	local own=/run/hosts/$1
	add_ns "$1"
	mkdir -p "$own/run"
	cp -a /etc "$own/etc" 2> /dev/null
	rm -rf "$own/etc/esptun"
	mkdir -m 700 "$own/etc/esptun"
	echo "198.51.100.2 vpn.example.org" >> "$own/etc/hosts"
	mkdir -p /run/esptun
	# shellcheck disable=SC2016 # for the inner shell
	ip netns exec "$1" unshare --mount --propagation private bash -c 'mount --bind "$0/etc" /etc &&
		mount --bind "$0/run" /run/esptun && mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /root &&
		mount -t tmpfs tmpfs /usr/share/doc && mkdir -p /usr/share/doc/esptun/examples &&
		cp "$1"/example.* /usr/share/doc/esptun/examples/ && exec sleep infinity' "$own" "$VM_TOP/userspace/dist" &
	holder[$1]=$!
	wait_for 10 at_host "$1" mountpoint -q /root || bail "no host $1"
}

at_host() { # NAME COMMAND...
	nsenter -t "${holder[$1]}" --mount --net --wd=/root "${@:2}"
}

# lan A ADDRESS B ADDRESS: the device of B is named after A.
lan() {
	wire "$1" wan0 "$2/24" "$3" "$1" "$4/24"
	ip -n "$1" route add default via "${5:-$4}"
}

# scene HOST...: those that a page names, and what is between them.
scene() {
	local name n=2
	add_ns inet nat
	must ip -n inet link add br0 type bridge
	must ip -n inet link set br0 up
	plug() { # NAME ADDRESS
		must ip link add wan0 netns "$1" type veth peer name "$1" netns inet
		must ip -n "$1" addr add "$2/24" dev wan0
		must ip -n "$1" link set wan0 up
		must ip -n inet link set "$1" master br0 up
	}
	plug nat 198.51.100.1
	in_quiet nat sysctl -qw net.ipv4.ip_forward=1
	in_quiet nat nft -f - <<-'END'
	table ip nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade; }; }
	END
	for name; do
		host "$name"
		case $name in
		router) plug router 198.51.100.2; in_quiet router sysctl -qw net.ipv4.ip_forward=1 ;;
		hq) [[ " $* " = *" router "* ]] || plug hq 198.51.100.2 ;;
		branch) lan branch 192.168.1.2 nat 192.168.1.1 ;;
		laptop) lan laptop 192.168.20.2 nat 192.168.20.1 ;;
		*) plug "$name" 198.51.100.1$((n++)) ;;
		esac
	done
	[[ " $* " = *" router "* ]] && lan hq 192.168.2.2 router 192.168.2.1
	for name; do
		[[ $name = branch || $name = laptop ]] || ip -n "$name" route add default via 198.51.100.1 2> /dev/null
	done
}

end_scene() {
	local name
	for name in "${!holder[@]}"; do
		# The agent ends before its namespaces do.
		at_host "$name" systemctl stop esptund
		cp "/run/hosts/$name/run/log" "$VM_OUT/$page/$name.log" 2> /dev/null
		kill "${holder[$name]}"
		wait "${holder[$name]}" 2> /dev/null
		ip netns del "$name"
	done
	holder=()
	ip netns del inet
	ip netns del nat
	rm -rf /run/hosts
}

# told STATUS NAME LOG: a test; the log is shown if it failed.
told() {
	result "$1" "$2"
	[ "$1" = 0 ] || sed 's/^/# /' "$3"
}

states() { # HOST: of its tunnels that have an endpoint
	at_host "$1" esptun -j status | jq -r '.tunnels[] | select(.endpoint) | .name + " " + .state'
}

all_up() { # HOST
	! states "$1" | grep -v ' up$'
}

# follow PAGE: all of it. Behind it each host's files are in order, and, but for a page whose peers are not
# here, each tunnel with an endpoint is up.
follow() {
	local page=$1 dir=$VM_OUT/$1 hosts n line language on path
	mkdir -p "$dir"
	"$VM_TOP/tests/guide-blocks" "$VM_TOP/Documentation/guides/$page.md" "$dir" > "$dir/list" || bail "$page"
	hosts=$(awk '$4 != "-" && !seen[$4]++ { print $4 }' "$dir/list")
	[ -n "$hosts" ] || return 0
	# shellcheck disable=SC2086 # a list
	scene $hosts
	while read -r n line language on path; do
		case $on:$language in
		-:*) continue ;;
		*:sh)
			cp "$dir/$n" "/run/hosts/$on/run/block"
			at_host "$on" bash -exo pipefail /run/esptun/block > "$dir/$n.out" 2>&1 < /dev/null
			told $? "$page.md:$line: commands at $on" "$dir/$n.out"
			;;
		*)
			at_host "$on" mkdir -p "$(dirname "$path")"
			at_host "$on" dd of="$path" status=none < "$dir/$n"
			result $? "$page.md:$line: $path at $on"
			;;
		esac
	done < "$dir/list"
	for on in $hosts; do
		at_host "$on" test -n "$(at_host "$on" find /etc/esptun -maxdepth 1 -name '*.conf')" || continue
		at_host "$on" esptund --check > "$dir/check-$on" 2>&1
		told $? "$page: the files at $on" "$dir/check-$on"
		[ "$page" = cloud ] || check "$page: tunnels at $on are up" wait_for 20 all_up "$on" ||
			at_host "$on" esptun status
	done
	end_scene
}

commands
for page in "$VM_TOP"/Documentation/guides/${PAGE:-*}.md; do
	follow "$(basename "$page" .md)"
done
finish
