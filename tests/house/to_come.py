"""Rooms that the plan names and that are still to be built. Only ever gets shorter; nothing outside of tests/house reads it."""

MODULES = {
    "desktop.commands", "desktop.kiosk", "desktop.verify",
    "devices.scanners",
    "sync.outbox",
    "sync.workdays",
    "tests.province",
}
FILES = {
    "desktop/README.md", "devices/README.md", "resources/README.md", "sync/README.md",
}
