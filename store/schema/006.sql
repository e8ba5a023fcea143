-- SPDX-License-Identifier: MIT
-- Version 6: alerts: what each rule is at, and what happened.

CREATE TABLE alert (
	name TEXT PRIMARY KEY,
	phase INTEGER NOT NULL,         -- enum alert_phase
	severity INTEGER NOT NULL,      -- enum alert_severity
	since_ms INTEGER NOT NULL,      -- firing since; 0 not
	pending_ms INTEGER NOT NULL,    -- over the line since; 0 not
	below_ms INTEGER NOT NULL,      -- firing, and at or under the lower line since; 0 not
	mark INTEGER NOT NULL,          -- the rule's own
	value REAL,                     -- NULL not known
	n INTEGER,                      -- of a rate
	text TEXT NOT NULL,             -- what was found; a stranger's bytes may be in it
	condition TEXT NOT NULL,        -- the rule as a person reads it
	t_ms INTEGER NOT NULL,          -- when this was written
	ack_ms INTEGER,                 -- acknowledged; NULL not
	ack_user TEXT,
	hook_due INTEGER NOT NULL       -- enum alert_event that the hook is still to be told
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_log (
	id INTEGER PRIMARY KEY,
	t_ms INTEGER NOT NULL,
	name TEXT NOT NULL,
	event INTEGER NOT NULL,         -- enum alert_event
	severity INTEGER NOT NULL,
	value REAL,
	text TEXT NOT NULL
) STRICT;
