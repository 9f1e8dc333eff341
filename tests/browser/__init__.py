"""People's ways through the pages: real service, real broker, real Chromium."""
