"""bridge.yaml: read with line numbers (`load`), checked in passes that each return all faults (`check`), built into `model`."""
