/* SPDX-License-Identifier: MIT */
/* dns_text - see dns_text.h. */
#include "tui/dns_text.h"

#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#define OUT_MAX_BYTES (64u << 20)

static void text_row(struct buf *out, const struct name_result *row)
{
	(void)buf_printf(out, "%-12s %-13s ", name_verdict_word((int)row->verdict),
		name_check_word((int)row->check));
	(void)utf8_show_text(out, row->subject, false);
	if (row->detail.n > 0) {
		(void)buf_add_z(out, " at ");
		(void)utf8_show_text(out, row->detail, false);
	}
	(void)buf_add_z(out, ": ");
	(void)utf8_show_text(out, row->text, false);
	(void)buf_add_char(out, '\n');
	if (row->record.n > 0) {
		(void)buf_add_z(out, "             record: ");
		(void)utf8_show_text(out, row->record, false);
		(void)buf_add_char(out, '\n');
	}
	if (row->verdict == NAME_BAD || row->verdict == NAME_WARN)
		(void)buf_printf(out, "             do: %s\n", name_check_todo((int)row->check));
}

static const char *machine_word(enum name_verdict verdict)
{
	return verdict == NAME_BAD       ? "bad"
	       : verdict == NAME_CANT    ? "cant-check"
	       : verdict == NAME_UNKNOWN ? "unknown"
					 : name_verdict_word((int)verdict);
}

static void json_row(struct buf *out, const struct name_result *row)
{
	(void)buf_add_z(out, "{\"subject\":");
	jsonout_value(out, row->subject);
	jsonout_words(out, "check", name_check_word((int)row->check));
	jsonout_text(out, "at", row->detail.n ? row->detail : (struct str){NULL, 0});
	jsonout_words(out, "verdict", machine_word(row->verdict));
	jsonout_text(out, "text", row->text);
	jsonout_text(out, "record", row->record.n ? row->record : (struct str){NULL, 0});
	jsonout_number(out, "ttl_s", row->ttl_s);
	(void)buf_add_char(out, '}');
}

int dns_text_print(FILE *file, const struct name_result *rows, size_t n, bool json,
	const struct clock *clock, struct mt_error *reterr)
{
	struct buf out;
	int rc = 0;

	buf_init(&out, OUT_MAX_BYTES);
	if (json) {
		(void)buf_add_z(&out, "{\"schema\":1,\"now\":\"");
		timefmt_rfc3339(&out, clock_utc_ms(clock));
		(void)buf_add_z(&out, "\",\"checks\":[");
	}
	for (size_t i = 0; i < n; i++) {
		(void)buf_add_z(&out, json && i ? "," : "");
		(json ? json_row : text_row)(&out, &rows[i]);
	}
	if (n == 0 && !json)
		(void)buf_add_z(&out, "nothing to check: give an address or a domain, or set [dns] "
				      "of mtatop.conf\n");
	(void)buf_add_z(&out, json ? "]}\n" : "");
	if (out.err)
		rc = mt_error_set(reterr, out.err, "more results than can be printed");
	else if (fwrite(buf_z(&out), 1, out.n, file) != out.n || fflush(file) != 0)
		rc = mt_error_set(reterr, MT_EIO, "can't write the results");
	buf_done(&out);
	return rc;
}
