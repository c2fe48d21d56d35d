/* A long list on this page gets shorter while one types: lines that hold every sign typed, in whatever order. The box is
   there before the list comes, which would move under the reader. */
(function () {
  "use strict";
  var box = document.getElementById("p--filter"), field = box.querySelector("input");
  function under(line) {
    var heading = line.closest("ul").previousElementSibling;
    return heading && heading.tagName === "H2" ? heading.textContent : "";
  }
  box.hidden = false;
  function look(event) {
    if (event.isComposing) return;
    var signs = Array.from(field.value.toLowerCase()).filter(function (sign) { return sign.trim(); });
    var shown = 0;
    document.querySelectorAll("[data-filtered] li").forEach(function (line) {
      var text = (under(line) + line.textContent).toLowerCase();
      line.hidden = !signs.every(function (sign) { return text.indexOf(sign) >= 0; });
      shown += line.hidden ? 0 : 1;
    });
    document.querySelectorAll("main section").forEach(function (group) { group.hidden = !group.querySelector("li:not([hidden])"); });
    document.getElementById("p--none").hidden = shown > 0;
  }
  field.addEventListener("input", look);
  field.addEventListener("compositionend", look);
})();
