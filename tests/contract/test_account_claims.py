"""An account at a provider belongs to one merchant, as far as its credentials tell."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.application.merchants.create_merchant import CheckAccount, CreateMerchant
from payflowx.application.merchants.rotate_credentials import RotateCredentials
from payflowx.application.merchants.set_credentials import SetCredentials, WantedAccount
from payflowx.domain.merchants.directory import AccountSecret, SecretVersion
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.errors import Refusal
from payflowx.providers.registry import capabilities_of
from tests.support.memory import CountingRandomness, ManualClock
from tests.support.model_tables import model_database
from tests.support.tables import CONFIGURATION

ADA = OperatorAction(who="ada", why="T-1")
LIVE, TEST = "https://api.razorpay.com", "https://sandbox.cashfree.com"


@dataclass
class Vault:
    """Implements `AccountSecrets` in memory."""

    secrets: dict[str, AccountSecret] = field(default_factory=dict)

    def put(self, name: str, secret: AccountSecret) -> str:
        self.secrets[f"arn:{name}"] = secret
        return f"arn:{name}"

    def replace(self, arn: str, secret: AccountSecret, *, keep_previous: bool) -> None:
        self.secrets[arn] = secret

    def holds(self, arn: str, secret: AccountSecret) -> bool:
        return self.secrets.get(arn) == secret

    def forget_previous(self, arn: str) -> bool:
        return False

    def version(self, arn: str) -> SecretVersion:
        return SecretVersion(written_at_ms=0, is_rotating=False)

    def key_id(self, arn: str) -> str:
        if arn not in self.secrets:
            raise Refusal("secret_missing", "There is no such secret.")
        return self.secrets[arn].key_id


class Capabilities:
    """Implements `Providers` as far as accounts need it."""

    def capabilities(self) -> Any:
        return capabilities_of(("mock", "stripe", "razorpay", "cashfree"))


@pytest.fixture(params=["model", "dynamodb"])
def shop(request: pytest.FixtureRequest) -> "Shop":
    return Shop(model_database() if request.param == "model" else request.getfixturevalue("dynamodb"))


class Shop:
    """The operators' use cases about accounts."""

    def __init__(self, client: Any) -> None:
        self.directory = DynamoDBMerchantDirectory(client=client, table=CONFIGURATION)
        self.vault, clock, randomness = Vault(), ManualClock(), CountingRandomness()
        providers: Any = Capabilities()
        claim = ClaimAccount(merchant_directory=self.directory, secrets=self.vault, providers=providers)
        shared: dict[str, Any] = {"merchant_directory": self.directory, "claim_account": claim, "clock": clock}
        check = CheckAccount(providers=providers, loopback_allowed=False)
        self._create = CreateMerchant(**shared, check_account=check, randomness=randomness, api_key_mode="test")
        self._set = SetCredentials(
            **shared, secrets=self.vault, check_account=check, randomness=randomness, environment="dev"
        )
        self._rotate = RotateCredentials(**shared, secrets=self.vault)

    def create(self, merchant_id: str, *accounts: Account) -> None:
        self._create(merchant_id, merchant_id, accounts, ADA)

    def set(self, merchant_id: str, key_id: str, provider: str = "razorpay", endpoint: str | None = LIVE) -> None:
        wanted = WantedAccount(merchant_id=merchant_id, provider=provider, account_id="main", endpoint=endpoint)
        self._set(wanted, AccountSecret(key_id=key_id, key_secret="s"), ADA)

    def rotate(self, merchant_id: str, key_id: str) -> None:
        self._rotate.begin(merchant_id, "razorpay", "main", AccountSecret(key_id=key_id, key_secret="s"), ADA)


def account(arn: str, provider: str = "razorpay") -> Account:
    return Account(provider=provider, account_id="main", endpoint=LIVE, secret_arn=arn)


