/* The search page. Its address holds what is asked for: a link, a reload and the way back find it again. */
(function () {
  "use strict";
  const PAUSE = 300, SLOW = 800, page = document.getElementById("p--search-page"), said = page.dataset;
  const form = page.querySelector("form"), fields = Array.from(form.querySelectorAll("input,select"));
  const synonyms = said.synonyms.split("|").map((line) => line.split(" ")), title = document.title;
  const index = window.openIndex(said.edition, +said.shards);
  let turn = 0, pause = 0, typing = false;

  async function run() {
    clearTimeout(pause);
    const now = ++turn, late = () => now != turn, [q, ...filters] = fields.map((field) => field.value.trim());
    document.title = (q && q + " - ") + title;
    const slow = setTimeout(() => late() || window.list.say("busy"), SLOW);
    try {
      const found = await window.find(index, q, synonyms, ...filters);
      await window.list.show(window.results(index, found), q, late);
    } catch (error) {
      if (!late()) window.list.fail();
    }
    clearTimeout(slow);
  }

  /* A word being typed is one step of the way back, however often it paused. */
  function go() {
    const query = new URLSearchParams();
    for (const field of fields) if (field.value.trim()) query.set(field.name, field.value.trim());
    const same = "?" + query == location.search;
    history[typing || same ? "replaceState" : "pushState"](null, "", "?" + query);
    run();
  }

  function read() {
    const query = new URLSearchParams(location.search);
    for (const field of fields) field.value = query.get(field.name) || "";
    const done = run();
    if (fields[0].value) window.list.expect(done);
  }

  function typed(event) {
    clearTimeout(pause);
    if (event.isComposing) return;
    pause = setTimeout(() => (go(), (typing = true)), PAUSE);
  }

  fields[0].addEventListener("input", typed);
  fields[0].addEventListener("compositionend", typed);
  form.addEventListener("change", (event) => {
    typing = false;
    if (event.target != fields[0]) go();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    /* A phone's keyboard would stay on what is found. */
    fields[0].blur();
    go();
    typing = false;
  });
  window.addEventListener("popstate", () => {
    typing = false;
    read();
  });
  page.hidden = false;
  read();
})();
