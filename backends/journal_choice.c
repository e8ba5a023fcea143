/* SPDX-License-Identifier: MIT */
/* journal_choice - file or journal? Asked when a collector starts, by the doctor and by jobs: one answer for all. */
#include "backends/journal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* is_there - also where it is only that we may not look. */
static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool has_journal(const struct instance_def *def)
{
	return journal_built_in() && (def->journal_folder || is_there("/var/log/journal") ||
					     is_there("/run/log/journal"));
}

bool journal_wanted(const struct instance_def *def)
{
	if (!def->journal)
		return false;
	if (def->nlogs == 0)
		return true;
	for (size_t i = 0; i < def->nlogs; i++)
		if (is_there(def->logs[i]))
			return false;
	return has_journal(def);
}
