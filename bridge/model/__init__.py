"""Vocabulary: the types that all other code uses. No I/O, no decisions. The one package of `bridge` that adapters may import."""
