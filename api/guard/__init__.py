"""What stands before every route: where a request comes from, how often, and what its answer tells the browser."""
