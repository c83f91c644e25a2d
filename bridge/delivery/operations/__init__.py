"""One kind of delivery, one file: what is done at the target, and in which order."""
