"""Machines: physics, controls and sensors together, speaking in points of DOMAIN §2.1 and §4.2."""
