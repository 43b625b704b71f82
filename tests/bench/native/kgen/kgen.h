/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KGEN_H
#define KGEN_H

#include <linux/time64.h>
#include <linux/types.h>

/*
 * A clock of the host's, in ns: of all this kernel does on the processor, or the one on the
 * wall. User-mode Linux has no clock that stops while the host does something else.
 */
#define HOST_MONOTONIC 1
#define HOST_CPU 2

static inline u64 host_clock(long id)
{
	const long clock_gettime = 228;
	struct {
		s64 s, ns;
	} t;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(clock_gettime), "D"(id), "S"(&t)
		     : "rcx", "r11", "memory");
	return t.s * NSEC_PER_SEC + t.ns;
}

/* What the segmenting NICs took for what is done in a real one, so far. */
extern u64 nic_ns;

/* time_cipher() - ns for one seal and one open of @octets; negative: there is no such AEAD. */
s64 time_cipher(const char *aead, unsigned int octets);

#endif
