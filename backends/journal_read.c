/* SPDX-License-Identifier: MIT */
/* journal_read - see journal_read.h. */
#include "backends/journal_read.h"

#include "backends/journal.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FIELD_MAX_BYTES (1u << 20) /* of one field; longer ones are cut by libsystemd */
#define US_PER_MS 1000

int journal_failed(int error, const char *what, struct mt_error *reterr)
{
	return mt_error_sys(reterr, -error, "the journal: %s", what);
}

int journal_open(const struct instance_def *def, sd_journal **ret, struct mt_error *reterr)
{
	sd_journal *j = NULL;
	int rc = def->journal_folder ? sd_journal_open_directory(&j, def->journal_folder, 0)
				     : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	if (rc < 0)
		return journal_failed(rc, "can't open it", reterr);
	sd_journal_set_data_threshold(j, FIELD_MAX_BYTES);
	/* What syslog would write into mail.log: the mail facility. Tags can't be matched by prefix. */
	rc = sd_journal_add_match(j, "SYSLOG_FACILITY=2", 0);
	if (rc < 0) {
		sd_journal_close(j);
		return journal_failed(rc, "can't look for mail in it", reterr);
	}
	*ret = j;
	return 0;
}

/* field - the value of a field of the current entry; absent if it has none. Valid until the next call. */
static struct str field(sd_journal *j, const char *name)
{
	const void *data;
	size_t n, skip = strlen(name) + 1;

	if (sd_journal_get_data(j, name, &data, &n) < 0 || n < skip)
		return (struct str){NULL, 0};
	return str_make((const char *)data + skip, n - skip);
}

static uint64_t entry_time_us(sd_journal *j)
{
	struct str source = field(j, "_SOURCE_REALTIME_TIMESTAMP");
	uint64_t us = 0;

	if (!scan_all_u64(source, UINT64_MAX, &us) && sd_journal_get_realtime_usec(j, &us) < 0)
		us = 0;
	return us;
}

/* add_word - a field as one word: what it must not hold becomes '_'; fallback where there is none. */
static void add_word(struct buf *out, struct str word, const char *fallback)
{
	if (word.n == 0)
		word = str_of(fallback);
	for (size_t i = 0; i < word.n; i++)
		buf_add_char(out, (unsigned char)word.p[i] <= ' ' ? '_' : word.p[i]);
}

int journal_line(sd_journal *j, struct buf *out, uint64_t *ret_utc_us)
{
	uint64_t us = entry_time_us(j), pid = 0;
	struct str value;
	size_t from;

	buf_clear(out);
	timefmt_rfc3339(out, (int64_t)(us / US_PER_MS));
	buf_add_char(out, ' ');
	add_word(out, field(j, "_HOSTNAME"), "localhost");
	buf_add_char(out, ' ');
	value = field(j, "SYSLOG_IDENTIFIER");
	add_word(out, value.n ? value : field(j, "_COMM"), "unknown");
	value = field(j, "SYSLOG_PID");
	if (scan_all_u64(value.n ? value : field(j, "_PID"), INT32_MAX, &pid))
		buf_printf(out, "[%u]", (unsigned)pid);
	buf_add_z(out, ": ");
	value = field(j, "MESSAGE");
	if (!str_present(value))
		return 0;
	from = out->n;
	buf_add_str(out, value);
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\n' || out->p[i] == '\r')
			out->p[i] = ' ';
	*ret_utc_us = us;
	return out->err ? (int)out->err : 1;
}
