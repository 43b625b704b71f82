/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What does a mechanism contribute? Built with "make ABLATE=1", the module has
 * a parameter "ablate", a sum of the values below, that turns mechanisms off.
 * In any other build esptun_ablate() is a constant and costs nothing.
 */
#ifndef ESPTUN_ABLATE_H
#define ESPTUN_ABLATE_H

#include <linux/bits.h>
#include <linux/types.h>

#define ESPTUN_ABLATE_TX_BATCH BIT(0) /* every packet goes on its own */
#define ESPTUN_ABLATE_RX_GRO BIT(1) /* single packets are not joined */
#define ESPTUN_ABLATE_RX_WHOLE BIT(2) /* super-packets are split by the stack */
#define ESPTUN_ABLATE_RX_MERGE BIT(3) /* inner segments are left to GRO */
#define ESPTUN_ABLATE_SPILL BIT(4) /* every batch stays on its CPU */

#ifdef ESPTUN_ABLATE
extern unsigned int esptun_ablated;

static inline bool esptun_ablate(unsigned int what)
{
	return esptun_ablated & what;
}
#else
static inline bool esptun_ablate(unsigned int what)
{
	return false;
}
#endif

#endif /* ESPTUN_ABLATE_H */
