"""The commands of operators, a family a file."""
