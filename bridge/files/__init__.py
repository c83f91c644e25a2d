"""Files in transit: fetched once into a bounded spool on disk, and read by every target."""
