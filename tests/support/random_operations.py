"""Random operations on a table, to run on two engines and compare."""

import re
from random import Random
from typing import Any

TABLE = "things"
DEFINITION: dict[str, Any] = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "shard", "AttributeType": "S"},
        {"AttributeName": "due", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "byDue",
            "KeySchema": [{"AttributeName": "shard", "KeyType": "HASH"}, {"AttributeName": "due", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
COLUMNS = ("n", "s", "l", "m", "flag", "due", "shard")


def random_value(random: Random, column: str) -> dict[str, Any]:
    match column:
        case "n" | "due":
            return {"N": str(random.randint(-3, 12))}
        case "s":
            return {"S": random.choice(("", "a", "ab", "abc", "b", "é", "zz"))}
        case "shard":
            return {"S": random.choice(("x", "y"))}
        case "l":
            return {"L": [random_value(random, random.choice("ns")) for _ in range(random.randint(0, 3))]}
        case "m":
            return {"M": {name: random_value(random, "n") for name in random.sample(("x", "y", "z"), 2)}}
        case _:
            return {"BOOL": random.random() < 0.5}


class Generator:
    """Expressions with aliases, as adapters write them."""

    def __init__(self, random: Random, *, spare_aliases: bool = True) -> None:
        self.random = random
        self.spare_aliases = spare_aliases
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, column: str) -> str:
        self.names[f"#{column}"] = column
        return f"#{column}"

    def value(self, value: dict[str, Any]) -> str:
        alias = f":v{len(self.values)}"
        self.values[alias] = value
        return alias

    def path(self) -> tuple[str, str]:
        """The expression and the column whose values it compares with."""
        kind = self.random.random()
        if kind < 0.15:
            return f"{self.name('m')}.{self.name('x')}", "n"
        if kind < 0.25:
            return f"{self.name('l')}[0]", self.random.choice("ns")
        column = self.random.choice(COLUMNS)
        return self.name(column), column

    def condition(self, depth: int = 2) -> str:
        roll = self.random.random()
        if depth and roll < 0.35:
            joiner = self.random.choice((" AND ", " OR "))
            return f"({self.condition(depth - 1)}{joiner}{self.condition(depth - 1)})"
        if depth and roll < 0.45:
            return f"NOT {self.condition(depth - 1)}"
        return self.atom()

    def atom(self) -> str:
        path, column = self.path()
        match self.random.randrange(9):
            case 0:
                return f"attribute_exists({path})"
            case 1:
                return f"attribute_not_exists({path})"
            case 2:
                kind = self.value({"S": self.random.choice(("N", "S", "L", "M", "BOOL"))})
                return f"attribute_type({path}, {kind})"
            case 3:
                return f"begins_with({self.name('s')}, {self.value(random_value(self.random, 's'))})"
            case 4:
                listed = self.random.random() < 0.5
                part = random_value(self.random, "n" if listed else "s")
                return f"contains({self.name('l' if listed else 's')}, {self.value(part)})"
            case 5:
                size = self.value({"N": str(self.random.randint(0, 3))})
                sized = self.name(self.random.choice("slm"))
                return f"size({sized}) {self.random.choice(('=', '<', '>='))} {size}"
            case 6:
                low, high = sorted(self.random.sample(range(-3, 12), 2))
                low_alias, high_alias = self.value({"N": str(low)}), self.value({"N": str(high)})
                return f"{self.name('n')} BETWEEN {low_alias} AND {high_alias}"
            case 7:
                options = ", ".join(self.value(random_value(self.random, column)) for _ in range(2))
                return f"{path} IN ({options})"
            case _:
                comparator = self.random.choice(("=", "<>", "<", "<=", ">", ">="))
                if column in {"l", "m", "flag"}:
                    comparator = self.random.choice(("=", "<>"))
                return f"{path} {comparator} {self.value(random_value(self.random, column))}"

    def update(self) -> str:
        sets, removes, adds = [], [], []
        for column in self.random.sample(COLUMNS, self.random.randint(1, 3)):
            name, roll = self.name(column), self.random.random()
            if column == "l" and roll < 0.5:
                empty, more = self.value({"L": []}), self.value(random_value(self.random, "l"))
                sets.append(f"{name} = list_append(if_not_exists({name}, {empty}), {more})")
            elif column == "m" and roll < 0.4:
                sets.append(f"{name}.{self.name('x')} = {self.value(random_value(self.random, 'n'))}")
            elif column == "n" and roll < 0.3:
                sign = self.random.choice("+-")
                sets.append(f"{name} = {name} {sign} {self.value(random_value(self.random, 'n'))}")
            elif column == "n" and roll < 0.5:
                adds.append(f"{name} {self.value(random_value(self.random, 'n'))}")
            elif roll < 0.3:
                removes.append(name)
            elif roll < 0.5:
                sets.append(f"{name} = if_not_exists({name}, {self.value(random_value(self.random, column))})")
            else:
                sets.append(f"{name} = {self.value(random_value(self.random, column))}")
        parts = (("SET", sets), ("REMOVE", removes), ("ADD", adds))
        return " ".join(f"{verb} {', '.join(actions)}" for verb, actions in parts if actions)

    def aliases(self, *texts: str) -> dict[str, Any]:
        """Those in use; now and then one more, which an engine must refuse."""
        used = set(re.findall(r"[#:][a-z0-9]+", " ".join(texts)))
        if self.spare_aliases and self.random.random() < 0.02:
            used |= {*self.names, *self.values}
        names = {alias: name for alias, name in self.names.items() if alias in used}
        values = {alias: value for alias, value in self.values.items() if alias in used}
        return ({"ExpressionAttributeNames": names} if names else {}) | (
            {"ExpressionAttributeValues": values} if values else {}
        )


def texts_of(request: dict[str, Any]) -> list[str]:
    return [value for name, value in request.items() if name.endswith("Expression")]


def random_key(random: Random) -> dict[str, Any]:
    return {"pk": {"S": random.choice("pq")}, "sk": {"S": random.choice(("a", "a1", "b", "c"))}}


def random_write(random: Random, *, in_transaction: bool) -> tuple[str, dict[str, Any]]:
    generator = Generator(random, spare_aliases=not in_transaction)  # the engine overlooks them in transactions
    verb = random.choice(("Put", "Put", "Update", "Update", "Update", "Delete"))
    request: dict[str, Any] = {"TableName": TABLE}
    if verb == "Put":
        columns = random.sample(COLUMNS, random.randint(0, len(COLUMNS)))
        request["Item"] = random_key(random) | {column: random_value(random, column) for column in columns}
    else:
        request["Key"] = random_key(random)
    if verb == "Update":
        request["UpdateExpression"] = generator.update()
    if random.random() < 0.6:
        request["ConditionExpression"] = generator.condition()
    if random.random() < 0.5:
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if not in_transaction and verb == "Update" and random.random() < 0.5:
        request["ReturnValues"] = "ALL_NEW"
    return verb, request | generator.aliases(*texts_of(request))


def random_query(random: Random) -> dict[str, Any]:
    generator = Generator(random)
    request: dict[str, Any] = {"TableName": TABLE}
    if random.random() < 0.4:
        request["IndexName"] = "byDue"
        shard, due = generator.value(random_value(random, "shard")), generator.value({"N": str(random.randint(-2, 9))})
        text = f"{generator.name('shard')} = {shard} AND {generator.name('due')} {random.choice(('<=', '>'))} {due}"
    else:
        text = f"{generator.name('pk')} = {generator.value({'S': random.choice('pq')})}"
        roll = random.random()
        if roll < 0.3:
            text += f" AND begins_with({generator.name('sk')}, {generator.value({'S': 'a'})})"
        elif roll < 0.6:
            first, last = generator.value({"S": "a1"}), generator.value({"S": "b"})
            text += f" AND {generator.name('sk')} BETWEEN {first} AND {last}"
        if random.random() < 0.3:
            request["FilterExpression"] = generator.condition(1)
    request["KeyConditionExpression"] = text
    if random.random() < 0.5:
        request["Limit"] = random.randint(1, 3)
    if random.random() < 0.4:
        request["ScanIndexForward"] = False
    return request | generator.aliases(*texts_of(request))


def random_batch(random: Random) -> dict[str, Any]:
    """Puts and deletes, each of another item."""
    writes: list[dict[str, Any]] = []
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk in "pq" for sk in ("a", "a1", "b", "c")]
    for key in random.sample(keys, random.randint(1, 5)):
        columns = {column: random_value(random, column) for column in random.sample(COLUMNS, 2)}
        put = {"PutRequest": {"Item": key | columns}}
        writes.append(put if random.random() < 0.7 else {"DeleteRequest": {"Key": key}})
    return {"RequestItems": {TABLE: writes}}


def random_sequence(random: Random, length: int) -> list[tuple[str, dict[str, Any]]]:
    """Names of client methods with their arguments."""
    found: list[tuple[str, dict[str, Any]]] = []
    for _ in range(length):
        roll = random.random()
        if roll < 0.5:
            verb, request = random_write(random, in_transaction=False)
            found.append((f"{verb.lower()}_item", request))
        elif roll < 0.7:
            writes = [random_write(random, in_transaction=True) for _ in range(random.randint(1, 3))]
            found.append(("transact_write_items", {"TransactItems": [{verb: request} for verb, request in writes]}))
        elif roll < 0.9:
            found.append(("query", random_query(random)))
        else:
            found.append(("get_item", {"TableName": TABLE, "Key": random_key(random), "ConsistentRead": True}))
    return found
