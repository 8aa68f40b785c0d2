-- Schema version 3: corrections of what the province returned; what waits is counted from an index alone.

ALTER TABLE drafts ADD COLUMN amends TEXT NOT NULL DEFAULT '';      -- the record that the province has and that is corrected in this sitting
CREATE UNIQUE INDEX drafts_amends ON drafts (amends) WHERE amends != '';                    -- one correction of a record at a time
ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;  -- of the record (FORMATS section 1); what earlier versions kept is a first one
ALTER TABLE outbox ADD COLUMN amends TEXT NOT NULL DEFAULT '';      -- the record that this one corrects
ALTER TABLE outbox ADD COLUMN amended_by TEXT NOT NULL DEFAULT '';  -- the record that corrects this one
CREATE INDEX outbox_amended_by ON outbox (amended_by) WHERE amended_by != '';
DROP INDEX outbox_returned;
CREATE INDEX outbox_returned ON outbox (owner, kept_at, record_id) WHERE remote_state IN ('correction_required', 'refused') AND amended_by = '';
CREATE INDEX outbox_waits ON outbox (state, reason, last_error, packet_size, next_try_at) WHERE state NOT IN ('receipted', 'purged', 'replaced');
