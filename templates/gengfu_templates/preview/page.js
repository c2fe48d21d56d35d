(function () {
  "use strict";
  var script = document.currentScript, seen = script.getAttribute("data-number"), root = document.documentElement;
  var lost = document.getElementById("preview-lost"), asking = null;

  // A page in a frame goes with the one around it; it only keeps its place.
  var place = "preview " + location.pathname;
  if (window.top !== window) {
    root.classList.add("framed");
    window.addEventListener("pagehide", function () { sessionStorage.setItem(place, window.scrollY); });
    window.scrollTo(0, Number(sessionStorage.getItem(place)));
  } else {
    document.addEventListener("visibilitychange", ask);
    ask();
  }

  function ask() {
    if (document.hidden) {
      if (asking) asking.abort();
      asking = null;
    } else if (!asking) {
      var mine = asking = new AbortController();
      fetch("/.preview/changes?seen=" + seen, { signal: mine.signal }).then(function (answer) {
        return answer.text();
      }).then(function (now) {
        lost.hidden = true;
        if (now !== seen) location.reload();
        else again(mine, 0);
      }).catch(function () {
        if (asking === mine) lost.hidden = false;
        again(mine, 1000);
      });
    }
  }
  function again(mine, pause) {
    if (asking !== mine) return;
    setTimeout(function () {
      if (asking === mine) asking = null;
      ask();
    }, pause);
  }

  var fold = document.getElementById("preview-fold"), bar = document.getElementById("preview-bar");
  if (fold) {
    var beside = function (wanted) {
      root.classList.toggle("preview-beside", wanted);
      localStorage.setItem("preview-folded", wanted ? "" : "yes");
    };
    beside(!localStorage.getItem("preview-folded"));
    fold.addEventListener("click", function () { beside(false); bar.focus(); });
    bar.addEventListener("click", function (event) {
      if (!matchMedia("(min-width:64em)").matches) return;
      event.preventDefault();
      beside(true);
      fold.focus();
    });
  }
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.addEventListener("click", function () {
      document.getElementById(button.getAttribute("data-print")).contentWindow.print();
    });
  });
})();
