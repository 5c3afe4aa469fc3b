"""The layer's cut descriptions of AWS make the same clients as the whole ones, in every region."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.constructs.shared.sdk_data import SERVICES, trim_sdk_data
from payflowx.adapters.platform.aws import AwsClients

DATA = Path(botocore.__file__).parent / "data"
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")
"""Of each partition that customers may use; a region of the list is also one that no list has."""


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk") / "data"
    shutil.copytree(DATA, folder)
    trim_sdk_data(folder)
    return folder


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


def session_over(folder: Path) -> Any:
    """A session that reads this folder alone."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    loader._search_paths[:] = [str(folder)]
    return session


def clients(folder: Path) -> Iterator[tuple[str, str, Any]]:
    session = session_over(folder)
    for region in (*REGIONS, "eu-future-9"):
        for service in SERVICES:
            yield service, region, session.create_client(service, region_name=region)


@pytest.mark.usefixtures("keys")
def test_all_clients_have_the_endpoints_of_the_whole_descriptions(trimmed: Path) -> None:
    whole = {(service, region): client.meta.endpoint_url for service, region, client in clients(DATA)}
    cut = {(service, region): client.meta.endpoint_url for service, region, client in clients(trimmed)}
    assert cut == whole
    assert cut["dynamodb", "ap-south-1"] == "https://dynamodb.ap-south-1.amazonaws.com"
    assert cut["sqs", "cn-north-1"] == "https://sqs.cn-north-1.amazonaws.com.cn"


@pytest.mark.usefixtures("keys")
def test_all_clients_have_the_operations_of_the_whole_descriptions(trimmed: Path) -> None:
    session = session_over(trimmed)
    for service in SERVICES:
        model = session.get_service_model(service)
        assert model.operation_names == botocore.session.Session().get_service_model(service).operation_names


def test_the_descriptions_are_small(trimmed: Path) -> None:
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(SERVICES)
    assert (trimmed / "endpoints.json").stat().st_size < 60_000


def test_every_client_of_the_functions_is_described() -> None:
    made: list[str] = []
    clients_of_functions = AwsClients(made.append)
    for name in dir(AwsClients):
        if not name.startswith("_"):
            getattr(clients_of_functions, name)
    assert tuple(made) == SERVICES
