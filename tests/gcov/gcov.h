/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often the lines of esptun.ko ran, kept over loading and unloading it. The
 * structures are those that gcc makes (gcc's libgcc, gcov.h).
 */
#ifndef ESPTUN_GCOV_H
#define ESPTUN_GCOV_H

#include <linux/types.h>

#if __GNUC__ >= 14
#define ESPTUN_GCOV_KINDS 9
#else
#define ESPTUN_GCOV_KINDS 8
#endif

struct gcov_counters {
	unsigned int n;
	s64 *values;
};

struct gcov_function {
	const struct gcov_object *object;
	unsigned int ident;
	unsigned int lineno_checksum;
	unsigned int cfg_checksum;
	struct gcov_counters arcs;
};

struct gcov_object {
	unsigned int version;
	struct gcov_object *next;
	unsigned int stamp;
	unsigned int checksum;
	const char *name;
	void (*merge[ESPTUN_GCOV_KINDS])(s64 *values, unsigned int n);
	unsigned int n_functions;
	const struct gcov_function *const *functions;
};

/* The first and the last entry of the section are ours, and empty. */
extern const struct gcov_object *const esptun_gcov_first[];
extern const struct gcov_object *const esptun_gcov_last[];

/* Before anything of esptun.ko runs: its counters go on where they ended. */
int esptun_gcov_begin(const struct gcov_object *const *first,
		      const struct gcov_object *const *last);

/* Nothing of it runs any more. */
void esptun_gcov_end(void);

#endif
