"""The search index: every string of an article finds it, by a reader of the index written here a second time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site import search
from gengfu_site.kept import kept
from gengfu_site.library import Library, load
from gengfu_site.publish import publish
from gengfu_site.records import digest
from gengfu_site.settings import read_settings
from stations import AT, MKDOCS_YML, StationFolder

REPOSITORY = Path(__file__).parents[2]
PERSON = """\
name: 赵小满
clothes: 绿色连帽衫
last_seen: 桃园社区南门
basis: 监护人同意
erase_after: 2026-11-30 12:00
"""


@dataclass(frozen=True)
class Reader:
    """The files of an index, read as the script reads them."""

    files: dict[str, bytes]

    def value(self, path: str) -> object:
        return json.loads(self.files[f"search/{path}.json"])

    @cached_property
    def lists(self) -> dict[str, dict[int, int]]:
        """How prominently each article, by its number, holds each gram."""
        shards = [json.loads(data) for path, data in self.files.items() if "/words/" in path]
        return {gram: self.decoded(codes) for shard in shards for gram, codes in shard.items()}

    @staticmethod
    def decoded(codes: str) -> dict[int, int]:
        found: dict[int, int] = {}
        for part, steps in enumerate(codes.split(" ")):
            article, weight = 1024 * part, 0
            for code in map(ord, steps):
                if code > 123:
                    weight = code - 123
                elif code > 92:
                    article += 57 * (code - 92)
                else:
                    article += code - 35
                    found[article] = weight
                    weight = 0
        return found

    def holding(self, folded: str) -> set[int]:
        """Numbers of the articles that hold all pairs of a folded string of two characters or more."""
        return set.intersection(*(set(self.lists.get(a + b, ())) for a, b in pairwise(folded)))

    def found(self, text: str) -> list[str]:
        """Addresses of the articles that hold all pairs of ``text``, or the one character."""
        folded = search.fold(text)
        numbers = self.holding(folded) if len(folded) > 1 else set(self.lists.get(folded, ()))
        return sorted(self.shown(number)["url"] for number in numbers)

    def shown(self, number: int) -> dict[str, str]:
        """What a result shows."""
        shown: dict[str, str] = self.value(f"articles/{number}")  # type: ignore[assignment]
        return shown

    @property
    def only(self) -> int:
        """Number of the one article."""
        [number] = [place for place, kind in enumerate(str(self.value("kinds"))) if kind != "-"]
        return number


def of(id_: str, published: datetime) -> Any:
    """As much of an article as its number hangs on."""
    return SimpleNamespace(id=id_, published=published, begins=published.timestamp())


def edition(library: Library, at: datetime = AT) -> str:
    return search.Words(library, at).about.edition


def index(library: Library, at: datetime = AT) -> Reader:
    return Reader(dict(search.files(library, at)))


def read(station: StationFolder, at: datetime = AT) -> Reader:
    return index(station.load(at), at)


@pytest.fixture(scope="module")
def starter() -> Library:
    settings, problems = read_settings(REPOSITORY / "mkdocs.yml")
    assert settings, problems
    library, problems = load(settings, AT)
    assert not problems
    return library


@pytest.fixture(scope="module")
def built(starter: Library) -> Reader:
    return index(starter)


@pytest.fixture(scope="module")
def said(starter: Library) -> list[tuple[str, str]]:
    """The address and, folded, each text that a page of the starter library shows of its article."""
    texts = []
    for article in starter.listed(AT):
        # Of a missing person's page search knows no more than where, and whom to tell.
        body = "" if article.missing_person else _Words(article.html).text
        for text in (article.title, article.summary, *_fields(article.service), body):
            texts.append((article.url, search.fold(text)))
    return [(url, text) for url, text in texts if len(text) > 1]


def _fields(value: object) -> Iterator[str]:
    """What an officer wrote in a service's fields."""
    if isinstance(value, str):
        yield value
    elif value and not isinstance(value, bool | int):
        for part in value if isinstance(value, tuple) else vars(value).values():
            yield from _fields(part)


