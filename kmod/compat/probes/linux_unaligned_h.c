// SPDX-License-Identifier: GPL-2.0
/* The header for unaligned access moved out of asm/: 6.12. */
#include <linux/unaligned.h>
