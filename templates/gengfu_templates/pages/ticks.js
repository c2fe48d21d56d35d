/* Papers ticked off stay so on this phone. They are remembered by their words: a list that has changed ticks no other. */
(function () {
  "use strict";
  var list = document.querySelector("[data-ticks]");
  if (!list) return;
  var key = "gengfu-ticks-" + list.getAttribute("data-ticks"), boxes = [].slice.call(list.querySelectorAll("input"));
  function words(box) {
    return box.parentNode.textContent.trim();
  }
  try {
    var ticked = JSON.parse(localStorage.getItem(key)) || [];
    boxes.forEach(function (box) {
      box.checked = ticked.indexOf(words(box)) >= 0;
    });
  } catch (refused) {}
  list.addEventListener("change", function () {
    var now = boxes.filter(function (box) {
      return box.checked;
    }).map(words);
    try {
      if (now.length) localStorage.setItem(key, JSON.stringify(now));
      else localStorage.removeItem(key);
    } catch (refused) {}
  });
})();
