// SPDX-License-Identifier: GPL-2.0
/* Segmentation has a header of its own: 6.5. */
#include <net/gso.h>
