/* What has run out by the reader's own clock leaves an open or saved page, a missing person's data above all; what is to
   be read instead, if anything, stands behind it. An alert that ended earlier leaves as soon as alerts.json says so
   (banner.js), and the page is read anew, once. */
(function () {
  function look(over) {
    var blocks = document.querySelectorAll("main [data-hide-after]");
    for (var i = 0; i < blocks.length; i++) {
      if (over !== true && Date.now() < Date.parse(blocks[i].getAttribute("data-hide-after"))) continue;
      var next = blocks[i].nextElementSibling;
      if (next && next.hasAttribute("data-instead")) next.hidden = false;
      blocks[i].parentNode.removeChild(blocks[i]);
    }
  }
  function told(event) {
    var own = document.querySelector("link[rel=canonical]").getAttribute("href");
    var over = event.detail.some(function (alert) {
      return alert.url === own && alert.state !== "active";
    });
    if (!over || !document.querySelector("main [data-hide-after]")) return;
    look(true);
    if (history.state === "over") return;
    history.replaceState("over", "");
    location.reload();
  }
  look();
  setInterval(look, 5000);
  document.addEventListener("alerts", told);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);
})();
