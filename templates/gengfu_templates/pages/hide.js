/* What has run out by the reader's own clock leaves an open or saved page, a missing person's data above all; what is to
   be read instead, if anything, stands behind it. */
(function () {
  function look() {
    var blocks = document.querySelectorAll("main [data-hide-after]");
    for (var i = 0; i < blocks.length; i++) {
      if (Date.now() < Date.parse(blocks[i].getAttribute("data-hide-after"))) continue;
      var next = blocks[i].nextElementSibling;
      if (next && next.hasAttribute("data-instead")) next.hidden = false;
      blocks[i].parentNode.removeChild(blocks[i]);
    }
  }
  look();
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);
})();
