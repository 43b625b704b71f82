// SPDX-License-Identifier: GPL-2.0
/* The state of ChaCha is a structure: 6.16. */
#include <crypto/chacha.h>

void probe(struct chacha_state *state, u8 *text);

void probe(struct chacha_state *state, u8 *text)
{
	chacha20_crypt(state, text, text, sizeof(state->x));
}
