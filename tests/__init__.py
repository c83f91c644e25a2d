"""A package by name, so that no installed one of that name hides it."""
