/* SPDX-License-Identifier: MIT */
/*
 * journal - the `log` source over the systemd journal, where mail is logged to it and to no file.
 *
 * The cursor is the journal's own: exact over its rotation and vacuuming. Entries of the mail facility are put into
 * the shape of a log line with their time to the microsecond, and go through the family's parser like any other.
 */
#ifndef MT_BACKENDS_JOURNAL_H
#define MT_BACKENDS_JOURNAL_H

#include "backends/backend.h"

extern const struct source_ops journalsource;

/* journal_built_in - was this mtatop built with libsystemd? */
bool journal_built_in(void);

/*
 * journal_wanted - is the journal to be read for this instance? Configured instead of a file: yes, also where it is
 * not built in (the source then says what is missing). As a fall-back: when no log file is there and a journal is.
 */
bool journal_wanted(const struct instance_def *def);

/*
 * journal_check - can the journal be read, and is there mail in it?
 * Returns 0, MT_EPERM (no file of it is readable, or there is none), MT_ENOTSUP, MT_EIO. *ret_entries: false when it
 * has no entry of the mail facility.
 */
int journal_check(
	const struct instance_def *def, bool *ret_entries, struct mt_error *reterr) MT_MUST_CHECK;

/*
 * journal_find - logfind_run (logfind.h) over the journal: the last max_lines entries up to t1_ms (0: to the end), those
 * after last_offset, or those of t0..t1 with one of the ids. Offsets given out grow with the time of the entries.
 * Errors: those of journal_check, MT_ECANCELED, what out->add returned.
 */
int journal_find(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;

#endif
