"""The schema steps of the store, one .sql file each, in order. Never changed once shipped: a new version is a new file."""
