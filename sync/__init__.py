"""The record and its way to the province. Never knows Qt or a device."""
