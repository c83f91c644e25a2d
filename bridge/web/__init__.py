"""The two HTTP listeners: `public` is what platforms call (webhooks), `admin` what the host itself asks (health, metrics)."""
