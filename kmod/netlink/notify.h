/* SPDX-License-Identifier: GPL-2.0 */
/* Events become netlink messages; those of SAs never carry keys. */
#ifndef ESPTUN_NOTIFY_H
#define ESPTUN_NOTIFY_H

#include "util/event.h"

/* Needs the family: listens while that is registered. */
extern const struct esptun_listener esptun_notify_listener;

#endif /* ESPTUN_NOTIFY_H */
