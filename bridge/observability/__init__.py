"""What is seen from outside: logs, metrics, what became of each delivery."""
