-- SPDX-License-Identifier: MIT
-- Version 13: the record an own name had before a change of it.

ALTER TABLE name_change ADD COLUMN record_before TEXT; -- '' none; NULL not known
