"""Sparkplug B 3.0: protobuf payloads whose meaning depends on the birth of their node."""
