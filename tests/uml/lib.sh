# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the runners in this folder share. They set: top, the tree; variant, of
# User-mode Linux; kernel, its build directory; work, a directory below top.
# With GCOV=1 the module counts which of its lines run (tests/coverage).
# shellcheck disable=SC2154

unset MAKEFLAGS MFLAGS MAKELEVEL

fail() {
	echo "not ok - $*"
	exit 1
}

# The copy of the tree in $src has the module count; see tests/gcov/esptun_gcov.c.
add_counters() {
	cp -rp tests/gcov "$src/tests/"
	cp -p tests/gcov/gcov*.[ch] "$src/kmod/"
	cat tests/gcov/esptun.Kbuild >>"$src/kmod/Kbuild"
	echo 'obj-m += tests/gcov/' >>"$src/Kbuild"
}

# All modules, left in $work. Both runners have one copy of the tree for each variant, $src.
build_modules() {
	src=$B/uml-modules/$variant${GCOV:+-gcov}
	mkdir -p "$src/tests"
	exec 8>"$src.lock"
	flock 8
	# Old sources would still be compiled, old objects save time.
	find "$src" -name '*.[ch]' ! -name vectors.h ! -name probed.h ! -name '*.mod.c' -delete
	cp -rp Kbuild dkms.conf kmod include "$src/"
	cp -rp tests/kunit "$src/tests/"
	[ -z "${GCOV:-}" ] || add_counters
	tests/kunit/gen-vectors tests/data >"$src/vectors.new" || fail "$variant: no test vectors"
	cmp -s "$src/vectors.new" "$src/tests/kunit/vectors.h" || mv "$src/vectors.new" "$src/tests/kunit/vectors.h"
	if ! nice -n 10 make -C "$kernel" ARCH=um M="$top/$src" modules >"$work/make.log" 2>&1; then
		tail -n 30 "$work/make.log" | sed 's/^/# /'
		fail "$variant: the modules do not compile"
	fi
	if grep -E 'warning:|WARNING:' "$work/make.log" | sed 's/^/# /' | grep .; then
		echo "not ok - $variant: compiler warnings"
	fi
	find "$src" -name '*.ko' -exec cp {} "$work/" \;
	exec 8>&-
}

# Lines of kernel log $1 that must not be there, without the two lock reports that
# arch/um itself causes.
complaints() {
	awk '
	/maple_tree\.c:(816|860) suspicious rcu_dereference/ { known = 1 }
	/suspicious RCU usage/ { known = 0; held = $0; next }
	held != "" {
		if (/suspicious rcu_dereference/) { if (!known) print held ORS $0; held = ""; }
		next
	}
	/WARNING:|BUG:|KASAN:|UBSAN:|ODEBUG:|Oops|Kernel panic|possible (circular|recursive|irq)|inconsistent lock|lock held when returning|new suspected memory leaks/ { print }
	' "$1"
}

# The beginning of a script that is the guest's first process: the host's files, read-only, room in
# memory where scripts write, and $work/out, where what they leave is kept.
begin_init() {
	cat <<-END
	#!/bin/bash
	export PATH=$top/$B:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export VM_TOP=$top VM_OUT=/tmp IP_LIB_DIR=$top/$B HOME=/tmp LC_ALL=C
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	for dir in /run /tmp; do
		mount -t tmpfs tmpfs \$dir
	done
	cp -a /etc /tmp/.etc && mount --bind /tmp/.etc /etc
	# A tree below one of these is behind the mount now.
	[ -d $top ] || { mkdir -p $top && mount -r -t hostfs -o $top tree $top; }
	ln -sfn /proc/self/fd /dev/fd
	mkdir -p /run/netns /run/lock
	mount -t hostfs -o $top/$work/out out $top/$work/out || poweroff -f
	ip link set lo up
	END
}
