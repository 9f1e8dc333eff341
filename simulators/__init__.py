"""Honest outsiders: physics, faults, networks; they speak only MQTT and import nothing of the service."""
