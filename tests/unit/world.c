// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated world serves the unit tests of the core too. */
#include "../sim/world.c"
