/* The home page knows the resident's community: the one a door plate's code asks for, or this phone remembers. */
(function () {
  "use strict";
  var KEY = "gengfu-area", kept = null;
  var mine = document.getElementById("p--mine"), pick = document.getElementById("p--pick");
  var asked = new URLSearchParams(location.search).get("area");
  try { kept = localStorage.getItem(KEY); } catch (refused) { /* shown all the same */ }

  function place(slug) {
    var all = pick.querySelectorAll("[data-area]");
    for (var i = 0; i < all.length; i++) if (all[i].dataset.area === slug) return all[i];
    if (all.length || !slug || !/^[^.:?#\\]+$/.test(slug)) return null;
    var link = document.createElement("a");
    link.href = mine.dataset.base + encodeURI(slug) + "/";
    return link;
  }

  var known = place(kept), link = place(asked) || known;
  if (!link) return;
  var about = link.dataset, call = mine.querySelector(".call");
  mine.querySelector("b").textContent = link.textContent;
  mine.querySelector("span").textContent = about.who || "";
  mine.querySelector("a.press").href = link.href;
  var way = document.getElementById("p--officer"), all = way.cloneNode(true);
  way.href = link.href;
  if (link.textContent) way.querySelector("span").textContent = link.textContent;
  call.hidden = !about.dial;
  call.href = "tel:" + about.dial;
  call.querySelector("span").textContent = about.phone || "";
  mine.hidden = false;
  pick.hidden = true;
  if (!known) try { localStorage.setItem(KEY, asked); } catch (refused) { /* asked for again next time */ }

  mine.querySelector("button").onclick = function () {
    try { localStorage.removeItem(KEY); } catch (refused) { /* nothing is kept */ }
    way.parentNode.replaceChild(all, way);
    mine.hidden = true;
    pick.hidden = false;
    pick.querySelector("a").focus();
  };
})();
