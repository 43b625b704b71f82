// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated world serves the unit tests of the core too. */
#include "../sim/inside.c"
#include "../sim/kernel.c"
#include "../sim/message.c"
#include "../sim/taken.c"
#include "../sim/world.c"
