"""Alarms become tickets and tickets get worked: lifecycle, timeline, notices."""
