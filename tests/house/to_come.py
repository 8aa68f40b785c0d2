"""Rooms that the plan names and that are still to be built. Only ever gets shorter; nothing outside of tests/house reads it."""

MODULES = {
    "desktop.bridge", "desktop.commands", "desktop.flows", "desktop.kiosk", "desktop.messages", "desktop.settings", "desktop.staff", "desktop.verify",
    "desktop.widgets", "devices.cards.idcard", "devices.scanners", "devices.watch",
    "sync.blobs", "sync.courier", "sync.journal", "sync.keys", "sync.outbox", "sync.parked", "sync.province",
    "sync.station", "sync.store", "sync.upload", "sync.workdays",
    "tests.province",
}
FILES = {
    "resources/messages/zh_CN.toml", "resources/messages/en.toml", "resources/settings.toml",
    "desktop/README.md", "devices/README.md", "resources/README.md", "sync/README.md",
}
