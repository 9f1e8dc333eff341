"""What we claim about speed, and how anyone can measure it again."""
