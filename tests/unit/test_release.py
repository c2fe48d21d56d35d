"""The public folder is only ever touched if it is ours, and changes as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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
