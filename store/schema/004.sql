-- SPDX-License-Identifier: MIT
-- Version 4: which IP a service tag of the log sends from, since when.

CREATE TABLE egress (
	provider INTEGER NOT NULL,
	tag TEXT NOT NULL,              -- as in DICT_SERVICE: "postfix/relay/smtp"
	since_ms INTEGER NOT NULL,      -- 0: the first that was known; it stands for what was before too
	ip TEXT,                        -- space separated; NULL: not known, the system chooses
	note TEXT,                      -- why
	PRIMARY KEY (provider, tag, since_ms)
) STRICT, WITHOUT ROWID;
