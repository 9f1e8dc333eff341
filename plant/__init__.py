"""What exists: equipment types, points, units, the site's registry, readings and their quality."""
