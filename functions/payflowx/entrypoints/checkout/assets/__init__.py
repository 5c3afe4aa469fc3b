"""The page's stylesheet and script, served under names that hold a hash of their content."""
