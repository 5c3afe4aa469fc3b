"""The page's sentences, one table a language. A further language is a further file with the same names."""
