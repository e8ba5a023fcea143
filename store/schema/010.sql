-- SPDX-License-Identifier: MIT
-- Version 10: own addresses and domains in the DNS (store/names.h): what each check found last, and its changes.

CREATE TABLE name_check (
	id INTEGER PRIMARY KEY,
	subject TEXT NOT NULL,          -- an address or a domain
	kind INTEGER NOT NULL,          -- enum name_check
	detail TEXT NOT NULL,           -- block list, selector, MX host ...; '' none
	verdict INTEGER NOT NULL,       -- enum name_verdict
	known INTEGER NOT NULL,         -- the last verdict that was not NAME_CANT; NAME_UNKNOWN there was none
	text TEXT NOT NULL,             -- what was found; a stranger's bytes may be in it
	record TEXT NOT NULL,           -- the record; '' none
	ttl_s INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,          -- looked at last
	since_ms INTEGER NOT NULL,      -- of this verdict
	UNIQUE (subject, kind, detail)
) STRICT;

CREATE TABLE name_change (
	id INTEGER PRIMARY KEY,
	t_ms INTEGER NOT NULL,
	subject TEXT NOT NULL,
	kind INTEGER NOT NULL,
	detail TEXT NOT NULL,
	before INTEGER NOT NULL,        -- enum name_verdict
	verdict INTEGER NOT NULL,
	text TEXT NOT NULL,
	record TEXT NOT NULL
) STRICT;
CREATE INDEX name_change_of ON name_change(subject, kind, detail);

-- What a mail server calls its own.
CREATE TABLE own_name (
	provider INTEGER NOT NULL,
	kind INTEGER NOT NULL,          -- enum own_kind
	name TEXT NOT NULL,
	PRIMARY KEY (provider, kind, name)
) STRICT, WITHOUT ROWID;
