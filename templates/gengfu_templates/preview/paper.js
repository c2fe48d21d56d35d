(function () {
  "use strict";
  var body = document.body, sheet = 218 / 25.4 * 96, label = document.getElementById("preview-sheets"), all = document.createRange();
  all.selectNodeContents(body);
  var left = body.getBoundingClientRect().left, right = left;
  Array.from(all.getClientRects()).forEach(function (box) { right = Math.max(right, box.right); });
  var sheets = Math.max(1, Math.ceil((right - left) / sheet));
  label.textContent = label.textContent.replace("0", sheets);
  label.hidden = false;
  document.documentElement.style.setProperty("--sheets", sheets);
  document.documentElement.style.setProperty("--zoom", Math.min(1, window.innerWidth / sheet));
})();
