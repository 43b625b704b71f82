/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core in a process of its own: what remains of it once it is started and confined. */
#ifndef ESPTUN_IKE_SERVE_H
#define ESPTUN_IKE_SERVE_H

#include <stdbool.h>

/*
 * Run the core for the agent at the other end of @fd (see wire.h) until that is closed; then the
 * process ends. With @keylog secrets are told, too.
 */
_Noreturn void serve_core(int fd, bool keylog);

/* Has the agent log @text as an error, before the process ends. For signal handlers, too. */
void serve_last_words(const char *text);

#endif
