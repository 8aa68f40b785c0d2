-- Schema version 2: records that were carried here from another station (FORMATS section 14); what is due and what a list shows, straight from an index.

ALTER TABLE outbox ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- the station that sealed the packet; empty where it is this one
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (state, next_try_at, kept_at, record_id);
CREATE INDEX outbox_by_owner_and_state ON outbox (owner, state, kept_at, record_id);
