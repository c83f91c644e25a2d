"""The limits that the platform's server enforces. Source: TODO, read TODO."""

from __future__ import annotations

TEXT_LENGTH = 1000
"""TODO"""