def taken(of: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        of()
    assert refusal.value.code == "account_taken"
    return refusal.value.detail


def test_a_second_merchant_with_the_same_key_is_refused_and_the_owner_named(shop: Shop) -> None:
    shop.create("one")
    shop.create("two")
    shop.set("one", "rzp_live_1")
    assert "merchant one" in taken(lambda: shop.set("two", "rzp_live_1"))
    assert shop.directory.merchant("two").accounts == ()  # type: ignore[union-attr]
    assert len(shop.vault.secrets) == 1
    shop.set("two", "rzp_live_2")


def test_the_owner_may_set_the_same_key_again_and_rotate(shop: Shop) -> None:
    shop.create("one")
    shop.set("one", "rzp_live_1")
    shop.set("one", "rzp_live_1", endpoint=None)
    shop.rotate("one", "rzp_live_2")


def test_a_rotation_to_another_merchants_key_is_refused_and_changes_nothing(shop: Shop) -> None:
    for merchant, key in (("one", "rzp_live_1"), ("two", "rzp_live_2")):
        shop.create(merchant)
        shop.set(merchant, key)
    before = dict(shop.vault.secrets)
    taken(lambda: shop.rotate("two", "rzp_live_1"))
    taken(lambda: shop.set("two", "rzp_live_1", endpoint=None))
    assert shop.vault.secrets == before


def test_a_replaced_key_still_belongs_to_its_account(shop: Shop) -> None:
    shop.create("one")
    shop.create("two")
    shop.set("one", "rzp_live_1")
    shop.rotate("one", "rzp_live_9")
    taken(lambda: shop.set("two", "rzp_live_1"))


def test_two_merchants_with_one_secret_are_refused(shop: Shop) -> None:
    shop.create("one", account("arn:shared"))
    taken(lambda: shop.create("two", account("arn:shared")))
    assert shop.directory.merchant("two") is None


def test_two_secrets_with_one_key_are_refused(shop: Shop) -> None:
    for arn in ("arn:a", "arn:b"):
        shop.vault.secrets[arn] = AccountSecret(key_id="rzp_live_1", key_secret="s")
    shop.create("one", account("arn:a"))
    taken(lambda: shop.create("two", account("arn:b")))


def test_a_secret_that_cannot_be_read_is_claimed_by_its_place(shop: Shop) -> None:
    shop.create("one", account("arn:later"))
    shop.create("two", account("arn:other"))
    taken(lambda: shop.create("three", account("arn:later")))


def test_another_provider_or_host_is_another_account(shop: Shop) -> None:
    shop.create("one")
    shop.create("two")
    shop.set("one", "key", provider="cashfree", endpoint=TEST)
    shop.set("two", "key", provider="razorpay")
    shop.create("three")
    shop.set("three", "key", provider="cashfree", endpoint="https://api.cashfree.com")


def test_a_simulated_provider_is_shared(shop: Shop) -> None:
    shop.create("one", account("arn:shared", provider="mock"))
    shop.create("two", account("arn:shared", provider="mock"))


def test_a_refused_creation_claims_nothing(shop: Shop) -> None:
    shop.create("one", account("arn:taken"))
    with pytest.raises(Refusal, match="exists already"):
        shop.create("one", account("arn:a"))
    taken(lambda: shop.create("two", account("arn:b", provider="stripe"), account("arn:taken")))
    shop.create("three", account("arn:a"), account("arn:b", provider="stripe"))


def test_the_most_accounts_fit_one_transaction(shop: Shop) -> None:
    accounts = [
        Account(provider="razorpay", account_id=f"a{n}", endpoint=LIVE, secret_arn=f"arn:{n}") for n in range(20)
    ]
    shop.create("one", *accounts)
    taken(lambda: shop.create("two", account("arn:19")))


def test_one_merchant_may_name_its_account_twice(shop: Shop) -> None:
    twice = [Account(provider="razorpay", account_id=name, endpoint=LIVE, secret_arn="arn:1") for name in ("a1", "a2")]
    shop.create("one", *twice)
