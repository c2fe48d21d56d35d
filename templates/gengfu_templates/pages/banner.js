/* The banner stays true while a page is open or comes out of a cache: an alert that has run out by the reader's clock
   leaves, and alerts.json is asked for what began or ended since the page was made. Where both say the same, nothing
   moves; where the reader has scrolled on, the browser holds the text in its place. */
(function () {
  "use strict";
  var banner = document.getElementById("p--banner"), home = document.body.getAttribute("data-home");
  if (!banner || !window.fetch) return;
  var list = banner.querySelector("ul"), own = document.querySelector("link[rel=canonical]").getAttribute("href");
  function lines() {
    return [].slice.call(list.children);
  }
  function end(line) {
    return Date.parse(line.getAttribute("data-hide-after")) || Infinity;
  }
  function runOut() {
    lines().forEach(function (line) {
      if (Date.now() >= end(line)) list.removeChild(line);
    });
    banner.hidden = !list.children.length;
  }
  function line(alert, url) {
    var made = document.createElement("li"), link = document.createElement("a");
    link.href = home + alert.url.slice(url.length);
    link.textContent = alert.title;
    if (alert.expires) made.setAttribute("data-hide-after", alert.expires);
    made.appendChild(link);
    return made;
  }
  function key(line) {
    return line.firstChild.href + line.textContent + end(line);
  }
  function take(told) {
    document.dispatchEvent(new CustomEvent("alerts", { detail: told.alerts }));
    var now = told.alerts.filter(function (alert) {
      return alert.state === "active" && alert.url !== own;
    }).map(function (alert) {
      return line(alert, told.url);
    });
    if (now.map(key).join() !== lines().map(key).join()) {
      list.textContent = "";
      now.forEach(function (line) {
        list.appendChild(line);
      });
    }
    runOut();
  }
  function ask() {
    runOut();
    if (document.hidden || location.protocol === "file:") return;
    fetch(home + "alerts.json", { cache: "no-cache" }).then(function (answer) {
      return answer.json();
    }).then(take).catch(function () {});
  }
  runOut();
  setInterval(runOut, 20000);
  document.addEventListener("DOMContentLoaded", ask);
  document.addEventListener("visibilitychange", ask);
})();
