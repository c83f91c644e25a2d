"""One package per platform, each with the same roster of files; `registry` is the table of them."""
