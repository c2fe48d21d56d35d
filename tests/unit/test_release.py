"""The public folder is only ever touched if it is ours, and changes as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from gengfu_site.release import NotOurs, claim, staging, switch


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
        new = staging(public)
        (new / f"{word}.html").write_text(word)
        switch(new, public)
    assert sorted(f.name for f in public.iterdir()) == [".gengfu-site", "two.html"]
    assert [f.name for f in tmp_path.iterdir()] == ["public"]


def test_what_a_crash_left_behind_is_no_part_of_the_next_release(tmp_path: Path) -> None:
    public = tmp_path / "public"
    (staging(public) / "half.html").write_text("half")
    switch(staging(public), public)
    assert [f.name for f in public.iterdir()] == [".gengfu-site"]
