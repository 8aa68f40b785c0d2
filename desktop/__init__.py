"""The application: windows, flows, composition."""
