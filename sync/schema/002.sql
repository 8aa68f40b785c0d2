-- Schema version 2: records that were carried here from another station (FORMATS section 14).

ALTER TABLE outbox ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- the station that sealed the packet; empty where it is this one
