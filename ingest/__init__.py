"""MQTT messages become readings: client, decoders, units, validation."""
