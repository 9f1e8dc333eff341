"""Signing in with a browser: the check of a password, the session it begins, and the cookie that holds it."""
