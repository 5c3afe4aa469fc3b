"""A model of DynamoDB: real expressions over items in memory, held against other engines by random operations."""
