"""Files on their way: a bounded spool on disk, filled once per file and read by every target."""
