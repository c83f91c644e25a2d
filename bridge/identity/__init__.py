"""One person's identity over several platforms, and how names from elsewhere may be shown. Pure."""
