// SPDX-License-Identifier: GPL-2.0
/*
 * What tests/kunit calls. Part of the module only in kernels built with KUnit,
 * so that nothing is exported where there is no test.
 */
#include <linux/export.h>
