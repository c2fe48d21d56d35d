/* 大字版, before anything is painted. An address may ask for it (?elder=1, ?elder=0), and that is remembered as a press
   of the button is. Where the phone refuses to remember, the page alone changes. */
(function () {
  "use strict";
  var key = "gengfu-elder", root = document.documentElement.classList;
  function remember(elder) {
    try {
      localStorage.setItem(key, elder ? "1" : "0");
    } catch (refused) {}
    root.toggle("elder", elder);
  }
  var asked = /[?&]elder=([01])(?:&|$)/.exec(location.search);
  root.add("js");
  if (asked) {
    remember(asked[1] === "1");
  } else {
    try {
      root.toggle("elder", localStorage.getItem(key) === "1");
    } catch (refused) {}
  }
  document.addEventListener("click", function (press) {
    if (press.target.closest && press.target.closest(".mode")) remember(!root.contains("elder"));
  });
})();
