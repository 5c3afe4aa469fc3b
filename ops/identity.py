"""The proof of who runs a command: a request for the caller's own identity, signed for this one command.

The operators' function sends it to AWS's Security Token Service (STS) and learns the signer's ARN. Nothing else can be
done with it: method, address and body are fixed, and the signature covers a hash of the command.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError

from ops.target import Target

_BODY: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded; charset=utf-8"
_CONTENT_HEADER: Final = "x-payflowx-content-sha256"
_NONCE_BYTES: Final = 16
_LOCAL_KEYS: Final = ("PAYFLOWX_LOCAL_KEY_ID", "PAYFLOWX_LOCAL_KEY_SECRET")
"""A user of the local engine; without them, commands of the local environment are claimed."""


def prove(target: Target, function_name: str, command: Mapping[str, Any]) -> dict[str, str] | None:
    """The command's `proof`; None without credentials that AWS knows.

    `function_name` is that of the function that the proof is for.
    """
    credentials = _credentials(target)
    if credentials is None:
        return None
    meta = target.client("sts").meta
    nonce = secrets.token_hex(_NONCE_BYTES)
    request = AWSRequest(
        method="POST",
        url=f"{meta.endpoint_url}/",
        headers={"content-type": _CONTENT_TYPE, _CONTENT_HEADER: _content_hash(function_name, nonce, command)},
        data=_BODY,
    )
    SigV4Auth(credentials, "sts", meta.region_name).add_auth(request)
    proof = {
        "authorization": request.headers["Authorization"],
        "signedAt": request.headers["X-Amz-Date"],
        "nonce": nonce,
    }
    return proof if credentials.token is None else {**proof, "securityToken": credentials.token}


def _content_hash(audience: str, nonce: str, content: Mapping[str, Any]) -> str:
    """As the function makes it."""
    text = json.dumps([audience, nonce, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _credentials(target: Target) -> ReadOnlyCredentials | None:
    if target.is_local:
        key_id, key_secret = (os.environ.get(name) for name in _LOCAL_KEYS)
        return ReadOnlyCredentials(key_id, key_secret, None) if key_id and key_secret else None
    try:
        found = boto3.Session().get_credentials()
    except BotoCoreError:
        return None
    return found.get_frozen_credentials() if found is not None else None
