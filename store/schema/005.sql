-- SPDX-License-Identifier: MIT
-- Version 5: how the machine fares, the newest figures of each minute; NULL unknown. enum host_gauge has the units.

CREATE TABLE host_minute (
	provider INTEGER NOT NULL,
	minute_s INTEGER NOT NULL,
	t_ms INTEGER NOT NULL,
	cpu_busy INTEGER,
	cpu_wait INTEGER,
	cpu_steal INTEGER,
	load INTEGER,
	cpus INTEGER,
	mem_total INTEGER,
	mem_available INTEGER,
	swap_used INTEGER,
	disk_total INTEGER,
	disk_free INTEGER,
	inodes_total INTEGER,
	inodes_free INTEGER,
	disk_busy INTEGER,
	disk_wait INTEGER,
	net_in INTEGER,
	net_out INTEGER,
	PRIMARY KEY (provider, minute_s)
) STRICT, WITHOUT ROWID;
