"""The boto3 clients that the functions get: the models behind a network that loses answers, with the SDK's repeats."""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from simulation.faults import Faults
from simulation.queue import Queue
from testing.dynamodb.database import Database, cancelled, client_error

if TYPE_CHECKING:
    from simulation.functions import Platform

_TRIES: Final = 3
"""`total_max_attempts` of the functions' clients."""
_READ_TIMEOUT_MS: Final = 3_000
_ENDPOINT: Final = "https://dynamodb.simulated"
_THROTTLED: Final = "ProvisionedThroughputExceededException"
"""Of a single read or write; a throttled transaction is a cancelled one, which the SDK does not repeat."""


@dataclass(slots=True)
class Network:
    """How a call to an AWS service goes, with the repeats that botocore makes in standard mode."""

    faults: Faults
    platform: "Platform | None" = None

    def call(self, kind: str, operation: str, apply: Callable[[], Any]) -> Any:
        """Raises what botocore raises after its last try."""
        self.note(f"call of AWS: {operation}")
        travel = self._platform.travel
        for left in reversed(range(_TRIES)):
            travel()
            if self.faults.strikes(f"{kind}_error" if kind != "db" else "db_error_before"):
                if left:
                    self._platform.kernel.sleep(self.faults.random.randint(20, 200))
                    continue
                raise self._refusal(operation)
            lost = kind in {"db", "queue_send"} and self.faults.strikes(f"{kind}_lost_answer")
            try:
                answer = apply()
            except ClientError as error:
                if error.response["Error"]["Code"] == _THROTTLED and left:
                    self._platform.kernel.sleep(self.faults.random.randint(20, 200))
                    continue
                if not lost:
                    self._platform.come_back()
                    error.response["ResponseMetadata"] = {"RetryAttempts": _TRIES - 1 - left}  # type: ignore[typeddict-item]
                    raise
                answer = None
            if not lost:
                self._platform.come_back()
                return answer
            self._platform.kernel.sleep(_READ_TIMEOUT_MS)
            if not left:
                raise ReadTimeoutError(endpoint_url=_ENDPOINT)
        raise AssertionError("unreachable: the last try returns or raises")

    @property
    def _platform(self) -> "Platform":
        if self.platform is None:
            raise RuntimeError("the network has no platform yet")
        return self.platform

    def note(self, what: str) -> None:
        """Count it in the history."""
        self._platform.history.sometimes[what] += 1

    def conflicts(self, parts: Iterable[Mapping[str, Any]], *, are_over: bool) -> None:
        """Keep the hashes of a transaction that met another one, until the same task has written them.

        A task that then reads one of them, which another task wrote in the same millisecond, takes it for its own.
        """
        task, conflicted = self._platform.kernel.current, self._platform.history.conflicted
        for request in (request for part in parts for request in part.values()):
            values = (*request.get("Item", {}).values(), *request.get("ExpressionAttributeValues", {}).values())
            for event_hash in (bytes(value["B"]).hex() for value in values if "B" in value):
                if are_over:
                    conflicted.pop((event_hash, task), None)
                else:
                    conflicted[event_hash, task] = None

    def _refusal(self, operation: str) -> Any:
        roll = self.faults.random.randrange(3)
        if roll == 0:
            return ConnectTimeoutError(endpoint_url=_ENDPOINT)
        code = "ThrottlingException" if roll == 1 else "InternalServerError"
        return client_error(operation, code, "simulated")


