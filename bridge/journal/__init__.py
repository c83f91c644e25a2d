"""What is on disk: accepted events, deliveries, receipts, links between copies, cursors. Nothing outside this package knows SQL."""
