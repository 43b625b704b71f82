/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock and the one timer of the agent. libevent's own timers stand still while
 * the machine is suspended; SAs do not, so this one counts suspend (CLOCK_BOOTTIME).
 */
#ifndef ESPTUN_IKE_LOOP_H
#define ESPTUN_IKE_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;

/* Milliseconds since boot, suspend included. */
uint64_t loop_now(void);

/* The same without suspend: suspended, the machine keeps nobody waiting. */
uint64_t loop_awake(void);

/* NULL with the cause in errno. @due is called when the time given last has come. */
struct loop *loop_new(void (*due)(void *ctx), void *ctx);
void loop_free(struct loop *l); /* NULL is fine */
struct event_base *loop_base(struct loop *l);

/* Call @due at @when (ms, as loop_now()); UINT64_MAX: never. Replaces what was set before. */
void loop_wake_at(struct loop *l, uint64_t when);

/* Runs until loop_stop(). 0, or -1 if the loop failed. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
