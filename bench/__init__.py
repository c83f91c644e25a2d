"""Speed and memory of the bridge, measured against the platforms' emulators. See README.md."""
