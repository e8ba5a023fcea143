/* SPDX-License-Identifier: MIT */
/* journal_read - opening a journal and making log lines of its entries; for journal.c and journal_find.c. */
#ifndef MT_BACKENDS_JOURNAL_READ_H
#define MT_BACKENDS_JOURNAL_READ_H

#include "backends/backend.h"
#include "store/base/buf.h"

#include <systemd/sd-journal.h>

/* journal_open - the journal of an instance, narrowed to the mail facility. Gives *ret; end with sd_journal_close. */
int journal_open(
	const struct instance_def *def, sd_journal **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* journal_failed - a negative errno of libsystemd as ours, with a sentence. */
int journal_failed(int error, const char *what, struct mt_error *reterr);
/*
 * journal_line - the current entry as "RFC3339 HOST TAG[PID]: MESSAGE", into out (cleared). Line breaks in the message
 * become spaces. *ret_utc_us: its time. Returns 1, 0 for an entry without a message, MT_EIO, MT_ELIMIT.
 */
int journal_line(sd_journal *j, struct buf *out, uint64_t *ret_utc_us) MT_MUST_CHECK;

#endif
