/* On an area's page: keep it as the resident's own, or forget it again. Where nothing can be kept, no button. */
(function () {
  "use strict";
  var KEY = "gengfu-area", box = document.getElementById("p--remember");
  var button = box.querySelector("button"), slug = box.dataset.area;
  function show() {
    var on = localStorage.getItem(KEY) === slug;
    button.setAttribute("aria-pressed", on);
    box.querySelector("[role=status]").hidden = !on;
    box.hidden = false;
  }
  try { show(); } catch (refused) { return; }
  button.onclick = function () {
    if (button.getAttribute("aria-pressed") === "true") localStorage.removeItem(KEY);
    else try { localStorage.setItem(KEY, slug); } catch (full) { return; }
    show();
  };
})();
