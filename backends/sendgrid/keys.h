/* SPDX-License-Identifier: MIT */
/* keys - the [sendgrid NAME] section of mtatop.conf. */
#ifndef MT_BACKENDS_SENDGRID_KEYS_H
#define MT_BACKENDS_SENDGRID_KEYS_H

#include "store/base/conf.h"

#define SENDGRID_NKEYS 17

extern const struct conf_key sendgrid_keys[SENDGRID_NKEYS];

#endif
