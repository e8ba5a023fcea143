-- SPDX-License-Identifier: MIT
-- Version 7: why mail fails.

-- Failures and refusals by signature: one wording (varying parts taken out), said at one stage with one code by one kind of
-- server, for one reason. Counted in buckets (DIM_CLUSTER); what they mean is worked out by rules (store/explain) when a
-- record comes, and again for all rows when the rules change (meta: explain_rules).
CREATE TABLE cluster (
	id INTEGER PRIMARY KEY,         -- dict id, kind DICT_CLUSTER
	reply INTEGER NOT NULL,         -- DICT_REPLY; 0: the log has no reply
	code INTEGER NOT NULL,          -- code_key of the records
	stage INTEGER NOT NULL,         -- enum smtp_stage
	refusal INTEGER NOT NULL,       -- 1: refusals at our own door
	mailbox INTEGER NOT NULL,       -- DICT_MAILBOX of the MX host; 0 none known
	relay INTEGER NOT NULL,         -- DICT_RELAY of the first record; 0 none
	args TEXT,                      -- of the first record, as in attempt
	first_ms INTEGER NOT NULL,
	last_ms INTEGER NOT NULL,
	rule TEXT NOT NULL,             -- name of the rule; '' none fits
	category INTEGER NOT NULL,      -- enum explain_category
	cause INTEGER NOT NULL,         -- enum explain_cause
	side INTEGER NOT NULL,          -- enum explain_side
	suppressed INTEGER NOT NULL     -- 1: not tried at all
) STRICT;
