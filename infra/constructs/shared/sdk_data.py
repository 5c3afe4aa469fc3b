"""botocore's descriptions of AWS, cut down to the services in use: each cold start reads them.

botocore describes more than four hundred services. To make its first client, a function lists all their folders, and
parses the endpoints of all of them, which are 1.2 MB of JSON.
"""

import json
import shutil
from pathlib import Path
from typing import Final

SERVICES: Final = ("appconfig", "appconfigdata", "dynamodb", "kms", "logs", "s3", "secretsmanager", "sqs")
"""Those of `AwsClients`. All partitions and regions stay: a deployment may be in any."""


def trim_sdk_data(data: Path) -> None:
    """Remove the descriptions of other services from botocore's folder `data`, and their endpoints."""
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    path = data / "endpoints.json"
    endpoints = json.loads(path.read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: found for name, found in partition["services"].items() if name in SERVICES}
    path.write_text(json.dumps(endpoints, separators=(",", ":")))
