# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How a guest speaks to tests/vm/run: lines "@@ WORD ..." beside what scripts print.

tty=/dev/ttyS1
stty -F $tty raw -echo
say() {
	echo "@@ $*" > $tty
}

# What must never be in the kernel log.
complaints='WARNING:|BUG:|BUG |Oops|general protection fault|Call Trace|unregister_netdevice: waiting|refcount_t|leaked|INFO: task .* blocked|possible (circular|recursive)|inconsistent lock|suspicious RCU|sleeping function|scheduling while|use-after-free|out-of-bounds|KASAN|UBSAN|kmemleak|unreferenced object|page allocation failure|soft lockup|self-detected stall|segfault at|traps: |still has .* in use|Slab cache|Objects remaining|double free|list_(add|del) corruption|detected stalls'

# leave_refused FILE: the log without the head of each trace that registering a sysctl leaves where it gets no memory. No
# fault is behind it: scripts have memory refused.
leave_refused() {
	awk '
	/Call Trace:/ { held = $0; next }
	held != "" && /<TASK>|dump_stack/ { next }
	held != "" {
		if (!/ __register_sysctl_table\+/)
			print held
		held = ""
	}
	{ print }
	END { if (held != "") print held }' "$1"
}

# complain FILE: tells what should not be in a kernel log; sets $bad, the number of lines.
complain() {
	local line log
	log=$(leave_refused "$1")
	bad=$(grep -cE "$complaints" <<< "$log")
	[ "$bad" -gt 0 ] || return 0
	grep -E -m 3 -A 25 "$complaints" <<< "$log" | head -n 60 |
	while IFS= read -r line; do
		say log "$line"
	done
}
