-- Schema version 2: records that were carried here from another station (FORMATS section 14); what is due and what a list shows, straight from an index;
-- pictures that a crash left without their place in the draft's text; the chip's photo of a parked sitting; repairs.

ALTER TABLE outbox ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- the station that sealed the packet; empty where it is this one
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (state, next_try_at, kept_at, record_id);
DROP INDEX outbox_by_owner;
CREATE INDEX outbox_by_owner ON outbox (owner, kept_at, record_id);
CREATE INDEX outbox_by_owner_and_state ON outbox (owner, state, kept_at, record_id);
CREATE INDEX outbox_returned ON outbox (owner, kept_at, record_id) WHERE remote_state IN ('correction_required', 'refused');
ALTER TABLE stills ADD COLUMN named INTEGER NOT NULL DEFAULT 0; -- 1: a text of the draft has named it; then a text that does not has dropped it
ALTER TABLE drafts ADD COLUMN photo BLOB;                       -- the picture of the chip, as the reader's decoder gave it

ALTER TABLE drafts ADD COLUMN replaces TEXT NOT NULL DEFAULT '';    -- the record that was set aside and is repaired in this sitting
CREATE UNIQUE INDEX drafts_replaces ON drafts (replaces) WHERE replaces != '';              -- one repair of a record at a time
ALTER TABLE outbox ADD COLUMN replaced_by TEXT NOT NULL DEFAULT ''; -- the record that was kept in the place of this one (state replaced)
CREATE INDEX outbox_replaced_by ON outbox (replaced_by) WHERE replaced_by != '';
