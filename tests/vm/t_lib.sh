#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# libesptun against the module, as another program would use it: libcheck.c is
# compiled against the public header and linked to the shared library.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

libcheck=$(mktemp -d)/libcheck
check "the public header compiles alone" \
	gcc -std=gnu11 -O0 -Wall -Wextra -Werror -I "$VM_TOP/include/uapi" -I "$VM_TOP/userspace" \
	-o "$libcheck" "$VM_TOP/tests/vm/libcheck.c" "$VM_TOP/build/libesptun.so.0" || finish
add_ns lone
include libesptun ip netns exec lone env LD_LIBRARY_PATH="$VM_TOP/build" "$libcheck"
finish
