"""What the product is compared with: programs of this repository that take payments over the same AWS, with boto3."""
