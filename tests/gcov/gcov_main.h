/* SPDX-License-Identifier: GPL-2.0 */
/* In front of kmod/main.c: counting begins before the module does and ends after it. */
#ifndef ESPTUN_GCOV_MAIN_H
#define ESPTUN_GCOV_MAIN_H

#include <linux/module.h>
#include "gcov.h"

#undef module_init
#undef module_exit

#define module_init(init)                                                             \
	static int __init counted_init(void)                                          \
	{                                                                             \
		int err = esptun_gcov_begin(esptun_gcov_first + 1, esptun_gcov_last); \
                                                                                      \
		if (err)                                                              \
			return err;                                                   \
		err = init();                                                         \
		if (err)                                                              \
			esptun_gcov_end();                                            \
		return err;                                                           \
	}                                                                             \
	int init_module(void) __copy(counted_init) __attribute__((alias("counted_init")))

#define module_exit(exit)                     \
	static void __exit counted_exit(void) \
	{                                     \
		exit();                       \
		esptun_gcov_end();            \
	}                                     \
	void cleanup_module(void) __copy(counted_exit) __attribute__((alias("counted_exit")))

#endif
