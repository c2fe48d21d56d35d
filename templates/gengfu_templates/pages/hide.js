/* A missing person's data leaves an open or saved page by the reader's own clock. */
(function () {
  function look() {
    var blocks = document.querySelectorAll("[data-hide-after]");
    for (var i = 0; i < blocks.length; i++) {
      if (Date.now() < Date.parse(blocks[i].getAttribute("data-hide-after"))) continue;
      blocks[i].nextElementSibling.hidden = false;
      blocks[i].parentNode.removeChild(blocks[i]);
    }
  }
  look();
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);
})();
