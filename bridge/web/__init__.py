"""The two HTTP listeners: `public` for platforms and holders of keys, `admin` for the host itself (health, metrics)."""
