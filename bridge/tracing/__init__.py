"""What became of a message, in words: `asking` understands how somebody names a message, `finding` looks it up, `known` explains
the journal's rows from bridge.yaml, `steps` tells what happens, `answers` shows what failed attempts were answered. For the command
line and the dashboard."""
