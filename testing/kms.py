"""A model of KMS: what was encrypted under a key and a context opens under these alone."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


class Kms:
    """A boto3 KMS client. A ciphertext is readable here, so that a test can tell whose it is."""

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]) -> dict[str, Any]:  # noqa: N803 - the API's names
        """Encrypt."""
        content = {"key": KeyId, "context": dict(EncryptionContext), "plaintext": Plaintext.decode()}
        return {"CiphertextBlob": json.dumps(content).encode()}

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str]) -> dict[str, Any]:  # noqa: N803 - as above
        """Decrypt."""
        try:
            content = json.loads(CiphertextBlob)
        except ValueError:
            content = {"key": None, "context": None}
        if (content["key"], content["context"]) != (KeyId, dict(EncryptionContext)):
            error: Any = {"Error": {"Code": "InvalidCiphertextException", "Message": "another key or context"}}
            raise ClientError(error, "Decrypt")
        return {"Plaintext": content["plaintext"].encode()}
