-- SPDX-License-Identifier: MIT
-- The cache, version 1. Times are ms since 1970 UTC unless the column says _s. TEXT may hold any bytes.
-- Row ids of message, attempt and reject grow with the log, so a time window is an id range (table mark).

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE provider (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,      -- what a person types: "postfix", "postfix-out"
	kind TEXT NOT NULL,             -- backend family: "postfix"
	host TEXT,
	finest_bucket_s INTEGER NOT NULL DEFAULT 60,
	caps INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One backend instance of a provider: its log, its queue. Health is what the schedule last saw.
CREATE TABLE source (
	id INTEGER PRIMARY KEY,
	provider INTEGER NOT NULL REFERENCES provider(id),
	name TEXT NOT NULL,             -- "log", "queue"
	health INTEGER NOT NULL DEFAULT 0,
	detail TEXT,                    -- one sentence for a person: path read, or what is wrong and the fix
	last_ok_ms INTEGER,
	last_try_ms INTEGER,
	next_due_ms INTEGER,
	interval_ms INTEGER,
	newest_ms INTEGER,              -- time stamp of the newest record read
	done_bytes INTEGER,             -- catch-up progress
	total_bytes INTEGER,
	errors INTEGER NOT NULL DEFAULT 0,
	UNIQUE (provider, name)
) STRICT;

-- Where a source stands, committed with the rows it made. key names the file or API stream.
CREATE TABLE cursor (
	source INTEGER NOT NULL REFERENCES source(id),
	key    TEXT NOT NULL,           -- for a log: hex of the head fingerprint
	value  BLOB NOT NULL,           -- backend's own encoding (offset, inode, tail fingerprint, path ...)
	updated_ms INTEGER NOT NULL,
	PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

-- Volatile state of the joiner (open client sessions ...), so that a restart counts like no restart.
CREATE TABLE state (
	provider INTEGER NOT NULL,
	key TEXT NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (provider, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE dict (
	id INTEGER PRIMARY KEY,
	kind INTEGER NOT NULL,
	text TEXT NOT NULL,
	seen_day INTEGER NOT NULL DEFAULT 0, -- UTC day number last used, for pruning
	UNIQUE (kind, text)
) STRICT;

-- Which port a service tag stands for; written from postconf -M/-P or from stock names.
CREATE TABLE service (
	provider INTEGER NOT NULL,
	dict INTEGER NOT NULL,          -- DICT_SERVICE
	port INTEGER,                   -- NULL unknown or ambiguous
	port_source INTEGER NOT NULL,   -- enum port_source
	wrapper INTEGER,                -- 1 implicit TLS, 0 not, NULL unknown
	note TEXT,                      -- "25 and 10025 share the name postfix/smtpd"
	PRIMARY KEY (provider, dict)
) STRICT, WITHOUT ROWID;

-- Messages, 32 neighbouring ids in one value (message_block.h). SQL sees them as table `message` (message_table.h):
-- id, provider, t_ms (arrival, first line seen), end_ms (removed or expired; NULL while open), flags (enum
-- message_flag), qid, host, service (it came in by), client, user, from_local (NULL unknown; '' with from_dom NULL is
-- <>), from_dom, size, nrcpt, runs (queue runs), nsent, nbounced, ndeferred (attempts), mid_local, mid_dom, parent
-- (message id of the one it was made from), and its first attempt when that was the first recipient's status=sent and
-- came within INLINE_ATTEMPT_MAX_MS of the arrival: a_ms (time less t_ms), a_rcpt (local part), a_dom, a_orig,
-- a_relay, a_egress, a_delay, a_a, a_b, a_c, a_d (centiseconds), a_dsn, a_code, a_reply, a_args (reply.h), a_tls,
-- a_flags (1 = handed over to another queue id here). host .. a_tls: ids of dict, but for texts and figures.
CREATE TABLE message_block (
	id INTEGER PRIMARY KEY,         -- message id / 32
	body BLOB NOT NULL
) STRICT;

-- Messages with end_ms NULL.
CREATE TABLE message_open (
	provider INTEGER NOT NULL,
	qid TEXT NOT NULL,
	id INTEGER NOT NULL,
	PRIMARY KEY (provider, qid, id)
) STRICT, WITHOUT ROWID;

-- Messages with a parent.
CREATE TABLE message_child (
	parent INTEGER NOT NULL,
	id INTEGER NOT NULL,
	PRIMARY KEY (parent, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
	id INTEGER PRIMARY KEY,
	message INTEGER NOT NULL,
	provider INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	status INTEGER NOT NULL,        -- enum event_status
	rcpt TEXT NOT NULL,             -- local part
	dom INTEGER,                    -- DICT_DOMAIN; NULL when the address has none
	orig TEXT,
	relay INTEGER,
	egress INTEGER,
	delay INTEGER, a INTEGER, b INTEGER, c INTEGER, d INTEGER,
	dsn INTEGER,
	code INTEGER,
	stage INTEGER,                  -- enum smtp_stage
	reply INTEGER,
	args TEXT,
	tls INTEGER,
	run INTEGER,
	flags INTEGER NOT NULL DEFAULT 0 -- 1 = handed over
) STRICT;
CREATE INDEX attempt_message ON attempt(message);
CREATE INDEX attempt_domain ON attempt(dom, id) WHERE status <> 1;

CREATE TABLE reject (
	id INTEGER PRIMARY KEY,
	provider INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	action INTEGER NOT NULL,        -- enum reject_action
	word TEXT,                      -- as logged: "milter-reject"
	service INTEGER,
	client INTEGER,
	qid TEXT,
	stage INTEGER,
	code INTEGER,
	dsn INTEGER,
	from_addr TEXT,
	rcpt TEXT,
	dom INTEGER,                    -- DICT_DOMAIN of rcpt
	helo TEXT,
	reply INTEGER,
	args TEXT
) STRICT;

-- Minute -> first row ids at or after it, so that a window is an id range.
CREATE TABLE mark (
	provider INTEGER NOT NULL,
	minute_s INTEGER NOT NULL,      -- start of the UTC minute, seconds
	message INTEGER,                -- lowest ids of rows whose t_ms lies in the minute
	attempt INTEGER,
	reject INTEGER,
	log_key TEXT,                   -- cursor key and offset of the first line of the minute: finds raw lines again
	log_offset INTEGER,
	PRIMARY KEY (provider, minute_s)
) STRICT, WITHOUT ROWID;

-- Counts of a time slot, all keys and metrics packed into one value (bucket.h), cut by key where they may be many.
CREATE TABLE bucket (
	res INTEGER NOT NULL,           -- enum bucket_resolution, seconds
	dim INTEGER NOT NULL,           -- enum bucket_dim
	t_s INTEGER NOT NULL,           -- start, seconds UTC
	provider INTEGER NOT NULL,
	chunk INTEGER NOT NULL,         -- bucket_chunk of its keys
	counts BLOB NOT NULL,           -- entries of key, metric (enum metric) and n
	PRIMARY KEY (res, dim, t_s, provider, chunk)
) STRICT, WITHOUT ROWID;

-- Lines kept for a person to look at: unparsed, warnings, oversize. Capped per kind.
CREATE TABLE sample (
	id INTEGER PRIMARY KEY,
	provider INTEGER NOT NULL,
	kind INTEGER NOT NULL,          -- enum event_kind
	t_ms INTEGER NOT NULL,
	severity INTEGER NOT NULL DEFAULT 0,
	service INTEGER,
	text TEXT NOT NULL
) STRICT;

CREATE TABLE queue_sample (
	provider INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	source INTEGER NOT NULL,        -- enum queue_source
	maildrop INTEGER, incoming INTEGER, active INTEGER, deferred INTEGER, hold INTEGER, corrupt INTEGER,
	oldest_ms INTEGER,              -- arrival of the oldest message, NULL unknown or empty
	PRIMARY KEY (provider, t_ms)
) STRICT, WITHOUT ROWID;

-- The newest listing of each queue; gen tells which listing a row was last seen in.
CREATE TABLE queue_message (
	provider INTEGER NOT NULL,
	qid TEXT NOT NULL,
	arrival_ms INTEGER NOT NULL,
	queue INTEGER NOT NULL,         -- enum queue_name
	sender TEXT NOT NULL,
	from_dom INTEGER,
	size INTEGER,
	nrcpt INTEGER NOT NULL,
	rcpt TEXT,                      -- first recipient
	dom INTEGER,                    -- its domain
	reason TEXT,                    -- first recipient's delay reason
	next_retry_ms INTEGER,          -- estimate by qmgr's rule; NULL unknown
	expires_ms INTEGER,
	forced_expire INTEGER NOT NULL DEFAULT 0,
	gen INTEGER NOT NULL,
	PRIMARY KEY (provider, qid, arrival_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_recipient (
	provider INTEGER NOT NULL,
	qid TEXT NOT NULL,
	n INTEGER NOT NULL,
	rcpt TEXT NOT NULL,
	reason TEXT,
	gen INTEGER NOT NULL,
	PRIMARY KEY (provider, qid, n)
) STRICT, WITHOUT ROWID;

-- qshape: recipients (or senders) by domain and age, made once a listing. bucket 0..9: <5 min, <10, <20 ... >=1280
CREATE TABLE queue_shape (
	provider INTEGER NOT NULL,
	by_sender INTEGER NOT NULL,
	dom INTEGER NOT NULL,
	bucket INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (provider, by_sender, dom, bucket)
) STRICT, WITHOUT ROWID;

-- Every action taken on a queue, by whom, with what result.
CREATE TABLE action (
	id INTEGER PRIMARY KEY,
	provider INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	user TEXT NOT NULL,
	verb TEXT NOT NULL,
	qids TEXT NOT NULL,
	asked INTEGER NOT NULL,
	done INTEGER NOT NULL,
	result TEXT NOT NULL
) STRICT;
