-- SPDX-License-Identifier: MIT
-- Version 9: how hosts are reached (DIM_MX, DIM_FALLBACK). What was counted before this step lacks them:
-- meta mx_since_s is the end of the last minute counted then. No such row: nothing lacks them.

INSERT INTO meta(key, value) SELECT 'mx_since_s', CAST(max(t_s) + 60 AS TEXT) FROM bucket WHERE res=60 AND dim=0
	HAVING max(t_s) IS NOT NULL;
