"""The MkDocs plugin: the same site by ``mkdocs build``, byte for byte. The only module that imports MkDocs.

MkDocs reads its configuration, then is handed every file of :mod:`gengfu_site.output` in place of those it
found; each page is a ``Page`` of its own kind that carries a ready view, so nothing of MkDocs is patched.
Plugin events: https://www.mkdocs.org/dev-guide/plugins/.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import jinja2
from mkdocs.config.base import Config
from mkdocs.config.config_options import Type
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from gengfu_site import clock, release, render, rules, view
from gengfu_site.library import Library, load
from gengfu_site.output import Copied, Generated, outputs
from gengfu_site.problems import ProblemsFound
from gengfu_site.settings import Settings, read_settings

_log = logging.getLogger("mkdocs.plugins.gengfu")


class GengfuConfig(Config):  # type: ignore[no-untyped-call]
    """Named for MkDocs; read and checked by :mod:`gengfu_site.settings`."""

    station = Type(dict, default={})
    areas = Type(list, default=[])
    topics = Type(list, default=[])
    audiences = Type(list, default=[])
    service_desk = Type(str, default="")
    shortcuts = Type(list, default=[])
    matters = Type(list, default=[])
    portal = Type(dict, default={})
    review = Type((str, dict), default="none")


class GengfuPlugin(BasePlugin[GengfuConfig]):  # type: ignore[no-untyped-call]
    """Hands MkDocs the site's files and renders its pages in our environment."""

    _live = False
    _settings: Settings
    _env: jinja2.Environment
    _at: datetime
    _library: Library

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """A server's pages reload themselves, which the policy of public ones forbids."""
        self._live = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Read the settings, and refuse a ``site_dir`` that holds what no build wrote."""
        settings, problems = read_settings(Path(config.config_file_path))
        if settings is None:
            raise PluginError(str(ProblemsFound(problems)))
        self._settings = replace(settings, content=Path(config.docs_dir), public=Path(config.site_dir))
        try:
            self._env = render.environment(self._settings, live=self._live)
            release.claim(self._settings.public)
        except (render.TemplateBroken, release.NotOurs) as error:
            raise PluginError(str(error)) from error
        config.theme.static_templates = set()
        return config

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Read the library: a problem must stop MkDocs before it empties ``site_dir``."""
        self._at = clock.now()
        self._library, problems = load(self._settings, self._at)
        problems += rules.refusals(self._library, self._at)
        if problems:
            raise PluginError(str(ProblemsFound(problems)))
        for held in self._library.held:
            _log.info("%s", held)

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Our files in place of all that MkDocs found, in content/ or in the theme."""
        return Files([_file(output, config) for output in outputs(self._library, self._at, self._env)])

    def on_env(self, env: jinja2.Environment, *, config: MkDocsConfig, files: Files) -> jinja2.Environment:
        """Our environment: MkDocs' own has autoescape off."""
        return self._env

    def on_page_context(self, context: Any, *, page: Page, config: MkDocsConfig, nav: Navigation) -> Any:
        """Only what our templates know."""
        assert isinstance(page, ViewPage)
        return render.context(page.view)


class ViewPage(Page):
    """A page whose view is ready: there is no Markdown left to read or render."""

    def __init__(self, ready: view.Page, file: File, config: MkDocsConfig) -> None:
        super().__init__(ready.title, file, config)
        self.view = ready

    def read_source(self, config: MkDocsConfig) -> None:
        self.markdown = ""
        self.meta = {"template": self.view.template}

    def render(self, config: MkDocsConfig, files: Files) -> None:
        self.content = ""


def _file(output: view.Page | Generated | Copied, config: MkDocsConfig) -> File:
    match output:
        case view.Page():
            # MkDocs takes a file for a page by its ending.
            source = output.path.removesuffix(".html") + ".md"
            file = File.generated(config, source, content="", inclusion=InclusionLevel.NOT_IN_NAV)
            file.dest_uri = output.path
            ViewPage(output, file, config)
            return file
        case Generated():
            return File.generated(config, output.path, content=output.data, inclusion=InclusionLevel.INCLUDED)
        case Copied():
            return File.generated(
                config, output.path, abs_src_path=str(output.source), inclusion=InclusionLevel.INCLUDED
            )
