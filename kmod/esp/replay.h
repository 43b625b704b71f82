/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Anti-replay window and extended sequence numbers: RFC 4303 3.4.3 and
 * appendix A. Pure: no locks, no kernel services; the caller serialises.
 */
#ifndef ESPTUN_REPLAY_H
#define ESPTUN_REPLAY_H

#include <linux/types.h>

/**
 * struct esptun_replay - what was received on one SA
 * @top: highest authenticated sequence number, 64 bits with or without ESN
 * @window: packets remembered below and including @top; 0 checks nothing
 * @mask: 64-bit words in @ring less one; their number is a power of two
 * @ring: one bit per sequence number, indexed by it modulo the ring's size
 */
struct esptun_replay {
	u64 top;
	u32 window;
	u32 mask;
	u64 *ring;
};

/**
 * esptun_replay_words - size of the ring for a window
 * @window: packets, 0 to ESPTUN_REPLAY_WINDOW_MAX
 *
 * Return: number of u64 for esptun_replay_init(); 0 if @window is 0.
 */
unsigned int esptun_replay_words(u32 window);

/**
 * esptun_replay_init - nothing received yet
 * @r: to fill
 * @window: packets, 0 to ESPTUN_REPLAY_WINDOW_MAX
 * @ring: esptun_replay_words() words, zeroed; owned by the caller
 */
void esptun_replay_init(struct esptun_replay *r, u32 window, u64 *ring);

/**
 * esptun_replay_infer - the 64-bit number behind the 32 bits on the wire
 * @r: state
 * @seq: number in the packet, host order
 * @esn: extended sequence numbers negotiated
 * @full: result; without @esn it is @seq
 *
 * RFC 4303 A2.2. The result is a guess that authentication confirms.
 *
 * Return: false if the number lies below 0, so no packet can have it.
 */
bool esptun_replay_infer(const struct esptun_replay *r, u32 seq, bool esn,
			 u64 *full);

/**
 * esptun_replay_check - could this packet be fresh
 * @r: state
 * @full: result of esptun_replay_infer()
 *
 * Changes nothing. Return: false for a duplicate, a number older than the
 * window, and 0 (the first packet has 1).
 */
bool esptun_replay_check(const struct esptun_replay *r, u64 full);

/**
 * esptun_replay_commit - remember an authenticated packet
 * @r: state
 * @full: its number
 *
 * Checks again, for another CPU may have committed the same number since.
 *
 * Return: false if the packet is not fresh; then nothing changed.
 */
bool esptun_replay_commit(struct esptun_replay *r, u64 full);

#endif /* ESPTUN_REPLAY_H */
