/* SPDX-License-Identifier: MIT */
/* confkeys - the [mtatop] section: what concerns the collector and the cache. */
#ifndef MT_BACKENDS_CONFKEYS_H
#define MT_BACKENDS_CONFKEYS_H

#include "store/base/conf.h"

/* collector_conf_table - for conf_new. Borrowed for ever. */
struct conf_table collector_conf_table(void);

#endif
