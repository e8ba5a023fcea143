/* SPDX-License-Identifier: MIT */
/* registry - looking a family up by name. */
#include "backends/registry.h"

#include <string.h>

const struct backend_ops *backend_find(const char *name)
{
	for (size_t i = 0; backend_table[i]; i++)
		if (strcmp(backend_table[i]->name, name) == 0)
			return backend_table[i];
	return NULL;
}
