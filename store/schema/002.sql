-- SPDX-License-Identifier: MIT
-- Version 2: providers behind a web API. Their counters lie in table bucket at resolutions of their own (vocab.h), as
-- absolute figures of a slot.

ALTER TABLE provider ADD COLUMN time_zone TEXT;            -- IANA; days of its counters are cut by it
ALTER TABLE provider ADD COLUMN demo INTEGER NOT NULL DEFAULT 0; -- made-up figures

-- What has been asked for: dim -1 are the minutes of which differences between polls are known.
CREATE TABLE api_cover (
	provider INTEGER NOT NULL,
	dim INTEGER NOT NULL,           -- enum bucket_dim
	from_s INTEGER NOT NULL,        -- [from_s, to_s): ranges of one dim neither meet nor overlap
	to_s INTEGER NOT NULL,
	PRIMARY KEY (provider, dim, from_s)
) STRICT, WITHOUT ROWID;

-- The metrics a dimension of a provider has at all: set of 1 << enum metric.
CREATE TABLE api_known (
	provider INTEGER NOT NULL,
	dim INTEGER NOT NULL,
	metrics INTEGER NOT NULL,
	PRIMARY KEY (provider, dim)
) STRICT, WITHOUT ROWID;

-- When the totals of a set of metrics were last had: differences between polls start there.
CREATE TABLE api_poll (
	provider INTEGER NOT NULL,
	metrics INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	PRIMARY KEY (provider, metrics)
) STRICT, WITHOUT ROWID;

-- Identity of events and messages of a vendor: hash of its id -> row of attempt, 0 for a note; row of message.
CREATE TABLE api_id (
	provider INTEGER NOT NULL,
	hash INTEGER NOT NULL,
	id INTEGER NOT NULL,
	day INTEGER NOT NULL,           -- UTC day number of the event, for pruning
	PRIMARY KEY (provider, hash)
) STRICT, WITHOUT ROWID;

-- What befell a message beside attempts: accepted, opened, clicked, complained ...
CREATE TABLE api_note (
	message INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	hash INTEGER NOT NULL,          -- of the event's id
	kind INTEGER NOT NULL,          -- enum api_event_kind
	text TEXT,
	PRIMARY KEY (message, t_ms, hash)
) STRICT, WITHOUT ROWID;

-- A walk over a list under way or done: rows of another gen than its own are gone at the end.
CREATE TABLE api_walk (
	provider INTEGER NOT NULL,
	list INTEGER NOT NULL,          -- enum api_list
	scope TEXT NOT NULL,
	gen INTEGER NOT NULL,
	open INTEGER NOT NULL,          -- 1 under way
	done_ms INTEGER,                -- end of the last complete one
	PRIMARY KEY (provider, list, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE suppression (
	id INTEGER PRIMARY KEY,
	provider INTEGER NOT NULL,
	list INTEGER NOT NULL,          -- enum api_list
	scope TEXT NOT NULL,            -- domain or subaccount; '' the account
	address TEXT NOT NULL,          -- lower case
	domain TEXT NOT NULL,           -- what is behind its @
	reason TEXT,
	code TEXT,
	created_ms INTEGER,
	gen INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX suppression_address ON suppression(provider, list, address, scope);
CREATE INDEX suppression_domain ON suppression(provider, list, domain, address, scope);

-- How many rows table suppression has of each; counting a million takes longer than a frame.
CREATE TABLE suppression_count (
	provider INTEGER NOT NULL,
	list INTEGER NOT NULL,
	n INTEGER NOT NULL,
	done_ms INTEGER,                -- end of the last complete walk over all scopes met so far
	PRIMARY KEY (provider, list)
) STRICT, WITHOUT ROWID;

CREATE TABLE sending_ip (
	provider INTEGER NOT NULL,
	ip TEXT NOT NULL,
	rdns TEXT,
	pools TEXT,
	region TEXT,
	dedicated INTEGER,
	enabled INTEGER,
	warming INTEGER,
	stage INTEGER,
	stages INTEGER,
	day INTEGER,
	max_messages INTEGER,
	per_s INTEGER,                  -- seconds max_messages is of; 0 the stage
	hourly_max INTEGER,
	percent INTEGER,
	started_ms INTEGER,
	stage_started_ms INTEGER,
	t_ms INTEGER NOT NULL,          -- when it was last told
	gen INTEGER NOT NULL,
	PRIMARY KEY (provider, ip)
) STRICT, WITHOUT ROWID;

CREATE TABLE sending_domain (
	provider INTEGER NOT NULL,
	name TEXT NOT NULL,
	state TEXT,
	subaccount TEXT,
	disabled TEXT,
	dns_valid INTEGER,
	dns_invalid INTEGER,
	dns_unknown INTEGER,
	dns_wrong TEXT,
	queue_disabled INTEGER,
	queue_until_ms INTEGER,
	queue_reason TEXT,
	t_ms INTEGER NOT NULL,
	gen INTEGER NOT NULL,
	PRIMARY KEY (provider, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
	provider INTEGER NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	t_ms INTEGER NOT NULL,
	PRIMARY KEY (provider, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_budget (
	provider INTEGER NOT NULL,
	endpoint TEXT NOT NULL,
	source TEXT,
	used INTEGER,
	max_requests INTEGER,
	remaining INTEGER,
	window_s INTEGER,
	reset_ms INTEGER,
	last_ms INTEGER,
	next_ms INTEGER,
	requests INTEGER NOT NULL,
	health INTEGER NOT NULL,
	missing TEXT,
	detail TEXT,
	t_ms INTEGER NOT NULL,
	PRIMARY KEY (provider, endpoint)
) STRICT, WITHOUT ROWID;
