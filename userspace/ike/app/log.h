/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the agent's lines go: standard error (with systemd's level prefix when the
 * journal reads it) or syslog. One line is one event. Lines that packets from the
 * network can cause go through log_core(), which limits their rate.
 */
#ifndef ESPTUN_IKE_LOG_H
#define ESPTUN_IKE_LOG_H

#include "ike/core/core.h"

/* Lines above @level are dropped. @use_syslog: once the process has no terminal. */
void log_open(enum ike_log_level level, bool use_syslog);

/* Are lines of that level written? */
bool log_wants(enum ike_log_level level);

/* Say something about @tunnel (NULL: the agent as a whole). */
void log_say(enum ike_log_level level, const char *tunnel, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The core's ike_env->log: with the SPI pair, if there is one. A tunnel may say 20
 * lines at once and 5 a second from then on, all that belongs to no tunnel together
 * the same, and all there is 5,000 and 500; what was left out is counted and told. Debug level lifts the limit.
 * @now in milliseconds.
 */
void log_core(enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
	      const uint8_t *spi_r, const char *text, uint64_t now);

#endif
