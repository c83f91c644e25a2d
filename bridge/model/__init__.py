"""Vocabulary: the types that all else speaks in. No I/O, no decisions. The one package of `bridge` that adapters may import."""
