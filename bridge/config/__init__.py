"""bridge.yaml: read with line numbers (`load`), checked in passes that each return all their faults (`check`), built into `model`."""
