-- Schema version 2: records that were carried here from another station (FORMATS section 14); what is due and what a list shows, straight from an index;
-- pictures that a crash left without their place in the draft's text; the chip's photo of a parked sitting; repairs; corrections.

ALTER TABLE outbox ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- the station that sealed the packet; empty where it is this one
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (state, next_try_at, kept_at, record_id);
DROP INDEX outbox_by_owner;
CREATE INDEX outbox_by_owner ON outbox (owner, kept_at, record_id);
CREATE INDEX outbox_by_owner_and_state ON outbox (owner, state, kept_at, record_id);
ALTER TABLE stills ADD COLUMN named INTEGER NOT NULL DEFAULT 0; -- 1: a text of the draft has named it; then a text that does not has dropped it
ALTER TABLE drafts ADD COLUMN photo BLOB;                       -- the picture of the chip, as the reader's decoder gave it

ALTER TABLE drafts ADD COLUMN replaces TEXT NOT NULL DEFAULT '';    -- the record that was set aside and is repaired in this sitting
CREATE UNIQUE INDEX drafts_replaces ON drafts (replaces) WHERE replaces != '';              -- one repair of a record at a time
ALTER TABLE outbox ADD COLUMN replaced_by TEXT NOT NULL DEFAULT ''; -- the record that was kept in the place of this one (state replaced)
CREATE INDEX outbox_replaced_by ON outbox (replaced_by) WHERE replaced_by != '';

ALTER TABLE drafts ADD COLUMN amends TEXT NOT NULL DEFAULT '';      -- the record that the province has and that is corrected in this sitting
CREATE UNIQUE INDEX drafts_amends ON drafts (amends) WHERE amends != '';                    -- one correction of a record at a time
ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;  -- of the record (FORMATS section 1); what version 1 kept is a first one
ALTER TABLE outbox ADD COLUMN amends TEXT NOT NULL DEFAULT '';      -- the record that this one corrects
ALTER TABLE outbox ADD COLUMN amended_by TEXT NOT NULL DEFAULT '';  -- the record that corrects this one
CREATE INDEX outbox_amended_by ON outbox (amended_by) WHERE amended_by != '';
CREATE INDEX outbox_returned ON outbox (owner, kept_at, record_id) WHERE remote_state IN ('correction_required', 'refused') AND amended_by = '';
