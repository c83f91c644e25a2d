"""Sandbox mode."""
