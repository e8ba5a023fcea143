-- SPDX-License-Identifier: MIT
-- Version 8: how many messages a queue manager takes into its active queue.

ALTER TABLE provider ADD COLUMN active_limit INTEGER;  -- postconf(5) qmgr_message_active_limit; NULL not known
