"""Data that shows a living system: a week of a merchant's payments, made by the functions themselves."""
