/* SPDX-License-Identifier: MIT */
/* actor - see actor.h. */
#include "backends/actor.h"

#include "store/base/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSWD_MAX_BYTES 16384

void actor_name(char *ret, size_t max)
{
	struct passwd entry, *found = NULL;
	char *room = xmalloc(PASSWD_MAX_BYTES);
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const char *name = NULL;

	if (getpwuid_r(getuid(), &entry, room, PASSWD_MAX_BYTES, &found) == 0 && found)
		name = found->pw_name;
	if (sudo && sudo[0])
		snprintf(ret, max, "%s (sudo)", sudo);
	else if (name)
		snprintf(ret, max, "%s", name);
	else
		snprintf(ret, max, "uid %ld", (long)getuid());
	free(room);
}
