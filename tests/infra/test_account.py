"""The account's own stack: who may deploy, and what a deployment from GitHub may do."""

from functools import cache
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.stacks.account import ROLE_NAME, AccountSettings, AccountStack

CONTEXT = {
    "github": "example/payflowx",
    "deploys": "dev,staging",
    "costs-to": "costs@example.com",
    "monthly-budget": "50",
}


@cache
def resources() -> dict[str, list[dict[str, Any]]]:
    settings = AccountSettings.given(CONTEXT.get)
    assert settings is not None
    stack = AccountStack(App(), "Account", settings=settings, region="eu-west-1")
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in Template.from_stack(stack).to_json()["Resources"].values():
        found.setdefault(resource["Type"], []).append(resource["Properties"])
    return found


def test_only_jobs_of_the_named_environments_of_one_repository_may_take_the_role() -> None:
    (role,) = resources()["AWS::IAM::Role"]
    assert role["RoleName"] == ROLE_NAME
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:example/payflowx:environment:dev",
                "repo:example/payflowx:environment:staging",
            ],
        }
    }


def test_the_role_may_assume_the_roles_of_the_cdk_and_nothing_else() -> None:
    (policy,) = resources()["AWS::IAM::Policy"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Effect"] == "Allow"
    names = [resource["Fn::Join"][1][-1] for resource in statement["Resource"]]
    assert [name.rpartition("role/")[2] for name in names] == [
        f"cdk-hnb659fds-{name}-role-*" for name in ("deploy", "file-publishing", "lookup")
    ]
    (role,) = resources()["AWS::IAM::Role"]
    assert "ManagedPolicyArns" not in role


def test_the_bill_is_watched() -> None:
    (budget,) = resources()["AWS::Budgets::Budget"]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    kinds = {n["Notification"]["NotificationType"] for n in budget["NotificationsWithSubscribers"]}
    assert kinds == {"ACTUAL", "FORECASTED"}
    (subscription,) = resources()["AWS::CE::AnomalySubscription"]
    assert subscription["Subscribers"] == [{"Address": "costs@example.com", "Type": "EMAIL"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"github": "payflowx"},
        {"github": "a/b:*"},
        {"github": "*/*"},
        {"deploys": "dev,*"},
        {"deploys": ""},
        {"deploys": "production"},
        {"costs-to": ""},
        {"monthly-budget": "0"},
    ],
)
def test_what_would_admit_or_tell_others_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="-c "):
        AccountSettings.given({**CONTEXT, **wrong}.get)


def test_without_a_repository_there_is_no_such_stack() -> None:
    assert AccountSettings.given({}.get) is None
