-- SPDX-License-Identifier: MIT
-- Version 3: TCP sockets of the mail ports, from the kernel.

-- The newest sample.
CREATE TABLE socket_port (
	provider INTEGER NOT NULL,
	port INTEGER NOT NULL,
	outbound INTEGER NOT NULL,      -- 0 the local port is ours, 1 the remote one
	t_ms INTEGER NOT NULL,
	source INTEGER NOT NULL,        -- enum socket_source
	interval_ms INTEGER,            -- since the sample before, which the next four columns are of; NULL unknown
	opened INTEGER, bytes_in INTEGER, bytes_out INTEGER, retransmits INTEGER,
	established INTEGER NOT NULL, opening INTEGER NOT NULL, closing INTEGER NOT NULL,
	rtt_p50_us INTEGER, rtt_p95_us INTEGER,
	PRIMARY KEY (provider, port, outbound)
) STRICT, WITHOUT ROWID;

-- What moved, added up by the minute.
CREATE TABLE socket_minute (
	provider INTEGER NOT NULL,
	minute_s INTEGER NOT NULL,
	port INTEGER NOT NULL,
	outbound INTEGER NOT NULL,
	covered_ms INTEGER NOT NULL,    -- how much of the minute was between samples
	opened INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, retransmits INTEGER NOT NULL,
	established_max INTEGER NOT NULL,
	rtt_p50_us INTEGER,             -- the highest of its samples
	rtt_p95_us INTEGER,
	PRIMARY KEY (provider, minute_s, port, outbound)
) STRICT, WITHOUT ROWID;

-- Who is connected, of the newest sample.
CREATE TABLE socket_peer (
	provider INTEGER NOT NULL,
	port INTEGER NOT NULL,
	outbound INTEGER NOT NULL,
	peer TEXT NOT NULL,
	connections INTEGER NOT NULL,
	bytes_in INTEGER, bytes_out INTEGER,
	rtt_us INTEGER,
	PRIMARY KEY (provider, port, outbound, peer)
) STRICT, WITHOUT ROWID;
