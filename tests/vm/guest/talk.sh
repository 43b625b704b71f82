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

# complain FILE: tells what should not be in a kernel log; sets $bad, the number of lines.
complain() {
	local line
	bad=$(grep -cE "$complaints" "$1")
	[ "$bad" -gt 0 ] || return 0
	grep -E -m 3 -A 25 "$complaints" "$1" | head -n 60 |
	while IFS= read -r line; do
		say log "$line"
	done
}
