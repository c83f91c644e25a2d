"""Who somebody is over several platforms, and how a foreign name may be shown. Pure."""
