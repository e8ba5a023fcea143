-- SPDX-License-Identifier: MIT
-- Version 11: looks at SMTP ports (probes), of this machine's listeners and of servers elsewhere. NULL: not known.

-- The newest look at each target.
CREATE TABLE probe (
	host TEXT NOT NULL,
	port INTEGER NOT NULL,
	role INTEGER NOT NULL,          -- enum probe_role
	t_ms INTEGER NOT NULL,
	since_ms INTEGER NOT NULL,      -- the first look with this outcome
	outcome INTEGER NOT NULL,       -- enum probe_outcome
	step INTEGER NOT NULL,          -- enum probe_step, the last one tried
	flags INTEGER NOT NULL,         -- enum probe_flag
	code INTEGER,
	total_us INTEGER,
	resolve_us INTEGER,             -- of each step, in the order of enum probe_step
	connect_us INTEGER,
	greeting_us INTEGER,
	ehlo_us INTEGER,
	starttls_us INTEGER,
	tls_us INTEGER,
	ehlo_tls_us INTEGER,
	relay_us INTEGER,
	nnames INTEGER,
	chain INTEGER,
	not_before_ms INTEGER,
	not_after_ms INTEGER,
	address TEXT,
	greeting TEXT,
	greeting_name TEXT,
	tls TEXT,
	cipher TEXT,
	subject TEXT,
	issuer TEXT,
	names TEXT,
	detail TEXT,
	transcript TEXT,                -- lines "C: ", "S: "; a stranger's bytes
	PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;

-- What changed between two looks.
CREATE TABLE probe_change (
	id INTEGER PRIMARY KEY,
	t_ms INTEGER NOT NULL,
	host TEXT NOT NULL,
	port INTEGER NOT NULL,
	what INTEGER NOT NULL,          -- enum probe_change
	before INTEGER NOT NULL,        -- of outcomes: enum probe_outcome; of certificates: not_after_ms
	after INTEGER NOT NULL,
	detail TEXT
) STRICT;
