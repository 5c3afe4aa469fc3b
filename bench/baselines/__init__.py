"""The baselines of the product: programs of this repository that take payments over the same AWS, with boto3."""
