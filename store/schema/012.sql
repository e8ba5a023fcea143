-- SPDX-License-Identifier: MIT
-- Version 12: how much of the time tasks stood still for want of CPU, memory or a disk, and the disks under a device-mapper.

ALTER TABLE host_minute ADD COLUMN psi_cpu INTEGER;
ALTER TABLE host_minute ADD COLUMN psi_memory INTEGER;
ALTER TABLE host_minute ADD COLUMN psi_io INTEGER;
ALTER TABLE host_minute ADD COLUMN under_busy INTEGER;
