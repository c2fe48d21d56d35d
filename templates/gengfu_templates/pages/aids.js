/* Sharing, copying and printing, each where the browser can. */
(function () {
  "use strict";
  var row = document.querySelector(".aids");
  if (!row) return;
  function offer(name, press) {
    var button = row.querySelector("[data-do=" + name + "]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      press(button.getAttribute("data-text"), button);
    });
  }
  function say(words) {
    row.querySelector("[role=status]").textContent = words;
  }
  function copyOldWay(text, button) {
    var field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    row.appendChild(field);
    field.select();
    var done = document.execCommand("copy");
    row.removeChild(field);
    button.focus();
    if (!done) throw text;
  }
  /* Where nothing may copy, the words are shown for a finger to mark. */
  function copy(text, button) {
    Promise.resolve().then(function () {
      return navigator.clipboard.writeText(text);
    }).catch(function () {
      copyOldWay(text, button);
    }).then(function () {
      say(row.getAttribute("data-done"));
    }, function () {
      say(text);
    });
  }
  if (navigator.share) {
    offer("share", function (url, button) {
      navigator.share({ title: button.getAttribute("data-title"), url: url }).catch(function (error) {
        if (error.name !== "AbortError") copy(url, button);
      });
    });
  } else {
    offer("copy", copy);
  }
  offer("answer", copy);
  if (window.print) offer("print", function () {
    window.print();
  });
})();