class _Words(HTMLParser):
    """What a browser shows of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(which=st.integers(0, 10_000), where=st.integers(0, 10_000), length=st.integers(2, 12))
def test_any_string_of_an_article_finds_it(
    built: Reader, said: list[tuple[str, str]], which: int, where: int, length: int
) -> None:
    url, text = said[which % len(said)]
    start = where % (len(text) - 1)
    assert url in built.found(text[start : start + length])


@given(
    st.dictionaries(st.integers(0, 200_000), st.integers(0, 3), min_size=1).map(
        lambda d: dict(sorted(d.items()))
    )
)
def test_a_list_of_articles_survives_its_coding(held: dict[int, int]) -> None:
    postings = [4 * number + prominence for number, prominence in held.items()]
    assert Reader.decoded(search.encoded(postings)) == held
    assert json.dumps(search.encoded(postings)).strip('"') == search.encoded(postings)


def test_lists_that_are_written_in_parts_are_the_same(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        station.article(f"tip/t{number}.md", id=f"T000{number}", kind="tip", title=f"关掉第{number}个阀门")
    library = station.load()
    whole = dict(search.files(library, AT))
    monkeypatch.setattr(search, "_TOGETHER", 2)
    assert dict(search.files(library, AT)) == whole


@given(st.text())
def test_folding_is_done_once_and_for_all(text: str) -> None:
    assert search.fold(search.fold(text)) == search.fold(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("身份证，丢了！", "身份证丢了"),
        ("ＡＰＰ １１０", "app110"),
        ("8:30–12:00", "8301200"),
        ("①《国办发〔2015〕96号》", "1国办发201596号"),
        ("cafe\u0301", "café"),
        ("𠮷先生", "𠮷先生"),
        (" —— ", ""),
    ],
)
def test_what_a_text_counts_as(text: str, folded: str) -> None:
    assert search.fold(text) == folded


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("身份证", ["身份", "份证"]),
        ("打96110", ["打9", "96", "61", "11", "10", "961", "611", "110"]),
        ("a4纸", ["a4", "4纸"]),
        ("证", []),
    ],
)
def test_what_a_text_is_listed_under(text: str, grams: list[str]) -> None:
    assert search.grams(text) == grams


def test_a_shard_is_where_the_script_looks_for_it() -> None:
    """Worked out by search-index.js; both must change together, with the format."""
    shards = {"身份": 99, "961": 63, "𠮷先": 222, "area:qingsong/taoyuan": 242}
    assert {gram: search.shard(gram, 256) for gram in shards} == shards


def test_every_gram_lies_in_its_shard(built: Reader) -> None:
    shards = [path for path in built.files if "/words/" in path]
    for number in range(len(shards)):
        for gram in built.value(f"words/{number:x}"):  # type: ignore[attr-defined]
            assert search.shard(gram, len(shards)) == number


@pytest.mark.parametrize(
    ("articles", "shards"),
    [(0, 1), (2, 32), (63, 512), (64, 1024), (2047, 1024), (2048, 2048), (10_000, 8192)],
)
def test_shards_are_about_as_many_as_articles_and_more_for_a_small_library(
    articles: int, shards: int
) -> None:
    assert search._shards(articles) == shards


class TestWhatIsInIt:
    def test_title_summary_text_and_a_services_own_fields(self, station: StationFolder) -> None:
        station.article(
            "service/card.md",
            "到**窗口**取号，看![取号机的样子](../m.png)。\n",
            kind="service",
            title="补领身份证",
            summary="本人来一趟。",
            topics="[防火用电]",
            areas="[青松路/桃园社区]",
            service="{department: 户籍室, visit: 需本人, materials: [{name: 户口簿}], cases: [{when: 丢了, answer: 来补}]}",
        )
        station.file("content/m.png", b"\x89PNG")
        index = read(station)
        for text in (
            "领身份",
            "一趟",
            "到窗口取",
            "取号机",
            "户籍室",
            "口簿",
            "来补",
            "防火用电",
            "桃园社区",
        ):
            assert index.found(text) == ["service/card/"], text
        assert index.found("strong") == []

    def test_what_is_most_prominent_counts(self, station: StationFolder) -> None:
        station.article(title="刷单返利骗局有哪几种", summary="刷单先给小钱。", body="刷单、小钱、工作群。\n")
        index = read(station)
        assert [[*index.lists[gram].values()] for gram in ("刷单", "小钱", "工作")] == [[2], [1], [0]]

    def test_a_short_title_counts_more_than_a_long_one(self, station: StationFolder) -> None:
        station.article(title="刷单返利")
        assert [*read(station).lists["刷单"].values()] == [3]

    def test_one_character_is_looked_for_in_titles_and_summaries(self, station: StationFolder) -> None:
        station.article(title="给狗办证", summary="先打疫苗。", body="猫也一样。\n")
        index = read(station)
        assert (index.found("狗"), index.found("苗"), index.found("猫")) == (["fraud/brushing/"],) * 2 + ([],)

    def test_an_area_finds_what_is_for_it_above_it_and_beneath(self, station: StationFolder) -> None:
        for n, area in enumerate(("青松路", "青松路/桃园社区", "河东", None)):
            station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", areas=f"[{area}]" if area else None)
        index = read(station)
        areas = {
            gram: {index.shown(number)["url"] for number in held}
            for gram, held in index.lists.items()
            if gram.startswith("area:")
        }
        near = {"tip/t0/", "tip/t1/"}
        assert areas == {"area:qingsong": near, "area:qingsong/taoyuan": near, "area:hedong": {"tip/t2/"}}

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({"withdrawn": "有误"}, id="withdrawn"),
            pytest.param({"expires": "2026-11-20 12:00"}, id="expired"),
            pytest.param({"published": "2026-12-01"}, id="not yet"),
            pytest.param(
                {
                    "kind": "alert",
                    "expires": "2026-12-01",
                    "alert": "{form: 火情, place: 桥, tell: '119', status: exercise}",
                },
                id="exercise",
            ),
        ],
    )
    def test_what_lists_do_not_offer_search_does_not(
        self, station: StationFolder, fields: dict[str, str]
    ) -> None:
        station.article(title="找不到我", body="藏得很好\n", **fields)
        files = read(station).files
        assert not [
            path for path, data in files.items() if "找不".encode() in data or "很好".encode() in data
        ]

    @pytest.mark.parametrize("state", ["active", "resolved"])
    @pytest.mark.parametrize("erased", [False, True])
    def test_nothing_of_a_missing_persons_data(
        self, station: StationFolder, state: str, erased: bool
    ) -> None:
        station.article(
            "alert/child.md",
            "他爱穿绿色连帽衫\n",
            id="A5W3R",
            kind="alert",
            title="寻找走失孩子",
            expires="2026-12-01",
            alert=f"{{form: 走失, place: 桃园社区附近, tell: '110', state: {state}}}",
        )
        if not erased:
            station.file("private/A5W3R.yml", PERSON)
        index = read(station)
        assert index.found("桃园社区附近") == ["alert/child/"]
        everything = b"".join(index.files.values()).decode()
        assert not [word for word in ("小满", "连帽", "南门") if word in everything]
        library = station.load()
        assert digest(library.articles[0]).encode() not in search.Words(library, AT).state

    def test_a_result_shows_what_a_list_shows_and_when_it_ends(self, station: StationFolder) -> None:
        station.article("notice/九月/a.md", kind="notice", expires="2026-12-01", published="2026-11-20 23:30")
        index = read(station)
        assert index.shown(index.only) == {
            "url": "notice/%E4%B9%9D%E6%9C%88/a/",
            "title": "刷单返利",
            "summary": "先给小钱，再骗大钱。",
            "kind": "notice",
            "date": "2026-11-20",
            "ends": "2026-12-02T00:00:00+08:00",
        }

    @pytest.mark.parametrize("state", ["active", "resolved", "cancelled"])
    def test_an_alert_says_how_it_ended(self, station: StationFolder, state: str) -> None:
        alert = f"{{form: 道路, place: 桥, tell: '122', state: {state}}}"
        station.article("alert/road.md", kind="alert", expires="2026-12-01", alert=alert)
        index = read(station)
        assert index.shown(index.only).get("over", "active") == state


class TestNumbers:
    @pytest.fixture
    def three(self, station: StationFolder) -> StationFolder:
        for n in range(3):
            station.article(
                f"tip/t{n}.md", id=f"T000{n}", kind="tip", published=f"2026-11-1{n}", body="同样\n"
            )
        return station

    def test_those_of_an_older_month_come_first(self, three: StationFolder) -> None:
        three.article(
            "tip/old.md", id="T0009", kind="tip", published="2026-10-31 09:00", title="旧", body="同样\n"
        )
        index = read(three)
        assert index.shown(min(index.lists["同样"]))["title"] == "旧"

    def test_one_that_is_withdrawn_leaves_the_others_theirs(self, three: StationFolder) -> None:
        before, number = read(three), search.Words(three.load(), AT).numbers["T0001"]
        three.article("tip/t1.md", id="T0001", kind="tip", published="2026-11-11", withdrawn="有误")
        after = read(three)
        gone = {f"search/{name}/{number}.json" for name in ("articles", "texts")}
        assert before.files.keys() - after.files.keys() == gone
        assert {path for path in after.files if "/articles/" in path} < before.files.keys()
        assert str(after.value("kinds")).count("t") == 2

    def test_a_new_one_changes_only_the_shards_of_its_own_words(self, three: StationFolder) -> None:
        three.article("tip/t3.md", id="T0003", kind="tip", published="2026-11-13", body="同样\n")
        before = read(three).files
        three.article("tip/t4.md", id="T0004", kind="tip", title="灭火", summary="水。", body="")
        after = read(three).files
        number = search.Words(three.load(), AT).numbers["T0004"]
        changed = {path for path in after if before.get(path) != after[path]}
        words = {f"search/words/{search.shard(gram, 64):x}.json" for gram in ("灭火", "灭", "火", "水")}
        own = {f"search/{name}.json" for name in (f"articles/{number}", f"texts/{number}", "kinds")}
        assert changed == words | own

    def test_shards_that_another_program_made_or_of_which_nothing_is_known_are_all_made_anew(
        self, three: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words, made = search.Words(three.load(), AT), read(three).files
        assert words.changed(words.state, made.__getitem__) == []
        assert words.changed(b"[half", made.__getitem__) is None
        monkeypatch.setattr(search, "edition", lambda: "the next one")
        assert search.Words(three.load(), AT).changed(words.state, made.__getitem__) is None

    @pytest.mark.parametrize("damage", [b"", b"[half", b"[]", b"null", b'{"title":1}'])
    def test_where_a_file_of_the_release_is_not_as_it_was_all_shards_are_made_anew(
        self, three: StationFolder, damage: bytes
    ) -> None:
        words, made = search.Words(three.load(), AT), read(three).files
        (three.folder / "content/tip/t1.md").unlink()
        now = search.Words(three.load(), AT)
        shown = f"search/articles/{words.numbers['T0001']}.json"
        shards = [path for path, _data in now.changed(words.state, made.__getitem__) or ()]
        assert shards
        for path in (shown, *shards):
            assert now.changed(words.state, {**made, path: damage}.__getitem__) is None

    @given(
        st.lists(st.tuples(st.integers(0, 999), st.integers(1, 3)), unique_by=lambda one: one[0], min_size=1)
    )
    def test_each_has_its_own_by_month_and_the_newest_moves_no_other(
        self, articles: list[tuple[int, int]]
    ) -> None:
        made = [of(f"{number:04}", datetime(2026, month, 1, tzinfo=UTC)) for number, month in articles]
        made.sort(key=lambda one: (-one.begins, one.id))
        numbers, places = search._numbered(made)
        assert len({*numbers.values()}) == len(made)
        assert max(numbers.values()) < places
        by_number = sorted(made, key=lambda one: numbers[one.id])
        assert [one.published for one in by_number] == sorted(one.published for one in made)
        before, fewer = search._numbered(made[1:])
        assert fewer < places or before == {one.id: numbers[one.id] for one in made[1:]}

    @given(st.sets(st.integers(0, 1 << 22), min_size=1), st.data())
    def test_a_list_that_was_changed_in_one_place_is_as_one_written_anew(
        self, numbers: set[int], data: st.DataObject
    ) -> None:
        postings = [4 * n + n % 4 for n in sorted(numbers)]
        one = data.draw(st.sampled_from(postings))
        whole = search.encoded(postings).encode()
        rest = search.encoded([p for p in postings if p != one]).encode()
        assert search._without(whole, one) == rest
        assert search._with(rest, one) == whole
        with pytest.raises(ValueError, match="not in list"):
            search._without(rest, one)

    @given(
        st.dictionaries(st.text('灭火a"\\,:', min_size=1, max_size=6), st.integers(0, 9), min_size=1),
        st.data(),
    )
    def test_a_shard_that_was_changed_in_one_place_is_as_one_written_anew(
        self, its: dict[str, int], data: st.DataObject
    ) -> None:
        gram, posting = data.draw(st.sampled_from([*its.items()]))
        whole, rest = (
            search._joined(sorted(search._named(g) + search.encoded([p]).encode() for g, p in some.items()))
            for some in (its, {g: p for g, p in its.items() if g != gram})
        )
        assert json.loads(whole) == {g: search.encoded([p]) for g, p in its.items()}
        assert search._changed(whole, [(search._without, gram, posting)]) == rest
        assert search._changed(rest, [(search._with, gram, posting)]) == whole

    @pytest.mark.parametrize(("part", "otherwise"), [(b"\n", b"\r\n"), (b"\n", b""), (b'":"', b'": "')])
    def test_a_shard_that_another_program_wrote_otherwise_is_not_patched(
        self, part: bytes, otherwise: bytes
    ) -> None:
        shard = search._joined([search._named(gram) + b"#" for gram in ("灭火", "阀门")])
        rewritten = shard.replace(part, otherwise)
        assert json.loads(rewritten) == json.loads(shard)
        with pytest.raises(ValueError, match="no shard"):
            search._changed(rewritten, [(search._with, "阀门", 4)])


class TestEdition:
    def test_the_same_articles_have_the_same_another_day(self, station: StationFolder) -> None:
        station.article(expires="2026-11-30")
        library = station.load()
        assert search.Words(library, AT).about == search.Words(library, AT + timedelta(days=2)).about
        assert index(library) == index(library, AT + timedelta(days=2))

    def test_a_word_changed_or_an_article_run_out_makes_another(self, station: StationFolder) -> None:
        station.article(expires="2026-11-30")
        library = station.load()
        editions = {edition(library), edition(library, AT + timedelta(days=20))}
        station.article(expires="2026-11-30", body="正文改了\n")
        assert len(editions | {edition(station.load())}) == 3

    def test_an_article_that_has_another_number_makes_another(self, station: StationFolder) -> None:
        """Its number was that of an older one, which nobody was offered any more."""
        alike = (f"T{number:04}" for number in range(2, 99))
        older = next(id_ for id_ in alike if crc32(id_.encode()) % 8 == crc32(b"T0001") % 8)
        for id_, published in (("T0001", "2026-11-20"), ("T0000", "2026-10-20")):
            station.article(f"tip/{id_}.md", id=id_, kind="tip", published=published)
        file = station.article("tip/t2.md", id=older, kind="tip", published="2026-11-19", withdrawn="有误")
        before = search.Words(station.load(), AT)
        file.unlink()
        after = search.Words(station.load(), AT)
        assert before.numbers["T0001"] != after.numbers["T0001"]
        assert before.about.edition != after.about.edition

    def test_an_area_that_has_another_address_makes_another(self, station: StationFolder) -> None:
        station.article(areas="[河东]")
        before = edition(station.load())
        station.file("mkdocs.yml", MKDOCS_YML.replace("slug: hedong", "slug: east"))
        assert edition(station.load()) != before


def test_an_article_kept_from_the_present_release_is_found_by_what_its_page_says(
    station: StationFolder,
) -> None:
    station.article(body="返利是假的\n")
    publish(station.settings, AT)
    old = kept(station.settings.public, AT, lambda entry, path: path == PurePosixPath("fraud/brushing.md"))
    library = Library(settings=station.settings, articles=tuple(old))
    assert index(library).found("返利是假") == ["fraud/brushing/"]
