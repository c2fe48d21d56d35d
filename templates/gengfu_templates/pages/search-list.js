/* The list of what is found, and how many that are. */
(function () {
  "use strict";
  const MANY = 8, LONG = 5000, root = document.documentElement.classList;
  const part = (name) => document.getElementById("p--search-" + name);
  const list = part("list"), status = part("status"), button = part("more"), said = part("page").dataset;

  function item(article, words) {
    const one = part("one").content.cloneNode(true), find = (name) => one.querySelector(name);
    find("a").href = said.home + article.url;
    window.words.mark(find("a"), article.title, words);
    window.words.mark(find("p"), article.text || article.summary, words);
    find("span").textContent = part("page").querySelector("[value=" + article.kind + "]").text;
    if (article.over) find("b").textContent = said.over + " · ";
    find("time").dateTime = find("time").textContent = article.date;
    return list.appendChild(one.firstElementChild);
  }

  /* What is found would push down what stands below: that waits until then, but not for a network that hangs. */
  function expect(done) {
    const come = () => root.remove("asking");
    root.add("asking");
    done.then(come);
    setTimeout(come, LONG);
  }

  function clear() {
    list.textContent = "";
    button.hidden = true;
  }

  function fail() {
    clear();
    say("failed");
  }

  function say(what, q, n, m) {
    status.textContent = (said[what] || "").replace("{n}", n).replace("{m}", m).replace("{q}", () => q);
  }

  /* Shows the best of `results` once they are there, unless `late()` tells that something else is asked by then. */
  async function show(results, q, late) {
    const articles = await results.more(MANY);
    if (late()) return;
    clear();
    add(articles, results, q);
    button.onclick = async function next() {
      button.onclick = null;
      try {
        const articles = await results.more(MANY);
        if (late()) return;
        const [first] = add(articles, results, q);
        if (first) first.querySelector("a").focus();
      } catch (error) {
        if (!late()) say("failed");
      }
      button.onclick = button.onclick || next;
    };
  }

  function add(articles, results, q) {
    const [held, like, sure] = results.told(), how = like ? "also" : sure ? "found" : "about";
    say(held ? how : like ? "alike" : q && "none", q, held || like, like);
    button.hidden = !results.left();
    return articles.map((article) => item(article, results.marked()));
  }

  window.list = { expect, fail, say, show };
})();
