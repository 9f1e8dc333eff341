"""What a collector needs of MQTT 3.1.1 and 5: packets, a reader that takes them in bulk, one connection."""
