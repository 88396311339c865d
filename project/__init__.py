"""Settings, addresses and the entry point for web servers."""
