/* Pages seen before and the emergency page open without a network: sw.js keeps them. Refused, nothing is missing. */
(function () {
  "use strict";
  window.addEventListener("load", function () {
    try {
      navigator.serviceWorker.register(document.body.getAttribute("data-home") + "sw.js").catch(function () {});
    } catch (refused) {}
  });
})();
