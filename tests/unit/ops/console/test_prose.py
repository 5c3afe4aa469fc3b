"""Runbooks as pages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.console.prose import as_html
from ops.console.screens.runbooks import runbook_names
from tests.unit.ops.console.harness import browser_of, text_of_page


def test_the_parts_of_a_runbook_become_html() -> None:
    listed = "1. One\n   more.\n2. See [that](a.md)."
    text = f"**Fires when** `x < 1`.\n\n## What to do\n{listed}\n\n```sh\na\n\nb\n```\n- [x](b.md)"
    html = as_html(text, {"a.md": "/runbooks/a"}.get)
    assert html.split("\n", 4) == [
        "<p><strong>Fires when</strong> <code>x &lt; 1</code>.</p>",
        "<h2>What to do</h2>",
        '<ol><li>One more.</li><li>See <a href="/runbooks/a">that</a>.</li></ol>',
        '<pre tabindex="0">a',
        "\nb</pre>\n<ul><li>x</li></ul>",
    ]


@given(st.text(alphabet="<>&\"'`*[]()#|-1. \na", max_size=60))
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    html = as_html(text, lambda target: f"/{target}")
    tags = set(re.findall(r"<[^>]*>", html))
    known = r"</?(?:p|h2|ol|ul|li|pre|code|strong|a)(?: tabindex=\"0\"| href=\"[^\"<>]*\")?>"
    assert [tag for tag in tags if not re.fullmatch(known, tag)] == []


@pytest.mark.parametrize("name", runbook_names())
def test_every_runbook_is_shown_whole(name: str) -> None:
    text = text_of_page(browser_of().enter().get(f"/runbooks/{name}"))
    assert "**" not in text
    assert "](" not in text
