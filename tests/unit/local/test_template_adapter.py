"""The template adapter changes only what the engine cannot model, in a copy, and reports each change."""

import json
from typing import Any

from local.template_adapter import adapt


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def test_what_the_engine_refuses_is_left_out_of_a_copy_and_said() -> None:
    before = template(
        Math={"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}},
        Plain={"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "x"}, "DependsOn": ["Acl", "Math"]},
        Acl={"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {}},
    )
    untouched = json.dumps(before)
    after, made = adapt(before)
    assert json.dumps(before) == untouched
    assert set(after["Resources"]) == {"Plain"}
    assert after["Resources"]["Plain"]["DependsOn"] == []
    assert sorted(str(adaptation) for adaptation in made) == [
        "Acl (AWS::WAFv2::WebACLAssociation): left out, because the engine cannot put a web ACL in front of an API",
        (
            "Math (AWS::CloudWatch::Alarm): left out, because the engine cannot compute metric math; "
            "`make alarms` evaluates it"
        ),
    ]


def test_a_template_that_the_engine_takes_is_not_changed() -> None:
    plain = template(Queue={"Type": "AWS::SQS::Queue", "Properties": {}})
    assert adapt(plain) == (plain, [])


def test_no_usage_plan_throttles_and_it_is_said() -> None:
    method = {"HttpMethod": "GET", "AuthorizationType": "CUSTOM"}
    before = template(
        Throttled={"Type": "AWS::ApiGateway::Method", "Properties": {**method, "ApiKeyRequired": True}},
        Open={"Type": "AWS::ApiGateway::Method", "Properties": method},
    )
    after, made = adapt(before)
    assert [resource["Properties"] for resource in after["Resources"].values()] == [method, method]
    assert [str(adaptation).partition(", because")[0] for adaptation in made] == [
        "Throttled (AWS::ApiGateway::Method): no usage plan throttles it"
    ]


def test_a_secret_is_referred_to_by_its_arn() -> None:
    before = template(
        Secret={"Type": "AWS::SecretsManager::Secret", "Properties": {}},
        Function={
            "Type": "AWS::Lambda::Function",
            "Properties": {"Environment": [{"Ref": "Secret"}, {"Ref": "Other"}]},
        },
    )
    before["Outputs"] = {"SecretArn": {"Value": {"Ref": "Secret"}}}
    after, (made,) = adapt(before)
    by_arn = {"Fn::GetAtt": ["Secret", "Id"]}
    assert after["Resources"]["Function"]["Properties"]["Environment"] == [by_arn, {"Ref": "Other"}]
    assert after["Outputs"]["SecretArn"]["Value"] == by_arn
    assert "AWS's the ARN" in str(made)


PLAIN_HTTP: dict[str, Any] = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
ALARMS: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}}
FOREIGN: dict[str, Any] = {
    "Effect": "Deny",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:SourceAccount": "1"}},
}


def policy(kind: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": {"PolicyDocument": {"Statement": list(statements)}}}


def test_statements_that_only_refuse_plain_http_go_where_rights_are_enforced_and_no_others() -> None:
    before = template(
        Queue=policy("AWS::SQS::QueuePolicy", PLAIN_HTTP),
        Topic=policy("AWS::SNS::TopicPolicy", PLAIN_HTTP, ALARMS),
        Bucket=policy("AWS::S3::BucketPolicy", FOREIGN),
    )
    assert adapt(before) == (before, [])
    after, made = adapt(before, rights_enforced=True)
    assert after == template(
        Topic=policy("AWS::SNS::TopicPolicy", ALARMS), Bucket=policy("AWS::S3::BucketPolicy", FOREIGN)
    )
    assert sorted((a.resource.split()[0], a.change) for a in made) == [
        ("Queue", "left out"),
        ("Topic", "without one statement"),
    ]


def test_a_right_keeps_no_condition_on_an_encryption_context_where_rights_are_enforced() -> None:
    context = {"kms:EncryptionContext:purpose": "webhook-endpoint"}
    through = {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}
    right: dict[str, Any] = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}
    both = {"StringEquals": {**context, "aws:SourceAccount": "1"}}
    before = template(
        Role=policy(
            "AWS::IAM::Policy",
            {**right, "Condition": {"StringEquals": context}},
            {**right, "Condition": through},
            {**right, "Condition": both},
        )
    )
    assert adapt(before) == (before, [])
    after, made = adapt(before, rights_enforced=True)
    assert after == template(
        Role=policy("AWS::IAM::Policy", right, {**right, "Condition": through}, {**right, "Condition": both})
    )
    assert [a.change for a in made] == ["one right without its condition"]


def test_who_may_send_may_send_batches_where_rights_are_enforced() -> None:
    """AWS has one right for both; the engine's action of a batch is granted nowhere in the templates."""
    send: dict[str, Any] = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "a"}
    several = {**send, "Action": ["sqs:GetQueueAttributes", "sqs:SendMessage"]}
    others = ({**send, "Effect": "Deny"}, {**send, "Action": "sqs:ReceiveMessage"})
    before = template(Role=policy("AWS::IAM::Policy", send, several, *others))
    assert adapt(before) == (before, [])
    after, made = adapt(before, rights_enforced=True)
    batches = [{**send, "Action": ["sqs:SendMessage", "sqs:SendMessageBatch"]}]
    batches.append({**send, "Action": ["sqs:GetQueueAttributes", "sqs:SendMessage", "sqs:SendMessageBatch"]})
    assert after == template(Role=policy("AWS::IAM::Policy", *batches, *others))
    assert [a.change for a in made] == ["may send batches where it may send"] * 2


def test_a_function_names_an_api_by_its_address_on_this_machine() -> None:
    parts = ["https://", {"Ref": "Api"}, ".execute-api.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]
    variables = {
        "PAGES": {"Fn::Join": ["", [*parts, "/v1/checkout"]]},
        "OTHER": {"Fn::Join": ["", ["a", {"Ref": "B"}]]},
        "TEXT": "x",
    }
    before = template(
        Function={"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": variables}}},
        Role={"Type": "AWS::IAM::Role", "Properties": {}},
    )
    after, (made,) = adapt(before, base_url="http://127.0.0.1:3000")
    changed = after["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert changed == {**variables, "PAGES": "http://127.0.0.1:3000/checkout"}
    assert str(made).startswith("Function (AWS::Lambda::Function): PAGES on this machine")
    assert adapt(before) == (before, [])
