#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh OUTPUT PROBES RELEASE COMPILER FLAGS...
#
# Writes "#define HAVE_NAME 1" to OUTPUT for each PROBES/name.c that the
# compiler accepts with the kernel's own flags. Kernel version numbers would
# not do: distributions port interfaces back.
set -eu

output=$1
probes=$2
release=$3
shift 3

# Warnings that mean "this interface is another one", and no others: the probe
# must not depend on what else a compiler happens to dislike.
accepts() {
	"$@" -Wno-error -fsyntax-only -DKBUILD_MODNAME='"probe"' \
		-Werror=implicit-function-declaration -Werror=int-conversion \
		-Werror=incompatible-pointer-types -Werror=implicit-int "$file"
}

# Two controls: with a wrong compiler or wrong flags everything would be
# refused, with a broken check everything accepted, and both look like answers.
file=$probes/control_pass.c
if ! errors=$(accepts "$@" 2>&1); then
	echo "$errors" | head -n 5 >&2
	echo "esptun: this compiler cannot compile for kernel $release; nothing can be probed" >&2
	exit 1
fi
file=$probes/control_fail.c
if accepts "$@" 2>/dev/null; then
	echo "esptun: the compiler accepts calls of functions that do not exist" >&2
	exit 1
fi

tmp=$output.$$
trap 'rm -f "$tmp"' EXIT
{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Written by probe.sh for kernel $release. */"
	for file in "$probes"/*.c; do
		name=$(basename "$file" .c)
		case $name in control_*) continue ;; esac
		if accepts "$@" 2>/dev/null; then
			echo "#define HAVE_$name 1" | tr '[:lower:]' '[:upper:]' | sed 's/^#DEFINE/#define/'
		fi
	done
} >"$tmp"
mv "$tmp" "$output"
