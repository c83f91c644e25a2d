"""Code that several platforms share. It knows no platform by name."""
