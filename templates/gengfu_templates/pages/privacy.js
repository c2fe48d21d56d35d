/* Clears all that this site keeps on the phone, and says what that was. */
(function () {
  "use strict";
  var button = document.querySelector(".clear"), said = document.querySelector("[role=status]");
  var site = document.querySelector(".top .home").href;
  function ours(name) {
    return name.indexOf("gengfu-") === 0;
  }
  function choices() {
    var keys = Object.keys(localStorage).filter(ours);
    keys.forEach(function (key) {
      localStorage.removeItem(key);
    });
    return keys.length;
  }
  function pages() {
    return !window.caches ? 0 : caches.keys().then(function (names) {
      return Promise.all(names.filter(ours).map(function (name) {
        return caches.open(name).then(function (store) {
          return store.keys();
        }).then(function (kept) {
          return caches.delete(name).then(function () {
            return kept.length;
          });
        });
      }));
    }).then(function (numbers) {
      return numbers.reduce(function (sum, number) {
        return sum + number;
      }, 0);
    });
  }
  function worker() {
    return !navigator.serviceWorker ? 0 : navigator.serviceWorker.getRegistrations().then(function (all) {
      return Promise.all(all.map(function (one) {
        return one.scope === site && one.unregister();
      }));
    });
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    var cleared;
    new Promise(function (give) {
      cleared = choices();
      give(worker());
    }).then(pages).then(function (kept) {
      said.textContent = button.getAttribute("data-cleared").replace("{choices}", cleared).replace("{pages}", kept);
    }).catch(function () {
      said.textContent = button.getAttribute("data-refused");
    });
  });
})();
