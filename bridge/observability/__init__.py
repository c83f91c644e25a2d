"""What is visible from outside: logs, metrics, the outcome of each delivery."""
