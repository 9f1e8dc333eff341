"""Equations of DOMAIN §2.7 and §4.6 as pure step functions: a state and inputs go in, the next state comes out."""
