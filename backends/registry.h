/* SPDX-License-Identifier: MIT */
/* registry - the families built in, from the meson option `backends`. The table is generated. */
#ifndef MT_BACKENDS_REGISTRY_H
#define MT_BACKENDS_REGISTRY_H

#include "backends/backend.h"

extern const struct backend_ops *const backend_table[]; /* NULL-terminated */

/* backend_find - by name; NULL. */
const struct backend_ops *backend_find(const char *name);

#endif
