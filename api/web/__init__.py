"""The pages: rendered on the server, Chinese first, for a phone in a plant room; scripts only make them nicer."""
