"""Runbooks as pages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import payflowx
from ops.console.prose import as_html
from ops.console.registry import SCREENS
from ops.console.rendering import FOLDER
from ops.console.screens.runbooks import FACES, runbook_names
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


def test_a_list_within_a_list_stays_one_and_commands_lead_to_their_screens() -> None:
    text = "1. By code:\n   - `a`: the first,\n     and on.\n   - `payflowx dlq ls`\n2. Last."
    assert as_html(text, {"payflowx dlq ls": "/dead-letters"}.get) == (
        "<ol><li>By code:<ul><li><code>a</code>: the first, and on.</li>"
        '<li><a href="/dead-letters"><code>payflowx dlq ls</code></a></li></ul></li><li>Last.</li></ol>'
    )


def test_every_command_that_has_a_screen_leads_there_from_a_runbook() -> None:
    paths = {screen.path for screen in SCREENS}
    assert set(FACES.values()) <= paths
    assert set(FACES) <= set(payflowx.commands)
    page = browser_of().enter().get("/runbooks/dead-letters").text
    assert '<a href="/dead-letters"><code>payflowx dlq ls</code></a>' in page


def test_every_runbook_that_a_screen_names_exists() -> None:
    templates = (FOLDER / "templates").glob("*.html")
    named = {name for path in templates for name in re.findall(r"/runbooks/([a-z-]+)", path.read_text())}
    assert len(named) >= 6
    assert named <= set(runbook_names())


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