@dataclass(frozen=True, slots=True)
class DynamoDBClient:
    """A boto3 DynamoDB client."""

    database: Database
    network: Network

    def get_item(self, **request: Any) -> Any:
        return self.network.call("db", "GetItem", lambda: self.database.get_item(**request))

    def query(self, **request: Any) -> Any:
        return self.network.call("db", "Query", lambda: self.database.query(**request))

    def batch_get_item(self, **request: Any) -> Any:
        return self.network.call("db", "BatchGetItem", lambda: self.database.batch_get_item(**request))

    def update_item(self, **request: Any) -> Any:
        return self._write("UpdateItem", lambda: self.database.update_item(**request))

    def put_item(self, **request: Any) -> Any:
        return self._write("PutItem", lambda: self.database.put_item(**request), [{"Put": request}])

    def delete_item(self, **request: Any) -> Any:
        return self._write("DeleteItem", lambda: self.database.delete_item(**request))

    def batch_write_item(self, *, RequestItems: Mapping[str, list[Any]]) -> Any:  # noqa: N803 - the API's names
        """Each put by itself; some may be left to the caller."""

        def apply() -> Any:
            unprocessed: dict[str, list[Any]] = {}
            for table, requests in RequestItems.items():
                for request in requests:
                    if self.network.faults.strikes("db_conflict"):
                        unprocessed.setdefault(table, []).append(request)
                    else:
                        self.database.put_item(TableName=table, Item=request["PutRequest"]["Item"])
            return {"UnprocessedItems": unprocessed}

        return self.network.call("db", "BatchWriteItem", apply)

    def _write(self, operation: str, write: Callable[[], Any], parts: Iterable[Mapping[str, Any]] = ()) -> Any:
        def apply() -> Any:
            self._note_twins(parts)
            if self.network.faults.strikes("db_conflict"):
                raise client_error(operation, "TransactionConflictException", "simulated")
            return write()

        return self.network.call("db", operation, apply)

    def transact_write_items(self, **request: Any) -> Any:
        """Botocore makes one token a call, for all its tries."""
        token = f"{self.network.faults.random.getrandbits(128):032x}"

        def apply() -> Any:
            self._note_twins(request["TransactItems"])
            if self.network.faults.strikes("db_conflict"):
                self.network.conflicts(request["TransactItems"], are_over=False)
                count = len(request["TransactItems"])
                struck = self.network.faults.random.randrange(count)
                raise cancelled([{"Code": "TransactionConflict" if i == struck else "None"} for i in range(count)])
            answer = self.database.transact_write_items(ClientRequestToken=token, **request)
            self.network.conflicts(request["TransactItems"], are_over=True)
            return answer

        return self.network.call("db", "TransactWriteItems", apply)

    def _note_twins(self, parts: Iterable[Mapping[str, Any]]) -> None:
        """Note a change that is stored already: another process made the same one in the same millisecond.

        Its event is the same, so each of the two takes the change for its own.
        """
        for part in parts:
            for operation, request in part.items():
                if operation == "Put":
                    key = {name: request["Item"][name] for name in ("pk", "sk") if name in request["Item"]}
                    written = [request["Item"].get("eventHash")]
                else:
                    key, written = request["Key"], request.get("ExpressionAttributeValues", {}).values()
                table = self.database.tables[request["TableName"]]
                last_event = (table.get(table.schema.key_of(key)) or {}).get("eventHash")
                if last_event is not None and last_event in written:
                    self.network.note("a change is stored already")


@dataclass(frozen=True, slots=True)
class SqsClient:
    """A boto3 SQS client, as far as the functions use it."""

    queues: Mapping[str, Queue]
    """By their addresses."""
    dead_letters: Mapping[str, Queue]
    """By the addresses of their dead letters."""
    network: Network

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int, **_more: Any) -> Any:  # noqa: N803 - the API's names
        queue = self.queues[QueueUrl]
        return self.network.call(
            "queue_send", "SendMessage", lambda: queue.send(MessageBody, delay_ms=DelaySeconds * 1000)
        )

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Mapping[str, Any]]) -> Any:  # noqa: N803 - the API's names
        queue = self.queues[QueueUrl]

        def apply() -> Any:
            failed = []
            for entry in Entries:
                if self.network.faults.strikes("queue_send_error"):
                    failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
                else:
                    queue.send(entry["MessageBody"], delay_ms=0)
            return {"Failed": failed}

        return self.network.call("queue_send", "SendMessageBatch", apply)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803 - the API's names
        queue = self.queues[QueueUrl]
        return self.network.call(
            "service", "GetQueueAttributes", lambda: {"Attributes": dict.fromkeys(AttributeNames, str(queue.waiting()))}
        )

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, VisibilityTimeout: int, **_more: Any) -> Any:  # noqa: N803 - the API's names
        """From dead letters only: work queues feed their functions."""

        def apply() -> Any:
            taken = self.dead_letters[QueueUrl].take_dead(MaxNumberOfMessages, hide_ms=VisibilityTimeout * 1000)
            return {
                "Messages": [
                    {
                        "MessageId": str(message.number),
                        "ReceiptHandle": str(message.number),
                        "Body": message.body,
                        "Attributes": {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": "0"},
                    }
                    for message in taken
                ]
            }

        return self.network.call("service", "ReceiveMessage", apply)

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Any:  # noqa: N803 - the API's names
        queue = self.dead_letters[QueueUrl]
        return self.network.call("service", "DeleteMessage", lambda: queue.delete_dead(int(ReceiptHandle)))

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, **_zero: Any) -> Any:  # noqa: N803 - the API's names
        queue = self.dead_letters[QueueUrl]
        return self.network.call("service", "ChangeMessageVisibility", lambda: queue.show_dead(int(ReceiptHandle)))


