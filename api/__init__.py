"""HTTP and the live stream."""
