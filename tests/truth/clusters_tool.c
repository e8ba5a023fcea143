/* SPDX-License-Identifier: MIT */
/*
 * clusters_tool CACHE - failures and refusals in their groups as the causes view reads them, one JSON object a line, for
 * tests/truth: by, group, n, deferred, bounced, rejected, domains, egress. And by code, as the errors view has it.
 */
#include "store/base/jsonout.h"
#include "store/store_read.h"

#include <stdio.h>

#define GROUPS_MAX 1000000

static const char *const by_words[CLUSTER__COUNT] = {"signature", "class", "cause", "side", "stage",
	"mailbox", "destination", "egress", "sender"};

static const char *const stages[STAGE__COUNT] = {
	"-", "CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END-DATA", "other"};

static struct str group_of(enum cluster_by by, const struct cluster_row *row)
{
	switch (by) {
	case CLUSTER_CLASS:
		return str_of(explain_class_word((enum explain_class)row->key));
	case CLUSTER_CAUSE:
		return str_of(explain_cause_word((enum explain_cause)row->key));
	case CLUSTER_SIDE:
		return str_of(explain_side_word((enum explain_side)row->key));
	case CLUSTER_STAGE:
		return str_of(stages[row->key]);
	case CLUSTER_MAILBOX:
		return row->key == CLUSTER_OWN_DOOR ? STR_LIT("(our own door)") : row->name;
	case CLUSTER_SIGNATURE:
	case CLUSTER_DESTINATION:
	case CLUSTER_EGRESS:
	case CLUSTER_SENDER:
	case CLUSTER__COUNT:
	default:
		return row->name;
	}
}

static int print_groups(struct reader *r, enum cluster_by by, const struct explain_rules *rules,
	struct mt_error *err)
{
	struct query q = {.limit = GROUPS_MAX};
	struct cluster_row *rows;
	struct arena arena;
	struct buf out;
	size_t n = 0;
	int rc;

	arena_init(&arena, 1u << 30);
	buf_init(&out, 1u << 30);
	rc = read_clusters(r, &q, by, rules, &arena, &rows, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct cluster_row *row = &rows[i];

		(void)buf_printf(&out, "{\"by\":\"%s\",\"group\":", by_words[by]);
		jsonout_value(&out, group_of(by, row));
		jsonout_number(&out, "n", row->n);
		jsonout_number(&out, "deferred", row->deferred);
		jsonout_number(&out, "bounced", row->bounced);
		jsonout_number(&out, "rejected", row->rejected);
		jsonout_number(&out, "domains", row->ndomains);
		jsonout_number(&out, "egress", row->negress);
		(void)buf_printf(&out, ",\"at_least\":%s,\"refusal\":%s,\"example\":",
			row->at_least ? "true" : "false", row->refusal ? "true" : "false");
		jsonout_value(&out, row->example);
		(void)buf_add_z(&out, "}\n");
	}
	fwrite(buf_z(&out), 1, out.n, stdout);
	buf_done(&out);
	arena_done(&arena);
	return rc;
}

int main(int argc, char **argv)
{
	struct explain_rules *rules = NULL;
	struct reader *r = NULL;
	struct mt_error error = {0};
	int rc = argc == 2 ? reader_open(argv[1], &r, &error)
			   : mt_error_set(&error, MT_EINVAL, "usage: clusters_tool CACHE");

	if (rc == 0)
		rc = explain_new((struct str){NULL, 0}, "", &rules, &error);
	if (rc == 0)
		rc = reader_begin(r, &error);
	for (int by = 0; rc == 0 && by < CLUSTER__COUNT; by++)
		rc = print_groups(r, (enum cluster_by)by, rules, &error);
	if (rc < 0)
		fprintf(stderr, "clusters_tool: %s\n", error.text);
	reader_close(r);
	explain_free(rules);
	return rc < 0;
}