@dataclass(slots=True)
class AppConfigClient:
    """A boto3 AppConfigData client with one document. Instances that start later get one that is published later."""

    document: bytes
    network: Network

    def start_configuration_session(self, **_request: Any) -> Any:
        return self.network.call("service", "StartConfigurationSession", lambda: {"InitialConfigurationToken": "first"})

    def get_latest_configuration(self, *, ConfigurationToken: str) -> Any:  # noqa: N803 - the API's names
        """The document the first time, nothing as long as it is unchanged."""
        data = self.document if ConfigurationToken == "first" else b""
        answer = {"NextPollConfigurationToken": "next", "Configuration": io.BytesIO(data)}
        return self.network.call("service", "GetLatestConfiguration", lambda: answer)


class ResourceExistsError(Exception):
    """Secrets Manager has a secret of this name."""


@dataclass(frozen=True, slots=True)
class _SecretsExceptions:
    ResourceExistsException: type[Exception] = ResourceExistsError


@dataclass(frozen=True, slots=True)
class SecretsClient:
    """A boto3 Secrets Manager client. A secret's name is its ARN."""

    secrets: dict[str, str]
    """The text of each secret by its ARN."""
    network: Network
    exceptions: _SecretsExceptions = _SecretsExceptions()

    def get_secret_value(self, *, SecretId: str, VersionStage: str = "AWSCURRENT") -> Any:  # noqa: N803 - the API's names
        def read() -> Any:
            if VersionStage != "AWSCURRENT":  # no secret here was ever rotated
                raise client_error("GetSecretValue", "ResourceNotFoundException", "simulated")
            return {"SecretString": self._found(SecretId), "CreatedDate": datetime.fromtimestamp(0, tz=UTC)}

        return self.network.call("service", "GetSecretValue", read)

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> Any:  # noqa: N803 - the API's names
        def apply() -> Any:
            self._found(SecretId)
            self.secrets[SecretId] = SecretString
            return {"ARN": SecretId}

        return self.network.call("service", "PutSecretValue", apply)

    def create_secret(self, *, Name: str, SecretString: str, **_more: Any) -> Any:  # noqa: N803 - the API's names
        def apply() -> Any:
            if f"arn:{Name}" in self.secrets:
                raise ResourceExistsError
            self.secrets[f"arn:{Name}"] = SecretString
            return {"ARN": f"arn:{Name}"}

        return self.network.call("service", "CreateSecret", apply)

    def _found(self, arn: str) -> str:
        if arn not in self.secrets:
            raise client_error("GetSecretValue", "ResourceNotFoundException", "simulated")
        return self.secrets[arn]


@dataclass(frozen=True, slots=True)
class KmsClient:
    """A boto3 KMS client. A ciphertext opens with the context that it was made with and no other."""

    network: Network

    def encrypt(self, *, Plaintext: bytes, EncryptionContext: Mapping[str, str], **_key: Any) -> Any:  # noqa: N803 - the API's names
        blob = json.dumps([Plaintext.decode()[::-1], dict(EncryptionContext)]).encode()
        return self.network.call("service", "Encrypt", lambda: {"CiphertextBlob": blob})

    def decrypt(self, *, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str], **_key: Any) -> Any:  # noqa: N803 - the API's names
        def apply() -> Any:
            text, context = json.loads(CiphertextBlob)
            if context != dict(EncryptionContext):
                raise client_error("Decrypt", "InvalidCiphertextException", "simulated")
            return {"Plaintext": text[::-1].encode()}

        return self.network.call("service", "Decrypt", apply)
