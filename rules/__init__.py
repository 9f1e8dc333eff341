"""Readings become frames become alarms: frames, expression language, engine, rule pack, backtest."""
