"""Endpoints' secrets, encrypted with the customer key and bound to their owner.

The table is encrypted with the same key, but a reader of the table sees plain items: a backup, an export or a
careless query would show what can forge messages to merchants.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MINUTE_MS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

DECRYPTED_LIFETIME_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsSecretCipher:
    """Implements `SecretCipher`. Decrypted secrets are cached for five minutes, to save calls to KMS."""

    client: "KMSClient"
    key_arn: str
    cache: TtlCache[str]

    def encrypt(self, secret: str, *, merchant_id: str, endpoint_id: str) -> str:
        """Base64 of the ciphertext."""
        try:
            answer = self.client.encrypt(
                KeyId=self.key_arn,
                Plaintext=secret.encode(),
                EncryptionContext=_context(merchant_id, endpoint_id),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("a secret could not be encrypted") from error
        return base64.b64encode(answer["CiphertextBlob"]).decode()

    def open(self, encrypted: str, *, merchant_id: str, endpoint_id: str) -> str:
        """Fails for a ciphertext that was made for another endpoint."""
        key = f"{merchant_id}|{endpoint_id}|{encrypted}"
        return self.cache.get(key, lambda: self._decrypted(encrypted, merchant_id, endpoint_id))

    def _decrypted(self, encrypted: str, merchant_id: str, endpoint_id: str) -> str:
        try:
            answer = self.client.decrypt(
                KeyId=self.key_arn,
                CiphertextBlob=base64.b64decode(encrypted, validate=True),
                EncryptionContext=_context(merchant_id, endpoint_id),
            )
            return bytes(answer["Plaintext"]).decode()
        except (ClientError, BotoCoreError, binascii.Error) as error:
            raise StorageUnavailableError("a secret could not be decrypted") from error


def _context(merchant_id: str, endpoint_id: str) -> dict[str, str]:
    return {"purpose": "webhook-endpoint", "merchantId": merchant_id, "endpointId": endpoint_id}
