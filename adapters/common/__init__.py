"""What several platforms share. Knows no platform by name."""
