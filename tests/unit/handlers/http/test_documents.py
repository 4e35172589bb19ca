"""The served documents: the page, llms.txt, and the function that hands them out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.documents.build import FOLDER, write
from infra.documents.errors import JOB_MEANING, MEANING
from infra.documents.openapi import ORIGIN
from shoal.composition.parts import Documents
from shoal.dialects.mcp import TOOLS
from shoal.handlers.http.routes import ROUTES
from tests.support.api import API_URL, Api
from tests.support.events import event

DOCUMENTS = {
    "http_get_openapi": "application/json",
    "http_get_well_known_openapi": "application/json",
    "http_get_docs": "text/html; charset=utf-8",
    "http_get_llms": "text/markdown; charset=utf-8",
    "http_get_docs_llms": "text/markdown; charset=utf-8",
    "http_get_events": "text/html; charset=utf-8",
    "http_get_events_md": "text/markdown; charset=utf-8",
    "http_get_asyncapi": "application/json",
}
HOST = "9k2f7x1q3c.execute-api.eu-west-1.amazonaws.com"
VOID = {"meta", "link", "br", "hr"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zip")
    write(root)
    return root / FOLDER


@pytest.fixture
def served(built: Path, api: Api) -> Api:
    """The API with the documents where its package has them."""
    api.use_cases["read_document"] = lambda: Documents(built, API_URL)
    return api


class Page(HTMLParser):
    """What the page refers to, and whether its elements are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loads += [given[name] for name in ("src", "srcset", "action") if name in given]
        self.loads += [given["href"]] if tag == "link" else []
        assert tag != "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html(built: Path) -> str:
    return (built / "api.html").read_text(encoding="utf-8")


def test_every_error_has_an_anchor_with_its_explanation(html: str) -> None:
    ids = Page(html).ids
    assert {*MEANING, *(f"job-{code}" for code in JOB_MEANING)} <= set(ids)
    for code in MEANING:
        assert html.count(f'<div id="{code}" class="code">') == 1


def test_every_link_leads_somewhere(html: str) -> None:
    page = Page(html)
    inside = {link[1:] for link in page.links if link.startswith("#")}
    outside = {link for link in page.links if not link.startswith("#")}

    assert page.open == []
    assert inside <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {f"GET {link}" for link in outside} <= ROUTES.keys()


def test_agents_are_led_to_their_tools(html: str, built: Path) -> None:
    documents = [html, *((built / name).read_text(encoding="utf-8") for name in ("llms.txt", "openapi.json"))]
    assert all("/mcp" in each for each in documents)
    assert all(f"<code>{tool}</code>" in html for tool in TOOLS)


def test_the_page_asks_nobody_for_anything(html: str, built: Path) -> None:
    assert Page(html).loads == ["data:,"]
    style = re.search(r"<style>(.*)</style>", html, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    headers = json.loads((built / "index.json").read_text(encoding="utf-8"))["/docs/api"]["headers"]
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    assert " style=" not in html


def test_llms_txt_has_the_form_of_llmstxt_org(built: Path, html: str) -> None:
    text = (built / "llms.txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    links = re.findall(r"^- \[[^\]]+\]\((\S+)\)(: .+)?$", text, re.MULTILINE)
    ids = set(Page(html).ids)

    assert lines[0] == "# Shoal API"
    assert lines[2].startswith("> ")
    headings = [each.partition("\n")[0] for each in sections]
    assert (headings[0], headings[-1]) == ("Docs", "Optional")
    for each in sections:
        assert all(line.startswith("- [") for line in each.splitlines()[1:] if line)
    for url, said in links:
        path, _, anchor = url.removeprefix(ORIGIN).partition("#")
        assert f"GET {path}" in ROUTES
        assert not anchor or anchor in ids
        assert said


@pytest.mark.parametrize(("name", "media_type"), DOCUMENTS.items())
def test_a_document_is_served_with_the_callers_host_in_it(served: Api, name: str, media_type: str) -> None:
    answer = served.call(name, headers={"host": "images.example.com"})

    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
    assert "https://images.example.com" in answer.text
    assert ORIGIN not in answer.text
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert answer.headers["Vary"] == "Host"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_head_of_a_document_is_get_without_a_body(served: Api, name: str) -> None:
    get, sent = served.call(name), event(name)
    sent["requestContext"]["http"]["method"] = "HEAD"

    head = served.send(sent)

    assert (head.status, head.headers, head.text) == (200, get.headers, "")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_leads_around_what_stands_before_the_gateway(served: Api, name: str) -> None:
    """CloudFront asks by the gateway's own name; the stage knows by which callers ask."""
    assert event(name)["headers"]["host"] == HOST

    answer = served.call(name)

    assert "https://api.test" in answer.text
    assert HOST not in answer.text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_known_by_its_route_however_its_address_is_written(served: Api, name: str) -> None:
    """A custom domain may put a path before the API's own."""
    sent = event(name)

    assert served.send(sent | {"rawPath": f"/shoal{sent['rawPath']}"}).text == served.call(name).text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_copy_that_is_still_good_is_not_sent_again(served: Api, name: str) -> None:
    etag = served.call(name).headers["ETag"]

    for offered in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = served.call(name, headers={"if-none-match": offered})
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", etag)
    for offered in ('"other"', "", etag.strip('"')):
        assert served.call(name, headers={"if-none-match": offered}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        '"><script>alert(1)</script>',
        "a b",
        "evil.example/x",
        "evil.example@x",
        "",
        None,
        "a" * 300,
        "-x",
        "x:99999999",
    ],
)
def test_a_host_that_is_none_is_not_repeated(served: Api, host: str | None) -> None:
    answer = served.call("http_get_docs", headers={"host": host})

    assert answer.status == 200
    assert "https://api.test/v1/generate" in answer.text
    assert "<script" not in answer.text


def test_another_host_is_another_copy(served: Api) -> None:
    sent = event("http_get_openapi")
    sent["headers"]["host"] = "images.example.com:8443"
    other = served.send(sent)

    assert other.json["servers"] == [{"url": "https://images.example.com:8443"}]
    assert other.headers["ETag"] != served.call("http_get_openapi").headers["ETag"]


def test_every_document_is_a_route_and_every_route_a_document(built: Path) -> None:
    index = json.loads((built / "index.json").read_text(encoding="utf-8"))
    assert {f"GET {path}" for path in index} == {
        route for route, row in ROUTES.items() if row.verb == "read_document"
    }
