-- Rows of the reference province. Plain bytes of a person never lie here: a record is its packet, its digests and its signature.
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (id TEXT NOT NULL, hall TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, PRIMARY KEY (id, hall));
CREATE TABLE IF NOT EXISTS readers (sam TEXT PRIMARY KEY, hall TEXT NOT NULL, state TEXT NOT NULL, since TEXT, until TEXT, other TEXT);
CREATE TABLE IF NOT EXISTS halls (code TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS invitations (code TEXT PRIMARY KEY, hall TEXT NOT NULL, "window" TEXT NOT NULL, until TEXT NOT NULL, used_by TEXT,
  station_id TEXT);
CREATE TABLE IF NOT EXISTS stations (id TEXT PRIMARY KEY, hall TEXT NOT NULL, "window" TEXT NOT NULL, certificate BLOB NOT NULL, machine TEXT NOT NULL,
  administrator TEXT NOT NULL, enrolled_at TEXT NOT NULL, revoked_at TEXT, replaced_by TEXT, cloned_at TEXT);
CREATE TABLE IF NOT EXISTS certificates (digest TEXT PRIMARY KEY, station_id TEXT NOT NULL REFERENCES stations, certificate BLOB NOT NULL, issued_at TEXT NOT NULL,
  ended_at TEXT, request TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS loans (station_id TEXT NOT NULL REFERENCES stations, hall TEXT NOT NULL, "window" TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS enrolments (request_digest TEXT PRIMARY KEY, station_id TEXT NOT NULL REFERENCES stations, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, station_id TEXT NOT NULL REFERENCES stations, record_id TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
  whole INTEGER NOT NULL DEFAULT 0, UNIQUE (station_id, record_id, digest));
CREATE TABLE IF NOT EXISTS records (record_id TEXT PRIMARY KEY, station_id TEXT NOT NULL REFERENCES stations, type TEXT NOT NULL, upload_id TEXT NOT NULL REFERENCES uploads,
  packet_digest TEXT NOT NULL, packet_size INTEGER NOT NULL, record_digest TEXT NOT NULL, signature BLOB NOT NULL, acts TEXT NOT NULL,
  serial INTEGER NOT NULL UNIQUE, accepted_at TEXT NOT NULL, receipt BLOB);
CREATE TABLE IF NOT EXISTS amendments (record_id TEXT PRIMARY KEY REFERENCES records, amends TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS states (seq INTEGER PRIMARY KEY AUTOINCREMENT, record_id TEXT NOT NULL REFERENCES records, station_id TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL,
  until TEXT, items TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS downlinks (purpose TEXT NOT NULL, station_id TEXT NOT NULL, version INTEGER NOT NULL, body_digest TEXT NOT NULL, renew_at TEXT NOT NULL,
  envelope BLOB NOT NULL, PRIMARY KEY (purpose, station_id));
CREATE TABLE IF NOT EXISTS journal_heads (station_id TEXT NOT NULL, size INTEGER NOT NULL, head TEXT NOT NULL, at TEXT NOT NULL, told_at TEXT NOT NULL, fork INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (station_id, size, head));
CREATE TABLE IF NOT EXISTS tables (name TEXT PRIMARY KEY, edition TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sheets (number TEXT PRIMARY KEY, state TEXT NOT NULL, facts TEXT NOT NULL, newer TEXT, code TEXT NOT NULL, printed TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS states_of_station ON states (station_id, seq);
