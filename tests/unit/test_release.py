"""The public folder is only ever touched if it is ours, and changes as a whole."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gengfu_site import release
from gengfu_site.release import NotOurs, claim, replacing


def test_a_folder_with_somebody_elses_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "source.py").write_text("x")
    with pytest.raises(NotOurs, match="site_dir"):
        claim(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["source.py"]


def test_an_empty_folder_becomes_ours_for_good(tmp_path: Path) -> None:
    claim(tmp_path)
    (tmp_path / "index.html").write_text("x")
    claim(tmp_path)


def test_a_new_release_takes_the_old_ones_place_whole(tmp_path: Path) -> None:
    public = tmp_path / "public"
    for word in ("one", "two"):
        with replacing(public) as new:
            (new.folder / f"{word}.html").write_text(word)
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "two.html"]


def test_a_build_that_fails_leaves_the_release_as_it_was_and_nothing_for_the_next(tmp_path: Path) -> None:
    public = tmp_path / "public"
    with replacing(public) as new:
        (new.folder / "one.html").write_text("one")
    with pytest.raises(OSError, match="disk full"):
        build_half(public)
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "one.html"]
    with replacing(public):
        pass
    assert [f.name for f in public.iterdir()] == [".gengfu-site"]


def test_a_crash_between_two_releases_puts_the_new_one_in_place_whatever_comes_next(tmp_path: Path) -> None:
    public = tmp_path / "public"
    for folder, word in ((".public.old", "one"), (".public.next", "two")):
        claim(tmp_path / folder)
        (tmp_path / folder / f"{word}.html").write_text(word)
    with pytest.raises(OSError, match="disk full"):
        build_half(public)
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "two.html"]
    assert sorted(f.name for f in tmp_path.iterdir()) == [".public.lock", "public"]


def test_what_is_to_change_takes_its_place_file_by_file_and_empty_folders_go(tmp_path: Path) -> None:
    public = tmp_path / "public"
    with replacing(public) as new:
        for path in ("a/b/old.html", "same.html", "changed.html"):
            (new.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (new.folder / path).write_text("one")
    same = (public / "same.html").stat()
    with replacing(public) as new:
        (new.folder / "changed.html").write_text("two")
        new.change(["a/b/old.html"])
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "changed.html", "same.html"]
    assert (public / "changed.html").read_text() == "two"
    assert (public / "same.html").stat() == same


def test_an_article_is_there_before_anything_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, moved = tmp_path / "public", []
    move = os.replace

    def noted(file: str | Path, target: str | Path) -> None:
        moved.append(Path(target).name)
        move(file, target)

    with replacing(public):
        pass
    with replacing(public) as new:
        (new.folder / "tip/gas").mkdir(parents=True)
        for path in ("catalogue.json", "tip/gas/page.html", "tip/list.html"):
            (new.folder / path).write_text("new")
        new.change([])
        monkeypatch.setattr(os, "replace", noted)
    order = [".gengfu-changes", "page.html", "list.html", "catalogue.json", ".gengfu-site"]
    assert moved == order


def test_a_release_is_another_after_every_build_whoever_makes_it_and_after_the_machine_began_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, numbers = tmp_path / "public", []
    for _build in range(2):
        with replacing(public) as new:
            numbers.append(new.before)
    with replacing(public) as new:
        numbers.append(new.before)
        new.change([])
    numbers.append(number(public))
    claim(public)  # as MkDocs does
    numbers.append(number(public))
    assert number(public) == numbers[-1]
    monkeypatch.setattr(release, "boot_id", lambda: "another day")
    numbers.append(number(public))
    assert len(set(numbers)) == 6


def test_changes_that_were_begun_are_done_before_anything_else_unless_somebody_else_built_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for built_since, words in ((False, "two"), (True, "one")):
        public = tmp_path / str(built_since)
        with replacing(public) as new:
            (new.folder / "a.html").write_text("one")
        with monkeypatch.context() as stopped:
            stopped.setattr(release, "_apply", interrupted)
            with pytest.raises(KeyboardInterrupt):
                change(public)
        assert (public / "a.html").read_text() == "one"
        if built_since:
            claim(public)
        with pytest.raises(OSError, match="disk full"):
            build_half(public)
        assert (public / "a.html").read_text() == words


def number(public: Path) -> str:
    with pytest.raises(OSError, match="nothing"), replacing(public) as new:
        raise OSError("nothing")
    return new.before


def change(public: Path) -> None:
    with replacing(public) as new:
        (new.folder / "a.html").write_text("two")
        new.change([])


def interrupted(*_folders: Path) -> None:
    raise KeyboardInterrupt


def build_half(public: Path) -> None:
    with replacing(public) as new:
        (new.folder / "half.html").write_text("half")
        raise OSError("disk full")


def test_two_builds_at_once_take_turns(tmp_path: Path) -> None:
    public = tmp_path / "public"
    inside: list[int] = []

    def build(number: int) -> None:
        with replacing(public) as new:
            inside.append(number)
            (new.folder / "a.html").write_text(str(number))
            assert inside == [number], "two builds in one folder"
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(build, range(8)))
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "a.html"]
